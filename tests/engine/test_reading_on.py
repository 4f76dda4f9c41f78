"""A text that begins like the one that was read last goes on from there, and is what it is when it is read anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from engine_helpers import QUICK, Corpora, MakeMixture, collect, drain, only, open_copy, train_job

from tlora_gui.engine.generation import token_stream
from tlora_gui.engine.generation.read_text import InputToken, ReadText
from tlora_gui.engine.generation.scheduled_blend import ScheduledBlend
from tlora_gui.engine.generation.token_stream import TokenStream, go_on
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelMode, CancelToken
from tlora_gui.engine.protocol.config import MixingDesk, SamplingSettings
from tlora_gui.engine.protocol.errors import Cancelled, TloraError
from tlora_gui.engine.protocol.events import GenerationFinished, TrainStep
from tlora_gui.engine.protocol.texts import DeskChange, Generation, TokenEvent
from tlora_gui.engine.session import Session
from tlora_gui.temporal.cache import CacheFormat
from tlora_gui.temporal.config import Strategy
from tlora_gui.temporal.model import TemporalLoRA

PIECE = 16
PROMPT = "O gentle night, that hides the weeping moon, thou art more f"
SAMPLED = SamplingSettings(max_new_tokens=10, temperature=1.0, top_k=0, top_p=1.0, repetition_penalty=1.0)
OTHER = replace(SAMPLED, seed=1)
CODE_ONLY = MixingDesk("manual", (("code", 1.0),))


@pytest.fixture(autouse=True)
def pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """The prompt has four, the last a short one. A random model may come upon its end token at any time."""
    assert 3 * PIECE < len(PROMPT) < 4 * PIECE
    monkeypatch.setattr(token_stream, "_PREFILL", PIECE)
    monkeypatch.setattr(token_stream, "end_token_ids", lambda *_: set())


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Tokens of every pass of the mixture."""
    found: list[int] = []
    forward = TemporalLoRA.forward

    def counted(self: TemporalLoRA, input_ids: torch.Tensor, *args: object, **more: object) -> object:
        found.append(input_ids.shape[1])
        return forward(self, input_ids, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(TemporalLoRA, "forward", counted)
    return found


def finish(session: Session, job: jobs.Generate) -> Generation:
    (finished,) = only(session.run(job), GenerationFinished)
    return finished.record


def anew(session: Session, job: jobs.Generate) -> Generation:
    """As :func:`finish`, when nothing was read before."""
    session._workspace().keep_read(None)
    return finish(session, job)


def saved(session: Session, job: jobs.Generate, passes: list[int]) -> int:
    """How many tokens need not be read for this text, which is what it is when it is read anew."""
    passes.clear()
    found = finish(session, job)
    went_on = sum(passes)
    passes.clear()
    expected = anew(session, job)
    assert replace(found, id="", created=0, tokens_per_second=0) == replace(
        expected, id="", created=0, tokens_per_second=0
    )
    return sum(passes) - went_on


def branch(record: Generation, at: int, sampling: SamplingSettings = OTHER, **where: object) -> jobs.Generate:
    return jobs.Generate("", record.mode, sampling, branch=jobs.Branch(record, at, **where))  # type: ignore[arg-type]


NEXT: dict[str, tuple[Callable[[Generation], jobs.Generate], int]] = {
    "the same again": (lambda record: jobs.Generate(PROMPT, sampling=SAMPLED), len(PROMPT)),
    "another seed": (lambda record: jobs.Generate(PROMPT, sampling=OTHER), len(PROMPT)),
    "a longer prompt": (lambda record: jobs.Generate(PROMPT + "air than all the songs", sampling=OTHER), 3 * PIECE),
    "a shorter prompt": (lambda record: jobs.Generate(PROMPT[: 2 * PIECE + 3], sampling=OTHER), 2 * PIECE),
    "a prompt that ends with a piece": (lambda record: jobs.Generate(PROMPT[: 2 * PIECE], sampling=OTHER), 2 * PIECE),
    "another word": (lambda record: jobs.Generate(PROMPT.replace("that", "than"), sampling=OTHER), PIECE),
    "another beginning": (lambda record: jobs.Generate("Q" + PROMPT, sampling=OTHER), 0),
    "no prompt": (lambda record: jobs.Generate("", sampling=OTHER), 0),
    "more": (lambda record: branch(record, len(record.tokens)), 3 * PIECE),
    "a branch in the middle": (lambda record: branch(record, len(PROMPT) + 5, token_id=65), 3 * PIECE),
    "a branch in the prompt": (lambda record: branch(record, 2 * PIECE + 1, text="né"), 2 * PIECE),
    "a branch where a piece ends": (lambda record: branch(record, 2 * PIECE, token_id=65), PIECE),
    "another mode": (lambda record: jobs.Generate(PROMPT, "verse", SAMPLED), 0),
    "another desk": (lambda record: jobs.Generate(PROMPT, sampling=SAMPLED, desk=CODE_ONLY), 0),
}


@pytest.mark.parametrize("name", NEXT)
def test_a_text_goes_on_from_where_both_were_cut_alike(two_epochs: Session, name: str, passes: list[int]) -> None:
    follow, tokens = NEXT[name]
    record = finish(two_epochs, jobs.Generate(PROMPT, sampling=SAMPLED))
    assert saved(two_epochs, follow(record), passes) == tokens


def test_a_branch_is_read_once_however_often_it_is_written(two_epochs: Session, passes: list[int]) -> None:
    record = finish(two_epochs, jobs.Generate(PROMPT, sampling=SAMPLED))
    at = len(PROMPT) + 5
    finish(two_epochs, branch(record, at, text="new"))
    assert saved(two_epochs, branch(record, at, SAMPLED, text="new"), passes) == at + 3
    assert saved(two_epochs, branch(record, at, SAMPLED, text="old"), passes) == at


def test_a_text_without_a_prompt_goes_on_from_its_hidden_beginning(two_epochs: Session, passes: list[int]) -> None:
    record = finish(two_epochs, jobs.Generate("", sampling=replace(SAMPLED, max_new_tokens=40)))
    assert saved(two_epochs, jobs.Generate("", sampling=OTHER), passes) == 1
    finish(two_epochs, branch(record, 40))
    assert saved(two_epochs, branch(record, 36), passes) == 1 + 2 * PIECE


def test_what_the_desk_left_in_the_beginning_counts(two_epochs: Session, passes: list[int]) -> None:
    record = finish(two_epochs, jobs.Generate(PROMPT, sampling=SAMPLED))
    turned = replace(record, desk=(DeskChange(20, CODE_ONLY),))
    assert saved(two_epochs, branch(turned, len(PROMPT)), passes) == PIECE
    finish(two_epochs, branch(turned, len(PROMPT), SAMPLED))
    assert saved(two_epochs, branch(turned, len(PROMPT)), passes) == len(PROMPT)


@pytest.mark.parametrize("after", [1, PIECE + 2, len(PROMPT), len(PROMPT) + 4])
@pytest.mark.parametrize("mode", ["keep", "discard"])
def test_a_text_that_was_stopped_is_gone_on_from_too(
    two_epochs: Session, passes: list[int], after: int, mode: CancelMode
) -> None:
    cancel, told = CancelToken(), 0
    try:
        for event in two_epochs.run(jobs.Generate(PROMPT, sampling=SAMPLED), cancel):
            told += isinstance(event, TokenEvent)
            if told == after:
                cancel.cancel(mode)
    except Cancelled:
        assert mode == "discard"
    read = min(len(PROMPT), PIECE * -(-after // PIECE))
    assert saved(two_epochs, jobs.Generate(PROMPT, sampling=OTHER), passes) == read


def test_where_a_cache_cannot_be_taken_back_a_text_goes_on_from_the_whole_beginning(
    two_epochs: Session, passes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CacheFormat, "can_crop", lambda *_: False)
    record = finish(two_epochs, jobs.Generate(PROMPT, sampling=SAMPLED))
    assert saved(two_epochs, jobs.Generate(PROMPT, sampling=OTHER), passes) == len(PROMPT)
    assert saved(two_epochs, jobs.Generate(PROMPT, sampling=SAMPLED), passes) == len(PROMPT)
    assert saved(two_epochs, branch(record, len(PROMPT) + 5), passes) == 0
    whole = jobs.Generate(PROMPT[: 2 * PIECE], sampling=SAMPLED)
    finish(two_epochs, whole)
    assert saved(two_epochs, jobs.Generate(PROMPT, sampling=SAMPLED), passes) == 2 * PIECE


@pytest.mark.parametrize("change", ["a training", "a deletion", "measuring", "an estimate"])
def test_nothing_is_kept_beyond_a_change(two_epochs: Session, corpora: Corpora, passes: list[int], change: str) -> None:
    job: jobs.Job = {
        "a training": train_job("Tale", corpora["verse"]),
        "a deletion": jobs.DeleteEpoch("code"),
        "measuring": jobs.Evaluate(64),
        "an estimate": jobs.EstimateTraining(QUICK, 4096),
    }[change]
    finish(two_epochs, jobs.Generate(PROMPT, sampling=SAMPLED))
    stream = two_epochs.run(job)
    next(stream)
    assert two_epochs._workspace()._read is None
    collect(stream)
    assert saved(two_epochs, jobs.Generate(PROMPT, sampling=SAMPLED), passes) == 0


def test_nothing_is_kept_between_the_steps_of_a_training(
    two_epochs: Session, corpora: Corpora, passes: list[int]
) -> None:
    job, written, between = jobs.Generate(PROMPT, sampling=SAMPLED), list[Generation](), 0
    for event in two_epochs.run(train_job("Tale", corpora["verse"])):
        if isinstance(event, TrainStep):
            written.append(finish(two_epochs, job))
            between += saved(two_epochs, job, passes)
    assert len(written) > 2 and between == 0
    assert written[0].tokens != written[-1].tokens, "the training is heard"


def test_a_text_that_is_held_while_an_epoch_is_learned_is_not_gone_on_from(
    two_epochs: Session, corpora: Corpora, passes: list[int]
) -> None:
    job = jobs.Generate(PROMPT, "code", SAMPLED)
    held = iter(two_epochs.run(job))
    collect(next(held) for _ in range(len(PROMPT)))
    collect(two_epochs.run(train_job("Tale", corpora["verse"])))
    collect(held)
    assert saved(two_epochs, job, passes) == 0


def test_a_text_is_dropped_when_memory_runs_out(two_epochs: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    finish(two_epochs, jobs.Generate(PROMPT, sampling=SAMPLED))
    assert two_epochs._workspace()._read is not None

    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("tlora_gui.engine.session.score", full)
    with pytest.raises(TloraError, match="not enough memory"):
        collect(two_epochs.run(jobs.ScoreText(PROMPT)))
    assert two_epochs._workspace()._read is None


@pytest.mark.parametrize("strategy", ["gating", "routing", "attention"])
def test_every_strategy_of_either_family_goes_on_as_if_read_anew(
    make_mixture: MakeMixture, tiny_tokenizer: object, strategy: Strategy
) -> None:
    model = make_mixture(strategy)
    desks = (DeskChange(0, MixingDesk()), DeskChange(20, MixingDesk("gain", (("code", 2.0),))))

    def write(text: str, seed: int, earlier: ReadText | None) -> tuple[list[TokenEvent], ReadText | None]:
        blend = ScheduledBlend("mixer", model.slot_names, desks)
        stream = TokenStream(model, tiny_tokenizer, blend, replace(SAMPLED, seed=seed))
        stream.earlier, stream.remembers = earlier, True
        given = [InputToken(each, is_prompt=True) for each in text.encode()]
        told, _ = drain(go_on(stream, stream.feed((), given), 10, CancelToken()))
        return told, stream.read_text("")

    _, earlier = write(PROMPT, 0, None)
    for text, seed in ((PROMPT, 1), (PROMPT + "air", 2), (PROMPT[:40], 3), (PROMPT, 4)):
        went_on, earlier = write(text, seed, earlier)
        assert went_on == write(text, seed, None)[0]
        assert len({token.weights for token in went_on}) > 10 or strategy == "routing"


def test_another_project_knows_nothing_of_it(
    two_epochs: Session, stored_projects: dict[int, Path], tmp_path: Path
) -> None:
    finish(two_epochs, jobs.Generate(PROMPT, sampling=SAMPLED))
    two_epochs.close()
    again = open_copy(stored_projects[2], tmp_path / "again")
    assert again._workspace()._read is None
