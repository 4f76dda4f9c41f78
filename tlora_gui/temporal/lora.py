"""Many LoRA adapters, mixed per token in two matrix products a layer, over PEFT's own layers.

PEFT creates, names, saves and loads the adapters and is then told to keep out of the forward pass
(``disable_adapter_layers``, public). A forward hook on each wrapped base layer adds the mixture:

    y = base(x) + Σ_k w_k · s_k · B_k A_k x  =  base(x) + ((x · A_catᵀ) ⊙ columns) · B_catᵀ

with A_cat (K·R, in), B_cat (out, K·R) and one column factor w_k · s_k per row of A_cat. The cost is two matrix
products whatever K is. The token weights travel in a :class:`Mix` that stays in place until the next forward, so
gradient checkpointing, which recomputes layers later, still finds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn
from torch.nn.functional import linear


@dataclass(slots=True)
class Mix:
    """What the adapted layers apply during one forward.

    Attributes:
        solo: the one adapter that speaks, at weight 1; ``None`` for a mixture.
        frozen_BTC: column factors of the frozen stack (B, T, K·R); ``None`` if it is silent.
        live_BT1: token weights of the live adapter; ``None`` if there is none or it is silent.
    """

    solo: str | None = None
    frozen_BTC: Tensor | None = None
    live_BT1: Tensor | None = None


class FusedLora:
    """Holds the stacked adapters of one backbone and applies the current :class:`Mix` in each layer.

    Args:
        backbone: a causal LM into which PEFT has injected LoRA layers.
    """

    def __init__(self, backbone: nn.Module) -> None:
        self.mix: Mix | None = None
        self.live: str | None = None
        self._layers = [_FusedLayer(module, self) for module in backbone.modules() if isinstance(module, LoraLayer)]

    def stack(self, frozen: list[str], live: str | None) -> None:
        """Stack ``frozen`` adapters (slots 1 … in order); ``live`` is read from PEFT at every forward.

        The live adapter, if any, is the last slot.
        """
        self.live = live
        for layer in self._layers:
            layer.stack(frozen)

    def mixture(self, weights_BTS: Tensor) -> Mix:
        """The mix with these token weights over slots (slot 0, the backbone, adds nothing).

        Column factors are made here, once a forward and outside the layers, which checkpointing recomputes one by one.
        """
        layer = self._layers[0]
        frozen_BTC = live_BT1 = None
        if layer.A_cat is not None:
            frozen_BTC = weights_BTS[..., layer.column_slot] * layer.column_scaling
        if self.live is not None:
            live_BT1 = weights_BTS[..., -1:]
        return Mix(frozen_BTC=frozen_BTC, live_BT1=live_BT1)


class _FusedLayer:
    """One adapted linear layer: the frozen stack and the hook that adds the mixture."""

    def __init__(self, layer: LoraLayer, owner: FusedLora) -> None:
        self.layer = layer
        self.owner = owner
        self.names: list[str] = []
        self.A_cat: Tensor | None = None
        self.B_cat: Tensor | None = None
        self.column_slot = torch.zeros(0, dtype=torch.long)
        self.column_scaling = torch.zeros(0)
        layer.get_base_layer().register_forward_hook(self._add_mixture)

    def stack(self, names: list[str]) -> None:
        self.names = list(names)
        if not names:
            self.A_cat = self.B_cat = None
            return
        with torch.no_grad():
            down = [self.layer.lora_A[name].weight for name in names]
            self.A_cat = torch.cat(down)
            self.B_cat = torch.cat([self.layer.lora_B[name].weight for name in names], dim=1)
        device = self.A_cat.device
        ranks = torch.tensor([weight.shape[0] for weight in down], device=device)
        self.column_slot = torch.arange(1, len(names) + 1, device=device).repeat_interleave(ranks)
        scaling = torch.tensor([self.layer.scaling[name] for name in names], device=device)
        self.column_scaling = scaling.repeat_interleave(ranks)

    def _add_mixture(self, module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
        mix = self.owner.mix
        if mix is None:
            return output
        x = args[0]
        if mix.solo is not None:
            return output + self._solo(x, mix.solo).to(output.dtype)
        if mix.frozen_BTC is not None and self.A_cat is not None and self.B_cat is not None:
            z_BTC = linear(x, self.A_cat.to(x.dtype)) * mix.frozen_BTC.to(x.dtype)
            output = output + linear(z_BTC, self.B_cat.to(x.dtype)).to(output.dtype)
        if mix.live_BT1 is not None and self.owner.live is not None:
            output = output + (self._solo(x, self.owner.live) * mix.live_BT1).to(output.dtype)
        return output

    def _solo(self, x: Tensor, name: str) -> Tensor:
        down, up = self.layer.lora_A[name].weight, self.layer.lora_B[name].weight
        update_BTO: Tensor = linear(linear(x, down.to(x.dtype)), up.to(x.dtype)) * self.layer.scaling[name]
        return update_BTO
