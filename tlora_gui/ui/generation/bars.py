"""Small drawn bars of the inspector: one stacked mix, and rows of shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from tlora_gui.engine.texts import SlotInfo
from tlora_gui.ui.generation.swatch import SWATCH_WIDTH, paint_swatch, slot_style
from tlora_gui.ui.generation.token_style import drawing_order, share_text
from tlora_gui.ui.theme import LIGHT, Theme

_ROW = 22
_GAP = 8


class MixBar(QWidget):
    """Weights of one token as a stacked bar in the slots' colours."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parts: list[tuple[str, float]] = []
        self.setFixedHeight(20)

    def set_mix(self, weights: Sequence[float], slots: Sequence[SlotInfo]) -> None:
        """Show a token's weights."""
        self._parts = [(slots[slot].colour, weights[slot]) for slot in drawing_order(slots)]
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        left = 0.0
        for colour, weight in self._parts:
            # Whole pixels, so that no seam shines through between two parts.
            right = left + weight * self.width()
            painter.fillRect(round(left), 0, round(right) - round(left), self.height(), QColor(colour))
            left = right


@dataclass(frozen=True, slots=True)
class ShareRow:
    """One row: a name, its share, and the slot whose swatch stands before it; without a slot a bar stands behind it."""

    name: str
    share: float
    slot: int | None = None
    info: SlotInfo | None = None
    strong: bool = False


class ShareRows(QWidget):
    """Rows of named shares, their figures aligned at the right; the longest bar is the largest share."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = LIGHT
        self._rows: tuple[ShareRow, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_rows(self, rows: Sequence[ShareRow]) -> None:
        """Show these rows, in this order."""
        taller = len(rows) != len(self._rows)
        self._rows = tuple(rows)
        self.setAccessibleDescription(", ".join(f"{row.name} {share_text(row.share)}" for row in rows))
        if taller:
            self.updateGeometry()
        self.update()

    def apply_theme(self, theme: Theme) -> None:
        """Use a theme's colours from now on."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, _ROW * len(self._rows))

    def minimumSizeHint(self) -> QSize:
        return QSize(120, _ROW * len(self._rows))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for number, row in enumerate(self._rows):
            self._paint_row(painter, row, QRectF(0, number * _ROW, self.width(), _ROW))

    def _paint_row(self, painter: QPainter, row: ShareRow, area: QRectF) -> None:
        font = QFont(self.font())
        font.setWeight(QFont.Weight.DemiBold if row.strong else QFont.Weight.Normal)
        painter.setFont(font)
        metrics = QFontMetricsF(font)
        figure = metrics.horizontalAdvance("<0.01") + 4
        middle = area.center().y()
        if row.info is not None and row.slot is not None:
            paint_swatch(painter, area.left(), middle, slot_style(row.slot, row.info), self._theme)
            name = area.adjusted(SWATCH_WIDTH + _GAP, 0, -figure - _GAP, 0)
        else:
            name = QRectF(area.left(), area.top(), area.width() * 0.46, area.height())
            self._paint_bar(painter, row, QRectF(name.right() + _GAP, middle - 5, 0, 10), area.right() - figure - _GAP)
        painter.setPen(QColor(self._theme.text))
        elided = metrics.elidedText(row.name, Qt.TextElideMode.ElideRight, name.width())
        painter.drawText(name, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, elided)
        painter.setPen(QColor(self._theme.text if row.strong else self._theme.muted))
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, share_text(row.share))

    def _paint_bar(self, painter: QPainter, row: ShareRow, bar: QRectF, right: float) -> None:
        largest = max(other.share for other in self._rows)
        bar.setWidth(max(2.0, max(0.0, right - bar.left()) * row.share / max(largest, 1e-9)))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.accent if row.strong else self._theme.muted))
        painter.drawRoundedRect(bar, 2, 2)
