"""The queue of trainings in the real window, with a scripted engine in its thread."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from kit import WaitUntil, button, child, click, drop, edit, file_drag, plain, question, said
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QSystemTrayIcon
from whole_window import open_project, window_around

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import EPOCH_COLOURS, TrainSettings
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import (
    BackboneInfo,
    BlocksPreviewed,
    CorpusSummarised,
    CorpusSummary,
    EpochFinished,
    EpochInfo,
    EpochsChanged,
    Progress,
    ProjectInfo,
    ProjectOpened,
    SettingsLoaded,
    StreamEvent,
    TokenPiece,
    TrainingEstimate,
    TrainStarted,
)
from tlora_gui.engine.protocol.texts import SlotInfo
from tlora_gui.ui.epochs.new_epoch_dialog import NewEpochDialog
from tlora_gui.ui.widgets.colour_picker import ColourPicker
from tlora_gui.ui.window import MainWindow

PLAYS = EpochInfo("plays", "Plays", "", "#0072B2", "frozen", 400_000, 3.44, 4.04)
SLOTS = (SlotInfo("", "Eternity", "#8A919C"), SlotInfo("plays", "Plays", "#0072B2"))
LEFT = EpochInfo("left", "Left", "", "#56B4E9", "interrupted", 512, note="stopped after step 3 of 9")
A, B, C = (jobs.TrainEpoch(name, (f"/{name}",)) for name in "ABC")
LONG = TrainSettings(num_passes=9)


class Engine:
    """Trains until ``held`` no longer names an epoch; keeps the queue between two openings as a project does."""

    def __init__(self) -> None:
        self.held = {"A", "B", "C"}
        self.broken, self.leaves = set[str](), set[str]()
        self.trained: list[str] = []
        self.begun: list[str] = []
        self.kept: tuple[jobs.NewEpoch, ...] = ()
        self.epochs = (PLAYS,)
        self.asked: list[jobs.Job] = []

    def run(self, job: jobs.Job, cancel: CancelToken) -> Iterator[StreamEvent]:
        self.asked.append(job)
        match job:
            case jobs.OpenProject():
                backbone = BackboneInfo("Tiny", "tiny", 1000, "CPU", "float32", 256, 4, 1)
                name = Path(job.path).name
                yield ProjectOpened(
                    ProjectInfo(job.path, name, backbone, "gating", self.epochs, SLOTS, (), None, waiting=self.kept)
                )
            case jobs.KeepQueue():
                self.kept = job.waiting
            case jobs.SummariseCorpus():
                name = Path(job.paths[0]).stem.title()
                yield CorpusSummarised(CorpusSummary(job.paths, name, 3, 1, 90_000, 9000, False, (), (), "O gentle"))
            case jobs.EstimateTraining():
                yield Progress("Trying some steps")
                yield TrainingEstimate(100, 40.0, 1_200_000_000, 19_000_000_000)
            case jobs.PreviewBlocks():
                yield BlocksPreviewed(((TokenPiece(7, "O"),),), 0.0)
            case jobs.LoadSettings():
                yield SettingsLoaded(job.slug, LONG)
            case jobs.TrainEpoch() | jobs.ImportAdapter():
                yield from self._train(job.name, cancel)
            case jobs.ResumeEpoch():
                yield from self._train(job.slug.title(), cancel)

    def _train(self, name: str, cancel: CancelToken) -> Iterator[StreamEvent]:
        self.begun.append(name)
        epoch = EpochInfo(name.lower(), name, "", "#E69F00", "training")
        yield TrainStarted(epoch, 100, 0)
        while name in self.held:
            cancel.raise_if_cancelled()
            yield Progress("Training")
        if name in self.broken:
            self.epochs += (replace(epoch, state="interrupted"),) if name in self.leaves else ()
            yield EpochsChanged(self.epochs, SLOTS)
            raise TloraError("The disk is full.")
        self.trained.append(name)
        self.epochs = (*(each for each in self.epochs if each.slug != epoch.slug), replace(epoch, state="frozen"))
        yield EpochsChanged(self.epochs, SLOTS)
        yield EpochFinished(self.epochs[-1])

    def close(self) -> None:
        """Nothing is held."""

    def let_go(self, *names: str) -> None:
        self.held -= {*names}


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def window(
    no_widget_survives: None, engine: Engine, monkeypatch: pytest.MonkeyPatch, wait_until: WaitUntil, tmp_path: Path
) -> Iterator[MainWindow]:
    made = window_around(engine, monkeypatch)
    open_project(made, wait_until, tmp_path / "project")
    yield made
    engine.held.clear()
    made.close_now()


def names(window: MainWindow) -> list[str]:
    return [job.name for job in window.controller.training.jobs.values() if isinstance(job, jobs.NewEpoch)]


def train(window: MainWindow, *wanted: jobs.NewEpoch) -> None:
    for job in wanted:
        window.controller.training.train(job)


def dialog_of(window: MainWindow) -> NewEpochDialog:
    dialog = window.controller.training.dialog
    assert dialog is not None
    return dialog


def test_trainings_go_one_after_another_in_the_order_that_they_were_given(
    window: MainWindow, engine: Engine, wait_until: WaitUntil
) -> None:
    train(window, A, B, C)
    window.epochs.queue_moved.emit(1, 0)
    assert names(window) == ["A", "C", "B"]
    engine.held.clear()
    wait_until(lambda: not window.controller.training.jobs)
    assert engine.trained == ["A", "C", "B"]


def test_what_waits_is_kept_with_the_project_and_what_has_begun_is_not(
    window: MainWindow, engine: Engine, wait_until: WaitUntil
) -> None:
    train(window, A, B, C)
    wait_until(lambda: engine.kept == (B, C))
    window.epochs.unqueue_requested.emit(0)
    wait_until(lambda: engine.kept == (C,))
    engine.let_go("A")
    wait_until(lambda: engine.kept == ())
    assert engine.begun == ["A", "C"]


def test_a_queue_outlives_the_window_and_begins_when_it_is_asked_to(
    window: MainWindow, engine: Engine, wait_until: WaitUntil, tmp_path: Path
) -> None:
    engine.kept = (B, C)
    window.controller.projects.close()
    wait_until(lambda: not window.client.busy)
    assert names(window) == []
    open_project(window, wait_until, tmp_path / "project")
    assert names(window) == ["B", "C"] and engine.begun == [] and engine.kept == (B, C)
    assert child(window.banner, "bannerMessage", QLabel).text() == "Still to be trained: B, C."
    click(window.banner, "Train now")
    wait_until(lambda: engine.begun == ["B"])
    engine.held.clear()
    wait_until(lambda: engine.trained == ["B", "C"])


def test_an_import_that_waits_is_kept_and_taken_up_too(
    window: MainWindow, engine: Engine, wait_until: WaitUntil, tmp_path: Path
) -> None:
    adapter = jobs.ImportAdapter("owner/adapter", "C", paths=("/texts",), bare_router=True)
    train(window, A, adapter)
    wait_until(lambda: engine.kept == (adapter,))
    engine.held.clear()
    wait_until(lambda: engine.trained == ["A", "C"] and not window.client.busy)
    engine.kept = (adapter,)
    window.controller.projects.close()
    open_project(window, wait_until, tmp_path / "project")
    assert names(window) == ["C"] and engine.begun == ["A", "C"]
    click(window.banner, "Train now")
    wait_until(lambda: engine.trained == ["A", "C", "C"])


def test_a_new_training_begins_at_once_where_a_kept_queue_is_not_taken_up(
    window: MainWindow, engine: Engine, wait_until: WaitUntil, tmp_path: Path
) -> None:
    engine.kept = (B,)
    window.controller.projects.close()
    open_project(window, wait_until, tmp_path / "project")
    train(window, A)
    engine.let_go("A")
    wait_until(lambda: engine.trained == ["A"])
    wait_until(lambda: not window.client.busy)
    assert names(window) == ["B"] and engine.kept == (B,)


def test_while_all_is_paused_nothing_begins(window: MainWindow, engine: Engine, wait_until: WaitUntil) -> None:
    train(window, A, B)
    wait_until(lambda: engine.begun == ["A"])
    click(window.epochs, "pauseAllButton")
    train(window, C)
    assert names(window) == ["A", "B", "C"] and button(window.epochs, "pauseButton").text() == "Resume"
    window.epochs.stop_requested.emit(next(iter(window.controller.training.jobs)), "discard")
    wait_until(lambda: names(window) == ["B", "C"])
    assert engine.begun == ["A"] and not window.controller.training._awake.held
    click(window.epochs, "pauseAllButton")
    engine.held.clear()
    wait_until(lambda: engine.trained == ["B", "C"])


def test_a_new_epoch_is_offered_a_colour_that_no_epoch_on_its_way_has(
    window: MainWindow, engine: Engine, wait_until: WaitUntil
) -> None:
    taken = [colour for colour in EPOCH_COLOURS if colour != PLAYS.colour]
    train(window, *(replace(job, colour=colour) for job, colour in zip((A, B), taken, strict=False)))
    window.controller.training.new_epoch([])
    picker = dialog_of(window).findChild(ColourPicker)
    assert picker is not None and picker.colour() == taken[2]


def test_a_waiting_training_is_changed_in_its_place(window: MainWindow, engine: Engine, wait_until: WaitUntil) -> None:
    train(window, A, B, C)
    window.epochs.queue_edit_requested.emit(0)
    dialog = dialog_of(window)
    start = button(dialog, "startTrainingButton")
    wait_until(start.isEnabled)
    assert (edit(dialog, "epochNameEdit").text(), start.text()) == ("B", "Apply")
    edit(dialog, "epochNameEdit").setText("Better")
    click(dialog, "startTrainingButton")
    assert names(window) == ["A", "Better", "C"]
    engine.held.clear()
    wait_until(lambda: engine.trained == ["A", "Better", "C"])


def test_a_change_that_comes_too_late_makes_no_second_training(
    window: MainWindow, engine: Engine, wait_until: WaitUntil
) -> None:
    train(window, A, B)
    window.epochs.queue_edit_requested.emit(0)
    dialog = dialog_of(window)
    wait_until(button(dialog, "startTrainingButton").isEnabled)
    engine.let_go("A")
    wait_until(lambda: engine.begun == ["A", "B"])
    click(dialog, "startTrainingButton")
    assert names(window) == ["B"] and "has begun already" in said(window.banner)


def test_a_failed_training_lets_the_next_one_begin(window: MainWindow, engine: Engine, wait_until: WaitUntil) -> None:
    engine.broken = {"A"}
    train(window, A, B)
    engine.held.clear()
    wait_until(lambda: engine.trained == ["B"])


def test_what_was_interrupted_goes_on_before_what_waits(
    window: MainWindow, engine: Engine, wait_until: WaitUntil, tmp_path: Path
) -> None:
    engine.epochs, engine.kept = (PLAYS, LEFT), (B, C)
    window.controller.projects.close()
    open_project(window, wait_until, tmp_path / "project")
    engine.held.clear()
    click(window.epochs, "pauseAllButton")
    wait_until(lambda: engine.trained == ["Left", "B", "C"])


def test_what_can_not_go_on_is_not_asked_to(
    window: MainWindow, engine: Engine, wait_until: WaitUntil, tmp_path: Path
) -> None:
    engine.epochs, engine.kept = (PLAYS, replace(LEFT, goes_on=False)), (B,)
    window.controller.projects.close()
    open_project(window, wait_until, tmp_path / "project")
    offered = {each.objectName() for each in window.epochs.findChildren(QPushButton) if each.isVisible()}
    assert offered & {"resumeButton", "keepInterruptedButton", "discardInterruptedButton"} == {
        "discardInterruptedButton"
    }
    assert window.controller.training.ended_by_another() == []
    engine.held.clear()
    click(window.banner, "Train now")
    wait_until(lambda: engine.trained == ["B"])


def test_what_fails_on_its_way_and_goes_on_holds_up_what_would_end_it(
    window: MainWindow, engine: Engine, wait_until: WaitUntil
) -> None:
    engine.broken, engine.leaves = {"A"}, {"A"}
    train(window, A, B)
    engine.held.clear()
    wait_until(lambda: not window.client.busy)
    assert engine.begun == ["A"] and names(window) == ["B"]
    engine.broken.clear()
    click(window.epochs, "pauseAllButton")
    wait_until(lambda: engine.trained == ["A", "B"])


def test_closing_keeps_the_queue(window: MainWindow, engine: Engine, wait_until: WaitUntil) -> None:
    train(window, A, B, C)
    wait_until(lambda: engine.kept == (B, C))
    window.close()
    assert "Those that wait their turn (2) are kept for the next start." in said_by_question(window)
    click(window, "discardButton")  # of the one that has learned nothing
    wait_until(lambda: not window.isVisible())
    assert engine.kept == (B, C) and engine.begun == ["A"]


def said_by_question(window: MainWindow) -> str:
    return question(window).informativeText()


# -- before it begins -----------------------------------------------------------------------------------------------


def test_several_dropped_folders_become_an_epoch_each(
    window: MainWindow, engine: Engine, wait_until: WaitUntil, tmp_path: Path
) -> None:
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        folder.mkdir()
    drop(window.epochs, file_drag(folders))
    dialog = dialog_of(window)
    click(dialog, "oneEpochEach")
    wait_until(button(dialog, "startTrainingButton").isEnabled)
    click(dialog, "startTrainingButton")
    assert names(window) == ["A", "B"]
    engine.held.clear()
    wait_until(lambda: engine.trained == ["A", "B"])


def test_steps_are_tried_for_what_is_chosen_and_told(window: MainWindow, engine: Engine, wait_until: WaitUntil) -> None:
    window.controller.training.new_epoch(["/texts/verse"])
    line = child(dialog_of(window), "durationLabel", QLabel)
    wait_until(lambda: "about 40 s · needs 1.2 GB, 19 GB free" in plain(line.text()))
    assert not window.progress_line.isVisible()


def test_a_probe_never_disturbs_a_training(window: MainWindow, engine: Engine, wait_until: WaitUntil) -> None:
    train(window, A)
    window.controller.training.new_epoch(["/texts/verse"])
    line = child(dialog_of(window), "durationLabel", QLabel)
    wait_until(lambda: "measured when the machine is free" in line.text())
    assert not any(isinstance(job, jobs.EstimateTraining) for job in engine.asked)
    engine.let_go("A")
    wait_until(lambda: "19 GB free" in plain(line.text()))


def test_the_last_settings_are_remembered(window: MainWindow, engine: Engine, wait_until: WaitUntil) -> None:
    window.controller.training.new_epoch(["/texts/verse"])
    dialog = dialog_of(window)
    wait_until(button(dialog, "startTrainingButton").isEnabled)
    presets = child(dialog, "presetCombo")
    presets.setCurrentIndex(presets.findData("epoch:plays"))
    presets.activated.emit(presets.currentIndex())
    wait_until(lambda: presets.currentText() == "Settings of Plays")
    click(dialog, "startTrainingButton")
    (job,) = window.controller.training.jobs.values()
    assert isinstance(job, jobs.TrainEpoch) and job.settings == LONG
    window.controller.training.new_epoch([])
    assert child(dialog_of(window), "passesSpin").value() == 9
    dialog_of(window).close()
    window.controller.training.new_epoch([], TrainSettings())
    assert child(dialog_of(window), "passesSpin").value() == 1


def test_the_blocks_are_shown_in_the_dialog(window: MainWindow, engine: Engine, wait_until: WaitUntil) -> None:
    window.controller.training.new_epoch(["/texts/verse"])
    dialog = dialog_of(window)
    wait_until(lambda: button(dialog, "previewButton").isVisible())
    click(dialog, "previewButton")
    wait_until(lambda: "Block 1" in child(dialog, "blockTokens").toPlainText())


# -- news at the end ------------------------------------------------------------------------------------------------


def test_the_end_of_the_queue_is_told_to_who_looks_elsewhere(
    window: MainWindow, engine: Engine, wait_until: WaitUntil, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    alerted: list[object] = []
    monkeypatch.setattr(QApplication, "alert", lambda widget, msec=0: alerted.append(widget))
    monkeypatch.setattr(window, "isActiveWindow", lambda: False)
    train(window, A, B)
    engine.held.clear()
    wait_until(lambda: alerted == [window])
    attention = window.controller.attention
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda *_: True)
    monkeypatch.setattr(QSystemTrayIcon, "supportsMessages", lambda *_: True)
    monkeypatch.setattr(attention, "showMessage", lambda title, text, *rest: told.append(text))
    monkeypatch.setattr(window.controller.training._awake, "_start", lambda: None)
    train(window, C)
    assert window.controller.training._awake.held
    wait_until(lambda: told)
    assert told == ["C is trained."] and not window.controller.training._awake.held
    monkeypatch.setattr(window, "isActiveWindow", lambda: True)
    attention.tell("nobody needs this")
    assert told == ["C is trained."]
