"""Projects that were opened before, in the welcome and in the menu; the window's thread looks at none of them."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue

from PySide6.QtCore import QObject, QTimer, Slot
from PySide6.QtGui import QAction

from tlora_gui.ui.control.project_control import ProjectControl
from tlora_gui.ui.menus import Menus
from tlora_gui.ui.settings import WindowSettings
from tlora_gui.ui.widgets.icons import icon
from tlora_gui.ui.widgets.welcome import Welcome

_LOOK_MS = 50
_PATIENCE_S = 3.0
"""How long a drive may take to answer."""


class RecentControl(QObject):
    """Offers them, pins them, and greys those that cannot be seen now, with the reason, as that comes to light."""

    def __init__(self, projects: ProjectControl, welcome: Welcome, menus: Menus, settings: WindowSettings) -> None:
        super().__init__(welcome)
        self._projects = projects
        self._welcome = welcome
        self._menus = menus
        self._settings = settings
        self._missing: dict[str, str] = {}
        self._looks: dict[str, float] = {}
        self._found: SimpleQueue[tuple[str, OSError | ValueError | None]] = SimpleQueue()
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self._take_found)
        recent = welcome.recent
        recent.pin_requested.connect(self._pin)
        recent.forget_requested.connect(self._forget)
        menus.recent.aboutToShow.connect(self._fill_menu)
        menus.recent.triggered.connect(self._chosen)
        menus.pin_project.triggered.connect(self._pin_open)
        menus.clear_recent.triggered.connect(self._clear)
        projects.closed.connect(self.refresh)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Show in the welcome what is remembered."""
        pinned, recent = self._settings.pinned_projects, self._settings.recent_projects
        self._welcome.set_recent(recent, pinned)
        for path, reason in self._missing.items():
            self._welcome.recent.set_missing(path, reason)
        self._look(self._welcome.recent.paths)

    @Slot(str, bool)
    def _pin(self, path: str, pinned: bool) -> None:
        self._settings.pin(path, pinned)
        self.refresh()

    @Slot(bool)
    def _pin_open(self, pinned: bool) -> None:
        if self._projects.project is not None:
            self._pin(self._projects.project.path, pinned)

    @Slot(str)
    def _forget(self, path: str) -> None:
        self._settings.forget_recent(path)
        self.refresh()

    @Slot()
    def _clear(self) -> None:
        self._settings.clear_recent()
        self.refresh()

    # -- the menu -----------------------------------------------------------------------------------------------

    @Slot()
    def _fill_menu(self) -> None:
        menu, project = self._menus.recent, self._projects.project
        pinned, recent = self._settings.pinned_projects, self._settings.recent_projects
        names = [Path(path).name for path in (*pinned, *recent)]
        menu.clear()
        for path in (*pinned, *recent):
            name, place = Path(path).name, Path(path).parent
            text = name if names.count(name) == 1 else f"{name}   {place}"
            action = menu.addAction(text.replace("&", "&&"))
            action.setData(path)
            self._show_in_menu(action)
            if path in pinned:
                action.setIcon(icon("pinned"))
        menu.addSeparator()
        menu.addAction(self._menus.pin_project)
        menu.addAction(self._menus.clear_recent)
        self._menus.pin_project.setEnabled(project is not None)
        self._menus.pin_project.setChecked(project is not None and project.path in pinned)
        self._menus.clear_recent.setEnabled(bool(recent))
        self._look((*pinned, *recent))

    def _show_in_menu(self, action: QAction) -> None:
        reason = self._missing.get(action.data(), "")
        action.setEnabled(not reason)
        action.setToolTip(reason)

    @Slot(QAction)
    def _chosen(self, action: QAction) -> None:
        if isinstance(path := action.data(), str):
            self._projects.open(path)

    # -- which of them are there --------------------------------------------------------------------------------

    def _look(self, paths: Iterable[str]) -> None:
        """See to it that these are looked at; one that is still being looked at is not looked at twice."""
        for path in set(paths) - self._looks.keys():
            self._looks[path] = time.monotonic()
            threading.Thread(target=_look_at, args=(path, self._found), name="look", daemon=True).start()
        if not self._timer.isActive():
            self._timer.start()

    @Slot()
    def _take_found(self) -> None:
        with suppress(Empty):
            while True:
                path, problem = self._found.get_nowait()
                del self._looks[path]
                self._tell(path, self._reason(problem))
        late = [path for path, since in self._looks.items() if time.monotonic() - since > _PATIENCE_S]
        for path in late:
            self._tell(path, self.tr("Its drive does not answer."))
        if len(late) == len(self._looks):
            self._timer.stop()

    def _reason(self, problem: OSError | ValueError | None) -> str:
        if isinstance(problem, FileNotFoundError | NotADirectoryError):
            return self.tr("It is not there now.")
        return "" if problem is None else getattr(problem, "strerror", None) or str(problem)

    def _tell(self, path: str, reason: str) -> None:
        self._missing[path] = reason
        self._welcome.recent.set_missing(path, reason)
        for action in self._menus.recent.actions():
            if action.data() == path:
                self._show_in_menu(action)


def _look_at(path: str, found: SimpleQueue[tuple[str, OSError | ValueError | None]]) -> None:
    """Whether a project is there. On a drive that is lost this never returns."""
    try:
        os.stat(os.path.join(path, "project.json"))
        found.put((path, None))
    except (OSError, ValueError) as error:
        found.put((path, error))
