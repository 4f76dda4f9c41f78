"""Many LoRA adapters, mixed per token in two matrix products a layer.

In every adapted linear layer the mixture adds

    y = base(x) + Σ_k w_k · s_k · B_k A_k x  =  base(x) + ((x · A_catᵀ) ⊙ factors) · B_catᵀ

with A_cat (C, in) and B_catᵀ (C, out), C = Σ_k R_k, and one factor w_k · s_k per row. The frozen adapters *are* rows
of these stacks: their parameters are views, so that an adapter lies in memory once. Only the rows of active adapters
are read. The token weights travel in an :class:`AdapterMix`, part of a :class:`Forward` that is in force from its
beginning to its end: outside of one the layers are what they were. Gradient checkpointing, which computes layers again
in the backward pass, finds the last one there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from math import prod
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from tlora_gui.temporal.blend import Blend, BlendState


class LoraWeights(nn.Module):
    """One adapter's weights: A (R, in), B (out, R); frozen until it learns.

    Args:
        down, up: A and B of its layers, float32: of all adapted layers in their order, or of the last ones.
        scaling: what the update is multiplied by, ``lora_alpha / r``.
    """

    def __init__(self, down: Sequence[Tensor], up: Sequence[Tensor], scaling: float) -> None:
        super().__init__()
        self.down = tuple(nn.Parameter(weight, requires_grad=False) for weight in down)
        self.up = tuple(nn.Parameter(weight, requires_grad=False) for weight in up)
        self.scaling = scaling
        for index, both in enumerate(zip(self.down, self.up, strict=True)):  # a ParameterList takes five times as long
            for kind, parameter in zip("AB", both, strict=True):
                self.register_parameter(f"{kind}_{index}", parameter)

    @property
    def r(self) -> int:
        """Rank of the update."""
        return int(self.down[0].shape[0])


@dataclass(slots=True)
class AdapterMix:
    """What the adapted layers apply to the tokens of one forward.

    Attributes:
        tokens: (B, T), or the leading shape in which a layer reads them.
        active: frozen adapters with any weight, counted from 0.
        factors: weight · scaling of each of their rows in the stacks, (B, T, C).
        trainable: the adapter in training, if it may have weight.
        trainable_factor: its weight · scaling, (B, T, 1).
        whole: what the layers apply to the whole text, if some of it lies in a cache.
    """

    tokens: tuple[int, ...]
    active: tuple[int, ...] = ()
    factors: Tensor | None = None
    trainable: LoraWeights | None = None
    trainable_factor: Tensor | None = None
    whole: Callable[[], AdapterMix] | None = None
    _read: dict[tuple[int, ...], AdapterMix] = field(default_factory=dict)

    def read_as(self, lead: tuple[int, ...]) -> AdapterMix:
        """The same for a layer whose input has this leading shape: (B, T), (B · T,), either with axes of 1 anywhere.
        Some layers read what lies in the cache again; theirs is the mix of the whole text.

        Raises:
            ValueError: if nobody could say which row is which token.
        """
        if lead not in self._read:
            if _same_tokens(lead, self.tokens):
                mix = self
            elif self.whole is None or not _same_tokens(lead, (mix := self.whole()).tokens):
                raise ValueError(f"a layer reads {lead} rows where the text has {self.tokens} tokens")
            both = (mix.factors, mix.trainable_factor)
            factors, last = (each if each is None else each.reshape(*lead, each.shape[-1]) for each in both)
            self._read[lead] = AdapterMix(lead, mix.active, factors, mix.trainable, last)
        return self._read[lead]


def _same_tokens(lead: tuple[int, ...], tokens: tuple[int, ...]) -> bool:
    read, known = ([length for length in shape if length != 1] for shape in (lead, tokens))
    return read in (known, [prod(known)])


@dataclass(slots=True)
class Forward:
    """One forward of the backbone: what it is given, and below what it finds on its way."""

    blend: Blend = "mixer"
    ids_BT: Tensor | None = None  # the tokens, where weights are to be decided
    state: BlendState | None = None  # of the blend's mixers, before the first token
    attention_mask: Tensor | None = None  # (B, past + T)
    past: Sequence[Tensor] = ()  # weights (B, T, S) of the tokens in the cache, piece by piece
    until: Literal["mixer", "head", "end"] = "end"  # where it ends: before block mixer_layer, or the output layer
    hidden_BTH: Tensor | None = None  # what the mixer reads; known before, or else found
    decided: bool = False  # before the first block, since an adapter reaches below mixer_layer

    handed: tuple[Any, ...] = ()  # to block mixer_layer, where it ends there
    weights_BTS: Tensor | None = None
    state_after: BlendState | None = None  # of the blend's mixers, after the last token
    mix: AdapterMix | None = None  # what the adapted layers add; None until the weights are decided
    last_BTH: Tensor | None = None  # input of the output layer, if it ends there


class FusedLora:
    """Adds the :class:`AdapterMix` of the forward in progress to the linear layers of one backbone.

    Args:
        layers: the adapted linear layers in order; torch's, GPT-2's or a quantisation library's. Their ``forward`` is
            wrapped, over the wrapping of another mixture if there is one; while no forward is in progress they are what
            they were.
    """

    def __init__(self, layers: Collection[nn.Module]) -> None:
        self._running: Forward | None = None
        self._learned: Forward | None = None
        self._layers = [_FusedLayer(index, module, self) for index, module in enumerate(layers, -len(layers))]
        self._frozen: list[LoraWeights] = []
        self._trainable: LoraWeights | None = None
        self._starts = [0]
        self._row_slot = self._row_scaling = torch.zeros(0)
        self._cast = (torch.zeros(0), torch.zeros(0))
        self._cast_weights: dict[nn.Linear, Tensor] = {}
        self.keeps_cast_weights = True

    def stack(self, frozen: Sequence[LoraWeights], trainable: LoraWeights | None) -> None:
        """Mix ``frozen``, the slots 1 …, views of stacks once they are read; ``trainable``, the last slot, learns."""
        self._frozen, self._trainable = list(frozen), trainable
        self._learned = None
        ranks = torch.tensor([weights.r for weights in frozen], dtype=torch.long)
        self._starts = [0, *ranks.cumsum(0).tolist()]
        for layer in self._layers:
            layer.stack(self._frozen, self._starts)
        device = frozen[0].down[0].device if frozen else None
        self._row_slot = torch.arange(1, len(frozen) + 1).repeat_interleave(ranks).to(device)
        self._row_scaling = torch.tensor([weights.scaling for weights in frozen]).repeat_interleave(ranks).to(device)
        self._cast_weights.clear()

    @property
    def running(self) -> Forward | None:
        """The forward in progress, or the last one that learns, while a backward pass computes layers of it again."""
        if self._running is None and self._learned is not None and torch._C._current_graph_task_id() >= 0:
            return self._learned
        return self._running

    @contextmanager
    def run(self, forward: Forward) -> Iterator[Forward]:
        """``forward`` is in progress, until it ends in whichever way."""
        before, self._running = self._running, forward
        try:
            yield forward
        finally:
            self._running = before
            if torch.is_grad_enabled() and forward.mix is not None:
                self._learned = forward

    def mix(self, weights_BTS: Tensor, slot: int | None = None, past: Sequence[Tensor] = ()) -> AdapterMix:
        """The mix with these token weights over slots.

        Factors are made here, once a forward and outside the layers, which checkpointing recomputes one by one.

        Args:
            weights_BTS: weights over slots of every token.
            slot: the one that has all weight, if known; slot 0, the backbone, adds nothing.
            past: weights of the tokens in the cache.
        """
        mix = AdapterMix(tuple(weights_BTS.shape[:2]))
        if past:
            mix.whole = lambda: self.mix(torch.cat([*past, weights_BTS], dim=1))
        if slot is None:
            mix.active, mix.trainable = self.active(weights_BTS), self._trainable
        elif slot > len(self._frozen):
            mix.trainable = self._trainable
        elif slot > 0:
            mix.active = (slot - 1,)
        if mix.active:
            rows = self.rows_of(mix.active)
            mix.factors = weights_BTS[..., self._row_slot[rows]] * self._row_scaling[rows]
        if mix.trainable is not None:
            mix.trainable_factor = weights_BTS[..., -1:] * mix.trainable.scaling
        return mix

    def cast(self, x: Tensor) -> Tensor:
        """x (…, in) in autocast's precision, once for all layers that read the same x."""
        if self._cast[0] is not x:
            self._cast = (x, x.to(torch.get_autocast_dtype(x.device.type)))
        return self._cast[1]

    def cast_weight(self, layer: nn.Linear) -> Tensor:
        """A frozen layer's weight (out, in) in autocast's precision, kept while an adapter learns, for every step."""
        kept = self._cast_weights.get(layer)
        if kept is None:
            with torch.inference_mode(False), torch.no_grad():  # an inference tensor could not be learned through later
                kept = layer.weight.to(torch.get_autocast_dtype(layer.weight.device.type))
            if self._trainable is not None and self.keeps_cast_weights:
                self._cast_weights[layer] = kept
        return kept

    def active(self, weights_BTS: Tensor) -> tuple[int, ...]:
        """Frozen adapters with any weight, counted from 0; all of them while learning, and on every other device than
        the CPU, which would have to wait for the answer."""
        every = tuple(range(len(self._frozen)))
        if weights_BTS.device.type != "cpu" or torch.is_grad_enabled():
            return every
        return tuple((weights_BTS[..., 1 : 1 + len(every)] != 0).flatten(0, -2).any(0).nonzero().flatten().tolist())

    def rows_of(self, active: tuple[int, ...]) -> slice | Tensor:
        """Rows of the stacks that are these adapters': a run if they are neighbours or most there are, else numbers."""
        first, last = active[0], active[-1]
        if last - first == len(active) - 1 or 2 * len(active) > len(self._frozen):
            return slice(self._starts[first], self._starts[last + 1])
        return torch.cat([torch.arange(*self._starts[each : each + 2]) for each in active])


_ROW_CACHE_SIZE = 4
"""Sets of active adapters whose rows a layer keeps at hand; in a text the same few take turns."""


class _FusedLayer:
    """One adapted linear layer, the last being -1: its rows of the stacks, and the forward that adds the mixture."""

    def __init__(self, index: int, module: nn.Module, owner: FusedLora) -> None:
        self._index = index
        self._owner = owner
        self._down_CI = self._up_CO = torch.zeros(0)
        self._rows_here = False
        self._unstacked: tuple[Sequence[LoraWeights], Sequence[int]] | None = None
        self._row_cache: dict[tuple[int, ...], tuple[Tensor, Tensor]] = {}
        self._base: Callable[[Tensor], Tensor] = module.forward
        self._plain = module if type(module) is nn.Linear else None
        module.forward = self.forward

    def stack(self, frozen: Sequence[LoraWeights], starts: Sequence[int]) -> None:
        """Read these adapters from now on; their rows are stacked when they are first needed."""
        self._row_cache.clear()
        self._down_CI = self._up_CO = torch.zeros(0)
        self._rows_here = any(len(weights.down) >= -self._index for weights in frozen)
        self._unstacked = (frozen, starts) if self._rows_here else None

    @torch.inference_mode(False)  # an inference tensor could not be learned through later
    @torch.no_grad()
    def _stack(self, frozen: Sequence[LoraWeights], starts: Sequence[int]) -> None:
        """Stack this layer's of each adapter's A and B, which are of all layers or of the last ones."""
        ranks = [stop - start for start, stop in pairwise(starts)]
        here = [
            (each.down[self._index], each.up[self._index]) if len(each.down) >= -self._index else None
            for each in frozen
        ]
        some = next(filter(None, here))
        inputs, outputs = some[0].shape[1], len(some[1])
        rows = [
            (some[0].new_zeros(rank, inputs), some[1].new_zeros(outputs, rank)) if each is None else each
            for each, rank in zip(here, ranks, strict=True)
        ]
        self._down_CI, self._up_CO = torch.cat([down for down, _ in rows]), torch.cat([up.T for _, up in rows])
        views = zip(self._down_CI.split(ranks), self._up_CO.split(ranks), strict=True)
        for (down, up), (down_RI, up_RO) in zip(rows, views, strict=True):
            down.data, up.data = down_RI, up_RO.T
        self._unstacked = None

    def forward(self, x: Tensor) -> Tensor:
        """base(x) and what the mix adds; for the shapes that x may have see :meth:`AdapterMix.read_as`."""
        running = self._owner.running
        if running is None or running.mix is None:
            return self._base(x)
        mix, lead = running.mix, x.shape[:-1]
        if lead != mix.tokens:
            mix = mix.read_as(tuple(lead))
        if torch.is_autocast_enabled(x.device.type):
            x = self._owner.cast(x)
            y = linear(x, self._owner.cast_weight(self._plain), self._plain.bias) if self._plain else self._base(x)
        else:
            y = self._base(x)
        if mix.factors is not None and self._rows_here:
            down_CI, up_CO = self._rows(mix, x.dtype)
            if torch.is_grad_enabled() or y.dtype != x.dtype:
                y = _sum(y, x, down_CI, up_CO, mix.factors)
            else:
                z_BTC = linear(x, down_CI).mul_(mix.factors)
                y.view(-1, y.shape[-1]).addmm_(z_BTC.view(-1, z_BTC.shape[-1]), up_CO)
        last = mix.trainable
        if last is not None and mix.trainable_factor is not None and len(last.down) >= -self._index:
            y = _sum(y, x, last.down[self._index], last.up[self._index].T, mix.trainable_factor)
        return y

    def _rows(self, mix: AdapterMix, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        if self._unstacked is not None:
            self._stack(*self._unstacked)
        found = self._row_cache.get(mix.active)
        if found is None or found[0].dtype != dtype:
            if len(self._row_cache) >= _ROW_CACHE_SIZE:
                self._row_cache.clear()
            rows = self._owner.rows_of(mix.active)
            found = self._down_CI[rows].to(dtype), self._up_CO[rows].to(dtype)
            self._row_cache[mix.active] = found
        return found


def _sum(y_BTO: Tensor, x_BTI: Tensor, down_CI: Tensor, up_CO: Tensor, factors: Tensor) -> Tensor:
    """y + ((x · downᵀ) ⊙ factors) · up, in y's precision."""
    z_BTC = linear(x_BTI, down_CI.to(x_BTI.dtype))
    z_BTC = z_BTC * factors.to(z_BTC.dtype)
    dtype = y_BTO.dtype
    sum_NO = torch.addmm(y_BTO.flatten(0, -2), z_BTC.flatten(0, -2).to(dtype), up_CO.to(dtype))
    return sum_NO.view(y_BTO.shape)
