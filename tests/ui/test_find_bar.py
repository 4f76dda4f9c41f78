"""Finding in the coloured text."""

from __future__ import annotations

import pytest
from kit import SLOTS, WaitUntil, shown, token, tokens_of
from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QVBoxLayout, QWidget

from tlora_gui.ui.generation.token_view.find_bar import FindBar
from tlora_gui.ui.generation.token_view.token_view import TokenView
from tlora_gui.ui.theme import DARK

SHIFT = Qt.KeyboardModifier.ShiftModifier


class Page(QWidget):
    """A text with its bar, as in the window."""

    def __init__(self) -> None:
        super().__init__()
        self.text = TokenView()
        self.bar = FindBar(self.text)
        column = QVBoxLayout(self)
        column.addWidget(self.bar)
        column.addWidget(self.text)
        self.edit = self.bar.findChild(QLineEdit, "findEdit")

    def show_texts(self, *texts: str) -> None:
        self.text.reset(SLOTS)
        self.text.add_tokens(tokens_of(*texts))

    @property
    def count(self) -> str:
        return self.bar.findChild(QLabel, "findCount").text()

    @property
    def marks(self) -> list[tuple[str, int, str]]:
        """What is marked, where, and the colour behind it."""
        found = self.text.extraSelections()
        return [
            (one.cursor.selectedText(), one.cursor.selectionStart(), one.format.background().color().name())
            for one in found
        ]

    @property
    def marked(self) -> list[str]:
        return [text for text, _, _ in self.marks]

    @property
    def current(self) -> int:
        """Text position of the hit that is marked unlike the others."""
        colours = [colour for _, _, colour in self.marks]
        (alone,) = [place for _, place, colour in self.marks if colours.count(colour) == 1]
        return alone


@pytest.fixture
def page(qapp: QApplication) -> Page:
    page = Page()
    shown(page, 500, 300)
    page.activateWindow()
    return page


def typed(page: Page, text: str) -> None:
    page.bar.open()
    page.edit.clear()
    QTest.keyClicks(page.edit, text)


def found(page: Page, wanted: str) -> list[tuple[int, int]]:
    return [hit for hits in page.text.find_all(wanted) for hit in hits]


def test_one_can_go_on_only_where_there_are_hits(page: Page) -> None:
    page.show_texts("To be", " or not")
    steps = [page.bar.findChild(QAbstractButton, name) for name in ("findPreviousButton", "findNextButton")]
    for text, found in (("", False), ("be", True), ("sea", False)):
        typed(page, text)
        assert [step.isEnabled() for step in steps] == [found, found]


def test_hits_are_marked_and_counted_while_one_types(page: Page) -> None:
    page.show_texts("To be", ", or not", " to be, that is", " TO", " code")
    typed(page, "to")
    assert page.marked == ["To", "to", "TO"] and page.count == "1 of 3"
    QTest.keyClicks(page.edit, " b")
    assert page.marked == ["To b", "to b"] and page.count == "1 of 2"
    QTest.keyClicks(page.edit, "x")
    assert page.marked == [] and page.count == "No hit"
    page.edit.clear()
    assert page.count == ""


def test_capitals_count_if_there_are_any(page: Page) -> None:
    page.show_texts("to", " To", " TO", " to")
    typed(page, "To")
    assert page.marked == ["To"]


def test_keys_go_from_hit_to_hit_and_round(page: Page) -> None:
    page.show_texts("a1 a2", " a3 b")
    typed(page, "a")
    seen = [page.current]
    for key, modifiers in (
        (Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_F3, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_Enter, Qt.KeyboardModifier.KeypadModifier),
        (Qt.Key.Key_Return, SHIFT),
        (Qt.Key.Key_F3, SHIFT),
    ):
        QTest.keyClick(page.edit, key, modifiers)
        seen.append(page.current)
    assert seen == [0, 3, 6, 0, 6, 3]
    page.text.setFocus()
    QTest.keyClick(page.text, Qt.Key.Key_F3)
    assert page.current == 6 and page.count == "3 of 3"


def test_buttons_go_from_hit_to_hit_and_close(page: Page) -> None:
    page.show_texts("a1 a2", " a3 b")
    typed(page, "a")
    for name, count in (("findNextButton", "2 of 3"), ("findPreviousButton", "1 of 3")):
        page.bar.findChild(QAbstractButton, name).click()
        assert page.count == count
    page.bar.findChild(QAbstractButton, "findCloseButton").click()
    assert page.bar.isHidden() and page.text.extraSelections() == []


def test_escape_goes_back_to_the_text_with_the_hit_selected(page: Page, wait_until: WaitUntil) -> None:
    page.show_texts("one two", " three")
    typed(page, "o th")
    wait_until(page.edit.hasFocus)
    QTest.keyClick(page.edit, Qt.Key.Key_Escape)
    assert page.bar.isHidden() and page.text.extraSelections() == []
    assert page.text.hasFocus() and page.text.textCursor().selectedText() == "o th"


def test_escape_closes_the_bar_where_it_would_stop_a_generation(page: Page, wait_until: WaitUntil) -> None:
    stopped: list[bool] = []
    shortcut = QShortcut(QKeySequence(Qt.Key.Key_Escape), page)
    shortcut.activated.connect(lambda: stopped.append(True))
    page.show_texts("one")
    typed(page, "one")
    wait_until(lambda: page.edit.hasFocus() and page.isActiveWindow())
    QTest.keyClick(page.edit, Qt.Key.Key_Escape)
    assert page.bar.isHidden() and stopped == []
    QTest.keyClick(page.text, Qt.Key.Key_Escape)
    assert stopped == [True]


def test_hits_reach_over_tokens_wide_characters_and_divided_paragraphs(page: Page) -> None:
    texts = [f" wörd😀{n}" for n in range(400)]
    page.show_texts(*texts)
    assert page.text.document().blockCount() > 3
    whole = "".join(texts)
    for wanted in ("d😀7 w", "😀399", " wörd😀"):
        places = found(page, wanted)
        assert len(places) == whole.count(wanted)
        for first, last in places:
            page.text.select(first, last)
            assert page.text.selected_text() == wanted


def test_control_characters_are_found_as_they_are(page: Page) -> None:
    page.show_texts("a\r\n", "\u202eb\u202c")
    assert found(page, "\r\n\u202eb") == [(1, 5)]
    assert found(page, "◇") == []


def test_hits_out_of_sight_are_scrolled_to_and_only_those_in_sight_are_marked(page: Page) -> None:
    page.show_texts(*(f"line {n}\n" for n in range(3000)))
    typed(page, "line")
    assert page.count == "1 of 3,000" and 5 < len(page.marked) < 40
    QTest.keyClick(page.edit, Qt.Key.Key_Return, SHIFT)
    assert page.count == "3,000 of 3,000"
    last = page.text.span(2999)[0]
    assert page.current == last
    assert page.text.viewport().rect().contains(page.text.cursorRect().center())


def test_text_that_streams_in_is_searched_too(page: Page, wait_until: WaitUntil) -> None:
    page.show_texts("a1 b a2")
    typed(page, "a")
    QTest.keyClick(page.edit, Qt.Key.Key_Return)
    page.text.add_tokens([token(1, " a3 "), token(2, "a4")])
    wait_until(lambda: page.count == "2 of 4")
    assert page.current == 5 and page.marked == ["a"] * 4


def test_a_new_text_is_searched_anew(page: Page, wait_until: WaitUntil) -> None:
    page.show_texts(*(f"a{n}\n" for n in range(100)))
    typed(page, "a99")
    page.text.reset(SLOTS)
    page.text.verticalScrollBar().valueChanged.emit(0)
    wait_until(lambda: page.count == "No hit")


def test_opening_takes_over_what_is_selected(page: Page) -> None:
    page.show_texts("one two", " two")
    page.text.select_tokens(1, 1)
    page.bar.open()
    assert page.edit.text() == " two" and page.count == "2 of 2"
    page.show_texts("one\n", "two")
    page.text.select_tokens(0, 1)
    page.bar.open()
    assert page.edit.text() == " two"


def test_marks_follow_the_theme(page: Page) -> None:
    page.show_texts("one two")
    typed(page, "o")
    before = page.marks
    page.bar.apply_theme(DARK)
    assert page.marked == ["o", "o"] and not set(page.marks) & set(before)


def test_every_control_says_what_it_does(page: Page) -> None:
    for widget in (page.edit, *page.bar.findChildren(QAbstractButton)):
        assert widget.accessibleName() and widget.toolTip() and widget.objectName()
        assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus


def test_a_hidden_bar_does_not_search(page: Page, qapp: QApplication) -> None:
    page.show_texts("one")
    QApplication.sendEvent(page.text, QEvent(QEvent.Type.Resize))
    assert not any(timer.isActive() for timer in page.bar.findChildren(QTimer))
