"""A check box that is as visible in the dark theme as in the light one."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QCheckBox, QWidget

from tlora_gui.ui.widgets.painting import guarded

_BOX = 16
_GAP = 8
_EDGE = 3


class TickBox(QCheckBox):
    """A QCheckBox drawn with the theme's accent: the Fusion style's own outline vanishes on dark panels."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)

    def sizeHint(self) -> QSize:
        text = self.fontMetrics().size(Qt.TextFlag.TextShowMnemonic.value, self.text())
        return QSize(_EDGE + _BOX + _GAP + text.width() + 2 * _EDGE, max(_BOX, text.height()) + 2 * _EDGE)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def hitButton(self, pos: QPoint) -> bool:
        return True

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette, role = self.palette(), QPalette.ColorRole
        accent = palette.color(role.Accent if self.isEnabled() else role.Mid)
        box = QRectF(_EDGE + 0.5, (self.height() - _BOX) / 2 + 0.5, _BOX - 1, _BOX - 1)
        painter.setPen(QPen(accent if self.isChecked() else palette.color(role.PlaceholderText), 1))
        painter.setBrush(accent if self.isChecked() else palette.color(role.Base))
        painter.drawRoundedRect(box, 4, 4)
        if self.isChecked():
            painter.setPen(QPen(Qt.GlobalColor.white, 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            corner = box.topLeft()
            points = [corner + QPointF(x, y) for x, y in ((3.8, 7.8), (6.5, 10.5), (11.3, 4.8))]
            painter.drawPolyline(points)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(palette.color(role.Accent), 1))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        painter.setPen(palette.color(role.WindowText))
        words = self.rect().adjusted(_EDGE + _BOX + _GAP, 0, -_EDGE, 0)
        flags = Qt.AlignmentFlag.AlignVCenter.value | Qt.TextFlag.TextShowMnemonic.value
        painter.drawText(words, flags, self.text())
        painter.end()
