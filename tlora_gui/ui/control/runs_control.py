"""The history of runs: listed, compared, deleted, done once more."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QWidget

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.events import EndEvent, Event, JobDone, JobFailed, RunLoaded, RunsListed
from tlora_gui.ui.control.undo import Undo
from tlora_gui.ui.menus import Menus
from tlora_gui.ui.runs.runs_dialog import RunsDialog
from tlora_gui.ui.theme import ThemeManager
from tlora_gui.ui.translation import filled
from tlora_gui.worker.engine_client import EngineClient


class RunsControl(QObject):
    """Asks for runs while their dialog is open.

    Attributes:
        dialog: "Runs", while it is open.

    Signals:
        again_requested: a run is to be done once more (Run).
        saved: a chart was written to a file (path).
    """

    again_requested = Signal(object)
    saved = Signal(str)

    def __init__(self, client: EngineClient, window: QWidget, menus: Menus, themes: ThemeManager, undo: Undo) -> None:
        super().__init__(window)
        self.dialog: RunsDialog | None = None
        self._client = client
        self._window = window
        self._themes = themes
        self._undo = undo
        menus.runs.triggered.connect(self.open)

    @Slot()
    def open(self) -> None:
        """Show every training of the project."""
        if self.dialog is not None:
            return
        self.dialog = dialog = RunsDialog(self._themes.current, self._window)
        dialog.load_requested.connect(lambda id: self._client.submit(jobs.LoadRun(id), self))
        dialog.delete_requested.connect(self._delete)
        dialog.again_requested.connect(self.again_requested)
        dialog.saved.connect(self.saved)
        dialog.problem.connect(dialog.show_problem)
        dialog.finished.connect(self._closed)
        self._themes.changed.connect(dialog.apply_theme)
        dialog.open()
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Ask for the list, if it is shown."""
        if self.dialog is not None:
            self._client.submit(jobs.ListRuns(), self)

    @Slot()
    def _closed(self) -> None:
        self.dialog = None

    @Slot(list)
    def _delete(self, ids: Sequence[str]) -> None:
        name = filled(self.tr("delete run {number}"), number=int(ids[0].partition("-")[0]))
        if len(ids) > 1:
            name = filled(self.tr("delete {count} runs"), count=len(ids))
        opposites = ((jobs.DeleteRun(id), jobs.DeleteRun(id, restore=True)) for id in ids)
        self._undo.do(name, *(self._undo.part(*both, self) for both in opposites))

    def hear(self, job_id: int, job: jobs.Job, events: Sequence[Event]) -> bool:
        """See :class:`~tlora_gui.worker.job_book.Asker`."""
        if self.dialog is None:
            return True
        match events[-1]:
            case RunsListed(runs, limit):
                self.dialog.set_runs(runs, limit)
            case RunLoaded() as loaded:
                self.dialog.show_run(loaded)
            case JobFailed(_, message, hint, ""):
                self.dialog.show_problem(message, hint)
            case _:
                return False
        return True

    def ended(self, job_id: int, job: jobs.Job, end: EndEvent) -> None:
        """See :class:`~tlora_gui.worker.job_book.Asker`."""
        if self.dialog is not None and isinstance(job, jobs.LoadRun) and not isinstance(end, JobDone):
            self.dialog.give_up(job.id)
