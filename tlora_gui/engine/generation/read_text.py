"""What is kept of the text that was read last, for texts that begin alike.

A text is read in pieces. One that is read after the same pieces leaves the same bits whenever it is read, while the
same tokens cut otherwise are rounded otherwise. So a text goes on from where both were cut alike, and what it says from
there is what it says when all of it is read anew, to the last bit.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import Tensor

from tlora_gui.engine.protocol.config import MixingDesk
from tlora_gui.engine.protocol.texts import MixReasons, TokenEvent
from tlora_gui.temporal.blend import BlendState
from tlora_gui.temporal.model import TemporalLoRA


class InputToken(NamedTuple):
    """A token that is not drawn; None leaves it to the tokenizer what it shows."""

    token_id: int
    is_prompt: bool = False
    forced: bool = False
    text: str | None = None


class Mix(NamedTuple):
    """The mix that reading a token has made: weights over slots, and why."""

    weights: tuple[float, ...]
    reasons: MixReasons | None = None


class Piece(NamedTuple):
    """Tokens that are read in one go.

    Attributes:
        start: index of the first; -1 is what a text starts from that has no prompt.
        ids: all of them.
        desk: how the mixing desk stands meanwhile.
        given: the same tokens, where it is told what the model says of each.
        last: whether a token is told or drawn after it.
    """

    start: int
    ids: tuple[int, ...]
    desk: MixingDesk
    given: tuple[InputToken, ...] = ()
    last: bool = True

    @property
    def end(self) -> int:
        """Index of the token after."""
        return self.start + len(self.ids)

    def like(self, other: Piece) -> bool:
        """Whether reading the other leaves what reading this one leaves.

        Logits of all positions are rounded otherwise than those of the last alone, which matters if they are wanted.
        """
        wanted = self.given or self.last
        return self[:3] == other[:3] and (self.given == other.given or not wanted)


class Step(NamedTuple):
    """What reading a piece has told, and left: the mixer's state, the last position's logits and mix."""

    piece: Piece
    told: tuple[TokenEvent, ...]
    state: BlendState | None
    logits_V: Tensor
    mix: Mix


@dataclass(frozen=True, slots=True)
class ReadText:
    """The beginning of a text as it was read.

    Attributes:
        conditions: what decides, besides the pieces, what reading them leaves.
        steps: in order.
        cache: transformers' cache of them; one that can be cropped may hold more.
    """

    conditions: Hashable
    steps: tuple[Step, ...]
    cache: Any

    def shared(self, model: TemporalLoRA, pieces: Iterable[Piece]) -> tuple[Step, ...]:
        """The steps that a text of these pieces can go on from, with the cache, which holds them alone afterwards."""
        alike = 0
        for step, piece in zip(self.steps, pieces, strict=False):
            if not piece.like(step.piece):
                break
            alike += 1
        steps = self.steps[:alike]
        if model.can_crop(self.cache):
            if steps:
                model.crop(self.cache, sum(len(step.piece.ids) for step in steps))
        elif alike < len(self.steps):
            return ()
        return steps
