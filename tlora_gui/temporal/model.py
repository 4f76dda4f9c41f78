"""TemporalLoRA: a frozen backbone, its epochs and the Time Mixer in one forward."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from inspect import signature
from pathlib import Path
from typing import Any, Literal, Self

import torch
from peft import LoraConfig, PeftModel
from torch import Tensor, nn
from transformers import PreTrainedModel

from tlora_gui.temporal.active_sleep import EpochMemory
from tlora_gui.temporal.adapters import PeftAdapters, decoder_blocks
from tlora_gui.temporal.config import LoraSettings, MixerSettings
from tlora_gui.temporal.lora import FusedLora, Mix
from tlora_gui.temporal.time_mixer import MixerState, TimeMixer

BACKBONE_SLOT = "Eternity"

Blend = Literal["mixer"] | TimeMixer | int | Tensor
"""Who speaks: the model's Time Mixer, another one over the same slots, one slot alone (0 is the backbone), or fixed
weights over slots (S,)."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """An epoch's adapter inside the model. ``adapter_name`` is PEFT's key, ``state`` one of new, training, frozen."""

    adapter_name: str
    era: str
    state: Literal["new", "training", "frozen"] = "new"


@dataclass(frozen=True, slots=True)
class MixtureOutput:
    """One forward.

    Attributes:
        logits_BTV: next-token logits (the last ``logits_to_keep`` positions if given).
        weights_BTS: mix in force at every position; rows sum to 1.
        hidden_BTH: what the mixer read: the input of block ``mixer_layer``.
        past_key_values: transformers' cache, or None.
        mixer_state: the mixer's own memory after the last position.
    """

    logits_BTV: Tensor
    weights_BTS: Tensor
    hidden_BTH: Tensor
    past_key_values: Any
    mixer_state: MixerState | None


class TemporalLoRA(nn.Module):
    """Frozen causal LM + K LoRA adapters + Time Mixer.

    The mixer reads the hidden state entering decoder block ``mixer_layer``; LoRA lives in the blocks from there up.
    What the mixer reads therefore never moves when epochs are added, and one pass gives both weights and logits.

    Args:
        backbone: any transformers causal LM whose decoder blocks form one ``nn.ModuleList``.
        lora: rank, scaling and first adapted block.
        mixer: the Time Mixer's settings.
        backbone_name: what adapter folders name as their base model.
    """

    def __init__(
        self,
        backbone: PreTrainedModel,
        lora: LoraSettings | None = None,
        mixer: MixerSettings | None = None,
        backbone_name: str = "",
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
        self._peft = PeftAdapters(backbone, self.lora, self.mixer_layer, backbone_name)
        self._pass = _Pass()
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

    @property
    def peft_model(self) -> PeftModel:
        """PEFT's view of the backbone; for saving and loading adapters.

        Raises:
            LookupError: before the first adapter is added.
        """
        return self._peft.peft_model

    @property
    def backbone_name(self) -> str:
        """What adapter folders name as their base model."""
        return self._peft.backbone_name

    @property
    def reserved_names(self) -> frozenset[str]:
        """Names that no adapter may have."""
        return self._peft.reserved_names

    def adapter_parameters(self, name: str) -> dict[str, nn.Parameter]:
        """PEFT's parameters of one adapter, by their full names."""
        return self._peft.parameters(name)

    def backbone_parameters(self) -> dict[str, nn.Parameter]:
        """Every parameter that is not an adapter's, by the name it had before PEFT wrapped it."""
        return {
            full.replace(".base_layer.", "."): p for full, p in self.backbone.named_parameters() if ".lora_" not in full
        }

    # -- the life of an epoch ----------------------------------------------------------------------------------

    def lora_config(self) -> LoraConfig:
        """The ordinary PEFT configuration that every epoch of this model has."""
        return self._peft.config()

    def add_adapter(self, name: str, era: str = "", seed: int = 0) -> None:
        """Create an untrained adapter. It gets a mixer slot when its training begins.

        ``seed`` fixes its initial weights and leaves torch's global generator as it was.

        Raises:
            ValueError: if the name is taken or PEFT could not use it as a module name.
        """
        self._refuse_taken(name)
        self._peft.add(name, seed)
        self.adapters[name] = Adapter(name, era)
        self._restack()

    def load_adapter(self, name: str, folder: str | Path, era: str = "") -> None:
        """Take in a trained adapter from a plain PEFT folder, frozen. Give it a slot with :meth:`set_slots`.

        Raises:
            ValueError: if it is not an ordinary LoRA adapter over this model's layers; the model stays as it was.
            OSError: if the weights cannot be read.
        """
        self._refuse_taken(name)
        try:
            self._peft.load(name, Path(folder))
            self.adapters[name] = Adapter(name, era, "frozen")
        finally:
            self._restack()

    def _refuse_taken(self, name: str) -> None:
        if name in self.adapters or name == BACKBONE_SLOT:
            raise ValueError(f"there is already an epoch named {name!r}; choose another name")

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
        self.memories.pop(name, None)
        self._peft.delete(name)
        self._restack()

    def _set_state(self, name: str, state: Literal["new", "training", "frozen"]) -> None:
        self.adapters[name] = replace(self.adapters[name], state=state)

    def _restack(self) -> None:
        """Tell the adapted layers who is frozen and who is learning."""
        if self._peft.fused is not None:
            live = next((name for name in self.slot_adapters if self.adapters[name].state == "training"), None)
            self._peft.stack([name for name in self.slot_adapters if name != live], live)

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
        past_key_values: Any = None,
        mixer_state: MixerState | None = None,
        use_cache: bool = False,
        logits_to_keep: int = 0,
    ) -> MixtureOutput:
        """Run the mixture over ``input_ids`` (B, T).

        Args:
            input_ids: token ids (B, T); with a cache, only the new ones.
            blend: the Time Mixer or another, one slot alone, or fixed weights (S,).
            attention_mask: (B, past + T), as transformers takes it.
            past_key_values: transformers' cache of earlier positions.
            mixer_state: the mixer's state of earlier positions; goes with the cache.
            use_cache: return a cache.
            logits_to_keep: how many last positions get logits; 0 for all.

        Raises:
            ValueError: if the blend names a slot that is not there, or weighs more or fewer slots than there are.
        """
        self._refuse_misfit(blend)
        self._pass = _Pass(blend, mixer_state, attention_mask)
        output = self.backbone(
            input_ids=input_ids,
            attention_mask=attention_mask,
            past_key_values=past_key_values,
            use_cache=use_cache,
            logits_to_keep=logits_to_keep,
            **self._positions(input_ids, attention_mask),
        )
        done = self._pass
        assert done.weights_BTS is not None and done.hidden_BTH is not None
        cache = output.past_key_values if use_cache else None
        return MixtureOutput(output.logits, done.weights_BTS, done.hidden_BTH, cache, done.state_after)

    def _positions(self, input_ids: Tensor, attention_mask: Tensor | None) -> dict[str, Tensor]:
        """Positions that count real tokens only, so that a left-padded row is the row itself, where these are taken."""
        if attention_mask is None or "position_ids" not in signature(self.backbone.forward).parameters:
            return {}
        return {"position_ids": (attention_mask.long().cumsum(-1) - 1).clamp(min=0)[:, -input_ids.shape[1] :]}

    def features(self, input_ids: Tensor) -> Tensor:
        """What the mixer reads (B, T, H), at the cost of the blocks below ``mixer_layer`` alone."""
        before, self._pass = self._pass, _Pass(stop=True)
        try:
            with suppress(_Reached):
                self.backbone(input_ids=input_ids, use_cache=False)
            assert self._pass.hidden_BTH is not None
            return self._pass.hidden_BTH
        finally:
            self._pass = before

    def _decide(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Before block ``mixer_layer``: read the hidden state, decide the weights, set the mix for the layers above."""
        now = self._pass
        hidden_BTH = args[0] if args else kwargs["hidden_states"]
        now.hidden_BTH = hidden_BTH
        if now.stop:
            raise _Reached
        batch, tokens, _ = hidden_BTH.shape
        if isinstance(now.blend, (str, TimeMixer)):
            mixer = self.mixer if isinstance(now.blend, str) else now.blend
            mask_BT = None if now.attention_mask is None else now.attention_mask[:, -tokens:]
            logits_BTS, now.state_after = mixer(hidden_BTH, now.state, mask_BT)
            now.weights_BTS = mixer.weights(logits_BTS)
        else:
            weights_S = now.blend if isinstance(now.blend, Tensor) else self._one_hot(now.blend)
            now.weights_BTS = weights_S.to(hidden_BTH.device).expand(batch, tokens, -1)
        if self._peft.fused is not None:
            self._peft.fused.mix = self._mix(self._peft.fused, now.blend, now.weights_BTS)

    def _refuse_misfit(self, blend: Blend) -> None:
        slots = self.mixer.slots
        if isinstance(blend, Tensor) and blend.shape != (slots,):
            raise ValueError(f"the blend weighs {tuple(blend.shape)} slots, but the model has {slots} slots")
        if isinstance(blend, TimeMixer) and blend.slots != slots:
            raise ValueError(f"the mixer has {blend.slots} slots, but the model has {slots} slots")
        if isinstance(blend, int) and not 0 <= blend < slots:
            raise ValueError(f"there is no slot {blend}; the model has {slots} slots, counted from 0")

    def _one_hot(self, slot: int) -> Tensor:
        weights_S = torch.zeros(self.mixer.slots)
        weights_S[slot] = 1.0
        return weights_S

    def _mix(self, fused: FusedLora, blend: Blend, weights_BTS: Tensor) -> Mix:
        if isinstance(blend, int):
            return Mix(solo=self.slot_adapters[blend - 1]) if blend else Mix()
        return fused.mixture(weights_BTS)

    @contextmanager
    def plain_peft(self, name: str | None) -> Iterator[PeftModel]:
        """PEFT's own forward with one adapter (or none), our mixing switched off. For comparison."""
        self._pass = _Pass(0)
        try:
            with self._peft.plain(name) as peft:
                yield peft
        finally:
            self._restack()


@dataclass(slots=True)
class _Pass:
    """Inputs and findings of the forward in progress."""

    blend: Blend = "mixer"
    state: MixerState | None = None
    attention_mask: Tensor | None = None
    stop: bool = False
    weights_BTS: Tensor | None = None
    hidden_BTH: Tensor | None = None
    state_after: MixerState | None = None


class _Reached(Exception):
    """Ends a forward that only wanted the mixer's input."""
