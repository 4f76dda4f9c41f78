"""The trash of a project: what was deleted is listed, comes back after days and crashes, or is removed for good."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_helpers import Corpora, collect, only, open_copy, reopened, same_tensors, snapshot, train_job

from tlora_gui.engine.projects import project as project_module
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import SamplingSettings
from tlora_gui.engine.protocol.errors import Cancelled, TloraError
from tlora_gui.engine.protocol.events import (
    EpochInfo,
    GenerationFinished,
    GenerationsListed,
    Progress,
    ProjectOpened,
    RunsListed,
    TrainStep,
    TrashItem,
    TrashListed,
)
from tlora_gui.engine.session import Session
from tlora_gui.engine.storage import disk
from tlora_gui.engine.training.evaluation import mixer_weights


def do(session: Session, job: jobs.Job) -> Any:
    """The last thing that a job tells."""
    return collect(session.run(job))[-1]


def refusal(session: Session, job: jobs.Job) -> str:
    with pytest.raises(TloraError) as refused:
        collect(session.run(job))
    return f"{refused.value.message} {refused.value.hint}"


def trash(session: Session) -> tuple[TrashItem, ...]:
    listed = do(session, jobs.ListTrash())
    assert isinstance(listed, TrashListed)
    return listed.items


def names(session: Session) -> list[tuple[str, str]]:
    return [(item.kind, item.name) for item in trash(session)]


def states(session: Session) -> list[tuple[str, str]]:
    return [(epoch.slug, epoch.state) for epoch in session.info().epochs]


def epoch(session: Session, slug: str) -> EpochInfo:
    return next(epoch for epoch in session.info().epochs if epoch.slug == slug)


def path_of(session: Session) -> Path:
    assert session.project is not None
    return session.project.path


def mixer(session: Session) -> dict[str, torch.Tensor]:
    assert session.model is not None
    return snapshot(session.model.mixer)


def shares(session: Session) -> dict[str, float]:
    """The mean weight that the mixer gives every epoch on what that epoch left of its held-out text."""
    model = session.model
    assert model is not None
    with torch.no_grad():
        return {
            slug: float(mixer_weights(model, model.memories[slug].eval_ids_NT)[..., slot].mean())
            for slot, slug in enumerate(model.slot_adapters, 1)
        }


def written(session: Session, **branch: Any) -> str:
    """The id of a text that was just written."""
    job = jobs.Generate("def", sampling=SamplingSettings(max_new_tokens=3), **branch)
    (finished,) = only(collect(session.run(job)), GenerationFinished)
    return finished.record.id


def kept(session: Session) -> list[str]:
    listed = do(session, jobs.ListGenerations())
    assert isinstance(listed, GenerationsListed)
    return [each.id for each in listed.generations]


# -- epochs -----------------------------------------------------------------------------------------------------


def test_a_deleted_epoch_is_listed_with_when_and_how_large(two_epochs: Session) -> None:
    do(two_epochs, jobs.DeleteEpoch("verse"))
    (item,) = trash(two_epochs)
    folder = path_of(two_epochs) / "deleted" / "01-verse"
    assert (item.kind, item.id, item.name) == ("epoch", "verse", "Verse")
    assert item.deleted == pytest.approx((folder / "deleted.json").stat().st_mtime, abs=60)
    assert item.size == sum(file.stat().st_size for file in folder.iterdir())


@pytest.mark.parametrize("order", [("verse", "code"), ("code", "verse")], ids="-".join)
@pytest.mark.parametrize("back", [("verse", "code"), ("code", "verse")], ids="-".join)
def test_several_epochs_come_back_in_any_order_as_they_were(
    two_epochs: Session, order: tuple[str, str], back: tuple[str, str]
) -> None:
    before, index, info = mixer(two_epochs), (path_of(two_epochs) / "project.json").read_text(), two_epochs.info()
    for slug in order:
        do(two_epochs, jobs.DeleteEpoch(slug))
    again = reopened(two_epochs)
    for slug in back:
        assert isinstance(do(again, jobs.RestoreEpoch(slug)), ProjectOpened)
        assert epoch(again, slug) == next(one for one in info.epochs if one.slug == slug)
    assert same_tensors(mixer(again), before) and again.info().epochs == info.epochs
    assert (path_of(again) / "project.json").read_text() == index
    assert trash(again) == () and not list((path_of(again) / "deleted").iterdir())


def test_restoring_one_of_two_leaves_the_other_in_the_trash(two_epochs: Session) -> None:
    before = mixer(two_epochs)
    for slug in ("verse", "code"):
        do(two_epochs, jobs.DeleteEpoch(slug))
    do(two_epochs, jobs.RestoreEpoch("verse"))
    for session in (two_epochs, reopened(two_epochs)):
        assert states(session) == [("verse", "frozen")] and names(session) == [("epoch", "Code")]
        assert torch.equal(mixer(session)["head.weight"], before["head.weight"][:2])


def test_after_another_training_the_mixer_learns_the_slot_anew(two_epochs: Session, tmp_path: Path) -> None:
    adapter = path_of(two_epochs) / "epochs" / "01-verse" / "adapter_model.safetensors"
    weights = adapter.read_bytes()
    do(two_epochs, jobs.DeleteEpoch("verse"))
    (tmp_path / "tale").mkdir()
    (tmp_path / "tale" / "a.txt").write_text("".join(f"{n * n} = {n} * {n}; " for n in range(900)))
    collect(two_epochs.run(train_job("Tale", tmp_path / "tale")))
    before = shares(two_epochs)
    do(two_epochs, jobs.RestoreEpoch("verse"))
    for session in (two_epochs, reopened(two_epochs)):
        assert [slot.slug for slot in session.slots()] == ["", "code", "tale", "verse"]
        assert states(session) == [("code", "frozen"), ("tale", "frozen"), ("verse", "frozen")]
        assert epoch(session, "verse").note == "it was deleted once; its slot was learned anew"
        after = shares(session)
        assert after["verse"] > 0.8
        assert all(after[slug] > share - 0.1 for slug, share in before.items())
        assert trash(session) == ()
    assert adapter.read_bytes() == weights


def test_learning_the_slot_anew_can_be_cancelled_without_a_trace(two_epochs: Session, corpora: Corpora) -> None:
    do(two_epochs, jobs.DeleteEpoch("verse"))
    collect(two_epochs.run(train_job("Tale", corpora["verse"])))
    before, listed, cancel = mixer(two_epochs), states(two_epochs), CancelToken()
    with pytest.raises(Cancelled):
        for event in two_epochs.run(jobs.RestoreEpoch("verse"), cancel):
            if isinstance(event, Progress) and event.label == "Teaching the Time Mixer" and event.done > 2:
                cancel.cancel("discard")
    for session in (two_epochs, reopened(two_epochs)):
        assert same_tensors(mixer(session), before)
        assert states(session) == listed and names(session) == [("epoch", "Verse")]


def test_a_name_that_was_given_away_meanwhile_gets_a_number(two_epochs: Session) -> None:
    do(two_epochs, jobs.DeleteEpoch("verse"))
    do(two_epochs, jobs.EditEpoch("code", "Verse", "", "#123456"))
    do(two_epochs, jobs.RestoreEpoch("verse"))
    assert [one.name for one in reopened(two_epochs).info().epochs] == ["Verse 2", "Verse"]


def test_nothing_is_restored_into_a_training(two_epochs: Session, corpora: Corpora) -> None:
    do(two_epochs, jobs.DeleteEpoch("verse"))
    stream = two_epochs.run(train_job("Tale", corpora["verse"]))
    next(event for event in stream if isinstance(event, TrainStep))
    assert "Tale is in training" in refusal(two_epochs, jobs.RestoreEpoch("verse"))
    collect(stream)


@pytest.mark.parametrize("file", ["epoch.json", "memory.safetensors", "adapter_model.safetensors"])
def test_a_damaged_epoch_is_listed_and_refused_where_its_slot_is_to_be_learned(
    two_epochs: Session, corpora: Corpora, file: str
) -> None:
    do(two_epochs, jobs.DeleteEpoch("verse"))
    collect(two_epochs.run(train_job("Tale", corpora["verse"])))
    (path_of(two_epochs) / "deleted" / "01-verse" / file).write_bytes(b"{}")
    before, listed = mixer(two_epochs), states(two_epochs)
    assert "is damaged" in refusal(two_epochs, jobs.RestoreEpoch("verse"))
    assert same_tensors(mixer(two_epochs), before) and states(two_epochs) == listed
    assert [item.id for item in trash(two_epochs)] == ["verse"]


# -- crashes and strangers --------------------------------------------------------------------------------------


def test_a_crash_between_the_commit_and_the_move_leaves_an_epoch_that_can_come_back(
    two_epochs: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Crash(BaseException):
        pass

    def crash(*_: object) -> None:
        raise Crash

    before = mixer(two_epochs)
    monkeypatch.setattr(project_module, "put", crash)
    with pytest.raises(Crash):
        do(two_epochs, jobs.DeleteEpoch("verse"))
    monkeypatch.undo()
    again = open_copy(path_of(two_epochs), tmp_path / "again")
    assert states(again) == [("code", "frozen")]
    assert [(item.id, item.name, item.deleted) for item in trash(again)] == [("verse", "Verse", 0.0)]
    do(again, jobs.RestoreEpoch("verse"))
    assert same_tensors(mixer(reopened(again)), before)


def test_a_crash_between_the_move_and_the_commit_leaves_an_epoch_that_can_come_back(
    two_epochs: Session, tmp_path: Path
) -> None:
    before = mixer(two_epochs)
    do(two_epochs, jobs.DeleteEpoch("verse"))
    left = Path(shutil.copytree(path_of(two_epochs), tmp_path / "left"))
    (left / "deleted" / "01-verse").rename(left / "epochs" / "01-verse")
    again = open_copy(left, tmp_path / "again")
    assert states(again) == [("code", "frozen")] and [item.id for item in trash(again)] == ["verse"]
    do(again, jobs.RestoreEpoch("verse"))
    assert same_tensors(mixer(reopened(again)), before)


def test_an_epoch_that_cannot_be_stored_again_stays_in_the_trash(
    two_epochs: Session, corpora: Corpora, monkeypatch: pytest.MonkeyPatch
) -> None:
    do(two_epochs, jobs.DeleteEpoch("verse"))
    collect(two_epochs.run(train_job("Tale", corpora["verse"])))
    before = mixer(two_epochs)

    def sync(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(disk, "sync", sync)
    with pytest.raises(PermissionError):
        do(two_epochs, jobs.RestoreEpoch("verse"))
    monkeypatch.undo()
    for session in (two_epochs, reopened(two_epochs)):
        assert states(session) == [("code", "frozen"), ("tale", "frozen")]
        assert same_tensors(mixer(session), before) and [item.id for item in trash(session)] == ["verse"]
    do(two_epochs, jobs.RestoreEpoch("verse"))
    assert states(reopened(two_epochs))[-1] == ("verse", "frozen")


@pytest.mark.parametrize("record", ["", "[]", '{"id": 5}', '{"id": "", "deleted": 1e300}', '{"id": "x"}', "missing"])
def test_an_epoch_without_a_record_that_makes_sense_is_listed_by_its_own_facts(
    two_epochs: Session, record: str
) -> None:
    do(two_epochs, jobs.DeleteEpoch("verse"))
    file = path_of(two_epochs) / "deleted" / "01-verse" / "deleted.json"
    if record == "missing":
        file.unlink()
    else:
        file.write_text(record)
    (item,) = trash(two_epochs)
    assert (item.id, item.name, item.deleted) == ("verse", "Verse", 0.0)
    do(two_epochs, jobs.RestoreEpoch("verse"))
    assert states(two_epochs) == [("verse", "frozen"), ("code", "frozen")]


@pytest.mark.parametrize("what", ["folder", "file", "record", "pipe"])
def test_what_leads_out_of_the_project_is_never_restored_nor_emptied(
    two_epochs: Session, tmp_path: Path, what: str
) -> None:
    do(two_epochs, jobs.DeleteEpoch("verse"))
    folder, elsewhere = path_of(two_epochs) / "deleted" / "01-verse", tmp_path / "elsewhere"
    part = folder if what == "folder" else folder / ("deleted.json" if what == "record" else "epoch.json")
    part.rename(elsewhere)
    if what == "pipe":
        os.mkfifo(part)
    else:
        part.symlink_to(elsewhere)
    assert [item.id for item in trash(two_epochs)] == ["verse"]
    assert "verse" in refusal(two_epochs, jobs.RestoreEpoch("verse"))
    do(two_epochs, jobs.EmptyTrash())
    assert trash(two_epochs) == () and elsewhere.exists()
    assert what != "folder" or sorted(file.name for file in elsewhere.iterdir())


# -- texts and runs ---------------------------------------------------------------------------------------------


def test_a_deleted_text_comes_back_with_its_branches_after_reopening(one_epoch: Session) -> None:
    first, other = written(one_epoch), written(one_epoch)
    branch = written(one_epoch, branch=jobs.Branch(first, 1))
    do(one_epoch, jobs.DeleteGeneration(first))
    again = reopened(one_epoch)
    (item,) = trash(again)
    assert (item.kind, item.id, item.name, item.others) == ("text", first, "def", 1)
    assert item.size > 1000 and item.deleted > 1.7e9
    do(again, jobs.DeleteGeneration(first, restore=True))
    assert kept(again) == [first, other, branch] and trash(again) == ()


def test_a_branch_that_comes_back_without_its_text_stands_by_itself(one_epoch: Session) -> None:
    first = written(one_epoch)
    branch = written(one_epoch, branch=jobs.Branch(first, 1))
    for id in (branch, first):
        do(one_epoch, jobs.DeleteGeneration(id))
    listed = do(one_epoch, jobs.DeleteGeneration(branch, restore=True))
    assert [(each.id, each.parent) for each in listed.generations] == [(branch, "")]
    listed = do(one_epoch, jobs.DeleteGeneration(first, restore=True))
    assert [(each.id, each.parent) for each in listed.generations] == [(first, ""), (branch, first)]


def test_a_deleted_run_comes_back_with_its_curves_after_reopening(one_epoch: Session) -> None:
    history = do(one_epoch, jobs.LoadRun("0001-verse"))
    do(one_epoch, jobs.DeleteRun("0001-verse"))
    again = reopened(one_epoch)
    (item,) = trash(again)
    assert (item.kind, item.id, item.name) == ("run", "0001-verse", "Verse") and item.size and item.deleted
    listed = do(again, jobs.DeleteRun("0001-verse", restore=True))
    assert isinstance(listed, RunsListed) and [run.id for run in listed.runs] == ["0001-verse"]
    assert do(again, jobs.LoadRun("0001-verse")) == history and trash(again) == ()
    assert not (path_of(again) / "runs" / "0001-verse" / "deleted.json").exists()
    assert "not in the trash" in refusal(again, jobs.DeleteRun("0001-verse", restore=True))


def test_the_number_of_a_deleted_run_is_not_given_again(one_epoch: Session, corpora: Corpora) -> None:
    do(one_epoch, jobs.DeleteRun("0001-verse"))
    collect(one_epoch.run(train_job("Code", corpora["code"])))
    listed = do(one_epoch, jobs.DeleteRun("0001-verse", restore=True))
    assert [run.id for run in listed.runs] == ["0001-verse", "0002-code"]


# -- emptying ---------------------------------------------------------------------------------------------------


def test_an_emptied_trash_is_gone_and_everything_else_is_as_it_was(two_epochs: Session) -> None:
    first = written(two_epochs)
    second = written(two_epochs)
    branch = written(two_epochs, branch=jobs.Branch(first, 1))
    do(two_epochs, jobs.EditGeneration(second, "Kept", True))
    for job in (jobs.DeleteEpoch("verse"), jobs.DeleteGeneration(first), jobs.DeleteRun("0001-verse")):
        do(two_epochs, job)
    before, listed = two_epochs.info(), do(two_epochs, jobs.ListGenerations())
    assert sorted(item.kind for item in trash(two_epochs)) == ["epoch", "run", "text"]
    size = sum(item.size for item in trash(two_epochs))
    files = sum(file.stat().st_size for file in path_of(two_epochs).rglob("*") if file.is_file())
    assert do(two_epochs, jobs.EmptyTrash()) == TrashListed(())
    left = sum(file.stat().st_size for file in path_of(two_epochs).rglob("*") if file.is_file())
    assert files - left == pytest.approx(size, abs=400)  # and what was said of the deletion
    for session in (two_epochs, reopened(two_epochs)):
        assert session.info().epochs == before.epochs and do(session, jobs.ListGenerations()) == listed
        assert [each.name for each in listed.generations] == ["Kept"]
        assert do(session, jobs.LoadGeneration(second)).record.id == second
        for job in (
            jobs.RestoreEpoch("verse"),
            jobs.DeleteGeneration(first, restore=True),
            jobs.DeleteGeneration(branch, restore=True),
            jobs.DeleteRun("0001-verse", restore=True),
        ):
            assert "not in the trash" in refusal(session, job)
    text = (path_of(two_epochs) / "generations.jsonl").read_text()
    assert first not in text and branch not in text
    assert not list(path_of(two_epochs).rglob(".partial*"))


def test_another_reader_sees_the_texts_after_the_trash_was_emptied(one_epoch: Session) -> None:
    first = written(one_epoch)
    assert one_epoch.project is not None
    reader = project_module.Project.open(path_of(one_epoch)).generations
    assert [each.id for each in reader.summaries()] == [first]
    do(one_epoch, jobs.DeleteGeneration(first))
    do(one_epoch, jobs.EmptyTrash())
    long = [written(one_epoch) for _ in range(3)]
    assert [each.id for each in reader.summaries()] == long


def test_what_cannot_be_removed_is_told_and_stays_listed(two_epochs: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    do(two_epochs, jobs.DeleteEpoch("verse"))
    do(two_epochs, jobs.DeleteRun("0001-verse"))
    rename = disk.rename

    def refuse(path: Path, target: Path) -> None:
        if path.name == "01-verse":
            raise PermissionError(13, "Permission denied", str(path))
        rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(disk, "rename", refuse)
        assert "Not everything" in refusal(two_epochs, jobs.EmptyTrash())
    assert [item.id for item in trash(two_epochs)] == ["verse"]
    do(two_epochs, jobs.RestoreEpoch("verse"))
    assert states(two_epochs) == [("verse", "frozen"), ("code", "frozen")]


@pytest.mark.parametrize("job", [jobs.EmptyTrash(), jobs.RestoreEpoch("verse"), jobs.DeleteRun("0001-verse", True)])
def test_a_project_that_may_only_be_read_lists_its_trash_and_keeps_it(two_epochs: Session, job: jobs.Job) -> None:
    do(two_epochs, jobs.DeleteEpoch("verse"))
    do(two_epochs, jobs.DeleteRun("0001-verse"))
    assert two_epochs.project is not None
    two_epochs.project.read_only = True
    before = trash(two_epochs)
    assert "can only be read" in refusal(two_epochs, job)
    assert len(before) == 2 and trash(two_epochs) == before


def test_a_project_from_which_all_was_deleted_is_not_thrown_away_as_unused(one_epoch: Session) -> None:
    do(one_epoch, jobs.DeleteEpoch("verse"))
    do(one_epoch, jobs.DeleteRun("0001-verse"))
    assert one_epoch.project is not None and not one_epoch.project.is_unused()
