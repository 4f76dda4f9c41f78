"""Where something can be exported to, known before it is there. Imports neither torch nor Qt."""

from __future__ import annotations

import os
from pathlib import Path

from tlora_gui.engine.corpus.files import is_project
from tlora_gui.engine.protocol.errors import TloraError, cause
from tlora_gui.engine.protocol.sentences import say

_KINDS = {".html": "html", ".htm": "html", ".json": "json", ".md": "md"}


def export_kind(path: Path) -> str:
    """The kind of file that a text becomes at ``path``: "html", "json" or "md", by its ending.

    Raises:
        TloraError: if a text is not exported as that, or no file can be written there.
    """
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        ending = path.suffix[:20] or say("a file without ending")
        raise TloraError(say("A text is not exported as {ending}.", ending=ending), say("Use .html, .json, .md."))
    try:
        if path.is_dir():
            raise TloraError(say("{path} cannot be written: it is a folder.", path=path), say("Choose another name."))
        if not path.parent.is_dir():
            raise TloraError(
                say("{path} cannot be written: there is no folder {folder}.", path=path, folder=path.parent.name),
                say("Choose another place."),
            )
        require_place(path)
    except OSError as error:
        raise _cannot_be_written(path, error) from error
    return kind


def require_place(path: Path) -> None:
    """Refuse to write a file or folder, and the folders that it is to lie in, where that cannot be.

    Raises:
        TloraError: if it lies in a project, or is not allowed.
    """
    try:
        if project := next((folder for folder in path.parents if is_project(folder)), None):
            raise TloraError(
                say("{path} cannot be written: it lies in the project {name}.", path=path, name=project.name),
                say("Choose another place."),
            )
        there = next(each for each in (path, *path.parents) if each.exists())
        if not os.access(there, os.W_OK):
            raise TloraError(
                say("{path} cannot be written: permission denied.", path=path), say("Choose another place.")
            )
    except OSError as error:
        raise _cannot_be_written(path, error) from error


def _cannot_be_written(path: Path, error: OSError) -> TloraError:
    return TloraError(
        say("{path} cannot be written: {reason}.", path=path, reason=cause(error)), say("Choose another place.")
    )
