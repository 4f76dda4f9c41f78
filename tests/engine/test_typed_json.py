"""Typed JSON: what was written comes back equal, and whatever else is read is a value or a refusal."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from engine_helpers import changed, places
from hypothesis import given
from hypothesis import strategies as st

from tlora_gui.engine.projects.project_index import MixerFile
from tlora_gui.engine.projects.recipe import Recipe
from tlora_gui.engine.protocol.config import SamplingSettings, TrainSettings
from tlora_gui.engine.protocol.events import EpochInfo, HeldOut, Run, TrainStep
from tlora_gui.engine.protocol.texts import Generation, GenerationSummary
from tlora_gui.engine.storage.typed_json import reader
from tlora_gui.temporal.config import LoraSettings, MixerSettings

STORED = [
    EpochInfo, Generation, GenerationSummary, HeldOut, LoraSettings, MixerFile, MixerSettings, Recipe, Run,
    SamplingSettings, TrainSettings, TrainStep,
]  # fmt: skip
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=8),
    bool: st.booleans(),
    int: st.integers(-(2**63), 2**64 - 1) | st.integers(-9, 9),
    float: st.floats(allow_nan=False, allow_infinity=False),
}
ANY_JSON = st.recursive(
    st.sampled_from([None, True, -1, 2**64, 10**400, math.nan, math.inf, "\ud83d", 0.5]) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@cache
def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a stored type; of settings with limits, those that are accepted one after another."""
    if kind in PLAIN:
        return PLAIN[kind]
    if get_origin(kind) is Literal:
        return st.sampled_from(get_args(kind))
    if get_origin(kind) is UnionType:
        return st.one_of([st.none() if part is NoneType else values_of(part) for part in get_args(kind)])
    if get_origin(kind) is tuple:
        first, *others = get_args(kind)
        if others == [...]:
            return st.lists(values_of(first), max_size=3).map(tuple)
        return st.tuples(*map(values_of, get_args(kind)))
    parts = {name: values_of(hint) for name, hint in get_type_hints(kind).items()}
    if hasattr(kind, "__post_init__"):
        return st.fixed_dictionaries({}, optional=parts).map(lambda wanted: as_far_as_accepted(kind(), wanted))
    return st.builds(kind, **parts)


def as_far_as_accepted(settings: Any, wanted: dict[str, Any]) -> Any:
    for name, value in wanted.items():
        try:
            settings = replace(settings, **{name: value})
        except ValueError:
            continue
    return settings


@pytest.mark.parametrize("kind", STORED, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_what_was_written_comes_back_equal(kind: Any, data: st.DataObject) -> None:
    value = data.draw(values_of(kind))
    assert reader(kind)(json.loads(json.dumps(asdict(value)))) == value


@pytest.mark.parametrize("kind", STORED, ids=lambda kind: kind.__name__)
@given(data=st.data(), other=ANY_JSON)
def test_any_json_in_any_place_gives_a_value_of_the_type_or_is_refused(
    kind: Any, data: st.DataObject, other: Any
) -> None:
    written = json.loads(json.dumps(asdict(data.draw(values_of(kind)))))
    for place in places(written):
        try:
            value = reader(kind)(changed(written, place, other))
        except (ValueError, TypeError, KeyError):
            continue
        assert reader(kind)(json.loads(json.dumps(asdict(value)))) == value
