"""The prompt, with the buttons that start and stop its continuation."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, Qt, Signal
from PySide6.QtGui import QKeySequence, QTextCursor
from PySide6.QtWidgets import (
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from tlora_gui.engine.config import SamplingSettings
from tlora_gui.ui.generation.sampling import SamplingPanel
from tlora_gui.ui.theme import mono_font
from tlora_gui.ui.widgets.drops import local_paths


class _PromptEdit(QPlainTextEdit):
    """Plain text; files dragged over it are left to the window, which takes them as a corpus."""

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return not local_paths(source) and super().canInsertFromMimeData(source)


class PromptBar(QWidget):
    """Edits the prompt and its sampling; asks by ``generate_clicked()`` and ``stop_clicked()``."""

    generate_clicked = Signal()
    stop_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ready = False
        self.sampling = SamplingPanel(self)
        self.edit = self._prompt_edit()
        self._generate = QPushButton(self.tr("Generate") + "  " + _native("Ctrl+Return"))
        self._generate.setObjectName("generateButton")
        self._generate.setAccessibleName(self.tr("Generate"))
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
        column = QVBoxLayout()
        column.setSpacing(4)
        column.addWidget(self._buttons)
        column.addWidget(self._sampling_button())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.edit, 1)
        row.addLayout(column)
        self.set_ready(False, "")

    def _prompt_edit(self) -> QPlainTextEdit:
        edit = _PromptEdit()
        edit.setObjectName("promptEdit")
        edit.setAccessibleName(self.tr("Prompt"))
        edit.setToolTip(self.tr("The text to continue"))
        edit.setPlaceholderText(self.tr("Type the beginning of a text, for example: To code or not to code"))
        edit.setFont(mono_font(10.5))
        edit.setTabChangesFocus(True)
        edit.setFixedHeight(68)
        return edit

    def _sampling_button(self) -> QToolButton:
        button = QToolButton()
        button.setObjectName("samplingButton")
        button.setText(self.tr("Sampling") + "  ▾")
        button.setAccessibleName(self.tr("Sampling"))
        button.setToolTip(self.tr("Temperature, top-k, top-p, repetition penalty, max new tokens, seed"))
        button.setSizePolicy(self._generate.sizePolicy())
        button.clicked.connect(self._open_sampling)
        self._sampling_opener = button
        return button

    def _open_sampling(self) -> None:
        self.sampling.pop_up(self._sampling_opener)

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
        """Show another prompt, and its sampling if given."""
        self.edit.setPlainText(prompt)
        self.edit.moveCursor(QTextCursor.MoveOperation.End)
        if sampling is not None:
            self.sampling.set_settings(sampling)

    def set_ready(self, ready: bool, reason: str) -> None:
        """Allow generating, or say why not."""
        self._ready = ready
        self._generate.setEnabled(ready)
        self._generate.setToolTip(self.tr("Continue the prompt") if ready else reason)

    def set_generating(self, generating: bool) -> None:
        """Offer Stop while tokens come, else Generate; the focus stays with the pair."""
        if generating == self.generating:
            return
        before, after = (self._generate, self._stop) if generating else (self._stop, self._generate)
        had_focus = before.hasFocus()
        self._stop.setEnabled(True)
        self._buttons.setCurrentWidget(after)
        if had_focus:
            after.setFocus(Qt.FocusReason.OtherFocusReason)

    def set_stopping(self) -> None:
        """Stop was asked for and has not happened yet."""
        self._stop.setEnabled(False)


def _native(keys: str) -> str:
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText).replace("Return", "↵")
