"""Training one epoch: what falls, what is protected, what a cancel leaves, and what nothing may change."""

from __future__ import annotations

import contextlib
import copy
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_helpers import QUICK, cancel_after, collect, drain, only, same_tensors, snapshot
from transformers import AutoModelForCausalLM

from tlora_gui.engine.backbones.loading import state_hash
from tlora_gui.engine.corpus.blocks import TokenBlocks, make_blocks
from tlora_gui.engine.corpus.text_corpus import TextCorpus
from tlora_gui.engine.generation.token_stream import generate
from tlora_gui.engine.protocol.cancel import CancelMode, CancelToken
from tlora_gui.engine.protocol.config import SEED_MAX, SEED_MIN, SamplingSettings, SleepSettings, TrainSettings
from tlora_gui.engine.protocol.errors import Cancelled, TloraError
from tlora_gui.engine.protocol.events import HeldOut, TrainStep, Warned
from tlora_gui.engine.training import epoch_run, evaluation, memory_fit
from tlora_gui.engine.training.dreams import dream, dream_ids, dream_memory, router_features
from tlora_gui.engine.training.epoch_run import EpochResult, EpochRun, require_context, train_epoch
from tlora_gui.engine.training.evaluation import held_out_loss, score_domain
from tlora_gui.temporal.active_sleep import MixerLearner, cut_windows
from tlora_gui.temporal.config import MEMORY_WINDOW, STRATEGIES, MixerSettings, Strategy, Switching
from tlora_gui.temporal.model import TemporalLoRA
from tlora_gui.temporal.switching import count_tokens

LONGER = replace(QUICK, max_tokens=2048, batch_size=4, sleep=SleepSettings(memory_tokens=1024, batch_tokens=256))
"""Enough steps for the mixer to tell two kinds of text apart."""

FROM_DREAMS = replace(QUICK, sleep=replace(QUICK.sleep, source="dreams"))

MakeBench = Callable[..., "Bench"]


@dataclass
class Bench:
    """A model with the backbone's dreams, and corpora to train it on."""

    model: TemporalLoRA
    tokenizer: Any
    corpora: dict[str, Path]

    def blocks(self, name: str, settings: TrainSettings = QUICK) -> TokenBlocks:
        return make_blocks(
            TextCorpus.from_paths([self.corpora[name]]),
            self.tokenizer,
            block_size=settings.block_size,
            max_tokens=settings.max_tokens,
            held_out_share=0.1,
            held_out_tokens=settings.held_out_tokens,
            seed=settings.seed,
        )

    def stream(self, name: str, settings: TrainSettings = QUICK, cancel: CancelToken | None = None, **more: Any) -> Any:
        self.model.add_adapter(name, seed=settings.seed)
        blocks = self.blocks(name, settings)
        return train_epoch(self.model, name, blocks, settings, cancel or CancelToken(), **more)

    def train(self, name: str, settings: TrainSettings = QUICK) -> tuple[list[Any], EpochResult]:
        return drain(self.stream(name, settings))


@pytest.fixture
def make_bench(tiny_tokenizer: Any, corpora: dict[str, Path], made_once: dict[Any, Any]) -> MakeBench:
    def make(backbone: Any, strategy: Strategy = "gating", switching: Switching = "mean") -> Bench:
        model = TemporalLoRA(backbone, mixer=MixerSettings(strategy, switching=switching))
        key = ("dreams", type(backbone))
        if key not in made_once:
            made_once[key] = drain(dream_ids(model, None, CancelToken()))[1]
        model.memories[""] = dream_memory(model, made_once[key])
        return Bench(model, tiny_tokenizer, corpora)

    return make


@pytest.fixture
def bench(make_bench: MakeBench, tiny_backbone: Any) -> Bench:
    return make_bench(tiny_backbone)


@pytest.fixture
def llama(make_bench: MakeBench, tiny_model_folder: Path) -> Bench:
    return make_bench(AutoModelForCausalLM.from_pretrained(tiny_model_folder))


@pytest.fixture
def second(llama: Bench, made_once: dict[Any, Any]) -> Bench:
    """A Llama that has learned "verse" already."""
    if "second" not in made_once:
        made_once["second"] = copy.deepcopy(llama)
        made_once["second"].train("verse")
    return copy.deepcopy(made_once["second"])


@pytest.fixture
def each_second(bench: Bench, tiny_backbone: Any, made_once: dict[Any, Any]) -> Bench:
    """A model of each family that has learned "verse" already."""
    key = ("second", type(tiny_backbone))
    if key not in made_once:
        made_once[key] = copy.deepcopy(bench)
        made_once[key].train("verse")
    return copy.deepcopy(made_once[key])


@pytest.fixture(params=STRATEGIES)
def each_strategy(
    request: pytest.FixtureRequest, make_bench: MakeBench, tiny_model_folder: Path, made_once: dict[Any, Any]
) -> Bench:
    """The same with a Time Mixer of each strategy."""
    key = ("second", request.param)
    if key not in made_once:
        made_once[key] = make_bench(AutoModelForCausalLM.from_pretrained(tiny_model_folder), request.param)
        made_once[key].train("verse")
    return copy.deepcopy(made_once[key])


def losses(events: list[Any]) -> list[float]:
    return [step.adapter_loss for step in only(events, TrainStep)]


def without_timings(events: list[Any]) -> list[Any]:
    return [
        replace(event, tokens_per_second=0.0, eta_s=0.0) if isinstance(event, TrainStep) else event for event in events
    ]


# -- learning ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("objective", ["isolated", "joint"])
def test_losses_fall_and_the_epoch_beats_the_backbone_on_held_out_text(bench: Bench, objective: Any) -> None:
    settings = replace(LONGER, objective=objective)
    events, result = bench.train("verse", settings)
    steps, measured = only(events, TrainStep), only(events, HeldOut)
    assert [step.step for step in steps] == list(range(1, 17))
    assert sum(losses(events)[-4:]) < 0.9 * sum(losses(events)[:4])
    assert measured[0].step == 0 and measured[0].loss == pytest.approx(result.backbone_loss, rel=1e-5)
    assert measured[-1].step == 16 and measured[-1].loss == result.held_out_loss
    assert result.held_out_loss < 0.9 * result.backbone_loss


def test_bf16_autocast_learns_and_leaves_adapter_and_memory_in_their_own_precision(
    llama: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "trains_in_bf16", lambda device: True)
    _, result = llama.train("verse", LONGER)
    assert result.held_out_loss < 0.9 * result.backbone_loss
    assert {parameter.dtype for parameter in llama.model.adapter_parameters("verse").values()} == {torch.float32}
    assert result.memory.replay_NWH.dtype == torch.float16


def test_measurements_come_first_last_and_at_every_interval(llama: Bench) -> None:
    events, _ = llama.train("verse")
    assert [event.step for event in only(events, HeldOut)] == [0, 3, 6]


def test_learning_rate_warms_up_and_decays(llama: Bench) -> None:
    events, _ = llama.train("verse", replace(QUICK, num_passes=10, early_stop=False))
    rates = [step.learning_rate / QUICK.learning_rate for step in only(events, TrainStep)]
    assert rates[0] == pytest.approx(1 / epoch_run.WARM_UP_STEPS)
    assert rates.index(max(rates)) == epoch_run.WARM_UP_STEPS - 1
    assert rates[-1] < 0.1


def test_up_projections_learn_four_times_as_fast_and_a_checkpoint_has_them_in_the_adapters_order(llama: Bench) -> None:
    llama.model.add_adapter("verse")
    run = EpochRun(llama.model, "verse", llama.blocks("verse"), QUICK)
    before = [parameter.detach().clone() for parameter in run.adapter]
    step = next(event for event in run.steps() if isinstance(event, TrainStep))
    names = list(llama.model.adapter_parameters("verse"))
    for name, then, now in zip(names, before, run.adapter, strict=True):
        largest = (
            now.detach() - then
        ).abs().max().item() / step.learning_rate  # Adam's first step is the rate, of either sign
        assert largest == pytest.approx(4.0 if ".lora_B." in name else 0.0, rel=1e-2), "A has no gradient while B is 0"
    state = run.state_dict()
    for place, parameter in enumerate(run.adapter):
        assert state[f"optimizer.adapter.{place}.exp_avg"].shape == parameter.shape


def test_distill_loss_is_zero_in_the_first_phase_and_alive_in_the_second(bench: Bench) -> None:
    first, _ = bench.train("verse")
    second, _ = bench.train("code")
    assert all(step.mixer_distill_loss == 0 for step in only(first, TrainStep))
    assert all(step.mixer_distill_loss > 0 for step in only(second, TrainStep))


def test_active_sleep_keeps_the_way_to_the_first_epoch_where_the_unprotected_mixer_loses_it(bench: Bench) -> None:
    settings = replace(LONGER, sleep=replace(LONGER.sleep, sleep_weight=3.0))
    bench.train("verse", settings)
    events, _ = bench.train("code", settings)
    last = only(events, HeldOut)[-1]
    assert dict(last.routing)["verse"] > 0.6
    assert dict(last.unprotected)["verse"] < 0.1
    assert dict(last.unprotected)["code"] > 0.9


def test_mixer_learns_the_new_epoch_and_keeps_the_old(llama: Bench) -> None:
    settings = replace(LONGER, max_tokens=3072)
    llama.train("verse", settings)
    events, _ = llama.train("code", settings)
    assert min(dict(only(events, HeldOut)[-1].routing).values()) > 0.9


def test_the_filter_is_fitted_to_what_the_epochs_leave_and_keeps_them_apart(
    make_bench: MakeBench, tiny_model_folder: Path
) -> None:
    bench = make_bench(AutoModelForCausalLM.from_pretrained(tiny_model_folder), switching="filter")
    settings = replace(LONGER, max_tokens=3072)
    bench.train("verse", settings)
    first = bench.model.mixer.filter_scalars.clone()
    events, _ = bench.train("code", settings)
    assert min(dict(only(events, HeldOut)[-1].routing).values()) > 0.9
    assert not torch.equal(bench.model.mixer.filter_scalars, first)
    assert not bench.model.mixer.filter_prior.any(), "both have learned"
    for name in ("verse", "code"):
        memory, train_NT = bench.model.memories[name], bench.blocks(name, settings).train_NT
        assert memory.token_counts is not None and torch.equal(memory.token_counts, count_tokens(train_NT))
        assert memory.dream_counts is bench.model.memories[""].token_counts
        assert memory.replay_ids_NW is not None and memory.replay_ids_NW.shape == memory.replay_NWH.shape[:2]


def test_without_active_sleep_nothing_is_distilled_and_the_first_epoch_is_forgotten(llama: Bench) -> None:
    llama.train("verse", LONGER)
    events, _ = llama.train("code", replace(LONGER, sleep=replace(LONGER.sleep, enabled=False)))
    last = only(events, HeldOut)[-1]
    assert all(step.mixer_distill_loss == 0 for step in only(events, TrainStep))
    assert dict(last.routing)["verse"] < 0.1
    assert last.unprotected == ()


def test_later_training_changes_no_bit_of_backbone_and_earlier_adapter(bench: Bench) -> None:
    model = bench.model
    backbone = state_hash(dict(model.backbone.named_parameters()))
    bench.train("verse")
    verse = state_hash(model.adapter_parameters("verse"))
    bench.train("code", replace(QUICK, objective="joint"))
    assert state_hash(dict(model.backbone.named_parameters())) == backbone
    assert state_hash(model.adapter_parameters("verse")) == verse
    assert state_hash(model.adapter_parameters("code")) != verse
    assert [adapter.state for adapter in model.adapters.values()] == ["frozen", "frozen"]


def test_finished_epochs_ask_for_no_gradient(second: Bench) -> None:
    assert not any(parameter.requires_grad for parameter in second.model.adapter_parameters("verse").values())


def test_isolated_training_does_not_depend_on_the_comparison_beside(each_strategy: Bench) -> None:
    found = []
    for compare in (True, False):
        twin = copy.deepcopy(each_strategy)
        settings = replace(QUICK, compare_unprotected=compare)
        events, _ = twin.train("code", settings)
        found.append((losses(events), snapshot(twin.model.mixer)))
    assert found[0][0] == found[1][0]
    assert same_tensors(found[0][1], found[1][1])


def test_same_seed_same_epoch_and_another_seed_another(llama: Bench) -> None:
    found = []
    for seed in (1, 1, 2):
        twin = copy.deepcopy(llama)
        torch.manual_seed(len(found))  # torch's own generator has no say
        twin.train("verse", replace(QUICK, seed=seed))
        found.append(state_hash(twin.model.adapter_parameters("verse")))
    assert found[0] == found[1] != found[2]


def test_every_pass_reads_every_block_once_and_tokens_are_counted_exactly(llama: Bench) -> None:
    settings = replace(QUICK, num_passes=2, max_tokens=9 * 32, batch_size=4)
    llama.model.add_adapter("verse")
    run = EpochRun(llama.model, "verse", llama.blocks("verse", settings), settings)
    read: list[torch.Tensor] = []
    while run.step < run.total_steps:
        read.append(run.batch())
        run.step += 1
        assert run.tokens == sum(32 * len(batch) for batch in read)
    assert [len(batch) for batch in read] == [4, 4, 1] * 2
    wanted = list(range(9))
    for turn in (read[:3], read[3:]):
        assert sorted(torch.cat(turn).tolist()) == wanted
    assert [batch.tolist() for batch in read[:3]] != [batch.tolist() for batch in read[3:]]


def test_epoch_leaves_windows_of_training_text_and_held_out_blocks_as_memory(llama: Bench) -> None:
    _, result = llama.train("verse")
    memory = llama.model.memories["verse"]
    assert memory is result.memory
    assert memory.replay_NWH.shape == (384 // MEMORY_WINDOW, MEMORY_WINDOW, 48)
    assert memory.eval_features_NTH.shape == (4, 32, 48)
    assert memory.replay_NWH.dtype == memory.eval_features_NTH.dtype == torch.float16
    blocks = llama.blocks("verse")
    llama.train("code")  # features do not move when epochs are added
    assert torch.equal(memory.replay_NWH, cut_windows(router_features(llama.model, blocks.train_NT)))
    assert torch.equal(memory.eval_features_NTH, router_features(llama.model, blocks.held_out_NT))
    assert memory.held_out_NT is not None and memory.held_out_NT.dtype == torch.int32
    assert torch.equal(memory.held_out_NT.long(), blocks.held_out_NT)


@pytest.mark.parametrize(("tokens", "windows"), [(64, 1), (100, 2), (384, 6), (10_000, 6)])
def test_memory_is_an_even_sample_of_the_asked_size_and_no_more_than_there_is(
    llama: Bench, tokens: int, windows: int
) -> None:
    settings = replace(QUICK, sleep=replace(QUICK.sleep, memory_tokens=tokens))
    _, result = llama.train("verse", settings)
    replay_NWH = result.memory.replay_NWH
    assert replay_NWH.shape == (windows, MEMORY_WINDOW, 48)
    every_NTH = router_features(llama.model, llama.blocks("verse").train_NT)
    assert torch.equal(replay_NWH[0, :32], every_NTH[0]) and torch.equal(replay_NWH[-1, 32:], every_NTH[-1])


# -- dreams instead of text -------------------------------------------------------------------------------------


def test_memory_of_dreams_is_read_from_the_finished_epochs_own_text_and_keeps_none_of_the_corpus(llama: Bench) -> None:
    _, result = llama.train("verse", FROM_DREAMS)
    memory = result.memory
    assert memory is llama.model.memories["verse"] and memory.held_out_NT is None
    ids_NT = drain(dream(llama.model, 1, QUICK.sleep.memory_tokens // 32, QUICK.seed))[1]
    assert torch.equal(memory.replay_NWH, cut_windows(router_features(llama.model, ids_NT)))
    assert memory.replay_NWH.shape == (QUICK.sleep.memory_tokens // MEMORY_WINDOW, MEMORY_WINDOW, 48)
    assert torch.equal(memory.eval_features_NTH, router_features(llama.model, llama.blocks("verse").held_out_NT))


def test_later_sleep_works_on_dreams_and_measures_what_it_can(llama: Bench) -> None:
    llama.train("verse", FROM_DREAMS)
    events, _ = llama.train("code", FROM_DREAMS)
    last = only(events, HeldOut)[-1]
    assert all(step.mixer_distill_loss > 0 for step in only(events, TrainStep))
    assert [slug for slug, _ in last.routing] == [slug for slug, _ in last.unprotected] == ["verse", "code"]
    assert [slug for slug, _ in last.losses] == ["code"], "an epoch that left no text has no loss in later phases"


# -- the end of a phase -----------------------------------------------------------------------------------------


def test_losses_of_the_mix_come_at_the_end_of_a_phase_and_are_those_of_a_score(each_second: Bench) -> None:
    events, _ = each_second.train("code")
    *during, last = only(events, HeldOut)
    assert all(event.losses == () and event.unprotected_loss is None for event in during)
    assert [slug for slug, _ in last.losses] == ["verse", "code"]
    for slug, loss in last.losses:
        held_out_NT = each_second.blocks(slug).held_out_NT
        _, score = drain(score_domain(each_second.model, slug, held_out_NT))
        assert loss == pytest.approx(score.loss_mix, rel=1e-6)
        assert loss != pytest.approx(score.loss_epoch, rel=1e-3)
    assert dict(last.routing)["code"] == pytest.approx(score.routing_accuracy)


def test_measurements_read_no_more_than_was_asked_of_the_text_that_is_kept(llama: Bench) -> None:
    llama.train("verse", replace(QUICK, held_out_tokens=512))
    kept_NT = llama.model.memories["verse"].held_out_NT
    assert kept_NT is not None and len(kept_NT) > 2
    events, _ = llama.train("code", replace(QUICK, held_out_tokens=64))
    expected = drain(held_out_loss(llama.model, kept_NT[:2].long(), "mixer"))[1]
    assert dict(only(events, HeldOut)[-1].losses)["verse"] == pytest.approx(expected, rel=1e-6)


def test_unprotected_loss_is_the_mixs_under_the_mixer_beside(each_strategy: Bench) -> None:
    model = each_strategy.model
    model.add_adapter("code")
    run = EpochRun(model, "code", each_strategy.blocks("code"), QUICK)
    events, _ = drain(train_epoch(model, "code", run.blocks, QUICK, CancelToken(), run))
    last = only(events, HeldOut)[-1]
    assert run.baseline is not None and run.baseline.mixer is not model.mixer
    twin = copy.deepcopy(model)
    twin.mixer = run.baseline.mixer
    _, score = drain(score_domain(twin, "code", run.held_out_NT))
    assert last.unprotected_loss == pytest.approx(score.loss_mix, rel=1e-6)
    assert dict(last.unprotected)["code"] == pytest.approx(score.routing_accuracy)


def test_the_first_phase_has_nothing_to_protect(llama: Bench) -> None:
    events, _ = llama.train("verse")
    last = only(events, HeldOut)[-1]
    assert (last.unprotected, last.unprotected_loss) == ((), None)
    assert [slug for slug, _ in last.losses] == ["verse"]


@pytest.mark.parametrize(
    "without",
    [
        {"objective": "joint"},
        {"compare_unprotected": False},
        {"sleep": replace(QUICK.sleep, enabled=False)},
    ],
    ids=["joint", "not asked for", "no sleep"],
)
def test_without_a_mixer_beside_nothing_is_said_of_one(second: Bench, without: dict[str, Any]) -> None:
    events, _ = second.train("code", replace(QUICK, **without))
    measured = only(events, HeldOut)
    assert all(event.unprotected == () and event.unprotected_loss is None for event in measured)
    assert [slug for slug, _ in measured[-1].losses] == ["verse", "code"]


@pytest.mark.parametrize(
    ("changes", "calibrated"),
    [({}, True), ({"memory_labels": False}, False), ({"enabled": False}, False)],
    ids=["labels", "distillation alone", "no sleep"],
)
@pytest.mark.parametrize("earlier", [0, 1])
def test_a_calibration_ends_the_training_where_memories_have_labels(
    llama: Bench, second: Bench, changes: dict[str, Any], calibrated: bool, earlier: int
) -> None:
    bench = second if earlier else llama
    settings = replace(QUICK, max_tokens=64, sleep=replace(QUICK.sleep, **changes))
    at_last_step: dict[str, torch.Tensor] = {}
    for event in bench.stream("code", settings):
        if isinstance(event, TrainStep):
            at_last_step = snapshot(bench.model.mixer)
    assert same_tensors(snapshot(bench.model.mixer), at_last_step) is not calibrated


def test_the_trained_mixer_is_in_charge_whenever_another_job_may_speak(second: Bench) -> None:
    mixer = second.model.mixer
    for event in second.stream("code"):
        assert second.model.mixer is mixer, event


def test_blocks_beyond_the_context_are_refused_with_both_numbers(llama: Bench) -> None:
    require_context(llama.model, 256)
    with pytest.raises(TloraError, match="257 tokens are too long: the backbone reads at most 256"):
        require_context(llama.model, 257)


# -- generating between steps -----------------------------------------------------------------------------------


def test_generating_between_steps_does_not_change_the_training(second: Bench) -> None:
    settings = replace(QUICK, objective="joint")
    quiet, talking = copy.deepcopy(second), copy.deepcopy(second)
    expected, _ = quiet.train("code", settings)
    events = []
    for event in talking.stream("code", settings):
        events.append(event)
        if isinstance(event, TrainStep):
            for blend in ("mixer", event.step % 3):
                sampling = SamplingSettings(max_new_tokens=4, seed=event.step)
                drain(generate(talking.model, talking.tokenizer, "O night", blend, sampling, CancelToken()))
    assert without_timings(only(events, TrainStep)) == without_timings(only(expected, TrainStep))
    assert only(events, HeldOut) == only(expected, HeldOut)
    assert same_tensors(snapshot(talking.model), snapshot(quiet.model))


# -- cancel -----------------------------------------------------------------------------------------------------


def test_keep_finishes_early_with_what_is_learned(llama: Bench) -> None:
    cancel = CancelToken()
    stream = llama.stream("verse", cancel=cancel)
    events, cancelled = cancel_after(stream, cancel, "keep", 2)
    assert not cancelled
    assert [step.step for step in only(events, TrainStep)] == [1, 2]
    assert only(events, HeldOut)[-1].step == 2
    assert llama.model.adapters["verse"].state == "frozen"
    assert "verse" in llama.model.memories


@pytest.mark.parametrize("mode", ["discard", "suspend"])
@pytest.mark.parametrize("earlier", [0, 1])
def test_discard_and_suspend_leave_the_model_bit_for_bit_as_it_was(
    bench: Bench, each_second: Bench, mode: CancelMode, earlier: int
) -> None:
    bench = each_second if earlier else bench
    model = bench.model
    mixer, slots, memories = snapshot(model.mixer), list(model.slot_adapters), dict(model.memories)
    saved: list[int] = []
    cancel = CancelToken()
    stream = bench.stream("code", cancel=cancel, checkpoint=lambda run: saved.append(run.step))
    events, cancelled = cancel_after(stream, cancel, mode, 2)
    assert cancelled and len(only(events, TrainStep)) == 2
    assert saved == ([2] if mode == "suspend" else [])
    assert same_tensors(snapshot(model.mixer), mixer)
    assert all(parameter.requires_grad for parameter in model.mixer.parameters())
    assert model.slot_adapters == slots and model.memories == memories
    assert list(model.adapters) == slots and "code" not in model.adapters


@pytest.mark.parametrize("earlier", [0, 1])
def test_after_a_discarded_epoch_another_is_trained_as_if_nothing_had_been(
    llama: Bench, second: Bench, earlier: int
) -> None:
    straight, detour = (copy.deepcopy(second if earlier else llama) for _ in range(2))
    cancel = CancelToken()
    cancel_after(detour.stream("code", cancel=cancel), cancel, "discard", 2)
    expected, _ = straight.train("code")
    events, _ = detour.train("code")
    assert without_timings(events) == without_timings(expected)
    assert same_tensors(snapshot(straight.model.mixer), snapshot(detour.model.mixer))


def test_discard_is_heard_in_the_last_measurements_too(llama: Bench) -> None:
    cancel = CancelToken()
    events = []
    with pytest.raises(Cancelled):
        for event in llama.stream("verse", cancel=cancel):
            events.append(event)
            if isinstance(event, HeldOut) and event.step == 6:
                cancel.cancel("discard")
    assert llama.model.slot_adapters == [] and llama.model.adapters == {} and list(llama.model.memories) == [""]


@pytest.mark.parametrize("end", ["discarded", "failed", "closed"])
def test_a_second_epoch_that_ends_badly_at_any_item_of_its_ending_leaves_the_model_as_it_was(
    second: Bench, end: str
) -> None:
    settings = replace(QUICK, max_tokens=64)  # one step
    model, before = second.model, snapshot(second.model.mixer)
    place, done = 0, False
    while not done:
        place += 1
        cancel = CancelToken()
        stream = second.stream("code", settings, cancel)
        ending = (event for event in stream if model.adapters["code"].state == "frozen")
        done = next(itertools.islice(ending, place - 1, None), None) is None
        if done:
            break
        with contextlib.suppress(Cancelled, RuntimeError):
            if end == "discarded":
                cancel.cancel("discard")
                next(stream)
            elif end == "failed":
                stream.throw(RuntimeError("out of memory"))
            else:
                stream.close()
        assert model.slot_adapters == ["verse"] and list(model.memories) == ["", "verse"], place
        assert same_tensors(snapshot(model.mixer), before), place
    assert place > 5


@pytest.mark.parametrize("stop_after", [1, 10, 10_000], ids=["at once", "between steps", "at the very end"])
def test_stream_that_is_closed_or_fails_leaves_the_model_as_it_was(llama: Bench, stop_after: int) -> None:
    mixer = snapshot(llama.model.mixer)
    stream = llama.stream("verse")
    told = [next(stream)]
    for event in stream:
        told.append(event)
        if len(told) == stop_after or llama.model.adapters["verse"].state == "frozen":
            break
    with pytest.raises(RuntimeError, match="out of memory"):
        stream.throw(RuntimeError("out of memory"))
    assert same_tensors(snapshot(llama.model.mixer), mixer)
    assert llama.model.slot_adapters == [] and llama.model.adapters == {} and list(llama.model.memories) == [""]


def test_checkpoints_are_made_at_intervals_but_not_after_a_discard(
    llama: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epoch_run, "CHECKPOINT_SECONDS", -1.0)
    saved: list[int] = []
    cancel = CancelToken()
    stream = llama.stream("verse", cancel=cancel, checkpoint=lambda run: saved.append(run.step))
    cancel_after(stream, cancel, "discard", 4)
    assert saved == [1, 2, 3]


@pytest.mark.parametrize("end", ["closed", "interrupted", "failed"])
@pytest.mark.parametrize("place", ["between steps", "in a step", "in the ending"])
def test_every_end_but_a_discarded_one_keeps_the_last_whole_step(
    second: Bench, monkeypatch: pytest.MonkeyPatch, end: str, place: str
) -> None:
    straight, error = copy.deepcopy(second), KeyboardInterrupt if end == "interrupted" else RuntimeError
    expected: list[dict[str, torch.Tensor]] = []
    with monkeypatch.context() as patch:
        patch.setattr(epoch_run, "CHECKPOINT_SECONDS", -1.0)
        drain(straight.stream("code", checkpoint=lambda run: expected.append(run.state_dict())))
    kept: list[dict[str, torch.Tensor]] = []
    if place == "in a step":
        if end == "closed":
            pytest.skip("a stream can only be closed between two items")
        teach, calls = EpochRun.teach_mixers, itertools.count(1)

        def teach_twice(run: EpochRun, *args: Any) -> Any:
            if next(calls) == 3:  # the adapter has made its third step already
                raise error
            return teach(run, *args)

        monkeypatch.setattr(EpochRun, "teach_mixers", teach_twice)
    stream = second.stream("code", checkpoint=lambda run: kept.append(run.state_dict()))
    with contextlib.suppress(RuntimeError, KeyboardInterrupt):
        for event in stream:
            done = second.model.adapters["code"].state == "frozen"
            if (isinstance(event, TrainStep) and event.step == 2 and place == "between steps") or done:
                stream.close() if end == "closed" else stream.throw(error)
    step = 6 if place == "in the ending" else 2
    assert [int(state["step"]) for state in kept] == [step]
    wanted = next(state for state in expected if int(state["step"]) == step) if step < 6 else kept[0]
    assert same_tensors(kept[0] | {"measured_at": torch.tensor(0)}, wanted | {"measured_at": torch.tensor(0)})
    assert second.model.slot_adapters == ["verse"]


def test_nothing_is_kept_of_a_training_that_has_learned_nothing(llama: Bench) -> None:
    stream = llama.stream("verse", checkpoint=lambda run: pytest.fail("there is nothing to keep"))
    next(stream)
    stream.close()


def test_a_checkpoint_that_fails_is_told_once_and_the_training_goes_on(
    llama: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, _ = copy.deepcopy(llama).train("verse")
    monkeypatch.setattr(epoch_run, "CHECKPOINT_SECONDS", -1.0)

    def full(run: EpochRun) -> None:
        raise OSError(28, "No space left on device")

    events, _ = drain(llama.stream("verse", checkpoint=full))
    (warning,) = only(events, Warned)
    assert warning.message == "No checkpoint of the training can be written: No space left on device." and warning.hint
    assert without_timings([event for event in events if event != warning]) == without_timings(expected)


def test_a_checkpoint_that_is_refused_is_told_in_the_refusals_own_words(
    llama: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epoch_run, "CHECKPOINT_SECONDS", -1.0)

    def gone(run: EpochRun) -> None:
        raise TloraError("The folder is no longer there: /p.", "Put it back.")

    (warning,) = only(drain(llama.stream("verse", checkpoint=gone))[0], Warned)
    assert warning.message == "No checkpoint of the training can be written. The folder is no longer there: /p."
    assert warning.hint == "Put it back."


@pytest.mark.parametrize("mode", ["suspend", "discard"])
def test_an_order_to_end_is_heard_before_the_next_item_of_every_phase(
    second: Bench, monkeypatch: pytest.MonkeyPatch, mode: CancelMode
) -> None:
    settings = replace(QUICK, max_tokens=128, eval_every=1, held_out_tokens=128)  # two steps
    items = sum(1 for _ in copy.deepcopy(second).stream("code", settings))
    before, phases = snapshot(second.model.mixer), set()
    for place in range(1, items + 1):
        cancel, saved = CancelToken(), []
        stream = second.stream("code", settings, cancel, checkpoint=lambda run, into=saved: into.append(run.step))
        step = 0
        for event in itertools.islice(stream, place):
            step = event.step if isinstance(event, TrainStep) else step
        phases.add(getattr(event, "label", type(event).__name__))
        cancel.cancel(mode)
        with pytest.raises(Cancelled):
            next(stream)
        assert saved == ([step] if step and mode == "suspend" else []), place
        assert same_tensors(snapshot(second.model.mixer), before)
    assert phases >= {"Measuring on held-out text", "Leaving a memory for later sleep", "TrainStep", "HeldOut"}


def test_memory_that_runs_out_is_told_with_what_to_lower_and_what_is_learned_is_kept(
    llama: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn, kept = EpochRun.learn, []

    def learn_twice(run: EpochRun, rows_B: torch.Tensor) -> Any:
        if run.step == 2:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8589934592 bytes.")
        return learn(run, rows_B)

    monkeypatch.setattr(EpochRun, "learn", learn_twice)
    with pytest.raises(TloraError, match="not enough memory") as told:
        drain(llama.stream("verse", checkpoint=lambda run: kept.append(run.step)))
    assert "a batch size of 1 instead of 2 or a block size of 16 instead of 32" in told.value.hint
    assert kept == [2]


# -- figures that are none --------------------------------------------------------------------------------------


def poison(module: Any) -> None:
    with torch.no_grad():
        next(iter(module)).view(-1)[0] = float("nan")


@pytest.mark.parametrize("what", ["adapter", "mixer", "gradient", "optimiser"])
@pytest.mark.parametrize("objective", ["isolated", "joint"])
def test_training_stops_at_the_first_figure_that_is_none_and_keeps_the_last_good_step(
    second: Bench, monkeypatch: pytest.MonkeyPatch, what: str, objective: Any
) -> None:
    learn, kept = EpochRun.learn, []

    def spoil(run: EpochRun, rows_B: torch.Tensor) -> Any:
        if run.step == 3 and what == "gradient":
            monkeypatch.setattr(epoch_run, "clip_grad_norm_", lambda them, _: them[0].grad.fill_(float("inf")).norm())
        elif run.step == 3 and what == "optimiser":
            poison(state["exp_avg"] for state in run.optimizer.state.values())
        learned = learn(run, rows_B)
        if run.step == 3 and what in ("adapter", "mixer"):
            poison(run.adapter if what == "adapter" else run.learner.mixer.parameters())
        return learned

    monkeypatch.setattr(EpochRun, "learn", spoil)
    before, events = snapshot(second.model.mixer), []
    settings = replace(QUICK, objective=objective)
    stream = second.stream("code", settings, checkpoint=lambda run: kept.append(run.state_dict()))
    with pytest.raises(TloraError, match=r"came to no number \(NaN\) in step 4 of 6") as told:
        events.extend(stream)
    setting = (
        "mixer_learning_rate: 0.007 instead of 0.02" if what == "mixer" else "learning_rate: 0.003 instead of 0.01"
    )
    assert setting in told.value.hint
    assert [step.step for step in only(events, TrainStep)] == [1, 2, 3]
    (state,) = kept
    assert int(state["step"]) == 3 and all(bool(value.isfinite().all()) for value in state.values())
    assert same_tensors(snapshot(second.model.mixer), before) and second.model.slot_adapters == ["verse"]


def test_what_becomes_no_number_behind_the_last_step_is_never_frozen(
    llama: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MixerLearner, "calibrate", lambda learner, *_: poison(learner.mixer.parameters()))
    with pytest.raises(TloraError, match="The Time Mixer came to no number"):
        llama.train("verse")
    assert llama.model.slot_adapters == []


def test_a_backbone_whose_loss_is_no_number_is_not_trained_upon(llama: Bench) -> None:
    poison([llama.model.backbone.get_output_embeddings().weight])
    with pytest.raises(TloraError, match="backbone's loss on the held-out text is no number"):
        llama.train("verse")


def test_estimates_are_numbers_from_the_first_step_on_whatever_the_clock_says(
    llama: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epoch_run.time, "perf_counter", lambda: 5.0)
    events, _ = llama.train("verse")
    steps = only(events, TrainStep)
    assert all(math.isfinite(step.tokens_per_second) and 0 <= step.eta_s < 1 for step in steps)


def test_no_text_is_refused_before_the_first_step(llama: Bench) -> None:
    llama.model.add_adapter("verse")
    with pytest.raises(ValueError, match="no text"):
        EpochRun(llama.model, "verse", TokenBlocks(torch.zeros(0, 32), torch.zeros(1, 32)), QUICK)


# -- seeds ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [SEED_MIN, -5, 20240115123000000, SEED_MAX])
def test_every_seed_that_settings_take_trains(llama: Bench, seed: int) -> None:
    events, _ = llama.train("verse", replace(QUICK, seed=seed, max_tokens=64))
    assert only(events, TrainStep)


@pytest.mark.parametrize("seed", [0, 7, SEED_MAX])
def test_order_of_blocks_and_replayed_memories_are_drawn_from_streams_of_their_own(llama: Bench, seed: int) -> None:
    settings = replace(QUICK, seed=seed)
    llama.model.add_adapter("verse")
    run = EpochRun(llama.model, "verse", llama.blocks("verse", settings), settings)
    order = {tuple(torch.rand(4, generator=run.pass_random(turn)).tolist()) for turn in range(20)}
    replay = {tuple(torch.rand(4, generator=run.step_random(step)).tolist()) for step in range(20)}
    assert len(order) == len(replay) == 20 and not order & replay


# -- going on ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("room", [0, 10**12])
def test_training_resumed_with_other_free_memory_ends_bit_for_bit_the_same(
    second: Bench, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    settings = replace(QUICK, batch_size=4)
    monkeypatch.setattr(memory_fit, "free_memory", lambda device: 10**12 - room)
    straight, kept = copy.deepcopy(second), []
    expected, _ = straight.train("code", settings)
    cancel = CancelToken()
    stream = second.stream("code", settings, cancel, checkpoint=lambda run: kept.append(run.state_dict()))
    cancel_after(stream, cancel, "suspend", 1)
    monkeypatch.setattr(memory_fit, "free_memory", lambda device: room)
    second.model.add_adapter("code")
    run = EpochRun(second.model, "code", second.blocks("code", settings), settings)
    run.load_state_dict(kept[-1])
    after, _ = drain(train_epoch(second.model, "code", run.blocks, settings, CancelToken(), run))
    assert losses(after) == losses(expected)[1:]
    assert same_tensors(snapshot(second.model), snapshot(straight.model))


def test_a_checkpoint_of_before_fits_were_kept_goes_on(second: Bench) -> None:
    kept, cancel = [], CancelToken()
    cancel_after(
        second.stream("code", cancel=cancel, checkpoint=lambda run: kept.append(run.state_dict())), cancel, "suspend", 3
    )
    old = {name: value for name, value in kept[-1].items() if name not in ("fit", "measured_at")}
    second.model.add_adapter("code")
    run = EpochRun(second.model, "code", second.blocks("code"), QUICK)
    run.load_state_dict(old)
    events, _ = drain(train_epoch(second.model, "code", run.blocks, QUICK, CancelToken(), run))
    assert [event.step for event in only(events, TrainStep)] == [4, 5, 6]
    assert [event.step for event in only(events, HeldOut)] == [6]


def test_two_trainings_in_one_process_do_not_touch_each_other(second: Bench) -> None:
    benches = [copy.deepcopy(second) for _ in range(2)]
    seeds = [replace(QUICK, seed=seed) for seed in (1, 2)]
    alone = [copy.deepcopy(bench).train("code", settings)[0] for bench, settings in zip(benches, seeds, strict=True)]
    streams = [bench.stream("code", settings) for bench, settings in zip(benches, seeds, strict=True)]
    for events, other in zip(alone, zip(*itertools.zip_longest(*streams), strict=True), strict=True):
        assert without_timings(collect(event for event in other if event is not None)) == without_timings(events)


def assert_going_on_is_exact(bench: Bench, settings: TrainSettings, stop: int) -> None:
    """Train "code" straight and with a suspension; every event and every bit must agree."""
    straight, broken = copy.deepcopy(bench), copy.deepcopy(bench)
    expected, _ = straight.train("code", settings)
    kept: list[dict[str, torch.Tensor]] = []
    cancel = CancelToken()
    stream = broken.stream("code", settings, cancel, checkpoint=lambda run: kept.append(run.state_dict()))
    before, cancelled = cancel_after(stream, cancel, "suspend", stop)
    assert cancelled
    broken.model.add_adapter("code", seed=99)
    run = EpochRun(broken.model, "code", broken.blocks("code", settings), settings)
    run.load_state_dict(kept[-1])
    after, _ = drain(train_epoch(broken.model, "code", run.blocks, settings, CancelToken(), run))
    assert without_timings(before + after) == without_timings(expected)
    assert same_tensors(snapshot(broken.model), snapshot(straight.model))
    one, other = (which.model.memories["code"].replay_NWH for which in (broken, straight))
    assert torch.equal(one, other)


@pytest.mark.parametrize(("objective", "stop"), [("isolated", 6), ("joint", 2)])
def test_resumed_training_ends_bit_for_bit_where_the_uninterrupted_does(
    each_second: Bench, objective: Any, stop: int
) -> None:
    assert_going_on_is_exact(each_second, replace(QUICK, objective=objective), stop)


@pytest.mark.parametrize(("objective", "source"), [("isolated", "dreams"), ("joint", "features")])
def test_resumed_training_is_exact_by_every_strategy_and_with_every_memory(
    each_strategy: Bench, objective: Any, source: Any
) -> None:
    settings = replace(QUICK, objective=objective, max_tokens=256, sleep=replace(QUICK.sleep, source=source))
    assert_going_on_is_exact(each_strategy, settings, stop=2)


def test_the_first_epoch_is_resumed_exactly_too(llama: Bench) -> None:
    assert_going_on_is_exact(llama, QUICK, stop=4)


@pytest.mark.parametrize("part", ["optimizer.", "optimizer.mixer."])
def test_checkpoint_without_its_optimisers_does_not_go_on(second: Bench, part: str) -> None:
    """What an optimiser has seen is part of the training: without it the rest would be another one."""
    kept: list[dict[str, torch.Tensor]] = []
    cancel = CancelToken()
    stream = second.stream("code", cancel=cancel, checkpoint=lambda run: kept.append(run.state_dict()))
    cancel_after(stream, cancel, "suspend", 2)
    rest = {name: value for name, value in kept[-1].items() if not name.startswith(part)}
    assert len(rest) < len(kept[-1])
    second.model.add_adapter("code")
    run = EpochRun(second.model, "code", second.blocks("code"), QUICK)
    with pytest.raises((ValueError, KeyError, RuntimeError)):
        run.load_state_dict(rest)


def test_checkpoint_of_another_past_is_refused(second: Bench) -> None:
    kept: list[dict[str, torch.Tensor]] = []
    cancel = CancelToken()
    stream = second.stream("code", cancel=cancel, checkpoint=lambda run: kept.append(run.state_dict()))
    cancel_after(stream, cancel, "suspend", 2)
    with torch.no_grad():
        second.model.mixer.head.bias[0] += 1e-3
    second.model.add_adapter("code")
    run = EpochRun(second.model, "code", second.blocks("code"), QUICK)
    before = snapshot(second.model.mixer)
    with pytest.raises(ValueError, match="have changed"):
        run.load_state_dict(kept[-1])
    assert same_tensors(snapshot(second.model.mixer), before)
