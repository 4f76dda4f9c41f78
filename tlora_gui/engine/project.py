"""A project on disk: one folder, safetensors and JSON only, so that opening a stranger's project runs no code.

    project.json              format_version, backbone and fingerprint, settings, epochs in order, mixers
    epochs/01-shakespeare/    plain PEFT adapter + epoch.json, history.jsonl, memory.safetensors
    mixer/                    mixer-0001.safetensors … the last is current, the others teachers
    checkpoints/<slug>/       the epoch in training
    deleted/                  epochs taken out of the mixture
    generations.jsonl         kept prompts, their tokens and weights

Everything is written to a sibling, flushed to disk and renamed; project.json comes last, so a crash leaves the
project as it was.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from tlora_gui.engine.blocks import TokenBlocks
from tlora_gui.engine.config import LoraSettings, MixerSettings, SleepSettings, TrainSettings
from tlora_gui.engine.errors import TloraError
from tlora_gui.engine.events import EpochInfo, GenerationRecord, HeldOut, TrainStep
from tlora_gui.engine.records import generation_line, history_line, read_generation_line, read_history_line
from tlora_gui.temporal.active_sleep import EpochMemory, cut_windows
from tlora_gui.temporal.model import TemporalLoRA
from tlora_gui.temporal.time_mixer import TimeMixer

FORMAT_VERSION = 1
INDEX = "project.json"
_ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")
_ODD = r"[^\w-]+"
_DAMAGE = (OSError, ValueError, KeyError, TypeError, SafetensorError, RuntimeError, AttributeError)


@dataclass(frozen=True, slots=True)
class MixerFile:
    """A stored mixer and the epochs of its slots 1 …"""

    file: str
    slots: tuple[str, ...]


@dataclass(slots=True)
class Project:
    """An open project: its index in memory. Methods that change it write it."""

    path: Path
    backbone_reference: str
    backbone_name: str
    fingerprint: str
    lora: LoraSettings
    mixer: MixerSettings
    folders: dict[str, str] = field(default_factory=dict)
    mixers: list[MixerFile] = field(default_factory=list)

    # -- making and opening -------------------------------------------------------------------------------------

    @classmethod
    def create(cls, path: Path, reference: str, name: str, fingerprint: str, model: TemporalLoRA) -> Project:
        """Make an empty project folder.

        Raises:
            TloraError: if the folder is not empty or cannot be written.
        """
        lora = replace(model.lora, mixer_layer=model.mixer_layer)
        project = cls(path, reference, name, fingerprint, lora, model.mixer.settings)
        try:
            if path.exists() and (not path.is_dir() or any(path.iterdir())):
                raise TloraError(f"{path} is not empty.", "Choose a new or empty folder for the project.")
            path.mkdir(parents=True, exist_ok=True)
            project._write_index()
        except OSError as error:
            raise TloraError(f"{path} cannot be made: {error.strerror}.", "Choose a folder of yours.") from error
        return project

    @classmethod
    def open(cls, path: Path) -> Project:
        """Read a project's index.

        Raises:
            TloraError: if it is not a project, is damaged, or was made by a newer version.
        """
        try:
            index = json.loads((path / INDEX).read_text(encoding="utf-8"))
            version = index["format_version"]
            if version > FORMAT_VERSION:
                raise TloraError(
                    f"{path.name} was made by a newer tlora-gui (project format {version}).", "Update tlora-gui."
                )
            return cls(
                path=path,
                backbone_reference=index["backbone"]["reference"],
                backbone_name=index["backbone"]["name"],
                fingerprint=index["backbone"]["fingerprint"],
                lora=LoraSettings(**index["lora"]),
                mixer=MixerSettings(**index["mixer"]),
                folders={str(slug): _plain_name(folder) for slug, folder in index["epochs"].items()},
                mixers=[MixerFile(_plain_name(entry["file"]), tuple(entry["slots"])) for entry in index["mixers"]],
            )
        except (FileNotFoundError, NotADirectoryError) as error:
            raise TloraError(
                f"{path} is not a Temporal LoRA project: it holds no {INDEX}.", "Choose a project's folder."
            ) from error
        except _DAMAGE as error:
            raise TloraError(
                f"{path / INDEX} is damaged: {error}.",
                "Nothing was changed; restore that file from a copy. The epochs beside it are whole PEFT adapters.",
            ) from error

    def _write_index(self) -> None:
        index = {
            "format_version": FORMAT_VERSION,
            "backbone": {
                "reference": self.backbone_reference,
                "name": self.backbone_name,
                "fingerprint": self.fingerprint,
            },
            "lora": asdict(self.lora),
            "mixer": asdict(self.mixer),
            "epochs": self.folders,
            "mixers": [{"file": entry.file, "slots": list(entry.slots)} for entry in self.mixers],
        }
        write_text(self.path / INDEX, json.dumps(index, indent=2))

    def _commit(self, folders: dict[str, str], mixers: list[MixerFile]) -> None:
        """Write the index with these epochs and mixers; if that fails, the project stays what it was."""
        before = self.folders, self.mixers
        self.folders, self.mixers = folders, mixers
        try:
            self._write_index()
        except BaseException:
            self.folders, self.mixers = before
            raise

    # -- epochs -------------------------------------------------------------------------------------------------

    def new_slug(self, name: str, reserved: Iterable[str] = ()) -> str:
        """A free identifier for an epoch of this name: lower case ASCII, digits and hyphens; none of ``reserved``."""
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
        base = re.sub(r"[^a-z0-9]+", "-", plain)[:48].strip("-") or "epoch"
        base = f"epoch-{base}" if base.startswith("lora") else base
        taken = {*reserved, *self.folders, *(path.name for path in self._checkpoints())}
        taken |= {path.name.partition("-")[2] for path in self._numbered()}
        return next(slug for slug in _candidates(base) if slug not in taken)

    def add_epoch(
        self, info: EpochInfo, settings: TrainSettings, model: TemporalLoRA, history: Iterable[TrainStep | HeldOut]
    ) -> None:
        """Store a finished epoch and the mixer as it is now; drop its checkpoint. If it fails, nothing of it stays."""
        numbers = [int(path.name.partition("-")[0]) for path in self._numbered()]
        folder = f"{max(numbers, default=0) + 1:02d}-{re.sub(_ODD, '-', info.slug)}"
        partial, place = self.path / "epochs" / f".partial-{folder}", self.path / "epochs" / folder
        shutil.rmtree(partial, ignore_errors=True)
        try:
            self._fill_folder(partial, info, settings, model, history)
            partial.rename(place)
            self.add_mixer(model, {**self.folders, info.slug: folder})
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            shutil.rmtree(place, ignore_errors=True)
            raise
        self.drop_checkpoint(info.slug)

    def _fill_folder(
        self,
        folder: Path,
        info: EpochInfo,
        settings: TrainSettings,
        model: TemporalLoRA,
        history: Iterable[TrainStep | HeldOut],
    ) -> None:
        adapter = folder / "adapter"
        adapter.mkdir(parents=True)
        model.peft_model.save_pretrained(str(adapter), selected_adapters=[info.slug], save_embedding_layers=False)
        for name in _ADAPTER_FILES:  # PEFT puts them into a folder of the adapter's name, but not for "default"
            next(adapter.rglob(name)).rename(folder / name)
        shutil.rmtree(adapter)
        self._write_epoch_json(folder, info, settings)
        write_text(folder / "history.jsonl", "".join(history_line(event) + "\n" for event in history))
        memory = model.memories[info.slug]
        tensors = {"replay": memory.replay_NWH, "probe": memory.probe_NTH}
        if memory.held_out_NT is not None:
            tensors["held_out"] = memory.held_out_NT
        write_tensors(folder / "memory.safetensors", tensors)
        for name in _ADAPTER_FILES:
            _sync(folder / name)

    def add_mixer(self, model: TemporalLoRA, folders: dict[str, str]) -> None:
        """Store the mixer as the current one, for these epochs' folders; earlier ones stay as teachers."""
        number = 1 + max((int(re.sub(r"\D", "", entry.file) or 0) for entry in self.mixers), default=0)
        entry = MixerFile(f"mixer-{number:04d}.safetensors", tuple(model.slot_adapters))
        write_tensors(self.path / "mixer" / entry.file, dict(model.mixer.state_dict()))
        self._commit(folders, [*self.mixers, entry])

    def edit_epoch(self, info: EpochInfo) -> None:
        """Store the new name, era or colour of an epoch, finished or interrupted."""
        folder = self._folder(info.slug)
        _, settings = _read_epoch_json(folder)
        self._write_epoch_json(folder, info, settings)

    def remove_epoch(self, slug: str, model: TemporalLoRA) -> None:
        """Take an epoch out; its folder moves to ``deleted/``. ``model`` has already let go of it."""
        folder = self.folders[slug]
        self.add_mixer(model, {other: place for other, place in self.folders.items() if other != slug})
        (self.path / "deleted").mkdir(exist_ok=True)
        target = self.path / "deleted" / folder
        shutil.rmtree(target, ignore_errors=True)
        if (self.path / "epochs" / folder).exists():
            (self.path / "epochs" / folder).rename(target)

    def restore_epoch(self, slug: str, folder: str, folders: dict[str, str], mixers: list[MixerFile]) -> None:
        """Undo :meth:`remove_epoch`: the folder moves back, the index becomes what it was."""
        (self.path / "deleted" / folder).rename(self.path / "epochs" / folder)
        self._commit(dict(folders), list(mixers))

    def read_epoch(self, slug: str) -> tuple[EpochInfo, TrainSettings]:
        """An epoch's facts and the settings it was trained with. Raises one of the usual reading errors."""
        return _read_epoch_json(self.path / "epochs" / self.folders[slug])

    def load_into(self, model: TemporalLoRA) -> list[EpochInfo]:
        """Give ``model`` this project's epochs, memories and mixer. A damaged epoch comes back as broken, with why.

        Raises:
            TloraError: if the current mixer cannot be read.
        """
        infos: list[EpochInfo] = []
        for slug, folder in self.folders.items():
            place = self.path / "epochs" / folder
            try:
                info = replace(_read_epoch_json(place)[0], slug=slug, state="frozen")
                stored = load_file(place / "memory.safetensors")
                memory = EpochMemory(cut_windows(stored["replay"]), stored["probe"], stored.get("held_out"))
                model.load_adapter(slug, place, info.era)
                model.memories[slug] = memory
            except _DAMAGE as error:
                reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
                info = EpochInfo(slug, folder.partition("-")[2], "", "#8A919C", "broken", note=reason)
            infos.append(info)
        self._load_mixer(model)
        return infos

    def _load_mixer(self, model: TemporalLoRA) -> None:
        """Use the current mixer, without the slots of epochs that could not be loaded."""
        if not self.mixers:
            return
        entry = self.mixers[-1]
        mixer = TimeMixer(model.mixer.hidden_size, self.mixer, 1 + len(entry.slots))
        try:
            mixer.load_state_dict(load_file(self.path / "mixer" / entry.file))
        except _DAMAGE as error:
            raise TloraError(
                f"The Time Mixer in {self.path / 'mixer' / entry.file} is damaged.",
                "Nothing was changed; restore that file from a copy. The epochs are whole PEFT adapters.",
            ) from error
        slots = list(entry.slots)
        for slug in entry.slots:
            if slug not in model.adapters:
                mixer.remove_slot(1 + slots.index(slug))
                slots.remove(slug)
        model.set_slots(slots, mixer)

    def read_history(self, slug: str) -> tuple[TrainStep | HeldOut, ...]:
        """Steps and measurements of an epoch, or of its checkpoint; a damaged line ends the reading."""
        folder = self._folder(slug)
        events: list[TrainStep | HeldOut] = []
        try:
            for line in (folder / "history.jsonl").read_text(encoding="utf-8").splitlines():
                events.append(read_history_line(line))
        except _DAMAGE:
            pass
        return tuple(events)

    def export_epoch(self, slug: str, target: Path) -> Path:
        """Copy the plain PEFT adapter to ``target/<slug>``.

        Raises:
            TloraError: if the epoch is not finished, or the folder exists or cannot be written.
        """
        if slug not in self.folders:
            raise TloraError("That epoch is not finished.", "Finish its training first.")
        folder = target / self.folders[slug].partition("-")[2]
        if folder.exists():
            raise TloraError(f"{folder} is already there.", "Choose another folder, or remove it first.")
        source = self.path / "epochs" / self.folders[slug]
        try:
            folder.mkdir(parents=True)
            for name in _ADAPTER_FILES:
                shutil.copyfile(source / name, folder / name)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise TloraError(f"{folder} cannot be written: {error.strerror}.", "Choose another folder.") from error
        return folder

    def _folder(self, slug: str) -> Path:
        return self.path / "epochs" / self.folders[slug] if slug in self.folders else self._checkpoint(slug)

    def _numbered(self) -> list[Path]:
        found = [path for part in ("epochs", "deleted") for path in (self.path / part).glob("[0-9]*-*")]
        return [path for path in found if path.name.partition("-")[0].isdecimal()]

    @staticmethod
    def _write_epoch_json(folder: Path, info: EpochInfo, settings: TrainSettings) -> None:
        write_text(folder / "epoch.json", json.dumps({"epoch": asdict(info), "settings": asdict(settings)}, indent=2))

    # -- the epoch in training ----------------------------------------------------------------------------------

    def _checkpoint(self, slug: str) -> Path:
        return self.path / "checkpoints" / (re.sub(_ODD, "-", slug) or "-")

    def _checkpoints(self) -> list[Path]:
        return sorted(path.parent for path in (self.path / "checkpoints").glob("*/state.safetensors"))

    def save_checkpoint(
        self,
        info: EpochInfo,
        settings: TrainSettings,
        blocks: TokenBlocks,
        state: dict[str, Tensor],
        history: Iterable[TrainStep | HeldOut],
    ) -> None:
        """Keep an epoch in training, text blocks included, so that it can go on bit for bit."""
        folder = self._checkpoint(info.slug)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "blocks.safetensors").exists():
            write_tensors(
                folder / "blocks.safetensors", {"train": blocks.train_NT.int(), "held_out": blocks.held_out_NT.int()}
            )
        self._write_epoch_json(folder, replace(info, state="interrupted"), settings)
        write_text(folder / "history.jsonl", "".join(history_line(event) + "\n" for event in history))
        write_tensors(folder / "state.safetensors", state)

    def read_checkpoint(self, slug: str) -> tuple[EpochInfo, TrainSettings, TokenBlocks, dict[str, Tensor]]:
        """What :meth:`save_checkpoint` kept.

        Raises:
            TloraError: if it is damaged.
        """
        folder = self._checkpoint(slug)
        try:
            info, settings = _read_epoch_json(folder)
            blocks = load_file(folder / "blocks.safetensors")
            state = load_file(folder / "state.safetensors")
            info = replace(info, slug=slug)
            return info, settings, TokenBlocks(blocks["train"].long(), blocks["held_out"].long()), state
        except _DAMAGE as error:
            raise TloraError(
                f"The checkpoint of {slug} is damaged: {error}.", "Discard it and train the epoch again."
            ) from error

    def interrupted(self) -> list[EpochInfo]:
        """Epochs whose training can go on."""
        found = []
        for folder in self._checkpoints():
            try:
                found.append(replace(_read_epoch_json(folder)[0], slug=folder.name, state="interrupted"))
            except _DAMAGE:
                found.append(EpochInfo(folder.name, folder.name, "", "#8A919C", "broken", note="damaged checkpoint"))
        return found

    def drop_checkpoint(self, slug: str) -> None:
        """Remove an epoch's checkpoint, if there is one."""
        shutil.rmtree(self._checkpoint(slug), ignore_errors=True)

    # -- generations --------------------------------------------------------------------------------------------

    def keep_generation(self, record: GenerationRecord) -> None:
        """Append to the kept generations; a line that was cut off before stays alone."""
        with (self.path / "generations.jsonl").open("a+b") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 1))
            start = "" if file.read(1) in (b"", b"\n") else "\n"
            file.write(f"{start}{generation_line(record)}\n".encode())
            file.flush()
            os.fsync(file.fileno())

    def last_generation(self) -> GenerationRecord | None:
        """The latest kept generation that can be read."""
        try:
            text = (self.path / "generations.jsonl").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        for line in reversed(text.splitlines()):
            try:
                return read_generation_line(line)
            except _DAMAGE:
                continue
        return None


def _plain_name(name: Any) -> str:
    """A name out of an index, if it names something inside the project's own folders.

    Raises:
        ValueError: for anything that could lead out of them, since folders are moved and removed by these names.
    """
    if not isinstance(name, str) or name.startswith(".") or not name or set(name) & set("/\\:\0"):
        raise ValueError(f"{name!r} is no plain name")
    return name


def _candidates(base: str) -> Iterable[str]:
    yield base
    number = 2
    while True:
        yield f"{base}-{number}"
        number += 1


def _read_epoch_json(folder: Path) -> tuple[EpochInfo, TrainSettings]:
    data: dict[str, Any] = json.loads((folder / "epoch.json").read_text(encoding="utf-8"))
    epoch, settings = data["epoch"], data["settings"]
    epoch["corpus"] = tuple(epoch["corpus"])
    settings["sleep"] = SleepSettings(**settings["sleep"])
    return EpochInfo(**epoch), TrainSettings(**settings)


# -- writing whole or not at all --------------------------------------------------------------------------------


def write_text(path: Path, text: str) -> None:
    """Replace a file's text atomically and durably."""
    partial = path.with_name(f".{path.name}.partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial.write_text(text, encoding="utf-8")
    _sync(partial)
    partial.replace(path)


def write_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """Replace a safetensors file atomically and durably."""
    partial = path.with_name(f".{path.name}.partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, partial)
    _sync(partial)
    partial.replace(path)


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
