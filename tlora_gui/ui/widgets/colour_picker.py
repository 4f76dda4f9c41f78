"""One colour out of the palette for epochs."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QWidget

from tlora_gui.engine.protocol.config import EPOCH_COLOURS
from tlora_gui.ui.palette import readable_on
from tlora_gui.ui.widgets.layouts import row
from tlora_gui.ui.widgets.painting import guarded


class ColourButton(QAbstractButton):
    """A square that can be chosen; a tick marks the chosen one, a ring the one with the keyboard."""

    def __init__(self, colour: str, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.colour = colour
        self.setCheckable(True)
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.setFixedSize(self.sizeHint())

    def sizeHint(self) -> QSize:
        return QSize(28, 28)

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        whole = QRectF(self.rect())
        if self.hasFocus() or self.underMouse():
            role = QPalette.ColorRole.Accent if self.hasFocus() else QPalette.ColorRole.Mid
            painter.setPen(QPen(self.palette().color(role), 2))
            painter.drawRoundedRect(whole.adjusted(1, 1, -1, -1), 7, 7)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.colour))
        painter.drawRoundedRect(whole.adjusted(4, 4, -4, -4), 5, 5)
        if self.isChecked():
            pen = QPen(readable_on(QColor(self.colour)), 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
            painter.setPen(pen)
            painter.drawLine(10, 14, 13, 17)
            painter.drawLine(13, 17, 19, 11)
        painter.end()


class ColourPicker(QWidget):
    """A row of colours, one of them chosen; arrow keys move along it."""

    colour_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Colour"))
        self._group = QButtonGroup(self)
        self._row = row(None, spacing=4)
        self.setLayout(self._row)
        names = (
            self.tr("Blue"),
            self.tr("Amber"),
            self.tr("Green"),
            self.tr("Pink"),
            self.tr("Vermilion"),
            self.tr("Sky blue"),
            self.tr("Brown"),
            self.tr("Violet"),
        )
        for colour, name in zip(EPOCH_COLOURS, names, strict=True):
            self._add(colour, name)
        self._buttons()[0].setChecked(True)
        self._group.buttonClicked.connect(self._clicked)

    def colour(self) -> str:
        """The chosen one, ``#RRGGBB``."""
        return next(button.colour for button in self._buttons() if button.isChecked())

    def set_colour(self, colour: str) -> None:
        """Choose a colour; one outside the palette is added to the row."""
        wanted = colour.upper()
        if wanted not in (button.colour.upper() for button in self._buttons()):
            self._add(colour, self.tr("This epoch's own colour"))
        next(button for button in self._buttons() if button.colour.upper() == wanted).setChecked(True)

    def choose_first_free(self, used: Iterable[str]) -> None:
        """Choose the first colour that no epoch has; if all are taken, go round again."""
        taken = [colour.upper() for colour in used]
        fewest = min(self._buttons(), key=lambda button: taken.count(button.colour.upper()))
        fewest.setChecked(True)

    def focus_chosen(self) -> None:
        """Give the keyboard to the chosen colour."""
        next(button for button in self._buttons() if button.isChecked()).setFocus(Qt.FocusReason.OtherFocusReason)

    def _buttons(self) -> list[ColourButton]:
        return [button for button in self._group.buttons() if isinstance(button, ColourButton)]

    def _add(self, colour: str, name: str) -> None:
        button = ColourButton(colour, name, self)
        self._row.insertWidget(self._row.count() - 1, button)
        self._group.addButton(button)

    def _clicked(self, button: QAbstractButton) -> None:
        if isinstance(button, ColourButton):
            self.colour_chosen.emit(button.colour)
