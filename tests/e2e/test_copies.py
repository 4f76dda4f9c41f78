"""A project is saved as another, duplicated, sent as a file, and opened from one in every way there is."""

from __future__ import annotations

import json
import shutil
import threading
import zipfile
from pathlib import Path

import pytest
from kit import drop, file_drag, plain, said
from person import OpenWindow, Person
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QCheckBox, QDialog, QLabel
from stage import Stage, project_info

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.config import ARCHIVE_MIME
from tlora_gui.engine.protocol.events import Progress, ProjectOpened, ProjectWeighed, ProjectWritten
from tlora_gui.ui.settings import WindowSettings
from tlora_gui.ui.widgets.drops import recognise
from tlora_gui.ui.widgets.send_dialog import SendDialog


@pytest.fixture(autouse=True)
def own_projects(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where new projects go."""
    folder = tmp_path / "projects"
    monkeypatch.setenv("TLORA_PROJECTS", str(folder))
    return folder


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    """A packed project, as far as the window looks at it."""
    with zipfile.ZipFile(tmp_path / "Sent.tlora", "w") as packed:
        packed.writestr("mimetype", ARCHIVE_MIME)
    return tmp_path / "Sent.tlora"


def opened(person: Person) -> str:
    project = person.window.controller.projects.project
    return "" if project is None else project.path


def send_dialog(person: Person) -> SendDialog:
    return person.see(SendDialog, "sendDialog")


# -- with the real engine ---------------------------------------------------------------------------------------------


def test_a_project_is_saved_as_another_sent_and_opened_by_a_drop(
    open_window: OpenWindow, trained_project: Path, tiny_model_folder: Path, tmp_path: Path, own_projects: Path
) -> None:
    person = open_window(trained_project)
    person.window.menus.save_as.trigger()
    person.choose_file(tmp_path / "second")
    person.wait_without_error(lambda: opened(person) == str(tmp_path / "second"))
    assert person.states == {"Verse": "frozen", "Code": "frozen"} and len(person.text.tokens) > 0
    assert WindowSettings().recent_projects[:2] == [str(tmp_path / "second"), str(trained_project)]

    person.window.menus.send.trigger()
    dialog = send_dialog(person)
    person.wait(lambda: "About" in said(dialog))
    assert not person.see(QCheckBox, "send:checkpoints", dialog).isEnabled(), "there are none"
    person.see(QCheckBox, "send:texts", dialog).click()
    person.press("sendButton", dialog)
    person.choose_file(tmp_path / "sent.tlora")
    person.wait_without_error(lambda: "Written" in person.banner)
    assert "generations.jsonl" not in zipfile.ZipFile(tmp_path / "sent.tlora").namelist()
    person.close()

    WindowSettings().last_project = ""
    other = open_window()
    assert drop(other.window, file_drag([tmp_path / "sent.tlora"]))
    other.answer("hereButton")
    other.wait(lambda: other.sees_error)
    assert "tiny-llama does not exist" in other.banner, "the place of the backbone is nobody else's business"
    other.press("bannerActionButton", other.window.banner)
    other.answer("folderButton")
    other.choose_file(tiny_model_folder)
    other.wait_without_error(lambda: other.window.project_shown)
    assert opened(other) == str(own_projects / "sent") and other.states == {"Verse": "frozen", "Code": "frozen"}
    assert other.generate("def f", new_tokens=3)


def test_a_training_goes_on_beside_a_duplicate_that_has_what_is_finished(
    open_window: OpenWindow, trained_project: Path, corpora: dict[str, Path], tmp_path: Path
) -> None:
    person = open_window(trained_project)
    person.train(corpora["verse"], name="Third", tokens=4096)
    person.until_step(2)
    person.window.menus.save_as.trigger()
    assert person.sees_error and "in training" in person.banner and "latest checkpoint" in person.banner
    person.press("bannerActionButton", person.window.banner)
    person.choose_file(tmp_path / "beside")
    person.wait(lambda: "Copied" in person.banner)
    assert "Third is in training" in person.banner
    person.until_trained("Third")
    person.window.controller.projects.open(str(tmp_path / "beside"))
    person.wait_without_error(lambda: opened(person) == str(tmp_path / "beside"))
    assert person.states["Verse"] == person.states["Code"] == "frozen" != person.states.get("Third")


def test_a_damaged_file_is_refused_in_words_and_leaves_nothing(
    open_window: OpenWindow, sent: Path, own_projects: Path
) -> None:
    person = open_window()
    assert drop(person.window, file_drag([sent]))
    person.answer("hereButton")
    person.wait(lambda: person.sees_error)
    assert "Sent.tlora cannot be unpacked" in person.banner
    assert person.window.welcome.isVisible() and not own_projects.exists()


# -- before an engine that plays --------------------------------------------------------------------------------------


def unpacks(stage: Stage) -> None:
    """The engine that plays makes of a file what was asked for."""

    def play(job: jobs.Job, _: object):  # type: ignore[no-untyped-def]
        assert isinstance(job, jobs.UnpackProject)
        yield Progress("Unpacking")
        yield ProjectWritten(job.target)

    stage.plays[jobs.UnpackProject] = play


def test_packed_projects_are_known_by_their_content_or_their_ending(sent: Path, tmp_path: Path) -> None:
    assert recognise(str(sent)).kind == "packed project"
    renamed = Path(shutil.copy(sent, tmp_path / "Sent.zip"))
    assert recognise(str(renamed)).kind == "packed project"
    (tmp_path / "cut.tlora").write_bytes(b"P")
    assert recognise(str(tmp_path / "cut.tlora")).kind == "packed project", "to be refused in words"
    with zipfile.ZipFile(tmp_path / "texts.zip", "w") as packed:
        packed.writestr("a.txt", "O gentle night")
    assert recognise(str(tmp_path / "texts.zip")).kind == "other"


@pytest.mark.parametrize("way", ["argument", "index", "folder", "file", "system", "menu", "drop"])
def test_a_project_opens_in_every_way(
    stage: Stage, open_window: OpenWindow, sent: Path, tmp_path: Path, own_projects: Path, way: str
) -> None:
    unpacks(stage)
    folder = tmp_path / "verse"
    folder.mkdir()
    (folder / "project.json").write_text(json.dumps({"format_version": 1, "epochs": {}}))
    start = {"argument": sent, "index": folder / "project.json", "folder": folder}.get(way)
    person = open_window(start, opens=False)
    if way == "system":
        QApplication.sendEvent(QApplication.instance(), QFileOpenEvent(str(sent)))
    elif way == "menu":
        person.window.menus.open_file.trigger()
        person.choose_file(sent)
    elif way in ("file", "drop"):
        assert drop(person.window, file_drag([folder / "project.json" if way == "file" else sent]))
    if way in ("argument", "system", "menu", "drop"):
        person.wait(lambda: person.window.findChild(QDialog, "questionBox"))
        assert str(own_projects / "Sent") in plain(person.question.informativeText())
        person.answer("hereButton")
    person.wait_without_error(lambda: person.window.project_shown)
    expected = folder if way in ("index", "folder", "file") else own_projects / "Sent"
    assert opened(person) == str(expected)
    assert [job.path for job in stage.of(jobs.OpenProject)] == [str(expected)]  # type: ignore[attr-defined]


def test_the_place_of_an_unpacked_project_is_the_persons_choice_and_its_name_is_free(
    stage: Stage, open_window: OpenWindow, sent: Path, tmp_path: Path
) -> None:
    unpacks(stage)
    (tmp_path / "place" / "Sent").mkdir(parents=True)
    person = open_window()
    assert drop(person.window, file_drag([sent]))
    person.answer("elsewhereButton")
    person.choose_file(tmp_path / "place")
    person.wait(lambda: person.window.project_shown)
    assert stage.of(jobs.UnpackProject) == [jobs.UnpackProject(str(sent), str(tmp_path / "place" / "Sent 2"))]


def test_a_packed_project_over_another_is_asked_about_and_texts_dropped_with_it_are_kept(
    stage: Stage, open_window: OpenWindow, sent: Path, tmp_path: Path
) -> None:
    unpacks(stage)
    (tmp_path / "verse.txt").write_text("O gentle night\n")
    person = open_window(Path("/somewhere/here"))
    assert drop(person.window, file_drag([sent, tmp_path / "verse.txt"]))
    assert "is closed for it" in person.question.informativeText()
    person.answer("stayButton")
    assert opened(person) == "/somewhere/here" and not stage.of(jobs.UnpackProject)
    assert drop(person.window, file_drag([sent, tmp_path / "verse.txt"]))
    person.answer("hereButton")
    person.wait(lambda: person.dialog is not None)
    assert opened(person).endswith("Sent")


def test_unpacking_is_cancelled_from_the_welcome(stage: Stage, open_window: OpenWindow, sent: Path) -> None:
    stage.plays[jobs.UnpackProject] = stage.until(threading.Event(), Progress("Unpacking", 1.0, 2.0, "MB"))
    person = open_window()
    assert drop(person.window, file_drag([sent]))
    person.answer("hereButton")
    person.wait(lambda: stage.of(jobs.UnpackProject))
    person.press("cancelButton", person.window.welcome)
    person.wait(lambda: stage.cancelled and not person.window.controller.projects.opening)
    assert person.see(QAbstractButton, "createProjectButton").isVisible() and not stage.of(jobs.OpenProject)


def test_a_duplicate_stays_here_and_is_cancelled_in_the_status_bar(
    stage: Stage, open_window: OpenWindow, tmp_path: Path
) -> None:
    person = open_window(tmp_path / "verse")
    stage.plays[jobs.CopyProject] = stage.until(threading.Event(), Progress("Copying", 1.0, 2.0, "MB"))
    person.window.menus.duplicate.trigger()
    person.choose_file(tmp_path / "copy")
    person.wait(lambda: person.see(QAbstractButton, "cancelProgressButton").isVisible())
    person.press("cancelProgressButton")
    person.wait(lambda: stage.cancelled and not person.window.client.busy)
    stage.plays[jobs.CopyProject] = lambda job, _: iter([ProjectWritten(job.target)])  # type: ignore[union-attr]
    person.window.menus.duplicate.trigger()
    person.choose_file(tmp_path / "copy")
    person.wait(lambda: "Copied" in person.banner)
    assert opened(person) == str(tmp_path / "verse")
    assert stage.of(jobs.CopyProject)[-1] == jobs.CopyProject(str(tmp_path / "verse"), str(tmp_path / "copy"))


def test_the_copy_of_a_project_is_gone_on_in_and_its_failure_told(
    stage: Stage, open_window: OpenWindow, tmp_path: Path
) -> None:
    person = open_window(tmp_path / "verse")
    stage.plays[jobs.CopyProject] = lambda job, _: iter([ProjectWritten(job.target)])  # type: ignore[union-attr]
    person.window.menus.save_as.trigger()
    person.choose_file(tmp_path / "copy")
    person.wait(lambda: opened(person) == str(tmp_path / "copy"))
    stage.plays[jobs.OpenProject] = lambda job, _: iter([ProjectOpened(project_info(job.path))])  # type: ignore[union-attr]
    for action in (person.window.menus.save_as, person.window.menus.duplicate, person.window.menus.send):
        assert action.isEnabled()
    person.window.menus.close_project.trigger()
    for action in (person.window.menus.save_as, person.window.menus.duplicate, person.window.menus.send):
        assert not action.isEnabled()


def test_what_is_sent_is_what_was_ticked(stage: Stage, open_window: OpenWindow, tmp_path: Path) -> None:
    person = open_window(tmp_path / "verse")
    parts = (("texts", 1200), ("runs", 0), ("checkpoints", 5_000_000), ("memories", 9_000_000))
    stage.plays[jobs.WeighProject] = lambda job, _: iter([ProjectWeighed(7_000_000, parts)])  # type: ignore[arg-type]
    stage.plays[jobs.PackProject] = lambda job, _: iter([ProjectWritten(job.target, "Third is in training.")])  # type: ignore[union-attr]
    person.window.menus.send.trigger()
    dialog = send_dialog(person)
    total = person.see(QLabel, "sendTotal", dialog)
    person.wait(lambda: total.text())
    assert plain(total.text()) == "About 16 MB" and not person.see(QCheckBox, "send:runs", dialog).isEnabled()
    for told in ("router inputs", "4,096 tokens", "all of the text", "needs the same backbone, tiny"):
        assert told.casefold() in said(dialog).casefold()
    person.see(QCheckBox, "send:memories", dialog).click()
    person.see(QCheckBox, "send:checkpoints", dialog).click()
    assert plain(total.text()) == "About 12 MB"
    person.press("sendButton", dialog)
    person.choose_file(tmp_path / "out")
    person.wait(lambda: "Written" in person.banner)
    assert "Third is in training." in person.banner
    assert stage.of(jobs.PackProject) == [
        jobs.PackProject(str(tmp_path / "verse"), str(tmp_path / "out.tlora"), ("memories",), overwrite=True)
    ]
