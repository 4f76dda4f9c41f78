"""Text of fixed width, so that code keeps its shape."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QPlainTextEdit, QSizePolicy, QWidget

from tlora_gui.ui.theme import mono_font


class PlainText(QPlainTextEdit):
    """As high as its number of lines, in one of the style sheet's sizes of text."""

    def __init__(self, lines: int, size: str = "caption", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines = lines
        self.setFont(mono_font())
        self.setProperty("textSize", size)
        self.setTabChangesFocus(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        self.ensurePolished()
        around = self.height() - self.viewport().height() + 2 * round(self.document().documentMargin())
        return QSize(super().sizeHint().width(), self._lines * self.fontMetrics().lineSpacing() + around)

    def minimumSizeHint(self) -> QSize:
        return QSize(super().minimumSizeHint().width(), self.sizeHint().height())
