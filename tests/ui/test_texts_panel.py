"""Kept texts: the forest that is shown, what stays when it changes, and what is asked for by mouse and keyboard."""

from __future__ import annotations

from dataclasses import replace

import pytest
from kit import WaitUntil, button, child, plain, shown
from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit, QWidget

from tlora_gui.engine.protocol.texts import GenerationSummary
from tlora_gui.ui.generation.library.generation_row import GenerationRow, text_at, title_of, when_text
from tlora_gui.ui.generation.library.generations_panel import GenerationsPanel
from tlora_gui.ui.generation.library.generations_tree import GenerationsTree

NOW = 1_700_000_000.0
KEY = Qt.Key


def text(text_id: str, parent: str = "", **changes: object) -> GenerationSummary:
    made = GenerationSummary(
        text_id, parent, 3, "", False, NOW, f"prompt {text_id}", "mixer", 0, 12, "length", f" own words of {text_id}"
    )
    return replace(made, **changes)


FOREST = (
    text("old", created=NOW - 900),
    text("pinned", created=NOW - 800, pinned=True),
    text("new", created=NOW - 100),
    text("first branch", "old", created=NOW - 90),
    text("second branch", "old", created=NOW - 80),
    text("twig", "first branch", created=NOW - 70),
)
IN_ORDER = ["pinned", "new", "old", "first branch", "twig", "second branch"]


@pytest.fixture
def panel(qapp: object) -> GenerationsPanel:
    made = GenerationsPanel()
    made.set_names({"mixer": "Time Mixer"})
    made.set_generations(FOREST)
    shown(made, 250, 420)
    return made


def tree_of(panel: GenerationsPanel) -> GenerationsTree:
    return child(panel, "textsTree", GenerationsTree)


def ids(panel: GenerationsPanel) -> list[str]:
    """Texts from top to bottom; what is folded is left out."""
    tree, found = tree_of(panel), []
    index = tree.model().index(0, 0)
    while index.isValid():
        found.append(text_at(index).id)
        index = tree.indexBelow(index)
    return found


def place(panel: GenerationsPanel, text_id: str) -> QPoint:
    return tree_of(panel).visualRect(index_of(panel, text_id)).center()


def index_of(panel: GenerationsPanel, text_id: str) -> QModelIndex:
    tree = tree_of(panel)
    index = tree.model().index(0, 0)
    while index.isValid() and text_at(index).id != text_id:
        index = tree.indexBelow(index)
    assert index.isValid(), f"{text_id} is not in sight"
    return index


def click(
    panel: GenerationsPanel, text_id: str, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
) -> None:
    QTest.mouseClick(tree_of(panel).viewport(), Qt.MouseButton.LeftButton, modifier, place(panel, text_id))


def test_branches_stand_under_their_parents_and_pinned_roots_before_newer_ones(panel: GenerationsPanel) -> None:
    assert ids(panel) == IN_ORDER
    assert text_at(index_of(panel, "twig").parent()).id == "first branch"


def test_a_branch_whose_parent_is_gone_is_a_root(panel: GenerationsPanel) -> None:
    panel.set_generations((text("orphan", "gone"), text("self", "self")))
    assert sorted(ids(panel)) == ["orphan", "self"]
    assert not index_of(panel, "orphan").parent().isValid()


def test_two_damaged_texts_that_are_each_others_parents_are_both_listed(panel: GenerationsPanel) -> None:
    panel.set_generations((text("a", "b"), text("b", "a")))
    assert ids(panel) == ["a", "b"]


def test_a_row_is_titled_by_name_then_by_prompt_and_a_branch_by_the_words_in_which_it_leaves() -> None:
    assert title_of(text("x", name="Hamlet")) == "Hamlet"
    assert title_of(text("x", prompt="To code\n  or not")) == "To code or not"
    assert title_of(text("x", prompt="To \u202ecode")) == "To ◇code", "the row is not turned round"
    assert title_of(text("x", "y", text="\n or to be")) == "… or to be"
    assert title_of(text("x", prompt="", text="")) == "(empty prompt)"


def test_age_is_told_in_minutes_then_hours_then_as_a_date() -> None:
    told = [when_text(NOW - seconds, NOW) for seconds in (5, 300, 7300)]
    assert told == ["now", "5 min ago", "2 h ago"]
    assert "2023" not in when_text(NOW - 5 * 86_400, NOW) and "ago" not in when_text(NOW - 5 * 86_400, NOW)
    assert "2022" in when_text(NOW - 400 * 86_400, NOW)


def test_click_opens_a_text(panel: GenerationsPanel) -> None:
    opened: list[str] = []
    panel.open_requested.connect(opened.append)
    click(panel, "twig")
    assert opened == ["twig"]


def test_enter_opens_the_text_that_the_arrow_keys_went_to(panel: GenerationsPanel) -> None:
    opened: list[str] = []
    panel.open_requested.connect(opened.append)
    tree_of(panel).setFocus()
    tree_of(panel).setCurrentIndex(index_of(panel, "pinned"))
    QTest.keyClick(tree_of(panel), KEY.Key_Down)
    assert opened == []
    QTest.keyClick(tree_of(panel), KEY.Key_Return)
    assert opened == ["new"]


def test_f2_edits_the_name_in_place_and_asks_for_it(panel: GenerationsPanel, wait_until: WaitUntil) -> None:
    renamed: list[tuple[str, str]] = []
    panel.rename_requested.connect(lambda *asked: renamed.append(asked))
    click(panel, "old")
    QTest.keyClick(tree_of(panel), KEY.Key_F2)
    editor = tree_of(panel).viewport().findChild(QLineEdit)
    assert editor is not None and editor.text() == ""
    QTest.keyClicks(editor, "Hamlet")
    QTest.keyClick(editor, KEY.Key_Return)
    wait_until(lambda: renamed == [("old", "Hamlet")])


def test_a_name_that_is_left_as_it_was_asks_for_nothing(panel: GenerationsPanel, wait_until: WaitUntil) -> None:
    renamed: list[str] = []
    panel.rename_requested.connect(renamed.append)
    panel.set_generations((text("named", name="Hamlet"),))
    click(panel, "named")
    QTest.mouseClick(button(panel, "renameTextButton"), Qt.MouseButton.LeftButton)
    editor = tree_of(panel).viewport().findChild(QLineEdit)
    assert editor is not None and editor.text() == "Hamlet"
    QTest.keyClick(editor, KEY.Key_Return)
    wait_until(lambda: tree_of(panel).viewport().findChild(QLineEdit) is None)
    assert renamed == []


def test_pin_button_pins_and_unpins(panel: GenerationsPanel) -> None:
    asked: list[tuple[str, bool]] = []
    panel.pin_requested.connect(lambda *pin: asked.append(pin))
    click(panel, "new")
    assert button(panel, "pinTextButton").text() == "Pin"
    QTest.mouseClick(button(panel, "pinTextButton"), Qt.MouseButton.LeftButton)
    click(panel, "pinned")
    assert button(panel, "pinTextButton").text() == "Unpin"
    QTest.mouseClick(button(panel, "pinTextButton"), Qt.MouseButton.LeftButton)
    assert asked == [("new", True), ("pinned", False)]


def test_delete_key_asks_for_the_selected_texts_but_not_for_branches_that_go_with_them(panel: GenerationsPanel) -> None:
    asked: list[list[str]] = []
    panel.delete_requested.connect(asked.append)
    click(panel, "new")
    click(panel, "old", Qt.KeyboardModifier.ControlModifier)
    click(panel, "twig", Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(tree_of(panel), KEY.Key_Delete)
    assert asked == [["new", "old"]]


def test_delete_key_in_the_name_editor_deletes_a_letter_and_no_text(panel: GenerationsPanel) -> None:
    asked: list[list[str]] = []
    panel.delete_requested.connect(asked.append)
    click(panel, "old")
    tree_of(panel).edit_name()
    editor = tree_of(panel).viewport().findChild(QLineEdit)
    assert editor is not None
    QTest.keyClick(editor, KEY.Key_Delete)
    assert asked == []


def test_two_to_four_selected_texts_can_be_compared_and_selecting_them_opens_none(panel: GenerationsPanel) -> None:
    compared: list[list[str]] = []
    opened: list[str] = []
    panel.compare_requested.connect(compared.append)
    panel.open_requested.connect(opened.append)
    compare = button(panel, "compareTextsButton")
    click(panel, "new")
    assert not compare.isEnabled()
    click(panel, "twig", Qt.KeyboardModifier.ControlModifier)
    assert opened == ["new"]
    QTest.mouseClick(compare, Qt.MouseButton.LeftButton)
    assert compared == [["new", "twig"]]
    tree_of(panel).selectAll()
    assert not compare.isEnabled()


def test_filter_looks_in_name_prompt_and_text_and_keeps_what_a_branch_hangs_on(panel: GenerationsPanel) -> None:
    words = panel.findChild(QLineEdit, "textsFilter")
    assert words is not None
    QTest.keyClicks(words, "OF TWIG")
    assert ids(panel) == ["old", "first branch", "twig"]
    index_of(panel, "twig")  # unfolded
    words.setText("nowhere")
    assert ids(panel) == [] and any("these words" in label.text() for label in panel.findChildren(QLabel))
    words.clear()
    assert ids(panel) == IN_ORDER


def test_selection_folding_and_scroll_position_stay_when_the_list_changes(panel: GenerationsPanel) -> None:
    many = (*(text(f"t{n}", created=NOW - 5000 - n) for n in range(60)), *FOREST)
    panel.set_generations(many)
    tree = tree_of(panel)
    tree.collapse(index_of(panel, "first branch"))
    click(panel, "new")
    click(panel, "old", Qt.KeyboardModifier.ControlModifier)
    tree.verticalScrollBar().setValue(150)
    panel.set_generations((*many, text("newest", created=NOW)))
    assert [one.id for one in tree.chosen()] == ["new", "old"]
    assert tree.current_text() is not None and tree.current_text().id == "old"
    assert not tree.isExpanded(index_of(panel, "first branch")) and tree.isExpanded(index_of(panel, "old"))
    assert tree.verticalScrollBar().value() == 150


def test_folding_by_hand_is_undone_by_hand(panel: GenerationsPanel) -> None:
    tree = tree_of(panel)
    tree.collapse(index_of(panel, "old"))
    tree.expand(index_of(panel, "old"))
    panel.set_generations(FOREST)
    assert tree.isExpanded(index_of(panel, "old"))


def test_undo_and_redo_are_offered_as_told_and_asked_for(panel: GenerationsPanel) -> None:
    asked: list[str] = []
    panel.undo_requested.connect(lambda: asked.append("undo"))
    panel.redo_requested.connect(lambda: asked.append("redo"))
    undo, redo = button(panel, "undoBranchButton"), button(panel, "redoBranchButton")
    assert not undo.isEnabled() and not redo.isEnabled()
    panel.set_undo(True, False, "deleting “Hamlet”", "")
    assert undo.isEnabled() and not redo.isEnabled() and "deleting “Hamlet”" in undo.toolTip()
    QTest.mouseClick(undo, Qt.MouseButton.LeftButton)
    panel.set_undo(False, True)
    QTest.mouseClick(redo, Qt.MouseButton.LeftButton)
    assert asked == ["undo", "redo"]


def test_without_texts_the_panel_says_what_will_be_kept(panel: GenerationsPanel) -> None:
    panel.set_generations(())
    assert not tree_of(panel).isVisible()
    assert any("Nothing generated yet" in label.text() for label in panel.findChildren(QLabel) if label.isVisible())
    assert not button(panel, "deleteTextButton").isEnabled() and not button(panel, "renameTextButton").isEnabled()


def test_the_open_text_is_drawn_otherwise(panel: GenerationsPanel) -> None:
    before = tree_of(panel).viewport().grab().toImage()
    panel.set_current("new")
    assert tree_of(panel).viewport().grab().toImage() != before


def test_modes_read_as_people_know_them(panel: GenerationsPanel) -> None:
    row = tree_of(panel).itemDelegate()
    assert row.facts(text("x", seed=7, tokens=1200)) == "Time Mixer · seed 7 · 1,200 tokens"
    assert row.facts(text("x", mode="gone", ended="read")) == "gone · read · 12 tokens"


def test_two_thousand_texts_have_no_widget_each_and_are_all_reached(panel: GenerationsPanel) -> None:
    before = len(panel.findChildren(QWidget))
    many = [text("t0")]
    many += [text(f"t{n}", f"t{n - 1}" if n % 4 else "", created=NOW - n) for n in range(1, 2000)]
    panel.set_generations(tuple(many))
    assert len(ids(panel)) == 2000
    assert len(panel.findChildren(QWidget)) <= before + 4  # scroll bars
    for key in (KEY.Key_Home, KEY.Key_End):
        QTest.keyClick(tree_of(panel), key)
    current = tree_of(panel).current_text()
    assert current is not None and current.id == "t1999"


def test_a_text_by_hand_is_told_by_its_blend(panel: GenerationsPanel) -> None:
    row = GenerationRow(panel)
    row.names = {"mixer": "Time Mixer"}
    blends = (None, (("Plays", 0.25), ("Code", 0.75)), (("Code", 1.0),), ())
    made_by = ["Time Mixer", "25 % Plays · 75 % Code", "100 % Code", "Manual mix"]
    assert [plain(row.facts(text("one", blend=blend))) for blend in blends] == [
        f"{how} · seed 0 · 12 tokens" for how in made_by
    ]
