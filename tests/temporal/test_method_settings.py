"""Settings of the method refuse nonsense with a line that names the field and says what would do."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from tlora_gui.temporal.config import MEMORY_WINDOW, LoraSettings, MixerSettings, SleepSettings

NAN, INFINITY = float("nan"), float("inf")

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
]

SENSE: list[tuple[type, str, list[Any]]] = [
    (LoraSettings, "r", [1, 1024]),
    (LoraSettings, "lora_alpha", [0.5, 64, 16.0]),
    (LoraSettings, "mixer_layer", [None, 0, 3]),
    (MixerSettings, "strategy", ["gating", "routing", "attention"]),
    (MixerSettings, "width", [0, 1]),
    (MixerSettings, "smoothing", [0, 0.999]),
    (SleepSettings, "source", ["features", "dreams"]),
    (SleepSettings, "memory_labels", [False, True]),
    (SleepSettings, "sleep_weight", [0]),
    (SleepSettings, "temperature", [0.1, 10]),
    (SleepSettings, "route_weight", [0]),
    (SleepSettings, "memory_tokens", [MEMORY_WINDOW]),
    (SleepSettings, "batch_tokens", [MEMORY_WINDOW]),
]


def cases(table: list[tuple[type, str, list[Any]]]) -> list[Any]:
    return [
        pytest.param(kind, field, value, id=f"{field}={value}") for kind, field, values in table for value in values
    ]


@pytest.mark.parametrize(("kind", "field", "value"), cases(NONSENSE))
def test_nonsense_is_refused_by_name(kind: type, field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"\b{field}\b.* \w+"):
        kind(**{field: value})


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
