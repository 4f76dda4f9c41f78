"""generate, read."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.config import AVERAGE_MODE, DEFAULT_SAMPLING, MIXER_MODE, SUM_MODE
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import GenerationFinished, StreamEvent, Warned
from tlora_gui.headless.options import Verb, add_settings, chosen, some_path

if TYPE_CHECKING:
    from tlora_gui.headless.command import Command


def _text_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--mode", default=MIXER_MODE, help='"mixer", an epoch\'s name or id, "" for the backbone, "+sum", "+average"'
    )
    parser.add_argument(
        "--html", type=some_path, metavar="FILE", help="also write the coloured text there; .json and .md do too"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace that file if it is there")


def _generate_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("prompt", help='the text to continue; "-" reads it from standard input')
    _text_arguments(parser)
    add_settings(parser.add_argument_group("settings"), DEFAULT_SAMPLING)


def _generate(command: Command) -> Iterator[StreamEvent]:
    options, sampling = command.options, chosen(command.options, DEFAULT_SAMPLING)
    notes = list[str]()
    prompt = _standard_input(notes) if options.prompt == "-" else options.prompt
    yield from (Warned(f"-: {note}.") for note in notes)
    yield from _kept(command, jobs.Generate(prompt, _mode(command), sampling))


def _read_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=some_path, help='the text to read; "-" reads standard input')
    _text_arguments(parser)
    parser.add_argument("--cut", action="store_true", help="read the beginning of a text that is too long")


def _read(command: Command) -> Iterator[StreamEvent]:
    from tlora_gui.engine.handlers.scoring import text_of_file

    options, notes = command.options, list[str]()
    text = _standard_input(notes) if options.file == "-" else text_of_file(options.file, notes)
    yield from (Warned(f"{options.file}: {note}.") for note in notes)
    yield from _kept(command, jobs.ScoreText(text, _mode(command), cut=options.cut))


def _standard_input(notes: list[str]) -> str:
    """What is piped in, its encoding found as a file's is; ``notes`` gets what is unusual about it.

    Raises:
        TloraError: if it is no text.
    """
    from tlora_gui.engine.corpus.decoding import NotText, examine, read_decoded

    file = BytesIO(sys.stdin.buffer.read())
    try:
        encoding = examine(file)
        notes += encoding.remarks
        return "".join(read_decoded(file, encoding.name))
    except NotText as error:
        raise TloraError(f"Standard input: {error}.", "Pipe plain text in.") from error


def _mode(command: Command) -> str:
    """The mode that was typed; epochs by name or id."""
    mode: str = command.options.mode
    if mode in ("", MIXER_MODE, SUM_MODE, AVERAGE_MODE) or mode.startswith("@"):
        return mode
    return command.find_epoch(mode).slug


def _kept(command: Command, job: jobs.Generate | jobs.ScoreText) -> Iterator[StreamEvent]:
    """Do it, and write the text to a file too if one was named."""
    target = command.text_target(command.options.html) if command.options.html is not None else None
    yield from command.open()
    for event in command.run(job):
        yield event
        if isinstance(event, GenerationFinished) and target is not None:
            yield from command.session.run(jobs.ExportGeneration(event.record, str(target)))


VERBS = (
    Verb("generate", "continue a prompt", _generate_arguments, _generate, "keep"),
    Verb("read", "tell which epoch a text belongs to, token by token", _read_arguments, _read, "keep"),
)
