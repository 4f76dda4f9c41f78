"""Leaving when the engine hangs, when nobody asks, and what is left behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from person import OpenWindow, Person
from PySide6.QtCore import QByteArray, QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication
from shiboken6 import isValid
from stage import Stage
from test_training import begin_long_training

from tlora_gui.app import create_window
from tlora_gui.demo.player import Demo
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import Progress, StreamEvent
from tlora_gui.ui.theme import ThemeManager


@pytest.fixture
def hang() -> Iterator[threading.Event]:
    """Holds the engine inside an item until the test is over."""
    gate = threading.Event()
    yield gate
    gate.set()


@pytest.fixture
def hanging(stage: Stage, hang: threading.Event, open_window: OpenWindow) -> Iterator[Person]:
    """Before a project whose trainings and texts hear nothing."""

    def play(job: jobs.Job, cancel: CancelToken) -> Iterator[StreamEvent]:
        yield Progress("hanging")
        hang.wait(120)

    for kind in (jobs.TrainEpoch, jobs.ResumeEpoch, jobs.Generate):
        stage.plays[kind] = play
    person = open_window(Path("/somewhere/here"))
    person.wait(lambda: not person.window.client.busy)
    yield person
    hang.set()
    person.wait(person.engine_thread.isFinished)


def begin(person: Person, stage: Stage, job: jobs.TrainEpoch | jobs.ResumeEpoch | jobs.Generate) -> None:
    if not isinstance(job, jobs.Generate):
        person.window.controller.training.train(job)
    else:
        person.window.controller.generating.generate(job)
    person.wait(lambda: stage.of(type(job)))


def test_the_second_wish_of_the_system_leaves_an_engine_that_hangs(hanging: Person, stage: Stage) -> None:
    begin(hanging, stage, jobs.ResumeEpoch("verse"))
    hanging.window.controller.closing.leave()
    assert hanging.window.isVisible()
    hanging.window.controller.closing.leave()
    assert not hanging.window.isVisible()


def test_a_second_close_leaves_an_engine_that_hangs(hanging: Person, stage: Stage) -> None:
    begin(hanging, stage, jobs.Generate("abc"))
    hanging.window.close()
    assert hanging.window.isVisible()
    hanging.window.close()
    assert not hanging.window.isVisible() and not hanging.window.shutdown()


def test_an_engine_that_tells_nothing_for_long_is_left(hanging: Person, stage: Stage) -> None:
    begin(hanging, stage, jobs.Generate("abc"))
    hanging.window.controller.closing.patience.setInterval(20)
    hanging.window.close()
    hanging.until_closed()


def test_what_is_still_being_stored_is_asked_about_before_it_is_given_up(hanging: Person, stage: Stage) -> None:
    begin(hanging, stage, jobs.ResumeEpoch("a"))
    hanging.window.close()
    hanging.answer("keepButton")
    hanging.wait(lambda: not hanging.window.isEnabled())
    hanging.window.close()
    assert hanging.window.isVisible()
    hanging.answer("forceButton")
    hanging.until_closed()


def test_a_window_that_ends_without_a_question_leaves_its_training_to_be_resumed(
    open_window: OpenWindow, project: Path, corpora: dict[str, Path]
) -> None:
    person = open_window(project)
    begin_long_training(person, corpora["verse"], tokens=6144)
    assert person.window.shutdown()  # as after QApplication.quit()
    again = open_window(project)
    assert again.states == {"Verse": "interrupted"}


def test_what_the_window_remembers_is_stored_once(
    stage: Stage, open_window: OpenWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = open_window(Path("/somewhere/here"))
    person.wait(lambda: not person.window.client.busy)
    stored: list[QByteArray] = []
    save = person.window.saveGeometry
    monkeypatch.setattr(person.window, "saveGeometry", lambda: stored.append(save()) or stored[-1])
    person.window.close()
    assert len(stored) == 1 and not person.window.isVisible()


def test_a_window_takes_its_theme_with_it(qapp: QApplication, no_widget_survives: None) -> None:
    def managers() -> list[ThemeManager]:
        return qapp.findChildren(ThemeManager)

    before = len(managers())
    window = create_window(None, "light")
    themes = window.themes
    window.close_now()
    window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert not isValid(themes) and len(managers()) == before


# -- the demo ---------------------------------------------------------------------------------------------------


@pytest.fixture
def demo(stage: Stage, hang: threading.Event, open_window: OpenWindow) -> tuple[Person, Demo]:
    """A demo that waits for its corpora."""
    stage.plays[jobs.FetchDemoCorpora] = stage.until(hang)
    person = open_window()
    person.press("demoButton")
    playing = person.window.findChild(Demo)
    assert playing is not None
    person.wait(lambda: stage.of(jobs.FetchDemoCorpora))
    return person, playing


def test_a_job_of_the_persons_that_fails_or_is_cancelled_does_not_end_the_demo(
    demo: tuple[Person, Demo], stage: Stage
) -> None:
    person, playing = demo

    def refuse(job: jobs.Job, cancel: CancelToken) -> Iterator[StreamEvent]:
        yield Progress("looking")
        raise TloraError("There is no such text.", "Choose another.")

    stage.plays[jobs.LoadGeneration] = refuse
    person.window.controller.texts.open("no such id")
    person.wait(lambda: stage.of(jobs.LoadGeneration) and len(person.window.client.live()) == 1)
    person.window.client.drop(person.window.client.submit(jobs.ListGenerations()))
    assert playing.playing and person.window.findChild(Demo) is playing


def test_the_demo_ends_when_one_of_its_own_jobs_fails(demo: tuple[Person, Demo], stage: Stage) -> None:
    person, _ = demo
    person.press("cancelProgressButton")
    person.wait(lambda: person.window.findChild(Demo) is None)


def test_the_demo_ends_with_its_project_and_is_thrown_away(demo: tuple[Person, Demo], stage: Stage) -> None:
    person, playing = demo
    person.window.controller.projects.open("/somewhere/else")
    person.wait(lambda: person.window.findChild(Demo) is None)
    person.wait(lambda: not isValid(playing))
    person.wait(lambda: person.window.controller.projects.project.name == "else")
    assert person.window.menus.demo.text() == "Play the &demo"
    assert not stage.of(jobs.TrainEpoch)


def test_the_demo_keeps_no_more_of_what_it_hears_than_it_tells(demo: tuple[Person, Demo], stage: Stage) -> None:
    person, playing = demo
    for _ in range(50):
        person.window.controller.texts.refresh()
    person.wait(lambda: len(person.window.client.live()) == 1)
    playing._hear([(number, Progress("at it", number)) for number in range(5000) for number in playing._own])
    assert len(playing._latest) <= 3 and not playing.steps
