"""Several adapters at constant weights as one: exactly, compressed to a rank, or in the backbone's own weights.

What a layer adds is Σ_k w_k · s_k · B_k A_k x, linear in the products, so that the same is added by one adapter whose A
has the rows of all A_k, and whose B has the columns of all B_k, each times its w_k · s_k.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

import torch
from torch import Tensor
from transformers.pytorch_utils import Conv1D

from tlora_gui.engine.protocol.events import Progress
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.temporal.lora import LoraWeights
from tlora_gui.temporal.model import TemporalLoRA

Weighted = Sequence[tuple[LoraWeights, float]]


@torch.no_grad()
def merged(adapters: Weighted) -> LoraWeights:
    """One adapter that adds what all of them add at these weights; ranks add up. Lies on the CPU.

    Where an adapter lacks the first layers that another one has, its part of these is 0.
    """
    layers = max((weights for weights, _ in adapters), key=lambda weights: len(weights.down))
    downs, ups = [], []
    for index in range(-len(layers.down), 0):
        down, up = [], []
        for weights, weight in adapters:
            held = len(weights.down) >= -index
            inputs, outputs = layers.down[index].shape[1], len(layers.up[index])
            down.append(weights.down[index].cpu() if held else torch.zeros(weights.r, inputs))
            up.append(weights.up[index].cpu() * (weight * weights.scaling) if held else torch.zeros(outputs, weights.r))
        downs.append(torch.cat(down))
        ups.append(torch.cat(up, dim=1))
    return LoraWeights(downs, ups, 1.0)


@torch.no_grad()
def compressed(weights: LoraWeights, rank: int) -> Generator[Progress, None, tuple[LoraWeights, float]]:
    """The nearest adapter of a lower rank, layer by layer, by singular values.

    Returns:
        it, and the Frobenius norm of what is lost over all layers as a share of the whole update's.
    """
    downs, ups, lost, whole = [], [], 0.0, 0.0
    for index, (down_RI, up_OR) in enumerate(zip(weights.down, weights.up, strict=True)):
        yield Progress(say("Compressing"), index, len(weights.down), say("layers"))
        # Of two thin matrices, without their (out, in) product: B A = Q_B (R_B R_Aᵀ) Q_Aᵀ.
        left_OR, upper_RR = torch.linalg.qr(up_OR.double() * weights.scaling)
        right_IR, lower_RR = torch.linalg.qr(down_RI.double().T)
        turn_RR, values_R, turn_back_RR = torch.linalg.svd(upper_RR @ lower_RR.T, full_matrices=False)
        root_R = values_R[:rank].sqrt()
        ups.append((left_OR @ turn_RR[:, :rank] * root_R).float())
        downs.append((root_R[:, None] * (turn_back_RR[:rank] @ right_IR.T)).float())
        lost += float(values_R[rank:].square().sum())
        whole += float(values_R.square().sum())
    return LoraWeights(downs, ups, 1.0), (lost / whole) ** 0.5 if whole else 0.0


@torch.no_grad()
def merged_state(model: TemporalLoRA, weights: LoraWeights) -> dict[str, Tensor]:
    """The backbone's tensors by name, those of the adapted layers with what an adapter adds, which are copies."""
    state: dict[str, Tensor] = dict(model.backbone.state_dict())
    for (layer, module), down, up in zip(model.layers_of(weights).items(), weights.down, weights.up, strict=True):
        name, update = f"{layer}.weight", weights.scaling * (up @ down)
        whole = state[name].cpu().float() + (update.T if isinstance(module, Conv1D) else update)
        state[name] = whole.to(state[name].dtype).contiguous()
    return state
