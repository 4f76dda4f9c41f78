"""The real window around a tiny model: no window and no thread survives a test, and nothing fails unseen."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from person import Person
from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication
from stage import Stage

from tlora_gui.app import create_window
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.config import SamplingSettings, TrainSettings
from tlora_gui.engine.session import Session
from tlora_gui.engine.training import dreams
from tlora_gui.ui.window import MainWindow
from tlora_gui.worker.engine_client import EngineClient

SETTINGS = TrainSettings(
    max_tokens=4096, block_size=32, eval_every=8, learning_rate=5e-3, mixer_learning_rate=0.05, held_out_tokens=256
)
"""Steep and short: afterwards the mixer tells the two tiny corpora apart."""


@pytest.fixture(autouse=True)
def own_cache(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Short dreams of the tiny model, out of the person's cache; one thread is enough for it."""
    if not request.node.get_closest_marker("starter"):
        monkeypatch.setenv("TLORA_CACHE", str(tmp_path_factory.getbasetemp() / "e2e-cache"))
        monkeypatch.setenv("TLORA_THREADS", "1")
        _shorten_dreams(monkeypatch)


def _shorten_dreams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dreams, "DREAM_BLOCKS", 12)
    monkeypatch.setattr(dreams, "DREAM_LENGTH", 32)
    monkeypatch.setattr(dreams, "EVAL_BLOCKS", 2)


@pytest.fixture(autouse=True)
def nothing_fails_unseen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails a test in which a slot raised or Qt warned; both are only printed otherwise."""
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


@pytest.fixture
def open_window(
    nothing_fails_unseen: None, no_widget_survives: None, capped_threads: None, wait_until: Callable[..., None]
) -> Iterator[Callable[..., Person]]:
    """``open_window(project=None)`` shows a window as ``tlora-gui`` does. All are closed after the test."""
    people: list[Person] = []

    def open_(project: Path | None = None, *, opens: bool = True, crash: str = "") -> Person:
        person = Person(create_window(None if project is None else str(project), "light", crash), wait_until)
        people.append(person)
        person.window.show()
        person.window.activateWindow()
        if project is not None and opens:
            person.wait(lambda: person.window.project_shown)
        return person

    yield open_
    for widget in QApplication.topLevelWidgets():
        if isinstance(widget, MainWindow):
            widget.close_now()
    assert [person.engine_thread.isFinished() for person in people] == [True] * len(people)


@pytest.fixture
def project(tmp_path: Path, tiny_model_folder: Path) -> Path:
    """A project without epochs around the tiny model."""
    return _make(tmp_path / "project", tiny_model_folder)


@pytest.fixture
def trained_project(trained_once: Path, tmp_path: Path) -> Path:
    """A project of a test's own with the epochs Verse and Code and one generation."""
    return Path(shutil.copytree(trained_once, tmp_path / "trained", ignore=shutil.ignore_patterns(".lock")))


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory, tiny_model_folder: Path, corpora: dict[str, Path]) -> Path:
    """What :func:`trained_project` copies."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TLORA_CACHE", str(tmp_path_factory.getbasetemp() / "e2e-cache"))
        _shorten_dreams(patch)
        train = [jobs.TrainEpoch(n.capitalize(), (str(corpora[n]),), f"{n} era", settings=SETTINGS) for n in corpora]
        generate = jobs.Generate("def f", sampling=SamplingSettings(max_new_tokens=24))
        return _make(tmp_path_factory.mktemp("trained") / "project", tiny_model_folder, *train, generate)


def _make(path: Path, backbone: Path, *work: jobs.Job) -> Path:
    session = Session(threads=1)
    for job in (jobs.CreateProject(str(path), str(backbone)), *work):
        for _ in session.run(job):
            pass
    session.close()
    return path


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """The engine of every window that is opened after it."""
    played = Stage()
    monkeypatch.setattr("tlora_gui.ui.window.EngineClient", partial(EngineClient, lambda: played))
    return played


@pytest.fixture
def faults_are_expected(nothing_fails_unseen: None, monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """For a test in which something raises on purpose: what reached the hook that was there before the window's."""
    reached: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: reached.append(error))
    return reached
