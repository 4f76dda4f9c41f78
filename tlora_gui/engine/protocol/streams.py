"""Work is a generator of events; these pass one on, or run one to its end."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from typing import Any, TypeVar, cast

from tlora_gui.engine.protocol.cancel import CancelMode, CancelToken
from tlora_gui.engine.protocol.errors import Cancelled
from tlora_gui.engine.protocol.events import Progress, StreamEvent, Warned

Stream = Generator[StreamEvent, None, None]
Item = TypeVar("Item")
Returned = TypeVar("Returned")


def tee(stream: Generator[Any, None, Returned], into: list[Any]) -> Generator[Any, None, Returned]:
    """Pass a stream on, keep a copy of what is worth keeping, return what it returns."""
    with closing(stream):
        while True:
            try:
                event = next(stream)
            except StopIteration as end:
                return cast(Returned, end.value)
            if not isinstance(event, Progress | Warned):
                into.append(event)
            yield event


def drain(stream: Generator[Any, None, Returned]) -> Returned:
    """Run a stream to its end and return what it returns."""
    while True:
        try:
            next(stream)
        except StopIteration as end:
            return cast(Returned, end.value)


def cancellable(
    stream: Generator[Item, Any, Returned],
    cancel: CancelToken,
    modes: tuple[CancelMode, ...] = ("keep", "discard", "suspend"),
) -> Generator[Item, None, Returned]:
    """Pass a stream on and return what it returns, looking at the token before every item.

    Raises:
        Cancelled: once the token is set to one of ``modes``.
    """
    while True:
        if cancel.mode in modes:
            raise Cancelled
        try:
            event = next(stream)
        except StopIteration as end:
            return cast(Returned, end.value)
        yield event
