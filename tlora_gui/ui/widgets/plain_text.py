"""Text of fixed width, so that code keeps its shape."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QFontMetricsF, QResizeEvent
from PySide6.QtWidgets import QPlainTextEdit, QSizePolicy, QWidget

from tlora_gui.ui.theme import mono_font

_LINE = 90
"""Characters: longer lines are hard to come back from."""


class PageText(QPlainTextEdit):
    """In one of the style sheet's sizes of text; lines are no longer than those of a page, however wide the frame."""

    def __init__(self, size: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFont(mono_font())
        self.setProperty("textSize", size)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit_line()
        # The margin comes first: on its way to the screen the viewport is told of one size only.
        super().resizeEvent(QResizeEvent(self.viewport().size(), event.oldSize()))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit_line()

    def _fit_line(self) -> None:
        line = _LINE * QFontMetricsF(self.font()).averageCharWidth() + 2 * self.document().documentMargin()
        bar = self.verticalScrollBar()
        room = self.contentsRect().width() - (bar.width() if bar.isVisibleTo(self) else 0)
        too_much = max(0, room - round(line))
        if too_much != self.viewportMargins().right():
            self.setViewportMargins(0, 0, too_much, 0)


class PlainText(PageText):
    """As high as its number of lines."""

    def __init__(self, lines: int, size: str = "caption", parent: QWidget | None = None) -> None:
        super().__init__(size, parent)
        self._lines = lines
        self.setTabChangesFocus(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        self.ensurePolished()
        around = self.height() - self.viewport().height() + 2 * round(self.document().documentMargin())
        return QSize(super().sizeHint().width(), self._lines * self.fontMetrics().lineSpacing() + around)

    def minimumSizeHint(self) -> QSize:
        return QSize(super().minimumSizeHint().width(), self.sizeHint().height())
