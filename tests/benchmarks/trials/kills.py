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
from trials.common import WORKS, Outcome, Tally, adapters, prepared


def outcome(options: Namespace, folder: Path) -> Outcome:
    start, draw = prepared(folder), random.Random(options.seed)
    tally, project = Tally(), Path(shutil.copytree(start, folder / "killed"))
    before = adapters(project)
    for turn in range(options.kills):
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
    return tally.outcome("SIGKILL at random moments", "≥ 300 kills, every project opens, no epoch is lost", "kills")


def _work_on(project: Path, folder: Path, seed: float) -> None:
    draw, session = random.Random(seed), Session()
    run(session, jobs.OpenProject(str(project)))
    while True:
        with suppress(TloraError, Cancelled):  # as where there is nothing to resume
            draw.choice([*WORKS.values()])(session, folder)
