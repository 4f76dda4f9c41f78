"""What people do in orders that nobody had in mind: ask, open, compare, stop and leave while something still comes."""

from __future__ import annotations

from pathlib import Path

from person import OpenWindow, Person
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit
from screen_reader import items_of

from tlora_gui.engine.protocol.config import SamplingSettings
from tlora_gui.ui.generation.compare.compare_column import CompareColumn
from tlora_gui.ui.generation.inspector.slot_prediction_rows import SlotPredictionRows

_CTRL = Qt.KeyboardModifier.ControlModifier


def press_ctrl(person: Person, key: Qt.Key) -> None:
    QTest.keyClick(person.prompt if key == Qt.Key.Key_Return else person.window, key, _CTRL)


def begin_comparing(person: Person, new_tokens: int = 24) -> list[CompareColumn]:
    """Compare two speakers on the prompt that is there, without waiting for them."""
    press_ctrl(person, Qt.Key.Key_3)
    sampling = SamplingSettings(max_new_tokens=new_tokens)
    person.window.generation.prompt_bar.sampling.set_settings(sampling)
    press_ctrl(person, Qt.Key.Key_Return)
    return person.columns


def until_compared(person: Person) -> None:
    person.wait_without_error(lambda: not person.window.controller.comparing.running)


def offers_to_stop(person: Person) -> bool:
    stop = person.see(QAbstractButton, "stopGenerationButton")
    assert person.window.menus.stop.isEnabled() == stop.isVisible()
    return stop.isVisible() and stop.isEnabled()


def figures(column: CompareColumn) -> str:
    return next(label.text() for label in column.findChildren(QLabel) if label.objectName().startswith("compareFig"))


def test_a_text_that_is_opened_can_be_worked_on_at_once(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    assert person.text.tokens
    menus = person.window.menus
    assert [action.objectName() for action in (*menus.needs_text, menus.mixer_timeline) if not action.isEnabled()] == []
    person.generate("xyz", new_tokens=3)
    person.window.controller.texts.open(next(iter(person.window.controller.texts.known)))
    person.wait(lambda: person.text.toPlainText().startswith("def f"))
    assert menus.find.isEnabled() and menus.predict_counterfactual.isEnabled()


def test_stop_is_offered_until_text_and_sweep_are_both_over(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    person.window.raise_dock(person.window.desk)
    person.begin_generating("def f", new_tokens=100)
    person.press("sweepButton")
    person.until_generated()
    assert person.window.controller.comparing.running and offers_to_stop(person)
    QTest.keyClick(person.prompt, Qt.Key.Key_Escape)
    until_compared(person)
    assert not offers_to_stop(person)


def test_stop_can_be_pressed_for_a_file_that_replaces_a_text(
    open_window: OpenWindow, trained_project: Path, tmp_path: Path
) -> None:
    (tmp_path / "verse.txt").write_text("O gentle night, " * 12, encoding="utf-8")
    person = open_window(trained_project)
    person.begin_generating("def f", new_tokens=200)
    person.window.controller.generating.again(4)
    person.press("stopGenerationButton")
    person.window.controller.generating.read_file(str(tmp_path / "verse.txt"))
    assert offers_to_stop(person)
    person.until_generated()
    assert not offers_to_stop(person) and person.window.generation.page == "read"


def test_a_branch_that_waits_is_forgotten_with_its_project(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    person.begin_generating("def f", new_tokens=200)
    person.wait(lambda: len(person.text.tokens) > 12)
    person.window.controller.generating.again(8)
    person.window.menus.close_project.trigger()
    assert person.window.controller.generating.job_id is None
    person.wait(lambda: not person.window.client.busy)
    assert person.window.controller.generating.job_id is None and not person.text.tokens


def test_opening_a_text_ends_the_one_that_comes(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    kept = tuple(person.text.tokens)
    person.begin_generating("xyz", new_tokens=200)
    person.wait(lambda: len(person.text.tokens) > 12)
    person.window.controller.texts.open(next(iter(person.window.controller.texts.known)))
    person.wait_without_error(lambda: tuple(person.text.tokens) == kept)
    assert person.window.controller.generating.job_id is None and not offers_to_stop(person)


def test_a_compared_token_is_not_taken_for_one_of_the_text(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    person.generate("def f", new_tokens=6)
    person.window.generation.choose_token(7)
    ask = person.see(QAbstractButton, "askOthersButton")
    assert ask.isEnabled()
    columns = begin_comparing(person, 6)
    until_compared(person)
    columns[1].text.token_selected.emit(6)
    assert not ask.isEnabled() and not person.see(QAbstractButton, "againButton").isEnabled()
    assert [action.text() for action in columns[1].text._menu_for(6).actions()] == ["Copy all", "Copy all with colours"]
    press_ctrl(person, Qt.Key.Key_1)
    assert ask.isEnabled() and person.see(QAbstractButton, "againButton").isEnabled()
    assert person.window.inspector.index == 7


def test_what_is_done_with_the_text_shows_the_text(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    press_ctrl(person, Qt.Key.Key_3)
    press_ctrl(person, Qt.Key.Key_F)
    assert person.see(QLineEdit, "findEdit").isVisible()
    press_ctrl(person, Qt.Key.Key_3)
    press_ctrl(person, Qt.Key.Key_R)
    assert person.window.generation.page == "generate" and person.text.isVisible()
    person.until_generated()


def test_a_comparison_that_is_stopped_says_so_and_is_among_the_texts(
    open_window: OpenWindow, trained_project: Path
) -> None:
    person = open_window(trained_project)
    first, second = begin_comparing(person, 200)
    person.wait(lambda: len(first.text.tokens) > 12 and len(second.text.tokens) > 12)
    assert person.window.controller.comparing.running
    person.press("stopGenerationButton")
    until_compared(person)
    assert "tokens" in figures(first) and "tokens" in figures(second)
    assert abs(len(first.text.tokens) - len(second.text.tokens)) <= 1 and len(first.text.tokens) < 200
    person.wait(lambda: len(person.window.controller.texts.known) == 3)


def test_several_texts_are_deleted_and_brought_back_together(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    for prompt in ("abc", "xyz"):
        person.generate(prompt, new_tokens=3)
    texts = person.window.controller.texts
    person.wait(lambda: len(texts.known) == 3)
    person.window.texts.delete_requested.emit(list(texts.known)[1:])
    person.wait(lambda: len(texts.known) == 1)
    assert person.banner == "2 texts and what branches off them are deleted."
    person.press("bannerActionButton", person.window.banner)
    person.wait(lambda: len(texts.known) == 3)


def test_another_project_begins_without_the_comparison_and_the_desk_of_the_last(
    open_window: OpenWindow, trained_project: Path
) -> None:
    person = open_window(trained_project)
    person.window.raise_dock(person.window.desk)
    person.press("deskMute:code")
    begin_comparing(person, 6)
    until_compared(person)
    person.window.menus.close_project.trigger()
    person.window.controller.projects.open(str(trained_project))
    person.wait(lambda: person.window.project_shown)
    assert [tuple(column.text.tokens) for column in person.columns] == [(), ()]
    assert person.window.desk.desk().muted == ()


def test_after_an_epoch_is_deleted_those_that_are_left_are_asked(
    open_window: OpenWindow, trained_project: Path
) -> None:
    person = open_window(trained_project)
    person.generate("def f", new_tokens=6)
    person.choose("Verse", "Delete")
    person.wait(lambda: "Verse" not in person.epochs)
    person.window.generation.choose_token(7)
    person.window.menus.predict_counterfactual.trigger()
    rows = person.see(SlotPredictionRows, "voiceRows")
    person.wait_without_error(rows.isVisible)
    assert [item.split(":")[0] for item in items_of(rows)] == ["Mix", "Code", "Eternity"]
    person.window.menus.mixer_timeline.trigger()
    person.wait_without_error(person.window.generation.text_page.timeline.isVisible)
    person.window.menus.again.trigger()
    person.until_generated()
    assert [slot.name for slot in person.text.slots] == ["Eternity", "Code"]


def test_a_file_that_cannot_be_read_leaves_the_prompt(
    open_window: OpenWindow, trained_project: Path, tmp_path: Path
) -> None:
    person = open_window(trained_project)
    person.type_prompt("def f")
    person.window.controller.generating.read_file(str(tmp_path / "gone.txt"))
    person.wait(lambda: person.sees_error)
    person.wait(lambda: person.window.controller.generating.job_id is None)
    assert person.prompt.toPlainText() == "def f"
