"""trash."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import StreamEvent, TrashItem
from tlora_gui.headless.options import Verb

if TYPE_CHECKING:
    from tlora_gui.headless.command import Command


def _arguments(parser: ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--restore", metavar="ID", help="bring that epoch, text or run back; a name does too")
    what.add_argument("--empty", action="store_true", help="take all of it away for good, with --yes")
    parser.add_argument("--yes", action="store_true", help="yes, empty the trash")


def _trash(command: Command) -> Iterator[StreamEvent]:
    listed, options = command.trash(), command.options
    job: jobs.Job
    if options.empty and not listed.items:
        yield listed
        return
    if options.empty:
        if not options.yes:
            size = sum(item.size for item in listed.items) / 1e6
            raise TloraError(
                f"{len(listed.items)} deleted things would be gone for good, {size:,.1f} MB.",
                "Add --yes to remove them.",
            )
        job = jobs.EmptyTrash()
    elif options.restore is None:
        yield listed
        return
    else:
        job = _find(listed.items, options.restore).restoring
    yield from command.open()
    yield from command.run(job)


def _find(items: tuple[TrashItem, ...], word: str) -> TrashItem:
    """The deleted thing of that id, or else the only one of that name.

    Raises:
        TloraError: if there is none, or several.
    """
    found = [item for item in items if item.id == word] or [item for item in items if item.name == word]
    if not found:
        raise TloraError(f"There is no {word} in the trash.", "See what there is without --restore.")
    if len(found) > 1:
        raise TloraError(f"Several deleted things are called {word}.", "Name one by its id.")
    return found[0]


VERBS = (Verb("trash", "list what was deleted, bring it back, or remove it for good", _arguments, _trash),)
