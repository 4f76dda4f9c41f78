"""A corpus -> packed token blocks, and the summary of a corpus before anyone trains on it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tlora_gui.engine.backbones.tokenizing import PlainEncoder, chat_template, encode_plain, tokenizer_fingerprint
from tlora_gui.engine.corpus.documents import read_documents
from tlora_gui.engine.corpus.files import shortened
from tlora_gui.engine.corpus.fingerprint import corpus_fingerprint
from tlora_gui.engine.corpus.packing import UNKNOWN_NOTED, Packer, unknown_note, unknown_share
from tlora_gui.engine.corpus.text_corpus import Source, TextCorpus
from tlora_gui.engine.corpus.token_store import TokenFile, read_blocks_file, write_blocks
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import ReadOptions
from tlora_gui.engine.protocol.enough_text import least_train_blocks, too_little_text
from tlora_gui.engine.protocol.errors import TloraError, disk_is_full
from tlora_gui.engine.protocol.events import CorpusSummary, Progress
from tlora_gui.engine.protocol.sentences import as_json, commas, of_json, say
from tlora_gui.engine.protocol.streams import drain
from tlora_gui.engine.storage.disk import DAMAGE
from tlora_gui.paths import tokens_dir

_FORMAT = 1
"""Goes up with every change of what is made of a text, so that blocks of earlier versions are not used again."""

_MB = 2**20


class TooLittleText(TloraError):
    """A corpus has not enough text to train and measure on."""


@dataclass(frozen=True, slots=True)
class TokenBlocks:
    """Packed tokens, no padding.

    Attributes:
        train_NT: training blocks, uint16 or int32, mapped from ``file`` and not loaded.
        held_out_NT: blocks of the held-out part, int64.
        notes: (path, remark) on files that were read in an unusual way, or could not be.
        fingerprint: of the corpus.
        file: where they are stored.
    """

    train_NT: Tensor
    held_out_NT: Tensor
    notes: tuple[tuple[str, str], ...] = field(default=())
    fingerprint: str = ""
    file: Path | None = None


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
    """Tokenise a corpus into training and held-out blocks of ``block_size`` tokens; what the cache has is used again.

    Args:
        corpus: what to read.
        tokenizer: of the backbone.
        block_size: tokens per block.
        max_tokens: training tokens at most, from all over the corpus; None for all.
        held_out_share: share of the text that is held out.
        held_out_tokens: held-out tokens at most; None for all.
        seed: fixes which passages are read where not all are.
        vocabulary: how many token ids the backbone knows; None for all of the tokenizer's.
        cancel: looked at in every piece of text.

    Raises:
        TooLittleText: if there is too little to train and measure on.
        TloraError: if there is no room for its tokens.
        Cancelled: if ``cancel`` is set on the way.
    """
    cancel, fingerprint = cancel or CancelToken(), ""
    for fingerprint in corpus_fingerprint(corpus):  # noqa: B007 - the last one
        cancel.raise_if_cancelled()
    key = hashlib.blake2b(digest_size=16)
    for source in corpus.sources:
        key.update(repr((replace(source, text=None, chat=None), source.chat is None)).encode(errors="replace"))
    options = (block_size, max_tokens, held_out_share, held_out_tokens, seed, vocabulary)
    key.update(repr((_FORMAT, fingerprint, tokenizer_fingerprint(tokenizer), options)).encode())
    path = tokens_dir() / f"{key.hexdigest()}.safetensors"
    with suppress(*DAMAGE):
        stored = _stored(path, corpus, fingerprint)
        os.utime(path)
        return stored
    encoder = PlainEncoder(tokenizer, vocabulary)
    try:
        with TokenFile(encoder.vocabulary) as train, TokenFile(encoder.vocabulary) as held_out:
            packer = Packer(tokenizer, encoder, train, held_out, block_size, seed, cancel)
            yield from packer.read(corpus, held_out_share, max_tokens, held_out_tokens)
            parts = {
                "train": (train, _choose(train.count // block_size, max_tokens, block_size, seed)),
                "held_out": (held_out, _choose(held_out.count // block_size, held_out_tokens, block_size, seed)),
            }
            least = least_train_blocks(block_size, max_tokens)
            if enough := train.count // block_size >= least and held_out.count >= block_size:
                size = sum(part.count for part, _ in parts.values()) * train.dtype.itemsize / _MB
                for written in write_blocks(
                    path,
                    parts,
                    block_size,
                    {"notes": json.dumps([(label, as_json(remark)) for label, remark in packer.notes])},
                ):
                    cancel.raise_if_cancelled()
                    yield Progress(say("Storing the tokens"), written / _MB, size, say("MB"))
            elif (weighed := packer.weighed(corpus)).sources in ((), corpus.sources):
                left_out = (*corpus.skipped, *packer.unread)
                if not packer.found_text:
                    raise TooLittleText(
                        _and_left_out(say("No readable text was found here."), left_out),
                        say("Choose plain text files."),
                    )
                problem = too_little_text(train.count + held_out.count, block_size, held_out_share, max_tokens)
                raise TooLittleText(
                    _and_left_out(problem, left_out),
                    say("Add more text of the same kind; a few pages are enough to try, a book learns well."),
                )
    except OSError as error:
        if not disk_is_full(error):
            raise
        raise TloraError(
            say("The disk that holds {folder} is full.", folder=tokens_dir()),
            say("Make room there, or choose fewer training tokens."),
        ) from error
    if enough:
        return _stored(path, corpus, fingerprint)
    skipped, notes = (*corpus.skipped, *packer.unread), (*corpus.notes, *packer.unread)
    weighed = replace(weighed, skipped=skipped, notes=notes)
    return (
        yield from read_blocks(
            weighed,
            tokenizer,
            block_size=block_size,
            max_tokens=max_tokens,
            held_out_share=held_out_share,
            held_out_tokens=held_out_tokens,
            seed=seed,
            vocabulary=vocabulary,
            cancel=cancel,
        )
    )


def _choose(blocks: int, tokens: int | None, block_size: int, seed: int) -> Tensor | None:
    """Numbers of as many blocks as are wanted; None for all."""
    if tokens is None or blocks * block_size <= tokens:
        return None
    order = torch.randperm(blocks, generator=torch.Generator().manual_seed(seed))
    return order[: max(1, tokens // block_size)]


def _stored(path: Path, corpus: TextCorpus, fingerprint: str) -> TokenBlocks:
    train_NT, held_out_NT, facts = read_blocks_file(path)
    notes = (*corpus.notes, *((label, of_json(remark)) for label, remark in json.loads(facts["notes"])))
    return TokenBlocks(train_NT, held_out_NT, tuple(dict.fromkeys(notes)), fingerprint, path)


def block_digests(blocks_NT: Tensor) -> list[str]:
    """A digest of each block, by which it is known again although no text is kept."""
    return [hashlib.blake2b(row.tobytes(), digest_size=8).hexdigest() for row in blocks_NT.int().numpy()]


def _and_left_out(problem: str, left_out: Sequence[tuple[str, str]]) -> str:
    """A problem, and a sentence on what was not read, with the first reasons, unless everything was."""
    if not left_out:
        return problem
    names = ((shortened(os.path.basename(path) or path, 40), reason) for path, reason in left_out[:3])
    listed = commas(say("{name} ({reason})", name=name, reason=reason) for name, reason in names)
    if len(left_out) > 3:
        listed = say("{names} and {count:,} more", names=listed, count=len(left_out) - 3)
    return say("{problem} Not read: {names}.", problem=problem, names=listed)


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
    notes = [*corpus.notes]
    per_byte, estimated, excerpt = _token_rate(corpus, tokenizer, vocabulary, notes, cancel)
    splits = tuple(
        (sources, round(per_byte * (corpus.size - size)), round(per_byte * size))
        for sources, size in corpus.held_out_sizes(percent / 100 for percent in range(1, 51))
    )
    summary = CorpusSummary(
        paths=tuple(map(str, paths)),
        name_guess=_guess_name(corpus.paths),
        files=len(corpus.sources),
        held_out_files=0,
        tokens=0,
        held_out_tokens=0,
        estimated=estimated,
        skipped=corpus.skipped,
        notes=tuple(dict.fromkeys(notes)),
        excerpt=excerpt,
        problem="" if corpus.sources else say("No readable text was found here."),
        kinds=corpus.kinds,
        splits=splits if corpus.sources else (),
    )
    return summary.under(block_size, held_out_share)


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
        text, whole = _beginning(source, notes)
        excerpt = excerpt or text[:600].strip()
        piece = text[:8192] if len(corpus.sources) > 4 else text[: 2**18]
        cut = cut or len(piece) < len(text) or not whole
        ids = encode_plain(tokenizer, piece, vocabulary)
        if (unknown := unknown_share(tokenizer, piece, ids)) > UNKNOWN_NOTED:
            notes.append((source.label, unknown_note(unknown)))
        tokens += len(ids)
        read = source.size if whole else len(text.encode(errors="replace"))
        size += round(read * len(piece) / max(1, len(text)))
    return tokens / max(1, size), cut, excerpt


def _beginning(source: Source, notes: list[tuple[str, str]]) -> tuple[str, bool]:
    """The text of a source, or about a million characters of it; and whether that is all."""
    texts, length = list[str](), 0
    for document in read_documents(source, notes):
        for text in document.pieces:
            if length >= 2**20:
                return "".join(texts), False
            texts.append(text)
            length += len(text)
    return "".join(texts), True


def _guess_name(paths: Sequence[str]) -> str:
    first = Path(paths[0]) if paths else Path("epoch")
    stem = first.name if first.is_dir() else (first.stem if len(paths) == 1 else first.parent.name)
    words = (stem or "epoch").replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]
