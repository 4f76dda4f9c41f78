"""Which layers of a backbone an adapter has, and a new adapter's weights: what PEFT would make of both.

Nothing here runs PEFT: it keeps every adapter as modules of its own and walks through all of them whenever one is
added, so that opening a project would take time in the square of its epochs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, conversion_mapping
from transformers.pytorch_utils import Conv1D

from tlora_gui.temporal.config import LoraSettings, Refusal
from tlora_gui.temporal.lora import LoraWeights


def decoder_blocks(backbone: PreTrainedModel) -> tuple[str, nn.ModuleList]:
    """The decoder blocks of a causal LM and their name (``"model.layers"``, ``"transformer.h"``).

    Raises:
        ValueError: if the model has no list of ``num_hidden_layers`` blocks.
    """
    depth = backbone.config.get_text_config().num_hidden_layers
    for name, module in backbone.named_modules():
        if isinstance(module, nn.ModuleList) and len(module) == depth:
            return name, module
    kind = type(backbone).__name__
    raise Refusal(
        "{model} has no list of {depth} decoder blocks; it cannot carry a Time Mixer", model=kind, depth=depth
    )


def adapted_layers(backbone: PreTrainedModel, first_block: int) -> dict[str, nn.Module]:
    """The linear layers of the blocks from ``first_block`` up, by their names in the backbone.

    A layer that several blocks share belongs to the first of them.
    """
    path, blocks = decoder_blocks(backbone)
    refused = _refused_by_peft(backbone)
    layers: dict[str, nn.Module] = {}
    for name, module in blocks.named_modules():
        block, _, within = name.partition(".")
        wanted = within and int(block) >= first_block and within.rpartition(".")[2] not in refused
        if wanted and _is_linear(module, backbone.dtype):
            layers[f"{path}.{name}"] = module
    return layers


def new_weights(layers: Iterable[nn.Module], settings: LoraSettings, seed: int, device: torch.device) -> LoraWeights:
    """Untrained weights as PEFT makes them: A (R, in) uniform after Kaiming, B (out, R) zero, for every layer.

    ``seed`` fixes them and leaves torch's global generator as it was.
    """
    down, up = [], []
    generator = torch.Generator().manual_seed(seed)
    for module in layers:
        inputs, outputs = layer_size(module)
        weight_RI = torch.empty(settings.r, inputs)
        nn.init.kaiming_uniform_(weight_RI, a=math.sqrt(5), generator=generator)
        down.append(weight_RI.to(device))
        up.append(torch.zeros(outputs, settings.r, device=device))
    return LoraWeights(down, up, settings.lora_alpha / settings.r)


def layer_size(module: nn.Module) -> tuple[int, int]:
    """Inputs and outputs of a linear layer."""
    if isinstance(module, Conv1D):
        inputs, outputs = module.weight.shape
        return int(inputs), int(outputs)
    return int(module.in_features), int(module.out_features)  # type: ignore[arg-type]


def _refused_by_peft(backbone: PreTrainedModel) -> set[str]:
    """Last names of linear layers that PEFT does not adapt in this family.

    It refuses the output projections of state space models, whose fast kernels read the weight alone, and takes the
    dense layers beside fused experts for the experts that had their names before.
    """
    kind: Any = backbone.config.model_type
    if kind in ("falcon_h1", "falcon_mamba", "mamba", "mamba2", "nemotron_h"):
        return {"out_proj"}
    fused = {"mixtral": {"w1", "w2", "w3"}, "qwen2_moe": {"gate_proj", "up_proj", "down_proj"}}
    families: dict[str, str] = getattr(conversion_mapping, "_MODEL_TO_CONVERSION_PATTERN", {})
    return fused.get(families.get(kind, ""), set())


@torch.no_grad()
def _is_linear(module: nn.Module, dtype: torch.dtype) -> bool:
    """A linear layer of torch, GPT-2 or a quantisation library; not a router or the like that is made from one."""
    if isinstance(module, Conv1D) or type(module) is nn.Linear:
        return True
    if not all(hasattr(module, part) for part in ("in_features", "out_features", "weight")):
        return False
    inputs, outputs = layer_size(module)
    try:
        given = module(torch.zeros(1, inputs, dtype=dtype, device=next(module.parameters()).device))
    except (RuntimeError, ValueError, TypeError):
        return False
    return isinstance(given, Tensor) and given.shape == (1, outputs)
