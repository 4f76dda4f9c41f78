"""What is dropped is judged by what it is: a project, a model, a saved text or a text, wherever it is let go."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from kit import drop, file_drag
from person import OpenWindow, Person
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit
from stage import Stage

from tlora_gui.engine.protocol import jobs
from tlora_gui.ui.widgets.backbone_choice import BackboneChoice
from tlora_gui.ui.widgets.drops import recognise


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    """As far as anybody can see from outside."""
    path = tmp_path / "Model.GGUF"
    path.write_bytes(b"GGUF\x03\0\0\0" + bytes(100))
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "some-model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "llama", "architectures": ["LlamaForCausalLM"]}))
    (folder / "tokenizer.json").write_text("{}")
    return folder


@pytest.fixture
def other_project(tmp_path: Path) -> Path:
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "project.json").write_text(json.dumps({"format_version": 1, "epochs": {}}))
    return folder


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "romeo.json"
    path.write_text(json.dumps({"format": "tlora-generation", "version": 1}, indent=2))
    return path


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "verse.txt"
    path.write_text("O gentle night\n" * 40)
    return path


def backbone(person: Person) -> str:
    return person.window.welcome.findChild(BackboneChoice).reference()


def test_things_are_recognised(
    gguf: Path, model: Path, other_project: Path, saved: Path, text: Path, tmp_path: Path
) -> None:
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "project.json").write_text('{"name": "somebody else\'s kind of project"}')
    (foreign / "config.json").write_text("[1, 2")
    kinds = {path: recognise(str(path)).kind for path in (gguf, model, other_project, saved, text, adapter, foreign)}
    assert [*kinds.values()] == ["backbone", "backbone", "project", "saved text", "other", "adapter", "other"]
    assert recognise(str(other_project / "project.json")).path == str(other_project)
    for strange in (tmp_path / "gone", Path("\0"), Path("x" * 5000)):
        assert recognise(str(strange)).kind == "other"


@pytest.mark.parametrize("what", ["gguf", "model"])
def test_a_model_dropped_on_the_welcome_is_the_backbone(
    stage: Stage, open_window: OpenWindow, request: pytest.FixtureRequest, what: str
) -> None:
    path = request.getfixturevalue(what)
    person = open_window()
    assert drop(person.window, file_drag([path]))
    assert backbone(person) == str(path) and person.see(QAbstractButton, "localChoice").isChecked()
    assert path.name in person.banner


def test_a_project_dropped_on_the_welcome_is_opened(stage: Stage, open_window: OpenWindow, other_project: Path) -> None:
    person = open_window()
    assert drop(person.window, file_drag([other_project]))
    person.wait(lambda: person.window.project_shown)
    assert person.window.controller.projects.project.path == str(other_project)


def test_a_project_dropped_over_another_is_asked_about(
    stage: Stage, open_window: OpenWindow, other_project: Path
) -> None:
    person = open_window(Path("/somewhere/here"))
    assert drop(person.window, file_drag([other_project]))
    person.answer("stayButton")
    assert person.window.controller.projects.project.name == "here" and person.dialog is None
    assert drop(person.window, file_drag([other_project]))
    person.answer("openButton")
    person.wait(lambda: person.window.controller.projects.project.path == str(other_project))


@pytest.mark.parametrize("what", ["gguf", "model"])
def test_a_model_dropped_over_a_project_is_no_corpus_and_can_begin_a_new_one(
    stage: Stage, open_window: OpenWindow, request: pytest.FixtureRequest, what: str
) -> None:
    path = request.getfixturevalue(what)
    person = open_window(Path("/somewhere/here"))
    assert drop(person.window, file_drag([path]))
    assert person.dialog is None and path.name in person.banner and "is a model" in person.banner
    person.press("bannerActionButton", person.window.banner)
    assert person.window.welcome.isVisible() and backbone(person) == str(path)


def test_a_saved_text_is_opened_as_one(stage: Stage, open_window: OpenWindow, saved: Path) -> None:
    person = open_window(Path("/somewhere/here"))
    assert drop(person.window, file_drag([saved]))
    person.wait(lambda: stage.of(jobs.ImportGeneration))
    assert stage.of(jobs.ImportGeneration) == [jobs.ImportGeneration(str(saved))] and person.dialog is None


def test_a_text_dropped_on_read_is_read_and_elsewhere_trained_on(
    stage: Stage, open_window: OpenWindow, text: Path
) -> None:
    person = open_window(Path("/somewhere/here"))
    person.window.menus.show_read.trigger()
    assert drop(person.prompt.viewport(), file_drag([text], with_text=True))
    person.wait(lambda: stage.of(jobs.ScoreTextFile))
    assert stage.of(jobs.ScoreTextFile)[0].path == str(text) and person.dialog is None
    person.window.menus.show_generate.trigger()
    assert drop(person.window, file_drag([text]))
    assert person.dialog is not None


def test_a_folder_dropped_on_read_is_trained_on(stage: Stage, open_window: OpenWindow, text: Path) -> None:
    person = open_window(Path("/somewhere/here"))
    person.window.menus.show_read.trigger()
    assert drop(person.window, file_drag([text.parent]))
    assert person.dialog is not None and not stage.of(jobs.ScoreTextFile)


def test_texts_and_a_model_dropped_together_each_find_their_place(
    stage: Stage, open_window: OpenWindow, model: Path, text: Path, other_project: Path
) -> None:
    person = open_window()
    assert drop(person.window, file_drag([text, model]))
    assert backbone(person) == str(model)
    person.window.controller.projects.open(str(other_project))
    person.wait(lambda: person.dialog is not None)
    assert person.see(QLineEdit, "corpusPathEdit", person.dialog).text() == str(text)


def test_a_project_and_texts_dropped_together_are_opened_and_trained_on(
    stage: Stage, open_window: OpenWindow, text: Path, other_project: Path, saved: Path
) -> None:
    person = open_window()
    assert drop(person.window, file_drag([text, other_project, saved]))
    person.wait(lambda: person.dialog is not None)
    assert person.see(QLineEdit, "corpusPathEdit", person.dialog).text() == str(text)
    assert person.window.controller.projects.project.path == str(other_project)
    person.wait(lambda: stage.of(jobs.ImportGeneration))


def test_what_is_dropped_in_two_goes_on_the_welcome_is_all_kept(
    stage: Stage, open_window: OpenWindow, text: Path, tmp_path: Path, other_project: Path
) -> None:
    second = tmp_path / "second.txt"
    second.write_text("Hello\n")
    person = open_window()
    for path in (text, second):
        assert drop(person.window, file_drag([path]))
    person.window.controller.projects.open(str(other_project))
    person.wait(lambda: person.dialog is not None)
    assert person.see(QLineEdit, "corpusPathEdit", person.dialog).text() == f"{text}; {second}"


def test_several_projects_and_models_at_once_are_refused_in_words(
    stage: Stage, open_window: OpenWindow, model: Path, other_project: Path, gguf: Path
) -> None:
    person = open_window()
    before = backbone(person)
    assert drop(person.window, file_drag([model, other_project, gguf]))
    assert person.sees_error and "one at a time" in person.banner and "other" in person.banner
    assert backbone(person) == before and not person.window.controller.projects.opening


def test_a_model_dropped_on_new_epoch_is_remarked_and_leaves_the_text_that_is_chosen(
    stage: Stage, open_window: OpenWindow, model: Path, text: Path
) -> None:
    person = open_window(Path("/somewhere/here"))
    assert drop(person.window, file_drag([text]))
    dialog = person.dialog
    assert dialog is not None
    assert drop(dialog, file_drag([model]))
    assert person.see(QLineEdit, "corpusPathEdit", dialog).text() == str(text)
    assert "some-model is no text" in person.see(QLabel, "newEpochProblem", dialog).text()


def test_a_moved_backbone_is_found_where_the_person_says(
    open_window: OpenWindow, trained_project: Path, tiny_model_folder: Path, tmp_path: Path
) -> None:
    index = json.loads((trained_project / "project.json").read_text())
    index["backbone"]["reference"] = str(tmp_path / "gone")
    (trained_project / "project.json").write_text(json.dumps(index))
    moved = Path(shutil.copytree(tiny_model_folder, tmp_path / "moved"))
    person = open_window(trained_project, opens=False)
    person.wait(lambda: person.sees_error)
    assert person.see(QAbstractButton, "bannerActionButton").text() == "Where is it now?"
    person.press("bannerActionButton", person.window.banner)
    person.answer("folderButton")
    person.choose_file(moved)
    person.wait_without_error(lambda: person.window.project_shown)
    assert person.states == {"Verse": "frozen", "Code": "frozen"}
    person.close()
    assert open_window(trained_project).window.project_shown  # and it is remembered
