"""Dreams: text that a frozen model samples by itself.

The backbone's dreams, sampled once per backbone, are the memory of slot 0. An epoch's own dreams can stand for its text
in later sleep.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from tlora_gui.engine.backbones import context_length
from tlora_gui.engine.cancel import CancelToken, watched
from tlora_gui.engine.events import Progress
from tlora_gui.temporal.active_sleep import EpochMemory, cut_windows, to_memory
from tlora_gui.temporal.model import TemporalLoRA

DREAM_BLOCKS = 104
DREAM_LENGTH = 128
_PROBE_BLOCKS = 8


def dream_ids(model: TemporalLoRA, cache: Path | None, cancel: CancelToken) -> Generator[Progress, None, Tensor]:
    """The backbone's dreams (DREAM_BLOCKS, DREAM_LENGTH), from ``cache`` if all are there, else dreamed and cached.

    Raises:
        Cancelled: if ``cancel`` is set on the way.
    """
    if cache is not None and cache.is_file():
        try:
            ids_NT: Tensor = load_file(cache)["ids"]
            if len(ids_NT) == DREAM_BLOCKS:
                return ids_NT
        except (SafetensorError, KeyError):
            cache.unlink()  # damaged: dream again
    ids_NT = yield from watched(dream(model, 0, DREAM_BLOCKS, seed=0), cancel)
    if cache is not None:
        cache.parent.mkdir(parents=True, exist_ok=True)
        partial = cache.with_suffix(".partial")
        save_file({"ids": ids_NT}, partial)
        partial.replace(cache)
    return ids_NT


def dream_length(model: TemporalLoRA) -> int:
    """Tokens of one dream: DREAM_LENGTH, where the context allows it."""
    return min(DREAM_LENGTH, context_length(model.backbone) - 1)


def dream(model: TemporalLoRA, slot: int, count: int, seed: int) -> Generator[Progress, None, Tensor]:
    """Let one slot sample texts at temperature 1: ids (count, dream length), one token of each a turn."""
    length = dream_length(model)
    config = model.backbone.config.get_text_config()
    start = config.bos_token_id if config.bos_token_id is not None else config.eos_token_id
    start = start[0] if isinstance(start, list) else start
    generator = torch.Generator(model.device).manual_seed(seed)
    ids_NT = torch.full((count, 1), start or 0, device=model.device)
    cache = None
    who = "the backbone samples its own text (once)" if slot == 0 else "the epoch samples its own text"
    for position in range(length):
        yield Progress(f"Dreaming: {who}", position, length, "tokens")
        with torch.inference_mode():
            output = model(ids_NT[:, -1:], slot, cache=cache, use_cache=True, logits_to_keep=1)
            cache = output.cache
            next_N1 = torch.multinomial(output.logits_BTV[:, -1].float().softmax(-1), 1, generator=generator)
            ids_NT = torch.cat([ids_NT, next_N1], dim=1)
    return ids_NT[:, 1:].cpu().clone()


@torch.no_grad()
def remembered(model: TemporalLoRA, ids_NT: Tensor) -> Tensor:
    """What the mixer reads over these blocks (N, T, H), as memories keep it."""
    return torch.cat([to_memory(model.features(part.to(model.device))) for part in ids_NT.split(8)])


def dream_memory(model: TemporalLoRA, ids_NT: Tensor) -> EpochMemory:
    """The backbone's memory: what the mixer reads over its dreams; the last few blocks only for measuring."""
    hidden_NTH = remembered(model, ids_NT)
    return EpochMemory(cut_windows(hidden_NTH[:-_PROBE_BLOCKS]), hidden_NTH[-_PROBE_BLOCKS:])
