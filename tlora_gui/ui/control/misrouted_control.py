"""Where the Time Mixer errs, as the last evaluation has found it: offered while that holds, and shown."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from tlora_gui.ui.charts.misrouted_dialog import MisroutedDialog
from tlora_gui.ui.charts.panel import ChartsPanel
from tlora_gui.ui.menus import Menus
from tlora_gui.ui.theme import ThemeManager


class MisroutedControl(QObject):
    """Opens the dialog of misrouted text.

    Attributes:
        dialog: while it is open.
    """

    def __init__(self, charts: ChartsPanel, menus: Menus, themes: ThemeManager, window: QWidget) -> None:
        super().__init__(window)
        self.dialog: MisroutedDialog | None = None
        self._charts, self._action, self._themes, self._window = charts, menus.misrouted, themes, window
        charts.evaluation_changed.connect(self._offer)
        charts.errors_requested.connect(self.open)
        menus.misrouted.triggered.connect(self.open)
        self._offer()

    @Slot()
    def _offer(self) -> None:
        self._action.setEnabled(bool(self._charts.misrouted))
        self._action.setToolTip(
            self.tr("The stretches of held-out text that go to another epoch than their own")
            if self._action.isEnabled()
            else self.tr("Possible once all is measured on held-out text")
        )

    @Slot()
    def open(self) -> None:
        """Show the stretches."""
        if self.dialog is None and self._charts.misrouted:
            self.dialog = dialog = MisroutedDialog(self._charts.misrouted, self._themes.current, self._window)
            dialog.finished.connect(self._closed)
            self._themes.changed.connect(dialog.apply_theme)
            dialog.open()

    @Slot()
    def _closed(self) -> None:
        self.dialog = None
