"""Files written whole or not at all: to a sibling, flushed to disk, renamed."""

from __future__ import annotations

import os
from pathlib import Path, PureWindowsPath

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

DAMAGE = (OSError, ValueError, KeyError, TypeError, SafetensorError, RuntimeError, AttributeError)
"""What reading a file can raise that somebody cut short, edited or took away."""


def write_text(path: Path, text: str) -> None:
    """Replace a file's text atomically and durably."""
    partial = path.with_name(f".{path.name}.partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial.write_text(text, encoding="utf-8")
    sync(partial)
    partial.replace(path)


def write_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """Replace a safetensors file atomically and durably."""
    partial = path.with_name(f".{path.name}.partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, partial)
    sync(partial)
    partial.replace(path)


def absolute(path: str | Path) -> Path:
    """A path that means the same wherever it is read; ``~`` is the person's folder."""
    return Path(os.path.abspath(Path(path).expanduser()))


def is_place(reference: str) -> bool:
    """Whether a backbone's reference is a path, of whatever system; else it is a name."""
    return not reference or reference.startswith((".", "~")) or bool(PureWindowsPath(reference).anchor)


def sync(path: Path) -> None:
    """Wait until a file is on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def first_line(error: BaseException) -> str:
    """What an error says, in a line."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
