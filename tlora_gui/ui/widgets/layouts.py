"""Rows and columns in one line each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QAbstractScrollArea,
    QBoxLayout,
    QCheckBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLayoutItem,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from tlora_gui.ui.theme import scaled
from tlora_gui.ui.widgets.wrapped_label import WrappedLabel

Margins = tuple[int, int, int, int]
Box = TypeVar("Box", bound=QBoxLayout)
UNBOUNDED = 16_777_215  # QWIDGETSIZE_MAX, which PySide6 does not have
NO_MARGINS: Margins = (0, 0, 0, 0)
DIALOG_MARGINS: Margins = (20, 16, 20, 16)
POPUP_MARGINS: Margins = (12, 12, 12, 12)


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


class Panel(QFrame):
    """As high as its words are at its width: a scroll area would press it together."""

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def sizeHint(self) -> QSize:
        width, layout = self.maximumWidth(), self.layout()
        assert layout is not None
        return QSize(width, layout.totalHeightForWidth(width))


class HighEnough(QFrame):
    """Never lower than its layout must be at its width, which docks do not ask."""

    def minimumSizeHint(self) -> QSize:
        hint, layout = super().minimumSizeHint(), self.layout()
        if layout is None or self.isHidden():  # it has no width yet
            return hint
        return QSize(hint.width(), max(hint.height(), layout.totalMinimumHeightForWidth(self.width())))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()


@contextmanager
def one_layout(widget: QWidget) -> Iterator[None]:
    """Lay the window out once, after the block. Whatever is shown lays it out at once, and where what makes room for it
    is not hidden yet, the window becomes larger for good."""
    layout = widget.window().layout()
    if layout is None or not layout.isEnabled():  # it has none, or one block is within another
        yield
        return
    layout.setEnabled(False)
    try:
        yield
    finally:
        layout.setEnabled(True)


def row(*items: QWidget | QLayout | None, spacing: int = 8, margins: Margins = NO_MARGINS) -> QHBoxLayout:
    """Items from left to right; None takes the space that is left."""
    return _fill(QHBoxLayout(), items, spacing, margins)


def column(*items: QWidget | QLayout | None, spacing: int = 8, margins: Margins = NO_MARGINS) -> QVBoxLayout:
    """Items from top to bottom; None takes the space that is left."""
    return _fill(QVBoxLayout(), items, spacing, margins)


class Ends(QLayout):
    """One item at the left end of a row, one at its right; where there is no room for both, the right one goes below.

    ``equal``, for buttons, gives both the same width, below each other the whole.

    Attributes:
        level_with: this and others of the same width, which are as high as the highest, all in one row or none.
    """

    def __init__(self, left: QWidget | QLayout, right: QWidget | QLayout, *, spacing: int = 8, equal: bool = False):
        super().__init__()
        self.setContentsMargins(*NO_MARGINS)
        self.setSpacing(spacing)
        self._equal = equal
        self._items: list[QLayoutItem] = []
        self.level_with: Sequence[Ends] = ()
        for item in (left, right):
            if isinstance(item, QWidget):
                self.addWidget(item)
            else:
                self.addChildLayout(item)
                self.addItem(item)

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation.Horizontal

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return max(each._arrange(QRect(0, 0, width, 0), place=False) for each in self.level_with or (self,))

    def sizeHint(self) -> QSize:
        sizes = [item.sizeHint() for item in self._shown()]
        gaps = self.spacing() * max(0, len(sizes) - 1)
        return QSize(sum(size.width() for size in sizes) + gaps, max((size.height() for size in sizes), default=0))

    def minimumSize(self) -> QSize:
        sizes = [item.minimumSize() for item in self._shown()]
        return QSize(
            max((size.width() for size in sizes), default=0), max((size.height() for size in sizes), default=0)
        )

    def setGeometry(self, area: QRect) -> None:
        super().setGeometry(area)
        self._arrange(area, place=True)

    def _shown(self) -> list[QLayoutItem]:
        return [item for item in self._items if not item.isEmpty()]

    def _wanted(self) -> list[int]:
        """Widths that the shown items want."""
        wanted = [item.sizeHint().width() for item in self._shown()]
        return [max(wanted)] * len(wanted) if self._equal and wanted else wanted

    def _arrange(self, area: QRect, *, place: bool) -> int:
        """Place the items, or only return the height that they take."""
        shown, gap, wanted = self._shown(), self.spacing(), self._wanted()
        in_one_row = max(sum(each._wanted()) + gap * (len(each._wanted()) - 1) for each in self.level_with or (self,))
        if in_one_row <= area.width():
            wide = [area.width()] * len(shown)
            if len(shown) == 2:
                right = (area.width() - gap) // 2 if self._equal else wanted[1]
                wide = [area.width() - gap - right, right]
            height = max((_height(item, width) for item, width in zip(shown, wide, strict=True)), default=0)
            left = area.left()
            if shown == self._items[1:] and not self._equal:  # the right one alone
                wide = wanted
                left = area.right() + 1 - wanted[0]
            for item, width in zip(shown, wide, strict=True):
                if place:
                    item.setGeometry(QRect(left, area.top(), width, max(height, area.height())))
                left += width + gap
            return height
        top, below = area.top(), gap if self._equal else gap // 2
        for index, item in enumerate(shown):
            width = min(wanted[index], area.width()) if index and not self._equal else area.width()
            height = _height(item, width)
            if place:
                item.setGeometry(QRect(area.right() + 1 - width, top, width, height))
            top += height + below
        return top - below - area.top()


def _height(item: QLayoutItem, width: int) -> int:
    return item.heightForWidth(width) if item.hasHeightForWidth() else item.sizeHint().height()


def put_bar_in_margin(area: QAbstractScrollArea) -> None:
    """Keep a right margin as wide as the vertical scroll bar, which takes its place: the content keeps its width."""
    bar = area.verticalScrollBar()

    def fit(low: int, high: int) -> None:
        area.setViewportMargins(0, 0, 0 if high > low else bar.sizeHint().width(), 0)

    bar.rangeChanged.connect(fit)
    fit(bar.minimum(), bar.maximum())


def fields(*items: tuple[str, QWidget], label_width: int = 140) -> QGridLayout:
    """A form: a label and its field in each row, fields as wide as they want to be.

    Labels take ``label_width`` pixels at text of ten points, so that the fields of forms below each other are aligned.
    """
    grid = QGridLayout()
    grid.setContentsMargins(*NO_MARGINS)
    grid.setHorizontalSpacing(12)
    grid.setVerticalSpacing(8)
    grid.setColumnMinimumWidth(0, scaled(label_width))
    grid.setColumnStretch(1, 1)
    for index, (text, field) in enumerate(items):
        name = QLabel(text)
        name.setBuddy(field)
        name.setToolTip(field.toolTip())
        grid.addWidget(name, index, 0)
        if field.maximumWidth() < UNBOUNDED:
            grid.addWidget(field, index, 1, Qt.AlignmentFlag.AlignLeft)
        else:
            grid.addWidget(field, index, 1)
    return grid


def label(text: str, role: str = "", *, wrap: bool = False) -> QLabel:
    """A label with the look of ``role`` (style sheet)."""
    made = WrappedLabel(text) if wrap else QLabel(text)
    if role:
        made.setProperty("role", role)
    return made


def set_role(widget: QWidget, name: str, value: str) -> None:
    """Change a dynamic property that the style sheet looks at, and redraw accordingly."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)
        widget.update()


def tick_box(text: str) -> QCheckBox:
    """A check box that is no wider than its words, so that a click beside them is none on it."""
    box = QCheckBox(text)
    box.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
    return box


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
