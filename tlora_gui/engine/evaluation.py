"""How well the mixture knows its epochs, on held-out text."""

from __future__ import annotations

from collections.abc import Generator

import torch
from torch import Tensor

from tlora_gui.engine.events import DomainScore, Progress
from tlora_gui.engine.training import held_out_loss
from tlora_gui.temporal.model import TemporalLoRA


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
