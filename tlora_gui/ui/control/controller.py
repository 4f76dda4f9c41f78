"""Gives every control the pane that it drives, connects them, and shows what concerns the whole project."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Slot

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.config import STRATEGIES
from tlora_gui.engine.protocol.events import (
    BackboneInfo,
    EndEvent,
    EpochFinished,
    EpochInfo,
    EpochsChanged,
    Evaluated,
    Event,
    FileWritten,
    GenerationsListed,
    HeldOut,
    JobDone,
    JobFailed,
    Progress,
    ProjectInfo,
    ProjectOpened,
    StoredMixer,
    TrainStarted,
    TrainStep,
    Warned,
)
from tlora_gui.engine.protocol.texts import Generation, SlotInfo
from tlora_gui.ui.control.closing_control import ClosingControl
from tlora_gui.ui.control.compare_control import CompareControl
from tlora_gui.ui.control.copy_control import CopyControl
from tlora_gui.ui.control.drop_control import DropControl
from tlora_gui.ui.control.generation_control import GenerationControl
from tlora_gui.ui.control.import_control import ImportControl
from tlora_gui.ui.control.library_control import LibraryControl
from tlora_gui.ui.control.misrouted_control import MisroutedControl
from tlora_gui.ui.control.notices import finished_text, followed, scores_text
from tlora_gui.ui.control.progress_control import ProgressControl
from tlora_gui.ui.control.project_control import ProjectControl
from tlora_gui.ui.control.question_control import QuestionControl
from tlora_gui.ui.control.recent_control import RecentControl
from tlora_gui.ui.control.repair_control import RepairControl
from tlora_gui.ui.control.runs_control import RunsControl
from tlora_gui.ui.control.training_control import TrainingControl
from tlora_gui.ui.control.trash_control import TrashControl
from tlora_gui.ui.control.undo import Undo
from tlora_gui.ui.translation import filled
from tlora_gui.ui.widgets.attention import Attention
from tlora_gui.ui.widgets.painting import report
from tlora_gui.ui.workbench import Workbench
from tlora_gui.worker.engine_client import EngineClient
from tlora_gui.worker.job_book import BookedJob


class Controller(QObject):
    """The controls of a window, each of which asks for its own jobs and hears of them."""

    def __init__(self, window: Workbench, client: EngineClient) -> None:
        super().__init__(window)
        self._window = window
        self._failed: tuple[type[jobs.Job], object] | None = None
        self._client = client
        pane, desk, inspector = window.generation, window.desk, window.inspector
        menus, banner = window.menus, window.banner
        self.progress = ProgressControl(client, window.progress_line)
        self.projects = ProjectControl(client, window.welcome, menus, banner, window.settings)
        self.recent = RecentControl(self.projects, window.welcome, menus, window.settings)
        self.copies = CopyControl(client, self.projects, menus, banner, window)
        self.undo = Undo(client, window.texts, menus, banner)
        self.training = TrainingControl(client, window.epochs, window.charts, menus.evaluate, banner, self.undo)
        self.repairing = RepairControl(client, window.epochs, banner, menus.restore_mixer, self.training.train)
        self.generating = GenerationControl(client, pane, desk, inspector, menus, banner)
        self.comparing = CompareControl(client, pane, desk, inspector)
        self.asking = QuestionControl(client, pane, inspector, desk, menus)
        self.texts = LibraryControl(client, window.texts, pane, menus, banner, window.themes, self.undo)
        self.drops = DropControl(self.projects, window.welcome, pane, banner)
        self.importing = ImportControl(client, self.training, window)
        self.runs = RunsControl(client, window, menus, window.themes, self.undo)
        self.misrouted = MisroutedControl(window.charts, menus, window.themes, window)
        self.trash = TrashControl(client, window, menus, self.undo)
        self.closing = ClosingControl(client, window, self.progress, lambda: self.training.waiting)
        self.attention = Attention(window)
        self._connect()

    def _connect(self) -> None:
        window, projects, texts, drops = self._window, self.projects, self.texts, self.drops
        self._client.received.connect(self._hear)
        self._client.received.connect(self.undo.hear)  # after those who show what has failed
        projects.opened.connect(self._fill)
        projects.left.connect(self._empty)
        projects.left.connect(self.undo.clear)
        projects.closed.connect(window.show_welcome)
        projects.opening_changed.connect(self.training.hold_up)
        projects.progressed.connect(self.progress.show)
        projects.ready.connect(self.training.tell_interrupted)
        projects.ready.connect(self.repairing.tell)
        self.training.progressed.connect(self.progress.show)
        self.training.paced.connect(self._show_pace)
        self.training.trained.connect(self.attention.tell)
        self.closing.leaving.connect(self.training.leave)
        self.generating.finished.connect(self._text_finished)
        self.generating.running_changed.connect(self._show_running)
        self.generating.inspector_wanted.connect(window.show_inspector)
        self.asking.inspector_wanted.connect(window.show_inspector)
        self.comparing.running_changed.connect(self._show_running)
        self.comparing.finished.connect(texts.refresh)
        texts.stop_requested.connect(self.generating.stop)
        texts.shown.connect(self._show_running)
        window.texts.compare_requested.connect(self.comparing.compare_kept)
        for dropped in (window.files_dropped, window.epochs.files_dropped):
            dropped.connect(drops.take)
        for wanted in (window.menus.add_epoch.triggered, window.epochs.add_requested):
            wanted.connect(drops.add_epoch)
        window.menus.merge.triggered.connect(window.epochs.merge)
        drops.epoch_wanted.connect(self.training.new_epoch)
        drops.adapter_wanted.connect(self.importing.open)
        window.menus.import_adapter.triggered.connect(drops.import_adapter)
        drops.text_wanted.connect(self.generating.read_file)
        drops.saved_text_wanted.connect(texts.open_file)
        self.runs.again_requested.connect(self.training.run_again)
        for charts in (window.charts, self.runs):
            charts.saved.connect(self._notice_written)

    def begin(self, project: str | None, crash: str = "") -> None:
        """The window is on screen: start the engine, open the project if there is one."""
        self._client.start()
        self.projects.begin(project, crash)

    # -- what the engine answers --------------------------------------------------------------------------------

    @Slot(object)
    def _hear(self, news: list[tuple[BookedJob, list[Event]]]) -> None:
        for booked, events in news:
            _apart(self._pass_on, booked, events)
            if isinstance(events[-1], EndEvent):
                _apart(self._end, booked, events[-1])
        self.closing.go_on()

    def _pass_on(self, booked: BookedJob, events: list[Event]) -> None:
        """What its asker leaves of the news of a job is shown here."""
        if booked.asker is None or not booked.asker.hear(booked.job_id, booked.job, events):
            for event in events:
                self._show(booked.job_id, event)

    def _show(self, job_id: int, event: Event) -> None:
        banner = self._window.banner
        match event:
            case Progress():
                self.progress.show(job_id, event)
            case ProjectOpened(project):  # an epoch is back
                self._show_history(project)
            case EpochsChanged(epochs, slots, mixers, bare_router, repairs):
                self._set_epochs(epochs, slots, mixers)
                self.repairing.set_repairs(repairs)
                if (backbone := self.importing.backbone) and backbone.bare_router != bare_router:
                    self._set_backbone(replace(backbone, bare_router=bare_router))
            case TrainStarted() | TrainStep() | HeldOut():
                self.training.show_followed(event)
            case EpochFinished(epoch):
                banner.show_notice(finished_text(epoch))
            case GenerationsListed(generations):
                self.texts.listed(generations)
                self.generating.set_kept({each.id for each in generations})
            case Evaluated(scores) if scores:
                self._window.charts.show_evaluation(event)
                banner.show_notice(scores_text(event, self.training.epochs))
            case FileWritten(path, None):
                self._notice_written(path)
            case FileWritten(path, float(lost)):
                told = self.tr("Written: {path}. The lower rank loses {lost:.1f} % of the update.")
                banner.show_notice(filled(told, path=path, lost=100 * lost))
            case Warned(message, hint):
                banner.show_error(message, hint)
            case JobFailed(_, message, hint, details):
                banner.show_error(message, hint, details)
            case _:
                pass

    def _end(self, booked: BookedJob, end: EndEvent) -> None:
        self.progress.ended(booked.job_id)
        kind, banner = type(booked.job), self._window.banner
        if isinstance(end, JobFailed):
            self._failed = kind, banner.error
        elif isinstance(end, JobDone) and self._failed == (kind, banner.error):
            banner.forget_error()
        if booked.asker is not None:
            booked.asker.ended(booked.job_id, booked.job, end)
        if isinstance(end, JobFailed) and isinstance(booked.job, jobs.TRAININGS):
            self.closing.stay()

    # -- the project that is shown ------------------------------------------------------------------------------

    @Slot(object)
    def _fill(self, project: ProjectInfo) -> None:
        """Fill the window, each part apart: what cannot be shown is reported, and the rest is there."""
        window = self._window
        _apart(window.show_project, project)
        _apart(self._set_backbone, project.backbone)
        _apart(self._show_history, project)
        following = self.projects.following
        reason = followed()[0] if following else ""
        window.generation.set_enabled_for_model(not following, reason)
        self.training.set_following(reason)
        window.menus.trash.setEnabled(not following)
        if project.generation is not None:
            _apart(window.generation.show_record, project.generation)
        if not following:
            self.texts.begin(project)
            self.training.take_up(project.waiting)
            self.training.look_again()

    def _set_backbone(self, backbone: BackboneInfo) -> None:
        self._window.epochs.set_backbone(backbone)
        self.importing.backbone = backbone

    @Slot()
    def _empty(self) -> None:
        self._window.banner.forget_error()
        self.training.clear()
        self.comparing.drop()
        self.generating.drop()
        self._window.generation.clear()
        self._window.desk.reset()

    def _show_history(self, project: ProjectInfo) -> None:
        self._window.charts.set_epochs(project.epochs)
        self._window.charts.load_history(project.history)
        self._set_epochs(project.epochs, project.slots, project.mixers)
        self.repairing.set_repairs(project.repairs)

    def _set_epochs(
        self, epochs: tuple[EpochInfo, ...], slots: tuple[SlotInfo, ...], mixers: tuple[StoredMixer, ...]
    ) -> None:
        window, project = self._window, self.projects.project
        for gone in {epoch.slug for epoch in self.training.epochs} - {epoch.slug for epoch in epochs}:
            window.charts.remove_epoch(gone)
        self.training.set_epochs(epochs)
        window.epochs.set_epochs(epochs)
        window.menus.merge.setEnabled(not self.projects.following and any(epoch.state == "frozen" for epoch in epochs))
        window.charts.set_epochs(epochs)
        window.generation.set_slots(slots, STRATEGIES[0] if project is None else project.strategy, mixers)
        window.desk.set_slots(slots)
        window.inspector.forget_answers()
        self.runs.refresh()
        self._show_status()

    # -- what goes on in it -------------------------------------------------------------------------------------

    @Slot()
    def _show_running(self) -> None:
        """Offer to stop while a text comes, or several that are compared; a training waits for them."""
        running = self.generating.job_id is not None or self.comparing.running
        self._window.generation.set_generating(running)
        self._window.epochs.set_waiting(running)
        self._window.menus.stop.setEnabled(running)

    @Slot(object)
    def _text_finished(self, record: Generation) -> None:
        self.texts.kept(record)
        if record.tokens_per_second:
            self._show_status(filled(self.tr("{speed:.1f} tokens/s"), speed=record.tokens_per_second))

    @Slot(float)
    def _show_pace(self, tokens_per_second: float) -> None:
        self._show_status(filled(self.tr("{speed:.0f} tokens/s"), speed=tokens_per_second))

    def _show_status(self, speed: str = "") -> None:
        project = self.projects.project
        if project is None:
            return
        backbone = project.backbone
        trained = sum(epoch.state == "frozen" for epoch in self.training.epochs)
        epochs = self.tr("1 epoch") if trained == 1 else filled(self.tr("{count} epochs"), count=trained)
        parts = [backbone.name, f"{backbone.device} {backbone.dtype}".strip(), epochs, speed]
        self._window.backbone_label.show_text(" · ".join(part for part in parts if part))

    @Slot(str)
    def _notice_written(self, path: str) -> None:
        self._window.banner.show_notice(self.tr("Written: {path}").format(path=path))


def _apart(do: Callable[..., None], *arguments: Any) -> None:
    """Do one of several things: what it raises is reported as a fault, and does not keep the others from being done."""
    try:
        do(*arguments)
    except Exception as error:  # noqa: BLE001 - reported, whatever it is
        report(error)
