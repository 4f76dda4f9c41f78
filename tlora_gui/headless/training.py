"""train, resume, keep, discard, follow."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.config import STARTER, STRATEGIES, SWITCHINGS, ReadOptions, TrainSettings
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import EpochInfo, ProjectListed, StreamEvent
from tlora_gui.headless.options import Verb, add_settings, chosen, epoch_argument

if TYPE_CHECKING:
    from tlora_gui.headless.command import Command


def add_project_arguments(parser: ArgumentParser) -> None:
    """What a new epoch asks of its project."""
    parser.add_argument("--strategy", choices=STRATEGIES, help=f"for a new project: {STRATEGIES[0]} by default")
    parser.add_argument(
        "--switching",
        choices=SWITCHINGS,
        help=f"for a new project: how the Time Mixer turns from one epoch to another ({SWITCHINGS[0]} by default)",
    )
    parser.add_argument(
        "--mixer-layer",
        type=int,
        metavar="N",
        help="for a new project: the block before which the Time Mixer reads, the first that epochs change (default: a "
        "quarter of the depth); adapters from elsewhere mostly need 0, or --bare-router",
    )
    parser.add_argument(
        "--bare-router",
        action="store_true",
        help="for a new project, or one that an adapter is imported into: the Time Mixer reads the bare backbone, so "
        "that adapters from elsewhere may change every block; while one does, the blocks below run twice",
    )
    parser.add_argument("--abandon", action="store_true", help="go on although interrupted epochs cannot, after that")


def into_project(
    command: Command, project: ProjectListed | None, adding: Iterator[StreamEvent]
) -> Iterator[StreamEvent]:
    """Add an epoch to the project that was typed, or to a new one, of which nothing stays if that fails.

    Raises:
        TloraError: if it cannot be opened, made or added to.
    """
    options = command.options
    if project is None:
        backbone, strategy = options.backbone or STARTER, options.strategy or STRATEGIES[0]
        mixer = (strategy, options.mixer_layer, options.bare_router, options.switching or SWITCHINGS[0])
        yield from command.run(jobs.CreateProject(str(options.project), backbone, *mixer))
    else:
        yield from command.open()
    try:
        yield from adding
    except BaseException:
        if project is None:
            for _ in command.session.run(jobs.CloseProject(drop_if_empty=True)):
                pass
        raise


def listed_or_new(command: Command) -> ProjectListed | None:
    """The project that was typed; None if it is still to be made.

    Raises:
        TloraError: if it is no project, or another than the options of a new one say.
    """
    if command.project_is_new():
        return None
    project, options = command.listed(), command.options
    if options.strategy not in (None, project.strategy):
        raise TloraError(
            f"The Time Mixer of {project.name} works by {project.strategy}, not {options.strategy}.",
            "Leave --strategy out, or make a new project.",
        )
    if options.switching not in (None, switching := command.mixer().switching):
        raise TloraError(
            f"The Time Mixer of {project.name} switches by {switching}, not by {options.switching}.",
            "Leave --switching out, or make a new project.",
        )
    lora = command.lora()
    if options.mixer_layer not in (None, lora.mixer_layer):
        raise TloraError(
            f"The Time Mixer of {project.name} reads before block {lora.mixer_layer}, not {options.mixer_layer}.",
            "Leave --mixer-layer out, or make a new project.",
        )
    if options.bare_router and not lora.bare_router and options.verb != "import":
        raise TloraError(
            f"No epoch of {project.name} needs a Time Mixer that reads the bare backbone.",
            "Leave --bare-router out; give it when an adapter is imported.",
        )
    return project


def keep_resumable(command: Command) -> None:
    """Refuse to add an epoch that interrupted ones could not go on after, unless that is wanted.

    Raises:
        TloraError: names them.
    """
    lost = command.session.ended_by_training()
    if lost and not command.options.abandon:
        names = ", ".join(epoch.name for epoch in lost)
        raise TloraError(
            f"Interrupted, and beyond resuming once another epoch is trained: {names}.",
            f"Go on with `tlora resume {command.options.project} {lost[0].slug}` first, or add --abandon.",
        )


def _train_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", help="text files and folders")
    parser.add_argument("--name", required=True, help="the epoch's name")
    parser.add_argument("--era", default="", help="a second line for the epoch")
    parser.add_argument("--colour", default="", metavar="#RRGGBB", help="the next free one by default")
    add_project_arguments(parser)
    add_settings(parser.add_argument_group("what is read"), ReadOptions())
    add_settings(parser.add_argument_group("settings"), TrainSettings())


def _train(command: Command) -> Iterator[StreamEvent]:
    from tlora_gui.engine.corpus.text_corpus import TextCorpus

    options, settings = command.options, chosen(command.options, TrainSettings())
    if not options.name.strip():
        raise TloraError("The epoch has no name.", "Give it one with --name.")
    project = listed_or_new(command)
    again = _interrupted(command, settings)
    if again is None:
        command.epochs.free_name(options.name)
    TextCorpus.from_paths(options.paths, command.cancel, chosen(options, ReadOptions()))
    training = _train_anew(command, settings) if again is None else command.run(jobs.ResumeEpoch(again.slug))
    yield from into_project(command, project, training)


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
    keep_resumable(command)
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
