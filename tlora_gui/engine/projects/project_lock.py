"""One writer per project: a lock on a file in its folder, which the system lets go of when its process ends.

Where the file system knows no locks, as some network drives do, a second file is the lock. It names its owner (machine,
process and when that began), so that one whose process has ended, or whose number another process has by now, counts no
more.
"""

from __future__ import annotations

import errno
import logging
import socket
from contextlib import suppress
from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from tlora_gui.engine.protocol.errors import ProjectLocked, TloraError, cause
from tlora_gui.engine.protocol.sentences import say

LOCK_FILE, OWNER_FILE = ".lock", ".lock-owner"
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)
logger = logging.getLogger(__name__)


def lock_project(folder: Path) -> BaseFileLock | None:
    """Lock a project's folder until the result is released or dropped; None if nobody here may write in it.

    Raises:
        ProjectLocked: if another session has it, in whatever process.
        TloraError: if the folder cannot be looked at.
    """
    if not folder.is_dir():  # filelock would make it
        raise TloraError(say("{folder} is no folder.", folder=folder), say("Choose a project's folder."))
    lock: BaseFileLock = FileLock(folder / LOCK_FILE, timeout=0, thread_local=False, fallback_to_soft=False)
    try:
        try:
            lock.acquire()
        except OSError as error:
            if isinstance(error, Timeout) or error.errno in _READ_ONLY:
                raise
            logger.info("%s is on a drive without locks (%s); %s stands for one", folder, error, OWNER_FILE)
            lock = SoftFileLock(folder / OWNER_FILE, timeout=0, thread_local=False)
            lock.acquire()
    except Timeout as error:
        raise _locked(folder, isinstance(lock, SoftFileLock)) from error
    except OSError as error:
        if error.errno in _READ_ONLY:
            return None
        raise TloraError(
            say("{folder} cannot be locked: {reason}.", folder=folder, reason=cause(error)),
            say("Copy the project to a drive of this machine."),
        ) from error
    return lock


def _locked(folder: Path, by_file: bool) -> ProjectLocked:
    """The refusal; only a person can tell whether an owner on another machine is still there."""
    machine = ""
    if by_file:
        with suppress(OSError, ValueError, IndexError):
            machine = (folder / OWNER_FILE).read_text(encoding="utf-8")[:_MAX_OWNER].splitlines()[1].partition("?")[0]
    if not machine or machine == socket.gethostname():
        return ProjectLocked(
            say("{name} is open in another window or command.", name=folder.name),
            say("Close it there first, or choose another project."),
        )
    return ProjectLocked(
        say("{name} is open on the machine {machine}.", name=folder.name, machine=machine),
        say("Close it there first. If nothing has it open there any more, delete {file}.", file=folder / OWNER_FILE),
    )


_MAX_OWNER = 1024


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
