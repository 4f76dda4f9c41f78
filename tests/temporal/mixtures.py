"""What the temporal tests share: small mixtures whose adapters and mixer say something, and ways to look at them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.testing import assert_close

from tlora_gui.temporal.active_sleep import route_loss
from tlora_gui.temporal.config import LoraSettings, MixerSettings
from tlora_gui.temporal.layers import new_weights
from tlora_gui.temporal.model import TemporalLoRA
from tlora_gui.temporal.time_mixer import TimeMixer

EPOCHS = ("verse", "code", "tale")
VOCABULARY = 257


def token_ids(batch: int = 2, tokens: int = 12, seed: int = 0) -> Tensor:
    """Random token ids (B, T)."""
    return torch.randint(VOCABULARY, (batch, tokens), generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def speak_up(model: TemporalLoRA, name: str, seed: int = 0) -> None:
    """Give a fresh adapter (whose B is zero) weights that change the logits visibly."""
    generator = torch.Generator().manual_seed(seed)
    for full, parameter in model.adapter_parameters(name).items():
        if ".lora_B." in full:
            parameter.copy_(0.05 * torch.randn(parameter.shape, generator=generator))


@torch.no_grad()
def stir(mixer: TimeMixer, seed: int = 0) -> None:
    """Give a mixer opinions: logits that differ from token to token and from slot to slot."""
    generator = torch.Generator().manual_seed(seed)
    mixer.head.weight.copy_(torch.randn(mixer.head.weight.shape, generator=generator))
    mixer.head.bias.copy_(0.3 * torch.randn(mixer.head.bias.shape, generator=generator))
    if mixer.settings.switching == "filter":
        mixer.filter_scalars.copy_(torch.tensor([1.0, 1.0, 0.0, 0.0, 0.0]))  # it holds on to nothing for long
        mixer.filter_prior.zero_()
    if mixer.settings.strategy == "attention":  # begins with a query of zeros, which is gating
        mixer.query.weight.copy_(torch.randn(mixer.query.weight.shape, generator=generator))
        mixer.key.weight.copy_(torch.randn(mixer.key.weight.shape, generator=generator))


def add_deep_epoch(model: TemporalLoRA, name: str, seed: int = 0) -> None:
    """Add a frozen adapter that changes every block, as many from elsewhere do, with a slot."""
    model.add_adapter(name, trained=new_weights(model.all_layers.values(), model.lora, seed, model.device))
    speak_up(model, name, seed)
    model.mixer.add_slot()
    model.set_slots([*model.slot_adapters, name], model.mixer)


def add_epoch(model: TemporalLoRA, name: str, seed: int = 0, finish: bool = True) -> None:
    """Add an adapter with a slot; frozen, or left in training."""
    model.add_adapter(name, seed=seed)
    model.begin_epoch(name)
    speak_up(model, name, seed)
    if finish:
        model.finish_epoch(name)


def mixture(
    backbone: Any,
    names: Sequence[str] = EPOCHS,
    live: str | None = None,
    lora: LoraSettings | None = None,
    mixer: MixerSettings | None = None,
    deep: Sequence[str] = (),
) -> TemporalLoRA:
    """A mixture of frozen epochs ``names`` and perhaps one in training, with a mixer that has opinions; those that are
    ``deep`` change every block."""
    model = TemporalLoRA(backbone, lora or LoraSettings(r=4, lora_alpha=6.0), mixer)
    for seed, name in enumerate(names, 1):
        (add_deep_epoch if name in deep else add_epoch)(model, name, seed)
    if live is not None:
        add_epoch(model, live, seed=9, finish=False)
    stir(model.mixer)
    return model


def snapshot(parameters: dict[str, torch.nn.Parameter]) -> dict[str, Tensor]:
    """A copy to compare with later."""
    return {name: parameter.detach().clone() for name, parameter in parameters.items()}


def assert_same_bits(parameters: dict[str, torch.nn.Parameter], before: dict[str, Tensor]) -> None:
    """Every parameter is what it was, to the last bit."""
    assert parameters.keys() == before.keys()
    changed = [name for name, parameter in parameters.items() if not torch.equal(parameter, before[name])]
    assert changed == []


def assert_near(actual: Tensor, expected: Tensor) -> None:
    """Equal up to the rounding of another order of summation in float32."""
    assert_close(actual, expected, rtol=1e-4, atol=2e-4)


def plain_logits(bare: Any, ids_BT: Tensor) -> Tensor:
    """Logits of a model that was never wrapped."""
    with torch.no_grad():
        return bare(input_ids=ids_BT).logits


def joint_loss(model: TemporalLoRA, ids_BT: Tensor) -> Tensor:
    """Next-token loss through the mixture, plus the routing loss of the newest slot."""
    output = model(ids_BT, "mixer")
    loss = cross_entropy(output.logits_BTV[:, :-1].flatten(0, 1), ids_BT[:, 1:].flatten())
    logits_BTS, _ = model.mixer(output.hidden_BTH)
    return loss + route_loss(logits_BTS, len(model.slot_adapters))


def train_a_little(model: TemporalLoRA, steps: int = 3) -> None:
    """Optimise everything that says it wants a gradient, as a careless trainer would."""
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=0.05, weight_decay=0.1)
    for step in range(steps):
        optimizer.zero_grad()
        joint_loss(model, token_ids(seed=100 + step)).backward()
        optimizer.step()
