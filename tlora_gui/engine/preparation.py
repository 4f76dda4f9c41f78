"""What the training of an epoch begins with: its text as token blocks, and the memory of slot 0."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from tlora_gui.engine.blocks import TokenBlocks, make_blocks
from tlora_gui.engine.cancel import CancelToken, watched
from tlora_gui.engine.config import TrainSettings
from tlora_gui.engine.corpus import TextCorpus
from tlora_gui.engine.dreams import dream_ids, dreams_remembered
from tlora_gui.engine.events import Progress
from tlora_gui.engine.training import KEPT_HELD_OUT
from tlora_gui.paths import cache_dir
from tlora_gui.temporal.model import TemporalLoRA


def epoch_blocks(corpus: TextCorpus, tokenizer: Any, settings: TrainSettings, cancel: CancelToken) -> TokenBlocks:
    """A corpus as an epoch trained with ``settings`` reads it, with all the held-out text that the epoch will leave.

    Raises:
        TloraError: if there is too little text to train and measure on.
        Cancelled: if ``cancel`` is set on the way.
    """
    return make_blocks(
        corpus,
        tokenizer,
        block_size=settings.block_size,
        max_tokens=settings.max_tokens,
        held_out_share=settings.held_out_share,
        held_out_tokens=max(settings.held_out_tokens, KEPT_HELD_OUT),
        seed=settings.seed,
        cancel=cancel,
    )


def remember_dreams(model: TemporalLoRA, fingerprint: str, cancel: CancelToken) -> Generator[Progress, None, None]:
    """Make sure that slot 0 has its memory; the dreams of a backbone are cached by its fingerprint.

    Raises:
        Cancelled: if ``cancel`` is set on the way.
    """
    if "" not in model.memories:
        cache = cache_dir() / "dreams" / f"{fingerprint[:16]}.safetensors"
        ids_NT = yield from dream_ids(model, cache, cancel)
        model.memories[""] = yield from watched(dreams_remembered(model, ids_NT), cancel)
