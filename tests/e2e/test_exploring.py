"""A text is asked, branched, steered, compared, scrubbed, read and shared, by mouse and keys in the real window."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from person import OpenWindow, Person
from PySide6.QtCore import QMimeData, QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QSlider, QTreeView, QWidget

from tlora_gui.engine.protocol.config import BASELINE_MODE
from tlora_gui.engine.protocol.texts import TokenEvent
from tlora_gui.ui.generation.inspector.inspector import TokenInspector
from tlora_gui.ui.generation.prompt_bar import LONGEST_PASTE
from tlora_gui.ui.generation.token_view.ribbon import MixRibbon
from tlora_gui.ui.widgets.command_palette import CommandPalette
from tlora_gui.ui.widgets.shortcut_sheet import ShortcutSheet

VERSE = "O gentle night, that hides"
CODE = "def f_1(x, y=1):\n    return [x"
_CTRL, _ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier


def ids(tokens: object) -> list[int]:
    return [token.token_id for token in tokens]  # type: ignore[attr-defined]


def texts_listed(person: Person) -> int:
    """How many kept texts the list has, branches counted in."""
    model = person.see(QTreeView, "textsTree").model()

    def below(parent: object) -> int:
        rows = range(model.rowCount(parent))
        return sum(1 + below(model.index(row, 0, parent)) for row in rows)

    from PySide6.QtCore import QModelIndex

    return below(QModelIndex())


def menu(person: Person, name: str) -> None:
    """Choose an entry of the menus by the name of its action."""
    action = getattr(person.window.menus, name)
    assert action.isEnabled(), f"{name} cannot be chosen"
    action.trigger()


def walk_to(person: Person, index: int) -> TokenEvent:
    """Walk through the text with the arrow keys until a token is chosen."""
    person.text.setFocus()
    QTest.keyClick(person.text, Qt.Key.Key_Home)
    while person.text.current < index:
        QTest.keyClick(person.text, Qt.Key.Key_Right)
    return person.text.tokens[person.text.current]


def first_new(tokens: object) -> TokenEvent:
    return next(token for token in tokens if not token.is_prompt)  # type: ignore[attr-defined]


def branch_with_keys(person: Person, index: int, row: int) -> None:
    """Choose another of the most probable tokens at ``index`` without the mouse."""
    walk_to(person, index)
    QTest.keyClick(person.text, Qt.Key.Key_Return)
    rows = QApplication.focusWidget()
    assert rows is not None and person.see(TokenInspector, "tokenInspector").isAncestorOf(rows)
    for _ in range(row):
        QTest.keyClick(rows, Qt.Key.Key_Down)
    QTest.keyClick(rows, Qt.Key.Key_Return)
    person.wait(lambda: person.window.controller.generating.job_id is not None)
    person.until_generated()


# -- asking ------------------------------------------------------------------------------------------------------


def test_every_epoch_says_what_it_would_have_said_here(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    tokens = person.generate(VERSE + CODE)
    walk_to(person, first_new(tokens).index)
    menu(person, "predict_counterfactual")
    inspector = person.see(TokenInspector, "tokenInspector")
    person.wait_without_error(
        lambda: any("KL(mix" in label.text() for label in inspector.findChildren(QLabel) if label.isVisible())
    )


# -- branching ---------------------------------------------------------------------------------------------------


def test_another_word_branches_off_and_can_be_undone(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    parent = person.generate("def f")
    at = next(token.index for token in parent[first_new(parent).index + 1 :] if token.text)  # one that can be seen
    others = [place for place, each in enumerate(parent[at].alternatives) if each.token_id != parent[at].token_id]
    branch_with_keys(person, at, others[-1])
    branch = tuple(person.text.tokens)

    assert branch[:at] == parent[:at] and branch[at].token_id != parent[at].token_id
    assert branch[at].forced and branch[at].token_id in [other.token_id for other in parent[at].alternatives]
    person.wait(lambda: texts_listed(person) == 3)  # the project's own, the parent, the branch
    menu(person, "back")
    person.wait(lambda: ids(person.text.tokens) == ids(parent))
    menu(person, "forward")
    person.wait(lambda: ids(person.text.tokens) == ids(branch))


def test_the_same_branch_gives_the_same_text(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    parent = person.generate("def f")
    at = first_new(parent).index + 2
    branch_with_keys(person, at, 1)
    once = tuple(person.text.tokens)
    menu(person, "back")
    person.wait(lambda: ids(person.text.tokens) == ids(parent))
    branch_with_keys(person, at, 1)
    assert [(t.token_id, t.weights, t.probability) for t in person.text.tokens] == [
        (t.token_id, t.weights, t.probability) for t in once
    ]


def test_a_typed_word_goes_on_from_the_chosen_token(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    parent = person.generate("O gentle")
    at = first_new(parent).index
    walk_to(person, at)
    edit = person.see(QLineEdit, "otherTokenEdit")
    QTest.keyClicks(edit, "moon")
    QTest.keyClick(edit, Qt.Key.Key_Return)
    person.wait(lambda: person.window.controller.generating.job_id is not None)
    person.until_generated()
    assert person.text.toPlainText().startswith("O gentlemoon") or person.text.toPlainText().startswith("O gentle moon")


def test_again_takes_a_new_seed_and_more_goes_on(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    parent = person.generate("def f", new_tokens=20)
    menu(person, "again")
    person.wait(lambda: person.window.controller.generating.job_id is not None)
    person.until_generated()
    again = ids(person.text.tokens)
    assert again[:5] == ids(parent)[:5] and again != ids(parent)
    menu(person, "more")
    person.wait(lambda: person.window.controller.generating.job_id is not None)
    person.until_generated()
    assert ids(person.text.tokens)[: len(again)] == again and len(person.text.tokens) > len(again)


def test_a_branch_while_text_comes_keeps_what_had_come(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    person.begin_generating("def f", new_tokens=200)
    person.wait(lambda: len(person.text.tokens) > 12)
    person.window.controller.generating.again(8)
    person.wait(lambda: person.window.generation.record is not None and person.window.generation.record.parent)
    person.until_generated()
    person.wait(lambda: texts_listed(person) == 3)
    assert person.text.toPlainText().startswith("def f")


# -- the mixing desk ----------------------------------------------------------------------------------------------


def test_a_manual_blend_speaks_and_is_recorded(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    person.window.raise_dock(person.window.desk)
    person.press("deskLockManual")
    sliders = {
        slider.accessibleName(): slider
        for slider in person.window.desk.findChildren(QSlider)
        if slider.objectName().startswith("deskLevel")
    }
    for slug, key in (("verse", Qt.Key.Key_End), ("code", Qt.Key.Key_Home), ("", Qt.Key.Key_Home)):
        slider = person.see(QSlider, f"deskLevel:{slug}")
        slider.setFocus()
        QTest.keyClick(slider, key)
    assert len(sliders) == 3
    tokens = person.generate("def f", new_tokens=6)
    assert {token.weights for token in tokens if not token.is_prompt} == {(0.0, 1.0, 0.0)}
    record = person.window.generation.record
    assert record is not None and record.desk[0].desk.lock == "manual"
    walk_to(person, first_new(tokens).index)
    labels = person.window.inspector.findChildren(QLabel)
    assert any("Mixing desk" in label.text() for label in labels if label.isVisibleTo(person.window.inspector))


def test_a_branch_goes_on_as_its_text_was_blended(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    desk = person.window.desk
    person.window.raise_dock(desk)
    person.press("deskLockManual")
    parent = person.generate("def f")
    blended = desk.desk()
    desk.reset()
    branch_with_keys(person, first_new(parent).index + 1, 1)
    record = person.window.generation.record
    assert record is not None and {change.desk for change in record.desk} == {blended}
    person.window.raise_dock(desk)
    person.press("deskLockGain")
    branch_with_keys(person, first_new(parent).index + 1, 1)
    record = person.window.generation.record
    assert record is not None and record.desk[-1].desk.lock == "gain"


def test_the_desk_turns_the_text_that_is_coming(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    person.window.raise_dock(person.window.desk)
    person.begin_generating("def f", new_tokens=200)
    person.wait(lambda: len(person.text.tokens) > 12)
    person.press("deskMute:code")
    person.until_generated()
    record = person.window.generation.record
    assert record is not None
    (turned,) = record.desk
    assert turned.desk.muted == ("code",) and turned.index > 12
    assert {token.weights[2] for token in record.tokens[turned.index :]} == {0.0}
    assert any(token.weights[2] > 0 for token in record.tokens[: turned.index])


def test_a_sweep_goes_from_one_epoch_to_another_in_five_rows(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    person.generate("abc", new_tokens=6)
    person.window.raise_dock(person.window.desk)
    person.press("sweepButton")
    person.wait(lambda: not person.window.controller.comparing.running)
    mixes = [column.text.tokens[-1].weights for column in person.columns]
    assert mixes == [(0, 1, 0), (0, 0.75, 0.25), (0, 0.5, 0.5), (0, 0.25, 0.75), (0, 0, 1)]


# -- ribbon and text ----------------------------------------------------------------------------------------------


def test_a_selection_in_the_text_is_one_on_the_ribbon_and_back(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    person.generate(VERSE)
    start, end = person.position_of(3), person.position_of(9)
    QTest.mousePress(person.text.viewport(), Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(person.text.viewport(), end)
    QTest.mouseRelease(person.text.viewport(), Qt.MouseButton.LeftButton, pos=end)
    ribbon = person.see(MixRibbon, "mixRibbon")
    first, last = ribbon.selection
    assert (first, last) == person.text.selected_tokens and 2 <= first <= 4 and 8 <= last <= 10
    ribbon.selection_changed.emit(12, 15)
    assert person.text.selected_tokens == (12, 15)
    assert person.text.selected_text() == "".join(token.text for token in person.text.tokens[12:16])


# -- comparing ----------------------------------------------------------------------------------------------------


def test_three_speakers_continue_one_prompt_side_by_side(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    person.generate("abc", new_tokens=12)
    QTest.keyClick(person.window, Qt.Key.Key_3, _CTRL)
    page = person.window.generation.compare_page
    page.choose_modes(["mixer", "verse", BASELINE_MODE])
    QTest.keyClick(person.prompt, Qt.Key.Key_Return, _CTRL)
    person.wait(lambda: person.window.controller.comparing.running)
    person.wait_without_error(lambda: not person.window.controller.comparing.running)
    mixer, verse, unprotected = (column.text.tokens for column in person.columns)
    assert ids(mixer)[:3] == ids(verse)[:3] == ids(unprotected)[:3]
    assert {token.weights for token in verse if not token.is_prompt} == {(0.0, 1.0, 0.0)}
    assert len(unprotected) == len(mixer) == 15


def test_scrubbing_shows_the_text_under_the_mixer_of_an_earlier_phase(
    open_window: OpenWindow, trained_project: Path
) -> None:
    person = open_window(trained_project)
    tokens = person.generate(VERSE + CODE)
    menu(person, "mixer_timeline")
    person.wait_without_error(lambda: person.see(QWidget, "scrubBar").isVisible())
    slider = person.see(QSlider, "scrubSlider")
    slider.setFocus()
    QTest.keyClick(slider, Qt.Key.Key_Home)
    assert {token.weights[2] for token in person.text.tokens} == {0.0}, "Code came later"
    QTest.keyClick(slider, Qt.Key.Key_End)
    now, then = person.text.tokens, tokens
    assert all(a.weights == pytest.approx(b.weights, abs=1e-3) for a, b in zip(now, then, strict=True))


# -- reading ------------------------------------------------------------------------------------------------------


def test_a_given_text_is_coloured_without_generating(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    QTest.keyClick(person.window, Qt.Key.Key_2, _CTRL)
    person.type_prompt(VERSE)
    QTest.keyClick(person.prompt, Qt.Key.Key_Return, _CTRL)
    person.wait_without_error(lambda: person.see(QWidget, "readReport").isVisible())
    person.until_generated()
    assert person.text.toPlainText() == VERSE and all(token.is_prompt for token in person.text.tokens)
    report = person.window.generation.record.report
    assert report is not None and [slug for slug, _ in report.losses] == ["", "verse", "code"]
    assert dict(report.losses)["verse"] < dict(report.losses)["code"]


def test_a_file_is_read(open_window: OpenWindow, trained_project: Path, tmp_path: Path) -> None:
    (tmp_path / "mixed.py").write_text("# " + VERSE + "\n" + CODE, encoding="utf-8")
    person = open_window(trained_project)
    person.press("readTab")
    person.press("openReadFileButton")
    person.choose_file(tmp_path / "mixed.py")
    person.wait_without_error(lambda: person.see(QWidget, "readReport").isVisible())
    assert person.text.toPlainText() == "# " + VERSE + "\n" + CODE
    assert person.prompt.toPlainText() == "# " + VERSE + "\n" + CODE


# -- finding, keys, sharing ---------------------------------------------------------------------------------------


def test_ctrl_f_finds_and_esc_leaves(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    person.generate(CODE, new_tokens=3)
    person.text.setFocus()
    QTest.keyClick(person.window, Qt.Key.Key_F, _CTRL)
    edit = person.see(QLineEdit, "findEdit")
    QTest.keyClicks(edit, "return")
    person.wait(lambda: person.see(QLabel, "findCount").text().startswith("1"))
    QTest.keyClick(edit, Qt.Key.Key_Escape)
    assert not edit.isVisible() and person.text.hasFocus()


def test_ctrl_k_runs_an_action_by_its_name(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    QTest.keyClick(person.window, Qt.Key.Key_K, _CTRL)
    palette = person.see(CommandPalette, "commandPalette")
    edit = person.see(QLineEdit, "paletteEdit", palette)
    QTest.keyClicks(edit, "read a text")
    QTest.keyClick(edit, Qt.Key.Key_Return)
    person.wait(lambda: person.window.generation.page == "read")


def test_f1_shows_every_key(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    QTest.keyClick(person.window, Qt.Key.Key_F1)
    sheet = person.see(ShortcutSheet, "shortcutSheet")
    assert sheet.isVisible()
    QTest.keyClick(sheet, Qt.Key.Key_Escape)


def test_a_text_saved_with_its_recipe_opens_to_the_same_picture(
    open_window: OpenWindow, trained_project: Path, tmp_path: Path
) -> None:
    person = open_window(trained_project)
    person.window.resize(1280, 1000)  # no scroll bar comes or goes
    tokens = person.generate(VERSE + CODE, new_tokens=8)
    person.press("saveTextButton")
    person.choose_file(tmp_path / "text.json")
    person.wait_without_error(lambda: "Written" in person.banner)
    before = person.text.viewport().grab().toImage()
    recipe = json.loads((tmp_path / "text.json").read_text(encoding="utf-8"))["recipe"]
    assert [epoch["slug"] for epoch in recipe["epochs"]] == ["verse", "code"]

    person.generate("xyz", new_tokens=3)
    menu(person, "open_text")
    person.choose_file(tmp_path / "text.json")
    person.wait_without_error(lambda: person.text.toPlainText().startswith(VERSE))
    assert tuple(person.text.tokens) == tokens
    person.text.clearFocus()
    assert person.text.viewport().grab().toImage() == before


@pytest.mark.parametrize("ending", ["html", "md", "png"])
def test_a_text_is_saved_for_others(
    open_window: OpenWindow, trained_project: Path, tmp_path: Path, ending: str
) -> None:
    person = open_window(trained_project)
    person.generate(CODE, new_tokens=8)
    person.press("saveTextButton")
    person.choose_file(tmp_path / f"text.{ending}")
    person.wait_without_error(lambda: "Written" in person.banner)
    assert (tmp_path / f"text.{ending}").stat().st_size > 200


def test_copies_tell_who_speaks(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    person.generate(VERSE + CODE, new_tokens=3)
    menu(person, "copy_markdown")
    assert "Code" in QGuiApplication.clipboard().text()
    menu(person, "copy_rich")
    data = QGuiApplication.clipboard().mimeData()
    assert "background" in data.html() and data.text().startswith(VERSE)


# -- bad input ----------------------------------------------------------------------------------------------------


def test_a_prompt_that_is_too_long_is_cut_where_the_mark_shows(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    person.prompt.setPlainText("".join(f"{number:04d}" for number in range(100)))  # 400 of 256 tokens
    person.press("generateButton")
    person.wait(lambda: person.sees_error)
    marks = person.prompt.extraSelections()
    assert marks, "nothing shows where it would be cut"
    kept = person.prompt.toPlainText()[marks[0].cursor.selectionEnd() :]
    person.press("bannerActionButton", person.window.banner)
    person.until_generated()
    assert person.prompt.toPlainText() == kept and person.text.toPlainText().startswith(kept)


def test_control_and_bidi_characters_do_no_harm(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    wild = "a\u202eb\u0007c\u2028d🙂e"
    person.prompt.setPlainText(wild)
    QTest.keyClick(person.prompt, Qt.Key.Key_Return, _CTRL)
    person.until_generated()
    menu(person, "copy")
    copied = QGuiApplication.clipboard().text()
    assert copied.startswith("a\u202eb\u0007c") and "d🙂e" in copied
    assert "\u202e" not in person.text.toPlainText()


def test_an_enormous_paste_is_clipped_and_said_so(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    data = QMimeData()
    data.setText("word " * 2_000_000)
    person.prompt.clear()
    person.prompt.insertFromMimeData(data)
    assert len(person.prompt.toPlainText()) == LONGEST_PASTE and "10,000,000" in person.banner


def test_a_text_keeps_the_colours_of_an_epoch_that_is_deleted(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    tokens = person.generate(CODE)
    index = next(i for i, token in enumerate(tokens) if i and token.text.strip() and token.weights[2] > 0.5)
    colour = person.background(index)
    person.choose("Code", "Delete")
    person.wait(lambda: "Code" not in person.epochs)
    assert person.background(index) == colour and len(person.text.slots) == 3
    place = person.position_of(index)
    QTest.mouseMove(person.text.viewport(), place + QPoint(1, 0))
    menu(person, "again")
    person.wait(lambda: person.window.controller.generating.job_id is not None)
    person.until_generated()
    assert len(person.text.slots) == 2


def test_everything_can_be_stopped(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    person.generate("abc", new_tokens=200)
    QTest.keyClick(person.window, Qt.Key.Key_3, _CTRL)
    person.window.generation.begin()
    person.wait(lambda: any(c.text.tokens for c in person.columns))
    stop = person.see(QAbstractButton, "stopGenerationButton")
    assert stop.isVisible()
    QTest.keyClick(person.prompt, Qt.Key.Key_Escape)
    person.wait(lambda: not person.window.controller.comparing.running)
    QTest.keyClick(person.window, Qt.Key.Key_1, _CTRL)
    assert person.generate("def f", new_tokens=3)
