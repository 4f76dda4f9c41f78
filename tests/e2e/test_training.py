"""From a dropped folder to a frozen epoch: progress, curves, queue, pause, stop, and closing in the middle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from person import Person
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QMessageBox

LONG = 16_384
"""Tokens of a training that a person has time to interrupt: some hundred steps."""


def folders(project: Path) -> list[str]:
    """Epochs on disk, finished or not."""
    return sorted(path.name for part in ("epochs", "checkpoints") for path in project.glob(f"{part}/*"))


def begin_long_training(person: Person, corpus: Path, step: int = 3) -> None:
    person.train(corpus, tokens=LONG)
    person.until_step(step)


def test_a_dropped_folder_becomes_a_frozen_epoch_while_bar_and_curves_grow(open_window, project, corpora):
    person = open_window(project)
    person.train(corpora["verse"], tokens=4096)
    person.until_step(4)
    early = person.bar.value()
    person.wait(lambda: len(person.curve("lossChart", "verse")[0]) >= early)
    assert person.states() == {"Verse": "training"}
    assert "tokens/s" in person.see(QLabel, "trainingTime").text()
    person.until_step(early + 4)
    person.look("training")
    person.until_trained("Verse")

    assert person.states() == {"Verse": "frozen"} and not person.bar.isVisible()
    assert any(card.startswith("Verse, frozen, 4.1 k tokens") for card in person.cards())
    person.wait(lambda: len(person.curve("lossChart", "verse")[0]) == 32)
    steps, losses = person.curve("lossChart", "verse")
    assert steps.tolist() == list(range(1, 33)) and np.isfinite(losses).all()
    assert "Verse is trained and frozen" in person.banner and not person.banner_is_error
    assert (project / "epochs" / "01-verse" / "adapter_model.safetensors").is_file()


def test_distill_curve_is_zero_in_the_first_phase_and_above_it_in_the_second(open_window, project, corpora):
    person = open_window(project)
    person.train(corpora["verse"])
    person.train(corpora["code"])
    person.until_trained("Verse", "Code")
    person.wait(lambda: len(person.curve("distillChart", "code")[0]) == 16)

    first, second = person.curve("distillChart", "verse"), person.curve("distillChart", "code")
    assert first[0].tolist() == list(range(1, 17)) and (first[1] == 0).all()
    assert second[0].tolist() == list(range(17, 33)) and (second[1] > 0).all()
    person.wait(lambda: person.curve("routingChart", "verse")[0][-1] == 32)
    person.look("two-phases")


def test_an_epoch_dropped_during_a_training_waits_and_is_trained_after_it(open_window, project, corpora):
    person = open_window(project)
    begin_long_training(person, corpora["verse"])
    person.train(corpora["code"], name="Later")
    assert person.cards()[-1] == "Later, queued" and person.states() == {"Verse": "training"}
    person.look("queued")
    person.press("stopButton")
    person.answer("keepButton")

    person.until_trained("Verse", "Later")
    assert [epoch.name for epoch in person.window.controller.epochs] == ["Verse", "Later"]
    assert folders(project) == ["01-verse", "02-later"]


def test_an_epoch_can_be_taken_out_of_the_queue(open_window, project, corpora):
    person = open_window(project)
    begin_long_training(person, corpora["verse"])
    person.train(corpora["code"], name="First")
    person.train(corpora["code"], name="Second")
    assert [card for card in person.cards() if "queued" in card] == ["First, queued", "Second, queued"]
    person.press("unqueueButton", person.card("First"))
    assert [card for card in person.cards() if "queued" in card] == ["Second, queued"]
    person.press("stopButton")
    person.answer("discardButton")

    person.until_trained("Second")
    assert person.states() == {"Second": "frozen"}


def test_a_name_that_waits_in_the_queue_is_taken(open_window, project, corpora):
    person = open_window(project)
    begin_long_training(person, corpora["verse"])
    person.train(corpora["code"])
    dialog = person.drop(corpora["code"])

    assert person.see(QAbstractButton, "startTrainingButton", dialog).isEnabled()
    name = dialog.findChild(QLabel, "newEpochProblem")
    assert name is not None and not name.isVisible()
    from PySide6.QtWidgets import QLineEdit

    assert person.see(QLineEdit, "epochNameEdit", dialog).text() == "Code 2"


def test_pause_holds_the_training_and_resume_goes_on(open_window, project, corpora):
    person = open_window(project)
    begin_long_training(person, corpora["verse"])
    person.press("pauseButton")
    assert person.see(QAbstractButton, "pauseButton").text() == "Resume"
    person.generate("O ", new_tokens=40)  # goes through the same queue after the pause, so no step can still come
    held = person.bar.value()
    person.generate("O ", new_tokens=40)
    assert person.bar.value() == held and person.see(QLabel, "trainingTime").text() == "Paused"
    person.look("paused")
    person.press("pauseButton")
    person.until_step(held + 2)
    assert person.see(QAbstractButton, "pauseButton").text() == "Pause"


def test_a_paused_training_can_be_stopped(open_window, project, corpora):
    person = open_window(project)
    begin_long_training(person, corpora["verse"])
    person.press("pauseButton")
    person.press("stopButton")
    person.answer("keepButton")
    person.until_trained("Verse")


def test_stop_and_keep_leaves_a_frozen_epoch_with_a_note(open_window, project, corpora):
    person = open_window(project)
    begin_long_training(person, corpora["verse"])
    person.press("stopButton")
    assert person.states() == {"Verse": "training"}  # it goes on until there is an answer
    person.look("stop-question")
    person.answer("keepButton")
    person.until_trained("Verse")

    note = person.epochs["Verse"].note
    assert note.startswith("stopped after ") and note.endswith(" of 128 steps")
    assert note in person.card("Verse").accessibleName()
    assert 0 < person.epochs["Verse"].tokens < LONG and folders(project) == ["01-verse"]
    assert person.generate("O ", mode="verse")


def test_stop_and_discard_leaves_no_row_no_curve_and_no_folder(open_window, project, corpora):
    person = open_window(project)
    begin_long_training(person, corpora["verse"])
    person.press("stopButton")
    person.answer("discardButton")
    person.wait(lambda: not person.window.controller.trainings)

    assert person.states() == {} and len(person.cards()) == 1 and folders(project) == []
    person.wait(lambda: not len(person.curve("lossChart", "verse")[0]))
    person.train(corpora["verse"])
    person.until_trained("Verse")
    assert folders(project) == ["01-verse"]


def test_staying_at_the_question_lets_the_training_go_on(open_window, project, corpora):
    person = open_window(project)
    begin_long_training(person, corpora["verse"])
    person.press("stopButton")
    person.answer("stayButton")
    person.until_step(person.bar.value() + 2)
    person.window.close()
    person.answer("stayButton")
    person.until_step(person.bar.value() + 2)
    assert person.window.isEnabled() and person.states() == {"Verse": "training"}


def test_generating_with_the_half_trained_epoch_leaves_the_training_going(open_window, project, corpora):
    person = open_window(project)
    begin_long_training(person, corpora["verse"])
    before = person.bar.value()
    tokens = person.generate("O gentle", mode="verse")

    assert all(token.weights == (0.0, 1.0) for token in tokens)
    assert person.states() == {"Verse": "training"}
    person.until_step(before + 3)


def test_text_that_turns_out_too_small_fails_the_training_and_keeps_the_window(open_window, project, tmp_path, corpora):
    folder = tmp_path / "shrinking"
    folder.mkdir()
    (folder / "text.txt").write_text("A page of text that will be cut. " * 200)
    person = open_window(project)
    person.drop(folder)
    (folder / "text.txt").write_text("gone")
    person.start_button.click()
    person.wait(lambda: person.banner_is_error)

    assert "too little text" in person.banner and "Add more text" in person.banner
    assert person.states() == {} and len(person.cards()) == 1
    person.window.banner.clear()
    person.train(corpora["verse"])
    person.until_trained("Verse")


# -- closing in the middle --------------------------------------------------------------------------------------


def close_in_the_middle(person: Person, corpus: Path, answer: str) -> None:
    begin_long_training(person, corpus)
    person.window.close()
    assert person.window.isVisible()
    person.answer(answer)
    person.until_closed()


def test_closing_with_resume_later_keeps_a_checkpoint_that_another_launch_finishes(open_window, project, corpora):
    person = open_window(project)
    close_in_the_middle(person, corpora["verse"], "suspendButton")
    assert folders(project) == ["verse"]

    again = open_window(project)
    assert again.states() == {"Verse": "interrupted"}
    again.wait(lambda: len(again.curve("lossChart", "verse")[0]) >= 3)
    done = len(again.curve("lossChart", "verse")[0])
    again.look("interrupted")
    again.press("resumeButton")
    again.wait(lambda: again.states() == {"Verse": "training"})
    again.until_step(done + 1)
    again.look("resumed")
    again.until_trained("Verse")
    assert again.epochs["Verse"].note == "" and folders(project) == ["01-verse"]
    again.wait(lambda: len(again.curve("lossChart", "verse")[0]) == 128)
    assert again.curve("lossChart", "verse")[0].tolist() == list(range(1, 129))


def test_closing_with_keep_freezes_what_was_learned(open_window, project, corpora):
    close_in_the_middle(open_window(project), corpora["verse"], "keepButton")

    again = open_window(project)
    assert again.states() == {"Verse": "frozen"} and again.epochs["Verse"].note.startswith("stopped after")
    assert folders(project) == ["01-verse"]


def test_closing_with_discard_leaves_nothing(open_window, project, corpora):
    close_in_the_middle(open_window(project), corpora["verse"], "discardButton")

    again = open_window(project)
    assert again.states() == {} and folders(project) == []


def test_the_question_at_closing_names_those_that_wait(open_window, project, corpora):
    person = open_window(project)
    begin_long_training(person, corpora["verse"])
    person.train(corpora["code"])
    person.window.close()
    person.wait(lambda: person.window.findChild(QMessageBox, "questionBox") is not None)
    assert "(1) will not be trained" in person.see(QMessageBox, "questionBox").informativeText()
    person.answer("suspendButton")
    person.until_closed()

    assert open_window(project).states() == {"Verse": "interrupted"}


def test_an_interrupted_epoch_can_be_discarded(open_window, project, corpora):
    close_in_the_middle(open_window(project), corpora["verse"], "suspendButton")
    again = open_window(project)
    again.press("discardInterruptedButton")
    again.answer("discardButton")
    again.wait(lambda: again.states() == {})
    assert folders(project) == []


def test_what_would_have_to_wait_for_the_training_cannot_be_asked_for(open_window, trained_project, corpora):
    person = open_window(trained_project)
    person.train(corpora["verse"], name="Third", tokens=LONG)
    person.until_step(2)
    cards = person.see(QAbstractButton, "epochMenuButton", person.card("Verse"))
    QTest.mouseClick(cards, Qt.MouseButton.LeftButton)
    from tlora_gui.ui.epochs.epoch_menu import EpochMenu

    menu = person.see(EpochMenu, "epochMenu")
    assert menu.isVisible() and not menu.delete.isEnabled() and menu.rename.isEnabled()
    menu.close()
    for action in (person.window.close_project_action, person.window.new_action):
        action.trigger()
        assert "in training here" in person.banner and person.window.project_shown
        person.window.banner.clear()


def test_closing_an_idle_window_asks_nothing(open_window, trained_project):
    person = open_window(trained_project)
    person.close()
    assert person.window.findChild(QMessageBox, "questionBox") is None
    assert not (trained_project / ".lock").exists()


@pytest.mark.parametrize("moment", ["while opening", "while generating", "with the dialog open"])
def test_closing_while_something_goes_on_ends_it(open_window, trained_project, corpora, moment):
    person = open_window(trained_project, ready=moment != "while opening")
    if moment == "while generating":
        person.begin_generating("O gentle", new_tokens=200)
        person.wait(lambda: len(person.text.tokens) > 10)
    if moment == "with the dialog open":
        person.drop(corpora["verse"])
    person.close()
