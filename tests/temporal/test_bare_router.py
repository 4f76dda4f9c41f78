"""The Time Mixer over the bare backbone: what holds of every mixture holds with an epoch in all blocks too."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch
from mixtures import (
    add_deep_epoch,
    add_epoch,
    assert_near,
    assert_same_bits,
    joint_loss,
    mixture,
    plain_logits,
    snapshot,
    stir,
    token_ids,
    train_a_little,
)
from plain_peft import plain_peft
from torch import Tensor

from tlora_gui.temporal.config import STRATEGIES, LoraSettings, MixerSettings, Strategy
from tlora_gui.temporal.layers import decoder_blocks
from tlora_gui.temporal.model import MixtureOutput, TemporalLoRA

T = 14
FIXED = torch.tensor([0.1, 0.2, 0.3, 0.4])
PER_ROW = ("mixer", 2, FIXED, 0)

every_strategy = pytest.mark.parametrize("strategy", STRATEGIES)
every_blend = pytest.mark.parametrize("blend", ["mixer", 0, 1, 2, FIXED], ids=str)


def deep_mixture(backbone: Any, strategy: Strategy = "gating", live: str | None = None) -> TemporalLoRA:
    """ "verse" and "tale" in the blocks from 2 up, "code" in all, a mixer with opinions that reads before block 2."""
    lora = LoraSettings(r=4, lora_alpha=6.0, mixer_layer=2, bare_router=True)
    names = ("verse", "code") if live else ("verse", "code", "tale")
    return mixture(backbone, names, live=live, lora=lora, mixer=MixerSettings(strategy), deep=("code",))


@torch.no_grad()
def in_pieces(model: TemporalLoRA, ids_BT: Tensor, pieces: list[int], blend: Any, mask_BT: Any = None) -> MixtureOutput:
    """Logits and weights of a text that goes through the cache."""
    cache = state = None
    logits, weights, done = [], [], 0
    for piece_BT in ids_BT.split(pieces, dim=1):
        done += piece_BT.shape[1]
        mask = None if mask_BT is None else mask_BT[:, :done]
        output = model(piece_BT, blend, cache=cache, mixer_state=state, use_cache=True, attention_mask=mask)
        cache, state = output.cache, output.mixer_state
        logits.append(output.logits_BTV)
        weights.append(output.weights_BTS)
    return MixtureOutput(torch.cat(logits, 1), torch.cat(weights, 1), output.hidden_BTH, cache, state)


def runs_of_blocks(model: TemporalLoRA) -> Counter[int]:
    """How often each block runs from now on."""
    runs: Counter[int] = Counter()
    for index, block in enumerate(decoder_blocks(model.backbone)[1]):
        next(block.children()).register_forward_hook(lambda *_, index=index: runs.update([index]))
    return runs


@torch.no_grad()
def test_the_epoch_in_all_blocks_says_something_of_its_own_below_the_mixer(tiny_backbone: Any) -> None:
    model = deep_mixture(tiny_backbone)
    whole = model(token_ids(), 2).logits_BTV
    for name, parameter in model.adapter_parameters("code").items():
        if ".0." in name or ".1." in name:
            parameter.zero_()
    assert (model(token_ids(), 2).logits_BTV - whole).abs().max() > 0.01


@torch.no_grad()
@pytest.mark.parametrize("slot", [1, 2, 3])
def test_one_hot_weights_equal_peft(tiny_backbone: Any, slot: int) -> None:
    model = deep_mixture(tiny_backbone)
    with plain_peft(model, model.slot_adapters[slot - 1]) as peft_model:
        expected_BTV = peft_model(input_ids=token_ids()).logits
    assert_near(model(token_ids(), slot).logits_BTV, expected_BTV)
    assert_near(model(token_ids(), torch.eye(4)[slot]).logits_BTV, expected_BTV)


@torch.no_grad()
def test_slot_0_equals_the_bare_backbone_bit_for_bit(tiny_backbone: Any, bare: Any) -> None:
    model = deep_mixture(tiny_backbone)
    assert torch.equal(model(token_ids(), 0).logits_BTV, plain_logits(bare, token_ids()))
    model(token_ids())
    assert torch.equal(plain_logits(model.backbone, token_ids()), plain_logits(bare, token_ids()))


@torch.no_grad()
def test_fixed_weights_equal_one_adapter_of_the_weighted_sum(tiny_backbone: Any, bare: Any) -> None:
    """In every layer, also the lower ones, of which two of three epochs have no part."""
    model, ids_BT = deep_mixture(tiny_backbone), token_ids()
    for weight, adapter in zip(FIXED[1:].tolist(), model.adapters.values(), strict=True):
        weights = adapter.weights
        for layer, down, up in zip(model.layers_of(weights), weights.down, weights.up, strict=True):
            module, update = bare.get_submodule(layer), weight * weights.scaling * (up @ down)
            module.weight += update.T if type(module).__name__ == "Conv1D" else update
    assert_near(model(ids_BT, FIXED).logits_BTV, plain_logits(bare, ids_BT))


@pytest.mark.parametrize("pieces", [[1] * T, [5, 1, 1, 6, 1], [T - 1, 1], [T]], ids=str)
@every_blend
def test_cached_decoding_equals_uncached(tiny_backbone: Any, pieces: list[int], blend: Any) -> None:
    model, ids_BT = deep_mixture(tiny_backbone), token_ids(2, T)
    with torch.no_grad():
        whole = model(ids_BT, blend)
    parts = in_pieces(model, ids_BT, pieces, blend)
    assert_near(parts.weights_BTS, whole.weights_BTS)
    assert_near(parts.logits_BTV, whole.logits_BTV)


@torch.no_grad()
@every_strategy
def test_batches_padded_and_cached_equal_their_rows(tiny_backbone: Any, strategy: Strategy) -> None:
    model, ids_BT = deep_mixture(tiny_backbone, strategy), token_ids(4, T)
    mask_BT = torch.ones(4, T, dtype=torch.long)
    for row, padding in enumerate((0, 1, 4, 7)):
        mask_BT[row, :padding] = 0
    for blend in ("mixer", PER_ROW):
        together = model(ids_BT, blend, attention_mask=mask_BT)
        parts = in_pieces(model, ids_BT, [9, 1, 1, 2, 1], blend, mask_BT)
        for row in range(4):
            real = slice(T - int(mask_BT[row].sum()), None)
            alone = model(ids_BT[row : row + 1, real], blend[row] if isinstance(blend, tuple) else blend)
            for output in (together, parts):
                assert_near(output.weights_BTS[row, real], alone.weights_BTS[0])
                assert_near(output.logits_BTV[row, real], alone.logits_BTV[0])


@torch.no_grad()
@every_strategy
def test_a_past_token_keeps_its_weights_as_the_text_grows(tiny_backbone: Any, strategy: Strategy) -> None:
    model, ids_BT = deep_mixture(tiny_backbone, strategy), token_ids(1, T)
    whole = model(ids_BT)
    for length in (1, 4, T - 1):
        assert_near(model(ids_BT[:, :length]).weights_BTS, whole.weights_BTS[:, :length])


@torch.no_grad()
def test_what_the_mixer_reads_and_decides_does_not_move_under_an_epoch_in_all_blocks(tiny_backbone: Any) -> None:
    lora = LoraSettings(r=4, mixer_layer=2, bare_router=True)
    model, ids_BT = mixture(tiny_backbone, ("verse",), lora=lora), token_ids()
    before, kept = model(ids_BT), model.mixer
    add_deep_epoch(model, "code")
    after = model(ids_BT)
    assert torch.equal(after.hidden_BTH, before.hidden_BTH)
    assert torch.equal(kept(after.hidden_BTH)[0][..., :2], kept(before.hidden_BTH)[0][..., :2])
    assert torch.equal(model.features(ids_BT), before.hidden_BTH)


@torch.no_grad()
def test_the_lower_blocks_run_twice_while_an_epoch_lies_there_and_no_longer(tiny_backbone: Any) -> None:
    lora = LoraSettings(r=4, mixer_layer=2, bare_router=True)
    model = mixture(tiny_backbone, ("verse",), lora=lora)
    model.next_token_loss(token_ids(), 1)  # the first one looks at the output layer too
    runs = runs_of_blocks(model)
    before_BTV = model(token_ids()).logits_BTV
    assert runs == {0: 1, 1: 1, 2: 1, 3: 1}
    add_deep_epoch(model, "code")
    runs.clear()
    model(token_ids())
    model.next_token_loss(token_ids(), 1)
    assert runs == {0: 3, 1: 3, 2: 2, 3: 2}, "an epoch above alone is one pass"
    model.remove_adapter("code")
    runs.clear()
    assert torch.equal(model(token_ids()).logits_BTV, before_BTV)
    assert runs == {0: 1, 1: 1, 2: 1, 3: 1}


@torch.no_grad()
def test_a_mixture_without_low_epochs_is_the_same_under_both_routers(tiny_backbone: Any, bare: Any) -> None:
    made = [mixture(each, lora=LoraSettings(r=4, bare_router=bool(each is bare))) for each in (tiny_backbone, bare)]
    shared, other = (in_pieces(model, token_ids(2, T), [6, 1, 7], "mixer") for model in made)
    assert torch.equal(shared.logits_BTV, other.logits_BTV)
    assert torch.equal(shared.weights_BTS, other.weights_BTS)


# -- learning beside it -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("blend", ["mixer", 3], ids=str)
def test_known_router_inputs_and_recomputing_change_no_loss_and_no_gradient(tiny_backbone: Any, blend: Any) -> None:
    model, ids_BT = deep_mixture(tiny_backbone, live="tale"), token_ids()
    found = []
    for hidden_BTH in (None, model.features(ids_BT)):
        for recompute in (False, True):
            model.recompute_activations = recompute
            model.zero_grad()
            loss = model.next_token_loss(ids_BT, blend, hidden_BTH)
            loss.loss.backward()
            assert_near(loss.hidden_BTH, model.features(ids_BT))
            found.append((loss.loss.detach(), [p.grad for p in model.parameters() if p.grad is not None]))
    for loss_, gradients in found[1:]:
        assert_near(loss_, found[0][0])
        assert len(gradients) == len(found[0][1]) > 0
        for mine, first in zip(gradients, found[0][1], strict=True):
            assert_near(mine, first)


def test_the_loss_is_the_forwards(tiny_backbone: Any) -> None:
    model, ids_BT = deep_mixture(tiny_backbone), token_ids()
    for blend in ("mixer", 1, 2, FIXED, ("mixer", 2)):
        logits_BTV = model(ids_BT, blend).logits_BTV
        expected = torch.nn.functional.cross_entropy(logits_BTV[:, :-1].flatten(0, 1), ids_BT[:, 1:].flatten())
        assert_near(model.next_token_loss(ids_BT, blend).loss, expected)


def test_the_mixers_gradient_goes_through_the_lower_blocks_too(tiny_backbone: Any) -> None:
    """Against a difference quotient, for the bias of the slot of the epoch in all blocks."""
    model, ids_BT = deep_mixture(tiny_backbone, live="tale"), token_ids()
    joint_loss(model, ids_BT).backward()
    slope = float(model.mixer.head.bias.grad[2])
    losses, step = [], 0.05
    for shift in (step, -step):
        with torch.no_grad():
            model.mixer.head.bias[2] += shift
        losses.append(joint_loss(model, ids_BT).item())
        with torch.no_grad():
            model.mixer.head.bias[2] -= shift
    assert slope == pytest.approx((losses[0] - losses[1]) / (2 * step), rel=0.02, abs=1e-4)


def test_an_epoch_that_is_trained_here_lies_above_and_changes_nothing_else(tiny_backbone: Any) -> None:
    model = deep_mixture(tiny_backbone)
    before = snapshot(dict(model.backbone.named_parameters())), snapshot(model.adapter_parameters("code"))
    read_BTH = model.features(token_ids())
    add_epoch(model, "live", seed=7, finish=False)
    stir(model.mixer)
    train_a_little(model)
    model.finish_epoch("live")
    assert {name.split(".lora_")[0] for name in model.adapter_parameters("live")} == set(model.layers)
    assert_same_bits(dict(model.backbone.named_parameters()), before[0])
    assert_same_bits(model.adapter_parameters("code"), before[1])
    assert torch.equal(model.features(token_ids()), read_BTH)


@torch.no_grad()
def test_a_cache_that_was_begun_without_the_bare_backbones_is_refused(tiny_backbone: Any) -> None:
    lora = LoraSettings(r=4, mixer_layer=2, bare_router=True)
    model = mixture(tiny_backbone, ("verse",), lora=lora)
    begun = model(token_ids(), use_cache=True)
    add_deep_epoch(model, "code")
    with pytest.raises(ValueError, match="begin anew"):
        model(token_ids(tokens=1), cache=begun.cache, use_cache=True)
