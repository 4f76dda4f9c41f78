"""copy, pack, unpack."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.config import ARCHIVE_ENDING, PROJECT_PARTS, ProjectPart
from tlora_gui.engine.protocol.events import StreamEvent
from tlora_gui.headless.options import Verb, some_path

if TYPE_CHECKING:
    from tlora_gui.headless.command import Command


def _copy_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("target", type=some_path, help="a new folder")


def _copy(command: Command) -> Iterator[StreamEvent]:
    yield from command.run(jobs.CopyProject(str(command.options.project), command.options.target))


def _pack_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("target", type=some_path, help=f"a file that ends in {ARCHIVE_ENDING}")
    parser.add_argument(
        "--without",
        type=_parts,
        default=(),
        metavar="PARTS",
        help="leave these out, with commas between: texts (kept texts, samples of trainings), runs (the history of "
        "trainings), checkpoints (interrupted epochs: all of their training text, as tokens), memories (router inputs "
        "of the training text, and up to 4,096 tokens of held-out text for each epoch; without them, epochs dream "
        "anew before the next training). Never in the file: the backbone, deleted epochs and texts, the queue, "
        "paths on this machine",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the file if it is there")


def _parts(words: str) -> tuple[ProjectPart, ...]:
    parts = tuple(part for part in PROJECT_PARTS if part in words.split(","))
    if len(parts) != len(words.split(",")):
        raise ArgumentTypeError(f"{words!r:.60} is not some of {', '.join(PROJECT_PARTS)}")
    return parts


def _pack(command: Command) -> Iterator[StreamEvent]:
    options = command.options
    yield from command.run(jobs.PackProject(str(options.project), options.target, options.without, options.overwrite))


def _unpack_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "folder",
        type=some_path,
        nargs="?",
        help="a new folder; by default one named as the file, where new projects go",
    )


def _unpack(command: Command) -> Iterator[StreamEvent]:
    yield from command.run(jobs.UnpackProject(str(command.options.project), command.options.folder or ""))


VERBS = (
    Verb("copy", "copy a project to a new folder", _copy_arguments, _copy),
    Verb("pack", "write a project to one file, to send it", _pack_arguments, _pack),
    Verb(
        "unpack", "make a project of such a file", _unpack_arguments, _unpack, subject=("file", "a project in one file")
    ),
)
