"""Jobs, events and settings are frozen data of plain types: no tensor, list or object can travel between threads."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterator
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest

from tlora_gui.engine.protocol import events, jobs

PLAIN = (str, int, float, bool, type(None))
MEMBERS = [*get_args(events.Event), *get_args(jobs.Job)]


def impure(kind: Any, where: str, seen: set[type]) -> Iterator[str]:
    """Says what in an annotation is not plain frozen data, dataclasses looked through."""
    if kind in PLAIN or get_origin(kind) is Literal:
        return
    if isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields"):
        for name, hint in get_type_hints(kind).items():
            yield from impure(hint, f"{kind.__name__}.{name}", seen)
    elif get_origin(kind) in (tuple, Union, types.UnionType):
        for part in get_args(kind):
            if part is not Ellipsis:
                yield from impure(part, where, seen)
    elif dataclasses.is_dataclass(kind) and isinstance(kind, type):
        if kind in seen:
            return
        seen.add(kind)
        if not kind.__dataclass_params__.frozen:  # type: ignore[attr-defined]
            yield f"{kind.__name__} is not frozen"
        for name, hint in get_type_hints(kind).items():
            yield from impure(hint, f"{kind.__name__}.{name}", seen)
    else:
        yield f"{where} is a {kind}"


@pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.__name__)
def test_what_travels_between_threads_is_frozen_plain_data(member: type) -> None:
    assert dataclasses.is_dataclass(member)
    assert list(impure(member, member.__name__, set())) == []


@dataclasses.dataclass
class Loose:
    number: int


@dataclasses.dataclass(frozen=True)
class Holder:
    good: tuple[tuple[str, float | None], ...]
    items: list[int]
    inner: Loose


def test_the_check_sees_lists_and_loose_classes() -> None:
    assert list(impure(Holder, "Holder", set())) == ["Holder.items is a list[int]", "Loose is not frozen"]


def test_the_unions_hold_every_dataclass_of_their_modules() -> None:
    """A new event or job that is not in its union would be invisible to whoever matches on it."""
    for module, union in ((events, events.Event), (jobs, jobs.Job)):
        reachable = set(get_args(union))
        for member in get_args(union):
            list(impure(member, "", parts := set()))
            reachable |= parts
        assert {kind for kind in vars(module).values() if _is_own(kind, module.__name__)} <= reachable
    assert set(jobs.INTERACTIVE) < set(get_args(jobs.Job))


def _is_own(kind: Any, module: str) -> bool:
    return isinstance(kind, type) and dataclasses.is_dataclass(kind) and kind.__module__ == module
