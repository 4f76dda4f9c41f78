"""No top-level widget survives a test of the window's parts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtGui import QAccessible


@pytest.fixture(autouse=True)
def _clean_up(no_widget_survives: None) -> None:
    """Every test here begins and ends without a window."""


@pytest.fixture
def listening(qapp: object) -> Iterator[None]:
    """A screen reader runs: views tell it what changes in them."""
    QAccessible.setActive(True)
    yield
    QAccessible.setActive(False)
