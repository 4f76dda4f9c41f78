"""Prompt, coloured text, ribbon and inspector: what they show for events, and what they ask for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from kit import (
    BACKBONE,
    CODE,
    PLAYS,
    SLOTS,
    WaitUntil,
    button,
    child,
    click,
    combo,
    format_at,
    heights,
    hover,
    point_of,
    ribbon_with,
    shown,
    token,
    turn_wheel,
    view_with,
)
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QColor, QFont, QHelpEvent, QTextCharFormat, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QCheckBox, QLabel, QPlainTextEdit, QToolTip, QWidget
from screen_reader import items_of

from tlora_gui.engine.protocol.config import (
    AVERAGE_MODE,
    BACKBONE_COLOUR,
    DEFAULT_SAMPLING,
    MIXER_MODE,
    SUM_MODE,
    SamplingSettings,
)
from tlora_gui.engine.protocol.events import GenerationStarted
from tlora_gui.engine.protocol.jobs import Generate, ScoreText
from tlora_gui.engine.protocol.texts import Alternative, Generation, SlotInfo, TokenEvent
from tlora_gui.ui.generation.inspector.bars import ShareRows
from tlora_gui.ui.generation.inspector.inspector import TokenInspector
from tlora_gui.ui.generation.pane import GenerationPane
from tlora_gui.ui.generation.sampling import SamplingPanel
from tlora_gui.ui.generation.token_view.legend import Legend
from tlora_gui.ui.generation.token_view.paragraphs import LONGEST_PARAGRAPH
from tlora_gui.ui.generation.token_view.ribbon import MixRibbon
from tlora_gui.ui.generation.token_view.token_style import (
    MEASURE_COLOURS,
    PLAIN,
    TokenStyle,
    colour_reason,
    description,
    facts,
    share_text,
    token_style,
    tooltip,
    visible_text,
)
from tlora_gui.ui.generation.token_view.token_view import TokenView
from tlora_gui.ui.palette import contrast, token_background
from tlora_gui.ui.theme import DARK, LIGHT


def some_tokens() -> list[TokenEvent]:
    return [
        token(0, "To", is_prompt=True),
        token(1, " code", "code", is_prompt=True),
        token(2, " or", "plays"),
        token(3, "\n", ""),
        token(4, "def", "code"),
        token(5, " it", ""),
    ]


def record(**changes: object) -> Generation:
    made = Generation("To code", "code", SamplingSettings(seed=5), SLOTS, tuple(some_tokens()), "length", 20.34)
    return replace(made, **changes)


# -- what a token looks like, and what is said about it ------------------------------------------------------------


def test_dominant_epoch_gives_colour_weight_and_underline() -> None:
    assert token_style(token(1, "x", "code"), SLOTS, "dominant") == TokenStyle(CODE.colour, 0.75, 2)


def test_token_of_the_backbone_is_uncoloured() -> None:
    assert token_style(token(1, "x", ""), SLOTS, "dominant") == PLAIN


@pytest.mark.parametrize("weights", [(0.0, 0.5, 0.5), (0.0, 1.0, 1.0)])
def test_without_a_dominant_epoch_no_token_is_coloured_and_the_reason_is_told(weights: tuple[float, ...]) -> None:
    even = token(1, "x", weights=weights)
    assert token_style(even, SLOTS, "dominant") == PLAIN
    assert "No dominant epoch" in colour_reason(even) and "No dominant epoch" in tooltip(even, SLOTS, LIGHT.muted)
    assert "<b>Plays" in tooltip(token(1, "x"), SLOTS, LIGHT.muted) and "<b>Plays" not in tooltip(even, SLOTS, "#000")


@pytest.mark.parametrize(
    ("mode", "probability", "strength"), [("probability", 0.25, 0.25), ("surprise", 0.25, 0.2), ("surprise", 1e-9, 1.0)]
)
def test_strength_of_probability_and_surprise(mode: str, probability: float, strength: float) -> None:
    style = token_style(token(1, "x", probability=probability), SLOTS, mode)
    assert style.strength == pytest.approx(strength)
    assert style.colour == MEASURE_COLOURS[mode]


def test_entropy_is_full_for_an_even_mix_and_nothing_for_a_single_speaker() -> None:
    even = token(1, "x", weights=(1 / 3, 1 / 3, 1 / 3))
    alone = token(1, "x", weights=(0.0, 1.0, 0.0))
    only_backbone = token(1, "x", weights=(1.0,))
    assert token_style(even, SLOTS, "entropy").strength == pytest.approx(1.0)
    assert token_style(alone, SLOTS, "entropy") == PLAIN
    assert token_style(only_backbone, SLOTS[:1], "entropy") == PLAIN


def test_first_prompt_token_has_no_probability_to_show() -> None:
    first = token(0, "To", is_prompt=True, probability=1.0)
    assert token_style(first, SLOTS, "probability") == PLAIN
    assert "first token" in facts(first)
    assert "probability" in facts(replace(first, is_prompt=False))


def test_facts_tell_probability_rank_and_surprise_in_bits() -> None:
    plain = facts(token(3, "x", probability=0.31, rank=2)).replace("\N{NO-BREAK SPACE}", " ")
    assert plain == "probability 0.31 · rank 2 · surprise 1.7 bits"


def test_blanks_are_made_visible_and_long_texts_shortened() -> None:
    assert visible_text(" Fiend\n\t") == "␣Fiend⏎⇥"
    assert visible_text("x" * 50, 10) == "x" * 9 + "…"
    assert "part of a character" in visible_text("")


def test_small_shares_are_not_called_nothing() -> None:
    assert [share_text(share) for share in (0.0, 0.001, 0.005, 1.0)] == ["0.00", "<0.01", "0.01", "1.00"]


def test_tooltip_has_the_full_mix_and_says_what_the_colour_means() -> None:
    text = tooltip(token(2, " or", "code"), SLOTS, LIGHT.muted)
    for part in ("␣or", "Plays", "0.20", "Code", "0.75", "Eternity", "0.05", "when this token was predicted"):
        assert part in text
    assert "own mix" in tooltip(token(1, "x", is_prompt=True), SLOTS, LIGHT.muted)


def test_tooltip_shows_markup_in_names_and_text_as_text() -> None:
    slots = (BACKBONE, SlotInfo("b", "<b>", "#000000"), CODE)
    text = tooltip(token(1, "<i>", alternatives=()), slots, LIGHT.muted)
    assert "&lt;i&gt;" in text and "&lt;b&gt;" in text and "<i>" not in text


def test_description_names_every_slot_in_plain_words() -> None:
    said = description(token(2, " or", "code"), SLOTS)
    assert "Plays 0.20, Code 0.75, Eternity 0.05" in said and colour_reason(token(2, " or")) in said


# -- token view ----------------------------------------------------------------------------------------------------


def test_text_is_what_the_tokens_add(qapp: QApplication) -> None:
    assert view_with(some_tokens()).toPlainText() == "To code or\ndef it"


def test_each_token_has_its_epochs_background_and_underline(qapp: QApplication) -> None:
    view = view_with(some_tokens())
    plays, code, backbone = format_at(view, 8), format_at(view, 11), format_at(view, 15)
    panel, text = QColor(LIGHT.panel), QColor(LIGHT.text)
    assert code.background().color() == token_background(CODE.colour, 0.75, panel, text)
    assert code.underlineStyle() != plays.underlineStyle()
    assert QTextCharFormat.UnderlineStyle.NoUnderline not in (code.underlineStyle(), plays.underlineStyle())
    assert backbone.background().style() == Qt.BrushStyle.NoBrush
    assert backbone.underlineStyle() == QTextCharFormat.UnderlineStyle.NoUnderline


def test_prompt_tokens_are_heavier_than_generated_ones(qapp: QApplication) -> None:
    view = view_with(some_tokens())
    assert format_at(view, 0).fontWeight() == QFont.Weight.DemiBold
    assert format_at(view, 8).fontWeight() < QFont.Weight.DemiBold


def test_new_theme_recolours_in_place_and_keeps_text_and_selection(qapp: QApplication) -> None:
    view = view_with(some_tokens())
    cursor = view.textCursor()
    cursor.setPosition(3)
    cursor.setPosition(7, QTextCursor.MoveMode.KeepAnchor)
    view.setTextCursor(cursor)
    before = format_at(view, 11).background().color()
    view.apply_theme(DARK)
    after = format_at(view, 11).background().color()
    assert after != before
    assert contrast(after, QColor(DARK.text)) >= 4.5
    assert view.toPlainText() == "To code or\ndef it"
    assert view.textCursor().selectedText() == "code"


def test_colour_mode_changes_what_colour_means(qapp: QApplication) -> None:
    view = view_with([token(1, "likely", probability=1.0), token(2, "odd", probability=0.001)])
    view.set_colour_mode("surprise")
    assert format_at(view, 0).background().style() == Qt.BrushStyle.NoBrush
    assert format_at(view, 7).background().style() == Qt.BrushStyle.SolidPattern


def test_stays_at_the_end_while_text_streams(qapp: QApplication) -> None:
    view = view_with([])
    for index in range(60):
        view.add_tokens([token(index, f"line {index}\n")])
    assert view.verticalScrollBar().maximum() > 0
    assert view.verticalScrollBar().value() == view.verticalScrollBar().maximum()


def test_stays_where_the_person_scrolled_to(qapp: QApplication) -> None:
    view = view_with([token(index, f"line {index}\n") for index in range(60)])
    view.verticalScrollBar().setValue(5)
    view.add_tokens([token(60, "one more\n")])
    assert view.verticalScrollBar().value() == 5


def test_streaming_selects_nothing(qapp: QApplication) -> None:
    view = view_with(some_tokens()[:3])
    view.add_tokens(some_tokens()[3:])
    assert not view.textCursor().hasSelection()


def test_hovering_a_token_chooses_it_once(qapp: QApplication) -> None:
    view = view_with(some_tokens())
    chosen: list[int] = []
    view.token_selected.connect(chosen.append)
    for position in (3, 5, 12):
        hover(view.viewport(), point_of(view, position))
    assert chosen == [1, 4]
    assert view.current == 4


def test_there_is_no_token_beside_or_below_the_text(qapp: QApplication) -> None:
    view = view_with(some_tokens())
    assert view.token_at(QPoint(450, point_of(view, 0).y())) == -1
    assert view.token_at(QPoint(10, 190)) == -1
    assert TokenView().token_at(QPoint(10, 10)) == -1


def test_end_of_line_belongs_to_the_token_that_ends_it(qapp: QApplication) -> None:
    view = view_with(some_tokens())
    assert view.token_at(point_of(view, len("To code or"))) == 3


def test_wrapped_lines_are_hit_where_they_are_drawn(qapp: QApplication) -> None:
    words = [token(index, f"word{index:03} ") for index in range(60)]
    view = view_with(words)
    assert view.document().blockCount() == 1
    for index in (0, 20, 59):
        view.set_current(index)
        assert view.token_at(point_of(view, view.span(index)[0])) == index


def test_token_without_text_shares_the_span_of_the_next(qapp: QApplication) -> None:
    view = view_with([token(0, "a"), token(1, "", "code"), token(2, "", "code"), token(3, "😀"), token(4, "b")])
    assert view.span(1) == view.span(2) == view.span(3) == (1, 3)
    assert view.span(4) == (3, 4)
    assert view.token_at(point_of(view, 1)) == 3
    assert view.token_at(point_of(view, 3)) == 4


def test_last_token_without_text_can_be_chosen(qapp: QApplication) -> None:
    view = view_with([token(0, "a"), token(1, "")])
    view.set_current(1)
    assert view.current == 1 and view.span(1) == (1, 1)


def test_arrow_keys_walk_over_tokens_with_text(qapp: QApplication) -> None:
    view = view_with([token(0, "a"), token(1, ""), token(2, "é"), token(3, "c")])
    chosen: list[int] = []
    view.token_selected.connect(chosen.append)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_End, Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Home):
        QTest.keyClick(view, key)
    assert chosen == [0, 2, 3, 3, 2, 0]
    assert "“a”" in view.accessibleDescription()


def test_walking_back_begins_at_the_end(qapp: QApplication) -> None:
    view = view_with([token(0, "a"), token(1, "b"), token(2, "c"), token(3, "")])
    QTest.keyClick(view, Qt.Key.Key_Left)
    assert view.current == 2


def test_walking_scrolls_to_the_chosen_token(qapp: QApplication) -> None:
    view = view_with([token(index, f"line {index}\n") for index in range(80)])
    QTest.keyClick(view, Qt.Key.Key_Home)
    assert view.verticalScrollBar().value() == 0
    QTest.keyClick(view, Qt.Key.Key_End)
    assert view.verticalScrollBar().value() > 60


def test_walking_in_an_empty_text_does_nothing(qapp: QApplication) -> None:
    view = view_with([])
    QTest.keyClick(view, Qt.Key.Key_Right)
    assert view.current == -1


def test_selected_text_is_copied_plain(qapp: QApplication) -> None:
    view = view_with(some_tokens())
    view.selectAll()
    QTest.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert qapp.clipboard().text() == "To code or\ndef it"


def test_hover_tooltip_shows_the_mix_of_the_token_under_the_pointer(qapp: QApplication) -> None:
    view = view_with(some_tokens())
    point = point_of(view, 11)
    event = QHelpEvent(QEvent.Type.ToolTip, point, view.viewport().mapToGlobal(point))
    QApplication.sendEvent(view.viewport(), event)
    assert "def" in QToolTip.text() and "Code" in QToolTip.text()
    QToolTip.hideText()


def test_walking_takes_the_tooltip_of_another_token_away(qapp: QApplication, wait_until: WaitUntil) -> None:
    wait_until(lambda: not QToolTip.isVisible())  # one that is about to go would not be shown anew
    view = view_with(some_tokens())
    point = point_of(view, 11)
    event = QHelpEvent(QEvent.Type.ToolTip, point, view.viewport().mapToGlobal(point))
    QApplication.sendEvent(view.viewport(), event)
    assert QToolTip.isVisible()
    QTest.keyClick(view, Qt.Key.Key_Left)
    wait_until(lambda: not QToolTip.isVisible(), 2.0)  # by itself it stays longer


def test_what_the_inspector_tells_of_a_token_is_not_told_over_the_text_too(
    qapp: QApplication, wait_until: WaitUntil
) -> None:
    wait_until(lambda: not QToolTip.isVisible())
    view = view_with(some_tokens())
    view.set_telling(False)
    for chosen, told in ((view.token_at(point_of(view, 11)), False), (0, True)):
        view.set_current(chosen)
        point = point_of(view, 11)
        event = QHelpEvent(QEvent.Type.ToolTip, point, view.viewport().mapToGlobal(point))
        QApplication.sendEvent(view.viewport(), event)
        assert QToolTip.isVisible() == told, "of another token than the chosen one only the tooltip tells"
    QToolTip.hideText()


def test_chosen_token_is_framed(qapp: QApplication) -> None:
    view = view_with(some_tokens())
    before = view.viewport().grab().toImage()
    view.set_current(4, reveal=False)
    marked = view.viewport().grab().toImage()
    view.set_current(-1)
    assert before != marked
    assert view.viewport().grab().toImage() == before


def test_thousands_of_tokens_are_appended_completely(qapp: QApplication) -> None:
    speakers = ("plays", "code", "code")
    tokens = [token(n, f" w{n}" if n % 15 else "\n", speakers[n % 3]) for n in range(3000)]
    view = view_with([])
    for start in range(0, len(tokens), 10):
        view.add_tokens(tokens[start : start + 10])
    assert view.toPlainText() == "".join(one.text for one in tokens)
    assert view.span(2999)[1] == len(view.toPlainText())


def one_paragraph(count: int) -> list[TokenEvent]:
    return [token(index, f" w{index}", "plays" if index % 2 else "code") for index in range(count)]


def pieces_at_spans(view: TokenView) -> list[str]:
    text = view.toPlainText()
    return [text[slice(*view.span(index))].strip("\n") for index in range(len(view.tokens))]


def test_a_long_paragraph_is_divided_and_its_tokens_are_still_found(qapp: QApplication) -> None:
    tokens = one_paragraph(1500)
    view = view_with([])
    for start in range(0, len(tokens), 10):
        view.add_tokens(tokens[start : start + 10])
    blocks = view.document().blockCount()
    assert blocks > 5
    assert [piece.replace("\n", "") for piece in pieces_at_spans(view)] == [one.text for one in tokens]
    view.set_current(1200)
    assert view.token_at(view.cursorRect().center() + QPoint(12, 0)) == 1200


def test_a_long_text_given_at_once_is_divided_in_every_paragraph(qapp: QApplication) -> None:
    tokens = [*one_paragraph(600), token(600, "\n"), *(token(601 + n, " x") for n in range(1200))]
    view = view_with(tokens)
    block, longest = view.document().begin(), 0
    while block.isValid():
        longest = max(longest, block.length())
        block = block.next()
    assert longest <= LONGEST_PARAGRAPH
    assert [piece.replace("\n", "") for piece in pieces_at_spans(view)][601:] == [" x"] * 1200


def test_copied_text_has_no_line_end_that_was_not_generated(qapp: QApplication) -> None:
    tokens = [*one_paragraph(700), token(700, "\n"), token(701, "def")]
    view = view_with(tokens)
    assert view.document().blockCount() > 2
    view.selectAll()
    QTest.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert qapp.clipboard().text() == "".join(one.text for one in tokens)


def test_dividing_a_paragraph_moves_no_line(qapp: QApplication) -> None:
    tokens = one_paragraph(400)
    divided, whole = view_with([]), view_with([])
    for view in (divided, whole):
        view.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        qapp.processEvents()
    divided.add_tokens(tokens)
    whole.setPlainText("".join(one.text for one in tokens))
    whole.blockBoundingRect(whole.document().begin())
    assert divided.document().blockCount() > whole.document().blockCount() == 1
    assert divided.document().lineCount() == whole.document().lineCount()


def test_new_colours_reach_a_long_text_to_its_end(qapp: QApplication, wait_until: WaitUntil) -> None:
    view = view_with([token(n, f" w{n}" if n % 9 else "\n", "code") for n in range(5000)])
    last = view.span(4999)[0] + 2
    before = format_at(view, last).background().color()
    QTest.keyClick(view, Qt.Key.Key_Home)
    view.apply_theme(DARK)
    wait_until(lambda: format_at(view, last).background().color() != before)
    assert format_at(view, last).background().color() == format_at(view, 1).background().color()


def test_an_emptied_text_stops_being_recoloured(qapp: QApplication) -> None:
    view = view_with(one_paragraph(3000))
    view.apply_theme(DARK)
    view.reset(SLOTS)
    view.add_tokens([token(0, "a")])
    qapp.processEvents()
    assert view.toPlainText() == "a"


# -- ribbon --------------------------------------------------------------------------------------------------------


def ribbon_colour(ribbon: MixRibbon, index: int, height: float) -> QColor:
    return QColor(ribbon.grab().toImage().pixel(ribbon.position_of(index, height)))


def test_ribbon_stacks_epochs_from_below_and_the_backbone_on_top(qapp: QApplication, wait_until: WaitUntil) -> None:
    ribbon = ribbon_with([token(index, "x", "plays") for index in range(30)], wait_until)
    assert ribbon_colour(ribbon, 10, 0.4) == QColor(PLAYS.colour)
    assert ribbon_colour(ribbon, 10, 0.85) == QColor(CODE.colour)
    assert ribbon_colour(ribbon, 10, 0.95) == QColor(BACKBONE_COLOUR)


def test_ribbon_shows_a_single_token(qapp: QApplication, wait_until: WaitUntil) -> None:
    ribbon = ribbon_with([token(0, "x", "plays")], wait_until)
    assert ribbon_colour(ribbon, 0, 0.4) == QColor(PLAYS.colour)


def test_hovering_the_ribbon_chooses_a_token(qapp: QApplication, wait_until: WaitUntil) -> None:
    ribbon = ribbon_with([token(index, "x") for index in range(30)], wait_until)
    chosen: list[int] = []
    ribbon.token_selected.connect(chosen.append)
    hover(ribbon.viewport(), ribbon.position_of(4))
    hover(ribbon.viewport(), ribbon.position_of(21))
    assert chosen == [4, 21]


def test_ribbon_beyond_the_last_token_chooses_nothing(qapp: QApplication, wait_until: WaitUntil) -> None:
    ribbon = ribbon_with([token(0, "x")], wait_until)
    chosen: list[int] = []
    ribbon.token_selected.connect(chosen.append)
    hover(ribbon.viewport(), ribbon.position_of(9))
    assert chosen == []


def test_double_click_shows_the_whole_ribbon_again(qapp: QApplication, wait_until: WaitUntil) -> None:
    ribbon = ribbon_with([token(index, "x") for index in range(100)], wait_until)
    turn_wheel(ribbon.viewport(), ribbon.position_of(30), 480, Qt.KeyboardModifier.ControlModifier)
    assert ribbon.shown_range != pytest.approx((-0.5, 99.5))
    QTest.mouseDClick(ribbon.viewport(), Qt.MouseButton.LeftButton, pos=ribbon.position_of(30))
    assert ribbon.shown_range == pytest.approx((-0.5, 99.5))


def test_ribbon_of_a_long_text_draws_means_and_no_more_points_than_pixels(
    qapp: QApplication, wait_until: WaitUntil
) -> None:
    speakers = ("plays", "code")
    ribbon = ribbon_with([token(n, "x", speakers[n % 2]) for n in range(20_000)], wait_until)
    backbone, code, plays = heights(ribbon)
    assert len(plays) < ribbon.width() + 10
    assert plays[10:-10] == pytest.approx(0.5) and code[10:-10] == pytest.approx(0.925)
    assert backbone[10:-10] == pytest.approx(1.0)


def test_zoomed_in_the_ribbon_of_a_long_text_draws_single_tokens(qapp: QApplication, wait_until: WaitUntil) -> None:
    speakers = ("plays", "code")
    ribbon = ribbon_with([token(n, "x", speakers[n % 2]) for n in range(20_000)], wait_until)
    while ribbon.shown_range[1] - ribbon.shown_range[0] > 100:
        turn_wheel(ribbon.viewport(), ribbon.position_of(30), 480, Qt.KeyboardModifier.ControlModifier)
    assert set(np.round(heights(ribbon)[-1][5:-5], 6)) == {0.8, 0.2}


def test_wheel_alone_leaves_the_ribbon_as_it_is(qapp: QApplication, wait_until: WaitUntil) -> None:
    ribbon = ribbon_with([token(index, "x") for index in range(100)], wait_until)
    turn_wheel(ribbon.viewport(), ribbon.position_of(30), 480, Qt.KeyboardModifier.NoModifier)
    assert ribbon.shown_range == pytest.approx((-0.5, 99.5))


def test_zoomed_ribbon_stays_where_it_is_while_tokens_come(qapp: QApplication, wait_until: WaitUntil) -> None:
    ribbon = ribbon_with([token(index, "x") for index in range(100)], wait_until)
    turn_wheel(ribbon.viewport(), ribbon.position_of(30), 480, Qt.KeyboardModifier.ControlModifier)
    zoomed = ribbon.shown_range
    ribbon.add_tokens([token(100, "y")])
    wait_until(lambda: ribbon.drawn_tokens == 101)
    assert ribbon.shown_range == pytest.approx(zoomed)


def test_reset_empties_the_ribbon(qapp: QApplication, wait_until: WaitUntil) -> None:
    ribbon = ribbon_with([token(index, "x") for index in range(30)], wait_until)
    ribbon.set_current(3)
    ribbon.reset()
    assert ribbon_colour(ribbon, 10, 0.4) == QColor(LIGHT.panel)


# -- inspector -----------------------------------------------------------------------------------------------------


def texts(widget: QWidget) -> str:
    labels = [label for label in widget.findChildren(QLabel) if label.isVisibleTo(widget)]
    rows = [row for row in widget.findChildren(ShareRows) if row.isVisibleTo(widget)]
    found = [label.text() for label in labels] + [", ".join(items_of(row)) for row in rows]
    return "\n".join(found).replace("\N{NO-BREAK SPACE}", " ")


def test_inspector_without_a_token_says_so(qapp: QApplication) -> None:
    inspector = TokenInspector()
    assert "No token chosen yet" in texts(inspector)
    inspector.show_token(token(2, " or"), SLOTS)
    inspector.show_token(None, SLOTS)
    assert "No token chosen yet" in texts(inspector) and "rank" not in texts(inspector)


def test_inspector_shows_text_facts_mix_and_alternatives(qapp: QApplication) -> None:
    inspector = TokenInspector()
    inspector.show_token(token(2, " or", "code"), SLOTS)
    said = texts(inspector)
    for part in (
        "“␣or”",
        "probability 0.25\nrank 1\nsurprise 2.0 bits",
        "Plays 0.20, Code 0.75, Eternity 0.05",
        "␣or 0.25, ␣other 0.10",
    ):
        assert part in said


def test_inspector_adds_an_improbable_token_to_the_most_probable(qapp: QApplication) -> None:
    inspector = TokenInspector()
    inspector.show_token(token(2, " rare", probability=0.01, rank=40, alternatives=(Alternative(" a", 0.5),)), SLOTS)
    assert "␣a 0.50, ␣rare 0.01" in texts(inspector)


def test_inspector_of_the_first_token_has_no_alternatives(qapp: QApplication) -> None:
    inspector = TokenInspector()
    inspector.show_token(token(0, "To", is_prompt=True), SLOTS)
    assert "Most probable here" not in texts(inspector)


def test_long_token_does_not_widen_the_inspector(qapp: QApplication) -> None:
    inspector = TokenInspector()
    inspector.show_token(token(1, "w"), SLOTS)
    before = inspector.minimumSizeHint().width()
    inspector.show_token(token(1, "w" * 200), SLOTS)
    assert inspector.minimumSizeHint().width() == before


# -- pane ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def pane(qapp: QApplication) -> GenerationPane:
    made = GenerationPane()
    shown(made, 830, 480)
    made.set_slots(SLOTS)
    made.set_enabled_for_model(True)
    return made


def footer(pane: QWidget) -> str:
    return child(pane, "generationFooter", QLabel).text()


def text_of(pane: QWidget) -> TokenView:
    return child(pane, "tokenView", TokenView)


def test_generate_asks_with_prompt_mode_and_sampling(pane: GenerationPane) -> None:
    asked: list[Generate] = []
    pane.generate_requested.connect(asked.append)
    pane.set_prompt("def")
    modes = combo(pane, "modeCombo")
    modes.setCurrentIndex(modes.findData("code"))
    click(pane, "generateButton")
    assert asked == [Generate("def", "code", DEFAULT_SAMPLING)]


def test_reading_is_of_all_that_is_shown_unless_the_prompt_is_being_edited(pane: GenerationPane) -> None:
    asked: list[ScoreText] = []
    pane.read_requested.connect(asked.append)
    pane.show_record(record())
    pane.show_page("read")
    click(pane, "generateButton")
    assert [job.text for job in asked] == ["To code or\ndef it"] and pane.prompt_bar.prompt() == "To code or\ndef it"
    pane.edit_prompt()
    pane.set_prompt("def")
    click(pane, "generateButton")
    assert asked[-1].text == "def"


def test_a_list_of_texts_names_the_mixer_without_its_strategy(pane: GenerationPane) -> None:
    pane.set_slots(SLOTS, "attention")
    assert pane.mode_names[MIXER_MODE] == "Time Mixer" and pane.mode_names["plays"] == "Plays alone"
    assert combo(pane, "modeCombo").currentText() == "Time Mixer · attention"


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
@pytest.mark.parametrize("where", ["promptEdit", "tokenView"])
def test_control_and_enter_generates(pane: GenerationPane, key: Qt.Key, where: str) -> None:
    asked: list[Generate] = []
    pane.generate_requested.connect(asked.append)
    QTest.keyClick(child(pane, where), key, Qt.KeyboardModifier.ControlModifier)
    assert [job.mode for job in asked] == [MIXER_MODE]


def test_enter_alone_writes_a_new_line_into_the_prompt(pane: GenerationPane) -> None:
    asked: list[Generate] = []
    pane.generate_requested.connect(asked.append)
    prompt = child(pane, "promptEdit")
    QTest.keyClicks(prompt, "a")
    QTest.keyClick(prompt, Qt.Key.Key_Return)
    assert isinstance(prompt, QPlainTextEdit) and prompt.toPlainText() == "a\n"
    assert asked == []


def test_stop_and_escape_ask_to_stop_only_while_generating(pane: GenerationPane) -> None:
    stops: list[bool] = []
    asked: list[Generate] = []
    pane.stop_requested.connect(lambda: stops.append(True))
    pane.generate_requested.connect(asked.append)
    QTest.keyClick(pane, Qt.Key.Key_Escape)
    assert stops == []
    pane.start(GenerationStarted("x", MIXER_MODE, SamplingSettings(), SLOTS))
    QTest.keyClick(child(pane, "promptEdit"), Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert asked == [], "a second generation was asked for while one runs"
    click(pane, "stopGenerationButton")
    assert stops == [True]
    assert not child(pane, "stopGenerationButton").isEnabled()
    pane.set_generating(False)
    pane.set_generating(True)
    QTest.keyClick(child(pane, "tokenView"), Qt.Key.Key_Escape)
    assert stops == [True, True]


def test_generate_and_stop_take_each_others_place_and_focus(pane: GenerationPane) -> None:
    pane.activateWindow()
    child(pane, "generateButton").setFocus()
    pane.set_generating(True)
    assert child(pane, "stopGenerationButton").isVisible() and not child(pane, "generateButton").isVisible()
    assert pane.focusWidget() is child(pane, "stopGenerationButton")
    pane.set_generating(False)
    assert pane.focusWidget() is child(pane, "generateButton")


def test_without_a_model_nothing_can_be_generated_and_the_reason_is_shown(pane: GenerationPane) -> None:
    asked: list[Generate] = []
    pane.generate_requested.connect(asked.append)
    pane.set_enabled_for_model(False, "Add an epoch first.")
    click(pane, "generateButton")
    QTest.keyClick(child(pane, "promptEdit"), Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert asked == []
    assert text_of(pane).placeholderText() == "Add an epoch first."
    assert child(pane, "generateButton").toolTip() == "Add an epoch first."


def offered(pane: GenerationPane) -> list[tuple[str, str | None]]:
    """Text and mode of every line of the modes; a separator has neither."""
    modes = combo(pane, "modeCombo")
    return [(modes.itemText(index), modes.itemData(index)) for index in range(modes.count())]


def test_modes_are_the_mixer_every_epoch_the_backbone_and_then_those_without_a_mixer(pane: GenerationPane) -> None:
    assert offered(pane) == [
        ("Time Mixer · gating", MIXER_MODE),
        ("Plays alone", "plays"),
        ("Code alone", "code"),
        ("Backbone alone", ""),
        ("", None),
        ("Sum of all epochs", SUM_MODE),
        ("Average of all epochs", AVERAGE_MODE),
    ]


def test_a_single_epoch_has_nothing_to_sum(pane: GenerationPane) -> None:
    pane.set_slots((BACKBONE, PLAYS))
    assert [mode for _, mode in offered(pane)] == [MIXER_MODE, "plays", ""]


def test_the_mode_of_the_mixer_names_its_strategy(pane: GenerationPane) -> None:
    pane.set_slots(SLOTS, "attention")
    assert combo(pane, "modeCombo").currentText() == "Time Mixer · attention"


@pytest.mark.parametrize(("mode", "weight"), [(SUM_MODE, "weight 1 each"), (AVERAGE_MODE, "weight 1/K each")])
def test_a_mode_without_a_mixer_explains_itself_before_and_after_it_is_chosen(
    pane: GenerationPane, mode: str, weight: str
) -> None:
    modes = combo(pane, "modeCombo")
    chosen, general = modes.toolTip().split("\n")
    assert chosen == modes.currentText()
    tip = modes.itemData(modes.findData(mode), Qt.ItemDataRole.ToolTipRole)
    assert weight in tip and "without a mixer" in tip and "conflict" in tip
    pane.choose_mode(mode)
    assert modes.toolTip() == f"{modes.currentText()}\n{tip}"
    pane.choose_mode("code")
    assert modes.toolTip() == f"Code alone\n{general}"


@pytest.mark.parametrize("mode", [SUM_MODE, AVERAGE_MODE])
def test_a_kept_generation_without_a_mixer_reopens_under_its_mode(pane: GenerationPane, mode: str) -> None:
    asked: list[Generate] = []
    pane.generate_requested.connect(asked.append)
    even = tuple(replace(found, weights=(0.0, 0.5, 0.5)) for found in some_tokens())
    pane.show_record(record(mode=mode, tokens=even))
    assert combo(pane, "modeCombo").currentData() == mode
    click(pane, "generateButton")
    assert [job.mode for job in asked] == [mode]


def test_the_separator_of_the_modes_cannot_be_chosen(pane: GenerationPane) -> None:
    modes = combo(pane, "modeCombo")
    pane.choose_mode("")
    QTest.keyClick(modes, Qt.Key.Key_Down)
    assert modes.currentData() == SUM_MODE


@pytest.mark.parametrize(("chosen", "kept"), [("code", "code"), ("", ""), ("plays", MIXER_MODE), (SUM_MODE, SUM_MODE)])
def test_chosen_mode_is_kept_while_it_exists(pane: GenerationPane, chosen: str, kept: str) -> None:
    modes = combo(pane, "modeCombo")
    modes.setCurrentIndex(modes.findData(chosen))
    pane.set_slots((BACKBONE, CODE, SlotInfo("new", "New", "#009E73")))
    assert modes.currentData() == kept


def test_a_generation_streams_into_text_and_footer(pane: GenerationPane) -> None:
    pane.start(GenerationStarted("To code", MIXER_MODE, SamplingSettings(), SLOTS))
    tokens = some_tokens()
    pane.add_tokens(tokens[:2])
    pane.add_tokens(tokens[2:])
    assert text_of(pane).toPlainText() == "To code or\ndef it"
    assert footer(pane) == "4 tokens"
    pane.finish(record())
    assert footer(pane) == "4 tokens · 20.3 tokens/s · length limit"
    assert child(pane, "generateButton").isVisible()


class Visits(tuple[TokenEvent, ...]):
    """Tokens that count how often one is looked at."""

    count = 0

    def __iter__(self) -> Iterator[TokenEvent]:
        for one in super().__iter__():
            Visits.count += 1
            yield one


def test_a_finished_text_is_summed_up_without_going_through_its_tokens_again(pane: GenerationPane) -> None:
    inspector = TokenInspector()
    shown(inspector, 260, 500)
    pane.text_changed.connect(inspector.show_text)
    tokens = Visits(token(n, " a", "plays" if n % 5 else "code", probability=0.25) for n in range(500))
    pane.start(GenerationStarted("", MIXER_MODE, SamplingSettings(), SLOTS))
    for first in range(0, 500, 50):
        pane.add_tokens(tokens[first : first + 50])
    Visits.count = 0
    pane.finish(record(tokens=tokens))
    assert Visits.count == 0
    said = texts(inspector)
    assert "500 tokens\n2.0 bits of surprise per token\nPlays leads in 80 % of tokens" in said, said
    pane.show_record(record())
    said = texts(inspector)
    assert "6 tokens" in said and footer(pane) == "4 tokens · 20.3 tokens/s · length limit"


def test_where_several_weigh_the_same_nobody_is_said_to_lead(pane: GenerationPane) -> None:
    inspector = TokenInspector()
    shown(inspector, 260, 500)
    pane.text_changed.connect(inspector.show_text)
    legend = pane.findChild(Legend)
    alike = tuple(token(n, " a", weights=(0.0, 0.5, 0.5)) for n in range(8))
    pane.show_record(record(tokens=(*alike, token(8, " a", "plays"))))
    assert "several slots weigh the same in 89 % of tokens" in texts(inspector)
    assert "Eternity, or several alike (uncoloured)" in legend.accessibleDescription()
    pane.show_record(record())
    assert "Eternity (uncoloured)" in legend.accessibleDescription()


def test_a_new_generation_replaces_the_old_one(pane: GenerationPane) -> None:
    hovered: list[TokenEvent | None] = []
    pane.show_record(record())
    pane.choose_token(2)
    pane.token_hovered.connect(hovered.append)
    pane.start(GenerationStarted("x", MIXER_MODE, SamplingSettings(), SLOTS))
    assert text_of(pane).toPlainText() == ""
    assert hovered == [None]
    assert not child(pane, "saveTextButton").isEnabled() and not child(pane, "copyTextButton").isEnabled()


def test_stored_record_brings_back_text_prompt_mode_and_sampling(pane: GenerationPane) -> None:
    asked: list[Generate] = []
    pane.generate_requested.connect(asked.append)
    pane.show_record(record())
    assert text_of(pane).toPlainText() == "To code or\ndef it"
    click(pane, "generateButton")
    assert asked == [Generate("To code", "code", SamplingSettings(seed=5))]


def test_stored_record_keeps_its_own_slots_when_the_model_lost_them(pane: GenerationPane) -> None:
    pane.set_slots((BACKBONE,))
    pane.show_record(record())
    assert pane.shown_slots == SLOTS
    expected = token_background(CODE.colour, 0.75, QColor(LIGHT.panel), QColor(LIGHT.text))
    assert format_at(text_of(pane), 11).background().color() == expected
    assert "Code" in pane.findChild(Legend).accessibleDescription()
    assert combo(pane, "modeCombo").currentData() == MIXER_MODE


def test_choosing_in_the_text_marks_the_ribbon_and_tells_the_token(pane: GenerationPane) -> None:
    pane.show_record(record())
    hovered: list[TokenEvent | None] = []
    pane.token_hovered.connect(hovered.append)
    view = text_of(pane)
    hover(view.viewport(), point_of(view, 11))
    ribbon = child(pane, "mixRibbon")
    assert isinstance(ribbon, MixRibbon) and ribbon.current == 4
    assert hovered == [record().tokens[4]]


def test_choosing_in_the_ribbon_marks_the_text_and_tells_the_token(pane: GenerationPane, wait_until: WaitUntil) -> None:
    pane.show_record(record())
    hovered: list[TokenEvent | None] = []
    pane.token_hovered.connect(hovered.append)
    ribbon = child(pane, "mixRibbon")
    assert isinstance(ribbon, MixRibbon)
    wait_until(lambda: ribbon.drawn_tokens == 6)
    hover(ribbon.viewport(), ribbon.position_of(2))
    assert text_of(pane).current == 2
    assert hovered == [record().tokens[2]]


def test_colour_combo_changes_text_and_legend(pane: GenerationPane) -> None:
    pane.show_record(record())
    legend = pane.findChild(Legend)
    before = format_at(text_of(pane), 11).background().color()
    colours = combo(pane, "colourCombo")
    offered = [colours.itemData(index) for index in range(colours.count())]
    assert [mode for mode, _ in offered] == ["dominant", "probability", "surprise", "entropy", *["weight"] * 3]
    assert [slot for mode, slot in offered if mode == "weight"] == [0, 1, 2]
    for index, (mode, slot) in list(enumerate(offered))[1:]:
        colours.setCurrentIndex(index)
        assert legend.accessibleDescription() != "Plays, Code, Eternity (uncoloured)"
        if mode != "weight" or slot == 1:
            assert format_at(text_of(pane), 11).background().color() != before
    colours.setCurrentIndex(0)
    assert legend.accessibleDescription() == "Plays, Code, Eternity (uncoloured)"
    assert format_at(text_of(pane), 11).background().color() == before


def test_legend_goes_on_in_a_second_line_where_it_must(qapp: QApplication) -> None:
    legend = Legend()
    legend.set_slots(SLOTS)
    assert legend.heightForWidth(160) > legend.heightForWidth(800) > 0


def test_copy_and_save_hand_out_the_shown_text(pane: GenerationPane, qapp: QApplication) -> None:
    asked: list[Generation | None] = []
    pane.save_requested.connect(lambda: asked.append(pane.record))
    pane.show_record(record())
    click(pane, "copyTextButton")
    click(pane, "saveTextButton")
    assert qapp.clipboard().text() == "To code or\ndef it"
    assert asked == [record()]


def test_pane_fits_the_smallest_centre_of_the_window(pane: GenerationPane) -> None:
    pane.show_record(record())
    assert pane.minimumSizeHint().width() <= 640


def test_every_control_has_a_name_a_tooltip_and_a_place_in_the_tab_order(pane: GenerationPane) -> None:
    for name in (
        "colourCombo", "modeCombo", "promptEdit", "generateButton", "stopGenerationButton", "samplingButton",
        "tokenView", "copyTextButton", "saveTextButton", "randomSeedButton",
    ):  # fmt: skip
        control = child(pane, name)
        assert control.accessibleName() and control.toolTip(), name
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus, name


# -- sampling ------------------------------------------------------------------------------------------------------


def test_sampling_button_opens_the_panel_and_its_values_are_used(pane: GenerationPane) -> None:
    asked: list[Generate] = []
    pane.generate_requested.connect(asked.append)
    panel = pane.findChild(SamplingPanel)
    click(pane, "samplingButton")
    assert panel.isVisible()
    fields = {box.accessibleName(): box for box in panel.findChildren(QAbstractSpinBox)}
    fields["Temperature"].setValue(0.0)
    fields["Max new tokens"].setValue(7)
    panel.close()
    click(pane, "generateButton")
    panel.findChild(QCheckBox).click()
    click(pane, "generateButton")
    wanted = replace(DEFAULT_SAMPLING, temperature=0.0, max_new_tokens=7)
    assert [job.sampling for job in asked] == [wanted, replace(wanted, precision="exact")]


def test_sampling_settings_come_back_as_they_were_set(pane: GenerationPane) -> None:
    panel = pane.findChild(SamplingPanel)
    settings = SamplingSettings(
        max_new_tokens=3, temperature=1.25, top_k=0, top_p=0.5, repetition_penalty=1.0, seed=2**31 - 1
    )
    panel.set_settings(settings)
    assert panel.settings() == settings


def test_dice_throws_another_seed(pane: GenerationPane) -> None:
    panel = pane.findChild(SamplingPanel)
    seeds = set()
    for _ in range(5):
        button(panel, "randomSeedButton").click()
        seeds.add(panel.settings().seed)
    assert len(seeds) > 1
