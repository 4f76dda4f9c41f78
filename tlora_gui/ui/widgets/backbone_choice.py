"""Which frozen model a new project stands on."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QLineEdit, QPushButton, QRadioButton, QWidget

from tlora_gui.engine.protocol.config import STARTER
from tlora_gui.ui.widgets.elided_label import PathEdit
from tlora_gui.ui.widgets.layouts import NO_MARGINS, label, row
from tlora_gui.ui.widgets.questions import choose_file, choose_folder

_INDENT = 22


class BackboneChoice(QWidget):
    """The starter backbone, a model by its Hub id, or one on this machine."""

    changed = Signal()
    return_pressed = Signal()
    """In the field that is filled in."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._starter = self._choice(
            self.tr("Starter backbone"), "starterChoice", self.tr("Works without an account and without a model hub")
        )
        self._hub = self._choice(
            self.tr("Model from the Hugging Face Hub"), "hubChoice", self.tr("Any causal language model by its id")
        )
        self._local = self._choice(
            self.tr("Local folder or .gguf file"), "localChoice", self.tr("A causal language model on this machine")
        )
        group = QButtonGroup(self)
        for choice in (self._starter, self._hub, self._local):
            group.addButton(choice)
            choice.toggled.connect(self._update)
        self._hub_id = QLineEdit()
        self._hub_id.setObjectName("hubIdEdit")
        self._hub_id.setPlaceholderText(self.tr("organisation/model, such as Qwen/Qwen2.5-0.5B"))
        self._hub_id.setAccessibleName(self.tr("Id of the model on the Hugging Face Hub"))
        self._hub_id.setToolTip(self.tr("The model's owner and name, as on its page: owner/name"))
        self._path = PathEdit()
        self._path.setObjectName("localModelEdit")
        self._path.setPlaceholderText(self.tr("Folder with config.json, or a .gguf file"))
        self._path.setAccessibleName(self.tr("Path of the local model"))
        self._path.setToolTip(self.tr("A folder saved by transformers, or one .gguf file"))
        self._folder_button = self._browse(self.tr("Folder…"), self.tr("Choose a model folder"))
        self._folder_button.clicked.connect(self._choose_folder)
        self._file_button = self._browse(self.tr("File…"), self.tr("Choose a .gguf file"))
        self._file_button.clicked.connect(self._choose_file)
        for edit in (self._hub_id, self._path):
            edit.setAcceptDrops(False)  # files are left to the window
            edit.textChanged.connect(self.changed)
            edit.returnPressed.connect(self.return_pressed)
        self._lay_out()
        self._starter.setChecked(True)

    def reference(self) -> str:
        """What the engine should load; empty while the choice is not complete."""
        if self._starter.isChecked():
            return STARTER
        if self._hub.isChecked():
            return self._hub_id.text().strip()
        path = self._path.text().strip()
        return str(Path(os.path.expanduser(path))) if path else ""

    def choose_local(self, path: str) -> None:
        """Choose a model folder or a .gguf file of this machine."""
        self._local.setChecked(True)
        self._path.setText(path)

    def _lay_out(self) -> None:
        layout = QGridLayout()
        layout.setContentsMargins(*NO_MARGINS)
        layout.setVerticalSpacing(4)
        layout.setColumnMinimumWidth(0, _INDENT)
        layout.setColumnStretch(1, 1)
        starter = label(self.tr("SmolLM2-135M, 93 MB, fetched once. Runs well on a laptop."), "muted")
        local = row(self._path, self._folder_button, self._file_button)
        for number, choice in enumerate((self._starter, self._hub, self._local)):
            layout.addWidget(choice, 2 * number, 0, 1, 2, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(starter, 1, 1)
        layout.addWidget(self._hub_id, 3, 1)
        layout.addLayout(local, 5, 1)
        self.setLayout(layout)

    def _choice(self, text: str, name: str, tooltip: str) -> QRadioButton:
        choice = QRadioButton(text)
        choice.setObjectName(name)
        choice.setToolTip(tooltip)
        return choice

    def _browse(self, text: str, tooltip: str) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tooltip)
        button.setAccessibleName(tooltip)
        return button

    def _update(self) -> None:
        self._hub_id.setEnabled(self._hub.isChecked())
        for part in (self._path, self._folder_button, self._file_button):
            part.setEnabled(self._local.isChecked())
        self.changed.emit()

    def _choose_folder(self) -> None:
        choose_folder(self, self.tr("Model folder"), self._path.text(), self._path.setText)

    def _choose_file(self) -> None:
        choose_file(self, self.tr("Model file"), self._path.text(), self._path.setText, self.tr("Models (*.gguf)"))
