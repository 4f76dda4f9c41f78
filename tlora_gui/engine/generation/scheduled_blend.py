"""The mixing desk at work: the blend of every token of a text."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

import torch

from tlora_gui.engine.protocol.config import MixingDesk
from tlora_gui.engine.protocol.texts import DeskChange
from tlora_gui.temporal.blend import MixerOverride, RowBlend
from tlora_gui.temporal.time_mixer import TimeMixer


class ScheduledBlend:
    """A blend, and what a person's mixing desk makes of it from which token on. Blends without a mixer stay alone.

    A token is predicted by reading the one before it, so what counts for reading a token is how the desk stands at the
    next.

    Args:
        blend: while the desk is not touched.
        slugs: of the slots, "" the backbone's; others that a desk names are no concern.
        changes: of the desk, the earliest first.
    """

    def __init__(self, blend: RowBlend, slugs: Sequence[str] = (), changes: Iterable[DeskChange] = ()) -> None:
        self._plain = blend
        self._slugs = slugs
        self._changes: list[tuple[DeskChange, RowBlend]] = []
        for change in changes:
            self.set_desk(change.index, change.desk)

    @property
    def changes(self) -> tuple[DeskChange, ...]:
        """How the desk stood, and from which token on; empty while it has not been touched."""
        return tuple(change for change, _ in self._changes)

    def set_desk(self, index: int, desk: MixingDesk) -> None:
        """From the token ``index`` on, the desk stands like this."""
        if not isinstance(self._plain, (str, TimeMixer)):
            return
        del self._changes[bisect_left(self._changes, index, key=_index) :]
        if desk != (self._changes[-1][0].desk if self._changes else MixingDesk()):
            self._changes.append((DeskChange(index, desk), self._override(desk)))

    def predicting(self, index: int) -> RowBlend:
        """The blend that predicts the token ``index``."""
        after = bisect_right(self._changes, index, key=_index)
        return self._changes[after - 1][1] if after else self._plain

    def desk(self, index: int) -> MixingDesk:
        """How the desk stands when the token ``index`` is predicted."""
        after = bisect_right(self._changes, index, key=_index)
        return self._changes[after - 1][0].desk if after else MixingDesk()

    def stays(self, index: int, most: int) -> int:
        """For how many tokens from ``index`` on, ``most`` at most, the blend stays the same."""
        after = bisect_right(self._changes, index, key=_index)
        return min([most, *(change.index - index for change, _ in self._changes[after : after + 1])])

    def _override(self, desk: MixingDesk) -> RowBlend:
        if desk == MixingDesk():
            return self._plain
        levels_S = torch.tensor([desk.level(slug) for slug in self._slugs])
        mixer = self._plain if isinstance(self._plain, TimeMixer) else None
        return MixerOverride(levels_S, desk.lock == "manual", desk.temperature, desk.hard, mixer)


def _index(change: tuple[DeskChange, RowBlend]) -> int:
    return change[0].index
