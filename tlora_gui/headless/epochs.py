"""list, runs, delete, repair, evaluate."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import Repair, StreamEvent, Warned
from tlora_gui.headless.options import Verb, epoch_argument
from tlora_gui.headless.training import keep_resumable

if TYPE_CHECKING:
    from tlora_gui.headless.command import Command


def _list_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--texts", action="store_true", help="list the kept texts too; as JSON they always are")


def _list(command: Command) -> Iterator[StreamEvent]:
    yield command.listed()
    yield from command.mixer_problem()


def _runs_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("run", nargs="?", help="one run's number or id: how it was trained, and its measurements")
    parser.add_argument("--delete", action="store_true", help="take that run out of the history; its epoch stays")


def _runs(command: Command) -> Iterator[StreamEvent]:
    word = command.options.run
    if word is None and command.options.delete:
        raise TloraError("No run was named.", f"See them with `tlora runs {command.options.project}`.")
    job = jobs.ListRuns() if word is None else jobs.LoadRun(command.find_run(word))
    if isinstance(job, jobs.LoadRun) and command.options.delete:
        yield from command.open()
        yield from command.run(jobs.DeleteRun(job.id))
    else:
        yield command.told_of_runs(job)


def _delete(command: Command) -> Iterator[StreamEvent]:
    epoch = command.find_epoch()
    if epoch.state == "training":
        raise TloraError(f"{epoch.name} is in training.", f"See it with `tlora follow {command.options.project}`.")
    if epoch.state == "interrupted":
        raise TloraError(
            f"{epoch.name} is interrupted.", f"Drop it with `tlora discard {command.options.project} {epoch.slug}`."
        )
    yield from command.open()
    yield from command.run(jobs.DeleteEpoch(epoch.slug))


def _evaluate_arguments(parser: ArgumentParser) -> None:
    tokens = jobs.Evaluate().held_out_tokens
    parser.add_argument(
        "--held-out-tokens", type=int, default=tokens, metavar="N", help=f"of each epoch (default: {tokens})"
    )
    parser.add_argument(
        "--errors",
        type=int,
        default=0,
        metavar="N",
        help="show the N stretches of that text on which the Time Mixer errs most",
    )


def _evaluate(command: Command) -> Iterator[StreamEvent]:
    from tlora_gui.engine.handlers.evaluating import require_measurable

    job = jobs.Evaluate(command.options.held_out_tokens, command.options.errors)
    require_measurable(job, any(epoch.state == "frozen" for epoch in command.listed().epochs))
    yield from command.open()
    yield from command.run(job)


def _repair_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("epoch", nargs="?", help="one epoch's name or id; by default all that can be made whole")
    parser.add_argument("--abandon", action="store_true", help="go on although interrupted epochs cannot, after that")


def _repair(command: Command) -> Iterator[StreamEvent]:
    slug = None if command.options.epoch is None else command.find_epoch().slug
    yield from command.open()
    if not (repairs := _repairs(command, slug)):
        raise TloraError(
            "There is nothing that can be repaired.",
            f"`tlora list {command.options.project}` tells what is broken; delete what cannot be trained again.",
        )
    if any(isinstance(repair.job, jobs.TrainEpoch) for repair in repairs):
        keep_resumable(command)
    while repairs:
        yield Warned(repairs[0].reason)
        yield from command.run(repairs[0].job)
        repairs = _repairs(command, slug)
    yield Warned("All that could be repaired is whole.")


def _repairs(command: Command, slug: str | None) -> list[Repair]:
    """What is to be repaired, the Time Mixer first, on which trainings build."""
    return [repair for repair in command.session.info().repairs if slug is None or repair.slug in ("", slug)]


VERBS = (
    Verb("list", "list the epochs, interrupted and broken ones too", _list_arguments, _list),
    Verb("runs", "list every training, or one with its settings and measurements", _runs_arguments, _runs),
    Verb("delete", "take a finished epoch out of the mixture", epoch_argument, _delete),
    Verb("repair", "make broken epochs, memories and the Time Mixer whole", _repair_arguments, _repair, "suspend"),
    Verb("evaluate", "measure every epoch on its held-out text", _evaluate_arguments, _evaluate),
)
