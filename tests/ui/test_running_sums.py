"""Means over stretches of a growing table."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tlora_gui.ui.running_sums import RunningSums, bin_edges


def test_means_over_bins_equal_those_of_the_rows() -> None:
    rows = np.random.default_rng(0).random((1000, 3))
    sums = RunningSums(3)
    for start in range(0, 1000, 7):
        sums.extend(rows[start : start + 7].tolist())
    assert len(sums) == 1000
    edges = np.array([0, 1, 10, 600, 1000])
    expected = [rows[low:high].mean(0) for low, high in pairwise(edges)]
    np.testing.assert_allclose(sums.means(edges), expected)


def test_a_row_alone_is_its_own_mean() -> None:
    sums = RunningSums(2)
    sums.extend([(0.25, 0.75)])
    sums.extend([])
    np.testing.assert_allclose(sums.means(np.array([0, 1])), [[0.25, 0.75]])


@pytest.mark.parametrize(("first", "last", "most"), [(0, 1, 2), (0, 100, 100), (3, 1000, 50), (64, 65, 10), (5, 64, 8)])
def test_bins_cover_what_was_asked_and_are_no_more_than_allowed(first: int, last: int, most: int) -> None:
    edges = bin_edges(first, last, most)
    assert edges[0] <= first and edges[-1] == last
    assert len(edges) - 1 <= most
    assert (np.diff(edges) > 0).all()


def test_few_rows_get_a_bin_each() -> None:
    assert bin_edges(2, 6, 100).tolist() == [2, 3, 4, 5, 6]


def test_bins_stay_where_they_are_as_rows_are_added() -> None:
    before, after = bin_edges(0, 1000, 300), bin_edges(0, 1003, 300)
    assert set(before[:-1]) <= set(after)
