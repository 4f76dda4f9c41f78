"""Connects what the engine tells to what the window shows, and what the person asks to the engine's jobs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QLockFile, QObject, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog

from tlora_gui.engine import jobs
from tlora_gui.engine.cancel import CancelMode
from tlora_gui.engine.config import BACKBONE_COLOUR
from tlora_gui.engine.errors import TloraError
from tlora_gui.engine.events import (
    CorpusSummarised,
    EpochFinished,
    EpochInfo,
    EpochsChanged,
    Evaluated,
    Event,
    FileWritten,
    GenerationFinished,
    GenerationRecord,
    GenerationStarted,
    HeldOut,
    JobCancelled,
    JobDone,
    JobFailed,
    Progress,
    ProjectInfo,
    ProjectOpened,
    SlotInfo,
    TokenEvent,
    TrainStarted,
    TrainStep,
)
from tlora_gui.ui.epochs.new_epoch_dialog import NewEpochDialog
from tlora_gui.ui.widgets.questions import Choice, ask
from tlora_gui.worker.engine_client import EngineClient
from tlora_gui.worker.project_lock import lock_project

if TYPE_CHECKING:
    from tlora_gui.ui.demo import Demo
    from tlora_gui.ui.main_window import MainWindow

Training = jobs.TrainEpoch | jobs.ResumeEpoch


class Controller(QObject):
    """Holds which job does what: at most one project is opening, one generation runs, trainings wait in line."""

    def __init__(self, window: MainWindow, client: EngineClient) -> None:
        super().__init__(window)
        self.window = window
        self.client = client
        self.project: ProjectInfo | None = None
        self.epochs: tuple[EpochInfo, ...] = ()
        self.dialog: NewEpochDialog | None = None
        self.demo: Demo | None = None
        self.trainings: dict[int, Training] = {}
        self.generation: int | None = None
        self._opening: int | None = None
        self._summary: int | None = None
        self._paused = False
        self._started = False
        self._closing = False
        self._speed: float | None = None
        self._dropped: list[str] = []
        self._lock: QLockFile | None = None
        self._lock_of_opening: QLockFile | None = None
        self._connect()

    def _connect(self) -> None:
        window = self.window
        self.client.events.connect(self._on_events)
        window.files_dropped.connect(self.new_epoch)
        window.close_asked.connect(self._ask_to_close)
        window.new_action.triggered.connect(self.close_project)
        window.close_project_action.triggered.connect(self.close_project)
        window.open_action.triggered.connect(window.ask_for_project)
        window.recent_menu.aboutToShow.connect(self._fill_recent)
        window.recent_menu.triggered.connect(self._open_recent)
        window.add_epoch_action.triggered.connect(self._add_epoch)
        window.evaluate_action.triggered.connect(self._evaluate)
        window.demo_action.triggered.connect(self.play_demo)
        window.welcome.create_requested.connect(self.create_project)
        window.welcome.open_requested.connect(self.open_project)
        window.welcome.demo_requested.connect(self.play_demo)
        window.welcome.cancel_requested.connect(self._cancel_opening)
        window.progress_line.cancel_requested.connect(self._cancel_others)
        window.charts.saved.connect(self._notice_written)
        window.charts.problem.connect(window.banner.show_error)
        panel = window.epochs
        panel.add_requested.connect(self._add_epoch)
        panel.files_dropped.connect(self.new_epoch)
        panel.pause_requested.connect(self._pause)
        panel.stop_requested.connect(self.stop_training)
        panel.resume_requested.connect(self._resume)
        panel.discard_requested.connect(self._delete)
        panel.delete_requested.connect(self._delete)
        panel.edit_requested.connect(self._edit)
        panel.export_requested.connect(self._export_epoch)
        panel.unqueue_requested.connect(self._unqueue)
        panel.epoch_activated.connect(window.generation.choose_mode)
        window.generation.generate_requested.connect(self.generate)
        window.generation.stop_requested.connect(self._stop_generating)
        window.generation.export_requested.connect(self._ask_where_to_export)
        window.generation.token_hovered.connect(self._show_token)

    def begin(self, project: str | None) -> None:
        """The window is on screen: start the engine, open the project if there is one."""
        self.client.start()
        if project:
            self.open_project(project)

    # -- projects -----------------------------------------------------------------------------------------------

    @Slot(str, str)
    def create_project(self, path: str, backbone: str) -> None:
        """Make a project folder around a backbone and open it."""
        if self._may_leave_project():
            self._begin_opening(jobs.CreateProject(path, backbone))

    @Slot(str)
    def open_project(self, path: str) -> None:
        """Open a project folder in this window, unless another window has it."""
        if self.project is not None and Path(path) == Path(self.project.path):
            return
        if self._may_leave_project() and self._lock_for_opening(Path(path)):
            self._begin_opening(jobs.OpenProject(path))

    def _may_leave_project(self) -> bool:
        """Whether nothing is in training here; says so if there is."""
        if self.trainings:
            self.window.banner.show_error(
                self.tr("An epoch is in training here."), self.tr("Stop it before going to another project.")
            )
        return not self.trainings

    def _begin_opening(self, job: jobs.CreateProject | jobs.OpenProject) -> None:
        self.window.banner.clear()
        self.client.drop(self._opening)
        self._opening = self.client.submit(job)
        self._show_progress(self._opening, Progress(self.tr("Starting the engine")))

    def _lock_for_opening(self, path: Path) -> bool:
        """Keep other windows out of a project; the one open here stays locked until the other has opened."""
        _unlock(self._lock_of_opening)
        self._lock_of_opening = None
        try:
            self._lock_of_opening = lock_project(path)
        except TloraError as error:
            self.window.banner.show_error(error.message, error.hint)
            return False
        return True

    def release(self) -> None:
        """Let go of the project's lock."""
        for lock in (self._lock, self._lock_of_opening):
            _unlock(lock)
        self._lock = self._lock_of_opening = None

    def _project_opened(self, project: ProjectInfo) -> None:
        if self._lock_of_opening is None:  # it was made just now
            self._lock_for_opening(Path(project.path))
        _unlock(self._lock)
        self._lock, self._lock_of_opening = self._lock_of_opening, None
        self._leave_project()
        self.project = project
        window = self.window
        window.settings.add_recent(project.path)
        window.settings.last_project = project.path
        window.show_workspace(project)
        window.welcome.show_idle()
        window.epochs.set_backbone(project.backbone)
        self._show_history(project)
        window.generation.set_enabled_for_model(True)
        if project.generation is not None:
            window.generation.show_record(project.generation)
        if self._dropped:
            self.new_epoch(self._dropped)
            self._dropped = []

    def _show_history(self, project: ProjectInfo) -> None:
        self.window.charts.set_epochs(project.epochs)
        self.window.charts.load_history(project.history)
        self._set_epochs(project.epochs)

    @Slot()
    def close_project(self) -> None:
        """Back to the welcome."""
        if self._may_leave_project():
            self._leave_project()
            self.project = None
            self.window.settings.last_project = ""
            self.release()
            self.window.show_welcome()

    def _leave_project(self) -> None:
        """End what goes on in the project shown, and take its text away."""
        for job_id in self.client.live():
            if job_id != self._opening:
                self.client.drop(job_id)
        self.generation = None
        self.window.generation.set_generating(False)
        self.window.generation.clear()
        self.window.progress_line.clear()

    def _fill_recent(self) -> None:
        self.window.recent_menu.clear()
        for path in self.window.settings.recent_projects:
            self.window.recent_menu.addAction(Path(path).name).setData(path)

    def _open_recent(self, action: QAction) -> None:
        self.open_project(action.data())

    def _cancel_opening(self) -> None:
        self.client.cancel(self._opening)

    def _cancel_others(self) -> None:
        for job_id in self.client.live():
            if job_id not in self.trainings and job_id != self.generation:
                self.client.cancel(job_id)

    def _set_epochs(self, epochs: tuple[EpochInfo, ...]) -> None:
        window = self.window
        for gone in {epoch.slug for epoch in self.epochs} - {epoch.slug for epoch in epochs}:
            window.charts.remove_epoch(gone)
        self.epochs = epochs
        window.epochs.set_epochs(epochs)
        window.charts.set_epochs(epochs)
        mixed = [epoch for epoch in epochs if epoch.state in ("frozen", "training")]
        slots = (SlotInfo("", "Eternity", BACKBONE_COLOUR), *(SlotInfo(e.slug, e.name, e.colour) for e in mixed))
        window.generation.set_slots(slots)
        self._show_status()

    def _show_status(self, speed: str = "") -> None:
        if self.project is None:
            return
        backbone = self.project.backbone
        trained = sum(epoch.state == "frozen" for epoch in self.epochs)
        epochs = self.tr("1 epoch") if trained == 1 else self.tr("{count} epochs").format(count=trained)
        parts = [backbone.name, f"{backbone.device} {backbone.dtype}", epochs, speed]
        self.window.backbone_label.setText(" · ".join(part for part in parts if part))

    # -- training -----------------------------------------------------------------------------------------------

    @Slot()
    def _add_epoch(self) -> None:
        self.new_epoch([])

    @Slot(list)
    def new_epoch(self, paths: list[str]) -> None:
        """Open "New epoch", filled in from what was dropped."""
        if self.project is None:
            self._dropped = list(paths)
            self.window.banner.show_notice(self.tr("Choose a backbone first; the dropped text is kept for then."))
            return
        if self.dialog is None:
            self.dialog = NewEpochDialog(parent=self.window)
            self.dialog.corpus_chosen.connect(self._summarise)
            self.dialog.start_requested.connect(self.train)
            self.dialog.finished.connect(self._dialog_closed)
            waiting = [job.name for job in self.trainings.values() if isinstance(job, jobs.TrainEpoch)]
            self.dialog.set_taken_names([*(epoch.name for epoch in self.epochs), *waiting])
            self.dialog.set_used_colours([epoch.colour for epoch in self.epochs])
            self.dialog.set_speed(self._speed)
            self.dialog.open()
        if paths:
            self.dialog.set_paths(paths)

    @Slot(tuple)
    def _summarise(self, paths: tuple[str, ...]) -> None:
        self.client.drop(self._summary)
        self._summary = None
        if paths and self.dialog is not None:
            self.dialog.set_summarising()
            self._summary = self.client.submit(jobs.SummariseCorpus(tuple(paths)))

    @Slot()
    def _dialog_closed(self) -> None:
        self.client.drop(self._summary)
        self._summary = None
        self.dialog = None

    @Slot(object)
    def train(self, job: Training) -> None:
        """Train now, or after the epochs that wait already."""
        self.trainings[self.client.submit(job)] = job
        self._show_queue()
        if len(self.trainings) == 1:
            self._prepare()

    def _prepare(self) -> None:
        self._started = self._paused = False
        job = next(iter(self.trainings.values()), None)
        if job is not None:
            self._show_preparation(job, self.tr("Preparing"))

    def _show_preparation(self, job: Training, label: str) -> None:
        if isinstance(job, jobs.TrainEpoch):
            self.window.epochs.show_preparation(label, job.name, job.colour)
            return
        info = next((epoch for epoch in self.epochs if epoch.slug == job.slug), None)
        if info is not None:
            self.window.epochs.show_preparation(label, info.name, info.colour)

    def _show_queue(self) -> None:
        waiting = [job for job in list(self.trainings.values())[1:] if isinstance(job, jobs.TrainEpoch)]
        self.window.epochs.set_queue(tuple(job.name for job in waiting))
        self.window.epochs.set_busy(bool(self.trainings))

    @property
    def active_training(self) -> int | None:
        """Number of the training that runs."""
        return next(iter(self.trainings), None)

    @Slot(bool)
    def _pause(self, paused: bool) -> None:
        self._paused = paused
        self.client.pause(self.active_training, paused)
        self.window.epochs.set_paused(paused)

    @Slot(str)
    def stop_training(self, mode: CancelMode) -> None:
        """End the running training: keep, discard or suspend."""
        self.client.cancel(self.active_training, mode)

    @Slot(str)
    def _resume(self, slug: str) -> None:
        self.train(jobs.ResumeEpoch(slug))

    @Slot(int)
    def _unqueue(self, index: int) -> None:
        waiting = list(self.trainings)[1:]
        if index < len(waiting):
            self.client.drop(waiting[index])
            del self.trainings[waiting[index]]
            self._show_queue()

    @Slot(str)
    def _delete(self, slug: str) -> None:
        name = next((epoch.name for epoch in self.epochs if epoch.slug == slug), slug)
        undoable = any(epoch.slug == slug and epoch.state == "frozen" for epoch in self.epochs)
        self.client.submit(jobs.DeleteEpoch(slug))
        self.window.banner.show_notice(
            self.tr("{name} was deleted.").format(name=name), self.tr("Undo") if undoable else "", self._undo_delete
        )

    @Slot()
    def _undo_delete(self) -> None:
        self.client.submit(jobs.RestoreEpoch())

    @Slot(str, str, str, str)
    def _edit(self, slug: str, name: str, era: str, colour: str) -> None:
        self.client.submit(jobs.EditEpoch(slug, name, era, colour))

    @Slot(str, str)
    def _export_epoch(self, slug: str, folder: str) -> None:
        self.client.submit(jobs.ExportEpoch(slug, folder))

    @Slot()
    def _evaluate(self) -> None:
        self.client.submit(jobs.Evaluate())

    # -- generating ---------------------------------------------------------------------------------------------

    @Slot(object)
    def generate(self, job: jobs.Generate) -> None:
        """Continue a prompt; a generation still running is ended first."""
        self.client.drop(self.generation)
        self.generation = self.client.submit(job)
        self.window.generation.set_generating(True)

    @Slot()
    def _stop_generating(self) -> None:
        self.client.cancel(self.generation, "keep")

    @Slot(object)
    def _show_token(self, token: TokenEvent | None) -> None:
        self.window.inspector.show_token(token, self.window.generation.shown_slots)

    @Slot(object)
    def _ask_where_to_export(self, record: GenerationRecord) -> None:
        dialog = QFileDialog(self.window, self.tr("Export as a web page"), "generation.html", "HTML (*.html)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("html")
        self._to_export = record
        dialog.fileSelected.connect(self._export_generation)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    @Slot(str)
    def _export_generation(self, path: str) -> None:
        self.client.submit(jobs.ExportGeneration(self._to_export, path))

    @Slot(str)
    def _notice_written(self, path: str) -> None:
        self.window.banner.show_notice(self.tr("Written: {path}").format(path=path))

    @Slot()
    def play_demo(self) -> None:
        """Play the demo in this window, or stop it."""
        from tlora_gui.ui.demo import Demo

        if self.demo is not None and self.demo.playing:
            self.demo.stop()
        elif self._may_leave_project():
            self.demo = Demo(self.window)
            self.demo.start()

    # -- closing ------------------------------------------------------------------------------------------------

    @Slot()
    def _ask_to_close(self) -> None:
        if self.active_training is None:
            self._end_all("discard")
            return
        if self._closing:
            return
        waiting = len(self.trainings) - 1
        choices = [
            Choice("suspend", self.tr("Resume later")),
            Choice("keep", self.tr("Keep what is learned")),
            Choice("discard", self.tr("Discard"), destructive=True),
        ]
        title, text = self.tr("An epoch is in training"), self.tr("What should become of it?")
        if waiting:
            text += " " + self.tr("Those that wait their turn ({count}) will not be trained.").format(count=waiting)
        ask(self.window, title, text, choices, self.tr("Go on training"), self._end_all)

    def _end_all(self, mode: str) -> None:
        """Let every job end in its own time, then close."""
        self._closing = True
        self.window.setEnabled(False)
        self.window.progress_line.show_progress(Progress(self.tr("Finishing")))
        for job_id in self.client.live():
            self.client.cancel(job_id, cast(CancelMode, mode) if job_id == self.active_training else "discard")
        self._close_if_idle()

    def _close_if_idle(self) -> None:
        if self._closing and not self.client.busy:
            self.window.close_now()

    # -- events -------------------------------------------------------------------------------------------------

    @Slot(object)
    def _on_events(self, batch: list[tuple[int, Event]]) -> None:
        """One batch: streams of like events are handed on together."""
        tokens = [event for job_id, event in batch if isinstance(event, TokenEvent) and job_id == self.generation]
        points = [event for _, event in batch if isinstance(event, (TrainStep, HeldOut))]
        for job_id, event in batch:
            if isinstance(event, TrainStarted):
                self._training_started(event)
            elif isinstance(event, GenerationStarted) and job_id == self.generation:
                self.window.generation.start(event)
        if tokens:
            self.window.generation.add_tokens(tokens)
        if points:
            self._show_points(points)
        for job_id, event in batch:
            if not isinstance(event, (TokenEvent, TrainStep, HeldOut, TrainStarted, GenerationStarted)):
                self._on_event(job_id, event)
        self._close_if_idle()

    def _on_event(self, job_id: int, event: Event) -> None:
        window = self.window
        match event:
            case Progress():
                self._show_progress(job_id, event)
            case ProjectOpened(project) if job_id == self._opening:
                self._project_opened(project)
            case ProjectOpened(project):  # an epoch is back
                self._show_history(project)
            case CorpusSummarised(summary) if self.dialog is not None and job_id == self._summary:
                self.dialog.set_summary(summary)
            case EpochsChanged(epochs):
                self._set_epochs(epochs)
            case EpochFinished(epoch):
                window.banner.show_notice(self._finished_text(epoch))
            case GenerationFinished(record) if job_id == self.generation:
                window.generation.finish(record)
                self._show_status(self.tr("{speed:.1f} tokens/s").format(speed=record.tokens_per_second))
            case Evaluated():
                window.banner.show_notice(self._scores_text(event))
            case FileWritten(path):
                self._notice_written(path)
            case JobDone() | JobCancelled():
                self._ended(job_id)
            case JobFailed():
                self._failed(job_id, event)
                self._ended(job_id)
            case _:
                pass

    def _training_started(self, event: TrainStarted) -> None:
        self._started = True
        self.window.charts.begin_epoch(event)

    def _show_points(self, points: list[TrainStep | HeldOut]) -> None:
        self.window.charts.add_events(points)
        steps = [point for point in points if isinstance(point, TrainStep)]
        for point in points:
            if isinstance(point, HeldOut):
                self.window.epochs.show_held_out(point)
        if steps:
            self._speed = steps[-1].tokens_per_second
            self.window.epochs.show_progress(steps[-1])
            self._show_status(self.tr("{speed:.0f} tokens/s").format(speed=self._speed))

    def _show_progress(self, job_id: int, progress: Progress) -> None:
        if job_id == self._opening and not self.window.project_shown:
            self.window.welcome.show_progress(progress)
        elif job_id in self.trainings:
            if not self._started:
                self._show_preparation(self.trainings[job_id], progress.label)
        else:
            self.window.progress_line.show_progress(progress)

    def _finished_text(self, epoch: EpochInfo) -> str:
        if epoch.held_out_loss is None or epoch.backbone_loss is None:
            return self.tr("{name} is trained.").format(name=epoch.name)
        return self.tr("{name} is trained and frozen: held-out loss {own:.2f}, backbone {base:.2f}.").format(
            name=epoch.name, own=epoch.held_out_loss, base=epoch.backbone_loss
        )

    def _scores_text(self, event: Evaluated) -> str:
        names = {epoch.slug: epoch.name for epoch in self.epochs}
        line = self.tr("{name}: backbone {base:.2f}, own {own:.2f}, mix {mix:.2f}, routing {routing:.0%}")
        return "\n".join(
            line.format(
                name=names.get(score.slug, score.slug),
                base=score.loss_backbone,
                own=score.loss_epoch,
                mix=score.loss_mix,
                routing=score.routing_accuracy,
            )
            for score in event.scores
        )

    def _failed(self, job_id: int, event: JobFailed) -> None:
        if job_id == self._summary and self.dialog is not None and not event.details:
            self.dialog.set_error(event.message, event.hint)
        else:
            self.window.banner.show_error(event.message, event.hint, event.details)
        if self._closing and job_id in self.trainings:  # what was to be kept is not: stay and show why
            self._closing = False
            self.window.setEnabled(True)
            self.window.progress_line.clear()

    def _ended(self, job_id: int) -> None:
        if job_id in self.trainings:
            del self.trainings[job_id]
            self.window.epochs.clear_preparation()
            self._show_queue()
            self._prepare()
        elif job_id == self.generation:
            self.generation = None
            self.window.generation.set_generating(False)
        elif job_id == self._opening:
            self._opening = None
            _unlock(self._lock_of_opening)
            self._lock_of_opening = None
            self.window.welcome.show_idle()
            self.window.progress_line.clear()
        else:
            self.window.progress_line.clear()


def _unlock(lock: QLockFile | None) -> None:
    if lock is not None:
        lock.unlock()
