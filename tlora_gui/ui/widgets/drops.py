"""What a drag from the file manager carries."""

from __future__ import annotations

from PySide6.QtCore import QMimeData


def local_paths(data: QMimeData) -> list[str]:
    """Files and folders of this machine in a drag, in its order; empty if it carries none."""
    paths = [url.toLocalFile() for url in data.urls() if url.isLocalFile()]
    return list(dict.fromkeys(path for path in paths if path))
