"""What can be done from the menus, as a list."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu


@dataclass(frozen=True, slots=True)
class Command:
    """An action and the menu it is in, as "View › Theme"."""

    action: QAction
    group: str

    @property
    def name(self) -> str:
        """Its text without mnemonics."""
        return plain(self.action.text())

    @property
    def keys(self) -> str:
        """Its shortcuts as this system writes them, divided by a space; empty if it has none."""
        native = QKeySequence.SequenceFormat.NativeText
        return " ".join(keys.toString(native) for keys in self.action.shortcuts())

    @property
    def explanation(self) -> str:
        """What its tooltip or status tip adds to its name; for a disabled one, why it is."""
        tip = self.action.statusTip() or self.action.toolTip()
        return "" if _bare(tip) == _bare(self.name) else tip


def commands_of(window: QMainWindow) -> list[Command]:
    """Every visible action of a window's menus, in their order; menus that fill when they open are filled."""
    menus = [action.menu() for action in window.menuBar().actions()]
    return [command for menu in menus if isinstance(menu, QMenu) for command in _within(menu, "")]


def plain(text: str) -> str:
    """A menu's text without its mnemonic.

    >>> plain("&Search && replace…")
    'Search & replace…'
    """
    return "&".join(part.replace("&", "") for part in text.split("&&"))


def _within(menu: QMenu, above: str) -> list[Command]:
    menu.aboutToShow.emit()
    group = f"{above} › {plain(menu.title())}" if above else plain(menu.title())
    found: list[Command] = []
    for action in menu.actions():
        inner = action.menu()
        if isinstance(inner, QMenu):
            found += _within(inner, group)
        elif action.isVisible() and not action.isSeparator():
            found.append(Command(action, group))
    return found


def _bare(text: str) -> str:
    return plain(text).rstrip("….")
