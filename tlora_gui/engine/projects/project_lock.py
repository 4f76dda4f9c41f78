"""One writer per project: a lock on a file in its folder, which the system lets go of when its process ends."""

from __future__ import annotations

import errno
from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from tlora_gui.engine.protocol.errors import ProjectLocked, TloraError, cause
from tlora_gui.engine.protocol.sentences import say

LOCK_FILE = ".lock"
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)


def lock_project(folder: Path) -> BaseFileLock | None:
    """Lock a project's folder until the result is released or dropped; None if nobody here may write in it.

    Where the file system knows no locks, as some network drives do, the file itself is the lock.

    Raises:
        ProjectLocked: if another session has it, in whatever process.
        TloraError: if the folder cannot be looked at.
    """
    if not folder.is_dir():  # filelock would make it
        raise TloraError(say("{folder} is no folder.", folder=folder), say("Choose a project's folder."))
    lock: BaseFileLock = FileLock(folder / LOCK_FILE, timeout=0, thread_local=False)
    try:
        try:
            lock.acquire()
        except OSError as error:
            if isinstance(error, Timeout) or error.errno in _READ_ONLY:
                raise
            lock = SoftFileLock(folder / LOCK_FILE, timeout=0, thread_local=False)
            lock.acquire()
    except Timeout as error:
        raise ProjectLocked(
            say("{name} is open in another window or command.", name=folder.name),
            say("Close it there first, or choose another project."),
        ) from error
    except OSError as error:
        if error.errno in _READ_ONLY:
            return None
        raise TloraError(
            say("{folder} cannot be locked: {reason}.", folder=folder, reason=cause(error)),
            say("Copy the project to a drive of this machine."),
        ) from error
    return lock


def is_locked(folder: Path) -> bool:
    """Whether another session has a project open.

    Raises:
        TloraError: if the folder cannot be looked at.
    """
    try:
        lock = lock_project(folder)
    except ProjectLocked:
        return True
    if lock is not None:
        lock.release()
    return False
