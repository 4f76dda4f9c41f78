"""Folders that were deleted and can come back: they lie aside, each with a record of when, until the trash is emptied.

What is read may come from a stranger. A folder without a record, as a crash or an older version leaves it, is listed
by its name.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from tlora_gui.engine.projects.records import check_time
from tlora_gui.engine.storage.disk import DAMAGE, read_json, remove_folder, rename, require_inside, write_text
from tlora_gui.engine.storage.typed_json import reader

RECORD = "deleted.json"
_MOST = 10_000
_MAX_ID = 255


@dataclass(frozen=True, slots=True)
class _Record:
    id: str
    deleted: float


@dataclass(frozen=True, slots=True)
class Thrown:
    """A deleted folder.

    Attributes:
        id: what it was in the project: an epoch's slug, a run's id.
        deleted: seconds since 1970; 0 if nobody knows.
        size: bytes of its files.
    """

    folder: Path
    id: str
    deleted: float = 0.0
    size: int = 0


def put(folder: Path, trash: Path, id: str) -> None:
    """Move a folder into another one, where it can be found again by ``id``. Raises OSError if it stays."""
    trash.mkdir(exist_ok=True)
    rename(folder, trash / folder.name)
    with suppress(OSError):
        write_text(trash / folder.name / RECORD, json.dumps(asdict(_Record(id, time.time()))))


def take_back(folder: Path, target: Path) -> None:
    """Undo :func:`put`. Raises OSError if it stays."""
    rename(folder, target)
    forget(target)


def forget(folder: Path) -> None:
    """A folder is no deleted one any more."""
    with suppress(OSError):
        (folder / RECORD).unlink(missing_ok=True)


def thrown_in(trash: Path) -> list[Thrown]:
    """The numbered folders in a folder, the one deleted last first."""
    found = (path for path in trash.glob("[0-9]*-*") if path.name.partition("-")[0].isdecimal() and path.is_dir())
    return sorted(map(_read, islice(found, _MOST)), key=lambda thrown: (-thrown.deleted, thrown.folder.name))


def remove(thrown: Thrown) -> None:
    """Take it away for good. Raises OSError."""
    if thrown.folder.is_symlink():
        thrown.folder.unlink()
    else:
        remove_folder(thrown.folder)


def _read(folder: Path) -> Thrown:
    id = folder.name.partition("-")[2] or folder.name
    if folder.is_symlink():
        return Thrown(folder, id)
    size = deleted = 0.0
    with suppress(OSError), os.scandir(folder) as entries:
        size = sum(entry.stat(follow_symlinks=False).st_size for entry in entries)
    with suppress(*DAMAGE):
        require_inside(folder / RECORD, folder)
        record: _Record = reader(_Record)(read_json(folder / RECORD))
        check_time(record.deleted)
        id, deleted = record.id[:_MAX_ID] or id, record.deleted
    return Thrown(folder, id, deleted, int(size))
