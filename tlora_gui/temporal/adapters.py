"""The adapters of one backbone as PEFT knows them: made, loaded, deleted, stacked for mixing.

PEFT owns names, weights and folders; every adapter here has the same layers and arithmetic, so that the stacks fit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model, set_peft_model_state_dict
from peft.utils import SAFETENSORS_WEIGHTS_NAME
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from tlora_gui.temporal.config import LoraSettings
from tlora_gui.temporal.lora import FusedLora

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


class PeftAdapters:
    """LoRA adapters in the blocks from ``first_block`` up of one backbone.

    Args:
        backbone: a causal LM; PEFT wraps its linear layers when the first adapter comes.
        settings: rank and scaling of new adapters.
        first_block: the lowest adapted decoder block.
        name: what adapter folders name as their base model.
    """

    def __init__(self, backbone: PreTrainedModel, settings: LoraSettings, first_block: int, name: str) -> None:
        # PEFT writes the backbone's own name into adapter folders; a cache path there would help nobody.
        self.backbone_name = backbone.name_or_path = name or backbone.name_or_path
        self.fused: FusedLora | None = None
        self.reserved_names = _reserved_names(backbone)
        self._backbone = backbone
        self._settings = settings
        self._first_block = first_block
        self._peft: PeftModel | None = None
        self._names: list[str] = []
        self._blocks_name, blocks = decoder_blocks(backbone)
        linears = {name for name, module in blocks.named_modules() if _is_linear(module)}
        self._leaves = sorted({name.rsplit(".", 1)[-1] for name in linears})
        self._transposed = any(isinstance(module, Conv1D) for module in blocks.modules())  # GPT-2 keeps W as (in, out)

    @property
    def peft_model(self) -> PeftModel:
        """PEFT's view of the backbone.

        Raises:
            LookupError: before the first adapter is added.
        """
        if self._peft is None:
            raise LookupError("this model has no adapter yet; call add_adapter first")
        return self._peft

    def parameters(self, name: str) -> dict[str, nn.Parameter]:
        """PEFT's parameters of one adapter, by their full names."""
        ends = (f".lora_A.{name}.weight", f".lora_B.{name}.weight")
        return {full: p for full, p in self._backbone.named_parameters() if full.endswith(ends)}

    def config(self) -> LoraConfig:
        """The ordinary PEFT configuration that every new adapter has."""
        depth = self._backbone.config.get_text_config().num_hidden_layers
        return LoraConfig(
            r=self._settings.r,
            lora_alpha=self._settings.lora_alpha,  # type: ignore[arg-type]  # PEFT says int, takes any number
            target_modules=self._leaves,
            layers_to_transform=list(range(self._first_block, depth)),
            layers_pattern=self._blocks_name,
            fan_in_fan_out=self._transposed,
            base_model_name_or_path=self.backbone_name or None,
            task_type="CAUSAL_LM",
        )

    def add(self, name: str, seed: int) -> None:
        """Make an untrained adapter; ``seed`` fixes its weights and leaves torch's global generator as it was.

        Raises:
            ValueError: if the name is taken or PEFT could not use it as a module name.
        """
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._inject(name, self.config())

    def load(self, name: str, folder: Path) -> None:
        """Take in a trained adapter from a plain PEFT folder.

        Raises:
            ValueError: if it is not an ordinary LoRA adapter over this model's layers; the model stays as it was.
            OSError: if the weights cannot be read.
        """
        config = self._read_config(folder)
        try:
            weights = load_file(folder / SAFETENSORS_WEIGHTS_NAME)
        except SafetensorError as error:
            raise ValueError(f"the weights in {folder} are damaged: {error}") from error
        self._inject(name, config)
        try:
            found = set_peft_model_state_dict(self.peft_model, weights, adapter_name=name)
            missing = {full.removeprefix("base_model.model.") for full in found.missing_keys}
            if found.unexpected_keys or missing & self.parameters(name).keys():
                raise ValueError("it has other tensors than this model's layers")
        except (ValueError, RuntimeError) as error:
            self.delete(name)
            raise ValueError(f"the weights in {folder} do not fit this backbone: {error}") from error

    def delete(self, name: str) -> None:
        """Forget an adapter."""
        self._names.remove(name)
        if self._names:
            self.peft_model.set_adapter(self._names[0])  # PEFT warns when its active adapter goes
        self.peft_model.delete_adapter(name)

    def stack(self, frozen: list[str], live: str | None) -> None:
        """Stack the adapters that speak, let ``live`` learn, and tell PEFT to leave the forward to us."""
        self.peft_model.base_model.disable_adapter_layers()
        for parameter in self.parameters(live).values() if live else ():
            parameter.requires_grad_(True)
        assert self.fused is not None
        self.fused.stack(frozen, live)

    @contextmanager
    def plain(self, name: str | None) -> Iterator[PeftModel]:
        """PEFT's own forward with one adapter (or none), our mixing switched off. ``stack`` again afterwards."""
        assert self.fused is not None
        self.fused.mix = None
        fused, self.fused = self.fused, None
        try:
            if name is not None:
                self.peft_model.base_model.enable_adapter_layers()
                self.peft_model.set_adapter(name, inference_mode=True)
            yield self.peft_model
        finally:
            self.fused = fused

    def _inject(self, name: str, config: LoraConfig) -> None:
        if name in self._names:
            raise ValueError(f"there is already an epoch named {name!r}; choose another name")
        if not name or "." in name or name.startswith("lora_"):
            raise ValueError(f"{name!r} cannot name an adapter: it must not be empty, hold a dot or begin with 'lora_'")
        if name in self.reserved_names:
            raise ValueError(f"{name!r} cannot name an adapter: a part of the model has that name; choose another")
        if self._peft is None:
            self._peft = get_peft_model(self._backbone, config, adapter_name=name)
            self.fused = FusedLora(self._backbone)
        else:
            self._peft.add_adapter(name, config)
            if not self._names:
                self._peft.set_adapter(name)  # PEFT still holds the last removed one for active
        self._names.append(name)

    def _read_config(self, folder: Path) -> LoraConfig:
        """Our own configuration with a stored adapter's rank and scaling.

        Whatever else a stored one can ask for (other layers, other arithmetic, an initialisation that writes to the
        backbone) is refused.
        """
        stored = LoraConfig.from_pretrained(str(folder.resolve()))  # an absolute path is never taken for a Hub id
        if not isinstance(stored, LoraConfig):
            raise ValueError(f"the adapter in {folder} is no LoRA adapter")
        settings = LoraSettings(stored.r, stored.lora_alpha)
        config = self.config()
        config.r, config.lora_alpha = settings.r, settings.lora_alpha
        unlike = [key for key, ours in vars(config).items() if key not in _FREE and getattr(stored, key, None) != ours]
        if unlike:
            raise ValueError(f"the adapter in {folder} is not of this model's kind; it differs in {', '.join(unlike)}")
        return config


def decoder_blocks(backbone: PreTrainedModel) -> tuple[str, nn.ModuleList]:
    """The decoder blocks of a causal LM and the last part of their name (``"layers"``, ``"h"``).

    Raises:
        ValueError: if the model has no list of ``num_hidden_layers`` blocks.
    """
    depth = backbone.config.get_text_config().num_hidden_layers
    for name, module in backbone.named_modules():
        if isinstance(module, nn.ModuleList) and len(module) == depth:
            return name.rsplit(".", 1)[-1], module
    raise ValueError(f"{type(backbone).__name__} has no list of {depth} decoder blocks; it cannot carry a Time Mixer")


def _reserved_names(backbone: nn.Module) -> frozenset[str]:
    """Names that no adapter may have: torch refuses its own ("pop", "values"), or PEFT would mix up tensors on saving.

    It finds an adapter's tensors by ``.name.`` anywhere in their full names ("0" and "mlp" are parts of those) and
    its ``lora_`` prefix by containment, and writes an adapter named "default" to another place.
    """
    parts = {part for full in backbone.state_dict() for part in full.split(".")}
    within_prefix = {"lora_"[start:end] for start in range(5) for end in range(start + 1, 6)}
    return frozenset(parts | within_prefix | {"base_model", "model", "base_layer", "default"} | {*dir(nn.ModuleDict())})


def _is_linear(module: nn.Module) -> bool:
    """A linear layer of torch, GPT-2 or a quantisation library."""
    like_linear = all(hasattr(module, part) for part in ("in_features", "out_features", "weight"))
    return isinstance(module, (nn.Linear, Conv1D)) or like_linear
