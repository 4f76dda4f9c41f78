"""Means over any stretch of a growing table, at a cost that does not depend on the stretch. No Qt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_FIRST_CAPACITY = 256


class RunningSums:
    """Rows of ``width`` floats, kept as their sums so far in one array that doubles when it is full."""

    def __init__(self, width: int) -> None:
        self._sums = np.zeros((_FIRST_CAPACITY, width))
        self._rows = 0

    def __len__(self) -> int:
        return self._rows

    def extend(self, rows: Sequence[Sequence[float]]) -> None:
        """Append rows."""
        if not len(rows):
            return
        end = self._rows + len(rows)
        while end >= len(self._sums):
            self._sums = np.concatenate((self._sums, np.empty_like(self._sums)))
        self._sums[self._rows + 1 : end + 1] = self._sums[self._rows] + np.cumsum(rows, axis=0)
        self._rows = end

    def means(self, edges: NDArray[np.intp], reach: int = 0) -> Floats:
        """Mean row from each edge to the next, (edges - 1, width); edges rise from 0 or more to the length at most.

        ``reach`` more rows on both sides are counted in, as far as there are any.
        """
        first, last = np.maximum(edges[:-1] - reach, 0), np.minimum(edges[1:] + reach, self._rows)
        means: Floats = (self._sums[last] - self._sums[first]) / (last - first)[:, None]
        return means


def bin_edges(first: int, last: int, most: int) -> NDArray[np.intp]:
    """Edges of at most ``most`` equal bins (the last may be shorter) that cover rows ``first`` to ``last`` (left out).

    A bin holds a power of two of rows and begins at a multiple of that, so bins stay where they are as rows are added.
    """
    size = 1
    while (last - first) > size * (most - 1):
        size *= 2
    edges = np.arange(first - first % size, last + size, size)
    return np.minimum(edges, last)
