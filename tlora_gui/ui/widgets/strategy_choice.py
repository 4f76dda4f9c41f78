"""How a new project's Time Mixer makes its weights, and what it reads."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from tlora_gui.engine.protocol.config import STRATEGIES
from tlora_gui.ui.translation import tr
from tlora_gui.ui.widgets.elided_label import ElidedLabel
from tlora_gui.ui.widgets.fields import ChoiceBox
from tlora_gui.ui.widgets.layouts import column, label, row, tick_box


def strategy_name(strategy: str) -> str:
    """What people read for a strategy of the engine's."""
    return {"gating": tr("gating"), "routing": tr("routing"), "attention": tr("attention")}[strategy]


class StrategyChoice(QWidget):
    """A strategy, and in one line what it does; how it switches; and whether epochs change every block."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._combo = ChoiceBox(
            "strategyCombo", self.tr("Time Mixer"),
            self.tr("How the Time Mixer decides which epochs speak in a token; a project keeps its strategy"),
        )  # fmt: skip
        self._meaning = ElidedLabel("muted")
        self._meaning.setObjectName("strategyMeaning")
        self._meanings = {
            "gating": self.tr("Blends the epochs softly, token by token"),
            "routing": self.tr("Gives each token to one epoch alone"),
            "attention": self.tr("Looks back over the context, then blends"),
        }
        for strategy in STRATEGIES:
            self._combo.addItem(strategy_name(strategy), strategy)
        self._combo.currentIndexChanged.connect(self._explain)
        name = label(self.tr("Time Mixer"), "title")
        name.setBuddy(self._combo)
        self._every = tick_box(self.tr("Epochs may change every bloc&k, as most adapters from elsewhere do"))
        self._every.setObjectName("everyBlockTick")
        self._every.setToolTip(
            self.tr(
                "The Time Mixer then reads the bare words, not what the first quarter of the backbone makes of them; a "
                "project keeps this too"
            )
        )
        self._filter = tick_box(self.tr("Leave text of no epoch to the &backbone"))
        self._filter.setObjectName("filterTick")
        self._filter.setChecked(True)
        self._filter.setToolTip(
            self.tr(
                "A filter weighs the epochs then, which forgets less than the running mean that weighs otherwise; a "
                "project keeps this too"
            )
        )
        self._counts = tick_box(self.tr("Also by the &words that each epoch uses"))
        self._counts.setObjectName("countsTick")
        self._counts.setChecked(True)
        self._counts.setToolTip(
            self.tr(
                "The filter then asks how often each epoch has a token: it knows first words and unknown text better, "
                "and takes one epoch for another a little more often"
            )
        )
        self._filter.toggled.connect(self._counts.setEnabled)
        counts = row(self._counts, None, margins=(24, 0, 0, 0))
        self.setLayout(column(row(name, self._combo, self._meaning, spacing=12), self._filter, counts, self._every))
        self._explain()

    def strategy(self) -> str:
        """The chosen one, as the engine names it."""
        return str(self._combo.currentData())

    def mixer_layer(self) -> int | None:
        """The block before which it reads, and the first that epochs change; None for the engine's choice."""
        return 0 if self._every.isChecked() else None

    def switching(self) -> str:
        """How the Time Mixer turns from one epoch to another, as the engine names it."""
        if not self._filter.isChecked():
            return "mean"
        return "filter" if self._counts.isChecked() else "filter-without-counts"

    def _explain(self) -> None:
        meaning = self._meanings[self.strategy()]
        self._meaning.show_text(meaning)
        self._combo.setAccessibleDescription(meaning)
