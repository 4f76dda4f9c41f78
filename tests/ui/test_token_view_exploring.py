"""The coloured text explored: one slot's weight, copying, selecting, marks, other weights, wishes, announcements."""

from __future__ import annotations

from dataclasses import replace

import pytest
from kit import MIXES, SLOTS, WaitUntil, drag, format_of, position_of, shown, token, tokens_of, view_with
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QAccessible, QColor, QContextMenuEvent, QHelpEvent, QTextCursor, QTextDocument
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QToolTip, QWidget

from tlora_gui.ui.generation.token_view.announcer import Announcer
from tlora_gui.ui.generation.token_view.legend import Legend
from tlora_gui.ui.generation.token_view.token_style import PLAIN, TokenStyle, token_style, visible_text
from tlora_gui.ui.generation.token_view.token_view import TokenView
from tlora_gui.ui.palette import token_background
from tlora_gui.ui.theme import DARK, LIGHT

COPY = (Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
SCRAMBLING = [
    "a\r\n",
    "b\u2028c\u2029",
    "\u202eevil\u202c",
    "\x00\x07",
    "é",
    "",
    "日",
    "😀\x7f",
    "\u2067z",
    "\ufdd0end",
]


def select(view: TokenView, first: int, last: int) -> None:
    """What dragging over text positions comes down to."""
    cursor = view.textCursor()
    cursor.setPosition(first)
    cursor.setPosition(last, QTextCursor.MoveMode.KeepAnchor)
    view.setTextCursor(cursor)


def copied(view: TokenView) -> str:
    QTest.keyClick(view, *COPY)
    return QApplication.clipboard().text()


# -- holding -------------------------------------------------------------------------------------------------------


def test_a_clicked_token_is_held_until_it_is_clicked_again(qapp: QApplication) -> None:
    view = view_with(tokens_of("one", " two", " three"))
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=position_of(view, 1))
    QTest.mouseMove(view.viewport(), position_of(view, 2))
    assert view.current == 1
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=position_of(view, 1))
    QTest.mouseMove(view.viewport(), position_of(view, 0))
    assert view.current == 0


def test_a_new_text_holds_nothing(qapp: QApplication) -> None:
    view = view_with(tokens_of("one", " two"))
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=position_of(view, 1))
    view.reset(SLOTS)
    view.add_tokens(tokens_of("three", " four"))
    QTest.mouseMove(view.viewport(), position_of(view, 1))
    assert view.current == 1


# -- one slot's weight ---------------------------------------------------------------------------------------------


def test_weight_of_a_slot_is_its_colour_as_strong_as_its_weight() -> None:
    assert token_style(token(1, "x", "plays"), SLOTS, "weight", 2) == TokenStyle(SLOTS[2].colour, 0.1)
    assert token_style(token(1, "x", ""), SLOTS, "weight", 0) == TokenStyle(SLOTS[0].colour, 0.9)


def test_a_slot_that_weighs_nothing_or_is_not_there_leaves_a_token_plain() -> None:
    assert token_style(token(1, "x", weights=(0.995, 0.005, 0.0)), SLOTS, "weight", 1) == PLAIN
    assert token_style(token(1, "x"), SLOTS, "weight", 3) == PLAIN


def test_another_slot_recolours_the_text(qapp: QApplication) -> None:
    view = view_with(tokens_of("one", " two"))
    view.set_colour_mode("weight", 1)
    strong = format_of(view, 0).background().color()
    view.set_colour_mode("weight", 2)
    assert format_of(view, 0).background().color() not in (strong, format_of(view, 1).background().color())


def test_legend_names_the_slot_whose_weight_is_shown(qapp: QApplication) -> None:
    legend = Legend()
    legend.set_slots(SLOTS)
    legend.set_colour_mode("weight", 2)
    assert legend.accessibleDescription() == "Weight of Code 0 1"
    legend.set_colour_mode("weight", 9)
    assert legend.accessibleDescription() == ""


# -- control characters, and copying -------------------------------------------------------------------------------


def test_control_characters_are_shown_as_signs_and_stay_in_their_tokens(qapp: QApplication) -> None:
    view = view_with(tokens_of(*SCRAMBLING))
    text = view.toPlainText()
    assert text == "a␍\nb␤c␤◇evil◇␀␇é日😀␡◇z◇end"
    places = text.encode("utf-16-le")
    shown_parts = [places[2 * first : 2 * last].decode("utf-16-le") for first, last in map(view.span, range(10))]
    assert shown_parts == ["a␍\n", "b␤c␤", "◇evil◇", "␀␇", "é", "日", "日", "😀␡", "◇z", "◇end"]


def test_copied_text_is_what_the_tokens_say(qapp: QApplication) -> None:
    view = view_with(tokens_of(*SCRAMBLING))
    view.selectAll()
    view.copy_plain()
    assert qapp.clipboard().text() == "".join(SCRAMBLING)
    assert not qapp.clipboard().mimeData().hasHtml()


def test_a_part_of_a_token_is_copied_as_that_part(qapp: QApplication) -> None:
    view = view_with(tokens_of("to\r", " 😀 or", " not"))
    select(view, 2, 6)
    assert copied(view) == "\r 😀"


def test_nothing_selected_copies_everything(qapp: QApplication) -> None:
    view = view_with(tokens_of("to", " code"))
    view.copy_rich()
    assert qapp.clipboard().text() == "to code"


def test_copied_text_of_a_divided_paragraph_is_whole_from_any_place(qapp: QApplication) -> None:
    texts = [f" wörd😀{n}" for n in range(400)]
    view = view_with(tokens_of(*texts))
    assert view.document().blockCount() > 2
    for first, last in ((0, 399), (57, 310), (200, 201)):
        view.select_tokens(first, last)
        assert copied(view) == "".join(texts[first : last + 1])


def test_copied_colours_are_light_whatever_the_theme(qapp: QApplication) -> None:
    view = view_with(tokens_of("<To>\n", " be  or"))
    view.apply_theme(DARK)
    view.selectAll()
    QTest.keyClick(view, *COPY)
    pasted = QTextDocument()
    pasted.setHtml(qapp.clipboard().mimeData().html())
    assert pasted.toPlainText() == "<To>\n be  or" == qapp.clipboard().text()
    cursor = QTextCursor(pasted)
    cursor.setPosition(2)
    light = token_background(SLOTS[1].colour, 13 / 16, QColor(LIGHT.panel), QColor(LIGHT.text))
    assert cursor.charFormat().background().color().name() == light.name()
    assert cursor.charFormat().foreground().color() == QColor(LIGHT.text)
    assert cursor.charFormat().fontUnderline()


def test_tooltip_and_inspector_texts_show_control_characters_too() -> None:
    assert visible_text("\u202ex\x00\r\n") == "◇x␀⏎⏎"


# -- selection ------------------------------------------------------------------------------------------------------


def test_selecting_with_the_mouse_tells_the_tokens_that_are_touched(qapp: QApplication) -> None:
    view = view_with(tokens_of("one", " two", " three", " four"))
    told: list[tuple[int, int]] = []
    view.selection_changed.connect(lambda first, last: told.append((first, last)))
    drag(view.viewport(), position_of(view, 1), position_of(view, 3), Qt.KeyboardModifier.NoModifier)
    assert told[-1] == view.selected_tokens and told[-1][0] == 1 and told[-1][1] >= 2
    QTest.keyClick(view, Qt.Key.Key_Left)
    assert told[-1] == (-1, -1)


def test_selecting_from_outside_tells_nothing(qapp: QApplication) -> None:
    view = view_with(tokens_of("a", "", "é", " c", " d"))
    told: list[tuple[int, int]] = []
    view.selection_changed.connect(lambda first, last: told.append((first, last)))
    view.select_tokens(1, 3)
    assert view.textCursor().selectedText() == "é c" and view.selected_tokens == (2, 3)
    view.select_tokens(-1, -1)
    assert not view.textCursor().hasSelection() and told == []


def test_a_selection_at_the_end_does_not_grow_with_the_text(qapp: QApplication) -> None:
    view = view_with(tokens_of("one", " two", " three"))
    view.select_tokens(1, 2)
    told: list[object] = []
    view.selection_changed.connect(lambda *selected: told.append(selected))
    view.add_tokens([token(3, " four")])
    assert view.selected_text() == " two three" and told == []


def test_a_selection_does_not_drag_the_text_along_while_it_streams(qapp: QApplication) -> None:
    view = view_with(tokens_of(*(f"line {n}\n" for n in range(60))))
    view.select_tokens(50, 59)
    view.verticalScrollBar().setValue(3)
    view.add_tokens([token(60, "more\n")])
    assert view.verticalScrollBar().value() == 3 and view.selected_tokens == (50, 59)


def test_a_new_text_has_no_selection(qapp: QApplication) -> None:
    view = view_with(tokens_of("one", " two"))
    view.select_tokens(0, 1)
    told: list[tuple[int, int]] = []
    view.selection_changed.connect(lambda first, last: told.append((first, last)))
    view.reset(SLOTS)
    assert told == [(-1, -1)]


# -- marks and other weights ---------------------------------------------------------------------------------------


def test_marked_tokens_have_a_line_above_that_other_colours_keep(qapp: QApplication) -> None:
    view = view_with(tokens_of("one", " two", " three"))
    view.set_marks({1})
    view.set_colour_mode("entropy")
    view.apply_theme(DARK)
    assert [format_of(view, index).fontItalic() for index in range(3)] == [False, True, False]
    view.set_marks(())
    assert not format_of(view, 1).fontItalic()


def test_other_weights_recolour_in_place(qapp: QApplication) -> None:
    view = view_with(tokens_of(*(f" line {n}\n" for n in range(60))))
    view.verticalScrollBar().setValue(20)
    view.select_tokens(21, 22)
    scrolled, code = view.verticalScrollBar().value(), format_of(view, 1).background().color()
    text = view.toPlainText()
    view.replace_tokens([replace(one, weights=MIXES["code"]) for one in view.tokens])
    assert format_of(view, 0).background().color() == code
    assert view.toPlainText() == text and view.selected_tokens == (21, 22)
    assert view.verticalScrollBar().value() == scrolled


def test_tooltips_follow_other_weights(qapp: QApplication) -> None:
    view = view_with(tokens_of("one"))
    view.replace_tokens([replace(view.tokens[0], weights=(0.0, 0.0, 1.0))])
    point = position_of(view, 0)
    event = QHelpEvent(QEvent.Type.ToolTip, point, view.viewport().mapToGlobal(point))
    QApplication.sendEvent(view.viewport(), event)
    assert "<b>Code" in QToolTip.text()
    QToolTip.hideText()


def test_other_weights_for_another_text_are_refused(qapp: QApplication) -> None:
    view = view_with(tokens_of("one"))
    with pytest.raises(ValueError, match="texts"):
        view.replace_tokens([token(0, "two")])


# -- wishes ---------------------------------------------------------------------------------------------------------


def test_enter_and_a_double_click_ask_for_another_word(qapp: QApplication) -> None:
    view = view_with(tokens_of("one", " two", " three"))
    asked: list[int] = []
    view.branch_requested.connect(asked.append)
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert asked == []
    QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=position_of(view, 2))
    view.set_current(1)
    QTest.keyClick(view, Qt.Key.Key_Enter)
    QTest.keyClick(view, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert asked == [2, 1]


def menu_at(view: TokenView, point: QPoint, reason: QContextMenuEvent.Reason) -> QMenu:
    event = QContextMenuEvent(reason, point, view.viewport().mapToGlobal(point))
    QApplication.sendEvent(view.viewport(), event)
    menu = view.findChild(QMenu, "tokenMenu")
    assert menu is not None and menu.isVisible()
    return menu


def chosen(menu: QMenu, text: str) -> None:
    next(action for action in menu.actions() if action.text() == text).trigger()
    menu.close()


def test_menu_of_a_token_asks_for_what_it_says(qapp: QApplication) -> None:
    view = view_with(tokens_of("one", " two", " three"))
    asked: list[tuple[str, int]] = []
    view.again_requested.connect(lambda index: asked.append(("again", index)))
    view.branch_requested.connect(lambda index: asked.append(("other", index)))
    view.set_current(1)
    chosen(menu_at(view, position_of(view, 2), QContextMenuEvent.Reason.Mouse), "Again from here")
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)  # the first menu is gone
    chosen(menu_at(view, QPoint(400, 150), QContextMenuEvent.Reason.Keyboard), "Other word here…")
    assert asked == [("again", 2), ("other", 1)]


def test_menu_beside_the_text_copies_only(qapp: QApplication) -> None:
    view = view_with(tokens_of("one", " two"))
    menu = menu_at(view, QPoint(450, 150), QContextMenuEvent.Reason.Mouse)
    enabled = {action.text() for action in menu.actions() if action.isEnabled() and not action.isSeparator()}
    assert enabled == {"Copy all", "Copy all with colours"}
    chosen(menu, "Copy all")
    assert qapp.clipboard().text() == "one two"


def test_an_empty_text_has_no_menu(qapp: QApplication) -> None:
    view = view_with(tokens_of())
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, QPoint(9, 9), view.mapToGlobal(QPoint(9, 9)))
    QApplication.sendEvent(view.viewport(), event)
    assert view.findChild(QMenu, "tokenMenu") is None


# -- announcements -------------------------------------------------------------------------------------------------


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def announcer(qapp: QApplication, said: list[str]) -> Announcer:
    return Announcer(QWidget(), said.append)


def test_sentences_and_lines_are_announced_when_they_are_whole(announcer: Announcer, said: list[str]) -> None:
    for part in ("Who", " goes", " there?", " I", " do", ".\n", "def", " f(x)", ":", "\n", "  \n", " 3.", "14"):
        announcer.add(part)
    assert said == ["Who goes there?", "I do.", "def f(x):"]


def test_a_long_sentence_is_announced_after_twelve_words(announcer: Announcer, said: list[str]) -> None:
    for number in range(30):
        announcer.add(f"w{number} ")
    assert [len(phrase.split()) for phrase in said] == [12, 12]


def test_an_unfinished_phrase_is_announced_after_a_while(
    qapp: QApplication, said: list[str], wait_until: WaitUntil
) -> None:
    announcer = Announcer(QWidget(), said.append, wait_ms=5)
    announcer.add("To be")
    assert said == []
    wait_until(lambda: said == ["To be"])


def test_text_that_was_cleared_is_not_announced(announcer: Announcer, said: list[str]) -> None:
    announcer.add("gone ")
    announcer.clear()
    announcer.add("here.\n")
    assert said == ["here."]


def test_view_announces_what_is_generated_and_not_the_prompt(qapp: QApplication, said: list[str]) -> None:
    view = TokenView(say=said.append)
    shown(view, 300, 100)
    view.reset(SLOTS)
    view.add_tokens([token(0, "Prompt.\n", is_prompt=True), token(1, "Answer"), token(2, ".\n")])
    view.add_tokens(tokens_of("Kept.\n"), announce=False)
    assert said == ["Answer."]


def test_what_came_before_there_was_a_screen_reader_is_not_announced(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    announcer = Announcer(QWidget())
    told: list[str] = []
    monkeypatch.setattr(QAccessible, "updateAccessibility", lambda event: told.append(event.message()))
    announcer.add("early ")
    monkeypatch.setattr(QAccessible, "isActive", lambda: True)
    announcer.add("late")
    announcer.flush()
    assert told == ["late"]
