"""What a training will take is found out by steps that leave nothing behind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from engine_helpers import QUICK, Corpora, collect, drain, only, reopened, same_tensors, snapshot, train_job

from tlora_gui.engine.backbones.loading import state_hash
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import TrainSettings
from tlora_gui.engine.protocol.errors import Cancelled, TloraError
from tlora_gui.engine.protocol.events import EpochFinished, Progress, TrainingEstimate, TrainStarted, TrainStep
from tlora_gui.engine.session import Session
from tlora_gui.engine.training import pace
from tlora_gui.engine.training import probe as probe_module
from tlora_gui.engine.training.pace import Pace
from tlora_gui.engine.training.probe import PeakMemory, probe
from tlora_gui.temporal import active_sleep
from tlora_gui.temporal.model import TemporalLoRA


def everything(model: TemporalLoRA) -> tuple[Any, ...]:
    names = (list(model.adapters), list(model.slot_adapters), sorted(model.memories), model.recompute_activations)
    return names, state_hash(dict(model.named_parameters())), torch.get_rng_state().tolist()


def test_a_probe_leaves_everything_as_it_was_bit_for_bit(mixture: TemporalLoRA) -> None:
    ids_BT = torch.arange(64).view(2, 32)
    with torch.no_grad():
        before, logits_BTV = everything(mixture), mixture(ids_BT).logits_BTV
        twin = snapshot(mixture)
    _, (found, peak) = drain(probe(mixture, QUICK, 257))
    with torch.no_grad():
        assert everything(mixture) == before and same_tensors(snapshot(mixture), twin)
        assert torch.equal(mixture(ids_BT).logits_BTV, logits_BTV)
    assert found.step > 0 and found.measurement > 0 and peak > 10**8


@pytest.mark.parametrize("place", range(4))
def test_a_probe_that_is_cancelled_leaves_everything_as_it_was_too(one_epoch: Session, place: int) -> None:
    assert one_epoch.model is not None
    before, cancel = everything(one_epoch.model), CancelToken()
    stream = one_epoch.run(jobs.EstimateTraining(QUICK, 384), cancel)
    for _ in range(place):
        next(stream)
    cancel.cancel("discard")
    with pytest.raises(Cancelled):
        next(stream)
    assert everything(one_epoch.model) == before


@pytest.mark.parametrize(
    ("tokens", "settings", "steps"),
    [
        (384, QUICK, 6),
        (10**6, QUICK, 6),
        (200, QUICK, 3),
        (10**6, replace(QUICK, max_tokens=None, num_passes=2), 31250),
    ],
)
def test_an_estimate_tells_steps_time_and_memory(
    session: Session, tokens: int, settings: TrainSettings, steps: int
) -> None:
    (found,) = only(collect(session.run(jobs.EstimateTraining(settings, tokens))), TrainingEstimate)
    assert found.steps == steps
    assert 0 < found.seconds < 0.5 * steps + 10
    assert 10**8 < found.memory_bytes < found.free_bytes
    assert session.model is not None and session.model.memories == {} and session.model.adapters == {}


def test_a_batch_larger_than_the_text_is_all_of_the_text(session: Session) -> None:
    settings = replace(QUICK, batch_size=99_999_999)
    (found,) = only(collect(session.run(jobs.EstimateTraining(settings, 384))), TrainingEstimate)
    assert found.steps == 1 and found.memory_bytes < found.free_bytes


def test_where_steps_need_too_much_memory_batch_and_blocks_are_named(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(probe_module, "EpochRun", no_room)
    with pytest.raises(TloraError) as told:
        collect(session.run(jobs.EstimateTraining(replace(QUICK, batch_size=99_999_999), 384)))
    assert "a batch size of 6 instead of 12 or a block size of 16 instead of 32" in told.value.hint
    assert session.model is not None and session.model.adapters == {}


def test_more_steps_take_longer_and_rereading_needs_memory(session: Session) -> None:
    few, many = (
        only(
            collect(session.run(jobs.EstimateTraining(replace(QUICK, max_tokens=None, num_passes=passes), 10**5))),
            TrainingEstimate,
        )[0]
        for passes in (1, 4)
    )
    assert many.seconds > 2 * few.seconds and many.memory_bytes - few.memory_bytes > 10**7


def test_nothing_is_tried_while_an_epoch_is_in_training(one_epoch: Session, corpora: Corpora) -> None:
    stream = one_epoch.run(train_job("Code", corpora["code"]))
    next(event for event in stream if isinstance(event, TrainStarted))
    with pytest.raises(TloraError, match="Code is in training"):
        collect(one_epoch.run(jobs.EstimateTraining(QUICK, 384)))
    assert only(collect(stream), EpochFinished)


def test_a_training_after_an_estimate_is_the_same_bit_for_bit(one_epoch: Session, corpora: Corpora) -> None:
    plain = reopened(one_epoch)
    collect(one_epoch.run(jobs.EstimateTraining(QUICK, 384)))
    found = []
    for session in (plain, one_epoch):
        collect(session.run(train_job("Code", corpora["code"])))
        assert session.model is not None
        found.append(snapshot(session.model))
    assert same_tensors(*found)


def test_peak_memory_sees_what_was_there_in_between() -> None:
    with PeakMemory(torch.device("cpu")) as nothing:
        torch.zeros(10).sum()
    with PeakMemory(torch.device("cpu")) as peak:
        for _ in range(4):
            (torch.ones(50_000_000) + 1).sum()
    assert peak.bytes - nothing.bytes > 1.5e8


# -- what is left -------------------------------------------------------------------------------------------------


def paced(step: float = 1.0, features: float = 0.0) -> Pace:
    found = Pace()
    for seconds in (50.0, step + features, step + features):  # the first one warms up
        found.add_step(seconds, features, reread=False)
    return found


ALONE = TrainSettings(num_passes=1, eval_every=10, sleep=replace(TrainSettings().sleep, memory_labels=False))


def test_the_first_step_warms_up_and_does_not_count() -> None:
    assert paced().left(ALONE, 3, 100) == pytest.approx(97)


def test_measurements_samples_and_the_end_are_counted() -> None:
    found = paced()
    found.measurement, found.sample = 2.0, 5.0
    measurements, samples, losses = 9 - 1, 4 - 0, 3
    wanted = 90 + 2 * measurements + 5 * samples + 2 * losses
    assert found.left(ALONE, 10, 100, sample_every=20) == pytest.approx(wanted)
    assert found.left(ALONE, 10, 100, sample_every=20, earlier=2, compared=True) == pytest.approx(wanted + 3 * 2)


def test_checkpoints_are_counted_as_often_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    found = paced()
    found.checkpoint = 1.0
    assert found.left(ALONE, 0, 1000) == pytest.approx(1000 + 20 + 1), "every 50 steps, and the epoch itself"
    found.checkpoint = 30.0  # ten minutes apart
    assert found.left(ALONE, 0, 1000) == pytest.approx(1000 + 30 + 30)


def test_later_passes_read_back_what_the_first_has_computed() -> None:
    found = paced(1.0, 0.5)
    twice = replace(ALONE, num_passes=2)
    memory = 0.5 * ALONE.sleep.memory_tokens / (ALONE.batch_size * ALONE.block_size)
    assert found.left(twice, 0, 100, reread=True) == pytest.approx(200 + 50 + memory)
    assert found.left(twice, 0, 100, reread=False) == pytest.approx(200 + 100 + memory)


def test_calibration_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(active_sleep, "CALIBRATION_STEPS", 100)
    found = paced()
    found.mixer = 0.25
    assert found.left(TrainSettings(num_passes=1), 99, 100) == pytest.approx(1 + 25)


def test_a_stream_is_clocked_without_what_happens_between_its_items(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(pace.time, "perf_counter", lambda: now[0])

    def work() -> Any:
        for _ in range(3):
            now[0] += 1
            yield Progress("working")
        now[0] += 1
        return "done"

    found = Pace()
    stream = found.clocked("measurement", work())
    for _ in range(3):
        next(stream)
        now[0] += 100
    with pytest.raises(StopIteration) as end:
        next(stream)
    assert end.value.value == "done" and found.measurement == 4


def test_time_left_falls_to_the_end_phase(one_epoch: Session, corpora: Corpora) -> None:
    steps = only(collect(one_epoch.run(train_job("Code", corpora["code"], replace(QUICK, num_passes=5)))), TrainStep)
    assert steps[-1].eta_s > 0, "what comes after the last step takes its time"
    assert steps[-1].eta_s < steps[5].eta_s
