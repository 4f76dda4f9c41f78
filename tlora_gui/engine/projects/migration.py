"""What projects of earlier formats look like, and the way from each format to the next; nothing else knows of them.

    1 → 2   project.json calls the mixers without Active Sleep ``baselines``. Settings say all that a training of today
            asks, with what it did then. Kept texts have an id and a summary, and settings within today's limits.
            Memories are cut into windows of today's length. A checkpoint has an optimiser's state for each part.
    2 → 3   The Time Mixer's settings say how it switches.

A step changes what is read of a file, and leaves alone what it has changed before: whoever is interrupted begins again.
A project that nobody may write to is read through the same steps.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor

from tlora_gui.engine.projects.records import read_generation, summary_of
from tlora_gui.engine.protocol.config import MAX_NEW_TOKENS, MAX_TOP_K, SEED_MAX
from tlora_gui.engine.protocol.errors import TloraError, cause, disk_is_full
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.storage.disk import (
    DAMAGE,
    read_json,
    read_tensors,
    require_inside,
    require_room,
    write_file,
    write_folder,
    write_tensors,
    write_text,
)
from tlora_gui.paths import free_name
from tlora_gui.temporal.active_sleep import cut_windows

INDEX, BACKUP = "project.json", "backup"
Tensors = dict[str, Tensor]
Data = TypeVar("Data")
logger = logging.getLogger(__name__)


def _same(data: Data) -> Data:
    return data


@dataclass(frozen=True, slots=True)
class Step:
    """From one format to the next: what becomes of each kind of file, which may be anybody's.

    Attributes:
        index: project.json.
        facts: epoch.json and run.json.
        generation: a kept text, and where its line begins.
        memory: memory.safetensors.
        checkpoint: state.safetensors.
    """

    index: Callable[[Any], Any] = _same
    facts: Callable[[Any], Any] = _same
    generation: Callable[[Any, int], Any] = lambda data, offset: data
    memory: Callable[[Tensors], Tensors] = _same
    checkpoint: Callable[[Tensors], Tensors] = _same


# -- 1 → 2 ------------------------------------------------------------------------------------------------------------


def _index_1(index: Any) -> Any:
    if "baselines" in index:
        return index
    return {**index, "baselines": index.get("unprotected", [])}


def _facts_1(facts: Any) -> Any:
    settings = {"early_stop": False, **facts["settings"]}
    settings["sleep"] = {"source": "features", "memory_labels": False, **settings["sleep"]}
    return {**facts, "settings": settings}


def _generation_1(data: Any, offset: int) -> Any:
    if "edit" in data:
        return data
    data = {"id": f"at{offset}", **data, "sampling": sampling_within_limits(data["sampling"])}
    summary, tokens = asdict(summary_of(read_generation(data))), data.pop("tokens")
    return {"summary": None} | data | {"summary": summary, "tokens": tokens}  # first and last, to be read alone


def sampling_within_limits(sampling: Any) -> Any:
    """Settings of a time that knew no limits, as those of today that draw the same text."""
    within = dict(sampling)
    if type(seed := within.get("seed")) is int and SEED_MAX < seed < 2**64:
        within["seed"] = seed - 2**64
    for name, limit in (("max_new_tokens", MAX_NEW_TOKENS), ("top_k", MAX_TOP_K)):
        if type(within.get(name)) is int:
            within[name] = min(within[name], limit)
    return within


def _memory_1(memory: Tensors) -> Tensors:
    return {**memory, "replay": cut_windows(memory["replay"])}


def _checkpoint_1(state: Tensors) -> Tensors:
    """One optimiser had the adapter's parameters, the mixer's and the baseline's, in this order."""
    places = [
        f"{part}.{index}"
        for part in ("adapter", "mixer", "unprotected")
        for index in range(sum(name.startswith(f"{part}.") for name in state))
    ]

    def today(name: str) -> str:
        found = re.fullmatch(r"optimizer\.(\d+)\.(\w+)", name)
        return f"optimizer.{places[int(found[1])]}.{found[2]}" if found else name

    return {today(name): value for name, value in state.items()}


# -- 2 → 3 ------------------------------------------------------------------------------------------------------------


def _index_2(index: Any) -> Any:
    return {**index, "mixer": {"switching": "mean", **index["mixer"]}}


STEPS = (
    Step(_index_1, _facts_1, _generation_1, _memory_1, _checkpoint_1),
    Step(index=_index_2),
)
FORMAT_VERSION = 1 + len(STEPS)


# -- through all steps ------------------------------------------------------------------------------------------------


def _upgraded(data: Data, since: int, change: Callable[[Step], Callable[[Data], Data]]) -> Data:
    for step in STEPS[since - 1 :]:
        data = change(step)(data)
    return data


def index_of(data: Any, since: int) -> Any:
    """What project.json of the format ``since`` says, as today's would. Raises one of ``DAMAGE``."""
    return _upgraded(data, since, lambda step: step.index)


def facts_of(data: Any, since: int) -> Any:
    """The same of epoch.json and run.json."""
    return _upgraded(data, since, lambda step: step.facts)


def line_of(line: bytes, offset: int, since: int) -> bytes:
    """The same of a line of generations.jsonl that begins at ``offset``; a damaged one stays as it is."""
    if since == FORMAT_VERSION:
        return line
    try:
        before = json.loads(line)
        data = _upgraded(before, since, lambda step: lambda data: step.generation(data, offset))
        after = json.dumps(data).encode() + b"\n"
        return line if json.loads(after) == before else after
    except DAMAGE:
        return line


def memory_of(memory: Tensors, since: int) -> Tensors:
    """The same of memory.safetensors. Raises one of ``DAMAGE``."""
    return _upgraded(memory, since, lambda step: step.memory)


def _checkpoint_of(state: Tensors, since: int) -> Tensors:
    return _upgraded(state, since, lambda step: step.checkpoint)


# -- on disk ----------------------------------------------------------------------------------------------------------


def migrate(folder: Path) -> Path | None:
    """Make a project's folder one of today's format, after a copy of all files that this changes; project.json is the
    last of them, so a project is of the earlier format until all of it is not. Only who has its lock may.

    Returns:
        the folder with the copies; None if there was nothing to do.

    Raises:
        TloraError: if it cannot be written, or there is no room for it.
    """
    index = read_json(folder / INDEX)
    since = index["format_version"]
    if since == FORMAT_VERSION:
        return None
    try:
        changes = dict(_changes(folder, since))
        backup = _back_up(folder, since, list(changes))
        for change in changes.values():
            change()
        write_text(folder / INDEX, json.dumps({**index_of(index, since), "format_version": FORMAT_VERSION}, indent=2))
    except OSError as error:
        if disk_is_full(error):
            raise
        raise TloraError(
            say(
                "{name} is of an earlier format, and could not be changed to today's: {reason}.",
                name=folder.name,
                reason=cause(error),
            ),
            say("Nothing of it is lost; give access there, and open it again."),
        ) from error
    logger.warning("%s is of format %d now, not %d; copies are in %s", folder, FORMAT_VERSION, since, backup)
    return backup


def _changes(folder: Path, since: int) -> Iterator[tuple[Path, Callable[[], None]]]:
    """Every file but project.json that is other in today's format, and what makes it so. What cannot be read stays."""
    for pattern, find in (
        ("*/*/epoch.json", _change_of_facts),
        ("runs/*/run.json", _change_of_facts),
        ("generations.jsonl", _change_of_lines),
        ("*/*/memory.safetensors", partial(_change_of_tensors, memory_of)),
        ("checkpoints/*/state.safetensors", partial(_change_of_tensors, _checkpoint_of)),
    ):
        for path in sorted(folder.glob(pattern)):
            with suppress(*DAMAGE):
                require_inside(path, folder)
                if (change := find(path, since)) is not None:
                    yield path, change


def _change_of_facts(path: Path, since: int) -> Callable[[], None] | None:
    before = read_json(path)
    after = facts_of(before, since)
    return None if after == before else lambda: write_text(path, json.dumps(after, indent=2))


def _change_of_lines(path: Path, since: int) -> Callable[[], None] | None:
    def write(partial_path: Path) -> None:
        with partial_path.open("wb") as file:
            file.writelines(after for _, after in _lines(path, since))

    return (lambda: write_file(path, write)) if any(one != other for one, other in _lines(path, since)) else None


def _lines(path: Path, since: int) -> Iterator[tuple[bytes, bytes]]:
    offset = 0
    with path.open("rb") as file:
        for line in file:
            yield line, line_of(line, offset, since)
            offset += len(line)


def _change_of_tensors(
    upgraded: Callable[[Tensors, int], Tensors], path: Path, since: int
) -> Callable[[], None] | None:
    def shapes(tensors: Tensors) -> dict[str, tuple[int, ...]]:
        return {name: tuple(tensor.shape) for name, tensor in tensors.items()}

    before = read_tensors(path)
    if shapes(upgraded(before, since)) == shapes(before):
        return None
    return lambda: write_tensors(path, upgraded(read_tensors(path), since))


def _back_up(folder: Path, since: int, changed: list[Path]) -> Path:
    """Copy project.json and what will be changed, unless whoever was interrupted has done so."""
    files, parent, name = [*changed, folder / INDEX], folder / BACKUP, f"format-{since}"
    kept = parent / name / INDEX
    if kept.is_file() and kept.read_bytes() == (folder / INDEX).read_bytes():
        return kept.parent
    require_room(parent, 2 * sum(file.stat().st_size for file in files))

    def fill(partial_folder: Path) -> None:
        for file in files:
            copy = partial_folder / file.relative_to(folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)

    backup = parent / free_name(name, lambda name: (parent / name).exists(), "-")
    write_folder(backup, fill)
    return backup
