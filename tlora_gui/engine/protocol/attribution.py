"""Which epoch speaks: the dominant slot of a token, runs of tokens with one speaker, and a measure of doubt."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby

from tlora_gui.engine.protocol.texts import TokenEvent


def dominant_slot(weights: Sequence[float]) -> int:
    """Slot with the largest weight; 0 if several share it, for then no epoch in particular speaks."""
    largest = max(weights)
    return weights.index(largest) if weights.count(largest) == 1 else 0


def entropy_bits(weights: Sequence[float]) -> float:
    """Shannon entropy of a mix, in bits: 0 for one speaker, log2 S for all alike."""
    return -sum(weight * math.log2(weight) for weight in weights if weight > 0)


def spans(tokens: Sequence[TokenEvent]) -> Iterator[tuple[int, list[TokenEvent]]]:
    """Neighbouring tokens with the same dominant slot: (slot, tokens)."""
    for slot, run in groupby(tokens, key=lambda token: dominant_slot(token.weights)):
        yield slot, list(run)
