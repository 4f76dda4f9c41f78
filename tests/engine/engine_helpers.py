"""Short settings, and ways to run the engine's streams to their end."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeVar

import torch

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelMode, CancelToken
from tlora_gui.engine.protocol.config import SleepSettings, TrainSettings
from tlora_gui.engine.protocol.errors import Cancelled
from tlora_gui.engine.protocol.events import Progress, TrainStep
from tlora_gui.engine.session import Session
from tlora_gui.paths import cache_dir
from tlora_gui.temporal.model import TemporalLoRA

Corpora = dict[str, Path]
MakeMixture = Callable[..., TemporalLoRA]
Found = TypeVar("Found")

QUICK = TrainSettings(
    max_tokens=384,
    batch_size=2,
    learning_rate=1e-2,
    mixer_learning_rate=2e-2,
    block_size=32,
    held_out_tokens=128,
    eval_every=3,
    sleep=SleepSettings(memory_tokens=512, batch_tokens=128),
)
"""Six steps of two blocks."""


def drain(stream: Generator[Any, None, Found]) -> tuple[list[Any], Found]:
    """What a stream tells, progress left out, and what it returns."""
    events: list[Any] = []
    while True:
        try:
            event = next(stream)
        except StopIteration as end:
            return events, end.value
        if not isinstance(event, Progress):
            events.append(event)


def collect(stream: Iterable[Any]) -> list[Any]:
    """What a job tells, progress left out."""
    return [event for event in stream if not isinstance(event, Progress)]


def only(events: Iterable[Any], kind: type[Found]) -> list[Found]:
    return [event for event in events if isinstance(event, kind)]


def open_copy(stored: Path, path: Path) -> Session:
    """A session with a copy of a stored project open, and the dreams that its backbone has dreamed there."""
    shutil.copytree(stored, path)
    if (dreamed := stored.parent / "cache" / "dreams").is_dir():
        shutil.copytree(dreamed, cache_dir() / "dreams", dirs_exist_ok=True)
    session = Session()
    collect(session.run(jobs.OpenProject(str(path))))
    return session


def reopened(session: Session) -> Session:
    """What another session would find now: a copy of the open project, since this one is locked."""
    assert session.project is not None
    path = session.project.path
    return open_copy(path, Path(mkdtemp(dir=path.parent)) / path.name)


def train_job(name: str, folder: Path, settings: TrainSettings = QUICK) -> jobs.TrainEpoch:
    return jobs.TrainEpoch(name, (str(folder),), settings=settings)


def cancel_after(stream: Iterable[Any], cancel: CancelToken, mode: CancelMode, step: int) -> tuple[list[Any], bool]:
    """Run a training job, cancel it after a step; its events, and whether it ended as cancelled."""
    events: list[Any] = []
    try:
        for event in stream:
            events.append(event)
            if isinstance(event, TrainStep) and event.step == step:
                cancel.cancel(mode)
    except Cancelled:
        return collect(events), True
    return collect(events), False


def snapshot(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """A copy of every tensor of a module."""
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


def same_tensors(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    """Whether names and bits agree."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where the values of some JSON are, the outermost first; of long lists the first item."""
    yield path
    items = data.items() if isinstance(data, dict) else enumerate(data[:1]) if isinstance(data, list) else ()
    for key, value in items:
        yield from places(value, (*path, key))


def changed(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy of some JSON with another value at a place."""
    if not path:
        return value
    data = copy.copy(data)
    data[path[0]] = changed(data[path[0]], path[1:], value)
    return data
