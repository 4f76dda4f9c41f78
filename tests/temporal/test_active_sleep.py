"""Active Sleep's losses against values worked out by hand, and what a memory is made of."""

from __future__ import annotations

import math

import pytest
import torch
from mixtures import assert_near, stir
from torch import Tensor
from torch.nn.functional import cross_entropy

from tlora_gui.temporal.active_sleep import (
    cut_windows,
    draw_windows,
    freeze_teacher,
    mixer_distill_loss,
    route_loss,
    to_levels,
    to_memory,
)
from tlora_gui.temporal.config import MEMORY_WINDOW, MixerSettings
from tlora_gui.temporal.time_mixer import TimeMixer

TEMPERATURES = [0.5, 1.0, 2.0, 4.0]


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def with_new_slot(logits_BTS: Tensor, new: float) -> Tensor:
    """The same logits with one more slot."""
    return torch.cat([logits_BTS, torch.full_like(logits_BTS[..., :1], new)], dim=-1)


# -- the distill loss -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_distill_loss_is_zero_where_the_mixer_says_what_the_teacher_said(temperature: float) -> None:
    teacher_BTS = draw(2, 5, 3)
    assert mixer_distill_loss(teacher_BTS, teacher_BTS, temperature).abs() < 1e-6
    assert mixer_distill_loss(teacher_BTS + 7, teacher_BTS, temperature).abs() < 1e-5, "a softmax knows no constant"
    assert mixer_distill_loss(with_new_slot(teacher_BTS, -1e4), teacher_BTS, temperature).abs() < 1e-6


@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("extra", [0, 1, 2])
def test_distill_loss_is_positive_otherwise(temperature: float, extra: int) -> None:
    for seed in range(20):
        student_BTS = draw(1, 1, 3 + extra, seed=seed)
        assert mixer_distill_loss(student_BTS, draw(1, 1, 3, seed=100 + seed), temperature) > 1e-4


@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("new", [-6.0, 0.0, 3.0])
def test_a_share_taken_by_the_new_slot_alone_costs_minus_log_of_what_is_left(temperature: float, new: float) -> None:
    teacher_BTS = draw(2, 5, 3)
    student_BTS = with_new_slot(teacher_BTS, new)
    taken_BT = (student_BTS / temperature).softmax(-1)[..., -1]
    expected = -(1 - taken_BT).log().mean() * temperature**2
    assert_near(mixer_distill_loss(student_BTS, teacher_BTS, temperature), expected)


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_distill_loss_is_scaled_by_t_squared(temperature: float) -> None:
    # teacher (3/4, 1/4) at temperature T, mixer (1/3, 1/3, 1/3): KL = 3/4 ln(9/4) + 1/4 ln(3/4) = 0.536277...
    teacher_BTS = temperature * torch.tensor([[[math.log(3.0), 0.0]]])
    by_hand = 0.75 * math.log(9 / 4) + 0.25 * math.log(3 / 4)
    assert by_hand == pytest.approx(0.5362771)
    loss = mixer_distill_loss(torch.zeros(1, 1, 3), teacher_BTS, temperature)
    assert loss.item() == pytest.approx(by_hand * temperature**2, rel=1e-5)


def test_distill_loss_is_a_mean_per_token() -> None:
    student_BTS, teacher_BTS = draw(2, 5, 4), draw(2, 5, 3, seed=1)
    each = [
        mixer_distill_loss(student_BTS[b : b + 1, t : t + 1], teacher_BTS[b : b + 1, t : t + 1], 2.0)
        for b in range(2)
        for t in range(5)
    ]
    assert_near(mixer_distill_loss(student_BTS, teacher_BTS, 2.0), torch.stack(each).mean())


@pytest.mark.parametrize("old", [1, 2, 3])
def test_gradient_pushes_the_new_slot_down_even_with_one_old_slot(old: int) -> None:
    teacher_BTS = draw(2, 5, old)
    student_BTS = with_new_slot(teacher_BTS, 0.0).requires_grad_(True)
    mixer_distill_loss(student_BTS, teacher_BTS, 2.0).backward()
    assert student_BTS.grad is not None
    assert (student_BTS.grad[..., -1] > 0).all()
    assert (student_BTS.grad[..., :-1] < 0).all()


def test_distill_loss_is_finite_for_a_teacher_who_is_certain() -> None:
    teacher_BTS = torch.tensor([[[400.0, -400.0]]])
    student_BTS = torch.zeros(1, 1, 3, requires_grad=True)
    loss = mixer_distill_loss(student_BTS, teacher_BTS, 1.0)
    loss.backward()
    assert loss.item() == pytest.approx(math.log(3), rel=1e-5)
    assert student_BTS.grad is not None and student_BTS.grad.isfinite().all()


def test_a_teacher_of_more_slots_than_the_mixer_is_refused() -> None:
    with pytest.raises(ValueError, match="the teacher has 4 slots, the mixer only 3"):
        mixer_distill_loss(draw(1, 2, 3), draw(1, 2, 4), 2.0)


def test_distillation_teaches_the_mixer_and_never_the_teacher() -> None:
    mixer = TimeMixer(12, MixerSettings(), 2)
    stir(mixer)
    teacher = freeze_teacher(mixer)
    mixer.add_slot()
    hidden_BTH = draw(2, 6, 12)
    mixer_distill_loss(mixer(hidden_BTH)[0], teacher(hidden_BTH)[0], 2.0).backward()
    assert all(parameter.grad is not None for parameter in mixer.parameters())
    assert all(parameter.grad is None for parameter in teacher.parameters())


# -- the route loss ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slot", [0, 1, 3])
def test_route_loss_is_the_cross_entropy_of_the_slot(slot: int) -> None:
    logits_BTS = draw(2, 5, 4)
    expected = -logits_BTS.log_softmax(-1)[..., slot].mean()
    assert_near(route_loss(logits_BTS, slot), expected)
    target_N = torch.full((10,), slot)
    assert_near(route_loss(logits_BTS, slot), cross_entropy(logits_BTS.reshape(10, 4), target_N))


def test_route_loss_of_no_preference_is_log_of_the_slots() -> None:
    assert route_loss(torch.zeros(2, 5, 4), 3).item() == pytest.approx(math.log(4))


def test_route_loss_takes_a_slot_for_each_window() -> None:
    logits_NWS, slots_N = draw(3, 5, 4), torch.tensor([2, 0, 3])
    each = [route_loss(logits_NWS[n : n + 1], slot) for n, slot in enumerate(slots_N.tolist())]
    assert_near(route_loss(logits_NWS, slots_N[:, None]), torch.stack(each).mean())


def test_gradient_of_the_route_loss_pulls_its_slot_up() -> None:
    logits_BTS = torch.zeros(2, 5, 4, requires_grad=True)
    route_loss(logits_BTS, 2).backward()
    assert logits_BTS.grad is not None
    assert (logits_BTS.grad[..., 2] < 0).all()
    assert (logits_BTS.grad[..., [0, 1, 3]] > 0).all()


# -- memories ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("hidden", [8, 48, 576])
def test_memory_is_bounded_by_the_root_of_the_hidden_size(dtype: torch.dtype, hidden: int) -> None:
    hidden_BTH = draw(2, 5, hidden)
    hidden_BTH[..., 3] = 60_000.0  # the outliers that language models have in a few dimensions
    memory_BTH = to_memory(hidden_BTH.to(dtype))
    assert memory_BTH.dtype == torch.float16
    assert memory_BTH.isfinite().all()
    assert math.sqrt(hidden) * 0.9 < memory_BTH.abs().max() <= math.sqrt(hidden) * 1.001


@pytest.mark.parametrize("size", [1e-3, 1.0, 23.9, 300.0])
def test_levels_are_fifteen_a_dimension_and_the_nearest(size: float) -> None:
    memory_NTH = (size * draw(9, 64, 48) * torch.rand(48)).half()
    memory_NTH[..., 5] = 0
    levels_NTH = to_levels(memory_NTH)
    assert levels_NTH.dtype == torch.float16 and torch.equal(to_levels(levels_NTH), levels_NTH)
    assert max(len(values.unique()) for values in levels_NTH.flatten(0, 1).T) <= 15
    most_H = memory_NTH.float().abs().amax((0, 1))
    assert ((levels_NTH.float() - memory_NTH.float()).abs() <= most_H / 14 * 1.01).all()


def test_the_mixer_says_of_a_memory_what_it_said_of_the_text() -> None:
    mixer = TimeMixer(48, MixerSettings(), 3)
    stir(mixer)
    hidden_BTH = 9 * draw(2, 40, 48)
    weights_BTS, remembered_BTS = (mixer(x)[0].softmax(-1) for x in (hidden_BTH, to_memory(hidden_BTH)))
    assert (weights_BTS - remembered_BTS).abs().max() < 5e-3


def test_a_memory_holds_no_graph() -> None:
    assert not to_memory(draw(1, 4, 8).requires_grad_(True)).requires_grad


W = MEMORY_WINDOW


@pytest.mark.parametrize("tokens", [W, W + 1, 2 * W - 1, 2 * W, 3 * W + 5])
def test_windows_are_contiguous_pieces_of_each_block_and_a_rest_is_dropped(tokens: int) -> None:
    memory_NTH = draw(3, tokens, 8).half()
    windows = tokens // W
    cut_NWH = cut_windows(memory_NTH)
    assert cut_NWH.shape == (3 * windows, W, 8) and cut_NWH.dtype == torch.float16
    for row in range(3):
        for place in range(windows):
            assert torch.equal(cut_NWH[row * windows + place], memory_NTH[row, place * W : (place + 1) * W])


@pytest.mark.parametrize(("blocks", "tokens"), [(4, W // 4), (11, W // 4), (2, W - 1), (12, W // 2), (9, 19)])
def test_blocks_shorter_than_a_window_are_joined_in_their_order(blocks: int, tokens: int) -> None:
    memory_NTH = draw(blocks, tokens, 8).half()
    cut_NWH = cut_windows(memory_NTH)
    windows = blocks * tokens // W
    assert windows and cut_NWH.shape == (windows, W, 8)
    assert torch.equal(cut_NWH.flatten(0, 1), memory_NTH.flatten(0, 1)[: windows * W])


@pytest.mark.parametrize(("blocks", "tokens"), [(1, 1), (1, W - 1), (3, W // 4), (2, W // 2 - 1)])
def test_less_text_than_one_window_is_told_again_until_a_window_is_full(blocks: int, tokens: int) -> None:
    memory_NTH = draw(blocks, tokens, 8).half()
    cut_NWH = cut_windows(memory_NTH)
    assert cut_NWH.shape == (1, W, 8)
    text_TH = memory_NTH.flatten(0, 1)
    for place in range(W):
        assert torch.equal(cut_NWH[0, place], text_TH[place % len(text_TH)])


def test_cutting_windows_again_changes_nothing() -> None:
    windows_NWH = cut_windows(draw(3, 2 * W + 7, 8).half())
    assert torch.equal(cut_windows(windows_NWH), windows_NWH)


def memory_of(windows: int, mark: float) -> Tensor:
    """Windows whose every number tells which memory and which window they are."""
    marks_N11 = mark + torch.arange(windows).float()[:, None, None]
    return marks_N11.expand(windows, W, 4).half()


def drawn(memories: dict[int, Tensor], tokens: int = 16 * W, seed: int = 0) -> tuple[Tensor, Tensor]:
    return draw_windows(memories, tokens, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("memories", "share"), [(1, 16), (2, 8), (3, 5), (16, 1), (30, 1)])
def test_every_slot_gets_an_equal_share_of_the_tokens_and_each_window_its_slot(memories: int, share: int) -> None:
    slots = [7 * index for index in range(memories)]
    windows_NWH, slots_N = drawn({slot: memory_of(5, 10.0 * slot) for slot in slots})
    assert windows_NWH.shape == (memories * share, W, 4)
    assert slots_N.tolist() == [slot for slot in slots for _ in range(share)]
    assert (windows_NWH == windows_NWH[:, :1, :1]).all(), "a window comes whole"
    assert torch.equal(windows_NWH[:, 0, 0].float() // 10, slots_N.float())


def test_shares_do_not_depend_on_how_much_a_slot_has_left() -> None:
    _, slots_N = drawn({0: memory_of(1, 0.0), 1: memory_of(100, 10.0), 2: memory_of(7, 200.0)}, 18 * W)
    assert slots_N.bincount().tolist() == [6, 6, 6]


def test_all_windows_of_a_memory_come_up() -> None:
    windows_NWH, _ = drawn({3: memory_of(5, 0.0)}, 64 * W)
    assert set(windows_NWH[:, 0, 0].tolist()) == {0.0, 1.0, 2.0, 3.0, 4.0}


def test_the_same_generator_draws_the_same_windows() -> None:
    kept = {0: memory_of(50, 0.0), 1: memory_of(3, 100.0)}
    (one, _), (same, _), (other, _) = (drawn(kept, seed=seed) for seed in (7, 7, 8))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_drawing_leaves_the_global_generator_alone() -> None:
    state = torch.get_rng_state()
    drawn({0: memory_of(5, 0.0)})
    assert torch.equal(torch.get_rng_state(), state)
