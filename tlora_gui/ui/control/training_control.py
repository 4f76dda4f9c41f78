"""Everything about epochs that the person asks for: new ones, their line of trainings, changes to those there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import cast

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QAction

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelMode
from tlora_gui.engine.protocol.events import (
    CorpusSummarised,
    EndEvent,
    EpochInfo,
    EpochsChanged,
    Event,
    HeldOut,
    JobFailed,
    Progress,
    TrainingEvent,
    TrainingSample,
    TrainStarted,
    TrainStep,
)
from tlora_gui.engine.protocol.jobs import Job, KeepEpoch, ResumeEpoch, TrainEpoch
from tlora_gui.ui.charts.panel import ChartsPanel
from tlora_gui.ui.epochs.new_epoch_dialog import NewEpochDialog
from tlora_gui.ui.epochs.panel import EpochsPanel
from tlora_gui.ui.translation import worded
from tlora_gui.ui.widgets.banner import Banner
from tlora_gui.worker.engine_client import EngineClient

Training = TrainEpoch | ResumeEpoch | KeepEpoch


class TrainingControl(QObject):
    """Shows how the trainings go, of which one runs and the others wait.

    Attributes:
        epochs: of the project.
        dialog: "New epoch", while it is open.

    Signals:
        paced: training tokens a second, as they come.
        progressed: a measurement is so far.
    """

    paced = Signal(float)
    progressed = Signal(int, object)

    def __init__(
        self, client: EngineClient, panel: EpochsPanel, charts: ChartsPanel, evaluate: QAction, banner: Banner
    ) -> None:
        super().__init__(panel)
        self.epochs: tuple[EpochInfo, ...] = ()
        self.dialog: NewEpochDialog | None = None
        self._client = client
        self._panel = panel
        self._charts = charts
        self._evaluate = evaluate
        self._banner = banner
        self._held_up = False
        self._summarised: tuple[str, ...] = ()
        self._prepared: int | None = None
        self._started = False
        self._speed: float | None = None
        panel.pause_requested.connect(self._pause)
        panel.stop_requested.connect(self._stop)
        panel.resume_requested.connect(self._resume)
        panel.keep_requested.connect(self._keep)
        panel.discard_requested.connect(self._delete)
        panel.delete_requested.connect(self._delete)
        panel.edit_requested.connect(self._edit)
        panel.export_requested.connect(self._export)
        panel.unqueue_requested.connect(self._unqueue)
        evaluate.triggered.connect(self._measure)

    @property
    def jobs(self) -> dict[int, Training]:
        """The trainings that are not over, by number; the first is the one that runs."""
        return cast(dict[int, Training], self._client.jobs(TrainEpoch, ResumeEpoch, KeepEpoch, asker=self))

    def set_epochs(self, epochs: tuple[EpochInfo, ...]) -> None:
        """The project's epochs: names and colours that are taken, and what can be measured."""
        self.epochs = epochs
        if self.dialog is not None:
            self._update_dialog(self.dialog)
        self.offer_evaluation()

    # -- a new one ----------------------------------------------------------------------------------------------

    @Slot(bool)
    def hold_up(self, held_up: bool) -> None:
        """Nothing can be trained while another project is on its way: it would be trained there."""
        self._held_up = held_up

    @Slot(list)
    def new_epoch(self, paths: Sequence[str]) -> None:
        """Open "New epoch", filled in from what was dropped."""
        if self.dialog is None:
            self.dialog = NewEpochDialog(parent=self._panel.window())
            self.dialog.corpus_chosen.connect(self._summarise)
            self.dialog.start_requested.connect(self.train)
            self.dialog.finished.connect(self._dialog_closed)
            self._update_dialog(self.dialog)
            self.dialog.set_speed(self._speed)
            self.dialog.open()
        if paths:
            self.dialog.set_paths(paths)

    def look_again(self) -> None:
        """Another project is open, which counts tokens in its own way."""
        self._summarise(self._summarised)

    def _update_dialog(self, dialog: NewEpochDialog) -> None:
        waiting = [job.name for job in self.jobs.values() if isinstance(job, TrainEpoch)]
        going_on = {job.slug for job in self.jobs.values() if not isinstance(job, TrainEpoch)}
        left = [epoch.name for epoch in self.epochs if epoch.state == "interrupted" and epoch.slug not in going_on]
        dialog.set_taken_names([*(epoch.name for epoch in self.epochs), *waiting])
        dialog.set_used_colours([epoch.colour for epoch in self.epochs])
        dialog.set_first_epoch(not self.jobs and all(epoch.state != "frozen" for epoch in self.epochs))
        dialog.set_interrupted(left)

    @Slot(tuple)
    def _summarise(self, paths: tuple[str, ...]) -> None:
        for outdated in self._client.jobs(jobs.SummariseCorpus, asker=self):
            self._client.drop(outdated)
        self._summarised = paths
        if paths and self.dialog is not None:
            self.dialog.set_summarising()
            self._client.submit(jobs.SummariseCorpus(tuple(paths)), self)

    @Slot()
    def _dialog_closed(self) -> None:
        self.dialog = None
        self._summarise(())

    @Slot(object)
    def train(self, job: Training) -> None:
        """Train now, or after the epochs that wait already."""
        if self._held_up:
            self._banner.show_error(
                self.tr("Another project is being opened."), self.tr("Wait until it is there, or cancel that first.")
            )
            return
        self._client.submit(job, self)
        self._show_queue()
        if len(self.jobs) == 1:
            self._prepare()

    # -- the line of trainings ----------------------------------------------------------------------------------

    def _prepare(self) -> None:
        """The first of the trainings is the one that is shown from now on."""
        self._started = False
        self._prepared, job = next(iter(self.jobs.items()), (None, None))
        if self._prepared is not None and job is not None:
            self._panel.set_training(self._prepared)
            self._show_preparation(job, self.tr("Preparing"))

    def _show_preparation(self, job: Training, label: str) -> None:
        if isinstance(job, TrainEpoch):
            self._panel.show_preparation(label, job.name, job.colour)
            return
        resumed = (replace(epoch, state="training") if epoch.slug == job.slug else epoch for epoch in self.epochs)
        self._panel.set_epochs(tuple(resumed))  # it has its card already
        self._panel.show_preparation(label)

    def _epoch(self, slug: str) -> EpochInfo | None:
        return next((epoch for epoch in self.epochs if epoch.slug == slug), None)

    def _waiting(self) -> dict[int, TrainEpoch]:
        """The trainings that the queue shows."""
        waiting = list(self.jobs.items())[1:]
        return {job_id: job for job_id, job in waiting if isinstance(job, TrainEpoch)}

    def _show_queue(self) -> None:
        self._panel.set_queue(tuple(job.name for job in self._waiting().values()))
        self._panel.set_busy(bool(self.jobs))
        self.offer_evaluation()

    @Slot(int, bool)
    def _pause(self, training: int, paused: bool) -> None:
        self._client.pause(training, paused)
        self._panel.set_paused(paused)

    @Slot(int, str)
    def _stop(self, training: int, mode: CancelMode) -> None:
        if self._client.is_live(training):
            self._client.cancel(training, mode)
        else:
            self._banner.show_notice(self.tr("That training had ended already."))

    @Slot(str)
    def _resume(self, slug: str) -> None:
        self.train(ResumeEpoch(slug))

    @Slot(str)
    def _keep(self, slug: str) -> None:
        self.train(KeepEpoch(slug))

    @Slot()
    def tell_interrupted(self) -> None:
        """Say of the latest epoch that was interrupted what has happened to it, and offer to go on."""
        epoch = next((epoch for epoch in reversed(self.epochs) if epoch.state == "interrupted"), None)
        if epoch is not None:
            text = self.tr("{name}: {note}.").format(name=epoch.name, note=worded(epoch.note).rstrip("."))
            self._banner.show_notice(text, self.tr("Resume"), partial(self._resume, epoch.slug))

    @Slot(int)
    def _unqueue(self, index: int) -> None:
        waiting = list(self._waiting())
        if index < len(waiting):
            self._client.drop(waiting[index])

    # -- epochs that are there ----------------------------------------------------------------------------------

    @Slot(str)
    def _delete(self, slug: str) -> None:
        self._client.submit(jobs.DeleteEpoch(slug), self)

    def _show_deleted(self, slug: str) -> None:
        """An epoch is gone; if it was trained, it can come back."""
        epoch = self._epoch(slug)
        if epoch is not None:
            undo = self.tr("Undo") if epoch.state == "frozen" else ""
            self._banner.show_notice(self.tr("{name} was deleted.").format(name=epoch.name), undo, self._undo_delete)

    @Slot()
    def _undo_delete(self) -> None:
        self._client.submit(jobs.RestoreEpoch(), self)

    @Slot(str, str, str, str)
    def _edit(self, slug: str, name: str, era: str, colour: str) -> None:
        self._client.submit(jobs.EditEpoch(slug, name, era, colour), self)

    @Slot(str, str)
    def _export(self, slug: str, folder: str) -> None:
        self._client.submit(jobs.ExportEpoch(slug, folder), self)

    @Slot()
    def _measure(self) -> None:
        job_id = self._client.submit(jobs.Evaluate(), self)
        self.progressed.emit(job_id, Progress(self.tr("Measuring on held-out text")))
        self.offer_evaluation()

    def offer_evaluation(self) -> None:
        """Let the person measure if an epoch is trained and neither a training nor a measurement goes on."""
        action, measuring = self._evaluate, self._client.jobs(jobs.Evaluate, asker=self)
        trained = any(epoch.state == "frozen" for epoch in self.epochs)
        action.setEnabled(trained and not self.jobs and not measuring)
        action.setToolTip(
            self.tr("Backbone, every epoch alone and the mix, each on the text kept aside from training")
            if action.isEnabled()
            else self.tr("Possible once an epoch is trained and no training runs")
        )

    # -- what the engine answers --------------------------------------------------------------------------------

    def hear(self, job_id: int, job: Job, events: Sequence[Event]) -> bool:
        """See :class:`~tlora_gui.worker.job_book.Asker`."""
        match events[-1]:
            case Progress(label) as progress if isinstance(job, Training):
                if not self._started:  # steps say more
                    self._show_preparation(job, label)
                    self._panel.show_amount(progress)
            case TrainStarted() as event:
                self._started = True
                self._charts.begin_epoch(event)
            case TrainStep() | HeldOut() | TrainingSample():
                self._show_points(cast(Sequence[TrainingEvent], events))
            case CorpusSummarised(summary) if self.dialog is not None:
                self.dialog.set_summary(summary)
            case JobFailed() as event if isinstance(job, jobs.SummariseCorpus) and self.dialog and not event.details:
                self.dialog.set_error(event.message, event.hint)
            case EpochsChanged() if isinstance(job, jobs.DeleteEpoch):
                self._show_deleted(job.slug)
                return False
            case _:
                return False
        return True

    def _show_points(self, points: Sequence[TrainingEvent]) -> None:
        """Steps, measurements or samples of the training that runs."""
        self._charts.add_events(points)
        latest = points[-1]
        if isinstance(latest, HeldOut):
            self._panel.show_held_out(latest)
        elif isinstance(latest, TrainStep):
            self._speed = latest.tokens_per_second
            self._panel.show_progress(latest)
            self.paced.emit(self._speed)

    def ended(self, job_id: int, job: Job, end: EndEvent) -> None:
        """A training is over, and the next one prepares; or something else is, that may have been in its way."""
        if not isinstance(job, Training):
            self.offer_evaluation()
            return
        self._show_queue()
        if job_id == self._prepared:
            self._panel.clear_preparation()
            self._panel.set_epochs(self.epochs)
            self._prepare()
        if not self.jobs:
            self._charts.training_ended.emit()
