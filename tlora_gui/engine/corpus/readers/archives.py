"""Packed files and archives: what is in them is read as if it lay beside them, and unpacked to no place of its own."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import PurePosixPath
from typing import BinaryIO, cast
from zipfile import ZipFile

from tlora_gui.engine.corpus.decoding import SNIFF, NotText
from tlora_gui.engine.corpus.readers.input import Bounded, Document, Input, require_honest, spooled
from tlora_gui.engine.corpus.readers.kinds import BZIP2, GZIP, TAR, Kind, binary_kind
from tlora_gui.engine.protocol.sentences import say

_MOST_DEEP = 2
_PACKED_ENDINGS = {".gz": "", ".bz2": "", ".xz": "", ".tgz": ".tar", ".tbz2": ".tar", ".txz": ".tar"}
_HIDDEN = ("__MACOSX", "__pycache__", "node_modules")

ReadMember = Callable[[Input], Iterator[Document]]


def read_packed(given: Input, kind: Kind, read: ReadMember) -> Iterator[Document]:
    """What a .gz, .bz2 or .xz holds."""
    opened = {GZIP: gzip.GzipFile, BZIP2: bz2.BZ2File}.get(kind, lzma.LZMAFile)
    given.file.seek(0)
    unpacked = opened(given.file) if kind != GZIP else gzip.GzipFile(fileobj=given.file, mode="rb")
    path = PurePosixPath(given.name.lower())
    inner = replace(given, name=path.stem + _PACKED_ENDINGS.get(path.suffix, ""))

    def read_inner(unpacked: Input) -> Iterator[Document]:
        is_tar = binary_kind(unpacked.head(SNIFF), unpacked.name) == TAR
        return read(unpacked if is_tar else _deeper(unpacked))

    yield from _unpacked(inner, unpacked, read_inner)


def read_zip(given: Input, read: ReadMember) -> Iterator[Document]:
    with ZipFile(given.randomly()) as archive:
        members = [info for info in archive.infolist() if not info.is_dir()]
        require_honest(sum(info.file_size for info in members), given.size)
        for info in members:
            member = _member(given, info.filename)
            if _is_hidden(info.filename):
                member.remark(say("hidden"))
            elif info.flag_bits & 1:
                member.remark(say("encrypted with a password"))
            else:
                with archive.open(info) as file:
                    yield from _unpacked(replace(member, size=info.compress_size), file, read)


def read_tar(given: Input, read: ReadMember) -> Iterator[Document]:
    given.file.seek(0)
    with tarfile.open(fileobj=given.file, mode="r:") as archive:
        for info in archive:
            archive.members.clear()  # type: ignore[attr-defined] # it remembers all
            if info.isdir():
                continue
            member = _member(given, info.name)
            if _is_hidden(info.name):
                member.remark(say("hidden"))
            elif not info.isfile() or (unpacked := archive.extractfile(info)) is None:
                member.remark(say("a link, or no regular file"))
            else:
                file = cast(BinaryIO, unpacked)
                with file if given.random else spooled(file) as file:
                    yield from read(replace(member, file=file, size=info.size, random=True))


def _unpacked(given: Input, unpacked: object, read: ReadMember) -> Iterator[Document]:
    """What a packed stream holds, and a note if it is damaged on the way."""
    bounded = Bounded(unpacked, given.size)
    yield from read(replace(given, file=cast(BinaryIO, io.BufferedReader(bounded, 2**16)), random=False))
    if bounded.is_damaged and not any(label == given.label for label, _ in given.notes):
        given.remark(say("damaged; read up to there"))


def _member(given: Input, name: str) -> Input:
    return _deeper(replace(given, label="/".join((given.label, name)), name=name))


def _deeper(given: Input) -> Input:
    return replace(given, depth=given.depth + 1)


def _is_hidden(name: str) -> bool:
    return any(part in _HIDDEN or (part.startswith(".") and part not in (".", "..")) for part in name.split("/"))


def require_shallow(given: Input) -> None:
    """Raise ``NotText`` for an archive in an archive in an archive."""
    if given.depth >= _MOST_DEEP:
        raise NotText(say("an archive too deep in others"))
