"""The Time Mixer by itself, by every strategy, switching by its mean: logits in context, state, masks, growing and
shrinking."""

from __future__ import annotations

import math

import pytest
import torch
from mixtures import assert_near, stir
from torch import Tensor
from torch.nn.functional import layer_norm
from torch.testing import assert_close

from tlora_gui.temporal.active_sleep import freeze_teacher
from tlora_gui.temporal.config import STRATEGIES, MixerSettings, Strategy
from tlora_gui.temporal.time_mixer import ATTENTION_SIZE, MIN_RELATIVE_WEIGHT, NEW_SLOT_BIAS, MixerState, TimeMixer

H = 24
MEANS: list[Strategy] = ["gating", "routing"]
"""Strategies whose logits are a running mean."""

every_strategy = pytest.mark.parametrize("strategy", STRATEGIES)


def make_mixer(
    slots: int = 3, smoothing: float = 0.8, width: int = 16, strategy: Strategy = "gating", seed: int = 0
) -> TimeMixer:
    torch.manual_seed(seed)
    mixer = TimeMixer(H, MixerSettings(strategy, width, smoothing, "mean"), slots)
    stir(mixer, seed)
    return mixer


def assert_same_state(one: MixerState, other: MixerState) -> None:
    assert type(one) is type(other)
    for mine, theirs in zip(one, other, strict=True):
        assert_near(mine, theirs)


def hidden(batch: int = 2, tokens: int = 20, seed: int = 0) -> Tensor:
    return 5 * torch.randn(batch, tokens, H, generator=torch.Generator().manual_seed(seed))


def token_logits(mixer: TimeMixer, hidden_BTH: Tensor) -> Tensor:
    """Logits of each token by itself (B, T, S)."""
    return mixer.head(mixer.body(layer_norm(hidden_BTH, (H,))))


def naive_smoothing(logits_TS: Tensor, decay: float) -> Tensor:
    """The formula of the docstring, one token after the other."""
    total, count, rows = torch.zeros(logits_TS.shape[-1]), 0.0, []
    for logits_S in logits_TS:
        total, count = decay * total + (1 - decay) * logits_S, decay * count + (1 - decay)
        rows.append(total / count)
    return torch.stack(rows)


def naive_attention(mixer: TimeMixer, hidden_TH: Tensor) -> Tensor:
    """The formula of the docstring, one token after the other; smoothing 0 has no logarithm."""
    features_TW = mixer.body(layer_norm(hidden_TH, (H,)))
    query_TD, key_TD, logits_TS = mixer.query(features_TW), mixer.key(features_TW), mixer.head(features_TW)
    rows = []
    for t in range(len(hidden_TH)):
        score_U = torch.stack(
            [
                query_TD[t] @ key_TD[u] / math.sqrt(ATTENTION_SIZE) + (t - u) * math.log(mixer.settings.smoothing)
                for u in range(t + 1)
            ]
        )
        rows.append(score_U.softmax(0) @ logits_TS[: t + 1])
    return torch.stack(rows)


@pytest.mark.parametrize("strategy", MEANS)
@pytest.mark.parametrize("smoothing", [0.0, 0.3, 0.8, 0.97])
@pytest.mark.parametrize("tokens", [1, 7, 256, 257, 600])
def test_logits_are_the_bias_corrected_running_mean(strategy: Strategy, smoothing: float, tokens: int) -> None:
    mixer = make_mixer(smoothing=smoothing, strategy=strategy)
    hidden_BTH = hidden(2, tokens)
    logits_BTS, _ = mixer(hidden_BTH)
    for row, own_TS in zip(logits_BTS, token_logits(mixer, hidden_BTH), strict=True):
        assert_near(row, naive_smoothing(own_TS, smoothing))


@torch.no_grad()
@pytest.mark.parametrize("smoothing", [0.3, 0.8, 0.97])
@pytest.mark.parametrize("tokens", [1, 7, 80])
def test_attention_weighs_past_logits_by_their_keys_and_their_distance(smoothing: float, tokens: int) -> None:
    mixer = make_mixer(smoothing=smoothing, strategy="attention")
    hidden_BTH = hidden(2, tokens)
    for row_TS, hidden_TH in zip(mixer(hidden_BTH)[0], hidden_BTH, strict=True):
        assert_near(row_TS, naive_attention(mixer, hidden_TH))


@torch.no_grad()
@pytest.mark.parametrize("smoothing", [0.0, 0.3, 0.8, 0.97])
@pytest.mark.parametrize("tokens", [20, 600])
def test_attention_without_a_query_is_gating(smoothing: float, tokens: int) -> None:
    gating = make_mixer(smoothing=smoothing)
    attention = make_mixer(smoothing=smoothing, strategy="attention")
    attention.load_state_dict(gating.state_dict(), strict=False)
    hidden_BTH = hidden(2, tokens)
    if smoothing:
        assert (attention(hidden_BTH)[0] - gating(hidden_BTH)[0]).abs().max() > 0.1, "a query must be heard"
    attention.query.weight.zero_()
    assert_near(attention(hidden_BTH)[0], gating(hidden_BTH)[0])
    assert_near(attention.weights(attention(hidden_BTH)[0]), gating.weights(gating(hidden_BTH)[0]))


def test_attention_begins_as_gating() -> None:
    assert not TimeMixer(H, MixerSettings("attention")).query.weight.any()


@every_strategy
def test_smoothing_0_looks_at_each_token_alone(strategy: Strategy) -> None:
    mixer = make_mixer(smoothing=0.0, strategy=strategy)
    hidden_BTH = hidden()
    assert_near(mixer(hidden_BTH)[0], token_logits(mixer, hidden_BTH))


@every_strategy
def test_later_tokens_do_not_change_earlier_logits(strategy: Strategy) -> None:
    mixer = make_mixer(strategy=strategy)
    hidden_BTH = hidden(1, 300)
    changed_BTH = hidden_BTH.clone()
    changed_BTH[:, 270:] = hidden(1, 30, seed=1)
    before, after = mixer(hidden_BTH)[0], mixer(changed_BTH)[0]
    assert torch.equal(before[:, :270], after[:, :270])
    assert (before[:, 270] - after[:, 270]).abs().max() > 0.01


@every_strategy
@pytest.mark.parametrize("pieces", [[1] * 20, [7, 1, 12], [19, 1], [300, 1, 255, 44], [600]], ids=str)
def test_the_state_carries_on_where_the_last_piece_ended(strategy: Strategy, pieces: list[int]) -> None:
    mixer = make_mixer(strategy=strategy)
    hidden_BTH = hidden(2, sum(pieces))
    state, parts = None, []
    for piece_BTH in hidden_BTH.split(pieces, dim=1):
        logits_BTS, state = mixer(piece_BTH, state)
        parts.append(logits_BTS)
    whole_BTS, whole_state = mixer(hidden_BTH)
    assert_near(torch.cat(parts, dim=1), whole_BTS)
    assert state is not None
    assert_same_state(state, whole_state)


@every_strategy
def test_a_forgotten_state_would_show(strategy: Strategy) -> None:
    mixer = make_mixer(strategy=strategy)
    hidden_BTH = hidden()
    assert (mixer(hidden_BTH[:, 10:])[0] - mixer(hidden_BTH)[0][:, 10:]).abs().max() > 0.1


@every_strategy
@pytest.mark.parametrize(
    "holes", [[0, 1, 2], [17, 18, 19], [3, 9, 10, 11], [*range(260)]], ids=["l", "r", "mid", "far"]
)
def test_masked_tokens_leave_no_trace(strategy: Strategy, holes: list[int]) -> None:
    mixer = make_mixer(strategy=strategy)
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


@every_strategy
@pytest.mark.parametrize("pieces", [[1] * 12, [5, 1, 6]], ids=str)
def test_left_padded_rows_decoded_in_pieces_equal_the_unpadded(strategy: Strategy, pieces: list[int]) -> None:
    mixer = make_mixer(strategy=strategy)
    hidden_BTH = hidden(3, 12)
    mask_BT = torch.ones(3, 12, dtype=torch.long)
    mask_BT[0, :6], mask_BT[2, :11] = 0, 0
    state, parts = None, []
    for piece_BTH, piece_BT in zip(hidden_BTH.split(pieces, 1), mask_BT.split(pieces, 1), strict=True):
        logits_BTS, state = mixer(piece_BTH, state, piece_BT)
        parts.append(logits_BTS)
    together_BTS = torch.cat(parts, 1)
    assert together_BTS.isfinite().all()
    for row in range(3):
        real = mask_BT[row].bool()
        assert_near(together_BTS[row, real], mixer(hidden_BTH[row : row + 1, real])[0][0])


@every_strategy
def test_rows_of_a_batch_with_their_own_masks_do_not_touch_each_other(strategy: Strategy) -> None:
    mixer = make_mixer(strategy=strategy)
    hidden_BTH = hidden(3, 12)
    mask_BT = torch.ones(3, 12, dtype=torch.long)
    mask_BT[0, :5] = 0
    mask_BT[2, 8:] = 0
    together, state = mixer(hidden_BTH, None, mask_BT)
    for row in range(3):
        alone, own_state = mixer(hidden_BTH[row : row + 1], None, mask_BT[row : row + 1])
        assert_near(together[row], alone[0])
        for mine, own in zip(state, own_state, strict=True):
            assert_near(mine[row], own[0])


@every_strategy
def test_a_fully_masked_text_gives_a_finite_mix(strategy: Strategy) -> None:
    mixer = make_mixer(strategy=strategy)
    weights_BTS = mixer.weights(mixer(hidden(), None, torch.zeros(2, 20))[0])
    assert_near(weights_BTS.sum(-1), torch.ones(2, 20))


@every_strategy
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_inputs_are_read_in_float32(strategy: Strategy, dtype: torch.dtype) -> None:
    mixer = make_mixer(strategy=strategy)
    logits_BTS, state = mixer(hidden().to(dtype))
    assert {logits_BTS.dtype, *(kept.dtype for kept in state)} == {torch.float32}
    assert_near(logits_BTS, mixer(hidden().to(dtype).float())[0])


@every_strategy
def test_autocast_does_not_reach_the_mixer(strategy: Strategy) -> None:
    mixer = make_mixer(strategy=strategy)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(mixer(hidden())[0], mixer(hidden())[0].float())
        rough = mixer(hidden())[0]
    assert torch.equal(rough, mixer(hidden())[0])


def test_the_scale_of_a_hidden_state_does_not_matter() -> None:
    mixer = make_mixer()
    assert_near(mixer(hidden() * 40 + 3)[0], mixer(hidden())[0])


# -- weights ----------------------------------------------------------------------------------------------------


def slot_values() -> Tensor:
    """What each slot would be worth to a loss (B, T, S)."""
    return torch.randn(2, 20, 3, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("strategy", ["gating", "attention"])
def test_soft_weights_are_the_softmax_of_the_logits_without_its_whispers(strategy: Strategy) -> None:
    mixer = make_mixer(strategy=strategy)
    logits_BTS = 4 * mixer(hidden())[0]
    soft_BTS = logits_BTS.softmax(-1)
    assert torch.equal(mixer.weights(logits_BTS), soft_BTS), "whole while it learns"
    with torch.no_grad():
        weights_BTS = mixer.weights(logits_BTS)
    silent_BTS = soft_BTS < MIN_RELATIVE_WEIGHT * soft_BTS.amax(-1, keepdim=True)
    assert 0 < silent_BTS.float().mean() < 0.6
    assert torch.equal(weights_BTS == 0, silent_BTS)
    assert_near(weights_BTS.sum(-1), torch.ones(2, 20))
    assert (weights_BTS - soft_BTS).abs().max() < 2 * MIN_RELATIVE_WEIGHT


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_routing_gives_each_token_whole_to_its_largest_logit(scale: float) -> None:
    mixer = make_mixer(strategy="routing")
    logits_BTS = scale * mixer(hidden())[0]
    weights_BTS = mixer.weights(logits_BTS)
    assert weights_BTS.unique().tolist() == [0.0, 1.0], "exactly, so that an adapter keeps its unit scale"
    assert (weights_BTS.sum(-1) == 1).all()
    assert torch.equal(weights_BTS.argmax(-1), logits_BTS.argmax(-1))
    assert len(weights_BTS.argmax(-1).unique()) == 3, "every slot speaks somewhere"


def test_routing_learns_by_the_gradient_of_the_softmax() -> None:
    mixer = make_mixer(strategy="routing")
    gradients = []
    for weights in (mixer.weights, lambda logits_BTS: logits_BTS.softmax(-1)):
        mixer.zero_grad()
        (weights(mixer(hidden())[0]) * slot_values()).sum().backward()
        gradients.append([p.grad.clone() for p in mixer.parameters() if p.grad is not None])
    assert len(gradients[0]) == len([*mixer.parameters()])
    for straight_through, soft in zip(*gradients, strict=True):
        assert soft.any()
        assert torch.equal(straight_through, soft)


# -- growing and shrinking --------------------------------------------------------------------------------------


@every_strategy
def test_a_fresh_mixer_has_no_preference(strategy: Strategy) -> None:
    mixer = TimeMixer(H, MixerSettings(strategy), 3)
    assert_near(mixer(hidden())[0].softmax(-1), torch.full((2, 20, 3), 1 / 3))


def test_width_0_makes_the_router_linear() -> None:
    mixer = TimeMixer(H, MixerSettings(width=0), 2)
    assert [tuple(p.shape) for p in mixer.parameters()] == [(2, H), (2,)]


@every_strategy
def test_growing_moves_no_parameter_of_the_old_slots(strategy: Strategy) -> None:
    mixer = make_mixer(strategy=strategy)
    before = {name: value.clone() for name, value in mixer.state_dict().items()}
    mixer.add_slot()
    for name, value in mixer.state_dict().items():
        assert torch.equal(value[:3] if name.startswith("head.") else value, before[name])


@every_strategy
@pytest.mark.parametrize("width", [0, 16])
def test_growing_leaves_old_logits_equal_and_old_weights_within_the_birth_share(strategy: Strategy, width: int) -> None:
    mixer = make_mixer(width=width, strategy=strategy)
    before_BTS, _ = mixer(hidden())
    mixer.add_slot()
    after_BTS, _ = mixer(hidden())
    assert mixer.slots == 4
    assert_close(after_BTS[..., :3], before_BTS, rtol=0, atol=2e-6)  # the rounding of a product of another shape
    assert_near(after_BTS[..., 3], before_BTS.mean(-1) + NEW_SLOT_BIAS)
    moved = (after_BTS.softmax(-1)[..., :3] - before_BTS.softmax(-1)).abs().max()
    assert 0 < moved <= math.exp(-6)


def test_a_newborn_slot_is_given_no_token_by_routing() -> None:
    mixer = make_mixer(strategy="routing")
    before_BTS = mixer.weights(mixer(hidden())[0])
    mixer.add_slot()
    after_BTS = mixer.weights(mixer(hidden())[0])
    assert torch.equal(after_BTS[..., :3], before_BTS) and not after_BTS[..., 3].any()


def test_a_confident_old_slot_keeps_its_weight_when_a_slot_is_born() -> None:
    mixer = TimeMixer(H, MixerSettings(), 1)
    mixer.add_slot()
    weights_S = mixer(hidden())[0].softmax(-1)[0, 0]
    assert 1 - weights_S[0] <= math.exp(-6)


@every_strategy
def test_all_parameters_learn_after_growing_and_shrinking(strategy: Strategy) -> None:
    mixer = make_mixer(strategy=strategy)
    mixer.add_slot()
    mixer.remove_slot(1)
    assert all(parameter.requires_grad for parameter in mixer.parameters())
    mixer(hidden())[0].square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in mixer.parameters())


@every_strategy
@pytest.mark.parametrize("index", [1, 2])
def test_removing_a_slot_renormalises_the_others(strategy: Strategy, index: int) -> None:
    mixer = make_mixer(strategy=strategy)
    before_BTS = mixer(hidden())[0].softmax(-1)
    mixer.remove_slot(index)
    rest_BTS = before_BTS[..., [slot for slot in range(3) if slot != index]]
    assert_near(mixer(hidden())[0].softmax(-1), rest_BTS / rest_BTS.sum(-1, keepdim=True))


@pytest.mark.parametrize("index", [1, 2])
def test_tokens_of_a_removed_slot_are_routed_to_the_next_best(index: int) -> None:
    mixer = make_mixer(strategy="routing")
    logits_BTS = mixer(hidden())[0]
    rest = [slot for slot in range(3) if slot != index]
    assert (logits_BTS.argmax(-1) == index).any()
    mixer.remove_slot(index)
    assert torch.equal(mixer.weights(mixer(hidden())[0]).argmax(-1), logits_BTS[..., rest].argmax(-1))


@pytest.mark.parametrize("index", [0, 3, -1])
def test_neither_the_backbone_nor_a_slot_that_is_not_there_can_be_removed(index: int) -> None:
    mixer = make_mixer()
    with pytest.raises(ValueError, match="no removable slot"):
        mixer.remove_slot(index)
    assert mixer.slots == 3


@every_strategy
def test_a_grown_mixer_loads_what_a_grown_mixer_saved(strategy: Strategy) -> None:
    mixer = make_mixer(strategy=strategy)
    mixer.add_slot()
    other = TimeMixer(H, mixer.settings, 4)
    other.load_state_dict(mixer.state_dict())
    assert torch.equal(other(hidden())[0], mixer(hidden())[0])


@every_strategy
def test_a_teacher_is_a_frozen_copy_that_later_learning_does_not_reach(strategy: Strategy) -> None:
    mixer = make_mixer(strategy=strategy)
    teacher = freeze_teacher(mixer)
    before_BTS = teacher(hidden())[0]
    stir(mixer, seed=3)
    mixer.add_slot()
    assert teacher.slots == 3
    assert torch.equal(teacher(hidden())[0], before_BTS)
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
    assert all(parameter.requires_grad for parameter in mixer.parameters())
