"""How well every slot alone, and the mix, predict a text."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from tlora_gui.engine.protocol.texts import ReadReport, SlotInfo
from tlora_gui.engine.protocol.wording import drawing_order
from tlora_gui.ui.generation.token_view.swatch import SWATCH_WIDTH, paint_swatch, slot_style
from tlora_gui.ui.theme import LIGHT, SIZES, Theme, sans_font, scaled
from tlora_gui.ui.widgets.formats import localised, loss_text
from tlora_gui.ui.widgets.painting import guarded

_SWATCH_SCALE = 0.75
_GAP = 8
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


class LossTable(QWidget):
    """Name, nats per token as a bar, and perplexity; in two columns where there is room. The best is marked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = LIGHT
        self._rows: list[LossRow] = []
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

    def set_rows(self, rows: list[LossRow]) -> None:
        """Show these, in this order."""
        self._rows = rows
        self.setAccessibleDescription("; ".join(self._told(row) for row in rows))
        self.updateGeometry()
        self.update()

    def _told(self, row: LossRow) -> str:
        told = self.tr("{name}: perplexity {perplexity}, {loss} nats per token").format(
            name=row.name, perplexity=perplexity_text(row.loss), loss=loss_text(row.loss)
        )
        return self.tr("{row}, the best").format(row=told) if row is self.best else told

    @property
    def best(self) -> LossRow | None:
        """The row that predicts the text best."""
        return min(self._rows, key=lambda row: row.loss, default=None)

    def apply_theme(self, theme: Theme) -> None:
        """Use a theme's colours from now on."""
        self._theme = theme
        self.update()

    # -- layout and drawing ---------------------------------------------------------------------------------

    @property
    def _header(self) -> int:
        return QFontMetrics(sans_font(SIZES["small"])).height() + 2

    @property
    def _row(self) -> int:
        return self.fontMetrics().height() + 4

    def _columns(self, width: int) -> int:
        return 2 if width >= 2 * scaled(_NARROWEST) + _BETWEEN and len(self._rows) > 1 else 1

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._header + self._row * -(-len(self._rows) // self._columns(width))

    def sizeHint(self) -> QSize:
        return QSize(_NARROWEST, self.heightForWidth(self.width()))

    def minimumSizeHint(self) -> QSize:
        return QSize(200, self._header + self._row)

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        columns = self._columns(self.width())
        width = (self.width() - _BETWEEN * (columns - 1)) / columns
        lines = -(-len(self._rows) // columns)
        for number in range(columns):
            left = number * (width + _BETWEEN)
            self._paint_header(painter, QRectF(left, 0, width, self._header))
            for line, row in enumerate(self._rows[number * lines : (number + 1) * lines]):
                self._paint_row(painter, row, QRectF(left, self._header + line * self._row, width, self._row))
        painter.end()

    def _parts(self, area: QRectF) -> tuple[QRectF, QRectF, QRectF, QRectF]:
        """Where name, bar, loss and perplexity of a row stand."""
        metrics = QFontMetricsF(self.font())
        small = QFontMetricsF(sans_font(SIZES["small"]))
        perplexity = max(small.horizontalAdvance(self.tr("perplexity")), metrics.horizontalAdvance("> 1 M")) + 1
        loss = max(small.horizontalAdvance(self.tr("nats/token")), metrics.horizontalAdvance("00.00")) + 1
        longest = max(metrics.horizontalAdvance(f"{row.name} ") * 1.1 for row in self._rows)  # the best is bold
        right = area.right()
        name = area.adjusted(SWATCH_WIDTH * _SWATCH_SCALE + _GAP, 0, 0, 0)
        name.setWidth(min(longest, area.width() * 0.45))
        figure = QRectF(right - perplexity, area.top(), perplexity, area.height())
        nats = QRectF(figure.left() - _GAP - loss, area.top(), loss, area.height())
        bar = QRectF(name.right() + _GAP, area.center().y() - 4, max(0.0, nats.left() - name.right() - 2 * _GAP), 8)
        return name, bar, nats, figure

    def _paint_header(self, painter: QPainter, area: QRectF) -> None:
        painter.setFont(sans_font(SIZES["small"]))
        painter.setPen(QColor(self._theme.muted))
        _, bar, nats, figure = self._parts(area)
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(
            QRectF(bar.left(), area.top(), nats.right() - bar.left(), self._header), right, self.tr("nats/token")
        )
        painter.drawText(figure, right, self.tr("perplexity"))

    def _paint_row(self, painter: QPainter, row: LossRow, area: QRectF) -> None:
        name, bar, nats, figure = self._parts(area)
        is_best = row is self.best
        if row.info is not None:
            painter.save()
            painter.scale(_SWATCH_SCALE, _SWATCH_SCALE)
            left, middle = area.left() / _SWATCH_SCALE, area.center().y() / _SWATCH_SCALE
            paint_swatch(painter, left, middle, slot_style(row.slot, row.info), self._theme)
            painter.restore()
        font = QFont(self.font())
        font.setWeight(QFont.Weight.DemiBold if is_best else QFont.Weight.Normal)
        painter.setFont(font)
        painter.setPen(QColor(self._theme.text))
        elided = QFontMetricsF(font).elidedText(row.name, Qt.TextElideMode.ElideRight, name.width())
        painter.drawText(name, Qt.AlignmentFlag.AlignVCenter, elided)
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(nats, right, loss_text(row.loss))
        painter.drawText(figure, right, perplexity_text(row.loss))
        self._paint_bar(painter, row, bar)

    def _paint_bar(self, painter: QPainter, row: LossRow, bar: QRectF) -> None:
        is_best = row is self.best
        largest = max((other.loss for other in self._rows if math.isfinite(other.loss)), default=1.0)
        share = row.loss / largest if math.isfinite(row.loss) and largest > 0 else 0.0
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.accent if is_best else self._theme.muted))
        filled = bar.adjusted(0, 0, -bar.width() * (1 - share), 0)
        painter.drawRoundedRect(filled, 2, 2)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setFont(sans_font(SIZES["small"]))
        word = self.tr("best")
        room = QRectF(filled.right() + 5, bar.top() - 6, bar.right() - filled.right() - 5, bar.height() + 12)
        if is_best and QFontMetricsF(painter.font()).horizontalAdvance(word) <= room.width():
            painter.setPen(QColor(self._theme.muted))
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, word)
