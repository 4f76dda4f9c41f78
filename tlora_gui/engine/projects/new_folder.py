"""Folders for new projects: made and locked, or taken back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import BaseFileLock

from tlora_gui.engine.projects.migration import INDEX
from tlora_gui.engine.projects.project_lock import LOCK_FILE, OWNER_FILE, lock_project
from tlora_gui.engine.protocol.errors import TloraError, cause
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.storage.disk import require_utf8

_LEFT_OVER = re.compile(r"\.lock|\.lock-owner|\..*\.partial")


def is_free(path: Path) -> bool:
    """Whether a project can be made there: nothing is, or a folder with no more than a stopped attempt leaves.

    Raises:
        TloraError: if the place cannot be looked at.
    """
    try:
        if path.is_dir():
            return all(_LEFT_OVER.fullmatch(entry.name) for entry in path.iterdir())
        return not path.exists()
    except OSError as error:
        raise cannot_be_made(path, error) from error


def require_free(path: Path) -> None:
    """Refuse a place where something is.

    Raises:
        TloraError: if it is no place for a new project.
    """
    if not is_free(path):
        raise TloraError(say("{path} is not empty.", path=path), say("Choose a new or empty folder for the project."))


def make_folder(path: Path) -> list[Path]:
    """Make a new project's folder, if it is not there and empty.

    Returns:
        the folders that were made, it and its parents, the deepest first.

    Raises:
        TloraError: if it is no place for a new project.
    """
    require_utf8(path)
    require_free(path)
    try:
        missing = [folder for folder in (path, *path.parents) if not folder.exists()]
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_be_made(path, error) from error
    return missing


@contextmanager
def new_folder(path: Path) -> Iterator[tuple[BaseFileLock | None, list[Path]]]:
    """Make a new project's folder and lock it; both are taken back if what is done there fails.

    Gives the lock, for the caller to release, and the folders that were made, as :func:`make_folder` does.

    Raises:
        TloraError: if it is no place for a new project, or another session makes one there.
    """
    made, lock = make_folder(path), None
    try:
        lock = lock_project(path)
        require_free(path)  # now that nobody else can write there
        yield lock, made
    except BaseException:
        if lock is not None:
            lock.release()
            remove_unused(path, made)
        raise


def remove_unused(path: Path, made: list[Path]) -> None:
    """Take away an unused project, and the folders that were made for it as far as they are empty."""
    with suppress(OSError):
        for name in (INDEX, LOCK_FILE, OWNER_FILE):
            (path / name).unlink(missing_ok=True)
        for folder in made:
            folder.rmdir()


def cannot_be_made(path: Path, error: OSError) -> TloraError:
    """What to say where a folder for a project is refused."""
    return TloraError(
        say("{path} cannot be made: {reason}.", path=path, reason=cause(error)), say("Choose a folder of yours.")
    )
