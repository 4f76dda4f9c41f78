"""Walk through the mixers of the past, as they would have weighed the text that is shown."""

from __future__ import annotations

from collections.abc import Sequence
from operator import ne

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QPushButton, QSizePolicy, QSlider, QStyle, QStyleOptionSlider, QWidget

from tlora_gui.engine.protocol.attribution import dominant_slot
from tlora_gui.engine.protocol.config import MIXER_MODE
from tlora_gui.engine.protocol.events import StoredMixer
from tlora_gui.engine.protocol.texts import TokenEvent
from tlora_gui.ui.formats import human_share
from tlora_gui.ui.translation import worded
from tlora_gui.ui.widgets.layouts import column, label, row, small_button
from tlora_gui.ui.widgets.painting import guarded

_STEP_MS = 500
_GAP = 10


def changed_shares(texts: Sequence[Sequence[TokenEvent]]) -> list[float]:
    """For every version of one text, the share of its tokens with another dominant slot than in the last version."""
    dominant = [[dominant_slot(token.weights) for token in tokens] for tokens in texts]
    return [sum(map(ne, then, dominant[-1])) / max(1, len(then)) for then in dominant]


class TimelineBar(QWidget):
    """One step per mixer, the current one at the end. Signals: ``position_changed(int)``, ``closed()``."""

    position_changed = Signal(int)
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("scrubBar")
        self.setAccessibleName(self.tr("Mixers of the past"))
        self._changed: Sequence[float] = ()
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setObjectName("scrubSlider")
        self._slider.setAccessibleName(self.tr("Mixer"))
        self._slider.setToolTip(self.tr("The text as each stored Time Mixer would colour it; walk with ← and →"))
        self._slider.setPageStep(1)
        self._slider.valueChanged.connect(self._moved)
        self._names = _StepNames(self._slider)
        self._share = label("", "caption")
        self._share.ensurePolished()
        self._share.setText(self._share_text(1.0))
        self._share.setMinimumWidth(self._share.sizeHint().width())  # the slider must not jump with the words
        self._play = QPushButton()
        self._play.setObjectName("playScrubButton")
        self._play.clicked.connect(self._play_or_pause)
        self._close = small_button(self.tr("Close"), self.tr("Back to the colours of the text itself"))
        self._close.setObjectName("closeScrubButton")
        self._close.clicked.connect(self._leave)
        self._empty = label(
            self.tr("There is one Time Mixer so far. Train a second epoch to watch how routing changes."),
            "muted",
            wrap=True,
        )
        self._clock = QTimer(self, interval=_STEP_MS)
        self._clock.timeout.connect(self._step)
        self._lay_out()
        self.set_mixers(())

    def _lay_out(self) -> None:
        self._steps = QWidget()
        track = column(self._slider, self._names, spacing=0)
        steps = row(self._play, track, self._share, spacing=12)
        steps.setStretch(1, 1)
        self._steps.setLayout(steps)
        whole = row(self._steps, self._empty, self._close)
        whole.setStretch(0, 1)
        whole.setStretch(1, 1)
        self.setLayout(whole)

    # -- what to show ---------------------------------------------------------------------------------------

    def set_mixers(self, mixers: Sequence[StoredMixer], changed: Sequence[float] = ()) -> None:
        """Walk through these, the current one last, which is where it stands at first.

        ``changed`` has for each the share of tokens with another dominant slot than now (:func:`changed_shares`).
        """
        self._clock.stop()
        self._changed = tuple(changed)
        self._names.names = tuple(map(self._name, mixers))
        self._slider.blockSignals(True)
        self._slider.setRange(0, max(0, len(mixers) - 1))
        self._slider.setValue(len(mixers) - 1)
        self._slider.blockSignals(False)
        self._steps.setVisible(len(mixers) > 1)
        self._empty.setVisible(len(mixers) < 2)
        self._show_position()

    def set_position(self, position: int) -> None:
        """Go to this mixer, as a person does."""
        self._slider.setValue(position)

    @property
    def position(self) -> int:
        """The mixer at which it stands."""
        return self._slider.value()

    @property
    def name(self) -> str:
        """Of the mixer at which it stands, as people read it."""
        return self._names.names[self.position]

    @property
    def playing(self) -> bool:
        """Whether it steps by itself."""
        return self._clock.isActive()

    def _name(self, mixer: StoredMixer) -> str:
        if mixer.mode != MIXER_MODE:
            return worded(mixer.name)
        return self.tr("{name} · now").format(name=worded(mixer.name)) if mixer.after else self.tr("now")

    def _show_position(self) -> None:
        self._play.setText(self.tr("Pause") if self.playing else self.tr("Play"))
        self._play.setAccessibleName(self._play.text())
        self._play.setToolTip(
            self.tr("Stay at this mixer") if self.playing else self.tr("Step through all mixers, two a second")
        )
        position, names = self._slider.value(), self._names.names
        self._share.setText(self._changed_text(position))
        told = (names[position], self._share.text()) if names else ()
        self._slider.setAccessibleDescription(", ".join(filter(None, told)))
        self._names.update()

    def _changed_text(self, position: int) -> str:
        if position == self._slider.maximum() or position >= len(self._changed):
            return ""
        return self._share_text(self._changed[position])

    def _share_text(self, share: float) -> str:
        return self.tr("{share} of tokens\nhad another slot").format(share=human_share(share))

    # -- what the person does -------------------------------------------------------------------------------

    def _moved(self, position: int) -> None:
        self._show_position()
        self.position_changed.emit(position)

    def _play_or_pause(self) -> None:
        if self.playing:
            self._clock.stop()
        else:
            if self.position == self._slider.maximum():
                self._slider.setValue(0)
            self._clock.start()
        self._show_position()

    def _step(self) -> None:
        self._slider.setValue(self.position + 1)
        if self.position == self._slider.maximum():
            self._clock.stop()
            self._show_position()

    def _leave(self) -> None:
        self._clock.stop()
        self._show_position()
        self.closed.emit()


class _StepNames(QWidget):
    """The name of every step under its position on the slider where there is room; that of the present one always."""

    def __init__(self, slider: QSlider) -> None:
        super().__init__()
        self._slider = slider
        self.names: tuple[str, ...] = ()
        self.setProperty("textSize", "caption")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(160, self.fontMetrics().height() + 2)

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        current = self._slider.value()
        taken: list[QRectF] = []
        for step in sorted(range(len(self.names)), key=lambda step: (step != current, -step)):
            font = QFont(self.font())
            font.setWeight(QFont.Weight.DemiBold if step == current else QFont.Weight.Normal)
            area = self._area(step, QFontMetricsF(font).horizontalAdvance(self.names[step]))
            if any(area.adjusted(-_GAP, 0, _GAP, 0).intersects(other) for other in taken):
                continue
            taken.append(area)
            painter.setFont(font)
            role = QPalette.ColorRole.WindowText if step == current else QPalette.ColorRole.PlaceholderText
            painter.setPen(self.palette().color(role))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, self.names[step])
        painter.end()

    def _area(self, step: int, width: float) -> QRectF:
        """Centred under the slider's position for this step, but never beyond the ends."""
        option = QStyleOptionSlider()
        self._slider.initStyleOption(option)
        handle = self._slider.style().pixelMetric(QStyle.PixelMetric.PM_SliderLength, option, self._slider)
        room = self.width() - handle
        x = handle / 2 + QStyle.sliderPositionFromValue(0, self._slider.maximum(), step, room)
        left = max(0.0, min(x - width / 2, self.width() - width))
        return QRectF(left, 0, width + 1, self.height())
