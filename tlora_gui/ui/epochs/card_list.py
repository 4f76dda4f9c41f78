"""A list of cards that the arrow keys walk through."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListWidget,
    QListWidgetItem,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from tlora_gui.ui.widgets.layouts import column, put_bar_in_margin, set_role
from tlora_gui.ui.widgets.painting import guarded

_GAP = 8
_KEY = Qt.ItemDataRole.UserRole


def _key_of(item: QListWidgetItem | None) -> str:
    return "" if item is None else str(item.data(_KEY))


class _NothingBehindCards(QStyledItemDelegate):
    """Cards mark themselves; the style's own selection would show around their corners."""

    @guarded
    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        pass


class _Holder(QWidget):
    """A card with the gap below it; signals when the card wants another height."""

    def __init__(self, card: QFrame, cards: CardList) -> None:
        super().__init__()
        self._cards = cards
        self.setLayout(column(card, margins=(0, 0, 0, _GAP)))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self._cards.fit_heights_soon()
        return super().event(event)


class CardList(QListWidget):
    """Cards by key, as high as their content; the current one is marked, more strongly while it has the keyboard."""

    card_leaving = Signal(str)
    """This card is about to be deleted."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "cards")
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setSizeAdjustPolicy(QAbstractItemView.SizeAdjustPolicy.AdjustIgnored)
        self.setItemDelegate(_NothingBehindCards(self))
        self.viewport().setAutoFillBackground(False)
        put_bar_in_margin(self)
        self._fitting = QTimer(self)
        self._fitting.setSingleShot(True)
        self._fitting.setInterval(0)
        self._fitting.timeout.connect(self.fit_heights)
        self.currentItemChanged.connect(self.mark_current)

    def keys(self) -> list[str]:
        """From top to bottom."""
        return [_key_of(self.item(index)) for index in range(self.count())]

    def current_key(self) -> str:
        """Key of the current card, empty if there is none."""
        return _key_of(self.currentItem())

    def key_at(self, where: QPoint) -> str:
        """Key of the card at a point of the viewport, empty beside all cards."""
        return _key_of(self.itemAt(where))

    def card(self, key: str) -> QFrame | None:
        """The card of this key, if it is there."""
        for index in range(self.count()):
            if _key_of(self.item(index)) == key:
                return self._card_at(index)
        return None

    def set_keys(self, keys: Sequence[str], make: Callable[[str], QFrame]) -> None:
        """Have exactly these cards in this order. Cards that stay are left alone; new ones are made.

        Whoever fills them calls :meth:`fit_heights` then.
        """
        current = self.current_key()
        for index in reversed(range(self.count())):
            if _key_of(self.item(index)) not in keys:
                self._take(index)
        kept = self.keys()
        if kept != [key for key in keys if key in kept]:
            while self.count():
                self._take(0)
        for index, key in enumerate(keys):
            if index >= self.count() or _key_of(self.item(index)) != key:
                self._insert(index, key, make(key))
        if current in keys:
            self.setCurrentRow(list(keys).index(current))

    def fit_heights_soon(self) -> None:
        """Fit the heights once the changes under way are done."""
        self._fitting.start()

    def fit_heights(self) -> None:
        """Give every row the height that its card needs at this width, at once."""
        width = self.viewport().width()
        for index in range(self.count()):
            item = self.item(index)
            holder = self.itemWidget(item)
            if holder is None:  # inserting an item may resize the list before the item has its card
                continue
            for part in reversed([holder, *holder.findChildren(QWidget)]):  # the innermost first
                if (layout := part.layout()) is not None:
                    layout.activate()
            height = holder.heightForWidth(width) if holder.hasHeightForWidth() else holder.sizeHint().height()
            if item.sizeHint().height() != height:
                item.setSizeHint(QSize(0, height))
            card = self._card_at(index)
            if card is not None:
                item.setData(Qt.ItemDataRole.AccessibleTextRole, card.accessibleName())
        self.executeDelayedItemsLayout()

    def mark_current(self, *_: object) -> None:
        """Show which card is the current one."""
        current = self.currentRow()
        for index in range(self.count()):
            card = self._card_at(index)
            if card is not None:
                mark = "" if index != current else "focused" if self.hasFocus() else "selected"
                set_role(card, "current", mark)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit_heights()
        self.scheduleDelayedItemsLayout()  # cards follow the width even if no height changed

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if self.currentItem() is None and self.count():
            self.setCurrentRow(0)
        self.mark_current()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.mark_current()

    def _card_at(self, index: int) -> QFrame | None:
        holder = self.itemWidget(self.item(index))
        return None if holder is None else holder.findChild(QFrame, options=Qt.FindChildOption.FindDirectChildrenOnly)

    def _insert(self, index: int, key: str, card: QFrame) -> None:
        item = QListWidgetItem()
        item.setData(_KEY, key)
        item.setSizeHint(QSize(0, card.sizeHint().height() + _GAP))
        self.insertItem(index, item)
        self.setItemWidget(item, _Holder(card, self))

    def _take(self, index: int) -> None:
        self.card_leaving.emit(_key_of(self.item(index)))
        self.itemWidget(self.item(index)).hide()  # it is deleted a little later
        self.removeItemWidget(self.item(index))
        self.takeItem(index)
