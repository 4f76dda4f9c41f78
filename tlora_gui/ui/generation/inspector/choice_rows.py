"""Drawn rows of one height, some of which can be chosen by pointer or by keys."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QColor,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from tlora_gui.ui.theme import LIGHT, Theme
from tlora_gui.ui.widgets.painting import guarded

_EDGE = 4
"""How far the mark of a row reaches beyond what is written in it."""


class ChoiceRows(QWidget):
    """Rows to look at; a click, or ↑ ↓ and Enter, chooses one of those that can be chosen: ``chosen(number)``.

    Who inherits it draws a row in ``paint_row`` and says in ``set_choices`` what there is. ``moved(point)`` tells
    where on the screen the row is that the keys have reached, so that it can be scrolled to.
    """

    chosen = Signal(int)
    moved = Signal(QPoint)

    def __init__(self, lines: int = 1, parent: QWidget | None = None) -> None:
        """``lines`` of text make a row."""
        super().__init__(parent)
        self.theme = LIGHT
        self._lines = lines
        self._names: tuple[str, ...] = ()
        self._tips: tuple[str, ...] = ()
        self._choosable: tuple[bool, ...] = ()
        self._current = -1
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_choices(self, names: Sequence[str], tips: Sequence[str], choosable: Sequence[bool]) -> None:
        """Of each row: how it is read out, its tooltip as rich text, and whether it can be chosen."""
        resized = len(names) != len(self._names)
        self._names, self._tips, self._choosable = tuple(names), tuple(tips), tuple(choosable)
        self._current = self._choosable.index(True) if self.hasFocus() and any(choosable) else -1
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if any(choosable) else Qt.FocusPolicy.NoFocus)
        self.setAccessibleDescription(", ".join(names))
        self.unsetCursor()
        if resized:
            self.updateGeometry()
        self.update()

    def apply_theme(self, theme: Theme) -> None:
        """Use a theme's colours from now on."""
        self.theme = theme
        self.update()

    @property
    def line_height(self) -> int:
        """Height of a line of text in a row."""
        return self.fontMetrics().height() + 4

    @property
    def _row_height(self) -> int:
        return self._lines * self.line_height + 3

    def row_area(self, number: int) -> QRect:
        """Where a row is, in this widget's coordinates."""
        return QRect(0, number * self._row_height, self.width(), self._row_height)

    def paint_row(self, painter: QPainter, number: int, area: QRectF) -> None:
        """Draw a row into its area."""
        raise NotImplementedError

    # -- layout and drawing ---------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        return QSize(200, self._row_height * len(self._names))

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self._row_height * len(self._names))

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._current >= 0:
            painter.setPen(QPen(QColor(self.theme.accent)) if self.hasFocus() else QPen(Qt.PenStyle.NoPen))
            painter.setBrush(QColor(self.theme.hover))
            marked = QRectF(self.row_area(self._current)).adjusted(0.5, 0.5, -0.5, -0.5)
            painter.drawRoundedRect(marked, _EDGE, _EDGE)
            painter.setBrush(Qt.BrushStyle.NoBrush)
        for number in range(len(self._names)):
            painter.save()
            self.paint_row(painter, number, QRectF(self.row_area(number)).adjusted(_EDGE, 0, -_EDGE, 0))
            painter.restore()
        painter.end()

    # -- pointer and keys -----------------------------------------------------------------------------------

    def _row_at(self, point: QPoint) -> int:
        number = point.y() // self._row_height
        return number if 0 <= number < len(self._names) else -1

    def _choosable_at(self, point: QPoint) -> int:
        number = self._row_at(point)
        return number if number >= 0 and self._choosable[number] else -1

    def _set_current(self, number: int) -> None:
        if number != self._current:
            self._current = number
            self.update()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip and self.isEnabled():
            number = self._row_at(event.pos())
            tip = self._tips[number] if number >= 0 else ""
            QToolTip.showText(event.globalPos(), tip, self, self.row_area(number))
            return True
        return super().event(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        number = self._choosable_at(event.position().toPoint())
        self.setCursor(Qt.CursorShape.PointingHandCursor if number >= 0 else Qt.CursorShape.ArrowCursor)
        if number >= 0 or not self.hasFocus():
            self._set_current(number)

    def leaveEvent(self, event: QEvent) -> None:
        if not self.hasFocus():
            self._set_current(-1)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        number = self._choosable_at(event.position().toPoint())
        if number >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit(number)

    def focusInEvent(self, event: QFocusEvent) -> None:
        if self._current < 0 and any(self._choosable):
            self._go_to(self._choosable.index(True))
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._set_current(-1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        offered = [number for number, choosable in enumerate(self._choosable) if choosable]
        match event.key():
            case Qt.Key.Key_Down:
                self._go_to(next((number for number in offered if number > self._current), self._current))
            case Qt.Key.Key_Up:
                self._go_to(next((number for number in reversed(offered) if number < self._current), self._current))
            case Qt.Key.Key_Return | Qt.Key.Key_Enter | Qt.Key.Key_Space if self._current >= 0:
                self.chosen.emit(self._current)
            case _:
                super().keyPressEvent(event)

    def _go_to(self, number: int) -> None:
        self._set_current(number)
        if number >= 0:
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, self._names[number]))
            self.moved.emit(self.mapToGlobal(self.row_area(number).center()))
