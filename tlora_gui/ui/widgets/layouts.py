"""Rows and columns in one line each."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QBoxLayout, QGridLayout, QHBoxLayout, QLabel, QLayout, QToolButton, QVBoxLayout, QWidget

Margins = tuple[int, int, int, int]
Box = TypeVar("Box", bound=QBoxLayout)
_UNBOUNDED = 16_777_215  # QWIDGETSIZE_MAX, which PySide6 does not have
NO_MARGINS: Margins = (0, 0, 0, 0)


def _fill(box: Box, items: tuple[QWidget | QLayout | None, ...], spacing: int, margins: Margins) -> Box:
    box.setContentsMargins(*margins)
    box.setSpacing(spacing)
    for item in items:
        if item is None:
            box.addStretch(1)
        elif isinstance(item, QWidget):
            box.addWidget(item)
        else:
            box.addLayout(item)
    return box


def row(*items: QWidget | QLayout | None, spacing: int = 8, margins: Margins = NO_MARGINS) -> QHBoxLayout:
    """Items from left to right; None takes the space that is left."""
    return _fill(QHBoxLayout(), items, spacing, margins)


def column(*items: QWidget | QLayout | None, spacing: int = 8, margins: Margins = NO_MARGINS) -> QVBoxLayout:
    """Items from top to bottom; None takes the space that is left."""
    return _fill(QVBoxLayout(), items, spacing, margins)


def fields(*items: tuple[str, QWidget], label_width: int = 110) -> QGridLayout:
    """A form: a label and its field in each row, fields as wide as they want to be."""
    grid = QGridLayout()
    grid.setContentsMargins(*NO_MARGINS)
    grid.setHorizontalSpacing(12)
    grid.setVerticalSpacing(8)
    grid.setColumnMinimumWidth(0, label_width)
    grid.setColumnStretch(1, 1)
    for index, (text, field) in enumerate(items):
        name = QLabel(text)
        name.setBuddy(field)
        name.setToolTip(field.toolTip())
        grid.addWidget(name, index, 0)
        if field.maximumWidth() < _UNBOUNDED:
            grid.addWidget(field, index, 1, Qt.AlignmentFlag.AlignLeft)
        else:
            grid.addWidget(field, index, 1)
    return grid


def label(text: str, role: str = "", *, wrap: bool = False) -> QLabel:
    """A label with the look of ``role`` (style sheet)."""
    made = QLabel(text)
    if role:
        made.setProperty("role", role)
    made.setWordWrap(wrap)
    return made


def set_role(widget: QWidget, name: str, value: str) -> None:
    """Change a dynamic property that the style sheet looks at, and redraw accordingly."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)
        widget.update()


def small_button(text: str, what: str, name: str = "") -> QToolButton:
    """A quiet button; ``what`` is its tooltip and accessible name, ``name`` its object name."""
    button = QToolButton()
    button.setObjectName(name)
    button.setText(text)
    button.setProperty("role", "flat")
    button.setProperty("compact", True)
    button.setToolTip(what)
    button.setAccessibleName(what)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return button
