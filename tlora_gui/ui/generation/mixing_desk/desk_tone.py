"""A desk's temperature, and whether one slot takes all."""

from __future__ import annotations

import math

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QWidget

from tlora_gui.engine.protocol.wording import temperature_text
from tlora_gui.ui.generation.mixing_desk.fader import DeskSlider, value_label
from tlora_gui.ui.translation import worded
from tlora_gui.ui.widgets.layouts import column, label, row, tick_box

_STEPS = 100
"""Of the slider from 1 to 10, and as many from 1 down to 0.1."""


class DeskTone(QWidget):
    """How sharply the mixer decides."""

    changed = Signal()
    """A person has turned something."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._temperature = 1.0
        self._name = label(self.tr("Temperature"))
        self._slider = DeskSlider(-_STEPS, _STEPS, 0)
        self._slider.setObjectName("deskTemperatureSlider")
        self._slider.setAccessibleName(self.tr("Temperature of the Time Mixer"))
        self._slider.setToolTip(
            self.tr("Below 1 the Time Mixer decides more sharply, above 1 more softly; double-click for 1")
        )
        self._name.setToolTip(self._slider.toolTip())
        self._name.setBuddy(self._slider)
        self._value = value_label()
        self._hard = tick_box(self.tr("All to the largest"))
        self._hard.setObjectName("deskHardTick")
        self._hard.setAccessibleName(self.tr("All weight to the largest"))
        self._hard.setToolTip(self.tr("Hard: in every token the slot with the largest weight speaks alone"))
        self._slider.valueChanged.connect(self._turned)
        self._hard.clicked.connect(self.changed)
        self.setLayout(column(row(self._name, self._slider, self._value, spacing=4), self._hard, spacing=4))
        self.set_tone(1.0, False)

    @property
    def temperature(self) -> float:
        """From 0.1 to 10."""
        return self._temperature

    @property
    def hard(self) -> bool:
        """Whether all weight goes to the largest."""
        return self._hard.isChecked()

    def set_tone(self, temperature: float, hard: bool) -> None:
        """Show these."""
        with QSignalBlocker(self._slider):
            self._slider.setValue(round(math.log10(temperature) * _STEPS))
        self._hard.setChecked(hard)
        self._show(temperature)

    def set_mixer_decides(self, decides: bool) -> None:
        """The temperature is the Time Mixer's: a manual blend has none."""
        for part in (self._name, self._slider, self._value):
            part.setEnabled(decides)

    def _turned(self, step: int) -> None:
        self._show(round(10 ** (step / _STEPS), 2))
        self.changed.emit()

    def _show(self, temperature: float) -> None:
        self._temperature = temperature
        self._value.setText(worded(temperature_text(temperature)))
