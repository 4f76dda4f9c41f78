"""A project that another session trains, looked on from its files."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from engine_helpers import collect, only, train_job
from test_session_jobs import path_of, states

from tlora_gui.engine import session as sessions
from tlora_gui.engine.handlers import following
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.errors import Cancelled, ProjectLocked, TloraError
from tlora_gui.engine.protocol.events import (
    EpochFinished,
    EpochsChanged,
    HeldOut,
    ProjectOpened,
    StreamEvent,
    TrainStarted,
    TrainStep,
)
from tlora_gui.engine.session import Session

Corpora = dict[str, Path]


def watched(events: list[StreamEvent]) -> list[StreamEvent]:
    """Steps and measurements."""
    return [event for event in events if isinstance(event, TrainStep | HeldOut)]


def opened(path: Path) -> Session:
    """Another session that has the project open."""
    session = Session()
    collect(session.run(jobs.OpenProject(str(path))))
    return session


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Iterator[Any]], None]:
    """``meanwhile(others)``: between two looks at the files, others do one thing more."""

    def begin(others: Iterator[Any]) -> None:
        monkeypatch.setattr(following, "time", SimpleNamespace(sleep=lambda _: next(others, None)))

    return begin


def followed(path: Path) -> list[StreamEvent]:
    """All that somebody sees who looks on."""
    return collect(Session().run(jobs.FollowProject(str(path))))


def test_who_looks_on_sees_each_step_and_measurement_and_loads_no_backbone(
    one_epoch: Session, corpora: Corpora, meanwhile: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "load_backbone", lambda *_: pytest.fail("it was loaded"))
    told: list[StreamEvent] = []

    def others() -> Iterator[None]:
        for event in one_epoch.run(train_job("Code", corpora["code"])):
            told.append(event)
            yield
        one_epoch.close()

    meanwhile(others())
    seen = followed(path_of(one_epoch))
    assert isinstance(seen[0], ProjectOpened)
    assert [slug for slug, _ in seen[0].project.history] == ["verse"]
    assert watched(seen) == watched(told) != []
    assert only(seen, TrainStarted) == only(told, TrainStarted)
    assert only(seen, EpochFinished) == only(told, EpochFinished)
    first, *_, last = only(seen, EpochsChanged)
    assert [(epoch.slug, epoch.state) for epoch in first.epochs] == [("verse", "frozen"), ("code", "training")]
    assert (last.epochs, last.slots) == (only(told, EpochsChanged)[-1].epochs, only(told, EpochsChanged)[-1].slots)


def test_a_training_that_is_stopped_and_goes_on_is_told_from_its_beginning(
    one_epoch: Session, corpora: Corpora, meanwhile: Any
) -> None:
    path = path_of(one_epoch)

    def others() -> Iterator[None]:
        cancel, steps = CancelToken(), 0
        with pytest.raises(Cancelled):
            for event in one_epoch.run(train_job("Code", corpora["code"]), cancel):
                steps += isinstance(event, TrainStep)
                if steps == 2:
                    cancel.cancel("suspend")
                yield
        yield
        for _ in one_epoch.run(jobs.ResumeEpoch("code")):
            yield
        one_epoch.close()

    meanwhile(others())
    seen = followed(path)
    stopped = [event for event in only(seen, EpochsChanged) if event.epochs[-1].state == "interrupted"]
    assert stopped
    again = len(seen) - 1 - next(i for i, event in enumerate(reversed(seen)) if isinstance(event, TrainStarted))
    stored = dict(opened(path).info().history)["code"]
    assert watched(seen[again:]) == list(stored)


def test_what_is_in_training_when_the_look_begins_is_told_from_its_beginning(
    one_epoch: Session, corpora: Corpora, meanwhile: Any
) -> None:
    stream = one_epoch.run(train_job("Code", corpora["code"]))
    told = [next(stream)]
    while len(only(told, TrainStep)) < 3:
        told.append(next(stream))
    cancel = CancelToken()

    def others() -> Iterator[None]:
        yield
        cancel.cancel()
        yield

    meanwhile(others())
    seen: list[StreamEvent] = []
    with pytest.raises(Cancelled):
        for event in Session().run(jobs.FollowProject(str(path_of(one_epoch))), cancel):
            seen.append(event)  # noqa: PERF402 - those before the end stay
    assert isinstance(seen[0], ProjectOpened) and seen[0].project.epochs[-1].state == "training"
    assert watched(seen) == watched(told)
    collect(stream)
    assert states(one_epoch) == [("verse", "frozen"), ("code", "frozen")]


def test_a_crash_before_the_first_checkpoint_leaves_no_epoch_and_no_folder(
    one_epoch: Session, corpora: Corpora, tmp_path: Path
) -> None:
    stream = one_epoch.run(train_job("Code", corpora["code"]))
    while not isinstance(next(stream), TrainStep):
        pass
    crashed = Path(shutil.copytree(path_of(one_epoch), tmp_path / "crashed", ignore=shutil.ignore_patterns(".lock")))
    assert (crashed / "checkpoints" / "code" / "history.jsonl").is_file()
    assert states(opened(crashed)) == [("verse", "frozen")]
    assert not list((crashed / "checkpoints").iterdir())
    stream.close()  # type: ignore[attr-defined]


def test_only_a_project_that_others_have_open_is_followed(one_epoch: Session, tmp_path: Path) -> None:
    path = path_of(one_epoch)
    with pytest.raises(ProjectLocked):
        opened(path)
    one_epoch.close()
    with pytest.raises(TloraError, match="Nobody else"):
        followed(path)
    with pytest.raises(TloraError, match="not a Temporal LoRA project"):
        followed(tmp_path)
