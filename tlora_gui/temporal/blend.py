"""Blends: how much weight each slot has at every token, by a mixer or as somebody wants it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, cast

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from tlora_gui.temporal.time_mixer import Context, Filtered, Heard, MixerState, RunningMean, TimeMixer


@dataclass(frozen=True, slots=True)
class MixerOverride:
    """A mixer's weights as a person changes them. The mixer reads on whatever is done to its weights, so that between
    any two tokens this may be exchanged for another override of the same mixer, or for that mixer alone.

    Attributes:
        levels_S: what the weights are multiplied by, each 0 or more, before they are scaled to sum to 1. The mixer
            chooses among those that are left, *routing* too; if none is, slot 0 has all weight.
        manual: the levels themselves are the weights.
        temperature: divides the mixer's logits.
        hard: all weight to the largest.
        mixer: another mixer than the model's, over the same slots.
    """

    levels_S: Tensor
    manual: bool = False
    temperature: float = 1.0
    hard: bool = False
    mixer: TimeMixer | None = None

    def weights(self, mixer: TimeMixer, logits_BTS: Tensor) -> Tensor:
        """Weights over slots (B, T, S), from the logits that ``mixer`` gave."""
        levels_S = self.levels_S.to(logits_BTS)
        levels_S = torch.where(levels_S.any(), levels_S, torch.eye(mixer.slots)[0].to(levels_S))
        if self.manual:
            weights_BTS = (levels_S / levels_S.sum()).expand_as(logits_BTS)
        else:
            weights_BTS = mixer.weights(logits_BTS / self.temperature + levels_S.log())
        return one_hot(weights_BTS.argmax(-1), mixer.slots).to(weights_BTS) if self.hard else weights_BTS


RowBlend = Literal["mixer"] | TimeMixer | MixerOverride | int | Tensor
"""The blend of one text: by the model's Time Mixer, by another one over the same slots, by one of them with a person's
override, one slot alone (0 is the backbone), or fixed weights over slots (S,)."""

Blend = RowBlend | tuple[RowBlend, ...]
"""The blend of a batch: the same in every row, or each row's own."""

BlendState = MixerState | tuple[MixerState | None, ...]
"""What mixers remember of earlier tokens; of a blend per row, each row's."""


class Read(NamedTuple):
    """What mixers read of some tokens: hidden states (B, T, H), and what the tokens' counts say (B, T, S), if that is
    known; see :class:`~tlora_gui.temporal.switching.TokenCounts`."""

    hidden_BTH: Tensor
    count_evidence_BTS: Tensor | None = None


def weigh(
    blend: Blend, mixer: TimeMixer, read: Read, state: BlendState | None, mask_BT: Tensor | None
) -> tuple[Tensor, BlendState | None]:
    """Weights over slots (B, T, S) that a blend gives, and the mixers' state after the last token.

    Args:
        blend: of the batch.
        mixer: the model's own.
        read: what the mixers read.
        state: theirs before the first token, as this function gave it.
        mask_BT: 0 where a token is none.
    """
    if not isinstance(blend, tuple):
        return _weigh_alike(blend, mixer, read, cast(MixerState | None, state), mask_BT)
    states = cast(tuple[MixerState | None, ...], state or (None,) * len(blend))
    masks = (None,) * len(blend) if mask_BT is None else mask_BT.split(1)
    parts = ((None,) * len(blend) if each is None else each.split(1) for each in read)
    rows = zip(blend, map(Read, *parts), states, masks, strict=True)
    weighed = [_weigh_alike(each, mixer, one, before, mask_1T) for each, one, before, mask_1T in rows]
    return torch.cat([weights_1TS for weights_1TS, _ in weighed]), tuple(after for _, after in weighed)


def _weigh_alike(
    blend: RowBlend, mixer: TimeMixer, read: Read, state: MixerState | None, mask_BT: Tensor | None
) -> tuple[Tensor, MixerState | None]:
    if isinstance(blend, (int, Tensor)):
        weights_S = torch.eye(mixer.slots)[blend] if isinstance(blend, int) else blend
        return weights_S.to(read.hidden_BTH.device).expand(*read.hidden_BTH.shape[:2], -1), None
    mixer = _mixer_of(blend) or mixer
    logits_BTS, after = mixer(read.hidden_BTH, state, mask_BT, read.count_evidence_BTS)
    return blend.weights(mixer, logits_BTS) if isinstance(blend, MixerOverride) else mixer.weights(logits_BTS), after


def joined(states: Sequence[BlendState | None]) -> BlendState | None:
    """The state after tokens that were read one by one, as it is after all of them at once."""
    last = states[-1]
    if isinstance(last, Filtered):
        heard = [cast(Filtered, state).heard for state in states]
        evidence_BT2S = torch.cat([each.evidence_BT2S for each in heard], dim=1)
        found_BT2S = torch.cat([each.found_BT2S for each in heard], dim=1)
        return Filtered(Heard(evidence_BT2S, heard[0].before_B2S, found_BT2S), last.context)
    if last is None or isinstance(last, (RunningMean, Context)):
        return last
    return tuple(cast(MixerState | None, joined(row)) for row in zip(*cast(Any, states), strict=True))


def refuse_misfit(blend: Blend, slots: int, batch: int) -> None:
    """Raise ``ValueError`` for a blend that a model with so many slots cannot follow in a batch of so many rows."""
    if isinstance(blend, tuple) and len(blend) != batch:
        raise ValueError(f"there are {len(blend)} blends for {batch} rows")
    for each in blend if isinstance(blend, tuple) else (blend,):
        if not (isinstance(each, (int, Tensor, TimeMixer, MixerOverride)) or each == "mixer"):
            raise ValueError(f"there is no blend {each!r:.80}; give 'mixer', a slot's number, weights or a mixer")
        weights_S = each.levels_S if isinstance(each, MixerOverride) else each
        if isinstance(weights_S, Tensor) and weights_S.shape != (slots,):
            raise ValueError(f"the blend weighs {tuple(weights_S.shape)} slots, but the model has {slots} slots")
        if (mixer := _mixer_of(each)) and mixer.slots != slots:
            raise ValueError(f"the mixer has {mixer.slots} slots, but the model has {slots} slots")
        if isinstance(each, int) and not 0 <= each < slots:
            raise ValueError(f"there is no slot {each}; the model has {slots} slots, counted from 0")


def _mixer_of(blend: RowBlend) -> TimeMixer | None:
    """The mixer that a blend brings with it."""
    mixer = blend.mixer if isinstance(blend, MixerOverride) else blend
    return mixer if isinstance(mixer, TimeMixer) else None
