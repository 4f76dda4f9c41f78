"""Connects what the engine tells to what the window shows, and what the person asks to the engine's jobs."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QAction

from tlora_gui.engine import jobs
from tlora_gui.engine.cancel import CancelMode
from tlora_gui.engine.config import BACKBONE_COLOUR, STRATEGIES
from tlora_gui.engine.events import (
    CorpusSummarised,
    Counterfactual,
    EpochFinished,
    EpochInfo,
    EpochsChanged,
    Evaluated,
    Event,
    FileWritten,
    GenerationFinished,
    GenerationLoaded,
    GenerationsListed,
    GenerationStarted,
    HeldOut,
    JobCancelled,
    JobDone,
    JobFailed,
    MixersScrubbed,
    Progress,
    ProjectInfo,
    ProjectOpened,
    PromptTooLong,
    StoredMixer,
    TrainStarted,
    TrainStep,
)
from tlora_gui.engine.texts import GenerationRecord, SlotInfo, TokenEvent
from tlora_gui.ui.control.compare_control import CompareControl
from tlora_gui.ui.control.generation_control import GenerationControl
from tlora_gui.ui.control.notices import finished_text, scores_text
from tlora_gui.ui.control.question_control import QuestionControl
from tlora_gui.ui.control.texts_control import TextsControl
from tlora_gui.ui.control.training_control import TrainingControl
from tlora_gui.ui.widgets.questions import Choice, ask
from tlora_gui.worker.engine_client import EngineClient

if TYPE_CHECKING:
    from tlora_gui.ui.demo import Demo
    from tlora_gui.ui.main_window import MainWindow


class Controller(QObject):
    """Opens and closes projects and the window, and hands each event to whom it concerns."""

    def __init__(self, window: MainWindow, client: EngineClient) -> None:
        super().__init__(window)
        self.window = window
        self.client = client
        self.project: ProjectInfo | None = None
        self.epochs: tuple[EpochInfo, ...] = ()
        self.demo: Demo | None = None
        self.training = TrainingControl(window, client)
        self.comparing = CompareControl(window, client)
        self.generating = GenerationControl(window, client)
        self.asking = QuestionControl(window, client)
        self.texts = TextsControl(window, client)
        self._opening: int | None = None
        self._closing = False
        self._dropped: list[str] = []
        self._connect()

    def _connect(self) -> None:
        window = self.window
        self.client.events.connect(self._on_events)
        window.files_dropped.connect(self.new_epoch)
        window.close_asked.connect(self._ask_to_close)
        window.menus.new_project.triggered.connect(self.close_project)
        window.menus.close_project.triggered.connect(self.close_project)
        window.menus.open_project.triggered.connect(window.ask_for_project)
        window.menus.recent.aboutToShow.connect(self._fill_recent)
        window.menus.recent.triggered.connect(self._open_recent)
        window.menus.add_epoch.triggered.connect(self._add_epoch)
        window.menus.demo.triggered.connect(self.play_demo)
        window.welcome.create_requested.connect(self.create_project)
        window.welcome.open_requested.connect(self.open_project)
        window.welcome.demo_requested.connect(self.play_demo)
        window.welcome.cancel_requested.connect(self._cancel_opening)
        window.progress_line.cancel_requested.connect(self._cancel_others)
        window.charts.saved.connect(self._notice_written)
        window.charts.problem.connect(window.banner.show_error)
        window.epochs.add_requested.connect(self._add_epoch)
        window.epochs.files_dropped.connect(self.new_epoch)
        self.training.paced.connect(self._show_pace)
        self.generating.finished.connect(self._text_finished)
        window.menus.show_generate.triggered.connect(partial(window.generation.show_page, "generate"))
        window.menus.show_read.triggered.connect(partial(window.generation.show_page, "read"))
        window.menus.show_compare.triggered.connect(partial(window.generation.show_page, "compare"))
        window.generation.page_changed.connect(self._page_changed)

    def begin(self, project: str | None) -> None:
        """The window is on screen: start the engine, open the project if there is one."""
        self.client.start()
        if project:
            self.open_project(project)

    # -- projects -----------------------------------------------------------------------------------------------

    @Slot(str, str, str)
    def create_project(self, path: str, backbone: str, strategy: str = STRATEGIES[0]) -> None:
        """Make a project folder around a backbone and open it; ``strategy`` is the Time Mixer's."""
        if self._may_leave_project():
            self._begin_opening(jobs.CreateProject(path, backbone, strategy))

    @Slot(str)
    def open_project(self, path: str) -> None:
        """Open a project folder in this window."""
        if self.project is not None and Path(path) == Path(self.project.path):
            return
        if self._may_leave_project():
            self._begin_opening(jobs.OpenProject(path))

    def _may_leave_project(self) -> bool:
        """Whether nothing is in training here; says so if there is."""
        if self.training.jobs:
            self.window.banner.show_error(
                self.tr("An epoch is in training here."), self.tr("Stop it before going to another project.")
            )
        return not self.training.jobs

    def _begin_opening(self, job: jobs.CreateProject | jobs.OpenProject) -> None:
        self.window.banner.clear()
        self.client.drop(self._opening)
        self._opening = self.client.submit(job)
        self._show_progress(self._opening, Progress(self.tr("Starting the engine")))

    def _project_opened(self, project: ProjectInfo) -> None:
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
        self.texts.begin(project.generation)
        if self._dropped:
            self.new_epoch(self._dropped)
            self._dropped = []

    def _show_history(self, project: ProjectInfo) -> None:
        self.window.charts.set_epochs(project.epochs)
        self.window.charts.load_history(project.history)
        self._set_epochs(project.epochs, project.mixers)

    @Slot()
    def close_project(self) -> None:
        """Back to the welcome."""
        if self._may_leave_project():
            self._leave_project()
            self.project = None
            self.window.settings.last_project = ""
            self.client.submit(jobs.CloseProject())
            self.window.show_welcome()

    def _leave_project(self) -> None:
        """End what goes on in the project shown, and take its text away."""
        for job_id in self.client.live():
            if job_id != self._opening:
                self.client.drop(job_id)
        self.comparing.drop()
        self.generating.drop()
        self.window.generation.clear()
        self.window.desk.reset()
        self.window.progress_line.clear()

    def _fill_recent(self) -> None:
        self.window.menus.recent.clear()
        for path in self.window.settings.recent_projects:
            self.window.menus.recent.addAction(Path(path).name.replace("&", "&&")).setData(path)

    def _open_recent(self, action: QAction) -> None:
        self.open_project(action.data())

    def _cancel_opening(self) -> None:
        self.client.cancel(self._opening)

    def _cancel_others(self) -> None:
        for job_id in self.client.live():
            if (
                job_id not in self.training.jobs
                and job_id != self.generating.job_id
                and not self.comparing.handles(job_id)
            ):
                self.client.cancel(job_id)

    def show_running(self) -> None:
        """Offer to stop while a text comes, or several that are compared."""
        running = self.generating.job_id is not None or self.comparing.running
        self.window.generation.set_generating(running)
        self.window.menus.stop.setEnabled(running)

    def _set_epochs(self, epochs: tuple[EpochInfo, ...], mixers: tuple[StoredMixer, ...]) -> None:
        window = self.window
        for gone in {epoch.slug for epoch in self.epochs} - {epoch.slug for epoch in epochs}:
            window.charts.remove_epoch(gone)
        self.epochs = epochs
        self.training.set_epochs(epochs)
        window.epochs.set_epochs(epochs)
        window.charts.set_epochs(epochs)
        mixed = [epoch for epoch in epochs if epoch.state in ("frozen", "training")]
        slots = (SlotInfo("", "Eternity", BACKBONE_COLOUR), *(SlotInfo(e.slug, e.name, e.colour) for e in mixed))
        window.generation.set_slots(slots, STRATEGIES[0] if self.project is None else self.project.strategy, mixers)
        window.desk.set_slots(slots)
        window.inspector.forget_answers()
        self._show_status()

    def _show_status(self, speed: str = "") -> None:
        if self.project is None:
            return
        backbone = self.project.backbone
        trained = sum(epoch.state == "frozen" for epoch in self.epochs)
        epochs = self.tr("1 epoch") if trained == 1 else self.tr("{count} epochs").format(count=trained)
        parts = [backbone.name, f"{backbone.device} {backbone.dtype}", epochs, speed]
        self.window.backbone_label.setText(" · ".join(part for part in parts if part))

    @Slot()
    def _add_epoch(self) -> None:
        self.new_epoch([])

    @Slot(list)
    def new_epoch(self, paths: list[str]) -> None:
        """Open "New epoch" with these files and folders; without a project they are kept until there is one."""
        if self.project is not None:
            self.training.new_epoch(paths)
            return
        self._dropped = list(paths)
        self.window.banner.show_notice(self.tr("Choose a backbone first; the dropped text is kept for then."))

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
        if self.training.active is None:
            self._end_all("discard")
            return
        if self._closing:
            return
        waiting = len(self.training.jobs) - 1
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
            self.client.cancel(job_id, cast(CancelMode, mode) if job_id == self.training.active else "discard")
        self._close_if_idle()

    def _close_if_idle(self) -> None:
        if self._closing and not self.client.busy:
            self.window.close_now()

    # -- events -------------------------------------------------------------------------------------------------

    @Slot(object)
    def _on_events(self, batch: list[tuple[int, Event]]) -> None:
        """One batch: streams of like events are handed on together."""
        tokens: dict[int, list[TokenEvent]] = {}
        points = [event for _, event in batch if isinstance(event, (TrainStep, HeldOut))]
        for job_id, event in batch:
            if isinstance(event, TrainStarted):
                self.training.started(event)
            elif isinstance(event, GenerationStarted):
                self._text_started(job_id, event)
            elif isinstance(event, TokenEvent):
                tokens.setdefault(job_id, []).append(event)
        for job_id, told in tokens.items():
            if job_id == self.generating.job_id:
                self.generating.add_tokens(told)
            elif self.comparing.handles(job_id):
                self.comparing.add_tokens(job_id, told)
        if points:
            self.training.points(points)
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
            case CorpusSummarised(summary):
                self.training.summarised(job_id, summary)
            case EpochsChanged(epochs, mixers):
                self._set_epochs(epochs, mixers)
            case EpochFinished(epoch):
                window.banner.show_notice(finished_text(epoch))
            case GenerationFinished(record) if job_id == self.generating.job_id:
                self.generating.complete(record)
            case GenerationFinished(record) if self.comparing.handles(job_id):
                self.comparing.complete(job_id, record)
            case PromptTooLong() if job_id == self.generating.job_id:
                self.generating.too_long(event)
            case GenerationsListed(generations):
                self.texts.listed(generations)
            case GenerationLoaded(record):
                self.texts.loaded(job_id, record)
            case Counterfactual() | MixersScrubbed():
                self.asking.answered(job_id, event)
            case Evaluated(scores) if scores:
                window.charts.show_evaluation(event)
                window.banner.show_notice(scores_text(event, self.epochs))
            case FileWritten(path):
                self._notice_written(path)
            case JobDone() | JobCancelled():
                self._ended(job_id)
            case JobFailed():
                self._failed(job_id, event)
                self._ended(job_id)
            case _:
                pass

    def _text_started(self, job_id: int, event: GenerationStarted) -> None:
        if job_id == self.generating.job_id:
            self.generating.started(event)
        elif self.comparing.handles(job_id):
            self.comparing.started(job_id, event)

    @Slot(object)
    def _text_finished(self, record: GenerationRecord) -> None:
        self.texts.kept(record)
        if record.tokens_per_second:
            self._show_status(self.tr("{speed:.1f} tokens/s").format(speed=record.tokens_per_second))

    @Slot(str)
    def _page_changed(self, page: str) -> None:
        menus = self.window.menus
        {"generate": menus.show_generate, "read": menus.show_read, "compare": menus.show_compare}[page].setChecked(True)

    @Slot(float)
    def _show_pace(self, tokens_per_second: float) -> None:
        self._show_status(self.tr("{speed:.0f} tokens/s").format(speed=tokens_per_second))

    def _show_progress(self, job_id: int, progress: Progress) -> None:
        if job_id == self._opening and not self.window.project_shown:
            self.window.welcome.show_progress(progress)
        elif job_id in self.training.jobs:
            self.training.progress(job_id, progress)
        else:
            self.window.progress_line.show_progress(progress)

    def _failed(self, job_id: int, event: JobFailed) -> None:
        if job_id == self.generating.job_id:
            self.generating.failed(event)
        elif self.comparing.handles(job_id):
            self.comparing.failed(job_id, event)
        elif not self.training.refused(job_id, event):
            self.window.banner.show_error(event.message, event.hint, event.details)
        if self._closing and job_id in self.training.jobs:  # what was to be kept is not: stay and show why
            self._closing = False
            self.window.setEnabled(True)
            self.window.progress_line.clear()

    def _ended(self, job_id: int) -> None:
        if job_id in self.training.jobs:
            self.training.ended(job_id)
        elif job_id == self.generating.job_id:
            self.window.progress_line.clear()
            self.generating.ended()
        elif self.comparing.handles(job_id):
            self.comparing.ended(job_id)
        elif job_id == self._opening:
            self._opening = None
            self.window.welcome.show_idle()
            self.window.progress_line.clear()
        else:
            self.asking.ended(job_id)
            self.window.progress_line.clear()
            self.training.offer_evaluation()
