"""The tiny backbone of each family, with a copy that is never wrapped."""

from __future__ import annotations

import copy
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _one_thread(capped_threads: None) -> None:
    """Every test here runs tiny models."""


@pytest.fixture
def bare(tiny_backbone: Any) -> Any:
    """The backbone as it was before anything wrapped it. Ask for it before building a mixture."""
    return copy.deepcopy(tiny_backbone)
