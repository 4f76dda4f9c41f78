"""The drawing area of a chart: axes, phases with their names, crosshair. Built on pyqtgraph."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
    QTextDocumentFragment,
)
from PySide6.QtWidgets import QGraphicsSceneResizeEvent, QLabel, QWidget

from tlora_gui.ui.formats import localised
from tlora_gui.ui.palette import as_text
from tlora_gui.ui.theme import Theme
from tlora_gui.ui.widgets.painting import guarded

_RIGHT_MARGIN = 12
_KEYBOARD_STEPS = 50
_LOG_TICKS: tuple[tuple[tuple[int, ...], int], ...] = (
    (tuple(range(1, 10)), 1), ((1, 2, 5), 1), ((1, 3), 1), ((1,), 1), ((1,), 2), ((1,), 5), ((1,), 20), ((1,), 100),
)  # fmt: skip
"""First digits of the values that get a tick, and in every how many decades; the densest that can be read is taken."""


@dataclass(frozen=True, slots=True)
class PhaseMark:
    """Where an epoch's phase lies on the step axis, and what to write over it."""

    start: float
    end: float
    name: str
    colour: str


def log_ticks(low: float, high: float, gap: float) -> list[float]:
    """Decadic logarithms of round values between ``low`` and ``high``, themselves logarithms, at least ``gap`` apart.

    >>> [round(10**tick, 3) for tick in log_ticks(-2, 1, 0.3)]
    [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0]
    """
    for digits, stride in _LOG_TICKS:
        decades = range(math.floor(low / stride) * stride, math.ceil(high) + 1, stride)
        ticks = [decade + math.log10(digit) for decade in decades for digit in digits]
        shown = [tick for tick in ticks if low <= tick <= high]
        if all(other - one >= gap for one, other in pairwise(shown)) and len(shown) > 1:
            return shown
    step = _round_up(10**high * (1 - 10**-gap))
    return [math.log10(step * count) for count in range(math.ceil(10**low / step), math.floor(10**high / step) + 1)]


def _round_up(value: float) -> float:
    """The next of 1, 2 and 5 times a power of ten."""
    power: float = 10.0 ** math.floor(math.log10(value))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= value)


class PlainAxis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph is untyped
    """One level of ticks at 1, 2 or 5 times a power of ten, so far apart that they can be read, also at the ends.

    While it is ``logarithmic``, what it shows are decadic logarithms of the values that it writes.
    """

    def __init__(self, side: str) -> None:
        super().__init__(side)
        self.logarithmic = False
        self.enableAutoSIPrefix(False)
        self.setStyle(tickTextOffset=4, tickLength=0, hideOverlappingLabels=False)

    def set_font(self, font: QFont) -> None:
        """Write in this font, and keep room for it."""
        metrics = QFontMetricsF(font)
        upright = self.orientation in ("left", "right")
        self._gap = 1.7 * metrics.height() if upright else metrics.horizontalAdvance("0") * 7
        self._overhang = metrics.height() / 2
        self.setStyle(tickFont=font)
        if upright:
            self.setWidth(metrics.horizontalAdvance("0.000") + 12)
        else:
            self.setHeight(metrics.height() + 7)

    @guarded
    def paint(self, painter: QPainter, option: Any, widget: QWidget | None) -> None:
        super().paint(painter, option, widget)

    def tickSpacing(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, float]]:
        if maxVal <= minVal or size <= 0:
            return []
        return [(_round_up((maxVal - minVal) * self._gap / size), 0.0)]

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:
        if not self.logarithmic or maxVal <= minVal or size <= 0:
            return list(super().tickValues(minVal, maxVal, size))
        return [(1.0, log_ticks(minVal, maxVal, (maxVal - minVal) * self._gap / size))]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        if self.logarithmic:
            return [localised(f"{10**value:.3g}".replace("e-0", "e-")) for value in values]
        return [localised(text) for text in super().tickStrings(values, scale, spacing)]

    def boundingRect(self) -> QRectF:
        """With room for labels that reach over the ends; the base class forgets it where there is a grid."""
        bounds: QRectF = super().boundingRect()
        return bounds.adjusted(-1, -self._overhang, 1, self._overhang)


class PhaseAxis(pg.AxisItem):  # type: ignore[misc]
    """Writes each phase's name over its stretch of the plot, cut to fit."""

    def __init__(self) -> None:
        super().__init__("top")
        self._font = QFont()
        self._marks: tuple[PhaseMark, ...] = ()
        self._theme: Theme | None = None

    def set_font(self, font: QFont) -> None:
        """Write in this font, and keep room for it."""
        self._font = font
        self.setHeight(QFontMetricsF(font).height() + 2)

    def set_marks(self, marks: tuple[PhaseMark, ...], theme: Theme) -> None:
        self._marks, self._theme = marks, theme
        self.update()

    @guarded
    def paint(self, painter: QPainter, option: Any, widget: QWidget | None) -> None:
        left, right = self.range
        if self._theme is None or right <= left:
            return
        bounds = self.mapRectFromParent(self.geometry())
        metrics = QFontMetricsF(self._font)
        scale = bounds.width() / (right - left)
        painter.setFont(self._font)
        for mark in self._marks:
            x0 = max((mark.start - left) * scale, 0.0)
            room = min((mark.end - left) * scale, bounds.width()) - x0 - 4
            text = metrics.elidedText(mark.name, Qt.TextElideMode.ElideRight, room)
            if len(text) > 1:
                painter.setPen(as_text(mark.colour, QColor(self._theme.panel), QColor(self._theme.text)))
                rect = QRectF(bounds.left() + x0 + 3, bounds.top(), room, bounds.height())
                painter.drawText(rect, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)


class PlotArea(pg.GraphicsWidget):  # type: ignore[misc]
    """The view with its axes around it, placed by hand.

    QGraphicsLayout keeps a parentless QWidget for its style, which whoever closes all windows would delete under it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.view = pg.ViewBox(parent=self, enableMenu=False)
        self.phases = PhaseAxis()
        self.left, self.bottom = PlainAxis("left"), PlainAxis("bottom")
        for axis in (self.phases, self.left, self.bottom):
            axis.setParentItem(self)
            axis.linkToView(self.view)
        self.left.setGrid(255)
        self.left.setZValue(self.view.zValue() - 1)
        self.view.disableAutoRange()
        self.view.setMouseEnabled(x=True, y=False)

    def set_font(self, font: QFont) -> None:
        """Write names and numbers in this font."""
        for axis in (self.phases, self.left, self.bottom):
            axis.set_font(font)
        self._lay_out()

    def resizeEvent(self, event: QGraphicsSceneResizeEvent) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        left, top, below = self.left.minimumWidth(), self.phases.minimumHeight(), self.bottom.minimumHeight()
        width = max(self.size().width() - left - _RIGHT_MARGIN, 1.0)
        height = max(self.size().height() - top - below, 1.0)
        self.phases.setGeometry(QRectF(left, 0, width, top))
        self.left.setGeometry(QRectF(0, top, left, height))
        self.view.setGeometry(QRectF(left, top, width, height))
        self.bottom.setGeometry(QRectF(left, top + height, width, below))


class ChartPlot(pg.GraphicsView):  # type: ignore[misc]
    """Axes around a view of curves. Not pyqtgraph's PlotItem, whose hidden menus are windows of their own.

    Signals:
        pointed: the crosshair is wanted at this step; None: nowhere.
        moved: a person panned or zoomed to these steps.
        all_wanted: double-click.
        menu_wanted: context menu asked for, at this global position.
    """

    pointed = Signal(object)
    moved = Signal(float, float)
    all_wanted = Signal()
    menu_wanted = Signal(QPoint)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setObjectName("chartPlot")
        # Updates of single items make a clip of many rectangles, under which antialiased curves take far longer.
        self.setViewportUpdateMode(self.ViewportUpdateMode.FullViewportUpdate)
        self.setProperty("textSize", "caption")
        self._area = PlotArea()
        self._area.set_font(self.font())
        self.view = self._area.view
        self._lines: list[pg.InfiniteLine] = []
        self._phase_pen = QPen()
        self._crosshair = pg.InfiniteLine(angle=90)
        self._readout = QLabel(self)
        self._readout.setObjectName("chartReadout")
        self._readout.setTextFormat(Qt.TextFormat.RichText)
        self._readout.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._readout.setProperty("textSize", "caption")
        self._readout.hide()
        self._cursor: float | None = None
        self.setCentralItem(self._area)
        self.view.addItem(self._crosshair, ignoreBounds=True)
        self._crosshair.hide()
        self.view.sigRangeChangedManually.connect(self._moved_by_hand)
        self.scene().sigMouseMoved.connect(self._mouse_moved)

    def apply_theme(self, theme: Theme) -> None:
        self.setBackground(theme.panel)
        for axis in (self._area.left, self._area.bottom):
            axis.setPen(QColor(theme.border))
            axis.setTickPen(QColor(theme.grid))
            axis.setTextPen(QColor(theme.muted))
        self._phase_pen = pg.mkPen(QColor(theme.muted), width=1, dash=[3, 3])
        for line in self._lines:
            line.setPen(self._phase_pen)
        self._crosshair.setPen(pg.mkPen(QColor(theme.text), width=1))

    def set_phases(self, marks: tuple[PhaseMark, ...], theme: Theme) -> None:
        """Draw a dashed line where each phase but the first begins, and its name above."""
        self._area.phases.set_marks(marks, theme)
        starts = [mark.start for mark in marks[1:]]
        while len(self._lines) > len(starts):
            self.view.removeItem(self._lines.pop())
        while len(self._lines) < len(starts):
            line = pg.InfiniteLine(angle=90, pen=self._phase_pen)
            self.view.addItem(line, ignoreBounds=True)
            self._lines.append(line)
        for line, start in zip(self._lines, starts, strict=True):
            line.setValue(start)

    def steps_shown(self) -> tuple[float, float]:
        """First and last step in view."""
        first, last = self.view.viewRange()[0]
        return float(first), float(last)

    def set_logarithmic(self, logarithmic: bool) -> None:
        """Heights are decadic logarithms from now on, or values again."""
        self._area.left.logarithmic = logarithmic
        self._area.left.picture = None  # drawn anew, also where the heights stay

    def show_heights(self, bottom: float, top: float) -> None:
        """Show values from ``bottom`` to ``top``, at the steps shown."""
        self.view.setYRange(bottom, top, padding=0)
        # pyqtgraph would bring its items up to date as the first thing of a paint, and so ask for a second one.
        self.scene().prepareForPaint()

    def hide_cursor(self) -> None:
        """Take crosshair and readout away."""
        self._cursor = None
        self._crosshair.hide()
        self._readout.hide()

    def show_cursor(self, step: float, readout: Callable[[float], str], *, below: bool) -> None:
        """Crosshair at a step, with what ``readout`` writes beside it, at the top or ``below``.

        ``readout`` is told by how many pixels it is to be narrower, so that it has room beside the axis.
        """
        text = readout(0.0)
        self._cursor = step
        self._crosshair.setValue(step)
        self._crosshair.show()
        self._readout.setVisible(bool(text))
        if not text:
            return
        self.setAccessibleDescription(QTextDocumentFragment.fromHtml(text).toPlainText())
        box, area = self._readout, self.view.sceneBoundingRect()
        room = self.width() - area.left()
        box.setText(text)
        box.adjustSize()
        if box.width() > room:
            box.setText(readout(box.width() - room))
            box.adjustSize()
        x = self.view.mapViewToScene(QPointF(step, 0)).x()
        left = x + 8 if x < area.center().x() else x - 8 - box.width()
        left = min(max(left, area.left()), self.width() - box.width())
        box.move(math.floor(left), int(area.bottom()) - box.height() - 4 if below else int(area.top()) + 2)
        box.raise_()

    def _mouse_moved(self, position: QPointF) -> None:
        inside = self.view.sceneBoundingRect().contains(position)
        self.pointed.emit(self.view.mapSceneToView(position).x() if inside else None)

    def _moved_by_hand(self) -> None:
        self.moved.emit(*self.steps_shown())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._area.set_font(self.font())

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.pointed.emit(None)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.all_wanted.emit()

    def viewportEvent(self, event: QEvent) -> bool:
        """No tooltip over the curves: it would cover what is read there."""
        if isinstance(event, QHelpEvent) and self.view.sceneBoundingRect().contains(QPointF(event.pos())):
            return True
        return bool(super().viewportEvent(event))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu_wanted.emit(event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right move the crosshair, Home shows all steps, Escape hides the crosshair."""
        first, last = self.steps_shown()
        stride = max((last - first) / _KEYBOARD_STEPS, 1.0)
        at = self._cursor if self._cursor is not None else (first + last) / 2
        match event.key():
            case Qt.Key.Key_Left:
                self.pointed.emit(max(at - stride, first))
            case Qt.Key.Key_Right:
                self.pointed.emit(min(at + stride, last))
            case Qt.Key.Key_Home:
                self.all_wanted.emit()
            case Qt.Key.Key_Escape if self._cursor is not None:
                self.pointed.emit(None)
            case _:
                event.ignore()
