"""Estimates against what came: time left after a tenth of a training, and its memory before the first step."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from measure import Figure

from sections.common import corpus
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.config import TrainSettings
from tlora_gui.engine.protocol.events import EpochFinished, TrainingEstimate, TrainStep
from tlora_gui.engine.session import Session
from tlora_gui.engine.training.probe import PeakMemory

SETTINGS = {
    "one pass": TrainSettings(),
    "two passes, sampled": TrainSettings(num_passes=2, max_tokens=25_600, sample_every=25, early_stop=False),
}


def figures(threads: int) -> Any:
    for name in SETTINGS:
        with tempfile.TemporaryDirectory() as folder:
            before, after = (_apart(what, name, threads, Path(folder)) for what in ("estimate", "train"))
        detail = {"estimate": before, "training": after}
        left, came = after["left_after_a_tenth"], after["came_after_a_tenth"]
        yield Figure("estimates", f"time left after a tenth, {name}", _off(left, came), "%", at_most=10, detail=detail)
        whole = _off(before["seconds"], after["seconds"])
        yield Figure("estimates", f"time told before the first step, {name}", whole, "%", detail=detail)
        memory = _off(before["memory"], after["memory"])
        yield Figure("estimates", f"peak memory told before, {name}", memory, "%", at_most=15, detail=detail)


def _off(told: float, came: float) -> float:
    return 100 * abs(told / came - 1)


def _apart(what: str, name: str, threads: int, folder: Path) -> dict[str, float]:
    command = [sys.executable, "-W", "ignore", "-m", "sections.estimates", what, name, str(threads), str(folder / what)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    report: dict[str, float] = json.loads(printed.stdout.splitlines()[-1])
    return report


def _run(what: str, name: str, project: str) -> dict[str, float]:
    session, settings = Session(), SETTINGS[name]
    for _ in session.run(jobs.CreateProject(project)):
        pass
    if what == "estimate":
        (found,) = [
            event
            for event in session.run(jobs.EstimateTraining(settings, 10**6))
            if isinstance(event, TrainingEstimate)
        ]
        return {"steps": found.steps, "seconds": found.seconds, "memory": found.memory_bytes}
    steps: dict[int, tuple[float, float]] = {}
    first = 0.0
    assert session.model is not None
    peak = PeakMemory(session.model.device)
    for event in session.run(jobs.TrainEpoch("Plays", (str(corpus("Shakespeare")),), settings=settings)):
        if event.__class__.__name__ == "TrainStarted":
            first = time.perf_counter()
            peak.__enter__()
        elif isinstance(event, TrainStep):
            steps[event.step] = (time.perf_counter(), event.eta_s)
        elif isinstance(event, EpochFinished):
            peak.__exit__(None, None, None)
    end = time.perf_counter()
    tenth, left = steps[max(steps) // 10]
    return {
        "seconds": end - first,
        "left_after_a_tenth": left,
        "came_after_a_tenth": end - tenth,
        "memory": peak.bytes,
        "steps": len(steps),
    }


if __name__ == "__main__":
    torch.set_num_threads(int(sys.argv[3]))
    print(json.dumps(_run(sys.argv[1], sys.argv[2], sys.argv[4])))
