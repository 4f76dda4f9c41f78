"""Projects are made, opened, left and closed; one is open at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.config import ARCHIVE_ENDING, STRATEGIES, SWITCHINGS
from tlora_gui.engine.protocol.events import (
    EndEvent,
    Event,
    JobCancelled,
    JobDone,
    JobFailed,
    Progress,
    ProjectInfo,
    ProjectOpened,
    ProjectWritten,
)
from tlora_gui.paths import free_name, projects_dir
from tlora_gui.ui.menus import Menus
from tlora_gui.ui.settings import WindowSettings
from tlora_gui.ui.widgets.banner import Banner
from tlora_gui.ui.widgets.questions import Choice, ask, choose_file, choose_folder
from tlora_gui.ui.widgets.welcome import Welcome
from tlora_gui.worker.engine_client import EngineClient

Opening = jobs.CreateProject | jobs.OpenProject | jobs.FollowProject | jobs.UnpackProject

_TRIAL_MS = 1000


class ProjectControl(QObject):
    """Knows which project is open and which are on their way.

    Attributes:
        project: the one that is open, as it was when it was opened.
        following: whether it is open elsewhere, and only looked at here.
        trial: how long a project has to be on screen until a crash is not its doing.

    Signals:
        opened: a project is there, and is to be shown.
        ready: it is the one that was asked for last, and it is shown.
        left: the project that was open is none of the window's any more.
        closed: no project is open now.
        opening_changed: whether one is on its way.
        progressed: a job that opens a project in place of another is so far.
    """

    opened = Signal(object)
    ready = Signal()
    left = Signal()
    closed = Signal()
    opening_changed = Signal(bool)
    progressed = Signal(int, object)

    def __init__(
        self, client: EngineClient, welcome: Welcome, menus: Menus, banner: Banner, settings: WindowSettings
    ) -> None:
        super().__init__(welcome)
        self.project: ProjectInfo | None = None
        self.following = False
        self._client = client
        self._welcome = welcome
        self._menus = menus
        self._banner = banner
        self._settings = settings
        self._fell, settings.opening = settings.opening, ""
        self._openings: dict[int, Opening] = {}
        self.trial = QTimer(self, singleShot=True, interval=_TRIAL_MS)
        self.trial.timeout.connect(self._stands)
        welcome.create_requested.connect(self.create)
        welcome.open_requested.connect(self.open)
        welcome.cancel_requested.connect(self._cancel_opening)
        menus.new_project.triggered.connect(self.close)
        menus.close_project.triggered.connect(self.close)
        menus.open_file.triggered.connect(self._choose_file)

    def begin(self, project: str | None, crash: str = "") -> None:
        """Open a project if there is one; else name the one that the last window fell over. Tell of a crash."""
        if project and not self.opening:  # the system may have asked for another one meanwhile
            self.open(project)
        elif self._fell and not self.opening:
            self._banner.show_error(
                self.tr("{project} was being opened when the window last ended.").format(
                    project=os.path.basename(self._fell)
                ),
                self.tr("It is not opened by itself this time."),
                crash,
            )
            return
        if crash:
            self._banner.show_error(
                self.tr("tlora-gui ended unexpectedly the last time."),
                self.tr(
                    "What was stored is whole. If it happens again, start it with --safe and save a report (Help)."
                ),
                crash,
            )

    @property
    def opening(self) -> bool:
        """Whether a project is on its way."""
        return bool(self._openings)

    @Slot(str, str, str, object, str)
    def create(
        self,
        path: str,
        backbone: str,
        strategy: str = STRATEGIES[0],
        mixer_layer: int | None = None,
        switching: str = SWITCHINGS[0],
    ) -> None:
        """Make a project folder around a backbone and open it; the last three are the mixer's."""
        if self.may_leave():
            job = jobs.CreateProject(_absolute(path), backbone, strategy, mixer_layer, switching=switching)
            self._begin_opening(job)

    @Slot(str)
    def open(self, path: str, backbone: str = "") -> None:
        """Open a project in this window: its folder, the index in it, or a file that it is packed in.

        ``backbone`` says where its backbone is now, if it has moved.
        """
        path = _absolute(path)
        if path.lower().endswith(ARCHIVE_ENDING):
            self.unpack(path)
            return
        if os.path.basename(path) == "project.json":
            path = os.path.dirname(path)
        shown = self.project.path if self.project is not None and not self.following else None
        if shown is not None and os.path.realpath(path) == os.path.realpath(shown):
            self._cancel_opening()
        elif self.may_leave():
            self._begin_opening(jobs.OpenProject(path, backbone))

    @Slot(str)
    def unpack(self, path: str, begun: Callable[[], object] = lambda: None) -> None:
        """Ask where a packed project is to go, and open it there; then ``begun`` is called."""
        if not self.may_leave():
            return
        window, place = self._welcome.window(), str(projects_dir())
        name = os.path.splitext(os.path.basename(path))[0]

        def target(folder: str) -> str:
            return os.path.join(folder, free_name(name, lambda name: os.path.exists(os.path.join(folder, name))))

        def begin(folder: str) -> None:
            if self.may_leave():
                self._begin_opening(jobs.UnpackProject(path, target(folder)))
                begun()

        def choose(answer: str) -> None:
            if answer == "here":
                begin(place)
            else:
                choose_folder(window, self.tr("Folder for the project"), place, begin)

        text = self.tr("It becomes the folder {folder}. What is in it is looked at first, and nothing of it is run.")
        if self.project is not None:
            text += "\n" + self.tr("The project that is open here is closed for it; nothing of it is lost.")
        ask(
            window,
            self.tr("Open {name}?").format(name=os.path.basename(path)),
            text.format(folder=target(place)),
            [Choice("here", self.tr("Open it")), Choice("elsewhere", self.tr("In another folder…"))],
            self.tr("Cancel"),
            choose,
        )

    @Slot()
    def _choose_file(self) -> None:
        kinds = self.tr("Projects in one file") + f" (*{ARCHIVE_ENDING})"
        choose_file(self._welcome.window(), self.tr("Open a project file"), "", self.unpack, kinds)

    def follow(self, path: str) -> None:
        """Look on while another window or command has a project open."""
        if self.may_leave():
            self._begin_opening(jobs.FollowProject(_absolute(path)))

    def may_leave(self) -> bool:
        """Whether nothing is in training here; says so if there is."""
        training = bool(self._client.jobs(*jobs.TRAININGS))
        if training:
            self._banner.show_error(
                self.tr("An epoch is in training here."), self.tr("Stop it before going to another project.")
            )
        return not training

    def _begin_opening(self, job: Opening) -> None:
        """Open it in place of others that are on their way; one for which the cancel comes too late is shown first."""
        self._banner.clear()
        self._cancel_opening()
        for followed in self._client.jobs(jobs.FollowProject):  # it would go on for as long as others train
            self._client.drop(followed)
        job_id = self._client.submit(job, self)
        self._openings[job_id] = job
        self._settings.opening = job.path
        self.opening_changed.emit(True)
        self._show_progress(job_id, Progress(self.tr("Starting the engine")))

    def _show_progress(self, job_id: int, progress: Progress) -> None:
        if self.project is None:
            self._welcome.show_progress(progress)
        else:
            self.progressed.emit(job_id, progress)

    @Slot()
    def _cancel_opening(self) -> None:
        for job_id in self._openings:
            self._client.cancel(job_id)

    @Slot()
    def close(self) -> None:
        """Back to the welcome, and nothing is opened any more."""
        if not self.may_leave():
            return
        unwanted = self.project is None and any(isinstance(job, jobs.CreateProject) for job in self._openings.values())
        for job_id in list(self._openings):
            self._client.drop(job_id)
        self.leave()
        self.project = None
        self._settings.last_project = ""
        self._client.submit(jobs.CloseProject(drop_if_empty=unwanted), self)
        self.closed.emit()

    def leave(self) -> None:
        """End what goes on in the project that is shown."""
        self.left.emit()
        for job_id, job in self._client.jobs().items():
            if job_id not in self._openings and not isinstance(job, jobs.KeepQueue):  # it is written before
                self._client.drop(job_id)

    # -- what the engine answers --------------------------------------------------------------------------------

    def hear(self, job_id: int, job: jobs.Job, events: Sequence[Event]) -> bool:
        """See :class:`~tlora_gui.worker.job_book.Asker`."""
        opening = self._openings.get(job_id)
        match events[-1]:
            case Progress() as progress:
                self._show_progress(job_id, progress)
            case ProjectOpened(project) if opening is not None:
                self._opened(job_id, project)
            case ProjectWritten(path) if opening is not None:
                self._begin_opening(jobs.OpenProject(path))
            case JobFailed() as failure if opening is not None:
                self._could_not_open(opening, failure)
            case _:
                return False
        return True

    def ended(self, job_id: int, job: jobs.Job, end: EndEvent) -> None:
        """One that was to be opened will not be, if it is not there by now."""
        if self._openings.pop(job_id, None) is not None:
            if not self._openings:
                self.opening_changed.emit(False)
                self._settings.opening = ""
                self._welcome.show_idle()
        elif isinstance(job, jobs.FollowProject) and isinstance(end, JobDone | JobCancelled):
            message = self.tr("{name} is not followed any more.").format(name=os.path.basename(job.path))
            self._banner.show_notice(message, self.tr("Open"), partial(self.open, job.path))

    def _opened(self, job_id: int, project: ProjectInfo) -> None:
        asked_last = job_id == next(reversed(self._openings))
        self.leave()
        self.following = isinstance(self._openings[job_id], jobs.FollowProject)
        del self._openings[job_id]
        self.opening_changed.emit(self.opening)
        self.project = project
        self._settings.add_recent(project.path)
        self.opened.emit(project)
        self._settings.last_project = project.path
        self.trial.start()
        if asked_last:
            self._welcome.show_idle()
            if project.backbone.note:
                self._banner.show_notice(project.backbone.note)
            self.ready.emit()

    @Slot()
    def _stands(self) -> None:
        """It is on screen, and the window still lives."""
        if not self._openings:
            self._settings.opening = ""

    def _could_not_open(self, job: Opening, event: JobFailed) -> None:
        if self._settings.last_project == job.path:  # not again at each start
            self._settings.last_project = ""
        action, act = "", None
        if event.code == "backbone-missing" and isinstance(job, jobs.OpenProject):
            action, act = self.tr("Where is it now?"), partial(self._find_backbone, job.path)
        elif event.code == "project-locked" and isinstance(job, jobs.OpenProject):
            action, act = self.tr("Follow"), partial(self.follow, job.path)
        self._banner.show_error(event.message, event.hint, event.details, action, act)

    def _find_backbone(self, project: str) -> None:
        """Let the person say where a project's backbone is now, and open the project with it."""
        window, title = self._welcome.window(), self.tr("Where is the backbone now?")

        def choose(kind: str) -> None:
            start = os.path.dirname(project)
            if kind == "folder":
                choose_folder(window, title, start, partial(self.open, project))
            else:
                models = self.tr("Models (*.gguf)")
                choose_file(window, title, start, partial(self.open, project), models)

        choices = [Choice("folder", self.tr("Model folder…")), Choice("file", self.tr("A .gguf file…"))]
        ask(window, title, self.tr("Its weights tell whether it is the same."), choices, self.tr("Cancel"), choose)


def _absolute(path: str) -> str:
    """A path that means the same wherever it is read; ``~`` is the person's folder."""
    return os.path.abspath(os.path.expanduser(path))
