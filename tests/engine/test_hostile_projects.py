"""Projects of strangers: whatever stands in a file of theirs, it is told as broken, and what opens can be shown."""

from __future__ import annotations

import copy
import json
import os
import shutil
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_helpers import changed, collect, drain, places
from safetensors.torch import load_file, save_file

from tlora_gui.engine import session
from tlora_gui.engine.backbones.loading import load_backbone
from tlora_gui.engine.projects.epoch_folder import read_facts, read_history
from tlora_gui.engine.projects.generation_store import GenerationStore
from tlora_gui.engine.projects.records import check_epoch
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import SamplingSettings, TrainSettings
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import EpochInfo, HeldOut, ProjectInfo, TrainStep
from tlora_gui.engine.session import Session
from tlora_gui.engine.storage.disk import DAMAGE, first_line
from tlora_gui.engine.storage.typed_json import reader

VALUES = (None, 5, -1, 1e999, "", "x" * 10**6, [], {}, True, "../..", "\ud83d")


def path_of(session: Session) -> Path:
    assert session.project is not None
    return session.project.path


def require_shown(info: ProjectInfo) -> None:
    """Everything that the window is told has its type and is no more than it can draw."""
    assert info.name and info.path and len(info.backbone.name) < 300
    for epoch in info.epochs:
        check_epoch(reader(EpochInfo)(json.loads(json.dumps(asdict(epoch)))))
        assert len(epoch.slug) < 300
    for slug, events in info.history:
        assert slug in {epoch.slug for epoch in info.epochs}
        for event in events:
            kind = type(event)
            assert kind in (TrainStep, HeldOut) and reader(kind)(json.loads(json.dumps(asdict(event)))) == event


@pytest.fixture
def loaded_once(two_epochs: Session, monkeypatch: pytest.MonkeyPatch) -> Session:
    """The session, whose backbone need not be loaded again with each project."""
    _, backbone = drain(load_backbone(two_epochs.info().backbone.reference, CancelToken()))

    def load(reference: str, *_: Any) -> Iterator[Any]:
        if reference != str(backbone.reference):
            raise TloraError(f"There is no {reference:.50}.")
        yield from ()
        return replace(backbone, model=copy.deepcopy(backbone.model))

    monkeypatch.setattr(session, "load_backbone", load)
    collect(two_epochs.run(jobs.Generate("O gentle night", sampling=SamplingSettings(max_new_tokens=2))))
    return two_epochs


def mutations(file: Path) -> Iterator[int]:
    """Write each value in each place of a JSON file, or of the first line of such lines; tells which value it is."""
    lines = file.read_text().splitlines() if file.suffix == ".jsonl" else [file.read_text()]
    first = json.loads(lines[0])
    for place in places(first):
        for number, value in enumerate(VALUES):
            text = json.dumps(changed(first, place, value)).replace("Infinity", "1e999")
            file.write_text("\n".join([text, *lines[1:]]))
            yield number


@pytest.mark.parametrize(
    "file", ["project.json", "epochs/02-code/epoch.json", "epochs/02-code/adapter_config.json"], ids=lambda file: file
)
def test_any_value_in_any_place_of_a_file_gives_a_broken_row_or_a_refusal(
    loaded_once: Session, tmp_path: Path, file: str
) -> None:
    path, opened = Path(shutil.copytree(path_of(loaded_once), tmp_path / "hostile")), 0
    for turn, number in enumerate(mutations(path / file)):
        if number != turn // len(VALUES) % len(VALUES) and file != "project.json":
            continue  # opening takes a while: another value in each place
        other = Session()
        try:
            collect(other.run(jobs.OpenProject(str(path))))
        except TloraError as error:
            assert len(str(error)) < 6000
            continue
        require_shown(other.info())
        assert len(other.info().epochs) == 2 or file == "project.json"
        other.close()
        opened += 1
    assert opened


def test_facts_of_an_epoch_are_typed_whatever_stands_in_their_place(loaded_once: Session) -> None:
    folder = path_of(loaded_once) / "epochs" / "02-code"
    for _ in mutations(folder / "epoch.json"):
        try:
            info, settings = read_facts(folder)
        except DAMAGE as error:
            assert len(first_line(error)) < 400
            continue
        check_epoch(reader(EpochInfo)(json.loads(json.dumps(asdict(info)))))
        assert reader(TrainSettings)(json.loads(json.dumps(asdict(settings)))) == settings


def test_a_damaged_line_ends_a_history_and_no_other_text_is_lost(loaded_once: Session) -> None:
    path = path_of(loaded_once)
    for _ in mutations(path / "epochs" / "02-code" / "history.jsonl"):
        for event in read_history(path / "epochs" / "02-code"):
            kind = type(event)
            assert reader(kind)(json.loads(json.dumps(asdict(event)))) == event
    kept = (path / "generations.jsonl").read_text()
    (path / "generations.jsonl").write_text(kept + kept.replace('"id": "', '"id": "other'))
    for _ in mutations(path / "generations.jsonl"):
        generations = GenerationStore(path / "generations.jsonl")
        listed = [summary.id for summary in generations.summaries()]
        assert any(id.startswith("other") for id in listed)
        last = generations.last()
        assert last is not None and last.id.startswith("other")
        for id in listed:
            try:
                assert generations.load(id).id == id
            except TloraError as error:
                assert error.message == "This text is damaged on disk."


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (lambda: b"[" * 100_000, "project.json"),
        (lambda: b'{"epochs": {' + b",".join(b'"a%d": "%d"' % (n, n) for n in range(10**6)) + b"}}", "more than 16 MB"),
        (lambda: b" " * 60_000_000, "more than 16 MB"),
        (lambda: b'{"format_version": NaN}', "damaged"),
    ],
    ids=["deep", "a million epochs", "60 MB", "NaN"],
)
def test_what_is_too_large_or_too_deep_is_refused_at_once(
    tmp_path: Path, data: Callable[[], bytes], words: str
) -> None:
    (tmp_path / "project.json").write_bytes(data())
    tracemalloc.start()
    with pytest.raises(TloraError, match=words):
        collect(Session().run(jobs.OpenProject(str(tmp_path))))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40_000_000, "it was read whole"


def broken_rows(path: Path) -> dict[str, str]:
    """What another session says of a project's epochs: the reasons of those that are broken, or have no memory."""
    other = Session()
    collect(other.run(jobs.OpenProject(str(path))))
    broken = {epoch.slug: epoch.note for epoch in other.info().epochs if epoch.state == "broken"}
    rows = broken | {repair.slug: repair.reason for repair in other.info().repairs}
    other.close()
    return rows


@pytest.mark.parametrize("name", ["memory.safetensors", "adapter_model.safetensors"])
@pytest.mark.parametrize("damage", ["nan", "shape", "type", "linked", "a pipe"])
def test_tensors_that_cannot_be_used_break_their_epoch_alone(
    loaded_once: Session, tmp_path: Path, name: str, damage: str
) -> None:
    path = Path(shutil.copytree(path_of(loaded_once), tmp_path / "hostile"))
    file = path / "epochs" / "02-code" / name
    tensors = load_file(file)
    key = "replay" if name.startswith("memory") else next(iter(tensors))
    match damage:
        case "nan":
            tensors[key].view(-1)[3] = torch.nan
        case "shape":
            tensors[key] = tensors[key][..., :0].clone()
        case "type":
            tensors["held_out" if name.startswith("memory") else key] = torch.full((2, 8), 10**6)
    file.unlink()
    if damage == "linked":
        save_file(tensors, tmp_path / "elsewhere")
        file.symlink_to(tmp_path / "elsewhere")
    elif damage == "a pipe":
        os.mkfifo(file)
    else:
        save_file(tensors, file)
    rows = broken_rows(path)
    assert list(rows) == ["code"] and 5 < len(rows["code"]) < 400


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("replay_ids", torch.zeros(1, 3, dtype=torch.int32)),
        ("replay_ids", torch.full((2, 64), 10**6, dtype=torch.int32)),
        ("token_counts", torch.zeros(3, dtype=torch.int32)),
        ("token_counts", torch.tensor([[10**6], [1]], dtype=torch.int32)),
        ("token_counts", torch.tensor([[3], [-5]], dtype=torch.int32)),
        ("dream_counts", torch.tensor([[3.0], [torch.nan]])),
        ("dream_counts", torch.zeros(2, 0, dtype=torch.int32)),
        ("replay_level", torch.ones(48)),
        ("probe_level", torch.ones(2, 24)),
    ],
)
def test_counts_that_cannot_be_used_break_their_memory_alone(
    loaded_once: Session, tmp_path: Path, name: str, value: torch.Tensor
) -> None:
    path = Path(shutil.copytree(path_of(loaded_once), tmp_path / "hostile"))
    file = path / "epochs" / "02-code" / "memory.safetensors"
    tensors = load_file(file)
    file.unlink()
    save_file({**tensors, name: value}, file)
    rows = broken_rows(path)
    told = f"{name.removesuffix('_level')} of its memory does not fit"
    assert list(rows) == ["code"] and told in rows["code"]


def test_a_header_of_tensors_that_holds_a_book_is_not_quoted_whole(loaded_once: Session, tmp_path: Path) -> None:
    path = Path(shutil.copytree(path_of(loaded_once), tmp_path / "hostile"))
    header = json.dumps({"a": {"dtype": "x" * 10**5, "shape": [1], "data_offsets": [0, 4]}}).encode()
    for name in ("adapter_model", "memory"):
        file = path / "epochs" / "02-code" / f"{name}.safetensors"
        whole = file.read_bytes()
        file.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
        rows = broken_rows(path)
        assert list(rows) == ["code"] and "header" in rows["code"] and len(rows["code"]) < 1000
        file.write_bytes(whole)


@pytest.mark.parametrize("part", ["epochs", "mixer", "deleted", "generations.jsonl"])
def test_a_part_that_leads_out_of_the_project_is_refused(loaded_once: Session, tmp_path: Path, part: str) -> None:
    path = Path(shutil.copytree(path_of(loaded_once), tmp_path / "hostile"))
    elsewhere = tmp_path / "elsewhere"
    if (path / part).exists():
        (path / part).rename(elsewhere)
    else:
        elsewhere.mkdir()
    (path / part).symlink_to(elsewhere)
    with pytest.raises(TloraError, match="leads out of the project"):
        collect(Session().run(jobs.OpenProject(str(path))))
