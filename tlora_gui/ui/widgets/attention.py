"""News for a person who is looking elsewhere."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Slot
from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QWidget

_SHOWN_MS = 10_000


class Attention(QSystemTrayIcon):
    """Tells news through the system's tray, or by the window's entry in the task bar where there is no tray.

    While the window is in use nothing is told: what is new is seen in it.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window.windowIcon(), window)
        self._window = window
        self._hiding = QTimer(self, singleShot=True, interval=2 * _SHOWN_MS)
        self._hiding.timeout.connect(self.hide)
        self.messageClicked.connect(self._show_window)
        self.activated.connect(self._show_window)

    @Slot(str)
    def tell(self, news: str) -> None:
        """Tell it unless the window is in use."""
        if self._window.isActiveWindow() or not news:
            return
        if self.isSystemTrayAvailable() and self.supportsMessages():
            self.show()
            self.showMessage(QApplication.applicationDisplayName(), news, self.icon(), _SHOWN_MS)
            self._hiding.start()
        else:
            QApplication.alert(self._window)

    @Slot()
    def _show_window(self) -> None:
        self._window.showNormal() if self._window.isMinimized() else self._window.show()
        self._window.raise_()
        self._window.activateWindow()
        self.hide()
