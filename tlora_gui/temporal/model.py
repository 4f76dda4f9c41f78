"""TemporalLoRA: a frozen backbone, its epochs and the Time Mixer in one forward."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cached_property, partial
from inspect import signature
from typing import Any, Literal, NamedTuple, Self, cast
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel

from tlora_gui.temporal.active_sleep import EpochMemory, fit_switching
from tlora_gui.temporal.blend import Blend, BlendState, Read, RowBlend, joined, refuse_misfit, weigh
from tlora_gui.temporal.cache import CacheFormat
from tlora_gui.temporal.config import BACKBONE_SLOT, LoraSettings, MixerSettings
from tlora_gui.temporal.cross_entropy import hidden_loss, logits_loss
from tlora_gui.temporal.layers import adapted_layers, decoder_blocks, new_weights
from tlora_gui.temporal.lora import Forward, FusedLora, LoraWeights
from tlora_gui.temporal.switching import Reasons, TokenCounts
from tlora_gui.temporal.time_mixer import MixerState, TimeMixer


@dataclass(frozen=True, slots=True)
class Adapter:
    """An epoch's adapter inside the model."""

    era: str
    weights: LoraWeights
    state: Literal["new", "training", "frozen"]


@dataclass(frozen=True, slots=True)
class MixtureOutput:
    """One forward.

    Attributes:
        logits_BTV: next-token logits (the last ``logits_to_keep`` positions if given).
        weights_BTS: the mix at every position; rows sum to 1.
        hidden_BTH: what the mixer read: the input of block ``mixer_layer`` in the bare backbone.
        cache: transformers' cache, or None.
        mixer_state: what the blend's mixer, if it has one, remembers after the last position.
    """

    logits_BTV: Tensor
    weights_BTS: Tensor
    hidden_BTH: Tensor
    cache: Any
    mixer_state: BlendState | None


class Loss(NamedTuple):
    """Mean next-token loss (nats, a scalar that backpropagates), and what the mixer read (B, T, H)."""

    loss: Tensor
    hidden_BTH: Tensor


class TemporalLoRA(nn.Module):
    """Frozen causal LM + K LoRA adapters + Time Mixer.

    The mixer reads the hidden state entering decoder block ``mixer_layer`` of the bare backbone, which never moves when
    epochs are added. Epochs that are trained here have LoRA in the blocks from there up, so that one pass gives both
    weights and logits; an adapter from elsewhere may lie in every block (``bare_router``), and while one does, the
    blocks below are run once more, by themselves and first.

    ``model.backbone`` called by itself is the bare backbone, whatever was done before; several of these may share one.

    Args:
        backbone: any transformers causal LM whose decoder blocks form one ``nn.ModuleList``.
        lora: rank, scaling and first adapted block.
        mixer: the Time Mixer's settings.
    """

    def __init__(
        self, backbone: PreTrainedModel, lora: LoraSettings | None = None, mixer: MixerSettings | None = None
    ) -> None:
        super().__init__()
        self.backbone = backbone.requires_grad_(False).eval()
        self.lora = lora or LoraSettings()
        _, blocks = decoder_blocks(backbone)
        depth = len(blocks)
        self.mixer_layer = depth // 4 if self.lora.mixer_layer is None else self.lora.mixer_layer
        if self.mixer_layer >= depth:
            raise ValueError(f"mixer_layer is {self.mixer_layer}, but the backbone has {depth} decoder blocks")
        hidden_size = backbone.config.get_text_config().hidden_size
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.mixer = TimeMixer(hidden_size, mixer or MixerSettings()).to(self.device)
        self.memories: dict[str, EpochMemory] = {}  # by adapter; "" has the backbone's dreams
        self.adapters: dict[str, Adapter] = {}  # by name
        self.slot_adapters: list[str] = []  # names of slots 1 …, in training order
        self.layers = adapted_layers(backbone, self.mixer_layer)  # of epochs trained here, by their names
        self.all_layers = adapted_layers(backbone, 0)
        self._cache_format = CacheFormat(backbone)
        self.fused = FusedLora(self.all_layers.values())
        self._mixed: WeakKeyDictionary[Any, list[Tensor]] = WeakKeyDictionary()  # by cache, for layers that reread it
        self._bare: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()  # caches of the bare backbone, by the mixture's
        self._counts: tuple[list[EpochMemory | None], TokenCounts] | None = None  # and the memories they are of
        self._deep: set[int] = set()  # slots whose adapters reach below mixer_layer
        self._weights = nn.ModuleList()
        self._wraps = False
        self.recompute_activations = False
        """Compute the adapted blocks' activations again in the backward pass rather than keep them (checkpointing).
        transformers' own switch works in training mode only, where dropout is on."""
        for block in blocks:
            block.forward = partial(self._run_block, block.forward)
        blocks[self.mixer_layer].register_forward_pre_hook(self._at_mixer_layer, with_kwargs=True)

    @property
    def device(self) -> torch.device:
        return torch.device(self.backbone.device)

    @property
    def slot_names(self) -> list[str]:
        """Names of the mixer's slots: the backbone first, then epochs in training order."""
        return [BACKBONE_SLOT, *self.slot_adapters]

    def adapter_parameters(self, name: str) -> dict[str, nn.Parameter]:
        """Parameters of one adapter, A (R, in) and B (out, R), by the names that they have in a PEFT model."""
        weights, found = self.adapters[name].weights, {}
        for layer, down, up in zip(self.layers_of(weights), weights.down, weights.up, strict=True):
            found[f"{layer}.lora_A.{name}.weight"], found[f"{layer}.lora_B.{name}.weight"] = down, up
        return found

    def layers_of(self, weights: LoraWeights) -> dict[str, nn.Module]:
        """The layers that an adapter changes: all of them, or those from ``mixer_layer`` up."""
        return self.layers if len(weights.down) == len(self.layers) else self.all_layers

    # -- the life of an epoch ----------------------------------------------------------------------------------

    def add_adapter(self, name: str, era: str = "", seed: int = 0, *, trained: LoraWeights | None = None) -> None:
        """Take in an adapter. It gets a mixer slot when its training begins, or by :meth:`set_slots`.

        Args:
            name: its own.
            era: what the person calls the time of its text.
            seed: fixes the initial weights of a new one; torch's global generator stays as it was.
            trained: weights of one that is trained already; it is frozen.

        Raises:
            ValueError: if the name is empty, taken, or no string.
        """
        if not isinstance(name, str):
            raise ValueError(f"an epoch's name is a string, not {name!r:.80}")
        if not name or name in self.adapters or name == BACKBONE_SLOT:
            raise ValueError(f"there is already an epoch named {name!r}, or the name is empty; choose another name")
        weights = trained or new_weights(self.layers.values(), self.lora, seed, self.device)
        self.adapters[name] = Adapter(era, weights, "frozen" if trained else "new")
        self._weights.append(weights)

    def set_slots(self, names: list[str], mixer: TimeMixer) -> None:
        """Use a mixer whose slots are the backbone and ``names``, in this order.

        Raises:
            ValueError: if their numbers differ.
        """
        if mixer.slots != 1 + len(names):
            raise ValueError(f"the mixer has {mixer.slots} slots for {len(names)} epochs and the backbone")
        self.mixer = mixer.to(self.device)
        self.slot_adapters = list(names)
        self._restack()

    def begin_epoch(self, name: str) -> None:
        """Give the adapter its slot (the last) and let it train."""
        if any(adapter.state == "training" for adapter in self.adapters.values()):
            raise ValueError("another epoch is in training; finish or discard it first")
        if self.adapters[name].state == "frozen":
            raise ValueError(f"{name!r} is trained and frozen; add a new epoch instead")
        self.adapters[name] = replace(self.adapters[name], state="training")
        self.adapters[name].weights.requires_grad_(True)
        self.slot_adapters.append(name)
        self.mixer.add_slot()
        self._restack()

    def finish_epoch(self, name: str) -> None:
        """Freeze the adapter for good."""
        self.adapters[name] = replace(self.adapters[name], state="frozen")
        self.adapters[name].weights.requires_grad_(False)
        self._restack()

    def remove_adapter(self, name: str) -> None:
        """Delete an adapter and its slot; the other weights renormalise."""
        if name in self.slot_adapters:
            self.mixer.remove_slot(1 + self.slot_adapters.index(name))
            self.slot_adapters.remove(name)
        del self.adapters[name]
        self._weights = nn.ModuleList(adapter.weights for adapter in self.adapters.values())
        self.memories.pop(name, None)
        self._restack()

    def _restack(self) -> None:
        """Tell the adapted layers which adapters are frozen and which one learns (the last slot's, if any)."""
        slots = [self.adapters[name] for name in self.slot_adapters]
        self._deep = {n for n, each in enumerate(slots, 1) if self.layers_of(each.weights) is not self.layers}
        trainable = slots.pop().weights if slots and slots[-1].state == "training" else None
        self.fused.stack([adapter.weights for adapter in slots], trainable)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """``model.to(...)`` and the like move the stacked adapters too; the Time Mixer stays in float32."""
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self.mixer.float()
        self._restack()
        return self

    # -- one forward -------------------------------------------------------------------------------------------

    def forward(
        self,
        input_ids: Tensor,
        blend: Blend = "mixer",
        *,
        attention_mask: Tensor | None = None,
        cache: Any = None,
        mixer_state: BlendState | None = None,
        use_cache: bool = False,
        logits_to_keep: int = 0,
    ) -> MixtureOutput:
        """Run the mixture over ``input_ids`` (B, T).

        Args:
            input_ids: token ids (B, T); with a cache, only the new ones.
            blend: in all rows or in each; see :mod:`tlora_gui.temporal.blend`.
            attention_mask: (B, past + T), as transformers takes it.
            cache: transformers' cache of earlier positions.
            mixer_state: the mixer's state of earlier positions (a blend per row has its own kind); goes with the cache.
            use_cache: return a cache.
            logits_to_keep: how many last positions get logits; 0 for all.

        Raises:
            ValueError: what :func:`~tlora_gui.temporal.blend.refuse_misfit` refuses; or if a cache is wanted from a
                backbone that keeps none, or none of layers while an adapter reaches below ``mixer_layer``.
        """
        refuse_misfit(blend, self.mixer.slots, len(input_ids))
        if cache is not None and input_ids.shape[1] > 1 and not self._cache_format.takes_pieces:
            whole = self._token_by_token(input_ids, blend, attention_mask, cache, mixer_state)
            logits_BTV = whole.logits_BTV[:, -logits_to_keep:]
            return replace(whole, logits_BTV=logits_BTV, cache=whole.cache if use_cache else None)
        positions = {}
        if attention_mask is not None and "position_ids" in signature(self.backbone.forward).parameters:
            # Real tokens alone are counted, so that a left-padded row is the row itself.
            counted_BT = (attention_mask.long().cumsum(-1) - 1).clamp(min=0)
            positions["position_ids"] = counted_BT[:, -input_ids.shape[1] :]
        past = [] if cache is None else self._mixed.get(cache, [])
        given = {"input_ids": input_ids, "attention_mask": attention_mask, "use_cache": use_cache, **positions}
        now = Forward(blend, input_ids, mixer_state, attention_mask, past, decided=bool(self._deep))
        if now.decided:
            if (before := None if cache is None else self._bare.get(cache)) is None and cache is not None:
                raise ValueError("the cache was begun before an adapter reached below mixer_layer; begin anew")
            now.hidden_BTH, handed = self._read_bare(**given, **self._cache_format.handed(before))
            self._decide(now)
        with self.fused.run(now):
            output = self.backbone(**given, logits_to_keep=logits_to_keep, **self._cache_format.handed(cache))
        assert now.weights_BTS is not None and now.hidden_BTH is not None
        cache = self._cache_format.given(output) if use_cache else None
        if cache is not None:
            past.append(now.weights_BTS)
            self._mixed[cache] = past
            if now.decided:
                self._bare[cache] = self._cache_format.complete(handed, cache, self.mixer_layer)
        return MixtureOutput(output.logits, now.weights_BTS, now.hidden_BTH, cache, now.state_after)

    def try_cache(self) -> None:
        """Find out how the backbone goes on from a cache, if that is not known; its products must be its own then."""
        _ = self._cache_format.takes_pieces

    def can_crop(self, cache: Any) -> bool:
        """Whether tokens at the end of a cache can be taken away again."""
        return all(self._cache_format.can_crop(each) for each in self._caches(cache))

    def crop(self, cache: Any, tokens: int) -> None:
        """Leave the first ``tokens`` of a cache that can be cropped."""
        for each in self._caches(cache):
            self._cache_format.crop(each, tokens)
        self._mixed[cache] = [torch.cat(self._mixed[cache], dim=1)[:, :tokens]]

    @property
    def token_bytes(self) -> int | None:
        """What a token of a text takes in the cache; None where :meth:`select_rows` knows nothing of it."""
        return self._cache_format.token_bytes

    def select_rows(self, cache: Any, rows: list[int]) -> None:
        """Leave these rows of a batch's cache."""
        layers = {id(layer): layer for each in self._caches(cache) for layer in each.layers}  # some are shared
        for layer in layers.values():
            layer.batch_select_indices(rows)
        self._mixed[cache] = [weights_BTS[rows] for weights_BTS in self._mixed[cache]]

    @torch.inference_mode()
    def copy_cache(self, cache: Any) -> Any:
        """Another cache of the same tokens."""
        copied, *bare = deepcopy(self._caches(cache))  # at once: they share layers
        self._mixed[copied] = list(self._mixed[cache])
        if bare:
            self._bare[copied] = bare[0]
        return copied

    def _caches(self, cache: Any) -> list[Any]:
        """The mixture's, and the bare backbone's if there is one."""
        return [cache, *([self._bare[cache]] if cache in self._bare else [])]

    def _token_by_token(
        self, input_ids: Tensor, blend: Blend, mask: Tensor | None, cache: Any, state: BlendState | None
    ) -> MixtureOutput:
        """What :meth:`forward` gives with a cache, for a backbone that goes on from it by one token only."""
        steps: list[MixtureOutput] = []
        for left, id_B1 in enumerate(input_ids.split(1, dim=1), 1 - input_ids.shape[1]):
            seen = None if mask is None else mask[:, : mask.shape[1] + left]
            steps.append(self(id_B1, blend, attention_mask=seen, cache=cache, mixer_state=state, use_cache=True))
            cache, state = steps[-1].cache, steps[-1].mixer_state
        parts = zip(*((step.logits_BTV, step.weights_BTS, step.hidden_BTH) for step in steps), strict=True)
        logits_BTV, weights_BTS, hidden_BTH = (torch.cat(part, dim=1) for part in parts)
        return MixtureOutput(logits_BTV, weights_BTS, hidden_BTH, cache, joined([step.mixer_state for step in steps]))

    def next_token_loss(self, input_ids: Tensor, blend: Blend = "mixer", hidden_BTH: Tensor | None = None) -> Loss:
        """Mean cross-entropy of each next token, in nats, without the (tokens × vocabulary) logits in memory.

        Args:
            input_ids: token ids (B, T).
            blend: as in :meth:`forward`.
            hidden_BTH: what :meth:`features` gave for these ids; the blocks below ``mixer_layer`` are skipped then,
                unless an adapter changes them.
        """
        refuse_misfit(blend, self.mixer.slots, len(input_ids))
        head = self._plain_head
        plain = input_ids.shape[1] <= _SHORT and self.device.type == "cpu" and not self.recompute_activations
        now = Forward(blend, input_ids, hidden_BTH=hidden_BTH, until="head" if head else "end")
        now.decided = blend in self._deep if isinstance(blend, int) else bool(self._deep)
        if now.decided:
            now.hidden_BTH = self.features(input_ids) if hidden_BTH is None else hidden_BTH
            self._decide(now)
        with _plain_attention(self._unbiased) if plain else nullcontext(), self.fused.run(now), suppress(_Reached):
            output = self.backbone(input_ids=input_ids, use_cache=False)
        assert now.hidden_BTH is not None
        if head is not None:
            assert now.last_BTH is not None
            weight_VH = self.fused.cast_weight(head) if torch.is_autocast_enabled(self.device.type) else head.weight
            loss = hidden_loss(now.last_BTH, weight_VH, head.bias, input_ids)
        else:
            loss = logits_loss(output.logits, input_ids)
        return Loss(loss, now.hidden_BTH)

    # -- what tokens say by their counts -----------------------------------------------------------------------

    def count_evidence(self, input_ids: Tensor, names: Sequence[str] | None = None) -> Tensor | None:
        """What the tokens' counts say for every slot (B, T, S), in nats: see
        :class:`~tlora_gui.temporal.switching.TokenCounts`. None where the mixer does not ask them.

        Args:
            input_ids: token ids (B, T).
            names: adapters of slots 1 …; those of the model's slots by default.
        """
        if not self.mixer.settings.counts:
            return None
        memories = [self.memories.get(name) for name in (self.slot_adapters if names is None else names)]
        if self._counts is None or self._counts[0] != memories:
            counts = [None if memory is None else memory.counted for memory in memories]
            self._counts = memories, TokenCounts(counts, self._vocabulary, self.device)
        return self._counts[1].evidence(input_ids.to(self.device))

    @torch.inference_mode()
    def reasons(self, blend: RowBlend, mixer_state: BlendState | None) -> Reasons | None:
        """Why the tokens of one text that were read last have their slots; None where no filter alone decides.

        Args:
            blend: that they were read by.
            mixer_state: what :meth:`forward` gave for them.
        """
        mixer = self.mixer if isinstance(blend, str) else blend
        return mixer.reasons(cast(MixerState | None, mixer_state)) if isinstance(mixer, TimeMixer) else None

    @torch.inference_mode()
    def smoothed(self, input_ids: Tensor) -> Tensor | None:
        """The probability of every slot at every token (B, T, S) of whole texts, given what comes after it too; None
        without a filter."""
        if not self.mixer.settings.filters:
            return None
        return self.mixer.smoothed(self.features(input_ids), self.count_evidence(input_ids))

    def fit_switching(self, generator: torch.Generator) -> None:
        """Fit the mixer's filter to what is remembered of its slots, if it has one."""
        slots = enumerate(self.memories.get(name) for name in ("", *self.slot_adapters))
        memories = {slot: memory for slot, memory in slots if memory is not None}
        fit_switching(self.mixer, memories, self._vocabulary, generator)

    @property
    def _vocabulary(self) -> int:
        return int(self.backbone.get_input_embeddings().weight.shape[0])

    def features(self, input_ids: Tensor) -> Tensor:
        """What the mixer reads (B, T, H), at the cost of the blocks below ``mixer_layer`` alone."""
        return self._read_bare(input_ids=input_ids, use_cache=False)[0]

    @cached_property
    def _unbiased(self) -> bool:
        """Whether no layer of the blocks has a bias: queries' and keys' make scores so large that 16 bits blur them."""
        return all(getattr(layer, "bias", None) is None for layer in self.all_layers.values())

    @cached_property
    @torch.no_grad()
    def _plain_head(self) -> nn.Linear | None:
        """The output layer, if logits are what it gives and nothing more (some models scale or cap them)."""
        head = self.backbone.get_output_embeddings()
        if not isinstance(head, nn.Linear):
            return None
        given: list[Tensor] = []
        with head.register_forward_hook(lambda module, args, output: given.append(output)):
            logits_BTV = self.backbone(input_ids=torch.zeros(1, 2, dtype=torch.long, device=self.device)).logits
        if len(given) != 1 or not torch.equal(given[0], logits_BTV):
            return None
        head.register_forward_pre_hook(self._stop_before_head)
        return head

    def _stop_before_head(self, module: nn.Module, args: tuple[Tensor]) -> None:
        now = self.fused.running
        if now is not None and now.until == "head":
            now.last_BTH = args[0]
            raise _Reached

    def _run_block(self, forward: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """A decoder block: skipped if what comes out below ``mixer_layer`` is known; run now, and where there are
        adapters, in the backward pass again if that is wanted."""
        now = self.fused.running
        if now is not None and now.mix is None and now.hidden_BTH is not None:
            hidden_BTH = args[0] if args else kwargs["hidden_states"]
            return (hidden_BTH,) if self._wraps else hidden_BTH
        if now is None or now.mix is None or not self.recompute_activations or not torch.is_grad_enabled():
            output = forward(*args, **kwargs)
            self._wraps = isinstance(output, tuple)
            return output
        again: dict[str, Any] = {"use_reentrant": False, "preserve_rng_state": False}
        return checkpoint(forward, *args, context_fn=lambda: (nullcontext(), self.fused.run(now)), **again, **kwargs)

    def _read_bare(self, **given: Any) -> tuple[Tensor, tuple[Any, ...]]:
        """What the mixer reads (B, T, H), and all that the bare backbone hands to block ``mixer_layer``."""
        with self.fused.run(Forward(until="mixer")) as now, suppress(_Reached):
            self.backbone(**given)
        assert now.hidden_BTH is not None
        return now.hidden_BTH, now.handed

    def _decide(self, now: Forward) -> None:
        """Make weights of what the mixer reads, and the mix of them, which the layers add from now on."""
        assert now.hidden_BTH is not None
        mask_BT = None if now.attention_mask is None else now.attention_mask[:, -now.hidden_BTH.shape[1] :]
        read = Read(now.hidden_BTH)
        if now.ids_BT is not None and not isinstance(now.blend, (int, Tensor)):
            read = Read(now.hidden_BTH, self.count_evidence(now.ids_BT))
        now.weights_BTS, now.state_after = weigh(now.blend, self.mixer, read, now.state, mask_BT)
        now.mix = self.fused.mix(now.weights_BTS, now.blend if isinstance(now.blend, int) else None, now.past)

    def _at_mixer_layer(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Before block ``mixer_layer``: read the hidden state, and decide unless that was done."""
        now = self.fused.running
        if now is None or now.decided:
            return None
        if now.hidden_BTH is not None:
            args, kwargs = (now.hidden_BTH, *args[1:]), {k: v for k, v in kwargs.items() if k != "hidden_states"}
        hidden_BTH = args[0] if args else kwargs["hidden_states"]
        if hidden_BTH.ndim != 3 or hidden_BTH.shape[-1] != self.mixer.hidden_size:
            wanted = f"(batch, tokens, {self.mixer.hidden_size})"
            raise ValueError(f"what decoder blocks hand on is {tuple(hidden_BTH.shape)}, not {wanted}")
        now.hidden_BTH = hidden_BTH
        if now.until == "mixer":
            now.handed = (*args, *kwargs.values())
            raise _Reached
        self._decide(now)
        return args, kwargs


class _Reached(Exception):
    """Ends a forward that wanted no more than it has found."""


_SHORT = 128
"""Tokens up to which a CPU learns faster by plain attention than by the flash kernel (2.8 times, in bf16)."""


@contextmanager
def _plain_attention(in_precision: bool) -> Iterator[None]:
    """Attention as plain products, in the precision of all others if wanted; torch's own choice is float32."""
    allowed = torch.backends.cuda.fp16_bf16_reduction_math_sdp_allowed()
    torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(in_precision)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(allowed)
