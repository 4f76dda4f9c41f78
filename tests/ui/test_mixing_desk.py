"""The mixing desk: what a person turns is told at once and never too often, and everything is reached by keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from kit import BACKBONE, PLAYS, SLOTS, WaitUntil, button, child, click, combo, said, shown, slider
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QScrollArea
from whole_window import whole_window

from tlora_gui.engine.protocol.config import MixingDesk, epoch_colour
from tlora_gui.engine.protocol.texts import SlotInfo
from tlora_gui.ui.generation.mixing_desk.mixing_desk import MixingDeskPanel
from tlora_gui.ui.generation.mixing_desk.sweep import sweep_desks


@pytest.fixture
def panel(qapp: QApplication) -> MixingDeskPanel:
    made = MixingDeskPanel()
    made.set_slots(SLOTS)
    shown(made, 250, 700)
    made.activateWindow()
    QApplication.processEvents()  # lays it out
    return made


@pytest.fixture
def told(panel: MixingDeskPanel) -> list[MixingDesk]:
    desks: list[MixingDesk] = []
    panel.desk_changed.connect(desks.append)
    return desks


def test_a_new_desk_leaves_the_mixer_alone(panel: MixingDeskPanel, told: list[MixingDesk]) -> None:
    assert panel.desk() == MixingDesk() and told == []
    assert button(panel, "deskLockMixer").isChecked()
    assert not slider(panel, "deskLevel:plays").isEnabled()
    assert "next token and are recorded with it" in said(panel)


def test_strips_stand_in_order_epochs_first_and_the_backbone_last(panel: MixingDeskPanel) -> None:
    tops = {slug: child(panel, f"deskMute:{slug}").mapTo(panel, QPoint()).y() for slug in ("plays", "code", "")}
    assert tops["plays"] < tops["code"] < tops[""]
    assert {"Plays", "Code", "Eternity"} <= set(said(panel).split("\n"))


@pytest.mark.parametrize(
    "desk",
    [
        MixingDesk("manual", (("plays", 0.7), ("code", 0.3))),
        MixingDesk("gain", (("", 0.5), ("plays", 1.5)), muted=("code",), temperature=2.0, hard=True),
        MixingDesk(solo=("plays",), temperature=0.25),
        MixingDesk("manual"),
    ],
)
def test_a_desk_that_is_set_stands_so_and_is_not_told(
    panel: MixingDeskPanel, told: list[MixingDesk], desk: MixingDesk
) -> None:
    panel.set_desk(desk)
    assert panel.desk() == desk and told == []


def test_sliders_of_a_column_are_as_long_whatever_they_say(panel: MixingDeskPanel) -> None:
    click(panel, "deskLockGain")
    level, lengths = slider(panel, "deskLevel:plays"), set()
    for per_cent in (0, 9, 99, 100, 200):
        level.setValue(per_cent)
        QApplication.processEvents()
        lengths |= {slider(panel, f"deskLevel:{slug}").width() for slug in ("plays", "code", "")}
    assert len(lengths) == 1


def test_what_the_mixer_decides_has_no_level_and_a_blend_no_temperature(panel: MixingDeskPanel) -> None:
    assert said(panel).split("\n").count("—") == 3
    click(panel, "deskLockManual")
    assert "50 %" in said(panel) and "—" not in said(panel)
    (temperature,) = [found for found in panel.findChildren(QLabel) if found.text() == "Temperature"]
    assert not temperature.isEnabled()
    click(panel, "deskLockGain")
    assert temperature.isEnabled()


def test_manual_begins_with_what_speaks_just_now(panel: MixingDeskPanel, told: list[MixingDesk]) -> None:
    panel.show_weights((0.1, 0.65, 0.25))
    click(panel, "deskLockManual")
    assert told == [MixingDesk("manual", (("", 0.1), ("plays", 0.65), ("code", 0.25)))]
    assert slider(panel, "deskLevel:plays").isEnabled() and slider(panel, "deskLevel:plays").value() == 65


def test_manual_begins_with_every_epoch_alike_if_nothing_has_spoken(panel: MixingDeskPanel) -> None:
    click(panel, "deskLockManual")
    assert panel.desk() == MixingDesk("manual", (("plays", 0.5), ("code", 0.5)))


def test_gain_goes_up_to_two_hundred_per_cent_and_each_lock_keeps_its_levels(panel: MixingDeskPanel) -> None:
    panel.set_desk(MixingDesk("manual", (("plays", 0.7),)))
    click(panel, "deskLockGain")
    assert panel.desk() == MixingDesk("gain")
    level = slider(panel, "deskLevel:plays")
    level.setFocus()
    QTest.keyClick(level, Qt.Key.Key_End)
    assert panel.desk() == MixingDesk("gain", (("plays", 2.0),)) and "200 %" in said(panel)
    click(panel, "deskLockManual")
    assert panel.desk() == MixingDesk("manual", (("plays", 0.7),))
    click(panel, "deskLockGain")
    assert panel.desk() == MixingDesk("gain", (("plays", 2.0),))


def test_keys_turn_levels_finely_and_coarsely(panel: MixingDeskPanel) -> None:
    panel.set_desk(MixingDesk("manual", (("plays", 0.5),)))
    level = slider(panel, "deskLevel:plays")
    level.setFocus()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_PageUp, Qt.Key.Key_Left):
        QTest.keyClick(level, key)
    assert panel.desk().levels == (("plays", 0.61),)


def test_up_and_down_go_to_the_neighbouring_strip_and_stop_at_the_ends(panel: MixingDeskPanel) -> None:
    panel.set_desk(MixingDesk("manual", (("plays", 0.5),)))
    child(panel, "deskLevel:plays").setFocus()
    reached = []
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up):
        QTest.keyClick(panel.focusWidget(), key)
        reached.append(panel.focusWidget().objectName())
    assert reached == ["deskLevel:code", "deskLevel:", "deskLevel:", "deskLevel:code"]
    child(panel, "deskSolo:code").setFocus()
    QTest.keyClick(panel.focusWidget(), Qt.Key.Key_Up)
    assert panel.focusWidget() is child(panel, "deskSolo:plays")
    assert panel.desk().levels == (("plays", 0.5),)


def test_mute_and_solo_by_click_and_by_letter(panel: MixingDeskPanel) -> None:
    click(panel, "deskMute:code")
    assert panel.desk() == MixingDesk(muted=("code",))
    child(panel, "deskMute:plays").setFocus()
    QTest.keyClick(panel.focusWidget(), Qt.Key.Key_S)
    assert panel.desk() == MixingDesk(muted=("code",), solo=("plays",))
    QTest.keyClick(panel.focusWidget(), Qt.Key.Key_S)
    QTest.keyClick(panel.focusWidget(), Qt.Key.Key_M)
    assert panel.desk().muted == ("plays", "code") and panel.desk().solo == ()


def test_who_cannot_be_heard_is_greyed(panel: MixingDeskPanel) -> None:
    def role_of(name: str) -> object:
        return next(label for label in panel.findChildren(QLabel) if label.text() == name).property("role")

    click(panel, "deskSolo:plays")
    assert [role_of(name) for name in ("Plays", "Code", "Eternity")] == ["name", "muted", "muted"]
    click(panel, "deskSolo:plays")
    assert role_of("Code") == "name"


def test_when_nothing_is_left_it_says_that_the_backbone_speaks(panel: MixingDeskPanel) -> None:
    for slug in ("plays", "code"):
        click(panel, f"deskMute:{slug}")
    assert "Nothing is left" not in said(panel)
    click(panel, "deskMute:")
    assert "Nothing is left: the backbone speaks." in said(panel)
    click(panel, "deskMute:code")
    assert "Nothing is left" not in said(panel)


def test_temperature_is_turned_on_a_scale_of_ratios_and_comes_back_to_one(panel: MixingDeskPanel) -> None:
    heat = slider(panel, "deskTemperatureSlider")
    heat.setFocus()
    QTest.keyClick(heat, Qt.Key.Key_End)
    assert panel.desk().temperature == 10
    QTest.keyClick(heat, Qt.Key.Key_Home)
    assert panel.desk().temperature == 0.1
    QTest.mouseDClick(heat, Qt.MouseButton.LeftButton)
    assert panel.desk().temperature == 1


def test_temperature_is_not_offered_where_the_mixer_is_not_asked(panel: MixingDeskPanel) -> None:
    click(panel, "deskLockManual")
    assert not slider(panel, "deskTemperatureSlider").isEnabled()
    click(panel, "deskLockGain")
    assert slider(panel, "deskTemperatureSlider").isEnabled()


def test_hard_gives_all_to_the_largest(panel: MixingDeskPanel) -> None:
    click(panel, "deskHardTick")
    assert panel.desk() == MixingDesk(hard=True)


def test_a_click_beside_the_handle_takes_the_level_there(panel: MixingDeskPanel) -> None:
    panel.set_desk(MixingDesk("manual", (("plays", 1.0),)))
    level = slider(panel, "deskLevel:plays")
    QTest.mouseClick(level, Qt.MouseButton.LeftButton, pos=QPoint(level.width() // 2, level.height() // 2))
    assert level.value() == pytest.approx(50, abs=2)


def test_reset_leaves_the_mixer_alone_again(panel: MixingDeskPanel, told: list[MixingDesk]) -> None:
    panel.set_desk(MixingDesk("gain", (("plays", 1.5),), muted=("code",), solo=("",), temperature=3.0, hard=True))
    click(panel, "deskResetButton")
    assert panel.desk() == MixingDesk() and told == [MixingDesk()]
    click(panel, "deskLockGain")
    assert panel.desk() == MixingDesk("gain")


def test_a_desk_turned_from_outside_is_told_as_a_persons(panel: MixingDeskPanel, told: list[MixingDesk]) -> None:
    panel.turn_by_hand({"plays": 0.8, "code": 0.2})
    assert told == [MixingDesk("manual", (("plays", 0.8), ("code", 0.2)))] == [panel.desk()]
    assert slider(panel, "deskLevel:plays").value() == 80 and button(panel, "deskLockManual").isChecked()


def test_weights_of_other_slots_are_not_shown(panel: MixingDeskPanel) -> None:
    empty = panel.grab().toImage()
    panel.show_weights((0.5, 0.5))
    assert panel.grab().toImage() == empty


def test_dragging_tells_no_more_than_needed_and_always_the_last(
    panel: MixingDeskPanel, told: list[MixingDesk], wait_until: WaitUntil
) -> None:
    panel.set_desk(MixingDesk("manual", (("plays", 0.1),)))
    level = slider(panel, "deskLevel:plays")
    for value in range(11, 91):
        level.setValue(value)
    assert [desk.levels for desk in told] == [(("plays", 0.11),)], "the first at once, the others later"
    wait_until(lambda: told[-1].levels == (("plays", 0.9),))
    assert len(told) == 2


def test_levels_and_mute_of_slots_that_stay_are_kept(panel: MixingDeskPanel, told: list[MixingDesk]) -> None:
    panel.set_desk(MixingDesk("gain", (("plays", 1.5), ("code", 0.5)), muted=("plays", "code"), solo=("plays",)))
    panel.set_slots((BACKBONE, PLAYS, SlotInfo("new", "New", "#009E73")))
    assert panel.desk() == MixingDesk("gain", (("plays", 1.5),), muted=("plays",), solo=("plays",))
    QApplication.processEvents()  # shows the new strips
    assert told == [] and "New" in said(panel) and "Code" not in said(panel)


def test_without_slots_it_says_what_to_do_next(panel: MixingDeskPanel) -> None:
    panel.set_slots(())
    assert "Open a project" in said(panel)
    assert not child(panel, "deskLockManual").isEnabled() and not child(panel, "sweepButton").isEnabled()


def test_another_mode_greys_the_desk_and_says_why(panel: MixingDeskPanel, told: list[MixingDesk]) -> None:
    panel.set_active(False)
    click(panel, "deskMute:code")
    click(panel, "deskLockManual")
    assert told == [] and panel.desk() == MixingDesk()
    assert "Only the Time Mixer can be turned; choose it as mode." in said(panel)
    panel.set_active(True)
    click(panel, "deskMute:code")
    assert told == [MixingDesk(muted=("code",))]


def test_the_latest_tokens_weights_are_shown_as_bars(panel: MixingDeskPanel, told: list[MixingDesk]) -> None:
    empty = panel.grab().toImage()
    panel.show_weights((0.1, 0.65, 0.25))
    full = panel.grab().toImage()
    assert empty != full and told == []
    panel.show_weights(())
    assert panel.grab().toImage() == empty


# -- sweeps --------------------------------------------------------------------------------------------------------


def test_a_sweep_goes_from_one_to_the_other_in_five_manual_blends() -> None:
    desks = sweep_desks("plays", "code")
    assert [desk.lock for desk in desks] == ["manual"] * 5
    assert [(desk.level("plays"), desk.level("code")) for desk in desks] == [
        (1, 0), (0.75, 0.25), (0.5, 0.5), (0.25, 0.75), (0, 1),
    ]  # fmt: skip
    assert {desk.level("") for desk in desks} == {0}


def test_a_sweep_is_between_the_first_two_epochs_until_one_chooses(qapp: object) -> None:
    panel = MixingDeskPanel()
    for slots in (SLOTS[:2], SLOTS):
        panel.set_slots(slots)
    assert combo(panel, "sweepToCombo").currentData() == SLOTS[2].slug


def test_a_sweep_is_asked_for_between_the_two_chosen(panel: MixingDeskPanel) -> None:
    asked: list[tuple[str, str]] = []
    panel.sweep_requested.connect(lambda one, other: asked.append((one, other)))
    click(panel, "sweepButton")
    to = combo(panel, "sweepToCombo")
    QTest.keyClicks(to, "Eternity")
    panel.set_slots((*SLOTS, SlotInfo("new", "New", "#009E73")))
    click(panel, "sweepButton")
    assert asked == [("plays", "code"), ("plays", "")]


def test_a_sweep_needs_two_different_slots(panel: MixingDeskPanel) -> None:
    to = combo(panel, "sweepToCombo")
    to.setCurrentIndex(to.findData("plays"))
    assert not child(panel, "sweepButton").isEnabled() and "two different" in child(panel, "sweepButton").toolTip()
    panel.set_slots((BACKBONE,))
    assert not child(panel, "sweepButton").isEnabled() and not child(panel, "sweepFromCombo").isEnabled()
    panel.set_slots((BACKBONE, PLAYS))
    assert child(panel, "sweepButton").isEnabled()


# -- reach ---------------------------------------------------------------------------------------------------------


def test_the_lock_is_chosen_by_keys(panel: MixingDeskPanel) -> None:
    child(panel, "deskLockMixer").setFocus()
    QTest.keyClick(panel.focusWidget(), Qt.Key.Key_Right)
    QTest.keyClick(panel.focusWidget(), Qt.Key.Key_Space)
    assert panel.desk().lock == "manual"
    QTest.keyClick(panel.focusWidget(), Qt.Key.Key_Right)
    QTest.keyClick(panel.focusWidget(), Qt.Key.Key_Space)
    assert panel.desk().lock == "gain"


def test_eight_epochs_fit_into_a_narrow_column(panel: MixingDeskPanel) -> None:
    panel.set_slots((BACKBONE, *(SlotInfo(f"e{n}", f"A rather long name {n}", epoch_colour(n)) for n in range(8))))
    panel.set_desk(MixingDesk("manual", (("e0", 0.5),)))
    panel.resize(250, 500)
    QApplication.processEvents()  # lays it out
    scroll = panel.findChild(QScrollArea)
    assert isinstance(scroll, QScrollArea)
    assert scroll.widget().width() <= scroll.viewport().width() and panel.minimumSizeHint().width() <= 250
    child(panel, "deskLevel:e0").setFocus()
    for _ in range(8):
        QTest.keyClick(panel.focusWidget(), Qt.Key.Key_Down)
    last = panel.focusWidget()
    assert last is child(panel, "deskLevel:")
    assert scroll.viewport().rect().contains(last.mapTo(scroll.viewport(), last.rect().center()))


def test_every_control_has_a_name_a_tooltip_and_a_place_in_the_tab_order(panel: MixingDeskPanel) -> None:
    panel.set_desk(MixingDesk("gain"))
    for name in (
        "deskLockMixer", "deskLockManual", "deskLockGain", "deskTemperatureSlider", "deskHardTick", "deskResetButton",
        "sweepFromCombo", "sweepToCombo", "sweepButton", "deskLevel:plays", "deskMute:plays", "deskSolo:plays",
    ):  # fmt: skip
        control = child(panel, name)
        assert control.accessibleName() and control.toolTip(), name
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus, name
    assert child(panel, "deskMute:plays").accessibleName() == "Mute Plays"


def test_the_menu_leads_to_the_sweep(tmp_path: Path, qapp: QApplication) -> None:
    with whole_window(project=tmp_path) as window:
        window.menus.sweep.trigger()
        assert window.desk.isVisible() and child(window.desk, "sweepFromCombo").hasFocus()
        window.show_welcome()
        assert not window.menus.sweep.isEnabled()
