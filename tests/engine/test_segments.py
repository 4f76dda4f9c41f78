"""Domains by evidence: borders where the likelihoods have them, none where they have not, no tiny parts."""

from __future__ import annotations

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tlora_gui.engine.generation.segments import SHORTEST, SWITCH_PRICE, segments
from tlora_gui.engine.protocol.texts import Segment


def evidence(lengths: list[tuple[int, int]], gain: float = 1.0, noise: float = 1.0) -> list[list[float]]:
    """Log-likelihoods under three slots of a text in stretches of (slot, tokens)."""
    draw = random.Random(0)
    return [
        [-4.0 + draw.gauss(0, noise) + gain * (slot == right) for slot in range(3)]
        for right, tokens in lengths
        for _ in range(tokens)
    ]


def test_borders_are_found_where_they_are_within_a_few_tokens() -> None:
    parts = segments(evidence([(1, 60), (2, 50), (0, 70), (1, 40)]))
    assert [part.slot for part in parts] == [1, 2, 0, 1]
    for part, border in zip(parts, [0, 60, 110, 180], strict=True):
        assert abs(part.first - border) <= 4


def test_borders_without_noise_are_exact() -> None:
    parts = segments(evidence([(2, 20), (1, 20), (2, 20)], noise=0.0))
    assert parts == [Segment(0, 2), Segment(20, 1), Segment(40, 2)]


def test_noise_makes_no_border() -> None:
    assert segments(evidence([(1, 3000)], gain=0.5, noise=0.7)) == [Segment(0, 1)]


def test_slots_that_are_alike_make_no_border() -> None:
    assert segments([[-1.0, -1.0]] * 50) == [Segment(0, 0)]


def test_a_stretch_must_be_worth_both_its_borders() -> None:
    worth = [[0.0, -4.0]] * 20 + [[-1.0, 0.0]] * 20 + [[0.0, -4.0]] * 20
    assert segments(worth) == [Segment(0, 0), Segment(20, 1), Segment(40, 0)]
    least = int(2 * SWITCH_PRICE)
    assert segments([[0.0, -4.0]] * 20 + [[-1.0, 0.0]] * (least - 1) + [[0.0, -4.0]] * 20) == [Segment(0, 0)]


def test_a_stretch_of_a_few_tokens_goes_to_the_neighbour_that_says_it_better() -> None:
    known = [[-50.0, 0.0, -60.0]] * (SHORTEST - 1)
    before, after = [[0.0, -9.0, -9.0]] * 30, [[-9.0, -9.0, 0.0]] * 30
    assert segments(before + known + before) == [Segment(0, 0)]
    assert segments(before + known + after) == [Segment(0, 0), Segment(30 + SHORTEST - 1, 2)]
    assert segments(known + after) == [Segment(0, 2)]
    assert segments(before + [[-50.0, 0.0, -60.0]] * SHORTEST + after)[1] == Segment(30, 1)


def test_a_text_of_nothing_has_no_parts_and_one_token_is_one_part() -> None:
    assert segments([]) == []
    assert segments([[0.0, -1.0]]) == [Segment(0, 0)]


rows = st.integers(1, 4).flatmap(
    lambda slots: st.lists(st.lists(st.floats(-20, 0), min_size=slots, max_size=slots), min_size=1, max_size=40)
)


@given(rows=rows, price=st.floats(0, 50))
def test_parts_cover_the_text_in_order_and_neighbours_differ(rows: list[list[float]], price: float) -> None:
    parts = segments(rows, price)
    assert parts[0].first == 0 and parts[-1].first < len(rows)
    for part, following in pairwise(parts):
        assert part.first + SHORTEST <= following.first and part.slot != following.slot
    assert all(0 <= part.slot < len(rows[0]) for part in parts)


@given(rows=rows, prices=st.tuples(st.floats(0, 50), st.floats(0, 50)))
def test_where_borders_cost_more_there_are_no_more_of_them(
    rows: list[list[float]], prices: tuple[float, float]
) -> None:
    stretches = [row for row in rows for _ in range(SHORTEST)]  # none too short to be a part
    cheap, dear = sorted(prices)
    assert len(segments(stretches, dear)) <= len(segments(stretches, cheap))
