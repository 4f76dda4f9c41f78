"""Token ids on disk: written one after the other while a corpus is read, kept as blocks that are mapped, not loaded.

A file of blocks is a safetensors file with "train" and "held_out" (N, T), uint16 where the vocabulary allows it, else
int32. Those of corpora that were trained on lie in the cache, the oldest of them go.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Any, BinaryIO, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor

from tlora_gui.engine.storage.disk import open_tensors, rename, require_room, sync
from tlora_gui.paths import tokens_dir

KEPT = 2**33
"""Bytes of blocks that stay in the cache beside the newest."""

_CHUNK = 2**20
_ROWS = 512
_TYPES: dict[str, np.dtype[Any]] = {"U16": np.dtype("<u2"), "I32": np.dtype("<i4")}


class TokenFile:
    """Token ids in a temporary file that nobody else sees.

    Attributes:
        count: how many.
    """

    def __init__(self, vocabulary: int) -> None:
        self.type = "U16" if vocabulary <= 2**16 else "I32"
        self.count = 0
        tokens_dir().mkdir(parents=True, exist_ok=True)
        self._file = cast(BinaryIO, TemporaryFile(dir=tokens_dir()))  # noqa: SIM115 - see __exit__

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with suppress(OSError):  # what is in its buffer may have no room, and nobody needs it
            self._file.close()

    @property
    def dtype(self) -> np.dtype[Any]:
        return _TYPES[self.type]

    def write(self, ids: NDArray[np.int64]) -> None:
        """Add ids at the end. Raises ``OSError`` if there is no room."""
        self._file.write(ids.astype(self.dtype).tobytes())
        self.count += len(ids)

    def truncate(self, count: int) -> None:
        """Forget all but the first ``count``."""
        self._file.flush()
        self._file.truncate(count * self.dtype.itemsize)
        self._file.seek(0, os.SEEK_END)
        self.count = count

    def move_tail(self, start: int, other: TokenFile) -> None:
        """Everything from ``start`` goes to the end of another file of the same type."""
        for data in self._read(start):
            other._file.write(data)
        other.count += self.count - start
        self.truncate(start)

    def rows(self, block_size: int, chosen: Tensor | None = None) -> Iterator[bytes]:
        """Its whole blocks in their order, or those with the chosen numbers in theirs."""
        if chosen is None:
            yield from self._read(0, self.count - self.count % block_size)
            return
        self._file.flush()
        for numbers in chosen.split(_ROWS):  # a map holds what was read through it, so each is small
            blocks_NT = np.memmap(self._file, self.dtype, "r", shape=(self.count // block_size, block_size))
            yield blocks_NT[numbers.numpy()].tobytes()

    def _read(self, start: int, stop: int | None = None) -> Iterator[bytes]:
        self._file.seek(start * self.dtype.itemsize)
        left = ((self.count if stop is None else stop) - start) * self.dtype.itemsize
        while data := self._file.read(min(_CHUNK, left)):
            left -= len(data)
            yield data


def write_blocks(
    path: Path, parts: Mapping[str, tuple[TokenFile, Tensor | None]], block_size: int, facts: Mapping[str, str]
) -> Iterator[int]:
    """Write blocks as a safetensors file, whole or not at all; gives the bytes written so far.

    Args:
        path: in the folder of blocks.
        parts: by name: the ids, and the numbers of the blocks that are taken in their order; None for all.
        block_size: ids per block.
        facts: stored with them.

    Raises:
        OSError, TloraError: if there is no room.
    """
    header: dict[str, object] = {"__metadata__": dict(facts)}
    end = 0
    for name, (ids, chosen) in parts.items():
        count = ids.count // block_size if chosen is None else len(chosen)
        start, end = end, end + count * block_size * ids.dtype.itemsize
        header[name] = {"dtype": ids.type, "shape": [count, block_size], "data_offsets": [start, end]}
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    require_room(path, end + len(head))
    partial = path.with_name(f".{path.name}-{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            file.write(len(head).to_bytes(8, "little") + head)
            for ids, chosen in parts.values():
                for data in ids.rows(block_size, chosen):
                    file.write(data)
                    yield file.tell()
        sync(partial)
        rename(partial, path)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise
    _remove_oldest(path)


def read_blocks_file(path: Path) -> tuple[Tensor, Tensor, dict[str, str]]:
    """Training blocks (N, T), mapped and not loaded; held-out blocks (N, T), int64; and the facts stored with them.

    Raises:
        OSError, SafetensorError, KeyError: if it is not there, or damaged.
    """
    with open_tensors(path) as file:
        facts = file.metadata() or {}
    blocks = load_file(path)
    return blocks["train"], blocks["held_out"].long(), facts


def rows_of(blocks_NT: Tensor, numbers_B: Tensor) -> Tensor:
    """The blocks of these numbers (B, T), int64, of blocks in whatever type; torch 2.7 has no index of uint16."""
    return torch.from_numpy(blocks_NT.numpy()[numbers_B.numpy()].astype(np.int64))


def all_known(ids: Tensor, vocabulary: int) -> bool:
    """Whether a vocabulary of so many tokens has all of these ids, of whatever type, mapped or not."""
    pieces = np.array_split(ids.numpy().reshape(-1), 1 + ids.numel() // _CHUNK)
    return all(not piece.size or 0 <= int(piece.min()) <= int(piece.max()) < vocabulary for piece in pieces)


def keep_blocks_file(path: Path, target: Path) -> None:
    """Give a file of blocks a second name, or copy it where that cannot be. Raises ``OSError`` if it is gone."""
    try:
        os.link(path, target)
    except OSError:
        require_room(target, path.stat().st_size)
        partial = target.with_name(f".{target.name}.partial")
        shutil.copyfile(path, partial)
        sync(partial)
        rename(partial, target)


def _remove_oldest(newest: Path) -> None:
    """Take away what has not been used for longest, until the rest fits."""
    found = []
    for path in newest.parent.iterdir():
        with suppress(OSError):
            found.append((path.stat().st_mtime, path.stat().st_size, path))
    left = KEPT
    for _, size, path in sorted(found, reverse=True):
        if path != newest and (left := left - size) < 0:
            with suppress(OSError):  # somebody has it open
                path.unlink()
