"""What the memory matrix and the line of metrics under it say, as plain numbers. No Qt."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tlora_gui.engine.protocol import metrics
from tlora_gui.engine.protocol.events import EpochInfo, Evaluated
from tlora_gui.ui.charts.series import Floats, Matrix

Measure = Literal["routing", "loss"]


@dataclass(frozen=True)
class Sheet:
    """The memory matrix by one measure.

    Attributes:
        values, baseline: with Active Sleep, and without it.
        strength: how well an epoch is remembered, 1 is all of it; NaN where nobody can say.
    """

    values: Floats
    baseline: Floats
    strength: Floats


def sheet_of(matrix: Matrix, measure: Measure, epochs: Mapping[str, EpochInfo]) -> Sheet:
    """The memory matrix by ``measure``; a loss counts by the share of the epoch's gain that is kept."""
    if measure == "routing":
        return Sheet(matrix.routing, matrix.baseline, matrix.routing)
    strength = np.full(matrix.losses.shape, np.nan)
    for column, slug in enumerate(matrix.epochs):
        strength[:, column] = [share_kept(epochs.get(slug), loss) for loss in matrix.losses[:, column].tolist()]
    return Sheet(matrix.losses, matrix.baseline_losses, strength)


@dataclass(frozen=True, slots=True)
class MetricValue:
    """One metric.

    Attributes:
        value: None if it is not known.
        without: the same, had the last phase been trained without Active Sleep.
        slug: the epoch it is about, if it is about one.
    """

    value: float | None = None
    without: float | None = None
    slug: str = ""


def metric_values(
    matrix: Matrix, epochs: Mapping[str, EpochInfo], evaluated: Evaluated | None = None
) -> dict[str, MetricValue]:
    """Every metric after the last finished phase, by its name in :data:`tlora_gui.engine.protocol.metrics.FORMULAS`.

    Phases of epochs that are not frozen do not count: their training goes on, or they speak in no mix.
    """
    frozen = [index for index, slug in enumerate(matrix.phases) if slug in epochs and epochs[slug].state == "frozen"]
    square = np.ix_(frozen, frozen)
    found = dict.fromkeys(metrics.FORMULAS, MetricValue())
    if frozen:
        found |= _of_routing(matrix.routing[square].tolist(), matrix.baseline[square][-1].tolist())
        last = frozen[-1]
        losses = {matrix.epochs[index]: float(matrix.losses[last, index]) for index in frozen}
        newest = matrix.epochs[last]
        found["gain_kept"] = _worst(
            {slug: share_kept(epochs[slug], loss) for slug, loss in losses.items() if not _gained_nothing(epochs[slug])}
        )
        found["plasticity_cost"] = _cost(epochs[newest], losses[newest], float(matrix.baseline_losses[last, last]))
    if evaluated is not None:
        found["switch_lag"] = MetricValue(_known(evaluated.switch_lag))
        found["unknown_text"] = MetricValue(_known(evaluated.unknown_text))
        found["calibration_error"] = MetricValue(_known(evaluated.calibration_error))
        if found["gain_kept"].value is None:
            found["gain_kept"] = _worst(
                {
                    score.slug: metrics.gain_kept(score.loss_backbone, score.loss_epoch, score.loss_mix)
                    for score in evaluated.scores
                    if not score.loss_backbone <= score.loss_epoch
                }
            )
    return found


def share_kept(epoch: EpochInfo | None, mix_loss: float) -> float:
    """Share of an epoch's gain over the backbone that the mix keeps; NaN if a loss is unknown or nothing was gained."""
    if epoch is None or epoch.backbone_loss is None or epoch.held_out_loss is None or _gained_nothing(epoch):
        return math.nan
    return metrics.gain_kept(epoch.backbone_loss, epoch.held_out_loss, mix_loss)


def _gained_nothing(epoch: EpochInfo) -> bool:
    """Whether the epoch alone is known to be no better than the backbone, so that there is nothing to keep."""
    if epoch.backbone_loss is None or epoch.held_out_loss is None:
        return False
    return epoch.backbone_loss <= epoch.held_out_loss


def _of_routing(scores: list[list[float]], baseline: list[float]) -> dict[str, MetricValue]:
    """The metrics of routing; ``baseline`` is the last row as it is without Active Sleep."""
    without = [*scores[:-1], baseline]
    formulas = {
        "average_accuracy": metrics.average_accuracy,
        "backward_transfer": metrics.backward_transfer,
        "forgetting": _forgetting,
    }
    return {name: MetricValue(_known(formula(scores)), _known(formula(without))) for name, formula in formulas.items()}


def _forgetting(scores: Sequence[Sequence[float]]) -> float:
    """F, but only if every epoch was measured after every phase: one gap may have been the best."""
    complete = all(math.isfinite(score) for last, row in enumerate(scores) for score in row[: last + 1])
    return metrics.forgetting(scores) if complete else math.nan


def _worst(shares: Mapping[str, float]) -> MetricValue:
    """The smallest share and whose it is, if all are known."""
    if not shares or not all(math.isfinite(share) for share in shares.values()):
        return MetricValue()
    slug = min(shares, key=shares.__getitem__)
    return MetricValue(shares[slug], slug=slug)


def _cost(epoch: EpochInfo, protected_loss: float, baseline_loss: float) -> MetricValue:
    """What protection costs an epoch, as a share of its gain."""
    if epoch.backbone_loss is None or epoch.held_out_loss is None or _gained_nothing(epoch):
        return MetricValue()
    gain = epoch.backbone_loss - epoch.held_out_loss
    cost = _known(metrics.plasticity_cost(protected_loss, baseline_loss, gain))
    return MetricValue(cost, slug="" if cost is None else epoch.slug)


def _known(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
