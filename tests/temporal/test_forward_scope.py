"""The state of a forward ends with it: the backbone by itself is bare, and several mixtures may share one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from mixtures import assert_near, joint_loss, mixture, plain_logits, token_ids
from torch import nn

from tlora_gui.temporal.model import TemporalLoRA

IDS_BT = token_ids()


def fail_within(model: TemporalLoRA) -> None:
    """A forward that ends with an exception above ``mixer_layer``."""

    def fail(*_: Any) -> None:
        raise RuntimeError("out of memory")

    hook = next(iter(model.layers.values())).register_forward_pre_hook(fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        model(IDS_BT)
    hook.remove()


@pytest.mark.parametrize(
    "call",
    [
        lambda model: model(IDS_BT),
        lambda model: model(IDS_BT, 2),
        lambda model: model(IDS_BT, torch.tensor([0.0, 0.5, 0.5])),
        lambda model: model(IDS_BT, use_cache=True),
        lambda model: model.features(IDS_BT),
        lambda model: model.next_token_loss(IDS_BT),
        lambda model: model.next_token_loss(IDS_BT, 2).loss.backward(),
        lambda model: model.next_token_loss(IDS_BT, 2, model.features(IDS_BT)),
        fail_within,
    ],
    ids=["mixer", "solo", "fixed", "cache", "features", "loss", "backward", "known features", "exception"],
)
def test_the_backbone_by_itself_is_bare_whatever_was_done_before(
    tiny_backbone: Any, bare: Any, call: Callable[[TemporalLoRA], Any]
) -> None:
    model = mixture(tiny_backbone, ("verse",), live="tale")
    call(model)
    expected_BTV = plain_logits(bare, IDS_BT)
    assert torch.equal(plain_logits(tiny_backbone, IDS_BT), expected_BTV)
    call(model)
    with torch.no_grad():
        inner_BTH = tiny_backbone.base_model(input_ids=IDS_BT).last_hidden_state
        assert torch.equal(tiny_backbone.get_output_embeddings()(inner_BTH), expected_BTV)


def test_it_is_bare_under_autocast_too(tiny_backbone: Any, bare: Any) -> None:
    model = mixture(tiny_backbone)
    with torch.autocast("cpu", torch.bfloat16):
        model(IDS_BT)
        assert torch.equal(plain_logits(tiny_backbone, IDS_BT), plain_logits(bare, IDS_BT))


def test_two_mixtures_share_a_backbone(tiny_backbone: Any, bare: Any) -> None:
    first = mixture(tiny_backbone, ("verse",))
    with torch.no_grad():
        alone = first(IDS_BT)
        first.next_token_loss(IDS_BT)
        second = mixture(tiny_backbone, ("code", "tale"))
        for _ in range(2):
            again, other = first(IDS_BT), second(IDS_BT, 1)
            assert torch.equal(again.logits_BTV, alone.logits_BTV)
            assert (other.logits_BTV - alone.logits_BTV).abs().max() > 0.01
            assert torch.equal(second(IDS_BT, 0).logits_BTV, plain_logits(bare, IDS_BT))
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        rough_BTV = first(IDS_BT, 1).logits_BTV.float()
        assert (rough_BTV - second(IDS_BT, 2).logits_BTV).abs().max() > 0.01
        assert (rough_BTV - first(IDS_BT, 0).logits_BTV).abs().max() > 0.01


def test_a_mixture_learns_while_another_shares_its_backbone(tiny_backbone: Any) -> None:
    model = mixture(tiny_backbone, ("verse",), live="tale")
    joint_loss(model, IDS_BT).backward()
    expected = [parameter.grad.clone() for parameter in model.adapter_parameters("tale").values()]
    model.zero_grad()
    other = mixture(tiny_backbone, ("code",))
    loss = joint_loss(model, IDS_BT)
    other(IDS_BT)
    loss.backward()
    for gradient, parameter in zip(expected, model.adapter_parameters("tale").values(), strict=True):
        assert_near(parameter.grad, gradient)


@pytest.mark.parametrize("between", ["nothing", "a plain forward", "another text"])
def test_activations_are_computed_again_under_their_own_mix(tiny_backbone: Any, between: str) -> None:
    model = mixture(tiny_backbone, ("verse",), live="tale")
    model.next_token_loss(IDS_BT).loss.backward()
    expected = [parameter.grad.clone() for parameter in model.adapter_parameters("tale").values()]
    model.zero_grad()
    model.recompute_activations = True
    loss = model.next_token_loss(IDS_BT).loss
    if between == "a plain forward":
        plain_logits(tiny_backbone, IDS_BT)
    elif between == "another text":
        model.next_token_loss(token_ids(seed=5), 1)
    loss.backward()
    for gradient, parameter in zip(expected, model.adapter_parameters("tale").values(), strict=True):
        assert_near(parameter.grad, gradient)


def test_recomputing_awakes_no_dropout(tiny_backbone: Any) -> None:
    model = mixture(tiny_backbone, ("verse",), live="tale")
    model.recompute_activations = True
    model.next_token_loss(IDS_BT).loss.backward()
    assert not any(module.training for module in model.backbone.modules())


def test_only_the_cpu_is_asked_who_speaks(tiny_backbone: Any) -> None:
    model = mixture(tiny_backbone)
    with torch.no_grad():
        assert model.fused.active(torch.eye(4)[None, 2:3]) == (1,)
        assert model.fused.active(torch.eye(4, device="meta")[None, 2:3]) == (0, 1, 2), "asking holds a device up"


# -- shapes -----------------------------------------------------------------------------------------------------


class Reshaping(nn.Module):
    """A linear layer that is handed its input in another leading shape."""

    def __init__(self, inner: nn.Module, there: Callable[[Any], Any]) -> None:
        super().__init__()
        self.inner, self.there = inner, there

    def forward(self, x: Any) -> Any:
        y = self.inner(self.there(x))
        return y.reshape(*x.shape[:-1], y.shape[-1])


def with_odd_layer(backbone: Any, there: Callable[[Any], Any]) -> Any:
    layer = backbone.model.layers[2].mlp if backbone.config.model_type == "llama" else backbone.transformer.h[2].mlp
    name = "down_proj" if hasattr(layer, "down_proj") else "c_proj"
    setattr(layer, name, Reshaping(getattr(layer, name), there))
    return backbone


FLAT = {
    "(B · T, H)": lambda x: x.flatten(0, -2),
    "(B, 1, T, H)": lambda x: x[:, None],
    "(1, B, T, 1, H)": lambda x: x[None, :, :, None],
}


@pytest.mark.parametrize("shape", FLAT)
@pytest.mark.parametrize("blend", ["mixer", 2])
@pytest.mark.parametrize("autocast", [False, True], ids=["float32", "autocast"])
def test_a_layer_may_read_its_tokens_in_any_shape_that_tells_them(
    tiny_backbone: Any, bare: Any, shape: str, blend: Any, autocast: bool
) -> None:
    expected, odd = (
        mixture(each, ("verse",), live="tale") for each in (bare, with_odd_layer(tiny_backbone, FLAT[shape]))
    )
    for model in (expected, odd):
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            model.next_token_loss(IDS_BT, blend).loss.backward()
    for mine, theirs in zip(odd._weights.parameters(), expected._weights.parameters(), strict=True):
        assert (mine.grad is None) == (theirs.grad is None)
        if mine.grad is not None:
            assert torch.allclose(mine.grad, theirs.grad, rtol=1e-3, atol=1e-6)
    with torch.no_grad():
        assert_near(odd(IDS_BT, blend).logits_BTV, expected(IDS_BT, blend).logits_BTV)


@pytest.mark.parametrize(
    "there",
    [lambda x: x.transpose(0, 1), lambda x: x[:, :5], lambda x: x.flatten(0, -2)[::2], lambda x: x.mean(1)],
    ids=["(T, B, H)", "some tokens", "rows of a few", "(B, H)"],
)
def test_a_shape_that_does_not_tell_the_tokens_is_refused(tiny_backbone: Any, there: Callable[[Any], Any]) -> None:
    model = mixture(with_odd_layer(tiny_backbone, there), ("verse",))
    with pytest.raises(ValueError, match=r"rows where the text has \(2, 12\) tokens"):
        model(IDS_BT)


def test_scores_of_attention_may_be_in_16_bits_while_a_loss_is_computed_if_no_layer_has_a_bias(
    tiny_backbone: Any,
) -> None:
    model, seen = mixture(tiny_backbone), list[bool]()
    allowed = torch.backends.cuda.fp16_bf16_reduction_math_sdp_allowed
    layer = next(iter(model.layers.values()))
    layer.register_forward_pre_hook(lambda *_: seen.append(allowed()))
    before = allowed()
    model.next_token_loss(IDS_BT)
    assert seen[-1:] == [all(getattr(each, "bias", None) is None for each in model.all_layers.values())]
    assert allowed() == before
    assert {"llama": True, "gpt2": False}.get(tiny_backbone.config.model_type, seen[-1]) == seen[-1]
