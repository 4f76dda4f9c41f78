"""A Time Mixer that reads the bare backbone: when "Import an adapter" offers it, at which cost, and what is asked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from kit import button, child, edit, tick
from PySide6.QtWidgets import QAbstractButton, QApplication, QCheckBox, QLabel

from tlora_gui.engine.protocol.events import BackboneInfo
from tlora_gui.engine.protocol.jobs import ImportAdapter
from tlora_gui.ui.epochs.import_adapter_dialog import ImportAdapterDialog

BACKBONE = BackboneInfo("SmolLM2-135M", "starter", 134_515_008, "CPU", "bf16", 8192, 30, 7)


@pytest.fixture
def dialog(qapp: QApplication) -> Iterator[ImportAdapterDialog]:
    made = ImportAdapterDialog()
    made.set_backbone(BACKBONE)
    made.open()
    yield made
    made.close()


def router_tick(dialog: ImportAdapterDialog) -> QCheckBox:
    return tick(dialog, "bareRouterTick")


def start(dialog: ImportAdapterDialog) -> QAbstractButton:
    return button(dialog, "importAdapterButton")


def test_an_adapter_of_every_block_is_imported_once_the_router_may_read_the_bare_backbone(
    dialog: ImportAdapterDialog, tmp_path: Path
) -> None:
    asked: list[ImportAdapter] = []
    dialog.import_requested.connect(asked.append)
    dialog.set_source(str(tmp_path))
    assert start(dialog).isEnabled() and not router_tick(dialog).isVisible()
    dialog.set_first_block(str(tmp_path), 0)
    told = child(dialog, "adapterReach", QLabel).text()
    assert router_tick(dialog).isVisible() and not router_tick(dialog).isChecked() and not start(dialog).isEnabled()
    assert "blocks from 0 up" in told and "before block 7" in told and "about 23\u00a0% more work per token" in told
    router_tick(dialog).click()
    start(dialog).click()
    assert [job.bare_router for job in asked] == [True]


@pytest.mark.parametrize("first_block", [7, 12, 30])
def test_an_adapter_above_is_imported_without_a_question(
    dialog: ImportAdapterDialog, tmp_path: Path, first_block: int
) -> None:
    asked: list[ImportAdapter] = []
    dialog.import_requested.connect(asked.append)
    dialog.set_source(str(tmp_path))
    dialog.set_first_block(str(tmp_path), first_block)
    assert not router_tick(dialog).isVisible()
    start(dialog).click()
    assert [job.bare_router for job in asked] == [False]


def test_of_an_adapter_on_the_hub_it_is_asked_before_anybody_knows(dialog: ImportAdapterDialog) -> None:
    looked: list[str] = []
    dialog.source_chosen.connect(looked.append)
    dialog.set_source("owner/adapter")
    assert looked[-1] == "owner/adapter" and not router_tick(dialog).isVisible()
    dialog.set_first_block("owner/adapter", None)
    assert router_tick(dialog).isVisible() and start(dialog).isEnabled()
    assert child(dialog, "adapterReach", QLabel).text().startswith("If it changes blocks below 7")


def test_the_window_does_not_look_itself(dialog: ImportAdapterDialog, monkeypatch: pytest.MonkeyPatch) -> None:
    """A drive that does not answer would hold it up."""
    for name in ("exists", "isdir", "isfile"):
        monkeypatch.setattr(os.path, name, lambda path: pytest.fail(f"it looks at {path}"))
    for name in ("exists", "is_dir", "is_file", "stat"):
        monkeypatch.setattr(Path, name, lambda path, **_: pytest.fail(f"it looks at {path}"))
    dialog.set_source("/mnt/gone/adapter")


def test_another_source_is_another_question(dialog: ImportAdapterDialog, tmp_path: Path) -> None:
    looked: list[str] = []
    dialog.source_chosen.connect(looked.append)
    (tmp_path / "other").mkdir()
    dialog.set_source(str(tmp_path))
    dialog.set_first_block(str(tmp_path), 0)
    router_tick(dialog).click()
    dialog.set_source(str(tmp_path / "other"))
    assert looked[-1] == str(tmp_path / "other")
    assert not router_tick(dialog).isVisible() and not router_tick(dialog).isChecked()
    dialog.set_first_block(str(tmp_path), 0)
    assert not router_tick(dialog).isVisible(), "the answer is to the former source"
    edit(dialog, "adapterSourceEdit").clear()
    assert not router_tick(dialog).isVisible()


@pytest.mark.parametrize("backbone", [replace(BACKBONE, bare_router=True), replace(BACKBONE, mixer_layer=0)])
def test_where_nothing_can_move_nothing_is_asked(
    dialog: ImportAdapterDialog, tmp_path: Path, backbone: BackboneInfo
) -> None:
    dialog.set_backbone(backbone)
    dialog.set_source(str(tmp_path))
    dialog.set_first_block(str(tmp_path), 0)
    assert not router_tick(dialog).isVisible() and start(dialog).isEnabled()
