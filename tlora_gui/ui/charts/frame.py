"""The panel around a chart: title, legend, and saving what is shown."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QPoint, QSize, QStandardPaths, Signal
from PySide6.QtGui import QAction, QColor, QImage, QPainter
from PySide6.QtWidgets import (
    QMenu,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from tlora_gui.engine.protocol.errors import cause
from tlora_gui.ui.theme import LIGHT, Theme, scaled
from tlora_gui.ui.translation import worded
from tlora_gui.ui.widgets.elided_label import ElidedLabel
from tlora_gui.ui.widgets.icons import icon
from tlora_gui.ui.widgets.layouts import Ends, HighEnough, row, small_button
from tlora_gui.ui.widgets.questions import choose_target

Key = tuple[Literal["line", "dashed", "dots", "ring"], str]
_SIGNS = {"line": "—", "dashed": "– –", "dots": "•", "ring": "○"}
_PICTURE_SCALE = 2
MARGINS = (12, 6, 7, 6)
"""Of a panel of charts, samples or runs."""
_BODY_HEIGHT = 64
"""At text of ten points, at least: axes and a plot between them in which a curve is seen."""

Rows = list[tuple[object, ...]]


class ChartFrame(HighEnough):
    """A titled panel with one or more views of the same data, which can be saved as picture and as table.

    Signals:
        saved: a file was written (path).
        problem: a file could not be written (message, hint).
    """

    saved = Signal(str)
    problem = Signal(str, str)

    def __init__(self, title: str, caption: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._title = ""
        self._theme = LIGHT
        self.legend = ElidedLabel("muted")
        self.legend.setProperty("textSize", "caption")
        self.body = QStackedWidget()
        self.menu = QMenu(self)
        self._caption = ElidedLabel("muted")
        self._caption.show_text(caption)
        self._heading = ElidedLabel("title")
        self._header, self._below = row(spacing=2), row(self.legend)
        self.head = Ends(self._heading, self._header, spacing=2), Ends(self._caption, self._below)
        self._controls: list[QWidget] = []
        self._save_actions: list[QAction] = []
        self._tables: dict[QWidget, Callable[[], Rows]] = {}
        self._build()
        self._build_menu()
        self.set_title(title)

    def _build(self) -> None:
        self._caption.setProperty("textSize", "caption")
        self.body.setMinimumHeight(scaled(_BODY_HEIGHT))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*MARGINS)
        layout.setSpacing(2)
        for line in self.head:
            layout.addLayout(line)
        layout.addWidget(self.body, 1)

    def sizeHint(self) -> QSize:
        border = self.width() - self.contentsRect().width()
        title = self._heading.sizeHint().width() + MARGINS[0] + MARGINS[2] + border
        return QSize(max(title, self.minimumSizeHint().width()), super().sizeHint().height())

    def _build_menu(self) -> None:
        for text, slot in (
            (self.tr("Save as picture…"), self._ask_picture),
            (self.tr("Save data as table…"), self._ask_table),
        ):
            action = QAction(text, self.menu)
            action.triggered.connect(slot)
            action.setEnabled(False)
            self.menu.addAction(action)
            self._save_actions.append(action)
        self._options = self.add_button("", "")
        self._options.setIcon(icon("more"))
        self._options.setMenu(self.menu)
        self._options.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)

    def add_button(self, text: str, what: str) -> QToolButton:
        """A small button at the right of the title; ``what`` is its tooltip and accessible name."""
        button = small_button(text, what)
        self._header.insertWidget(0, button)
        self._controls.append(button)
        return button

    def add_control(self, control: QWidget) -> None:
        """A small control at the right of the caption; saved pictures leave it out."""
        self._below.addWidget(control)
        self._controls.append(control)

    def add_view(self, view: QWidget, rows: Callable[[], Rows]) -> None:
        """A way to show the data; ``rows`` gives its table, header first."""
        self.body.addWidget(view)
        self._tables[view] = rows

    def set_legend(self, *keys: Key) -> None:
        """Say what line, dashed line and dot mean."""
        shown = "  ".join(f"{_SIGNS[kind]} {text}" for kind, text in keys)
        if shown != self.legend.text():
            self.legend.show_text(shown)
            self.legend.setAccessibleName(", ".join(f"{kind}: {text}" for kind, text in keys))
            self._level()

    def show_legend(self, shown: bool) -> None:
        """Show what :meth:`set_legend` said, or hide it where no line is shown."""
        if self.legend.isHidden() == shown:
            self.legend.setVisible(shown)
            self._level()

    def _level(self) -> None:
        """Lay out the heads again that stay level with this one's."""
        for line in self.head:
            for other in line.level_with:
                other.update()

    def set_title(self, title: str) -> None:
        """What the panel shows; also the name of the files it is saved to."""
        if title == self._title:
            return
        self._title = title
        self._heading.show_text(title)
        self._level()
        what = self.tr("Options of “{title}”").format(title=title)
        self._options.setToolTip(what)
        self._options.setAccessibleName(what)

    @property
    def title(self) -> str:
        """What the panel shows."""
        return self._title

    def set_caption(self, caption: str) -> None:
        """The unit, in small print under the title."""
        if caption != self._caption.text():
            self._caption.show_text(caption)
            self._level()

    def add_option(self, text: str) -> QAction:
        """A switch in the panel's menu, above what saves."""
        action = QAction(text, self.menu)
        action.setCheckable(True)
        self.menu.insertAction(self._save_actions[0], action)
        return action

    def set_savable(self, savable: bool) -> None:
        """Whether there is anything to save."""
        for action in self._save_actions:
            action.setEnabled(savable)

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme

    def picture(self) -> QImage:
        """What the panel shows, without its buttons, at twice its size."""
        image = QImage(self.size() * _PICTURE_SCALE, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(_PICTURE_SCALE)
        image.fill(QColor(self._theme.panel))
        painter = QPainter(image)
        self.render(painter, QPoint())
        for control in self._controls:
            if not control.isHidden():
                painter.fillRect(control.geometry(), QColor(self._theme.panel))
        painter.end()
        return image

    def save_picture(self, path: str) -> None:
        """Write :meth:`picture` as PNG."""
        if self.picture().save(path):
            self.saved.emit(path)
        else:
            self._report(path, "")

    def save_table(self, path: str) -> None:
        """Write the data of the view now shown as CSV."""
        rows = next((table() for view, table in self._tables.items() if view is self.body.currentWidget()), [])
        try:
            with open(path, "w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows(rows)
        except OSError as error:
            self._report(path, worded(cause(error)))
        else:
            self.saved.emit(path)

    def _report(self, path: str, reason: str) -> None:
        message = self.tr("The chart could not be saved to {path}.").format(path=path)
        self.problem.emit(f"{message} {reason}".strip(), self.tr("Choose another folder, or free some space."))

    def _ask_picture(self) -> None:
        self._ask(self.tr("Save chart as picture"), "png", self.tr("PNG picture (*.png)"), self.save_picture)

    def _ask_table(self) -> None:
        self._ask(self.tr("Save data of the chart"), "csv", self.tr("CSV table (*.csv)"), self.save_table)

    def _ask(self, title: str, suffix: str, name_filter: str, save: Callable[[str], None]) -> None:
        documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        name = self._title.lower().replace(",", "").replace(" ", "-")
        start = str(Path(documents) / f"{name}.{suffix}")
        choose_target(self, title, start, {name_filter: suffix}, save).setObjectName("saveChartDialog")
