"""Every kind of work, cut at each of its writes: what is on the disk then opens."""

from __future__ import annotations

import os
import shutil
from argparse import Namespace
from pathlib import Path
from unittest.mock import patch

from trials.common import WORKS, Outcome, Tally, begun, prepared
from trials.writes import Writes, attempt


class Durable:
    """What of a folder is surely on the disk: names since their folder was synced, contents since the file was, be it
    under its name in the cache ``beside`` it.
    """

    def __init__(self, root: Path, beside: Path) -> None:
        self.root = root
        self.names: dict[Path, int | None] = {}
        self.contents: dict[int, bytes] = {}
        for path in [root, *root.rglob("*")]:
            self.names[path] = self._content(path)
        for path in beside.rglob("*"):
            self._content(path)

    def _content(self, path: Path) -> int | None:
        """The number of a file, whose content is now durable; None for a folder."""
        if path.is_dir():
            return None
        self.contents[path.stat().st_ino] = path.read_bytes()
        return path.stat().st_ino

    def sync(self, path: Path) -> None:
        if not path.is_dir():
            self._content(path)
        elif path.is_relative_to(self.root):
            now = {entry: None if entry.is_dir() else entry.stat().st_ino for entry in path.iterdir()}
            gone = [name for name in self.names if name.parent == path and name not in now]
            self.names = {
                name: number
                for name, number in self.names.items()
                if not any(name == lost or name.is_relative_to(lost) for lost in gone)
            }
            moved = {name: number for name, number in now.items() if name not in self.names}
            self.names |= now
            for name in moved:  # a folder that was renamed has all that was in it
                if name.is_dir():
                    self.names |= {inner: None if inner.is_dir() else inner.stat().st_ino for inner in name.rglob("*")}

    def restore(self, target: Path, names: dict[Path, int | None]) -> None:
        """Make what a start after a loss of power finds."""
        for path, number in sorted(names.items(), key=lambda each: len(each[0].parts)):
            place = target / path.relative_to(self.root)
            if number is None:
                place.mkdir(parents=True, exist_ok=True)
            elif place.parent.is_dir():
                place.write_bytes(self.contents.get(number, b""))

    def all_names(self) -> dict[Path, int | None]:
        """As they are now, synced or not."""
        return {path: None if path.is_dir() else path.stat().st_ino for path in [self.root, *self.root.rglob("*")]}


def outcome(options: Namespace, folder: Path) -> Outcome:
    prepared(folder)
    tally, project, after, every = Tally(), folder / "powered", folder / "after", options.every
    for name in [options.only] if options.only else WORKS:
        before = begun(name, folder, project)
        durable = Durable(project, folder / "cache")

        def cut(
            count: int,
            what: str,
            path: Path,
            name: str = name,
            before: dict[str, bytes] = before,
            durable: Durable = durable,
        ) -> None:
            if count % every == 0:
                for kind, names in (("synced", durable.names), ("names", durable.all_names())):
                    shutil.rmtree(after, ignore_errors=True)
                    durable.restore(after, names)
                    with patch.object(os, "fsync", lambda number: None):
                        tally.check(f"{name}, cut before write {count} ({what} {path.name}), {kind}", after, before)
            if what == "fsync":
                durable.sync(path)

        writes = Writes((project, folder / "cache"), cut)
        error = attempt(name, project, folder, writes)
        if error is not None:
            tally.wrong.append(f"{name}: {error}")
        print(f"  {name}: {writes.count} writes", flush=True)
    return tally.outcome("a loss of power", "every project opens, no epoch is lost", "cuts")
