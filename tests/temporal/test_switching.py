"""The filter over slots, what tokens say by their counts, and how the filter's scalars are fitted."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from mixtures import assert_near, mixture, stir, token_ids
from torch import Tensor

from tlora_gui.temporal.active_sleep import EpochMemory, fit_switching, freeze_teacher
from tlora_gui.temporal.config import STRATEGIES, SWITCHINGS, MixerSettings, Strategy, Switching
from tlora_gui.temporal.switching import (
    DEFAULT_SCALARS,
    MAX_COUNT_EVIDENCE,
    PRIOR_TOKENS,
    Scalars,
    TokenCounts,
    _costs,
    _Rows,
    count_tokens,
    slot_posterior,
    weighed_evidence,
)
from tlora_gui.temporal.time_mixer import TimeMixer

H, V = 24, 40
NEW, SETTLED = 0, 1
SCALARS = Scalars(*map(torch.tensor, (0.4, 0.7, -2.0, 0.3, -1.0)))

every_strategy = pytest.mark.parametrize("strategy", STRATEGIES)


def make_mixer(strategy: Strategy = "gating", slots: int = 3) -> TimeMixer:
    torch.manual_seed(0)
    mixer = TimeMixer(H, MixerSettings(strategy, 16, switching="filter"), slots)
    stir(mixer, 0)
    mixer.filter_scalars.copy_(torch.stack(SCALARS))
    return mixer.requires_grad_(False)


def hidden(batch: int = 2, tokens: int = 20, seed: int = 0) -> Tensor:
    return 5 * torch.randn(batch, tokens, H, generator=torch.Generator().manual_seed(seed))


def counted(batch: int = 2, tokens: int = 20, slots: int = 3, seed: int = 1) -> Tensor:
    """Some evidence by counts (B, T, S)."""
    evidence_BTS = torch.randn(batch, tokens, slots, generator=torch.Generator().manual_seed(seed))
    evidence_BTS[..., 0] = 0
    return evidence_BTS


def naive_filter(logits_TS: Tensor, counts_TS: Tensor, scalars: Scalars) -> Tensor:
    """The formulas of the module, token by token and slot by slot, in Python's numbers."""
    trust, count_trust, share, backbone, start = map(float, scalars)
    share, slots = 1 / (1 + math.exp(-share)), logits_TS.shape[1]
    new, settled, rows = [math.exp(start), *[1.0] * (slots - 1)], [0.0] * slots, []
    new = [each / sum(new) for each in new]
    for logits, counts in zip(logits_TS.tolist(), counts_TS.tolist(), strict=True):
        said = [trust * (own - logits[0]) for own in logits]
        said[0] += backbone
        come = [(1 - share) * 11 / 12 * each + share / slots for each in new]
        stay = [(1 - share) * (old + each / 12) for old, each in zip(settled, new, strict=True)]
        new = [math.exp(a + count_trust * u) * each for a, u, each in zip(said, counts, come, strict=True)]
        settled = [math.exp(a) * each for a, each in zip(said, stay, strict=True)]
        whole = sum(new) + sum(settled)
        new, settled = [each / whole for each in new], [each / whole for each in settled]
        rows.append([one + other for one, other in zip(new, settled, strict=True)])
    return torch.tensor(rows)


# -- the filter ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", ["gating", "routing"])
@pytest.mark.parametrize("tokens", [1, 7, 300])
def test_weights_are_the_fixed_share_posterior_of_what_the_tokens_say(strategy: Strategy, tokens: int) -> None:
    mixer, hidden_BTH, counts_BTS = make_mixer(strategy), hidden(2, tokens), counted(2, tokens)
    logits_BTS, _ = mixer(hidden_BTH, count_evidence_BTS=counts_BTS)
    own_BTS, _ = mixer.evidence_logits(hidden_BTH)
    for row in range(2):
        expected_TS = naive_filter(own_BTS[row], counts_BTS[row], SCALARS)
        assert_near(logits_BTS[row].softmax(-1), expected_TS)


def test_the_filter_of_attention_takes_its_means_as_evidence() -> None:
    mixer, hidden_BTH = make_mixer("attention"), hidden()
    evidence_BT2S = weighed_evidence(mixer.mean(hidden_BTH)[0], None, SCALARS)
    assert_near(mixer(hidden_BTH)[0].softmax(-1), slot_posterior(evidence_BT2S, SCALARS, torch.zeros(3)).sum(2))


@every_strategy
@pytest.mark.parametrize("pieces", [[1] * 20, [7, 1, 12], [300, 1, 99]], ids=str)
def test_the_state_carries_on_where_the_last_piece_ended(strategy: Strategy, pieces: list[int]) -> None:
    mixer, total = make_mixer(strategy), sum(pieces)
    hidden_BTH, counts_BTS = hidden(2, total), counted(2, total)
    state, parts = None, []
    for piece_BTH, piece_BTS in zip(hidden_BTH.split(pieces, 1), counts_BTS.split(pieces, 1), strict=True):
        logits_BTS, state = mixer(piece_BTH, state, None, piece_BTS)
        parts.append(logits_BTS)
    assert_near(torch.cat(parts, dim=1), mixer(hidden_BTH, count_evidence_BTS=counts_BTS)[0])


@every_strategy
@pytest.mark.parametrize("holes", [[0, 1, 2], [17, 18, 19], [3, 9, 10, 11]], ids=["left", "right", "middle"])
def test_masked_tokens_leave_no_trace(strategy: Strategy, holes: list[int]) -> None:
    mixer, hidden_BTH, counts_BTS = make_mixer(strategy), hidden(1), counted(1)
    mask_BT = torch.ones(1, 20, dtype=torch.long)
    mask_BT[:, holes] = 0
    seen = mask_BT[0].bool()
    masked_BTS, after = mixer(hidden_BTH, None, mask_BT, counts_BTS)
    expected_BTS, expected = mixer(hidden_BTH[:, seen], None, None, counts_BTS[:, seen])
    assert_near(masked_BTS[:, seen], expected_BTS)
    following_BTH = hidden(1, 4, seed=1)
    assert_near(mixer(following_BTH, after)[0], mixer(following_BTH, expected)[0])


@every_strategy
def test_later_tokens_do_not_change_earlier_weights(strategy: Strategy) -> None:
    mixer, hidden_BTH = make_mixer(strategy), hidden(1, 60)
    changed_BTH = torch.cat([hidden_BTH[:, :40], hidden(1, 20, seed=3)], dim=1)
    assert torch.equal(mixer(hidden_BTH)[0][:, :40], mixer(changed_BTH)[0][:, :40])


def test_however_sure_it_was_the_filter_turns_and_stays_a_distribution() -> None:
    evidence_BT2S = torch.zeros(1, 1200, 2, 2)
    evidence_BT2S[:, :1000, :, 0], evidence_BT2S[:, 1000:, :, 1] = 50.0, 50.0
    found_BTS = slot_posterior(evidence_BT2S, SCALARS, torch.zeros(2)).sum(2)
    assert found_BTS[0, 999, 0] > 0.99 and found_BTS[0, 1001, 1] > 0.99
    assert found_BTS.isfinite().all()
    assert_near(found_BTS.sum(-1), torch.ones(1, 1200))


def test_a_newborn_slot_begins_with_hardly_any_weight_and_a_removed_one_leaves_it_to_the_others() -> None:
    mixer, hidden_BTH = make_mixer(), hidden()
    before_BTS = mixer(hidden_BTH)[0].softmax(-1)
    mixer.add_slot()
    grown_BTS = mixer(hidden_BTH)[0].softmax(-1)
    assert grown_BTS[..., 3].max() < math.exp(-3)
    mixer.remove_slot(3)
    assert_near(mixer(hidden_BTH)[0].softmax(-1), before_BTS)


def test_a_slot_that_has_learned_is_turned_to_as_readily_as_the_others() -> None:
    mixer, hidden_BTH = make_mixer(slots=2), hidden()
    mixer.add_slot()
    mixer.requires_grad_(False)
    mixer.head.weight[2], mixer.head.bias[2] = mixer.head.weight[1], mixer.head.bias[1]
    assert mixer(hidden_BTH)[0].softmax(-1)[..., 2].max() < math.exp(-3)
    mixer.admit()
    weights_BTS = mixer(hidden_BTH)[0].softmax(-1)
    assert_near(weights_BTS[..., 2], weights_BTS[..., 1])


# -- counts -------------------------------------------------------------------------------------------------------


def test_counts_of_a_text_name_each_token_once() -> None:
    counts_2N = count_tokens(torch.tensor([[3, 7, 3], [3, 1, 7]]))
    assert counts_2N.dtype == torch.int32 and counts_2N.tolist() == [[1, 3, 7], [1, 3, 2]]
    short_2N = count_tokens(torch.tensor([[3, 7, 3], [3, 1, 7]]).to(torch.uint16))
    assert torch.equal(short_2N, counts_2N), "as corpora are stored"
    many_NT = torch.randint(0, 50, (20_000, 2), generator=torch.Generator().manual_seed(0))
    assert torch.equal(count_tokens(many_NT)[1], many_NT.flatten().bincount()[many_NT.unique()].int())


DREAMS = [1, 1, 2, 9]


def counts_of(*texts: list[int] | None, dreams: list[int] = DREAMS) -> TokenCounts:
    dreamt_2N = count_tokens(torch.tensor([dreams]))
    return TokenCounts([None if text is None else (count_tokens(torch.tensor([text])), dreamt_2N) for text in texts], V)


def ratio(count: int, tokens: int, dreamt: int, dreams: int) -> float:
    expected = (dreamt + 0.5) / (dreams + 0.5 * V)
    return math.log((count + PRIOR_TOKENS * expected) / (tokens + PRIOR_TOKENS) / expected)


def test_evidence_is_the_log_ratio_to_the_dreams() -> None:
    evidence_TS = counts_of([2, 3, 3, 3], [4] * 8).evidence(torch.tensor([[3, 2]]))[0]
    assert evidence_TS[0].tolist() == pytest.approx([0, ratio(3, 4, 0, 4), ratio(0, 8, 0, 4)], rel=1e-4)
    assert evidence_TS[1].tolist() == pytest.approx([0, ratio(1, 4, 1, 4), ratio(0, 8, 1, 4)], rel=1e-4)


def test_one_token_says_no_more_than_the_limit() -> None:
    counts = counts_of([1] * 10_000, [2] * 100_000, dreams=[0] * 10_000)
    evidence_TS = counts.evidence(torch.tensor([[0, 1, 2]]))[0]
    assert evidence_TS.abs().max() <= MAX_COUNT_EVIDENCE
    assert evidence_TS[1, 1] == MAX_COUNT_EVIDENCE and evidence_TS[0, 2] == -MAX_COUNT_EVIDENCE


def test_what_a_token_says_for_an_epoch_depends_on_no_other() -> None:
    ids_BT = torch.arange(V)[None]
    both_BTS = counts_of([2, 3, 3], [5] * 9).evidence(ids_BT)
    assert torch.equal(both_BTS[..., [0, 1]], counts_of([2, 3, 3]).evidence(ids_BT))
    assert torch.equal(both_BTS[..., [0, 2]], counts_of([5] * 9).evidence(ids_BT))


def test_of_an_epoch_whose_counts_are_not_known_no_token_says_anything() -> None:
    assert not counts_of([2, 3, 3], None).evidence(torch.arange(V)[None])[..., 2].any()


@pytest.mark.parametrize("own", [0, 1])
def test_text_is_judged_by_the_counts_without_itself(own: int) -> None:
    own_NT, rest = torch.tensor([[5, 6, 5], [7, 7, 5]]), [8, 9, 9, 9]
    whole = [*own_NT.flatten().tolist(), *rest]

    def counts(mine: list[int]) -> TokenCounts:
        return counts_of([3, 5], dreams=mine) if own == 0 else counts_of(mine)

    for row_T, found_TS in zip(own_NT, counts(whole).evidence(own_NT, own=own), strict=True):
        left = list(whole)
        for token in row_T.tolist():
            left.remove(token)
        assert_near(found_TS, counts(left).evidence(row_T[None])[0])


# -- the fit ------------------------------------------------------------------------------------------------------


def memory(token: int, direction: int, seed: int) -> EpochMemory:
    """Windows of a text that mostly holds one token, with router inputs that mostly point one way."""
    random = torch.Generator().manual_seed(seed)
    ids_NW = torch.where(torch.rand(6, 64, generator=random) < 0.3, token, torch.randint(V, (6, 64), generator=random))
    replay_NWH = torch.randn(6, 64, H, generator=random)
    replay_NWH[..., direction] += 1.0
    return EpochMemory(replay_NWH, replay_NWH, replay_ids_NW=ids_NW.int(), token_counts=count_tokens(ids_NW))


BACKBONE = memory(1, 0, 0)
MEMORIES = {
    0: BACKBONE,
    **{slot: replace(memory(1 + slot, slot, slot), dream_counts=BACKBONE.token_counts) for slot in (1, 2)},
}
COUNTS = TokenCounts([MEMORIES[1].counted, MEMORIES[2].counted], V)


def knowing_mixer(strategy: Strategy = "gating", switching: Switching = "filter") -> TimeMixer:
    """Its logits know the memories' directions, somewhat."""
    mixer = TimeMixer(H, MixerSettings(strategy, width=0, switching=switching), 3)
    with torch.no_grad():
        mixer.head.weight[range(3), range(3)] = 1.0
    return mixer.requires_grad_(False)


def own_weight(mixer: TimeMixer) -> float:
    """Mean weight of the right slot over the memories."""
    found = []
    for slot, each in MEMORIES.items():
        assert each.replay_ids_NW is not None
        counts_NWS = COUNTS.evidence(each.replay_ids_NW.long(), own=slot)
        found.append(mixer(each.replay_NWH, count_evidence_BTS=counts_NWS)[0].softmax(-1)[..., slot].mean())
    return float(torch.stack(found).mean())


@every_strategy
def test_the_fit_finds_the_right_slots_better_than_scalars_that_trust_nothing(strategy: Strategy) -> None:
    mixer = knowing_mixer(strategy)
    mixer.filter_scalars.copy_(torch.tensor([0.0, 0.0, -3.0, 0.0, 0.0]))
    assert own_weight(mixer) == pytest.approx(1 / 3, abs=1e-3)
    weights = {name: value.clone() for name, value in mixer.named_parameters()}
    fit_switching(mixer, MEMORIES, V, torch.Generator().manual_seed(0))
    assert own_weight(mixer) > 0.8
    assert all(torch.equal(value, weights[name]) for name, value in mixer.named_parameters()), "the router stays"


def test_the_same_seed_fits_the_same_scalars() -> None:
    found = []
    for _ in range(2):
        mixer = knowing_mixer()
        fit_switching(mixer, MEMORIES, V, torch.Generator().manual_seed(3))
        found.append(mixer.filter_scalars)
    assert torch.equal(*found)


@pytest.mark.parametrize("before", [(0.4, 0.6, -6.0, 0.0, -1.0), (0.0, 0.0, 3.0, 9.0, 9.0)])
def test_a_fit_does_not_depend_on_the_one_before(before: tuple[float, ...]) -> None:
    found = []
    for scalars in (DEFAULT_SCALARS, before):
        mixer = knowing_mixer()
        mixer.filter_scalars.copy_(torch.tensor(scalars))
        fit_switching(mixer, MEMORIES, V, torch.Generator().manual_seed(3))
        found.append(mixer.filter_scalars)
    assert torch.equal(*found)


def test_a_filter_that_gives_unknown_text_no_chance_has_a_slope_back_to_the_backbone() -> None:
    logits_BTS = torch.zeros(2, 64, 3)
    logits_BTS[..., 1] = 40.0  # sure of an epoch, wherever the text is from
    gone_B1S = torch.zeros(2, 1, 3, dtype=torch.bool)
    gone_B1S[1, 0, 2] = True
    slots_BT = torch.stack([torch.ones(64), torch.zeros(64)]).long()
    rows = _Rows(logits_BTS, torch.zeros_like(logits_BTS), slots_BT, gone_B1S, torch.tensor([0.99, 0.01]))
    filters_FP = torch.tensor([[0.1, 0.5, -4.0, 0.0, 0.0], [0.1, 0.5, -4.0, 0.5, 0.0]])
    stubborn, ready = _costs(filters_FP, rows).tolist()
    assert ready < stubborn - 1e-4


def test_memories_of_old_have_no_part_in_the_fit() -> None:
    mixer = knowing_mixer()
    before = freeze_teacher(mixer)
    old = {slot: replace(each, replay_ids_NW=None, token_counts=None) for slot, each in MEMORIES.items()}
    fit_switching(mixer, old, V, torch.Generator().manual_seed(0))
    assert torch.equal(mixer.filter_scalars, before.filter_scalars)


def test_a_mixer_that_switches_by_its_mean_has_nothing_to_fit() -> None:
    mixer = TimeMixer(H, MixerSettings(switching="mean"), 3)
    fit_switching(mixer, MEMORIES, V, torch.Generator().manual_seed(0))
    assert "filter_scalars" not in mixer.state_dict()
    assert torch.equal(mixer(hidden())[0], mixer.mean(hidden())[0])


# -- forwards and backwards ----------------------------------------------------------------------------------------


def test_smoothing_is_the_probability_over_all_paths() -> None:
    tokens, slots = 5, 2
    mixer, hidden_BTH, counts_BTS = make_mixer(slots=slots), hidden(1, tokens), counted(1, tokens, slots)
    evidence_T2S = weighed_evidence(mixer.evidence_logits(hidden_BTH)[0], counts_BTS, SCALARS)[0].double()
    share, states = float(SCALARS.share.sigmoid()), [(age, slot) for age in (NEW, SETTLED) for slot in range(slots)]

    def goes(old: tuple[int, int], to: tuple[int, int]) -> float:
        found = share / slots if to[0] == NEW else 0.0
        if old[1] == to[1]:
            kept = {(NEW, NEW): 11 / 12, (NEW, SETTLED): 1 / 12, (SETTLED, SETTLED): 1.0}
            found += (1 - share) * kept.get((old[0], to[0]), 0.0)
        return found

    first_S = torch.tensor([float(SCALARS.start), *[0.0] * (slots - 1)]).softmax(-1).tolist()
    found_TS = torch.zeros(tokens, slots, dtype=torch.double)
    for start, *path in itertools.product(states, repeat=tokens + 1):
        chance = first_S[start[1]] if start[0] == NEW else 0.0
        for step, (old, to) in enumerate(itertools.pairwise([start, *path])):
            chance *= goes(old, to) * math.exp(evidence_T2S[step, to[0], to[1]])
        for step, (_, slot) in enumerate(path):
            found_TS[step, slot] += chance
    assert_near(mixer.smoothed(hidden_BTH, counts_BTS)[0], (found_TS / found_TS.sum(-1, keepdim=True)).float())


@every_strategy
def test_the_last_token_has_nothing_after_it(strategy: Strategy) -> None:
    mixer, hidden_BTH, counts_BTS = make_mixer(strategy), hidden(2, 300), counted(2, 300)
    smoothed_BTS = mixer.smoothed(hidden_BTH, counts_BTS)
    assert_near(smoothed_BTS.sum(-1), torch.ones(2, 300))
    assert_near(smoothed_BTS[:, -1], mixer(hidden_BTH, count_evidence_BTS=counts_BTS)[0][:, -1].softmax(-1))


# -- why a token has its slot -------------------------------------------------------------------------------------


@every_strategy
def test_reasons_add_up_to_how_much_more_the_first_slot_weighs_than_the_next(strategy: Strategy) -> None:
    mixer, hidden_BTH, counts_BTS = make_mixer(strategy), hidden(), counted()
    logits_BTS, state = mixer(hidden_BTH, count_evidence_BTS=counts_BTS)
    reasons = mixer.reasons(state)
    assert reasons is not None
    ordered_BTS = logits_BTS.sort(descending=True)
    assert torch.equal(reasons.rival_BT, ordered_BTS.indices[..., 1])
    assert_near(reasons.nats_BT3.sum(-1), ordered_BTS.values[..., 0] - ordered_BTS.values[..., 1])


def test_reasons_tell_the_context_the_word_and_what_came_before_apart() -> None:
    mixer, hidden_BTH, counts_BTS = make_mixer(), hidden(1, 6), counted(1, 6)
    _, state = mixer(hidden_BTH[:, :5], None, None, counts_BTS[:, :5])
    last_BTH, last_BTS = hidden_BTH[:, 5:], counts_BTS[:, 5:]
    whole, rest, silent = (
        mixer.reasons(mixer(*given)[1])
        for given in (
            (hidden_BTH, None, None, counts_BTS), (last_BTH, state, None, last_BTS), (last_BTH, state, None, None),
        )
    )  # fmt: skip
    assert whole is not None and rest is not None and silent is not None
    assert_near(whole.nats_BT3[:, 5:], rest.nats_BT3)
    assert silent.nats_BT3[0, 0, 1] == pytest.approx(0, abs=1e-5), "nobody counted"
    first, second = (mixer(hidden_BTH, None, None, counts_BTS)[0][0, 5].topk(2).indices).tolist()
    context_S = SCALARS.trust * mixer.evidence_logits(hidden_BTH)[0][0, 5]
    context_S[0] += SCALARS.backbone
    assert_near(rest.nats_BT3[0, 0, 0], context_S[first] - context_S[second])
    most_S = SCALARS.count_trust * counts_BTS[0, 5]
    limits = (
        min(0.0, float(most_S[first])) - max(0.0, float(most_S[second])),
        max(0.0, float(most_S[first])) - min(0.0, float(most_S[second])),
    )
    assert limits[0] < float(rest.nats_BT3[0, 0, 1]) < limits[1], "it is asked where a slot is new, in part"


def test_a_mean_and_a_single_slot_have_no_reasons() -> None:
    for mixer in (TimeMixer(H, MixerSettings(switching="mean"), 3), make_mixer(slots=1)):
        assert mixer.reasons(mixer(hidden())[1]) is None


# -- in a model ---------------------------------------------------------------------------------------------------


def test_a_model_tells_its_filter_the_counts_in_pieces_as_at_once(tiny_backbone: Any) -> None:
    model, random = mixture(tiny_backbone, mixer=MixerSettings(switching="filter")), torch.Generator().manual_seed(0)
    model.mixer.filter_scalars.copy_(torch.tensor([0.01, 1.0, -2.0, 0.0, 0.0]))  # counts above all
    ids_BT = token_ids(1, 24)
    with torch.inference_mode():
        plain_BTS = model(ids_BT).weights_BTS
        for number, name in enumerate(model.slot_adapters):
            text, dreams = (count_tokens(torch.randint(257, (50, 20), generator=random)) for _ in range(2))
            none_NTH = torch.zeros(1, 1, model.mixer.hidden_size)
            model.memories[name] = EpochMemory(none_NTH, none_NTH, None, (), None, text, dreams if number else None)
        whole_BTS = model(ids_BT).weights_BTS
        cache, state, parts = None, None, []
        for piece_BT in ids_BT.split([9, 1, 14], dim=1):
            output = model(piece_BT, cache=cache, mixer_state=state, use_cache=True)
            cache, state = output.cache, output.mixer_state
            parts.append(output.weights_BTS)
    assert_near(torch.cat(parts, dim=1), whole_BTS)
    assert (whole_BTS - plain_BTS).abs().max() > 0.01


def test_counts_are_looked_up_where_they_are_asked_and_every_filter_looks_back(tiny_backbone: Any) -> None:
    ids_BT, shape = token_ids(1, 6), (1, 6, 4)
    for switching in SWITCHINGS:
        model = mixture(tiny_backbone, mixer=MixerSettings(switching=switching))
        evidence_BTS, smoothed_BTS = model.count_evidence(ids_BT), model.smoothed(ids_BT)
        assert (None if evidence_BTS is None else evidence_BTS.shape) == (shape if switching == "filter" else None)
        assert (None if smoothed_BTS is None else smoothed_BTS.shape) == (None if switching == "mean" else shape)


def test_a_filter_without_counts_weighs_alike_whatever_is_counted() -> None:
    plain, asking = knowing_mixer(switching="filter-without-counts"), knowing_mixer()
    nothing = {slot: replace(each, token_counts=None, dream_counts=None) for slot, each in MEMORIES.items()}
    fit_switching(plain, MEMORIES, V, torch.Generator().manual_seed(0))
    fit_switching(asking, nothing, V, torch.Generator().manual_seed(0))
    assert torch.equal(plain.filter_scalars, asking.filter_scalars)
    fit_switching(asking, MEMORIES, V, torch.Generator().manual_seed(0))
    assert not torch.equal(plain.filter_scalars, asking.filter_scalars)
