"""Several processes learn what one does, one of them writes, and what happens to one happens to all."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from engine_helpers import Corpora, collect

from tlora_gui.engine.projects.project import Project
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import HeldOut, TrainingEvent, TrainStep
from tlora_gui.engine.session import Session
from tlora_gui.engine.training.ranks import joined

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes are forked from one")

SETTINGS = {
    "batch-size": 4,
    "block-size": 32,
    "max-tokens": 576,
    "held-out-tokens": 256,
    "eval-every": 3,
    "learning-rate": 1e-2,
    "mixer-learning-rate": 2e-2,
    "sleep-memory-tokens": 512,
    "sleep-batch-tokens": 128,
}
"""Five steps of four blocks; the last has two, so that two of four processes have none."""

RUNS: dict[str, dict[str, Any]] = {
    "one": {"size": 1},
    "two": {"size": 2},
    "four": {"size": 4},
    "joint one": {"size": 1, "settings": {"objective": "joint"}},
    "joint two": {"size": 2, "settings": {"objective": "joint"}},
    "interrupted": {"size": 2, "happens": [int(signal.SIGINT), 0, 3]},
    "killed": {"size": 2, "happens": [9, 1, 3]},
    "sharded": {"size": 2, "fsdp": True},
    "without memory": {"size": 2, "happens": ["memory", 1, 3]},
}


@dataclass(frozen=True)
class Ran:
    """How a run of ``RUNS`` ended."""

    project: Path
    ends: list[int]
    seconds: float
    remarks: str

    @property
    def history(self) -> tuple[TrainingEvent, ...]:
        project = Project.open(self.project)
        return project.read_history("code")


@pytest.fixture(scope="module")
def ran(stored_projects: dict[int, Path], corpora: Corpora, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    """Every run, on a copy each of the project with one epoch."""
    root = tmp_path_factory.mktemp("several")
    runs = []
    for name, run in RUNS.items():
        shutil.copytree(stored_projects[1], root / name)
        arguments = ["train", str(root / name), str(corpora["code"]), "--name", "Code"]
        arguments += [f"--{name}={value}" for name, value in (SETTINGS | run.get("settings", {})).items()]
        (temporary := root / f"temporary {name}").mkdir()
        runs.append({**run, "arguments": arguments, "temporary": str(temporary)})
    (root / "runs.json").write_text(json.dumps(runs))
    places = {"TLORA_CACHE": str(root / "cache"), "TLORA_LOG": str(root / "log")}
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("forked.py")), str(root / "runs.json")],
        env={**os.environ, **places},
        capture_output=True,
        text=True,
        timeout=600,
    )
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[[")]
    assert len(told) == len(RUNS), done.stderr
    return {name: Ran(root / name, *end, done.stderr) for name, end in zip(RUNS, told, strict=True)}


def losses(history: tuple[TrainingEvent, ...]) -> Iterator[tuple[str, int, list[float]]]:
    for event in history:
        if isinstance(event, TrainStep):
            figures = [event.adapter_loss, event.mixer_distill_loss, event.route_loss, event.gradient_norm]
            yield "step", event.step, figures
        elif isinstance(event, HeldOut):
            yield "held out", event.step, [event.loss, *dict(event.losses).values(), event.unprotected_loss or 0.0]


def largest_difference(one: Ran, other: Ran) -> float:
    """Between any two losses of the same step."""
    differences = [0.0]
    for (kind, step, figures), (kind2, step2, figures2) in zip(losses(one.history), losses(other.history), strict=True):
        assert (kind, step) == (kind2, step2)
        differences += [abs(a - b) for a, b in zip(figures, figures2, strict=True)]
    return max(differences)


@pytest.mark.parametrize(
    ("alone", "several"), [("one", "two"), ("one", "four"), ("joint one", "joint two"), ("one", "sharded")]
)
def test_losses_are_those_of_one_process(ran: dict[str, Ran], alone: str, several: str) -> None:
    assert ran[several].ends == [0] * RUNS[several]["size"], ran[several].remarks
    assert len(ran[several].history) == 5 + 3
    assert largest_difference(ran[alone], ran[several]) < 1e-5


def test_one_process_writes(ran: dict[str, Ran]) -> None:
    def files(name: str) -> set[str]:
        return {str(path.relative_to(ran[name].project)) for path in ran[name].project.rglob("*")}

    assert files("four") == files("one")
    assert not any(ran["four"].project.with_name("temporary four").iterdir())


def test_one_process_goes_on_with_what_two_began(ran: dict[str, Ran]) -> None:
    interrupted = ran["interrupted"]
    assert interrupted.ends == [128 + signal.SIGINT] * 2
    session = Session()
    collect(session.run(jobs.OpenProject(str(interrupted.project))))
    (epoch,) = session.ended_by_training()
    assert epoch.note == "stopped after step 3 of 5"
    collect(session.run(jobs.ResumeEpoch(epoch.slug)))
    session.close()
    assert largest_difference(ran["one"], interrupted) < 1e-5


def test_a_process_that_dies_ends_the_others_which_keep_what_was_learned(ran: dict[str, Ran]) -> None:
    killed = ran["killed"]
    assert killed.ends == [1, -9] and killed.seconds < 60
    assert "Another process of this training has ended or does not answer." in killed.remarks
    (epoch,) = (epoch for epoch in Project.open(killed.project).epochs() if epoch.state == "interrupted")
    assert epoch.note.startswith("stopped after step 2 of 5: Another process")


def test_memory_that_runs_out_in_one_process_halves_what_all_learn_at_once(ran: dict[str, Ran]) -> None:
    starved = ran["without memory"]
    assert starved.ends == [0, 0], starved.remarks
    assert "There was not enough memory for as much of a batch at once" in starved.remarks
    assert largest_difference(ran["one"], starved) < 1e-5


def test_what_several_processes_need_is_told_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(TloraError, match=r"pip install 'tlora-gui\[distributed\]'"), joined():
        pass
