"""A generation in words: which slot has most weight where, how it was made, signs for what cannot be seen.

For whatever has no colours. Imports neither torch nor Qt, so the window may use it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import groupby

from tlora_gui.engine.protocol.attribution import spans
from tlora_gui.engine.protocol.config import AVERAGE_MODE, BASELINE_MODE, MIXER_MODE, SUM_MODE, MixingDesk
from tlora_gui.engine.protocol.sentences import Sentence, commas, say
from tlora_gui.engine.protocol.texts import DeskChange, Generation, SlotInfo, TokenEvent

NOBODY = "no epoch in particular"
PART_OF_A_CHARACTER = say("(part of a character)")
"""Stands for a token that adds no text."""
_NEUTRAL = "◇"
_REORDERING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
STAND_INS = {
    **{code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\t\n"},
    0x7F: "\N{SYMBOL FOR DELETE}",
    **dict.fromkeys((*range(0x80, 0xA0), *map(ord, _REORDERING)), _NEUTRAL),
    **dict.fromkeys(map(ord, "\u2028\u2029"), "\N{SYMBOL FOR NEWLINE}"),
    **dict.fromkeys(range(0xD800, 0xE000), "\N{REPLACEMENT CHARACTER}"),
}
"""For ``str.translate``: control characters become one visible sign each, so that they neither reorder the text nor
break its lines; every position stays what it was."""

_MARKS = str.maketrans({" ": "␣", "\n": "⏎", "\t": "⇥"})


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring tokens with the same dominant slot; those with nothing but space in them belong to the run before.

    ``name`` is the slot's, or that of nobody where several weigh the same; ``last`` is the index of the last token.
    """

    slot: int | None
    name: str
    is_prompt: bool
    first: int
    last: int
    text: str


def visible(text: str) -> str:
    """A text whose control characters are one visible sign each, so that they neither reorder it nor break its lines.

    Tabs and line ends stay.
    """
    return text.translate(STAND_INS)


def marked(text: str) -> str:
    """A token's text in one line, its spaces and line ends visible."""
    return visible(text).translate(_MARKS) or PART_OF_A_CHARACTER


def one_line(text: str, limit: int = 80) -> str:
    """A text in one line of at most ``limit`` characters."""
    line = " ".join(visible(text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def title(record: Generation) -> str:
    """What the person calls it, or else the first line of its prompt."""
    lines = record.prompt.strip().splitlines()
    return one_line(record.name) or (one_line(lines[0]) if lines else "") or "Generation"


def runs(record: Generation) -> list[Run]:
    """Which slot is dominant where; a run is of the prompt or of what was generated, never both."""
    found: list[Run] = []
    for is_prompt, part in groupby(record.tokens, key=lambda token: token.is_prompt):
        for slot, tokens in spans(list(part)):
            name = NOBODY if slot is None else one_line(record.slots[slot].name)
            run = Run(slot, name, is_prompt, *_extent(tokens))
            before = found[-1] if found and found[-1].is_prompt == is_prompt else None
            if before and (before.name == run.name or not run.text.strip()):
                found[-1] = Run(before.slot, before.name, is_prompt, before.first, run.last, before.text + run.text)
            else:
                found.append(run)
    return found


def _extent(tokens: Sequence[TokenEvent]) -> tuple[int, int, str]:
    return tokens[0].index, tokens[-1].index, "".join(token.text for token in tokens)


def shares(record: Generation) -> list[float]:
    """Every slot's share of the mix over all tokens, summing to 1; without tokens 0."""
    columns = zip(*(token.weights for token in record.tokens), strict=True)
    return [sum(column) / len(record.tokens) for column in columns] or [0.0] * len(record.slots)


def drawing_order(slots: Sequence[object]) -> list[int]:
    """Order of slots in every bar and list: epochs first, the backbone last."""
    return [*range(1, len(slots)), 0] if slots else []


def mode_text(mode: str, slots: Sequence[SlotInfo]) -> Sentence:
    """The name of a mode of generation."""
    if mode in _MODES:
        return _MODES[mode]
    if mode.startswith("@"):
        return say("Time Mixer number {number}", number=one_line(mode[1:]))
    return say("{name} alone", name=slot_name(mode, slots))


_MODES = {
    MIXER_MODE: say("Time Mixer"),
    "": say("Backbone alone"),
    SUM_MODE: say("Sum of all epochs"),
    AVERAGE_MODE: say("Average of all epochs"),
    BASELINE_MODE: say("Time Mixer without Active Sleep"),
}


def slot_name(slug: str, slots: Sequence[SlotInfo]) -> str:
    """A slot's name in one line; the slug of one that is not among them."""
    return one_line(next((slot.name for slot in slots if slot.slug == slug), slug))


def sampling_text(record: Generation) -> str:
    """How the tokens were drawn, in a line."""
    sampling = record.sampling
    return (
        f"temperature {sampling.temperature:g} · top-k {sampling.top_k} · top-p {sampling.top_p:g} · "
        f"repetition penalty {sampling.repetition_penalty:g} · seed {sampling.seed} · {sampling.precision}"
    )


def desk_text(desk: MixingDesk, slots: Sequence[SlotInfo]) -> str:
    """What the mixing desk made of the weights, in one line; empty if it left them alone.

    A manual blend is given in shares that sum to 1, as it was in force.
    """
    if is_silent(desk, slots):
        return say("nothing was left, so the backbone spoke")
    ordered, parts = [slots[slot] for slot in drawing_order(slots)], list[str]()
    if desk.lock == "manual":
        shares = _shares_of(desk, slots)
        blend = _dotted(say("{name} {share}", name=name, share=share_text(share)) for name, share in shares)
        parts.append(say("manual, {blend}", blend=blend))
    elif desk.lock == "gain":
        gains = [(slot.name, dict(desk.levels).get(slot.slug, 1.0)) for slot in ordered]
        turned = [say("{name} × {gain:.2f}", name=name, gain=gain) for name, gain in gains if gain != 1]
        parts += [say("gain, {gains}", gains=_dotted(turned))] if turned else []
    if desk.lock != "manual":
        if names := " · ".join(slot.name for slot in slots if slot.slug in desk.solo):
            parts.append(say("{names} alone", names=names))
        if names := " · ".join(slot.name for slot in slots if slot.slug in desk.muted):
            parts.append(say("{names} muted", names=names))
        if desk.temperature != 1:
            parts.append(say("temperature {value}", value=temperature_text(desk.temperature)))
    if desk.hard:
        parts.append(say("hard"))
    return commas(parts) if parts else ""


def manual_blend(changes: Sequence[DeskChange], slots: Sequence[SlotInfo]) -> tuple[tuple[str, float], ...] | None:
    """(Name of a slot, share) of the manual blend of a text.

    Empty if the mixing desk was turned on the way, or left nothing; None if it never stood at manual.
    """
    desks = {change.desk for change in changes}
    if all(desk.lock != "manual" for desk in desks):
        return None
    (desk, *others) = desks
    return () if others or is_silent(desk, slots) else _shares_of(desk, slots)


def _shares_of(desk: MixingDesk, slots: Sequence[SlotInfo]) -> tuple[tuple[str, float], ...]:
    levels = [(slots[slot].name, desk.level(slots[slot].slug)) for slot in drawing_order(slots)]
    total = sum(level for _, level in levels)
    return tuple((name, level / total) for name, level in levels if level > 0)


def _dotted(parts: Iterable[str]) -> str:
    return reduce(lambda one, other: say("{one} · {other}", one=one, other=other), parts)


def is_silent(desk: MixingDesk, slots: Sequence[SlotInfo]) -> bool:
    """Whether the desk leaves no slot any weight, so that the backbone has all."""
    return not any(desk.level(slot.slug) > 0 for slot in slots)


def share_text(share: float) -> Sentence:
    """A share or probability in two decimals, without calling something small nothing."""
    return say("<{share:.2f}", share=0.01) if 0 < share < 0.005 else say("{share:.2f}", share=share)


def temperature_text(temperature: float) -> Sentence:
    """A temperature of the mixer in two digits or so.

    >>> print(*map(temperature_text, (0.1, 0.25, 1, 10)))
    0.10 0.25 1.0 10.0
    """
    if temperature < 1:
        return say("{temperature:.2f}", temperature=temperature)
    return say("{temperature:.1f}", temperature=temperature)
