"""One chart of lines over training steps."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import replace
from functools import partial
from html import escape

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QColor, QFontMetricsF
from PySide6.QtWidgets import QLabel, QWidget

from tlora_gui.ui.charts.frame import ChartFrame, Rows
from tlora_gui.ui.charts.plot import ChartPlot, PhaseMark
from tlora_gui.ui.charts.series import Curve, Floats, smooth, smoothing_window
from tlora_gui.ui.charts.style import LineStyle, line_colour, line_pen, number
from tlora_gui.ui.charts.values_table import ValuesTable
from tlora_gui.ui.formats import localised
from tlora_gui.ui.settings import Smoothing
from tlora_gui.ui.theme import Theme, scaled
from tlora_gui.ui.translation import filled

SMOOTH_FROM = 60
"""Points from which a smoothed line is drawn over the raw one."""

_MOST_DOTS = 200
_LONGEST_NAME = 16
"""Most room for a name in a readout, in widths of a digit."""

_READOUT_REACH = 0.01
"""A line is read out up to this share of the width beyond its ends."""


class _Line:
    """One curve: its data, its looks, its item in the plot."""

    def __init__(self, plot: ChartPlot, style: LineStyle, theme: Theme) -> None:
        self.x: Floats = np.empty(0)
        self.y: Floats = np.empty(0)
        self.item = pg.PlotDataItem(antialias=True, autoDownsampleFactor=1.0)
        plot.view.addItem(self.item)
        self.item.scatter.opts["useCache"] = False  # cached dots are coarse in a picture of twice the size
        if not style.dots:
            self.item.setDownsampling(auto=True, method="peak")
            self.item.setClipToView(True)
        self.restyle(style, theme)

    def restyle(self, style: LineStyle, theme: Theme) -> None:
        self.style = style
        self.item.setZValue(0 if style.faint else 2 if style.dots else 1)
        self.item.setPen(line_pen(style, theme))
        colour, panel = line_colour(style.colour, theme), QColor(theme.panel)
        self.item.setSymbolBrush(None if style.ring else panel if style.dashed else colour)
        self.item.setSymbolPen(colour if style.dashed or style.ring else panel, width=1.5 if style.ring else 1)
        self.item.setSymbolSize(11 if style.ring else 6)

    def set(self, x: Floats, y: Floats) -> None:
        self.x, self.y = x, y
        dots = len(x) == 1 or (self.style.dots and len(x) <= _MOST_DOTS)  # a single point makes no line
        if dots != (self.item.opts["symbol"] is not None):
            self.item.setSymbol("o" if dots else None)
        self.item.setData(x, y)

    def bounds(self, first: float, last: float, logarithmic: bool) -> tuple[float, float] | None:
        """Lowest and highest value between two steps, and of the neighbours just outside; None if it is elsewhere.

        ``logarithmic``: only of values above 0.
        """
        if self.x[0] > last or self.x[-1] < first:
            return None
        low, high = np.searchsorted(self.x, (first, last))
        values = self.y[max(low - 1, 0) : high + 1]
        if logarithmic:
            values = values[values > 0]
        if not len(values):
            return None
        lowest, highest = float(np.fmin.reduce(values)), float(np.fmax.reduce(values))
        return (lowest, highest) if np.isfinite(lowest) and np.isfinite(highest) else None

    def value_at(self, step: float, reach: float) -> float | None:
        """The value nearest to ``step``, if the line is there at all."""
        if not len(self.x) or not self.x[0] - reach <= step <= self.x[-1] + reach:
            return None
        right = min(int(np.searchsorted(self.x, step)), len(self.x) - 1)
        left = max(right - 1, 0)
        return float(self.y[left if step - self.x[left] < self.x[right] - step else right])


class LineChart(ChartFrame):
    """A titled chart whose lines are set by key and which scales itself to what is in view.

    Signals:
        pointed: the mouse or the keyboard points at this step; None: no more.
        moved: a person panned or zoomed to these steps.
        all_wanted: all steps are wanted again.
        scale_chosen: a person wants a logarithmic scale, or a linear one.
    """

    pointed = Signal(object)
    moved = Signal(float, float)
    all_wanted = Signal()
    scale_chosen = Signal(bool)

    def __init__(
        self,
        title: str,
        caption: str,
        empty_text: str,
        *,
        theme: Theme,
        fixed_range: tuple[float, float] | None = None,
        from_zero: float | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """``fixed_range``: bottom and top for good. ``from_zero``: begin at 0 and reach at least this high."""
        super().__init__(title, caption, parent)
        self._lines: dict[Hashable, _Line] = {}
        self._marks: tuple[PhaseMark, ...] = ()
        self._fixed_range, self._from_zero = fixed_range, from_zero
        self._follow = True
        self._logarithmic = False
        self.plot = ChartPlot()
        self.values = ValuesTable()
        self._view: QWidget = self.plot
        self._name_views(title)
        help_text = self.tr("Wheel: zoom. Drag: pan. Double-click or Home: show all. Left and right: read values")
        self.plot.setToolTip(help_text)
        self._empty = QLabel(empty_text)
        self._empty.setProperty("role", "muted")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setWordWrap(True)
        self._empty.setMinimumWidth(scaled(90))
        self.body.addWidget(self._empty)
        self.add_view(self.plot, self._points)
        self.add_view(self.values, self._points)
        self._log_scale = self.add_option(self.tr("Logarithmic scale"))
        self._log_scale.setVisible(fixed_range is None)
        self.values_action = self.add_option(self.tr("Values as a table"))
        self._connect()
        self.apply_theme(theme)

    def _connect(self) -> None:
        show_all = QAction(self.tr("Show all steps"), self.menu)
        show_all.triggered.connect(self.all_wanted)
        self.menu.insertAction(self.menu.actions()[0], show_all)
        self.plot.pointed.connect(self.pointed)
        self.plot.moved.connect(self.moved)
        self.plot.all_wanted.connect(self.all_wanted)
        self.plot.menu_wanted.connect(self.menu.popup)
        self._log_scale.triggered.connect(self.scale_chosen)
        self.values_action.toggled.connect(lambda on: self.set_view(self.values if on else self.plot))

    # -- what to show -------------------------------------------------------------------------------------------

    def set_line(self, key: Hashable, curve: Curve, style: LineStyle) -> None:
        """Draw a curve, x rising; an empty one is taken away."""
        x, y = curve
        line = self._lines.get(key)
        if not len(x):
            if line is not None:
                self.plot.view.removeItem(self._lines.pop(key).item)
            return
        if line is None:
            line = self._lines[key] = _Line(self.plot, style, self._theme)
            line.item.setLogMode(False, self._logarithmic)
        elif line.style != style:
            line.restyle(style, self._theme)
        line.set(x, y)

    def set_curve(self, key: Hashable, curve: Curve, style: LineStyle, smoothing: Smoothing) -> None:
        """Draw a curve, and over a long one the smoothed one, as ``(key, "smooth")``."""
        x, y = curve
        window = smoothing_window(len(x), smoothing) if len(x) >= SMOOTH_FROM else 1
        self.set_line(key, curve, replace(style, faint=window > 1))
        smoothed = smooth(curve, window) if window > 1 else (x[:0], y[:0])
        self.set_line((key, "smooth"), smoothed, replace(style, series=self.tr("smoothed")))

    def keep_only(self, keys: set[Hashable]) -> None:
        """Take away every line that is not among ``keys``."""
        for key in set(self._lines) - keys:
            self.plot.view.removeItem(self._lines.pop(key).item)

    def set_phases(self, marks: tuple[PhaseMark, ...]) -> None:
        """Mark the phases, then scale to what is there."""
        self._marks = marks
        self.plot.set_phases(marks, self._theme)
        self._show_view()
        self.fit_view()

    def set_view(self, view: QWidget) -> None:
        """Show the plot or an added view, once there is a line."""
        self._view = view
        self._show_view()

    def describe(self, title: str, caption: str, empty_text: str, from_zero: float | None) -> None:
        """What the chart shows from now on, instead of what it was made for."""
        self.set_title(title)
        self._name_views(title)
        self.set_caption(caption)
        self._empty.setText(empty_text)
        self._from_zero = from_zero

    def _name_views(self, title: str) -> None:
        self.plot.setAccessibleName(title)
        self.values.setAccessibleName(self.tr("Values of “{title}”").format(title=title))

    def set_logarithmic(self, logarithmic: bool) -> None:
        """Draw heights by their logarithms; what is not above 0 is not drawn then."""
        self._logarithmic = logarithmic
        self._log_scale.setChecked(logarithmic)
        self.plot.set_logarithmic(logarithmic)
        for line in self._lines.values():
            line.item.setLogMode(False, logarithmic)
        self._fit_upwards()

    def _show_view(self) -> None:
        self.body.setCurrentWidget(self._view if self._lines else self._empty)
        self.show_legend(self.body.currentWidget() is self.plot)
        self.set_savable(bool(self._lines))
        self.legend.setVisible(self.body.currentWidget() is not self.values)  # a table's headings say it
        if self.body.currentWidget() is self.values:
            self.values.values.set_curves([(line.style.title, (line.x, line.y)) for line in self._lines.values()])

    def fit_view(self) -> None:
        """Scale: along the steps unless a person chose a part, upwards always."""
        end = max((mark.end for mark in self._marks), default=0.0) or 1.0
        if self._follow and self._marks:
            self.plot.view.setXRange(-0.03 * end, 1.03 * end, padding=0)  # room for the ring of what was kept
        self._fit_upwards()

    def _fit_upwards(self) -> None:
        self.plot.show_heights(*self._heights())

    def _heights(self) -> tuple[float, float]:
        """Bottom and top of what is in view."""
        if self._fixed_range is not None:
            return self._fixed_range
        shown, log = self.plot.steps_shown(), self._logarithmic
        found = [bounds for line in self._lines.values() if (bounds := line.bounds(*shown, log))]
        low, high = min((b[0] for b in found), default=0.1 if log else 0.0), max((b[1] for b in found), default=1.0)
        if log:
            low, high = math.log10(low), math.log10(high)
        elif self._from_zero is not None:
            low, high = min(low, 0.0), max(high, self._from_zero)
        margin = 0.06 * (high - low) or 0.5
        return low - margin, high + margin

    def show_all(self) -> None:
        """Show all steps, and follow new ones."""
        self._follow = True
        self.fit_view()

    def show_steps(self, first: float, last: float) -> None:
        """Show these steps and stay there."""
        self._follow = False
        self.plot.view.setXRange(first, last, padding=0)
        self._fit_upwards()

    def show_cursor(self, step: float | None) -> None:
        """Crosshair at a step, with the values there where they hide fewer of themselves; None takes it away."""
        if step is None:
            self.plot.hide_cursor()
            return
        step = round(step)
        middle = float(np.mean(self.plot.view.viewRange()[1]))
        if self._logarithmic:
            middle = 10**middle
        values = self._values_at(step).values()
        upper = sum(value > middle for value in values)
        self.plot.show_cursor(step, partial(self.readout, step), below=2 * upper > len(values))

    def apply_theme(self, theme: Theme) -> None:
        super().apply_theme(theme)
        self.plot.apply_theme(theme)
        self.plot.set_phases(self._marks, theme)
        for line in self._lines.values():
            line.restyle(line.style, theme)

    # -- what is shown ------------------------------------------------------------------------------------------

    def curve_data(self, key: Hashable) -> Curve:
        """The drawn points of a line; empty if there is no such line."""
        line = self._lines.get(key)
        return (line.x, line.y) if line else (np.empty(0), np.empty(0))

    def _values_at(self, step: float) -> dict[LineStyle, float]:
        first, last = self.plot.steps_shown()
        reach = _READOUT_REACH * (last - first)
        found = {line.style: line.value_at(step, reach) for line in self._lines.values()}
        return {style: value for style, value in found.items() if value is not None}

    def readout(self, step: float, narrower: float = 0.0) -> str:
        """The values of all lines at a step as an HTML table, one row an epoch; empty where there is none.

        Names give up so many pixels of their width as it is to be ``narrower``.
        """
        found = self._values_at(step)
        if not found:
            return ""
        columns = sorted({style.series for style in found})
        metrics = QFontMetricsF(self.plot.font())
        widest = max(metrics.horizontalAdvance(style.name) for style in found)
        room = min(widest, metrics.horizontalAdvance("0") * _LONGEST_NAME) - narrower
        title = filled(self.tr("Step {step}"), step=round(step))
        rows = [_row(title, [escape(column) for column in columns] if len(columns) > 1 else [])]
        for name, colour in dict.fromkeys((style.name, style.colour) for style in found):
            own = {style: value for style, value in found.items() if (style.name, style.colour) == (name, colour)}
            cells = {style.series: self._number(value) for style, value in own.items()}
            swatch = f'<span style="color:{line_colour(colour, self._theme).name()}">■</span>'
            shown = metrics.elidedText(name, Qt.TextElideMode.ElideRight, room)
            rows.append(_row(f"{swatch} {escape(shown)}", [cells.get(column, "") for column in columns]))
        return f"<table cellspacing=0>{''.join(rows)}</table>"

    def _number(self, value: float) -> str:
        return number(value) if self._fixed_range is None else localised(f"{value:.3f}")

    def _points(self) -> Rows:
        """One row a point, under a header."""
        rows: Rows = [("epoch", "series", "step", "value")]
        for line in self._lines.values():
            points = zip(line.x.astype(int).tolist(), line.y.tolist(), strict=True)
            rows += [(line.style.name, line.style.series, step, value) for step, value in points]
        return rows


def _row(first: str, cells: list[str]) -> str:
    rest = "".join(f'<td align="right" style="padding-left: 6px">{cell}</td>' for cell in cells)
    return f"<tr><td>{first}</td>{rest}</tr>"
