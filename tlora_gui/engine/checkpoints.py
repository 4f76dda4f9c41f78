"""Epochs whose training can go on: a folder each, text included, so that they end bit for bit as if uninterrupted."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor

from tlora_gui.engine.blocks import TokenBlocks
from tlora_gui.engine.config import BACKBONE_COLOUR, TrainSettings
from tlora_gui.engine.epoch_folder import History, read_facts, write_facts, write_history
from tlora_gui.engine.errors import TloraError
from tlora_gui.engine.events import EpochInfo
from tlora_gui.engine.storage import DAMAGE, write_tensors

_ODD = r"[^\w-]+"


def plain_folder(slug: str) -> str:
    """A folder's name for an adapter's, which in scripts may hold anything."""
    return re.sub(_ODD, "-", slug)


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The checkpoints in a project's folder ``root``; each is named by its epoch's slug."""

    root: Path

    def folder(self, slug: str) -> Path:
        """Where an epoch's checkpoint is, or would be."""
        return self.root / (plain_folder(slug) or "-")

    def slugs(self) -> list[str]:
        """Of all epochs with a checkpoint."""
        return sorted(path.parent.name for path in self.root.glob("*/state.safetensors"))

    def save(
        self, info: EpochInfo, settings: TrainSettings, blocks: TokenBlocks, state: dict[str, Tensor], history: History
    ) -> None:
        """Keep an epoch in training; ``state`` comes last, so that without it there is no checkpoint."""
        folder = self.folder(info.slug)
        self.root.mkdir(exist_ok=True)
        folder.mkdir(exist_ok=True)
        if not (folder / "blocks.safetensors").exists():
            write_tensors(
                folder / "blocks.safetensors", {"train": blocks.train_NT.int(), "held_out": blocks.held_out_NT.int()}
            )
        write_facts(folder, replace(info, state="interrupted"), settings)
        write_history(folder, history)
        write_tensors(folder / "state.safetensors", state)

    def read(self, slug: str) -> tuple[EpochInfo, TrainSettings, TokenBlocks, dict[str, Tensor]]:
        """What :meth:`save` kept.

        Raises:
            TloraError: if it is damaged.
        """
        folder = self.folder(slug)
        try:
            info, settings = read_facts(folder)
            blocks = load_file(folder / "blocks.safetensors")
            state = load_file(folder / "state.safetensors")
            info = replace(info, slug=slug)
            return info, settings, TokenBlocks(blocks["train"].long(), blocks["held_out"].long()), state
        except DAMAGE as error:
            raise TloraError(
                f"The checkpoint of {slug} is damaged: {error}.", "Discard it and train the epoch again."
            ) from error

    def info(self, slug: str) -> EpochInfo:
        """The interrupted epoch; broken if its facts cannot be read."""
        try:
            return replace(read_facts(self.folder(slug))[0], slug=slug, state="interrupted")
        except DAMAGE:
            return EpochInfo(slug, slug, "", BACKBONE_COLOUR, "broken", note="damaged checkpoint")

    def drop(self, slug: str) -> None:
        """Remove an epoch's checkpoint, if there is one."""
        shutil.rmtree(self.folder(slug), ignore_errors=True)
