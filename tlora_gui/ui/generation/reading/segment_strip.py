"""The segments of a text over its length, and how fast the Time Mixer follows."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from tlora_gui.engine.protocol.texts import ReadReport, SlotInfo
from tlora_gui.ui.palette import readable_on
from tlora_gui.ui.theme import LIGHT, Theme
from tlora_gui.ui.translation import filled
from tlora_gui.ui.widgets.painting import guarded

_GAP = 6


@dataclass(frozen=True, slots=True)
class ShownSegment:
    """Tokens ``first`` to ``last`` belong to a slot; the Time Mixer follows after ``lag`` of them."""

    slot: SlotInfo
    first: int
    last: int
    lag: int

    @property
    def followed(self) -> bool:
        """Whether the Time Mixer ever follows."""
        return self.lag <= self.last - self.first


def segments(report: ReadReport, slots: tuple[SlotInfo, ...], tokens: int) -> list[ShownSegment]:
    """The parts of a text of so many tokens, with their ends."""
    ends = [part.first for part in report.parts[1:]] + [tokens]
    return [
        ShownSegment(slots[part.slot], part.first, end - 1, lag)
        for part, end, lag in zip(report.parts, ends, report.lags, strict=True)
        if part.slot < len(slots) and end > part.first
    ]


class SegmentStrip(QWidget):
    """A coloured piece per segment; below each, after how many tokens the Time Mixer follows, up to there hatched.

    A click chooses the token there, ← and → the first of the segment before or behind: ``token_chosen(index)``.
    """

    token_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("domainStrip")
        self._theme = LIGHT
        self._segments: list[ShownSegment] = []
        self._current = -1
        self.setProperty("textSize", "caption")
        self.setAccessibleName(self.tr("Segments"))
        self.setToolTip(self.tr("Segments found in the text. Click to go to a token, or walk with ← and →"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_segments(self, found: list[ShownSegment]) -> None:
        """Show these, from the first token of the text to its last."""
        self._segments = found
        self._current = -1
        self.setAccessibleDescription("; ".join(map(self.description, found)))
        self.update()

    def description(self, segment: ShownSegment) -> str:
        """One segment in words."""
        where = filled(
            self.tr("{name}: tokens {first}–{last}"), name=segment.slot.name, first=segment.first, last=segment.last
        )
        return f"{where}. {self._lag_text(segment)}"

    def _lag_text(self, segment: ShownSegment) -> str:
        if not segment.followed:
            return self.tr("Time Mixer does not follow")
        if segment.lag == 0:
            return self.tr("Time Mixer follows at once")
        if segment.lag == 1:
            return self.tr("Time Mixer follows after 1 token")
        return filled(self.tr("Time Mixer follows after {count} tokens"), count=segment.lag)

    def _short_lag_text(self, segment: ShownSegment) -> str:
        if not segment.followed:
            return self.tr("never")
        return filled(self.tr("after {count}"), count=segment.lag)

    def apply_theme(self, theme: Theme) -> None:
        """Use a theme's colours from now on."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, self._bar + self._notes + 2)

    @property
    def _bar(self) -> int:
        """Height of the pieces."""
        return self.fontMetrics().height() + 4

    @property
    def _notes(self) -> int:
        """Height of the words below them."""
        return self.fontMetrics().height() + 2

    # -- where tokens are -----------------------------------------------------------------------------------

    @property
    def _tokens(self) -> int:
        return self._segments[-1].last + 1 if self._segments else 0

    def x_of(self, token: int) -> float:
        """x at which a token begins."""
        return 1 + token / max(1, self._tokens) * (self.width() - 2)

    def token_at(self, x: float) -> int:
        """The token that is drawn there."""
        return max(0, min(self._tokens - 1, int((x - 1) / max(1, self.width() - 2) * self._tokens)))

    def _segment_at(self, token: int) -> int:
        return next((number for number, segment in enumerate(self._segments) if token <= segment.last), -1)

    # -- drawing --------------------------------------------------------------------------------------------

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        metrics = QFontMetricsF(self.font())
        for segment in self._segments:
            left, right = round(self.x_of(segment.first)), round(self.x_of(segment.last + 1))
            self._paint_piece(painter, segment, QRectF(left, 1, right - left, self._bar))
            painter.setPen(QColor(self._theme.muted))
            for note in (self._lag_text(segment), self._short_lag_text(segment)):
                if metrics.horizontalAdvance(note) <= right - left - _GAP:
                    painter.drawText(
                        QRectF(left, self._bar + 2, right - left, self._notes), Qt.AlignmentFlag.AlignVCenter, note
                    )
                    break
        if self.hasFocus():
            painter.setPen(QPen(QColor(self._theme.accent), 1))
            painter.drawRect(QRectF(0.5, 0.5, self.width() - 1, self._bar + 1))
        painter.end()

    def _paint_piece(self, painter: QPainter, segment: ShownSegment, area: QRectF) -> None:
        colour = QColor(segment.slot.colour)
        ink = readable_on(colour)
        painter.fillRect(area, colour)
        late = QRectF(area)
        late.setRight(self.x_of(min(segment.first + segment.lag, segment.last + 1)))
        hatch = QColor(ink)
        hatch.setAlphaF(0.45)
        painter.fillRect(late, QBrush(hatch, Qt.BrushStyle.BDiagPattern))
        painter.fillRect(QRectF(area.right() - 1, area.top(), 1, area.height()), QColor(self._theme.panel))
        name = filled(self.tr("{name} {first}–{last}"), name=segment.slot.name, first=segment.first, last=segment.last)
        metrics = QFontMetricsF(self.font())
        for text, left in product((name, segment.slot.name), (late.right(), area.left())):
            room = QRectF(left + _GAP, area.top(), metrics.horizontalAdvance(text) + 1, area.height())
            if room.right() <= area.right() - _GAP:
                painter.fillRect(room.adjusted(-2, 1, 2, -1), colour)
                painter.setPen(ink)
                painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, text)
                return

    # -- what the person does -------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._segments and event.button() == Qt.MouseButton.LeftButton:
            token = self.token_at(event.position().x())
            self._current = self._segment_at(token)
            self.token_chosen.emit(token)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is None or not self._segments:
            super().keyPressEvent(event)
            return
        self._current = max(0, min(self._current + step, len(self._segments) - 1))
        self.token_chosen.emit(self._segments[self._current].first)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip and self._segments:
            number = self._segment_at(self.token_at(QPointF(event.pos()).x()))
            QToolTip.showText(event.globalPos(), self.description(self._segments[number]), self)
            return True
        return super().event(event)
