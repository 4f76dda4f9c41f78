"""What a screen reader finds: the role, name and value of a widget, and of the items in it."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtWidgets import QWidget

_TOLD = (QAccessible.Text.Description, QAccessible.Text.Value)
_ITEMS = (QAccessible.Role.ListItem, QAccessible.Role.Cell, QAccessible.Role.TreeItem)
_HEADERS = (QAccessible.Role.ColumnHeader, QAccessible.Role.RowHeader)


def tree(widget: QWidget) -> list[str]:
    """A widget and all items and headers in it, one a line: role, name, then what else is told of it."""
    found = QAccessible.queryAccessibleInterface(widget)
    return [_line(found), *(f"  {_line(item)}" for item in _below(found, _ITEMS + _HEADERS))]


def items_of(widget: QWidget) -> list[str]:
    """The names of the items in a widget, line by line."""
    found = QAccessible.queryAccessibleInterface(widget)
    return [item.text(QAccessible.Text.Name) for item in _below(found, _ITEMS)]


def _below(above: QAccessibleInterface, roles: tuple[QAccessible.Role, ...]) -> Iterator[QAccessibleInterface]:
    children = (above.child(number) for number in range(above.childCount()))
    return (child for child in children if child is not None and child.isValid() and child.role() in roles)


def _line(found: QAccessibleInterface) -> str:
    told = [found.text(QAccessible.Text.Name), *filter(None, map(found.text, _TOLD))]
    return f"{found.role().name} {' | '.join(told)}".strip()
