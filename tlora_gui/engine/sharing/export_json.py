"""A generation with its recipe as a JSON file that can be opened again, and the way back from a stranger's file."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from tlora_gui.engine.projects.migration import sampling_within_limits
from tlora_gui.engine.projects.recipe import Recipe
from tlora_gui.engine.projects.records import generation_data, read_generation
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.protocol.texts import Generation
from tlora_gui.engine.storage.disk import DAMAGE, first_line
from tlora_gui.engine.storage.typed_json import reader

FORMAT, VERSION = "tlora-generation", 1
MAX_BYTES = 64 * 2**20
"""More than 100,000 tokens."""


def to_json(record: Generation, recipe: Recipe) -> str:
    """The file's text: the recipe in lines of its own, for people, the generation in a single one."""
    head = {"format": FORMAT, "version": VERSION, "recipe": asdict(recipe)}
    return f'{json.dumps(head, indent=2)[:-2]},\n  "generation": {json.dumps(generation_data(record))}\n}}\n'


def read_json(path: Path) -> tuple[Generation, Recipe]:
    """What :func:`to_json` wrote, from a file that may be anything.

    Raises:
        TloraError: if it cannot be read, is something else, is damaged, or was made by a newer version.
    """
    data = _parsed(path)
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise TloraError(
            say("{name} is no generation of tlora-gui.", name=path.name),
            say("Choose a .json file that was exported here."),
        )
    version = data.get("version")
    if isinstance(version, int) and version > VERSION:
        raise TloraError(
            say("{name} was made by a newer tlora-gui (format {version}).", name=path.name, version=version),
            say("Update tlora-gui."),
        )
    try:
        generation = data["generation"]
        generation = {**generation, "sampling": sampling_within_limits(generation["sampling"])}
        return read_generation(generation), cast(Recipe, reader(Recipe)(data["recipe"]))
    except DAMAGE as error:
        raise _damaged(path, error) from error


def _parsed(path: Path) -> Any:
    try:
        if not path.is_file():
            raise TloraError(say("{path} is no file.", path=path), say("Choose a .json file that is there."))
        with path.open("rb") as file:
            read = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise TloraError(
            say("{path} cannot be read: {reason}.", path=path, reason=first_line(error)), say("Choose another file.")
        ) from error
    if len(read) > MAX_BYTES:
        raise TloraError(
            say(
                "{name} is larger than {limit} MB, which no generation is.",
                name=path.name,
                limit=MAX_BYTES // 2**20,
            ),
            say("Choose another file."),
        )
    try:
        return json.loads(read.decode("utf-8-sig"))
    except DAMAGE as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: BaseException) -> TloraError:
    return TloraError(
        say("{path} is damaged: {error}.", path=path.name, error=first_line(error)),
        say("Ask for the file again; nothing was changed."),
    )
