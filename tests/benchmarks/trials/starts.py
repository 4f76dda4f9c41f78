"""The application, started and ended at rest and in the middle of things."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from argparse import Namespace
from contextlib import suppress
from itertools import cycle, islice
from pathlib import Path

from tlora_gui.engine.projects.project_lock import is_locked
from trials.common import Outcome, Tally, adapters, prepared

LIMIT_S = 20.0
"""For the end; a training writes its checkpoint within."""
KINDS = [
    ("training", "SIGTERM"), ("generating", "SIGINT"), ("idle", "close"), ("opening", "SIGTERM"),
    ("starting", "SIGINT"),
    ("training", "close"), ("generating", "SIGTERM"), ("idle", "SIGINT"), ("opening", "close"), ("starting", "SIGTERM"),
    ("training", "SIGINT"), ("generating", "close"), ("idle", "SIGTERM"), ("opening", "SIGINT"),
]  # fmt: skip
"""At which moment it is ended, and how."""


def outcome(options: Namespace, folder: Path) -> Outcome:
    start, draw = prepared(folder), random.Random(options.seed)
    tally, project, before = Tally(), folder / "started", adapters(start)
    (folder / "logs").mkdir()
    os.environ |= {
        "TLORA_SETTINGS": str(folder / "window.ini"),
        "TLORA_LOG": str(folder / "logs" / "a.log"),
        "TLORA_PROJECTS": str(folder / "projects"),
    }
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    for turn, (moment, end) in enumerate(islice(cycle(KINDS), options.starts), 1):
        shutil.rmtree(project, ignore_errors=True)
        shutil.copytree(start, project)
        what = f"start {turn}, {moment}, {end}"
        found = _start(moment, end, str(folder / "corpus"), str(project), draw.uniform(0.1, 1.5))
        tally.wrong += [f"{what}: {each}" for each in found]
        tally.check(what, project, before)
        if is_locked(project):
            tally.wrong.append(f"{what}: the project is locked")
        if moment == "training" and not list(project.glob("checkpoints/long/state.safetensors")):
            tally.wrong.append(f"{what}: the training left no checkpoint")
        for left in (folder / "logs").glob("*"):
            if left.name.startswith("crash-") or " ERROR " in left.read_text():
                tally.wrong.append(f"{what}: {left.read_text()[-500:]}")
                left.unlink()
    return tally.outcome("start and end the application", "50 clean ends", "starts")


def _start(moment: str, end: str, corpus: str, project: str, seconds: float) -> list[str]:
    """What is wrong with how a process ended."""
    if moment == "starting":
        command = [sys.executable, "-m", "tlora_gui", project]
    else:
        command = [sys.executable, str(Path(__file__).with_name("driven.py")), moment, end, corpus, project]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    with process:
        try:
            if moment == "starting":
                time.sleep(seconds)
            elif process.stdout is not None and process.stdout.readline() != "now\n":
                return [f"never came so far: {process.communicate(timeout=LIMIT_S)[1][-500:]}"]
            if end != "close":
                process.send_signal(signal.Signals[end])
            told = process.communicate(timeout=LIMIT_S)[1]
            left = _still_there(process.pid)
        except subprocess.TimeoutExpired:
            return [f"did not end within {LIMIT_S:.0f} s"]
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    number = 0 if end == "close" else int(signal.Signals[end])
    right = {128 + number, -number} if moment == "starting" else {128 + number} if number else {0}
    wrong = [] if process.returncode in right else [f"its status is {process.returncode}"]
    wrong += ["a process is left"] if left else []
    noise = [line for line in told.splitlines() if "This plugin does not support" not in line]
    return wrong + ([f"it said {noise[-1]}"] if noise and moment != "starting" else [])


def _still_there(group: int) -> bool:
    """Whether a process of a group is."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
