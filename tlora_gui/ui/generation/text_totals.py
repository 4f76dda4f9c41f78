"""What a text adds up to, kept while its tokens come. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np

from tlora_gui.engine.protocol.texts import TokenEvent
from tlora_gui.ui.generation.token_view.token_style import was_predicted


class TextTotals:
    """Of the tokens added so far; each is visited once, when it is added.

    Attributes:
        tokens: how many.
        predicted: how many of them have a probability: all but the first of a prompt.
        bits: surprise of those, summed up.
        weights: of every slot, summed up: (slots,).
        leads: of how many tokens each slot is the dominant one: (slots,); see :func:`dominant_slot`.
        undecided: of how many tokens none is.
    """

    def __init__(self, slots: int) -> None:
        self.tokens = self.predicted = 0
        self.bits = 0.0
        self.weights = np.zeros(slots)
        self.leads = np.zeros(slots, int)
        self.undecided = 0

    def add(self, tokens: Sequence[TokenEvent]) -> None:
        """Tokens that come after those before."""
        if not tokens:
            return
        self.tokens += len(tokens)
        weights = np.fromiter(chain.from_iterable(token.weights for token in tokens), float).reshape(len(tokens), -1)
        largest = weights == weights.max(1, keepdims=True)
        sole = largest.sum(1) == 1
        self.weights += weights.sum(0)
        self.leads += np.bincount(largest[sole].argmax(1), minlength=len(self.leads))
        self.undecided += len(tokens) - int(sole.sum())
        predicted = tokens if was_predicted(tokens[0]) else tokens[1:]
        chances = np.fromiter((token.probability for token in predicted), float)
        self.predicted += len(predicted)
        self.bits -= float(np.log2(chances.clip(1e-30, 1)).sum())
