"""Which jobs live, and who asked for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.events import EndEvent, Event
from tlora_gui.engine.protocol.jobs import Job


class Asker(Protocol):
    """Hears of the jobs that it has asked for, and of no others."""

    def hear(self, job_id: int, job: Job, events: Sequence[Event]) -> bool:
        """One or more events of one kind, in order. A failure is heard here, before its end.

        Returns:
            Whether nobody else needs to hear of them.
        """

    def ended(self, job_id: int, job: Job, end: EndEvent) -> None:
        """The job is over: done, failed, cancelled or dropped. It is in the book no more."""


@dataclass(frozen=True, slots=True)
class BookedJob:
    """A job that lives; ``asker`` is None if nobody wants to hear of it alone."""

    job_id: int
    job: Job
    asker: Asker | None
    cancel: CancelToken = field(default_factory=CancelToken)


class JobBook:
    """The jobs that live, by number, the oldest first."""

    def __init__(self) -> None:
        self._live: dict[int, BookedJob] = {}
        self._ids = count(1)

    def enter(self, job: Job, asker: Asker | None) -> BookedJob:
        """Give a job a number; it lives from now on."""
        booked = BookedJob(next(self._ids), job, asker)
        self._live[booked.job_id] = booked
        return booked

    def get(self, job_id: int | None) -> BookedJob | None:
        """The job of this number; None if it does not live."""
        return None if job_id is None else self._live.get(job_id)

    def strike(self, job_id: int) -> BookedJob:
        """It lives no more."""
        return self._live.pop(job_id)

    def jobs(self, *kinds: type, asker: Asker | None = None) -> dict[int, Job]:
        """Those of the kinds, if any are named, that ``asker``, if one is named, has asked for."""
        return {
            booked.job_id: booked.job
            for booked in self._live.values()
            if (not kinds or isinstance(booked.job, kinds)) and asker in (None, booked.asker)
        }
