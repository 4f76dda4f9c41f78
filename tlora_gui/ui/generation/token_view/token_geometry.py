"""Where the characters of a plain text edit are drawn, in the coordinates of its viewport."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPoint, QPointF, QRectF
from PySide6.QtGui import QTextBlock, QTextLine
from PySide6.QtWidgets import QPlainTextEdit


def position_at(edit: QPlainTextEdit, point: QPoint) -> int:
    """Text position of the character under a point, -1 for none."""
    block = edit.cursorForPosition(point).block()
    inside = QPointF(point) - _top_left(edit, block)
    layout = block.layout()
    for number in range(layout.lineCount()):
        line = layout.lineAt(number)
        if line.y() <= inside.y() < line.y() + line.height():
            # One cell more than the text, so that a line's end can be hovered too.
            if inside.x() > line.x() + line.naturalTextWidth() + edit.fontMetrics().averageCharWidth():
                return -1
            found = line.xToCursor(inside.x(), QTextLine.CursorPosition.CursorOnCharacter)
            return block.position() + (found[0] if isinstance(found, tuple) else found)
    return -1


def rectangles(edit: QPlainTextEdit, start: int, end: int) -> list[QRectF]:
    """Where a stretch of the text is drawn, one rectangle per line that it touches."""
    cell = edit.fontMetrics().averageCharWidth()
    found = []
    block = edit.document().findBlock(start)
    while block.isValid() and block.position() < max(end, start + 1):
        for number in range(block.layout().lineCount()):
            line = block.layout().lineAt(number)
            first = max(start - block.position(), line.textStart())
            last = min(end - block.position(), line.textStart() + line.textLength())
            if first < last or (first == last == block.length() - 1):
                found.append(_on_line(line, first, last, cell).translated(_top_left(edit, block)))
        block = block.next()
    return found


def positions_in_sight(edit: QPlainTextEdit) -> tuple[int, int]:
    """Text positions of the first and last character in the viewport."""
    area = edit.viewport().rect()
    first, last = (edit.cursorForPosition(corner).position() for corner in (area.topLeft(), area.bottomRight()))
    return first, last


def _top_left(edit: QPlainTextEdit, block: QTextBlock) -> QPointF:
    return edit.blockBoundingGeometry(block).translated(edit.contentOffset()).topLeft()


def _x_of(line: QTextLine, position: int) -> float:
    # The binding gives the position back beside x, for both are arguments by reference in C++.
    x: Any = line.cursorToX(position)
    return float(x[0] if isinstance(x, tuple) else x)


def _on_line(line: QTextLine, first: int, last: int, cell: int) -> QRectF:
    left, right = _x_of(line, first), _x_of(line, last)
    # A line's end has no width of its own: it is shown as half a cell.
    return QRectF(left, line.y(), max(right - left, cell / 2), line.height())
