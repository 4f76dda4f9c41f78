"""Text out of tokens as they come."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class TextStream:
    """Turns token ids into text as they come; a character spread over several tokens comes with its last one.

    A tokenizer's own mark at the very beginning is not shown.
    """

    tokenizer: Any
    _ids: list[int] = field(default_factory=list)
    _shown: int = 0
    _context: int = 0

    def push(self, token_id: int) -> str:
        """Text that this token completes; empty while a character is incomplete."""
        if not self._ids and token_id == self.tokenizer.bos_token_id:
            return ""
        self._ids.append(token_id)
        before: str = self.tokenizer.decode(self._ids[self._context : self._shown])
        now: str = self.tokenizer.decode(self._ids[self._context :])
        if len(now) <= len(before) or now.endswith("\ufffd"):
            return ""
        self._context, self._shown = self._shown, len(self._ids)
        return now[len(before) :]


def start_token_id(tokenizer: Any) -> int:
    """What is read first where there is no prompt."""
    first = tokenizer.bos_token_id
    return int(first if first is not None else tokenizer.eos_token_id or 0)
