"""Files dragged onto the window with real drag events open "New epoch", whatever is under the pointer."""

from __future__ import annotations

from pathlib import Path

import pytest
from person import Person, drop, file_drag
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractScrollArea, QLineEdit, QPlainTextEdit, QWidget

PLACES = ("promptEdit", "tokenView", "mixRibbon", "lossChart", "epochList", "dropZone", "tokenInspector", "modeCombo")


def innermost(widget: QWidget) -> QWidget:
    """What is under the pointer in the middle of a widget."""
    found = widget.childAt(widget.rect().center())
    return widget if found is None else found


def takers(person: Person) -> list[QWidget]:
    """Every visible widget of the window that asks for drops of its own."""
    return [widget for widget in person.window.findChildren(QWidget) if widget.acceptDrops() and widget.isVisible()]


def test_a_dropped_folder_opens_new_epoch_filled_in(open_window, project, corpora):
    person = open_window(project)
    dialog = person.drop(corpora["verse"])

    assert dialog.objectName() == "newEpochDialog"
    assert person.see(QLineEdit, "corpusPathEdit", dialog).text() == str(corpora["verse"])
    assert person.see(QLineEdit, "epochNameEdit", dialog).text() == "Verse"
    assert person.headline.startswith("6 files · ") and "tokens to train on" in person.headline
    assert person.start_button.isEnabled()
    person.look("new-epoch")
    dialog.grab().save("/tmp/x.png") if False else None


def test_several_dropped_files_are_one_corpus(open_window, project, corpora):
    person = open_window(project)
    files = sorted(corpora["code"].iterdir())[:3]
    person.drop(*files)

    assert person.headline.startswith("3 files · ")
    assert person.see(QLineEdit, "epochNameEdit", person.dialog).text() == "Code"


@pytest.mark.parametrize("with_text", [False, True], ids=["urls", "urls and text"])
@pytest.mark.parametrize("place", PLACES)
def test_files_dropped_anywhere_open_new_epoch(open_window, trained_project, corpora, place, with_text):
    person = open_window(trained_project)
    prompt, text = person.prompt.toPlainText(), person.text.toPlainText()
    target = innermost(person.see(QWidget, place))

    assert drop(target, file_drag([corpora["verse"]], with_text))
    person.wait(lambda: person.dialog is not None)
    assert person.see(QLineEdit, "corpusPathEdit", person.dialog).text() == str(corpora["verse"])
    assert (person.prompt.toPlainText(), person.text.toPlainText()) == (prompt, text)


def test_no_widget_of_the_window_keeps_dropped_files_for_itself(open_window, trained_project, corpora):
    person = open_window(trained_project)
    for widget in takers(person):
        assert drop(widget, file_drag([corpora["verse"]], with_text=True)), widget
        assert person.dialog is not None, f"{widget} kept it"
        person.dialog.done(0)
        person.wait(lambda: person.dialog is None)


def test_text_dragged_into_the_prompt_is_text(open_window, trained_project):
    person = open_window(trained_project)
    person.prompt.clear()
    data = QMimeData()
    data.setText("O gentle night")

    assert drop(person.prompt.viewport(), data)
    assert person.prompt.toPlainText() == "O gentle night" and person.dialog is None
    assert not drop(person.window, data)


def test_a_link_from_the_web_is_no_corpus(open_window, project):
    person = open_window(project)
    data = QMimeData()
    data.setUrls([QUrl("https://example.org/text.txt")])

    assert not drop(person.window, data)
    assert person.dialog is None


def test_files_dropped_on_the_open_dialog_take_the_place_of_the_first(open_window, project, corpora):
    person = open_window(project)
    dialog = person.drop(corpora["verse"])
    assert drop(dialog, file_drag([corpora["code"]]))
    person.wait(lambda: person.see(QLineEdit, "epochNameEdit", dialog).text() == "Code")

    assert person.see(QLineEdit, "corpusPathEdit", dialog).text() == str(corpora["code"])
    assert person.start_button.isEnabled()


@pytest.mark.parametrize("kind", ["empty", "small", "binary"])
def test_text_that_cannot_be_trained_on_says_why_and_cannot_be_started(open_window, project, tmp_path, kind):
    folder = tmp_path / "dropped"
    folder.mkdir()
    if kind == "small":
        (folder / "note.txt").write_text("too short to learn from")
    if kind == "binary":
        (folder / "photo.jpg").write_bytes(bytes(range(256)) * 200)
    person = open_window(project)
    dialog = person.drop(folder)

    expected = {"empty": "No readable text", "small": "too little text", "binary": "No readable text"}
    assert expected[kind] in person.headline
    assert not person.start_button.isEnabled()
    skipped = person.see(QPlainTextEdit, "skippedList", dialog).toPlainText()
    assert skipped == ("photo.jpg: binary, not text" if kind == "binary" else "")
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    assert person.dialog is not None and not person.window.controller.trainings
    person.look(f"dropped-{kind}")


def test_a_dropped_folder_that_vanished_is_told_in_the_dialog(open_window, project, tmp_path):
    person = open_window(project)
    person.drop(tmp_path / "gone")

    assert "does not exist" in person.headline and not person.start_button.isEnabled()


def test_what_is_dropped_before_there_is_a_project_waits_for_it(open_window, corpora, project):
    person = open_window()
    assert drop(person.window, file_drag([corpora["verse"]]))
    assert "Choose a backbone first" in person.banner and person.dialog is None

    person.window.controller.open_project(str(project))
    person.wait(lambda: person.dialog is not None)
    assert person.see(QLineEdit, "corpusPathEdit", person.dialog).text() == str(corpora["verse"])


def test_no_field_of_the_welcome_takes_a_dropped_path_as_text(open_window, corpora):
    person = open_window()
    for choice in ("hubChoice", "localChoice"):
        person.see(QWidget, choice).setChecked(True)  # type: ignore[attr-defined]
        for edit in person.window.findChildren(QLineEdit):
            if edit.isVisible():
                before = edit.text()
                drop(edit, file_drag([corpora["verse"]], with_text=True))
                assert edit.text() == before, edit.objectName()
    assert "kept for then" in person.banner


def test_the_whole_window_lights_up_while_files_are_over_it(open_window, project, corpora):
    from PySide6.QtCore import QPoint
    from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent
    from PySide6.QtWidgets import QApplication

    person = open_window(project)
    zone = person.see(QWidget, "dropZone")
    data = file_drag([corpora["verse"]])
    prompt = person.see(QAbstractScrollArea, "promptEdit").viewport()
    enter = QDragEnterEvent(
        QPoint(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(prompt, enter)
    assert zone.property("active") == "true"
    QApplication.sendEvent(prompt, QDragLeaveEvent())
    assert zone.property("active") == "false"


def test_paths_with_odd_characters_are_taken_whole(open_window, project, tmp_path, corpora):
    odd = tmp_path / "Ünïcode; semi #1"
    odd.mkdir()
    for file in corpora["verse"].iterdir():
        (odd / file.name).write_bytes(file.read_bytes())
    person = open_window(project)
    person.drop(odd)

    assert person.headline.startswith("6 files · ") and person.start_button.isEnabled()
    assert Path(person.dialog._corpus.paths()[0]) == odd if person.dialog else False
