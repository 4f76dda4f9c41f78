"""What of the chosen files and folders is read."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QLineEdit

from tlora_gui.engine.protocol.config import ReadOptions
from tlora_gui.ui.widgets.layouts import fields


class ReadingBox(QObject):
    """Patterns of files, and the column of tables; ``form`` is where they are asked for."""

    edited = Signal()
    """A person has changed what is read."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shown = ReadOptions()
        self._include = self._edit(
            "includeEdit", self.tr("Only files"), self.tr("all"),
            self.tr("Patterns as in a .gitignore, separated by semicolons, such as *.md; docs/. Empty reads all."),
        )  # fmt: skip
        self._exclude = self._edit(
            "excludeEdit", self.tr("Without files"), self.tr("none"),
            self.tr("Patterns of files and folders that are not read, separated by semicolons. Empty leaves none out."),
        )  # fmt: skip
        self._column = self._edit(
            "columnEdit", self.tr("Text column"), self.tr("found by itself"),
            self.tr("Column of the text in tables. Empty looks for it."),
        )  # fmt: skip
        self.form = fields(
            (self.tr("Only f&iles"), self._include),
            (self.tr("&Without files"), self._exclude),
            (self.tr("Text col&umn"), self._column),
        )

    def options(self) -> ReadOptions:
        """What is set."""
        include, exclude = (
            tuple(part.strip() for part in edit.text().split(";") if part.strip())
            for edit in (self._include, self._exclude)
        )
        return ReadOptions(include, exclude, self._column.text().strip())

    def set_options(self, options: ReadOptions) -> None:
        """Show these."""
        self._include.setText("; ".join(options.include))
        self._exclude.setText("; ".join(options.exclude))
        self._column.setText(options.column)
        self._shown = self.options()

    def _edit(self, name: str, label: str, placeholder: str, meaning: str) -> QLineEdit:
        edit = QLineEdit()
        edit.setObjectName(name)
        edit.setAccessibleName(label)
        edit.setPlaceholderText(placeholder)
        edit.setToolTip(meaning)
        edit.editingFinished.connect(self._finished)
        return edit

    def _finished(self) -> None:
        if self.options() != self._shown:
            self._shown = self.options()
            self.edited.emit()
