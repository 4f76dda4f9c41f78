"""Several texts side by side: one prompt and seed in several modes, a sweep of the mixing desk, or kept ones."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import cast

from PySide6.QtCore import QObject, Signal, Slot

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.config import MIXER_MODE
from tlora_gui.engine.protocol.events import (
    EndEvent,
    Event,
    GenerationFinished,
    GenerationLoaded,
    GenerationStarted,
    InRow,
    JobFailed,
    RowFailed,
)
from tlora_gui.engine.protocol.texts import Generation, SlotInfo, TokenEvent
from tlora_gui.ui.generation.inspector.inspector import TokenInspector
from tlora_gui.ui.generation.mixing_desk.mixing_desk import MixingDeskPanel
from tlora_gui.ui.generation.mixing_desk.sweep import sweep_desks
from tlora_gui.ui.generation.modes import blend_text
from tlora_gui.ui.generation.pane import GenerationPane
from tlora_gui.worker.engine_client import EngineClient


class CompareControl(QObject):
    """Knows the job that fills the columns (or rows) of the compare page, and which of them are still being filled.

    Signals:
        running_changed: columns are being filled from now on, or all of them are over.
        finished: the last column that was being filled is over.
    """

    running_changed = Signal()
    finished = Signal()

    def __init__(
        self, client: EngineClient, pane: GenerationPane, desk: MixingDeskPanel, inspector: TokenInspector
    ) -> None:
        super().__init__(pane)
        self._client = client
        self._pane = pane
        self._page = pane.compare_page
        self._desk = desk
        self._inspector = inspector
        self._job_id: int | None = None
        self._columns: list[int] = []
        self._kept: dict[int, Generation | None] = {}
        pane.compare_requested.connect(self.compare)
        pane.stop_requested.connect(self.stop)
        pane.compare_page.token_hovered.connect(self._show_token)
        desk.sweep_requested.connect(self.sweep)

    @property
    def running(self) -> bool:
        """Whether a column is still being filled."""
        return self._job_id is not None

    @Slot(list)
    def compare(self, modes: list[str]) -> None:
        """Continue the prompt once per mode."""
        self._run([jobs.Row(mode) for mode in modes])

    @Slot(str, str)
    def sweep(self, first: str, last: str) -> None:
        """Continue the prompt in five rows, from one slot alone to another alone."""
        desks = sweep_desks(first, last)
        names = {slot.slug: slot.name for slot in self._desk.slots}
        self._pane.show_page("compare")
        self._page.show_rows([blend_text((names[slug], share) for slug, share in desk.levels) for desk in desks])
        self._run([jobs.Row(MIXER_MODE, desk) for desk in desks])

    @Slot(list)
    def compare_kept(self, ids: list[str]) -> None:
        """Show kept texts side by side, once all of them are loaded."""
        self.drop()
        self._kept = {self._client.submit(jobs.LoadGeneration(id), self): None for id in ids}

    def _run(self, rows: Sequence[jobs.Row]) -> None:
        self.drop()
        job = jobs.GenerateRows(self._pane.prompt_bar.prompt(), tuple(rows), self._pane.sampling)
        self._columns = list(range(len(rows)))
        self._job_id = self._client.submit(job, self)
        self._show_running()

    @Slot()
    def stop(self) -> None:
        """End them all; what has come stays."""
        self._client.cancel(self._job_id, "keep")

    @Slot()
    def drop(self) -> None:
        """End them all; the columns are others' from now on."""
        job_id, self._job_id, self._columns = self._job_id, None, []
        self._client.drop(job_id)
        self._show_running()

    # -- what the engine answers --------------------------------------------------------------------------------

    def hear(self, job_id: int, job: jobs.Job, events: Sequence[Event]) -> bool:
        """See :class:`~tlora_gui.worker.job_book.Asker`."""
        match events[-1]:
            case GenerationLoaded(record):
                self._put_kept(job_id, record)
            case InRow() if job_id == self._job_id:
                by_row = sorted(cast(Sequence[InRow], events), key=attrgetter("row"))
                for (row, _), run in groupby(by_row, lambda each: (each.row, type(each.event))):
                    self._hear_row(row, [each.event for each in run])
            case JobFailed(message=message) if job_id == self._job_id:
                for column in self._columns:
                    self._page.fail(column, message)
            case _:
                return False
        return True

    def _hear_row(self, column: int, events: Sequence[Event | RowFailed]) -> None:
        """One or more events of one kind, in order."""
        match events[-1]:
            case GenerationStarted() as event:
                self._page.start(column, event)
            case TokenEvent():
                self._page.add_tokens(column, cast(Sequence[TokenEvent], events))
            case GenerationFinished(record):
                self._page.finish(column, record)
                self._end(column)
            case RowFailed(message=message):
                self._page.fail(column, message)
                self._end(column)

    def _end(self, column: int) -> None:
        """It gets no more text; that of others may still come."""
        self._columns.remove(column)
        self._page.end(column)

    def ended(self, job_id: int, job: jobs.Job, end: EndEvent) -> None:
        """All columns are over, however; their texts are among the kept ones."""
        if job_id == self._job_id:
            for column in list(self._columns):
                self._end(column)
            self._job_id = None
            self._show_running()
            self.finished.emit()

    def _put_kept(self, job_id: int, record: Generation) -> None:
        if job_id in self._kept:
            self._kept[job_id] = record
            found = [each for each in self._kept.values() if each is not None]
            if len(found) == len(self._kept):
                self._kept = {}
                self._pane.show_page("compare")
                self._page.show_records(found)

    def _show_running(self) -> None:
        self._page.set_running(self.running)
        self.running_changed.emit()

    @Slot(object, object)
    def _show_token(self, token: TokenEvent | None, slots: tuple[SlotInfo, ...]) -> None:
        self._inspector.show_token(token, slots)
        self._inspector.set_branching_allowed(False, self.tr("Open this text from the list of texts to branch off"))
        self._inspector.set_asking_allowed(False, self.tr("Open this text from the list of texts to ask about it"))
