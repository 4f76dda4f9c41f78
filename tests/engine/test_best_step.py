"""A training ends when held-out loss no longer falls, and what it leaves is the step after which that was lowest."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_helpers import (
    QUICK,
    Corpora,
    cancel_after,
    collect,
    only,
    open_copy,
    reopened,
    same_tensors,
    snapshot,
    train_job,
)

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.events import EpochFinished, EpochInfo, HeldOut, TrainStep
from tlora_gui.engine.session import Session
from tlora_gui.engine.training import epoch_run
from tlora_gui.engine.training.early_stop import BestStep
from tlora_gui.engine.training.epoch_run import EpochRun

OVERTRAINED = replace(QUICK, num_passes=16, learning_rate=3e-2)
"""96 steps on a text of which nothing can be learned but by heart."""


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of letters without any order."""
    folder, draw = tmp_path_factory.mktemp("noise"), random.Random(0)
    for file in range(6):
        text = "".join(draw.choices("abcdefgh ", k=1500))
        (folder / f"{file}.txt").write_text(text, encoding="utf-8")
    return folder


def measured(events: list[Any]) -> list[HeldOut]:
    return only(events, HeldOut)


def finished(events: list[Any]) -> EpochInfo:
    return only(events, EpochFinished)[0].epoch


def test_an_overtrained_epoch_ends_early_and_keeps_the_step_with_the_lowest_held_out_loss(
    session: Session, noise: Path
) -> None:
    events = collect(session.run(train_job("Noise", noise, OVERTRAINED)))
    info, curve = finished(events), measured(events)
    steps = only(events, TrainStep)
    lowest = min(event.loss for event in curve[1:])
    assert len(steps) < steps[-1].total_steps == 96
    assert 0 < info.kept_step < len(steps)
    assert info.held_out_loss == lowest == next(event.loss for event in curve if event.step == info.kept_step)
    assert [event.step for event in curve if event.best][-1] == info.kept_step
    assert curve[-1].step == len(steps) and curve[-1].losses and not curve[-1].best
    assert info.tokens == steps[info.kept_step - 1].tokens
    expected = f"stopped after {len(steps)} of 96 steps; step {info.kept_step} is kept, the best on held-out text"
    assert info.note == expected
    again = reopened(session).info()
    assert again.epochs == (info,)
    assert again.history[0][1] == tuple(event for event in events if isinstance(event, TrainStep | HeldOut))


def test_without_early_stop_the_last_step_is_kept(session: Session, noise: Path) -> None:
    events = collect(session.run(train_job("Noise", noise, replace(OVERTRAINED, early_stop=False))))
    info, curve = finished(events), measured(events)
    assert len(only(events, TrainStep)) == 96 and info.kept_step == 0 and info.note == ""
    assert info.held_out_loss == curve[-1].loss > min(event.loss for event in curve)
    assert not any(event.best or event.patience for event in curve)


def test_what_is_kept_is_adapter_and_mixer_of_the_best_step_as_they_were_then(
    one_epoch: Session, noise: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    states: dict[int, dict[str, torch.Tensor]] = {}
    measure = EpochRun.measure

    def look(run: EpochRun) -> Any:
        yield from measure(run)
        assert one_epoch.model is not None
        states[run.step] = snapshot(one_epoch.model)

    monkeypatch.setattr(EpochRun, "measure", look)
    settings = replace(OVERTRAINED, sleep=replace(OVERTRAINED.sleep, memory_labels=False))  # no calibration
    info = finished(collect(one_epoch.run(train_job("Noise", noise, settings))))
    assert one_epoch.model is not None and info.kept_step
    kept = snapshot(one_epoch.model)
    assert not kept.pop("mixer.filter_prior").any(), "the slot has learned"
    assert states[info.kept_step].pop("mixer.filter_prior")[-1] < 0
    assert same_tensors(kept, states[info.kept_step])
    assert max(states) > info.kept_step


@pytest.mark.parametrize("when", ["before the best", "behind the best", "in the ending"])
def test_a_training_that_is_resumed_stops_at_the_same_step_and_keeps_the_same_bit_for_bit(
    stored_projects: dict[int, Path], tmp_path: Path, noise: Path, when: str
) -> None:
    straight, broken = (open_copy(stored_projects[1], tmp_path / name) for name in ("straight", "broken"))
    events = collect(straight.run(train_job("Noise", noise, OVERTRAINED)))
    kept, last = finished(events).kept_step, len(only(events, TrainStep))
    stop = {"before the best": kept - 1, "behind the best": kept + 1, "in the ending": last}[when]
    cancel = CancelToken()
    assert cancel_after(broken.run(train_job("Noise", noise, OVERTRAINED), cancel), cancel, "suspend", stop)[1]
    again = reopened(broken)
    assert finished(collect(again.run(jobs.ResumeEpoch("noise")))) == finished(events)
    assert straight.model is not None and again.model is not None
    assert same_tensors(snapshot(straight.model), snapshot(again.model))
    one, other = (
        [event for event in dict(each.info().history)["noise"] if isinstance(event, HeldOut)]
        for each in (straight, again)
    )
    assert one == other


def test_keeping_what_is_learned_keeps_the_best_of_it(session: Session, noise: Path) -> None:
    straight = collect(session.run(train_job("Noise", noise, OVERTRAINED)))
    kept = finished(straight).kept_step
    cancel = CancelToken()
    events, _ = cancel_after(session.run(train_job("Again", noise, OVERTRAINED), cancel), cancel, "keep", kept + 2)
    info = finished(events)
    assert info.kept_step == kept and info.note.startswith(f"stopped after {kept + 2} of 96 steps; step {kept} is kept")


def test_a_best_step_of_another_shape_is_refused_before_the_training_goes_on(
    session: Session, corpora: Corpora, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, runs = session.run(train_job("Verse", corpora["verse"])), []
    begin = EpochRun.__init__
    monkeypatch.setattr(EpochRun, "__init__", lambda run, *args: (runs.append(run), begin(run, *args))[1])
    for event in stream:
        if isinstance(event, TrainStep) and event.step == 4:
            break
    (run,) = runs
    state = run.state_dict()
    name = next(name for name in state if name.startswith("best.state.adapter."))
    with pytest.raises(ValueError, match="another shape"):
        run.load_state_dict(state | {name: state[name][:1]})


# -- when it is over ----------------------------------------------------------------------------------------------


def after(losses: list[float], patience: int = 3, measurements: int = 10) -> BestStep:
    best = BestStep(patience, measurements)
    for step, loss in enumerate(losses, 1):
        best.measure(step, loss, {"step": torch.tensor(step)})
    return best


def test_patience_counts_measurements_in_a_row_that_were_no_better() -> None:
    assert after([3.0, 2.0, 2.5, 2.4, 1.9, 2.0]).no_better == 1
    assert not after([3.0, 3.1, 3.2]).is_over and after([3.0, 3.1, 3.2, 3.3]).is_over


def test_noise_is_no_improvement_but_the_lowest_is_kept_all_the_same() -> None:
    best = after([3.0, 2.9999, 2.9998, 2.9997])
    assert best.is_over and best.step == int(best.state["step"]) == 4 and best.loss == 2.9997


def test_progress_that_is_slow_but_steady_is_progress() -> None:
    assert not after([3.0 * 0.9996**turn for turn in range(40)]).is_over


def test_a_long_training_has_the_patience_of_a_tenth_of_its_measurements() -> None:
    assert after([], patience=5, measurements=10).patience == 5
    assert after([], patience=5, measurements=1000).patience == 100


def test_a_default_run_is_not_cut_short_by_a_measurement_or_two(session: Session, corpora: Corpora) -> None:
    settings = replace(QUICK, num_passes=10, learning_rate=2.5e-3)
    events = collect(session.run(train_job("Verse", corpora["verse"], settings)))
    steps = only(events, TrainStep)
    assert len(steps) == steps[-1].total_steps == 60


def test_patience_of_a_run_is_told_with_every_measurement(
    session: Session, corpora: Corpora, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = iter([5.0, 4.0, 4.5, 4.4, 4.3])

    def scripted(*_: Any) -> Any:
        return next(losses, 9.0)
        yield

    monkeypatch.setattr(epoch_run, "held_out_loss", scripted)
    settings = replace(QUICK, num_passes=10, patience=3)
    curve = measured(collect(session.run(train_job("Verse", corpora["verse"], settings))))
    assert [(event.step, event.best, event.no_better, event.patience) for event in curve] == [
        (0, False, 0, 3),
        (3, True, 0, 3),
        (6, False, 1, 3),
        (9, False, 2, 3),
        (12, False, 3, 3),
        (12, False, 3, 3),
    ]
    assert [event.loss for event in curve] == [5.0, 4.0, 4.5, 4.4, 4.3, 4.0]
