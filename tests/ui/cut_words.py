"""Finds words on screen that are cut off: in Qt's own widgets by their measures, in drawn ones by what they draw."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QFontMetricsF, QPainter
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QStyle,
    QStyleOptionButton,
    QStyleOptionComboBox,
    QTabBar,
    QToolButton,
    QWidget,
)

from tlora_gui.ui.epochs.drop_zone import DropZone
from tlora_gui.ui.widgets.elided_label import ElidedLabel

_ROUNDING = 1
"""Pixels: widths are whole, advances are not."""


def cut_words(shown: QWidget) -> list[str]:
    """What is cut off in a widget and all that is visible in it, in words; each once."""
    found = [
        f"{type(widget).__name__} {widget.objectName()!r} {text!r}: {needed:.0f} > {room:.0f}"
        for widget in (shown, *shown.findChildren(QWidget))
        if widget.isVisible() and not widget.visibleRegion().isEmpty()
        for text, needed, room in _measured(widget)
        if needed > room + _ROUNDING
    ]
    with _drawn_words() as drawn:
        shown.grab()
    return list(dict.fromkeys(found + drawn))


def _measured(widget: QWidget) -> Iterator[tuple[str, float, float]]:
    """Each text of one of Qt's widgets with what it needs and what it has, in pixels."""
    metrics = QFontMetricsF(widget.font())
    if isinstance(widget, ElidedLabel):
        yield widget.text(), metrics.horizontalAdvance(widget.text()), widget.contentsRect().width()
    elif isinstance(widget, QLabel) and widget.text():
        if widget.wordWrap():
            yield widget.text(), widget.heightForWidth(widget.width()), widget.height()
            longest = max(map(metrics.horizontalAdvance, widget.text().split()), default=0)
            if "<" not in widget.text():
                yield widget.text(), longest, widget.contentsRect().width()
        else:
            hint = widget.minimumSizeHint()
            yield widget.text(), hint.width(), widget.width()
            yield widget.text(), hint.height(), widget.height()
    elif isinstance(widget, QComboBox):
        option = QStyleOptionComboBox()
        QComboBox.initStyleOption(widget, option)
        part = QStyle.SubControl.SC_ComboBoxEditField
        room = widget.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, part, widget).width()
        icon = 0 if option.currentIcon.isNull() else option.iconSize.width() + 4
        yield widget.currentText(), metrics.horizontalAdvance(widget.currentText()) + icon, room
        yield widget.currentText(), metrics.height(), widget.height() - 4
    elif isinstance(widget, QAbstractSpinBox):
        text = widget.lineEdit().displayText()
        yield text, metrics.horizontalAdvance(text), widget.lineEdit().contentsRect().width() - 9
    elif isinstance(widget, QLineEdit) and not isinstance(widget.parent(), (QAbstractSpinBox, QComboBox)):
        yield widget.placeholderText(), metrics.horizontalAdvance(widget.placeholderText()), _line_room(widget)
    elif isinstance(widget, QTabBar):
        for tab in range(widget.count()):
            yield widget.tabText(tab), widget.tabSizeHint(tab).width(), widget.tabRect(tab).width()
            yield widget.tabText(tab), widget.tabRect(tab).right(), widget.width()
    elif isinstance(widget, QAbstractButton) and widget.text() and not isinstance(widget, DropZone):
        size = metrics.size(Qt.TextFlag.TextShowMnemonic.value, widget.text())
        room = _button_room(widget)
        yield widget.text(), size.width(), room.width()
        yield widget.text(), size.height(), room.height()


def _line_room(edit: QLineEdit) -> float:
    return edit.contentsRect().width() - 2 * 8 - (22 if edit.isClearButtonEnabled() else 0)


def _button_room(button: QAbstractButton) -> QRectF:
    """Where a button's words may stand, within the padding that its style asks for."""
    if isinstance(button, (QPushButton, QToolButton)):
        around = button.sizeHint() - _bare_size(button)
        return QRectF(0, 0, button.width() - around.width(), button.height() - max(0, around.height()))
    if isinstance(button, (QCheckBox, QRadioButton)):
        option = QStyleOptionButton()
        option.initFrom(button)
        part = QStyle.SubElement.SE_CheckBoxContents
        if isinstance(button, QRadioButton):
            part = QStyle.SubElement.SE_RadioButtonContents
        return QRectF(button.style().subElementRect(part, option, button))
    return QRectF(button.rect())


def _bare_size(button: QAbstractButton) -> Any:
    size = QFontMetricsF(button.font()).size(Qt.TextFlag.TextShowMnemonic.value, button.text())
    return size.toSize()


@contextmanager
def _drawn_words() -> Iterator[list[str]]:
    """Collects what our own widgets draw shortened or over the edge of its place."""
    found: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        for kind in (QFontMetrics, QFontMetricsF):
            patch.setattr(kind, "elidedText", _told(kind.elidedText, found))
        patch.setattr(QPainter, "drawText", _measured_drawing(QPainter.drawText, found))
        yield found


def _told(elided_text: Any, found: list[str]) -> Any:
    def elide(metrics: Any, text: str, mode: Any, width: float, *flags: Any) -> str:
        shown: str = elided_text(metrics, text, mode, width, *flags)
        if shown != text:
            found.append(f"drawn {text!r} as {shown!r}: {metrics.horizontalAdvance(text):.0f} > {width:.0f}")
        return shown

    return elide


def _measured_drawing(draw_text: Any, found: list[str]) -> Any:
    def draw(painter: QPainter, *told: Any) -> Any:
        if isinstance(told[0], (QRect, QRectF)) and isinstance(told[-1], str):
            area, text = QRectF(told[0]), told[-1]
            flags = int(getattr(told[1], "value", told[1])) if len(told) > 2 else 0
            wraps = flags & Qt.TextFlag.TextWordWrap.value
            metrics = QFontMetricsF(painter.font())
            needed = metrics.boundingRect(area, flags, text)
            # a sign, which its square need not hold; figures of an axis, which have less place than they take
            if len(text) == 1 or flags & Qt.TextFlag.TextDontClip.value:
                return draw_text(painter, *told)
            if needed.height() > area.height() + _ROUNDING or (not wraps and needed.width() > area.width() + _ROUNDING):
                found.append(f"drawn {text!r}: {needed.size().toTuple()} > {area.size().toTuple()}")
            on = painter.device()
            if isinstance(on, QWidget) and painter.transform().isIdentity() and needed.right() > on.width() + _ROUNDING:
                found.append(f"drawn {text!r} over the edge: {needed.right():.0f} > {on.width()}")
        return draw_text(painter, *told)

    return draw
