"""No exception leaves a paint: Qt ends the process over a painter that is still at work."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

_log = logging.getLogger(__name__)
_told: set[str] = set()

Paint = TypeVar("Paint", bound=Callable[..., None])


def guarded(paint: Paint) -> Paint:
    """For every method that Qt calls to paint: one that fails paints nothing further, and is logged once."""

    @wraps(paint)
    def safely(*args: object) -> None:
        try:
            paint(*args)
        except Exception as error:
            where = f"{paint.__module__}.{paint.__qualname__}: {type(error).__name__}"
            if where not in _told:
                _told.add(where)
                # As text: a log record that holds the frames would hold the painter too.
                _log.error("%s\n%s", where, traceback.format_exc())
            traceback.clear_frames(error.__traceback__)  # ends the painter

    return safely  # type: ignore[return-value]
