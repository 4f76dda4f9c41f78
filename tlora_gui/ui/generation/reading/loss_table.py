"""How well every slot alone, and the mix, predict a text."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent, QStandardItemModel
from PySide6.QtWidgets import QHeaderView, QSizePolicy, QTableView, QWidget

from tlora_gui.engine.protocol.texts import ReadReport, SlotInfo
from tlora_gui.engine.protocol.wording import drawing_order
from tlora_gui.ui.formats import localised, loss_text
from tlora_gui.ui.generation.inspector.choice_rows import ROW_EDGE, Row, RowDelegate, Sign, row_item, slot_sign
from tlora_gui.ui.theme import Theme, scaled

_BETWEEN = 28
_NARROWEST = 280
"""Width below which a row is not divided from its neighbour: they stand below each other."""


@dataclass(frozen=True, slots=True)
class LossRow:
    """``loss`` in nats per token; without a slot it is the mix's."""

    name: str
    loss: float
    slot: int = -1
    info: SlotInfo | None = None


def loss_rows(report: ReadReport, slots: tuple[SlotInfo, ...], mix: str) -> list[LossRow]:
    """The mix first, under the name ``mix``, then every slot of the report in drawing order."""
    losses = dict(report.losses)
    order = [slot for slot in drawing_order(slots) if slots[slot].slug in losses]
    alone = [LossRow(slots[slot].name, losses[slots[slot].slug], slot, slots[slot]) for slot in order]
    return [LossRow(mix, report.mix_loss), *alone]


def perplexity_text(loss: float) -> str:
    """exp of a loss in nats per token: between how many tokens, alike, the choice seems to be.

    >>> perplexity_text(2.0), perplexity_text(5.0), perplexity_text(20.0)
    ('7.4', '148', '> 1 M')
    """
    if not math.isfinite(loss):
        return loss_text(None)
    if loss > math.log(1e6):
        return "> 1 M"
    perplexity = math.exp(loss)
    return localised(f"{perplexity:.1f}" if perplexity < 99.95 else f"{perplexity:,.0f}")


class LossTable(QTableView):
    """Name, nats per token as a bar, and perplexity; twice side by side where there is room. The best is marked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: list[LossRow] = []
        self._sides = 1
        self._model = QStandardItemModel(self)
        self._delegate = RowDelegate(1, self)
        self.setModel(self._model)
        self.setItemDelegate(self._delegate)
        self.setProperty("role", "rows")
        self.setShowGrid(False)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSelectionMode(QTableView.SelectionMode.NoSelection)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignRight)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(self.tr("Perplexity"))
        self.setToolTip(
            self.tr(
                "How well each slot alone, and the mix, predict this text. Nats per token: the mean loss, shorter is "
                "better. Perplexity is e to that power: between how many equally likely tokens the choice seems to be."
            )
        )

    def set_rows(self, rows: list[LossRow], mix_sign: Sign) -> None:
        """Show these, in this order; ``mix_sign`` stands before the mix's name."""
        self._rows, self._mix_sign = rows, mix_sign
        self._fill()

    @property
    def best(self) -> LossRow | None:
        """The row that predicts the text best."""
        return min(self._rows, key=lambda row: row.loss, default=None)

    def apply_theme(self, theme: Theme) -> None:
        """Use a theme's colours from now on."""
        self._delegate.theme = theme
        self.viewport().update()

    def _fill(self) -> None:
        self._sides = sides = self._sides_at(self.width())
        largest = max((row.loss for row in self._rows if row.loss < math.inf), default=0)
        self._model.clear()
        self._model.setHorizontalHeaderLabels(["", self.tr("nats/token"), self.tr("perplexity")] * sides)
        lines = -(-len(self._rows) // sides)
        self._model.setVerticalHeaderLabels([""] * lines)  # hidden, but read out
        for number, row in enumerate(self._rows):
            side, line = divmod(number, lines)
            best = row is self.best
            share = row.loss / largest if math.isfinite(row.loss) and largest > 0 else 0.0
            sign = self._mix_sign if row.info is None else slot_sign(row.slot, row.info)
            note, colour = (self.tr("best"), "accent") if best else ("", "muted")
            name = Row(row.name, sign=sign, strong=best, indent=side * _BETWEEN - ROW_EDGE)
            loss = Row(figure=loss_text(row.loss), share=share, colour=colour, note=note, strong=best)
            perplexity = Row(figure=perplexity_text(row.loss), strong=best)
            words = self.tr("{row}, the best").format(row=row.name) if best else row.name
            cells = ((name, words), (loss, loss.figure), (perplexity, perplexity.figure))
            for column, (drawn, text) in enumerate(cells):
                self._model.setItem(line, 3 * side + column, row_item(drawn, text))
        self._share_width()
        self.updateGeometry()

    # -- layout ---------------------------------------------------------------------------------------------

    def _sides_at(self, width: int) -> int:
        return 2 if width >= 2 * scaled(_NARROWEST) + _BETWEEN and len(self._rows) > 1 else 1

    def _share_width(self) -> None:
        """Bars get the room that names and values leave, as much on both sides."""
        width = (self.width() - _BETWEEN * (self._sides - 1)) // self._sides
        values = max(self.horizontalHeader().sectionSizeHint(2), self.sizeHintForColumn(2), self.sizeHintForColumn(5))
        names = min(max(self.sizeHintForColumn(0), self.sizeHintForColumn(3) - _BETWEEN), round(0.45 * width))
        for side in range(self._sides):
            for column, room in enumerate((names + side * _BETWEEN, width - names - values, values)):
                self.setColumnWidth(3 * side + column, room)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._sides != self._sides_at(self.width()):
            self._fill()
        else:
            self._share_width()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        lines = -(-len(self._rows) // self._sides_at(width))
        return self.horizontalHeader().sizeHint().height() + lines * self.sizeHintForRow(0)

    def sizeHint(self) -> QSize:
        return QSize(_NARROWEST, self.heightForWidth(self.width()))

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 2 * self.horizontalHeader().sizeHint().height())
