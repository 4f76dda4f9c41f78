"""An epoch's folder: a plain PEFT adapter, and beside it what only this application reads.

    adapter_config.json, adapter_model.safetensors
    epoch.json            its facts, and the settings it was trained with
    history.jsonl         its steps and measurements
    memory.safetensors    what it leaves for later sleep
    held_out.json         where that holds no text: digests of the held-out blocks, to know them again in the corpus

A checkpoint's folder has ``epoch.json`` and ``history.jsonl`` too.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from tlora_gui.engine.config import SleepSettings, TrainSettings
from tlora_gui.engine.events import EpochInfo, HeldOut, TrainStep
from tlora_gui.engine.sharing.records import history_line, read_history_line
from tlora_gui.engine.storage import DAMAGE, sync, write_tensors, write_text
from tlora_gui.temporal.active_sleep import EpochMemory, cut_windows
from tlora_gui.temporal.model import TemporalLoRA

ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")
_DIGESTS = "held_out.json"
History = Iterable[TrainStep | HeldOut]


def write_epoch(folder: Path, info: EpochInfo, settings: TrainSettings, model: TemporalLoRA, history: History) -> None:
    """Fill a new folder with a finished epoch of the model."""
    model.save_adapter(info.slug, folder)
    for name in ADAPTER_FILES:
        sync(folder / name)
    write_facts(folder, info, settings)
    write_history(folder, history)
    memory = model.memories[info.slug]
    tensors = {"replay": memory.replay_NWH, "probe": memory.probe_NTH}
    if memory.held_out_NT is not None:
        tensors["held_out"] = memory.held_out_NT
    write_tensors(folder / "memory.safetensors", tensors)
    if memory.held_out_digests:
        write_text(folder / _DIGESTS, json.dumps(memory.held_out_digests))


def read_memory(folder: Path) -> EpochMemory:
    """What the epoch leaves for later sleep. Raises one of ``DAMAGE``."""
    stored = load_file(folder / "memory.safetensors")
    digests = json.loads((folder / _DIGESTS).read_text(encoding="utf-8")) if (folder / _DIGESTS).exists() else []
    return EpochMemory(cut_windows(stored["replay"]), stored["probe"], stored.get("held_out"), tuple(map(str, digests)))


def write_facts(folder: Path, info: EpochInfo, settings: TrainSettings) -> None:
    """Store what an epoch is and how it was trained."""
    write_text(folder / "epoch.json", json.dumps({"epoch": asdict(info), "settings": asdict(settings)}, indent=2))


def read_facts(folder: Path) -> tuple[EpochInfo, TrainSettings]:
    """The inverse of :func:`write_facts`. Raises one of ``DAMAGE``."""
    data: dict[str, Any] = json.loads((folder / "epoch.json").read_text(encoding="utf-8"))
    epoch, settings = data["epoch"], data["settings"]
    epoch["corpus"] = tuple(epoch["corpus"])
    settings["sleep"] = SleepSettings(**settings["sleep"])
    return EpochInfo(**epoch), TrainSettings(**settings)


def write_history(folder: Path, history: History) -> None:
    """Store steps and measurements."""
    write_text(folder / "history.jsonl", "".join(history_line(event) + "\n" for event in history))


def read_history(folder: Path) -> tuple[TrainStep | HeldOut, ...]:
    """The inverse of :func:`write_history`; a damaged line ends the reading."""
    events: list[TrainStep | HeldOut] = []
    try:
        for line in (folder / "history.jsonl").read_text(encoding="utf-8").splitlines():
            events.append(read_history_line(line))
    except DAMAGE:
        pass
    return tuple(events)


def copy_adapter(folder: Path, target: Path) -> None:
    """Copy the plain PEFT adapter to a new folder, whole or not at all.

    Raises:
        OSError: if it cannot be read or written.
    """
    try:
        target.mkdir(parents=True)
        for name in ADAPTER_FILES:
            shutil.copyfile(folder / name, target / name)
    except OSError:
        shutil.rmtree(target, ignore_errors=True)
        raise
