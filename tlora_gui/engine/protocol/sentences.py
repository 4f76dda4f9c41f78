"""What the engine says: English, together with what it was made of, so that a window can say it in another language.

The template is the code by which translators know a sentence. Imports neither torch nor Qt, so the window may use it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, reduce
from typing import Any


class Sentence(str):
    """An English sentence, or a part of one: a string like any other to whoever only shows it.

    Attributes:
        template: what it was made from, with ``str.format``'s fields if it has values.
        values: what stands in those fields, by name: numbers, strings, and sentences, which are worded too.
    """

    __slots__ = ("template", "values")
    template: str
    values: dict[str, str | int | float]

    def __str__(self) -> Sentence:
        """Itself, so that an exception made with a sentence says it as one."""
        return self


def say(template: str, /, **values: object) -> Sentence:
    """The sentence that a template makes with these values.

    >>> said = say("{count:,} of {name}", count=1200, name="SmolLM2")
    >>> said, said.template, said.values
    ('1,200 of SmolLM2', '{count:,} of {name}', {'count': 1200, 'name': 'SmolLM2'})
    """
    if not values:
        return _fixed(template)
    plain = {name: value if isinstance(value, int | float | str) else str(value) for name, value in values.items()}
    sentence = Sentence(template.format_map(plain))
    sentence.template, sentence.values = template, plain
    return sentence


@cache  # some are said of every token, in case it is wrong
def _fixed(template: str) -> Sentence:
    sentence = Sentence(template)
    sentence.template, sentence.values = template, {}
    return sentence


def as_json(said: object) -> object:
    """A sentence as JSON, so that it can be said in another language when it is read again."""
    return (
        [said.template, {name: as_json(each) for name, each in said.values.items()}]
        if isinstance(said, Sentence)
        else said
    )


def of_json(plain: Any) -> Any:
    """The inverse of :func:`as_json`."""
    return (
        say(plain[0], **{name: of_json(each) for name, each in plain[1].items()}) if isinstance(plain, list) else plain
    )


def message_of(error: BaseException) -> str:
    """What an error says, as a sentence if it was made with one, or of a template (``temporal`` knows no sentences)."""
    template = getattr(error, "template", None)
    return say(template, **error.values) if isinstance(template, str) else str(error)  # type: ignore[attr-defined]


def commas(parts: Iterable[str]) -> str:
    """Parts of a sentence, at least one, with commas between."""
    return reduce(lambda one, other: say("{one}, {other}", one=one, other=other), parts)
