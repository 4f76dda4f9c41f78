"""What can be done with one epoch."""

from __future__ import annotations

from PySide6.QtCore import Signal, SignalInstance
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from tlora_gui.engine.protocol.events import EpochInfo
from tlora_gui.engine.protocol.jobs import Job, RepairMemory, TrainEpoch
from tlora_gui.ui.translation import tr


def repair_words(job: Job | None) -> tuple[str, str]:
    """What a repair of an epoch is called, and what it does."""
    if isinstance(job, RepairMemory):
        return tr("Repair the memory"), tr("From its text, if that is as it was, else from its own dreams")
    tip = tr("From the same text with the same settings; it takes the place of the broken one when it is finished")
    paths = f": {', '.join(job.paths)}" if isinstance(job, TrainEpoch) else ""
    return tr("Train again"), tip + paths


class EpochMenu(QMenu):
    """Rename, recolour, export and delete, as far as the state of the epoch allows; what can become of one that was
    interrupted, or is broken, comes first."""

    repair_requested = Signal(str)
    resume_requested = Signal(str)
    keep_requested = Signal(str)
    discard_requested = Signal(str)
    rename_requested = Signal(str)
    recolour_requested = Signal(str)
    export_requested = Signal(str)
    export_gguf_requested = Signal(str)
    delete_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("epochMenu")
        self._slug = ""
        self.setToolTipsVisible(True)
        self.repair = self._action("", self.repair_requested)
        self.resume = self._action(self.tr("Resume"), self.resume_requested)
        self.keep = self._action(self.tr("Keep"), self.keep_requested)
        self.keep.setToolTip(self.tr("Make a finished epoch of what this training has learned so far"))
        self.discard = self._action(self.tr("Discard…"), self.discard_requested)
        self.addSeparator()
        self.rename = self._action(self.tr("Rename…"), self.rename_requested)
        self.rename.setShortcut(QKeySequence("F2"))
        self.recolour = self._action(self.tr("Colour…"), self.recolour_requested)
        self.export = self._action(self.tr("Export as PEFT adapter…"), self.export_requested)
        self.export.setToolTip(self.tr("A folder that peft.PeftModel.from_pretrained opens"))
        self.export_gguf = self._action(self.tr("Export as GGUF adapter…"), self.export_gguf_requested)
        self.export_gguf.setToolTip(
            self.tr("A file for llama.cpp, Ollama and LM Studio, beside the backbone's .gguf file")
        )
        self.addSeparator()
        self.delete = self._action(self.tr("Delete"), self.delete_requested)
        self.delete.setShortcut(QKeySequence(QKeySequence.StandardKey.Delete))

    def set_epoch(self, epoch: EpochInfo, busy: bool, repair: Job | None = None) -> None:
        """The actions are about this epoch from now on; ``busy`` holds back what must wait for other work, and
        ``repair`` is what makes it whole."""
        self._slug = epoch.slug
        text, tip = repair_words(repair)
        self.repair.setText(text)
        self.repair.setToolTip(tip)
        self.repair.setVisible(repair is not None)
        self.repair.setEnabled(not busy)
        for action in (self.resume, self.keep, self.discard):
            action.setVisible(epoch.state == "interrupted" and (epoch.goes_on or action is self.discard))
            action.setEnabled(not busy)
        editable = epoch.state in ("frozen", "interrupted", "training")
        self.rename.setEnabled(editable)
        self.recolour.setEnabled(editable)
        self.export.setEnabled(epoch.state == "frozen")
        self.export_gguf.setEnabled(epoch.state == "frozen")
        self.delete.setEnabled(epoch.state in ("frozen", "broken") and not busy)
        wait = self.tr("Possible once the work that is running has ended")
        self.delete.setToolTip(wait if busy else self.tr("Take this epoch out of the mixture; this can be undone"))

    def _action(self, text: str, requested: SignalInstance) -> QAction:
        action = self.addAction(text)
        action.triggered.connect(lambda: requested.emit(self._slug))
        return action
