"""The charts: what the series hold, what the panel draws, and how a person reads it."""

from __future__ import annotations

import csv
import math
import random
import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit import CODE as CODE_SLOT
from kit import PLAYS, SLOTS, WaitUntil, child, click, said, texts, tokens_of, turn_wheel
from PySide6.QtCore import QItemSelectionModel, QPoint, QPointF, Qt
from PySide6.QtGui import QAction, QColor, QImage, QKeySequence, QTextLayout
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QMenu, QToolButton, QWidget
from screen_reader import items_of
from window_states import turn

from tlora_gui.engine.protocol.colours import MIN_LINE_CONTRAST
from tlora_gui.engine.protocol.config import EPOCH_COLOURS
from tlora_gui.engine.protocol.events import EpochInfo, HeldOut, TrainingSample, TrainStarted, TrainStep
from tlora_gui.ui.charts.line_chart import SMOOTH_FROM, LineChart
from tlora_gui.ui.charts.matrix_view import MatrixView
from tlora_gui.ui.charts.panel import ChartsPanel
from tlora_gui.ui.charts.plot import log_ticks
from tlora_gui.ui.charts.series import Columns, Curve, History, Matrix, smooth
from tlora_gui.ui.charts.sparklines import Sparkline
from tlora_gui.ui.charts.style import line_colour
from tlora_gui.ui.charts.values_table import ValuesTable
from tlora_gui.ui.palette import contrast, token_background
from tlora_gui.ui.settings import ChartChoices, WindowSettings
from tlora_gui.ui.theme import DARK, LIGHT

Event = TrainStep | HeldOut
BARD = EpochInfo("bard", "Shakespeare", "Renaissance era", "#0072B2", "frozen")
CODE = EpochInfo("code", "Python", "IT era", "#E69F00", "frozen")


def step(slug: str, number: int, adapter_loss: float = 4.0, distill_loss: float = 0.0) -> TrainStep:
    return TrainStep(slug, number, 100, adapter_loss, distill_loss, 0.1, 1e-3, 512 * number, 500.0, 1.0)


def steps(slug: str, numbers: Iterable[int], distill_loss: float = 0.0) -> list[Event]:
    return [step(slug, number, 4.0 - number / 1000, distill_loss) for number in numbers]


def two_phases() -> tuple[tuple[str, tuple[Event, ...]], ...]:
    """Ten steps of one epoch, then five of another that has cost the first something."""
    first = [HeldOut("bard", 0, 4.5, (("bard", 0.1),)), *steps("bard", range(1, 11))]
    first.append(HeldOut("bard", 10, 4.1, (("bard", 0.97),)))
    second = [*steps("code", range(1, 6), distill_loss=0.02)]
    second.append(HeldOut("code", 5, 2.5, (("bard", 0.9), ("code", 0.95)), (("bard", 0.05), ("code", 0.99))))
    return ("bard", tuple(first)), ("code", tuple(second))


@pytest.fixture
def history() -> History:
    history = History()
    history.load(two_phases())
    return history


@pytest.fixture
def panel(qapp: QApplication) -> ChartsPanel:
    panel = ChartsPanel()
    panel.resize(900, 250)
    panel.show()
    panel.apply_theme(LIGHT)
    return panel


@pytest.fixture
def filled(panel: ChartsPanel) -> ChartsPanel:
    panel.set_epochs((BARD, CODE))
    panel.load_history(two_phases())
    panel.redraw()
    return panel


def chart(panel: ChartsPanel, name: str) -> LineChart:
    found = panel.findChild(LineChart, name)
    assert found is not None
    return found


# -- series -----------------------------------------------------------------------------------------------------


def test_columns_keep_every_row_while_they_grow() -> None:
    columns = Columns(2)
    for number in range(5000):
        columns.append(number, -number)
    assert np.array_equal(columns.column(0), np.arange(5000))
    assert np.array_equal(columns.column(1), -np.arange(5000))


def test_a_phase_begins_where_the_one_before_ended(history: History) -> None:
    assert [(p.slug, p.start, p.end) for p in history.phases()] == [("bard", 0, 10), ("code", 10, 15)]
    x, loss = history.curve("loss", "code", 10)
    assert x.tolist() == [11, 12, 13, 14, 15]
    assert loss[0] == pytest.approx(3.999)
    assert history.curve("distill", "code", 10)[1].tolist() == [0.02] * 5
    assert history.curve("distill", "bard", 0)[1].tolist() == [0.0] * 10
    assert [values.tolist() for values in history.held_out_loss("bard", 0)] == [[0, 10], [4.5, 4.1]]


def test_the_routing_curve_of_an_epoch_goes_on_into_later_phases(history: History) -> None:
    routing = history.routing()
    assert [values.tolist() for values in routing["bard"]] == [[0, 10, 15], [0.1, 0.97, 0.9]]
    assert [values.tolist() for values in routing["code"]] == [[15], [0.95]]
    baseline = history.routing(baseline=True)
    assert [values.tolist() for values in baseline["bard"]] == [[15], [0.05]]


def test_the_matrix_holds_the_last_measurement_of_every_phase(history: History) -> None:
    matrix = history.matrix()
    assert matrix.phases == matrix.epochs == ("bard", "code")
    np.testing.assert_array_equal(matrix.routing, [[0.97, math.nan], [0.9, 0.95]])
    np.testing.assert_array_equal(matrix.baseline, [[math.nan, math.nan], [0.05, 0.99]])


def test_a_phase_without_a_measurement_is_an_empty_row_of_the_matrix() -> None:
    history = History()
    history.load((("bard", tuple(steps("bard", range(1, 4)))),))
    np.testing.assert_array_equal(history.matrix().routing, [[math.nan]])


def test_a_repeated_step_drops_what_came_after_it() -> None:
    history = History()
    history.extend([*steps("bard", range(1, 11)), HeldOut("bard", 5, 4.2, ()), HeldOut("bard", 10, 4.0, ())])
    history.extend([step("bard", 6, adapter_loss=1.0)])
    x, loss = history.curve("loss", "bard", 0)
    assert x.tolist() == [1, 2, 3, 4, 5, 6]
    assert loss[-1] == 1.0
    assert history.held_out_loss("bard", 0)[0].tolist() == [5]


def test_a_resumed_training_forgets_what_came_after_its_checkpoint(history: History) -> None:
    history.begin("code", first_step=3)
    assert history.curve("loss", "code", 10)[0].tolist() == [11, 12, 13]
    assert history.phases()[-1].end == 13


def test_a_training_from_nothing_is_the_latest_phase_even_under_an_old_slug(history: History) -> None:
    history.begin("bard", first_step=0)
    history.extend(steps("bard", (1, 2)))
    assert [(p.slug, p.start, p.end) for p in history.phases()] == [("code", 0, 5), ("bard", 5, 7)]
    assert history.routing()["bard"][0].tolist() == []


def test_a_removed_epoch_leaves_and_returns_with_all_it_had(history: History) -> None:
    before = history.matrix()
    history.remove("bard")
    assert [(p.slug, p.start, p.end) for p in history.phases()] == [("code", 0, 5)]
    assert list(history.routing()) == ["code"]
    np.testing.assert_array_equal(history.matrix().routing, [[0.95]])
    history.show_only(("bard", "code"))
    np.testing.assert_array_equal(history.matrix().routing, before.routing)


def test_loading_replaces_and_clearing_empties(history: History) -> None:
    history.load((("code", tuple(steps("code", range(1, 3)))),))
    assert history.slugs == ("code",)
    history.clear()
    assert history.phases() == () and history.matrix().routing.shape == (0, 0)


def test_smoothing_keeps_a_straight_line_and_skips_what_is_not_finite() -> None:
    x = np.arange(100.0)
    np.testing.assert_allclose(smooth((x, np.full(100, 3.0)), 9)[1], 3.0)
    values = np.full(100, 2.0)
    values[50] = math.nan
    np.testing.assert_allclose(smooth((x, values), 9)[1], 2.0)


def test_smoothing_of_very_many_points_is_thinned_out_and_keeps_both_ends() -> None:
    x = np.arange(100_000.0)
    thin, _ = smooth((x, x), 101)
    assert len(thin) < 5000 and thin[0] == 0 and thin[-1] == 99_999


# -- panel ------------------------------------------------------------------------------------------------------


def test_an_empty_panel_says_how_to_fill_it(panel: ChartsPanel) -> None:
    assert "Train an epoch to see its curves" in texts(chart(panel, "lossChart"))
    assert not any(action.isEnabled() for action in chart(panel, "lossChart").menu.actions() if "Save" in action.text())


def test_a_loaded_history_is_drawn_in_all_three_charts(filled: ChartsPanel) -> None:
    loss, distill, routing = (chart(filled, name) for name in ("lossChart", "distillChart", "routingChart"))
    assert loss.curve_data("code")[0].tolist() == [11, 12, 13, 14, 15]
    assert loss.curve_data(("bard", "held-out"))[1].tolist() == [4.5, 4.1]
    assert set(distill.curve_data("bard")[1]) == {0.0} and set(distill.curve_data("code")[1]) == {0.02}
    assert routing.curve_data("bard")[1].tolist() == [0.1, 0.97, 0.9]
    assert routing.curve_data(("code", "baseline"))[1].tolist() == [0.99]
    assert "Train an epoch to see its curves" not in texts(loss)


def test_live_events_are_drawn_by_themselves(filled: ChartsPanel, wait_until: WaitUntil) -> None:
    new = EpochInfo("milton", "Milton", "", "#009E73", "training")
    filled.begin_epoch(TrainStarted(new, 100, 0))
    filled.add_events(steps("milton", range(1, 4)))
    wait_until(lambda: len(chart(filled, "lossChart").curve_data("milton")[0]) == 3)
    assert chart(filled, "lossChart").curve_data("milton")[0].tolist() == [16, 17, 18]


def test_many_events_between_two_redraws_are_drawn_once(panel: ChartsPanel, wait_until: WaitUntil) -> None:
    panel.begin_epoch(TrainStarted(BARD, 1000, 0))
    loss = chart(panel, "lossChart")
    drawn: list[int] = []
    for number in range(1, 501):
        panel.add_events([step("bard", number)])
        drawn.append(len(loss.curve_data("bard")[0]))
    wait_until(lambda: len(loss.curve_data("bard")[0]) == 500)
    assert len(set(drawn)) <= 20


def test_what_comes_while_charts_are_drawn_one_after_another_is_drawn_too(
    panel: ChartsPanel, wait_until: WaitUntil
) -> None:
    panel.begin_epoch(TrainStarted(BARD, 1000, 0))
    loss, distill = chart(panel, "lossChart"), chart(panel, "distillChart")
    panel.add_events([step("bard", 1)])
    wait_until(lambda: len(loss.curve_data("bard")[0]) == 1)
    panel.add_events([step("bard", 2)])
    wait_until(lambda: len(loss.curve_data("bard")[0]) == len(distill.curve_data("bard")[0]) == 2)


def test_a_redraw_at_once_completes_one_that_has_begun(panel: ChartsPanel, wait_until: WaitUntil) -> None:
    panel.begin_epoch(TrainStarted(BARD, 1000, 0))
    loss, distill = chart(panel, "lossChart"), chart(panel, "distillChart")
    panel.add_events([step("bard", 1)])
    wait_until(lambda: len(loss.curve_data("bard")[0]) == 1)
    panel.redraw()
    assert len(distill.curve_data("bard")[0]) == 1


def test_a_long_training_gets_a_smoothed_line_over_the_raw_one(panel: ChartsPanel) -> None:
    panel.begin_epoch(TrainStarted(BARD, 1000, 0))
    loss = chart(panel, "lossChart")
    panel.add_events(steps("bard", range(1, SMOOTH_FROM)))
    panel.redraw()
    assert len(loss.curve_data(("bard", "smooth"))[0]) == 0
    panel.add_events(steps("bard", range(SMOOTH_FROM, SMOOTH_FROM + 10)))
    panel.redraw()
    assert len(loss.curve_data(("bard", "smooth"))[0]) == SMOOTH_FROM + 9


def work_of_a_redraw(panel: ChartsPanel, monkeypatch: pytest.MonkeyPatch, finished: int) -> tuple[int, int]:
    """Points that are smoothed, and points drawn for both losses, when a step comes after so many finished epochs."""
    panel.load_history(
        [(f"epoch{number}", tuple(steps(f"epoch{number}", range(1, 301)))) for number in range(finished)]
    )
    panel.begin_epoch(TrainStarted(BARD, 1000, 0))
    panel.add_events(steps("bard", range(1, 301), distill_loss=0.1))
    panel.redraw()
    panel.strip.grab()
    work: list[int] = []
    points: list[QPointF] = []

    def counted_smooth(curve: Curve, window: int) -> Curve:
        work.append(len(curve[0]))
        return smooth(curve, window)

    def counted_point(x: float, y: float) -> QPointF:
        points.append(QPointF(x, y))
        return points[-1]

    with monkeypatch.context() as patch:
        patch.setattr("tlora_gui.ui.charts.line_chart.smooth", counted_smooth)
        patch.setattr("tlora_gui.ui.charts.sparklines.QPointF", counted_point)
        panel.add_events([step("bard", 301)])
        panel.redraw()
        panel.strip.grab()
    return sum(work), len(points)


def test_a_redraw_of_the_folded_charts_is_no_more_work_after_many_epochs_than_after_one(
    panel: ChartsPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel.set_folded(True)
    smoothed, drawn = work_of_a_redraw(panel, monkeypatch, 1)
    assert smoothed == 2 * 301 and drawn > 100
    smoothed_later, drawn_later = work_of_a_redraw(panel, monkeypatch, 12)
    assert smoothed_later == smoothed and drawn_later < 1.2 * drawn


def test_a_removed_epoch_leaves_no_curve_and_the_others_move_up(filled: ChartsPanel, wait_until: WaitUntil) -> None:
    filled.remove_epoch("bard")
    loss, routing = chart(filled, "lossChart"), chart(filled, "routingChart")
    wait_until(lambda: len(loss.curve_data("bard")[0]) == 0)
    assert loss.curve_data("code")[0].tolist() == [1, 2, 3, 4, 5]
    wait_until(lambda: len(routing.curve_data(("bard", "baseline"))[0]) == 0)
    filled.set_epochs((BARD, CODE))
    wait_until(lambda: len(loss.curve_data("bard")[0]) == 10)
    assert loss.curve_data("code")[0].tolist() == [11, 12, 13, 14, 15]


def test_a_new_name_and_colour_reach_readout_and_picture(filled: ChartsPanel, wait_until: WaitUntil) -> None:
    loss = chart(filled, "lossChart")
    assert "Shakespeare" in loss.readout(5)
    filled.set_epochs((EpochInfo("bard", "Marlowe", "", "#D55E00", "frozen"), CODE))
    wait_until(lambda: "Marlowe" in loss.readout(5))
    assert line_colour("#D55E00", LIGHT).name() in loss.readout(5)


def test_a_loss_that_is_not_a_number_breaks_nothing(panel: ChartsPanel) -> None:
    panel.begin_epoch(TrainStarted(BARD, 10, 0))
    panel.add_events([step("bard", 1, 4.0), step("bard", 2, math.nan), step("bard", 3, math.inf), step("bard", 4, 3.0)])
    panel.redraw()
    panel.grab()
    assert "nan" in chart(panel, "lossChart").readout(2)


def test_the_theme_reaches_the_drawing_area(filled: ChartsPanel) -> None:
    loss = chart(filled, "lossChart")
    for theme in (DARK, LIGHT):
        filled.apply_theme(theme)
        corner = loss.plot.grab().toImage().pixelColor(5, loss.plot.height() - 5)
        assert corner == QColor(theme.panel)


@pytest.mark.parametrize("colour", ["#0072B2", "#E69F00", "#F0E442", "#000000", "#FFFFFF"])
def test_every_colour_of_a_line_stays_visible_in_both_themes(colour: str) -> None:
    for theme in (LIGHT, DARK):
        assert contrast(line_colour(colour, theme), QColor(theme.panel)) >= MIN_LINE_CONTRAST


def picture_colours(loss: LineChart) -> set[str]:
    image = loss.plot.grab().toImage()
    return {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}


def test_the_first_measurement_is_seen_as_a_dot_until_the_second_makes_a_line(panel: ChartsPanel) -> None:
    panel.begin_epoch(TrainStarted(BARD, 100, 0))
    panel.add_events([HeldOut("bard", 0, 4.5, (("bard", 0.4),))])
    panel.redraw()
    routing = chart(panel, "routingChart")
    assert line_colour(BARD.colour, LIGHT).name() in picture_colours(routing)
    dot = routing.plot.view.mapViewToScene(QPointF(0, 0.4))
    below = dot.toPoint() + QPoint(0, 2)  # within the dot, beside a line
    for place in (dot.toPoint(), below):
        assert routing.plot.grab().toImage().pixelColor(place) == line_colour(BARD.colour, LIGHT)
    panel.add_events([HeldOut("bard", 20, 4.2, (("bard", 0.9),))])
    panel.redraw()
    assert line_colour(BARD.colour, LIGHT).name() in picture_colours(routing)
    below = routing.plot.view.mapViewToScene(QPointF(0, 0.4)).toPoint() + QPoint(0, 2)
    assert routing.plot.grab().toImage().pixelColor(below) == QColor(LIGHT.panel)


def test_a_single_dot_without_active_sleep_is_hollow(panel: ChartsPanel) -> None:
    panel.set_epochs((BARD, CODE))
    panel.load_history((("bard", (HeldOut("bard", 10, 4.5, (("bard", 0.9),), (("bard", 0.3),)),)),))
    panel.redraw()
    routing = chart(panel, "routingChart")
    image = routing.plot.grab().toImage()
    at = [routing.plot.view.mapViewToScene(QPointF(10, share)).toPoint() for share in (0.9, 0.3)]
    assert image.pixelColor(at[0]) == line_colour(BARD.colour, LIGHT)
    assert image.pixelColor(at[1]) == QColor(LIGHT.panel)


# -- reading ----------------------------------------------------------------------------------------------------


def middle_of(loss: LineChart) -> QPoint:
    return loss.plot.mapFromScene(loss.plot.view.sceneBoundingRect().center())


def test_hovering_reads_values_there_and_points_in_all_charts(filled: ChartsPanel, wait_until: WaitUntil) -> None:
    loss, routing = chart(filled, "lossChart"), chart(filled, "routingChart")
    pointed: list[float | None] = []
    loss.pointed.connect(pointed.append)
    before = routing.plot.grab().toImage()
    there = loss.plot.mapFromScene(loss.plot.view.mapViewToScene(QPointF(8, 3.99)))
    QTest.mouseMove(loss.plot.viewport(), QPoint(there.x(), middle_of(loss).y()))
    wait_until(lambda: pointed)
    assert pointed[-1] == pytest.approx(8, abs=0.4)
    shown = [text for text in texts(loss) if "Step 8" in text]
    assert shown and "3.992" in shown[0]
    assert routing.plot.grab().toImage() != before, "the crosshair is in every chart"
    assert any("Step 8" in text for text in texts(routing))


def test_the_keyboard_moves_the_crosshair_and_escape_takes_it_away(filled: ChartsPanel) -> None:
    loss = chart(filled, "lossChart")
    loss.plot.setFocus()
    QTest.keyClick(loss.plot, Qt.Key.Key_Right)
    assert any("Step 8" in text for text in texts(loss))
    assert "Shakespeare" in loss.plot.accessibleDescription()
    QTest.keyClick(loss.plot, Qt.Key.Key_Right)
    assert any("Step 9" in text for text in texts(loss)), "a key moves by a step at least"
    QTest.keyClick(loss.plot, Qt.Key.Key_Escape)
    assert not any("Step" in text for text in texts(loss))


def test_zooming_one_chart_zooms_all_and_double_click_shows_all_again(filled: ChartsPanel) -> None:
    loss, distill = chart(filled, "lossChart"), chart(filled, "distillChart")
    whole = loss.plot.steps_shown()
    loss.grab()  # pyqtgraph knows where the mouse is once it has painted
    turn_wheel(loss.plot.viewport(), middle_of(loss), 480)
    assert distill.plot.steps_shown() == pytest.approx(loss.plot.steps_shown())
    assert loss.plot.steps_shown()[1] < whole[1]
    filled.add_events(steps("code", range(6, 8)))
    filled.redraw()
    assert loss.plot.steps_shown()[1] < whole[1], "a person's choice stays while steps come in"
    QTest.mouseDClick(loss.plot.viewport(), Qt.MouseButton.LeftButton, pos=middle_of(loss))
    assert distill.plot.steps_shown()[1] > 17


def test_the_chart_scales_to_what_is_in_view(filled: ChartsPanel) -> None:
    loss = chart(filled, "lossChart")
    loss.show_steps(11, 15)
    bottom, top = loss.plot.view.viewRange()[1]
    assert 2.0 < bottom < 2.5 and 4.0 < top < 4.2, "the first epoch's 4.5 is out of view"


def test_names_in_a_readout_are_text_not_markup(filled: ChartsPanel, wait_until: WaitUntil) -> None:
    filled.set_epochs((EpochInfo("bard", "<b>x</b>", "", "#0072B2", "frozen"), CODE))
    wait_until(lambda: "&lt;b&gt;x" in chart(filled, "lossChart").readout(5))


def test_the_matrix_button_shows_the_memory_matrix_in_place_of_the_curves(filled: ChartsPanel) -> None:
    matrix = filled.findChild(QWidget, "memoryMatrix")
    button = filled.findChild(QToolButton, "matrixButton")
    assert matrix is not None and button is not None and not matrix.isVisible()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert matrix.isVisible() and not chart(filled, "routingChart").plot.isVisible()
    assert "After Python: 0.90 of Shakespeare's" in items_of(matrix)[2]
    filled.redraw()
    assert matrix.isVisible()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert not matrix.isVisible() and chart(filled, "routingChart").plot.isVisible()


def test_the_matrix_shades_by_accuracy_and_writes_the_numbers(filled: ChartsPanel) -> None:
    filled.matrix_button.setChecked(True)
    matrix = filled.matrix
    assert matrix.cell_text("bard", "bard") == "0.97" and matrix.cell_text("bard", "code") == ""
    image = matrix.viewport().grab().toImage()
    done, empty = (matrix.visualRect(matrix.model().index(0, place)).topLeft() + QPoint(6, 6) for place in (0, 1))
    assert image.pixelColor(done).blue() > image.pixelColor(done).red() + 50
    assert image.pixelColor(empty) == QColor(LIGHT.window)


# -- other ways to read them ----------------------------------------------------------------------------------------


def trigger(menu: QWidget | None, text: str) -> None:
    """Choose an entry of a menu."""
    assert isinstance(menu, QMenu)
    next(action for action in menu.actions() if action.text() == text).trigger()


def told(panel: ChartsPanel) -> list[ChartChoices]:
    """What the panel asks to be remembered, as it comes."""
    found: list[ChartChoices] = []
    panel.choices_changed.connect(found.append)
    return found


def test_the_middle_chart_shows_learning_rate_or_gradient_norm_on_demand(panel: ChartsPanel) -> None:
    panel.set_epochs((BARD,))
    panel.load_history((("bard", tuple(replace(step("bard", n), gradient_norm=1.5) for n in range(1, 9))),))
    panel.redraw()
    middle, choices = chart(panel, "distillChart"), told(panel)
    assert middle.title == "Mixer-distill loss" and set(middle.curve_data("bard")[1]) == {0.0}
    for name, value in (("Learning rate", 1e-3), ("Gradient norm", 1.5)):
        trigger(panel.curve_button.menu(), name)
        panel.redraw()
        assert middle.title == name and set(middle.curve_data("bard")[1]) == {value}
    assert [each.curve for each in choices] == ["rate", "gradient"]
    panel.set_folded(True)
    assert "Gradient norm" in texts(panel.strip) and "Mixer-distill loss" not in texts(panel.strip)


def test_a_history_that_tells_no_gradient_norms_leaves_that_chart_empty_and_says_why(filled: ChartsPanel) -> None:
    trigger(filled.curve_button.menu(), "Gradient norm")
    filled.redraw()
    assert any("recorded from this version on" in text for text in texts(chart(filled, "distillChart")))


def test_smoothing_is_as_strong_as_chosen_and_none_leaves_the_raw_line_alone(panel: ChartsPanel) -> None:
    chance = random.Random(0)
    panel.load_history((("bard", tuple(step("bard", n, chance.gauss(3, 1)) for n in range(1, 301))),))
    loss = chart(panel, "lossChart")
    spread = {}
    for strength in ("Light", "Medium", "Strong", "None"):
        trigger(next(menu for menu in panel.findChildren(QMenu) if menu.title() == "Smoothing"), strength)
        panel.redraw()
        smoothed = loss.curve_data(("bard", "smooth"))[1]
        spread[strength] = float(np.std(smoothed)) if len(smoothed) else math.nan
    assert spread["Light"] > spread["Medium"] > spread["Strong"] > 0 and math.isnan(spread["None"])
    assert len(loss.curve_data("bard")[0]) == 300


def test_a_logarithmic_scale_draws_by_magnitude_and_leaves_out_what_is_not_above_0(panel: ChartsPanel) -> None:
    panel.load_history((("bard", tuple(step("bard", n, 10.0 ** (3 - n), 0.0) for n in range(1, 6))),))
    panel.redraw()
    loss, choices = chart(panel, "lossChart"), told(panel)
    trigger(loss.menu, "Logarithmic scale")
    low, high = loss.plot.view.viewRange()[1]
    assert -3 < low < -2 and 2 < high < 3
    trigger(chart(panel, "distillChart").menu, "Logarithmic scale")
    panel.redraw()
    panel.grab()
    assert choices[-1].log_loss and choices[-1].log_curve
    assert loss.curve_data("bard")[1].tolist() == [100, 10, 1, 0.1, 0.01], "values are told as they are"
    trigger(loss.menu, "Logarithmic scale")
    assert loss.plot.view.viewRange()[1][1] > 100


@given(low=st.floats(-12, 12), span=st.floats(0.01, 20), ticks=st.integers(1, 12))
def test_ticks_of_a_logarithmic_axis_are_in_sight_and_far_enough_apart(low: float, span: float, ticks: int) -> None:
    gap = span / ticks
    ticked = log_ticks(low, low + span, gap)
    assert all(low - 1e-6 <= tick <= low + span + 1e-6 for tick in ticked)
    assert all(other - one >= gap - 1e-9 for one, other in pairwise(ticked))


def test_choices_are_remembered(qapp: QApplication) -> None:
    settings = WindowSettings()
    assert settings.chart_choices == ChartChoices()
    chosen = ChartChoices("gradient", "strong", log_loss=True)
    settings.chart_choices = chosen
    assert WindowSettings().chart_choices == chosen
    panel = ChartsPanel()
    panel.set_choices(chosen)
    assert panel.distill_chart.title == "Gradient norm"


def values_of(panel: ChartsPanel, name: str) -> ValuesTable:
    """The table of a chart's values, shown in its place."""
    trigger(chart(panel, name).menu, "Values as a table")
    found = chart(panel, name).findChild(ValuesTable)
    assert found is not None and found.isVisible()
    return found


def cells(table: ValuesTable, line: int) -> list[str]:
    model = table.model()
    return [model.index(line, column).data() for column in range(model.columnCount())]


def test_values_can_be_read_as_a_table_of_steps(filled: ChartsPanel) -> None:
    table = values_of(filled, "lossChart")
    model = table.model()
    heads = [model.headerData(n, Qt.Orientation.Horizontal) for n in range(model.columnCount())]
    curves = [f"{name} · {series}" for name in ("Shakespeare", "Python") for series in ("train", "held-out")]
    assert heads == ["Step", *curves]
    assert cells(table, 0) == ["0", "", "4.500", "", ""]
    assert cells(table, 10) == ["10", "3.990", "4.100", "", ""]
    assert cells(table, model.rowCount() - 1) == ["15", "", "", "3.995", "2.500"]
    assert table.accessibleName() == "Values of “Adapter loss”"


def test_headings_of_the_table_stand_over_their_numbers(filled: ChartsPanel) -> None:
    model, role = values_of(filled, "lossChart").model(), Qt.ItemDataRole.TextAlignmentRole
    for place in range(model.columnCount()):
        assert model.headerData(place, Qt.Orientation.Horizontal, role) == model.index(0, place).data(role)


def test_cells_of_the_table_are_copied_under_their_headings(filled: ChartsPanel) -> None:
    table = values_of(filled, "lossChart")
    for line, column in ((1, 0), (1, 1), (2, 1)):
        index = table.model().index(line, column)
        table.selectionModel().select(index, QItemSelectionModel.SelectionFlag.Select)
    filled.activateWindow()
    QTest.qWaitForWindowActive(filled)
    table.setFocus()
    QTest.keySequence(table, QKeySequence(QKeySequence.StandardKey.Copy))
    assert QApplication.clipboard().text() == "Step\tShakespeare · train\n1\t3.999\n\t3.998"


def test_a_training_that_goes_on_leaves_the_table_where_it_is_read(filled: ChartsPanel) -> None:
    table = values_of(filled, "lossChart")
    table.setCurrentIndex(table.model().index(3, 1))
    assert not chart(filled, "lossChart").legend.isVisible(), "its headings say it"
    filled.add_events([step("code", 6, 3.0)])
    filled.redraw()
    assert (table.currentIndex().row(), table.currentIndex().column()) == (3, 1)
    assert cells(table, table.model().rowCount() - 1)[0] == "16"


def test_the_matrix_is_a_table_already(filled: ChartsPanel) -> None:
    routing = chart(filled, "routingChart")
    values_of(filled, "routingChart")
    filled.matrix_button.setChecked(True)
    assert not routing.values_action.isEnabled() and not routing.values_action.isChecked()
    filled.matrix_button.setChecked(False)
    assert routing.values_action.isEnabled() and routing.plot.isVisible()


def test_the_crosshair_tells_the_values_of_every_chart(filled: ChartsPanel) -> None:
    chart(filled, "lossChart").pointed.emit(15.0)
    shown = {name: texts(chart(filled, name)) for name in ("lossChart", "distillChart", "routingChart")}
    assert any("Step 15" in text and "3.995" in text for text in shown["lossChart"])
    assert any("0.020" in text for text in shown["distillChart"])
    assert any("0.950" in text for text in shown["routingChart"])


@pytest.mark.parametrize("width", [736, 900])
def test_values_are_read_beside_the_axis_and_hide_none_of_themselves(filled: ChartsPanel, width: int) -> None:
    filled.resize(width, 250)
    filled.grab()
    for step in (2.0, 9.0, 15.0):
        chart(filled, "lossChart").pointed.emit(step)
        for name in ("lossChart", "distillChart", "routingChart"):
            plot, box = chart(filled, name).plot, child(chart(filled, name), "chartReadout", QLabel)
            area = plot.view.sceneBoundingRect()
            assert area.left() - 1 <= box.x() and box.geometry().right() < plot.width(), name
            assert "Shakespeare" in plot.accessibleDescription() or "Python" in plot.accessibleDescription()
    routing = chart(filled, "routingChart")
    at = routing.plot.view.mapViewToScene(QPointF(15, 0.95)).y()
    box = child(routing, "chartReadout", QLabel).geometry()
    assert not box.top() <= at <= box.bottom()


def test_a_lone_series_has_no_heading_in_a_readout(filled: ChartsPanel) -> None:
    routing = chart(filled, "routingChart").readout(8)
    assert "Step 8" in routing and "with" not in routing
    loss = chart(filled, "lossChart").readout(8)
    assert "train" in loss and "held-out" in loss


def test_the_legend_of_the_lines_is_there_with_the_lines_alone(filled: ChartsPanel) -> None:
    loss = chart(filled, "lossChart")
    assert loss.legend.isVisible()
    values_of(filled, "lossChart")
    assert not loss.legend.isVisible()
    loss.values_action.setChecked(False)
    assert loss.legend.isVisible()


@pytest.mark.parametrize("size", [(140, 80), (225, 100), (225, 180), (400, 300)])
def test_cells_of_a_matrix_of_many_epochs_hold_their_numbers(qapp: QApplication, size: tuple[int, int]) -> None:
    slugs = tuple(f"epoch-{number}" for number in range(12))
    epochs = {slug: EpochInfo(slug, slug.title(), "", EPOCH_COLOURS[0], "frozen") for slug in slugs}
    values = np.where(np.tri(12, dtype=bool), 0.25, np.nan)
    view = MatrixView(LIGHT)
    view.resize(*size)
    view.show_data(Matrix(slugs, slugs, values, values, values, values), epochs, None)
    view.show()
    turn()
    matrix, letters = view.matrix, view.matrix.fontMetrics()
    assert matrix.rowHeight(0) >= letters.height() and matrix.columnWidth(0) >= letters.horizontalAdvance(".25")
    assert matrix.visualRect(matrix.model().index(11, 0)).intersects(matrix.viewport().rect()), "the latest phase"
    view.hide()


@pytest.mark.parametrize("matrix", [False, True])
def test_heads_are_level_at_every_width(filled: ChartsPanel, matrix: bool) -> None:
    charts = [chart(filled, name) for name in ("lossChart", "distillChart", "routingChart")]
    heads = set()
    for width in range(600, 1200, 20):
        filled.resize(width, 250)
        filled.matrix_button.setChecked(matrix)
        turn()
        (head,) = {each.body.y() for each in charts}
        heads.add(head)
        filled.matrix_button.setChecked(not matrix)
        turn()
        assert len({each.body.y() for each in charts}) == 1, width
    assert len(heads) > 1, "narrow heads take more lines"


def test_a_folded_chart_without_a_curve_is_a_name_and_a_dash_beside_it(panel: ChartsPanel) -> None:
    panel.set_folded(True)
    turn()
    name, value = panel.strip.findChildren(QLabel)[:2]
    assert value.text() == "—"
    assert not any(line.isVisible() for line in panel.strip.findChildren(Sparkline))
    assert value.x() - name.geometry().right() < 12
    panel.set_epochs((BARD, CODE))
    panel.load_history(two_phases())
    panel.redraw()
    assert all(line.isVisible() for line in panel.strip.findChildren(Sparkline))


def test_the_kept_step_has_a_ring_where_it_is_known(filled: ChartsPanel) -> None:
    loss = chart(filled, "lossChart")
    assert len(loss.curve_data(("code", "kept"))[0]) == 0 and "○ kept" not in loss.legend.text()
    best = [HeldOut("code", number, loss, (), best=True) for number, loss in ((6, 2.4), (8, 2.3))]
    filled.add_events([*best, HeldOut("code", 9, 2.6, ())])
    filled.redraw()
    assert [part.tolist() for part in loss.curve_data(("code", "kept"))] == [[18], [2.3]]
    assert "○ kept" in loss.legend.text() and "kept" in loss.readout(18)


# -- samples --------------------------------------------------------------------------------------------------------


def sample(number: int, *words: str) -> TrainingSample:
    return TrainingSample("bard", number, SLOTS, tuple(tokens_of(*words)))


def sample_texts(panel: ChartsPanel) -> list[tuple[str, str]]:
    """Step and text of the samples that are listed."""
    model = panel.samples_view.rows.model()
    return [(model.index(line, 0).data(), model.index(line, 1).data()) for line in range(model.rowCount())]


def test_without_samples_it_is_said_how_to_get_some(panel: ChartsPanel) -> None:
    click(panel, "samplesButton")
    assert "“Sample every” under Advanced" in said(panel.samples_view)
    click(panel, "showChartsButton")
    assert panel.loss_chart.isVisible() and not panel.samples_view.isVisible()


def test_samples_are_listed_by_step_and_the_latest_is_shown_whole(filled: ChartsPanel) -> None:
    filled.show_samples(True)
    filled.add_events([sample(2, "To be", " or\nnot"), sample(4, "To see", " a light")])
    filled.redraw()
    view = filled.samples_view
    assert sample_texts(filled) == [("2", "To be or⏎not"), ("4", "To see a light")]
    assert view.text.toPlainText() == "To see a light"
    assert "Samples of Shakespeare" in said(view)
    view.rows.selectRow(0)
    filled.add_events([sample(6, "To fly")])
    filled.redraw()
    assert view.text.toPlainText() == "To be or\nnot", "the one that is read stays"
    assert len(sample_texts(filled)) == 3


def test_a_sample_without_room_ends_in_an_ellipsis_after_a_whole_token(
    filled: ChartsPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled.show_samples(True)
    filled.add_events([sample(2, *(f"word{number} " for number in range(60))), sample(4, "To be")])
    filled.redraw()
    drawn: list[tuple[str, float]] = []
    draw = QTextLayout.draw

    def told(layout: QTextLayout, *where: object) -> None:
        drawn.append((layout.text(), layout.lineAt(0).naturalTextWidth()))
        draw(layout, *where)

    monkeypatch.setattr(QTextLayout, "draw", told)
    rows = filled.samples_view.rows
    rows.viewport().grab()
    (cut, width), (whole, _) = drawn
    assert re.fullmatch(r"(word\d+ )+…", cut) and whole == "To be"
    assert width <= rows.columnWidth(1) - 8


def test_a_long_sample_is_shown_from_its_beginning(filled: ChartsPanel) -> None:
    filled.show_samples(True)
    turn()
    filled.add_events([sample(2, *(f"word{number} " for number in range(600)))])
    filled.redraw()
    turn()
    bar = filled.samples_view.text.verticalScrollBar()
    assert bar.maximum() > 0 and bar.value() == 0


def test_samples_of_a_rewound_training_are_forgotten(filled: ChartsPanel) -> None:
    filled.add_events([sample(2, "one"), sample(4, "two")])
    filled.begin_epoch(TrainStarted(BARD, 100, 3))
    filled.add_events([sample(4, "three")])
    filled.redraw()
    assert sample_texts(filled) == [("2", "one"), ("4", "three")]


def test_tokens_of_a_sample_have_the_colours_of_their_epochs(filled: ChartsPanel) -> None:
    filled.show_samples(True)
    filled.add_events([sample(2, "      ", "      ")])
    filled.redraw()
    QApplication.processEvents()
    image = filled.samples_view.rows.viewport().grab().toImage()
    colours = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}
    grounds = {
        token_background(slot.colour, share, QColor(LIGHT.panel), QColor(LIGHT.text)).name()
        for slot, share in ((PLAYS, 0.8), (CODE_SLOT, 0.75))
    }
    assert grounds <= colours


# -- saving -----------------------------------------------------------------------------------------------------


def read_csv(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_a_chart_is_saved_as_table(filled: ChartsPanel, tmp_path: Path) -> None:
    saved: list[str] = []
    filled.saved.connect(saved.append)
    path = tmp_path / "loss.csv"
    chart(filled, "lossChart").save_table(str(path))
    rows = read_csv(path)
    assert rows[0] == ["epoch", "series", "step", "value"]
    assert ["Shakespeare", "held-out", "10", "4.1"] in rows
    assert sum(row[:2] == ["Python", "train"] for row in rows) == 5
    assert saved == [str(path)]


def test_the_matrix_is_saved_as_table_while_it_is_shown(filled: ChartsPanel, tmp_path: Path) -> None:
    filled.matrix_button.setChecked(True)
    chart(filled, "routingChart").save_table(str(tmp_path / "matrix.csv"))
    assert read_csv(tmp_path / "matrix.csv") == [
        ["measure", "active sleep", "after", "Shakespeare", "Python"],
        ["routing accuracy", "with", "Shakespeare", "0.97", ""],
        ["routing accuracy", "with", "Python", "0.9", "0.95"],
        ["routing accuracy", "without", "Python", "0.05", "0.99"],
    ]


def test_a_chart_is_saved_as_picture_of_twice_its_size(filled: ChartsPanel, tmp_path: Path) -> None:
    loss = chart(filled, "lossChart")
    loss.save_picture(str(tmp_path / "loss.png"))
    image = QImage(str(tmp_path / "loss.png"))
    assert image.size() == loss.size() * 2
    colours = {image.pixel(x, y) for x in range(0, image.width(), 2) for y in range(0, image.height(), 2)}
    assert line_colour(BARD.colour, LIGHT).rgb() in colours


@pytest.mark.parametrize("how", ["save_picture", "save_table"])
def test_a_file_that_cannot_be_written_is_told(filled: ChartsPanel, tmp_path: Path, how: str) -> None:
    told: list[tuple[str, str]] = []
    saved: list[str] = []
    filled.problem.connect(lambda message, hint: told.append((message, hint)))
    filled.saved.connect(saved.append)
    getattr(chart(filled, "lossChart"), how)(str(tmp_path / "no folder" / "loss.png"))
    assert len(told) == 1 and "no folder" in told[0][0] and told[0][1]
    assert saved == []


def test_the_menu_asks_where_to_save_and_saves_there(
    filled: ChartsPanel, tmp_path: Path, wait_until: WaitUntil
) -> None:
    loss = chart(filled, "lossChart")
    action = next(action for action in loss.findChildren(QAction) if "table" in action.text())
    action.trigger()
    dialog = loss.findChild(QFileDialog, "saveChartDialog")
    assert dialog is not None and dialog.isVisible()
    dialog.fileSelected.emit(str(tmp_path / "asked.csv"))
    dialog.reject()
    wait_until((tmp_path / "asked.csv").exists)


def test_every_button_says_what_it_does(filled: ChartsPanel) -> None:
    buttons = [button for button in filled.findChildren(QToolButton) if button.isVisible()]
    assert len(buttons) == 7
    for button in buttons:
        assert button.accessibleName() and button.toolTip()
        assert button.focusPolicy() & Qt.FocusPolicy.TabFocus
