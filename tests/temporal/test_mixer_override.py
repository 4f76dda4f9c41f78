"""A person at the mixer's desk: levels, lock, temperature and hardness, from one token to the next; a blend per row."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from mixtures import assert_near, mixture, stir, token_ids
from torch import Tensor
from torch.testing import assert_close

from tlora_gui.temporal.blend import MixerOverride
from tlora_gui.temporal.config import STRATEGIES, MixerSettings, Strategy
from tlora_gui.temporal.model import MixtureOutput, TemporalLoRA
from tlora_gui.temporal.time_mixer import TimeMixer

SLOTS = 4
T = 12
every_strategy = pytest.mark.parametrize("strategy", STRATEGIES)


def levels(*each: float) -> Tensor:
    return torch.tensor(each)


NEUTRAL = MixerOverride(torch.ones(SLOTS))


def speaking(backbone: Any, strategy: Strategy = "gating") -> TemporalLoRA:
    return mixture(backbone, mixer=MixerSettings(strategy))


@torch.no_grad()
def run(model: TemporalLoRA, ids_BT: Tensor, blend: Any, **given: Any) -> MixtureOutput:
    return model(ids_BT, blend, **given)


def other_mixer(model: TemporalLoRA) -> TimeMixer:
    mixer = TimeMixer(model.mixer.hidden_size, model.mixer.settings, SLOTS)
    stir(mixer, seed=7)
    return mixer


# -- what a steering makes of the weights ------------------------------------------------------------------------


@every_strategy
def test_a_steering_that_changes_nothing_is_the_mixer_bit_for_bit(tiny_backbone: Any, strategy: Strategy) -> None:
    model, ids_BT = speaking(tiny_backbone, strategy), token_ids(2, T)
    plain, steered = run(model, ids_BT, "mixer"), run(model, ids_BT, NEUTRAL)
    assert torch.equal(steered.weights_BTS, plain.weights_BTS)
    assert torch.equal(steered.logits_BTV, plain.logits_BTV)


def test_levels_multiply_the_weights_which_sum_to_one_again(tiny_backbone: Any) -> None:
    model, ids_BT = speaking(tiny_backbone), token_ids(2, T)
    gains_S = levels(1, 0.5, 2, 1)
    logits_BTS, _ = model.mixer(run(model, ids_BT, "mixer").hidden_BTH)
    wanted_BTS = logits_BTS.softmax(-1) * gains_S
    wanted_BTS = wanted_BTS * (wanted_BTS >= 0.01 * wanted_BTS.amax(-1, keepdim=True))
    weights_BTS = run(model, ids_BT, MixerOverride(gains_S)).weights_BTS
    assert_close(weights_BTS, wanted_BTS / wanted_BTS.sum(-1, keepdim=True))


@every_strategy
def test_a_muted_slot_is_silent_and_the_others_take_its_share(tiny_backbone: Any, strategy: Strategy) -> None:
    model, ids_BT = speaking(tiny_backbone, strategy), token_ids(2, T)
    plain_BTS = run(model, ids_BT, "mixer").weights_BTS
    loudest = int(plain_BTS.sum((0, 1)).argmax())
    muted_S = torch.ones(SLOTS)
    muted_S[loudest] = 0
    weights_BTS = run(model, ids_BT, MixerOverride(muted_S)).weights_BTS
    assert plain_BTS[..., loudest].max() > 0.5 and weights_BTS[..., loudest].max() == 0
    assert_close(weights_BTS.sum(-1), torch.ones(2, T))


def test_a_slot_the_mixer_never_hears_speaks_alone_once_the_others_are_muted(tiny_backbone: Any) -> None:
    model, ids_BT = speaking(tiny_backbone), token_ids()
    with torch.no_grad():
        model.mixer.head.bias[3] = -1000
    assert run(model, ids_BT, "mixer").weights_BTS[..., 3].max() == 0
    weights_BTS = run(model, ids_BT, MixerOverride(levels(0, 0, 0, 0.3))).weights_BTS
    assert torch.equal(weights_BTS, levels(0, 0, 0, 1).expand_as(weights_BTS))


@pytest.mark.parametrize("manual", [False, True])
@every_strategy
def test_where_nothing_is_left_the_backbone_speaks(tiny_backbone: Any, strategy: Strategy, manual: bool) -> None:
    model, ids_BT = speaking(tiny_backbone, strategy), token_ids(2, T)
    silent, backbone = run(model, ids_BT, MixerOverride(torch.zeros(SLOTS), manual)), run(model, ids_BT, 0)
    assert torch.equal(silent.weights_BTS, backbone.weights_BTS)
    assert_near(silent.logits_BTV, backbone.logits_BTV)


def test_a_manual_blend_is_the_levels_in_shares(tiny_backbone: Any) -> None:
    model, ids_BT = speaking(tiny_backbone), token_ids(2, T)
    manual = run(model, ids_BT, MixerOverride(levels(0, 0.5, 1.5, 0), manual=True))
    fixed = run(model, ids_BT, levels(0, 0.25, 0.75, 0))
    assert_close(manual.weights_BTS, fixed.weights_BTS)
    assert_near(manual.logits_BTV, fixed.logits_BTV)


@pytest.mark.parametrize("slot", range(SLOTS))
def test_a_manual_blend_of_one_slot_is_that_slot_alone(tiny_backbone: Any, slot: int) -> None:
    model, ids_BT = speaking(tiny_backbone), token_ids(2, T)
    level_S = torch.zeros(SLOTS)
    level_S[slot] = 0.4
    manual, alone = run(model, ids_BT, MixerOverride(level_S, manual=True)), run(model, ids_BT, slot)
    assert torch.equal(manual.weights_BTS, alone.weights_BTS)
    assert_near(manual.logits_BTV, alone.logits_BTV)


def test_temperature_sharpens_below_one_and_softens_above(tiny_backbone: Any) -> None:
    model, ids_BT = speaking(tiny_backbone), token_ids(2, T)
    largest = [
        run(model, ids_BT, MixerOverride(torch.ones(SLOTS), temperature=each)).weights_BTS.amax(-1).mean()
        for each in (0.05, 0.5, 1, 2, 20)
    ]
    assert sorted(largest, reverse=True) == largest
    assert largest[0] > 0.95 and largest[-1] < 0.4


@pytest.mark.parametrize("manual", [False, True])
def test_hard_gives_all_weight_to_the_largest(tiny_backbone: Any, manual: bool) -> None:
    model, ids_BT = speaking(tiny_backbone), token_ids(2, T)
    gains_S = levels(0.5, 1, 2, 1)
    soft_BTS = run(model, ids_BT, MixerOverride(gains_S, manual)).weights_BTS
    hard_BTS = run(model, ids_BT, MixerOverride(gains_S, manual, hard=True)).weights_BTS
    assert torch.equal(hard_BTS.argmax(-1), soft_BTS.argmax(-1))
    assert hard_BTS.unique().tolist() == [0, 1]


def test_another_mixer_can_be_steered(tiny_backbone: Any) -> None:
    model, ids_BT = speaking(tiny_backbone), token_ids(2, T)
    other = other_mixer(model)
    steered = run(model, ids_BT, MixerOverride(torch.ones(SLOTS), mixer=other))
    assert torch.equal(steered.weights_BTS, run(model, ids_BT, other).weights_BTS)
    assert not torch.equal(steered.weights_BTS, run(model, ids_BT, "mixer").weights_BTS)


# -- from one token to the next ----------------------------------------------------------------------------------


@every_strategy
def test_the_mixer_reads_on_while_a_person_decides(tiny_backbone: Any, strategy: Strategy) -> None:
    """Weights of later tokens are as if nothing had been touched."""
    model, ids_BT = speaking(tiny_backbone, strategy), token_ids(1, T)
    blends = [
        "mixer",
        MixerOverride(levels(0, 1, 0, 1), manual=True),
        MixerOverride(levels(1, 0, 1, 1), hard=True),
        "mixer",
    ]
    cache = state = None
    weights = []
    for piece_BT, blend in zip(ids_BT.split(T // 4, dim=1), blends, strict=True):
        output = run(model, piece_BT, blend, cache=cache, mixer_state=state, use_cache=True)
        cache, state = output.cache, output.mixer_state
        weights.append(output.weights_BTS)
    plain_BTS = run(model, ids_BT, "mixer").weights_BTS
    assert_near(weights[0], plain_BTS[:, :3])
    assert_near(weights[1], levels(0, 0.5, 0, 0.5).expand(1, 3, SLOTS))
    assert_near(weights[3], plain_BTS[:, 9:])


# -- a blend per row ---------------------------------------------------------------------------------------------


def rows_of(model: TemporalLoRA) -> tuple[Any, ...]:
    turned = MixerOverride(levels(1, 0.5, 0, 2), temperature=2)
    return (0, 2, "mixer", levels(0.1, 0.2, 0.3, 0.4), NEUTRAL, turned, other_mixer(model))


@every_strategy
def test_each_row_of_a_batch_can_have_its_own_blend(tiny_backbone: Any, strategy: Strategy) -> None:
    model = speaking(tiny_backbone, strategy)
    blends = rows_of(model)
    ids_BT = token_ids(len(blends), T)
    together = run(model, ids_BT, blends)
    for row, blend in enumerate(blends):
        alone = run(model, ids_BT[row : row + 1], blend)
        assert_near(together.weights_BTS[row], alone.weights_BTS[0])
        assert_near(together.logits_BTV[row], alone.logits_BTV[0])


@every_strategy
def test_a_blend_per_row_decodes_with_a_cache_and_with_padding(tiny_backbone: Any, strategy: Strategy) -> None:
    model = speaking(tiny_backbone, strategy)
    blends = rows_of(model)
    ids_BT = token_ids(len(blends), T)
    mask_BT = torch.ones_like(ids_BT)
    mask_BT[1, :4] = mask_BT[5, :2] = 0
    cache = state = None
    logits, done = [], 0
    for piece_BT in ids_BT.split([6, 1, 1, 4], dim=1):
        done += piece_BT.shape[1]
        output = run(
            model, piece_BT, blends, attention_mask=mask_BT[:, :done], cache=cache, mixer_state=state,
            use_cache=True,
        )  # fmt: skip
        cache, state = output.cache, output.mixer_state
        logits.append(output.logits_BTV)
    logits_BTV = torch.cat(logits, 1)
    for row, blend in enumerate(blends):
        real = mask_BT[row].bool()
        assert_near(logits_BTV[row, real], run(model, ids_BT[row : row + 1, real], blend).logits_BTV[0])


@pytest.mark.parametrize(
    ("blend", "says"),
    [
        ((0, 1, 2), "3 blends for 2 rows"),
        ((0, 4), "no slot 4"),
        (("mixer", MixerOverride(torch.ones(3))), r"\(3,\) slots, but the model has 4"),
        (MixerOverride(torch.ones(5)), r"\(5,\) slots"),
        (MixerOverride(torch.ones(4), mixer=TimeMixer(48, MixerSettings(), 2)), "the mixer has 2 slots"),
    ],
    ids=str,
)
def test_a_blend_that_does_not_fit_is_refused(tiny_backbone: Any, blend: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        run(speaking(tiny_backbone), token_ids(2, T), blend)
