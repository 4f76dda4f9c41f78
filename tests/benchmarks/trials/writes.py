"""What is written, and something that happens at each write."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import patch

from kill import run

from tlora_gui.engine.projects import adapter_folder
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.errors import Cancelled
from tlora_gui.engine.session import Session
from tlora_gui.engine.storage import disk
from trials.common import OPENING, WORKS


class Writes:
    """Sees every write below some folders while it is armed, and calls ``at(number, what, path)`` before it is done."""

    _seen: ClassVar[list[Writes]] = []
    _heard: ClassVar[bool] = False

    def __init__(self, roots: tuple[Path, ...], at: Callable[[int, str, Path], None]) -> None:
        self._roots, self._at, self._armed, self.count = roots, at, False, 0
        if not Writes._heard:  # a hook stays for good
            Writes._heard = True
            sys.addaudithook(lambda event, args: [each.hear(event, args) for each in Writes._seen] and None)
        Writes._seen.append(self)

    def hear(self, event: str, args: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR)
        if self._armed and (writes or event in ("os.rename", "os.remove", "os.rmdir", "os.mkdir")):
            self.see(event, args[1] if event == "os.rename" else args[0])

    def see(self, what: str, path: Any) -> None:
        if self._armed and isinstance(path, str | os.PathLike) and any(map(Path(path).is_relative_to, self._roots)):
            self._armed = False
            try:
                self.count += 1
                self._at(self.count, what, Path(path))
            finally:
                self._armed = True

    @contextmanager
    def armed(self) -> Iterator[None]:
        def save(tensors: Any, path: Any, *args: Any, **more: Any) -> None:
            self.see("save", path)
            saved(tensors, path, *args, **more)

        def sync(number: int) -> None:
            self.see("fsync", os.readlink(f"/proc/self/fd/{number}"))
            synced(number)

        saved, synced = disk.save_file, os.fsync
        places = (patch.object(disk, "save_file", save), patch.object(adapter_folder, "save_file", save))
        with places[0], places[1], patch.object(os, "fsync", sync):
            self._armed = True
            try:
                yield
            finally:
                self._armed = False
                Writes._seen.remove(self)


def attempt(work: str, project: Path, folder: Path, writes: Writes) -> Exception | None:
    """Open a project and do some work on it; what ended it early, if anything did."""
    session = Session()
    try:
        if work not in OPENING:
            run(session, jobs.OpenProject(str(project)))
        with writes.armed():
            if work in OPENING:
                run(session, jobs.OpenProject(str(project)))
            WORKS[work](session, folder)
    except Cancelled:
        return None
    except Exception as error:  # noqa: BLE001 - which one is what is looked at
        return error
    finally:
        session.close()
    return None
