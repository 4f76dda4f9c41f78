"""The window's menus: every action that a person can take, with its keys; the command palette lists the same."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QDockWidget, QMainWindow, QMenu

from tlora_gui.ui.settings import LANGUAGES, Language
from tlora_gui.ui.theme import ThemeMode

Keys = str | QKeySequence.StandardKey | None


class Menus(QObject):
    """Builds the menu bar. Its actions are attributes; what they do is connected by those who do it."""

    def __init__(self, window: QMainWindow, docks: Sequence[QDockWidget]) -> None:
        super().__init__(window)
        self._window = window
        self._build_project()
        self._build_epoch()
        self._build_text()
        self._build_view(docks)
        self._build_help()

    def _menu(self, name: str) -> QMenu:
        menu = self._window.menuBar().addMenu(name)
        menu.setToolTipsVisible(True)
        return menu

    def _action(self, menu: QMenu, name: str, text: str, keys: Keys = None) -> QAction:
        action = menu.addAction(text)
        action.setObjectName(name)
        if keys is not None:
            action.setShortcut(QKeySequence(keys))
        return action

    def _build_project(self) -> None:
        menu = self._menu(self.tr("&Project"))
        standard = QKeySequence.StandardKey
        self.new_project = self._action(menu, "newProjectAction", self.tr("&New project…"), standard.New)
        self.open_project = self._action(menu, "openProjectAction", self.tr("&Open project…"), standard.Open)
        self.open_file = self._action(menu, "openProjectFileAction", self.tr("Open a project &file…"))
        self.recent = menu.addMenu(self.tr("Open &recent"))
        self.recent.setToolTipsVisible(True)
        self.pin_project = QAction(self.tr("&Pin the open project"), self, checkable=True)
        self.pin_project.setObjectName("pinProjectAction")
        self.clear_recent = QAction(self.tr("&Clear the list"), self)
        self.clear_recent.setObjectName("clearRecentAction")
        self.clear_recent.setToolTip(self.tr("Pinned projects stay in it"))
        menu.addSeparator()
        self.save_as = self._action(menu, "saveProjectAsAction", self.tr("Save &as…"), "Ctrl+Shift+S")
        self.save_as.setToolTip(self.tr("Copy the project, and go on in the copy"))
        self.duplicate = self._action(menu, "duplicateProjectAction", self.tr("&Duplicate…"))
        self.duplicate.setToolTip(self.tr("Copy the project, and stay here"))
        self.send = self._action(menu, "sendProjectAction", self.tr("&Send as a file…"))
        self.send.setToolTip(self.tr("Write the project to one file for somebody else"))
        menu.addSeparator()
        self.trash = self._action(menu, "trashAction", self.tr("&Trash…"))
        self.close_project = self._action(menu, "closeProjectAction", self.tr("&Close project"))
        menu.addSeparator()
        self.quit = self._action(menu, "quitAction", self.tr("&Quit"), standard.Quit)

    def _build_epoch(self) -> None:
        menu = self._menu(self.tr("&Epoch"))
        self.add_epoch = self._action(menu, "addEpochAction", self.tr("&Add epoch…"), "Ctrl+Shift+E")
        self.import_adapter = self._action(menu, "importAdapterAction", self.tr("&Import an adapter…"), "Ctrl+Shift+I")
        self.evaluate = self._action(menu, "evaluateAction", self.tr("&Measure all on held-out text"))
        self.misrouted = self._action(menu, "misroutedAction", self.tr("&Where the Time Mixer errs…"))
        self.restore_mixer = self._action(menu, "restoreMixerAction", self.tr("Re&store the Time Mixer"))
        self.restore_mixer.setVisible(False)
        self.merge = self._action(menu, "mergeAction", self.tr("M&erge and export…"))
        self.runs = self._action(menu, "runsAction", self.tr("&Runs…"), "Ctrl+Shift+R")

    def _build_text(self) -> None:
        menu = self._menu(self.tr("&Text"))
        standard = QKeySequence.StandardKey
        self.generate = self._action(menu, "generateAction", self.tr("&Generate"))
        self.generate.setShortcuts([QKeySequence("Ctrl+Return"), QKeySequence("Ctrl+Enter")])
        self.stop = self._action(menu, "stopAction", self.tr("&Stop generating"))
        self.again = self._action(menu, "againAction", self.tr("&Again with a new seed"), "Ctrl+R")
        self.more = self._action(menu, "moreAction", self.tr("Write &more"), "Ctrl+Shift+Return")
        self.edit_prompt = self._action(menu, "editPromptAction", self.tr("&Edit the prompt"), "F2")
        self.sweep = self._action(menu, "sweepAction", self.tr("S&weep from slot to slot…"))
        menu.addSeparator()
        self.branch = self._action(menu, "branchAction", self.tr("&Other word at the chosen token…"), "Ctrl+B")
        self.branch_again = self._action(
            menu, "branchAgainAction", self.tr("Again &from the chosen token"), "Ctrl+Shift+B"
        )
        self.predict_counterfactual = self._action(
            menu, "askOthersAction", self.tr("Counterfactuals at the chosen &token"), "Ctrl+E"
        )
        self.back = self._action(menu, "backAction", self.tr("&Undo"), "Alt+Left")
        self.forward = self._action(menu, "forwardAction", self.tr("Re&do"), "Alt+Right")
        for action, keys in ((self.back, "Ctrl+Z"), (self.forward, "Ctrl+Shift+Z")):  # in a text field they are its own
            action.setShortcuts([QKeySequence(keys), *action.shortcuts()])
        menu.addSeparator()
        self.find = self._action(menu, "findAction", self.tr("Fi&nd in the text…"), standard.Find)
        self.copy = self._action(menu, "copyAction", self.tr("&Copy the text"))
        self.copy_rich = self._action(menu, "copyRichAction", self.tr("Copy with co&lours"), "Ctrl+Shift+C")
        self.copy_markdown = self._action(menu, "copyMarkdownAction", self.tr("Copy as Mar&kdown"))
        menu.addSeparator()
        self.open_text = self._action(menu, "openTextAction", self.tr("O&pen a saved text…"), "Ctrl+Shift+O")
        self.save_text = self._action(menu, "saveTextAction", self.tr("Sa&ve the text as…"), standard.Save)
        self.ribbon = self._action(menu, "ribbonAction", self.tr("Mi&x ribbon: smooth, show everything…"))
        self.save_ribbon = self._action(menu, "saveRibbonAction", self.tr("Save the mix &ribbon as a picture…"))
        self.needs_text = (
            self.again,
            self.more,
            self.edit_prompt,
            self.branch,
            self.branch_again,
            self.predict_counterfactual,
            self.find,
            self.copy,
            self.copy_rich,
            self.copy_markdown,
            self.save_text,
            self.ribbon,
            self.save_ribbon,
        )

    def _build_view(self, docks: Sequence[QDockWidget]) -> None:
        menu = self._menu(self.tr("&View"))
        pages = QActionGroup(self)
        self.show_generate = self._page(menu, pages, "showGenerateAction", self.tr("&Generate"), "Ctrl+1")
        self.show_read = self._page(menu, pages, "showReadAction", self.tr("&Read a text"), "Ctrl+2")
        self.show_compare = self._page(menu, pages, "showCompareAction", self.tr("&Compare"), "Ctrl+3")
        self.show_generate.setChecked(True)
        self.mixer_timeline = self._action(menu, "scrubAction", self.tr("&Mixer timeline"), "Ctrl+Shift+M")
        menu.addSeparator()
        self.fold_charts = self._action(menu, "foldChartsAction", self.tr("&Fold the charts, or unfold them"), "Ctrl+J")
        self.samples = self._action(menu, "samplesAction", self.tr("&Samples of the training"), "Ctrl+Shift+J")
        for dock in docks:
            menu.addAction(dock.toggleViewAction())
        self.arrange = self._action(menu, "arrangeAction", self.tr("Re&arrange panels"))
        self.arrange.setCheckable(True)
        self.reset_layout = self._action(menu, "resetLayoutAction", self.tr("Reset &layout"))
        menu.addSeparator()
        self.theme_menu = menu.addMenu(self.tr("&Theme"))
        self.language_menu = menu.addMenu(self.tr("Lang&uage"))

    def _page(self, menu: QMenu, group: QActionGroup, name: str, text: str, keys: str) -> QAction:
        action = self._action(menu, name, text, keys)
        action.setCheckable(True)
        group.addAction(action)
        return action

    def _build_help(self) -> None:
        menu = self._menu(self.tr("&Help"))
        self.palette = self._action(menu, "paletteAction", self.tr("&Find an action…"), "Ctrl+K")
        self.shortcuts = self._action(menu, "shortcutsAction", self.tr("&Keyboard shortcuts"), "F1")
        self.demo = self._action(menu, "demoAction", self.tr("Play the &demo"))
        self.log = self._action(menu, "logAction", self.tr("Show the &log…"))
        self.diagnostics = self._action(menu, "diagnosticsAction", self.tr("Diagnostic &report…"))
        self.about = self._action(menu, "aboutAction", self.tr("&About"))

    # -- choices of one among several -----------------------------------------------------------------------

    def offer_themes(self, chosen: ThemeMode) -> QActionGroup:
        """The theme menu; ``triggered`` of the group carries an action whose data is the mode."""
        names: dict[ThemeMode, str] = {
            "system": self.tr("As the &system"),
            "light": self.tr("&Light"),
            "dark": self.tr("&Dark"),
        }
        return self._choices(self.theme_menu, names, chosen)

    def offer_languages(self, chosen: Language) -> QActionGroup:
        """The language menu, each language in its own words; it takes effect with the next start."""
        names = {"system": self.tr("As the &system"), **LANGUAGES}
        return self._choices(self.language_menu, names, chosen)

    def _choices(self, menu: QMenu, names: dict[Language, str] | dict[ThemeMode, str], chosen: str) -> QActionGroup:
        group = QActionGroup(self)
        for value, name in names.items():
            action = QAction(name, self)
            action.setCheckable(True)
            action.setChecked(value == chosen)
            action.setData(value)
            group.addAction(action)
            menu.addAction(action)
        return group
