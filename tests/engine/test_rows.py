"""Several texts that continue one prompt in one batch: each is what it is alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
import torch
from engine_helpers import collect, only

from tlora_gui.engine.generation import token_stream
from tlora_gui.engine.handlers import generating
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import BASELINE_MODE, MIXER_MODE, SUM_MODE, MixingDesk, SamplingSettings
from tlora_gui.engine.protocol.errors import Cancelled, TloraError
from tlora_gui.engine.protocol.events import (
    GenerationFinished,
    GenerationsListed,
    GenerationStarted,
    InRow,
    PromptTooLong,
    RowFailed,
)
from tlora_gui.engine.protocol.texts import Generation, TokenEvent
from tlora_gui.engine.session import Session
from tlora_gui.engine.storage.event_lines import event_line, read_event_line
from tlora_gui.temporal.cache import CacheFormat
from tlora_gui.temporal.model import TemporalLoRA

PROMPT = "O gentle night, that hides the weeping moon"
SAMPLED = SamplingSettings(max_new_tokens=12, temperature=1.0, top_k=0, top_p=1.0, repetition_penalty=1.1, seed=3)
DESKS = [MixingDesk("manual", (("verse", 1 - share), ("code", share))) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
MODES = tuple(map(jobs.Row, (MIXER_MODE, "verse", SUM_MODE, BASELINE_MODE, "")))
SWEEP = tuple(jobs.Row(MIXER_MODE, desk) for desk in DESKS)
GAIN = (jobs.Row(MIXER_MODE, MixingDesk("gain", (("verse", 2.0), ("", 0.5)))), jobs.Row(MIXER_MODE))


@pytest.fixture(autouse=True)
def never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A random model may come upon its end token at any time."""
    monkeypatch.setattr(token_stream, "end_token_ids", lambda *_: set())


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rows of every pass of the mixture."""
    found: list[int] = []
    forward = TemporalLoRA.forward

    def counted(self: TemporalLoRA, input_ids: torch.Tensor, *args: object, **more: object) -> object:
        found.append(len(input_ids))
        return forward(self, input_ids, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(TemporalLoRA, "forward", counted)
    return found


def by_row(events: Iterable[object]) -> dict[int, list[object]]:
    found: dict[int, list[object]] = {}
    for each in only(events, InRow):
        found.setdefault(each.row, []).append(each.event)
    return found


def records(events: Iterable[object]) -> dict[int, Generation]:
    """Rows' records, whose tokens are those that were told."""
    found: dict[int, Generation] = {}
    for row, own in by_row(events).items():
        assert isinstance(own[0], GenerationStarted) and isinstance(own[-1], GenerationFinished)
        found[row] = own[-1].record
        assert found[row].tokens == tuple(own[1:-1])
    return found


def alone(session: Session, row: jobs.Row, prompt: str = PROMPT, sampling: SamplingSettings = SAMPLED) -> Generation:
    (finished,) = only(session.run(jobs.Generate(prompt, row.mode, sampling, row.desk)), GenerationFinished)
    return finished.record


def assert_same_text(found: Generation, expected: Generation) -> None:
    assert (found.prompt, found.mode, found.sampling, found.slots, found.ended, found.desk) == (
        expected.prompt, expected.mode, expected.sampling, expected.slots, expected.ended, expected.desk,
    )  # fmt: skip
    assert len(found.tokens) == len(expected.tokens)
    for one, other in zip(found.tokens, expected.tokens, strict=True):
        assert (one.index, one.token_id, one.text, one.is_prompt) == (
            other.index, other.token_id, other.text, other.is_prompt,
        )  # fmt: skip
        assert one.weights == pytest.approx(other.weights, abs=1e-5)
        assert one.probability == pytest.approx(other.probability, abs=1e-5)


@pytest.mark.parametrize("prompt", [PROMPT, ""])
@pytest.mark.parametrize("rows", [MODES, SWEEP, GAIN], ids=["modes", "sweep", "gain"])
def test_every_row_is_the_text_that_it_is_alone(
    two_epochs: Session, rows: tuple[jobs.Row, ...], prompt: str, batches: list[int]
) -> None:
    found = records(two_epochs.run(jobs.GenerateRows(prompt, rows, SAMPLED)))
    assert set(batches) == {len(rows)} and sorted(found) == list(range(len(rows)))
    for number, row in enumerate(rows):
        assert_same_text(found[number], alone(two_epochs, row, prompt))
    assert len({tuple(token.weights for token in record.tokens) for record in found.values()}) > 1


def test_a_long_prompt_is_read_in_pieces_of_as_many_tokens_in_all(
    two_epochs: Session, monkeypatch: pytest.MonkeyPatch, batches: list[int]
) -> None:
    expected = [alone(two_epochs, row) for row in MODES]
    monkeypatch.setattr(token_stream, "_PREFILL", 40)
    batches.clear()
    found = records(two_epochs.run(jobs.GenerateRows(PROMPT, MODES, SAMPLED)))
    assert len(batches) == -(-len(PROMPT) // 8) + SAMPLED.max_new_tokens - 1
    for number, record in found.items():
        assert_same_text(record, expected[number])


def test_a_row_that_has_ended_drops_out_of_the_batch(
    two_epochs: Session, monkeypatch: pytest.MonkeyPatch, batches: list[int]
) -> None:
    texts = [alone(two_epochs, row) for row in MODES]
    ends = [[token.token_id for token in text.tokens[len(PROMPT) :]] for text in texts]
    end = ends[1][4]
    monkeypatch.setattr(token_stream, "end_token_ids", lambda *_: {end})
    batches.clear()
    found = records(two_epochs.run(jobs.GenerateRows(PROMPT, MODES, SAMPLED)))
    lengths = [ids.index(end) if end in ids else len(ids) for ids in ends]
    assert min(lengths) < max(lengths), "some end earlier"
    for number, record in found.items():
        assert record.ended == ("length" if end not in ends[number] else "end of text")
        assert [token.token_id for token in record.tokens[len(PROMPT) :]] == ends[number][: lengths[number]]
    assert batches[1:] == [sum(length >= step for length in lengths) for step in range(1, max(lengths))]


def test_all_texts_are_kept(two_epochs: Session) -> None:
    found = records(two_epochs.run(jobs.GenerateRows(PROMPT, SWEEP, SAMPLED)))
    (listed,) = only(two_epochs.run(jobs.ListGenerations()), GenerationsListed)
    assert {each.id for each in listed.generations} == {record.id for record in found.values()}
    assert len(found) == len(SWEEP)


def test_a_row_that_cannot_be_written_fails_alone(two_epochs: Session) -> None:
    rows = (jobs.Row("verse"), jobs.Row("gone"), jobs.Row("code"))
    events = collect(two_epochs.run(jobs.GenerateRows(PROMPT, rows, SAMPLED)))
    told = by_row(events)
    (failed,) = told[1]
    assert isinstance(failed, RowFailed) and "not in the mixture" in failed.message and failed.hint
    for number in (0, 2):
        assert_same_text(records(InRow(number, each) for each in told[number])[number], alone(two_epochs, rows[number]))


def test_an_epoch_of_no_numbers_silences_its_own_row(two_epochs: Session) -> None:
    assert two_epochs.model is not None
    with torch.no_grad():
        next(iter(two_epochs.model.adapter_parameters("verse").values())).fill_(torch.nan)
    told = by_row(two_epochs.run(jobs.GenerateRows(PROMPT, (jobs.Row("verse"), jobs.Row("code")), SAMPLED)))
    assert isinstance(told[0][-1], RowFailed) and "no numbers" in told[0][-1].message
    assert isinstance(told[1][-1], GenerationFinished)


def test_what_becomes_no_number_on_the_way_ends_its_row_alone(
    two_epochs: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    took = token_stream.TokenStream.took

    def broken(self: token_stream.TokenStream, ids: list[int], logits: torch.Tensor, weights: torch.Tensor) -> None:
        silent = len(self.seen) > len(PROMPT) + 2 and self.blend.predicting(0) == 1
        took(self, ids, logits.fill_(torch.nan) if silent else logits, weights)

    expected = alone(two_epochs, jobs.Row("code"))
    monkeypatch.setattr(token_stream.TokenStream, "took", broken)
    rows = (jobs.Row("verse"), jobs.Row("code"))
    told = by_row(two_epochs.run(jobs.GenerateRows(PROMPT, rows, SAMPLED)))
    assert isinstance(told[0][-1], RowFailed) and "no number" in told[0][-1].message
    assert_same_text(records(InRow(1, each) for each in told[1])[1], expected)


@pytest.mark.parametrize("why", ["memory", "cache"])
def test_where_no_batch_can_be_rows_come_in_turns(
    two_epochs: Session, monkeypatch: pytest.MonkeyPatch, why: str, batches: list[int]
) -> None:
    if why == "memory":
        monkeypatch.setattr(generating, "free_memory", lambda _: 0)
    else:
        monkeypatch.setattr(CacheFormat, "token_bytes", None)
    events = collect(two_epochs.run(jobs.GenerateRows(PROMPT, MODES, SAMPLED)))
    assert set(batches) == {1}
    assert [event.row for event in events] == sorted(event.row for event in events)
    for number, record in records(events).items():
        assert_same_text(record, alone(two_epochs, MODES[number]))


def test_as_many_rows_come_at_once_as_memory_allows(
    two_epochs: Session, monkeypatch: pytest.MonkeyPatch, batches: list[int]
) -> None:
    assert two_epochs.model is not None and two_epochs.model.token_bytes
    row = (1 + len(PROMPT) + SAMPLED.max_new_tokens) * two_epochs.model.token_bytes
    monkeypatch.setattr(generating, "free_memory", lambda _: 2 * 2 * row)
    found = records(two_epochs.run(jobs.GenerateRows(PROMPT, MODES, SAMPLED)))
    assert [rows for rows, before in zip(batches, [0, *batches], strict=False) if rows != before] == [2, 1]
    for number, record in found.items():
        assert_same_text(record, alone(two_epochs, MODES[number]))


def test_fast_products_take_as_many_rows_as_they_are_fast_for(
    two_epochs: Session, monkeypatch: pytest.MonkeyPatch, batches: list[int]
) -> None:
    monkeypatch.setattr(generating, "find_fastest", found_fast)
    fast = replace(SAMPLED, precision="fast")
    found = records(two_epochs.run(jobs.GenerateRows(PROMPT, MODES, fast)))
    assert set(batches) == {4, 1} and {record.sampling for record in found.values()} == {fast}


def found_fast(*_: object) -> Iterable[object]:
    return True
    yield


@pytest.mark.parametrize("after", [1, 3 * len(PROMPT), 2 + 5 * len(PROMPT), 18 + 5 * len(PROMPT)])
def test_a_stop_ends_all_rows_and_keeps_what_has_come(two_epochs: Session, after: int) -> None:
    cancel, events = CancelToken(), list[object]()
    for event in two_epochs.run(jobs.GenerateRows(PROMPT, MODES, SAMPLED), cancel):
        events.append(event)
        if sum(isinstance(each.event, TokenEvent) for each in only(events, InRow)) == after:
            cancel.cancel("keep")
    found = records(events)
    assert {record.ended for record in found.values()} == {"stopped"} and len(found) == len(MODES)
    assert after <= sum(len(record.tokens) for record in found.values()) < after + len(MODES)


def test_a_comparison_that_is_discarded_keeps_nothing(two_epochs: Session) -> None:
    cancel = CancelToken()
    with pytest.raises(Cancelled):
        for number, _ in enumerate(two_epochs.run(jobs.GenerateRows(PROMPT, MODES, SAMPLED), cancel)):
            if number == 20:
                cancel.cancel()
    (listed,) = only(two_epochs.run(jobs.ListGenerations()), GenerationsListed)
    assert listed.generations == ()


def test_a_prompt_that_is_too_long_is_refused_once(two_epochs: Session) -> None:
    events = list[object]()
    with pytest.raises(TloraError, match="reads at most 256"):
        events.extend(two_epochs.run(jobs.GenerateRows("x" * 300, MODES, SAMPLED)))
    assert [type(event) for event in events] == [PromptTooLong]


def test_rows_fill_the_context_and_no_more(two_epochs: Session) -> None:
    found = records(two_epochs.run(jobs.GenerateRows("x" * 250, MODES, SAMPLED)))
    assert {len(record.tokens) for record in found.values()} == {256}


def test_what_happens_in_a_row_is_a_line_that_reads_back(two_epochs: Session) -> None:
    rows = (jobs.Row("verse"), jobs.Row("gone"))
    for event in only(two_epochs.run(jobs.GenerateRows("O", rows, SAMPLED)), InRow):
        assert read_event_line(event_line(event)) == event
