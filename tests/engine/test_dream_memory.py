"""Dreams: what the frozen backbone samples by itself, cached once, the same every time; the memory of slot 0."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from engine_helpers import drain

from tlora_gui.engine import dreams
from tlora_gui.engine.cancel import CancelToken
from tlora_gui.engine.dreams import dream_ids, dream_memory
from tlora_gui.engine.errors import Cancelled
from tlora_gui.engine.events import Progress
from tlora_gui.temporal.config import MEMORY_WINDOW
from tlora_gui.temporal.model import TemporalLoRA


def dream(model: TemporalLoRA, tokenizer: Any, cache: Path | None = None) -> torch.Tensor:
    return drain(dream_ids(model, tokenizer, cache, CancelToken()))[1]


def test_dreams_are_the_same_every_time_and_untouched_by_torchs_generator(
    tiny_backbone: Any, tiny_tokenizer: Any
) -> None:
    model = TemporalLoRA(tiny_backbone)
    torch.manual_seed(1)
    one = dream(model, tiny_tokenizer)
    torch.manual_seed(2)
    assert torch.equal(dream(model, tiny_tokenizer), one)
    assert one.shape == (12, 32)
    assert len({tuple(row) for row in one.tolist()}) == 12


def test_dreams_are_the_backbones_own_whatever_epochs_there_are(tiny_backbone: Any, tiny_tokenizer: Any) -> None:
    model = TemporalLoRA(tiny_backbone)
    before = dream(model, tiny_tokenizer)
    model.add_adapter("verse")
    model.begin_epoch("verse")
    with torch.no_grad():
        for parameter in model.adapter_parameters("verse").values():
            parameter.fill_(0.1)
    assert torch.equal(dream(model, tiny_tokenizer), before)


def test_cached_dreams_are_read_and_not_dreamed_again(tiny_backbone: Any, tiny_tokenizer: Any, tmp_path: Path) -> None:
    model, cache = TemporalLoRA(tiny_backbone), tmp_path / "dreams" / "a.safetensors"
    one = dream(model, tiny_tokenizer, cache)
    assert [path.name for path in cache.parent.iterdir()] == ["a.safetensors"]
    told = list(dream_ids(model, tiny_tokenizer, cache, CancelToken()))
    assert told == []
    assert torch.equal(dream(model, tiny_tokenizer, cache), one)


@pytest.mark.parametrize("damage", [b"", b"nonsense" * 9])
def test_damaged_cache_is_dreamed_again(tiny_backbone: Any, tiny_tokenizer: Any, tmp_path: Path, damage: bytes) -> None:
    model, cache = TemporalLoRA(tiny_backbone), tmp_path / "a.safetensors"
    one = dream(model, tiny_tokenizer, cache)
    cache.write_bytes(damage)
    assert torch.equal(dream(model, tiny_tokenizer, cache), one)
    assert list(dream_ids(model, tiny_tokenizer, cache, CancelToken())) == []


def test_cancelled_dreams_leave_no_cache(tiny_backbone: Any, tiny_tokenizer: Any, tmp_path: Path) -> None:
    cancel = CancelToken()
    stream = dream_ids(TemporalLoRA(tiny_backbone), tiny_tokenizer, tmp_path / "a.safetensors", cancel)
    assert isinstance(next(stream), Progress)
    cancel.cancel("keep")
    with pytest.raises(Cancelled):
        next(stream)
    assert list(tmp_path.iterdir()) == []


def test_dreams_fit_a_short_context(tiny_backbone: Any, tiny_tokenizer: Any) -> None:
    tiny_backbone.config.max_position_embeddings = 20
    assert dream(TemporalLoRA(tiny_backbone), tiny_tokenizer).shape == (12, 19)


def test_memory_of_dreams_keeps_the_last_blocks_for_measuring(tiny_backbone: Any, tiny_tokenizer: Any) -> None:
    model = TemporalLoRA(tiny_backbone)
    memory = dream_memory(model, dream(model, tiny_tokenizer))
    replayed = dreams.DREAM_BLOCKS - dreams._PROBE_BLOCKS
    assert memory.replay_NWH.shape == (replayed * 32 // MEMORY_WINDOW, MEMORY_WINDOW, 48)
    assert memory.probe_NTH.shape == (dreams._PROBE_BLOCKS, 32, 48)
    # layer-normalised: every kept vector has mean 0 and norm √H
    assert memory.replay_NWH.float().norm(dim=-1).mean() == pytest.approx(48**0.5, rel=1e-2)
