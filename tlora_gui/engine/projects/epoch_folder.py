"""An epoch's folder: a plain PEFT adapter, and beside it what only this application reads.

    adapter_config.json, adapter_model.safetensors
    epoch.json            its facts, and the settings it was trained with
    history.jsonl         its steps, measurements and samples
    memory.safetensors    what it leaves for later sleep
    held_out.json         where that holds no text: digests of the held-out blocks, to know them again in the corpus

A checkpoint's folder has ``epoch.json`` and ``history.jsonl`` too. What is read may come from a stranger.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from functools import reduce
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import pad

from tlora_gui.engine.corpus.token_store import all_known
from tlora_gui.engine.projects.adapter_folder import CONFIG_FILE, WEIGHTS_FILE, is_finite, write_adapter
from tlora_gui.engine.projects.migration import FORMAT_VERSION, facts_of, memory_of
from tlora_gui.engine.projects.model_card import CARD_FILE
from tlora_gui.engine.projects.records import check_epoch, read_history_line
from tlora_gui.engine.protocol.config import TrainSettings
from tlora_gui.engine.protocol.events import EpochInfo, TrainingEvent
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.storage.disk import (
    DAMAGE,
    open_tensors,
    patiently,
    read_json,
    read_tensors,
    read_text,
    require_room,
    sync,
    write_folder,
    write_tensors,
    write_text,
)
from tlora_gui.engine.storage.event_lines import event_line
from tlora_gui.engine.storage.typed_json import reader
from tlora_gui.temporal.active_sleep import EpochMemory, level_numbers
from tlora_gui.temporal.config import MEMORY_WINDOW, require
from tlora_gui.temporal.model import TemporalLoRA

_DIGESTS = "held_out.json"
HISTORY_FILE = "history.jsonl"
MEMORY_FILE = "memory.safetensors"
History = Iterable[TrainingEvent]


@dataclass(frozen=True, slots=True)
class _Facts:
    epoch: EpochInfo
    settings: TrainSettings


def write_epoch(
    folder: Path, info: EpochInfo, settings: TrainSettings, model: TemporalLoRA, history: History, base: str
) -> None:
    """Fill a new folder with a finished epoch of the model; ``base`` is what others load its backbone from."""
    patiently(lambda: write_adapter(model, info.slug, folder, base))
    for name in (CONFIG_FILE, WEIGHTS_FILE):
        sync(folder / name)
    write_facts(folder, info, settings)
    write_history(folder, history)
    write_memory(folder, model.memories[info.slug])


def write_memory(folder: Path, memory: EpochMemory) -> None:
    """Store what an epoch leaves for later sleep."""
    tensors = {**_packed("replay", memory.replay_NWH), **_packed("probe", memory.eval_features_NTH)}
    if memory.held_out_NT is not None:
        tensors["held_out"] = memory.held_out_NT
    further = {
        "replay_ids": memory.replay_ids_NW,
        "token_counts": memory.token_counts,
        "dream_counts": memory.dream_counts,
    }
    tensors |= {name: tensor for name, tensor in further.items() if tensor is not None}
    write_tensors(folder / MEMORY_FILE, tensors)
    if memory.held_out_digests:
        write_text(folder / _DIGESTS, json.dumps(memory.held_out_digests))


def _packed(name: str, features_NTH: Tensor) -> dict[str, Tensor]:
    """Features as they are stored: two numbers in a byte where four bits tell them exactly."""
    numbers_NTH, level_H = level_numbers(features_NTH)
    if not torch.equal((numbers_NTH * level_H).half(), features_NTH):
        return {name: features_NTH}
    low_NTh, high_NTh = pad(numbers_NTH + 8, (0, numbers_NTH.shape[-1] % 2)).byte().unflatten(-1, (-1, 2)).unbind(-1)
    return {name: low_NTh | high_NTh << 4, f"{name}_level": level_H}


def _unpacked(name: str, stored: dict[str, Tensor]) -> Tensor:
    """The inverse of :func:`_packed`."""
    if f"{name}_level" not in stored:
        return stored[name]
    packed_NTh, level_H = stored[name], stored[f"{name}_level"]
    fits = packed_NTh.dtype == torch.uint8 and packed_NTh.dim() == 3 and level_H.shape == (level_H.numel(),)
    require(
        fits and packed_NTh.shape[2] == (level_H.numel() + 1) // 2, say("{name} of its memory does not fit", name=name)
    )
    numbers_NTH = torch.stack([packed_NTh & 15, packed_NTh >> 4], dim=-1).flatten(2)[..., : level_H.numel()].float() - 8
    return (numbers_NTH * level_H).half()


def has_memory(folder: Path) -> bool:
    """Whether the epoch's memory is there, as far as its header says; False if it was left out when the project was
    sent.

    Raises one of ``DAMAGE``.
    """
    with open_tensors(folder / MEMORY_FILE) as stored:
        return bool(stored.keys())


def read_memory(folder: Path, model: TemporalLoRA, since: int = FORMAT_VERSION) -> EpochMemory | None:
    """What the epoch leaves for later sleep, if it fits the model; None if it was left out when the project was sent.
    ``since`` is the project's format.

    Raises one of ``DAMAGE``.
    """
    if not has_memory(folder):
        return None
    stored, hidden = memory_of(read_tensors(folder / MEMORY_FILE), since), model.mixer.hidden_size
    for name in ("replay", "probe"):
        tensor = stored[name] = _unpacked(name, stored)
        require(
            tensor.is_floating_point() and is_finite(tensor),
            say("{name} of its memory is not finite", name=name),
        )
        require(
            tensor.dim() == 3 and tensor.numel() > 0 and tensor.shape[2] == hidden,
            say("{name} of its memory does not fit", name=name),
        )
    require(stored["replay"].shape[1] == MEMORY_WINDOW, say("{name} of its memory does not fit", name="replay"))
    held_out_NT, read_NW = stored.get("held_out"), stored.get("replay_ids")
    vocabulary = model.backbone.get_input_embeddings().weight.shape[0]
    if held_out_NT is not None:
        whole = not held_out_NT.is_floating_point() and held_out_NT.dim() == 2 and held_out_NT.shape[1] > 1
        require(whole and held_out_NT.numel() > 0, say("its held-out text is none"))
        require(all_known(held_out_NT, vocabulary), say("its held-out text was written for another backbone"))
    if read_NW is not None:
        fits = read_NW.dtype == torch.int32 and read_NW.shape == stored["replay"].shape[:2]
        require(fits and all_known(read_NW, vocabulary), say("{name} of its memory does not fit", name="replay_ids"))
    for name in ("token_counts", "dream_counts"):
        if (counts_2N := stored.get(name)) is not None:
            fits = counts_2N.dtype == torch.int32 and counts_2N.dim() == 2 and len(counts_2N) == 2
            fits = (
                fits and all_known(counts_2N[0], vocabulary) and counts_2N.numel() > 0 and int(counts_2N[1].min()) > 0
            )
            require(fits, say("{name} of its memory does not fit", name=name))
    counts = stored.get("token_counts"), stored.get("dream_counts")
    digests = reader(tuple[str, ...])(read_json(folder / _DIGESTS)) if (folder / _DIGESTS).exists() else ()
    return EpochMemory(stored["replay"], stored["probe"], held_out_NT, digests, read_NW, *counts)


def write_facts(folder: Path, info: EpochInfo, settings: TrainSettings) -> None:
    """Store what an epoch is and how it was trained.

    Raises:
        ValueError: for facts that could not be read again.
    """
    check_epoch(info)
    write_text(folder / "epoch.json", json.dumps({"epoch": asdict(info), "settings": asdict(settings)}, indent=2))


def read_facts(folder: Path, since: int = FORMAT_VERSION) -> tuple[EpochInfo, TrainSettings]:
    """The inverse of :func:`write_facts`; ``since`` is the project's format. Raises one of ``DAMAGE``."""
    facts: _Facts = reader(_Facts)(facts_of(read_json(folder / "epoch.json"), since))
    check_epoch(facts.epoch)
    return replace(facts.epoch, note=_note_again(facts.epoch.note)), facts.settings


def training_note(
    stopped: tuple[int, int] | None, *, compared: bool, kept_step: int = 0, learned_again: bool = False
) -> str:
    """What is unusual about a finished training; empty for most.

    Args:
        stopped: after how many steps of how many it ended, if before the last one.
        compared: False if it was to be compared with one without Active Sleep, and was not.
        kept_step: the step that was kept, if it is not the last one.
        learned_again: whether the epoch was deleted, and the Time Mixer has learned another slot for it since.
    """
    remarks: list[str] = []
    if stopped is not None:
        remarks.append(say("stopped after {step} of {steps} steps", step=stopped[0], steps=stopped[1]))
    if kept_step:
        remarks.append(say("step {step} is kept, the best on held-out text", step=kept_step))
    if not compared:
        remarks.append(
            say("not compared with a training without Active Sleep, which the joint objective does not allow")
        )
    if learned_again:
        remarks.append(LEARNED_AGAIN)
    return reduce(lambda one, other: say("{note}; {other}", note=one, other=other), remarks) if remarks else ""


LEARNED_AGAIN = say("it was deleted once; its slot was learned anew")


def with_slot_learned_again(note: str) -> str:
    """The note of an epoch for which the Time Mixer has learned another slot."""
    if note.endswith(LEARNED_AGAIN):
        return note
    return say("{note}; {other}", note=note, other=LEARNED_AGAIN) if note else LEARNED_AGAIN


def _note_again(note: str) -> str:
    """A note as it was before it was stored, so that it can be said in another language."""
    steps = re.match(r"stopped after (\d+) of (\d+) steps", note)
    kept = re.search(r"step (\d+) is kept", note)
    again = training_note(
        (int(steps[1]), int(steps[2])) if steps else None,
        compared="not compared" not in note,
        kept_step=int(kept[1]) if kept else 0,
        learned_again=note.endswith(LEARNED_AGAIN),
    )
    return again if again == note else note


def write_history(folder: Path, history: History) -> None:
    """Store steps, measurements and samples."""
    write_text(folder / HISTORY_FILE, "".join(event_line(event) + "\n" for event in history))


def append_history(folder: Path, event: TrainingEvent) -> None:
    """Store one more step, measurement or sample. Raises OSError."""
    with (folder / HISTORY_FILE).open("a", encoding="utf-8") as file:
        file.write(event_line(event) + "\n")


def read_history(folder: Path) -> tuple[TrainingEvent, ...]:
    """The inverse of :func:`write_history`; a damaged line ends the reading."""
    events: list[TrainingEvent] = []
    try:
        for line in read_text(folder / HISTORY_FILE, _MAX_HISTORY_BYTES).splitlines():
            events.append(read_history_line(line))  # noqa: PERF401 - those before a damaged line stay
    except DAMAGE:
        pass
    return tuple(events)


_MAX_HISTORY_BYTES = 48 * 2**20
"""More than 100,000 steps."""


def copy_adapter(folder: Path, target: Path, base: str, card: str) -> None:
    """Copy the plain PEFT adapter to a new folder, whole or not at all, with its model card.

    ``base`` is what others load its backbone from. Raises one of ``DAMAGE`` if it cannot be read or written,
    ``TloraError`` if there is no room for it.
    """
    config = {**read_json(folder / CONFIG_FILE), "base_model_name_or_path": base}

    require_room(target, (folder / WEIGHTS_FILE).stat().st_size)

    def fill(partial: Path) -> None:
        (partial / CONFIG_FILE).write_text(json.dumps(config, indent=2, sort_keys=True), encoding="utf-8")
        shutil.copyfile(folder / WEIGHTS_FILE, partial / WEIGHTS_FILE)
        (partial / CARD_FILE).write_text(card, encoding="utf-8")

    write_folder(target, fill)
