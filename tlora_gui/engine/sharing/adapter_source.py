"""Where an adapter that was made elsewhere lies: a folder, a .zip with one in it, or an id on the Hub."""

from __future__ import annotations

import re
import shutil
import zipfile
import zlib
from collections.abc import Generator
from pathlib import Path, PurePosixPath

from tlora_gui.engine.backbones.loading import fetch_from_hub
from tlora_gui.engine.backbones.model_folder import in_short
from tlora_gui.engine.projects.adapter_folder import CONFIG_FILE, WEIGHTS_FILE
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.errors import BackboneMissing, TloraError
from tlora_gui.engine.protocol.events import Progress
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.storage.disk import DAMAGE, MAX_JSON_BYTES, absolute, first_line, is_path, require_utf8

_CHUNK = 2**20
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


def adapter_name(source: str) -> str:
    """What an adapter is called for lack of another name: the last part of where it lies."""
    last = source.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return last[: -len(".zip")] if last.lower().endswith(".zip") else last


def local_source(source: str) -> Path | None:
    """The folder or .zip that a person named; None for an id on the Hub (owner/name).

    Raises:
        TloraError: if it is none of them.
    """
    choose = say("Choose an adapter's folder or .zip, or give its id on the Hub (owner/name).")
    if not source.strip():
        raise TloraError(say("No adapter is named."), choose)
    path = absolute(source)
    if path.is_dir():
        require_utf8(path)
        return path
    if path.is_file():
        if not zipfile.is_zipfile(path):
            raise TloraError(
                say("{name} is no adapter.", name=in_short(path.name)),
                say("Choose the folder with its {file}, or a .zip of that.", file=CONFIG_FILE),
            )
        return path
    if is_path(source) or not _HUB_ID.fullmatch(source):
        raise TloraError(say("{name} does not exist.", name=in_short(source)), choose)
    return None


def adapter_folder(source: str, unpacked: Path, largest: int, cancel: CancelToken) -> Generator[Progress, None, Path]:
    """A folder with the adapter that a person named.

    Args:
        source: a folder, a .zip, or an id on the Hub.
        unpacked: an empty folder, in which that of a .zip may come to lie.
        largest: bytes that its weights may have.
        cancel: looked at on the way.

    Raises:
        TloraError: if there is none, or it cannot be had.
        Cancelled: if ``cancel`` is set on the way.
    """
    path = local_source(source)
    if path is None:
        try:
            return (yield from fetch_from_hub(source, cancel, (CONFIG_FILE, WEIGHTS_FILE)))
        except BackboneMissing as error:
            raise TloraError(
                error.message, say("Check the spelling and the network, or choose a folder or a .zip.")
            ) from error
    if path.is_dir():
        return path
    yield from _unpack(path, unpacked, largest, cancel)
    return unpacked


def _unpack(path: Path, target: Path, largest: int, cancel: CancelToken) -> Generator[Progress, None, None]:
    """Write the two files of the only adapter in a .zip to a folder, under their own names whatever theirs are."""
    try:
        with zipfile.ZipFile(path) as packed:
            configs = [each for each in packed.infolist() if PurePosixPath(each.filename).name == CONFIG_FILE]
            if len(configs) != 1:
                raise TloraError(
                    say("There are several adapters in {name}.", name=in_short(path.name))
                    if configs
                    else say("There is no adapter in {name}.", name=in_short(path.name)),
                    say("Choose a .zip with one {file} in it.", file=CONFIG_FILE),
                )
            place = PurePosixPath(configs[0].filename).parent
            for file, limit in ((CONFIG_FILE, MAX_JSON_BYTES), (WEIGHTS_FILE, largest)):
                inside = str(place / file)
                if inside in packed.namelist():  # else it is told of as in any folder
                    yield from _unpack_one(packed, packed.getinfo(inside), target / file, limit, cancel)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, *DAMAGE) as error:
        raise TloraError(
            say("{name} cannot be unpacked: {error}.", name=in_short(path.name), error=first_line(error)),
            say("Unpack it yourself, and choose the folder."),
        ) from error


def _unpack_one(
    packed: zipfile.ZipFile, one: zipfile.ZipInfo, target: Path, limit: int, cancel: CancelToken
) -> Generator[Progress, None, None]:
    """Unpack a file; no more comes of it than its ``file_size``, which zipfile holds it to."""
    if one.file_size > limit:
        raise TloraError(
            say(
                "{file} in {name} has {size:,} MB, more than an adapter of this backbone can have.",
                file=target.name,
                name=in_short(Path(str(packed.filename)).name),
                size=one.file_size // 2**20,
            ),
            say("Choose an adapter of this backbone."),
        )
    if one.file_size > shutil.disk_usage(target.parent).free:
        raise TloraError(
            say("There is no room to unpack {name}.", name=in_short(Path(str(packed.filename)).name)),
            say("Free {size:,} MB in {folder}.", size=-(-one.file_size // 2**20), folder=target.parent),
        )
    with packed.open(one) as source, target.open("wb") as file:
        while piece := source.read(_CHUNK):
            file.write(piece)
            yield Progress(say("Unpacking"), file.tell() / 1e6, one.file_size / 1e6, say("MB"))
            cancel.raise_if_cancelled()
