"""An epoch's square: its colour with its initial, and the small sign of its state."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

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


class StateSign(QWidget):
    """A drawn sign for the state of an epoch, in the muted text colour: fonts disagree about such glyphs."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = ""
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(12, 12)

    def set_state(self, state: str) -> None:
        """One of the engine's epoch states."""
        self._state = state
        self.update()

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(self.width() / 2, self.height() / 2)
        colour = self.palette().color(QPalette.ColorRole.PlaceholderText)
        painter.setPen(QPen(colour, 1.2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        draw = {
            "frozen": _snowflake,
            "training": _dot,
            "queued": _clock,
            "interrupted": _bars,
            "broken": _cross,
        }.get(self._state)
        if draw is not None:
            draw(painter)
        painter.end()


def _snowflake(painter: QPainter) -> None:
    for turn in range(6):
        angle = math.radians(60 * turn + 30)
        tip = QPointF(5 * math.cos(angle), 5 * math.sin(angle))
        painter.drawLine(QPointF(0, 0), tip)
        for side in (-1, 1):
            branch = angle + side * math.radians(50)
            knot = tip * 0.6
            painter.drawLine(knot, knot + QPointF(1.9 * math.cos(branch), 1.9 * math.sin(branch)))


def _dot(painter: QPainter) -> None:
    painter.setBrush(painter.pen().color())
    painter.drawEllipse(QPointF(0, 0), 3.4, 3.4)


def _clock(painter: QPainter) -> None:
    painter.drawEllipse(QPointF(0, 0), 4.6, 4.6)
    painter.drawPolyline([QPointF(0, -2.8), QPointF(0, 0), QPointF(2, 1.2)])


def _bars(painter: QPainter) -> None:
    for x in (-2, 2):
        painter.drawLine(QPointF(x, -3.4), QPointF(x, 3.4))


def _cross(painter: QPainter) -> None:
    painter.drawLine(QPointF(-3.2, -3.2), QPointF(3.2, 3.2))
    painter.drawLine(QPointF(-3.2, 3.2), QPointF(3.2, -3.2))
