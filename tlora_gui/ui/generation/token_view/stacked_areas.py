"""Weights of slots as areas on top of each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtGui import QColor

from tlora_gui.engine.protocol.texts import SlotInfo
from tlora_gui.engine.protocol.wording import drawing_order
from tlora_gui.ui.running_sums import RunningSums, bin_edges

_SMOOTHED_PIXELS = 4
"""Edges are smoothed where tokens are at least this wide."""


class StackedAreas:
    """One area per slot in ``view``, the epochs from below and the backbone on top; token n is drawn at x = n."""

    def __init__(self, view: pg.ViewBox) -> None:
        self._view = view
        self._order: list[int] = []
        self.areas: list[pg.PlotCurveItem] = []

    def set_slots(self, slots: Sequence[SlotInfo]) -> None:
        """Use these slots' colours."""
        for area in self.areas:
            self._view.removeItem(area)
        self._order = drawing_order(slots)
        self.areas = []
        # The whole stack first and the lowest part last: each covers what lies below it.
        for slot in reversed(self._order):
            # "enclosed" fills in one piece; a fill down to a level shows seams between pieces of fifty tokens.
            area = pg.PlotCurveItem(pen=None, brush=QColor(slots[slot].colour), fillLevel="enclosed")
            self.areas.append(area)
            self._view.addItem(area, ignoreBounds=True)

    def draw(self, weights: RunningSums, start: int, end: int, reach: int) -> None:
        """Draw tokens from ``start`` to ``end`` (left out), at most about one point per pixel.

        Each stands for the mean of itself and ``reach`` tokens on both sides.
        """
        if start >= end or not self.areas:
            for area in self.areas:
                area.clear()
            return
        pixels = max(2, int(self._view.width()))
        edges = bin_edges(start, end, pixels)
        # Slopes a few pixels wide look no better smoothed, and take five times as long to fill.
        wide = len(edges) < pixels / _SMOOTHED_PIXELS
        stacked = np.cumsum(weights.means(edges, reach)[:, self._order], axis=1)
        # Half a token more at both ends: a single token is seen too.
        x = np.concatenate(([edges[0] - 0.5] * 2, (edges[:-1] + edges[1:] - 1) / 2, [edges[-1] - 0.5] * 2))
        for area, heights in zip(self.areas, stacked.T[::-1], strict=True):
            area.setData(x, np.concatenate(([0.0], heights[:1], heights, heights[-1:], [0.0])), antialias=wide)
