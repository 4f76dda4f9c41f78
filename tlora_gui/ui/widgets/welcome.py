"""The first thing a person sees: pick a backbone and a folder, open a project, or watch the demo."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QLineEdit,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QWidget,
)

from tlora_gui.engine.protocol.events import Progress
from tlora_gui.paths import free_name, projects_dir
from tlora_gui.ui.formats import human_duration
from tlora_gui.ui.theme import scaled
from tlora_gui.ui.translation import worded
from tlora_gui.ui.widgets.backbone_choice import BackboneChoice
from tlora_gui.ui.widgets.elided_label import ElidedLabel, PathEdit
from tlora_gui.ui.widgets.layouts import Panel, column, label, row
from tlora_gui.ui.widgets.progress_line import amount_text, show_on_bar
from tlora_gui.ui.widgets.questions import choose_folder
from tlora_gui.ui.widgets.recent_list import RecentList
from tlora_gui.ui.widgets.strategy_choice import StrategyChoice

CARD_WIDTH = 600
RECENT_SHOWN = 4
RECENT_BESIDE_PINNED = 2
"""However many are pinned."""


class Welcome(QWidget):
    """First page of the window. Shows either the choices or the progress of what was chosen."""

    create_requested = Signal(str, str, str, object, str)
    """project path, backbone reference; of the Time Mixer its strategy, the block before which it reads (None: any) and
    how it switches"""
    open_requested = Signal(str)
    demo_requested = Signal()
    cancel_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("welcome")
        self._pages = QStackedWidget()
        self._choices, self._progress = self._choices_page(), self._progress_page()
        for page in (self._choices, self._progress):
            self._pages.addWidget(page)
        card = Panel()
        card.setObjectName("welcomeCard")
        card.setProperty("role", "panel")
        card.setFixedWidth(scaled(CARD_WIDTH))
        card.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Maximum)
        sentence = self.tr(
            "Train small adapters on texts of your own, one epoch after another, "
            "and see which of them writes every word."
        )
        card.setLayout(
            column(
                label(self.tr("Temporal LoRA"), "display"), label(sentence, "muted", wrap=True), self._pages,
                spacing=16, margins=(28, 20, 28, 20),
            )
        )  # fmt: skip
        inner = QWidget()
        inner.setLayout(column(None, row(None, card, None), None, margins=(12, 12, 12, 12)))
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inner)
        self.setLayout(column(scroll))
        self.recent.open_requested.connect(self.open_requested)
        self.show_idle()

    def show_progress(self, progress: Progress) -> None:
        """Show that what was asked is under way."""
        self._progress_label.setText(worded(progress.label))
        self._amount.setText(amount_text(progress))
        left = "" if progress.eta_s is None else human_duration(progress.eta_s)
        self._time.setText(self.tr("{time} left").format(time=left) if left else "")
        show_on_bar(self._bar, progress)
        self._turn_to(self._progress)

    def choose_backbone(self, path: str) -> None:
        """Choose a model folder or a .gguf file for the next project."""
        self._backbone.choose_local(path)

    def show_idle(self) -> None:
        """Show the choices again."""
        if os.path.isdir(self._project_path()):
            self._name.setText(self._free_name(self._folder_path()))
        self._turn_to(self._choices)
        self._update_create()

    def set_recent(self, recent: Sequence[str], pinned: Sequence[str] = ()) -> None:
        """Offer projects that were opened before, pinned ones first, then the latest."""
        shown = recent[: max(RECENT_BESIDE_PINNED, RECENT_SHOWN - len(pinned))]
        self.recent.set_projects(pinned, shown)
        self._recent_title.setVisible(bool(shown or pinned))

    def _turn_to(self, page: QWidget) -> None:
        # The card is as high as the page that is shown, not as the highest one.
        for other in (self._choices, self._progress):
            policy = QSizePolicy.Policy.Preferred if other is page else QSizePolicy.Policy.Ignored
            other.setSizePolicy(QSizePolicy.Policy.Preferred, policy)
        self._pages.setCurrentWidget(page)

    # -- the choices ------------------------------------------------------------------------------------------

    def _choices_page(self) -> QWidget:
        self._backbone = BackboneChoice()
        self._backbone.changed.connect(self._update_create)
        self._backbone.return_pressed.connect(self._create_clicked)
        self._strategy = StrategyChoice()
        self._problem = label("", "danger", wrap=True)
        self._problem.setObjectName("welcomeProblem")
        self._create = QPushButton(self.tr("Create project"))
        self._create.setObjectName("createProjectButton")
        self._create.setProperty("role", "primary")
        self._create.setToolTip(self.tr("Make the project folder and load the backbone"))
        self._create.clicked.connect(self._create_clicked)
        open_button = QPushButton(self.tr("Open a project…"))
        open_button.setObjectName("openProjectButton")
        open_button.setToolTip(self.tr("Open a project folder that was made before"))
        open_button.clicked.connect(self._choose_project)
        demo = QPushButton(self.tr("Play the demo"))
        demo.setObjectName("demoButton")
        demo.setToolTip(self.tr("Train on Shakespeare's plays, then on Python's standard library, then generate"))
        demo.clicked.connect(self.demo_requested)
        self._recent_title = label(self.tr("Recent projects"), "title")
        self._recent_title.hide()
        self.recent = RecentList()
        page = QWidget()
        page.setLayout(
            column(
                column(label(self.tr("Backbone"), "title"), self._backbone),
                self._strategy,
                column(label(self.tr("Project"), "title"), self._project_fields(), self._problem),
                row(open_button, demo, None, self._create),
                column(self._recent_title, self.recent, spacing=4),
                spacing=17,
            )
        )  # fmt: skip
        return page

    def _project_fields(self) -> QWidget:
        folder = projects_dir()
        self._name = QLineEdit(self._free_name(folder))
        self._name.setObjectName("projectNameEdit")
        self._name.setAccessibleName(self.tr("Project name"))
        self._name.setToolTip(self.tr("Name of the project and of its folder"))
        self._name.setFixedWidth(180)
        self._folder = PathEdit(str(folder))
        self._folder.setObjectName("projectPlaceEdit")
        self._folder.setAccessibleName(self.tr("Folder that holds the project"))
        self._folder.setToolTip(self.tr("The project becomes a folder in here"))
        for edit in (self._name, self._folder):
            edit.setAcceptDrops(False)  # files are left to the window
            edit.textChanged.connect(self._update_create)
            edit.returnPressed.connect(self._create_clicked)
        browse = QPushButton(self.tr("Browse…"))
        browse.setToolTip(self.tr("Choose where the project folder goes"))
        browse.setAccessibleName(self.tr("Choose where the project folder goes"))
        browse.clicked.connect(self._choose_folder)
        fields = QWidget()
        fields.setLayout(row(self._name, label(self.tr("in"), "muted"), self._folder, browse))
        return fields

    def _free_name(self, folder: Path) -> str:
        """A name for a new project that ``folder`` does not hold yet."""
        return free_name(self.tr("My project"), lambda name: os.path.exists(folder / name))

    def _folder_path(self) -> Path:
        return Path(os.path.expanduser(self._folder.text().strip()))

    def _project_path(self) -> Path:
        return self._folder_path() / self._name.text().strip()

    def _find_problem(self) -> str:
        name, folder = self._name.text().strip(), self._folder.text().strip()
        if not name or name in (".", "..") or any(sign in name for sign in '/\\:*?"<>|'):
            return self.tr("Give the project a name that can be a folder's name.")
        if not folder:
            return self.tr("Choose a folder for the project.")
        if os.path.exists(self._project_path()):
            return self.tr("There is already something of that name in this folder. Choose another name, or open it.")
        return ""

    def _update_create(self) -> None:
        problem = self._find_problem()
        self._problem.setText(problem)
        self._problem.setVisible(bool(problem))
        self._create.setEnabled(not problem and bool(self._backbone.reference()))

    def _create_clicked(self) -> None:
        self._update_create()
        if self._create.isEnabled():
            mixer = (self._strategy.strategy(), self._strategy.mixer_layer(), self._strategy.switching())
            self.create_requested.emit(str(self._project_path()), self._backbone.reference(), *mixer)

    def _choose_project(self) -> None:
        choose_folder(self, self.tr("Open a project"), self._folder.text(), self.open_requested.emit)

    def _choose_folder(self) -> None:
        choose_folder(self, self.tr("Folder for the project"), self._folder.text(), self._folder.setText)

    # -- progress ---------------------------------------------------------------------------------------------

    def _progress_page(self) -> QWidget:
        self._progress_label = label("", "title", wrap=True)
        self._bar = QProgressBar()
        self._bar.setObjectName("welcomeProgressBar")
        self._bar.setAccessibleName(self.tr("Progress"))
        self._bar.setTextVisible(False)
        self._amount = ElidedLabel("muted")
        self._time = label("", "muted")
        cancel = QPushButton(self.tr("Cancel"))
        cancel.setObjectName("cancelButton")
        cancel.setToolTip(self.tr("Stop and leave nothing half done"))
        cancel.clicked.connect(self.cancel_requested)
        page = QWidget()
        page.setLayout(
            column(self._progress_label, self._bar, row(self._amount, self._time), row(None, cancel), spacing=10)
        )
        return page
