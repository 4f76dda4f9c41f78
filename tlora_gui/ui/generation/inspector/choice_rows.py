"""Lists of named shares, some of which can be chosen by pointer or by keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QKeyEvent, QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QListView, QSizePolicy, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from tlora_gui.engine.protocol.texts import SlotInfo
from tlora_gui.ui.generation.token_view.swatch import SWATCH_WIDTH, paint_swatch, slot_style
from tlora_gui.ui.theme import LIGHT, SIZES, Theme, sans_font
from tlora_gui.ui.widgets.painting import guarded

Index = QModelIndex | QPersistentModelIndex
Sign = Callable[[QPainter, QRect, Theme], None]
_ROW = Qt.ItemDataRole.UserRole
_GAP = 8
ROW_EDGE = 4
"""How far the mark of a row reaches beyond what is written in it."""
_CHOOSABLE = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
_NAME_SHARE = 0.46
"""Of the width, for a name with its bar in the same line."""


@dataclass(frozen=True, slots=True)
class Row:
    """What is drawn of an item; anything may be missing.

    Attributes:
        figure: at the end of the first line.
        share: length of the bar, 1 for the longest. It stands on the last line.
        below: at the end of the second line.
        sign: draws what stands before the name into a rectangle.
        colour: of the bar: ``#RRGGBB``, or a colour of the theme by its name.
        note: in small print behind the bar, where there is room.
        strong: semi-bold.
        indent: pixels left free before it.
    """

    name: str = ""
    figure: str = ""
    share: float | None = None
    below: str = ""
    sign: Sign | None = None
    colour: str = "muted"
    note: str = ""
    strong: bool = False
    indent: int = 0


def slot_sign(slot: int, info: SlotInfo) -> Sign:
    """Draws a piece of text as this slot colours it."""
    return lambda painter, area, theme: paint_swatch(
        painter, area.left(), area.center().y(), slot_style(slot, info), theme
    )


def row_item(row: Row, name: str) -> QStandardItem:
    """An item of a model that is drawn as ``row`` and read out as ``name``."""
    item = QStandardItem()
    item.setData(row, _ROW)
    item.setData(name, Qt.ItemDataRole.AccessibleTextRole)
    return item


def _row_of(index: Index) -> Row:
    """What is drawn of an item; nothing of one that a table is short of."""
    row: Row | None = index.data(_ROW)
    return row or Row()


class RowDelegate(QStyledItemDelegate):
    """Draws each item's :class:`Row` in one line or in two; values and bars of a column are aligned."""

    def __init__(self, lines: int, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = LIGHT
        self._lines = lines

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        row = _row_of(index)
        font = QFont(option.font)
        font.setWeight(QFont.Weight.DemiBold)
        width = QFontMetrics(font).horizontalAdvance(f"{row.name}{row.figure}") + _GAP + 1 + 2 * ROW_EDGE + row.indent
        width += SWATCH_WIDTH + _GAP if row.sign else 0
        return QSize(width, self._lines * (option.fontMetrics.height() + 4) + 3)

    @guarded
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = _row_of(index)
        panel = QStyleOptionViewItem(option)
        self.initStyleOption(panel, index)
        panel.widget.style().drawControl(QStyle.ControlElement.CE_ItemViewItem, panel, painter, panel.widget)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        mirrored = partial(QStyle.visualRect, option.direction, option.rect)
        first = option.rect.adjusted(ROW_EDGE + row.indent, 1, -ROW_EDGE, -2)
        first.setHeight(first.height() // self._lines)
        if row.sign is not None:
            row.sign(painter, mirrored(QRect(first.topLeft(), QSize(SWATCH_WIDTH, first.height()))), self.theme)
            first.setLeft(first.left() + SWATCH_WIDTH + _GAP)
        last = first.translated(0, first.height() * (self._lines - 1))
        muted = QColor(self.theme.muted)
        text = QColor(self.theme.text) if panel.widget.isEnabled() else muted
        font = QFont(option.font)
        font.setWeight(QFont.Weight.DemiBold if row.strong else QFont.Weight.Normal)

        def write(area: QRect, words: str, colour: QColor, side: Qt.AlignmentFlag) -> None:
            if words:
                painter.setPen(colour)
                shown = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, area.width())
                painter.drawText(mirrored(area), side | Qt.AlignmentFlag.AlignVCenter, shown)

        painter.setFont(font if self._lines == 1 else option.font)
        write(first, row.figure, text if row.strong else muted, Qt.AlignmentFlag.AlignRight)
        name = first.adjusted(0, 0, -painter.fontMetrics().horizontalAdvance(row.figure) - _GAP, 0)
        if self._lines == 1 and row.share is not None:
            name.setWidth(round(option.rect.width() * _NAME_SHARE) if row.name else -_GAP)
        painter.setFont(font)
        write(name, row.name, text, Qt.AlignmentFlag.AlignLeft)
        painter.setFont(option.font)
        if self._lines > 1:
            write(last, row.below, muted, Qt.AlignmentFlag.AlignRight)
        if row.share is not None:
            bar = last.adjusted(0, 0, -self._widest_end(index, QFontMetrics(font)) - _GAP, 0)
            if self._lines == 1:
                bar.setLeft(name.right() + 1 + _GAP)
            filled = QRect(bar.left(), bar.center().y() - 3, max(2, round(bar.width() * row.share)), 8)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(getattr(self.theme, row.colour, row.colour)))
            painter.drawRoundedRect(mirrored(filled), 2, 2)
            painter.setFont(sans_font(SIZES["caption"]))
            rest = bar.adjusted(filled.width() + 5, 0, 0, 0)
            if painter.fontMetrics().horizontalAdvance(row.note) <= rest.width():
                write(rest, row.note, muted, Qt.AlignmentFlag.AlignLeft)
        painter.restore()

    def _widest_end(self, index: Index, metrics: QFontMetrics) -> int:
        """Width of the values beside the bars of a column."""
        rows = [_row_of(index.sibling(number, index.column())) for number in range(index.model().rowCount())]
        return max(metrics.horizontalAdvance(row.below if self._lines > 1 else row.figure) for row in rows)


class ChoiceRows(QListView):
    """As high as its rows; a click, or Enter, chooses one of those that can be chosen: ``chosen(number)``.

    ``moved(point)`` carries where on the screen the row is that the keys have reached, so that it can be scrolled to;
    ``typed(text)`` carries letters, which search nothing here.

    Attributes:
        takes_words: whether a space is typed too; else it chooses, as Enter does.
    """

    chosen = Signal(int)
    moved = Signal(QPoint)
    typed = Signal(str)

    def __init__(self, lines: int = 1, parent: QWidget | None = None) -> None:
        """``lines`` of text make a row."""
        super().__init__(parent)
        self.takes_words = False
        self._model = QStandardItemModel(self)
        self._delegate = RowDelegate(lines, self)
        self.setModel(self._model)
        self.setItemDelegate(self._delegate)
        self.setProperty("role", "rows")
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.entered.connect(self._show_hand)
        self.clicked.connect(self._choose)

    def set_choices(
        self, rows: Sequence[Row], names: Sequence[str], tips: Sequence[str], choosable: Sequence[bool]
    ) -> None:
        """Of each row: what is drawn, how it is read out, its tooltip as rich text, and whether it can be chosen."""
        self._model.clear()
        for row, name, tip, can_be_chosen in zip(rows, names, tips, choosable, strict=True):
            item = row_item(row, name)
            item.setToolTip(tip)
            item.setFlags(_CHOOSABLE if can_be_chosen else Qt.ItemFlag.NoItemFlags)
            self._model.appendRow(item)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if any(choosable) else Qt.FocusPolicy.NoFocus)
        self.viewport().unsetCursor()
        self.updateGeometry()
        if self.hasFocus() and any(choosable):
            self.setCurrentIndex(self._model.index(choosable.index(True), 0))

    def apply_theme(self, theme: Theme) -> None:
        """Use a theme's colours from now on."""
        self._delegate.theme = theme
        self.viewport().update()

    def sizeHint(self) -> QSize:
        return QSize(200, self.sizeHintForRow(0) * self._model.rowCount())

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.sizeHint().height())

    # -- what the person does -------------------------------------------------------------------------------

    def _show_hand(self, index: QModelIndex) -> None:
        shapes = Qt.CursorShape
        self.viewport().setCursor(shapes.PointingHandCursor if _can_be_chosen(index) else shapes.ArrowCursor)

    def _choose(self, index: QModelIndex) -> None:
        if _can_be_chosen(index):
            self.chosen.emit(index.row())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and self.takes_words:
            self.typed.emit(event.text())
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._choose(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def keyboardSearch(self, search: str) -> None:
        self.typed.emit(search)

    def currentChanged(self, current: Index, previous: Index) -> None:
        super().currentChanged(current, previous)
        if current.isValid():
            self.moved.emit(self.viewport().mapToGlobal(self.visualRect(current).center()))


def _can_be_chosen(index: QModelIndex) -> bool:
    return bool(index.flags() & Qt.ItemFlag.ItemIsEnabled)
