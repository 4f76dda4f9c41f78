"""A generation in words: who speaks where, how it was made, signs for what cannot be seen. For whatever has no colours.

Imports neither torch nor Qt, so the window may use it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from tlora_gui.engine.protocol.attribution import spans
from tlora_gui.engine.protocol.config import AVERAGE_MODE, BASELINE_MODE, MIXER_MODE, SUM_MODE, MixingDesk
from tlora_gui.engine.protocol.texts import Generation, SlotInfo, TokenEvent

NOBODY = "no epoch in particular"
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
    """Neighbouring tokens of one speaker; those with nothing but space in them belong to the speaker before.

    ``name`` is the slot's, or that of nobody where several weigh the same; ``last`` is the index of the last token.
    """

    slot: int
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
    return visible(text).translate(_MARKS) or "(part of a character)"


def one_line(text: str, limit: int = 80) -> str:
    """A text in one line of at most ``limit`` characters."""
    line = " ".join(visible(text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def title(record: Generation) -> str:
    """What the person calls it, or else the first line of its prompt."""
    lines = record.prompt.strip().splitlines()
    return one_line(record.name) or (one_line(lines[0]) if lines else "") or "Generation"


def runs(record: Generation) -> list[Run]:
    """Who speaks where; a run is of the prompt or of what was generated, never both."""
    found: list[Run] = []
    for is_prompt, part in groupby(record.tokens, key=lambda token: token.is_prompt):
        for slot, tokens in spans(list(part)):
            run = Run(slot, _speaker(slot, tokens, record.slots), is_prompt, *_extent(tokens))
            before = found[-1] if found and found[-1].is_prompt == is_prompt else None
            if before and (before.name == run.name or not run.text.strip()):
                found[-1] = Run(before.slot, before.name, is_prompt, before.first, run.last, before.text + run.text)
            else:
                found.append(run)
    return found


def _extent(tokens: Sequence[TokenEvent]) -> tuple[int, int, str]:
    return tokens[0].index, tokens[-1].index, "".join(token.text for token in tokens)


def _speaker(slot: int, tokens: Sequence[TokenEvent], slots: Sequence[SlotInfo]) -> str:
    weights = tokens[0].weights
    return NOBODY if weights.count(max(weights)) > 1 else one_line(slots[slot].name)


def shares(record: Generation) -> list[float]:
    """Every slot's share of the mix over all tokens, summing to 1; without tokens 0."""
    columns = zip(*(token.weights for token in record.tokens), strict=True)
    return [sum(column) / len(record.tokens) for column in columns] or [0.0] * len(record.slots)


def drawing_order(slots: Sequence[object]) -> list[int]:
    """Order of slots in every bar and list: epochs first, the backbone last."""
    return [*range(1, len(slots)), 0] if slots else []


def mode_text(mode: str, slots: Sequence[SlotInfo]) -> str:
    """Who spoke in a mode of generation."""
    fixed = {
        MIXER_MODE: "Time Mixer",
        SUM_MODE: "sum of all epochs",
        AVERAGE_MODE: "average of all epochs",
        BASELINE_MODE: "Time Mixer without Active Sleep",
        "": "backbone alone",
    }
    if mode in fixed:
        return fixed[mode]
    return f"Time Mixer number {one_line(mode[1:])}" if mode.startswith("@") else f"{slot_name(mode, slots)} alone"


def slot_name(slug: str, slots: Sequence[SlotInfo]) -> str:
    """A slot's name in one line; the slug of one that is not among them."""
    return one_line(next((slot.name for slot in slots if slot.slug == slug), slug))


def sampling_text(record: Generation) -> str:
    """How the tokens were drawn, in a line."""
    sampling = record.sampling
    return (
        f"temperature {sampling.temperature:g} · top-k {sampling.top_k} · top-p {sampling.top_p:g} · "
        f"repetition penalty {sampling.repetition_penalty:g} · seed {sampling.seed}"
    )


def desk_text(desk: MixingDesk, slots: Sequence[SlotInfo]) -> str:
    """How the mixing desk stood, in a line."""
    said = {
        "levels": " · ".join(f"{slot_name(slug, slots)} {level:g}" for slug, level in desk.levels),
        "muted": " · ".join(slot_name(slug, slots) for slug in desk.muted),
        "solo": " · ".join(slot_name(slug, slots) for slug in desk.solo),
        "temperature of the mixer": f"{desk.temperature:g}" if desk.temperature != 1 else "",
        "all weight to the largest": "yes" if desk.hard else "",
    }
    lock = {"mixer": "Time Mixer", "manual": "manual blend", "gain": "Time Mixer × gain"}[desk.lock]
    return "; ".join([lock, *(f"{what} {value}" for what, value in said.items() if value)])
