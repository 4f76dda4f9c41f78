"""Errors that are shown to a person. Everything else is a bug."""

from __future__ import annotations

import errno
import re

from tlora_gui.engine.protocol.sentences import say


class TloraError(Exception):
    """What happened, and what to do about it.

    Attributes:
        message: one sentence, what happened.
        hint: one sentence, what the person can do.
        code: names an error that a window can help with; empty for all others.
    """

    code = ""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(say("{message} {hint}", message=message, hint=hint) if hint else message)
        self.message = message
        self.hint = hint


class BackboneMissing(TloraError):
    """A backbone is not where its reference says.

    Attributes:
        reference: where it should be.
    """

    code = "backbone-missing"

    def __init__(
        self,
        reference: str,
        message: str,
        hint: str = say("Say where the model is now; its weights tell whether it is the same."),
    ) -> None:
        super().__init__(message, hint)
        self.reference = reference


class ProjectLocked(TloraError):
    """Another window or command has the project open."""

    code = "project-locked"


def disk_is_full(error: BaseException) -> bool:
    """Whether writing failed for want of room; safetensors says it in words instead of an ``OSError``."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    code = re.search(r"\(os error (\d+)\)", str(error)) if type(error).__name__ == "SafetensorError" else None
    return code is not None and int(code[1]) in (errno.ENOSPC, errno.EDQUOT, _WINDOWS_DISK_FULL)


_WINDOWS_DISK_FULL = 112


class Cancelled(Exception):
    """Raised inside a job when its :class:`~tlora_gui.engine.protocol.cancel.CancelToken` is set and nothing kept."""


class EpochInterrupted(TloraError):
    """A new epoch is to have the name of one whose training was interrupted.

    Attributes:
        slug: of the interrupted one.
    """

    code = "epoch-interrupted"

    def __init__(self, slug: str, message: str) -> None:
        super().__init__(message, say("Let that training go on, or delete it to begin anew, or choose another name."))
        self.slug = slug


def out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out: Python's own error, torch's on a GPU, and torch's on a CPU, a plain RuntimeError."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and "you tried to allocate" in str(error)


def cause(error: OSError) -> str:
    """Why the system refused, in a few words; reasons that are rare are as the system says them, with their number."""
    if error.errno in _CAUSES:
        return _CAUSES[error.errno]
    if error.errno and error.strerror:
        return say("{reason} (system error {number})", reason=error.strerror, number=str(error.errno))
    return error.strerror or str(error) or type(error).__name__


def refused_by_system(error: OSError) -> TloraError:
    """What to say where the system refused something and nobody knows more about it."""
    mend = say("Nothing finished was lost; mend that and try again.")
    if not error.filename:
        return TloraError(say("{reason}.", reason=cause(error)), mend)
    return TloraError(say("{reason} ({path:.300}).", reason=cause(error), path=str(error.filename)), mend)


_CAUSES = {
    errno.EACCES: say("Permission denied"),
    errno.EPERM: say("Operation not permitted"),
    errno.ENOENT: say("No such file or directory"),
    errno.ENOTDIR: say("Not a directory"),
    errno.EISDIR: say("Is a directory"),
    errno.EEXIST: say("File exists"),
    errno.EROFS: say("Read-only file system"),
    errno.ENOSPC: say("No space left on device"),
    errno.EIO: say("Input/output error"),
    errno.ENAMETOOLONG: say("File name too long"),
    errno.EMFILE: say("Too many open files"),
    errno.ENFILE: say("Too many open files in system"),
    errno.EBUSY: say("Device or resource busy"),
    errno.ENOTEMPTY: say("Directory not empty"),
    errno.ELOOP: say("Too many levels of symbolic links"),
    errno.EDQUOT: say("Disk quota exceeded"),
    errno.EFBIG: say("File too large"),
    errno.EINVAL: say("Invalid argument"),
    errno.EXDEV: say("Invalid cross-device link"),
    errno.ENODEV: say("No such device"),
    errno.ENXIO: say("No such device or address"),
    errno.ENOLCK: say("No locks available"),
    errno.ESTALE: say("Stale file handle"),
    errno.EOPNOTSUPP: say("Operation not supported"),
    errno.ENOMEM: say("Cannot allocate memory"),
    errno.EPIPE: say("Broken pipe"),
    errno.ETIMEDOUT: say("Connection timed out"),
    errno.ECONNREFUSED: say("Connection refused"),
    errno.ECONNRESET: say("Connection reset by peer"),
    errno.ENETUNREACH: say("Network is unreachable"),
    errno.EHOSTUNREACH: say("No route to host"),
}
