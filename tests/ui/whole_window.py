"""The whole window without an engine or with a scripted one: made, opened on an invented project, put away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from kit import WaitUntil, shown
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtWidgets import QAbstractButton, QLabel, QPushButton, QToolButton, QWidget

from tlora_gui.app import create_window
from tlora_gui.engine.protocol.config import BACKBONE_COLOUR, MIXER_MODE, SamplingSettings
from tlora_gui.engine.protocol.events import (
    BackboneInfo,
    EpochInfo,
    HeldOut,
    JobDone,
    ProjectInfo,
    ProjectOpened,
    TrainStep,
)
from tlora_gui.engine.protocol.texts import Alternative, Generation, MixReasons, SlotInfo, TokenEvent
from tlora_gui.ui import window as window_module
from tlora_gui.ui.theme import ThemeMode
from tlora_gui.ui.widgets.elided_label import ElidedLabel
from tlora_gui.ui.window import MainWindow
from tlora_gui.worker.engine_client import EngineClient

SLOTS = (
    SlotInfo("", "Eternity", BACKBONE_COLOUR),
    SlotInfo("shakespeare", "Shakespeare", "#0072B2"),
    SlotInfo("python", "Python", "#E69F00"),
)
STOPPED = "stopped after step 23 of 40"
EPOCHS = (
    EpochInfo("shakespeare", "Shakespeare", "Renaissance era", "#0072B2", "frozen", 412_345, 3.44, 4.04),
    EpochInfo("python", "Python", "IT era", "#E69F00", "frozen", 388_000, 2.41, 2.78),
    EpochInfo("milton", "Milton", "Puritan era", "#009E73", "interrupted", 12_000, 4.31, 4.72, STOPPED),
)
_BUTTON_PADDING = 12
"""Pixels, of the smallest buttons."""

BACKBONE = BackboneInfo("SmolLM2-135M-Instruct", "starter", 134_515_008, "CPU", "float32", 2048, 30, 8)


def window_around(engine: Any, monkeypatch: pytest.MonkeyPatch) -> MainWindow:
    """A window with this engine, which is scripted, in its thread."""
    monkeypatch.setattr(window_module, "EngineClient", partial(EngineClient, lambda: engine))
    made = create_window(None, "light")
    shown(made)
    return made


def open_project(window: MainWindow, wait_until: WaitUntil, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    window.controller.projects.open(str(folder))
    wait_until(lambda: window.project_shown and not window.client.busy)


def a_generation() -> Generation:
    """Sixty tokens, each epoch's in turn."""
    mixes = {"shakespeare": (0.1, 0.8, 0.1), "python": (0.05, 0.15, 0.8)}
    tokens = []
    for place in range(60):
        word, mix = f"word{place} ", mixes["shakespeare" if place % 20 < 10 else "python"]
        others = (Alternative("the", 0.4, 3), Alternative(word, 0.25, place))
        reasons = MixReasons(0 if place % 20 < 10 else 1, 1.4, -0.5, 0.7 * (place % 10))
        tokens.append(TokenEvent(place, place, word, mix, place < 5, 0.25, 2, others, reasons=reasons))
    return Generation("word0 ", MIXER_MODE, SamplingSettings(), SLOTS, tuple(tokens), "length", 21.5, id="0001")


def a_project(path: Path) -> ProjectInfo:
    """Two epochs with their history, one that was interrupted, and a generation."""
    history = tuple(
        (
            epoch.slug,
            tuple(
                event
                for step in range(1, 40)
                for event in (
                    TrainStep(epoch.slug, step, 40, 4 - step / 50, 0.1 / step, 0.2, 1e-3, 512 * step, 500.0, 1.0),
                    HeldOut(epoch.slug, step, 4 - step / 60, tuple((e.slug, 0.9) for e in EPOCHS[: place + 1])),
                )
            ),
        )
        for place, epoch in enumerate(EPOCHS)
    )
    return ProjectInfo(str(path), "Verses", BACKBONE, "gating", EPOCHS, SLOTS, history, a_generation())


@contextmanager
def whole_window(theme: ThemeMode = "light", project: Path | None = None, width: int = 1280) -> Iterator[MainWindow]:
    """The window on screen, 800 pixels high, at the welcome or on an invented project; its engine never starts."""
    window = create_window(theme=theme)
    window.controller.begin = lambda project, crash="": None  # type: ignore[method-assign]
    window.resize(width, 800)
    window.show()
    try:
        if project is not None:
            window.controller.projects.open(str(project))
            (opening,) = window.client.live()
            window.client.receive([(opening, ProjectOpened(a_project(project))), (opening, JobDone(opening))])
            window.banner.clear()  # that of the interrupted epoch goes by itself
        QCoreApplication.processEvents()
        yield window
    finally:
        window.close_now()
        window.themes.deleteLater()  # the system's theme is nothing to it any more
        window.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def cut_off_anywhere(window: MainWindow) -> list[str]:
    """:func:`cut_off` with every dock brought to the front in turn."""
    found = cut_off(window)
    for dock in window.docks if window.project_shown else []:
        dock.raise_()
        QCoreApplication.processEvents()
        found += cut_off(dock)
    return found


def cut_off(window: QWidget) -> list[str]:
    """Labels and buttons on screen that are smaller than their words; a label that ends in "…" by itself may be."""
    shown = [
        widget
        for kind in (QLabel, QPushButton, QToolButton)
        for widget in window.findChildren(kind)
        if widget.text() and not widget.visibleRegion().isEmpty() and not isinstance(widget, ElidedLabel)
    ]
    return [f"{widget.text()!r} {widget.size().toTuple()} < {_needed(widget)}" for widget in shown if _is_cut(widget)]


def _needed(widget: QWidget) -> tuple[int, int]:
    """Width and height that the words take, height at the width that is there."""
    if isinstance(widget, QLabel) and widget.wordWrap():
        return 0, widget.heightForWidth(widget.width())
    if isinstance(widget, QLabel):
        hint = widget.minimumSizeHint()
        return hint.width(), hint.height()
    assert isinstance(widget, QAbstractButton)
    size = widget.fontMetrics().size(Qt.TextFlag.TextShowMnemonic.value, widget.text())
    return size.width() + _BUTTON_PADDING, size.height()


def _is_cut(widget: QWidget) -> bool:
    width, height = _needed(widget)
    return widget.width() < width or widget.height() < height
