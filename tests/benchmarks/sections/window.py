"""Does the window stutter? Stalls of its event loop at work, and frames of charts and coloured text at their largest.

The real window around the starter backbone, drawn off screen unless ``QT_QPA_PLATFORM`` says otherwise. The engine
takes the threads that it takes in the window, whatever ``threads`` says: that choice is a part of what is measured.
"""

from __future__ import annotations

import math
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from measure import Figure
from PySide6.QtCore import QEvent, QEventLoop, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit

from tlora_gui.app import create_window
from tlora_gui.demo.stall_meter import INTERVAL_MS, StallMeter
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.config import STARTER, SamplingSettings, TrainSettings
from tlora_gui.engine.protocol.events import (
    DemoCorpora,
    EpochInfo,
    Event,
    GenerationStarted,
    JobCancelled,
    JobFailed,
    TrainStep,
)
from tlora_gui.engine.protocol.texts import Alternative, Generation, SlotInfo, TokenEvent
from tlora_gui.ui.generation.token_view.token_view import TokenView
from tlora_gui.ui.window import MainWindow

TRAIN_TOKENS = 4096
POINTS = 1_000_000
TOKENS = 100_000
COMPARED = 8000
BATCH = 8
"""Tokens that come in one batch of events, 25 batches a second: more than a laptop generates."""
FRAMES = 100
SLOTS = (SlotInfo("", "Eternity", "#888888"), SlotInfo("a", "A", "#0072B2"), SlotInfo("b", "B", "#D55E00"))


def figures(threads: int) -> Iterator[Figure]:
    """``threads`` is not used; see above."""
    app = QApplication.instance() or QApplication([])
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TLORA_PROJECTS"], os.environ["TLORA_SETTINGS"] = folder, f"{folder}/window.ini"
        window = create_window(None, "light")
        window.show()
        window.resize(1440, 900)
        try:
            yield from Work(window).figures(Path(folder) / "project")
            for newlines, what in ((0.05, "text"), (0.0, "text of one paragraph")):
                yield from _text(window, newlines, what)
            yield from _comparison(window)
            yield from _charts(window)
        finally:
            window.close_now()
    assert app is not None


class Work:
    """Puts the engine to work through the window and measures how the event loop fares meanwhile."""

    def __init__(self, window: MainWindow) -> None:
        self.window, self.heard = window, list[Event]()
        self.stalls = StallMeter(window)
        window.client.events.connect(self._hear)

    def _hear(self, batch: list[tuple[int, Event]]) -> None:
        self.heard += [event for _, event in batch]
        for event in self.heard:
            if isinstance(event, (JobFailed, JobCancelled)):
                raise SystemExit(f"the window's engine failed: {event}")

    def figures(self, project: Path) -> Iterator[Figure]:
        """Load, train, generate, both, and nothing."""
        controller = self.window.controller
        _until(lambda: self.window.isVisible())
        self.stalls.begin()
        controller.projects.create(str(project), STARTER)
        _until(lambda: controller.projects.project is not None)
        yield from self._stalled("loading the model")
        self.window.client.submit(jobs.FetchDemoCorpora())
        _until(lambda: any(isinstance(event, DemoCorpora) for event in self.heard))
        corpora = next(event.corpora for event in self.heard if isinstance(event, DemoCorpora))
        (first, _, text), (second, _, code) = corpora[:2]
        self.stalls.begin()
        self._train(first, text)
        _until(lambda: not controller.training.jobs)
        yield from self._stalled("training", p99=20, longest=50)
        self.stalls.begin()
        for seed in range(5):
            self._generate(60, seed)
        yield from self._stalled("generation", p99=20, longest=50)
        self._train(second, code)
        _until(lambda: any(isinstance(event, TrainStep) and event.slug == second.lower() for event in self.heard))
        self.stalls.begin()
        while controller.training.jobs:
            self._generate(20, seed=0)
        yield from self._stalled("training and generation", p99=20, longest=40)
        self.stalls.begin()
        _wait(10.0)
        yield from self._stalled("nothing (what else the machine does)")

    def _train(self, name: str, corpus: str) -> None:
        settings = TrainSettings(max_tokens=TRAIN_TOKENS)
        self.window.controller.training.train(jobs.TrainEpoch(name, (corpus,), settings=settings))

    def _generate(self, tokens: int, seed: int) -> None:
        control, sampling = self.window.controller.generating, SamplingSettings(max_new_tokens=tokens, seed=seed)
        control.generate(jobs.Generate("To code or not to code", sampling=sampling))
        _until(lambda: control.job_id is None)

    def _stalled(self, during: str, p99: float | None = None, longest: float | None = None) -> Iterator[Figure]:
        ticks = sorted(INTERVAL_MS + late for late in self.stalls.end())
        what = f"{INTERVAL_MS} ms timer during {during}"
        for name, share in (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)):
            target = {"p99": p99, "max": longest}.get(name)
            value = _quantile(ticks, share)
            yield Figure("window", f"{what}, {name}", value, "ms", at_most=target, detail={"ticks": len(ticks)})


# -- charts -------------------------------------------------------------------------------------------------------


def _charts(window: MainWindow) -> Iterator[Figure]:
    if window.charts.folded:  # as they are while somebody writes; nothing would be drawn
        window.charts.fold_toggled.emit()
    for epochs in (1, 4):
        steps = POINTS // epochs
        infos = [EpochInfo(f"e{number}", f"Epoch {number}", "", "#0072B2", "frozen") for number in range(epochs)]
        window.charts.set_epochs(tuple(infos))
        window.charts.load_history((info.slug, _training(info.slug, steps)) for info in infos)  # type: ignore[arg-type]
        window.charts.redraw()
        assert window.charts.loss_chart.isVisible()
        what = f"charts of {POINTS:,} points, {epochs} epoch{'s' * (epochs > 1)}"
        for name, part in (("half of them panned", 0.5), ("1 % panned", 0.01)):
            ends = [((1 - part) * POINTS * frame / FRAMES, part * POINTS) for frame in range(FRAMES)]
            yield _fps(f"{what}, {name}", [_shows(window, start, start + width) for start, width in ends])
        widths = [POINTS / 2 * 10 ** (-4 * frame / FRAMES) for frame in range(FRAMES)]
        yield _fps(f"{what}, zoomed", [_shows(window, POINTS / 2 - half, POINTS / 2 + half) for half in widths])
        window.charts.loss_chart.all_wanted.emit()
        took = []
        for step in range(steps + 1, steps + 21):
            window.charts.add_events([_step(infos[-1].slug, step, steps)])
            took.append(_timed(window.charts.redraw) + _timed(QApplication.processEvents))
        yield Figure("window", f"{what}, one more step drawn", median(took), "ms", detail={"max": max(took)})


def _shows(window: MainWindow, first: float, last: float) -> Callable[[], object]:
    """What a person's panning and zooming comes down to; all charts follow."""
    return lambda: window.charts.loss_chart.moved.emit(first, last)


def _training(slug: str, steps: int) -> Iterator[TrainStep]:
    return (_step(slug, step, steps) for step in range(1, steps + 1))


def _step(slug: str, step: int, steps: int) -> TrainStep:
    loss, distill = 3 + math.exp(-5 * step / steps) + random.gauss(0, 0.2), abs(random.gauss(0, 0.02))
    return TrainStep(slug, step, steps, loss, distill, 0.1, 1e-3, 512 * step, 200.0, 1.0)


# -- text ---------------------------------------------------------------------------------------------------------


def _text(window: MainWindow, newlines: float, what: str) -> Iterator[Figure]:
    pane = window.generation
    view = pane.text_page.text
    what = f"{what} of {TOKENS:,} tokens"
    tokens = _tokens(newlines)
    pane.start(GenerationStarted("", "mixer", SamplingSettings(), SLOTS))
    before, appended, drawn = _memory(), [], []
    for place in range(0, TOKENS, BATCH):
        batch = tokens[place : place + BATCH]
        appended.append(_timed(lambda batch=batch: pane.add_tokens(batch)))
        drawn.append(appended[-1] + _timed(QApplication.processEvents))
    size = (_memory() - before) / TOKENS
    tenth = len(appended) // 10
    growth = {str((tenth * t + tenth) * BATCH): _p50_p99(appended[tenth * t : tenth * (t + 1)]) for t in range(10)}
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        value = _quantile(sorted(appended[-tenth:]), share)
        text = f"{what}, a batch of {BATCH} appended at the end, {name}"
        yield Figure("window", text, value, "ms", at_most=2, detail={"p50 and p99 by tokens there": growth})
    yield Figure("window", f"{what}, while streaming", 1000 * len(drawn) / sum(drawn), "fps", at_least=30)
    if newlines:  # the second text moves into what the first one left
        yield Figure("window", f"{what}, memory of the view", size, "bytes/token")
    bar = view.verticalScrollBar()
    rows = [bar.maximum() * frame // FRAMES for frame in range(FRAMES)]
    yield _fps(f"{what}, scrolled", [lambda row=row: bar.setValue(row) for row in rows])
    places = [QPointF(60 + 7 * number % 500, 40 + 3 * number % 60) for number in range(FRAMES)]
    hovers = [took for place in places if (took := _hover(view, place))]
    yield Figure("window", f"{what}, hover to inspector", median(hovers), "ms", detail={"max": max(hovers)})
    bar = pane.text_page.find_bar
    bar.open()
    edit, count = bar.findChild(QLineEdit, "findEdit"), bar.findChild(QLabel, "findCount")
    turns = [took for wanted in ("e", "et", "eta") for took in _turns(partial(edit.setText, wanted))]
    assert " of " in count.text(), "all is found"
    yield _longest_turn(f"{what}, longest turn of a letter typed into the find bar", turns, 50)
    bar.leave()
    yield _longest_turn(f"{what}, longest turn of other colours", _turns(lambda: view.set_colour_mode("surprise")))
    yield _longest_turn(f"{what}, longest turn of other theme", _turns(_other_theme(window)), 50)
    view.set_colour_mode("dominant")


def _hover(view: TokenView, place: QPointF) -> float | None:
    """Milliseconds until the token there is marked and inspected; None if that is the one chosen already, or none."""
    chosen = view.current
    none = Qt.MouseButton.NoButton
    anywhere = view.viewport().mapToGlobal(place)
    move = QMouseEvent(QEvent.Type.MouseMove, place, anywhere, none, none, Qt.KeyboardModifier.NoModifier)
    took = _timed(lambda: QApplication.sendEvent(view.viewport(), move)) + _timed(QApplication.processEvents)
    return took if view.current != chosen else None


def _comparison(window: MainWindow) -> Iterator[Figure]:
    """The longest comparison, a sweep of five texts of the same words in other orders, marked as the last one ends."""
    pane = window.generation
    page = pane.compare_page
    pane.show_page("compare")
    page.show_rows("12345")
    sampling, slots = SamplingSettings(), SLOTS
    rng = random.Random(0)
    for number in range(5):
        tokens = [replace(token, token_id=rng.randrange(500)) for token in _tokens(0.05)[:COMPARED]]
        page.start(number, GenerationStarted("", "mixer", sampling, slots))
        page.add_tokens(number, tokens)
        QApplication.processEvents()
    record = Generation("", "mixer", sampling, slots, tuple(tokens), "length", 20.0)
    turns = _turns(lambda: page.finish(4, record))
    yield _longest_turn(f"comparison of {COMPARED:,} tokens, longest turn of marking what differs", turns, 50)
    pane.show_page("generate")


def _turns(change: Callable[[], object]) -> list[float]:
    """Milliseconds of the turns of the event loop from a change on, until nothing of it is left to do."""
    turns = [_timed(change) + _timed(QApplication.processEvents)]
    return turns + [_timed(QApplication.processEvents) for _ in range(8 * FRAMES)]


def _longest_turn(what: str, turns: list[float], at_most: float | None = None) -> Figure:
    return Figure("window", what, max(turns), "ms", at_most=at_most, detail={"all": sum(turns)})


def _other_theme(window: MainWindow) -> Callable[[], object]:
    return lambda: window.themes.set_mode("light" if window.themes.current.name == "dark" else "dark")


def _tokens(newlines: float) -> list[TokenEvent]:
    rng = random.Random(0)
    found = []
    for index in range(TOKENS):
        shares = [rng.random() ** 3 for _ in SLOTS]
        weights = tuple(share / sum(shares) for share in shares)
        text = "\n" if rng.random() < newlines else " " + "".join(rng.choices("etaoins", k=rng.randint(1, 6)))
        others = tuple(Alternative(f" {place}", 0.1) for place in range(5))
        found.append(TokenEvent(index, 0, text, weights, False, rng.random(), rng.randint(1, 9), others))
    return found


# -- measuring ----------------------------------------------------------------------------------------------------


def _until(condition: Callable[[], object]) -> None:
    loop = QEventLoop()
    while not condition():
        QTimer.singleShot(50, loop.quit)
        loop.exec()


def _wait(seconds: float) -> None:
    end = time.monotonic() + seconds
    _until(lambda: time.monotonic() >= end)


def _timed(action: Callable[[], object]) -> float:
    """Milliseconds."""
    started = time.perf_counter()
    action()
    return 1000 * (time.perf_counter() - started)


def _fps(what: str, actions: list[Callable[[], object]]) -> Figure:
    """Frames a second when each action is drawn before the next."""
    took = [_timed(action) + _timed(QApplication.processEvents) for action in actions]
    return Figure("window", what, 1000 * len(took) / sum(took), "fps", at_least=30, detail={"slowest ms": max(took)})


def _quantile(rising: list[float], share: float) -> float:
    return rising[min(len(rising) - 1, int(share * len(rising)))]


def _p50_p99(values: list[float]) -> tuple[float, float]:
    rising = sorted(values)
    return round(_quantile(rising, 0.5), 3), round(_quantile(rising, 0.99), 3)


def _memory() -> int:
    """Resident bytes of this process; 0 where the system does not say so in this way."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if statm.exists() else 0
