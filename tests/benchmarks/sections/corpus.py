"""Preparing a corpus: tokens a second against ``datasets.map``, and the memory that more text needs."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import torch
from measure import Figure, interleaved, ratio

from sections.common import corpus
from tlora_gui.engine.backbones import starter
from tlora_gui.engine.corpus.blocks import make_blocks
from tlora_gui.engine.corpus.text_corpus import TextCorpus
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import TrainSettings
from tlora_gui.engine.protocol.streams import drain

SIZES = os.environ.get("TLORA_BENCH_CORPORA", "20,200")
"""Megabytes of the corpora of which the memory is measured; 2000 and 10000 need an hour and 15 GB of disk."""

_FILE = 10**7
_REPEATS = 3


def figures(threads: int) -> Iterator[Figure]:
    torch.set_num_threads(threads)
    yield from _speed()
    yield from _memory(threads)


def tokenizer() -> Any:
    """The starter backbone's."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(drain(starter.ensure_backbone(CancelToken())))


def prepare(paths: list[str], max_tokens: int | None = None) -> int:
    """Tokens of a corpus, read and packed as for training."""
    settings = TrainSettings()
    blocks = make_blocks(
        TextCorpus.from_paths(paths, CancelToken()),
        tokenizer(),
        block_size=settings.block_size,
        max_tokens=max_tokens,
        held_out_share=settings.held_out_share,
        held_out_tokens=4096,
        seed=0,
    )
    return int(blocks.train_NT.numel())


def _speed() -> Iterator[Figure]:
    """The same files by ``datasets.map``, batched, with its processes; and by us, each time without its cache."""
    import datasets

    datasets.disable_progress_bars()
    made = tokenizer()
    with tempfile.TemporaryDirectory() as folder:
        write_text(Path(folder) / "texts", 10)
        files = sorted(str(file) for file in Path(folder, "texts").iterdir())
        count = sum(len(made(Path(file).read_text(encoding="utf-8"), verbose=False)["input_ids"]) for file in files)

        def ours() -> float:
            with tempfile.TemporaryDirectory() as cache:
                os.environ["TLORA_TOKENS"] = cache
                started = time.perf_counter()
                prepare(files)
                return count / (time.perf_counter() - started)

        def theirs(processes: int | None) -> float:
            with tempfile.TemporaryDirectory() as cache:
                os.environ["TOKENIZERS_PARALLELISM"] = "true" if processes is None else "false"
                started = time.perf_counter()
                lines = datasets.load_dataset("text", data_files=files, split="train", cache_dir=cache)
                lines.map(
                    lambda rows: {"input_ids": made(rows["text"], add_special_tokens=False)["input_ids"]},
                    batched=True,
                    num_proc=processes,
                    remove_columns=["text"],
                )
                seconds = time.perf_counter() - started
                os.environ["TOKENIZERS_PARALLELISM"] = "false"
                return count / seconds

        peers = {
            "map": lambda: theirs(None),
            "map, 1 process": lambda: theirs(1),
            "map, 2 processes": lambda: theirs(2),
        }
        runs = interleaved({"ours": ours, **peers}, _REPEATS)
    best = max(peers, key=lambda name: median(runs[name]))
    yield Figure("corpus", "preparing text", median(runs["ours"]) / 1e3, "k tokens/s", detail={"runs": runs})
    for name in peers:
        least = 1.0 if name == best else None
        yield Figure("corpus", f"preparing text, by datasets.{name}", ratio(runs, "ours", name), "×", at_least=least)


def _memory(threads: int) -> Iterator[Figure]:
    least = None
    for megabytes in map(int, SIZES.split(",")):
        for max_tokens, what in ((None, "all"), (51_200, "a sample")):
            with tempfile.TemporaryDirectory() as folder:
                write_text(Path(folder) / "texts", megabytes)
                command = [sys.executable, "-W", "ignore", "-m", "sections.corpus", folder, str(max_tokens or 0)]
                done = subprocess.run(
                    [*command, str(threads)], check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1]
                )
            found = json.loads(done.stdout.splitlines()[-1])
            least = min(least or found["peak_mb"], found["peak_mb"])
            yield Figure("corpus", f"seconds for {what} of {megabytes:,} MB", found["seconds"], "s", detail=found)
            yield Figure(
                "corpus",
                f"peak memory for {what} of {megabytes:,} MB, beyond the least",
                found["peak_mb"] - least,
                "MB",
                at_most=100.0,
                detail=found,
            )


def write_text(folder: Path, megabytes: int) -> None:
    """Files of 10 MB, none like another: lines of the sample plays in random order."""
    folder.mkdir()
    plays = (file for file in sorted(corpus("Shakespeare").rglob("*")) if file.is_file())
    lines = [line for file in plays for line in file.read_text(encoding="utf-8", errors="replace").splitlines()]
    rng, left = random.Random(0), megabytes * 10**6
    while left > 0:
        drawn = "\n".join(rng.choices(lines, k=min(left, _FILE) // 25))
        with (folder / f"{left // _FILE:05}.txt").open("w", encoding="utf-8") as file:
            left -= file.write(drawn[: min(left, _FILE)])


def _prepare_here(folder: str, max_tokens: int, threads: int) -> None:
    """Print seconds, tokens and the peak of this process's memory while it prepares the corpus of a folder."""
    torch.set_num_threads(threads)
    os.environ["TLORA_TOKENS"] = f"{folder}/tokens"
    peak, done, process = [0], threading.Event(), psutil.Process()

    def watch() -> None:
        while not done.wait(0.02):
            peak[0] = max(peak[0], process.memory_info().rss)

    tokenizer()
    watcher = threading.Thread(target=watch)
    watcher.start()
    started = time.perf_counter()
    tokens = prepare([f"{folder}/texts"], max_tokens or None)
    seconds = time.perf_counter() - started
    done.set()
    watcher.join()
    print(json.dumps({"seconds": seconds, "tokens": tokens, "peak_mb": peak[0] / 1e6}))


if __name__ == "__main__":
    _prepare_here(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
