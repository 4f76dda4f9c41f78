"""Dreams: what the frozen backbone and its epochs sample by themselves, the same every time; the memory of slot 0."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_helpers import drain
from plain_peft import plain_peft
from safetensors.torch import load_file, save_file
from torch.nn.functional import layer_norm

from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.errors import Cancelled, TloraError
from tlora_gui.engine.protocol.events import Progress
from tlora_gui.engine.training import dreams
from tlora_gui.engine.training.dreams import collect_dream_memory, dream, dream_ids, dream_memory, router_features
from tlora_gui.temporal.config import MEMORY_WINDOW
from tlora_gui.temporal.model import TemporalLoRA


def dreamed(model: TemporalLoRA, cache: Path | None = None) -> torch.Tensor:
    return drain(dream_ids(model, cache, CancelToken()))[1]


def test_dreams_are_the_same_every_time_and_untouched_by_torchs_generator(tiny_backbone: Any) -> None:
    model = TemporalLoRA(tiny_backbone)
    torch.manual_seed(1)
    one = dreamed(model)
    torch.manual_seed(2)
    assert torch.equal(dreamed(model), one)
    assert one.shape == (12, 32)
    assert len({tuple(row) for row in one.tolist()}) == 12


def test_dreams_are_the_backbones_own_whatever_epochs_there_are(tiny_backbone: Any) -> None:
    model = TemporalLoRA(tiny_backbone)
    before = dreamed(model)
    model.add_adapter("verse")
    model.begin_epoch("verse")
    with torch.no_grad():
        for parameter in model.adapter_parameters("verse").values():
            parameter.fill_(0.1)
    assert torch.equal(dreamed(model), before)


def test_the_backbones_dreams_begin_with_any_token_and_are_sampled_from_cool_to_hot(tiny_backbone: Any) -> None:
    head = tiny_backbone.get_output_embeddings()
    with torch.no_grad():
        head.weight.zero_()
    model = TemporalLoRA(tiny_backbone)
    bias_V = torch.zeros(257)
    bias_V[7] = 7.0  # p = e⁷ / (e⁷ + 256) = 0.81 at temperature 1, 0.29 at 1.5
    hook = head.register_forward_hook(lambda module, args, output: output + bias_V)
    ids_NT = drain(dream(model, 0, 400, seed=0))[1]
    hook.remove()
    assert (ids_NT[:, 0] == 7).float().mean() < 0.05 and len(ids_NT[:, 0].unique()) > 150
    shares = [float((ids_NT[row::8, 1:] == 7).float().mean()) for row in range(8)]
    assert shares[0] == pytest.approx(0.81, abs=0.03) and shares[-1] == pytest.approx(0.29, abs=0.03)
    assert shares[0] > shares[3] > shares[-1]


def test_cached_dreams_are_read_and_not_dreamed_again(tiny_backbone: Any, tmp_path: Path) -> None:
    model, cache = TemporalLoRA(tiny_backbone), tmp_path / "dreams" / "a.safetensors"
    one = dreamed(model, cache)
    assert [path.name for path in cache.parent.iterdir()] == ["a.safetensors"]
    told = list(dream_ids(model, cache, CancelToken()))
    assert told == []
    assert torch.equal(dreamed(model, cache), one)


def test_how_far_the_memory_of_dreams_is_is_told_from_the_start(tiny_backbone: Any) -> None:
    model = TemporalLoRA(tiny_backbone)
    told = list(collect_dream_memory(model, dreamed(model)))
    label = "Remembering the dreams for later sleep"
    assert told == [Progress(label, done, 12, "blocks") for done in (0, 8)]


@pytest.mark.parametrize("damage", [b"", b"nonsense" * 9])
def test_damaged_cache_is_dreamed_again(tiny_backbone: Any, tmp_path: Path, damage: bytes) -> None:
    model, cache = TemporalLoRA(tiny_backbone), tmp_path / "a.safetensors"
    one = dreamed(model, cache)
    cache.write_bytes(damage)
    assert torch.equal(dreamed(model, cache), one)
    assert list(dream_ids(model, cache, CancelToken())) == []


@pytest.mark.parametrize("other", [1, 11, 48])
def test_cache_of_another_number_of_dreams_is_dreamed_again(tiny_backbone: Any, tmp_path: Path, other: int) -> None:
    model, cache = TemporalLoRA(tiny_backbone), tmp_path / "a.safetensors"
    save_file({"ids": torch.zeros(other, 32, dtype=torch.long)}, cache)
    one = dreamed(model, cache)
    assert torch.equal(one, dreamed(model)) and torch.equal(load_file(cache)["ids"], one)


@pytest.mark.parametrize(
    "ids_NT",
    [
        torch.zeros(12, 31, dtype=torch.long),
        torch.zeros(12, 32, 1, dtype=torch.long),
        torch.zeros(12, 32),
        torch.full((12, 32), 257),
        torch.full((12, 32), -1),
    ],
    ids=["shorter", "of another shape", "no whole numbers", "beyond the vocabulary", "negative"],
)
def test_cache_of_what_this_backbone_cannot_have_dreamed_is_dreamed_again(
    tiny_backbone: Any, tmp_path: Path, ids_NT: torch.Tensor
) -> None:
    model, cache = TemporalLoRA(tiny_backbone), tmp_path / "a.safetensors"
    save_file({"ids": ids_NT}, cache)
    assert torch.equal(dreamed(model, cache), dreamed(model))
    assert list(dream_ids(model, cache, CancelToken())) == []


def test_two_processes_that_dream_at_once_share_no_file(
    tiny_backbone: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, cache, written = TemporalLoRA(tiny_backbone), tmp_path / "a.safetensors", []

    def save(tensors: dict[str, torch.Tensor], path: Path) -> None:
        written.append(path)
        save_file(tensors, path)

    monkeypatch.setattr(dreams, "save_tensors", save)
    for _ in range(2):
        dreamed(model, cache)
        cache.unlink()
    assert len(set(written)) == 2 and list(tmp_path.iterdir()) == []


def test_dreams_that_cannot_be_cached_are_dreamed_all_the_same(tiny_backbone: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    model = TemporalLoRA(tiny_backbone)
    assert torch.equal(dreamed(model, tmp_path / "file" / "a.safetensors"), dreamed(model))
    (tmp_path / "folder").mkdir()
    assert torch.equal(dreamed(model, tmp_path / "folder"), dreamed(model))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_a_backbone_that_computes_no_numbers_is_told_in_words(tiny_backbone: Any) -> None:
    with torch.no_grad():
        tiny_backbone.get_output_embeddings().weight[3] = float("nan")
    with pytest.raises(TloraError, match="The backbone computes no numbers"):
        dreamed(TemporalLoRA(tiny_backbone))


def test_cancelled_dreams_leave_no_cache(tiny_backbone: Any, tmp_path: Path) -> None:
    cancel = CancelToken()
    stream = dream_ids(TemporalLoRA(tiny_backbone), tmp_path / "a.safetensors", cancel)
    assert isinstance(next(stream), Progress)
    cancel.cancel("keep")
    with pytest.raises(Cancelled):
        next(stream)
    assert list(tmp_path.iterdir()) == []


def test_dreams_fit_a_short_context(tiny_backbone: Any) -> None:
    tiny_backbone.config.max_position_embeddings = 20
    assert dreamed(TemporalLoRA(tiny_backbone)).shape == (12, 19)


@pytest.mark.parametrize("marks", [{"bos_token_id": None}, {"bos_token_id": None, "eos_token_id": [256, 5]}], ids=str)
def test_dreams_begin_at_the_end_mark_where_there_is_no_other(tiny_backbone: Any, marks: dict[str, Any]) -> None:
    expected = dreamed(TemporalLoRA(copy.deepcopy(tiny_backbone)))
    tiny_backbone.config.update(marks)
    assert torch.equal(dreamed(TemporalLoRA(tiny_backbone)), expected)


def test_every_epoch_dreams_its_own_text_by_its_seed(mixture: TemporalLoRA) -> None:
    told = [drain(dream(mixture, slot, 4, seed))[1] for slot, seed in ((0, 1), (1, 1), (2, 1), (2, 2))]
    assert {tuple(ids_NT.shape) for ids_NT in told} == {(4, 32)}
    assert len({tuple(ids_NT.flatten().tolist()) for ids_NT in told}) == 4
    torch.manual_seed(5)
    assert torch.equal(drain(dream(mixture, 2, 4, 1))[1], told[2])


def test_an_epochs_dreams_are_drawn_from_the_epoch_alone(mixture: TemporalLoRA) -> None:
    """Step by step without a cache, from PEFT's own forward."""
    ids_NT = torch.full((3, 1), 256)
    generator = torch.Generator().manual_seed(9)
    with torch.inference_mode(), plain_peft(mixture, "code") as peft_model:
        for _ in range(32):
            shares_NV = peft_model(input_ids=ids_NT).logits[:, -1].softmax(-1)
            ids_NT = torch.cat([ids_NT, torch.multinomial(shares_NV, 1, generator=generator)], dim=1)
    assert torch.equal(drain(dream(mixture, 2, 3, seed=9))[1], ids_NT[:, 1:])


def test_what_is_remembered_is_read_below_the_epochs_in_half_precision(mixture: TemporalLoRA) -> None:
    ids_NT = torch.randint(257, (19, 24), generator=torch.Generator().manual_seed(3))
    memory_NTH = router_features(mixture, ids_NT)
    assert memory_NTH.dtype == torch.float16 and not memory_NTH.requires_grad
    with torch.inference_mode():
        hidden_NTH = mixture(ids_NT, 0).hidden_BTH
    torch.testing.assert_close(memory_NTH.float(), layer_norm(hidden_NTH, (48,)), atol=5e-3, rtol=5e-3)


def test_memory_of_dreams_keeps_the_last_blocks_for_measuring(tiny_backbone: Any) -> None:
    model = TemporalLoRA(tiny_backbone)
    memory = dream_memory(model, dreamed(model))
    replayed = dreams.DREAM_BLOCKS - dreams.EVAL_BLOCKS
    assert memory.replay_NWH.shape == (replayed * 32 // MEMORY_WINDOW, MEMORY_WINDOW, 48)
    assert memory.held_out_NT is None
    assert memory.eval_features_NTH.shape == (dreams.EVAL_BLOCKS, 32, 48)
    # layer-normalised: every kept vector has mean 0 and norm √H
    assert memory.replay_NWH.float().norm(dim=-1).mean() == pytest.approx(48**0.5, rel=1e-2)
