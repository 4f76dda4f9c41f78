"""Tables of which whole rows are read and chosen."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QTableView

Table = TypeVar("Table", bound=QTableView)


def as_rows(table: Table, name: str, what: str) -> Table:
    """Give a table its object name, what a screen reader calls it, and rows without a grid."""
    table.setObjectName(name)
    table.setAccessibleName(what)
    table.setTabKeyNavigation(False)
    table.setWordWrap(False)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setShowGrid(False)
    table.setProperty("role", "rows")
    table.horizontalHeader().setHighlightSections(False)
    table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(table.fontMetrics().height() + 8)
    return table
