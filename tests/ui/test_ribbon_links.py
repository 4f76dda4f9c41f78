"""The mix ribbon linked to the text: selection, smoothing, menu and picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kit import MIXES, SLOTS, WaitUntil, drag, heights, ribbon_with, token, turn_wheel
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QContextMenuEvent, QImage
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.texts import TokenEvent
from tlora_gui.ui.generation.token_view.ribbon import MixRibbon
from tlora_gui.ui.running_sums import RunningSums

SHIFT = Qt.KeyboardModifier.ShiftModifier


def alternating(count: int) -> list[TokenEvent]:
    return [token(index, "x", ("plays", "code")[index % 2]) for index in range(count)]


def lowest(ribbon: MixRibbon) -> np.ndarray:
    """Upper edge of the lowest area, token by token."""
    return heights(ribbon)[-1][2:-2]


@pytest.fixture
def ribbon(qapp: QApplication, wait_until: WaitUntil) -> MixRibbon:
    return ribbon_with(alternating(60), wait_until)


@pytest.fixture
def told(ribbon: MixRibbon) -> list[tuple[int, int]]:
    told: list[tuple[int, int]] = []
    ribbon.selection_changed.connect(lambda first, last: told.append((first, last)))
    return told


def test_dragging_with_shift_selects_tokens_and_moves_nothing(ribbon: MixRibbon, told: list[tuple[int, int]]) -> None:
    before = ribbon.shown_range
    drag(ribbon.viewport(), ribbon.position_of(20), ribbon.position_of(10), SHIFT)
    assert told == [(20, 20), (10, 20)] and ribbon.selection == (10, 20)
    assert ribbon.shown_range == before


def test_a_selection_ends_where_the_tokens_end(
    qapp: QApplication, wait_until: WaitUntil, ribbon: MixRibbon, told: list[tuple[int, int]]
) -> None:
    drag(ribbon.viewport(), ribbon.position_of(50), ribbon.position_of(90), SHIFT)
    assert told[-1] == (50, 59)
    few = ribbon_with(alternating(3), wait_until)
    drag(few.viewport(), few.position_of(1), few.position_of(20), SHIFT)
    assert few.selection == (1, 2)


def test_nothing_can_be_selected_where_nothing_is(qapp: QApplication, wait_until: WaitUntil) -> None:
    empty = ribbon_with([], wait_until)
    drag(empty.viewport(), empty.position_of(1), empty.position_of(20), SHIFT)
    assert empty.selection == (-1, -1)


def test_a_click_takes_the_selection_back_and_panning_keeps_it(ribbon: MixRibbon, told: list[tuple[int, int]]) -> None:
    ribbon.set_selection(5, 9)
    drag(ribbon.viewport(), ribbon.position_of(20), ribbon.position_of(40), Qt.KeyboardModifier.NoModifier)
    assert told == []
    QTest.mouseClick(ribbon.viewport(), Qt.MouseButton.LeftButton, pos=ribbon.position_of(30))
    assert told == [(-1, -1)] and ribbon.current == 30


def test_selected_tokens_are_shaded_and_tell_nothing(ribbon: MixRibbon, told: list[tuple[int, int]]) -> None:
    def colour(index: int) -> QColor:
        return QColor(ribbon.grab().toImage().pixel(ribbon.position_of(index, 0.1)))

    plain = colour(20)
    ribbon.set_selection(15, 25)
    assert colour(20) != plain and colour(40) == plain
    ribbon.set_selection(-1, -1)
    assert colour(20) == plain and told == []


def test_a_new_text_has_no_selection(ribbon: MixRibbon) -> None:
    ribbon.set_selection(5, 9)
    ribbon.reset()
    assert ribbon.selection == (-1, -1)


def test_smoothing_draws_the_mean_of_the_tokens_around(ribbon: MixRibbon) -> None:
    own = lowest(ribbon)[:60]
    ribbon.set_smoothing(5)
    assert lowest(ribbon)[30] == pytest.approx(own[28:33].mean())
    assert lowest(ribbon)[0] == pytest.approx(own[:3].mean())
    for none in (1, 0):
        ribbon.set_smoothing(none)
        assert lowest(ribbon) == pytest.approx(own)


def test_means_with_more_rows_on_both_sides_stay_within_the_rows() -> None:
    rows = np.random.default_rng(0).random((50, 2))
    sums = RunningSums(2)
    sums.extend(rows.tolist())
    means = sums.means(np.array([0, 1, 20, 50]), reach=7)
    np.testing.assert_allclose(means, [rows[:8].mean(0), rows[:27].mean(0), rows[13:].mean(0)])


def test_other_weights_keep_zoom_selection_and_chosen_token(ribbon: MixRibbon, wait_until: WaitUntil) -> None:
    ribbon.set_selection(5, 9)
    ribbon.set_current(7)
    drag(ribbon.viewport(), ribbon.position_of(20), ribbon.position_of(40), Qt.KeyboardModifier.NoModifier)
    before = ribbon.shown_range, ribbon.selection, ribbon.current
    ribbon.replace_tokens([token(index, "x", "") for index in range(60)])
    wait_until(lambda: lowest(ribbon)[20] == pytest.approx(MIXES[""][1]))
    assert (ribbon.shown_range, ribbon.selection, ribbon.current) == before


def opened_menu(ribbon: MixRibbon) -> QMenu:
    place = ribbon.position_of(20)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, ribbon.mapToGlobal(place))
    QApplication.sendEvent(ribbon.viewport(), event)
    menu = ribbon.findChild(QMenu, "ribbonMenu")
    assert menu is not None and menu.isVisible()
    return menu


def test_menu_smooths_shows_everything_and_asks_to_save(ribbon: MixRibbon) -> None:
    asked: list[bool] = []
    ribbon.save_requested.connect(lambda: asked.append(True))
    turn_wheel(ribbon.viewport(), ribbon.position_of(30), 480, Qt.KeyboardModifier.ControlModifier)
    assert ribbon.shown_range[1] < 59
    ribbon.set_smoothing(15)
    menu = opened_menu(ribbon)
    smooth, everything, _, save = menu.actions()
    choices = smooth.menu().actions()
    assert [choice.isChecked() for choice in choices] == [False, False, True, False]
    choices[3].trigger()
    assert ribbon.smoothing == 45
    everything.trigger()
    assert ribbon.shown_range == pytest.approx((-0.5, 59.5))
    save.trigger()
    assert asked == [True]
    menu.close()


def test_there_is_nothing_to_save_of_an_empty_ribbon(qapp: QApplication, wait_until: WaitUntil) -> None:
    empty = ribbon_with([], wait_until)
    menu = opened_menu(empty)
    assert not menu.actions()[-1].isEnabled()
    menu.close()


def test_right_button_chooses_nothing_and_starts_no_zoom(ribbon: MixRibbon) -> None:
    before = ribbon.shown_range
    QTest.mouseClick(ribbon.viewport(), Qt.MouseButton.RightButton, pos=ribbon.position_of(30))
    assert ribbon.current == -1 and ribbon.shown_range == before


def test_picture_has_twice_the_size_and_no_mark_of_the_chosen_token(ribbon: MixRibbon, tmp_path: Path) -> None:
    ribbon.save_picture(str(tmp_path / "without.png"))
    unmarked = ribbon.grab().toImage()
    ribbon.set_current(30)
    marked = ribbon.grab().toImage()
    ribbon.save_picture(str(tmp_path / "with.png"))
    without, with_mark = (QImage(str(tmp_path / name)) for name in ("without.png", "with.png"))
    assert without.size() == ribbon.size() * 2 and without == with_mark
    assert QColor(without.pixel(ribbon.position_of(20, 0.05) * 2)) == QColor(SLOTS[1].colour)
    assert ribbon.grab().toImage() == marked != unmarked


def test_picture_can_be_a_drawing(ribbon: MixRibbon, tmp_path: Path) -> None:
    ribbon.save_picture(str(tmp_path / "mix.SVG"))
    drawing = QSvgRenderer(str(tmp_path / "mix.SVG"))
    assert drawing.isValid() and drawing.viewBox().size() == ribbon.size() * 2
    assert SLOTS[1].colour.lower() in (tmp_path / "mix.SVG").read_text(encoding="utf-8").lower()


@pytest.mark.parametrize("name", ["mix.png", "mix.svg"])
def test_a_picture_that_cannot_be_written_is_told(ribbon: MixRibbon, tmp_path: Path, name: str) -> None:
    with pytest.raises(TloraError, match="could not be written"):
        ribbon.save_picture(str(tmp_path / "missing" / name))
