"""The prompt, edited where the text will stand, and the buttons that start and stop what becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from PySide6.QtCore import QMimeData, QPointF, QSize, Qt, Signal
from PySide6.QtGui import (
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QTextCharFormat,
    QTextCursor,
    QTextLayout,
)
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QStackedWidget, QTextEdit, QToolButton, QWidget

from tlora_gui.engine.protocol.config import SamplingSettings
from tlora_gui.ui.generation.sampling import SamplingPanel
from tlora_gui.ui.widgets.drops import local_paths
from tlora_gui.ui.widgets.icons import icon
from tlora_gui.ui.widgets.painting import guarded
from tlora_gui.ui.widgets.plain_text import PlainText

Page = Literal["generate", "read", "compare"]
"""What becomes of the prompt: it is continued, coloured as it is, or continued by several side by side."""

LONGEST_PASTE = 100_000
"""Characters: more than most backbones read, and as many as the field takes without holding the window up."""

_CONTINUATION = 4000
"""Characters of a continuation that are drawn: more than a screen holds."""


class PromptEdit(PlainText):
    """Plain text, with the continuation that was generated from it drawn behind, muted, where it would stand.

    Files dragged over it are left to the window, which takes them as a corpus.

    Signals: ``paste_clipped(all, kept)`` when a pasted text was too long; ``history_asked(step)`` for an earlier (-1)
    or later (1) prompt; ``left()`` when Escape is pressed.
    """

    paste_clipped = Signal(int, int)
    history_asked = Signal(int)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(3, "text", parent)
        self.continuation = ""
        self.document().setDocumentMargin(6)
        self.textChanged.connect(lambda: self.viewport().update())  # Qt draws the prompt's lines anew, no others

    def set_continuation(self, text: str) -> None:
        """What was generated from the prompt last; empty for nothing."""
        self.continuation = text[:_CONTINUATION]
        self.viewport().update()

    def set_whole_page(self, whole: bool) -> None:
        """Take all the room there is, or three lines."""
        vertical = QSizePolicy.Policy.Expanding if whole else QSizePolicy.Policy.Fixed
        self.setSizePolicy(QSizePolicy.Policy.Expanding, vertical)

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        end = QTextCursor(self.document())
        end.movePosition(QTextCursor.MoveOperation.End)
        start, viewport = self.cursorRect(end), self.viewport()
        if not self.continuation or start.top() > viewport.height():
            return
        margin = self.document().documentMargin()
        layout = QTextLayout(self.continuation.replace("\n", "\N{LINE SEPARATOR}"), self.font())
        layout.beginLayout()
        left, top = float(start.left()), float(start.top())
        while top < viewport.height() and (line := layout.createLine()).isValid():
            line.setLineWidth(max(1.0, viewport.width() - margin - left))
            line.setPosition(QPointF(left, top))
            left, top = margin, top + line.height()
        layout.endLayout()
        painter = QPainter(viewport)
        painter.setPen(self.palette().placeholderText().color())
        layout.draw(painter, QPointF(0, 0))

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return not local_paths(source) and super().canInsertFromMimeData(source)

    def insertFromMimeData(self, source: QMimeData) -> None:
        text = source.text()
        self.insertPlainText(text[:LONGEST_PASTE])
        if len(text) > LONGEST_PASTE:
            self.paste_clipped.emit(len(text), LONGEST_PASTE)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        if event.modifiers() == Qt.KeyboardModifier.AltModifier and event.key() in steps:
            self.history_asked.emit(steps[Qt.Key(event.key())])
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


class PromptBar(QWidget):
    """The buttons of a prompt; its ``edit`` is laid out by the pane, where the text stands.

    Signals: ``edited()`` when the prompt changes or a part of it is marked, ``generate_clicked()`` for the main button
    of the page that is shown, ``stop_clicked()``, ``file_clicked()`` for a text from a file, ``paste_clipped(all,
    kept)`` in characters.
    """

    edited = Signal()
    generate_clicked = Signal()
    stop_clicked = Signal()
    file_clicked = Signal()
    paste_clipped = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ready = False
        self._reason = ""
        self._page: Page = "generate"
        self._history: list[str] = []
        self._position = 0
        self.sampling = SamplingPanel(self)
        self.edit = self._prompt_edit()
        self._generate = QPushButton()
        self._generate.setObjectName("generateButton")
        self._generate.setProperty("role", "primary")
        self._generate.clicked.connect(self.generate_clicked)
        self._stop = QPushButton(self.tr("Stop") + "  " + _native("Esc"))
        self._stop.setObjectName("stopGenerationButton")
        self._stop.setAccessibleName(self.tr("Stop generating"))
        self._stop.setProperty("role", "danger")
        self._stop.setToolTip(self.tr("Stop after the current token and keep the text"))
        self._stop.clicked.connect(self.stop_clicked)
        self._buttons = QStackedWidget()
        self._buttons.addWidget(self._generate)
        self._buttons.addWidget(self._stop)
        self._sampling_opener = self._small_button(
            "samplingButton",
            self.tr("Sampling"),
            self.tr("Temperature, top-k, top-p, repetition penalty, max new tokens, seed"),
        )
        self._sampling_opener.setAccessibleName(self.tr("Sampling"))
        self._sampling_opener.setIcon(icon("down"))
        self._sampling_opener.setIconSize(QSize(12, 12))
        self._sampling_opener.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._sampling_opener.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the sign stands behind the word
        self._sampling_opener.clicked.connect(lambda: self.sampling.pop_up(self._sampling_opener))
        self._file = self._small_button(
            "openReadFileButton", self.tr("Open file…"), self.tr("Read a text file instead of what is typed here")
        )
        self._file.clicked.connect(self.file_clicked)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for widget in (self._file, self._sampling_opener, self._buttons):
            row.addWidget(widget)
        self.set_page("generate")
        self.set_ready(False, "")

    def _prompt_edit(self) -> PromptEdit:
        edit = PromptEdit()
        edit.setObjectName("promptEdit")
        edit.setAccessibleName(self.tr("Prompt"))
        edit.textChanged.connect(self._changed)
        edit.paste_clipped.connect(self.paste_clipped)
        edit.history_asked.connect(self._show_earlier)
        return edit

    def _small_button(self, name: str, text: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setObjectName(name)
        button.setText(text)
        button.setAccessibleName(text)
        button.setToolTip(tip)
        button.setSizePolicy(self._generate.sizePolicy())
        return button

    # -- what to show ---------------------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether a generation may be asked for now."""
        return self._ready and not self.generating

    @property
    def generating(self) -> bool:
        """Whether Stop is offered in place of Generate."""
        return self._buttons.currentWidget() is self._stop

    def prompt(self) -> str:
        """The text to continue, as typed."""
        return self.edit.toPlainText()

    def set_prompt(self, prompt: str, sampling: SamplingSettings | None = None) -> None:
        """Show another prompt, and its sampling if given. Undoing brings back what was typed before, if
        anything was."""
        self.edit.setExtraSelections([])
        if prompt != (before := self.prompt()):
            cursor = QTextCursor(self.edit.document())
            cursor.select(QTextCursor.SelectionType.Document)
            cursor.insertText(prompt)
            if not before:
                self.edit.document().clearUndoRedoStacks()
        self.edit.moveCursor(QTextCursor.MoveOperation.End)
        if sampling is not None:
            self.sampling.set_settings(sampling)

    @property
    def page(self) -> Page:
        """What becomes of the prompt."""
        return self._page

    def set_page(self, page: Page) -> None:
        """Offer to continue, to read, or to compare."""
        self._page = page
        name, tip, placeholder = {
            "generate": (
                self.tr("Generate"),
                self.tr("The text to continue"),
                self.tr("Type the beginning of a text, for example: To code or not to code"),
            ),
            "read": (
                self.tr("Read"),
                self.tr("The text to colour as it is, without generating"),
                self.tr("Paste any text: a .py file with Shakespearean comments, say"),
            ),
            "compare": (
                self.tr("Compare"),
                self.tr("The text that every column continues, with the same seed"),
                self.tr("Type the beginning of a text; every column continues it"),
            ),
        }[page]
        self._generate.setText(name + "  " + _native("Ctrl+Return"))
        self._generate.setAccessibleName(name)
        self.edit.setToolTip(tip)
        self._placeholder = placeholder
        self._sampling_opener.setVisible(page != "read")
        self._file.setVisible(page == "read")
        self.set_ready(self._ready, self._reason)

    def set_ready(self, ready: bool, reason: str) -> None:
        """Allow generating, or say why not."""
        self._ready, self._reason = ready, reason
        self.edit.setPlaceholderText(self._placeholder if ready else reason)
        self._generate.setEnabled(ready)
        self._file.setEnabled(ready)
        what = {
            "generate": self.tr("Continue the prompt"),
            "read": self.tr("Colour this text by who would speak, and measure it"),
            "compare": self.tr("Continue the prompt once in every column"),
        }[self._page]
        self._generate.setToolTip(what if ready else reason)

    def set_history(self, prompts: Sequence[str]) -> None:
        """Earlier prompts, the latest last, for Alt+Up and Alt+Down."""
        self._history = list(dict.fromkeys(reversed(prompts)))[::-1]
        self._position = len(self._history)

    def _show_earlier(self, step: int) -> None:
        position = self._position + step
        if 0 <= position < len(self._history):
            self.set_prompt(self._history[position])
            self._position = position

    def mark_unread(self, start: int, end: int) -> None:
        """Strike out the characters that would be left out of a prompt that is too long, until it is edited."""
        mark = QTextEdit.ExtraSelection()
        mark.cursor = QTextCursor(self.edit.document())
        mark.cursor.setPosition(utf16_length(self.prompt()[:start]))
        mark.cursor.setPosition(utf16_length(self.prompt()[:end]), QTextCursor.MoveMode.KeepAnchor)
        form = QTextCharFormat()
        form.setFontStrikeOut(True)
        form.setForeground(self.palette().placeholderText())
        mark.format = form
        self.edit.setExtraSelections([mark])
        cut = QTextCursor(mark.cursor)
        cut.setPosition(mark.cursor.selectionEnd() if start == 0 else mark.cursor.selectionStart())
        self.edit.setTextCursor(cut)  # the cut comes into view
        self.edit.ensureCursorVisible()
        self.edited.emit()

    def _changed(self) -> None:
        self.edit.setExtraSelections([])
        self.edited.emit()

    def set_generating(self, generating: bool) -> None:
        """Offer Stop while tokens come, else Generate; the focus stays with the pair."""
        self._stop.setEnabled(True)
        if generating == self.generating:
            return
        before, after = (self._generate, self._stop) if generating else (self._stop, self._generate)
        had_focus = before.hasFocus()
        self._buttons.setCurrentWidget(after)
        if had_focus:
            after.setFocus(Qt.FocusReason.OtherFocusReason)

    def set_stopping(self) -> None:
        """Stop was asked for and has not happened yet."""
        self._stop.setEnabled(False)


def _native(keys: str) -> str:
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText).replace("Return", "↵")


def utf16_length(text: str) -> int:
    """How many positions a text takes in Qt."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
