"""Application and window: ``create_window`` for tests and scripts, ``run`` for the command line."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QMessageLogContext, Qt, QtMsgType, Signal, qInstallMessageHandler
from PySide6.QtGui import QFileOpenEvent, QIcon
from PySide6.QtWidgets import QApplication

from tlora_gui.logs import crash_of_last_run, forget_crash, watch_for_crashes
from tlora_gui.paths import resource
from tlora_gui.ui.end_signals import EndSignals
from tlora_gui.ui.settings import WindowSettings
from tlora_gui.ui.theme import ThemeManager, ThemeMode
from tlora_gui.ui.translation import install
from tlora_gui.ui.window import MainWindow

NO_DISPLAY = """tlora-gui: there is no screen to show a window on ({reason}).
On a server without one, run it under Xvfb (Debian: apt install xvfb libxcb-cursor0 libxkbcommon-x11-0 libegl1):
    xvfb-run -a tlora-gui --demo --screenshots pictures
or draw off screen:
    QT_QPA_PLATFORM=offscreen tlora-gui --demo --screenshots pictures
Without any window:
    tlora train --help"""

_TITLE_BAR = 40
"""Pixels, about; how many it takes is known once the window is on screen."""


class Application(QApplication):
    """Hears which files the system wants opened: macOS names none on the command line.

    Signals:
        files_opened: their paths.
    """

    files_opened = Signal(list)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QFileOpenEvent) and event.file():
            self.files_opened.emit([event.file()])
            return True
        return super().event(event)


def create_window(project: str | None = None, theme: ThemeMode | None = None, crash: str = "") -> MainWindow:
    """The wired window, hidden. A ``QApplication`` must exist. The engine starts loading when it is first shown.

    Args:
        project: folder to open; None shows the welcome.
        theme: colours; None takes the remembered choice.
        crash: what ended the last process, to be told.
    """
    app = QApplication.instance()
    assert isinstance(app, QApplication), "create a QApplication first"
    settings = WindowSettings()
    themes = ThemeManager(app, theme or settings.theme)
    window = MainWindow(themes, settings, project, crash)
    themes.setParent(window)  # it goes with it
    window.demo_requested.connect(partial(_play_or_stop_demo, window))
    if isinstance(app, Application):
        app.files_opened.connect(window.files_dropped)
    return window


def _play_or_stop_demo(window: MainWindow) -> None:
    """What "Play the demo" does; the same action stops it."""
    from tlora_gui.demo.player import Demo

    demo = window.findChild(Demo)
    if demo is not None and demo.playing:
        demo.stop()
    elif window.controller.projects.may_leave():
        _play_demo(window)


def _play_demo(window: MainWindow, pictures: Path | None = None, tokens: int | None = None) -> None:
    from tlora_gui.demo.player import Demo
    from tlora_gui.demo.script import TOKENS_PER_PASS, Script

    demo = Demo(window, pictures)
    demo.start(Script(demo, tokens or TOKENS_PER_PASS).play())


def run(options: argparse.Namespace) -> int:
    """Show the window until it is closed.

    Returns:
        0, or 128 + the number of the signal that ended it.
    """
    _explain_missing_display()
    QApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    app = Application(sys.argv[:1])
    signals = EndSignals(app)
    qInstallMessageHandler(_print_fatal)
    app.setApplicationName("tlora-gui")
    app.setApplicationDisplayName("Temporal LoRA")
    app.setDesktopFileName("tlora-gui")
    app.setWindowIcon(QIcon(str(resource("icons/tlora-gui.svg"))))
    settings = WindowSettings()
    if options.theme:
        settings.theme = options.theme
    install(app, settings.language)
    last = "" if options.demo or settings.opening else settings.last_project  # not one that the last process fell over
    project = options.project or last or None
    crash = crash_of_last_run()
    watch_for_crashes()
    window = create_window(project, options.theme, crash)
    signals.came.connect(window.controller.closing.leave)
    if options.exit_when_visible:
        window.first_painted.connect(_print_clock_and_exit)
    room = window.screen().availableSize()
    too_large = window.width() > room.width() or window.height() + _TITLE_BAR > room.height()
    if too_large and not options.demo:
        window.showMaximized()
    else:
        window.show()
    if options.demo:
        _play_demo(window, options.screenshots, options.demo_tokens)
    status = app.exec()
    if signals.number:
        status = 128 + signals.number
    if not window.shutdown():  # what is stored is whole, and the system lets go of the project's lock
        forget_crash()
        logging.shutdown()
        os._exit(status)
    forget_crash()
    return status


def _print_clock_and_exit() -> None:
    """Print the monotonic clock, for whoever started this process to compare with its own."""
    print(f"{time.monotonic():.6f}", flush=True)
    forget_crash()
    os._exit(0)  # nothing was begun yet that would need an orderly end


def _explain_missing_display() -> None:
    """Qt ends the process when it finds no screen, and its own words do not say what to do; ours do."""
    asked = os.environ.get("QT_QPA_PLATFORM")
    if sys.platform.startswith("linux") and not asked:
        if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            print(NO_DISPLAY.format(reason="neither DISPLAY nor WAYLAND_DISPLAY is set"), file=sys.stderr)
            raise SystemExit(1)
    qInstallMessageHandler(_explain_fatal)


def _explain_fatal(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    """Qt warns of the cause (no connection, a missing library) before it gives up; the first warning says most."""
    if kind == QtMsgType.QtFatalMsg:
        reason = _warnings[0] if _warnings else message
        print(NO_DISPLAY.format(reason=reason.strip().splitlines()[0]), file=sys.stderr, flush=True)
        os._exit(1)
    if kind not in (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg):
        _warnings.append(message)


_warnings: list[str] = []


def _print_fatal(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    """Qt's other messages go to the log, see :mod:`tlora_gui.ui.faults`."""
    if kind == QtMsgType.QtFatalMsg:
        print(message, file=sys.stderr, flush=True)
