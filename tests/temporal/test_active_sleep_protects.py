"""The method in small, without a backbone: a mixer that learns a second domain with and without Active Sleep."""

from __future__ import annotations

import math
from functools import cache

import pytest
import torch
from torch import Tensor

from tlora_gui.temporal.active_sleep import MixerLearner, cut_windows, freeze_teacher, to_memory
from tlora_gui.temporal.config import STRATEGIES, MixerSettings, SleepSettings, Strategy
from tlora_gui.temporal.time_mixer import TimeMixer

H, TOKENS, STEPS = 32, 64, 60
BACKBONE, FIRST, SECOND = 0, 1, 2

DISTILLATION = SleepSettings(memory_labels=False)
WITH_LABELS = SleepSettings(memory_labels=True)

every_strategy = pytest.mark.parametrize("strategy", STRATEGIES)


def text(domain: int, blocks: int, seed: int) -> Tensor:
    """Features of a domain: every token is drawn from one of its two Gaussians (blocks, TOKENS, H)."""
    centres_2H = 1.5 * torch.randn(2, H, generator=torch.Generator().manual_seed(1000 + domain))
    generator = torch.Generator().manual_seed(seed)
    which_BT = torch.randint(2, (blocks, TOKENS), generator=generator)
    return centres_2H[which_BT] + torch.randn(blocks, TOKENS, H, generator=generator)


def memory(domain: int) -> Tensor:
    return cut_windows(to_memory(text(domain, 12, seed=500 + domain)))


@torch.no_grad()
def accuracy(mixer: TimeMixer, domain: int) -> float:
    """Share of fresh tokens of a domain whose dominant slot is the domain's own."""
    logits_BTS, _ = mixer(to_memory(text(domain, 8, seed=999)))
    return float((logits_BTS.argmax(-1) == domain).float().mean())


def phase(mixer: TimeMixer, domain: int, sleep: SleepSettings | None) -> list[float]:
    """One epoch of the mixer as the training does it, asleep on the memories of all earlier slots, or awake.

    Returns the distill loss of each step.
    """
    teacher = freeze_teacher(mixer) if domain > FIRST else None
    memories = {slot: memory(slot) for slot in range(domain)} if sleep else {}
    mixer.add_slot()
    learner = MixerLearner(mixer, teacher, memories, sleep or SleepSettings(), learning_rate=5e-3)
    generator = torch.Generator().manual_seed(domain)
    distills = [learner.learn(text(domain, 1, seed=step), 1.0, generator)[0] for step in range(STEPS)]
    if sleep and sleep.memory_labels:
        learner.calibrate(memory(domain), generator)
    return distills


@cache
def first_phase(strategy: Strategy) -> tuple[TimeMixer, list[float]]:
    """A mixer that knows the backbone's dreams and the first domain, and its distill losses."""
    torch.manual_seed(0)
    mixer = TimeMixer(H, MixerSettings(strategy, width=16, switching="mean"))
    return mixer, phase(mixer, FIRST, DISTILLATION)


def second_phase(strategy: Strategy, sleep: SleepSettings | None) -> tuple[TimeMixer, list[float]]:
    mixer = freeze_teacher(first_phase(strategy)[0]).requires_grad_(True)
    return mixer, phase(mixer, SECOND, sleep)


@every_strategy
def test_the_first_domain_is_learned_against_the_dreams_with_nothing_to_distill(strategy: Strategy) -> None:
    mixer, distills = first_phase(strategy)
    assert accuracy(mixer, FIRST) > 0.9
    assert accuracy(mixer, BACKBONE) > 0.9
    assert distills == [0.0] * STEPS


@every_strategy
def test_without_sleep_the_mixer_forgets_the_first_domain(strategy: Strategy) -> None:
    mixer, distills = second_phase(strategy, None)
    assert accuracy(mixer, SECOND) > 0.9
    assert accuracy(mixer, FIRST) < 0.5
    assert distills == [0.0] * STEPS


@every_strategy
@pytest.mark.parametrize("sleep", [DISTILLATION, WITH_LABELS], ids=["distillation alone", "with memory labels"])
def test_with_sleep_it_keeps_the_first_domain_and_learns_the_second(strategy: Strategy, sleep: SleepSettings) -> None:
    mixer, distills = second_phase(strategy, sleep)
    assert accuracy(mixer, FIRST) > 0.9
    assert accuracy(mixer, BACKBONE) > 0.9
    assert accuracy(mixer, SECOND) > 0.9
    assert min(distills) > 0


@every_strategy
def test_slots_born_into_trained_mixers_take_at_most_their_birth_share(strategy: Strategy) -> None:
    hidden_BTH = torch.cat([text(domain, 8, seed=999) for domain in (BACKBONE, FIRST, SECOND, 7)])
    for trained in (first_phase(strategy)[0], second_phase(strategy, DISTILLATION)[0]):
        mixer = freeze_teacher(trained)
        before_BTS = mixer(hidden_BTH)[0].softmax(-1)
        mixer.add_slot()
        after_BTS = mixer(hidden_BTH)[0].softmax(-1)
        assert after_BTS[..., -1].max() <= math.exp(-6)
        assert (after_BTS[..., :-1] - before_BTS).abs().max() <= math.exp(-6)
