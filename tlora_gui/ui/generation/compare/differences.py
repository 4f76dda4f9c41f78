"""In which tokens a text differs from another one. Pure functions over token ids."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

_BLOCK = 128
"""Tokens that are compared at once: some 10 ms at worst."""
_REACH = 256
"""Tokens of the first text among which they are looked for."""


class Differences:
    """Indices of the tokens that a text does not share, in order, with a first one; both only grow.

    What two stretches share is the longest matching run and, on both sides of it, again the longest (Ratcliff &
    Obershelp 1988). Each stretch begins where what was shared before ends, so that a text of any length takes a time
    in proportion to it, and what is settled is never compared again.

    Attributes:
        settled: those among the tokens before ``at``, which stay.
        at: how far the text is settled.
    """

    def __init__(self) -> None:
        self.settled: list[int] = []
        self.at = self._at_first = 0

    def settle(self, first: Sequence[int], other: Sequence[int]) -> bool:
        """Compare one more stretch; False if no whole one is left."""
        while self.at < min(len(other), len(first) + self.at - self._at_first) and (
            first[self._at_first] == other[self.at]
        ):
            self.at, self._at_first = self.at + 1, self._at_first + 1
        if self.at + _BLOCK > len(other) or self._at_first + _REACH > len(first):
            return False
        changed, shared = self._compare(first, other, _BLOCK)
        self.settled += changed
        self.at, self._at_first = self.at + _BLOCK, self._at_first + shared
        return True

    def marks(self, first: Sequence[int], other: Sequence[int]) -> list[int]:
        """The differing tokens of all that is there, as they look now."""
        changed, _ = self._compare(first, other, _REACH)
        return [*self.settled, *changed, *range(self.at + _REACH, len(other))]

    def _compare(self, first: Sequence[int], other: Sequence[int], length: int) -> tuple[list[int], int]:
        """Differing tokens of the next stretch, and how far into the first text it reaches."""
        stretch = other[self.at : self.at + length]
        matcher = SequenceMatcher(None, first[self._at_first : self._at_first + _REACH], stretch, autojunk=False)
        changed: list[int] = []
        at = reached = 0
        for block in matcher.get_matching_blocks():  # the last one is empty and stands at the end
            changed.extend(self.at + index for index in range(at, block.b))
            at = block.b + block.size
            reached = block.a + block.size if block.size else reached
        return changed, reached


def differing(first: Sequence[int], other: Sequence[int]) -> list[int]:
    """Indices in ``other`` of the tokens that it does not share, in order, with ``first``; both are token ids."""
    differences = Differences()
    while differences.settle(first, other):
        pass
    return differences.marks(first, other)
