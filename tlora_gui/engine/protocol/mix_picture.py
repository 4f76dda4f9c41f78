"""The mix over a whole text as stacked areas, drawn as SVG. Imports neither torch nor Qt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate

from tlora_gui.engine.protocol.texts import TokenEvent
from tlora_gui.engine.protocol.wording import drawing_order

WIDTH, HEIGHT = 1000, 100
"""What the areas fill."""

_COLUMNS = 500


def stacked_areas(tokens: Sequence[TokenEvent], fills: Sequence[str]) -> str:
    """A ``<path>`` per slot, ``fills`` their CSS colours: epochs from below, the backbone on top; empty without tokens.

    The whole stack comes first and the lowest part last: each covers what lies below it, so that no seams show.
    """
    if not tokens:
        return ""
    order = drawing_order(fills)
    stacks = [list(accumulate(column[slot] for slot in order)) for column in _columns(tokens)]
    paths = []
    for slot, heights in reversed(list(zip(order, zip(*stacks, strict=True), strict=True))):
        points = (
            f"{WIDTH * position / (len(heights) - 1):.1f},{max(0.0, HEIGHT * (1 - height)):.1f}"
            for position, height in enumerate(heights)
        )
        paths.append(f'<path style="fill:{fills[slot]}" d="M0,{HEIGHT} {" ".join(points)} {WIDTH},{HEIGHT}Z"/>')
    return "".join(paths)


def _columns(tokens: Sequence[TokenEvent]) -> list[list[float]]:
    """Weights of the tokens in order, neighbours averaged where there are many; a single one is there twice."""
    size = math.ceil(len(tokens) / _COLUMNS)
    parts = [tokens[start : start + size] for start in range(0, len(tokens), size)]
    columns = [[sum(each) / len(part) for each in zip(*(t.weights for t in part), strict=True)] for part in parts]
    return columns * 2 if len(columns) == 1 else columns
