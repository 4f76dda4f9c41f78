"""No top-level widget survives a test of the window's parts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtGui import QAccessible, QColor
from PySide6.QtWidgets import QApplication

from tlora_gui.ui.theme import DARK, ThemeManager


@pytest.fixture(autouse=True)
def _clean_up(qapp: QApplication, no_widget_survives: None) -> Iterator[None]:
    """Every test here leaves no window of its own and no dark theme behind."""
    yield
    if qapp.palette().window().color() == QColor(DARK.window):
        ThemeManager(qapp, "light")


@pytest.fixture
def listening(qapp: object) -> Iterator[None]:
    """A screen reader runs: views tell it what changes in them."""
    QAccessible.setActive(True)
    yield
    QAccessible.setActive(False)
