"""Everything about epochs that the person asks for: new ones, their line of trainings, changes to those there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelMode
from tlora_gui.engine.protocol.events import (
    CorpusSummary,
    EpochInfo,
    HeldOut,
    JobFailed,
    Progress,
    TrainStarted,
    TrainStep,
)
from tlora_gui.ui.epochs.new_epoch_dialog import NewEpochDialog
from tlora_gui.worker.engine_client import EngineClient

if TYPE_CHECKING:
    from tlora_gui.ui.main_window import MainWindow

Training = jobs.TrainEpoch | jobs.ResumeEpoch


class TrainingControl(QObject):
    """Knows which training runs and which wait; the first of ``jobs`` is the one that runs.

    Signals:
        paced: training tokens a second, as they come.
    """

    paced = Signal(float)

    def __init__(self, window: MainWindow, client: EngineClient) -> None:
        super().__init__(window)
        self.jobs: dict[int, Training] = {}
        self.dialog: NewEpochDialog | None = None
        self._window = window
        self._client = client
        self._epochs: tuple[EpochInfo, ...] = ()
        self._evaluation: int | None = None
        self._summary: int | None = None
        self._summarised: tuple[str, ...] = ()
        self._asked_about: int | None = None
        self._deleting: dict[int, EpochInfo] = {}
        self._started = False
        self._speed: float | None = None
        panel = window.epochs
        panel.pause_requested.connect(self._pause)
        panel.stop_asked.connect(self._stop_asked)
        panel.stop_requested.connect(self._stop)
        panel.resume_requested.connect(self._resume)
        panel.discard_requested.connect(self._delete)
        panel.delete_requested.connect(self._delete)
        panel.edit_requested.connect(self._edit)
        panel.export_requested.connect(self._export)
        panel.unqueue_requested.connect(self._unqueue)
        window.menus.evaluate.triggered.connect(self._evaluate)

    @property
    def active(self) -> int | None:
        """Number of the training that runs."""
        return next(iter(self.jobs), None)

    def set_epochs(self, epochs: tuple[EpochInfo, ...]) -> None:
        """The project's epochs: names and colours that are taken, and what can be measured."""
        self._epochs = epochs
        if self.dialog is not None:
            self._tell_epochs(self.dialog)
        self.offer_evaluation()

    # -- a new one ----------------------------------------------------------------------------------------------

    def new_epoch(self, paths: Sequence[str]) -> None:
        """Open "New epoch", filled in from what was dropped."""
        if self.dialog is None:
            self.dialog = NewEpochDialog(parent=self._window)
            self.dialog.corpus_chosen.connect(self._summarise)
            self.dialog.start_requested.connect(self.train)
            self.dialog.finished.connect(self._dialog_closed)
            self._tell_epochs(self.dialog)
            self.dialog.set_speed(self._speed)
            self.dialog.open()
        if paths:
            self.dialog.set_paths(paths)

    def look_again(self) -> None:
        """Another project is open, which counts tokens in its own way."""
        self._summarise(self._summarised)

    def _tell_epochs(self, dialog: NewEpochDialog) -> None:
        waiting = [job.name for job in self.jobs.values() if isinstance(job, jobs.TrainEpoch)]
        going_on = {job.slug for job in self.jobs.values() if isinstance(job, jobs.ResumeEpoch)}
        left = [epoch.name for epoch in self._epochs if epoch.state == "interrupted" and epoch.slug not in going_on]
        dialog.set_taken_names([*(epoch.name for epoch in self._epochs), *waiting])
        dialog.set_used_colours([epoch.colour for epoch in self._epochs])
        dialog.set_first_epoch(not self.jobs and all(epoch.state != "frozen" for epoch in self._epochs))
        dialog.set_interrupted(left)

    @Slot(tuple)
    def _summarise(self, paths: tuple[str, ...]) -> None:
        self._client.drop(self._summary)
        self._summary, self._summarised = None, paths
        if paths and self.dialog is not None:
            self.dialog.set_summarising()
            self._summary = self._client.submit(jobs.SummariseCorpus(tuple(paths)))

    @Slot()
    def _dialog_closed(self) -> None:
        self.dialog = None
        self._summarise(())

    @Slot(object)
    def train(self, job: Training) -> None:
        """Train now, or after the epochs that wait already. It would be another project's once that is open."""
        if self._window.controller.opening:
            self._window.banner.show_error(
                self.tr("Another project is being opened."), self.tr("Wait until it is there, or cancel that first.")
            )
            return
        self.jobs[self._client.submit(job)] = job
        self._show_queue()
        if len(self.jobs) == 1:
            self._prepare()

    # -- the line of trainings ----------------------------------------------------------------------------------

    def _prepare(self) -> None:
        self._started = False
        job = next(iter(self.jobs.values()), None)
        if job is not None:
            self._show_preparation(job, self.tr("Preparing"))

    def _show_preparation(self, job: Training, label: str) -> None:
        if isinstance(job, jobs.TrainEpoch):
            self._window.epochs.show_preparation(label, job.name, job.colour)
            return
        info = next((epoch for epoch in self._epochs if epoch.slug == job.slug), None)
        if info is not None:
            self._window.epochs.show_preparation(label, info.name, info.colour)

    def _waiting(self) -> dict[int, jobs.TrainEpoch]:
        """The trainings that the queue shows."""
        waiting = list(self.jobs.items())[1:]
        return {job_id: job for job_id, job in waiting if isinstance(job, jobs.TrainEpoch)}

    def _show_queue(self) -> None:
        self._window.epochs.set_queue(tuple(job.name for job in self._waiting().values()))
        self._window.epochs.set_busy(bool(self.jobs))
        self.offer_evaluation()

    @Slot(bool)
    def _pause(self, paused: bool) -> None:
        self._client.pause(self.active, paused)
        self._window.epochs.set_paused(paused)

    @Slot()
    def _stop_asked(self) -> None:
        self._asked_about = self.active

    @Slot(str)
    def _stop(self, mode: CancelMode) -> None:
        """End the training that the question was about, if it has not ended by now."""
        if self._client.is_live(self._asked_about):
            self._client.cancel(self._asked_about, mode)
        else:
            self._window.banner.show_notice(self.tr("That training had ended already."))

    @Slot(str)
    def _resume(self, slug: str) -> None:
        self.train(jobs.ResumeEpoch(slug))

    @Slot(int)
    def _unqueue(self, index: int) -> None:
        waiting = list(self._waiting())
        if index < len(waiting):
            self._client.drop(waiting[index])

    # -- epochs that are there ----------------------------------------------------------------------------------

    @Slot(str)
    def _delete(self, slug: str) -> None:
        epoch = next((epoch for epoch in self._epochs if epoch.slug == slug), None)
        if epoch is not None:
            self._deleting[self._client.submit(jobs.DeleteEpoch(slug))] = epoch

    def changed(self, job_id: int) -> None:
        """The epochs are others now; if by a deletion, it can be undone."""
        epoch = self._deleting.pop(job_id, None)
        if epoch is not None:
            undo = self.tr("Undo") if epoch.state == "frozen" else ""
            self._window.banner.show_notice(
                self.tr("{name} was deleted.").format(name=epoch.name), undo, self._undo_delete
            )

    @Slot()
    def _undo_delete(self) -> None:
        self._client.submit(jobs.RestoreEpoch())

    @Slot(str, str, str, str)
    def _edit(self, slug: str, name: str, era: str, colour: str) -> None:
        self._client.submit(jobs.EditEpoch(slug, name, era, colour))

    @Slot(str, str)
    def _export(self, slug: str, folder: str) -> None:
        self._client.submit(jobs.ExportEpoch(slug, folder))

    @Slot()
    def _evaluate(self) -> None:
        self._evaluation = self._client.submit(jobs.Evaluate())
        self._window.controller.show_progress(self._evaluation, Progress(self.tr("Measuring on held-out text")))
        self.offer_evaluation()

    def offer_evaluation(self) -> None:
        """Let the person measure if an epoch is trained and neither a training nor a measurement goes on."""
        action = self._window.menus.evaluate
        trained = any(epoch.state == "frozen" for epoch in self._epochs)
        action.setEnabled(trained and not self.jobs and not self._client.is_live(self._evaluation))
        action.setToolTip(
            self.tr("Backbone, every epoch alone and the mix, each on the text kept aside from training")
            if action.isEnabled()
            else self.tr("Possible once an epoch is trained and no training runs")
        )

    # -- what the engine tells ----------------------------------------------------------------------------------

    def started(self, event: TrainStarted) -> None:
        """Steps follow."""
        self._started = True
        self._window.charts.begin_epoch(event)

    def progress(self, job_id: int, progress: Progress) -> None:
        """A training prepares; once steps come, those tell more."""
        if not self._started:
            self._show_preparation(self.jobs[job_id], progress.label)

    def points(self, points: Sequence[TrainStep | HeldOut]) -> None:
        """Steps and measurements of the training that runs."""
        self._window.charts.add_events(points)
        for point in points:
            if isinstance(point, HeldOut):
                self._window.epochs.show_held_out(point)
        steps = [point for point in points if isinstance(point, TrainStep)]
        if steps:
            self._speed = steps[-1].tokens_per_second
            self._window.epochs.show_progress(steps[-1])
            self.paced.emit(self._speed)

    def summarised(self, job_id: int, summary: CorpusSummary) -> None:
        """The answer to a corpus chosen in the dialog, if it is still the one chosen."""
        if self.dialog is not None and job_id == self._summary:
            self.dialog.set_summary(summary)

    def refused(self, job_id: int, event: JobFailed) -> bool:
        """Whether a failure belongs into the dialog, which then shows it."""
        if job_id != self._summary or self.dialog is None or event.details:
            return False
        self.dialog.set_error(event.message, event.hint)
        return True

    def ended(self, job_id: int) -> None:
        """A training is over, and the next one prepares; or something else is, that may have been in its way."""
        self._deleting.pop(job_id, None)
        if job_id not in self.jobs:
            self.offer_evaluation()
            return
        was_active = job_id == self.active
        del self.jobs[job_id]
        self._show_queue()
        if was_active:
            self._window.epochs.clear_preparation()
            self._prepare()
