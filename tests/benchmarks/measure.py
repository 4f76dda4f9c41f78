"""What every speed measurement shares: a figure with its target, and contenders timed in turns in one run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np

REPEATS = 5
PAIRS = 500
_RESAMPLES = 2000
_DISTURBED = 2.0
"""A step that takes so many times its contender's median was held up by something else; its pair does not count."""


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Attributes:
        section: part of the benchmark.
        what: what was measured, against what.
        value: the figure, in ``unit`` ("×" for a ratio).
        at_least, at_most: the target, if there is one.
        interval: where the figure lies with 95 %, if that was worked out.
        detail: what it was made from: every contender's runs, sizes, shares.
    """

    section: str
    what: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None
    interval: tuple[float, float] | None = None
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def target(self) -> str:
        """The target as people read it; empty if there is none."""
        if self.at_least is not None:
            return f"≥ {self.at_least:g} {self.unit}"
        return "" if self.at_most is None else f"≤ {self.at_most:g} {self.unit}"

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.at_least is not None:
            return self.value >= self.at_least
        return None if self.at_most is None else self.value <= self.at_most


def interleaved(contenders: Mapping[str, Callable[[], float]], repeats: int = REPEATS) -> dict[str, list[float]]:
    """Every contender's figure in ``repeats`` rounds, after one round that warms up and does not count.

    Each round runs every contender once, beginning with another one each time, so that what else the machine does
    falls on all alike.
    """
    names = list(contenders)
    found: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(repeats + 1):
        first = turn % len(names)
        for name in [*names[first:], *names[:first]]:
            value = contenders[name]()
            if turn:
                found[name].append(value)
    return found


def ratio(runs: Mapping[str, list[float]], ours: str, peer: str) -> float:
    """Median over rounds of ours / peer: both of a round ran side by side."""
    return median(mine / theirs for mine, theirs in zip(runs[ours], runs[peer], strict=True))


def paired(contenders: Mapping[str, Callable[[], Iterator[object]]], pairs: int = PAIRS) -> dict[str, list[float]]:
    """Seconds of every contender's single steps, taken in turns: one of each, beginning with another one each time.

    A contender makes a stream of steps, as often as there are too few. The first of a stream (a prompt is read, buffers
    are made) does not count; streams of all are as long as the shortest.
    """
    names = list(contenders)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    while len(seconds[names[0]]) < pairs:
        streams = {name: make() for name, make in contenders.items()}
        whole = all(next(stream, None) is not None for stream in streams.values())
        while whole and len(seconds[names[0]]) < pairs:
            first, taken = len(seconds[names[0]]) % len(names), {}
            for name in [*names[first:], *names[:first]]:
                started = time.perf_counter()
                whole = next(streams[name], None) is not None and whole
                taken[name] = time.perf_counter() - started
            for name in names if whole else ():
                seconds[name].append(taken[name])
    return seconds


def speedup(seconds: Mapping[str, list[float]], ours: str, peer: str) -> tuple[float, tuple[float, float]]:
    """How many times faster than ``peer`` ``ours`` is, from :func:`paired`; and its 95 % interval.

    The ratio of mean times over pairs that nothing held up; the interval is the bootstrap's over pairs (Efron 1979).
    """
    pairs_N2 = np.array([seconds[ours], seconds[peer]]).T
    pairs_N2 = pairs_N2[(pairs_N2 < _DISTURBED * np.median(pairs_N2, axis=0)).all(1)]
    drawn_SN = np.random.default_rng(0).integers(len(pairs_N2), size=(_RESAMPLES, len(pairs_N2)))
    means_S2 = pairs_N2[drawn_SN].mean(1)
    low, high = np.percentile(means_S2[:, 1] / means_S2[:, 0], (2.5, 97.5))
    mine, theirs = pairs_N2.mean(0)
    return float(theirs / mine), (float(low), float(high))


def table(figures: Iterable[Figure]) -> str:
    """Markdown."""
    rows = ["| section | figure | measured | target | |", "| --- | --- | --- | --- | --- |"]
    for figure in figures:
        met, value = {True: "met", False: "missed", None: ""}[figure.met], f"{figure.value:.3g} {figure.unit}"
        if figure.interval:
            value += " ({:.3g} to {:.3g})".format(*figure.interval)
        rows.append(f"| {figure.section} | {figure.what} | {value} | {figure.target} | {met} |")
    return "\n".join(rows)
