"""What every speed measurement shares: a figure with its target, and contenders timed in turns in one run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

REPEATS = 5


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Attributes:
        section: part of the benchmark.
        what: what was measured, against what.
        value: the figure, in ``unit`` ("×" for a ratio).
        at_least, at_most: the target, if there is one.
        detail: what it was made from: every contender's runs, sizes, shares.
    """

    section: str
    what: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None
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


def table(figures: Iterable[Figure]) -> str:
    """Markdown."""
    rows = ["| section | figure | measured | target | |", "| --- | --- | --- | --- | --- |"]
    for figure in figures:
        met, value = {True: "met", False: "missed", None: ""}[figure.met], f"{figure.value:.3g} {figure.unit}"
        rows.append(f"| {figure.section} | {figure.what} | {value} | {figure.target} | {met} |")
    return "\n".join(rows)
