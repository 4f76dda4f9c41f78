"""What a person makes of the Time Mixer's weights while a text comes: levels, mute and solo, temperature, sweeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from tlora_gui.engine.protocol.config import DeskMode, MixingDesk
from tlora_gui.engine.protocol.texts import SlotInfo
from tlora_gui.engine.protocol.wording import drawing_order, is_silent
from tlora_gui.ui.generation.mixing_desk.desk_tone import DeskTone
from tlora_gui.ui.generation.mixing_desk.fader import FaderStrip
from tlora_gui.ui.generation.mixing_desk.sweep import SweepBox
from tlora_gui.ui.widgets.layouts import HighEnough, column, label, row

_DESK_MODES: tuple[DeskMode, ...] = ("mixer", "manual", "gain")
_BY_ITSELF: dict[DeskMode, float] = {"mixer": 1.0, "manual": 0.0, "gain": 1.0}
"""Level of a slot that a desk does not name."""
_EMIT_MS = 33
_FIRST_LEVEL = 0.5
"""Of every epoch in a manual blend that nothing is known about yet: room to both sides."""


class MixingDeskPanel(HighEnough):
    """A strip per slot, a lock that says what their levels mean, the mixer's temperature, and sweeps.

    Signals: ``desk_changed(MixingDesk)`` for what a person turns, at most 30 a second and the last one always;
    ``sweep_requested(from_slug, to_slug)``.
    """

    desk_changed = Signal(object)
    sweep_requested = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("mixingDesk")
        self.setProperty("role", "panel")
        self.setAccessibleName(self.tr("Mixing desk"))
        self._slots: tuple[SlotInfo, ...] = ()
        self._weights: tuple[float, ...] = ()
        self._strips: list[FaderStrip] = []
        self._mode: DeskMode = "mixer"
        self._levels: dict[DeskMode, dict[str, float]] = {mode: {} for mode in _DESK_MODES}
        self._active = True
        self._pending = False
        self._pause = QTimer(self, singleShot=True, interval=_EMIT_MS)
        self._pause.timeout.connect(self._emit_pending)
        self._hint = label("", "caption", wrap=True)
        self._tone = DeskTone()
        self._tone.changed.connect(self._turned)
        self._sweep = SweepBox()
        self._sweep.requested.connect(self.sweep_requested)
        self._lay_out()
        self.set_desk(MixingDesk())

    # -- building -------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        self._reset_button = QPushButton(self.tr("Reset"))
        self._reset_button.setObjectName("deskResetButton")
        self._reset_button.setAccessibleName(self.tr("Reset the mixing desk"))
        self._reset_button.setToolTip(self.tr("Leave the Time Mixer's weights alone again"))
        self._reset_button.clicked.connect(self.reset)
        self._strip_column = column(spacing=10)
        strips = QWidget()
        strips.setLayout(column(self._strip_column, None))
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(strips)
        self._scroll = scroll
        self._body = QWidget()
        body = column(self._mode_buttons(), scroll, self._tone, self._sweep, spacing=12)
        body.setStretchFactor(scroll, 1)
        self._body.setLayout(body)
        title = row(label(self.tr("Mixing desk"), "heading"), None, self._reset_button)
        outer: QVBoxLayout = column(title, self._hint, self._body, margins=(12, 12, 12, 12))
        outer.setStretchFactor(self._body, 1)
        outer.addStrut(176)
        self.setLayout(outer)

    def _mode_buttons(self) -> QHBoxLayout:
        self._mode_group = QButtonGroup(self)
        segments = row(spacing=0)
        for number, (name, text, tip) in enumerate(
            (
                ("deskLockMixer", self.tr("Time Mixer"), self.tr("The Time Mixer decides; mute and solo still work")),
                ("deskLockManual", self.tr("Manual"), self.tr("The levels are the mix, the same in every token")),
                ("deskLockGain", self.tr("× Gain"), self.tr("The Time Mixer's weights times the levels")),
            )
        ):
            button = QToolButton()
            button.setObjectName(name)
            button.setText(text)
            button.setAccessibleName(text)
            button.setToolTip(tip)
            button.setCheckable(True)
            button.setProperty("lock", ("left", "middle", "right")[number])
            button.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
            self._mode_group.addButton(button, number)
            segments.addWidget(button)
        self._mode_group.idClicked.connect(self._choose_mode)
        return segments

    # -- what to show ---------------------------------------------------------------------------------------

    def set_slots(self, slots: Sequence[SlotInfo]) -> None:
        """A strip for each; those that stay keep their levels, mute and solo."""
        if tuple(slots) == self._slots:
            return
        desk = self.desk()
        self._slots = tuple(slots)
        self._weights = ()
        for old in self._strips:
            old.setParent(None)
            old.deleteLater()
        self._strips = [FaderStrip(slots[slot]) for slot in drawing_order(slots)]
        for strip in self._strips:
            strip.changed.connect(self._turned)
            strip.left.connect(self._go_on)
            self._strip_column.addWidget(strip)
        self._sweep.set_slots(slots)
        self.set_desk(desk)

    @property
    def slots(self) -> tuple[SlotInfo, ...]:
        """Those that have a strip, the backbone first."""
        return self._slots

    def desk(self) -> MixingDesk:
        """As it stands; levels of slots that are as they would be by themselves are left out."""
        return MixingDesk(
            self._mode,
            tuple((slot.slug, level) for slot in self._slots if (level := self._level(slot)) != _BY_ITSELF[self._mode]),
            muted=tuple(strip.slot.slug for strip in self._strips if strip.mute.isChecked()),
            solo=tuple(strip.slot.slug for strip in self._strips if strip.solo.isChecked()),
            temperature=self._tone.temperature,
            hard=self._tone.hard,
        )

    def set_desk(self, desk: MixingDesk) -> None:
        """Show this desk, without a signal."""
        self._mode = desk.lock
        if desk.lock != "mixer":
            self._levels[desk.lock] = dict(desk.levels)
        for strip in self._strips:
            strip.mute.setChecked(strip.slot.slug in desk.muted)
            strip.solo.setChecked(strip.slot.slug in desk.solo)
        self._tone.set_tone(desk.temperature, desk.hard)
        self._refresh()

    def begin_sweep(self) -> None:
        """Give the focus to the choice of slots between which the prompt is to be continued."""
        self._sweep.take_focus()

    def set_active(self, active: bool) -> None:
        """Whether a Time Mixer decides, which alone can be turned."""
        self._active = active
        self._refresh()

    def show_weights(self, weights: Sequence[float]) -> None:
        """The slots' weights in the latest token, in the order of the slots; none if they are of other slots."""
        self._weights = tuple(weights) if len(weights) == len(self._slots) else ()
        for strip, slot in zip(self._strips, drawing_order(self._slots), strict=True):
            strip.set_share(weights[slot] if self._weights else 0.0)

    def _level(self, slot: SlotInfo) -> float:
        return self._levels[self._mode].get(slot.slug, _BY_ITSELF[self._mode])

    def _refresh(self) -> None:
        self._mode_group.button(_DESK_MODES.index(self._mode)).setChecked(True)
        for strip in self._strips:
            strip.set_mode(self._mode)
            strip.set_level(self._level(strip.slot))
        self._tone.set_mixer_decides(self._mode != "manual")
        usable = self._active and bool(self._strips)
        self._body.setEnabled(usable)
        self._reset_button.setEnabled(usable)
        self._say()

    def _say(self) -> None:
        desk = self.desk()
        for strip in self._strips:
            strip.set_silent(desk.level(strip.slot.slug) == 0)
        if not self._active:
            self._hint.setText(self.tr("Only the Time Mixer can be turned; choose it as mode."))
        elif not self._slots:
            self._hint.setText(self.tr("Open a project: every epoch gets its own slider here."))
        elif is_silent(desk, self._slots):
            self._hint.setText(self.tr("Nothing is left: the backbone speaks."))
        else:
            self._hint.setText(self.tr("Changes apply to the next token and are recorded with it."))

    # -- what the person does -------------------------------------------------------------------------------

    def _choose_mode(self, number: int) -> None:
        self._mode = _DESK_MODES[number]
        if self._mode == "manual" and not any(self._level(slot) for slot in self._slots):
            self._levels["manual"] = self._first_blend()
        self._refresh()
        self._emit()

    def _first_blend(self) -> dict[str, float]:
        """The latest token's weights, in per cent; every epoch alike if there is no token yet."""
        if self._weights:
            return {slot.slug: round(weight, 2) for slot, weight in zip(self._slots, self._weights, strict=True)}
        return {slot.slug: _FIRST_LEVEL for slot in self._slots[1:]}

    def _turned(self) -> None:
        if self._mode != "mixer":
            self._levels[self._mode] |= {strip.slot.slug: strip.level for strip in self._strips}
        self._say()
        self._emit()

    def turn_by_hand(self, levels: Mapping[str, float]) -> None:
        """As if a person had chosen a manual blend of these levels, by slug."""
        self.set_desk(replace(self.desk(), lock="manual", levels=tuple(levels.items())))
        self._emit()

    def reset(self) -> None:
        """As if a person had asked for the Time Mixer's weights again, just as they are."""
        self._levels = {mode: {} for mode in _DESK_MODES}
        self.set_desk(MixingDesk())
        self._emit()

    def _emit(self) -> None:
        self._pending = self._pause.isActive()
        if not self._pending:
            self._pause.start()
            self.desk_changed.emit(self.desk())

    def _emit_pending(self) -> None:
        if self._pending:
            self._emit()

    def _go_on(self, slug: str, control: str, step: int) -> None:
        """Give the focus to the same control of a neighbouring strip."""
        number = [strip.slot.slug for strip in self._strips].index(slug) + step
        if 0 <= number < len(self._strips):
            self._strips[number].focus_on(control)
            self._scroll.ensureWidgetVisible(self._strips[number])
