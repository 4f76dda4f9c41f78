"""Choices of how curves are read: which of them, and how smooth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from tlora_gui.ui.settings import CurveKind
from tlora_gui.ui.translation import tr


class ChoiceMenu(QMenu):
    """One of several named values; a tick says which.

    Signals: ``chosen(value)``: a person wants another one.
    """

    chosen = Signal(str)

    def __init__(self, title: str, names: Mapping[str, str], parent: QWidget) -> None:
        super().__init__(title, parent)
        self._group = QActionGroup(self)
        for value, name in names.items():
            action = self.addAction(name)
            action.setCheckable(True)
            action.setData(value)
            self._group.addAction(action)
        self._group.triggered.connect(lambda action: self.chosen.emit(action.data()))

    def show_chosen(self, value: str) -> None:
        """Tick a value."""
        next(action for action in self._group.actions() if action.data() == value).setChecked(True)


def smoothing_menu(parent: QWidget) -> ChoiceMenu:
    """How smooth the line is that is drawn over a long curve."""
    names: dict[str, str] = {
        "none": tr("None"), "light": tr("Light"), "medium": tr("Medium"), "strong": tr("Strong"),
    }  # fmt: skip
    return ChoiceMenu(tr("Smoothing"), names, parent)


def curve_menu(parent: QWidget, kinds: Iterable[CurveKind]) -> ChoiceMenu:
    """Which figure of a training is shown."""
    return ChoiceMenu(tr("Curve"), {kind: curve_words(kind).title for kind in kinds}, parent)


@dataclass(frozen=True, slots=True)
class CurveWords:
    """What a chart says of a curve; ``from_zero`` as in :class:`~tlora_gui.ui.charts.line_chart.LineChart`."""

    title: str
    caption: str
    empty: str
    from_zero: float | None


def curve_words(kind: CurveKind) -> CurveWords:
    """Title, unit and what an empty chart of this curve says."""
    match kind:
        case "loss":
            empty = tr("Train an epoch to see its curves")
            return CurveWords(tr("Adapter loss"), tr("nats/token, by step"), empty, None)
        case "distill":
            empty = tr("From the second epoch on: how far the Time Mixer drifts from its teacher")
            return CurveWords(tr("Mixer-distill loss"), tr("nats/token, by step"), empty, 0.001)
        case "rate":
            empty = tr("How large the adapter's steps are: they warm up, then fall")
            return CurveWords(tr("Learning rate"), tr("of the adapter, by step"), empty, 0.0)
        case "gradient":
            empty = tr("How steep the adapter's loss is; recorded from this version on")
            return CurveWords(tr("Gradient norm"), tr("before clipping to 1"), empty, 0.1)
