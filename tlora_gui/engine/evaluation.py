"""How well the mixture knows its epochs, on held-out text."""

from __future__ import annotations

from collections.abc import Generator
from itertools import permutations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from tlora_gui.engine.backbones import context_length, trains_in_bf16
from tlora_gui.engine.events import DomainScore, PerEpoch, Progress
from tlora_gui.engine.metrics import calibration_error, switch_lag
from tlora_gui.temporal.model import Blend, TemporalLoRA
from tlora_gui.temporal.time_mixer import TimeMixer

_MEASURE_BATCH = 4


def training_precision(device: torch.device) -> torch.autocast:
    """bf16 autocast where it pays, else nothing."""
    return torch.autocast(device.type, torch.bfloat16, enabled=trains_in_bf16(device))


def next_token_loss(logits_BTV: Tensor, ids_BT: Tensor, reduction: str = "mean") -> Tensor:
    """Cross-entropy of each next token, in nats per token (``"sum"`` adds them up)."""
    return cross_entropy(logits_BTV[:, :-1].flatten(0, 1).float(), ids_BT[:, 1:].flatten(), reduction=reduction)


def held_out_loss(model: TemporalLoRA, held_out_NT: Tensor, blend: Blend) -> Generator[Progress, None, float]:
    """Mean next-token loss over held-out blocks, in nats per token; yields after every batch.

    Measured in the precision of training, so that the curves speak of one thing.
    """
    total, count = 0.0, 0
    for start in range(0, len(held_out_NT), _MEASURE_BATCH):
        ids_BT = held_out_NT[start : start + _MEASURE_BATCH].to(model.device)
        with torch.inference_mode(), training_precision(model.device):
            logits_BTV = model(ids_BT, blend).logits_BTV
        total += next_token_loss(logits_BTV, ids_BT, "sum").item()
        count += ids_BT[:, 1:].numel()
        yield Progress("Measuring on held-out text", start + len(ids_BT), len(held_out_NT), "blocks")
    return total / max(1, count)


@torch.no_grad()
def routing_accuracies(mixer: TimeMixer, slots: list[str], probes: dict[str, Tensor]) -> PerEpoch:
    """Per epoch, the share of its held-out tokens whose dominant slot is its own."""
    found = []
    for slot, slug in enumerate(slots, 1):
        if slug in probes:
            logits_NTS, _ = mixer(probes[slug].to(mixer.head.weight.device))
            found.append((slug, float((logits_NTS.argmax(-1) == slot).float().mean())))
    return tuple(found)


def score_domain(
    model: TemporalLoRA, slug: str, held_out_NT: Tensor, unprotected: float | None = None
) -> Generator[Progress, None, DomainScore]:
    """Loss of backbone, own epoch and mix (nats per token), and routing accuracy per token, on one domain.

    Routing accuracy is the share of held-out tokens whose largest weight, over all slots, the backbone's included,
    is the epoch's own.
    """
    slot = 1 + model.slot_adapters.index(slug)
    loss_backbone = yield from held_out_loss(model, held_out_NT, 0)
    loss_epoch = yield from held_out_loss(model, held_out_NT, slot)
    loss_mix = yield from held_out_loss(model, held_out_NT, "mixer")
    accuracy = routing_accuracy(model, held_out_NT, slot)
    return DomainScore(slug, loss_backbone, loss_epoch, loss_mix, accuracy, unprotected)


def routing_accuracy(model: TemporalLoRA, held_out_NT: Tensor, slot: int) -> float:
    """Share of tokens whose dominant slot is ``slot``."""
    return float((mixer_weights(model, held_out_NT).argmax(-1) == slot).float().mean())


@torch.no_grad()
def mixer_weights(model: TemporalLoRA, ids_NT: Tensor) -> Tensor:
    """The Time Mixer's weights over blocks of text (N, T, S), at the cost of the blocks below it."""
    parts = [model.mixer(model.features(part.to(model.device)))[0] for part in ids_NT.split(8)]
    return model.mixer.weights(torch.cat(parts))


@torch.no_grad()
def switch_lags(model: TemporalLoRA, texts: list[Tensor]) -> Generator[Progress, None, list[int]]:
    """For every ordered pair of domains, tokens after a border between two of their texts until the right slot speaks.

    Args:
        model: its epochs are the texts' domains, in order of slots.
        texts: held-out blocks (N, T) of each.
    """
    lags = []
    pairs = list(permutations(range(len(texts)), 2))
    half = context_length(model.backbone) // 2
    for done, (left, right) in enumerate(pairs):
        yield Progress("Measuring at borders of domains", done, len(pairs), "borders")
        before_T = texts[left][right % len(texts[left])][-half:]
        after_T = texts[right][left % len(texts[right])][:half]
        weights_TS = mixer_weights(model, torch.cat([before_T, after_T])[None])[0]
        lags.append(switch_lag(weights_TS[len(before_T) :, 1 + right].tolist()))
    return lags


def calibration(model: TemporalLoRA, texts: list[Tensor]) -> float:
    """Expected calibration error of the dominant slot's weight over held-out blocks (N, T) of every epoch."""
    largest: list[float] = []
    right: list[bool] = []
    for slot, held_out_NT in enumerate(texts, 1):
        top = mixer_weights(model, held_out_NT).flatten(0, 1).max(-1)
        largest += top.values.tolist()
        right += (top.indices == slot).tolist()
    return calibration_error(largest, right)
