"""Processes that do all kinds of work in random order, each killed at a random moment."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import time
from argparse import Namespace
from contextlib import suppress
from pathlib import Path

from kill import run

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.errors import Cancelled, TloraError
from tlora_gui.engine.session import Session
from trials.common import WORKS, Outcome, Tally, adapters, begun, prepared

MIGRATES_EVERY = 6
"""Of so many kills the last hits a project of format 1, soon after it is opened."""


def outcome(options: Namespace, folder: Path) -> Outcome:
    prepared(folder)
    draw, tally, project = random.Random(options.seed), Tally(), folder / "killed"
    before = begun("train", folder, project)
    for turn in range(options.kills):
        migrates = turn % MIGRATES_EVERY == MIGRATES_EVERY - 1
        if migrates:
            before = begun("migrate", folder, project)
        elif len(before) > 6 or turn % MIGRATES_EVERY == 0:  # a project that grows makes every turn slower
            before = begun("train", folder, project)
        child = multiprocessing.get_context("fork").Process(target=_work_on, args=(project, folder, draw.random()))
        child.start()
        time.sleep(draw.uniform(0.02, 0.5 if migrates else 2.0))
        child.kill()
        child.join()
        shutil.rmtree(folder / "out", ignore_errors=True)
        tally.check(f"kill {turn + 1}", project, before)
        before = adapters(project)
    return tally.outcome("SIGKILL at random moments", "≥ 300 kills, every project opens, no epoch is lost", "kills")


def _work_on(project: Path, folder: Path, seed: float) -> None:
    draw, session = random.Random(seed), Session()
    run(session, jobs.OpenProject(str(project)))
    while True:
        with suppress(TloraError, Cancelled):  # as where there is nothing to resume
            draw.choice([*WORKS.values()])(session, folder)
