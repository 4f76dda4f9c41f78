"""Does a training that is killed, again and again, end where it would have ended?

    python tests/benchmarks/kill.py [--kills 20] [--seed 0]

Trains an epoch of a tiny model once without a break. Then trains it again in processes (forks of this one, so that no
time goes on imports; not on Windows) that are killed (SIGKILL) at random moments, in a step, a measurement, a sample, a
checkpoint, or the ending, each going on from what the last one left. In the end every loss and every bit of adapter,
mixers and memory must be the same. Prints what was killed where.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

sys.path.insert(0, str(Path(__file__).parents[1]))

from tlora_gui.engine.projects.epoch_folder import read_history
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.config import TrainSettings
from tlora_gui.engine.protocol.events import EpochInfo, TrainStep
from tlora_gui.engine.session import Session
from tlora_gui.engine.training import epoch_run

SETTINGS = TrainSettings(
    num_passes=8,
    max_tokens=2048,
    batch_size=4,
    block_size=32,
    held_out_tokens=128,
    eval_every=5,
    learning_rate=3e-3,
    patience=10**6,
    sample_prompt="def",
    sample_every=7,
    sample_tokens=4,
)
"""128 steps, with measurements and samples, and a best step to keep."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TLORA_CACHE"] = str(Path(folder) / "cache")
        compare(Path(folder), options.kills, random.Random(options.seed))


def compare(folder: Path, kills: int, draw: random.Random) -> None:
    corpus = make_corpus(folder)
    for name in ("straight", "killed"):
        make_project(folder, name)
    started = time.monotonic()
    run_child(folder / "straight", corpus).join()
    seconds = time.monotonic() - started
    print(f"without a break: {seconds:.1f} s", flush=True)
    for turn in range(kills):
        before, child = where(folder / "killed"), run_child(folder / "killed", corpus)
        while child.is_alive() and turn and where(folder / "killed") == before:
            time.sleep(0.02)  # each brings it a little further, or the ending would never come
        time.sleep(draw.uniform(0, seconds / kills))
        if not child.is_alive():
            print("ended before it could be killed", flush=True)
            break
        child.kill()
        child.join()
        print(f"{turn + 1:2}: killed at {where(folder / 'killed')}", flush=True)
    run_child(folder / "killed", corpus).join()
    straight, killed = (left(folder / name) for name in ("straight", "killed"))
    same = {part: one == other for (part, one), other in zip(straight.items(), killed.values(), strict=True)}
    print("\n".join(f"{part}: {'the same to the last bit' if equal else 'DIFFERENT'}" for part, equal in same.items()))
    sys.exit(not all(same.values()))


def make_corpus(folder: Path) -> Path:
    draw, corpus = random.Random(1), folder / "corpus"
    corpus.mkdir()
    for file in range(6):
        lines = (f"def f_{draw.randrange(99)}(x):\n    return x + {draw.randrange(99)}\n" for _ in range(40))
        (corpus / f"{file}.txt").write_text("".join(lines), encoding="utf-8")
    return corpus


def make_project(folder: Path, name: str) -> None:
    """A project with one epoch, so that Active Sleep has something to protect."""
    import conftest

    if not (folder / "backbone").exists():
        conftest.make_llama().save_pretrained(folder / "backbone")
        conftest.tiny_tokenizer.__wrapped__().save_pretrained(folder / "backbone")  # type: ignore[attr-defined]
    session = Session()
    run(session, jobs.CreateProject(str(folder / name), str(folder / "backbone")))
    first = TrainSettings(max_tokens=1024, block_size=32, held_out_tokens=128)
    run(session, jobs.TrainEpoch("First", (str(folder / "corpus"),), settings=first))
    session.close()


def run_child(project: Path, corpus: Path) -> multiprocessing.process.BaseProcess:
    child = multiprocessing.get_context("fork").Process(target=train, args=(project, corpus))
    child.start()
    return child


def train(project: Path, corpus: Path) -> None:
    """Begin the training, or go on with it; a checkpoint every few steps."""
    epoch_run.CHECKPOINT_SECONDS, epoch_run.CHECKPOINT_STEPS = 60.0, 2
    epoch_run.CHECKPOINT_COST = 1e9  # whatever it costs
    session = Session()
    run(session, jobs.OpenProject(str(project)))
    epochs = {epoch.slug: epoch for epoch in session.info().epochs}
    if "killed" not in epochs:
        run(session, jobs.TrainEpoch("Killed", (str(corpus),), settings=SETTINGS))
    elif epochs["killed"].state == "interrupted":
        run(session, jobs.ResumeEpoch("killed"))
    session.close()


def run(session: Session, job: jobs.Job) -> None:
    for _ in session.run(job):
        pass


def where(project: Path) -> str:
    checkpoint = project / "checkpoints" / "killed"
    if not (checkpoint / "state.safetensors").exists():
        return "no checkpoint yet" if not list(project.glob("epochs/*-killed")) else "the very end"
    with safe_open(checkpoint / "state.safetensors", "pt") as state:
        return f"step {int(state.get_tensor('step'))}"


def left(project: Path) -> dict[str, Any]:
    """All that the training leaves, timings aside."""
    (folder,) = project.glob("epochs/*-killed")
    events = [
        (event.step, event.adapter_loss, event.mixer_distill_loss, event.route_loss)
        if isinstance(event, TrainStep)
        else event
        for event in read_history(folder)
    ]
    session = Session()
    run(session, jobs.OpenProject(str(project)))
    info: EpochInfo = session.info().epochs[-1]
    session.close()
    files = [folder / "adapter_model.safetensors", folder / "memory.safetensors", *sorted(project.glob("mixer/*"))]
    return {"losses, measurements and samples": events, "epoch": info} | {
        path.name: path.read_bytes() for path in files
    }


if __name__ == "__main__":
    main()
