"""The formulas of continual learning against small examples worked out by hand."""

from __future__ import annotations

import inspect
import math

import pytest

from tlora_gui.engine.protocol import metrics
from tlora_gui.engine.protocol.metrics import (
    FORMULAS,
    average_accuracy,
    backward_transfer,
    calibration_error,
    forgetting,
    gain_kept,
    plasticity_cost,
    switch_lag,
    unknown_text,
)

R = ((0.9,), (0.95, 0.8), (0.7, 0.85, 0.6))
"""After three phases: the first epoch was best after the second phase, the second only got better."""

LOSSES = ((-4.0,), (-4.5, -3.0))


def test_average_accuracy_is_the_mean_of_the_last_row() -> None:
    assert average_accuracy(R) == pytest.approx((0.7 + 0.85 + 0.6) / 3)
    assert average_accuracy(((0.5,),)) == 0.5
    assert average_accuracy(LOSSES) == pytest.approx(-3.75)


def test_backward_transfer_compares_the_last_phase_with_each_epochs_own() -> None:
    assert backward_transfer(R) == pytest.approx(((0.7 - 0.9) + (0.85 - 0.8)) / 2)
    assert backward_transfer(LOSSES) == pytest.approx(-0.5)


def test_forgetting_compares_the_last_phase_with_the_best_before_it() -> None:
    assert forgetting(R) == pytest.approx(((0.95 - 0.7) + (0.8 - 0.85)) / 2)
    assert forgetting(LOSSES) == pytest.approx(0.5)


def test_forgetting_never_looks_at_the_last_phase_for_the_best() -> None:
    assert forgetting(((0.5,), (0.9, 1.0))) == pytest.approx(-0.4), (
        "an epoch that got better is forgotten by less than 0"
    )


def test_an_epoch_is_not_judged_by_the_phase_it_was_learned_in() -> None:
    for learned in (0.0, 1.0):
        scores = ((0.8,), (0.6, learned))
        assert backward_transfer(scores) == pytest.approx(-0.2)
        assert forgetting(scores) == pytest.approx(0.2)


@pytest.mark.parametrize("scores", [(), ((0.9,),)], ids=["no phase", "one phase"])
def test_before_a_second_phase_nothing_can_be_forgotten(scores: tuple[tuple[float, ...], ...]) -> None:
    assert math.isnan(backward_transfer(scores))
    assert math.isnan(forgetting(scores))


def test_without_a_phase_there_is_no_average() -> None:
    assert math.isnan(average_accuracy(()))


@pytest.mark.parametrize(("mix_loss", "kept"), [(3.0, 1.0), (3.1, 0.9), (4.0, 0.0), (4.5, -0.5), (2.5, 1.5)], ids=str)
def test_gain_kept_is_the_mixs_share_of_the_epochs_own_gain(mix_loss: float, kept: float) -> None:
    assert gain_kept(4.0, 3.0, mix_loss) == pytest.approx(kept)


def test_plasticity_cost_is_the_loss_that_protection_adds_as_a_share_of_the_gain() -> None:
    assert plasticity_cost(3.15, 3.1, gain=0.5) == pytest.approx(0.1)
    assert plasticity_cost(3.0, 3.1, gain=0.5) == pytest.approx(-0.2)


def test_an_epoch_that_gained_nothing_has_no_shares() -> None:
    assert math.isnan(gain_kept(4.0, 4.0, 4.0))
    assert math.isnan(plasticity_cost(4.1, 4.0, gain=0.0))


# -- switch lag -------------------------------------------------------------------------------------------------

HIGH, LOW = 0.95, 0.2


@pytest.mark.parametrize(
    ("weights", "lag"),
    [
        ([HIGH] * 3, 0),
        ([HIGH] * 9, 0),
        ([LOW, LOW, HIGH, HIGH, HIGH, LOW], 2),
        ([HIGH, HIGH, LOW, HIGH, HIGH, HIGH], 3),
        ([LOW, HIGH, LOW, HIGH, HIGH, LOW, HIGH, HIGH, HIGH], 6),
        ([LOW] * 7, 7),
        ([LOW, LOW, HIGH, HIGH], 4),
        ([HIGH, HIGH], 2),
        ([HIGH, HIGH, LOW] * 4, 12),
        ([], 0),
    ],
    ids=[
        "at once", "at once and on", "after two", "a run that is interrupted", "two runs that are interrupted", "never",
        "a run that the end cuts off", "too short a text", "never three", "no text",
    ],
)  # fmt: skip
def test_switch_lag_counts_tokens_before_three_in_a_row(weights: list[float], lag: int) -> None:
    assert switch_lag(weights) == lag


@pytest.mark.parametrize(("weight", "lag"), [(0.9, 5), (0.90001, 0), (1.0, 0)])
def test_switch_lag_asks_for_more_than_nine_tenths(weight: float, lag: int) -> None:
    assert switch_lag([weight] * 5) == lag


# -- calibration ------------------------------------------------------------------------------------------------


def test_weights_that_are_as_often_right_as_they_say_have_no_calibration_error() -> None:
    weights = [1.0] * 6 + [0.5] * 8 + [0.75] * 4
    right = [True] * 6 + [True, False] * 4 + [True, True, True, False]
    assert calibration_error(weights, right) == pytest.approx(0)


def test_calibration_error_weighs_each_bins_gap_by_its_share_of_tokens() -> None:
    # three bins of 15: two tokens at mean 0.98 with one right, one at 0.5 wrong, one at 0.7 right
    weights, right = [0.97, 0.99, 0.5, 0.7], [True, False, False, True]
    by_hand = 2 / 4 * abs(0.98 - 0.5) + 1 / 4 * abs(0.5 - 0.0) + 1 / 4 * abs(0.7 - 1.0)
    assert by_hand == pytest.approx(0.44)
    assert calibration_error(weights, right) == pytest.approx(by_hand)


def test_tokens_of_one_bin_make_up_for_each_other_and_those_of_two_do_not() -> None:
    assert calibration_error([0.94, 0.96], [True, True]) == pytest.approx(0.05)
    inside, across = [0.40, 0.46], [0.39, 0.61]
    assert calibration_error(inside, [True, False]) == pytest.approx(abs(0.43 - 0.5))
    assert calibration_error(across, [True, False]) == pytest.approx((0.61 + 0.61) / 2)


@pytest.mark.parametrize(("right", "error"), [([True] * 4, 0.0), ([False] * 4, 1.0), ([True, False] * 2, 0.5)], ids=str)
def test_calibration_error_of_certainty_is_the_share_of_wrong_tokens(right: list[bool], error: float) -> None:
    assert calibration_error([1.0] * 4, right) == pytest.approx(error)


def test_unknown_text_is_the_mean_of_what_the_backbone_gets() -> None:
    assert unknown_text([0.25, 0.75, 0.8]) == pytest.approx(0.6)
    assert math.isnan(unknown_text([]))


def test_calibration_error_of_nothing_is_no_number() -> None:
    assert math.isnan(calibration_error([], []))


def test_weights_and_verdicts_must_be_as_many() -> None:
    with pytest.raises(ValueError):
        calibration_error([0.9, 0.8], [True])


def test_every_formula_has_its_line_and_every_line_its_formula() -> None:
    formulas = {name for name, thing in inspect.getmembers(metrics, inspect.isfunction)} - {"fmean"}
    assert formulas == set(FORMULAS)
    assert all(line and "\n" not in line for line in FORMULAS.values())
