"""The demo: the whole loop on real data, played in the real window through its own widgets.

A script is a generator of conditions; a timer asks the current one until it holds, then lets the script go on. The
person can stop it at any time, by its banner or by closing the window. Unattended (``--screenshots``), it writes a
picture of every stage, the coloured text as HTML, and ``demo.json`` with what was measured.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QSpinBox, QWidget

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.config import STARTER, SamplingSettings
from tlora_gui.engine.protocol.events import (
    CorpusSummarised,
    DemoCorpora,
    Evaluated,
    Event,
    FileWritten,
    GenerationFinished,
    GenerationsListed,
    HeldOut,
    JobCancelled,
    JobFailed,
    TrainStep,
    WeightsHashed,
)
from tlora_gui.engine.protocol.texts import TokenEvent
from tlora_gui.paths import free_name, projects_dir
from tlora_gui.ui.demo_tour import Tour
from tlora_gui.ui.stall_meter import StallMeter

if TYPE_CHECKING:
    from tlora_gui.ui.main_window import MainWindow

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
_PICTURE_SIZE = (1440, 900)
_POLL_MS = 50
_STARTS = 5

Condition = Callable[[], bool]
_Widget = TypeVar("_Widget", bound=QWidget)


class Demo(QObject):
    """Plays the script in ``window``, in a project of its own; it ends when that is left.

    What the script asks for is its own, and only that counts: texts and troubles of the person's do not concern it.

    Signals:
        over: it has ended, in whatever way.

    Args:
        window: a window with no project open, or any project (the demo makes its own).
        pictures: folder for an unattended run; None plays for a person.
        tokens: training tokens per epoch.
    """

    over = Signal()

    def __init__(self, window: MainWindow, pictures: Path | None = None, tokens: int = TOKENS_PER_PASS) -> None:
        super().__init__(window)
        self.window = window
        self.pictures = pictures
        self.tokens = tokens
        self.report: dict[str, Any] = {"domains": {}, "tokens_per_second": {}, "max_stall_ms": {}}
        self.steps: list[TrainStep] = []
        self.held_out: list[HeldOut] = []
        self._latest: dict[type, Event] = {}
        self._counts: Counter[type] = Counter()
        self._own: set[int] = set()
        self._folder: Path | None = None
        self._inside = False
        self._script: Iterator[Condition] = iter(())
        self._condition: Condition | None = None
        self._stalls = StallMeter(self)
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self._poll)
        self._shots = 0
        self._started = 0.0

    def start(self) -> None:
        """Begin once the window is on screen."""
        if self.pictures:
            self.pictures.mkdir(parents=True, exist_ok=True)
            self.window.resize(*_PICTURE_SIZE)
        self.window.client.events.connect(self._hear)
        self.window.menus.demo.setText(self.tr("Stop the &demo"))
        self._started = time.monotonic()
        self._script = self._play()
        self._timer.start()

    @property
    def playing(self) -> bool:
        """Whether it goes on."""
        return self._timer.isActive()

    @Slot()
    def stop(self) -> None:
        """Stop here; what was made stays."""
        if self.playing:
            self._timer.stop()
            self._stalls.end()
            self.window.client.events.disconnect(self._hear)
            self.window.menus.demo.setText(self.tr("Play the &demo"))
            self.over.emit()

    @Slot(object)
    def _hear(self, batch: list[tuple[int, Event]]) -> None:
        for job_id, event in batch:
            if isinstance(event, GenerationsListed):  # the window asks for it by itself
                self._counts[GenerationsListed] += 1
            elif job_id not in self._own:
                continue
            elif isinstance(event, TrainStep):
                self.steps.append(event)
            elif isinstance(event, HeldOut):
                self.held_out.append(event)
            elif isinstance(event, (JobFailed, JobCancelled)):
                self._give_up(event)
                return
            elif not isinstance(event, TokenEvent):
                self._latest[type(event)] = event
                self._counts[type(event)] += 1
            if isinstance(event, CorpusSummarised):  # the dialog may drop it from here on
                self._own.discard(job_id)

    def _give_up(self, end: JobFailed | JobCancelled) -> None:
        reason = f"{end.message} {end.hint}\n{end.details}" if isinstance(end, JobFailed) else "a job was cancelled"
        self._end_early(reason)

    def _end_early(self, reason: str) -> None:
        self.stop()
        if self.pictures:
            print(f"tlora-gui: the demo failed: {reason}", file=sys.stderr)
            self._leave(1)

    @Slot()
    def _poll(self) -> None:
        controller = self.window.controller
        place = None if controller.project is None else Path(controller.project.path)
        if self._folder is not None:
            self._inside = self._inside or place == self._folder
            if (controller.opening or place != self._folder) if self._inside else not controller.opening:
                for job_id in self._own:  # the other project waits for their end
                    self.window.client.cancel(job_id)
                self._end_early("its project was left")
                return
        if self._condition is not None and not self._condition():
            return
        before = set(self.window.client.live())
        self._condition = next(self._script, None)
        self._own.update(set(self.window.client.live()) - before)
        if self._condition is None:
            self.stop()
            if self.pictures:
                self._leave(0)

    def _leave(self, status: int) -> None:
        self.window.close_now()
        QApplication.exit(status)

    # -- the script ---------------------------------------------------------------------------------------------

    def _play(self) -> Iterator[Condition]:
        window, controller = self.window, self.window.controller
        if self.pictures:
            self.report["window_visible_s"] = round(_time_to_window(), 3)
        yield lambda: window.isVisible()
        self.shoot("welcome")
        projects = Path(os.path.abspath(projects_dir()))
        # An earlier demo's project is left alone.
        self._folder = projects / free_name("Demo", lambda name: os.path.exists(projects / name))
        controller.create_project(str(self._folder), STARTER)
        yield lambda: not controller.opening
        self._say(self.tr("The demo trains two epochs, Shakespeare and Python, then asks who speaks."))
        self.shoot("empty-project")
        window.client.submit(jobs.FetchDemoCorpora())
        yield lambda: self.last(DemoCorpora) is not None
        hashes: list[WeightsHashed] = []
        for name, era, corpus in self._need(DemoCorpora).corpora:
            yield from self._train(name, era, corpus)
            window.client.submit(jobs.HashWeights())
            yield self.more(WeightsHashed, len(hashes))
            hashes.append(self._need(WeightsHashed))
        before, after = hashes
        kept = dict(before.adapters).items() <= dict(after.adapters).items()
        self.report["hashes_unchanged"] = before.backbone == after.backbone and kept
        yield from self._generate_all()
        yield from Tour(self, _after).play()
        self._say(self.tr("Measuring both epochs on held-out text."))
        window.client.submit(jobs.Evaluate(held_out_tokens=min(MEASURED_TOKENS, self.tokens)))
        yield lambda: self.last(Evaluated) is not None
        self._note_scores()
        window.charts.matrix_button.setChecked(True)
        yield _after(0.3)
        self.shoot("memory-matrix")
        if self.pictures:
            yield from self._show_dark()
            self.report["seconds"] = round(time.monotonic() - self._started, 1)
            (self.pictures / "demo.json").write_text(json.dumps(self.report, indent=2) + "\n", encoding="utf-8")

    def _train(self, name: str, era: str, corpus: str) -> Iterator[Condition]:
        controller = self.window.controller
        controller.training.new_epoch([corpus])
        dialog = controller.training.dialog
        assert dialog is not None
        dialog.rejected.connect(self.stop)
        start = _child(dialog, QPushButton, "startTrainingButton")
        yield start.isEnabled
        _child(dialog, QLineEdit, "epochNameEdit").setText(name)
        _child(dialog, QLineEdit, "epochEraEdit").setText(era)
        _child(dialog, QSpinBox, "tokensSpin").setValue(self.tokens)
        slug = name.lower()
        self.shoot(f"new-epoch-{slug}", dialog)
        yield _after(1.0)
        start.click()
        yield lambda: len(self._steps(slug)) > 2 or not controller.training.jobs
        self._stalls.begin()
        yield lambda: len(self._steps(slug)) >= self._steps(slug)[0].total_steps // 2
        self.shoot(f"training-{slug}")
        yield lambda: not controller.training.jobs
        self._note_stall("training")
        steps = self._steps(slug)
        self.report.setdefault("adapter_loss", {})[slug] = [round(step.adapter_loss, 4) for step in steps]
        self.report.setdefault("mixer_distill_loss", {})[slug] = [round(step.mixer_distill_loss, 6) for step in steps]
        speed = statistics.median(step.tokens_per_second for step in steps)
        self.report["tokens_per_second"]["training"] = round(speed, 1)
        self.shoot(f"trained-{slug}")

    def _generate_all(self) -> Iterator[Condition]:
        window, controller = self.window, self.window.controller
        speeds = []
        for number, (title, prompt) in enumerate(PROMPTS):
            window.generation.set_prompt(prompt)
            controller.generating.generate(
                jobs.Generate(prompt, sampling=SamplingSettings(max_new_tokens=90, seed=number + 1))
            )
            self._stalls.begin()
            yield self.more(GenerationFinished, number)
            self._note_stall("generation")
            record = self._need(GenerationFinished).record
            speeds.append(record.tokens_per_second)
            first = next((token.index for token in record.tokens if not token.is_prompt), 0)
            window.generation.choose_token(0)  # the beginning comes into view
            window.generation.choose_token(first)
            yield _after(0.3 if self.pictures else 4.0)
            self.shoot(f"generated-{title}")
            if self.pictures:
                path = self.pictures / f"generated-{title}.html"
                window.client.submit(jobs.ExportGeneration(record, str(path)))
                yield self.more(FileWritten, number)
                window.banner.clear()
        self.report["tokens_per_second"]["generation"] = round(statistics.median(speeds), 1)

    def _show_dark(self) -> Iterator[Condition]:
        mode = self.window.themes.mode
        self.window.themes.set_mode("light" if self.window.themes.current.name == "dark" else "dark")
        yield _after(0.3)
        self.shoot("other-theme")
        self.window.themes.set_mode(mode)

    # -- what is heard and noted --------------------------------------------------------------------------------

    def last(self, kind: type) -> Any:
        """The latest event of a kind; None if there was none."""
        return self._latest.get(kind)

    def _need(self, kind: type) -> Any:
        event = self.last(kind)
        assert event is not None
        return event

    def count(self, kind: type) -> int:
        """How many events of a kind there have been."""
        return self._counts[kind]

    def more(self, kind: type, than: int) -> Condition:
        """Until there have been more events of a kind."""
        return lambda: self.count(kind) > than

    def _steps(self, slug: str) -> list[TrainStep]:
        return [step for step in self.steps if step.slug == slug]

    def _note_stall(self, which: str) -> None:
        worst = max(self._stalls.end(), default=0.0)
        stalls = self.report["max_stall_ms"]
        stalls[which] = round(max(stalls.get(which, 0.0), worst), 1)

    def _note_scores(self) -> None:
        unprotected = {}
        for score in self._need(Evaluated).scores:
            self.report["domains"][score.slug] = {
                "loss_backbone": round(score.loss_backbone, 4),
                "loss_epoch": round(score.loss_epoch, 4),
                "loss_mix": round(score.loss_mix, 4),
                "routing_accuracy": round(score.routing_accuracy, 4),
            }
            unprotected[score.slug] = score.baseline_routing_accuracy
        self.report["unprotected"] = {"routing_accuracy": unprotected}
        evaluated = self._need(Evaluated)
        self.report["switch_lag"] = evaluated.switch_lag
        self.report["calibration_error"] = round(evaluated.calibration_error, 4)
        self.report["held_out"] = {
            slug: [[each.step, round(each.loss, 4)] for each in self.held_out if each.slug == slug]
            for slug in self.report["domains"]
        }

    def _say(self, text: str) -> None:
        self.window.banner.show_notice(text, self.tr("Stop the demo"), self.stop)

    def shoot(self, title: str, widget: Any = None) -> None:
        """Take a picture, in an unattended run."""
        if self.pictures:
            self._shots += 1
            picture = (widget or self.window).grab()
            picture.save(str(self.pictures / f"{self._shots:02d}-{title}.png"))
            self._stalls.skip()


def _child(parent: QWidget, kind: type[_Widget], name: str) -> _Widget:
    found = parent.findChild(kind, name)
    assert found is not None, f"there is no {name}"
    return found


def _after(seconds: float) -> Condition:
    until = time.monotonic() + seconds
    return lambda: time.monotonic() >= until


def _time_to_window() -> float:
    """Median seconds from a cold process's start to its first painted window."""
    command = [sys.executable, "-m", "tlora_gui", "--exit-when-visible"]
    seconds = []
    for _ in range(_STARTS):
        started = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds.append(float(done.stdout.split()[-1]) - started)
    return statistics.median(seconds)
