"""Settings of the method, each refusing nonsense with a line a person can act on."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from sys import float_info
from typing import Any, Literal, get_args

Strategy = Literal["gating", "routing", "attention"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
Switching = Literal["filter", "filter-without-counts", "mean"]
SWITCHINGS: tuple[Switching, ...] = get_args(Switching)
MemorySource = Literal["features", "dreams", "features-without-text"]
MEMORY_SOURCES: tuple[MemorySource, ...] = get_args(MemorySource)
BACKBONE_SLOT = "Eternity"


class Refusal(ValueError):
    """A ``ValueError`` that keeps its ``template`` and the ``values`` in it, to be said in another language too."""

    def __init__(self, template: str, /, **values: object) -> None:
        super().__init__(template.format_map(values))
        self.template, self.values = template, values


def require(holds: bool, what: str) -> None:
    """Raise ``ValueError(what)`` unless it holds."""
    if not holds:
        raise ValueError(what)


LARGEST_COUNT = 2**31 - 1  # of passes, blocks or tokens


def require_whole(settings: Any, name: str, low: int, high: int = LARGEST_COUNT) -> None:
    """Raise ``Refusal`` unless the setting is an ``int`` in [low, high]; True and False are none."""
    value = getattr(settings, name)
    if type(value) is not int or not low <= value <= high:
        raise Refusal("{name} must be a whole number from {low} to {high}", name=name, low=low, high=high)


def require_number(settings: Any, name: str, low: float = 0, high: float = inf, *, open_low: bool = False) -> None:
    """Raise ``Refusal`` unless the setting is a finite ``int`` or ``float`` between ``low`` and ``high``."""
    value = getattr(settings, name)
    if not (isinstance(value, float) or type(value) is int) or not abs(value) <= float_info.max:  # as NaN is not
        raise Refusal("{name} must be a finite number", name=name)
    if open_low and value <= low:
        raise Refusal("{name} must be above {bound}", name=name, bound=low)
    if value < low:
        raise Refusal("{name} must be at least {bound}", name=name, bound=low)
    if value > high:
        raise Refusal("{name} must be at most {bound}", name=name, bound=high)


def require_switch(settings: Any, name: str) -> None:
    """Raise ``Refusal`` unless the setting is True or False."""
    if type(getattr(settings, name)) is not bool:
        raise Refusal("{name} must be True or False", name=name)


@dataclass(frozen=True, slots=True)
class LoraSettings:
    """One LoRA adapter (Hu et al. 2021, arXiv:2106.09685), the same for every epoch of a model.

    Attributes:
        r: rank of the update.
        lora_alpha: PEFT's scaling numerator; the update is scaled by ``lora_alpha / r``.
        mixer_layer: first decoder block that carries LoRA, and the block whose input the Time Mixer reads.
            ``None`` takes a quarter of the depth.
        bare_router: the Time Mixer reads that input in the bare backbone, so that adapters from elsewhere may lie in
            every block; while one is in the mixture, the blocks below ``mixer_layer`` run twice.
    """

    r: int = 8
    lora_alpha: float = 16.0
    mixer_layer: int | None = None
    bare_router: bool = False

    def __post_init__(self) -> None:
        require_switch(self, "bare_router")
        require_whole(self, "r", 1, 1024)
        require_number(self, "lora_alpha", open_low=True)
        if self.mixer_layer is not None:  # decoder blocks count from 0
            require_whole(self, "mixer_layer", 0)


@dataclass(frozen=True, slots=True)
class MixerSettings:
    """The Time Mixer.

    Attributes:
        strategy: how weights are made from hidden states: *gating* blends softly, *routing* gives each token to one
            slot, *attention* blends by what it finds in the context.
        width: hidden units of the router; 0 makes it linear.
        smoothing: share of the running mean of past logits in each token's logits, in [0, 1). 0 looks at the
            token alone; 0.8 looks back over about five tokens.
        switching: how tokens become weights in context: by a *filter*, which carries the probability of every slot on
            and asks the token's counts too, by a *filter without counts*, or by the running *mean*, with which the
            mixer learns in every case.
    """

    strategy: Strategy = "gating"
    width: int = 64
    smoothing: float = 0.8
    switching: Switching = "filter"

    def __post_init__(self) -> None:
        if self.strategy not in STRATEGIES:
            raise Refusal("unknown mixer strategy {name}; known: {all}", name=f"{self.strategy!r:.40}", all=STRATEGIES)
        if self.switching not in SWITCHINGS:
            raise Refusal("unknown switching {name}; known: {all}", name=f"{self.switching!r:.40}", all=SWITCHINGS)
        require_whole(self, "width", 0, 65_536)
        require_number(self, "smoothing", 0, 1)
        if self.smoothing == 1:
            raise Refusal("{name} must be below {bound}", name="smoothing", bound=1)

    @property
    def filters(self) -> bool:
        """Whether it switches by a filter, of either kind."""
        return self.switching != "mean"

    @property
    def counts(self) -> bool:
        """Whether tokens' counts are asked."""
        return self.switching == "filter"


@dataclass(frozen=True, slots=True)
class SleepSettings:
    """Active Sleep: how the mixer is kept from forgetting while a new epoch is learned.

    Attributes:
        enabled: False trains the mixer on the new epoch alone (it will forget; for comparison).
        source: what an epoch leaves for later sleep: *features* of its text, and some of the text itself; *features
            without text*, in four bits; or features of *dreams*, text that the frozen epoch samples by itself.
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
        if self.source not in MEMORY_SOURCES:
            raise Refusal("unknown memory source {name}; known: {all}", name=f"{self.source!r:.40}", all=MEMORY_SOURCES)
        require_switch(self, "enabled")
        require_switch(self, "memory_labels")
        require_number(self, "sleep_weight")
        require_number(self, "temperature", open_low=True)
        require_number(self, "route_weight")
        require_whole(self, "memory_tokens", MEMORY_WINDOW)
        require_whole(self, "batch_tokens", MEMORY_WINDOW)


MEMORY_WINDOW = 64
"""Tokens in one contiguous piece of memory, so that a mixer that looks back has something to look at."""
