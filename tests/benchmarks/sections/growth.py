"""How cost grows: with epochs in a project, with the context, with the corpus."""

from __future__ import annotations

import gc
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import psutil
import torch
from measure import REPEATS, Figure

from sections.common import backbone, corpus, grow
from tlora_gui.engine.corpus.blocks import make_blocks
from tlora_gui.engine.corpus.text_corpus import TextCorpus
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import STARTER, TrainSettings
from tlora_gui.engine.protocol.events import EpochInfo, HeldOut, TrainStep
from tlora_gui.engine.session import Session
from tlora_gui.temporal.active_sleep import MEMORY_WINDOW, EpochMemory
from tlora_gui.temporal.model import TemporalLoRA

EPOCHS = (0, 8, 64)
CONTEXTS = (64, 512, 1536)
STEPS = 100
"""Steps in the history of each epoch."""


def figures(threads: int) -> Iterator[Figure]:
    torch.set_num_threads(threads)
    yield from _projects()
    yield from _contexts()
    yield from _corpora()


def _projects() -> Iterator[Figure]:
    empty = 0.0
    for epochs in EPOCHS:
        with tempfile.TemporaryDirectory() as folder:
            path, last = Path(folder) / "project", epochs == EPOCHS[-1]
            saving = _make_project(path, epochs)
            if epochs:
                yield Figure("growth", f"storing epoch {epochs} of {epochs}", saving, "s")
            opened = [_open(path) for _ in range(REPEATS)]
            seconds, detail = median(each for each, _ in opened), {"runs": opened}
            yield Figure(
                "growth", f"opening {epochs} epochs", seconds, "s", at_most=1.0 if last else None, detail=detail
            )
            held = median(resident for _, resident in opened)
            if not epochs:
                empty = held
                continue
            own = sum(file.stat().st_size for file in path.glob("epochs/*/adapter_model.safetensors"))
            share, what = (
                (held - empty) / own,
                f"memory of {epochs} open epochs over the backbone, by their adapters' size",
            )
            yield Figure("growth", what, share, "×", at_most=1.1 if last else None, detail=detail)


def _make_project(path: Path, epochs: int) -> float:
    """A project of epochs as trained ones leave them; seconds that storing the last one took."""
    session = Session()
    list(session.run(jobs.CreateProject(str(path), STARTER)))
    model, project = session.model, session.project
    assert model is not None and project is not None
    hidden = model.mixer.hidden_size
    seconds = 0.0
    for number in range(epochs):
        grow(model, number + 1)
        slug = f"epoch-{number}"
        replay_NWH = torch.randn(TrainSettings().sleep.memory_tokens // MEMORY_WINDOW, MEMORY_WINDOW, hidden).half()
        held_out_NT = torch.randint(1000, (32, 128), dtype=torch.int32)
        model.memories[slug] = EpochMemory(replay_NWH, torch.randn(8, 128, hidden).half(), held_out_NT)
        history: list[TrainStep | HeldOut] = [
            TrainStep(slug, step, STEPS, 3.1234567, 0.0123456, 0.1234567, 1e-3, 512 * step, 200.0, 10.0)
            for step in range(1, STEPS + 1)
        ]
        started = time.perf_counter()
        info = EpochInfo(slug, slug, "", "#0072B2", "frozen", 512 * STEPS, 3.1, 4.2, corpus=("/text",))
        project.add_epoch(info, TrainSettings(), model, history)
        seconds = time.perf_counter() - started
    return seconds


def _open(path: Path) -> tuple[float, float]:
    """Seconds to open the project in a process of its own, backbone included; that process's own bytes once every
    epoch was read, beside the pages of files, which the system drops when it needs their room."""
    command = [sys.executable, "-W", "ignore", "-m", "sections.growth", str(path)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    seconds, resident = printed.stdout.split()
    return float(seconds), float(resident)


def _open_here(path: str) -> None:
    gc.freeze()  # as the application does with what it has imported
    session, started = Session(), time.perf_counter()
    list(session.run(jobs.OpenProject(path)))
    seconds = time.perf_counter() - started
    model = session.model
    assert model is not None
    slots = model.mixer.slots
    with torch.inference_mode():
        model(torch.ones(1, 1, dtype=torch.long), torch.full((slots,), 1 / slots))
    gc.collect()
    memory = psutil.Process().memory_info()
    print(seconds, memory.rss - getattr(memory, "shared", 0))


def _contexts() -> Iterator[Figure]:
    """Milliseconds of one more token after so many."""
    loaded = backbone()
    model = TemporalLoRA(loaded.model)
    grow(model, 2)
    for tokens in CONTEXTS:
        ids_1T = torch.randint(1000, (1, tokens), generator=torch.Generator().manual_seed(0))
        taken = []
        with torch.inference_mode():
            started = time.perf_counter()
            output = model(ids_1T, use_cache=True, logits_to_keep=1)
            prefill = time.perf_counter() - started
            for _ in range(10):
                started = time.perf_counter()
                output = model(
                    ids_1T[:, :1],
                    cache=output.cache,
                    mixer_state=output.mixer_state,
                    use_cache=True,
                    logits_to_keep=1,
                )
                taken.append(time.perf_counter() - started)
        yield Figure("growth", f"a token after {tokens:,} others", 1e3 * median(taken), "ms", detail={"runs": taken})
        yield Figure("growth", f"reading a prompt of {tokens:,} tokens", prefill, "s")


def _corpora() -> Iterator[Figure]:
    """Reading, tokenising and cutting a corpus, by what a tenth, a third or all of the sample play texts takes."""
    loaded, settings = backbone(), TrainSettings()
    files = sorted(str(file) for file in corpus("Shakespeare").rglob("*") if file.is_file())
    for share in (10, 3, 1):
        chosen = files[: max(1, len(files) // share)]
        started = time.perf_counter()
        blocks = make_blocks(
            TextCorpus.from_paths(chosen, CancelToken()),
            loaded.tokenizer,
            block_size=settings.block_size,
            max_tokens=None,
            held_out_share=settings.held_out_share,
            held_out_tokens=None,
            seed=0,
        )
        seconds, tokens = time.perf_counter() - started, blocks.train_NT.numel() + blocks.held_out_NT.numel()
        detail = {"files": len(chosen), "tokens": tokens, "seconds": seconds}
        yield Figure(
            "growth", f"preparing {tokens:,} tokens of text", tokens / seconds / 1e3, "k tokens/s", detail=detail
        )


if __name__ == "__main__":
    _open_here(sys.argv[1])
