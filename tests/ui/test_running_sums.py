"""Means over stretches of a growing table."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tlora_gui.ui.running_sums import RunningSums, bin_edges


@given(count=st.integers(1, 1000), piece=st.integers(1, 300), reach=st.integers(0, 20), data=st.data())
def test_means_over_bins_equal_those_of_the_rows(count: int, piece: int, reach: int, data: st.DataObject) -> None:
    rows = np.random.default_rng(count).uniform(-1e3, 1e3, (count, 3))
    sums = RunningSums(3)
    for start in range(0, count, piece):
        sums.extend(rows[start : start + piece].tolist())
    assert len(sums) == count
    edges = sorted(data.draw(st.sets(st.integers(0, count), min_size=2, max_size=5)))
    expected = [rows[max(0, low - reach) : high + reach].mean(0) for low, high in pairwise(edges)]
    np.testing.assert_allclose(sums.means(np.array(edges), reach), expected, rtol=1e-9, atol=1e-9)


def test_a_row_alone_is_its_own_mean() -> None:
    sums = RunningSums(2)
    sums.extend([(0.25, 0.75)])
    sums.extend([])
    np.testing.assert_allclose(sums.means(np.array([0, 1])), [[0.25, 0.75]])


@given(first=st.integers(0, 2000), rows=st.integers(1, 100_000), most=st.integers(2, 2000))
def test_bins_cover_what_was_asked_and_are_no_more_than_allowed(first: int, rows: int, most: int) -> None:
    last = first + rows
    edges = bin_edges(first, last, most)
    assert edges[0] <= first and edges[-1] == last
    assert len(edges) - 1 <= most
    assert (np.diff(edges) > 0).all()


def test_few_rows_get_a_bin_each() -> None:
    assert bin_edges(2, 6, 100).tolist() == [2, 3, 4, 5, 6]


def test_bins_stay_where_they_are_as_rows_are_added() -> None:
    before, after = bin_edges(0, 1000, 300), bin_edges(0, 1003, 300)
    assert set(before[:-1]) <= set(after)
