"""Events as lines of JSON, and back. A history on disk and the command line's ``--json`` speak so.

Imports neither torch nor Qt.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import cast, get_args

from tlora_gui.engine.protocol.events import Event
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.storage.typed_json import reader
from tlora_gui.temporal.config import require

_KINDS = {kind.__name__: kind for kind in get_args(Event)}


def event_line(event: Event) -> str:
    """An event as an object in one line of ASCII: its class as ``kind``, then its fields by their names."""
    return json.dumps({"kind": type(event).__name__, **asdict(event)})


def read_event_line(line: str) -> Event:
    """The inverse of :func:`event_line`, of whatever a stranger's file has in its place.

    Raises:
        ValueError, KeyError, TypeError: if the line is something else.
    """
    data = json.loads(line)
    require(isinstance(data, dict), say("a line of a history is no object"))
    return cast(Event, reader(_KINDS[data.get("kind")])(data))
