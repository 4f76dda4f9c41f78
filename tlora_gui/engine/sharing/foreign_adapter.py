"""A LoRA adapter that was made elsewhere, as one of this mixture, or the reason why it is none.

Every layer of a mixture's adapter has the same rank and scaling. One that was made otherwise is that too, once its
matrices are filled up with zeros, and what its layers' scalings differ by is in B; so ranks and scalings per layer,
rsLoRA and any choice of layers are exact. Whatever no choice of A and B can be is refused.

The adapter may come from a stranger: nothing is unpickled, no pattern of theirs runs as it is, and all sizes are looked
at before anything of them is made.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path, PureWindowsPath
from typing import Any

import psutil
import torch
from torch import Tensor

from tlora_gui.engine.backbones.model_folder import in_short
from tlora_gui.engine.projects.adapter_folder import CONFIG_FILE, FREE_FIELDS, IDLE_FIELDS, PREFIX, WEIGHTS_FILE
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.sentences import commas, say
from tlora_gui.engine.storage.disk import DAMAGE, MAX_JSON_BYTES, first_line, open_tensors, read_text
from tlora_gui.engine.storage.typed_json import reader
from tlora_gui.temporal.layers import decoder_blocks, layer_size
from tlora_gui.temporal.lora import LoraWeights
from tlora_gui.temporal.model import TemporalLoRA

LARGEST_RANK = 1024
"""What an epoch can have, see :class:`~tlora_gui.temporal.config.LoraSettings`."""

_LARGEST_SCALING = 1e4
"""Of an update; LoRA's are about 1."""
_LARGEST_CONFIG = 4 * 2**20
"""Bytes; that of a mixture of experts with a rank for every layer of theirs has about one million."""

_WITHOUT = say("Train it again without that, as plain LoRA.")
_REFUSED = {
    "use_dora": say("it is DoRA, whose update depends on the backbone's weights"),
    "lora_bias": say("it has biases"),
    "modules_to_save": say("it has whole modules of its own"),
    "trainable_token_indices": say("it changes the vocabulary"),
}
"""Fields of a configuration that ask for more than A and B."""

_NAMES_OF_LAYERS = {"target_modules", "exclude_modules", "layers_to_transform", "layers_pattern", "fan_in_fan_out"}
"""Which layers there are is known from the weights; PEFT itself corrects ``fan_in_fan_out``."""

_KEPT_BACKBONE = (True, False, None, "gaussian", "eva", "orthogonal")
"""Initial weights that leave the backbone's as they are; others write to it when the adapter is loaded."""

_KEY = re.compile(re.escape(PREFIX) + r"(.+)\.lora_[AB]\.weight")
_NAME = re.compile(r"\^?[\w.]+", re.ASCII)
_PATTERN = re.compile(r"\^?(?:[\w.]|\\\.|\\d\+?)*(?:\.\*)?(?:[\w.]|\\\.|\\d\+?)*\$?", re.ASCII)
_MANY_PATTERNS, _LONG_PATTERN = 200, 200
"""Patterns of a configuration that are matched as such, and characters of one; most are names."""


@dataclass(frozen=True, slots=True)
class _Config:
    """What of a configuration says how the update is scaled."""

    r: int
    lora_alpha: float
    use_rslora: bool | None = False
    rank_pattern: tuple[tuple[str, int], ...] | None = ()
    alpha_pattern: tuple[tuple[str, float], ...] | None = ()
    base_model_name_or_path: str | None = None


@dataclass(frozen=True, slots=True)
class ForeignAdapter:
    """An adapter that a mixture can have, its sizes known and its weights not yet read.

    Attributes:
        file: its weights.
        scalings: what the update of each of its layers is multiplied by.
        r: the largest rank.
        first_block: the lowest block that it changes.
        base: the model that it says it was trained on; empty if it says none.
    """

    file: Path
    scalings: dict[str, float]
    r: int
    first_block: int
    base: str

    def is_of(self, *names: str) -> bool:
        """Whether a model of these names may be what it was trained on, as far as names tell: copies and quantised
        versions have the original's name and more."""
        base, *others = (PureWindowsPath(name).name.casefold() for name in (self.base, *names))
        known = list(filter(None, others))
        return not base or not known or any(other in base or base in other for other in known)

    def read(self, model: TemporalLoRA, name: str) -> LoraWeights:
        """Its weights over the model's layers, on its device: over all of them if it reaches below ``mixer_layer``.

        Raises:
            TloraError: if they hold what is no finite number, or there is no memory for them.
        """
        layers = model.all_layers if self.first_block < model.mixer_layer else model.layers
        sizes = [layer_size(module) for module in layers.values()]
        wanted = 4 * self.r * sum(map(sum, sizes))
        if 2 * wanted > psutil.virtual_memory().available:  # they are copied into the mixture's stacks
            raise TloraError(
                say("There is not enough memory for {name}: it takes {size:,} MB.", name=name, size=wanted // 2**20),
                say("Close what else needs memory, or choose an adapter of a lower rank."),
            )
        scalings = set(self.scalings.values())
        common = scalings.pop() if len(scalings) == 1 and min(scalings) > 0 else 1.0
        down, up = [], []
        with open_tensors(self.file) as stored:
            for (layer, _), (inputs, outputs) in zip(layers.items(), sizes, strict=True):
                down_RI, up_OR = torch.zeros(self.r, inputs), torch.zeros(outputs, self.r)
                if layer in self.scalings:
                    a_RI, b_OR = (_tensor(stored, layer, kind) for kind in "AB")
                    down_RI[: len(a_RI)] = a_RI
                    up_OR[:, : len(a_RI)] = b_OR * (self.scalings[layer] / common)
                    if not (down_RI.isfinite().all() and up_OR.isfinite().all()):
                        raise _damaged(name, say("{layer} holds what is no finite number", layer=layer))
                down.append(down_RI.to(model.device))
                up.append(up_OR.to(model.device))
        return LoraWeights(down, up, common)


def look_at(model: TemporalLoRA, folder: Path, name: str) -> ForeignAdapter:
    """The adapter in a folder, if it is one that this model's mixture can represent exactly.

    Whether its Time Mixer bears with it is for :func:`require_bare_router`.

    Args:
        name: what people call it.

    Raises:
        TloraError: what it has that no epoch can have, or what is wrong with it.
    """
    config = _read_config(folder, name)
    file = folder / WEIGHTS_FILE
    if not file.is_file():
        pickled = (folder / "adapter_model.bin").exists()
        raise TloraError(
            say("The weights of {name} are a pickle (.bin), which could run anything.", name=name)
            if pickled
            else say("There is no {file} in {name}.", file=WEIGHTS_FILE, name=name),
            say("Save it as safetensors: that is what PEFT does by default.")
            if pickled
            else say("Choose the folder that the adapter was saved to."),
        )
    try:
        with file.open("rb") as opened:
            if int.from_bytes(opened.read(8), "little") > MAX_JSON_BYTES:
                raise ValueError(say("its header is too long"))
        with open_tensors(file) as stored:
            return _fitted(model, config, name, file, stored)
    except DAMAGE as error:
        raise _damaged(name, first_line(error)) from error


def _read_config(folder: Path, name: str) -> _Config:
    file = folder / CONFIG_FILE
    if not file.is_file():
        raise TloraError(
            say("There is no {file} in {name}.", file=CONFIG_FILE, name=name),
            say("Choose the folder that the adapter was saved to."),
        )
    try:
        data = json.loads(read_text(file, _LARGEST_CONFIG))
        if not isinstance(data, dict):
            raise ValueError(say("it is no object"))
        _refuse_other_kinds(data, name)
        if not isinstance(data.get("base_model_name_or_path"), str):
            data.pop("base_model_name_or_path", None)
        for key in ("rank_pattern", "alpha_pattern"):
            if isinstance(data.get(key), dict):
                data[key] = [[pattern, value] for pattern, value in data[key].items()]
        config: _Config = reader(_Config)(data)
        return config
    except DAMAGE as error:
        raise TloraError(
            say("The {file} of {name} is damaged: {error}.", file=CONFIG_FILE, name=name, error=first_line(error)),
            say("Choose a whole copy of it."),
        ) from error


def _refuse_other_kinds(data: dict[str, Any], name: str) -> None:
    """Refuse whatever a configuration asks for that is not plain LoRA."""
    if data.get("peft_type") != "LORA":
        raise TloraError(
            say("{name} is an adapter of the kind {kind}.", name=name, kind=in_short(data.get("peft_type"))),
            say("Choose a LoRA adapter."),
        )
    for key, reason in _REFUSED.items():
        if data.get(key):
            raise _no_epoch(name, reason)
    if data.get("bias") not in (None, "none"):
        raise _no_epoch(name, _REFUSED["lora_bias"])
    if (begun := data.get("init_lora_weights")) not in _KEPT_BACKBONE:
        raise TloraError(
            say(
                "{name} cannot become an epoch: begun as {kind}, it changes the backbone's own weights.",
                name=name,
                kind=in_short(begun),
            ),
            say("Save it as plain LoRA, with PEFT's path_initial_model_for_weight_conversion."),
        )
    known = {field.name for field in fields(_Config)} | FREE_FIELDS | _NAMES_OF_LAYERS
    known |= {"peft_type", "bias", "init_lora_weights", "eva_config"}
    others = [key for key in data.keys() - known if data[key] and data[key] != IDLE_FIELDS.get(key)]
    if others:
        asked = commas(in_short(key) for key in sorted(others)[:5])
        raise _no_epoch(name, say("it asks for {names}, which an epoch does not have", names=asked))


def _fitted(model: TemporalLoRA, config: _Config, name: str, file: Path, stored: Any) -> ForeignAdapter:
    """The adapter whose weights are open, if their names and shapes are those of layers that epochs adapt."""
    ranks, alphas = _Patterns(config.rank_pattern or (), name), _Patterns(config.alpha_pattern or (), name)
    every, (path, blocks) = model.all_layers, decoder_blocks(model.backbone)
    shapes = {key: _shape(stored, key, name) for key in sorted(stored.keys())}
    if not shapes:
        raise _damaged(name, say("it holds no weights"))
    scalings: dict[str, float] = {}
    first_block = len(blocks)
    for key in shapes:
        named = _KEY.fullmatch(key)
        if named is None or (layer := named[1]) not in every:
            raise _misfit(model, key, name)
        if layer in scalings:
            continue
        inputs, outputs = layer_size(every[layer])
        r = ranks.find(layer, config.r)
        wanted = {"A": (r, inputs), "B": (outputs, r)}
        found = {kind: shapes.get(f"{PREFIX}{layer}.lora_{kind}.weight") for kind in "AB"}
        if None in found.values() or found["A"][:1] != found["B"][1:]:  # type: ignore[index]
            raise _damaged(name, say("{layer} is not whole", layer=layer))
        if found["A"][1:] != (inputs,) or found["B"][:1] != (outputs,):  # type: ignore[index]
            raise _of_another(name, say("its {layer} has other sizes", layer=layer))
        if found != wanted:
            raise _damaged(name, say("{layer} has another rank than its {file} says", layer=layer, file=CONFIG_FILE))
        if not 1 <= r <= LARGEST_RANK:
            raise TloraError(
                say("{name} has a rank of {r:,} in {layer}.", name=name, r=r, layer=layer),
                say("An epoch's rank is 1 to {most:,}: make it smaller first.", most=LARGEST_RANK),
            )
        scalings[layer] = alphas.find(layer, config.lora_alpha) / (math.sqrt(r) if config.use_rslora else r)
        if not abs(scalings[layer]) <= _LARGEST_SCALING:
            raise _no_epoch(name, say("its lora_alpha scales updates by {factor:.3g}", factor=scalings[layer]))
        block = int(layer.removeprefix(f"{path}.").partition(".")[0])
        if block < first_block and scalings[layer] and bool(_tensor(stored, layer, "B").any()):
            first_block = block
    layers = every if first_block < model.mixer_layer else model.layers
    scalings = {layer: scaling for layer, scaling in scalings.items() if layer in layers}
    r = max((ranks.find(layer, config.r) for layer in scalings), default=1)
    return ForeignAdapter(file, scalings, r, first_block, config.base_model_name_or_path or "")


def _shape(stored: Any, key: str, name: str) -> tuple[int, ...]:
    part = stored.get_slice(key)
    if part.get_dtype() not in ("F64", "F32", "F16", "BF16"):
        raise _damaged(name, say("{layer} holds numbers of another type", layer=in_short(key)))
    return tuple(part.get_shape())


def _tensor(stored: Any, layer: str, kind: str) -> Tensor:
    tensor: Tensor = stored.get_tensor(f"{PREFIX}{layer}.lora_{kind}.weight")
    return tensor.float()


# -- why not ------------------------------------------------------------------------------------------------------


def _no_epoch(name: str, reason: str) -> TloraError:
    return TloraError(say("{name} cannot become an epoch: {reason}.", name=name, reason=reason), _WITHOUT)


def _damaged(name: str, reason: str) -> TloraError:
    return TloraError(
        say("The weights of {name} are damaged: {reason}.", name=name, reason=reason), say("Choose a whole copy of it.")
    )


def _of_another(name: str, reason: str) -> TloraError:
    return TloraError(
        say("{name} was made for another model: {reason}.", name=name, reason=reason),
        say("Choose an adapter of this backbone, or make a project with that model."),
    )


def _misfit(model: TemporalLoRA, key: str, name: str) -> TloraError:
    """Why a tensor has no place in an epoch."""
    if not key.startswith(PREFIX):
        return _damaged(name, say("{layer} is no name that PEFT gives", layer=in_short(key)))
    layer = key.removeprefix(PREFIX).partition(".lora_")[0]
    embeddings = {model.backbone.get_input_embeddings(), model.backbone.get_output_embeddings()}
    module = dict(model.backbone.named_modules()).get(layer.removesuffix(".weight").removesuffix(".base_layer"))
    if "lora_magnitude_vector" in key:
        return _no_epoch(name, _REFUSED["use_dora"])
    if "trainable_tokens" in key or (module in embeddings and ".lora_" not in key):
        return _no_epoch(name, _REFUSED["trainable_token_indices"])
    if key.endswith(".bias"):
        return _no_epoch(name, _REFUSED["lora_bias"])
    if module is None:
        return _of_another(name, say("this backbone has no {layer}", layer=in_short(layer)))
    if ".lora_" not in key:
        return _no_epoch(name, _REFUSED["modules_to_save"])
    return _no_epoch(name, say("it adapts {layer}, which epochs leave as it is", layer=in_short(layer)))


def require_bare_router(model: TemporalLoRA, adapter: ForeignAdapter, name: str) -> None:
    """Refuse an adapter under which what the Time Mixer reads would move.

    Raises:
        TloraError: what else can be done.
    """
    if model.lora.bare_router or adapter.first_block >= model.mixer_layer:
        return
    blocks = len(decoder_blocks(model.backbone)[1])
    raise TloraError(
        say(
            "{name} changes blocks from {first} up, and the Time Mixer of this project reads what comes out of the "
            "blocks below {layer}: what it reads would move under it.",
            name=name,
            first=adapter.first_block,
            layer=model.mixer_layer,
        ),
        say(
            "Let the Time Mixer read the bare backbone (bare router), for about {share} % more work per token, or "
            "import it into a project whose Time Mixer reads before block {first} (mixer layer).",
            share=round(100 * model.mixer_layer / blocks),
            first=adapter.first_block,
        ),
    )


# -- patterns of names --------------------------------------------------------------------------------------------


class _Patterns:
    """A value per layer, by the end of its name, as PEFT finds it: of all that fit, the first counts.

    Raises:
        TloraError: for patterns that a stranger could keep this process busy with.
    """

    def __init__(self, pairs: Sequence[tuple[str, Any]], name: str) -> None:
        self._values = [value for _, value in pairs]
        self._names = {key: place for place, (key, _) in enumerate(pairs) if _NAME.fullmatch(key)}
        self._patterns: list[tuple[int, re.Pattern[str]]] = []
        for place, (key, _) in enumerate(pairs):
            if key not in self._names:
                if len(key) > _LONG_PATTERN or len(self._patterns) == _MANY_PATTERNS or not _PATTERN.fullmatch(key):
                    raise TloraError(
                        say("{name} chooses layers by the pattern {pattern}.", name=name, pattern=in_short(key)),
                        say("Write their names into its {file} instead.", file=CONFIG_FILE),
                    )
                self._patterns.append((place, re.compile(rf"(.*\.)?({key})$")))

    def find(self, layer: str, otherwise: Any) -> Any:
        """The value of a layer."""
        parts = layer.split(".")
        ends = (f"^{layer}", *(".".join(parts[start:]) for start in range(len(parts))))
        fitting = [self._names[end] for end in ends if end in self._names]
        fitting += [place for place, pattern in self._patterns if pattern.match(layer)]
        return self._values[min(fitting)] if fitting else otherwise
