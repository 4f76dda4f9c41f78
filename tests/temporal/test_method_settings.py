"""Settings of the method refuse nonsense with a line that names the field and says what would do."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from tlora_gui.engine.protocol.config import (
    LARGEST_COUNT,
    MAX_NEW_TOKENS,
    MAX_TOP_K,
    SEED_MAX,
    SEED_MIN,
    MixingDesk,
    SamplingSettings,
    TrainSettings,
)
from tlora_gui.temporal.config import MEMORY_WINDOW, LoraSettings, MixerSettings, SleepSettings

NAN, INFINITY = float("nan"), float("inf")
NO_NUMBER: list[Any] = ["7", "", True, NAN, INFINITY, -INFINITY, [1], 10**400]
NO_COUNT: list[Any] = [*NO_NUMBER, None, 1.5, 20.0, LARGEST_COUNT + 1]
NO_SEED: list[Any] = [*NO_NUMBER, None, 1.5, SEED_MAX + 1, SEED_MIN - 1]
NO_SWITCH: list[Any] = ["no", 1, None]

COUNTS = {
    LoraSettings: ["r"],
    MixerSettings: ["width"],
    SleepSettings: ["memory_tokens", "batch_tokens"],
    TrainSettings: ["num_passes", "batch_size", "block_size", "held_out_tokens", "eval_every"],
    SamplingSettings: ["max_new_tokens", "top_k"],
}
NUMBERS = {
    LoraSettings: ["lora_alpha"],
    MixerSettings: ["smoothing"],
    SleepSettings: ["sleep_weight", "temperature", "route_weight"],
    TrainSettings: ["learning_rate", "mixer_learning_rate", "held_out_share"],
    SamplingSettings: ["temperature", "top_p", "repetition_penalty"],
    MixingDesk: ["temperature"],
}
SWITCHES = {
    SleepSettings: ["enabled", "memory_labels"],
    TrainSettings: ["compare_unprotected"],
    MixingDesk: ["hard"],
}

NONSENSE: list[tuple[type, str, list[Any]]] = [
    (LoraSettings, "r", [0, -1, 1025, 3.5]),
    (LoraSettings, "lora_alpha", [0, -2.0, NAN, INFINITY]),
    (LoraSettings, "mixer_layer", [-1]),
    (MixerSettings, "strategy", ["", "voting"]),
    (MixerSettings, "width", [-1]),
    (MixerSettings, "smoothing", [-0.1, 1.0, 1.5, NAN]),
    (SleepSettings, "source", ["", "texts"]),
    (SleepSettings, "sleep_weight", [-0.1, NAN, INFINITY]),
    (SleepSettings, "temperature", [0.0, -1.0, NAN, INFINITY]),
    (SleepSettings, "route_weight", [-0.1, NAN, INFINITY]),
    (SleepSettings, "memory_tokens", [0, MEMORY_WINDOW - 1]),
    (SleepSettings, "batch_tokens", [0, MEMORY_WINDOW - 1]),
    (TrainSettings, "seed", NO_SEED),
    (TrainSettings, "max_tokens", [NO_COUNT[0], True, NAN, 1.5, 127]),
    (TrainSettings, "learning_rate", [0, -1, 1.01]),
    (TrainSettings, "held_out_share", [0, 0.51]),
    (TrainSettings, "block_size", [15, 8193]),
    (TrainSettings, "objective", ["", "x" * 10_000]),
    (TrainSettings, "sleep", [None, {"enabled": False}]),
    (SamplingSettings, "seed", NO_SEED),
    (SamplingSettings, "max_new_tokens", [0, MAX_NEW_TOKENS + 1]),
    (SamplingSettings, "top_k", [-1, MAX_TOP_K + 1]),
    (SamplingSettings, "top_p", [0, 1.01]),
    (SamplingSettings, "temperature", [-0.1]),
    (SamplingSettings, "repetition_penalty", [0.9]),
    (MixingDesk, "levels", [(("", NAN),), (("", "1"),), (("", True),)]),
    *[(kind, name, NO_COUNT) for kind, names in COUNTS.items() for name in names],
    *[(kind, name, [*NO_NUMBER, None]) for kind, names in NUMBERS.items() for name in names],
    *[(kind, name, NO_SWITCH) for kind, names in SWITCHES.items() for name in names],
]

SENSE: list[tuple[type, str, list[Any]]] = [
    (LoraSettings, "r", [1, 1024]),
    (LoraSettings, "lora_alpha", [0.5, 64, 16.0]),
    (LoraSettings, "mixer_layer", [None, 0, 3]),
    (MixerSettings, "strategy", ["gating", "routing", "attention"]),
    (MixerSettings, "width", [0, 1]),
    (MixerSettings, "smoothing", [0, 0.999]),
    (SleepSettings, "source", ["features", "dreams", "features-without-text"]),
    (SleepSettings, "memory_labels", [False, True]),
    (SleepSettings, "sleep_weight", [0]),
    (SleepSettings, "temperature", [0.1, 10]),
    (SleepSettings, "route_weight", [0]),
    (SleepSettings, "memory_tokens", [MEMORY_WINDOW]),
    (SleepSettings, "batch_tokens", [MEMORY_WINDOW]),
    (TrainSettings, "seed", [SEED_MIN, -5, 20240115123000000, SEED_MAX]),
    (TrainSettings, "max_tokens", [None, 128]),
    (TrainSettings, "learning_rate", [1, 1e-9]),
    (SamplingSettings, "seed", [SEED_MIN, -1, SEED_MAX]),
    (SamplingSettings, "top_k", [0, MAX_TOP_K]),
    (SamplingSettings, "max_new_tokens", [1, MAX_NEW_TOKENS]),
    (SamplingSettings, "temperature", [0, 1]),
]


def cases(table: list[tuple[type, str, list[Any]]]) -> list[Any]:
    return [
        pytest.param(kind, field, value, id=f"{kind.__name__}.{field}={value!r:.24}")
        for kind, field, values in table
        for value in values
    ]


@pytest.mark.parametrize(("kind", "field", "value"), cases(NONSENSE))
def test_nonsense_is_refused_by_name(kind: type, field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"\b{field}\b.* \w+") as refused:
        kind(**{field: value})
    assert len(str(refused.value)) < 120


def test_a_seed_beyond_64_bits_is_refused_with_the_bounds() -> None:
    with pytest.raises(ValueError, match=r"^seed must be .* from -9223372036854775808 to 9223372036854775807$"):
        TrainSettings(seed=99999999999999999999)


@pytest.mark.parametrize(("kind", "field", "value"), cases(SENSE))
def test_sense_is_kept(kind: type, field: str, value: Any) -> None:
    assert getattr(kind(**{field: value}), field) == value


@pytest.mark.parametrize("kind", [LoraSettings, MixerSettings, SleepSettings])
def test_settings_are_values(kind: type) -> None:
    assert kind() == kind()
    assert hash(kind()) == hash(kind())
    with pytest.raises(FrozenInstanceError):
        setattr(kind(), next(iter(kind.__slots__)), 1)


def test_the_defaults_are_those_of_the_source() -> None:
    sleep = SleepSettings()
    assert (sleep.enabled, sleep.sleep_weight, sleep.temperature) == (True, 0.5, 2.0)
