"""One slot's strip of the mixing desk."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QLabel, QSizePolicy, QSlider, QStyle, QStyleOptionSlider, QToolButton, QWidget

from tlora_gui.engine.protocol.config import DeskMode
from tlora_gui.engine.protocol.texts import SlotInfo
from tlora_gui.ui.formats import MISSING, human_share
from tlora_gui.ui.widgets.elided_label import ElidedLabel
from tlora_gui.ui.widgets.fields import KeepsStill
from tlora_gui.ui.widgets.layouts import column, label, row, set_role
from tlora_gui.ui.widgets.painting import guarded
from tlora_gui.ui.widgets.swatch import BACKBONE_SIGN, Swatch, initial


class DeskSlider(KeepsStill, QSlider):
    """A horizontal slider that jumps to a click, and back to ``neutral`` on a double click."""

    def __init__(self, minimum: int, maximum: int, neutral: int, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.neutral = neutral
        self.setRange(minimum, maximum)
        self.setPageStep(10)
        self.setValue(neutral)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        part = QStyle.SubControl.SC_SliderHandle
        handle = self.style().subControlRect(QStyle.ComplexControl.CC_Slider, option, part, self)
        if event.button() == Qt.MouseButton.LeftButton and not handle.contains(event.position().toPoint()):
            x, room = event.position().x() - handle.width() / 2, self.width() - handle.width()
            self.setValue(QStyle.sliderValueFromPosition(self.minimum(), self.maximum(), round(x), room))
        super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.setValue(self.neutral)


class _ShareBar(QWidget):
    """A thin bar of a share in [0, 1]."""

    def __init__(self, colour: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colour = colour
        self._share = 0.0
        self.setFixedHeight(4)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_share(self, share: float) -> None:
        """Show this share."""
        self._share = share
        self.update()

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        whole = QRectF(self.rect())
        painter.setBrush(self.palette().color(QPalette.ColorRole.AlternateBase))
        painter.drawRoundedRect(whole, 2, 2)
        painter.setBrush(QColor(self._colour))
        painter.drawRoundedRect(QRectF(0, 0, whole.width() * self._share, whole.height()), 2, 2)
        painter.end()


class FaderStrip(QWidget):
    """Swatch, name, mute, solo and a level in per cent; below, the slot's share in the latest token.

    M mutes, S plays solo; ↑ and ↓ want to go to the neighbouring strip, to the same control, which is for ``focus_on``
    there: ``left(slug, control, step)``.
    """

    changed = Signal()
    """A person has turned something."""
    left = Signal(str, str, int)

    def __init__(self, slot: SlotInfo, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.slot = slot
        swatch = Swatch(18)
        swatch.set_epoch(slot.colour, initial(slot.name) if slot.slug else BACKBONE_SIGN)
        self._name = ElidedLabel("name")
        self._name.show_text(slot.name)
        self.mute = self._toggle(self.tr("M"))
        self._name_control(self.mute, "deskMute", self.tr("Mute {name}"))
        self.mute.setToolTip(self.tr("Mute: silent, whatever its level"))
        self.solo = self._toggle(self.tr("S"))
        self._name_control(self.solo, "deskSolo", self.tr("Solo {name}"))
        self.solo.setToolTip(self.tr("Solo: only those that play solo speak"))
        self._slider = DeskSlider(0, 100, 100)
        self._name_control(self._slider, "deskLevel", self.tr("Level of {name}"))
        self._slider.valueChanged.connect(self._turned)
        self._value = value_label()
        self._share = _ShareBar(slot.colour)
        for control in (self._slider, self.mute, self.solo):
            control.installEventFilter(self)
        head = row(swatch, self._name, self.mute, self.solo, spacing=6)
        self.setLayout(column(head, row(self._slider, self._value, spacing=4), self._share, spacing=3))
        self.set_mode("mixer")

    def _toggle(self, letter: str) -> QToolButton:
        button = QToolButton()
        button.setText(letter)
        button.setCheckable(True)
        button.setProperty("role", "strip")
        button.clicked.connect(self.changed)
        return button

    def _name_control(self, control: QWidget, name: str, words: str) -> None:
        control.setObjectName(f"{name}:{self.slot.slug}")
        control.setAccessibleName(words.format(name=self.slot.name))

    # -- what to show ---------------------------------------------------------------------------------------

    @property
    def level(self) -> float:
        """The level, 1 at 100 %."""
        return self._slider.value() / 100

    def set_level(self, level: float) -> None:
        """Show this level."""
        with QSignalBlocker(self._slider):
            self._slider.setValue(round(level * 100))
        self._show_value()

    def set_mode(self, mode: DeskMode) -> None:
        """What the level means: a share in "manual", a factor up to 2 in "gain", nothing in "mixer"."""
        self._mode = mode
        with QSignalBlocker(self._slider):
            self._slider.setMaximum(200 if mode == "gain" else 100)
        self._slider.setEnabled(mode != "mixer")
        self._value.setEnabled(mode != "mixer")
        self._slider.setToolTip(
            self.tr("Choose Manual or × Gain above to turn it")
            if mode == "mixer"
            else self.tr("← and → turn it, ↑ and ↓ go to the next one, M mutes, S plays solo; double-click for 100 %")
        )
        self._show_value()

    def set_share(self, share: float) -> None:
        """The slot's share in the latest token."""
        self._share.set_share(share)
        self._share.setToolTip(self.tr("In the latest token: {share}").format(share=human_share(share)))

    def focus_on(self, control: str) -> None:
        """Give the focus to "deskLevel", "deskMute" or "deskSolo"."""
        for one in (self._slider, self.mute, self.solo):
            if one.objectName() == f"{control}:{self.slot.slug}":
                one.setFocus(Qt.FocusReason.TabFocusReason)

    def set_silent(self, silent: bool) -> None:
        """Whether the slot has no weight as the desk stands."""
        set_role(self._name, "role", "muted" if silent else "name")

    def _show_value(self) -> None:
        self._value.setText(MISSING if self._mode == "mixer" else human_share(self.level))

    # -- what the person does -------------------------------------------------------------------------------

    def _turned(self) -> None:
        self._show_value()
        self.changed.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and not event.modifiers():
            match event.key():
                case Qt.Key.Key_Up | Qt.Key.Key_Down:
                    control = watched.objectName().split(":")[0]
                    self.left.emit(self.slot.slug, control, 1 if event.key() == Qt.Key.Key_Down else -1)
                    return True
                case Qt.Key.Key_M:
                    self.mute.click()
                    return True
                case Qt.Key.Key_S:
                    self.solo.click()
                    return True
        return super().eventFilter(watched, event)


def value_label() -> QLabel:
    """Room for a slider's value, at its right, as wide for each value."""
    made = label(human_share(2.0), "caption")
    made.ensurePolished()
    made.setMinimumWidth(made.sizeHint().width())
    made.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return made
