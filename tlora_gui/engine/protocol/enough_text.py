"""How much text an epoch needs at least, and the words where there is less."""

from __future__ import annotations

import math

from tlora_gui.engine.protocol.sentences import say

MIN_TRAIN_BLOCKS = 8
"""Fewer blocks of text than this are refused, unless fewer are asked for: nothing could be learned or measured."""


def least_train_blocks(block_size: int, max_tokens: int | None) -> int:
    """Blocks of training text below which a training is refused."""
    return MIN_TRAIN_BLOCKS if max_tokens is None else min(MIN_TRAIN_BLOCKS, max_tokens // block_size)


def too_little_text(tokens: int, block_size: int, held_out_share: float, max_tokens: int | None = None) -> str:
    """The refusal of a text of ``tokens`` tokens; what it asks for is enough even where the split is uneven."""
    blocks = least_train_blocks(block_size, max_tokens)
    least = math.ceil(max(blocks / (1 - 1.5 * held_out_share), 1 / (0.75 * held_out_share))) * block_size
    return say(
        "There is too little text here: about {tokens:,} tokens, and an epoch needs at least {least:,}.",
        tokens=tokens,
        least=least,
    )
