"""Backbones by what a person names: folders, .gguf files, Hub ids; what is refused, with what words."""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_helpers import drain
from transformers import (
    AutoModelForCausalLM,
    BertConfig,
    BertForMaskedLM,
    BloomConfig,
    BloomForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
)

from tlora_gui.engine.backbones import loading
from tlora_gui.engine.backbones.loading import (
    Backbone,
    context_length,
    fingerprint,
    is_causal,
    load_backbone,
    state_hash,
)
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.errors import BackboneMissing, Cancelled, TloraError
from tlora_gui.temporal.model import TemporalLoRA


def load(reference: str | Path) -> Backbone:
    return drain(load_backbone(str(reference), CancelToken()))[1]


def refusal(reference: str | Path) -> str:
    with pytest.raises(TloraError) as caught:
        load(reference)
    assert caught.value.hint
    return caught.value.message


@pytest.fixture
def copy_of_model(tiny_model_folder: Path, tmp_path: Path) -> Path:
    """A saved model to break."""
    return Path(shutil.copytree(tiny_model_folder, tmp_path / "copy"))


def save(model: Any, tokenizer: Any, folder: Path) -> Path:
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_local_folder_is_loaded_frozen_in_eval_mode_and_named_after_itself(tiny_model_folder: Path) -> None:
    backbone = load(tiny_model_folder)
    assert (backbone.name, backbone.reference) == ("tiny-llama", str(tiny_model_folder))
    assert not backbone.model.training
    assert not any(parameter.requires_grad for parameter in backbone.model.parameters())
    assert backbone.tokenizer.decode(backbone.tokenizer("né")["input_ids"]) == "né"


def test_relative_path_is_remembered_absolute(tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny_model_folder.parent)
    backbone = load("tiny-llama")
    assert (backbone.name, backbone.reference) == ("tiny-llama", str(tiny_model_folder))


def test_missing_and_empty_folders_are_told_apart(tmp_path: Path) -> None:
    assert "does not exist" in refusal(tmp_path / "nowhere")
    assert "does not exist" in refusal(tmp_path / "nowhere.gguf")
    assert "no config.json" in refusal(tmp_path)


@pytest.mark.parametrize("reference", ["nobody/nothing-of-this-name", "models/not-here"])
def test_unknown_hub_id_without_network_says_both(reference: str) -> None:
    assert f"{reference!r} is no folder here, and the Hugging Face Hub could not be reached" in refusal(reference)


def test_reference_that_no_hub_id_can_be_is_told_so() -> None:
    assert "There is no model named" in refusal("a b//c d")


@pytest.mark.parametrize("initializer_range", [0.02, 0.2])
def test_model_that_reads_both_ways_is_refused(tmp_path: Path, tiny_tokenizer: Any, initializer_range: float) -> None:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=257, hidden_size=48, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
        max_position_embeddings=64, initializer_range=initializer_range,
    )  # fmt: skip
    assert "is not a causal language model" in refusal(save(BertForMaskedLM(config), tiny_tokenizer, tmp_path / "bert"))


def test_encoder_decoder_is_refused(tmp_path: Path, tiny_tokenizer: Any) -> None:
    config = T5Config(vocab_size=257, d_model=16, d_ff=16, num_layers=1, num_heads=2, d_kv=8, decoder_start_token_id=0)
    model = T5ForConditionalGeneration(config)
    assert "is not a causal language model" in refusal(save(model, tiny_tokenizer, tmp_path / "t5"))


def test_causal_models_are_found_causal(tiny_backbone: Any) -> None:
    assert is_causal(tiny_backbone)
    assert is_causal(tiny_backbone.to(torch.bfloat16))


def damage_weights(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])


def change_shape(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"vocab_size": 300}))


@pytest.mark.parametrize(
    "damage",
    [
        damage_weights,
        change_shape,
        lambda folder: (folder / "model.safetensors").unlink(),
        lambda folder: (folder / "config.json").write_text("{"),
        lambda folder: [path.unlink() for path in folder.glob("tokenizer*")],
    ],
    ids=["cut weights", "other shapes", "no weights", "no JSON", "no tokenizer"],
)
def test_damaged_folder_is_refused_by_name(copy_of_model: Path, damage: Any) -> None:
    damage(copy_of_model)
    assert refusal(copy_of_model).startswith("copy could not be loaded")


@pytest.mark.parametrize("data", [b"", b"other", b"GGUF\x03\0\0\0" + b"\x05" * 40], ids=["empty", "other", "cut"])
def test_broken_gguf_is_refused_and_leaves_nothing_in_the_cache(tmp_path: Path, own_cache: Path, data: bytes) -> None:
    (tmp_path / "m.gguf").write_bytes(data)
    assert "m.gguf could not be read as a GGUF model" in refusal(tmp_path / "m.gguf")
    assert not list((own_cache / "backbones").iterdir())


def test_cancel_ends_loading(tiny_model_folder: Path) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        drain(load_backbone(str(tiny_model_folder), cancel))


@pytest.mark.parametrize(
    "reference", ["C:\\\\models\\\\tiny", r"\\\\server\\tiny", "./nowhere", "~/nowhere", "/no/where"]
)
def test_path_of_whatever_system_that_is_not_there_is_no_hub_id(reference: str) -> None:
    with pytest.raises(BackboneMissing, match="does not exist") as caught:
        load(reference)
    assert caught.value.reference == reference


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("", "No backbone is named"),
        ("https://huggingface.co/a/b", "is an address"),
        ("x" * 100_000, "There is no model named"),
        ("a\0b", "There is no model named"),
    ],
)
def test_reference_that_names_nothing_is_told_in_short(reference: str, told: str) -> None:
    message = refusal(reference)
    assert told in message and len(message) < 400


def test_file_that_is_no_model_is_told_so(tiny_model_folder: Path) -> None:
    assert "is a file and no model" in refusal(tiny_model_folder / "model.safetensors")


@pytest.mark.parametrize(
    ("error", "begun", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True, "is full"),
        (PermissionError(errno.EACCES, "Permission denied"), False, "cannot be written to"),
        (ConnectionError("reset"), True, "The download of a/b broke off"),
        (ConnectionError("no route"), False, "could not be reached"),
    ],
)
def test_download_that_fails_is_told_with_its_cause(error: Exception, begun: bool, told: str) -> None:
    assert told in loading.hub_error("a/b", error, begun).message


# -- identity ---------------------------------------------------------------------------------------------------


def test_fingerprint_differs_if_a_weight_differs_and_does_not_see_adapters(tiny_backbone: Any) -> None:
    before = fingerprint(tiny_backbone)
    model = TemporalLoRA(tiny_backbone)
    model.add_adapter("verse")
    assert fingerprint(tiny_backbone) == before
    with torch.no_grad():
        next(iter(model.backbone.parameters()))[0, 0] += 1
    assert fingerprint(tiny_backbone) != before


def test_fingerprint_asks_no_device_for_float64(tiny_backbone: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint(tiny_backbone)
    linspace = torch.linspace

    def as_mps_does(*args: Any, device: Any = None, dtype: Any = None, **more: Any) -> torch.Tensor:
        if device is not None and dtype == torch.float64:
            raise TypeError(
                "Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support float64."
            )
        return linspace(*args, device=device, dtype=dtype, **more)

    monkeypatch.setattr(torch, "linspace", as_mps_does)
    assert fingerprint(tiny_backbone) == before


def test_fingerprint_of_a_reloaded_model_is_the_same(tiny_model_folder: Path) -> None:
    reloaded = AutoModelForCausalLM.from_pretrained(tiny_model_folder)
    assert fingerprint(reloaded) == fingerprint(load(tiny_model_folder).model)


def test_state_hash_sees_every_bit(tiny_backbone: Any) -> None:
    parameters = dict(tiny_backbone.named_parameters())
    before = state_hash(parameters)
    assert state_hash(parameters) == before
    last = list(parameters.values())[-1]
    with torch.no_grad():
        last[-1] = torch.nextafter(last[-1], torch.tensor(9.0))
    assert state_hash(parameters) != before


def test_context_length_is_the_configured_one_or_2048(tiny_backbone: Any) -> None:
    assert context_length(tiny_backbone) == 256
    assert context_length(BloomForCausalLM(BloomConfig(vocab_size=9, hidden_size=8, n_layer=1, n_head=2))) == 2048


# -- device and dtype -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cuda", "mps", "device"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")])
def test_the_gpu_is_picked_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, device: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert loading.pick_device().type == device


def test_bfloat16_is_picked_on_cuda_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert loading.pick_dtype(torch.device("cuda")) == torch.bfloat16
    assert loading.pick_dtype(torch.device("cpu")) == loading.pick_dtype(torch.device("mps")) == torch.float32
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    assert loading.pick_dtype(torch.device("cuda")) == torch.float32


@pytest.mark.parametrize(
    ("machine", "capabilities", "pays"),
    [
        ("x86_64", {"avx512_bf16": True}, True),
        ("AMD64", {"amx_bf16": True}, True),
        ("x86_64", {"avx512_f": True}, False),
        ("arm64", {"amx_bf16": True}, False),
    ],
)
def test_bf16_training_is_for_cpus_that_compute_in_it(
    monkeypatch: pytest.MonkeyPatch, machine: str, capabilities: dict[str, bool], pays: bool
) -> None:
    monkeypatch.setattr(loading.platform, "machine", lambda: machine)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert loading.trains_in_bf16(torch.device("cpu")) is pays
    assert not loading.trains_in_bf16(torch.device("mps"))
