"""Settings that a person chooses, as data. Imports neither torch nor Qt, so the window may use it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from tlora_gui.engine.protocol.sentences import say
from tlora_gui.temporal.config import (
    BACKBONE_SLOT,
    LARGEST_COUNT,
    MEMORY_SOURCES,
    MEMORY_WINDOW,
    STRATEGIES,
    SWITCHINGS,
    LoraSettings,
    MixerSettings,
    SleepSettings,
    require,
    require_number,
    require_switch,
    require_whole,
)

__all__ = [
    "ARCHIVE_ENDING",
    "ARCHIVE_MIME",
    "AVERAGE_MODE",
    "BACKBONE_COLOUR",
    "BACKBONE_SLOT",
    "BASELINE_MODE",
    "EPOCH_COLOURS",
    "LARGEST_COUNT",
    "MAX_NAME",
    "MAX_NEW_TOKENS",
    "MAX_SAMPLE_PROMPT",
    "MAX_SAMPLE_TOKENS",
    "MAX_TOP_K",
    "MEMORY_SOURCES",
    "MEMORY_WINDOW",
    "MIXER_MODE",
    "PRESETS",
    "PROJECT_PARTS",
    "SAMPLES",
    "SEED_MAX",
    "SEED_MIN",
    "SLOT_SETTINGS",
    "STARTER",
    "STRATEGIES",
    "SUM_MODE",
    "SWITCHINGS",
    "DeskMode",
    "LoraSettings",
    "MixerSettings",
    "MixingDesk",
    "Preset",
    "ProjectPart",
    "ReadOptions",
    "SamplingSettings",
    "SleepSettings",
    "TrainSettings",
    "epoch_colour",
    "preset_of",
    "with_preset",
]

Objective = Literal["isolated", "joint"]

STARTER = "starter"
"""Reference of the backbone that needs no model hub."""

ARCHIVE_ENDING, ARCHIVE_MIME = ".tlora", "application/x-tlora+zip"
"""Of a project in one file."""

ProjectPart = Literal["texts", "runs", "checkpoints", "memories"]
PROJECT_PARTS: tuple[ProjectPart, ...] = ("texts", "runs", "checkpoints", "memories")
"""What of a project can be left out when it is sent: kept texts and samples of trainings; the history of runs;
interrupted epochs, with their training text as tokens; router inputs and held-out tokens for later sleep."""

MIXER_MODE = "mixer"
"""Generation mode in which the Time Mixer decides; any other mode is a slot's slug."""

SUM_MODE, AVERAGE_MODE = "+sum", "+average"
"""Generation modes without a mixer: all adapters at once, each at weight 1, or at 1 / K. The conflict that the Time
Mixer is there to settle."""

BASELINE_MODE = "@unprotected"
"""Generation mode of the mixer that learned the latest epoch without Active Sleep."""

SEED_MIN, SEED_MAX = -(2**63), 2**63 - 1
"""What a random generator can be given: whole numbers of 64 bits."""

MAX_NAME = 200
"""Characters of an epoch's name."""

MAX_NEW_TOKENS = 1_000_000
MAX_TOP_K = 1_000_000
"""More than any vocabulary has."""

SAMPLES = 500
"""Samples that a training takes at most, so that its history stays small."""

MAX_SAMPLE_TOKENS = 256
MAX_SAMPLE_PROMPT = 1000
"""Characters."""

BACKBONE_COLOUR = "#8A919C"

EPOCH_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#A0522D", "#6F4E9C")
"""Okabe-Ito (2008) for eyes of every kind, sienna in place of its yellow, which is unreadable on white; then violet."""


def epoch_colour(index: int) -> str:
    """Colour of the epoch at ``index`` (from 0) until a person chooses another."""
    return EPOCH_COLOURS[index % len(EPOCH_COLOURS)]


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """How one epoch is trained.

    Attributes:
        num_passes: how often the training text is read.
        max_tokens: training tokens per pass at most; ``None`` reads the whole corpus.
        learning_rate: AdamW step of the adapter's A at its peak (10 warm-up steps, then cosine); B's is four times it.
        mixer_learning_rate: the same for the Time Mixer.
        batch_size: blocks per step.
        block_size: tokens per block.
        held_out_share: share of the text kept aside by file, for measuring only.
        held_out_tokens: tokens of it that a measurement during training reads.
        eval_every: steps between two measurements.
        objective: what the adapter learns from; see :mod:`tlora_gui.engine.training.epoch_run`.
        sleep: Active Sleep.
        compare_unprotected: train a second mixer without Active Sleep beside, on the same batches, to be shown and
            thrown away.
        seed: fixes initial weights, order of blocks and replayed memories; any whole number of 64 bits.
        early_stop: end when held-out loss no longer falls, and keep the step after which it was lowest.
        patience: measurements in a row without an improvement that end the training; in long ones, a tenth of all
            measurements at least.
        sample_prompt: what is continued by way of a sample while the training runs; empty begins a text.
        sample_every: steps between two samples, but no more than 500 in a training; 0 takes none.
        sample_tokens: tokens that a sample adds to its prompt.
    """

    num_passes: int = 1
    max_tokens: int | None = 51_200
    learning_rate: float = 2e-3
    mixer_learning_rate: float = 5e-3
    batch_size: int = 4
    block_size: int = 128
    held_out_share: float = 0.1
    held_out_tokens: int = 1024
    eval_every: int = 10
    objective: Objective = "isolated"
    sleep: SleepSettings = field(default_factory=SleepSettings)
    compare_unprotected: bool = True
    seed: int = 0
    early_stop: bool = True
    patience: int = 5
    sample_prompt: str = ""
    sample_every: int = 0
    sample_tokens: int = 24

    def __post_init__(self) -> None:
        require_whole(self, "num_passes", 1)
        require_whole(self, "block_size", 16, 8192)
        if self.max_tokens is not None:
            require_whole(self, "max_tokens", self.block_size)
        require_number(self, "learning_rate", 0, 1, open_low=True)
        require_number(self, "mixer_learning_rate", 0, 1, open_low=True)
        require_whole(self, "batch_size", 1)
        require_number(self, "held_out_share", 0, 0.5, open_low=True)
        require_whole(self, "held_out_tokens", self.block_size)
        require_whole(self, "eval_every", 1)
        require(
            self.objective in ("isolated", "joint"),
            say("unknown objective {name}; known: 'isolated', 'joint'", name=f"{self.objective!r:.40}"),
        )
        require(isinstance(self.sleep, SleepSettings), say("sleep must be SleepSettings"))
        require_switch(self, "compare_unprotected")
        require_whole(self, "seed", SEED_MIN, SEED_MAX)
        require_switch(self, "early_stop")
        require_whole(self, "patience", 1)
        require(len(self.sample_prompt) <= MAX_SAMPLE_PROMPT, say("the prompt of samples is too long"))
        require_whole(self, "sample_every", 0)
        require_whole(self, "sample_tokens", 1, MAX_SAMPLE_TOKENS)

    @property
    def compares_baseline(self) -> bool:
        """Whether a mixer without Active Sleep can learn beside: only where the adapter's steps do not depend on it."""
        return self.compare_unprotected and self.objective == "isolated" and self.sleep.enabled


Preset = Literal["quick", "balanced", "thorough"]
PRESETS: dict[Preset, TrainSettings] = {
    "quick": TrainSettings(max_tokens=10_240, compare_unprotected=False),
    "balanced": TrainSettings(),
    "thorough": TrainSettings(num_passes=3, max_tokens=None),
}
"""A look at what comes of a text, the usual, and all that there is in it."""


SLOT_SETTINGS = TrainSettings(num_passes=4, max_tokens=16_384, compare_unprotected=False, early_stop=False)
"""How the Time Mixer learns the slot of an adapter that is trained already."""


def with_preset(settings: TrainSettings, preset: Preset) -> TrainSettings:
    """A preset's settings; those that say nothing of how well it learns (the seed, samples) stay as they are."""
    return replace(
        PRESETS[preset],
        seed=settings.seed,
        sample_prompt=settings.sample_prompt,
        sample_every=settings.sample_every,
        sample_tokens=settings.sample_tokens,
    )


def preset_of(settings: TrainSettings) -> Preset | None:
    """The preset that these settings are; None if they are one's own."""
    return next((name for name in PRESETS if with_preset(settings, name) == settings), None)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What of the chosen files and folders is read.

    Attributes:
        include: patterns as in a .gitignore; if there are any, only files that one of them fits are read in folders.
        exclude: such patterns of files and folders that are not read in folders.
        column: of the text in tables; empty to look for it.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    column: str = ""

    def __post_init__(self) -> None:
        for name in ("include", "exclude"):
            patterns = getattr(self, name)
            require(
                isinstance(patterns, tuple) and all(isinstance(each, str) and each.strip() for each in patterns),
                say("{name} must be patterns, none of them empty", name=name),
            )
        require(isinstance(self.column, str), say("column must be a name"))


Precision = Literal["fast", "exact"]


@dataclass(frozen=True, slots=True)
class SamplingSettings:
    """How the next token is drawn.

    Attributes:
        max_new_tokens: tokens to add at most, up to a million.
        temperature: 0 takes the most probable token; above 0 divides the logits.
        top_k: keep the k most probable tokens, up to a million; 0 keeps all.
        top_p: keep the smallest set of tokens that holds this share of probability (Holtzman et al. 2020).
        repetition_penalty: divides the logits of tokens already there (Keskar et al. 2019); 1 does nothing.
        seed: the same seed gives the same text; any whole number of 64 bits.
        precision: "fast" decodes with weights of 16 bits where that is faster here and changes next to nothing; "exact"
            never does.
    """

    max_new_tokens: int = 120
    temperature: float = 0.8
    top_k: int = 50
    top_p: float = 0.95
    repetition_penalty: float = 1.1
    seed: int = 0
    precision: Precision = "exact"

    def __post_init__(self) -> None:
        require_whole(self, "max_new_tokens", 1, MAX_NEW_TOKENS)
        require_number(self, "temperature")
        require_whole(self, "top_k", 0, MAX_TOP_K)
        require_number(self, "top_p", 0, 1, open_low=True)
        require_number(self, "repetition_penalty", 1)
        require_whole(self, "seed", SEED_MIN, SEED_MAX)


DEFAULT_SAMPLING = SamplingSettings(precision="fast")
"""Where a person has not said anything else."""

DeskMode = Literal["mixer", "manual", "gain"]


@dataclass(frozen=True, slots=True)
class MixingDesk:
    """What a person makes of the Time Mixer's weights during a generation; as it begins, it leaves them alone.

    Where nothing is left that has weight, the backbone has all.

    Attributes:
        lock: "mixer" gives the Time Mixer's weights, "manual" the levels themselves, "gain" weights times levels; each
            scaled to sum to 1.
        levels: (slug, level in [0, 2]), slug "" for the backbone. Slots left out have 0 in "manual", else 1.
        muted: slots that are silent, whatever the lock.
        solo: if there are any, only these keep their weight.
        temperature: divides the mixer's logits: below 1 it decides more sharply, above 1 more softly.
        hard: all weight to the largest.
    """

    lock: DeskMode = "mixer"
    levels: tuple[tuple[str, float], ...] = ()
    muted: tuple[str, ...] = ()
    solo: tuple[str, ...] = ()
    temperature: float = 1.0
    hard: bool = False

    def __post_init__(self) -> None:
        require(
            self.lock in ("mixer", "manual", "gain"),
            say("unknown lock {name} of the mixing desk", name=f"{self.lock!r:.40}"),
        )
        levels = [level for _, level in self.levels]
        require(
            all(type(level) in (int, float) and 0 <= level <= 2 for level in levels), say("levels must lie in [0, 2]")
        )
        require_number(self, "temperature", 0.05, 20)
        require_switch(self, "hard")

    def level(self, slug: str) -> float:
        """Level of a slot, muting and solo counted in."""
        if slug in self.muted or (self.solo and slug not in self.solo):
            return 0.0
        if self.lock == "mixer":
            return 1.0
        return dict(self.levels).get(slug, 0.0 if self.lock == "manual" else 1.0)
