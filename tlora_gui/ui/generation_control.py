"""Generating: one at a time, stopped or replaced at any moment, its tokens inspected and exported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QFileDialog

from tlora_gui.engine import jobs
from tlora_gui.engine.texts import GenerationRecord, TokenEvent
from tlora_gui.worker.engine_client import EngineClient

if TYPE_CHECKING:
    from tlora_gui.ui.main_window import MainWindow


class GenerationControl(QObject):
    """Knows the generation that runs (``job_id``); events of any other are not its."""

    def __init__(self, window: MainWindow, client: EngineClient) -> None:
        super().__init__(window)
        self.job_id: int | None = None
        self._window = window
        self._client = client
        self._to_export: GenerationRecord | None = None
        pane = window.generation
        pane.generate_requested.connect(self.generate)
        pane.stop_requested.connect(self._stop)
        pane.export_requested.connect(self._ask_where_to_export)
        pane.token_hovered.connect(self._show_token)
        window.epochs.epoch_activated.connect(pane.choose_mode)

    @Slot(object)
    def generate(self, job: jobs.Generate) -> None:
        """Continue a prompt; a generation still running is ended first."""
        self._client.drop(self.job_id)
        self.job_id = self._client.submit(job)
        self._window.generation.set_generating(True)

    @Slot()
    def _stop(self) -> None:
        self._client.cancel(self.job_id, "keep")

    def ended(self) -> None:
        """The generation is over."""
        self.job_id = None
        self._window.generation.set_generating(False)

    @Slot(object)
    def _show_token(self, token: TokenEvent | None) -> None:
        self._window.inspector.show_token(token, self._window.generation.shown_slots)

    @Slot(object)
    def _ask_where_to_export(self, record: GenerationRecord) -> None:
        dialog = QFileDialog(self._window, self.tr("Export as a web page"), "generation.html", "HTML (*.html)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("html")
        self._to_export = record
        dialog.fileSelected.connect(self._export)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    @Slot(str)
    def _export(self, path: str) -> None:
        if self._to_export is not None:
            self._client.submit(jobs.ExportGeneration(self._to_export, path))
