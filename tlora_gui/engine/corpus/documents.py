"""A source -> the documents in it: a text file is one, a table or an archive holds many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import NamedTuple

from tlora_gui.engine.corpus.decoding import NotText, examine, read_decoded, tidied
from tlora_gui.engine.corpus.text_corpus import Source
from tlora_gui.engine.protocol.errors import cause
from tlora_gui.engine.protocol.sentences import say


class Document(NamedTuple):
    """One text with a beginning and an end.

    Attributes:
        label: what people know it by: its file, with the row or the member where a file holds many.
        pieces: its text in order, tidy, about a million characters each at most; to be read once.
    """

    label: str
    pieces: Iterator[str]


def read_documents(source: Source, notes: list[tuple[str, str]]) -> Iterator[Document]:
    """The documents of a source, each to be read before the next is asked for; remarks go to ``notes``.

    Of a part of a source they are those that have text in it; the parts of one source meet exactly. A source that
    holds no text, or cannot be read, gives none and a note.
    """
    if (source.start, source.stop) == (0, 1):
        yield from _documents(source, notes)
        return
    whole = replace(source, start=0.0, stop=1.0)
    length = sum(len(piece) for document in _documents(whole, []) for piece in document.pieces)
    window = _Window(int(length * source.start), int(length * source.stop))
    for label, pieces in _documents(whole, notes):
        cut = window.cut(pieces)
        if first := next(cut, ""):
            yield Document(label, chain([first], cut))
        if window.stop <= 0:
            return


def read_text(source: Source, notes: list[tuple[str, str]] | None = None, limit: int | None = None) -> str:
    """The text of all documents of a source, at most ``limit`` characters; remarks go to ``notes``."""
    texts, left = list[str](), limit
    for document in read_documents(source, [] if notes is None else notes):
        for piece in document.pieces:
            texts.append(piece[:left])
            if left is not None and (left := left - len(texts[-1])) <= 0:
                return "".join(texts)
    return "".join(texts)


@dataclass(slots=True)
class _Window:
    """Which characters of what comes are kept: from ``start`` up to ``stop``, counted from where it is."""

    start: int
    stop: int

    def cut(self, pieces: Iterable[str]) -> Iterator[str]:
        for piece in pieces:
            kept = piece[max(0, self.start) : max(0, self.stop)]
            self.start -= len(piece)
            self.stop -= len(piece)
            if kept:
                yield kept
            if self.stop <= 0:
                return


def _documents(source: Source, notes: list[tuple[str, str]]) -> Iterator[Document]:
    """Those of a whole source."""
    pieces = _text_file(source.label, notes) if source.text is None else tidied([source.text])
    begun = list[str]()
    for piece in pieces:
        begun.append(piece)
        if piece.strip():
            yield Document(source.label, chain(begun, pieces))
            return
    if source.label not in dict(notes):
        notes.append((source.label, say("empty")))


def _text_file(path: str, notes: list[tuple[str, str]]) -> Iterator[str]:
    try:
        with open(path, "rb") as file:
            encoding = examine(file)
            notes += [(path, remark) for remark in encoding.remarks]
            yield from read_decoded(file, encoding.name)
    except (OSError, NotText) as error:
        reason = say("cannot be read: {reason}", reason=cause(error)) if isinstance(error, OSError) else str(error)
        notes.append((path, reason))
