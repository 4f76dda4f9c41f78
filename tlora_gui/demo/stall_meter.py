"""How long the window's event loop was kept from running: a 16 ms timer that measures its own lateness."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer

INTERVAL_MS = 16


class StallMeter(QObject):
    """Collects the lateness of each tick, in milliseconds, between :meth:`begin` and :meth:`end`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._late_ms: list[float] = []
        self._clock = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self._tick)

    def begin(self) -> None:
        """Start collecting afresh."""
        self._late_ms = []
        self._clock.start()
        self._timer.start()

    def skip(self) -> None:
        """Leave out the time since the last tick: the person (or a picture) held the window up, not the work."""
        self._clock.restart()

    def end(self) -> list[float]:
        """Stop, and give every tick's lateness."""
        self._timer.stop()
        return self._late_ms

    def _tick(self) -> None:
        self._late_ms.append(max(0.0, self._clock.nsecsElapsed() / 1e6 - INTERVAL_MS))
        self._clock.restart()
