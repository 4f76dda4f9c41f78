"""Signs on buttons and cards."""

from __future__ import annotations

from PySide6.QtGui import QIcon

from tlora_gui.paths import resource


def icon(name: str) -> QIcon:
    """One of the signs in ``resources/icons``, sharp at every scale; their grey can be seen in both themes."""
    return QIcon(str(resource(f"icons/{name}.svg")))
