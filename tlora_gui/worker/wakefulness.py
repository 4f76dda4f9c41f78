"""Keeps the machine from falling asleep while it works; where that cannot be done, the log says so."""

from __future__ import annotations

import ctypes
import logging
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable

_CONTINUOUS, _SYSTEM_REQUIRED = 0x80000000, 0x00000001
_COMMANDS = {
    "linux": ["systemd-inhibit", "--what=idle:sleep", "--who=tlora-gui", "--why=An epoch is in training", "cat"],
    "darwin": ["caffeinate", "-i", "cat"],
}
"""What keeps the machine awake for as long as a "cat" goes on, which ends with its input, also if this process dies."""

logger = logging.getLogger(__name__)


class Wakefulness:
    """One wish to stay awake, held or let go."""

    def __init__(self) -> None:
        self.held = False
        self._let_go: Callable[[], object] = lambda: None

    def hold(self, held: bool) -> None:
        """Ask the system to stay awake from now on, or no longer."""
        if held == self.held:
            return
        self.held = held
        if sys.platform == "win32":
            ctypes.windll.kernel32.SetThreadExecutionState(_CONTINUOUS | (_SYSTEM_REQUIRED if held else 0))
        elif held:
            self._start()
        else:
            self._let_go()

    def _start(self) -> None:
        command = _COMMANDS.get(sys.platform, _COMMANDS["linux"])
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        except OSError as error:
            logger.info("the machine may fall asleep: %s", error)
            return
        assert process.stdin is not None
        self._let_go = weakref.finalize(self, process.stdin.close)  # also if nobody lets go of it
        threading.Thread(target=process.wait, daemon=True).start()  # whoever ends is waited for
