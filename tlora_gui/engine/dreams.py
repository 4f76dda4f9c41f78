"""Dreams: text that the frozen backbone samples by itself, once per backbone. The memory of slot 0."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from tlora_gui.engine.backbones import context_length
from tlora_gui.engine.cancel import CancelToken
from tlora_gui.engine.events import Progress
from tlora_gui.temporal.active_sleep import EpochMemory, cut_windows, to_memory
from tlora_gui.temporal.model import TemporalLoRA

DREAM_BLOCKS = 48
DREAM_LENGTH = 128
_PROBE_BLOCKS = 8


def dream_ids(
    model: TemporalLoRA, tokenizer: Any, cache: Path | None, cancel: CancelToken
) -> Generator[Progress, None, Tensor]:
    """Sampled token ids (DREAM_BLOCKS, DREAM_LENGTH), from ``cache`` if they are there, else dreamed and cached."""
    if cache is not None and cache.is_file():
        try:
            return load_file(cache)["ids"]
        except (SafetensorError, KeyError):
            cache.unlink()  # damaged: dream again
    ids_NT = yield from _dream(model, tokenizer, cancel)
    if cache is not None:
        cache.parent.mkdir(parents=True, exist_ok=True)
        partial = cache.with_suffix(".partial")
        save_file({"ids": ids_NT}, partial)
        partial.replace(cache)
    return ids_NT


def _dream(model: TemporalLoRA, tokenizer: Any, cancel: CancelToken) -> Generator[Progress, None, Tensor]:
    """Sample at temperature 1 from the start of a text, all blocks in one batch, one token a turn."""
    length = min(DREAM_LENGTH, context_length(model.backbone) - 1)
    start = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    generator = torch.Generator(model.device).manual_seed(0)
    ids_NT = torch.full((DREAM_BLOCKS, 1), start or 0, device=model.device)
    cache = None
    for position in range(length):
        cancel.raise_if_cancelled()
        yield Progress("Dreaming: the backbone samples its own text (once)", position, length, "tokens")
        with torch.inference_mode():
            output = model(ids_NT[:, -1:], 0, past_key_values=cache, use_cache=True, logits_to_keep=1)
            cache = output.past_key_values
            next_N1 = torch.multinomial(output.logits_BTV[:, -1].float().softmax(-1), 1, generator=generator)
            ids_NT = torch.cat([ids_NT, next_N1], dim=1)
    return ids_NT[:, 1:].cpu().clone()


@torch.no_grad()
def dream_memory(model: TemporalLoRA, ids_NT: Tensor) -> EpochMemory:
    """The backbone's memory: what the mixer reads over its dreams; the last few blocks only for measuring."""
    hidden_NTH = torch.cat([to_memory(model.features(part.to(model.device))) for part in ids_NT.split(16)])
    return EpochMemory(cut_windows(hidden_NTH[:-_PROBE_BLOCKS]), hidden_NTH[-_PROBE_BLOCKS:])
