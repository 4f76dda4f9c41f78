"""How the next token is drawn, as a panel that pops up."""

from __future__ import annotations

import random
from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from tlora_gui.engine.protocol.config import DEFAULT_SAMPLING, MAX_NEW_TOKENS, MAX_TOP_K, SamplingSettings
from tlora_gui.ui.widgets.fields import DecimalBox, SeedBox, WholeBox, field_width
from tlora_gui.ui.widgets.icons import icon
from tlora_gui.ui.widgets.layouts import POPUP_MARGINS


class SamplingPanel(QFrame):
    """Edits a :class:`SamplingSettings`; ``pop_up(widget)`` shows it under a widget until a click elsewhere."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("samplingPanel")
        self.setAccessibleName(self.tr("Sampling"))
        self._temperature = DecimalBox(minimum=0.0, maximum=1000.0)
        self._temperature.setSpecialValueText(self.tr("0 (most probable)"))
        self._top_k = WholeBox(minimum=0, maximum=MAX_TOP_K)
        self._top_k.setSpecialValueText(self.tr("all"))
        self._top_p = DecimalBox(minimum=0.001, maximum=1.0)
        self._repetition_penalty = DecimalBox(minimum=1.0, maximum=1000.0)
        self._max_new_tokens = WholeBox(minimum=1, maximum=MAX_NEW_TOKENS)
        self._seed = SeedBox()
        self._fast = QCheckBox(self.tr("Fast"))
        self._lay_out()
        self.set_settings(DEFAULT_SAMPLING)

    def settings(self) -> SamplingSettings:
        """What is set now."""
        return SamplingSettings(
            max_new_tokens=self._max_new_tokens.value(),
            temperature=self._temperature.value(),
            top_k=self._top_k.value(),
            top_p=self._top_p.value(),
            repetition_penalty=self._repetition_penalty.value(),
            seed=self._seed.value(),
            precision="fast" if self._fast.isChecked() else "exact",
        )

    def set_settings(self, settings: SamplingSettings) -> None:
        """Show these settings, as they are even where the fields would not offer them."""
        boxes: tuple[tuple[Any, float], ...] = (
            (self._temperature, settings.temperature),
            (self._top_k, settings.top_k),
            (self._top_p, settings.top_p),
            (self._repetition_penalty, settings.repetition_penalty),
            (self._max_new_tokens, settings.max_new_tokens),
        )
        for box, value in boxes:
            box.setRange(min(box.minimum(), value), max(box.maximum(), value))
            box.setValue(value)
        self._seed.setValue(settings.seed)
        self._fast.setChecked(settings.precision == "fast")

    def pop_up(self, under: QWidget) -> None:
        """Show below ``under``, right edges aligned, inside its screen."""
        self.adjustSize()
        corner = under.mapToGlobal(QPoint(under.width() - self.width(), under.height() + 4))
        screen = under.screen().availableGeometry()
        corner.setX(max(screen.left(), min(corner.x(), screen.right() - self.width())))
        if corner.y() + self.height() > screen.bottom():
            corner.setY(under.mapToGlobal(QPoint(0, -self.height() - 4)).y())
        self.move(corner)
        self.show()
        self._temperature.setFocus(Qt.FocusReason.PopupFocusReason)

    # -- building -------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        form = QGridLayout()
        form.setHorizontalSpacing(12)
        form.setVerticalSpacing(8)
        for name, box, tip in (
            (self.tr("Temperature"), self._temperature, self.tr("0 takes the most probable token; higher is bolder")),
            (self.tr("Top-k"), self._top_k, self.tr("Keep the k most probable tokens; 0 keeps all")),
            (self.tr("Top-p"), self._top_p, self.tr("Keep the smallest set of tokens that holds this probability")),
            (
                self.tr("Repetition penalty"),
                self._repetition_penalty,
                self.tr("Divides the logits of tokens that are already there; 1 does nothing"),
            ),
            (self.tr("Max new tokens"), self._max_new_tokens, self.tr("Stop after this many tokens")),
        ):
            self._add(form, name, box, tip, box)
        self._add(form, self.tr("Seed"), self._seed, self.tr("The same seed gives the same text"), self._seed_row())
        tip = self.tr(
            "Decode with weights of 16 bits, where that is faster on this processor and nobody could tell the texts "
            "apart; it takes half as much memory again as the backbone"
        )
        self._add(form, self.tr("Precision"), self._fast, tip, self._fast)
        title = QLabel(self.tr("Sampling"))
        title.setProperty("role", "title")
        defaults = QPushButton(self.tr("Defaults"))
        defaults.setToolTip(self.tr("Set everything back to the defaults"))
        defaults.setAccessibleName(self.tr("Sampling defaults"))
        defaults.clicked.connect(self._to_defaults)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(*POPUP_MARGINS)
        outer.setSpacing(12)
        outer.addWidget(title)
        outer.addLayout(form)
        outer.addWidget(defaults, 0, Qt.AlignmentFlag.AlignRight)

    def _add(self, form: QGridLayout, name: str, box: QAbstractSpinBox | QCheckBox, tip: str, field: QWidget) -> None:
        box.setAccessibleName(name)
        if isinstance(box, QAbstractSpinBox):
            box.setMinimumWidth(field_width(box))
        box.setToolTip(tip)
        label = QLabel(name)
        label.setBuddy(box)
        label.setToolTip(tip)
        row = form.rowCount()
        form.addWidget(label, row, 0)
        form.addWidget(field, row, 1)

    def _seed_row(self) -> QWidget:
        dice = QToolButton()
        dice.setObjectName("randomSeedButton")
        dice.setIcon(icon("dice"))
        dice.setAccessibleName(self.tr("Random seed"))
        dice.setToolTip(self.tr("Pick a random seed"))
        dice.clicked.connect(self._pick_seed)
        field = QWidget()
        row = QHBoxLayout(field)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._seed, 1)
        row.addWidget(dice)
        return field

    def _pick_seed(self) -> None:
        self._seed.setValue(random.randrange(1_000_000))

    def _to_defaults(self) -> None:
        self.set_settings(DEFAULT_SAMPLING)
