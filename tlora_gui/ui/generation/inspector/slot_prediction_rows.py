"""What each slot alone predicts at a token, in rows."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from PySide6.QtWidgets import QWidget

from tlora_gui.engine.protocol.texts import SlotInfo, SlotPrediction
from tlora_gui.ui.generation.inspector.bars import mix_sign
from tlora_gui.ui.generation.inspector.choice_rows import ChoiceRows, Row, slot_sign
from tlora_gui.ui.generation.token_view.token_style import share_text, visible_text
from tlora_gui.ui.translation import filled, tr

_WORD_CHARACTERS = 12
"""A longer word would leave no room for the name beside it."""


class SlotPredictionRows(ChoiceRows):
    """A slot, or the mix, in each row: its own word, and how probable the token that came is to it.

    Choosing a row means its own word; ``predictions`` has them in order.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(2, parent)
        self.predictions: tuple[SlotPrediction, ...] = ()
        self._mix: tuple[Sequence[float], Sequence[SlotInfo]] = ((), ())

    def set_mix(self, weights: Sequence[float], slots: Sequence[SlotInfo]) -> None:
        """The weights of the token: the mix's swatch."""
        self._mix = weights, slots

    def set_predictions(
        self, predictions: Sequence[SlotPrediction], slots: Sequence[SlotInfo], offered: Sequence[bool]
    ) -> None:
        """Show these in this order; where ``offered``, the own word of one can be gone on with."""
        self.predictions = tuple(predictions)
        names = [self.tr("Mix") if each.slot < 0 else slots[each.slot].name for each in predictions]
        named = list(zip(predictions, names, strict=True))
        largest = max((each.probability for each in predictions), default=0.0) or 1.0
        self.set_choices(
            [self._row(prediction, name, slots, largest) for prediction, name in named],
            [_accessible_text(prediction, name) for prediction, name in named],
            [_tip(prediction, name, offer) for (prediction, name), offer in zip(named, offered, strict=True)],
            offered,
        )

    def _row(self, prediction: SlotPrediction, name: str, slots: Sequence[SlotInfo], largest: float) -> Row:
        own, slot = prediction.alternatives[0], prediction.slot
        rank = filled(self.tr("rank {rank}"), rank=prediction.rank)
        return Row(
            name,
            f"{visible_text(own.text, _WORD_CHARACTERS)} {share_text(own.probability)}",
            prediction.probability / largest,
            f"{share_text(prediction.probability)} · {rank}",
            mix_sign(*self._mix) if slot < 0 else slot_sign(slot, slots[slot]),
            "muted" if slot < 0 else slots[slot].colour,
            strong=True,
        )


def _accessible_text(prediction: SlotPrediction, name: str) -> str:
    own = prediction.alternatives[0]
    return filled(
        tr("{name}: {word} {share}, this token {probability}, rank {rank}"),
        name=name,
        word=visible_text(own.text),
        share=share_text(own.probability),
        probability=share_text(prediction.probability),
        rank=prediction.rank,
    )


def _tip(prediction: SlotPrediction, name: str, offer: bool) -> str:
    """Its five most probable tokens as rich text, and what a click does."""
    rows = "".join(
        f"<tr><td>{escape(visible_text(other.text))}&nbsp;&nbsp;</td>"
        f"<td align='right'>{escape(share_text(other.probability))}</td></tr>"
        for other in prediction.alternatives[:5]
    )
    title = tr("{name}, most probable here").format(name=name)
    word = visible_text(prediction.alternatives[0].text)
    hint = tr("Click, or Enter: go on from here with “{word}”").format(word=word) if offer else ""
    return (
        f"<p style='margin:0 0 4px 0; white-space:nowrap'><b>{escape(title)}</b></p>"
        f"<table cellspacing='0' cellpadding='1'>{rows}</table>"
        f"<p style='margin:6px 0 0 0; white-space:nowrap'>{escape(hint)}</p>"
    )
