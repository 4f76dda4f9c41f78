"""The epochs of an open project as people see them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

from tlora_gui.engine.projects.records import is_colour
from tlora_gui.engine.protocol.config import BACKBONE_SLOT, EPOCH_COLOURS, MAX_NAME, epoch_colour
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import EpochInfo
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.protocol.wording import STAND_INS

_LISTED = 20


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
            raise TloraError(say("That epoch is no longer in the project."), say("Choose another one."))
        return self._epochs[slug]

    def find(self, word: str) -> EpochInfo:
        """The epoch of that slug, or else of that name, or else the only one of that name in other capitals.

        Raises:
            TloraError: if there is none, or several; it lists what there is.
        """
        if word in self._epochs:
            return self._epochs[word]
        named = [epoch for epoch in self if epoch.name == word]
        named = named or [epoch for epoch in self if _plain(epoch.name) == _plain(word)]
        if len(named) == 1:
            return named[0]
        known = named or list(self)
        listed = ", ".join(f"{epoch.name:.40} ({epoch.slug:.60})" for epoch in known[:_LISTED])
        if len(known) > _LISTED:
            listed = say("{names} and {count:,} more", names=listed, count=len(known) - _LISTED)
        raise TloraError(
            say("Several epochs are named {name!r:.80}.", name=word)
            if named
            else say("No epoch is named {name!r:.80}.", name=word),
            say("Choose one of: {names}.", names=listed) if known else say("Train one first."),
        )

    def put(self, epoch: EpochInfo) -> None:
        """Replace the epoch of that slug where it stands, or append it."""
        self._epochs[epoch.slug] = epoch

    def remove(self, slug: str) -> None:
        """Take an epoch out, if it is there."""
        self._epochs.pop(slug, None)

    def free_name(self, name: str, slug: str = "") -> str:
        """A name in one line, without control and reordering characters, if no other epoch has it than ``slug`` and the
        one that it replaces.

        Raises:
            TloraError: if it is empty, too long or taken.
        """
        name = " ".join(name.splitlines()).translate(dict.fromkeys(STAND_INS)).strip()
        own = {slug, self._epochs[slug].replaces if slug in self._epochs else ""}
        if len(name) > MAX_NAME:
            raise TloraError(
                say("A name has at most {limit} characters.", limit=MAX_NAME), say("Choose a shorter name.")
            )
        if not name:
            raise TloraError(say("An epoch needs a name."), say("Give it one."))
        if name in {epoch.name for epoch in self if epoch.slug not in own} | {BACKBONE_SLOT}:
            raise TloraError(say("The name {name!r} is taken.", name=name), say("Choose another name."))
        return name

    def free_colour(self, wanted: str = "") -> str:
        """The colour wanted, or else the next one that no epoch has; once all are used they come again.

        Raises:
            TloraError: if what is wanted is no colour.
        """
        if wanted:
            if not is_colour(wanted):
                raise TloraError(
                    say("{colour!r:.40} is no colour.", colour=wanted), say("Use #RRGGBB, such as #0072B2.")
                )
            return wanted
        used = {epoch.colour for epoch in self}
        return next((colour for colour in EPOCH_COLOURS if colour not in used), epoch_colour(len(self._epochs)))


def _plain(name: str) -> str:
    """A name as people compare names."""
    return unicodedata.normalize("NFKC", name).casefold().strip()
