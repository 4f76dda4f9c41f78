"""Text coloured token by token while it streams."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, QRect, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QTextCharFormat,
    QTextCursor,
    QTextLine,
)
from PySide6.QtWidgets import QPlainTextEdit, QToolTip, QWidget

from tlora_gui.engine.texts import SlotInfo, TokenEvent
from tlora_gui.ui.generation.paragraphs import divide_paragraphs, undivided_text
from tlora_gui.ui.generation.swatch import token_format
from tlora_gui.ui.generation.token_style import ColourMode, TokenStyle, description, token_style, tooltip
from tlora_gui.ui.theme import LIGHT, Theme, mono_font

_STRENGTH_LEVELS = 16
_RECOLOURED_AT_ONCE = 1000
"""Tokens that get new formats in one turn of the event loop: some 10 ms."""


class TokenView(QPlainTextEdit):
    """Read-only text of one generation. Hover, click or arrow keys choose a token: ``token_selected(index)``."""

    token_selected = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = LIGHT
        self._mode: ColourMode = "dominant"
        self._slots: tuple[SlotInfo, ...] = ()
        self._tokens: list[TokenEvent] = []
        self._starts: list[int] = []
        self._formats: dict[tuple[TokenStyle, bool], QTextCharFormat] = {}
        self._current = -1
        self._divided = False
        self._recoloured = 0
        self._recolouring = QTimer(self, singleShot=True, interval=0)
        self._recolouring.timeout.connect(self._recolour_some)
        self.setObjectName("tokenView")
        self.setAccessibleName(self.tr("Generated text"))
        self.setToolTip(self.tr("Hover a token, or walk with the left and right arrow keys, to see who speaks"))
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setFont(mono_font())
        self.document().setDocumentMargin(6)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self.reset(())

    @property
    def tokens(self) -> Sequence[TokenEvent]:
        """What is shown, in order."""
        return self._tokens

    @property
    def slots(self) -> tuple[SlotInfo, ...]:
        """Slots of the generation that is shown."""
        return self._slots

    @property
    def current(self) -> int:
        """Index of the chosen token, -1 for none."""
        return self._current

    # -- what to show ---------------------------------------------------------------------------------------

    def reset(self, slots: tuple[SlotInfo, ...]) -> None:
        """Start an empty text whose tokens mix these slots."""
        self._slots = slots
        self._tokens.clear()
        self._starts.clear()
        self._formats.clear()
        self._current = -1
        self._divided = False
        self._recolouring.stop()
        self.clear()

    def add_tokens(self, tokens: Sequence[TokenEvent]) -> None:
        """Append; keeps the end in sight only if it was in sight before."""
        bar = self.verticalScrollBar()
        at_end = bar.value() >= bar.maximum()
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        first = cursor.block()
        cursor.beginEditBlock()
        for token in tokens:
            self._tokens.append(token)
            self._starts.append(cursor.position())
            if token.text:
                cursor.insertText(token.text, self._format_of(token))
        cursor.endEditBlock()
        if cuts := divide_paragraphs(self, first):
            self._divided = True
            for index in range(bisect_left(self._starts, cuts[0]), len(self._starts)):
                self._starts[index] += bisect_right(cuts, self._starts[index])
        if at_end:
            bar.setValue(bar.maximum())

    def set_colour_mode(self, mode: ColourMode) -> None:
        """Choose what colour means."""
        if mode != self._mode:
            self._mode = mode
            self.recolour()

    def apply_theme(self, theme: Theme) -> None:
        """Use a theme's colours from now on."""
        self._theme = theme
        self.recolour()

    def recolour(self) -> None:
        """Give every token its format anew, in place: text, selection and scroll position stay.

        What is in sight comes first; the rest of a long text follows, a part in each turn of the event loop.
        """
        self._formats.clear()
        area = self.viewport().rect()
        in_sight = [self.cursorForPosition(corner).position() for corner in (area.topLeft(), area.bottomRight())]
        first, last = (bisect_right(self._starts, position) for position in in_sight)
        self._recolour_tokens(max(0, first - 1), last)
        self._recoloured = 0
        self._recolour_some()

    def _recolour_some(self) -> None:
        end = self._recoloured + _RECOLOURED_AT_ONCE
        self._recolour_tokens(self._recoloured, end)
        self._recoloured = end
        if end < len(self._tokens):
            self._recolouring.start()
        self.viewport().update()

    def _recolour_tokens(self, first: int, last: int) -> None:
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        for index, token in enumerate(self._tokens[first:last], first):
            if token.text:
                start, end = self.span(index)
                cursor.setPosition(start)
                cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
                cursor.setCharFormat(self._format_of(token))
        cursor.endEditBlock()

    def set_current(self, index: int, reveal: bool = True) -> None:
        """Mark a token (-1 for none); ``reveal`` scrolls to it."""
        self._current = index if 0 <= index < len(self._tokens) else -1
        if self._current >= 0:
            self.setAccessibleDescription(description(self._tokens[index], self._slots))
            if reveal:
                self._reveal(self.span(self._current)[0])
        self.viewport().update()

    def _reveal(self, position: int) -> None:
        cursor = self.textCursor()
        # A selection is not thrown away for a look at another token.
        if not cursor.hasSelection():
            cursor.setPosition(position)
            self.setTextCursor(cursor)

    def _format_of(self, token: TokenEvent) -> QTextCharFormat:
        style = token_style(token, self._slots, self._mode)
        style = TokenStyle(style.colour, round(style.strength * _STRENGTH_LEVELS) / _STRENGTH_LEVELS, style.slot)
        key = (style, token.is_prompt)
        if key not in self._formats:
            self._formats[key] = token_format(style, self._theme, token.is_prompt)
        return self._formats[key]

    # -- where tokens are -----------------------------------------------------------------------------------

    def span(self, index: int) -> tuple[int, int]:
        """Text positions of a token. One without text shares the span of the token that completes its character."""
        while index + 1 < len(self._tokens) and not self._tokens[index].text:
            index += 1
        end = self._starts[index + 1] if index + 1 < len(self._starts) else self.document().characterCount() - 1
        return self._starts[index], end

    def token_at(self, point: QPoint) -> int:
        """Index of the token under a point of the viewport, -1 for none."""
        block = self.cursorForPosition(point).block()
        top_left = self.blockBoundingGeometry(block).translated(self.contentOffset()).topLeft()
        inside = QPointF(point) - top_left
        layout = block.layout()
        for number in range(layout.lineCount()):
            line = layout.lineAt(number)
            if line.y() <= inside.y() < line.y() + line.height():
                return self._token_on_line(block.position(), line, inside.x())
        return -1

    def _token_on_line(self, block_start: int, line: QTextLine, x: float) -> int:
        # One cell more than the text, so that a line's end can be hovered too.
        if x > line.x() + line.naturalTextWidth() + self.fontMetrics().averageCharWidth():
            return -1
        found = line.xToCursor(x, QTextLine.CursorPosition.CursorOnCharacter)
        position = block_start + (found[0] if isinstance(found, tuple) else found)
        if position >= self.document().characterCount() - 1:
            return -1
        return bisect_right(self._starts, position) - 1

    # -- what the person does -------------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        if event.buttons() == Qt.MouseButton.NoButton:
            self._choose(self.token_at(event.position().toPoint()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        self._choose(self.token_at(event.position().toPoint()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        target = self._walk(event.key()) if plain and self._tokens else None
        if target is None:
            super().keyPressEvent(event)
            return
        cursor = self.textCursor()
        cursor.clearSelection()
        self.setTextCursor(cursor)
        self.set_current(target)
        self.token_selected.emit(target)

    def _walk(self, key: int) -> int | None:
        """Token that a key leads to; tokens without text are stepped over."""
        end = len(self._tokens)
        ways = {
            Qt.Key.Key_Left: range(max(self._current, 1) - 1, -1, -1),
            Qt.Key.Key_Right: range(self._current + 1, end),
            Qt.Key.Key_Home: range(end),
            Qt.Key.Key_End: range(end - 1, -1, -1),
        }
        if key not in ways:
            return None
        return next((index for index in ways[Qt.Key(key)] if self._tokens[index].text), max(self._current, 0))

    def _choose(self, index: int) -> None:
        if index >= 0 and index != self._current:
            self.set_current(index, reveal=False)
            self.token_selected.emit(index)

    def createMimeDataFromSelection(self) -> QMimeData:
        if not self._divided:
            return super().createMimeDataFromSelection()
        data = QMimeData()
        data.setText(undivided_text(self.textCursor()))
        return data

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            index = self.token_at(event.pos())
            if index >= 0:
                text = tooltip(self._tokens[index], self._slots, self._theme.muted)
                area = [rectangle.toAlignedRect() for rectangle in self._rectangles(index)]
                QToolTip.showText(event.globalPos(), text, self.viewport(), area[0] if area else QRect())
                return True
        return super().viewportEvent(event)

    # -- the mark of the chosen token -----------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._current < 0:
            return
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._theme.text), 1.6))
        for rectangle in self._rectangles(self._current):
            painter.drawRoundedRect(rectangle.adjusted(-0.5, 0.5, 0.5, -0.5), 2.5, 2.5)

    def _rectangles(self, index: int) -> list[QRectF]:
        """Where a token is drawn, one rectangle per line that it touches."""
        start, end = self.span(index)
        cell = self.fontMetrics().averageCharWidth()
        found = []
        block = self.document().findBlock(start)
        while block.isValid() and block.position() < max(end, start + 1):
            top_left = self.blockBoundingGeometry(block).translated(self.contentOffset()).topLeft()
            for number in range(block.layout().lineCount()):
                line = block.layout().lineAt(number)
                first = max(start - block.position(), line.textStart())
                last = min(end - block.position(), line.textStart() + line.textLength())
                if first < last or (first == last == block.length() - 1):
                    found.append(_on_line(line, first, last, cell).translated(top_left))
            block = block.next()
        return found


def _x_of(line: QTextLine, position: int) -> float:
    # The binding gives the position back beside x, for both are arguments by reference in C++.
    x: Any = line.cursorToX(position)
    return float(x[0] if isinstance(x, tuple) else x)


def _on_line(line: QTextLine, first: int, last: int, cell: int) -> QRectF:
    left, right = _x_of(line, first), _x_of(line, last)
    # A line's end has no width of its own: it is shown as half a cell.
    return QRectF(left, line.y(), max(right - left, cell / 2), line.height())
