"""Connects what the engine tells to what the window shows, and what the person asks to the engine's jobs."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from PySide6.QtCore import QObject, QTimer, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMessageBox

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelMode
from tlora_gui.engine.protocol.config import BACKBONE_COLOUR, STRATEGIES
from tlora_gui.engine.protocol.events import (
    CorpusSummarised,
    Counterfactual,
    EndEvent,
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
    MixerTimeline,
    Progress,
    ProjectInfo,
    ProjectOpened,
    PromptTooLong,
    StoredMixer,
    TrainStarted,
    TrainStep,
    Warned,
)
from tlora_gui.engine.protocol.texts import Generation, SlotInfo, TokenEvent
from tlora_gui.ui.control.compare_control import CompareControl
from tlora_gui.ui.control.generation_control import GenerationControl
from tlora_gui.ui.control.library_control import LibraryControl
from tlora_gui.ui.control.notices import finished_text, scores_text
from tlora_gui.ui.control.question_control import QuestionControl
from tlora_gui.ui.control.training_control import TrainingControl
from tlora_gui.ui.widgets.drops import Dropped, recognise
from tlora_gui.ui.widgets.painting import report
from tlora_gui.ui.widgets.questions import Choice, ask, choose_files, choose_folder
from tlora_gui.worker.engine_client import EngineClient

if TYPE_CHECKING:
    from tlora_gui.ui.demo import Demo
    from tlora_gui.ui.main_window import MainWindow


Opening = jobs.CreateProject | jobs.OpenProject

_SHOWN_MS = 1000
"""A project that has been on screen for so long is not what a crash comes from."""
_CLOSING_MS = 30_000
"""An engine that tells nothing for so long while the window closes hangs."""


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
        self.texts = LibraryControl(window, client)
        self._fell, window.settings.opening = window.settings.opening, ""
        self._openings: dict[int, Opening] = {}
        self._progress: dict[int, Progress] = {}
        self._dropped: list[str] = []
        self._closing = False
        self._keeping = False
        self._question: QMessageBox | None = None
        self._shown = self._timer(_SHOWN_MS, self._project_stands)
        self._patience = self._timer(_CLOSING_MS, self._hurry)
        self._connect()

    def _timer(self, milliseconds: int, then: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(then)
        return timer

    def _connect(self) -> None:
        window = self.window
        self.client.events.connect(self._on_events)
        window.files_dropped.connect(self.take)
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
        window.progress_line.cancel_requested.connect(self._cancel_shown)
        window.charts.saved.connect(self._notice_written)
        window.charts.problem.connect(window.banner.show_error)
        window.epochs.add_requested.connect(self._add_epoch)
        window.epochs.files_dropped.connect(self.take)
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
        elif self._fell and not self.opening:
            self.window.banner.show_error(
                self.tr("{project} was being opened when the window last ended.").format(
                    project=os.path.basename(self._fell)
                ),
                self.tr("It is not opened by itself this time."),
            )

    # -- projects -----------------------------------------------------------------------------------------------

    @property
    def opening(self) -> bool:
        """Whether a project is on its way."""
        return bool(self._openings)

    @Slot(str, str, str)
    def create_project(self, path: str, backbone: str, strategy: str = STRATEGIES[0]) -> None:
        """Make a project folder around a backbone and open it; ``strategy`` is the Time Mixer's."""
        if self._may_leave_project():
            self._begin_opening(jobs.CreateProject(_absolute(path), backbone, strategy))

    @Slot(str)
    def open_project(self, path: str, backbone: str = "") -> None:
        """Open a project folder in this window; ``backbone`` says where its backbone is now, if it has moved."""
        path = _absolute(path)
        if self.project is not None and os.path.realpath(path) == os.path.realpath(self.project.path):
            self._cancel_opening()
        elif self._may_leave_project():
            self._begin_opening(jobs.OpenProject(path, backbone))

    def _may_leave_project(self) -> bool:
        """Whether nothing is in training here; says so if there is."""
        if self.training.jobs:
            self.window.banner.show_error(
                self.tr("An epoch is in training here."), self.tr("Stop it before going to another project.")
            )
        return not self.training.jobs

    def _begin_opening(self, job: Opening) -> None:
        """Open it in place of others that are on their way; one for which the cancel comes too late is shown first."""
        self.window.banner.clear()
        self._cancel_opening()
        job_id = self.client.submit(job)
        self._openings[job_id] = job
        self.window.settings.opening = job.path
        self.show_progress(job_id, Progress(self.tr("Starting the engine")))

    def _project_opened(self, job_id: int, project: ProjectInfo) -> None:
        """Fill the window, each part apart: what cannot be shown is told, and the rest is there."""
        window = self.window
        self._leave_project()
        asked_last = job_id == next(reversed(self._openings))
        del self._openings[job_id]
        self.project = project
        window.settings.add_recent(project.path)
        self._apart(window.show_workspace, project)
        self._apart(window.epochs.set_backbone, project.backbone)
        self._apart(self._show_history, project)
        window.generation.set_enabled_for_model(True)
        if project.generation is not None:
            self._apart(window.generation.show_record, project.generation)
        self.texts.begin(project.generation)
        self.training.look_again()
        window.settings.last_project = project.path
        self._shown.start()
        if asked_last:
            window.welcome.show_idle()
            if project.backbone.note:
                window.banner.show_notice(project.backbone.note)
            dropped, self._dropped = self._dropped, []
            self.take(dropped)

    @Slot()
    def _project_stands(self) -> None:
        """It is on screen, and the window still lives."""
        if not self._openings:
            self.window.settings.opening = ""

    def _show_history(self, project: ProjectInfo) -> None:
        self.window.charts.set_epochs(project.epochs)
        self.window.charts.load_history(project.history)
        self._set_epochs(project.epochs, project.mixers)

    @Slot()
    def close_project(self) -> None:
        """Back to the welcome, and nothing is opened any more."""
        if not self._may_leave_project():
            return
        unwanted = self.project is None and any(isinstance(job, jobs.CreateProject) for job in self._openings.values())
        for job_id in list(self._openings):
            self.client.drop(job_id)
        self._leave_project()
        self.project = None
        self.window.settings.last_project = ""
        self.client.submit(jobs.CloseProject(drop_if_empty=unwanted))
        self.window.show_welcome()

    def _leave_project(self) -> None:
        """End what goes on in the project shown, and take its text away."""
        self.comparing.drop()
        self.generating.drop()
        for job_id in self.client.live():
            if job_id not in self._openings:
                self.client.drop(job_id)
        self.window.generation.clear()
        self.window.desk.reset()

    def _fill_recent(self) -> None:
        self.window.menus.recent.clear()
        for path in self.window.settings.recent_projects:
            self.window.menus.recent.addAction(Path(path).name.replace("&", "&&")).setData(path)

    def _open_recent(self, action: QAction) -> None:
        self.open_project(action.data())

    @Slot()
    def _cancel_opening(self) -> None:
        for job_id in self._openings:
            self.client.cancel(job_id)

    @Slot()
    def _cancel_shown(self) -> None:
        """Cancel the work that the progress line tells of."""
        self.client.cancel(next(iter(self._progress), None))

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

    def new_epoch(self, paths: Sequence[str]) -> None:
        """Open "New epoch" with these files and folders; until there is a project they are kept for it."""
        if self.project is None or self.opening:
            self._keep_for_later(paths)
        else:
            self.training.new_epoch(paths)

    def _keep_for_later(self, paths: Sequence[str]) -> None:
        self._dropped = list(dict.fromkeys([*self._dropped, *paths]))
        if self.opening:
            self.window.banner.show_notice(self.tr("The text is taken up once the project is open."))
        else:
            self.window.banner.show_notice(self.tr("Choose a backbone first; the dropped text is kept for then."))

    # -- what is dropped ----------------------------------------------------------------------------------------

    @Slot(list)
    def take(self, paths: Sequence[str]) -> None:
        """Do with dropped files and folders what they are for: projects open, models become the backbone, saved texts
        are shown, and all other text is read or trained on.
        """
        things = [recognise(path) for path in paths]
        large = [thing for thing in things if thing.kind in ("project", "backbone", "adapter")]
        rest = [thing.path for thing in things if thing not in large]
        if len(large) > 1:
            names = ", ".join(thing.name for thing in large[:3])
            self.window.banner.show_error(
                self.tr("Projects and models are dropped one at a time: {names}").format(names=names),
                self.tr("Nothing was opened."),
            )
        elif not large:
            self._take_texts(things)
        elif large[0].kind == "project":
            self._take_project(large[0], rest)
        else:
            self._take_texts([thing for thing in things if thing not in large])
            self._take_model(large[0])

    def _take_texts(self, things: Sequence[Dropped]) -> None:
        texts = [thing.path for thing in things if thing.kind == "other"]
        saved = [thing.path for thing in things if thing.kind == "saved text"]
        if self.project is None or self.opening:
            if things:
                self._keep_for_later([thing.path for thing in things])
            return
        for path in saved:
            self.texts.open_file(path)
        if len(texts) == 1 and self.window.generation.page == "read" and os.path.isfile(texts[0]):
            self.generating.read_file(texts[0])
        elif texts:
            self.new_epoch(texts)

    def _take_project(self, thing: Dropped, rest: Sequence[str]) -> None:
        def open_it(_answer: str = "") -> None:
            self.open_project(thing.path)
            if rest and self.opening:
                self._keep_for_later(rest)

        if self.project is None:
            open_it()
        elif self._may_leave_project():
            ask(
                self.window,
                self.tr("Open {name}?").format(name=thing.name),
                self.tr("The project that is open here is closed for it; nothing of it is lost."),
                [Choice("open", self.tr("Open it"))],
                self.tr("Stay here"),
                open_it,
            )

    def _take_model(self, thing: Dropped) -> None:
        banner = self.window.banner
        if thing.kind == "adapter":
            banner.show_error(
                self.tr("{name} is an adapter: no text, and no whole model.").format(name=thing.name),
                self.tr("Drop text to train an epoch, or a model to begin a project with it."),
            )
        elif self.project is None:
            self.window.welcome.choose_backbone(thing.path)
            banner.show_notice(self.tr("{name} is the backbone of the next project.").format(name=thing.name))
        else:
            banner.show_error(
                self.tr("{name} is a model, not a text; a project keeps the backbone it was made with.").format(
                    name=thing.name
                ),
                action_text=self.tr("New project with it"),
                action=partial(self._begin_with, thing.path),
            )

    def _begin_with(self, backbone: str) -> None:
        self.close_project()
        if self.project is None:
            self.window.welcome.choose_backbone(backbone)

    @Slot(str)
    def _notice_written(self, path: str) -> None:
        self.window.banner.show_notice(self.tr("Written: {path}").format(path=path))

    @Slot()
    def play_demo(self) -> None:
        """Play the demo in this window, or stop it."""
        from tlora_gui.ui.demo import Demo

        if self.demo is not None:
            self.demo.stop()
        elif self._may_leave_project():
            self.play(Demo(self.window))

    def play(self, demo: Demo) -> None:
        """Play this demo; it is thrown away when it is over."""
        self.demo = demo
        demo.over.connect(self._demo_over)
        demo.start()

    @Slot()
    def _demo_over(self) -> None:
        if self.demo is not None:
            self.demo.deleteLater()
            self.demo = None

    # -- closing ------------------------------------------------------------------------------------------------

    @Slot()
    def _ask_to_close(self) -> None:
        if self._closing:
            self._hurry()
        elif self.training.active is None:
            self._end_all("discard", None)
        else:
            waiting = len(self.training.jobs) - 1
            choices = [
                Choice("suspend", self.tr("Resume later")),
                Choice("keep", self.tr("Keep what is learned")),
                Choice("discard", self.tr("Discard"), destructive=True),
            ]
            title, text = self.tr("An epoch is in training"), self.tr("What should become of it?")
            if waiting:
                text += " " + self.tr("Those that wait their turn ({count}) will not be trained.").format(count=waiting)
            self._ask(
                title, text, choices, self.tr("Go on training"), partial(self._end_all, meant=self.training.active)
            )

    def _ask(
        self, title: str, text: str, choices: Sequence[Choice], stay: str, answered: Callable[[str], None]
    ) -> None:
        """Ask about closing, one question at a time."""
        if self._question is None:
            self._question = ask(self.window, title, text, choices, stay, answered)
            self._question.finished.connect(self._answered)

    @Slot()
    def _answered(self) -> None:
        self._question = None

    def _end_all(self, mode: str, meant: int | None) -> None:
        """Let every job end in its own time, then close. ``mode`` is for the training that the question was about."""
        self._closing = True
        self._keeping = mode != "discard" and self.client.is_live(meant)
        self.window.setEnabled(False)
        self.window.progress_line.show_progress(Progress(self.tr("Finishing")))
        for job_id in self.client.live():
            self.client.cancel(job_id, cast(CancelMode, mode) if job_id == meant else "discard")
        self._patience.start()
        self._close_if_idle()

    @Slot()
    def _hurry(self) -> None:
        """The engine takes long to end, or the person has no more patience: close without it."""
        if not self._keeping:
            self.window.close_now(wait_s=0.5)
            return
        self._ask(
            self.tr("The training is still being stored"),
            self.tr("Without it, what was learned since its last checkpoint is lost. All else is stored."),
            [Choice("force", self.tr("Close at once"), destructive=True)],
            self.tr("Wait"),
            lambda _answer: self.window.close_now(wait_s=0.5),
        )

    def _close_if_idle(self) -> None:
        if self._closing and not self.client.busy:
            self._patience.stop()
            self.window.close_now()

    def _stay(self) -> None:
        """What was to be kept could not be: do not close, and show why."""
        self._closing = False
        self._patience.stop()
        self.window.setEnabled(True)
        self.window.progress_line.clear()

    # -- events -------------------------------------------------------------------------------------------------

    def _apart(self, do: Callable[..., None], *arguments: Any) -> None:
        """Do one of several things: what it raises is told as a fault, and does not keep the others from being done."""
        try:
            do(*arguments)
        except Exception as error:  # noqa: BLE001
            report(error)

    @Slot(object)
    def _on_events(self, batch: list[tuple[int, Event]]) -> None:
        """One batch: streams of like events are handed on together."""
        tokens: dict[int, list[TokenEvent]] = {}
        points = [event for _, event in batch if isinstance(event, (TrainStep, HeldOut))]
        for job_id, event in batch:
            if isinstance(event, TrainStarted):
                self._apart(self.training.started, event)
            elif isinstance(event, GenerationStarted):
                self._apart(self._text_started, job_id, event)
            elif isinstance(event, TokenEvent):
                tokens.setdefault(job_id, []).append(event)
        for job_id, told in tokens.items():
            if job_id == self.generating.job_id:
                self._apart(self.generating.add_tokens, told)
            elif self.comparing.handles(job_id):
                self._apart(self.comparing.add_tokens, job_id, told)
        if points:
            self._apart(self.training.points, points)
        for job_id, event in batch:
            if not isinstance(event, (TokenEvent, TrainStep, HeldOut, TrainStarted, GenerationStarted)):
                self._apart(self._on_event, job_id, event)
                if isinstance(event, JobDone | JobCancelled | JobFailed):
                    self._apart(self._ended, job_id, event)
        if self._closing:
            self._patience.start()
            self._close_if_idle()

    def _on_event(self, job_id: int, event: Event) -> None:
        window = self.window
        match event:
            case Progress():
                self.show_progress(job_id, event)
            case ProjectOpened(project) if job_id in self._openings:
                self._project_opened(job_id, project)
            case ProjectOpened(project):  # an epoch is back
                self._show_history(project)
            case CorpusSummarised(summary):
                self.training.summarised(job_id, summary)
            case EpochsChanged(epochs, mixers):
                self._set_epochs(epochs, mixers)
                self.training.changed(job_id)
            case Warned(message, hint):
                window.banner.show_error(message, hint)
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
            case Counterfactual() | MixerTimeline():
                self.asking.answered(job_id, event)
            case Evaluated(scores) if scores:
                window.charts.show_evaluation(event)
                window.banner.show_notice(scores_text(event, self.epochs))
            case FileWritten(path):
                self._notice_written(path)
            case JobFailed():
                self._failed(job_id, event)
            case _:
                pass

    def _text_started(self, job_id: int, event: GenerationStarted) -> None:
        if job_id == self.generating.job_id:
            self.generating.started(event)
        elif self.comparing.handles(job_id):
            self.comparing.started(job_id, event)

    @Slot(object)
    def _text_finished(self, record: Generation) -> None:
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

    def show_progress(self, job_id: int, progress: Progress) -> None:
        """Show how far a job is where it belongs; of several in the progress line, the first until it ends."""
        if job_id in self._openings and not self.window.project_shown:
            self.window.welcome.show_progress(progress)
        elif job_id in self.training.jobs:
            self.training.progress(job_id, progress)
        else:
            self._progress[job_id] = progress
            self.window.progress_line.show_progress(next(iter(self._progress.values())))

    def _progress_over(self, job_id: int) -> None:
        self._progress.pop(job_id, None)
        if self._closing:
            return
        if self._progress:
            self.window.progress_line.show_progress(next(iter(self._progress.values())))
        else:
            self.window.progress_line.clear()

    def _failed(self, job_id: int, event: JobFailed) -> None:
        opening = self._openings.get(job_id)
        if opening is not None:
            self._could_not_open(opening, event)
        elif job_id == self.generating.job_id:
            self.generating.failed(event)
        elif self.comparing.handles(job_id):
            self.comparing.failed(job_id, event)
        elif not self.training.refused(job_id, event):
            self.window.banner.show_error(event.message, event.hint, event.details)

    def _could_not_open(self, job: Opening, event: JobFailed) -> None:
        settings = self.window.settings
        if settings.last_project == job.path:  # not again at each start
            settings.last_project = ""
        find = None
        if event.code == "backbone-missing" and isinstance(job, jobs.OpenProject):
            find = partial(self._find_backbone, job.path)
        action = self.tr("Where is it now?") if find is not None else ""
        self.window.banner.show_error(event.message, event.hint, event.details, action, find)

    def _find_backbone(self, project: str) -> None:
        """Let the person say where a project's backbone is now, and open the project with it."""
        title = self.tr("Where is the backbone now?")

        def choose(kind: str) -> None:
            start = os.path.dirname(project)
            if kind == "folder":
                choose_folder(self.window, title, start, partial(self.open_project, project))
            else:
                models = self.tr("Models (*.gguf)")
                choose_files(self.window, title, start, lambda paths: self.open_project(project, paths[0]), models)

        choices = [Choice("folder", self.tr("Model folder…")), Choice("file", self.tr("A .gguf file…"))]
        ask(self.window, title, self.tr("Its weights tell whether it is the same."), choices, self.tr("Cancel"), choose)

    def _ended(self, job_id: int, end: EndEvent) -> None:
        """Every asker hears of its job's end, however it came."""
        self._progress_over(job_id)
        stays = self._closing and isinstance(end, JobFailed) and job_id in self.training.jobs
        if self._openings.pop(job_id, None) is not None:
            self._did_not_open()
        elif job_id == self.generating.job_id:
            self.generating.ended()
        elif self.comparing.handles(job_id):
            self.comparing.ended(job_id)
        else:
            self.asking.ended(job_id)
            self.training.ended(job_id)
        if stays:
            self._stay()

    def _did_not_open(self) -> None:
        if not self._openings:
            self.window.settings.opening = ""
            self.window.welcome.show_idle()


def _absolute(path: str) -> str:
    """A path that means the same wherever it is read; ``~`` is the person's folder."""
    return os.path.abspath(os.path.expanduser(path))
