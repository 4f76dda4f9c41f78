"""What each voice says at a token, drawn in rows."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import QWidget

from tlora_gui.engine.protocol.texts import SlotInfo, SlotPrediction
from tlora_gui.ui.generation.inspector.bars import paint_mix
from tlora_gui.ui.generation.inspector.choice_rows import ChoiceRows
from tlora_gui.ui.generation.token_view.swatch import SWATCH_WIDTH, paint_swatch, slot_style
from tlora_gui.ui.generation.token_view.token_style import share_text, visible_text
from tlora_gui.ui.translation import tr

_GAP = 8


class SlotPredictionRows(ChoiceRows):
    """A voice in each row: its own word, and how probable the token that came is to it.

    Choosing a row means its own word; ``words`` has them in order.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(2, parent)
        self.predictions: tuple[SlotPrediction, ...] = ()
        self._slots: Sequence[SlotInfo] = ()
        self._mix: tuple[Sequence[float], Sequence[SlotInfo]] = ((), ())

    def set_mix(self, weights: Sequence[float], slots: Sequence[SlotInfo]) -> None:
        """The weights of the token: the mix's swatch."""
        self._mix = weights, slots

    def set_voices(
        self, predictions: Sequence[SlotPrediction], slots: Sequence[SlotInfo], offered: Sequence[bool]
    ) -> None:
        """Show these voices in this order; where ``offered``, a voice's own word can be gone on with."""
        self.predictions, self._slots = tuple(predictions), slots
        names = [_spoken(prediction, self._name(prediction)) for prediction in predictions]
        tips = [
            _tip(prediction, self._name(prediction), offer)
            for prediction, offer in zip(predictions, offered, strict=True)
        ]
        self.set_choices(names, tips, offered)

    def _name(self, prediction: SlotPrediction) -> str:
        return self.tr("Mix") if prediction.slot < 0 else self._slots[prediction.slot].name

    def paint_row(self, painter: QPainter, number: int, area: QRectF) -> None:
        prediction = self.predictions[number]
        upper = QRectF(area.left(), area.top() + 2, area.width(), self.line_height)
        lower = upper.translated(0, self.line_height)
        self._paint_swatch(painter, prediction, upper)
        self._paint_words(painter, prediction, upper)
        figures = self._figures(prediction)
        painter.setPen(QColor(self.theme.muted))
        painter.drawText(lower, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, figures)
        self._paint_bar(painter, prediction, lower)

    def _figures(self, prediction: SlotPrediction) -> str:
        return f"{share_text(prediction.probability)} · " + self.tr("rank {rank}").format(rank=prediction.rank)

    def _paint_swatch(self, painter: QPainter, prediction: SlotPrediction, line: QRectF) -> None:
        if prediction.slot < 0:
            paint_mix(painter, QRectF(line.left(), line.top() + 2, SWATCH_WIDTH, 15), *self._mix)
        else:
            style = slot_style(prediction.slot, self._slots[prediction.slot])
            paint_swatch(painter, line.left(), line.center().y(), style, self.theme)

    def _paint_words(self, painter: QPainter, prediction: SlotPrediction, line: QRectF) -> None:
        metrics = QFontMetricsF(self.font())
        own = prediction.alternatives[0]
        room = line.adjusted(SWATCH_WIDTH + _GAP, 0, 0, 0)
        share = share_text(own.probability)
        word = metrics.elidedText(visible_text(own.text), Qt.TextElideMode.ElideRight, room.width() * 0.36)
        painter.setPen(QColor(self.theme.text))
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, f"{word} {share}")
        name_width = room.width() - metrics.horizontalAdvance(f"{word} {share}") - _GAP
        font = QFont(self.font())
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        name = QFontMetricsF(font).elidedText(self._name(prediction), Qt.TextElideMode.ElideRight, name_width)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name)
        painter.setFont(self.font())

    def _paint_bar(self, painter: QPainter, prediction: SlotPrediction, line: QRectF) -> None:
        largest = max(other.probability for other in self.predictions)
        left = line.left() + SWATCH_WIDTH + _GAP
        figures = max(self.fontMetrics().horizontalAdvance(self._figures(other)) for other in self.predictions)
        width = max(0.0, line.right() - figures - _GAP - left) * prediction.probability / max(largest, 1e-9)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.theme.muted if prediction.slot < 0 else self._slots[prediction.slot].colour))
        painter.drawRoundedRect(QRectF(left, line.center().y() - 4, max(2.0, width), 8), 2, 2)


def _spoken(prediction: SlotPrediction, name: str) -> str:
    own = prediction.alternatives[0]
    return tr("{name}: {word} {share}, this token {probability}, rank {rank}").format(
        name=name,
        word=visible_text(own.text),
        share=share_text(own.probability),
        probability=share_text(prediction.probability),
        rank=prediction.rank,
    )


def _tip(prediction: SlotPrediction, name: str, offer: bool) -> str:
    """Its five most probable tokens as rich text, and what a click does."""
    rows = "".join(
        f"<tr><td>{escape(visible_text(other.text))}&nbsp;&nbsp;</td>"
        f"<td align='right'>{escape(share_text(other.probability))}</td></tr>"
        for other in prediction.alternatives[:5]
    )
    title = tr("{name}, most probable here").format(name=name)
    word = visible_text(prediction.alternatives[0].text)
    hint = tr("Click, or Enter: go on from here with “{word}”").format(word=word) if offer else ""
    return (
        f"<p style='margin:0 0 4px 0; white-space:nowrap'><b>{escape(title)}</b></p>"
        f"<table cellspacing='0' cellpadding='1'>{rows}</table>"
        f"<p style='margin:6px 0 0 0; white-space:nowrap'>{escape(hint)}</p>"
    )
