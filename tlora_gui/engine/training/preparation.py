"""What the training of an epoch begins with: its text as token blocks, and the memory of slot 0."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import torch
from torch import Tensor

from tlora_gui.engine.corpus.blocks import TokenBlocks, TooLittleText, block_digests, read_blocks
from tlora_gui.engine.corpus.text_corpus import TextCorpus
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import SleepSettings, TrainSettings
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import Progress
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.protocol.streams import cancellable
from tlora_gui.engine.training.dreams import collect_dream_memory, dream_ids, dreamt_memory
from tlora_gui.engine.training.epoch_run import KEPT_HELD_OUT
from tlora_gui.paths import cache_dir
from tlora_gui.temporal.model import TemporalLoRA


def epoch_blocks(
    corpus: TextCorpus, tokenizer: Any, settings: TrainSettings, cancel: CancelToken, vocabulary: int | None = None
) -> Generator[Progress, None, TokenBlocks]:
    """A corpus as an epoch trained with ``settings`` reads it, with all the held-out text that the epoch will leave.

    Raises:
        TloraError: if there is too little text to train and measure on.
        Cancelled: if ``cancel`` is set on the way.
    """
    return read_blocks(
        corpus,
        tokenizer,
        block_size=settings.block_size,
        max_tokens=settings.max_tokens,
        held_out_share=settings.held_out_share,
        held_out_tokens=max(settings.held_out_tokens, KEPT_HELD_OUT),
        seed=settings.seed,
        vocabulary=vocabulary,
        cancel=cancel,
    )


def held_out_again(
    corpus: TextCorpus, tokenizer: Any, settings: TrainSettings, digests: Sequence[str], vocabulary: int | None
) -> Generator[Progress, None, Tensor]:
    """The held-out blocks (N, T) of an epoch that kept only their digests, found again in its corpus.

    The corpus may have been edited since, and a block that would be held out by now have been trained on: only those
    count that were held out then.

    Raises:
        TloraError: if nothing of it is there any more, or nobody knows what it was.
    """
    if not digests:
        raise TloraError(
            say("What was held out is not known: the epoch is of an earlier version and left no text."),
            say("Train it again to measure it."),
        )
    gone = TloraError(say("The epoch's held-out text is no longer there."), say("Put the corpus back as it was."))
    try:
        blocks = yield from epoch_blocks(corpus, tokenizer, settings, CancelToken(), vocabulary)
    except TooLittleText:
        raise gone from None
    known = set(digests)
    kept = torch.tensor([digest in known for digest in block_digests(blocks.held_out_NT)])
    if not kept.any():
        raise gone
    return blocks.held_out_NT[kept]


def remember_backbone(model: TemporalLoRA, fingerprint: str, cancel: CancelToken) -> Generator[Progress, None, None]:
    """Make sure that slot 0 has its memory.

    Raises:
        Cancelled: if ``cancel`` is set on the way.
    """
    if "" not in model.memories:
        cache = cache_dir() / "dreams" / f"{fingerprint[:16]}-broad.safetensors"
        ids_NT = yield from dream_ids(model, cache, cancel)
        model.memories[""] = yield from cancellable(collect_dream_memory(model, ids_NT), cancel)


def remember_dreams(model: TemporalLoRA, fingerprint: str, cancel: CancelToken) -> Generator[Progress, None, None]:
    """Make sure that every slot has its memory: slot 0, and epochs whose own is damaged or was not sent along.

    The dreams of a backbone are cached by its fingerprint; an epoch dreams the same at every opening of its project.

    Raises:
        Cancelled: if ``cancel`` is set on the way.
    """
    yield from remember_backbone(model, fingerprint, cancel)
    for slot, slug in enumerate(model.slot_adapters, 1):
        if slug not in model.memories:
            made = dreamt_memory(model, slot, 0, SleepSettings().memory_tokens)
            model.memories[slug] = yield from cancellable(made, cancel)
