"""How long from the start of the process to a window, and to a model in it; and from a prompt to its first token.

Every start is a process of its own; one before them brings the files into the system's cache and does not count. The
engine takes the threads that it takes in the window, whatever ``threads`` says.

    python tests/benchmarks/sections/startup.py PROJECT [TOKENS …]

opens a project in the window and prints the monotonic clock when its model is ready, then the seconds to the first new
token after a prompt of so many tokens, each.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from measure import Figure

STARTS = 5
PROMPTS = (64, 1000)


def figures(threads: int) -> Iterator[Figure]:
    """``threads`` is not used; see above."""
    from measure import Figure

    def figure(what: str, runs: Sequence[float], at_most: float | None = None) -> Figure:
        return Figure("startup", what, median(runs), "s", at_most=at_most, detail={"runs": runs})

    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"TLORA_PROJECTS": folder, "TLORA_SETTINGS": f"{folder}/window.ini"}
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        project = str(Path(folder) / "project")
        _make(project)
        window = [sys.executable, "-m", "tlora_gui", "--exit-when-visible"]
        yield figure("start of the process to visible window", _starts(window), 0.8)
        ready = [sys.executable, __file__, project]
        yield figure("start of the process to model ready in a project", _starts(ready), 3.0)
        asked = [str(tokens) for _ in range(STARTS) for tokens in PROMPTS]
        lines = _run([*ready, *asked])
        for place, tokens in enumerate(PROMPTS):
            seconds = [float(line) for line in lines[1 + place :: len(PROMPTS)]]
            most = {1000: 1.5}.get(tokens)
            yield figure(f"prompt of {tokens:,} tokens to first token in the window", seconds, most)


def _make(project: str) -> None:
    """A project without epochs around the starter backbone, which is fetched and converted if it is not there."""
    script = "import sys; from tlora_gui.engine.protocol import jobs; from tlora_gui.engine.session import Session\n"
    script += "list(Session().run(jobs.CreateProject(sys.argv[1], 'starter')))"
    _run([sys.executable, "-c", script, project])


def _starts(command: list[str]) -> list[float]:
    """Seconds from start to the clock that the process prints, of every start but the first."""
    seconds = []
    for _ in range(STARTS + 1):
        started = time.monotonic()
        seconds.append(float(_run(command)[0]) - started)
    return seconds[1:]


def _run(command: list[str]) -> list[str]:
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()


def _open(project: str, prompts: list[int]) -> None:
    """What the processes do; imports as the application does."""
    from PySide6.QtWidgets import QApplication

    from tlora_gui.app import create_window
    from tlora_gui.engine.protocol import jobs
    from tlora_gui.engine.protocol.config import SamplingSettings
    from tlora_gui.engine.protocol.texts import TokenEvent

    app = QApplication([])
    window = create_window(project)
    control = window.controller.generating
    asked = [0.0]

    def ask_next() -> None:
        if not prompts:
            os._exit(0)
        prompt = " the" * prompts.pop(0)
        asked[0] = time.monotonic()
        control.generate(jobs.Generate(prompt, sampling=SamplingSettings(max_new_tokens=1)))

    def hear(batch: list[tuple[int, object]]) -> None:
        if window.controller.projects.project is not None and not asked[0]:
            print(f"{time.monotonic():.6f}", flush=True)
            ask_next()
        if any(isinstance(event, TokenEvent) and not event.is_prompt for _, event in batch):
            print(f"{time.monotonic() - asked[0]:.6f}", flush=True)
        if asked[0] and control.job_id is None:
            ask_next()

    window.client.events.connect(hear)
    window.show()
    app.exec()


if __name__ == "__main__":
    _open(sys.argv[1], [int(tokens) for tokens in sys.argv[2:]])
