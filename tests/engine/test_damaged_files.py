"""Files of a project and texts of strangers, damaged at random: what is read has its types, or words say why not."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import Mutate, mutated_json, mutated_lines
from shared_records import FULL, RECIPE, RECORD

from tlora_gui.engine.projects.epoch_folder import read_facts, read_history
from tlora_gui.engine.projects.generation_store import GenerationStore
from tlora_gui.engine.projects.project_index import MixerFile, ProjectIndex
from tlora_gui.engine.projects.records import generation_line
from tlora_gui.engine.projects.run_history import RunHistory
from tlora_gui.engine.protocol.config import LoraSettings, MixerSettings, TrainSettings
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import EpochInfo, HeldOut, Machine, Run, TrainStep
from tlora_gui.engine.sharing.export_json import read_json, to_json
from tlora_gui.engine.storage.disk import DAMAGE, first_line, open_tensors, read_tensors, read_text
from tlora_gui.engine.storage.event_lines import event_line

EPOCH = EpochInfo("verse", "Verse", "era", "#009E73", "frozen", 512, 3.5, corpus=("/texts/verse",))
MACHINE = Machine("a processor", 2, 1, "CPU")
RUN = Run("", EPOCH, TrainSettings(), 1.7e9, backbone="tiny", machine=MACHINE, versions=(("torch", "2.9"),))
STEP = TrainStep("verse", 1, 4, 3.25, 0.5, 0.25, 1e-3, 512, 99.0, 3.5)
MEASURED = HeldOut("verse", 2, 3.5, (("verse", 0.75),), (("verse", 0.5),))


def index() -> bytes:
    made = ProjectIndex("starter", "tiny", "f" * 64, LoraSettings(), MixerSettings(), {"verse": "01-verse"},
                        (MixerFile("mixer-0001.safetensors", ("verse",)),))  # fmt: skip
    path = Path("project.json")
    made.write(path)
    return path.read_bytes()


def look_through_texts(path: Path) -> None:
    kept = GenerationStore(path)
    for each in kept.summaries():
        kept.load(each.id)
    kept.last()


FILES: dict[str, tuple[Callable[[], bytes], Mutate, Callable[[Path], object]]] = {
    "project.json": (index, mutated_json, ProjectIndex.read),
    "epoch.json": (
        lambda: json.dumps({"epoch": asdict(EPOCH), "settings": asdict(TrainSettings())}).encode(),
        mutated_json,
        lambda path: read_facts(path.parent),
    ),
    "history.jsonl": (
        lambda: f"{event_line(STEP)}\n{event_line(MEASURED)}\n".encode(),
        mutated_lines,
        lambda path: [event_line(event) for event in read_history(path.parent)],
    ),
    "generations.jsonl": (
        lambda: f"{generation_line(RECORD)}\n{generation_line(FULL, RECIPE)}\n".encode(),
        mutated_lines,
        look_through_texts,
    ),
    "run.json": (
        lambda: json.dumps(asdict(RUN)).encode(),
        mutated_json,
        lambda path: RunHistory(path.parents[1], lambda: None).load(path.parent.name),
    ),
    "text.json": (lambda: to_json(FULL, RECIPE).encode(), mutated_json, read_json),
}


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_read_by_type_or_refused_in_words(
    name: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("damaged") / "0001-verse"
    folder.mkdir()
    monkeypatch.chdir(folder)
    write, mutate, read = FILES[name]
    whole, path = write(), folder / name
    path.write_bytes(whole)
    read(path)

    @settings(max_examples=150, deadline=2000)
    @given(st.randoms(use_true_random=False))
    def look(random: Random) -> None:
        path.write_bytes(mutate(whole, random))
        try:
            read(path)
        except TloraError as error:
            assert 5 < len(str(error)) < 6000
        except DAMAGE as error:
            assert len(first_line(error)) < 500

    look()


@pytest.mark.parametrize("read", [open_tensors, read_tensors])
def test_a_safetensors_file_that_the_system_refuses_is_told_with_its_own_reason(
    tmp_path: Path, read: Callable[[Path], object]
) -> None:
    with pytest.raises(IsADirectoryError if os.name != "nt" else PermissionError):
        read(tmp_path)
    with pytest.raises(FileNotFoundError) as missing:
        read(tmp_path / "a.safetensors")
    assert first_line(missing.value) == "No such file or directory: a.safetensors"


@pytest.mark.parametrize("error", [TypeError("'list' object is not callable"), AttributeError("no attribute 'items'")])
def test_what_python_says_of_other_kinds_is_not_shown(error: Exception) -> None:
    assert first_line(error) == "a part of it is of another kind than belongs there"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\x93PNG\xff", "it is no text in UTF-8"),
        (b'{"a": 1,\n oh', "it is no JSON from line 2, column 2 on"),
        (b"[" * 100_000, "its parts are nested too deeply"),
    ],
)
def test_a_file_that_is_no_json_is_told_in_words(tmp_path: Path, content: bytes, told: str) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(content)
    with pytest.raises((ValueError, RecursionError)) as refused:
        json.loads(read_text(file))
    assert first_line(refused.value) == told
