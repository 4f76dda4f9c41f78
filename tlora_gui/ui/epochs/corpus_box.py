"""Which text an epoch is trained on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QLineEdit, QPushButton, QWidget

from tlora_gui.engine.protocol.config import TrainSettings
from tlora_gui.engine.protocol.events import CorpusSummary
from tlora_gui.ui.epochs.corpus_view import CorpusView
from tlora_gui.ui.widgets.layouts import column, row, set_role
from tlora_gui.ui.widgets.questions import choose_files, choose_folder

_SEPARATOR = "; "
_TYPING_PAUSE_MS = 400


def join_paths(paths: Sequence[str]) -> str:
    """Paths as one line of text."""
    return _SEPARATOR.join(paths)


def split_paths(text: str) -> tuple[str, ...]:
    """Paths out of one line of text, each once, "~" being the home folder."""
    parts = (os.path.expanduser(part.strip().strip('"')) for part in text.split(";"))
    return tuple(dict.fromkeys(part for part in parts if part))


def same_paths(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether both mean the same files and folders in the same order."""
    return [os.path.realpath(path) for path in one] == [os.path.realpath(path) for path in other]


def under(summary: CorpusSummary, settings: TrainSettings) -> CorpusSummary:
    """What a training with these settings makes of a text."""
    return summary.under(settings.block_size, settings.held_out_share, settings.max_tokens)


class CorpusBox(QWidget):
    """A line for the paths with browse buttons, and what was found there."""

    chosen = Signal(tuple)
    """The paths have changed; empty if there are none any more."""
    edited = Signal()
    """A person has changed them here."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._paths: tuple[str, ...] = ()
        self.summary: CorpusSummary | None = None
        self._shown: CorpusSummary | None = None
        self._edit = QLineEdit()
        self._edit.setObjectName("corpusPathEdit")
        self._edit.setPlaceholderText(self.tr("Folder or files"))
        self._edit.setAccessibleName(self.tr("Files and folders of text"))
        self._edit.setToolTip(self.tr("Files and folders to train on, separated by semicolons"))
        self._edit.setClearButtonEnabled(True)
        self.setFocusProxy(self._edit)
        self._folder = QPushButton(self.tr("Folder…"))
        self._folder.setToolTip(self.tr("Choose a folder of text"))
        self._folder.setAccessibleName(self.tr("Choose a folder of text"))
        self._folder.clicked.connect(self._choose_folder)
        self._files = QPushButton(self.tr("Files…"))
        self._files.setToolTip(self.tr("Choose text files"))
        self._files.setAccessibleName(self.tr("Choose text files"))
        self._files.clicked.connect(self._choose_files)
        self.view = CorpusView()
        self.setLayout(column(row(self._edit, self._folder, self._files), self.view))
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(_TYPING_PAUSE_MS)
        self._typing.timeout.connect(self.take_text)
        self._edit.textChanged.connect(self._text_changed)
        self._edit.textEdited.connect(self.edited)
        self._edit.editingFinished.connect(self.take_text)

    def paths(self) -> tuple[str, ...]:
        """Files and folders chosen."""
        return self._paths

    def set_paths(self, paths: Sequence[str]) -> None:
        """Choose these; ``chosen`` follows at once."""
        self._edit.setText(join_paths(paths))
        self._choose(tuple(paths))

    def set_drop_active(self, active: bool) -> None:
        """Something that can be dropped is over the dialog."""
        set_role(self.view, "active", "true" if active else "false")

    def set_looking(self) -> None:
        """The engine is at it."""
        self.summary = None
        self.view.show_looking()

    def set_summary(self, summary: CorpusSummary, settings: TrainSettings) -> bool:
        """Show what was found and these settings make of it, unless other paths were chosen meanwhile; says whether it
        was shown."""
        if self._paths and not same_paths(summary.paths, self._paths):
            return False
        if not self._paths:
            self._paths = summary.paths
            self._edit.setText(join_paths(summary.paths))
        self.summary = summary
        self._shown = under(summary, settings)
        self.view.show_summary(self._shown)
        return True

    def show_under(self, settings: TrainSettings) -> None:
        """Show what other settings make of what was found."""
        if self.summary is not None and (shown := under(self.summary, settings)) != self._shown:
            self._shown = shown
            self.view.show_summary(shown)

    def set_error(self, message: str, hint: str) -> None:
        """The engine could not look through the files."""
        self.summary = None
        self.view.show_problem(message, hint)

    def look_again(self) -> None:
        """What of the files is read has changed: ``chosen`` follows, if there are any."""
        if self._paths:
            self.summary = None
            self.view.show_looking()
            self.chosen.emit(self._paths)

    def _text_changed(self) -> None:
        self._typing.start()

    def take_text(self) -> None:
        """Take what is typed without waiting for a pause in typing."""
        self._typing.stop()
        text = self._edit.text()
        if text != join_paths(self._paths):  # a path may itself hold a semicolon: what was browsed stays as it is
            self._choose(split_paths(text))

    def _choose(self, paths: tuple[str, ...]) -> None:
        self._typing.stop()
        if paths == self._paths and self.summary is not None:
            return
        self._paths = paths
        self.summary = None
        if paths:
            self.view.show_looking()
        else:
            self.view.show_nothing()
        self.chosen.emit(paths)

    def _start_folder(self) -> str:
        return os.path.dirname(self._paths[0]) if self._paths else str(Path.home())

    def _choose_folder(self) -> None:
        choose_folder(self, self.tr("Folder of text"), self._start_folder(), lambda path: self._browsed([path]))

    def _choose_files(self) -> None:
        choose_files(self, self.tr("Text files"), self._start_folder(), self._browsed)

    def _browsed(self, paths: list[str]) -> None:
        self.edited.emit()
        self.set_paths(paths)
