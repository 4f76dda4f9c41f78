"""The trash of the project: listed, brought back from, emptied."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.events import EndEvent, Event, JobFailed, Progress, TrashItem, TrashListed
from tlora_gui.ui.control.undo import Undo
from tlora_gui.ui.formats import short
from tlora_gui.ui.menus import Menus
from tlora_gui.ui.translation import filled
from tlora_gui.ui.widgets.trash_dialog import TrashDialog
from tlora_gui.worker.engine_client import EngineClient


class TrashControl(QObject):
    """Shows the trash while its dialog is open. What comes back is a step that can be undone.

    Attributes:
        dialog: "Trash", while it is open.
    """

    def __init__(self, client: EngineClient, window: QWidget, menus: Menus, undo: Undo) -> None:
        super().__init__(window)
        self.dialog: TrashDialog | None = None
        self._client = client
        self._window = window
        self._undo = undo
        menus.trash.triggered.connect(self.open)

    @Slot()
    def open(self) -> None:
        """Show what was deleted."""
        if self.dialog is None:
            self.dialog = dialog = TrashDialog(self._window)
            dialog.restore_requested.connect(self._restore)
            dialog.empty_requested.connect(self._empty)
            dialog.finished.connect(self._closed)
            dialog.open()
            self._client.submit(jobs.ListTrash(), self)

    @Slot()
    def _closed(self) -> None:
        self.dialog = None

    @Slot(list)
    def _restore(self, items: Sequence[TrashItem]) -> None:
        assert self.dialog is not None
        if self._client.jobs(*jobs.TRAININGS) and any(item.kind == "epoch" for item in items):
            self.dialog.show_problem(
                self.tr("An epoch is in training here."), self.tr("Wait for its end, or stop it, and try again.")
            )
            return
        self.dialog.set_busy(True)
        name = self.tr("restore {name}").format(name=short(items[0].name))
        if len(items) > 1:
            name = filled(self.tr("restore {count} things"), count=len(items))
        self._undo.do(name, *(self._undo.part(item.restoring, item.deleting, self) for item in items))

    @Slot()
    def _empty(self) -> None:
        assert self.dialog is not None
        self.dialog.set_busy(True)
        self._undo.clear()  # what was deleted does not come back any more
        self._client.submit(jobs.EmptyTrash(), self)

    def hear(self, job_id: int, job: jobs.Job, events: Sequence[Event]) -> bool:
        """See :class:`~tlora_gui.worker.job_book.Asker`."""
        match events[-1]:
            case TrashListed(items):
                if self.dialog is not None:
                    self.dialog.set_items(items)
                return True
            case Progress() as progress if self.dialog is not None:
                self.dialog.show_progress(progress)
            case JobFailed(_, message, hint, "") if self.dialog is not None:
                self.dialog.show_problem(message, hint)
                return True
        return False

    def ended(self, job_id: int, job: jobs.Job, end: EndEvent) -> None:
        """Something has come back, or could not be removed: what is in the trash now?"""
        if self.dialog is not None and not isinstance(job, jobs.ListTrash) and not self._client.jobs(asker=self):
            self._client.submit(jobs.ListTrash(), self)
