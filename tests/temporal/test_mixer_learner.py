"""One small step of the mixer: what goes into its loss, into its gradient and into its optimiser, and what does not."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from mixtures import assert_near, stir
from torch import Tensor

from tlora_gui.temporal.active_sleep import (
    CALIBRATION_STEPS,
    MixerLearner,
    draw_windows,
    freeze_teacher,
    mixer_distill_loss,
    route_loss,
)
from tlora_gui.temporal.config import MEMORY_WINDOW, STRATEGIES, MixerSettings, SleepSettings, Strategy
from tlora_gui.temporal.time_mixer import TimeMixer

H, RATE = 12, 1e-2
SLEEP = SleepSettings(
    memory_labels=False, sleep_weight=0.7, temperature=3.0, route_weight=1.3, batch_tokens=6 * MEMORY_WINDOW
)

every_strategy = pytest.mark.parametrize("strategy", STRATEGIES)


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def new_text() -> Tensor:
    return draw(1, 20, H, seed=1)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def grown(old_slots: int = 2, strategy: Strategy = "gating") -> tuple[TimeMixer, TimeMixer]:
    """A mixer with a slot more, and its teacher."""
    torch.manual_seed(0)
    mixer = TimeMixer(H, MixerSettings(strategy, width=8, switching="mean"), old_slots)
    stir(mixer)
    teacher = freeze_teacher(mixer)
    mixer.add_slot()
    return mixer, teacher


def memories(slots: int = 2) -> dict[int, Tensor]:
    return {slot: draw(4, MEMORY_WINDOW, H, seed=50 + slot).half() for slot in range(slots)}


def gradients(mixer: TimeMixer, loss: Tensor) -> list[Tensor]:
    return [found.clone() for found in torch.autograd.grad(loss, list(mixer.parameters()), allow_unused=False)]


def recorded(learner: MixerLearner, monkeypatch: pytest.MonkeyPatch) -> tuple[list[list[Tensor]], list[float]]:
    """Gradients and learning rates that the optimiser is given, step by step."""
    steps: list[list[Tensor]] = []
    rates: list[float] = []
    take = learner.optimizer.step

    def step() -> None:
        steps.append([p.grad.clone() for p in learner.mixer.parameters() if p.grad is not None])
        rates.append(learner.optimizer.param_groups[0]["lr"])
        take()

    monkeypatch.setattr(learner.optimizer, "step", step)
    return steps, rates


def expected_loss(mixer: TimeMixer, teacher: TimeMixer | None, kept: dict[int, Tensor], sleep: SleepSettings) -> Tensor:
    """The formula of the module's docstring, with labels of memories where they are asked for."""
    replay_NWH, slots_N = draw_windows(kept, sleep.batch_tokens, generator())
    logits_NWS = mixer(replay_NWH)[0]
    loss = sleep.route_weight * route_loss(mixer(new_text())[0], mixer.slots - 1)
    if teacher is not None:
        distill = mixer_distill_loss(logits_NWS, teacher(replay_NWH)[0], sleep.temperature)
        loss = loss + sleep.sleep_weight * distill
    if teacher is None or sleep.memory_labels:
        loss = loss + sleep.route_weight * route_loss(logits_NWS, slots_N[:, None])
    return loss


@every_strategy
@pytest.mark.parametrize("labels", [False, True], ids=["distillation alone", "with memory labels"])
def test_a_step_follows_the_gradient_of_the_stated_loss(
    strategy: Strategy, labels: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixer, teacher = grown(strategy=strategy)
    sleep = replace(SLEEP, memory_labels=labels)
    expected = gradients(mixer, expected_loss(mixer, teacher, memories(), sleep))
    learner = MixerLearner(mixer, teacher, memories(), sleep, RATE)
    steps, _ = recorded(learner, monkeypatch)
    learner.learn(new_text(), 1.0, generator())
    for found, wanted in zip(steps[0], expected, strict=True):
        assert_near(found, wanted)


def test_a_step_tells_distill_and_route_loss_per_token_unweighted() -> None:
    mixer, teacher = grown()
    replay_NWH, _ = draw_windows(memories(), SLEEP.batch_tokens, generator())
    distill = mixer_distill_loss(mixer(replay_NWH)[0], teacher(replay_NWH)[0], SLEEP.temperature)
    route = route_loss(mixer(new_text())[0], 2)
    told = MixerLearner(mixer, teacher, memories(), SLEEP, RATE).learn(new_text(), 1.0, generator())
    assert told == pytest.approx((distill.item(), route.item()), rel=1e-5)


def test_the_first_phase_distills_nothing_and_labels_the_dreams_whatever_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for labels in (False, True):
        mixer, _ = grown(1)
        sleep = replace(SLEEP, memory_labels=labels)
        expected = gradients(mixer, expected_loss(mixer, None, memories(1), sleep))
        learner = MixerLearner(mixer, None, memories(1), sleep, RATE)
        steps, _ = recorded(learner, monkeypatch)
        distill, route = learner.learn(new_text(), 1.0, generator())
        assert distill == 0 and route > 0
        for found, wanted in zip(steps[0], expected, strict=True):
            assert_near(found, wanted)


def test_without_memories_the_teacher_has_no_say() -> None:
    found = []
    for with_teacher in (True, False):
        mixer, teacher = grown()
        learner = MixerLearner(mixer, teacher if with_teacher else None, {}, SLEEP, RATE)
        told = [learner.learn(new_text(), 1.0, generator()) for _ in range(3)]
        assert [distill for distill, _ in told] == [0.0] * 3
        found.append(list(mixer.parameters()))
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))


def test_without_memories_nothing_is_drawn_from_the_generator() -> None:
    mixer, teacher = grown()
    drawn_from = generator()
    MixerLearner(mixer, teacher, {}, SLEEP, RATE).learn(new_text(), 1.0, drawn_from)
    assert torch.equal(drawn_from.get_state(), generator().get_state())


def test_gradients_that_are_there_already_go_into_the_first_step_only(monkeypatch: pytest.MonkeyPatch) -> None:
    mixer, teacher = grown()
    learner = MixerLearner(mixer, teacher, memories(), SLEEP, RATE)
    alone = gradients(mixer, expected_loss(mixer, teacher, memories(), SLEEP))
    through_mixture = gradients(mixer, mixer(new_text())[0].square().sum())
    for parameter, gradient in zip(mixer.parameters(), through_mixture, strict=True):
        parameter.grad = gradient.clone()
    steps, _ = recorded(learner, monkeypatch)
    learner.learn(new_text(), 1.0, generator())
    for found, own, earlier in zip(steps[0], alone, through_mixture, strict=True):
        assert_near(found, own + earlier)
    assert all(parameter.grad is None for parameter in mixer.parameters())


@pytest.mark.parametrize("share", [1.0, 0.25, 0.05])
def test_a_step_is_taken_at_its_share_of_the_peak_rate(share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    mixer, teacher = grown()
    learner = MixerLearner(mixer, teacher, memories(), SLEEP, RATE)
    before = copy.deepcopy(mixer)
    _, rates = recorded(learner, monkeypatch)
    learner.learn(new_text(), share, generator())
    assert rates == [share * RATE]
    pairs = zip(mixer.parameters(), before.parameters(), strict=True)
    moved = max(float((now - then).detach().abs().max()) for now, then in pairs)
    assert moved == pytest.approx(share * RATE, rel=0.1), "AdamW's first step is the rate itself, and a little decay"


@every_strategy
def test_learning_and_calibrating_never_touch_the_teacher_or_the_memories(strategy: Strategy) -> None:
    mixer, teacher = grown(strategy=strategy)
    before, kept = copy.deepcopy(teacher), memories()
    learner = MixerLearner(mixer, teacher, kept, SLEEP, RATE)
    for _ in range(3):
        learner.learn(new_text(), 1.0, generator())
    learner.calibrate(draw(2, MEMORY_WINDOW, H).half(), generator())
    assert all(torch.equal(one, other) for one, other in zip(teacher.parameters(), before.parameters(), strict=True))
    assert all(parameter.grad is None for parameter in teacher.parameters())
    assert list(kept) == [0, 1] and all(torch.equal(kept[slot], memories()[slot]) for slot in kept)


# -- calibration ------------------------------------------------------------------------------------------------


def test_calibration_gives_every_slot_an_equal_share_whatever_it_has_left() -> None:
    """The same text under three labels, one of them nine times as often: an even mind stays even."""
    torch.manual_seed(0)
    mixer = TimeMixer(H, MixerSettings(width=8, switching="mean"), 3)
    window_1WH = draw(1, MEMORY_WINDOW, H).half()
    kept = {0: window_1WH, 1: window_1WH.repeat(9, 1, 1)}
    learner = MixerLearner(mixer, None, kept, SLEEP, RATE)
    learner.calibrate(window_1WH, generator())
    weights_WS = mixer(window_1WH)[0].softmax(-1)[0]
    assert (weights_WS - 1 / 3).abs().max() < 0.02


def test_calibration_teaches_old_slots_and_the_new_one_by_their_labels() -> None:
    mixer, teacher = grown()
    every = {slot: (draw(4, MEMORY_WINDOW, H, seed=slot) + 2 * draw(H, seed=90 + slot)).half() for slot in range(3)}
    own_NWH = every[2]

    def losses() -> list[float]:
        return [float(route_loss(mixer(windows_NWH)[0].detach(), slot)) for slot, windows_NWH in every.items()]

    before = losses()
    MixerLearner(mixer, teacher, {0: every[0], 1: every[1]}, SLEEP, RATE).calibrate(own_NWH, generator())
    assert all(now < then - 0.2 for now, then in zip(losses(), before, strict=True)), (before, losses())


def test_calibration_cools_down_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    mixer, teacher = grown()
    learner = MixerLearner(mixer, teacher, memories(), SLEEP, RATE)
    _, rates = recorded(learner, monkeypatch)
    learner.calibrate(draw(2, MEMORY_WINDOW, H).half(), generator())
    assert len(rates) == CALIBRATION_STEPS
    assert rates == sorted(rates, reverse=True) and 0 < rates[-1] < 0.02 * rates[0]
