"""The inspector asks to go on otherwise, asks what others would have said, and shows the answers."""

from __future__ import annotations

from dataclasses import replace
from math import log

import pytest
from kit import SLOTS, WaitUntil, child, click, edit, said, shown
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QHelpEvent, QImage, QMouseEvent, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QLabel,
    QLineEdit,
    QScrollArea,
    QStyleOptionViewItem,
    QToolTip,
)
from screen_reader import items_of

from tlora_gui.engine.protocol.config import MixingDesk, epoch_colour
from tlora_gui.engine.protocol.events import Counterfactual
from tlora_gui.engine.protocol.texts import Alternative, MixReasons, SlotInfo, SlotPrediction, TokenEvent
from tlora_gui.engine.protocol.wording import desk_text
from tlora_gui.ui.generation.inspector.choice_rows import ROW_EDGE, ChoiceRows, Row, slot_sign
from tlora_gui.ui.generation.inspector.inspector import TokenInspector
from tlora_gui.ui.theme import DARK

OTHERS = (Alternative(" king", 0.3, 10), Alternative(" duke", 0.25, 11), Alternative(" <b>", 0.1, 12))
CAME = TokenEvent(5, 11, " duke", (0.1, 0.7, 0.2), False, 0.25, 2, OTHERS)
DUKE = 1


def prediction(slot: int, word: str, token_id: int, probability: float = 0.2, rank: int = 3) -> SlotPrediction:
    others = tuple(Alternative(f" {slot}{place}", 0.1 - place / 100, 20 + place) for place in range(5))
    return SlotPrediction(slot, probability, rank, (Alternative(word, 0.4, token_id), *others))


def answer(index: int = 5, divergence: float = 0.4213) -> Counterfactual:
    predictions = (prediction(0, " man", 13, 0.01, 77), prediction(1, " ghost", 14), prediction(2, " duke", 11, 0.4, 1))
    return Counterfactual(index, prediction(-1, " king", 10, 0.25, 2), predictions, divergence)


@pytest.fixture
def inspector(qapp: QApplication) -> TokenInspector:
    made = TokenInspector()
    shown(made, 250, 800)
    made.activateWindow()
    made.show_token(CAME, SLOTS)
    QApplication.processEvents()  # lays it out
    return made


def rows(inspector: TokenInspector, name: str = "alternativeRows") -> ChoiceRows:
    return child(inspector, name, ChoiceRows)


def test_the_inspector_says_why_an_epoch_weighs_more_than_the_next(listening: None, inspector: TokenInspector) -> None:
    inspector.show_token(replace(CAME, reasons=MixReasons(2, 0.5 * log(2), -log(2), 3 * log(2))), SLOTS)
    titles = [each.text() for each in inspector.findChildren(QLabel) if each.isVisible()]
    assert "Why Plays, not Code" in titles
    why = rows(inspector, "reasonRows")
    assert items_of(why) == [
        "earlier text: +3.0 bits for Plays",
        "context: +0.5 bits for Plays",
        "last word: −1.0 bits for Plays",
    ]
    inspector.show_token(replace(CAME, is_prompt=True, reasons=MixReasons(2, 0.0, 0.0, 0.0)), SLOTS)
    assert items_of(why)[2] == "this word: +0.0 bits for Plays"


@pytest.mark.parametrize(
    "token", [CAME, replace(CAME, weights=(0.2, 0.4, 0.4), reasons=MixReasons(2, 0.0, 0.0, 0.0))], ids=["none", "a tie"]
)
def test_a_mix_without_reasons_shows_none(inspector: TokenInspector, token: TokenEvent) -> None:
    inspector.show_token(replace(CAME, reasons=MixReasons(2, 1.0, 1.0, 1.0)), SLOTS)
    assert rows(inspector, "reasonRows").isVisible()
    inspector.show_token(token, SLOTS)
    assert not rows(inspector, "reasonRows").isVisible()


def other_token(inspector: TokenInspector) -> QLineEdit:
    return edit(inspector, "otherTokenEdit")


def ask_and_answer(inspector: TokenInspector) -> None:
    click(inspector, "askOthersButton")
    inspector.show_counterfactual(answer(), SLOTS)
    QApplication.processEvents()  # lays it out


def middle_of(found: ChoiceRows, number: int) -> QPoint:
    return found.visualRect(found.model().index(number, 0)).center()


def click_row(found: ChoiceRows, number: int) -> None:
    QTest.mouseClick(found.viewport(), Qt.MouseButton.LeftButton, pos=middle_of(found, number))


def hover_row(found: ChoiceRows, number: int) -> None:
    place = QPointF(middle_of(found, number))
    none = Qt.MouseButton.NoButton
    on_screen = QPointF(found.viewport().mapToGlobal(place))
    move = QMouseEvent(QEvent.Type.MouseMove, place, on_screen, none, none, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(found.viewport(), move)


def tip_of_row(found: ChoiceRows, number: int) -> str:
    QToolTip.hideText()
    place = middle_of(found, number)
    QApplication.sendEvent(found.viewport(), QHelpEvent(QEvent.Type.ToolTip, place, found.mapToGlobal(place)))
    shown = QToolTip.text()
    QToolTip.hideText()
    return shown


def collected(signal: object) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    signal.connect(lambda *what: found.append(what))  # type: ignore[attr-defined]
    return found


# -- going on otherwise --------------------------------------------------------------------------------------------


def test_click_on_an_alternative_asks_to_go_on_with_it(inspector: TokenInspector) -> None:
    chosen = collected(inspector.alternative_chosen)
    click_row(rows(inspector), 0)
    click_row(rows(inspector), 2)
    assert chosen == [(5, 10, " king"), (5, 12, " <b>")]


def test_letters_over_the_alternatives_write_another_word(inspector: TokenInspector, qapp: QApplication) -> None:
    written = collected(inspector.text_chosen)
    inspector.begin_branching()
    assert qapp.focusWidget() is rows(inspector)
    QTest.keyClick(rows(inspector), Qt.Key.Key_D)
    assert qapp.focusWidget() is other_token(inspector) and other_token(inspector).text() == "d"
    QTest.keyClicks(other_token(inspector), "ragon")
    QTest.keyClick(other_token(inspector), Qt.Key.Key_Return)
    assert written == [(5, " dragon")]
    rows(inspector).setFocus()
    QTest.keyClick(rows(inspector), Qt.Key.Key_Space)
    assert qapp.focusWidget() is other_token(inspector) and other_token(inspector).text().endswith(" ")


def test_the_token_that_came_is_no_alternative(inspector: TokenInspector) -> None:
    chosen = collected(inspector.alternative_chosen)
    hover_row(rows(inspector), DUKE)
    assert rows(inspector).viewport().cursor().shape() == Qt.CursorShape.ArrowCursor
    assert tip_of_row(rows(inspector), DUKE) == ""
    click_row(rows(inspector), DUKE)
    assert chosen == []


def test_an_improbable_token_that_came_cannot_be_chosen_either(inspector: TokenInspector) -> None:
    chosen = collected(inspector.alternative_chosen)
    inspector.show_token(replace(CAME, text=" rare", token_id=40, rank=99), SLOTS)
    click_row(rows(inspector), 3)
    click_row(rows(inspector), DUKE)
    assert chosen == [(5, 11, " duke")]


def test_a_hovered_alternative_shows_a_hand_and_says_what_a_click_does(inspector: TokenInspector) -> None:
    hover_row(rows(inspector), 0)
    assert rows(inspector).viewport().cursor().shape() == Qt.CursorShape.PointingHandCursor
    assert "go on from here with “␣king” instead" in tip_of_row(rows(inspector), 0)
    assert "&lt;b&gt;" in tip_of_row(rows(inspector), 2)


def test_keys_walk_over_the_alternatives_and_choose_one(inspector: TokenInspector) -> None:
    chosen = collected(inspector.alternative_chosen)
    found = rows(inspector)
    found.setFocus()
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Down, Qt.Key.Key_Enter, Qt.Key.Key_Up, Qt.Key.Key_Enter):
        QTest.keyClick(found, key)
    assert chosen == [(5, 12, " <b>"), (5, 12, " <b>"), (5, 10, " king")], "the token that came must be stepped over"


def test_an_answer_is_scrolled_to_and_the_tokens_name_stays(inspector: TokenInspector) -> None:
    inspector.resize(250, 420)
    QApplication.processEvents()
    ask_and_answer(inspector)
    QApplication.processEvents()
    name, section = (
        next(found for found in inspector.findChildren(QLabel) if text in found.text())
        for text in ("␣duke”", "Counterfactuals")
    )
    scrolled = child(inspector, "voiceRows").visibleRegion().boundingRect()
    assert not scrolled.isEmpty() and name.visibleRegion().boundingRect() == name.rect()
    assert section.visibleRegion().boundingRect() == section.rect()


def test_the_row_reached_by_keys_is_marked(inspector: TokenInspector) -> None:
    found = rows(inspector)
    before = found.grab().toImage()
    found.setFocus()
    at_first = found.grab().toImage()
    QTest.keyClick(found, Qt.Key.Key_Down)
    assert before != at_first and at_first != found.grab().toImage()
    found.clearFocus()
    assert found.grab().toImage() == before


def test_another_word_goes_on_with_the_space_that_the_token_had(inspector: TokenInspector) -> None:
    written = collected(inspector.text_chosen)
    for word in ("queen", " queen"):
        other_token(inspector).setText(word)
        QTest.keyClick(other_token(inspector), Qt.Key.Key_Return)
        assert other_token(inspector).text() == "", "what was sent is still there"
    inspector.show_token(replace(CAME, index=6, text="."), SLOTS)
    assert other_token(inspector).text() == "", "a word written for another token is still there"
    QTest.keyClicks(other_token(inspector), "!")
    QTest.keyClick(other_token(inspector), Qt.Key.Key_Return)
    assert written == [(5, " queen"), (5, " queen"), (6, "!")]


def test_no_word_asks_for_nothing(inspector: TokenInspector) -> None:
    written = collected(inspector.text_chosen)
    QTest.keyClicks(other_token(inspector), "  ")
    QTest.keyClick(other_token(inspector), Qt.Key.Key_Return)
    assert written == []


def test_again_asks_for_the_same_place(inspector: TokenInspector) -> None:
    again = collected(inspector.again_requested)
    click(inspector, "againButton")
    assert again == [(5,)]


def test_while_branching_is_not_allowed_nothing_goes_on_and_the_reason_is_told(inspector: TokenInspector) -> None:
    inspector.set_branching_allowed(False, "Wait for the text to end.")
    asked = [
        collected(signal) for signal in (inspector.alternative_chosen, inspector.text_chosen, inspector.again_requested)
    ]
    click_row(rows(inspector), 0)
    QTest.keyClick(rows(inspector), Qt.Key.Key_Return)
    QTest.keyClicks(other_token(inspector), "queen")
    QTest.keyClick(other_token(inspector), Qt.Key.Key_Return)
    click(inspector, "againButton")
    inspector.show_token(replace(CAME, index=6), SLOTS)
    click_row(rows(inspector), 0)
    assert asked == [[], [], []]
    for name in ("alternativeRows", "otherTokenEdit", "againButton"):
        assert child(inspector, name).toolTip() == "Wait for the text to end."
    inspector.set_branching_allowed(True)
    click_row(rows(inspector), 0)
    assert asked[0] == [(6, 10, " king")]


def test_the_first_token_of_a_prompt_has_nothing_to_go_on_from(inspector: TokenInspector) -> None:
    inspector.show_token(replace(CAME, index=0, is_prompt=True), SLOTS)
    for name in ("alternativeRows", "otherTokenEdit", "againButton", "askOthersButton"):
        assert not child(inspector, name).isVisible(), name


# -- what others would have said -----------------------------------------------------------------------------------


def test_others_are_asked_once_and_the_answer_names_everyone(inspector: TokenInspector) -> None:
    asked = collected(inspector.counterfactual_requested)
    click(inspector, "askOthersButton")
    assert asked == [(5,)] and "Asking…" in said(inspector)
    assert not child(inspector, "askOthersButton").isEnabled()
    inspector.show_counterfactual(answer(), SLOTS)
    assert "Asking…" not in said(inspector)
    assert "KL(mix ‖ backbone) 0.42 nats" in said(inspector)
    assert items_of(rows(inspector, "voiceRows")) == [
        "Mix: ␣king 0.40, this token 0.25, rank 2",
        "Plays: ␣ghost 0.40, this token 0.20, rank 3",
        "Code: ␣duke 0.40, this token 0.40, rank 1",
        "Eternity: ␣man 0.40, this token 0.01, rank 77",
    ]


def test_a_voice_tells_its_five_most_probable(inspector: TokenInspector) -> None:
    ask_and_answer(inspector)
    tip = tip_of_row(rows(inspector, "voiceRows"), 1)
    assert "Plays, most probable here" in tip
    assert all(word in tip for word in ("␣ghost", "␣10", "␣11", "␣12", "␣13")) and "␣14" not in tip


def test_a_voices_own_word_can_be_gone_on_with_unless_it_came(inspector: TokenInspector) -> None:
    chosen = collected(inspector.alternative_chosen)
    ask_and_answer(inspector)
    predictions = rows(inspector, "voiceRows")
    for number in range(4):
        click_row(predictions, number)
    assert chosen == [(5, 10, " king"), (5, 14, " ghost"), (5, 13, " man")]
    inspector.set_branching_allowed(False, "Wait.")
    click_row(predictions, 1)
    assert len(chosen) == 3


def test_an_answer_below_the_edge_is_scrolled_into_sight(inspector: TokenInspector, wait_until: WaitUntil) -> None:
    inspector.resize(250, 500)
    QApplication.processEvents()
    ask_and_answer(inspector)
    found = rows(inspector, "voiceRows")
    wait_until(lambda: found.visibleRegion().boundingRect().height() == found.height())


def test_an_answer_for_another_token_is_dropped(inspector: TokenInspector) -> None:
    click(inspector, "askOthersButton")
    inspector.show_token(replace(CAME, index=6), SLOTS)
    inspector.show_counterfactual(answer(5), SLOTS)
    assert not rows(inspector, "voiceRows").isVisible() and child(inspector, "askOthersButton").isEnabled()
    inspector.show_token(CAME, SLOTS)
    assert not rows(inspector, "voiceRows").isVisible()


def test_known_answers_are_shown_again_until_they_are_forgotten(inspector: TokenInspector) -> None:
    asked = collected(inspector.counterfactual_requested)
    ask_and_answer(inspector)
    inspector.show_token(replace(CAME, index=6), SLOTS)
    assert not rows(inspector, "voiceRows").isVisible()
    inspector.show_token(CAME, SLOTS)
    assert rows(inspector, "voiceRows").isVisible() and asked == [(5,)]
    inspector.forget_answers()
    assert not rows(inspector, "voiceRows").isVisible()
    click(inspector, "askOthersButton")
    assert asked == [(5,), (5,)]


def test_after_an_asking_without_an_answer_one_can_ask_again(inspector: TokenInspector) -> None:
    asked = collected(inspector.counterfactual_requested)
    click(inspector, "askOthersButton")
    inspector.end_asking()
    click(inspector, "askOthersButton")
    assert asked == [(5,), (5,)]


def test_an_answer_is_kept_for_its_token_and_not_for_another_at_the_same_place(inspector: TokenInspector) -> None:
    ask_and_answer(inspector)
    inspector.show_token(replace(CAME, weights=(1.0, 0.0, 0.0)), SLOTS)
    assert not rows(inspector, "voiceRows").isVisible() and child(inspector, "askOthersButton").isEnabled()


def test_others_are_asked_from_outside_as_by_the_button(inspector: TokenInspector) -> None:
    asked = collected(inspector.counterfactual_requested)
    inspector.ask()
    inspector.ask()
    inspector.show_counterfactual(answer(), SLOTS)
    inspector.ask()
    inspector.show_token(None, ())
    inspector.ask()
    assert asked == [(5,)]


def test_while_asking_is_not_allowed_nothing_is_asked_and_the_reason_is_told(
    inspector: TokenInspector, wait_until: WaitUntil
) -> None:
    asked = collected(inspector.counterfactual_requested)
    inspector.set_asking_allowed(False, "Open this text first.")
    click(inspector, "askAlwaysTick")
    click(inspector, "askOthersButton")
    assert "Open this text first." in said(inspector) and asked == []
    inspector.set_asking_allowed(True)
    wait_until(lambda: asked)
    assert "Asking…" in said(inspector)


def test_branching_begins_at_the_alternatives_or_at_the_field(inspector: TokenInspector) -> None:
    inspector.begin_branching()
    assert inspector.focusWidget() is rows(inspector)
    inspector.show_token(replace(CAME, index=6, alternatives=()), SLOTS)
    inspector.begin_branching()
    assert inspector.focusWidget() is other_token(inspector)


def test_walking_asks_by_itself_about_the_token_one_stays_at(inspector: TokenInspector, wait_until: WaitUntil) -> None:
    asked = collected(inspector.counterfactual_requested)
    click(inspector, "askAlwaysTick")
    for index in (6, 7, 8):
        inspector.show_token(replace(CAME, index=index), SLOTS)
    assert asked == []
    wait_until(lambda: asked)
    assert asked == [(8,)]
    inspector.show_counterfactual(answer(8), SLOTS)
    inspector.show_token(CAME, SLOTS)
    inspector.show_token(replace(CAME, index=8), SLOTS)
    assert rows(inspector, "voiceRows").isVisible()
    click(inspector, "askAlwaysTick")
    inspector.show_token(replace(CAME, index=9), SLOTS)
    assert child(inspector, "askOthersButton").isEnabled()


def test_the_answer_keeps_its_own_slots_where_the_text_has_others(inspector: TokenInspector) -> None:
    click(inspector, "askOthersButton")
    fewer = Counterfactual(5, answer().mix, answer().predictions[:2], 0.1)
    inspector.show_counterfactual(fewer, (SLOTS[0], SlotInfo("new", "New", "#009E73")))
    inspector.show_token(CAME, SLOTS)
    inspector.grab()
    told = " ".join(items_of(rows(inspector, "voiceRows")))
    assert "New: ␣ghost" in told and "Code" not in told


def test_eight_epochs_fit_into_a_narrow_column_and_keys_reach_the_last(inspector: TokenInspector) -> None:
    many = (SLOTS[0], *(SlotInfo(f"e{n}", f"A rather long name {n}", epoch_colour(n)) for n in range(8)))
    token = replace(CAME, weights=(0.2, *[0.1] * 8))
    inspector.resize(250, 500)
    inspector.show_token(token, many)
    click(inspector, "askOthersButton")
    predictions = tuple(prediction(slot, f" w{slot}", 30 + slot) for slot in range(9))
    inspector.show_counterfactual(Counterfactual(5, prediction(-1, " king", 10), predictions, 1.0), many)
    found = rows(inspector, "voiceRows")
    scroll = inspector.findChild(QScrollArea)
    assert isinstance(scroll, QScrollArea)
    QApplication.processEvents()
    assert scroll.widget().width() <= scroll.viewport().width(), "wider than the column"
    found.setFocus()
    for _ in range(9):
        QTest.keyClick(found, Qt.Key.Key_Down)
    last = found.mapTo(scroll.viewport(), middle_of(found, 9))
    assert scroll.viewport().rect().contains(last)


def test_a_new_theme_redraws_the_rows(inspector: TokenInspector) -> None:
    ask_and_answer(inspector)
    before = rows(inspector).grab().toImage(), rows(inspector, "voiceRows").grab().toImage()
    inspector.apply_theme(DARK)
    assert before[0] != rows(inspector).grab().toImage() and before[1] != rows(inspector, "voiceRows").grab().toImage()


def test_every_control_has_a_name_a_tooltip_and_a_place_in_the_tab_order(inspector: TokenInspector) -> None:
    ask_and_answer(inspector)
    for name in ("otherTokenEdit", "againButton", "askOthersButton", "askAlwaysTick"):
        control = child(inspector, name)
        named = control.accessibleName() or (isinstance(control, QAbstractButton) and control.text())
        assert named and control.toolTip(), name
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus, name
    for name in ("alternativeRows", "voiceRows"):
        assert child(inspector, name).accessibleName() and tip_of_row(rows(inspector, name), 0), name
        assert child(inspector, name).focusPolicy() & Qt.FocusPolicy.TabFocus, name


# -- how the token came to be --------------------------------------------------------------------------------------


def test_a_forced_token_was_put_here_by_a_person(inspector: TokenInspector) -> None:
    assert "put here by you" not in said(inspector)
    inspector.show_token(replace(CAME, forced=True), SLOTS)
    assert "put here by you" in said(inspector)


def test_a_turned_desk_is_told_and_one_left_alone_is_not(inspector: TokenInspector) -> None:
    inspector.show_token(CAME, SLOTS, MixingDesk())
    assert "Mixing desk" not in said(inspector)
    inspector.show_token(CAME, SLOTS, MixingDesk("manual", (("plays", 0.7), ("code", 0.3))))
    assert "Mixing desk: manual, Plays 0.70 · Code 0.30" in said(inspector)
    inspector.show_token(CAME, SLOTS)
    assert "Mixing desk" not in said(inspector)


@pytest.mark.parametrize(
    ("desk", "text"),
    [
        (MixingDesk(), ""),
        (MixingDesk(levels=(("plays", 0.1),)), ""),
        (MixingDesk("gain"), ""),
        (MixingDesk("manual", (("plays", 0.5), ("", 0.5)), temperature=3), "manual, Plays 0.50 · Eternity 0.50"),
        (MixingDesk("manual", (("plays", 1.0), ("code", 1.0)), muted=("code",)), "manual, Plays 1.00"),
        (MixingDesk("gain", (("plays", 1.5), ("code", 0.2)), hard=True), "gain, Plays × 1.50 · Code × 0.20, hard"),
        (MixingDesk("gain", (("plays", 1.5), ("gone", 0.5))), "gain, Plays × 1.50"),
        (MixingDesk(muted=("code",), temperature=2), "Code muted, temperature 2.0"),
        (MixingDesk(solo=("plays", ""), temperature=0.25), "Eternity · Plays alone, temperature 0.25"),
        (MixingDesk(hard=True), "hard"),
        (MixingDesk(muted=("", "plays", "code")), "nothing was left, so the backbone spoke"),
        (MixingDesk("manual"), "nothing was left, so the backbone spoke"),
    ],
)
def test_a_desk_in_words(desk: MixingDesk, text: str) -> None:
    assert desk_text(desk, SLOTS) == text


@pytest.mark.parametrize("points", [8, 11, 17])
@pytest.mark.parametrize("strong", [True, False])
def test_a_row_as_wide_as_it_asks_to_be_has_its_whole_name(qapp: QApplication, points: int, strong: bool) -> None:
    rows = ChoiceRows()
    font = rows.font()
    font.setPointSize(points)
    rows.setFont(font)
    row = Row("Shakespeare", sign=slot_sign(1, SLOTS[1]), strong=strong)
    rows.set_choices([row], [row.name], [""], [False])
    index, option = rows.model().index(0, 0), QStyleOptionViewItem()
    rows.initViewItemOption(option)
    wide = rows.itemDelegate().sizeHint(option, index).width()

    def drawn(width: int) -> QImage:
        image = QImage(width, 60, QImage.Format.Format_RGB32)
        image.fill(Qt.GlobalColor.white)
        option.rect = image.rect()
        painter = QPainter(image)
        rows.itemDelegate().paint(painter, option, index)
        painter.end()
        return image.copy(0, 0, wide - ROW_EDGE, 60)

    assert drawn(wide) == drawn(wide + 60)
