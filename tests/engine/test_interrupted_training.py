"""An interrupted training is a state of the project: told, gone on with bit for bit, and lost only if one says so."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_helpers import QUICK, Corpora, cancel_after, collect, only, open_copy, same_tensors, snapshot, train_job

from tlora_gui.engine.projects import checkpoints, project
from tlora_gui.engine.projects.checkpoints import Checkpoints
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.errors import EpochInterrupted, TloraError
from tlora_gui.engine.protocol.events import EpochFinished, EpochInfo, Evaluated, HeldOut, TrainStep, Warned
from tlora_gui.engine.session import Session
from tlora_gui.engine.training import epoch_run


@pytest.fixture
def uninterrupted(stored_projects: dict[int, Path], tmp_path: Path) -> Session:
    """The project as it is with "Code" trained without a break."""
    return open_copy(stored_projects[2], tmp_path / "uninterrupted")


def path_of(session: Session) -> Path:
    assert session.project is not None
    return session.project.path


def reopen(session: Session) -> Session:
    """A copy of the project in another session, as after a restart."""
    path = path_of(session)
    again = Session()
    copy = path.with_name(f"{path.name}-again")
    shutil.copytree(path, copy)
    collect(again.run(jobs.OpenProject(str(copy))))
    return again


def epoch(session: Session, slug: str) -> EpochInfo:
    return next(epoch for epoch in session.info().epochs if epoch.slug == slug)


def stop_after(session: Session, job: jobs.Job, step: int) -> None:
    """Close a training's stream where it stands."""
    for event in session.run(job):
        if isinstance(event, TrainStep) and event.step == step:
            return


def suspend(session: Session, job: jobs.Job, step: int) -> None:
    cancel = CancelToken()
    assert cancel_after(session.run(job, cancel), cancel, "suspend", step)[1]


def left(session: Session, slug: str) -> tuple[dict[str, torch.Tensor], list[Any], EpochInfo]:
    """All that a training leaves, timings aside."""
    assert session.model is not None
    history = dict(session.info().history)[slug]
    events = [replace(e, tokens_per_second=0.0, eta_s=0.0) if isinstance(e, TrainStep) else e for e in history]
    return snapshot(session.model), events, epoch(session, slug)


def assert_same(one: Any, other: Any) -> None:
    assert same_tensors(one[0], other[0])
    assert one[1:] == other[1:]


# -- a state that is told -----------------------------------------------------------------------------------------


def test_a_stream_closed_after_a_step_leaves_an_epoch_that_goes_on_bit_for_bit(
    one_epoch: Session, uninterrupted: Session, corpora: Corpora
) -> None:
    stop_after(one_epoch, train_job("Code", corpora["code"]), 3)
    told = epoch(one_epoch, "code")
    assert (told.state, told.note) == ("interrupted", "stopped after step 3 of 6")
    again = reopen(one_epoch)
    assert epoch(again, "code") == told
    collect(again.run(jobs.ResumeEpoch("code")))
    assert_same(left(again, "code"), left(uninterrupted, "code"))


def test_an_interrupt_from_the_keyboard_is_one_too(
    one_epoch: Session, corpora: Corpora, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn = epoch_run.EpochRun.learn

    def learn_twice(run: epoch_run.EpochRun, rows_B: torch.Tensor) -> Any:
        if run.step == 2:
            raise KeyboardInterrupt
        return learn(run, rows_B)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(epoch_run.EpochRun, "learn", learn_twice)
        collect(one_epoch.run(train_job("Code", corpora["code"])))
    assert epoch(one_epoch, "code").note == "stopped after step 2 of 6"
    assert only(collect(one_epoch.run(jobs.ResumeEpoch("code"))), EpochFinished)


def test_the_name_of_an_interrupted_epoch_says_how_far_it_came_and_what_can_be_done(
    one_epoch: Session, corpora: Corpora
) -> None:
    stop_after(one_epoch, train_job("Code", corpora["code"]), 3)
    with pytest.raises(
        EpochInterrupted, match=r"^Code was interrupted at step 3 of 6\. Let that training go on"
    ) as told:
        collect(one_epoch.run(train_job(" Code ", corpora["code"])))
    assert (told.value.slug, told.value.code) == ("code", "epoch-interrupted")


def test_what_another_training_would_end_is_known_before_and_told_after(one_epoch: Session, corpora: Corpora) -> None:
    assert one_epoch.ended_by_training() == ()
    stop_after(one_epoch, train_job("Code", corpora["code"]), 3)
    (told,) = one_epoch.ended_by_training()
    assert told == epoch(one_epoch, "code")
    collect(one_epoch.run(train_job("Tale", corpora["verse"])))
    assert one_epoch.ended_by_training() == ()
    for session in (one_epoch, reopen(one_epoch)):
        assert epoch(session, "code").note.endswith("it cannot go on, the epochs before it have changed")
    collect(one_epoch.run(jobs.DeleteEpoch("code")))


def test_an_epoch_whose_past_comes_back_can_go_on_again(two_epochs: Session, corpora: Corpora) -> None:
    stop_after(two_epochs, train_job("Tale", corpora["verse"]), 3)
    collect(two_epochs.run(jobs.DeleteEpoch("code")))
    assert two_epochs.ended_by_training() == () and "cannot go on" in epoch(two_epochs, "tale").note
    collect(two_epochs.run(jobs.RestoreEpoch("code")))
    assert [told.note for told in two_epochs.ended_by_training()] == ["stopped after step 3 of 6"]
    assert only(collect(two_epochs.run(jobs.ResumeEpoch("tale"))), EpochFinished)


def test_no_second_training_begins_beside_the_first(one_epoch: Session, corpora: Corpora) -> None:
    stream = one_epoch.run(train_job("Code", corpora["code"]))
    next(event for event in stream if isinstance(event, TrainStep))
    with pytest.raises(TloraError, match="Code is in training"):
        collect(one_epoch.run(train_job("Tale", corpora["verse"])))
    assert only(collect(stream), EpochFinished)


# -- nothing is lost ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["write_epoch", "_add_mixer"])
def test_an_epoch_that_cannot_be_stored_is_kept_and_stored_when_it_goes_on(
    one_epoch: Session, uninterrupted: Session, corpora: Corpora, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(13, "Permission denied", "x")

    events = []
    with monkeypatch.context() as patch, pytest.raises(TloraError, match=r"could not be stored: .*Permission denied"):
        patch.setattr(project.Project if place == "_add_mixer" else project.epoch_folder, place, refuse)
        events.extend(one_epoch.run(train_job("Code", corpora["code"])))
    assert only(events, Warned)[-1].message == "Code: stopped after step 6 of 6."
    assert epoch(one_epoch, "code").state == "interrupted"
    events = collect(one_epoch.run(jobs.ResumeEpoch("code")))
    assert only(events, TrainStep) == [] and only(events, EpochFinished)
    assert_same(left(one_epoch, "code"), left(uninterrupted, "code"))


def test_a_full_disk_at_a_checkpoint_is_a_warning_and_the_epoch_is_stored(
    one_epoch: Session, uninterrupted: Session, corpora: Corpora, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(epoch_run, "CHECKPOINT_SECONDS", -1.0)
    monkeypatch.setattr(checkpoints, "write_tensors", refuse)
    events = collect(one_epoch.run(train_job("Code", corpora["code"])))
    assert len(only(events, Warned)) == 1 and only(events, EpochFinished)
    assert_same(left(one_epoch, "code"), left(uninterrupted, "code"))


def test_a_checkpoint_makes_no_project_folder_where_one_was(one_epoch: Session, corpora: Corpora) -> None:
    path = path_of(one_epoch)
    stream = one_epoch.run(train_job("Code", corpora["code"]))
    next(event for event in stream if isinstance(event, TrainStep))
    path.rename(path.with_name("elsewhere"))
    stream.close()  # type: ignore[attr-defined]
    assert not path.exists()


def test_a_training_of_what_is_no_number_is_kept_at_its_last_good_step_and_never_frozen(
    one_epoch: Session, corpora: Corpora, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn = epoch_run.EpochRun.learn

    def spoil(run: epoch_run.EpochRun, rows_B: torch.Tensor) -> Any:
        learned = learn(run, rows_B)
        if run.step == 4:
            run.adapter[0].data[0, 0] = float("nan")
        return learned

    monkeypatch.setattr(epoch_run.EpochRun, "learn", spoil)
    events = []
    with pytest.raises(TloraError, match=r"The adapter came to no number \(NaN\) in step 5 of 6"):
        events.extend(one_epoch.run(train_job("Code", corpora["code"])))
    assert only(events, Warned)[-1].message == "Code: stopped after step 4 of 6."
    assert [(each.slug, each.state) for each in one_epoch.info().epochs] == [
        ("verse", "frozen"),
        ("code", "interrupted"),
    ]
    cancel = CancelToken()
    stream = one_epoch.run(jobs.ResumeEpoch("code"), cancel)
    next(stream)
    cancel.cancel("keep")
    assert only(collect(stream), EpochFinished)[0].epoch.note == "stopped after 4 of 6 steps"


def test_an_epoch_of_what_is_no_number_is_named_and_neither_measured_nor_trained_upon(
    two_epochs: Session, corpora: Corpora
) -> None:
    assert two_epochs.model is not None
    next(iter(two_epochs.model.adapter_parameters("code").values())).data[0, 0] = float("nan")
    for job in (jobs.Evaluate(), train_job("Tale", corpora["verse"])):
        with pytest.raises(TloraError, match="Code"):
            collect(two_epochs.run(job))
    collect(two_epochs.run(jobs.DeleteEpoch("code")))
    (scores,) = only(collect(two_epochs.run(jobs.Evaluate())), Evaluated)
    assert all(value == value for value in asdict(scores.scores[0]).values())


def test_a_comparison_that_the_objective_does_not_allow_is_told(one_epoch: Session, corpora: Corpora) -> None:
    joint = replace(QUICK, objective="joint", max_tokens=64)
    notes = []
    for name, settings in (("Joint", joint), ("Alone", replace(joint, compare_unprotected=False))):
        events = collect(one_epoch.run(train_job(name, corpora["code"], settings)))
        notes.append(only(events, EpochFinished)[0].epoch.note)
    assert "not compared with a training without Active Sleep" in notes[0] and notes[1] == ""


# -- killed -------------------------------------------------------------------------------------------------------

CHILD = """
import sys
import time
import torch
torch.set_num_threads(1)
sys.path.insert(0, sys.argv[1])
from engine_helpers import QUICK, train_job
from conftest import shorten_waits
import pytest
from tlora_gui.engine.training import evaluation
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.training import epoch_run
from tlora_gui.engine.session import Session
from dataclasses import replace
patch = pytest.MonkeyPatch()
shorten_waits(patch)
patch.setattr(evaluation, "trains_in_bf16", lambda device: False)
patch.setattr(epoch_run, "CHECKPOINT_SECONDS", -1.0)
session = Session()
list(session.run(jobs.OpenProject(sys.argv[2])))
for event in session.run(train_job("Code", sys.argv[3], replace(QUICK, num_passes=5))):
    time.sleep(0.01)
"""


def test_a_process_killed_at_any_moment_goes_on_to_the_uninterrupted_epoch_bit_for_bit(
    one_epoch: Session, corpora: Corpora
) -> None:
    settings = replace(QUICK, num_passes=5)
    straight = reopen(one_epoch)
    collect(straight.run(train_job("Code", corpora["code"], settings)))
    path = path_of(one_epoch)
    one_epoch.close()  # or its lock would keep the child out
    kept = Checkpoints(path / "checkpoints")
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(Path(__file__).parent), str(path), corpora["code"]])
    while child.poll() is None and not kept.slugs():
        time.sleep(0.02)
    time.sleep(random.random() / 5)
    child.kill()
    child.wait()
    assert 0 < kept.steps("code")[0] < 30
    again = Session()
    collect(again.run(jobs.OpenProject(str(path))))
    collect(again.run(jobs.ResumeEpoch("code")))
    assert_same(left(again, "code"), left(straight, "code"))
    assert only(left(again, "code")[1], HeldOut)


def test_whatever_a_crash_leaves_between_two_files_of_a_checkpoint_goes_on_bit_for_bit(
    one_epoch: Session, uninterrupted: Session, corpora: Corpora, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments: list[Path] = []
    with monkeypatch.context() as patch:
        for name in ("keep_blocks_file", "write_tensors", "write_facts", "write_history"):

            def write_and_look(write: Any, *args: Any) -> None:
                write(*args)
                moments.append(shutil.copytree(path_of(one_epoch), tmp_path / f"moment-{len(moments)}"))

            patch.setattr(checkpoints, name, partial(write_and_look, getattr(checkpoints, name)))
        patch.setattr(epoch_run, "CHECKPOINT_SECONDS", -1.0)
        collect(one_epoch.run(train_job("Code", corpora["code"])))
    assert len(moments) == 2 + 1 + 3 * 6  # as the training begins, its text, then each checkpoint
    for moment in random.Random(1).sample(moments[5:], 5):  # before, there is no checkpoint
        session = Session()
        collect(session.run(jobs.OpenProject(str(moment))))
        collect(session.run(jobs.ResumeEpoch("code")))
        assert_same(left(session, "code"), left(uninterrupted, "code"))
