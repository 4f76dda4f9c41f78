"""How well the mixture knows its epochs, on held-out text."""

from __future__ import annotations

import copy
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from statistics import median
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from tlora_gui.engine.backbones.finite import require_finite
from tlora_gui.engine.backbones.loading import context_length, trains_in_bf16
from tlora_gui.engine.protocol.events import DomainScore, Evaluated, PerEpoch, Progress
from tlora_gui.engine.protocol.metrics import calibration_error, switch_lag, unknown_text
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.training.ranks import Ranks
from tlora_gui.temporal.active_sleep import EpochMemory
from tlora_gui.temporal.blend import Blend
from tlora_gui.temporal.model import TemporalLoRA
from tlora_gui.temporal.time_mixer import TimeMixer

_MEASURE_BATCH = 4


def training_precision(device: torch.device) -> torch.autocast:
    """bf16 autocast where it pays, else nothing."""
    return torch.autocast(device.type, torch.bfloat16, enabled=trains_in_bf16(device))


def training_dtype(model: TemporalLoRA) -> torch.dtype:
    """What activations are worth keeping in, for a training in this precision."""
    dtype: torch.dtype = model.backbone.dtype
    return torch.bfloat16 if trains_in_bf16(model.device) else dtype


def held_out_loss(
    model: TemporalLoRA, held_out_NT: Tensor, blend: Blend, ranks: Ranks | None = None
) -> Generator[Progress, None, float]:
    """Mean next-token loss over held-out blocks, in nats per token; yields after every batch.

    Measured in the precision of training, so that the curves can be compared. Several processes take turns at the
    batches; one that has none at the end measures another in vain, as each must do as many.
    """
    ranks, total = ranks or Ranks(), 0.0
    for turn in range(0, len(held_out_NT), ranks.size * _MEASURE_BATCH):
        own = turn + ranks.index * _MEASURE_BATCH
        counts = own < len(held_out_NT)
        start = own if counts else turn
        ids_BT = held_out_NT[start : start + _MEASURE_BATCH].to(model.device)
        with torch.inference_mode(), training_precision(model.device):
            loss = model.next_token_loss(ids_BT, blend).loss
        total += counts * loss.item() * ids_BT[:, 1:].numel()
        yield Progress(say("Measuring on held-out text"), start + len(ids_BT), len(held_out_NT), say("blocks"))
    return ranks.total(total) / max(1, held_out_NT[:, 1:].numel())


@torch.no_grad()
def routing_accuracies(model: TemporalLoRA, mixer: TimeMixer, memories: Mapping[str, EpochMemory]) -> PerEpoch:
    """Per epoch, the share of its held-out tokens whose dominant slot is its own by a mixer over the model's slots."""
    found = []
    for slot, slug in enumerate(model.slot_adapters, 1):
        if slug in memories:
            memory = memories[slug]
            read_NTS = None if memory.eval_ids_NT is None else model.count_evidence(memory.eval_ids_NT)
            logits_NTS, _ = mixer(memory.eval_features_NTH.to(model.device), count_evidence_BTS=read_NTS)
            found.append((slug, float((logits_NTS.argmax(-1) == slot).float().mean())))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Routing:
    """How the Time Mixer routes blocks of an epoch's text.

    Attributes:
        slot: the epoch's own.
        weights_NTS: over all slots.
        unknown: the backbone's mean weight, if the epoch had no slot.
    """

    slot: int
    weights_NTS: Tensor
    unknown: float

    @property
    def accuracy(self) -> float:
        """Share of the tokens on which the own slot is dominant: has the largest weight."""
        return float((self.weights_NTS.argmax(-1) == self.slot).float().mean())


@torch.no_grad()
def route(model: TemporalLoRA, ids_NT: Tensor, slot: int) -> Generator[Progress, None, Routing]:
    """How blocks of text of a slot's epoch are routed; yields after every batch."""
    without, rest = copy.deepcopy(model.mixer), [each for each in range(model.mixer.slots) if each != slot]
    without.remove_slot(slot)
    found, unknown = [], 0.0
    for start in range(0, len(ids_NT), _MEASURE_BATCH):
        ids_BT = ids_NT[start : start + _MEASURE_BATCH].to(model.device)
        hidden_BTH, counts_BTS = model.features(ids_BT), model.count_evidence(ids_BT)
        found.append(_weights(model.mixer, hidden_BTH, counts_BTS).cpu())
        counts_BTS = None if counts_BTS is None else counts_BTS[..., rest]
        unknown += float(_weights(without, hidden_BTH, counts_BTS)[..., 0].sum())
        yield Progress(say("Measuring the routing"), start + len(ids_BT), len(ids_NT), say("blocks"))
    return Routing(slot, torch.cat(found), unknown / ids_NT.numel())


@torch.no_grad()
def mixer_weights(model: TemporalLoRA, ids_NT: Tensor) -> Tensor:
    """The Time Mixer's weights over blocks of text (N, T, S), at the cost of the blocks below it."""
    ids_NT = ids_NT.to(model.device)
    return _weights(model.mixer, model.features(ids_NT), model.count_evidence(ids_NT))


def _weights(mixer: TimeMixer, hidden_BTH: Tensor, counts_BTS: Tensor | None) -> Tensor:
    logits_BTS, _ = mixer(hidden_BTH, count_evidence_BTS=counts_BTS)
    return mixer.weights(logits_BTS)


def evaluate(
    model: TemporalLoRA, texts: dict[str, Tensor], baseline: dict[str, float], names: Sequence[str] = ()
) -> Generator[Progress, None, tuple[Evaluated, dict[str, Routing]]]:
    """Measure every epoch on its own held-out text, every border between two texts, and the calibration over all.

    Args:
        model: epochs of it are the texts' domains.
        texts: held-out blocks (N, T) by epoch, in order of slots.
        baseline: routing accuracies of a mixer without Active Sleep, where they are known.
        names: those that people know its slots by, the backbone's first; its own by default.

    Returns:
        What was found, and how each text is routed.

    Raises:
        TloraError: if an epoch or the mixer holds what is no number, which every figure of the mix would be then.
    """
    require_finite(model, names)
    scores, routed = [], dict[str, Routing]()
    for slug, held_out_NT in texts.items():
        routed[slug] = yield from route(model, held_out_NT, 1 + model.slot_adapters.index(slug))
        scores.append((yield from score_domain(model, slug, held_out_NT, baseline.get(slug), routed[slug])))
    lags = yield from switch_lags(model, list(texts.values()), [each.slot for each in routed.values()])
    found = Evaluated(
        tuple(scores),
        median(lags) if lags else None,
        calibration(routed.values()),
        unknown_text=unknown_text([each.unknown for each in routed.values()]) if model.mixer.slots > 2 else None,
    )
    return found, routed


class Stretch(NamedTuple):
    """Tokens ``first`` to ``end`` of the block ``block`` of an epoch's text, which another slot has.

    ``weight`` is what the epoch's own lacks over them, in tokens.
    """

    weight: float
    slug: str
    slot: int
    block: int
    first: int
    end: int


def misrouted(texts: Mapping[str, Routing], most: int) -> list[Stretch]:
    """Where other slots than an epoch's own weigh most on its text: the worst stretches, ``most`` at most."""
    found: list[Stretch] = []
    for slug, routed in texts.items():
        wrong_NT = (routed.weights_NTS.argmax(-1) != routed.slot).int()
        turns_NT = pad(wrong_NT, (1, 1)).diff(dim=-1)
        begins, ends = ((turns_NT == turn).nonzero().tolist() for turn in (1, -1))
        for (block, first), (_, end) in zip(begins, ends, strict=True):
            weights_S = routed.weights_NTS[block, first:end].sum(0)
            lacks = end - first - float(weights_S[routed.slot])
            weights_S[routed.slot] = 0
            found.append(Stretch(lacks, slug, int(weights_S.argmax()), block, first, end))
    return sorted(found, reverse=True)[:most]


def score_domain(
    model: TemporalLoRA,
    slug: str,
    held_out_NT: Tensor,
    baseline: float | None = None,
    routed: Routing | None = None,
) -> Generator[Progress, None, DomainScore]:
    """Loss of backbone, own epoch and mix (nats per token), and routing accuracy per token, on one domain.

    Routing accuracy is the share of held-out tokens whose largest weight, over all slots, the backbone's included,
    is the epoch's own. ``routed`` is how that text is routed, if known already.
    """
    slot = 1 + model.slot_adapters.index(slug)
    routed = routed or (yield from route(model, held_out_NT, slot))
    loss_backbone = yield from held_out_loss(model, held_out_NT, 0)
    loss_epoch = yield from held_out_loss(model, held_out_NT, slot)
    loss_mix = yield from held_out_loss(model, held_out_NT, "mixer")
    return DomainScore(slug, loss_backbone, loss_epoch, loss_mix, routed.accuracy, baseline)


@torch.no_grad()
def switch_lags(
    model: TemporalLoRA, texts: list[Tensor], slots: Sequence[int] = ()
) -> Generator[Progress, None, list[int]]:
    """For every ordered pair of domains, tokens after a border between two texts until the right slot is dominant.

    Args:
        model: epochs of it are the texts' domains.
        texts: held-out blocks (N, T) of each.
        slots: theirs; 1, 2, … if none are given.
    """
    slots = slots or range(1, 1 + len(texts))
    lags = []
    pairs = list(permutations(range(len(texts)), 2))
    half = context_length(model.backbone) // 2
    for done, (left, right) in enumerate(pairs):
        yield Progress(say("Measuring at borders of domains"), done, len(pairs), say("borders"))
        before_T = texts[left][right % len(texts[left])][-half:]
        after_T = texts[right][left % len(texts[right])][:half]
        weights_TS = mixer_weights(model, torch.cat([before_T, after_T])[None])[0]
        lags.append(switch_lag(weights_TS[len(before_T) :, slots[right]].tolist()))
    return lags


def calibration(routed: Iterable[Routing]) -> float:
    """Expected calibration error of the dominant slot's weight over held-out text of epochs."""
    largest: list[float] = []
    right: list[bool] = []
    for found in routed:
        weights_NT, slots_NT = found.weights_NTS.max(-1)
        largest += weights_NT.flatten().tolist()
        right += (slots_NT == found.slot).flatten().tolist()
    return calibration_error(largest, right)
