"""What the window looks like: epochs at the left, generation in the middle, charts below, the token at the right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QByteArray, QEvent, QObject, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QAction,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeySequence,
    QResizeEvent,
    QShortcut,
)
from PySide6.QtWidgets import (
    QApplication,
    QDockWidget,
    QMainWindow,
    QMessageBox,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from tlora_gui import __version__
from tlora_gui.diagnostics import report
from tlora_gui.engine.protocol.events import ProjectInfo
from tlora_gui.logs import older_logs, tail
from tlora_gui.paths import log_file, projects_dir
from tlora_gui.ui.charts.panel import ChartsPanel
from tlora_gui.ui.epochs.panel import EpochsPanel
from tlora_gui.ui.generation.inspector.inspector import TokenInspector
from tlora_gui.ui.generation.library.generations_panel import GenerationsPanel
from tlora_gui.ui.generation.mixing_desk.mixing_desk import MixingDeskPanel
from tlora_gui.ui.generation.modes import uses_mixer
from tlora_gui.ui.generation.pane import GenerationPane
from tlora_gui.ui.generation.prompt_bar import Page
from tlora_gui.ui.menus import Menus
from tlora_gui.ui.settings import Activity, ChartChoices, WindowSettings
from tlora_gui.ui.theme import Theme, ThemeManager
from tlora_gui.ui.translation import filled, tr
from tlora_gui.ui.widgets.banner import Banner
from tlora_gui.ui.widgets.command_palette import CommandPalette
from tlora_gui.ui.widgets.drops import local_paths, take_copy
from tlora_gui.ui.widgets.elided_label import ElidedLabel
from tlora_gui.ui.widgets.log_dialog import LogDialog
from tlora_gui.ui.widgets.progress_line import ProgressLine
from tlora_gui.ui.widgets.questions import choose_folder
from tlora_gui.ui.widgets.shortcut_sheet import ShortcutSheet
from tlora_gui.ui.widgets.welcome import Welcome

_SIZE = (1280, 800)
_LAYOUT = 3
"""Version of the docks; a layout that was remembered for others is not restored."""
_SIDES, _CHARTS_HEIGHT = (278, 250), 270
"""Pixels, until the person chooses: widths left and right, height below."""


class Workbench(QMainWindow):
    """Lays out the panels, owns menus, docks and their memory, and connects panels that show one thing together.

    It asks nobody for anything: what a person wants of the engine, controls hear from its panels and menus.

    Signals:
        files_dropped: local paths dropped anywhere on the window.
        demo_requested: the demo is to be played, or to stop.
    """

    files_dropped = Signal(list)
    demo_requested = Signal()

    def __init__(self, themes: ThemeManager, settings: WindowSettings) -> None:
        super().__init__()
        self.setObjectName("mainWindow")
        self.setWindowTitle("Temporal LoRA")
        self.setAcceptDrops(True)
        self.setDockNestingEnabled(True)
        self.themes = themes
        self.settings = settings
        self._palette: CommandPalette | None = None
        self._squeezed: dict[QDockWidget, int] = {}
        self._size = QSize()
        self._build()
        self._build_menus()
        self._connect_panels()
        themes.changed.connect(self.apply_theme)
        self.apply_theme(themes.current)
        self.resize(*_SIZE)
        self._default_layout = self.saveState(_LAYOUT)
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
            # one pixel, which a dock under an empty title is short of
            self._dock(self.tr("Charts"), "chartsDock", self.charts, bottom, (0, 0, 0, 1)),
        ]
        _, token, desk, texts, charts = self.docks
        for dock in self.docks:
            dock.installEventFilter(self)
        self.tabifyDockWidget(token, desk)
        self.tabifyDockWidget(desk, texts)
        self.setTabPosition(right, QTabWidget.TabPosition.North)
        token.raise_()
        self.resizeDocks([charts], [_CHARTS_HEIGHT], Qt.Orientation.Vertical)
        self._activity: Activity = "writing"
        self.charts.fold_toggled.connect(self._fold_toggled)
        self.charts.training_began.connect(lambda: self._turn_to("training"))
        self.charts.training_ended.connect(self._training_ended)
        self.generation.text_changed.connect(self.inspector.show_text)
        self.generation.text_changed.connect(self._heighten_charts)  # its report may have gone
        self.generation.page_changed.connect(self._heighten_charts)
        token.visibilityChanged.connect(lambda seen: self.generation.set_telling(not seen))
        self.generation.began.connect(lambda: self._turn_to("writing"))
        self.backbone_label = ElidedLabel("muted")
        self.backbone_label.setObjectName("backboneLabel")
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
        if widget is self.charts:  # folded they take no more than their line
            layout.setSizeConstraint(QVBoxLayout.SizeConstraint.SetMinAndMaxSize)
        dock.setWidget(holder)
        dock.setTitleBarWidget(QWidget(dock))
        self.addDockWidget(area, dock)
        return dock

    def _build_menus(self) -> None:
        self.menus = menus = Menus(self, self.docks)
        menus.quit.triggered.connect(self.close)
        menus.fold_charts.triggered.connect(self._fold_toggled)
        menus.samples.triggered.connect(self._show_samples)
        menus.edit_prompt.triggered.connect(self.generation.edit_prompt)
        menus.sweep.triggered.connect(self._show_sweep)
        menus.arrange.toggled.connect(self._show_title_bars)
        menus.reset_layout.triggered.connect(self._reset_layout)
        menus.palette.triggered.connect(self._open_palette)
        menus.shortcuts.triggered.connect(self._open_shortcuts)
        menus.log.triggered.connect(self._show_log)
        menus.diagnostics.triggered.connect(self._show_diagnostics)
        menus.about.triggered.connect(self._about)
        menus.offer_themes(self.themes.mode).triggered.connect(self._choose_theme)
        menus.offer_languages(self.settings.language).triggered.connect(self._choose_language)
        self._pages: dict[Page, QAction] = {
            "generate": menus.show_generate,
            "read": menus.show_read,
            "compare": menus.show_compare,
        }
        # "?" opens the sheet too, where no text is being typed.
        QShortcut(QKeySequence("?"), self, self._open_shortcuts)

    def _connect_panels(self) -> None:
        menus, pane = self.menus, self.generation
        menus.open_project.triggered.connect(self._ask_for_project)
        menus.demo.triggered.connect(self.demo_requested)
        self.welcome.demo_requested.connect(self.demo_requested)
        self.charts.problem.connect(self.banner.show_error)
        self.charts.set_choices(self.settings.chart_choices)
        self.charts.choices_changed.connect(self._remember_choices)
        self.epochs.epoch_activated.connect(pane.choose_mode)
        pane.mode_changed.connect(lambda mode: self.desk.set_active(uses_mixer(mode)))
        pane.page_changed.connect(lambda page: self._pages[page].setChecked(True))
        pane.paste_clipped.connect(self._show_clipped)
        for page, action in self._pages.items():
            action.triggered.connect(partial(pane.show_page, page))
            action.triggered.connect(lambda: pane.setFocus())
        in_text = (menus.branch, menus.predict_counterfactual, menus.ribbon, menus.mixer_timeline)
        for action in in_text:
            action.triggered.connect(pane.show_text)
        menus.generate.triggered.connect(pane.begin)
        menus.stop.triggered.connect(pane.ask_to_stop)
        menus.find.triggered.connect(pane.find_words)
        menus.copy.triggered.connect(pane.copy_plain)
        menus.copy_rich.triggered.connect(pane.copy_rich)
        menus.copy_markdown.triggered.connect(pane.copy_markdown)
        menus.ribbon.triggered.connect(pane.text_page.ribbon.pop_up_menu)

    # -- what it shows ------------------------------------------------------------------------------------------

    @property
    def project_shown(self) -> bool:
        """Whether a project is on screen, not the welcome."""
        return self.pages.currentWidget() is self.generation

    def show_welcome(self) -> None:
        """The first page: choose a backbone, open a project, play the demo."""
        self._remember_docks()
        self.pages.setCurrentWidget(self.welcome)
        for dock in self.docks:
            dock.hide()
        self._centre.setContentsMargins(8, 0, 8, 0)  # no dock keeps the banner from the window's edges
        self.setWindowTitle("Temporal LoRA")
        self.backbone_label.clear()
        self.welcome.show_idle()
        self._enable_project_actions(False)

    def show_project(self, project: ProjectInfo) -> None:
        """The project's panels."""
        if not self.project_shown:
            self.pages.setCurrentWidget(self.generation)
            self._centre.setContentsMargins(0, 0, 0, 0)
            self._turn_to("writing")
            layout: QByteArray = self.settings.layout
            if layout.isEmpty() or not self.restoreState(layout, _LAYOUT):
                self._restore_default_layout()
            self._heighten_charts()
            self.generation.setFocus()
        self.setWindowTitle(self.tr("{project} – Temporal LoRA").format(project=project.name))
        self._enable_project_actions(True)

    def _enable_project_actions(self, enabled: bool) -> None:
        menus = self.menus
        ours = (
            menus.save_as,
            menus.duplicate,
            menus.send,
            menus.close_project,
            menus.trash,
            menus.add_epoch,
            menus.import_adapter,
            menus.runs,
            menus.samples,
            menus.generate,
            menus.sweep,
            menus.open_text,
            menus.fold_charts,
        )
        for action in (*ours, *self._pages.values()):
            action.setEnabled(enabled)
        # until there is something to measure, to stop, to undo, to work on
        later = (menus.evaluate, menus.merge, menus.stop, menus.back, menus.forward, menus.mixer_timeline)
        for action in (*later, *menus.needs_text):
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

    # -- room for what the person does ---------------------------------------------------------------------------

    def _turn_to(self, activity: Activity) -> None:
        """Give the room to what the person began: charts for a training, else the text; folded as chosen then."""
        self._activity = activity
        self._fold_charts(self.settings.charts_folded(activity))

    @Slot()
    def _training_ended(self) -> None:
        self._activity = "writing"  # the charts stay for a look until something is written

    @Slot()
    def _fold_toggled(self) -> None:
        folded = not self.charts.folded
        self.settings.set_charts_folded(self._activity, folded)
        self.raise_dock(self.charts)
        self._fold_charts(folded)

    @Slot()
    def _show_samples(self) -> None:
        self.raise_dock(self.charts)
        self._fold_charts(False)
        self.charts.show_samples(True)

    @Slot()
    def _show_sweep(self) -> None:
        self.raise_dock(self.desk)
        self.desk.begin_sweep()

    def _fold_charts(self, folded: bool) -> None:
        if folded == self.charts.folded:
            return
        self.charts.set_folded(folded)
        for widget in (self.charts, self.docks[-1].widget()):
            layout = widget.layout()
            assert layout is not None
            layout.activate()
        self._heighten_charts()

    @Slot()
    def _heighten_charts(self) -> None:
        """Give unfolded charts the height that the person gave them, as far as there is room."""
        wanted = self.settings.charts_height or _CHARTS_HEIGHT
        if not self.charts.folded and self.docks[-1].height() < wanted:
            self.resizeDocks([self.docks[-1]], [wanted], Qt.Orientation.Vertical)

    @Slot(object)
    def _remember_choices(self, choices: ChartChoices) -> None:
        self.settings.chart_choices = choices

    @Slot()
    def show_inspector(self) -> None:
        """Bring the inspector to the front."""
        self.raise_dock(self.inspector)

    def remember(self) -> None:
        """Store where the window is and how its docks lie, for the next time."""
        self.settings.geometry = self.saveGeometry()
        self._remember_docks()

    def _remember_docks(self) -> None:
        if self.project_shown:
            self.settings.layout = self.saveState(_LAYOUT)

    @Slot(int, int)
    def _show_clipped(self, whole: int, kept: int) -> None:
        self.banner.show_notice(
            filled(
                self.tr("{whole} characters are more than any prompt can hold; the first {kept} were pasted."),
                whole=whole,
                kept=kept,
            )
        )

    @Slot()
    def _open_palette(self) -> None:
        if self._palette is None:
            self._palette = CommandPalette(self)
        self._palette.open()

    @Slot()
    def _open_shortcuts(self) -> None:
        ShortcutSheet(self, _further_keys()).open()

    @Slot()
    def _show_log(self) -> None:
        note = self.tr("Errors, and what libraries warn of. The file is {path}.").format(path=log_file())
        self._open_log(self.tr("Log"), note, partial(tail, log_file()), log_file().stem, older_logs())

    @Slot()
    def _show_diagnostics(self) -> None:
        note = self.tr(
            "For whoever looks for a fault: versions, machine, settings and log. No text of yours is in it, but names "
            "of folders are. Nothing is sent; read it before you give it to anybody."
        )
        self._open_log(self.tr("Diagnostic report"), note, report, "tlora-gui-report")

    def _open_log(
        self, title: str, note: str, read: Callable[[], str], file_name: str, older: Sequence[Path] = ()
    ) -> None:
        dialog = LogDialog(title, note, read, file_name, self, older)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()

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
        self.settings.forget_charts()
        self._fold_charts(self.settings.charts_folded(self._activity))
        self._restore_default_layout()

    def _restore_default_layout(self) -> None:
        self._squeezed.clear()
        self.restoreState(self._default_layout, _LAYOUT)
        for dock in self.docks:
            dock.show()
        self.resizeDocks(self.docks[:2], _SIDES, Qt.Orientation.Horizontal)  # hidden docks have no widths to restore
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

    @Slot()
    def _ask_for_project(self) -> None:
        choose_folder(self, self.tr("Open a project"), str(projects_dir()), self.welcome.open_requested.emit)

    # -- events -------------------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """What gives way to a small window has its size again in a large one, unless the person drags it."""
        if isinstance(event, QResizeEvent) and isinstance(watched, QDockWidget):
            dragged = self.size() == self._size and bool(QApplication.mouseButtons() & Qt.MouseButton.LeftButton)
            if watched is self.docks[-1]:
                if dragged and not self.charts.folded:
                    self.settings.charts_height = event.size().height()
            elif dragged:
                self._squeezed.pop(watched, None)
            elif self.width() < self._size.width() and event.size().width() < event.oldSize().width():
                self._squeezed.setdefault(watched, event.oldSize().width())
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._squeezed and self.width() > self._size.width():
            self.resizeDocks(list(self._squeezed), list(self._squeezed.values()), Qt.Orientation.Horizontal)
        if self.height() > self._size.height():
            self._heighten_charts()
        self._size = self.size()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if local_paths(event.mimeData()):
            take_copy(event)
            self.epochs.set_drop_active(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.epochs.set_drop_active(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self.epochs.set_drop_active(False)
        paths = local_paths(event.mimeData())
        if paths:
            take_copy(event)
            self.files_dropped.emit(paths)


def _further_keys() -> list[tuple[str, str, str]]:
    """Keys that belong to no action: (part of the window, keys, what they do)."""
    text, ribbon, prompt = tr("In the text"), tr("On the mix ribbon"), tr("In the prompt")
    return [
        (prompt, "Alt+Up / Alt+Down", tr("Earlier and later prompts")),
        (text, "Left / Right", tr("Walk from token to token")),
        (text, "Home / End", tr("First and last token")),
        (text, "Return", tr("Another word at this token")),
        (text, "Esc", tr("Stop generating")),
        (ribbon, "Ctrl+" + tr("wheel"), tr("Zoom")),
        (ribbon, "Shift+" + tr("drag"), tr("Select a stretch of the text")),
    ]
