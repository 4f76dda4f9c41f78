"""What is broken in a project is made whole: an epoch from its text, its memory, the Time Mixer."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_helpers import QUICK, Corpora, cancel_after, collect, only, open_copy, same_tensors, snapshot, train_job
from safetensors.torch import load_file, save_file

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import SleepSettings
from tlora_gui.engine.protocol.errors import Cancelled, TloraError
from tlora_gui.engine.protocol.events import EpochFinished, EpochsChanged, Evaluated, Progress, ProjectListed, Repair
from tlora_gui.engine.session import Session
from tlora_gui.engine.training.evaluation import routing_accuracies
from tlora_gui.temporal import active_sleep

IDS = torch.arange(40, 72)[None]


def damaged(session: Session, tmp_path: Path, *names: str) -> Session:
    """A copy of the open project without these files, open."""
    assert session.project is not None
    path = Path(shutil.copytree(session.project.path, tmp_path / "damaged"))
    for name in names:
        (path / name).unlink()
    session = Session()
    collect(session.run(jobs.OpenProject(str(path))))
    return session


def states(session: Session) -> list[tuple[str, str, str]]:
    return [(epoch.slug, epoch.name, epoch.state) for epoch in session.info().epochs]


def only_repair(session: Session) -> Repair:
    (repair,) = session.info().repairs
    return repair


def refusal(session: Session, job: jobs.Job) -> str:
    with pytest.raises(TloraError) as refused:
        collect(session.run(job))
    return str(refused.value)


ADAPTER, MEMORY = "epochs/01-verse/adapter_model.safetensors", "epochs/01-verse/memory.safetensors"


@pytest.mark.parametrize("kind", ["missing", "cut short", "left out"])
def test_a_project_that_is_listed_tells_of_memories_as_an_open_one_does(
    two_epochs: Session, tmp_path: Path, kind: str
) -> None:
    assert two_epochs.project is not None
    path = Path(shutil.copytree(two_epochs.project.path, tmp_path / "copy"))
    if kind == "missing":
        (path / MEMORY).unlink()
    elif kind == "cut short":
        os.truncate(path / MEMORY, 900)
    else:
        save_file({}, path / MEMORY)
    (listed,) = only(Session().run(jobs.ListProject(str(path))), ProjectListed)
    session = Session()
    collect(session.run(jobs.OpenProject(str(path))))
    notes = [epoch.note for epoch in listed.epochs]
    assert notes == [epoch.note for epoch in session.info().epochs]
    assert "its memory is not there" in notes[0] and notes[1] == ""


# -- a broken epoch ---------------------------------------------------------------------------------------------


def test_a_whole_project_has_nothing_to_repair(two_epochs: Session) -> None:
    assert two_epochs.info().repairs == ()
    assert "not broken" in refusal(two_epochs, jobs.TrainEpoch("Verse", (".",), replaces="verse"))
    assert "whole" in refusal(two_epochs, jobs.RepairMixer())
    assert "has its memory" in refusal(two_epochs, jobs.RepairMemory("verse"))


def test_a_broken_epoch_is_trained_again_with_its_name_settings_and_colour(two_epochs: Session, tmp_path: Path) -> None:
    assert two_epochs.project is not None
    whole, settings = two_epochs.project.read_epoch("verse")
    session = damaged(two_epochs, tmp_path, ADAPTER)
    assert session.project is not None and session.model is not None
    repair = only_repair(session)
    assert repair.slug == "verse" and repair.reason
    assert isinstance(repair.job, jobs.TrainEpoch)
    assert (repair.job.name, repair.job.era, repair.job.colour) == (whole.name, whole.era, whole.colour)
    assert repair.job.settings == settings and repair.job.paths == whole.corpus
    broken = session.project.path / "epochs" / "01-verse"
    before = sorted(file.name for file in broken.iterdir())
    for event in session.run(repair.job):
        if not isinstance(event, EpochFinished | EpochsChanged):
            assert sorted(file.name for file in broken.iterdir()) == before  # nothing is lost before
            assert ("verse", "Verse", "broken") in states(session)
    assert states(session) == [("code", "Code", "frozen"), ("verse-2", "Verse", "frozen")]
    assert session.info().repairs == () and session.model.slot_adapters == ["code", "verse-2"]
    again, _ = session.project.read_epoch("verse-2")
    assert again.held_out_loss == pytest.approx(whole.held_out_loss, rel=0.02) and again.replaces == ""
    aside = {file.name for file in (session.project.path / "deleted" / "01-verse").iterdir()}
    assert aside == {*before, "deleted.json"}
    reopened = open_copy(session.project.path, tmp_path / "again")
    assert states(reopened) == states(session)


def test_an_interrupted_second_training_goes_on_and_takes_the_place_then(two_epochs: Session, tmp_path: Path) -> None:
    session, cancel = damaged(two_epochs, tmp_path, ADAPTER), CancelToken()
    job = only_repair(session).job
    assert cancel_after(session.run(job, cancel), cancel, "suspend", 2)[1]
    assert states(session)[0] == ("verse", "Verse", "broken") and states(session)[2][2] == "interrupted"
    assert session.info().repairs == ()  # it is on its way
    collect(session.run(jobs.EditEpoch("verse-2", "Verse", "again", "#123456")))
    collect(session.run(jobs.ResumeEpoch("verse-2")))
    assert states(session) == [("code", "Code", "frozen"), ("verse-2", "Verse", "frozen")]


def test_a_discarded_second_training_leaves_the_broken_one(two_epochs: Session, tmp_path: Path) -> None:
    session, cancel = damaged(two_epochs, tmp_path, ADAPTER), CancelToken()
    repair = only_repair(session)
    assert cancel_after(session.run(repair.job, cancel), cancel, "discard", 2)[1]
    assert states(session) == [("verse", "Verse", "broken"), ("code", "Code", "frozen")]
    assert only_repair(session) == repair


def test_what_nothing_is_known_of_is_offered_no_training(two_epochs: Session, tmp_path: Path) -> None:
    session = damaged(two_epochs, tmp_path, "epochs/01-verse/epoch.json")
    assert states(session)[0][2] == "broken" and session.info().repairs == ()


# -- a memory ---------------------------------------------------------------------------------------------------


def test_a_memory_is_made_again_from_the_text_as_it_was(two_epochs: Session, tmp_path: Path) -> None:
    assert two_epochs.project is not None
    was = load_file(two_epochs.project.path / MEMORY)
    session = damaged(two_epochs, tmp_path, MEMORY)
    assert session.project is not None and session.model is not None
    assert states(session)[0][2] == "frozen" and "rests on its dreams" in session.info().epochs[0].note
    repair = only_repair(session)
    assert repair == Repair(session.info().epochs[0].note, jobs.RepairMemory("verse"))
    events = collect(session.run(repair.job))
    assert only(events, EpochsChanged)[-1].repairs == () and session.info().epochs[0].note == ""
    assert same_tensors(load_file(session.project.path / MEMORY), was)
    assert torch.equal(session.model.memories["verse"].replay_NWH, was["replay"])


@pytest.mark.parametrize("why", ["gone", "other text", "never known"])
def test_a_memory_is_made_of_dreams_where_the_text_is_not_what_it_was(
    two_epochs: Session, tmp_path: Path, why: str
) -> None:
    session = damaged(two_epochs, tmp_path, MEMORY)
    assert session.project is not None
    facts = session.project.path / "epochs" / "01-verse" / "epoch.json"
    data = json.loads(facts.read_text())
    data["epoch"] |= {
        "gone": {"corpus": [str(tmp_path / "nowhere")]},
        "other text": {"corpus_fingerprint": "0" * 64},
        "never known": {"corpus_fingerprint": ""},
    }[why]
    facts.write_text(json.dumps(data))
    collect(session.run(jobs.RepairMemory("verse")))
    stored = load_file(session.project.path / MEMORY)
    assert (
        stored.keys() == {"replay", "probe", "replay_ids", "token_counts", "dream_counts"}
        and session.info().repairs == ()
    )
    session.close()
    again = Session()
    collect(again.run(jobs.OpenProject(str(tmp_path / "damaged"))))
    assert again.info().repairs == ()


def test_without_a_memory_the_others_are_measured_and_trained_on(
    two_epochs: Session, tmp_path: Path, corpora: Corpora
) -> None:
    session = damaged(two_epochs, tmp_path, MEMORY)
    (measured,) = only(collect(session.run(jobs.Evaluate(128))), Evaluated)
    assert [score.slug for score in measured.scores] == ["code"]
    collect(session.run(train_job("Tale", corpora["verse"])))
    assert [state for *_, state in states(session)] == ["frozen"] * 3


def test_a_cancelled_repair_of_a_memory_changes_nothing(two_epochs: Session, tmp_path: Path) -> None:
    session, cancel = damaged(two_epochs, tmp_path, MEMORY), CancelToken()
    with pytest.raises(Cancelled):
        for event in session.run(jobs.RepairMemory("verse"), cancel):
            if isinstance(event, Progress):
                cancel.cancel("discard")
    assert not (tmp_path / "damaged" / MEMORY).exists() and len(session.info().repairs) == 1


# -- the Time Mixer ---------------------------------------------------------------------------------------------


def routing(session: Session) -> dict[str, float]:
    assert session.model is not None
    return dict(routing_accuracies(session.model, session.model.mixer, session.model.memories))


@pytest.fixture
def well_taught(tmp_path: Path, tiny_model_folder: Path, corpora: Corpora, monkeypatch: pytest.MonkeyPatch) -> Session:
    """Two epochs with memories and a mixer as outside of tests."""
    monkeypatch.setattr(active_sleep, "CALIBRATION_STEPS", 100)
    session, settings = Session(), replace(QUICK, max_tokens=3072, sleep=SleepSettings())
    collect(session.run(jobs.CreateProject(str(tmp_path / "well"), str(tiny_model_folder))))
    for name in ("Verse", "Code"):
        collect(session.run(train_job(name, corpora[name.lower()], settings)))
    assert min(routing(session).values()) > 0.8, routing(session)
    return session


def test_a_lost_mixer_is_told_and_an_earlier_one_used_until_it_is_restored(
    well_taught: Session, tmp_path: Path, corpora: Corpora
) -> None:
    two_epochs = well_taught
    assert two_epochs.model is not None
    session = damaged(two_epochs, tmp_path, "mixer/mixer-0002.safetensors")
    assert session.model is not None and session.project is not None
    repair = only_repair(session)
    assert repair.job == jobs.RepairMixer() and repair.slug == ""
    assert "mixer-0002.safetensors" in repair.reason and "does not know Code" in repair.reason
    assert [slot.slug for slot in session.slots()] == ["", "verse", "code"]
    assert routing(session)["verse"] > 0.9 and routing(session)["code"] == 0
    with torch.inference_mode():
        assert torch.equal(session.model(IDS, 2).logits_BTV, two_epochs.model(IDS, 2).logits_BTV)
    for job in (train_job("Tale", corpora["verse"]), jobs.DeleteEpoch("verse")):
        assert "Restore the Time Mixer first" in refusal(session, job)
    assert states(session) == [("verse", "Verse", "frozen"), ("code", "Code", "frozen")]
    events = collect(session.run(repair.job))
    assert only(events, EpochsChanged)[-1].repairs == ()
    assert min(routing(session).values()) > 0.8, routing(session)
    reopened = open_copy(session.project.path, tmp_path / "again")
    assert reopened.model is not None and reopened.info().repairs == ()
    assert same_tensors(snapshot(reopened.model.mixer), snapshot(session.model.mixer))
    assert [mixer.name for mixer in reopened.info().mixers] == ["after Verse", "without Active Sleep"]
    collect(session.run(train_job("Tale", corpora["verse"], replace(QUICK, compare_unprotected=False))))
    assert [state for *_, state in states(session)] == ["frozen"] * 3


def test_without_any_mixer_all_epochs_are_learned_from_their_memories(well_taught: Session, tmp_path: Path) -> None:
    names = [f"mixer/mixer-000{number}.safetensors" for number in (1, 2)]
    session = damaged(well_taught, tmp_path, *names, "epochs/02-code/memory.safetensors")
    assert [type(repair.job) for repair in session.info().repairs] == [jobs.RepairMixer, jobs.RepairMemory]
    assert "Verse, Code" in session.info().repairs[0].reason
    collect(session.run(jobs.RepairMixer()))
    assert session.info().repairs == ()
    assert min(routing(session).values()) > 0.8, routing(session)


def test_a_mixer_that_only_a_deletion_left_is_restored_at_once(two_epochs: Session, tmp_path: Path) -> None:
    collect(two_epochs.run(jobs.DeleteEpoch("code")))
    session = damaged(two_epochs, tmp_path, "mixer/mixer-0003.safetensors")
    assert "knows all epochs" in only_repair(session).reason
    weights = routing(session)
    collect(session.run(jobs.RepairMixer()))
    assert session.info().repairs == () and routing(session) == weights


@pytest.mark.parametrize("after", [1, 40])
def test_a_cancelled_restoration_changes_nothing(two_epochs: Session, tmp_path: Path, after: int) -> None:
    session, cancel = damaged(two_epochs, tmp_path, "mixer/mixer-0002.safetensors"), CancelToken()
    assert session.model is not None
    collect(session.run(jobs.ListRuns()))
    before = snapshot(session.model.mixer), sorted((tmp_path / "damaged").rglob("*"))
    with pytest.raises(Cancelled):
        for turn, _ in enumerate(session.run(jobs.RepairMixer(), cancel)):
            if turn == after:
                cancel.cancel("discard")
    assert same_tensors(snapshot(session.model.mixer), before[0])
    assert sorted((tmp_path / "damaged").rglob("*")) == before[1]
    assert len(session.info().repairs) == 1 and [slot.slug for slot in session.slots()] == ["", "verse", "code"]


def test_a_mixer_that_cannot_be_stored_stays_damaged(
    two_epochs: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = damaged(two_epochs, tmp_path, "mixer/mixer-0002.safetensors")

    def refuse(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch, pytest.raises(PermissionError):
        patch.setattr("tlora_gui.engine.projects.project.write_tensors", refuse)
        collect(session.run(jobs.RepairMixer()))
    assert len(session.info().repairs) == 1
    collect(session.run(jobs.RepairMixer()))
    assert session.info().repairs == ()


def test_where_nobody_may_write_nothing_is_offered(
    two_epochs: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tlora_gui.engine.session.lock_project", lambda folder: None)
    session = damaged(two_epochs, tmp_path, "mixer/mixer-0002.safetensors", MEMORY)
    assert session.info().repairs == ()
    assert "can only be read here" in refusal(session, jobs.RepairMixer())


# -- room -------------------------------------------------------------------------------------------------------


def test_a_training_is_refused_where_there_is_no_room_for_what_it_stores(
    two_epochs: Session, corpora: Corpora, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert two_epochs.model is not None
    monkeypatch.setattr(
        "tlora_gui.engine.storage.disk.shutil.disk_usage",
        lambda path: type("usage", (), {"free": 10**9 if "tokens" in str(path) else 300_000}),
    )
    told = refusal(two_epochs, train_job("Tale", corpora["verse"]))
    assert "needs 1 MB, and 0 MB are free there" in told
    assert two_epochs.model.slot_adapters == ["verse", "code"] == list(two_epochs.model.adapters)
    assert [slug for slug, *_ in states(two_epochs)] == ["verse", "code"]


def test_tokens_and_an_export_are_refused_where_there_is_no_room(
    two_epochs: Session, corpora: Corpora, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "tlora_gui.engine.storage.disk.shutil.disk_usage", lambda path: type("usage", (), {"free": 100})
    )
    assert "0 MB are free there" in refusal(two_epochs, train_job("Tale", corpora["code"], replace(QUICK, seed=9)))
    assert "0 MB are free there" in refusal(two_epochs, jobs.ExportEpoch("verse", str(tmp_path / "out")))
    assert "0 MB are free there" in refusal(two_epochs, jobs.ExportEpoch("verse", str(tmp_path / "verse.gguf")))
    assert not (tmp_path / "out" / "verse").exists() and not (tmp_path / "verse.gguf").exists()
