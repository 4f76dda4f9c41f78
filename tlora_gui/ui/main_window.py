"""The window: epochs at the left, generation in the middle, charts below, the token at the right."""

from __future__ import annotations

import webbrowser

from PySide6.QtCore import QByteArray, Qt, QTimer, Signal, Slot
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeySequence,
    QPaintEvent,
    QShortcut,
)
from PySide6.QtWidgets import (
    QDockWidget,
    QLabel,
    QMainWindow,
    QMessageBox,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from tlora_gui import __version__
from tlora_gui.engine.protocol.events import ProjectInfo
from tlora_gui.paths import log_file, projects_dir
from tlora_gui.ui.charts.panel import ChartsPanel
from tlora_gui.ui.control.controller import Controller
from tlora_gui.ui.epochs.panel import EpochsPanel
from tlora_gui.ui.faults import Faults
from tlora_gui.ui.generation.inspector.inspector import TokenInspector
from tlora_gui.ui.generation.library.generations_panel import GenerationsPanel
from tlora_gui.ui.generation.mixing_desk.mixing_desk import MixingDeskPanel
from tlora_gui.ui.generation.pane import GenerationPane
from tlora_gui.ui.menus import Menus
from tlora_gui.ui.settings import WindowSettings
from tlora_gui.ui.theme import Theme, ThemeManager
from tlora_gui.ui.translation import tr
from tlora_gui.ui.widgets.banner import Banner
from tlora_gui.ui.widgets.command_palette import CommandPalette
from tlora_gui.ui.widgets.drops import local_paths
from tlora_gui.ui.widgets.painting import guarded
from tlora_gui.ui.widgets.progress_line import ProgressLine
from tlora_gui.ui.widgets.questions import choose_folder
from tlora_gui.ui.widgets.shortcut_sheet import ShortcutSheet
from tlora_gui.ui.widgets.welcome import Welcome
from tlora_gui.worker.engine_client import SHUTDOWN_S, EngineClient

_SIZE = (1280, 800)
_LAYOUT = 2
"""Version of the docks; a layout that was remembered for others is not restored."""


class MainWindow(QMainWindow):
    """Lays out the widgets and owns menus, docks and their memory. What they do is the controller's.

    Signals:
        first_painted: the window has been drawn for the first time.
        files_dropped: local paths dropped anywhere on the window.
        close_asked: the person wants to close; answer with :meth:`close_now` when nothing is lost by it.
    """

    first_painted = Signal()
    files_dropped = Signal(list)
    close_asked = Signal()

    def __init__(self, themes: ThemeManager, settings: WindowSettings, project: str | None) -> None:
        super().__init__()
        self.setObjectName("mainWindow")
        self.setWindowTitle("Temporal LoRA")
        self.setAcceptDrops(True)
        self.setDockNestingEnabled(True)
        self.themes = themes
        self.settings = settings
        self._project_at_start = project
        self._painted = False
        self._may_close = self._within_close = False
        self._wait_s = SHUTDOWN_S
        self._palette: CommandPalette | None = None
        self._build()
        self._build_menus()
        self.client = EngineClient(parent=self)
        self.controller = Controller(self, self.client)
        themes.changed.connect(self.apply_theme)
        self.apply_theme(themes.current)
        self.resize(*_SIZE)
        self._default_layout = self.saveState(_LAYOUT)
        self.restoreGeometry(settings.geometry)
        self.show_welcome()
        self.faults = Faults(self)
        self.faults.seen.connect(self._show_fault, Qt.ConnectionType.QueuedConnection)  # not in the middle of a paint
        self.faults.install()

    # -- building -----------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.banner = Banner()
        self.welcome = Welcome()
        self.generation = GenerationPane()
        self.epochs = EpochsPanel()
        self.charts = ChartsPanel()
        self.inspector = TokenInspector()
        self.desk = MixingDeskPanel()
        self.texts = GenerationsPanel()
        self.pages = QStackedWidget()
        self.pages.addWidget(self.welcome)
        self.pages.addWidget(self.generation)
        self._centre = centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 8, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.banner)
        column.addWidget(self.pages, 1)
        self.setCentralWidget(centre)
        left, right = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
        bottom = Qt.DockWidgetArea.BottomDockWidgetArea
        for corner in (Qt.Corner.TopLeftCorner, Qt.Corner.BottomLeftCorner):
            self.setCorner(corner, left)
        for corner in (Qt.Corner.TopRightCorner, Qt.Corner.BottomRightCorner):
            self.setCorner(corner, right)
        self.docks = [
            self._dock(self.tr("Epochs"), "epochsDock", self.epochs, left, (8, 8, 0, 0)),
            self._dock(self.tr("Token"), "tokenDock", self.inspector, right, (0, 8, 8, 0)),
            self._dock(self.tr("Desk"), "deskDock", self.desk, right, (0, 8, 8, 0)),
            self._dock(self.tr("Texts"), "textsDock", self.texts, right, (0, 8, 8, 0)),
            self._dock(self.tr("Charts"), "chartsDock", self.charts, bottom, (0, 0, 0, 0)),
        ]
        epochs, token, desk, texts, charts = self.docks
        self.tabifyDockWidget(token, desk)
        self.tabifyDockWidget(desk, texts)
        self.setTabPosition(right, QTabWidget.TabPosition.North)
        token.raise_()
        self.resizeDocks([epochs, token], [278, 250], Qt.Orientation.Horizontal)
        self.resizeDocks([charts], [270], Qt.Orientation.Vertical)
        self.backbone_label = QLabel()
        self.backbone_label.setObjectName("backboneLabel")
        self.backbone_label.setProperty("role", "muted")
        self.backbone_label.setContentsMargins(8, 0, 0, 0)
        self.progress_line = ProgressLine()
        self.statusBar().addWidget(self.backbone_label)
        self.statusBar().addPermanentWidget(self.progress_line)
        self.statusBar().setSizeGripEnabled(False)
        self.progress_line.toggled.connect(self.backbone_label.setHidden)  # the epochs panel names it too

    def _dock(
        self, title: str, name: str, widget: QWidget, area: Qt.DockWidgetArea, margins: tuple[int, int, int, int]
    ) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(name)
        holder = QWidget()
        layout = QVBoxLayout(holder)
        layout.setContentsMargins(*margins)
        layout.addWidget(widget)
        dock.setWidget(holder)
        dock.setTitleBarWidget(QWidget(dock))
        self.addDockWidget(area, dock)
        return dock

    def _build_menus(self) -> None:
        self.menus = menus = Menus(self, self.docks)
        menus.quit.triggered.connect(self.close)
        menus.arrange.toggled.connect(self._show_title_bars)
        menus.reset_layout.triggered.connect(self._reset_layout)
        menus.palette.triggered.connect(self._open_palette)
        menus.shortcuts.triggered.connect(self._open_shortcuts)
        menus.log.triggered.connect(_open_log)
        menus.about.triggered.connect(self._about)
        menus.offer_themes(self.themes.mode).triggered.connect(self._choose_theme)
        menus.offer_languages(self.settings.language).triggered.connect(self._choose_language)
        # "?" opens the sheet too, where no text is being typed.
        QShortcut(QKeySequence("?"), self, self._open_shortcuts)

    # -- what it shows ------------------------------------------------------------------------------------------

    @property
    def project_shown(self) -> bool:
        """Whether the workspace is on screen, not the welcome."""
        return self.pages.currentWidget() is self.generation

    def show_welcome(self) -> None:
        """The first page: choose a backbone, open a project, play the demo."""
        if self.project_shown:
            self.settings.layout = self.saveState(_LAYOUT)
        self.pages.setCurrentWidget(self.welcome)
        for dock in self.docks:
            dock.hide()
        self._centre.setContentsMargins(8, 0, 8, 0)  # no dock keeps the banner from the window's edges
        self.setWindowTitle("Temporal LoRA")
        self.backbone_label.clear()
        self.welcome.set_recent(self.settings.recent_projects)
        self.welcome.show_idle()
        self._workspace_actions(False)

    def show_workspace(self, project: ProjectInfo) -> None:
        """The project's panels."""
        if not self.project_shown:
            self.pages.setCurrentWidget(self.generation)
            self._centre.setContentsMargins(0, 0, 0, 0)
            layout: QByteArray = self.settings.layout
            if layout.isEmpty() or not self.restoreState(layout, _LAYOUT):
                self._reset_layout()
            self.generation.setFocus()
        self.setWindowTitle(self.tr("{project} – Temporal LoRA").format(project=project.name))
        self._workspace_actions(True)

    def _workspace_actions(self, enabled: bool) -> None:
        menus = self.menus
        pages = (menus.show_generate, menus.show_read, menus.show_compare)
        for action in (menus.close_project, menus.add_epoch, menus.generate, menus.open_text, *pages):
            action.setEnabled(enabled)
        # until there is something to measure, to stop, to undo, to work on
        for action in (menus.evaluate, menus.stop, menus.back, menus.forward, menus.mixer_timeline, *menus.needs_text):
            action.setEnabled(False)

    def apply_theme(self, theme: Theme) -> None:
        """Hand the theme to every widget that draws its own colours."""
        panels = (self.generation, self.charts, self.inspector, self.desk, self.texts, self.epochs)
        for widget in (*panels, self.banner, self.welcome):
            apply = getattr(widget, "apply_theme", None)
            if apply is not None:
                apply(theme)

    def raise_dock(self, widget: QWidget) -> None:
        """Bring a panel of the docks to the front, shown if it was closed."""
        dock = next(dock for dock in self.docks if dock.isAncestorOf(widget))
        dock.show()
        dock.raise_()

    @Slot()
    def _open_palette(self) -> None:
        if self._palette is None:
            self._palette = CommandPalette(self)
        self._palette.open()

    @Slot()
    def _open_shortcuts(self) -> None:
        ShortcutSheet(self, _further_keys(self)).open()

    def _choose_language(self, action: QAction) -> None:
        self.settings.language = action.data()
        self.banner.show_notice(self.tr("The language changes when the window is opened next time."))

    def _choose_theme(self, action: QAction) -> None:
        self.settings.theme = action.data()
        self.themes.set_mode(action.data())

    def _show_title_bars(self, shown: bool) -> None:
        for dock in self.docks:
            dock.setTitleBarWidget(None if shown else QWidget(dock))  # type: ignore[arg-type]

    def _reset_layout(self) -> None:
        self.restoreState(self._default_layout, _LAYOUT)
        for dock in self.docks:
            dock.show()
        self.raise_dock(self.inspector)

    def _about(self) -> None:
        box = QMessageBox(self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setWindowTitle(self.tr("About Temporal LoRA"))
        box.setText(f"tlora-gui {__version__}")
        box.setInformativeText(
            self.tr("A frozen backbone, one LoRA adapter per text domain, and a Time Mixer that Active Sleep protects.")
        )
        box.open()

    def ask_for_project(self) -> None:
        """Let the person pick a project folder; the controller hears ``welcome.open_requested``."""
        choose_folder(self, self.tr("Open a project"), str(projects_dir()), self.welcome.open_requested.emit)

    # -- events -------------------------------------------------------------------------------------------------

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
            self.controller.begin(self._project_at_start)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if local_paths(event.mimeData()):
            event.acceptProposedAction()
            self.epochs.set_drop_active(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.epochs.set_drop_active(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self.epochs.set_drop_active(False)
        paths = local_paths(event.mimeData())
        if paths:
            event.acceptProposedAction()
            self.files_dropped.emit(paths)

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self._may_close:
            self._within_close = True
            self.close_asked.emit()
            self._within_close = False
        if not self._may_close:  # nobody has called close_now meanwhile
            event.ignore()
            return
        self.settings.geometry = self.saveGeometry()
        if self.project_shown:
            self.settings.layout = self.saveState(_LAYOUT)
        self.shutdown()
        event.accept()

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


def _further_keys(window: MainWindow) -> list[tuple[str, str, str]]:
    """Keys that belong to no action: (part of the window, keys, what they do)."""
    text, ribbon, prompt = tr("In the text"), tr("On the mix ribbon"), tr("In the prompt")
    return [
        (prompt, "Ctrl+Return", tr("generate, read or compare")),
        (prompt, "Alt+Up / Alt+Down", tr("earlier and later prompts")),
        (text, "← →", tr("walk from token to token")),
        (text, "Home / End", tr("first and last token")),
        (text, "Return", tr("another word at this token")),
        (text, "Esc", tr("stop generating")),
        (ribbon, "Ctrl+" + tr("wheel"), tr("zoom")),
        (ribbon, "Shift+" + tr("drag"), tr("select a stretch of the text")),
    ]


def _open_log() -> None:
    webbrowser.open(log_file().as_uri())
