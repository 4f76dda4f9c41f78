"""The history of runs: every training is kept however it ends, and damage to one is only its own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_helpers import QUICK, Corpora, cancel_after, changed, collect, only, open_copy, places, train_job
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_typed_json import ANY_JSON, values_of

from tlora_gui.engine.projects import run_history
from tlora_gui.engine.projects.project import Project
from tlora_gui.engine.projects.records import check_run
from tlora_gui.engine.projects.run_history import RunHistory
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelMode, CancelToken
from tlora_gui.engine.protocol.config import TrainSettings
from tlora_gui.engine.protocol.errors import Cancelled, TloraError
from tlora_gui.engine.protocol.events import (
    EpochFinished,
    EpochInfo,
    HeldOut,
    Run,
    RunLoaded,
    RunsListed,
    TrainStarted,
    TrainStep,
)
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.session import Session

VERSE = EpochInfo("verse", "Verse", "", "#0072B2", "training", corpus=("/texts/verse",))
RUN = Run("", VERSE, QUICK, 1.7e9, backbone="tiny", versions=(("torch", "2"),))
STEPS = tuple(TrainStep("verse", n, 6, 4 - n / 10, 0.1, 0.2, 1e-3, 64 * n, 99.0, 1.0, 0.5) for n in range(1, 7))
MEASURED = HeldOut("verse", 6, 3.5, (("verse", 0.9),))


def runs_of(session: Session) -> tuple[Run, ...]:
    (listed,) = only(collect(session.run(jobs.ListRuns())), RunsListed)
    return listed.runs


def loaded(session: Session, id: str) -> RunLoaded:
    (found,) = only(collect(session.run(jobs.LoadRun(id))), RunLoaded)
    return found


def train(session: Session, corpora: Corpora, mode: CancelMode | None = None, name: str = "Verse") -> list[Any]:
    """Train an epoch to its end, or until after its third step."""
    cancel = CancelToken()
    stream = session.run(train_job(name, corpora["verse"]), cancel)
    return collect(stream) if mode is None else cancel_after(stream, cancel, mode, 3)[0]


# -- through a session ----------------------------------------------------------------------------------------------


def test_a_finished_run_is_kept_with_everything_that_was_told_of_it(session: Session, corpora: Corpora) -> None:
    events = train(session, corpora)
    (run,) = runs_of(session)
    (finished,) = only(events, EpochFinished)
    assert (run.id, run.ended, run.reason) == ("0001-verse", "finished", "")
    assert run.epoch == finished.epoch and run.epoch.corpus == (str(corpora["verse"]),)
    assert run.settings == QUICK
    assert run.step == run.total_steps == 6 and run.seconds > 0
    assert run.machine is not None and run.machine.threads == torch.get_num_threads() and run.machine.processor
    assert dict(run.versions).keys() == {"tlora-gui", "torch", "transformers", "peft"}
    assert len(run.epoch.corpus_fingerprint) == 32 and run.backbone
    told = tuple(event for event in events if isinstance(event, TrainStep | HeldOut))
    assert loaded(session, run.id) == RunLoaded(run, told)


@pytest.mark.parametrize(("mode", "ended"), [("keep", "stopped"), ("suspend", "interrupted"), ("discard", "discarded")])
def test_a_run_that_a_person_ends_says_how(session: Session, corpora: Corpora, mode: CancelMode, ended: str) -> None:
    train(session, corpora, mode)
    (run,) = runs_of(session)
    assert (run.ended, run.step, run.total_steps) == (ended, 3, 6)
    assert run.epoch.held_out_loss is not None


def test_a_run_that_fails_says_why(session: Session, corpora: Corpora, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise TloraError(say("The sky fell."), say("Hold it up."))

    monkeypatch.setattr("tlora_gui.engine.training.epoch_run.EpochRun.teach_mixers", fail)
    with pytest.raises(TloraError):
        train(session, corpora)
    (run,) = runs_of(session)
    assert (run.ended, run.reason, run.step) == ("failed", "The sky fell.", 0)


def test_a_run_that_goes_on_is_one_run(session: Session, corpora: Corpora) -> None:
    train(session, corpora, "suspend")
    (before,) = runs_of(session)
    collect(session.run(jobs.ResumeEpoch("verse")))
    (run,) = runs_of(session)
    assert (run.id, run.started, run.ended, run.step) == (before.id, before.started, "finished", 6)
    assert run.seconds > before.seconds
    assert [event.step for event in loaded(session, run.id).history if isinstance(event, TrainStep)] == list(
        range(1, 7)
    )


def test_an_interrupted_run_whose_epoch_is_deleted_is_discarded(session: Session, corpora: Corpora) -> None:
    train(session, corpora, "suspend")
    collect(session.run(jobs.DeleteEpoch("verse")))
    assert [run.ended for run in runs_of(session)] == ["discarded"]
    train(session, corpora)
    assert [(run.id, run.ended) for run in runs_of(session)] == [
        ("0001-verse", "discarded"),
        ("0002-verse", "finished"),
    ]


def test_the_run_of_a_deleted_epoch_stays(session: Session, corpora: Corpora) -> None:
    train(session, corpora)
    collect(session.run(jobs.DeleteEpoch("verse")))
    assert [run.ended for run in runs_of(session)] == ["finished"]


def test_a_run_that_a_crash_ended_is_interrupted_once_its_project_is_opened(
    session: Session, corpora: Corpora, tmp_path: Path
) -> None:
    stream = session.run(train_job("Verse", corpora["verse"]))
    next(event for event in stream if isinstance(event, TrainStep))
    assert [run.ended for run in runs_of(session)] == ["running"]
    assert session.project is not None
    left = open_copy(session.project.path, tmp_path / "left")
    assert [run.ended for run in runs_of(left)] == ["interrupted"]


def test_a_running_run_is_not_deleted_and_others_are_gone_from_the_history(session: Session, corpora: Corpora) -> None:
    stream = session.run(train_job("Verse", corpora["verse"]))
    next(event for event in stream if isinstance(event, TrainStep))
    with pytest.raises(TloraError, match="in training"):
        collect(session.run(jobs.DeleteRun("0001-verse")))
    collect(stream)
    (listed,) = only(collect(session.run(jobs.DeleteRun("0001-verse"))), RunsListed)
    assert listed.runs == ()
    for job in (jobs.LoadRun("0001-verse"), jobs.DeleteRun("../epochs")):
        with pytest.raises(TloraError, match="no longer in the history"):
            collect(session.run(job))


def test_a_training_ends_as_well_where_its_run_cannot_be_recorded(session: Session, corpora: Corpora) -> None:
    assert session.project is not None
    (session.project.path / "runs").write_text("in the way")
    assert only(train(session, corpora), EpochFinished)
    assert runs_of(session) == ()


def test_a_discarded_run_keeps_its_project_from_being_thrown_away_as_unused(session: Session, corpora: Corpora) -> None:
    train(session, corpora, "discard")
    assert session.project is not None and not session.project.is_unused()


# -- on disk --------------------------------------------------------------------------------------------------------


@pytest.fixture
def kept(tmp_path: Path) -> RunHistory:
    return RunHistory(tmp_path / "runs", lambda: None)


def record(kept: RunHistory, run: Run = RUN, *, goes_on: bool = False) -> None:
    """A training that tells all steps and ends."""
    history: list[TrainStep | HeldOut] = []

    def training() -> Iterator[Any]:
        yield TrainStarted(run.epoch, 6, 0)
        for event in (*STEPS, MEASURED):
            history.append(event)
            yield event
        yield EpochFinished(replace(run.epoch, state="frozen"))

    collect(kept.record(run, training(), history, CancelToken(), goes_on=goes_on))  # type: ignore[arg-type]


def test_time_in_which_nobody_asks_for_more_is_a_pause(kept: RunHistory, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(run_history.time, "monotonic", lambda: now[0])
    history: list[TrainStep | HeldOut] = []

    def training() -> Iterator[Any]:
        for event in STEPS:
            now[0] += 2.0
            history.append(event)
            yield event

    for _ in kept.record(RUN, training(), history, CancelToken(), goes_on=False):  # type: ignore[arg-type]
        now[0] += 100.0
    assert [run.seconds for run in kept.listed()] == [12.0]


def test_only_the_newest_runs_are_kept(kept: RunHistory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_history, "MOST_RUNS", 3)
    for _ in range(5):
        record(kept)
    assert kept.ids() == ["0003-verse", "0004-verse", "0005-verse"]
    assert [path.name for path in kept.root.iterdir() if path.name.startswith(".")] == []


def test_numbers_go_on_after_9999(kept: RunHistory) -> None:
    record(kept)
    (kept.root / "0001-verse").rename(kept.root / "9999-verse")
    for _ in range(2):
        record(kept)
    assert kept.ids() == ["9999-verse", "10000-verse", "10001-verse"]


def test_a_damaged_run_is_listed_as_broken_and_the_others_are_whole(kept: RunHistory) -> None:
    for _ in range(3):
        record(kept)
    (kept.root / "0002-verse" / "run.json").write_text("{")
    (kept.root / "0003-verse" / "history.jsonl").unlink()
    (kept.root / "0004-empty").mkdir()
    ends = [(run.ended, run.epoch.name) for run in kept.listed()]
    assert ends == [("finished", "Verse"), ("broken", "verse"), ("finished", "Verse"), ("broken", "empty")]
    assert kept.load("0003-verse")[1] == ()
    with pytest.raises(TloraError, match="damaged"):
        kept.load("0002-verse")
    kept.delete("0002-verse")
    kept.delete("0004-empty")
    assert kept.ids() == ["0001-verse", "0003-verse"]


def test_a_run_that_leads_out_of_the_project_is_broken(kept: RunHistory, tmp_path: Path) -> None:
    record(kept)
    file = kept.root / "0001-verse" / "run.json"
    shutil.move(file, tmp_path / "elsewhere.json")
    file.symlink_to(tmp_path / "elsewhere.json")
    assert [(run.ended, run.reason) for run in kept.listed()] == [("broken", "run.json leads out of the project")]


def acceptable(run: Run) -> bool:
    try:
        check_run(run)
    except ValueError:
        return False
    return True


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9).filter(str.strip)
runs = values_of(Run).map(
    lambda run: replace(run, epoch=replace(VERSE, name=run.epoch.name or "x", era=run.epoch.era), id="")
)


@given(run=runs.filter(acceptable))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much], max_examples=40)
def test_any_run_is_read_as_it_was_recorded(kept: RunHistory, run: Run) -> None:
    record(kept, run)
    read, history = kept.load(kept.ids()[-1])
    assert history == (*STEPS, MEASURED)
    told = replace(run, id=read.id, seconds=read.seconds, step=6, total_steps=6, ended="finished", reason="")
    assert read == replace(told, epoch=replace(run.epoch, state="frozen", held_out_loss=3.5))


@given(data=st.data(), other=ANY_JSON)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_whatever_stands_in_its_place_runs_are_listed(kept: RunHistory, data: st.DataObject, other: Any) -> None:
    if not kept.ids():
        record(kept)
        (kept.root / "whole.json").write_text((kept.root / "0001-verse" / "run.json").read_text())
    whole = json.loads((kept.root / "whole.json").read_text())
    place = data.draw(st.sampled_from(list(places(whole))))
    (kept.root / "0001-verse" / "run.json").write_text(json.dumps(changed(whole, place, other)))
    (run,) = kept.listed()
    assert run.id == "0001-verse" and isinstance(run.settings, TrainSettings) and run.epoch.name


def test_an_older_project_has_no_runs_and_lists_none(one_epoch: Session) -> None:
    assert one_epoch.project is not None
    shutil.rmtree(one_epoch.project.path / "runs", ignore_errors=True)
    assert runs_of(one_epoch) == ()
    assert Project.open(one_epoch.project.path).runs.ids() == []


def test_a_cancelled_stream_passes_its_end_on(kept: RunHistory) -> None:
    def training() -> Iterator[Any]:
        yield TrainStarted(VERSE, 6, 0)
        raise Cancelled

    cancel = CancelToken()
    cancel.cancel("discard")
    with pytest.raises(Cancelled):
        collect(kept.record(RUN, training(), [], cancel, goes_on=False))  # type: ignore[arg-type]
    assert [run.ended for run in kept.listed()] == ["discarded"]
