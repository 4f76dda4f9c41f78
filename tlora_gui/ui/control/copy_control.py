"""The project that is open is copied, or written to one file to be sent."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.config import ARCHIVE_ENDING
from tlora_gui.engine.protocol.events import EndEvent, Event, ProjectWeighed, ProjectWritten
from tlora_gui.paths import free_name
from tlora_gui.ui.control.project_control import ProjectControl
from tlora_gui.ui.menus import Menus
from tlora_gui.ui.translation import worded
from tlora_gui.ui.widgets.banner import Banner
from tlora_gui.ui.widgets.questions import choose_target
from tlora_gui.ui.widgets.send_dialog import SendDialog
from tlora_gui.worker.engine_client import EngineClient


class CopyControl(QObject):
    """Asks where a copy or a file is to go, and tells when it is there.

    Attributes:
        dialog: "Send as a file", while it is open.
    """

    def __init__(
        self, client: EngineClient, projects: ProjectControl, menus: Menus, banner: Banner, window: QWidget
    ) -> None:
        super().__init__(window)
        self.dialog: SendDialog | None = None
        self._client = client
        self._projects = projects
        self._banner = banner
        self._window = window
        self._going_on: int | None = None
        menus.save_as.triggered.connect(self._save_as)
        menus.duplicate.triggered.connect(self._duplicate)
        menus.send.triggered.connect(self._send)
        projects.left.connect(self._close_dialog)

    @Slot()
    def _save_as(self) -> None:
        if self._client.jobs(*jobs.TRAININGS):
            self._banner.show_error(
                self.tr("An epoch is in training here."),
                self.tr(
                    "Stop it first; or duplicate the project: the copy has what is finished and the latest checkpoint."
                ),
                action_text=self.tr("Duplicate…"),
                action=self._duplicate,
            )
        else:
            self._choose_target(self.tr("Save the project as"), goes_on=True)

    @Slot()
    def _duplicate(self) -> None:
        self._choose_target(self.tr("Duplicate the project"), goes_on=False)

    def _choose_target(self, title: str, *, goes_on: bool) -> None:
        """Ask for a new folder, one of a free name beside the project being proposed."""
        if (project := self._projects.project) is None:
            return
        parent = os.path.dirname(project.path)
        name = free_name(project.name, lambda name: os.path.exists(os.path.join(parent, name)))
        folder = {self.tr("Project folder"): ""}
        copy = partial(self._copy, project.path, goes_on=goes_on)
        choose_target(self._window, title, os.path.join(parent, name), folder, copy)

    def _copy(self, source: str, target: str, *, goes_on: bool) -> None:
        job_id = self._client.submit(jobs.CopyProject(source, target), self)
        if goes_on:
            self._going_on = job_id

    # -- one file -----------------------------------------------------------------------------------------------

    @Slot()
    def _send(self) -> None:
        if self.dialog is not None or (project := self._projects.project) is None:
            return
        self.dialog = dialog = SendDialog(project.name, project.backbone.name, self._window)
        dialog.accepted.connect(partial(self._choose_file, project.path, dialog))
        dialog.finished.connect(self._closed)
        dialog.open()
        self._client.submit(jobs.WeighProject(project.path), self)

    def _choose_file(self, project: str, dialog: SendDialog) -> None:
        name, without = os.path.basename(project) + ARCHIVE_ENDING, dialog.without()
        ending = {self.tr("Project in one file") + f" (*{ARCHIVE_ENDING})": ARCHIVE_ENDING.removeprefix(".")}

        def pack(target: str) -> None:  # the file dialog has asked whether to replace it
            self._client.submit(jobs.PackProject(project, target, without, overwrite=True), self)

        choose_target(self._window, self.tr("Send as a file"), name, ending, pack)

    @Slot()
    def _closed(self) -> None:
        self.dialog = None

    @Slot()
    def _close_dialog(self) -> None:
        if self.dialog is not None:
            self.dialog.reject()

    # -- what the engine answers --------------------------------------------------------------------------------

    def hear(self, job_id: int, job: jobs.Job, events: Sequence[Event]) -> bool:
        """See :class:`~tlora_gui.worker.job_book.Asker`."""
        match events[-1]:
            case ProjectWeighed(rest, parts):
                if self.dialog is not None:
                    self.dialog.set_bytes(rest, dict(parts))
            case ProjectWritten(path) if job_id == self._going_on:
                self._projects.open(path)
            case ProjectWritten(path, note):
                told = self.tr("Copied: {path}") if isinstance(job, jobs.CopyProject) else self.tr("Written: {path}")
                told = f"{told.format(path=path)} {worded(note)}".strip()
                if isinstance(job, jobs.CopyProject):
                    self._banner.show_notice(told, self.tr("Open the copy"), partial(self._projects.open, path))
                else:
                    self._banner.show_notice(told)
            case _:
                return False
        return True

    def ended(self, job_id: int, job: jobs.Job, end: EndEvent) -> None:
        """Nothing goes on after it."""
