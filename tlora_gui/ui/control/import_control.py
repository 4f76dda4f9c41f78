"""Adapters from elsewhere become epochs."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.events import (
    AdapterSeen,
    BackboneInfo,
    BlocksPreviewed,
    CorpusSummarised,
    EndEvent,
    Event,
    JobFailed,
    Progress,
)
from tlora_gui.engine.protocol.jobs import Job
from tlora_gui.ui.control.training_control import TrainingControl
from tlora_gui.ui.epochs.import_adapter_dialog import ImportAdapterDialog
from tlora_gui.worker.engine_client import EngineClient


class ImportControl(QObject):
    """Opens "Import an adapter", and looks through the text that is chosen there; the import is one of the trainings.

    Attributes:
        dialog: while it is open.
        backbone: of the project that is shown.
    """

    def __init__(self, client: EngineClient, training: TrainingControl, window: QWidget) -> None:
        super().__init__(window)
        self.dialog: ImportAdapterDialog | None = None
        self.backbone: BackboneInfo | None = None
        self._client = client
        self._training = training
        self._window = window

    @Slot(str, list)
    def open(self, source: str, texts: Sequence[str]) -> None:
        """Ask about an adapter: a folder or a .zip that was dropped, with text of its kind if there was any; or, if
        ``source`` is empty, one that is still to be chosen."""
        if self.dialog is None:
            self.dialog = dialog = ImportAdapterDialog(self._window)
            dialog.set_taken_names(self._training.names())
            dialog.set_used_colours(self._training.colours())
            dialog.set_interrupted(self._training.ended_by_another())
            if self.backbone is not None:
                dialog.set_backbone(self.backbone)
            dialog.source_chosen.connect(self._look)
            dialog.corpus_chosen.connect(self._summarise)
            dialog.preview_wanted.connect(self._preview)
            dialog.import_requested.connect(self._training.train)
            dialog.finished.connect(self._closed)
            dialog.open()
        if source:
            self.dialog.set_source(source)
        if texts:
            self.dialog.set_texts(texts)

    @Slot(str)
    def _look(self, source: str) -> None:
        for outdated in self._client.jobs(jobs.LookAtAdapter, asker=self):
            self._client.drop(outdated)
        if source:
            self._client.submit(jobs.LookAtAdapter(source), self)

    @Slot(tuple)
    def _summarise(self, paths: tuple[str, ...]) -> None:
        for outdated in self._client.jobs(jobs.SummariseCorpus, jobs.PreviewBlocks, asker=self):
            self._client.drop(outdated)
        if paths:
            self._client.submit(jobs.SummariseCorpus(paths), self)

    @Slot(object)
    def _preview(self, job: jobs.PreviewBlocks) -> None:
        self._client.submit(job, self)

    @Slot()
    def _closed(self) -> None:
        self.dialog = None
        self._look("")
        self._summarise(())

    def hear(self, job_id: int, job: Job, events: Sequence[Event]) -> bool:
        """See :class:`~tlora_gui.worker.job_book.Asker`."""
        if self.dialog is not None:
            match events[-1]:
                case AdapterSeen(source, first_block):
                    self.dialog.set_first_block(source, first_block)
                case Progress() | JobFailed() if isinstance(job, jobs.LookAtAdapter):
                    pass  # the import will say what is wrong with it
                case CorpusSummarised(summary):
                    self.dialog.set_summary(summary)
                case BlocksPreviewed() as preview:
                    self.dialog.set_preview(preview)
                case JobFailed(_, message, hint, "") if isinstance(job, jobs.SummariseCorpus):
                    self.dialog.set_error(message, hint)
                case _:
                    return False
        return True

    def ended(self, job_id: int, job: Job, end: EndEvent) -> None:
        """Nothing goes on after it."""
