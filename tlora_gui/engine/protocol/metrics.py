"""What continual-learning people measure, as plain formulas over plain numbers.

``R[i][j]`` is how well epoch ``j`` does after phase ``i`` (both from 0, ``j <= i``), higher being better: routing
accuracy per token, or minus the loss in nats per token. Imports neither torch nor Qt, so the window may use it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from statistics import fmean

ScoreMatrix = Sequence[Sequence[float]]

FORMULAS = {
    "average_accuracy": "AA = mean over epochs j of R[last][j]",
    "backward_transfer": "BWT = mean over earlier epochs j of R[last][j] - R[j][j]",
    "forgetting": "F = mean over earlier epochs j of (best R[i][j] before the last phase) - R[last][j]",
    "gain_kept": "(backbone loss - mix loss) / (backbone loss - own loss), worst epoch",
    "plasticity_cost": "(mix loss with protection - mix loss without) / (backbone loss - own loss), newest epoch",
    "switch_lag": "tokens after a border of domains until the right weight stays above 0.9 for 3 tokens, median",
    "unknown_text": "weight of the backbone on an epoch's held-out text without that epoch's slot, mean over epochs",
    "calibration_error": "ECE = sum over bins of share of tokens * |mean largest weight - share routed right|",
}
"""One line each, for tooltips and tables."""

LAG_WEIGHT = 0.9
LAG_TOKENS = 3
CALIBRATION_BINS = 15


def average_accuracy(scores: ScoreMatrix) -> float:
    """AA: mean score over all epochs after the last phase (Lopez-Paz & Ranzato 2017, arXiv:1706.08840, eq. 2)."""
    return fmean(scores[-1]) if scores else nan


def backward_transfer(scores: ScoreMatrix) -> float:
    """BWT: mean change of earlier epochs since each was learned (arXiv:1706.08840, eq. 3); negative is forgetting."""
    last = len(scores) - 1
    return fmean(scores[last][j] - scores[j][j] for j in range(last)) if last > 0 else nan


def forgetting(scores: ScoreMatrix) -> float:
    """F: mean fall of earlier epochs from their best before the last phase (Chaudhry et al. 2018, arXiv:1801.10112)."""
    last = len(scores) - 1
    if last < 1:
        return nan
    return fmean(max(scores[i][j] for i in range(j, last)) - scores[last][j] for j in range(last))


def gain_kept(backbone_loss: float, epoch_loss: float, mix_loss: float) -> float:
    """Share of an epoch's own gain over the backbone that the mix keeps; losses in nats per token, 1 is all of it."""
    gain = backbone_loss - epoch_loss
    return (backbone_loss - mix_loss) / gain if gain else nan


def plasticity_cost(protected_loss: float, baseline_loss: float, gain: float) -> float:
    """What protection costs the new epoch, as a share of its own gain; losses of the mix on it in nats per token."""
    return (protected_loss - baseline_loss) / gain if gain else nan


def switch_lag(right_weights: Sequence[float]) -> int:
    """Tokens after a border until the right slot's weight stays above 0.9 for 3 tokens; all of them if it never does.

    Args:
        right_weights: weight of the right slot, token by token from the border on.
    """
    run = 0
    for index, weight in enumerate(right_weights):
        run = run + 1 if weight > LAG_WEIGHT else 0
        if run == LAG_TOKENS:
            return index + 1 - LAG_TOKENS
    return len(right_weights)


def unknown_text(backbone_weights: Sequence[float]) -> float:
    """Of text that no epoch knows: the mean of the backbone's weights on epochs' text without their slots."""
    return fmean(backbone_weights) if backbone_weights else nan


def calibration_error(largest_weights: Sequence[float], right: Sequence[bool]) -> float:
    """Expected calibration error over 15 equal bins (Guo et al. 2017, arXiv:1706.04599, eq. 3).

    Args:
        largest_weights: the dominant slot's weight, per token.
        right: whether that slot is the token's own.
    """
    if not largest_weights:
        return nan
    gaps = [0.0] * CALIBRATION_BINS
    for weight, hit in zip(largest_weights, right, strict=True):
        gaps[min(int(weight * CALIBRATION_BINS), CALIBRATION_BINS - 1)] += weight - hit
    return sum(map(abs, gaps)) / len(largest_weights)
