"""No top-level widget survives a test of the window's parts."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _clean_up(no_widget_survives: None) -> None:
    """Every test here begins and ends without a window."""
