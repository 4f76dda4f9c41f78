"""The memory matrix: what the mixer still knew of every epoch after every phase, as a heat map with numbers."""

from __future__ import annotations

import math
from html import escape

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QToolTip, QWidget

from tlora_gui.engine.protocol.events import EpochInfo
from tlora_gui.ui.charts.figures import Measure, sheet_of
from tlora_gui.ui.charts.frame import Rows
from tlora_gui.ui.charts.series import Matrix
from tlora_gui.ui.charts.style import line_colour
from tlora_gui.ui.palette import blend, readable_on
from tlora_gui.ui.theme import Theme
from tlora_gui.ui.widgets.formats import localised
from tlora_gui.ui.widgets.painting import guarded

_NOTHING = np.empty((0, 0))
_EMPTY = Matrix((), (), _NOTHING, _NOTHING, _NOTHING, _NOTHING)
_LARGEST_CELL = QSize(120, 52)
_MOST_FOR_NAMES = 0.34
_DOTS_FROM = 36
"""Width from which a name that is cut short ends in "…"; below that, letters say more."""


class MemoryMatrix(QWidget):
    """Phases down, epochs across: routing accuracy, or the loss of the mix, on the epoch's held-out text."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("memoryMatrix")
        self.setAccessibleName(self.tr("Memory matrix"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._matrix = _EMPTY
        self._measure: Measure = "routing"
        self._epochs: dict[str, EpochInfo] = {}
        self._sheet = sheet_of(self._matrix, self._measure, self._epochs)
        self._theme = theme
        self.setProperty("textSize", "small")

    def set_matrix(self, matrix: Matrix, epochs: dict[str, EpochInfo]) -> None:
        """What to show; ``epochs`` gives names, colours, and the losses of epoch and backbone alone."""
        self._matrix, self._epochs = matrix, epochs
        self._refresh()

    def set_measure(self, measure: Measure) -> None:
        """Show routing accuracy, or the loss of the mix in nats per token."""
        self._measure = measure
        self._refresh()

    def _refresh(self) -> None:
        self._sheet = sheet_of(self._matrix, self._measure, self._epochs)
        sentences = [self._sentence(row, column).replace("\n", "; ") for row, column in self._cells()]
        self.setAccessibleDescription(". ".join(filter(None, sentences)) or self._missing())
        self.update()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def csv_rows(self) -> Rows:
        """Both measures, with and without Active Sleep: one row a phase, one column an epoch."""
        names = [self._name(slug) for slug in self._matrix.epochs]
        rows: Rows = [("measure", "active sleep", "after", *names)]
        for measure, label, values in (
            ("routing accuracy", "with", self._matrix.routing),
            ("routing accuracy", "without", self._matrix.baseline),
            ("loss in nats/token", "with", self._matrix.losses),
            ("loss in nats/token", "without", self._matrix.baseline_losses),
        ):
            for slug, row in zip(self._matrix.phases, values, strict=True):
                if np.isfinite(row).any():
                    rows.append((measure, label, self._name(slug), *("" if math.isnan(v) else v for v in row.tolist())))
        return rows

    def cell_text(self, phase: str, epoch: str) -> str:
        """What stands in a cell; empty where nothing was measured."""
        row, column = self._matrix.phases.index(phase), self._matrix.epochs.index(epoch)
        return _decimals(self._sheet.values[row, column])

    def cell_tooltip(self, phase: str, epoch: str) -> str:
        """A cell in words; empty where nothing was measured."""
        return self._sentence(self._matrix.phases.index(phase), self._matrix.epochs.index(epoch))

    def least_height(self, width: int) -> int:
        """Height in which it can still be read: a header and three rows, or why there is nothing."""
        metrics = self.fontMetrics()
        words = metrics.boundingRect(0, 0, width - 16, 0, Qt.TextFlag.TextWordWrap.value, self._missing())
        return max(words.height() + 8, 4 * self._header_height)

    # -- drawing ------------------------------------------------------------------------------------------------

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if missing := self._missing():
            painter.setPen(QColor(self._theme.muted))
            centred = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(8, 4, -8, -4), centred, missing)
        else:
            self._paint_table(painter)
        if self.hasFocus():
            painter.setPen(QColor(self._theme.accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)

    def _paint_table(self, painter: QPainter) -> None:
        for column, slug in enumerate(self._matrix.epochs):
            self._paint_column_name(painter, self._cell(0, column), slug)
        if self._matrix.phases:
            painter.setPen(QColor(self._theme.muted))
            corner = QRectF(2, 0, self._names_width(), self._header_height)
            painter.drawText(corner, Qt.AlignmentFlag.AlignVCenter, self.tr("after"))
        for row, slug in enumerate(self._matrix.phases):
            self._paint_row_name(painter, self._cell(row, 0), slug)
        for row, column in self._cells():
            self._paint_cell(painter, row, column)

    def _paint_cell(self, painter: QPainter, row: int, column: int) -> None:
        value, strength = self._sheet.values[row, column], self._sheet.strength[row, column]
        rect = self._cell(row, column).adjusted(1, 1, -1, -1)
        background = QColor(self._theme.window if math.isnan(value) else self._theme.hover)
        if not math.isnan(strength):
            share = 0.08 + 0.92 * min(max(strength, 0.0), 1.0)
            background = blend(QColor(self._theme.panel), QColor(self._theme.accent), share)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(background)
        painter.drawRoundedRect(rect, 4, 4)
        if not math.isnan(value):
            painter.setPen(readable_on(background))
            self._paint_numbers(painter, rect, value, self._sheet.baseline[row, column])

    def _paint_numbers(self, painter: QPainter, rect: QRectF, value: float, baseline: float) -> None:
        """The number, as long as it fits; that of the mixer without Active Sleep below it if there is room."""
        metrics = self.fontMetrics()
        below = "" if math.isnan(baseline) or rect.height() < 2 * metrics.height() else f"({_decimals(baseline)})"
        short = localised(f"{value:.1f}") if self._measure == "loss" else _decimals(value).removeprefix("0")
        fits = [text for text in (_decimals(value), short) if metrics.horizontalAdvance(text) <= rect.width()]
        if not fits:
            return
        if not below or metrics.horizontalAdvance(below) > rect.width():
            painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, fits[0])
            return
        middle = rect.center().y()
        upper, lower = QRectF(rect), QRectF(rect)
        upper.setBottom(middle + 1)
        lower.setTop(middle + 1)
        painter.drawText(upper, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom, fits[0])
        painter.drawText(lower, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, below)

    def _paint_column_name(self, painter: QPainter, cell: QRectF, slug: str) -> None:
        metrics = self.fontMetrics()
        text = _cut(self._name(slug), int(cell.width()) - 12, metrics)
        width = 10 + metrics.horizontalAdvance(text)
        x = cell.center().x() - width / 2
        self._paint_name(
            painter, slug, text, QRectF(x, cell.top() - self._header_height, width + 2, self._header_height)
        )

    def _paint_row_name(self, painter: QPainter, cell: QRectF, slug: str) -> None:
        rect = QRectF(2, cell.top(), self._names_width() - 6, cell.height())
        text = _cut(self._name(slug), int(rect.width()) - 10, self.fontMetrics())
        self._paint_name(painter, slug, text, rect)

    def _paint_name(self, painter: QPainter, slug: str, text: str, rect: QRectF) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        colour = self._epochs[slug].colour if slug in self._epochs else self._theme.muted
        painter.setBrush(line_colour(colour, self._theme))
        painter.drawRoundedRect(QRectF(rect.left(), rect.center().y() - 3, 6, 6), 1.5, 1.5)
        painter.setPen(QColor(self._theme.text))
        painter.drawText(rect.adjusted(10, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, text)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            hit = next((rc for rc in self._cells() if self._cell(*rc).contains(QPointF(event.pos()))), None)
            words = (self._sentence(*hit) if hit else "") or self._explanation()
            QToolTip.showText(event.globalPos(), f'<p style="white-space: pre">{escape(words)}</p>', self)
            return True
        return super().event(event)

    # -- layout -------------------------------------------------------------------------------------------------

    def _cells(self) -> list[tuple[int, int]]:
        return [(row, column) for row in range(len(self._matrix.phases)) for column in range(len(self._matrix.epochs))]

    def _names_width(self) -> float:
        """Width of the row names: what they need, up to a share of the whole."""
        metrics = self.fontMetrics()
        widest = max((metrics.horizontalAdvance(self._name(slug)) for slug in self._matrix.phases), default=0)
        return min(widest + 20.0, _MOST_FOR_NAMES * self.width())

    @property
    def _header_height(self) -> int:
        return self.fontMetrics().height() + 4

    def _cell(self, row: int, column: int) -> QRectF:
        left = self._names_width()
        width = min((self.width() - left) / len(self._matrix.epochs), _LARGEST_CELL.width())
        height = min((self.height() - self._header_height) / len(self._matrix.phases), _LARGEST_CELL.height())
        return QRectF(left + column * width, self._header_height + row * height, width, height)

    def _name(self, slug: str) -> str:
        return self._epochs[slug].name if slug in self._epochs else slug

    # -- words --------------------------------------------------------------------------------------------------

    def _missing(self) -> str:
        """Why there is no figure at all."""
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


def _cut(name: str, width: int, metrics: QFontMetrics) -> str:
    """As much of a name as fits."""
    if width >= _DOTS_FROM:
        return metrics.elidedText(name, Qt.TextElideMode.ElideRight, width)
    while name and metrics.horizontalAdvance(name) > width:
        name = name[:-1]
    return name.rstrip()
