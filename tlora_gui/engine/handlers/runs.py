"""Handlers of the jobs about past trainings: list, open, delete, restore."""

from __future__ import annotations

from tlora_gui.engine.projects.run_history import MOST_RUNS, RunHistory
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.events import RunLoaded, RunsListed


def do(runs: RunHistory, job: jobs.ListRuns | jobs.LoadRun | jobs.DeleteRun) -> RunsListed | RunLoaded:
    """Do a job about past trainings.

    Raises:
        TloraError: if the run is not there, or cannot be read or deleted.
    """
    match job:
        case jobs.LoadRun():
            return RunLoaded(*runs.load(job.id))
        case jobs.DeleteRun():
            (runs.restore if job.restore else runs.delete)(job.id)
    return RunsListed(runs.listed(), MOST_RUNS)
