"""An epoch's adapter as a plain PEFT folder, which ``PeftModel.from_pretrained`` opens; written and read without PEFT.

    adapter_config.json         rank, scaling and which layers
    adapter_model.safetensors   A and B of each layer, under the names that they have in a PEFT model

What is read may come from a stranger.
"""

from __future__ import annotations

import json
from math import isfinite
from pathlib import Path
from reprlib import repr as short
from textwrap import shorten
from typing import Any
from weakref import WeakKeyDictionary

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from tlora_gui.engine.protocol.errors import cause
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.storage.disk import read_tensors, save_tensors
from tlora_gui.temporal.config import LoraSettings
from tlora_gui.temporal.layers import decoder_blocks, layer_size
from tlora_gui.temporal.lora import LoraWeights
from tlora_gui.temporal.model import TemporalLoRA

CONFIG_FILE, WEIGHTS_FILE = "adapter_config.json", "adapter_model.safetensors"
"""What PEFT calls the two files of an adapter."""

FREE_FIELDS = {
    "auto_mapping",
    "base_model_name_or_path",
    "inference_mode",
    "lora_dropout",
    "peft_version",
    "revision",
    "task_type",
}
"""Fields of a stored LoRA configuration that change nothing of what the adapter computes."""

_ORDINARY = {"peft_type": "LORA", "bias": "none", "init_lora_weights": True}
"""What makes a configuration that of ordinary LoRA."""

IDLE_FIELDS = {"megatron_core": "megatron.core", "qalora_group_size": 16}
"""Fields that PEFT fills in for ordinary LoRA too; every other one is empty or false then."""

PREFIX = "base_model.model."
"""What PEFT puts before the names of the backbone's modules in its files."""


def write_adapter(model: TemporalLoRA, name: str, folder: Path, base: str) -> None:
    """Write one adapter of a model; ``base`` is what others load its backbone from."""
    write_weights(model, model.adapters[name].weights, folder, base)


def write_weights(model: TemporalLoRA, weights: LoraWeights, folder: Path, base: str) -> None:
    """Write weights over a model's layers as its adapters are written."""
    layers = model.layers_of(weights)
    fields = _ORDINARY | _layers_fields(model, layers)
    fields |= {"r": weights.r, "lora_alpha": weights.scaling * weights.r, "lora_dropout": 0.0, "inference_mode": True}
    fields |= {"task_type": "CAUSAL_LM", "base_model_name_or_path": base or None}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CONFIG_FILE).write_text(json.dumps(fields, indent=2, sort_keys=True), encoding="utf-8")
    tensors = {}
    for layer, *both in zip(layers, weights.down, weights.up, strict=True):
        for kind, parameter in zip("AB", both, strict=True):
            tensors[f"{PREFIX}{layer}.lora_{kind}.weight"] = parameter.detach().cpu().contiguous().clone()
    save_tensors(tensors, folder / WEIGHTS_FILE)


def read_adapter(model: TemporalLoRA, folder: Path) -> LoraWeights:
    """Weights of an adapter over this model's layers, on its device, finite numbers in float32.

    Raises:
        ValueError: if it is not an ordinary LoRA adapter over the layers that an epoch of this model has.
        OSError: if the weights cannot be read.
    """
    settings, layers = _read_settings(model, folder)
    try:
        stored = read_tensors(folder / WEIGHTS_FILE)
    except SafetensorError as error:
        reason = shorten(str(error), 200)  # it quotes the header
        raise ValueError(say("the weights in {folder} are damaged: {error}", folder=folder, error=reason)) from error
    device = model.device
    down: list[Tensor] = []
    up: list[Tensor] = []
    for layer, module in layers.items():
        inputs, outputs = layer_size(module)
        for kind, shape, into in (("A", (settings.r, inputs), down), ("B", (outputs, settings.r), up)):
            tensor = stored.pop(f"{PREFIX}{layer}.lora_{kind}.weight", None)
            if tensor is None or tensor.shape != shape:
                raise ValueError(
                    say(
                        "the weights in {folder} do not fit this backbone: {layer} has others",
                        folder=folder,
                        layer=layer,
                    )
                )
            if not tensor.is_floating_point() or not is_finite(tensor.float()):
                raise ValueError(
                    say(
                        "the weights in {folder} are damaged: {layer} holds what is no finite number",
                        folder=folder,
                        layer=layer,
                    )
                )
            into.append(tensor.to(device, torch.float32))
    if stored:
        raise ValueError(
            say(
                "the weights in {folder} do not fit this backbone: it has no {layer}",
                folder=folder,
                layer=short(next(iter(stored))),
            )
        )
    return LoraWeights(down, up, settings.lora_alpha / settings.r)


def is_finite(tensor: Tensor) -> bool:
    """Whether all numbers of a tensor are finite: in one reading, without a tensor of answers."""
    return tensor.numel() == 0 or all(isfinite(end.item()) for end in tensor.aminmax())


def _read_settings(model: TemporalLoRA, folder: Path) -> tuple[LoraSettings, dict[str, nn.Module]]:
    """A stored adapter's rank and scaling, and its layers.

    Whatever else a configuration can ask for (other layers, other arithmetic, an initialisation that writes to the
    backbone) is refused.
    """
    try:
        stored = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(
            say(
                "there is no readable {file} in {folder}: {reason}",
                file=CONFIG_FILE,
                folder=folder,
                reason=cause(error),
            )
        ) from error
    except (ValueError, RecursionError) as error:
        reason = shorten(str(error), 200)
        raise ValueError(
            say("the {file} in {folder} is damaged: {error}", file=CONFIG_FILE, folder=folder, error=reason)
        ) from error
    if not isinstance(stored, dict) or stored.get("peft_type") != "LORA":
        raise ValueError(say("the adapter in {folder} is no LoRA adapter", folder=folder))
    settings = LoraSettings(stored.pop("r", None), stored.pop("lora_alpha", None))
    targets = stored.get("target_modules")
    if isinstance(targets, list) and all(isinstance(name, str) for name in targets):
        stored["target_modules"] = sorted(targets)
    every = list(range(len(decoder_blocks(model.backbone)[1])))
    whole = model.lora.bare_router and stored.get("layers_to_transform") == every
    layers = model.all_layers if whole else model.layers
    fields = _layers_fields(model, layers)
    wanted = _ORDINARY | IDLE_FIELDS | fields
    unlike = [key for key in stored.keys() - FREE_FIELDS if (stored[key] or None) != (wanted.get(key) or None)]
    unlike += [key for key in fields if fields[key] and key not in stored]
    if unlike:
        raise ValueError(
            say(
                "the adapter in {folder} is not of this model's kind; it differs in {names}",
                folder=folder,
                names=shorten(", ".join(sorted(unlike)), 200),
            )
        )
    return settings, layers


def _layers_fields(model: TemporalLoRA, layers: dict[str, nn.Module]) -> dict[str, Any]:
    """The configuration's fields that say which layers are adapted; PEFT goes by the ends of names."""
    known = _FIELDS.setdefault(model, {})
    if len(layers) in known:
        return known[len(layers)]
    path, blocks = decoder_blocks(model.backbone)
    first = model.mixer_layer if layers is model.layers else 0
    adapted: list[list[str]] = []
    others: set[str] = set()
    for name, _ in blocks.named_modules():
        block, *parts = name.split(".")
        if parts and int(block) >= first:
            ends = [".".join(parts[start:]) for start in reversed(range(len(parts)))]  # the shortest first
            if f"{path}.{name}" in layers:
                adapted.append(ends)
            else:
                others.update(ends)
    known[len(layers)] = {
        "target_modules": sorted({next((end for end in ends if end not in others), ends[-1]) for ends in adapted}),
        "layers_to_transform": list(range(first, len(blocks))),
        "layers_pattern": path.rpartition(".")[2],
        "fan_in_fan_out": any(isinstance(module, Conv1D) for module in layers.values()),  # W is (in, out)
    }
    return known[len(layers)]


_FIELDS: WeakKeyDictionary[TemporalLoRA, dict[int, dict[str, Any]]] = WeakKeyDictionary()
"""Of the models there are, by the number of layers that an adapter has: many epochs are read in a row."""
