"""How much of a text fits into a backbone's context."""

from __future__ import annotations

from typing import Any

from tlora_gui.engine.backbones.tokenizing import EncodedText, clean, encode_more, encode_prompt
from tlora_gui.engine.protocol.events import PromptTooLong

_PIECE = 2**16
_UNSURE = 64
"""Tokens at the end of a piece that may be others in the whole text."""


def fit_context(
    tokenizer: Any, text: str, limit: int, vocabulary: int | None = None
) -> tuple[EncodedText, PromptTooLong | None]:
    """Encode a text; if its tokens are more than ``limit``, its beginning, and say where the text can be cut.

    Of a very long text only beginning and end are tokenised, as much as it takes to know; ``tokens`` is an estimate
    then. A cut never goes through a character, so a few tokens less than ``limit`` may come.

    Raises:
        TloraError: if the text needs tokens beyond ``vocabulary``, which the backbone lacks.
    """
    text = clean(text)
    size = _PIECE + 8 * limit
    head = encode_prompt(tokenizer, text[:size], vocabulary)
    while len(head.ids) <= limit + _UNSURE and size < len(text):
        size *= 4
        head = encode_prompt(tokenizer, text[:size], vocabulary)
    if len(head.ids) <= limit:
        return head, None
    size = min(size, len(text))
    tail = encode_more(tokenizer, text[-size:], vocabulary)
    keep_from = len(text) - size + ([0, *tail.ends][max(0, len(tail.ids) - limit // 2)])
    keep_to = head.ends[limit - 1]
    while len((kept := encode_prompt(tokenizer, text[:keep_to], vocabulary)).ids) > limit and keep_to:
        keep_to -= 1
    return kept, PromptTooLong(round(len(head.ids) * len(text) / size), limit, keep_from, keep_to)
