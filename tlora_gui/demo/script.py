"""What the demo plays: two epochs are trained on real data, texts are generated and explored, and all is measured.

Unattended (``--screenshots``), it writes a picture of every stage, the coloured text as HTML, and ``demo.json`` with
what was measured.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtWidgets import QLineEdit, QPushButton, QSpinBox, QWidget

from tlora_gui.demo.player import Condition, Demo, after
from tlora_gui.demo.tour import Tour
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.config import STARTER, SamplingSettings, TrainSettings
from tlora_gui.engine.protocol.events import (
    DemoCorpora,
    Evaluated,
    FileWritten,
    GenerationFinished,
    TrainStep,
    WeightsHashed,
)
from tlora_gui.paths import free_name, projects_dir
from tlora_gui.ui.translation import tr

PROMPTS = (
    ("code-or-not", "To code or not to code"),
    ("romeo", "Romeo, wherefore art thou"),
    ("fibonacci", "def fibonacci(n):"),
    (
        "mixed",
        "**HAMLET**  \nTo code, or not to code: that is the question.  \n\n"
        'def question(self, answer=None):\n    """Return',
    ),
)
TOKENS_PER_PASS = 24_576
MEASURED_TOKENS = 4096
"""Of each epoch's held-out text, or a sixth of what was learned if that is less: a short demo measures little."""
_STARTS = 3

_Widget = TypeVar("_Widget", bound=QWidget)


class Script:
    """Made for one demo; ``tokens`` are the training tokens per epoch."""

    def __init__(self, demo: Demo, tokens: int = TOKENS_PER_PASS) -> None:
        self.report: dict[str, Any] = {"domains": {}, "tokens_per_second": {}, "max_stall_ms": {}}
        self._demo = demo
        self._tokens = tokens
        self._measured = min(MEASURED_TOKENS, max(TrainSettings().block_size, tokens // 6))
        self._started = time.monotonic()

    def play(self) -> Iterator[Condition]:
        """The whole loop."""
        window, demo, projects = self._demo.window, self._demo, self._demo.window.controller.projects
        if demo.pictures:
            self.report["window_visible_s"] = round(_time_to_window(), 3)
        yield lambda: window.isVisible()
        demo.shoot("welcome")
        home = Path(os.path.abspath(projects_dir()))
        # An earlier demo's project is left alone.
        demo.folder = home / free_name("Demo", lambda name: os.path.exists(home / name))
        projects.create(str(demo.folder), STARTER)
        yield lambda: not projects.opening
        demo.say(tr("The demo trains two epochs, Shakespeare and Python, then asks who speaks."))
        demo.shoot("empty-project")
        window.client.submit(jobs.FetchDemoCorpora())
        yield lambda: demo.last(DemoCorpora) is not None
        hashes: list[WeightsHashed] = []
        for name, era, corpus in demo.need(DemoCorpora).corpora:
            yield from self._train(name, era, corpus)
            window.client.submit(jobs.HashWeights())
            yield demo.more(WeightsHashed, len(hashes))
            hashes.append(demo.need(WeightsHashed))
        first, second = hashes
        kept = dict(first.adapters).items() <= dict(second.adapters).items()
        self.report["hashes_unchanged"] = first.backbone == second.backbone and kept
        yield from self._generate_all()
        yield from Tour(demo).play()
        demo.say(tr("Measuring both epochs on held-out text."))
        window.client.submit(jobs.Evaluate(held_out_tokens=self._measured))
        yield lambda: demo.last(Evaluated) is not None
        self._note_scores()
        if window.charts.folded:
            window.menus.fold_charts.trigger()
        window.charts.matrix_button.setChecked(True)
        yield after(0.3)
        demo.shoot("memory-matrix")
        if demo.pictures:
            yield from self._show_dark()
            self.report["seconds"] = round(time.monotonic() - self._started, 1)
            (demo.pictures / "demo.json").write_text(json.dumps(self.report, indent=2) + "\n", encoding="utf-8")

    def _train(self, name: str, era: str, corpus: str) -> Iterator[Condition]:
        demo, training = self._demo, self._demo.window.controller.training
        settings = TrainSettings()
        settings = replace(settings, held_out_tokens=min(settings.held_out_tokens, self._measured))
        training.new_epoch([corpus], settings)
        dialog = training.dialog
        assert dialog is not None
        dialog.rejected.connect(demo.stop)
        start = _child(dialog, QPushButton, "startTrainingButton")
        yield start.isEnabled
        _child(dialog, QLineEdit, "epochNameEdit").setText(name)
        _child(dialog, QLineEdit, "epochEraEdit").setText(era)
        _child(dialog, QSpinBox, "tokensSpin").setValue(self._tokens)
        slug = name.lower()
        demo.shoot(f"new-epoch-{slug}", dialog)
        yield after(1.0)
        start.click()
        yield lambda: len(self._steps(slug)) > 2 or not training.jobs
        demo.stalls.begin()
        yield lambda: len(self._steps(slug)) >= self._steps(slug)[0].total_steps // 2
        demo.shoot(f"training-{slug}")
        yield lambda: not training.jobs
        self._note_stall("training")
        steps = self._steps(slug)
        self.report.setdefault("adapter_loss", {})[slug] = [round(step.adapter_loss, 4) for step in steps]
        self.report.setdefault("mixer_distill_loss", {})[slug] = [round(step.mixer_distill_loss, 6) for step in steps]
        speed = statistics.median(step.tokens_per_second for step in steps)
        self.report["tokens_per_second"]["training"] = round(speed, 1)
        demo.shoot(f"trained-{slug}")

    def _generate_all(self) -> Iterator[Condition]:
        window, demo = self._demo.window, self._demo
        speeds = []
        for number, (title, prompt) in enumerate(PROMPTS):
            window.generation.set_prompt(prompt)
            window.controller.generating.generate(
                jobs.Generate(prompt, sampling=SamplingSettings(max_new_tokens=90, seed=number + 1))
            )
            demo.stalls.begin()
            yield demo.more(GenerationFinished, number)
            self._note_stall("generation")
            record = demo.need(GenerationFinished).record
            speeds.append(record.tokens_per_second)
            first = next((token.index for token in record.tokens if not token.is_prompt), 0)
            window.generation.choose_token(0)  # the beginning comes into view
            window.generation.choose_token(first)
            yield after(0.3 if demo.pictures else 4.0)
            demo.shoot(f"generated-{title}")
            if demo.pictures:
                path = demo.pictures / f"generated-{title}.html"
                window.client.submit(jobs.ExportGeneration(record, str(path)))
                yield demo.more(FileWritten, number)
                window.banner.clear()
        self.report["tokens_per_second"]["generation"] = round(statistics.median(speeds), 1)

    def _show_dark(self) -> Iterator[Condition]:
        themes = self._demo.window.themes
        mode = themes.mode
        themes.set_mode("light" if themes.current.name == "dark" else "dark")
        yield after(0.3)
        self._demo.shoot("other-theme")
        themes.set_mode(mode)

    # -- what is noted ------------------------------------------------------------------------------------------

    def _steps(self, slug: str) -> list[TrainStep]:
        return [step for step in self._demo.steps if step.slug == slug]

    def _note_stall(self, which: str) -> None:
        worst = max(self._demo.stalls.end(), default=0.0)
        stalls = self.report["max_stall_ms"]
        stalls[which] = round(max(stalls.get(which, 0.0), worst), 1)

    def _note_scores(self) -> None:
        unprotected = {}
        for score in self._demo.need(Evaluated).scores:
            self.report["domains"][score.slug] = {
                "loss_backbone": round(score.loss_backbone, 4),
                "loss_epoch": round(score.loss_epoch, 4),
                "loss_mix": round(score.loss_mix, 4),
                "routing_accuracy": round(score.routing_accuracy, 4),
            }
            unprotected[score.slug] = score.baseline_routing_accuracy
        self.report["unprotected"] = {"routing_accuracy": unprotected}
        evaluated = self._demo.need(Evaluated)
        self.report["switch_lag"] = evaluated.switch_lag
        self.report["calibration_error"] = round(evaluated.calibration_error, 4)
        self.report["held_out"] = {
            slug: [[each.step, round(each.loss, 4)] for each in self._demo.held_out if each.slug == slug]
            for slug in self.report["domains"]
        }


def _child(parent: QWidget, kind: type[_Widget], name: str) -> _Widget:
    found = parent.findChild(kind, name)
    assert found is not None, f"there is no {name}"
    return found


def _time_to_window() -> float:
    """Median seconds from a cold process's start to its first painted window."""
    command = [sys.executable, "-m", "tlora_gui", "--exit-when-visible"]
    seconds = []
    for _ in range(_STARTS):
        started = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds.append(float(done.stdout.split()[-1]) - started)
    return statistics.median(seconds)
