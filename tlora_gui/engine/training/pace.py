"""How long the parts of a training take, and so how long the rest of it will."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Generator
from statistics import fmean
from typing import TypeVar

from tlora_gui.engine.protocol.config import TrainSettings
from tlora_gui.temporal import active_sleep

Item = TypeVar("Item")
Returned = TypeVar("Returned")

CHECKPOINT_SECONDS = 60.0
CHECKPOINT_STEPS = 50
CHECKPOINT_COST = 3.0
"""Seconds that a checkpoint may take every CHECKPOINT_SECONDS: those that take longer come more seldom."""

_LATEST = 50
"""Steps whose mean is the pace."""


class Pace:
    """Seconds that steps, measurements, samples and checkpoints take, from the latest of each.

    Attributes:
        features: of a step, the blocks below ``mixer_layer``, which later passes read back.
        mixer: one step of one Time Mixer.
        measurement, sample, checkpoint: one of each; 0 until there was one.
    """

    def __init__(self) -> None:
        self.features = self.mixer = 0.0
        self.measurement = self.sample = self.checkpoint = 0.0
        self._steps: deque[float] = deque(maxlen=_LATEST)
        self._count = 0

    def add_step(self, seconds: float, features: float, *, reread: bool) -> None:
        """Take a step into account; the very first is left out as soon as there is another, since it warms up."""
        if self._count == 1:
            self._steps.clear()
        self._count += 1
        if not reread:
            self.features = features if self._count <= 2 else 0.9 * self.features + 0.1 * features
        self._steps.append(max(1e-6, seconds - features))

    @property
    def step(self) -> float:
        """A step without its features."""
        return fmean(self._steps) if self._steps else 0.0

    def clocked(self, what: str, stream: Generator[Item, None, Returned]) -> Generator[Item, None, Returned]:
        """Pass a stream on and note the seconds that it took itself as those of ``what``, an attribute."""
        seconds = 0.0
        while True:
            started = time.perf_counter()
            try:
                item = next(stream)
            except StopIteration as end:
                setattr(self, what, seconds + time.perf_counter() - started)
                return end.value  # type: ignore[no-any-return]
            seconds += time.perf_counter() - started
            yield item

    def left(
        self,
        settings: TrainSettings,
        step: int,
        steps_per_pass: int,
        *,
        sample_every: int = 0,
        reread: bool = False,
        earlier: int = 0,
        compared: bool = False,
    ) -> float:
        """Seconds to the end.

        Args:
            settings: of the training.
            step: steps that are done.
            steps_per_pass: optimiser steps.
            sample_every: steps between samples; 0 for none.
            reread: whether later passes read features back.
            earlier: epochs before this one.
            compared: whether a second mixer learns beside.
        """
        total = steps_per_pass * settings.num_passes
        with_features = max(0, (steps_per_pass if reread else total) - step)
        seconds = (total - step) * self.step + with_features * self.features
        seconds += self.measurement * _multiples(step, total, settings.eval_every)
        seconds += self.sample * _multiples(step, total, sample_every)
        interval = min(CHECKPOINT_SECONDS, CHECKPOINT_STEPS * (self.step + self.features))
        interval = max(interval, CHECKPOINT_SECONDS * self.checkpoint / CHECKPOINT_COST)
        seconds += self.checkpoint * math.floor(seconds / max(interval, 1e-6))
        return seconds + self._end(settings, earlier, compared)

    def _end(self, settings: TrainSettings, earlier: int, compared: bool) -> float:
        """The end: memory, calibration, losses of this epoch, its backbone and every epoch's mix, and its files."""
        sleep, losses = settings.sleep, 3 + earlier + compared
        memory = self.features * sleep.memory_tokens / (settings.batch_size * settings.block_size)
        if sleep.source == "dreams":
            memory += 2 * self.measurement * sleep.memory_tokens / settings.held_out_tokens
        calibration = active_sleep.CALIBRATION_STEPS * self.mixer if sleep.enabled and sleep.memory_labels else 0.0
        return memory + calibration + losses * self.measurement + self.checkpoint


def _multiples(step: int, total: int, every: int) -> int:
    """How many steps between two, both left out, are multiples of a number."""
    return max(0, (total - 1) // every - step // every) if every else 0
