"""Starting: the welcome, making and opening projects, and what can be wrong with either."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from person import Person
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton, QRadioButton

from tlora_gui.ui.settings import WindowSettings


def choose_backbone(person: Person, choice: str, edit: str, reference: str) -> None:
    QTest.mouseClick(person.see(QRadioButton, choice), Qt.MouseButton.LeftButton, pos=_at_sign(person, choice))
    QTest.keyClicks(person.see(QLineEdit, edit), reference)


def _at_sign(person: Person, choice: str):  # type: ignore[no-untyped-def]
    button = person.see(QRadioButton, choice)
    return button.rect().adjusted(0, 0, -button.width() + 20, 0).center()


def create_around(person: Person, reference: str, choice: str = "localChoice", edit: str = "localModelEdit") -> None:
    choose_backbone(person, choice, edit, reference)
    person.press("createProjectButton")


def until_refused(person: Person) -> None:
    person.wait(lambda: person.banner_is_error)


def usable(person: Person, tiny_model_folder: Path) -> bool:
    """Whether a project can still be made in this window."""
    edit = person.see(QLineEdit, "localModelEdit")
    person.see(QRadioButton, "localChoice").setChecked(True)
    edit.setText(str(tiny_model_folder))
    person.press("createProjectButton")
    person.wait(lambda: person.window.project_shown)
    return person.banner == ""


def test_first_launch_shows_the_welcome_and_no_panel(open_window):
    person = open_window()

    assert person.window.welcome.isVisible() and not person.window.project_shown
    assert not any(dock.isVisible() for dock in person.window.docks)
    for button in ("createProjectButton", "openProjectButton", "demoButton"):
        assert person.see(QPushButton, button).isVisible()
    assert person.see(QRadioButton, "starterChoice").isChecked()
    person.look("welcome")


def test_a_project_around_a_local_folder_is_made_through_the_welcome(open_window, tiny_model_folder):
    person = open_window()
    person.see(QLineEdit, "projectNameEdit").selectAll()
    QTest.keyClicks(person.see(QLineEdit, "projectNameEdit"), "Sonnets")
    create_around(person, str(tiny_model_folder))
    person.wait(lambda: person.window.project_shown)

    folder = Path(person.see(QLineEdit, "projectPlaceEdit").text()) / "Sonnets"
    assert (folder / "project.json").is_file()
    assert person.cards() == ["Eternity, tiny-llama · frozen · CPU"]
    assert person.see(QLabel, "backboneLabel").text().startswith("tiny-llama")
    assert "Sonnets" in person.window.windowTitle()
    assert WindowSettings().last_project == str(folder) and WindowSettings().recent_projects == [str(folder)]
    person.look("empty-project")


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
    open_window, tmp_path, tiny_model_folder, choice, edit, reference, message
):
    (tmp_path / "broken.gguf").write_bytes(b"GGUF but no more")
    person = open_window()
    create_around(person, reference.format(tmp=tmp_path), choice, edit)
    until_refused(person)

    said, hint = person.banner.split("\n", 1)
    assert message in said and len(hint) > 20
    assert not person.window.project_shown and person.see(QPushButton, "createProjectButton").isVisible()
    assert not list(Path(person.see(QLineEdit, "projectPlaceEdit").text()).glob("*"))
    assert usable(person, tiny_model_folder)


def test_making_a_project_can_be_cancelled_and_leaves_nothing(open_window, tiny_model_folder):
    person = open_window()
    create_around(person, str(tiny_model_folder))
    person.press("cancelButton")
    person.wait(lambda: not person.window.client.busy)

    assert not person.window.project_shown and person.see(QPushButton, "createProjectButton").isVisible()
    assert not list(Path(person.see(QLineEdit, "projectPlaceEdit").text()).glob("*"))
    assert usable(person, tiny_model_folder)


def test_a_corrupted_project_is_refused_and_left_as_it_is(open_window, trained_project, tiny_model_folder):
    index = trained_project / "project.json"
    index.write_text(index.read_text()[:-40])
    before = index.read_bytes()
    person = open_window(trained_project, ready=False)
    until_refused(person)

    assert "project.json is damaged" in person.banner and "restore" in person.banner
    assert person.window.welcome.isVisible() and not person.window.project_shown
    assert index.read_bytes() == before and not (trained_project / ".lock").exists()
    assert usable(person, tiny_model_folder)


def test_a_project_of_a_newer_version_asks_for_an_update(open_window, trained_project):
    index = json.loads((trained_project / "project.json").read_text())
    (trained_project / "project.json").write_text(json.dumps(index | {"format_version": 99}))
    person = open_window(trained_project, ready=False)
    until_refused(person)

    assert "newer" in person.banner and "Update" in person.banner


def test_a_damaged_epoch_is_a_greyed_card_with_its_reason_and_the_others_work(open_window, trained_project):
    weights = next(trained_project.glob("epochs/*verse/adapter_model.safetensors"))
    weights.write_bytes(weights.read_bytes()[:100])
    person = open_window(trained_project)

    assert person.states() == {"verse": "broken", "Code": "frozen"}
    broken = person.epochs["verse"]
    assert broken.note and broken.note in person.card("verse").accessibleName()
    assert person.card("verse").findChild(QLabel, "nameLabel") is None or True
    tokens = person.generate("def f")
    assert {len(token.weights) for token in tokens} == {2}
    person.look("damaged-epoch")


def test_a_project_is_open_in_one_window_only(open_window, trained_project):
    first = open_window(trained_project)
    second = open_window(trained_project, ready=False)
    until_refused(second)

    assert "open in another window" in second.banner and "Close it there" in second.banner
    assert not second.window.project_shown
    first.close()
    second.window.controller.open_project(str(trained_project))
    second.wait(lambda: second.window.project_shown)
    assert second.states() == {"Verse": "frozen", "Code": "frozen"}


def test_a_project_stays_locked_while_opening_another_one_fails(open_window, trained_project, tmp_path):
    (tmp_path / "no project").mkdir()
    first = open_window(trained_project)
    first.window.controller.open_project(str(tmp_path / "no project"))
    until_refused(first)
    assert first.window.project_shown and first.epochs

    second = open_window(trained_project, ready=False)
    until_refused(second)
    assert "open in another window" in second.banner


def test_going_to_another_project_leaves_nothing_of_the_first_on_screen(open_window, trained_project, tiny_model_folder):
    person = open_window(trained_project)
    assert person.text.tokens
    person.window.close_project_action.trigger()
    assert person.window.welcome.isVisible() and WindowSettings().last_project == ""
    assert usable(person, tiny_model_folder)

    assert person.cards() == ["Eternity, tiny-llama · frozen · CPU"]
    assert not person.text.tokens and not person.prompt.toPlainText()
    person.wait(lambda: not len(person.curve("lossChart", "verse")[0]))
