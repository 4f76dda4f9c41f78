"""Every kind of file that is read, damaged at random: it is opened, or words say why not."""

from __future__ import annotations

import copy
import gzip
import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import corpora
from engine_helpers import drain
from kill import run
from mutations import (
    Mutate,
    mutated_bytes,
    mutated_gzip,
    mutated_json,
    mutated_lines,
    mutated_safetensors,
    mutated_zip,
)

from tlora_gui.engine import session as session_module
from tlora_gui.engine.backbones.loading import Backbone, load_backbone
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import SamplingSettings, SleepSettings
from tlora_gui.engine.protocol.errors import Cancelled, TloraError
from tlora_gui.engine.protocol.events import CorpusRead, GenerationLoaded, Progress, ProjectInfo, TrainStep
from tlora_gui.engine.protocol.texts import Generation
from tlora_gui.engine.session import Session
from tlora_gui.engine.storage.event_lines import event_line
from tlora_gui.engine.training import dreams
from trials.common import SETTINGS, Outcome, prepared

SECONDS, PATIENCE_S = 5, 60
"""Of the processor, after which a case hangs; and on the clock, since others may use the machine too."""
MEGABYTES, MOST_MEGABYTES = 500, 2000
"""More memory than before that a case may take, and at which the system refuses."""
BATCH = 400
"""Cases of one process."""
VERSE = "O gentle night (that hides the moon).\nIt shines & glows on 3 < 4 hills.\nNo end is here.\n" * 20
WORDS: list[str] = []
"""Why something could not be done, of the case in hand."""
LOADED: list[Backbone] = []
"""The backbone of the trials, so that it need not be read with every project."""


@dataclass(frozen=True)
class Target:
    """A kind of file.

    Attributes:
        whole: the folder or file that a case gets a copy of.
        file: in that folder, what is damaged; "" for the file itself.
        look: what is done with the copy.
        share: how many cases it gets, beside the others.
    """

    whole: Path
    file: str
    mutate: Mutate
    look: Callable[[Path, random.Random], None]
    share: int = 1


def outcome(options: Namespace, folder: Path) -> Outcome:
    targets = {name: target for name, target in _targets(folder).items() if options.only in (None, name)}
    shares, found, done = sum(target.share for target in targets.values()), Counter[str](), Counter[str]()
    for name, target in targets.items():
        count, began = -(-options.cases * target.share // shares), time.monotonic()
        seeds = iter(range(options.seed, options.seed + count))
        before = found.total()
        while (seed := next(seeds, None)) is not None:
            batch = [seed, *(each for each, _ in zip(seeds, range(BATCH - 1), strict=False))]
            for seed, verdict in _in_processes(folder, target, batch):
                done["told" if verdict == "told" else "opened" if verdict == "opened" else "wrong"] += 1
                if verdict not in ("told", "opened"):
                    found[f"{name}: {verdict}"] += 1
                    if options.keep is not None and found[f"{name}: {verdict}"] <= 3:
                        options.keep.mkdir(parents=True, exist_ok=True)
                        kept = options.keep / f"{name.replace('/', '-')}-{seed}"
                        kept.write_bytes(_damaged(target, seed))
                        print(f"    {kept}: {verdict}", flush=True)
        took = time.monotonic() - began
        print(f"  {name}: {count} cases, {found.total() - before} wrong, {took:.0f} s", flush=True)
    seen = f"{done.total():,} cases: {done['opened']:,} opened, {done['told']:,} told in words, {done['wrong']:,} wrong"
    target = "≥ 20,000 cases, no crash, nothing takes 5 s, nothing is written elsewhere"
    return Outcome("files damaged at random", target, seen, [*found.elements()])


def _damaged(target: Target, seed: int) -> bytes:
    """The file of a case."""
    return target.mutate((target.whole / target.file).read_bytes(), random.Random(seed))


# -- processes --------------------------------------------------------------------------------------------------------


def _in_processes(folder: Path, target: Target, seeds: list[int]) -> Iterator[tuple[int, str]]:
    """The verdict on each case; a process that ends over one is followed by another."""
    while seeds:
        here, there = multiprocessing.Pipe(duplex=False)
        child = multiprocessing.get_context("fork").Process(target=_do, args=(folder, target, seeds, there))
        child.start()
        there.close()
        with suppress(EOFError):
            while seeds and here.poll(PATIENCE_S):
                yield here.recv()
                del seeds[0]
        if seeds:
            child.join(0.5)
            waits = child.is_alive()
            child.kill()
            child.join()
            hangs = waits or child.exitcode == -signal.SIGPROF
            yield seeds.pop(0), "hangs" if hangs else f"ends the process ({child.exitcode})"
        child.join()


def _do(folder: Path, target: Target, seeds: list[int], told: Connection) -> None:
    arena = folder / "arena"
    shutil.rmtree(arena, ignore_errors=True)
    for name in ("case", "tmp", "outside"):
        (arena / name).mkdir(parents=True)
    (arena / "outside" / "kept.txt").write_text("kept")
    tempfile.tempdir = str(arena / "tmp")
    os.fsync = lambda number: None  # type: ignore[assignment]  # no power is lost here
    os.chdir(arena / "outside")
    elsewhere: list[str] = []
    allowed = [folder / name for name in ("arena/case", "arena/tmp", "cache", "reading")]
    sys.addaudithook(lambda event, args: _watch(event, args, allowed, elsewhere))
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MOST_MEGABYTES * 2**20,) * 2)
    _READING.clear()
    before = _tree(arena)
    for seed in seeds:
        case = arena / "case"
        shutil.rmtree(case)
        case.mkdir()
        place = case / target.whole.name
        if target.file:
            shutil.copytree(target.whole, place)
        (place / target.file).write_bytes(_damaged(target, seed))
        elsewhere.clear()
        WORDS.clear()
        memory = _peak_memory()
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        verdict = _verdict(target, place, seed)
        signal.setitimer(signal.ITIMER_PROF, 0)
        if (more := _peak_memory(reset=False) - memory) > MEGABYTES:
            verdict = f"takes more than {MEGABYTES} MB" + (f" ({more} MB)" if verdict == "" else "")
        if elsewhere:
            verdict = elsewhere[0]
        if (after := _tree(arena)) != before:
            verdict, before = "leaves something elsewhere", after
        told.send((seed, verdict))


def _verdict(target: Target, place: Path, seed: int) -> str:
    try:
        target.look(place, random.Random(seed))
    except TloraError as error:
        return "told" if len(str(error)) < 6000 else "tells too much"
    except OSError as error:  # the worker and the command line have words for it
        return "told" if error.strerror else _where(error)
    except BaseException as error:  # noqa: BLE001 - that nothing else comes is what is tried
        return _where(error)
    return "told" if WORDS else "opened"


def _where(error: BaseException) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "tlora_gui" in frame.filename]
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "nowhere"
    return f"{type(error).__name__} in {place}: {str(error)[:80]!r}"


_RUNS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "socket.connect", "pickle.find_class")
_CHANGES = {
    "os.rename": 2, "os.remove": 1, "os.rmdir": 1, "os.mkdir": 1, "os.symlink": 2, "os.link": 2, "os.truncate": 1,
    "os.chmod": 1,
}  # fmt: skip
"""Events, and how many of their arguments are paths."""


def _watch(event: str, args: tuple[Any, ...], allowed: list[Path], elsewhere: list[str]) -> None:
    """Note what is run, connected to or unpickled, and what is written outside of some folders."""
    if event in _RUNS:
        elsewhere.append(f"{event} {str(args)[:60]}")
        return
    if event == "open":
        paths = [args[0]] if isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) else []
    else:
        paths = list(args[: _CHANGES.get(event, 0)])
    for path in paths:
        if isinstance(path, int) or os.fspath(path) in ("/dev/null", "/proc/self/clear_refs"):
            continue
        folder = args[-1] if event in ("os.remove", "os.rmdir", "os.mkdir") else -1  # a descriptor, as rmtree has it
        root = os.readlink(f"/proc/self/fd/{folder}") if folder >= 0 else ""
        real = Path(os.path.realpath(os.path.join(root, os.fsdecode(path))))
        if not any(real.is_relative_to(root) for root in allowed):
            elsewhere.append(f"{event} of {real}")


def _tree(arena: Path) -> dict[str, int]:
    """What is beside the case, and how large."""
    found = {}
    for parent, folders, files in os.walk(arena):
        if Path(parent) == arena:
            folders.remove("case")
        found |= {os.path.join(parent, name): os.stat(os.path.join(parent, name)).st_size for name in files}
        found |= {os.path.join(parent, name): -1 for name in folders}
    return found


def _peak_memory(reset: bool = True) -> int:
    """The most that this process took since the last reset, in MB."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


# -- what is looked at ------------------------------------------------------------------------------------------------


def _project(place: Path, draw: random.Random) -> None:
    """Open a project and look at all that is in it; sometimes go on with what was interrupted, and write into it."""
    session = Session()
    try:
        run(session, jobs.ListProject(str(place)))
        run(session, jobs.OpenProject(str(place)))
        info = session.info()
        _require_shown(info)
        for epoch in info.epochs:
            _told(session, jobs.LoadSettings(epoch.slug))
            if epoch.state == "interrupted" and draw.random() < 0.1:
                _told(session, jobs.ResumeEpoch(epoch.slug), until=TrainStep)
        for kept in _told(session, jobs.ListGenerations())[0].generations[:3]:
            _told(session, jobs.LoadGeneration(kept.id))
        for each in _told(session, jobs.ListRuns())[0].runs[:3]:
            _told(session, jobs.LoadRun(each.id))
        if info.generation is not None:
            _told(session, jobs.ComputeMixerTimeline(info.generation))
        for first in info.epochs[:1] if draw.random() < 0.2 else ():
            _told(session, jobs.EditEpoch(first.slug, "Another name", "era", "#009E73"))
            _told(session, jobs.DeleteEpoch(first.slug))
            _told(session, jobs.RestoreEpoch(first.slug))
        _told(session, jobs.Generate("def", sampling=SamplingSettings(max_new_tokens=2)))
    finally:
        session.close()


def _require_shown(info: ProjectInfo) -> None:
    """What the window is told can be told in words, and is no more than it can draw."""
    for _, events in info.history:
        for event in events:
            event_line(event).encode()
    json.dumps([epoch.name for epoch in info.epochs]).encode()
    assert all(len(epoch.slug) < 300 and len(epoch.note) < 3000 for epoch in info.epochs)


_READING: list[Session] = []


def _start() -> Path:
    """The project of the trials, two folders above where temporary files go."""
    return Path(tempfile.gettempdir()).parents[1] / "start"


def _reader() -> Session:
    """A session with a project open that reads what it is given."""
    if not _READING:
        place = _start().with_name("reading")
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(_start(), place)
        _READING.append(Session())
        run(_READING[0], jobs.OpenProject(str(place)))
    return _READING[0]


def _corpus(place: Path, draw: random.Random) -> None:
    session = _reader()
    for job in (jobs.SummariseCorpus((str(place),)), jobs.PreviewBlocks((str(place),))):
        _told(session, job)
    training = jobs.TrainEpoch("Read", (str(place),), settings=replace(SETTINGS, seed=draw.randrange(2**31)))
    _told(session, training, until=CorpusRead)


def _adapter(place: Path, draw: random.Random) -> None:
    settings = replace(SETTINGS, sleep=SleepSettings(source="dreams"))
    _told(_reader(), jobs.ImportAdapter(str(place), settings=settings), until="Dreaming")


def _saved_text(place: Path, draw: random.Random) -> None:
    session = _reader()
    for event in _told(session, jobs.ImportGeneration(str(place))):
        if isinstance(event, GenerationLoaded):
            record: Generation = event.record
            for ending in ("html", "md", "json"):
                _told(session, jobs.ExportGeneration(record, str(place.with_name(f"out.{ending}"))))
            _told(session, jobs.ComputeMixerTimeline(record))
            _told(session, jobs.DeleteGeneration(record.id))


def _backbone(place: Path, draw: random.Random) -> None:
    session = Session()
    try:
        run(session, jobs.CreateProject(str(place.with_name("new")), str(place)))
        _told(session, jobs.Generate("def", sampling=SamplingSettings(max_new_tokens=2)))
        if draw.random() < 0.3:
            training = jobs.TrainEpoch("New", (str(_start().parent / "corpus"),), settings=SETTINGS)
            _told(session, training, until=TrainStep)
    finally:
        session.close()


def _told(session: Session, job: jobs.Job, until: type | str = "never") -> list[Any]:
    """What a job tells; none if words say why not. It ends early after an event of a kind, or a progress of a name."""
    cancel, events = CancelToken(), []
    try:
        for event in session.run(job, cancel):
            if isinstance(event, Progress):
                if isinstance(until, str) and event.label.startswith(until):
                    cancel.cancel("discard")
                continue
            events.append(event)
            if not isinstance(until, str) and isinstance(event, until):
                cancel.cancel("suspend" if until is TrainStep else "discard")
    except Cancelled:
        return []
    except TloraError as error:
        WORDS.append(error.message)
        return []
    return events


# -- files ------------------------------------------------------------------------------------------------------------


def _targets(folder: Path) -> dict[str, Target]:
    from tiny_gguf import write_gguf

    dreams.DREAM_BLOCKS, dreams.DREAM_LENGTH, dreams.EVAL_BLOCKS = 12, 32, 2
    start = prepared(folder)
    LOADED[:] = [drain(load_backbone(str(folder / "backbone"), CancelToken()))[1]]
    session_module.load_backbone = _loaded  # type: ignore[assignment]
    os.environ["TLORA_TOKENS"] = str(folder / "cache" / "tokens")
    session = Session()
    run(session, jobs.OpenProject(str(start)))
    run(session, jobs.KeepQueue((jobs.TrainEpoch("Later", (str(folder / "corpus"),)),)))
    record = session.info().generation
    assert record is not None
    run(session, jobs.ExportGeneration(record, str(folder / "text.json")))
    session.close()
    newest = max(path.name for path in (start / "epochs").iterdir())
    half = next(path.name for path in (start / "checkpoints").iterdir())
    one = min(path.name for path in (start / "runs").iterdir())
    mixer = max(path.name for path in (start / "mixer").glob("mixer-*"))
    shutil.make_archive(str(folder / "adapter"), "zip", folder / "adapter", "first")
    parts: dict[str, tuple[Mutate, int]] = {
        "project.json": (mutated_json, 6),
        f"epochs/{newest}/epoch.json": (mutated_json, 4),
        f"epochs/{newest}/history.jsonl": (mutated_lines, 3),
        f"epochs/{newest}/adapter_config.json": (mutated_json, 3),
        f"epochs/{newest}/adapter_model.safetensors": (mutated_safetensors, 4),
        f"epochs/{newest}/memory.safetensors": (mutated_safetensors, 4),
        f"mixer/{mixer}": (mutated_safetensors, 3),
        "generations.jsonl": (mutated_lines, 6),
        "queue.json": (mutated_json, 3),
        f"runs/{one}/run.json": (mutated_json, 3),
        f"runs/{one}/history.jsonl": (mutated_lines, 1),
        f"checkpoints/{half}/epoch.json": (mutated_json, 3),
        f"checkpoints/{half}/history.jsonl": (mutated_lines, 1),
        f"checkpoints/{half}/state.safetensors": (mutated_safetensors, 4),
        f"checkpoints/{half}/blocks.safetensors": (mutated_safetensors, 3),
    }
    found = {_plain(name): Target(start, name, mutate, _project, share) for name, (mutate, share) in parts.items()}
    adapter = folder / "adapter" / "first"
    found |= {
        "adapter/config": Target(adapter, "adapter_config.json", mutated_json, _adapter, 6),
        "adapter/weights": Target(adapter, "adapter_model.safetensors", mutated_safetensors, _adapter, 6),
        "adapter/zip": Target(folder / "adapter.zip", "", mutated_zip, _adapter, 3),
        "saved text": Target(folder / "text.json", "", mutated_json, _saved_text, 6),
        "backbone/gguf": Target(write_gguf(folder / "tiny.gguf"), "", mutated_bytes, _backbone, 3),
    }
    found |= {
        f"backbone/{name}": Target(folder / "backbone", name, mutate, _backbone, 1)
        for name, mutate in (
            ("config.json", mutated_json), ("tokenizer.json", mutated_json), ("tokenizer_config.json", mutated_json),
            ("generation_config.json", mutated_json), ("model.safetensors", mutated_safetensors),
        )
    }  # fmt: skip
    zipped, packed = (mutated_zip, mutated_gzip)
    kinds: dict[str, tuple[bytes, Mutate]] = {
        **{kind: (writer(VERSE), mutated_bytes) for kind, writer in corpora.WRITERS.items()},
        **{kind: (table([VERSE] * 5), mutated_bytes) for kind, table in corpora.TABLES.items()},
        "txt": (VERSE.encode(), mutated_bytes),
        "tar": (corpora.tarred({"a.txt": VERSE.encode(), "b.csv": corpora.csv_of([VERSE])}), mutated_bytes),
        "zip": (corpora.zipped({"a.txt": VERSE, "b.docx": corpora.docx(VERSE), "c.jsonl": "{}"}), zipped),
        "csv.gz": (gzip.compress(corpora.csv_of([VERSE] * 5)), packed),
        "xz": (corpora.PACKERS["xz"](VERSE.encode()), mutated_bytes),
        "bz2": (corpora.PACKERS["bz2"](VERSE.encode()), mutated_bytes),
    }
    for kind in ("docx", "odt", "epub"):
        kinds[kind] = (kinds[kind][0], zipped)
    kinds["ipynb"], kinds["jsonl"] = (kinds["ipynb"][0], mutated_json), (kinds["jsonl"][0], mutated_lines)
    (folder / "files").mkdir()
    for kind, (data, mutate) in kinds.items():
        path = folder / "files" / f"a.{kind}"
        path.write_bytes(data)
        found[f"corpus/{kind}"] = Target(path, "", mutate, _corpus, 2)
    return found


def _plain(name: str) -> str:
    """What a file of a project is called here, whatever its epoch's folder is called."""
    parts = name.split("/")
    return "/".join([parts[0], *parts[2:]] if len(parts) > 2 else ["mixer"] if parts[0] == "mixer" else parts)


def _loaded(reference: str, cancel: CancelToken, *further: Any) -> Iterator[Any]:
    """As ``load_backbone``; of the backbone that is loaded already, a copy."""
    (backbone,) = LOADED
    if reference != backbone.reference:
        return (yield from load_backbone(reference, cancel, *further))
    yield Progress("Loading")
    return replace(backbone, model=copy.deepcopy(backbone.model))
