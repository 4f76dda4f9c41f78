"""A project as the first version wrote it: it opens with the figures that it had, and is today's from then on.

``data/format-1`` has the backbone, the project (two epochs, an interrupted one, two kept texts), and what that version
said of them: losses and routing, last logits of each slot, weights of every fourth token.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_helpers import collect, only

from tlora_gui.engine.projects import migration, project_lock
from tlora_gui.engine.projects.migration import FORMAT_VERSION
from tlora_gui.engine.projects.project import Project
from tlora_gui.engine.projects.project_index import ProjectIndex
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import HeldOut, ProjectListed, Warned
from tlora_gui.engine.session import Session
from tlora_gui.engine.storage import disk
from tlora_gui.temporal.config import MEMORY_WINDOW

DATA = Path(__file__).parents[1] / "data" / "format-1"
BACKBONE = str(DATA / "backbone")
FIGURES = json.loads((DATA / "figures.json").read_text(encoding="utf-8"))
IDS = torch.arange(40, 72)[None]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DATA / "project", tmp_path / "first"))


def files(folder: Path) -> dict[str, str]:
    """Digests of everything in a folder but its lock."""
    found = (file for file in sorted(folder.rglob("*")) if file.is_file() and file.name != ".lock")
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in found}


def opened(path: Path) -> tuple[Session, list[Any]]:
    session = Session()
    return session, collect(session.run(jobs.OpenProject(str(path), BACKBONE)))


def require_figures(session: Session) -> None:
    """Everything that the first version knew of the project is as it was."""
    info = session.info()
    known = {epoch.slug: [epoch.state, epoch.tokens, epoch.held_out_loss, epoch.backbone_loss] for epoch in info.epochs}
    assert known == FIGURES["epochs"]
    routing = {slug: dict(only(history, HeldOut)[-1].routing) for slug, history in info.history}
    assert routing == FIGURES["routing"]
    assert session.project is not None and session.model is not None
    kept = session.project.generations
    texts = [kept.load(each.id) for each in kept.summaries()]
    assert [[text.prompt, "".join(token.text for token in text.tokens)] for text in texts] == FIGURES["texts"]
    assert kept.last() == texts[-1] == info.generation
    with torch.inference_mode():
        for slot, name in enumerate(FIGURES["logits"]):
            logits = session.model(IDS, slot).logits_BTV[0, -1, ::16]
            torch.testing.assert_close(logits, torch.tensor(FIGURES["logits"][name]), rtol=1e-4, atol=2e-4)
        weights = session.model(IDS, "mixer").weights_BTS[0, ::4]
    torch.testing.assert_close(weights, torch.tensor(FIGURES["weights"]), rtol=0, atol=0.02)  # silent slots are cut off


def test_a_project_of_the_first_version_opens_with_its_figures_and_a_copy_of_what_was_changed(path: Path) -> None:
    before = files(path)
    session, events = opened(path)
    require_figures(session)
    (told,) = only(events, Warned)
    assert f"format {FORMAT_VERSION}" in told.message and str(path / "backup" / "format-1") in told.hint
    assert json.loads((path / "project.json").read_text())["format_version"] == FORMAT_VERSION == 3
    assert session.model is not None and session.model.mixer.settings.switching == "mean", "as it did then"
    copies = files(path / "backup" / "format-1")
    after = {name: digest for name, digest in files(path).items() if not name.startswith("backup")}
    assert after.keys() == before.keys()
    assert copies == {name: digest for name, digest in before.items() if after[name] != digest}
    assert {"project.json", "generations.jsonl", "epochs/01-verse/epoch.json"} < copies.keys()


def test_opening_it_again_changes_nothing(path: Path) -> None:
    opened(path)[0].close()
    before = files(path)
    session, events = opened(path)
    assert files(path) == before and only(events, Warned) == []
    require_figures(session)


def test_settings_say_what_a_training_of_that_time_did(path: Path) -> None:
    session, _ = opened(path)
    assert session.project is not None and session.model is not None
    _, settings = session.project.read_epoch("verse")
    assert not settings.early_stop and not settings.sleep.memory_labels and settings.sleep.source == "features"
    assert settings.batch_size == 4 and settings.held_out_tokens == 256
    assert {memory.replay_NWH.shape[1] for memory in session.model.memories.values()} == {MEMORY_WINDOW}


def test_its_interrupted_epoch_goes_on(path: Path) -> None:
    session, _ = opened(path)
    (before,) = (epoch for epoch in session.info().epochs if epoch.state == "interrupted")
    collect(session.run(jobs.ResumeEpoch("tale")))
    (tale,) = (epoch for epoch in session.info().epochs if epoch.slug == "tale")
    assert "step 9 of 20" in before.note and tale.state == "frozen"
    assert tale.held_out_loss is not None and tale.backbone_loss is not None
    assert tale.held_out_loss < tale.backbone_loss - 0.3


def test_every_epoch_and_text_can_be_worked_on_afterwards(path: Path) -> None:
    session, _ = opened(path)
    first, second = session.project.generations.summaries() if session.project else ()
    collect(session.run(jobs.EditGeneration(first.id, "named", True)))
    collect(session.run(jobs.DeleteGeneration(second.id)))
    collect(session.run(jobs.EditEpoch("verse", "Poem", "", "#123456")))
    collect(session.run(jobs.DeleteEpoch("code")))
    collect(session.run(jobs.RestoreEpoch("code")))
    session.close()
    again, _ = opened(path)
    assert [epoch.name for epoch in again.info().epochs] == ["Poem", "Code", "Tale"]
    assert again.project is not None
    assert [(text.name, text.pinned) for text in again.project.generations.summaries()] == [("named", True)]


def test_a_project_that_may_only_be_read_is_read_and_not_changed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files(path)
    monkeypatch.setattr("tlora_gui.engine.session.lock_project", lambda folder: None)
    session = Session()
    model = Path(shutil.copytree(BACKBONE, path.parent / "backbone"))
    events = collect(session.run(jobs.OpenProject(str(path), str(model))))
    require_figures(session)
    assert only(events, Warned) == [] and files(path) == before
    assert session.project is not None
    assert not session.project.read_epoch("verse")[1].early_stop


def test_a_project_that_is_followed_or_listed_is_not_changed(path: Path) -> None:
    before = files(path)
    (listed,) = only(collect(Session().run(jobs.ListProject(str(path)))), ProjectListed)
    assert [epoch.state for epoch in listed.epochs] == ["frozen", "frozen", "interrupted"]
    assert [text.prompt for text in listed.generations] == ["O gentle", "def f"]
    with project_lock.lock_project(path) or pytest.fail("it is locked"):
        stream = Session().run(jobs.FollowProject(str(path)))
        next(iter(stream))
        stream.close()  # type: ignore[attr-defined]
    assert files(path) == before


class Killed(BaseException):
    """The process ends here."""


def kill_at(monkeypatch: pytest.MonkeyPatch, turn: int) -> Callable[[], int]:
    """End at the ``turn``-th (from 0) rename of a file or folder; tells how many there were."""
    done, rename = [0], disk.rename

    def renamed(path: Path, target: Path) -> None:
        if done[0] == turn:
            raise Killed
        done[0] += 1
        rename(path, target)

    monkeypatch.setattr(disk, "rename", renamed)
    return lambda: done[0]


def test_whoever_is_killed_on_the_way_leaves_the_earlier_format_which_opens_again(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = files(path)
    with monkeypatch.context() as patch:
        count = kill_at(patch, 99)
        migration.migrate(Path(shutil.copytree(path, tmp_path / "whole")))
    whole = files(tmp_path / "whole")
    assert count() == 1 + len(files(tmp_path / "whole" / "backup" / "format-1"))
    for turn in range(count()):
        killed = Path(shutil.copytree(path, tmp_path / f"killed-{turn}"))
        with monkeypatch.context() as patch, pytest.raises(Killed):
            kill_at(patch, turn)
            migration.migrate(killed)
        assert ProjectIndex.read(killed / "project.json").format == 1
        assert files(killed)["project.json"] == original["project.json"]
        migration.migrate(killed)
        assert files(killed) == whole
    session, _ = opened(killed)
    require_figures(session)


def test_an_earlier_copy_is_not_overwritten_by_that_of_another_state(path: Path) -> None:
    opened(path)[0].close()
    first = files(path / "backup" / "format-1")
    for name in ("project.json", "generations.jsonl"):
        shutil.copyfile(path / "backup" / "format-1" / name, path / name)
    index = json.loads((path / "project.json").read_text())
    (path / "project.json").write_text(json.dumps(index | {"baselines": []}))
    opened(path)[0].close()
    assert files(path / "backup" / "format-1") == first
    assert set(files(path / "backup" / "format-1-2")) == {"project.json", "generations.jsonl"}


def test_what_cannot_be_written_leaves_the_earlier_format(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files(path)

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(migration, "write_folder", refuse)
    with pytest.raises(TloraError, match=r"first is of an earlier format.*Permission denied.*Nothing of it is lost"):
        opened(path)
    assert files(path) == before
    monkeypatch.undo()
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: type("usage", (), {"free": 1000}))
    with pytest.raises(TloraError, match="0 MB are free there"):
        opened(path)
    assert files(path) == before


def test_damaged_files_stay_as_they_are_and_break_their_row_alone(path: Path) -> None:
    (path / "epochs" / "02-code" / "epoch.json").write_text("{")
    (path / "epochs" / "01-verse" / "memory.safetensors").write_bytes(b"cut")
    session, _ = opened(path)
    assert [epoch.state for epoch in session.info().epochs] == ["frozen", "broken", "interrupted"]
    assert (path / "epochs" / "02-code" / "epoch.json").read_text() == "{"
    assert (path / "epochs" / "01-verse" / "memory.safetensors").read_bytes() == b"cut"


def test_a_part_that_leads_elsewhere_is_not_written_through(path: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.move(path / "epochs" / "02-code", elsewhere)
    (path / "epochs" / "02-code").symlink_to(elsewhere)
    before = files(elsewhere)
    migration.migrate(path)
    assert files(elsewhere) == before and Project.open(path).index.format == FORMAT_VERSION
