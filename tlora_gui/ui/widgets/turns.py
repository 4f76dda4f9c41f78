"""Work that is too long for one turn of the event loop."""

from __future__ import annotations

import time
from collections.abc import Iterator

from PySide6.QtCore import QObject, QTimer

SECONDS = 0.008
"""How long a turn works; what is drawn comes on top, and the piece that was begun is ended."""


class Turns(QObject):
    """Does a work piece by piece, some of them in each turn of the event loop, so that the window never waits for it.

    A work yields wherever there is more of it: after some milliseconds each.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._work: Iterator[None] = iter(())
        self._next = QTimer(self, singleShot=True, interval=0)
        self._next.timeout.connect(self._go_on)

    @property
    def busy(self) -> bool:
        """Whether a work waits for its next turn."""
        return self._next.isActive()

    def begin(self, work: Iterator[None]) -> None:
        """Do this work in place of the one that goes on: the first pieces now, all others in later turns."""
        self._work = work
        self._go_on()

    def stop(self) -> None:
        """Leave the work as it is."""
        self.begin(iter(()))

    def _go_on(self) -> None:
        self._next.stop()
        until = time.monotonic() + SECONDS
        while next(self._work, self) is None:
            if time.monotonic() >= until:
                self._next.start()
                return
