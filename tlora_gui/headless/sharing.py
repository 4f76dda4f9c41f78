"""export, import."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import GenerationLoaded, StreamEvent
from tlora_gui.engine.protocol.texts import GenerationSummary
from tlora_gui.headless.options import Verb

if TYPE_CHECKING:
    from tlora_gui.headless.command import Command

_TEXTS = (".html", ".htm", ".json", ".md")
_IMPORTS = {".json": jobs.ImportGeneration}
"""What comes of a file, by its ending."""


def _export_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("what", help="an epoch's name or id; for a file, a kept text's id or name, or \"last\"")
    parser.add_argument(
        "target", help="for an epoch, the folder in which its PEFT adapter becomes one; for a text, .html, .json, .md"
    )


def _export(command: Command) -> Iterator[StreamEvent]:
    options = command.options
    if Path(options.target).suffix.lower() in _TEXTS:
        target = command.text_target(options.target)
        id = _find_text(command.listed().generations, options.what).id
        yield from command.open()
        for event in command.run(jobs.LoadGeneration(id)):
            if isinstance(event, GenerationLoaded):
                yield from command.run(jobs.ExportGeneration(event.record, str(target)))
        return
    epoch = command.find_epoch(options.what)
    folder = command.adapter_target(epoch, options.target)
    yield from command.open()
    yield from command.run(jobs.ExportEpoch(epoch.slug, str(folder)))


def _find_text(kept: Sequence[GenerationSummary], word: str) -> GenerationSummary:
    """The text of that id, or else the only one of that name, or else the last one if it is "last".

    Raises:
        TloraError: if there is none, or several.
    """
    found = [text for text in kept if text.id == word] or [text for text in kept if text.name == word]
    found = found or ([*kept[-1:]] if word == "last" else [])
    if len(found) == 1:
        return found[0]
    problem = "Several texts are" if found else "No text is"
    raise TloraError(f"{problem} named {word!r:.80}.", "`tlora list --texts` tells what there is.")


def _import_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="a text that was exported as .json")


def _import(command: Command) -> Iterator[StreamEvent]:
    file: Path = command.options.file
    job = _IMPORTS.get(file.suffix.lower())
    if job is None:
        raise TloraError(f"{file} cannot be imported.", f"Choose a file that ends in {', '.join(_IMPORTS)}.")
    if not file.is_file():
        raise TloraError(f"{file} is no file.", "Choose one that is there.")
    command.listed()
    yield from command.open()
    yield from command.run(job(str(file)))


VERBS = (
    Verb("export", "copy an epoch as a plain PEFT adapter, or write a kept text", _export_arguments, _export),
    Verb("import", "keep a text that was exported from another project", _import_arguments, _import),
)
