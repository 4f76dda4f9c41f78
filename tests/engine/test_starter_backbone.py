"""The method's main invariants on the real starter backbone (SmolLM2-135M), with two random epochs over 32 tokens."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from engine_helpers import drain
from plain_peft import plain_peft
from torch import Tensor
from torch.testing import assert_close

from tlora_gui.engine.backbones.loading import context_length, fingerprint, is_causal, load_backbone
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import STARTER
from tlora_gui.temporal.model import TemporalLoRA

pytestmark = pytest.mark.starter

TEXT = "To code or not to code, that is the question:\ndef fibonacci(n):\n    return n if n < 2 else"
CLOSE = {"atol": 2e-3, "rtol": 1e-3}
"""Float32 through 30 blocks, logits of about ±20."""


@dataclass
class Starter:
    model: TemporalLoRA
    ids_BT: Tensor
    bare_BTV: Tensor
    """Logits of the backbone before anything wrapped it."""


@pytest.fixture(scope="module")
def starter() -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    backbone = drain(load_backbone(STARTER, CancelToken()))[1]
    ids_BT = backbone.tokenizer(TEXT, return_tensors="pt")["input_ids"][:, :32]
    before = fingerprint(backbone.model)
    with torch.inference_mode():
        bare_BTV = backbone.model(input_ids=ids_BT).logits
    assert is_causal(backbone.model) and context_length(backbone.model) >= 2048
    model = TemporalLoRA(backbone.model)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name in ("verse", "code"):
            model.add_adapter(name)
            model.begin_epoch(name)
            for parameter in model.adapter_parameters(name).values():
                parameter.copy_(0.02 * torch.randn(parameter.shape, generator=generator))
            model.finish_epoch(name)
        model.mixer.head.weight.copy_(torch.randn(model.mixer.head.weight.shape, generator=generator))
        model.mixer.head.bias.zero_()
    assert fingerprint(backbone.model) == before
    yield Starter(model, ids_BT, bare_BTV)
    torch.set_num_threads(threads)


@torch.inference_mode()
def logits_of(starter: Starter, blend: Any) -> Tensor:
    return starter.model(starter.ids_BT, blend).logits_BTV


def one_hot(slot: int) -> Tensor:
    return torch.eye(3)[slot]


def test_all_weight_on_slot_0_equals_the_bare_backbone(starter: Starter) -> None:
    assert torch.equal(logits_of(starter, 0), starter.bare_BTV)
    assert_close(logits_of(starter, one_hot(0)), starter.bare_BTV, **CLOSE)


@pytest.mark.parametrize(("slot", "name"), [(1, "verse"), (2, "code")])
def test_one_hot_weights_equal_peft_set_adapter(starter: Starter, slot: int, name: str) -> None:
    with plain_peft(starter.model, name) as peft_model, torch.inference_mode():
        expected = peft_model(input_ids=starter.ids_BT).logits
    assert (expected - starter.bare_BTV).abs().max() > 1  # the adapter does speak
    assert_close(logits_of(starter, slot), expected, **CLOSE)
    assert_close(logits_of(starter, one_hot(slot)), expected, **CLOSE)


@torch.inference_mode()
def test_cached_decoding_equals_uncached(starter: Starter) -> None:
    whole = starter.model(starter.ids_BT)
    assert_close(whole.weights_BTS.sum(-1), torch.ones(whole.weights_BTS.shape[:2]))
    assert whole.weights_BTS.std(1).max() > 0.05  # the mix differs from token to token
    logits, weights = [], []
    cache, state = None, None
    for piece in (starter.ids_BT[:, :5], *starter.ids_BT[:, 5:].split(1, dim=1)):
        output = starter.model(piece, cache=cache, mixer_state=copy.copy(state), use_cache=True)
        cache, state = output.cache, output.mixer_state
        logits.append(output.logits_BTV)
        weights.append(output.weights_BTS)
    assert_close(torch.cat(logits, dim=1), whole.logits_BTV, **CLOSE)
    assert_close(torch.cat(weights, dim=1), whole.weights_BTS, atol=1e-4, rtol=1e-3)
