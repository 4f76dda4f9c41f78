"""Many LoRA adapters, mixed per token in two matrix products a layer.

In every adapted linear layer the mixture adds

    y = base(x) + Σ_k w_k · s_k · B_k A_k x  =  base(x) + ((x · A_catᵀ) ⊙ factors) · B_catᵀ

with A_cat (C, in) and B_catᵀ (C, out), C = Σ_k R_k, and one factor w_k · s_k per row. The frozen adapters *are* rows
of these stacks: their parameters are views, so that an adapter lies in memory once. Only the rows of those that speak
are read. The token weights travel in a :class:`Mix` that stays in place until the next forward, so gradient
checkpointing, which recomputes layers later, still finds it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

Rows = slice | Tensor
"""Rows of a stack: a run of them, or their numbers."""


class LoraWeights(nn.Module):
    """One adapter's weights over all adapted layers, in their order: A (R, in), B (out, R); frozen until it learns.

    Args:
        down, up: A and B of every layer, float32.
        scaling: what the update is multiplied by, ``lora_alpha / r``.
    """

    def __init__(self, down: Sequence[Tensor], up: Sequence[Tensor], scaling: float) -> None:
        super().__init__()
        self.down = nn.ParameterList(nn.Parameter(weight, requires_grad=False) for weight in down)
        self.up = nn.ParameterList(nn.Parameter(weight, requires_grad=False) for weight in up)
        self.scaling = scaling

    @property
    def r(self) -> int:
        """Rank of the update."""
        return int(self.down[0].shape[0])


@dataclass(slots=True)
class Mix:
    """What the adapted layers apply during one forward.

    Attributes:
        heard: frozen adapters that speak, counted from 0.
        rows: their rows of the stacks; None if none speaks.
        factors: weight · scaling of each such row, (B, T, C) or one for all (1,).
        live: the adapter in training, if it speaks.
        live_factor: its weight · scaling, (B, T, 1) or (1,).
    """

    heard: tuple[int, ...] = ()
    rows: Rows | None = None
    factors: Tensor | None = None
    live: LoraWeights | None = None
    live_factor: Tensor | None = None


class FusedLora:
    """Adds the current :class:`Mix` to the linear layers of one backbone.

    Args:
        layers: the adapted linear layers; torch's, GPT-2's or a quantisation library's. Their ``forward`` is wrapped;
            while ``mix`` is None they are what they were.
    """

    def __init__(self, layers: Iterable[nn.Module]) -> None:
        self.mix: Mix | None = None
        self._layers = [_FusedLayer(index, module, self) for index, module in enumerate(layers)]
        self._frozen: list[LoraWeights] = []
        self._live: LoraWeights | None = None
        self._starts = [0]
        self._row_slot = self._row_scaling = torch.zeros(0)
        self._cast = (torch.zeros(0), torch.zeros(0))
        self._cast_weights: dict[nn.Linear, Tensor] = {}

    @torch.no_grad()
    def stack(self, frozen: Sequence[LoraWeights], live: LoraWeights | None) -> None:
        """Stack ``frozen`` (slots 1 … in order) and make their parameters views; ``live``, the last slot, learns."""
        self._frozen, self._live = list(frozen), live
        for layer in self._layers:
            layer.stack(self._frozen)
        ranks = torch.tensor([weights.r for weights in frozen], dtype=torch.long)
        self._starts = [0, *ranks.cumsum(0).tolist()]
        device = frozen[0].down[0].device if frozen else None
        self._row_slot = torch.arange(1, len(frozen) + 1).repeat_interleave(ranks).to(device)
        self._row_scaling = torch.tensor([weights.scaling for weights in frozen]).repeat_interleave(ranks).to(device)
        self._cast_weights.clear()

    def solo(self, slot: int) -> Mix | None:
        """One slot alone at weight 1; slot 0, the backbone, adds nothing."""
        if slot == 0:
            return None
        if slot > len(self._frozen):
            assert self._live is not None
            return Mix(live=self._live, live_factor=self._live.down[0].new_tensor([self._live.scaling]))
        start = self._starts[slot - 1]
        return Mix((slot - 1,), self._rows_of((slot - 1,)), self._row_scaling[start : start + 1])

    def mixture(self, weights_BTS: Tensor) -> Mix:
        """The mix with these token weights over slots.

        Factors are made here, once a forward and outside the layers, which checkpointing recomputes one by one.
        """
        mix = Mix()
        if heard := self._heard(weights_BTS):
            mix.heard, mix.rows = heard, (rows := self._rows_of(heard))
            mix.factors = weights_BTS[..., self._row_slot[rows]] * self._row_scaling[rows]
        if self._live is not None:
            mix.live, mix.live_factor = self._live, weights_BTS[..., -1:] * self._live.scaling
        return mix

    def cast(self, x: Tensor) -> Tensor:
        """x in autocast's precision, once for all layers that read the same x."""
        given, cast = self._cast
        if given is not x:
            cast = x.to(torch.get_autocast_dtype(x.device.type))
            self._cast = (x, cast)
        return cast

    def cast_weight(self, layer: nn.Linear) -> Tensor:
        """A frozen layer's weight in autocast's precision, kept while an adapter learns: it is wanted in every step."""
        kept = self._cast_weights.get(layer)
        if kept is None:
            with torch.inference_mode(False), torch.no_grad():  # an inference tensor could not be learned through later
                kept = layer.weight.to(torch.get_autocast_dtype(layer.weight.device.type))
            if self._live is not None:
                self._cast_weights[layer] = kept
        return kept

    def _heard(self, weights_BTS: Tensor) -> tuple[int, ...]:
        """Frozen adapters with any weight; all of them while learning, and on a GPU, which asking would hold up."""
        every = tuple(range(len(self._frozen)))
        if weights_BTS.is_cuda or torch.is_grad_enabled():
            return every
        heard = (weights_BTS[..., 1 : 1 + len(every)] != 0).flatten(0, -2).any(0).nonzero()
        return tuple(heard.flatten().tolist())

    def _rows_of(self, heard: tuple[int, ...]) -> Rows:
        """The rows of these adapters: a run of them if they are neighbours or most there are, else one by one."""
        first, last = heard[0], heard[-1]
        if last - first == len(heard) - 1 or 2 * len(heard) > len(self._frozen):
            return slice(self._starts[first], self._starts[last + 1])
        return torch.cat([torch.arange(*self._starts[each : each + 2]) for each in heard])


_REMEMBERED = 4
"""Sets of speaking adapters whose rows a layer keeps at hand; in a text the same few take turns."""


class _FusedLayer:
    """One adapted linear layer: its rows of the stacks, and the forward that adds the mixture."""

    def __init__(self, index: int, module: nn.Module, owner: FusedLora) -> None:
        self._index = index
        self._owner = owner
        self._down_CI = self._up_CO = torch.zeros(0)
        self._spoken: dict[tuple[int, ...], tuple[Tensor, Tensor]] = {}
        wrapped = getattr(module.forward, "__self__", None)
        inner = wrapped._base if isinstance(wrapped, _FusedLayer) else module.forward
        self._base: Callable[[Tensor], Tensor] = inner  # the newest mixture speaks
        self._plain = module if type(module) is nn.Linear else None
        module.forward = self.forward  # type: ignore[method-assign]

    def stack(self, frozen: Sequence[LoraWeights]) -> None:
        pairs = [(weights.down[self._index], weights.up[self._index]) for weights in frozen]
        self._spoken.clear()
        self._down_CI = torch.cat([down for down, _ in pairs]) if pairs else torch.zeros(0)
        self._up_CO = torch.cat([up.T for _, up in pairs]) if pairs else torch.zeros(0)
        start = 0
        for down, up in pairs:
            stop = start + len(down)
            down.data, up.data = self._down_CI[start:stop], self._up_CO[start:stop].T
            start = stop

    def forward(self, x: Tensor) -> Tensor:
        """base(x) and what the mix adds."""
        mix = self._owner.mix
        if torch.is_autocast_enabled(x.device.type):
            x = self._owner.cast(x)
            y = linear(x, self._owner.cast_weight(self._plain), self._plain.bias) if self._plain else self._base(x)
        else:
            y = self._base(x)
        if mix is None:
            return y
        if mix.rows is not None:
            assert mix.factors is not None
            down_CI, up_CO = self._rows(mix, x.dtype)
            if torch.is_grad_enabled() or y.dtype != x.dtype:
                y = _sum(y, x, down_CI, up_CO, mix.factors)
            else:
                z_BTC = linear(x, down_CI).mul_(mix.factors)
                y.view(-1, y.shape[-1]).addmm_(z_BTC.view(-1, len(down_CI)), up_CO)
        if mix.live is not None:
            assert mix.live_factor is not None
            y = _sum(y, x, mix.live.down[self._index], mix.live.up[self._index].T, mix.live_factor)
        return y

    def _rows(self, mix: Mix, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        found = self._spoken.get(mix.heard)
        if found is None or found[0].dtype != dtype:
            if len(self._spoken) >= _REMEMBERED:
                self._spoken.clear()
            found = self._down_CI[mix.rows].to(dtype), self._up_CO[mix.rows].to(dtype)
            self._spoken[mix.heard] = found
        return found


def _sum(y_BTO: Tensor, x_BTI: Tensor, down_CI: Tensor, up_CO: Tensor, factors: Tensor) -> Tensor:
    """y + ((x · downᵀ) ⊙ factors) · up, in y's precision."""
    z_BTC = linear(x_BTI, down_CI.to(x_BTI.dtype))
    z_BTC = z_BTC * factors.to(z_BTC.dtype)
    dtype = y_BTO.dtype
    sum_NO = torch.addmm(y_BTO.flatten(0, -2), z_BTC.flatten(0, -2).to(dtype), up_CO.to(dtype))
    return sum_NO.view(y_BTO.shape)
