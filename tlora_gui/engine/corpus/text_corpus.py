"""Text folders and files -> documents, with a held-out split by file.

Nothing is read before it is needed: a scan looks at names, sizes and a few kB of each file; two that begin alike are
compared whole. :mod:`tlora_gui.engine.corpus.documents` reads them.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from hashlib import blake2b, file_digest
from io import IOBase
from typing import Any

from tlora_gui.engine.corpus.decoding import SNIFF, NotText, examine, read_decoded
from tlora_gui.engine.corpus.files import Skipped, find_files, look, named_paths, real_path, shortened
from tlora_gui.engine.corpus.readers.input import ChatTemplate
from tlora_gui.engine.corpus.readers.kinds import TEXT, Kind, binary_kind
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import ReadOptions
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.sentences import say


@dataclass(frozen=True, slots=True)
class Source:
    """A file, a part of one, or a string given directly (``text``).

    ``size`` counts what is read of it; ``start`` and ``stop`` cut it, as shares of its text's length. Of a table
    ``column`` is read, which is looked for if empty; ``chat`` makes a text of a chat, as its backbone knows them.
    """

    label: str
    size: int
    text: str | None = None
    start: float = 0.0
    stop: float = 1.0
    kind: Kind = TEXT
    column: str = ""
    chat: ChatTemplate | None = None

    def part(self, start: float, stop: float) -> Source:
        return replace(self, size=int(self.size * (stop - start)), start=start, stop=stop)

    @property
    def ends(self) -> bool:
        """Whether its text ends where its document does."""
        return self.stop == 1


@dataclass(frozen=True, slots=True)
class TextCorpus:
    """A domain's texts, not yet read.

    Attributes:
        sources: what can be read.
        skipped: (path, reason) of what cannot.
        notes: (path, remark) of what can, but not wholly or not as a text alone.
        paths: the files and folders that it was found in, absolute.
    """

    sources: tuple[Source, ...]
    skipped: tuple[tuple[str, str], ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
    paths: tuple[str, ...] = ()

    @classmethod
    def from_texts(cls, texts: Iterable[str]) -> TextCorpus:
        """A corpus of strings, each one document; a string alone is one document.

        Raises:
            TloraError: if one of them is no string.
        """
        found, skipped = list[Source](), Skipped()
        for number, text in enumerate([texts] if isinstance(texts, str) else texts, 1):
            if not isinstance(text, str):
                raise TloraError(
                    say("Text {number:,} is no text but {type}.", number=number, type=_kind(text)),
                    say("Give a list of strings."),
                )
            if text.strip():
                found.append(Source(f"text {number}", len(text), text))
            else:
                skipped.append((f"text {number}", say("empty")))
        return cls(tuple(found), tuple(skipped))

    @classmethod
    def from_paths(
        cls,
        paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        cancel: CancelToken | None = None,
        reading: ReadOptions | None = None,
        chat: ChatTemplate | None = None,
    ) -> TextCorpus:
        """A corpus of files and folders, walked in name order; what is not read is listed with its reason.

        A path may be a ``file://`` address, begin with ``~`` or hold wildcards. Every file is read once, whatever
        links and other names lead to the same text.

        Args:
            paths: of files and folders.
            cancel: looked at with every file.
            reading: which files of a folder are read, and which column of a table.
            chat: makes the text of a chat; None for one of paragraphs, each with its speaker.

        Raises:
            TloraError: if a path is empty or leads to nothing, or a pattern means nothing.
            Cancelled: if ``cancel`` is set on the way.
        """
        reading = reading or ReadOptions()
        given = [paths] if isinstance(paths, (str, os.PathLike)) else paths
        chosen = list(dict.fromkeys(path for each in given for path in named_paths(each)))
        skipped, notes = Skipped(), Skipped()
        sources = list[Source]()
        alike: dict[bytes, list[Source]] = {}
        for path in find_files(chosen, skipped, cancel, reading):
            if cancel:
                cancel.raise_if_cancelled()
            try:
                found = look(path)
            except NotText as reason:
                skipped.append((path, str(reason)))
                continue
            source = Source(path, found.size, kind=found.kind, column=reading.column, chat=chat)
            sources.append(source)
            alike.setdefault(found.likeness, []).append(source)
            notes += [(path, found.remark)] if found.remark else []
        copies = set[str]()
        for group in alike.values():
            copies |= _copies(group, skipped, cancel)
        return cls(
            tuple(source for source in sources if source.label not in copies),
            tuple(skipped),
            tuple(note for note in notes if note[0] not in copies),
            tuple(map(real_path, chosen)),
        )

    @property
    def kinds(self) -> tuple[tuple[str, int, int], ...]:
        """(what people call them, files, bytes) of each kind of file, the largest first."""
        found: dict[str, tuple[int, int]] = {}
        for source in self.sources:
            files, size = found.get(source.kind.name, (0, 0))
            found[source.kind.name] = (files + 1, size + source.size)
        return tuple(sorted(((name, *counted) for name, counted in found.items()), key=lambda kind: -kind[2]))

    @property
    def size(self) -> int:
        """Bytes (or characters) to read of all sources together."""
        return sum(source.size for source in self.sources)

    def split(self, held_out_share: float) -> tuple[TextCorpus, TextCorpus]:
        """Training and held-out part, by document: the same files fall on the same side every time, and so do equal
        texts.

        Where no set of whole documents comes near the share (one alone, or one that outweighs the rest), the end of
        the largest is held out.
        """
        if not self.sources:
            return TextCorpus(()), TextCorpus(())
        held, cut = _held_out(self._groups(), held_out_share * self.size)
        if not cut:
            return self._only(set(range(len(self.sources))) - held), self._only(held)
        rest = (source.part(0, cut) if i in held else source for i, source in enumerate(self.sources))
        ends = (self.sources[i].part(cut, 1) for i in sorted(held))
        return TextCorpus(tuple(rest)), TextCorpus(tuple(ends))

    def held_out_sizes(self, shares: Iterable[float]) -> list[tuple[int, int]]:
        """How many sources :meth:`split` holds out at each of these shares, and their size."""
        groups, whole, found = self._groups(), self.size, list[tuple[int, int]]()
        for share in shares:
            held, cut = _held_out(groups, share * whole)
            sources = (self.sources[i] for i in held)
            found.append((len(held), sum(source.part(cut, 1).size if cut else source.size for source in sources)))
        return found

    def _groups(self) -> list[tuple[list[int], int]]:
        """Numbers of equal texts with their size, in an order of chance that is the same every time."""
        groups: dict[object, list[int]] = {}
        for index, source in enumerate(self.sources):
            groups.setdefault(source.text or index, []).append(index)
        sized = [(group, sum(self.sources[i].size for i in group)) for group in groups.values()]
        return sorted(sized, key=lambda group: random.Random(f"{group[0][0]}:{group[1]}").random())

    def _only(self, indices: Set[int]) -> TextCorpus:
        return TextCorpus(tuple(source for i, source in enumerate(self.sources) if i in indices))


def _held_out(groups: Sequence[tuple[list[int], int]], wanted: float) -> tuple[set[int], float]:
    """Numbers of the sources that are held out, and from which share of their text on."""
    held, taken = set[int](), 0
    for group, size in groups if len(groups) > 1 else ():
        if taken >= 0.75 * wanted:
            break
        if taken + size <= 1.5 * wanted:
            held.update(group)
            taken += size
    if held and taken >= 0.75 * wanted:
        return held, 0.0
    largest, size = max(groups, key=lambda group: (group[1], -group[0][0]), default=(list[int](), 0))
    return {*largest}, 1 - min(0.5, wanted / max(1, size))


def as_corpus(dataset: Any, reading: ReadOptions | None = None, chat: ChatTemplate | None = None) -> TextCorpus:
    """A :class:`TextCorpus` from one, from a path, or from a list of texts or of ``Path`` objects.

    ``reading`` and ``chat`` are for paths, as in :meth:`TextCorpus.from_paths`.

    Raises:
        TloraError: if the path does not exist, or it is anything else.
    """
    if isinstance(dataset, TextCorpus):
        return dataset
    if isinstance(dataset, (str, os.PathLike)):
        return TextCorpus.from_paths(dataset, reading=reading, chat=chat)
    if isinstance(dataset, (bytes, bytearray, Mapping, Set, IOBase)) or not isinstance(dataset, Iterable):
        raise TloraError(
            say("A corpus cannot be made of {type}.", type=_kind(dataset)),
            say("Give a list of texts, or a path."),
        )
    items = list(dataset)
    if items and all(isinstance(item, os.PathLike) for item in items):
        return TextCorpus.from_paths(items, reading=reading, chat=chat)
    if items and all(isinstance(item, str) and _is_like_a_path(item) for item in items):
        raise TloraError(
            say("These look like paths, not like texts."),
            say("Give the texts themselves, or the paths as pathlib.Path objects."),
        )
    return TextCorpus.from_texts(items)


def _is_like_a_path(text: str) -> bool:
    if "\n" in text or len(text) > 1024:
        return False
    return os.path.exists(text) or bool(re.fullmatch(r".*\S\.[A-Za-z]\w{0,6}|\S*[/\\]\S*", text.strip()))


def _kind(value: object) -> str:
    return "None" if value is None else type(value).__name__


def _copies(group: list[Source], skipped: Skipped, cancel: CancelToken | None) -> set[str]:
    """Of files that begin alike, those whose whole text has come before."""
    first: dict[bytes, str] = {}
    copies = set[str]()
    for source in group if len(group) > 1 else ():
        try:
            label = first.setdefault(_digest(source.label, cancel), source.label)
        except (OSError, NotText):  # whoever reads it says so
            continue
        if label != source.label:
            skipped.append((source.label, say("the same text as {path}", path=shortened(label))))
            copies.add(source.label)
    return copies


def _digest(path: str, cancel: CancelToken | None) -> bytes:
    """Of a file's text without the blanks around it, whatever its encoding and line ends."""
    digest, blanks, begun = blake2b(), "", False
    with open(path, "rb") as file:
        if binary_kind(file.read(SNIFF), path):
            file.seek(0)
            return file_digest(file, blake2b).digest()
        for piece in read_decoded(file, examine(file).name):
            if cancel:
                cancel.raise_if_cancelled()
            text = piece if begun else piece.lstrip()
            begun = begun or bool(text)
            kept = text.rstrip()
            if kept:
                digest.update((blanks + kept).encode())
            blanks = text[len(kept) :] if kept else blanks + text
    return digest.digest()
