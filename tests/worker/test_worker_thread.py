"""The worker's thread: what runs in it, and how it ends."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from scripted import Ear, Gate, Script, WaitUntil, gated_steps, learns, long_job, quick_job, steps, until_cancelled

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import SamplingSettings
from tlora_gui.engine.protocol.events import GenerationFinished, JobDone, Progress, ProjectOpened, StreamEvent
from tlora_gui.worker import engine_worker
from tlora_gui.worker.engine_client import EngineClient, engine_threads, make_session

MakeClient = Callable[..., EngineClient]


class Closing:
    """An endless play that notes where and how often it was closed."""

    def __init__(self, error: Exception | None = None) -> None:
        self.closed_in: list[int] = []
        self._error = error

    def __call__(self, cancel: CancelToken) -> Iterator[StreamEvent]:
        try:
            while True:
                yield Progress("endless")
        finally:
            self.closed_in.append(threading.get_ident())
            if self._error is not None:
                raise self._error


def test_the_session_is_made_and_run_in_one_thread_that_is_not_the_windows(
    make_client: MakeClient, wait_until: WaitUntil
) -> None:
    scripts: list[Script] = []

    def make() -> Script:
        scripts.append(Script({long_job(): steps("long", 3), quick_job(): steps("quick", 3)}))
        return scripts[0]

    client = make_client(make)
    assert scripts == []
    client.start()
    client.submit(long_job())
    client.submit(quick_job())
    wait_until(lambda: not client.busy)
    assert len(scripts) == 1
    assert scripts[0].ran_in == {scripts[0].made_in}
    assert scripts[0].made_in != threading.get_ident()


def test_what_the_thread_kept_for_itself_is_there_in_every_turn(make_client: MakeClient, wait_until: WaitUntil) -> None:
    """A library that is imported in one turn holds on to the thread's state, and frees it if it has gone."""
    own, found = threading.local(), []

    def make() -> Script:
        own.name = "engine"

        def look(cancel: CancelToken) -> Iterator[StreamEvent]:
            for number in range(2):
                found.append(getattr(own, "name", ""))
                yield Progress("look", number)

        return Script({long_job(): look})

    client = make_client(make)
    client.start()
    client.submit(long_job())
    wait_until(lambda: not client.busy)
    assert found == ["engine", "engine"]


def test_events_are_heard_in_the_windows_thread(make_client: MakeClient, wait_until: WaitUntil) -> None:
    client = make_client(lambda: Script({long_job(): steps("long", 3)}))
    threads: set[int] = set()
    client.events.connect(lambda batch: threads.add(threading.get_ident()))
    client.ready.connect(lambda: threads.add(threading.get_ident()))
    client.start()
    client.submit(long_job())
    wait_until(lambda: not client.busy)
    assert threads == {threading.get_ident()}


def test_jobs_submitted_before_the_start_run_after_it(
    make_client: MakeClient, wait_until: WaitUntil, qapp: QApplication
) -> None:
    script = Script({long_job(): steps("long", 1)})
    client = make_client(lambda: script)
    ear = Ear(client)
    ready: list[int] = []
    client.ready.connect(lambda: ready.append(len(ear.told)))
    number = client.submit(long_job())
    qapp.processEvents()
    assert script.ran == []
    client.start()
    wait_until(lambda: not client.busy)
    assert ear.ends(number) == [JobDone(number)]
    assert ready == [0]


def test_shutdown_ends_everything_and_closes_what_runs_in_its_own_thread(
    make_client: MakeClient, wait_until: WaitUntil, qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_worker, "FINISH_S", 0.2)  # the play hears no wish to be suspended
    running, held = Closing(), Closing()
    script = Script({quick_job("running"): running, long_job("held"): held})
    client = make_client(lambda: script)
    ear = Ear(client)
    client.start()
    first = client.submit(long_job("held"))
    wait_until(lambda: ear.stream(first))
    client.pause(first, True)
    second = client.submit(quick_job("running"))
    client.submit(quick_job("waiting"))
    client.submit(long_job("waiting"))
    wait_until(lambda: ear.stream(second))
    client.shutdown()
    assert not client.engine_thread.isRunning()
    assert not client.busy
    assert [set(play.closed_in) for play in (running, held)] == [script.ran_in, script.ran_in]
    assert len(running.closed_in) == len(held.closed_in) == 1
    assert script.ran == [long_job("held"), quick_job("running")]
    heard = len(ear.batches)
    qapp.processEvents()
    assert len(ear.batches) == heard


def test_shutdown_tells_the_running_item_to_end_and_waits_for_it(
    make_client: MakeClient, wait_until: WaitUntil
) -> None:
    inside = threading.Event()
    modes: list[str | None] = []

    def one_long_item(cancel: CancelToken) -> Iterator[StreamEvent]:
        inside.set()
        assert cancel._event.wait(20)
        modes.append(cancel.mode)
        yield Progress("told")

    client = make_client(lambda: Script({long_job(): one_long_item}))
    client.start()
    client.submit(long_job())
    wait_until(inside.is_set)
    client.shutdown()
    assert modes == ["suspend"]


def test_shutdown_again_changes_nothing(make_client: MakeClient, wait_until: WaitUntil) -> None:
    client = make_client(lambda: Script({long_job(): until_cancelled()}))
    ear = Ear(client)
    client.start()
    number = client.submit(long_job())
    wait_until(lambda: ear.stream(number))
    client.shutdown()
    client.shutdown()
    assert not client.engine_thread.isRunning()


def test_shutdown_before_the_start_makes_no_session(make_client: MakeClient) -> None:
    made: list[Script] = []

    def make() -> Script:
        made.append(Script({}))
        return made[0]

    client = make_client(make)
    client.submit(long_job())
    client.shutdown()
    assert not client.engine_thread.isRunning()
    assert made == []


def test_a_stream_that_fails_while_it_is_closed_does_not_stop_the_shutdown(
    make_client: MakeClient,
    wait_until: WaitUntil,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bad, good = Closing(OSError("the disk went away")), Closing()
    client = make_client(lambda: Script({quick_job(): bad, long_job(): good}))
    ear = Ear(client)
    client.start()
    first = client.submit(long_job())
    wait_until(lambda: ear.stream(first))
    second = client.submit(quick_job())
    wait_until(lambda: ear.stream(second))
    monkeypatch.setattr(engine_worker, "FINISH_S", 0.2)
    client.shutdown()
    assert not client.engine_thread.isRunning()
    assert len(bad.closed_in) == len(good.closed_in) == 1
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


@pytest.mark.parametrize("held", [False, True], ids=["running", "paused"])
def test_shutdown_lets_a_training_write_its_checkpoint(
    make_client: MakeClient, wait_until: WaitUntil, held: bool
) -> None:
    written: list[str] = []
    client = make_client(lambda: Script({long_job(): learns(written)}))
    ear = Ear(client)
    client.start()
    training = client.submit(long_job())
    wait_until(lambda: ear.stream(training))
    client.pause(training, held)
    assert client.shutdown()
    assert written == ["suspend"]


def test_a_discard_that_was_asked_before_the_shutdown_is_not_turned_into_a_checkpoint(
    make_client: MakeClient, wait_until: WaitUntil
) -> None:
    written: list[str] = []
    client = make_client(lambda: Script({long_job(): learns(written)}))
    ear = Ear(client)
    client.start()
    training = client.submit(long_job())
    wait_until(lambda: ear.stream(training))
    client.cancel(training, "discard")
    client.shutdown()
    assert "suspend" not in written


def test_an_engine_that_hangs_does_not_hold_the_shutdown(
    make_client: MakeClient, wait_until: WaitUntil, caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate()
    client = make_client(lambda: Script({long_job(): gated_steps("hangs", 1, gate)}))
    client.start()
    client.submit(long_job())
    wait_until(lambda: gate.holds)
    assert not client.shutdown(limit_s=0.1)
    assert client.engine_thread.isRunning() and "hangs" in caplog.text
    gate.open()


def test_shutdown_lets_go_of_the_project_in_the_engines_thread(make_client: MakeClient, wait_until: WaitUntil) -> None:
    script = Script({quick_job(): steps("quick", 1)})
    client = make_client(lambda: script)
    client.start()
    client.submit(quick_job())
    wait_until(lambda: not client.busy)
    client.shutdown()
    assert script.closed_in == [*script.ran_in]


@pytest.mark.parametrize(("given", "found"), [("3", 3), ("1", 1)])
def test_the_number_of_engine_threads_can_be_set(monkeypatch: pytest.MonkeyPatch, given: str, found: int) -> None:
    monkeypatch.setenv("TLORA_THREADS", given)
    assert engine_threads() == (found, found)


def test_one_core_is_left_to_the_window_unless_a_text_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TLORA_THREADS", raising=False)
    for cores, threads in ((8, 7), (2, 1), (1, 1), (None, 1)):
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        assert engine_threads() == (threads, None)


def test_the_real_session_opens_a_project_and_generates_in_the_thread(
    make_client: MakeClient,
    wait_until: WaitUntil,
    tiny_model_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capped_threads: None,
) -> None:
    monkeypatch.setenv("TLORA_THREADS", "1")
    client = make_client(make_session)
    ear = Ear(client)
    client.start()
    create = client.submit(jobs.CreateProject(str(tmp_path / "project"), str(tiny_model_folder)))
    wait_until(lambda: not client.busy, 60)
    generate = client.submit(jobs.Generate("To be", "", SamplingSettings(max_new_tokens=5)))
    wait_until(lambda: not client.busy, 60)
    assert ear.ends(create) == [JobDone(create)]
    assert any(isinstance(event, ProjectOpened) for event in ear.stream(create))
    assert ear.ends(generate) == [JobDone(generate)]
    assert isinstance(ear.stream(generate)[-1], GenerationFinished)
