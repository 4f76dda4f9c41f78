"""What a person names as a corpus -> the text files in it, each once; what is left out is listed with its reason."""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from urllib.request import url2pathname

from pathspec import GitIgnoreSpec

from tlora_gui.engine.corpus.decoding import SNIFF, NotText, first_text, recognise, refuse_controls
from tlora_gui.engine.corpus.readers.kinds import TEXT, Kind, binary_kind, ending, kind_of, require_library
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import ReadOptions
from tlora_gui.engine.protocol.errors import TloraError, cause
from tlora_gui.engine.protocol.sentences import say

Skipped = list[tuple[str, str]]

_SKIPPED_FOLDERS = {"__pycache__", "node_modules", "venv", "build", "dist"}
_WEIGHTS = (".safetensors", ".bin", ".gguf", ".pt", ".pth", ".index.json")
_MARKUP = {".xml": "XML", ".svg": "XML", ".ass": say("subtitles"), ".ssa": say("subtitles")}
_XML = re.compile(r"\s*<(\?xml|svg)\b")
_ENCODED = re.compile(r"(?=[A-Za-z+/=]*\d)(?=[0-9+/=]*[A-Za-z])[A-Za-z0-9+/=]{60,}")


class Look(NamedTuple):
    """What the first bytes of a file say.

    Attributes:
        kind: what it is.
        size: bytes of the file.
        remark: why more than a text would be learned from it; empty if it is not so.
        likeness: the same for files of one text, whatever their encoding and line ends; others may share it.
    """

    kind: Kind
    size: int
    remark: str
    likeness: bytes


def shortened(text: object, limit: int = 80) -> str:
    """What a message quotes of an input that may be long, or hold what cannot be written."""
    line = str(text).encode(errors="replace").decode().replace("\n", " ").replace("\0", "?")
    return line if len(line) <= limit else f"{line[: limit // 2]}…{line[-limit // 2 + 1 :]}"


# -- paths -------------------------------------------------------------------------------------------------------


def named_paths(given: str | os.PathLike[str]) -> list[str]:
    """The files and folders that a person means: a path, one with ``~``, a ``file://`` address, or a wildcard.

    Raises:
        TloraError: if there is nothing of that name, or nothing that can be read more than once.
    """
    if not isinstance(given, (str, os.PathLike)):
        raise TloraError(say("{path} is no path.", path=shortened(given)), say("Name a folder or files."))
    path = os.fsdecode(given)
    if not path.strip():
        raise TloraError(say("The path of the text is empty."), say("Name a folder or files."))
    if path.lower().startswith("file:"):
        address = urlsplit(path)
        path = url2pathname((f"//{address.netloc}" if address.netloc not in ("", "localhost") else "") + address.path)
    elif re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", path) and not os.path.lexists(path):
        raise TloraError(
            say("{path} is an address on the web.", path=shortened(path)), say("Save its text and choose that file.")
        )
    home = os.path.expanduser(path) if path[:2] in ("~", "~/", "~\\") else path
    for found in dict.fromkeys((path, home)):
        try:
            mode = os.stat(found).st_mode
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:  # a text's name is too long, one with NUL is none
            if "\n" in path or len(path) > 255:
                continue
            why = cause(error) if isinstance(error, OSError) else str(error)
            raise TloraError(
                say("{path} cannot be looked at: {why}.", path=shortened(path), why=why), _CHOOSE
            ) from error
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise TloraError(
                say("{path} is no file: a pipe cannot be read twice.", path=shortened(path)),
                say("Name files or folders."),
            )
        return [found]
    if "\n" in path or len(path) > 1024:
        raise TloraError(
            say("This looks like a text, not like a path."), say("Save it as a file, or give a list of texts.")
        )
    if path == "-":
        raise TloraError(say("Standard input cannot be read twice."), say("Name files or folders."))
    if glob.has_magic(path) and "\0" not in path:
        if found_all := sorted(glob.glob(home, recursive=True)):
            return found_all
        raise TloraError(say("No file matches {path}.", path=shortened(path)), _CHOOSE)
    raise TloraError(say("{path} does not exist.", path=shortened(path)), _CHOOSE)


_CHOOSE = say("Choose a folder or files that are there.")


def find_files(
    chosen: Iterable[str], skipped: Skipped, cancel: CancelToken | None = None, reading: ReadOptions | None = None
) -> Iterator[str]:
    """The files among some files and folders, and in those folders, in name order, linked folders last.

    No file and no folder comes twice, whatever links lead to it. What is left out goes to ``skipped``; patterns are
    for what lies in folders.

    Raises:
        TloraError: if a pattern means nothing.
        Cancelled: if ``cancel`` is set on the way.
    """
    wanted = _Wanted(reading or ReadOptions())
    files: set[str] = set()
    folders: set[str] = set()
    links: list[str] = []
    for path in chosen:
        if os.path.isdir(path):
            found = _walk(path, folders, links, skipped, cancel, wanted)
        else:
            found = iter([(path, real_path(path))])
        yield from _new(found, files, skipped)
    while links:
        yield from _new(_walk(links.pop(0), folders, links, skipped, cancel, wanted), files, skipped)


def _new(found: Iterable[tuple[str, str]], seen: set[str], skipped: Skipped) -> Iterator[str]:
    for path, real in found:
        if real in seen:
            skipped.append((path, say("the same file is there already")))
        else:
            seen.add(real)
            yield path


def _walk(
    root: str, seen: set[str], links: list[str], skipped: Skipped, cancel: CancelToken | None, wanted: _Wanted
) -> Iterator[tuple[str, str]]:
    """Every file below a folder and its real path; links to folders elsewhere are left for later in ``links``."""
    waiting: list[tuple[str, _Ignored]] = [(root, ())]
    while waiting:
        folder, ignored = waiting.pop()
        real = real_path(folder)
        if real in seen:
            skipped.append((folder, say("the same folder is there already")))
            continue
        seen.add(real)
        entries = []
        try:
            with os.scandir(folder) as listed:
                for entry in listed:
                    if cancel:
                        cancel.raise_if_cancelled()
                    entries.append(entry)
        except OSError as error:
            denied = isinstance(error, PermissionError)
            skipped.append((folder, say("no permission to open this folder") if denied else cause(error)))
            continue
        if kind := _no_corpus(folder, {entry.name for entry in entries}):
            skipped.append((folder, kind))
            continue
        entries.sort(key=lambda entry: entry.name)
        if any(entry.name == ".gitignore" for entry in entries):
            ignored = (*ignored, (folder, _gitignore(folder)))
        below = []
        for entry in entries:
            if cancel:
                cancel.raise_if_cancelled()
            if entry.name.startswith("."):
                skipped.append((entry.path, say("hidden")))
                continue
            is_folder = entry.is_dir(follow_symlinks=False) or os.path.isdir(entry.path)
            if reason := _left_out(entry.path, is_folder, ignored) or wanted.leaves_out(entry.path, root, is_folder):
                skipped.append((entry.path, reason))
            elif not is_folder:
                yield entry.path, real_path(entry.path) if entry.is_symlink() else os.path.join(real, entry.name)
            elif entry.name in _SKIPPED_FOLDERS:
                skipped.append((entry.path, say("made by tools")))
            elif not entry.is_symlink():
                below.append((entry.path, ignored))
            elif Path(real).is_relative_to(real_path(entry.path)):
                skipped.append((entry.path, say("a link to a folder that it lies in")))
            else:
                links.append(entry.path)
        waiting += reversed(below)


_Ignored = tuple[tuple[str, GitIgnoreSpec], ...]
"""Folders that a file lies in, and what each of them ignores."""


def real_path(path: str) -> str:
    """Where a path leads; one that may not be followed is its own end."""
    try:
        return os.path.realpath(path)
    except OSError:
        return os.path.abspath(path)


def _gitignore(folder: str) -> GitIgnoreSpec:
    patterns: list[Any] = []
    with suppress(OSError), open(os.path.join(folder, ".gitignore"), encoding="utf-8", errors="replace") as file:
        for line in file.read(2**20).split("\n"):
            with suppress(ValueError):  # one that means nothing
                patterns += GitIgnoreSpec.from_lines([line]).patterns
    return GitIgnoreSpec(patterns)


def _left_out(path: str, is_folder: bool, ignored: _Ignored) -> str:
    """Why a path is left out by the nearest folder that says anything of it; empty if it is not."""
    for folder, spec in reversed(ignored):
        match = spec.check_file(_relative(path, folder, is_folder)).include
        if match is not None:
            return say("ignored by .gitignore") if match else ""
    return ""


def _relative(path: str, folder: str, is_folder: bool) -> str:
    return os.path.relpath(path, folder).replace(os.sep, "/") + "/" * is_folder


class _Wanted:
    """Patterns that a person gave."""

    def __init__(self, reading: ReadOptions) -> None:
        try:
            self._include = GitIgnoreSpec.from_lines(reading.include)
            self._exclude = GitIgnoreSpec.from_lines(reading.exclude)
        except ValueError as error:
            raise TloraError(
                say("A pattern means nothing: {reason}.", reason=str(error)), say("Write it as in a .gitignore.")
            ) from error

    def leaves_out(self, path: str, root: str, is_folder: bool) -> str:
        """Why a path below a chosen folder is left out; empty if it is not."""
        relative = _relative(path, root, is_folder)
        if self._exclude.match_file(relative):
            return say("left out by a pattern")
        if len(self._include) and not is_folder and not self._include.match_file(relative):
            return say("no pattern asks for it")
        return ""


def _no_corpus(folder: str, names: set[str]) -> str:
    """What a folder is that nobody means to train on; empty for any other."""
    if "project.json" in names and is_project(folder):
        return say("a project of this application, not text")
    if "adapter_config.json" in names:
        return say("an adapter, not text")
    if "config.json" in names and any(name.endswith(_WEIGHTS) for name in names):
        return say("a model, not text")
    if {"tokenizer.json", "tokenizer_config.json"} <= names:
        return say("a tokenizer, not text")
    if {"epoch.json", "history.jsonl"} <= names:
        return say("an epoch in training, not text")
    return ""


def is_project(folder: str | os.PathLike[str]) -> bool:
    """Whether a folder holds a project of this application; a project.json of another program is none."""
    try:
        with open(os.path.join(folder, "project.json"), "rb") as file:
            index = file.read(2**20)
    except OSError:
        return False
    return b'"format_version"' in index and b'"fingerprint"' in index


# -- files ------------------------------------------------------------------------------------------------------


def look(path: str) -> Look:
    """What a file's beginning says, and for binary parts of a text its middle and end.

    Raises:
        NotText: if it cannot be read, with the reason.
    """
    try:
        if not os.path.isfile(path):
            raise NotText(say("not a regular file"))
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            head = file.read(SNIFF)
            kind = kind_of(head, file, path)
            require_library(kind)
            if binary_kind(head, path):
                return Look(kind, size, "", _digest(b"%d %b" % (size, head)))
            later = []
            for offset in (size // 2, size - SNIFF // 2) if size > len(head) else ():
                file.seek(max(len(head), offset) // 4 * 4)
                later.append(file.read(SNIFF // 2))
    except OSError as error:
        raise NotText(say("cannot be read: {reason}", reason=cause(error))) from error
    text = first_text(head)
    if recognise(head) in ("utf-8", None):
        refuse_controls(head + b"".join(later))
    if size <= len(head) and not text.strip():
        raise NotText(say("empty"))
    likeness = text.lstrip()[:1000] if len(text.lstrip()) > 1000 else text.strip()
    return Look(kind, size, _remark(text, kind, path), _digest(likeness.encode(errors="replace")))


def _digest(likeness: bytes) -> bytes:
    return blake2b(likeness, digest_size=16).digest()


def _remark(text: str, kind: Kind, path: str) -> str:
    """Why more than a text would be learned from what begins like this; empty for plain text."""
    if kind == TEXT:
        if marks := _MARKUP.get(ending(path)) or ("XML" if _XML.match(text) else ""):
            return say("{kind}: the marks are learnt too; save the text alone", kind=marks)
        if 4 * sum(map(len, _ENCODED.findall(text))) > len(text):
            return say("much of it is encoded data (base64 or the like), which is learnt too; save the text alone")
    return ""
