"""Prompts and what came of them, kept as lines of a file that grows until its trash is emptied.

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

from tlora_gui.engine.projects.migration import FORMAT_VERSION, line_of
from tlora_gui.engine.projects.recipe import Recipe
from tlora_gui.engine.projects.records import (
    check_time,
    generation_line,
    read_generation_line,
    read_origin,
    read_summary,
    summary_of,
)
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import GenerationFinished, TrashItem
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.protocol.texts import Generation, GenerationSummary
from tlora_gui.engine.storage.disk import DAMAGE, patiently, unreadable, write_file
from tlora_gui.engine.storage.typed_json import reader

_PIECE = 2**16
_EDIT = b'{"edit": '
_TITLE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class _Edit:
    """A line about the generation ``edit``; ``deleted``, at the time ``at``, and ``restored`` are it and what branches
    off it.
    """

    edit: str
    name: str | None = None
    pinned: bool | None = None
    deleted: tuple[str, ...] = ()
    restored: tuple[str, ...] = ()
    at: float | None = None


@dataclass(slots=True)
class _Entry:
    """A generation, where its line is, and the id that it was deleted with and when, if it was."""

    summary: GenerationSummary
    offset: int
    size: int = 0
    deleted_with: str = ""
    deleted: float = 0.0


@dataclass(slots=True)
class GenerationStore:
    """The file ``path``. What was read of it is remembered without tokens, so that only new lines are read again.

    ``require_writable`` raises where nothing can be written any more; with None nothing ever is. ``format`` is what the
    project is written in.
    """

    path: Path
    require_writable: Callable[[], None] | None = field(default=lambda: None, compare=False, repr=False)
    format: int = FORMAT_VERSION
    _entries: dict[str, _Entry] = field(default_factory=dict)
    _read_to: int = 0
    _file: int = 0

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
                            continue
                        record = read_generation_line(line_of(line, offset, self.format).decode())
                        if (found := _edited(record, edits)) is not None:
                            return found
                    except DAMAGE:
                        continue
        except OSError:
            pass
        return None

    def summaries(self) -> tuple[GenerationSummary, ...]:
        """All that are not deleted, in the order in which they were kept."""
        known = self._known()
        listed = (entry.summary for entry in known.values() if not entry.deleted_with)
        return tuple(
            replace(each, parent="") if each.parent and known[each.parent].deleted_with else each for each in listed
        )

    def load(self, id: str) -> Generation:
        """One generation, whole.

        Raises:
            TloraError: if there is none of this id, or it cannot be read.
        """
        entry = self._listed(id)
        try:
            record = read_generation_line(self._line(entry).decode())
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
        self._append_edit(_Edit(id, deleted=tuple(taken), at=time.time()))

    def restore(self, id: str) -> None:
        """Bring back what :meth:`delete` took out, if it did.

        Raises:
            TloraError: if it is not there any more.
        """
        known = self._known()
        taken = tuple(each for each, entry in known.items() if entry.deleted_with == id)
        if taken:
            self._append_edit(_Edit(id, restored=taken))
        elif id not in known or known[id].deleted_with:
            raise TloraError(say("This text is not in the trash."), say("Choose another one."))

    def trash(self) -> list[TrashItem]:
        """The deleted generations, each with what branches off it."""
        gone: dict[str, list[_Entry]] = {}
        for entry in self._known().values():
            if entry.deleted_with:
                gone.setdefault(entry.deleted_with, []).append(entry)
        return [
            TrashItem(
                "text",
                id,
                " ".join((one.name or one.prompt or one.text).split())[:_TITLE_LENGTH],
                entries[0].deleted,
                sum(entry.size for entry in entries),
                len(entries) - 1,
            )
            for id, entries in gone.items()
            for one in [entries[0].summary]  # it was kept before what branches off it
        ]

    def empty_trash(self) -> None:
        """Take the deleted generations away for good.

        Raises:
            TloraError, OSError: if the file cannot be written.
        """
        known = {entry.offset: id for id, entry in self._known().items()}
        if self.require_writable is None or not self.trash():
            return
        self.require_writable()

        def write(partial: Path) -> None:
            offset = 0
            with self.path.open("rb") as file, partial.open("wb") as kept:
                for line in file:
                    kept.write(self._after_emptying(line, known.get(offset, "")))
                    offset += len(line)

        write_file(self.path, write)

    def _after_emptying(self, line: bytes, id: str) -> bytes:
        """A line as it is once the trash is empty; nothing if it is about what is deleted."""
        try:
            if line.startswith(_EDIT):
                edit = _read_edit(line)
                one = self._entries.get(edit.edit)
                return line if edit.name is not None and one is not None and not one.deleted_with else b""
            if id and self._entries[id].deleted_with:
                return b""
        except DAMAGE:
            pass
        return line

    def _known(self) -> dict[str, _Entry]:
        """All generations, deleted ones too, after a look at what is new in the file."""
        try:
            with self.path.open("rb", buffering=2**20) as file:
                number = os.fstat(file.fileno()).st_ino
                if file.seek(0, os.SEEK_END) < self._read_to or number != self._file:  # its trash was emptied
                    self._entries, self._read_to, self._file = {}, 0, number
                file.seek(self._read_to)
                for line in file:
                    _take(self._entries, line_of(line, self._read_to, self.format), self._read_to)
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
            return line_of(file.readline(), entry.offset, self.format)

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
            parent = summary.parent if summary.parent in entries else ""  # branches come after what they branch off
            entries.setdefault(summary.id, _Entry(replace(summary, parent=parent), offset, len(line)))
    except DAMAGE:
        pass


def _apply(entries: dict[str, _Entry], edit: _Edit) -> None:
    one = entries.get(edit.edit)
    if one and edit.name is not None and edit.pinned is not None:
        one.summary = replace(one.summary, name=edit.name, pinned=edit.pinned)
    for id in edit.deleted + edit.restored:
        if id in entries:
            entries[id].deleted_with = edit.edit if id in edit.deleted else ""
            entries[id].deleted = edit.at or 0.0


def _edited(record: Generation, latest_first: list[_Edit]) -> Generation | None:
    """A generation after what later lines say about it; None if it is deleted."""
    entries = {record.id: _Entry(summary_of(record), 0)}
    for edit in reversed(latest_first):
        _apply(entries, edit)
    one = entries[record.id]
    return None if one.deleted_with else replace(record, name=one.summary.name, pinned=one.summary.pinned)


def _read_edit(line: bytes) -> _Edit:
    edit: _Edit = reader(_Edit)(json.loads(line))
    check_time(edit.at or 0.0)
    return edit


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
