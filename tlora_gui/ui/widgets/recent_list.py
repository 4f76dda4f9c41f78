"""Projects that were opened before: opened with one click, pinned, taken out of the list."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from tlora_gui.ui.widgets.icons import icon
from tlora_gui.ui.widgets.layouts import column, row, small_button


class RecentList(QWidget):
    """A row for each project, pinned ones first.

    Signals:
        open_requested: a project's path.
        pin_requested: a project's path, and whether it is to stay on top.
        forget_requested: path of a project that is to be taken out of the list.
    """

    open_requested = Signal(str)
    pin_requested = Signal(str, bool)
    forget_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = column(spacing=0)
        self._links: dict[str, _Link] = {}
        self.setLayout(self._rows)

    @property
    def paths(self) -> list[str]:
        """Of the projects that are shown, from top to bottom."""
        return list(self._links)

    def set_projects(self, pinned: Sequence[str], recent: Sequence[str]) -> None:
        """Show these in place of what was shown."""
        while (taken := self._rows.takeAt(0)) is not None:
            if (widget := taken.widget()) is not None:
                widget.setParent(None)
                widget.deleteLater()
        self._links = {}
        for path in (*pinned, *recent):
            self._rows.addWidget(self._row(path, path in pinned))

    def set_missing(self, path: str, reason: str) -> None:
        """A project that is shown cannot be opened now, and why; empty: it can."""
        if path in self._links:
            self._links[path].set_missing(reason)

    def _row(self, path: str, pinned: bool) -> QWidget:
        name = Path(path).name
        self._links[path] = link = _Link(path)
        link.setAccessibleName(self.tr("Open {name}").format(name=name))
        link.clicked.connect(lambda: self.open_requested.emit(path))
        told = self.tr("Unpin {name}") if pinned else self.tr("Pin {name}: it stays on top of the list")
        pin = small_button("", told.format(name=name), "pinRecentButton")
        pin.setIcon(icon("pinned" if pinned else "pin"))
        pin.clicked.connect(lambda: self.pin_requested.emit(path, not pinned))
        forget = small_button("", self.tr("Take {name} out of the list").format(name=name), "forgetRecentButton")
        forget.setIcon(icon("close"))
        forget.clicked.connect(lambda: self.forget_requested.emit(path))
        line = QWidget()
        line.setLayout(row(link, pin, forget, spacing=0))
        return line


class _Link(QPushButton):
    """Name and place of a project; a place for which there is no room is shortened in its middle."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = Path(path)
        self._missing = ""
        self.setProperty("role", "link")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.MinimumExpanding)
        self.set_missing("")

    def set_missing(self, reason: str) -> None:
        """Why it cannot be opened now; empty: it can."""
        self._missing = reason
        self.setEnabled(not reason)
        self.setToolTip(f"{self._path}\n{reason}" if reason else str(self._path))
        self._show()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show()

    def _show(self) -> None:
        name, place = self._path.name, self._missing or str(self._path.parent)
        room = self.width() - _MARGINS
        text = f"{name}   {place}"
        if self.fontMetrics().horizontalAdvance(text) > room:
            left = room - self.fontMetrics().horizontalAdvance(f"{name}   ")
            place = self.fontMetrics().elidedText(place, Qt.TextElideMode.ElideMiddle, max(0, left))
            text = self.fontMetrics().elidedText(f"{name}   {place}", Qt.TextElideMode.ElideRight, room)
        self.setText(text.replace("&", "&&"))


_MARGINS = 16
"""Pixels beside the words, of the style sheet."""
