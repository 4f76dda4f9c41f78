"""Every job ends exactly once, in the way that it should, and the next one runs."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from scripted import Ear, Gate, Play, Script, WaitUntil, gated_steps, long_job, quick_job, steps, until_cancelled

from tlora_gui.engine.protocol.cancel import CancelMode, CancelToken
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import JobCancelled, JobDone, JobFailed, Progress, StreamEvent
from tlora_gui.engine.protocol.jobs import Job
from tlora_gui.worker.engine_client import EngineClient

MakeClient = Callable[..., EngineClient]


class Panic(BaseException):
    """As a Rust library's panic reaches Python: no Exception."""


def fails(error: BaseException) -> Play:
    """A play of one item, then an error."""

    def play(cancel: CancelToken) -> Iterator[StreamEvent]:
        yield Progress("before")
        raise error

    return play


def no_memory_in_torch(cancel: CancelToken) -> Iterator[StreamEvent]:
    torch.empty(10**15)
    yield Progress("never")


@pytest.fixture
def play(make_client: MakeClient, wait_until: WaitUntil) -> Callable[..., Any]:
    """Plays one job to its end and another after it; the first one's end, told once and last."""

    def run(play: Play, mode: CancelMode | None = None) -> Any:
        first, second = long_job("first"), long_job("second")
        client = make_client(lambda: Script({first: play, second: steps("second", 2)}))
        ear = Ear(client)
        client.start()
        numbers = [client.submit(first), client.submit(second)]
        if mode is not None:
            wait_until(lambda: ear.stream(numbers[0]))
            client.cancel(numbers[0], mode)
        wait_until(lambda: not client.busy)
        assert ear.ends(numbers[1]) == [JobDone(numbers[1])]
        assert len(ear.stream(numbers[1])) == 2
        assert len(ear.ends(numbers[0])) == 1
        assert ear.of(numbers[0])[-1:] == ear.ends(numbers[0])
        assert ear.ends(numbers[0])[0].job_id == numbers[0]
        return ear.ends(numbers[0])[0]

    return run


def test_a_job_that_runs_through_is_done(play: Any) -> None:
    assert isinstance(play(steps("first", 3)), JobDone)


def test_a_job_without_events_is_done(play: Any) -> None:
    assert isinstance(play(steps("first", 0)), JobDone)


@pytest.mark.parametrize(("mode", "kept"), [("keep", True), ("suspend", True), ("discard", False)])
def test_a_cancelled_job_tells_whether_anything_is_kept(play: Any, mode: CancelMode, kept: bool) -> None:
    end = play(until_cancelled(), mode)
    assert isinstance(end, JobCancelled)
    assert end.kept is kept


def test_an_error_for_people_keeps_its_words(play: Any, caplog: pytest.LogCaptureFixture) -> None:
    end = play(fails(TloraError("The folder is empty.", "Choose another.")))
    assert end == JobFailed(end.job_id, "The folder is empty.", "Choose another.", details="")
    assert caplog.records == []


@pytest.mark.parametrize("error", [ValueError("seven"), RuntimeError(""), Panic("rust"), OSError("no errno")])
def test_a_bug_carries_its_traceback_and_is_logged_once(
    play: Any, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    end = play(fails(error))
    assert isinstance(end, JobFailed)
    assert (str(error) or type(error).__name__) in end.message
    assert end.hint
    assert "Traceback" in end.details and "in play" in end.details and type(error).__name__ in end.details
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert caplog.records[0].exc_info is not None and caplog.records[0].exc_info[1] is error


@pytest.mark.parametrize("name", ["/data/book.txt", None])
def test_trouble_with_a_file_is_told_in_plain_words(play: Any, name: str | None) -> None:
    end = play(fails(PermissionError(errno.EACCES, "Permission denied", name)))
    assert end.message == ("Permission denied (/data/book.txt)." if name else "Permission denied.")
    assert end.hint and not end.details


@pytest.mark.parametrize("trouble", [fails(MemoryError()), no_memory_in_torch], ids=["python", "torch"])
def test_too_little_memory_is_told_in_plain_words(play: Any, trouble: Play) -> None:
    end = play(trouble)
    assert "not enough memory" in end.message
    assert end.hint and not end.details


def test_a_job_cancelled_before_the_engine_starts_never_runs(make_client: MakeClient, wait_until: WaitUntil) -> None:
    script = Script({long_job("kept"): steps("kept", 1)})
    client = make_client(lambda: script)
    ear = Ear(client)
    cancelled, kept = client.submit(long_job("cancelled")), client.submit(long_job("kept"))
    client.cancel(cancelled, "suspend")
    wait_until(lambda: not client.is_live(cancelled))
    client.start()
    wait_until(lambda: not client.busy)
    assert ear.of(cancelled) == [JobCancelled(cancelled, kept=False)]
    assert ear.ends(kept) == [JobDone(kept)]
    assert script.ran == [long_job("kept")]


@pytest.mark.parametrize("waiting", [long_job("waiting"), quick_job("waiting")], ids=["long", "interactive"])
def test_a_waiting_job_that_is_cancelled_ends_before_the_running_one(
    make_client: MakeClient, wait_until: WaitUntil, waiting: Job
) -> None:
    gate = Gate()
    running = long_job("running")
    script = Script({running: gated_steps("running", 3, gate)})
    client = make_client(lambda: script)
    ear = Ear(client)
    client.start()
    first = client.submit(running)
    wait_until(lambda: gate.holds)
    second = client.submit(waiting)
    client.cancel(second)
    gate.open()
    wait_until(lambda: not client.busy)
    assert ear.of(second) == [JobCancelled(second, kept=False)]
    assert ear.told.index((second, JobCancelled(second, kept=False))) < ear.told.index((first, JobDone(first)))
    assert script.ran == [running]


def test_a_cancel_after_the_end_changes_nothing(make_client: MakeClient, wait_until: WaitUntil) -> None:
    client = make_client(lambda: Script({long_job(): steps("long", 1), quick_job(): steps("quick", 1)}))
    ear = Ear(client)
    client.start()
    number = client.submit(long_job())
    wait_until(lambda: not client.busy)
    for unknown in (number, None, 999):
        client.cancel(unknown)
        client.pause(unknown, True)
        client.drop(unknown)
    other = client.submit(quick_job())
    wait_until(lambda: not client.busy)
    assert ear.ends(number) == [JobDone(number)]
    assert ear.ends(other) == [JobDone(other)]


def test_the_first_cancel_decides_the_mode(make_client: MakeClient, wait_until: WaitUntil) -> None:
    client = make_client(lambda: Script({long_job(): until_cancelled()}))
    ear = Ear(client)
    client.start()
    number = client.submit(long_job())
    wait_until(lambda: ear.stream(number))
    client.cancel(number, "keep")
    client.cancel(number, "discard")
    wait_until(lambda: not client.busy)
    assert ear.ends(number) == [JobCancelled(number, kept=True)]


def test_an_engine_that_cannot_start_fails_every_job_with_the_reason(
    make_client: MakeClient, wait_until: WaitUntil, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> Script:
        raise ImportError("libtorch is not there")

    client = make_client(broken)
    ear = Ear(client)
    ready: list[bool] = []
    client.ready.connect(lambda: ready.append(True))
    numbers = [client.submit(long_job())]
    client.start()
    numbers += [client.submit(quick_job()), client.submit(long_job("later"))]
    wait_until(lambda: not client.busy)
    for number in numbers:
        (end,) = ear.of(number)
        assert isinstance(end, JobFailed)
        assert "could not start" in end.message and "libtorch is not there" in end.message and end.hint
    assert ready == [True]
    assert len(caplog.records) == 1
