"""Tables of which whole rows are read and chosen."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtWidgets import QAbstractItemView, QTableView

Table = TypeVar("Table", bound=QTableView)


def choose_row(table: QTableView, number: int) -> None:
    """Choose a row, whatever key is held: Qt's own ``selectRow`` takes Ctrl for a click that changes one row."""
    flags = QItemSelectionModel.SelectionFlag
    index = table.model().index(number, 0)
    table.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)


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
