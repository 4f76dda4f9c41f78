"""The head of the generation pane: page, meaning of colour, mode."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QWidget

from tlora_gui.engine.protocol.config import MIXER_MODE, STRATEGIES
from tlora_gui.engine.protocol.events import StoredMixer
from tlora_gui.engine.protocol.texts import SlotInfo
from tlora_gui.engine.protocol.wording import mode_text
from tlora_gui.ui.generation.modes import ModeChoice, live_modes, past_modes, unmixed_modes
from tlora_gui.ui.generation.prompt_bar import Page
from tlora_gui.ui.generation.token_view.swatch import dot_icon
from tlora_gui.ui.generation.token_view.token_style import ColourMode
from tlora_gui.ui.theme import scaled
from tlora_gui.ui.translation import worded
from tlora_gui.ui.widgets.fields import ChoiceBox
from tlora_gui.ui.widgets.layouts import Ends, row, small_button

_PAGES: tuple[Page, ...] = ("generate", "read", "compare")
_COLOUR_WIDTH, _MODE_WIDTH = 164, 168
"""In pixels at text of ten points, at least: most choices move nothing, and none is cut off."""


class PaneHeader(QWidget):
    """Chooses page, colour and mode. Signals: ``page_chosen(str)``, ``colour_chosen()``, ``mode_chosen()``."""

    page_chosen = Signal(str)
    colour_chosen = Signal()
    mode_chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._slots: tuple[SlotInfo, ...] = ()
        self._strategy: str = STRATEGIES[0]
        self._mixers: tuple[StoredMixer, ...] = ()
        self._colour_tip = self.tr("What the colour of a token means")
        self._mode_tip = self.tr("Mode: the Time Mixer, or one slot alone")
        self._colour = ChoiceBox("colourCombo", self.tr("Colour"), self._colour_tip)
        self._mode = ChoiceBox("modeCombo", self.tr("Mode"), self._mode_tip)
        self._colour.setMinimumWidth(scaled(_COLOUR_WIDTH))
        self._mode.setMinimumWidth(scaled(_MODE_WIDTH))
        self._mode_label = self._label(self.tr("Mode:"), self._mode)
        colour_label = self._label(self.tr("Colour:"), self._colour)
        choices = Ends(
            row(None, colour_label, self._colour, spacing=4), row(None, self._mode_label, self._mode, spacing=4)
        )
        self.setLayout(Ends(self._tabs(), choices))
        self.offer_colours(())
        self._colour.currentIndexChanged.connect(self._colour_changed)
        self._mode.currentIndexChanged.connect(self._mode_changed)

    def _label(self, text: str, buddy: QWidget) -> QLabel:
        label = QLabel(text)
        label.setProperty("role", "muted")
        label.setBuddy(buddy)
        return label

    def _tabs(self) -> QHBoxLayout:
        names = {
            "generate": (self.tr("Generate"), self.tr("Continue a prompt")),
            "read": (self.tr("Read"), self.tr("Colour any text without generating")),
            "compare": (self.tr("Compare"), self.tr("One prompt and seed, several modes side by side")),
        }
        self._pages = QButtonGroup(self)
        tabs = row(spacing=4)
        for number, page in enumerate(_PAGES):
            button = small_button(*names[page], name=f"{page}Tab")
            button.setCheckable(True)
            button.setChecked(page == "generate")
            self._pages.addButton(button, number)
            tabs.addWidget(button)
        tabs.addStretch(1)
        self._pages.idClicked.connect(self._tab_clicked)
        return tabs

    def _tab_clicked(self, number: int) -> None:
        self.page_chosen.emit(_PAGES[number])

    def show_page(self, page: Page) -> None:
        """Mark this page; comparing has its own choices of modes."""
        self._pages.button(_PAGES.index(page)).setChecked(True)
        for widget in (self._mode_label, self._mode):
            widget.setVisible(page != "compare")

    # -- the mode -------------------------------------------------------------------------------------------

    def set_slots(self, slots: tuple[SlotInfo, ...], strategy: str, mixers: tuple[StoredMixer, ...]) -> None:
        """Offer the modes of a model with these slots, this strategy and these stored mixers; keeps what is chosen."""
        self._slots, self._strategy, self._mixers = slots, strategy, mixers
        chosen = self._mode.currentData()
        self._mode.clear()
        for group in (live_modes(slots, strategy), unmixed_modes(slots), past_modes(mixers)):
            if group and self._mode.count():
                self._mode.insertSeparator(self._mode.count())
            for choice in group:
                self._offer(choice)
        self.choose_mode(MIXER_MODE if chosen is None else chosen)

    def _offer(self, choice: ModeChoice) -> None:
        self._mode.addItem(dot_icon(choice.colour), choice.label, choice.mode)
        if choice.meaning:
            self._mode.setItemData(self._mode.count() - 1, choice.meaning, Qt.ItemDataRole.ToolTipRole)

    @property
    def compared_modes(self) -> list[ModeChoice]:
        """Modes that can be compared."""
        return live_modes(self._slots, self._strategy) + past_modes(self._mixers)

    @property
    def mode_names(self) -> dict[str, str]:
        """What people read for every mode, in few words: a project has one strategy."""
        names = {choice.mode: choice.label for choice in self.compared_modes + unmixed_modes(self._slots)}
        return names | {MIXER_MODE: worded(mode_text(MIXER_MODE, self._slots))}

    @property
    def mode(self) -> str:
        """The chosen mode, one of ``Generate``."""
        return str(self._mode.currentData())

    def choose_mode(self, mode: str) -> None:
        """Choose a mode; one that is not offered changes nothing."""
        index = self._mode.findData(mode)
        if index >= 0:
            self._mode.setCurrentIndex(index)

    def _mode_changed(self) -> None:
        meaning = self._mode.currentData(Qt.ItemDataRole.ToolTipRole) or self._mode_tip
        self._mode.setToolTip(f"{self._mode.currentText()}\n{meaning}")
        if self._mode.currentData() is not None:
            self.mode_chosen.emit()

    # -- what colour means ----------------------------------------------------------------------------------

    def offer_colours(self, slots: Sequence[SlotInfo]) -> None:
        """What colour can mean for a text of these slots; keeps what is chosen if it is still there."""
        names: dict[ColourMode, str] = {
            "dominant": self.tr("dominant epoch"),
            "probability": self.tr("probability"),
            "surprise": self.tr("surprise"),
            "entropy": self.tr("entropy of the mix"),
        }
        chosen = self._colour.currentData()
        self._colour.blockSignals(True)
        self._colour.clear()
        for mode, name in names.items():
            self._colour.addItem(name, (mode, 0))
        for number, slot in enumerate(slots):
            name = self.tr("weight of {name}").format(name=slot.name)
            self._colour.addItem(dot_icon(slot.colour), name, ("weight", number))
        self._colour.setCurrentIndex(max(0, self._colour.findData(chosen)))
        self._colour.blockSignals(False)
        self._colour_changed()

    def _colour_changed(self) -> None:
        self._colour.setToolTip(f"{self._colour.currentText()}\n{self._colour_tip}")
        self.colour_chosen.emit()

    @property
    def colour(self) -> tuple[ColourMode, int]:
        """What colour means, and whose weight it is in mode "weight"."""
        return cast("tuple[ColourMode, int]", self._colour.currentData())
