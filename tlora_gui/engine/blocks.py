"""Documents -> packed token blocks, and the summary of a corpus before anyone trains on it.

Texts are read when they are tokenised; of a corpus larger than the token budget only the chosen passages are.
"""

from __future__ import annotations

import math
import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tlora_gui.engine.cancel import CancelToken
from tlora_gui.engine.config import TrainSettings
from tlora_gui.engine.corpus import TextCorpus, cut_note, read_text
from tlora_gui.engine.errors import TloraError
from tlora_gui.engine.events import CorpusSummary

MIN_TRAIN_BLOCKS = 8
"""Fewer blocks of text than this are refused: nothing could be learned or measured."""

_PASSAGE = 2048
_READ_LIMIT = 64 * 2**20


@dataclass(frozen=True, slots=True)
class TokenBlocks:
    """Packed tokens, no padding.

    Attributes:
        train_NT: training blocks, int64.
        held_out_NT: blocks of the held-out part, int64.
        notes: remarks on how files were read.
    """

    train_NT: Tensor
    held_out_NT: Tensor
    notes: tuple[tuple[str, str], ...] = field(default=())


def make_blocks(
    corpus: TextCorpus,
    tokenizer: Any,
    *,
    block_size: int,
    max_tokens: int | None,
    held_out_share: float,
    held_out_tokens: int | None,
    seed: int,
    cancel: CancelToken | None = None,
) -> TokenBlocks:
    """Tokenise a corpus into training and held-out blocks of ``block_size`` tokens.

    Raises:
        TloraError: if there is too little text to train and measure on.
        Cancelled: if ``cancel`` is set on the way.
    """
    train, held_out = corpus.split(held_out_share)
    notes: list[tuple[str, str]] = []
    train_NT = _pack(train, tokenizer, block_size, max_tokens, seed, notes, cancel)
    held_out_NT = _pack(held_out, tokenizer, block_size, held_out_tokens, seed, notes, cancel)
    least = MIN_TRAIN_BLOCKS if max_tokens is None else min(MIN_TRAIN_BLOCKS, max_tokens // block_size)
    if len(train_NT) < least or not len(held_out_NT):
        raise too_small(train_NT.numel() + held_out_NT.numel(), block_size, held_out_share)
    return TokenBlocks(train_NT, held_out_NT, tuple(notes))


def held_out_blocks(corpus: TextCorpus, tokenizer: Any, settings: TrainSettings, tokens: int) -> Tensor:
    """Up to ``tokens`` held-out tokens of the corpus of an epoch trained with ``settings`` (N, T).

    Raises:
        TloraError: if there is none, for the files were changed or taken away.
    """
    _, held_out = corpus.split(settings.held_out_share)
    blocks_NT = _pack(held_out, tokenizer, settings.block_size, tokens, settings.seed, [], None)
    if not len(blocks_NT):
        raise TloraError("The epoch's held-out text is no longer there.", "Put the corpus back where it was.")
    return blocks_NT


def too_small(tokens: int, block_size: int, held_out_share: float) -> TloraError:
    """The refusal of a corpus of ``tokens`` tokens; what it asks for is enough even where the split is uneven."""
    least = math.ceil(max(MIN_TRAIN_BLOCKS / (1 - 1.5 * held_out_share), 1 / (0.75 * held_out_share))) * block_size
    return TloraError(
        f"There is too little text here: about {tokens:,} tokens, and an epoch needs at least {least:,}.",
        "Add more text of the same kind; a few pages are enough to try, a book learns well.",
    )


def _pack(
    corpus: TextCorpus,
    tokenizer: Any,
    block_size: int,
    max_tokens: int | None,
    seed: int,
    notes: list[tuple[str, str]],
    cancel: CancelToken | None,
) -> Tensor:
    ids: list[int] = []
    separator = [] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id]
    rng = random.Random(seed)
    readable = max(1, min(corpus.size, _READ_LIMIT))
    keep = 1.0 if max_tokens is None else min(1.0, max(10.0 * max_tokens, 32 * _PASSAGE) / readable)
    sources, budget = list(corpus.sources), _READ_LIMIT
    if max_tokens is not None:
        rng.shuffle(sources)
    for source in sources:
        if cancel:
            cancel.raise_if_cancelled()
        if max_tokens is not None and budget <= 0:
            break
        budget -= source.size
        for run in _runs(read_text(source, notes), keep, rng):
            if cancel:
                cancel.raise_if_cancelled()
            ids += tokenizer(run, add_special_tokens=False, verbose=False)["input_ids"]
            ids += separator
    blocks_NT = torch.tensor(ids[: len(ids) - len(ids) % block_size], dtype=torch.long).view(-1, block_size)
    if max_tokens is None or blocks_NT.numel() <= max_tokens:
        return blocks_NT
    chosen = torch.randperm(len(blocks_NT), generator=torch.Generator().manual_seed(seed))
    return blocks_NT[chosen[: max(1, max_tokens // block_size)]]


def _runs(text: str, keep: float, rng: random.Random) -> Iterator[str]:
    """Passages of about 2 kB cut at line ends, each kept with probability ``keep``; neighbours stay joined."""
    run = ""
    for passage in _passages(text):
        if keep >= 1 or rng.random() < keep:
            run += passage
        elif run:
            yield run
            run = ""
        if len(run) > 16 * _PASSAGE:
            yield run
            run = ""
    if run.strip():
        yield run


def _passages(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        stop = min(start + _PASSAGE, len(text))
        line_end = text.find("\n", stop)
        if line_end != -1 and line_end - stop < _PASSAGE:
            stop = line_end + 1
        yield text[start:stop]
        start = stop


# -- summary ----------------------------------------------------------------------------------------------------


def summarise(
    paths: Sequence[str], tokenizer: Any, *, block_size: int, held_out_share: float, cancel: CancelToken | None = None
) -> CorpusSummary:
    """What training on these paths would read. Token counts come from a sample if the corpus is large."""
    corpus = TextCorpus.from_paths(paths, cancel)
    train, held_out = corpus.split(held_out_share)
    notes: list[tuple[str, str]] = []
    per_byte, estimated, excerpt = _token_rate(corpus, tokenizer, notes, cancel)
    for source in corpus.sources:
        note = cut_note(source)
        if note is not None and note not in notes:
            notes.append(note)
    tokens = round(per_byte * train.size)
    held_out_tokens = round(per_byte * held_out.size)
    problem = ""
    if not corpus.sources:
        problem = "No readable text was found here."
    elif tokens < MIN_TRAIN_BLOCKS * block_size or held_out_tokens < block_size:
        problem = str(too_small(tokens + held_out_tokens, block_size, held_out_share))
    return CorpusSummary(
        paths=tuple(map(str, paths)),
        name_guess=_guess_name(paths),
        files=len(corpus.sources),
        held_out_files=len(held_out.sources),
        tokens=tokens,
        held_out_tokens=held_out_tokens,
        estimated=estimated,
        skipped=corpus.skipped,
        notes=tuple(notes),
        excerpt=excerpt,
        problem=problem,
    )


def _token_rate(
    corpus: TextCorpus, tokenizer: Any, notes: list[tuple[str, str]], cancel: CancelToken | None
) -> tuple[float, bool, str]:
    """Tokens per byte over at most 256 kB in evenly chosen files, whether that was a sample, and an excerpt."""
    step = max(1, len(corpus.sources) // 32)
    tokens, size, excerpt, cut = 0, 0, "", step > 1
    for source in corpus.sources[::step]:
        if cancel:
            cancel.raise_if_cancelled()
        text = read_text(source, notes)
        excerpt = excerpt or text[:600].strip()
        piece = text[:8192] if len(corpus.sources) > 4 else text[: 2**18]
        cut = cut or len(piece) < len(text)
        tokens += len(tokenizer(piece, add_special_tokens=False, verbose=False)["input_ids"])
        size += round(source.size * len(piece) / max(1, len(text)))
    return tokens / max(1, size), cut, excerpt


def _guess_name(paths: Sequence[str]) -> str:
    first = Path(os.path.abspath(paths[0])) if paths else Path("epoch")
    stem = first.name if first.is_dir() else (first.stem if len(paths) == 1 else first.parent.name)
    words = (stem or "epoch").replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]
