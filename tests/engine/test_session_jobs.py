"""The session: every job, what it tells, what it leaves on disk and in the model, and orders that make no sense."""

from __future__ import annotations

import itertools
import json
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_helpers import (
    QUICK,
    Corpora,
    cancel_after,
    collect,
    drain,
    only,
    open_copy,
    reopened,
    same_tensors,
    snapshot,
    train_job,
)
from safetensors.torch import load_file

from tlora_gui.engine.projects.checkpoints import Checkpoints
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelMode, CancelToken
from tlora_gui.engine.protocol.config import (
    AVERAGE_MODE,
    EPOCH_COLOURS,
    STRATEGIES,
    SUM_MODE,
    SWITCHINGS,
    MixerSettings,
    SamplingSettings,
)
from tlora_gui.engine.protocol.errors import Cancelled, TloraError
from tlora_gui.engine.protocol.events import (
    CorpusSummarised,
    EpochFinished,
    EpochsChanged,
    Evaluated,
    FileWritten,
    GenerationFinished,
    GenerationStarted,
    HeldOut,
    Progress,
    ProjectInfo,
    ProjectOpened,
    TrainStarted,
    TrainStep,
    WeightsHashed,
)
from tlora_gui.engine.protocol.sentences import Sentence
from tlora_gui.engine.protocol.texts import TokenEvent
from tlora_gui.engine.session import Session
from tlora_gui.engine.storage import disk
from tlora_gui.engine.training import dreams, epoch_run
from tlora_gui.engine.training.evaluation import calibration, mixer_weights, route, score_domain, switch_lags
from tlora_gui.temporal.active_sleep import cut_windows
from tlora_gui.temporal.config import MemorySource, Strategy, Switching
from tlora_gui.temporal.switching import count_tokens

SHORT = SamplingSettings(max_new_tokens=6)


def refusal(session: Session, job: jobs.Job) -> str:
    with pytest.raises(TloraError) as caught:
        collect(session.run(job))
    assert caught.value.hint
    return caught.value.message


def path_of(session: Session) -> Path:
    assert session.project is not None
    return session.project.path


def states(session: Session) -> list[tuple[str, str]]:
    return [(epoch.slug, epoch.state) for epoch in session.info().epochs]


def tensors(session: Session) -> dict[str, torch.Tensor]:
    assert session.model is not None
    return snapshot(session.model)


def suspend(session: Session, job: jobs.Job, step: int) -> list[Any]:
    cancel = CancelToken()
    events, cancelled = cancel_after(session.run(job, cancel), cancel, "suspend", step)
    assert cancelled
    return events


def measured(events: list[Any]) -> list[Any]:
    """Steps and measurements, timings left out."""
    return [
        replace(event, tokens_per_second=0.0, eta_s=0.0) if isinstance(event, TrainStep) else event
        for event in events
        if isinstance(event, (TrainStep, HeldOut))
    ]


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def generate(session: Session, mode: str = "mixer", prompt: str = "O gentle night") -> list[Any]:
    return collect(session.run(jobs.Generate(prompt, mode, SHORT)))


# -- projects ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 2])
def test_a_prompt_is_read_on_more_threads_than_text_is_written_on(
    two_epochs: Session, rows: int, monkeypatch: pytest.MonkeyPatch, capped_threads: None
) -> None:
    model, taken = two_epochs.model, list[tuple[bool, int]]()
    assert model is not None
    forward = model.forward

    def watched(ids_BT: torch.Tensor, *given: Any, **named: Any) -> Any:
        taken.append((ids_BT.shape[1] > 1, torch.get_num_threads()))
        return forward(ids_BT, *given, **named)

    monkeypatch.setattr(model, "forward", watched)
    two_epochs._workspace().reading_threads = 2
    prompt = "O gentle night"
    job = (
        jobs.Generate(prompt, sampling=SHORT)
        if rows == 1
        else jobs.GenerateRows(prompt, (jobs.Row("mixer"),) * 2, SHORT)
    )
    for _ in two_epochs.run(job):
        assert torch.get_num_threads() == 1
    assert {*taken} == {(True, 2), (False, 1)}


def test_created_project_is_open_and_tells_its_backbone(tmp_path: Path, tiny_model_folder: Path) -> None:
    session = Session()
    (opened,) = collect(session.run(jobs.CreateProject(str(tmp_path / "My project"), str(tiny_model_folder))))
    assert isinstance(opened, ProjectOpened)
    project = opened.project
    assert (project.name, project.epochs, project.history, project.generation) == ("My project", (), (), None)
    backbone = project.backbone
    assert (backbone.name, backbone.reference) == ("tiny-llama", str(tiny_model_folder))
    assert (backbone.device, backbone.dtype, backbone.context_length) == ("CPU", "float32", 256)
    assert (backbone.blocks, backbone.mixer_layer) == (4, 1)
    assert session.model is not None
    assert backbone.parameters == sum(parameter.numel() for parameter in session.model.backbone.parameters())


def test_reopened_project_shows_what_was_there(two_epochs: Session) -> None:
    finished = only(generate(two_epochs), GenerationFinished)[0]
    again = reopened(two_epochs)
    assert replace(again.info(), path=two_epochs.info().path) == two_epochs.info()
    assert again.info().generation == finished.record
    assert [len(events) for _, events in again.info().history] == [9, 9]
    assert same_tensors(tensors(again), tensors(two_epochs))
    assert only(generate(again), TokenEvent) == list(finished.record.tokens)


def test_project_made_with_a_relative_path_opens_from_anywhere(
    tmp_path: Path, tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny_model_folder.parent)
    collect(Session().run(jobs.CreateProject(str(tmp_path / "p"), tiny_model_folder.name)))
    monkeypatch.chdir(tmp_path)
    assert len(collect(Session().run(jobs.OpenProject("p")))) == 1


def test_other_weights_in_the_backbones_place_are_refused_and_the_open_project_stays(
    two_epochs: Session, tmp_path: Path, tiny_model_folder: Path
) -> None:
    model = Path(shutil.copytree(tiny_model_folder, tmp_path / "model"))
    other = Session()
    collect(other.run(jobs.CreateProject(str(tmp_path / "p"), str(model))))
    assert other.model is not None
    with torch.no_grad():
        other.model.backbone.model.norm.weight[3] += 0.5
    other.model.backbone.save_pretrained(model)
    other.close()
    assert "is not the backbone" in refusal(two_epochs, jobs.OpenProject(str(tmp_path / "p")))
    assert states(two_epochs) == [("verse", "frozen"), ("code", "frozen")]
    assert len(only(generate(two_epochs), TokenEvent)) > 6


def test_projects_that_cannot_be_made_say_why(session: Session, tmp_path: Path, tiny_model_folder: Path) -> None:
    assert "is not empty" in refusal(session, jobs.CreateProject(str(path_of(session)), "no-such-model"))
    assert "does not exist" in refusal(session, jobs.CreateProject(str(tmp_path / "x"), str(tmp_path / "none")))
    assert not (tmp_path / "x").exists()


def test_unknown_strategy_is_refused_with_the_known_ones_and_nothing_is_made(
    session: Session, tmp_path: Path, tiny_model_folder: Path
) -> None:
    before = session.info()
    odd = jobs.CreateProject(str(tmp_path / "x"), str(tiny_model_folder), mixer_strategy="unheard-of")
    with pytest.raises(TloraError, match="'unheard-of'") as caught:
        collect(session.run(odd))
    assert all(strategy in caught.value.hint for strategy in STRATEGIES)
    with pytest.raises(TloraError, match="does not switch by 'leap'"):
        collect(session.run(replace(odd, mixer_strategy="gating", switching="leap")))
    assert not (tmp_path / "x").exists() and session.info() == before


@pytest.mark.parametrize("switching", SWITCHINGS)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_strategy_reaches_the_project_and_is_there_again_when_it_is_reopened(
    tmp_path: Path, tiny_model_folder: Path, corpora: Corpora, strategy: Strategy, switching: Switching
) -> None:
    session = Session()
    made = jobs.CreateProject(str(tmp_path / "p"), str(tiny_model_folder), strategy, switching=switching)
    (opened,) = only(collect(session.run(made)), ProjectOpened)
    assert opened.project.strategy == strategy
    for name in ("verse", "code"):
        collect(session.run(train_job(name.capitalize(), corpora[name])))
    again = reopened(session)
    for known in (session, again):
        assert known.info().strategy == strategy
        assert known.model is not None
        assert known.model.mixer.settings == MixerSettings(strategy, switching=switching)
    assert same_tensors(tensors(again), tensors(session))
    spoken = only(generate(again), TokenEvent)
    assert spoken == only(generate(session), TokenEvent)
    assert {weight for token in spoken for weight in token.weights} <= {0.0, 1.0} or strategy != "routing"


@pytest.mark.parametrize(
    "job",
    [
        jobs.SummariseCorpus(("x",)),
        jobs.TrainEpoch("Verse", ("x",)),
        jobs.ResumeEpoch("verse"),
        jobs.EditEpoch("verse", "Verse", "", "#000000"),
        jobs.DeleteEpoch("verse"),
        jobs.RestoreEpoch("verse"),
        jobs.ExportEpoch("verse", "x"),
        jobs.Generate("x"),
        jobs.Evaluate(),
        jobs.HashWeights(),
    ],
    ids=lambda job: type(job).__name__,
)
def test_without_a_project_every_job_says_what_to_do_first(job: jobs.Job) -> None:
    with pytest.raises(TloraError):
        collect(Session().run(job))


@pytest.mark.parametrize(
    "job",
    [
        jobs.ResumeEpoch("tale"),
        jobs.EditEpoch("tale", "Tale", "", "#000000"),
        jobs.DeleteEpoch("tale"),
        jobs.DeleteEpoch(""),
        jobs.RestoreEpoch("tale"),
        jobs.RestoreEpoch("verse"),
        jobs.ExportEpoch("tale", "x"),
        jobs.ResumeEpoch("verse"),
    ],
    ids=lambda job: f"{type(job).__name__}-{getattr(job, 'slug', '')}",
)
def test_unknown_epochs_are_refused_and_nothing_changes(
    one_epoch: Session, job: jobs.Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = content(tmp_path)
    with pytest.raises(TloraError):
        collect(one_epoch.run(job))
    assert content(tmp_path) == before and states(one_epoch) == [("verse", "frozen")]


def test_unknown_mode_is_refused_before_anything_is_told(one_epoch: Session) -> None:
    with pytest.raises(TloraError, match="not in the mixture"):
        next(iter(one_epoch.run(jobs.Generate("x", "tale"))))


# -- training ---------------------------------------------------------------------------------------------------


def test_training_tells_begin_steps_measurements_and_end(session: Session, corpora: Corpora) -> None:
    job = replace(train_job(" Verse ", corpora["verse"]), era=" Renaissance ")
    events = collect(session.run(job))
    order = [type(event).__name__ for event in events]
    steps = ["HeldOut", *["TrainStep"] * 3, "HeldOut", *["TrainStep"] * 3, "HeldOut"]
    assert order == ["CorpusRead", "EpochsChanged", "TrainStarted", *steps, "EpochFinished", "EpochsChanged"]
    started = events[2]
    assert (started.total_steps, started.first_step, started.epoch.state) == (6, 0, "training")
    epoch = only(events, EpochFinished)[0].epoch
    assert (epoch.slug, epoch.name, epoch.era, epoch.state) == ("verse", "Verse", "Renaissance", "frozen")
    assert (epoch.colour, epoch.tokens, epoch.note) == (EPOCH_COLOURS[0], 384, "")
    assert epoch.corpus == (str(corpora["verse"]),)
    assert epoch.held_out_loss == events[-3].loss
    assert events[-1] == EpochsChanged((epoch,), session.info().slots)
    assert [[slot.slug for slot in events[place].slots] for place in (1, -1)] == [["", "verse"]] * 2
    assert session.info().history == (("verse", tuple(events[3:-2])),)


@pytest.mark.parametrize("name", ["Verse", "  Verse", "", "  ", "Eternity"])
def test_empty_and_taken_names_are_refused(one_epoch: Session, corpora: Corpora, name: str) -> None:
    problem = f"The name {name.strip()!r} is taken" if name.strip() else "An epoch needs a name"
    assert problem in refusal(one_epoch, train_job(name, corpora["code"]))
    edit = jobs.EditEpoch("verse", name, "", "#000000")
    if name.strip() != "Verse":
        assert problem in refusal(one_epoch, edit)


def test_what_cannot_be_trained_is_refused_and_leaves_the_model_alone(
    one_epoch: Session, tmp_path: Path, corpora: Corpora
) -> None:
    before = tensors(one_epoch)
    (tmp_path / "few.txt").write_text("too few words")
    assert "too little text" in refusal(one_epoch, train_job("Few", tmp_path / "few.txt"))
    assert "does not exist" in refusal(one_epoch, train_job("Gone", tmp_path / "gone"))
    long = replace(QUICK, block_size=512, max_tokens=None, held_out_tokens=512)
    assert "512 tokens are too long" in refusal(one_epoch, train_job("Long", corpora["code"], long))
    assert same_tensors(tensors(one_epoch), before)
    assert states(one_epoch) == [("verse", "frozen")]


def test_colours_are_the_next_free_ones_unless_chosen(one_epoch: Session, corpora: Corpora) -> None:
    chosen = replace(train_job("Code", corpora["code"]), colour="#123456")
    collect(one_epoch.run(chosen))
    collect(one_epoch.run(jobs.EditEpoch("verse", "Verse", "", EPOCH_COLOURS[1])))
    collect(one_epoch.run(train_job("Tale", corpora["verse"])))
    assert [epoch.colour for epoch in one_epoch.info().epochs] == [EPOCH_COLOURS[1], "#123456", EPOCH_COLOURS[0]]


def test_later_training_writes_to_no_bit_that_was_there(one_epoch: Session, corpora: Corpora) -> None:
    (before,) = only(collect(one_epoch.run(jobs.HashWeights())), WeightsHashed)
    collect(one_epoch.run(train_job("Code", corpora["code"])))
    (after,) = only(collect(one_epoch.run(jobs.HashWeights())), WeightsHashed)
    assert after.backbone == before.backbone
    assert [slug for slug, _ in after.adapters] == ["verse", "code"]
    assert after.adapters[:1] == before.adapters
    (stored,) = only(collect(reopened(one_epoch).run(jobs.HashWeights())), WeightsHashed)
    assert stored == after


def test_epoch_in_training_can_speak_between_its_steps(one_epoch: Session, corpora: Corpora) -> None:
    twin = open_copy(path_of(one_epoch), path_of(one_epoch).with_name("twin"))
    expected = collect(twin.run(train_job("Code", corpora["code"])))
    events: list[Any] = []
    for event in one_epoch.run(train_job("Code", corpora["code"])):
        events.append(event)
        if isinstance(event, TrainStep):
            spoken = generate(one_epoch, "code")
            assert only(spoken, GenerationStarted)[0].slots[2].name == "Code"
            assert {token.weights for token in only(spoken, TokenEvent)} == {(0.0, 0.0, 1.0)}
    assert measured(events) == measured(expected)
    assert same_tensors(tensors(one_epoch), tensors(twin))


# -- cancel and resume ------------------------------------------------------------------------------------------


def test_keep_stores_what_is_learned_and_says_how_far_it_came(one_epoch: Session, corpora: Corpora) -> None:
    cancel = CancelToken()
    stream = one_epoch.run(train_job("Code", corpora["code"]), cancel)
    events, cancelled = cancel_after(stream, cancel, "keep", 2)
    assert not cancelled
    epoch = only(events, EpochFinished)[0].epoch
    assert (epoch.state, epoch.tokens, epoch.note) == ("frozen", 128, "stopped after 2 of 6 steps")
    assert reopened(one_epoch).info().epochs[1] == epoch


@pytest.mark.parametrize("mode", ["discard", "suspend"])
def test_discarded_epoch_leaves_no_trace_and_suspended_one_a_checkpoint(
    one_epoch: Session, corpora: Corpora, mode: CancelMode
) -> None:
    before, files = tensors(one_epoch), content(path_of(one_epoch))
    cancel = CancelToken()
    stream = one_epoch.run(train_job("Code", corpora["code"]), cancel)
    events, cancelled = cancel_after(stream, cancel, mode, 2)
    assert cancelled
    assert same_tensors(tensors(one_epoch), before)
    kept = {name: data for name, data in content(path_of(one_epoch)).items() if "checkpoints" not in name}
    assert {name: data for name, data in kept.items() if not name.startswith("runs/0002-code")} == files
    left = [("verse", "frozen")] + ([("code", "interrupted")] if mode == "suspend" else [])
    assert events[-1] == EpochsChanged(one_epoch.info().epochs, one_epoch.info().slots)
    assert [slot.slug for slot in events[-1].slots] == ["", "verse"]
    assert states(one_epoch) == states(reopened(one_epoch)) == left
    assert (path_of(one_epoch) / "checkpoints" / "code").exists() is (mode == "suspend")
    collect(one_epoch.run(train_job("Tale", corpora["code"])))
    assert ("tale", "frozen") in states(one_epoch)


def test_epoch_resumed_after_a_restart_ends_bit_for_bit_like_an_uninterrupted_one(
    one_epoch: Session, corpora: Corpora, stored_projects: dict[int, Path], tmp_path: Path
) -> None:
    expected = open_copy(stored_projects[2], tmp_path / "expected")
    first = suspend(one_epoch, train_job("Code", corpora["code"]), 2)
    again = reopened(one_epoch)
    second = suspend(again, jobs.ResumeEpoch("code"), 4)
    again = reopened(again)
    third = collect(again.run(jobs.ResumeEpoch("code")))
    assert only(third, TrainStarted)[0].first_step == 4
    (whole,) = (events for slug, events in expected.info().history if slug == "code")
    assert measured(first + second + third) == measured(list(whole))
    assert dict(again.info().history)["code"][-1] == whole[-1]
    assert measured(list(dict(again.info().history)["code"])) == measured(list(whole))
    assert again.info().epochs[1] == expected.info().epochs[1]
    for session in (again, reopened(again)):
        assert same_tensors(tensors(session), tensors(expected))
    assert not list((path_of(again) / "checkpoints").iterdir())


def test_crash_costs_the_steps_since_the_last_checkpoint_only(
    one_epoch: Session, corpora: Corpora, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epoch_run, "CHECKPOINT_SECONDS", -1.0)
    for event in one_epoch.run(train_job("Code", corpora["code"])):
        if isinstance(event, TrainStep) and event.step == 3:
            monkeypatch.setattr(Checkpoints, "save", lambda *_: None)  # as if the process were gone
            break
    again = reopened(one_epoch)
    assert states(again) == [("verse", "frozen"), ("code", "interrupted")]
    events = collect(again.run(jobs.ResumeEpoch("code")))
    assert [step.step for step in only(events, TrainStep)] == [3, 4, 5, 6]


def test_history_that_is_ahead_of_its_checkpoint_is_cut_to_it(one_epoch: Session, corpora: Corpora) -> None:
    suspend(one_epoch, train_job("Code", corpora["code"]), 2)
    path = path_of(one_epoch) / "checkpoints" / "code" / "history.jsonl"
    last = json.loads(path.read_text().splitlines()[-1])
    with path.open("a") as file:
        file.write(json.dumps({**last, "step": 3}) + "\n")
    collect(one_epoch.run(jobs.ResumeEpoch("code")))
    steps = [event.step for event in only(dict(one_epoch.info().history)["code"], TrainStep)]
    assert steps == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("change", [jobs.DeleteEpoch("verse"), "another epoch"], ids=["deleted", "trained"])
def test_epoch_does_not_go_on_over_another_past(one_epoch: Session, corpora: Corpora, change: Any) -> None:
    suspend(one_epoch, train_job("Code", corpora["code"]), 2)
    collect(one_epoch.run(train_job("Tale", corpora["verse"]) if isinstance(change, str) else change))
    before = tensors(one_epoch)
    assert "Code cannot go on" in refusal(one_epoch, jobs.ResumeEpoch("code"))
    assert same_tensors(tensors(one_epoch), before)
    assert ("code", "interrupted") in states(one_epoch)
    collect(one_epoch.run(train_job("Other", corpora["code"])))
    assert ("other", "frozen") in states(one_epoch)


def test_finished_epoch_is_finished_whatever_checkpoint_a_crash_left_of_it(
    one_epoch: Session, corpora: Corpora
) -> None:
    suspend(one_epoch, train_job("Code", corpora["code"]), 2)
    folder = path_of(one_epoch) / "checkpoints" / "code"
    left = shutil.copytree(folder, path_of(one_epoch) / "left")
    collect(one_epoch.run(jobs.ResumeEpoch("code")))
    shutil.move(left, folder)
    again = reopened(one_epoch)
    assert states(again) == [("verse", "frozen"), ("code", "frozen")]
    assert replace(again.info(), path=one_epoch.info().path) == one_epoch.info()


def test_damaged_checkpoint_does_not_go_on_and_can_be_deleted(one_epoch: Session, corpora: Corpora) -> None:
    suspend(one_epoch, train_job("Code", corpora["code"]), 2)
    path = path_of(one_epoch) / "checkpoints" / "code" / "state.safetensors"
    path.write_bytes(path.read_bytes()[:-20])
    assert "damaged" in refusal(one_epoch, jobs.ResumeEpoch("code"))
    collect(one_epoch.run(jobs.DeleteEpoch("code")))
    assert states(one_epoch) == states(reopened(one_epoch)) == [("verse", "frozen")]


def test_what_a_crash_left_of_another_text_is_not_taken_for_this_one(
    session: Session, corpora: Corpora, tiny_tokenizer: Any
) -> None:
    suspend(session, train_job("Verse", corpora["code"]), 1)
    (path_of(session) / "checkpoints" / "verse" / "state.safetensors").unlink()
    again = reopened(session)
    assert states(again) == []
    suspend(again, train_job("Verse", corpora["verse"]), 1)
    assert again.project is not None
    text = tiny_tokenizer.decode(again.project.checkpoints.read("verse", 257)[2].train_NT.flatten())
    assert "gentle night" in text and "def f_" not in text


def test_disk_that_is_full_when_an_epoch_is_stored_costs_that_epoch_only(
    one_epoch: Session, corpora: Corpora, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, files = tensors(one_epoch), content(path_of(one_epoch))

    def sync(path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(disk, "sync", sync)
    assert refusal(one_epoch, train_job("Code", corpora["code"])) == "The disk is full."
    monkeypatch.undo()
    assert same_tensors(tensors(one_epoch), before)
    assert {name: data for name, data in content(path_of(one_epoch)).items() if ".partial" not in name} == files
    assert states(one_epoch) == [("verse", "frozen")]
    assert only(generate(one_epoch), GenerationFinished)


def test_bug_in_the_middle_of_training_leaves_the_session_working(
    one_epoch: Session, corpora: Corpora, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tensors(one_epoch)

    def fail(*_: Any) -> None:
        raise ZeroDivisionError

    for broken in ("learn", "measure", "__init__"):
        with monkeypatch.context() as patch:
            patch.setattr(epoch_run.EpochRun, broken, fail)
            with pytest.raises(ZeroDivisionError):
                collect(one_epoch.run(train_job("Code", corpora["code"])))
        assert same_tensors(tensors(one_epoch), before)
        assert states(one_epoch) == [("verse", "frozen")]


# -- editing ----------------------------------------------------------------------------------------------------


def test_edits_are_kept(two_epochs: Session) -> None:
    (changed,) = collect(two_epochs.run(jobs.EditEpoch("verse", " Sonnets ", " 1609 ", "#123456")))
    assert isinstance(changed, EpochsChanged)
    epoch = reopened(two_epochs).info().epochs[0]
    assert epoch == changed.epochs[0]
    assert (epoch.slug, epoch.name, epoch.era, epoch.colour) == ("verse", "Sonnets", "1609", "#123456")
    assert "taken" in refusal(two_epochs, jobs.EditEpoch("code", "Sonnets", "", "#000000"))


def test_edit_of_an_epoch_in_training_outlives_the_training(session: Session, corpora: Corpora) -> None:
    for event in session.run(train_job("Verse", corpora["verse"])):
        if isinstance(event, TrainStep) and event.step == 2:
            collect(session.run(jobs.EditEpoch("verse", "Sonnets", "1609", "#123456")))
    for known in (session, reopened(session)):
        epoch = known.info().epochs[0]
        assert (epoch.name, epoch.era, epoch.colour, epoch.state) == ("Sonnets", "1609", "#123456", "frozen")


def test_edit_of_an_interrupted_epoch_is_kept(session: Session, corpora: Corpora) -> None:
    suspend(session, train_job("Verse", corpora["verse"]), 2)
    collect(session.run(jobs.EditEpoch("verse", "Sonnets", "", "#123456")))
    again = reopened(session)
    assert [(epoch.name, epoch.state) for epoch in again.info().epochs] == [("Sonnets", "interrupted")]
    collect(again.run(jobs.ResumeEpoch("verse")))
    assert [(epoch.name, epoch.state) for epoch in again.info().epochs] == [("Sonnets", "frozen")]


@pytest.mark.parametrize("slug", ["verse", "code"])
def test_deleted_epoch_comes_back_bit_for_bit(two_epochs: Session, slug: str) -> None:
    before, known = tensors(two_epochs), two_epochs.info()
    (changed,) = collect(two_epochs.run(jobs.DeleteEpoch(slug)))
    assert [epoch.slug for epoch in changed.epochs] == [name for name in ("verse", "code") if name != slug]
    assert reopened(two_epochs).info().epochs == changed.epochs
    assert len(only(generate(two_epochs), GenerationStarted)[0].slots) == 2
    collect(two_epochs.run(jobs.RestoreEpoch(slug)))
    assert two_epochs.info().epochs == known.epochs and two_epochs.info().history == known.history
    assert same_tensors(tensors(two_epochs), before)
    assert same_tensors(tensors(reopened(two_epochs)), before)
    assert "not in the trash" in refusal(two_epochs, jobs.RestoreEpoch(slug))


def test_the_only_epoch_can_be_deleted_and_another_be_trained(one_epoch: Session, corpora: Corpora) -> None:
    collect(one_epoch.run(jobs.DeleteEpoch("verse")))
    assert states(reopened(one_epoch)) == []
    collect(one_epoch.run(train_job("Verse", corpora["verse"])))
    assert states(one_epoch) == states(reopened(one_epoch)) == [("verse-2", "frozen")]


def test_a_discarded_training_does_not_come_back(one_epoch: Session, corpora: Corpora) -> None:
    suspend(one_epoch, train_job("Code", corpora["code"]), 1)
    for slug in ("verse", "code"):
        collect(one_epoch.run(jobs.DeleteEpoch(slug)))
    assert "not in the trash" in refusal(one_epoch, jobs.RestoreEpoch("code"))
    assert states(one_epoch) == []


def test_broken_epoch_is_shown_and_can_be_deleted(two_epochs: Session) -> None:
    (path_of(two_epochs) / "epochs" / "01-verse" / "adapter_model.safetensors").unlink()
    again = reopened(two_epochs)
    assert states(again) == [("verse", "broken"), ("code", "frozen")]
    assert again.info().epochs[0].note
    assert [slot.slug for slot in again.slots()] == ["", "code"]
    collect(again.run(jobs.DeleteEpoch("verse")))
    assert states(again) == states(reopened(again)) == [("code", "frozen")]


def test_deletion_that_cannot_be_stored_does_not_happen(two_epochs: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tensors(two_epochs)

    def sync(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(disk, "sync", sync)
    with pytest.raises(PermissionError):
        collect(two_epochs.run(jobs.DeleteEpoch("verse")))
    monkeypatch.undo()
    assert states(two_epochs) == states(reopened(two_epochs)) == [("verse", "frozen"), ("code", "frozen")]
    assert same_tensors(tensors(two_epochs), before)


def test_restoring_that_cannot_be_stored_can_be_tried_again(
    two_epochs: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tensors(two_epochs)
    collect(two_epochs.run(jobs.DeleteEpoch("verse")))

    def sync(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(disk, "sync", sync)
    with pytest.raises(PermissionError):
        collect(two_epochs.run(jobs.RestoreEpoch("verse")))
    monkeypatch.undo()
    assert states(two_epochs) == states(reopened(two_epochs)) == [("code", "frozen")]
    collect(two_epochs.run(jobs.RestoreEpoch("verse")))
    assert states(two_epochs) == [("verse", "frozen"), ("code", "frozen")]
    assert same_tensors(tensors(two_epochs), before)


def test_export_of_an_epoch_tells_where_it_is(two_epochs: Session, tmp_path: Path) -> None:
    (written,) = collect(two_epochs.run(jobs.ExportEpoch("code", str(tmp_path / "out"))))
    assert written == FileWritten(str(tmp_path / "out" / "code"))
    assert (tmp_path / "out" / "code" / "adapter_model.safetensors").is_file()


# -- corpora, generations, measurements -------------------------------------------------------------------------


def test_corpus_is_summarised(session: Session, corpora: Corpora) -> None:
    (told,) = collect(session.run(jobs.SummariseCorpus((str(corpora["verse"]),))))
    assert isinstance(told, CorpusSummarised)
    assert (told.summary.name_guess, told.summary.files, told.summary.problem) == ("Verse", 6, "")


@pytest.mark.parametrize(("mode", "slot"), [("", 0), ("verse", 1), ("code", 2), ("mixer", None)])
def test_generation_is_told_token_by_token_and_kept(two_epochs: Session, mode: str, slot: int | None) -> None:
    events = generate(two_epochs, mode)
    started, tokens, finished = events[0], events[1:-1], events[-1]
    assert isinstance(started, GenerationStarted) and isinstance(finished, GenerationFinished)
    assert [slot.name for slot in started.slots] == ["Eternity", "Verse", "Code"]
    assert finished.record.tokens == tuple(tokens)
    assert (finished.record.mode, finished.record.slots) == (mode, started.slots)
    if slot is not None:
        assert {token.weights[slot] for token in tokens} == {1.0}
    assert reopened(two_epochs).info().generation == finished.record


def greedy(session: Session, mode: str) -> list[TokenEvent]:
    sampling = SamplingSettings(max_new_tokens=24, temperature=0, repetition_penalty=1.3)
    return only(collect(session.run(jobs.Generate("O gentle night", mode, sampling))), TokenEvent)


@pytest.mark.parametrize("mode", [SUM_MODE, AVERAGE_MODE])
def test_all_adapters_of_one_epoch_are_that_epoch_alone(one_epoch: Session, mode: str) -> None:
    together, alone = greedy(one_epoch, mode), greedy(one_epoch, "verse")
    assert [token.token_id for token in together] == [token.token_id for token in alone]
    assert {token.weights for token in together} == {(0.0, 1.0)}
    assert [token.token_id for token in alone] != [token.token_id for token in greedy(one_epoch, "")]


@pytest.mark.parametrize("mode", [SUM_MODE, AVERAGE_MODE])
def test_adapters_without_a_mixer_are_told_in_equal_shares(two_epochs: Session, mode: str) -> None:
    events = generate(two_epochs, mode)
    assert {token.weights for token in only(events, TokenEvent)} == {(0.0, 0.5, 0.5)}
    assert only(events, GenerationStarted)[0].mode == mode
    assert reopened(two_epochs).info().generation == only(events, GenerationFinished)[0].record


@pytest.mark.parametrize(("mode", "weight"), [(SUM_MODE, 1.0), (AVERAGE_MODE, 0.5)])
def test_the_sum_speaks_at_full_weight_and_the_average_at_its_share(
    two_epochs: Session, mode: str, weight: float
) -> None:
    tokens = greedy(two_epochs, mode)
    assert two_epochs.model is not None
    ids_BT = torch.tensor([[token.token_id for token in tokens]])
    with torch.inference_mode():
        logits_TV = two_epochs.model(ids_BT, torch.tensor([0.0, weight, weight])).logits_BTV[0]
    shares = [float(logits_TV[place - 1].softmax(-1)[token.token_id]) for place, token in enumerate(tokens)][1:]
    assert [token.probability for token in tokens[1:]] == pytest.approx(shares, abs=1e-5)


@pytest.mark.parametrize("mode", [SUM_MODE, AVERAGE_MODE])
def test_without_epochs_there_is_nothing_to_add_up(session: Session, mode: str) -> None:
    assert "no epoch to mix" in refusal(session, jobs.Generate("O night", mode, SHORT))
    assert session.info().generation is None


def test_stopped_generation_is_kept_as_far_as_it_came(one_epoch: Session) -> None:
    cancel = CancelToken()
    events = []
    for event in one_epoch.run(jobs.Generate("O night", sampling=SHORT), cancel):
        events.append(event)
        if isinstance(event, TokenEvent) and event.index == 8:
            cancel.cancel("keep")
    record = only(events, GenerationFinished)[0].record
    assert record.ended == "stopped" and len(record.tokens) == 9
    assert one_epoch.info().generation == record


def test_exported_generation_is_a_page_with_its_text(one_epoch: Session, tmp_path: Path) -> None:
    record = only(generate(one_epoch), GenerationFinished)[0].record
    path = tmp_path / "page.html"
    assert collect(one_epoch.run(jobs.ExportGeneration(record, str(path)))) == [FileWritten(str(path))]
    texts: list[str] = []

    class Reader(HTMLParser):
        def handle_data(self, data: str) -> None:
            texts.append(data)

    Reader().feed(path.read_text(encoding="utf-8"))
    assert "O gentle night" in "".join(texts)
    (tmp_path / "file").write_text("")
    bad = jobs.ExportGeneration(record, str(tmp_path / "file" / "page.html"))
    assert "cannot be written" in refusal(one_epoch, bad)


def test_evaluation_scores_every_epoch_on_its_own_held_out_text(two_epochs: Session) -> None:
    (found,) = only(collect(two_epochs.run(jobs.Evaluate(held_out_tokens=256))), Evaluated)
    assert [score.slug for score in found.scores] == ["verse", "code"]
    last = dict(two_epochs.info().history)["code"][-1]
    assert isinstance(last, HeldOut)
    for score, epoch in zip(found.scores, two_epochs.info().epochs, strict=True):
        assert score.loss_epoch == pytest.approx(epoch.held_out_loss, abs=0.5)
        assert score.loss_backbone == pytest.approx(epoch.backbone_loss, abs=0.5)
        assert score.loss_epoch < score.loss_backbone
        assert score.baseline_routing_accuracy == dict(last.unprotected)[score.slug]


def test_evaluation_measures_borders_and_calibration_over_all_epochs(two_epochs: Session) -> None:
    (found,) = only(collect(two_epochs.run(jobs.Evaluate(held_out_tokens=256))), Evaluated)
    model = two_epochs.model
    assert model is not None
    texts = [kept(two_epochs, slug)[:8].long() for slug in ("verse", "code")]
    lags = drain(switch_lags(model, texts))[1]
    assert len(lags) == 2 and found.switch_lag == sum(lags) / 2
    assert found.calibration_error == calibration(
        drain(route(model, each_NT, slot))[1] for slot, each_NT in enumerate(texts, 1)
    )
    assert 0 <= found.calibration_error <= 1


def test_evaluation_tells_where_the_mixer_errs_as_the_mixture_reads_it(two_epochs: Session) -> None:
    (found,) = only(collect(two_epochs.run(jobs.Evaluate(held_out_tokens=256, misrouted=4))), Evaluated)
    assert 0 < len(found.misrouted) <= 4
    model, slugs = two_epochs.model, [slot.slug for slot in two_epochs.slots()]
    assert model is not None
    for text in found.misrouted:
        own, ids = slugs.index(text.slug), [token.token_id for token in text.tokens]
        assert text.slots == two_epochs.slots() and 0 <= text.first < text.end <= len(ids) <= text.end + 8
        assert ids in [row[: len(ids)] for row in kept(two_epochs, text.slug).tolist()]
        expected_TS = mixer_weights(model, torch.tensor([ids]))[0]
        torch.testing.assert_close(torch.tensor([token.weights for token in text.tokens]), expected_TS)
        most = expected_TS.argmax(-1).tolist()
        assert own not in most[text.first : text.end] and text.slot in most[text.first : text.end]
        assert text.first == 0 or most[text.first - 1] == own
    (quiet,) = only(collect(two_epochs.run(jobs.Evaluate(held_out_tokens=256))), Evaluated)
    assert quiet.misrouted == ()


def test_evaluation_of_one_epoch_has_no_border(one_epoch: Session) -> None:
    (found,) = only(collect(one_epoch.run(jobs.Evaluate())), Evaluated)
    assert found.switch_lag is None and found.unknown_text is None and 0 <= found.calibration_error <= 1


def test_evaluation_of_no_epoch_is_refused(session: Session) -> None:
    with pytest.raises(TloraError, match="no epoch to measure"):
        collect(session.run(jobs.Evaluate()))


def kept(session: Session, slug: str) -> torch.Tensor:
    """Held-out tokens that an epoch has left."""
    assert session.model is not None
    held_out_NT = session.model.memories[slug].held_out_NT
    assert held_out_NT is not None
    return held_out_NT


def train_and_lose_the_corpus(session: Session, corpora: Corpora, tmp_path: Path, source: MemorySource) -> Path:
    """Train on a copy of a corpus and remove it; returns where it was."""
    folder = Path(shutil.copytree(corpora["verse"], tmp_path / "verse"))
    settings = replace(QUICK, sleep=replace(QUICK.sleep, source=source))
    collect(session.run(train_job("Verse", folder, settings)))
    shutil.rmtree(folder)
    return folder


def test_evaluation_needs_no_corpus_for_epochs_left_their_held_out_text(
    session: Session, corpora: Corpora, tmp_path: Path
) -> None:
    train_and_lose_the_corpus(session, corpora, tmp_path, "features")
    found = [only(collect(known.run(jobs.Evaluate())), Evaluated)[0] for known in (session, reopened(session))]
    assert found[0] == found[1]
    assert found[0].scores[0].loss_epoch < found[0].scores[0].loss_backbone
    assert session.model is not None
    expected = drain(score_domain(session.model, "verse", kept(session, "verse").long()))[1]
    assert found[0].scores[0] == expected


@pytest.mark.parametrize("source", ["dreams", "features-without-text"])
def test_evaluation_of_what_left_no_text_reads_the_corpus_or_says_that_it_is_missing(
    session: Session, corpora: Corpora, tmp_path: Path, source: MemorySource
) -> None:
    folder = train_and_lose_the_corpus(session, corpora, tmp_path, source)
    assert "does not exist" in refusal(session, jobs.Evaluate())
    folder.mkdir()
    assert "held-out text is no longer there" in refusal(session, jobs.Evaluate())
    shutil.copytree(corpora["verse"], folder, dirs_exist_ok=True)
    (found,) = only(collect(session.run(jobs.Evaluate())), Evaluated)
    assert [score.slug for score in found.scores] == ["verse"]


def test_an_epoch_remembered_in_dreams_leaves_no_token_of_its_text_on_disk(
    session: Session, corpora: Corpora, tmp_path: Path
) -> None:
    train_and_lose_the_corpus(session, corpora, tmp_path, "dreams")
    stored = {path: load_file(path) for path in path_of(session).rglob("*.safetensors")}
    assert len(stored) == 3  # adapter, memory, mixer
    tokens = {n: t for tensors in stored.values() for n, t in tensors.items() if not t.is_floating_point()}
    assert tokens.keys() == {"replay_ids", "token_counts", "dream_counts"}
    assert session.model is not None
    count = tokens["replay_ids"].numel() // dreams.dream_length(session.model)
    dreamt_NT = drain(dreams.dream(session.model, 1, count, QUICK.seed))[1]
    assert torch.equal(cut_windows(dreamt_NT).int(), tokens["replay_ids"]), "what the epoch has dreamt"
    assert torch.equal(count_tokens(dreamt_NT), tokens["token_counts"])
    assert not [name for name, data in content(path_of(session)).items() if b"gentle night" in data]
    assert not list((path_of(session) / "checkpoints").rglob("*.safetensors"))


def test_features_without_text_leave_no_token_on_disk_and_take_a_quarter_of_the_room(
    session: Session, corpora: Corpora, tmp_path: Path
) -> None:
    train_and_lose_the_corpus(session, corpora, tmp_path, "features-without-text")
    (file,) = path_of(session).rglob("memory.safetensors")
    stored = load_file(file)
    assert {name: tensor.dtype for name, tensor in stored.items()} == {
        "replay": torch.uint8, "probe": torch.uint8, "replay_level": torch.float32, "probe_level": torch.float32,
    }  # fmt: skip
    assert session.model is not None
    memory = session.model.memories["verse"]
    assert stored["replay"].nbytes * 4 == memory.replay_NWH.nbytes and memory.counted is None
    assert not [name for name, data in content(path_of(session)).items() if b"gentle night" in data]
    again = reopened(session)
    assert again.model is not None
    found = again.model.memories["verse"]
    assert torch.equal(found.replay_NWH, memory.replay_NWH)
    assert torch.equal(found.eval_features_NTH, memory.eval_features_NTH)


@pytest.mark.parametrize("source", ["dreams", "features-without-text"])
def test_an_epoch_can_sleep_without_text_after_a_restart(
    session: Session, corpora: Corpora, tmp_path: Path, source: MemorySource
) -> None:
    train_and_lose_the_corpus(session, corpora, tmp_path, source)
    again = open_copy(path_of(session), path_of(session).with_name("again"))
    one, other = (measured(collect(known.run(train_job("Code", corpora["code"])))) for known in (session, again))
    assert all(step.mixer_distill_loss > 0 for step in only(one, TrainStep))
    assert one == other


def test_evaluation_can_be_cancelled_between_any_two_items(two_epochs: Session) -> None:
    job = jobs.Evaluate(held_out_tokens=512)
    items = len(list(two_epochs.run(job)))
    assert items > 20
    for told in range(1, items):
        cancel = CancelToken()
        stream = iter(two_epochs.run(job, cancel))
        for _ in range(told):
            assert isinstance(next(stream), Progress)
        cancel.cancel()
        with pytest.raises(Cancelled):
            next(stream)


def test_evaluation_reads_no_more_than_a_batch_between_two_items(
    two_epochs: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = two_epochs.model
    assert model is not None
    model.next_token_loss(torch.zeros(1, 2, dtype=torch.long), 0)  # the first one looks at the output layer too
    read: list[int] = []
    block = model.backbone.model.layers[0]
    block.register_forward_pre_hook(lambda _, args, kwargs: read.append(args[0].shape[0]), with_kwargs=True)
    passes = [len(read) for _ in two_epochs.run(jobs.Evaluate())]
    assert max(read) <= 4
    assert max(after - before for before, after in itertools.pairwise([0, *passes])) == 1
    blocks = sum(len(kept(two_epochs, slug)) for slug in ("verse", "code"))
    assert sum(read) == 4 * blocks + 2, "thrice for losses, once for the routing, and two borders"


def test_project_info_holds_no_tensor(two_epochs: Session) -> None:
    def leaves(thing: Any) -> Any:
        if hasattr(thing, "__dataclass_fields__"):
            return [leaf for name in thing.__dataclass_fields__ for leaf in leaves(getattr(thing, name))]
        if isinstance(thing, Sentence):
            thing = (thing.template, *thing.values.values())
        return [leaf for part in thing for leaf in leaves(part)] if isinstance(thing, tuple) else [thing]

    generate(two_epochs)
    info: ProjectInfo = two_epochs.info()
    assert {type(leaf) for leaf in leaves(info)} <= {str, int, float, bool, type(None)}
    assert len(leaves(info)) > 100
