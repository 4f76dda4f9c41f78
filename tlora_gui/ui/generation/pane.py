"""Prompt, coloured text, legend and ribbon in one panel."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QElapsedTimer, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QKeyEvent, QKeySequence, QPixmap, QShortcut
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from tlora_gui.engine.config import AVERAGE_MODE, MIXER_MODE, STRATEGIES, SUM_MODE
from tlora_gui.engine.events import GenerationStarted
from tlora_gui.engine.jobs import Generate
from tlora_gui.engine.texts import GenerationRecord, SlotInfo, TokenEvent
from tlora_gui.ui.generation.legend import Legend
from tlora_gui.ui.generation.prompt_bar import PromptBar
from tlora_gui.ui.generation.ribbon import MixRibbon
from tlora_gui.ui.generation.token_view import TokenView
from tlora_gui.ui.theme import Theme
from tlora_gui.ui.widgets.fields import ChoiceBox


class GenerationPane(QFrame):
    """Asks for generations and shows them.

    Signals: ``generate_requested(Generate)``, ``stop_requested()``, ``export_requested(GenerationRecord)``,
    ``token_hovered(TokenEvent | None)`` for the token chosen in text or ribbon, with slots in ``shown_slots``.
    """

    generate_requested = Signal(object)
    stop_requested = Signal()
    export_requested = Signal(object)
    token_hovered = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._record: GenerationRecord | None = None
        self._clock = QElapsedTimer()
        self._new_tokens = 0
        self._prompt_bar = PromptBar()
        self._text = TokenView()
        self._legend = Legend()
        self._ribbon = MixRibbon()
        self._footer = QLabel()
        self._footer.setProperty("role", "muted")
        self._footer.setObjectName("generationFooter")
        self._colour = ChoiceBox("colourCombo", self.tr("Colour"), self.tr("What the colour of a token means"))
        self._who_speaks = self.tr("Who speaks: the Time Mixer, or one slot alone")
        self._mode = ChoiceBox("modeCombo", self.tr("Mode"), self._who_speaks)
        self._copy = self._small_button("copyTextButton", self.tr("Copy"), self.tr("Copy the whole text"))
        self._export = self._small_button(
            "exportHtmlButton", self.tr("Export HTML…"), self.tr("Save the coloured text as a page for the browser")
        )
        self.setFocusProxy(self._prompt_bar.edit)
        self._lay_out()
        self._connect()
        self.set_slots(())
        self.set_enabled_for_model(False, self.tr("Open a project to generate text."))
        self._show_footer("")

    # -- building -------------------------------------------------------------------------------------------

    def _small_button(self, name: str, text: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setProperty("compact", "true")
        button.setObjectName(name)
        button.setAccessibleName(text)
        button.setToolTip(tip)
        return button

    def _lay_out(self) -> None:
        for mode, name in (
            ("dominant", self.tr("dominant epoch")),
            ("probability", self.tr("probability")),
            ("surprise", self.tr("surprise")),
            ("entropy", self.tr("entropy of the mix")),
        ):
            self._colour.addItem(name, mode)
        title = QLabel(self.tr("Generation"))
        title.setProperty("role", "title")
        header = QHBoxLayout()
        header.setSpacing(8)
        header.addWidget(title)
        header.addStretch(1)
        for text, combo in ((self.tr("Colour:"), self._colour), (self.tr("Mode:"), self._mode)):
            label = QLabel(text)
            label.setProperty("role", "muted")
            label.setBuddy(combo)
            header.addWidget(label)
            header.addWidget(combo)
        footer = QHBoxLayout()
        footer.setSpacing(8)
        footer.addWidget(self._footer, 1)
        footer.addWidget(self._copy)
        footer.addWidget(self._export)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(12, 12, 12, 12)
        outer.setSpacing(8)
        outer.addLayout(header)
        outer.addWidget(self._prompt_bar)
        outer.addWidget(self._text, 1)
        outer.addWidget(self._legend)
        outer.addWidget(self._ribbon)
        outer.addLayout(footer)

    def _connect(self) -> None:
        self._prompt_bar.generate_clicked.connect(self._ask_to_generate)
        self._prompt_bar.stop_clicked.connect(self._ask_to_stop)
        self._text.token_selected.connect(self._chosen_in_text)
        self._ribbon.token_selected.connect(self._chosen_in_ribbon)
        self._colour.currentIndexChanged.connect(self._colour_chosen)
        self._mode.currentIndexChanged.connect(self._explain_mode)
        self._copy.clicked.connect(self._copy_text)
        self._export.clicked.connect(self._ask_to_export)
        # While tokens come, Esc works wherever the focus is in the window.
        self._escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self)
        self._escape.activated.connect(self._ask_to_stop)
        self._escape.setEnabled(False)

    # -- what the model offers ------------------------------------------------------------------------------

    def set_slots(self, slots: tuple[SlotInfo, ...], strategy: str = STRATEGIES[0]) -> None:
        """Offer the modes of a model with these slots and this strategy; keeps the chosen mode if it is still there."""
        chosen = self._mode.currentData()
        self._mode.clear()
        self._mode.addItem(self.tr("Time Mixer · {strategy}").format(strategy=strategy), MIXER_MODE)
        for slot in slots[1:]:
            self._mode.addItem(_dot(slot.colour), self.tr("{name} alone").format(name=slot.name), slot.slug)
        self._mode.addItem(self.tr("Backbone alone"), "")
        if len(slots) > 2:
            self._mode.insertSeparator(self._mode.count())
            self._offer_unmixed(self.tr("Sum of all epochs"), SUM_MODE, self.tr("at weight 1 each"))
            self._offer_unmixed(self.tr("Average of all epochs"), AVERAGE_MODE, self.tr("at weight 1/K each"))
        self.choose_mode(MIXER_MODE if chosen is None else chosen)
        if not self._text.tokens:
            self._legend.set_slots(slots)

    def _offer_unmixed(self, name: str, mode: str, weight: str) -> None:
        meaning = self.tr("All adapters at once without a mixer, {weight}: the conflict that the Time Mixer settles")
        self._mode.addItem(name, mode)
        self._mode.setItemData(self._mode.count() - 1, meaning.format(weight=weight), Qt.ItemDataRole.ToolTipRole)

    def set_enabled_for_model(self, enabled: bool, reason: str = "") -> None:
        """Allow generating or not; ``reason`` stands where the text will be and says what to do next."""
        self._prompt_bar.set_ready(enabled, reason)
        self._text.setPlaceholderText(reason or self.tr("Type a prompt above and generate; the text appears here."))

    def set_prompt(self, prompt: str) -> None:
        """Put a text into the prompt."""
        self._prompt_bar.set_prompt(prompt)

    def apply_theme(self, theme: Theme) -> None:
        """Use a theme's colours from now on."""
        self._text.apply_theme(theme)
        self._legend.apply_theme(theme)
        self._ribbon.apply_theme(theme)

    # -- a generation ---------------------------------------------------------------------------------------

    @property
    def shown_slots(self) -> tuple[SlotInfo, ...]:
        """Slots of the generation that is shown; the weights of its tokens belong to them."""
        return self._text.slots

    def start(self, started: GenerationStarted) -> None:
        """Empty the text for a generation whose tokens follow."""
        self._begin(started.slots)
        self.set_generating(True)
        self._show_footer(self.tr("Reading the prompt…"))

    def add_tokens(self, tokens: Sequence[TokenEvent]) -> None:
        """Append tokens, all in one step."""
        self._text.add_tokens(tokens)
        self._ribbon.add_tokens(tokens)
        self._copy.setEnabled(bool(self._text.tokens))
        fresh = sum(not token.is_prompt for token in tokens)
        if fresh and self._new_tokens == 0:
            self._clock.start()
        self._new_tokens += fresh
        if self._new_tokens:
            self._show_footer(self._figures(self._new_tokens, self._speed()))

    def finish(self, record: GenerationRecord) -> None:
        """The shown generation is complete."""
        self._record = record
        self._export.setEnabled(True)
        self.set_generating(False)
        new_tokens = sum(not token.is_prompt for token in record.tokens)
        ended = {
            "length": self.tr("length"),
            "end of text": self.tr("end of text"),
            "stopped": self.tr("stopped"),
        }[record.ended]
        figures = self._figures(new_tokens, record.tokens_per_second)
        self._show_footer(self.tr("{figures} · ended: {ended}").format(figures=figures, ended=ended))

    def show_record(self, record: GenerationRecord) -> None:
        """Restore a stored generation with its prompt, mode and sampling."""
        self._prompt_bar.set_prompt(record.prompt, record.sampling)
        self.choose_mode(record.mode)
        self._begin(record.slots)
        self.add_tokens(record.tokens)
        self.finish(record)

    def clear(self) -> None:
        """Show no prompt and no generation."""
        self._prompt_bar.set_prompt("")
        self._begin(())
        self._show_footer("")

    def set_generating(self, generating: bool) -> None:
        """Offer Stop (True) or Generate (False)."""
        self._prompt_bar.set_generating(generating)
        self._escape.setEnabled(generating)

    def choose_token(self, index: int) -> None:
        """Choose a token of the shown text, as if hovered."""
        self._chosen_in_ribbon(index)

    def _begin(self, slots: tuple[SlotInfo, ...]) -> None:
        self._record = None
        self._new_tokens = 0
        self._text.reset(slots)
        self._legend.set_slots(slots)
        self._ribbon.reset()
        self._ribbon.set_slots(slots)
        self._copy.setEnabled(False)
        self._export.setEnabled(False)
        self.token_hovered.emit(None)

    def _speed(self) -> float:
        # The clock starts with the first new token, so that one is not counted.
        seconds = self._clock.nsecsElapsed() / 1e9
        return (self._new_tokens - 1) / seconds if seconds > 0.2 else 0.0

    def _figures(self, tokens: int, speed: float) -> str:
        text = self.tr("1 token") if tokens == 1 else self.tr("{count} tokens").format(count=tokens)
        return self.tr("{tokens} · {speed} tokens/s").format(tokens=text, speed=f"{speed:.1f}") if speed > 0 else text

    def _show_footer(self, text: str) -> None:
        self._footer.setText(text)
        self._copy.setEnabled(bool(self._text.tokens))
        self._export.setEnabled(self._record is not None)

    # -- what the person does -------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._ask_to_generate()
        else:
            super().keyPressEvent(event)

    def _ask_to_generate(self) -> None:
        if self._prompt_bar.ready:
            sampling = self._prompt_bar.sampling.settings()
            self.generate_requested.emit(Generate(self._prompt_bar.prompt(), self._mode.currentData(), sampling))

    def _ask_to_stop(self) -> None:
        self._prompt_bar.set_stopping()
        self.stop_requested.emit()

    def _ask_to_export(self) -> None:
        self.export_requested.emit(self._record)

    def _copy_text(self) -> None:
        QApplication.clipboard().setText("".join(token.text for token in self._text.tokens))

    def choose_mode(self, mode: str) -> None:
        """Who speaks from now on: a mode of ``Generate``; one that is not offered changes nothing."""
        index = self._mode.findData(mode)
        if index >= 0:
            self._mode.setCurrentIndex(index)

    def _explain_mode(self) -> None:
        self._mode.setToolTip(self._mode.currentData(Qt.ItemDataRole.ToolTipRole) or self._who_speaks)

    def _colour_chosen(self) -> None:
        mode = self._colour.currentData()
        self._text.set_colour_mode(mode)
        self._legend.set_colour_mode(mode)

    def _chosen_in_text(self, index: int) -> None:
        self._ribbon.set_current(index)
        self.token_hovered.emit(self._text.tokens[index])

    def _chosen_in_ribbon(self, index: int) -> None:
        self._text.set_current(index)
        self._chosen_in_text(index)


def _dot(colour: str) -> QIcon:
    pixmap = QPixmap(12, 12)
    pixmap.fill(QColor(colour))
    return QIcon(pixmap)
