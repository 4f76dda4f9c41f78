"""What the banner says when long work has ended well."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from tlora_gui.engine.protocol.events import EpochInfo, Evaluated
from tlora_gui.engine.protocol.metrics import gain_kept
from tlora_gui.ui.formats import human_share
from tlora_gui.ui.translation import filled, tr


def followed() -> tuple[str, str]:
    """The project can only be looked at: why, and what to do."""
    return (
        tr("This project is open elsewhere and only followed here."),
        tr("Open it once the other window or command has ended."),
    )


def finished_text(epoch: EpochInfo) -> str:
    """An epoch is trained."""
    if epoch.held_out_loss is None or epoch.backbone_loss is None:
        return tr("{name} is trained.").format(name=epoch.name)
    return filled(
        tr("{name} is trained and frozen: held-out loss {own:.2f}, backbone {base:.2f}."),
        name=epoch.name,
        own=epoch.held_out_loss,
        base=epoch.backbone_loss,
    )


def imported_text(epoch: EpochInfo) -> str:
    """An adapter from elsewhere is an epoch."""
    if epoch.held_out_loss is None or epoch.backbone_loss is None:
        return tr("{name} is imported. The Time Mixer knows it by its own dreams.").format(name=epoch.name)
    return filled(
        tr("{name} is imported: held-out loss {own:.2f}, backbone {base:.2f}."),
        name=epoch.name,
        own=epoch.held_out_loss,
        base=epoch.backbone_loss,
    )


def scores_text(event: Evaluated, epochs: Sequence[EpochInfo]) -> str:
    """Everything is measured: the worst share of a gain that the mix keeps, and the mean routing accuracy."""
    names = {epoch.slug: epoch.name for epoch in epochs}
    kept = [
        (gain_kept(score.loss_backbone, score.loss_epoch, score.loss_mix), names.get(score.slug, score.slug))
        for score in event.scores
        if score.loss_epoch < score.loss_backbone
    ]
    parts = []
    if kept:
        share, name = min(kept)
        worst = tr("the mix keeps {share} of the gain at worst ({name})")
        parts.append(worst.format(share=human_share(share), name=name))
    routing = fmean(score.routing_accuracy for score in event.scores)
    parts.append(tr("routing accuracy {share} on average").format(share=human_share(routing)))
    return tr("Measured on held-out text: {figures}.").format(figures="; ".join(parts))
