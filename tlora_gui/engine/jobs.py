"""What can be asked of a session, as data. Imports neither torch nor Qt, so the window may use it."""

from __future__ import annotations

from dataclasses import dataclass, field

from tlora_gui.engine.config import MIXER_MODE, STARTER, SamplingSettings, TrainSettings
from tlora_gui.engine.events import GenerationRecord


@dataclass(frozen=True, slots=True)
class CreateProject:
    """Make a project folder around a backbone (fetched if need be) and open it. Answer: ProjectOpened."""

    path: str
    backbone: str = STARTER
    mixer_strategy: str = "gating"


@dataclass(frozen=True, slots=True)
class OpenProject:
    """Open a project folder. Answer: ProjectOpened."""

    path: str


@dataclass(frozen=True, slots=True)
class SummariseCorpus:
    """Look through files and folders. Answer: CorpusSummarised."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrainEpoch:
    """Train a new epoch on files and folders. Answer: TrainStarted, TrainStep and HeldOut …, EpochFinished.

    ``colour`` empty takes the next free one. Cancel modes: keep, discard, suspend.
    """

    name: str
    paths: tuple[str, ...]
    era: str = ""
    colour: str = ""
    settings: TrainSettings = field(default_factory=TrainSettings)


@dataclass(frozen=True, slots=True)
class ResumeEpoch:
    """Go on with the interrupted epoch from its checkpoint, bit for bit. Answer: as TrainEpoch."""

    slug: str


@dataclass(frozen=True, slots=True)
class EditEpoch:
    """Rename or recolour. Answer: EpochsChanged."""

    slug: str
    name: str
    era: str
    colour: str


@dataclass(frozen=True, slots=True)
class DeleteEpoch:
    """Take an epoch out of the mixture; its folder stays restorable while the project is open.

    Answer: EpochsChanged.
    """

    slug: str


@dataclass(frozen=True, slots=True)
class RestoreEpoch:
    """Undo the latest DeleteEpoch. Answer: ProjectOpened, with the epoch and its history back."""


@dataclass(frozen=True, slots=True)
class ExportEpoch:
    """Copy an epoch as a plain PEFT adapter folder. Answer: FileWritten."""

    slug: str
    path: str


@dataclass(frozen=True, slots=True)
class Generate:
    """Continue a prompt. ``mode`` is "mixer", "+sum", "+average" or a slot's slug ("" for the backbone).

    Answer: GenerationStarted, TokenEvent …, GenerationFinished.
    """

    prompt: str
    mode: str = MIXER_MODE
    sampling: SamplingSettings = field(default_factory=SamplingSettings)


@dataclass(frozen=True, slots=True)
class ExportGeneration:
    """Write a generation as a standalone HTML page. Answer: FileWritten."""

    record: GenerationRecord
    path: str


@dataclass(frozen=True, slots=True)
class Evaluate:
    """Measure backbone, own epoch and mix on every epoch's held-out text. Answer: Evaluated."""

    held_out_tokens: int = 4096


@dataclass(frozen=True, slots=True)
class HashWeights:
    """Hash every bit of backbone and adapters, to see that later training wrote to none. Answer: WeightsHashed."""


@dataclass(frozen=True, slots=True)
class FetchDemoCorpora:
    """Bring the sample corpora to this machine. Answer: DemoCorpora."""


Job = (
    CreateProject
    | OpenProject
    | SummariseCorpus
    | TrainEpoch
    | ResumeEpoch
    | EditEpoch
    | DeleteEpoch
    | RestoreEpoch
    | ExportEpoch
    | Generate
    | ExportGeneration
    | Evaluate
    | HashWeights
    | FetchDemoCorpora
)
INTERACTIVE = (SummariseCorpus, EditEpoch, ExportEpoch, Generate, ExportGeneration)
"""Jobs that go ahead between the steps of a long one; all others wait their turn."""
