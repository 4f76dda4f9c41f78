"""What every slot alone would have said at a token, and the mix beside it: the same as separate runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from engine_helpers import collect, only
from torch import Tensor

from tlora_gui.engine.generation import token_stream
from tlora_gui.engine.generation.token_stream import TOP_ALTERNATIVES
from tlora_gui.engine.handlers import counterfactuals
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import MIXER_MODE, SUM_MODE, MixingDesk, SamplingSettings
from tlora_gui.engine.protocol.errors import Cancelled, TloraError
from tlora_gui.engine.protocol.events import Counterfactual, GenerationFinished, Progress
from tlora_gui.engine.protocol.texts import Generation, SlotPrediction, TokenEvent
from tlora_gui.engine.session import Session
from tlora_gui.temporal.blend import RowBlend

PROMPT = "O gentle night"
SAMPLED = SamplingSettings(max_new_tokens=10, temperature=1.0, top_k=0, top_p=1.0, repetition_penalty=1.0)
MODES = [MIXER_MODE, "", "code", SUM_MODE]


@pytest.fixture(autouse=True)
def never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A random model may come upon its end token at any time."""
    monkeypatch.setattr(token_stream, "end_token_ids", lambda *_: set())


def write(session: Session, mode: str = MIXER_MODE, prompt: str = PROMPT) -> Generation:
    (finished,) = only(session.run(jobs.Generate(prompt, mode, SAMPLED)), GenerationFinished)
    return finished.record


def ask(session: Session, record: Generation, index: int) -> Counterfactual:
    (answer,) = collect(session.run(jobs.PredictCounterfactual(record, index)))
    return answer


@torch.inference_mode()
def shares(session: Session, ids: list[int], blend: RowBlend) -> Tensor:
    """Next-token distribution (V,) after some tokens, in a run of its own."""
    assert session.model is not None
    return session.model(torch.tensor([ids]), blend).logits_BTV[0, -1].softmax(-1)


def assert_voice(prediction: SlotPrediction, shares_V: Tensor, token_id: int) -> None:
    own = shares_V[token_id]
    assert prediction.probability == pytest.approx(float(own), abs=1e-5)
    assert 1 + int((shares_V > own + 1e-5).sum()) <= prediction.rank <= int((shares_V > own - 1e-5).sum())
    top = shares_V.topk(TOP_ALTERNATIVES)
    assert [each.probability for each in prediction.alternatives] == pytest.approx(top.values.tolist(), abs=1e-5)
    assert prediction.alternatives[0].token_id == int(top.indices[0])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("index", [1, len(PROMPT), len(PROMPT) + 9])
def test_every_voice_equals_a_run_of_that_slot_alone(two_epochs: Session, mode: str, index: int) -> None:
    record = write(two_epochs, mode)
    answer = ask(two_epochs, record, index)
    ids = [token.token_id for token in record.tokens]
    assert answer.index == index and [prediction.slot for prediction in answer.predictions] == [0, 1, 2]
    for prediction in answer.predictions:
        assert_voice(prediction, shares(two_epochs, ids[:index], prediction.slot), ids[index])


@pytest.mark.parametrize("mode", MODES)
def test_the_mix_says_what_it_said_when_the_token_came(two_epochs: Session, mode: str) -> None:
    record = write(two_epochs, mode)
    for index in (1, len(PROMPT), len(record.tokens) - 1):
        mix, token = ask(two_epochs, record, index).mix, record.tokens[index]
        assert mix.slot == -1
        assert mix.probability == pytest.approx(token.probability, abs=1e-5)
        assert [each.token_id for each in mix.alternatives[:1]] == [token.alternatives[0].token_id]


def test_the_mix_is_steered_as_the_text_was(two_epochs: Session) -> None:
    events: list[Any] = []
    for event in two_epochs.run(jobs.Generate(PROMPT, sampling=SAMPLED)):
        events.append(event)
        if isinstance(event, TokenEvent) and event.index == len(PROMPT) + 3:
            two_epochs.set_desk(MixingDesk("manual", (("code", 1.0),)))
    record = only(events, GenerationFinished)[0].record
    for index in (len(PROMPT) + 3, len(PROMPT) + 4, len(PROMPT) + 8):
        mix = ask(two_epochs, record, index).mix
        assert mix.probability == pytest.approx(record.tokens[index].probability, abs=1e-5)
    unsteered = ask(two_epochs, replace(record, desk=()), len(PROMPT) + 8).mix
    assert unsteered.probability != pytest.approx(record.tokens[len(PROMPT) + 8].probability, abs=1e-4)


def test_divergence_is_that_of_the_mix_from_the_backbone(two_epochs: Session) -> None:
    record = write(two_epochs)
    index = len(PROMPT) + 1
    ids = [token.token_id for token in record.tokens[:index]]
    mix_V, backbone_V = shares(two_epochs, ids, "mixer").double(), shares(two_epochs, ids, 0).double()
    expected = float((mix_V * (mix_V / backbone_V).log()).sum())
    assert expected > 1e-3
    assert ask(two_epochs, record, index).divergence == pytest.approx(expected, rel=1e-3)


def test_the_backbone_alone_does_not_diverge_from_itself(two_epochs: Session) -> None:
    answer = ask(two_epochs, write(two_epochs, ""), len(PROMPT) + 4)
    assert 0 <= answer.divergence < 1e-6
    assert answer.mix.probability == pytest.approx(answer.predictions[0].probability, abs=1e-6)


def test_long_texts_in_pieces_and_rows_give_the_same(two_epochs: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    record = write(two_epochs)
    whole = ask(two_epochs, record, 20)
    monkeypatch.setattr(counterfactuals, "_PIECE", 6)
    monkeypatch.setattr(counterfactuals, "_TOGETHER", 40)
    events = list(two_epochs.run(jobs.PredictCounterfactual(record, 20)))
    assert only(events, Progress)
    for one, other in zip(events[-1].predictions, whole.predictions, strict=True):
        assert one.probability == pytest.approx(other.probability, abs=1e-5)
        assert one.rank == other.rank


def test_nobody_could_foresee_the_first_token_of_a_prompt(two_epochs: Session) -> None:
    with pytest.raises(TloraError, match="Nothing comes before the first token"):
        ask(two_epochs, write(two_epochs), 0)


def test_the_first_token_of_a_text_without_a_prompt_can_be_asked_about(two_epochs: Session) -> None:
    record = write(two_epochs, prompt="")
    answer = ask(two_epochs, record, 0)
    assert answer.mix.probability == pytest.approx(record.tokens[0].probability, abs=1e-5)
    assert_voice(answer.predictions[1], shares(two_epochs, [256], 1), record.tokens[0].token_id)


def test_voices_are_those_of_the_epochs_that_are_left(two_epochs: Session) -> None:
    record = write(two_epochs)
    collect(two_epochs.run(jobs.DeleteEpoch("verse")))
    assert [prediction.slot for prediction in ask(two_epochs, record, 5).predictions] == [0, 1]
    with pytest.raises(TloraError, match="not in the mixture"):
        ask(two_epochs, replace(record, mode="verse"), 5)


def test_the_last_token_of_a_full_context_can_be_asked_about(two_epochs: Session) -> None:
    record = write(two_epochs, prompt="x" * 250)
    assert ask(two_epochs, record, 255).mix.probability == pytest.approx(record.tokens[255].probability, abs=1e-5)


def test_a_text_of_another_backbone_is_refused(two_epochs: Session) -> None:
    record = write(two_epochs)
    foreigner = replace(record, tokens=(*record.tokens[:8], replace(record.tokens[8], token_id=257)))
    with pytest.raises(TloraError, match="another backbone"):
        ask(two_epochs, foreigner, 8)


def test_an_epoch_of_no_numbers_is_named_by_the_name_that_people_gave_it(two_epochs: Session) -> None:
    record = write(two_epochs, "code")
    collect(two_epochs.run(jobs.EditEpoch("verse", "Пушкин", "", "#123456")))
    assert two_epochs.model is not None
    with torch.no_grad():
        next(iter(two_epochs.model.adapter_parameters("verse").values())).fill_(torch.nan)
    with pytest.raises(TloraError, match="The epoch “Пушкин” has weights that are no numbers"):
        ask(two_epochs, record, 8)
    for mode in (MIXER_MODE, SUM_MODE):
        with pytest.raises(TloraError, match="Пушкин"):
            write(two_epochs, mode)


def test_a_stopped_question_has_no_answer_and_leaves_the_session_usable(two_epochs: Session) -> None:
    record = write(two_epochs)
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        list(two_epochs.run(jobs.PredictCounterfactual(record, 5), cancel))
    assert ask(two_epochs, record, 5).index == 5
