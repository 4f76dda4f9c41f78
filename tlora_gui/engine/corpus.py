"""Text folders and files -> documents -> token blocks, with a held-out split by file.

Nothing is read before it is needed: a scan looks at names, sizes and the first bytes only; texts are read when they
are tokenised, and of a corpus larger than the token budget only the chosen passages are.
"""

from __future__ import annotations

import codecs
import math
import os
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from charset_normalizer import from_bytes
from torch import Tensor

from tlora_gui.engine.cancel import CancelToken
from tlora_gui.engine.config import TrainSettings
from tlora_gui.engine.errors import TloraError
from tlora_gui.engine.events import CorpusSummary

FILE_LIMIT = 32 * 2**20
"""Bytes read of one file at most."""
MIN_TRAIN_BLOCKS = 8
"""Fewer blocks of text than this are refused: nothing could be learned or measured."""

_SNIFF = 8192
_PASSAGE = 2048
_READ_LIMIT = 64 * 2**20
_SKIPPED_FOLDERS = {"__pycache__", "node_modules", "venv", "build", "dist"}
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_CODE_PAGES = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "koi8_r", "cp932"]
_CODE_PAGES += ["euc_jp", "gb18030", "big5", "cp949"]
_CONVERT = {".pdf": "PDF", ".docx": "Word", ".doc": "Word", ".odt": "OpenDocument", ".epub": "EPUB", ".rtf": "RTF"}


@dataclass(frozen=True, slots=True)
class Source:
    """One text: a file, a part of one, or a string given directly (``text``).

    ``size`` counts what is read of it, at most ``FILE_LIMIT``; ``start`` and ``stop`` cut it, as shares of its length.
    """

    label: str
    size: int
    text: str | None = None
    start: float = 0.0
    stop: float = 1.0

    def part(self, start: float, stop: float) -> Source:
        return Source(self.label, int(self.size * (stop - start)), self.text, start, stop)


@dataclass(frozen=True, slots=True)
class TextCorpus:
    """A domain's texts, not yet read.

    Attributes:
        sources: what can be read.
        skipped: (path, reason) of what cannot.
    """

    sources: tuple[Source, ...]
    skipped: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_texts(cls, texts: Iterable[str]) -> TextCorpus:
        """A corpus of strings, each one document."""
        return cls(tuple(Source(f"text {i}", len(text), text) for i, text in enumerate(texts, 1) if text.strip()))

    @classmethod
    def from_paths(cls, paths: Iterable[str | Path], cancel: CancelToken | None = None) -> TextCorpus:
        """A corpus of files and folders, walked in name order; hidden and binary files are skipped with a reason.

        Raises:
            TloraError: if a path does not exist.
            Cancelled: if ``cancel`` is set on the way.
        """
        sources: list[Source] = []
        skipped: list[tuple[str, str]] = []
        seen: set[str] = set()
        for path in _walk(paths, skipped):
            if cancel:
                cancel.raise_if_cancelled()
            reason, size = _look(path)
            if not reason and (place := os.path.realpath(path)) in seen:
                reason = "the same file is there already"
            if reason:
                skipped.append((str(path), reason))
            else:
                seen.add(place)
                sources.append(Source(str(path), min(size, FILE_LIMIT)))
        return cls(tuple(sources), tuple(skipped))

    @property
    def size(self) -> int:
        """Bytes (or characters) to read of all sources together."""
        return sum(source.size for source in self.sources)

    def split(self, held_out_share: float) -> tuple[TextCorpus, TextCorpus]:
        """Training and held-out part, by file: the same files fall on the same side every time.

        Where no set of whole files comes near the share (one file, or one that outweighs the rest), the end of the
        largest is held out.
        """
        wanted = held_out_share * self.size
        held: list[int] = []
        taken = 0
        order = sorted(range(len(self.sources)), key=lambda i: random.Random(f"{i}:{self.sources[i].size}").random())
        for index in order if len(self.sources) > 1 else ():
            size = self.sources[index].size
            if taken < 0.75 * wanted and taken + size <= 1.5 * wanted:
                held.append(index)
                taken += size
        if held and taken >= 0.75 * wanted:
            kept = sorted({*order} - {*held})
            return TextCorpus(tuple(self.sources[i] for i in kept)), TextCorpus(tuple(self.sources[i] for i in held))
        if not self.sources:
            return TextCorpus(()), TextCorpus(())
        largest = max(self.sources, key=lambda source: source.size)
        cut = 1 - min(0.5, wanted / max(1, largest.size))
        rest = [source.part(0, cut) if source is largest else source for source in self.sources]
        return TextCorpus(tuple(rest)), TextCorpus((largest.part(cut, 1),))


def as_corpus(dataset: TextCorpus | str | Path | Sequence[str]) -> TextCorpus:
    """A :class:`TextCorpus` from a path, or a sequence of texts.

    Raises:
        TloraError: if the path does not exist.
    """
    if isinstance(dataset, TextCorpus):
        return dataset
    if isinstance(dataset, (str, Path)):
        return TextCorpus.from_paths([dataset])
    return TextCorpus.from_texts(dataset)


# -- files ------------------------------------------------------------------------------------------------------


def _walk(paths: Iterable[str | Path], skipped: list[tuple[str, str]]) -> Iterator[Path]:
    def unreadable(error: OSError) -> None:
        skipped.append((str(error.filename), "no permission to open this folder"))

    for given in map(Path, paths):
        if not given.exists():
            raise TloraError(f"{given} does not exist.", "Choose a folder or files that are there.")
        if given.is_file():
            yield given
            continue
        for folder, names, files in os.walk(given, onerror=unreadable):
            hidden = sorted(name for name in names + files if name.startswith("."))
            skipped += [(os.path.join(folder, name), "hidden") for name in hidden]
            skipped += [(os.path.join(folder, n), "made by tools") for n in sorted(names) if n in _SKIPPED_FOLDERS]
            names[:] = sorted(n for n in names if not n.startswith(".") and n not in _SKIPPED_FOLDERS)
            yield from (Path(folder, file) for file in sorted(files) if not file.startswith("."))


def _look(path: Path) -> tuple[str, int]:
    """Why this file cannot be read ("" if it can), and its size."""
    if (kind := _CONVERT.get(path.suffix.lower())) is not None:
        return f"{kind} is not plain text; save it as .txt first", 0
    try:
        if not path.is_file():
            return "not a regular file", 0
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(_SNIFF)
    except OSError as error:
        return f"cannot be read: {error.strerror or error}", 0
    if not head.strip():
        return "empty", 0
    if b"\0" in head and not head.startswith(tuple(bom for bom, _ in _BOMS)):
        return "binary, not text", 0
    return "", size


def read_text(source: Source, notes: list[tuple[str, str]] | None = None) -> str:
    """The text of one source; remarks on encoding and size go to ``notes``.

    An unreadable file gives no text and a note, since it may vanish between scan and training.
    """
    notes = [] if notes is None else notes
    if source.text is None:
        try:
            with open(source.label, "rb") as file:
                raw = file.read(FILE_LIMIT)
                if file.read(1):
                    notes.append((source.label, f"only the first {FILE_LIMIT // 2**20} MB are read"))
        except OSError as error:
            notes.append((source.label, f"cannot be read: {error.strerror or error}"))
            return ""
        text = _decode(raw, source.label, notes)
    else:
        text = source.text
    return text[int(len(text) * source.start) : int(len(text) * source.stop)]


def _decode(raw: bytes, label: str, notes: list[tuple[str, str]]) -> str:
    encoding = next((name for bom, name in _BOMS if raw.startswith(bom)), "utf-8")
    if encoding == "utf-16":
        notes.append((label, "read as UTF-16"))
    try:
        return codecs.getincrementaldecoder(encoding)().decode(raw, final=False)
    except UnicodeDecodeError as error:
        text = raw.decode("utf-8", errors="replace")
        damaged = text.count("\ufffd")
        if len(text) - len(text.encode("ascii", "ignore")) > 5 * damaged:
            notes.append((label, f"UTF-8 with {damaged} damaged characters"))
            return text
        start = max(0, error.start - 2**17)
        encoding = _guess_encoding(raw[start : start + 2**18])
        notes.append((label, f"not UTF-8; read as {encoding}"))
        return raw.decode(encoding, errors="replace")


def _guess_encoding(raw: bytes) -> str:
    """A code page for bytes that are not UTF-8.

    Its neighbours differ from cp1252 in a few letters only and come first by chance, so cp1252 is taken where it is
    nearly as good as the best (limits tried on 14 languages of Latin script; Hungarian, Romanian and Lithuanian lose).
    """
    found = from_bytes(raw, cp_isolation=_CODE_PAGES)
    best = found.best()
    if best is None:
        return "latin-1"
    western = next((match for match in found if "cp1252" in match.could_be_from_charset), None)
    if western and western.chaos <= best.chaos + 0.09 and western.coherence >= best.coherence - 0.05:
        return "cp1252"
    return best.encoding


# -- tokens -----------------------------------------------------------------------------------------------------


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
        cut = (source.label, f"only the first {FILE_LIMIT // 2**20} MB are read")
        if source.size == FILE_LIMIT and cut not in notes and _look(Path(source.label))[1] > FILE_LIMIT:
            notes.append(cut)
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
