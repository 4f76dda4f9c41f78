"""What a reader is given, and what it gives."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from shutil import copyfileobj
from typing import Any, BinaryIO, NamedTuple, cast

from tlora_gui.engine.corpus.decoding import NotText, examine, read_decoded
from tlora_gui.engine.protocol.sentences import say

ChatTemplate = Callable[[Sequence[dict[str, str]]], str]
"""From messages with a role and a content each to the text that a backbone knows them by."""

LONGEST = 2**26
"""Characters of a row, a notebook or a mail at most; whatever is read a piece at a time can be of any length."""
_SPOOLED = 2**23
_HONEST_RATIO, _HONEST_SIZE = 200, 2**26


class Document(NamedTuple):
    """One text with a beginning and an end.

    Attributes:
        label: what people know it by: its file, with the row or the member where a file holds many.
        pieces: its text in order, tidy, about a million characters each at most; to be read once.
        templated: whether the backbone's chat template made it: its control tokens are meant as such.
    """

    label: str
    pieces: Iterator[str]
    templated: bool = False


@dataclass(frozen=True, slots=True)
class Input:
    """A file, or a member of one.

    Attributes:
        label: what people know it by.
        name: what its ending is taken from.
        file: its bytes, can be sought.
        size: of the file, or packed; what it unpacks to is measured by it.
        notes: gets (label, remark).
        random: whether seeking costs nothing; else all before is unpacked again.
        column: of the text in a table; empty to look for it.
        chat: makes a text of the messages of a chat; None where the backbone knows no chat.
        depth: how many archives it lies in.
    """

    label: str
    name: str
    file: BinaryIO
    size: int
    notes: list[tuple[str, str]]
    random: bool = True
    column: str = ""
    chat: ChatTemplate | None = None
    depth: int = 0

    def remark(self, remark: str) -> None:
        self.notes.append((self.label, remark))

    def head(self, length: int) -> bytes:
        self.file.seek(0)
        return self.file.read(length)

    def randomly(self) -> BinaryIO:
        """Its bytes where seeking costs nothing, on disk if they are many."""
        self.file.seek(0)
        return self.file if self.random else spooled(self.file)

    def text(self, declared: str = "") -> Iterator[str]:
        """Its bytes as text, with remarks on their encoding. Raises ``NotText`` if they are none."""
        encoding = examine(self.file, declared)
        for remark in encoding.remarks:
            self.remark(remark)
        return read_decoded(self.file, encoding.name)


class Bounded(io.RawIOBase):
    """What a packed stream unpacks to, up to what an honest one does."""

    def __init__(self, unpacked: Any, packed: int) -> None:
        self._file, self._packed = unpacked, packed

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        require_honest(self.tell(), self._packed)
        return len(data)


def require_honest(unpacked: int, packed: int) -> None:
    """Raise ``NotText`` if so many bytes come of so few that they were made to fill a machine."""
    if unpacked > max(_HONEST_SIZE, _HONEST_RATIO * packed):
        raise NotText(say("unpacks to more than {ratio} times its size", ratio=_HONEST_RATIO))


def spooled(file: BinaryIO) -> BinaryIO:
    """A copy in memory, on disk if it is large."""
    copy = tempfile.SpooledTemporaryFile(_SPOOLED)  # noqa: SIM115 - goes with its last user
    copyfileobj(file, copy, 2**20)
    copy.seek(0)
    return cast(BinaryIO, copy)


def lines(pieces: Iterable[str]) -> Iterator[str]:
    """The lines of a text without their ends, each of ``LONGEST`` characters at most."""
    held, length = list[str](), 0
    for piece in pieces:
        *ended, rest = piece.split("\n")
        for line in ended:
            yield "".join([*held, line]) if held else line
            held, length = [], 0
        if rest and length < LONGEST:
            held.append(rest[: LONGEST - length])
            length += len(held[-1])
    if held:
        yield "".join(held)
