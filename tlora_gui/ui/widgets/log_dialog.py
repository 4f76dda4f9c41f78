"""The log, or a report for whoever looks for a fault: seen whole before it is copied or saved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QFileInfo, QSaveFile, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication, QTextCursor
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QPlainTextEdit, QPushButton, QWidget

from tlora_gui.logs import LOG_BYTES, tail
from tlora_gui.paths import log_file
from tlora_gui.ui.formats import date_and_time
from tlora_gui.ui.theme import mono_font, scaled
from tlora_gui.ui.widgets.layouts import DIALOG_MARGINS, column, label
from tlora_gui.ui.widgets.questions import choose_target

_WIDTH, _HEIGHT = 820, 560


class LogDialog(QDialog):
    """A text that ``read()`` gives, or one of the ``older`` files, its end in sight.

    Nothing of it leaves this machine by itself.
    """

    def __init__(
        self,
        title: str,
        note: str,
        read: Callable[[], str],
        file_name: str,
        parent: QWidget,
        older: Sequence[Path] = (),
    ) -> None:
        super().__init__(parent)
        self.setObjectName("logDialog")
        self.setWindowTitle(title)
        self._read, self._file_name = read, file_name
        self._text = QPlainTextEdit()
        self._text.setObjectName("logText")
        self._text.setFont(mono_font())
        self._text.setProperty("textSize", "caption")
        self._text.setReadOnly(True)
        self._text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._text.setPlaceholderText(self.tr("Nothing has gone wrong yet."))
        self._text.setAccessibleName(title)
        self._file = QComboBox()
        self._file.setObjectName("logChoice")
        self._file.setAccessibleName(title)
        self._file.addItem(self.tr("Newest"))
        for path in older:
            changed = date_and_time(QFileInfo(path).lastModified().toMSecsSinceEpoch() / 1000)
            self._file.addItem(self.tr("Up to {time}").format(time=changed), path)
        self._file.setVisible(bool(older))
        self._file.activated.connect(self.refresh)
        self._problem = label("", "problem", wrap=True)
        self._problem.hide()
        head = label(note, "muted", wrap=True)
        self.setLayout(column(head, self._file, self._text, self._problem, self._buttons(), margins=DIALOG_MARGINS))
        self.resize(scaled(_WIDTH), scaled(_HEIGHT))
        self.refresh()

    def _buttons(self) -> QDialogButtonBox:
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        actions = (
            (self.tr("Read again"), "refreshLogButton", self.refresh),
            (self.tr("Open its folder"), "logFolderButton", self._open_folder),
            (self.tr("Copy"), "copyLogButton", lambda: QGuiApplication.clipboard().setText(self._text.toPlainText())),
            (self.tr("Save…"), "saveLogButton", self._ask_where),
        )
        for text, name, act in actions:
            button = QPushButton(text)
            button.setObjectName(name)
            button.clicked.connect(act)
            buttons.addButton(button, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        return buttons

    @Slot()
    def refresh(self) -> None:
        """Read it anew, whichever is chosen."""
        older: Path | None = self._file.currentData()
        self._text.setPlainText(self._read() if older is None else tail(older, 2 * LOG_BYTES))
        self._text.moveCursor(QTextCursor.MoveOperation.End)
        self._text.moveCursor(QTextCursor.MoveOperation.StartOfLine)

    @Slot()
    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(log_file().parent)))

    @Slot()
    def _ask_where(self) -> None:
        kinds = {self.tr("Text (*.txt)"): "txt"}
        choose_target(self, self.tr("Save this text"), self._file_name, kinds, self.save)

    def save(self, path: str) -> None:
        """Write what is shown."""
        file, text = QSaveFile(path), self._text.toPlainText().encode()
        written = file.open(QSaveFile.OpenModeFlag.WriteOnly) and file.write(text) == len(text) and file.commit()
        self._problem.setText("" if written else self.tr("{path} cannot be written.").format(path=path))
        self._problem.setVisible(not written)
