"""The system's wish that this process ends, heard by Qt's event loop."""

from __future__ import annotations

import signal
import socket

from PySide6.QtCore import QObject, QSocketNotifier, Signal, Slot

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
"""Ctrl+C in a terminal, a request to end or a shutdown, a terminal that closes."""


class EndSignals(QObject):
    """Hears of them from the beginning to the end of the process; one that is ignored, as nohup has it, stays so.

    Python's own handlers would run only once some Python runs in this thread; an idle window runs none.

    Attributes:
        number: of the first that came, 0 if none did.

    Signals:
        came: one has come, in the window's thread.
    """

    came = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.number = 0
        self._heard, self._told = socket.socketpair()
        for end in (self._heard, self._told):
            end.setblocking(False)
        self._notifier = QSocketNotifier(self._heard.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._hear)
        signal.set_wakeup_fd(self._told.fileno(), warn_on_full_buffer=False)
        for name in _NAMES:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, lambda *_: None)

    @Slot()
    def _hear(self) -> None:
        numbers = self._heard.recv(64)
        self.number = self.number or numbers[0]
        self.came.emit()
