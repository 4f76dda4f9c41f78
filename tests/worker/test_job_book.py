"""Who asked for which job, and that each asker hears of its own jobs to their end, and of no others."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from scripted import Script, WaitUntil, long_job, quick_job, steps, until_cancelled

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.events import EndEvent, Event, JobCancelled, JobDone, Progress
from tlora_gui.engine.protocol.jobs import Job
from tlora_gui.worker.engine_client import EngineClient
from tlora_gui.worker.job_book import BookedJob

MakeClient = Callable[..., EngineClient]


class Person:
    """Asks, and writes down what it hears."""

    def __init__(self, client: EngineClient) -> None:
        self.client = client
        self.heard: list[tuple[int, Event]] = []
        self.ends: list[tuple[Job, EndEvent]] = []
        client.received.connect(self._pass_on)

    def _pass_on(self, told: list[tuple[BookedJob, list[Event]]]) -> None:
        for booked, events in told:
            if booked.asker is self:
                self.hear(booked.job_id, booked.job, events)
                if isinstance(events[-1], EndEvent):
                    self.ended(booked.job_id, booked.job, events[-1])

    def hear(self, job_id: int, job: Job, events: Sequence[Event]) -> bool:
        assert len({type(event) for event in events}) == 1
        self.heard += [(job_id, event) for event in events]
        return True

    def ended(self, job_id: int, job: Job, end: EndEvent) -> None:
        assert not self.client.is_live(job_id)
        self.ends.append((job, end))


def test_an_asker_hears_of_its_own_jobs_alone_in_order(make_client: MakeClient, wait_until: WaitUntil) -> None:
    client = make_client(lambda: Script({quick_job("mine"): steps("mine", 3), quick_job("hers"): steps("hers", 2)}))
    i, she = Person(client), Person(client)
    client.start()
    mine, hers = client.submit(quick_job("mine"), i), client.submit(quick_job("hers"), she)
    nobodys = client.submit(quick_job("mine"))
    assert client.live() == (mine, hers, nobodys)
    wait_until(lambda: not client.busy)
    assert i.heard == [*((mine, Progress("mine", n)) for n in (1, 2, 3)), (mine, JobDone(mine))]
    assert i.ends == [(quick_job("mine"), JobDone(mine))]
    assert she.heard == [*((hers, Progress("hers", n)) for n in (1, 2)), (hers, JobDone(hers))]


def test_the_asker_of_a_dropped_job_hears_of_its_end_before_the_drop_returns(
    make_client: MakeClient, wait_until: WaitUntil
) -> None:
    client = make_client(lambda: Script({quick_job(): until_cancelled()}))
    asker = Person(client)
    client.start()
    number = client.submit(quick_job(), asker)
    wait_until(lambda: asker.heard)
    client.drop(number)
    assert asker.ends == [(quick_job(), JobCancelled(number, kept=False))]
    heard = len(asker.heard)
    client.drop(number)
    client.submit(quick_job("next"))  # the script knows no such play; its end tells that the first one is over
    wait_until(lambda: not client.busy)
    assert len(asker.heard) == heard and len(asker.ends) == 1


def test_live_jobs_are_found_by_kind_and_by_asker(make_client: MakeClient, wait_until: WaitUntil) -> None:
    client = make_client(lambda: Script({}))
    i, she = Person(client), Person(client)
    listing = jobs.ListGenerations()
    training, text, question = client.submit(long_job(), i), client.submit(quick_job(), i), client.submit(listing, she)
    assert client.jobs() == {training: long_job(), text: quick_job(), question: listing}
    assert client.jobs(asker=i) == {training: long_job(), text: quick_job()}
    assert client.jobs(jobs.TrainEpoch, jobs.ListGenerations) == {training: long_job(), question: listing}
    assert client.jobs(jobs.Generate, asker=she) == {}
    client.drop(text)
    assert client.jobs(jobs.Generate, asker=i) == {}
