"""A project that is open: locked, known by its backbone's weights, gone while it is open, refused for a moment."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_helpers import Corpora, collect, only, reopened, train_job
from transformers import AutoModelForCausalLM

from tlora_gui.engine.projects import project_lock
from tlora_gui.engine.projects.epoch_list import EpochList
from tlora_gui.engine.projects.project import Project
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.config import SamplingSettings
from tlora_gui.engine.protocol.errors import BackboneMissing, ProjectLocked, TloraError
from tlora_gui.engine.protocol.events import EpochFinished, FileWritten, GenerationFinished, ProjectOpened, TrainStarted
from tlora_gui.engine.session import Session
from tlora_gui.engine.storage import disk

SHORT = SamplingSettings(max_new_tokens=3)


def path_of(session: Session) -> Path:
    assert session.project is not None
    return session.project.path


def refusal(session: Session, job: jobs.Job) -> TloraError:
    with pytest.raises(TloraError) as caught:
        collect(session.run(job))
    return caught.value


def epochs(session: Session) -> list[tuple[str, str]]:
    return [(epoch.slug, epoch.state) for epoch in session.info().epochs]


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


# -- one writer -------------------------------------------------------------------------------------------------


def test_a_project_is_open_in_one_session_at_a_time_whichever_way_it_was_opened(
    tmp_path: Path, tiny_model_folder: Path, corpora: Corpora
) -> None:
    new, other = tmp_path / "new", Session()
    session = Session()
    making = session.run(jobs.CreateProject(str(new), str(tiny_model_folder)))
    next(iter(making))  # loading: nothing of the project is there yet
    assert "new is open in another window" in str(refusal(other, jobs.CreateProject(str(new), str(tiny_model_folder))))
    collect(making)
    assert "new is open in another window" in str(refusal(other, jobs.OpenProject(str(new))))
    collect(session.run(train_job("Verse", corpora["verse"])))
    collect(session.run(jobs.CloseProject()))
    assert "No project is open" in str(refusal(session, jobs.ListGenerations()))
    collect(other.run(jobs.OpenProject(str(new))))
    assert epochs(other) == [("verse", "frozen")]
    other.close()
    collect(session.run(jobs.OpenProject(str(new))))


def test_the_former_project_is_let_go_once_the_other_has_opened(two_epochs: Session, tmp_path: Path) -> None:
    former, other = path_of(two_epochs), Path(shutil.copytree(path_of(two_epochs), tmp_path / "other"))
    assert "is not a Temporal LoRA project" in str(refusal(two_epochs, jobs.OpenProject(str(tmp_path))))
    assert "open in another" in str(refusal(Session(), jobs.OpenProject(str(former))))
    collect(two_epochs.run(jobs.OpenProject(str(other))))
    collect(Session().run(jobs.OpenProject(str(former))))
    assert "open in another" in str(refusal(Session(), jobs.OpenProject(str(other))))


def test_a_project_can_be_opened_anew_where_it_is_open(two_epochs: Session) -> None:
    collect(two_epochs.run(jobs.OpenProject(str(path_of(two_epochs)))))
    assert "open in another" in str(refusal(Session(), jobs.OpenProject(str(path_of(two_epochs)))))


def test_the_lock_of_a_process_that_died_is_no_lock(two_epochs: Session) -> None:
    path = path_of(two_epochs)
    two_epochs.close()
    code = (
        "import os, sys; from pathlib import Path; from tlora_gui.engine.projects.project_lock import lock_project\n"
        "lock = lock_project(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read(1); os._exit(1)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        assert "open in another" in str(refusal(Session(), jobs.OpenProject(str(path))))
        process.communicate("x")
    collect(Session().run(jobs.OpenProject(str(path))))


@pytest.fixture(params=[errno.ENOLCK, errno.EINVAL, errno.ENOTSUP, errno.ENOSYS])
def drive_without_locks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system answers there to every wish for a lock."""
    fcntl = pytest.importorskip("fcntl")

    def refuse(*_: Any) -> None:
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(fcntl, "flock", refuse)


@pytest.mark.usefixtures("drive_without_locks")
def test_where_the_drive_knows_no_locks_a_file_is_the_lock(two_epochs: Session) -> None:
    path = path_of(two_epochs)
    two_epochs.close()
    assert (path / ".lock").is_file()
    collect(two_epochs.run(jobs.OpenProject(str(path))))
    assert "open in another" in str(refusal(Session(), jobs.OpenProject(str(path))))
    two_epochs.close()
    collect(two_epochs.run(jobs.OpenProject(str(path))))


def owner(path: Path, **changes: str) -> None:
    """A lock by file that this process has, with another owner in it."""
    lock = project_lock.lock_project(path)
    lines = dict(zip(("pid", "machine", "start"), (path / ".lock-owner").read_text().splitlines(), strict=True))
    assert lock is not None
    lock.release()
    (path / ".lock-owner").write_text("".join(f"{line}\n" for line in (lines | changes).values()))


@pytest.mark.usefixtures("drive_without_locks")
def test_a_lock_by_file_counts_as_long_as_its_very_process_lives(two_epochs: Session) -> None:
    path = path_of(two_epochs)
    two_epochs.close()
    owner(path)
    assert "open in another" in str(refusal(Session(), jobs.OpenProject(str(path))))
    owner_file = path / ".lock-owner"
    started = int(owner_file.read_text().splitlines()[2])
    owner_file.unlink()
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    for changes in ({"pid": str(ended.pid)}, {"start": str(started - 1)}):  # dead; another process has its number
        owner(path, **changes)
        session = Session()
        collect(session.run(jobs.OpenProject(str(path))))
        session.close()
        assert not owner_file.exists()


@pytest.mark.usefixtures("drive_without_locks")
def test_a_lock_by_file_of_another_machine_is_named_and_left_alone(two_epochs: Session) -> None:
    path = path_of(two_epochs)
    two_epochs.close()
    owner(path, machine="elsewhere")
    told = refusal(Session(), jobs.OpenProject(str(path)))
    assert isinstance(told, ProjectLocked)
    assert "is open on the machine elsewhere" in told.message and str(path / ".lock-owner") in told.hint
    (path / ".lock-owner").unlink()
    collect(Session().run(jobs.OpenProject(str(path))))


def test_a_project_that_may_only_be_read_opens_and_speaks_and_is_not_written_to(
    two_epochs: Session, corpora: Corpora, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = path_of(two_epochs)
    two_epochs.close()
    (path / ".lock").unlink()

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(project_lock.FileLock, "acquire", refuse)
    monkeypatch.setattr(disk, "rename", refuse)
    before = files(path)
    collect(two_epochs.run(jobs.OpenProject(str(path))))
    assert len(only(collect(two_epochs.run(jobs.Generate("O gentle", sampling=SHORT))), GenerationFinished)) == 1
    for job in (
        train_job("Tale", corpora["verse"]),
        jobs.DeleteEpoch("code"),
        jobs.EditEpoch("code", "X", "", "#000000"),
    ):
        assert "can only be read here" in str(refusal(two_epochs, job))
    assert files(path) == before and epochs(two_epochs) == [("verse", "frozen"), ("code", "frozen")]


# -- making and taking away -------------------------------------------------------------------------------------


def test_a_project_whose_making_is_refused_or_left_leaves_nothing(tmp_path: Path, tiny_model_folder: Path) -> None:
    path = tmp_path / "new" / "deep"
    refusal(Session(), jobs.CreateProject(str(path), str(tmp_path / "no model")))
    assert files(tmp_path) == set()
    making = Session().run(jobs.CreateProject(str(path), str(tiny_model_folder)))
    next(iter(making))
    making.close()  # type: ignore[attr-defined]
    assert files(tmp_path) == set()


def test_an_unused_new_project_can_be_taken_away_and_a_used_one_cannot(
    tmp_path: Path, tiny_model_folder: Path, corpora: Corpora
) -> None:
    session, path = Session(), tmp_path / "deep" / "new"
    collect(session.run(jobs.CreateProject(str(path), str(tiny_model_folder))))
    refusal(session, jobs.TrainEpoch("Verse", (str(tmp_path / "nothing"),)))
    collect(session.run(jobs.CloseProject(drop_if_empty=True)))
    assert files(tmp_path) == set()
    collect(session.run(jobs.CreateProject(str(path), str(tiny_model_folder))))
    collect(session.run(jobs.Generate("O", sampling=SHORT)))
    collect(session.run(jobs.CloseProject(drop_if_empty=True)))
    collect(session.run(jobs.OpenProject(str(path))))
    (path / "generations.jsonl").unlink()
    collect(session.run(jobs.CloseProject(drop_if_empty=True)))  # it was there before it was opened
    assert (path / "project.json").is_file()


def test_what_a_stopped_attempt_left_is_no_reason_to_refuse_a_folder(tmp_path: Path, tiny_model_folder: Path) -> None:
    for name in (".lock", ".project.json.partial"):
        (tmp_path / name).write_text("")
    collect(Session().run(jobs.CreateProject(str(tmp_path), str(tiny_model_folder))))


def test_a_relative_path_is_told_whole(tmp_path: Path, two_epochs: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    path = path_of(two_epochs)
    two_epochs.close()
    monkeypatch.chdir(path.parent)
    (opened,) = only(collect(two_epochs.run(jobs.OpenProject(path.name))), ProjectOpened)
    assert opened.project.path == str(path)


def test_a_folder_whose_name_is_no_utf_8_is_refused_before_anything_is_made(
    tmp_path: Path, tiny_model_folder: Path, two_epochs: Session
) -> None:
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/r\xe9")
    for job in (jobs.CreateProject(odd, str(tiny_model_folder)), jobs.OpenProject(odd)):
        told = str(refusal(Session(), job))
        assert "is not UTF-8" in told and "damaged" not in told and told.encode()
    assert not Path(odd).exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have no such names")
def test_a_backbone_in_a_folder_whose_name_is_no_utf_8_is_not_called_damaged(
    tmp_path: Path, tiny_model_folder: Path
) -> None:
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/m\xe9")
    shutil.copytree(tiny_model_folder, odd)
    told = str(refusal(Session(), jobs.CreateProject(str(tmp_path / "p"), odd)))
    assert "is not UTF-8" in told and told.encode()


# -- the backbone -----------------------------------------------------------------------------------------------


def with_own_backbone(stored: Path, tmp_path: Path, model: Path) -> tuple[Path, Path]:
    """A copy of a project whose backbone is a copy of its own."""
    own, path = Path(shutil.copytree(model, tmp_path / "m")), Path(shutil.copytree(stored, tmp_path / "p"))
    index = json.loads((path / "project.json").read_text())
    index["backbone"] |= {"reference": str(own), "name": "m"}
    (path / "project.json").write_text(json.dumps(index))
    return path, own


def test_a_moved_backbone_is_named_proved_and_remembered(
    stored_projects: dict[int, Path], tmp_path: Path, tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, model = with_own_backbone(stored_projects[2], tmp_path, tiny_model_folder)
    moved, session = model.rename(tmp_path / "m2"), Session()
    told = refusal(session, jobs.OpenProject(str(path)))
    assert isinstance(told, BackboneMissing) and (told.code, told.reference) == ("backbone-missing", str(model))
    monkeypatch.chdir(tmp_path)
    collect(session.run(jobs.OpenProject(str(path), "m2")))
    assert epochs(session) == [("verse", "frozen"), ("code", "frozen")]
    monkeypatch.chdir("/")
    collect(session.run(jobs.OpenProject(str(path))))
    assert session.info().backbone.reference == str(moved)


def test_a_project_with_its_backbone_inside_can_be_moved_whole(
    stored_projects: dict[int, Path], tmp_path: Path, tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, session = tmp_path / "p", Session()
    shutil.copytree(stored_projects[2], path)
    inside = Path(shutil.copytree(tiny_model_folder, path / "models" / "tiny"))
    collect(session.run(jobs.OpenProject(str(path), str(inside))))
    assert session.info().backbone.reference == str(inside)
    session.close()
    assert json.loads((path / "project.json").read_text())["backbone"]["reference"] == "./models/tiny"
    moved = path.rename(tmp_path / "elsewhere")
    monkeypatch.chdir("/")
    collect(session.run(jobs.OpenProject(str(moved))))
    assert session.info().backbone.reference == str(moved / "models" / "tiny")
    assert epochs(session) == [("verse", "frozen"), ("code", "frozen")]


def test_a_backbone_outside_is_stored_whole_so_that_the_project_can_be_moved(
    stored_projects: dict[int, Path], tmp_path: Path, tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny_model_folder.parent)
    session = Session()
    collect(session.run(jobs.CreateProject(str(tmp_path / "p"), tiny_model_folder.name)))
    session.close()
    stored = json.loads((tmp_path / "p" / "project.json").read_text())["backbone"]["reference"]
    assert stored == str(tiny_model_folder)
    (tmp_path / "p").rename(tmp_path / "q")
    monkeypatch.chdir("/")
    collect(session.run(jobs.OpenProject(str(tmp_path / "q"))))


def test_another_model_is_not_taken_for_the_moved_backbone(
    stored_projects: dict[int, Path], tmp_path: Path, tiny_model_folder: Path
) -> None:
    path, model = with_own_backbone(stored_projects[1], tmp_path, tiny_model_folder)
    other = AutoModelForCausalLM.from_pretrained(model)
    with torch.no_grad():
        other.model.norm.weight[3] += 0.5
    shutil.copytree(model, tmp_path / "other")
    other.save_pretrained(tmp_path / "other")
    before = (path / "project.json").read_bytes()
    assert "is not the backbone" in str(refusal(Session(), jobs.OpenProject(str(path), str(tmp_path / "other"))))
    assert (path / "project.json").read_bytes() == before


@pytest.mark.parametrize("reference", ["C:\\models\\tiny", "./tiny", "", "~nobody/tiny", "/" + "x" * 3000])
def test_a_reference_of_another_place_or_system_is_asked_for_not_fetched(
    stored_projects: dict[int, Path], tmp_path: Path, tiny_model_folder: Path, reference: str
) -> None:
    path = Path(shutil.copytree(stored_projects[1], tmp_path / "p"))
    index = json.loads((path / "project.json").read_text())
    index["backbone"]["reference"] = reference
    (path / "project.json").write_text(json.dumps(index))
    assert isinstance(refusal(Session(), jobs.OpenProject(str(path))), BackboneMissing)
    collect(Session().run(jobs.OpenProject(str(path), str(tiny_model_folder))))


def test_an_exported_epoch_names_a_base_that_loads(two_epochs: Session, tmp_path: Path) -> None:
    from peft import AutoPeftModelForCausalLM

    (written,) = only(collect(two_epochs.run(jobs.ExportEpoch("verse", str(tmp_path / "out")))), FileWritten)
    AutoPeftModelForCausalLM.from_pretrained(written.path)
    told = (Path(written.path) / "README.md").read_text()
    assert two_epochs.project is not None and two_epochs.project.index.fingerprint in told and "tiny-llama" in told


# -- gone while it is open --------------------------------------------------------------------------------------


def gone(path: Path) -> None:
    path.rename(path.with_name("renamed"))


def replaced(path: Path) -> None:
    gone(path)
    shutil.copytree(path.with_name("renamed"), path)
    index = json.loads((path / "project.json").read_text())
    index["epochs"].pop("code")
    (path / "project.json").write_text(json.dumps(index))


@pytest.mark.parametrize("befalls", [gone, replaced])
def test_a_project_that_is_gone_is_told_and_never_written_to(
    two_epochs: Session, corpora: Corpora, befalls: Callable[[Path], None]
) -> None:
    path = path_of(two_epochs)
    befalls(path)
    before = files(path.parent)
    for job in (
        train_job("Tale", corpora["verse"]),
        jobs.DeleteEpoch("code"),
        jobs.EditEpoch("code", "X", "", "#000000"),
        jobs.Generate("O gentle", sampling=SHORT),
    ):
        told = str(refusal(two_epochs, job))
        assert "is no longer there" in told or "Another project is in" in told
        assert epochs(two_epochs) == [("verse", "frozen"), ("code", "frozen")]
    assert files(path.parent) == before


@pytest.mark.parametrize("befalls", [gone, replaced])
def test_a_renamed_project_opens_where_it_is_now(two_epochs: Session, befalls: Callable[[Path], None]) -> None:
    path = path_of(two_epochs)
    befalls(path)
    collect(two_epochs.run(jobs.OpenProject(str(path.with_name("renamed")))))
    collect(two_epochs.run(jobs.DeleteEpoch("code")))
    assert epochs(two_epochs) == [("verse", "frozen")]
    assert "open in another" in str(refusal(Session(), jobs.OpenProject(str(path.with_name("renamed")))))


def test_a_text_that_cannot_be_kept_is_told_all_the_same(two_epochs: Session) -> None:
    gone(path_of(two_epochs))
    events: list[Any] = []
    with pytest.raises(TloraError, match="is no longer there"):
        events.extend(two_epochs.run(jobs.Generate("O gentle", sampling=SHORT)))
    assert len(only(events, GenerationFinished)[0].record.tokens) > 3


@pytest.mark.parametrize("befalls", [gone, replaced])
def test_an_epoch_that_ends_in_a_project_that_is_gone_is_kept_beside_it(
    two_epochs: Session, corpora: Corpora, befalls: Callable[[Path], None]
) -> None:
    path, training = path_of(two_epochs), two_epochs.run(train_job("Tale", corpora["verse"]))
    for event in training:
        if isinstance(event, TrainStarted):
            befalls(path)
            before = files(path) if path.exists() else set()
            break
    with pytest.raises(TloraError) as caught:
        collect(training)
    kept = path.parent / "project-tale-rescued"
    assert str(kept) in caught.value.hint
    assert {"adapter_model.safetensors", "epoch.json", "memory.safetensors"} <= files(kept)
    assert (files(path) if path.exists() else set()) == before


# -- refused for a moment ---------------------------------------------------------------------------------------


def refuse_renames(monkeypatch: pytest.MonkeyPatch, times: int, of: str = "") -> list[str]:
    """Let the system refuse the next renames, of paths with some text in them."""
    real, refused = os.replace, list[str]()

    def replace(source: Any, target: Any, **more: Any) -> None:
        if of in str(target) and len(refused) < times:
            refused.append(str(target))
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))
        real(source, target, **more)

    monkeypatch.setattr(os, "replace", replace)
    monkeypatch.setattr(os, "rename", replace)
    return refused


def test_a_passing_refusal_of_a_rename_costs_no_epoch(
    one_epoch: Session, corpora: Corpora, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = refuse_renames(monkeypatch, 6, str(path_of(one_epoch)))
    assert len(only(collect(one_epoch.run(train_job("Code", corpora["code"]))), EpochFinished)) == 1
    assert len(refused) == 6
    assert epochs(reopened(one_epoch)) == [("verse", "frozen"), ("code", "frozen")]


@pytest.mark.parametrize(("owner", "name"), [(os, "fsync"), (Path, "mkdir")])
def test_a_passing_refusal_of_a_sync_or_a_new_folder_costs_nothing(
    two_epochs: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, owner: Any, name: str
) -> None:
    real, refused = getattr(owner, name), list[bool]()

    def refuse_once(*args: Any, **more: Any) -> Any:
        if not refused:
            refused.append(True)
            raise PermissionError(13, "Permission denied")
        return real(*args, **more)

    for job in (
        jobs.ExportEpoch("code", str(tmp_path / "out")),
        jobs.EditEpoch("code", "New", "", "#009E73"),
        jobs.Generate("def", sampling=SamplingSettings(max_new_tokens=1)),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, refuse_once)
            collect(two_epochs.run(job))
        assert refused
        if name == "fsync":
            refused.clear()
    assert (tmp_path / "out" / "code" / "adapter_config.json").exists()


@pytest.mark.parametrize("what", ["project.json", "deleted", "mixer"])
def test_a_deletion_that_is_refused_is_whole_or_nothing(
    two_epochs: Session, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(disk, "PATIENCE_S", 0.1)
    with monkeypatch.context() as patch:
        refuse_renames(patch, 10**6, what)
        try:
            collect(two_epochs.run(jobs.DeleteEpoch("code")))
        except PermissionError:
            assert epochs(two_epochs) == epochs(reopened(two_epochs)) == [("verse", "frozen"), ("code", "frozen")]
            return
    assert epochs(two_epochs) == epochs(reopened(two_epochs)) == [("verse", "frozen")]
    collect(two_epochs.run(jobs.RestoreEpoch("code")))
    assert epochs(two_epochs) == epochs(reopened(two_epochs)) == [("verse", "frozen"), ("code", "frozen")]


def test_an_undo_that_is_refused_can_be_tried_again(two_epochs: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "PATIENCE_S", 0.1)
    collect(two_epochs.run(jobs.DeleteEpoch("code")))
    for what in ("epochs", "project.json"):
        with monkeypatch.context() as patch:
            refuse_renames(patch, 10**6, what)
            with pytest.raises(PermissionError):
                collect(two_epochs.run(jobs.RestoreEpoch("code")))
        assert epochs(reopened(two_epochs)) == [("verse", "frozen")]
    collect(two_epochs.run(jobs.RestoreEpoch("code")))
    assert epochs(reopened(two_epochs)) == [("verse", "frozen"), ("code", "frozen")]


def test_what_a_crash_left_half_written_is_taken_away(two_epochs: Session) -> None:
    path = path_of(two_epochs)
    before = files(path)
    (path / "epochs" / ".partial-03-tale").mkdir()
    for name in ("epochs/.partial-03-tale/x", "mixer/.mixer-0009.safetensors.partial", ".project.json.partial"):
        (path / name).write_text("")
    collect(two_epochs.run(jobs.OpenProject(str(path))))
    assert files(path) == before


# -- said by name -----------------------------------------------------------------------------------------------


def test_an_epoch_is_found_by_its_slug_or_its_name_in_any_script(two_epochs: Session) -> None:
    collect(two_epochs.run(jobs.EditEpoch("verse", "Пушкин", "", "#000000")))
    assert two_epochs.project is not None
    stored = EpochList(two_epochs.project.epochs())
    assert [stored.find(word).slug for word in ("verse", "пушкин", "CODE")] == ["verse", "verse", "code"]
    with pytest.raises(TloraError, match="'Goethe'") as caught:
        stored.find("Goethe")
    assert "Пушкин (verse)" in caught.value.hint and "Code (code)" in caught.value.hint


def test_a_name_neither_turns_the_text_around_it_nor_breaks_its_line() -> None:
    free = EpochList().free_name
    assert free(" abc\u202ecod\x1b[31m\x00\u2069\nשלום\u200d ") == "abccod[31m שלום\u200d"
    for name in ("\u202e", "\x00 \x7f", "\u2028"):
        with pytest.raises(TloraError, match="needs a name"):
            free(name)


def test_what_could_not_be_read_again_is_refused_before_the_work(two_epochs: Session, corpora: Corpora) -> None:
    for job in (
        jobs.TrainEpoch("n" * 300, (str(corpora["verse"]),)),
        jobs.TrainEpoch("Tale", (str(corpora["verse"]),), colour="red"),
        jobs.EditEpoch("code", "Code", "", "#12345"),
    ):
        assert len(str(refusal(two_epochs, job))) < 200
    assert not any(state == "broken" for _, state in epochs(reopened(two_epochs)))


@pytest.mark.parametrize("name", ["con", "NUL", "Com1", "aux!"])
def test_no_slug_is_a_name_that_windows_keeps_for_itself(stored_projects: dict[int, Path], name: str) -> None:
    slug = Project.open(stored_projects[0]).new_slug(name)
    assert slug == f"{name.lower().rstrip('!')}-2"
