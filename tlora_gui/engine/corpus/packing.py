"""The documents of a corpus -> a stream of token ids to train on and one that is held out.

An end mark stands where a document ends and nowhere else. Where text goes on somewhere else without one (passages of a
sample, a part that is held out), what has come of the block is dropped. No document is in both streams or comes twice.
"""

from __future__ import annotations

import codecs
import math
import random
import re
import sqlite3
import time
import unicodedata
from bisect import bisect_right
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import accumulate, chain
from typing import Any, AnyStr, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tlora_gui.engine.backbones.tokenizing import PlainEncoder, encode_more, encode_plain
from tlora_gui.engine.corpus.decoding import SNIFF, NotText, recognise, tidy
from tlora_gui.engine.corpus.documents import read_documents
from tlora_gui.engine.corpus.readers.kinds import TEXT
from tlora_gui.engine.corpus.text_corpus import Source, TextCorpus
from tlora_gui.engine.corpus.token_store import TokenFile
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.errors import cause
from tlora_gui.engine.protocol.events import Progress
from tlora_gui.engine.protocol.sentences import say

_PIECE = 2**11
"""Characters that are encoded as one text, about; tokenizers are slower with longer ones."""

_BATCH = 2**18
"""Characters that are encoded at once."""

_REACH = 2**15
"""Characters in which a good place for a cut is looked for."""

_PASSAGE = 16
"""Characters of a passage of a sample, by the tokens of a block."""

_SMALL = 2**16
"""Characters of a document that are held until it is known where it belongs."""

_SEEK = 2**20
"""Bytes of a text file from which on a sample of it is read at its places alone."""

_MB = 2**20
UNKNOWN_NOTED = 0.01
_SCRIPTS = "Aé Ж 中 क ก ﷽ 😀"
_BORDERS = [r"\n(?:(?<=\S\n)|(?<=\S\r\n))()(?=\S)", r"() (?<=\S )(?=\S)"]  # beginning with what is looked for first
_TEXT_BORDERS = [re.compile(each) for each in _BORDERS]
_BYTE_BORDERS = [re.compile(each.encode()) for each in (*_BORDERS, r"()(?=[\x00-\x7f\xc0-\xff])")]


class _Stream:
    """Ids in the order of the text; ``open`` says that the text of the last one goes on elsewhere."""

    def __init__(self, ids: TokenFile, block_size: int) -> None:
        self.ids = ids
        self.open = False
        self._block_size = block_size

    def begin(self) -> None:
        """Other text follows."""
        if self.open:
            self._drop_rest()
            self.open = False

    def move_tail(self, start: int, other: _Stream) -> None:
        """What comes from the block on that ``start`` lies in goes to another stream."""
        other._drop_rest()
        self.ids.move_tail(start - start % self._block_size, other.ids)
        other.open, self.open = self.open, True

    def _drop_rest(self) -> None:
        self.ids.truncate(self.ids.count - self.ids.count % self._block_size)


class _Piece(NamedTuple):
    """A part of a document on its way into a stream.

    Attributes:
        lead: the character before it; empty where its document begins.
        follows: whether what comes before it in its document has just gone into the stream.
        ends: whether its document ends with it.
        templated: whether control tokens in it are meant as such.
    """

    stream: _Stream
    label: str
    lead: str
    text: str
    follows: bool
    ends: bool
    templated: bool = False


@dataclass(frozen=True, slots=True)
class _Reading:
    """How a source is read.

    Attributes:
        size: bytes that are read of it.
        held_share: share of it that is held out, if it is in both streams.
        keep: share of its passages that is taken.
        places: numbers of the passages that are looked up, and their streams; empty if it is read from its beginning.
    """

    number: int
    source: Source
    size: int
    stream: _Stream
    held_share: float = 0.0
    keep: float = 1.0
    places: tuple[tuple[int, _Stream], ...] = ()


class Packer:
    """Reads and packs a corpus into two files of ids.

    Attributes:
        notes: (path, remark) on sources that were read in an unusual way, or could not be.
        unread: (path, reason) of sources that gave no text after all.
        found_text: whether any source gave some.
    """

    def __init__(
        self,
        tokenizer: Any,
        encoder: PlainEncoder,
        train: TokenFile,
        held_out: TokenFile,
        block_size: int,
        seed: int,
        cancel: CancelToken,
    ) -> None:
        self.notes: list[tuple[str, str]] = []
        self.unread: list[tuple[str, str]] = []
        self.found_text = False
        self._sizes: dict[str, int] = {}
        self._tokenizer = tokenizer
        self._encode = encoder
        self._train = _Stream(train, block_size)
        self._held_out = _Stream(held_out, block_size)
        self._passage = _PASSAGE * block_size
        self._seed = seed
        self._cancel = cancel
        mark = tokenizer.eos_token_id
        self._mark = np.array([] if mark is None or mark >= encoder.vocabulary else [mark], dtype=np.int64)
        self._may_lose = tokenizer.unk_token_id is not None or unknown_share(tokenizer, _SCRIPTS, []) > 0
        self._unknown: dict[str, list[float]] = {}
        self._seen = _Seen()
        self._queue: list[_Piece] = []
        self._leads: dict[str, NDArray[np.int64]] = {}
        self._began = time.monotonic()
        self._queued = self._done = self._in_source = self._total = 0

    def read(
        self, corpus: TextCorpus, held_out_share: float, max_tokens: int | None, held_out_tokens: int | None
    ) -> Generator[Progress, None, None]:
        """Read everything, or passages all over the corpus that come to more than so many tokens.

        Raises:
            Cancelled: if ``cancel`` is set on the way.
            OSError: if there is no room for the ids.
        """
        readings = self._plan(corpus, held_out_share, max_tokens, held_out_tokens)
        self._total = sum(reading.size for reading in readings)
        for reading in readings:
            yield self._progress()
            yield from self._look_up(reading) if reading.places else self._read(reading)
            self._done, self._in_source = self._done + reading.size, 0
        yield from self._flush()
        for label, (unknown, count) in self._unknown.items():
            if unknown > UNKNOWN_NOTED * count:
                self.notes.append((label, unknown_note(unknown / count)))

    def weighed(self, corpus: TextCorpus) -> TextCorpus:
        """The corpus without sources that gave no text; those that were read weigh what they gave: the bytes of an
        archive, or of a document with pictures, do not tell."""
        found = [(source, self._sizes.get(source.label, source.size)) for source in corpus.sources]
        return replace(corpus, sources=tuple(replace(source, size=size) for source, size in found if size))

    # -- what is read -------------------------------------------------------------------------------------------

    def _plan(
        self, corpus: TextCorpus, held_out_share: float, max_tokens: int | None, held_out_tokens: int | None
    ) -> list[_Reading]:
        train, held_out = corpus.split(held_out_share)
        cuts = {source.label: source.stop for source in train.sources}
        cuts |= {source.label: source.start for source in held_out.sources}
        counts = [-(-source.size // self._passage) for source in corpus.sources]
        borders = [int(cuts[source.label] * count) for source, count in zip(corpus.sources, counts, strict=True)]
        mean = sum(source.size for source in corpus.sources) / max(1, sum(counts))
        usual = mean if mean < self._passage / 2 else self._passage  # of many files that are shorter than a passage
        to_train = self._choose("train", [(0, border) for border in borders], max_tokens, usual)
        to_hold = self._choose("held out", [*zip(borders, counts, strict=True)], held_out_tokens, usual)
        order = dict[str, None]()
        for part, limit in ((train, max_tokens), (held_out, held_out_tokens)):
            labels = [source.label for source in part.sources]
            if limit is not None:
                random.Random(self._seed).shuffle(labels)
            order |= dict.fromkeys(labels)
        readings = dict[str, _Reading]()
        for number, (source, count, border) in enumerate(zip(corpus.sources, counts, borders, strict=True)):
            cut, parts = cuts[source.label], list[tuple[_Stream, list[int] | None, int]]()
            if cut > 0:
                parts.append((self._train, None if to_train is None else to_train.get(number, []), border))
            if cut < 1:
                parts.append((self._held_out, None if to_hold is None else to_hold.get(number, []), count - border))
            keep = max(1.0 if chosen is None else len(chosen) / max(1, among) for _, chosen, among in parts)
            if not keep:
                continue
            reading = _Reading(number, source, source.size, parts[0][0], 1 - cut if 0 < cut < 1 else 0.0, keep)
            if all(chosen is not None for _, chosen, _ in parts) and _can_be_looked_up(source):
                places = [(place, stream) for stream, chosen, _ in parts for place in chosen or ()]
                size = min(source.size, len(places) * self._passage)
                reading = _Reading(number, source, size, self._train, places=tuple(places))
            readings[source.label] = reading
        return [readings[label] for label in order if label in readings]

    def _choose(
        self, name: str, ranges: Sequence[tuple[int, int]], max_tokens: int | None, usual: float
    ) -> dict[int, list[int]] | None:
        """Passages of each source by its number, chosen among those in its range, which have ``usual`` characters on
        average; None for all of them."""
        ends = list(accumulate(stop - start for start, stop in ranges))
        wanted = max(32, math.ceil(10 * (max_tokens or 0) / max(1, usual)))
        if max_tokens is None or not ends or wanted >= ends[-1]:
            return None
        chosen: dict[int, list[int]] = {}
        for place in sorted(random.Random(f"{self._seed}:{name}").sample(range(ends[-1]), wanted)):
            number = bisect_right(ends, place)
            chosen.setdefault(number, []).append(place - ends[number] + ranges[number][1])
        return chosen

    def _look_up(self, reading: _Reading) -> Generator[Progress, None, None]:
        """Passages of a text file, which lie where its bytes say, whichever of them are read."""
        before: tuple[int, _Stream] | None = None
        try:
            with open(reading.source.label, "rb") as file:
                size = file.seek(0, 2)
                for place, stream in reading.places:
                    start = place * self._passage
                    file.seek(max(0, start - 4))
                    raw, at = file.read(2 * self._passage + 8), min(4, start)
                    ends = start + self._passage >= size
                    first = self._passage_border(raw, at) if start else 0
                    last = len(raw) if ends else self._passage_border(raw, at + self._passage)
                    self._in_source += self._passage
                    try:
                        text = tidy(raw[first:last].decode())
                    except UnicodeDecodeError:  # damaged
                        continue
                    lead = raw[:first].decode(errors="ignore")[-1:]
                    follows = before == (place - 1, stream)
                    yield from self._add(_Piece(stream, reading.source.label, lead, text, follows, ends))
                    before, self.found_text = (place, stream), True
        except OSError as error:
            self._left_out(reading.source, say("cannot be read: {reason}", reason=cause(error)))

    def _passage_border(self, raw: bytes, at: int) -> int:
        return _border(_BYTE_BORDERS, raw, at, at + self._passage) or at

    def _read(self, reading: _Reading) -> Generator[Progress, None, None]:
        """The documents of a source, each once and on one side."""
        yield from self._flush()
        source, rng, notes = reading.source, random.Random(f"{self._seed}:{reading.number}"), len(self.notes)
        size, held, twice, found, start = 0, 0, 0, False, self._train.ids.count

        def is_held(digest: bytes, length: int) -> bool:
            """Whether a document of a source in both streams is held out."""
            by_chance = int.from_bytes(digest[:8], "big") < reading.held_share * 2**64
            return by_chance and held + length <= 1.5 * reading.held_share * (size + length)

        for document in read_documents(source, self.notes):
            self._cancel.raise_if_cancelled()
            digest, head, length = blake2b(digest_size=16), list[str](), 0
            for text in document.pieces:
                head.append(text)
                if (length := length + len(text)) > _SMALL:
                    break
            stream = reading.stream
            if length <= _SMALL:
                text = "".join(head)
                digest.update(text.strip().encode(errors="surrogatepass"))
                if not text.strip():
                    continue
                found = True
                if not self._seen.add(digest.digest()):
                    twice += 1
                    continue
                if to_hold := is_held(digest.digest(), length):
                    stream = self._held_out
                yield from self._add_document(reading, stream, [text], rng, document.templated)
            else:
                yield from self._flush()
                stream.begin()
                found, begin, read = True, stream.ids.count, self._in_source
                texts = _digested(chain(head, document.pieces), digest)
                yield from self._add_document(reading, stream, texts, rng, document.templated)
                yield from self._flush()
                length = self._in_source - read
                if not self._seen.add(digest.digest()):
                    stream.ids.truncate(begin)
                    stream.open = False
                    twice += 1
                    continue
                if to_hold := is_held(digest.digest(), length):
                    stream.move_tail(begin, self._held_out)
            size, held = size + length, held + to_hold * length
        yield from self._flush()
        if size and (missing := reading.held_share * size - held) > 0.25 * reading.held_share * size:
            stop = self._train.ids.count
            self._train.move_tail(stop - round((stop - start) * missing / (size - held)), self._held_out)
        self.found_text = self.found_text or found
        self._sizes[source.label] = min(source.size, size) if found else 0
        if twice:
            self.notes.append((source.label, say("{count:,} documents left out that come twice", count=twice)))
        if not found and source.text is None:
            self._left_out(source, self.notes[-1][1] if len(self.notes) > notes else say("empty"))

    def _left_out(self, source: Source, reason: str) -> None:
        self.unread.append((source.label, reason))
        if self.unread[-1] not in self.notes:
            self.notes.append(self.unread[-1])

    # -- how it gets into the streams ---------------------------------------------------------------------------

    def _add_document(
        self, reading: _Reading, stream: _Stream, texts: Iterable[str], rng: random.Random, templated: bool
    ) -> Generator[Progress, None, None]:
        follows = False
        for lead, text, ends in cut_pieces(texts, _PIECE if reading.keep >= 1 else self._passage):
            self._in_source += len(text)
            kept = reading.keep >= 1 or rng.random() < reading.keep
            if kept:
                yield from self._add(_Piece(stream, reading.source.label, lead, text, follows, ends, templated))
            follows = kept
            self._cancel.raise_if_cancelled()

    def _add(self, piece: _Piece) -> Generator[Progress, None, None]:
        self._queue.append(piece)
        self._queued += len(piece.text)
        if self._queued >= _BATCH:
            yield from self._flush()

    def _flush(self) -> Generator[Progress, None, None]:
        """Encode and write what waits."""
        if not self._queue:
            return
        for piece, ids in zip(self._queue, self._ids(self._queue), strict=True):
            if not piece.follows:
                piece.stream.begin()
            piece.stream.ids.write(ids)
            if piece.ends:
                piece.stream.ids.write(self._mark)
            piece.stream.open = not piece.ends
            if self._may_lose:
                counted = self._unknown.setdefault(piece.label, [0.0, 0])
                counted[0] += len(ids) * unknown_share(self._tokenizer, piece.text, ids)
                counted[1] += len(ids)
        self._queue.clear()
        self._queued = 0
        yield self._progress()

    def _ids(self, pieces: Sequence[_Piece]) -> list[NDArray[np.int64]]:
        """Token ids of pieces as they are in their texts, without the space that some tokenizers begin with."""
        new = list({piece.lead for piece in pieces if piece.lead} - self._leads.keys())
        self._leads |= zip(new, self._encode(new), strict=True)
        found = self._encode([piece.lead + piece.text for piece in pieces])
        again = list[int]()
        for index, piece in enumerate(pieces):
            lead = self._leads[piece.lead] if piece.lead else found[index][:0]
            if np.array_equal(found[index][: len(lead)], lead):
                found[index] = found[index][len(lead) :]
            else:
                again.append(index)
        for index, ids in zip(again, self._encode([pieces[index].text for index in again]), strict=True):
            found[index] = ids
        for index, piece in enumerate(pieces):
            if piece.templated:
                found[index] = np.array(encode_more(self._tokenizer, piece.text, self._encode.vocabulary).ids)
        return found

    def _progress(self) -> Progress:
        self._cancel.raise_if_cancelled()
        done, passed = self._done + self._in_source, time.monotonic() - self._began
        done = min(done, self._total)
        left = passed / done * (self._total - done) if done and passed > 1 else None
        return Progress(say("Reading the corpus"), done / _MB, self._total / _MB, say("MB"), left)


class _Seen:
    """Digests of documents; most of them on disk, so that millions need no memory."""

    def __init__(self) -> None:
        self._table = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for command in (
            "PRAGMA journal_mode = OFF",
            "PRAGMA cache_size = -16384",
            "CREATE TABLE seen (digest INTEGER PRIMARY KEY)",
            "BEGIN",
        ):
            self._table.execute(command)

    def add(self, digest: bytes) -> bool:
        """Whether it is new."""
        number = int.from_bytes(digest[:8], "little", signed=True)
        return self._table.execute("INSERT OR IGNORE INTO seen VALUES (?)", (number,)).rowcount == 1


def cut_pieces(texts: Iterable[str], size: int) -> Iterator[tuple[str, str, bool]]:
    """A text in pieces of about ``size`` characters, however it comes.

    Each with the character before it and whether it is the last. They are cut where tokenizers make the same of a text:
    before a line that follows another, or before a word; where there is none of these for long, anywhere.
    """
    lead = rest = ""
    for text in chain(texts, [None]):
        rest, start = rest + (text or ""), 0
        while len(rest) - start > (2 * size if text is None else size + _REACH):
            near, far = start + size, start + size + _REACH
            stop = _border(_TEXT_BORDERS, rest, near, near + size) or _border(_TEXT_BORDERS, rest, near, far) or far
            if stop >= len(rest):
                break
            yield lead, rest[start:stop], False
            lead, start = rest[stop - 1], stop
        rest = rest[start:]
    if rest:
        yield lead, rest, True


def _border(patterns: Iterable[re.Pattern[AnyStr]], text: AnyStr, start: int, stop: int) -> int:
    """The first place in a range where a pattern of the first kind that is there at all fits; else 0."""
    return next((found.start(1) for each in patterns if (found := each.search(text, start, stop))), 0)


def _digested(texts: Iterable[str], digest: Any) -> Iterator[str]:
    for text in texts:
        digest.update(text.encode(errors="surrogatepass"))
        yield text


def _can_be_looked_up(source: Source) -> bool:
    """Whether it is a large text file whose bytes at any place are UTF-8."""
    if source.kind != TEXT or source.text is not None or source.size < _SEEK:
        return False
    try:
        with open(source.label, "rb") as file:
            if recognise(file.read(SNIFF)) != "utf-8":
                return False
            for part in range(1, 9):
                file.seek(source.size * part // 9)
                raw = file.read(SNIFF).lstrip(bytes(range(0x80, 0xC0)))
                codecs.getincrementaldecoder("utf-8")().decode(raw)
    except (OSError, NotText, UnicodeDecodeError):
        return False
    return True


def unknown_share(tokenizer: Any, text: str, ids: Sequence[int] | NDArray[np.int64]) -> float:
    """Share of a text that a tokenizer reads as its unknown token, or leaves out if it has none."""
    if tokenizer.unk_token_id is not None:
        return float(np.count_nonzero(np.asarray(ids) == tokenizer.unk_token_id)) / max(1, len(ids))
    sample = unicodedata.normalize("NFC", text[:2048])
    decoded = tokenizer.decode(encode_plain(tokenizer, sample))
    return 1 - min(1.0, len("".join(decoded.split())) / max(1, len("".join(sample.split()))))


def unknown_note(share: float) -> str:
    """The remark on a text of which so much is unknown."""
    return say("this backbone does not know {share:.0%} of this text", share=share)
