"""The memory matrix by routing and by loss, its metrics, and what they say about themselves."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kit import WaitUntil, child
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QToolButton, QWidget
from screen_reader import items_of

from tlora_gui.engine.protocol.events import DomainScore, EpochInfo, Evaluated, HeldOut, TrainStarted, TrainStep
from tlora_gui.engine.protocol.metrics import FORMULAS
from tlora_gui.ui.charts.metric_values import MetricValue, metric_values, share_kept, sheet_of
from tlora_gui.ui.charts.panel import ChartsPanel
from tlora_gui.ui.charts.series import History, Matrix
from tlora_gui.ui.theme import DARK, LIGHT

StoredHistory = tuple[tuple[str, tuple[TrainStep | HeldOut, ...]], ...]
NAN = math.nan

# Gains over the backbone: 1.0, 0.5 and 0.4 nats/token.
BARD = EpochInfo("bard", "Shakespeare", "", "#0072B2", "frozen", 1000, 3.0, 4.0)
CODE = EpochInfo("code", "Python", "", "#E69F00", "frozen", 1000, 2.0, 2.5)
FIEND = EpochInfo("fiend", "Milton", "", "#009E73", "frozen", 1000, 4.0, 4.4)
EPOCHS = {epoch.slug: epoch for epoch in (BARD, CODE, FIEND)}

R1 = (("bard", 0.90),)
R2 = (("bard", 0.94), ("code", 0.96))
R3 = (("bard", 0.88), ("code", 0.95), ("fiend", 0.99))
BESIDE = (("bard", 0.10), ("code", 0.20), ("fiend", 1.00))
LOSSES = (("bard", 3.1), ("code", 2.04), ("fiend", 4.1))


def three_phases() -> StoredHistory:
    """Three phases, each measured at its end; the last one compared with a mixer without Active Sleep."""
    return (
        ("bard", (HeldOut("bard", 10, 3.0, R1, (), (("bard", 3.02),)),)),
        ("code", (HeldOut("code", 10, 2.0, R2, (), (("bard", 3.05), ("code", 2.01))),)),
        ("fiend", (HeldOut("fiend", 10, 4.0, R3, BESIDE, LOSSES, 4.08),)),
    )


def matrix_of(history: StoredHistory) -> Matrix:
    loaded = History()
    loaded.load(history)
    return loaded.matrix()


def without_losses(history: StoredHistory) -> StoredHistory:
    """As an earlier version stored it."""
    return tuple(
        (
            slug,
            tuple(replace(event, losses=(), unprotected_loss=None) for event in events if isinstance(event, HeldOut)),
        )
        for slug, events in history
    )


@pytest.fixture
def panel(qapp: QApplication) -> ChartsPanel:
    """Three finished epochs, the memory matrix shown, cards as wide as in a window of 1280 x 800."""
    panel = ChartsPanel()
    panel.resize(871, 250)
    panel.show()
    panel.apply_theme(LIGHT)
    panel.set_epochs((BARD, CODE, FIEND))
    panel.load_history(three_phases())
    panel.redraw()
    panel.matrix_button.setChecked(True)
    return panel


def measure_button(panel: ChartsPanel, measure: str) -> QToolButton:
    return child(panel, f"{measure}MeasureButton", QToolButton)


def metric(panel: ChartsPanel, name: str) -> QLabel:
    return child(panel, f"metric_{name}", QLabel)


def cell_colour(panel: ChartsPanel, row: int, column: int) -> QColor:
    """As drawn on the card, beside the number."""
    view = panel.matrix
    corner = view.visualRect(view.model().index(row, column)).topLeft() + QPoint(6, 6)
    return panel.grab().toImage().pixelColor(view.viewport().mapTo(panel, corner))


def texts(panel: ChartsPanel) -> list[str]:
    return [panel.matrix_view.strip.text(name) for name in FORMULAS]


# -- figures ----------------------------------------------------------------------------------------------------


def test_the_matrix_holds_the_losses_of_the_mix() -> None:
    matrix = matrix_of(three_phases())
    np.testing.assert_array_equal(matrix.losses, [[3.02, NAN, NAN], [3.05, 2.01, NAN], [3.1, 2.04, 4.1]])
    np.testing.assert_array_equal(matrix.baseline_losses, [[NAN] * 3, [NAN] * 3, [NAN, NAN, 4.08]])


def test_metrics_of_routing_are_those_computed_by_hand() -> None:
    found = metric_values(matrix_of(three_phases()), EPOCHS)
    assert found["average_accuracy"].value == pytest.approx((0.88 + 0.95 + 0.99) / 3)
    assert found["backward_transfer"].value == pytest.approx(((0.88 - 0.90) + (0.95 - 0.96)) / 2)
    assert found["forgetting"].value == pytest.approx(((0.94 - 0.88) + (0.96 - 0.95)) / 2), (
        "from the best, not the first"
    )


def test_without_active_sleep_only_the_last_row_is_the_unprotected_one() -> None:
    found = metric_values(matrix_of(three_phases()), EPOCHS)
    assert found["average_accuracy"].without == pytest.approx((0.10 + 0.20 + 1.00) / 3)
    assert found["backward_transfer"].without == pytest.approx(((0.10 - 0.90) + (0.20 - 0.96)) / 2)
    assert found["forgetting"].without == pytest.approx(((0.94 - 0.10) + (0.96 - 0.20)) / 2)


def test_the_gain_kept_is_that_of_the_worst_epoch_after_the_last_phase() -> None:
    found = metric_values(matrix_of(three_phases()), EPOCHS)["gain_kept"]
    assert found.slug == "fiend" and found.value == pytest.approx((4.4 - 4.1) / 0.4)


def test_the_cost_of_protection_is_a_share_of_the_newest_epochs_gain() -> None:
    found = metric_values(matrix_of(three_phases()), EPOCHS)["plasticity_cost"]
    assert found.slug == "fiend" and found.value == pytest.approx((4.1 - 4.08) / 0.4)


def test_one_epoch_has_an_average_but_nothing_to_forget() -> None:
    found = metric_values(matrix_of(three_phases()[:1]), EPOCHS)
    assert found["average_accuracy"] == MetricValue(pytest.approx(0.9))
    assert found["gain_kept"].value == pytest.approx(0.98)
    for name in (
        "backward_transfer",
        "forgetting",
        "plasticity_cost",
        "switch_lag",
        "unknown_text",
        "calibration_error",
    ):
        assert found[name] == MetricValue()


def test_nothing_is_known_of_no_epochs() -> None:
    assert metric_values(matrix_of(()), {}) == dict.fromkeys(FORMULAS, MetricValue())


@pytest.mark.parametrize("state", ["training", "interrupted"])
def test_a_phase_that_is_not_finished_does_not_count(state: str) -> None:
    epochs = EPOCHS | {"fiend": replace(FIEND, state=state)}  # type: ignore[arg-type]
    assert metric_values(matrix_of(three_phases()), epochs) == metric_values(matrix_of(three_phases()[:2]), EPOCHS)


def test_an_interrupted_epoch_between_two_finished_ones_is_left_out() -> None:
    epochs = EPOCHS | {"code": replace(CODE, state="interrupted")}
    found = metric_values(matrix_of(three_phases()), epochs)
    assert found["average_accuracy"].value == pytest.approx((0.88 + 0.99) / 2)
    assert found["forgetting"].value == pytest.approx(0.90 - 0.88), "its own phase does not count either"


def test_a_gap_in_the_measurements_leaves_forgetting_unknown() -> None:
    first, second, third = three_phases()
    gap = (first, ("code", (replace(second[1][0], routing=(("code", 0.96),)),)), third)
    found = metric_values(matrix_of(gap), EPOCHS)
    assert found["forgetting"].value is None
    assert found["backward_transfer"].value == pytest.approx(-0.015)


def test_an_epoch_that_gained_nothing_has_no_share_to_keep() -> None:
    useless = replace(FIEND, held_out_loss=4.5)
    assert math.isnan(share_kept(useless, 4.1))
    found = metric_values(matrix_of(three_phases()), EPOCHS | {"fiend": useless})
    assert found["gain_kept"].slug == "bard" and found["gain_kept"].value == pytest.approx(0.9)
    assert found["plasticity_cost"] == MetricValue()


def test_the_worst_epoch_is_unknown_while_one_loss_is() -> None:
    found = metric_values(matrix_of(three_phases()), EPOCHS | {"bard": replace(BARD, backbone_loss=None)})
    assert found["gain_kept"] == MetricValue()


def test_an_evaluation_gives_lag_and_calibration_and_the_gain_kept_of_an_older_project() -> None:
    scores = (
        DomainScore("bard", 4.0, 3.0, 3.2, 0.9, None),
        DomainScore("code", 2.5, 2.0, 2.05, 0.9, None),
        DomainScore("fiend", 4.4, 4.5, 4.4, 0.9, None),
    )
    found = metric_values(matrix_of(without_losses(three_phases())), EPOCHS, Evaluated(scores, 2.5, 0.031))
    assert found["switch_lag"] == MetricValue(2.5) and found["calibration_error"] == MetricValue(0.031)
    assert found["gain_kept"] == MetricValue(pytest.approx(0.8), slug="bard")
    assert metric_values(matrix_of(three_phases()), EPOCHS, Evaluated(scores, None, NAN))["gain_kept"].slug == "fiend"


def test_a_single_epochs_evaluation_has_no_lag() -> None:
    found = metric_values(matrix_of(three_phases()[:1]), EPOCHS, Evaluated((), None, NAN))
    assert found["switch_lag"] == found["calibration_error"] == MetricValue()


def test_a_loss_counts_by_the_share_of_the_gain_kept() -> None:
    sheet = sheet_of(matrix_of(three_phases()), "loss", EPOCHS | {"code": replace(CODE, held_out_loss=None)})
    np.testing.assert_allclose(sheet.strength, [[0.98, NAN, NAN], [0.95, NAN, NAN], [0.9, NAN, 0.75]])
    assert sheet.baseline[2, 2] == 4.08


# -- the matrix -------------------------------------------------------------------------------------------------


def test_the_switch_is_there_with_the_matrix_alone(panel: ChartsPanel) -> None:
    switch = panel.findChild(QWidget, "matrixMeasure")
    assert switch is not None and switch.isVisible()
    QTest.mouseClick(panel.matrix_button, Qt.MouseButton.LeftButton)
    assert not switch.isVisible() and not panel.matrix_view.strip.isVisible()


def test_the_switch_shows_the_loss_of_the_mix_and_routing_again(panel: ChartsPanel) -> None:
    matrix = panel.matrix
    assert matrix.cell_text("fiend", "bard") == "0.88"
    QTest.mouseClick(measure_button(panel, "loss"), Qt.MouseButton.LeftButton)
    assert matrix.cell_text("fiend", "bard") == "3.10" and matrix.cell_text("bard", "fiend") == ""
    assert "nats/token" in [label.text()[:10] for label in panel.routing_chart.findChildren(QLabel)]
    panel.redraw()
    assert matrix.cell_text("fiend", "code") == "2.04", "the choice outlives a redraw"
    QTest.mouseClick(measure_button(panel, "routing"), Qt.MouseButton.LeftButton)
    assert matrix.cell_text("fiend", "bard") == "0.88"


def test_the_switch_follows_the_keyboard(panel: ChartsPanel, wait_until: WaitUntil) -> None:
    routing, loss = measure_button(panel, "routing"), measure_button(panel, "loss")
    for button in (routing, loss):
        assert button.focusPolicy() & Qt.FocusPolicy.TabFocus
        assert button.accessibleName() and button.toolTip()
    panel.activateWindow()
    routing.setFocus()
    wait_until(routing.hasFocus)
    QTest.keyClick(routing, Qt.Key.Key_Right)
    assert loss.isChecked() and panel.matrix.cell_text("fiend", "bard") == "3.10"
    QTest.keyClick(loss, Qt.Key.Key_Left)
    assert routing.isChecked() and panel.matrix.cell_text("fiend", "bard") == "0.88"


def test_a_cell_says_in_words_what_was_lost(panel: ChartsPanel) -> None:
    measure_button(panel, "loss").click()
    matrix = panel.matrix
    words = matrix.cell_tooltip("fiend", "bard")
    for part in (
        "After Milton",
        "Shakespeare's held-out text",
        "3.10 nats/token",
        "alone has 3.00",
        "alone 4.00",
        "90 %",
    ):
        assert part in words
    assert "without Active Sleep" not in words
    assert "4.08 without Active Sleep" in matrix.cell_tooltip("fiend", "fiend")
    assert matrix.cell_tooltip("bard", "fiend") == ""
    assert "3.10 nats/token" in items_of(matrix)[6]


def test_a_mix_worse_than_the_backbone_and_an_epoch_without_gain_are_told(panel: ChartsPanel) -> None:
    panel.set_epochs((replace(BARD, backbone_loss=3.05), replace(CODE, held_out_loss=2.6), FIEND))
    panel.redraw()
    measure_button(panel, "loss").click()
    assert "worse here than the backbone" in panel.matrix.cell_tooltip("fiend", "bard")
    assert "gains nothing" in panel.matrix.cell_tooltip("fiend", "code")


def test_a_loss_without_anything_to_compare_with_is_uncoloured(panel: ChartsPanel) -> None:
    panel.set_epochs((BARD, replace(CODE, backbone_loss=None), FIEND))
    panel.redraw()
    measure_button(panel, "loss").click()
    known, unknown, empty = (cell_colour(panel, row, column) for row, column in ((2, 0), (2, 1), (0, 2)))
    assert known.blue() > known.red() + 50
    assert unknown == QColor(LIGHT.hover) and empty == QColor(LIGHT.window)
    assert "2.04 nats/token" in panel.matrix.cell_tooltip("fiend", "code")
    assert "alone" not in panel.matrix.cell_tooltip("fiend", "code")


def test_the_more_gain_is_kept_the_stronger_the_cell(panel: ChartsPanel) -> None:
    measure_button(panel, "loss").click()
    reds = [cell_colour(panel, row, 0).red() for row in range(3)]
    assert reds[0] < reds[1] < reds[2], "98, 95 and 90 % of the gain"


def test_an_older_project_says_that_it_has_no_losses(panel: ChartsPanel) -> None:
    panel.load_history(without_losses(three_phases()))
    panel.redraw()
    assert "No loss" not in panel.matrix.accessibleDescription(), "routing is there"
    measure_button(panel, "loss").click()
    assert "No loss of the mix yet" in panel.matrix.accessibleDescription()
    assert cell_colour(panel, 0, 0) == QColor(LIGHT.panel)


@pytest.mark.parametrize("measure", ["routing", "loss"])
def test_the_table_holds_both_measures_whichever_is_shown(panel: ChartsPanel, tmp_path: Path, measure: str) -> None:
    measure_button(panel, measure).click()
    path = tmp_path / "matrix.csv"
    panel.routing_chart.save_table(str(path))
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["measure", "active sleep", "after", "Shakespeare", "Python", "Milton"],
        ["routing accuracy", "with", "Shakespeare", "0.9", "", ""],
        ["routing accuracy", "with", "Python", "0.94", "0.96", ""],
        ["routing accuracy", "with", "Milton", "0.88", "0.95", "0.99"],
        ["routing accuracy", "without", "Milton", "0.1", "0.2", "1.0"],
        ["loss in nats/token", "with", "Shakespeare", "3.02", "", ""],
        ["loss in nats/token", "with", "Python", "3.05", "2.01", ""],
        ["loss in nats/token", "with", "Milton", "3.1", "2.04", "4.1"],
        ["loss in nats/token", "without", "Milton", "", "", "4.08"],
    ]


# -- the metrics ------------------------------------------------------------------------------------------------


def test_the_strip_shows_every_metric_and_the_comparison(panel: ChartsPanel) -> None:
    assert texts(panel) == [
        "AA 94.0 (43.3)", "BWT −1.5 (−78.0)", "F 3.5 (80.0)", "Gain kept 75 %", "Cost 5.0 %", "Lag —", "Slot 0 —",
        "ECE —",
    ]  # fmt: skip


def test_every_metric_explains_itself(panel: ChartsPanel) -> None:
    for name, formula in FORMULAS.items():
        label = metric(panel, name)
        assert label.isVisible() and formula in label.accessibleDescription()
        assert "<p>" in label.toolTip()
    assert "without Active Sleep" in metric(panel, "forgetting").toolTip()
    assert "Only its row of R" in metric(panel, "forgetting").toolTip()
    assert "Milton" in metric(panel, "gain_kept").toolTip()
    assert "Epoch &gt; Measure all" in metric(panel, "switch_lag").toolTip()


def test_an_unknown_metric_says_what_it_needs(panel: ChartsPanel) -> None:
    panel.set_epochs((BARD,))
    panel.load_history(three_phases()[:1])
    panel.redraw()
    assert texts(panel)[:5] == ["AA 90.0", "BWT —", "F —", "Gain kept 98 %", "Cost —"]
    assert "from the second epoch on" in metric(panel, "backward_transfer").toolTip()
    assert "in brackets" not in metric(panel, "average_accuracy").toolTip()
    assert "second epoch" not in metric(panel, "gain_kept").toolTip()


def test_names_in_a_tooltip_are_text_not_markup(panel: ChartsPanel) -> None:
    panel.set_epochs((BARD, CODE, replace(FIEND, name="<b>x</b>")))
    panel.redraw()
    assert "&lt;b&gt;x" in metric(panel, "gain_kept").toolTip()


def test_an_evaluation_is_shown_until_a_training_begins(panel: ChartsPanel, wait_until: WaitUntil) -> None:
    panel.show_evaluation(Evaluated((), 2.0, 0.031, (), 0.62))
    wait_until(lambda: texts(panel)[5:] == ["Lag 2", "Slot 0 0.62", "ECE 0.03"])
    panel.begin_epoch(TrainStarted(EpochInfo("new", "New", "", "#CC79A7", "training"), 10, 0))
    wait_until(lambda: texts(panel)[5:] == ["Lag —", "Slot 0 —", "ECE —"])


@pytest.mark.parametrize(
    "epochs", [(BARD, CODE), (BARD, CODE, FIEND, EpochInfo("new", "New", "", "#CC79A7", "queued"))]
)
def test_an_evaluation_goes_when_the_epochs_change_in_number(
    panel: ChartsPanel, epochs: tuple[EpochInfo, ...], wait_until: WaitUntil
) -> None:
    panel.show_evaluation(Evaluated((), 2.5, 0.031))
    wait_until(lambda: texts(panel)[5] == "Lag 2.5")
    panel.set_epochs((replace(BARD, name="Marlowe"), CODE, FIEND))
    panel.redraw()
    assert texts(panel)[5] == "Lag 2.5", "a new name changes nothing"
    panel.set_epochs(epochs)
    panel.redraw()
    assert texts(panel)[5] == "Lag —"


def test_an_evaluation_can_be_taken_away_and_goes_with_its_project(panel: ChartsPanel, wait_until: WaitUntil) -> None:
    panel.show_evaluation(Evaluated((), 2.0, 0.031))
    panel.show_evaluation(None)
    panel.redraw()
    assert texts(panel)[5] == "Lag —"
    panel.show_evaluation(Evaluated((), 2.0, 0.031))
    panel.load_history(three_phases())
    panel.redraw()
    assert texts(panel)[5] == "Lag —"


def test_a_removed_epoch_leaves_the_metrics(panel: ChartsPanel, wait_until: WaitUntil) -> None:
    panel.remove_epoch("fiend")
    wait_until(lambda: texts(panel)[2] == "F −4.0")


@pytest.mark.parametrize("width", [871, 760, 1800])
def test_matrix_and_metrics_fit_into_the_card(panel: ChartsPanel, width: int) -> None:
    panel.show_evaluation(Evaluated((), 12.5, 0.031, (), 0.62))
    panel.redraw()
    panel.resize(width, 250)
    view = panel.matrix_view
    view.grab()
    labels = [metric(panel, name) for name in FORMULAS]
    for label in labels:
        assert view.strip.rect().contains(label.geometry())
        assert label.width() >= label.sizeHint().width()
    boxes = [label.geometry() for label in labels]
    assert not any(one.intersects(other) for one in boxes for other in boxes if one is not other)
    assert view.matrix.geometry().bottom() < view.strip.y()
    assert view.strip.geometry().bottom() <= view.height()
    assert view.matrix.rowHeight(0) >= panel.matrix.fontMetrics().height()
    rows = len({label.y() for label in labels})
    assert rows == {871: 3, 1800: 2}.get(width, rows)


@pytest.mark.parametrize("height", [210, 211, 212])
def test_every_cell_is_whole(panel: ChartsPanel, height: int) -> None:
    panel.resize(820, height)
    panel.grab()
    view, model = panel.matrix, panel.matrix.model()
    last = view.visualRect(model.index(model.rowCount() - 1, model.columnCount() - 1))
    assert last.height() < 52, "cells share the height, none has its largest size"
    assert view.viewport().rect().contains(last)


def test_where_there_is_no_room_the_metrics_go_before_the_matrix(panel: ChartsPanel) -> None:
    panel.resize(871, 150)
    panel.grab()
    assert not panel.matrix_view.strip.isVisible()
    assert panel.matrix.height() == panel.matrix_view.height()
    panel.resize(871, 250)
    panel.grab()
    assert panel.matrix_view.strip.isVisible()


def test_metrics_take_the_themes_colours(panel: ChartsPanel) -> None:
    assert LIGHT.muted in metric(panel, "forgetting").text()
    panel.apply_theme(DARK)
    assert DARK.muted in metric(panel, "forgetting").text()


def test_a_saved_picture_holds_the_metrics_and_not_the_switch(panel: ChartsPanel) -> None:
    chart = panel.routing_chart
    image = chart.picture()
    switch = panel.measure_switch.geometry()
    inside = {
        image.pixelColor(2 * x, 2 * y).name()
        for x in range(switch.left(), switch.right())
        for y in range(switch.top(), switch.bottom())
    }
    assert inside == {LIGHT.panel.lower()}
    strip = panel.matrix_view.strip
    top = strip.mapTo(chart, strip.rect().topLeft())
    written = {image.pixelColor(2 * (top.x() + x), 2 * (top.y() + y)).name() for x in range(60) for y in range(10)}
    assert len(written) > 5
