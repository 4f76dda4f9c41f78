"""Epochs for others to use: merged at constant weights, in the backbone's weights, as GGUF, with a model card."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gguf
import numpy as np
import pytest
import torch
import yaml
from engine_helpers import QUICK, Corpora, MakeMixture, collect, drain, only, reopened, train_job
from hypothesis import given
from hypothesis import strategies as st
from peft import PeftModel
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer

from tlora_gui.engine.backbones.loading import state_hash
from tlora_gui.engine.projects.adapter_folder import write_weights
from tlora_gui.engine.projects.model_card import model_card
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import SamplingSettings
from tlora_gui.engine.protocol.errors import Cancelled, TloraError
from tlora_gui.engine.protocol.events import EpochInfo, FileWritten
from tlora_gui.engine.session import Session
from tlora_gui.engine.sharing.adapter_gguf import write_gguf
from tlora_gui.engine.sharing.merging import compressed, merged
from tlora_gui.engine.storage import disk
from tlora_gui.temporal.lora import LoraWeights
from tlora_gui.temporal.model import TemporalLoRA

IDS = torch.arange(40).reshape(2, 20) * 5 % 257
WEIGHTS = (("verse", 0.7), ("code", 0.45))
CLOSE = {"atol": 1e-4, "rtol": 1e-4}


def mixture_logits(model: TemporalLoRA, weights: tuple[tuple[str, float], ...] = WEIGHTS) -> Tensor:
    """What the mixture says with these weights at every token."""
    blend = torch.tensor([0.0, *(dict(weights).get(slug, 0.0) for slug in model.slot_adapters)])
    with torch.inference_mode():
        return model(IDS, blend).logits_BTV


def plain_logits(model: Any) -> Tensor:
    with torch.inference_mode():
        return model.eval()(input_ids=IDS).logits


def adapters(model: TemporalLoRA) -> list[tuple[LoraWeights, float]]:
    return [(model.adapters[slug].weights, weight) for slug, weight in WEIGHTS]


def updates(weights: LoraWeights) -> list[Tensor]:
    return [weights.scaling * (up @ down) for up, down in zip(weights.up, weights.down, strict=True)]


def exported(session: Session, job: jobs.Job) -> FileWritten:
    (written,) = only(collect(session.run(job)), FileWritten)
    return written


def refusal(session: Session, job: jobs.Job) -> str:
    with pytest.raises(TloraError) as refused:
        collect(session.run(job))
    return refused.value.message


# -- merged into one adapter ------------------------------------------------------------------------------------


def test_plain_peft_says_with_a_merged_adapter_what_the_mixture_says_at_constant_weights(
    make_mixture: MakeMixture, tmp_path: Path
) -> None:
    model = make_mixture()
    weights = merged(adapters(model))
    assert weights.r == sum(each.r for each, _ in adapters(model))
    write_weights(model, weights, tmp_path, "")
    expected = mixture_logits(model)
    assert not torch.allclose(expected, mixture_logits(model, (("verse", 1.0),)), **CLOSE)
    torch.testing.assert_close(plain_logits(PeftModel.from_pretrained(model.backbone, tmp_path)), expected, **CLOSE)


def test_the_same_comes_out_of_a_session_as_a_folder_with_a_card(
    two_epochs: Session, tmp_path: Path, tiny_model_folder: Path
) -> None:
    assert two_epochs.model is not None
    written = exported(two_epochs, jobs.ExportMerge(WEIGHTS, str(tmp_path / "out")))
    assert written == FileWritten(str(tmp_path / "out" / "verse-code"))
    plain = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny_model_folder), written.path)
    torch.testing.assert_close(plain_logits(plain), mixture_logits(two_epochs.model), **CLOSE)
    card = Path(written.path, "README.md").read_text(encoding="utf-8")
    assert "Verse (weight 0.7)" in card and "Code (weight 0.45)" in card
    assert not list(tmp_path.glob("out/.*"))


def test_compression_loses_what_it_says_it_loses_and_no_less_is_possible(mixture: TemporalLoRA) -> None:
    whole = merged(adapters(mixture))
    small, error = drain(compressed(whole, 3))[1]
    assert small.r == 3
    lost = [one - other for one, other in zip(updates(whole), updates(small), strict=True)]
    norm = torch.cat([each.flatten() for each in updates(whole)]).norm()
    assert torch.cat([each.flatten() for each in lost]).norm() / norm == pytest.approx(error, rel=1e-4)
    best = sum(float(torch.linalg.svdvals(each)[3:].square().sum()) for each in updates(whole)) ** 0.5 / norm
    assert 0.1 < error == pytest.approx(float(best), rel=1e-4)


def test_compression_to_the_full_rank_loses_nothing(mixture: TemporalLoRA) -> None:
    whole = merged(adapters(mixture))
    same, error = drain(compressed(whole, whole.r))[1]
    assert error < 1e-12
    for one, other in zip(updates(whole), updates(same), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_a_compressed_export_tells_its_error_and_loads(
    two_epochs: Session, tmp_path: Path, tiny_model_folder: Path
) -> None:
    written = exported(two_epochs, jobs.ExportMerge(WEIGHTS, str(tmp_path), rank=2))
    assert written.relative_error is not None and 0 < written.relative_error < 1
    assert json.loads(Path(written.path, "adapter_config.json").read_text())["r"] == 2
    assert f"{written.relative_error:.2%}" in Path(written.path, "README.md").read_text(encoding="utf-8")
    PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny_model_folder), written.path)
    shutil.rmtree(written.path)
    assert exported(two_epochs, jobs.ExportMerge(WEIGHTS, str(tmp_path), rank=1000)).relative_error is None


# -- merged into the backbone -----------------------------------------------------------------------------------


@pytest.mark.parametrize("tied", [False, True], ids=["", "tied"])
def test_a_merged_model_says_without_us_what_the_mixture_says_at_constant_weights(
    tiny_backbone: Any, tied: bool, tiny_tokenizer: Any, corpora: Corpora, tmp_path: Path
) -> None:
    tiny_backbone.config.tie_word_embeddings = tied
    shared = tiny_backbone.get_input_embeddings().weight
    tiny_backbone.lm_head.weight = shared if tied else torch.nn.Parameter(shared.detach().flip(0))
    tiny_backbone.save_pretrained(tmp_path / "backbone")
    tiny_tokenizer.save_pretrained(tmp_path / "backbone")
    session = Session()
    collect(session.run(jobs.CreateProject(str(tmp_path / "project"), str(tmp_path / "backbone"))))
    for name in ("verse", "code"):
        collect(session.run(train_job(name.capitalize(), corpora[name], replace(QUICK, max_tokens=64))))
    model = session.model
    assert model is not None
    before = state_hash(dict(model.backbone.named_parameters()))
    collect(session.run(jobs.Generate("O night", sampling=SamplingSettings(2))))  # which lays weights by columns
    written = exported(session, jobs.ExportMerge(WEIGHTS, str(tmp_path / "out"), into_backbone=True))
    assert written.path == str(tmp_path / "out" / "verse-code-merged")
    alone = AutoModelForCausalLM.from_pretrained(written.path)
    assert (alone.lm_head.weight is alone.get_input_embeddings().weight) == tied
    assert {type(alone), alone.dtype} == {type(model.backbone), model.backbone.dtype}
    torch.testing.assert_close(plain_logits(alone), mixture_logits(model), **CLOSE)
    assert not torch.allclose(plain_logits(alone), plain_logits(model.backbone), **CLOSE)
    assert state_hash(dict(model.backbone.named_parameters())) == before
    assert AutoTokenizer.from_pretrained(written.path)("O night").input_ids == tiny_tokenizer("O night").input_ids
    assert "library_name: transformers" in Path(written.path, "README.md").read_text(encoding="utf-8")


@pytest.mark.skipif(os.name == "nt", reason="files have no such modes there")
@pytest.mark.parametrize("into_backbone", [False, True], ids=["adapter", "model"])
def test_an_export_and_a_project_can_be_read_by_whoever_may_read_the_folder(
    two_epochs: Session, tmp_path: Path, into_backbone: bool
) -> None:
    written = exported(two_epochs, jobs.ExportMerge(WEIGHTS, str(tmp_path / "out"), into_backbone=into_backbone))
    assert two_epochs.project is not None
    (tmp_path / "plain").touch()
    usual = (tmp_path / "plain").stat().st_mode
    files = [file for folder in (Path(written.path), two_epochs.project.path) for file in folder.rglob("*.safetensors")]
    assert len(files) >= 5 and {file.stat().st_mode for file in files} == {usual}


def test_a_merged_model_keeps_how_it_is_to_be_sampled(two_epochs: Session, tmp_path: Path) -> None:
    assert two_epochs.model is not None
    two_epochs.model.backbone.generation_config.temperature = 0.6  # without do_sample, as some models come
    written = exported(two_epochs, jobs.ExportMerge(WEIGHTS, str(tmp_path), into_backbone=True))
    assert AutoModelForCausalLM.from_pretrained(written.path).generation_config.temperature == 0.6


def test_a_merged_model_is_refused_where_there_is_no_room_or_too_little_memory(
    two_epochs: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = jobs.ExportMerge(WEIGHTS, str(tmp_path / "out"), into_backbone=True)
    with monkeypatch.context() as patch:
        patch.setattr(disk.shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
        assert "1 MB are free there" in refusal(two_epochs, job)
    with monkeypatch.context() as patch:
        patch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=1000))
        assert "not enough memory" in refusal(two_epochs, job)
    assert not (tmp_path / "out").exists()
    exported(two_epochs, job)


def test_nothing_is_added_to_quantised_weights(
    two_epochs: Session, tmp_path: Path, tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert two_epochs.model is not None and two_epochs.project is not None
    job = jobs.ExportMerge(WEIGHTS, str(tmp_path / "out"), into_backbone=True)
    config = two_epochs.model.backbone.config
    monkeypatch.setattr(config, "quantization_config", {"quant_method": "awq"}, raising=False)
    assert "quantised" in refusal(two_epochs, job)
    exported(two_epochs, replace(job, into_backbone=False))  # an adapter beside them is one


# -- GGUF -------------------------------------------------------------------------------------------------------


NAMES = {
    "q_proj": "attn_q", "k_proj": "attn_k", "v_proj": "attn_v", "o_proj": "attn_output", "gate_proj": "ffn_gate",
    "up_proj": "ffn_up", "down_proj": "ffn_down", "attn.c_attn": "attn_qkv", "attn.c_proj": "attn_output",
    "mlp.c_fc": "ffn_up", "mlp.c_proj": "ffn_down",
}  # fmt: skip
"""Of layers in llama.cpp, by the ends of their names in Llama and GPT-2."""


def test_a_gguf_adapter_has_the_names_shapes_and_values_that_llama_cpp_reads(
    mixture: TemporalLoRA, tmp_path: Path
) -> None:
    weights = mixture.adapters["verse"].weights
    write_gguf(tmp_path / "a.gguf", mixture, weights, "Verse")
    reader = gguf.GGUFReader(tmp_path / "a.gguf")
    assert reader.fields["adapter.lora.alpha"].contents() == weights.scaling * weights.r
    found = {tensor.name: tensor.data for tensor in reader.tensors}
    assert {tensor.tensor_type for tensor in reader.tensors} == {gguf.GGMLQuantizationType.F32}
    turned = {"q_proj": 4, "k_proj": 2}  # heads
    for layer, update_OI in zip(mixture.layers, updates(weights), strict=True):
        (name,) = (f"blk.{layer.split('.')[2]}.{named}.weight" for end, named in NAMES.items() if layer.endswith(end))
        down_RI, up_OR = found.pop(f"{name}.lora_a"), found.pop(f"{name}.lora_b")
        assert down_RI.shape == (weights.r, update_OI.shape[1]) and up_OR.shape == (len(update_OI), weights.r)
        if heads := turned.get(layer.rpartition(".")[2]):
            assert not np.allclose(weights.scaling * up_OR @ down_RI, update_OI, atol=1e-6)
            pairs = up_OR.reshape(heads, -1, 2, weights.r)  # what is rotated together lies together
            up_OR = np.concatenate([pairs[:, :, 0], pairs[:, :, 1]], axis=1).reshape(up_OR.shape)
        np.testing.assert_allclose(weights.scaling * up_OR @ down_RI, update_OI, atol=1e-6)
    assert not found


def test_an_epoch_becomes_a_file_by_its_ending(two_epochs: Session, tmp_path: Path) -> None:
    path = tmp_path / "Verse.GGUF"
    assert exported(two_epochs, jobs.ExportEpoch("verse", str(path))) == FileWritten(str(path))
    facts = {name: field.contents() for name, field in gguf.GGUFReader(path).fields.items()}
    assert facts["general.type"] == "adapter" and facts["adapter.type"] == "lora"
    assert facts["general.architecture"] == "llama" and facts["general.name"] == "Verse"


def test_a_merge_can_be_one_gguf_adapter(two_epochs: Session, tmp_path: Path) -> None:
    path = tmp_path / "out" / "both.gguf"
    exported(two_epochs, jobs.ExportMerge(WEIGHTS, str(path), rank=4))
    reader = gguf.GGUFReader(path)
    assert reader.fields["general.name"].contents() == "Verse + Code"
    assert reader.fields["adapter.lora.alpha"].contents() == 4
    assert {int(tensor.data.shape[0]) for tensor in reader.tensors if tensor.name.endswith("lora_a")} == {4}
    assert [file.name for file in path.parent.iterdir()] == ["both.gguf"]


def test_a_family_that_gguf_cannot_name_is_refused_in_words(
    two_epochs: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert two_epochs.model is not None
    monkeypatch.setattr(type(two_epochs.model.backbone.config), "model_type", "ctrl")
    told = refusal(two_epochs, jobs.ExportEpoch("verse", str(tmp_path / "a.gguf")))
    assert told == "Adapters of a ctrl backbone cannot be written as GGUF."
    assert not list(tmp_path.glob("*.gguf"))


# -- what is refused, what is left ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "job"),
    [
        ("not finished", jobs.ExportMerge((("tale", 1.0),), "out")),
        ("no epoch to merge", jobs.ExportMerge((), "out")),
        ("named twice", jobs.ExportMerge((("verse", 1.0), ("verse", 1.0)), "out")),
        ("above 0", jobs.ExportMerge((("verse", 0.0),), "out")),
        ("above 0", jobs.ExportMerge((("verse", float("nan")),), "out")),
        ("above 0", jobs.ExportMerge((("verse", 11.0),), "out")),
        ("1 or more", jobs.ExportMerge((("verse", 1.0),), "out", rank=-1)),
        ("1 or more", jobs.ExportMerge((("verse", 1.0),), "out", rank=0)),
        ("has no rank", jobs.ExportMerge((("verse", 1.0),), "out", rank=2, into_backbone=True)),
        ("not written as GGUF", jobs.ExportMerge((("verse", 1.0),), "out.gguf", into_backbone=True)),
        ("lies in the project", jobs.ExportMerge((("verse", 1.0),), "project/out")),
        ("lies in the project", jobs.ExportEpoch("verse", "project")),
        ("lies in the project", jobs.ExportEpoch("verse", "project/a.gguf")),
        ("cannot be written", jobs.ExportEpoch("verse", "file/a.gguf")),
        ("cannot be written", jobs.ExportMerge((("verse", 1.0),), "file")),
    ],
)
def test_what_has_no_sense_is_refused_and_leaves_nothing(
    one_epoch: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str, job: jobs.Job
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    before = sorted(tmp_path.rglob("*"))
    assert told in refusal(one_epoch, job)
    assert sorted(tmp_path.rglob("*")) == before


def test_nothing_is_written_over_but_a_file_that_may_be(two_epochs: Session, tmp_path: Path) -> None:
    for job in (
        jobs.ExportMerge(WEIGHTS, str(tmp_path)),
        jobs.ExportMerge(WEIGHTS, str(tmp_path), into_backbone=True),
        jobs.ExportMerge(WEIGHTS, str(tmp_path / "a.gguf")),
        jobs.ExportEpoch("verse", str(tmp_path)),
    ):
        path = Path(exported(two_epochs, job).path)
        before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
        assert "already there" in refusal(two_epochs, job)
        if path.is_dir():
            assert "already there" in refusal(two_epochs, replace(job, overwrite=True))
        assert {file: file.read_bytes() for file in path.rglob("*") if file.is_file()} == before
    exported(two_epochs, jobs.ExportEpoch("code", str(tmp_path / "a.gguf"), overwrite=True))
    assert gguf.GGUFReader(tmp_path / "a.gguf").fields["general.name"].contents() == "Code"


def test_an_export_that_fails_or_is_stopped_leaves_nothing(
    two_epochs: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    every = (
        ("tlora_gui.engine.handlers.exporting.write_weights", jobs.ExportMerge(WEIGHTS, str(tmp_path / "out"))),
        ("shutil.copyfile", jobs.ExportEpoch("verse", str(tmp_path / "out"))),
        ("gguf.GGUFWriter.write_tensors_to_file", jobs.ExportEpoch("verse", str(tmp_path / "out" / "a.gguf"))),
        ("os.fsync", jobs.ExportMerge(WEIGHTS, str(tmp_path / "out"), into_backbone=True)),
    )
    for broken, job in every:
        with monkeypatch.context() as patch:
            patch.setattr(broken, full)
            assert "No space left" in refusal(two_epochs, job), broken
        assert not list(tmp_path.glob("out/*")), broken
    cancel, job = CancelToken(), jobs.ExportMerge(WEIGHTS, str(tmp_path / "out"), rank=2)
    stream = two_epochs.run(job, cancel)
    next(stream)
    cancel.cancel("discard")
    with pytest.raises(Cancelled):
        collect(stream)
    assert not list(tmp_path.glob("out/*"))


def test_a_broken_epoch_is_not_merged(two_epochs: Session, tmp_path: Path) -> None:
    assert two_epochs.project is not None
    (two_epochs.project.folder("code") / "adapter_model.safetensors").unlink()
    session = reopened(two_epochs)
    assert "broken" in refusal(session, jobs.ExportMerge(WEIGHTS, str(tmp_path / "out")))


# -- the model card ---------------------------------------------------------------------------------------------


def code_of(card: str) -> str:
    (block,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    return block


@contextlib.contextmanager
def run_in(folder: Path, code: str) -> Iterator[dict[str, Any]]:
    names: dict[str, Any] = {}
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
        exec(code, names)
        yield names


@pytest.mark.parametrize("into_backbone", [False, True], ids=["adapter", "model"])
def test_what_a_card_says_on_loading_works_as_it_stands(
    two_epochs: Session, tmp_path: Path, into_backbone: bool
) -> None:
    assert two_epochs.model is not None
    written = exported(two_epochs, jobs.ExportMerge(WEIGHTS, str(tmp_path), into_backbone=into_backbone))
    with run_in(Path(written.path), code_of(Path(written.path, "README.md").read_text(encoding="utf-8"))) as names:
        torch.testing.assert_close(plain_logits(names["model"]), mixture_logits(two_epochs.model), **CLOSE)
        assert names["tokenizer"]("O").input_ids


def test_an_epochs_card_tells_text_settings_and_losses_and_its_code_works(two_epochs: Session, tmp_path: Path) -> None:
    model, project = two_epochs.model, two_epochs.project
    assert model is not None and project is not None
    written = exported(two_epochs, jobs.ExportEpoch("verse", str(tmp_path)))
    card = Path(written.path, "README.md").read_text(encoding="utf-8")
    info, settings = project.read_epoch("verse")
    assert info.held_out_loss is not None and info.backbone_loss is not None
    for told in (
        f"| tokens read | {info.tokens:,} |",
        f"| fingerprint of the text | {info.corpus_fingerprint} |",
        "| text | verse |",
        f"| with this epoch at weight 1 | {info.held_out_loss:.4f} |",
        f"| base model | {info.backbone_loss:.4f} |",
        f"| learning\\_rate | {settings.learning_rate} |",
        f"| sleep.memory\\_tokens | {settings.sleep.memory_tokens} |",
        "Unknown.",
        project.index.fingerprint,
    ):
        assert told in card, told
    front = yaml.safe_load(card.split("---\n")[1])
    assert front == {
        "library_name": "peft", "license": "unknown", "pipeline_tag": "text-generation",
        "tags": ["lora", "temporal-lora"],
    }  # fmt: skip
    with run_in(Path(written.path), code_of(card)) as names:
        torch.testing.assert_close(plain_logits(names["model"]), mixture_logits(model, (("verse", 1.0),)), **CLOSE)


HOSTILE = st.text(
    st.sampled_from("a-:#|`*_<>[]()!$&\\\"'\n\r\t\x00\x85\u2028\u202e\U0001f600{}%@ "), min_size=1, max_size=30
)


@given(HOSTILE, HOSTILE, HOSTILE)
def test_no_name_is_taken_for_markdown_html_or_yaml(name: str, text: str, base: str) -> None:
    base = "owner/" + base
    info = EpochInfo("a", name, text, "#000000", "frozen", corpus=("/texts/" + text.replace("/", ""),), note=text)
    card = model_card("adapter", name, [(info, QUICK, 1.0)], base, "f" * 64)
    tame = replace(info, name="x", era="x", note="x", corpus=("x",))
    plain = model_card("adapter", "x", [(tame, QUICK, 1.0)], "owner/x", "f" * 64)
    _, front, rest = card.split("---\n", 2)
    assert yaml.safe_load(front)["base_model"] == base
    assert front.count("\n") == plain.split("---\n")[1].count("\n")
    outside = re.sub(r"```python\n.*?\n```", "", rest, flags=re.DOTALL)
    bare = re.sub(r"\\[\\`*_\[\]<>#|~&!$]", "", outside)  # what is escaped is no sign of Markdown's
    expected = re.sub(r"```python\n.*?\n```", "", plain.split("---\n", 2)[2], flags=re.DOTALL)
    expected = re.sub(r"\\[\\`*_\[\]<>#|~&!$]", "", expected)
    for sign in "`*[]<>#|~!$":
        assert bare.count(sign) == expected.count(sign), sign
    assert code_of(card).count("\n") == code_of(plain).count("\n")
    names: dict[str, Any] = {}
    exec(next(line for line in code_of(card).splitlines() if line.startswith("base = ")), names)
    assert names["base"] == base
