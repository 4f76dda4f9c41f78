"""Keys that mean something else in one part of a window than in the rest of it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QKeyCombination, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget


class OwnKey(QObject):
    """While the focus is in a widget, a key does this there, though the window has a shortcut of the same key."""

    def __init__(self, key: Qt.Key, widget: QWidget, pressed: Callable[[], object]) -> None:
        super().__init__(widget)
        self._key = QKeyCombination(key)
        self._pressed = pressed
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(event, QKeyEvent) or event.keyCombination() != self._key:
            return False
        event.accept()  # the override too, or the window's shortcut would have the key
        if event.type() == QEvent.Type.KeyPress:
            self._pressed()
        return True
