"""The epochs of an open project as people see them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tlora_gui.engine.config import EPOCH_COLOURS, epoch_colour
from tlora_gui.engine.errors import TloraError
from tlora_gui.engine.events import EpochInfo
from tlora_gui.temporal.model import BACKBONE_SLOT


class EpochList:
    """Finished, broken, interrupted and training epochs in order, each by its slug."""

    def __init__(self, epochs: Iterable[EpochInfo] = ()) -> None:
        self._epochs = {epoch.slug: epoch for epoch in epochs}

    def __iter__(self) -> Iterator[EpochInfo]:
        return iter(self._epochs.values())

    def __getitem__(self, slug: str) -> EpochInfo:
        """An epoch.

        Raises:
            TloraError: if it is not there.
        """
        if slug not in self._epochs:
            raise TloraError("That epoch is no longer in the project.", "Choose another one.")
        return self._epochs[slug]

    def put(self, epoch: EpochInfo) -> None:
        """Replace the epoch of that slug where it stands, or append it."""
        self._epochs[epoch.slug] = epoch

    def remove(self, slug: str) -> None:
        """Take an epoch out, if it is there."""
        self._epochs.pop(slug, None)

    def free_name(self, name: str, slug: str = "") -> str:
        """A name without the space around it, if no other epoch than ``slug`` has it.

        Raises:
            TloraError: if it is empty or taken.
        """
        name = name.strip()
        if not name or name in {epoch.name for epoch in self if epoch.slug != slug} | {BACKBONE_SLOT}:
            raise TloraError(f"The name {name!r} is empty or taken.", "Choose another name.")
        return name

    def free_colour(self) -> str:
        """The next colour that no epoch has; once all are used they come again."""
        used = {epoch.colour for epoch in self}
        return next((colour for colour in EPOCH_COLOURS if colour not in used), epoch_colour(len(self._epochs)))
