"""How much of a text fits into a backbone's context."""

from __future__ import annotations

from typing import Any

from tlora_gui.engine.events import PromptTooLong

_PIECE = 2**16
_UNSURE = 64
"""Tokens at the end of a piece that may be others in the whole text."""


def fit(tokenizer: Any, text: str, limit: int) -> tuple[list[int], PromptTooLong | None]:
    """Token ids of a text; if they are more than ``limit``, those of its beginning, and where the text can be cut.

    Of a very long text only beginning and end are tokenised, as much as it takes to know; the number of ``tokens`` told
    is an estimate then. A cut never goes through a character, so a few ids less than ``limit`` may come. Characters
    that are none (lone surrogates) are read as "?".
    """
    size = _PIECE + 8 * limit
    head = _encode(tokenizer, text[:size])
    while len(head["input_ids"]) <= limit + _UNSURE and size < len(text):
        size *= 4
        head = _encode(tokenizer, text[:size])
    ids: list[int] = head["input_ids"]
    if len(ids) <= limit:
        return ids, None
    size = min(size, len(text))
    tail = head if size == len(text) else _encode(tokenizer, text[-size:])
    _, before = _reach(tokenizer, tail, max(0, len(tail["input_ids"]) - limit // 2))
    kept, keep_to = _reach(tokenizer, head, limit)
    tokens = round(len(ids) * len(text) / size)
    return ids[:kept], PromptTooLong(tokens, limit, len(text) - size + before, keep_to)


def _encode(tokenizer: Any, text: str) -> Any:
    whole = text.encode(errors="replace").decode()
    return tokenizer(whole, verbose=False, return_offsets_mapping=tokenizer.is_fast)


def _reach(tokenizer: Any, encoded: Any, count: int) -> tuple[int, int]:
    """How many of the first ``count`` tokens make whole characters, and how many characters these are."""
    if spans := encoded.get("offset_mapping"):
        while 0 < count < len(spans) and spans[count - 1][0] <= spans[count][0] < spans[count - 1][1]:
            count -= 1
        return count, spans[count - 1][1] if count else 0
    text: str = tokenizer.decode(encoded["input_ids"][:count], skip_special_tokens=True)
    while text.endswith("\ufffd"):
        count -= 1
        text = tokenizer.decode(encoded["input_ids"][:count], skip_special_tokens=True)
    return count, len(text)
