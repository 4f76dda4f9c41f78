"""Three charts, or folded to a strip: adapter loss; mixer-distill loss, learning rate or gradient norm; routing."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np
from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from tlora_gui.engine.protocol.events import EpochInfo, Evaluated, MisroutedText, TrainingEvent, TrainStarted
from tlora_gui.ui.charts.frame import Key
from tlora_gui.ui.charts.line_chart import LineChart
from tlora_gui.ui.charts.matrix_view import MatrixView, MeasureSwitch
from tlora_gui.ui.charts.metric_values import Measure
from tlora_gui.ui.charts.options import curve_menu, curve_words, smoothing_menu
from tlora_gui.ui.charts.plot import PhaseMark
from tlora_gui.ui.charts.samples_view import SamplesView
from tlora_gui.ui.charts.series import History, Phase
from tlora_gui.ui.charts.sparklines import ColouredCurve, SparklineStrip
from tlora_gui.ui.charts.style import LineStyle
from tlora_gui.ui.formats import MISSING, localised
from tlora_gui.ui.settings import MIDDLE_CURVES, ChartChoices, CurveKind
from tlora_gui.ui.theme import LIGHT, Theme
from tlora_gui.ui.widgets.icons import icon
from tlora_gui.ui.widgets.layouts import one_layout

REDRAW_MS = 50
"""All three charts are drawn in this time, one after another, so that no turn of the event loop takes long."""


class ChartsPanel(QWidget):
    """Draws the training of all epochs, live.

    A line's key for ``curve_data`` is the epoch's slug; ``(slug, "held-out")`` and ``(slug, "kept")`` in the loss
    chart, ``(slug, "baseline")`` in the routing chart and ``(slug, "smooth")`` in both loss charts name its companions.

    Signals:
        training_began: an epoch's training begins, or goes on.
        training_ended: no training goes on any more.
        fold_toggled: the person wants the charts folded, or unfolded.
        choices_changed: a person reads the charts in another way (ChartChoices).
        evaluation_changed: another evaluation is shown, or none.
        errors_requested: the person wants to see where the Time Mixer errs.
        saved: a chart was written to a file (path).
        problem: a chart could not be written (message, hint).
    """

    fold_toggled = Signal()
    training_began = Signal()
    training_ended = Signal()
    choices_changed = Signal(object)
    evaluation_changed = Signal()
    errors_requested = Signal()
    saved = Signal(str)
    problem = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = LIGHT
        self._history = History()
        self._epochs: dict[str, EpochInfo] = {}
        self._stale: set[str] = set()
        self._drawn: tuple[Phase, ...] = ()
        self._round: Iterator[LineChart] | None = None
        self._wanted = False
        self._shows_samples = False
        self._evaluated: Evaluated | None = None
        self._choices = ChartChoices()
        self.loss_chart, self.distill_chart = _chart("loss"), _chart(self._choices.curve)
        self.routing_chart = LineChart(
            self.tr("Routing accuracy"),
            self.tr("held-out, by step"),
            self.tr("How often the Time Mixer picks the right epoch for a token"),
            theme=LIGHT,
            fixed_range=(-0.03, 1.05),
        )
        self.matrix_view = MatrixView(LIGHT)
        self.matrix = self.matrix_view.matrix
        self.measure_switch = MeasureSwitch()
        self.matrix_button = self.routing_chart.add_button(self.tr("Matrix"), self.tr("Show the memory matrix"))
        self._errors_button = self.routing_chart.add_button(
            self.tr("Errors"), self.tr("Show where on held-out text the Time Mixer errs most")
        )
        self.curve_button = self.distill_chart.add_button(
            self.tr("Curve"), self.tr("Choose what this chart shows: mixer-distill loss, learning rate, gradient norm")
        )
        self.samples_view = SamplesView()
        self.fold_button = self.loss_chart.add_button("", self.tr("Fold the charts to a strip"))
        self.samples_button = self.loss_chart.add_button(
            self.tr("Samples"), self.tr("Show what the mixture said of one prompt while it learned")
        )
        self.strip = SparklineStrip([chart.title for chart in self._charts()])
        self._timer = QTimer(self)
        self._build()
        self._build_choices()

    def _build(self) -> None:
        self._side_by_side = QWidget()
        layout = QHBoxLayout(self._side_by_side)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        both = QVBoxLayout(self)
        both.setContentsMargins(0, 0, 0, 0)
        both.setSpacing(0)
        both.setSizeConstraint(QVBoxLayout.SizeConstraint.SetMinAndMaxSize)  # the strip takes no more than its line
        both.addWidget(self._side_by_side)
        both.addWidget(self.samples_view)
        both.addWidget(self.strip)
        self.samples_button.setObjectName("samplesButton")
        self.samples_button.clicked.connect(lambda: self.show_samples(True))
        self.samples_view.charts_requested.connect(lambda: self.show_samples(False))
        self.fold_button.setObjectName("foldChartsButton")
        self.fold_button.setIcon(icon("down"))
        self.fold_button.clicked.connect(self.fold_toggled)
        self.strip.unfold_requested.connect(self.fold_toggled)
        self.set_folded(False)
        for lines in zip(*(chart.head for chart in self._charts()), strict=True):
            for line in lines:
                line.level_with = lines
        for chart, name in zip(self._charts(), ("lossChart", "distillChart", "routingChart"), strict=True):
            chart.setObjectName(name)
            layout.addWidget(chart)  # as wide as the others, unless its title needs more
            chart.saved.connect(self.saved)
            chart.problem.connect(self.problem)
            chart.pointed.connect(self._show_cursor)
            chart.moved.connect(self._show_steps)
            chart.all_wanted.connect(self._show_all)
        self._errors_button.setObjectName("errorsButton")
        self._errors_button.hide()
        self._errors_button.clicked.connect(self.errors_requested)
        self.matrix_button.setCheckable(True)
        self.matrix_button.setObjectName("matrixButton")
        self.matrix_button.toggled.connect(self._show_matrix)
        self.measure_switch.chosen.connect(self._choose_measure)
        self.measure_switch.hide()
        self.routing_chart.add_control(self.measure_switch)
        self.routing_chart.add_view(self.matrix_view, self.matrix.csv_rows)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REDRAW_MS // len(self._charts()))
        self._timer.timeout.connect(self._draw_next)

    def _build_choices(self) -> None:
        self._curve_menu, self._smoothing_menu = curve_menu(self, MIDDLE_CURVES), smoothing_menu(self)
        self.curve_button.setObjectName("curveButton")
        self.curve_button.setMenu(self._curve_menu)
        self.curve_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._curve_menu.chosen.connect(lambda curve: self._choose(curve=curve))
        self._smoothing_menu.chosen.connect(lambda strength: self._choose(smoothing=strength))
        self.loss_chart.scale_chosen.connect(lambda log: self._choose(log_loss=log))
        self.distill_chart.scale_chosen.connect(lambda log: self._choose(log_curve=log))
        for chart in (self.loss_chart, self.distill_chart):
            chart.menu.insertMenu(chart.values_action, self._smoothing_menu)

    def _choose(self, **changes: Any) -> None:
        self.set_choices(replace(self._choices, **changes))
        self.choices_changed.emit(self._choices)

    def set_choices(self, choices: ChartChoices) -> None:
        """Read the charts in this way from now on."""
        self._choices = choices
        self._curve_menu.show_chosen(choices.curve)
        self._smoothing_menu.show_chosen(choices.smoothing)
        self.loss_chart.set_logarithmic(choices.log_loss)
        self.distill_chart.set_logarithmic(choices.log_curve)
        what = curve_words(choices.curve)
        self.distill_chart.describe(what.title, what.caption, what.empty, what.from_zero)
        self.strip.set_name(1, what.title)
        self._redraw_all()

    def _charts(self) -> tuple[LineChart, LineChart, LineChart]:
        return self.loss_chart, self.distill_chart, self.routing_chart

    # -- folding ------------------------------------------------------------------------------------------------

    @property
    def folded(self) -> bool:
        """Whether the strip is shown in place of the charts."""
        return self.strip.isVisibleTo(self)

    def set_folded(self, folded: bool) -> None:
        """Show the strip, or the charts."""
        with one_layout(self):
            self.strip.setVisible(folded)
            self._side_by_side.setVisible(not folded and not self._shows_samples)
            self.samples_view.setVisible(not folded and self._shows_samples)
        if folded:
            self._draw_strip()

    def show_samples(self, shown: bool) -> None:
        """Unfolded, show the samples of the latest training in place of the charts, or the charts."""
        had_keyboard = any(part.hasFocus() for part in (self.samples_button, self.samples_view.back))
        self._shows_samples = shown
        self.set_folded(self.folded)
        if had_keyboard:
            (self.samples_view.back if shown else self.samples_button).setFocus()

    def _show_sample_texts(self) -> None:
        samples = self._history.samples()
        self.samples_view.show_samples(samples, self._name(samples[0].slug) if samples else "")

    # -- what to show -------------------------------------------------------------------------------------------

    def set_epochs(self, epochs: tuple[EpochInfo, ...]) -> None:
        """All epochs of the project, with their present names and colours; curves of others go away."""
        if self._epochs.keys() != {epoch.slug for epoch in epochs}:
            self.show_evaluation(None)
        self._epochs = {epoch.slug: epoch for epoch in epochs}
        self._history.show_only(self._epochs)
        self._redraw_all()

    def load_history(self, history: tuple[tuple[str, tuple[TrainingEvent, ...]], ...]) -> None:
        """Replace all curves by a project's stored ones, in training order."""
        self._history.load(history)
        self.show_evaluation(None)
        self._redraw_all()
        self._show_all()

    def begin_epoch(self, started: TrainStarted) -> None:
        """An epoch's training begins or goes on; events follow."""
        self._epochs[started.epoch.slug] = started.epoch
        self._history.begin(started.epoch.slug, started.first_step)
        self.show_evaluation(None)
        self._redraw_all()
        self.training_began.emit()

    def add_events(self, events: Sequence[TrainingEvent]) -> None:
        """Steps and measurements of the training now running, drawn within a redraw's interval."""
        self._stale |= self._history.extend(events)
        self._want_redraw()

    def remove_epoch(self, slug: str) -> None:
        """Take an epoch's curves away; they come back if :meth:`set_epochs` names it again."""
        self._history.remove(slug)
        self.show_evaluation(None)
        self._redraw_all()

    def show_evaluation(self, evaluated: Evaluated | None) -> None:
        """What an evaluation found, for the metrics under the memory matrix, until the epochs or the mixer change."""
        self._evaluated = evaluated
        self._errors_button.setVisible(bool(self.misrouted))
        self.evaluation_changed.emit()
        self._want_redraw()

    @property
    def misrouted(self) -> tuple[MisroutedText, ...]:
        """Where the Time Mixer errs by that evaluation."""
        return () if self._evaluated is None else self._evaluated.misrouted

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        for part in (*self._charts(), self.strip, self.samples_view):
            part.apply_theme(theme)
        self.matrix_view.apply_theme(theme)

    # -- drawing ------------------------------------------------------------------------------------------------

    def _redraw_all(self) -> None:
        self._drawn, self._round = (), None
        self._want_redraw()

    def _want_redraw(self) -> None:
        self._wanted = True
        if not self._timer.isActive():
            self._timer.start()

    def redraw(self) -> None:
        """Draw now what has changed since the last time; without this it is drawn soon, one chart after another."""
        self._wanted = False
        for _ in chain(self._round or (), self._draw_charts()):
            pass
        self._round = None

    def _draw_next(self) -> None:
        if self._round is None:
            self._wanted = False
            self._round = self._draw_charts()
        if next(self._round, None) is None:
            self._round = None
        if self._round is not None or self._wanted:
            self._timer.start()

    def _draw_charts(self) -> Iterator[LineChart]:
        """Draws what has changed since the last time, and gives each chart once it is drawn."""
        phases = self._history.phases()
        stale, self._stale = self._stale, set()
        unmoved = {(phase.slug, phase.start) for phase in self._drawn}
        changed = [phase for phase in phases if phase.slug in stale or (phase.slug, phase.start) not in unmoved]
        marks = tuple(PhaseMark(p.start, p.end, self._name(p.slug), self._colour(p.slug)) for p in phases)
        slugs: set[Hashable] = {phase.slug for phase in phases}
        keys = slugs | {(slug, kind) for slug in slugs for kind in ("smooth", "held-out", "kept", "baseline")}
        for chart in self._charts():
            if chart is self.routing_chart:
                self._draw_routing()
            for phase in changed:
                if chart is self.loss_chart:
                    self._draw_loss(phase)
                elif chart is self.distill_chart:
                    curve = self._history.curve(self._choices.curve, phase.slug, phase.start)
                    smoothing = "none" if self._choices.curve == "rate" else self._choices.smoothing
                    chart.set_curve(phase.slug, curve, self._style(phase.slug, ""), smoothing)
            if chart is self.loss_chart:
                self._explain_loss()
            chart.keep_only(keys)
            chart.set_phases(marks)
            yield chart
        self._drawn = phases
        self._show_sample_texts()
        if self.folded:
            self._draw_strip()

    def _draw_strip(self) -> None:
        """What the charts have drawn, of losses the smoothed line where there is one."""
        losses, distilled, routed = (
            [self._main_line(chart, slug) for slug in self._history.slugs] for chart in self._charts()
        )
        right = [curve[1][-1] for curve, _ in routed if len(curve[1])]
        self.strip.show_metric(0, losses, _last(losses, 2))
        self.strip.show_metric(1, distilled, _last(distilled, 2 if self._choices.curve == "gradient" else 4))
        self.strip.show_metric(2, routed, localised(f"{np.mean(right):.2f}") if right else MISSING)

    def _main_line(self, chart: LineChart, slug: str) -> ColouredCurve:
        smoothed = chart.curve_data((slug, "smooth"))
        return smoothed if len(smoothed[0]) else chart.curve_data(slug), self._colour(slug)

    def _draw_loss(self, phase: Phase) -> None:
        slug, start = phase.slug, phase.start
        train = self._style(slug, self.tr("train"))
        self.loss_chart.set_curve(slug, self._history.curve("loss", slug, start), train, self._choices.smoothing)
        held_out = self._style(slug, self.tr("held-out"), dots=True)
        self.loss_chart.set_line((slug, "held-out"), self._history.held_out_loss(slug, start), held_out)
        kept = self._style(slug, self.tr("kept"), ring=True, dots=True)
        self.loss_chart.set_line((slug, "kept"), self._history.kept(slug, start), kept)

    def _explain_loss(self) -> None:
        keys: list[Key] = [("line", self.tr("train")), ("dots", self.tr("held-out"))]
        if any(len(self.loss_chart.curve_data((slug, "kept"))[0]) for slug in self._history.slugs):
            keys.append(("ring", self.tr("kept")))
        self.loss_chart.set_legend(*keys)

    def _draw_routing(self) -> None:
        baseline = self._history.routing(baseline=True)
        for slug, curve in baseline.items():
            style = self._style(slug, self.tr("without"), dashed=True)
            self.routing_chart.set_line((slug, "baseline"), curve, style)
        for slug, curve in self._history.routing().items():
            self.routing_chart.set_line(slug, curve, self._style(slug, self.tr("with")))
        self.matrix_view.show_data(self._history.matrix(), self._epochs, self._evaluated)
        self._explain_routing(compared=any(len(x) for x, _ in baseline.values()))

    def _explain_routing(self, *, compared: bool) -> None:
        chart, without = self.routing_chart, self.tr("without Active Sleep")
        as_matrix = self.matrix_button.isChecked()
        if as_matrix:
            unit = self.tr("nats/token") if self.measure_switch.measure == "loss" else self.tr("held-out")
            chart.set_title(self.tr("Memory matrix"))
            chart.set_caption(f"{unit} ({without})" if compared else unit)
        else:
            chart.set_title(self.tr("Routing accuracy"))
            chart.set_caption(self.tr("held-out, by step"))
        if compared and not as_matrix:
            chart.set_legend(("dashed", without))
        else:
            chart.set_legend()

    def _style(self, slug: str, series: str, **looks: bool) -> LineStyle:
        return LineStyle(self._name(slug), series, self._colour(slug), **looks)

    def _name(self, slug: str) -> str:
        return self._epochs[slug].name if slug in self._epochs else slug

    def _colour(self, slug: str) -> str:
        return self._epochs[slug].colour if slug in self._epochs else self._theme.muted

    # -- one view for three charts ------------------------------------------------------------------------------

    def _show_cursor(self, step: float | None) -> None:
        for chart in self._charts():
            chart.show_cursor(step)

    def _show_steps(self, first: float, last: float) -> None:
        for chart in self._charts():
            chart.show_steps(first, last)

    def _show_all(self) -> None:
        for chart in self._charts():
            chart.show_all()

    def _show_matrix(self, wanted: bool) -> None:
        self.routing_chart.values_action.setChecked(False)
        self.routing_chart.values_action.setEnabled(not wanted)
        self.routing_chart.set_view(self.matrix_view if wanted else self.routing_chart.plot)
        self.measure_switch.setVisible(wanted)
        self._draw_routing()

    def _choose_measure(self, measure: Measure) -> None:
        self.matrix.set_measure(measure)
        self._draw_routing()


def _chart(kind: CurveKind) -> LineChart:
    words = curve_words(kind)
    return LineChart(words.title, words.caption, words.empty, theme=LIGHT, from_zero=words.from_zero)


def _last(curves: Sequence[ColouredCurve], digits: int) -> str:
    """The latest value of the latest curve that has one."""
    values = [curve[1][-1] for curve, _ in curves if len(curve[1])]
    return localised(f"{values[-1]:.{digits}f}") if values else MISSING
