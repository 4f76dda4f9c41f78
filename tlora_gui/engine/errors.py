"""Errors that are told to a person. Everything else is a bug."""

from __future__ import annotations


class TloraError(Exception):
    """What happened, and what to do about it.

    Attributes:
        message: one sentence, what happened.
        hint: one sentence, what the person can do.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.message = message
        self.hint = hint


class Cancelled(Exception):
    """Raised inside a job when its :class:`~tlora_gui.engine.cancel.CancelToken` is set and nothing is kept."""
