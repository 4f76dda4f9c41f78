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

from tlora_gui.engine.backbones.loading import Backbone, load_backbone
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.errors import TloraError

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


def as_link_to_nowhere(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def as_link_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


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
    "a link to nowhere": as_link_to_nowhere,
    "a link to itself": as_link_to_itself,
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
            if isinstance(other, float) and isinstance(stored[field], float):
                continue  # of the same type: another model
            (folder / "config.json").write_text(json.dumps(stored | {field: other}))
            refusal(folder, whole)


def without(*names: str) -> Harm:
    def harm(folder: Path) -> None:
        tensors = load_file(folder / "model.safetensors")
        for name in names:
            del tensors[name]
        save_file(tensors, folder / "model.safetensors", {"format": "pt"})

    return harm


def with_tensor(name: str, tensor: torch.Tensor) -> Harm:
    def harm(folder: Path) -> None:
        tensors = load_file(folder / "model.safetensors")
        save_file(tensors | {name: tensor}, folder / "model.safetensors", {"format": "pt"})

    return harm


def with_value(value: float) -> Harm:
    def harm(folder: Path) -> None:
        tensors = load_file(folder / "model.safetensors")
        tensors["lm_head.weight"][5, 5] = value
        save_file(tensors, folder / "model.safetensors", {"format": "pt"})

    return harm


def configured(file: str = "config.json", **fields: Any) -> Harm:
    return lambda folder: edit(folder / file, **fields)


def claim_shape(folder: Path) -> None:
    header = json.dumps({"lm_head.weight": {"dtype": "F32", "shape": [10**9, 10**6], "data_offsets": [0, 8]}}).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(8))


def only_sentencepiece(folder: Path) -> None:
    (folder / "tokenizer.json").rename(folder / "tokenizer.model")


def of_another_model(folder: Path) -> None:
    state = json.loads((folder / "tokenizer.json").read_text())
    state["model"]["vocab"]["more"] = 300
    (folder / "tokenizer.json").write_text(json.dumps(state))


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (without("lm_head.weight"), "copy is incomplete: it lacks lm_head.weight"),
        (without("model.layers.2.mlp.down_proj.weight"), "lacks model.layers.2.mlp.down_proj.weight"),
        (configured(num_hidden_layers=6), "copy is incomplete: it lacks model.layers.4"),
        (configured(num_hidden_layers=2), "has no place for model.layers.2"),
        (configured(num_hidden_layers=10**9), "num_hidden_layers: 1e+09"),
        (configured(vocab_size=300), "has the shape (257, 48), and its config.json asks for (300, 48)"),
        (configured(vocab_size=10**9), "describes a model of 9.6e+10 values"),
        (configured(bos_token_id=10**9), "says bos_token_id: 1000000000, and the model has 257 tokens"),
        (with_tensor("model.layers.0.extra.weight", torch.ones(2)), "no place for model.layers.0.extra.weight"),
        (with_value(float("nan")), "its weights hold NaN or infinity (in lm_head.weight)"),
        (with_value(float("-inf")), "its weights hold NaN or infinity (in lm_head.weight)"),
        (claim_shape, "its model.safetensors is cut short or no safetensors file"),
        (only_sentencepiece, "copy has its tokenizer as tokenizer.model only, which cannot be read without"),
        (of_another_model, "The tokenizer of copy has tokens that the model lacks: more"),
    ],
)
def test_folder_that_would_not_be_what_was_saved_is_refused_with_the_reason(
    folder: Path, whole: tuple[torch.Tensor, list[int]], harm: Harm, told: str
) -> None:
    harm(folder)
    assert told in refusal(folder, whole)


@pytest.mark.parametrize(
    "method", ["bitsandbytes", "gptq", "awq", "fbgemm_fp8", "compressed-tensors", "torchao", "hqq", "eetq"]
)
def test_quantised_checkpoint_is_named_with_what_to_choose(
    folder: Path, whole: tuple[torch.Tensor, list[int]], method: str
) -> None:
    edit(folder / "config.json", quantization_config={"quant_method": method, "load_in_4bit": True, "bits": 4})
    assert refusal(folder, whole) == f"copy is quantised with {method}, which cannot be read here."


EVIL = {"AutoConfig": "evil.C", "AutoModelForCausalLM": "evil.M"}


@pytest.mark.parametrize(
    "harm",
    [
        configured(model_type="evil"),
        configured(model_type="evil", auto_map=EVIL),
        configured(model_type="evil", auto_map={name: f"someone/else--{place}" for name, place in EVIL.items()}),
        configured("tokenizer_config.json", tokenizer_class="Evil", auto_map={"AutoTokenizer": ["evil.T", None]}),
        lambda folder: shutil.copytree(folder, folder / "custom_generate"),
    ],
    ids=["unknown", "of the folder", "of the Hub", "tokenizer", "generate"],
)
def test_code_of_a_folder_is_neither_run_nor_asked_about(
    folder: Path,
    whole: tuple[torch.Tensor, list[int]],
    harm: Harm,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (folder / "evil.py").write_text(f"open({str(folder / 'ran')!r}, 'w')\n")
    harm(folder)
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("asked"))
    assert "copy needs code of its own, which is never run here" in refusal(folder, whole)
    assert not (folder / "ran").exists()


def test_code_beside_a_known_kind_and_kernels_that_it_names_are_passed_over(
    folder: Path, whole: tuple[torch.Tensor, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(folder / "config.json", auto_map=EVIL, attn_implementation="someone/kernel")
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("asked"))
    assert refusal(folder, whole) == ""


def test_added_token_that_the_model_lacks_is_no_obstacle(folder: Path) -> None:
    tokenizer = load(folder).tokenizer
    tokenizer.add_special_tokens({"pad_token": "[PAD]"})
    tokenizer.save_pretrained(folder)
    assert load(folder).tokenizer.pad_token_id == 257
