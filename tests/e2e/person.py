"""What a person does with the window and sees in it, through the widgets that a person has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QDialog,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QWidget,
)

from tlora_gui.engine.events import EpochInfo, TokenEvent
from tlora_gui.ui.charts.line_chart import LineChart
from tlora_gui.ui.epochs.card_list import CardList
from tlora_gui.ui.epochs.new_epoch_dialog import NewEpochDialog
from tlora_gui.ui.generation.token_view import TokenView
from tlora_gui.ui.main_window import MainWindow

Found = TypeVar("Found", bound=QWidget)
_COPY = Qt.DropAction.CopyAction
_BUTTON, _NO_KEYS = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def file_drag(paths: Sequence[Path], with_text: bool = False) -> QMimeData:
    """What a file manager offers; some add the paths as plain text."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    if with_text:
        data.setText("\n".join(map(str, paths)))
    return data


def drop(target: QWidget, data: QMimeData) -> bool:
    """Drag ``data`` over the middle of a widget and let go; says whether anything took it."""
    at = QPoint(target.width() // 2, target.height() // 2)
    enter = QDragEnterEvent(at, _COPY, data, _BUTTON, _NO_KEYS)
    QApplication.sendEvent(target, enter)
    if not enter.isAccepted():
        return False
    move = QDragMoveEvent(at, _COPY, data, _BUTTON, _NO_KEYS)
    move.accept()  # as Qt does once the drag was taken on entering
    QApplication.sendEvent(target, move)
    if not move.isAccepted():
        QApplication.sendEvent(target, QDragLeaveEvent())
        return False
    let_go = QDropEvent(QPointF(at), _COPY, data, _BUTTON, _NO_KEYS)
    QApplication.sendEvent(target, let_go)
    return let_go.isAccepted()


class Person:
    """Sits before one window. ``wait(condition)`` turns the event loop."""

    def __init__(self, window: MainWindow, wait: Callable[..., None]) -> None:
        self.window = window
        self.wait = wait

    # -- finding ------------------------------------------------------------------------------------------------

    def see(self, kind: type[Found], name: str, within: QWidget | None = None) -> Found:
        """The widget of this object name."""
        found = (within or self.window).findChild(kind, name)
        assert found is not None, f"there is no {name}"
        return found

    def press(self, name: str, within: QWidget | None = None) -> None:
        """Click a button that is shown and enabled."""
        button = self.see(QAbstractButton, name, within)
        assert button.isVisible() and button.isEnabled(), f"{name} cannot be pressed"
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    # -- messages -----------------------------------------------------------------------------------------------

    @property
    def banner(self) -> str:
        """Message and hint of the banner; empty while it is hidden."""
        if not self.window.banner.isVisible():
            return ""
        parts = (self.see(QLabel, name, self.window.banner) for name in ("bannerMessage", "bannerHint"))
        return "\n".join(part.text() for part in parts if part.isVisible())

    @property
    def banner_is_error(self) -> bool:
        return self.window.banner.isVisible() and self.window.banner.property("role") == "error"

    def answer(self, button: str) -> None:
        """Answer the question that is asked."""
        self.wait(lambda: self.window.findChild(QMessageBox, "questionBox") is not None)
        self.press(button, self.see(QMessageBox, "questionBox"))

    # -- epochs -------------------------------------------------------------------------------------------------

    @property
    def dialog(self) -> NewEpochDialog | None:
        """"New epoch", while it is open."""
        dialogs = (dialog for dialog in self.window.findChildren(NewEpochDialog) if dialog.isVisible())
        return next(dialogs, None)

    def drop(self, *paths: Path) -> NewEpochDialog:
        """Drop files on the window; gives the dialog that opens, its text looked through."""
        assert drop(self.window, file_drag(paths))
        assert self.dialog is not None
        self.wait(lambda: self.dialog is None or not self.headline.startswith("Looking"))
        return self.dialog

    @property
    def headline(self) -> str:
        """First line about the text in "New epoch"."""
        return self.see(QLabel, "corpusHeadline", self.dialog).text()

    @property
    def start_button(self) -> QPushButton:
        return self.see(QPushButton, "startTrainingButton", self.dialog)

    def train(self, *paths: Path, name: str = "", tokens: int = 2048, block: int = 32) -> None:
        """Drop files and start a small training."""
        dialog = self.drop(*paths)
        if name:
            edit = self.see(QLineEdit, "epochNameEdit", dialog)
            edit.selectAll()
            QTest.keyClicks(edit, name)
        self.press("advancedButton", dialog)
        self.see(QSpinBox, "blockSizeSpin", dialog).setValue(block)
        self.see(QSpinBox, "tokensSpin", dialog).setValue(tokens)
        self.start_button.click()
        assert self.dialog is None

    @property
    def epochs(self) -> dict[str, EpochInfo]:
        """Epochs of the project by name."""
        return {epoch.name: epoch for epoch in self.window.controller.epochs}

    def states(self) -> dict[str, str]:
        """State of every epoch by name."""
        return {name: epoch.state for name, epoch in self.epochs.items()}

    def cards(self) -> list[str]:
        """What the cards of the epochs panel say, from top to bottom."""
        cards = self.see(CardList, "epochList")
        return [_card.accessibleName() for key in cards.keys() if (_card := cards.card(key)) is not None]  # noqa: SIM118

    def card(self, start: str) -> QWidget:
        """The card of which the text begins like this."""
        cards = self.see(CardList, "epochList")
        shown = [card for key in cards.keys() if (card := cards.card(key)) is not None]  # noqa: SIM118
        return next(card for card in shown if card.accessibleName().startswith(start))

    def until_trained(self, *names: str) -> None:
        """Wait until these are frozen and nothing is left to train."""
        self.wait(lambda: self.banner_is_error or all(self.states().get(name) == "frozen" for name in names))
        assert not self.banner_is_error, self.banner
        self.wait(lambda: not self.window.controller.trainings)

    @property
    def bar(self) -> QProgressBar:
        return self.see(QProgressBar, "progressBar")

    def until_step(self, step: int) -> None:
        """Wait until the training now running has come this far."""
        self.wait(lambda: self.banner_is_error or (self.bar.maximum() > 1 and self.bar.value() >= step))
        assert not self.banner_is_error, self.banner

    def curve(self, chart: str, slug: str) -> tuple[np.ndarray, np.ndarray]:
        """What a chart draws of an epoch."""
        return self.see(LineChart, chart).curve_data(slug)

    # -- generating ---------------------------------------------------------------------------------------------

    @property
    def text(self) -> TokenView:
        return self.see(TokenView, "tokenView")

    @property
    def prompt(self) -> QPlainTextEdit:
        return self.see(QPlainTextEdit, "promptEdit")

    def type_prompt(self, prompt: str) -> None:
        self.prompt.setFocus()
        self.prompt.selectAll()
        QTest.keyClicks(self.prompt, prompt)

    def generate(self, prompt: str, mode: str = "mixer", new_tokens: int = 24) -> Sequence[TokenEvent]:
        """Type a prompt, press Ctrl+Enter, and wait for the end; gives the tokens shown."""
        self.begin_generating(prompt, mode, new_tokens)
        self.wait(lambda: self.banner_is_error or self.window.controller.generation is None)
        assert not self.banner_is_error, self.banner
        return self.text.tokens

    def begin_generating(self, prompt: str, mode: str = "mixer", new_tokens: int = 24) -> None:
        combo = self.see(QComboBox, "modeCombo")
        combo.setCurrentIndex(combo.findData(mode))
        self.limit(new_tokens)
        self.type_prompt(prompt)
        QTest.keyClick(self.prompt, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)

    def limit(self, new_tokens: int) -> None:
        """Set "Max new tokens" in the sampling panel."""
        panel = self.see(QWidget, "samplingPanel")
        box = next(box for box in panel.findChildren(QSpinBox) if box.accessibleName() == "Max new tokens")
        box.setValue(new_tokens)

    def background(self, index: int) -> QColor:
        """Colour behind a token of the text."""
        start, end = self.text.span(index)
        cursor = QTextCursor(self.text.document())
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        form = cursor.charFormat()
        return form.background().color() if form.background().style() != Qt.BrushStyle.NoBrush else QColor()

    # -- leaving ------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the window as by its title bar, and wait until it is gone."""
        self.window.close()
        self.until_closed()

    def until_closed(self) -> None:
        self.wait(lambda: not self.window.isVisible())

    def look(self, title: str) -> None:
        """Keep a picture of the window (for whoever writes these tests)."""
        import os

        if folder := os.environ.get("TLORA_TEST_PICTURES"):
            self.window.grab().save(f"{folder}/{title}.png")


__all__ = ["Person", "QDialog", "drop", "file_drag"]
