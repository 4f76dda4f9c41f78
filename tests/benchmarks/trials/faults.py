"""Every kind of work, with each of its writes in turn refused."""

from __future__ import annotations

import errno
import os
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from tlora_gui.engine.protocol.errors import TloraError
from trials.common import WORKS, Outcome, Tally, begun, prepared
from trials.writes import Writes, attempt

FAULTS: dict[str, Callable[[], OSError]] = {
    "disk full": lambda: OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
    "permission lost": lambda: PermissionError(errno.EACCES, os.strerror(errno.EACCES)),
    "file vanished": lambda: FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)),
    "refused once": lambda: PermissionError(errno.EACCES, os.strerror(errno.EACCES)),
}


def outcome(options: Namespace, folder: Path) -> Outcome:
    prepared(folder)
    tally, project, every = Tally(), folder / "faulty", options.every
    refused = [""]
    for name in [options.only] if options.only else WORKS:
        for kind in FAULTS:
            number, more = 1, True
            while more:
                before = begun(name, folder, project)

                def refuse(count: int, what: str, path: Path, number: int = number, kind: str = kind) -> None:
                    lasts = kind in ("disk full", "permission lost") and what != "os.remove"
                    if count == number:
                        refused[:] = [f"{what} {path.name}"]
                    if count == number or (count > number and lasts):
                        raise FAULTS[kind]()

                writes = Writes((project, folder / "out"), refuse)
                error = attempt(name, project, folder, writes)
                more = writes.count >= number
                if more:
                    what = f"{name}, {kind} at write {number} ({refused[0]})"
                    if error is not None and not isinstance(error, TloraError | OSError):  # all have words for these
                        tally.wrong.append(f"{what}: told as {type(error).__name__}: {error}")
                    if error is not None and kind == "refused once":
                        tally.wrong.append(f"{what}: given up: {error}")
                    tally.check(what, project, before)
                    number += every
                elif error is not None:
                    tally.wrong.append(f"{name}, nothing refused: {error}")
            print(f"  {name}, {kind}: {number - 1} writes", flush=True)
    return tally.outcome("a write refused", "every write, no epoch is lost, told in words", "refusals")
