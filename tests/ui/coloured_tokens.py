"""Invented tokens, a view that shows them, and what a pointer does to it."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QTextCharFormat, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from tlora_gui.engine.protocol.config import BACKBONE_COLOUR
from tlora_gui.engine.protocol.texts import SlotInfo, TokenEvent
from tlora_gui.ui.generation.token_view.token_view import TokenView

SLOTS = (
    SlotInfo("", "Eternity", BACKBONE_COLOUR),
    SlotInfo("plays", "Plays", "#0072B2"),
    SlotInfo("code", "Code", "#E69F00"),
)
MIXES = {"": (0.9, 0.05, 0.05), "plays": (0.1, 0.8, 0.1), "code": (0.05, 0.2, 0.75)}


def token(index: int, text: str, speaker: str = "plays", **changes: object) -> TokenEvent:
    return replace(TokenEvent(index, 7, text, MIXES[speaker], False, 0.25, 1), **changes)


def tokens_of(*texts: str) -> list[TokenEvent]:
    """Generated tokens, the epochs in turn."""
    return [token(index, text, ("plays", "code")[index % 2]) for index, text in enumerate(texts)]


def shown(widget: QWidget, width: int, height: int) -> None:
    widget.resize(width, height)
    widget.show()
    QTest.qWaitForWindowExposed(widget)


def view_with(*texts: str) -> TokenView:
    view = TokenView()
    shown(view, 500, 200)
    view.reset(SLOTS)
    view.add_tokens(tokens_of(*texts))
    return view


def format_of(view: TokenView, index: int) -> QTextCharFormat:
    cursor = QTextCursor(view.document())
    cursor.setPosition(view.span(index)[0] + 1)
    return cursor.charFormat()


def place_of(view: TokenView, index: int) -> QPoint:
    """A point within a token, in the viewport."""
    cursor = QTextCursor(view.document())
    cursor.setPosition(view.span(index)[0])
    area = view.cursorRect(cursor)
    return QPoint(area.left() + 3, area.center().y())


def drag(viewport: QWidget, begin: QPoint, end: QPoint, modifiers: Qt.KeyboardModifier) -> None:
    """The left button goes down, the pointer moves, the button goes up."""
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    for kind, place, button, held in (
        (QEvent.Type.MouseButtonPress, begin, left, left),
        (QEvent.Type.MouseMove, end, none, left),
        (QEvent.Type.MouseButtonRelease, end, left, none),
    ):
        on_screen = QPointF(viewport.mapToGlobal(place))
        QApplication.sendEvent(viewport, QMouseEvent(kind, QPointF(place), on_screen, button, held, modifiers))
