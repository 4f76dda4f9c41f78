"""Long work in the status bar: one slim line."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar, QToolButton, QWidget

from tlora_gui.engine.protocol.events import Progress
from tlora_gui.ui.formats import human_bytes, human_count, human_duration
from tlora_gui.ui.translation import filled, tr, worded
from tlora_gui.ui.widgets.elided_label import ElidedLabel
from tlora_gui.ui.widgets.layouts import label, row

BAR_STEPS = 1000


def amount_text(progress: Progress) -> str:
    """How much of it is done: "41 MB of 93 MB", "12 of 37 files"; empty if there is nothing to count."""
    if not progress.unit or (not progress.done and progress.total is None):
        return ""
    in_bytes = progress.unit in ("B", "byte", "bytes")
    done, total = (
        "" if number is None else human_bytes(number) if in_bytes else human_count(round(number))
        for number in (progress.done, progress.total)
    )
    unit = "" if in_bytes else f" {worded(progress.unit)}"
    if not total:
        return f"{done}{unit}"
    return filled(tr("{done} of {total}"), done=done, total=total) + unit


def show_on_bar(bar: QProgressBar, progress: Progress) -> None:
    """Set a bar to ``progress``; a bar that runs to and fro where the end is not known."""
    if not progress.total:
        bar.setRange(0, 0)
        return
    bar.setRange(0, BAR_STEPS)
    bar.setValue(round(BAR_STEPS * min(1.0, max(0.0, progress.done / progress.total))))


class ProgressLine(QWidget):
    """Says what is going on, how far it is, and lets a person cancel it. Hidden while nothing goes on."""

    cancel_requested = Signal()
    toggled = Signal(bool)
    """It is shown from now on, or hidden."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("progressLine")
        self._label = ElidedLabel("muted")
        self._bar = QProgressBar()
        self._bar.setObjectName("statusProgressBar")
        self._bar.setAccessibleName(self.tr("Progress"))
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(80)
        self._time = label("", "muted")
        cancel = QToolButton()
        cancel.setObjectName("cancelProgressButton")
        cancel.setProperty("role", "flat")
        cancel.setText(self.tr("Cancel"))
        cancel.setAccessibleName(self.tr("Cancel this work"))
        cancel.setToolTip(self.tr("Stop this work and leave things as they were"))
        cancel.clicked.connect(self.cancel_requested)
        self.setLayout(row(self._label, self._bar, self._time, cancel, margins=(8, 0, 8, 0)))
        self.hide()

    def show_progress(self, progress: Progress) -> None:
        """Show the line with the latest news."""
        label, amount = worded(progress.label), amount_text(progress)
        self._label.show_text(f"{label} · {amount}" if amount else label)
        show_on_bar(self._bar, progress)
        left = "" if progress.eta_s is None else human_duration(progress.eta_s)
        self._time.setText(self.tr("{time} left").format(time=left) if left else "")
        self.show()
        self.toggled.emit(True)

    def clear(self) -> None:
        """The work is over."""
        self.hide()
        self.toggled.emit(False)
