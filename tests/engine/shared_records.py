"""Records of generations with everything in them that a record can have."""

from __future__ import annotations

from tlora_gui.engine.projects.recipe import BackboneRecipe, EpochRecipe, MixerRecipe, Recipe, Versions
from tlora_gui.engine.protocol.config import MixingDesk, SamplingSettings
from tlora_gui.engine.protocol.texts import (
    Alternative,
    DeskChange,
    Generation,
    MixReasons,
    ReadReport,
    Segment,
    SlotInfo,
    TokenEvent,
)

SLOTS = (
    SlotInfo("", "Eternity", "#8A919C"),
    SlotInfo("verse", "Verse", "#0072B2"),
    SlotInfo("code", "Code", "#E69F00"),
)
_SPOKEN = (
    ("To", True, (0.1, 0.8, 0.1)),
    (" be", True, (0.0, 1.0, 0.0)),
    ("\n", False, (0.8, 0.1, 0.1)),
    ("def", False, (0.05, 0.05, 0.9)),
    ("", False, (0.2, 0.1, 0.7)),
    (" 日\u2028", False, (0.2, 0.1, 0.7)),
    (" x", False, (0.1, 0.6, 0.3)),
)
WHY = MixReasons(1, 0.5, -0.25, 2.0)
TOKENS = tuple(
    TokenEvent(
        i, 65 + i, text, weights, given, 0.25, 3, (Alternative(" a", 0.5, 7), Alternative("b", 0.25)), False, WHY
    )
    for i, (text, given, weights) in enumerate(_SPOKEN)
)
RECORD = Generation("To be", "mixer", SamplingSettings(seed=42), SLOTS, TOKENS, "length", 9.5)
FULL = Generation(
    prompt='To "be"\r\n\u2028',
    mode="mixer",
    sampling=SamplingSettings(temperature=0.5, seed=7),
    slots=SLOTS,
    tokens=TOKENS,
    ended="read",
    tokens_per_second=0.0,
    id="abc",
    parent="",
    branch_at=3,
    name='a "name"',
    pinned=True,
    created=1.7e9 + 1 / 3,
    desk=(
        DeskChange(0, MixingDesk()),
        DeskChange(4, MixingDesk("gain", (("code", 1.5),), ("",), ("verse", "code"), 0.5, True)),
    ),
    report=ReadReport((("", 3.5), ("verse", 3.25)), 3.0, (Segment(0, 1), Segment(3, 2)), (0, 4), 12),
)
"""A record in which nothing is left at its default."""
RECIPE = Recipe(
    BackboneRecipe("owner/model", "model", "f" * 64),
    (EpochRecipe("verse", "Verse", "an era", "a" * 64), EpochRecipe("code", "Code", "", "")),
    MixerRecipe("gating", "b" * 64),
    "mixer",
    FULL.sampling,
    FULL.desk,
    Versions("0.1.0", "2.9", "5.0"),
)
