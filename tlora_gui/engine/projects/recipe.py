"""What made a generation, down to the bits of the weights. Imports neither torch nor Qt."""

from __future__ import annotations

from dataclasses import dataclass

from tlora_gui.engine.protocol.config import SamplingSettings
from tlora_gui.engine.protocol.texts import DeskChange


@dataclass(frozen=True, slots=True)
class BackboneRecipe:
    """``reference`` is what a person named: "starter", a Hub id, a path; ``fingerprint`` is of the weights."""

    reference: str
    name: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class EpochRecipe:
    """An epoch by its name then; ``sha256`` of its adapter's bits is empty where it is gone or was not finished."""

    slug: str
    name: str
    era: str
    sha256: str


@dataclass(frozen=True, slots=True)
class MixerRecipe:
    """``sha256`` of the bits of the mixer in charge; empty where it is not stored, or none did. ``bare_router`` says
    whether it reads the bare backbone."""

    strategy: str
    sha256: str
    bare_router: bool = False


@dataclass(frozen=True, slots=True)
class Versions:
    """Of the software that wrote the recipe."""

    tlora_gui: str
    torch: str
    transformers: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that it takes to make a generation again, but for its prompt.

    Attributes:
        backbone, mixer, versions: see there.
        epochs: of slots 1 …, in their order.
        mode, sampling, desk: as in :class:`~tlora_gui.engine.protocol.texts.Generation`.
    """

    backbone: BackboneRecipe
    epochs: tuple[EpochRecipe, ...]
    mixer: MixerRecipe
    mode: str
    sampling: SamplingSettings
    desk: tuple[DeskChange, ...]
    versions: Versions
