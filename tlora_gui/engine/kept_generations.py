"""Prompts and what came of them, kept as lines of a file that only ever grows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tlora_gui.engine.records import generation_line, read_generation_line
from tlora_gui.engine.storage import DAMAGE
from tlora_gui.engine.texts import GenerationRecord

_PIECE = 2**16


@dataclass(frozen=True, slots=True)
class KeptGenerations:
    """The file ``path``, a generation a line."""

    path: Path

    def keep(self, record: GenerationRecord) -> None:
        """Append a generation; a line that was cut off before stays alone."""
        with self.path.open("a+b") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 1))
            start = "" if file.read(1) in (b"", b"\n") else "\n"
            file.write(f"{start}{generation_line(record)}\n".encode())
            file.flush()
            os.fsync(file.fileno())

    def last(self) -> GenerationRecord | None:
        """The latest generation that can be read, at the cost of the file's end alone."""
        try:
            with self.path.open("rb") as file:
                for line in _lines_backwards(file):
                    try:
                        return read_generation_line(line.decode(errors="replace"))
                    except DAMAGE:
                        continue
        except OSError:
            pass
        return None


def _lines_backwards(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file from the last to the first, read in ever larger pieces from its end."""
    end, size, rest = file.seek(0, os.SEEK_END), _PIECE, b""
    while end:
        start = max(0, end - size)
        file.seek(start)
        rest, *lines = (file.read(end - start) + rest).split(b"\n")
        yield from reversed(lines)
        end, size = start, 2 * size
    yield rest
