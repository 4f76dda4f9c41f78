"""A window in which everything is done in random order for a long time."""

from __future__ import annotations

import logging
import os
import random
import shutil
import sys
import tempfile
import time
from argparse import Namespace
from collections import Counter
from pathlib import Path

from conftest import FONTS, turn_until
from kill import make_corpus, make_project, run
from person import Person
from PySide6.QtCore import QtMsgType, qInstallMessageHandler
from PySide6.QtGui import QFont, QFontDatabase
from PySide6.QtWidgets import QApplication
from soaking import Left, Soak, left

from tlora_gui.app import create_window
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.session import Session
from tlora_gui.engine.training import dreams
from tlora_gui.temporal import active_sleep
from trials.common import Outcome

LAP = 20
"""Works between two measurements, each of which is in the same project as it was at the beginning."""
WARM_UP, GROWTH = 1 / 3, 0.05


def outcome(options: Namespace, folder: Path) -> Outcome:
    wrong = list[str]()
    os.environ |= {
        "TLORA_CACHE": str(folder / "cache"), "TLORA_SETTINGS": str(folder / "window.ini"), "TLORA_THREADS": "1",
        "TLORA_PROJECTS": str(folder / "projects"), "TLORA_TOKENS": str(folder / "tokens"),
    }  # fmt: skip
    dreams.DREAM_BLOCKS, dreams.DREAM_LENGTH, dreams.EVAL_BLOCKS = 12, 32, 2
    active_sleep.CALIBRATION_STEPS = 10
    corpus = make_corpus(folder)
    make_project(folder, "whole")
    session = Session()
    for job in (jobs.OpenProject(str(folder / "whole")), jobs.ExportEpoch("first", str(folder / "adapter"))):
        run(session, job)
    session.close()
    (folder / "tmp").mkdir()
    tempfile.tempdir = str(folder / "tmp")

    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    for font in FONTS.glob("*.ttf"):
        QFontDatabase.addApplicationFont(str(font))
    app.setFont(QFont("DejaVu Sans", 10))
    listener = _Listener(wrong)
    logging.getLogger().addHandler(listener)
    sys.excepthook = lambda kind, error, trace: wrong.append(f"raised: {kind.__name__}: {error}")
    qInstallMessageHandler(
        lambda kind, _, told: (
            wrong.append(f"Qt: {told}")
            if kind not in (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg) and "This plugin does not support" not in told
            else None
        )
    )
    window = create_window(None, "light")
    window.faults.seen.connect(lambda what, _: wrong.append(f"a fault: {what}"))
    window.resize(1280, 800)
    window.show()
    window.activateWindow()
    soak = Soak(Person(window, turn_until), folder, folder / "whole", corpus, folder / "adapter" / "first")
    draw, done, laps = random.Random(options.seed), Counter[str](), list[tuple[float, Left]]()
    began = time.monotonic()
    try:
        while (passed := time.monotonic() - began) < options.minutes * 60 or len(laps) < 4:
            soak.begin_anew()
            laps.append((passed, left(soak.person)))
            print(f"  {passed / 60:.1f} min, {done.total()} works, {laps[-1][1]}", flush=True)
            for _ in range(LAP):
                done[soak.act(draw)] += 1
                if soak.person.sees_error:
                    wrong.append(f"told: {soak.person.banner}")
                    window.banner.clear()
    except (AssertionError, StopIteration) as error:  # what a person waits for never comes
        wrong.append(f"after {done.total()} works: {type(error).__name__}: {error}; {soak.person.banner}")
    window.close()
    turn_until(lambda: not window.isVisible(), 60)
    wrong += _leaks(laps, options.minutes * 60 * WARM_UP)
    first, last = laps[0][1], laps[-1][1]
    seen = f"{options.minutes:g} minutes, {done.total()} works, {len(wrong)} wrong; {last.megabytes} MB at the end"
    print(f"  {dict(done)}; at first {first}, at last {last}", flush=True)
    shutil.rmtree(folder / "tmp")
    return Outcome("everything in random order", "30 minutes without an error, a leak, or 5 % more memory", seen, wrong)


def _leaks(laps: list[tuple[float, Left]], warm: float) -> list[str]:
    """What there is more of at the end than after warming up."""
    rest = [each for passed, each in laps if passed >= warm] or [laps[-1][1]]
    first, last = rest[0], rest[-1]
    names = [name for name in Left._fields if name != "megabytes"]
    more = [f"{getattr(last, name) - getattr(first, name)} {name} more" for name in names
            if getattr(last, name) > getattr(first, name)]  # fmt: skip
    if (most := max(each.megabytes for each in rest)) > first.megabytes * (1 + GROWTH):
        more.append(f"memory grew from {first.megabytes} MB to {most} MB")
    return more


class _Listener(logging.Handler):
    """What is logged as a warning or worse is wrong."""

    def __init__(self, wrong: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._wrong = wrong

    def emit(self, record: logging.LogRecord) -> None:
        if record.name != "qt":  # the message handler has heard it
            self._wrong.append(f"logged: {record.getMessage()[:200]}")
