"""Input fields with drawn arrows: a style sheet that styles their frame takes the arrows away."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QSpinBox, QStyle, QStyleOptionComboBox, QWidget

_TEXT_MARGINS = (7, 0, 0, 0)


def _draw_arrow(field: QWidget, y: float, rise: float) -> None:
    painter = QPainter(field)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    colour = field.palette().color(QPalette.ColorRole.PlaceholderText)
    painter.setPen(QPen(colour, 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    middle, half = QPointF(field.width() - 14.5, y), 2 * abs(rise)
    painter.drawPolyline([middle + QPointF(-half, rise), middle - QPointF(0, rise), middle + QPointF(half, rise)])
    painter.end()


class ChoiceBox(QComboBox):
    """A combo box with its object name, and its name and purpose for everyone.

    What is chosen ends in "…" where there is no room for it.
    """

    def __init__(self, name: str, label: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(label)
        self.setToolTip(tip)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.setMaximumWidth(230)

    def initStyleOption(self, option: QStyleOptionComboBox) -> None:
        super().initStyleOption(option)
        part = QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, part, self).width() - 4
        if not option.currentIcon.isNull():
            room -= option.iconSize.width() + 4
        elide = Qt.TextElideMode.ElideRight
        option.currentText = self.fontMetrics().elidedText(option.currentText, elide, room)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        _draw_arrow(self, self.height() / 2, -2)


class WholeBox(QSpinBox):
    """A whole number."""

    def __init__(self, minimum: int, maximum: int, parent: QWidget | None = None) -> None:
        super().__init__(parent, minimum=minimum, maximum=maximum)
        self.lineEdit().setTextMargins(*_TEXT_MARGINS)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        _draw_arrow(self, self.height() / 2 - 5, 1.5)
        _draw_arrow(self, self.height() / 2 + 5, -1.5)


class DecimalBox(QDoubleSpinBox):
    """A number with two decimals."""

    def __init__(self, minimum: float, maximum: float, parent: QWidget | None = None) -> None:
        super().__init__(parent, minimum=minimum, maximum=maximum, singleStep=0.05)
        self.lineEdit().setTextMargins(*_TEXT_MARGINS)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        _draw_arrow(self, self.height() / 2 - 5, 1.5)
        _draw_arrow(self, self.height() / 2 + 5, -1.5)
