"""Everything that a new epoch needs: its text, its name, and how it is trained."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import (
    QDialog,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from tlora_gui.engine.protocol.config import MAX_NAME, PRESETS, ReadOptions, TrainSettings, with_preset
from tlora_gui.engine.protocol.events import BlocksPreviewed, CorpusSummary, TrainingEstimate
from tlora_gui.engine.protocol.jobs import EstimateTraining, PreviewBlocks, TrainEpoch
from tlora_gui.paths import free_name
from tlora_gui.ui.epochs.corpus_box import CorpusBox, under
from tlora_gui.ui.epochs.edit_epoch_dialog import name_problem
from tlora_gui.ui.epochs.reading_box import ReadingBox
from tlora_gui.ui.epochs.settings_box import MIN_BLOCK, SettingsBox
from tlora_gui.ui.formats import human_bytes, human_count, rough_duration
from tlora_gui.ui.theme import scaled
from tlora_gui.ui.translation import filled, worded
from tlora_gui.ui.widgets.colour_picker import ColourPicker
from tlora_gui.ui.widgets.drops import local_paths, recognise, take_copy
from tlora_gui.ui.widgets.layouts import DIALOG_MARGINS, column, fields, label, put_bar_in_margin, row
from tlora_gui.ui.widgets.questions import Choice, ask

WIDTH, HEIGHT = 600, 748
_ESTIMATE_PAUSE_MS = 500


class NewEpochDialog(QDialog):
    """Asks for a :class:`TrainEpoch`. Open with ``open()``; it deletes itself when it closes.

    Attributes:
        edited: the training that waits and is being changed; None for a new one.
    """

    corpus_chosen = Signal(tuple)
    """Paths, whenever they or :meth:`reading` change; answer with ``set_summary`` or ``set_error``."""
    each_chosen = Signal(tuple)
    """Paths, each of which an epoch of its own is to be made of; answer for every one of them."""
    preview_wanted = Signal(object)
    """PreviewBlocks; answer with ``set_preview``."""
    estimates_wanted = Signal(list)
    """EstimateTraining, the most wanted first; answer with ``set_estimate`` or ``set_no_estimate``."""
    settings_wanted = Signal(str)
    """Slug of an earlier epoch; answer with ``set_settings``."""
    start_requested = Signal(TrainEpoch)

    def __init__(self, settings: TrainSettings | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("newEpochDialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("New epoch"))
        self.setAcceptDrops(True)
        self._taken: tuple[str, ...] = ()
        self._touched = self._chosen = False
        self._name_typed = False
        self._speed: float | None = None
        self._busy = False
        self._remark = ""
        self.edited: TrainEpoch | None = None
        self._parts: dict[str, CorpusSummary | str] = {}
        self._estimates: dict[EstimateTraining, TrainingEstimate | tuple[str, str]] = {}
        self._asking = QTimer(self, singleShot=True, interval=_ESTIMATE_PAUSE_MS)
        self._asking.timeout.connect(self._ask_for_estimates)
        self._build(settings or TrainSettings())
        self._connect()
        self._update()

    # -- what to show -----------------------------------------------------------------------------------------

    def set_paths(self, paths: Sequence[str]) -> None:
        """Fill in files and folders, as after a drop; ``corpus_chosen`` follows."""
        self._corpus.set_paths(paths)

    def set_job(self, job: TrainEpoch) -> None:
        """Fill in text, names and what is read of another training; the name, or one like it that is free, stays."""
        self._name.setText(free_name(job.name, self._taken.__contains__))
        self._era.setText(job.era)
        self._name_typed = True
        if job.colour:
            self._colour.set_colour(job.colour)
        self._reading.set_options(job.reading)
        self.set_paths(job.paths)

    def set_edited(self, job: TrainEpoch) -> None:
        """This is a change of a training that waits."""
        self.edited = job
        self._name.setText(job.name)
        self.setWindowTitle(self.tr("Change a waiting epoch"))
        self._start.setText(self.tr("Apply"))
        self._start.setToolTip(self.tr("Keep its place in the queue, and train it like this"))
        self._update()

    def reading(self) -> ReadOptions:
        """What of the chosen files and folders is read."""
        return self._reading.options()

    def set_summarising(self) -> None:
        """The engine looks through the files."""
        self._corpus.set_looking()
        self._update()

    def set_summary(self, summary: CorpusSummary) -> None:
        """What the engine found. An answer about paths that were changed meanwhile is left out."""
        guess = "" if self._name_typed else summary.name_guess
        if self._each.isChecked() and len(summary.paths) == 1 and summary.paths[0] in self._parts:
            self._parts[summary.paths[0]] = summary
            self._show_parts()
        elif self._corpus.set_summary(summary, self._settings.settings()) and guess:
            self._name.setText(free_name(guess, lambda name: bool(name_problem(name, self._taken))))
        self._update()

    def set_error(self, message: str, hint: str = "", paths: Sequence[str] = ()) -> None:
        """The engine could not look through the files; ``paths`` says which, if not all."""
        if self._each.isChecked() and len(paths) == 1 and paths[0] in self._parts:
            self._parts[paths[0]] = message
            self._show_parts()
        else:
            self._corpus.set_error(message, hint)
        self._update()

    def set_preview(self, preview: BlocksPreviewed) -> None:
        """The beginning of the text, as the model sees it."""
        self._corpus.view.show_blocks(preview)

    def set_settings(self, slug: str, settings: TrainSettings) -> None:
        """The settings of an earlier epoch, as they were asked for."""
        self._settings.set_copied(slug, settings)

    def set_earlier(self, epochs: tuple[tuple[str, str], ...]) -> None:
        """Slug and name of the epochs whose settings can be copied."""
        self._settings.set_earlier(epochs)

    def set_estimate(self, job: EstimateTraining, estimate: TrainingEstimate) -> None:
        """What a training would take, from steps that were tried."""
        self._estimates[job] = estimate
        self._update()

    def set_no_estimate(self, job: EstimateTraining, message: str, hint: str) -> None:
        """Steps could not be tried, and why."""
        self._estimates[job] = message, hint
        self._update()

    def set_busy(self, busy: bool) -> None:
        """Whether an epoch is in training, from which nothing is taken for trying steps."""
        self._busy = busy
        if busy:
            self._estimates = {job: found for job, found in self._estimates.items() if not isinstance(found, tuple)}
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
        self._name.setMaxLength(MAX_NAME)
        self._name.setObjectName("epochNameEdit")
        self._name.setToolTip(self.tr("Name of the epoch, and of its adapter"))
        self._era = QLineEdit()
        self._era.setObjectName("epochEraEdit")
        self._era.setPlaceholderText(self.tr("such as Renaissance era"))
        self._era.setToolTip(self.tr("The time or the kind of text, in your words; can stay empty"))
        self._colour = ColourPicker()
        self._name.setAccessibleName(self.tr("Name of the epoch"))
        self._era.setAccessibleName(self.tr("Era of the epoch"))
        self._reading = ReadingBox()
        self._whole = QRadioButton(self.tr("One epoch of &all"))
        self._whole.setObjectName("oneEpochOfAll")
        self._whole.setToolTip(self.tr("Train one epoch on all these files and folders together"))
        self._each = QRadioButton(self.tr("One epoch eac&h"))
        self._each.setObjectName("oneEpochEach")
        self._each.setToolTip(self.tr("Train one epoch after another, each on one of these files and folders"))
        self._whole.setChecked(True)
        self._split = QWidget()
        self._split.setLayout(row(self._whole, self._each, None, spacing=16))
        self._split.hide()
        more = fields((self.tr("&Era"), self._era), (self.tr("&Colour"), self._colour))
        self._settings = SettingsBox(settings, more, self._reading.form)
        self._name_row = QWidget()
        self._name_row.setLayout(fields((self.tr("&Name"), self._name)))
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        put_bar_in_margin(self._scroll)
        left, top, right, bottom = DIALOG_MARGINS
        content = QWidget()
        content.setLayout(
            column(
                column(label(self.tr("Text"), "title"), self._corpus, self._split),
                column(label(self.tr("Epoch"), "title"), self._name_row, self._settings),
                None, spacing=18, margins=(left, top, right - self._scroll.viewportMargins().right(), bottom),
            )
        )  # fmt: skip
        self._scroll.setWidget(content)
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
        self._warning = label("", "problem", wrap=True)
        self._warning.setObjectName("memoryWarning")
        self._warning.hide()
        words = column(self._interrupted, self._problem, self._warning, self._estimate, spacing=2)
        footer = QWidget()
        footer.setObjectName("dialogFooter")
        footer.setLayout(column(words, row(None, self._cancel, self._start), margins=(20, 12, 20, 16)))
        return footer

    def _connect(self) -> None:
        self._corpus.chosen.connect(self._paths_chosen)
        self._corpus.edited.connect(self._text_chosen)
        self._name.textEdited.connect(self._name_edited)
        self._name.textChanged.connect(self._update)
        self._era.textEdited.connect(self._touch)
        self._colour.colour_chosen.connect(self._touch)
        self._settings.edited.connect(self._touch)
        self._settings.edited.connect(self._settings_edited)
        self._settings.copy_wanted.connect(self.settings_wanted)
        self._reading.edited.connect(self._touch)
        self._reading.edited.connect(self._corpus.look_again)
        self._each.toggled.connect(self._split_toggled)
        self._corpus.view.preview_wanted.connect(self._want_preview)
        self._settings.advanced.toggled.connect(self._advanced_toggled)
        self._cancel.clicked.connect(self.reject)
        self._start.clicked.connect(self._start_clicked)

    # -- state ------------------------------------------------------------------------------------------------

    def _advanced_toggled(self, is_open: bool) -> None:
        if is_open:
            QTimer.singleShot(0, self, self._show_advanced)  # once it has its place

    def _show_advanced(self) -> None:
        advanced = self._settings.advanced
        below = advanced.mapTo(self, QPoint()).y() - self._scroll.y()  # of the top of what is in sight
        bar = self._scroll.verticalScrollBar()
        bar.setValue(bar.value() + below)

    def _touch(self) -> None:
        self._touched = True

    def _text_chosen(self) -> None:
        self._chosen = True

    def _settings_edited(self) -> None:
        self._corpus.show_under(self._settings.settings())
        if self._each.isChecked():
            self._show_parts()
        self._update()

    def _name_edited(self, text: str) -> None:
        self._touched = True
        self._name_typed = bool(text.strip())

    def _paths_chosen(self, paths: tuple[str, ...]) -> None:
        self._remark = ""
        self._split.setVisible(len(paths) > 1 and self.edited is None)
        if len(paths) < 2:
            self._whole.setChecked(True)
        if paths and self._each.isChecked():
            self._look_at_each(paths)
        elif paths:
            self.corpus_chosen.emit(paths)
        self._update()

    def _split_toggled(self, each: bool) -> None:
        self._touch()
        self._name_row.setVisible(not each)  # each is named after its text
        if each:
            self._look_at_each(self._corpus.paths())
        else:
            self._corpus.look_again()

    def _look_at_each(self, paths: tuple[str, ...]) -> None:
        self._parts = dict.fromkeys(paths, "")
        self._show_parts()
        self.each_chosen.emit(paths)

    def _show_parts(self) -> None:
        """What each of several epochs is made of."""
        lines: list[str] = []
        problems: list[str] = []
        settings = self._settings.settings()
        for path, part in self._parts.items():
            found = part if isinstance(part, str) else under(part, settings)
            name = os.path.basename(path.rstrip("/\\")) or path
            problem = found.problem if isinstance(found, CorpusSummary) else found
            if problem:
                problems.append(f"{name}: {worded(problem)}")
            elif isinstance(found, CorpusSummary):
                tokens = self.tr("{n} tokens to train on").format(n=human_count(found.tokens))
                lines.append(f"{name}: {tokens}")
            else:
                lines.append(f"{name}: " + self.tr("looking…"))
        count = len(self._trainable(settings))
        title = self.tr("1 epoch") if count == 1 else filled(self.tr("{count} epochs"), count=count)
        self._corpus.view.show_several(title, lines, problems)

    def _found_texts(self) -> list[CorpusSummary]:
        """What was found: in all together, or in each."""
        found = list(self._parts.values()) if self._each.isChecked() else [self._corpus.summary]
        return [one for one in found if isinstance(one, CorpusSummary)]

    def _trainable(self, settings: TrainSettings) -> list[CorpusSummary]:
        """What epochs can be made of under these settings: one of all, or one each."""
        found = [under(one, settings) for one in self._found_texts()]
        return [one for one in found if not one.problem]

    def _block_problem(self, settings: TrainSettings) -> str:
        """That smaller blocks would do, where the text is too little for these."""
        smaller = replace(settings, block_size=MIN_BLOCK)
        if self._trainable(settings) or not self._trainable(smaller):
            return ""
        line = self.tr("Too little text for blocks of {size} tokens: choose smaller ones under Advanced.")
        return filled(line, size=settings.block_size)

    def _want_preview(self) -> None:
        block = self._settings.settings().block_size
        self.preview_wanted.emit(PreviewBlocks(self._corpus.paths(), self.reading(), block))

    def _update(self) -> None:
        settings = self._settings.settings()
        each, trainable = self._each.isChecked(), self._trainable(settings)
        looking = each and "" in self._parts.values()
        problem = "" if each else name_problem(self._name.text().strip(), self._taken)
        shown = problem if trainable or self._name_typed else ""  # an empty form is not a mistake
        shown = shown or self._remark or self._block_problem(settings)
        self._problem.setText(shown)
        self._problem.setVisible(bool(shown))
        self._start.setEnabled(bool(trainable) and not problem and not looking)
        wanted = self._wanted(settings) if not looking else []
        self._estimate.setText(self._estimate_text(wanted))
        self._estimate.setVisible(bool(wanted))
        warning = self._memory_warning(wanted)
        self._warning.setText(warning)
        self._warning.setVisible(bool(warning))
        self._settings.set_costs({name: self._cost(self._wanted(with_preset(settings, name))) for name in PRESETS})
        if wanted and not self._busy and any(job not in self._estimates for job in self._all_wanted()):
            self._asking.start()
        else:
            self._asking.stop()

    # -- what it takes ----------------------------------------------------------------------------------------

    def _wanted(self, settings: TrainSettings) -> list[EstimateTraining]:
        """What tells how long these settings take, one of each epoch."""
        return [EstimateTraining(settings, summary.tokens) for summary in self._trainable(settings)]

    def _all_wanted(self) -> list[EstimateTraining]:
        settings = self._settings.settings()
        presets = [job for name in PRESETS for job in self._wanted(with_preset(settings, name))]
        return list(dict.fromkeys([*self._wanted(settings), *presets]))

    def _ask_for_estimates(self) -> None:
        if wanted := [job for job in self._all_wanted() if job not in self._estimates]:
            self.estimates_wanted.emit(wanted)

    def _found(self, wanted: list[EstimateTraining]) -> list[TrainingEstimate]:
        """The estimates of all of these, none as long as one is missing."""
        found = [self._estimates.get(job) for job in wanted]
        known = [one for one in found if isinstance(one, TrainingEstimate)]
        return known if len(known) == len(found) else []

    def _cost(self, wanted: list[EstimateTraining]) -> str:
        found = self._found(wanted)
        if not found:
            return ""
        duration = rough_duration(sum(one.seconds for one in found))
        return f"{duration} · {human_bytes(max(one.memory_bytes for one in found))}"

    def _estimate_text(self, wanted: list[EstimateTraining]) -> str:
        """Tokens, steps, time and memory in one line."""
        if not wanted:
            return ""
        settings = wanted[0].settings
        whole = sum(job.tokens for job in wanted)
        read = sum(min(job.tokens, settings.max_tokens or job.tokens) for job in wanted)
        tokens = (
            filled(self.tr("{n} tokens"), n=read)
            if read == whole
            else filled(self.tr("{n} of {whole} tokens"), n=read, whole=whole)
        )
        if settings.num_passes > 1:
            tokens = self.tr("{tokens}, {passes} times").format(tokens=tokens, passes=settings.num_passes)
        steps = sum(_steps(job) for job in wanted)
        parts = [tokens, self.tr("1 step") if steps == 1 else filled(self.tr("{n} steps"), n=steps)]
        if found := self._found(wanted):
            parts.append(self.tr("about {duration}").format(duration=rough_duration(sum(one.seconds for one in found))))
            needed = max(found, key=lambda one: one.memory_bytes)
            if needed.memory_bytes <= needed.free_bytes:  # else the warning says it
                memory, free = human_bytes(needed.memory_bytes), human_bytes(needed.free_bytes)
                parts.append(self.tr("needs {memory}, {free} free").format(memory=memory, free=free))
        elif self._busy or any(isinstance(self._estimates.get(job), tuple) for job in wanted):
            if self._speed:
                duration = rough_duration(read * settings.num_passes / self._speed)
                parts.append(
                    filled(self.tr("about {duration} at {speed} tokens/s"), duration=duration, speed=round(self._speed))
                )
            if self._busy:
                parts.append(self.tr("measured when the machine is free"))
        else:
            parts.append(self.tr("measuring…"))
        return " · ".join(parts)

    def _memory_warning(self, wanted: list[EstimateTraining]) -> str:
        """What to lower where there is too little memory, or why nobody knows."""
        for job in wanted:
            estimate = self._estimates.get(job)
            if isinstance(estimate, tuple):
                return " ".join(map(worded, estimate))
            if estimate is not None and estimate.memory_bytes > estimate.free_bytes:
                text = self.tr("Too little memory: {memory} are needed, {free} are free. {mend}").format(
                    memory=human_bytes(estimate.memory_bytes),
                    free=human_bytes(estimate.free_bytes),
                    mend=self.tr("Lower the batch size.")
                    if job.settings.batch_size > 1
                    else self.tr("Lower the block size, or choose one pass."),
                )
                return text
        return ""

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
            reading=self.reading(),
        )
        if not self._each.isChecked():
            self.start_requested.emit(job)
        taken = [*self._taken]
        for summary in self._trainable(job.settings) if self._each.isChecked() else ():
            name = free_name(summary.name_guess, lambda name: bool(name_problem(name, tuple(taken))))
            taken.append(name)
            self.start_requested.emit(replace(job, name=name, paths=summary.paths, colour=""))
        self.accept()

    # -- closing and drops ------------------------------------------------------------------------------------

    def reject(self) -> None:
        """Close; asks first if something was typed here, or a text chosen."""
        if not (self._touched or (self._chosen and self._may_hold_text())):
            super().reject()
            return
        title, text = self.tr("Discard this new epoch?"), self.tr("What you have entered here would be lost.")
        choice = Choice("discard", self.tr("Discard"), destructive=True)
        ask(self, title, text, (choice,), self.tr("Go on editing"), self._discard)

    def _may_hold_text(self) -> bool:
        """Whether what was chosen holds text, as far as that is known."""
        found = self._found_texts()
        unknown = len(found) < (len(self._parts) if self._each.isChecked() else 1)
        return bool(self._corpus.paths()) and (unknown or any(one.files for one in found))

    def _discard(self, _key: str) -> None:
        super().reject()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if local_paths(event.mimeData()):
            take_copy(event)
            self._corpus.set_drop_active(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._corpus.set_drop_active(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._corpus.set_drop_active(False)
        take_copy(event)
        things = [recognise(path) for path in local_paths(event.mimeData())]
        texts = [thing.path for thing in things if thing.kind == "other"]
        if texts:
            self._chosen = True
            self.set_paths(texts)
        line = self.tr("{name} is no text to train on, but a project, a model or a saved text.")
        self._remark = "\n".join(line.format(name=thing.name) for thing in things if thing.kind != "other")
        self._update()


def _steps(job: EstimateTraining) -> int:
    """Optimiser steps of a training."""
    settings = job.settings
    blocks = max(1, min(job.tokens, settings.max_tokens or job.tokens) // settings.block_size)
    return math.ceil(blocks / settings.batch_size) * settings.num_passes
