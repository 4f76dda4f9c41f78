"""The real window around a tiny model: nothing survives a test, neither window nor thread, and nothing fails unseen."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from person import Person
from PySide6.QtCore import (
    QCoreApplication,
    QEvent,
    QEventLoop,
    QMessageLogContext,
    QThread,
    QTimer,
    QtMsgType,
    qInstallMessageHandler,
)
from PySide6.QtWidgets import QApplication
from shiboken6 import isValid

from tlora_gui.engine import dreams, jobs
from tlora_gui.engine.config import SamplingSettings, TrainSettings
from tlora_gui.engine.session import Session
from tlora_gui.ui.app import create_window
from tlora_gui.ui.main_window import MainWindow

OpenWindow = Callable[..., Person]

SETTINGS = TrainSettings(
    max_tokens=4096, block_size=32, eval_every=8, learning_rate=5e-3, mixer_learning_rate=0.05, held_out_tokens=256
)
"""Steep and short: afterwards the mixer tells the two tiny corpora apart."""


@pytest.fixture(scope="session")
def qapp() -> QApplication:
    """The application for the whole run; a test that closes its window does not end it."""
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication([])
    app.setQuitOnLastWindowClosed(False)
    return app


@pytest.fixture
def wait_until(qapp: QApplication) -> Iterator[Callable[..., None]]:
    """``wait_until(condition)`` turns the event loop until it holds; the timeout is for a test that has failed.

    Not with ``QTest.qWait``, which holds Python's lock all the while, so that the engine's thread starves.
    """
    tick = QTimer(qapp)
    tick.setInterval(10)
    tick.start()

    def wait(condition: Callable[[], object], timeout_s: float = 20.0) -> None:
        end = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < end, f"still not true after {timeout_s} s"
            QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    yield wait
    tick.stop()
    tick.deleteLater()


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dreams of the tiny model do not go to the cache that starter backbone and corpora are in; one thread is enough."""
    monkeypatch.setenv("TLORA_CACHE", str(tmp_path_factory.getbasetemp() / "e2e-cache"))
    monkeypatch.setenv("TLORA_THREADS", "1")


@pytest.fixture(autouse=True)
def short_dreams(monkeypatch: pytest.MonkeyPatch) -> None:
    """The backbone's own text is no matter here."""
    _shorten_dreams(monkeypatch)


def _shorten_dreams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dreams, "DREAM_BLOCKS", 12)
    monkeypatch.setattr(dreams, "DREAM_LENGTH", 32)
    monkeypatch.setattr(dreams, "_PROBE_BLOCKS", 2)


@pytest.fixture(autouse=True)
def nothing_fails_unseen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails a test in which a slot raised or Qt warned; both only print to the console by themselves."""
    problems: list[str] = []

    def raised(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        problems.append(f"{kind.__name__}: {error}")
        sys.__excepthook__(kind, error, trace)

    def told(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
        offscreen = message.startswith("This plugin does not support")
        if kind not in (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg) and not offscreen:
            problems.append(f"Qt: {message}")

    monkeypatch.setattr(sys, "excepthook", raised)
    before = qInstallMessageHandler(told)
    yield
    qInstallMessageHandler(before)
    assert problems == []


@pytest.fixture(autouse=True)
def nothing_survives(qapp: QApplication, nothing_fails_unseen: None) -> Iterator[None]:
    """Closes what a test left open, then fails it if a top-level widget is still there."""
    yield
    for widget in QApplication.topLevelWidgets():
        if isValid(widget):  # closing one may have deleted the next
            widget.close_now() if isinstance(widget, MainWindow) else widget.close()
    for widget in QApplication.topLevelWidgets():
        if isValid(widget) and widget.parent() is None:
            widget.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    qapp.processEvents()
    survivors = [f"{type(widget).__name__} {widget.objectName()!r}" for widget in QApplication.topLevelWidgets()]
    assert survivors == [], f"top-level widgets survived the test: {survivors}"


@pytest.fixture
def open_window(nothing_survives: None, wait_until: Callable[..., None]) -> Iterator[OpenWindow]:
    """``open_window(project=None)``: shows a window as ``tlora-gui`` does; its thread must have ended in the end."""
    threads: list[QThread] = []

    def open_(project: Path | str | None = None, ready: bool = True) -> Person:
        window = create_window(None if project is None else str(project), "light")
        threads.append(window.client.findChild(QThread) or window.client._thread)
        person = Person(window, wait_until)
        window.show()
        person.window.activateWindow()
        if project is not None and ready:
            wait_until(lambda: window.project_shown)
        return person

    yield open_
    for widget in QApplication.topLevelWidgets():
        if isinstance(widget, MainWindow):
            widget.close_now()
    assert [thread.isFinished() for thread in threads] == [True] * len(threads)


@pytest.fixture
def project(tmp_path: Path, tiny_model_folder: Path, capped_threads: None) -> Path:
    """A project without epochs around the tiny model."""
    return _make(tmp_path / "project", tiny_model_folder)


@pytest.fixture(scope="session")
def _trained_once(
    tmp_path_factory: pytest.TempPathFactory, tiny_model_folder: Path, corpora: dict[str, Path]
) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TLORA_CACHE", str(tmp_path_factory.getbasetemp() / "e2e-cache"))
        _shorten_dreams(patch)
        train = [jobs.TrainEpoch(n.capitalize(), (str(corpora[n]),), f"{n} era", settings=SETTINGS) for n in corpora]
        generate = jobs.Generate("def f", sampling=SamplingSettings(max_new_tokens=24))
        return _make(tmp_path_factory.mktemp("trained") / "project", tiny_model_folder, *train, generate)


@pytest.fixture
def trained_project(_trained_once: Path, tmp_path: Path) -> Path:
    """A project of a test's own with the epochs Verse and Code and one generation."""
    return Path(shutil.copytree(_trained_once, tmp_path / "trained"))


def _make(path: Path, backbone: Path, *work: jobs.Job) -> Path:
    session = Session(threads=1)
    for job in (jobs.CreateProject(str(path), str(backbone)), *work):
        for _ in session.run(job):
            pass
    return path
