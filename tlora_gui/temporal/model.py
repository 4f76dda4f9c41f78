"""TemporalLoRA: a frozen backbone, its epochs and the Time Mixer in one forward."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from functools import cached_property, partial
from inspect import signature
from typing import Any, Literal, Self
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel

from tlora_gui.temporal.active_sleep import EpochMemory
from tlora_gui.temporal.blend import Blend, BlendState, refuse_misfit, weigh
from tlora_gui.temporal.cache import CacheFormat
from tlora_gui.temporal.config import LoraSettings, MixerSettings
from tlora_gui.temporal.cross_entropy import hidden_loss, logits_loss
from tlora_gui.temporal.layers import adapted_layers, decoder_blocks, new_weights
from tlora_gui.temporal.lora import Forward, FusedLora, LoraWeights
from tlora_gui.temporal.time_mixer import TimeMixer

BACKBONE_SLOT = "Eternity"

State = Literal["new", "training", "frozen"]


@dataclass(frozen=True, slots=True)
class Adapter:
    """An epoch's adapter inside the model; ``state`` is one of new, training, frozen."""

    era: str
    weights: LoraWeights
    state: State = "new"


@dataclass(frozen=True, slots=True)
class MixtureOutput:
    """One forward.

    Attributes:
        logits_BTV: next-token logits (the last ``logits_to_keep`` positions if given).
        weights_BTS: mix in force at every position; rows sum to 1.
        hidden_BTH: what the mixer read: the input of block ``mixer_layer``.
        cache: transformers' cache, or None.
        mixer_state: what the blend's mixer, if it has one, remembers after the last position.
    """

    logits_BTV: Tensor
    weights_BTS: Tensor
    hidden_BTH: Tensor
    cache: Any
    mixer_state: BlendState | None


@dataclass(frozen=True, slots=True)
class Loss:
    """Mean next-token loss (nats, a scalar that backpropagates), and what the mixer read (B, T, H)."""

    loss: Tensor
    hidden_BTH: Tensor


class TemporalLoRA(nn.Module):
    """Frozen causal LM + K LoRA adapters + Time Mixer.

    The mixer reads the hidden state entering decoder block ``mixer_layer``; LoRA lives in the blocks from there up.
    What the mixer reads therefore never moves when epochs are added, and one pass gives both weights and logits.

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
        config = backbone.config.get_text_config()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.mixer = TimeMixer(config.hidden_size, mixer or MixerSettings()).to(self.device)
        self.memories: dict[str, EpochMemory] = {}
        self.adapters: dict[str, Adapter] = {}
        self.slot_adapters: list[str] = []
        self.layers = adapted_layers(backbone, self.mixer_layer)
        self._cache_format = CacheFormat(backbone)
        self._fused: FusedLora[_Pass] = FusedLora(self.layers.values())
        self._mixed: WeakKeyDictionary[Any, list[Tensor]] = WeakKeyDictionary()  # by cache, for who reads it again
        self._weights = nn.ModuleList()
        self._wraps = self._recomputes = False
        for index, block in enumerate(blocks):
            block.forward = partial(self._skip if index < self.mixer_layer else self._speak, block.forward)
        blocks[self.mixer_layer].register_forward_pre_hook(self._decide, with_kwargs=True)

    # -- what it holds ------------------------------------------------------------------------------------------

    @property
    def device(self) -> torch.device:
        device: torch.device = self.backbone.device
        return device

    @property
    def slot_names(self) -> list[str]:
        """Names of the mixer's slots: the backbone first, then epochs in training order."""
        return [BACKBONE_SLOT, *self.slot_adapters]

    def adapter_parameters(self, name: str) -> dict[str, nn.Parameter]:
        """Parameters of one adapter, A (R, in) and B (out, R), by the names that they have in a PEFT model."""
        weights, found = self.adapters[name].weights, {}
        for layer, down, up in zip(self.layers, weights.down, weights.up, strict=True):
            found[f"{layer}.lora_A.{name}.weight"], found[f"{layer}.lora_B.{name}.weight"] = down, up
        return found

    def backbone_parameters(self) -> dict[str, nn.Parameter]:
        """The backbone's parameters by name."""
        return dict(self.backbone.named_parameters())

    # -- the life of an epoch ----------------------------------------------------------------------------------

    def add_adapter(self, name: str, era: str = "", seed: int = 0) -> None:
        """Create an untrained adapter. It gets a mixer slot when its training begins.

        ``seed`` fixes its initial weights and leaves torch's global generator as it was.

        Raises:
            ValueError: if the name is empty or taken.
        """
        self._add(name, Adapter(era, new_weights(self.layers.values(), self.lora, seed, self.device)))

    def add_trained_adapter(self, name: str, weights: LoraWeights, era: str = "") -> None:
        """Take in the weights of a trained adapter, frozen. Give it a slot with :meth:`set_slots`.

        Raises:
            ValueError: if the name is empty or taken.
        """
        self._add(name, Adapter(era, weights, "frozen"))

    def _add(self, name: str, adapter: Adapter) -> None:
        if not name or name in self.adapters or name == BACKBONE_SLOT:
            raise ValueError(f"there is already an epoch named {name!r}, or the name is empty; choose another name")
        self.adapters[name] = adapter
        self._weights.append(adapter.weights)

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
        self._set_state(name, "training")
        self.slot_adapters.append(name)
        self.mixer.add_slot()
        self._restack()

    def finish_epoch(self, name: str) -> None:
        """Freeze the adapter for good."""
        self._set_state(name, "frozen")
        self._restack()

    def remove_adapter(self, name: str) -> None:
        """Delete an adapter and its slot; the other weights renormalise."""
        if name in self.slot_adapters:
            index = 1 + self.slot_adapters.index(name)
            self.slot_adapters.remove(name)
            self.mixer.remove_slot(index)
        del self.adapters[name]
        self._weights = nn.ModuleList(adapter.weights for adapter in self.adapters.values())
        self.memories.pop(name, None)
        self._restack()

    def _set_state(self, name: str, state: State) -> None:
        self.adapters[name] = replace(self.adapters[name], state=state)
        self.adapters[name].weights.requires_grad_(state == "training")

    def _restack(self) -> None:
        """Tell the adapted layers who is frozen and who is learning (the last slot, if any)."""
        slots = [self.adapters[name] for name in self.slot_adapters]
        trainable = slots.pop().weights if slots and slots[-1].state == "training" else None
        self._fused.stack([adapter.weights for adapter in slots], trainable)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """``model.to(...)`` and its kin move the stacked adapters too."""
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
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
            blend: who speaks, in all rows or in each; see :mod:`tlora_gui.temporal.blend`.
            attention_mask: (B, past + T), as transformers takes it.
            cache: transformers' cache of earlier positions.
            mixer_state: the mixer's state of earlier positions (a blend per row has its own kind); goes with the cache.
            use_cache: return a cache.
            logits_to_keep: how many last positions get logits; 0 for all.

        Raises:
            ValueError: if the blend names a slot that is not there, or weighs more or fewer slots than there are, or if
                there are more or fewer blends than rows, or if a cache is wanted from a backbone that keeps none.
        """
        refuse_misfit(blend, self.mixer.slots, len(input_ids))
        if cache is not None and input_ids.shape[1] > 1 and not self._cache_format.takes_pieces:
            return self._token_by_token(input_ids, blend, attention_mask, cache, mixer_state, use_cache, logits_to_keep)
        past = self._mixed.get(cache, []) if cache is not None else []
        now = _Pass(blend=blend, state=mixer_state, attention_mask=attention_mask, past=past)
        with self._fused.run(now):
            output = self.backbone(
                input_ids=input_ids,
                attention_mask=attention_mask,
                use_cache=use_cache,
                logits_to_keep=logits_to_keep,
                **self._cache_format.handed(cache),
                **self._positions(input_ids, attention_mask),
            )
        assert now.weights_BTS is not None and now.hidden_BTH is not None
        given = self._cache_format.given(output) if use_cache else None
        if given is not None:
            past.append(now.weights_BTS)
            self._mixed[given] = past
        return MixtureOutput(output.logits, now.weights_BTS, now.hidden_BTH, given, now.state_after)

    def _token_by_token(
        self,
        input_ids: Tensor,
        blend: Blend,
        attention_mask: Tensor | None,
        cache: Any,
        mixer_state: BlendState | None,
        use_cache: bool,
        logits_to_keep: int,
    ) -> MixtureOutput:
        """What :meth:`forward` gives, for a backbone that goes on from a cache by one token only."""
        steps: list[MixtureOutput] = []
        after = range(1 - input_ids.shape[1], 1)
        for id_B1, left in zip(input_ids.split(1, dim=1), after, strict=True):
            mask = None if attention_mask is None else attention_mask[:, : attention_mask.shape[1] + left]
            step = self(id_B1, blend, attention_mask=mask, cache=cache, mixer_state=mixer_state, use_cache=True)
            cache, mixer_state = step.cache, step.mixer_state
            steps.append(step)
        return MixtureOutput(
            torch.cat([step.logits_BTV for step in steps[-logits_to_keep:]], dim=1),
            torch.cat([step.weights_BTS for step in steps], dim=1),
            torch.cat([step.hidden_BTH for step in steps], dim=1),
            cache if use_cache else None,
            mixer_state,
        )

    def _positions(self, input_ids: Tensor, attention_mask: Tensor | None) -> dict[str, Tensor]:
        """Positions that count real tokens only, so that a left-padded row is the row itself, where these are taken."""
        if attention_mask is None or "position_ids" not in signature(self.backbone.forward).parameters:
            return {}
        return {"position_ids": (attention_mask.long().cumsum(-1) - 1).clamp(min=0)[:, -input_ids.shape[1] :]}

    def next_token_loss(self, input_ids: Tensor, blend: Blend = "mixer", hidden_BTH: Tensor | None = None) -> Loss:
        """Mean cross-entropy of each next token, in nats, without the (tokens × vocabulary) logits in memory.

        Args:
            input_ids: token ids (B, T).
            blend: as in :meth:`forward`.
            hidden_BTH: what :meth:`features` gave for these ids; the blocks below ``mixer_layer`` are skipped then.
        """
        refuse_misfit(blend, self.mixer.slots, len(input_ids))
        head = self._plain_head
        plain = input_ids.shape[1] <= _SHORT and self.device.type == "cpu" and not self._recomputes
        now = _Pass(blend=blend, known_BTH=hidden_BTH, until="head" if head else "end")
        with sdpa_kernel(SDPBackend.MATH) if plain else nullcontext(), self._fused.run(now), suppress(_Reached):
            output = self.backbone(input_ids=input_ids, use_cache=False)
        assert now.hidden_BTH is not None
        if head is not None:
            assert now.last_BTH is not None
            weight_VH = self._fused.cast_weight(head) if torch.is_autocast_enabled(self.device.type) else head.weight
            loss = hidden_loss(now.last_BTH, weight_VH, head.bias, input_ids)
        else:
            loss = logits_loss(output.logits, input_ids)
        return Loss(loss, now.hidden_BTH)

    def recompute_activations(self, wanted: bool) -> None:
        """Compute the adapted blocks' activations again in the backward pass rather than keep them (checkpointing).

        transformers' own switch works in training mode only, where dropout awakes.
        """
        self._recomputes = wanted

    def features(self, input_ids: Tensor) -> Tensor:
        """What the mixer reads (B, T, H), at the cost of the blocks below ``mixer_layer`` alone."""
        with self._fused.run(_Pass(until="mixer")) as now, suppress(_Reached):
            self.backbone(input_ids=input_ids, use_cache=False)
        assert now.hidden_BTH is not None
        return now.hidden_BTH

    @cached_property
    @torch.no_grad()
    def _plain_head(self) -> nn.Linear | None:
        """The output layer, if logits are what it gives and nothing more (some models scale or cap them)."""
        head = self.backbone.get_output_embeddings()
        if not isinstance(head, nn.Linear):
            return None
        given: list[Tensor] = []
        hook = head.register_forward_hook(lambda module, args, output: given.append(output))
        try:
            logits_BTV = self.backbone(input_ids=torch.zeros(1, 2, dtype=torch.long, device=self.device)).logits
        finally:
            hook.remove()
        if len(given) != 1 or not torch.equal(given[0], logits_BTV):
            return None
        head.register_forward_pre_hook(self._stop_before_head)
        return head

    def _stop_before_head(self, module: nn.Module, args: tuple[Tensor]) -> None:
        now = self._fused.running
        if now is not None and now.until == "head":
            now.last_BTH = args[0]
            raise _Reached

    def _skip(self, forward: Callable[..., Any], hidden_states: Tensor, *args: Any, **kwargs: Any) -> Any:
        """A block below ``mixer_layer``: nothing to do if what comes out at the end is known."""
        now = self._fused.running
        if now is None or now.known_BTH is None:
            output = forward(hidden_states, *args, **kwargs)
            self._wraps = isinstance(output, tuple)
            return output
        return (hidden_states,) if self._wraps else hidden_states

    def _speak(self, forward: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """A block from ``mixer_layer`` up: run now, and in the backward pass again if that is wanted."""
        now = self._fused.running
        if now is None or not self._recomputes or not torch.is_grad_enabled():
            return forward(*args, **kwargs)
        return checkpoint(
            forward,
            *args,
            use_reentrant=False,
            preserve_rng_state=False,
            context_fn=lambda: (nullcontext(), self._fused.run(now)),
            **kwargs,
        )

    def _decide(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Before block ``mixer_layer``: read the hidden state, decide the weights, set the mix for the layers above."""
        now = self._fused.running
        if now is None:
            return None
        if now.known_BTH is not None:
            args, kwargs = (now.known_BTH, *args[1:]), {k: v for k, v in kwargs.items() if k != "hidden_states"}
        hidden_BTH = args[0] if args else kwargs["hidden_states"]
        if hidden_BTH.ndim != 3 or hidden_BTH.shape[-1] != self.mixer.hidden_size:
            wanted = f"(batch, tokens, {self.mixer.hidden_size})"
            raise ValueError(f"what decoder blocks hand on is {tuple(hidden_BTH.shape)}, not {wanted}")
        now.hidden_BTH = hidden_BTH
        if now.until == "mixer":
            raise _Reached
        mask_BT = None if now.attention_mask is None else now.attention_mask[:, -hidden_BTH.shape[1] :]
        now.weights_BTS, now.state_after = weigh(now.blend, self.mixer, hidden_BTH, now.state, mask_BT)
        now.mix = self._fused.mix(now.weights_BTS, now.blend if isinstance(now.blend, int) else None, now.past)
        return args, kwargs


@dataclass(slots=True)
class _Pass(Forward):
    """Inputs and findings of a forward."""

    blend: Blend = "mixer"
    state: BlendState | None = None
    attention_mask: Tensor | None = None
    past: Sequence[Tensor] = ()
    known_BTH: Tensor | None = None
    until: Literal["mixer", "head", "end"] = "end"
    last_BTH: Tensor | None = None
    weights_BTS: Tensor | None = None
    hidden_BTH: Tensor | None = None
    state_after: BlendState | None = None


class _Reached(Exception):
    """Ends a forward that wanted no more than it has found."""


_SHORT = 128
"""Tokens up to which a CPU learns faster by plain attention than by the flash kernel (1.6 times, in bf16)."""
