"""No exception leaves a paint: Qt falls if a painter outlives it, as one in the frame of an exception does."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

_Paint = TypeVar("_Paint", bound=Callable[..., None])


def let_go(error: BaseException) -> None:
    """Let go of what the frames of an exception hold, and of those of the exceptions that led to it."""
    cause: BaseException | None = error
    while cause is not None:
        traceback.clear_frames(cause.__traceback__)
        cause = cause.__cause__ or cause.__context__


def report(error: Exception) -> None:
    """Report an exception as if nobody had caught it."""
    sys.excepthook(type(error), error, error.__traceback__)
    let_go(error)


def guarded(paint: _Paint) -> _Paint:
    """For a ``paintEvent`` or ``paint``: what it raises is reported as a fault, and the rest stays undrawn."""

    @wraps(paint)
    def painted(*arguments: Any) -> None:
        try:
            paint(*arguments)
        except Exception as error:  # noqa: BLE001
            report(error)

    return cast(_Paint, painted)
