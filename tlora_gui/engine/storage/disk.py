"""Files written whole or not at all (to a sibling, flushed to disk, renamed), and read with a limit.

Writers never make the folder that a file goes into: if it is gone, the project is.
"""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PureWindowsPath
from typing import Any, BinaryIO, TypeVar

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from tlora_gui.engine.protocol.errors import TloraError, cause
from tlora_gui.engine.protocol.sentences import Sentence, message_of, say

DAMAGE = (OSError, ValueError, KeyError, TypeError, SafetensorError, RuntimeError, AttributeError)
"""What reading a file can raise that somebody cut short, edited or took away."""

PATIENCE_S = 5.0
"""How long a refusal may last: scanners, backups and clouds hold files for a moment."""

MAX_JSON_BYTES = 16 * 2**20

_PARTIAL = re.compile(r"\..*\.partial|\.partial-.*")
_REASON_LENGTH = 300
Done = TypeVar("Done")


def patiently(do: Callable[[], Done]) -> Done:
    """Do it, again and again for ``PATIENCE_S`` seconds if the system refuses.

    Raises:
        PermissionError: if it refuses to the last.
    """
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return do()
        except PermissionError:
            if time.monotonic() >= until:
                raise
            time.sleep(0.05)


def write_text(path: Path, text: str) -> None:
    """Replace a file's text atomically and durably."""
    write_file(path, lambda partial: partial.write_text(text, encoding="utf-8"))


def write_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """Replace a safetensors file atomically and durably.

    Raises:
        TloraError: if there is no room for it.
    """
    require_room(path, sum(tensor.nbytes for tensor in tensors.values()))
    stored = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_file(path, lambda partial: save_tensors(stored, partial))


def open_tensors(path: Path) -> Any:
    """A safetensors file, its header read, to be closed as a context. Raises one of ``DAMAGE``; a refusal is the
    system's own, where the library calls every one a missing file."""
    path.open("rb").close()
    return safe_open(path, "pt")


def require_header(path: Path) -> None:
    """Refuse a safetensors file that is not there, cut short or none. Raises as :func:`open_tensors`."""
    with open_tensors(path):
        pass


def read_tensors(path: Path) -> dict[str, Tensor]:
    """A safetensors file, mapped. Raises as :func:`open_tensors`."""
    path.open("rb").close()
    return load_file(path)


def save_tensors(tensors: dict[str, Tensor], path: Path) -> None:
    """Write a safetensors file that may be read by whoever may read others: the library's are its owner's alone."""
    path.touch()
    mode = path.stat().st_mode
    save_file(tensors, path, metadata={"format": "pt"})
    path.chmod(mode)


def share_files(folder: Path) -> None:
    """Let files that a library has written into a new folder be read by whoever may read the folder."""
    usual = folder.stat().st_mode & 0o666
    for part in folder.rglob("*"):
        if part.is_file():
            part.chmod(part.stat().st_mode | usual)


def write_file(path: Path, write: Callable[[Path], object]) -> None:
    """Replace a file atomically and durably; ``write`` is given the sibling that it writes to."""
    with whole_file(path) as partial:
        patiently(lambda: write(partial))


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A sibling to write to, which takes the file's place, atomically and durably, if the block ends well."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        yield partial
        sync(partial)
        rename(partial, path)
    except BaseException:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def new_file(path: Path) -> BinaryIO:
    """A file to write to where none is, in a folder that is made with it."""
    patiently(lambda: path.parent.mkdir(parents=True, exist_ok=True))
    return patiently(lambda: path.open("xb"))


def write_folder(path: Path, fill: Callable[[Path], object]) -> None:
    """Make a new folder atomically and durably; ``fill`` is given the sibling that it fills, again if it is refused."""
    with whole_folder(path) as partial:
        patiently(lambda: fill(partial))


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """An empty sibling to fill, which becomes the new folder, atomically and durably, if the block ends well; else
    nothing of it stays, nor of parents that were made for it."""
    partial = path.with_name(f".{path.name}.partial")
    made = [folder for folder in path.parents if not folder.exists()]
    shutil.rmtree(partial, ignore_errors=True)  # what a crash left
    try:
        patiently(lambda: partial.mkdir(parents=True, exist_ok=True))
        yield partial
        share_files(partial)
        for part in partial.rglob("*"):
            (sync_folder if part.is_dir() else sync)(part)
        sync_folder(partial)
        rename(partial, path)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        with suppress(OSError):
            for folder in made:
                folder.rmdir()
        raise


def require_room(path: Path, size: int) -> None:
    """Refuse to begin to write ``size`` bytes where there is no room for them.

    Raises:
        TloraError: telling how much there is.
    """
    there = next(folder for folder in path.parents if folder.exists())
    free = shutil.disk_usage(there).free
    if free < size:
        raise TloraError(
            say(
                "{path} needs {size:,.0f} MB, and {free:,.0f} MB are free there.",
                path=path, size=math.ceil(size / 1e6), free=math.floor(free / 1e6),
            ),
            say("Free some room, or choose another disk."),
        )  # fmt: skip


def rename(path: Path, target: Path) -> None:
    """Give a file or folder another name, durably; a file that has it is replaced."""
    patiently(lambda: path.replace(target))
    sync_folder(target.parent)


def sync(path: Path) -> None:
    """Wait until a file is on the disk."""
    with patiently(lambda: path.open("rb+")) as file:
        patiently(lambda: os.fsync(file.fileno()))


def sync_folder(path: Path) -> None:
    """Wait until the names in a folder are on the disk, where the system can tell."""
    if os.name == "posix":
        with suppress(OSError):  # some network drives know no such thing
            folder = os.open(path, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def remove_folder(folder: Path) -> None:
    """Take a folder away, whole or not at all: what is left after a crash is a writer's. Raises OSError."""
    leaving = folder.with_name(f".partial-{folder.name}")
    rename(folder, leaving)
    shutil.rmtree(leaving)


def is_partial(name: str) -> bool:
    """Whether a file or folder of this name is one that a writer has not finished."""
    return _PARTIAL.fullmatch(name) is not None


def remove_partials(folder: Path) -> None:
    """Take away what writers left in a folder, and below it, when their process ended."""
    for parent, folders, files in os.walk(folder):
        for name in filter(is_partial, files):
            with suppress(OSError):
                (Path(parent) / name).unlink()
        for name in filter(is_partial, folders):
            shutil.rmtree(Path(parent) / name, ignore_errors=True)


def read_text(path: Path, limit: int = MAX_JSON_BYTES) -> str:
    """A file's text.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is no UTF-8, or has more than ``limit`` bytes.
    """
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise ValueError(say("{name} has more than {limit:,} MB", name=path.name, limit=limit // 2**20))
    return data.decode("utf-8")


def read_json(path: Path) -> Any:
    """What a JSON file says. Raises as :func:`read_text`."""
    return json.loads(read_text(path))


def require_inside(path: Path, root: Path) -> None:
    """Refuse links that lead out of a folder, and what only looks like a file.

    Raises:
        OSError, ValueError: if ``path`` is not below ``root``, or is neither a file nor a folder, nor missing.
    """
    real = path.resolve()
    if not real.is_relative_to(root.resolve()):
        raise ValueError(say("{name} leads out of the project", name=path.name))
    if real.exists() and not (real.is_file() or real.is_dir()):
        raise ValueError(say("{path} is no file", path=path.name))


def require_utf8(path: Path) -> None:
    """Refuse a folder to which weights can be written, but from which they are never read again.

    Raises:
        TloraError: if the path is no UTF-8.
    """
    shown = str(path).encode(errors="replace").decode()
    if shown != str(path):
        raise TloraError(
            say("A part of the path {path} is not UTF-8.", path=shown), say("Give that folder another name.")
        )


def absolute(path: str | Path) -> Path:
    """A path that means the same wherever it is read; ``~`` is the person's folder."""
    return Path(os.path.abspath(os.path.expanduser(path)))


def is_path(reference: str) -> bool:
    """Whether a backbone's reference is a path, of whatever system; else it is a name."""
    return not reference or reference.startswith((".", "~")) or bool(PureWindowsPath(reference).anchor)


def first_line(error: BaseException) -> str:
    """What an error says, in a line that is not too long."""
    if isinstance(error, OSError) and error.strerror:
        if not error.filename:
            return cause(error)
        return say("{reason}: {name}", reason=cause(error), name=Path(os.fsdecode(error.filename)).name)
    if isinstance(error, KeyError):
        return say("{key:.200} is missing", key=str(error))
    if isinstance(error, UnicodeDecodeError):
        return say("it is no text in UTF-8")
    if isinstance(error, json.JSONDecodeError):
        return say("it is no JSON from line {line}, column {column} on", line=error.lineno, column=error.colno)
    if isinstance(error, RecursionError):
        return say("its parts are nested too deeply")
    if isinstance(reason := message_of(error), Sentence):
        return reason
    if isinstance(error, (TypeError, AttributeError)):
        return say("a part of it is of another kind than belongs there")
    reason = (reason.strip().splitlines() or [type(error).__name__])[0]
    return reason if len(reason) <= _REASON_LENGTH else reason[:_REASON_LENGTH] + "…"


def unreadable(path: Path, error: BaseException, rest: str) -> TloraError:
    """What to say of a file that could not be read: damaged is only what was read and makes no sense."""
    if isinstance(error, OSError) and error.strerror:
        return TloraError(
            say("{path} cannot be read: {reason}.", path=path, reason=cause(error)),
            say("Nothing was changed; mend that and try again."),
        )
    return TloraError(say("{path} is damaged: {error}.", path=path, error=first_line(error)), rest)
