"""The step after which held-out text was predicted best, and whether it is still worth going on."""

from __future__ import annotations

import math

import torch
from torch import Tensor

LEAST_IMPROVEMENT = 0.001
"""Share of a loss by which a later one must be lower to count as better: noise alone holds no training up."""

LONG_RUN_SHARE = 0.1
"""Share of a training's measurements that its patience has at least: the longer it is, the slower is its progress."""


class BestStep:
    """The best step of a training so far.

    Attributes:
        step: after which the loss was lowest; 0 before a step was measured.
        loss: held-out loss then, in nats per token.
        state: what can be gone back to.
        no_better: measurements in a row that were no better by LEAST_IMPROVEMENT.
        patience: how many of these end the training.
    """

    def __init__(self, patience: int, measurements: int) -> None:
        self.patience = max(patience, math.ceil(LONG_RUN_SHARE * measurements))
        self.step = 0
        self.loss = math.inf
        self.state: dict[str, Tensor] = {}
        self.no_better = 0
        self._to_beat = math.inf

    @property
    def is_over(self) -> bool:
        """Whether patience is at its end."""
        return self.no_better >= self.patience

    def measure(self, step: int, loss: float, state: dict[str, Tensor]) -> None:
        """Take a measurement into account."""
        if loss < self.loss:
            self.step, self.loss, self.state = step, loss, state
        better = loss < self._to_beat * (1 - LEAST_IMPROVEMENT)
        self._to_beat, self.no_better = (loss, 0) if better else (self._to_beat, self.no_better + 1)

    def state_dict(self) -> dict[str, Tensor]:
        """All but ``state``, for safetensors; empty before a step was measured."""
        if not self.step:
            return {}
        numbers = {"step": self.step, "loss": self.loss, "no_better": self.no_better, "to_beat": self._to_beat}
        return {name: torch.tensor(value, dtype=torch.float64) for name, value in numbers.items()}

    def load_state_dict(self, numbers: dict[str, Tensor], state: dict[str, Tensor]) -> None:
        """Go on from :meth:`state_dict` and ``state``. Raises KeyError if a number is missing."""
        self.step, self.no_better = int(numbers["step"]), int(numbers["no_better"])
        self.loss, self._to_beat = float(numbers["loss"]), float(numbers["to_beat"])
        self.state = state
