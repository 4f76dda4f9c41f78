"""Where a folder of text can be let go."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QPushButton, QStyle, QStyleOptionButton, QStylePainter, QWidget

from tlora_gui.ui.theme import scaled
from tlora_gui.ui.widgets.layouts import set_role
from tlora_gui.ui.widgets.painting import guarded


class DropZone(QPushButton):
    """Shows where to drop, and does what Add does when it is clicked. The panel around it takes the drops."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dropZone")
        self.setProperty("role", "drop")
        self.setText(self.tr("Drop a folder of text here\nto train a new epoch"))
        self.setAccessibleName(self.tr("Drop a folder of text here to train a new epoch"))
        self.setToolTip(self.tr("Drop files or folders, or click to choose them"))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setMinimumHeight(92)

    def sizeHint(self) -> QSize:
        return QSize(scaled(120), super().sizeHint().height())  # its words wrap

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        painter, option = QStylePainter(self), QStyleOptionButton()
        self.initStyleOption(option)
        option.text = ""
        painter.drawControl(QStyle.ControlElement.CE_PushButton, option)
        words = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.setPen(option.palette.color(self.foregroundRole()))
        painter.drawText(self.rect().adjusted(10, 4, -10, -4), words, self.text())
        painter.end()

    def set_active(self, active: bool) -> None:
        """Light up while something that can be dropped is over the window."""
        set_role(self, "active", "true" if active else "false")
