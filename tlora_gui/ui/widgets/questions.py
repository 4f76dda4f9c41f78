"""Questions and file choosers that never block: the answer comes to a callable later."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QDir, QStandardPaths, Qt
from PySide6.QtWidgets import QAbstractButton, QFileDialog, QMessageBox, QWidget

from tlora_gui.ui.widgets.layouts import set_role
from tlora_gui.ui.widgets.wrapped_label import breakable


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer: its key, the text of its button, and whether it destroys something."""

    key: str
    text: str
    destructive: bool = False


def ask(
    parent: QWidget, title: str, text: str, choices: Sequence[Choice], stay: str, answered: Callable[[str], None]
) -> QMessageBox:
    """Ask in a window-modal box and call ``answered(key)``; the button ``stay``, Esc and closing call nothing.

    The buttons are named ``<key>Button`` and ``stayButton``.
    """
    box = QMessageBox(parent)
    box.setObjectName("questionBox")
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowTitle(title)
    box.setText(breakable(title))
    box.setInformativeText(breakable(text))
    keys: dict[QAbstractButton, str] = {}
    for choice in choices:
        role = QMessageBox.ButtonRole.DestructiveRole if choice.destructive else QMessageBox.ButtonRole.AcceptRole
        button = box.addButton(choice.text, role)
        button.setObjectName(f"{choice.key}Button")
        set_role(button, "role", "danger" if choice.destructive else "primary" if choice is choices[0] else "")
        keys[button] = choice.key
    stay_button = box.addButton(stay, QMessageBox.ButtonRole.RejectRole)
    stay_button.setObjectName("stayButton")
    box.setEscapeButton(stay_button)
    box.setDefaultButton(stay_button)

    def clicked(button: QAbstractButton) -> None:
        if button in keys:
            answered(keys[button])

    box.buttonClicked.connect(clicked)
    box.open()
    return box


def choose_folder(parent: QWidget, title: str, start: str, chosen: Callable[[str], object]) -> QFileDialog:
    """Let a person pick a folder, then call ``chosen(path)``."""
    dialog = _dialog(parent, title, start, QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    dialog.fileSelected.connect(chosen)
    dialog.open()
    return dialog


def choose_file(
    parent: QWidget, title: str, start: str, chosen: Callable[[str], object], name_filter: str = ""
) -> QFileDialog:
    """Let a person pick an existing file, then call ``chosen(path)``."""
    dialog = _dialog(parent, title, start, QFileDialog.FileMode.ExistingFile)
    if name_filter:
        dialog.setNameFilter(name_filter)
    dialog.fileSelected.connect(chosen)
    dialog.open()
    return dialog


def choose_files(parent: QWidget, title: str, start: str, chosen: Callable[[list[str]], object]) -> QFileDialog:
    """Let a person pick existing files, then call ``chosen(paths)``."""
    dialog = _dialog(parent, title, start, QFileDialog.FileMode.ExistingFiles)
    dialog.filesSelected.connect(chosen)
    dialog.open()
    return dialog


def choose_target(
    parent: QWidget, title: str, name: str, suffixes: Mapping[str, str], chosen: Callable[[str], object]
) -> QFileDialog:
    """Let a person say where to save, ``name`` being proposed, then call ``chosen(path)``.

    ``suffixes`` are the endings by name filter.
    """
    dialog = _dialog(parent, title, "", QFileDialog.FileMode.AnyFile)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setNameFilters(list(suffixes))
    dialog.setDefaultSuffix(next(iter(suffixes.values())))
    dialog.filterSelected.connect(lambda name_filter: dialog.setDefaultSuffix(suffixes[name_filter]))
    dialog.selectFile(name)
    dialog.fileSelected.connect(chosen)
    dialog.open()
    return dialog


def _dialog(parent: QWidget, title: str, start: str, mode: QFileDialog.FileMode) -> QFileDialog:
    dialog = QFileDialog(parent, title, start)
    if not start and dialog.directory() == QDir.current():  # where the program happens to run: none was chosen before
        dialog.setDirectory(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setFileMode(mode)
    return dialog
