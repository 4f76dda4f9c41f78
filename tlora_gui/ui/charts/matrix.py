"""The memory matrix: what the mixer still knew of every epoch after every phase, as a heat map with numbers."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QToolTip, QWidget

from tlora_gui.engine.events import EpochInfo
from tlora_gui.ui.charts.frame import SMALL_POINTS, Rows
from tlora_gui.ui.charts.series import Matrix
from tlora_gui.ui.charts.style import line_colour
from tlora_gui.ui.palette import blend, readable_on
from tlora_gui.ui.theme import Theme

_EMPTY = Matrix((), (), np.empty((0, 0)), np.empty((0, 0)))
_HEADER_HEIGHT, _LARGEST_CELL = 18, QSize(120, 52)
_TWO_LINES_FROM = 30
_MOST_FOR_NAMES = 0.34


class MemoryMatrix(QWidget):
    """Phases down, epochs across; a cell says what share of the epoch's held-out tokens the mixer gives to it."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("memoryMatrix")
        self.setAccessibleName(self.tr("Memory matrix"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(140, 80)
        self._matrix = _EMPTY
        self._epochs: dict[str, EpochInfo] = {}
        self._theme = theme
        font = QFont(self.font())
        font.setPointSizeF(SMALL_POINTS)
        self.setFont(font)

    def set_matrix(self, matrix: Matrix, epochs: dict[str, EpochInfo]) -> None:
        """What to show; ``epochs`` gives names and colours."""
        self._matrix, self._epochs = matrix, epochs
        self.setAccessibleDescription(". ".join(filter(None, (self._sentence(r, c) for r, c in self._cells()))))
        self.update()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def csv_rows(self) -> Rows:
        """One row a phase, one column an epoch, first with and then without Active Sleep."""
        names = [self._name(slug) for slug in self._matrix.epochs]
        rows: Rows = [("active sleep", "after", *names)]
        for label, values in (("with", self._matrix.routing), ("without", self._matrix.unprotected)):
            for slug, row in zip(self._matrix.phases, values, strict=True):
                if np.isfinite(row).any():
                    rows.append((label, self._name(slug), *("" if math.isnan(v) else v for v in row.tolist())))
        return rows

    def cell_text(self, phase: str, epoch: str) -> str:
        """What stands in a cell; empty where nothing was measured."""
        row, column = self._matrix.phases.index(phase), self._matrix.epochs.index(epoch)
        return _share(self._matrix.routing[row, column])

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for column, slug in enumerate(self._matrix.epochs):
            self._paint_column_name(painter, self._cell(0, column), slug)
        if self._matrix.phases:
            painter.setPen(QColor(self._theme.muted))
            corner = QRectF(2, 0, self._names_width(), _HEADER_HEIGHT)
            painter.drawText(corner, Qt.AlignmentFlag.AlignVCenter, self.tr("after"))
        for row, slug in enumerate(self._matrix.phases):
            self._paint_row_name(painter, self._cell(row, 0), slug)
        for row, column in self._cells():
            self._paint_cell(painter, row, column)
        if self.hasFocus():
            painter.setPen(QColor(self._theme.accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)

    def _paint_cell(self, painter: QPainter, row: int, column: int) -> None:
        share, beside = self._matrix.routing[row, column], self._matrix.unprotected[row, column]
        rect = self._cell(row, column).adjusted(1, 1, -1, -1)
        panel = QColor(self._theme.panel)
        background = QColor(self._theme.window)
        if not math.isnan(share):
            background = blend(panel, QColor(self._theme.accent), 0.08 + 0.92 * min(max(share, 0.0), 1.0))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(background)
        painter.drawRoundedRect(rect, 4, 4)
        if math.isnan(share):
            return
        painter.setPen(readable_on(background))
        self._paint_shares(painter, rect, share, beside)

    def _paint_shares(self, painter: QPainter, rect: QRectF, share: float, beside: float) -> None:
        """The number, as long as it fits; that of the mixer without Active Sleep below it if there is room."""
        room = self.fontMetrics().horizontalAdvance("(0.00)") <= rect.width()
        if math.isnan(beside) or rect.height() < _TWO_LINES_FROM or not room:
            short = _share(share) if room else _share(share).removeprefix("0")
            if self.fontMetrics().horizontalAdvance(short) <= rect.width():
                painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, short)
            return
        middle = rect.center().y()
        upper, lower = QRectF(rect), QRectF(rect)
        upper.setBottom(middle + 1)
        lower.setTop(middle + 1)
        painter.drawText(upper, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom, _share(share))
        painter.drawText(lower, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, f"({_share(beside)})")

    def _paint_column_name(self, painter: QPainter, cell: QRectF, slug: str) -> None:
        metrics = self.fontMetrics()
        text = metrics.elidedText(self._name(slug), Qt.TextElideMode.ElideRight, int(cell.width()) - 14)
        width = 10 + metrics.horizontalAdvance(text)
        x = cell.center().x() - width / 2
        self._paint_name(painter, slug, text, QRectF(x, cell.top() - _HEADER_HEIGHT, width + 2, _HEADER_HEIGHT))

    def _paint_row_name(self, painter: QPainter, cell: QRectF, slug: str) -> None:
        rect = QRectF(2, cell.top(), self._names_width() - 6, cell.height())
        text = self.fontMetrics().elidedText(self._name(slug), Qt.TextElideMode.ElideRight, int(rect.width()) - 10)
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
            QToolTip.showText(event.globalPos(), self._sentence(*hit) if hit else self._explanation(), self)
            return True
        return super().event(event)

    def _cells(self) -> list[tuple[int, int]]:
        return [(row, column) for row in range(len(self._matrix.phases)) for column in range(len(self._matrix.epochs))]

    def _names_width(self) -> float:
        """Width of the row names: what they need, up to a share of the whole."""
        metrics = self.fontMetrics()
        widest = max((metrics.horizontalAdvance(self._name(slug)) for slug in self._matrix.phases), default=0)
        return min(widest + 20.0, _MOST_FOR_NAMES * self.width())

    def _cell(self, row: int, column: int) -> QRectF:
        left = self._names_width()
        width = min((self.width() - left) / len(self._matrix.epochs), _LARGEST_CELL.width())
        height = min((self.height() - _HEADER_HEIGHT) / len(self._matrix.phases), _LARGEST_CELL.height())
        return QRectF(left + column * width, _HEADER_HEIGHT + row * height, width, height)

    def _name(self, slug: str) -> str:
        return self._epochs[slug].name if slug in self._epochs else slug

    def _explanation(self) -> str:
        return self.tr("Share of each epoch's held-out tokens that the mixer gives to it, after every phase")

    def _sentence(self, row: int, column: int) -> str:
        """A cell in words."""
        share, beside = self._matrix.routing[row, column], self._matrix.unprotected[row, column]
        if math.isnan(share):
            return ""
        epoch, phase = self._name(self._matrix.epochs[column]), self._name(self._matrix.phases[row])
        text = self.tr("After {phase}: {share} of {epoch}'s held-out tokens go to {epoch}")
        words = text.format(phase=phase, share=_share(share), epoch=epoch)
        if math.isnan(beside):
            return words
        return self.tr("{words}; {share} without Active Sleep").format(words=words, share=_share(beside))


def _share(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.2f}"
