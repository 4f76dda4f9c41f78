"""Documents -> packed token blocks, and the summary of a corpus before anyone trains on it.

Texts are read when they are tokenised; of a corpus larger than the token budget only the chosen passages are.
"""

from __future__ import annotations

import hashlib
import math
import os
import random
import unicodedata
from array import array
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tlora_gui.engine.backbones.tokenizing import chat_template, encode_plain
from tlora_gui.engine.corpus.documents import read_text
from tlora_gui.engine.corpus.files import Skipped, shortened
from tlora_gui.engine.corpus.text_corpus import Source, TextCorpus
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import ReadOptions
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import CorpusSummary, Progress
from tlora_gui.engine.protocol.sentences import commas, say
from tlora_gui.engine.protocol.streams import drain

MIN_TRAIN_BLOCKS = 8
"""Fewer blocks of text than this are refused: nothing could be learned or measured."""

_PASSAGE = 16
_PIECE = 16 * 2048
_READ_LIMIT = 64 * 2**20
_MB = 2**20
_UNKNOWN_NOTED = 0.01


@dataclass(frozen=True, slots=True)
class TokenBlocks:
    """Packed tokens, no padding.

    Attributes:
        train_NT: training blocks, int32.
        held_out_NT: blocks of the held-out part, int64.
        notes: (path, remark) on files that were read in an unusual way, or could not be.
    """

    train_NT: Tensor
    held_out_NT: Tensor
    notes: tuple[tuple[str, str], ...] = field(default=())


def make_blocks(corpus: TextCorpus, tokenizer: Any, **options: Any) -> TokenBlocks:
    """Run :func:`read_blocks` to its end."""
    return drain(read_blocks(corpus, tokenizer, **options))


def read_blocks(
    corpus: TextCorpus,
    tokenizer: Any,
    *,
    block_size: int,
    max_tokens: int | None,
    held_out_share: float,
    held_out_tokens: int | None,
    seed: int,
    vocabulary: int | None = None,
    cancel: CancelToken | None = None,
) -> Generator[Progress, None, TokenBlocks]:
    """Tokenise a corpus into training and held-out blocks of ``block_size`` tokens.

    An end mark stands where a document ends and nowhere else. Where the text of a block would go on somewhere else
    without one (passages of a large document, a part of it held out), the block is dropped.

    Args:
        corpus: what to read.
        tokenizer: of the backbone.
        block_size: tokens per block.
        max_tokens: training tokens at most; None for all.
        held_out_share: share of the text that is held out.
        held_out_tokens: held-out tokens at most; None for all.
        seed: fixes which passages are read where not all are.
        vocabulary: how many token ids the backbone knows; None for all of the tokenizer's.
        cancel: looked at in every piece of text.

    Raises:
        TloraError: if there is too little text to train and measure on.
        Cancelled: if ``cancel`` is set on the way.
    """
    notes = [*corpus.notes]
    packer = _Packer(tokenizer, block_size, seed, vocabulary, cancel, notes)
    train, held_out = packer.read_once(*corpus.split(held_out_share))
    for part, limit in ((train, max_tokens), (held_out, held_out_tokens)):
        packer.total += part.size if limit is None else min(part.size, _READ_LIMIT)
    train_NT = yield from packer.pack(train, max_tokens)
    held_out_NT = yield from packer.pack(held_out, held_out_tokens)
    least = MIN_TRAIN_BLOCKS if max_tokens is None else min(MIN_TRAIN_BLOCKS, max_tokens // block_size)
    if len(train_NT) < least or not len(held_out_NT):
        left_out = (*corpus.skipped, *packer.unread)
        if not packer.found_text:
            raise TloraError(
                _and_left_out(say("No readable text was found here."), left_out),
                say("Choose plain text files."),
            )
        raise too_small(train_NT.numel() + held_out_NT.numel(), block_size, held_out_share, left_out)
    return TokenBlocks(train_NT, held_out_NT.long(), tuple(dict.fromkeys(notes)))


def held_out_blocks(
    corpus: TextCorpus,
    tokenizer: Any,
    *,
    block_size: int,
    held_out_share: float,
    held_out_tokens: int,
    seed: int,
    digests: Sequence[str],
    vocabulary: int | None = None,
) -> Generator[Progress, None, Tensor]:
    """Of the held-out blocks that :func:`read_blocks` gives with these options, those that it gave then (N, T).

    The corpus may have been edited since, and a block that is held out by now have been trained on.

    Args:
        digests: :func:`block_digests` of the held-out blocks then.
    """
    _, held_out = corpus.split(held_out_share)
    packer = _Packer(tokenizer, block_size, seed, vocabulary, None, [])
    packer.total = min(held_out.size, _READ_LIMIT)
    blocks_NT = yield from packer.pack(held_out, held_out_tokens)
    known = set(digests)
    return blocks_NT[torch.tensor([digest in known for digest in block_digests(blocks_NT)], dtype=torch.bool)].long()


def block_digests(blocks_NT: Tensor) -> list[str]:
    """A digest of each block, by which it is known again although no text is kept."""
    return [hashlib.blake2b(row.tobytes(), digest_size=8).hexdigest() for row in blocks_NT.int().numpy()]


def too_small(
    tokens: int, block_size: int, held_out_share: float, left_out: Sequence[tuple[str, str]] = ()
) -> TloraError:
    """The refusal of a corpus of ``tokens`` tokens; what it asks for is enough even where the split is uneven.

    Args:
        left_out: (path, reason) of what was not read.
    """
    least = math.ceil(max(MIN_TRAIN_BLOCKS / (1 - 1.5 * held_out_share), 1 / (0.75 * held_out_share))) * block_size
    return TloraError(
        _and_left_out(
            say(
                "There is too little text here: about {tokens:,} tokens, and an epoch needs at least {least:,}.",
                tokens=tokens,
                least=least,
            ),
            left_out,
        ),
        say("Add more text of the same kind; a few pages are enough to try, a book learns well."),
    )


def _and_left_out(problem: str, left_out: Sequence[tuple[str, str]]) -> str:
    """A problem, and a sentence on what was not read, with the first reasons, unless everything was."""
    if not left_out:
        return problem
    names = ((shortened(os.path.basename(path) or path, 40), reason) for path, reason in left_out[:3])
    listed = commas(say("{name} ({reason})", name=name, reason=reason) for name, reason in names)
    if len(left_out) > 3:
        listed = say("{names} and {count:,} more", names=listed, count=len(left_out) - 3)
    return say("{problem} Not read: {names}.", problem=problem, names=listed)


@dataclass(slots=True)
class _Packer:
    """Reads and packs the parts of one corpus.

    Attributes:
        notes: gets the remarks on its files.
        unread: gets (path, reason) of files that gave no text after all.
        found_text: whether any file gave some.
        done, total: bytes read, and to read.
    """

    tokenizer: Any
    block_size: int
    seed: int
    vocabulary: int | None
    cancel: CancelToken | None
    notes: list[tuple[str, str]]
    unread: Skipped = field(default_factory=list)
    found_text: bool = False
    done: float = 0.0
    total: float = 0.0

    def pack(self, corpus: TextCorpus, max_tokens: int | None) -> Generator[Progress, None, Tensor]:
        """Blocks of tokens (N, T), at most ``max_tokens``."""
        ids = array("i")
        mark = self._end_mark()
        rng = random.Random(self.seed)
        sources, budget, passage = list(corpus.sources), _READ_LIMIT, _PASSAGE * self.block_size
        readable = max(1, min(corpus.size, _READ_LIMIT))
        keep = 1.0 if max_tokens is None else min(1.0, max(10.0 * max_tokens, 32.0 * passage) / readable)
        if max_tokens is not None:
            rng.shuffle(sources)
        broken_off = False
        for source in sources:
            if max_tokens is not None and budget <= 0:
                break
            budget -= source.size
            text, stop, unknown, read = self._text(source), -1, 0.0, 0
            for start, end in _runs(text, passage, keep, rng):
                yield self._progress(source, start / len(text))
                if broken_off and start != stop:
                    del ids[len(ids) // self.block_size * self.block_size :]
                found = self._encode(text, start, end)
                ids.extend(found)
                unknown += len(found) * unknown_share(self.tokenizer, text[start:end], found)
                read += len(found)
                broken_off, stop = True, end
            if text and stop == len(text) and source.ends:
                ids.extend(mark)
                broken_off = False
            if unknown > _UNKNOWN_NOTED * read:
                self.notes.append((source.label, _unknown_note(unknown / read)))
            self.done += source.size
        blocks_NT = torch.frombuffer(ids or array("i", [0]), dtype=torch.int32)[: len(ids)]
        blocks_NT = blocks_NT[: len(ids) - len(ids) % self.block_size].view(-1, self.block_size)
        if max_tokens is None or blocks_NT.numel() <= max_tokens:
            return blocks_NT
        chosen = torch.randperm(len(blocks_NT), generator=torch.Generator().manual_seed(self.seed))
        return blocks_NT[chosen[: max(1, max_tokens // self.block_size)]]

    def read_once(self, train: TextCorpus, held_out: TextCorpus) -> tuple[TextCorpus, TextCorpus]:
        """If a file is cut into the two parts, both with its text: read twice, it may change between."""
        cut = next((source for source in held_out.sources if source.start > 0 and source.text is None), None)
        if cut is None:
            return train, held_out
        text = self._text(replace(cut, start=0.0))

        def with_text(part: TextCorpus) -> TextCorpus:
            sources = (replace(each, text=text) if each.label == cut.label else each for each in part.sources)
            return replace(part, sources=tuple(sources))

        return with_text(train), with_text(held_out)

    def _text(self, source: Source) -> str:
        """The text of a source; "" with a note if there is none in a whole file."""
        before = len(self.notes)
        text = read_text(source, self.notes)
        if text.strip():
            self.found_text = True
            return text
        if source.text is None:
            if len(self.notes) == before:
                self.notes.append((source.label, say("empty")))
            self.unread.append(self.notes[-1])
        return ""

    def _progress(self, source: Source, share: float) -> Progress:
        if self.cancel:
            self.cancel.raise_if_cancelled()
        return Progress(say("Reading the corpus"), (self.done + share * source.size) / _MB, self.total / _MB, say("MB"))

    def _encode(self, text: str, start: int, end: int) -> list[int]:
        """Token ids of a piece as they are in its text; some tokenizers begin every text with a space of their own."""
        if start and text[start - 1] == "\n":
            before = encode_plain(self.tokenizer, "\n", self.vocabulary)
            found = encode_plain(self.tokenizer, text[start - 1 : end], self.vocabulary)
            if found[: len(before)] == before:
                return found[len(before) :]
        return encode_plain(self.tokenizer, text[start:end], self.vocabulary)

    def _end_mark(self) -> list[int]:
        mark = self.tokenizer.eos_token_id
        return [] if mark is None or (self.vocabulary is not None and mark >= self.vocabulary) else [mark]


def _runs(text: str, passage: int, keep: float, rng: random.Random) -> Iterator[tuple[int, int]]:
    """Where pieces of a text begin and end: passages, each kept with probability ``keep``, neighbours joined."""
    start = stop = 0
    for begin, end in _passages(text, passage):
        kept = keep >= 1 or rng.random() < keep
        if stop > start and (not kept or stop - start >= _PIECE):
            yield start, stop
            start = stop
        if kept:
            start, stop = (start if stop == begin else begin), end
    if stop > start:
        yield start, stop


def _passages(text: str, passage: int) -> Iterator[tuple[int, int]]:
    """About ``passage`` characters each, cut at line ends where there are any, else between words."""
    start = 0
    while start < len(text):
        stop = min(start + passage, len(text))
        if stop < len(text):
            line_end = text.find("\n", stop - 1, stop + passage)
            stop = line_end + 1 or max(text.rfind(" ", start + 1, stop), 0) or stop
        yield start, stop
        start = stop


def unknown_share(tokenizer: Any, text: str, ids: list[int]) -> float:
    """Share of a text that a tokenizer reads as its unknown token, or leaves out if it has none."""
    if tokenizer.unk_token_id is not None:
        return ids.count(tokenizer.unk_token_id) / max(1, len(ids))
    sample = unicodedata.normalize("NFC", text[:2048])
    decoded = tokenizer.decode(encode_plain(tokenizer, sample))
    return 1 - min(1.0, len("".join(decoded.split())) / max(1, len("".join(sample.split()))))


def _unknown_note(share: float) -> str:
    return say("this backbone does not know {share:.0%} of this text", share=share)


# -- summary ----------------------------------------------------------------------------------------------------


def summarise(
    paths: Sequence[str],
    tokenizer: Any,
    *,
    block_size: int,
    held_out_share: float,
    vocabulary: int | None = None,
    cancel: CancelToken | None = None,
    reading: ReadOptions | None = None,
) -> CorpusSummary:
    """What training on these paths would read. Token counts come from a sample if the corpus is large.

    Raises:
        TloraError: if a path is empty or leads to nothing.
        Cancelled: if ``cancel`` is set on the way.
    """
    corpus = TextCorpus.from_paths(paths, cancel, reading, chat_template(tokenizer))
    train, held_out = corpus.split(held_out_share)
    notes = [*corpus.notes]
    per_byte, estimated, excerpt = _token_rate(corpus, tokenizer, vocabulary, notes, cancel)
    tokens = round(per_byte * train.size)
    held_out_tokens = round(per_byte * held_out.size)
    problem: str = ""
    if not corpus.sources:
        problem = say("No readable text was found here.")
    elif tokens < MIN_TRAIN_BLOCKS * block_size or held_out_tokens < block_size:
        problem = str(too_small(tokens + held_out_tokens, block_size, held_out_share))
    return CorpusSummary(
        paths=tuple(map(str, paths)),
        name_guess=_guess_name(corpus.paths),
        files=len(corpus.sources),
        held_out_files=len(held_out.sources),
        tokens=tokens,
        held_out_tokens=held_out_tokens,
        estimated=estimated,
        skipped=corpus.skipped,
        notes=tuple(dict.fromkeys(notes)),
        excerpt=excerpt,
        problem=problem,
        kinds=corpus.kinds,
    )


def _token_rate(
    corpus: TextCorpus,
    tokenizer: Any,
    vocabulary: int | None,
    notes: list[tuple[str, str]],
    cancel: CancelToken | None,
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
        ids = encode_plain(tokenizer, piece, vocabulary)
        if (unknown := unknown_share(tokenizer, piece, ids)) > _UNKNOWN_NOTED:
            notes.append((source.label, _unknown_note(unknown)))
        tokens += len(ids)
        size += round(source.size * len(piece) / max(1, len(text)))
    return tokens / max(1, size), cut, excerpt


def _guess_name(paths: Sequence[str]) -> str:
    first = Path(paths[0]) if paths else Path("epoch")
    stem = first.name if first.is_dir() else (first.stem if len(paths) == 1 else first.parent.name)
    words = (stem or "epoch").replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]
