"""A kept text in two calm lines: what it is called and how old it is, below them how it was made."""

from __future__ import annotations

import time
from collections.abc import Mapping

from PySide6.QtCore import (
    QAbstractItemModel,
    QDateTime,
    QLocale,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPalette
from PySide6.QtWidgets import QApplication, QLineEdit, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from tlora_gui.engine.protocol.texts import GenerationSummary
from tlora_gui.engine.protocol.wording import STAND_INS
from tlora_gui.ui.generation.modes import blend_text
from tlora_gui.ui.theme import SIZES
from tlora_gui.ui.translation import filled, tr
from tlora_gui.ui.widgets.icons import icon
from tlora_gui.ui.widgets.painting import guarded

SUMMARY = Qt.ItemDataRole.UserRole
"""Role under which a model has the :class:`GenerationSummary` of a row."""

Index = QModelIndex | QPersistentModelIndex
_PADDING = 5
_GAP = 8
_STAR = 12


def text_at(index: Index) -> GenerationSummary:
    """The text of a row."""
    text: GenerationSummary = index.data(SUMMARY)
    return text


def when_text(created: float, now: float) -> str:
    """How long ago something was made, both in seconds since 1970; after a day its date, with the year if another."""
    minutes = int((now - created) / 60)
    if minutes < 1:
        return tr("now")
    if minutes < 60:
        return tr("{minutes} min ago").format(minutes=minutes)
    if minutes < 24 * 60:
        return tr("{hours} h ago").format(hours=minutes // 60)
    date, today = (QDateTime.fromSecsSinceEpoch(int(seconds)).date() for seconds in (created, now))
    return QLocale().toString(date, "d MMM" if date.year() == today.year() else "d MMM yyyy")


def title_of(text: GenerationSummary) -> str:
    """Its name, or how it begins: a branch with the words in which it leaves its parent; no sign reorders it."""
    if text.name:
        return text.name.translate(STAND_INS)
    begins = " ".join((text.text if text.parent else text.prompt or text.text).split()).translate(STAND_INS)
    return f"… {begins}" if text.parent else begins or tr("(empty prompt)")


class GenerationRow(QStyledItemDelegate):
    """Draws rows whose model gives ``SUMMARY``; an edited name goes out as ``renamed(id, name)``, not to the model."""

    renamed = Signal(str, str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.opened = ""
        self.names: Mapping[str, str] = {}

    def facts(self, text: GenerationSummary) -> str:
        """Mode or manual blend, seed and length."""
        made_by = self.names.get(text.mode, text.mode) if text.blend is None else blend_text(text.blend)
        how = self.tr("read") if text.ended == "read" else self.tr("seed {seed}").format(seed=text.seed)
        length = filled(self.tr("{count} tokens"), count=text.tokens)
        return " · ".join((made_by, how, length))

    # -- drawing --------------------------------------------------------------------------------------------

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        lines = QFontMetricsF(option.font).height() + QFontMetricsF(_small(option.font)).height()
        return QSize(120, round(lines) + 2 * _PADDING)

    @guarded
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        text = text_at(index)
        panel = QStyleOptionViewItem(option)
        self.initStyleOption(panel, index)
        panel.text = ""
        panel.widget.style().drawControl(QStyle.ControlElement.CE_ItemViewItem, panel, painter, panel.widget)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(option.rect).adjusted(_PADDING, _PADDING, -_PADDING, -_PADDING)
        small = _small(option.font)
        muted = QApplication.palette().color(QPalette.ColorRole.PlaceholderText)  # a styled list has a paler one
        first = QRectF(area.left(), area.top(), area.width(), QFontMetricsF(option.font).height())
        second = QRectF(area.left(), first.bottom(), area.width(), area.bottom() - first.bottom())
        age = when_text(text.created, time.time())
        _paint_text(painter, first, age, small, muted, Qt.AlignmentFlag.AlignRight)
        first.setRight(first.right() - QFontMetricsF(small).horizontalAdvance(age) - _GAP)
        self._paint_title(painter, first, text, option)
        _paint_text(painter, second, self.facts(text), small, muted)
        painter.restore()

    def _paint_title(
        self, painter: QPainter, area: QRectF, text: GenerationSummary, option: QStyleOptionViewItem
    ) -> None:
        font = QFont(option.font)
        accent = option.palette.color(QPalette.ColorRole.Accent)
        if text.id == self.opened:
            font.setWeight(QFont.Weight.DemiBold)
            painter.fillRect(QRectF(option.rect.left(), area.top() + 1, 2.5, option.rect.height() - 12), accent)
        if text.pinned:
            star = QRect(round(area.left()), round(area.top()), _STAR, round(area.height()))
            icon("pinned").paint(painter, star)
            area.setLeft(area.left() + _STAR + 3)
        _paint_text(painter, area, title_of(text), font, option.palette.color(QPalette.ColorRole.Text))

    # -- editing --------------------------------------------------------------------------------------------

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        if isinstance(editor, QLineEdit):
            editor.setAccessibleName(self.tr("Name of the text"))
            editor.setPlaceholderText(title_of(text_at(index)))
            editor.setText(text_at(index).name)

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        text = text_at(index)
        if isinstance(editor, QLineEdit) and editor.text().strip() != text.name:
            self.renamed.emit(text.id, editor.text().strip())


def _paint_text(
    painter: QPainter,
    area: QRectF,
    text: str,
    font: QFont,
    colour: QColor,
    side: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
) -> None:
    painter.setFont(font)
    painter.setPen(colour)
    shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, area.width())
    painter.drawText(area, side | Qt.AlignmentFlag.AlignVCenter, shown)


def _small(font: QFont) -> QFont:
    small = QFont(font)
    small.setPointSizeF(SIZES["caption"] * font.pointSizeF())
    return small
