"""A source -> the documents in it: a text file is one, a table or an archive holds many."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import TypeVar

from tlora_gui.engine.corpus.decoding import SNIFF, NotText, tidied
from tlora_gui.engine.corpus.readers.archives import read_packed, read_tar, read_zip, require_shallow
from tlora_gui.engine.corpus.readers.input import Document, Input
from tlora_gui.engine.corpus.readers.kinds import (
    ARCHIVES,
    ARROW,
    COMPRESSED,
    CSV,
    EPUB,
    HTML,
    JSON,
    JSON_LINES,
    MAIL,
    MAILBOX,
    NOTEBOOK,
    OPEN_DOCUMENT,
    PARQUET,
    PDF,
    SUBTITLES,
    TEXT,
    WORD,
    ZIP,
    Kind,
    kind_of,
    require_library,
)
from tlora_gui.engine.corpus.readers.mail import read_mail, read_mailbox
from tlora_gui.engine.corpus.readers.markup import read_html, read_subtitles
from tlora_gui.engine.corpus.readers.packages import read_epub, read_open_document, read_word
from tlora_gui.engine.corpus.readers.pdf import read_pdf
from tlora_gui.engine.corpus.readers.tables import (
    OtherJson,
    read_arrow,
    read_csv,
    read_json,
    read_json_lines,
    read_notebook,
    read_parquet,
)
from tlora_gui.engine.corpus.text_corpus import Source
from tlora_gui.engine.protocol.errors import cause
from tlora_gui.engine.protocol.sentences import say

__all__ = ["Document", "read_documents", "read_text"]

Item = TypeVar("Item")

_LEAST, _MOST = 2**16, 2**20
"""Characters of a piece, but for the last one of a document."""
_MOST_BLANK = 16


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
    for document in _documents(whole, notes):
        cut = window.cut(document.pieces)
        if first := next(cut, ""):
            yield document._replace(pieces=chain([first], cut))
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
    if source.text is not None:
        yield from _with_text(source.label, [Document(source.label, tidied([source.text]))], notes)
        return
    try:
        with open(source.label, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            yield from _read(Input(source.label, source.label, file, size, notes, True, source.column, source.chat))
    except OSError as error:
        notes.append((source.label, say("cannot be read: {reason}", reason=cause(error))))


def _read(given: Input) -> Iterator[Document]:
    """The documents of a file or a member, all damage told in its notes."""
    yield from _with_text(given.label, _up_to_damage(given.label, _opened(given), given.notes), given.notes)


def _opened(given: Input) -> Iterator[Document]:
    """The documents of a file by what it is. Raises anything where it is damaged."""
    head = given.head(SNIFF)
    if head.startswith(b"PK"):  # what kind of zip it is stands at its end
        given = replace(given, file=given.randomly(), random=True)
    kind = kind_of(head, given.file, given.name)
    require_library(kind)
    if kind in ARCHIVES:
        require_shallow(given)
        if kind in COMPRESSED:
            yield from read_packed(given, kind, _read)
        else:
            yield from (read_zip if kind == ZIP else read_tar)(given, _read)
    elif kind == TEXT:
        yield Document(given.label, _up_to_damage(given.label, given.text(), given.notes))
    else:
        try:
            for label, pieces, templated in _READERS[kind](given):
                yield Document(label, tidied(_gathered(_up_to_damage(label, pieces, given.notes))), templated)
        except OtherJson:
            given.remark(say("{kind}: the marks are learnt too; save the text alone", kind=kind.name))
            yield Document(given.label, _up_to_damage(given.label, given.text(), given.notes))


_READERS: dict[Kind, Callable[[Input], Iterator[Document]]] = {
    HTML: read_html,
    SUBTITLES: read_subtitles,
    CSV: read_csv,
    JSON: read_json,
    JSON_LINES: read_json_lines,
    NOTEBOOK: read_notebook,
    MAIL: read_mail,
    MAILBOX: read_mailbox,
    PDF: read_pdf,
    PARQUET: read_parquet,
    ARROW: read_arrow,
    WORD: read_word,
    OPEN_DOCUMENT: read_open_document,
    EPUB: read_epub,
}


def _with_text(label: str, documents: Iterable[Document], notes: list[tuple[str, str]]) -> Iterator[Document]:
    """Those that have text; a note if none has and nobody said why."""
    noted, found = len(notes), False
    for document in documents:
        begun = list[str]()
        for piece in document.pieces:
            begun.append(piece)
            if piece.strip() or len(begun) > _MOST_BLANK:
                found = True
                yield document._replace(pieces=chain(begun, document.pieces))
                break
    if not found and len(notes) == noted:
        notes.append((label, say("empty")))


def _up_to_damage(label: str, items: Iterable[Item], notes: list[tuple[str, str]]) -> Iterator[Item]:
    """Some documents, or pieces of one, up to where it cannot be read; then a note."""
    read = False
    try:
        for item in items:
            read = True
            yield item
    except NotText as reason:
        notes.append((label, str(reason)))
    except OSError as error:
        notes.append((label, say("cannot be read: {reason}", reason=cause(error))))
    except Exception:  # a damaged file can raise anything  # noqa: BLE001
        notes.append((label, say("damaged; read up to there") if read else say("damaged")))


def _gathered(pieces: Iterable[str]) -> Iterator[str]:
    """The same text in pieces that are neither tiny nor huge."""
    held, length = list[str](), 0
    for piece in pieces:
        held.append(piece)
        length += len(piece)
        if length >= _LEAST:
            text = "".join(held)
            yield from (text[start : start + _MOST] for start in range(0, length, _MOST))
            held, length = [], 0
    yield "".join(held)
