"""Everything about one token; about the whole text while none is chosen."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from tlora_gui.engine.protocol.config import MixingDesk
from tlora_gui.engine.protocol.events import Counterfactual
from tlora_gui.engine.protocol.texts import Generation, SlotInfo, TokenEvent
from tlora_gui.engine.protocol.wording import desk_text, drawing_order
from tlora_gui.ui.formats import human_share, localised
from tlora_gui.ui.generation.inspector.bars import MixBar, ShareRow, ShareRows
from tlora_gui.ui.generation.inspector.branching import BranchBox
from tlora_gui.ui.generation.inspector.counterfactual_box import CounterfactualBox
from tlora_gui.ui.generation.inspector.mix_box import MixBox
from tlora_gui.ui.generation.text_totals import TextTotals
from tlora_gui.ui.generation.token_view.token_style import (
    facts,
    quoted,
    was_predicted,
)
from tlora_gui.ui.theme import Theme
from tlora_gui.ui.translation import filled, worded
from tlora_gui.ui.widgets.layouts import column, label, set_role

_TITLE_CHARACTERS = 15
_REVEALED = 32
"""Pixels above and below a row's middle that are scrolled to with it."""


class TokenInspector(QFrame):
    """One token: its text, how probable it was, its mix, what else could have come, and its counterfactuals.

    Signals, each with the index of the token in question: ``alternative_chosen(index, token_id, text)``,
    ``text_chosen(index, text)`` and ``again_requested(index)`` to go on from there otherwise, and
    ``counterfactual_requested(index)``, to be answered by ``show_counterfactual`` or ``end_asking``.
    """

    alternative_chosen = Signal(int, int, str)
    text_chosen = Signal(int, str)
    again_requested = Signal(int)
    counterfactual_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tokenInspector")
        self.setProperty("role", "panel")
        self.setAccessibleName(self.tr("Token inspector"))
        self.index = -1
        self._has_text = False
        self._facts = self._label("muted")
        self._desk = self._label("muted")
        self._desk.setToolTip(self.tr("How the mixing desk stood when this token was predicted"))
        self._mix = MixBox()
        self._branch = BranchBox()
        self._predictions = CounterfactualBox()
        self._whole_text = QWidget()
        self._whole_facts = self._label("muted")
        self._whole_bar, self._whole_mix = MixBar(), ShareRows()
        self._whole_mix.setAccessibleName(self.tr("Mean mix of the text"))
        self._whole_text.hide()
        self._empty = self._label("muted")
        self._empty.setText(
            self.tr(
                "No token chosen yet. Hover the text or the ribbon, or walk through the text with ← and →, to see "
                "which epochs speak in a token and what else could have come."
            )
        )
        self._lay_out()
        self._connect()
        self.show_token(None, ())

    def _label(self, role: str) -> QLabel:
        made = label("", role, wrap=role == "muted")
        made.setTextFormat(Qt.TextFormat.PlainText)
        # A long token must not widen the column.
        made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        return made

    def _lay_out(self) -> None:
        # Rows reach 4 px further than words, so that the mark of a chosen one has room; so does the scroll bar.
        head = column(self._facts, self._desk, margins=(4, 0, 4, 0))
        self._content = QWidget()
        self._content.setLayout(column(head, self._mix, self._branch, self._predictions, None, margins=(0, 0, 4, 0)))
        for box in (self._branch, self._predictions):
            box.setContentsMargins(0, 8, 0, 0)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(self._content)
        self._title = self._label("heading")
        self._title.setContentsMargins(4, 0, 4, 0)
        self._empty.setContentsMargins(4, 0, 4, 0)
        whole = column(self._whole_facts, self._whole_bar, margins=(4, 0, 4, 0))
        self._whole_text.setLayout(column(whole, self._whole_mix))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(8, 12, 8, 12)
        outer.setSpacing(8)
        outer.addWidget(self._title)
        outer.addWidget(self._whole_text)
        outer.addWidget(self._empty, 1, Qt.AlignmentFlag.AlignTop)
        outer.addWidget(self._scroll, 1)
        outer.addStrut(184)

    def _connect(self) -> None:
        self._branch.chosen.connect(self._choose)
        self._branch.written.connect(self._choose_text)
        self._branch.again.connect(self._choose_again)
        self._predictions.chosen.connect(self._choose)
        self._predictions.asked.connect(self.counterfactual_requested)
        self._branch.rows.moved.connect(self._reveal_row)
        self._predictions.rows.moved.connect(self._reveal_row)

    # -- what to show ---------------------------------------------------------------------------------------

    def show_token(
        self, token: TokenEvent | None, slots: Sequence[SlotInfo], desk: MixingDesk | None = None, mixer: str = ""
    ) -> None:
        """Show a token of a generation with these slots, predicted under ``desk``; None empties the inspector.

        ``mixer`` is the name of one that was asked about the finished text, whose weights the token has.
        """
        self._scroll.setVisible(token is not None)
        self._empty.setVisible(token is None)
        self._whole_text.setVisible(token is None and self._has_text)
        set_role(self._title, "role", "heading" if token is None else "display")
        predicted = token is not None and was_predicted(token)
        self._branch.setVisible(predicted)
        self._predictions.setVisible(predicted)
        self._predictions.show_token(token if predicted else None, slots)
        if token is None:
            self._title.setText(self.tr("Whole text") if self._has_text else self.tr("Token"))
            return
        self.index = token.index
        self._title.setText(quoted(token, _TITLE_CHARACTERS))
        put_here = self.tr("put here by you") + "\n" if token.forced else ""
        self._facts.setText(put_here + facts(token, "\n"))
        changed = desk_text(desk, slots) if desk else ""
        self._desk.setText(self.tr("Mixing desk: {what}").format(what=worded(changed)) if changed else "")
        self._desk.setVisible(bool(changed))
        self._mix.show_token(token, slots, mixer)
        self._branch.show_token(token)

    def show_text(self, record: Generation | None, totals: TextTotals) -> None:
        """What to say of a whole text while no token is chosen, from what it adds up to.

        None stands for no text, or one that is still coming.
        """
        self._has_text = record is not None and totals.tokens > 0
        if record is not None and self._has_text:
            mix = tuple((totals.weights / totals.tokens).tolist())
            most = int(totals.leads.argmax())
            decided = totals.leads[most] >= totals.undecided
            words = [filled(self.tr("{count} tokens"), count=totals.tokens)]
            if totals.predicted:
                bits = localised(f"{totals.bits / totals.predicted:.1f}")
                words.append(self.tr("{bits}\u00a0bits of surprise per token").format(bits=bits))
            share = human_share(max(totals.leads[most], totals.undecided) / totals.tokens)
            lead = self.tr("{name} leads in {share} of\u00a0tokens")
            undecided = self.tr("several slots weigh the same in {share} of\u00a0tokens")
            words.append((lead if decided else undecided).format(name=record.slots[most].name, share=share))
            self._whole_facts.setText("\n".join(words))
            self._whole_bar.set_mix(mix, record.slots)
            self._whole_mix.set_rows(
                [
                    ShareRow(record.slots[s].name, mix[s], s, record.slots[s], strong=decided and s == most)
                    for s in drawing_order(record.slots)
                ]
            )
        if self._empty.isVisibleTo(self):
            self.show_token(None, ())

    def show_counterfactual(self, answer: Counterfactual, slots: Sequence[SlotInfo]) -> None:
        """Show counterfactuals; an answer for another token than the one asked about last is dropped."""
        self._predictions.show_answer(answer, slots)
        QTimer.singleShot(0, self, self._reveal_answer)  # once the rows are laid out

    def ask(self) -> None:
        """Ask for the counterfactuals of the token that is shown, if that is not known yet."""
        self._predictions.ask()

    def end_asking(self) -> None:
        """The asking is over, with an answer or without."""
        self._predictions.end_asking()

    def forget_answers(self) -> None:
        """Another text is shown from now on."""
        self._predictions.forget()

    def set_branching_allowed(self, allowed: bool, reason: str = "") -> None:
        """Whether one can go on from a token otherwise, or why not now."""
        self._branch.set_allowed(allowed, reason)
        self._predictions.set_branching_allowed(allowed)

    def set_asking_allowed(self, allowed: bool, reason: str = "") -> None:
        """Whether counterfactuals can be asked for now, or why not."""
        self._predictions.set_asking_allowed(allowed, reason)

    def begin_branching(self) -> None:
        """Give the focus to what else could have come, or to the field for another word."""
        self._branch.take_focus()

    def apply_theme(self, theme: Theme) -> None:
        """Use a theme's colours from now on."""
        for part in (self._mix, self._whole_mix, self._branch, self._predictions):
            part.apply_theme(theme)

    # -- what the person does -------------------------------------------------------------------------------

    def _choose(self, token_id: int, text: str) -> None:
        self.alternative_chosen.emit(self.index, token_id, text)

    def _choose_text(self, text: str) -> None:
        self.text_chosen.emit(self.index, text)

    def _choose_again(self) -> None:
        self.again_requested.emit(self.index)

    def _reveal_answer(self) -> None:
        if self._predictions.rows.isVisible():
            self._scroll.verticalScrollBar().setValue(self._predictions.y())

    def _reveal_row(self, on_screen: QPoint) -> None:
        point = self._content.mapFromGlobal(on_screen)
        self._scroll.ensureVisible(0, point.y(), 0, _REVEALED)
