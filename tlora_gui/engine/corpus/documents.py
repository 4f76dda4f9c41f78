"""A source -> the documents in it: a text file is one, a table or an archive holds many."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tlora_gui.engine.corpus.text_corpus import Source, read_text


class Document(NamedTuple):
    """One text with a beginning and an end.

    Attributes:
        label: what people know it by: its file, with the row or the member where a file holds many.
        pieces: its text in order, tidy, about a million characters each at most; to be read once.
    """

    label: str
    pieces: Iterator[str]


def read_documents(source: Source, notes: list[tuple[str, str]]) -> Iterator[Document]:
    """The documents of a source, each to be read before the next is asked for; remarks go to ``notes``."""
    if text := read_text(source, notes):
        yield Document(source.label, iter([text]))
