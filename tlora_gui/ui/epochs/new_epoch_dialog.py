"""Everything that a new epoch needs: its text, its name, and how it is trained."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import (
    QDialog,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from tlora_gui.engine.protocol.config import TrainSettings
from tlora_gui.engine.protocol.events import CorpusSummary
from tlora_gui.engine.protocol.jobs import TrainEpoch
from tlora_gui.paths import free_name
from tlora_gui.ui.epochs.corpus_box import CorpusBox
from tlora_gui.ui.epochs.edit_epoch_dialog import name_problem
from tlora_gui.ui.epochs.settings_box import SettingsBox
from tlora_gui.ui.formats import human_count, human_duration
from tlora_gui.ui.theme import scaled
from tlora_gui.ui.widgets.colour_picker import ColourPicker
from tlora_gui.ui.widgets.drops import local_paths, recognise
from tlora_gui.ui.widgets.layouts import column, fields, label, row
from tlora_gui.ui.widgets.questions import Choice, ask

WIDTH, HEIGHT = 600, 748
_EDGE: tuple[int, int, int, int] = (20, 16, 20, 12)


class NewEpochDialog(QDialog):
    """Asks for a :class:`TrainEpoch`. Open with ``open()``; it deletes itself when it closes."""

    corpus_chosen = Signal(tuple)
    """Paths, whenever they change; answer with ``set_summary`` or ``set_error``."""
    start_requested = Signal(TrainEpoch)

    def __init__(self, settings: TrainSettings | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("newEpochDialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("New epoch"))
        self.setAcceptDrops(True)
        self._taken: tuple[str, ...] = ()
        self._touched = False
        self._name_typed = False
        self._speed: float | None = None
        self._remark = ""
        self._build(settings or TrainSettings())
        self._connect()
        self._update()

    # -- what to show -----------------------------------------------------------------------------------------

    def set_paths(self, paths: Sequence[str]) -> None:
        """Fill in files and folders, as after a drop; ``corpus_chosen`` follows."""
        self._corpus.set_paths(paths)

    def set_names(self, name: str, era: str) -> None:
        """Propose a name, or one like it that is free, and an era; they stay whatever text is chosen."""
        self._name.setText(free_name(name, self._taken.__contains__))
        self._era.setText(era)
        self._name_typed = True

    def set_summarising(self) -> None:
        """The engine looks through the files."""
        self._corpus.set_looking()
        self._update()

    def set_summary(self, summary: CorpusSummary) -> None:
        """What the engine found. An answer about paths that were changed meanwhile is left out."""
        if self._corpus.set_summary(summary) and not self._name_typed and summary.name_guess:
            self._name.setText(free_name(summary.name_guess, lambda name: bool(name_problem(name, self._taken))))
        self._update()

    def set_error(self, message: str, hint: str = "") -> None:
        """The engine could not look through the files."""
        self._corpus.set_error(message, hint)
        self._update()

    def set_taken_names(self, names: Iterable[str]) -> None:
        """Names of the epochs that there are."""
        self._taken = tuple(names)
        self._update()

    def set_first_epoch(self, first: bool) -> None:
        """Whether no earlier epoch is in the mixture, or will be when this one's turn comes."""
        self._settings.set_first_epoch(first)

    def set_interrupted(self, names: Iterable[str]) -> None:
        """Names of interrupted epochs, which this training would end for good; a line warns of it."""
        line = self.tr("{name} is interrupted and can no longer go on once another epoch is trained.")
        self._interrupted.setText("\n".join(line.format(name=name) for name in names))
        self._interrupted.setVisible(bool(self._interrupted.text()))

    def set_used_colours(self, colours: Iterable[str]) -> None:
        """Colours of the epochs that there are; the first other one is proposed."""
        self._colour.choose_first_free(colours)

    def set_speed(self, tokens_per_second: float | None) -> None:
        """Training speed measured last on this machine, for the estimate; None if there is none."""
        self._speed = tokens_per_second
        self._update()

    # -- building ---------------------------------------------------------------------------------------------

    def _build(self, settings: TrainSettings) -> None:
        self._corpus = CorpusBox()
        self._name = QLineEdit()
        self._name.setObjectName("epochNameEdit")
        self._name.setToolTip(self.tr("Name of the epoch, and of its adapter"))
        self._era = QLineEdit()
        self._era.setObjectName("epochEraEdit")
        self._era.setPlaceholderText(self.tr("such as Renaissance era"))
        self._era.setToolTip(self.tr("The time or the kind of text, in your words; can stay empty"))
        self._colour = ColourPicker()
        self._settings = SettingsBox(settings)
        self._name.setAccessibleName(self.tr("Name of the epoch"))
        self._era.setAccessibleName(self.tr("Era of the epoch"))
        names = fields((self.tr("&Name"), self._name), (self.tr("&Era"), self._era), (self.tr("&Colour"), self._colour))
        content = QWidget()
        content.setLayout(
            column(
                column(label(self.tr("Text"), "title"), self._corpus),
                column(label(self.tr("Epoch"), "title"), names),
                column(label(self.tr("Training"), "title"), self._settings),
                None, spacing=18, margins=_EDGE,
            )
        )  # fmt: skip
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidget(content)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout: QVBoxLayout = column(self._scroll, self._footer(), spacing=0)
        layout.setStretch(0, 1)
        self.setLayout(layout)
        self._start.setDefault(True)  # once it is in the dialog: before, Return means the first button
        for edit in self.findChildren(QLineEdit):
            edit.setAcceptDrops(False)  # the dialog takes files wherever they are let go
        self.resize(scaled(WIDTH), min(scaled(HEIGHT), self.screen().availableGeometry().height() - 40))
        self.setMinimumWidth(scaled(480))
        self._corpus.setFocus()

    def _footer(self) -> QWidget:
        self._problem = label("", "problem", wrap=True)
        self._problem.setObjectName("newEpochProblem")
        self._estimate = label("", "caption", wrap=True)
        self._estimate.setObjectName("durationLabel")
        self._interrupted = label("", "caption", wrap=True)
        self._interrupted.setObjectName("interruptedNotice")
        self._interrupted.setTextFormat(Qt.TextFormat.PlainText)
        self._interrupted.hide()
        self._cancel = QPushButton(self.tr("Cancel"))
        self._cancel.setToolTip(self.tr("Close without training"))
        self._cancel.setAutoDefault(False)
        self._start = QPushButton(self.tr("Start training"))
        self._start.setObjectName("startTrainingButton")
        self._start.setProperty("role", "primary")
        self._start.setToolTip(self.tr("Train this epoch now, or after the one that is in training"))
        words = column(self._problem, self._estimate, spacing=2)
        line = row(words, self._cancel, self._start)
        line.setStretch(0, 1)
        footer = QWidget()
        footer.setObjectName("dialogFooter")
        footer.setLayout(column(self._interrupted, line, margins=(20, 12, 20, 16)))
        return footer

    def _connect(self) -> None:
        self._corpus.chosen.connect(self._paths_chosen)
        self._corpus.edited.connect(self._touch)
        self._name.textEdited.connect(self._name_edited)
        self._name.textChanged.connect(self._update)
        self._era.textEdited.connect(self._touch)
        self._colour.colour_chosen.connect(self._touch)
        self._settings.edited.connect(self._touch)
        self._settings.edited.connect(self._update)
        self._settings.advanced.toggled.connect(self._advanced_toggled)
        self._cancel.clicked.connect(self.reject)
        self._start.clicked.connect(self._start_clicked)

    # -- state ------------------------------------------------------------------------------------------------

    def _advanced_toggled(self, is_open: bool) -> None:
        if is_open:
            QTimer.singleShot(0, self._show_advanced)  # once it has its place

    def _show_advanced(self) -> None:
        self._scroll.ensureWidgetVisible(self._settings.advanced, 0, _EDGE[3])

    def _touch(self) -> None:
        self._touched = True

    def _name_edited(self, text: str) -> None:
        self._touched = True
        self._name_typed = bool(text.strip())

    def _paths_chosen(self, paths: tuple[str, ...]) -> None:
        self._remark = ""
        self._update()
        if paths:
            self.corpus_chosen.emit(paths)

    def _update(self) -> None:
        summary = self._corpus.summary
        trainable = summary is not None and not summary.problem
        problem = name_problem(self._name.text().strip(), self._taken)
        shown = problem if trainable or self._name_typed else ""  # an empty form is not a mistake
        shown = shown or self._remark
        self._problem.setText(shown)
        self._problem.setVisible(bool(shown))
        self._start.setEnabled(trainable and not problem)
        self._estimate.setText(self._estimate_text(summary) if summary is not None and trainable else "")

    def _estimate_text(self, summary: CorpusSummary) -> str:
        settings = self._settings.settings()
        read = summary.tokens if settings.max_tokens is None else min(summary.tokens, settings.max_tokens)
        if read < summary.tokens:
            text = self.tr("Reads {read} of {whole} tokens").format(
                read=human_count(read), whole=human_count(summary.tokens)
            )
        else:
            text = self.tr("Reads all {whole} tokens").format(whole=human_count(summary.tokens))
        if settings.num_passes > 1:
            text = self.tr("{text}, {passes} times").format(text=text, passes=settings.num_passes)
        if not self._speed:
            return text
        duration = human_duration(read * settings.num_passes / self._speed)
        return self.tr("{text}, about {duration} at {speed} tokens/s").format(
            text=text, duration=duration, speed=round(self._speed)
        )

    def _start_clicked(self) -> None:
        self._settings.finish()
        self._corpus.take_text()
        self._update()
        if not self._start.isEnabled():
            return
        job = TrainEpoch(
            name=self._name.text().strip(),
            paths=self._corpus.paths(),
            era=self._era.text().strip(),
            colour=self._colour.colour(),
            settings=self._settings.settings(),
        )
        self.start_requested.emit(job)
        self.accept()

    # -- closing and drops ------------------------------------------------------------------------------------

    def reject(self) -> None:
        """Close; asks first if something was typed or chosen here."""
        if not self._touched:
            super().reject()
            return
        title, text = self.tr("Discard this new epoch?"), self.tr("What you have entered here would be lost.")
        choice = Choice("discard", self.tr("Discard"), destructive=True)
        ask(self, title, text, (choice,), self.tr("Go on editing"), self._discard)

    def _discard(self, _key: str) -> None:
        super().reject()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if local_paths(event.mimeData()):
            event.acceptProposedAction()
            self._corpus.set_drop_active(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._corpus.set_drop_active(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._corpus.set_drop_active(False)
        event.acceptProposedAction()
        things = [recognise(path) for path in local_paths(event.mimeData())]
        texts = [thing.path for thing in things if thing.kind == "other"]
        if texts:
            self._touch()
            self.set_paths(texts)
        line = self.tr("{name} is no text to train on, but a project, a model or a saved text.")
        self._remark = "\n".join(line.format(name=thing.name) for thing in things if thing.kind != "other")
        self._update()
