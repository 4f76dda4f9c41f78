"""Name, era and colour of an epoch that exists already."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLineEdit, QWidget

from tlora_gui.engine.protocol.config import MAX_NAME
from tlora_gui.engine.protocol.events import EpochInfo
from tlora_gui.ui.translation import tr
from tlora_gui.ui.widgets.colour_picker import ColourPicker
from tlora_gui.ui.widgets.layouts import DIALOG_MARGINS, column, fields, label


def name_problem(name: str, taken: tuple[str, ...]) -> str:
    """Why an epoch cannot have this name; empty if it can."""
    if not name:
        return tr("Give the epoch a name.")
    if name.casefold() in (other.casefold() for other in taken):
        return tr("There is an epoch of this name already. Choose another.")
    return ""


class EditEpochDialog(QDialog):
    """Asks for name, era and colour; ``edited`` comes only if something changed. Open with ``open()``."""

    edited = Signal(str, str, str, str)
    """slug, name, era, colour"""

    def __init__(self, epoch: EpochInfo, taken_names: tuple[str, ...] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("editEpochDialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Edit epoch {name}").format(name=epoch.name))
        self._epoch = epoch
        self._taken = taken_names
        self._name = QLineEdit(epoch.name)
        self._name.setMaxLength(MAX_NAME)
        self._name.setObjectName("editNameEdit")
        self._name.setToolTip(self.tr("Name of the epoch; its adapter keeps the name it was trained under"))
        self._name.selectAll()
        self._era = QLineEdit(epoch.era)
        self._era.setObjectName("editEraEdit")
        self._era.setPlaceholderText(self.tr("such as Renaissance era"))
        self._era.setToolTip(self.tr("The time or the kind of text, in your words"))
        self._colour = ColourPicker()
        self._colour.set_colour(epoch.colour)
        self._problem = label("", "problem", wrap=True)
        self._problem.setObjectName("editProblem")
        self._name.setAccessibleName(self.tr("Name of the epoch"))
        self._era.setAccessibleName(self.tr("Era of the epoch"))
        form = fields(
            (self.tr("&Name"), self._name),
            (self.tr("&Era"), self._era),
            (self.tr("&Colour"), self._colour),
            label_width=56,
        )
        self._buttons = QDialogButtonBox()
        self._save = self._buttons.addButton(self.tr("Save"), QDialogButtonBox.ButtonRole.AcceptRole)
        self._save.setObjectName("saveEpochButton")
        self._save.setProperty("role", "primary")
        self._buttons.addButton(self.tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        self.setLayout(column(form, self._problem, self._buttons, spacing=12, margins=DIALOG_MARGINS))
        self.setMinimumWidth(400)
        self._name.textChanged.connect(self._validate)
        self._validate()

    def focus_colour(self) -> None:
        """Begin at the colours."""
        self._colour.focus_chosen()

    def accept(self) -> None:
        """Close, and emit what was changed."""
        before = (self._epoch.name, self._epoch.era, self._epoch.colour.upper())
        name, era, colour = self._name.text().strip(), self._era.text().strip(), self._colour.colour()
        if (name, era, colour.upper()) != before:
            self.edited.emit(self._epoch.slug, name, era, colour)
        super().accept()

    def _validate(self) -> None:
        problem = name_problem(self._name.text().strip(), self._taken)
        self._problem.setText(problem)
        self._problem.setVisible(bool(problem))
        self._save.setEnabled(not problem)
