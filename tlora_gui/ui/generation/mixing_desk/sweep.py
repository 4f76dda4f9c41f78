"""From one slot to another in five manual blends."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from tlora_gui.engine.protocol.config import MixingDesk
from tlora_gui.engine.protocol.texts import SlotInfo
from tlora_gui.engine.protocol.wording import drawing_order
from tlora_gui.ui.widgets.fields import ChoiceBox
from tlora_gui.ui.widgets.layouts import column, fields

_STEPS = (1.0, 0.75, 0.5, 0.25, 0.0)


def sweep_desks(from_slug: str, to_slug: str) -> tuple[MixingDesk, ...]:
    """Five manual blends of two slots: 100/0, 75/25, 50/50, 25/75, 0/100."""
    return tuple(MixingDesk("manual", ((from_slug, share), (to_slug, 1 - share))) for share in _STEPS)


class SweepBox(QWidget):
    """Chooses two slots and asks for the five blends between them: ``requested(from_slug, to_slug)``."""

    requested = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._by_hand = False
        tip = self.tr("A sweep continues the prompt five times, from one slot to another")
        self._from = ChoiceBox("sweepFromCombo", self.tr("Sweep from"), tip)
        self._to = ChoiceBox("sweepToCombo", self.tr("Sweep to"), tip)
        for box in (self._from, self._to):
            box.setSizeAdjustPolicy(ChoiceBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(5)
            box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            box.currentIndexChanged.connect(self._refresh)
            box.activated.connect(self._choose)
        self._ask = QPushButton(self.tr("Sweep"))
        self._ask.setObjectName("sweepButton")
        self._ask.setAccessibleName(self._ask.text())
        self._ask.clicked.connect(self._request)
        form = fields((self.tr("Sweep from"), self._from), (self.tr("to"), self._to), label_width=0)
        self.setLayout(column(form, self._ask))
        self.set_slots(())

    def set_slots(self, slots: Sequence[SlotInfo]) -> None:
        """Offer these slots; what the person chose stays while its slot does, else it is the first two epochs."""
        chosen = self._from.currentData(), self._to.currentData()
        for box in (self._from, self._to):
            box.clear()
            for slot in drawing_order(slots):
                box.addItem(slots[slot].name, slots[slot].slug)
        one, other = (self._from.findData(slug) for slug in chosen)
        keep = self._by_hand and min(one, other) >= 0 and one != other
        self._from.setCurrentIndex(one if keep else 0)
        self._to.setCurrentIndex(other if keep else min(1, len(slots) - 1))
        self._refresh()

    def take_focus(self) -> None:
        """Go where the first slot is chosen; the scroll area around it shows it."""
        self._from.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _choose(self) -> None:
        self._by_hand = True

    def _refresh(self) -> None:
        two = self._from.count() > 1
        self._from.setEnabled(two)
        self._to.setEnabled(two)
        differ = self._from.currentData() != self._to.currentData()
        self._ask.setEnabled(two and differ)
        self._ask.setToolTip(
            self.tr("Continue the prompt in five manual blends, from 100 / 0 to 0 / 100")
            if two and differ
            else self.tr("Choose two different slots; there are two from the first epoch on")
        )

    def _request(self) -> None:
        self.requested.emit(self._from.currentData(), self._to.currentData())
