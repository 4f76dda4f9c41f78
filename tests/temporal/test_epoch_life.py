"""An epoch's life: begun, trained, frozen for good, saved, loaded, removed; and what all of it leaves untouched."""

from __future__ import annotations

import json
import random
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from mixtures import (
    EPOCHS,
    add_epoch,
    assert_near,
    assert_same_bits,
    mixture,
    plain_logits,
    snapshot,
    stir,
    token_ids,
    train_a_little,
)
from peft import LoraConfig, PeftModel, get_peft_model
from plain_peft import plain_peft
from safetensors.torch import load_file, save_file
from torch import Tensor

from tlora_gui.engine.projects.adapter_folder import read_adapter, write_adapter
from tlora_gui.temporal.config import LoraSettings, MixerSettings
from tlora_gui.temporal.model import BACKBONE_SLOT, TemporalLoRA
from tlora_gui.temporal.time_mixer import TimeMixer


@torch.no_grad()
def weights(model: TemporalLoRA, ids_BT: Tensor) -> Tensor:
    return model(ids_BT, "mixer").weights_BTS


@torch.no_grad()
def mixer_shares(model: TemporalLoRA, ids_BT: Tensor) -> Tensor:
    """The softmax of the mixer's logits, before the smallest shares fall silent."""
    return model.mixer(model.features(ids_BT))[0].softmax(-1)


@torch.no_grad()
def logits(model: TemporalLoRA, ids_BT: Tensor, blend: Any = "mixer") -> Tensor:
    return model(ids_BT, blend).logits_BTV


def save(model: TemporalLoRA, name: str, folder: Path) -> Path:
    """Write one adapter to a folder of its name."""
    write_adapter(model, name, folder / name, "owner/some-model")
    return folder / name


def load(model: TemporalLoRA, name: str, folder: Path, era: str = "") -> None:
    """Take in an adapter from a folder."""
    model.add_adapter(name, era, trained=read_adapter(model, folder))


# -- frozen for good --------------------------------------------------------------------------------------------


def test_later_training_leaves_backbone_and_finished_adapters_bit_identical(tiny_backbone: Any, bare: Any) -> None:
    model = mixture(tiny_backbone, EPOCHS[:2])
    backbone = snapshot(dict(model.backbone.named_parameters()))
    finished = {name: snapshot(model.adapter_parameters(name)) for name in EPOCHS[:2]}
    original = dict(bare.named_parameters())
    model.add_adapter("tale")
    model.begin_epoch("tale")
    live = snapshot(model.adapter_parameters("tale"))
    train_a_little(model)
    model.finish_epoch("tale")
    assert_same_bits(dict(model.backbone.named_parameters()), backbone)
    assert all(torch.equal(original[name], value) for name, value in backbone.items())
    assert original.keys() == backbone.keys(), "parameters are named as in the backbone by itself"
    for name, before in finished.items():
        assert_same_bits(model.adapter_parameters(name), before)
    assert all(not torch.equal(p, live[full]) for full, p in model.adapter_parameters("tale").items())


def test_a_finished_epoch_alone_says_the_same_after_later_training(tiny_backbone: Any) -> None:
    model = mixture(tiny_backbone, EPOCHS[:2])
    ids_BT = token_ids()
    before = {slot: logits(model, ids_BT, slot) for slot in (0, 1, 2)}
    add_epoch(model, "tale", finish=False)
    train_a_little(model)
    model.finish_epoch("tale")
    for slot, logits_BTV in before.items():
        assert torch.equal(logits(model, ids_BT, slot), logits_BTV)


def test_a_frozen_epoch_cannot_be_trained_again(tiny_backbone: Any) -> None:
    model = mixture(tiny_backbone)
    with pytest.raises(ValueError, match="trained and frozen"):
        model.begin_epoch("verse")
    assert model.mixer.slots == 4


def test_two_epochs_cannot_train_at_once(tiny_backbone: Any) -> None:
    model = mixture(tiny_backbone, ("verse",), live="code")
    model.add_adapter("tale")
    with pytest.raises(ValueError, match="another epoch is in training"):
        model.begin_epoch("tale")
    assert model.slot_names == [BACKBONE_SLOT, "verse", "code"]


def test_an_untrained_adapter_has_no_slot_and_changes_nothing(tiny_backbone: Any, bare: Any) -> None:
    model = TemporalLoRA(tiny_backbone)
    model.add_adapter("verse")
    model.add_adapter("code")
    assert model.slot_names == [BACKBONE_SLOT]
    assert torch.equal(logits(model, token_ids()), plain_logits(bare, token_ids()))
    assert {p for p in model.parameters() if p.requires_grad} == set(model.mixer.parameters())


def test_a_newborn_epoch_leaves_the_mixture_as_it_was(tiny_backbone: Any) -> None:
    model = mixture(tiny_backbone, EPOCHS[:2])
    ids_BT = token_ids()
    before_BTS, before_BTV = weights(model, ids_BT), logits(model, ids_BT)
    model.add_adapter("tale")
    model.begin_epoch("tale")
    after_BTS = weights(model, ids_BT)
    assert (after_BTS[..., :3] - before_BTS).abs().max() < 0.01
    assert (logits(model, ids_BT) - before_BTV).abs().max() < 0.05 * before_BTV.abs().max()


def test_the_mixer_is_never_reset(tiny_backbone: Any) -> None:
    model = mixture(tiny_backbone, EPOCHS[:2])
    head, body = model.mixer.head.weight.detach().clone(), snapshot(dict(model.mixer.body.named_parameters()))
    model.add_adapter("tale")
    model.begin_epoch("tale")
    model.finish_epoch("tale")
    assert torch.equal(model.mixer.head.weight[:3], head)
    model.remove_adapter("verse")
    assert torch.equal(model.mixer.head.weight[:2], head[[0, 2]])
    assert_same_bits(dict(model.mixer.body.named_parameters()), body)


def test_another_mixer_over_the_same_slots_can_decide(tiny_backbone: Any) -> None:
    model = mixture(tiny_backbone, EPOCHS[:2])
    other = TimeMixer(model.mixer.hidden_size, MixerSettings(), 3)
    stir(other, seed=5)
    with torch.no_grad():
        expected_BTS = other.weights(other(model.features(token_ids()))[0])
        assert_near(model(token_ids(), other).weights_BTS, expected_BTS)
    assert (expected_BTS - weights(model, token_ids())).abs().max() > 0.01


def test_another_mixer_must_have_the_models_slots(tiny_backbone: Any) -> None:
    model = mixture(tiny_backbone, EPOCHS[:2])
    with pytest.raises(ValueError, match="2 slots, but the model has 3"):
        model(token_ids(), TimeMixer(model.mixer.hidden_size, MixerSettings(), 2))


# -- initial weights --------------------------------------------------------------------------------------------


def test_the_seed_alone_decides_the_initial_weights(tiny_backbone: Any) -> None:
    model = TemporalLoRA(tiny_backbone)
    torch.manual_seed(1)
    model.add_adapter("verse", seed=5)
    state = torch.get_rng_state()
    torch.manual_seed(2)
    model.add_adapter("code", seed=5)
    model.add_adapter("tale", seed=6)
    verse, code, tale = (list(snapshot(model.adapter_parameters(name)).values()) for name in EPOCHS)
    assert all(torch.equal(one, other) for one, other in zip(verse, code, strict=True))
    assert not all(torch.equal(one, other) for one, other in zip(verse, tale, strict=True))
    torch.manual_seed(1)
    assert torch.equal(torch.get_rng_state(), state), "torch's global generator is left as it was"


# -- names ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["verse", BACKBONE_SLOT])
def test_a_taken_name_is_refused(tiny_backbone: Any, name: str) -> None:
    model = mixture(tiny_backbone)
    with pytest.raises(ValueError, match="already an epoch"):
        model.add_adapter(name)


def test_an_empty_name_is_refused_without_a_trace(tiny_backbone: Any) -> None:
    model = mixture(tiny_backbone, ("verse",))
    names = {full for full, _ in model.named_parameters()}
    with pytest.raises(ValueError, match="empty"):
        model.add_adapter("")
    assert {full for full, _ in model.named_parameters()} == names
    assert list(model.adapters) == ["verse"]


def test_a_name_that_is_no_string_is_refused(tiny_backbone: Any) -> None:
    with pytest.raises(ValueError, match="a string, not 5"):
        mixture(tiny_backbone).add_adapter(cast(str, 5))


def test_names_keep_their_tensors_apart_whatever_the_model_calls_its_parts(tiny_backbone: Any, tmp_path: Path) -> None:
    names = ("verse", "1984", "verses", "ver", "code-2", "Ποίηση", "lora_x", "0", "mlp", "weight", "default", "pop")
    model = mixture(tiny_backbone, names)
    parameters = [set(model.adapter_parameters(name)) for name in names]
    size = len(parameters[0])
    assert len(set.union(*parameters)) == len(names) * size > 0
    for name in names:
        stored = load_file(save(model, name, tmp_path) / "adapter_model.safetensors")
        own = {full.replace(f".{name}.weight", ".weight"): p for full, p in model.adapter_parameters(name).items()}
        assert len(stored) == size
        for full, parameter in own.items():
            assert torch.equal(stored[f"base_model.model.{full}"], parameter)


# -- plain PEFT folders -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["verse", "tale"])
def test_a_saved_epoch_opens_with_plain_peft_and_gives_the_same_logits(
    tiny_backbone: Any, bare: Any, tmp_path: Path, name: str
) -> None:
    model = mixture(tiny_backbone)
    ids_BT = token_ids()
    folder = save(model, name, tmp_path)
    opened = PeftModel.from_pretrained(bare, str(folder)).eval()
    with torch.no_grad():
        assert_near(opened(input_ids=ids_BT).logits, logits(model, ids_BT, model.slot_names.index(name)))


def test_a_folder_names_its_backbone(tiny_backbone: Any, tmp_path: Path) -> None:
    model = TemporalLoRA(tiny_backbone)
    model.add_adapter("verse")
    stored = json.loads((save(model, "verse", tmp_path) / "adapter_config.json").read_text())
    assert stored["base_model_name_or_path"] == "owner/some-model"
    assert stored["peft_type"] == "LORA"


def test_loaded_epochs_and_mixer_speak_as_the_saved_ones_did(tiny_backbone: Any, bare: Any, tmp_path: Path) -> None:
    model = mixture(tiny_backbone)
    folders = [save(model, name, tmp_path) for name in EPOCHS]
    other = TemporalLoRA(bare, model.lora)
    mixer = TimeMixer(model.mixer.hidden_size, MixerSettings(), 4)
    mixer.load_state_dict(model.mixer.state_dict())
    for name, folder in zip(EPOCHS, folders, strict=True):
        load(other, name, folder, era="an era")
    other.set_slots(list(EPOCHS), mixer)
    ids_BT = token_ids()
    assert torch.equal(weights(other, ids_BT), weights(model, ids_BT))
    assert torch.equal(logits(other, ids_BT), logits(model, ids_BT))
    assert [adapter.state for adapter in other.adapters.values()] == ["frozen"] * 3
    assert other.adapters["verse"].era == "an era"
    assert {p for p in other.parameters() if p.requires_grad} == set(other.mixer.parameters())


def test_an_adapter_of_another_rank_and_scaling_joins_the_mixture(
    tiny_backbone: Any, bare: Any, tmp_path: Path
) -> None:
    wide = mixture(bare, ("tale",), lora=LoraSettings(r=6, lora_alpha=3.0))
    folder = save(wide, "tale", tmp_path)
    model = mixture(tiny_backbone, EPOCHS[:2])
    load(model, "tale", folder)
    mixer = TimeMixer(model.mixer.hidden_size, MixerSettings(), 4)
    stir(mixer)
    model.set_slots(list(EPOCHS), mixer)
    ids_BT = token_ids()
    one_hot_S = torch.tensor([0.0, 0.0, 0.0, 1.0])
    assert_near(logits(model, ids_BT, 3), logits(wide, ids_BT, 1))
    assert_near(logits(model, ids_BT, one_hot_S), logits(wide, ids_BT, 1))


def test_a_mixer_with_other_slots_than_epochs_is_refused(tiny_backbone: Any) -> None:
    model = mixture(tiny_backbone)
    with pytest.raises(ValueError, match="5 slots for 3 epochs"):
        model.set_slots(list(EPOCHS), TimeMixer(48, MixerSettings(), 5))


# -- folders that do not fit ------------------------------------------------------------------------------------

Damage = Callable[[Path], object]


def change_weights(change: Callable[[dict[str, Tensor]], dict[str, Tensor]]) -> Damage:
    def damage(folder: Path) -> None:
        file = folder / "adapter_model.safetensors"
        save_file(change(load_file(file)), file)

    return damage


def change_config(**fields: Any) -> Damage:
    def damage(folder: Path) -> None:
        file = folder / "adapter_config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | fields))

    return damage


def first_half(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return dict(sorted(weights.items())[: len(weights) // 2])


MISFITS: dict[str, Damage] = {
    "other shapes": change_weights(lambda w: {key: torch.zeros(3, 5) for key in w}),
    "no tensors": change_weights(lambda w: {}),
    "half of the tensors": change_weights(first_half),
    "tensors too many": change_weights(lambda w: w | {"base_model.model.extra.lora_A.weight": torch.zeros(1, 1)}),
    "not safetensors": lambda folder: (folder / "adapter_model.safetensors").write_bytes(b"no"),
    "cut off": lambda folder: (folder / "adapter_model.safetensors").write_bytes(
        (folder / "adapter_model.safetensors").read_bytes()[:-100]
    ),
    "no configuration": lambda folder: (folder / "adapter_config.json").unlink(),
    "not JSON": lambda folder: (folder / "adapter_config.json").write_text("{"),
    "rank 0": change_config(r=0),
    "half a rank": change_config(r=3.5),
    "another rank": change_config(r=3),
    "other layers": change_config(layers_to_transform=[0, 1, 2, 3]),
    "other modules": change_config(target_modules=["c_attn", "q_proj"]),
    "rank-stabilised scaling": change_config(use_rslora=True),
    "scaling per layer": change_config(alpha_pattern={"c_attn|q_proj": 64}),
    "an initialisation that writes to the backbone": change_config(init_lora_weights="pissa"),
    "another method": change_config(peft_type="IA3"),
    "no scaling": lambda folder: drop_from_config(folder, "lora_alpha"),
    "no rank": lambda folder: drop_from_config(folder, "r"),
    "scaling as text": change_config(lora_alpha="16"),
    "scaling true": change_config(lora_alpha=True),
    "scaling beyond numbers": change_config(lora_alpha=10**400),
    "scaling that is no number": change_config(lora_alpha=float("nan")),
    "rank true": change_config(r=True),
    "rank as text": change_config(r="4"),
    "all modules by a word": change_config(target_modules="all-linear"),
    "modules by a regular expression": change_config(target_modules=".*proj"),
    "modules by number": change_config(target_modules=[1, None, "q_proj"]),
    "a list for a configuration": lambda folder: (folder / "adapter_config.json").write_text("[1]"),
    "nested without end": lambda folder: (folder / "adapter_config.json").write_text("[" * 100_000),
    "not text": lambda folder: (folder / "adapter_config.json").write_bytes(b"\xff\xfe\x00"),
    "weights that are no numbers": change_weights(lambda w: {key: torch.full_like(w[key], torch.nan) for key in w}),
    "weights without end": change_weights(lambda w: {key: torch.full_like(w[key], torch.inf) for key in w}),
    "whole numbers": change_weights(lambda w: {key: w[key].long() for key in w}),
    "truths": change_weights(lambda w: {key: w[key].bool() for key in w}),
}


def drop_from_config(folder: Path, field: str) -> None:
    file = folder / "adapter_config.json"
    fields = json.loads(file.read_text())
    del fields[field]
    file.write_text(json.dumps(fields))


ODD = (
    None,
    True,
    False,
    0,
    -1,
    4,
    1e308,
    10**30,
    float("nan"),
    float("inf"),
    "",
    "4",
    "é" * 5000,
    [],
    [None],
    {},
    {"a": [1]},
)


@pytest.mark.parametrize("seed", range(8))
def test_any_configuration_is_taken_or_refused_in_few_words(tiny_backbone: Any, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    model = mixture(tiny_backbone, ("tale",))
    folder = save(model, "tale", tmp_path)
    file = folder / "adapter_config.json"
    good, taken = json.loads(file.read_text()), 0
    for number in range(60):
        fields = good | {chance.choice([*good, "new" * chance.randint(1, 900)]): chance.choice(ODD)}
        text = json.dumps(fields)
        if number % 3 == 2:
            place = chance.randrange(len(text))
            text = text[:place] + chance.choice(["", "0", '"', "[", "}", "null", "\x00"]) + text[place + 1 :]
        file.write_text(text, encoding="utf-8")
        try:
            load(model, f"again {number}", folder)
            taken += 1
        except ValueError as error:
            assert len(str(error)) < 500 + len(str(folder))
    assert len(model.adapters) == 1 + taken


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_another_precision_are_read(tiny_backbone: Any, tmp_path: Path, dtype: torch.dtype) -> None:
    model = mixture(tiny_backbone, ("tale",))
    folder = save(model, "tale", tmp_path)
    change_weights(lambda w: {key: w[key].to(dtype) for key in w})(folder)
    load(model, "again", folder)
    for mine, theirs in zip(*(model.adapter_parameters(name).values() for name in ("again", "tale")), strict=True):
        assert torch.equal(mine, theirs.to(dtype).float())


@pytest.mark.parametrize("damage", MISFITS.values(), ids=MISFITS)
def test_a_misfit_folder_is_refused_and_the_model_stays_usable(
    tiny_backbone: Any, bare: Any, tmp_path: Path, damage: Damage
) -> None:
    refuse_and_go_on(tiny_backbone, bare, tmp_path, damage, EPOCHS[:2])


@pytest.mark.parametrize("misfit", ["other shapes", "half of the tensors", "other layers"])
def test_a_misfit_folder_is_refused_by_a_model_without_adapters(
    tiny_backbone: Any, bare: Any, tmp_path: Path, misfit: str
) -> None:
    refuse_and_go_on(tiny_backbone, bare, tmp_path, MISFITS[misfit], ())


def refuse_and_go_on(backbone: Any, bare: Any, tmp_path: Path, damage: Damage, names: tuple[str, ...]) -> None:
    good = save(mixture(bare, ("tale",)), "tale", tmp_path)
    bad = shutil.copytree(good, tmp_path / "bad")
    damage(bad)
    model = mixture(backbone, names)
    ids_BT = token_ids()
    parameters, before_BTV = snapshot(dict(model.backbone.named_parameters())), logits(model, ids_BT)
    with warnings.catch_warnings(), pytest.raises(ValueError):
        warnings.simplefilter("ignore")  # PEFT speaks of fields it does not know
        load(model, "tale", bad)
    assert "tale" not in model.adapters
    assert_same_bits(dict(model.backbone.named_parameters()), parameters)
    assert torch.equal(logits(model, ids_BT), before_BTV)
    load(model, "tale", good)
    add_epoch(model, "later")
    assert load_file(save(model, "later", tmp_path) / "adapter_model.safetensors").keys() == tensor_names(good)
    train_last = logits(model, ids_BT, model.slot_names.index("later"))
    assert (train_last - before_BTV).abs().max() > 0.01


def tensor_names(folder: Path) -> set[str]:
    return set(load_file(folder / "adapter_model.safetensors"))


def test_missing_weights_are_an_os_error(tiny_backbone: Any, bare: Any, tmp_path: Path) -> None:
    folder = save(mixture(bare, ("tale",)), "tale", tmp_path)
    (folder / "adapter_model.safetensors").unlink()
    model = mixture(tiny_backbone, EPOCHS[:2])
    with pytest.raises(OSError):
        load(model, "tale", folder)
    assert list(model.adapters) == list(EPOCHS[:2])


def test_pickled_weights_are_not_read(tiny_backbone: Any, bare: Any, tmp_path: Path) -> None:
    folder = save(mixture(bare, ("tale",)), "tale", tmp_path)
    stored = load_file(folder / "adapter_model.safetensors")
    (folder / "adapter_model.safetensors").unlink()
    torch.save(stored, folder / "adapter_model.bin")
    with pytest.raises(OSError):
        load(mixture(tiny_backbone, ()), "tale", folder)


def test_a_taken_name_cannot_be_loaded_over(tiny_backbone: Any, bare: Any, tmp_path: Path) -> None:
    folder = save(mixture(bare, ("tale",)), "tale", tmp_path)
    model = mixture(tiny_backbone)
    before = snapshot(model.adapter_parameters("verse"))
    with pytest.raises(ValueError, match="already an epoch"):
        load(model, "verse", folder)
    assert_same_bits(model.adapter_parameters("verse"), before)


def test_an_adapter_trained_by_peft_alone_can_be_loaded(tiny_backbone: Any, bare: Any, tmp_path: Path) -> None:
    model = TemporalLoRA(tiny_backbone, LoraSettings(r=4))
    model.add_adapter("verse")
    ours = json.loads((save(model, "verse", tmp_path) / "adapter_config.json").read_text())
    config = LoraConfig(
        r=4,
        lora_alpha=16,
        lora_dropout=0.1,
        target_modules=ours["target_modules"],
        layers_to_transform=[1, 2, 3],
        layers_pattern=ours["layers_pattern"],
        fan_in_fan_out=ours["fan_in_fan_out"],
        init_lora_weights=True,
    )
    plain = get_peft_model(bare, config).eval()
    for parameter in plain.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.05)
    plain.save_pretrained(str(tmp_path / "plain"), save_embedding_layers=False)
    load(model, "tale", tmp_path / "plain")
    mixer = TimeMixer(48, MixerSettings(), 2)
    model.set_slots(["tale"], mixer)
    with torch.no_grad():
        assert_near(logits(model, token_ids(), 1), plain(input_ids=token_ids()).logits)


# -- removing ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EPOCHS)
def test_removing_an_epoch_renormalises_and_leaves_the_others_as_they_were(tiny_backbone: Any, name: str) -> None:
    model = mixture(tiny_backbone, mixer=MixerSettings(switching="mean"))
    ids_BT = token_ids()
    before_BTS = mixer_shares(model, ids_BT)
    alone = {each: logits(model, ids_BT, slot) for slot, each in enumerate(EPOCHS, 1)}
    index = 1 + EPOCHS.index(name)
    model.remove_adapter(name)
    rest_BTS = before_BTS[..., [slot for slot in range(4) if slot != index]]
    assert_near(mixer_shares(model, ids_BT), rest_BTS / rest_BTS.sum(-1, keepdim=True))
    assert_near(weights(model, ids_BT), model.mixer.weights(rest_BTS.log()))
    held = sum(len(model.adapter_parameters(each)) for each in model.adapters)
    assert sum(1 for full, _ in model.named_parameters() if full.startswith("_weights.")) == held
    for slot, each in enumerate(model.slot_adapters, 1):
        assert_near(logits(model, ids_BT, slot), alone[each])
    assert {p for p in model.parameters() if p.requires_grad} == set(model.mixer.parameters())


def test_an_epoch_can_be_removed_and_added_again(tiny_backbone: Any) -> None:
    model = mixture(tiny_backbone)
    ids_BT = token_ids()
    model.remove_adapter("code")
    add_epoch(model, "code", seed=2)
    assert model.slot_names == [BACKBONE_SLOT, "verse", "tale", "code"]
    fresh = [logits(model, ids_BT, slot) for slot in (1, 2, 3)]
    with plain_peft(model, "code") as plain, torch.no_grad():
        assert_near(fresh[2], plain(input_ids=ids_BT).logits)
    assert model.adapters["code"].state == "frozen"


def test_an_epoch_in_training_goes_on_when_another_is_removed(tiny_backbone: Any) -> None:
    model = mixture(tiny_backbone, EPOCHS[:2], live="tale")
    model.remove_adapter("verse")
    live = set(model.adapter_parameters("tale").values())
    assert {p for p in model.parameters() if p.requires_grad} == live | set(model.mixer.parameters())
    before = snapshot(model.adapter_parameters("tale"))
    train_a_little(model, steps=1)
    assert all(not torch.equal(p, before[full]) for full, p in model.adapter_parameters("tale").items())


def test_an_epoch_in_training_can_be_removed(tiny_backbone: Any) -> None:
    model = mixture(tiny_backbone, EPOCHS[:2])
    ids_BT = token_ids()
    before_BTS, before_BTV = weights(model, ids_BT), logits(model, ids_BT)
    add_epoch(model, "tale", finish=False)
    model.remove_adapter("tale")
    assert_near(weights(model, ids_BT), before_BTS)
    assert_near(logits(model, ids_BT), before_BTV)
    model.add_adapter("tale")
    model.begin_epoch("tale")


@pytest.mark.parametrize("count", [1, 2, 3])
def test_after_the_last_epoch_is_removed_the_bare_backbone_speaks_and_a_new_life_begins(
    tiny_backbone: Any, bare: Any, tmp_path: Path, count: int
) -> None:
    model = mixture(tiny_backbone, EPOCHS[:count])
    ids_BT = token_ids()
    for name in EPOCHS[:count]:
        model.remove_adapter(name)
    assert torch.equal(logits(model, ids_BT), plain_logits(bare, ids_BT))
    assert model.slot_names == [BACKBONE_SLOT]
    model.add_adapter("again")
    model.begin_epoch("again")
    train_a_little(model)
    live_BTV = logits(model, ids_BT)
    model.finish_epoch("again")
    assert_near(logits(model, ids_BT), live_BTV)
    opened = PeftModel.from_pretrained(bare, str(save(model, "again", tmp_path))).eval()
    with torch.no_grad():
        assert_near(opened(input_ids=ids_BT).logits, logits(model, ids_BT, 1))


def test_removing_an_untrained_adapter_touches_no_slot(tiny_backbone: Any) -> None:
    model = mixture(tiny_backbone)
    before_BTS = weights(model, token_ids())
    model.add_adapter("later")
    model.remove_adapter("later")
    assert torch.equal(weights(model, token_ids()), before_BTS)
