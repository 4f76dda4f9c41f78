"""A project in one file, .tlora, to be sent: a ZIP of safetensors and JSON with no word of the machine it is from.

    mimetype          first and stored, so that the file is known by its beginning
    project.json …    the project's files by their names in its folder, in order; safetensors stored (deflated they are
                      7 % smaller and take a second for 15 MB), the rest deflated
    manifest.json     last: the format, the tlora-gui that wrote it, every file with its bytes and SHA-256

The same project gives the same bytes. What is opened may come from a stranger: nothing is written before all names and
sizes have been looked at, nothing under another name than one that a project has.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import stat
import unicodedata
import zlib
from collections.abc import Callable, Collection, Generator, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import tlora_gui
from tlora_gui.engine.backbones.model_folder import in_short
from tlora_gui.engine.projects.checkpoints import FAILED
from tlora_gui.engine.projects.epoch_folder import HISTORY_FILE
from tlora_gui.engine.projects.generation_store import GenerationStore
from tlora_gui.engine.projects.migration import INDEX
from tlora_gui.engine.projects.project import RESERVED, Project
from tlora_gui.engine.projects.records import generation_line
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import ARCHIVE_ENDING, ARCHIVE_MIME, PROJECT_PARTS, ProjectPart
from tlora_gui.engine.protocol.errors import TloraError, disk_is_full
from tlora_gui.engine.protocol.events import Progress
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.sharing.export_target import require_place
from tlora_gui.engine.sharing.project_copy import CHUNK, new_project, project_files
from tlora_gui.engine.storage.disk import (
    DAMAGE,
    MAX_JSON_BYTES,
    first_line,
    is_path,
    new_file,
    read_json,
    require_room,
    whole_file,
)
from tlora_gui.engine.storage.typed_json import reader
from tlora_gui.temporal.config import require

FORMAT = 1
_MIMETYPE, _MANIFEST = "mimetype", "manifest.json"
_TEXTS, _MEMORY, _DIGESTS = "generations.jsonl", "memory.safetensors", "held_out.json"
_PART = r'[^.\x00-\x1f<>:"/\\|?*][^\x00-\x1f<>:"/\\|?*]*'
_NAME = re.compile(
    rf"project\.json|{re.escape(_TEXTS)}|(?:mixer|(?:epochs|checkpoints|runs)/{_PART})/{_PART}\.(?:json|jsonl|safetensors)"
)
_LONGEST_PART = 255
_LONGEST_READ = 2**20
"""Bytes of the ZIP's directory at most, some 10,000 files: it is read at once. No less than a piece of a file."""
_HONEST_RATIO, _HONEST_SIZE = 200, 2**26
_LARGE = (".safetensors", ".jsonl")
_ZIP64_FROM = 2**30
_EMPTY_MEMORY = b"\x02\0\0\0\0\0\0\0{}"
"""A safetensors file without tensors: the epoch is to dream its memory."""
_DAMAGE = (BadZipFile, zlib.error, EOFError, NotImplementedError, *DAMAGE)


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class _Manifest:
    format: int
    version: str
    files: tuple[_Entry, ...]


# -- writing --------------------------------------------------------------------------------------------------------


def require_target(target: Path, *, overwrite: bool) -> None:
    """Refuse to pack a project where that cannot be.

    Raises:
        TloraError: if the name does not end in .tlora, something is there, or nothing can be.
    """
    if target.suffix.lower() != ARCHIVE_ENDING:
        raise TloraError(
            say("A packed project is a file that ends in {ending}.", ending=ARCHIVE_ENDING),
            say("Give it another name."),
        )
    if target.is_dir() or (target.exists() and not overwrite):
        raise TloraError(
            say("{folder} is already there.", folder=target), say("Choose another name, or remove it first.")
        )
    if not target.parent.is_dir():
        raise TloraError(
            say("{path} cannot be written: there is no folder {folder}.", path=target, folder=target.parent.name),
            say("Choose another place."),
        )
    require_place(target)


def pack(
    project: Project, target: Path, without: Collection[ProjectPart], cancel: CancelToken
) -> Generator[Progress, None, None]:
    """Write a project to a file.

    Args:
        project: nobody else may write into it meanwhile.
        target: see :func:`require_target`.
        without: what is left out.
        cancel: looked at on the way.

    Raises:
        TloraError: if it cannot be read or written, or there is no room.
        Cancelled: if ``cancel`` is set on the way.
    """
    try:
        files = [
            (name, path, size)
            for name, path, size, part in _parts(project)
            if part not in without or path.name == _MEMORY
        ]
        done, total = 0, sum(size for *_, size in files)
        require_room(target, total)
        entries: list[_Entry] = []
        with whole_file(target) as file, ZipFile(file, "w") as packed:
            packed.writestr(_info(_MIMETYPE, ZIP_STORED), ARCHIVE_MIME)
            for name, path, listed in files:
                digest, size = hashlib.sha256(), 0
                info = _info(name, ZIP_STORED if path.suffix == ".safetensors" else ZIP_DEFLATED)
                with packed.open(info, "w", force_zip64=listed > _ZIP64_FROM) as into:
                    for piece in _content(project, name, path, without):
                        into.write(piece)
                        digest.update(piece)
                        size += len(piece)
                        done += len(piece)
                        yield Progress(say("Packing the project"), min(done, total) / 1e6, total / 1e6, say("MB"))
                        cancel.raise_if_cancelled()
                entries.append(_Entry(name, size, digest.hexdigest()))
            manifest = _Manifest(FORMAT, tlora_gui.__version__, tuple(entries))
            packed.writestr(_info(_MANIFEST, ZIP_DEFLATED), json.dumps(asdict(manifest), indent=1))
    except (OSError, ValueError) as error:
        if disk_is_full(error):
            raise
        raise TloraError(
            say("{path} cannot be written: {reason}.", path=target, reason=first_line(error)),
            say("Choose another place."),
        ) from error


def sizes(project: Project) -> tuple[int, dict[ProjectPart, int]]:
    """Bytes of what is sent in any case, and of every part that can be left out."""
    parts = dict.fromkeys(PROJECT_PARTS, 0)
    rest = 0
    for _, _, size, part in _parts(project):
        if part is None:
            rest += size
        else:
            parts[part] += size
    return rest, parts


def _parts(project: Project) -> Iterator[tuple[str, Path, int, ProjectPart | None]]:
    """Files of a project that may be sent: name, path, bytes, and the part that they can be left out with."""
    kept, going_on = set(project.index.folders.values()), set(project.checkpoints.slugs())
    for path, size in project_files(project.path):
        name = path.relative_to(project.path).as_posix()
        top, *below = name.split("/")
        if not _is_plain(name) or (top == "epochs" and below[0] not in kept):
            continue
        part: ProjectPart | None = None
        if name == _TEXTS:
            if not project.generations.summaries():
                continue
            part = "texts"
        elif top == "runs":
            part = "runs"
        elif top == "checkpoints":
            if below[0] not in going_on:
                continue
            part = "checkpoints"
        elif path.name in (_MEMORY, _DIGESTS):
            part = "memories"
        yield name, path, size, part


def _content(project: Project, name: str, path: Path, without: Collection[ProjectPart]) -> Iterator[bytes]:
    """A file as it is sent."""
    if name == INDEX or path.name in _PRIVATE:
        yield _public(path, without)
    elif name == _TEXTS:
        yield from _public_texts(project.generations)
    elif path.name == _MEMORY and "memories" in without:
        yield _EMPTY_MEMORY
    else:
        is_history = path.name == HISTORY_FILE and "texts" in without
        with path.open("rb") as file:
            while piece := file.readline() if is_history else file.read(CHUNK):
                if not (is_history and _is_sample(piece)):
                    yield piece


_PRIVATE = ("epoch.json", "run.json")


def _public(path: Path, without: Collection[ProjectPart]) -> bytes:
    """An index, or the facts of an epoch or a run, without what they tell of this machine, or nothing if they cannot be
    read: a stranger cannot mend them either."""
    try:
        data = read_json(path)
        if path.name == INDEX:
            backbone = data["backbone"]
            if is_path(backbone["reference"]):  # whoever opens it is asked where theirs is
                backbone["reference"] = "./" + re.split(r"[/\\]", backbone["reference"].rstrip("/\\"))[-1]
        else:
            epoch = data["epoch"]
            epoch["corpus"] = []
            if epoch["note"].startswith(FAILED):
                epoch["note"] = ""
            if epoch["state"] == "training":
                epoch["state"] = "interrupted"
            if data.get("reason"):
                data["reason"] = ""
            if data.get("ended") == "running":
                data["ended"] = "interrupted"
            if "texts" in without:
                data["settings"]["sample_prompt"] = ""
    except DAMAGE:
        return b""
    return json.dumps(data, indent=2).encode()


def _public_texts(generations: GenerationStore) -> Iterator[bytes]:
    """Kept texts as they are called now, without those that were deleted."""
    for summary in generations.summaries():
        try:
            record, origin = generations.load(summary.id), generations.origin(summary.id)
        except TloraError:  # damaged
            continue
        if origin is not None and is_path(origin.backbone.reference):
            origin = replace(origin, backbone=replace(origin.backbone, reference=origin.backbone.name))
        yield generation_line(record, origin).encode() + b"\n"


def _is_sample(line: bytes) -> bool:
    """Whether a line of a history is a sample's text, or nobody can tell."""
    try:
        return bool(json.loads(line)["kind"] == "TrainingSample")
    except DAMAGE:
        return True


def _info(name: str, method: int) -> ZipInfo:
    """A file in the ZIP that says nothing of when and where it was written."""
    info = ZipInfo(name)
    info.compress_type, info.create_system = method, 3
    return info


# -- reading --------------------------------------------------------------------------------------------------------


def unpack(path: Path, target: Path, cancel: CancelToken) -> Generator[Progress, None, None]:
    """Make a project's folder of a file.

    Args:
        path: the file.
        target: the new folder.
        cancel: looked at on the way.

    Raises:
        TloraError: if it is no such file, holds what no project has, is damaged, or there is no room.
        Cancelled: if ``cancel`` is set on the way.
    """
    refuse = partial(_refused, path)
    try:
        file = _Bounded(io.FileIO(path))
    except OSError as error:
        raise refuse(error) from error
    with file:
        try:
            packed = ZipFile(file)
            entries = _checked(packed, path.stat().st_size)
        except _DAMAGE as error:
            raise refuse(error) from error
        done, total = 0, sum(entry.size for entry in entries)
        with packed, new_project(target, total) as folder:
            for entry in entries:
                digest = hashlib.sha256()
                with new_file(folder / entry.name) as into:
                    for piece in _pieces(packed, entry, refuse):
                        into.write(piece)
                        digest.update(piece)
                        done += len(piece)
                        yield Progress(say("Unpacking the project"), done / 1e6, total / 1e6, say("MB"))
                        cancel.raise_if_cancelled()
                if digest.hexdigest() != entry.sha256:
                    raise refuse(ValueError(say("{name} is not what was packed", name=entry.name)))
            try:
                Project.open(folder)
            except TloraError as error:
                raise refuse(error) from error


class _Bounded(io.BufferedReader):
    """A file of which nothing large is read at once, as the directory of a ZIP with a million files is."""

    def read(self, size: int | None = -1, /) -> bytes:
        require(size is None or size <= _LONGEST_READ, say("it lists too many files"))
        return super().read(size)


def _pieces(packed: ZipFile, entry: _Entry, refuse: Callable[[BaseException], TloraError]) -> Iterator[bytes]:
    """What is in a file of the ZIP, no more than its size: zipfile sees to that."""
    try:
        with packed.open(entry.name) as source:
            while piece := source.read(CHUNK):
                yield piece
    except _DAMAGE as error:
        raise refuse(error) from error


def _checked(packed: ZipFile, size: int) -> tuple[_Entry, ...]:
    """The files of a ZIP of ``size`` bytes, if all of it is such as a project has. Raises one of ``_DAMAGE``."""
    infos = packed.infolist()
    require(
        len(infos) > 1 and infos[0].filename == _MIMETYPE and infos[-1].filename == _MANIFEST,
        say("it is no packed project"),
    )
    for info in infos:
        require(info.orig_filename == info.filename, say("{name!r:.60} is no plain name", name=info.orig_filename))
        require(not info.flag_bits & 1, say("it is encrypted"))
        require(info.compress_type in (ZIP_STORED, ZIP_DEFLATED), say("it is packed in an unknown way"))
        require(not stat.S_ISLNK(info.external_attr >> 16), say("{name} is a link", name=info.filename))
        require(
            info.file_size <= MAX_JSON_BYTES or info.filename.endswith(_LARGE),
            say("{name} has more than {limit:,} MB", name=info.filename, limit=MAX_JSON_BYTES // 2**20),
        )
    unpacked = sum(info.file_size for info in infos)
    require(
        unpacked <= max(_HONEST_SIZE, _HONEST_RATIO * size),
        say("it unpacks to more than {ratio} times its size", ratio=_HONEST_RATIO),
    )
    require(packed.read(_MIMETYPE) == ARCHIVE_MIME.encode(), say("it is no packed project"))
    listed = json.loads(packed.read(_MANIFEST))
    version = reader(int)(listed["format"])
    if version > FORMAT:
        raise TloraError(
            say("This project was packed by a newer tlora-gui (format {version}).", version=version),
            say("Update tlora-gui."),
        )
    manifest: _Manifest = reader(_Manifest)(listed)
    require(len(manifest.files) == len(infos) - 2, say("its list of files is another's"))
    seen: set[str] = set()
    for entry, info in zip(manifest.files, infos[1:-1], strict=True):
        require(_is_plain(entry.name), say("{name!r:.60} is no file of a project", name=entry.name))
        require(entry.name == info.filename and entry.size == info.file_size, say("its list of files is another's"))
        folded = unicodedata.normalize("NFC", entry.name).casefold()
        require(folded not in seen, say("{name} is in it twice", name=entry.name))
        seen.add(folded)
    require(INDEX in seen, say("it holds no {name}", name=INDEX))
    return manifest.files


def _is_plain(name: str) -> bool:
    """Whether a project can have a file of this name, on every system."""
    return _NAME.fullmatch(name) is not None and all(
        len(part.encode()) <= _LONGEST_PART
        and part[-1] not in ". "
        and part.partition(".")[0].rstrip().casefold() not in RESERVED
        for part in name.split("/")
    )


def _refused(path: Path, error: BaseException) -> TloraError:
    """What to say of a file that is not unpacked."""
    return TloraError(
        say("{name} cannot be unpacked: {reason}.", name=in_short(path.name), reason=first_line(error)),
        say("Nothing was written; ask for a whole copy."),
    )
