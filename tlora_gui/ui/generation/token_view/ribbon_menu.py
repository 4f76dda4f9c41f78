"""What can be done with the mix ribbon."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from tlora_gui.ui.translation import filled

_SMOOTHINGS = (0, 5, 15, 45)
"""Tokens that a running mean may go over."""


class RibbonMenu(QMenu):
    """Smooth, show everything, save. It deletes itself when it is closed.

    Signals: ``smoothing_chosen(tokens)``, ``everything_requested()``, ``save_requested()``.
    """

    smoothing_chosen = Signal(int)
    everything_requested = Signal()
    save_requested = Signal()

    def __init__(self, smoothing: int, savable: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("ribbonMenu")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        smooth = self.addMenu(self.tr("Smooth"))
        choices = QActionGroup(smooth)
        for tokens in _SMOOTHINGS:
            text = filled(self.tr("Over {count} tokens"), count=tokens) if tokens else self.tr("Not at all")
            choice = smooth.addAction(text, partial(self.smoothing_chosen.emit, tokens))
            choice.setCheckable(True)
            choice.setChecked(tokens == smoothing)
            choices.addAction(choice)
        self.addAction(self.tr("Show everything"), self.everything_requested.emit)
        self.addSeparator()
        self.addAction(self.tr("Save as picture…"), self.save_requested.emit).setEnabled(savable)
