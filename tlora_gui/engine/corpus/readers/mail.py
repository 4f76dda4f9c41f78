"""Mails and mailboxes: the bodies, as plain text where there is a choice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from email import policy
from email.parser import BytesParser
from itertools import count
from typing import cast

from tlora_gui.engine.corpus.decoding import decoded
from tlora_gui.engine.corpus.readers.input import LONGEST, Document, Input
from tlora_gui.engine.corpus.readers.markup import page_text
from tlora_gui.engine.protocol.sentences import say


def read_mail(given: Input) -> Iterator[Document]:
    given.file.seek(0)
    yield Document(given.label, iter([_body(given.file.read(LONGEST))]))


def read_mailbox(given: Input) -> Iterator[Document]:
    lost = 0
    for number, raw in zip(count(1), _mails(given), strict=False):
        try:
            body = _body(raw)
        except Exception:  # the parser raises all sorts on damage  # noqa: BLE001
            lost += 1
            continue
        yield Document(f"{given.label}:{number}", iter([body]))
    if lost:
        given.remark(say("{count:,} mails cannot be read", count=lost))


def _mails(given: Input) -> Iterator[bytes]:
    """Each mail of a mailbox, at most its first ``LONGEST`` bytes."""
    given.file.seek(0)
    held, length, after_blank = list[bytes](), 0, True
    while line := given.file.readline(2**20):
        if after_blank and line.startswith(b"From "):
            if held:
                yield b"".join(held)
            held, length = [], 0
        elif length < LONGEST:
            held.append(line[1:] if line.startswith(b">From ") else line)
            length += len(line)
        after_blank = line in (b"\n", b"\r\n")
    if held:
        yield b"".join(held)


def _body(raw: bytes) -> str:
    mail = BytesParser(policy=policy.default).parsebytes(raw)
    part = mail.get_body(("plain", "html"))
    if part is None:
        return ""
    content = cast(bytes, part.get_payload(decode=True)) or b""
    text = decoded(content, part.get_content_charset("")) if content.strip() else ""
    return _joined(page_text([text])) if part.get_content_subtype() == "html" else text


def _joined(pieces: Iterable[str]) -> str:
    return "".join(pieces)
