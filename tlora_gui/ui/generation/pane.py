"""The centre of the window: a prompt, and what becomes of it on three pages: continued, read, or compared."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut, QTextCursor
from PySide6.QtWidgets import QApplication, QWidget

from tlora_gui.engine.protocol.config import STRATEGIES, SamplingSettings
from tlora_gui.engine.protocol.events import GenerationStarted, StoredMixer
from tlora_gui.engine.protocol.jobs import Generate, ScoreText
from tlora_gui.engine.protocol.markdown import to_markdown
from tlora_gui.engine.protocol.texts import Generation, SlotInfo, TokenEvent
from tlora_gui.ui.generation.compare.compare_column import CompareColumn
from tlora_gui.ui.generation.compare.compare_page import ComparePage
from tlora_gui.ui.generation.header import PaneHeader
from tlora_gui.ui.generation.prompt_bar import Page, PromptBar, utf16_length
from tlora_gui.ui.generation.text_page import TextPage
from tlora_gui.ui.generation.token_view.token_style import ColourMode
from tlora_gui.ui.theme import Theme
from tlora_gui.ui.widgets.layouts import Ends, HighEnough, column, one_layout, row, small_button


class GenerationPane(HighEnough):
    """Asks for generations and readings and shows them.

    Signals: ``generate_requested(Generate)``, ``read_requested(ScoreText)``, ``file_requested()``,
    ``compare_requested(list of modes)``, ``stop_requested()``, ``save_requested()``, ``branch_requested(int)`` and
    ``again_requested(int)`` for a token of the text, ``page_changed(str)``, ``mode_changed(str)``,
    ``paste_clipped(all, kept)``, ``began()`` for a text whose tokens follow,
    ``text_changed(Generation | None, TextTotals)`` once it is complete or gone, or has another mixer's weights,
    ``token_hovered(TokenEvent | None)`` for the token chosen in text or ribbon, with slots in ``shown_slots``.
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
    began = Signal()
    text_changed = Signal(object, object)
    token_hovered = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("generationPane")
        self.setProperty("role", "panel")
        self._slots: tuple[SlotInfo, ...] = ()
        self._started: GenerationStarted | None = None
        self._record: Generation | None = None
        self._drafting = False
        self.prompt_bar = PromptBar()
        self.text_page = TextPage()
        self.compare_page = ComparePage()
        self._text = self.text_page.text
        self._stats = self.text_page.stats
        self._header = PaneHeader()
        self._copy = small_button(self.tr("Copy"), self.tr("Copy the whole text"), "copyTextButton")
        self._save = small_button(
            self.tr("Save…"), self.tr("As a web page, a picture, Markdown, or to open it again"), "saveTextButton"
        )
        self._edit_prompt = small_button(
            self.tr("Edit"),
            self.tr("Edit the prompt, with which the text begins; Esc goes back to it"),
            "editPromptButton",
        )
        self._lay_out()
        self._connect()
        self.set_slots(())
        self.set_enabled_for_model(False, self.tr("Open a project to generate text."))
        self._offer_text_actions()

    # -- building -------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        self.setLayout(
            column(
                self._header,
                self.prompt_bar.edit,
                self.text_page,
                self.compare_page,
                Ends(row(self._edit_prompt, self._copy, self._save, None, spacing=0), self.prompt_bar, spacing=0),
                margins=(12, 12, 12, 12),
            )
        )

    def _connect(self) -> None:
        self._edit_prompt.clicked.connect(self.edit_prompt)
        self._text.typed.connect(self._typed)
        self._text.prompt_requested.connect(self._edit_prompt_at)
        self.prompt_bar.edited.connect(self._prompt_edited)
        self.prompt_bar.edit.left.connect(self._leave_prompt)
        self.prompt_bar.generate_clicked.connect(self.begin)
        self.prompt_bar.stop_clicked.connect(self.ask_to_stop)
        self.prompt_bar.file_clicked.connect(self.file_requested)
        self.prompt_bar.paste_clipped.connect(self.paste_clipped)
        self.text_page.token_chosen.connect(lambda index: self.token_hovered.emit(self._text.tokens[index]))
        self.text_page.reweighted.connect(lambda: self.text_changed.emit(self._record, self.text_page.totals))
        self.text_page.branch_requested.connect(self.branch_requested)
        self.text_page.again_requested.connect(self.again_requested)
        self.compare_page.compare_requested.connect(self.compare_requested)
        self.compare_page.anew_requested.connect(lambda: self.setFocus())
        self._header.page_chosen.connect(self.show_page)
        self._header.colour_chosen.connect(self._colour_chosen)
        self._header.mode_chosen.connect(lambda: self.mode_changed.emit(self.mode))
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
        self._slots = slots
        self._header.set_slots(slots, strategy, mixers)
        self.compare_page.set_modes(self._header.compared_modes)
        if not self._text.tokens:
            self.text_page.legend.set_slots(slots)
            self._header.offer_colours(slots)

    @property
    def mode_names(self) -> dict[str, str]:
        """What people read for every mode."""
        return self._header.mode_names

    def set_enabled_for_model(self, enabled: bool, reason: str = "") -> None:
        """Allow generating or not; ``reason`` stands where the text will be and says what to do next."""
        self.prompt_bar.set_ready(enabled, reason)
        self._text.setPlaceholderText(reason or self.tr("The text appears here."))

    def set_prompt(self, prompt: str) -> None:
        """Put a text into the prompt."""
        self.prompt_bar.set_prompt(prompt)

    def set_telling(self, telling: bool) -> None:
        """Whether tooltips tell of chosen tokens, which is not needed where the inspector is seen."""
        self._text.set_telling(telling)
        self.compare_page.set_telling(telling)

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
        with one_layout(self):
            self._header.show_page(page)
            self.prompt_bar.set_page(page)
            self._show_face()
        self._emit_chosen()
        self.page_changed.emit(page)

    def show_text(self) -> None:
        """Leave a comparison, or a draft, for the text that was generated or read; the draft stays in the prompt."""
        if self.page == "compare":
            self.show_page("generate" if self._record is None or self._record.report is None else "read")
        if self._drafting and self._record is not None:
            self._drafting = False
            self._show_face()

    # -- the prompt, which is the text's beginning -----------------------------------------------------------

    @property
    def drafting(self) -> bool:
        """Whether the prompt is being edited where the text stands; there is nothing else while there is no text."""
        return self._drafting or (self._started is None and self._record is None)

    def edit_prompt(self) -> None:
        """Edit how the text begins, in its place."""
        self._drafting = True
        self._show_face()
        self.prompt_bar.edit.setFocus()

    def _edit_prompt_at(self, index: int) -> None:
        before = "".join(token.text for token in self._text.tokens[:index])
        self.edit_prompt()
        cursor = self.prompt_bar.edit.textCursor()
        cursor.setPosition(min(utf16_length(before), utf16_length(self.prompt_bar.prompt())))
        self.prompt_bar.edit.setTextCursor(cursor)

    def _typed(self, event: QKeyEvent) -> None:
        """Let the prompt have the key, at its end or at what is marked of it in the text."""
        if self.prompt_bar.generating:
            return
        marked, edit = self._text.textCursor(), self.prompt_bar.edit
        self.edit_prompt()
        edit.moveCursor(QTextCursor.MoveOperation.End)
        if marked.hasSelection():
            cursor = edit.textCursor()
            end = cursor.position()
            cursor.setPosition(min(marked.selectionStart(), end))
            cursor.setPosition(min(marked.selectionEnd(), end), QTextCursor.MoveMode.KeepAnchor)
            edit.setTextCursor(cursor)
        QApplication.sendEvent(edit, event)

    def _prompt_edited(self) -> None:
        if not self.prompt_bar.generating and not self.drafting:
            self._drafting = True
            self._show_face()

    def _leave_prompt(self) -> None:
        if self.page != "compare" and self._record is not None:
            self.prompt_bar.set_prompt(self._record.prompt)
            self._drafting = False
            self._show_face()
            self._text.setFocus()

    def _show_face(self) -> None:
        """The prompt, or the text that begins with it; a comparison has the prompt above its columns."""
        comparing, drafting = self.page == "compare", self.drafting
        edit = self.prompt_bar.edit
        had_focus = edit.hasFocus() or self._text.hasFocus()
        behind = self._text.tokens if drafting and self.page == "generate" else ()
        edit.set_continuation("".join(token.text for token in behind if not token.is_prompt))
        with one_layout(self):
            edit.set_whole_page(not comparing)
            edit.setVisible(comparing or drafting)
            self.text_page.setVisible(not comparing and not drafting)
            self.compare_page.setVisible(comparing)
            self._edit_prompt.setVisible(not comparing and not drafting)
            for button in (self._copy, self._save):
                button.setVisible(not comparing)
        self.setFocusProxy(edit if comparing or drafting else self._text)
        if had_focus:
            self.setFocus()

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
    def record(self) -> Generation | None:
        """The text that is shown, as far as it has come; None if there is none."""
        if self._record is not None or self._started is None:
            return self._record
        started = self._started
        return Generation(
            started.prompt, started.mode, started.sampling, started.slots, tuple(self._text.tokens), "stopped", 0.0,
            parent=started.parent, branch_at=started.branch_at,
        )  # fmt: skip

    def start(self, started: GenerationStarted) -> None:
        """Empty the text for one whose tokens follow."""
        self._begin(started.slots)
        self._started = started
        self._drafting = False
        self.set_generating(True)
        self._stats.begin(started.branch_at)
        self._show_face()
        self.began.emit()

    def add_tokens(self, tokens: Sequence[TokenEvent]) -> None:
        """Append tokens, all in one step."""
        self._add(tokens, announce=True)

    def _add(self, tokens: Sequence[TokenEvent], announce: bool) -> None:
        self.text_page.add_tokens(tokens, announce)
        self._stats.add(tokens)
        self._offer_text_actions()

    def finish(self, record: Generation) -> None:
        """The text that is shown is complete."""
        self._record = record
        self.set_generating(False)
        self._stats.finish(record)
        self.text_page.show_report(record.report)
        self.text_changed.emit(record, self.text_page.totals)
        self._offer_text_actions()

    def show_record(self, record: Generation) -> None:
        """Show a kept text with its prompt, mode and, if it was generated, sampling."""
        self.show_page("read" if record.report is not None else "generate")
        with QSignalBlocker(self.prompt_bar):  # it is not edited by that
            self.prompt_bar.set_prompt(record.prompt, None if record.report is not None else record.sampling)
        self.choose_mode(record.mode)
        self._begin(record.slots)
        self._stats.begin(record.branch_at)
        self._add(record.tokens, announce=False)
        self._text.reveal(0)
        self.finish(record)
        self._drafting = False
        self._show_face()
        self._emit_chosen()

    def clear(self) -> None:
        """Show no prompt and no text."""
        self.prompt_bar.set_prompt("")
        self.compare_page.show_modes()
        self._begin(())
        self._show_face()

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
        self._header.offer_colours(slots or self._slots)
        self._stats.clear()
        self.text_changed.emit(None, self.text_page.totals)
        self._offer_text_actions()
        self._emit_chosen()

    def _offer_text_actions(self) -> None:
        self._copy.setEnabled(bool(self._text.tokens))
        self._save.setEnabled(self._record is not None)

    # -- what the person does -------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The menu's keys for Generate; in a window that is not the active one, to which keys may be sent, too."""
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
        """The mode that is chosen, one of ``Generate``."""
        return self._header.mode

    def begin(self) -> None:
        """What the main button of the page does."""
        if not self.prompt_bar.ready:
            return
        prompt = self.prompt_bar.prompt()
        if self.page == "generate":
            self.generate_requested.emit(Generate(prompt, self.mode, self.sampling))
        elif self.page == "read":
            if not self.drafting:  # all of the text that stands there
                prompt = "".join(token.text for token in self._text.tokens)
                with QSignalBlocker(self.prompt_bar):
                    self.prompt_bar.set_prompt(prompt)
            self.read_requested.emit(ScoreText(prompt, self.mode))
        else:
            self.compare_page.run()

    def ask_to_stop(self) -> None:
        """What the Stop button does."""
        self.prompt_bar.set_stopping()
        self.stop_requested.emit()

    @property
    def in_front(self) -> TextPage | CompareColumn | None:
        """Where the text is that is found in, copied and saved: of a comparison, the chosen column; None for none."""
        if self.page == "compare":
            return self.compare_page.chosen
        return self.text_page if self._text.tokens else None

    @property
    def record_in_front(self) -> Generation | None:
        """The text that is found in, copied and saved, as far as it has come; a column's only when it is complete."""
        if isinstance(self.in_front, CompareColumn):
            return self.in_front.record
        return self.record if self.in_front is not None else None

    def copy_plain(self) -> None:
        """Copy the whole text."""
        if self.in_front is not None:
            QApplication.clipboard().setText("".join(token.text for token in self.in_front.text.tokens))

    def copy_rich(self) -> None:
        """Copy the whole text, coloured."""
        if self.in_front is not None:
            self.in_front.text.copy_rich()

    def copy_markdown(self) -> None:
        """Copy the whole text as Markdown that names the dominant slots."""
        if (record := self.record_in_front) is not None:
            QApplication.clipboard().setText(to_markdown(record))

    def find_words(self) -> None:
        """Find words in the whole text; from a comparison without any, in the one that was generated or read."""
        if isinstance(self.in_front, CompareColumn):
            self.compare_page.find_words()
        else:
            self.show_text()
            self.text_page.find_bar.open()

    def choose_mode(self, mode: str) -> None:
        """Choose a mode of ``Generate``; one that is not offered changes nothing."""
        self._header.choose_mode(mode)

    @property
    def colour(self) -> tuple[ColourMode, int]:
        """What colour means, and whose weight it is in mode "weight"."""
        return self._header.colour

    def _colour_chosen(self) -> None:
        mode, slot = self.colour
        self.text_page.set_colour(mode, slot)
        self.compare_page.set_colour_mode(mode, slot)

    def _emit_chosen(self) -> None:
        known = self.current >= 0 and self.page != "compare"
        self.token_hovered.emit(self._text.tokens[self.current] if known else None)
