"""Events as JSON lines, for histories and kept generations."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from tlora_gui.engine.config import SamplingSettings
from tlora_gui.engine.events import HeldOut, TrainStep
from tlora_gui.engine.texts import GenerationRecord, SlotInfo, TokenEvent


def history_line(event: TrainStep | HeldOut) -> str:
    """One step or measurement as a JSON line."""
    return json.dumps({"kind": type(event).__name__, **asdict(event)})


def read_history_line(line: str) -> TrainStep | HeldOut:
    """The inverse of :func:`history_line`.

    Raises:
        ValueError, KeyError, TypeError: if the line is something else.
    """
    data = json.loads(line)
    kind = data.pop("kind")
    if kind == "TrainStep":
        return TrainStep(**data)
    if kind == "HeldOut":
        data["routing"], data["unprotected"] = _pairs(data["routing"]), _pairs(data["unprotected"])
        data["losses"] = _pairs(data.get("losses", []))  # older histories have none
        return HeldOut(**data)
    raise ValueError(f"unknown kind of history line {kind!r}")


def generation_line(record: GenerationRecord) -> str:
    """A generation with its tokens and weights as a JSON line, ASCII only: a line end of Unicode would break it."""
    return json.dumps(asdict(record))


def read_generation_line(line: str) -> GenerationRecord:
    """The inverse of :func:`generation_line`.

    Raises:
        ValueError, KeyError, TypeError: if the line is something else.
    """
    data = json.loads(line)
    data["sampling"] = SamplingSettings(**data["sampling"])
    data["slots"] = tuple(SlotInfo(**slot) for slot in data["slots"])
    data["tokens"] = tuple(_token(token) for token in data["tokens"])
    return GenerationRecord(**data)


def _token(data: dict[str, Any]) -> TokenEvent:
    data["weights"] = tuple(data["weights"])
    data["alternatives"] = _pairs(data["alternatives"])
    return TokenEvent(**data)


def _pairs(listed: list[list[Any]]) -> tuple[tuple[str, float], ...]:
    return tuple((str(name), float(value)) for name, value in listed)
