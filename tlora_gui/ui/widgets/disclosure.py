"""A line that opens and closes what lies under it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget

from tlora_gui.ui.theme import scaled
from tlora_gui.ui.widgets.layouts import column


class Disclosure(QWidget):
    """Closed at first; ``content`` is shown while it is open."""

    toggled = Signal(bool)

    def __init__(self, title: str, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._content = content
        self.button = QToolButton()
        self.button.setProperty("role", "disclosure")
        self.button.setCheckable(True)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.setMinimumWidth(scaled(120))  # a long title ends in "…" where there is no room for it
        self.button.toggled.connect(self._toggle)
        layout: QVBoxLayout = column(self.button, content, spacing=4)
        layout.setAlignment(self.button, Qt.AlignmentFlag.AlignLeft)
        self.setLayout(layout)
        self.set_title(title)
        self._toggle(False)

    def set_title(self, title: str) -> None:
        """The words on the line."""
        self.button.setText(title)
        self.button.setAccessibleName(title)
        self.button.setToolTip(self.tr("Show or hide: {title}").format(title=title))

    def set_open(self, is_open: bool) -> None:
        """Open or close it."""
        self.button.setChecked(is_open)

    def _toggle(self, is_open: bool) -> None:
        self.button.setArrowType(Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow)
        self._content.setVisible(is_open)
        self.toggled.emit(is_open)
