"""Walking through mixers of the past, and what reading a text has found."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from kit import SLOTS, WaitUntil, child, plain, said, shown, slider
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QToolButton
from screen_reader import items_of
from whole_window import a_generation, whole_window

from tlora_gui.engine.protocol.config import MIXER_MODE, MixingDesk
from tlora_gui.engine.protocol.events import MixerTimeline, StoredMixer
from tlora_gui.engine.protocol.texts import DeskChange, ReadReport, Segment, TokenEvent
from tlora_gui.ui.generation.reading.loss_table import LossTable, loss_rows, perplexity_text
from tlora_gui.ui.generation.reading.read_report import ReadReportView
from tlora_gui.ui.generation.reading.segment_strip import SegmentStrip, segments
from tlora_gui.ui.generation.reading.timeline_bar import TimelineBar, changed_shares
from tlora_gui.ui.theme import DARK
from tlora_gui.ui.translation import install

MIXERS = (
    StoredMixer("@1", "after Plays", ("plays",)),
    StoredMixer("@2", "after Code", ("plays", "code")),
    StoredMixer(MIXER_MODE, "after Milton", ("plays", "code", "milton"), "Milton"),
)
REPORT = ReadReport(
    (("", 3.62), ("plays", 4.13), ("code", 2.71)),
    2.58,
    (Segment(0, 1), Segment(42, 2), Segment(119, 1)),
    (2, 6, 81),
    12_345,
)


# -- mixers of the past --------------------------------------------------------------------------------------------


@pytest.fixture
def bar(qapp: object) -> TimelineBar:
    made = TimelineBar()
    made.set_mixers(MIXERS, [0.5, 0.25, 0.0])
    shown(made, 680, 60)
    return made


def told(bar: TimelineBar) -> str:
    return plain(slider(bar, "scrubSlider").accessibleDescription().replace("\n", " "))


def play_button(bar: TimelineBar) -> QPushButton:
    return child(bar, "playScrubButton", QPushButton)


def test_it_stands_at_the_present_mixer_first_and_says_so(bar: TimelineBar) -> None:
    assert bar.position == 2 and slider(bar, "scrubSlider").maximum() == 2
    assert told(bar) == "after Milton · now"


def test_the_present_mixer_amid_a_phase_is_told_in_one_language(qapp: QApplication) -> None:
    mixers = (StoredMixer("@1", "after Plays", ("plays",), "Plays"), StoredMixer(MIXER_MODE, "now", ("plays", "code")))
    install(qapp, "de")
    try:
        bar = TimelineBar()
        bar.set_mixers(mixers, [0.5, 0.0])
    finally:
        install(qapp, "en")
    assert "now" not in told(bar) and "·" not in told(bar)


def test_arrow_keys_walk_and_tell_the_share_of_tokens_that_changed(bar: TimelineBar) -> None:
    positions: list[int] = []
    bar.position_changed.connect(positions.append)
    QTest.keyClick(slider(bar, "scrubSlider"), Qt.Key.Key_Left)
    assert told(bar) == "after Code, 25 % of tokens had another slot"
    QTest.keyClick(slider(bar, "scrubSlider"), Qt.Key.Key_Home)
    assert positions == [1, 0] and told(bar).startswith("after Plays, 50 %")


def test_a_position_that_is_set_is_told_and_other_mixers_are_not(bar: TimelineBar) -> None:
    positions: list[int] = []
    bar.position_changed.connect(positions.append)
    bar.set_position(0)
    bar.set_mixers(MIXERS[1:])
    assert positions == [0] and bar.position == 1


def test_play_steps_from_the_first_mixer_to_the_present_one_and_ends(bar: TimelineBar, wait_until: WaitUntil) -> None:
    positions: list[int] = []
    bar.position_changed.connect(positions.append)
    QTest.mouseClick(play_button(bar), Qt.MouseButton.LeftButton)
    assert bar.playing and play_button(bar).text() == "Pause"
    wait_until(lambda: not bar.playing)
    assert positions == [0, 1, 2] and play_button(bar).text() == "Play"


def test_pause_stays_at_the_mixer(bar: TimelineBar) -> None:
    QTest.mouseClick(play_button(bar), Qt.MouseButton.LeftButton)
    QTest.mouseClick(play_button(bar), Qt.MouseButton.LeftButton)
    assert not bar.playing and bar.position == 0


def test_close_ends_playing_and_is_told(bar: TimelineBar) -> None:
    closed: list[bool] = []
    bar.closed.connect(lambda: closed.append(True))
    QTest.mouseClick(play_button(bar), Qt.MouseButton.LeftButton)
    close = bar.findChild(QToolButton, "closeScrubButton")
    assert close is not None
    QTest.mouseClick(close, Qt.MouseButton.LeftButton)
    assert closed == [True] and not bar.playing


def test_a_single_mixer_asks_for_a_second_epoch(bar: TimelineBar) -> None:
    bar.set_mixers(MIXERS[-1:])
    assert not slider(bar, "scrubSlider").isVisible()
    assert any("second epoch" in label.text() for label in bar.findChildren(QLabel) if label.isVisible())


def test_changed_share_counts_tokens_with_another_dominant_slot_than_in_the_last_version() -> None:
    def version(*speakers: int) -> list[TokenEvent]:
        mixes = [tuple(0.8 if slot == speaker else 0.1 for slot in range(3)) for speaker in speakers]
        return [TokenEvent(index, 7, "x", mix, False, 0.5, 1) for index, mix in enumerate(mixes)]

    assert changed_shares([version(0, 1, 1, 1), version(1, 1, 1, 2), version(1, 2, 1, 2)]) == [0.75, 0.25, 0.0]
    assert changed_shares([[], []]) == [0.0, 0.0] and changed_shares([]) == []


# -- what reading has found ----------------------------------------------------------------------------------------


def test_what_is_said_of_a_text_is_that_of_the_mixer_that_was_asked(tmp_path: Path, qapp: QApplication) -> None:
    """It was written by hand: half the weight for each, wherever the desk stood."""
    own = a_generation()
    desk = DeskChange(0, MixingDesk("manual", (("shakespeare", 0.5),)))
    asked = tuple(replace(token, weights=(0.0, 0.0, 1.0), reasons=None) for token in own.tokens)
    with whole_window(project=tmp_path) as window:
        window.generation.show_record(replace(own, desk=(desk,)))
        before = said(window.inspector)
        assert "Shakespeare leads in 50" in plain(before)
        page, timeline = window.generation.text_page, MixerTimeline(MIXERS[:2], (own.tokens, asked))
        page.show_timeline(timeline)
        assert "Python leads in 100" in plain(said(window.inspector))
        page.hide_timeline()
        assert said(window.inspector) == before
        page.show_timeline(timeline)
        window.generation.choose_token(3)
        words = said(window.inspector)
        assert "Colour: what the Time Mixer gives here · after Code" in words
        assert "Mixing desk" not in words and "Why" not in words
        assert "after Code" in child(window, "tokenView").accessibleDescription()
        page.hide_timeline()
        words = said(window.inspector)
        assert "Mixing desk" in words and "Why Shakespeare" in words and "after Code" not in words


@pytest.fixture
def report(qapp: object) -> ReadReportView:
    made = ReadReportView()
    made.set_report(REPORT, SLOTS, 200)
    shown(made, 680, 160)
    return made


def strip(report: ReadReportView) -> SegmentStrip:
    found = report.findChild(SegmentStrip)
    assert found is not None
    return found


def title(report: ReadReportView) -> QToolButton:
    return child(report, "readReportButton", QToolButton)


@pytest.mark.parametrize(
    ("loss", "text"), [(2.0, "7.4"), (5.0, "148"), (9.0, "8,103"), (20.0, "> 1 M"), (float("nan"), "—")]
)
def test_perplexity_is_e_to_the_loss_in_few_digits(loss: float, text: str) -> None:
    assert perplexity_text(loss) == text


def test_every_slot_and_the_mix_are_told_and_the_best_is_marked(report: ReadReportView) -> None:
    table = report.findChild(LossTable)
    assert table is not None
    told = items_of(table)
    assert [told[place : place + 3] for place in (0, 6, 3, 9)] == [
        ["Mix, the best", "2.58", "13.2"],
        ["Plays", "4.13", "62.2"],
        ["Code", "2.71", "15.0"],
        ["Eternity", "3.62", "37.3"],
    ]


def test_losses_of_an_odd_number_stand_side_by_side_or_below_each_other(
    listening: None, report: ReadReportView, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults: list[object] = []
    monkeypatch.setattr(sys, "excepthook", lambda *what: faults.append(what))
    report.set_report(ReadReport(REPORT.losses[:2], 2.58, REPORT.parts, REPORT.lags), SLOTS, 200)
    table = report.findChild(LossTable)
    assert table is not None
    for width, told in (
        (680, ["Mix, the best", "2.58", "13.2", "Eternity", "3.62", "37.3", "Plays", "4.13", "62.2", "", "", ""]),
        (400, ["Mix, the best", "2.58", "13.2", "Plays", "4.13", "62.2", "Eternity", "3.62", "37.3"]),
    ):
        table.resize(width, 100)
        table.grab()
        assert items_of(table) == told
    assert faults == []


def test_a_slot_that_was_not_measured_has_no_row() -> None:
    rows = loss_rows(ReadReport((("", 3.0),), 2.0, (), ()), SLOTS, "Mix")
    assert [row.name for row in rows] == ["Mix", "Eternity"]


def test_domains_end_where_the_next_begins_and_know_whether_the_mixer_ever_follows() -> None:
    found = segments(REPORT, SLOTS, 200)
    assert [(one.slot.name, one.first, one.last) for one in found] == [
        ("Plays", 0, 41), ("Code", 42, 118), ("Plays", 119, 199),
    ]  # fmt: skip
    assert [one.followed for one in found] == [True, True, False]


def test_domains_and_switch_lags_are_told(report: ReadReportView) -> None:
    assert title(report).text() == "3 segments found · perplexity 13.2 with the mix"
    assert strip(report).accessibleDescription().split("; ") == [
        "Plays: tokens 0–41. Time Mixer follows after 2 tokens",
        "Code: tokens 42–118. Time Mixer follows after 6 tokens",
        "Plays: tokens 119–199. Time Mixer does not follow",
    ]


def test_a_click_into_the_strip_chooses_the_token_there(report: ReadReportView) -> None:
    chosen: list[int] = []
    report.token_chosen.connect(chosen.append)
    for token in (0, 42, 150, 199):
        place = QPoint(round(strip(report).x_of(token)) + 1, 8)
        QTest.mouseClick(strip(report), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
    assert chosen == [0, 42, 150, 199]


def test_arrow_keys_walk_from_domain_to_domain(report: ReadReportView) -> None:
    chosen: list[int] = []
    report.token_chosen.connect(chosen.append)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Left):
        QTest.keyClick(strip(report), key)
    assert chosen == [0, 42, 119, 119, 42]


def test_what_was_not_read_is_told_and_only_then(report: ReadReportView) -> None:
    unread = report.findChild(QLabel, "unreadLabel")
    assert unread is not None and unread.isVisible() and unread.text().startswith("12,345 characters at the end")
    report.set_report(ReadReport(REPORT.losses, 2.58, REPORT.parts, REPORT.lags), SLOTS, 200)
    assert not unread.isVisible()


def test_it_folds_and_stays_compact(report: ReadReportView) -> None:
    assert strip(report).isVisible() and report.heightForWidth(680) <= 165
    QTest.mouseClick(title(report), Qt.MouseButton.LeftButton)
    assert not strip(report).isVisible() and title(report).isVisible()


def test_another_theme_is_drawn_at_once(report: ReadReportView) -> None:
    before = report.grab().toImage()
    report.apply_theme(DARK)
    assert report.grab().toImage() != before


def test_a_report_of_nothing_shows_no_domains(report: ReadReportView) -> None:
    report.set_report(None, (), 0)
    assert not strip(report).isVisible() and title(report).text() == "Nothing read"
