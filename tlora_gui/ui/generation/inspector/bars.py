"""Small drawn bars of the inspector: one stacked mix, and rows of shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from tlora_gui.engine.protocol.texts import SlotInfo
from tlora_gui.engine.protocol.wording import drawing_order
from tlora_gui.ui.generation.inspector.choice_rows import ChoiceRows
from tlora_gui.ui.generation.token_view.swatch import SWATCH_WIDTH, paint_swatch, slot_style
from tlora_gui.ui.generation.token_view.token_style import share_text
from tlora_gui.ui.widgets.painting import guarded

_GAP = 8


def paint_mix(painter: QPainter, area: QRectF, weights: Sequence[float], slots: Sequence[SlotInfo]) -> None:
    """Draw a token's weights as a stacked bar in the slots' colours."""
    left = area.left()
    for slot in drawing_order(slots):
        # Whole pixels, so that no seam shines through between two parts.
        right = left + weights[slot] * area.width()
        part = QRectF(round(left), area.top(), round(right) - round(left), area.height())
        painter.fillRect(part, QColor(slots[slot].colour))
        left = right


class MixBar(QWidget):
    """Weights of one token as a stacked bar in the slots' colours."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._weights: Sequence[float] = ()
        self._slots: Sequence[SlotInfo] = ()
        self.setFixedHeight(20)

    def set_mix(self, weights: Sequence[float], slots: Sequence[SlotInfo]) -> None:
        """Show a token's weights."""
        self._weights, self._slots = weights, slots
        self.update()

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_mix(painter, QRectF(self.rect()), self._weights, self._slots)
        painter.end()


@dataclass(frozen=True, slots=True)
class ShareRow:
    """One row: a name, its share, and the slot whose swatch stands before it; without a slot a bar stands behind it.

    ``offer`` is the tooltip of a row that can be chosen, as rich text.
    """

    name: str
    share: float
    slot: int | None = None
    info: SlotInfo | None = None
    strong: bool = False
    offer: str = ""


class ShareRows(ChoiceRows):
    """Rows of named shares, their figures aligned at the right; the longest bar is the largest share."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self._rows: tuple[ShareRow, ...] = ()

    def set_rows(self, rows: Sequence[ShareRow]) -> None:
        """Show these rows, in this order."""
        self._rows = tuple(rows)
        names = [f"{row.name} {share_text(row.share)}" for row in rows]
        self.set_choices(names, [row.offer for row in rows], [bool(row.offer) for row in rows])

    def paint_row(self, painter: QPainter, number: int, area: QRectF) -> None:
        row = self._rows[number]
        font = QFont(self.font())
        font.setWeight(QFont.Weight.DemiBold if row.strong else QFont.Weight.Normal)
        painter.setFont(font)
        metrics = QFontMetricsF(font)
        figure = metrics.horizontalAdvance(share_text(0.001)) + 4
        middle = area.center().y()
        if row.info is not None and row.slot is not None:
            paint_swatch(painter, area.left(), middle, slot_style(row.slot, row.info), self.theme)
            name = area.adjusted(SWATCH_WIDTH + _GAP, 0, -figure - _GAP, 0)
        else:
            name = QRectF(area.left(), area.top(), area.width() * 0.46, area.height())
            self._paint_bar(painter, row, QRectF(name.right() + _GAP, middle - 5, 0, 10), area.right() - figure - _GAP)
        painter.setPen(QColor(self.theme.text if self.isEnabled() else self.theme.muted))
        elided = metrics.elidedText(row.name, Qt.TextElideMode.ElideRight, name.width())
        painter.drawText(name, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, elided)
        painter.setPen(QColor(self.theme.text if row.strong else self.theme.muted))
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, share_text(row.share))

    def _paint_bar(self, painter: QPainter, row: ShareRow, bar: QRectF, right: float) -> None:
        largest = max(other.share for other in self._rows)
        bar.setWidth(max(2.0, max(0.0, right - bar.left()) * row.share / max(largest, 1e-9)))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.theme.accent if row.strong else self.theme.muted))
        painter.drawRoundedRect(bar, 2, 2)
