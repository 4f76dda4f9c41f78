"""What the parts share: works on a project, and what must hold after them."""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import torch
from kill import make_corpus, make_project, run

from tlora_gui.engine.projects.project import Project
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
FORMAT_1 = Path(__file__).parents[2] / "data" / "format-1"
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


def _empty_trash(session: Session, folder: Path) -> None:
    _write(session, folder)
    run(session, jobs.DeleteGeneration(_opened(session).generations.summaries()[-1].id))
    run(session, jobs.EmptyTrash())


def _copy(session: Session, folder: Path) -> None:
    run(session, jobs.CopyProject(str(_opened(session).path), str(folder / "out" / f"copy {time.monotonic_ns()}")))


def _pack(session: Session, folder: Path) -> None:
    target = folder / "out" / f"{time.monotonic_ns()}.tlora"
    run(session, jobs.PackProject(str(_opened(session).path), str(target)))
    run(session, jobs.UnpackProject(str(target), str(target.with_suffix(""))))


def _repair(session: Session, folder: Path) -> None:
    """A memory and a mixer are cut short, then made again."""
    project = _opened(session)
    slug = next(iter(project.index.folders))
    os.truncate(project.folder(slug) / "memory.safetensors", 9)
    os.truncate(project.mixer_path(project.index.mixers[-1]), 9)
    run(session, jobs.OpenProject(str(project.path)))
    run(session, jobs.RepairMixer())
    run(session, jobs.RepairMemory(slug))


def _opened(session: Session) -> Project:
    assert session.project is not None
    return session.project


def _queue(session: Session, folder: Path) -> None:
    run(session, jobs.KeepQueue((jobs.TrainEpoch("Later", (str(folder / "corpus"),)),)))


def _import(session: Session, folder: Path) -> None:
    run(session, jobs.ImportAdapter(str(folder / "adapter" / "first"), f"Foreign {time.monotonic_ns()}"))


WORKS: dict[str, Work] = {
    "train": _train,
    "suspend": _suspend,
    "resume": _take_up(jobs.ResumeEpoch),
    "keep": _take_up(jobs.KeepEpoch),
    "rename": _edit,
    "delete and restore": _delete,
    "export": _export,
    "import": _import,
    "write a text": _write,
    "queue": _queue,
    "trash": _empty_trash,
    "copy": _copy,
    "pack": _pack,
    "repair": _repair,
    "open": lambda session, folder: None,
    "migrate": lambda session, folder: None,
}
"""What the parts kills, faults and power do to a project that they opened; a new kind of work is one more line."""
OPENING = ("open", "migrate")
"""Those of which opening is the work."""


# -- what must hold --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """A row of the table, and what was found wrong."""

    test: str
    target: str
    seen: str
    wrong: list[str]


def table(found: Iterable[Outcome]) -> str:
    """Markdown; below it what was found wrong."""
    rows = ["| test | target | seen | |", "| --- | --- | --- | --- |"]
    told = []
    for each in found:
        rows.append(f"| {each.test} | {each.target} | {each.seen} | {'missed' if each.wrong else 'met'} |")
        lines = Counter(each.wrong).most_common(60)
        told += [f"{each.test}: {line}" + (f" ({times} times)" if times > 1 else "") for line, times in lines]
    return "\n".join([*rows, *(["", *told] if told else [])])


@dataclass
class Tally:
    """How often a project was tried, and what was found wrong."""

    tried: int = 0
    wrong: list[str] = field(default_factory=list)

    def outcome(self, test: str, target: str, what: str) -> Outcome:
        return Outcome(test, target, f"{self.tried:,} {what}, {len(self.wrong)} wrong", self.wrong)

    def check(self, what: str, project: Path, before: dict[str, bytes]) -> None:
        """Count a trial; ``before`` are the adapters of the epochs that were finished."""
        self.tried += 1
        session = Session()
        try:
            run(session, jobs.OpenProject(str(project)))
            now = {epoch.slug: epoch for epoch in session.info().epochs}
            gone = [slug for slug, adapter in before.items() if slug not in now and adapter not in kept(project)]
            self.wrong += [f"{what}: {slug} is gone" for slug in gone]
            self.wrong += [
                f"{what}: {slug} is broken, {epoch.note}" for slug, epoch in now.items() if epoch.state == "broken"
            ]
            found = adapters(project)
            changed = [slug for slug in before if slug in now and found[slug] != before[slug]]
            self.wrong += [f"{what}: {slug} has changed" for slug in changed]
        except (TloraError, OSError) as error:
            self.wrong.append(f"{what}: the project does not open: {error}")
        finally:
            session.close()


def adapters(project: Path) -> dict[str, bytes]:
    """The weights of every finished epoch, by its slug."""
    index = Project.open(project).index
    return {
        slug: (project / "epochs" / name / "adapter_model.safetensors").read_bytes()
        for slug, name in index.folders.items()
    }


def kept(project: Path) -> list[bytes]:
    """The weights of all epochs that lie in a project, also those that were taken out of the mixture."""
    return [path.read_bytes() for path in project.glob("*/*/adapter_model.safetensors")]


def prepared(folder: Path) -> Path:
    """The project that trials begin with, beside ``old`` (of format 1), a corpus, and an adapter to import; refusals
    end soon and are not logged."""
    torch.set_num_threads(1)
    logging.disable()
    disk.PATIENCE_S = 0.2
    os.environ["TLORA_CACHE"] = str(folder / "cache")
    make_corpus(folder)
    (folder / "out").mkdir()
    make_project(folder, "start")
    session = Session()
    run(session, jobs.OpenProject(str(folder / "start")))
    _train(session, folder)
    with suppress(Cancelled):
        _suspend(session, folder)
    _write(session, folder)
    run(session, jobs.ExportEpoch("first", str(folder / "adapter")))
    session.close()
    shutil.copytree(FORMAT_1 / "project", folder / "old")
    shutil.copytree(FORMAT_1 / "backbone", folder / "old" / "backbone")
    return folder / "start"


def begun(work: str, folder: Path, project: Path) -> dict[str, bytes]:
    """Make ``project`` what a kind of work begins with; the weights of its finished epochs."""
    start = folder / ("old" if work == "migrate" else "start")
    shutil.rmtree(project, ignore_errors=True)
    shutil.copytree(start, project)
    return adapters(start)
