"""A project on disk: made, opened, damaged, stored whole or not at all; names and exports."""

from __future__ import annotations

import copy
import errno
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from engine_helpers import QUICK, same_tensors, snapshot
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from tlora_gui.engine.corpus.blocks import TokenBlocks
from tlora_gui.engine.projects.epoch_folder import read_memory, write_memory
from tlora_gui.engine.projects.project import Project
from tlora_gui.engine.projects.project_index import FORMAT_VERSION
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import EpochInfo, HeldOut, TrainStep
from tlora_gui.engine.storage import disk
from tlora_gui.engine.storage.disk import write_tensors, write_text
from tlora_gui.temporal.active_sleep import EpochMemory, to_levels
from tlora_gui.temporal.config import MEMORY_WINDOW, STRATEGIES, MixerSettings, Strategy
from tlora_gui.temporal.model import TemporalLoRA

HISTORY = (
    HeldOut("verse", 0, 5.0, (("verse", 0.0),)),
    TrainStep("verse", 1, 2, 5.0, 0.0, 0.1, 1e-3, 128, 10.0, 1.0),
    HeldOut("verse", 1, 4.5, (("verse", 0.75),), (("verse", 0.5),), (("verse", 4.75),), 4.625),
)
Load = Callable[[Project], tuple[TemporalLoRA, list[EpochInfo]]]
IDS = torch.arange(40, 72)[None]


def info(slug: str, **changes: Any) -> EpochInfo:
    return replace(EpochInfo(slug, slug.capitalize(), "an era", "#0072B2", "frozen", 640, 4.5, 6.0), **changes)


def memory() -> EpochMemory:
    held_out_NT = torch.randint(257, (5, 32), dtype=torch.int32)
    return EpochMemory(torch.rand(4, MEMORY_WINDOW, 48).half(), torch.rand(2, 16, 48).half(), held_out_NT)


def add(
    project: Project,
    model: TemporalLoRA,
    slug: str,
    epoch: EpochInfo | None = None,
    left: EpochMemory | None = None,
) -> None:
    """A finished epoch with random weights, in the model and on disk."""
    model.add_adapter(slug, "an era")
    model.begin_epoch(slug)
    with torch.no_grad():
        for index, parameter in enumerate(model.adapter_parameters(slug).values()):
            parameter.copy_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(index)))
        model.mixer.head.weight.normal_()
    model.finish_epoch(slug)
    model.memories[slug] = left or memory()
    project.add_epoch(epoch or info(slug), QUICK, model, HISTORY)


both_families = pytest.mark.usefixtures("tiny_backbone")


@pytest.fixture
def plain(request: pytest.FixtureRequest, tiny_model_folder: Path) -> Any:
    """A backbone that nothing ever wraps: a Llama, or each family where a test asks for both."""
    if "tiny_backbone" in request.fixturenames:
        return request.getfixturevalue("tiny_backbone")
    return AutoModelForCausalLM.from_pretrained(tiny_model_folder)


@pytest.fixture
def model(plain: Any) -> TemporalLoRA:
    return TemporalLoRA(copy.deepcopy(plain))


@pytest.fixture
def project(tmp_path: Path, model: TemporalLoRA) -> Project:
    return Project.create(tmp_path / "project", "/somewhere/tiny", "tiny", "f" * 64, model)


@pytest.fixture
def load(plain: Any) -> Load:
    """Reads a project's folder into a fresh model around a backbone that was never wrapped."""

    def read(project: Project) -> tuple[TemporalLoRA, list[EpochInfo]]:
        again = Project.open(project.path)
        model = TemporalLoRA(copy.deepcopy(plain), again.index.lora, again.index.mixer)
        return model, again.load_into(model)

    return read


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# -- making and opening -----------------------------------------------------------------------------------------


def test_project_is_made_in_a_new_or_empty_folder_and_opened_as_it_was(tmp_path: Path, model: TemporalLoRA) -> None:
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "new" / "deep", tmp_path / "empty"):
        made = Project.create(path, "reference", "name", "f" * 64, model)
        assert Project.open(path) == made
        assert made.index.lora.mixer_layer == model.mixer_layer


@pytest.mark.parametrize("taken", ["folder", "file", "below a file"])
def test_project_is_not_made_where_something_is(tmp_path: Path, model: TemporalLoRA, taken: str) -> None:
    path = tmp_path / "taken"
    if taken == "folder":
        path.mkdir()
        (path / "a.txt").write_text("mine")
    else:
        path.write_text("mine")
    before = content(tmp_path)
    with pytest.raises(TloraError, match=r"is not empty|cannot be made"):
        Project.create(path / "deeper" if taken == "below a file" else path, "r", "n", "f", model)
    assert content(tmp_path) == before


@pytest.mark.parametrize("what", ["nothing", "folder", "file"])
def test_what_is_no_project_is_not_opened(tmp_path: Path, what: str) -> None:
    path = tmp_path / "p"
    if what == "folder":
        path.mkdir()
    elif what == "file":
        path.write_text("{}")
    with pytest.raises(TloraError, match="is not a Temporal LoRA project"):
        Project.open(path)


def change_index(project: Project, change: Callable[[Any], Any]) -> None:
    path = project.path / "project.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))


@pytest.mark.parametrize(
    "damage",
    [
        lambda index: [],
        lambda index: {},
        lambda index: {**index, "format_version": "one"},
        lambda index: {**index, "lora": {"r": 0}},
        lambda index: {**index, "lora": {"unheard": 1}},
        lambda index: {**index, "epochs": []},
        lambda index: {**index, "epochs": {"verse": "../../elsewhere"}},
        lambda index: {**index, "epochs": {"verse": ".."}},
        lambda index: {**index, "epochs": {"verse": "c:\\windows"}},
        lambda index: {**index, "epochs": {"verse": None}},
        lambda index: {**index, "mixers": [{"file": "/etc/passwd", "slots": []}]},
        lambda index: {**index, "baselines": [{"file": "../mixer", "slots": []}]},
        lambda index: {**index, "format_version": 0},
    ],
)
def test_damaged_or_hostile_index_is_refused_and_left_alone(project: Project, damage: Any) -> None:
    change_index(project, damage)
    before = content(project.path)
    with pytest.raises(TloraError, match=r"project.json is damaged.*Nothing was changed"):
        Project.open(project.path)
    assert content(project.path) == before


@pytest.mark.parametrize("data", [b"", b'{"format_version": 1', b"\xff\xfe"])
def test_index_that_is_no_json_is_damaged(project: Project, data: bytes) -> None:
    (project.path / "project.json").write_bytes(data)
    with pytest.raises(TloraError, match=r"project.json is damaged"):
        Project.open(project.path)


def test_project_of_a_newer_version_asks_for_an_update(project: Project) -> None:
    change_index(project, lambda index: {"format_version": FORMAT_VERSION + 1})
    with pytest.raises(TloraError, match=r"made by a newer tlora-gui .*Update tlora-gui"):
        Project.open(project.path)


# -- writing whole or not at all --------------------------------------------------------------------------------


def fail(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("breaks", ["sync", "os.replace"])
def test_write_that_fails_midway_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, breaks: str
) -> None:
    text, tensors = tmp_path / "a.json", tmp_path / "a.safetensors"
    write_text(text, "old")
    write_tensors(tensors, {"a": torch.zeros(3)})
    if breaks == "sync":
        monkeypatch.setattr(disk, "sync", fail)
    else:
        monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError):
        write_text(text, "new")
    with pytest.raises(OSError):
        write_tensors(tensors, {"a": torch.ones(3)})
    assert text.read_text() == "old"
    assert torch.equal(load_file(tensors)["a"], torch.zeros(3))


@pytest.mark.parametrize("breaks", ["history.jsonl", "memory.safetensors", "mixer-0002.safetensors", "project.json"])
def test_epoch_that_cannot_be_stored_leaves_the_project_as_it_was(
    project: Project, model: TemporalLoRA, monkeypatch: pytest.MonkeyPatch, breaks: str
) -> None:
    add(project, model, "verse")
    before, known = content(project.path), Project.open(project.path)
    sync = disk.sync

    def sync_or_fail(path: Path) -> None:
        fail() if breaks in path.name else sync(path)

    monkeypatch.setattr(disk, "sync", sync_or_fail)
    with pytest.raises(OSError):
        add(project, model, "code")
    monkeypatch.undo()
    assert Project.open(project.path) == project == known
    assert {name: data for name, data in content(project.path).items() if name in before} == before
    assert not [name for name in content(project.path) if "code" in name]
    project.add_epoch(info("code"), QUICK, model, HISTORY)
    assert list(Project.open(project.path).index.folders.values()) == ["01-verse", "02-code"]


# -- epochs -----------------------------------------------------------------------------------------------------


@both_families
def test_stored_epochs_load_with_the_same_weights_logits_memories_and_facts(
    project: Project, model: TemporalLoRA, load: Load
) -> None:
    epochs = [info("verse", corpus=("/a", "/b"), note="stopped after 1 of 2 steps"), info("code")]
    for epoch in epochs:
        add(project, model, epoch.slug, epoch)
    again, infos = load(project)
    assert infos == epochs
    assert again.slot_adapters == model.slot_adapters
    assert same_tensors(snapshot(again.mixer), snapshot(model.mixer))
    for slug in ("verse", "code"):
        assert same_tensors(again.adapter_parameters(slug), model.adapter_parameters(slug))
        assert torch.equal(again.memories[slug].replay_NWH, model.memories[slug].replay_NWH)
        assert torch.equal(again.memories[slug].eval_features_NTH, model.memories[slug].eval_features_NTH)
        one, other = again.memories[slug].held_out_NT, model.memories[slug].held_out_NT
        assert one is not None and other is not None and torch.equal(one, other)
        assert Project.open(project.path).read_history(slug) == HISTORY
        assert Project.open(project.path).read_epoch(slug) == (info(slug) if slug == "code" else epochs[0], QUICK)
    with torch.inference_mode():
        for blend in ("mixer", 0, 1, 2):
            one, other = model(IDS, blend), again(IDS, blend)
            assert torch.equal(one.logits_BTV, other.logits_BTV)
            assert torch.equal(one.weights_BTS, other.weights_BTS)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_strategy_of_a_project_is_kept_with_its_mixers(
    plain: Any, tmp_path: Path, strategy: Strategy, load: Load
) -> None:
    model = TemporalLoRA(copy.deepcopy(plain), mixer=MixerSettings(strategy, width=8, smoothing=0.5))
    project = Project.create(tmp_path / "project", "reference", "tiny", "f" * 64, model)
    for slug in ("verse", "code"):
        add(project, model, slug)
    model.remove_adapter("verse")
    project.remove_epoch("verse", model)
    again, _ = load(project)
    assert again.mixer.settings == model.mixer.settings
    assert same_tensors(snapshot(again.mixer), snapshot(model.mixer))
    with torch.inference_mode():
        assert torch.equal(again(IDS).weights_BTS, model(IDS).weights_BTS)


def test_memory_without_text_is_stored_without_text(project: Project, model: TemporalLoRA, load: Load) -> None:
    add(project, model, "verse", left=replace(memory(), held_out_NT=None))
    stored = load_file(project.path / "epochs" / "01-verse" / "memory.safetensors")
    assert {name: tensor.dtype for name, tensor in stored.items()} == {"replay": torch.float16, "probe": torch.float16}
    assert load(project)[0].memories["verse"].held_out_NT is None


@pytest.mark.parametrize("hidden", [48, 7])
def test_a_memory_at_levels_is_stored_in_four_bits(tmp_path: Path, hidden: int) -> None:
    features_NTH = to_levels(torch.randn(3, MEMORY_WINDOW, hidden, generator=torch.Generator().manual_seed(0)))
    write_memory(tmp_path, EpochMemory(features_NTH, features_NTH[:1, :5]))
    stored = load_file(tmp_path / "memory.safetensors")
    assert stored["replay"].nbytes == 3 * MEMORY_WINDOW * ((hidden + 1) // 2)
    owner: Any = SimpleNamespace(
        mixer=SimpleNamespace(hidden_size=hidden),
        backbone=SimpleNamespace(get_input_embeddings=lambda: SimpleNamespace(weight=torch.zeros(9, hidden))),
    )
    found = read_memory(tmp_path, owner)
    assert found is not None
    assert torch.equal(found.replay_NWH, features_NTH)
    assert torch.equal(found.eval_features_NTH, features_NTH[:1, :5])


@pytest.mark.parametrize(("windows", "recut"), [(4, 1), (192, 48), (5, 1), (9, 2)])
def test_memory_of_an_older_version_is_cut_anew_and_has_no_text(
    project: Project, model: TemporalLoRA, load: Load, windows: int, recut: int
) -> None:
    add(project, model, "verse")
    old = {"replay": torch.rand(windows, 16, 48).half(), "probe": torch.rand(2, 32, 48).half()}
    write_tensors(project.path / "epochs" / "01-verse" / "memory.safetensors", old)
    change_index(project, lambda index: {**index, "format_version": 1})
    again, infos = load(project)
    found = again.memories["verse"]
    assert [epoch.state for epoch in infos] == ["frozen"]
    assert found.held_out_NT is None and torch.equal(found.eval_features_NTH, old["probe"])
    assert found.replay_NWH.shape == (recut, MEMORY_WINDOW, 48)
    assert torch.equal(found.replay_NWH.flatten(0, 1), old["replay"].flatten(0, 1)[: recut * MEMORY_WINDOW])


def test_settings_and_history_of_an_older_version_are_read(project: Project, model: TemporalLoRA, load: Load) -> None:
    add(project, model, "verse")
    folder = project.path / "epochs" / "01-verse"
    data = json.loads((folder / "epoch.json").read_text())
    for name in ("source", "memory_labels"):
        del data["settings"]["sleep"][name]
    (folder / "epoch.json").write_text(json.dumps(data))
    lines = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    for line in lines:
        line.pop("losses", None), line.pop("unprotected_loss", None)
    (folder / "history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert [epoch.state for epoch in load(project)[1]] == ["frozen"]
    assert project.read_epoch("verse") == (info("verse"), QUICK)
    older = replace(HISTORY[2], losses=(), unprotected_loss=None)
    assert project.read_history("verse") == (*HISTORY[:2], older)


def test_layout_is_the_documented_one(project: Project, model: TemporalLoRA) -> None:
    for slug in ("verse", "code"):
        add(project, model, slug)
    epoch_files = [
        "adapter_config.json", "adapter_model.safetensors", "epoch.json", "history.jsonl", "memory.safetensors",
    ]  # fmt: skip
    expected = ["mixer/mixer-0001.safetensors", "mixer/mixer-0002.safetensors", "project.json"]
    expected += [f"epochs/{folder}/{file}" for folder in ("01-verse", "02-code") for file in epoch_files]
    assert sorted(content(project.path)) == sorted(expected)


def test_adapter_folder_names_the_backbone_and_no_place_on_this_machine(project: Project, model: TemporalLoRA) -> None:
    add(project, model, "verse")
    config = json.loads((project.path / "epochs" / "01-verse" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "tiny"
    assert not [value for value in config.values() if isinstance(value, str) and ("/" in value or "\\" in value)]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "epoch.json").write_text("{"),
        lambda folder: (folder / "epoch.json").write_text("[]"),
        lambda folder: (folder / "epoch.json").unlink(),
        lambda folder: (folder / "adapter_config.json").unlink(),
        lambda folder: (folder / "adapter_model.safetensors").unlink(),
        lambda folder: cut(folder / "adapter_model.safetensors"),
        lambda folder: write_tensors(folder / "adapter_model.safetensors", {"other": torch.zeros(1)}),
        shutil.rmtree,
    ],
)
def test_damaged_epoch_is_broken_with_a_reason_and_the_others_work(
    project: Project, model: TemporalLoRA, load: Load, damage: Any
) -> None:
    for slug in ("verse", "code"):
        add(project, model, slug)
    damage(project.path / "epochs" / "01-verse")
    again, infos = load(project)
    assert [(epoch.slug, epoch.state) for epoch in infos] == [("verse", "broken"), ("code", "frozen")]
    assert infos[0].note
    assert again.slot_adapters == ["code"] and again.mixer.slots == 2
    assert list(again.adapters) == list(again.memories) == ["code"]
    kept = model.mixer.head.weight[[0, 2]]
    assert torch.equal(again.mixer.head.weight, kept)
    with torch.inference_mode():
        assert torch.equal(again(IDS, 1).logits_BTV, model(IDS, 2).logits_BTV)


@pytest.mark.parametrize(
    "damage",
    [
        cut,
        Path.unlink,
        lambda path: write_tensors(path, {"other": torch.zeros(1)}),
        lambda path: write_tensors(path, {name: torch.zeros(3) for name in ("replay", "probe")}),
        lambda path: write_tensors(path, {name: torch.zeros(2, 16, 48) for name in ("replay", "probe")}),
    ],
)
def test_an_epoch_whose_memory_is_damaged_speaks_and_its_note_tells(
    project: Project, model: TemporalLoRA, load: Load, damage: Callable[[Path], None]
) -> None:
    for slug in ("verse", "code"):
        add(project, model, slug)
    damage(project.path / "epochs" / "01-verse" / "memory.safetensors")
    again, infos = load(project)
    assert [(epoch.slug, epoch.state) for epoch in infos] == [("verse", "frozen"), ("code", "frozen")]
    assert "rests on its dreams: " in infos[0].note and not infos[1].note
    assert list(again.memories) == ["code"] and again.slot_adapters == ["verse", "code"]
    with torch.inference_mode():
        assert torch.equal(again(IDS).logits_BTV, model(IDS).logits_BTV)


@pytest.mark.parametrize("damage", [cut, Path.unlink, lambda path: write_tensors(path, {"a": torch.zeros(1)})])
def test_in_place_of_a_damaged_mixer_the_latest_that_can_be_read_is_used(
    project: Project, model: TemporalLoRA, load: Load, damage: Callable[[Path], None]
) -> None:
    add(project, model, "verse")
    earlier = snapshot(model.mixer)
    for slug in ("code", "tale"):
        add(project, model, slug)
    damage(project.path / "mixer" / "mixer-0003.safetensors")
    cut(project.path / "mixer" / "mixer-0002.safetensors")
    opened = Project.open(project.path)
    again = load(project)[0]
    infos = opened.load_into(TemporalLoRA(again.backbone, opened.index.lora, opened.index.mixer))
    assert "mixer-0003.safetensors" in opened.mixer_damage and opened.unlearned == ("code", "tale")
    assert [epoch.state for epoch in infos] == ["frozen"] * 3
    assert again.slot_adapters == ["verse", "code", "tale"] and again.mixer.slots == 4
    assert torch.equal(again.mixer.head.weight[:2], earlier["head.weight"])
    with torch.inference_mode():
        assert again(IDS).weights_BTS[..., 2:].max() < 0.01
        assert torch.equal(again(IDS, 2).logits_BTV, model(IDS, 2).logits_BTV)


def test_nothing_is_built_on_a_mixer_that_stands_in_for_a_damaged_one(
    project: Project, model: TemporalLoRA, load: Load
) -> None:
    add(project, model, "verse")
    cut(project.path / "mixer" / "mixer-0001.safetensors")
    opened, before = Project.open(project.path), content(project.path)
    again = TemporalLoRA(load(project)[0].backbone, opened.index.lora, opened.index.mixer)
    opened.load_into(again)
    again.remove_adapter("verse")
    with pytest.raises(TloraError, match=r"mixer-0001.safetensors is damaged.*Restore the Time Mixer first"):
        opened.remove_epoch("verse", again)
    assert content(project.path) == before


def test_facts_follow_the_index_and_not_what_an_epochs_file_claims(
    project: Project, model: TemporalLoRA, load: Load
) -> None:
    add(project, model, "verse")
    path = project.path / "epochs" / "01-verse" / "epoch.json"
    data = json.loads(path.read_text())
    data["epoch"] |= {"slug": "../../..", "state": "training"}
    path.write_text(json.dumps(data))
    assert [(epoch.slug, epoch.state) for epoch in load(project)[1]] == [("verse", "frozen")]


def test_history_ends_at_a_damaged_line(project: Project, model: TemporalLoRA) -> None:
    add(project, model, "verse")
    path = project.path / "epochs" / "01-verse" / "history.jsonl"
    lines = path.read_text()
    for rest in ('{"kind": "Tra', "null", "[]", '{"kind": "Other"}', "\ufffd"):
        path.write_text(lines + rest + "\n" + lines)
        assert project.read_history("verse") == HISTORY
    path.unlink()
    assert project.read_history("verse") == ()


def test_edit_keeps_the_settings_and_everything_else(project: Project, model: TemporalLoRA) -> None:
    add(project, model, "verse")
    before = content(project.path)
    renamed = info("verse", name="Sonnets", era="1609", colour="#123456")
    project.edit_epoch(renamed)
    assert Project.open(project.path).read_epoch("verse") == (renamed, QUICK)
    changed = {name for name, data in content(project.path).items() if before[name] != data}
    assert changed == {"epochs/01-verse/epoch.json"}


@both_families
def test_removed_epoch_is_out_of_the_mixture_and_can_be_put_back(
    project: Project, model: TemporalLoRA, load: Load
) -> None:
    for slug in ("verse", "code", "tale"):
        add(project, model, slug)
    before, whole = snapshot(model.mixer), content(project.path)
    model.remove_adapter("code")
    project.remove_epoch("code", model)
    again, infos = load(project)
    assert [epoch.slug for epoch in infos] == again.slot_adapters == ["verse", "tale"]
    assert torch.equal(again.mixer.head.weight, before["head.weight"][[0, 1, 3]])
    assert (project.path / "deleted" / "02-code" / "epoch.json").is_file()
    assert project.restore_epoch(project.thrown_epoch("code"), model)
    again, infos = load(project)
    assert [epoch.slug for epoch in infos] == again.slot_adapters == ["verse", "code", "tale"]
    assert same_tensors(snapshot(again.mixer), before)
    assert {name: data for name, data in content(project.path).items() if name in whole} == whole


@both_families
def test_export_is_a_plain_peft_folder_with_the_same_logits(
    project: Project, model: TemporalLoRA, plain: Any, tmp_path: Path
) -> None:
    for slug in ("verse", "code"):
        add(project, model, slug)
    folder = project.export_epoch("code", tmp_path)
    assert folder == tmp_path / "code"
    assert sorted(content(folder)) == ["README.md", "adapter_config.json", "adapter_model.safetensors"]
    with torch.inference_mode():
        expected = model(IDS, 2).logits_BTV
        found = PeftModel.from_pretrained(plain, str(folder))(input_ids=IDS).logits
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_export_overwrites_nothing_and_tells_what_it_cannot_do(
    project: Project, model: TemporalLoRA, tmp_path: Path
) -> None:
    add(project, model, "verse")
    (tmp_path / "verse").mkdir()
    with pytest.raises(TloraError, match="already there"):
        project.export_epoch("verse", tmp_path)
    with pytest.raises(TloraError, match="not finished"):
        project.export_epoch("unknown", tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(TloraError, match="cannot be written"):
        project.export_epoch("verse", tmp_path / "file")


# -- names ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Node.js", "node-js"),
        ("日本語", "epoch"),
        ("lora_x", "lora-x"),
        ("Être & Temps", "etre-temps"),
        ("../../etc", "etc"),
        ("A" * 300, "a" * 48),
        ("  ", "epoch"),
        ("C++", "c"),
        ("Mixer", "mixer-2"),  # the Time Mixer's own mode of generation
    ],
)
def test_slugs_are_plain_whatever_the_name(project: Project, name: str, slug: str) -> None:
    assert project.new_slug(name) == slug


def test_slugs_are_never_given_twice(project: Project, model: TemporalLoRA) -> None:
    add(project, model, "verse")
    assert project.new_slug("Verse") == "verse-2"
    model.remove_adapter("verse")
    project.remove_epoch("verse", model)
    assert project.new_slug("verse") == "verse-2"
    blocks = TokenBlocks(IDS, IDS)
    project.checkpoints.save(info("verse-2"), QUICK, blocks, {"step": torch.tensor(1)}, HISTORY)
    assert project.new_slug("verse") == "verse-3"
    project.checkpoints.drop("verse-2")
    shutil.rmtree(project.path / "deleted")
    assert project.new_slug("verse") == "verse-2"  # its mixers and texts are still there


@both_families
def test_any_name_gives_an_adapter_that_can_be_stored_and_read(
    project: Project, model: TemporalLoRA, load: Load
) -> None:
    for name in ("Default", "Pop", "Training", "Model", "MLP", "H", "Lora", "0", "A"):
        add(project, model, project.new_slug(name))
    again, infos = load(project)
    assert [epoch.state for epoch in infos] == ["frozen"] * 9
    for slug in model.slot_adapters:
        assert same_tensors(again.adapter_parameters(slug), model.adapter_parameters(slug))


def test_names_that_contain_each_other_do_not_mix_their_tensors(
    project: Project, model: TemporalLoRA, load: Load
) -> None:
    for slug in ("java-script", "java", "script"):
        add(project, model, slug)
    again, infos = load(project)
    assert [epoch.state for epoch in infos] == ["frozen"] * 3
    for slug in model.slot_adapters:
        assert same_tensors(again.adapter_parameters(slug), model.adapter_parameters(slug))


@pytest.mark.parametrize("slug", ["Renaissance Era", "a/b", "日本語", "what?"])
def test_odd_adapter_names_of_scripts_are_stored_in_plain_folders(
    project: Project, model: TemporalLoRA, load: Load, slug: str
) -> None:
    add(project, model, slug)
    (folder,) = (project.path / "epochs").iterdir()
    assert not set(folder.name) & set('/\\:*?"<>| ')
    assert [(epoch.slug, epoch.state) for epoch in load(project)[1]] == [(slug, "frozen")]


# -- checkpoints ------------------------------------------------------------------------------------------------


def test_checkpoint_comes_back_whole_and_is_listed_until_dropped(project: Project) -> None:
    blocks, state = TokenBlocks(IDS.repeat(3, 1), IDS + 1), {"step": torch.tensor(7), "a": torch.rand(2, 3)}
    project.checkpoints.save(info("verse", state="training"), QUICK, blocks, state, HISTORY)
    project.checkpoints.save(info("verse", state="training", name="Later"), QUICK, blocks, state, HISTORY * 2)
    project.checkpoints.end(info("verse", state="training", name="Later"), QUICK)
    found, settings, read, stored = project.checkpoints.read("verse", 257)
    assert found == info("verse", state="interrupted", name="Later")
    assert project.interrupted() == [replace(found, note="stopped after step 7 of 2")]
    assert settings == QUICK and same_tensors(stored, state)
    assert torch.equal(read.train_NT, blocks.train_NT) and torch.equal(read.held_out_NT, blocks.held_out_NT)
    assert project.read_history("verse") == HISTORY * 2
    project.checkpoints.drop("verse")
    assert project.interrupted() == []
    with pytest.raises(TloraError, match="checkpoint of verse is damaged"):
        project.checkpoints.read("verse", 257)


@pytest.mark.parametrize("part", ["train", "held_out"])
@pytest.mark.parametrize("token", [-1, 257, 2**31 - 1])
def test_a_checkpoint_with_tokens_that_the_backbone_lacks_is_refused(project: Project, part: str, token: int) -> None:
    blocks = {"train": IDS.repeat(3, 1), "held_out": IDS + 1}
    blocks[part][-1, -1] = token
    state = {"step": torch.tensor(7)}
    kept = TokenBlocks(blocks["train"], blocks["held_out"])
    project.checkpoints.save(info("verse", state="training"), QUICK, kept, state, HISTORY)
    with pytest.raises(TloraError, match=f"its {part} blocks hold tokens that the backbone lacks"):
        project.checkpoints.read("verse", 257)


def test_checkpoints_slug_is_its_folders_and_nothing_outside_can_be_dropped(project: Project) -> None:
    project.checkpoints.save(info("verse"), QUICK, TokenBlocks(IDS, IDS), {"step": torch.tensor(1)}, HISTORY)
    path = project.path / "checkpoints" / "verse" / "epoch.json"
    data = json.loads(path.read_text())
    data["epoch"]["slug"] = "../.."
    path.write_text(json.dumps(data))
    assert [epoch.slug for epoch in project.interrupted()] == ["verse"]
    project.checkpoints.drop("../..")
    project.checkpoints.drop("..")
    project.checkpoints.drop("")
    assert path.is_file()


def test_damaged_checkpoint_is_listed_as_broken(project: Project) -> None:
    project.checkpoints.save(info("verse"), QUICK, TokenBlocks(IDS, IDS), {"step": torch.tensor(1)}, HISTORY)
    (project.path / "checkpoints" / "verse" / "epoch.json").write_text("{")
    assert [(epoch.slug, epoch.state, epoch.note) for epoch in project.interrupted()] == [
        ("verse", "broken", "damaged checkpoint")
    ]
