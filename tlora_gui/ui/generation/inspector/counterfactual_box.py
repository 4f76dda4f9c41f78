"""What the mix, the backbone and every epoch alone would have predicted at a token."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from tlora_gui.engine.protocol.events import Counterfactual
from tlora_gui.engine.protocol.texts import SlotInfo, TokenEvent
from tlora_gui.engine.protocol.wording import drawing_order
from tlora_gui.ui.formats import localised
from tlora_gui.ui.generation.inspector.slot_prediction_rows import SlotPredictionRows
from tlora_gui.ui.generation.token_view.token_style import visible_text
from tlora_gui.ui.theme import Theme
from tlora_gui.ui.widgets.layouts import column, label, tick_box

_WALK_MS = 250
"""A token must be looked at as long before its counterfactuals are asked for by themselves."""


class CounterfactualBox(QWidget):
    """Asks what each slot alone would have predicted at a token; keeps and shows the answers until :meth:`forget`.

    Signals: ``asked(index)``, and ``chosen(token_id, text)`` for the own word of a slot to go on with.
    """

    asked = Signal(int)
    chosen = Signal(int, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._token: TokenEvent | None = None
        self._answers: dict[TokenEvent, tuple[Counterfactual, Sequence[SlotInfo]]] = {}
        self._waiting = -1
        self._branching = True
        self._allowed, self._reason = True, ""
        self._walk = QTimer(self, singleShot=True, interval=_WALK_MS)
        self._walk.timeout.connect(self.ask)
        self._ask_button = QPushButton(self.tr("Show counterfactuals"))
        self._ask_button.setObjectName("askOthersButton")
        self._ask_button.setToolTip(
            self.tr("What would the backbone and every epoch alone have predicted here? One batched pass shows it.")
        )
        self._ask_button.clicked.connect(self.ask)
        self._always = tick_box(self.tr("As I walk"))
        self._always.setObjectName("askAlwaysTick")
        self._always.setAccessibleName(self.tr("Show counterfactuals as I walk"))
        self._always.setToolTip(self.tr("Ask by itself about every token that is shown for a moment"))
        self._always.toggled.connect(self._walk_on)
        self._state = label("", "muted", wrap=True)
        self._divergence = label("", wrap=True)
        self._divergence.setToolTip(
            self.tr(
                "Kullback-Leibler divergence of the next-token probabilities, the mix against the backbone alone: "
                "0 where the epochs change nothing, larger the further they pull the mix away from the backbone."
            )
        )
        self._key = label("", "caption", wrap=True)
        self._rows = SlotPredictionRows()
        self._rows.setObjectName("voiceRows")
        self._rows.setAccessibleName(self.tr("Counterfactuals: what each slot alone would say here"))
        self._rows.chosen.connect(self._choose)
        self._lay_out()

    @property
    def rows(self) -> SlotPredictionRows:
        """The predictions, one per row."""
        return self._rows

    def _lay_out(self) -> None:
        for line in (self._state, self._divergence, self._key):
            # A long word must not widen the column.
            line.setTextFormat(Qt.TextFormat.PlainText)
            line.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        title = label(self.tr("Counterfactuals: each slot alone"), "title", wrap=True)
        title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        words = column(self._state, self._divergence, self._key)
        head = column(title, self._ask_button, self._always, words, margins=(4, 0, 4, 0))
        self.setLayout(column(head, self._rows))

    # -- what to show ---------------------------------------------------------------------------------------

    def show_token(self, token: TokenEvent | None, slots: Sequence[SlotInfo]) -> None:
        """The token to ask about; an answer that is known is shown at once."""
        self._token = token
        self._rows.set_mix(token.weights if token else (), slots)
        self._waiting = -1
        self._refresh()
        self._walk_on()

    def show_answer(self, answer: Counterfactual, slots: Sequence[SlotInfo]) -> None:
        """Show an answer with its slots; one that nobody waits for any more is dropped."""
        if self._token is not None and answer.index == self._waiting:
            self._answers[self._token] = answer, slots
            self.end_asking()

    def end_asking(self) -> None:
        """Nothing more will come: the button is offered again if there was no answer."""
        self._waiting = -1
        self._refresh()

    def forget(self) -> None:
        """Forget all answers: another text is shown."""
        self._answers.clear()
        self.end_asking()

    def set_branching_allowed(self, allowed: bool) -> None:
        """Whether the own word of a slot can be gone on with."""
        if allowed != self._branching:
            self._branching = allowed
            self._refresh()

    def set_asking_allowed(self, allowed: bool, reason: str) -> None:
        """Whether counterfactuals can be asked for now, or why not."""
        if (allowed, reason) != (self._allowed, self._reason):
            self._allowed, self._reason = allowed, reason
            self._refresh()
            self._walk_on()

    def apply_theme(self, theme: Theme) -> None:
        """Use a theme's colours from now on."""
        self._rows.apply_theme(theme)

    def _refresh(self) -> None:
        known = None if self._token is None else self._answers.get(self._token)
        waits = self._waiting >= 0
        self._ask_button.setEnabled(self._allowed and known is None and not waits)
        offer = self.tr("Shows each one's own word, and what it thinks of this one.")
        self._state.setText(self.tr("Asking…") if waits else offer if self._allowed else self._reason)
        self._state.setVisible(known is None)
        for part in (self._divergence, self._key, self._rows):
            part.setVisible(known is not None)
        if self._token is not None and known is not None:
            self._show(self._token, *known)

    def _show(self, token: TokenEvent, answer: Counterfactual, slots: Sequence[SlotInfo]) -> None:
        nats = localised(f"{max(0.0, answer.divergence):.2f}")
        divergence = self.tr("KL(mix ‖ backbone) {nats}\u00a0nats: what the epochs changed here")
        self._divergence.setText(divergence.format(nats=nats))
        key = self.tr("Right: its own first choice. Bar: its probability of “{word}”.")
        self._key.setText(key.format(word=visible_text(token.text, 15)))
        predictions = [answer.mix, *(answer.predictions[slot] for slot in drawing_order(slots))]
        offered = [
            self._branching and prediction.alternatives[0].token_id != token.token_id for prediction in predictions
        ]
        self._rows.set_predictions(predictions, slots, offered)

    # -- what the person does -------------------------------------------------------------------------------

    def _walk_on(self) -> None:
        if self._always.isChecked() and self._can_ask():
            self._walk.start()
        else:
            self._walk.stop()

    def _can_ask(self) -> bool:
        known = self._token is None or self._token in self._answers
        return self._allowed and not known and self._waiting < 0

    def ask(self) -> None:
        """Ask about the token that is shown, if its answer is not known yet."""
        self._walk.stop()
        if self._token is not None and self._can_ask():
            self._waiting = self._token.index
            self._refresh()
            self.asked.emit(self._waiting)

    def _choose(self, number: int) -> None:
        own = self._rows.predictions[number].alternatives[0]
        self.chosen.emit(own.token_id, own.text)
