"""Whatever is done to a model's folder, it loads as it was, or one short sentence says why not; nothing of it runs."""

from __future__ import annotations

import json
import os
import shutil
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from engine_helpers import drain
from safetensors.torch import load_file, save_file

from tlora_gui.engine.backbones import Backbone, load_backbone
from tlora_gui.engine.cancel import CancelToken
from tlora_gui.engine.errors import TloraError

Harm = Callable[[Path], object]
TEXT = "né <eos> two"
IDS = torch.tensor([[3, 200, 17, 256, 9]])


def load(folder: Path) -> Backbone:
    return drain(load_backbone(str(folder), CancelToken()))[1]


def what_it_says(backbone: Backbone) -> tuple[torch.Tensor, list[int]]:
    with torch.inference_mode():
        return backbone.model(input_ids=IDS).logits, backbone.tokenizer(TEXT)["input_ids"]


@pytest.fixture
def folder(tiny_model_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_model_folder, tmp_path / "copy"))


@pytest.fixture(scope="module")
def whole(tiny_model_folder: Path) -> tuple[torch.Tensor, list[int]]:
    return what_it_says(load(tiny_model_folder))


def refusal(folder: Path, whole: tuple[torch.Tensor, list[int]]) -> str:
    """Why a folder is refused; "" if it loads, which it then does as it was saved."""
    before, start = psutil.Process().memory_info().rss, time.process_time()
    try:
        backbone = load(folder)
    except TloraError as error:
        message = error.message
        assert error.hint
    else:
        message = ""
        logits, ids = what_it_says(backbone)
        torch.testing.assert_close(logits, whole[0])
        assert ids == whole[1]
    assert time.process_time() - start < 5
    assert psutil.Process().memory_info().rss - before < 500 * 2**20
    assert len(message) < 400 and "\n" not in message
    for noise in ("Traceback", "report", "ignore_mismatched_sizes", "You can", "http", "https", "pip install"):
        assert noise not in message
    return message


FILES = ("config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def put(data: bytes) -> Harm:
    return lambda path: path.write_bytes(data)


def as_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def as_link(target: str) -> Harm:
    def link(path: Path) -> None:
        path.unlink()
        path.symlink_to(target)

    return link


def as_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def swap(path: Path) -> None:
    others = [other for other in path.parent.iterdir() if other != path]
    shutil.copyfile(sorted(others)[0], path)


HARMS: dict[str, Harm] = {
    "deleted": Path.unlink,
    "cut": cut,
    "emptied": put(b""),
    "a folder": as_folder,
    "a link to nowhere": as_link("nowhere"),
    "a link to itself": as_link("config.json"),
    "a pipe": as_pipe,
    "binary": put(bytes(range(256)) * 40),
    "a list": put(b"[1, 2]"),
    "an empty object": put(b"{}"),
    "null": put(b"null"),
    "deep": put(b"[" * 100_000),
    "another file": swap,
}


@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize("file", FILES)
def test_folder_with_a_harmed_file_loads_as_it_was_or_is_refused(
    folder: Path, whole: tuple[torch.Tensor, list[int]], file: str, harm: str
) -> None:
    if harm == "a link to itself" and file != "config.json":
        pytest.skip("would be a link to another file")
    HARMS[harm](folder / file)
    message = refusal(folder, whole)
    if file in ("config.json", "model.safetensors", "tokenizer.json"):
        assert message.startswith("copy ") or "copy holds no model" in message


def edit(file: Path, **fields: Any) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | fields))


OTHERS: tuple[Any, ...] = (None, True, "abc", -1, 2.5, [], {}, [1, "a"], {"a": 1}, 10**9)


def test_configuration_with_a_field_of_another_type_loads_as_it_was_or_is_refused(
    folder: Path, whole: tuple[torch.Tensor, list[int]]
) -> None:
    stored = json.loads((folder / "config.json").read_text())
    for number, field in enumerate(sorted(stored)):
        for other in OTHERS[number % 3 :: 3]:
            (folder / "config.json").write_text(json.dumps(stored | {field: other}))
            print(field, other, refusal(folder, whole))
