"""The curves of a chart as a table: a row a step, a column a curve; cells can be selected and copied."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QHeaderView, QTableView, QWidget

from tlora_gui.ui.charts.series import Curve, Floats
from tlora_gui.ui.charts.style import number
from tlora_gui.ui.formats import localised

Index = QModelIndex | QPersistentModelIndex
_TOP = QModelIndex()


class ValuesModel(QAbstractTableModel):
    """Curves by their names; a cell without a value is empty."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names: tuple[str, ...] = ()
        self._steps: Floats = np.empty(0)
        self._values: Floats = np.empty((0, 0))

    def set_curves(self, curves: Sequence[tuple[str, Curve]]) -> None:
        """Show these. Steps that come after those shown leave selection and scroll position as they are."""
        names = tuple(name for name, _ in curves)
        steps = np.unique(np.concatenate([np.empty(0), *(x for _, (x, _) in curves)]))
        values = np.full((len(steps), len(curves)), np.nan)
        for column, (_, (x, y)) in enumerate(curves):
            values[np.searchsorted(steps, x), column] = y
        shown = len(self._steps)
        if names != self._names or not np.array_equal(steps[:shown], self._steps):
            self.beginResetModel()
            self._names, self._steps, self._values = names, steps, values
            self.endResetModel()
            return
        if len(steps) > shown:
            self.beginInsertRows(_TOP, shown, len(steps) - 1)
        self._steps, self._values = steps, values
        if len(steps) > shown:
            self.endInsertRows()
        if shown:
            self.dataChanged.emit(self.index(0, 0), self.index(shown - 1, len(names)))

    def rowCount(self, parent: Index = _TOP) -> int:
        return 0 if parent.isValid() else len(self._steps)

    def columnCount(self, parent: Index = _TOP) -> int:
        return 0 if parent.isValid() or not self._names else 1 + len(self._names)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return self.text(index.row(), index.column()) if role == Qt.ItemDataRole.DisplayRole else None

    def text(self, row: int, column: int) -> str:
        """What a cell shows."""
        if column == 0:
            return f"{self._steps[row]:.0f}"
        value = self._values[row, column - 1]
        return "" if np.isnan(value) else number(value)

    def exact(self, row: int, column: int) -> str:
        """The value of a cell to seven digits, with the window's decimal sign."""
        shown = self.text(row, column)
        return localised(f"{self._values[row, column - 1]:.7g}") if column and shown else shown

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        if orientation == Qt.Orientation.Vertical:
            return ""  # the step is a column, so that it is copied too
        return self._names[section - 1] if section else self.tr("Step")


class ValuesTable(QTableView):
    """Shows a :class:`ValuesModel`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("valuesTable")
        self.setProperty("role", "rows")
        self.setProperty("textSize", "caption")
        self.values = ValuesModel(self)
        self.setModel(self.values)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 4)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setResizeContentsPrecision(0)  # of rows in sight alone: there may be very many
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        copy = QAction(self.tr("Copy"), self)
        copy.setShortcut(QKeySequence(QKeySequence.StandardKey.Copy))
        copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        copy.triggered.connect(self.copy)
        self.addAction(copy)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)

    def copy(self) -> None:
        """Put what is selected on the clipboard, under its headings, so that a spreadsheet takes it as a table."""
        chosen = self.selectionModel().selectedIndexes()
        if not chosen:
            return
        columns = sorted({index.column() for index in chosen})
        cells = {(index.row(), index.column()) for index in chosen}
        header = self.values.headerData
        lines = [[str(header(column, Qt.Orientation.Horizontal)) for column in columns]]
        lines += [
            [self.values.exact(line, column) if (line, column) in cells else "" for column in columns]
            for line in sorted({index.row() for index in chosen})
        ]
        QGuiApplication.clipboard().setText("\n".join("\t".join(line) for line in lines))
