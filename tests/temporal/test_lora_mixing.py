"""The fused mixture against PEFT's own arithmetic, against the bare backbone, and against an explicit sum."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
import torch
from mixtures import (
    EPOCHS,
    add_epoch,
    assert_near,
    joint_loss,
    mixture,
    plain_logits,
    speak_up,
    stir,
    token_ids,
)
from peft import LoraConfig, get_peft_model
from plain_peft import plain_peft
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.checkpoint import checkpoint
from transformers.pytorch_utils import Conv1D

from tlora_gui.temporal.config import STRATEGIES, LoraSettings, MixerSettings, Strategy
from tlora_gui.temporal.model import BACKBONE_SLOT, TemporalLoRA, decoder_blocks


def one_hot(model: TemporalLoRA, slot: int) -> Tensor:
    weights_S = torch.zeros(model.mixer.slots)
    weights_S[slot] = 1.0
    return weights_S


@torch.no_grad()
def logits(model: TemporalLoRA, ids_BT: Tensor, blend: Any) -> Tensor:
    return model(ids_BT, blend).logits_BTV


@torch.no_grad()
def peft_logits(model: TemporalLoRA, ids_BT: Tensor, name: str | None) -> Tensor:
    with plain_peft(model, *filter(None, [name])) as peft_model:
        return peft_model(input_ids=ids_BT).logits


@pytest.mark.parametrize("slot", [1, 2, 3])
@pytest.mark.parametrize("live", [None, EPOCHS[-1]], ids=["all frozen", "last one live"])
def test_one_hot_weights_equal_peft_set_adapter(tiny_backbone: Any, slot: int, live: str | None) -> None:
    model = mixture(tiny_backbone, EPOCHS[:2] if live else EPOCHS, live)
    ids_BT = token_ids()
    expected_BTV = peft_logits(model, ids_BT, EPOCHS[slot - 1])
    assert_near(logits(model, ids_BT, one_hot(model, slot)), expected_BTV)
    assert_near(logits(model, ids_BT, slot), expected_BTV)


def test_adapters_differ_from_each_other_and_from_the_backbone(tiny_backbone: Any) -> None:
    model = mixture(tiny_backbone)
    ids_BT = token_ids()
    every = [logits(model, ids_BT, slot) for slot in range(4)] + [logits(model, ids_BT, "mixer")]
    for i, one in enumerate(every):
        for other in every[i + 1 :]:
            assert (one - other).abs().max() > 0.05


@pytest.mark.parametrize("live", [None, "tale"])
def test_all_weight_on_slot_0_equals_the_bare_backbone_bit_for_bit(
    tiny_backbone: Any, bare: Any, live: str | None
) -> None:
    model = mixture(tiny_backbone, EPOCHS[:2], live)
    ids_BT = token_ids()
    expected_BTV = plain_logits(bare, ids_BT)
    assert torch.equal(logits(model, ids_BT, 0), expected_BTV)
    assert torch.equal(logits(model, ids_BT, one_hot(model, 0)), expected_BTV)
    assert torch.equal(peft_logits(model, ids_BT, None), expected_BTV)


def test_without_epochs_every_blend_is_the_bare_backbone(tiny_backbone: Any, bare: Any) -> None:
    model = TemporalLoRA(tiny_backbone)
    ids_BT = token_ids()
    expected_BTV = plain_logits(bare, ids_BT)
    for blend in ("mixer", 0, torch.ones(1)):
        output = model(ids_BT, blend)
        assert torch.equal(output.logits_BTV, expected_BTV)
        assert torch.equal(output.weights_BTS, torch.ones(2, 12, 1))


@pytest.mark.parametrize("finish", [True, False], ids=["frozen", "live"])
def test_one_epoch_equals_plain_lora_made_by_peft_alone(tiny_backbone: Any, bare: Any, finish: bool) -> None:
    model = TemporalLoRA(tiny_backbone, LoraSettings(r=4, lora_alpha=6.0))
    add_epoch(model, "verse", finish=finish)
    plain = plain_lora_copy(model, bare)
    ids_BT = token_ids()
    with torch.no_grad():
        expected_BTV = plain(input_ids=ids_BT).logits
    assert_near(logits(model, ids_BT, 1), expected_BTV)
    assert_near(logits(model, ids_BT, torch.tensor([0.0, 1.0])), expected_BTV)


def plain_lora_copy(model: TemporalLoRA, bare: Any) -> nn.Module:
    """The only adapter of a model, over another copy of its backbone, without any of our code."""
    config = LoraConfig(
        r=4,
        lora_alpha=6,
        target_modules=["c_attn", "c_proj", "c_fc", *(f"{x}_proj" for x in ("q", "k", "v", "o", "gate", "up", "down"))],
        layers_to_transform=list(range(model.mixer_layer, 4)),
        fan_in_fan_out=bare.config.model_type == "gpt2",
        task_type="CAUSAL_LM",
    )
    plain = get_peft_model(bare, config, adapter_name="plain")
    with torch.no_grad():
        mine = model.adapter_parameters("verse")
        theirs = {full: p for full, p in bare.named_parameters() if ".lora_" in full}
        assert {full.replace(".plain.", ".verse.") for full in theirs} == mine.keys()
        for full, parameter in theirs.items():
            parameter.copy_(mine[full.replace(".plain.", ".verse.")])
    return plain.eval()


@contextmanager
def explicit_sum(model: TemporalLoRA, bare: Any, weights_BTS: Tensor) -> Iterator[Any]:
    """The bare backbone with Σ_k w_k · s · B_k A_k x added to each linear layer, one adapter after the other."""
    adapters = [model.adapter_parameters(name) for name in model.slot_adapters]
    scale = model.lora.lora_alpha / model.lora.r

    def add(full: str, module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> Tensor:
        for slot, (name, parameters) in enumerate(zip(model.slot_adapters, adapters, strict=True), 1):
            down, up = (parameters[f"{full}.lora_{x}.{name}.weight"] for x in "AB")
            output = output + weights_BTS[..., slot, None] * scale * (args[0] @ down.T @ up.T)
        return output

    targets = {key.split(".lora_")[0] for key in adapters[0]}
    hooks = [
        module.register_forward_hook(partial(add, full)) for full, module in bare.named_modules() if full in targets
    ]
    assert len(hooks) == len(targets) > 0
    yield bare
    for hook in hooks:
        hook.remove()


@pytest.mark.parametrize("live", [None, "tale"], ids=["three frozen", "two frozen, one live"])
@pytest.mark.parametrize("blend", ["mixer", "fixed"])
def test_fused_mixture_of_three_equals_the_explicit_sum_over_adapters(
    tiny_backbone: Any, bare: Any, live: str | None, blend: str
) -> None:
    model = mixture(tiny_backbone, EPOCHS[:2] if live else EPOCHS, live)
    ids_BT = token_ids()
    with torch.no_grad():
        output = model(ids_BT, "mixer" if blend == "mixer" else torch.tensor([0.1, 0.5, -0.3, 0.7]))
        with explicit_sum(model, bare, output.weights_BTS) as reference:
            expected_BTV = reference(input_ids=ids_BT).logits
    assert_near(output.logits_BTV, expected_BTV)


@pytest.mark.parametrize("blend", ["mixer", 3, torch.tensor([0.2, 0.2, 0.3, 0.3])], ids=["mixer", "solo", "fixed"])
def test_a_live_epoch_speaks_the_same_once_frozen(tiny_backbone: Any, blend: Any) -> None:
    model = mixture(tiny_backbone, EPOCHS[:2], live="tale")
    ids_BT = token_ids()
    with torch.no_grad():
        live = model(ids_BT, blend)
        model.finish_epoch("tale")
        frozen = model(ids_BT, blend)
    assert torch.equal(live.weights_BTS, frozen.weights_BTS)
    assert_near(live.logits_BTV, frozen.logits_BTV)


def test_the_live_epoch_is_heard_as_it_is_now_not_as_it_was_stacked(tiny_backbone: Any) -> None:
    model = mixture(tiny_backbone, EPOCHS[:2], live="tale")
    ids_BT = token_ids()
    before_BTV = logits(model, ids_BT, "mixer")
    speak_up(model, "tale", seed=77)
    assert (logits(model, ids_BT, "mixer") - before_BTV).abs().max() > 0.01
    assert_near(logits(model, ids_BT, 3), peft_logits(model, ids_BT, "tale"))


def test_weights_sum_to_1_and_name_every_slot(tiny_backbone: Any) -> None:
    model = mixture(tiny_backbone)
    output = model(token_ids(3, 20), "mixer")
    assert model.slot_names == [BACKBONE_SLOT, *EPOCHS]
    assert output.weights_BTS.shape == (3, 20, 4)
    assert (output.weights_BTS >= 0).all()
    assert_near(output.weights_BTS.sum(-1), torch.ones(3, 20))
    assert output.weights_BTS.std(dim=(0, 1)).min() > 0.01, "a constant mix would hide errors elsewhere"


@pytest.mark.parametrize("slot", [0, 1, 2, 3])
def test_an_int_blend_reports_its_slot_at_weight_1(tiny_backbone: Any, slot: int) -> None:
    model = mixture(tiny_backbone)
    output = model(token_ids(), slot)
    assert torch.equal(output.weights_BTS, one_hot(model, slot).expand(2, 12, 4))


def test_fixed_weights_speak_at_every_token(tiny_backbone: Any) -> None:
    model = mixture(tiny_backbone)
    weights_S = torch.tensor([0.1, 0.2, 0.3, 0.4])
    output = model(token_ids(), weights_S)
    assert torch.equal(output.weights_BTS, weights_S.expand(2, 12, 4))


@pytest.mark.parametrize("slot", [0, 1, 2, 3])
def test_routing_that_is_sure_of_a_slot_speaks_as_that_slot_alone(tiny_backbone: Any, slot: int) -> None:
    model = mixture(tiny_backbone, mixer=MixerSettings("routing"))
    with torch.no_grad():
        model.mixer.head.bias[slot] += 100
    assert_near(logits(model, token_ids(), "mixer"), logits(model, token_ids(), slot))


@pytest.mark.parametrize("blend", [4, -1, torch.ones(3), torch.ones(5)], ids=["beyond", "negative", "short", "long"])
def test_a_blend_for_other_slots_than_there_are_is_refused(tiny_backbone: Any, blend: Any) -> None:
    model = mixture(tiny_backbone)
    with pytest.raises(ValueError, match="4 slots"):
        model(token_ids(), blend)


@pytest.mark.parametrize("inside", [None, "verse", "tale"])
def test_looking_through_plain_peft_changes_nothing(tiny_backbone: Any, inside: str | None) -> None:
    model = mixture(tiny_backbone, EPOCHS[:2], live="tale")
    ids_BT = token_ids()
    before_BTV = logits(model, ids_BT, "mixer")
    wanted = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    peft_logits(model, ids_BT, inside)
    assert torch.equal(logits(model, ids_BT, "mixer"), before_BTV)
    assert {name for name, parameter in model.named_parameters() if parameter.requires_grad} == wanted


def test_adapters_are_stacked_when_they_are_first_read_and_lie_in_memory_once(tiny_backbone: Any) -> None:
    model = mixture(tiny_backbone)
    parameters = [p for name in EPOCHS for p in model.adapter_parameters(name).values()]

    def stores() -> set[int]:
        return {parameter.untyped_storage().data_ptr() for parameter in parameters}

    apart = stores()
    assert len(apart) == len(parameters)
    logits(model, token_ids(), 0)
    assert stores() == apart
    logits(model, token_ids(), "mixer")
    assert len(stores()) == 2 * len(model.layers)


def test_an_epoch_learns_beside_adapters_that_were_first_read_in_inference_mode(tiny_backbone: Any) -> None:
    model = mixture(tiny_backbone, EPOCHS[:2], live="tale")
    with torch.inference_mode():
        model(token_ids(), "mixer")
    joint_loss(model, token_ids()).backward()
    assert all(p.grad is not None for p in model.adapter_parameters("tale").values())


# -- gradients --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("blend", ["mixer", 3])
def test_gradient_flows_to_the_live_adapter_and_to_no_other(tiny_backbone: Any, blend: Any) -> None:
    model = mixture(tiny_backbone, EPOCHS[:2], live="tale")
    model(token_ids(), blend).logits_BTV.square().mean().backward()
    live = set(model.adapter_parameters("tale").values())
    others = [p for name, p in model.named_parameters() if not name.startswith("mixer.")]
    assert {p for p in others if p.grad is not None and p.grad.any()} == live
    assert {p for p in others if p.requires_grad} == live


def test_after_an_epoch_is_finished_nothing_of_the_backbone_learns(tiny_backbone: Any) -> None:
    model = mixture(tiny_backbone)
    assert {p for p in model.parameters() if p.requires_grad} == set(model.mixer.parameters())


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_mixer_learns_through_the_mixture_but_not_through_a_solo(tiny_backbone: Any, strategy: Strategy) -> None:
    model = mixture(tiny_backbone, EPOCHS[:2], live="tale", mixer=MixerSettings(strategy))
    model(token_ids(), 3).logits_BTV.square().mean().backward()
    assert all(parameter.grad is None for parameter in model.mixer.parameters())
    model(token_ids(), "mixer").logits_BTV.square().mean().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in model.mixer.parameters())


def loss_and_gradients(model: TemporalLoRA, ids_BT: Tensor, blend: Any) -> tuple[Tensor, dict[str, Tensor]]:
    model.zero_grad()
    if blend == "mixer":
        loss = joint_loss(model, ids_BT)
    else:
        loss = cross_entropy(model(ids_BT, blend).logits_BTV[:, :-1].flatten(0, 1), ids_BT[:, 1:].flatten())
    loss.backward()
    grads = {name.replace(".block.", "."): p.grad for name, p in model.named_parameters() if p.grad is not None}
    return loss.detach(), {name: grad.clone() for name, grad in grads.items()}


@pytest.mark.parametrize("hooks", ["outside", "inside"])
@pytest.mark.parametrize("names", [EPOCHS[:2], ()], ids=["beside frozen ones", "the only one"])
@pytest.mark.parametrize("blend", ["mixer", "solo", "fixed"])
def test_gradient_checkpointing_gives_the_same_loss_and_gradients(
    tiny_backbone: Any, names: tuple[str, ...], blend: str, hooks: str
) -> None:
    model = mixture(tiny_backbone, names, live="tale")
    slots = model.mixer.slots
    chosen: Any = {"mixer": "mixer", "solo": slots - 1, "fixed": torch.full((slots,), 1 / slots)}[blend]
    ids_BT = token_ids()
    loss, gradients = loss_and_gradients(model, ids_BT, chosen)
    runs = count_runs(model)
    if hooks == "outside":
        checkpoint_as_transformers_does(model)
    else:
        checkpoint_around_blocks(model)
    again, recomputed = loss_and_gradients(model, ids_BT, chosen)
    assert set(runs.values()) == {2}, "each block runs forward and is recomputed once"
    assert torch.equal(loss, again)
    assert recomputed.keys() == gradients.keys()
    for name, gradient in gradients.items():
        assert_near(recomputed[name], gradient)


def checkpoint_as_transformers_does(model: TemporalLoRA) -> None:
    """transformers' own switch; only the blocks are told that they train, so no dropout comes in."""
    backbone = model.backbone
    newer = hasattr(backbone, "activation_checkpointing_enable")  # what newer 5.x releases call it
    enable = backbone.activation_checkpointing_enable if newer else backbone.gradient_checkpointing_enable
    enable({"use_reentrant": False})
    for block in decoder_blocks(backbone)[1]:
        block.training = True


class CheckpointedBlock(nn.Module):
    """A block that is recomputed with its hooks, as earlier transformers releases did."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return checkpoint(self.block, *args, use_reentrant=False, **kwargs)


def checkpoint_around_blocks(model: TemporalLoRA) -> None:
    _, blocks = decoder_blocks(model.backbone)
    for index, block in enumerate(blocks):
        blocks[index] = CheckpointedBlock(block)


def count_runs(model: TemporalLoRA) -> dict[int, int]:
    """How often the first adapted layer of each block runs."""
    runs: dict[int, int] = {}

    def count(index: int, *_: Any) -> None:
        runs[index] = runs.get(index, 0) + 1

    for index, block in enumerate(decoder_blocks(model.backbone)[1]):
        if index >= model.mixer_layer:
            adapted = next(module for module in block.modules() if isinstance(module, (nn.Linear, Conv1D)))
            adapted.register_forward_pre_hook(partial(count, index))
    return runs


# -- half precision ---------------------------------------------------------------------------------------------


def test_a_bfloat16_backbone_runs_mixes_and_learns(tiny_backbone: Any, bare: Any) -> None:
    model = mixture(tiny_backbone.to(torch.bfloat16), EPOCHS[:2], live="tale")
    ids_BT = token_ids()
    assert torch.equal(logits(model, ids_BT, 0), plain_logits(bare.to(torch.bfloat16), ids_BT))
    output = model(ids_BT, "mixer")
    assert output.logits_BTV.dtype == torch.bfloat16
    assert output.weights_BTS.dtype == torch.float32
    assert_near(output.weights_BTS.sum(-1), torch.ones(2, 12))
    joint_loss(model, ids_BT).backward()
    for parameter in (*model.adapter_parameters("tale").values(), *model.mixer.parameters()):
        assert parameter.dtype == torch.float32
        assert parameter.grad is not None and parameter.grad.isfinite().all() and parameter.grad.any()
    for slot, name in enumerate(model.slot_adapters, 1):
        expected_BTV = peft_logits(model, ids_BT, name).float()
        error = (logits(model, ids_BT, slot).float() - expected_BTV).abs().mean()
        assert error < 0.05 * expected_BTV.abs().mean()


def test_training_under_bfloat16_autocast_stays_near_float32(tiny_backbone: Any) -> None:
    model = mixture(tiny_backbone, EPOCHS[:2], live="tale")
    exact = joint_loss(model, token_ids())
    with torch.autocast("cpu", torch.bfloat16):
        output = model(token_ids(), "mixer")
        rough = joint_loss(model, token_ids())
    assert output.weights_BTS.dtype == torch.float32
    rough.backward()
    assert abs(rough.item() - exact.item()) < 0.05 * exact.item()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.adapter_parameters("tale").values())


# -- settings of the adapters -----------------------------------------------------------------------------------


@pytest.mark.parametrize("mixer_layer", [0, 2, 3])
def test_lora_lives_only_in_the_blocks_from_mixer_layer_up(tiny_backbone: Any, mixer_layer: int) -> None:
    model = mixture(tiny_backbone, ("verse",), lora=LoraSettings(r=2, lora_alpha=2.0, mixer_layer=mixer_layer))
    name, _ = decoder_blocks(tiny_backbone)
    found = {int(full.split(f"{name}.")[1].split(".")[0]) for full in model.adapter_parameters("verse")}
    assert found == set(range(mixer_layer, 4))


def test_every_linear_layer_of_a_block_is_adapted(tiny_backbone: Any) -> None:
    model = mixture(tiny_backbone, ("verse",))
    per_block = 7 if tiny_backbone.config.model_type == "llama" else 4
    assert len(model.adapter_parameters("verse")) == 3 * per_block * 2


def test_the_mixture_leaves_a_copy_of_the_backbone_alone(tiny_backbone: Any) -> None:
    other = copy.deepcopy(tiny_backbone)
    ids_BT = token_ids()
    expected_BTV = plain_logits(other, ids_BT)
    model = mixture(tiny_backbone)
    stir(model.mixer, seed=5)
    model(ids_BT, "mixer")
    assert torch.equal(plain_logits(other, ids_BT), expected_BTV)


# -- moving -----------------------------------------------------------------------------------------------------


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize("live", [None, "tale"])
def test_a_model_moved_to_a_gpu_speaks_as_before(tiny_backbone: Any, live: str | None) -> None:
    model = mixture(tiny_backbone, EPOCHS[:2], live)
    ids_BT = token_ids()
    expected_BTV = logits(model, ids_BT, "mixer")
    moved_BTV = logits(model.to("cuda"), ids_BT.cuda(), "mixer").cpu()
    assert (moved_BTV - expected_BTV).abs().max() < 0.02 * expected_BTV.abs().max()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_the_first_epoch_learns_through_the_mixture_on_a_gpu(tiny_backbone: Any) -> None:
    model = mixture(tiny_backbone.to("cuda"), (), live="tale")
    joint_loss(model, token_ids().cuda()).backward()
    assert all(p.grad is not None and p.grad.any() for p in model.adapter_parameters("tale").values())


def test_the_stacked_adapters_follow_when_the_model_is_moved_or_cast(tiny_backbone: Any) -> None:
    model = mixture(tiny_backbone, EPOCHS[:2])
    model.double()
    model.mixer.float()  # the mixer always works in float32
    ids_BT = token_ids()
    precise = {slot: logits(model, ids_BT, one_hot(model, slot)) for slot in (1, 2)}
    for slot, precise_BTV in precise.items():
        exact_BTV = peft_logits(model, ids_BT, EPOCHS[slot - 1])
        assert precise_BTV.dtype == torch.float64
        torch.testing.assert_close(precise_BTV, exact_BTV, rtol=1e-9, atol=1e-9)
