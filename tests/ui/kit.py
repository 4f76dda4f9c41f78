"""What tests of the window share: finding and using widgets, a pointer, a drag of files, and invented tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QMouseEvent,
    QTextCharFormat,
    QTextCursor,
    QWheelEvent,
)
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QMessageBox,
    QSlider,
    QSpinBox,
    QWidget,
)

from tlora_gui.engine.protocol.config import BACKBONE_COLOUR
from tlora_gui.engine.protocol.texts import Alternative, SlotInfo, TokenEvent
from tlora_gui.ui.generation.token_view.ribbon import MixRibbon
from tlora_gui.ui.generation.token_view.token_view import TokenView

WaitUntil = Callable[..., None]
Found = TypeVar("Found", bound=QWidget)

_LEFT, _NO_BUTTON = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
_NO_KEYS = Qt.KeyboardModifier.NoModifier


# -- widgets --------------------------------------------------------------------------------------------------------


def shown(widget: QWidget, width: int = 0, height: int = 0) -> None:
    """Bring a widget on screen, of this size if one is given, and lay it out."""
    if width:
        widget.resize(width, height)
    widget.show()
    QTest.qWaitForWindowExposed(widget)


def child(widget: QWidget, name: str, kind: type[Found] = QWidget) -> Found:  # type: ignore[assignment]
    """The widget of this object name within another."""
    found = widget.findChild(kind, name)
    assert found is not None, f"there is no {name}"
    return found


def button(widget: QWidget, name: str) -> QAbstractButton:
    return child(widget, name, QAbstractButton)


def combo(widget: QWidget, name: str) -> QComboBox:
    return child(widget, name, QComboBox)


def edit(widget: QWidget, name: str) -> QLineEdit:
    return child(widget, name, QLineEdit)


def slider(widget: QWidget, name: str) -> QSlider:
    return child(widget, name, QSlider)


def spin(widget: QWidget, name: str) -> QSpinBox:
    return child(widget, name, QSpinBox)


def tick(widget: QWidget, name: str) -> QCheckBox:
    return child(widget, name, QCheckBox)


def click(widget: QWidget, name: str) -> None:
    """Click the visible button with this object name, this text or this accessible name."""
    visible = [
        found
        for found in widget.findChildren(QAbstractButton)
        if found.isVisible() and name in (found.objectName(), found.text(), found.accessibleName())
    ]
    assert len(visible) == 1, f"{len(visible)} visible buttons {name!r}"
    QTest.mouseClick(visible[0], _LEFT)


def texts(widget: QWidget) -> list[str]:
    """What can be read on the labels of a widget."""
    return [plain(label.text()) for label in widget.findChildren(QLabel) if label.isVisible() and label.text()]


def said(widget: QWidget) -> str:
    """:func:`texts` as one text, a line each."""
    return "\n".join(texts(widget))


def plain(text: str) -> str:
    """A text with plain spaces where lines must not break, and nothing where words may."""
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{ZERO WIDTH SPACE}", "")


def question(widget: QWidget) -> QMessageBox:
    """The one question that is asked over a widget."""
    (found,) = [box for box in widget.findChildren(QMessageBox) if box.isVisible()]
    return found


# -- pointer --------------------------------------------------------------------------------------------------------


def hover(widget: QWidget, point: QPoint) -> None:
    """A pointer that moves there. QTest.mouseMove depends on where the real one was before."""
    _mouse(widget, QEvent.Type.MouseMove, point, _NO_BUTTON, _NO_BUTTON, _NO_KEYS)


def drag(widget: QWidget, begin: QPoint, end: QPoint, modifiers: Qt.KeyboardModifier) -> None:
    """The left button goes down, the pointer moves, the button goes up."""
    _mouse(widget, QEvent.Type.MouseButtonPress, begin, _LEFT, _LEFT, modifiers)
    _mouse(widget, QEvent.Type.MouseMove, end, _NO_BUTTON, _LEFT, modifiers)
    _mouse(widget, QEvent.Type.MouseButtonRelease, end, _LEFT, _NO_BUTTON, modifiers)


def _mouse(
    widget: QWidget,
    kind: QEvent.Type,
    point: QPoint,
    button: Qt.MouseButton,
    held: Qt.MouseButton,
    modifiers: Qt.KeyboardModifier,
) -> None:
    on_screen = QPointF(widget.mapToGlobal(point))
    QApplication.sendEvent(widget, QMouseEvent(kind, QPointF(point), on_screen, button, held, modifiers))


def turn_wheel(widget: QWidget, point: QPoint, delta: int, modifiers: Qt.KeyboardModifier = _NO_KEYS) -> None:
    """A wheel that is turned over a point, away from the person if ``delta`` is positive."""
    on_screen = QPointF(widget.mapToGlobal(point))
    turn = QPoint(0, delta)
    phase = Qt.ScrollPhase.NoScrollPhase
    event = QWheelEvent(QPointF(point), on_screen, QPoint(), turn, _NO_BUTTON, modifiers, phase, False)
    QApplication.sendEvent(widget, event)


# -- files that are dragged -----------------------------------------------------------------------------------------


def file_drag(paths: Sequence[str | Path], *, with_text: bool = False) -> QMimeData:
    """What a file manager offers; some add the paths as plain text."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    if with_text:
        data.setText("\n".join(map(str, paths)))
    return data


def drag_in(target: QWidget, data: QMimeData) -> bool:
    """Drag over the middle of a widget; says whether anything there would take it."""
    enter = QDragEnterEvent(target.rect().center(), Qt.DropAction.CopyAction, data, _LEFT, _NO_KEYS)
    enter.ignore()
    QApplication.sendEvent(target, enter)
    return enter.isAccepted()


def drag_out(target: QWidget) -> None:
    """Leave again without letting go."""
    QApplication.sendEvent(target, QDragLeaveEvent())


def drop(target: QWidget, data: QMimeData) -> bool:
    """Drag over the middle of a widget and let go; says whether anything took it."""
    if not drag_in(target, data):
        return False
    at = target.rect().center()
    move = QDragMoveEvent(at, Qt.DropAction.CopyAction, data, _LEFT, _NO_KEYS)
    move.accept()  # as Qt does once the drag was taken on entering
    QApplication.sendEvent(target, move)
    if not move.isAccepted():
        drag_out(target)
        return False
    let_go = QDropEvent(QPointF(at), Qt.DropAction.CopyAction, data, _LEFT, _NO_KEYS)
    QApplication.sendEvent(target, let_go)
    return let_go.isAccepted()


# -- tokens ---------------------------------------------------------------------------------------------------------

BACKBONE = SlotInfo("", "Eternity", BACKBONE_COLOUR)
PLAYS = SlotInfo("plays", "Plays", "#0072B2")
CODE = SlotInfo("code", "Code", "#E69F00")
SLOTS = (BACKBONE, PLAYS, CODE)
MIXES = {"": (0.9, 0.05, 0.05), "plays": (0.1, 0.8, 0.1), "code": (0.05, 0.2, 0.75)}


def token(index: int, text: str, speaker: str = "plays", **changes: object) -> TokenEvent:
    """A generated token of which ``speaker`` is the dominant slot."""
    others = (Alternative(text, 0.25), Alternative(" other", 0.1))
    return replace(TokenEvent(index, 7, text, MIXES[speaker], False, 0.25, 1, others), **changes)


def tokens_of(*texts: str) -> list[TokenEvent]:
    """Generated tokens, the epochs in turn."""
    return [token(index, text, ("plays", "code")[index % 2]) for index, text in enumerate(texts)]


def view_with(tokens: Sequence[TokenEvent]) -> TokenView:
    """A view on screen that shows tokens."""
    view = TokenView()
    shown(view, 500, 200)
    view.reset(SLOTS)
    view.add_tokens(tokens)
    return view


def ribbon_with(tokens: Sequence[TokenEvent], wait_until: WaitUntil) -> MixRibbon:
    """A ribbon on screen that has drawn tokens."""
    ribbon = MixRibbon()
    shown(ribbon, 600, 72)
    ribbon.set_slots(SLOTS)
    ribbon.add_tokens(tokens)
    wait_until(lambda: ribbon.drawn_tokens == len(tokens))
    return ribbon


def heights(ribbon: MixRibbon) -> list[np.ndarray]:
    """Upper edges of the areas that a ribbon draws, the whole stack first and the lowest area last."""
    drawn = [item for item in ribbon.scene().items() if isinstance(item, pg.PlotCurveItem)]
    return [area.yData for area in reversed(drawn)]


def format_at(view: TokenView, position: int) -> QTextCharFormat:
    """How the character after a text position is written."""
    cursor = QTextCursor(view.document())
    cursor.setPosition(position + 1)
    return cursor.charFormat()


def format_of(view: TokenView, index: int) -> QTextCharFormat:
    """How a token is written."""
    return format_at(view, view.span(index)[0])


def point_of(view: TokenView, position: int) -> QPoint:
    """A point within the character after a text position, in the viewport."""
    cursor = QTextCursor(view.document())
    cursor.setPosition(position)
    area = view.cursorRect(cursor)
    return QPoint(area.left() + 3, area.center().y())


def position_of(view: TokenView, index: int) -> QPoint:
    """A point within a token, in the viewport."""
    return point_of(view, view.span(index)[0])
