"""Long work in turns of the event loop: whole at the end, whatever happens between them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
from kit import SLOTS, WaitUntil, format_of, shown, token, tokens_of, view_with
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from tlora_gui.engine.protocol.config import SamplingSettings
from tlora_gui.engine.protocol.events import GenerationStarted
from tlora_gui.engine.protocol.texts import TokenEvent
from tlora_gui.ui.generation.compare.compare_page import ComparePage
from tlora_gui.ui.generation.compare.differences import differing
from tlora_gui.ui.generation.token_view import coloured_text, token_text
from tlora_gui.ui.generation.token_view.find_bar import FindBar
from tlora_gui.ui.generation.token_view.swatch import token_format
from tlora_gui.ui.generation.token_view.token_style import PLAIN
from tlora_gui.ui.generation.token_view.token_view import TokenView
from tlora_gui.ui.theme import DARK, LIGHT, ThemeManager
from tlora_gui.ui.widgets import turns
from tlora_gui.ui.widgets.turns import Turns


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch, qapp: QApplication) -> None:
    """One small piece a turn, so that short texts take many."""
    monkeypatch.setattr(turns, "SECONDS", 0)
    monkeypatch.setattr(coloured_text, "_RECOLOURED_AT_ONCE", 20)
    monkeypatch.setattr(token_text, "_SEARCHED_AT_ONCE", 7)


def counting(done: list[int], pieces: int) -> Iterator[None]:
    for piece in range(pieces):
        done.append(piece)
        yield


# -- the work itself ------------------------------------------------------------------------------------------------


def test_a_work_goes_on_in_later_turns_and_lets_others_between(wait_until: WaitUntil) -> None:
    owner, done = QObject(), list[int]()
    work = Turns(owner)
    seen: list[int] = []
    QTimer.singleShot(0, owner, lambda: seen.append(len(done)))
    work.begin(counting(done, 5))
    assert done == [0] and work.busy
    wait_until(lambda: not work.busy)
    assert done == [0, 1, 2, 3, 4] and seen[0] < 5


def test_newer_work_takes_the_place_of_the_older(wait_until: WaitUntil) -> None:
    owner, old, new = QObject(), list[int](), list[int]()
    work = Turns(owner)
    work.begin(counting(old, 9))
    work.begin(counting(new, 3))
    wait_until(lambda: not work.busy)
    assert old == [0] and new == [0, 1, 2]


def test_a_stopped_work_is_left(qapp: QApplication) -> None:
    owner, done = QObject(), list[int]()
    work = Turns(owner)
    work.begin(counting(done, 9))
    work.stop()
    for _ in range(5):
        qapp.processEvents()
    assert done == [0] and not work.busy


# -- colours --------------------------------------------------------------------------------------------------------


def long_text(count: int = 400) -> list[TokenEvent]:
    return [token(n, f" w{n}" if n % 9 else "\n", "code" if n % 2 else "plays") for n in range(count)]


def colours(view: TokenView) -> list[str]:
    return [format_of(view, index).background().color().name() for index in range(len(view.tokens))]


def in_theme(tokens: list[TokenEvent], dark: bool) -> list[str]:
    """The colours of a text that never had others."""
    view = TokenView()
    view.apply_theme(DARK if dark else LIGHT)
    view.reset(SLOTS)
    view.add_tokens(tokens)
    return colours(view)


def test_what_is_in_sight_has_its_new_colours_first(wait_until: WaitUntil) -> None:
    tokens = long_text()
    view = view_with(tokens)
    view.select_tokens(300, 300)
    expected, before = in_theme(tokens, dark=True), colours(view)
    view.apply_theme(DARK)
    assert colours(view)[300] == expected[300] and colours(view)[:100] == before[:100]
    wait_until(lambda: colours(view) == expected)


def test_two_themes_quickly_after_each_other_leave_the_last_one(wait_until: WaitUntil) -> None:
    tokens = long_text()
    view = view_with(tokens)
    view.apply_theme(DARK)
    QApplication.processEvents()
    view.apply_theme(LIGHT)
    QApplication.processEvents()
    view.apply_theme(DARK)
    wait_until(lambda: colours(view) == in_theme(tokens, dark=True))


def test_a_text_that_grows_under_new_colours_has_them_everywhere(wait_until: WaitUntil) -> None:
    tokens = long_text(300)
    view = view_with(tokens[:200])
    view.apply_theme(DARK)
    for place in range(200, 300, 10):
        view.add_tokens(tokens[place : place + 10])
        QApplication.processEvents()
    wait_until(lambda: colours(view) == in_theme(tokens, dark=True))


def test_marks_and_new_colours_do_not_get_lost_in_each_other(wait_until: WaitUntil) -> None:
    tokens = long_text()
    view = view_with(tokens)
    view.apply_theme(DARK)
    view.set_marks(range(0, 400, 50))
    view.set_marks([101, 102], 100, 200)  # in place of 100 and 150
    wanted = [0, 50, 101, 102, 200, 250, 300, 350]
    wait_until(lambda: colours(view) == in_theme(tokens, dark=True))
    wait_until(lambda: [n for n in range(400) if n % 9 and format_of(view, n).fontItalic()] == wanted[1:])


def test_other_weights_come_whole_over_a_change_that_goes_on(wait_until: WaitUntil) -> None:
    tokens = long_text()
    view = view_with(tokens)
    view.apply_theme(DARK)
    view.replace_tokens([replace(one, weights=(1.0, 0.0, 0.0)) for one in tokens])
    plain = token_format(PLAIN, DARK).background().color().name()
    wait_until(lambda: set(colours(view)) == {plain})


# -- finding --------------------------------------------------------------------------------------------------------


class Page(QWidget):
    def __init__(self, texts: list[str]) -> None:
        super().__init__()
        self.text = TokenView()
        self.bar = FindBar(self.text)
        column = QVBoxLayout(self)
        column.addWidget(self.bar)
        column.addWidget(self.text)
        self.edit = self.bar.findChild(QLineEdit, "findEdit")
        self.label = self.bar.findChild(QLabel, "findCount")
        shown(self, 500, 300)
        self.text.reset(SLOTS)
        self.text.add_tokens(tokens_of(*texts))
        self.bar.open()

    @property
    def current(self) -> int:
        """Where the hit is that the text's cursor went to."""
        return self.text.textCursor().selectionStart()


WORDS = [f" tree{n}" if n % 3 else " be\n" for n in range(200)]


def test_all_hits_are_found_from_wherever_the_search_begins() -> None:
    text = TokenView()
    text.reset(SLOTS)
    texts = [f" wörd😀{n}" for n in range(300)]
    text.add_tokens(tokens_of(*texts))
    whole = "".join(texts)
    for wanted in ("d😀7 w", "rd😀1", " ", "😀", "1 wörd😀1", "x", "wörd😀10 wörd😀11 wörd😀12 wörd😀13"):
        for since in (0, 1, text.span(150)[0], text.span(150)[0] + 5, text.span(150)[0] + 7, text.span(299)[1]):
            hits = [hit for found in text.find_all(wanted, since) for hit in found]
            assert len(hits) == whole.count(wanted) == len(set(hits))
            for hit in hits:
                text.select(*hit)
                assert text.selected_text() == wanted


def test_a_search_is_whole_after_all_its_turns(wait_until: WaitUntil) -> None:
    page = Page(WORDS)
    page.text.reveal(0)
    page.edit.setText("tree")
    assert page.label.text() == "…" and page.text.extraSelections(), "what is there first is marked at once"
    wait_until(lambda: page.label.text() == "1 of 133")


def test_a_search_begins_at_the_cursor_and_counts_what_is_before_it(wait_until: WaitUntil) -> None:
    page = Page(WORDS)
    begin = page.text.span(100)[0]
    page.text.select(begin, begin)
    page.edit.setText("tree")
    assert page.current == begin + 1
    wait_until(lambda: page.label.text() == "67 of 133")
    assert page.current == begin + 1


def test_a_letter_more_ends_the_search_before_it(wait_until: WaitUntil) -> None:
    page = Page(WORDS)
    page.edit.setText("e")
    page.edit.setText("tree1")
    expected = "".join(WORDS).count("tree1")
    wait_until(lambda: page.label.text() == f"1 of {expected}")
    QApplication.processEvents()
    assert page.label.text() == f"1 of {expected}"


def test_going_on_while_the_search_goes_on_stays_where_one_went(wait_until: WaitUntil) -> None:
    page = Page(WORDS)
    begin = page.text.span(100)[0]
    page.text.select(begin, begin)
    page.edit.setText("tree")
    page.bar.find_next()
    went = page.current
    assert went > begin + 1
    wait_until(lambda: page.label.text() == "68 of 133")
    assert page.current == went


def test_what_streams_in_during_a_search_is_found_too(wait_until: WaitUntil) -> None:
    page = Page(WORDS)
    page.edit.setText("tree")
    for number in range(5):
        page.text.add_tokens([token(200 + number, " tree")])
        QApplication.processEvents()
    wait_until(lambda: page.label.text() == "1 of 138")


def test_a_text_that_is_replaced_during_a_search_is_searched_anew(wait_until: WaitUntil) -> None:
    page = Page(WORDS)
    page.edit.setText("tree")
    page.text.reset(SLOTS)
    page.text.add_tokens(tokens_of("one", " tree"))
    wait_until(lambda: page.label.text() == "1 of 1")


def test_a_bar_that_is_left_searches_no_more(qapp: QApplication) -> None:
    page = Page(WORDS)
    page.edit.setText("tree")
    page.bar.leave()
    for _ in range(50):
        qapp.processEvents()
    assert page.text.extraSelections() == [] and not any(timer.isActive() for timer in page.bar.findChildren(QTimer))


# -- comparing ------------------------------------------------------------------------------------------------------


STARTED = GenerationStarted("", "mixer", SamplingSettings(), SLOTS)


def random_text(seed: int, count: int = 1500) -> list[TokenEvent]:
    rng = random.Random(seed)
    return [replace(token(n, " w"), token_id=rng.randrange(20), is_prompt=False) for n in range(count)]


def ids(tokens: list[TokenEvent]) -> list[int]:
    return [one.token_id for one in tokens]


def compared(texts: list[list[TokenEvent]]) -> ComparePage:
    page = ComparePage()
    page.set_modes([("mixer", "Time Mixer", ""), ("plays", "Plays", ""), ("code", "Code", "")])
    page.choose_modes(["mixer", "plays", "code"][: len(texts)])
    shown(page, 700, 400)
    for number, tokens in enumerate(texts):
        page.start(number, STARTED)
        page.add_tokens(number, tokens)
    return page


def marked(page: ComparePage, number: int) -> list[int]:
    view = page.findChild(QPlainTextEdit, f"compareText{number}")
    assert isinstance(view, TokenView)
    return [index for index in range(len(view.tokens)) if format_of(view, index).fontItalic()]


def test_long_texts_are_marked_from_their_beginning_and_at_last_in_full(wait_until: WaitUntil) -> None:
    texts = [random_text(seed) for seed in range(3)]
    expected = [differing(ids(texts[0]), ids(other)) for other in texts[1:]]
    page = compared(texts)
    first = [index for index in expected[0] if index < 20]
    seen: list[int] = []

    def all_marked() -> bool:
        if not seen:
            seen.extend(marked(page, 1))
        return [marked(page, number) for number in (1, 2)] == expected

    wait_until(all_marked)
    assert set(first) <= set(seen) < set(expected[0])
    figures = page.findChild(QLabel, "compareFigures2")
    wait_until(lambda: f"{len(expected[1]):,} of 1,500 differ" in figures.text().replace("\N{NO-BREAK SPACE}", " "))


def test_a_first_text_that_is_replaced_is_compared_with_anew(wait_until: WaitUntil) -> None:
    texts = [random_text(seed) for seed in range(3)]
    page = compared(texts[:2])
    for _ in range(5):
        QApplication.processEvents()
    page.start(0, STARTED)
    page.add_tokens(0, texts[2])
    wait_until(lambda: marked(page, 1) == differing(ids(texts[2]), ids(texts[1])))


def test_columns_that_go_away_during_a_comparison_end_it(qapp: QApplication) -> None:
    page = compared([random_text(seed) for seed in range(3)])
    page.end(0)
    page._mark_differences()
    page.show_modes()
    for _ in range(20):
        qapp.processEvents()
    assert page.columns == 2 and marked(page, 1) == []


# -- the style sheet ------------------------------------------------------------------------------------------------


def test_another_theme_styles_a_widget_as_often_however_deep_it_stands(qapp: QApplication) -> None:
    themes = ThemeManager(qapp, "light")
    outer = QWidget()
    parts = [outer]
    for _ in range(6):
        parts.append(QLabel("deep", parts[-1]))
    shown(outer)
    styled = [0] * len(parts)

    class Counting(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.StyleChange:
                styled[parts.index(watched)] += 1  # type: ignore[arg-type]
            return False

    counting = Counting()
    for part in parts:
        part.installEventFilter(counting)
    try:
        themes.set_mode("dark")
        assert set(styled) == {styled[0]} and styled[0] > 0
        assert all(part.palette().windowText().color() == QColor(DARK.text) for part in parts)
    finally:
        themes.set_mode("light")
        themes.deleteLater()
