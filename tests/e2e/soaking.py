"""A person who does one thing after the other with a window, in random order, and what that leaves behind."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from random import Random
from typing import NamedTuple

import psutil
from kit import drop, file_drag
from person import Person
from PySide6.QtCore import QCoreApplication, QEvent, QObject
from PySide6.QtWidgets import QApplication

from tlora_gui.ui.epochs.import_adapter_dialog import ImportAdapterDialog

MOST_EPOCHS = 5


class Left(NamedTuple):
    """What a process has at a moment."""

    objects: int
    widgets: int
    threads: int
    files: int
    temporary: int
    megabytes: int


def left(person: Person) -> Left:
    """What there is once all that is to be thrown away is."""
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    process, pooled = psutil.Process(), _pooled()
    return Left(
        len(person.window.findChildren(QObject)),
        len(QApplication.topLevelWidgets()),
        process.num_threads() - pooled,
        process.num_fds() - pooled if os.name == "posix" else process.num_handles(),
        len(os.listdir(tempfile.gettempdir())),
        process.memory_info().rss // 2**20,
    )


def _pooled() -> int:
    """Threads of Qt's own pool, where the system tells their names: one for each core comes when something large is
    painted, with a file of its own, and goes after half a minute of rest."""
    found = 0
    for name in Path("/proc/self/task").glob("*/comm"):
        with suppress(OSError):  # it has just ended
            found += name.read_text() == "Thread (pooled)\n"
    return found


class Soak:
    """Does everything again and again.

    Args:
        person: before the window.
        folder: of its own; two projects are copied to it, as they are at the beginning.
        project: with epochs.
        corpus: to train on.
        adapter: to import.

    Attributes:
        works: all that is done, by what it is called; a new one is one more line.
    """

    def __init__(self, person: Person, folder: Path, project: Path, corpus: Path, adapter: Path) -> None:
        self.person, self._folder, self._project, self._corpus, self._adapter = person, folder, project, corpus, adapter
        self._numbers: Iterator[int] = count(1)
        self._places = (folder / "one", folder / "two")
        self.works: dict[str, Callable[[], None]] = {
            "train": self._train,
            "generate": self._generate,
            "pause": self._pause,
            "switch": self._switch,
            "import": self._import,
            "delete": self._delete,
            "undo": self._undo,
            "export": self._export,
        }

    def begin_anew(self) -> None:
        """Both projects as they were, the first of them open: what is left then can be compared."""
        for place in self._places:
            self._open(self._project)  # nobody has those open that are taken away
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(self._project, place, ignore=shutil.ignore_patterns(".lock"))
        shutil.rmtree(self._folder / "out", ignore_errors=True)
        (self._folder / "out").mkdir()
        self._open(self._places[0])

    def act(self, draw: Random) -> str:
        """Do one thing, to its end; tells which."""
        name = "delete" if len(self.person.epochs) >= MOST_EPOCHS else draw.choice([*self.works])
        self.works[name]()
        self.person.wait(lambda: not self.person.window.client.busy)
        return name

    def _open(self, place: Path) -> None:
        control = self.person.window.controller.projects
        control.open(str(place))
        self.person.wait_without_error(lambda: control.project is not None and control.project.path == str(place))
        self.person.wait(lambda: not self.person.window.client.busy)

    def _train(self, tokens: int = 512) -> str:
        name = f"Epoch {next(self._numbers)}"
        self.person.train(self._corpus, name=name, tokens=tokens)
        if tokens == 512:
            self.person.until_trained(name)
        return name

    def _generate(self) -> None:
        self.person.generate("O gentle night", new_tokens=12)
        self.person.window.menus.again.trigger()
        self.person.until_generated()

    def _pause(self) -> None:
        self._train(tokens=16_384)
        self.person.until_step(2)
        self.person.press("pauseButton")
        self.person.generate("O", new_tokens=4)
        self.person.press("pauseButton")
        self.person.until_step(self.person.bar.value() + 1)
        self.person.press("stopButton")
        self.person.answer("discardButton")
        self.person.wait_without_error(lambda: not self.person.window.controller.training.jobs)

    def _switch(self) -> None:
        project = self.person.window.controller.projects.project
        self._open(self._places[project is not None and project.path == str(self._places[0])])

    def _import(self) -> None:
        assert drop(self.person.window, file_drag([self._adapter]))
        dialog = next(box for box in self.person.window.findChildren(ImportAdapterDialog) if box.isVisible())
        before = len(self.person.epochs)
        self.person.press("importAdapterButton", dialog)
        self.person.wait_without_error(lambda: len(self.person.epochs) > before)
        self.person.wait_without_error(lambda: set(self.person.states.values()) == {"frozen"})

    def _delete(self) -> None:
        if len(before := list(self.person.epochs)) > 1:
            self.person.choose(before[-1], "Delete")
            self.person.wait_without_error(lambda: before[-1] not in self.person.epochs)

    def _undo(self) -> None:
        """A deletion, which is undone."""
        before = list(self.person.epochs)
        self.person.choose(before[-1], "Delete")
        self.person.wait_without_error(lambda: before[-1] not in self.person.epochs)
        self.person.press("bannerActionButton")
        self.person.wait_without_error(lambda: list(self.person.epochs) == before)

    def _export(self) -> None:
        target = self._folder / "out" / str(next(self._numbers))
        target.mkdir()
        self.person.choose(next(iter(self.person.epochs)), "Export as PEFT adapter…")
        self.person.choose_file(target)
        self.person.wait_without_error(lambda: list(target.glob("*/adapter_config.json")))
