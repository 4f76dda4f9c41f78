"""One coloured text with what belongs to it: find bar, legend, statistics, mix ribbon, mixer timeline, report."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from tlora_gui.engine.protocol.events import MixerTimeline
from tlora_gui.engine.protocol.texts import ReadReport, SlotInfo, TokenEvent
from tlora_gui.ui.generation.generation_stats import GenerationStats
from tlora_gui.ui.generation.reading.read_report import ReadReportView
from tlora_gui.ui.generation.reading.timeline_bar import TimelineBar, changed_shares
from tlora_gui.ui.generation.text_totals import TextTotals
from tlora_gui.ui.generation.token_view.find_bar import FindBar
from tlora_gui.ui.generation.token_view.legend import Legend
from tlora_gui.ui.generation.token_view.ribbon import MixRibbon
from tlora_gui.ui.generation.token_view.token_style import ColourMode
from tlora_gui.ui.generation.token_view.token_view import TokenView
from tlora_gui.ui.theme import Theme
from tlora_gui.ui.widgets.layouts import Ends

_ROOMY = 380
"""Pixels of height; on less, a report begins folded, so that the text keeps its lines."""


class TextPage(QWidget):
    """Keeps text and ribbon together: the chosen token and the selection of one are those of the other.

    Signals: ``token_chosen(int)``, ``reweighted()`` when a finished text has another mixer's weights, or its own again;
    ``branch_requested(int)`` and ``again_requested(int)`` for a token of the text.
    """

    token_chosen = Signal(int)
    reweighted = Signal()
    branch_requested = Signal(int)
    again_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = TokenView()
        self.legend = Legend()
        self.stats = GenerationStats()
        self.ribbon = MixRibbon()
        self.find_bar = FindBar(self.text)
        self.report = ReadReportView()
        self.timeline = TimelineBar()
        self.totals = TextTotals(0)
        self._own: list[TokenEvent] = []
        self._timeline: MixerTimeline | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.find_bar)
        column.addWidget(self.text, 1)
        column.addLayout(Ends(self.legend, self.stats))
        for widget in (self.ribbon, self.timeline, self.report):
            column.addWidget(widget)
        for hidden in (self.find_bar, self.report, self.timeline):
            hidden.hide()
        self._connect()

    def _connect(self) -> None:
        self.text.token_selected.connect(self._chosen_in_text)
        self.text.selection_changed.connect(self.ribbon.set_selection)
        self.text.branch_requested.connect(self.branch_requested)
        self.text.again_requested.connect(self.again_requested)
        self.ribbon.token_selected.connect(self.choose)
        self.ribbon.selection_changed.connect(self.text.select_tokens)
        self.report.token_chosen.connect(self.choose)
        self.timeline.position_changed.connect(self._show_position)
        self.timeline.closed.connect(self.hide_timeline)

    # -- what to show ---------------------------------------------------------------------------------------

    def reset(self, slots: tuple[SlotInfo, ...]) -> None:
        """Start an empty text whose tokens mix these slots."""
        self.totals = TextTotals(len(slots))
        self._own = []
        self._timeline = None
        self.timeline.hide()
        self.text.reset(slots)
        self.legend.set_slots(slots)
        self.legend.set_undecided(False)
        self.ribbon.reset()
        self.ribbon.set_slots(slots)
        self.show_report(None)

    def add_tokens(self, tokens: Sequence[TokenEvent], announce: bool = True) -> None:
        """Append tokens, all in one step; ``announce`` reads them out where a screen reader listens."""
        self._own += tokens
        self.text.add_tokens(tokens, announce)
        self.ribbon.add_tokens(tokens)
        self.totals.add(tokens)
        self.legend.set_undecided(self.totals.undecided > 0)

    def choose(self, index: int) -> None:
        """Choose a token, as if hovered."""
        self.text.set_current(index)
        self._chosen_in_text(index)

    def show_report(self, report: ReadReport | None) -> None:
        """What reading the text has found; None for a text that was generated."""
        self.report.setVisible(report is not None)
        mix = (self.totals.weights / max(1, self.totals.tokens)).tolist()
        self.report.set_report(report, self.text.slots, len(self._own), mix)
        self.report.set_open(self.height() >= _ROOMY)

    def set_colour(self, mode: ColourMode, slot: int) -> None:
        """What colour means; ``slot`` is the one whose weight it is in mode "weight"."""
        self.text.set_colour_mode(mode, slot)
        self.legend.set_colour_mode(mode, slot)

    def apply_theme(self, theme: Theme) -> None:
        """Use a theme's colours from now on."""
        for widget in (self.text, self.legend, self.ribbon, self.report, self.timeline, self.find_bar):
            apply = getattr(widget, "apply_theme", None)
            if apply is not None:
                apply(theme)

    # -- mixers of the past ---------------------------------------------------------------------------------

    def show_timeline(self, timeline: MixerTimeline) -> None:
        """Show this text under any of these mixers, the last one first."""
        self._timeline = timeline
        self.timeline.set_mixers(timeline.mixers, changed_shares(timeline.tokens))
        self.timeline.show()
        self._show_position(self.timeline.position)

    def hide_timeline(self) -> None:
        """Show the text with its own weights again."""
        if self._timeline is not None:
            self._timeline = None
            self.timeline.hide()
            self._recolour(self._own, "")

    def _show_position(self, position: int) -> None:
        if self._timeline is not None:
            self._recolour(self._timeline.tokens[position], self.timeline.name)

    def _recolour(self, tokens: Sequence[TokenEvent], mixer: str) -> None:
        current = self.text.current
        self.text.replace_tokens(tokens, mixer)
        self.ribbon.replace_tokens(tokens)
        self.totals = TextTotals(len(self.text.slots))
        self.totals.add(tokens)
        self.legend.set_undecided(self.totals.undecided > 0)
        self.reweighted.emit()
        if current >= 0:
            self._chosen_in_text(current)

    # -- what the person does -------------------------------------------------------------------------------

    def _chosen_in_text(self, index: int) -> None:
        self.ribbon.set_current(index)
        self.token_chosen.emit(index)
