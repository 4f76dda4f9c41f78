"""What is asked goes to what was meant, however long the answer takes, and every asker hears of the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from person import Person
from PySide6.QtWidgets import QLabel, QMessageBox
from stage import Stage, project_info, slots_of

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import MixingDesk
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import (
    EpochInfo,
    EpochsChanged,
    GenerationLoaded,
    GenerationsListed,
    GenerationStarted,
    InRow,
    Progress,
    ProjectOpened,
    PromptTooLong,
    RowFailed,
    StreamEvent,
    TrainStarted,
    TrainStep,
)
from tlora_gui.engine.protocol.texts import Generation, GenerationSummary, SlotInfo, TokenEvent
from tlora_gui.ui.settings import WindowSettings

OpenWindow = Callable[..., Person]

A, B = jobs.TrainEpoch("A", ("a",)), jobs.TrainEpoch("B", ("b",))


@pytest.fixture
def gates() -> Iterator[dict[str, threading.Event]]:
    """By name of the epoch, or path of the project; all open at the end."""
    found = {name: threading.Event() for name in ("A", "B", "one", "two")}
    yield found
    for gate in found.values():
        gate.set()


@pytest.fixture
def person(stage: Stage, gates: dict[str, threading.Event], open_window: OpenWindow) -> Person:
    """Before an open project; trainings go on until their gate is open."""

    def train(job: jobs.Job, cancel: CancelToken) -> Iterator[StreamEvent]:
        assert isinstance(job, jobs.TrainEpoch)
        step = TrainStep(job.name, 1, 40, 4.0, 0.0, 0.0, 1e-3, 64, 50.0, 9.0)
        begun = TrainStarted(EpochInfo(job.name, job.name, "", "#0072B2", "training"), 40, 0)
        yield from stage.until(gates[job.name], begun, step)(job, cancel)

    stage.plays[jobs.TrainEpoch] = train
    return open_window(Path("/somewhere/here"))


def hold_openings(stage: Stage, gates: dict[str, threading.Event]) -> None:
    """Projects open when their gate is; a cancel comes too late for them."""

    def play(job: jobs.Job, cancel: CancelToken) -> Iterator[StreamEvent]:
        assert isinstance(job, jobs.OpenProject | jobs.CreateProject)
        while not gates[Path(job.path).name].wait(0.002):
            yield Progress("loading")
        yield ProjectOpened(project_info(job.path))

    stage.plays[jobs.OpenProject] = stage.plays[jobs.CreateProject] = play


def show_epochs(person: Person, stage: Stage, *epochs: EpochInfo) -> None:
    """Let the engine tell that these are the project's epochs now."""
    stage.plays[jobs.EditEpoch] = lambda job, cancel: iter([EpochsChanged(epochs, slots_of(epochs))])
    person.window.client.submit(jobs.EditEpoch("", "", "", ""))
    person.wait(lambda: tuple(person.epochs.values()) == epochs)


def test_an_answer_about_a_training_that_has_ended_does_not_touch_the_next_one(
    person: Person, stage: Stage, gates: dict[str, threading.Event]
) -> None:
    training = person.window.controller.training
    training.train(A)
    training.train(B)
    person.press("stopButton")
    question = person.question
    gates["A"].set()
    person.wait(lambda: B in stage.ran)
    person.wait(lambda: [job.name for job in training.jobs.values()] == ["B"])
    person.press("discardButton", question)
    person.wait(lambda: "ended already" in person.banner)
    gates["B"].set()
    person.wait(lambda: not training.jobs)
    assert {A, B} <= {*stage.ended} and stage.cancelled == []


def test_an_answer_about_the_training_that_runs_ends_it(person: Person, stage: Stage) -> None:
    person.window.controller.training.train(A)
    person.press("stopButton")
    person.answer("discardButton")
    person.wait(lambda: not person.window.controller.training.jobs)
    assert stage.cancelled == [(A, "discard")]


def test_what_is_asked_at_closing_is_asked_anew_about_the_next_training(
    person: Person, stage: Stage, gates: dict[str, threading.Event]
) -> None:
    training = person.window.controller.training
    training.train(A)
    training.train(B)
    person.until_step(1)
    person.window.close()

    def asked() -> list[QMessageBox]:
        return [box for box in person.window.findChildren(QMessageBox, "questionBox") if box.isVisible()]

    (about_a,) = asked()
    gates["A"].set()
    person.wait(lambda: B in stage.ran)
    person.wait(lambda: asked() and about_a not in asked())
    person.answer("discardButton")
    person.until_closed()
    assert stage.cancelled == [(B, "discard")]


def test_a_queued_training_is_taken_out_and_not_a_resumed_one_that_the_queue_does_not_show(
    person: Person, stage: Stage, gates: dict[str, threading.Event]
) -> None:
    training = person.window.controller.training
    for job in (A, jobs.ResumeEpoch("old"), B):
        training.train(job)
    person.press("unqueueButton", person.card("B"))
    assert list(training.jobs.values()) == [A, jobs.ResumeEpoch("old")]
    gates["A"].set()
    person.wait(lambda: not training.jobs)
    assert jobs.ResumeEpoch("old") in stage.ended and B not in stage.ran


def test_nothing_is_trained_while_another_project_is_on_its_way(
    person: Person, stage: Stage, gates: dict[str, threading.Event]
) -> None:
    projects = person.window.controller.projects
    hold_openings(stage, gates)
    projects.open("/somewhere/one")
    person.window.controller.training.train(A)
    assert person.sees_error and not person.window.controller.training.jobs
    gates["one"].set()
    person.wait(lambda: projects.project is not None and projects.project.name == "one")
    person.window.controller.training.train(B)
    person.wait(lambda: B in stage.ran)
    assert A not in stage.ran


def test_a_training_that_goes_with_its_project_is_forgotten(person: Person, stage: Stage) -> None:
    projects = person.window.controller.projects
    person.window.controller.training.train(A)
    person.wait(lambda: A in stage.ran)
    person.wait(lambda: not person.window.client.jobs(jobs.KeepQueue))
    projects.leave()
    assert not person.window.controller.training.jobs and not person.window.client.busy
    projects.open("/somewhere/two")
    person.wait(lambda: projects.project is not None and projects.project.name == "two")
    assert not person.sees_error


@pytest.mark.parametrize("asked", ["open", "create"])
def test_new_project_during_an_opening_stays_on_the_welcome(
    stage: Stage, gates: dict[str, threading.Event], open_window: OpenWindow, asked: str
) -> None:
    hold_openings(stage, gates)
    person = open_window()
    projects = person.window.controller.projects
    if asked == "open":
        projects.open("/somewhere/one")
    else:
        projects.create("/somewhere/one", "tiny")
    person.wait(lambda: stage.ran)
    person.choose_from_menus("&New project…")
    gates["one"].set()  # the cancel comes too late
    person.wait(lambda: not person.window.client.busy)
    assert projects.project is None and person.window.welcome.isVisible()
    assert stage.ran[-1] == jobs.CloseProject(drop_if_empty=asked == "create")


def test_the_project_asked_for_last_is_the_one_that_is_open_and_shown(
    stage: Stage, gates: dict[str, threading.Event], open_window: OpenWindow
) -> None:
    hold_openings(stage, gates)
    person = open_window()
    projects = person.window.controller.projects
    projects.open("/somewhere/one")
    person.wait(lambda: stage.ran)
    projects.create("/somewhere/two", "tiny")
    gates["one"].set()  # too late to be cancelled
    gates["two"].set()
    person.wait(lambda: not projects.opening)
    opened = [job for job in stage.ended if isinstance(job, jobs.OpenProject | jobs.CreateProject)]
    assert projects.project is not None and projects.project.path == opened[-1].path == "/somewhere/two"


def test_a_project_that_opens_although_another_was_asked_for_is_shown_if_that_one_fails(
    stage: Stage, gates: dict[str, threading.Event], open_window: OpenWindow
) -> None:
    hold_openings(stage, gates)

    def refuse(job: jobs.Job, cancel: CancelToken) -> Iterator[StreamEvent]:
        yield Progress("looking")
        raise TloraError("two is open in another window or command.", "Close it there first.")

    stage.plays[jobs.CreateProject] = refuse
    person = open_window()
    projects = person.window.controller.projects
    projects.open("/somewhere/one")
    person.wait(lambda: stage.ran)
    projects.create("/somewhere/two", "tiny")
    gates["one"].set()
    person.wait(lambda: not projects.opening)
    assert projects.project is not None and projects.project.name == "one"  # what the engine has open
    assert person.window.project_shown and "open in another window" in person.banner


def test_a_relative_path_is_opened_and_remembered_as_an_absolute_one(
    person: Person, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    person.window.controller.projects.open("mine")
    person.wait(lambda: person.window.controller.projects.project.name == "mine")
    assert stage.of(jobs.OpenProject)[-1] == jobs.OpenProject(str(tmp_path / "mine"))
    assert WindowSettings().last_project == str(tmp_path / "mine")
    monkeypatch.chdir("/")
    assert WindowSettings().recent_projects[0] == str(tmp_path / "mine")


def test_a_turn_of_the_desk_after_the_end_of_a_text_does_not_reach_the_next(
    person: Person, stage: Stage, gates: dict[str, threading.Event]
) -> None:
    slots = (SlotInfo("", "Eternity", "#808080"), SlotInfo("verse", "Verse", "#E69F00"))
    started = GenerationStarted("abc", "mixer", jobs.Generate("abc").sampling, slots)
    stage.plays[jobs.Generate] = lambda job, cancel: stage.until(gates["one"], started)(job, cancel)
    generating = person.window.controller.generating
    generating.generate(jobs.Generate("abc"))
    person.wait(lambda: generating.begun)
    first = generating.job_id
    gates["one"].set()
    person.wait(lambda: generating.job_id is None)
    gates["one"].clear()
    generating.generate(jobs.Generate("xyz"))
    person.wait(lambda: generating.begun)
    turned = len(stage.desks)
    person.window.client.set_desk(first, MixingDesk(muted=("verse",)))
    person.window.client.desk_set.emit(first, MixingDesk(muted=("verse",)))  # as if it had been on its way
    generating.set_desk(MixingDesk(hard=True))
    person.wait(lambda: len(stage.desks) > turned)
    assert stage.desks[turned:] == [MixingDesk(hard=True)]


def test_columns_fill_side_by_side_and_one_that_fails_leaves_the_others(
    person: Person, stage: Stage, gates: dict[str, threading.Event]
) -> None:
    started = GenerationStarted("a", "mixer", jobs.Generate("a").sampling, slots_of(()))
    first, second = (TokenEvent(index, 97 + index, "ab"[index], (1.0,), not index, 0.5, 1) for index in range(2))
    told = (
        *(InRow(row, started) for row in range(2)),
        *(InRow(row, first) for row in range(2)),
        InRow(1, RowFailed("Nobody speaks.", "")),
        InRow(0, second),
    )
    stage.plays[jobs.GenerateRows] = stage.until(gates["one"], *told)
    comparing = person.window.controller.comparing
    columns = person.columns
    comparing.compare(["mixer", ""])
    person.wait(lambda: len(columns[0].text.tokens) == 2)
    assert columns[0].text.tokens == [first, second] and columns[1].text.tokens == [first]
    said = [label.text() for column in columns for label in column.findChildren(QLabel)]
    assert sum("Nobody speaks." in text for text in said) == 1 and comparing.running
    assert [job.rows for job in stage.of(jobs.GenerateRows)] == [(jobs.Row("mixer"), jobs.Row(""))]
    gates["one"].set()
    person.wait(lambda: not comparing.running)


def test_a_comparison_that_fails_says_so_in_every_column(person: Person, stage: Stage) -> None:
    def refuse(job: jobs.Job, cancel: CancelToken) -> Iterator[StreamEvent]:
        raise TloraError("The prompt is too long.", "")
        yield

    stage.plays[jobs.GenerateRows] = refuse
    comparing = person.window.controller.comparing
    columns = person.columns
    comparing.compare(["mixer", ""])
    person.wait(lambda: not comparing.running)
    for column in columns:
        assert any("The prompt is too long." in label.text() for label in column.findChildren(QLabel))


def test_a_branch_names_a_text_that_the_project_lists_and_brings_any_other_whole(person: Person, stage: Stage) -> None:
    sampling = jobs.Generate("").sampling
    token = TokenEvent(0, 97, "a", (1.0,), False, 0.5, 1)
    record = Generation("", "", sampling, slots_of(()), (token,), "length", 0.0, id="listed")
    summary = GenerationSummary("listed", "", 0, "", False, 0.0, "", "", 0, 1, "length", "a")
    stage.plays[jobs.LoadGeneration] = lambda job, cancel: iter([GenerationLoaded(replace(record, id=job.id))])
    stage.plays[jobs.ListGenerations] = lambda job, cancel: iter([GenerationsListed((summary,))])
    for id in ("listed", "not listed"):
        person.window.texts.open_requested.emit(id)
        person.wait(lambda id=id: (shown := person.window.generation.record) is not None and shown.id == id)
        person.wait(lambda: not person.window.client.busy)
        person.window.generation.again_requested.emit(0)
        person.wait(lambda: not person.window.client.busy)
    branches = [job.branch.record for job in stage.of(jobs.Generate)]
    assert branches == ["listed", replace(record, id="not listed")]


def test_cut_and_generate_does_not_cut_what_was_edited_since(person: Person, stage: Stage) -> None:
    def refuse(job: jobs.Job, cancel: CancelToken) -> Iterator[StreamEvent]:
        assert isinstance(job, jobs.Generate)
        if len(job.prompt) > 10:
            yield PromptTooLong(len(job.prompt), 10, len(job.prompt) - 10, 10)
            raise TloraError("The prompt is too long.", "Shorten it.")

    stage.plays[jobs.Generate] = refuse
    person.type_prompt("0123456789 to be or not")
    person.window.generation.begin()
    person.wait(lambda: person.sees_error)
    person.type_prompt("to be")
    person.press("bannerActionButton", person.window.banner)
    person.wait(lambda: len(stage.of(jobs.Generate)) == 2)
    assert stage.of(jobs.Generate)[-1].prompt == "to be" == person.prompt.toPlainText()
    person.until_generated()

    person.type_prompt("0123456789 to be or not")
    person.window.generation.begin()
    person.wait(lambda: person.sees_error)
    person.press("bannerActionButton", person.window.banner)
    person.wait(lambda: len(stage.of(jobs.Generate)) == 4)
    assert stage.of(jobs.Generate)[-1].prompt == "0123456789 to be or not"[-10:]


def test_the_progress_line_stays_until_the_job_that_it_tells_of_has_ended(
    person: Person, stage: Stage, gates: dict[str, threading.Event]
) -> None:
    show_epochs(person, stage, EpochInfo("verse", "Verse", "", "#E69F00", "frozen"))
    stage.plays[jobs.Evaluate] = stage.until(gates["one"])
    person.choose_from_menus("&Measure all on held-out text")
    line = person.window.progress_line
    for prompt in ("abc", "xyz"):
        person.window.controller.generating.generate(jobs.Generate(prompt))
        person.window.controller.texts.refresh()
        person.wait(lambda: person.window.controller.generating.job_id is None)
        assert line.isVisible()
    person.wait(lambda: len(person.window.client.live()) == 1)
    assert line.isVisible()
    person.press("cancelProgressButton")
    person.wait(lambda: not person.window.client.busy)
    assert [mode for job, mode in stage.cancelled if isinstance(job, jobs.Evaluate)] == ["discard"]
    assert not line.isVisible()


def test_a_deletion_that_fails_is_not_told_as_done(person: Person, stage: Stage) -> None:
    def refuse(job: jobs.Job, cancel: CancelToken) -> Iterator[StreamEvent]:
        yield Progress("deleting")
        raise TloraError("The folder is in use.", "Close it.")

    stage.plays[jobs.DeleteEpoch] = refuse
    show_epochs(person, stage, EpochInfo("verse", "Verse", "", "#E69F00", "frozen"))
    person.window.epochs.delete_requested.emit("verse")
    person.wait(lambda: not person.window.client.busy)
    assert person.sees_error and "was deleted" not in person.banner


def test_a_text_that_another_one_replaces_is_kept_and_one_that_goes_with_its_project_is_not(
    open_window: OpenWindow, trained_project: Path
) -> None:
    person = open_window(trained_project)
    texts = person.window.controller.texts
    person.wait(lambda: len(texts.known) == 1)
    person.begin_generating("abc", new_tokens=200)
    person.wait(lambda: len(person.text.tokens) > 6)
    person.window.controller.generating.generate(jobs.Generate("xyz", sampling=person.window.generation.sampling))
    person.wait(lambda: person.text.toPlainText().startswith("xyz"))
    person.wait(lambda: len(person.text.tokens) > 6)
    person.choose_from_menus("&Close project")
    person.window.controller.projects.open(str(trained_project))
    person.wait(lambda: person.window.project_shown)
    person.wait(lambda: len(texts.known) == 2)
    assert sorted(each.prompt for each in texts.known.values()) == ["abc", "def f"]
    assert not person.window.findChildren(QMessageBox)
