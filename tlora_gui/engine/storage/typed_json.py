"""JSON read back as the dataclasses that it was written from, refusing whatever is not of their types.

Imports neither torch nor Qt. What it reads may come from a stranger: nothing is looked up by name, nothing is run.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from math import isfinite
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from tlora_gui.engine.protocol.sentences import say

Reader = Callable[[Any], Any]


@cache
def reader(kind: Any) -> Reader:
    """A function from parsed JSON to a value of ``kind``.

    It knows str, bool, int of 64 bits, finite float, Literal, ``X | Y`` (the first that fits) with or without None,
    ``tuple[X, ...]``, ``tuple[X, Y]``, named tuples and dataclasses. Of these, keys and items that are missing take
    their defaults; unknown keys are left out.
    The function raises ValueError, KeyError or TypeError.
    """
    if kind in _PLAIN:
        return _PLAIN[kind]
    if get_origin(kind) is Literal:
        return _one_of(get_args(kind))
    if get_origin(kind) is UnionType:
        return _any_of(get_args(kind))
    if get_origin(kind) is tuple:
        return _tuple(get_args(kind))
    if is_dataclass(kind):
        return _dataclass(kind)
    if issubclass(kind, tuple):
        return _named_tuple(kind)
    raise NotImplementedError(f"no reader for {kind}")


def _dataclass(kind: Any) -> Reader:
    hints = get_type_hints(kind)
    readers = {field.name: reader(hints[field.name]) for field in fields(kind)}
    needed = [f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING]

    def read(data: Any) -> Any:
        _require_type(data, dict)
        if missing := next((name for name in needed if name not in data), None):
            raise KeyError(missing)
        return kind(**{name: read(data[name]) for name, read in readers.items() if name in data})

    return read


def _named_tuple(kind: Any) -> Reader:
    readers = [reader(hint) for hint in get_type_hints(kind).values()]

    def read(data: Any) -> Any:
        _require_type(data, list)
        if len(data) > len(readers):
            raise ValueError(
                say("{count:,} items where {kind} has {known}", count=len(data), kind=kind.__name__, known=len(readers))
            )
        return kind(*[read(item) for read, item in zip(readers, data, strict=False)])

    return read


def _tuple(kinds: tuple[Any, ...]) -> Reader:
    if kinds[-1] is Ellipsis:
        read_item = reader(kinds[0])

        def read_all(data: Any) -> tuple[Any, ...]:
            _require_type(data, list)
            return tuple([read_item(item) for item in data])

        return read_all
    readers = [reader(kind) for kind in kinds]

    def read_each(data: Any) -> tuple[Any, ...]:
        _require_type(data, list)
        return tuple([read(item) for read, item in zip(readers, data, strict=True)])

    return read_each


def _any_of(kinds: tuple[Any, ...]) -> Reader:
    *others, last = [reader(kind) for kind in kinds if kind is not NoneType]
    nullable = NoneType in kinds

    def read(data: Any) -> Any:
        if nullable and data is None:
            return None
        for read_one in others:
            with suppress(ValueError, KeyError, TypeError):
                return read_one(data)
        return last(data)

    return read


def _one_of(values: tuple[Any, ...]) -> Reader:
    def read(data: Any) -> Any:
        if data not in values:
            raise ValueError(
                say("{value} is none of {values}", value=f"{data!r:.80}", values=", ".join(map(repr, values)))
            )
        return data

    return read


def _str(data: Any) -> str:
    _require_type(data, str)
    return str(data if data.isascii() else data.encode(errors="replace").decode())  # halves of surrogate pairs


def _bool(data: Any) -> bool:
    _require_type(data, bool)
    return bool(data)


def _int(data: Any) -> int:
    _require_type(data, int)
    if not -(2**63) <= data < 2**64:
        raise ValueError(say("a number of more than 64 bits"))
    return int(data)


def _float(data: Any) -> float:
    value = data if type(data) is float else float(_int(data))
    if not isfinite(value):
        raise ValueError(say("{value} is no finite number", value=value))
    return value


def _require_type(data: Any, kind: type) -> None:
    if type(data) is not kind:
        raise TypeError(say("{type} where {wanted} belongs", type=type(data).__name__, wanted=kind.__name__))


_PLAIN: dict[Any, Reader] = {str: _str, bool: _bool, int: _int, float: _float}
