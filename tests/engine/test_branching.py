"""Texts that leave others at a token, and a mixing desk that is turned while they are written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_helpers import Corpora, collect, only, open_copy, train_job

from tlora_gui.engine.generation import token_stream
from tlora_gui.engine.generation.context_fit import fit_context
from tlora_gui.engine.generation.scheduled_blend import ScheduledBlend
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelMode, CancelToken
from tlora_gui.engine.protocol.config import MIXER_MODE, MixingDesk, SamplingSettings
from tlora_gui.engine.protocol.errors import Cancelled, TloraError
from tlora_gui.engine.protocol.events import (
    GenerationFinished,
    GenerationsListed,
    GenerationStarted,
    PromptTooLong,
    TrainStep,
)
from tlora_gui.engine.protocol.texts import DeskChange, Generation, GenerationSummary, TokenEvent
from tlora_gui.engine.session import Session
from tlora_gui.temporal.blend import MixerOverride

PROMPT = "O gentle night"
START = len(PROMPT)
SAMPLED = SamplingSettings(max_new_tokens=10, temperature=1.0, top_k=0, top_p=1.0, repetition_penalty=1.0)
GREEDY = replace(SAMPLED, temperature=0)
CODE_ONLY = MixingDesk("manual", (("code", 1.0),))
VERSE_ONLY = MixingDesk("manual", (("verse", 1.0),))


@pytest.fixture(autouse=True)
def never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A random model may come upon its end token at any time."""
    monkeypatch.setattr(token_stream, "end_token_ids", lambda *_: set())


def finish(session: Session, job: jobs.Generate) -> Generation:
    (finished,) = only(session.run(job), GenerationFinished)
    return finished.record


def write(session: Session, prompt: str = PROMPT, sampling: SamplingSettings = SAMPLED, **more: Any) -> Generation:
    return finish(session, jobs.Generate(prompt, sampling=sampling, **more))


def branch(record: Generation | str, at: int, sampling: SamplingSettings = SAMPLED, **where: Any) -> jobs.Generate:
    mode = MIXER_MODE if isinstance(record, str) else record.mode
    return jobs.Generate("", mode, sampling, branch=jobs.Branch(record, at, **where))


def refusal(session: Session, job: jobs.Job) -> str:
    with pytest.raises(TloraError) as error:
        collect(session.run(job))
    return str(error.value)


def ids_of(record: Generation) -> list[int]:
    return [token.token_id for token in record.tokens]


def text_of(record: Generation) -> str:
    return "".join(token.text for token in record.tokens)


def assert_said_by_one_pass(session: Session, record: Generation, first: int = 1) -> None:
    """Weights and probabilities are those of the whole text at once, under the Time Mixer."""
    assert session.model is not None
    with torch.inference_mode():
        output = session.model(torch.tensor([ids_of(record)]))
    said_TV = output.logits_BTV[0].softmax(-1)
    for token in record.tokens[first:]:
        weights_S = output.weights_BTS[0, token.index - (not token.is_prompt)]
        assert token.weights == pytest.approx(weights_S.tolist(), abs=1e-5)
        assert token.probability == pytest.approx(float(said_TV[token.index - 1, token.token_id]), abs=1e-5)


# -- branches ----------------------------------------------------------------------------------------------------


def test_a_branch_keeps_what_came_before_takes_an_alternative_and_goes_on(two_epochs: Session) -> None:
    record = write(two_epochs)
    at = START + 3
    other = next(each for each in record.tokens[at].alternatives if each.token_id != record.tokens[at].token_id)
    started, *told, finished = collect(two_epochs.run(branch(record, at, token_id=other.token_id)))
    assert started == GenerationStarted(PROMPT, MIXER_MODE, SAMPLED, two_epochs.slots(), record.id, at)
    forked = finished.record
    assert tuple(told) == forked.tokens
    assert (forked.parent, forked.branch_at, forked.prompt) == (record.id, at, PROMPT) and forked.id != record.id
    assert forked.tokens[:at] == record.tokens[:at]
    forced = forked.tokens[at]
    assert forced.forced and not forced.is_prompt and forced.token_id == other.token_id
    assert forced.probability == pytest.approx(other.probability, abs=1e-5)
    assert forced.weights == pytest.approx(record.tokens[at].weights, abs=1e-5)
    drawn = forked.tokens[at + 1 :]
    assert len(drawn) == SAMPLED.max_new_tokens and not any(token.forced or token.is_prompt for token in drawn)
    assert [token.index for token in forked.tokens] == list(range(len(forked.tokens)))
    assert_said_by_one_pass(two_epochs, forked)


def test_a_branch_of_a_kept_text_may_name_it_by_its_id(two_epochs: Session) -> None:
    record = write(two_epochs)
    whole, named = branch(record, START + 4), branch(record.id, START + 4)
    assert finish(two_epochs, named).tokens == finish(two_epochs, whole).tokens
    collect(two_epochs.run(jobs.DeleteGeneration(record.id)))
    assert "not kept" in refusal(two_epochs, named)
    assert finish(two_epochs, whole).parent == record.id


def test_a_branch_replays_exactly_and_another_seed_goes_elsewhere(two_epochs: Session) -> None:
    record = write(two_epochs)
    job = branch(record, START + 4)
    one, again = finish(two_epochs, job), finish(two_epochs, job)
    other = finish(two_epochs, replace(job, sampling=replace(SAMPLED, seed=1)))
    assert one.tokens == again.tokens
    assert ids_of(one)[: START + 4] == ids_of(other)[: START + 4] and ids_of(one) != ids_of(other)


def test_more_of_a_greedy_text_is_the_longer_text(two_epochs: Session) -> None:
    longer = write(two_epochs, sampling=replace(GREEDY, max_new_tokens=16))
    shorter = write(two_epochs, sampling=GREEDY)
    more = finish(two_epochs, branch(shorter, len(shorter.tokens), replace(GREEDY, max_new_tokens=6)))
    assert ids_of(more) == ids_of(longer)
    assert not any(token.forced for token in more.tokens)


@pytest.mark.parametrize("at", [0, 4])
def test_a_branch_may_leave_within_the_prompt(two_epochs: Session, at: int) -> None:
    record = write(two_epochs)
    forked = finish(two_epochs, branch(record, at, token_id=record.tokens[0].token_id))
    assert forked.tokens[:at] == record.tokens[:at]
    assert [token.is_prompt for token in forked.tokens] == [True] * at + [False] * 11
    assert forked.tokens[at].forced and forked.branch_at == at and forked.prompt == PROMPT
    if at:
        assert_said_by_one_pass(two_epochs, forked)
    else:
        assert forked.tokens[0].probability < 1 and len(forked.tokens[0].alternatives) > 1


def test_a_text_without_a_prompt_branches_as_it_began(two_epochs: Session) -> None:
    record = write(two_epochs, "", GREEDY)
    again = finish(two_epochs, branch(record, 3, replace(GREEDY, max_new_tokens=7)))
    assert ids_of(again) == ids_of(record)
    for one, other in zip(again.tokens, record.tokens, strict=True):
        assert one.probability == pytest.approx(other.probability, abs=1e-5)


def test_a_text_put_in_comes_token_by_token_with_its_real_probabilities(two_epochs: Session) -> None:
    forked = finish(two_epochs, branch(write(two_epochs), START, text="né "))
    put = forked.tokens[START : START + 4]
    assert [token.text for token in put] == ["n", "", "é", " "]
    assert all(token.forced and token.alternatives for token in put) and not forked.tokens[START + 4].forced
    assert_said_by_one_pass(two_epochs, forked)


def test_a_character_may_begin_in_what_is_kept_and_end_in_what_is_new(two_epochs: Session) -> None:
    record = write(two_epochs, "né")
    forked = finish(two_epochs, branch(record, 2, token_id=record.tokens[2].token_id))
    assert [token.text for token in forked.tokens[:3]] == ["n", "", "é"]


def test_a_branch_of_a_branch_keeps_the_forced_token(two_epochs: Session) -> None:
    first = finish(two_epochs, branch(write(two_epochs), START, text="X"))
    second = finish(two_epochs, branch(first, START + 4, text="Y"))
    assert [token.index for token in second.tokens if token.forced] == [START, START + 4]
    assert second.parent == first.id and second.tokens[: START + 4] == first.tokens[: START + 4]


def test_an_end_token_put_in_ends_the_text(two_epochs: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    record = write(two_epochs)
    monkeypatch.setattr(token_stream, "end_token_ids", lambda *_: {256})
    forked = finish(two_epochs, branch(record, START + 2, token_id=256))
    assert forked.ended == "end of text" and forked.tokens == record.tokens[: START + 2]


def test_a_branch_can_be_spoken_in_another_mode(two_epochs: Session) -> None:
    record = write(two_epochs)
    job = replace(branch(record, START + 2), mode="code")
    forked = finish(two_epochs, job)
    assert forked.tokens[: START + 2] == record.tokens[: START + 2]
    assert {token.weights for token in forked.tokens[START + 2 :]} == {(0.0, 0.0, 1.0)}


@pytest.mark.parametrize("change", ["deleted", "renamed"])
def test_what_is_kept_is_told_anew_once_the_mixture_has_other_slots(two_epochs: Session, change: str) -> None:
    record = finish(two_epochs, branch(write(two_epochs), START, text="X"))
    if change == "deleted":
        collect(two_epochs.run(jobs.DeleteEpoch("code")))
    else:
        collect(two_epochs.run(jobs.EditEpoch("code", "Python", "", "#000000")))
    at = START + 5
    forked = finish(two_epochs, branch(record, at))
    assert ids_of(forked)[:at] == ids_of(record)[:at]
    assert {len(token.weights) for token in forked.tokens} == {len(two_epochs.slots())}
    for kept, before in zip(forked.tokens[:at], record.tokens, strict=False):
        assert (kept.text, kept.is_prompt, kept.forced) == (before.text, before.is_prompt, before.forced)
    assert (forked.tokens[:at] == record.tokens[:at]) is (change == "renamed")
    assert_said_by_one_pass(two_epochs, forked)


def test_a_branch_fills_the_context_and_no_more(two_epochs: Session) -> None:
    record = write(two_epochs, "x" * 250)
    assert len(record.tokens) == 256
    forked = finish(two_epochs, branch(record, 252, text="ab"))
    assert len(forked.tokens) == 256 and forked.ended == "length"
    assert "256 tokens, but the backbone reads at most 256" in refusal(two_epochs, branch(record, 254, text="ab"))
    assert "256 tokens, but" in refusal(two_epochs, branch(record, 256))


@pytest.mark.parametrize("foreign", [-1, 257])
def test_a_text_of_another_backbone_is_refused(two_epochs: Session, foreign: int) -> None:
    record = write(two_epochs)
    foreigner = replace(record, tokens=(replace(record.tokens[0], token_id=foreign), *record.tokens[1:]))
    assert "another backbone" in refusal(two_epochs, branch(foreigner, 5))
    assert "another backbone" in refusal(two_epochs, branch(record, 5, token_id=300))


def test_a_branch_stopped_before_the_end_token_put_in_is_told_as_stopped(
    two_epochs: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, cancel = write(two_epochs), CancelToken()
    monkeypatch.setattr(token_stream, "end_token_ids", lambda *_: {256})
    events: list[Any] = []
    for event in two_epochs.run(branch(record, START + 2, token_id=256), cancel):
        events.append(event)
        if isinstance(event, TokenEvent) and event.index == 2:
            cancel.cancel("keep")
    (finished,) = only(events, GenerationFinished)
    assert finished.record.ended == "stopped" and finished.record.tokens == record.tokens[:3]


@pytest.mark.parametrize("after", [0, 3, START + 2])
def test_a_branch_that_is_stopped_leaves_the_session_usable(two_epochs: Session, after: int) -> None:
    record = write(two_epochs)
    cancel = CancelToken()
    told: list[Any] = []
    for event in two_epochs.run(branch(record, START + 1, text="abc"), cancel):
        told.append(event)
        if len(only(told, TokenEvent)) == after:
            cancel.cancel("keep")
    (finished,) = only(told, GenerationFinished)
    assert finished.record.ended == "stopped" and len(finished.record.tokens) <= max(1, after)
    two_epochs.set_desk(CODE_ONLY)
    assert write(two_epochs).tokens == record.tokens


# -- the mixing desk ---------------------------------------------------------------------------------------------


def turned(session: Session, job: jobs.Generate, turns: dict[int, MixingDesk]) -> Generation:
    """Turn the desk to ``turns[i]`` right after the token ``i`` has been told."""
    events: list[Any] = []
    for event in session.run(job):
        events.append(event)
        if isinstance(event, TokenEvent) and event.index in turns:
            session.set_desk(turns[event.index])
    (finished,) = only(events, GenerationFinished)
    return finished.record


def test_a_desk_that_is_turned_counts_from_the_next_token_and_is_recorded(two_epochs: Session) -> None:
    plain = write(two_epochs, sampling=GREEDY)
    record = turned(two_epochs, jobs.Generate(PROMPT, sampling=GREEDY), {START + 3: CODE_ONLY, START + 6: MixingDesk()})
    assert record.desk == (DeskChange(START + 4, CODE_ONLY), DeskChange(START + 7, MixingDesk()))
    assert record.tokens[: START + 4] == plain.tokens[: START + 4]
    weights = [token.weights for token in record.tokens]
    assert weights[START + 4 : START + 7] == [(0.0, 0.0, 1.0)] * 3
    assert weights[START + 7] != (0.0, 0.0, 1.0)


def test_weights_after_a_desk_is_put_back_are_as_if_it_had_never_been_touched(two_epochs: Session) -> None:
    record = turned(two_epochs, jobs.Generate(PROMPT, sampling=GREEDY), {START + 3: CODE_ONLY, START + 6: MixingDesk()})
    assert two_epochs.model is not None
    with torch.inference_mode():
        weights_BTS = two_epochs.model(torch.tensor([ids_of(record)])).weights_BTS
    for token in record.tokens[START + 7 :]:
        assert token.weights == pytest.approx(weights_BTS[0, token.index - 1].tolist(), abs=1e-5)


def test_a_desk_set_before_is_recorded_from_the_first_token_on(two_epochs: Session) -> None:
    record = write(two_epochs, desk=VERSE_ONLY)
    assert record.desk == (DeskChange(0, VERSE_ONLY),)
    assert {token.weights for token in record.tokens} == {(0.0, 1.0, 0.0)}
    alone = finish(two_epochs, jobs.Generate(PROMPT, "verse", SAMPLED))
    assert ids_of(alone) == ids_of(record)


def test_a_desk_that_is_never_touched_is_not_recorded(two_epochs: Session) -> None:
    assert write(two_epochs).desk == ()
    two_epochs.set_desk(CODE_ONLY)  # nothing is running
    assert write(two_epochs).desk == ()


def test_a_desk_works_on_mixers_alone_and_slugs_it_does_not_know_are_no_concern(two_epochs: Session) -> None:
    alone = turned(two_epochs, jobs.Generate(PROMPT, "verse", SAMPLED, CODE_ONLY), {START: CODE_ONLY})
    assert alone.desk == () and {token.weights for token in alone.tokens} == {(0.0, 1.0, 0.0)}
    strange = write(two_epochs, desk=MixingDesk("manual", (("gone", 2.0), ("code", 0.5), ("verse", 0.5))))
    assert {token.weights for token in strange.tokens} == {(0.0, 0.5, 0.5)}


def test_a_desk_works_on_stored_mixers_too(two_epochs: Session) -> None:
    """The mixer of the first epoch's end does not know the second, whose slot a person can open all the same."""
    mode = two_epochs.info().mixers[0].mode
    record = turned(two_epochs, jobs.Generate(PROMPT, mode, SAMPLED), {START + 2: CODE_ONLY, START + 5: MixingDesk()})
    assert [change.index for change in record.desk] == [START + 3, START + 6]
    assert [token.weights[2] for token in record.tokens[START:]] == [0.0] * 3 + [1.0] * 3 + [0.0] * 4


def test_a_branch_replays_how_the_desk_stood(two_epochs: Session) -> None:
    """Kept tokens leave in the cache what they left there before, so the same words are as probable again."""
    record = turned(two_epochs, jobs.Generate(PROMPT, sampling=GREEDY), {START + 1: CODE_ONLY, START + 4: VERSE_ONLY})
    again = finish(two_epochs, replace(branch(record, START + 7, GREEDY), desk=VERSE_ONLY))
    assert again.desk == record.desk
    for one, other in zip(again.tokens, record.tokens, strict=False):
        assert one.token_id == other.token_id
        assert one.probability == pytest.approx(other.probability, abs=1e-5)
    elsewhere = finish(two_epochs, replace(branch(record, START + 3, GREEDY), desk=MixingDesk()))
    assert elsewhere.desk == (DeskChange(START + 2, CODE_ONLY), DeskChange(START + 3, MixingDesk()))
    assert finish(two_epochs, replace(branch(elsewhere, START + 5, GREEDY))).desk == elsewhere.desk


@pytest.mark.parametrize("regrown", [False, True])
def test_a_desk_turned_as_a_branch_begins_leaves_what_is_kept_alone(two_epochs: Session, regrown: bool) -> None:
    """Also where that is told anew, because the mixture has other slots by now."""
    record, at = write(two_epochs, desk=CODE_ONLY), START + 4
    if regrown:
        record = replace(record, slots=record.slots[:2])
    events: list[Any] = []
    for event in two_epochs.run(replace(branch(record, at), desk=CODE_ONLY)):
        events.append(event)
        if isinstance(event, GenerationStarted):
            two_epochs.set_desk(VERSE_ONLY)
    (finished,) = only(events, GenerationFinished)
    assert finished.record.desk == (DeskChange(0, CODE_ONLY), DeskChange(at, VERSE_ONLY))
    assert [token.weights[1] for token in finished.record.tokens[START : at + 2]] == [0.0] * 4 + [1.0] * 2


def test_a_desk_turned_at_every_token_is_looked_up_in_few_steps() -> None:
    class Index(int):
        """Counts how often it is compared."""

        compared = 0

        def __lt__(self, other: int) -> bool:
            Index.compared += 1
            return int(self) < int(other)

        def __gt__(self, other: int) -> bool:
            Index.compared += 1
            return int(self) > int(other)

        __le__, __ge__ = __lt__, __gt__

    desks = [MixingDesk("gain", (("a", level / 8),)) for level in range(16)]
    steered = ScheduledBlend("mixer", ["", "a"], (DeskChange(Index(2 * i), desks[i % 16]) for i in range(500)))
    for index in range(1000):
        blend = steered.predicting(index)
        assert isinstance(blend, MixerOverride) and blend.levels_S[1] == index // 2 % 16 / 8
        assert steered.stays(index, 256) == (256 if index >= 998 else 2 - index % 2)
    assert Index.compared < 2500 * 12
    steered.set_desk(7, MixingDesk())
    assert [change.index for change in steered.changes] == [0, 2, 4, 6, 7]


def test_a_manual_blend_can_be_swept_from_one_epoch_to_the_other(two_epochs: Session) -> None:
    shares = [0.0, 0.25, 0.5, 0.75, 1.0]
    for share in shares:
        record = write(two_epochs, desk=MixingDesk("manual", (("verse", 1 - share), ("code", share))))
        assert {token.weights for token in record.tokens} == {(0.0, 1 - share, share)}


def test_the_desk_can_be_turned_while_an_epoch_is_in_training(
    stored_projects: dict[int, Path], corpora: Corpora, tmp_path: Path
) -> None:
    session = open_copy(stored_projects[1], tmp_path / "project")
    training: Iterator[Any] = session.run(train_job("Code", corpora["code"]))
    next(event for event in training if isinstance(event, TrainStep))
    record = turned(session, jobs.Generate(PROMPT, sampling=SAMPLED), {START + 2: CODE_ONLY})
    assert record.tokens[-1].weights == (0.0, 0.0, 1.0)
    assert collect(training)


def test_settings_of_the_desk_become_those_of_the_model() -> None:
    desk = MixingDesk("gain", (("a", 0.5), ("b", 2.0)), muted=("b",), temperature=0.5, hard=True)
    steered = ScheduledBlend("mixer", ["", "a", "b", "c"], [DeskChange(0, desk)]).predicting(0)
    assert isinstance(steered, MixerOverride)
    assert steered.levels_S.tolist() == [1, 0.5, 0, 1]
    assert (steered.manual, steered.temperature, steered.hard, steered.mixer) == (False, 0.5, True, None)
    solo = ScheduledBlend("mixer", ["", "a", "b"], [DeskChange(0, MixingDesk(solo=("a",)))]).predicting(5)
    assert isinstance(solo, MixerOverride) and solo.levels_S.tolist() == [0, 1, 0]
    assert ScheduledBlend("mixer", [""], [DeskChange(0, MixingDesk())]).predicting(0) == "mixer"


# -- texts that do not fit ---------------------------------------------------------------------------------------


def test_a_prompt_that_is_too_long_is_told_with_where_to_cut_it(two_epochs: Session) -> None:
    prompt = "é" * 100 + "x" * 100
    events: list[Any] = []
    with pytest.raises(TloraError, match="300 tokens, but the backbone reads at most 256"):
        events.extend(two_epochs.run(jobs.Generate(prompt)))
    assert events == [PromptTooLong(300, 255, keep_from=86, keep_to=155)]
    assert len(write(two_epochs, prompt[events[0].keep_from :]).tokens) == 128 + SAMPLED.max_new_tokens


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_a_cut_never_goes_through_a_character(tiny_tokenizer: Any, limit: int) -> None:
    text = "a🙂bé🙂"
    encoded, misfit = fit_context(tiny_tokenizer, text, limit)
    assert misfit is not None and misfit.tokens == 12
    assert tiny_tokenizer.decode(encoded.ids) == encoded.text == text[: misfit.keep_to]
    assert limit - 3 <= len(encoded.ids) <= limit
    assert len(tiny_tokenizer(text[misfit.keep_from :])["input_ids"]) <= limit // 2 + 3


def test_a_tokenizer_without_offsets_cuts_at_the_same_places(tiny_tokenizer: Any) -> None:
    class Slow:
        """The same, as tokenizers in plain Python are."""

        is_fast = False
        decode = tiny_tokenizer.decode

        def __call__(self, text: str, **asked: Any) -> Any:
            return {"input_ids": tiny_tokenizer(text)["input_ids"]}

    for limit in range(1, 12):
        assert fit_context(Slow(), "a🙂bé🙂", limit) == fit_context(tiny_tokenizer, "a🙂bé🙂", limit)


def test_a_huge_text_is_not_tokenised_whole(tiny_tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    whole = type(tiny_tokenizer).__call__

    def counting(self: Any, text: str, **more: Any) -> Any:
        asked.append(len(text))
        return whole(self, text, **more)

    monkeypatch.setattr(type(tiny_tokenizer), "__call__", counting)
    encoded, misfit = fit_context(tiny_tokenizer, "word " * 2_000_000, 255)
    assert sum(asked) < 200_000  # of 10,000,000 characters
    assert misfit == PromptTooLong(10_000_000, 255, 10_000_000 - 127, 255) and len(encoded.ids) == 255


def test_characters_that_are_none_are_read_as_question_marks(two_epochs: Session) -> None:
    assert text_of(write(two_epochs, "a\ud800b"))[:3] == "a?b"


# -- what is not kept ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [1, START + 3, START + SAMPLED.max_new_tokens])
@pytest.mark.parametrize(("mode", "kept"), [("discard", False), ("keep", True), ("suspend", True)])
def test_a_text_that_is_discarded_is_not_kept_and_any_other_that_is_stopped_is(
    two_epochs: Session, after: int, mode: CancelMode, kept: bool
) -> None:
    before, cancel, events = listed(two_epochs), CancelToken(), list[Any]()
    try:
        for event in two_epochs.run(jobs.Generate(PROMPT, sampling=SAMPLED), cancel):
            events.append(event)
            if len(only(events, TokenEvent)) == after:
                cancel.cancel(mode)
    except Cancelled:
        assert not kept
    assert len(only(events, GenerationFinished)) == kept
    assert len(listed(two_epochs)) - len(before) == kept
    assert write(two_epochs).tokens


def listed(session: Session) -> tuple[GenerationSummary, ...]:
    (told,) = only(session.run(jobs.ListGenerations()), GenerationsListed)
    return told.generations
