"""The memory matrix with its metrics below, and the switch between its two measures."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QToolButton, QWidget

from tlora_gui.engine.protocol.events import EpochInfo, Evaluated
from tlora_gui.ui.charts.matrix import MemoryMatrix
from tlora_gui.ui.charts.metric_strip import MetricStrip
from tlora_gui.ui.charts.metric_values import Measure, metric_values
from tlora_gui.ui.charts.series import Matrix
from tlora_gui.ui.theme import Theme
from tlora_gui.ui.widgets.layouts import row, small_button

_GAP = 4


class MatrixView(QWidget):
    """The memory matrix takes the room that the metrics leave; where that is too little, they go."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumSize(140, 80)
        self.matrix = MemoryMatrix(theme, self)
        self.strip = MetricStrip(theme, self)

    def show_data(self, matrix: Matrix, epochs: dict[str, EpochInfo], evaluated: Evaluated | None) -> None:
        """Show what was measured in every phase, and what an evaluation found last."""
        self.matrix.set_matrix(matrix, epochs)
        names = {slug: epoch.name for slug, epoch in epochs.items()}
        self.strip.show_values(metric_values(matrix, epochs, evaluated), names)
        self._arrange()

    def apply_theme(self, theme: Theme) -> None:
        self.matrix.apply_theme(theme)
        self.strip.apply_theme(theme)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrange()

    def _arrange(self) -> None:
        needed = self.strip.arrange(self.width())
        room = self.height() - needed - _GAP
        self.strip.setVisible(room >= self.matrix.least_height(self.width()))
        self.strip.setGeometry(0, self.height() - needed, self.width(), needed)
        self.matrix.setGeometry(0, 0, self.width(), self.height() if self.strip.isHidden() else room)


class MeasureSwitch(QWidget):
    """Two small buttons, one of them down: what the memory matrix shows."""

    chosen = Signal(str)
    """A :data:`Measure` is wanted."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("matrixMeasure")
        self.setAccessibleName(self.tr("Measure of the memory matrix"))
        self.measure: Measure = "routing"
        self._group = QButtonGroup(self)
        routing = self._button("routing", self.tr("Routing"), self.tr("Show how often each epoch's tokens go to it"))
        loss = self._button("loss", self.tr("Loss"), self.tr("Show the loss of the mix on each epoch's text"))
        self.setLayout(row(routing, loss, spacing=0))
        routing.setChecked(True)
        self._group.buttonToggled.connect(self._toggled)

    def _button(self, measure: Measure, text: str, what: str) -> QToolButton:
        button = small_button(text, what)
        button.setObjectName(f"{measure}MeasureButton")
        button.setProperty("measure", measure)
        button.setProperty("segment", True)
        button.setCheckable(True)
        self._group.addButton(button)
        return button

    def _toggled(self, button: QAbstractButton, down: bool) -> None:
        if down:
            self.measure = button.property("measure")
            self.chosen.emit(self.measure)
