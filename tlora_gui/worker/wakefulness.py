"""Keeps the machine from falling asleep while it works; where that cannot be done, the log says so."""

from __future__ import annotations

import ctypes
import logging
import sys

from PySide6.QtCore import QObject, QProcess, QStandardPaths

_CONTINUOUS, _SYSTEM_REQUIRED = 0x80000000, 0x00000001
_COMMANDS = {
    "linux": ["systemd-inhibit", "--what=idle:sleep", "--who=tlora-gui", "--why=An epoch is in training", "cat"],
    "darwin": ["caffeinate", "-i", "cat"],
}
"""What keeps the machine awake for as long as a "cat" goes on, which ends with its input, also if this process dies."""

logger = logging.getLogger(__name__)


class Wakefulness(QObject):
    """One wish to stay awake, held or let go."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._held = False
        self._keeper: QProcess | None = None

    @property
    def held(self) -> bool:
        """Whether the machine is asked to stay awake."""
        return self._held

    def hold(self, held: bool) -> None:
        """Ask the system to stay awake from now on, or no longer."""
        if held == self._held:
            return
        self._held = held
        if sys.platform == "win32":
            ctypes.windll.kernel32.SetThreadExecutionState(_CONTINUOUS | (_SYSTEM_REQUIRED if held else 0))
        elif held:
            self._start()
        elif self._keeper is not None:
            self._keeper.closeWriteChannel()
            self._keeper = None

    def _start(self) -> None:
        command = _COMMANDS.get(sys.platform, ["systemd-inhibit"])
        if not QStandardPaths.findExecutable(command[0]):
            logger.info("the machine may fall asleep: there is no %s", command[0])
            return
        self._keeper = keeper = QProcess(self)
        keeper.errorOccurred.connect(lambda error: logger.info("the machine may fall asleep: %s", error))
        keeper.finished.connect(keeper.deleteLater)
        keeper.start(command[0], command[1:])
