"""What each voice says at a token, drawn in rows."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import QWidget

from tlora_gui.engine.protocol.texts import SlotInfo, Voice
from tlora_gui.ui.generation.text.swatch import SWATCH_WIDTH, paint_swatch, slot_style
from tlora_gui.ui.generation.text.token_style import share_text, visible_text
from tlora_gui.ui.generation.token.bars import paint_mix
from tlora_gui.ui.generation.token.choice_rows import ChoiceRows
from tlora_gui.ui.translation import tr

_GAP = 8


class VoiceRows(ChoiceRows):
    """A voice in each row: its own word, and how probable the token that came is to it.

    Choosing a row means its own word; ``words`` has them in order.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(2, parent)
        self.voices: tuple[Voice, ...] = ()
        self._slots: Sequence[SlotInfo] = ()
        self._mix: tuple[Sequence[float], Sequence[SlotInfo]] = ((), ())

    def set_mix(self, weights: Sequence[float], slots: Sequence[SlotInfo]) -> None:
        """The weights of the token: the mix's swatch."""
        self._mix = weights, slots

    def set_voices(self, voices: Sequence[Voice], slots: Sequence[SlotInfo], offered: Sequence[bool]) -> None:
        """Show these voices in this order; where ``offered``, a voice's own word can be gone on with."""
        self.voices, self._slots = tuple(voices), slots
        names = [_spoken(voice, self._name(voice)) for voice in voices]
        tips = [_tip(voice, self._name(voice), offer) for voice, offer in zip(voices, offered, strict=True)]
        self.set_choices(names, tips, offered)

    def _name(self, voice: Voice) -> str:
        return self.tr("Mix") if voice.slot < 0 else self._slots[voice.slot].name

    def paint_row(self, painter: QPainter, number: int, area: QRectF) -> None:
        voice = self.voices[number]
        upper = QRectF(area.left(), area.top() + 2, area.width(), self.line_height)
        lower = upper.translated(0, self.line_height)
        self._paint_swatch(painter, voice, upper)
        self._paint_words(painter, voice, upper)
        figures = self._figures(voice)
        painter.setPen(QColor(self.theme.muted))
        painter.drawText(lower, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, figures)
        self._paint_bar(painter, voice, lower)

    def _figures(self, voice: Voice) -> str:
        return f"{share_text(voice.probability)} · " + self.tr("rank {rank}").format(rank=voice.rank)

    def _paint_swatch(self, painter: QPainter, voice: Voice, line: QRectF) -> None:
        if voice.slot < 0:
            paint_mix(painter, QRectF(line.left(), line.top() + 2, SWATCH_WIDTH, 15), *self._mix)
        else:
            style = slot_style(voice.slot, self._slots[voice.slot])
            paint_swatch(painter, line.left(), line.center().y(), style, self.theme)

    def _paint_words(self, painter: QPainter, voice: Voice, line: QRectF) -> None:
        metrics = QFontMetricsF(self.font())
        own = voice.alternatives[0]
        room = line.adjusted(SWATCH_WIDTH + _GAP, 0, 0, 0)
        share = share_text(own.probability)
        word = metrics.elidedText(visible_text(own.text), Qt.TextElideMode.ElideRight, room.width() * 0.36)
        painter.setPen(QColor(self.theme.text))
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, f"{word} {share}")
        name_width = room.width() - metrics.horizontalAdvance(f"{word} {share}") - _GAP
        font = QFont(self.font())
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        name = QFontMetricsF(font).elidedText(self._name(voice), Qt.TextElideMode.ElideRight, name_width)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name)
        painter.setFont(self.font())

    def _paint_bar(self, painter: QPainter, voice: Voice, line: QRectF) -> None:
        largest = max(other.probability for other in self.voices)
        left = line.left() + SWATCH_WIDTH + _GAP
        figures = max(self.fontMetrics().horizontalAdvance(self._figures(other)) for other in self.voices)
        width = max(0.0, line.right() - figures - _GAP - left) * voice.probability / max(largest, 1e-9)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.theme.muted if voice.slot < 0 else self._slots[voice.slot].colour))
        painter.drawRoundedRect(QRectF(left, line.center().y() - 4, max(2.0, width), 8), 2, 2)


def _spoken(voice: Voice, name: str) -> str:
    own = voice.alternatives[0]
    return tr("{name}: {word} {share}, this token {probability}, rank {rank}").format(
        name=name,
        word=visible_text(own.text),
        share=share_text(own.probability),
        probability=share_text(voice.probability),
        rank=voice.rank,
    )


def _tip(voice: Voice, name: str, offer: bool) -> str:
    """Its five most probable tokens as rich text, and what a click does."""
    rows = "".join(
        f"<tr><td>{escape(visible_text(other.text))}&nbsp;&nbsp;</td>"
        f"<td align='right'>{escape(share_text(other.probability))}</td></tr>"
        for other in voice.alternatives[:5]
    )
    title = tr("{name}, most probable here").format(name=name)
    word = visible_text(voice.alternatives[0].text)
    hint = tr("Click, or Enter: go on from here with “{word}”").format(word=word) if offer else ""
    return (
        f"<p style='margin:0 0 4px 0; white-space:nowrap'><b>{escape(title)}</b></p>"
        f"<table cellspacing='0' cellpadding='1'>{rows}</table>"
        f"<p style='margin:6px 0 0 0; white-space:nowrap'>{escape(hint)}</p>"
    )
