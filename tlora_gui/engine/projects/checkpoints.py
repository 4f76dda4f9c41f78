"""Epochs whose training can go on: a folder each, text included, so that they end bit for bit as if uninterrupted."""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from tlora_gui.engine.corpus.blocks import TokenBlocks
from tlora_gui.engine.corpus.token_store import all_known, keep_blocks_file, read_blocks_file
from tlora_gui.engine.projects.epoch_folder import History, append_history, read_facts, write_facts, write_history
from tlora_gui.engine.protocol.config import BACKBONE_COLOUR, TrainSettings
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import EpochInfo, TrainingEvent
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.storage.disk import DAMAGE, first_line, open_tensors, read_tensors, write_tensors
from tlora_gui.temporal.config import require
from tlora_gui.temporal.time_mixer import TimeMixer

FAILED = "failed: "

_ODD = r"[^\w-]+"


def plain_folder(slug: str) -> str:
    """A folder's name for an adapter's, which in scripts may hold anything."""
    return re.sub(_ODD, "-", slug)


class GrowingHistory(list[TrainingEvent]):
    """Steps and measurements that are in a file as soon as they are here, for those who follow the training."""

    def __init__(self, folder: Path, events: Iterable[TrainingEvent], is_there: Callable[[], bool]) -> None:
        super().__init__(events)
        self._folder = folder
        self._is_there = is_there

    def append(self, event: TrainingEvent) -> None:
        """Here, and on disk if it can be written; the next checkpoint writes all of them again."""
        super().append(event)
        with suppress(OSError):
            if self._is_there():
                append_history(self._folder, event)


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The checkpoints in a project's folder ``root``; each is named by its epoch's slug.

    The folder of an epoch in training is there from the first step on, and says "training" of it; it is no checkpoint
    until it has a state.
    """

    root: Path

    def folder(self, slug: str) -> Path:
        """Where an epoch's checkpoint is, or would be."""
        return self.root / (plain_folder(slug) or "-")

    def slugs(self) -> list[str]:
        """Of all epochs with a checkpoint."""
        return sorted(path.parent.name for path in self.root.glob("*/state.safetensors"))

    def training(self) -> list[EpochInfo]:
        """Epochs that are in training, as long as whoever trains them is alive."""
        found = []
        for path in sorted(self.root.glob("*/epoch.json")):
            with suppress(*DAMAGE):
                found.append(read_facts(path.parent)[0])
        return [info for info in found if info.state == "training"]

    def begin(
        self, info: EpochInfo, settings: TrainSettings, history: History, is_there: Callable[[], bool]
    ) -> GrowingHistory:
        """Let others see that an epoch's training begins, or goes on after ``history``; if that can be written.

        ``is_there`` tells whether the project still is where it was; nothing is written into another one.
        """
        folder, events = self.folder(info.slug), list(history)
        with suppress(OSError):
            self.root.mkdir(exist_ok=True)
            folder.mkdir(exist_ok=True)
            write_history(folder, events)
            write_facts(folder, info, settings)
        return GrowingHistory(folder, events, is_there)

    def end(self, info: EpochInfo, settings: TrainSettings) -> None:
        """Let others see that an epoch's training has stopped; without a checkpoint nothing is left of it."""
        if info.slug not in self.slugs():
            self.drop(info.slug)
            return
        folder = self.folder(info.slug)
        with suppress(*DAMAGE):
            write_facts(folder, replace(info, state="interrupted", note=read_facts(folder)[0].note), settings)

    def save(
        self, info: EpochInfo, settings: TrainSettings, blocks: TokenBlocks, state: dict[str, Tensor], history: History
    ) -> None:
        """Keep an epoch in training; ``state`` comes last, so that without it there is no checkpoint.

        The note of ``info`` says why the training ended: FAILED and the reason, or nothing.

        Raises:
            OSError, SafetensorError: if it cannot be written, for the project's folder is gone or the disk is full.
        """
        folder = self.folder(info.slug)
        self.root.mkdir(exist_ok=True)  # never the project's folder: whoever took it away will not look here
        folder.mkdir(exist_ok=True)
        write_facts(folder, info, settings)
        write_history(folder, history)
        if not (kept := folder / "blocks.safetensors").exists():
            if blocks.file is not None and blocks.file.exists():
                keep_blocks_file(blocks.file, kept)
            else:
                write_tensors(kept, {"train": blocks.train_NT.int(), "held_out": blocks.held_out_NT.int()})
        write_tensors(folder / "state.safetensors", state)

    def read(self, slug: str, vocabulary: int) -> tuple[EpochInfo, TrainSettings, TokenBlocks, dict[str, Tensor]]:
        """What :meth:`save` kept, for a backbone that knows so many tokens.

        Raises:
            TloraError: if it is damaged.
        """
        folder = self.folder(slug)
        try:
            info, settings = read_facts(folder)
            train_NT, held_out_NT, _ = read_blocks_file(folder / "blocks.safetensors")
            state = read_tensors(folder / "state.safetensors")
            for part, blocks_NT in (("train", train_NT), ("held_out", held_out_NT)):
                require(
                    blocks_NT.shape[1:] == (settings.block_size,),
                    say("its {part} blocks are of another size", part=part),
                )
                require(
                    all_known(blocks_NT, vocabulary),
                    say("its {part} blocks hold tokens that the backbone lacks", part=part),
                )
            require("step" in state, say("its steps are not counted"))
            info = replace(info, slug=slug, state="interrupted")
            return info, settings, TokenBlocks(train_NT, held_out_NT), state
        except DAMAGE as error:
            raise TloraError(
                say("The checkpoint of {name} is damaged: {error}.", name=slug, error=first_line(error)),
                say("Discard it and train the epoch again."),
            ) from error

    def info(self, slug: str) -> EpochInfo:
        """The interrupted epoch, and in its note how far it came; broken if it cannot be read."""
        try:
            info, (step, steps) = read_facts(self.folder(slug))[0], self.steps(slug)
        except DAMAGE:
            return EpochInfo(slug, slug, "", BACKBONE_COLOUR, "broken", note=say("damaged checkpoint"))
        note = say("stopped after step {step:,} of {steps:,}", step=step, steps=steps)
        if info.state == "training":
            note = say("{note}, when the application ended without warning", note=note)
        elif info.note.startswith(FAILED):
            note = say("{note}: {reason}", note=note, reason=info.note.removeprefix(FAILED))
        return replace(info, slug=slug, state="interrupted", note=note, goes_on=True)

    def steps(self, slug: str) -> tuple[int, int]:
        """Steps that are done, and all there are. Raises one of ``DAMAGE``."""
        folder = self.folder(slug)
        settings = read_facts(folder)[1]
        with open_tensors(folder / "blocks.safetensors") as blocks:
            count = blocks.get_slice("train").get_shape()[0]
        with open_tensors(folder / "state.safetensors") as state:
            return int(state.get_tensor("step")), settings.num_passes * math.ceil(count / settings.batch_size)

    def goes_on(self, slug: str, mixer: TimeMixer) -> bool:
        """Whether a checkpoint is one of this mixer's past: an epoch goes on only over what it began with."""
        now = mixer.state_dict() if mixer.slots > 1 else {}
        try:
            with open_tensors(self.folder(slug) / "state.safetensors") as state:
                then = {name for name in state.keys() if name.startswith("teacher.")}  # noqa: SIM118 - no dict
                return then == {f"teacher.{name}" for name in now} and all(
                    torch.equal(state.get_tensor(f"teacher.{name}"), value.cpu()) for name, value in now.items()
                )
        except DAMAGE:
            return False

    def drop(self, slug: str) -> None:
        """Remove an epoch's checkpoint, if there is one."""
        shutil.rmtree(self.folder(slug), ignore_errors=True)
