"""Texts with a mix for every token, as data: tokens, generations and their branches, what was found out about them.

Imports neither torch nor Qt, so the window may use it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from tlora_gui.engine.protocol.config import MixingDesk, SamplingSettings

Ending = Literal["length", "end of text", "stopped", "read"]
"""How a text came to its end; "read" was given whole and not generated."""


@dataclass(frozen=True, slots=True)
class SlotInfo:
    """Name and colour of one mixer slot at the time of a generation; slot 0 is the backbone (slug "")."""

    slug: str
    name: str
    colour: str


class Alternative(NamedTuple):
    """A token that could have come; ``token_id`` is -1 where it was not kept."""

    text: str
    probability: float
    token_id: int = -1


class MixReasons(NamedTuple):
    """Why the slot that weighs most in a mix weighs more than the next, in nats: the sum is the logarithm of the ratio
    of what the filter takes for their probabilities.

    Attributes:
        rival: the next slot.
        context: what the Time Mixer sees in the last token that was read, in its context.
        word: what this token alone says, by how often it stands in each epoch's text.
        before: what was carried on from the tokens before it.
    """

    rival: int
    context: float
    word: float
    before: float


@dataclass(frozen=True, slots=True)
class TokenEvent:
    """One token of a generation.

    Attributes:
        index: position from 0, prompt included.
        token_id: the backbone's vocabulary.
        text: what this token adds to the text; empty while a character is still incomplete.
        weights: the mix over slots, summing to 1: a prompt token's own mix; for a generated token the mix in
            force when it was predicted.
        is_prompt: given, not generated.
        probability: of this token under the model, before sampling filters; 1 for the very first.
        rank: 1 is the most probable.
        alternatives: the most probable tokens here.
        forced: put here by a person, at the beginning of a branch.
        reasons: of the mix, where a filter alone made it.
    """

    index: int
    token_id: int
    text: str
    weights: tuple[float, ...]
    is_prompt: bool
    probability: float
    rank: int
    alternatives: tuple[Alternative, ...] = ()
    forced: bool = False
    reasons: MixReasons | None = None


@dataclass(frozen=True, slots=True)
class DeskChange:
    """From the token ``index`` on, the mixing desk stood like this."""

    index: int
    desk: MixingDesk


@dataclass(frozen=True, slots=True)
class Segment:
    """From the token ``first`` on, until the next part, the text belongs to ``slot``."""

    first: int
    slot: int


@dataclass(frozen=True, slots=True)
class ReadReport:
    """What reading a text has found.

    Attributes:
        losses: (slot's slug, nats per token) of every slot alone, the backbone ("") first.
        mix_loss: of the mix, nats per token.
        parts: segments, found with what comes after each token too; the first begins at token 0.
        lags: for every part, tokens from its beginning until its slot's weight stays above 0.9 for 3 tokens; all of
            them if it never does.
        unread: characters at the end of the text that did not fit into the backbone's context.
    """

    losses: tuple[tuple[str, float], ...]
    mix_loss: float
    parts: tuple[Segment, ...]
    lags: tuple[int, ...]
    unread: int = 0


@dataclass(frozen=True, slots=True)
class Generation:
    """A finished generation, or a text that was read, as kept in the project.

    Attributes:
        prompt, mode, sampling: as asked for; the prompt of a text that was read is that text.
        slots: of the mixer then; they keep names and colours of epochs that are gone since.
        tokens: all of them, prompt first.
        ended: see :data:`Ending`.
        tokens_per_second: 0 if nothing was generated.
        id: unique in its project; empty before it is kept.
        parent: id of the generation that it branches off, or empty.
        branch_at: index of the first token that is its own.
        name: what the person calls it.
        pinned: kept on top.
        created: seconds since 1970.
        desk: the mixing desk's settings, from the first token on; empty if it was never touched.
        report: of a text that was read.
    """

    prompt: str
    mode: str
    sampling: SamplingSettings
    slots: tuple[SlotInfo, ...]
    tokens: tuple[TokenEvent, ...]
    ended: Ending
    tokens_per_second: float
    id: str = ""
    parent: str = ""
    branch_at: int = 0
    name: str = ""
    pinned: bool = False
    created: float = 0.0
    desk: tuple[DeskChange, ...] = ()
    report: ReadReport | None = None


@dataclass(frozen=True, slots=True)
class GenerationSummary:
    """A kept generation without its tokens; the fields that :class:`Generation` has too mean the same.

    Attributes:
        text: the beginning of what is its own, after prompt or branching point.
        blend: (name of a slot, share) of the manual blend that stood at the mixing desk; empty if that was turned
            while the text came, None if there was none.
    """

    id: str
    parent: str
    branch_at: int
    name: str
    pinned: bool
    created: float
    prompt: str
    mode: str
    seed: int
    tokens: int
    ended: Ending
    text: str
    blend: tuple[tuple[str, float], ...] | None = None


@dataclass(frozen=True, slots=True)
class SlotPrediction:
    """What one slot alone, having read everything before as itself, would have predicted at a token.

    Attributes:
        slot: number of the slot; -1 is the mix.
        probability: of the token that came.
        rank: of the token that came.
        alternatives: its most probable tokens.
    """

    slot: int
    probability: float
    rank: int
    alternatives: tuple[Alternative, ...]
