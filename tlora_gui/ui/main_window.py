"""The window: epochs at the left, generation in the middle, charts below, the token at the right."""

from __future__ import annotations

import webbrowser

from PySide6.QtCore import QByteArray, Qt, QTimer, Signal, Slot
from PySide6.QtGui import (
    QAction,
    QActionGroup,
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeySequence,
    QPaintEvent,
)
from PySide6.QtWidgets import (
    QDockWidget,
    QFileDialog,
    QLabel,
    QMainWindow,
    QMessageBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from tlora_gui import __version__
from tlora_gui.engine.events import ProjectInfo
from tlora_gui.paths import log_file, projects_dir
from tlora_gui.ui.charts.panel import ChartsPanel
from tlora_gui.ui.controller import Controller
from tlora_gui.ui.epochs.panel import EpochsPanel
from tlora_gui.ui.generation.inspector import TokenInspector
from tlora_gui.ui.generation.pane import GenerationPane
from tlora_gui.ui.settings import WindowSettings
from tlora_gui.ui.theme import Theme, ThemeManager, ThemeMode
from tlora_gui.ui.widgets.banner import Banner
from tlora_gui.ui.widgets.drops import local_paths
from tlora_gui.ui.widgets.progress_line import ProgressLine
from tlora_gui.ui.widgets.welcome import Welcome
from tlora_gui.worker.engine_client import EngineClient

_SIZE = (1280, 800)


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
        self._may_close = False
        self._build()
        self._build_menus()
        self.client = EngineClient(parent=self)
        self.controller = Controller(self, self.client)
        themes.changed.connect(self.apply_theme)
        self.apply_theme(themes.current)
        self.resize(*_SIZE)
        self._default_layout = self.saveState()
        self.restoreGeometry(settings.geometry)
        self.show_welcome()

    # -- building -----------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.banner = Banner()
        self.welcome = Welcome()
        self.generation = GenerationPane()
        self.epochs = EpochsPanel()
        self.charts = ChartsPanel()
        self.inspector = TokenInspector()
        self.pages = QStackedWidget()
        self.pages.addWidget(self.welcome)
        self.pages.addWidget(self.generation)
        centre = QWidget()
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
            self._dock(self.tr("Charts"), "chartsDock", self.charts, bottom, (0, 0, 0, 0)),
        ]
        self.resizeDocks([self.docks[0], self.docks[1]], [270, 250], Qt.Orientation.Horizontal)
        self.resizeDocks([self.docks[2]], [270], Qt.Orientation.Vertical)
        self.backbone_label = QLabel()
        self.backbone_label.setObjectName("backboneLabel")
        self.backbone_label.setProperty("role", "muted")
        self.backbone_label.setContentsMargins(8, 0, 0, 0)
        self.progress_line = ProgressLine()
        self.statusBar().addWidget(self.backbone_label)
        self.statusBar().addPermanentWidget(self.progress_line)
        self.statusBar().setSizeGripEnabled(False)

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
        bar = self.menuBar()
        project = bar.addMenu(self.tr("&Project"))
        self.new_action = _action(self, project.addAction(self.tr("&New project…")), QKeySequence.StandardKey.New)
        self.open_action = _action(self, project.addAction(self.tr("&Open project…")), QKeySequence.StandardKey.Open)
        self.recent_menu = project.addMenu(self.tr("Open &recent"))
        self.close_project_action = project.addAction(self.tr("&Close project"))
        project.addSeparator()
        quit_action = _action(self, project.addAction(self.tr("&Quit")), QKeySequence.StandardKey.Quit)
        quit_action.triggered.connect(self.close)
        epoch = bar.addMenu(self.tr("&Epoch"))
        self.add_epoch_action = _action(self, epoch.addAction(self.tr("&Add epoch…")), QKeySequence("Ctrl+Shift+E"))
        epoch.setToolTipsVisible(True)
        self.evaluate_action = epoch.addAction(self.tr("&Measure all on held-out text"))
        self.evaluate_action.setObjectName("evaluateAction")
        view = bar.addMenu(self.tr("&View"))
        for dock in self.docks:
            view.addAction(dock.toggleViewAction())
        self.arrange_action = view.addAction(self.tr("&Rearrange panels"))
        self.arrange_action.setCheckable(True)
        self.arrange_action.toggled.connect(self._show_title_bars)
        view.addAction(self.tr("Reset &layout")).triggered.connect(self._reset_layout)
        view.addSeparator()
        self._build_theme_menu(view.addMenu(self.tr("&Theme")))
        help_menu = bar.addMenu(self.tr("&Help"))
        self.demo_action = help_menu.addAction(self.tr("Play the &demo"))
        help_menu.addAction(self.tr("Show the &log")).triggered.connect(_open_log)
        help_menu.addAction(self.tr("&About")).triggered.connect(self._about)

    def _build_theme_menu(self, menu: QWidget) -> None:
        group = QActionGroup(self)
        names: dict[ThemeMode, str] = {
            "system": self.tr("As the &system"),
            "light": self.tr("&Light"),
            "dark": self.tr("&Dark"),
        }
        for mode, name in names.items():
            action = QAction(name, self)
            action.setCheckable(True)
            action.setChecked(mode == self.themes.mode)
            action.setData(mode)
            group.addAction(action)
            menu.addAction(action)
        group.triggered.connect(self._choose_theme)

    # -- what it shows ------------------------------------------------------------------------------------------

    @property
    def project_shown(self) -> bool:
        """Whether the workspace is on screen, not the welcome."""
        return self.pages.currentWidget() is self.generation

    def show_welcome(self) -> None:
        """The first page: choose a backbone, open a project, play the demo."""
        if self.project_shown:
            self.settings.layout = self.saveState()
        self.pages.setCurrentWidget(self.welcome)
        for dock in self.docks:
            dock.hide()
        self.setWindowTitle("Temporal LoRA")
        self.backbone_label.clear()
        self.welcome.set_recent(self.settings.recent_projects)
        self.welcome.show_idle()
        self._workspace_actions(False)

    def show_workspace(self, project: ProjectInfo) -> None:
        """The project's panels."""
        if not self.project_shown:
            self.pages.setCurrentWidget(self.generation)
            layout: QByteArray = self.settings.layout
            if layout.isEmpty() or not self.restoreState(layout):
                self._reset_layout()
            self.generation.setFocus()
        self.setWindowTitle(self.tr("{project} – Temporal LoRA").format(project=project.name))
        self._workspace_actions(True)

    def _workspace_actions(self, enabled: bool) -> None:
        for action in (self.close_project_action, self.add_epoch_action):
            action.setEnabled(enabled)
        self.evaluate_action.setEnabled(False)  # until there is something to measure

    def apply_theme(self, theme: Theme) -> None:
        """Hand the theme to every widget that draws its own colours."""
        for widget in (self.generation, self.charts, self.inspector, self.epochs, self.banner, self.welcome):
            apply = getattr(widget, "apply_theme", None)
            if apply is not None:
                apply(theme)

    def _choose_theme(self, action: QAction) -> None:
        self.settings.theme = action.data()
        self.themes.set_mode(action.data())

    def _show_title_bars(self, shown: bool) -> None:
        for dock in self.docks:
            dock.setTitleBarWidget(None if shown else QWidget(dock))  # type: ignore[arg-type]

    def _reset_layout(self) -> None:
        self.restoreState(self._default_layout)
        for dock in self.docks:
            dock.show()

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
        dialog = QFileDialog(self, self.tr("Open a project"), str(projects_dir()))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self.welcome.open_requested)
        dialog.open()

    # -- events -------------------------------------------------------------------------------------------------

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
            self.close_asked.emit()
        if not self._may_close:  # nobody has called close_now meanwhile
            event.ignore()
            return
        self.settings.geometry = self.saveGeometry()
        if self.project_shown:
            self.settings.layout = self.saveState()
        self.shutdown()
        event.accept()

    def close_now(self) -> None:
        """Close without asking again."""
        self._may_close = True
        self.close()

    def shutdown(self) -> None:
        """End the engine's thread; the window can only be thrown away after this."""
        self.controller.release()
        self.client.shutdown()


def _action(window: QMainWindow, action: QAction, keys: QKeySequence | QKeySequence.StandardKey) -> QAction:
    action.setShortcut(QKeySequence(keys))
    return action


def _open_log() -> None:
    webbrowser.open(log_file().as_uri())
