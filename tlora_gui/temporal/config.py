"""Settings of the method, each refusing nonsense with a line a person can act on."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from reprlib import repr as short
from typing import Literal, get_args

Strategy = Literal["gating", "routing", "attention"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
Objective = Literal["isolated", "joint"]
MemorySource = Literal["features", "dreams"]
MEMORY_SOURCES: tuple[MemorySource, ...] = get_args(MemorySource)


def require(holds: bool, what: str) -> None:
    """Raise ``ValueError(what)`` unless it holds."""
    if not holds:
        raise ValueError(what)


@dataclass(frozen=True, slots=True)
class LoraSettings:
    """One LoRA adapter (Hu et al. 2021, arXiv:2106.09685), the same for every epoch of a model.

    Attributes:
        r: rank of the update.
        lora_alpha: PEFT's scaling numerator; the update is scaled by ``lora_alpha / r``.
        mixer_layer: first decoder block that carries LoRA, and the block whose input the Time Mixer reads.
            ``None`` takes a quarter of the depth.
    """

    r: int = 8
    lora_alpha: float = 16.0
    mixer_layer: int | None = None

    def __post_init__(self) -> None:
        require(
            type(self.r) is int and 1 <= self.r <= 1024,
            f"r is {short(self.r)}; the rank must be a whole number between 1 and 1024",
        )
        require(
            type(self.lora_alpha) in (int, float) and 0 < self.lora_alpha <= 1e9,
            f"lora_alpha is {short(self.lora_alpha)}; it must be a number above 0",
        )
        require(
            self.mixer_layer is None or (type(self.mixer_layer) is int and self.mixer_layer >= 0),
            f"mixer_layer is {short(self.mixer_layer)}; it counts decoder blocks from 0",
        )


@dataclass(frozen=True, slots=True)
class MixerSettings:
    """The Time Mixer.

    Attributes:
        strategy: how weights are made from hidden states: *gating* blends softly, *routing* gives each token to one
            slot, *attention* blends by what it finds in the context.
        width: hidden units of the router; 0 makes it linear.
        smoothing: share of the running mean of past logits in each token's logits, in [0, 1). 0 looks at the
            token alone; 0.8 looks back over about five tokens.
    """

    strategy: Strategy = "gating"
    width: int = 64
    smoothing: float = 0.8

    def __post_init__(self) -> None:
        require(
            self.strategy in STRATEGIES,
            f"unknown mixer strategy {self.strategy!r}; known: {', '.join(map(repr, STRATEGIES))}",
        )
        require(self.width >= 0, "width must be 0 (linear) or a number of hidden units")
        require(0 <= self.smoothing < 1, "smoothing must lie in [0, 1)")


@dataclass(frozen=True, slots=True)
class SleepSettings:
    """Active Sleep: how the mixer is kept from forgetting while a new epoch is learned.

    Attributes:
        enabled: False trains the mixer on the new epoch alone (it will forget; for comparison).
        source: what an epoch leaves for later sleep: *features* of its text, or of *dreams*, text that the frozen
            epoch samples by itself, so that nothing of the text is kept.
        memory_labels: each memory also knows its epoch, and a short calibration on memories ends the training; False
            leaves distillation alone.
        sleep_weight: factor of the mixer-distill loss in the total.
        temperature: T of the distillation (Hinton et al. 2015, arXiv:1503.02531); the loss is scaled by T².
        route_weight: factor of the routing loss (new epoch's tokens belong to the new slot).
        memory_tokens: router inputs that each epoch leaves for later sleep.
        batch_tokens: memory tokens replayed with each block of new text.
    """

    enabled: bool = True
    source: MemorySource = "features"
    memory_labels: bool = True
    sleep_weight: float = 0.5
    temperature: float = 2.0
    route_weight: float = 1.0
    memory_tokens: int = 3072
    batch_tokens: int = 384

    def __post_init__(self) -> None:
        require(
            self.source in MEMORY_SOURCES,
            f"unknown memory source {self.source!r}; known: {', '.join(map(repr, MEMORY_SOURCES))}",
        )
        require(0 <= self.sleep_weight < inf, "sleep_weight must be finite and not negative")
        require(0 < self.temperature < inf, "temperature must be finite and above 0")
        require(0 <= self.route_weight < inf, "route_weight must be finite and not negative")
        require(self.memory_tokens >= MEMORY_WINDOW, f"memory_tokens must be at least {MEMORY_WINDOW}")
        require(self.batch_tokens >= MEMORY_WINDOW, f"batch_tokens must be at least {MEMORY_WINDOW}")


MEMORY_WINDOW = 64
"""Tokens in one contiguous piece of memory, so that a mixer that looks back has something to look at."""
