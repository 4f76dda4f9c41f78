"""Log and diagnostic report in the window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kit import child, click
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QPlainTextEdit, QWidget
from whole_window import whole_window

from tlora_gui.paths import log_file
from tlora_gui.ui.widgets.log_dialog import LogDialog
from tlora_gui.ui.window import MainWindow


@pytest.fixture
def window(qapp: QApplication) -> Iterator[MainWindow]:
    with whole_window() as shown:
        yield shown


def dialog_of(window: MainWindow) -> LogDialog:
    return child(window, "logDialog", LogDialog)


def text(dialog: QWidget) -> str:
    return child(dialog, "logText", QPlainTextEdit).toPlainText()


def test_the_log_is_shown_and_read_again(window: MainWindow) -> None:
    window.menus.log.trigger()
    dialog = dialog_of(window)
    assert text(dialog) == ""
    log_file().parent.mkdir(parents=True, exist_ok=True)
    log_file().write_text("a fault\n", encoding="utf-8")
    click(dialog, "refreshLogButton")
    assert text(dialog) == "a fault\n"
    click(dialog, "copyLogButton")
    assert QGuiApplication.clipboard().text() == "a fault\n"


def test_older_logs_are_reached(window: MainWindow) -> None:
    window.menus.log.trigger()
    assert not child(dialog_of(window), "logChoice", QComboBox).isVisible()
    dialog_of(window).close()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    log_file().parent.mkdir(parents=True, exist_ok=True)
    log_file().write_text("new\n", encoding="utf-8")
    for number, told in ((1, "older\n"), (2, "oldest\n" * 60_000)):
        log_file().with_name(f"{log_file().name}.{number}").write_text(told, encoding="utf-8")
    window.menus.log.trigger()
    dialog = dialog_of(window)
    choice = child(dialog, "logChoice", QComboBox)
    assert choice.isVisible() and choice.count() == 3 and text(dialog) == "new\n"
    for index, told in ((1, "older\n"), (2, "oldest\n" * 60_000), (0, "new\n")):
        choice.setCurrentIndex(index)
        choice.activated.emit(index)
        assert text(dialog) == told


def test_the_report_is_saved_as_it_is_seen(window: MainWindow, tmp_path: Path) -> None:
    window.menus.diagnostics.trigger()
    dialog = dialog_of(window)
    assert "transformers" in text(dialog)
    dialog.save(str(tmp_path / "report.txt"))
    assert (tmp_path / "report.txt").read_text(encoding="utf-8") == text(dialog)
    dialog.save(str(tmp_path / "no" / "where.txt"))
    problem = next(each for each in dialog.findChildren(QLabel) if "cannot be written" in each.text())
    assert problem.isVisible()
