"""Every training of the project in a list; of those chosen the curves on one chart, and what differs."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QSortFilterProxyModel, Qt, Signal
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QFrame,
    QHeaderView,
    QPushButton,
    QSplitter,
    QTableView,
    QToolButton,
    QWidget,
)

from tlora_gui.engine.protocol.config import epoch_colour
from tlora_gui.engine.protocol.events import Run, RunLoaded
from tlora_gui.ui.charts.frame import MARGINS
from tlora_gui.ui.charts.line_chart import LineChart
from tlora_gui.ui.charts.options import curve_menu, curve_words, smoothing_menu
from tlora_gui.ui.charts.plot import PhaseMark
from tlora_gui.ui.charts.series import PhaseSeries
from tlora_gui.ui.charts.style import LineStyle
from tlora_gui.ui.runs.run_facts import differences, run_number
from tlora_gui.ui.runs.runs_model import ID, NAME, SORT, RunsModel
from tlora_gui.ui.settings import MIDDLE_CURVES, CurveKind, Smoothing
from tlora_gui.ui.theme import LIGHT, Theme, scaled
from tlora_gui.ui.translation import filled, worded
from tlora_gui.ui.widgets.layouts import DIALOG_MARGINS, column, label, row
from tlora_gui.ui.widgets.questions import Choice, ask
from tlora_gui.ui.widgets.rows import as_rows

WIDTH, HEIGHT = 1000, 680
_HEADING_PADDING = 8


class RunsDialog(QDialog):
    """The history of runs. Open with ``open()``; it deletes itself when it closes.

    Signals:
        load_requested: the curves of a run are wanted (id).
        delete_requested: runs are to be taken out of the history (ids).
        again_requested: a run is to be done once more (Run).
        saved: the chart was written to a file (path).
        problem: it could not be written (message, hint).
    """

    load_requested = Signal(str)
    delete_requested = Signal(list)
    again_requested = Signal(object)
    saved = Signal(str)
    problem = Signal(str, str)

    def __init__(self, theme: Theme = LIGHT, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("runsDialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Runs"))
        self._runs: dict[str, Run] = {}
        self._series: dict[str, PhaseSeries] = {}
        self._asked: set[str] = set()
        self._curve: CurveKind = "loss"
        self._smoothing: Smoothing = "medium"
        self._build_list()
        self._build_chart(theme)
        self._build_facts()
        self._build_footer()
        self._lay_out()
        self.resize(scaled(WIDTH), min(scaled(HEIGHT), self.screen().availableGeometry().height() - 40))
        self._show_chosen()

    # -- building -----------------------------------------------------------------------------------------------

    def _build_list(self) -> None:
        self._model = RunsModel(self)
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSourceModel(self._model)
        self._sorted.setSortRole(SORT)
        self.list = as_rows(QTableView(), "runsTable", self.tr("Runs"))
        self.list.setModel(self._sorted)
        self.list.setSortingEnabled(True)
        self.list.sortByColumn(0, Qt.SortOrder.DescendingOrder)
        header = self.list.horizontalHeader()
        header.setResizeContentsPrecision(0)  # of rows in sight alone
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        self.list.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.list.setToolTip(self.tr("Choose two or more runs with Ctrl or Shift to compare them"))
        self.list.selectionModel().selectionChanged.connect(self._show_chosen)
        self._empty = label(self.tr("Every training from now on is listed here, however it ends."), "muted", wrap=True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.list.viewport().setLayout(column(self._empty))
        self._note = label("", "caption", wrap=True)
        self._note.setObjectName("runsNote")

    def _build_chart(self, theme: Theme) -> None:
        words = curve_words(self._curve)
        self.chart = LineChart(words.title, words.caption, "", theme=theme)
        self.chart.setObjectName("runsChart")
        button = self.chart.add_button(self.tr("Curve"), self.tr("Choose what this chart shows"))
        button.setObjectName("runsCurveButton")
        self._curves = curve_menu(self, ("loss", *MIDDLE_CURVES))
        self._curves.show_chosen(self._curve)
        button.setMenu(self._curves)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._smoothings = smoothing_menu(self)
        self._smoothings.show_chosen(self._smoothing)
        self.chart.menu.insertMenu(self.chart.values_action, self._smoothings)
        self._curves.chosen.connect(self._choose_curve)
        self._smoothings.chosen.connect(self._choose_smoothing)
        self.chart.scale_chosen.connect(self.chart.set_logarithmic)
        self.chart.pointed.connect(self.chart.show_cursor)
        self.chart.moved.connect(self.chart.show_steps)
        self.chart.all_wanted.connect(self.chart.show_all)
        self.chart.saved.connect(self.saved)
        self.chart.problem.connect(self.problem)

    def _build_facts(self) -> None:
        self._facts = QStandardItemModel(self)
        self.facts = as_rows(QTableView(), "runFactsTable", self.tr("What differs between the runs"))
        self.facts.setModel(self._facts)
        for part in (self.facts, self.facts.horizontalHeader()):
            part.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self._facts_title = label("", "title")

    def _build_footer(self) -> None:
        self._problem = label("", "problem", wrap=True)
        self._problem.hide()
        self._delete = QPushButton(self.tr("Delete…"))
        self._delete.setObjectName("deleteRunsButton")
        self._delete.setToolTip(self.tr("Take the chosen runs out of this list; their epochs stay"))
        self._again = QPushButton(self.tr("Run again…"))
        self._again.setObjectName("runAgainButton")
        self._again.setProperty("role", "primary")
        self._again.setToolTip(self.tr("Open “New epoch” with the settings and the text of the chosen run"))
        self._close = QPushButton(self.tr("Close"))
        self._close.setObjectName("closeRunsButton")
        self._close.setToolTip(self.tr("Close this page"))
        for button in (self._delete, self._again, self._close):
            button.setAutoDefault(False)
        self._delete.clicked.connect(self._ask_to_delete)
        self._again.clicked.connect(self._run_again)
        self._close.clicked.connect(self.reject)

    def _lay_out(self) -> None:
        self._facts_title.setMinimumHeight(self.chart.head[0].sizeHint().height())
        runs, self._told = QFrame(), QFrame()
        runs.setLayout(column(self.list, margins=MARGINS))
        self._told.setLayout(column(self._facts_title, self.facts, spacing=4, margins=MARGINS))
        for frame in (runs, self._told):
            frame.setProperty("role", "panel")
        below = QSplitter(Qt.Orientation.Horizontal)
        whole = QSplitter(Qt.Orientation.Vertical)
        for splitter, widgets in ((below, (self.chart, self._told)), (whole, (runs, below))):
            splitter.setChildrenCollapsible(False)
            splitter.setHandleWidth(8)
            for number, widget in enumerate(widgets):
                splitter.addWidget(widget)
                splitter.setStretchFactor(number, 1)
            splitter.setSizes([1, 1])
        footer = row(self._delete, None, self._close, self._again)
        layout = column(whole, self._note, self._problem, footer, spacing=10, margins=DIALOG_MARGINS)
        layout.setStretch(0, 1)
        self.setLayout(layout)

    # -- what to show -------------------------------------------------------------------------------------------

    def set_runs(self, runs: Sequence[Run], limit: int) -> None:
        """All runs of the project; those that were chosen stay chosen. ``limit`` is how many are kept."""
        if self._runs and list(runs) == list(self._runs.values()):
            return
        chosen = {run.id for run in self.chosen()}
        outdated = [id for id, run in self._runs.items() if run not in runs]
        for id in outdated:
            self._series.pop(id, None)
            self._asked.discard(id)
        self._runs = {run.id: run for run in runs}
        self._model.set_runs(runs)
        self._empty.setVisible(not runs)
        self.list.horizontalHeader().setVisible(bool(runs))
        self._note.setText(self.tr("The newest {limit} runs are kept; older ones are dropped.").format(limit=limit))
        self._note.setVisible(len(runs) >= limit)
        if not chosen & self._runs.keys() and runs:
            chosen = {runs[-1].id}
        selection = QItemSelection()
        for place in range(self._sorted.rowCount()):
            if (index := self._sorted.index(place, 0)).data(ID) in chosen:
                selection.select(index, index)
        flags = QItemSelectionModel.SelectionFlag
        self.list.selectionModel().select(selection, flags.ClearAndSelect | flags.Rows)
        self._show_chosen()

    def show_run(self, loaded: RunLoaded) -> None:
        """The curves of a run."""
        series = PhaseSeries(loaded.run.id)
        series.extend(loaded.history)
        self._series[loaded.run.id] = series
        self._draw()

    def give_up(self, id: str) -> None:
        """The curves of a run could not be had; they are asked for again when it is chosen again."""
        self._asked.discard(id)
        self._draw()

    def show_problem(self, message: str, hint: str) -> None:
        """Something that was asked for failed."""
        self._problem.setText(f"{worded(message)} {worded(hint)}".strip())
        self._problem.show()

    def apply_theme(self, theme: Theme) -> None:
        """Use a theme's colours from now on."""
        self.chart.apply_theme(theme)

    def chosen(self) -> list[Run]:
        """The runs that are selected, the oldest first."""
        ids = {index.data(ID) for index in self.list.selectionModel().selectedRows()}
        return [run for id, run in self._runs.items() if id in ids]

    # -- the chosen ones ----------------------------------------------------------------------------------------

    def _show_chosen(self) -> None:
        chosen = self.chosen()
        for run in chosen:
            if run.ended != "broken" and run.id not in self._asked:
                self._asked.add(run.id)
                self.load_requested.emit(run.id)
        self._model.set_colours({run.id: epoch_colour(place) for place, run in enumerate(chosen)})
        self._again.setEnabled(len(chosen) == 1 and chosen[0].ended != "broken")
        self._delete.setEnabled(bool(chosen) and all(run.ended != "running" for run in chosen))
        self._fill_facts(chosen)
        self._draw()

    def _fill_facts(self, chosen: Sequence[Run]) -> None:
        self._told.setVisible(bool(chosen))
        self._facts_title.setText(self.tr("What differs") if len(chosen) > 1 else self.tr("Details"))
        names = ["", *map(_name, chosen)]
        self._facts.clear()
        self._facts.setHorizontalHeaderLabels(names)
        for place, name in enumerate(names):
            self._facts.horizontalHeaderItem(place).setToolTip(name)
        for name, values in differences(chosen):
            items = [QStandardItem(text) for text in (name, *values)]
            for item in items:
                item.setToolTip(item.text())
            self._facts.appendRow(items)
        header = self.facts.horizontalHeader()
        widest = max(map(header.fontMetrics().horizontalAdvance, names)) + 2 * _HEADING_PADDING
        header.setMinimumSectionSize(min(max(widest, scaled(90)), scaled(180)))
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)

    def _choose_curve(self, kind: CurveKind) -> None:
        self._curve = kind
        self._curves.show_chosen(kind)
        self.chart.keep_only(set())
        self._draw()

    def _choose_smoothing(self, strength: Smoothing) -> None:
        self._smoothing = strength
        self._smoothings.show_chosen(strength)
        self._draw()

    def _draw(self) -> None:
        words, loss = curve_words(self._curve), self._curve == "loss"
        self.chart.describe(words.title, words.caption, self._why_empty(), words.from_zero)
        self.chart.set_legend(*((("line", self.tr("train")), ("dots", self.tr("held-out"))) if loss else ()))
        kept: set[object] = set()
        longest = 0
        for place, run in enumerate(self.chosen()):
            series, name, colour = self._series.get(run.id), _name(run), epoch_colour(place)
            if series is None:
                continue
            style = LineStyle(name, self.tr("train") if loss else "", colour)
            smoothing = "none" if self._curve == "rate" else self._smoothing
            self.chart.set_curve(run.id, series.curve(self._curve), style, smoothing)
            if loss:
                dots = LineStyle(name, self.tr("held-out"), colour, dots=True)
                self.chart.set_line((run.id, "held-out"), series.held_out_loss(), dots)
                ring = LineStyle(name, self.tr("kept"), colour, dots=True, ring=True)
                self.chart.set_line((run.id, "kept"), series.kept(), ring)
            kept |= {run.id, *((run.id, kind) for kind in ("smooth", "held-out", "kept"))}
            longest = max(longest, series.length)
        self.chart.keep_only(kept)
        self.chart.set_phases((PhaseMark(0, longest, "", ""),) if longest else ())

    def _why_empty(self) -> str:
        """What a chart without any curve says."""
        chosen = [run.id for run in self.chosen()]
        if not chosen:
            return self.tr("Choose runs to see their curves")
        if any(id in self._asked and id not in self._series for id in chosen):
            return self.tr("Loading…")
        if any(id in self._series for id in chosen):
            return self.tr("Nothing was measured.")
        return self.tr("These curves cannot be read.")

    # -- what is asked ------------------------------------------------------------------------------------------

    def _run_again(self) -> None:
        (run,) = self.chosen()
        self.again_requested.emit(run)
        self.accept()

    def _ask_to_delete(self) -> None:
        ids = [run.id for run in self.chosen()]
        title = filled(self.tr("Delete {count} runs?"), count=len(ids)) if len(ids) > 1 else self.tr("Delete this run?")
        text = self.tr("Curves and settings lie in the trash until it is emptied; the epochs stay.")
        choice = Choice("delete", self.tr("Delete"), destructive=True)
        ask(self, title, text, (choice,), self.tr("Keep"), lambda _: self.delete_requested.emit(ids))


def _name(run: Run) -> str:
    return f"{run.epoch.name} #{run_number(run)}"
