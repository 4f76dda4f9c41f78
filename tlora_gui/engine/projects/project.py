"""A project on disk: one folder, safetensors and JSON only, so that opening a stranger's project runs no code.

    project.json              see :mod:`tlora_gui.engine.projects.project_index`
    epochs/01-shakespeare/    a finished epoch each, see :mod:`tlora_gui.engine.projects.epoch_folder`
    mixer/                    mixer-0001.safetensors … the last is current, the others teachers;
                              baseline-<slug>.safetensors, which learned without Active Sleep
    checkpoints/<slug>/       the epoch in training
    deleted/                  epochs taken out of the mixture, and broken ones that were trained again, until the trash
                              is emptied
    backup/format-1/          what was other before the project came to today's format
    generations.jsonl         kept prompts, their tokens and weights
    queue.json                the epochs that are still to be made
    runs/                     every training, see :mod:`tlora_gui.engine.projects.run_history`

Every file is written whole or not at all; project.json comes last, so a crash leaves the project as it was.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch

from tlora_gui.engine.projects import epoch_folder, model_card
from tlora_gui.engine.projects.adapter_folder import WEIGHTS_FILE, read_adapter
from tlora_gui.engine.projects.checkpoints import Checkpoints, plain_folder
from tlora_gui.engine.projects.epoch_folder import History
from tlora_gui.engine.projects.generation_store import GenerationStore
from tlora_gui.engine.projects.migration import BACKUP, INDEX
from tlora_gui.engine.projects.new_folder import cannot_be_made, make_folder
from tlora_gui.engine.projects.project_index import MixerFile, ProjectIndex
from tlora_gui.engine.projects.project_lock import is_locked
from tlora_gui.engine.projects.records import check_epoch
from tlora_gui.engine.projects.run_history import RunHistory
from tlora_gui.engine.projects.trash import Thrown, forget, put, remove, thrown_in
from tlora_gui.engine.protocol.config import BACKBONE_COLOUR, MAX_NAME, MIXER_MODE, STARTER, TrainSettings
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import EpochInfo, ProjectListed, TrainingEvent, TrashItem
from tlora_gui.engine.protocol.jobs import NewEpoch, TrainEpoch
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.storage.disk import (
    DAMAGE,
    first_line,
    is_path,
    patiently,
    read_json,
    read_tensors,
    remove_partials,
    rename,
    require_header,
    require_inside,
    require_utf8,
    sync_folder,
    unreadable,
    write_tensors,
    write_text,
)
from tlora_gui.engine.storage.typed_json import reader
from tlora_gui.paths import free_name, projects_dir
from tlora_gui.temporal.active_sleep import EpochMemory
from tlora_gui.temporal.config import require
from tlora_gui.temporal.model import TemporalLoRA
from tlora_gui.temporal.time_mixer import TimeMixer

QUEUE = "queue.json"
_PARTS = (INDEX, "epochs", "mixer", "checkpoints", "deleted", BACKUP, "generations.jsonl", "runs", QUEUE)
logger = logging.getLogger(__name__)


_LONGEST_NAME = 100
"""Letters of several epochs that name a folder together."""

_STARTER_REMARK = (
    "The base model was read from a GGUF file of 4 bits when this was trained, so its weights differ a little from "
    "those on the Hub."
)

RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
"""Names that Windows keeps for itself."""


@dataclass(slots=True)
class Project:
    """A project's folder, its index, and its kept generations. Methods that change the project write it.

    Attributes:
        mixer_damage: why the current mixer cannot be read, so that an earlier one is used; empty if it can.
        unlearned: epochs that the mixer in use does not know.
        without_memory: finished epochs whose own memory is damaged or was not sent along.
    """

    path: Path
    index: ProjectIndex
    read_only: bool = False
    generations: GenerationStore = field(init=False)
    mixer_damage: str = field(default="", init=False)
    unlearned: tuple[str, ...] = field(default=(), init=False)
    without_memory: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.generations = GenerationStore(
            self.path / "generations.jsonl", None if self.read_only else self.require_writable, self.index.format
        )

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
            raise cannot_be_made(path, error) from error
        return project

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False) -> Project:
        """A project that is there.

        Raises:
            TloraError: if it is not a project, is damaged, leads elsewhere, or was made by a newer version.
        """
        require_utf8(path)
        project = cls(path, ProjectIndex.read(path / INDEX), read_only)
        try:
            for name in _PARTS:
                require_inside(path / name, path)
        except (OSError, ValueError, RuntimeError) as error:
            raise TloraError(
                say("{name} cannot be used: {reason}.", name=path.name, reason=first_line(error)),
                say("Ask for a whole copy."),
            ) from error
        return project

    def listed(self) -> ProjectListed:
        """What is in it, as far as its files say without the backbone."""
        index = self.index
        return ProjectListed(
            path=str(self.path),
            name=self.path.name,
            backbone=index.backbone_name,
            reference=index.backbone_reference,
            strategy=index.mixer.strategy,
            epochs=tuple(self._epochs_at_work()),
            generations=self.generations.summaries(),
        )

    def _epochs_at_work(self) -> list[EpochInfo]:
        """The epochs; one that another session trains just now is in training, not interrupted."""
        epochs, trained = self.epochs(), self.checkpoints.training()
        if not trained or not is_locked(self.path):
            return epochs
        slugs, note = {info.slug for info in trained}, say("in training elsewhere; `tlora follow` looks on")
        others = [epoch for epoch in epochs if epoch.slug not in slugs]
        return [*others, *(replace(info, note=note) for info in trained if info.slug not in self.index.folders)]

    def mixer_problem(self) -> str:
        """Why the current Time Mixer cannot be read, as far as its file says without the backbone; else nothing."""
        if not self.index.mixers:
            return ""
        file = self.mixer_path(self.index.mixers[-1])
        try:
            require_inside(file, self.path)
            require_header(file)
        except DAMAGE as error:
            return say("The Time Mixer in {problem}", problem=unreadable(file, error, "").message)
        return ""

    def tidy(self) -> None:
        """Take away what a crash left half written. Only who has the project's lock may."""
        for part in ("epochs", "mixer", "checkpoints", "runs", "deleted"):
            remove_partials(self.path / part)
        for left in self.path.glob(".*.json*.partial"):
            left.unlink(missing_ok=True)
        self.runs.interrupt()
        for info in self.checkpoints.training():
            if info.slug not in self.checkpoints.slugs():
                self.checkpoints.drop(info.slug)

    def is_there(self) -> bool:
        """Whether this very project is still where it was opened."""
        try:
            return ProjectIndex.read(self.path / INDEX) == self.index
        except TloraError as error:  # what cannot be opened just now is reported by whoever needs it
            return isinstance(error.__cause__, OSError) and os.path.exists(self.path / INDEX)

    def require_writable(self) -> None:
        """Refuse to write where the project is not, or not any more.

        Raises:
            TloraError: if it may only be read, its folder is gone, or holds something else by now.
        """
        if self.read_only:
            raise TloraError(
                say("{name} can only be read here.", name=self.path.name),
                say("Copy its folder to where you may write, and open the copy."),
            )
        if not self.is_there():
            raise TloraError(
                say("Another project is in {path}.", path=self.path)
                if os.path.exists(self.path / INDEX)
                else say("The project's folder is no longer there: {path}.", path=self.path),
                say("Put it back under this name, or open it where it is now."),
            )

    def _commit(self, index: ProjectIndex) -> None:
        """Make this the index; if it cannot be written, the project stays what it was."""
        index.write(self.path / INDEX)
        self.index = index

    def move_backbone(self, reference: str, name: str) -> None:
        """Remember where the backbone is now."""
        self._commit(replace(self.index, backbone_reference=reference, backbone_name=name))

    def is_unused(self) -> bool:
        """Whether nothing has come into the project yet: no epoch, finished or interrupted, no run and no text, and
        nothing was deleted.
        """
        used = self.index.folders or self.checkpoints.slugs() or self.runs.ids() or self.trash()
        return not (used or self.generations.path.exists())

    @property
    def checkpoints(self) -> Checkpoints:
        """The epochs in training."""
        return Checkpoints(self.path / "checkpoints")

    @property
    def runs(self) -> RunHistory:
        """Every training that there has been."""
        return RunHistory(self.path / "runs", self.require_writable, self.index.format)

    def waiting(self) -> tuple[NewEpoch, ...]:
        """The epochs that were still to be made, next one first; none if nobody can read which."""
        try:
            found: tuple[NewEpoch, ...] = reader(tuple[NewEpoch, ...])(read_json(self.path / QUEUE))
            for job in found:
                colour = job.colour or BACKBONE_COLOUR
                check_epoch(EpochInfo(QUEUE, job.name, job.era, colour, "queued", corpus=job.paths))
            return found
        except FileNotFoundError:
            return ()
        except DAMAGE:
            logger.exception("the queue of %s cannot be read", self.path)
            return ()

    def keep_waiting(self, waiting: tuple[NewEpoch, ...]) -> None:
        """Keep which epochs are still to be made, next one first."""
        if waiting:
            write_text(self.path / QUEUE, json.dumps([asdict(job) for job in waiting], indent=2))
        else:
            (self.path / QUEUE).unlink(missing_ok=True)

    def interrupted(self) -> list[EpochInfo]:
        """Epochs whose training can go on. A crash can leave a finished one's checkpoint behind; it does not count."""
        return [self.checkpoints.info(slug) for slug in self.checkpoints.slugs() if slug not in self.index.folders]

    # -- epochs: on disk ----------------------------------------------------------------------------------------

    def epochs(self) -> list[EpochInfo]:
        """Finished, broken and interrupted epochs, as far as their facts say; what is heavy is not looked at."""
        infos: list[EpochInfo] = []
        for slug in self.index.folders:
            try:
                info = self._facts(slug)
                require_header(self.folder(slug) / WEIGHTS_FILE)
            except DAMAGE as error:
                infos.append(self._broken(slug, error))
                continue
            try:
                there = epoch_folder.has_memory(self.folder(slug))
                infos.append(info if there else _without_memory(info))
            except DAMAGE as error:
                infos.append(_without_memory(info, error))
        return [*infos, *self.interrupted()]

    def _facts(self, slug: str) -> EpochInfo:
        """What a finished epoch says of itself. Raises one of ``DAMAGE``."""
        return self._facts_in(self.folder(slug), slug)

    def _facts_in(self, folder: Path, slug: str) -> EpochInfo:
        for path in (folder, *folder.iterdir()):
            require_inside(path, self.path)
        return replace(epoch_folder.read_facts(folder, self.index.format)[0], slug=slug, state="frozen")

    def _broken(self, slug: str, error: BaseException) -> EpochInfo:
        folder = self.index.folders[slug]
        try:
            name = self._facts(slug).name
        except DAMAGE:
            name = (folder.partition("-")[2] or folder)[:MAX_NAME]
        return EpochInfo(slug, name, "", BACKBONE_COLOUR, "broken", note=first_line(error))

    def retraining(self, slug: str) -> TrainEpoch | None:
        """The training that makes a broken epoch again, if its facts still say of what and how."""
        try:
            info, (_, settings) = self._facts(slug), self.read_epoch(slug)
        except DAMAGE:
            return None
        if not info.corpus:
            return None
        return TrainEpoch(info.name, info.corpus, info.era, info.colour, settings, info.reading, replaces=slug)

    def folder(self, slug: str) -> Path:
        """Where an epoch is, finished or interrupted."""
        if slug in self.index.folders:
            return self.path / "epochs" / self.index.folders[slug]
        return self.checkpoints.folder(slug)

    def new_slug(self, name: str) -> str:
        """An identifier for an epoch of this name that none has or had: lower case ASCII, digits and hyphens."""
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
        base = re.sub(r"[^a-z0-9]+", "-", plain)[:48].strip("-") or "epoch"
        taken = {MIXER_MODE, *RESERVED, *self.index.folders, *self.checkpoints.slugs()}
        taken.update(*(entry.slots for entry in (*self.index.mixers, *self.index.baselines)))
        taken |= {path.name.partition("-")[2] for path in self._numbered()}
        return free_name(base, taken.__contains__, "-")

    def _numbered(self) -> list[Path]:
        found = [path for part in ("epochs", "deleted") for path in (self.path / part).glob("[0-9]*-*")]
        return [path for path in found if path.name.partition("-")[0].isdecimal()]

    def add_epoch(
        self,
        info: EpochInfo,
        settings: TrainSettings,
        model: TemporalLoRA,
        history: History,
        baseline: TimeMixer | None = None,
    ) -> None:
        """Store a finished epoch, the mixer as it is now, and the one that learned beside it without Active Sleep.

        Its checkpoint is dropped, and a broken epoch that it replaces goes to ``deleted/``. If it fails, nothing of it
        stays; but if the project is gone, the epoch is kept beside it, or where new projects go.

        Raises:
            TloraError: if the project is gone; it says where the epoch is.
            OSError: if it cannot be written.
        """
        try:
            self.require_writable()
        except TloraError as error:
            kept = self._rescue(info, settings, model, history)
            raise TloraError(
                error.message, say("{name} was kept as a PEFT adapter in {folder}.", name=info.name, folder=kept)
            ) from error
        numbers = [int(path.name.partition("-")[0]) for path in self._numbered()]
        folder = f"{max(numbers, default=0) + 1:02d}-{plain_folder(info.slug)}"
        partial, target = self.path / "epochs" / f".partial-{folder}", self.path / "epochs" / folder
        shutil.rmtree(partial, ignore_errors=True)
        try:
            patiently(lambda: partial.parent.mkdir(exist_ok=True))
            whole = replace(info, replaces="")
            epoch_folder.write_epoch(partial, whole, settings, model, history, self.index.backbone_name)
            sync_folder(partial)
            rename(partial, target)
            folders = {slug: kept for slug, kept in self.index.folders.items() if slug != info.replaces}
            broken = self.index.folders.get(info.replaces)
            self._add_mixer(model, {**folders, info.slug: folder}, baseline)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            shutil.rmtree(target, ignore_errors=True)
            raise
        if broken is not None:
            self._set_aside(info.replaces, broken)
        self.checkpoints.drop(info.slug)

    def _rescue(self, info: EpochInfo, settings: TrainSettings, model: TemporalLoRA, history: History) -> Path:
        """Keep a finished epoch outside of a project that is gone.

        Raises:
            OSError: if it can be written nowhere.
        """
        name = f"{self.path.name}-{plain_folder(info.slug)}-rescued"

        def write_into(parent: Path) -> Path:
            folder = parent / free_name(name, lambda name: (parent / name).exists(), "-")
            folder.mkdir()
            epoch_folder.write_epoch(folder, info, settings, model, history, self.index.backbone_name)
            return folder

        try:
            return write_into(self.path.parent)
        except OSError:
            projects_dir().mkdir(parents=True, exist_ok=True)
            return write_into(projects_dir())

    def _add_mixer(self, model: TemporalLoRA, folders: dict[str, str], baseline: TimeMixer | None = None) -> None:
        """Store the mixer as the current one, for these epochs' folders; earlier ones stay as teachers.

        Raises:
            TloraError: if the current one is damaged; what is used in its place would be taken for whole.
        """
        self.require_whole_mixer()
        number = 1 + max((entry.number for entry in self.index.mixers), default=0)
        slots = tuple(model.slot_adapters)
        entry, baselines = MixerFile(f"mixer-{number:04d}.safetensors", slots), self.index.baselines
        patiently(lambda: (self.path / "mixer").mkdir(exist_ok=True))
        write_tensors(self.mixer_path(entry), dict(model.mixer.state_dict()))
        if baseline is not None:
            baselines = (*baselines, MixerFile(f"baseline-{plain_folder(slots[-1])}.safetensors", slots))
            write_tensors(self.mixer_path(baselines[-1]), dict(baseline.state_dict()))
        lora, mixers = replace(self.index.lora, bare_router=model.lora.bare_router), (*self.index.mixers, entry)
        self._commit(replace(self.index, lora=lora, folders=folders, mixers=mixers, baselines=baselines))

    def require_whole_mixer(self) -> None:
        """Refuse to build on a mixer that stands in for a damaged one.

        Raises:
            TloraError: says which is damaged.
        """
        if self.mixer_damage:
            raise TloraError(
                self.mixer_damage, say("Restore the Time Mixer first: repair it in the window, or by `tlora repair`.")
            )

    def restore_mixer(self, model: TemporalLoRA) -> None:
        """Store the mixer, which knows all epochs again, as the current one in place of those that cannot be read."""
        self.require_writable()
        damage, self.mixer_damage = self.mixer_damage, ""
        try:
            self._add_mixer(model, self.index.folders)
            mixers = tuple(entry for entry in self.index.mixers if self._is_whole(entry, model))
            self._commit(replace(self.index, mixers=mixers))
        except BaseException:
            self.mixer_damage = damage
            raise
        self.unlearned = ()

    def _is_whole(self, entry: MixerFile, model: TemporalLoRA) -> bool:
        try:
            self.read_mixer(entry, model)
        except TloraError:
            return False
        return True

    def write_memory(self, slug: str, memory: EpochMemory) -> None:
        """Store what a finished epoch leaves for later sleep, in place of what is missing or damaged."""
        self.require_writable()
        epoch_folder.write_memory(self.folder(slug), memory)
        self.without_memory.discard(slug)

    def edit_epoch(self, info: EpochInfo) -> None:
        """Store the new name, era or colour of an epoch, finished or interrupted."""
        self.require_writable()
        folder = self.folder(info.slug)
        stored, settings = epoch_folder.read_facts(folder)
        epoch_folder.write_facts(folder, replace(info, state=stored.state, note=stored.note), settings)

    def remove_epoch(self, slug: str, model: TemporalLoRA) -> None:
        """Take an epoch out; its folder goes to the trash if it can. ``model`` has already let go of it."""
        self.require_writable()
        folder = self.index.folders[slug]
        self._add_mixer(model, {other: kept for other, kept in self.index.folders.items() if other != slug})
        self._set_aside(slug, folder)

    def _set_aside(self, slug: str, folder: str) -> None:
        with suppress(OSError):  # it is out of the project wherever its folder is
            put(self.path / "epochs" / folder, self.path / "deleted", slug)

    def read_epoch(self, slug: str) -> tuple[EpochInfo, TrainSettings]:
        """An epoch's facts and the settings it was trained with. Raises one of the usual reading errors."""
        return epoch_folder.read_facts(self.path / "epochs" / self.index.folders[slug], self.index.format)

    def read_history(self, slug: str) -> tuple[TrainingEvent, ...]:
        """Steps, measurements and samples of an epoch, or of its checkpoint; a damaged line ends the reading."""
        return epoch_folder.read_history(self.folder(slug))

    def export_epoch(self, slug: str, target: Path, base: str = "") -> Path:
        """Copy the plain PEFT adapter to ``target/<slug>``, with a model card.

        Args:
            slug: of a finished epoch.
            target: a folder, made if it is not there.
            base: what others load the backbone from, if the project's reference is no such thing.

        Raises:
            TloraError: if the epoch is not finished, or the folder exists or cannot be written.
        """
        folder, index = self.require_exportable([slug], target), self.index
        base = base or (index.backbone_reference if is_path(index.backbone_reference) else index.backbone_name)
        try:
            epoch_folder.copy_adapter(self.folder(slug), folder, base, self.card("adapter", {slug: 1.0}, base))
        except DAMAGE as error:
            raise TloraError(
                say("{path} cannot be written: {reason}.", path=folder, reason=first_line(error)),
                say("Choose another folder."),
            ) from error
        return folder

    def card(self, kind: model_card.Kind, weights: Mapping[str, float], base: str, *remarks: str) -> str:
        """The model card of an export of these epochs; one whose facts cannot be read is named only."""
        parts, names = [], []
        for slug, weight in weights.items():
            try:
                info, settings = self.read_epoch(slug)
                parts.append((info, settings, weight))
                names.append(info.name)
            except DAMAGE:  # a broken epoch's adapter may be whole
                names.append(slug)
        if self.index.backbone_reference == STARTER:
            remarks = (*remarks, _STARTER_REMARK)
        return model_card.model_card(kind, " + ".join(names), parts, base, self.index.fingerprint, remarks)

    def require_exportable(
        self, slugs: Sequence[str], target: Path, ending: str = "", *, overwrite: bool = False
    ) -> Path:
        """Where an export of these epochs goes: the file ``target`` if it ends in .gguf, else a new folder in it, named
        by them and ``ending``.

        Raises:
            TloraError: if one is not finished, or something is there; a file may be, with ``overwrite``.
        """
        if not set(slugs) <= self.index.folders.keys():
            raise TloraError(say("That epoch is not finished."), say("Finish its training first."))
        if target.suffix.lower() != ".gguf":
            names = "-".join(self.index.folders[slug].partition("-")[2] for slug in slugs)
            target = target / (names[:_LONGEST_NAME] + ending)
        if target.exists() and not (overwrite and target.is_file()):
            raise TloraError(
                say("{folder} is already there.", folder=target), say("Choose another folder, or remove it first.")
            )
        return target

    # -- the trash ----------------------------------------------------------------------------------------------

    def trash(self) -> tuple[TrashItem, ...]:
        """Deleted epochs, texts and runs, the one deleted last first."""
        epochs = (
            TrashItem("epoch", thrown.id, self._thrown_name(thrown), thrown.deleted, thrown.size)
            for thrown in self.thrown_epochs()
        )
        return tuple(
            sorted(
                (*epochs, *self.generations.trash(), *self.runs.trash()), key=lambda item: item.deleted, reverse=True
            )
        )

    def thrown_epochs(self) -> list[Thrown]:
        """Folders of epochs that the index does not name: deleted ones, and those that a crash kept in their place."""
        kept = {self.path / "epochs" / folder for folder in self.index.folders.values()}
        left = [thrown for thrown in thrown_in(self.path / "epochs") if thrown.folder not in kept]
        return [*thrown_in(self.path / "deleted"), *left]

    def _thrown_name(self, thrown: Thrown) -> str:
        try:
            return self._facts_in(thrown.folder, thrown.id).name
        except DAMAGE:
            return thrown.id[:MAX_NAME]

    def empty_trash(self) -> None:
        """Take everything that was deleted away for good, as much as can be.

        Raises:
            TloraError: if something stays.
        """
        self.require_writable()
        stays: list[OSError] = []
        for thrown in (*self.thrown_epochs(), *self.runs.thrown()):
            try:
                remove(thrown)
            except OSError as error:
                stays.append(error)
        try:
            self.generations.empty_trash()
        except OSError as error:
            stays.append(error)
        if stays:
            raise TloraError(
                say("Not everything in the trash can be removed: {reason}.", reason=first_line(stays[0])),
                say("Give access there, and try again."),
            ) from stays[0]

    def thrown_epoch(self, slug: str) -> Thrown:
        """A deleted epoch, with its facts at least.

        Raises:
            TloraError: if it is not in the trash, or leads out of the project.
        """
        thrown = next((thrown for thrown in self.thrown_epochs() if thrown.id == slug), None)
        if thrown is None:
            raise TloraError(say("This epoch is not in the trash."), say("Choose another one."))
        try:
            for path in (thrown.folder, *thrown.folder.iterdir()):
                require_inside(path, self.path)
        except (OSError, ValueError) as error:
            raise unreadable(thrown.folder, error, say("It stays in the trash.")) from error
        return thrown

    def restore_epoch(self, thrown: Thrown, model: TemporalLoRA) -> bool:
        """Undo :meth:`remove_epoch` on disk, if nothing was learned since: the mixers become what they were.

        Returns:
            whether it did; else the mixer has to learn the epoch's slot anew, see :meth:`add_again`.
        """
        self.require_writable()
        mixers = self._mixers_with(thrown.id, model)
        if mixers is None:
            return False
        behind = mixers[-1].slots[mixers[-1].slots.index(thrown.id) :]
        before = [(slug, folder) for slug, folder in self.index.folders.items() if slug not in behind]
        after = [(slug, folder) for slug, folder in self.index.folders.items() if slug in behind]
        with self._moved_back(thrown.folder) as folder:
            self._commit(replace(self.index, folders=dict([*before, (thrown.id, folder.name), *after]), mixers=mixers))
        return True

    def _mixers_with(self, slug: str, model: TemporalLoRA) -> tuple[MixerFile, ...] | None:
        """The stored mixers up to one that has a slot for a deleted epoch and without it is the current one."""
        mixers = self.index.mixers
        places = (n for n in reversed(range(len(mixers))) if {slug, *mixers[-1].slots} <= {*mixers[n].slots})
        place = next(places, None)
        if place is None:
            return None
        entry, now = mixers[place], mixers[-1].slots
        try:
            then, current = _over(self.read_mixer(entry, model), entry.slots, now), self.read_mixer(mixers[-1], model)
        except TloraError:
            return None
        kept = tuple(other for other in entry.slots if other == slug or other in self.index.folders)
        if [other for other in entry.slots if other in now] != [*now] or not _same(then, current):
            return None
        if kept == entry.slots:
            return mixers[: place + 1]
        again = MixerFile(f"mixer-{1 + max(each.number for each in mixers):04d}.safetensors", kept)
        mixer = _over(self.read_mixer(entry, model), entry.slots, kept)
        write_tensors(self.mixer_path(again), dict(mixer.state_dict()))
        return (*mixers[: place + 1], again)

    def add_again(self, thrown: Thrown, info: EpochInfo, settings: TrainSettings, model: TemporalLoRA) -> None:
        """Take a deleted epoch back for which the model's mixer has learned a slot, the last one."""
        self.require_writable()
        with self._moved_back(thrown.folder) as folder:
            epoch_folder.write_facts(folder, info, settings)
            self._add_mixer(model, {**self.index.folders, info.slug: folder.name})

    @contextmanager
    def _moved_back(self, folder: Path) -> Iterator[Path]:
        """Have a deleted epoch's folder among the others; it goes back if what is done then fails."""
        target = self.path / "epochs" / folder.name
        moved = folder != target
        if moved:
            target.parent.mkdir(exist_ok=True)
            rename(folder, target)
        try:
            yield target
        except BaseException:
            if moved:
                rename(target, folder)
            raise
        forget(target)

    # -- epochs: in the model -----------------------------------------------------------------------------------

    def load_into(self, model: TemporalLoRA) -> list[EpochInfo]:
        """Give ``model`` this project's epochs, memories and mixer. A damaged epoch comes back as broken, with why; one
        whose memory alone is missing or damaged speaks, and its note tells."""
        infos: list[EpochInfo] = []
        for slug in self.index.folders:
            try:
                info, folder = self._facts(slug), self.folder(slug)
                model.add_adapter(slug, info.era, trained=read_adapter(model, folder))
            except DAMAGE as error:
                infos.append(self._broken(slug, error))
                continue
            damage: BaseException | None = None
            try:
                memory = epoch_folder.read_memory(folder, model, self.index.format)
            except DAMAGE as error:
                memory, damage = None, error
            self.without_memory.discard(slug)
            if memory is not None:
                model.memories[slug] = memory
            else:
                self.without_memory.add(slug)
                info = _without_memory(info, damage)
            infos.append(info)
        self._load_mixer(model)
        return infos

    def _load_mixer(self, model: TemporalLoRA) -> None:
        """Use the latest mixer that can be read, without the slots of epochs that could not be loaded. If that is not
        the current one, epochs that it does not know get slots, which have hardly any weight."""
        self.mixer_damage, self.unlearned = "", ()
        if not self.index.mixers:
            return
        mixer, known = TimeMixer(model.mixer.hidden_size, self.index.mixer), list[str]()
        for entry in reversed(self.index.mixers):
            try:
                mixer, known = self.read_mixer(entry, model), list(entry.slots)
                break
            except TloraError as error:
                self.mixer_damage = self.mixer_damage or error.message
        kept = [slug for slug in known if slug in model.adapters]
        mixer = _over(mixer, known, kept)
        if self.mixer_damage:
            self.unlearned = tuple(slug for slug in model.adapters if slug not in kept)
            for _ in self.unlearned:
                mixer.add_slot()
        model.set_slots([*kept, *self.unlearned], mixer)

    def mixer_path(self, entry: MixerFile) -> Path:
        """Where a mixer is stored."""
        return self.path / "mixer" / entry.file

    def read_mixer(self, entry: MixerFile, model: TemporalLoRA) -> TimeMixer:
        """A stored mixer over its own slots.

        Raises:
            TloraError: if it cannot be read.
        """
        mixer = TimeMixer(model.mixer.hidden_size, self.index.mixer, 1 + len(entry.slots))
        file = self.mixer_path(entry)
        try:
            require_inside(file, self.path)
            mixer.load_state_dict(read_tensors(file))
            require(
                all(bool(tensor.isfinite().all()) for tensor in mixer.state_dict().values()), say("it is not finite")
            )
        except DAMAGE as error:
            rest = say("Nothing was changed; restore that file from a copy. The epochs are whole PEFT adapters.")
            problem = unreadable(file, error, rest)
            raise TloraError(say("The Time Mixer in {problem}", problem=problem.message), problem.hint) from error
        return mixer


def _over(mixer: TimeMixer, slots: Sequence[str], kept: Sequence[str]) -> TimeMixer:
    """A mixer over ``slots`` without those that are not kept."""
    for slot in reversed(range(len(slots))):
        if slots[slot] not in kept:
            mixer.remove_slot(1 + slot)
    return mixer


def _without_memory(info: EpochInfo, error: BaseException | None = None) -> EpochInfo:
    """The same, its note telling that it leaves no memory, and why."""
    reason = say("it was left out when the project was sent") if error is None else first_line(error)
    remark = say("its memory is not there, so later sleep rests on its dreams: {error}", error=reason)
    return replace(info, note=say("{note}; {other}", note=info.note, other=remark) if info.note else remark)


def _same(one: TimeMixer, other: TimeMixer) -> bool:
    """Whether two mixers are, bit for bit."""
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(mine, yours) for mine, yours in pairs)
