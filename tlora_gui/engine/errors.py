"""Errors that are told to a person. Everything else is a bug."""

from __future__ import annotations

import errno
import re


class TloraError(Exception):
    """What happened, and what to do about it.

    Attributes:
        message: one sentence, what happened.
        hint: one sentence, what the person can do.
        code: names an error that a window can help with; empty for all others.
    """

    code = ""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.message = message
        self.hint = hint


class BackboneMissing(TloraError):
    """A project's backbone is not where the project says.

    Attributes:
        reference: where it should be.
    """

    code = "backbone-missing"

    def __init__(self, reference: str, message: str) -> None:
        super().__init__(message, "Say where the model is now; its weights tell whether it is the same.")
        self.reference = reference


def disk_is_full(error: BaseException) -> bool:
    """Whether writing failed for want of room; safetensors tells it in words instead of an ``OSError``."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    told = re.search(r"\(os error (\d+)\)", str(error)) if type(error).__name__ == "SafetensorError" else None
    return told is not None and int(told[1]) in (errno.ENOSPC, errno.EDQUOT, _WINDOWS_DISK_FULL)


_WINDOWS_DISK_FULL = 112


class Cancelled(Exception):
    """Raised inside a job when its :class:`~tlora_gui.engine.cancel.CancelToken` is set and nothing is kept."""
