"""PDF, page by page."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from tlora_gui.engine.corpus.decoding import NotText
from tlora_gui.engine.corpus.readers.input import Document, Input
from tlora_gui.engine.protocol.sentences import say

_LOST_IN_A_ROW = 50


def read_pdf(given: Input) -> Iterator[Document]:
    yield Document(given.label, _pages(given))


def _pages(given: Input) -> Iterator[str]:
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, WrongPasswordError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what it warns of is told in our words
    try:
        reader = PdfReader(given.randomly(), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise NotText(say("encrypted with a password"))
        count = len(reader.pages)
    except (DependencyError, WrongPasswordError) as error:
        raise NotText(say("encrypted with a password")) from error
    lost, lost_in_a_row, any_text = 0, 0, False
    for index in range(count):
        try:
            text = reader.pages[index].extract_text()
            lost_in_a_row = 0
        except Exception:  # a damaged page can raise anything  # noqa: BLE001
            lost, lost_in_a_row = lost + 1, lost_in_a_row + 1
            if lost_in_a_row == _LOST_IN_A_ROW:
                break
            continue
        if text.strip():
            any_text = True
            yield f"{text}\n"
    if lost:
        given.remark(say("damaged: {count:,} of {pages:,} pages cannot be read", count=lost, pages=count))
    elif not any_text:
        given.remark(say("holds no text; it may be scanned"))
