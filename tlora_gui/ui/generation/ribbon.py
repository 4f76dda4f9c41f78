"""The mix over the whole text, as stacked areas."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPoint, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from tlora_gui.engine.texts import SlotInfo, TokenEvent
from tlora_gui.ui.generation.token_style import drawing_order
from tlora_gui.ui.running_sums import RunningSums, bin_edges
from tlora_gui.ui.theme import LIGHT, Theme

_REDRAW_MS = 50
_SMOOTHED_PIXELS = 4
"""Edges are smoothed where tokens are at least this wide."""
_FEWEST_TOKENS = 24
"""Width of the ribbon before as many tokens have come, so that the first ones do not fill it."""


class MixRibbon(pg.GraphicsView):  # type: ignore[misc]  # pyqtgraph is untyped
    """Weights per token from 0 to 1, or their mean where several tokens share a pixel.

    Hover or click chooses a token: ``token_selected(index)``.
    """

    token_selected = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._slots: tuple[SlotInfo, ...] = ()
        self._weights = RunningSums(0)
        self._areas: list[pg.PlotCurveItem] = []
        self._current = -1
        self._whole = True
        self._drawn = 0
        self.setObjectName("mixRibbon")
        self.setAccessibleName(self.tr("Mix over the text"))
        self.setToolTip(
            self.tr(
                "Share of each slot from 0 to 1, token by token. Click to choose a token; drag to pan, Ctrl+wheel to "
                "zoom, double-click to see everything. Arrow keys in the text reach the same tokens."
            )
        )
        self.setFixedHeight(72)
        # The text is the way for keys.
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.enableMouse(False)
        self._view = pg.ViewBox(enableMenu=False, defaultPadding=0)
        self._view.setMouseEnabled(x=True, y=False)
        self._view.disableAutoRange()
        self._view.setYRange(0, 1, padding=0)
        self._view.sigRangeChangedManually.connect(self._zoomed)
        self._view.sigXRangeChanged.connect(self._draw_areas)
        self._view.sigResized.connect(self._draw_areas)
        self.setCentralItem(self._view)
        self._marker = pg.InfiniteLine(angle=90, movable=False)
        self._marker.setVisible(False)
        self._marker.setZValue(1000)
        self._view.addItem(self._marker, ignoreBounds=True)
        self._timer = QTimer(self, singleShot=True, interval=_REDRAW_MS)
        self._timer.timeout.connect(self._redraw)
        self.apply_theme(LIGHT)

    @property
    def current(self) -> int:
        """Index of the marked token, -1 for none."""
        return self._current

    def place_of(self, index: int, share: float = 0.5) -> QPoint:
        """Where a token's share is drawn, in this widget's coordinates."""
        place: QPoint = self.mapFromScene(self._view.mapViewToScene(QPointF(index, share)))
        return place

    @property
    def shown_range(self) -> tuple[float, float]:
        """First and last token in view; a token reaches half a step to both sides."""
        first, last = self._view.viewRange()[0]
        return float(first), float(last)

    @property
    def drawn_tokens(self) -> int:
        """How many tokens the last redraw showed."""
        return self._drawn

    # -- what to show ---------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Forget every token."""
        self._weights = RunningSums(0)
        self._whole = True
        self.set_current(-1)
        self._redraw()

    def set_slots(self, slots: tuple[SlotInfo, ...]) -> None:
        """Use these slots' colours."""
        self._slots = slots
        for area in self._areas:
            self._view.removeItem(area)
        self._areas = []
        # The whole stack first and the lowest part last: each covers what lies below it.
        for slot in reversed(drawing_order(slots)):
            # "enclosed" fills in one piece; a fill down to a level shows seams between pieces of fifty tokens.
            area = pg.PlotCurveItem(pen=None, brush=QColor(slots[slot].colour), fillLevel="enclosed")
            self._areas.append(area)
            self._view.addItem(area, ignoreBounds=True)
        self._changed()

    def add_tokens(self, tokens: Sequence[TokenEvent]) -> None:
        """Append; drawn at most twenty times a second."""
        if tokens and not len(self._weights):
            self._weights = RunningSums(len(tokens[0].weights))
        self._weights.extend([token.weights for token in tokens])
        self._changed()

    def set_current(self, index: int) -> None:
        """Mark a token, -1 for none."""
        self._current = index
        self._marker.setVisible(index >= 0)
        self._marker.setValue(index)

    def apply_theme(self, theme: Theme) -> None:
        """Use a theme's colours from now on."""
        self.setBackground(theme.panel)
        self._marker.setPen(pg.mkPen(theme.text, width=2))

    # -- drawing --------------------------------------------------------------------------------------------

    def _changed(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _redraw(self) -> None:
        self._timer.stop()
        count = self._drawn = len(self._weights)
        self._view.setLimits(xMin=-0.5, xMax=max(count, _FEWEST_TOKENS) - 0.5, minXRange=8)
        if self._whole:
            self._view.setXRange(-0.5, max(count, _FEWEST_TOKENS) - 0.5, padding=0)
        self._draw_areas()

    def _draw_areas(self) -> None:
        """Draw what is in view, at most about one point per pixel."""
        first, last = self.shown_range
        start, end = max(0, int(first)), min(self._drawn, int(last) + 2)
        if start >= end or not self._areas:
            for area in self._areas:
                area.clear()
            return
        pixels = max(2, int(self._view.width()))
        edges = bin_edges(start, end, pixels)
        # Slopes a few pixels wide look no better smoothed, and take five times as long to fill.
        wide = len(edges) < pixels / _SMOOTHED_PIXELS
        stacked = np.cumsum(self._weights.means(edges)[:, drawing_order(self._slots)], axis=1)
        # Half a token more at both ends: a single token is seen too.
        x = np.concatenate(([edges[0] - 0.5] * 2, (edges[:-1] + edges[1:] - 1) / 2, [edges[-1] - 0.5] * 2))
        for area, heights in zip(self._areas, stacked.T[::-1], strict=True):
            area.setData(x, np.concatenate(([0.0], heights[:1], heights, heights[-1:], [0.0])), antialias=wide)

    def _zoomed(self) -> None:
        self._whole = False

    # -- what the person does -------------------------------------------------------------------------------

    def _choose(self, position: QPointF) -> None:
        index = round(self._view.mapSceneToView(self.mapToScene(position.toPoint())).x())
        if 0 <= index < len(self._weights) and index != self._current:
            self.set_current(index)
            self.token_selected.emit(index)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        if event.buttons() == Qt.MouseButton.NoButton:
            self._choose(event.position())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        self._choose(event.position())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        super().mouseDoubleClickEvent(event)
        self._whole = True
        self._redraw()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            super().wheelEvent(event)
        else:
            event.ignore()
