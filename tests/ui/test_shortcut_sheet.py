"""The page of shortcuts: what it lists, how it fits, how it closes."""

from __future__ import annotations

import pytest
from kit import shown, texts
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QMainWindow

from tlora_gui.ui.widgets.key_caps import KeyCaps
from tlora_gui.ui.widgets.shortcut_sheet import ShortcutSheet, in_two


@pytest.fixture
def window(qapp: QApplication) -> QMainWindow:
    made = QMainWindow()
    project = made.menuBar().addMenu("&Project")
    project.addAction("&New project…").setShortcut(QKeySequence("Ctrl+N"))
    project.addAction("&Close project")
    made.menuBar().addMenu("&Help").addAction("&Shortcuts").setShortcuts([QKeySequence("F1"), QKeySequence("?")])
    return made


def opened(window: QMainWindow, *extra: tuple[str, str, str]) -> ShortcutSheet:
    sheet = ShortcutSheet(window, extra)
    sheet.open()
    shown(sheet)
    return sheet


def words(sheet: ShortcutSheet) -> list[str]:
    return texts(sheet)


def keys(sheet: ShortcutSheet) -> list[str]:
    return [found.accessibleName() for found in sheet.findChildren(KeyCaps)]


def test_it_lists_the_menus_shortcuts_and_other_keys_under_their_groups(window: QMainWindow) -> None:
    sheet = opened(window, ("Text", "← →", "Walk from token to token"), ("Project", "Ctrl+1", "First of all"))
    assert set(words(sheet)) == {
        "Project", "New project", "First of all", "Help", "Shortcuts", "Text", "Walk from token to token",
    }  # fmt: skip
    assert sorted(keys(sheet)) == sorted(["Ctrl+N", "Ctrl+1", "F1 ?", "← →"])


def test_a_group_of_extras_named_like_a_menu_is_one_with_it(window: QMainWindow) -> None:
    assert words(opened(window, ("Project", "Ctrl+1", "First of all"))).count("Project") == 1


def test_forty_five_entries_fit_a_window_of_1280_by_800(window: QMainWindow) -> None:
    groups = {"Text": 11, "Mixing desk": 8, "Branches": 7, "Mix ribbon": 6, "Prompt": 5, "Epochs": 6}
    extra = [(group, "Ctrl+Shift+C", "Copy with its colours") for group, count in groups.items() for _ in range(count)]
    sheet = opened(window, *extra)
    assert len(keys(sheet)) == 45
    assert sheet.width() <= 1280
    assert sheet.height() <= 800
    for found in sheet.findChildren(QLabel):
        assert found.width() >= found.sizeHint().width()


def test_groups_stay_whole_and_both_columns_are_about_as_tall() -> None:
    sizes = [2, 1, 13, 2, 7, 7, 5, 5, 5]
    groups = [(str(place), [("K", "what")] * size) for place, size in enumerate(sizes)]
    left, right = in_two(groups)
    assert sorted(left + right) == sorted(groups)
    heights = [sum(2 + len(entries) for _, entries in part) for part in (left, right)]
    assert abs(heights[0] - heights[1]) <= 4


@pytest.mark.parametrize("key", [Qt.Key.Key_F1, Qt.Key.Key_Question, Qt.Key.Key_Escape])
def test_the_keys_that_open_it_close_it_and_so_does_escape(window: QMainWindow, key: Qt.Key) -> None:
    sheet = opened(window)
    QTest.keyClick(sheet, key)
    assert not sheet.isVisible()


def test_its_button_closes_it(window: QMainWindow) -> None:
    sheet = opened(window)
    button = sheet.findChild(QAbstractButton, "closeSheetButton")
    assert button is not None
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert not sheet.isVisible()
