"""The method in small, without a backbone: a mixer that learns a second domain with and without Active Sleep."""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor

from tlora_gui.temporal.active_sleep import (
    cut_windows,
    draw_windows,
    freeze_teacher,
    mixer_distill_loss,
    route_loss,
    to_memory,
)
from tlora_gui.temporal.config import MixerSettings, SleepSettings
from tlora_gui.temporal.time_mixer import TimeMixer

H, TOKENS, STEPS = 32, 64, 60
BACKBONE, FIRST, SECOND = 0, 1, 2


def text(domain: int, blocks: int, seed: int) -> Tensor:
    """Features of a domain: every token is drawn from one of its two Gaussians (blocks, TOKENS, H)."""
    centres_2H = 1.5 * torch.randn(2, H, generator=torch.Generator().manual_seed(1000 + domain))
    generator = torch.Generator().manual_seed(seed)
    which_BT = torch.randint(2, (blocks, TOKENS), generator=generator)
    return centres_2H[which_BT] + torch.randn(blocks, TOKENS, H, generator=generator)


def accuracy(mixer: TimeMixer, domain: int) -> float:
    """Share of fresh tokens of a domain whose dominant slot is the domain's own."""
    with torch.no_grad():
        logits_BTS, _ = mixer(to_memory(text(domain, 8, seed=999)))
    return float((logits_BTS.argmax(-1) == domain).float().mean())


def learn(mixer: TimeMixer, domain: int, memories: list[Tensor], sleep: SleepSettings | None) -> None:
    """One epoch of the mixer as the training does it: the new slot's tokens, and memories under a teacher."""
    teacher = freeze_teacher(mixer) if domain > FIRST else None
    mixer.add_slot()
    optimizer = torch.optim.AdamW(mixer.parameters(), lr=5e-3)
    for step in range(STEPS):
        loss = route_loss(mixer(text(domain, 4, seed=step))[0], domain)
        replay_NWH = draw_windows(memories, 256, torch.Generator().manual_seed(step))
        if teacher is None:
            loss = loss + route_loss(mixer(replay_NWH)[0], BACKBONE)
        elif sleep is not None:
            distill = mixer_distill_loss(mixer(replay_NWH)[0], teacher(replay_NWH)[0], sleep.temperature)
            loss = loss + sleep.sleep_weight * distill
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def memory(domain: int) -> Tensor:
    return cut_windows(text(domain, 12, seed=500 + domain))


@cache
def first_phase() -> TimeMixer:
    """A mixer that knows the backbone's dreams and the first domain."""
    torch.manual_seed(0)
    mixer = TimeMixer(H, MixerSettings(width=16))
    learn(mixer, FIRST, [memory(BACKBONE)], None)
    return mixer


def second_phase(sleep: SleepSettings | None) -> TimeMixer:
    mixer = freeze_teacher(first_phase()).requires_grad_(True)
    learn(mixer, SECOND, [memory(BACKBONE), memory(FIRST)], sleep)
    return mixer


def test_the_first_domain_is_learned_against_the_dreams() -> None:
    assert accuracy(first_phase(), FIRST) > 0.9
    assert accuracy(first_phase(), BACKBONE) > 0.9


def test_without_sleep_the_mixer_forgets_the_first_domain() -> None:
    mixer = second_phase(None)
    assert accuracy(mixer, SECOND) > 0.9
    assert accuracy(mixer, FIRST) < 0.5


def test_with_sleep_it_keeps_the_first_domain_and_learns_the_second() -> None:
    mixer = second_phase(SleepSettings())
    assert accuracy(mixer, FIRST) > 0.9
    assert accuracy(mixer, BACKBONE) > 0.9
    assert accuracy(mixer, SECOND) > 0.9


def test_slots_born_into_trained_mixers_take_at_most_their_birth_share() -> None:
    hidden_BTH = torch.cat([text(domain, 8, seed=999) for domain in (BACKBONE, FIRST, SECOND, 7)])
    for trained in (first_phase(), second_phase(SleepSettings())):
        mixer = freeze_teacher(trained)
        before_BTS = mixer(hidden_BTH)[0].softmax(-1)
        mixer.add_slot()
        after_BTS = mixer(hidden_BTH)[0].softmax(-1)
        assert after_BTS[..., -1].max() <= math.exp(-6)
        assert (after_BTS[..., :-1] - before_BTS).abs().max() <= math.exp(-6)
