"""The Time Mixer by itself: smoothing, its state, masks, growing and shrinking by a slot."""

from __future__ import annotations

import math

import pytest
import torch
from mixtures import assert_near, stir
from torch import Tensor

from tlora_gui.temporal.active_sleep import freeze_teacher
from tlora_gui.temporal.config import MixerSettings
from tlora_gui.temporal.time_mixer import NEW_SLOT_BIAS, TimeMixer

H = 24


def make_mixer(slots: int = 3, smoothing: float = 0.8, width: int = 16) -> TimeMixer:
    torch.manual_seed(0)
    mixer = TimeMixer(H, MixerSettings(width=width, smoothing=smoothing), slots)
    stir(mixer)
    return mixer


def hidden(batch: int = 2, tokens: int = 20, seed: int = 0) -> Tensor:
    return 5 * torch.randn(batch, tokens, H, generator=torch.Generator().manual_seed(seed))


def naive_smoothing(logits_TS: Tensor, decay: float) -> Tensor:
    """The formula of the docstring, one token after the other."""
    total, count, rows = torch.zeros(logits_TS.shape[-1]), 0.0, []
    for logits_S in logits_TS:
        total, count = decay * total + (1 - decay) * logits_S, decay * count + (1 - decay)
        rows.append(total / count)
    return torch.stack(rows)


@pytest.mark.parametrize("smoothing", [0.0, 0.3, 0.8, 0.97])
@pytest.mark.parametrize("tokens", [1, 7, 256, 257, 600])
def test_logits_are_the_bias_corrected_running_mean(smoothing: float, tokens: int) -> None:
    mixer = make_mixer(smoothing=smoothing)
    hidden_BTH = hidden(2, tokens)
    logits_BTS, _ = mixer(hidden_BTH)
    for row, own_TS in zip(logits_BTS, mixer.token_logits(hidden_BTH), strict=True):
        assert_near(row, naive_smoothing(own_TS, smoothing))


def test_smoothing_0_looks_at_each_token_alone() -> None:
    mixer = make_mixer(smoothing=0.0)
    hidden_BTH = hidden()
    assert_near(mixer(hidden_BTH)[0], mixer.token_logits(hidden_BTH))


def test_later_tokens_do_not_change_earlier_logits() -> None:
    mixer = make_mixer()
    hidden_BTH = hidden(1, 300)
    changed_BTH = hidden_BTH.clone()
    changed_BTH[:, 270:] = hidden(1, 30, seed=1)
    before, after = mixer(hidden_BTH)[0], mixer(changed_BTH)[0]
    assert torch.equal(before[:, :270], after[:, :270])
    assert (before[:, 270] - after[:, 270]).abs().max() > 0.01


@pytest.mark.parametrize("pieces", [[1] * 20, [7, 1, 12], [19, 1], [300, 1, 255, 44], [600]], ids=str)
def test_the_state_carries_on_where_the_last_piece_ended(pieces: list[int]) -> None:
    mixer = make_mixer()
    hidden_BTH = hidden(2, sum(pieces))
    state, parts = None, []
    for piece_BTH in hidden_BTH.split(pieces, dim=1):
        logits_BTS, state = mixer(piece_BTH, state)
        parts.append(logits_BTS)
    whole_BTS, whole_state = mixer(hidden_BTH)
    assert_near(torch.cat(parts, dim=1), whole_BTS)
    assert state is not None
    assert_near(state.sum_BS, whole_state.sum_BS)
    assert_near(state.count_B1, whole_state.count_B1)


@pytest.mark.parametrize(
    "holes", [[0, 1, 2], [17, 18, 19], [3, 9, 10, 11], [*range(260)]], ids=["l", "r", "mid", "far"]
)
def test_masked_tokens_leave_no_trace(holes: list[int]) -> None:
    mixer = make_mixer()
    tokens = max(holes[-1] + 5, 20)
    hidden_BTH = hidden(1, tokens)
    mask_BT = torch.ones(1, tokens, dtype=torch.long)
    mask_BT[:, holes] = 0
    seen = mask_BT[0].bool()
    masked_BTS, masked_state = mixer(hidden_BTH, None, mask_BT)
    expected_BTS, expected_state = mixer(hidden_BTH[:, seen])
    assert_near(masked_BTS[:, seen], expected_BTS)
    following_BTH = hidden(1, 4, seed=1)
    assert_near(mixer(following_BTH, masked_state)[0], mixer(following_BTH, expected_state)[0])
    assert masked_BTS.isfinite().all()


def test_rows_of_a_batch_with_their_own_masks_do_not_touch_each_other() -> None:
    mixer = make_mixer()
    hidden_BTH = hidden(3, 12)
    mask_BT = torch.ones(3, 12, dtype=torch.long)
    mask_BT[0, :5] = 0
    mask_BT[2, 8:] = 0
    together, state = mixer(hidden_BTH, None, mask_BT)
    for row in range(3):
        alone, own_state = mixer(hidden_BTH[row : row + 1], None, mask_BT[row : row + 1])
        assert_near(together[row], alone[0])
        assert_near(state.sum_BS[row], own_state.sum_BS[0])


def test_a_fully_masked_text_gives_a_finite_mix() -> None:
    weights_BTS = make_mixer()(hidden(), None, torch.zeros(2, 20))[0].softmax(-1)
    assert_near(weights_BTS.sum(-1), torch.ones(2, 20))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_inputs_are_read_in_float32(dtype: torch.dtype) -> None:
    mixer = make_mixer()
    logits_BTS, state = mixer(hidden().to(dtype))
    assert logits_BTS.dtype == state.sum_BS.dtype == torch.float32
    assert_near(logits_BTS, mixer(hidden().to(dtype).float())[0])


def test_autocast_does_not_reach_the_mixer() -> None:
    mixer = make_mixer()
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(mixer(hidden())[0], mixer(hidden())[0].float())
        rough = mixer(hidden())[0]
    assert torch.equal(rough, mixer(hidden())[0])


def test_the_scale_of_a_hidden_state_does_not_matter() -> None:
    mixer = make_mixer()
    assert_near(mixer(hidden() * 40 + 3)[0], mixer(hidden())[0])


# -- growing and shrinking --------------------------------------------------------------------------------------


def test_a_fresh_mixer_has_no_preference() -> None:
    mixer = TimeMixer(H, MixerSettings(), 3)
    assert_near(mixer(hidden())[0].softmax(-1), torch.full((2, 20, 3), 1 / 3))


def test_width_0_makes_the_router_linear() -> None:
    mixer = TimeMixer(H, MixerSettings(width=0), 2)
    assert [tuple(p.shape) for p in mixer.parameters()] == [(2, H), (2,)]


@pytest.mark.parametrize("width", [0, 16])
def test_growing_leaves_old_logits_equal_and_old_weights_within_the_birth_share(width: int) -> None:
    mixer = make_mixer(width=width)
    before_BTS, _ = mixer(hidden())
    mixer.add_slot()
    after_BTS, _ = mixer(hidden())
    assert mixer.slots == 4
    assert_near(after_BTS[..., :3], before_BTS)
    assert_near(after_BTS[..., 3], before_BTS.mean(-1) + NEW_SLOT_BIAS)
    moved = (after_BTS.softmax(-1)[..., :3] - before_BTS.softmax(-1)).abs().max()
    assert 0 < moved <= math.exp(-6)


def test_a_confident_old_slot_keeps_its_weight_when_a_slot_is_born() -> None:
    mixer = TimeMixer(H, MixerSettings(), 1)
    mixer.add_slot()
    weights_S = mixer(hidden())[0].softmax(-1)[0, 0]
    assert 1 - weights_S[0] <= math.exp(-6)


def test_all_parameters_learn_after_growing_and_shrinking() -> None:
    mixer = make_mixer()
    mixer.add_slot()
    mixer.remove_slot(1)
    assert all(parameter.requires_grad for parameter in mixer.parameters())
    mixer(hidden())[0].square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in mixer.parameters())


@pytest.mark.parametrize("index", [1, 2])
def test_removing_a_slot_renormalises_the_others(index: int) -> None:
    mixer = make_mixer()
    before_BTS = mixer(hidden())[0].softmax(-1)
    mixer.remove_slot(index)
    rest_BTS = before_BTS[..., [slot for slot in range(3) if slot != index]]
    assert_near(mixer(hidden())[0].softmax(-1), rest_BTS / rest_BTS.sum(-1, keepdim=True))


@pytest.mark.parametrize("index", [0, 3, -1])
def test_neither_the_backbone_nor_a_slot_that_is_not_there_can_be_removed(index: int) -> None:
    mixer = make_mixer()
    with pytest.raises(ValueError, match="no removable slot"):
        mixer.remove_slot(index)
    assert mixer.slots == 3


def test_a_grown_mixer_loads_what_a_grown_mixer_saved() -> None:
    mixer = make_mixer()
    mixer.add_slot()
    other = TimeMixer(H, mixer.settings, 4)
    other.load_state_dict(mixer.state_dict())
    assert torch.equal(other(hidden())[0], mixer(hidden())[0])


def test_a_teacher_is_a_frozen_copy_that_later_learning_does_not_reach() -> None:
    mixer = make_mixer()
    teacher = freeze_teacher(mixer)
    before_BTS = teacher(hidden())[0]
    stir(mixer, seed=3)
    mixer.add_slot()
    assert teacher.slots == 3
    assert torch.equal(teacher(hidden())[0], before_BTS)
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
    assert all(parameter.requires_grad for parameter in mixer.parameters())
