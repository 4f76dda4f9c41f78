"""What a training can go on from: memory that runs out, figures that are none, a disk that is full."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from engine_helpers import QUICK, Corpora, collect, only, reopened, same_tensors, snapshot, train_job

from tlora_gui.engine.projects import checkpoints, project
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import EpochFinished, HeldOut, TrainStep, Warned
from tlora_gui.engine.session import Session
from tlora_gui.engine.training import epoch_run
from tlora_gui.engine.training.epoch_run import EpochRun
from tlora_gui.engine.training.memory_fit import MemoryFit
from tlora_gui.temporal.model import TemporalLoRA

FOURS = replace(QUICK, batch_size=4, max_tokens=768)
"""Six steps of four blocks."""

Room = Callable[[int], None]


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Room:
    """``room(blocks)``: no more than so many blocks can be learned at once from now on."""
    most = [99]
    loss = TemporalLoRA.next_token_loss

    def next_token_loss(model: TemporalLoRA, ids_BT: torch.Tensor, *args: Any) -> Any:
        if torch.is_grad_enabled() and len(ids_BT) > most[0] - (not model.recompute_activations):
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8589934592 bytes.")
        return loss(model, ids_BT, *args)

    monkeypatch.setattr(TemporalLoRA, "next_token_loss", next_token_loss)
    return lambda blocks: most.__setitem__(0, blocks)


def fits_of(monkeypatch: pytest.MonkeyPatch) -> list[MemoryFit]:
    """The fit that each step was learned with."""
    found: list[MemoryFit] = []
    learn = EpochRun.learn

    def look(run: EpochRun, rows_B: torch.Tensor) -> Any:
        learned = learn(run, rows_B)
        assert run._memory_fit is not None
        found.append(run._memory_fit)
        return learned

    monkeypatch.setattr(EpochRun, "learn", look)
    return found


def test_memory_that_runs_out_halves_what_is_learned_at_once_and_learns_the_same(
    one_epoch: Session, corpora: Corpora, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight = collect(reopened(one_epoch).run(train_job("Code", corpora["code"], FOURS)))
    fits, events = fits_of(monkeypatch), []
    for event in one_epoch.run(train_job("Code", corpora["code"], FOURS)):
        events.append(event)
        if isinstance(event, TrainStep) and event.step == 2:
            room(2)
    assert [fit.blocks for fit in fits] == [4, 4, 1, 1, 1, 1], "two would fit if nothing were kept"
    (warned,) = only(events, Warned)
    assert "not enough memory for as much of a batch" in warned.message and "last digits" in warned.hint
    losses, theirs = ([step.adapter_loss for step in only(each, TrainStep)] for each in (events, straight))
    assert losses[:2] == theirs[:2] and losses == pytest.approx(theirs, rel=1e-5)
    kept = [only(each, EpochFinished)[0].epoch.held_out_loss for each in (events, straight)]
    assert kept[0] == pytest.approx(kept[1], rel=1e-4)


def test_what_memory_made_smaller_stays_so_when_the_training_is_resumed(
    one_epoch: Session, corpora: Corpora, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    room(2)
    straight = reopened(one_epoch)
    collect(straight.run(train_job("Code", corpora["code"], FOURS)))
    stream = one_epoch.run(train_job("Code", corpora["code"], FOURS))
    for event in stream:
        if isinstance(event, TrainStep) and event.step == 3:
            break
    stream.close()  # type: ignore[attr-defined]
    room(99)
    fits = fits_of(monkeypatch)
    collect(one_epoch.run(jobs.ResumeEpoch("code")))
    assert [fit.blocks for fit in fits] == [1, 1, 1]
    assert one_epoch.model is not None and straight.model is not None
    assert same_tensors(snapshot(one_epoch.model), snapshot(straight.model))


def test_when_one_block_recomputed_has_no_room_it_is_an_error_that_keeps_the_steps_before(
    one_epoch: Session, corpora: Corpora, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits, events = fits_of(monkeypatch), []
    with pytest.raises(TloraError, match="not enough memory for the training"):
        for event in one_epoch.run(train_job("Code", corpora["code"], FOURS)):
            events.append(event)
            if isinstance(event, TrainStep):
                room(3 - event.step)
    assert fits == [MemoryFit(4, False), MemoryFit(1, False), MemoryFit(1, True)]
    assert [told.message for told in only(events, Warned)][1:] == ["Code: stopped after step 3 of 6."]
    expected = "stopped after step 3 of 6: There was not enough memory for the training."
    assert one_epoch.info().epochs[-1].note == expected.rstrip(".")


@pytest.fixture
def spoil(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, int], None]:
    """``spoil(step, times)``: that step comes to no number, so many times."""
    learn = EpochRun.learn

    def begin(step: int, times: int) -> None:
        left = [times]

        def learn_and_spoil(run: EpochRun, rows_B: torch.Tensor) -> Any:
            learned = learn(run, rows_B)
            if run.step == step - 1 and left[0]:
                left[0] -= 1
                run.adapter[0].data[0, 0] = float("inf")
                next(iter(run.learner.mixer.parameters())).data.view(-1)[0] = float("nan")
            return learned

        monkeypatch.setattr(EpochRun, "learn", learn_and_spoil)

    return begin


@pytest.mark.parametrize("step", [1, 4])
def test_a_figure_that_is_none_takes_the_training_back_a_step_and_on_at_half_the_rate(
    one_epoch: Session, corpora: Corpora, spoil: Callable[[int, int], None], step: int
) -> None:
    straight = only(collect(reopened(one_epoch).run(train_job("Code", corpora["code"]))), TrainStep)
    spoil(step, 1)
    events = collect(one_epoch.run(train_job("Code", corpora["code"])))
    (warned,) = only(events, Warned)
    assert f"no number (NaN) in step {step} of 6" in warned.message and "half the learning rate" in warned.message
    steps = only(events, TrainStep)
    assert [each.step for each in steps] == [1, 2, 3, 4, 5, 6]
    factors = [mine.learning_rate / theirs.learning_rate for mine, theirs in zip(steps, straight, strict=True)]
    assert factors == [1.0] * (step - 1) + [0.5] * (7 - step)
    assert [each.adapter_loss for each in steps[:step]] == [each.adapter_loss for each in straight[:step]]
    assert only(events, EpochFinished)


def test_the_second_figure_that_is_none_ends_the_training_which_is_kept_with_its_reason(
    one_epoch: Session, corpora: Corpora, spoil: Callable[[int, int], None]
) -> None:
    spoil(4, 2)
    events: list[Any] = []
    with pytest.raises(TloraError, match=r"came to no number \(NaN\) in step 4 of 6"):
        events.extend(one_epoch.run(train_job("Code", corpora["code"])))
    assert len(only(events, Warned)) == 2
    for session in (one_epoch, reopened(one_epoch)):
        assert (
            session.info()
            .epochs[-1]
            .note.startswith("stopped after step 3 of 6: The adapter came to no number (NaN) in step 4 of 6")
        )
    assert only(collect(one_epoch.run(jobs.KeepEpoch("code"))), EpochFinished)


def test_half_the_rate_stays_when_the_training_is_resumed(
    one_epoch: Session, corpora: Corpora, spoil: Callable[[int, int], None]
) -> None:
    spoil(2, 1)
    straight = reopened(one_epoch)
    expected = only(collect(straight.run(train_job("Code", corpora["code"]))), TrainStep)
    spoil(2, 1)
    stream = one_epoch.run(train_job("Code", corpora["code"]))
    for event in stream:
        if isinstance(event, TrainStep) and event.step == 3:
            break
    stream.close()  # type: ignore[attr-defined]
    steps = only(collect(one_epoch.run(jobs.ResumeEpoch("code"))), TrainStep)
    assert [each.learning_rate for each in steps] == [each.learning_rate for each in expected[3:]]
    assert one_epoch.model is not None and straight.model is not None
    assert same_tensors(snapshot(one_epoch.model), snapshot(straight.model))


def test_a_disk_that_fills_up_for_good_leaves_the_last_checkpoint_to_be_kept(
    one_epoch: Session, corpora: Corpora, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[Any] = []

    def refuse(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(TloraError, match="The disk is full"):
        patch.setattr(epoch_run, "CHECKPOINT_SECONDS", -1.0)
        for event in one_epoch.run(train_job("Code", corpora["code"])):
            events.append(event)
            if isinstance(event, TrainStep) and event.step == 4:
                for module in (checkpoints, project.epoch_folder):
                    patch.setattr(module, "write_tensors", refuse)
    assert len(only(events, TrainStep)) == 6
    told = one_epoch.info().epochs[-1]
    assert (told.slug, told.state) == ("code", "interrupted") and "after step 3 of 6" in told.note
    info = only(collect(one_epoch.run(jobs.KeepEpoch("code"))), EpochFinished)[0].epoch
    assert info.note == "stopped after 3 of 6 steps"


# -- kept as it is ------------------------------------------------------------------------------------------------


def interrupted(session: Session, corpora: Corpora, step: int) -> None:
    stream = session.run(train_job("Code", corpora["code"]))
    for event in stream:
        if isinstance(event, TrainStep) and event.step == step:
            break
    stream.close()  # type: ignore[attr-defined]


def test_an_interrupted_epoch_is_kept_as_a_finished_one_that_says_where_it_stopped(
    one_epoch: Session, corpora: Corpora
) -> None:
    interrupted(one_epoch, corpora, 4)
    session = reopened(one_epoch)
    events = collect(session.run(jobs.KeepEpoch("code")))
    info = only(events, EpochFinished)[0].epoch
    assert (info.state, info.note, info.tokens) == ("frozen", "stopped after 4 of 6 steps", 4 * 2 * 32)
    assert only(events, TrainStep) == [] and only(events, HeldOut)[-1].step == 4
    again = reopened(session)
    assert again.info().epochs[-1] == info
    assert [slot.slug for slot in again.slots()] == ["", "verse", "code"]
    assert again.project is not None and again.project.checkpoints.slugs() == []
    history = dict(again.info().history)["code"]
    assert [event.step for event in only(history, TrainStep)] == [1, 2, 3, 4]


def test_an_epoch_that_is_kept_is_the_one_that_a_stop_would_have_kept(one_epoch: Session, corpora: Corpora) -> None:
    stopped, cancel = reopened(one_epoch), CancelToken()
    for event in stopped.run(train_job("Code", corpora["code"]), cancel):
        if isinstance(event, TrainStep) and event.step == 4:
            cancel.cancel("keep")
    interrupted(one_epoch, corpora, 4)
    collect(one_epoch.run(jobs.KeepEpoch("code")))
    assert one_epoch.model is not None and stopped.model is not None
    assert same_tensors(snapshot(one_epoch.model), snapshot(stopped.model))
    assert one_epoch.info().epochs == stopped.info().epochs


def test_what_has_happened_is_still_known_when_the_epoch_was_renamed(one_epoch: Session, corpora: Corpora) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(epoch_run, "CHECKPOINT_SECONDS", -1.0)
        stream = one_epoch.run(train_job("Code", corpora["code"]))
        for event in stream:
            if isinstance(event, TrainStep) and event.step == 4:
                break
    killed = reopened(one_epoch)  # as if the process had ended here
    stream.close()  # type: ignore[attr-defined]
    expected = "stopped after step 3 of 6, when the application ended without warning"
    assert killed.info().epochs[-1].note == expected
    collect(killed.run(jobs.EditEpoch("code", "Kode", "", "#0072B2")))
    assert (killed.info().epochs[-1].name, reopened(killed).info().epochs[-1].note) == ("Kode", expected)
    assert one_epoch.info().epochs[-1].note == "stopped after step 4 of 6"
    collect(killed.run(jobs.ResumeEpoch("code")))
    assert killed.info().epochs[-1].note == ""
