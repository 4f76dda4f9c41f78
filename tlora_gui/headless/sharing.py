"""export, import."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tlora_gui.engine.projects.epoch_list import EpochList
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import GenerationLoaded, StreamEvent
from tlora_gui.engine.protocol.texts import GenerationSummary
from tlora_gui.headless.options import Verb, some_path
from tlora_gui.headless.training import add_project_arguments, into_project, keep_resumable, listed_or_new

if TYPE_CHECKING:
    from tlora_gui.headless.command import Command

_TEXTS = (".html", ".htm", ".json", ".md")


def _export_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "what",
        nargs="+",
        help="an epoch's name or id; several with weights, as shakespeare=0.7 python=0.3, become one; "
        'for a file, a kept text\'s id or name, or "last"',
    )
    parser.add_argument(
        "target",
        type=some_path,
        help="for epochs, a folder in which they become one, or a .gguf file; for a text, .html, .json or .md",
    )
    parser.add_argument("--rank", type=int, metavar="N", help="compress several epochs to this rank (default: exact)")
    parser.add_argument(
        "--into-backbone", action="store_true", help="write the whole model, with the epochs in its weights"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a file that is there; a folder never is")


def _export(command: Command) -> Iterator[StreamEvent]:
    options = command.options
    suffix = Path(options.target).suffix.lower()
    kept = command.listed().generations
    if suffix in _TEXTS or (suffix != ".gguf" and _is_text(command.epochs, kept, options.what)):
        yield from _export_text(command)
        return
    weights = tuple(_weight_of(command.epochs, word) for word in options.what)
    job: jobs.ExportEpoch | jobs.ExportMerge = jobs.ExportMerge(
        tuple((slug, 1.0 if weight is None else weight) for slug, weight in weights),
        options.target,
        options.rank,
        options.into_backbone,
        options.overwrite,
    )
    if weights == ((weights[0][0], None),) and options.rank is None and not options.into_backbone:
        job = jobs.ExportEpoch(weights[0][0], options.target, options.overwrite)
    command.require_exportable(job)
    yield from command.open()
    yield from command.run(job)


def _weight_of(epochs: EpochList, word: str) -> tuple[str, float | None]:
    """The epoch of a name or id, and the weight that it was typed with, if it was.

    Raises:
        TloraError: if there is no such epoch, or several.
    """
    name, equals, number = word.rpartition("=")
    try:
        weight = float(number) if equals and word not in {epoch.name for epoch in epochs} else None
    except ValueError:
        weight = None
    return epochs.find(word if weight is None else name).slug, weight


def _export_text(command: Command) -> Iterator[StreamEvent]:
    words = command.options.what
    if command.options.rank is not None or command.options.into_backbone:
        raise TloraError("A text has no rank and no backbone.", "Leave --rank and --into-backbone out.")
    if len(words) > 1:
        raise TloraError("Several texts cannot be one file.", "Name one of them.")
    target = command.text_target(command.options.target)
    id = _find_text(command.listed().generations, words[0]).id
    yield from command.open()
    for event in command.run(jobs.LoadGeneration(id)):
        if isinstance(event, GenerationLoaded):
            yield from command.run(jobs.ExportGeneration(event.record, str(target)))


def _is_text(epochs: EpochList, kept: Sequence[GenerationSummary], words: Sequence[str]) -> bool:
    """Whether that is one word which names a kept text, and no epoch."""
    if len(words) > 1 or words[0] not in {"last", *(text.id for text in kept), *(text.name for text in kept)}:
        return False
    try:
        epochs.find(words[0])
    except TloraError:
        return True
    return False


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
    parser.add_argument(
        "source",
        help="a text that was exported as .json; or a LoRA adapter of the same backbone: its folder, a .zip of it, "
        "or its id on the Hub (owner/name)",
    )
    adapters = parser.add_argument_group("adapters")
    adapters.add_argument("--name", default="", help="the epoch's name; the adapter's by default")
    adapters.add_argument("--era", default="", help="a second line for the epoch")
    adapters.add_argument("--colour", default="", metavar="#RRGGBB", help="the next free one by default")
    adapters.add_argument(
        "--text",
        nargs="+",
        default=(),
        metavar="PATH",
        help="files and folders of its kind of text, by which the Time Mixer learns its slot; it learns from "
        "the adapter's own dreams by default",
    )
    add_project_arguments(parser)


def _import(command: Command) -> Iterator[StreamEvent]:
    file = Path(command.options.source)
    if file.suffix.lower() in _TEXTS and file.suffix.lower() != ".json":
        raise TloraError(f"{file} cannot be imported.", "Choose a text that ends in .json, or an adapter.")
    if file.suffix.lower() != ".json":
        yield from _import_adapter(command)
        return
    if not file.is_file():
        raise TloraError(f"{file} is no file.", "Choose one that is there.")
    command.listed()
    yield from command.open()
    yield from command.run(jobs.ImportGeneration(str(file)))


def _import_adapter(command: Command) -> Iterator[StreamEvent]:
    from tlora_gui.engine.corpus.text_corpus import TextCorpus
    from tlora_gui.engine.sharing.adapter_source import local_source

    options = command.options
    project = listed_or_new(command)
    local_source(options.source)
    if options.name:
        command.epochs.free_name(options.name)
    if options.text:
        TextCorpus.from_paths(options.text, command.cancel)
    yield from into_project(command, project, _add_adapter(command))


def _add_adapter(command: Command) -> Iterator[StreamEvent]:
    options = command.options
    keep_resumable(command)
    epoch = (options.name, options.era, options.colour, tuple(options.text))
    yield from command.run(jobs.ImportAdapter(options.source, *epoch, bare_router=options.bare_router))


VERBS = (
    Verb("export", "write an epoch, or several as one, for others to load; or a kept text", _export_arguments, _export),
    Verb("import", "make an epoch of a LoRA adapter, or keep a text of another project", _import_arguments, _import),
)
