"""A thread-safe way to end a job from outside."""

from __future__ import annotations

import threading
from collections.abc import Generator
from typing import Any, Literal, TypeVar, cast

from tlora_gui.engine.errors import Cancelled

Told = TypeVar("Told")
Returned = TypeVar("Returned")

CancelMode = Literal["keep", "discard", "suspend"]
"""keep: finish with what is done so far; discard: leave no trace; suspend: leave a checkpoint to resume from."""


class CancelToken:
    """Set by anyone, read by the job at every batch, file and download chunk."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._mode: CancelMode = "discard"

    def cancel(self, mode: CancelMode = "discard") -> None:
        """Ask the job to end. The first call decides the mode."""
        if not self._event.is_set():
            self._mode = mode
            self._event.set()

    @property
    def mode(self) -> CancelMode | None:
        """How to end, or None to go on."""
        return self._mode if self._event.is_set() else None

    def raise_if_cancelled(self) -> None:
        """For work with nothing worth keeping.

        Raises:
            Cancelled: once the token is set, whatever its mode.
        """
        if self._event.is_set():
            raise Cancelled


def watched(
    stream: Generator[Told, Any, Returned],
    cancel: CancelToken,
    modes: tuple[CancelMode, ...] = ("keep", "discard", "suspend"),
) -> Generator[Told, None, Returned]:
    """Pass a stream on and return what it returns, looking at the token before every item.

    Raises:
        Cancelled: once the token is set to one of ``modes``.
    """
    while True:
        if cancel.mode in modes:
            raise Cancelled
        try:
            event = next(stream)
        except StopIteration as end:
            return cast(Returned, end.value)
        yield event
