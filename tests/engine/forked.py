"""Runs the command line in several processes, as a launcher would, but forked from one that has imported everything.

``python forked.py RUNS``, where RUNS is a file of JSON: a list of objects with ``size``, ``arguments``, ``temporary``
(a folder), and perhaps ``fsdp``, and ``happens``: [what, in which process, in which of its steps], what being a
signal's number or "memory".
Writes ``[exit status of each process, seconds]`` of every run as a line of JSON.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from tlora_gui.__main__ import main
from tlora_gui.engine.training import dreams, evaluation
from tlora_gui.engine.training.router_inputs import RouterInputs
from tlora_gui.headless import running  # noqa: F401 - so that forks need not
from tlora_gui.temporal import active_sleep


def shorten_waits() -> None:
    """As the tests' own process does."""
    dreams.DREAM_BLOCKS, dreams.DREAM_LENGTH, dreams.EVAL_BLOCKS = 12, 32, 2
    active_sleep.CALIBRATION_STEPS = 10
    evaluation.trains_in_bf16 = lambda device: False
    torch.set_num_threads(1)


def let_happen(what: int | str, step: int) -> None:
    """What is to befall this process in a step of its training (from 1)."""
    inner, steps = RouterInputs.__call__, iter(range(1, 10_000))

    def call(self: RouterInputs, rows_B: torch.Tensor) -> torch.Tensor:
        if next(steps) == step:
            if what == "memory":
                raise MemoryError
            os.kill(os.getpid(), int(what))
        return inner(self, rows_B)

    RouterInputs.__call__ = call  # type: ignore[method-assign]


def start(run: dict[str, Any], rank: int, port: int) -> int:
    """One process of a run; its id."""
    if child := os.fork():
        return child
    status = 1
    try:
        if run["size"] > 1:
            names = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": run["size"], "LOCAL_WORLD_SIZE": run["size"]}
            os.environ |= {name: str(value) for name, value in names.items()}
            os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        os.environ["ACCELERATE_USE_FSDP"] = str(run.get("fsdp", False))
        tempfile.tempdir = run["temporary"]
        what, where, step = run.get("happens") or (0, -1, 0)
        if rank == where:
            let_happen(what, step)
        status = main(run["arguments"])
    finally:
        sys.stdout.flush()
        os._exit(status)


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


if __name__ == "__main__":
    shorten_waits()
    for run in json.loads(Path(sys.argv[1]).read_text()):
        begun, port = time.monotonic(), free_port()
        children = [start(run, rank, port) for rank in range(run["size"])]
        ends = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        print(json.dumps([ends, time.monotonic() - begun]), flush=True)
