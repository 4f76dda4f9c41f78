"""Closing the window: at rest, and in the middle of things."""

from __future__ import annotations

from pathlib import Path

import pytest
from person import Corpora, OpenWindow, Person
from PySide6.QtWidgets import QMessageBox
from test_training import begin_long_training, folders

from tlora_gui.engine.projects.project_lock import lock_project


def close_in_the_middle(person: Person, corpus: Path, answer: str) -> None:
    begin_long_training(person, corpus, tokens=6144)
    person.window.close()
    assert person.window.isVisible()
    person.answer(answer)
    person.until_closed()


def test_closing_an_idle_window_asks_nothing(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    person.wait(lambda: not person.window.client.busy)
    person.window.close()
    assert not person.window.isVisible() and not person.window.findChildren(QMessageBox)
    assert person.engine_thread.isFinished()
    lock = lock_project(trained_project)
    assert lock is not None
    lock.release()


@pytest.mark.parametrize("moment", ["while opening", "while generating", "with the dialog open"])
def test_closing_ends_what_goes_on(
    open_window: OpenWindow, trained_project: Path, corpora: Corpora, moment: str
) -> None:
    person = open_window(trained_project, opens=moment != "while opening")
    if moment == "while generating":
        person.begin_generating("O gentle", new_tokens=200)
    if moment == "with the dialog open":
        person.drop(corpora["verse"])
    person.close()


def test_resume_later_keeps_a_checkpoint_that_another_launch_finishes(
    open_window: OpenWindow, project: Path, corpora: Corpora
) -> None:
    close_in_the_middle(open_window(project), corpora["verse"], "suspendButton")
    assert folders(project) == ["verse"]

    again = open_window(project)
    assert again.states == {"Verse": "interrupted"}
    again.wait(lambda: len(again.curve("lossChart", "verse")[0]) >= 3)
    done = len(again.curve("lossChart", "verse")[0])
    again.press("resumeButton")
    again.wait(lambda: again.states == {"Verse": "training"})
    again.until_step(done + 1)
    again.until_trained("Verse")
    assert again.epochs["Verse"].note == "" and folders(project) == ["01-verse"]
    again.wait(lambda: again.curve("lossChart", "verse")[0].tolist() == list(range(1, 49)))


@pytest.mark.parametrize("asked", [False, True])
def test_the_system_s_wish_to_end_asks_nobody_and_leaves_a_checkpoint(
    open_window: OpenWindow, project: Path, corpora: Corpora, asked: bool
) -> None:
    person = open_window(project)
    begin_long_training(person, corpora["verse"], tokens=6144)
    if asked:
        person.window.close()
    person.window.controller.closing.leave()
    person.until_closed()
    assert open_window(project).states == {"Verse": "interrupted"}


def test_the_system_s_wish_to_end_an_idle_window_closes_it(open_window: OpenWindow, project: Path) -> None:
    person = open_window(project)
    person.wait(lambda: not person.window.client.busy)
    person.window.controller.closing.leave()
    assert not person.window.isVisible() and person.engine_thread.isFinished()


def test_keep_freezes_what_was_learned(open_window: OpenWindow, project: Path, corpora: Corpora) -> None:
    close_in_the_middle(open_window(project), corpora["verse"], "keepButton")

    again = open_window(project)
    assert again.states == {"Verse": "frozen"} and again.epochs["Verse"].note.startswith("stopped after")
    assert folders(project) == ["01-verse"]


def test_discard_leaves_nothing(open_window: OpenWindow, project: Path, corpora: Corpora) -> None:
    close_in_the_middle(open_window(project), corpora["verse"], "discardButton")

    assert open_window(project).states == {} and folders(project) == []


def test_a_training_that_ends_behind_the_question_is_kept_and_the_window_closes(
    open_window: OpenWindow, project: Path, corpora: Corpora
) -> None:
    person = open_window(project)
    begin_long_training(person, corpora["verse"], tokens=1024)
    person.window.close()
    assert person.question.isVisible()
    person.until_closed()

    assert open_window(project).states == {"Verse": "frozen"}


def test_the_question_names_those_that_wait(open_window: OpenWindow, project: Path, corpora: Corpora) -> None:
    person = open_window(project)
    begin_long_training(person, corpora["verse"])
    person.train(corpora["code"])
    person.window.close()
    assert "(1) are kept for the next start" in person.question.informativeText()
    person.answer("suspendButton")
    person.until_closed()

    again = open_window(project)
    assert again.states == {"Verse": "interrupted"}
    assert [job.paths for job in again.window.controller.training.jobs.values()] == [(str(corpora["code"]),)]
    again.wait(lambda: not again.window.client.busy)  # what the start asks for, and no more
    assert again.states == {"Verse": "interrupted"}, "what waits begins when it is asked to"


def test_what_was_to_be_kept_and_cannot_be_written_keeps_the_window_open(
    open_window: OpenWindow, project: Path, corpora: Corpora
) -> None:
    person = open_window(project)
    begin_long_training(person, corpora["verse"], tokens=6144)
    (project / "epochs").write_text("in the way")
    person.window.close()
    person.answer("keepButton")
    person.wait(lambda: person.sees_error)

    assert "could not be stored" in person.banner and "epochs" in person.banner
    assert person.window.isVisible() and person.window.isEnabled() and not person.window.controller.training.jobs
    (project / "epochs").unlink()
    person.window.banner.clear()
    person.press("resumeButton")  # nothing is lost: it is stored now
    person.until_trained("Verse")


def test_an_interrupted_epoch_can_be_discarded(open_window: OpenWindow, project: Path, corpora: Corpora) -> None:
    close_in_the_middle(open_window(project), corpora["verse"], "suspendButton")
    again = open_window(project)
    again.press("discardInterruptedButton")
    again.answer("discardButton")
    again.wait(lambda: again.states == {})
    assert folders(project) == []
