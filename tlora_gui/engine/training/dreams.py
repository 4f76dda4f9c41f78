"""Dreams: text that a frozen model samples by itself.

The backbone's dreams, sampled once per backbone, are the memory of slot 0. They stand for all that no epoch knows, so
they are to be of many kinds: they begin with any token, and most are sampled hotter than the backbone speaks. An
epoch's own dreams can stand for its text in later sleep, and are sampled as it speaks.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Generator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import torch
from torch import Tensor

from tlora_gui.engine.backbones.loading import context_length
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import Progress
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.protocol.streams import cancellable, drain
from tlora_gui.engine.storage.disk import DAMAGE, read_tensors, save_tensors
from tlora_gui.temporal.active_sleep import EpochMemory, cut_windows, to_memory
from tlora_gui.temporal.model import TemporalLoRA
from tlora_gui.temporal.switching import count_tokens

DREAM_BLOCKS = 104
DREAM_LENGTH = 128
EVAL_BLOCKS = 8
HEAT = (1.0, 1.5)
"""Temperatures of the backbone's dreams, the lowest and the highest; dimensionless."""
_LEAVING = say("Leaving a memory for later sleep")

logger = logging.getLogger(__name__)


def dream_ids(model: TemporalLoRA, cache: Path | None, cancel: CancelToken) -> Generator[Progress, None, Tensor]:
    """The backbone's dreams (DREAM_BLOCKS, DREAM_LENGTH), from ``cache`` if all are there, else dreamed and cached.

    Raises:
        TloraError: if the backbone's probabilities are no numbers.
        Cancelled: if ``cancel`` is set on the way.
    """
    cached_NT = None if cache is None else _cached(cache, model)
    if cached_NT is not None:
        return cached_NT
    ids_NT = yield from cancellable(dream(model, 0, DREAM_BLOCKS, seed=0), cancel)
    if cache is not None:
        _keep(cache, ids_NT)
    return ids_NT


def _cached(cache: Path, model: TemporalLoRA) -> Tensor | None:
    """The dreams in a file, if they are such as this model dreams."""
    try:
        ids_NT = read_tensors(cache)["ids"]
        vocabulary = model.backbone.config.get_text_config().vocab_size
        fits = ids_NT.dtype == torch.long and ids_NT.shape == (DREAM_BLOCKS, dream_length(model))
        return ids_NT if fits and int(ids_NT.min()) >= 0 and int(ids_NT.max()) < vocabulary else None
    except DAMAGE:
        return None


def _keep(cache: Path, ids_NT: Tensor) -> None:
    """Keep dreams in a file, whole or not at all; it only saves time, so a folder that takes none is no trouble."""
    partial = cache.with_name(f".{cache.name}.{uuid4().hex}.partial")  # other processes may dream at the same time
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        save_tensors({"ids": ids_NT}, partial)
        partial.replace(cache)
    except DAMAGE as error:
        logger.warning("dreams are not cached: %s", error)
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def dream_length(model: TemporalLoRA) -> int:
    """Tokens of one dream: DREAM_LENGTH, where the context allows it."""
    return min(DREAM_LENGTH, context_length(model.backbone) - 1)


def dream(model: TemporalLoRA, slot: int, count: int, seed: int) -> Generator[Progress, None, Tensor]:
    """Let one slot sample texts: ids (count, dream length), one token of each a turn."""
    length = dream_length(model)
    config = model.backbone.config.get_text_config()
    start = config.bos_token_id if config.bos_token_id is not None else config.eos_token_id
    start = start[0] if isinstance(start, list) else start
    generator = torch.Generator(model.device).manual_seed(seed)
    ids_NT = torch.full((count, 1), start or 0, device=model.device)
    cache = None
    heat_N1 = torch.ones(count, 1)
    if slot == 0:  # every temperature again and again, so that those that are measured have them all
        heat_N1 = torch.linspace(*HEAT, EVAL_BLOCKS)[torch.arange(count) % EVAL_BLOCKS, None]
    heat_N1 = heat_N1.to(model.device)
    label = (
        say("Dreaming: the backbone samples its own text (once)")
        if slot == 0
        else say("Dreaming: the epoch samples its own text")
    )
    for position in range(length):
        yield Progress(label, position, length, say("tokens"))
        with torch.inference_mode():
            output = model(ids_NT[:, -1:], slot, cache=cache, use_cache=True, logits_to_keep=1)
            cache = output.cache
            shares_NV = (output.logits_BTV[:, -1].float() / heat_N1).softmax(-1)
            if not shares_NV.isfinite().all():
                raise TloraError(
                    say("The backbone computes no numbers (NaN), so it cannot dream.")
                    if slot == 0
                    else say("The epoch computes no numbers (NaN), so it cannot dream."),
                    say("Choose another backbone.") if slot == 0 else say("Train it again with a lower learning rate."),
                )
            if slot == 0 and position == 0:
                shares_NV = torch.ones_like(shares_NV)
            next_N1 = torch.multinomial(shares_NV, 1, generator=generator)
            ids_NT = torch.cat([ids_NT, next_N1], dim=1)
    return ids_NT[:, 1:].cpu().clone()


def collect_router_features(
    model: TemporalLoRA, ids_NT: Tensor, label: str = _LEAVING
) -> Generator[Progress, None, Tensor]:
    """What the mixer reads over these blocks (N, T, H), as memories keep it; yields before every batch."""
    parts: list[Tensor] = []
    for part in ids_NT.split(8):
        yield Progress(label, 8 * len(parts), len(ids_NT), say("blocks"))
        with torch.no_grad():
            parts.append(to_memory(model.features(part.long().to(model.device))))
    return torch.cat(parts)


def router_features(model: TemporalLoRA, ids_NT: Tensor) -> Tensor:
    """As :func:`collect_router_features`, at once."""
    return drain(collect_router_features(model, ids_NT))


def collect_dream_memory(model: TemporalLoRA, ids_NT: Tensor) -> Generator[Progress, None, EpochMemory]:
    """A memory of dreams: what the mixer reads over them; the last few blocks only for measuring."""
    hidden_NTH = yield from collect_router_features(model, ids_NT, say("Remembering the dreams for later sleep"))
    learned_NT = ids_NT[:-EVAL_BLOCKS]
    return EpochMemory(
        cut_windows(hidden_NTH[:-EVAL_BLOCKS]),
        hidden_NTH[-EVAL_BLOCKS:],
        replay_ids_NW=cut_windows(learned_NT).int(),
        token_counts=count_tokens(learned_NT),
    )


def dream_counts(model: TemporalLoRA) -> Tensor | None:
    """Counts of the backbone's dreams' tokens, if it has dreamt."""
    dreams = model.memories.get("")
    return None if dreams is None else dreams.token_counts


def dreamt_memory(
    model: TemporalLoRA, slot: int, seed: int, memory_tokens: int
) -> Generator[Progress, None, EpochMemory]:
    """What an epoch leaves for later sleep, from its own dreams alone; the last few are only measured on.

    Raises:
        TloraError: if the adapter's probabilities are no numbers.
    """
    ids_NT = yield from dream(model, slot, DREAM_BLOCKS, seed)
    count = min(len(ids_NT) - EVAL_BLOCKS, math.ceil(memory_tokens / ids_NT.shape[1]))
    memory = yield from collect_dream_memory(model, torch.cat([ids_NT[:count], ids_NT[-EVAL_BLOCKS:]]))
    return replace(memory, dream_counts=dream_counts(model))


def dream_memory(model: TemporalLoRA, ids_NT: Tensor) -> EpochMemory:
    """As :func:`collect_dream_memory`, at once."""
    return drain(collect_dream_memory(model, ids_NT))
