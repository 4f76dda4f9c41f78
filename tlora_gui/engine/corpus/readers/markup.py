"""Pages and subtitles without their marks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import unescape
from html.parser import HTMLParser

from tlora_gui.engine.corpus.decoding import SNIFF, NotText
from tlora_gui.engine.corpus.readers.input import LONGEST, Document, Input, lines
from tlora_gui.engine.protocol.sentences import say

_HIDDEN = {"script", "style", "template", "title", "svg", "math", "iframe", "object", "noframes"}
_PARAGRAPHS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "table", "ul", "ol", "dl", "figure", "hr",
               "section", "article", "header", "footer", "main", "nav", "aside", "form", "body"}  # fmt: skip
_LINES = {"br", "div", "li", "tr", "dt", "dd", "caption", "figcaption", "option", "address", "legend", "summary"}
_CELLS = {"td", "th"}
_GAPS = ("", " ", "\t", "\n", "\n\n")
_BLANKS = re.compile(r"[ \t\n\r\f]+")
_DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_FEED = 2**16

_TIMES = re.compile(r"\s*[\d:]+[.,]\d+ +--> +[\d:]+[.,]\d+")
_NO_CUE = ("WEBVTT", "NOTE", "STYLE", "REGION")
_CUE_MARKS = re.compile(r"</?[a-zA-Z][^<>]{0,200}>|<[\d:.]+>|\{\\[^{}]{0,200}\}")


def read_html(given: Input) -> Iterator[Document]:
    yield Document(given.label, page_text(given.text(declared_encoding(given.head(SNIFF)))))


def declared_encoding(head: bytes) -> str:
    """The encoding that a page says it has; empty if it says none."""
    found = _DECLARED.search(head)
    return found[1].decode() if found else ""


def page_text(pieces: Iterable[str]) -> Iterator[str]:
    """What a reader sees of a page, its paragraphs apart by an empty line, the cells of a row by a tab.

    Raises:
        NotText: where a mark never ends.
    """
    page = _Page()
    for piece in pieces:
        for start in range(0, len(piece), _FEED):  # what has not ended yet is looked at again with every feed
            page.feed(piece[start : start + _FEED])
            if len(page.rawdata) > LONGEST:
                raise NotText(say("damaged: a mark in it never ends"))
        yield page.take()
    page.close()
    yield page.take()


class _Page(HTMLParser):
    """Gathers the text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self._text: list[str] = []
        self._gap = 0
        self._begun = False
        self._hidden: list[str] = []
        self._kept_blanks = 0

    def take(self) -> str:
        text = "".join(self._text)
        self._text.clear()
        return text

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _HIDDEN:
            self._hidden.append(tag)
        self._part(tag)
        self._kept_blanks += tag == "pre"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._part(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._hidden:
            del self._hidden[self._hidden.index(tag) :]
        if tag == "pre":
            self._kept_blanks = max(0, self._kept_blanks - 1)
        if tag not in _CELLS:
            self._part(tag)

    def _part(self, tag: str) -> None:
        rank = 4 if tag in _PARAGRAPHS else 3 if tag in _LINES else 2 if tag in _CELLS else 0
        self._gap = max(self._gap, rank)

    def handle_data(self, data: str) -> None:
        if self._hidden or not data:
            return
        if self._kept_blanks:
            if self._gap == 4 and data.startswith("\n"):
                data = data[1:]
            self._put(data)
            return
        text = _BLANKS.sub(" ", data)
        if text.startswith(" "):
            self._gap = max(self._gap, 1)
        if words := text.strip(" "):
            self._put(words)
            self._gap = int(text.endswith(" "))

    def _put(self, text: str) -> None:
        if self._begun:
            self._text.append(_GAPS[self._gap])
        self._text.append(text)
        self._begun, self._gap = True, 0


def read_subtitles(given: Input) -> Iterator[Document]:
    yield Document(given.label, (f"{line}\n" for line in _spoken(given.text())))


def _spoken(pieces: Iterable[str]) -> Iterator[str]:
    """The lines that are spoken: no numbers, names and times of cues, no settings, no marks."""
    block = list[str]()
    for line in lines(pieces):
        if line.strip():
            block.append(line)
            if len(block) < 2**16:
                continue
        yield from _spoken_in(block)
        block.clear()
    yield from _spoken_in(block)


def _spoken_in(block: list[str]) -> Iterator[str]:
    timed = next((i for i, line in enumerate(block[:3]) if _TIMES.match(line)), -1)
    if timed < 0 and block and block[0].startswith(_NO_CUE):
        return
    for line in block[timed + 1 :]:
        if spoken := unescape(_CUE_MARKS.sub("", line)).strip():
            yield spoken
