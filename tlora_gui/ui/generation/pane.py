"""The centre of the window: a prompt, and what becomes of it on three pages: continued, read, or compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QIcon, QKeyEvent, QKeySequence, QPixmap, QShortcut
from PySide6.QtWidgets import (
    QApplication,
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from tlora_gui.engine.config import MIXER_MODE, STRATEGIES, SamplingSettings
from tlora_gui.engine.events import GenerationStarted, StoredMixer
from tlora_gui.engine.jobs import Generate, ReadText
from tlora_gui.engine.sharing.markdown import to_markdown
from tlora_gui.engine.texts import GenerationRecord, SlotInfo, TokenEvent
from tlora_gui.ui.generation.compare.compare_page import ComparePage
from tlora_gui.ui.generation.figures import Figures
from tlora_gui.ui.generation.modes import ModeChoice, live_modes, past_modes, unmixed_modes
from tlora_gui.ui.generation.prompt_bar import Page, PromptBar
from tlora_gui.ui.generation.text.token_style import ColourMode
from tlora_gui.ui.generation.text_page import TextPage
from tlora_gui.ui.theme import Theme
from tlora_gui.ui.widgets.fields import ChoiceBox

_PAGES: tuple[Page, ...] = ("generate", "read", "compare")


class GenerationPane(QFrame):
    """Asks for generations and readings and shows them.

    Signals: ``generate_requested(Generate)``, ``read_requested(ReadText)``, ``file_requested()``,
    ``compare_requested(list of modes)``, ``stop_requested()``, ``save_requested()``, ``branch_requested(int)`` and
    ``again_requested(int)`` for a token of the text, ``page_changed(str)``, ``mode_changed(str)``,
    ``paste_clipped(all, kept)``, ``token_hovered(TokenEvent | None)`` for the token chosen in text or ribbon, with
    slots in ``shown_slots``.
    """

    generate_requested = Signal(object)
    read_requested = Signal(object)
    file_requested = Signal()
    compare_requested = Signal(list)
    stop_requested = Signal()
    save_requested = Signal()
    branch_requested = Signal(int)
    again_requested = Signal(int)
    page_changed = Signal(str)
    mode_changed = Signal(str)
    paste_clipped = Signal(int, int)
    token_hovered = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._started: GenerationStarted | None = None
        self._record: GenerationRecord | None = None
        self._slots: tuple[SlotInfo, ...] = ()
        self._strategy: str = STRATEGIES[0]
        self._mixers: tuple[StoredMixer, ...] = ()
        self.prompt_bar = PromptBar()
        self.text_page = TextPage()
        self.compare_page = ComparePage()
        self._text = self.text_page.text
        self._figures = Figures()
        self._who_speaks = self.tr("Who speaks: the Time Mixer, or one slot alone")
        self._colour = ChoiceBox("colourCombo", self.tr("Colour"), self.tr("What the colour of a token means"))
        self._mode = ChoiceBox("modeCombo", self.tr("Mode"), self._who_speaks)
        self._colour.setMaximumWidth(170)
        for box in (self._colour, self._mode):
            box.setMinimumWidth(130)  # less than its longest name: the pane fits a small window
        self._copy = self._small_button("copyTextButton", self.tr("Copy"), self.tr("Copy the whole text"))
        self._save = self._small_button(
            "saveTextButton", self.tr("Save…"), self.tr("As a web page, a picture, Markdown, or to open it again")
        )
        self.setFocusProxy(self.prompt_bar.edit)
        self._lay_out()
        self._connect()
        self.set_slots(())
        self.set_enabled_for_model(False, self.tr("Open a project to generate text."))
        self._offer_text_actions()

    # -- building -------------------------------------------------------------------------------------------

    def _small_button(self, name: str, text: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setProperty("compact", "true")
        button.setObjectName(name)
        button.setAccessibleName(text)
        button.setToolTip(tip)
        return button

    def _page_buttons(self) -> QHBoxLayout:
        names = {
            "generate": (self.tr("Generate"), self.tr("Continue a prompt")),
            "read": (self.tr("Read"), self.tr("Colour any text without generating")),
            "compare": (self.tr("Compare"), self.tr("One prompt and seed, several speakers side by side")),
        }
        self._tabs = QButtonGroup(self)
        row = QHBoxLayout()
        row.setSpacing(4)
        for number, page in enumerate(_PAGES):
            button = self._small_button(f"{page}Tab", *names[page])
            button.setProperty("role", "tab")
            button.setCheckable(True)
            button.setChecked(page == "generate")
            self._tabs.addButton(button, number)
            row.addWidget(button)
        return row

    def _lay_out(self) -> None:
        header = QHBoxLayout()
        header.setSpacing(8)
        header.addLayout(self._page_buttons())
        header.addStretch(1)
        self._labels = []
        for text, combo in ((self.tr("Colour:"), self._colour), (self.tr("Mode:"), self._mode)):
            label = QLabel(text)
            label.setProperty("role", "muted")
            label.setBuddy(combo)
            header.addWidget(label)
            header.addWidget(combo)
            self._labels.append(label)
        footer = QHBoxLayout()
        footer.setSpacing(8)
        footer.addWidget(self._figures, 1)
        footer.addWidget(self._copy)
        footer.addWidget(self._save)
        text_page = QWidget()
        column = QVBoxLayout(text_page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.text_page, 1)
        column.addLayout(footer)
        self._stack = QStackedWidget()
        self._stack.addWidget(text_page)
        self._stack.addWidget(self.compare_page)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(12, 12, 12, 12)
        outer.setSpacing(8)
        outer.addLayout(header)
        outer.addWidget(self.prompt_bar)
        outer.addWidget(self._stack, 1)

    def _connect(self) -> None:
        self.prompt_bar.generate_clicked.connect(self.begin)
        self.prompt_bar.stop_clicked.connect(self.ask_to_stop)
        self.prompt_bar.file_clicked.connect(self.file_requested)
        self.prompt_bar.paste_clipped.connect(self.paste_clipped)
        self.text_page.token_chosen.connect(self._chosen)
        self.text_page.branch_requested.connect(self.branch_requested)
        self.text_page.again_requested.connect(self.again_requested)
        self.compare_page.compare_requested.connect(self.compare_requested)
        self._tabs.idClicked.connect(self._tab_clicked)
        self._colour.currentIndexChanged.connect(self._colour_chosen)
        self._mode.currentIndexChanged.connect(self._mode_chosen)
        self._copy.clicked.connect(self.copy_plain)
        self._save.clicked.connect(self.save_requested)
        # While tokens come, Esc works wherever the focus is in the window.
        self._escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self)
        self._escape.activated.connect(self.ask_to_stop)
        self._escape.setEnabled(False)

    # -- what the model offers ------------------------------------------------------------------------------

    def set_slots(
        self, slots: tuple[SlotInfo, ...], strategy: str = STRATEGIES[0], mixers: tuple[StoredMixer, ...] = ()
    ) -> None:
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
        self.compare_page.set_modes([(mode, label, colour) for mode, label, colour, _ in self._compared()])
        if not self._text.tokens:
            self.text_page.legend.set_slots(slots)
            self._offer_colours(slots)

    def _offer(self, choice: ModeChoice) -> None:
        if choice.colour:
            self._mode.addItem(_dot(choice.colour), choice.label, choice.mode)
        else:
            self._mode.addItem(choice.label, choice.mode)
        if choice.meaning:
            self._mode.setItemData(self._mode.count() - 1, choice.meaning, Qt.ItemDataRole.ToolTipRole)

    def _compared(self) -> list[ModeChoice]:
        return live_modes(self._slots, self._strategy) + past_modes(self._mixers)

    def mode_names(self) -> dict[str, str]:
        """What people read for every mode."""
        choices = self._compared() + unmixed_modes(self._slots)
        return {choice.mode: choice.label for choice in choices}

    def _offer_colours(self, slots: Sequence[SlotInfo]) -> None:
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
            self._colour.addItem(
                _dot(slot.colour), self.tr("weight of {name}").format(name=slot.name), ("weight", number)
            )
        self._colour.setCurrentIndex(max(0, self._colour.findData(chosen)))
        self._colour.blockSignals(False)
        self._colour_chosen()

    def set_enabled_for_model(self, enabled: bool, reason: str = "") -> None:
        """Allow generating or not; ``reason`` stands where the text will be and says what to do next."""
        self.prompt_bar.set_ready(enabled, reason)
        self._text.setPlaceholderText(reason or self.tr("Type a prompt above and generate; the text appears here."))

    def set_prompt(self, prompt: str) -> None:
        """Put a text into the prompt."""
        self.prompt_bar.set_prompt(prompt)

    def apply_theme(self, theme: Theme) -> None:
        """Use a theme's colours from now on."""
        self.text_page.apply_theme(theme)
        self.compare_page.apply_theme(theme)

    # -- pages ----------------------------------------------------------------------------------------------

    @property
    def page(self) -> Page:
        """The page that is shown."""
        return self.prompt_bar.page

    def show_page(self, page: Page) -> None:
        """Go to a page; the prompt stays."""
        if page == self.page:
            return
        self._tabs.button(_PAGES.index(page)).setChecked(True)
        self.prompt_bar.set_page(page)
        self._stack.setCurrentIndex(1 if page == "compare" else 0)
        for widget in (self._labels[1], self._mode):
            widget.setVisible(page != "compare")
        self.page_changed.emit(page)

    def _tab_clicked(self, number: int) -> None:
        self.show_page(_PAGES[number])

    # -- a text ---------------------------------------------------------------------------------------------

    @property
    def shown_slots(self) -> tuple[SlotInfo, ...]:
        """Slots of the text that is shown; the weights of its tokens belong to them."""
        return self._text.slots

    @property
    def current(self) -> int:
        """Index of the chosen token, -1 for none."""
        return self._text.current

    @property
    def finished(self) -> bool:
        """Whether the text that is shown is complete."""
        return self._record is not None

    @property
    def record(self) -> GenerationRecord | None:
        """The text that is shown, as far as it has come; None if there is none."""
        if self._record is not None or self._started is None:
            return self._record
        told = self._started
        return GenerationRecord(
            told.prompt, told.mode, told.sampling, told.slots, tuple(self._text.tokens), "stopped", 0.0,
            parent=told.parent, branch_at=told.branch_at,
        )  # fmt: skip

    def start(self, started: GenerationStarted) -> None:
        """Empty the text for one whose tokens follow."""
        self._begin(started.slots)
        self._started = started
        self.set_generating(True)
        self._figures.begin(started.branch_at)

    def add_tokens(self, tokens: Sequence[TokenEvent]) -> None:
        """Append tokens, all in one step."""
        self.text_page.add_tokens(tokens)
        self._figures.add(tokens)
        self._offer_text_actions()

    def finish(self, record: GenerationRecord) -> None:
        """The text that is shown is complete."""
        self._record = record
        self.set_generating(False)
        self._figures.finish(record)
        self.text_page.show_report(record.report)
        self._offer_text_actions()

    def show_record(self, record: GenerationRecord) -> None:
        """Show a kept text with its prompt, mode and sampling."""
        self.show_page("read" if record.report is not None else "generate")
        self.prompt_bar.set_prompt(record.prompt, record.sampling)
        self.choose_mode(record.mode)
        self._begin(record.slots)
        self.add_tokens(record.tokens)
        self.finish(record)

    def clear(self) -> None:
        """Show no prompt and no text."""
        self.prompt_bar.set_prompt("")
        self._begin(())

    def set_generating(self, generating: bool) -> None:
        """Offer Stop (True) or the page's main button (False)."""
        self.prompt_bar.set_generating(generating)
        self._escape.setEnabled(generating)

    def choose_token(self, index: int) -> None:
        """Choose a token of the shown text, as if hovered."""
        self.text_page.choose(index)

    def _begin(self, slots: tuple[SlotInfo, ...]) -> None:
        self._record = self._started = None
        self.text_page.reset(slots)
        self._offer_colours(slots or self._slots)
        self._figures.clear()
        self._offer_text_actions()
        self.token_hovered.emit(None)

    def _offer_text_actions(self) -> None:
        self._copy.setEnabled(bool(self._text.tokens))
        self._save.setEnabled(self._record is not None)

    # -- what the person does -------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and event.modifiers() == Qt.KeyboardModifier.ControlModifier:
            self.begin()
        else:
            super().keyPressEvent(event)

    @property
    def sampling(self) -> SamplingSettings:
        """How the next token is drawn."""
        return self.prompt_bar.sampling.settings()

    @property
    def mode(self) -> str:
        """Who is to speak: a mode of ``Generate``."""
        return str(self._mode.currentData())

    def begin(self) -> None:
        """What the main button of the page does."""
        if not self.prompt_bar.ready:
            return
        prompt = self.prompt_bar.prompt()
        if self.page == "generate":
            self.generate_requested.emit(Generate(prompt, self.mode, self.sampling))
        elif self.page == "read":
            self.read_requested.emit(ReadText(prompt, self.mode))
        else:
            self.compare_page.run()

    def ask_to_stop(self) -> None:
        """What the Stop button does."""
        self.prompt_bar.set_stopping()
        self.stop_requested.emit()

    def copy_plain(self) -> None:
        """Copy the whole text."""
        QApplication.clipboard().setText("".join(token.text for token in self._text.tokens))

    def copy_rich(self) -> None:
        """Copy the whole text, coloured."""
        self._text.copy_rich()

    def copy_markdown(self) -> None:
        """Copy the whole text as Markdown that tells who speaks."""
        if self.record is not None:
            QApplication.clipboard().setText(to_markdown(self.record))

    def choose_mode(self, mode: str) -> None:
        """Who speaks from now on: a mode of ``Generate``; one that is not offered changes nothing."""
        index = self._mode.findData(mode)
        if index >= 0:
            self._mode.setCurrentIndex(index)

    def _mode_chosen(self) -> None:
        self._mode.setToolTip(self._mode.currentData(Qt.ItemDataRole.ToolTipRole) or self._who_speaks)
        if self._mode.currentData() is not None:
            self.mode_changed.emit(self.mode)

    @property
    def colour(self) -> tuple[ColourMode, int]:
        """What colour means, and whose weight it is in mode "weight"."""
        return cast("tuple[ColourMode, int]", self._colour.currentData())

    def _colour_chosen(self) -> None:
        mode, slot = self.colour
        self.text_page.set_colour(mode, slot)
        self.compare_page.set_colour_mode(mode, slot)

    def _chosen(self, index: int) -> None:
        self.token_hovered.emit(self._text.tokens[index])


def _dot(colour: str) -> QIcon:
    pixmap = QPixmap(12, 12)
    pixmap.fill(QColor(colour))
    return QIcon(pixmap)
