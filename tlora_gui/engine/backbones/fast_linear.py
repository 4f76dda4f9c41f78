"""Fast generation on a CPU: products of a few rows with weights of 16 bits.

A token that is decoded reads every weight of the backbone once, so that half the bytes are nearly half the time. Sums
stay in float32, and products of many rows (training, measuring, a prompt) are what they were. Layers that read the same
x, as queries, keys and values do, are one product. Whether a format may be used says
:mod:`~tlora_gui.engine.backbones.fast_trial`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import groupby

import torch
from torch import Tensor, nn
from torch.nn.functional import linear
from transformers import PreTrainedModel

from tlora_gui.temporal.cache import probe_ids

Product = Callable[[Tensor], Tensor]

FEW = 4
"""Rows up to which a product is bound by the bytes of its weight."""


def _packed(weight_OI: Tensor, bias_O: Tensor | None) -> Product:
    """FBGEMM's product: weight in float16, everything else in float32."""
    engine = torch.backends.quantized.engine
    torch.backends.quantized.engine = "fbgemm"
    try:
        packed = torch.ops.quantized.linear_prepack_fp16(weight_OI, bias_O)
    finally:
        torch.backends.quantized.engine = engine
    product = torch.ops.quantized.linear_dynamic_fp16
    return lambda x: product(x, packed)


def _native(weight_OI: Tensor, bias_O: Tensor | None) -> Product:
    """PyTorch's own product in float16."""
    weight_OI, bias_O = weight_OI.half(), None if bias_O is None else bias_O.half()
    return lambda x: linear(x.half(), weight_OI, bias_O).float()


FORMATS: dict[str, Callable[[Tensor, Tensor | None], Product]] = {"packed float16": _packed, "float16": _native}


class FastLinear:
    """The linear layers of a backbone, each with a faster product beside its own.

    Args:
        backbone: nothing has wrapped its layers yet.
    """

    def __init__(self, backbone: PreTrainedModel) -> None:
        self._backbone = backbone
        self._layers = [_Layer(module, self) for module in backbone.modules() if type(module) is nn.Linear]
        self.format = ""
        self.rows = 0

    def load(self, name: str) -> None:
        """Make another copy of the weights, in the format of this name; "" drops it.

        Raises:
            RuntimeError: if this machine has no such product.
        """
        self.format = ""
        for layer in self._layers:
            layer.product = None
        for layers in self._together() if name else ():
            product = FORMATS[name](*_joined([layer.module for layer in layers]))
            if len(layers) == 1:
                layers[0].product = product
                continue
            together = _Together(product, [layer.module.out_features for layer in layers])
            for place, layer in enumerate(layers):
                layer.product = partial(together.part, place)
        self.format = name

    @torch.no_grad()
    def _together(self) -> list[list[_Layer]]:
        """Neighbours that read one and the same x, as a short forward shows; each by itself if it shows nothing."""
        read: dict[nn.Module, Tensor] = {}
        modules = [layer.module for layer in self._layers]
        hooks = [each.register_forward_pre_hook(lambda each, args: read.update({each: args[0]})) for each in modules]
        with suppress(Exception):
            self._backbone(input_ids=probe_ids(self._backbone)[:1], use_cache=False)
        for hook in hooks:
            hook.remove()
        return [list(group) for _, group in groupby(self._layers, lambda layer: id(read.get(layer.module, layer)))]

    @property
    def weights(self) -> int:
        """How many there are."""
        return sum(layer.module.weight.numel() for layer in self._layers)

    @contextmanager
    def running(self, rows: int = FEW) -> Iterator[None]:
        """Products of up to so many rows are the fast ones."""
        self.rows = rows
        try:
            yield
        finally:
            self.rows = 0


def _joined(layers: Sequence[nn.Linear]) -> tuple[Tensor, Tensor | None]:
    """The weight (O, in) of layers side by side, and their bias (O,) if any has one."""
    weights: list[Tensor] = [layer.weight.detach() for layer in layers]
    biases = [None if layer.bias is None else layer.bias.detach() for layer in layers]
    if len(layers) == 1:
        return weights[0], biases[0]
    bias_O = None
    if any(bias is not None for bias in biases):
        bias_O = torch.cat([w.new_zeros(len(w)) if b is None else b for w, b in zip(weights, biases, strict=True)])
    return torch.cat(weights), bias_O


class _Together:
    """One product for layers that read the same x: computed for all when the first asks, and taken by each once."""

    def __init__(self, product: Product, sizes: list[int]) -> None:
        self._product = product
        self._sizes = sizes
        self._x: Tensor | None = None
        self._parts: dict[int, Tensor] = {}

    def part(self, place: int, x: Tensor) -> Tensor:
        """y (…, out) of one layer."""
        if self._x is not x or place not in self._parts:
            self._x, self._parts = x, dict(enumerate(self._product(x).split(self._sizes, dim=-1)))
        part = self._parts.pop(place)
        if not self._parts:
            self._x = None
        return part.contiguous()


class _Layer:
    def __init__(self, module: nn.Linear, owner: FastLinear) -> None:
        self.module = module
        self.product: Product | None = None
        self._owner = owner
        self._base: Product = module.forward
        module.forward = self.forward  # type: ignore[method-assign,assignment]

    def forward(self, x: Tensor) -> Tensor:
        if self.product is None or x.numel() > self._owner.rows * x.shape[-1]:
            return self._base(x)
        return self.product(x)
