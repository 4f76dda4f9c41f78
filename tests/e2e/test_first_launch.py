"""Starting: the welcome, making and opening projects, and what can be wrong with either."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from person import OpenWindow, Person
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QPushButton

from tlora_gui.demo.player import Demo
from tlora_gui.ui.settings import WindowSettings


def create_around(
    person: Person, reference: str | Path, choice: str = "localChoice", edit: str = "localModelEdit"
) -> None:
    """Choose a backbone in the welcome and press "Create project"."""
    person.see(QAbstractButton, choice).click()
    person.retype(edit, str(reference))
    person.press("createProjectButton")


def until_refused(person: Person) -> None:
    person.wait(lambda: person.sees_error)


def assert_usable(person: Person, tiny_model_folder: Path) -> None:
    """A project can still be made in this window."""
    create_around(person, tiny_model_folder)
    person.wait(lambda: person.window.project_shown)
    assert person.banner == ""


def projects_place(person: Person) -> Path:
    return Path(person.see(QLineEdit, "projectPlaceEdit").text())


def test_first_launch_shows_the_welcome_and_no_panel(open_window: OpenWindow) -> None:
    person = open_window()

    assert person.window.welcome.isVisible() and not person.window.project_shown
    assert not any(dock.isVisible() for dock in person.window.docks)
    for button in ("createProjectButton", "openProjectButton", "demoButton"):
        assert person.see(QAbstractButton, button).isEnabled()
    assert person.see(QAbstractButton, "starterChoice").isChecked()


def test_a_window_closed_at_once_starts_nothing(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project, opens=False)
    person.window.first_painted.connect(lambda: QTimer.singleShot(0, person.window.close))
    person.until_closed()
    QApplication.processEvents()
    assert not (trained_project / ".lock").exists()


def test_the_demo_is_stopped_where_it_was_started(open_window: OpenWindow) -> None:
    person = open_window()
    person.press("demoButton")
    demo = person.window.findChild(Demo)
    assert demo is not None and demo.playing
    person.choose_from_menus("Stop the &demo")
    assert not demo.playing and not person.window.client.busy
    assert person.window.menus.demo.text() == "Play the &demo"


def test_a_project_around_a_local_folder_is_made_through_the_welcome(
    open_window: OpenWindow, tiny_model_folder: Path
) -> None:
    person = open_window()
    person.retype("projectNameEdit", "Sonnets")
    create_around(person, tiny_model_folder)
    person.wait(lambda: person.window.project_shown)

    folder = projects_place(person) / "Sonnets"
    assert (folder / "project.json").is_file()
    assert len(person.cards) == 1 and person.card("Eternity, tiny-llama")
    assert person.see(QLabel, "backboneLabel").text() == "tiny-llama · CPU float32 · 0 epochs"
    assert "Sonnets" in person.window.windowTitle()
    assert WindowSettings().last_project == str(folder) and WindowSettings().recent_projects == [str(folder)]
    assert person.prompt.hasFocus()


@pytest.mark.parametrize(
    ("choice", "edit", "reference", "message"),
    [
        ("localChoice", "localModelEdit", "{tmp}", "holds no model"),
        ("localChoice", "localModelEdit", "{tmp}/nowhere", "does not exist"),
        ("localChoice", "localModelEdit", "{tmp}/broken.gguf", "could not be read"),
        ("hubChoice", "hubIdEdit", "nobody/no-such-model", "nobody/no-such-model"),
        ("hubChoice", "hubIdEdit", "not a model at all", "not a model at all"),
    ],
    ids=["folder without model", "missing folder", "broken gguf", "unknown Hub id", "nonsense"],
)
def test_a_backbone_that_is_none_is_refused_with_a_hint_and_the_window_goes_on(
    open_window: OpenWindow,
    tmp_path: Path,
    tiny_model_folder: Path,
    choice: str,
    edit: str,
    reference: str,
    message: str,
) -> None:
    (tmp_path / "broken.gguf").write_bytes(b"GGUF but no more")
    person = open_window()
    create_around(person, reference.format(tmp=tmp_path), choice, edit)
    until_refused(person)

    said, hint = person.banner.split("\n", 1)
    assert message in said and len(hint) > 20
    assert not person.window.project_shown and person.see(QAbstractButton, "createProjectButton").isVisible()
    assert not list(projects_place(person).glob("*"))
    assert_usable(person, tiny_model_folder)


def test_making_a_project_can_be_cancelled_and_leaves_nothing(open_window: OpenWindow, tiny_model_folder: Path) -> None:
    person = open_window()
    create_around(person, tiny_model_folder)
    person.press("cancelButton")
    person.wait(lambda: not person.window.client.busy)

    assert not person.window.project_shown and person.see(QAbstractButton, "createProjectButton").isVisible()
    assert not list(projects_place(person).glob("*"))
    assert_usable(person, tiny_model_folder)


def test_a_corrupted_project_is_refused_and_left_as_it_is(
    open_window: OpenWindow, trained_project: Path, tiny_model_folder: Path
) -> None:
    index = trained_project / "project.json"
    index.write_text(index.read_text()[:-40])
    before = index.read_bytes()
    person = open_window(trained_project, opens=False)
    until_refused(person)

    assert "project.json is damaged" in person.banner and "restore" in person.banner
    assert person.window.welcome.isVisible() and not person.window.project_shown
    assert index.read_bytes() == before
    assert_usable(person, tiny_model_folder)
    assert not (trained_project / ".lock").exists()


def test_a_project_of_a_newer_version_asks_for_an_update(open_window: OpenWindow, trained_project: Path) -> None:
    index = json.loads((trained_project / "project.json").read_text())
    (trained_project / "project.json").write_text(json.dumps(index | {"format_version": 99}))
    person = open_window(trained_project, opens=False)
    until_refused(person)

    assert "newer" in person.banner and "Update" in person.banner


def test_a_damaged_epoch_is_a_greyed_card_with_its_reason_and_the_others_work(
    open_window: OpenWindow, trained_project: Path
) -> None:
    weights = next(trained_project.glob("epochs/*verse/adapter_model.safetensors"))
    weights.write_bytes(weights.read_bytes()[:100])
    person = open_window(trained_project)

    broken, whole = person.epochs.values()
    assert (broken.state, whole.name, whole.state) == ("broken", "Code", "frozen")
    card = person.card(broken.name)
    assert broken.note and any(label.text() == broken.note for label in card.findChildren(QLabel))
    assert not next(label for label in card.findChildren(QLabel) if label.text() == broken.name).isEnabled()
    assert {len(token.weights) for token in person.generate("def f")} == {2}


def test_a_broken_epoch_is_trained_again_by_its_button_and_by_the_banners(
    open_window: OpenWindow, trained_project: Path
) -> None:
    next(trained_project.glob("epochs/*verse/adapter_model.safetensors")).unlink()
    next(trained_project.glob("epochs/*code/memory.safetensors")).unlink()
    person = open_window(trained_project)
    person.wait(lambda: "Verse" in person.banner)
    assert "see their rows" in person.banner
    person.press("bannerActionButton", person.window.banner)
    person.wait(lambda: person.states == {"Verse": "frozen", "Code": "frozen"} and not person.window.client.live())
    assert "rests on its dreams" in person.epochs["Code"].note
    button = person.card("Code").findChild(QPushButton, "repairButton")
    assert button is not None and button.isVisible()
    button.click()
    person.wait(lambda: "has its memory again" in person.banner)
    assert person.epochs["Code"].note == "" and button.isHidden()


def test_a_lost_mixer_is_restored_from_the_banner(open_window: OpenWindow, trained_project: Path) -> None:
    max(trained_project.glob("mixer/mixer-*.safetensors")).unlink()
    person = open_window(trained_project)
    person.wait(lambda: "does not know Code" in person.banner)
    assert person.states == {"Verse": "frozen", "Code": "frozen"} and person.sees_error
    person.press("bannerActionButton", person.window.banner)
    person.wait(lambda: "restored" in person.banner)
    assert {len(token.weights) for token in person.generate("def f")} == {3}
    person.close()
    assert "does not know" not in open_window(trained_project).banner


def test_a_project_is_open_in_one_window_only(open_window: OpenWindow, trained_project: Path) -> None:
    first = open_window(trained_project)
    second = open_window(trained_project, opens=False)
    until_refused(second)

    assert "open in another window" in second.banner and "Close it there" in second.banner
    assert not second.window.project_shown
    first.close()
    second.window.welcome.open_requested.emit(str(trained_project))
    second.wait(lambda: second.window.project_shown)
    assert second.states == {"Verse": "frozen", "Code": "frozen"}


def test_a_project_stays_locked_while_opening_another_one_fails(
    open_window: OpenWindow, trained_project: Path, tmp_path: Path
) -> None:
    (tmp_path / "no project").mkdir()
    first = open_window(trained_project)
    first.window.welcome.open_requested.emit(str(tmp_path / "no project"))
    until_refused(first)
    assert first.window.project_shown and first.states == {"Verse": "frozen", "Code": "frozen"}

    second = open_window(trained_project, opens=False)
    until_refused(second)
    assert "open in another window" in second.banner


def test_going_to_another_project_leaves_nothing_of_the_first_on_screen(
    open_window: OpenWindow, trained_project: Path, tiny_model_folder: Path
) -> None:
    person = open_window(trained_project)
    assert person.text.tokens and person.prompt.toPlainText()
    person.choose_from_menus("&Close project")
    assert person.window.welcome.isVisible() and WindowSettings().last_project == ""
    assert_usable(person, tiny_model_folder)

    assert len(person.cards) == 1 and person.card("Eternity, tiny-llama")
    assert not person.text.tokens and not person.prompt.toPlainText()
    person.wait(lambda: not len(person.curve("lossChart", "verse")[0]))


def test_a_second_project_gets_a_free_name(open_window: OpenWindow, tiny_model_folder: Path) -> None:
    person = open_window()
    assert_usable(person, tiny_model_folder)
    person.choose_from_menus("&New project…")
    assert person.see(QLineEdit, "projectNameEdit").text() == "My project 2"
    assert_usable(person, tiny_model_folder)


def test_a_generation_ends_with_its_project(open_window: OpenWindow, trained_project: Path, project: Path) -> None:
    person = open_window(trained_project)
    person.begin_generating("O gentle", new_tokens=200)
    person.choose_from_menus("&Close project")
    person.wait(lambda: not person.window.client.busy)
    assert person.text.toPlainText() == ""
    person.window.welcome.open_requested.emit(str(project))
    person.wait(lambda: person.window.project_shown and not person.window.client.busy)

    assert person.text.toPlainText() == "" and not (project / "generations.jsonl").exists()
    assert person.see(QAbstractButton, "generateButton").isVisible()
