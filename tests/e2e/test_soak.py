"""The same window for a long time: what is done again and again leaves nothing behind."""

from __future__ import annotations

import gc
import threading
from pathlib import Path

import psutil
from person import OpenWindow, Person
from PySide6.QtCore import QObject

ROUNDS = 12
GROWTH_MB = 40


def left(person: Person) -> tuple[int, int, int]:
    """Objects of the window, threads, and memory in MB."""
    gc.collect()
    objects = len(person.window.findChildren(QObject))
    return objects, threading.active_count(), psutil.Process().memory_info().rss // 2**20


def test_generating_branching_comparing_and_reopening_leave_nothing_behind(
    open_window: OpenWindow, trained_project: Path
) -> None:
    person = open_window(trained_project)

    def again() -> None:
        person.generate("O gentle night", new_tokens=12)
        person.window.menus.again.trigger()
        person.until_generated()
        person.window.generation.show_page("compare")
        person.window.generation.begin()
        person.wait(lambda: not person.window.client.busy)
        person.window.generation.show_page("generate")
        person.window.controller.projects.open(str(trained_project))
        person.wait(lambda: not person.window.client.busy)

    for _ in range(2):
        again()
    objects, threads, memory = left(person)
    for _ in range(ROUNDS):
        again()
    now = left(person)
    assert now[0] <= objects + 5 and now[1] == threads
    assert now[2] - memory < GROWTH_MB, f"{now[2] - memory} MB more after {ROUNDS} rounds"
