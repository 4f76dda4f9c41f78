"""Shortcuts drawn as the keys of a keyboard."""

from __future__ import annotations

import re

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QKeySequence, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QApplication, QSizePolicy, QWidget

from tlora_gui.ui.theme import SIZES
from tlora_gui.ui.widgets.painting import guarded

_PADDING, _BETWEEN, _APART = 7, 3, 9
_MODIFIERS = ("Ctrl", "Shift", "Alt", "Meta")
_BETWEEN_KEYS = ("…", "/")
_ARROWS = {"Up": "↑", "Down": "↓", "Left": "←", "Right": "→"}


def chords(keys: str) -> list[list[str]]:
    """Keys to press together, in turn; "+" joins, a space divides.

    >>> chords("Ctrl+Shift+E"), chords("← →"), chords("Ctrl++")
    ([['Ctrl', 'Shift', 'E']], [['←'], ['→']], [['Ctrl', '+']])
    """
    return [[_native(key) for key in re.split(r"(?<=[^+])\+", chord)] for chord in keys.replace(",", "").split()]


def _native(key: str) -> str:
    """What stands on a key of this system and language, where it is a key: "Home" is "Pos1" on German ones."""
    if key in _MODIFIERS:
        with_a = QKeySequence(f"{key}+A").toString(QKeySequence.SequenceFormat.NativeText)
        return with_a.removesuffix("A").removesuffix("+")
    sequence = QKeySequence(key)
    arrow = _ARROWS.get(sequence.toString(QKeySequence.SequenceFormat.PortableText))
    return arrow or sequence.toString(QKeySequence.SequenceFormat.NativeText) or key


def paint_keys(painter: QPainter, area: QRect, keys: str) -> int:
    """Draw ``keys`` at the right end of an area, in its middle; gives the width they take."""
    caps, width = _placed(keys, painter.font())
    palette = QApplication.palette()  # a styled list has colours of its own for buttons
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(_font(painter.font()))
    painter.translate(area.right() + 1 - width, area.top() + (area.height() - _height(painter.font())) // 2)
    for cap, text in caps:
        if text not in _BETWEEN_KEYS:
            painter.setPen(QPen(palette.color(QPalette.ColorRole.Mid), 1))
            painter.setBrush(palette.color(QPalette.ColorRole.Mid))
            painter.drawRoundedRect(cap.translated(0, 1), 4, 4)  # the key's front edge
            painter.setBrush(palette.color(QPalette.ColorRole.Button))
            painter.drawRoundedRect(cap, 4, 4)
        painter.setPen(palette.color(QPalette.ColorRole.Text))
        painter.drawText(cap, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()
    return width


def _placed(keys: str, font: QFont) -> tuple[list[tuple[QRectF, str]], int]:
    """A rectangle for each key from the left, and the width of all."""
    metrics, height = QFontMetrics(_font(font)), _height(_font(font))
    caps: list[tuple[QRectF, str]] = []
    left = 0
    for chord in chords(keys):
        for key in chord:
            width = max(height, metrics.horizontalAdvance(key) + 2 * _PADDING)
            caps.append((QRectF(left + 0.5, 0.5, width - 1, height - 2), key))
            left += width + _BETWEEN
        left += _APART - _BETWEEN
    return caps, max(0, left - _APART)


def _font(base: QFont) -> QFont:
    font = QFont(base)
    font.setPointSizeF(base.pointSizeF() * SIZES["caption"])
    return font


def _height(font: QFont) -> int:
    return QFontMetrics(font).height() + 6


class KeyCaps(QWidget):
    """The keys of one shortcut."""

    def __init__(self, keys: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keys = keys
        self.setAccessibleName(keys)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(_placed(self._keys, self.font())[1], _height(_font(self.font())))

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        paint_keys(QPainter(self), self.rect(), self._keys)
