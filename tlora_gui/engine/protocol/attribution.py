"""What a token's mix and probability say: its dominant slot, runs of tokens with the same, doubt and surprise."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby

from tlora_gui.engine.protocol.texts import TokenEvent


def dominant_slot(weights: Sequence[float]) -> int | None:
    """Slot with the largest weight; None if several share it: a sum or an average has no dominant epoch."""
    largest = max(weights)
    return weights.index(largest) if weights.count(largest) == 1 else None


def entropy_bits(weights: Sequence[float]) -> float:
    """Shannon entropy of a mix, in bits: 0 for one slot alone, log2 S for all alike."""
    return -sum(weight * math.log2(weight) for weight in weights if weight > 0)


def surprise_bits(token: TokenEvent) -> float:
    """Information of the token in bits: -log2 of its probability."""
    return max(0.0, -math.log2(max(token.probability, 1e-30)))


def spans(tokens: Sequence[TokenEvent]) -> Iterator[tuple[int | None, list[TokenEvent]]]:
    """Neighbouring tokens with the same dominant slot: (slot, tokens)."""
    for slot, run in groupby(tokens, key=lambda token: dominant_slot(token.weights)):
        yield slot, list(run)
