"""The beginning of a corpus as a backbone reads it: blocks of tokens, each with its text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tlora_gui.engine.backbones.token_text import TextStream
from tlora_gui.engine.backbones.tokenizing import encode_more, encode_plain
from tlora_gui.engine.corpus.documents import read_documents
from tlora_gui.engine.corpus.packing import unknown_share
from tlora_gui.engine.corpus.text_corpus import TextCorpus
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.events import BlocksPreviewed, TokenPiece

BLOCKS = 3
_CHARACTERS = 16
"""More than a token has on average; a document is read no further than its blocks can need."""


def preview(
    corpus: TextCorpus,
    tokenizer: Any,
    *,
    block_size: int,
    held_out_share: float,
    vocabulary: int | None = None,
    cancel: CancelToken | None = None,
) -> BlocksPreviewed:
    """The first :data:`BLOCKS` blocks of the text to train on, document after document.

    Raises:
        Cancelled: if ``cancel`` is set on the way.
    """
    wanted = BLOCKS * block_size
    mark = tokenizer.eos_token_id
    if mark is not None and vocabulary is not None and mark >= vocabulary:
        mark = None
    pieces, text, ids = list[TokenPiece](), "", list[int]()
    for beginning, templated, ends in _beginnings(corpus.split(held_out_share)[0], _CHARACTERS * wanted):
        if cancel:
            cancel.raise_if_cancelled()
        if templated:
            found = list(encode_more(tokenizer, beginning, vocabulary).ids)
        else:
            found = encode_plain(tokenizer, beginning, vocabulary)
        stream, text, ids = TextStream(tokenizer), text + beginning, ids + found
        pieces += [TokenPiece(each, stream.push(each)) for each in found[: wanted - len(pieces)]]
        if ends and mark is not None and len(pieces) < wanted:
            pieces.append(TokenPiece(mark, "", ends=True))
        if len(pieces) >= wanted:
            break
    blocks = tuple(tuple(pieces[start : start + block_size]) for start in range(0, len(pieces), block_size))
    return BlocksPreviewed(blocks, unknown_share(tokenizer, text, ids))


def _beginnings(corpus: TextCorpus, characters: int) -> Iterator[tuple[str, bool, bool]]:
    """The beginning of each document, whether a chat template made it, and whether the document ends there."""
    for source in corpus.sources:
        held, templated = "", False
        for document in read_documents(source, []):
            if held:
                yield held, templated, True
            held, templated = "".join(_up_to(document.pieces, characters + 1)), document.templated
            if len(held) > characters:
                yield held[:characters], templated, False
                held = ""
        if held:
            yield held, templated, source.ends


def _up_to(pieces: Iterator[str], characters: int) -> Iterator[str]:
    for piece in pieces:
        yield piece[:characters]
        characters -= len(piece)
        if characters <= 0:
            return
