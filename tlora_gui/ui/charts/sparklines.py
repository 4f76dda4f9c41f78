"""The charts folded to one line: a small curve and its latest value each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QWidget

from tlora_gui.ui.charts.series import Curve
from tlora_gui.ui.charts.style import line_colour
from tlora_gui.ui.theme import LIGHT, Theme
from tlora_gui.ui.widgets.icons import icon
from tlora_gui.ui.widgets.layouts import label, row, small_button
from tlora_gui.ui.widgets.painting import guarded

_MARGIN = 3.0
_WIDTH, _HEIGHT = 64, 20
_GAP, _MARGINS = 20, (12, 6, 8, 6)
"""Pixels between the metrics of the strip, and around them."""

ColouredCurve = tuple[Curve, str]
"""A curve over global steps, and its colour as ``#RRGGBB``."""


class Sparkline(QWidget):
    """Curves without axes, over one range of steps and of values."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = LIGHT
        self._curves: list[ColouredCurve] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(_WIDTH, _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(_WIDTH // 2, _HEIGHT)

    def set_curves(self, curves: Sequence[ColouredCurve]) -> None:
        """Draw these; values that are not finite are left out."""
        self._curves = [(curve, colour) for curve, colour in curves if len(curve[0])]
        self.update()

    def apply_theme(self, theme: Theme) -> None:
        """Use a theme's colours from now on."""
        self._theme = theme
        self.update()

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._curves:
            return
        area = QRectF(self.rect()).adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        first = min(x[0] for (x, _), _ in self._curves)
        across = max(max(x[-1] for (x, _), _ in self._curves) - first, 1)
        drawn = [(_thinned(curve, 2 * area.width() / across), colour) for curve, colour in self._curves]
        values = np.concatenate([y for (_, y), _ in drawn])
        if not len(values):
            return
        low = values.min()
        up = max(values.max() - low, 1e-9)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for (x, y), colour in drawn:
            points = [
                QPointF(area.left() + area.width() * (step - first) / across, area.bottom() - area.height() * height)
                for step, height in zip(x, (y - low) / up, strict=True)
            ]
            if not points:
                continue
            pen = QPen(line_colour(colour, self._theme), 1.5)
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            painter.setPen(pen)
            painter.drawPolyline(QPolygonF(points)) if len(points) > 1 else painter.drawPoint(points[0])


def _thinned(curve: Curve, density: float) -> Curve:
    """So many points a step at most, but for the ends, so that all phases together are no more work than one."""
    x, y = curve
    most = max(2, round(density * (x[-1] - x[0])))
    chosen = np.unique(np.linspace(0, len(x) - 1, min(len(x), most)).astype(int))
    chosen = chosen[np.isfinite(y[chosen])]
    return x[chosen], y[chosen]


class SparklineStrip(QFrame):
    """Adapter loss, mixer-distill loss and routing accuracy in one line, as many of them as there is room for.

    A click anywhere asks for the charts.

    Signals: ``unfold_requested()``.
    """

    unfold_requested = Signal()

    def __init__(self, names: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.setObjectName("sparklineStrip")
        self.setAccessibleName(self.tr("Charts, folded"))
        self.setToolTip(self.tr("Unfold the charts"))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._lines = [Sparkline() for _ in names]
        self._names = [label(name, "caption") for name in names]
        self._values = [QLabel() for _ in names]
        for value in self._values:  # as wide as any, so that nothing moves while it changes
            value.setProperty("textSize", "caption")
            value.setMinimumWidth(value.fontMetrics().horizontalAdvance("0.0000"))
        self._metrics = [QWidget() for _ in names]
        line = row(spacing=_GAP, margins=_MARGINS)
        for metric, caption, spark, value in zip(self._metrics, self._names, self._lines, self._values, strict=True):
            caption.setBuddy(spark)
            caption.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
            metric.setLayout(row(caption, spark, value, spacing=8))
            line.addWidget(metric, 1)
        self._unfold = small_button("", self.tr("Unfold the charts"), "unfoldChartsButton")
        self._unfold.setIcon(icon("up"))
        self._unfold.clicked.connect(self.unfold_requested)
        line.addWidget(self._unfold)
        self.setLayout(line)

    def minimumSizeHint(self) -> QSize:
        return QSize(self._width_with(1), super().minimumSizeHint().height())

    def _width_with(self, metrics: int) -> int:
        """Pixels that so many metrics take at least."""
        widths = [metric.minimumSizeHint().width() + _GAP for metric in self._metrics[:metrics]]
        around = _MARGINS[0] + _MARGINS[2] + self.width() - self.contentsRect().width()
        return sum(widths) + self._unfold.sizeHint().width() + around

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_what_fits()

    def _show_what_fits(self) -> None:
        for number, metric in enumerate(self._metrics):
            metric.setVisible(not number or self._width_with(number + 1) <= self.width())

    def show_metric(self, number: int, curves: Sequence[ColouredCurve], value: str) -> None:
        """Show a metric, in the order of the names: its curves, and its latest value as text."""
        self._lines[number].set_curves(curves)
        self._lines[number].setVisible(any(len(x) for (x, _), _ in curves))
        self._values[number].setText(value)
        self._show_what_fits()

    def set_name(self, number: int, name: str) -> None:
        """Another metric takes the place of one."""
        self._names[number].setText(name)
        self._show_what_fits()

    def apply_theme(self, theme: Theme) -> None:
        """Use a theme's colours from now on."""
        for line in self._lines:
            line.apply_theme(theme)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.unfold_requested.emit()
