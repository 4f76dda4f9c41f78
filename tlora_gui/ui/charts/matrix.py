"""The memory matrix: what the mixer still knew of every epoch after every phase, as a heat map with numbers."""

from __future__ import annotations

import math
from html import escape

import numpy as np
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QResizeEvent, QStandardItemModel
from PySide6.QtWidgets import QHeaderView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTableView, QWidget

from tlora_gui.engine.protocol.events import EpochInfo
from tlora_gui.ui.charts.frame import Rows
from tlora_gui.ui.charts.metric_values import Measure, sheet_of
from tlora_gui.ui.charts.series import Matrix
from tlora_gui.ui.formats import localised
from tlora_gui.ui.palette import as_text, blend, readable_on
from tlora_gui.ui.theme import Theme
from tlora_gui.ui.widgets.layouts import column, label
from tlora_gui.ui.widgets.painting import guarded

_NOTHING = np.empty((0, 0))
_EMPTY = Matrix((), (), _NOTHING, _NOTHING, _NOTHING, _NOTHING)
_LARGEST_CELL = QSize(120, 52)
_MOST_FOR_NAMES, _LEAST_FOR_NAMES = 0.36, 0.2
_DOTS_FROM = 36
"""Width from which a name that is cut short ends in "…"; below that, letters say more."""
_CELL = Qt.ItemDataRole.UserRole
"""Role of a cell's number, the one without Active Sleep, and the strength of its colour; NaN for none."""


class _Cell(QStyledItemDelegate):
    """Numbers, as long as they fit, on a ground that is the stronger the better an epoch is remembered."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        self.measure: Measure = "routing"

    @guarded
    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        value, baseline, strength = index.data(_CELL)
        ground = QColor(self.theme.window if math.isnan(value) else self.theme.hover)
        if not math.isnan(strength):
            share = 0.08 + 0.92 * min(max(strength, 0.0), 1.0)
            ground = blend(QColor(self.theme.panel), QColor(self.theme.accent), share)
        area, metrics = QRectF(option.rect).adjusted(1, 1, -1, -1), option.fontMetrics
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        has_keys = bool(option.state & QStyle.StateFlag.State_HasFocus)
        painter.setPen(QPen(QColor(self.theme.text), 2) if has_keys else QPen(Qt.PenStyle.NoPen))
        painter.setBrush(ground)
        painter.drawRoundedRect(area, 4, 4)
        painter.setPen(readable_on(ground))
        painter.setFont(option.font)
        tenths = localised(f"{value:.1f}")
        short = tenths if self.measure == "loss" else _decimals(value).removeprefix("0")
        words = (_decimals(value), short, tenths)
        lines = [text for text in words if metrics.horizontalAdvance(text) <= area.width()][:1]
        below = "" if math.isnan(baseline) else f"({_decimals(baseline)})"
        if lines and area.height() >= 2 * metrics.height() and metrics.horizontalAdvance(below) <= area.width():
            lines.append(below)
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, "\n".join(filter(None, lines)))
        painter.restore()


class MemoryMatrix(QTableView):
    """Phases down, epochs across: routing accuracy, or the loss of the mix, on the epoch's held-out text."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._matrix = _EMPTY
        self._measure: Measure = "routing"
        self._epochs: dict[str, EpochInfo] = {}
        self._sheet = sheet_of(self._matrix, self._measure, self._epochs)
        self._model = QStandardItemModel(self)
        self._cells = _Cell(theme, self)
        self.setModel(self._model)
        self.setItemDelegate(self._cells)
        self.setObjectName("memoryMatrix")
        self.setAccessibleName(self.tr("Memory matrix"))
        self.setProperty("textSize", "caption")
        self.setShowGrid(False)
        self.setCornerButtonEnabled(False)
        self.setTabKeyNavigation(False)
        self.setEditTriggers(QTableView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        for header in (self.horizontalHeader(), self.verticalHeader()):
            header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
            header.setMinimumSectionSize(1)
            header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.verticalHeader().setTextElideMode(Qt.TextElideMode.ElideRight)
        self._after = label(self.tr("after"), "muted")
        self._after.setIndent(0)
        self._after.setParent(self)
        self._note = label("", "muted", wrap=True)
        self._note.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.viewport().setLayout(column(self._note, margins=(8, 4, 8, 4)))

    def set_matrix(self, matrix: Matrix, epochs: dict[str, EpochInfo]) -> None:
        """What to show; ``epochs`` gives names, colours, and the losses of epoch and backbone alone."""
        self._matrix, self._epochs = matrix, epochs
        self._refresh()

    def set_measure(self, measure: Measure) -> None:
        """Show routing accuracy, or the loss of the mix in nats per token."""
        self._measure = self._cells.measure = measure
        self._refresh()

    def apply_theme(self, theme: Theme) -> None:
        self._cells.theme = theme
        self._refresh()

    def _refresh(self) -> None:
        self._sheet = sheet_of(self._matrix, self._measure, self._epochs)
        missing, roles = self._missing(), Qt.ItemDataRole
        phases, epochs = ((), ()) if missing else (self._matrix.phases, self._matrix.epochs)
        self._note.setText(missing)
        self._note.setVisible(bool(missing))
        self._after.setVisible(bool(phases))
        for header in (self.horizontalHeader(), self.verticalHeader()):
            header.setVisible(not missing)
        self.setAccessibleDescription(missing or self._explanation())
        self.setToolTip(_as_tooltip(self._explanation()))
        # In place, so that the cell that the keys are at stays what it is while a training goes on.
        grown = self._model.rowCount() != len(phases)
        self._model.setRowCount(len(phases))
        self._model.setColumnCount(len(epochs))
        for orientation, slugs in ((Qt.Orientation.Vertical, phases), (Qt.Orientation.Horizontal, epochs)):
            for section, slug in enumerate(slugs):
                self._model.setHeaderData(section, orientation, self._name(slug))
                self._model.setHeaderData(section, orientation, self._colour(slug), roles.ForegroundRole)
        for row in range(len(phases)):
            for number in range(len(epochs)):
                cell, words = self._model.index(row, number), self._sentence(row, number)
                cell_values = (self._sheet.values, self._sheet.baseline, self._sheet.strength)
                self._model.setData(cell, tuple(float(each[row, number]) for each in cell_values), _CELL)
                self._model.setData(cell, words.replace("\n", "; "), roles.AccessibleTextRole)
                self._model.setData(cell, _as_tooltip(words) if words else "", roles.ToolTipRole)
        self._share_room()
        if grown:
            self.scrollToBottom()  # where the latest phase is

    def csv_rows(self) -> Rows:
        """Both measures, with and without Active Sleep: one row a phase, one column an epoch."""
        names = [self._name(slug) for slug in self._matrix.epochs]
        rows: Rows = [("measure", "active sleep", "after", *names)]
        for measure, sleep, values in (
            ("routing accuracy", "with", self._matrix.routing),
            ("routing accuracy", "without", self._matrix.baseline),
            ("loss in nats/token", "with", self._matrix.losses),
            ("loss in nats/token", "without", self._matrix.baseline_losses),
        ):
            for slug, row in zip(self._matrix.phases, values, strict=True):
                if np.isfinite(row).any():
                    rows.append((measure, sleep, self._name(slug), *("" if math.isnan(v) else v for v in row.tolist())))
        return rows

    def cell_text(self, phase: str, epoch: str) -> str:
        """What stands in a cell; empty where nothing was measured."""
        row, column = self._matrix.phases.index(phase), self._matrix.epochs.index(epoch)
        return _decimals(self._sheet.values[row, column])

    def cell_tooltip(self, phase: str, epoch: str) -> str:
        """A cell in words; empty where nothing was measured."""
        return self._sentence(self._matrix.phases.index(phase), self._matrix.epochs.index(epoch))

    # -- layout -------------------------------------------------------------------------------------------------

    def least_height(self, width: int) -> int:
        """Height in which it can still be read: a header and a row for each of three to eight phases, or why there is
        nothing."""
        words = self._note.heightForWidth(width - 16) if self._missing() else 0
        return max(words + 8, (1 + min(max(3, len(self._matrix.phases)), 8)) * self._header_height)

    @property
    def _header_height(self) -> int:
        return self.fontMetrics().height() + 4

    def _share_room(self) -> None:
        """Cells share what names leave, between two sizes; names get what they need, up to a share of the whole."""
        across, down, room = self.horizontalHeader(), self.verticalHeader(), self.contentsRect()
        widest = max(map(self.fontMetrics().horizontalAdvance, map(self._name, self._matrix.phases)), default=0)
        least = QSize(self.fontMetrics().horizontalAdvance(localised(".00")) + 4, self.fontMetrics().height())
        names = min(widest + 16, round(_MOST_FOR_NAMES * room.width()))
        names = min(names, max(room.width() - across.count() * least.width(), round(_LEAST_FOR_NAMES * room.width())))
        width = min((room.width() - names) // max(1, across.count()), _LARGEST_CELL.width())
        height = min((room.height() - self._header_height) // max(1, down.count()), _LARGEST_CELL.height())
        bars = Qt.ScrollBarPolicy
        self.setHorizontalScrollBarPolicy(bars.ScrollBarAsNeeded if width < least.width() else bars.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(bars.ScrollBarAsNeeded if height < least.height() else bars.ScrollBarAlwaysOff)
        width, height = max(width, least.width()), max(height, least.height())
        down.setFixedWidth(names)
        down.setDefaultSectionSize(height)
        across.setFixedHeight(self._header_height)
        across.setDefaultSectionSize(width)
        modes = Qt.TextElideMode
        across.setTextElideMode(modes.ElideRight if width >= _DOTS_FROM else modes.ElideNone)
        self.updateGeometries()  # the headers', which have another size now
        corner = QRect(room.topLeft(), QSize(names, self._header_height))
        self._after.setGeometry(QStyle.visualRect(self.layoutDirection(), self.rect(), corner))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_room()

    def _name(self, slug: str) -> str:
        return self._epochs[slug].name if slug in self._epochs else slug

    def _colour(self, slug: str) -> QColor:
        """An epoch's colour, readable as text."""
        theme = self._cells.theme
        colour = self._epochs[slug].colour if slug in self._epochs else theme.muted
        return as_text(colour, QColor(theme.panel), QColor(theme.text))

    # -- words --------------------------------------------------------------------------------------------------

    def _missing(self) -> str:
        """Why there is no value at all."""
        if self._measure == "routing" or np.isfinite(self._sheet.values).any():
            return ""
        return self.tr(
            "No loss of the mix yet. It is measured when an epoch's training ends; epochs of older projects lack it."
        )

    def _explanation(self) -> str:
        if self._measure == "routing":
            return self.tr("Share of each epoch's held-out tokens that the mixer gives to it, after every phase")
        return self.tr(
            "Loss of the mix on each epoch's held-out text after every phase, in nats/token.\n"
            "The stronger a cell, the more of the epoch's gain over the backbone is kept."
        )

    def _sentence(self, row: int, column: int) -> str:
        """A cell in words."""
        value, baseline = self._sheet.values[row, column], self._sheet.baseline[row, column]
        if math.isnan(value):
            return ""
        epoch, phase = self._name(self._matrix.epochs[column]), self._name(self._matrix.phases[row])
        if self._measure == "loss":
            return self._loss_in_words(row, column, phase, epoch)
        text = self.tr("After {phase}: {share} of {epoch}'s held-out tokens go to {epoch}")
        words = text.format(phase=phase, share=_decimals(value), epoch=epoch)
        if math.isnan(baseline):
            return words
        return self.tr("{words}; {share} without Active Sleep").format(words=words, share=_decimals(baseline))

    def _loss_in_words(self, row: int, column: int, phase: str, epoch: str) -> str:
        loss, baseline = self._sheet.values[row, column], self._sheet.baseline[row, column]
        mix = self.tr("the mix has {loss} nats/token").format(loss=_decimals(loss))
        if not math.isnan(baseline):
            mix = self.tr("{words}, {loss} without Active Sleep").format(words=mix, loss=_decimals(baseline))
        text = self.tr("After {phase}, on {epoch}'s held-out text {mix}")
        lines = [text.format(phase=phase, epoch=epoch, mix=mix)]
        info = self._epochs.get(self._matrix.epochs[column])
        if info is None or info.held_out_loss is None or info.backbone_loss is None:
            return lines[0]
        text = self.tr("{epoch} alone has {own}, the backbone alone {backbone}")
        own, backbone = _decimals(info.held_out_loss), _decimals(info.backbone_loss)
        lines.append(text.format(epoch=epoch, own=own, backbone=backbone))
        lines.append(self._gain_in_words(self._sheet.strength[row, column]))
        return "\n".join(lines)

    def _gain_in_words(self, kept: float) -> str:
        if math.isnan(kept):
            return self.tr("The epoch gains nothing over the backbone, so there is nothing to keep")
        if kept < 0:
            return self.tr("The mix is worse here than the backbone: nothing of the epoch's gain is kept")
        return self.tr("{share} % of the epoch's gain over the backbone is kept").format(share=f"{100 * kept:.0f}")


def _decimals(value: float) -> str:
    return "" if math.isnan(value) else localised(f"{value:.2f}")


def _as_tooltip(words: str) -> str:
    return f'<p style="white-space: pre">{escape(words)}</p>'
