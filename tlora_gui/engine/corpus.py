"""Text folders and files -> documents, with a held-out split by file.

Nothing is read before it is needed: a scan looks at names, sizes and the first bytes only.
"""

from __future__ import annotations

import codecs
import os
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from charset_normalizer import from_bytes

from tlora_gui.engine.cancel import CancelToken
from tlora_gui.engine.errors import TloraError

FILE_LIMIT = 32 * 2**20
"""Bytes read of one file at most."""

_SNIFF = 8192
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


def cut_note(source: Source) -> tuple[str, str] | None:
    """The remark on a file of which only the beginning is read; None for any other."""
    if source.size != FILE_LIMIT or _look(Path(source.label))[1] <= FILE_LIMIT:
        return None
    return source.label, _cut_remark()


def _cut_remark() -> str:
    return f"only the first {FILE_LIMIT // 2**20} MB are read"


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
                    notes.append((source.label, _cut_remark()))
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
