"""What the colours of the text mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from tlora_gui.engine.protocol.texts import SlotInfo
from tlora_gui.engine.protocol.wording import drawing_order
from tlora_gui.ui.generation.token_view.swatch import SWATCH_WIDTH, paint_swatch, slot_style
from tlora_gui.ui.generation.token_view.token_style import MEASURE_COLOURS, ColourMode, TokenStyle
from tlora_gui.ui.theme import LIGHT, Theme
from tlora_gui.ui.widgets.painting import guarded

_GAP = 6
_BETWEEN = 16
_STEPS = 6
_NARROWEST = 8
"""Of a swatch, in pixels."""


@dataclass(frozen=True, slots=True)
class _Entry:
    before: str
    swatches: tuple[TokenStyle, ...]
    after: str


def _least_swatch(entry: _Entry) -> int:
    """A slot's has its pattern; those of a scale give way."""
    return SWATCH_WIDTH if len(entry.swatches) == 1 else _NARROWEST


class Legend(QWidget):
    """One swatch and name per slot, or the scale of a measure; goes on in a second line where it must.

    Where there is no room, swatches of a scale are narrower, and a slot's name ends in "…".
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = LIGHT
        self._slots: tuple[SlotInfo, ...] = ()
        self._mode: ColourMode = "dominant"
        self._chosen = 0
        self._undecided = False
        self._entries: list[_Entry] = []
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(self.tr("Legend"))

    def set_slots(self, slots: tuple[SlotInfo, ...]) -> None:
        """Name these slots."""
        self._slots = slots
        self._refresh()

    def set_colour_mode(self, mode: ColourMode, slot: int = 0) -> None:
        """Explain this meaning of colour; ``slot`` is the one whose weight the mode "weight" shows."""
        self._mode, self._chosen = mode, slot
        self._refresh()

    def set_undecided(self, undecided: bool) -> None:
        """Whether several slots weigh the same at some tokens, which are uncoloured too."""
        if undecided != self._undecided:
            self._undecided = undecided
            self._refresh()

    def apply_theme(self, theme: Theme) -> None:
        """Use a theme's colours from now on."""
        self._theme = theme
        self.update()

    def _refresh(self) -> None:
        self._entries = self._entries_of(self._mode)
        self.setAccessibleDescription(", ".join(f"{entry.before} {entry.after}".strip() for entry in self._entries))
        self.updateGeometry()
        self.update()

    def _slot_entries(self, slots: Sequence[SlotInfo]) -> list[_Entry]:
        names = [slot.name for slot in slots]
        uncoloured = self.tr("{name} (uncoloured)")
        if self._undecided:
            uncoloured = self.tr("{name}, or several alike (uncoloured)")
        names[:1] = [uncoloured.format(name=name) for name in names[:1]]
        return [_Entry("", (slot_style(slot, slots[slot]),), names[slot]) for slot in drawing_order(slots)]

    def _entries_of(self, mode: ColourMode) -> list[_Entry]:
        if mode == "dominant":
            return self._slot_entries(self._slots)
        if mode == "weight":
            return [self._weight_entry(slot) for slot in self._slots[self._chosen : self._chosen + 1]]
        low, high = {
            "probability": (self.tr("Probability 0"), self.tr("1")),
            "surprise": (self.tr("As expected"), self.tr("10 bits of surprise or more")),
            "entropy": (self.tr("One slot speaks alone"), self.tr("All slots weigh the same")),
        }[mode]
        return [_scale(low, MEASURE_COLOURS[mode], high)]

    def _weight_entry(self, slot: SlotInfo) -> _Entry:
        return _scale(self.tr("Weight of {name} 0").format(name=slot.name), slot.colour, self.tr("1"))

    # -- layout and drawing ---------------------------------------------------------------------------------

    @property
    def _row(self) -> int:
        return self.fontMetrics().height() + 7

    def _words_of(self, entry: _Entry) -> float:
        """Pixels that an entry's words take."""
        metrics = QFontMetricsF(self.font())
        return sum(metrics.horizontalAdvance(text) + _GAP for text in (entry.before, entry.after) if text)

    def _placed(self, width: int) -> list[tuple[QPointF, float, _Entry]]:
        """Where each entry stands, and how wide its swatches are."""
        placed = []
        x, y = 0.0, 0.0
        for entry in self._entries:
            words, swatches = self._words_of(entry), len(entry.swatches)
            swatch = max(_least_swatch(entry), min(SWATCH_WIDTH, (width - words) / swatches))
            needed = words + swatch * swatches
            if x > 0 and x + needed > width:
                x, y = 0.0, y + self._row
            placed.append((QPointF(x, y), swatch, entry))
            x += needed + _BETWEEN
        return placed

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        placed = self._placed(width)
        return int(placed[-1][0].y()) + self._row if placed else 0

    def sizeHint(self) -> QSize:
        width = math.ceil(
            max((self._words_of(one) + _least_swatch(one) * len(one.swatches) for one in self._entries), default=0)
        )
        return QSize(width, self.heightForWidth(max(self.width(), width)))

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self._row if self._entries else 0)

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        metrics = QFontMetricsF(self.font())
        for point, swatch, entry in self._placed(self.width()):
            x = point.x()
            if entry.before:
                x = self._text(painter, metrics, x, point.y(), entry.before) + _GAP
            for style in entry.swatches:
                paint_swatch(painter, x, point.y() + self._row / 2, style, self._theme, swatch)
                x += swatch
            self._text(painter, metrics, x + _GAP, point.y(), entry.after)

    def _text(self, painter: QPainter, metrics: QFontMetricsF, x: float, y: float, text: str) -> float:
        painter.setPen(self._theme.muted)
        width = metrics.horizontalAdvance(text)
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, self.width() + 1 - x)
        painter.drawText(QRectF(x, y, width + 1, self._row), Qt.AlignmentFlag.AlignVCenter, shown)
        return x + width


def _scale(low: str, colour: str, high: str) -> _Entry:
    return _Entry(low, tuple(TokenStyle(colour, step / (_STEPS - 1)) for step in range(_STEPS)), high)
