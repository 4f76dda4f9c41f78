"""One writer per project: a lock file that the window and the headless verbs both take."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QLockFile

from tlora_gui.engine.errors import TloraError


def lock_project(folder: Path) -> QLockFile | None:
    """Lock a project folder until the result is unlocked or dropped; None if there is no such folder to lock.

    Raises:
        TloraError: if another process has it.
    """
    if not folder.is_dir():
        return None
    lock = QLockFile(str(folder / ".lock"))
    lock.setStaleLockTime(0)
    if not lock.tryLock(0) and lock.error() == QLockFile.LockError.LockFailedError:
        raise TloraError(
            f"{folder.name} is open in another window or command.", "Close it there first, or choose another project."
        )
    return lock
