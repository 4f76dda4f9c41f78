"""A token's mix as one stacked bar, and shares in rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import log

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from tlora_gui.engine.protocol.texts import MixReasons, SlotInfo
from tlora_gui.engine.protocol.wording import drawing_order
from tlora_gui.ui.formats import localised
from tlora_gui.ui.generation.inspector.choice_rows import ChoiceRows, Row, Sign, slot_sign
from tlora_gui.ui.generation.token_view.token_style import share_text
from tlora_gui.ui.widgets.painting import guarded


def paint_mix(painter: QPainter, area: QRectF, weights: Sequence[float], slots: Sequence[SlotInfo]) -> None:
    """Draw a token's weights as a stacked bar in the slots' colours."""
    left = area.left()
    for slot in drawing_order(slots):
        # Whole pixels, so that no seam shines through between two parts.
        right = left + weights[slot] * area.width()
        part = QRectF(round(left), area.top(), round(right) - round(left), area.height())
        painter.fillRect(part, QColor(slots[slot].colour))
        left = right


def mix_sign(weights: Sequence[float], slots: Sequence[SlotInfo]) -> Sign:
    """Draws weights as a swatch before the name of the mix."""
    return lambda painter, area, theme: paint_mix(
        painter, QRectF(area.left(), area.center().y() - 7, area.width(), 15), weights, slots
    )


class MixBar(QWidget):
    """Weights of one token as a stacked bar in the slots' colours."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._weights: Sequence[float] = ()
        self._slots: Sequence[SlotInfo] = ()
        self.setFixedHeight(20)

    def set_mix(self, weights: Sequence[float], slots: Sequence[SlotInfo]) -> None:
        """Show a token's weights."""
        self._weights, self._slots = weights, slots
        self.update()

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_mix(painter, QRectF(self.rect()), self._weights, self._slots)
        painter.end()


@dataclass(frozen=True, slots=True)
class ShareRow:
    """One row: a name, its share, and the slot whose swatch stands before it; without a slot a bar stands behind it.

    ``offer`` is the tooltip of a row that can be chosen, as rich text.
    """

    name: str
    share: float
    slot: int | None = None
    info: SlotInfo | None = None
    strong: bool = False
    offer: str = ""


class ShareRows(ChoiceRows):
    """Rows of named shares; the longest bar is the largest share."""

    def set_rows(self, rows: Sequence[ShareRow]) -> None:
        """Show these rows, in this order."""
        largest = max((row.share for row in rows), default=0.0) or 1.0
        drawn = [
            Row(row.name, share_text(row.share), strong=row.strong, sign=slot_sign(row.slot, row.info))
            if row.slot is not None and row.info is not None
            else Row(
                row.name, share_text(row.share), row.share / largest, strong=row.strong,
                colour="accent" if row.strong else "muted",
            )
            for row in rows
        ]  # fmt: skip
        names = [f"{row.name} {row.figure}" for row in drawn]
        self.set_choices(drawn, names, [row.offer for row in rows], [bool(row.offer) for row in rows])


class ReasonRows(ChoiceRows):
    """Why a token's epoch weighs more than the next: what speaks for it, and how much. A bar has the colour of the slot
    that it speaks for."""

    def set_reasons(self, reasons: MixReasons, most: int, word: str, slots: Sequence[SlotInfo]) -> None:
        """Show why the slot ``most`` weighs more than the next; ``word`` names the token that was read last."""
        named = ((self.tr("earlier text"), reasons.before), (self.tr("context"), reasons.context), (word, reasons.word))
        longest = max(abs(nats) for _, nats in named) or 1.0
        rows, spoken = list[Row](), list[str]()
        for name, nats in named:
            slot = slots[most if nats >= 0 else reasons.rival]
            bits = localised(f"{nats / log(2):+.1f}").replace("-", "\u2212")
            rows.append(Row(name, self.tr("{bits} bits").format(bits=bits), abs(nats) / longest, colour=slot.colour))
            spoken.append(
                self.tr("{reason}: {bits} bits for {name}").format(reason=name, bits=bits, name=slots[most].name)
            )
        tip = self.tr("Each bit more doubles the odds of {name} against {rival}; the bars add up").format(
            name=slots[most].name, rival=slots[reasons.rival].name
        )
        self.set_choices(rows, spoken, [f"<p>{escape(tip)}</p>"] * len(rows), [False] * len(rows))
