"""The application as it is, brought to a moment; then it says "now", and its window is closed if that is to end it.

    python driven.py MOMENT END CORPUS PROJECT

MOMENT is "opening", "idle", "training" or "generating"; END "close" or anything else.
"""

from __future__ import annotations

import random
import sys
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QAbstractButton

from tlora_gui import app
from tlora_gui.__main__ import main
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.config import SamplingSettings, TrainSettings
from tlora_gui.engine.protocol.events import TrainStep
from tlora_gui.engine.protocol.texts import TokenEvent
from tlora_gui.ui.window import MainWindow

LONG = TrainSettings(num_passes=1000, max_tokens=2048, block_size=32, held_out_tokens=128)


def direct(window: MainWindow, moment: str, end: str, corpus: str) -> None:
    """Bring the window to a moment, once."""
    control, begun, told = window.controller, list[bool](), list[bool]()

    def now() -> None:
        if not told:
            told.append(True)
            print("now", flush=True)
            if end == "close":
                window.close()
                if (button := window.findChild(QAbstractButton, "suspendButton")) is not None:
                    button.click()

    def hear(batch: list[tuple[int, Any]]) -> None:
        if control.projects.project is not None and not begun:
            begun.append(True)
            if moment == "training":
                control.training.train(jobs.TrainEpoch("Long", (corpus,), settings=LONG))
            elif moment == "generating":
                control.generating.generate(jobs.Generate("def", sampling=SamplingSettings(max_new_tokens=200)))
            elif moment == "idle":
                QTimer.singleShot(500, now)
        wanted = {"training": TrainStep, "generating": TokenEvent}.get(moment, ())
        if any(isinstance(event, wanted) for _, event in batch):
            now()

    window.client.events.connect(hear)
    if moment == "opening":
        window.first_painted.connect(lambda: QTimer.singleShot(random.randrange(1500), now))


if __name__ == "__main__":
    *directions, project = sys.argv[1:]
    make = app.create_window

    def create_window(*args: Any) -> MainWindow:
        window = make(*args)
        direct(window, *directions)
        return window

    app.create_window = create_window
    sys.exit(main([project]))
