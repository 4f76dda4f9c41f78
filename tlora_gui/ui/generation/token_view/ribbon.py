"""The mix over the whole text, as stacked areas."""

from __future__ import annotations

from collections.abc import Sequence

import pyqtgraph as pg
from PySide6.QtCore import QPoint, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

from tlora_gui.engine.protocol.texts import SlotInfo, TokenEvent
from tlora_gui.ui.generation.token_view.ribbon_menu import RibbonMenu
from tlora_gui.ui.generation.token_view.ribbon_picture import save_view
from tlora_gui.ui.generation.token_view.stacked_areas import StackedAreas
from tlora_gui.ui.running_sums import RunningSums
from tlora_gui.ui.theme import LIGHT, Theme

_REDRAW_MS = 50
_FEWEST_TOKENS = 24
"""Width of the ribbon before as many tokens have come, so that the first ones do not fill it."""


class MixRibbon(pg.GraphicsView):  # type: ignore[misc]  # pyqtgraph is untyped
    """Weights per token from 0 to 1, or their mean where several tokens share a pixel.

    Signals:
        token_selected(index): hovered or clicked.
        selection_changed(first, last): tokens selected by dragging with Shift, -1 and -1 for none.
        save_requested(): :meth:`save_picture` is wanted.
    """

    token_selected = Signal(int)
    selection_changed = Signal(int, int)
    save_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._weights = RunningSums(0)
        self._current = -1
        self._selected = (-1, -1)
        self._selecting = False
        self._dragged_from = -1
        self._pressed_at = QPoint()
        self._smoothing = 0
        self._whole = True
        self._drawn = 0
        self.setObjectName("mixRibbon")
        self.setAccessibleName(self.tr("Mix over the text"))
        self.setToolTip(
            self.tr(
                "Share of each slot from 0 to 1, token by token. Shift+drag selects text, drag pans, Ctrl+wheel zooms, "
                "double-click shows everything."
            )
        )
        self.setFixedHeight(48)
        # The text is the way for keys.
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.enableMouse(False)
        self._view = pg.ViewBox(enableMenu=False, defaultPadding=0)
        self._areas = StackedAreas(self._view)
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
        self._region = pg.LinearRegionItem(movable=False)
        self._region.setVisible(False)
        self._region.setZValue(900)
        self._view.addItem(self._region, ignoreBounds=True)
        self._timer = QTimer(self, singleShot=True, interval=_REDRAW_MS)
        self._timer.timeout.connect(self._redraw)
        self.apply_theme(LIGHT)

    @property
    def current(self) -> int:
        """Index of the marked token, -1 for none."""
        return self._current

    @property
    def selection(self) -> tuple[int, int]:
        """First and last selected token, -1 and -1 for none."""
        return self._selected

    @property
    def smoothing(self) -> int:
        """Over how many tokens the running mean goes, 0 for none."""
        return self._smoothing

    def position_of(self, index: int, share: float = 0.5) -> QPoint:
        """Where a token's share is drawn, in this widget's coordinates."""
        position: QPoint = self.mapFromScene(self._view.mapViewToScene(QPointF(index, share)))
        return position

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
        self.set_selection(-1, -1)
        self._redraw()

    def set_slots(self, slots: tuple[SlotInfo, ...]) -> None:
        """Use these slots' colours."""
        self._areas.set_slots(slots)
        self._changed()

    def add_tokens(self, tokens: Sequence[TokenEvent]) -> None:
        """Append; drawn at most twenty times a second."""
        if tokens and not len(self._weights):
            self._weights = RunningSums(len(tokens[0].weights))
        self._weights.extend([token.weights for token in tokens])
        self._changed()

    def replace_tokens(self, tokens: Sequence[TokenEvent]) -> None:
        """Give the tokens other weights; zoom, selection and the chosen token stay."""
        self._weights = RunningSums(0)
        self.add_tokens(tokens)

    def set_current(self, index: int) -> None:
        """Mark a token, -1 for none."""
        self._current = index
        self._marker.setVisible(index >= 0)
        self._marker.setValue(index)

    def set_selection(self, first: int, last: int) -> None:
        """Shade these tokens, -1 and -1 for none."""
        self._selected = (first, last)
        self._region.setVisible(first >= 0)
        self._region.setRegion((first - 0.5, last + 0.5))

    def set_smoothing(self, tokens: int) -> None:
        """Draw the mean over so many tokens around each, 0 or 1 for the tokens' own weights."""
        self._smoothing = tokens
        self._draw_areas()

    def show_everything(self) -> None:
        """Zoom out to the whole text, and follow it as it grows."""
        self._whole = True
        self._redraw()

    def save_picture(self, path: str) -> None:
        """Write what is shown, but for the mark of the chosen token; see :func:`save_view`."""
        self._marker.setVisible(False)
        try:
            save_view(self, path)
        finally:
            self._marker.setVisible(self._current >= 0)

    def apply_theme(self, theme: Theme) -> None:
        """Use a theme's colours from now on."""
        self.setBackground(theme.panel)
        self._marker.setPen(pg.mkPen(theme.text, width=2))
        shade = QColor(theme.panel)
        shade.setAlphaF(0.45)
        self._region.setBrush(shade)
        for line in self._region.lines:
            line.setPen(pg.mkPen(theme.text, width=1))

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
        first, last = self.shown_range
        self._areas.draw(self._weights, max(0, int(first)), min(self._drawn, int(last) + 2), self._smoothing // 2)

    def _zoomed(self) -> None:
        self._whole = False

    # -- what the person does -------------------------------------------------------------------------------

    def context_menu(self) -> RibbonMenu:
        """What can be done with the ribbon, ready to pop up."""
        menu = RibbonMenu(self._smoothing, len(self._weights) > 0, self)
        menu.smoothing_chosen.connect(self.set_smoothing)
        menu.everything_requested.connect(self.show_everything)
        menu.save_requested.connect(self.save_requested)
        return menu

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.context_menu().popup(event.globalPos())

    def pop_up_menu(self) -> None:
        """Show the menu on the ribbon, for those who come by keyboard."""
        self.context_menu().popup(self.mapToGlobal(self.rect().center()))

    def _token_at(self, position: QPointF) -> int:
        found: QPointF = self._view.mapSceneToView(self.mapToScene(position.toPoint()))
        return round(found.x())

    def _choose(self, position: QPointF) -> None:
        index = self._token_at(position)
        if 0 <= index < len(self._weights) and index != self._current:
            self.set_current(index)
            self.token_selected.emit(index)

    def _select(self, first: int, last: int) -> None:
        if (first, last) != self._selected:
            self.set_selection(first, last)
            self.selection_changed.emit(first, last)

    def _select_to(self, position: QPointF) -> None:
        """Select from where the drag began, as far as there are tokens."""
        first, last = sorted((self._dragged_from, self._token_at(position)))
        end = len(self._weights) - 1
        self._select(min(max(first, 0), end), min(max(last, 0), end))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed_at = event.position().toPoint()
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self._selecting = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if self._selecting:
            self._dragged_from = self._token_at(event.position())
            self._select_to(event.position())
        else:
            super().mousePressEvent(event)
        self._choose(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._selecting:
            self._select_to(event.position())
            return
        super().mouseMoveEvent(event)
        if event.buttons() == Qt.MouseButton.NoButton:
            self._choose(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._selecting:
            self._selecting = False
            return
        super().mouseReleaseEvent(event)
        moved = (event.position().toPoint() - self._pressed_at).manhattanLength()
        if event.button() == Qt.MouseButton.LeftButton and moved < QApplication.startDragDistance():
            self._select(-1, -1)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        super().mouseDoubleClickEvent(event)
        self.show_everything()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            super().wheelEvent(event)
        else:
            event.ignore()
