"""Where the mixer reads: the decoder blocks of each family, and the features below ``mixer_layer``."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from mixtures import EPOCHS, add_epoch, joint_loss, mixture, plain_logits, speak_up, token_ids
from torch import Tensor, nn

from tlora_gui.temporal.config import LoraSettings
from tlora_gui.temporal.model import TemporalLoRA, decoder_blocks


@torch.no_grad()
def plain_hidden(bare: Any, ids_BT: Tensor, block: int) -> Tensor:
    """Hidden state that enters a block, as transformers itself reports it."""
    return bare(input_ids=ids_BT, output_hidden_states=True).hidden_states[block]


def blocks_run_by(model: TemporalLoRA, ids_BT: Tensor) -> list[int]:
    """Indices of the blocks whose forward runs while features are read."""
    run: list[int] = []

    def note(index: int, *_: Any) -> None:
        run.append(index)

    hooks = [
        next(block.children()).register_forward_hook(partial(note, index))
        for index, block in enumerate(decoder_blocks(model.backbone)[1])
    ]
    model.features(ids_BT)
    for hook in hooks:
        hook.remove()
    return run


def test_decoder_blocks_are_found_in_both_families(tiny_backbone: Any) -> None:
    name, blocks = decoder_blocks(tiny_backbone)
    kind = tiny_backbone.config.model_type
    assert name == {"llama": "model.layers", "gpt2": "transformer.h"}[kind]
    assert blocks is (tiny_backbone.model.layers if kind == "llama" else tiny_backbone.transformer.h)


def test_decoder_blocks_are_found_again_once_peft_has_wrapped_the_backbone(tiny_backbone: Any) -> None:
    before = decoder_blocks(tiny_backbone)
    mixture(tiny_backbone)
    assert decoder_blocks(tiny_backbone) == before


def test_a_model_without_a_list_of_blocks_is_refused(tiny_backbone: Any) -> None:
    tiny_backbone.config.num_hidden_layers = 7
    with pytest.raises(ValueError, match="no list of 7 decoder blocks"):
        TemporalLoRA(tiny_backbone)


def test_the_mixer_reads_a_quarter_of_the_depth_up(tiny_backbone: Any) -> None:
    assert TemporalLoRA(tiny_backbone).mixer_layer == 1


@pytest.mark.parametrize("mixer_layer", [4, 9])
def test_a_mixer_layer_beyond_the_last_block_is_refused(tiny_backbone: Any, mixer_layer: int) -> None:
    with pytest.raises(ValueError, match="the backbone has 4 decoder blocks"):
        TemporalLoRA(tiny_backbone, LoraSettings(mixer_layer=mixer_layer))


@pytest.mark.parametrize("mixer_layer", [0, 1, 3])
def test_features_equal_the_hidden_state_of_a_full_forward(tiny_backbone: Any, bare: Any, mixer_layer: int) -> None:
    model = mixture(tiny_backbone, lora=LoraSettings(r=2, mixer_layer=mixer_layer))
    ids_BT = token_ids()
    expected_BTH = plain_hidden(bare, ids_BT, mixer_layer)
    with torch.no_grad():
        assert torch.equal(model.features(ids_BT), expected_BTH)
        for blend in ("mixer", 0, 2):
            assert torch.equal(model(ids_BT, blend).hidden_BTH, expected_BTH)


@pytest.mark.parametrize("mixer_layer", [0, 1, 3])
def test_features_run_no_block_from_mixer_layer_up(tiny_backbone: Any, mixer_layer: int) -> None:
    model = TemporalLoRA(tiny_backbone, LoraSettings(mixer_layer=mixer_layer))
    assert blocks_run_by(model, token_ids()) == list(range(mixer_layer))


def test_what_the_mixer_reads_does_not_move_when_epochs_are_added_and_trained(tiny_backbone: Any) -> None:
    model = mixture(tiny_backbone, EPOCHS[:1])
    ids_BT = token_ids()
    with torch.no_grad():
        before_BTH = model.features(ids_BT)
        add_epoch(model, "code", finish=False)
        speak_up(model, "code", seed=8)
        assert torch.equal(model.features(ids_BT), before_BTH)
        model.finish_epoch("code")
        assert torch.equal(model(ids_BT).hidden_BTH, before_BTH)


def test_reading_features_leaves_the_next_forward_as_it_was(tiny_backbone: Any, bare: Any) -> None:
    model = mixture(tiny_backbone)
    ids_BT = token_ids()
    with torch.no_grad():
        before = model(ids_BT)
        model.features(token_ids(3, 5))
        after = model(ids_BT)
    assert torch.equal(before.logits_BTV, after.logits_BTV)
    model.features(ids_BT)
    assert model.backbone(input_ids=ids_BT).logits.shape == plain_logits(bare, ids_BT).shape, "it runs to its end"


def test_features_of_other_text_can_be_read_between_forward_and_backward(tiny_backbone: Any) -> None:
    model = mixture(tiny_backbone, EPOCHS[:2], live="tale")
    joint_loss(model, token_ids()).backward()
    expected = [parameter.grad.clone() for parameter in model.adapter_parameters("tale").values()]
    model.zero_grad()
    loss = joint_loss(model, token_ids())
    model.features(token_ids(3, 5))
    loss.backward()
    for gradient, parameter in zip(expected, model.adapter_parameters("tale").values(), strict=True):
        assert torch.equal(parameter.grad, gradient)


def test_the_backbone_is_frozen_and_in_eval_mode(tiny_backbone: Any) -> None:
    tiny_backbone.train().requires_grad_(True)
    model = TemporalLoRA(tiny_backbone)
    assert not any(module.training for module in model.backbone.modules())
    assert not any(parameter.requires_grad for parameter in model.backbone.parameters())


def test_building_a_model_leaves_the_global_generator_alone(tiny_backbone: Any) -> None:
    state = torch.get_rng_state()
    first = TemporalLoRA(tiny_backbone).mixer
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(99)
    second = TemporalLoRA(tiny_backbone).mixer
    assert_same_modules(first, second)


def assert_same_modules(one: nn.Module, other: nn.Module) -> None:
    for mine, theirs in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(mine, theirs)
