"""The public API: the documented usage as written, weights by column, saving and loading, what datasets may be."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_helpers import Corpora, same_tensors, snapshot
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, BertConfig, BertLMHeadModel

from tlora_gui import TemporalLoRAModel, TextCorpus, generate_with_mixer, train_adapter
from tlora_gui.engine.api import TrainResult
from tlora_gui.engine.projects.project import Project
from tlora_gui.engine.projects.project_lock import lock_project
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import HeldOut
from tlora_gui.engine.session import Session

SMALL: dict[str, Any] = {"block_size": 32, "max_tokens": 256, "learning_rate": 1e-2}
VERSE = ["O gentle night, that hides the weeping moon,\n" * 20] * 4


@pytest.fixture
def model(tiny_model_folder: Path) -> TemporalLoRAModel:
    loaded = AutoModelForCausalLM.from_pretrained(tiny_model_folder)
    tokenizer = AutoTokenizer.from_pretrained(tiny_model_folder)
    return TemporalLoRAModel(loaded, lora_rank=4, lora_alpha=8.0, tokenizer=tokenizer)


@pytest.fixture
def trained(model: TemporalLoRAModel, corpora: Corpora, made_once: dict[Any, Any]) -> TemporalLoRAModel:
    """Two trained adapters; trained once, copied for each test."""
    if "trained" not in made_once:
        for name in ("verse", "code"):
            model.add_adapter(name, f"{name} era")
            train_adapter(model, corpora[name], name, **SMALL)
        made_once["trained"] = model
    return copy.deepcopy(made_once["trained"])


def test_documented_usage_runs_as_written(tiny_model_folder: Path, corpora: Corpora) -> None:
    model = TemporalLoRAModel(model_name=str(tiny_model_folder), lora_rank=8, lora_alpha=16.0, mixer_strategy="gating")
    model.add_adapter("shakespeare", "Renaissance Era")
    model.add_adapter("python", "IT Era")
    train_adapter(model, corpora["verse"], "shakespeare", epochs=3, max_tokens=1024)
    train_adapter(model, str(corpora["code"]), "python", epochs=3, max_tokens=1024)
    text, weights = generate_with_mixer(model, model.tokenizer, "To code or not to code")
    assert text.startswith("To code or not to code")
    assert weights.dtype == torch.float32 and weights.shape[1] == 3
    assert len("To code or not to code") < len(weights) <= len("To code or not to code") + 60
    torch.testing.assert_close(weights.sum(1), torch.ones(len(weights)))
    assert model.slot_names == ["Eternity", "shakespeare", "python"]
    assert model.lora.r == 8 and model.lora.lora_alpha == 16.0


@pytest.mark.parametrize("strategy", ["routing", "attention"])
def test_every_strategy_learns_is_saved_and_comes_back(
    tiny_model_folder: Path, corpora: Corpora, tmp_path: Path, strategy: Any
) -> None:
    model = TemporalLoRAModel(tiny_model_folder, mixer_strategy=strategy)
    for name in ("verse", "code"):
        model.add_adapter(name)
        train_adapter(model, corpora[name], name, **SMALL)
    model.save(tmp_path / "p")
    again = TemporalLoRAModel.load(tmp_path / "p")
    assert again.mixer.settings == model.mixer.settings
    weights = again.mixer_weights("O gentle night")
    assert torch.equal(weights, model.mixer_weights("O gentle night"))
    torch.testing.assert_close(weights.sum(1), torch.ones(14))
    assert set(weights.unique().tolist()) <= {0.0, 1.0} or strategy != "routing"


def test_an_unknown_strategy_is_refused_by_name(tiny_model_folder: Path) -> None:
    odd: Any = "voting"
    with pytest.raises(ValueError, match="unknown mixer strategy 'voting'"):
        TemporalLoRAModel(tiny_model_folder, mixer_strategy=odd)


def test_sleep_is_on_by_itself_from_the_second_adapter(trained: TemporalLoRAModel) -> None:
    verse, code = trained.results["verse"], trained.results["code"]
    assert len(verse.adapter_loss) == len(verse.mixer_distill_loss) == 2
    assert all(loss == 0 for loss in verse.mixer_distill_loss)
    assert all(loss > 0 for loss in code.mixer_distill_loss)


def test_sleep_can_be_left_out(model: TemporalLoRAModel, corpora: Corpora) -> None:
    for name in ("verse", "code"):
        model.add_adapter(name)
        result = train_adapter(model, corpora[name], name, active_sleep=False, **SMALL)
        assert not any(result.mixer_distill_loss)


def test_result_tells_facts_and_history(trained: TemporalLoRAModel, corpora: Corpora) -> None:
    result = trained.results["verse"]
    assert isinstance(result, TrainResult)
    assert (result.info.era, result.info.state, result.info.tokens) == ("verse era", "frozen", 256)
    assert result.info.corpus == (str(corpora["verse"]),)
    last = [event for event in result.history if isinstance(event, HeldOut)][-1]
    assert result.held_out_loss == last.loss


@pytest.mark.parametrize("kind", ["path", "string path", "texts", "corpus"])
def test_dataset_may_be_a_path_texts_or_a_corpus(model: TemporalLoRAModel, corpora: Corpora, kind: str) -> None:
    dataset: Any = {
        "path": corpora["verse"],
        "string path": str(corpora["verse"]),
        "texts": VERSE,
        "corpus": TextCorpus.from_paths([corpora["verse"]]),
    }[kind]
    model.add_adapter("verse")
    result = train_adapter(model, dataset, "verse", epochs=2, **SMALL)
    assert len(result.adapter_loss) == 4 and model.slot_names == ["Eternity", "verse"]


def test_same_seed_same_adapter(model: TemporalLoRAModel) -> None:
    found = []
    for seed in (3, 3, 4):
        twin = copy.deepcopy(model)
        twin.add_adapter("verse", seed=seed)
        train_adapter(twin, VERSE, "verse", seed=seed, **SMALL)
        found.append(snapshot(twin))
    assert same_tensors(found[0], found[1]) and not same_tensors(found[0], found[2])


def test_weights_of_given_text_are_those_of_a_pass_over_it(trained: TemporalLoRAModel) -> None:
    weights = trained.mixer_weights("O gentle night")
    ids = trained.tokenizer("O gentle night", return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        torch.testing.assert_close(weights, trained(ids).weights_BTS[0])
    assert weights.shape == (14, 3)
    assert not weights.is_inference()


def test_generation_repeats_by_seed_and_takes_a_blend(trained: TemporalLoRAModel) -> None:
    one = generate_with_mixer(trained, trained.tokenizer, "O", 8, seed=1)
    same = generate_with_mixer(trained, trained.tokenizer, "O", 8, seed=1)
    assert one[0] == same[0] and torch.equal(one[1], same[1])
    _, alone = generate_with_mixer(trained, trained.tokenizer, "O", 8, blend=2)
    assert torch.equal(alone, torch.tensor([[0.0, 0.0, 1.0]]).expand_as(alone))
    text, weights = generate_with_mixer(trained, trained.tokenizer, "O", 8, temperature=0, repetition_penalty=2)
    assert text.startswith("O") and len(weights) <= 9


def test_generation_without_a_single_token_has_weights_of_its_shape(trained: TemporalLoRAModel) -> None:
    trained.backbone.generation_config.eos_token_id = list(range(257))
    text, weights = generate_with_mixer(trained, trained.tokenizer, "")
    assert text == "" and weights.shape == (0, 3)


def test_saved_model_loads_with_the_same_weights_facts_and_text(
    trained: TemporalLoRAModel, tiny_model_folder: Path, tiny_tokenizer: Any, tmp_path: Path
) -> None:
    trained.save(tmp_path / "p")
    backbone = AutoModelForCausalLM.from_pretrained(tiny_model_folder)
    again = TemporalLoRAModel.load(tmp_path / "p", backbone, tiny_tokenizer)
    assert again.results == trained.results and again.slot_names == trained.slot_names
    assert same_tensors(snapshot(again.mixer), snapshot(trained.mixer))
    for name in ("verse", "code"):
        assert same_tensors(again.adapter_parameters(name), trained.adapter_parameters(name))
    again.add_adapter("tale")
    assert any(train_adapter(again, VERSE, "tale", **SMALL).mixer_distill_loss)


def test_saved_model_opens_in_the_window_too(tiny_model_folder: Path, tmp_path: Path) -> None:
    model = TemporalLoRAModel(tiny_model_folder)
    model.add_adapter("Renaissance Era")
    train_adapter(model, VERSE, "Renaissance Era", **SMALL)
    model.save(tmp_path / "p")
    again = TemporalLoRAModel.load(tmp_path / "p")
    assert generate_with_mixer(again, again.tokenizer, "O")[0] == generate_with_mixer(model, model.tokenizer, "O")[0]
    session = Session()
    list(session.run(jobs.OpenProject(str(tmp_path / "p"))))
    (epoch,) = session.info().epochs
    assert (epoch.name, epoch.state) == ("Renaissance Era", "frozen")


def test_loaded_backbone_from_a_folder_leaves_no_path_in_adapter_folders(
    tiny_model_folder: Path, tiny_tokenizer: Any, tmp_path: Path
) -> None:
    loaded = AutoModelForCausalLM.from_pretrained(tiny_model_folder)
    model = TemporalLoRAModel(loaded, tokenizer=tiny_tokenizer)
    model.add_adapter("verse")
    train_adapter(model, VERSE, "verse", **SMALL)
    model.save(tmp_path / "p")
    (path,) = (tmp_path / "p").rglob("adapter_config.json")
    assert json.loads(path.read_text())["base_model_name_or_path"] == "tiny-llama"
    assert TemporalLoRAModel.load(tmp_path / "p").slot_names == ["Eternity", "verse"]


def test_another_backbone_is_refused_on_loading(
    trained: TemporalLoRAModel, tiny_model_folder: Path, tiny_tokenizer: Any, tmp_path: Path
) -> None:
    trained.save(tmp_path / "p")
    other = AutoModelForCausalLM.from_pretrained(tiny_model_folder)
    with torch.no_grad():
        next(other.parameters()).mul_(1.5)
    with pytest.raises(TloraError, match="backbone is not the one"):
        TemporalLoRAModel.load(tmp_path / "p", other, tiny_tokenizer)


def test_damaged_epoch_is_refused_on_loading(tiny_model_folder: Path, tmp_path: Path) -> None:
    model = TemporalLoRAModel(tiny_model_folder)
    model.add_adapter("verse")
    train_adapter(model, VERSE, "verse", **SMALL)
    model.save(tmp_path / "p")
    with pytest.raises(TloraError, match="is not empty"):
        model.save(tmp_path / "p")
    (tmp_path / "p" / "epochs" / "01-verse" / "adapter_model.safetensors").unlink()
    with pytest.raises(TloraError, match="verse is damaged"):
        TemporalLoRAModel.load(tmp_path / "p")


def test_wrong_orders_say_what_is_wrong(model: TemporalLoRAModel, tmp_path: Path) -> None:
    model.add_adapter("verse")
    with pytest.raises(TloraError, match="too little text"):
        train_adapter(model, ["few words"], "verse", **SMALL)
    with pytest.raises(TloraError, match="does not exist"):
        train_adapter(model, tmp_path / "gone", "verse", **SMALL)
    with pytest.raises(TloraError, match="are too long"):
        train_adapter(model, VERSE, "verse", block_size=512)
    with pytest.raises(KeyError):
        train_adapter(model, VERSE, "unknown", **SMALL)
    with pytest.raises(ValueError, match="num_passes"):
        train_adapter(model, VERSE, "verse", epochs=0)
    train_adapter(model, VERSE, "verse", **SMALL)
    with pytest.raises(ValueError, match="frozen"):
        train_adapter(model, VERSE, "verse", **SMALL)
    assert model.slot_names == ["Eternity", "verse"]


def test_loaded_model_that_reads_both_ways_is_refused(tiny_model_folder: Path) -> None:
    bert = BertLMHeadModel(
        BertConfig(vocab_size=257, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    )
    with pytest.raises(TloraError, match="is not a causal language model"):
        TemporalLoRAModel(bert, tokenizer=AutoTokenizer.from_pretrained(tiny_model_folder))


def test_dreams_of_a_backbone_are_cached_once_whatever_its_adapters(
    trained: TemporalLoRAModel, own_cache: Path
) -> None:
    for name in ("tale", "news"):
        trained.memories.pop("")
        trained.add_adapter(name)
        train_adapter(trained, VERSE, name, **SMALL)
    assert len(list((own_cache / "dreams").iterdir())) == 1


@pytest.mark.parametrize("other", [None, 5, b"starter", ["starter"], torch.nn.Linear(2, 2)])
def test_what_is_no_backbone_is_refused_by_its_type(other: Any) -> None:
    with pytest.raises(TloraError, match=f"A {type(other).__name__} is no backbone"):
        TemporalLoRAModel(other)


def test_peft_model_is_refused_by_name(tiny_model_folder: Path, tiny_tokenizer: Any) -> None:
    wrapped: Any = get_peft_model(AutoModelForCausalLM.from_pretrained(tiny_model_folder), LoraConfig(r=2))
    with pytest.raises(TloraError, match="A PeftModel is no backbone"):
        TemporalLoRAModel(wrapped, tokenizer=tiny_tokenizer)


def test_loaded_model_without_its_tokenizer_is_refused(tiny_model_folder: Path) -> None:
    with pytest.raises(TloraError, match="needs its tokenizer"):
        TemporalLoRAModel(AutoModelForCausalLM.from_pretrained(tiny_model_folder))


def test_loaded_model_is_refused_with_what_is_no_tokenizer(tiny_model_folder: Path) -> None:
    name: Any = "tiny"
    with pytest.raises(TloraError, match="A str is no tokenizer"):
        TemporalLoRAModel(AutoModelForCausalLM.from_pretrained(tiny_model_folder), tokenizer=name)


def test_loaded_model_without_a_head_is_refused(tiny_model_folder: Path, tiny_tokenizer: Any) -> None:
    body = AutoModelForCausalLM.from_pretrained(tiny_model_folder).model
    with pytest.raises(TloraError, match="is not a causal language model"):
        TemporalLoRAModel(body, tokenizer=tiny_tokenizer)


@pytest.mark.parametrize("prompt", [None, b"text", ["text"], 5])
def test_what_is_no_text_is_not_continued(model: TemporalLoRAModel, prompt: Any) -> None:
    with pytest.raises(TloraError, match=f"A {type(prompt).__name__} is no text"):
        generate_with_mixer(model, model.tokenizer, prompt, 2)


@pytest.mark.parametrize("blend", ["verse", "", None, 0.5])
def test_what_is_no_blend_is_not_taken_for_the_mixer(model: TemporalLoRAModel, blend: Any) -> None:
    with pytest.raises(ValueError, match="there is no blend"):
        generate_with_mixer(model, model.tokenizer, "O night", 2, blend=blend)


def test_weights_of_odd_texts(model: TemporalLoRAModel) -> None:
    assert model.mixer_weights("").shape == (0, 1)
    assert torch.equal(model.mixer_weights("a\ud83db"), model.mixer_weights("a?b"))
    odd: Any = b"text"
    with pytest.raises(TloraError, match="A bytes is no text"):
        model.mixer_weights(odd)


def test_nothing_is_written_of_a_model_that_cannot_be_saved_whole(trained: TemporalLoRAModel, tmp_path: Path) -> None:
    trained.save_adapter("verse", tmp_path / "verse")
    trained.load_adapter("again", tmp_path / "verse")
    with pytest.raises(TloraError, match="'again' was not trained with train_adapter"):
        trained.save(tmp_path / "p")
    trained.remove_adapter("again")
    trained.reference, reference = "", trained.reference
    with pytest.raises(TloraError, match="no name or folder"):
        trained.save(tmp_path / "p")
    assert not (tmp_path / "p").exists()
    trained.reference = reference
    trained.save(tmp_path / "p")


def test_a_folder_that_another_session_is_about_to_fill_is_left_to_it(
    trained: TemporalLoRAModel, tmp_path: Path
) -> None:
    place = tmp_path / "p"
    place.mkdir()
    lock = lock_project(place)
    assert lock is not None
    with pytest.raises(TloraError, match="open in another window"):
        trained.save(place)
    assert not (place / "project.json").exists()
    lock.release()
    trained.save(place)
    list(Session().run(jobs.OpenProject(str(place))))


def test_a_failed_save_leaves_nothing_and_can_be_tried_again(
    trained: TemporalLoRAModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Project, "_add_mixer", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(TloraError, match="cannot be written"):
            trained.save(tmp_path / "new" / "p")
    assert list(tmp_path.iterdir()) == []
    trained.save(tmp_path / "new" / "p")


def test_reference_of_a_loaded_model_is_absolute(
    tiny_model_folder: Path, tiny_tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny_model_folder.parent)
    loaded = AutoModelForCausalLM.from_pretrained("./tiny-llama")
    assert TemporalLoRAModel(loaded, tokenizer=tiny_tokenizer).reference == str(tiny_model_folder)


@pytest.mark.parametrize(
    ("name", "era"), [("x", None), ("x", 5), ("x", "e" * 5000), (" ", ""), ("y" * 250, "")], ids=repr
)
def test_what_could_not_be_saved_is_refused_before_it_is_trained(model: TemporalLoRAModel, name: str, era: Any) -> None:
    with pytest.raises(ValueError, match=r"era|name"):
        model.add_adapter(name, era)
    assert name not in model.adapters


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_a_model_in_another_precision_mixes_and_is_saved_only_if_it_can_be_opened(
    trained: TemporalLoRAModel, tmp_path: Path, dtype: torch.dtype
) -> None:
    before = trained.mixer_weights("O gentle night")
    trained.to(dtype)
    torch.testing.assert_close(trained.mixer_weights("O gentle night"), before, atol=0.1, rtol=0)
    generate_with_mixer(trained, trained.tokenizer, "O gentle", max_new_tokens=2)
    try:
        trained.save(tmp_path / "project")
    except TloraError as error:
        assert "no longer those" in error.message and not (tmp_path / "project").exists()
    else:
        assert TemporalLoRAModel.load(tmp_path / "project").slot_names == trained.slot_names
