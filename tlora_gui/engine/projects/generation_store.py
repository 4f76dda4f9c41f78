"""Prompts and what came of them, kept as lines of a file that only ever grows.

A line is a generation, or says something about an earlier one: its name and pin, that it was deleted with what branches
off it, that these were restored.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from tlora_gui.engine.projects.recipe import Recipe
from tlora_gui.engine.projects.records import (
    generation_line,
    read_generation_line,
    read_origin,
    read_summary,
    summary_of,
)
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import GenerationFinished
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.protocol.texts import Generation, GenerationSummary
from tlora_gui.engine.storage.disk import DAMAGE, patiently, unreadable
from tlora_gui.engine.storage.typed_json import reader

_PIECE = 2**16
_EDIT = b'{"edit": '


@dataclass(frozen=True, slots=True)
class _Edit:
    """A line about the generation ``edit``; ``deleted`` and ``restored`` are it and what branches off it."""

    edit: str
    name: str | None = None
    pinned: bool | None = None
    deleted: tuple[str, ...] = ()
    restored: tuple[str, ...] = ()


@dataclass(slots=True)
class _Entry:
    """A generation, where its line begins, and the id that it was deleted with, if it was."""

    summary: GenerationSummary
    offset: int
    deleted_with: str = ""


@dataclass(slots=True)
class GenerationStore:
    """The file ``path``. What was read of it is remembered without tokens, so that only new lines are read again.

    ``require_writable`` raises where nothing can be written any more; with None nothing ever is.
    """

    path: Path
    require_writable: Callable[[], None] | None = field(default=lambda: None, compare=False, repr=False)
    _entries: dict[str, _Entry] = field(default_factory=dict)
    _read_to: int = 0

    def keep(self, record: Generation, origin: Recipe | None = None) -> Generation:
        """Append a generation; it gets an id of its own and the time, if it has none.

        Args:
            record: what to keep.
            origin: what made it, if that was another project.

        Returns:
            the record as it is kept.
        """
        record = self._named(record)
        self._append(generation_line(record, origin))
        return record

    def finish(self, record: Generation) -> Iterator[GenerationFinished]:
        """Keep a text that has just ended, and emit it, also if it cannot be kept.

        Raises:
            TloraError, OSError: if it cannot be written.
        """
        record = self._named(record)
        try:
            self._append(generation_line(record))
        finally:
            yield GenerationFinished(record)

    def _named(self, record: Generation) -> Generation:
        if not record.id or record.id in self._known():
            record = replace(record, id=uuid4().hex[:12])
        return replace(record, created=record.created or time.time())

    def last(self) -> Generation | None:
        """The latest generation that is not deleted and can be read, at the cost of the file's end alone."""
        edits: list[_Edit] = []
        try:
            with self.path.open("rb") as file:
                for offset, line in _lines_backwards(file):
                    try:
                        if line.startswith(_EDIT):
                            edits.append(_read_edit(line))
                        elif (found := _edited(_read(line, offset), edits)) is not None:
                            return found
                    except DAMAGE:
                        continue
        except OSError:
            pass
        return None

    def summaries(self) -> tuple[GenerationSummary, ...]:
        """All that are not deleted, in the order in which they were kept."""
        return tuple(entry.summary for entry in self._known().values() if not entry.deleted_with)

    def load(self, id: str) -> Generation:
        """One generation, whole.

        Raises:
            TloraError: if there is none of this id, or it cannot be read.
        """
        entry = self._listed(id)
        try:
            record = _read(self._line(entry), entry.offset)
        except DAMAGE as error:
            if isinstance(error, OSError):
                raise unreadable(self.path, error, "") from error
            raise TloraError(
                say("This text is damaged on disk."), say("The others are not; delete it from the list.")
            ) from error
        return replace(record, id=id, name=entry.summary.name, pinned=entry.summary.pinned)

    def origin(self, id: str) -> Recipe | None:
        """What made a generation, if it came from another project and that can be read."""
        entry = self._known().get(id)
        try:
            return read_origin(self._line(entry).decode()) if entry else None
        except DAMAGE:
            return None

    def edit(self, id: str, name: str, pinned: bool) -> None:
        """Name and pin a generation.

        Raises:
            TloraError: if there is none of this id.
        """
        self._listed(id)
        self._append_edit(_Edit(id, name, pinned))

    def delete(self, id: str) -> None:
        """Take a generation and what branches off it out of the list.

        Raises:
            TloraError: if there is none of this id.
        """
        self._listed(id)
        taken = {id}
        for entry in self._known().values():
            if not entry.deleted_with and entry.summary.parent in taken:
                taken.add(entry.summary.id)
        self._append_edit(_Edit(id, deleted=tuple(taken)))

    def restore(self, id: str) -> None:
        """Bring back what :meth:`delete` took out, if it did."""
        taken = tuple(each for each, entry in self._known().items() if entry.deleted_with == id)
        if taken:
            self._append_edit(_Edit(id, restored=taken))

    def _known(self) -> dict[str, _Entry]:
        """All generations, deleted ones too, after a look at what is new in the file."""
        try:
            with self.path.open("rb", buffering=2**20) as file:
                if file.seek(0, os.SEEK_END) < self._read_to:
                    self._entries, self._read_to = {}, 0
                file.seek(self._read_to)
                for line in file:
                    _take(self._entries, line, self._read_to)
                    self._read_to += len(line) if line.endswith(b"\n") else 0
        except OSError:
            self._entries, self._read_to = {}, 0
        return self._entries

    def _listed(self, id: str) -> _Entry:
        entry = self._known().get(id)
        if entry is None or entry.deleted_with:
            raise TloraError(say("This text is not kept in the project."), say("Choose another one."))
        return entry

    def _line(self, entry: _Entry) -> bytes:
        with self.path.open("rb") as file:
            file.seek(entry.offset)
            return file.readline()

    def _append_edit(self, edit: _Edit) -> None:
        fields = {name: value for name, value in asdict(edit).items() if value not in (None, ())}
        self._append(json.dumps(fields))

    def _append(self, line: str) -> None:
        """Write a line durably; one that was cut off before it stays alone."""
        if self.require_writable is None:
            return
        self.require_writable()
        with patiently(lambda: self.path.open("a+b")) as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 1))
            start = "" if file.read(1) in (b"", b"\n") else "\n"
            file.write(f"{start}{line}\n".encode())
            file.flush()
            patiently(lambda: os.fsync(file.fileno()))


def _take(entries: dict[str, _Entry], line: bytes, offset: int) -> None:
    """Take up what a line says, if it says something."""
    try:
        if line.startswith(_EDIT):
            _apply(entries, _read_edit(line))
        else:
            summary = read_summary(line.decode())
            id = summary.id or _made_up(offset)
            parent = summary.parent if summary.parent in entries else ""  # branches come after what they branch off
            entries.setdefault(id, _Entry(replace(summary, id=id, parent=parent), offset))
    except DAMAGE:
        pass


def _apply(entries: dict[str, _Entry], edit: _Edit) -> None:
    one = entries.get(edit.edit)
    if one and edit.name is not None and edit.pinned is not None:
        one.summary = replace(one.summary, name=edit.name, pinned=edit.pinned)
    for id in edit.deleted + edit.restored:
        if id in entries:
            entries[id].deleted_with = edit.edit if id in edit.deleted else ""


def _edited(record: Generation, latest_first: list[_Edit]) -> Generation | None:
    """A generation after what later lines say about it; None if it is deleted."""
    entries = {record.id: _Entry(summary_of(record), 0)}
    for edit in reversed(latest_first):
        _apply(entries, edit)
    one = entries[record.id]
    return None if one.deleted_with else replace(record, name=one.summary.name, pinned=one.summary.pinned)


def _read(line: bytes, offset: int) -> Generation:
    record = read_generation_line(line.decode())
    return record if record.id else replace(record, id=_made_up(offset))


def _read_edit(line: bytes) -> _Edit:
    edit: _Edit = reader(_Edit)(json.loads(line))
    return edit


def _made_up(offset: int) -> str:
    """The id of a line that was written when generations had none: its offset, which never changes."""
    return f"at{offset}"


def _lines_backwards(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """The lines of a file from the last to the first, (offset, line), read in ever larger pieces from its end."""
    end, size, rest = file.seek(0, os.SEEK_END), _PIECE, b""
    while end:
        start = max(0, end - size)
        file.seek(start)
        offset = end + len(rest)
        rest, *lines = (file.read(end - start) + rest).split(b"\n")
        for line in reversed(lines):
            offset -= len(line)
            yield offset, line
            offset -= 1
        end, size = start, 2 * size
    yield 0, rest
