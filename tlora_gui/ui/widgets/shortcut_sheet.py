"""Every key that does something, on one page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QMainWindow, QVBoxLayout

from tlora_gui.ui.widgets.commands import commands_of
from tlora_gui.ui.widgets.key_caps import KeyCaps
from tlora_gui.ui.widgets.layouts import DIALOG_MARGINS, column, label, row

Entry = tuple[str, str]
"""Keys, and what they do."""
Group = tuple[str, list[Entry]]

_WIDTH = 832
_HEADING_ROWS = 2
"""Rows that a group's heading and the space above it are worth."""


class ShortcutSheet(QDialog):
    """Shortcuts of the window's menus, and other keys, grouped in two columns. Show with ``open()``.

    ``extra`` are (group, keys, what they do); keys pressed together are joined by "+", others are divided by a space.
    A group may be a menu's name.
    """

    def __init__(self, window: QMainWindow, extra: Sequence[tuple[str, str, str]] = ()) -> None:
        super().__init__(window)
        self.setObjectName("shortcutSheet")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Keyboard shortcuts"))
        groups: dict[str, list[Entry]] = {}
        for command in commands_of(window):
            if command.keys:
                groups.setdefault(command.group, []).append((command.keys, command.name.removesuffix("…")))
        for group, keys, what in extra:
            groups.setdefault(group, []).append((keys, what))
        sheet = row(*(_side(part) for part in in_two(groups.items())), spacing=40)
        for side in range(sheet.count()):
            sheet.setStretch(side, 1)
        buttons = QDialogButtonBox()
        close = buttons.addButton(self.tr("Close"), QDialogButtonBox.ButtonRole.RejectRole)
        close.setObjectName("closeSheetButton")
        close.setToolTip(self.tr("Close this page; so do Esc, F1 and ?"))
        buttons.rejected.connect(self.reject)
        whole = column(sheet, None, buttons, spacing=12, margins=DIALOG_MARGINS)
        whole.addStrut(_WIDTH)
        self.setLayout(whole)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_F1, Qt.Key.Key_Question):
            self.reject()
        else:
            super().keyPressEvent(event)


def in_two(groups: Iterable[Group]) -> tuple[list[Group], list[Group]]:
    """Groups in two columns: each goes to the one that is shorter so far."""
    columns: tuple[list[Group], list[Group]] = ([], [])
    for group in groups:
        min(columns, key=_height).append(group)
    return columns


def _height(groups: list[Group]) -> int:
    return sum(_HEADING_ROWS + len(entries) for _, entries in groups)


def _side(groups: list[Group]) -> QVBoxLayout:
    side = column(spacing=2)
    for group, entries in groups:
        heading = label(group, "title")
        heading.setContentsMargins(0, 8 if side.count() else 0, 0, 2)
        side.addWidget(heading)
        for keys, what in entries:
            side.addLayout(row(label(what), None, KeyCaps(keys), spacing=12))
    side.addStretch(1)
    return side
