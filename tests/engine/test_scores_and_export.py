"""Held-out figures against a computation by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from engine_helpers import MakeMixture, drain
from torch.nn.functional import layer_norm

from tlora_gui.engine.protocol.metrics import calibration_error, switch_lag
from tlora_gui.engine.training.evaluation import (
    Routing,
    calibration,
    held_out_loss,
    misrouted,
    mixer_weights,
    route,
    routing_accuracies,
    score_domain,
    switch_lags,
)
from tlora_gui.temporal.active_sleep import EpochMemory
from tlora_gui.temporal.blend import Blend
from tlora_gui.temporal.config import STRATEGIES, LoraSettings, MixerSettings, Strategy
from tlora_gui.temporal.cross_entropy import logits_loss
from tlora_gui.temporal.model import TemporalLoRA


@pytest.fixture
def held_out_NT() -> torch.Tensor:
    """Eleven blocks: batches of a measurement come out uneven."""
    return torch.randint(257, (11, 24), generator=torch.Generator().manual_seed(3))


@torch.inference_mode()
def loss_by_hand(model: TemporalLoRA, held_out_NT: torch.Tensor, blend: Blend) -> float:
    """Mean over every predicted token of −log p."""
    found = []
    for ids_T in held_out_NT:
        log_probabilities_TV = model(ids_T[None], blend).logits_BTV[0].double().log_softmax(-1)
        found += [-float(log_probabilities_TV[t, ids_T[t + 1]]) for t in range(len(ids_T) - 1)]
    return sum(found) / len(found)


@torch.inference_mode()
def routing_by_hand(model: TemporalLoRA, held_out_NT: torch.Tensor, slot: int) -> float:
    rows = [row for ids_T in held_out_NT for row in model(ids_T[None]).weights_BTS[0].tolist()]
    return sum(row.index(max(row)) == slot for row in rows) / len(rows)


@pytest.mark.parametrize("blend", ["mixer", 0, 1, 2])
def test_held_out_loss_is_the_mean_over_tokens(mixture: TemporalLoRA, held_out_NT: torch.Tensor, blend: Blend) -> None:
    _, loss = drain(held_out_loss(mixture, held_out_NT, blend))
    assert loss == pytest.approx(loss_by_hand(mixture, held_out_NT, blend), rel=1e-5)


def test_loss_of_a_uniform_guess_is_log_v() -> None:
    loss = logits_loss(torch.zeros(1, 5, 257), torch.arange(5)[None])
    assert float(loss) == pytest.approx(5.549076, abs=1e-5)


@pytest.mark.parametrize("slot", [1, 2])
def test_routing_accuracy_is_the_share_of_tokens_whose_largest_weight_is_the_slots(
    mixture: TemporalLoRA, held_out_NT: torch.Tensor, slot: int
) -> None:
    _, routed = drain(route(mixture, held_out_NT, slot))
    assert routed.accuracy == pytest.approx(routing_by_hand(mixture, held_out_NT, slot))


def test_routing_of_probes_is_told_for_each_epoch_that_left_one(mixture: TemporalLoRA) -> None:
    ids_NT = torch.randint(257, (3, 16), generator=torch.Generator().manual_seed(4))
    with torch.inference_mode():
        probes = {"code": mixture.features(ids_NT), "gone": torch.zeros(1, 1, 48)}
    memories = {slug: EpochMemory(probe_NTH, probe_NTH) for slug, probe_NTH in probes.items()}
    ((slug, share),) = routing_accuracies(mixture, mixture.mixer, memories)
    assert slug == "code" and share == pytest.approx(routing_by_hand(mixture, ids_NT, 2))


def test_score_measures_backbone_own_epoch_and_mix(mixture: TemporalLoRA, held_out_NT: torch.Tensor) -> None:
    _, score = drain(score_domain(mixture, "code", held_out_NT, baseline=0.25))
    assert score.slug == "code"
    for found, blend in ((score.loss_backbone, 0), (score.loss_epoch, 2), (score.loss_mix, "mixer")):
        assert found == pytest.approx(loss_by_hand(mixture, held_out_NT, blend), rel=1e-5)
    assert score.routing_accuracy == pytest.approx(routing_by_hand(mixture, held_out_NT, 2))
    assert score.baseline_routing_accuracy == 0.25
    known = drain(route(mixture, held_out_NT, 2))[1]
    assert drain(score_domain(mixture, "code", held_out_NT, 0.25, known))[1] == score


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_weights_of_a_text_are_those_of_a_full_pass(
    make_mixture: MakeMixture, strategy: Strategy, held_out_NT: torch.Tensor
) -> None:
    model = make_mixture(strategy)
    with torch.inference_mode():
        expected_NTS = model(held_out_NT).weights_BTS
    torch.testing.assert_close(mixer_weights(model, held_out_NT), expected_NTS, atol=1e-5, rtol=1e-5)


def alphabet_text(slot: int, blocks: int, tokens: int = 40) -> torch.Tensor:
    """Text of a domain that has three letters of its own."""
    generator = torch.Generator().manual_seed(10 * slot + blocks)
    return 60 * slot + torch.randint(3, (blocks, tokens), generator=generator)


@pytest.fixture
@torch.no_grad()
def knowing(tiny_backbone: Any) -> TemporalLoRA:
    """A mixer that tells the two alphabets apart by their letters, a few tokens behind a border."""
    model = TemporalLoRA(tiny_backbone, LoraSettings(mixer_layer=0), MixerSettings(switching="mean"))
    for name in ("verse", "code"):
        model.add_adapter(name)
        model.begin_epoch(name)
        model.finish_epoch(name)
    router_inputs = (layer_norm(model.features(alphabet_text(slot, 4)), (48,)) for slot in (1, 2))
    one_W, other_W = (model.mixer.body(hidden_BTH).mean((0, 1)) for hidden_BTH in router_inputs)
    towards_W = 16 * (other_W - one_W) / (other_W - one_W).square().sum()
    middle = towards_W @ (one_W + other_W) / 2
    model.mixer.head.weight.copy_(torch.stack([0 * towards_W, -towards_W, towards_W]))
    model.mixer.head.bias.copy_(torch.stack([0 * middle, middle, -middle]))
    return model


@torch.inference_mode()
def test_switch_lags_are_read_behind_every_border_in_both_directions(knowing: TemporalLoRA) -> None:
    texts = [alphabet_text(1, 3), alphabet_text(2, 1)]
    _, lags = drain(switch_lags(knowing, texts))
    expected = []
    for before_T, after_T, slot in ((texts[0][1], texts[1][0], 2), (texts[1][0], texts[0][1], 1)):
        weights_TS = knowing(torch.cat([before_T, after_T])[None]).weights_BTS[0]
        expected.append(switch_lag(weights_TS[40:, slot].tolist()))
    assert lags == expected
    assert all(0 < lag < 40 for lag in lags), "lags of 0 and of all tokens would hide errors here"


def test_one_domain_has_no_border(mixture: TemporalLoRA, held_out_NT: torch.Tensor) -> None:
    assert drain(switch_lags(mixture, [held_out_NT]))[1] == []


def test_borders_of_blocks_that_fill_the_context_are_measured_too(mixture: TemporalLoRA) -> None:
    texts = [torch.randint(257, (2, 256), generator=torch.Generator().manual_seed(seed)) for seed in (7, 8)]
    _, lags = drain(switch_lags(mixture, texts))
    assert len(lags) == 2 and all(0 <= lag <= 256 for lag in lags)


def calibrated(model: TemporalLoRA, texts: list[torch.Tensor]) -> float:
    return calibration(drain(route(model, ids_NT, slot))[1] for slot, ids_NT in enumerate(texts, 1))


@torch.inference_mode()
def test_calibration_compares_the_dominant_weight_with_how_often_it_is_right(
    mixture: TemporalLoRA, held_out_NT: torch.Tensor
) -> None:
    texts = [held_out_NT[:6], held_out_NT[6:]]
    largest, right = [], []
    for slot, ids_NT in enumerate(texts, 1):
        for row in mixture(ids_NT).weights_BTS.flatten(0, 1).tolist():
            largest.append(max(row))
            right.append(row.index(max(row)) == slot)
    expected = calibration_error(largest, right)
    assert expected > 0.05
    assert calibrated(mixture, texts) == pytest.approx(expected, abs=1e-4)


def test_a_mixer_that_knows_its_domains_is_well_calibrated(knowing: TemporalLoRA) -> None:
    assert calibrated(knowing, [alphabet_text(1, 3), alphabet_text(2, 3)]) < 0.02
    assert calibrated(knowing, [alphabet_text(2, 3), alphabet_text(1, 3)]) > 0.9


def test_calibration_of_routing_is_its_share_of_wrong_tokens(
    make_mixture: MakeMixture, held_out_NT: torch.Tensor
) -> None:
    model = make_mixture("routing")
    right = sum(drain(route(model, held_out_NT, slot))[1].accuracy for slot in (1, 2)) / 2
    assert 0 < right < 1
    assert calibrated(model, [held_out_NT, held_out_NT]) == pytest.approx(1 - right)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_is_left_to_the_backbone_is_its_weight_in_a_mixture_without_the_slot(
    make_mixture: MakeMixture, strategy: Strategy, held_out_NT: torch.Tensor
) -> None:
    model = make_mixture(strategy)
    _, routed = drain(route(model, held_out_NT, 1))
    model.remove_adapter("verse")
    with torch.inference_mode():
        expected = float(model(held_out_NT).weights_BTS[..., 0].mean())
    assert 0.01 < expected < 0.99 and routed.unknown == pytest.approx(expected, abs=1e-5)


def test_misrouted_are_the_stretches_of_other_slots_by_what_the_own_one_lacks() -> None:
    own, other, backbone = ([0.1, 0.8, 0.1], [0.1, 0.3, 0.6], [0.7, 0.2, 0.1])
    verse = torch.tensor([[own, other, other, own, backbone], [own] * 5])
    code = torch.tensor([[own, own, other, other, other], [backbone, other, backbone, other, other]])
    texts = {"verse": Routing(1, verse, 0.0), "code": Routing(2, code, 0.0)}
    assert [each[1:] for each in misrouted(texts, 9)] == [
        ("code", 1, 0, 0, 2),
        ("verse", 2, 0, 1, 3),
        ("code", 0, 1, 2, 3),
        ("code", 0, 1, 0, 1),
        ("verse", 0, 0, 4, 5),
    ]
    assert [round(each.weight, 5) for each in misrouted(texts, 9)] == [1.8, 1.4, 0.9, 0.9, 0.8]
    assert misrouted(texts, 2) == misrouted(texts, 9)[:2] and misrouted(texts, 0) == []


def test_nothing_measured_is_no_calibration() -> None:
    assert math.isnan(calibration([]))
