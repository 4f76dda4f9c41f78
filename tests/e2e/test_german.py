"""The engine's words on their way through the worker: a German window speaks German to the last banner."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from kit import plain
from person import Person
from PySide6.QtWidgets import QLabel
from stage import Stage

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.errors import BackboneMissing
from tlora_gui.engine.protocol.events import Progress, StreamEvent
from tlora_gui.engine.protocol.sentences import say

OpenWindow = Callable[..., Person]


def test_progress_and_the_reason_why_a_project_cannot_be_opened_come_in_german(
    german: None, stage: Stage, open_window: OpenWindow
) -> None:
    gate = threading.Event()

    def play(job: jobs.Job, cancel: CancelToken) -> Iterator[StreamEvent]:
        while not gate.wait(0.002):  # what was yielded last is told with the next turn
            yield Progress(say("Fetching {name}", name="smollm2"), 1234, 2500, say("tokens"))
        raise BackboneMissing("gone", say("{name} does not exist.", name="/models/gone"))

    stage.plays[jobs.OpenProject] = play
    person = open_window(Path("/somewhere/here"), opens=False)

    def read() -> set[str]:
        return {plain(label.text()) for label in person.window.welcome.findChildren(QLabel)}

    person.wait(lambda: {"smollm2 wird geholt", "1,2 k von 2,5 k Tokens"} <= read())
    gate.set()
    person.wait(lambda: person.sees_error)
    assert person.banner.splitlines() == [
        "/models/gone gibt es nicht.",
        "Angeben, wo das Modell jetzt ist; die Gewichte zeigen, ob es dasselbe ist.",
    ]


def test_a_bug_of_the_engine_is_introduced_in_german(
    german: None, faults_are_expected: list[BaseException], stage: Stage, open_window: OpenWindow
) -> None:
    def play(job: jobs.Job, cancel: CancelToken) -> Iterator[StreamEvent]:
        yield Progress(say("Loading epochs"))
        raise ZeroDivisionError("by zero")

    stage.plays[jobs.OpenProject] = play
    person = open_window(Path("/somewhere/here"), opens=False)
    person.wait(lambda: person.sees_error)
    assert person.banner.splitlines() == ["Etwas ist schiefgegangen: by zero", "Einzelheiten lassen sich kopieren."]


def test_the_engines_own_refusal_comes_in_german(german: None, trained_project: Path, open_window: OpenWindow) -> None:
    person = open_window(trained_project)
    gone = trained_project / "gone.txt"
    person.window.controller.generating.read_file(str(gone))
    person.wait(lambda: person.sees_error)
    happened, hint = person.banner.splitlines()
    assert happened.endswith("gone.txt gibt es nicht.")
    assert hint == "Einen Ordner oder Dateien wählen, die es gibt."
