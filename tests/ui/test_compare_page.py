"""Comparing: which tokens differ, columns of modes, kept texts, and the rows of a sweep."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from pathlib import Path

import pytest
from kit import SLOTS, WaitUntil, child, click, plain, said, shown
from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QLineEdit, QPlainTextEdit, QPushButton, QToolButton
from whole_window import whole_window
from window_states import turn

from tlora_gui.engine.protocol.config import MixingDesk, SamplingSettings
from tlora_gui.engine.protocol.events import GenerationStarted
from tlora_gui.engine.protocol.texts import DeskChange, Generation, SlotInfo, TokenEvent
from tlora_gui.ui.control import library_control
from tlora_gui.ui.control.library_control import LibraryControl
from tlora_gui.ui.generation.compare import differences
from tlora_gui.ui.generation.compare.compare_page import ComparePage
from tlora_gui.ui.generation.compare.differences import Differences, differing
from tlora_gui.ui.generation.inspector.bars import MixBar
from tlora_gui.ui.generation.pane import GenerationPane
from tlora_gui.ui.theme import DARK, ThemeManager

MODES = [
    ("mixer", "Time Mixer", ""),
    ("plays", "Plays alone", "#0072B2"),
    ("code", "Code alone", "#E69F00"),
    ("", "Backbone alone", ""),
    ("@1", "Mixer after Plays", ""),
]


def tokens(words: str, slot: int = 1, prompt: int = 2) -> tuple[TokenEvent, ...]:
    """One token a word; the same word is the same token."""
    weights = tuple(0.9 if number == slot else 0.05 for number in range(3))
    return tuple(
        TokenEvent(index, sum(map(ord, word)), f" {word}", weights, index < prompt, 0.25, 1)
        for index, word in enumerate(words.split())
    )


def record(words: str, slot: int = 1, **changes: object) -> Generation:
    made = Generation("to code", "mixer", SamplingSettings(seed=5), SLOTS, tokens(words, slot), "length", 20.0)
    return replace(made, **changes)


STARTED = GenerationStarted("to code", "mixer", SamplingSettings(), SLOTS)


@pytest.fixture
def page(qapp: object) -> ComparePage:
    made = ComparePage()
    made.set_modes(MODES)
    shown(made, 680, 450)
    return made


def choice(page: ComparePage, number: int) -> QComboBox:
    return child(page, f"compareMode{number}", QComboBox)


def shown_text(page: ComparePage, number: int) -> QPlainTextEdit:
    return child(page, f"compareText{number}", QPlainTextEdit)


def figures(page: ComparePage, number: int) -> str:
    found = page.findChild(QLabel, f"compareFigures{number}")
    assert found is not None
    return plain(found.text())


def slanted(page: ComparePage, number: int) -> str:
    """The words that have a line above."""
    view = shown_text(page, number)
    cursor = QTextCursor(view.document())
    found = ""
    for place, letter in enumerate(view.toPlainText()):
        cursor.setPosition(place + 1)
        found += letter if cursor.charFormat().fontItalic() else ""
    return found.strip()


def fill(page: ComparePage, number: int, words: str, slot: int = 1) -> None:
    page.start(number, STARTED)
    page.add_tokens(number, tokens(words, slot))
    page.finish(number, record(words, slot))


# -- which tokens differ -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "other", "marks"),
    [
        ([1, 2, 3], [1, 2, 3], []),
        ([1, 2, 3], [1, 9, 3], [1]),
        ([1, 2, 3], [1, 2, 3, 4, 5], [3, 4]),
        ([1, 2, 3, 4], [1, 3, 4], []),
        ([1, 2, 3], [8, 1, 2, 3], [0]),
        ([], [1, 2], [0, 1]),
        ([1, 2], [], []),
        ([1, 1, 1], [1, 1], []),
    ],
)
def test_tokens_that_are_not_shared_in_order_differ(first: list[int], other: list[int], marks: list[int]) -> None:
    assert differing(first, other) == marks


def test_what_is_left_unmarked_stands_in_the_first_text_in_the_same_order() -> None:
    chance = random.Random(0)
    for _ in range(50):
        first, other = ([chance.randrange(12) for _ in range(60)] for _ in range(2))
        marks = set(differing(first, other))
        rest = iter(first)
        assert all(token in rest for index, token in enumerate(other) if index not in marks)


# -- columns of modes ----------------------------------------------------------------------------------------------


def test_two_columns_offer_every_mode_and_begin_with_different_ones(page: ComparePage) -> None:
    assert page.columns == 2
    assert [choice(page, 0).itemData(index) for index in range(5)] == [mode for mode, _, _ in MODES]
    assert (choice(page, 0).currentData(), choice(page, 1).currentData()) == ("mixer", "plays")


def test_up_to_four_columns_can_be_added_and_removed_down_to_two(page: ComparePage) -> None:
    add = page.findChild(QPushButton, "addColumnButton")
    remove = page.findChild(QToolButton, "removeColumnButton0")
    assert add is not None and remove is not None and not remove.isEnabled()
    click(page, "addColumnButton")
    click(page, "addColumnButton")
    assert page.columns == 4 and not add.isEnabled() and remove.isEnabled()
    click(page, "removeColumnButton1")
    assert page.columns == 3
    assert [choice(page, number).currentData() for number in range(3)] == ["mixer", "code", ""]


def test_chosen_modes_stay_while_they_are_offered(page: ComparePage) -> None:
    choice(page, 0).setCurrentIndex(4)
    choice(page, 1).setCurrentIndex(2)
    page.set_modes(MODES[:4])
    assert (choice(page, 0).currentData(), choice(page, 1).currentData()) == ("mixer", "code")


def test_the_backbone_is_a_mode_of_its_own_though_its_name_is_empty(page: ComparePage) -> None:
    asked: list[list[str]] = []
    page.compare_requested.connect(asked.append)
    choice(page, 1).setCurrentIndex(3)
    page.set_modes(MODES)
    page.run()
    assert asked == [["mixer", ""]]


def test_compare_asks_for_the_chosen_modes_and_empties_the_columns(page: ComparePage) -> None:
    asked: list[list[str]] = []
    page.compare_requested.connect(asked.append)
    fill(page, 0, "to code or not")
    choice(page, 1).setCurrentIndex(4)
    page.run()
    assert asked == [["mixer", "@1"]]
    assert shown_text(page, 0).toPlainText() == "" and "turn" in shown_text(page, 0).placeholderText()


def test_columns_that_nothing_was_asked_of_have_only_their_box(page: ComparePage) -> None:
    measured = [child(page, f"compareFigures{number}") for number in (0, 1)] + page.findChildren(MixBar)
    assert "Compare to see" in shown_text(page, 1).placeholderText()
    assert not any(part.isVisible() for part in measured) and "slanted" not in said(page)
    page.run()
    assert all(part.isVisible() for part in measured) and "slanted" in said(page)
    page.end(1)
    assert figures(page, 1) == "Stopped before it began." and shown_text(page, 1).placeholderText() == ""


def test_while_it_runs_nothing_can_be_changed(page: ComparePage) -> None:
    asked: list[list[str]] = []
    page.compare_requested.connect(asked.append)
    page.set_running(True)
    assert not choice(page, 0).isEnabled()
    page.run()
    assert asked == []
    page.set_running(False)
    assert choice(page, 0).isEnabled()


def test_modes_can_be_chosen_from_outside_with_as_many_columns(page: ComparePage) -> None:
    page.choose_modes(["@1", "", "code"])
    assert page.columns == 3
    assert [choice(page, number).currentData() for number in range(3)] == ["@1", "", "code"]


def test_without_modes_nothing_can_be_compared(qapp: object) -> None:
    page = ComparePage()
    asked: list[list[str]] = []
    page.compare_requested.connect(asked.append)
    page.run()
    page.set_modes(MODES)
    page.run()
    assert asked == [["mixer", "plays"]]


# -- what comes ----------------------------------------------------------------------------------------------------


def test_tokens_go_to_their_column_and_its_figures_are_told(page: ComparePage) -> None:
    fill(page, 0, "to code or not to code")
    fill(page, 1, "to code is to be")
    assert shown_text(page, 1).toPlainText() == " to code is to be"
    assert figures(page, 0) == "4 tokens · 20.0 tokens/s\nsurprise 2.0 bits"


def test_words_that_the_first_column_does_not_have_are_slanted_and_counted(page: ComparePage) -> None:
    fill(page, 0, "to code or not to code")
    fill(page, 1, "to code is not to be")
    assert slanted(page, 0) == "" and slanted(page, 1) == "is be"
    assert figures(page, 1).endswith("2 of 4 differ, from token 2 on")
    fill(page, 1, "to code or not to code")
    assert slanted(page, 1) == "" and figures(page, 1).endswith("no difference to the first")


def test_differences_are_marked_while_tokens_still_come(page: ComparePage, wait_until: WaitUntil) -> None:
    fill(page, 0, "to code or not to code")
    page.start(1, STARTED)
    page.add_tokens(1, tokens("to code is not"))
    assert slanted(page, 1) == ""
    wait_until(lambda: slanted(page, 1) == "is")


def test_a_column_that_fails_says_why_and_keeps_its_text(page: ComparePage) -> None:
    fill(page, 0, "to code or")
    page.start(1, STARTED)
    page.add_tokens(1, tokens("to code is"))
    page.fail(1, "There is no memory left.")
    page.finish(0, record("to code or"))
    assert figures(page, 1) == "There is no memory left."
    assert shown_text(page, 1).toPlainText() == " to code is"
    page.start(1, STARTED)
    page.add_tokens(1, tokens("to code is"))
    assert "memory" not in figures(page, 1)


def test_a_token_chosen_in_any_column_is_told_with_its_slots(page: ComparePage) -> None:
    told: list[tuple[TokenEvent | None, tuple[SlotInfo, ...]]] = []
    page.token_hovered.connect(lambda *chosen: told.append(chosen))
    fill(page, 1, "to code is")
    QTest.keyClick(shown_text(page, 1), Qt.Key.Key_End)
    assert told == [(tokens("to code is")[2], SLOTS)]
    page.run()
    assert told[-1] == (None, ())


def test_colour_mode_and_theme_reach_columns_that_are_there_and_those_that_come(page: ComparePage) -> None:
    def background(number: int) -> str:
        cursor = QTextCursor(shown_text(page, number).document())
        cursor.setPosition(1)
        return cursor.charFormat().background().color().name()

    fill(page, 0, "to code or")
    by_epoch = background(0)
    page.set_colour_mode("weight", 2)
    by_weight = background(0)
    page.apply_theme(DARK)
    click(page, "addColumnButton")
    fill(page, 2, "to code or")
    assert len({by_epoch, by_weight, background(0)}) == 3 and background(2) == background(0)


# -- kept texts, and sweeps ----------------------------------------------------------------------------------------


def visible_titles(page: ComparePage) -> list[str]:
    titles = [label for label in page.findChildren(QLabel) if label.property("role") == "title" and label.isVisible()]
    return [label.text() for label in titles]


def test_kept_texts_are_titled_by_name_or_mode_and_compared_with_the_first(
    page: ComparePage, wait_until: WaitUntil
) -> None:
    page.show_records(
        [record("to code or", name="Hamlet"), record("to code is", mode="code"), record("to", mode="gone")]
    )
    assert page.columns == 3
    wait_until(lambda: visible_titles(page) == ["Hamlet", "Code alone · seed 5", "gone · seed 5"])
    assert not choice(page, 0).isVisible() and slanted(page, 1) == "is"


def test_texts_on_different_prompts_are_compared_whole(page: ComparePage) -> None:
    page.show_records([record("to code or"), record("to sing or not")])
    assert slanted(page, 1) == "sing not"
    assert figures(page, 1).endswith("2 of 4 differ, from token 1 on")


def test_new_comparison_leads_back_to_the_choice_of_modes(page: ComparePage, wait_until: WaitUntil) -> None:
    page.show_records([record("to code or"), record("to code is"), record("to")])
    click(page, "compareModesButton")
    wait_until(choice(page, 0).isVisible)
    assert page.columns == 2 and shown_text(page, 0).toPlainText() == ""


def test_compare_from_another_view_asks_for_columns_of_modes(page: ComparePage) -> None:
    asked: list[list[str]] = []
    page.compare_requested.connect(asked.append)
    page.show_rows(["100 / 0", "0 / 100"])
    page.run()
    assert asked == [["mixer", "plays"]] and visible_titles(page) == []


def test_a_sweep_has_rows_of_full_width_that_are_filled_in_the_same_way(
    page: ComparePage, wait_until: WaitUntil
) -> None:
    titles = ["100 / 0", "75 / 25", "50 / 50", "25 / 75", "0 / 100"]
    page.show_rows(titles)
    wait_until(lambda: visible_titles(page) == titles)
    wait_until(lambda: all(shown_text(page, number).width() > page.width() * 0.6 for number in range(5)))
    assert page.columns == 5
    tops = [shown_text(page, number).mapTo(page, shown_text(page, number).rect().topLeft()).y() for number in range(5)]
    assert tops == sorted(set(tops))
    rights = {
        shown_text(page, number).mapTo(page, shown_text(page, number).rect().topRight()).x() for number in range(5)
    }
    assert rights == {page.width() - 1}
    fill(page, 0, "to code or")
    fill(page, 4, "to code is", 2)
    assert slanted(page, 4) == "is" and "tokens/s" not in figures(page, 4)


def test_a_row_is_as_high_as_its_text_up_to_some_lines(page: ComparePage, wait_until: WaitUntil) -> None:
    page.show_rows(["100 / 0", "75 / 25", "50 / 50", "25 / 75", "0 / 100"])
    for number in range(5):
        fill(page, number, " ".join(["word"] * (80 if number < 4 else 1500)))
    first, last = shown_text(page, 0), shown_text(page, 4)
    wait_until(lambda: 6 <= first.document().lineCount() <= 12)  # more than the figures beside it need
    wait_until(lambda: not first.verticalScrollBar().isVisible() and last.verticalScrollBar().isVisible())
    assert last.height() < 3 * first.height()
    for number in range(5):
        row = shown_text(page, number).parentWidget()
        wait_until(lambda row=row: row.height() >= row.minimumSizeHint().height())


def test_columns_with_more_and_with_fewer_figures_are_equally_high(qapp: QApplication, page: ComparePage) -> None:
    _theme = ThemeManager(qapp, "light")
    page.run()
    for number, words in enumerate(("to code or", "to code is")):
        fill(page, number, words)
    assert figures(page, 1).count("\n") > figures(page, 0).count("\n")
    labels = [child(page, f"compareFigures{number}", QLabel) for number in (0, 1)]
    for points in range(7, 16):
        for each in labels:
            each.setFont(QFont(each.font().family(), points))
        page.set_running(False)  # asks for room anew
        shown(page, 680, 430 + points)
        assert shown_text(page, 0).height() == shown_text(page, 1).height(), points


def test_long_texts_are_compared_a_little_at_a_time_and_at_last_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    stretches: list[tuple[int, int]] = []

    def counting(junk: None, first: Sequence[int], other: Sequence[int], **more: bool) -> SequenceMatcher[int]:
        stretches.append((len(first), len(other)))
        return SequenceMatcher(junk, first, other, **more)

    monkeypatch.setattr(differences, "SequenceMatcher", counting)
    chance = random.Random(0)
    shared, lengths = [chance.randrange(3) for _ in range(500)], 4000
    first = shared + [chance.randrange(3) for _ in range(lengths)]
    other = shared + [chance.randrange(3) for _ in range(lengths)]
    marks = differing(first, other)
    assert sum(a * b for a, b in stretches) < len(first) * len(other) / 8
    assert max(a * b for a, b in stretches) <= 256 * 256, "nothing else of the window happens meanwhile"
    rest = iter(first)
    assert all(token in rest for index, token in enumerate(other) if index not in set(marks))
    assert marks[0] >= 500


def test_what_is_settled_is_what_a_comparison_at_the_end_finds() -> None:
    chance = random.Random(1)
    first = [chance.randrange(40) for _ in range(2000)]
    other = [token for token in first if chance.random() > 0.1]
    growing, read = Differences(), 0
    while read < len(first):
        read += 50
        while growing.settle(first[:read], other[:read]):
            pass
    assert growing.marks(first, other) == differing(first, other)
    assert len(differing(first, other)) < 40, "only left out, so nearly all is shared"


def test_a_new_column_offers_a_mode_that_is_not_shown_yet(page: ComparePage) -> None:
    page.choose_modes(["", "code"])
    click(page, "addColumnButton")
    click(page, "addColumnButton")
    assert [choice(page, number).currentData() for number in range(4)] == ["", "code", "mixer", "plays"]


def test_a_new_comparison_begins_with_its_prompt(qapp: object) -> None:
    pane = GenerationPane()
    pane.set_slots(SLOTS)
    shown(pane, 700, 500)
    pane.show_page("compare")
    pane.compare_page.show_records([record("to code or not"), record("to code or else")])
    button = child(pane, "compareModesButton", QPushButton)
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Space)
    assert pane.prompt_bar.edit.hasFocus()


def test_kept_texts_by_hand_are_titled_by_their_blend(page: ComparePage) -> None:
    blend = MixingDesk("manual", (("plays", 0.5), ("code", 1.5)))
    page.show_records([record("to code"), record("to code", desk=(DeskChange(0, blend),))])
    assert [plain(title.text()) for title in page.findChildren(QLabel) if "seed" in title.text()] == [
        "Time Mixer · seed 5", "25 % Plays · 75 % Code · seed 5",
    ]  # fmt: skip


def test_copying_saving_and_finding_are_of_the_column_in_front(
    tmp_path: Path, qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    with whole_window(project=tmp_path) as window:
        menus, pane = window.menus, window.generation
        actions = (menus.find, menus.copy, menus.copy_rich, menus.copy_markdown, menus.save_text)
        click(window, "compareTab")
        assert not any(action.isEnabled() for action in actions[1:]), "they are of the text of another page"
        page, first, second = pane.compare_page, record("to code"), record("to be, or not")
        page.show_records([first, second])
        turn()
        assert all(action.isEnabled() for action in actions)
        menus.copy.trigger()
        assert qapp.clipboard().text() == " to code", "the first one, while nobody has chosen"
        shown_text(page, 1).setFocus()
        saved: list[Generation] = []
        monkeypatch.setattr(LibraryControl, "save", lambda self, record, path: saved.append(record))
        monkeypatch.setattr(library_control, "choose_target", lambda *args: args[-1](str(tmp_path / "x.md")))
        menus.save_text.trigger()
        menus.copy_rich.trigger()
        assert saved == [second] and qapp.clipboard().text() == " to be, or not"
        menus.copy_markdown.trigger()
        assert "or not" in qapp.clipboard().text() and pane.page == "compare"
        menus.find.trigger()
        edit = next(edit for edit in page.findChildren(QLineEdit, "findEdit") if edit.isVisible())
        QTest.keyClicks(edit, "not")
        assert edit.hasFocus() and pane.page == "compare"
        QTest.keyClick(edit, Qt.Key.Key_Escape)
        assert shown_text(page, 1).textCursor().selectedText() == "not"
        click(window, "generateTab")
        menus.copy.trigger()
        assert qapp.clipboard().text().startswith("word0 ")
