"""The window as it lives: the workbench, the engine's client and the controls, until it is closed."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QCloseEvent, QPaintEvent

from tlora_gui.ui.control.controller import Controller
from tlora_gui.ui.faults import Faults
from tlora_gui.ui.settings import WindowSettings
from tlora_gui.ui.theme import ThemeManager
from tlora_gui.ui.widgets.painting import guarded
from tlora_gui.ui.workbench import Workbench
from tlora_gui.worker.engine_client import SHUTDOWN_S, EngineClient


class MainWindow(Workbench):
    """A workbench with an engine behind it; ``crash`` is what ended the last one, to be told.

    Signals:
        first_painted: the window has been drawn for the first time.
    """

    first_painted = Signal()

    def __init__(self, themes: ThemeManager, settings: WindowSettings, project: str | None, crash: str = "") -> None:
        super().__init__(themes, settings)
        self._project_at_start = project
        self._crash = crash
        self._painted = False
        self._may_close = self._within_close = False
        self._wait_s = SHUTDOWN_S
        self.client = EngineClient(parent=self)
        self.controller = Controller(self, self.client)
        self.controller.closing.may_close.connect(self.close_now)
        self.faults = Faults(self)
        self.faults.seen.connect(self._show_fault, Qt.ConnectionType.QueuedConnection)  # not in the middle of a paint
        self.faults.install()

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            self.first_painted.emit()
            QTimer.singleShot(0, self._begin)

    @Slot()
    def _begin(self) -> None:
        if not self._may_close:  # it may have been closed at once
            self.controller.begin(self._project_at_start, self._crash)

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self._may_close:
            self._within_close = True
            self.controller.closing.ask()
            self._within_close = False
        if not self._may_close:  # nothing has called close_now meanwhile
            event.ignore()
            return
        self.remember()
        self.shutdown()
        event.accept()

    @Slot(float)
    def close_now(self, wait_s: float = SHUTDOWN_S) -> None:
        """Close without asking again; an engine that does not end within ``wait_s`` seconds is left behind."""
        self._may_close, self._wait_s = True, wait_s
        if not self._within_close:
            self.close()

    def shutdown(self) -> bool:
        """End the engine's thread; the window can only be thrown away after this.

        Returns:
            Whether it has ended; if it hangs, only the end of the process ends it.
        """
        ended = self.client.shutdown(self._wait_s)
        if ended:
            self.settings.opening = ""
        self.faults.remove()
        return ended

    @Slot(str, str)
    def _show_fault(self, what: str, details: str) -> None:
        message = self.tr("Something went wrong: {what}").format(what=what)
        self.banner.show_error(message, self.tr("Nothing stored is lost by it. Details can be copied."), details)
