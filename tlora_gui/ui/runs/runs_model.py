"""Runs as the rows of a table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QWidget

from tlora_gui.engine.protocol.events import Run
from tlora_gui.ui.formats import date_and_time, human_duration, localised, loss_text
from tlora_gui.ui.generation.token_view.swatch import dot_icon
from tlora_gui.ui.runs.run_facts import end_words, run_number
from tlora_gui.ui.translation import worded

Index = QModelIndex | QPersistentModelIndex
ID, SORT = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
NAME = 1
"""The column that carries a run's colour."""

_NUMBERS = (0, 3, 4, 5)

_TOP = QModelIndex()


class RunsModel(QAbstractTableModel):
    """The role ID gives a run's id, SORT what a column is sorted by."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs: tuple[Run, ...] = ()
        self._colours: Mapping[str, str] = {}
        self._headings = (
            self.tr("Run"), self.tr("Epoch"), self.tr("Started"), self.tr("Duration"), self.tr("Steps"),
            self.tr("Held-out"), self.tr("Ended"),
        )  # fmt: skip

    def set_runs(self, runs: Sequence[Run]) -> None:
        """Show these instead of those before."""
        self.beginResetModel()
        self._runs = tuple(runs)
        self.endResetModel()

    def set_colours(self, colours: Mapping[str, str]) -> None:
        """Runs by id that are drawn in a colour."""
        self._colours = colours
        if self._runs:
            last = self.index(len(self._runs) - 1, NAME)
            self.dataChanged.emit(self.index(0, NAME), last, [Qt.ItemDataRole.DecorationRole])

    def rowCount(self, parent: Index = _TOP) -> int:
        return 0 if parent.isValid() else len(self._runs)

    def columnCount(self, parent: Index = _TOP) -> int:
        return 0 if parent.isValid() else len(self._headings)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        return self._headings[section] if orientation == Qt.Orientation.Horizontal else ""

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        run, column = self._runs[index.row()], index.column()
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._text(run, column)
            case Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(column)
            case Qt.ItemDataRole.DecorationRole if column == NAME:
                return dot_icon(self._colours.get(run.id, ""))
            case Qt.ItemDataRole.ToolTipRole if column == len(self._headings) - 1:
                return worded(run.reason or run.epoch.note)
            case _ if role == ID:
                return run.id
            case _ if role == SORT:
                return self._key(run, column)
            case _:
                return None

    def _text(self, run: Run, column: int) -> str:
        if run.ended == "broken" and 2 <= column <= 5:
            return ""
        match column:
            case 0:
                return str(run_number(run))
            case 1:
                return run.epoch.name
            case 2:
                return date_and_time(run.started)
            case 3:
                return human_duration(run.seconds)
            case 4:
                return localised(f"{run.step:,} / {run.total_steps:,}")
            case 5:
                return "" if run.epoch.held_out_loss is None else loss_text(run.epoch.held_out_loss)
            case _:
                return end_words(run.ended)

    def _key(self, run: Run, column: int) -> float | str:
        match column:
            case 0:
                return run_number(run)
            case 1:
                return run.epoch.name.casefold()
            case 2:
                return run.started
            case 3:
                return run.seconds
            case 4:
                return run.step
            case 5:
                return math.inf if run.epoch.held_out_loss is None else run.epoch.held_out_loss
            case _:
                return end_words(run.ended)


def _alignment(column: int) -> Qt.AlignmentFlag:
    """Numbers stand at the right, and so do their headings."""
    flags = Qt.AlignmentFlag
    return (flags.AlignRight if column in _NUMBERS else flags.AlignLeft) | flags.AlignVCenter
