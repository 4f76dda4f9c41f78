"""The real window before an engine that plays what the test says: jobs end when they are let go."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import BACKBONE_COLOUR, MixingDesk
from tlora_gui.engine.protocol.events import BackboneInfo, EpochInfo, Progress, ProjectInfo, ProjectOpened, StreamEvent
from tlora_gui.engine.protocol.texts import Generation, SlotInfo

Play = Callable[[jobs.Job, CancelToken], Iterator[StreamEvent]]


def slots_of(epochs: tuple[EpochInfo, ...]) -> tuple[SlotInfo, ...]:
    """The slots of a mixture of these epochs, the backbone's first."""
    return (SlotInfo("", "Eternity", BACKBONE_COLOUR), *(SlotInfo(e.slug, e.name, e.colour) for e in epochs))


def project_info(path: str, epochs: tuple[EpochInfo, ...] = (), shown: Generation | None = None) -> ProjectInfo:
    """A project as the engine tells of it."""
    backbone = BackboneInfo("tiny", "tiny", 100_000, "cpu", "float32", 256, 4, 1)
    return ProjectInfo(path, Path(path).name, backbone, "gating", epochs, slots_of(epochs), (), shown)


class Stage:
    """A session. Without a play of its own a project opens at once, and every other job ends at once.

    Attributes:
        plays: by kind of job.
        ran, ended: jobs that began, and that came to their end without being cancelled.
        cancelled: jobs that were told to end, with the mode.
    """

    def __init__(self) -> None:
        self.plays: dict[type, Play] = {}
        self.ran: list[jobs.Job] = []
        self.ended: list[jobs.Job] = []
        self.cancelled: list[tuple[jobs.Job, str]] = []
        self.desks: list[MixingDesk] = []

    def run(self, job: jobs.Job, cancel: CancelToken) -> Iterator[StreamEvent]:
        self.ran.append(job)
        if (play := self.plays.get(type(job))) is not None:
            yield from play(job, cancel)
        elif isinstance(job, jobs.CreateProject | jobs.OpenProject):
            yield ProjectOpened(project_info(job.path))
        if cancel.mode is None:
            self.ended.append(job)

    def set_desk(self, desk: MixingDesk) -> None:
        self.desks.append(desk)

    def close(self) -> None:
        """Nothing is open."""

    def until(self, gate: threading.Event, *told: StreamEvent) -> Play:
        """A play that tells something and goes on until the gate is open, or it is cancelled."""

        def play(job: jobs.Job, cancel: CancelToken) -> Iterator[StreamEvent]:
            yield from told
            while not gate.is_set():
                if cancel.mode is not None:
                    self.cancelled.append((job, cancel.mode))
                    cancel.raise_if_cancelled()
                gate.wait(0.002)
                yield Progress("at it")

        return play

    def of(self, kind: type) -> list[jobs.Job]:
        """Jobs of a kind that began."""
        return [job for job in self.ran if isinstance(job, kind)]
