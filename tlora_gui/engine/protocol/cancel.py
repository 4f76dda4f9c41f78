"""A thread-safe way to end a job from outside."""

from __future__ import annotations

import threading
from typing import Literal

from tlora_gui.engine.protocol.errors import Cancelled

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
