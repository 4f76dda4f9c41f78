"""Active Sleep's part of an epoch's settings."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from tlora_gui.engine.protocol.config import LARGEST_COUNT, MEMORY_SOURCES, MEMORY_WINDOW, SleepSettings
from tlora_gui.ui.widgets.fields import ChoiceBox, WholeBox, field_width
from tlora_gui.ui.widgets.layouts import column, fields, label, tick_box

_INDENT = 27
"""Where the words of a tick box begin."""


class SleepBox(QWidget):
    """Active Sleep on or off, and what memories are made of and know."""

    edited = Signal()
    """A person has changed a setting."""
    switched = Signal(bool)
    """Active Sleep is on now, or off."""

    def __init__(self, settings: SleepSettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._build()
        self.set_settings(settings)
        self._enabled.toggled.connect(self._switch)
        for box in (self._enabled, self._labels):
            box.toggled.connect(self.edited)
        self._source.currentIndexChanged.connect(self.edited)
        self._tokens.valueChanged.connect(self.edited)

    def set_settings(self, settings: SleepSettings) -> None:
        """Show these settings."""
        self._settings = settings
        self._enabled.setChecked(settings.enabled)
        self._labels.setChecked(settings.memory_labels)
        self._source.setCurrentIndex(self._source.findData(settings.source))
        self._tokens.setValue(settings.memory_tokens)
        self._switch(settings.enabled)

    def settings(self) -> SleepSettings:
        """What is set, the rest as it was given."""
        return replace(
            self._settings,
            enabled=self._enabled.isChecked(),
            source=self._source.currentData(),
            memory_labels=self._labels.isChecked(),
            memory_tokens=self._tokens.value(),
        )

    def is_on(self) -> bool:
        """Whether this epoch is trained with Active Sleep."""
        return self._enabled.isChecked()

    def set_first_epoch(self, first: bool) -> None:
        """Say what Active Sleep will do for this epoch."""
        self._hint.setText(
            self.tr("This is the first epoch: there is nothing to protect yet.")
            if first
            else self.tr("On by itself from the second epoch: keeps the Time Mixer from forgetting the earlier ones.")
        )

    def _build(self) -> None:
        self._enabled = tick_box(self.tr("&Active Sleep"))
        self._enabled.setObjectName("activeSleepBox")
        self._enabled.setToolTip(
            self.tr("Replays memories of earlier epochs so that the Time Mixer still finds the way to them.")
        )
        self._hint = label("", "caption", wrap=True)
        self._hint.setIndent(_INDENT)
        self._labels = tick_box(self.tr("&Memories know their epoch"))
        self._labels.setObjectName("memoryLabelsBox")
        self._labels.setToolTip(
            self.tr(
                "Each memory also tells which epoch it is from, and training ends with a short calibration on "
                "memories. Without it the Time Mixer is protected by distillation alone."
            )
        )
        self._source = ChoiceBox(
            "memorySourceCombo", self.tr("Kept for later sleep"),
            self.tr(
                "What this epoch leaves behind, so that later ones can protect it. Features: how the frozen backbone "
                "sees a small part of the text, which is kept with them. Without text: the same in a fifth of the "
                "room, and no text or word counts. Dreams: features of text that the finished epoch makes up by "
                "itself; they protect less."
            ),
        )  # fmt: skip
        names = {
            "features": self.tr("features of the text"),
            "features-without-text": self.tr("features without text"),
            "dreams": self.tr("dreams of the epoch (text-free)"),
        }
        for source in MEMORY_SOURCES:
            self._source.addItem(names[source], source)
        self._tokens = WholeBox(MEMORY_WINDOW, LARGEST_COUNT)
        self._tokens.setObjectName("memoryTokensSpin")
        self._tokens.setAccessibleName(self.tr("Memory tokens"))
        self._tokens.setToolTip(
            self.tr(
                "Tokens that this epoch leaves for later sleep. More protect better and take more room. At least {low}."
            ).format(low=MEMORY_WINDOW)
        )
        self._tokens.setSingleStep(512)
        self._tokens.setSuffix(self.tr(" tokens"))
        self._tokens.setGroupSeparatorShown(True)
        self._tokens.setMaximumWidth(field_width(self._tokens))
        options = fields(
            (self.tr("Kept &for later sleep"), self._source),
            (self.tr("M&emory tokens"), self._tokens),
        )
        options.setContentsMargins(_INDENT, 0, 0, 0)
        indented = column(self._labels, margins=(_INDENT - 3, 0, 0, 0))
        self.setLayout(column(self._enabled, self._hint, indented, options, spacing=6))
        self.set_first_epoch(True)

    def _switch(self, on: bool) -> None:
        self._labels.setEnabled(on)
        self.switched.emit(on)
