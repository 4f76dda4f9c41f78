"""Documents that are zips of XML: Word, OpenDocument, EPUB. XML that defines entities is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import dirname, join, normpath
from typing import IO, BinaryIO, cast
from urllib.parse import unquote
from xml.parsers import expat
from zipfile import ZipFile

from tlora_gui.engine.corpus.decoding import SNIFF, NotText, examine, read_decoded
from tlora_gui.engine.corpus.readers.input import Document, Input, require_honest
from tlora_gui.engine.corpus.readers.markup import declared_encoding, page_text
from tlora_gui.engine.protocol.sentences import say

_READ = 2**16
_UNREAD = {
    "pPr", "rPr", "delText", "instrText", "moveFrom", "Fallback",  # Word: settings, what was deleted or moved away
    "tracked-changes", "annotation", "note-citation", "forms", "title", "desc",  # OpenDocument
}  # fmt: skip
_SIGNS = {"br": "\n", "cr": "\n", "line-break": "\n", "tab": "\t", "noBreakHyphen": "-"}
_PARAGRAPHS, _CELLS, _ROWS = {"p", "h"}, {"tc", "table-cell"}, {"tr", "table-row"}
_BLANKS = re.compile(r"[ \t\n\r]+")
_MOST_SPACES = 1000


def read_word(given: Input) -> Iterator[Document]:
    with ZipFile(given.randomly()) as archive:
        yield Document(given.label, _paragraphs(archive, "word/document.xml", given.size, "t"))


def read_open_document(given: Input) -> Iterator[Document]:
    with ZipFile(given.randomly()) as archive:
        if "META-INF/manifest.xml" in archive.namelist():
            manifest = archive.open("META-INF/manifest.xml")
            if any(name == "encryption-data" for name, _ in _elements(manifest)):
                raise NotText(say("encrypted with a password"))
        yield Document(given.label, _paragraphs(archive, "content.xml", given.size, ""))


def read_epub(given: Input) -> Iterator[Document]:
    with ZipFile(given.randomly()) as archive:
        yield Document(given.label, _chapters(archive, given.size))


def _open(archive: ZipFile, name: str, packed: int) -> BinaryIO:
    """A member. Raises ``NotText`` if it is not there, locked, or made to fill a machine."""
    try:
        info = archive.getinfo(name)
    except KeyError as error:
        raise NotText(say("damaged: {part} is missing", part=name)) from error
    if info.flag_bits & 1:
        raise NotText(say("encrypted with a password"))
    require_honest(info.file_size, packed)
    return cast(BinaryIO, archive.open(info))


def _parser() -> expat.XMLParserType:
    def refuse(*_: object) -> None:
        raise NotText(say("damaged: its XML defines entities"))

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.EntityDeclHandler = refuse
    return parser


def _elements(file: IO[bytes]) -> Iterator[tuple[str, dict[str, str]]]:
    """Local names and attributes of all elements in order."""
    found = list[tuple[str, dict[str, str]]]()
    parser = _parser()
    parser.StartElementHandler = lambda name, attributes: found.append((name.rpartition(" ")[2], attributes))
    while data := file.read(_READ):
        parser.Parse(data)
        yield from found
        found.clear()
    parser.Parse(b"", True)
    yield from found


def _paragraphs(archive: ZipFile, member: str, packed: int, holder: str) -> Iterator[str]:
    """The text of a document: a line each paragraph, and each row of a table with its cells apart by tabs.

    Args:
        archive: the document.
        member: the part of it that holds the text.
        packed: the document's size.
        holder: the element that text stands in; empty if all that stands in a paragraph is text.
    """
    text = _Paragraphs(holder)
    parser = _parser()
    parser.StartElementHandler = text.begin
    parser.EndElementHandler = text.end
    parser.CharacterDataHandler = text.data
    file = _open(archive, member, packed)
    while data := file.read(_READ):
        try:
            parser.Parse(data)
        finally:  # what came before damage
            piece = "".join(text.done)
            text.done.clear()
            if piece:
                yield piece
    parser.Parse(b"", True)
    yield "".join(text.done)


class _Paragraphs:
    """Gathers paragraphs and rows in ``done`` as elements begin and end."""

    def __init__(self, holder: str) -> None:
        self.done: list[str] = []
        self._holder = holder
        self._held = self._unread = self._depth = self._cells = 0
        self._cell: list[str] = []
        self._row: list[str] = []

    def begin(self, element: str, attributes: dict[str, str]) -> None:
        name = element.rpartition(" ")[2]
        if self._unread or name in _UNREAD:
            self._unread += 1
        elif name in _SIGNS:
            self._put(_SIGNS[name])
        elif name == "s":
            count = next((value for key, value in attributes.items() if key.endswith(" c")), "1")
            self._put(" " * min(int(count), _MOST_SPACES) if count.isdecimal() else " ")
        elif name in _PARAGRAPHS:
            if self._depth:  # a note in its paragraph
                self._put(" ")
            self._depth += 1
        elif name in _CELLS:
            self._cells += 1
        self._held += name == self._holder

    def end(self, element: str) -> None:
        name = element.rpartition(" ")[2]
        self._held -= name == self._holder
        if self._unread:
            self._unread -= 1
        elif name in _PARAGRAPHS:
            self._depth -= 1
            self._put(" " if self._cells or self._depth else "\n")
        elif name in _CELLS:
            self._cells -= 1
            if not self._cells:
                self._row.append("".join(self._cell).strip())
                self._cell.clear()
        elif name in _ROWS and not self._cells:
            self.done.append("\t".join(self._row) + "\n")
            self._row.clear()

    def data(self, text: str) -> None:
        if self._unread:
            return
        if self._holder:
            if self._held:
                self._put(text)
        elif self._depth:
            self._put(_BLANKS.sub(" ", text))

    def _put(self, text: str) -> None:
        (self._cell if self._cells else self.done).append(text)


def _chapters(archive: ZipFile, packed: int) -> Iterator[str]:
    """The text of a book in its reading order."""
    container = _elements(_open(archive, "META-INF/container.xml", packed))
    book = next((each.get("full-path", "") for name, each in container if name == "rootfile"), "")
    locked = set()
    if "META-INF/encryption.xml" in archive.namelist():
        encryption = _elements(_open(archive, "META-INF/encryption.xml", packed))
        locked = {unquote(each.get("URI", "")) for name, each in encryption if name == "CipherReference"}
    items, order = dict[str, str](), list[str]()
    for name, each in _elements(_open(archive, book, packed)):
        if name == "item" and "html" in each.get("media-type", "") and "nav" not in each.get("properties", "").split():
            items[each.get("id", "")] = normpath(join(dirname(book), unquote(each.get("href", ""))))
        elif name == "itemref":
            order.append(each.get("idref", ""))
    gap = ""
    for chapter in dict.fromkeys(items[each] for each in order if each in items):
        if chapter in locked:
            raise NotText(say("encrypted against copying"))
        file = _open(archive, chapter, packed)
        encoding = examine(file, declared_encoding(archive.open(chapter).read(SNIFF)))
        for piece in filter(None, page_text(read_decoded(file, encoding.name))):
            yield gap + piece
            gap = ""
        gap = "\n\n"
