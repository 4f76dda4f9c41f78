"""Text out of tokens as they come."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_ENDLESS = 16
"""Tokens in a row that complete no character; more of them never will, since a character has 4 bytes at most."""


@dataclass(slots=True)
class TextStream:
    """Turns token ids into text as they come; a character spread over several tokens comes with its last one."""

    tokenizer: Any
    _ids: list[int] = field(default_factory=list)
    _shown: int = 0
    _context: int = 0

    def push(self, token_id: int) -> str:
        """Text that this token completes; empty while a character is incomplete."""
        self._ids.append(token_id)
        before: str = self.tokenizer.decode(self._ids[self._context : self._shown])
        now: str = self.tokenizer.decode(self._ids[self._context :])
        end = len(self._ids)
        if now.endswith("\ufffd"):
            if end - self._shown < _ENDLESS:
                return ""
            now, end = self._settled(now)
        if len(now) <= len(before):
            return ""
        self._context, self._shown = self._shown, end
        return now[len(before) :]

    def take(self, token_id: int, text: str) -> None:
        """Go on after a token that shows ``text``, as is known from elsewhere.

        A control token at the beginning that shows none was put there by the tokenizer, and is no part of the text.
        """
        if not text and not self._ids and token_id in self.tokenizer.all_special_ids:
            return
        self._ids.append(token_id)
        if text:
            self._context, self._shown = self._shown, len(self._ids)

    def _settled(self, now: str) -> tuple[str, int]:
        """What comes before the last character, which is none or incomplete, and how many tokens that is."""
        for end in range(len(self._ids) - 1, len(self._ids) - 4, -1):
            text: str = self.tokenizer.decode(self._ids[self._context : end])
            if len(text) < len(now) and now.startswith(text):
                return text, end
        return now, len(self._ids)
