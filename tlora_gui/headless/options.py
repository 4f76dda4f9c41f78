"""What a verb is, and options that are made from the fields of the protocol's settings."""

from __future__ import annotations

import inspect
import re
from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError, BooleanOptionalAction, Namespace, _ActionsContainer
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from tlora_gui.engine.protocol.cancel import CancelMode
from tlora_gui.engine.protocol.events import StreamEvent
from tlora_gui.temporal.config import Refusal

if TYPE_CHECKING:
    from tlora_gui.headless.command import Command

Settings = TypeVar("Settings")


def some_path(word: str) -> str:
    """A path as it was given; an empty one comes from a variable that is not set. Raises ArgumentTypeError."""
    if not word:
        raise ArgumentTypeError("a path has a name")
    return word


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb of the command line.

    Attributes:
        name, summary: what its help says.
        arguments: adds its own to those that all verbs have.
        act: does it. What can be known before anything is fetched or loaded is refused before.
        stop: how its work ends when it is stopped; most have nothing to keep.
        subject: what it works on, and what its help says of that.
    """

    name: str
    summary: str
    arguments: Callable[[ArgumentParser], None]
    act: Callable[[Command], Iterator[StreamEvent]]
    stop: CancelMode = "discard"
    subject: tuple[str, str] = ("project", "project folder")


def epoch_argument(parser: ArgumentParser) -> None:
    """The epoch that a verb is about."""
    parser.add_argument("epoch", help="an epoch's name or id")


def add_settings(parser: _ActionsContainer, defaults: Any, prefix: str = "") -> None:
    """An option for every field of a settings dataclass, named as it, explained by the dataclass's docstring.

    Settings within settings get their field's name before theirs, and their ``enabled`` is that name's switch.
    """
    hints, meanings = get_type_hints(type(defaults)), _meanings(type(defaults))
    for field in fields(defaults):
        name, default = _named(field.name, prefix), getattr(defaults, field.name)
        if is_dataclass(default):
            add_settings(parser, default, f"{name}_")
            continue
        shown = name.removesuffix("_enabled") if prefix else name
        told = " ".join(map(str, default)) if isinstance(default, tuple) else str(default).lower()
        meaning = f"{meanings.get(field.name, '').removesuffix('.')} (default: {told or 'none'})".strip().replace(
            "%", "%%"
        )
        option = "--" + shown.replace("_", "-")
        parser.add_argument(option, dest=name, default=SUPPRESS, help=meaning, **_kind(hints[field.name]))


def _named(field: str, prefix: str) -> str:
    return field if field.startswith(prefix) else prefix + field


def _kind(hint: Any) -> dict[str, Any]:
    """What argparse has to know of a type."""
    if hint is bool:
        return {"action": BooleanOptionalAction}
    if get_origin(hint) is Literal:
        return {"choices": get_args(hint)}
    if get_origin(hint) is UnionType:
        (some,) = [kind for kind in get_args(hint) if kind is not NoneType]
        return {"type": _or_none(some), "metavar": _METAVARS[some]}
    if get_origin(hint) is tuple:
        return {"nargs": "*", "type": get_args(hint)[0], "metavar": _METAVARS[get_args(hint)[0]]}
    return {"type": hint, "metavar": _METAVARS[hint]}


_METAVARS = {int: "N", float: "X", str: "TEXT"}


def _or_none(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    def read(word: str) -> Any:
        return None if word.lower() == "none" else kind(word)

    read.__name__ = getattr(kind, "__name__", "")  # what argparse calls a value of it
    return read


def chosen(options: Namespace, defaults: Settings, prefix: str = "") -> Settings:
    """The settings with what was typed of :func:`add_settings`.

    Raises:
        ValueError: if a value has no sense.
    """
    changed: dict[str, Any] = {}
    for field in fields(defaults):  # type: ignore[arg-type]
        name, value = _named(field.name, prefix), getattr(defaults, field.name)
        if is_dataclass(value):
            changed[field.name] = _chosen_within(options, value, f"{name}_")
        elif name in options:
            typed = getattr(options, name)
            changed[field.name] = tuple(typed) if isinstance(typed, list) else typed
    return replace(defaults, **changed)  # type: ignore[type-var]


def _chosen_within(options: Namespace, defaults: Any, prefix: str) -> Any:
    """As :func:`chosen`; what is refused is called by its option's name."""
    try:
        return chosen(options, defaults, prefix)
    except Refusal as error:
        name = error.values.get("name")
        known = name in {field.name for field in fields(defaults)}
        raise Refusal(
            error.template, **{**error.values, "name": _named(str(name), prefix) if known else name}
        ) from error


def _meanings(kind: type) -> dict[str, str]:
    """What a class's docstring says of its attributes."""
    _, _, attributes = (inspect.getdoc(kind) or "").partition("Attributes:\n")
    told = re.findall(r"^ {4}(\w[\w, ]*): (.*(?:\n {5,}.*)*)", attributes, re.MULTILINE)
    return {name: _plain(meaning) for names, meaning in told for name in names.split(", ")}


def _plain(marked: str) -> str:
    return " ".join(re.sub(r":\w+:`~?([^`]*)`|`+([^`]*)`+", r"\1\2", marked).replace("*", "").split()).removesuffix(".")
