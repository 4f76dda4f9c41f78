"""Samples while a training runs: short texts by the mixture of the moment, which change nothing of what is learned."""

from __future__ import annotations

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

from tlora_gui.engine.projects.records import read_history_line
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import SAMPLES
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import EpochFinished, HeldOut, TrainingSample, TrainStep
from tlora_gui.engine.protocol.texts import SlotInfo
from tlora_gui.engine.session import Session
from tlora_gui.engine.storage.event_lines import event_line

SAMPLED = replace(QUICK, num_passes=2, sample_prompt="def f", sample_every=4, sample_tokens=6)
"""Twelve steps, with samples after 0, 4, 8 and 12."""


def learned(events: list[Any]) -> list[Any]:
    return [
        replace(event, tokens_per_second=0.0, eta_s=0.0) if isinstance(event, TrainStep) else event
        for event in events
        if isinstance(event, TrainStep | HeldOut)
    ]


@pytest.fixture
def sampled(one_epoch: Session, corpora: Corpora) -> list[Any]:
    return collect(one_epoch.run(train_job("Code", corpora["code"], SAMPLED)))


def test_samples_continue_the_prompt_with_the_mixture_of_their_step(sampled: list[Any]) -> None:
    samples = only(sampled, TrainingSample)
    assert [sample.step for sample in samples] == [0, 4, 8, 12]
    for sample in samples:
        assert sample.slug == "code" and [slot.slug for slot in sample.slots] == ["", "verse", "code"]
        assert "".join(token.text for token in sample.tokens if token.is_prompt) == "def f"
        assert 0 < sum(not token.is_prompt for token in sample.tokens) <= 6
        assert all(len(token.weights) == 3 and token.alternatives == () for token in sample.tokens)
    assert len({sample.tokens for sample in samples}) == 4, "the mixture learns"
    places = [sampled.index(sample) for sample in samples[1:]]
    before = [[event for event in sampled[:place] if isinstance(event, TrainStep)][-1].step for place in places]
    assert before == [4, 8, 12]


def test_a_training_is_the_same_bit_for_bit_with_samples_and_without(
    stored_projects: dict[int, Path], tmp_path: Path, corpora: Corpora
) -> None:
    found = []
    for every in (0, 1):
        session = open_copy(stored_projects[1], tmp_path / f"every-{every}")
        torch.manual_seed(every)
        settings = replace(SAMPLED, sample_every=every)
        events = collect(session.run(train_job("Code", corpora["code"], settings)))
        assert session.model is not None
        found.append((learned(events), only(events, EpochFinished), snapshot(session.model)))
        assert len(only(events, TrainingSample)) == 13 * every
    assert found[0][:2] == found[1][:2] and same_tensors(found[0][2], found[1][2])


def test_samples_stay_in_the_epochs_history(one_epoch: Session, sampled: list[Any]) -> None:
    history = dict(reopened(one_epoch).info().history)["code"]
    assert only(history, TrainingSample) == only(sampled, TrainingSample)


@pytest.mark.parametrize("stop", [3, 4, 5])
def test_a_resumed_training_has_every_sample_once_and_the_same(
    stored_projects: dict[int, Path], tmp_path: Path, corpora: Corpora, sampled: list[Any], stop: int
) -> None:
    session, cancel = open_copy(stored_projects[1], tmp_path / "broken"), CancelToken()
    assert cancel_after(session.run(train_job("Code", corpora["code"], SAMPLED), cancel), cancel, "suspend", stop)[1]
    again = reopened(session)
    collect(again.run(jobs.ResumeEpoch("code")))
    history = dict(again.info().history)["code"]
    assert only(history, TrainingSample) == only(sampled, TrainingSample)
    assert learned(list(history)) == learned(sampled)


def test_a_prompt_without_words_and_a_thousand_steps(one_epoch: Session, corpora: Corpora) -> None:
    settings = replace(SAMPLED, sample_prompt="", sample_every=1, sample_tokens=1, num_passes=SAMPLES // 2)
    stream = one_epoch.run(train_job("Code", corpora["code"], settings))
    samples: list[TrainingSample] = []
    for event in stream:
        if isinstance(event, TrainingSample):
            samples.append(event)
        if len(samples) == 3:
            break
    assert [sample.step for sample in samples] == [0, 3, 6], f"{6 * settings.num_passes} steps have {SAMPLES} samples"
    assert not any(token.is_prompt for sample in samples for token in sample.tokens)


def test_a_prompt_beyond_the_context_is_refused_before_the_first_step(one_epoch: Session, corpora: Corpora) -> None:
    events: list[Any] = []
    with pytest.raises(TloraError, match="backbone reads at most"):
        events.extend(one_epoch.run(train_job("Code", corpora["code"], replace(SAMPLED, sample_prompt="a" * 900))))
    assert not only(events, TrainStep)
    assert [each.slug for each in one_epoch.info().epochs] == ["verse"]


def test_a_strangers_sample_is_looked_at(sampled: list[Any]) -> None:
    sample = only(sampled, TrainingSample)[1]
    assert read_history_line(event_line(sample)) == sample
    token = sample.tokens[0]
    for odd in (
        replace(sample, tokens=(replace(token, weights=(1.0,)), *sample.tokens[1:])),
        replace(sample, tokens=sample.tokens[1:]),
        replace(sample, slots=(SlotInfo("", "Eternity", "red"), *sample.slots[1:])),
        replace(sample, step=-5),
    ):
        with pytest.raises(ValueError):
            read_history_line(event_line(odd))
