"""Two to four texts side by side, or a sweep in rows, with what differs marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication, QBoxLayout, QFrame, QPushButton, QScrollArea, QWidget

from tlora_gui.engine.protocol.events import GenerationStarted
from tlora_gui.engine.protocol.texts import Generation, TokenEvent
from tlora_gui.engine.protocol.wording import manual_blend
from tlora_gui.ui.generation.compare.compare_column import CompareColumn
from tlora_gui.ui.generation.modes import ModeChoice, blend_text
from tlora_gui.ui.generation.token_view.token_style import ColourMode
from tlora_gui.ui.theme import LIGHT, Theme, scaled
from tlora_gui.ui.widgets.layouts import NO_MARGINS, Ends, column, label, row
from tlora_gui.ui.widgets.turns import Turns

Shown = Literal["modes", "records", "rows"]
FEWEST_COLUMNS, MOST_COLUMNS = 2, 4
_COMPARE_MS = 250
_LEAST_HEIGHT = 140
"""At text of ten points: a column's head and some lines."""


class ComparePage(QFrame):
    """Asks for one prompt and seed in several modes; shows what comes, kept texts, or the rows of a sweep.

    Signals: ``compare_requested(list of modes)``, ``anew_requested()`` when there are columns for another prompt,
    ``token_hovered(TokenEvent | None, slots)``, ``texts_changed()`` when a column has another text, more of it or none.
    """

    compare_requested = Signal(list)
    anew_requested = Signal()
    token_hovered = Signal(object, object)
    texts_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("comparePage")
        self.setAccessibleName(self.tr("Comparison"))
        self._shown: Shown = "modes"
        self._running = self._asked = False
        self._theme = LIGHT
        self._telling = True
        self._colour: tuple[ColourMode, int] = ("dominant", 0)
        self._modes: tuple[ModeChoice, ...] = ()
        self._parts: list[CompareColumn] = []
        self._last: CompareColumn | None = None
        self._comparing = Turns(self)
        self._compare_soon = QTimer(self, singleShot=True, interval=_COMPARE_MS)
        self._compare_soon.timeout.connect(self._mark_differences)
        self._hint = label("", "caption", wrap=True)
        self._again = self._button(
            "compareModesButton", self.tr("New comparison"), self.tr("Back to one prompt and several modes")
        )
        self._add = self._button("addColumnButton", self.tr("+ Column"), self.tr("Compare with one more mode"))
        self._again.clicked.connect(self.show_modes)
        self._again.clicked.connect(self.anew_requested)
        self._add.clicked.connect(self._add_column)
        self._columns_layout = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._columns_layout.setContentsMargins(*NO_MARGINS)
        header = Ends(self._hint, row(self._again, self._add))
        holder = QWidget()
        holder.setLayout(self._columns_layout)
        self._scroll = scroll = QScrollArea()  # five rows of a sweep can be higher than a low window
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setMinimumHeight(scaled(_LEAST_HEIGHT))
        scroll.setWidget(holder)
        whole = column(header, scroll)
        whole.setStretch(1, 1)
        self.setLayout(whole)
        self.show_modes()

    def _button(self, name: str, text: str, tip: str) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName(name)
        button.setAccessibleName(text)
        button.setToolTip(tip)
        return button

    # -- what stands side by side ---------------------------------------------------------------------------

    @property
    def columns(self) -> int:
        """How many texts are compared."""
        return len(self._parts)

    @property
    def chosen(self) -> CompareColumn | None:
        """The column that has the focus, or whose token was chosen last, or the first, of those with text; or None."""
        focus = QApplication.focusWidget()
        written = [part for part in self._parts if part.text.tokens]
        within = [part for part in written if focus is not None and part.isAncestorOf(focus)]
        last = [part for part in written if part is self._last]
        return next(iter(within + last + written), None)

    def find_words(self) -> None:
        """Find in the chosen column."""
        if (part := self.chosen) is not None:
            part.find_bar.open()
            QTimer.singleShot(0, self, lambda: self._scroll.ensureWidgetVisible(part.find_bar))  # once it is laid out

    def set_modes(self, modes: Sequence[ModeChoice]) -> None:
        """Offer these modes."""
        self._modes = tuple(modes)
        for number, part in enumerate(self._parts):
            part.set_modes(self._modes, number)
        self._offer()

    def show_modes(self) -> None:
        """Two empty columns, each with a choice of modes."""
        self._arrange("modes", [None] * FEWEST_COLUMNS)

    def choose_modes(self, modes: Sequence[str]) -> None:
        """Empty columns for these modes, two to four of them; one that is not offered leaves its column's choice."""
        self._arrange("modes", [None] * len(modes))
        for part, mode in zip(self._parts, modes, strict=True):
            part.choose_mode(mode)

    def show_records(self, records: Sequence[Generation]) -> None:
        """Compare finished texts, each titled by its name or its mode and seed."""
        self._arrange("records", [self._title_of(record) for record in records])
        for part, record in zip(self._parts, records, strict=True):
            part.reset(record.slots)
            part.add_tokens(record.tokens)
            part.finish(record)
        self._mark_differences()

    def show_rows(self, titles: Sequence[str]) -> None:
        """One row of full width per title, for the steps of a sweep."""
        self._arrange("rows", titles)

    def _title_of(self, record: Generation) -> str:
        names = {mode: name for mode, name, *_ in self._modes}
        blend = manual_blend(record.desk, record.slots)
        made_by = names.get(record.mode, record.mode) if blend is None else blend_text(blend)
        return record.name or self.tr("{name} · seed {seed}").format(name=made_by, seed=record.sampling.seed)

    def _arrange(self, shown: Shown, titles: Sequence[str | None]) -> None:
        self._shown = shown
        self._asked = shown != "modes"
        while self._parts:
            self._take(self._parts[-1])
        as_row = shown == "rows"
        directions = QBoxLayout.Direction
        self._columns_layout.setDirection(directions.TopToBottom if as_row else directions.LeftToRight)
        self._columns_layout.setSpacing(8 if as_row else 12)
        for title in titles:
            self._put().set_title(title)
        self._hint.setText(
            self.tr("<i>slanted</i>: differs from the first row")
            if as_row
            else self.tr("<i>slanted</i>: differs from the first column")
        )
        self._offer()
        self.token_hovered.emit(None, ())
        self.texts_changed.emit()

    def _put(self) -> CompareColumn:
        part = CompareColumn(as_row=self._shown == "rows")
        if self._shown == "modes":
            part.reset((), self.tr("Compare to see what this one says."))
        shown = {other.mode for other in self._parts}
        unseen = (number for number, (mode, *_) in enumerate(self._modes) if mode not in shown)
        part.set_modes(self._modes, next(unseen, 0))
        part.text.set_colour_mode(*self._colour)
        part.text.apply_theme(self._theme)
        part.find_bar.apply_theme(self._theme)
        part.text.set_telling(self._telling)
        part.token_chosen.connect(self._token_chosen)
        part.remove_requested.connect(self._remove_column)
        self._parts.append(part)
        self._columns_layout.addWidget(part, 1)
        return part

    def _take(self, part: CompareColumn) -> None:
        self._comparing.stop()
        self._parts.remove(part)
        self._columns_layout.removeWidget(part)
        part.set_number(-1)
        part.hide()
        part.deleteLater()

    def _offer(self) -> None:
        """Enable what can be asked now."""
        count = len(self._parts)
        choosing = self._shown == "modes"
        for number, part in enumerate(self._parts):
            part.set_number(number)
            part.set_changeable(not self._running, count > FEWEST_COLUMNS)
            if self._shown != "rows":
                part.set_stats_lines(max(count, 3))
            part.set_measured(self._asked)
        self._hint.setVisible(self._asked)
        self._again.setVisible(not choosing)
        self._again.setEnabled(not self._running)
        self._add.setVisible(choosing)
        self._add.setEnabled(not self._running and count < MOST_COLUMNS)

    # -- how it looks ---------------------------------------------------------------------------------------

    def set_colour_mode(self, mode: ColourMode, slot: int = 0) -> None:
        """Choose what colour means; ``slot`` is the one whose weight the mode "weight" shows."""
        self._colour = (mode, slot)
        for part in self._parts:
            part.text.set_colour_mode(mode, slot)

    def set_telling(self, telling: bool) -> None:
        """Whether tooltips tell of chosen tokens."""
        self._telling = telling
        for part in self._parts:
            part.text.set_telling(telling)

    def apply_theme(self, theme: Theme) -> None:
        """Use a theme's colours from now on."""
        self._theme = theme
        for part in self._parts:
            part.text.apply_theme(theme)
            part.find_bar.apply_theme(theme)

    # -- what comes -----------------------------------------------------------------------------------------

    def set_running(self, running: bool) -> None:
        """Whether texts are coming: nothing can be changed then."""
        self._running = running
        self._offer()

    def start(self, number: int, started: GenerationStarted) -> None:
        """Empty a column (or row) for a text whose tokens follow."""
        self._parts[number].reset(started.slots, self.tr("Reading the prompt…"))
        self._mark_differences()

    def add_tokens(self, number: int, tokens: Sequence[TokenEvent]) -> None:
        """Append tokens to a column; what differs is marked a little later."""
        self._parts[number].add_tokens(tokens)
        if not self._compare_soon.isActive():
            self._compare_soon.start()

    def finish(self, number: int, record: Generation) -> None:
        """A column's text is complete."""
        self._parts[number].finish(record)
        self._mark_differences()

    def fail(self, number: int, message: str) -> None:
        """A column gets no more text."""
        self._parts[number].fail(message)

    def end(self, number: int) -> None:
        """A column gets no more text, though it may have none."""
        self._parts[number].end()

    def _mark_differences(self) -> None:
        self._compare_soon.stop()
        self._comparing.begin(self._compare())
        self.texts_changed.emit()

    def _compare(self) -> Iterator[None]:
        """A stretch of each column in turn."""
        first = self._parts[0]
        works = [part.compare_with(first) for part in self._parts[1:] if first.text.tokens and part.text.tokens]
        while works := [work for work in works if next(work, self) is None]:
            yield

    # -- what the person does -------------------------------------------------------------------------------

    def run(self) -> None:
        """Ask for a text per column; from other views first go back to the columns."""
        if self._running or not self._modes:
            return
        if self._shown != "modes":
            self.show_modes()
        self._asked = True
        self._offer()
        self._comparing.stop()
        for part in self._parts:
            part.reset((), self.tr("Waits for its turn…"))
        self.token_hovered.emit(None, ())
        self.texts_changed.emit()
        self.compare_requested.emit([part.mode for part in self._parts])

    def _add_column(self) -> None:
        self._put()
        self._offer()

    def _remove_column(self) -> None:
        part = self.sender()
        if isinstance(part, CompareColumn):
            self._take(part)
            self._offer()
            self._mark_differences()

    def _token_chosen(self, token: TokenEvent) -> None:
        part = self.sender()
        if isinstance(part, CompareColumn):
            self._last = part
            self.token_hovered.emit(token, part.text.slots)
