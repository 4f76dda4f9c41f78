"""train, resume, keep, discard, follow."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.config import STARTER, STRATEGIES, ReadOptions, TrainSettings
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import EpochInfo, StreamEvent
from tlora_gui.headless.options import Verb, add_settings, chosen, epoch_argument

if TYPE_CHECKING:
    from tlora_gui.headless.command import Command


def _train_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", help="text files and folders")
    parser.add_argument("--name", required=True, help="the epoch's name")
    parser.add_argument("--era", default="", help="a second line for the epoch")
    parser.add_argument("--colour", default="", metavar="#RRGGBB", help="the next free one by default")
    parser.add_argument("--strategy", choices=STRATEGIES, help=f"for a new project: {STRATEGIES[0]} by default")
    parser.add_argument("--abandon", action="store_true", help="train although interrupted epochs cannot go on then")
    add_settings(parser.add_argument_group("what is read"), ReadOptions())
    add_settings(parser.add_argument_group("settings"), TrainSettings())


def _train(command: Command) -> Iterator[StreamEvent]:
    from tlora_gui.engine.corpus.text_corpus import TextCorpus

    options, settings = command.options, chosen(command.options, TrainSettings())
    if not options.name.strip():
        raise TloraError("The epoch has no name.", "Give it one with --name.")
    is_new = command.project_is_new()
    project = None if is_new else command.listed()
    again = _interrupted(command, settings)
    if again is None:
        command.epochs.free_name(options.name)
    TextCorpus.from_paths(options.paths, command.cancel, chosen(options, ReadOptions()))
    if project is None:
        backbone, strategy = options.backbone or STARTER, options.strategy or STRATEGIES[0]
        yield from command.run(jobs.CreateProject(str(options.project), backbone, strategy))
    else:
        if options.strategy not in (None, project.strategy):
            raise TloraError(
                f"The Time Mixer of {project.name} works by {project.strategy}, not {options.strategy}.",
                "Leave --strategy out, or make a new project.",
            )
        yield from command.open()
    try:
        if again is None:
            yield from _train_anew(command, settings)
        else:
            yield from command.run(jobs.ResumeEpoch(again.slug))
    except BaseException:
        if is_new:
            for _ in command.session.run(jobs.CloseProject(drop_if_empty=True)):
                pass
        raise


def _interrupted(command: Command, settings: TrainSettings) -> EpochInfo | None:
    """The interrupted epoch of the name that was typed, if there is one.

    Raises:
        TloraError: if it was begun with other text or settings; it goes on with those, or not at all.
    """
    options = command.options
    named = (epoch for epoch in command.epochs if epoch.name == options.name.strip())
    epoch = next((epoch for epoch in named if epoch.state == "interrupted"), None)
    if epoch is not None:
        paths = tuple(str(Path(path).resolve()) for path in options.paths)
        begun_with = (command.settings_of(epoch), epoch.corpus, epoch.reading)
        if begun_with != (settings, paths, chosen(options, ReadOptions())):
            which = f"{options.project} {epoch.slug}"
            raise TloraError(
                f"{epoch.name} is interrupted, and was begun with other text or settings.",
                f"Go on with `tlora resume {which}`, or begin anew after `tlora discard {which}`.",
            )
    return epoch


def _train_anew(command: Command, settings: TrainSettings) -> Iterator[StreamEvent]:
    options = command.options
    lost = command.session.ended_by_training()
    if lost and not options.abandon:
        names = ", ".join(epoch.name for epoch in lost)
        raise TloraError(
            f"Interrupted, and beyond resuming once another epoch is trained: {names}.",
            f"Go on with `tlora resume {options.project} {lost[0].slug}` first, or add --abandon.",
        )
    reading = chosen(options, ReadOptions())
    job = jobs.TrainEpoch(options.name, tuple(options.paths), options.era, options.colour, settings, reading)
    yield from command.run(job)


def _only_interrupted(command: Command) -> EpochInfo:
    """The epoch that was typed.

    Raises:
        TloraError: if there is none, or it is not interrupted.
    """
    epoch = command.find_epoch()
    if epoch.state != "interrupted" and not command.is_checkpoint(epoch):
        raise TloraError(f"{epoch.name} is not interrupted.", "`tlora list` tells what there is.")
    return epoch


def _resume(command: Command) -> Iterator[StreamEvent]:
    slug = _only_interrupted(command).slug
    yield from command.open()
    yield from command.run(jobs.ResumeEpoch(slug))


def _keep(command: Command) -> Iterator[StreamEvent]:
    slug = _only_interrupted(command).slug
    yield from command.open()
    yield from command.run(jobs.KeepEpoch(slug))


def _discard(command: Command) -> Iterator[StreamEvent]:
    slug = _only_interrupted(command).slug
    yield from command.open()
    yield from command.run(jobs.DeleteEpoch(slug))


def _follow(command: Command) -> Iterator[StreamEvent]:
    yield from command.run(jobs.FollowProject(str(command.options.project)))


VERBS = (
    Verb("train", "train a new epoch, or go on with an interrupted one", _train_arguments, _train, "suspend"),
    Verb("resume", "go on with an interrupted epoch", epoch_argument, _resume, "suspend"),
    Verb("keep", "make a finished epoch of what an interrupted one has learned", epoch_argument, _keep),
    Verb("discard", "drop what an interrupted epoch has learned so far", epoch_argument, _discard),
    Verb("follow", "look on while another window or command trains", lambda parser: None, _follow),
)
