"""Input fields for choices and numbers.

What is written into a field of numbers is taken whole or not at all, in every locale: "." and "," are both the decimal
sign, digits of every script count, and a text that is no number, or none in range, gives the number back that was there
before the writing began.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from PySide6.QtCore import QLocale, QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QValidator, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QDoubleSpinBox,
    QSpinBox,
    QStyle,
    QStyleOptionComboBox,
    QToolTip,
    QWidget,
)

from tlora_gui.engine.protocol.config import SEED_MAX, SEED_MIN
from tlora_gui.ui.translation import tr

_TEXT_MARGINS = (7, 0, 0, 0)
_AROUND_CHOICE = 44
"""Pixels for edges, padding and arrow."""
_TELLING_MS = 250
_DECIMALS = 323
"""As many as Qt allows: no number is rounded."""
_DECIMAL = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d{1,3})?", re.IGNORECASE)
_WHOLE = re.compile(r"[+-]?(\d+|[1-9]\d{0,2}([.,' ])\d{3}(\2\d{3})*|[1-9]\d?(,\d{2})*,\d{3})")
"""With groups of digits, of three or as in India; "0.001" is none."""


def field_width(field: QWidget) -> int:
    """Pixels in which a field shows every number, the longest seed included."""
    field.ensurePolished()
    return field.fontMetrics().horizontalAdvance(str(SEED_MIN)) + 50


class KeepsStill:
    """Stands before a field among the bases of a class: the wheel turns it only where it has the focus, so that one
    scrolls past it without changing it."""

    def wheelEvent(self: Any, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)  # type: ignore[misc]
        else:
            event.ignore()


class ChoiceBox(KeepsStill, QComboBox):
    """A combo box with its object name, and its name and purpose for everyone.

    What is chosen ends in "…" where there is no room for it.
    """

    def __init__(self, name: str, label: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(label)
        self.setToolTip(tip)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.currentTextChanged.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        """As wide as what is chosen."""
        hint = super().sizeHint()
        shown = self.fontMetrics().horizontalAdvance(self.currentText())
        icon = 0 if self.itemIcon(self.currentIndex()).isNull() else self.iconSize().width() + 4
        return QSize(max(super().minimumSizeHint().width(), shown + icon + _AROUND_CHOICE), hint.height())

    def showPopup(self) -> None:
        self.view().setMinimumWidth(self.view().sizeHintForColumn(0) + 2 * _TEXT_MARGINS[0])
        super().showPopup()

    def initStyleOption(self, option: QStyleOptionComboBox) -> None:
        super().initStyleOption(option)
        part = QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, part, self).width() - 4
        if not option.currentIcon.isNull():
            room -= option.iconSize.width() + 4
        elide = Qt.TextElideMode.ElideRight
        option.currentText = self.fontMetrics().elidedText(option.currentText, elide, room)


def _plain(text: str, locale: QLocale) -> str:
    """A number as ASCII writes it: its digits, its signs, and its spaces between digits."""
    if locale.exponential().casefold() != "e":
        text = text.replace(locale.exponential(), "e")
    signs = {"\u2212": "-", "\u066b": ".", "\u066c": ",", "\u060c": ",", "\u2019": "'"}
    if locale.groupSeparator() not in ".,' ":
        signs.setdefault(locale.groupSeparator(), ",")
    plain = ""
    for sign in text:
        if unicodedata.category(sign) == "Nd":
            plain += str(unicodedata.decimal(sign))
        elif unicodedata.category(sign) == "Zs":
            plain += " "
        elif unicodedata.category(sign) != "Cf":  # marks of writing direction
            plain += signs.get(sign, sign)
    return plain.strip()


def decimal_number(text: str, locale: QLocale) -> float | None:
    """What a person means by ``text``; None if it is no number.

    >>> [decimal_number(text, QLocale("de_DE")) for text in ("0.001", "0,001", "1e-3", "1e", "0.001 or so")]
    [0.001, 0.001, 0.001, None, None]
    """
    plain = _plain(text, locale)
    return float(plain.replace(",", ".")) if _DECIMAL.fullmatch(plain) else None


def whole_number(text: str, locale: QLocale) -> int | None:
    """What a person means by ``text``, with or without signs between thousands; None if it is no whole number.

    >>> [whole_number(text, QLocale("en_US")) for text in ("12345", "12.345", "12,345", "12 345", "12.5", "0.001")]
    [12345, 12345, 12345, 12345, None, None]
    """
    plain = _plain(text, locale)
    return int(re.sub("[.,' ]", "", plain)) if _WHOLE.fullmatch(plain) else None


class _TakenWhole(KeepsStill):
    """Stands before a spin box of numbers among the bases of a class, and reads what a person writes into it."""

    _before: Any = None
    """The number when a person began to write."""

    def _prepare(self: Any) -> None:
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.lineEdit().setTextMargins(*_TEXT_MARGINS)
        self.lineEdit().textEdited.connect(self._begin)
        self.editingFinished.connect(self._end)

    def finish(self: Any) -> None:
        """Take what is being written, as leaving the field does."""
        self.interpretText()
        self.editingFinished.emit()

    def _begin(self: Any) -> None:
        if self._before is None:  # called before the spin box itself hears of the text
            self._before = self.value()

    def _end(self) -> None:
        self._before = None

    def _read(self: Any, text: str) -> Any:
        """What ``text`` says, if that is in range."""
        bare = text.strip().removeprefix(self.prefix().strip())
        while self.suffix() and bare.endswith(self.suffix().strip()):  # twice if a person writes it too
            bare = bare.removesuffix(self.suffix().strip()).strip()
        if self.specialValueText() and bare.casefold() == self.specialValueText().casefold():
            return self.minimum()
        number = self._number(bare)
        return number if number is not None and self.minimum() <= number <= self.maximum() else None

    def validate(self: Any, text: str, pos: int) -> Any:
        state = QValidator.State.Intermediate if self._read(text) is None else QValidator.State.Acceptable
        return state, text, pos

    def valueFromText(self: Any, text: str) -> Any:
        number = self._read(text)
        return self.value() if number is None else number

    def _tell_range(self: Any) -> None:
        """Say why what was written is not taken."""
        least, most = self.textFromValue(self.minimum()), self.textFromValue(self.maximum())
        text = tr("Only numbers from {least} to {most}").format(least=least, most=most)
        beside = self.rect().topRight() - QPoint(0, self.height() // 2)  # Qt shows it a little below
        QToolTip.showText(self.mapToGlobal(beside), text, self)

    def fixup(self: Any, text: str) -> str:
        if self.isVisible():  # a moment later, or the press that led to another field would take it away
            QTimer.singleShot(_TELLING_MS, self, self._tell_range)
        before = self.value() if self._before is None else self._before
        return f"{self.prefix()}{self.textFromValue(before)}{self.suffix()}"


class WholeBox(_TakenWhole, QSpinBox):
    """A whole number of 32 bits."""

    def __init__(self, minimum: int, maximum: int, parent: QWidget | None = None) -> None:
        super().__init__(parent, minimum=minimum, maximum=maximum)
        self._prepare()

    def _number(self, text: str) -> int | None:
        return whole_number(text, self.locale())


class DecimalBox(_TakenWhole, QDoubleSpinBox):
    """A number without trailing zeros."""

    def __init__(self, minimum: float, maximum: float, parent: QWidget | None = None) -> None:
        super().__init__(parent, decimals=_DECIMALS, minimum=minimum, maximum=maximum, singleStep=0.05)
        self._prepare()

    def _number(self, text: str) -> float | None:
        return decimal_number(text, self.locale())

    def stepBy(self, steps: int) -> None:
        super().stepBy(steps)
        self.setValue(round(self.value(), 12))  # no 0.8500000000000001

    def textFromValue(self, value: float) -> str:
        return self.locale().toString(value, "f", QLocale.FloatingPointPrecisionOption.FloatingPointShortest.value)


class SeedBox(_TakenWhole, QAbstractSpinBox):
    """Any whole number that can be a seed: 64 bits, for which Qt has no field. It is written as the command line does.

    Signal: ``valueChanged(object)``.
    """

    valueChanged = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._value = 0
        self._prepare()
        self.lineEdit().textEdited.connect(self._written)
        self.editingFinished.connect(self._show)
        self._show()

    def value(self) -> int:
        """The seed."""
        return self._value

    def setValue(self, value: int) -> None:
        """Show this seed."""
        self._take(value)
        self._show()

    def minimum(self) -> int:
        return SEED_MIN

    def maximum(self) -> int:
        return SEED_MAX

    def prefix(self) -> str:
        return ""

    def suffix(self) -> str:
        return ""

    def textFromValue(self, value: int) -> str:
        return str(value)

    def _number(self, text: str) -> int | None:
        return whole_number(text, self.locale())

    def _take(self, value: int) -> None:
        if value != self._value:
            self._value = value
            self.valueChanged.emit(value)

    def _written(self, text: str) -> None:
        seed = self._read(text)
        self._take(self._before if seed is None else seed)

    def _show(self) -> None:
        self.lineEdit().setText(self.textFromValue(self._value))

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabledFlag:
        flags = QAbstractSpinBox.StepEnabledFlag
        up = flags.StepUpEnabled if self._value < SEED_MAX else flags.StepNone
        return up | (flags.StepDownEnabled if self._value > SEED_MIN else flags.StepNone)

    def stepBy(self, steps: int) -> None:
        self._end()
        self.setValue(min(max(self._value + steps, SEED_MIN), SEED_MAX))
        self.selectAll()

    def sizeHint(self) -> QSize:
        return QSize(field_width(self), super().sizeHint().height())
