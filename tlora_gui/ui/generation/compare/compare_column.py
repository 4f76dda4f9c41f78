"""One text of a comparison: its mode, the text, and its statistics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent, QTextCursor
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from tlora_gui.engine.protocol.texts import Generation, SlotInfo, TokenEvent
from tlora_gui.engine.protocol.wording import drawing_order
from tlora_gui.ui.formats import localised
from tlora_gui.ui.generation.compare.differences import Differences
from tlora_gui.ui.generation.inspector.bars import MixBar
from tlora_gui.ui.generation.modes import ModeChoice
from tlora_gui.ui.generation.text_totals import TextTotals
from tlora_gui.ui.generation.token_view.find_bar import FindBar
from tlora_gui.ui.generation.token_view.swatch import dot_icon
from tlora_gui.ui.generation.token_view.token_style import share_text
from tlora_gui.ui.generation.token_view.token_view import TokenView
from tlora_gui.ui.theme import scaled
from tlora_gui.ui.translation import filled, worded
from tlora_gui.ui.widgets.fields import ChoiceBox
from tlora_gui.ui.widgets.icons import icon
from tlora_gui.ui.widgets.layouts import Panel, column, label, row, set_role, small_button

_LEAST_WIDTH = 150
"""Of a column; at text of ten points, as below."""
_ROW_HEAD_WIDTH, _ROW_HEAD_SHARE = 240, 0.4
_ROW_LINES = 12
"""Of a row's text that are shown without a scroll bar of its own."""


class CompareColumn(QWidget):
    """Head, text and statistics below each other; as a row, head and statistics stand to the left of the text.

    Signals: ``token_chosen(TokenEvent)``, ``remove_requested()``.

    Attributes:
        record: its text, once that is complete.
    """

    token_chosen = Signal(object)
    remove_requested = Signal()

    def __init__(self, as_row: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._as_row = as_row
        self.text = TokenView(can_branch=False)
        self.find_bar = FindBar(self.text)
        self.find_bar.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.record: Generation | None = None
        self._title = label("", "title", wrap=True)
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self._choice = ChoiceBox("", self.tr("Mode"), self.tr("Mode of this column"))
        self._choice.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._remove = small_button("", self.tr("Remove this column"))
        self._remove.setIcon(icon("close"))
        self._bar = MixBar()
        self._bar.setFixedHeight(6)
        self._stats = label("", "caption", wrap=True)
        self._stats.setTextFormat(Qt.TextFormat.PlainText)
        self._stats.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._remove.clicked.connect(self.remove_requested)
        self.text.token_selected.connect(self._chosen)
        self._lay_out()
        self.set_title(None)
        self.reset(())

    def _lay_out(self) -> None:
        head = row(self._choice, self._remove, self._title, spacing=4)
        if self._as_row:
            self._side = side = Panel()
            side.setLayout(column(head, self._bar, self._stats, None, spacing=2))
            self.text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
            self.text.verticalScrollBar().rangeChanged.connect(self._make_room)
            whole: QHBoxLayout | QVBoxLayout = row(side, column(self.find_bar, self.text))
        else:
            whole = column(head, self._bar, self.find_bar, self.text, self._stats, spacing=6)
            whole.setStretch(3, 1)
            self.setMinimumWidth(scaled(_LEAST_WIDTH))
        self.setLayout(whole)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._as_row:
            self._side.setFixedWidth(min(scaled(_ROW_HEAD_WIDTH), round(_ROW_HEAD_SHARE * self.width())))

    def _make_room(self) -> None:
        """A row is as high as its text, up to some lines."""
        lines = min(_ROW_LINES, self.text.document().lineCount())
        around = 2 * (self.text.document().documentMargin() + self.text.frameWidth())
        self.text.setMinimumHeight(int(lines * self.text.cursorRect().height() + around) + 1)

    def hasHeightForWidth(self) -> bool:
        """A row has none: Qt would go by its words alone, and forget the least height of its text."""
        return not self._as_row and super().hasHeightForWidth()

    # -- which column it is ---------------------------------------------------------------------------------

    def set_number(self, number: int) -> None:
        """Its place from 0, for object names and screen readers; -1 for one that is about to go."""
        names = ("compareMode", "compareText", "compareFigures", "removeColumnButton")
        for widget, name in zip((self._choice, self.text, self._stats, self._remove), names, strict=True):
            widget.setObjectName(f"{name}{number}" if number >= 0 else "")
        self._choice.setAccessibleName(self.tr("Mode of column {number}").format(number=number + 1))
        self._remove.setAccessibleName(self.tr("Remove column {number}").format(number=number + 1))
        self._name_text(number)

    def _name_text(self, number: int) -> None:
        self.text.setAccessibleName(self.tr("Compared text {number}").format(number=number + 1))

    def set_title(self, title: str | None, tooltip: str = "") -> None:
        """Show a title in place of the choice of modes; None shows the choice."""
        self._title.setVisible(title is not None)
        self._choice.setVisible(title is None)
        self._remove.setVisible(title is None)
        self._title.setText(title or "")
        self._title.setToolTip(tooltip)

    def set_modes(self, modes: Sequence[ModeChoice], preferred: int) -> None:
        """Offer these; keeps the chosen one if it is still there, else takes the ``preferred``-th."""
        chosen = self._choice.currentData()
        self._choice.clear()
        for mode, name, colour, *_ in modes:
            self._choice.addItem(dot_icon(colour), name, mode)
        index = self._choice.findData(chosen) if chosen is not None else -1
        self._choice.setCurrentIndex(index if index >= 0 else min(preferred, len(modes) - 1))

    def choose_mode(self, mode: str) -> None:
        """Choose a mode, if that is offered."""
        if (index := self._choice.findData(mode)) >= 0:
            self._choice.setCurrentIndex(index)

    @property
    def mode(self) -> str:
        """The chosen mode."""
        return str(self._choice.currentData() or "")

    def set_changeable(self, changeable: bool, removable: bool) -> None:
        """Whether another mode can be chosen, and whether the column can go."""
        self._choice.setEnabled(changeable)
        self._remove.setEnabled(changeable and removable)

    def set_stats_lines(self, lines: int) -> None:
        """Keep room for so many lines of statistics, so that texts side by side are equally high."""
        shown = self._stats.text()
        self._stats.ensurePolished()
        self._stats.setText("\n".join(lines * ["x"]))
        self._stats.setMinimumHeight(self._stats.sizeHint().height())
        self._stats.setText(shown)

    def set_measured(self, measured: bool) -> None:
        """Whether there is room for mix and statistics."""
        self._bar.setVisible(measured)
        self._stats.setVisible(measured)

    # -- its text -------------------------------------------------------------------------------------------

    def reset(self, slots: tuple[SlotInfo, ...], state: str = "") -> None:
        """Show an empty text over these slots, in which ``state`` says why it is empty."""
        self.record = None
        self.text.reset(slots)
        self.text.setMinimumHeight(0)
        self._of_prompt, self._of_new = TextTotals(len(slots)), TextTotals(len(slots))
        self._speed = 0.0
        self._difference = self._problem = ""
        self._compared: Sequence[TokenEvent] | None = None
        self._bar.set_mix((), ())
        self._say("")
        self.text.setPlaceholderText(state)

    def add_tokens(self, tokens: Sequence[TokenEvent]) -> None:
        """Append tokens, all in one step."""
        self.text.add_tokens(tokens)
        self._of_prompt.add([token for token in tokens if token.is_prompt])
        self._of_new.add([token for token in tokens if not token.is_prompt])
        self._show_stats()

    def finish(self, record: Generation) -> None:
        """The text is complete."""
        self.record = record
        self._speed = record.tokens_per_second
        self._show_stats()
        self._show_beginning()

    def _show_beginning(self) -> None:
        """Scroll so that texts beside or below each other begin at the same place: rows where the prompt ends."""
        tokens = self.text.tokens
        first = next((index for index, token in enumerate(tokens) if not token.is_prompt), 0) if self._as_row else 0
        self.text.moveCursor(QTextCursor.MoveOperation.End)
        cursor = self.text.textCursor()
        cursor.setPosition(self.text.span(first)[0] if tokens else 0)
        self.text.setTextCursor(cursor)

    def fail(self, message: str) -> None:
        """Say why there is no more text."""
        self._problem = worded(message)
        self._say(self._problem)

    def end(self) -> None:
        """No more comes; say so where nothing has come."""
        if not self._problem and not self.text.tokens:
            self._say(self.tr("Stopped before it began."))

    def ids(self) -> list[int]:
        """The vocabulary's numbers of what has come."""
        return [token.token_id for token in self.text.tokens]

    def compare_with(self, first: CompareColumn) -> Iterator[None]:
        """Mark where this text differs from the first one, from its beginning on, a stretch at a time."""
        if first.text.tokens is not self._compared:
            self._compared, self._differences = first.text.tokens, Differences()
        found, ids, others = self._differences, first.ids(), self.ids()
        known, begin = len(found.settled), found.at
        while found.settle(ids, others):
            self.text.set_marks(found.settled[known:], begin, found.at)
            known, begin = len(found.settled), found.at
            yield
        marks = found.marks(ids, others)
        self.text.set_marks(marks[known:], begin)
        self._difference = self._difference_text(marks)
        self._show_stats()

    def _difference_text(self, marks: list[int]) -> str:
        tokens = self.text.tokens
        if not marks:
            return self.tr("no difference to the first")
        # A prompt that all share is no part of the comparison.
        shared = 0 if tokens[marks[0]].is_prompt else sum(token.is_prompt for token in tokens)
        return filled(
            self.tr("{count} of {total} differ, from token {first} on"),
            count=len(marks),
            total=len(tokens) - shared,
            first=marks[0],
        )

    def _show_stats(self) -> None:
        if self._problem or not self.text.tokens:
            return
        new = self._of_new
        self._show_mix(new if new.tokens else self._of_prompt)
        count = filled(self.tr("{count} tokens"), count=new.tokens)
        if self._speed > 0 and not self._as_row:
            count += " · " + self.tr("{speed} tokens/s").format(speed=localised(f"{self._speed:.1f}"))
        bits = localised(f"{new.bits / new.predicted:.1f}") if new.tokens else ""
        surprise = self.tr("surprise {bits} bits").format(bits=bits) if bits else ""
        self._say("\n".join(filter(None, (count, surprise, self._difference))))

    def _show_mix(self, totals: TextTotals) -> None:
        slots = self.text.slots
        mean = (totals.weights / totals.tokens).tolist()
        self._bar.set_mix(mean, slots)
        shares = " · ".join(f"{slots[slot].name} {share_text(mean[slot])}" for slot in drawing_order(slots))
        self._bar.setToolTip(self.tr("Mean mix of the new tokens: {mix}").format(mix=shares))

    def _say(self, text: str) -> None:
        set_role(self._stats, "role", "problem" if self._problem else "caption")
        self._stats.setText(text)
        self.text.setPlaceholderText("")
        meaning = self.tr("Surprise: mean over the new tokens. Tokens are counted from 0.")
        self._stats.setToolTip(self._problem or meaning)

    def _chosen(self, index: int) -> None:
        self.token_chosen.emit(self.text.tokens[index])
