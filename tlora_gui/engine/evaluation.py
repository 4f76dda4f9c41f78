"""How well the mixture knows its epochs, on held-out text."""

from __future__ import annotations

from collections.abc import Generator

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from tlora_gui.engine.backbones import trains_in_bf16
from tlora_gui.engine.events import PerEpoch, DomainScore, Progress
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


@torch.no_grad()
def routing_accuracy(model: TemporalLoRA, held_out_NT: Tensor, slot: int) -> float:
    """Share of tokens whose dominant slot is ``slot``."""
    hits = [
        (model.mixer(model.features(part.to(model.device)))[0].argmax(-1) == slot).float().mean(-1)
        for part in held_out_NT.split(8)
    ]
    return float(torch.cat(hits).mean())


def gain_kept(score: DomainScore) -> float:
    """Share of an epoch's own gain over the backbone that the mix keeps; 1 is all of it."""
    gain = score.loss_backbone - score.loss_epoch
    return (score.loss_backbone - score.loss_mix) / gain if gain else float("nan")
