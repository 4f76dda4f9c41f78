"""What a drag from the file manager carries: its paths, and what each of them is, whichever way it came."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from typing import Any, Literal

from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QDropEvent

from tlora_gui.engine.protocol.config import ARCHIVE_ENDING, ARCHIVE_MIME

Kind = Literal["project", "packed project", "backbone", "adapter", "saved text", "other"]

_SAVED_TEXT = re.compile(rb'(\xef\xbb\xbf)?\s*\{\s*"format"\s*:\s*"tlora-generation"')
_PACKED = b"PK\x03\x04", b"mimetype" + ARCHIVE_MIME.encode()
"""What stands at the beginning of a packed project, and 30 bytes later."""
_LARGEST = 2**20
"""Bytes of a project's index or a model's configuration; what is larger is neither."""
_LISTING = 2**16
"""Bytes at the end of a .zip in which a few files are listed."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """Something at ``path``. ``other`` is text, as far as can be seen from outside."""

    path: str
    kind: Kind

    @property
    def name(self) -> str:
        """Of the file or folder."""
        return os.path.basename(os.path.normpath(self.path))


def local_paths(data: QMimeData) -> list[str]:
    """Files and folders of this machine in a drag, in its order; empty if it carries none."""
    paths = [url.toLocalFile() for url in data.urls() if url.isLocalFile()]
    return list(dict.fromkeys(path for path in paths if path))


def take_copy(event: QDropEvent) -> None:
    """Accept a drag or a drop; what is there stays there, though its source proposes to move it."""
    if event.possibleActions() & Qt.DropAction.CopyAction:
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
    else:
        event.acceptProposedAction()


def recognise(path: str) -> Dropped:
    """What lies at a path. A project's index stands for its project; what cannot be looked at is ``other``."""
    folder, name = os.path.split(path)
    if name == "project.json" and _is_project(folder):
        return Dropped(folder, "project")
    if os.path.isdir(path):
        return Dropped(path, _kind_of_folder(path))
    beginning = _beginning(path, 256)
    if beginning.startswith(b"GGUF") or name.lower().endswith(".gguf"):
        return Dropped(path, "backbone")
    if name.lower().endswith(ARCHIVE_ENDING) or (beginning[:4], beginning[30 : 30 + len(_PACKED[1])]) == _PACKED:
        return Dropped(path, "packed project")
    if beginning.startswith(b"PK\x03\x04") and b"adapter_config.json" in _end(path):
        return Dropped(path, "adapter")
    return Dropped(path, "saved text" if _SAVED_TEXT.match(beginning) else "other")


def _kind_of_folder(path: str) -> Kind:
    if _is_project(path):
        return "project"
    config = _parsed(path, "config.json")
    if "model_type" in config or "architectures" in config:
        return "backbone"
    return "adapter" if "peft_type" in _parsed(path, "adapter_config.json") else "other"


def _is_project(folder: str) -> bool:
    index = _parsed(folder, "project.json")
    return "format_version" in index and "epochs" in index


def _parsed(folder: str, name: str) -> dict[str, Any]:
    data = _beginning(os.path.join(folder, name), _LARGEST)
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _end(path: str) -> bytes:
    """Of a .zip, where it tells what is in it."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.path.getsize(path) - _LISTING))
            return file.read(_LISTING)
    except OSError:
        return b""


def _beginning(path: str, size: int) -> bytes:
    if not os.path.isfile(path):  # a pipe would never end
        return b""
    try:
        with open(path, "rb") as file:
            return file.read(size)
    except OSError:
        return b""
