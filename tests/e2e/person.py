"""What a person does with the window and sees in it, through the widgets that a person has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from kit import Found, drop, file_drag, plain
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QColor, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPlainTextEdit,
    QProgressBar,
    QSpinBox,
    QWidget,
)

from tlora_gui.engine.protocol.events import EpochInfo
from tlora_gui.engine.protocol.texts import TokenEvent
from tlora_gui.ui.charts.line_chart import LineChart
from tlora_gui.ui.charts.series import Curve
from tlora_gui.ui.epochs.card_list import CardList
from tlora_gui.ui.epochs.epoch_menu import EpochMenu
from tlora_gui.ui.epochs.new_epoch_dialog import NewEpochDialog
from tlora_gui.ui.generation.compare.compare_column import CompareColumn
from tlora_gui.ui.generation.token_view.token_view import TokenView
from tlora_gui.ui.window import MainWindow

TIMEOUT_S = 120.0


class Person:
    """Sits before one window; ``wait_until(condition)`` turns the event loop."""

    def __init__(self, window: MainWindow, wait_until: Callable[..., None]) -> None:
        self.window = window
        self.engine_thread = window.client.engine_thread
        self._wait_until = wait_until

    def wait(self, condition: Callable[[], object]) -> None:
        """Until ``condition`` holds; so long a time only goes by in a test that fails."""
        self._wait_until(condition, TIMEOUT_S)

    # -- finding ------------------------------------------------------------------------------------------------

    def see(self, kind: type[Found], name: str, within: QWidget | None = None) -> Found:
        """The widget of this object name."""
        found = (within or self.window).findChild(kind, name)
        assert found is not None, f"there is no {name}"
        return found

    def press(self, name: str, within: QWidget | None = None) -> None:
        """Click a button, once it is shown and enabled."""
        button = self.see(QAbstractButton, name, within)
        self.wait(lambda: button.isVisible() and button.isEnabled() and not button.visibleRegion().isEmpty())
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    def retype(self, name: str, text: str, within: QWidget | None = None) -> None:
        """Replace the text of a line."""
        edit = self.see(QLineEdit, name, within)
        edit.selectAll()
        QTest.keyClicks(edit, text)

    def choose_from_menus(self, text: str) -> None:
        """Choose an entry of the window's menus."""
        next(action for action in self.window.findChildren(QAction) if action.text() == text).trigger()

    def choose_file(self, path: Path) -> None:
        """Answer the file dialog that is open."""
        dialog = next(dialog for dialog in self.window.findChildren(QFileDialog) if dialog.isVisible())
        self.see(QLineEdit, "fileNameEdit", dialog).setText(str(path))
        dialog.accept()

    # -- messages -----------------------------------------------------------------------------------------------

    @property
    def banner(self) -> str:
        """Message and hint of the banner, a line each; empty while it is hidden."""
        if not self.window.banner.isVisible():
            return ""
        parts = (self.see(QLabel, name, self.window.banner) for name in ("bannerMessage", "bannerHint"))
        return plain("\n".join(part.text() for part in parts if part.isVisible()))

    @property
    def sees_error(self) -> bool:
        return self.window.banner.isVisible() and self.window.banner.property("role") == "error"

    def wait_without_error(self, condition: Callable[[], object]) -> None:
        """As :meth:`wait`, but an error in the banner fails the test at once."""
        self.wait(lambda: self.sees_error or condition())
        assert not self.sees_error, self.banner

    @property
    def question(self) -> QMessageBox:
        """The question that is asked."""
        return next(box for box in self.window.findChildren(QMessageBox, "questionBox") if box.isVisible())

    def answer(self, button: str) -> None:
        self.press(button, self.question)

    # -- epochs -------------------------------------------------------------------------------------------------

    @property
    def dialog(self) -> NewEpochDialog | None:
        """ "New epoch", while it is open."""
        return next((dialog for dialog in self.window.findChildren(NewEpochDialog) if dialog.isVisible()), None)

    def drop(self, *paths: Path) -> NewEpochDialog:
        """Drop files on the window; gives the dialog that opens, once its text has been looked through."""
        assert drop(self.window, file_drag(paths))
        dialog = self.dialog
        assert dialog is not None
        self.wait(lambda: not self.headline.startswith("Looking"))
        return dialog

    @property
    def headline(self) -> str:
        """First line about the text in "New epoch"."""
        return plain(self.see(QLabel, "corpusHeadline", self.dialog).text())

    @property
    def start_button(self) -> QAbstractButton:
        return self.see(QAbstractButton, "startTrainingButton", self.dialog)

    def train(self, *paths: Path, name: str = "", tokens: int = 2048, block: int = 32) -> None:
        """Drop files and start a small training."""
        dialog = self.drop(*paths)
        if name:
            self.retype("epochNameEdit", name, dialog)
        self.see(QSpinBox, "blockSizeSpin", dialog).setValue(block)
        self.see(QSpinBox, "tokensSpin", dialog).setValue(tokens)
        self.press("startTrainingButton", dialog)
        assert self.dialog is None

    @property
    def epochs(self) -> dict[str, EpochInfo]:
        """Epochs of the project by name, in order."""
        return {epoch.name: epoch for epoch in self.window.controller.training.epochs}

    @property
    def states(self) -> dict[str, str]:
        """State of every epoch by name."""
        return {name: epoch.state for name, epoch in self.epochs.items()}

    @property
    def cards(self) -> dict[str, QWidget]:
        """The cards of the epochs panel from top to bottom, by what they say."""
        cards = self.see(CardList, "epochList")
        shown = [card for key in list(cards.keys()) if (card := cards.card(key)) is not None]
        return {plain(card.accessibleName()): card for card in shown}

    def card(self, start: str) -> QWidget:
        """The card of which the text begins like this."""
        return next(card for text, card in self.cards.items() if text.startswith(start))

    def choose(self, epoch: str, action: str) -> None:
        """Choose from the menu of an epoch's card."""
        self.press("epochMenuButton", self.card(epoch))
        menu = self.see(EpochMenu, "epochMenu")
        entry = next(entry for entry in menu.actions() if entry.text() == action)
        menu.close()
        assert entry.isEnabled(), f"{action} cannot be chosen"
        entry.trigger()

    def until_trained(self, *names: str) -> None:
        """Wait until these are frozen and nothing is left to train."""
        self.wait_without_error(lambda: all(self.states.get(name) == "frozen" for name in names))
        self.wait(lambda: not self.window.controller.training.jobs)

    @property
    def bar(self) -> QProgressBar:
        return self.see(QProgressBar, "progressBar")

    def until_step(self, step: int) -> None:
        """Wait until the training now running has come this far."""
        shown = self.see(QLabel, "trainingStep")  # hidden while the bar is a preparation's
        self.wait_without_error(lambda: not shown.isHidden() and self.bar.maximum() > 1 and self.bar.value() >= step)

    def curve(self, chart: str, slug: str) -> Curve:
        """What a chart draws of an epoch."""
        return self.see(LineChart, chart).curve_data(slug)

    # -- generating ---------------------------------------------------------------------------------------------

    @property
    def text(self) -> TokenView:
        return self.see(TokenView, "tokenView")

    @property
    def columns(self) -> list[CompareColumn]:
        """Those of the comparison that is there; of one before, some may wait for their end."""
        found = self.window.generation.compare_page.findChildren(CompareColumn)
        return [column for column in found if not column.isHidden()]

    @property
    def prompt(self) -> QPlainTextEdit:
        return self.see(QPlainTextEdit, "promptEdit")

    def type_prompt(self, prompt: str) -> None:
        if self.window.menus.edit_prompt.isEnabled():
            self.window.menus.edit_prompt.trigger()
        self.prompt.setFocus()
        self.prompt.selectAll()
        QTest.keyClick(self.prompt, Qt.Key.Key_Delete)
        for number, line in enumerate(prompt.split("\n")):
            if number:
                QTest.keyClick(self.prompt, Qt.Key.Key_Return)
            QTest.keyClicks(self.prompt, line)

    def begin_generating(self, prompt: str, mode: str = "mixer", new_tokens: int = 24) -> None:
        """Type a prompt, press Ctrl+Enter, and wait for the beginning."""
        combo = self.see(QComboBox, "modeCombo")
        combo.setCurrentIndex(combo.findData(mode))
        boxes = self.see(QWidget, "samplingPanel").findChildren(QSpinBox)
        next(box for box in boxes if box.accessibleName() == "Max new tokens").setValue(new_tokens)
        self.type_prompt(prompt)
        text = self.window.generation.text_page.text
        shown = text.slots
        QTest.keyClick(self.prompt, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        self.wait_without_error(lambda: text.slots is not shown)

    def until_generated(self) -> None:
        self.wait_without_error(lambda: self.window.controller.generating.job_id is None)

    def generate(self, prompt: str, mode: str = "mixer", new_tokens: int = 24) -> Sequence[TokenEvent]:
        """Type a prompt, press Ctrl+Enter, and wait for the end; gives the tokens shown."""
        self.begin_generating(prompt, mode, new_tokens)
        self.until_generated()
        return tuple(self.text.tokens)

    def background(self, index: int) -> QColor:
        """Colour behind a token of the text, invalid if there is none."""
        brush = self._cursor_over(index).charFormat().background()
        return brush.color() if brush.style() != Qt.BrushStyle.NoBrush else QColor()

    def position_of(self, index: int) -> QPoint:
        """Where a token of the text is drawn, within the viewport."""
        whole = self._cursor_over(index)
        start = QTextCursor(whole)
        start.setPosition(whole.selectionStart())
        left, right = self.text.cursorRect(start), self.text.cursorRect(whole)
        return QPoint((left.x() + right.x()) // 2, left.center().y())

    def _cursor_over(self, index: int) -> QTextCursor:
        start, end = self.text.span(index)
        cursor = QTextCursor(self.text.document())
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        return cursor

    # -- leaving ------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the window as by its title bar, and wait until it is gone."""
        self.window.close()
        self.until_closed()

    def until_closed(self) -> None:
        self.wait(lambda: not self.window.isVisible())


OpenWindow = Callable[..., Person]
"""The fixture ``open_window``."""
Corpora = dict[str, Path]
