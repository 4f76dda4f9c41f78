"""Adapters that were made elsewhere: what an epoch can be is one to the last digits, all else is refused at once."""

from __future__ import annotations

import json
import os
import re
import shutil
import struct
import time
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import huggingface_hub
import peft
import psutil
import pytest
import torch
from engine_helpers import QUICK, Corpora, collect, only, open_copy, reopened, snapshot, train_job
from gguf import GGUFReader
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from tiny_models import make_gpt2, make_llama
from torch import Tensor
from transformers import AutoModelForCausalLM

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import SamplingSettings
from tlora_gui.engine.protocol.errors import Cancelled, TloraError
from tlora_gui.engine.protocol.events import (
    AdapterSeen,
    CorpusRead,
    Counterfactual,
    EpochFinished,
    EpochInfo,
    Evaluated,
    GenerationFinished,
    HeldOut,
    MixerTimeline,
    Progress,
    Warned,
)
from tlora_gui.engine.session import Session
from tlora_gui.engine.training import dreams
from tlora_gui.engine.training.evaluation import routing_accuracies
from tlora_gui.temporal.model import TemporalLoRA

pytestmark = pytest.mark.filterwarnings("ignore:Could not find a config file")  # PEFT 0.20, of models of no folder

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
IDS_BT = torch.randint(0, 256, (2, 24), generator=torch.Generator().manual_seed(5))
UPPER = {"layers_to_transform": [1, 2, 3]}
"""Blocks that a new project's epochs have: the Time Mixer of the tiny backbone reads before block 1."""

ATTENTION = ["q_proj", "v_proj"]
EVERY = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def made(folder: Path, backbone: Any = None, **options: Any) -> Path:
    """An adapter by PEFT alone, with a will of its own."""
    options = {"target_modules": ATTENTION, "init_lora_weights": False, "task_type": "CAUSAL_LM"} | UPPER | options
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(11)
        peft_model = get_peft_model(backbone or make_llama(), LoraConfig(**options))
        for parameter in peft_model.parameters():
            if parameter.requires_grad:
                parameter.data.mul_(3)
        peft_model.save_pretrained(folder)
    return folder


def plain_logits(folder: Path, backbone: Any = None) -> Tensor:
    opened = PeftModel.from_pretrained(backbone or make_llama(), folder).eval()
    with torch.no_grad():
        logits: Tensor = opened(input_ids=IDS_BT).logits
    return logits


@torch.no_grad()
def bare_logits() -> Tensor:
    logits: Tensor = make_llama()(input_ids=IDS_BT).logits
    return logits


def model_of(session: Session) -> TemporalLoRA:
    assert session.model is not None
    return session.model


def epoch_logits(session: Session, slug: str) -> Tensor:
    model = model_of(session)
    with torch.no_grad():
        return model(IDS_BT, 1 + model.slot_adapters.index(slug)).logits_BTV


def bring(session: Session, source: Path | str, **options: Any) -> EpochInfo:
    options.setdefault("settings", replace(QUICK, num_passes=2))
    (finished,) = only(collect(session.run(jobs.ImportAdapter(str(source), **options))), EpochFinished)
    return finished.epoch


def assert_same(actual: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=2e-4)


# -- exact --------------------------------------------------------------------------------------------------------

EXACT: dict[str, dict[str, Any]] = {
    "attention alone": {},
    "every layer": {"target_modules": EVERY, "r": 4, "lora_alpha": 32},
    "a pattern of targets": {"target_modules": r".*\.[123]\..*(q_proj|up_proj)", "layers_to_transform": None},
    "one block": {"layers_to_transform": [2], "target_modules": EVERY},
    "rsLoRA": {"use_rslora": True, "r": 6, "lora_alpha": 5},
    "a rank per layer": {"target_modules": EVERY, "rank_pattern": {"q_proj": 2, "layers.2.mlp.up_proj": 16}, "r": 3},
    "a scaling per layer": {"alpha_pattern": {"layers.3.self_attn.q_proj": 1, "v_proj": 48}, "lora_alpha": 16},
    "both, of rsLoRA": {
        "rank_pattern": {r"model.layers.\d+.self_attn.q_proj": 5, "^model.layers.1.self_attn.v_proj": 12},
        "alpha_pattern": {"v_proj": 7, "self_attn.v_proj": 9},
        "use_rslora": True,
    },
    "no scaling, and a negative one": {"alpha_pattern": {"q_proj": 0, "v_proj": -8}},
    "dropout": {"lora_dropout": 0.3},
}  # fmt: skip


@pytest.mark.parametrize("options", EXACT.values(), ids=EXACT)
def test_an_adapter_of_peft_says_the_same_as_an_epoch(
    session: Session, tmp_path: Path, options: dict[str, Any]
) -> None:
    folder = made(tmp_path / "foreign", **options)
    epoch = bring(session, folder, name="Foreign")
    expected = plain_logits(folder)
    assert float((expected - bare_logits()).abs().max()) > 0.05, "an adapter that does nothing would pass"
    assert_same(epoch_logits(session, epoch.slug), expected)
    assert_same(epoch_logits(reopened(session), epoch.slug), expected)


@pytest.mark.parametrize(
    ("base", "told"),
    [("mistralai/Mistral-7B-v0.1", True), ("somebody/tiny-llama-bnb-4bit", False), (None, False), (7, False)],
)
def test_an_adapter_of_another_backbone_by_name_is_told(
    session: Session, tmp_path: Path, base: object, told: bool
) -> None:
    folder = made(tmp_path / "foreign")
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps(config | {"base_model_name_or_path": base}))
    warnings = only(collect(session.run(jobs.ImportAdapter(str(folder), "Foreign", settings=QUICK))), Warned)
    assert [str(base) in warning.message for warning in warnings] == [True] * told


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_another_precision_are_read_as_they_are(
    session: Session, tmp_path: Path, dtype: torch.dtype
) -> None:
    folder = made(tmp_path / "foreign")
    save_file({key: tensor.to(dtype) for key, tensor in load_file(folder / WEIGHTS).items()}, folder / WEIGHTS)
    assert_same(epoch_logits(session, bring(session, folder).slug), plain_logits(folder))


def test_layers_of_gpt2_whose_weights_lie_the_other_way_round_are_exact(tmp_path: Path, tiny_tokenizer: Any) -> None:
    make_gpt2().save_pretrained(tmp_path / "gpt2")
    tiny_tokenizer.save_pretrained(tmp_path / "gpt2")
    targets = ["c_attn", "c_fc", "mlp.c_proj"]
    folder = made(tmp_path / "foreign", make_gpt2(), target_modules=targets, fan_in_fan_out=True)
    session = Session()
    collect(session.run(jobs.CreateProject(str(tmp_path / "project"), str(tmp_path / "gpt2"))))
    assert_same(epoch_logits(session, bring(session, folder).slug), plain_logits(folder, make_gpt2()))


def test_an_adapter_that_trainer_made_says_the_same(session: Session, tmp_path: Path) -> None:
    from transformers import Trainer, TrainingArguments

    config = LoraConfig(target_modules=EVERY, r=4, use_rslora=True, task_type="CAUSAL_LM", **UPPER)
    peft_model = get_peft_model(make_llama(), config)
    rows = [{"input_ids": row, "labels": row} for row in IDS_BT.repeat(4, 1)]
    arguments = TrainingArguments(
        str(tmp_path / "trainer"), max_steps=2, learning_rate=0.1, report_to=[], use_cpu=True, save_strategy="no",
        disable_tqdm=True, per_device_train_batch_size=4,
    )  # fmt: skip
    trainer = Trainer(peft_model, arguments, train_dataset=rows)  # type: ignore[arg-type]
    trainer.train()
    trainer.save_model(str(tmp_path / "foreign"))
    expected = plain_logits(tmp_path / "foreign")
    assert float((expected - bare_logits()).abs().max()) > 0.05
    assert_same(epoch_logits(session, bring(session, tmp_path / "foreign").slug), expected)


def test_what_other_trainers_write_beside_it_changes_nothing(session: Session, tmp_path: Path) -> None:
    folder = made(tmp_path / "foreign")
    config = json.loads((folder / CONFIG).read_text())
    config |= {
        "auto_mapping": {"base_model_class": "LlamaForCausalLM", "unsloth_fixed": True},
        "base_model_name_or_path": "unsloth/tiny-llama-bnb-4bit",
        "loftq_config": {},
        "modules_to_save": None,
        "megatron_core": "megatron.core",
        "qalora_group_size": 16,
        "revision": "main",
    }
    (folder / CONFIG).write_text(json.dumps(config))
    (folder / "training_args.bin").write_bytes(b"never read")
    (folder / "README.md").write_text("# A model card")
    assert_same(epoch_logits(session, bring(session, folder).slug), plain_logits(folder))


def test_an_exported_epoch_comes_into_another_project_as_it_was(
    one_epoch: Session, tiny_model_folder: Path, tmp_path: Path
) -> None:
    collect(one_epoch.run(jobs.ExportEpoch("verse", str(tmp_path / "out"))))
    other = Session()
    collect(other.run(jobs.CreateProject(str(tmp_path / "other"), str(tiny_model_folder))))
    epoch = bring(other, tmp_path / "out" / "verse")
    assert torch.equal(epoch_logits(other, epoch.slug), epoch_logits(one_epoch, "verse"))


def test_an_imported_epoch_is_exported_as_what_plain_peft_opens(session: Session, tmp_path: Path) -> None:
    folder = made(tmp_path / "foreign", **EXACT["both, of rsLoRA"])
    slug = bring(session, folder).slug
    collect(session.run(jobs.ExportEpoch(slug, str(tmp_path / "out"))))
    assert_same(plain_logits(tmp_path / "out" / slug), plain_logits(folder))


# -- the life of an imported epoch --------------------------------------------------------------------------------


def test_a_project_with_an_imported_epoch_goes_on_as_any_other(
    one_epoch: Session, corpora: Corpora, tmp_path: Path
) -> None:
    folder = made(tmp_path / "foreign")
    before = {name: snapshot(model_of(one_epoch).adapters[name].weights) for name in ("verse",)}
    slug = bring(one_epoch, folder, name="Foreign", era="Elsewhere", colour="#123456").slug
    again = reopened(one_epoch)
    (_, info) = again.info().epochs
    assert (info.name, info.era, info.colour, info.state) == ("Foreign", "Elsewhere", "#123456", "frozen")
    collect(again.run(train_job("Code", corpora["code"])))
    collect(again.run(jobs.Generate("O gentle night", sampling=SamplingSettings(max_new_tokens=3))))
    third = reopened(again)
    assert [slot.slug for slot in third.slots()] == ["", "verse", slug, "code"]
    assert_same(epoch_logits(third, slug), plain_logits(folder))
    for name, tensors in before.items():
        after = snapshot(model_of(third).adapters[name].weights)
        assert all(torch.equal(after[key], value) for key, value in tensors.items())
    collect(third.run(jobs.DeleteEpoch(slug)))
    assert [slot.slug for slot in third.slots()] == ["", "verse", "code"]


def test_text_teaches_the_mixer_its_slot_and_the_earlier_one_is_not_forgotten(
    one_epoch: Session, corpora: Corpora, tmp_path: Path
) -> None:
    job = jobs.ImportAdapter(
        str(made(tmp_path / "foreign")),
        "Code",
        paths=(str(corpora["code"]),),
        settings=replace(QUICK, max_tokens=1536, num_passes=3),
    )
    forgetful = replace(job, settings=replace(job.settings, sleep=replace(job.settings.sleep, enabled=False)))
    (forgotten,) = only(collect(reopened(one_epoch).run(forgetful)), HeldOut)
    assert dict(forgotten.routing)["verse"] < 0.1
    events = collect(one_epoch.run(job))
    assert len(only(events, CorpusRead)) == 1
    (measured,) = only(events, HeldOut)
    routing = dict(measured.routing)
    assert routing["code"] > 0.8 and routing["verse"] > 0.4
    epoch = one_epoch.info().epochs[1]
    assert epoch.held_out_loss == measured.loss and epoch.backbone_loss is not None
    assert epoch.corpus == (str(corpora["code"]),) and epoch.note == "imported; its slot was learned from text"
    (scores,) = only(collect(one_epoch.run(jobs.Evaluate(256))), Evaluated)
    assert [score.slug for score in scores.scores] == ["verse", "code"]
    assert reopened(one_epoch).info().history[1] == ("code", (measured,))


def test_its_own_dreams_teach_the_mixer_where_there_is_no_text(
    one_epoch: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dreams, "DREAM_BLOCKS", 104)
    monkeypatch.setattr(dreams, "DREAM_LENGTH", 64)
    folder = made(tmp_path / "foreign", target_modules=EVERY, lora_alpha=64)
    epoch = bring(one_epoch, folder, settings=replace(QUICK, num_passes=8))
    assert (epoch.held_out_loss, epoch.backbone_loss, epoch.corpus) == (None, None, ())
    assert epoch.note == "imported; its slot was learned from its own dreams"
    model = model_of(one_epoch)
    memory = model.memories[epoch.slug]
    assert memory.held_out_NT is None
    routed = dict(routing_accuracies(model, model.mixer, model.memories))
    assert routed["verse"] > 0.4 and routed[epoch.slug] > 0.6
    (scores,) = only(collect(one_epoch.run(jobs.Evaluate(256))), Evaluated)
    assert [score.slug for score in scores.scores] == ["verse"]


def test_a_mixture_without_any_text_says_that_nothing_can_be_measured(session: Session, tmp_path: Path) -> None:
    bring(session, made(tmp_path / "foreign"))
    with pytest.raises(TloraError, match="No epoch has text to measure on"):
        collect(session.run(jobs.Evaluate()))


@pytest.mark.parametrize("label", ["Looking", "Dreaming: the epoch", "Teaching"])
def test_a_cancelled_import_leaves_no_trace(one_epoch: Session, tmp_path: Path, label: str) -> None:
    folder, cancel = made(tmp_path / "foreign"), CancelToken()
    before, slots = snapshot(model_of(one_epoch).mixer), one_epoch.slots()
    assert one_epoch.project is not None
    files = {path: path.read_bytes() for path in one_epoch.project.path.rglob("*") if path.is_file()}
    with pytest.raises(Cancelled):
        for event in one_epoch.run(jobs.ImportAdapter(str(folder)), cancel):
            if isinstance(event, Progress) and event.label.startswith(label):
                cancel.cancel("keep")
    after = snapshot(model_of(one_epoch).mixer)
    assert one_epoch.slots() == slots and all(torch.equal(after[name], value) for name, value in before.items())
    assert files == {path: path.read_bytes() for path in one_epoch.project.path.rglob("*") if path.is_file()}
    assert [epoch.slug for epoch in one_epoch.info().epochs] == ["verse"]
    assert bring(one_epoch, folder).state == "frozen", "and it can be imported after all"


def test_a_text_can_be_written_while_an_import_goes_on(one_epoch: Session, tmp_path: Path) -> None:
    written = []
    for event in one_epoch.run(jobs.ImportAdapter(str(made(tmp_path / "foreign")), settings=QUICK)):
        if isinstance(event, Progress) and event.label.startswith("Teaching") and event.done == 3:
            job = jobs.Generate("O", sampling=SamplingSettings(max_new_tokens=2))
            written = collect(one_epoch.run(job))
    assert len(written[0].slots) == 3


# -- where it lies ------------------------------------------------------------------------------------------------


def zipped(folder: Path, target: Path, inside: str = "") -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in folder.iterdir():
            packed.write(file, f"{inside}{file.name}")
    return target


@pytest.mark.parametrize("inside", ["", "my adapter/", "../../outside/"])
def test_a_zip_of_one_is_imported_and_nothing_is_written_outside(session: Session, tmp_path: Path, inside: str) -> None:
    folder = made(tmp_path / "foreign")
    source = zipped(folder, tmp_path / "Letters.zip", inside)
    before = sorted(tmp_path.rglob("*"))
    epoch = bring(session, source)
    assert epoch.name == "Letters"
    assert_same(epoch_logits(session, epoch.slug), plain_logits(folder))
    new = set(tmp_path.rglob("*")) - set(before)
    assert all(path.is_relative_to(tmp_path / "project") for path in new)


def test_an_id_on_the_hub_is_fetched_and_nothing_but_the_two_files(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, asked = made(tmp_path / "foreign"), []

    def snapshot_download(repo_id: str, allow_patterns: list[str], **_: Any) -> str:
        asked.append((repo_id, tuple(allow_patterns)))
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    epoch = bring(session, "somebody/tiny-letters")
    assert asked == [("somebody/tiny-letters", (CONFIG, WEIGHTS))] and epoch.name == "tiny-letters"
    assert_same(epoch_logits(session, epoch.slug), plain_logits(folder))


def test_an_id_that_cannot_be_had_is_no_missing_backbone(session: Session) -> None:
    with pytest.raises(TloraError) as refused:
        bring(session, "somebody/not-there")
    assert refused.value.code == "" and "folder or a .zip" in refused.value.hint


# -- refused ------------------------------------------------------------------------------------------------------


def refusal(session: Session, source: Path | str, **options: Any) -> str:
    """Why it is refused; nothing has come of it, and it took neither time nor memory."""
    mixer, started, before = snapshot(model_of(session).mixer), time.process_time(), psutil.Process().memory_info().rss
    with pytest.raises(TloraError) as refused:
        for event in session.run(jobs.ImportAdapter(str(source), **options)):
            assert not isinstance(event, Progress) or event.label.startswith(("Looking", "Unpacking", "Fetching"))
    assert time.process_time() - started < 1
    assert psutil.Process().memory_info().rss - before < 200 * 2**20
    assert refused.value.hint and len(str(refused.value)) < 600 and "\n" not in str(refused.value)
    after = snapshot(model_of(session).mixer)
    assert all(torch.equal(after[name], value) for name, value in mixer.items())
    assert session.info().epochs == ()
    return str(refused.value.message)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"use_dora": True}, "DoRA"),
        ({"bias": "lora_only"}, "biases"),
        ({"bias": "all"}, "biases"),
        ({"modules_to_save": ["lm_head"]}, "whole modules"),
        ({"trainable_token_indices": [1, 2]}, "vocabulary"),
        ({"target_modules": ["q_proj", "lm_head"]}, "lm_head|the vocabulary"),
        ({"target_modules": ["embed_tokens"], "layers_to_transform": None}, "embed_tokens|the vocabulary"),
        ({"target_modules": ["embed_tokens", "q_proj"], "layers_to_transform": None}, "the vocabulary"),
        ({"init_lora_weights": "pissa"}, "the backbone's own weights"),
        ({"layer_replication": [[0, 4], [2, 4]], "layers_to_transform": None}, "layer_replication"),
        ({"target_parameters": ["mlp.down_proj.weight"]}, "target_parameters"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_what_no_choice_of_a_and_b_can_be_is_refused(
    session: Session, tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    assert re.search(words, refusal(session, made(tmp_path / "foreign", **options)))


OTHER_KINDS = {
    "IA3": peft.IA3Config(target_modules=["k_proj", "down_proj"], feedforward_modules=["down_proj"]),
    "PREFIX_TUNING": peft.PrefixTuningConfig(num_virtual_tokens=3, task_type="CAUSAL_LM"),
    "LOHA": peft.LoHaConfig(target_modules=["q_proj"]),
}


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_adapters_of_another_kind_are_refused(session: Session, tmp_path: Path, kind: str) -> None:
    get_peft_model(make_llama(), OTHER_KINDS[kind]).save_pretrained(tmp_path / "foreign")
    assert refusal(session, tmp_path / "foreign") == f"foreign is an adapter of the kind {kind}."


@pytest.mark.parametrize("what", ["wider", "another family"])
def test_adapters_of_another_model_are_refused_by_names_and_shapes(session: Session, tmp_path: Path, what: str) -> None:
    if what == "wider":
        config = make_llama().config
        config.intermediate_size = 128
        folder = made(tmp_path / "foreign", type(make_llama())(config), target_modules=["down_proj"])
    else:
        folder = made(tmp_path / "foreign", make_gpt2(), target_modules=["c_attn"], fan_in_fan_out=True)
    assert "was made for another model" in refusal(session, folder)


def test_what_moves_the_time_mixers_input_is_refused_and_a_lower_mixer_layer_takes_it(
    session: Session, tiny_model_folder: Path, tmp_path: Path
) -> None:
    folder = made(tmp_path / "foreign", layers_to_transform=None, target_modules="all-linear")
    words = refusal(session, folder)
    assert "changes blocks from 0 up" in words and "would move under it" in words
    other = Session()
    job = jobs.CreateProject(str(tmp_path / "other"), str(tiny_model_folder), mixer_layer=0)
    collect(other.run(job))
    assert other.info().backbone.mixer_layer == 0
    slug = bring(other, folder).slug
    assert_same(epoch_logits(other, slug), plain_logits(folder))
    assert_same(epoch_logits(reopened(other), slug), plain_logits(folder))


# -- a Time Mixer that reads the bare backbone --------------------------------------------------------------------


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    """An adapter of every block."""
    return made(tmp_path / "deep", layers_to_transform=None, target_modules="all-linear")


def test_an_adapter_of_every_block_says_the_same_in_a_project_that_was_made_for_others(
    two_epochs: Session, deep: Path
) -> None:
    before = {slug: epoch_logits(two_epochs, slug) for slug in ("verse", "code")}
    read_BTH = model_of(two_epochs).features(IDS_BT)
    slug = bring(two_epochs, deep, bare_router=True).slug
    for session in (two_epochs, reopened(two_epochs)):
        info, model = session.info().backbone, model_of(session)
        assert info.bare_router and info.mixer_layer == 1
        assert_same(epoch_logits(session, slug), plain_logits(deep))
        with torch.no_grad():
            assert_same(model(IDS_BT, torch.tensor([0.0, 0.0, 0.0, 1.0])).logits_BTV, plain_logits(deep))
            assert torch.equal(model(IDS_BT, 0).logits_BTV, bare_logits())
        for other, logits_BTV in before.items():
            assert torch.equal(epoch_logits(session, other), logits_BTV)
        assert torch.equal(model.features(IDS_BT), read_BTH)
        (stored,) = (epoch for epoch in session.info().epochs if epoch.slug == slug)
        assert stored.state == "frozen"


def test_text_of_its_kind_is_routed_to_an_adapter_of_every_block_as_to_any_other(
    stored_projects: dict[int, Path], one_epoch: Session, deep: Path, corpora: Corpora, tmp_path: Path
) -> None:
    own = {"paths": (str(corpora["code"]),), "settings": replace(QUICK, num_passes=3), "bare_router": True}
    (measured,) = only(collect(one_epoch.run(jobs.ImportAdapter(str(deep), "Tale", **own))), HeldOut)
    assert dict(measured.routing)["tale"] > 0.7
    other = open_copy(stored_projects[1], tmp_path / "other")
    collect(other.run(jobs.ImportAdapter(str(made(tmp_path / "upper")), "Tale", **own)))
    mixers = [dict(model_of(session).mixer.named_parameters()) for session in (one_epoch, other)]
    for name, parameter in mixers[0].items():
        assert torch.equal(parameter, mixers[1][name]), "the same text is learned from the same inputs"
    (found,) = only(collect(one_epoch.run(jobs.Evaluate(512))), Evaluated)
    model = model_of(one_epoch)
    with torch.no_grad():
        for slot, score in enumerate(found.scores, 1):
            text_NT = model.memories[score.slug].held_out_NT
            assert text_NT is not None
            ids_NT = text_NT[: max(1, 512 // text_NT.shape[1])].long()
            assert score.loss_epoch == pytest.approx(model.next_token_loss(ids_NT, slot).loss.item(), rel=1e-3)
            assert score.loss_mix == pytest.approx(model.next_token_loss(ids_NT).loss.item(), rel=1e-3)


@pytest.mark.parametrize("memory_labels", [True, False])
def test_a_filter_turns_to_an_imported_epoch_as_readily_as_to_others_once_it_has_its_slot(
    tmp_path: Path, tiny_model_folder: Path, corpora: Corpora, memory_labels: bool
) -> None:
    session = Session()
    collect(session.run(jobs.CreateProject(str(tmp_path / "p"), str(tiny_model_folder), switching="filter")))
    settings = replace(QUICK, sleep=replace(QUICK.sleep, memory_labels=memory_labels))
    job = jobs.ImportAdapter(str(made(tmp_path / "upper")), "Tale", paths=(str(corpora["code"]),), settings=settings)
    collect(session.run(job))
    for known in (session, reopened(session)):
        assert model_of(known).mixer.filter_prior.tolist() == [0.0, 0.0]


def test_generating_scoring_and_all_that_looks_at_a_text_go_on_with_it(two_epochs: Session, deep: Path) -> None:
    slug = bring(two_epochs, deep, bare_router=True).slug
    model = model_of(two_epochs)
    sampling = SamplingSettings(max_new_tokens=12, temperature=0.0, repetition_penalty=1.0)
    for mode in ("mixer", slug, "verse", "", "+average"):
        events = collect(two_epochs.run(jobs.Generate("A rose", mode, sampling)))
        (record,) = (event.record for event in only(events, GenerationFinished))
        ids = torch.tensor([[token.token_id for token in record.tokens]])
        with torch.no_grad():
            whole = model(ids, two_epochs._workspace().blend(mode))
        drawn = [token.token_id for token in record.tokens if not token.is_prompt]
        assert whole.logits_BTV[0, -len(drawn) - 1 : -1].argmax(-1).tolist() == drawn
        assert_same(torch.tensor(record.tokens[-1].weights), whole.weights_BTS[0, -2])
    (read,) = only(collect(two_epochs.run(jobs.ScoreText("A rose by any other name"))), GenerationFinished)
    report = read.record.report
    assert report is not None
    with torch.no_grad():
        ids = torch.tensor([[token.token_id for token in read.record.tokens]])
        for slot, (_, loss) in enumerate(report.losses):
            assert loss == pytest.approx(model.next_token_loss(ids, slot).loss.item(), rel=1e-3)
        (found,) = only(collect(two_epochs.run(jobs.PredictCounterfactual(record, 10))), Counterfactual)
        ids = torch.tensor([[token.token_id for token in record.tokens[:10]]])
        for prediction in found.predictions:
            shares_V = model(ids, prediction.slot).logits_BTV[0, -1].softmax(-1)
            assert prediction.probability == pytest.approx(float(shares_V[record.tokens[10].token_id]), abs=1e-4)
        (timeline,) = only(collect(two_epochs.run(jobs.ComputeMixerTimeline(read.record))), MixerTimeline)
        ids = torch.tensor([[token.token_id for token in read.record.tokens]])
        assert_same(torch.tensor([token.weights for token in timeline.tokens[-1]]), model(ids).weights_BTS[0])


def test_an_epoch_trained_after_it_lies_above_and_undoing_it_all_is_what_was_before(
    one_epoch: Session, deep: Path, corpora: Corpora
) -> None:
    slug = bring(one_epoch, deep, bare_router=True).slug
    said = epoch_logits(one_epoch, slug)
    settings = replace(QUICK, sleep=replace(QUICK.sleep, source="dreams"), objective="joint")
    collect(one_epoch.run(train_job("Code", corpora["code"], settings=settings)))
    again = reopened(one_epoch)
    for session in (one_epoch, again):
        assert torch.equal(epoch_logits(session, slug), said)
        names = model_of(session).adapter_parameters("code")
        assert names and not any(".layers.0." in name for name in names)
    collect(again.run(jobs.DeleteEpoch(slug)))
    whole = epoch_logits(again, "code")
    collect(again.run(jobs.RestoreEpoch(slug)))
    assert torch.equal(epoch_logits(again, "code"), whole) and torch.equal(epoch_logits(again, slug), said)


@pytest.mark.parametrize("how", ["adapter", "rank", "model", "gguf"])
def test_exports_of_an_adapter_of_every_block_and_one_above_say_what_both_say(
    one_epoch: Session, deep: Path, tmp_path: Path, how: str
) -> None:
    slug = bring(one_epoch, deep, bare_router=True).slug
    model, target = model_of(one_epoch), tmp_path / "out"
    with torch.no_grad():
        expected = model(IDS_BT, torch.tensor([0.0, 0.5, 0.7])).logits_BTV
    path = str(target / "merged.gguf") if how == "gguf" else str(target)
    job = jobs.ExportMerge((("verse", 0.5), (slug, 0.7)), path, into_backbone=how == "model")
    if how == "rank":
        collect(one_epoch.run(jobs.ExportEpoch(slug, str(target))))
        (folder,) = target.iterdir()
        assert_same(plain_logits(folder), plain_logits(deep))
        return
    collect(one_epoch.run(job))
    if how == "gguf":
        names = {tensor.name for tensor in GGUFReader(path).tensors}
        assert {"blk.0.attn_q.weight.lora_a", "blk.3.ffn_down.weight.lora_b"} <= names
        return
    (folder,) = target.iterdir()
    if how == "model":
        with torch.no_grad():
            merged = AutoModelForCausalLM.from_pretrained(folder).eval()(input_ids=IDS_BT).logits
    else:
        merged = plain_logits(folder)
    assert_same(merged, expected)


def test_a_recipe_names_the_router_and_an_older_one_reads_as_it_was(
    one_epoch: Session, deep: Path, tmp_path: Path
) -> None:
    events = collect(one_epoch.run(jobs.Generate("A rose", sampling=SamplingSettings(max_new_tokens=4))))
    (before,) = only(events, GenerationFinished)
    bring(one_epoch, deep, bare_router=True)
    events = collect(one_epoch.run(jobs.Generate("A rose", sampling=SamplingSettings(max_new_tokens=4))))
    (after,) = only(events, GenerationFinished)
    told = []
    for number, done in enumerate((before, after)):
        path = tmp_path / f"{number}.json"
        collect(one_epoch.run(jobs.ExportGeneration(done.record, str(path))))
        told.append(json.loads(path.read_text())["recipe"]["mixer"])
        collect(one_epoch.run(jobs.ImportGeneration(str(path))))
    assert told[1]["bare_router"] is True
    del told[0]["bare_router"]
    older = json.loads((tmp_path / "0.json").read_text())
    older["recipe"]["mixer"] = told[0]
    (tmp_path / "older.json").write_text(json.dumps(older))
    collect(one_epoch.run(jobs.ImportGeneration(str(tmp_path / "older.json"))))


def test_what_an_adapter_changes_is_told_before_and_refusals_tell_the_cost(session: Session, deep: Path) -> None:
    upper = made(deep.parent / "upper")
    (found,) = only(collect(session.run(jobs.LookAtAdapter(str(deep)))), AdapterSeen)
    assert (found.source, found.first_block) == (str(deep), 0)
    packed = shutil.make_archive(str(deep.parent / "packed"), "zip", upper)
    (found,) = only(collect(session.run(jobs.LookAtAdapter(packed))), AdapterSeen)
    assert found.first_block == 1
    assert only(collect(session.run(jobs.LookAtAdapter("owner/name"))), AdapterSeen) == [
        AdapterSeen("owner/name", None)
    ]
    with pytest.raises(TloraError) as refused:
        collect(session.run(jobs.ImportAdapter(str(deep))))
    assert "about 25 % more work per token" in refused.value.hint
    assert not session.info().backbone.bare_router and not session.info().epochs


def test_a_router_that_is_not_needed_stays_as_it_is(session: Session, tmp_path: Path) -> None:
    bring(session, made(tmp_path / "upper"), bare_router=True)
    assert not session.info().backbone.bare_router


def test_an_import_that_fails_leaves_the_router_as_it_was(
    one_epoch: Session, deep: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError("no")

    with monkeypatch.context() as patch:
        patch.setattr("tlora_gui.engine.projects.epoch_folder.write_epoch", fail)
        with pytest.raises(TloraError, match="could not be stored"):
            bring(one_epoch, deep, bare_router=True)
    for session in (one_epoch, reopened(one_epoch)):
        assert not session.info().backbone.bare_router and model_of(session).slot_adapters == ["verse"]


def test_a_new_project_may_have_it_from_the_beginning(tiny_model_folder: Path, tmp_path: Path, deep: Path) -> None:
    session = Session()
    collect(session.run(jobs.CreateProject(str(tmp_path / "p"), str(tiny_model_folder), bare_router=True)))
    slug = bring(session, deep).slug
    assert_same(epoch_logits(session, slug), plain_logits(deep))


def test_a_backbone_whose_cache_cannot_be_kept_twice_is_refused_in_words(
    one_epoch: Session, deep: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tlora_gui.temporal.cache.Cache", type("Another", (), {}))
    with pytest.raises(TloraError) as refused:
        bring(one_epoch, deep, bare_router=True)
    assert "keeps a cache that is not made of layers" in refused.value.message
    assert not one_epoch.info().backbone.bare_router and model_of(one_epoch).slot_adapters == ["verse"]


def test_a_project_of_before_reads_as_one_whose_router_is_shared(one_epoch: Session) -> None:
    project = one_epoch.project
    assert project is not None
    index = json.loads((project.path / "project.json").read_text())
    del index["lora"]["bare_router"]
    (project.path / "project.json").write_text(json.dumps(index))
    assert not reopened(one_epoch).info().backbone.bare_router


def test_lower_layers_that_do_nothing_are_no_hindrance(session: Session, tmp_path: Path) -> None:
    folder = made(tmp_path / "foreign", layers_to_transform=None)
    tensors = load_file(folder / WEIGHTS)
    for key, tensor in tensors.items():
        if ".layers.0." in key and "lora_B" in key:
            tensor.zero_()
    save_file(tensors, folder / WEIGHTS)
    assert_same(epoch_logits(session, bring(session, folder).slug), plain_logits(folder))


@pytest.mark.parametrize("layer", [-1, 4])
def test_a_mixer_layer_that_is_none_is_refused(tiny_model_folder: Path, tmp_path: Path, layer: int) -> None:
    job = jobs.CreateProject(str(tmp_path / "project"), str(tiny_model_folder), mixer_layer=layer)
    with pytest.raises(TloraError, match="has 4 blocks") as refused:
        collect(Session().run(job))
    assert refused.value.hint == "Choose a mixer layer from 0 to 3." and not (tmp_path / "project").exists()


def test_numbers_that_are_far_too_large_are_told_and_leave_nothing(
    session: Session, tmp_path: Path, corpora: Corpora
) -> None:
    folder = made(tmp_path / "foreign")
    save_file({key: 1e20 * tensor for key, tensor in load_file(folder / WEIGHTS).items()}, folder / WEIGHTS)
    with pytest.raises(TloraError) as refused:
        bring(session, folder, paths=(str(corpora["verse"]),))
    assert "damaged, or far too large" in refused.value.hint or "NaN" in refused.value.message
    assert session.info().epochs == () and model_of(session).slot_adapters == []


def test_a_name_that_is_taken_is_refused_before_anything_is_read(one_epoch: Session, tmp_path: Path) -> None:
    with pytest.raises(TloraError, match="'Verse' is taken"):
        collect(one_epoch.run(jobs.ImportAdapter(str(tmp_path / "nothing there"), "Verse")))


def test_too_little_text_is_refused_before_anything_is_learned(session: Session, tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text("A word.")
    folder = made(tmp_path / "foreign")
    with pytest.raises(TloraError, match="too little text"):
        collect(session.run(jobs.ImportAdapter(str(folder), paths=(str(tmp_path / "short.txt"),))))
    assert session.info().epochs == () and len(session.slots()) == 1


def on_weights(change: Callable[[dict[str, Tensor]], object]) -> Callable[[Path], None]:
    def harm(folder: Path) -> None:
        tensors = load_file(folder / WEIGHTS)
        change(tensors)
        save_file(tensors, folder / WEIGHTS)

    return harm


def on_config(**fields: Any) -> Callable[[Path], None]:
    def harm(folder: Path) -> None:
        config = json.loads((folder / CONFIG).read_text()) | fields
        (folder / CONFIG).write_text(json.dumps(config).replace("Infinity", "1e999"))

    return harm


def bytes_of(name: str, data: bytes) -> Callable[[Path], None]:
    def harm(folder: Path) -> None:
        (folder / name).write_bytes(data)

    return harm


def header(**tensors: Any) -> bytes:
    text = json.dumps(tensors).encode()
    return struct.pack("<Q", len(text)) + text


def as_bin(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    (folder / "adapter_model.bin").write_bytes(b"cposix\nsystem\n(S'touch /tmp/harmed'\ntR.")


def as_pipe(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    os.mkfifo(folder / WEIGHTS)


Q = "base_model.model.model.layers.1.self_attn.q_proj"
HARMS: dict[str, tuple[Callable[[Path], None], str]] = {
    "no config": (lambda folder: (folder / CONFIG).unlink(), "There is no adapter_config.json"),
    "no weights": (lambda folder: (folder / WEIGHTS).unlink(), "There is no adapter_model.safetensors"),
    "a pickle": (as_bin, "are a pickle"),
    "a pipe": (as_pipe, "There is no adapter_model.safetensors"),
    "not a number": (on_weights(lambda tensors: tensors[f"{Q}.lora_A.weight"][0].fill_(torch.nan)), "no finite number"),
    "infinite": (on_weights(lambda tensors: tensors[f"{Q}.lora_B.weight"][0].fill_(torch.inf)), "no finite number"),
    "half a layer": (on_weights(lambda tensors: tensors.pop(f"{Q}.lora_B.weight")), "q_proj is not whole"),
    "no tensors": (on_weights(dict.clear), "it holds no weights"),
    "whole numbers": (on_weights(lambda t: t.update({k: v.int() for k, v in t.items()})), "numbers of another type"),
    "a magnitude": (on_weights(lambda t: t.update({f"{Q}.lora_magnitude_vector": torch.ones(48)})), "DoRA"),
    "a bias": (on_weights(lambda t: t.update({f"{Q}.bias": torch.ones(48)})), "biases"),
    "a head": (on_weights(lambda t: t.update({"base_model.model.lm_head.weight": torch.ones(9, 48)})), "vocabulary"),
    "a norm": (
        on_weights(lambda t: t.update({"base_model.model.model.norm.weight": torch.ones(48)})),
        "whole modules of its own",
    ),
    "other names": (
        on_weights(lambda t: t.update({"transformer.q.lora_A.weight": torch.ones(8, 48)})),
        "is no name that PEFT gives",
    ),
    "another rank": (on_config(r=4), "has another rank than its adapter_config.json says"),
    "rank 0": (on_config(r=0), "another rank"),
    "an absurd rank": (on_config(r=10**9), "another rank"),
    "a rank in words": (on_config(r="8"), "is damaged"),
    "an infinite alpha": (on_config(lora_alpha=1e999), "is damaged"),
    "an absurd alpha": (on_config(lora_alpha=1e30), "its lora_alpha scales updates by"),
    "no alpha": (on_config(lora_alpha=None), "is damaged"),
    "patterns of another type": (on_config(alpha_pattern={"q_proj": "x"}), "is damaged"),
    "a list for patterns": (on_config(rank_pattern=[1]), "is damaged"),
    "a pattern that never ends": (on_config(alpha_pattern={"(a+)+b" * 30: 1.0}), "chooses layers by the pattern"),
    "an open pattern": (on_config(alpha_pattern={"(": 1.0}), "chooses layers by the pattern"),
    "an unknown field": (on_config(use_magic={"a": 1}), "asks for use_magic"),
    "many unknown fields": (on_config(**{f"field{n}": 1 for n in range(10_000)}), "asks for"),
    "biases of B": (on_config(lora_bias=True), "it has biases"),
    "code": (on_config(auto_map={"x": "y.py"}), "asks for auto_map"),
    "no kind": (on_config(peft_type=None), "an adapter of the kind None"),
    "an odd kind": (on_config(peft_type=["x" * 10**6]), "an adapter of the kind"),
    "a list": (bytes_of(CONFIG, b"[1]"), "it is no object"),
    "deep": (bytes_of(CONFIG, b"[" * 10**6), "is damaged"),
    "60 MB": (bytes_of(CONFIG, b" " * 60_000_000), "more than 4 MB"),
    "no JSON": (bytes_of(CONFIG, bytes(range(256))), "is damaged"),
    "empty weights": (bytes_of(WEIGHTS, b""), "are damaged"),
    "a header beyond all bounds": (bytes_of(WEIGHTS, struct.pack("<Q", 2**40) + b"{}"), "its header is too long"),
    "a header of a terabyte": (
        bytes_of(
            WEIGHTS,
            header(**{f"{Q}.lora_A.weight": {"dtype": "F32", "shape": [2**34, 16], "data_offsets": [0, 2**40]}}),
        ),
        "are damaged",
    ),
    "a header that overlaps": (
        bytes_of(
            WEIGHTS,
            header(**{key: {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]} for key in "ab"}) + b"\0" * 8,
        ),
        "are damaged",
    ),
}  # fmt: skip


@pytest.mark.parametrize("harm", HARMS)
def test_a_hostile_or_damaged_adapter_is_refused_at_once(session: Session, tmp_path: Path, harm: str) -> None:
    folder = made(tmp_path / "foreign")
    do_harm, words = HARMS[harm]
    do_harm(folder)
    assert words in refusal(session, folder)


def test_a_rank_beyond_what_an_epoch_can_have_is_refused(session: Session, tmp_path: Path) -> None:
    assert "has a rank of 1,030" in refusal(session, made(tmp_path / "foreign", r=1030, layers_to_transform=[1]))


def test_patterns_that_would_take_for_ever_are_not_run(session: Session, tmp_path: Path) -> None:
    folder = made(tmp_path / "foreign")
    on_config(alpha_pattern={"q_proj|" * 20 + "v_proj": 2})(folder)
    assert "chooses layers by the pattern" in refusal(session, folder)
    on_config(alpha_pattern={rf".*\d+{n}\d+\d+\d+\d+x": 2 for n in range(199)})(folder)
    started = time.process_time()
    bring(session, folder)
    assert time.process_time() - started < 20


@pytest.mark.parametrize(
    ("made_of", "words"),
    [
        ({}, "There is no adapter in"),
        ({CONFIG: b"{}", f"other/{CONFIG}": b"{}"}, "There are several adapters in"),
        ({CONFIG: b"{}"}, "an adapter of the kind None"),
        ({CONFIG: b" " * (2**24 + 1)}, "more than an adapter of this backbone can have"),
        ({CONFIG: b"{}", WEIGHTS: bytes(10**8)}, "more than an adapter of this backbone can have"),
    ],
    ids=["empty", "two", "an empty one", "a long config", "a bomb"],
)
def test_a_zip_that_is_none_of_one_adapter_is_refused(
    session: Session, tmp_path: Path, made_of: dict[str, bytes], words: str
) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in made_of.items():
            packed.writestr(name, data)
    assert words in refusal(session, tmp_path / "x.zip")


def test_damaged_and_locked_zips_are_refused(session: Session, tmp_path: Path) -> None:
    source = zipped(made(tmp_path / "foreign"), tmp_path / "x.zip")
    data = bytearray(source.read_bytes())
    data[200:240] = b"\xff" * 40
    source.write_bytes(data)
    assert "cannot be unpacked" in refusal(session, source)
    source = zipped(tmp_path / "foreign", tmp_path / "x.zip")
    data = bytearray(source.read_bytes())
    for sign, place in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        start = 0
        while (start := data.find(sign, start)) >= 0:
            data[start + place] |= 1  # says that it has a password
            start += 4
    source.write_bytes(data)
    assert "cannot be unpacked" in refusal(session, source)


@pytest.mark.parametrize("source", ["nowhere", "/nowhere/at/all", "./nowhere", "a/b/c", "https://huggingface.co/a/b"])
def test_a_place_where_nothing_is_is_told(session: Session, source: str) -> None:
    assert "does not exist" in refusal(session, source, name="Foreign")


def test_no_place_at_all_is_told(session: Session) -> None:
    assert refusal(session, "", name="Foreign") == "No adapter is named."


def test_a_file_that_is_no_adapter_is_told(session: Session, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("text")
    assert refusal(session, tmp_path / "notes.txt") == "notes.txt is no adapter."
