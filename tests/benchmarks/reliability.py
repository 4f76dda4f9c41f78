"""Does a project survive kills, refusals at every write, and losses of power?

    python tests/benchmarks/reliability.py [kills faults power] [--kills 300] [--every 1] [--seed 0]

Works on a tiny model's project with two finished epochs, an interrupted one and a kept text.

``kills``: processes (forks, so not on Windows) that create, train, keep, rename, delete, restore, export, import and
write texts in random order, each killed (SIGKILL) at a random moment.
``faults``: each kind of work, with every write of it in turn refused: disk full, permission lost, file vanished,
refused once.
``power``: each kind of work, cut at every write. Of what was not yet synced nothing is there any more, or all names are
and the contents are not.

After each the project must open, every epoch that was finished before must be there and whole, and a refusal must have
been told in words.
"""

from __future__ import annotations

import argparse
import errno
import logging
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import patch

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from kill import make_corpus, make_project, run

from tlora_gui.engine.projects import adapter_folder
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import SamplingSettings, TrainSettings
from tlora_gui.engine.protocol.errors import Cancelled, TloraError
from tlora_gui.engine.protocol.events import TrainStep
from tlora_gui.engine.session import Session
from tlora_gui.engine.storage import disk

SETTINGS = TrainSettings(max_tokens=512, batch_size=4, block_size=32, held_out_tokens=128, eval_every=2)
"""Four steps."""
SHORT = SamplingSettings(max_new_tokens=4)
Work = Callable[[Session, Path], None]


# -- what is done ----------------------------------------------------------------------------------------------------


def _train(session: Session, folder: Path) -> None:
    run(session, jobs.TrainEpoch(f"New {time.monotonic_ns()}", (str(folder / "corpus"),), settings=SETTINGS))


def _suspend(session: Session, folder: Path) -> None:
    cancel = CancelToken()
    for event in session.run(
        jobs.TrainEpoch(f"Half {time.monotonic_ns()}", (str(folder / "corpus"),), settings=SETTINGS), cancel
    ):
        if isinstance(event, TrainStep):
            cancel.cancel("suspend")


def _take_up(kind: Callable[[str], jobs.Job]) -> Work:
    def work(session: Session, folder: Path) -> None:
        for epoch in session.info().epochs:
            if epoch.state == "interrupted":
                run(session, kind(epoch.slug))

    return work


def _edit(session: Session, folder: Path) -> None:
    epoch = session.info().epochs[0]
    run(session, jobs.EditEpoch(epoch.slug, epoch.name[:20] + "x", "era", "#009E73"))


def _delete(session: Session, folder: Path) -> None:
    finished = [epoch.slug for epoch in session.info().epochs if epoch.state == "frozen"]
    if len(finished) > 1:
        run(session, jobs.DeleteEpoch(finished[-1]))
        run(session, jobs.RestoreEpoch(finished[-1]))


def _export(session: Session, folder: Path) -> None:
    run(session, jobs.ExportEpoch(session.info().epochs[0].slug, str(folder / "out" / str(time.monotonic_ns()))))


def _write(session: Session, folder: Path) -> None:
    run(session, jobs.Generate("def", sampling=SHORT))


def _queue(session: Session, folder: Path) -> None:
    run(session, jobs.KeepQueue((jobs.TrainEpoch("Later", (str(folder / "corpus"),)),)))


WORKS: dict[str, Work] = {
    "train": _train,
    "suspend": _suspend,
    "resume": _take_up(jobs.ResumeEpoch),
    "keep": _take_up(jobs.KeepEpoch),
    "rename": _edit,
    "delete and restore": _delete,
    "export": _export,
    "write a text": _write,
    "queue": _queue,
}


# -- what must hold --------------------------------------------------------------------------------------------------


@dataclass
class Tally:
    """How often a project was tried, and what was found wrong."""

    tried: int = 0
    wrong: list[str] = field(default_factory=list)

    def check(self, what: str, project: Path, before: dict[str, bytes]) -> None:
        """Count a trial; ``before`` are the adapters of the epochs that were finished."""
        self.tried += 1
        session = Session()
        try:
            run(session, jobs.OpenProject(str(project)))
            now = {epoch.slug: epoch for epoch in session.info().epochs}
            gone = [slug for slug, adapter in before.items() if slug not in now and adapter not in deleted(project)]
            self.wrong += [f"{what}: {slug} is gone" for slug in gone]
            self.wrong += [
                f"{what}: {slug} is broken, {epoch.note}" for slug, epoch in now.items() if epoch.state == "broken"
            ]
            kept = adapters(project)
            changed = [slug for slug in before if slug in now and kept[slug] != before[slug]]
            self.wrong += [f"{what}: {slug} has changed" for slug in changed]
        except (TloraError, OSError) as error:
            self.wrong.append(f"{what}: the project does not open: {error}")
        finally:
            session.close()


def adapters(project: Path) -> dict[str, bytes]:
    """The weights of every finished epoch, by its slug."""
    from tlora_gui.engine.projects.project import Project

    index = Project.open(project).index
    return {
        slug: (project / "epochs" / name / "adapter_model.safetensors").read_bytes()
        for slug, name in index.folders.items()
    }


def deleted(project: Path) -> list[bytes]:
    """The weights of the epochs that were taken out of the mixture."""
    return [path.read_bytes() for path in (project / "deleted").glob("*/adapter_model.safetensors")]


def prepared(folder: Path) -> Path:
    """The project that every trial begins with."""
    make_corpus(folder)
    make_project(folder, "start")
    session = Session()
    run(session, jobs.OpenProject(str(folder / "start")))
    _train(session, folder)
    with suppress(Cancelled):
        _suspend(session, folder)
    _write(session, folder)
    session.close()
    return folder / "start"


# -- kills -----------------------------------------------------------------------------------------------------------


def kills(folder: Path, start: Path, count: int, draw: random.Random) -> Tally:
    tally, project = Tally(), Path(shutil.copytree(start, folder / "killed"))
    before = adapters(project)
    for turn in range(count):
        if len(before) > 6:  # a project that grows makes every turn slower
            shutil.rmtree(project)
            shutil.copytree(start, project)
            before = adapters(project)
        child = multiprocessing.get_context("fork").Process(target=_work_on, args=(project, folder, draw.random()))
        child.start()
        time.sleep(draw.uniform(0.05, 2.0))
        child.kill()
        child.join()
        tally.check(f"kill {turn + 1}", project, before)
        before = adapters(project)
    return tally


def _work_on(project: Path, folder: Path, seed: float) -> None:
    draw, session = random.Random(seed), Session()
    run(session, jobs.OpenProject(str(project)))
    while True:
        with suppress(TloraError, Cancelled):  # as where there is nothing to resume
            draw.choice([*WORKS.values()])(session, folder)


# -- writes ----------------------------------------------------------------------------------------------------------


class Writes:
    """Sees every write below some folders while it is armed, and calls ``at(number, what, path)`` before it is done."""

    _seen: ClassVar[list[Writes]] = []

    def __init__(self, roots: tuple[Path, ...], at: Callable[[int, str, Path], None]) -> None:
        self._roots, self._at, self._armed, self.count = roots, at, False, 0
        if not Writes._seen:
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


def _attempt(work: Work, project: Path, folder: Path, writes: Writes) -> Exception | None:
    """Do some work on a project; what ended it early, if anything did."""
    session = Session()
    try:
        run(session, jobs.OpenProject(str(project)))
        with writes.armed():
            work(session, folder)
    except Cancelled:
        return None
    except Exception as error:  # noqa: BLE001 - which one is what is looked at
        return error
    finally:
        session.close()
    return None


FAULTS: dict[str, Callable[[], OSError]] = {
    "disk full": lambda: OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
    "permission lost": lambda: PermissionError(errno.EACCES, os.strerror(errno.EACCES)),
    "file vanished": lambda: FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)),
    "refused once": lambda: PermissionError(errno.EACCES, os.strerror(errno.EACCES)),
}


def faults(folder: Path, start: Path, every: int) -> Tally:
    tally, project, before = Tally(), folder / "faulty", adapters(start)
    for name, work in WORKS.items():
        for kind in FAULTS:
            number, more = 1, True
            while more:
                shutil.rmtree(project, ignore_errors=True)
                shutil.copytree(start, project)

                def refuse(count: int, what: str, path: Path, number: int = number, kind: str = kind) -> None:
                    lasts = kind in ("disk full", "permission lost") and what != "os.remove"
                    if count == number or (count > number and lasts):
                        raise FAULTS[kind]()

                writes = Writes((project, folder / "out"), refuse)
                error = _attempt(work, project, folder, writes)
                more = writes.count >= number
                if more:
                    what = f"{name}, {kind} at write {number}"
                    if error is not None and not isinstance(error, TloraError):
                        tally.wrong.append(f"{what}: told as {type(error).__name__}: {error}")
                    if error is not None and kind == "refused once":
                        tally.wrong.append(f"{what}: given up: {error}")
                    tally.check(what, project, before)
                number += every
            print(f"  {name}, {kind}: {number - 1} writes", flush=True)
    return tally


# -- power -----------------------------------------------------------------------------------------------------------


class Durable:
    """What of a folder is surely on the disk: names since their folder was synced, contents since the file was."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.names: dict[Path, int | None] = {}
        self.contents: dict[int, bytes] = {}
        for path in [root, *root.rglob("*")]:
            self.names[path] = self._content(path)

    def _content(self, path: Path) -> int | None:
        """The number of a file, whose content is now durable; None for a folder."""
        if path.is_dir():
            return None
        self.contents[path.stat().st_ino] = path.read_bytes()
        return path.stat().st_ino

    def sync(self, path: Path) -> None:
        if path.is_dir():
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
        else:
            self._content(path)

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


def power(folder: Path, start: Path, every: int) -> Tally:
    tally, project, after = Tally(), folder / "powered", folder / "after"
    for name, work in WORKS.items():
        shutil.rmtree(project, ignore_errors=True)
        shutil.copytree(start, project)
        before, durable = adapters(project), Durable(project)

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

        writes = Writes((project,), cut)
        error = _attempt(work, project, folder, writes)
        if error is not None:
            tally.wrong.append(f"{name}: {error}")
        print(f"  {name}: {writes.count} writes", flush=True)
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=["kills", "faults", "power"], help="kills, faults, power; all")
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="of the writes only each Nth")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    logging.disable()  # of refusals that are meant
    disk.PATIENCE_S = 0.2
    found: dict[str, Tally] = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place).resolve()
        os.environ["TLORA_CACHE"] = str(folder / "cache")
        start = prepared(folder)
        for part in options.parts:
            print(part, flush=True)
            if part == "kills":
                found[part] = kills(folder, start, options.kills, random.Random(options.seed))
            else:
                found[part] = {"faults": faults, "power": power}[part](folder, start, options.every)
    for part, tally in found.items():
        print(f"{part}: {tally.tried} trials, {len(tally.wrong)} wrong")
        for line, times in Counter(tally.wrong).most_common(40):
            print(f"    {line}" + (f" ({times} times)" if times > 1 else ""))
    return int(any(tally.wrong for tally in found.values()))


if __name__ == "__main__":
    sys.exit(main())
