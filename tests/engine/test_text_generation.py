"""Streaming generation: the right tokens, ends, weights, probabilities and text, one event per token."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from engine_helpers import MakeMixture, drain
from tokenizers import processors

from tlora_gui.engine.backbones.token_text import TextStream
from tlora_gui.engine.generation import token_stream
from tlora_gui.engine.generation.token_stream import TOP_ALTERNATIVES, Outcome, generate
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import SamplingSettings
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.texts import TokenEvent
from tlora_gui.temporal.blend import Blend
from tlora_gui.temporal.config import Strategy
from tlora_gui.temporal.model import TemporalLoRA

GREEDY = SamplingSettings(max_new_tokens=12, temperature=0, repetition_penalty=1.0)
SAMPLED = SamplingSettings(max_new_tokens=12, temperature=1.0, top_k=0, top_p=1.0, repetition_penalty=1.0)
PROMPT = "Shall I compare thee"
BLENDS: list[Blend] = ["mixer", 0, 2, torch.tensor([0.2, 0.5, 0.3])]


@pytest.fixture
def never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A random model may come upon its end token at any time."""
    monkeypatch.setattr(token_stream, "end_token_ids", lambda *_: set())


def run(
    model: TemporalLoRA,
    tokenizer: Any,
    prompt: str = PROMPT,
    blend: Blend = "mixer",
    sampling: SamplingSettings = SAMPLED,
) -> tuple[list[TokenEvent], Outcome]:
    return drain(generate(model, tokenizer, prompt, blend, sampling, CancelToken()))


def ids_of(events: list[TokenEvent]) -> list[int]:
    return [event.token_id for event in events]


def text_of(events: list[TokenEvent]) -> str:
    return "".join(event.text for event in events)


# -- which tokens -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("never_ends")
@pytest.mark.parametrize("blend", ["mixer", 0])
def test_same_seed_gives_the_same_events_and_another_seed_other_text(
    mixture: TemporalLoRA, tiny_tokenizer: Any, blend: Blend
) -> None:
    one, _ = run(mixture, tiny_tokenizer, blend=blend)
    torch.manual_seed(1)  # torch's own generator has no say
    same, _ = run(mixture, tiny_tokenizer, blend=blend)
    other, _ = run(mixture, tiny_tokenizer, blend=blend, sampling=replace(SAMPLED, seed=1))
    assert one == same
    assert ids_of(one) != ids_of(other)


@pytest.mark.parametrize("penalty", [1.0, 1.3])
def test_greedy_backbone_alone_equals_transformers_generate(
    tiny_backbone: Any, tiny_tokenizer: Any, penalty: float
) -> None:
    plain = copy.deepcopy(tiny_backbone)
    inputs = tiny_tokenizer(PROMPT, return_tensors="pt", return_token_type_ids=False)
    expected = plain.generate(**inputs, do_sample=False, max_new_tokens=12, repetition_penalty=penalty, pad_token_id=0)[
        0
    ].tolist()
    model = TemporalLoRA(tiny_backbone)
    model.add_adapter("verse")
    events, _ = run(model, tiny_tokenizer, blend=0, sampling=replace(GREEDY, repetition_penalty=penalty))
    assert ids_of(events) == [token for token in expected if token != 256]


@pytest.mark.usefixtures("never_ends")
@pytest.mark.parametrize("certain", [{"temperature": 1, "top_k": 1}, {"temperature": 2, "top_p": 1e-6}], ids=str)
def test_filters_that_leave_one_token_equal_greedy(
    mixture: TemporalLoRA, tiny_tokenizer: Any, certain: dict[str, Any]
) -> None:
    greedy, _ = run(mixture, tiny_tokenizer, sampling=replace(GREEDY, repetition_penalty=2))
    filtered, _ = run(mixture, tiny_tokenizer, sampling=replace(SAMPLED, repetition_penalty=2, **certain))
    assert ids_of(filtered) == ids_of(greedy)


@pytest.mark.usefixtures("never_ends")
def test_generations_side_by_side_do_not_mix(mixture: TemporalLoRA, tiny_tokenizer: Any) -> None:
    prompts = ("Shall I", "def f(")
    alone = [run(mixture, tiny_tokenizer, prompt)[0] for prompt in prompts]
    streams: list[Iterator[TokenEvent]] = [
        generate(mixture, tiny_tokenizer, prompt, "mixer", SAMPLED, CancelToken()) for prompt in prompts
    ]
    together: list[list[TokenEvent]] = [[], []]
    for _ in range(max(map(len, alone))):
        for stream, events in zip(streams, together, strict=True):
            events += [event] if (event := next(stream, None)) else []
    assert together == alone


# -- ends -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("never_ends")
def test_length_ends_a_generation(mixture: TemporalLoRA, tiny_tokenizer: Any) -> None:
    events, outcome = run(mixture, tiny_tokenizer)
    assert outcome.ended == "length"
    assert sum(not event.is_prompt for event in events) == 12


@pytest.mark.parametrize("as_list", [False, True])
def test_end_token_ends_the_text_and_is_not_told(mixture: TemporalLoRA, tiny_tokenizer: Any, as_list: bool) -> None:
    events, _ = run(mixture, tiny_tokenizer, sampling=GREEDY)
    drawn = [event.token_id for event in events if not event.is_prompt]
    end = next(token for index, token in enumerate(drawn) if index >= 2 and token not in drawn[:index])
    mixture.backbone.generation_config.eos_token_id = [1000, end] if as_list else end
    shorter, outcome = run(mixture, tiny_tokenizer, sampling=GREEDY)
    assert outcome.ended == "end of text"
    assert [event.token_id for event in shorter if not event.is_prompt] == drawn[: drawn.index(end)]


@pytest.mark.usefixtures("never_ends")
@pytest.mark.parametrize("after", [3, len(PROMPT), len(PROMPT) + 5])
def test_cancel_stops_within_a_token_in_the_prompt_and_after_it(
    mixture: TemporalLoRA, tiny_tokenizer: Any, after: int
) -> None:
    cancel = CancelToken()
    stream = generate(mixture, tiny_tokenizer, PROMPT, "mixer", SAMPLED, cancel)
    first = [next(stream) for _ in range(after)]
    cancel.cancel("keep")
    rest, outcome = drain(stream)
    assert rest == [] and outcome.ended == "stopped"
    assert first == run(mixture, tiny_tokenizer)[0][:after]


@pytest.mark.usefixtures("never_ends")
def test_context_bounds_a_generation(mixture: TemporalLoRA, tiny_tokenizer: Any) -> None:
    events, outcome = run(mixture, tiny_tokenizer, "x" * 250)
    assert len(events) == 256 and outcome.ended == "length"


@pytest.mark.parametrize("tokens", [256, 300])
def test_prompt_that_leaves_no_room_is_refused_with_both_numbers(
    mixture: TemporalLoRA, tiny_tokenizer: Any, tokens: int
) -> None:
    with pytest.raises(TloraError, match=f"has {tokens} tokens, but the backbone reads at most 256"):
        run(mixture, tiny_tokenizer, "x" * tokens)


@pytest.mark.usefixtures("never_ends")
def test_empty_prompt_starts_from_the_start_token_and_fills_no_more_than_the_context(
    mixture: TemporalLoRA, tiny_tokenizer: Any
) -> None:
    mixture.backbone.config.max_position_embeddings = 40
    events, _ = run(mixture, tiny_tokenizer, "", sampling=replace(SAMPLED, max_new_tokens=1000))
    assert len(events) == 39 and not any(event.is_prompt for event in events)
    with torch.inference_mode():
        weights_BTS = mixture(torch.tensor([[tiny_tokenizer.bos_token_id]])).weights_BTS
    assert events[0].weights == pytest.approx(weights_BTS[0, -1].tolist(), abs=1e-6)


# -- what is told of each token ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("never_ends")
@pytest.mark.parametrize(
    ("strategy", "blend"),
    [*(("gating", blend) for blend in BLENDS), ("routing", "mixer"), ("attention", "mixer")],
    ids=str,
)
@pytest.mark.parametrize("piece", [7, 256], ids=["in pieces", "at once"])
def test_events_say_what_one_pass_over_the_whole_text_says(
    make_mixture: MakeMixture,
    tiny_tokenizer: Any,
    monkeypatch: pytest.MonkeyPatch,
    strategy: Strategy,
    blend: Blend,
    piece: int,
) -> None:
    mixture = make_mixture(strategy)
    monkeypatch.setattr(token_stream, "_PREFILL", piece)
    events, _ = run(mixture, tiny_tokenizer, blend=blend)
    with torch.inference_mode():
        output = mixture(torch.tensor([ids_of(events)]), blend)
    weights = output.weights_BTS[0].tolist()
    probabilities_TV = output.logits_BTV[0].softmax(-1)
    for event in events:
        assert event.index == events.index(event)
        assert event.is_prompt == (event.index < len(PROMPT))
        # a prompt token has its own mix, a generated one that of the position it was predicted from
        assert event.weights == pytest.approx(weights[event.index - (not event.is_prompt)], abs=1e-5)
        assert sum(event.weights) == pytest.approx(1, abs=1e-5)
        if event.index == 0:
            assert (event.probability, event.rank, event.alternatives) == (1.0, 1, ())
            continue
        before_V = probabilities_TV[event.index - 1]
        own = before_V[event.token_id]
        assert event.probability == pytest.approx(float(own), abs=1e-5)
        assert 1 + int((before_V > own + 1e-5).sum()) <= event.rank <= int((before_V > own - 1e-5).sum())
        top = before_V.topk(TOP_ALTERNATIVES)
        assert [each.probability for each in event.alternatives] == pytest.approx(top.values.tolist(), abs=1e-5)
        assert event.alternatives[0].token_id == int(top.indices[0])
        assert {each.text for each in event.alternatives} == {tiny_tokenizer.decode([int(i)]) for i in top.indices}
        if event.rank <= TOP_ALTERNATIVES:
            assert event.alternatives[event.rank - 1].probability == pytest.approx(event.probability, abs=1e-6)


def test_greedy_tokens_rank_first(mixture: TemporalLoRA, tiny_tokenizer: Any) -> None:
    events, _ = run(mixture, tiny_tokenizer, sampling=GREEDY)
    assert {event.rank for event in events if not event.is_prompt} == {1}


def test_one_slot_alone_has_all_the_weight(mixture: TemporalLoRA, tiny_tokenizer: Any) -> None:
    for slot in range(3):
        events, _ = run(mixture, tiny_tokenizer, blend=slot)
        assert {event.weights for event in events} == {tuple(float(index == slot) for index in range(3))}


@pytest.mark.usefixtures("never_ends")
@pytest.mark.parametrize(
    ("blend", "told"),
    [((0.0, 1.0, 1.0), (0.0, 0.5, 0.5)), ((1.0, 3.0, 0.0), (0.25, 0.75, 0.0)), ((0.0, 0.25, 0.0), (0.0, 1.0, 0.0))],
    ids=str,
)
def test_a_blend_of_any_sum_is_told_in_shares_and_speaks_as_it_is(
    mixture: TemporalLoRA, tiny_tokenizer: Any, blend: tuple[float, ...], told: tuple[float, ...]
) -> None:
    events, _ = run(mixture, tiny_tokenizer, blend=torch.tensor(blend))
    assert {event.weights for event in events} == {told}
    with torch.inference_mode():
        shares_TV = mixture(torch.tensor([ids_of(events)]), torch.tensor(blend)).logits_BTV[0].softmax(-1)
    expected = [float(shares_TV[event.index - 1, event.token_id]) for event in events[1:]]
    assert [event.probability for event in events[1:]] == pytest.approx(expected, abs=1e-5)


# -- text -------------------------------------------------------------------------------------------------------

TEXTS = ["plain", "é", "naïve “quotes” — dashes…", "日本語の文", "🙂👩\u200d👧", "e\u0301 \u2028 too"]
TEXTS += [" lead\n\n\ttail "]


@pytest.mark.parametrize("text", TEXTS)
def test_characters_spread_over_tokens_come_whole_with_their_last_token(tiny_tokenizer: Any, text: str) -> None:
    stream = TextStream(tiny_tokenizer)
    pieces = [stream.push(token) for token in tiny_tokenizer(text)["input_ids"]]
    assert "".join(pieces) == text
    assert [piece for piece in pieces if piece] == list(text)


def test_text_of_any_bytes_equals_the_tokenizers_own_decoding(tiny_tokenizer: Any) -> None:
    draw = random.Random(0)
    letter = tiny_tokenizer("a")["input_ids"]
    for _ in range(50):
        ids = [draw.randrange(256) for _ in range(draw.randrange(1, 12))] + letter
        stream = TextStream(tiny_tokenizer)
        assert "".join(stream.push(token) for token in ids) == tiny_tokenizer.decode(ids)


def test_bytes_that_never_become_a_character_are_told_on_the_way(tiny_tokenizer: Any) -> None:
    draw = random.Random(0)
    garbage = tiny_tokenizer("\ufffd" * 100)["input_ids"], [draw.randrange(128, 256) for _ in range(300)]
    for ids in garbage:
        stream = TextStream(tiny_tokenizer)
        pieces = [stream.push(token) for token in ids]
        assert all(any(pieces[start : start + 20]) for start in range(280))
        assert "".join([*pieces, stream.push(tiny_tokenizer("a")["input_ids"][0])]) == tiny_tokenizer.decode(ids) + "a"


def test_text_of_a_generation_is_its_prompt_and_its_decoded_tokens(mixture: TemporalLoRA, tiny_tokenizer: Any) -> None:
    prompt = "Naïve 日本 🙂"
    events, _ = run(mixture, tiny_tokenizer, prompt)
    given = [event for event in events if event.is_prompt]
    assert text_of(given) == prompt
    assert tiny_tokenizer.decode(ids_of(events)).startswith(text_of(events))


@pytest.mark.usefixtures("never_ends")
def test_start_token_that_the_tokenizer_adds_is_not_shown(mixture: TemporalLoRA, tiny_tokenizer: Any) -> None:
    tokenizer = copy.deepcopy(tiny_tokenizer)
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<eos> $A", special_tokens=[("<eos>", 256)]
    )
    events, _ = run(mixture, tokenizer, "Hé")
    assert events[0].token_id == 256 and events[0].is_prompt and events[0].text == ""
    assert text_of(events[:4]) == "Hé"


# -- what cannot be drawn -----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("never_ends")
@pytest.mark.parametrize(
    "extreme",
    [
        {"temperature": 1e-320},
        {"temperature": 1e-38, "top_k": 0},
        {"temperature": 1e-9},
        {"temperature": 1.0, "top_p": 1e-300},
        {"temperature": 1e30, "top_p": 1e-300, "top_k": 1},
    ],
    ids=str,
)
def test_the_coldest_and_the_narrowest_sampling_takes_the_most_probable_token(
    mixture: TemporalLoRA, tiny_tokenizer: Any, extreme: dict[str, Any]
) -> None:
    greedy, _ = run(mixture, tiny_tokenizer, sampling=GREEDY)
    cold, _ = run(mixture, tiny_tokenizer, sampling=replace(SAMPLED, **extreme))
    assert ids_of(cold) == ids_of(greedy)


@pytest.mark.usefixtures("never_ends")
@pytest.mark.parametrize("penalty", [1e6, 1e300])
@pytest.mark.parametrize("temperature", [0.0, 1e-9])
def test_a_penalty_of_any_size_draws_no_token_twice_as_long_as_there_are_others(
    mixture: TemporalLoRA, tiny_tokenizer: Any, penalty: float, temperature: float
) -> None:
    sampling = replace(SAMPLED, temperature=temperature, repetition_penalty=penalty, max_new_tokens=40, top_k=10**6)
    events, _ = run(mixture, tiny_tokenizer, "abc", sampling=sampling)
    assert len({*ids_of(events)}) == 43


@pytest.mark.parametrize(
    ("value", "blend", "said"),
    [
        (float("nan"), "mixer", r"The epoch “code” has weights that are no numbers \(NaN\)"),
        (float("inf"), 2, r"The epoch “code” has weights"),
        (float("nan"), 1, None),
    ],
)
def test_a_mixture_of_no_numbers_is_refused_by_the_name_of_its_epoch_and_others_speak_on(
    mixture: TemporalLoRA, tiny_tokenizer: Any, value: float, blend: Blend, said: str | None
) -> None:
    with torch.no_grad():
        next(iter(mixture.adapter_parameters("code").values())).view(-1)[0] = value
    mixture.set_slots(mixture.slot_adapters, mixture.mixer)
    if said is None:
        assert run(mixture, tiny_tokenizer, blend=blend)[0]
        return
    with pytest.raises(TloraError, match=said) as refused:
        run(mixture, tiny_tokenizer, blend=blend)
    assert "Delete it" in refused.value.hint


def test_a_time_mixer_of_no_numbers_is_named(mixture: TemporalLoRA, tiny_tokenizer: Any) -> None:
    with torch.no_grad():
        mixture.mixer.head.bias[0] = float("nan")
    with pytest.raises(TloraError, match="The Time Mixer has weights that are no numbers"):
        run(mixture, tiny_tokenizer)
    assert run(mixture, tiny_tokenizer, blend=1)[0]


def test_an_overflow_without_a_broken_weight_is_told_as_one(mixture: TemporalLoRA, tiny_tokenizer: Any) -> None:
    with pytest.raises(TloraError, match="answer is no number"):
        run(mixture, tiny_tokenizer, blend=torch.tensor([0.0, 1e38, 1e38]))
