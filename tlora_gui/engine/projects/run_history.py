"""Every training of a project, however it ended, so that two can be compared and one be done again.

    runs/0001-shakespeare/    the number grows, the rest is the epoch's slug
      run.json                how it was trained, on what and where, and how it ended
      history.jsonl           its steps, measurements and samples
    runs/deleted/             those that were taken out of the history, until the trash is emptied

A record is written when the training begins, about once a minute, and at its end. What is read may come from a
stranger. That a record cannot be written never ends a training.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path

import torch

import tlora_gui
from tlora_gui.engine.projects.checkpoints import plain_folder
from tlora_gui.engine.projects.epoch_folder import read_history, write_history
from tlora_gui.engine.projects.migration import FORMAT_VERSION, facts_of
from tlora_gui.engine.projects.records import check_run
from tlora_gui.engine.projects.trash import Thrown, put, take_back, thrown_in
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import BACKBONE_COLOUR, MAX_NAME, TrainSettings
from tlora_gui.engine.protocol.errors import Cancelled, TloraError, cause
from tlora_gui.engine.protocol.events import (
    BackboneInfo,
    EpochFinished,
    EpochInfo,
    HeldOut,
    Machine,
    Run,
    RunEnd,
    TrainingEvent,
    TrainStep,
    TrashItem,
)
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.protocol.streams import Stream
from tlora_gui.engine.storage.disk import (
    DAMAGE,
    first_line,
    read_json,
    remove_folder,
    rename,
    require_inside,
    sync_folder,
    unreadable,
    write_text,
)
from tlora_gui.engine.storage.typed_json import reader

MOST_RUNS = 200
WRITE_SECONDS = 60.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunHistory:
    """The runs in the folder ``root``; ``require_writable`` raises where nothing can be written. ``format`` is what the
    project is written in."""

    root: Path
    require_writable: Callable[[], None]
    format: int = FORMAT_VERSION

    def ids(self) -> list[str]:
        """Of all kept runs, the oldest first."""
        found = [path.name for path in self.root.glob("[0-9]*-*") if path.is_dir()]
        return sorted((name for name in found if name.partition("-")[0].isdecimal()), key=_number)

    def listed(self) -> tuple[Run, ...]:
        """All kept runs, the oldest first; one that cannot be read is "broken", with why."""
        return tuple(map(self._one, self.ids()))

    def _one(self, id: str) -> Run:
        try:
            return self._read(id)
        except DAMAGE as error:
            name, reason = (id.partition("-")[2] or id)[:MAX_NAME], first_line(error)
            epoch = EpochInfo(id, name, "", BACKBONE_COLOUR, "broken", note=reason)
            return Run(id, epoch, TrainSettings(), 0.0, ended="broken", reason=reason)

    def _read(self, id: str) -> Run:
        folder = self.root / id
        for path in (folder, *folder.iterdir()):
            require_inside(path, self.root)
        run: Run = reader(Run)(facts_of(read_json(folder / "run.json"), self.format))
        check_run(run)
        return replace(run, id=id)

    def load(self, id: str) -> tuple[Run, tuple[TrainingEvent, ...]]:
        """A run with its steps, measurements and samples.

        Raises:
            TloraError: if there is none of this id, or it cannot be read.
        """
        self._require_kept(id)
        try:
            return self._read(id), read_history(self.root / id)
        except DAMAGE as error:
            rest = say("The other runs are whole; delete this one from the list.")
            raise unreadable(self.root / id / "run.json", error, rest) from error

    def delete(self, id: str) -> None:
        """Take a run out of the history; it can come back until the trash is emptied.

        Raises:
            TloraError: if there is none of this id, it is in training, or its folder cannot be moved.
        """
        self._require_kept(id)
        if self._one(id).ended == "running":
            raise TloraError(say("This run is in training."), say("Stop the training first."))
        try:
            put(self.root / id, self._trash, id)
        except OSError as error:
            raise TloraError(
                say("{path} cannot be deleted: {reason}.", path=self.root / id, reason=cause(error)),
                say("Give access there, and try again."),
            ) from error

    def restore(self, id: str) -> None:
        """Undo :meth:`delete`.

        Raises:
            TloraError: if it is not in the trash, or its folder cannot be moved.
        """
        thrown = next((thrown for thrown in self.thrown() if thrown.id == id), None)
        if thrown is None:
            raise TloraError(say("This run is not in the trash."), say("Choose another one."))
        try:
            take_back(thrown.folder, self.root / thrown.folder.name)
        except OSError as error:
            raise TloraError(
                say("{path} cannot be restored: {reason}.", path=thrown.folder, reason=cause(error)),
                say("Give access there, and try again."),
            ) from error

    def thrown(self) -> list[Thrown]:
        """The folders of the deleted runs, the one deleted last first."""
        return thrown_in(self._trash)

    def trash(self) -> list[TrashItem]:
        """The deleted runs."""
        gone = RunHistory(self._trash, self.require_writable)
        return [
            TrashItem("run", thrown.id, gone._one(thrown.folder.name).epoch.name, thrown.deleted, thrown.size)
            for thrown in self.thrown()
        ]

    @property
    def _trash(self) -> Path:
        return self.root / "deleted"

    def _require_kept(self, id: str) -> None:
        if id not in self.ids():
            raise TloraError(say("This run is no longer in the history."), say("Choose another one."))

    # -- while training -----------------------------------------------------------------------------------------

    def record(
        self,
        run: Run,
        training: Stream,
        history: Sequence[TrainingEvent],
        cancel: CancelToken,
        *,
        goes_on: bool,
    ) -> Stream:
        """Pass a training on and keep what becomes of it.

        Args:
            run: what is known when it begins.
            training: its events.
            history: grows by its steps, measurements and samples while it goes on.
            cancel: says how it was ended, if it was.
            goes_on: it was interrupted, and its record is continued.
        """
        run = self._begun(run, history, goes_on)
        ended: RunEnd = "interrupted"
        reason, seconds, written_at = "", run.seconds, time.monotonic()
        try:
            with closing(training):
                while True:
                    begun = time.monotonic()
                    event = next(training, None)
                    seconds += time.monotonic() - begun  # a pause is the time until the next one is asked for
                    if event is None:
                        return
                    if isinstance(event, EpochFinished):
                        run = replace(run, epoch=event.epoch)
                        ended = "finished"
                    elif time.monotonic() - written_at > WRITE_SECONDS:
                        self._write(replace(run, seconds=seconds), history)
                        written_at = time.monotonic()
                    yield event
        except Cancelled:
            ended = "discarded" if cancel.mode == "discard" else "interrupted"
            raise
        except Exception as error:
            ended, reason = "failed", error.message if isinstance(error, TloraError) else first_line(error)
            raise
        finally:
            self._write(replace(run, seconds=seconds, ended=ended, reason=reason), history)

    def _begun(self, run: Run, history: Sequence[TrainingEvent], goes_on: bool) -> Run:
        """Make a record, or find the one to continue; the oldest go where there are too many."""
        try:
            earlier = self._latest(run.epoch.slug) if goes_on else None
            if earlier is not None:
                run = replace(run, id=earlier.id, started=earlier.started, seconds=earlier.seconds)
            else:
                self.require_writable()
                gone = [thrown.folder.name for thrown in self.thrown()]
                number = max(map(_number, [*self.ids(), *gone]), default=0) + 1
                run = replace(run, id=f"{number:04d}-{plain_folder(run.epoch.slug)}")
                self.root.mkdir(exist_ok=True)  # never the project's folder, which may be gone
                partial = self.root / f".partial-{run.id}"
                partial.mkdir()
                _fill(partial, run, history)
                sync_folder(partial)
                rename(partial, self.root / run.id)
                for old in self.ids()[:-MOST_RUNS]:
                    remove_folder(self.root / old)
        except (*DAMAGE, TloraError):
            logger.exception("the run of %s is not recorded", run.epoch.slug)
        return run

    def _write(self, run: Run, history: Sequence[TrainingEvent]) -> None:
        """Bring a record up to date, if it was begun and is still there."""
        try:
            self.require_writable()
            if (self.root / run.id / "run.json").exists():
                _fill(self.root / run.id, run, history)
        except (*DAMAGE, TloraError):
            logger.exception("the record of the run %s is not up to date", run.id)

    def _latest(self, slug: str) -> Run | None:
        """The latest run of an epoch that can have gone on."""
        found = (self._one(id) for id in reversed(self.ids()))
        return next((run for run in found if run.epoch.slug == slug and run.ended in _OPEN_ENDS), None)

    def discard(self, slug: str) -> None:
        """The interrupted training of an epoch will not go on."""
        if run := self._latest(slug):
            self._restate(replace(run, ended="discarded"))

    def interrupt(self) -> None:
        """No training runs: those that a crash ended are interrupted. Only who has the project's lock may."""
        for run in self.listed():
            if run.ended == "running":
                self._restate(replace(run, ended="interrupted"))

    def _restate(self, run: Run) -> None:
        try:
            _write_run(self.root / run.id, run)
        except OSError:
            logger.exception("the record of the run %s is not up to date", run.id)


_OPEN_ENDS = ("running", "interrupted", "failed")


def _number(id: str) -> int:
    return int(id.partition("-")[0])


def _fill(folder: Path, run: Run, history: Sequence[TrainingEvent]) -> None:
    """Write a run's files; how far it came is what the history says."""
    step = next((event for event in reversed(history) if isinstance(event, TrainStep)), None)
    measured = next((event for event in reversed(history) if isinstance(event, HeldOut)), None)
    if step is not None:
        run = replace(run, step=step.step, total_steps=step.total_steps)
        if run.ended == "finished" and step.step < step.total_steps:
            run = replace(run, ended="stopped")
    if measured is not None and run.epoch.held_out_loss is None:
        run = replace(run, epoch=replace(run.epoch, held_out_loss=measured.loss))
    write_history(folder, history)
    _write_run(folder, run)


def _write_run(folder: Path, run: Run) -> None:
    check_run(run)
    write_text(folder / "run.json", json.dumps(asdict(run), indent=2))


# -- what is known of a run when it begins --------------------------------------------------------------------------


def new_run(epoch: EpochInfo, settings: TrainSettings, backbone: BackboneInfo) -> Run:
    """A training that begins now, here, with the software that is running."""
    packages = ("torch", "transformers", "peft")
    return Run(
        id="",
        epoch=epoch,
        settings=settings,
        started=time.time(),
        backbone=backbone.name,
        machine=Machine(processor_name(), os.cpu_count() or 1, torch.get_num_threads(), backbone.device),
        versions=(("tlora-gui", tlora_gui.__version__), *((name, version(name)) for name in packages)),
    )


def processor_name() -> str:
    """The processor as its maker calls it, where the system says so; else its kind."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name" and value.strip():
                return value.strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
