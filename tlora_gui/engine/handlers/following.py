"""Handler of FollowProject: what another window or command does with a project, as its files tell it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tlora_gui.engine.projects.epoch_folder import HISTORY_FILE
from tlora_gui.engine.projects.project import Project
from tlora_gui.engine.projects.project_lock import is_locked
from tlora_gui.engine.projects.records import read_history_line
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import BACKBONE_COLOUR, BACKBONE_SLOT
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import (
    BackboneInfo,
    EpochFinished,
    EpochInfo,
    EpochsChanged,
    Progress,
    ProjectInfo,
    ProjectOpened,
    TrainingEvent,
    TrainStarted,
    TrainStep,
)
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.protocol.streams import Stream
from tlora_gui.engine.protocol.texts import SlotInfo
from tlora_gui.engine.storage.disk import DAMAGE

LOOK_S = 0.5
"""Seconds between two looks at the files."""


def follow(path: Path, cancel: CancelToken) -> Stream:
    """Tell what others do with a project until they let go of it. No backbone is loaded.

    Raises:
        TloraError: if it is no project, or nobody else has it open.
        Cancelled: once the token is set.
    """
    project = Project.open(path, read_only=True)
    if not is_locked(path):
        raise TloraError(say("Nobody else has {name} open.", name=path.name), say("Open it here."))
    follower = _Follower(path)
    yield ProjectOpened(_info(project, follower.epochs))
    locked = True
    while locked:
        cancel.raise_if_cancelled()
        locked = is_locked(path)  # asked first, so that the last look sees all that they did
        yield from follower.news(locked)
        yield Progress(say("Following {name}", name=path.name))
        time.sleep(LOOK_S if locked else 0)


@dataclass(slots=True)
class _GrowingFile:
    """A history that others write.

    Attributes:
        events: all that was read of it.
        begun: whether they were told of.
    """

    path: Path
    events: list[TrainingEvent] = field(default_factory=list)
    begun: bool = False
    _read_to: int = 0

    def read_on(self) -> list[TrainingEvent]:
        """What is new. A file that has become shorter is that of a training that went on from a checkpoint: it is read
        from its beginning."""
        new: list[TrainingEvent] = []
        with suppress(OSError), self.path.open("rb") as file:
            if file.seek(0, 2) < self._read_to:
                self.events, self.begun, self._read_to = [], False, 0
            file.seek(self._read_to)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._read_to += len(line)
                with suppress(*DAMAGE):
                    new.append(read_history_line(line.decode()))
        self.events += new
        return new


class _Follower:
    """Knows what was told of a project."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files: dict[str, _GrowingFile] = {}
        self.epochs = self._look(locked=True)[1]

    def _look(self, locked: bool) -> tuple[Project, tuple[EpochInfo, ...]]:
        """The project, and its epochs; none is in training if nobody has it open."""
        while True:
            project = Project.open(self._path, read_only=True)
            training = {info.slug: info for info in project.checkpoints.training() if locked}
            epochs = [training.pop(epoch.slug, epoch) for epoch in project.epochs()]
            epochs += [info for slug, info in training.items() if slug not in project.index.folders]
            if project.is_there():  # else an epoch was stored meanwhile
                return project, tuple(epochs)

    def news(self, locked: bool) -> Stream:
        """What has happened since it was told last."""
        project, epochs = self._look(locked)
        now, before = {epoch.slug: epoch for epoch in epochs}, self.epochs
        self.epochs = epochs
        for slug in [slug for slug in self._files if slug not in now or now[slug].state != "training"]:
            file = self._files.pop(slug)
            if slug in project.index.folders:
                file.path = project.folder(slug) / HISTORY_FILE
                yield from _progress(now[slug], file)
                yield EpochFinished(now[slug])
        if epochs != before:
            yield EpochsChanged(epochs, _slots(epochs))
        for epoch in epochs:
            if epoch.state == "training":
                path = project.folder(epoch.slug) / HISTORY_FILE
                yield from _progress(epoch, self._files.setdefault(epoch.slug, _GrowingFile(path)))


def _progress(epoch: EpochInfo, file: _GrowingFile) -> Iterator[TrainStarted | TrainingEvent]:
    """Steps and measurements that are new; the first step tells how many there will be."""
    new = file.read_on()
    if not file.begun:
        steps = next((event.total_steps for event in file.events if isinstance(event, TrainStep)), None)
        if steps is None:
            return
        file.begun, new = True, file.events
        yield TrainStarted(epoch, steps, 0)
    yield from new


def _slots(epochs: tuple[EpochInfo, ...]) -> tuple[SlotInfo, ...]:
    mixed = (epoch for epoch in epochs if epoch.state in ("frozen", "training"))
    named = (SlotInfo(epoch.slug, epoch.name, epoch.colour) for epoch in mixed)
    return (SlotInfo("", BACKBONE_SLOT, BACKBONE_COLOUR), *named)


def _info(project: Project, epochs: tuple[EpochInfo, ...]) -> ProjectInfo:
    """The project without what only its backbone could tell, and without what is told as it happens."""
    index = project.index
    name = index.backbone_name.rpartition("/")[2]
    return ProjectInfo(
        path=str(project.path),
        name=project.path.name,
        backbone=BackboneInfo(name, index.backbone_reference, 0, "", "", 0, 0, 0),
        strategy=index.mixer.strategy,
        epochs=epochs,
        slots=_slots(epochs),
        history=tuple((each.slug, project.read_history(each.slug)) for each in epochs if each.state != "training"),
        generation=project.generations.last(),
    )
