"""No exception goes unseen, none keeps the rest from being done, and none ends the process."""

from __future__ import annotations

import gc
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from person import OpenWindow, Person
from PySide6.QtCore import QTimer, qInstallMessageHandler
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QWidget
from stage import Stage, project_info, slots_of

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import (
    EpochInfo,
    EpochsChanged,
    FileWritten,
    Progress,
    ProjectOpened,
    StreamEvent,
    TrainStarted,
)
from tlora_gui.ui.settings import WindowSettings
from tlora_gui.ui.widgets.painting import guarded

EPOCH = EpochInfo("verse", "Verse", "", "#E69F00", "training")


def fail(*_: object) -> None:
    raise ValueError("seven " * 1000)


def details(person: Person) -> str:
    return person.see(QPlainTextEdit, "bannerDetails", person.window.banner).toPlainText()


def raises_in_a_slot(person: Person) -> None:
    QTimer.singleShot(0, fail)


def raises_in_a_thread(person: Person) -> None:
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()


def raises_in_the_engines_thread(person: Person) -> None:
    worker = person.window.client.worker
    QTimer.singleShot(0, worker, lambda: fail())


def raises_in_a_finaliser(person: Person) -> None:
    class Fragile:
        __del__ = fail

    Fragile()
    gc.collect()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize(
    "happens", [raises_in_a_slot, raises_in_a_thread, raises_in_the_engines_thread, raises_in_a_finaliser]
)
def test_an_exception_that_nobody_catches_is_in_banner_and_log(
    faults_are_expected: list[BaseException],
    stage: Stage,
    open_window: OpenWindow,
    caplog: pytest.LogCaptureFixture,
    happens: Callable[[Person], None],
) -> None:
    person = open_window(Path("/somewhere/here"))
    happens(person)
    person.wait(lambda: person.sees_error)
    assert "Something went wrong: seven" in person.banner and len(person.banner) < 600
    assert "in fail" in details(person) and "ValueError" in details(person)
    assert [record.levelno for record in caplog.records if record.exc_info] == [logging.ERROR]


def test_the_hook_that_was_there_before_is_called_too_and_is_put_back(
    faults_are_expected: list[BaseException], stage: Stage, open_window: OpenWindow
) -> None:
    before = sys.excepthook, threading.excepthook, sys.unraisablehook
    person = open_window(Path("/somewhere/here"))
    raises_in_a_slot(person)
    person.wait(lambda: person.sees_error)
    assert [type(error) for error in faults_are_expected] == [ValueError]
    person.close()
    assert (sys.excepthook, threading.excepthook, sys.unraisablehook) == before
    handler = qInstallMessageHandler(None)
    qInstallMessageHandler(handler)
    assert getattr(handler, "__name__", "") == "told"  # the fixture's


def test_of_two_windows_the_one_that_is_left_still_sees(
    faults_are_expected: list[BaseException], stage: Stage, open_window: OpenWindow
) -> None:
    first, second = open_window(Path("/somewhere/one")), open_window(Path("/somewhere/two"))
    first.close()
    raises_in_a_slot(second)
    second.wait(lambda: second.sees_error)
    second.close()


def test_a_fault_in_telling_a_fault_is_told_no_further(
    faults_are_expected: list[BaseException],
    stage: Stage,
    open_window: OpenWindow,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    person = open_window(Path("/somewhere/here"))
    calls: list[str] = []

    def broken(message: str, *_: object) -> None:
        calls.append(message)
        raise RuntimeError("the banner is broken")

    monkeypatch.setattr(person.window.banner, "show_error", broken)
    raises_in_a_slot(person)
    person.wait(lambda: len(calls) > 1)  # the banner's own fault is told once more
    seen, turned = len(calls), []
    QTimer.singleShot(0, lambda: turned.append(True))
    person.wait(lambda: turned)
    assert len(calls) - seen <= 1


class Raising(QWidget):
    """Its paint fails with the painter at work, as one over a record of a strange kind would."""

    painted = 0

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.save()
        Raising.painted += 1
        painter.drawText(0, 10, 5)  # type: ignore[call-overload]


class Guarded(Raising):
    paintEvent = guarded(Raising.paintEvent)


@pytest.mark.parametrize("kind", [Raising, Guarded])
def test_a_paint_that_raises_again_and_again_is_told_once_and_leaves_no_painter(
    faults_are_expected: list[BaseException],
    stage: Stage,
    open_window: OpenWindow,
    caplog: pytest.LogCaptureFixture,
    kind: type[QWidget],
) -> None:
    told: list[str] = []
    before = qInstallMessageHandler(lambda _kind, _context, message: told.append(message))
    try:
        person = open_window(Path("/somewhere/here"))
        widget = kind(person.window)
        widget.show()
        start = Raising.painted
        for number in range(5):
            widget.update()
            person.wait(lambda number=number: Raising.painted > start + number)
        person.wait(lambda: person.sees_error)
        assert len([record for record in caplog.records if record.exc_info]) == 1
        assert not [line for line in told if "active painter" in line]
        person.close()
    finally:
        qInstallMessageHandler(before)


@pytest.mark.parametrize("where", ["charts.begin_epoch", "epochs.set_epochs", "banner.show_notice"])
def test_a_handler_that_fails_loses_neither_the_rest_of_the_batch_nor_the_end(
    faults_are_expected: list[BaseException],
    stage: Stage,
    open_window: OpenWindow,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
) -> None:
    def train(job: jobs.Job, cancel: CancelToken) -> Iterator[StreamEvent]:
        yield TrainStarted(EPOCH, 4, 0)
        yield EpochsChanged((EPOCH,), slots_of((EPOCH,)))
        yield FileWritten("somewhere")

    stage.plays[jobs.TrainEpoch] = train
    person = open_window(Path("/somewhere/here"))
    person.wait(lambda: not person.window.client.busy)
    part, name = where.split(".")
    monkeypatch.setattr(getattr(person.window, part), name, fail)
    person.window.controller.training.train(jobs.TrainEpoch("Verse", ("verse",)))
    person.wait(lambda: person.sees_error)
    person.wait(lambda: not person.window.controller.training.jobs)
    assert not person.window.client.busy and {type(error) for error in faults_are_expected} == {ValueError}
    assert "in fail" in details(person)


@pytest.mark.parametrize("part", ["generation.show_record", "charts.load_history", "epochs.set_backbone"])
def test_a_part_that_cannot_be_shown_leaves_the_rest_of_the_project_whole(
    faults_are_expected: list[BaseException],
    open_window: OpenWindow,
    trained_project: Path,
    monkeypatch: pytest.MonkeyPatch,
    part: str,
) -> None:
    person = open_window()
    owner, name = part.split(".")
    monkeypatch.setattr(getattr(person.window, owner), name, fail)
    person.window.controller.projects.open(str(trained_project))
    person.wait(lambda: person.sees_error)
    controller = person.window.controller
    person.wait(lambda: not person.window.client.busy)
    assert person.window.project_shown and not controller.projects.opening and controller.projects.project is not None
    assert controller.texts.known
    if part == "generation.show_record":
        assert person.states == {"Verse": "frozen", "Code": "frozen"}
        assert person.generate("def f", new_tokens=3) if not person.sees_error else True
    monkeypatch.undo()


@pytest.mark.parametrize("name", [5, None, ["Verse"], "x" * 100_000, "\ud83d"])
def test_a_record_of_a_strange_kind_does_not_end_the_window(
    faults_are_expected: list[BaseException], stage: Stage, open_window: OpenWindow, name: object
) -> None:
    epoch = EpochInfo("verse", name, "", "no colour", "frozen")  # type: ignore[arg-type]

    def play(job: jobs.Job, cancel: CancelToken) -> Iterator[StreamEvent]:
        assert isinstance(job, jobs.OpenProject)
        yield ProjectOpened(project_info(job.path, (epoch,)))

    stage.plays[jobs.OpenProject] = play
    person = open_window(Path("/somewhere/here"))
    person.wait(lambda: not person.window.client.busy)
    for _ in range(3):
        person.window.update()
        person.window.charts.update()
        QApplication.processEvents()
    assert not person.window.controller.projects.opening
    person.window.menus.close_project.trigger()
    assert person.window.welcome.isVisible()


def test_a_project_over_which_the_window_fell_is_not_opened_again_by_itself(
    stage: Stage, open_window: OpenWindow
) -> None:
    WindowSettings().opening = "/somewhere/fragile"
    person = open_window()
    person.wait(lambda: person.sees_error)
    assert "fragile was being opened" in person.banner and person.window.welcome.isVisible()
    assert WindowSettings().opening == ""


@pytest.mark.parametrize("fell", [True, False])
def test_a_crash_is_told_at_the_next_start_with_its_stack(stage: Stage, open_window: OpenWindow, fell: bool) -> None:
    WindowSettings().opening = "/somewhere/fragile" if fell else ""
    person = open_window(crash="Fatal Python error: Segmentation fault")
    person.wait(lambda: person.sees_error)
    assert ("fragile was being opened" if fell else "ended unexpectedly") in person.banner
    assert "Segmentation" in person.see(QPlainTextEdit, "bannerDetails").toPlainText()


def test_an_opening_is_remembered_until_the_project_stands(
    stage: Stage, open_window: OpenWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    told = ProjectOpened(project_info("/somewhere/here"))
    stage.plays[jobs.OpenProject] = stage.until(gate, told)
    person = open_window()
    person.window.controller.projects.trial.setInterval(0)
    person.window.controller.projects.open("/somewhere/here")
    assert WindowSettings().opening == "/somewhere/here" and WindowSettings().last_project == ""
    person.wait(lambda: person.window.project_shown)
    person.wait(lambda: WindowSettings().opening == "")
    assert WindowSettings().last_project == "/somewhere/here"
    gate.set()


def test_a_project_that_cannot_be_opened_is_not_tried_at_each_start(open_window: OpenWindow, tmp_path: Path) -> None:
    settings = WindowSettings()
    settings.last_project = str(tmp_path / "gone")
    person = open_window(tmp_path / "gone", opens=False)
    person.wait(lambda: person.sees_error)
    person.wait(lambda: not person.window.controller.projects.opening)
    assert WindowSettings().last_project == "" and WindowSettings().opening == ""


def test_an_error_is_forgotten_when_the_same_is_done_and_when_the_project_is_left(
    stage: Stage, open_window: OpenWindow
) -> None:
    outcomes = iter([TloraError("no room"), None, TloraError("no room"), None, TloraError("no room")])

    def play(job: jobs.Job, cancel: CancelToken) -> Iterator[StreamEvent]:
        yield Progress("Measuring")
        if (error := next(outcomes)) is not None:
            raise error

    stage.plays[jobs.Evaluate] = play
    person = open_window(Path("/somewhere/here"))
    client = person.window.client
    for wrong in (True, False, True):
        client.submit(jobs.Evaluate())
        person.wait(lambda: not client.busy)
        assert person.sees_error == wrong, person.banner
    person.window.banner.show_error("Something else is wrong.")
    for told in ("Something else is wrong.", "no room"):  # the next one succeeds, the last one fails
        client.submit(jobs.Evaluate())
        person.wait(lambda: not client.busy)
        assert told in person.banner
    person.window.menus.close_project.trigger()
    person.wait(lambda: person.window.welcome.isVisible())
    assert not person.sees_error


def test_a_damaged_mixer_can_be_restored_after_the_banner_has_told_other_things(
    open_window: OpenWindow, trained_project: Path
) -> None:
    (trained_project / "mixer" / "mixer-0002.safetensors").write_bytes(b"damaged")
    person = open_window(trained_project)
    person.wait(lambda: "Time Mixer" in person.banner)
    person.window.banner.show_error("The disk is full.")
    restore = person.window.menus.restore_mixer
    assert restore.isVisible()
    restore.trigger()
    person.wait(lambda: "The Time Mixer is restored" in person.banner)
    assert not restore.isVisible()
