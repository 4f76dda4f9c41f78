"""Projects copied, packed into a file and unpacked: whole, the same, with nothing of the machine; hostile files."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import struct
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from engine_helpers import Corpora, cancel_after, collect, only, snapshot, train_job

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import ARCHIVE_MIME, SamplingSettings
from tlora_gui.engine.protocol.errors import BackboneMissing, Cancelled, ProjectLocked, TloraError
from tlora_gui.engine.protocol.events import (
    EpochFinished,
    Evaluated,
    GenerationFinished,
    Progress,
    ProjectWeighed,
    ProjectWritten,
    TrainStep,
)
from tlora_gui.engine.protocol.texts import Generation
from tlora_gui.engine.session import Session
from tlora_gui.engine.storage import disk

SHORT = SamplingSettings(max_new_tokens=3)


def path_of(session: Session) -> Path:
    assert session.project is not None
    return session.project.path


def files(root: Path) -> dict[str, bytes]:
    """Every file below a folder by its name there, but for the lock."""
    found = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    found.pop(".lock", None)
    return found


def write(session: Session, prompt: str = "O gentle night") -> Generation:
    (finished,) = only(session.run(jobs.Generate(prompt, sampling=SHORT)), GenerationFinished)
    return finished.record


def written(session: Session, job: jobs.Job) -> ProjectWritten:
    """What a copy, a file or what was unpacked of it has come to."""
    (end,) = only(session.run(job), ProjectWritten)
    return end


def around(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def full(two_epochs: Session, corpora: Corpora, tmp_path: Path) -> Session:
    """Two epochs, one that is interrupted, a queue, a deleted epoch's folder, two texts of which one is deleted."""
    session, path = two_epochs, path_of(two_epochs)
    cancel = CancelToken()
    cancel_after(session.run(train_job("Third", corpora["verse"]), cancel), cancel, "suspend", 3)
    write(session)
    gone = write(session, "A secret")
    collect(session.run(jobs.DeleteGeneration(gone.id)))
    collect(session.run(jobs.KeepQueue((train_job("Fourth", corpora["code"]),))))
    shutil.copytree(path / "epochs" / "01-verse", path / "deleted" / "04-sonnets")
    (path / ".project.json.partial").write_text("half")
    (path / "epochs" / ".partial-05-half").mkdir()
    (path / "notes.txt").write_text("mine")
    return session


# -- copies ---------------------------------------------------------------------------------------------------------


def test_a_copy_is_the_project_byte_for_byte_without_lock_and_partials(full: Session, tmp_path: Path) -> None:
    end = written(full, jobs.CopyProject(str(path_of(full)), str(tmp_path / "deep" / "copy")))
    assert end == ProjectWritten(str(tmp_path / "deep" / "copy"))
    expected = files(path_of(full))
    del expected[".project.json.partial"]
    assert files(tmp_path / "deep" / "copy") == expected and "deleted/04-sonnets/epoch.json" in expected
    assert around(tmp_path / "deep") == ["copy"]
    other = Session()
    collect(other.run(jobs.OpenProject(str(tmp_path / "deep" / "copy"))))
    assert [epoch.state for epoch in other.info().epochs] == ["frozen", "frozen", "interrupted"]
    assert [job.name for job in other.info().waiting] == ["Fourth"]
    (third,) = other.ended_by_training()
    assert only(other.run(jobs.ResumeEpoch(third.slug)), EpochFinished)
    assert full.info().epochs[-1].state == "interrupted", "the original is untouched"


def test_a_project_that_is_not_open_is_copied_and_one_that_is_open_elsewhere_refused(
    stored_projects: dict[int, Path], one_epoch: Session, tmp_path: Path
) -> None:
    closed = Path(shutil.copytree(stored_projects[2], tmp_path / "closed"))
    written(one_epoch, jobs.CopyProject(str(closed), str(tmp_path / "copy")))
    assert files(tmp_path / "copy") == files(closed)
    with pytest.raises(ProjectLocked):
        written(Session(), jobs.CopyProject(str(path_of(one_epoch)), str(tmp_path / "other")))
    assert not (tmp_path / "other").exists()
    assert Session().run(jobs.OpenProject(str(closed))), "it is let go of"


def test_an_epoch_in_training_is_copied_as_its_latest_checkpoint(
    one_epoch: Session, corpora: Corpora, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tlora_gui.engine.training.epoch_run.CHECKPOINT_STEPS", 4)
    path, notes = str(path_of(one_epoch)), {}
    training = one_epoch.run(train_job("Third", corpora["code"]))
    for event in training:
        if isinstance(event, TrainStep) and event.step in (2, 5):
            notes[event.step] = written(one_epoch, jobs.CopyProject(path, str(tmp_path / f"at {event.step}"))).note
            written(one_epoch, jobs.PackProject(path, str(tmp_path / f"{event.step}.tlora")))
    assert notes == {
        2: "Third is in training; it is not there yet.",
        5: "Third is in training; it is there as it was after step 4 of 6.",
    }
    for step in (2, 5):
        written(Session(), jobs.UnpackProject(str(tmp_path / f"{step}.tlora"), str(tmp_path / f"unpacked {step}")))
        for folder in (f"at {step}", f"unpacked {step}"):
            other = Session()
            collect(other.run(jobs.OpenProject(str(tmp_path / folder), one_epoch.info().backbone.reference)))
            epochs = {epoch.name: epoch for epoch in other.info().epochs}
            assert epochs.keys() == ({"Verse"} if step == 2 else {"Verse", "Third"})
            if step == 5:
                assert epochs["Third"].state == "interrupted" and epochs["Third"].note == "stopped after step 4 of 6"
                collect(other.run(jobs.ResumeEpoch("third")))
                assert one_epoch.model is not None and other.model is not None
                assert all(
                    bool((value == other.model.adapter_parameters("third")[name]).all())
                    for name, value in one_epoch.model.adapter_parameters("third").items()
                ), "and goes on to the same epoch"


def test_a_backbone_inside_the_project_is_the_copys_own(
    stored_projects: dict[int, Path], tiny_model_folder: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copytree(stored_projects[1], tmp_path / "with model"))
    shutil.copytree(tiny_model_folder, path / "model")
    index = json.loads((path / "project.json").read_text())
    index["backbone"]["reference"] = str(path / "model")
    (path / "project.json").write_text(json.dumps(index))
    written(Session(), jobs.CopyProject(str(path), str(tmp_path / "copy")))
    shutil.rmtree(path)
    other = Session()
    collect(other.run(jobs.OpenProject(str(tmp_path / "copy"))))
    assert other.info().backbone.reference == str(tmp_path / "copy" / "model")


def test_a_copy_and_what_is_unpacked_outlive_refusals_that_pass(
    one_epoch: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, place, refused = path_of(one_epoch), tmp_path / "place", set()
    written(one_epoch, jobs.PackProject(str(path), str(tmp_path / "sent.tlora")))

    def once(name: str, written: Callable[..., bool]) -> None:
        do = getattr(Path, name)

        def refuse(file: Path, *args: Any, **more: Any) -> Any:
            if file.is_relative_to(place) and written(*args, **more) and (name, file) not in refused:
                refused.add((name, file))
                raise PermissionError(13, "Permission denied")
            return do(file, *args, **more)

        monkeypatch.setattr(Path, name, refuse)

    once("mkdir", lambda *args, **more: True)
    once("open", lambda mode="r", *args, **more: "x" in mode)
    written(one_epoch, jobs.CopyProject(str(path), str(place / "copy")))
    written(Session(), jobs.UnpackProject(str(tmp_path / "sent.tlora"), str(place / "unpacked")))
    assert files(place / "copy") == files(path) and len(refused) > 20
    assert "project.json" in files(place / "unpacked")


@pytest.mark.parametrize("kind", ["copy", "pack", "unpack"])
def test_nothing_is_left_of_what_is_cancelled_or_has_no_room(
    one_epoch: Session, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, place = str(path_of(one_epoch)), tmp_path / "place"
    written(one_epoch, jobs.PackProject(path, str(tmp_path / "sent.tlora")))
    job: jobs.Job = {
        "copy": jobs.CopyProject(path, str(place / "new" / "copy")),
        "pack": jobs.PackProject(path, str(place / "other.tlora")),
        "unpack": jobs.UnpackProject(str(tmp_path / "sent.tlora"), str(place / "new" / "project")),
    }[kind]
    place.mkdir()
    for turns in (0, 3, 8):
        cancel = CancelToken()
        stream = one_epoch.run(job, cancel)
        for _ in range(turns):
            assert isinstance(next(stream), Progress)
        cancel.cancel()
        with pytest.raises(Cancelled):
            collect(stream)
        assert around(place) == []
    stream = one_epoch.run(job)
    next(stream)
    stream.close()  # type: ignore[attr-defined] # as the worker does when the window is closed
    assert around(place) == []
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))  # type: ignore[attr-defined]
    with pytest.raises(TloraError, match="are free there"):
        collect(one_epoch.run(job))
    assert around(place) == []


@pytest.mark.parametrize("kind", ["copy", "unpack"])
def test_nothing_that_is_there_is_written_over(one_epoch: Session, tmp_path: Path, kind: str) -> None:
    path = path_of(one_epoch)
    written(one_epoch, jobs.PackProject(str(path), str(tmp_path / "sent.tlora")))

    def job(target: Path) -> jobs.Job:
        if kind == "copy":
            return jobs.CopyProject(str(path), str(target))
        return jobs.UnpackProject(str(tmp_path / "sent.tlora"), str(target))

    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    for target, words in ((tmp_path / "full", "is not empty"), (path / "within", "lies in the project"), (path, "not")):
        with pytest.raises(TloraError, match=words):
            written(one_epoch, job(target))
    assert files(tmp_path / "full") == {"mine.txt": b"mine"} and not (path / "within").exists()
    (tmp_path / "empty").mkdir()
    written(one_epoch, job(tmp_path / "empty"))
    assert (tmp_path / "empty" / "project.json").is_file()


def test_a_file_is_replaced_only_if_that_is_wanted(one_epoch: Session, tmp_path: Path) -> None:
    target = tmp_path / "sent.tlora"
    target.write_text("mine")
    path = str(path_of(one_epoch))
    for place, words in (
        (str(target), "already there"),
        (str(tmp_path / "sent.zip"), "ends in .tlora"),
        (str(tmp_path / "gone" / "sent.tlora"), "no folder gone"),
        (f"{path}/sent.tlora", "lies in the project"),
    ):
        with pytest.raises(TloraError, match=words):
            written(one_epoch, jobs.PackProject(path, place))
    assert target.read_text() == "mine"
    written(one_epoch, jobs.PackProject(path, str(target), overwrite=True))
    assert zipfile.is_zipfile(target)


def test_a_link_is_copied_as_what_it_leads_to_and_refused_where_it_leads_out(full: Session, tmp_path: Path) -> None:
    path = path_of(full)
    (path / "also.txt").symlink_to("notes.txt")
    written(full, jobs.CopyProject(str(path), str(tmp_path / "copy")))
    assert (tmp_path / "copy" / "also.txt").read_text() == "mine" and not (tmp_path / "copy" / "also.txt").is_symlink()
    (tmp_path / "elsewhere").mkdir()
    for number, target in enumerate(("elsewhere", "elsewhere/file")):
        (tmp_path / "elsewhere" / "file").write_text("x")
        (path / "linked").symlink_to(tmp_path / target)
        with pytest.raises(TloraError, match="cannot be copied"):
            written(full, jobs.CopyProject(str(path), str(tmp_path / f"other {number}")))
        (path / "linked").unlink()


# -- what is sent ---------------------------------------------------------------------------------------------------


def test_a_packed_project_comes_back_the_same_and_says_nothing_of_the_machine(full: Session, tmp_path: Path) -> None:
    path, sent = path_of(full), tmp_path / "sent.tlora"
    written(full, jobs.PackProject(str(path), str(sent)))
    again = tmp_path / "again.tlora"
    written(full, jobs.PackProject(str(path), str(again)))
    os.utime(sent, (0, 0))
    assert sent.read_bytes() == again.read_bytes(), "the same project gives the same bytes"
    assert str(tmp_path).encode() not in b"".join(
        zipfile.ZipFile(sent).read(name) for name in zipfile.ZipFile(sent).namelist()
    )
    written(full, jobs.UnpackProject(str(sent), str(tmp_path / "theirs")))
    mine, theirs = files(path), files(tmp_path / "theirs")
    assert not any(name.startswith(("deleted", "queue", "notes", ".")) for name in theirs)
    changed = {name for name in theirs if theirs[name] != mine[name]}
    assert {Path(name).name for name in changed} <= {"project.json", "epoch.json", "run.json", "generations.jsonl"}
    assert {name for name in mine if name.endswith(".safetensors") and not name.startswith("deleted")} <= theirs.keys()
    assert b"A secret" in mine["generations.jsonl"] and b"A secret" not in theirs["generations.jsonl"]
    other = Session()
    with pytest.raises(BackboneMissing):
        collect(other.run(jobs.OpenProject(str(tmp_path / "theirs"))))
    collect(other.run(jobs.OpenProject(str(tmp_path / "theirs"), full.info().backbone.reference)))
    assert full.model is not None and other.model is not None
    for slug in ("verse", "code"):
        ours, others = full.model.adapter_parameters(slug), other.model.adapter_parameters(slug)
        assert all(bool((ours[name] == others[name]).all()) for name in ours)
    assert snapshot(full.model.mixer).keys() == snapshot(other.model.mixer).keys()
    assert [epoch.name for epoch in other.info().epochs] == ["Verse", "Code", "Third"]
    assert full.info().generation is not None or other.info().generation is not None
    assert [text.prompt for text in other.project.generations.summaries()] == ["O gentle night"]  # type: ignore[union-attr]
    write(other)
    assert only(other.run(jobs.ResumeEpoch("third")), EpochFinished)


def test_what_is_left_out_is_not_in_the_file(two_epochs: Session, corpora: Corpora, tmp_path: Path) -> None:
    session, path = two_epochs, path_of(two_epochs)
    job = train_job("Third", corpora["verse"])
    settings = type(job.settings)(
        **{
            **{name: getattr(job.settings, name) for name in job.settings.__slots__},
            "sample_every": 2,
            "sample_prompt": "What light",
        }
    )
    cancel = CancelToken()
    third = jobs.TrainEpoch("Third", job.paths, settings=settings)
    cancel_after(session.run(third, cancel), cancel, "suspend", 5)
    write(session)
    (weighed,) = only(session.run(jobs.WeighProject(str(path))), ProjectWeighed)
    parts = dict(weighed.parts)
    assert all(parts[part] > 0 for part in parts) and weighed.rest > 0
    sizes = {}
    for number, without in enumerate(((), ("texts",), ("runs",), ("checkpoints",), ("memories",), tuple(parts))):
        sent = tmp_path / f"{number}.tlora"
        written(session, jobs.PackProject(str(path), str(sent), without))
        packed = zipfile.ZipFile(sent)
        sizes[without] = sent.stat().st_size
        names, every = packed.namelist(), b"".join(packed.read(name) for name in packed.namelist())
        assert ("generations.jsonl" in names) == ("texts" not in without)
        assert (b"What light" in every and b"TrainingSample" in every) == (
            "texts" not in without and ("runs" not in without or "checkpoints" not in without)
        )
        assert any(name.startswith("runs/") for name in names) == ("runs" not in without)
        assert any(name.startswith("checkpoints/") for name in names) == ("checkpoints" not in without)
        target = tmp_path / f"theirs {number}"
        written(session, jobs.UnpackProject(str(sent), str(target)))
        other = Session()
        collect(other.run(jobs.OpenProject(str(target), session.info().backbone.reference)))
        assert not [epoch.note for epoch in other.info().epochs if epoch.state == "broken"]
        assert len(other.info().epochs) == 2 + ("checkpoints" not in without)
        if "memories" in without:
            assert (target / "epochs" / "01-verse" / "memory.safetensors").stat().st_size < 100
            assert other.model is not None and not other.model.memories
            write(other)
            with pytest.raises(TloraError, match="No epoch has text"):
                collect(other.run(jobs.Evaluate()))
            collect(other.run(train_job("New", corpora["verse"])))
            assert other.model.memories.keys() == {"", "verse", "code", "new"}, "they have dreamt it"
            assert only(other.run(jobs.Evaluate()), Evaluated)
    assert sizes.pop(tuple(parts)) < min(sizes.values()) and max(sizes.values()) == sizes[()]


def test_without_a_place_it_is_unpacked_where_new_projects_go(
    one_epoch: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TLORA_PROJECTS", str(tmp_path / "projects"))
    written(one_epoch, jobs.PackProject(str(path_of(one_epoch)), str(tmp_path / "Sent.tlora")))
    for name in ("Sent", "Sent 2"):
        job = jobs.UnpackProject(str(tmp_path / "Sent.tlora"))
        assert written(Session(), job).path == str(tmp_path / "projects" / name)


# -- strangers' files -----------------------------------------------------------------------------------------------

INDEX = json.dumps(
    {
        "format_version": 1,
        "backbone": {"reference": "starter", "name": "tiny", "fingerprint": "0"},
        "lora": {},
        "mixer": {},
        "epochs": {},
        "mixers": [],
    }
).encode()
Files = Sequence[tuple[str | zipfile.ZipInfo, bytes]]


def forged(path: Path, listed: Files, manifest: Callable[[dict[str, Any]], Any] | None = None) -> Path:
    """A file with these in it, and a manifest that goes with them, or another."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(zipfile.ZipInfo("mimetype"), ARCHIVE_MIME)
        entries = []
        for name, data in listed:
            packed.writestr(name, data)
            plain = name if isinstance(name, str) else name.filename
            entries.append({"name": plain, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()})
        told = {"format": 1, "version": "0", "files": entries}
        packed.writestr("manifest.json", json.dumps(told if manifest is None else manifest(told)))
    return path


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def kept_by_bzip2(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_BZIP2
    return info


def refused(path: Path, words: str, tmp_path: Path) -> None:
    """It is refused in words, at once, with little memory, and leaves nothing."""
    place = tmp_path / "place"
    place.mkdir(exist_ok=True)
    for traced in (False, True):  # tracing takes time
        if traced:
            tracemalloc.start()
        begun = time.process_time()
        with pytest.raises(TloraError, match=words) as told:
            collect(Session().run(jobs.UnpackProject(str(path), str(place / "project"))))
        took = time.process_time() - begun
        assert len(str(told.value)) < 1000 and (traced or took < 1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200 * 2**20
    assert around(place) == [] and not (tmp_path / "evil").exists()


def test_a_forged_file_that_is_honest_is_unpacked(tmp_path: Path) -> None:
    path = forged(tmp_path / "good.tlora", [("project.json", INDEX), ("mixer/mixer-0001.safetensors", b"x")])
    written(Session(), jobs.UnpackProject(str(path), str(tmp_path / "project")))
    assert files(tmp_path / "project") == {"project.json": INDEX, "mixer/mixer-0001.safetensors": b"x"}


@pytest.mark.parametrize(
    "name",
    [
        "../evil", "/tmp/evil", "mixer/../../evil.json", "mixer\\..\\evil.json", "C:/evil.json", "c:evil.json",
        "evil", "evil.py", "epochs/01-a/evil.py", "epochs/01-a/b/c.json", "epochs/01-a/.json", "epochs/.hidden/a.json",
        "deleted/01-a/epoch.json", ".lock", "queue.json", "epochs/con/epoch.json", "mixer/NUL.safetensors",
        "mixer/com1.x.json", "runs/0001-a /run.json", "runs/0001-a./run.json", "mixer/a\nb.json", "mixer/a\x00b.json",
        "epochs//epoch.json", "mixer/", "mixer/a:b.json", "mixer/" + "x" * 300 + ".json",
    ],
)  # fmt: skip
def test_a_name_that_no_project_has_is_refused(tmp_path: Path, name: str) -> None:
    info = zipfile.ZipInfo("placeholder")
    info.filename = name
    refused(forged(tmp_path / "bad.tlora", [("project.json", INDEX), (info, b"x")]), "cannot be unpacked", tmp_path)


@pytest.mark.parametrize(
    ("listed", "words"),
    [
        ([("project.json", INDEX), ("mixer/a.json", b"1"), ("mixer/A.json", b"2")], "twice"),
        ([("project.json", INDEX), ("mixer/\u00e9.json", b"1"), ("mixer/e\u0301.json", b"2")], "twice"),
        ([("project.json", INDEX), ("Project.json", INDEX)], "no file of a project"),
        ([("project.json", INDEX), (link("mixer/a.json"), b"/etc/passwd")], "is a link"),
        ([("project.json", INDEX), (kept_by_bzip2("mixer/a.json"), b"1")], "unknown way"),
        ([("mixer/a.json", b"1")], "holds no project.json"),
        ([("project.json", b"[" * 10**5)], "cannot be unpacked"),
        ([("project.json", INDEX.replace(b'version": 1', b'version": 99'))], "newer"),
        ([("project.json", b" " * 20_000_000)], "more than 16 MB"),
        ([("project.json", INDEX), ("mixer/a.safetensors", bytes(300_000_000))], "200 times its size"),
        ([], "no project.json"),
    ],
)
def test_what_no_project_has_is_refused(tmp_path: Path, listed: Files, words: str) -> None:
    refused(forged(tmp_path / "bad.tlora", listed), words, tmp_path)


def test_a_name_that_stands_there_twice_is_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        path = forged(tmp_path / "bad.tlora", [("project.json", INDEX), ("project.json", b"{}")])
    refused(path, "twice", tmp_path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda told: told | {"format": 2}, "newer"),
        (lambda told: told | {"format": "1"}, "cannot be unpacked"),
        (lambda told: told | {"files": told["files"][:-1]}, "list of files"),
        (lambda told: told | {"files": told["files"] * 2}, "list of files"),
        (lambda told: told | {"files": told["files"][::-1]}, "list of files"),
        (lambda told: told | {"files": [each | {"size": 10**12} for each in told["files"]]}, "list of files"),
        (lambda told: told | {"files": [each | {"sha256": "0" * 64} for each in told["files"]]}, "not what was packed"),
        (lambda told: [], "cannot be unpacked"),
        (lambda told: {}, "cannot be unpacked"),
    ],
)
def test_a_list_that_is_not_the_files_is_refused(tmp_path: Path, change: Callable[[Any], Any], words: str) -> None:
    listed = [("project.json", INDEX), ("mixer/a.safetensors", b"weights")]
    refused(forged(tmp_path / "bad.tlora", listed, change), words, tmp_path)


def test_a_file_cut_short_or_changed_anywhere_is_refused_or_the_same(one_epoch: Session, tmp_path: Path) -> None:
    sent = tmp_path / "sent.tlora"
    written(one_epoch, jobs.PackProject(str(path_of(one_epoch)), str(sent)))
    data = sent.read_bytes()
    for keep in (0, 1, 40, len(data) // 2, len(data) - 30, len(data) - 1):
        (tmp_path / "cut.tlora").write_bytes(data[:keep])
        refused(tmp_path / "cut.tlora", "cannot be unpacked", tmp_path)
    for turn in range(60):
        place = (turn * 7919 * len(data) // 60) % len(data)
        (tmp_path / "bad.tlora").write_bytes(data[:place] + bytes([data[place] ^ 0x41]) + data[place + 1 :])
        target = tmp_path / f"flipped {turn}"
        try:
            written(Session(), jobs.UnpackProject(str(tmp_path / "bad.tlora"), str(target)))
        except TloraError:
            assert not target.exists()
    (tmp_path / "text.tlora").write_text("no ZIP at all")
    refused(tmp_path / "text.tlora", "cannot be unpacked", tmp_path)
    refused(tmp_path / "nowhere.tlora", "No such file", tmp_path)
    (tmp_path / "folder.tlora").mkdir()
    refused(tmp_path / "folder.tlora", "cannot be unpacked", tmp_path)


def test_a_million_files_are_refused_at_once(tmp_path: Path) -> None:
    """The directory of the ZIP names one file a million times."""
    local = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0, 0, 0, 0, 0, 8, 0) + b"mimetype"
    entry = struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0) + b"mimetype"
    count = 10**6
    with (tmp_path / "bad.tlora").open("wb") as file:
        file.write(local + entry * count)
        size = len(entry) * count
        file.write(struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count % 65536, count % 65536, size, len(local), 0))
    refused(tmp_path / "bad.tlora", "too many files", tmp_path)


def test_as_many_files_as_are_read_are_refused_in_time(tmp_path: Path) -> None:
    listed = [("project.json", INDEX), *((f"mixer/{number:x}.json", b"") for number in range(16_000))]
    refused(forged(tmp_path / "bad.tlora", listed, lambda told: {}), "cannot be unpacked", tmp_path)


def test_a_bomb_of_files_that_lie_over_one_another_is_refused(tmp_path: Path) -> None:
    """Every entry of the directory points to the same packed bytes."""
    path = forged(tmp_path / "bad.tlora", [("mixer/a.safetensors", bytes(60_000_000))])
    data = path.read_bytes()
    with zipfile.ZipFile(path) as packed:
        start = packed.start_dir
        size = len(data) - 22 - start
    directory = data[start : start + size]
    many = directory * 50
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 150, 150, len(many), start, 0)
    path.write_bytes(data[:start] + many + end)
    refused(path, "200 times its size|cannot be unpacked", tmp_path)
