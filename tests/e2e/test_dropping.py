"""Files dragged onto the window, with real drag events, open "New epoch", whatever is under the pointer."""

from __future__ import annotations

from pathlib import Path

import pytest
from kit import drag_in, drag_out, drop, file_drag
from person import Corpora, OpenWindow, Person
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QPlainTextEdit, QWidget

PLACES = ("promptEdit", "tokenView", "mixRibbon", "lossChart", "epochList", "dropZone", "tokenInspector", "modeCombo")


def under_the_pointer(widget: QWidget) -> QWidget:
    """What is in the middle of a widget."""
    found = widget.childAt(widget.rect().center())
    return widget if found is None else found


def chosen(person: Person) -> str:
    return person.see(QLineEdit, "corpusPathEdit", person.dialog).text()


def guessed_name(person: Person) -> str:
    return person.see(QLineEdit, "epochNameEdit", person.dialog).text()


def test_a_dropped_folder_opens_new_epoch_filled_in(open_window: OpenWindow, project: Path, corpora: Corpora) -> None:
    person = open_window(project)
    dialog = person.drop(corpora["verse"])

    assert dialog.objectName() == "newEpochDialog"
    assert (chosen(person), guessed_name(person)) == (str(corpora["verse"]), "Verse")
    assert person.headline.startswith("6 files · ") and person.headline.endswith("tokens to train on")
    assert "O gentle night" in person.see(QPlainTextEdit, "corpusExcerpt", dialog).toPlainText()
    assert person.start_button.isEnabled()


def test_several_dropped_files_are_one_corpus(open_window: OpenWindow, project: Path, corpora: Corpora) -> None:
    person = open_window(project)
    person.drop(*sorted(corpora["code"].iterdir())[:3])

    assert person.headline.startswith("3 files · ") and guessed_name(person) == "Code"


@pytest.mark.parametrize("with_text", [False, True], ids=["urls", "urls and text"])
def test_files_dropped_anywhere_open_new_epoch(
    open_window: OpenWindow, trained_project: Path, corpora: Corpora, with_text: bool
) -> None:
    person = open_window(trained_project)
    texts = person.prompt.toPlainText(), person.text.toPlainText()

    for place in PLACES:
        target = under_the_pointer(person.see(QWidget, place))
        assert drop(target, file_drag([corpora["verse"]], with_text=with_text)), place
        assert person.dialog is not None and chosen(person) == str(corpora["verse"]), place
        assert (person.prompt.toPlainText(), person.text.toPlainText()) == texts, place
        person.dialog.done(0)
        person.wait(lambda: person.dialog is None)


def test_no_widget_keeps_dropped_files_for_itself(
    open_window: OpenWindow, trained_project: Path, corpora: Corpora
) -> None:
    person = open_window(trained_project)
    person.window.generation.edit_prompt()
    takers = [widget for widget in person.window.findChildren(QWidget) if widget.acceptDrops() and widget.isVisible()]
    assert person.prompt.viewport() in takers
    for widget in takers:
        assert drop(widget, file_drag([corpora["verse"]], with_text=True)), widget
        assert person.dialog is not None, f"{widget} kept them"
        person.dialog.done(0)
        person.wait(lambda: person.dialog is None)


def test_text_dragged_into_the_prompt_is_text(open_window: OpenWindow, project: Path) -> None:
    person = open_window(project)
    data = QMimeData()
    data.setText("O gentle night")

    assert drop(person.prompt.viewport(), data)
    assert person.prompt.toPlainText() == "O gentle night" and person.dialog is None
    assert not drop(person.window, data)


def test_a_link_from_the_web_is_no_corpus(open_window: OpenWindow, project: Path) -> None:
    person = open_window(project)
    data = QMimeData()
    data.setUrls([QUrl("https://example.org/text.txt")])

    assert not drop(person.window, data) and person.dialog is None


def test_files_dropped_on_the_open_dialog_take_the_place_of_the_first(
    open_window: OpenWindow, project: Path, corpora: Corpora
) -> None:
    person = open_window(project)
    for place in ("", "epochNameEdit", "corpusPathEdit", "tokensSpin", "corpusExcerpt"):
        dialog = person.drop(corpora["verse"])
        target = under_the_pointer(person.see(QWidget, place, dialog)) if place else dialog
        assert drop(target, file_drag([corpora["code"]], with_text=True)), place
        person.wait(lambda: guessed_name(person) == "Code")

        assert chosen(person) == str(corpora["code"]) and person.start_button.isEnabled(), place
        dialog.done(0)
        person.wait(lambda: person.dialog is None)


@pytest.mark.parametrize(
    ("files", "problem", "skipped"),
    [
        ({}, "No readable text", ""),
        ({"note.txt": b"too short to learn from"}, "too little text", ""),
        ({"photo.jpg": bytes(range(256)) * 200}, "No readable text", "photo.jpg: binary, not text"),
    ],
    ids=["empty", "too small", "binary"],
)
def test_text_that_cannot_be_trained_on_says_why_and_cannot_be_started(
    open_window: OpenWindow, project: Path, tmp_path: Path, files: dict[str, bytes], problem: str, skipped: str
) -> None:
    folder = tmp_path / "dropped"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    person = open_window(project)
    dialog = person.drop(folder)

    assert problem in person.headline and not person.start_button.isEnabled()
    assert person.see(QPlainTextEdit, "skippedList", dialog).toPlainText() == skipped
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    assert person.dialog is not None and not person.window.controller.training.jobs


def test_a_dropped_folder_that_vanished_is_told_in_the_dialog(
    open_window: OpenWindow, project: Path, tmp_path: Path
) -> None:
    person = open_window(project)
    person.drop(tmp_path / "gone")

    assert "does not exist" in person.headline and not person.start_button.isEnabled()


def test_what_is_dropped_before_there_is_a_project_waits_for_it(
    open_window: OpenWindow, corpora: Corpora, project: Path
) -> None:
    person = open_window()
    assert drop(person.window, file_drag([corpora["verse"]]))
    assert "Choose a backbone first" in person.banner and person.dialog is None

    person.window.welcome.open_requested.emit(str(project))
    person.wait(lambda: person.dialog is not None)
    assert chosen(person) == str(corpora["verse"])


def test_no_field_of_the_welcome_takes_a_dropped_path_as_text(open_window: OpenWindow, corpora: Corpora) -> None:
    person = open_window()
    dropped = []
    for choice in ("hubChoice", "localChoice"):
        person.see(QAbstractButton, choice).click()
        for edit in person.window.welcome.findChildren(QLineEdit):
            if edit.isVisible():
                before = edit.text()
                assert drop(edit, file_drag([corpora["verse"]], with_text=True))
                assert edit.text() == before
                dropped.append(edit.objectName())
    assert {"hubIdEdit", "localModelEdit", "projectNameEdit", "projectPlaceEdit"} <= {*dropped}


def test_the_drop_zone_lights_up_while_files_are_over_the_window(
    open_window: OpenWindow, project: Path, corpora: Corpora
) -> None:
    person = open_window(project)
    zone = person.see(QWidget, "dropZone")
    for place in ("promptEdit", "lossChart", "epochList"):
        target = under_the_pointer(person.see(QWidget, place))
        assert drag_in(target, file_drag([corpora["verse"]])), place
        assert zone.property("active") == "true", place
        drag_out(target)
        assert zone.property("active") == "false", place


def test_a_path_with_odd_characters_is_taken_whole(
    open_window: OpenWindow, project: Path, tmp_path: Path, corpora: Corpora
) -> None:
    odd = tmp_path / "Ünïcode; semi #1 %20"
    odd.mkdir()
    for file in corpora["verse"].iterdir():
        (odd / file.name).write_bytes(file.read_bytes())
    person = open_window(project)
    person.drop(odd)

    assert person.headline.startswith("6 files · ") and person.start_button.isEnabled()
