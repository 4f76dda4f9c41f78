"""A session that plays given generators, a gate that holds its steps, and an ear for what the client tells."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import MixingDesk
from tlora_gui.engine.protocol.errors import Cancelled
from tlora_gui.engine.protocol.events import EndEvent, Event, Progress, StreamEvent
from tlora_gui.worker.engine_client import EngineClient

WaitUntil = Callable[..., None]
Play = Callable[[CancelToken], Iterator[StreamEvent]]


def long_job(name: str = "long") -> jobs.TrainEpoch:
    """A job of the lane that waits its turn."""
    return jobs.TrainEpoch(name, ())


def quick_job(name: str = "quick") -> jobs.Generate:
    """A job of the lane that goes ahead."""
    return jobs.Generate(name)


class Script:
    """Plays for each job the generator named for it; remembers which jobs ran, and in which threads."""

    def __init__(self, plays: dict[jobs.Job, Play]) -> None:
        self.plays = plays
        self.ran: list[jobs.Job] = []
        self.desks: list[MixingDesk] = []
        self.made_in = threading.get_ident()
        self.ran_in: set[int] = set()
        self.closed_in: list[int] = []

    def run(self, job: jobs.Job, cancel: CancelToken) -> Iterator[StreamEvent]:
        self.ran.append(job)
        self.ran_in.add(threading.get_ident())
        yield from self.plays[job](cancel)

    def set_desk(self, desk: MixingDesk) -> None:
        self.desks.append(desk)
        self.ran_in.add(threading.get_ident())

    def close(self) -> None:
        self.closed_in.append(threading.get_ident())


def steps(label: str, count: int) -> Play:
    """A play of ``count`` items, numbered from 1."""

    def play(cancel: CancelToken) -> Iterator[StreamEvent]:
        for number in range(1, count + 1):
            yield Progress(label, number)

    return play


class Gate:
    """Holds the worker inside an item until the test lets it go on."""

    def __init__(self) -> None:
        self._arrived = threading.Event()
        self._open = threading.Event()

    def hold(self) -> None:
        """Called in a play."""
        self._arrived.set()
        assert self._open.wait(20), "the gate was never opened"

    @property
    def holds(self) -> bool:
        """Whether the worker stands at the gate or has passed it."""
        return self._arrived.is_set()

    def open(self) -> None:
        """Let the worker pass, now and later."""
        self._open.set()


def gated_steps(label: str, count: int, gate: Gate) -> Play:
    """The same, with a gate inside the first item."""

    def play(cancel: CancelToken) -> Iterator[StreamEvent]:
        gate.hold()
        yield from steps(label, count)(cancel)

    return play


def learns(written: list[str], gate: Gate | None = None) -> Play:
    """Trains until it is asked to end; it writes its checkpoint three items later, as a batch has to end first."""

    def play(cancel: CancelToken) -> Iterator[StreamEvent]:
        while cancel.mode is None:
            yield Progress("step")
        for number in range(3):
            yield Progress("ending", number)
        if gate is not None:
            gate.hold()
        written.append(cancel.mode)
        raise Cancelled

    return play


def until_cancelled(label: str = "on") -> Play:
    """Goes on and on; when cancelled it ends in the way that a training does: kept returns, the rest is raised."""

    def play(cancel: CancelToken) -> Iterator[StreamEvent]:
        while cancel.mode != "keep":
            cancel.raise_if_cancelled()
            yield Progress(label)

    return play


class Ear:
    """Keeps what a client tells, as it comes."""

    def __init__(self, client: EngineClient) -> None:
        self.batches: list[list[tuple[int, Event]]] = []
        client.events.connect(self._hear)

    def _hear(self, batch: list[tuple[int, Event]]) -> None:
        self.batches.append(batch)

    @property
    def told(self) -> list[tuple[int, Event]]:
        """Everything, in order."""
        return [pair for batch in self.batches for pair in batch]

    def of(self, job_id: int) -> list[Event]:
        """What one job told, its end included."""
        return [event for number, event in self.told if number == job_id]

    def stream(self, job_id: int) -> list[Event]:
        """What one job told before its end."""
        return [event for event in self.of(job_id) if not isinstance(event, EndEvent)]

    def ends(self, job_id: int) -> list[EndEvent]:
        """The ends that one job told; there should be one."""
        return [event for event in self.of(job_id) if isinstance(event, EndEvent)]

    def labels(self) -> list[str]:
        """The labels of all progress, in order; an end is told as its type's name."""
        return [event.label if isinstance(event, Progress) else type(event).__name__ for _, event in self.told]
