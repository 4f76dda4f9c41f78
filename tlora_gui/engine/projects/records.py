"""Histories and kept generations as JSON lines. Imports neither torch nor Qt."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, fields
from itertools import pairwise
from typing import Any, cast

from tlora_gui.engine.projects.recipe import Recipe
from tlora_gui.engine.protocol.config import MAX_NAME
from tlora_gui.engine.protocol.events import EpochInfo, HeldOut, Run, TrainingEvent, TrainingSample, TrainStep
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.protocol.texts import Generation, GenerationSummary, ReadReport, SlotInfo, TokenEvent
from tlora_gui.engine.protocol.wording import manual_blend
from tlora_gui.engine.storage.event_lines import read_event_line
from tlora_gui.engine.storage.typed_json import reader
from tlora_gui.temporal.config import require

_SUMMARY = '{"summary": '
_SUMMARY_LENGTH = 200
_COLOUR = re.compile("#[0-9A-Fa-f]{6}")
_MOST_NATS = 1e6
"""Far beyond what any filter says."""
_ROUNDING = 0.02
"""Weights are sums of bfloat16 at worst."""
_YEAR_9000 = 2.2e11
_MAX_NOTE = 2000
_LARGEST = 1e15
"""No count, loss or time of training is larger; charts can still draw it."""


def read_history_line(line: str) -> TrainingEvent:
    """A step, a measurement or a sample from its line, see :mod:`tlora_gui.engine.storage.event_lines`.

    Raises:
        ValueError, KeyError, TypeError: if the line is something else.
    """
    event = read_event_line(line)
    if not isinstance(event, TrainStep | HeldOut | TrainingSample):
        raise TypeError(say("a line of a history is no step and no measurement"))
    pairs = [*event.routing, *event.unprotected, *event.losses] if isinstance(event, HeldOut) else []
    values = (getattr(event, field.name) for field in fields(event))
    numbers = [value for value in values if isinstance(value, (int, float))]
    require(
        all(-1 <= number <= _LARGEST for number in (*numbers, *(value for _, value in pairs))), say("a figure is none")
    )
    if isinstance(event, TrainingSample):
        _check_tokens(event.tokens, event.slots)
    return event


def check_epoch(info: EpochInfo) -> None:
    """Refuse an epoch that could not be shown.

    Raises:
        ValueError: says what is wrong with it.
    """
    require(
        len(info.name.strip()) > 0 and len(info.name) <= MAX_NAME,
        say("a name has 1 to {limit} characters", limit=MAX_NAME),
    )
    require(
        max(len(info.era), len(info.note)) <= _MAX_NOTE, say("an era has at most {limit:,} characters", limit=_MAX_NOTE)
    )
    require(is_colour(info.colour), say("a colour is #RRGGBB"))
    require(
        0 <= min(info.tokens, info.kept_step) <= max(info.tokens, info.kept_step) <= _LARGEST, say("tokens is no count")
    )
    losses = (loss for loss in (info.held_out_loss, info.backbone_loss) if loss is not None)
    require(all(-1 <= loss <= _LARGEST for loss in losses), say("a loss is impossible"))
    require(not any("\0" in path for path in info.corpus), say("a path of its text is none"))


def check_run(run: Run) -> None:
    """Refuse a run that could not be shown.

    Raises:
        ValueError: says what is wrong with it.
    """
    check_epoch(run.epoch)
    check_time(run.started)
    require(
        all(0 <= figure <= _LARGEST for figure in (run.seconds, run.step, run.total_steps)), say("a figure is none")
    )


def is_colour(colour: str) -> bool:
    """Whether it is #RRGGBB."""
    return _COLOUR.fullmatch(colour) is not None


def generation_line(record: Generation, recipe: Recipe | None = None) -> str:
    """A generation as a JSON line, ASCII only: a line end of Unicode would break it.

    Its summary comes first, so that it can be read alone; its tokens come last.

    Args:
        record: what is kept.
        recipe: what made it, if that was another project.
    """
    origin = {"recipe": asdict(recipe)} if recipe else {}
    return json.dumps({"summary": asdict(summary_of(record)), **origin, **generation_data(record)})


def generation_data(record: Generation) -> dict[str, Any]:
    """A generation as what JSON knows, its tokens last."""
    data = asdict(record)
    data["tokens"] = data.pop("tokens")
    return data


def summary_of(record: Generation) -> GenerationSummary:
    """A generation without its tokens."""
    return GenerationSummary(
        id=record.id,
        parent=record.parent,
        branch_at=record.branch_at,
        name=record.name,
        pinned=record.pinned,
        created=record.created,
        prompt=record.prompt[:_SUMMARY_LENGTH],
        mode=record.mode,
        seed=record.sampling.seed,
        tokens=len(record.tokens),
        ended=record.ended,
        text=_own_text(record),
        blend=manual_blend(record.desk, record.slots),
    )


def _own_text(record: Generation) -> str:
    """The beginning of what comes after the branching point, or else after the prompt."""
    text = ""
    for token in record.tokens[record.branch_at :]:
        if record.branch_at or not token.is_prompt:
            text += token.text
        if len(text) >= _SUMMARY_LENGTH:
            break
    return text[:_SUMMARY_LENGTH]


def read_summary(line: str) -> GenerationSummary:
    """The summary of a generation's line, without parsing the tokens.

    Raises:
        ValueError, KeyError, TypeError: if the line is something else, or was cut off.
    """
    require(line.startswith(_SUMMARY), say("a line of kept texts has no summary"))
    require(line.rstrip().endswith("]}"), say("the line was cut off"))  # only behind the last token
    data, _ = json.JSONDecoder().raw_decode(line, len(_SUMMARY))
    summary = cast(GenerationSummary, reader(GenerationSummary)(data))
    require(bool(summary.id), say("a line of kept texts has no id"))
    check_time(summary.created)
    return summary


def read_generation_line(line: str) -> Generation:
    """The inverse of :func:`generation_line`.

    Raises:
        ValueError, KeyError, TypeError: if the line is something else.
    """
    return read_generation(json.loads(line))


def read_origin(line: str) -> Recipe | None:
    """What made the generation of a line, if that was another project. Raises as :func:`read_generation_line`."""
    return cast("Recipe | None", reader(Recipe | None)(json.loads(line).get("recipe")))


def read_generation(data: Any) -> Generation:
    """The inverse of :func:`generation_data`, of whatever a stranger's file has in its place.

    Raises:
        ValueError, KeyError, TypeError: if a type is wrong, a figure impossible, or two things do not go together.
    """
    record = cast(Generation, reader(Generation)(data))
    _check_tokens(record.tokens, record.slots)
    indices = [0, *(change.index for change in record.desk)]  # behind the last token if it was stopped before
    require(all(one <= other for one, other in pairwise(indices)), say("changes of the mixing desk are out of order"))
    require(record.branch_at >= 0, say("branch_at is negative"))
    require(record.tokens_per_second >= 0, say("tokens_per_second is negative"))
    check_time(record.created)
    if record.report:
        _check_report(record.report, len(record.tokens), len(record.slots))
    return record


def _check_tokens(tokens: Sequence[TokenEvent], slots: Sequence[SlotInfo]) -> None:
    slugs = [slot.slug for slot in slots]
    require(slugs[:1] == [""] and len(set(slugs)) == len(slugs), say("slots are the backbone, then epochs"))
    require(all(is_colour(slot.colour) for slot in slots), say("colours are #RRGGBB"))
    for index, token in enumerate(tokens):
        _check_token(token, index, len(slugs))


def _check_token(token: TokenEvent, index: int, slots: int) -> None:
    require(token.index == index, say("tokens are out of order"))
    require(len(token.weights) == slots, say("a token's weights are not one per slot"))
    require(all(0 <= weight <= 1 + _ROUNDING for weight in token.weights), say("weights lie in [0, 1]"))
    require(abs(sum(token.weights) - 1) <= _ROUNDING, say("weights sum to 1"))
    require(token.rank >= 1, say("ranks begin at 1"))
    if token.reasons is not None:
        rival, *nats = token.reasons
        fits = 0 <= rival < slots and all(abs(each) < _MOST_NATS for each in nats)
        require(fits, say("a token's reasons are impossible"))
    shares = (token.probability, *(each.probability for each in token.alternatives))
    require(all(0 <= share <= 1 + _ROUNDING for share in shares), say("probabilities lie in [0, 1]"))


def _check_report(report: ReadReport, count: int, slots: int) -> None:
    require(len(report.lags) == len(report.parts), say("a report has one lag per part"))
    firsts = [part.first for part in report.parts]
    require(
        firsts[:1] in ([], [0]) and all(one < other for one, other in pairwise(firsts)), say("parts are out of order")
    )
    require(
        all(0 <= part.slot < slots and part.first < max(1, count) for part in report.parts), say("a part is no slot's")
    )
    require(report.unread >= 0 and all(lag >= 0 for lag in report.lags), say("a count is negative"))
    require(max(0.0, report.mix_loss, *(loss for _, loss in report.losses)) < 709, say("a loss is impossible"))


def check_time(created: float) -> None:
    """Refuse a time, in seconds since 1970, that could not be shown. Raises ValueError."""
    require(0 <= created < _YEAR_9000, say("created is no time"))
