"""What is imported once and stays is no work for the garbage collector."""

from __future__ import annotations

import gc

import pytest

from tlora_gui.imports import lasting_imports


def test_no_pass_comes_during_imports_and_what_they_made_is_left_out_of_later_ones() -> None:
    before = gc.get_freeze_count()
    with lasting_imports():
        assert not gc.isenabled()
        made: list[list[int]] = [[] for _ in range(1000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= before + len(made)


def test_it_is_as_before_after_an_import_that_failed() -> None:
    with pytest.raises(ImportError), lasting_imports():
        raise ImportError
    assert gc.isenabled()
