"""What can be done with one epoch."""

from __future__ import annotations

from PySide6.QtCore import Signal, SignalInstance
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from tlora_gui.engine.protocol.events import EpochInfo


class EpochMenu(QMenu):
    """Rename, recolour, export and delete, as far as the state of the epoch allows."""

    rename_requested = Signal(str)
    recolour_requested = Signal(str)
    export_requested = Signal(str)
    delete_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("epochMenu")
        self._slug = ""
        self.setToolTipsVisible(True)
        self.rename = self._action(self.tr("Rename…"), self.rename_requested)
        self.rename.setShortcut(QKeySequence("F2"))
        self.recolour = self._action(self.tr("Colour…"), self.recolour_requested)
        self.export = self._action(self.tr("Export as PEFT adapter…"), self.export_requested)
        self.export.setToolTip(self.tr("A folder that peft.PeftModel.from_pretrained opens"))
        self.addSeparator()
        self.delete = self._action(self.tr("Delete"), self.delete_requested)
        self.delete.setShortcut(QKeySequence(QKeySequence.StandardKey.Delete))

    def set_epoch(self, epoch: EpochInfo, busy: bool) -> None:
        """The actions are about this epoch from now on; ``busy`` holds back what must wait for other work."""
        self._slug = epoch.slug
        editable = epoch.state in ("frozen", "interrupted", "training")
        self.rename.setEnabled(editable)
        self.recolour.setEnabled(editable)
        self.export.setEnabled(epoch.state == "frozen")
        self.delete.setEnabled(epoch.state in ("frozen", "broken") and not busy)
        wait = self.tr("Possible once the work that is running has ended")
        self.delete.setToolTip(wait if busy else self.tr("Take this epoch out of the mixture; this can be undone"))

    def _action(self, text: str, requested: SignalInstance) -> QAction:
        action = self.addAction(text)
        action.triggered.connect(lambda: requested.emit(self._slug))
        return action
