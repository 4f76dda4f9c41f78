"""Mixers of earlier phases and the one without Active Sleep: told, kept, speaking again, and asked about a text."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest
import torch
from engine_helpers import QUICK, Corpora, cancel_after, collect, only, reopened, train_job
from safetensors.torch import load_file

from tlora_gui.engine.handlers.mixer_timeline import weights_over
from tlora_gui.engine.projects.stored_mixers import over_slots
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import BASELINE_MODE, MIXER_MODE, SamplingSettings
from tlora_gui.engine.protocol.errors import Cancelled, TloraError
from tlora_gui.engine.protocol.events import (
    EpochsChanged,
    GenerationFinished,
    MixerTimeline,
    ProjectOpened,
    StoredMixer,
    TrainStep,
)
from tlora_gui.engine.protocol.texts import Generation
from tlora_gui.engine.session import Session
from tlora_gui.temporal.config import MixerSettings, Strategy
from tlora_gui.temporal.model import TemporalLoRA
from tlora_gui.temporal.time_mixer import TimeMixer

GREEDY = SamplingSettings(max_new_tokens=5, temperature=0.0)
AFTER_VERSE = StoredMixer("@1", "after Verse", ("verse",), "Verse")
UNPROTECTED = StoredMixer(BASELINE_MODE, "without Active Sleep", ("verse", "code"))


def generated(session: Session, mode: str = MIXER_MODE, prompt: str = "O gentle night") -> Generation:
    (finished,) = only(session.run(jobs.Generate(prompt, mode, GREEDY)), GenerationFinished)
    return finished.record


def weights(record: Generation) -> list[tuple[float, ...]]:
    return [token.weights for token in record.tokens]


def timeline(session: Session, record: Generation) -> MixerTimeline:
    (answer,) = collect(session.run(jobs.ComputeMixerTimeline(record)))
    assert isinstance(answer, MixerTimeline)
    return answer


def phases(answer: MixerTimeline) -> list[tuple[str, str]]:
    return [(mixer.mode, mixer.after) for mixer in answer.mixers]


def names(answer: MixerTimeline) -> list[tuple[str, str]]:
    return [(mixer.mode, mixer.name) for mixer in answer.mixers]


# -- which there are --------------------------------------------------------------------------------------------


def test_a_mixer_of_an_earlier_phase_and_the_unprotected_one_are_told(two_epochs: Session) -> None:
    assert two_epochs.info().mixers == (AFTER_VERSE, UNPROTECTED)


@pytest.mark.parametrize("known", ["session", "one_epoch"])
def test_the_first_phase_has_no_earlier_one_and_nothing_to_protect(request: pytest.FixtureRequest, known: str) -> None:
    assert request.getfixturevalue(known).info().mixers == ()


def test_training_tells_and_stores_the_mixers_it_leaves(one_epoch: Session, corpora: Corpora) -> None:
    changes = only(one_epoch.run(train_job("Code", corpora["code"])), EpochsChanged)
    assert [change.mixers for change in changes] == [(AFTER_VERSE,), (AFTER_VERSE, UNPROTECTED)]
    assert reopened(one_epoch).info().mixers == (AFTER_VERSE, UNPROTECTED)


def test_epoch_trained_without_comparison_leaves_no_unprotected_mixer(one_epoch: Session, corpora: Corpora) -> None:
    collect(one_epoch.run(train_job("Code", corpora["code"], replace(QUICK, compare_unprotected=False))))
    assert one_epoch.info().mixers == (AFTER_VERSE,)


def test_resumed_epoch_leaves_its_unprotected_mixer_too(one_epoch: Session, corpora: Corpora) -> None:
    cancel = CancelToken()
    cancel_after(one_epoch.run(train_job("Code", corpora["code"]), cancel), cancel, "suspend", 2)
    assert one_epoch.info().mixers == ()
    again = reopened(one_epoch)
    collect(again.run(jobs.ResumeEpoch("code")))
    assert again.info().mixers == (AFTER_VERSE, UNPROTECTED)


def test_a_third_phase_has_two_earlier_ones_and_its_own_unprotected_mixer(
    two_epochs: Session, corpora: Corpora
) -> None:
    collect(two_epochs.run(train_job("Tale", corpora["verse"])))
    mixers = two_epochs.info().mixers
    assert [(mixer.mode, mixer.name) for mixer in mixers] == [
        ("@1", "after Verse"),
        ("@2", "after Code"),
        (BASELINE_MODE, "without Active Sleep"),
    ]
    assert mixers[1].epochs == ("verse", "code")
    assert mixers[2].epochs == ("verse", "code", "tale")


def test_a_renamed_epoch_renames_its_mixer(two_epochs: Session) -> None:
    (changed,) = collect(two_epochs.run(jobs.EditEpoch("verse", "Sonnets", "", "#123456")))
    assert changed.mixers == two_epochs.info().mixers == (replace(AFTER_VERSE, name="after Sonnets"), UNPROTECTED)


@pytest.mark.parametrize(("slug", "left"), [("verse", (UNPROTECTED,)), ("code", (AFTER_VERSE,))])
def test_mixers_of_a_deleted_epoch_are_gone_until_it_is_restored(
    two_epochs: Session, slug: str, left: tuple[StoredMixer, ...]
) -> None:
    (changed,) = collect(two_epochs.run(jobs.DeleteEpoch(slug)))
    assert changed.mixers == reopened(two_epochs).info().mixers == left
    (opened,) = only(two_epochs.run(jobs.RestoreEpoch(slug)), ProjectOpened)
    assert opened.project.mixers == reopened(two_epochs).info().mixers == (AFTER_VERSE, UNPROTECTED)


def test_an_epoch_trained_beside_a_broken_one_ends_a_phase(two_epochs: Session, corpora: Corpora) -> None:
    assert two_epochs.project is not None
    (two_epochs.project.path / "epochs" / "01-verse" / "adapter_model.safetensors").unlink()
    again = reopened(two_epochs)
    collect(again.run(train_job("Tale", corpora["verse"])))
    assert [mixer.name for mixer in again.info().mixers] == ["after Code", "without Active Sleep"]
    assert names(timeline(again, generated(again, "@2"))) == [("@2", "after Code"), (MIXER_MODE, "after Tale")]


def test_an_index_of_a_time_without_baselines_opens_as_before(two_epochs: Session) -> None:
    assert two_epochs.project is not None
    file = two_epochs.project.path / "project.json"
    index = json.loads(file.read_text())
    del index["baselines"]
    index["format_version"] = 1
    file.write_text(json.dumps(index))
    assert reopened(two_epochs).info().mixers == (AFTER_VERSE,)


def test_a_mixer_whose_file_is_gone_is_not_told(two_epochs: Session) -> None:
    assert two_epochs.project is not None
    (two_epochs.project.path / "mixer" / "mixer-0001.safetensors").unlink()
    assert two_epochs.info().mixers == (UNPROTECTED,)


# -- speaking again ---------------------------------------------------------------------------------------------


def mixer_of(strategy: Strategy, slots: int) -> TimeMixer:
    mixer = TimeMixer(48, MixerSettings(strategy), slots)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in mixer.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return mixer.requires_grad_(False)


@pytest.mark.parametrize("strategy", ["gating", "routing", "attention"])
def test_slots_that_a_mixer_does_not_know_get_exactly_nothing_in_context(strategy: Strategy) -> None:
    hidden_BTH = torch.randn(1, 300, 48, generator=torch.Generator().manual_seed(1))
    alone, mixer = mixer_of(strategy, 3), mixer_of(strategy, 3)
    expected_BTS = alone.weights(alone(hidden_BTH)[0])
    mixer = over_slots(mixer, ("verse", "code"), ("tale", "code", "verse", "play"))
    state, pieces = None, []
    for piece_BTH in hidden_BTH.split([200, 1, 99], dim=1):
        logits_BTS, state = mixer(piece_BTH, state)
        pieces.append(mixer.weights(logits_BTS))
    weights_BTS = torch.cat(pieces, dim=1)
    assert torch.all(weights_BTS[..., [1, 4]] == 0)
    torch.testing.assert_close(weights_BTS[..., [0, 3, 2]], expected_BTS, atol=1e-5, rtol=1e-4)


def test_slots_that_are_gone_leave_their_weight_to_the_others() -> None:
    hidden_BTH = torch.randn(1, 20, 48, generator=torch.Generator().manual_seed(1))
    whole, mixer = mixer_of("gating", 3), over_slots(mixer_of("gating", 3), ("verse", "code"), ("code",))
    shares_BTS = whole.mean(hidden_BTH)[0].softmax(-1)[..., [0, 2]]
    torch.testing.assert_close(mixer.mean(hidden_BTH)[0].softmax(-1), shares_BTS / shares_BTS.sum(-1, keepdim=True))
    without = TimeMixer(48, MixerSettings("gating"), 2)
    whole.remove_slot(1)
    without.load_state_dict(whole.state_dict())
    torch.testing.assert_close(mixer(hidden_BTH)[0], without(hidden_BTH)[0])


def test_an_earlier_mixer_speaks_as_it_did_then(one_epoch: Session, corpora: Corpora) -> None:
    before = generated(one_epoch)
    collect(one_epoch.run(train_job("Code", corpora["code"])))
    after = generated(one_epoch, "@1")
    assert after.mode == "@1"
    assert [token.token_id for token in after.tokens] == [token.token_id for token in before.tokens]
    assert all(weight[2] == 0.0 for weight in weights(after))
    assert [weight[:2] for weight in weights(after)] == [pytest.approx(weight, abs=1e-5) for weight in weights(before)]


def test_the_unprotected_mixer_is_the_one_that_learned_beside(two_epochs: Session) -> None:
    assert two_epochs.project is not None and two_epochs.model is not None
    stored = load_file(two_epochs.project.path / "mixer" / "baseline-code.safetensors")
    model, record = two_epochs.model, generated(two_epochs, BASELINE_MODE)
    mixer = TimeMixer(model.mixer.hidden_size, model.mixer.settings, 3)
    mixer.load_state_dict(stored)
    ids = [token.token_id for token in record.tokens if token.is_prompt]
    with torch.inference_mode():
        expected = model(torch.tensor([ids]), mixer).weights_BTS[0].tolist()
    assert weights(record)[: len(ids)] == [pytest.approx(tuple(weight), abs=1e-5) for weight in expected]
    assert weights(record) != weights(generated(two_epochs))


def test_a_mixer_speaks_without_an_epoch_that_was_deleted(two_epochs: Session) -> None:
    collect(two_epochs.run(jobs.DeleteEpoch("verse")))
    record = generated(two_epochs, BASELINE_MODE)
    assert [slot.slug for slot in record.slots] == ["", "code"]
    assert all(sum(weight) == pytest.approx(1.0) for weight in weights(record))


@pytest.mark.parametrize("mode", ["@2", "@7", "@", "@unprotected"])
def test_a_mixer_that_is_not_there_is_refused(one_epoch: Session, mode: str) -> None:
    with pytest.raises(TloraError, match=r"That mixer is not stored in this project. Choose another mode."):
        generated(one_epoch, mode)


def test_a_damaged_mixer_is_told_with_its_file_and_the_others_speak(two_epochs: Session) -> None:
    assert two_epochs.project is not None
    (two_epochs.project.path / "mixer" / "mixer-0001.safetensors").write_bytes(b"short")
    with pytest.raises(TloraError, match=r"mixer-0001.safetensors is damaged"):
        generated(two_epochs, "@1")
    assert generated(two_epochs, BASELINE_MODE).tokens


def test_while_an_epoch_is_trained_the_mixer_before_it_can_speak(one_epoch: Session, corpora: Corpora) -> None:
    for event in one_epoch.run(train_job("Code", corpora["code"])):
        if isinstance(event, TrainStep) and event.step == 3:
            record = generated(one_epoch, "@1")
            answer = timeline(one_epoch, record)
    assert all(weight[2] == 0.0 for weight in weights(record))
    assert names(answer) == [("@1", "after Verse"), (MIXER_MODE, "now")]
    assert phases(answer) == [("@1", "Verse"), (MIXER_MODE, "")]
    after = timeline(one_epoch, record)
    assert phases(after) == [("@1", "Verse"), (MIXER_MODE, "Code")]


# -- one text under all of them ---------------------------------------------------------------------------------


def test_a_text_is_told_under_every_phase_with_the_weights_that_each_mixer_gives(
    two_epochs: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, earlier = generated(two_epochs), generated(two_epochs, "@1")
    reads = Mock(side_effect=TemporalLoRA.features)
    monkeypatch.setattr(TemporalLoRA, "features", lambda model, ids: reads(model, ids))
    answer = timeline(two_epochs, record)
    reads.assert_called_once()
    assert names(answer) == [("@1", "after Verse"), (MIXER_MODE, "after Code")]
    assert answer.mixers[1].epochs == ("verse", "code")
    for told in answer.tokens:
        without = [[replace(token, weights=(), reasons=None) for token in tokens] for tokens in (told, record.tokens)]
        assert without[0] == without[1] and all(token.reasons is None for token in told), "they are another mixer's"
    now = [token.weights for token in answer.tokens[1]]
    assert now == [pytest.approx(weight, abs=1e-4) for weight in weights(record)]
    prompt = [token.weights for token in answer.tokens[0] if token.is_prompt]
    assert prompt == [pytest.approx(weight, abs=1e-4) for weight in weights(earlier)[: len(prompt)]]


def test_a_text_without_a_prompt_has_its_first_weights_from_the_start_token(two_epochs: Session) -> None:
    record = generated(two_epochs, prompt="")
    assert record.tokens and not record.tokens[0].is_prompt
    now = [token.weights for token in timeline(two_epochs, record).tokens[-1]]
    assert now == [pytest.approx(weight, abs=1e-4) for weight in weights(record)]


def test_a_text_keeps_its_slots_whatever_became_of_them(two_epochs: Session) -> None:
    record = generated(two_epochs)
    then = timeline(two_epochs, record)
    collect(two_epochs.run(jobs.DeleteEpoch("code")))
    now = timeline(two_epochs, record)
    assert names(now) == [("@1", "after Verse"), (MIXER_MODE, "now")]
    assert now.tokens[0] == then.tokens[0]
    assert all(len(token.weights) == 3 and token.weights[2] == 0.0 for token in now.tokens[1])


def test_before_the_first_epoch_the_current_mixer_is_all_there_is(session: Session) -> None:
    answer = timeline(session, generated(session))
    assert names(answer) == [(MIXER_MODE, "now")]
    assert {token.weights for token in answer.tokens[0]} == {(1.0,)}


def test_weights_of_slots_that_a_text_does_not_have_go_to_no_one() -> None:
    weights_TS = torch.tensor([[0.2, 0.3, 0.5], [0.0, 1.0, 0.0]])
    told_TS = weights_over(weights_TS, ["", "verse", "code"], ["", "tale", "code"])
    torch.testing.assert_close(told_TS, torch.tensor([[2 / 7, 0.0, 5 / 7], [1.0, 0.0, 0.0]]))


def test_a_text_of_another_backbone_is_refused(one_epoch: Session) -> None:
    record = generated(one_epoch)
    strange = replace(record, tokens=(replace(record.tokens[0], token_id=257), *record.tokens[1:]))
    long = replace(record, tokens=tuple(replace(record.tokens[0], index=i) for i in range(257)))
    unprompted = replace(long, tokens=tuple(replace(token, is_prompt=False) for token in long.tokens[:256]))
    with pytest.raises(TloraError, match="tokens that this backbone lacks; another backbone may have"):
        timeline(one_epoch, strange)
    for each in (long, unprompted):
        with pytest.raises(TloraError, match="has 257 tokens, but the backbone reads at most 256"):
            timeline(one_epoch, each)


def test_a_mixer_of_no_numbers_is_named(two_epochs: Session) -> None:
    record = generated(two_epochs)
    assert two_epochs.model is not None
    with torch.no_grad():
        two_epochs.model.mixer.head.bias.fill_(torch.nan)
    with pytest.raises(TloraError, match="phase “after Code” gives weights that are no numbers"):
        timeline(two_epochs, record)


def test_asking_can_be_stopped_and_leaves_the_session_usable(two_epochs: Session) -> None:
    record, cancel = generated(two_epochs), CancelToken()
    stream: Any = two_epochs.run(jobs.ComputeMixerTimeline(record), cancel)
    next(stream)
    cancel.cancel()
    with pytest.raises(Cancelled):
        collect(stream)
    assert len(timeline(two_epochs, record).tokens) == 2
