"""From a dropped folder to a frozen epoch: progress, curves, queue, pause and stop."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from person import Corpora, OpenWindow, Person
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit

from tlora_gui.engine.protocol.config import TrainSettings

LONG = 16_384
"""Tokens of a training that a person has time to interrupt: 128 steps."""


def folders(project: Path) -> list[str]:
    """Epochs on disk, finished or not."""
    return sorted(path.name for part in ("epochs", "checkpoints") for path in project.glob(f"{part}/*"))


def begin_long_training(person: Person, corpus: Path, name: str = "", tokens: int = LONG) -> None:
    person.train(corpus, name=name, tokens=tokens)
    person.until_step(3)


def stop_training(person: Person, answer: str) -> None:
    person.press("stopButton")
    person.answer(answer)


def queued(person: Person) -> list[str]:
    return [card for card in person.cards if card.endswith(", queued")]


def test_a_dropped_folder_becomes_a_frozen_epoch_while_bar_and_curve_grow(
    open_window: OpenWindow, project: Path, corpora: Corpora
) -> None:
    person = open_window(project)
    person.train(corpora["verse"], tokens=4096)
    person.until_step(4)
    early = person.bar.value()
    person.wait(lambda: len(person.curve("lossChart", "verse")[0]) >= early)
    assert person.states == {"Verse": "training"} and early < person.bar.maximum() == 32
    assert "tokens/s" in person.see(QLabel, "trainingTime").text()
    person.until_step(early + 4)
    person.until_trained("Verse")

    assert not person.bar.isVisible()
    assert [card for card in person.cards if card.startswith("Verse")] == ["Verse, frozen, 4.1 k tokens"]
    person.wait(lambda: len(person.curve("lossChart", "verse")[0]) == 32)
    steps, losses = person.curve("lossChart", "verse")
    assert steps.tolist() == list(range(1, 33)) and np.isfinite(losses).all()
    measured = [*range(0, 32, TrainSettings().eval_every), 32]
    person.wait(lambda: person.curve("lossChart", ("verse", "held-out"))[0].tolist() == measured)
    assert person.banner.startswith("Verse is trained and frozen")
    assert (project / "epochs" / "01-verse" / "adapter_model.safetensors").is_file()


def test_distill_curve_is_zero_in_the_first_phase_and_above_it_in_the_second(
    open_window: OpenWindow, project: Path, corpora: Corpora
) -> None:
    person = open_window(project)
    person.train(corpora["verse"])
    person.train(corpora["code"])
    person.until_trained("Verse", "Code")
    person.wait(lambda: len(person.curve("distillChart", "code")[0]) == 16)

    first, second = person.curve("distillChart", "verse"), person.curve("distillChart", "code")
    assert first[0].tolist() == list(range(1, 17)) and (first[1] == 0).all()
    assert second[0].tolist() == list(range(17, 33)) and (second[1] > 0).all()
    person.wait(lambda: person.curve("routingChart", "verse")[0][-1] == 32)


def test_an_epoch_dropped_during_a_training_waits_and_is_trained_after_it(
    open_window: OpenWindow, project: Path, corpora: Corpora
) -> None:
    person = open_window(project)
    begin_long_training(person, corpora["verse"])
    person.train(corpora["code"], name="Later")
    assert queued(person) == ["Later, queued"] and person.states == {"Verse": "training"}
    stop_training(person, "keepButton")

    person.until_trained("Verse", "Later")
    assert list(person.epochs) == ["Verse", "Later"] and folders(project) == ["01-verse", "02-later"]


def test_an_epoch_whose_text_is_gone_when_its_turn_comes_waits_for_it(
    open_window: OpenWindow, project: Path, corpora: Corpora, tmp_path: Path
) -> None:
    text, away = tmp_path / "text", tmp_path / "away"
    shutil.copytree(corpora["code"], text)
    person = open_window(project)
    begin_long_training(person, corpora["verse"])
    person.train(text, name="Second")
    person.train(corpora["code"], name="Third")
    text.rename(away)
    stop_training(person, "keepButton")

    person.wait(lambda: person.sees_error)
    assert person.banner.startswith("Second could not begin and waits: ") and "does not exist" in person.banner
    person.window.banner.clear()
    person.wait(lambda: person.states == {"Verse": "frozen", "Third": "frozen"})
    assert queued(person) == ["Second, queued"]
    away.rename(text)
    person.press("pauseAllButton")
    person.until_trained("Verse", "Third", "Second")


def test_an_epoch_can_be_taken_out_of_the_queue(open_window: OpenWindow, project: Path, corpora: Corpora) -> None:
    person = open_window(project)
    begin_long_training(person, corpora["verse"])
    person.train(corpora["code"], name="First")
    person.train(corpora["code"], name="Second")
    assert queued(person) == ["First, queued", "Second, queued"]
    person.press("unqueueButton", person.card("First"))
    assert queued(person) == ["Second, queued"]
    stop_training(person, "discardButton")

    person.until_trained("Second")
    assert list(person.epochs) == ["Second"]


def test_a_name_that_waits_in_the_queue_is_taken(open_window: OpenWindow, project: Path, corpora: Corpora) -> None:
    person = open_window(project)
    begin_long_training(person, corpora["verse"])
    person.train(corpora["code"])
    dialog = person.drop(corpora["code"])

    assert person.see(QLineEdit, "epochNameEdit", dialog).text() == "Code 2" and person.start_button.isEnabled()
    person.retype("epochNameEdit", "code", dialog)
    assert not person.start_button.isEnabled()


def test_pause_holds_the_training_and_resume_goes_on(open_window: OpenWindow, project: Path, corpora: Corpora) -> None:
    person = open_window(project)
    begin_long_training(person, corpora["verse"])
    person.press("pauseButton")
    assert person.see(QAbstractButton, "pauseButton").text() == "Resume"
    person.generate("O ")  # it comes to the engine after the pause, so no step is under way once it is done
    held = person.bar.value()
    person.generate("O ", new_tokens=60)
    assert person.bar.value() == held and person.see(QLabel, "trainingTime").text() == "Paused"
    person.press("pauseButton")
    person.until_step(held + 2)
    assert person.see(QAbstractButton, "pauseButton").text() == "Pause"


def test_a_paused_training_can_be_stopped(open_window: OpenWindow, project: Path, corpora: Corpora) -> None:
    person = open_window(project)
    begin_long_training(person, corpora["verse"])
    person.press("pauseButton")
    stop_training(person, "keepButton")
    person.until_trained("Verse")
    begin_long_training(person, corpora["code"])
    assert person.see(QAbstractButton, "pauseButton").text() == "Pause"


def test_stop_and_keep_leaves_a_frozen_epoch_with_a_note(
    open_window: OpenWindow, project: Path, corpora: Corpora
) -> None:
    person = open_window(project)
    begin_long_training(person, corpora["verse"])
    stop_training(person, "keepButton")
    person.until_trained("Verse")

    epoch = person.epochs["Verse"]
    assert epoch.note.startswith("stopped after ") and epoch.note.endswith(" of 128 steps")
    assert any(label.text() == epoch.note for label in person.card("Verse").findChildren(QLabel))
    assert 0 < epoch.tokens < LONG and folders(project) == ["01-verse"]
    assert {token.weights for token in person.generate("O ", mode="verse")} == {(0.0, 1.0)}


def test_stop_and_discard_leaves_no_card_no_curve_and_no_folder(
    open_window: OpenWindow, project: Path, corpora: Corpora
) -> None:
    person = open_window(project)
    begin_long_training(person, corpora["verse"])
    stop_training(person, "discardButton")
    person.wait(lambda: not person.window.controller.training.jobs)

    assert person.states == {} and len(person.cards) == 1 and folders(project) == []
    person.wait(lambda: not len(person.curve("lossChart", "verse")[0]))
    person.train(corpora["verse"])
    person.until_trained("Verse")
    assert folders(project) == ["01-verse"]


def test_staying_at_a_question_lets_the_training_go_on(
    open_window: OpenWindow, project: Path, corpora: Corpora
) -> None:
    person = open_window(project)
    begin_long_training(person, corpora["verse"])
    stop_training(person, "stayButton")
    person.until_step(person.bar.value() + 2)
    person.window.close()
    person.answer("stayButton")
    person.until_step(person.bar.value() + 2)
    assert person.window.isEnabled() and person.states == {"Verse": "training"}


def test_generating_with_the_half_trained_epoch_leaves_the_training_going(
    open_window: OpenWindow, project: Path, corpora: Corpora
) -> None:
    person = open_window(project)
    begin_long_training(person, corpora["verse"])
    before = person.bar.value()
    tokens = person.generate("O gentle", mode="verse")

    assert {token.weights for token in tokens} == {(0.0, 1.0)}
    assert person.states == {"Verse": "training"}
    person.until_step(before + 3)


def test_text_that_turns_out_too_small_fails_the_training_and_keeps_the_window(
    open_window: OpenWindow, project: Path, tmp_path: Path, corpora: Corpora
) -> None:
    text = tmp_path / "text.txt"
    text.write_text("A page of text that will be cut. " * 200)
    person = open_window(project)
    person.drop(text)
    text.write_text("gone")
    person.press("startTrainingButton", person.dialog)
    person.wait(lambda: person.sees_error)

    assert "too little text" in person.banner and "Add more text" in person.banner
    person.wait(lambda: queued(person) == ["Text, queued"])
    assert person.states == {}
    person.window.banner.clear()
    person.train(corpora["verse"])
    person.wait(lambda: person.states == {"Verse": "frozen"})


def test_what_would_have_to_wait_for_the_training_cannot_be_asked_for(
    open_window: OpenWindow, trained_project: Path, corpora: Corpora
) -> None:
    person = open_window(trained_project)
    begin_long_training(person, corpora["verse"], name="Third")
    try:
        person.choose("Verse", "Delete")
    except AssertionError as refusal:
        assert "cannot be chosen" in str(refusal)
    assert list(person.epochs) == ["Verse", "Code", "Third"] and person.banner == ""
    for entry in ("&Close project", "&New project…", "Play the &demo"):
        person.choose_from_menus(entry)
        assert "in training here" in person.banner and person.window.project_shown
        person.window.banner.clear()
