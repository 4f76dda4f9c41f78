"""Tokens and where they are in the document that shows them. No widget."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

import numpy as np

from tlora_gui.engine.protocol import wording
from tlora_gui.engine.protocol.texts import TokenEvent

STAND_INS = wording.STAND_INS | dict.fromkeys(map(ord, "\ufdd0\ufdd1\ufffc"), "◇")
"""Those of any text, and of the signs that a Qt document keeps for frames and pictures."""

ONE_LINE = STAND_INS | {ord("\n"): "⏎", ord("\r"): "⏎", ord("\t"): " "}
"""Signs for what would not stay in a line too."""

_SEARCHED_AT_ONCE = 4000
"""Tokens: some 3 ms."""


class TokenText:
    """A growing list of tokens, each with its position in a Qt document.

    Places are what Qt counts: UTF-16 units, in a text that may have been cut into more paragraphs than were given.
    ``starts`` are the tokens' own, ``end`` is where the last one ends.
    """

    def __init__(self) -> None:
        self.tokens: list[TokenEvent] = []
        self.starts: list[int] = []
        self.end = 0
        self._cuts: list[int] = []

    def append(self, token: TokenEvent) -> None:
        """Add a token where the text ends."""
        self.tokens.append(token)
        self.starts.append(self.end)
        self.end += _units(token.text)

    def cut(self, positions: Sequence[int]) -> None:
        """The document has one more character, no token's, before each of these: rising, behind earlier cuts."""
        if not positions:
            return
        for index in range(bisect_left(self.starts, positions[0]), len(self.starts)):
            self.starts[index] += bisect_right(positions, self.starts[index])
        self._cuts += [position + number for number, position in enumerate(positions)]
        self.end += len(positions)

    def span(self, index: int) -> tuple[int, int]:
        """Where a token is. One without text shares the span of the token that completes its character."""
        while index + 1 < len(self.tokens) and not self.tokens[index].text:
            index += 1
        return self.starts[index], self.starts[index + 1] if index + 1 < len(self.starts) else self.end

    def index_at(self, position: int) -> int:
        """Index of the token whose text is there, -1 behind the last."""
        return bisect_right(self.starts, position) - 1 if position < self.end else -1

    def pieces(self, first: int, last: int) -> Iterator[tuple[TokenEvent, str]]:
        """Tokens between two positions, each with the part of its own text that lies there."""
        if first >= last:
            return
        begin, end = self._uncut(first), self._uncut(last)
        for index in range(self.index_at(first), self.index_at(last - 1) + 1):
            token, start = self.tokens[index], self._uncut(self.starts[index])
            yield token, _part(token.text, begin - start, end - start)

    def _uncut(self, position: int) -> int:
        return position - bisect_left(self._cuts, position)

    def find(self, wanted: str, since: int = 0) -> Iterator[list[tuple[int, int]]]:
        """Places of ``wanted`` in the tokens' text, case-blind unless it has capitals, those in some thousand tokens at
        a time: from ``since`` on, then before it. In a text that is not longer than that, all in order."""
        if not wanted:
            return
        if len(self.tokens) <= _SEARCHED_AT_ONCE:
            since = 0
        pattern = re.compile(re.escape(wanted), re.NOFLAG if _has_capitals(wanted) else re.IGNORECASE)
        first, inside = self.index_at(since), 0  # token, and characters of it
        if first < 0:
            first = len(self.tokens)
        else:
            before = self._uncut(since) - self._uncut(self.starts[first])
            inside = len(_part(self.tokens[first].text, 0, before))
        # taken: characters that the last hit reaches into the next tokens
        for begin, end, taken in ((first, None, inside), (0, first + (inside > 0), 0)):
            while begin < (len(self.tokens) if end is None else end):
                stop = min(begin + _SEARCHED_AT_ONCE, len(self.tokens) if end is None else end)
                text = "".join(token.text for token in self.tokens[begin:stop])
                length = len(text)
                behind = stop
                while len(text) < length + len(wanted) - 1 and behind < len(self.tokens):
                    text += self.tokens[behind].text
                    behind += 1
                found = [hit.span() for hit in pattern.finditer(text, taken, length + len(wanted) - 1)]
                taken = max(0, (found[-1][1] if found else taken) - length)
                places = self._places(begin, text, found)
                yield places if end is None else [place for place in places if place[0] < since]
                begin = stop

    def _places(self, first: int, text: str, found: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """Where characters of a text are that begins with the ``first`` token."""
        hits = np.array(found, dtype=np.intp).reshape(-1, 2)
        signs = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
        hits += self._uncut(self.starts[first]) + np.searchsorted(np.flatnonzero(signs > 0xFFFF), hits)
        # Cut number n has n cuts before it, so this is where each was in the text that was given.
        cuts = np.array(self._cuts, dtype=np.intp) - np.arange(len(self._cuts))
        starts, ends = hits[:, 0], hits[:, 1]
        starts = starts + np.searchsorted(cuts, starts, side="right")
        ends = ends + np.searchsorted(cuts, ends, side="left")
        return list(zip(starts.tolist(), ends.tolist(), strict=True))


def _has_capitals(text: str) -> bool:
    return text != text.lower()


def _units(text: str) -> int:
    return len(text) if text.isascii() else len(text) + sum(sign > "\uffff" for sign in text)


def _part(text: str, first: int, last: int) -> str:
    """From one UTF-16 unit to another, as far as there are any."""
    if first <= 0 and last >= 2 * len(text):
        return text
    units = text.encode("utf-16-le", "surrogatepass")[2 * max(first, 0) : 2 * max(last, 0)]
    return units.decode("utf-16-le", "surrogatepass")
