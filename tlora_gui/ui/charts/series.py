"""What the charts show, as growing arrays over all phases of a project. No Qt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tlora_gui.engine.protocol.events import HeldOut, PerEpoch, TrainingEvent, TrainingSample, TrainStep
from tlora_gui.ui.settings import CurveKind, Smoothing

Floats = NDArray[np.float64]
Curve = tuple[Floats, Floats]

_FIRST_CAPACITY = 256
_MOST_SMOOTHED = 4000
_COLUMNS: tuple[CurveKind, ...] = ("loss", "distill", "rate", "gradient")
_STRENGTHS: dict[Smoothing, int] = {"light": 40, "medium": 12, "strong": 5}
"""Each window's share of the points: one in so many."""


class Columns:
    """Rows of floats, kept column by column in one array that doubles when it is full."""

    def __init__(self, width: int) -> None:
        self._data = np.empty((width, _FIRST_CAPACITY))
        self._rows = 0

    def __len__(self) -> int:
        return self._rows

    def append(self, *row: float) -> None:
        capacity = self._data.shape[1]
        if self._rows == capacity:
            grown = np.empty((self._data.shape[0], 2 * capacity))
            grown[:, :capacity] = self._data
            self._data = grown
        self._data[:, self._rows] = row
        self._rows += 1

    def truncate(self, rows: int) -> None:
        self._rows = min(self._rows, rows)

    def column(self, index: int) -> Floats:
        return self._data[index, : self._rows]


class PhaseSeries:
    """One epoch's training: its steps, its measurements and its samples, each in order of step."""

    def __init__(self, slug: str) -> None:
        self.slug = slug
        self.held_out: list[HeldOut] = []
        self.samples: list[TrainingSample] = []
        self._rows = Columns(1 + len(_COLUMNS))
        self._last_step = 0

    @property
    def steps(self) -> Floats:
        return self._rows.column(0)

    def curve(self, kind: CurveKind) -> Curve:
        """A figure over the steps; empty where it was never told."""
        values = self._rows.column(1 + _COLUMNS.index(kind))
        steps = self.steps if np.isfinite(values).any() else values[:0]
        return steps, values[: len(steps)]

    def held_out_loss(self) -> Curve:
        """Held-out loss over the steps."""
        return np.array([event.step for event in self.held_out], float), np.array([each.loss for each in self.held_out])

    def kept(self) -> Curve:
        """The best measurement, a point: its step is kept. Empty where nothing says which that is."""
        best = [event for event in self.held_out if event.best][-1:]
        return np.array([event.step for event in best], float), np.array([event.loss for event in best])

    @property
    def length(self) -> int:
        """Steps taken so far."""
        return max(self._last_step, self.held_out[-1].step if self.held_out else 0)

    def add_step(self, event: TrainStep) -> None:
        """Append a step; a step seen before means that training went back there, so what came after is dropped."""
        if event.step <= self._last_step:
            self.rewind(event.step - 1)
        gradient_norm = event.gradient_norm or np.nan  # earlier versions told none
        self._rows.append(event.step, event.adapter_loss, event.mixer_distill_loss, event.learning_rate, gradient_norm)
        self._last_step = event.step

    def add_held_out(self, event: HeldOut) -> None:
        """Append a measurement; one of the same or a later step is replaced."""
        while self.held_out and self.held_out[-1].step >= event.step:
            self.held_out.pop()
        self.held_out.append(event)

    def add_sample(self, event: TrainingSample) -> None:
        """Append a sample; one of the same or a later step is replaced."""
        self.samples = [*(sample for sample in self.samples if sample.step < event.step), event]

    def extend(self, events: Iterable[TrainingEvent]) -> None:
        """Append steps, measurements and samples."""
        for event in events:
            match event:
                case TrainStep():
                    self.add_step(event)
                case HeldOut():
                    self.add_held_out(event)
                case TrainingSample():
                    self.add_sample(event)

    def rewind(self, step: int) -> None:
        """Forget everything after ``step``."""
        self._rows.truncate(int(np.searchsorted(self.steps, step, side="right")))
        self._last_step = int(self.steps[-1]) if len(self._rows) else 0
        self.held_out = [event for event in self.held_out if event.step <= step]
        self.samples = [sample for sample in self.samples if sample.step <= step]


@dataclass(frozen=True, slots=True)
class Phase:
    """The stretch of global steps in which one epoch was trained."""

    slug: str
    start: int
    end: int


@dataclass(frozen=True)
class Matrix:
    """What was measured last of every epoch (columns) in every phase (rows); NaN where nothing was.

    Attributes:
        routing, baseline: routing accuracy with Active Sleep, and without it.
        losses, baseline_losses: of the mix, nats per token; without Active Sleep of a phase's own epoch alone.
    """

    phases: tuple[str, ...]
    epochs: tuple[str, ...]
    routing: Floats
    baseline: Floats
    losses: Floats
    baseline_losses: Floats


class History:
    """All phases in training order. A removed epoch is hidden rather than forgotten, so a removal can be undone."""

    def __init__(self) -> None:
        self._series: dict[str, PhaseSeries] = {}
        self._hidden: set[str] = set()

    def clear(self) -> None:
        self._series.clear()
        self._hidden.clear()

    def load(self, history: Iterable[tuple[str, tuple[TrainingEvent, ...]]]) -> None:
        """Replace everything by a stored history, one entry per epoch in training order."""
        self.clear()
        for slug, events in history:
            self._of(slug)
            self.extend(events)

    def begin(self, slug: str, first_step: int) -> None:
        """A training begins (``first_step`` 0: from nothing, as the latest phase) or goes on after ``first_step``."""
        if first_step == 0:
            self._series.pop(slug, None)
        self._hidden.discard(slug)
        self._of(slug).rewind(first_step)

    def extend(self, events: Iterable[TrainingEvent]) -> set[str]:
        """Append events; returns the slugs of the phases they belong to."""
        touched: set[str] = set()
        for event in events:
            touched.add(event.slug)
            self._of(event.slug).extend((event,))
        return touched

    def remove(self, slug: str) -> None:
        """Hide an epoch: its phase, and its accuracy in later phases."""
        self._hidden.add(slug)

    def show_only(self, slugs: Iterable[str]) -> None:
        """Hide every epoch that is not among ``slugs``, and show again those that are."""
        self._hidden = set(self._series) - set(slugs)

    @property
    def slugs(self) -> tuple[str, ...]:
        """Epochs shown, in training order."""
        return tuple(slug for slug in self._series if slug not in self._hidden)

    def phases(self) -> tuple[Phase, ...]:
        """Where each shown epoch was trained, in global steps."""
        phases = []
        start = 0
        for slug in self.slugs:
            end = start + self._series[slug].length
            phases.append(Phase(slug, start, end))
            start = end
        return tuple(phases)

    def curve(self, kind: CurveKind, slug: str, start: int) -> Curve:
        """A figure over global steps, for a phase that begins at ``start``; empty where it was never told."""
        steps, values = self._series[slug].curve(kind)
        return steps + start, values

    def held_out_loss(self, slug: str, start: int) -> Curve:
        """Held-out loss over global steps, for a phase that begins at ``start``."""
        steps, losses = self._series[slug].held_out_loss()
        return steps + start, losses

    def kept(self, slug: str, start: int) -> Curve:
        """As :meth:`PhaseSeries.kept`, over global steps, for a phase that begins at ``start``."""
        steps, losses = self._series[slug].kept()
        return steps + start, losses

    def samples(self) -> list[TrainingSample]:
        """Those of the latest phase that has any, in order of step."""
        return next((found for slug in reversed(self.slugs) if (found := self._series[slug].samples)), [])

    def routing(self, *, baseline: bool = False) -> dict[str, Curve]:
        """Routing accuracy of every epoch from its own phase on; ``baseline``: without Active Sleep."""
        points: dict[str, tuple[list[float], list[float]]] = {}
        for phase in self.phases():
            points[phase.slug] = ([], [])
            for event in self._series[phase.slug].held_out:
                for slug, share in event.unprotected if baseline else event.routing:
                    if slug in points:
                        points[slug][0].append(phase.start + event.step)
                        points[slug][1].append(share)
        return {slug: (np.array(x, float), np.array(y, float)) for slug, (x, y) in points.items()}

    def matrix(self) -> Matrix:
        """The last measurement of every phase."""
        slugs = self.slugs
        routing, baseline, losses, baseline_losses = np.full((4, len(slugs), len(slugs)), np.nan)
        for row, slug in enumerate(slugs):
            for event in self._series[slug].held_out[-1:]:
                routing[row] = _row(event.routing, slugs, row)
                baseline[row] = _row(event.unprotected, slugs, row)
                losses[row] = _row(event.losses, slugs, row)
                if event.unprotected_loss is not None:
                    baseline_losses[row, row] = event.unprotected_loss
        return Matrix(slugs, slugs, routing, baseline, losses, baseline_losses)

    def _of(self, slug: str) -> PhaseSeries:
        return self._series.setdefault(slug, PhaseSeries(slug))


def _row(measured: PerEpoch, slugs: tuple[str, ...], last: int) -> list[float]:
    """The figures in the order of ``slugs``, up to the one at ``last``."""
    found = dict(measured)
    return [found.get(slug, np.nan) if column <= last else np.nan for column, slug in enumerate(slugs)]


def smoothing_window(points: int, strength: Smoothing) -> int:
    """Points, an odd number, over which :func:`smooth` takes the mean; 1 leaves them as they are.

    >>> smoothing_window(120, "medium"), smoothing_window(120, "none")
    (11, 1)
    """
    return 1 if strength == "none" else points // _STRENGTHS[strength] | 1


def smooth(curve: Curve, window: int) -> Curve:
    """Centred moving mean over ``window`` points (odd), taken at some thousand points at most.

    Values that are not finite are left out.
    """
    x, y = curve
    half = window // 2
    finite = np.isfinite(y)
    sums = np.concatenate(([0.0], np.cumsum(np.where(finite, y, 0.0))))
    counts = np.concatenate(([0], np.cumsum(finite)))
    middle = np.unique(np.append(np.arange(0, len(y), len(y) // _MOST_SMOOTHED + 1), len(y) - 1))
    low, high = np.maximum(middle - half, 0), np.minimum(middle + half + 1, len(y))
    with np.errstate(invalid="ignore"):
        return x[middle], (sums[high] - sums[low]) / (counts[high] - counts[low])
