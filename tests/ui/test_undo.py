"""Undo, redo and the trash in the real window, with a scripted engine in its thread that can refuse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from kit import WaitUntil, button, child, click, plain, question, said
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPlainTextEdit, QTableWidget
from whole_window import a_generation, open_project, window_around

from tlora_gui.engine.projects.records import summary_of
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import (
    BackboneInfo,
    EpochFinished,
    EpochInfo,
    EpochsChanged,
    GenerationsListed,
    Progress,
    ProjectInfo,
    ProjectOpened,
    RunsListed,
    StreamEvent,
    TrainStarted,
    TrashItem,
    TrashListed,
)
from tlora_gui.ui.formats import short
from tlora_gui.ui.widgets.trash_dialog import TrashDialog
from tlora_gui.ui.window import MainWindow

PLAYS = EpochInfo("plays", "Plays", "", "#0072B2", "frozen", 400_000, 3.44, 4.04)
CODE = EpochInfo("code", "Code & such", "", "#E69F00", "frozen", 400_000, 2.4, 2.8)
TEXTS = tuple(summary_of(replace(a_generation(), id=id, name=name)) for id, name in (("1", "One"), ("2", "Two")))
TRASH = (
    TrashItem("epoch", "verse", "Verse", 1.7e9, 23_000_000),
    TrashItem("text", "9", "def  f", 1.7e9 - 60, 12_000, others=2),
    TrashItem("run", "0012-verse", "Verse", 0.0, 900),
)
A, B, C = (jobs.TrainEpoch(name, (f"/{name}",)) for name in "ABC")


class Engine:
    """Keeps epochs and texts; refuses the jobs in ``refused``; trains while ``training``."""

    def __init__(self) -> None:
        self.epochs = {"plays": PLAYS, "code": CODE}
        self.texts = dict.fromkeys(("1", "2"), "")
        self.gone: dict[str, EpochInfo] = {}
        self.trash = TRASH
        self.training = True
        self.refused: list[jobs.Job] = []
        self.asked: list[jobs.Job] = []

    def run(self, job: jobs.Job, cancel: CancelToken) -> Iterator[StreamEvent]:
        self.asked.append(job)
        if job in self.refused:
            raise TloraError("The engine refuses.", "Try another time.")
        match job:
            case jobs.OpenProject() | jobs.FollowProject():
                yield ProjectOpened(self._project(job.path))
            case jobs.TrainEpoch():
                yield TrainStarted(EpochInfo(job.name.lower(), job.name, "", "#009E73", "training"), 100, 0)
                while self.training:
                    cancel.raise_if_cancelled()
                    yield Progress("Training")
                yield EpochFinished(EpochInfo(job.name.lower(), job.name, "", "#009E73", "frozen"))
            case jobs.EditEpoch():
                epoch = self.epochs[job.slug]
                self.epochs[job.slug] = replace(epoch, name=job.name, era=job.era, colour=job.colour)
                yield EpochsChanged(tuple(self.epochs.values()), (), ())
            case jobs.DeleteEpoch():
                self.gone[job.slug] = self.epochs.pop(job.slug)
                yield EpochsChanged(tuple(self.epochs.values()), (), ())
            case jobs.RestoreEpoch():
                self.trash = tuple(item for item in self.trash if item.id != job.slug)
                self.epochs[job.slug] = self.gone.pop(job.slug, replace(PLAYS, slug=job.slug, name="Back"))
                yield ProjectOpened(self._project(""))
            case jobs.DeleteGeneration():
                self.texts[job.id] = "" if job.restore else "deleted"
            case jobs.ListTrash():
                yield TrashListed(self.trash)
            case jobs.EmptyTrash():
                self.trash = ()
                yield TrashListed(())
            case jobs.DeleteRun():
                yield RunsListed((), 200)
        if isinstance(job, jobs.ListGenerations | jobs.DeleteGeneration | jobs.EditGeneration):
            yield GenerationsListed(tuple(text for text in TEXTS if not self.texts[text.id]))

    def _project(self, path: str) -> ProjectInfo:
        backbone = BackboneInfo("Tiny", "tiny", 1000, "CPU", "float32", 256, 4, 1)
        return ProjectInfo(path, "Plays", backbone, "gating", tuple(self.epochs.values()), (), (), a_generation())

    def close(self) -> None:
        """Nothing is held."""

    @property
    def changes(self) -> list[jobs.Job]:
        """What was asked for that changes the project."""
        kinds = (jobs.EditEpoch, jobs.DeleteEpoch, jobs.RestoreEpoch, jobs.EditGeneration, jobs.DeleteGeneration)
        return [job for job in self.asked if isinstance(job, (*kinds, jobs.DeleteRun))]


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
    engine.training = False
    made.close_now()


def idle(window: MainWindow, wait_until: WaitUntil) -> None:
    wait_until(lambda: not window.client.busy)


def steps(window: MainWindow) -> tuple[str, str]:
    """What the menu offers to undo and to redo; nothing where it offers nothing."""
    actions = (window.menus.back, window.menus.forward)
    return tuple(action.text().partition(": ")[2] if action.isEnabled() else "" for action in actions)  # type: ignore[return-value]


def rename(window: MainWindow, name: str) -> None:
    window.epochs.edit_requested.emit("plays", name, "", PLAYS.colour)


def waiting(window: MainWindow) -> list[str]:
    training = window.controller.training
    names = [job.name for job in training.jobs.values() if isinstance(job, jobs.TrainEpoch)]
    return names[len(names) - training.waiting :]


# -- epochs ---------------------------------------------------------------------------------------------------------


def test_each_step_is_named_undone_and_done_again(window: MainWindow, engine: Engine, wait_until: WaitUntil) -> None:
    assert steps(window) == ("", "")
    rename(window, "Dramas")
    idle(window, wait_until)
    window.epochs.delete_requested.emit("code")
    idle(window, wait_until)
    assert steps(window) == ("delete Code && such", "") and window.menus.back.text() == "&Undo: delete Code && such"
    assert button(window.texts, "undoBranchButton").toolTip() == "Undo: delete Code & such"
    window.menus.back.trigger()
    idle(window, wait_until)
    assert steps(window) == ("rename Plays", "delete Code && such")
    window.menus.back.trigger()
    idle(window, wait_until)
    assert steps(window) == ("", "rename Plays") and window.menus.back.text() == "&Undo"
    window.menus.forward.trigger()
    idle(window, wait_until)
    renamed = jobs.EditEpoch("plays", "Dramas", "", PLAYS.colour)
    assert engine.changes == [
        renamed,
        jobs.DeleteEpoch("code"),
        jobs.RestoreEpoch("code"),
        jobs.EditEpoch("plays", "Plays", "", PLAYS.colour),
        renamed,
    ]
    assert [epoch.name for epoch in window.controller.training.epochs] == ["Dramas", "Code & such"]


@pytest.mark.parametrize(
    ("edit", "step"),
    [
        (("Plays", "", "#123456"), "recolour Plays"),
        (("Plays", "1600", PLAYS.colour), "change Plays"),
        (("Dramas", "", "#123456"), "change Plays"),
        (("Plays", "", PLAYS.colour), ""),
    ],
)
def test_a_change_of_an_epoch_says_what_it_was(
    window: MainWindow, wait_until: WaitUntil, edit: tuple[str, str, str], step: str
) -> None:
    window.epochs.edit_requested.emit("plays", *edit)
    idle(window, wait_until)
    assert steps(window) == (step, "")


def test_the_notice_of_a_deletion_undoes_it_and_nothing_else(
    window: MainWindow, engine: Engine, wait_until: WaitUntil
) -> None:
    window.epochs.delete_requested.emit("plays")
    idle(window, wait_until)
    assert "Plays was deleted." in said(window.banner)
    undo = button(window.banner, "bannerActionButton")
    assert undo.text() == "Undo: delete Plays"
    window.epochs.edit_requested.emit("code", "Python", "", CODE.colour)
    idle(window, wait_until)
    undo.click()
    idle(window, wait_until)
    assert "Something was changed after that. Undo this first: rename Code & such." in said(window.banner).replace(
        "\n", " "
    )
    assert "plays" not in engine.epochs and steps(window) == ("rename Code && such", "")


def test_a_notice_goes_with_the_deletion_that_it_tells_of(window: MainWindow, wait_until: WaitUntil) -> None:
    window.epochs.delete_requested.emit("code")
    idle(window, wait_until)
    offered = button(window.banner, "bannerActionButton")
    assert window.banner.isVisible() and plain(offered.text()) == "Undo: delete Code && such"
    window.menus.back.trigger()
    idle(window, wait_until)
    assert not window.banner.isVisible()


def test_what_the_engine_refuses_to_do_is_no_step(window: MainWindow, engine: Engine, wait_until: WaitUntil) -> None:
    engine.refused = [jobs.EditEpoch("plays", "Code", "", PLAYS.colour)]
    rename(window, "Code")
    idle(window, wait_until)
    assert steps(window) == ("", "") and "The engine refuses." in said(window.banner)


def test_a_step_whose_undoing_is_refused_stays_and_can_be_tried_again_or_forgotten(
    window: MainWindow, engine: Engine, wait_until: WaitUntil
) -> None:
    rename(window, "Dramas")
    idle(window, wait_until)
    window.epochs.delete_requested.emit("code")
    idle(window, wait_until)
    engine.refused = [jobs.RestoreEpoch("code")]
    for _ in range(2):
        window.menus.back.trigger()
        idle(window, wait_until)
        assert steps(window) == ("delete Code && such", "")
        assert "The engine refuses." in said(window.banner) and "Try another time." in said(window.banner)
    click(window.banner, "Forget this step")
    assert steps(window) == ("rename Plays", "")
    window.menus.back.trigger()
    idle(window, wait_until)
    assert engine.epochs == {"plays": PLAYS}


def test_a_step_that_cannot_be_done_again_stays_undone(
    window: MainWindow, engine: Engine, wait_until: WaitUntil
) -> None:
    rename(window, "Dramas")
    idle(window, wait_until)
    window.menus.back.trigger()
    idle(window, wait_until)
    engine.refused = [jobs.EditEpoch("plays", "Dramas", "", PLAYS.colour)]
    window.menus.forward.trigger()
    idle(window, wait_until)
    assert steps(window) == ("", "rename Plays") and "The engine refuses." in said(window.banner)
    engine.refused = []
    window.menus.forward.trigger()
    idle(window, wait_until)
    assert steps(window) == ("rename Plays", "") and engine.epochs["plays"].name == "Dramas"


def test_keys_that_are_held_undo_one_step_after_another(
    window: MainWindow, engine: Engine, wait_until: WaitUntil
) -> None:
    for name in ("One", "Two", "Three"):
        rename(window, name)
        idle(window, wait_until)
    for _ in range(5):
        window.controller.undo.undo()
    assert steps(window) == ("", "")  # until it is done
    idle(window, wait_until)
    assert engine.epochs["plays"].name == "Two" and steps(window) == ("rename One", "rename Two")


def test_a_change_while_a_step_is_undone_comes_after_it(
    window: MainWindow, engine: Engine, wait_until: WaitUntil
) -> None:
    window.epochs.delete_requested.emit("code")
    idle(window, wait_until)
    window.menus.back.trigger()  # waits its turn behind the other lane
    rename(window, "Dramas")
    idle(window, wait_until)
    assert set(engine.epochs) == {"plays", "code"} and steps(window) == ("rename Plays", "")
    window.menus.back.trigger()
    idle(window, wait_until)
    assert engine.epochs["plays"] == PLAYS and steps(window) == ("", "rename Plays")


def test_no_epoch_comes_back_into_a_training(window: MainWindow, engine: Engine, wait_until: WaitUntil) -> None:
    window.epochs.delete_requested.emit("code")
    idle(window, wait_until)
    window.controller.training.train(A)
    wait_until(lambda: A in engine.asked)
    window.menus.back.trigger()
    assert "An epoch is in training here." in said(window.banner)
    assert jobs.RestoreEpoch("code") not in engine.asked and steps(window) == ("delete Code && such", "")
    engine.training = False
    idle(window, wait_until)
    window.menus.back.trigger()
    idle(window, wait_until)
    assert "code" in engine.epochs


def test_another_project_has_steps_of_its_own(window: MainWindow, wait_until: WaitUntil, tmp_path: Path) -> None:
    rename(window, "Dramas")
    idle(window, wait_until)
    open_project(window, wait_until, tmp_path / "other")
    assert steps(window) == ("", "")
    rename(window, "Poems")
    window.controller.projects.close()
    idle(window, wait_until)
    assert steps(window) == ("", "")


def test_keys_undo_outside_of_text_fields_and_within_them_the_field_has_its_own(
    window: MainWindow, engine: Engine, wait_until: WaitUntil
) -> None:
    window.activateWindow()
    rename(window, "Dramas")
    idle(window, wait_until)
    window.menus.edit_prompt.trigger()
    prompt = child(window, "promptEdit", QPlainTextEdit)
    prompt.setFocus()
    QTest.keyClicks(prompt, "abc")
    before = prompt.toPlainText()
    QTest.keyClick(prompt, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    idle(window, wait_until)
    assert prompt.toPlainText() != before and engine.epochs["plays"].name == "Dramas"
    text = window.generation.text_page.text
    window.generation.show_record(a_generation())
    text.setFocus()
    QTest.keyClick(text, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    idle(window, wait_until)
    assert engine.epochs["plays"].name == "Plays"
    shift = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(text, Qt.Key.Key_Z, shift)
    idle(window, wait_until)
    assert engine.epochs["plays"].name == "Dramas"


def test_a_long_name_is_shortened() -> None:
    assert short("One\n two") == "One two" and len(short("x" * 100)) == 40


# -- texts, runs, the queue -----------------------------------------------------------------------------------------


def test_of_several_texts_only_those_that_were_deleted_come_back(
    window: MainWindow, engine: Engine, wait_until: WaitUntil
) -> None:
    engine.refused = [jobs.DeleteGeneration("2")]
    window.texts.delete_requested.emit(["1", "2"])
    idle(window, wait_until)
    assert steps(window) == ("delete 2 texts", "") and engine.texts == {"1": "deleted", "2": ""}
    window.menus.back.trigger()
    idle(window, wait_until)
    assert engine.changes[-1] == jobs.DeleteGeneration("1", restore=True) and engine.texts == {"1": "", "2": ""}
    assert jobs.DeleteGeneration("2", restore=True) not in engine.asked


def test_a_step_that_was_undone_in_part_is_what_is_left_of_it(
    window: MainWindow, engine: Engine, wait_until: WaitUntil
) -> None:
    window.texts.delete_requested.emit(["1", "2"])
    idle(window, wait_until)
    engine.refused = [jobs.DeleteGeneration("1", restore=True)]
    window.menus.back.trigger()
    idle(window, wait_until)
    assert engine.texts == {"1": "deleted", "2": ""} and steps(window) == ("delete 2 texts", "")
    engine.refused = []
    window.menus.back.trigger()
    idle(window, wait_until)
    assert engine.texts == {"1": "", "2": ""} and steps(window) == ("", "delete 2 texts")


def delete_runs(window: MainWindow, *ids: str) -> None:
    window.menus.runs.trigger()
    dialog = window.controller.runs.dialog
    assert dialog is not None
    dialog.delete_requested.emit([*ids])


@pytest.mark.parametrize(
    ("change", "step"),
    [
        (lambda window: window.texts.rename_requested.emit("1", "First"), "rename One"),
        (lambda window: window.texts.pin_requested.emit("1", True), "pin One"),
        (lambda window: window.texts.delete_requested.emit(["1"]), "delete One"),
        (lambda window: delete_runs(window, "0012-verse"), "delete run 12"),
        (lambda window: delete_runs(window, "0012-verse", "0013-verse"), "delete 2 runs"),
    ],
)
def test_changes_of_texts_and_runs_are_steps(
    window: MainWindow, engine: Engine, wait_until: WaitUntil, change: object, step: str
) -> None:
    change(window)  # type: ignore[operator]
    idle(window, wait_until)
    assert steps(window) == (step, "")
    done = engine.changes
    window.menus.back.trigger()
    idle(window, wait_until)
    assert len(engine.changes) == 2 * len(done) and steps(window) == ("", step)


def test_what_was_done_to_the_queue_is_undone(window: MainWindow, engine: Engine, wait_until: WaitUntil) -> None:
    for job in (A, B, C):
        window.controller.training.train(job)
    wait_until(lambda: A in engine.asked)
    window.epochs.queue_moved.emit(1, 0)
    assert waiting(window) == ["C", "B"] and steps(window) == ("move C in the queue", "")
    window.epochs.unqueue_requested.emit(0)
    assert waiting(window) == ["B"] and steps(window) == ("take C out of the queue", "")
    window.menus.back.trigger()
    assert waiting(window) == ["C", "B"]
    window.menus.back.trigger()
    assert waiting(window) == ["B", "C"] and steps(window) == ("", "move C in the queue")
    for _ in range(2):
        window.menus.forward.trigger()
    assert waiting(window) == ["B"]


def test_a_training_that_has_begun_is_not_moved_any_more(
    window: MainWindow, engine: Engine, wait_until: WaitUntil
) -> None:
    for job in (A, B, C):
        window.controller.training.train(job)
    wait_until(lambda: A in engine.asked)
    window.epochs.queue_moved.emit(1, 0)
    engine.training = False
    wait_until(lambda: waiting(window) == [])
    window.menus.back.trigger()
    assert "That training has begun already." in said(window.banner) and steps(window)[0] == "move C in the queue"


def test_a_training_that_was_taken_out_begins_when_it_is_put_back_and_nothing_else_runs(
    window: MainWindow, engine: Engine, wait_until: WaitUntil
) -> None:
    for job in (A, B):
        window.controller.training.train(job)
    wait_until(lambda: A in engine.asked)
    window.epochs.unqueue_requested.emit(0)
    engine.training = False
    idle(window, wait_until)
    assert B not in engine.asked
    window.menus.back.trigger()
    idle(window, wait_until)
    assert B in engine.asked and waiting(window) == []


# -- the trash ------------------------------------------------------------------------------------------------------


def opened(window: MainWindow, wait_until: WaitUntil) -> TrashDialog:
    window.menus.trash.trigger()
    dialog = window.controller.trash.dialog
    assert dialog is not None
    idle(window, wait_until)
    wait_until(lambda: button(dialog, "restoreButton").isEnabled())
    return dialog


def rows(dialog: TrashDialog) -> list[list[str]]:
    table = child(dialog, "trashList", QTableWidget)
    return [[plain(table.item(row, column).text()) for column in range(4)] for row in range(table.rowCount())]


def test_the_trash_lists_what_when_and_how_large(window: MainWindow, wait_until: WaitUntil) -> None:
    dialog = opened(window, wait_until)
    verse, text, run = rows(dialog)
    assert (verse[0], verse[1], verse[3]) == ("Epoch", "Verse", "23 MB") and "23" in verse[2]
    assert (text[0], text[1]) == ("Text", "def f (and 2 branches)")
    assert run == ["Run 12", "Verse", "—", "900 B"]
    buttons = [button(dialog, name) for name in ("restoreButton", "emptyTrashButton")]
    assert all(each.isEnabled() for each in buttons)
    dialog.set_busy(True)
    assert not any(each.isEnabled() for each in buttons)


def test_the_first_thing_is_chosen_whatever_key_is_held(window: MainWindow, wait_until: WaitUntil) -> None:
    dialog = opened(window, wait_until)
    QTest.keyPress(dialog, Qt.Key.Key_Control, Qt.KeyboardModifier.ControlModifier)
    for _ in range(2):
        dialog.set_items((TrashItem("epoch", "verse", "Verse"), TrashItem("run", "0012-verse", "Verse")))
        assert [index.row() for index in dialog.list.selectionModel().selectedRows()] == [0]
    QTest.keyRelease(dialog, Qt.Key.Key_Control)


def test_what_is_restored_is_a_step(window: MainWindow, engine: Engine, wait_until: WaitUntil) -> None:
    dialog = opened(window, wait_until)
    click(dialog, "restoreButton")
    idle(window, wait_until)
    assert [row[0] for row in rows(dialog)] == ["Text", "Run 12"] and "verse" in engine.epochs
    dialog.close()
    assert steps(window) == ("restore Verse", "")
    window.menus.back.trigger()
    idle(window, wait_until)
    assert engine.changes == [jobs.RestoreEpoch("verse"), jobs.DeleteEpoch("verse")]


def test_what_cannot_be_restored_is_told_in_the_dialog(
    window: MainWindow, engine: Engine, wait_until: WaitUntil
) -> None:
    engine.refused = [jobs.RestoreEpoch("verse")]
    dialog = opened(window, wait_until)
    dialog.list.selectAll()
    click(dialog, "restoreButton")
    idle(window, wait_until)
    assert "The engine refuses. Try another time." in said(dialog) and button(dialog, "restoreButton").isEnabled()
    done = {
        jobs.RestoreEpoch("verse"),
        jobs.DeleteGeneration("9", restore=True),
        jobs.DeleteRun("0012-verse", restore=True),
    }
    assert len(engine.changes) == 3 and set(engine.changes) == done
    assert steps(window) == ("restore 3 things", "")


def test_an_epoch_is_not_restored_while_another_is_trained(
    window: MainWindow, engine: Engine, wait_until: WaitUntil
) -> None:
    window.controller.training.train(A)
    wait_until(lambda: A in engine.asked)
    window.menus.trash.trigger()
    dialog = window.controller.trash.dialog
    assert dialog is not None
    wait_until(lambda: len(rows(dialog)) == 3)
    click(dialog, "restoreButton")
    assert "An epoch is in training here." in said(dialog) and engine.changes == []


def test_emptying_asks_first_and_says_how_much_becomes_free(
    window: MainWindow, engine: Engine, wait_until: WaitUntil
) -> None:
    rename(window, "Dramas")
    dialog = opened(window, wait_until)
    click(dialog, "emptyTrashButton")
    box = question(dialog)
    assert "(3)" in box.informativeText() and "23 MB" in plain(box.informativeText())
    click(box, "stayButton")
    assert len(rows(dialog)) == 3 and engine.trash
    click(dialog, "emptyTrashButton")
    click(question(dialog), "emptyButton")
    idle(window, wait_until)
    assert rows(dialog) == [] and "Nothing is in the trash." in said(dialog)
    assert not button(dialog, "emptyTrashButton").isEnabled() and steps(window) == ("", "")


def test_the_trash_of_a_project_that_is_only_followed_is_not_offered(
    window: MainWindow, wait_until: WaitUntil, tmp_path: Path
) -> None:
    rename(window, "Dramas")
    idle(window, wait_until)
    window.controller.projects.follow(str(tmp_path / "project"))
    idle(window, wait_until)
    assert not window.menus.trash.isEnabled() and steps(window) == ("", "")
    open_project(window, wait_until, tmp_path / "project")
    assert window.menus.trash.isEnabled()
