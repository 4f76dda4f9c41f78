"""Messages that don't get in the way: what went wrong, and what was just done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleEvent, QGuiApplication, QHideEvent, QMoveEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QFrame, QPushButton, QSizePolicy, QToolButton, QWidget

from tlora_gui.ui.translation import worded
from tlora_gui.ui.widgets.icons import icon
from tlora_gui.ui.widgets.layouts import column, label, row, set_role
from tlora_gui.ui.widgets.plain_text import PlainText

NOTICE_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class _Error:
    message: str
    hint: str
    details: str
    action_text: str = ""
    action: Callable[[], object] | None = None

    def as_text(self) -> str:
        return "\n".join(part for part in (self.message, self.hint, self.details) if part)


class Banner(QFrame):
    """Shows an error until it is closed, or a notice for some seconds. An error waits behind a notice.

    Details lie over what is below the banner, so that nothing has to give way to them.
    """

    def __init__(self, parent: QWidget | None = None, notice_seconds: float = NOTICE_SECONDS) -> None:
        super().__init__(parent)
        self.setObjectName("errorBanner")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._error: _Error | None = None
        self._wanted: Callable[[], object] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(round(notice_seconds * 1000))
        self._timer.timeout.connect(self._notice_over)
        self._build()
        self.hide()

    def _build(self) -> None:
        self._message = label("", wrap=True)
        self._message.setObjectName("bannerMessage")
        self._hint = label("", "muted", wrap=True)
        self._hint.setObjectName("bannerHint")
        for text in (self._message, self._hint):
            text.setTextFormat(Qt.TextFormat.PlainText)
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._action = QPushButton()
        self._action.setObjectName("bannerActionButton")
        self._action.clicked.connect(self._action_clicked)
        self._details_button = QPushButton(self.tr("Details"))
        self._details_button.setCheckable(True)
        self._details_button.setToolTip(self.tr("Show where in the program it happened"))
        self._details_button.toggled.connect(self._show_details)
        self._copy = QPushButton(self.tr("Copy"))
        self._copy.setToolTip(self.tr("Copy message and details to the clipboard"))
        self._copy.clicked.connect(self._copy_text)
        self._close = QToolButton()
        self._close.setIcon(icon("close"))
        self._close.setProperty("role", "icon")
        self._close.setAccessibleName(self.tr("Close this message"))
        self._close.setToolTip(self.tr("Close this message"))
        self._close.clicked.connect(self._closed)
        self._details = PlainText(9, parent=self)
        self._details.hide()
        self._details.setObjectName("bannerDetails")
        self._details.setReadOnly(True)
        self._details.setAccessibleName(self.tr("Details of the error"))
        buttons = row(self._action, self._details_button, self._copy, self._close)
        top = row(column(self._message, self._hint, spacing=2), buttons)
        top.setStretch(0, 1)
        top.setAlignment(buttons, Qt.AlignmentFlag.AlignTop)
        self.setLayout(column(top, margins=(12, 8, 8, 8)))

    def show_error(
        self,
        message: str,
        hint: str = "",
        details: str = "",
        action_text: str = "",
        action: Callable[[], object] | None = None,
    ) -> None:
        """Show what happened and what to do; ``details`` is a traceback, shown on demand.

        ``action_text`` offers a button that calls ``action``, the way out, and takes the message away.
        """
        self._timer.stop()
        self._error = _Error(worded(message), worded(hint), details, action_text, action)
        self._show_kept_error()

    def show_notice(self, message: str, action_text: str = "", action: Callable[[], object] | None = None) -> None:
        """Show for some seconds what was done; ``action_text`` offers a button, such as Undo, that calls ``action``."""
        self._fill("notice", worded(message), "")
        self._offer(action_text, action)
        self._appear()
        self._timer.start()

    def _offer(self, text: str, action: Callable[[], object] | None) -> None:
        self._action.setText(text.replace("&", "&&"))
        self._action.setToolTip(text)
        self._action.setVisible(bool(text))
        self._wanted = action

    def withdraw(self, action: Callable[[], object]) -> None:
        """Take the notice away that offers this, if it is there: it has been done."""
        if self._timer.isActive() and self._wanted is action:
            self._timer.stop()
            self._show_kept_error()

    def clear(self) -> None:
        """Take away whatever is shown."""
        self._timer.stop()
        self._error = None
        self.hide()

    @property
    def error(self) -> object:
        """Stands for the error that is told, until another is; None without one."""
        return self._error

    def forget_error(self) -> None:
        """What failed has been done since, or is no matter any more."""
        self._error = None
        if not self._timer.isActive():
            self.hide()

    def _show_kept_error(self) -> None:
        if self._error is None:
            self.hide()
            return
        self._fill("error", self._error.message, self._error.hint)
        self._details.setPlainText(self._error.details)
        self._details_button.setVisible(bool(self._error.details))
        self._copy.show()
        self._offer(self._error.action_text, self._error.action)
        self._appear()

    def _fill(self, role: str, message: str, hint: str) -> None:
        set_role(self, "role", role)
        self._message.setText(message)
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        self._details_button.setChecked(False)
        for extra in (self._details_button, self._copy, self._action):
            extra.hide()

    def _appear(self) -> None:
        self.setAccessibleName(self._message.text())
        self.show()
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def _notice_over(self) -> None:
        focused = QApplication.focusWidget()
        if self.underMouse() or (focused is not None and self.isAncestorOf(focused)):
            self._timer.start()  # somebody is about to use it
        else:
            self._show_kept_error()

    def _action_clicked(self) -> None:
        wanted = self._wanted
        if not self._timer.isActive():  # it was the error's
            self._error = None
        self._timer.stop()
        self._show_kept_error()
        if wanted is not None:
            wanted()

    def _closed(self) -> None:
        if self._timer.isActive():
            self._timer.stop()
            self._show_kept_error()
        else:
            self.clear()

    def _show_details(self, shown: bool) -> None:
        if shown:
            self._details.setParent(self.window())
            self._place_details()
            self._details.raise_()
        self._details.setVisible(shown)
        self._details_button.setText(self.tr("Hide details") if shown else self.tr("Details"))

    def _place_details(self) -> None:
        """Right below, as far as the window reaches; the rest is scrolled to."""
        if self._details.parent() is self.window():
            below = self.mapTo(self.window(), QPoint(0, self.height()))
            height = min(self._details.sizeHint().height(), self.window().height() - below.y())
            self._details.setGeometry(below.x(), below.y(), self.width(), height)

    def moveEvent(self, event: QMoveEvent) -> None:
        super().moveEvent(event)
        self._place_details()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_details()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if not event.spontaneous():
            self._details_button.setChecked(False)

    def _copy_text(self) -> None:
        if self._error is not None:
            QGuiApplication.clipboard().setText(self._error.as_text())
