"""Runs jobs in its thread, one item per event-loop turn, and sends their events in batches.

Between two items the thread's event loop is free, so pause, stop and "generate with the half-trained epoch" are
ordinary queued commands. There are two lanes: interactive jobs go ahead of long ones, and within a lane the first
come is the first served.
"""

from __future__ import annotations

import logging
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QDeadlineTimer, QElapsedTimer, QObject, QTimer, Signal, Slot

from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import MixingDesk
from tlora_gui.engine.protocol.errors import Cancelled, TloraError, out_of_memory, refused_by_system
from tlora_gui.engine.protocol.events import EndEvent, Event, JobCancelled, JobDone, JobFailed, StreamEvent
from tlora_gui.engine.protocol.jobs import INTERACTIVE, Job, KeepEpoch, ResumeEpoch, TrainEpoch
from tlora_gui.engine.protocol.sentences import message_of, say
from tlora_gui.imports import lasting_imports

BATCH_MS = 40
"""Least time between two batches of events: 25 a second."""
_LONGEST = 300
FINISH_S = 45.0
"""How long a training may take to write its checkpoint when everything ends."""

logger = logging.getLogger(__name__)


class SessionLike(Protocol):
    """What the worker needs of a session; tests give it a scripted one."""

    def run(self, job: Job, cancel: CancelToken) -> Iterator[StreamEvent]:
        """Stream what happens."""

    def set_desk(self, desk: MixingDesk) -> None:
        """Turn the mixing desk of the generation that runs."""

    def close(self) -> None:
        """Let go of the open project."""


@dataclass(slots=True)
class Assignment:
    """A job with its number and its cancel token."""

    job_id: int
    job: Job
    cancel: CancelToken
    stream: Iterator[StreamEvent] | None = None


class EngineWorker(QObject):
    """Lives in the worker thread. Owns the session, which is made there at :meth:`start`.

    Signals:
        events: list of (job_id, event), in order.
        ready: the session is there (torch is imported).
        finished: :meth:`finish` is through; nothing runs any more.
    """

    events = Signal(object)
    ready = Signal()
    finished = Signal()

    def __init__(self, make_session: Callable[[], SessionLike]) -> None:
        super().__init__()
        self._make_session = make_session
        self._session: SessionLike | None = None
        self._lanes: tuple[deque[Assignment], deque[Assignment]] = (deque(), deque())
        self._paused: set[int] = set()
        self._batch: list[tuple[int, Event]] = []
        self._since_batch = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._turn)

    @Slot()
    def start(self) -> None:
        """Make the session, and begin with what was submitted meanwhile."""
        self._since_batch.start()
        with lasting_imports():
            try:
                self._session = self._make_session()
            except Exception as error:
                logger.exception("the engine could not start")
                self._session = _Broken(error)
        self.ready.emit()
        self._schedule()

    @Slot(object)
    def submit(self, assignment: Assignment) -> None:
        """Queue a job."""
        self._lanes[0 if isinstance(assignment.job, INTERACTIVE) else 1].append(assignment)
        self._schedule()

    @Slot(int, bool)
    def pause(self, job_id: int, paused: bool) -> None:
        """Hold a job between two items, or let it go on."""
        (self._paused.add if paused else self._paused.discard)(job_id)
        self._schedule()

    @Slot(int, object)
    def set_desk(self, job_id: int, desk: MixingDesk) -> None:
        """Turn the mixing desk of a generation between two tokens, if it is the one that runs."""
        begun = (lane[0] for lane in self._lanes if lane and lane[0].stream is not None)
        if self._session is not None and any(now.job_id == job_id for now in begun):
            self._session.set_desk(desk)

    @Slot()
    def wake(self) -> None:
        """A cancel token was set: jobs that have not begun end at once, held ones are looked at again."""
        for lane in self._lanes:
            for waiting in [one for one in lane if one.stream is None and one.cancel.mode is not None]:
                self._end(lane, waiting, JobCancelled(waiting.job_id, kept=False))
        self._schedule()

    @Slot()
    def finish(self) -> None:
        """End everything. A training that is to be suspended gets :data:`FINISH_S` to write its checkpoint; all other
        streams are closed where they stand. Every job gets its end, and the project is let go of.
        """
        deadline = QDeadlineTimer(round(FINISH_S * 1000))
        for lane in self._lanes:
            while lane:
                now = lane[0]
                if _leaves_a_checkpoint(now) and not deadline.hasExpired():
                    self._advance(lane, now)
                else:
                    self._end(lane, now, JobCancelled(now.job_id, kept=False))
        self._timer.stop()
        self._flush()
        if self._session is not None:
            try:
                self._session.close()
            except Exception:  # the thread must end all the same
                logger.exception("the project was not closed cleanly")
        self.finished.emit()

    def _schedule(self) -> None:
        if self._session is not None and self._next_lane() is not None:
            self._timer.start()
        else:
            self._timer.stop()
            self._flush()

    def _next_lane(self) -> deque[Assignment] | None:
        for lane in self._lanes:
            if lane and (lane[0].job_id not in self._paused or lane[0].cancel.mode is not None):
                return lane
        return None

    @Slot()
    def _turn(self) -> None:
        """Pull one item from the job whose turn it is."""
        lane = self._next_lane()
        if lane is not None:
            self._advance(lane, lane[0])
        if self._since_batch.hasExpired(BATCH_MS):
            self._flush()
        self._schedule()

    def _advance(self, lane: deque[Assignment], now: Assignment) -> None:
        assert self._session is not None
        try:
            if now.stream is None:
                now.cancel.raise_if_cancelled()
                now.stream = iter(self._session.run(now.job, now.cancel))
            self._batch.append((now.job_id, next(now.stream)))
        except StopIteration:
            stopped = now.cancel.mode is not None
            self._end(lane, now, JobCancelled(now.job_id, kept=True) if stopped else JobDone(now.job_id))
        except Cancelled:
            self._end(lane, now, JobCancelled(now.job_id, kept=now.stream is not None and now.cancel.mode == "suspend"))
        except TloraError as error:
            self._end(lane, now, JobFailed(now.job_id, error.message, error.hint, code=error.code))
        except BaseException as error:  # a bug, or a panic of a Rust library: the one place that catches it
            logger.exception("%s failed", type(now.job).__name__)
            self._end(lane, now, _failure(now.job_id, error))

    def _end(self, lane: deque[Assignment], which: Assignment, end: EndEvent) -> None:
        lane.remove(which)
        self._paused.discard(which.job_id)
        close = getattr(which.stream, "close", None)
        if close is not None:
            try:
                close()
            except Exception:  # its end must be emitted all the same
                logger.exception("%s did not close cleanly", type(which.job).__name__)
        self._batch.append((which.job_id, end))
        self._flush()  # the next item, of another job, may take long

    def _flush(self) -> None:
        if self._batch:
            batch, self._batch = self._batch, []
            self.events.emit(batch)
        self._since_batch.restart()


def _leaves_a_checkpoint(now: Assignment) -> bool:
    begun = now.stream is not None
    return begun and isinstance(now.job, (TrainEpoch, ResumeEpoch, KeepEpoch)) and now.cancel.mode == "suspend"


def shortened(text: str) -> str:
    """The beginning of what may hold a whole book."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _failure(job_id: int, error: BaseException) -> JobFailed:
    if out_of_memory(error):
        return JobFailed(job_id, say("There was not enough memory."), say("Choose smaller blocks or a smaller batch."))
    if isinstance(error, OSError) and error.strerror:
        told = refused_by_system(error)
        return JobFailed(job_id, told.message, told.hint)
    details = "".join(traceback.format_exception(error))
    what = shortened(message_of(error) or type(error).__name__)
    return JobFailed(job_id, say("Something went wrong: {what}", what=what), say("Details can be copied."), details)


class _Broken:
    """Stands in for a session that could not be made: every job says why."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def run(self, job: Job, cancel: CancelToken) -> Iterator[StreamEvent]:
        raise TloraError(
            say("The engine could not start: {error}", error=shortened(str(self._error))),
            say("Reinstall tlora-gui with its dependencies."),
        )
        yield

    def set_desk(self, desk: MixingDesk) -> None:
        """Nothing runs."""

    def close(self) -> None:
        """Nothing is open."""
