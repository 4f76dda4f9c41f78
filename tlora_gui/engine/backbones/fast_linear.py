"""Products of a few rows on a CPU, as decoding has them: a token reads every weight of the backbone once.

Exact ones are faster where weights lie by columns, :func:`lay_weights`. Fast generation has weights of 16 bits
beside them, half the bytes, :class:`FastLinear`; sums stay in float32, and products of many rows (training, measuring,
a prompt) are what they were. Whether a format may be used says :mod:`~tlora_gui.engine.backbones.fast_trial`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

Product = Callable[[Tensor], Tensor]

FEW = 4
"""Rows up to which a product is bound by the bytes of its weight."""


@torch.no_grad()
def lay_weights(backbone: nn.Module, by: Literal["rows", "columns"]) -> None:
    """Store float32 weights (out, in) of linear layers by rows, as they come, or by columns; the values are the same.

    MKL multiplies one row with a weight that lies by columns 1.4 to 1.7 × as fast, four and more as fast as before.
    Nobody but torch knows what to do with such a weight: it is laid by rows before it is written.
    """
    for layer in backbone.modules() if torch.backends.mkl.is_available() else ():
        if type(layer) is nn.Linear and layer.weight.dtype == torch.float32 and layer.weight.device.type == "cpu":
            weight = layer.weight.data
            layer.weight.data = weight.contiguous() if by == "rows" else weight.T.contiguous().T


def _packed(layer: nn.Linear) -> Product:
    """FBGEMM's product: weight in float16, everything else in float32."""
    engine = torch.backends.quantized.engine
    torch.backends.quantized.engine = "fbgemm"
    try:
        weight = torch.ops.quantized.linear_prepack_fp16(layer.weight.detach(), layer.bias)
    finally:
        torch.backends.quantized.engine = engine
    product = torch.ops.quantized.linear_dynamic_fp16
    return lambda x: product(x, weight)


def _native(layer: nn.Linear) -> Product:
    """PyTorch's own product in float16."""
    weight = layer.weight.detach().to(torch.float16, memory_format=torch.contiguous_format)  # by rows, its only kernel
    bias = None if layer.bias is None else layer.bias.detach().half()
    return lambda x: linear(x.half(), weight, bias).float()


FORMATS: dict[str, Callable[[nn.Linear], Product]] = {"packed float16": _packed, "float16": _native}


class FastLinear:
    """The linear layers of a backbone, each with a faster product beside its own.

    Args:
        backbone: nothing has wrapped its layers yet.
    """

    def __init__(self, backbone: nn.Module) -> None:
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
        for layer in self._layers if name else ():
            layer.product = FORMATS[name](layer.module)
        self.format = name

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
