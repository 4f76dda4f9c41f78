"""A project on disk: one folder, safetensors and JSON only, so that opening a stranger's project runs no code.

    project.json              see :mod:`tlora_gui.engine.project_index`
    epochs/01-shakespeare/    a finished epoch each, see :mod:`tlora_gui.engine.epoch_folder`
    mixer/                    mixer-0001.safetensors … the last is current, the others teachers;
                              unprotected-<slug>.safetensors, which learned without Active Sleep
    checkpoints/<slug>/       the epoch in training
    deleted/                  epochs taken out of the mixture
    generations.jsonl         kept prompts, their tokens and weights

Every file is written whole or not at all; project.json comes last, so a crash leaves the project as it was.
"""

from __future__ import annotations

import re
import shutil
import unicodedata
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import chain, count
from pathlib import Path

from safetensors.torch import load_file

from tlora_gui.engine import epoch_folder
from tlora_gui.engine.checkpoints import Checkpoints, plain_folder
from tlora_gui.engine.config import BACKBONE_COLOUR, MIXER_MODE, TrainSettings
from tlora_gui.engine.epoch_folder import History
from tlora_gui.engine.errors import TloraError
from tlora_gui.engine.events import EpochInfo, HeldOut, TrainStep
from tlora_gui.engine.project_index import MixerFile, ProjectIndex
from tlora_gui.engine.project_lock import LOCK_FILE
from tlora_gui.engine.sharing.kept_generations import KeptGenerations
from tlora_gui.engine.storage import DAMAGE, first_line, write_tensors
from tlora_gui.temporal.model import TemporalLoRA
from tlora_gui.temporal.time_mixer import TimeMixer

INDEX = "project.json"
_LEFT_OVER = re.compile(r"\.lock|\..*\.partial")


def require_free(path: Path) -> None:
    """Refuse a place where something is. What an attempt leaves that was stopped does not count.

    Raises:
        TloraError: if it is no place for a new project.
    """
    try:
        free = path.is_dir() and all(_LEFT_OVER.fullmatch(entry.name) for entry in path.iterdir())
        if not free and path.exists():
            raise TloraError(f"{path} is not empty.", "Choose a new or empty folder for the project.")
    except OSError as error:
        raise _cannot_be_made(path, error) from error


def make_folder(path: Path) -> list[Path]:
    """Make a new project's folder, if it is not there and empty.

    Returns:
        the folders that were made, it and its parents, the deepest first.

    Raises:
        TloraError: if it is no place for a new project.
    """
    require_free(path)
    try:
        missing = [folder for folder in (path, *path.parents) if not folder.exists()]
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_be_made(path, error) from error
    return missing


def remove_folder(path: Path, made: list[Path]) -> None:
    """Take away an unused project, and the folders that were made for it as far as they are empty."""
    with suppress(OSError):
        for name in (INDEX, LOCK_FILE):
            (path / name).unlink(missing_ok=True)
        for folder in made:
            folder.rmdir()


def _cannot_be_made(path: Path, error: OSError) -> TloraError:
    return TloraError(f"{path} cannot be made: {error.strerror}.", "Choose a folder of yours.")


@dataclass(frozen=True, slots=True)
class RemovedEpoch:
    """An epoch taken out of a project, and the project's index as it was before."""

    slug: str
    before: ProjectIndex


@dataclass(slots=True)
class Project:
    """A project's folder, its index, and its kept generations. Methods that change the project write it."""

    path: Path
    index: ProjectIndex
    read_only: bool = False
    generations: KeptGenerations = field(init=False)

    def __post_init__(self) -> None:
        self.generations = KeptGenerations(self.path / "generations.jsonl")

    @classmethod
    def create(cls, path: Path, reference: str, name: str, fingerprint: str, model: TemporalLoRA) -> Project:
        """Make an empty project folder.

        Raises:
            TloraError: if the folder is not empty or cannot be written.
        """
        lora = replace(model.lora, mixer_layer=model.mixer_layer)
        project = cls(path, ProjectIndex(reference, name, fingerprint, lora, model.mixer.settings))
        make_folder(path)
        try:
            project.index.write(path / INDEX)
        except OSError as error:
            raise _cannot_be_made(path, error) from error
        return project

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False) -> Project:
        """A project that is there.

        Raises:
            TloraError: if it is not a project, is damaged, or was made by a newer version.
        """
        return cls(path, ProjectIndex.read(path / INDEX), read_only)

    def _commit(self, index: ProjectIndex) -> None:
        """Make this the index; if it cannot be written, the project stays what it was."""
        index.write(self.path / INDEX)
        self.index = index

    def move_backbone(self, reference: str, name: str) -> None:
        """Remember where the backbone is now."""
        self._commit(replace(self.index, backbone_reference=reference, backbone_name=name))

    def is_unused(self) -> bool:
        """Whether nothing has come into the project yet: no epoch, finished or interrupted, and no text."""
        return not (self.index.folders or self.checkpoints.slugs() or self.generations.path.exists())

    @property
    def checkpoints(self) -> Checkpoints:
        """The epochs in training."""
        return Checkpoints(self.path / "checkpoints")

    def interrupted(self) -> list[EpochInfo]:
        """Epochs whose training can go on. A crash can leave a finished one's checkpoint behind; it does not count."""
        return [self.checkpoints.info(slug) for slug in self.checkpoints.slugs() if slug not in self.index.folders]

    # -- epochs: on disk ----------------------------------------------------------------------------------------

    def folder(self, slug: str) -> Path:
        """Where an epoch is, finished or interrupted."""
        if slug in self.index.folders:
            return self.path / "epochs" / self.index.folders[slug]
        return self.checkpoints.folder(slug)

    def new_slug(self, name: str) -> str:
        """An identifier for an epoch of this name that none has or had: lower case ASCII, digits and hyphens."""
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
        base = re.sub(r"[^a-z0-9]+", "-", plain)[:48].strip("-") or "epoch"
        taken = {MIXER_MODE, *self.index.folders, *self.checkpoints.slugs()}
        taken.update(*(entry.slots for entry in (*self.index.mixers, *self.index.unprotected)))
        taken |= {path.name.partition("-")[2] for path in self._numbered()}
        return next(slug for slug in chain([base], (f"{base}-{n}" for n in count(2))) if slug not in taken)

    def _numbered(self) -> list[Path]:
        found = [path for part in ("epochs", "deleted") for path in (self.path / part).glob("[0-9]*-*")]
        return [path for path in found if path.name.partition("-")[0].isdecimal()]

    def add_epoch(
        self,
        info: EpochInfo,
        settings: TrainSettings,
        model: TemporalLoRA,
        history: History,
        unprotected: TimeMixer | None = None,
    ) -> None:
        """Store a finished epoch, the mixer as it is now, and the one that learned beside it without Active Sleep.

        Its checkpoint is dropped. If it fails, nothing of it stays.
        """
        numbers = [int(path.name.partition("-")[0]) for path in self._numbered()]
        folder = f"{max(numbers, default=0) + 1:02d}-{plain_folder(info.slug)}"
        partial, place = self.path / "epochs" / f".partial-{folder}", self.path / "epochs" / folder
        shutil.rmtree(partial, ignore_errors=True)
        try:
            epoch_folder.write_epoch(partial, info, settings, model, history)
            partial.rename(place)
            self._add_mixer(model, {**self.index.folders, info.slug: folder}, unprotected)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            shutil.rmtree(place, ignore_errors=True)
            raise
        self.checkpoints.drop(info.slug)

    def _add_mixer(self, model: TemporalLoRA, folders: dict[str, str], unprotected: TimeMixer | None = None) -> None:
        """Store the mixer as the current one, for these epochs' folders; earlier ones stay as teachers."""
        number = 1 + max((entry.number for entry in self.index.mixers), default=0)
        slots = tuple(model.slot_adapters)
        entry, beside = MixerFile(f"mixer-{number:04d}.safetensors", slots), self.index.unprotected
        write_tensors(self.mixer_path(entry), dict(model.mixer.state_dict()))
        if unprotected is not None:
            beside = (*beside, MixerFile(f"unprotected-{plain_folder(slots[-1])}.safetensors", slots))
            write_tensors(self.mixer_path(beside[-1]), dict(unprotected.state_dict()))
        self._commit(replace(self.index, folders=folders, mixers=(*self.index.mixers, entry), unprotected=beside))

    def edit_epoch(self, info: EpochInfo) -> None:
        """Store the new name, era or colour of an epoch, finished or interrupted."""
        folder = self.folder(info.slug)
        _, settings = epoch_folder.read_facts(folder)
        epoch_folder.write_facts(folder, info, settings)

    def remove_epoch(self, slug: str, model: TemporalLoRA) -> RemovedEpoch:
        """Take an epoch out; its folder moves to ``deleted/``. ``model`` has already let go of it.

        Returns:
            what :meth:`restore_epoch` takes to undo it.
        """
        removed, folder = RemovedEpoch(slug, self.index), self.index.folders[slug]
        self._add_mixer(model, {other: place for other, place in self.index.folders.items() if other != slug})
        (self.path / "deleted").mkdir(exist_ok=True)
        target = self.path / "deleted" / folder
        shutil.rmtree(target, ignore_errors=True)
        if (self.path / "epochs" / folder).exists():
            (self.path / "epochs" / folder).rename(target)
        return removed

    def restore_epoch(self, removed: RemovedEpoch) -> None:
        """Undo :meth:`remove_epoch`, or nothing: the folder moves back, the index becomes what it was."""
        folder = removed.before.folders[removed.slug]
        taken_out, place = self.path / "deleted" / folder, self.path / "epochs" / folder
        taken_out.rename(place)
        try:
            self._commit(removed.before)
        except BaseException:
            place.rename(taken_out)
            raise

    def read_epoch(self, slug: str) -> tuple[EpochInfo, TrainSettings]:
        """An epoch's facts and the settings it was trained with. Raises one of the usual reading errors."""
        return epoch_folder.read_facts(self.path / "epochs" / self.index.folders[slug])

    def read_history(self, slug: str) -> tuple[TrainStep | HeldOut, ...]:
        """Steps and measurements of an epoch, or of its checkpoint; a damaged line ends the reading."""
        return epoch_folder.read_history(self.folder(slug))

    def export_epoch(self, slug: str, target: Path) -> Path:
        """Copy the plain PEFT adapter to ``target/<slug>``.

        Raises:
            TloraError: if the epoch is not finished, or the folder exists or cannot be written.
        """
        if slug not in self.index.folders:
            raise TloraError("That epoch is not finished.", "Finish its training first.")
        folder = target / self.index.folders[slug].partition("-")[2]
        if folder.exists():
            raise TloraError(f"{folder} is already there.", "Choose another folder, or remove it first.")
        try:
            epoch_folder.copy_adapter(self.folder(slug), folder)
        except OSError as error:
            raise TloraError(f"{folder} cannot be written: {error.strerror}.", "Choose another folder.") from error
        return folder

    # -- epochs: in the model -----------------------------------------------------------------------------------

    def load_into(self, model: TemporalLoRA) -> list[EpochInfo]:
        """Give ``model`` this project's epochs, memories and mixer. A damaged epoch comes back as broken, with why.

        Raises:
            TloraError: if the current mixer cannot be read.
        """
        infos: list[EpochInfo] = []
        for slug, folder in self.index.folders.items():
            place = self.path / "epochs" / folder
            try:
                info = replace(epoch_folder.read_facts(place)[0], slug=slug, state="frozen")
                memory = epoch_folder.read_memory(place)
                model.load_adapter(slug, place, info.era)
                model.memories[slug] = memory
            except DAMAGE as error:
                name = folder.partition("-")[2]
                info = EpochInfo(slug, name, "", BACKBONE_COLOUR, "broken", note=first_line(error))
            infos.append(info)
        self._load_mixer(model)
        return infos

    def _load_mixer(self, model: TemporalLoRA) -> None:
        """Use the current mixer, without the slots of epochs that could not be loaded."""
        if not self.index.mixers:
            return
        entry = self.index.mixers[-1]
        mixer, slots = self.read_mixer(entry, model), list(entry.slots)
        for slug in entry.slots:
            if slug not in model.adapters:
                mixer.remove_slot(1 + slots.index(slug))
                slots.remove(slug)
        model.set_slots(slots, mixer)

    def mixer_path(self, entry: MixerFile) -> Path:
        """Where a mixer is stored."""
        return self.path / "mixer" / entry.file

    def read_mixer(self, entry: MixerFile, model: TemporalLoRA) -> TimeMixer:
        """A stored mixer over its own slots.

        Raises:
            TloraError: if it cannot be read.
        """
        mixer = TimeMixer(model.mixer.hidden_size, self.index.mixer, 1 + len(entry.slots))
        try:
            mixer.load_state_dict(load_file(self.mixer_path(entry)))
        except DAMAGE as error:
            raise TloraError(
                f"The Time Mixer in {self.mixer_path(entry)} is damaged.",
                "Nothing was changed; restore that file from a copy. The epochs are whole PEFT adapters.",
            ) from error
        return mixer
