"""Room for what a person does: the text while writing, the charts while training; prompt and text are one page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from kit import child, click, combo, position_of, shown, texts
from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt
from PySide6.QtGui import QAction, QFontMetricsF, QHelpEvent, QPaintEvent, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPlainTextEdit, QToolTip, QWidget
from whole_window import EPOCHS, a_generation, cut_off, whole_window
from window_states import turn

from tlora_gui.engine.protocol.config import MIXER_MODE, SamplingSettings
from tlora_gui.engine.protocol.events import GenerationStarted, TrainStarted
from tlora_gui.engine.protocol.jobs import Generate
from tlora_gui.engine.protocol.texts import ReadReport, Segment
from tlora_gui.ui.charts.plot import ChartPlot
from tlora_gui.ui.charts.sparklines import SparklineStrip
from tlora_gui.ui.epochs.new_epoch_dialog import NewEpochDialog
from tlora_gui.ui.generation.prompt_bar import PromptEdit
from tlora_gui.ui.theme import mono_font
from tlora_gui.ui.widgets.layouts import column
from tlora_gui.ui.window import MainWindow

LEAST_SHARE = 0.6
A_REPORT = ReadReport((("", 3.0),), 2.0, (Segment(0, 1),), (2,))
TRAINING = TrainStarted(EPOCHS[0], 40, 0)


@pytest.fixture
def window(tmp_path: Path, qapp: QApplication) -> Iterator[MainWindow]:
    """1280 x 800, on a project whose last text is shown."""
    with whole_window(project=tmp_path) as shown:
        shown.banner.clear()  # of the epoch that was interrupted
        yield shown


def prompt(window: QWidget) -> QPlainTextEdit:
    return child(window, "promptEdit", QPlainTextEdit)


def text(window: QWidget) -> QPlainTextEdit:
    return child(window, "tokenView", QPlainTextEdit)


def share(window: MainWindow, widget: QWidget) -> float:
    turn()
    assert widget.isVisible()
    return widget.height() / window.height()


def start_of(window: MainWindow) -> GenerationStarted:
    return GenerationStarted("word0 ", MIXER_MODE, SamplingSettings(), window.generation.shown_slots)


def test_text_and_prompt_have_most_of_the_height(window: MainWindow) -> None:
    assert (window.width(), window.height()) == (1280, 800)
    assert share(window, text(window)) >= LEAST_SHARE
    click(window, "editPromptButton")
    assert share(window, prompt(window)) >= LEAST_SHARE


def test_a_new_window_gives_most_of_the_width_to_the_text(window: MainWindow) -> None:
    assert [dock.width() for dock in window.docks[:2]] == [278, 250]
    assert window.generation.width() > 0.55 * window.width()


def test_in_german_too_the_text_has_most_of_the_height(german: None, tmp_path: Path) -> None:
    with whole_window(project=tmp_path) as window:
        window.banner.clear()
        assert share(window, text(window)) >= LEAST_SHARE


def test_charts_unfold_for_a_training_and_fold_for_a_text(window: MainWindow) -> None:
    assert window.charts.folded
    window.charts.begin_epoch(TRAINING)
    assert not window.charts.folded and share(window, child(window, "lossChart")) > 0.25
    window.generation.start(start_of(window))
    assert window.charts.folded and share(window, text(window)) >= LEAST_SHARE


@pytest.mark.parametrize("how", ["key", "strip", "button"])
def test_one_click_or_key_brings_the_charts_back(window: MainWindow, how: str) -> None:
    strip = child(window, "sparklineStrip")
    if how == "key":
        window.menus.fold_charts.trigger()
    elif how == "strip":
        QTest.mouseClick(strip, Qt.MouseButton.LeftButton, pos=strip.rect().center())
    else:
        click(window, "unfoldChartsButton")
    assert not window.charts.folded and share(window, child(window, "lossChart")) > 0.25
    click(window, "foldChartsButton")
    assert window.charts.folded and strip.isVisible()


@pytest.mark.parametrize("page", ["text", "matrix", "samples"])
def test_unfolding_the_charts_leaves_the_window_as_large_as_it_was(window: MainWindow, page: str) -> None:
    window.resize(window.width(), 640)
    child(window, "matrixButton").setChecked(page == "matrix")
    for _ in range(3):
        window.menus.fold_charts.trigger()
        if page == "samples":
            window.charts.show_samples(not window.charts.folded)
        turn()
        assert window.height() == 640
    assert not window.charts.folded and share(window, window.charts) > 0.25


@pytest.mark.parametrize("unfolded", [False, True])
def test_another_page_makes_a_small_window_no_higher_than_it_must_be(window: MainWindow, unfolded: bool) -> None:
    pane = window.generation

    def least() -> int:
        for _ in range(2):
            window.resize(1, 1)
            turn()
        return window.height()

    window.charts.set_folded(not unfolded)
    before = least()
    pages = [partial(pane.show_page, page) for page in ("compare", "generate", "read", "compare", "read", "generate")]
    for step in (*pages, pane.edit_prompt, pane.show_text, pane.edit_prompt):
        step()
        turn()
        reached, needed = window.height(), least()
        assert reached <= max(before, needed), step
        before = needed


@pytest.mark.parametrize("squeeze", ["window", "report"])
def test_charts_have_their_height_again_when_there_is_room(window: MainWindow, squeeze: str) -> None:
    record, size = a_generation(), window.size()
    window.charts.set_folded(True)
    window.menus.fold_charts.trigger()
    turn()
    height = window.charts.height()
    if squeeze == "window":
        window.resize(size.width(), 540)
    else:
        window.generation.show_record(replace(record, report=A_REPORT))
        window.resize(size.width(), 560)
    turn()
    assert window.charts.height() < height
    window.resize(size)
    turn()
    window.generation.show_record(record)
    turn()
    assert window.charts.height() == height


def test_charts_have_the_height_that_a_person_dragged_them_to(
    tmp_path: Path, qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    with whole_window(project=tmp_path) as window:
        window.menus.fold_charts.trigger()
        turn()
        with monkeypatch.context() as patch:
            patch.setattr(QApplication, "mouseButtons", lambda: Qt.MouseButton.LeftButton)
            window.resizeDocks([window.docks[-1]], [310], Qt.Orientation.Vertical)
            turn()
        assert window.docks[-1].height() == 310
        window.resize(window.width(), 560)
        turn()
    with whole_window(project=tmp_path) as window:
        turn()
        assert window.docks[-1].height() == 310


def test_what_a_person_chose_for_the_charts_stays_theirs(tmp_path: Path, qapp: QApplication) -> None:
    with whole_window(project=tmp_path) as window:
        window.menus.fold_charts.trigger()  # unfolded while writing
        window.charts.begin_epoch(TRAINING)
        window.menus.fold_charts.trigger()  # folded while training
    with whole_window(project=tmp_path) as window:
        assert not window.charts.folded
        window.charts.begin_epoch(TRAINING)
        assert window.charts.folded
        window.generation.start(start_of(window))
        assert not window.charts.folded
        window.menus.reset_layout.trigger()
        assert window.charts.folded


def test_the_strip_has_a_curve_and_the_latest_value_of_each_metric(window: MainWindow) -> None:
    window.charts.redraw()
    labels = [label.text() for label in child(window, "sparklineStrip").findChildren(QLabel)]
    assert labels == ["Adapter loss", "3.22", "Mixer-distill loss", "0.0026", "Routing accuracy", "0.90"]


def test_a_narrow_strip_shows_whole_metrics_the_first_ones(qapp: QApplication) -> None:
    names = ["Adapter loss", "Mixer-distill loss", "Routing accuracy"]
    strip, around = SparklineStrip(names), QWidget()
    around.setLayout(column(strip))
    for number in range(3):
        strip.show_metric(number, [((np.arange(9.0), np.arange(9.0)), "#0072B2")], "0.1234")
    for width, metrics in ((900, 3), (460, 2), (strip.minimumSizeHint().width(), 1)):
        shown(around, width, 40)
        turn()
        assert [label.text() for label in strip.findChildren(QLabel) if label.isVisible()][::2] == names[:metrics]
        assert cut_off(strip) == []


@pytest.mark.parametrize("width", [1280, 900])
def test_the_main_button_is_at_the_right_on_every_page(window: MainWindow, width: int) -> None:
    window.resize(width, 800)
    for page in ("generate", "read", "compare"):
        click(window, f"{page}Tab")
        turn()
        button = child(window, "generateButton")
        right = button.mapTo(window.generation, button.rect().topRight()).x()
        assert window.generation.width() - right < 20, page


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_control_and_enter_generates_wherever_the_focus_is(window: MainWindow, key: Qt.Key) -> None:
    asked: list[Generate] = []
    window.generation.generate_requested.connect(asked.append)
    window.generation.set_enabled_for_model(True)
    window.menus.fold_charts.trigger()
    turn()
    chart = child(window, "lossChart").findChild(ChartPlot)
    assert isinstance(chart, QWidget)
    for place in (text(window), child(window, "mixRibbon"), chart, child(window, "epochList")):
        place.setFocus()
        asked.clear()
        window.generation.set_generating(False)
        QTest.keyClick(place, key, Qt.KeyboardModifier.ControlModifier)
        assert [job.mode for job in asked] == [MIXER_MODE], place.objectName()
    window.generation.set_generating(False)
    click(window, "editPromptButton")
    QTest.keyClick(prompt(window), key, Qt.KeyboardModifier.ControlModifier)
    assert len(asked) == 2 and "\n" not in prompt(window).toPlainText()


@pytest.mark.parametrize("name", ["Generate", "Read", "Compare"])
def test_a_pages_key_takes_the_focus_there(window: MainWindow, qapp: QApplication, name: str) -> None:
    window.raise_dock(window.texts)
    child(window.texts, "textsFilter", QLineEdit).setFocus()
    child(window, f"show{name}Action", QAction).trigger()
    turn()
    assert window.generation.isAncestorOf(qapp.focusWidget())


def test_typing_in_the_text_goes_on_with_its_prompt_where_it_stands(window: MainWindow) -> None:
    asked: list[Generate] = []
    window.generation.generate_requested.connect(asked.append)
    window.generation.set_enabled_for_model(True)
    QTest.keyClicks(text(window), "and")
    assert not text(window).isVisible() and prompt(window).isVisible()
    assert prompt(window).toPlainText() == "word0 and"
    QTest.keyClick(prompt(window), Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert [job.prompt for job in asked] == ["word0 and"]
    window.generation.start(start_of(window))
    assert text(window).isVisible() and not prompt(window).isVisible()


@pytest.mark.parametrize("marked", ["word", "word0 word1", ""])
def test_typing_takes_the_place_of_what_is_marked_of_the_prompt(window: MainWindow, marked: str) -> None:
    cursor = text(window).textCursor()
    cursor.setPosition(len(marked), QTextCursor.MoveMode.KeepAnchor)
    text(window).setTextCursor(cursor)
    QTest.keyClicks(text(window), "A")
    assert prompt(window).toPlainText() == {"word": "A0 ", "word0 word1": "A", "": "word0 A"}[marked]


def test_a_text_takes_what_is_pasted_and_erased_for_its_prompt(window: MainWindow, qapp: QApplication) -> None:
    QTest.keyClick(text(window), Qt.Key.Key_Backspace)
    assert prompt(window).toPlainText() == "word0"
    QTest.keyClick(prompt(window), Qt.Key.Key_Escape)
    qapp.clipboard().setText("to code")
    QTest.keyClick(text(window), Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert prompt(window).toPlainText() == "word0 to code"


def test_escape_goes_back_to_the_text_and_its_own_prompt(window: MainWindow) -> None:
    window.menus.edit_prompt.trigger()
    QTest.keyClicks(prompt(window), "changed")
    QTest.keyClick(prompt(window), Qt.Key.Key_Escape)
    assert text(window).isVisible() and not prompt(window).isVisible()
    assert prompt(window).toPlainText() == a_generation().prompt == "word0 "


@pytest.mark.parametrize("name", ["findAction", "scrubAction", "branchAction", "askOthersAction"])
def test_what_is_done_with_the_text_shows_it_and_keeps_the_draft(window: MainWindow, name: str) -> None:
    click(window, "editPromptButton")
    QTest.keyClicks(prompt(window), " and more")
    assert not text(window).isVisible()
    action = child(window, name, QAction)
    action.setEnabled(True)
    action.trigger()
    assert text(window).isVisible() and not prompt(window).isVisible()
    if name == "findAction":
        assert window.generation.text_page.find_bar.isVisible()
    click(window, "editPromptButton")
    assert prompt(window).toPlainText().endswith(" and more")


def test_what_was_typed_before_escape_can_be_had_again(window: MainWindow) -> None:
    window.menus.edit_prompt.trigger()
    QTest.keyClicks(prompt(window), "changed")
    QTest.keyClick(prompt(window), Qt.Key.Key_Escape)
    window.menus.edit_prompt.trigger()
    prompt(window).undo()
    assert prompt(window).toPlainText() == "word0 changed"


def test_a_draft_can_be_had_again_after_a_kept_text_was_opened(window: MainWindow) -> None:
    window.menus.edit_prompt.trigger()
    QTest.keyClicks(prompt(window), "and so")
    window.generation.show_record(replace(a_generation(), prompt="Another"))
    window.generation.show_record(a_generation())
    assert text(window).isVisible()
    window.menus.edit_prompt.trigger()
    assert prompt(window).toPlainText() == "word0 "
    for before in ("Another", "word0 and so"):
        prompt(window).undo()
        assert prompt(window).toPlainText() == before


def test_a_reading_that_is_opened_leaves_the_sampling_as_it_was(window: MainWindow) -> None:
    sampling = SamplingSettings(30, temperature=0.5, seed=7, precision="fast")
    generated = replace(a_generation(), sampling=sampling)
    window.generation.show_record(generated)
    window.generation.show_record(replace(generated, sampling=SamplingSettings(), report=A_REPORT))
    assert window.generation.sampling == sampling


def test_a_prompt_that_nobody_typed_is_not_undone(window: MainWindow) -> None:
    window.generation.prompt_bar.set_prompt("")
    window.generation.prompt_bar.set_prompt("To be")
    prompt(window).undo()
    assert prompt(window).toPlainText() == "To be"


def test_charts_that_are_unfolded_draw_no_strip(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    monkeypatch.setattr(window.charts.strip, "show_metric", lambda number, *_: drawn.append(number))
    window.menus.fold_charts.trigger()
    window.charts.redraw()
    assert drawn == []
    window.menus.fold_charts.trigger()
    assert drawn == [0, 1, 2]


def test_the_continuation_is_drawn_muted_behind_the_prompt(qapp: QApplication) -> None:
    edit = PromptEdit()
    edit.resize(600, 300)
    edit.setPlainText("To code or not")
    bare = edit.grab().toImage()
    edit.set_continuation(" to code\nthat is the question " * 20)
    drawn = edit.grab().toImage()
    height = edit.cursorRect().top() + edit.viewport().y()
    changed = {y for y in range(drawn.height()) for x in range(0, 600, 2) if drawn.pixel(x, y) != bare.pixel(x, y)}
    assert min(changed) >= height and max(changed) > height + 5 * edit.fontMetrics().height()


def test_the_continuation_is_drawn_anew_where_typing_moves_it(qapp: QApplication) -> None:
    edit = PromptEdit()
    shown(edit, 600, 300)
    edit.setPlainText("To code or not")
    edit.set_continuation(" to code\nthat is the question " * 20)
    turn()
    painted: list[QRect] = []

    class Spy(QObject):
        def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
            if isinstance(event, QPaintEvent):
                painted.append(event.rect())
            return False

    spy = Spy()
    edit.viewport().installEventFilter(spy)
    QTest.keyClicks(edit, "x")
    turn()
    assert edit.viewport().rect() in painted


def test_without_a_text_the_page_is_the_prompts(window: MainWindow) -> None:
    window.generation.clear()
    assert share(window, prompt(window)) >= LEAST_SHARE and not text(window).isVisible()


def test_a_comparison_has_the_prompt_above_its_columns(window: MainWindow) -> None:
    window.generation.show_page("compare")
    assert prompt(window).isVisible() and share(window, prompt(window)) < 0.15
    assert share(window, child(window, "comparePage")) > 0.5
    pane, button = window.generation, child(window, "generateButton")
    assert button.mapTo(pane, button.rect().topRight()).x() > pane.width() - 20, "it stands where it always does"


def test_the_inspector_tells_of_the_whole_text_until_a_token_is_chosen(window: MainWindow) -> None:
    said = " ".join(texts(window.inspector))
    assert "Whole text" in said and "60 tokens\n2.0 bits of surprise per token" in said
    assert "Shakespeare leads in 50 % of tokens" in said
    window.generation.choose_token(3)
    assert "Whole text" not in " ".join(texts(window.inspector))
    window.generation.clear()
    assert "Whole text" not in " ".join(texts(window.inspector))


@pytest.mark.parametrize("choice", ["colourCombo", "modeCombo"])
def test_another_choice_leaves_the_text_where_it_is_and_can_be_read_whole(window: MainWindow, choice: str) -> None:
    window.resize(1440, 900)
    box = combo(window, choice)
    seen = set()
    for index in range(box.count()):
        box.setCurrentIndex(index)
        turn()
        assert box.toolTip().startswith(box.currentText())
        seen.add(text(window).geometry().getRect())
    assert len(seen) == 1 and box.count() > 4


def test_details_of_an_error_move_nothing_and_leave_with_it(window: MainWindow) -> None:
    window.menus.fold_charts.trigger()
    window.resize(1000, 560)
    window.banner.show_error("It failed.", "Try again.", "\n".join(f"line {n}" for n in range(100)))
    turn()
    places = (window.banner, text(window), *window.docks)
    before = [place.geometry() for place in places]
    details = child(window.banner, "bannerDetails", QPlainTextEdit)
    click(window.banner, "Details")
    turn()
    assert [place.geometry() for place in places] == before
    corner = details.mapTo(window, QPoint())
    assert corner == window.banner.mapTo(window, QPoint(0, window.banner.height()))
    assert details.isVisible() and details.width() == window.banner.width()
    assert window.rect().contains(details.geometry()) and details.verticalScrollBar().maximum() > 0
    assert window.childAt(corner + QPoint(20, 20)) is details.viewport()
    window.resize(1100, 560)
    turn()
    assert details.width() == window.banner.width()
    click(window.banner, "Close this message")
    assert not details.isVisible()
    window.banner.show_error("It failed again.", "", "why")
    turn()
    assert not details.isVisible()


def test_a_new_epoch_begins_with_the_cursor_in_its_path(qapp: QApplication) -> None:
    dialog = NewEpochDialog()
    dialog.show()
    dialog.activateWindow()
    assert dialog.focusWidget() is child(dialog, "corpusPathEdit")


def test_lines_are_no_longer_than_those_of_a_page_and_columns_take_all_the_room(window: MainWindow) -> None:
    window.resize(1920, 1080)
    turn()
    letter = QFontMetricsF(mono_font()).averageCharWidth()
    assert 80 * letter < text(window).viewport().width() < 95 * letter
    ribbon = child(window, "mixRibbon")
    assert (ribbon.x(), ribbon.width()) == (text(window).x(), text(window).width())
    click(window, "editPromptButton")
    assert 80 * letter < prompt(window).viewport().width() < 95 * letter
    click(window, "compareTab")
    turn()
    assert prompt(window).width() > window.generation.width() - 40


def test_sides_have_their_width_again_when_the_window_has(window: MainWindow) -> None:
    window.resize(1400, 800)
    turn()
    sides = window.docks[:2]
    before = [side.width() for side in sides]
    window.resize(window.minimumSizeHint())
    turn()
    assert all(side.width() < width for side, width in zip(sides, before, strict=True))
    window.resize(1400, 800)
    turn()
    assert [side.width() for side in sides] == before


def test_a_branch_from_the_inspector_gives_the_text_the_focus(window: MainWindow) -> None:
    window.activateWindow()
    window.generation.choose_token(12)
    other = child(window.inspector, "otherTokenEdit", QLineEdit)
    other.setFocus()
    QTest.keyClicks(other, "sea")
    QTest.keyClick(other, Qt.Key.Key_Return)
    assert window.controller.generating.job_id is not None
    assert text(window).hasFocus()


def test_tooltips_tell_of_the_chosen_token_only_while_the_inspector_does_not(window: MainWindow) -> None:
    window.raise_dock(window.inspector)
    turn()
    view = window.generation.text_page.text
    window.generation.choose_token(12)
    point = position_of(view, 12)
    for panel, told in ((window.texts, True), (window.inspector, False)):
        window.raise_dock(panel)
        turn()
        event = QHelpEvent(QEvent.Type.ToolTip, point, view.viewport().mapToGlobal(point))
        QApplication.sendEvent(view.viewport(), event)
        QTest.qWait(400)  # a tooltip goes a moment later
        assert QToolTip.isVisible() == told
