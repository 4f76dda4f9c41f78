"""Plays a script in the window, as a person would: through its panels, its menus and what its controls offer.

A script is a generator of conditions; a timer asks the current one until it holds, then lets the script go on. The
person can stop it at any time, by its banner or by closing the window.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Slot
from PySide6.QtWidgets import QApplication, QWidget

from tlora_gui.demo.stall_meter import StallMeter
from tlora_gui.engine.protocol.events import (
    CorpusSummarised,
    Event,
    GenerationsListed,
    HeldOut,
    JobCancelled,
    JobFailed,
    TrainStep,
)
from tlora_gui.engine.protocol.texts import TokenEvent
from tlora_gui.ui.window import MainWindow

_PICTURE_SIZE = (1440, 900)
_POLL_MS = 50

Condition = Callable[[], bool]


class Demo(QObject):
    """Plays one script in ``window``, and is thrown away when that ends, in whatever way.

    What the script asks for is its own, and only that counts: texts and troubles of the person's do not concern it.

    Attributes:
        folder: of the project that the script makes; the demo ends when that is left.
        stalls: how long the window stood still.
        steps, held_out: of the script's trainings.

    Args:
        window: a window with no project open, or any project (the script makes its own).
        pictures: folder for an unattended run, which ends the application; None plays for a person.
    """

    def __init__(self, window: MainWindow, pictures: Path | None = None) -> None:
        super().__init__(window)
        self.window = window
        self.pictures = pictures
        self.folder: Path | None = None
        self.stalls = StallMeter(self)
        self.steps: list[TrainStep] = []
        self.held_out: list[HeldOut] = []
        self._latest: dict[type, Event] = {}
        self._counts: Counter[type] = Counter()
        self._own: set[int] = set()
        self._inside = False
        self._script: Iterator[Condition] = iter(())
        self._condition: Condition | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self._poll)
        self._shots = 0

    def start(self, script: Iterator[Condition]) -> None:
        """Begin once the window is on screen."""
        if self.pictures:
            self.pictures.mkdir(parents=True, exist_ok=True)
            self.window.resize(*_PICTURE_SIZE)
        self.window.client.events.connect(self._hear)
        self.window.menus.demo.setText(self.tr("Stop the &demo"))
        self._script = script
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
            self.stalls.end()
            self.window.client.events.disconnect(self._hear)
            self.window.menus.demo.setText(self.tr("Play the &demo"))
            self.deleteLater()

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
        projects = self.window.controller.projects
        path = None if projects.project is None else Path(projects.project.path)
        if self.folder is not None:
            self._inside = self._inside or path == self.folder
            if (projects.opening or path != self.folder) if self._inside else not projects.opening:
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

    # -- for the script -----------------------------------------------------------------------------------------

    def last(self, kind: type) -> Any:
        """The latest event of a kind; None if there was none."""
        return self._latest.get(kind)

    def need(self, kind: type) -> Any:
        event = self.last(kind)
        assert event is not None
        return event

    def count(self, kind: type) -> int:
        """How many events of a kind there have been."""
        return self._counts[kind]

    def more(self, kind: type, than: int) -> Condition:
        """Until there have been more events of a kind."""
        return lambda: self.count(kind) > than

    def shoot(self, title: str, widget: QWidget | None = None) -> None:
        """Take a picture, in an unattended run."""
        if self.pictures:
            self._shots += 1
            picture = (widget or self.window).grab()
            picture.save(str(self.pictures / f"{self._shots:02d}-{title}.png"))
            self.stalls.skip()

    def say(self, text: str) -> None:
        """Tell the person what comes, with a way to stop it."""
        self.window.banner.show_notice(text, self.tr("Stop the demo"), self.stop)


def after(seconds: float) -> Condition:
    """Until some time has gone by."""
    until = time.monotonic() + seconds
    return lambda: time.monotonic() >= until
