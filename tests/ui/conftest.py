"""One real QApplication for all window tests; no top-level widget survives a test."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from shiboken6 import isValid

from tlora_gui.ui.theme import ThemeManager

WaitUntil = Callable[..., None]


@pytest.fixture(scope="session")
def qapp() -> QApplication:
    """The application, in the light theme, for the whole run."""
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication([])
    app.setQuitOnLastWindowClosed(False)
    ThemeManager(app, "light")
    return app


@pytest.fixture(autouse=True)
def no_widget_survives(qapp: QApplication) -> Iterator[None]:
    """Closes and deletes every top-level widget after a test, and fails the test if one is still there."""
    yield
    for widget in QApplication.topLevelWidgets():
        if isValid(widget):  # closing one may have deleted the next
            widget.close()
    for widget in QApplication.topLevelWidgets():
        if isValid(widget) and widget.parent() is None:
            widget.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    qapp.processEvents()
    survivors = [f"{type(widget).__name__} {widget.objectName()!r}" for widget in QApplication.topLevelWidgets()]
    assert survivors == [], f"top-level widgets survived the test: {survivors}"


@pytest.fixture
def wait_until(qapp: QApplication) -> WaitUntil:
    """``wait_until(condition, timeout_s=5.0)``: turns the event loop until the condition holds, else fails."""

    def wait(condition: Callable[[], object], timeout_s: float = 5.0) -> None:
        end = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < end, f"still not true after {timeout_s} s"
            QTest.qWait(10)

    return wait
