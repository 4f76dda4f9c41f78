"""A verb at work: what was typed, the session that does it, and what is known of the project meanwhile."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from tlora_gui.engine.handlers import runs
from tlora_gui.engine.handlers.exporting import ExportJob, require_exportable
from tlora_gui.engine.projects.epoch_folder import read_facts
from tlora_gui.engine.projects.epoch_list import EpochList
from tlora_gui.engine.projects.new_folder import is_free
from tlora_gui.engine.projects.project import Project
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import LoraSettings, MixerSettings, TrainSettings
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import (
    EpochInfo,
    EpochsChanged,
    ProjectListed,
    ProjectOpened,
    RunLoaded,
    RunsListed,
    StreamEvent,
    TrashListed,
    Warned,
)
from tlora_gui.engine.session import Session
from tlora_gui.engine.sharing.export_target import export_kind
from tlora_gui.engine.storage.disk import absolute


class Command:
    """What the verbs share.

    Attributes:
        options: as they were typed.
        epochs: the project's, as far as they are known by now.
    """

    def __init__(self, options: Namespace) -> None:
        self.options = options
        self.session = Session()
        self.cancel = CancelToken()
        self.epochs = EpochList()

    def run(self, job: jobs.Job) -> Iterator[StreamEvent]:
        """Have the session do a job, and learn from what it answers."""
        for event in self.session.run(job, self.cancel):
            if isinstance(event, ProjectOpened):
                self.epochs = EpochList(event.project.epochs)
            elif isinstance(event, EpochsChanged):
                self.epochs = EpochList(event.epochs)
            yield event

    def open(self) -> Iterator[StreamEvent]:
        """Open the project, with its backbone; a Time Mixer that stands in for a damaged one is told."""
        yield from self.run(jobs.OpenProject(str(self.options.project), self.options.backbone))
        if self.options.verb != "repair":
            broken = (
                repair.reason for repair in self.session.info().repairs if isinstance(repair.job, jobs.RepairMixer)
            )
            yield from (Warned(reason, self._mend) for reason in broken)

    def mixer_problem(self) -> Iterator[StreamEvent]:
        """What there is to say of the Time Mixer before anything is loaded."""
        if problem := self._project().mixer_problem():
            yield Warned(problem, self._mend)

    @property
    def _mend(self) -> str:
        return f"Mend it with `tlora repair {self.options.project}`."

    # -- known before anything is loaded ------------------------------------------------------------------------

    def project_is_new(self) -> bool:
        """Whether there is no project yet, and one can be made. Raises TloraError if the place cannot be looked at."""
        return is_free(absolute(self.options.project))

    def listed(self) -> ProjectListed:
        """The project as its files say.

        Raises:
            TloraError: if it is no project.
        """
        project = self._project().listed()
        self.epochs = EpochList(project.epochs)
        return project

    def lora(self) -> LoraSettings:
        """Where the project's epochs lie and its Time Mixer reads. Raises TloraError if it is no project."""
        return self._project().index.lora

    def mixer(self) -> MixerSettings:
        """How the project's Time Mixer is made. Raises TloraError if it is no project."""
        return self._project().index.mixer

    def find_epoch(self, word: str | None = None) -> EpochInfo:
        """The stored epoch of that name or id, or of the one that was typed.

        Raises:
            TloraError: if there is none, or several.
        """
        self.listed()
        return self.epochs.find(self.options.epoch if word is None else word)

    def find_run(self, word: str) -> str:
        """The id of the kept run with that number or id.

        Raises:
            TloraError: if there is none.
        """
        ids = self._project().runs.ids()
        found = [id for id in ids if word == id or (word.isdecimal() and int(word) == int(id.partition("-")[0]))]
        if not found:
            raise TloraError(f"There is no run {word}.", f"See them with `tlora runs {self.options.project}`.")
        return found[0]

    def told_of_runs(self, job: jobs.ListRuns | jobs.LoadRun) -> RunsListed | RunLoaded:
        """What the project's files say of its trainings. Raises TloraError if one cannot be read."""
        self.listed()  # its epochs have names
        return runs.do(self._project().runs, job)

    def trash(self) -> TrashListed:
        """What the project's files say of what was deleted."""
        return TrashListed(self._project().trash())

    def is_checkpoint(self, epoch: EpochInfo) -> bool:
        """Whether it is one in training, which may be damaged."""
        return epoch.slug in self._project().checkpoints.slugs()

    def settings_of(self, epoch: EpochInfo) -> TrainSettings:
        """What a stored epoch was begun with. Raises one of the usual reading errors."""
        project = self._project()
        return read_facts(project.folder(epoch.slug), project.index.format)[1]

    def text_target(self, path: str) -> Path:
        """Where a text goes.

        Raises:
            TloraError: if it is no kind of file for one, cannot be written there, or is there and may not be replaced.
        """
        target = absolute(path)
        export_kind(target)
        if target.exists() and not self.options.overwrite:
            raise TloraError(f"{target} is already there.", "Choose another name, or add --overwrite.")
        return target

    def require_exportable(self, job: ExportJob) -> None:
        """Refuse an export that would be, as far as that is known without the backbone.

        Raises:
            TloraError: see :func:`~tlora_gui.engine.handlers.exporting.require_exportable`.
        """
        require_exportable(self._project(), job, self.options.backbone)

    def _project(self) -> Project:
        return Project.open(absolute(self.options.project))

    # -- how it stands when it was stopped ----------------------------------------------------------------------

    def left(self) -> str:
        """How to go on with what was stopped, if anything is left of it."""
        interrupted = [epoch for epoch in self.epochs if epoch.state == "interrupted"]
        if self.options.verb not in ("train", "resume", "repair") or not interrupted:
            return ""
        return f"; go on with `tlora resume {self.options.project} {interrupted[-1].slug}`"
