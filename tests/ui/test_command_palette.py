"""The command palette over a window's real menus, by keyboard and mouse; its matching as a plain function."""

from __future__ import annotations

import doctest

import pytest
from kit import WaitUntil, child, edit, shown
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QListWidget, QMainWindow, QMenu

from tlora_gui.ui.widgets import command_palette, commands, key_caps
from tlora_gui.ui.widgets.command_palette import CommandPalette, score
from tlora_gui.ui.widgets.commands import commands_of
from tlora_gui.ui.widgets.key_caps import chords


class Desk(QMainWindow):
    """A window with menus that notes what was run."""

    def __init__(self) -> None:
        super().__init__()
        self.ran: list[str] = []
        self.resize(900, 700)
        project = self.menuBar().addMenu("&Project")
        self.add(project, "&New project…", "Ctrl+N")
        self.recent = project.addMenu("Open &recent")
        self.recent.aboutToShow.connect(self._fill_recent)
        project.addSeparator()
        self.add(project, "&Close project").setVisible(False)
        epoch = self.menuBar().addMenu("&Epoch")
        measure = self.add(epoch, "&Measure all")
        measure.setEnabled(False)
        measure.setToolTip("Train an epoch first")
        theme = self.menuBar().addMenu("&View").addMenu("&Theme")
        dark = self.add(theme, "&Dark")
        dark.setCheckable(True)
        self.add(theme, "&Light")

    def add(self, menu: QMenu, text: str, keys: str = "") -> QAction:
        action = menu.addAction(text)
        action.setShortcut(QKeySequence(keys))
        action.triggered.connect(lambda: self.ran.append(commands.plain(text)))
        return action

    def _fill_recent(self) -> None:
        self.recent.clear()
        self.add(self.recent, "Verses && songs")


@pytest.fixture
def window(qapp: QApplication) -> Desk:
    made = Desk()
    shown(made)
    return made


@pytest.fixture
def palette(window: Desk) -> CommandPalette:
    made = CommandPalette(window)
    made.open()
    return made


def search_line(palette: CommandPalette) -> QLineEdit:
    return edit(palette, "paletteEdit")


def rows(palette: CommandPalette) -> QListWidget:
    return child(palette, "paletteList", QListWidget)


def listed(palette: CommandPalette) -> list[str]:
    return [rows(palette).item(row).text() for row in range(rows(palette).count())]


def chosen(palette: CommandPalette) -> str:
    return rows(palette).currentItem().text()


# -- matching -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", [command_palette, commands, key_caps])
def test_the_examples_hold(module: object) -> None:
    result = doctest.testmod(module)  # type: ignore[arg-type]
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize(
    ("query", "better", "worse"),
    [
        ("np", "New project…", "Open project…"),  # starts of words before letters within
        ("light", "Light", "Let it go, thus"),  # together before scattered
        ("mix", "Mix", "Mix and much more of it besides"),  # short before long
        ("tok", "Copy token", "Attic look"),
        ("THEME", "Theme", "The mean"),  # whatever the case
    ],
)
def test_the_better_match_scores_higher(query: str, better: str, worse: str) -> None:
    high, low = score(query, better), score(query, worse)
    assert high is not None
    assert low is None or high > low


@pytest.mark.parametrize(("query", "text"), [("xyz", "Theme"), ("emeht", "Theme"), ("themes", "Theme"), ("a", "")])
def test_letters_that_do_not_occur_in_their_order_do_not_match(query: str, text: str) -> None:
    assert score(query, text) is None


def test_the_best_way_to_match_counts_not_the_first() -> None:
    assert score("br", "a b or branch") == score("br", "a x yz branch")


def test_spaces_in_a_query_are_left_out_and_an_empty_one_matches_everything() -> None:
    assert score("new pro", "New project") is not None
    assert score(" ", "Theme") == score("", "") == 0


# -- the list -------------------------------------------------------------------------------------------------------


def test_it_lists_what_the_menus_hold_in_their_order_submenus_filled(palette: CommandPalette) -> None:
    assert listed(palette) == ["New project…", "Verses & songs", "Measure all", "Dark", "Light"]
    assert chosen(palette) == "New project…"
    assert QApplication.focusWidget() is search_line(palette)


def test_every_command_knows_its_menu_and_keys(window: Desk) -> None:
    found = {command.name: (command.group, command.keys) for command in commands_of(window)}
    assert found["New project…"] == ("Project", "Ctrl+N")
    assert found["Light"] == ("View › Theme", "")


def test_typing_finds_by_letters_and_by_the_menus_name(palette: CommandPalette) -> None:
    QTest.keyClicks(search_line(palette), "th da")
    assert listed(palette) == ["Dark"]
    search_line(palette).clear()
    assert len(listed(palette)) == 5


def test_it_says_when_nothing_is_found_and_enter_does_nothing_then(palette: CommandPalette, window: Desk) -> None:
    QTest.keyClicks(search_line(palette), "qqq")
    labels = [found for found in palette.findChildren(QLabel) if found.isVisible()]
    assert [found.text() for found in labels] == ["No matching command."]
    QTest.keyClick(search_line(palette), Qt.Key.Key_Return)
    assert palette.isVisible()


def test_it_is_as_high_as_its_rows(palette: CommandPalette) -> None:
    before = palette.height()
    QTest.keyClicks(search_line(palette), "light")
    assert palette.height() < before


def test_the_chosen_row_is_told_to_screen_readers_with_menu_reason_and_keys(palette: CommandPalette) -> None:
    assert search_line(palette).accessibleDescription() == "New project…, Project, Ctrl+N"
    QTest.keyClicks(search_line(palette), "meas")
    assert search_line(palette).accessibleDescription() == "Measure all, Epoch, Train an epoch first"


# -- choosing and running -------------------------------------------------------------------------------------------


def test_down_and_up_walk_round(palette: CommandPalette) -> None:
    QTest.keyClick(search_line(palette), Qt.Key.Key_Up)
    assert chosen(palette) == "Light"
    QTest.keyClick(search_line(palette), Qt.Key.Key_Down)
    QTest.keyClick(search_line(palette), Qt.Key.Key_Down)
    assert chosen(palette) == "Verses & songs"
    QTest.keyClick(search_line(palette), Qt.Key.Key_PageDown)
    assert chosen(palette) == "Light"


def test_enter_runs_the_command_after_the_palette_has_closed(
    palette: CommandPalette, window: Desk, wait_until: WaitUntil
) -> None:
    QTest.keyClicks(search_line(palette), "light")
    QTest.keyClick(search_line(palette), Qt.Key.Key_Return)
    assert not palette.isVisible()
    assert window.ran == []
    wait_until(lambda: window.ran == ["Light"])


def test_a_click_runs_a_command(palette: CommandPalette, window: Desk, wait_until: WaitUntil) -> None:
    place = rows(palette).visualItemRect(rows(palette).item(1)).center()
    QTest.mouseClick(rows(palette).viewport(), Qt.MouseButton.LeftButton, pos=place)
    wait_until(lambda: window.ran == ["Verses & songs"])


def test_a_disabled_command_is_not_run_and_gives_its_reason(palette: CommandPalette, window: Desk) -> None:
    QTest.keyClicks(search_line(palette), "measure")
    assert rows(palette).currentItem().toolTip() == "Train an epoch first"
    QTest.keyClick(search_line(palette), Qt.Key.Key_Return)
    assert palette.isVisible()
    QApplication.processEvents()
    assert window.ran == []


def test_escape_closes_and_runs_nothing(palette: CommandPalette, window: Desk) -> None:
    QTest.keyClick(search_line(palette), Qt.Key.Key_Escape)
    assert not palette.isVisible()
    QApplication.processEvents()
    assert window.ran == []


def test_what_was_used_last_comes_first_the_next_time(palette: CommandPalette) -> None:
    for query in ("light", "new"):
        QTest.keyClicks(search_line(palette), query)
        QTest.keyClick(search_line(palette), Qt.Key.Key_Return)
        palette.open()
    assert search_line(palette).text() == ""
    assert listed(palette)[:3] == ["New project…", "Light", "Verses & songs"]


def test_a_command_that_is_gone_when_its_turn_comes_is_not_missed(palette: CommandPalette, window: Desk) -> None:
    QTest.keyClicks(search_line(palette), "verses")
    QTest.keyClick(search_line(palette), Qt.Key.Key_Return)
    window.recent.clear()
    QApplication.processEvents()
    assert window.ran == []


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ("Ctrl+K", [["Ctrl", "K"]]),
        ("Ctrl+-", [["Ctrl", "-"]]),
        ("+", [["+"]]),
        ("Ctrl+wheel", [["Ctrl", "wheel"]]),
        ("F1 ?", [["F1"], ["?"]]),
        ("Alt+Up / Alt+Down", [["Alt", "↑"], ["/"], ["Alt", "↓"]]),
        ("", []),
    ],
)
def test_shortcuts_are_divided_into_keys(keys: str, found: list[list[str]]) -> None:
    assert chords(keys) == found
