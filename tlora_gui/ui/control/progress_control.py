"""How far long work is, in the status bar."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot

from tlora_gui.engine.protocol.events import Progress
from tlora_gui.ui.widgets.progress_line import ProgressLine
from tlora_gui.worker.engine_client import EngineClient


class ProgressControl(QObject):
    """Of several jobs shows the first until it ends."""

    def __init__(self, client: EngineClient, line: ProgressLine) -> None:
        super().__init__(line)
        self._client = client
        self._line = line
        self._latest: dict[int, Progress] = {}
        self._finishing = False
        line.cancel_requested.connect(self._cancel_shown)

    @Slot(int, object)
    def show(self, job_id: int, progress: Progress) -> None:
        """A job is so far."""
        self._latest[job_id] = progress
        self._line.show_progress(next(iter(self._latest.values())))

    def ended(self, job_id: int) -> None:
        """A job is over."""
        self._latest.pop(job_id, None)
        if self._finishing:
            return
        if self._latest:
            self._line.show_progress(next(iter(self._latest.values())))
        else:
            self._line.clear()

    def set_finishing(self, finishing: bool) -> None:
        """Everything ends, which is shown until nothing is left; or goes on after all."""
        self._finishing = finishing
        if finishing:
            self._line.show_progress(Progress(self.tr("Finishing")))
        else:
            self._line.clear()

    @Slot()
    def _cancel_shown(self) -> None:
        self._client.cancel(next(iter(self._latest), None))
