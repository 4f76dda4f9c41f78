"""Which job goes when; pause; and how what they tell reaches the window."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from scripted import Ear, Gate, Play, Script, WaitUntil, gated_steps, long_job, quick_job, steps, until_cancelled

from tlora_gui.engine.protocol.cancel import CancelMode, CancelToken
from tlora_gui.engine.protocol.config import MixingDesk
from tlora_gui.engine.protocol.events import JobCancelled, JobDone, Progress, StreamEvent
from tlora_gui.engine.protocol.jobs import Job
from tlora_gui.worker.engine_client import EngineClient

MakeClient = Callable[..., EngineClient]


@pytest.fixture
def started(make_client: MakeClient) -> Callable[[dict[Job, Play]], tuple[EngineClient, Ear]]:
    """A started client of a script, and an ear."""

    def start(plays: dict[Job, Play]) -> tuple[EngineClient, Ear]:
        client = make_client(lambda: Script(plays))
        ear = Ear(client)
        client.start()
        return client, ear

    return start


Started = Callable[[dict[Job, Play]], tuple[EngineClient, Ear]]


def test_a_flood_of_events_comes_in_order_and_in_few_batches(started: Started, wait_until: WaitUntil) -> None:
    client, ear = started({long_job(): steps("flood", 5000)})
    number = client.submit(long_job())
    wait_until(lambda: not client.busy, 30)
    assert ear.of(number) == [*(Progress("flood", n) for n in range(1, 5001)), JobDone(number)]
    assert len(ear.batches) < 500
    assert all(ear.batches)


def test_what_was_told_last_is_not_kept_back_when_all_work_is_held(started: Started, wait_until: WaitUntil) -> None:
    gate = Gate()
    client, ear = started({long_job(): gated_steps("long", 50, gate)})
    number = client.submit(long_job())
    wait_until(lambda: gate.holds)
    client.pause(number, True)
    gate.open()
    wait_until(lambda: ear.stream(number))
    assert client.is_live(number)


def test_an_end_is_told_while_the_next_job_is_at_a_long_item(started: Started, wait_until: WaitUntil) -> None:
    gate = Gate()
    client, ear = started({long_job("short"): steps("short", 3), long_job("slow"): gated_steps("slow", 1, gate)})
    short, slow = client.submit(long_job("short")), client.submit(long_job("slow"))
    wait_until(lambda: gate.holds)
    wait_until(lambda: ear.ends(short))
    assert ear.of(slow) == []
    gate.open()
    wait_until(lambda: not client.busy)


def test_interactive_jobs_go_between_the_items_of_a_long_one(started: Started, wait_until: WaitUntil) -> None:
    gate = Gate()
    client, ear = started(
        {
            long_job(): gated_steps("long", 3, gate),
            quick_job("one"): steps("one", 2),
            quick_job("two"): steps("two", 2),
        }
    )
    client.submit(long_job())
    wait_until(lambda: gate.holds)
    client.submit(quick_job("one"))
    client.submit(quick_job("two"))
    gate.open()
    wait_until(lambda: not client.busy)
    assert ear.labels() == ["long", "one", "one", "JobDone", "two", "two", "JobDone", "long", "long", "JobDone"]


def test_long_jobs_run_one_after_the_other_in_the_order_of_their_coming(
    started: Started, wait_until: WaitUntil
) -> None:
    plays: dict[Job, Play] = {long_job(name): steps(name, 4) for name in ("one", "two", "three")}
    client, ear = started(plays)
    numbers = [client.submit(job) for job in plays]
    assert client.live() == tuple(numbers)
    wait_until(lambda: not client.busy)
    assert ear.labels() == [label for name in ("one", "two", "three") for label in ([name] * 4 + ["JobDone"])]


def test_pause_holds_a_job_and_the_long_ones_behind_it_until_it_goes_on(
    started: Started, wait_until: WaitUntil
) -> None:
    gate = Gate()
    client, ear = started(
        {
            long_job("held"): gated_steps("held", 5, gate),
            long_job("behind"): steps("behind", 1),
            quick_job(): steps("quick", 3),
        }
    )
    held = client.submit(long_job("held"))
    wait_until(lambda: gate.holds)
    client.pause(held, True)
    client.submit(long_job("behind"))
    gate.open()
    for _ in range(3):  # turns of the worker's loop in which the held job could have gone on
        quick = client.submit(quick_job())
        wait_until(lambda quick=quick: not client.is_live(quick))
    assert ear.stream(held) == [Progress("held", 1)]
    assert "behind" not in ear.labels()
    client.pause(held, False)
    wait_until(lambda: not client.busy)
    assert ear.of(held) == [*(Progress("held", n) for n in range(1, 6)), JobDone(held)]
    assert ear.labels()[-2:] == ["behind", "JobDone"]


def test_a_job_paused_before_its_turn_waits(started: Started, wait_until: WaitUntil) -> None:
    gate = Gate()
    client, ear = started({long_job("one"): gated_steps("one", 2, gate), long_job("two"): steps("two", 2)})
    one, two = client.submit(long_job("one")), client.submit(long_job("two"))
    client.pause(two, True)
    gate.open()
    wait_until(lambda: not client.is_live(one))
    assert ear.of(two) == []
    client.pause(two, False)
    wait_until(lambda: not client.busy)
    assert ear.ends(two) == [JobDone(two)]


@pytest.mark.parametrize(("mode", "kept"), [("keep", True), ("suspend", True), ("discard", False)])
def test_a_paused_job_can_be_cancelled(started: Started, wait_until: WaitUntil, mode: CancelMode, kept: bool) -> None:
    client, ear = started({long_job(): until_cancelled(), quick_job(): steps("quick", 1)})
    held = client.submit(long_job())
    wait_until(lambda: ear.stream(held))
    client.pause(held, True)
    quick = client.submit(quick_job())
    wait_until(lambda: not client.is_live(quick))
    assert client.is_live(held)
    client.cancel(held, mode)
    wait_until(lambda: not client.busy)
    assert ear.ends(held) == [JobCancelled(held, kept=kept)]


def test_a_dropped_job_is_heard_no_more_and_ends(started: Started, wait_until: WaitUntil) -> None:
    client, ear = started({long_job(): until_cancelled(), long_job("next"): steps("next", 1)})
    dropped = client.submit(long_job())
    wait_until(lambda: ear.stream(dropped))
    client.drop(dropped)
    assert not client.is_live(dropped) and not client.busy
    heard = len(ear.told)
    following = client.submit(long_job("next"))
    wait_until(lambda: not client.busy)
    assert [number for number, _ in ear.told[heard:]] == [following, following]


def test_a_dropped_job_tells_its_end_at_once_and_only_once(started: Started, wait_until: WaitUntil) -> None:
    client, ear = started({long_job(): until_cancelled(), long_job("next"): steps("next", 1)})
    dropped = client.submit(long_job())
    wait_until(lambda: ear.stream(dropped))
    client.drop(dropped)
    assert ear.ends(dropped) == [JobCancelled(dropped, kept=False)]
    client.drop(dropped)
    client.submit(long_job("next"))
    wait_until(lambda: not client.busy)
    assert len(ear.ends(dropped)) == 1 and ear.of(dropped)[-1:] == ear.ends(dropped)


def test_a_job_can_be_dropped_with_what_it_has(started: Started, wait_until: WaitUntil) -> None:
    modes: list[CancelMode | None] = []

    def play(cancel: CancelToken) -> Iterator[StreamEvent]:
        while cancel.mode is None:
            yield Progress("on")
        modes.append(cancel.mode)

    client, ear = started({quick_job(): play, quick_job("next"): steps("next", 1)})
    dropped = client.submit(quick_job())
    wait_until(lambda: ear.stream(dropped))
    client.drop(dropped, "keep")
    client.submit(quick_job("next"))
    wait_until(lambda: not client.busy)
    assert modes == ["keep"]


def test_a_turn_of_the_desk_reaches_the_generation_that_is_meant_or_none(
    make_client: MakeClient, wait_until: WaitUntil
) -> None:
    script = Script({quick_job("first"): until_cancelled(), quick_job("second"): until_cancelled()})
    client = make_client(lambda: script)
    ear = Ear(client)
    client.start()
    first = client.submit(quick_job("first"))
    wait_until(lambda: ear.stream(first))
    mine, late, other = (MixingDesk(muted=(slug,)) for slug in ("mine", "late", "other"))
    client.set_desk(first, mine)
    second = client.submit(quick_job("second"))
    client.set_desk(second, late)  # it has not begun
    wait_until(lambda: script.desks == [mine])  # it may end before a turn that is on its way
    client.cancel(first, "keep")
    wait_until(lambda: ear.stream(second))
    client.desk_set.emit(first, late)  # was on its way when the first ended
    client.set_desk(first, late)
    client.set_desk(second, other)
    wait_until(lambda: len(script.desks) == 2)
    client.cancel(second, "keep")
    wait_until(lambda: not client.busy)
    assert script.desks == [mine, other]


def test_a_job_is_live_from_submit_until_its_end_is_told(started: Started, wait_until: WaitUntil) -> None:
    client, ear = started({long_job(): steps("long", 2)})
    live_when_told: list[bool] = []
    client.events.connect(lambda batch: live_when_told.append(client.busy))
    number = client.submit(long_job())
    assert client.is_live(number) and client.busy
    wait_until(lambda: ear.ends(number))
    assert not client.is_live(number) and client.live() == ()
    assert live_when_told[-1] is False
