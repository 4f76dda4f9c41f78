"""Reading a text: its tokens and mix, losses of every slot alone, parts with their lags, and what cannot be read."""

from __future__ import annotations

from itertools import chain
from math import log
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_helpers import collect, only

from tlora_gui.engine.corpus import files
from tlora_gui.engine.handlers import scoring
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import MixingDesk, SamplingSettings
from tlora_gui.engine.protocol.errors import Cancelled, TloraError
from tlora_gui.engine.protocol.events import GenerationFinished, GenerationStarted, Progress, PromptTooLong
from tlora_gui.engine.protocol.texts import Generation, ReadReport, Segment, TokenEvent
from tlora_gui.engine.session import Session

VERSE = "O gentle night, that hides the weeping moon,\n"
CODE = "def f_1(x, y=1):\n    return [x ** y for _ in range(1)]\n"


def read(session: Session, text: str = VERSE + CODE, **how: Any) -> tuple[Generation, ReadReport]:
    (finished,) = only(session.run(jobs.ScoreText(text, **how)), GenerationFinished)
    assert finished.record.report is not None
    return finished.record, finished.record.report


def read_file(session: Session, path: Path, **how: Any) -> Generation:
    (finished,) = only(session.run(jobs.ScoreTextFile(str(path), **how)), GenerationFinished)
    return finished.record


def refusal(session: Session, job: jobs.Job) -> str:
    with pytest.raises(TloraError) as caught:
        collect(session.run(job))
    assert caught.value.hint
    assert read(session)[1].losses  # whatever was refused, the next text is read
    return caught.value.message


def text_of(record: Generation) -> str:
    return "".join(token.text for token in record.tokens)


# -- tokens -----------------------------------------------------------------------------------------------------


def test_a_text_is_told_token_by_token_and_kept_as_read(two_epochs: Session) -> None:
    events = collect(two_epochs.run(jobs.ScoreText(VERSE, "code")))
    started, tokens, finished = events[0], events[1:-1], events[-1]
    assert isinstance(started, GenerationStarted) and isinstance(finished, GenerationFinished)
    assert (started.prompt, started.mode, started.sampling) == (VERSE, "code", SamplingSettings())
    assert [slot.slug for slot in started.slots] == ["", "verse", "code"]
    assert all(isinstance(token, TokenEvent) and token.is_prompt for token in tokens)
    record = finished.record
    assert (record.prompt, record.mode, record.ended, record.slots) == (VERSE, "code", "read", started.slots)
    assert record.tokens == tuple(tokens) and text_of(record) == VERSE
    assert record.tokens_per_second == 0.0
    assert two_epochs.info().generation == record


def test_tokens_carry_their_own_mix_and_what_the_mix_said_of_them(two_epochs: Session) -> None:
    record, _ = read(two_epochs)
    model = two_epochs.model
    assert model is not None
    ids = [token.token_id for token in record.tokens]
    with torch.inference_mode():
        output = model(torch.tensor([ids]), "mixer")
    shares_TV = output.logits_BTV[0].softmax(-1)
    for token, weights in zip(record.tokens, output.weights_BTS[0].tolist(), strict=True):
        assert token.weights == pytest.approx(tuple(weights), abs=1e-5)
        if token.index:
            said_V = shares_TV[token.index - 1]
            assert token.probability == pytest.approx(float(said_V[token.token_id]), abs=1e-5)
            assert token.alternatives[0].token_id == int(said_V.argmax())
    assert record.tokens[0].probability == 1.0


TEXTS = ["naïve “quotes” — …", "日本語の文を読む", "🙂👩\u200d👧 e\u0301", "\n\n\n  lead\n\n\ttail \n\n"]
TEXTS += ["\x00\x07\x1b[31m a \x7f", "\u202eright to left\u202c \u2066x\u2069 שלום", "\u2028a\u2029b\r\nc\rd"]


@pytest.mark.parametrize("text", TEXTS)
def test_any_character_is_read_as_it_is(one_epoch: Session, text: str) -> None:
    record, report = read(one_epoch, text)
    assert text_of(record) == record.prompt == text
    assert report.unread == 0


def test_half_a_character_is_read_as_a_question_mark(one_epoch: Session) -> None:
    assert text_of(read(one_epoch, "half \ud83d of it")[0]) == "half ? of it"


def test_the_mixing_desk_counts_from_the_first_token(two_epochs: Session) -> None:
    desk = MixingDesk("manual", (("verse", 1.0), ("code", 1.0)))
    record, _ = read(two_epochs, desk=desk)
    assert {token.weights for token in record.tokens} == {(0.0, 0.5, 0.5)}
    assert [(change.index, change.desk) for change in record.desk] == [(0, desk)]
    assert read(two_epochs)[0].desk == ()


# -- what was found ---------------------------------------------------------------------------------------------


def test_losses_are_those_of_every_slot_alone_and_of_the_mix(two_epochs: Session) -> None:
    record, report = read(two_epochs, (VERSE + CODE) * 2)
    model = two_epochs.model
    assert model is not None
    ids_BT = torch.tensor([[token.token_id for token in record.tokens]])
    with torch.inference_mode():
        alone = [model.next_token_loss(ids_BT, slot).loss.item() for slot in range(3)]
        mix = model.next_token_loss(ids_BT, "mixer").loss.item()
    assert [slug for slug, _ in report.losses] == ["", "verse", "code"]
    assert [loss for _, loss in report.losses] == pytest.approx(alone, abs=1e-4)
    assert report.mix_loss == pytest.approx(mix, abs=1e-4)


@pytest.mark.parametrize("piece", [1, 7, 48, 49, 50])
def test_losses_do_not_depend_on_the_pieces_that_are_read(
    one_epoch: Session, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    model, ids = one_epoch.model, [*VERSE.encode(), *b"(twice"[:5]]
    assert model is not None and len(ids) == 50
    monkeypatch.setattr(scoring, "_PIECE", piece)
    pieces = list(scoring.log_likelihoods(model, ids, 1, CancelToken()))
    assert max(map(len, pieces)) <= piece + 1
    with torch.inference_mode():
        said_TV = model(torch.tensor([ids]), 1).logits_BTV[0].log_softmax(-1)
    expected = [0.0] + [float(said_TV[place, each]) for place, each in enumerate(ids[1:])]
    assert [*chain(*pieces)] == pytest.approx(expected, abs=1e-4)


def test_every_token_says_why_its_first_slot_weighs_more_than_the_next(two_epochs: Session) -> None:
    record, _ = read(two_epochs)
    for token in record.tokens:
        first, second = sorted(token.weights, reverse=True)[:2]
        assert token.reasons is not None
        if second:  # not so little that it was left out
            assert token.weights[token.reasons.rival] == second
            assert sum(token.reasons[1:]) == pytest.approx(log(first / second), abs=1e-3)
    assert any(token.reasons.word for token in record.tokens if token.reasons)


@pytest.mark.parametrize(
    "how", [{"mode": "verse"}, {"desk": MixingDesk(temperature=2.0)}], ids=["an epoch alone", "a desk"]
)
def test_a_mix_that_no_filter_alone_has_made_has_no_reasons(two_epochs: Session, how: dict[str, Any]) -> None:
    record, _ = read(two_epochs, **how)
    assert {token.reasons for token in record.tokens} == {None}


def test_parts_begin_at_the_first_token_and_have_a_lag_each(two_epochs: Session) -> None:
    record, report = read(two_epochs, VERSE + CODE)
    firsts = [part.first for part in report.parts]
    assert firsts[0] == 0 and firsts == sorted(set(firsts))
    assert len(report.lags) == len(report.parts)
    for part, end, lag in zip(report.parts, [*firsts[1:], len(record.tokens)], report.lags, strict=True):
        assert 0 <= lag <= end - part.first


def test_an_epoch_alone_is_in_force_at_once_or_never(two_epochs: Session) -> None:
    record, report = read(two_epochs, VERSE + CODE, mode="verse")
    ends = [*(part.first for part in report.parts[1:]), len(record.tokens)]
    lengths = [end - part.first for part, end in zip(report.parts, ends, strict=True)]
    expected = [0 if part.slot == 1 else length for part, length in zip(report.parts, lengths, strict=True)]
    assert list(report.lags) == expected


def test_without_epochs_a_text_is_the_backbones_alone(session: Session) -> None:
    record, report = read(session, VERSE)
    assert {token.weights for token in record.tokens} == {(1.0,)}
    assert report.parts == (Segment(0, 0),) and report.lags == (0,)
    assert dict(report.losses) == {"": pytest.approx(report.mix_loss, abs=1e-4)}


# -- what cannot be read ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "  \n\t ", "\u3000\u2028"])
def test_nothing_is_not_read(one_epoch: Session, text: str) -> None:
    assert refusal(one_epoch, jobs.ScoreText(text)) == "There is no text to read."


def test_one_token_is_too_little(one_epoch: Session) -> None:
    assert "One token" in refusal(one_epoch, jobs.ScoreText("a"))


@pytest.mark.parametrize("mode", ["gone", "@9"])
def test_unknown_modes_are_refused_before_anything_is_told(one_epoch: Session, mode: str) -> None:
    with pytest.raises(TloraError, match="Choose another mode"):
        next(iter(one_epoch.run(jobs.ScoreText(VERSE, mode))))


def test_a_text_that_is_too_long_is_told_with_its_marks_and_not_read(one_epoch: Session) -> None:
    text, events = VERSE * 10, []
    with pytest.raises(TloraError, match=r"has 450 tokens, but the backbone reads at most 256"):
        events.extend(one_epoch.run(jobs.ScoreText(text)))
    (told,) = events
    assert isinstance(told, PromptTooLong)
    assert (told.tokens, told.limit, told.keep_to) == (450, 256, 256)


def test_a_text_that_may_be_cut_is_read_to_the_end_of_the_context(one_epoch: Session) -> None:
    text = VERSE * 10
    events = collect(one_epoch.run(jobs.ScoreText(text, cut=True)))
    assert not only(events, PromptTooLong)
    assert events[0].prompt == text[:256]
    record = events[-1].record
    assert record.prompt == text_of(record) == text[:256]
    assert record.report.unread == len(text) - 256


def test_a_cut_goes_through_no_character(one_epoch: Session) -> None:
    text = "日" * 200
    record, report = read(one_epoch, text, cut=True)
    assert text_of(record) == record.prompt == "日" * 85
    assert report.unread == 115


def test_a_huge_text_is_cut_without_reading_all_of_it(one_epoch: Session) -> None:
    record, report = read(one_epoch, "words and words " * 600_000, cut=True)
    assert len(record.tokens) == 256
    assert report.unread == 16 * 600_000 - 256


# -- files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.py", "b.md", "c.txt", "d", ".hidden"])
def test_files_of_any_name_are_plain_text(one_epoch: Session, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(CODE, encoding="utf-8")
    record = read_file(one_epoch, tmp_path / name)
    assert record.prompt == text_of(record) == CODE


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_files_are_read_in_their_encoding(one_epoch: Session, tmp_path: Path, encoding: str) -> None:
    text = "Où sont les neiges d’antan ? Là, à côté de l’été."
    (tmp_path / "a.txt").write_bytes(text.encode(encoding))
    assert read_file(one_epoch, tmp_path / "a.txt").prompt == text


def test_a_file_larger_than_what_is_read_of_one_is_cut(
    one_epoch: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "FILE_LIMIT", 1000)
    (tmp_path / "a.txt").write_text(VERSE * 100, encoding="utf-8")
    assert "reads at most 256" in refusal(one_epoch, jobs.ScoreTextFile(str(tmp_path / "a.txt")))
    record = read_file(one_epoch, tmp_path / "a.txt", cut=True)
    assert record.report is not None and record.report.unread == 1000 - 256


def test_files_that_are_no_text_say_why(one_epoch: Session, tmp_path: Path) -> None:
    for name, data in {"binary": b"\x7fELF\0\0\1", "paper.pdf": b"%PDF-1.7", "empty": b"", "blank": b" \n"}.items():
        (tmp_path / name).write_bytes(data)
    reasons = {"binary": "binary", "paper.pdf": "damaged", "empty": "empty", "blank": "empty", "gone": "does not exist"}
    for name, reason in reasons.items():
        assert reason in refusal(one_epoch, jobs.ScoreTextFile(str(tmp_path / name)))
    assert "is a folder" in refusal(one_epoch, jobs.ScoreTextFile(str(tmp_path)))


def test_a_file_that_cannot_be_opened_says_why(
    one_epoch: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    path.write_text(VERSE)

    def fail(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(files, "open", fail, raising=False)
        with pytest.raises(TloraError, match="Permission denied"):
            collect(one_epoch.run(jobs.ScoreTextFile(str(path))))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "is_dir", fail)
        with pytest.raises(TloraError, match="Permission denied"):
            collect(one_epoch.run(jobs.ScoreTextFile(str(path))))


# -- stopped ----------------------------------------------------------------------------------------------------


def test_a_reading_stopped_among_its_tokens_is_kept_as_far_as_it_came(two_epochs: Session) -> None:
    cancel, events = CancelToken(), []
    for event in two_epochs.run(jobs.ScoreText(VERSE), cancel):
        events.append(event)
        if isinstance(event, TokenEvent) and event.index == 4:
            cancel.cancel("keep")
    (finished,) = only(events, GenerationFinished)
    record = finished.record
    assert (record.ended, len(record.tokens), record.report) == ("stopped", 5, None)
    assert two_epochs.info().generation == record
    assert read(two_epochs)[1].parts


def test_a_reading_can_be_stopped_at_every_item(two_epochs: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "_PIECE", 16)
    count = len(list(two_epochs.run(jobs.ScoreText(VERSE))))
    for stop in range(0, count - 1, 4):
        cancel, events = CancelToken(), []
        try:
            for event in two_epochs.run(jobs.ScoreText(VERSE), cancel):
                events.append(event)
                if len(events) == stop + 1:
                    cancel.cancel("keep")
        except Cancelled:
            assert not only(events, TokenEvent) and not only(events, GenerationFinished)
        else:
            (finished,) = only(events, GenerationFinished)
            assert (finished.record.ended, finished.record.report) == ("stopped", None)
            assert list(finished.record.tokens) == only(events, TokenEvent) != []
    assert read(two_epochs)[0].ended == "read"


@pytest.mark.parametrize("kind", [TokenEvent, Progress])
def test_a_reading_that_is_discarded_keeps_nothing(one_epoch: Session, kind: type) -> None:
    before, cancel = one_epoch.info().generation, CancelToken()
    with pytest.raises(Cancelled):
        for event in one_epoch.run(jobs.ScoreText(VERSE), cancel):
            if isinstance(event, kind) and (kind is TokenEvent or "alone" in event.label):
                cancel.cancel("discard")
    assert one_epoch.info().generation == before


def test_an_epoch_of_no_numbers_is_named_before_anything_is_told(two_epochs: Session) -> None:
    assert two_epochs.model is not None
    collect(two_epochs.run(jobs.EditEpoch("verse", "Пушкин", "", "#123456")))
    with torch.no_grad():
        next(iter(two_epochs.model.adapter_parameters("verse").values())).fill_(torch.nan)
    asked = (jobs.ScoreText(VERSE), jobs.ScoreText(VERSE, "code"), jobs.Evaluate())
    for job in asked:
        with pytest.raises(TloraError, match="The epoch “Пушкин” has weights that are no numbers"):
            next(event for event in two_epochs.run(job) if not isinstance(event, Progress))


def test_a_reading_that_is_closed_keeps_nothing(one_epoch: Session) -> None:
    before = one_epoch.info().generation
    stream: Any = one_epoch.run(jobs.ScoreText(VERSE))
    for event in stream:
        if isinstance(event, TokenEvent) and event.index == 4:
            break
    stream.close()
    assert one_epoch.info().generation == before
    assert read(one_epoch)[1].losses
