"""The window's end of the engine: submit jobs, get their events, never wait."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from itertools import groupby

from PySide6.QtCore import QObject, Qt, QThread, Signal, Slot

from tlora_gui.engine.protocol.cancel import CancelMode
from tlora_gui.engine.protocol.config import MixingDesk
from tlora_gui.engine.protocol.events import EndEvent, Event, JobCancelled
from tlora_gui.engine.protocol.jobs import Job
from tlora_gui.worker.engine_worker import FINISH_S, Assignment, EngineWorker, SessionLike
from tlora_gui.worker.job_book import Asker, BookedJob, JobBook

SHUTDOWN_S = FINISH_S + 15.0
"""How long the window waits for the engine's thread at most."""

logger = logging.getLogger(__name__)
_hanging: list[object] = []
"""Threads that would not end: Qt aborts the process when one is thrown away while it runs."""

STACK_BYTES = 16 * 2**20
"""macOS gives other threads 512 kB, too little for a model's call depth."""


def engine_threads() -> tuple[int, int | None]:
    """Cores for torch while a window is alive: all but one, at least one; and while a text is read, None for torch's
    choice. ``TLORA_THREADS`` overrides both."""
    wanted = int(os.environ.get("TLORA_THREADS") or 0)
    return wanted or max(1, (os.cpu_count() or 2) - 1), wanted or None


def make_session() -> SessionLike:
    """The real session; imports torch, so only the worker's thread calls it."""
    from tlora_gui.engine.session import Session

    return Session(*engine_threads())


class EngineThread(QThread):
    """A thread with one state of Python's for its whole life.

    Without a ``run`` of Python's every slot gets a state of its own, which is freed when the slot returns. Libraries
    keep a pointer to the one that they were imported in: torch 2.7 frees it a second time and the process ends.
    """

    def run(self) -> None:
        """Handle events until :meth:`quit`."""
        self.exec()


class EngineClient(QObject):
    """Owns the worker's thread, and is the one place that knows which jobs live.

    A job is live from submit to its end. Every job's end is emitted exactly once, that of a dropped one too; only
    a shutdown emits nothing more.

    Attributes:
        worker, engine_thread: what runs the jobs, and where.

    Signals:
        desk_set: a turn of the mixing desk, on its way to the job that is named.
        received: events of live jobs: list of (:class:`BookedJob`, events of one kind), each job's in order.
        events: the same as list of (job_id, event), in the order in which all of it came.
        ready: the engine has started.
    """

    received = Signal(object)
    events = Signal(object)
    ready = Signal()
    _submitted = Signal(object)
    _pause = Signal(int, bool)
    desk_set = Signal(int, object)
    _wake = Signal()
    _finish = Signal()
    _start = Signal()

    def __init__(self, make: Callable[[], SessionLike] = make_session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._book = JobBook()
        self.worker = EngineWorker(make)
        self.engine_thread = EngineThread()
        self.engine_thread.setObjectName("engine")
        self.engine_thread.setStackSize(STACK_BYTES)
        self.worker.moveToThread(self.engine_thread)
        self._start.connect(self.worker.start)
        self._submitted.connect(self.worker.submit)
        self._pause.connect(self.worker.pause)
        self.desk_set.connect(self.worker.set_desk)
        self._wake.connect(self.worker.wake)
        self._finish.connect(self.worker.finish)
        self.worker.finished.connect(self.engine_thread.quit, Qt.ConnectionType.DirectConnection)
        self.worker.events.connect(self.receive)
        self.worker.ready.connect(self.ready)
        self.engine_thread.start()

    def start(self) -> None:
        """Begin loading the engine. Call it once the window is on screen."""
        self._start.emit()

    def submit(self, job: Job, asker: Asker | None = None) -> int:
        """Queue a job for ``asker``; its events come with the number returned."""
        booked = self._book.enter(job, asker)
        self._submitted.emit(Assignment(booked.job_id, job, booked.cancel))
        return booked.job_id

    def cancel(self, job_id: int | None, mode: CancelMode = "discard") -> None:
        """Ask a job to end. Its end event still comes."""
        booked = self._book.get(job_id)
        if booked is not None:
            booked.cancel.cancel(mode)
            self._wake.emit()

    def drop(self, job_id: int | None, mode: CancelMode = "discard") -> None:
        """Cancel a job and hear no more of it: its end is emitted before this returns."""
        if job_id is not None and self.is_live(job_id):
            self.cancel(job_id, mode)
            self.receive([(job_id, JobCancelled(job_id, kept=False))])

    def pause(self, job_id: int | None, paused: bool) -> None:
        """Hold a job, or let it go on."""
        if self.is_live(job_id):
            self._pause.emit(job_id, paused)

    def set_desk(self, job_id: int | None, desk: MixingDesk) -> None:
        """Turn the mixing desk of a generation, from its next token on; one that does not run is left alone."""
        if self.is_live(job_id):
            self.desk_set.emit(job_id, desk)

    def is_live(self, job_id: int | None) -> bool:
        """Whether a job has been submitted and has not ended."""
        return self._book.get(job_id) is not None

    def live(self) -> tuple[int, ...]:
        """Numbers of the jobs that have not ended, the oldest first."""
        return tuple(self._book.jobs())

    def jobs(self, *kinds: type, asker: Asker | None = None) -> dict[int, Job]:
        """Live jobs by number, the oldest first: those of the kinds, if any are named, and of the asker, if one is."""
        return self._book.jobs(*kinds, asker=asker)

    @property
    def busy(self) -> bool:
        """Whether any job is live."""
        return bool(self._book.jobs())

    def shutdown(self, limit_s: float = SHUTDOWN_S) -> bool:
        """End every job and the thread; a training that runs leaves a checkpoint.

        Returns:
            Whether the thread has ended. An engine that hangs is left behind after ``limit_s`` seconds: then only the
            end of the process ends it.
        """
        for job_id in self.live():
            self._book.strike(job_id).cancel.cancel("suspend")
        if self.engine_thread.isRunning():
            self._finish.emit()
            if self.engine_thread.wait(round(limit_s * 1000)):
                return True
            logger.error("the engine hangs; it is left behind")
            _hanging.append((self.engine_thread, self.worker))
        return not self.engine_thread.isRunning()

    @Slot(object)
    def receive(self, batch: list[tuple[int, Event]]) -> None:
        """News of jobs from the worker; what they emit after their end is left out."""
        live: list[tuple[int, Event]] = []
        news: dict[int, tuple[BookedJob, list[Event]]] = {}
        for job_id, event in batch:
            booked = self._book.get(job_id)
            if booked is not None:
                live.append((job_id, event))
                news.setdefault(job_id, (booked, []))[1].append(event)
                if isinstance(event, EndEvent):
                    self._book.strike(job_id)
        if live:
            self.received.emit(
                [(booked, list(run)) for booked, found in news.values() for _, run in groupby(found, type)]
            )
            self.events.emit(live)
