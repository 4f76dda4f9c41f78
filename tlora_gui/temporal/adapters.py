"""Adapters as PEFT knows them: its configuration, its folders, its own forward for comparison.

Nothing here runs while the mixture speaks: PEFT keeps every adapter as modules of its own and walks through all of
them whenever one is added, so that opening a project would take time in the square of its epochs.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from reprlib import repr as short
from textwrap import shorten
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import PreTrainedModel, conversion_mapping
from transformers.pytorch_utils import Conv1D

from tlora_gui.temporal.config import LoraSettings, Refusal
from tlora_gui.temporal.lora import LoraWeights

if TYPE_CHECKING:  # PEFT takes 1.5 s to import, and a project opens without it
    from peft import LoraConfig, PeftModel

CONFIG_FILE, WEIGHTS_FILE = "adapter_config.json", "adapter_model.safetensors"
"""What PEFT calls the two files of an adapter."""

_FREE = {
    "auto_mapping",
    "base_model_name_or_path",
    "inference_mode",
    "lora_dropout",
    "peft_version",
    "revision",
    "task_type",
}
"""Fields of a stored LoRA configuration that change nothing of what the adapter says."""

_ORDINARY = {"peft_type": "LORA", "bias": "none", "init_lora_weights": True}
"""What makes a configuration that of ordinary LoRA."""

_IDLE = {"megatron_core": "megatron.core", "qalora_group_size": 16}
"""Fields that PEFT fills in for ordinary LoRA too; every other one is empty or false then."""

_GOOD_PART = 0.05
"""Share of the adapted blocks' weights from which it is worth saying that an epoch leaves them alone."""

_PREFIX = "base_model.model."
"""What PEFT puts before the names of the backbone's modules in its files."""


class PeftFormat:
    """Ordinary PEFT LoRA over the linear layers of the blocks from ``first_block`` up of one backbone.

    Args:
        backbone: a causal LM.
        settings: rank and scaling of new adapters.
        first_block: the lowest adapted decoder block.
        name: what adapter folders name as their base model.
    """

    def __init__(self, backbone: PreTrainedModel, settings: LoraSettings, first_block: int, name: str) -> None:
        # PEFT writes the backbone's own name into adapter folders; a cache path there would help nobody.
        self.backbone_name = backbone.name_or_path = name or backbone.name_or_path
        self._backbone = backbone
        self._settings = settings
        self._first_block = first_block
        path, blocks = decoder_blocks(backbone)
        self._blocks_name, self._depth = path.rsplit(".", 1)[-1], len(blocks)
        self.layers: dict[str, nn.Module] = {}
        """The adapted linear layers by their names in the backbone."""
        self._targets: set[str] = set()
        refused, met, others = _refused_by_peft(backbone), set[nn.Module](), set[str]()
        names: list[list[str]] = []
        linear: dict[type[nn.Module], bool] = {}
        for index, block in enumerate(blocks):
            for name, module in block.named_modules():
                if module in met:  # shared by several blocks: it belongs to the first
                    continue
                met.add(module)
                if index < first_block or not name:
                    continue
                suffixes = _suffixes(name)
                if type(module) not in linear:
                    linear[type(module)] = _is_linear(module, backbone.dtype)
                if linear[type(module)] and suffixes[0] not in refused:
                    self.layers[f"{path}.{index}.{name}"] = module
                    names.append(suffixes)
                else:
                    others.update(suffixes)
        for suffixes in names:  # PEFT goes by the ends of names
            self._targets.add(next((suffix for suffix in suffixes if suffix not in others), suffixes[-1]))

    @cached_property
    def unadapted(self) -> tuple[str, ...]:
        """Names within a block of the weights that are no adapted layer's, if these are a good part of the whole."""
        adapted = {id(module.weight) for module in self.layers.values()}
        sizes: Counter[str] = Counter()
        total = 0
        for block in decoder_blocks(self._backbone)[1][self._first_block :]:
            for name, parameter in block.named_parameters():
                total += parameter.numel()
                if id(parameter) not in adapted:
                    sizes[name] += parameter.numel()
        return tuple(name for name, size in sizes.items() if size > _GOOD_PART * total)

    def config(self, settings: LoraSettings | None = None) -> LoraConfig:
        """The ordinary PEFT configuration of an adapter; of every new one, unless it has other settings."""
        from peft import LoraConfig

        return LoraConfig(**self._fields(settings or self._settings))

    def _fields(self, settings: LoraSettings) -> dict[str, Any]:
        return {
            "task_type": "CAUSAL_LM",
            "base_model_name_or_path": self.backbone_name or None,
            "r": settings.r,
            "lora_alpha": settings.lora_alpha,
            **self._where(),
        }

    def _where(self) -> dict[str, Any]:
        """The configuration's fields that say which layers are adapted."""
        return {
            "target_modules": sorted(self._targets),
            "layers_to_transform": list(range(self._first_block, self._depth)),
            "layers_pattern": self._blocks_name,
            "fan_in_fan_out": any(isinstance(module, Conv1D) for module in self.layers.values()),  # W is (in, out)
        }

    def new(self, seed: int) -> LoraWeights:
        """Untrained weights as PEFT makes them: A uniform after Kaiming, B zero.

        ``seed`` fixes them and leaves torch's global generator as it was.
        """
        settings, down, up = self._settings, [], []
        generator = torch.Generator().manual_seed(seed)
        for module in self.layers.values():
            inputs, outputs = _features(module)
            weight_RI = torch.empty(settings.r, inputs)
            nn.init.kaiming_uniform_(weight_RI, a=math.sqrt(5), generator=generator)
            down.append(weight_RI.to(self._backbone.device))
            up.append(torch.zeros(outputs, settings.r, device=self._backbone.device))
        return LoraWeights(down, up, settings.lora_alpha / settings.r)

    def parameters(self, weights: LoraWeights, name: str) -> dict[str, nn.Parameter]:
        """An adapter's parameters under the names that they have in a PEFT model."""
        found = {}
        for layer, down, up in zip(self.layers, weights.down, weights.up, strict=True):
            found[f"{layer}.lora_A.{name}.weight"] = down
            found[f"{layer}.lora_B.{name}.weight"] = up
        return found

    def write(self, weights: LoraWeights, folder: Path) -> None:
        """Write a plain PEFT adapter folder, which ``PeftModel.from_pretrained`` opens."""
        fields = _ORDINARY | self._fields(_settings(weights)) | {"inference_mode": True, "lora_dropout": 0.0}
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CONFIG_FILE).write_text(json.dumps(fields, indent=2, sort_keys=True), encoding="utf-8")
        tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in self._stored(weights).items()}
        save_file(tensors, folder / WEIGHTS_FILE, metadata={"format": "pt"})

    def read(self, folder: Path) -> LoraWeights:
        """Weights from a plain PEFT adapter folder.

        Raises:
            ValueError: if it is not an ordinary LoRA adapter over this model's layers.
            OSError: if the weights cannot be read.
        """
        settings = self._read_settings(folder)
        try:
            stored = load_file(folder / WEIGHTS_FILE)
        except SafetensorError as error:
            raise Refusal("the weights in {folder} are damaged: {error}", folder=folder, error=error) from error
        down: list[Tensor] = []
        up: list[Tensor] = []
        for layer, module in self.layers.items():
            inputs, outputs = _features(module)
            for kind, shape, into in (("A", (settings.r, inputs), down), ("B", (outputs, settings.r), up)):
                tensor = stored.pop(f"{_PREFIX}{layer}.lora_{kind}.weight", None)
                if tensor is None or tensor.shape != shape:
                    raise Refusal(
                        "the weights in {folder} do not fit this backbone: {layer} has others",
                        folder=folder,
                        layer=layer,
                    )
                if not tensor.is_floating_point() or not tensor.float().isfinite().all():
                    raise Refusal(
                        "the weights in {folder} are damaged: {layer} holds what is no finite number",
                        folder=folder,
                        layer=layer,
                    )
                into.append(tensor.to(self._backbone.device, torch.float32))
        if stored:
            raise Refusal(
                "the weights in {folder} do not fit this backbone: it has no {layer}",
                folder=folder,
                layer=short(next(iter(stored))),
            )
        return LoraWeights(down, up, settings.lora_alpha / settings.r)

    @contextmanager
    def plain(self, adapters: Mapping[str, LoraWeights]) -> Iterator[PeftModel]:
        """PEFT's own model with these adapters, the first one active; the backbone is itself again afterwards."""
        from peft import get_peft_model, set_peft_model_state_dict

        peft_model: PeftModel | None = None
        try:
            for name, weights in adapters.items():
                config = self.config(_settings(weights))
                if peft_model is None:
                    peft_model = get_peft_model(self._backbone, config, adapter_name=name)
                else:
                    peft_model.add_adapter(name, config)
                set_peft_model_state_dict(peft_model, self._stored(weights), adapter_name=name)
            assert peft_model is not None
            yield peft_model.eval()
        finally:
            if peft_model is not None:
                peft_model.unload()
                self._backbone.requires_grad_(False)

    def _stored(self, weights: LoraWeights) -> dict[str, Tensor]:
        """Weights by their names in PEFT's files."""
        named = self.parameters(weights, "")
        return {_PREFIX + full.replace("..", "."): parameter.detach() for full, parameter in named.items()}

    def _read_settings(self, folder: Path) -> LoraSettings:
        """A stored adapter's rank and scaling.

        Whatever else a configuration can ask for (other layers, other arithmetic, an initialisation that writes to the
        backbone) is refused.
        """
        try:
            stored = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
        except OSError as error:
            raise Refusal(
                "there is no readable {file} in {folder}: {reason}",
                file=CONFIG_FILE,
                folder=folder,
                reason=error.strerror,
            ) from error
        except (ValueError, RecursionError) as error:
            raise Refusal(
                "the {file} in {folder} is damaged: {error}",
                file=CONFIG_FILE,
                folder=folder,
                error=shorten(str(error), 200),
            ) from error
        if not isinstance(stored, dict) or stored.get("peft_type") != "LORA":
            raise Refusal("the adapter in {folder} is no LoRA adapter", folder=folder)
        settings = LoraSettings(stored.pop("r", None), stored.pop("lora_alpha", None))
        targets = stored.get("target_modules")
        if isinstance(targets, list) and all(isinstance(name, str) for name in targets):
            stored["target_modules"] = sorted(targets)
        wanted = _ORDINARY | _IDLE | self._where()
        unlike = [key for key in stored.keys() - _FREE if (stored[key] or None) != (wanted.get(key) or None)]
        unlike += [key for key in self._where() if self._where()[key] and key not in stored]
        if unlike:
            what = shorten(", ".join(sorted(unlike)), 200)
            raise Refusal(
                "the adapter in {folder} is not of this model's kind; it differs in {names}", folder=folder, names=what
            )
        return settings


def _settings(weights: LoraWeights) -> LoraSettings:
    return LoraSettings(weights.r, weights.scaling * weights.r)


def decoder_blocks(backbone: PreTrainedModel) -> tuple[str, nn.ModuleList]:
    """The decoder blocks of a causal LM and their name (``"model.layers"``, ``"transformer.h"``).

    Raises:
        ValueError: if the model has no list of ``num_hidden_layers`` blocks.
    """
    depth = backbone.config.get_text_config().num_hidden_layers
    for name, module in backbone.named_modules():
        if isinstance(module, nn.ModuleList) and len(module) == depth:
            return name, module
    raise Refusal(
        "{model} has no list of {depth} decoder blocks; it cannot carry a Time Mixer",
        model=type(backbone).__name__,
        depth=depth,
    )


def _suffixes(name: str) -> list[str]:
    """The ends of a module's name, the shortest first."""
    parts = name.split(".")
    return [".".join(parts[start:]) for start in reversed(range(len(parts)))]


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
    inputs, outputs = _features(module)
    try:
        given = module(torch.zeros(1, inputs, dtype=dtype, device=next(module.parameters()).device))
    except (RuntimeError, ValueError, TypeError):
        return False
    return isinstance(given, Tensor) and given.shape == (1, outputs)


def _features(module: nn.Module) -> tuple[int, int]:
    """Inputs and outputs of a linear layer."""
    if isinstance(module, Conv1D):
        inputs, outputs = module.weight.shape
        return int(inputs), int(outputs)
    return int(module.in_features), int(module.out_features)  # type: ignore[arg-type]
