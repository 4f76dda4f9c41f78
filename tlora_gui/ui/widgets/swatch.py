"""An epoch's square: its colour with its initial."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from tlora_gui.ui.palette import readable_on
from tlora_gui.ui.widgets.painting import guarded

BACKBONE_SIGN = "∞"


def initial(name: str) -> str:
    """First letter or digit of a name, for its swatch."""
    return next((letter.upper() for letter in name if letter.isalnum()), "?")


class Swatch(QWidget):
    """A rounded square in an epoch's colour with a letter that reads on it."""

    def __init__(self, side: int = 22, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colour = QColor("#000000")
        self._sign = ""
        self.setFixedSize(side, side)

    def set_epoch(self, colour: str, sign: str) -> None:
        """Show this colour and this sign, one letter as a rule."""
        self._colour, self._sign = QColor(colour), sign
        self.update()

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._colour)
        painter.drawRoundedRect(QRectF(self.rect()), 5, 5)
        font = QFont(self.font())
        font.setPixelSize(max(8, round(self.height() * (0.82 if self._sign == BACKBONE_SIGN else 0.58))))
        font.setWeight(QFont.Weight.Bold)
        painter.setFont(font)
        painter.setPen(readable_on(self._colour))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._sign)
        painter.end()
