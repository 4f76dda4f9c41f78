"""Kept texts as a forest: what branches off stands under what it left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QSortFilterProxyModel, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QAbstractItemView, QTreeView, QWidget

from tlora_gui.engine.protocol.texts import GenerationSummary
from tlora_gui.ui.generation.library.generation_row import SUMMARY, GenerationRow, text_at, title_of

_SEARCHED = SUMMARY + 1
_TOOLTIP_CHARACTERS = 300


class GenerationsTree(QTreeView):
    """Two lines a text. Enter or a click opens one: ``open_requested(id)``; an edited name: ``renamed(id, name)``."""

    open_requested = Signal(str)
    renamed = Signal(str, str)
    choice_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._folded: set[str] = set()
        self._item_of: dict[str, QStandardItem] = {}
        self._items = QStandardItemModel(self)
        self._shown = QSortFilterProxyModel(self)
        self._shown.setFilterRole(_SEARCHED)
        self._shown.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._shown.setRecursiveFilteringEnabled(True)
        self._shown.setSourceModel(self._items)
        self._row = GenerationRow(self)
        self._row.renamed.connect(self.renamed)
        self.setModel(self._shown)
        self.setItemDelegate(self._row)
        self.setObjectName("textsTree")
        self.setAccessibleName(self.tr("Kept texts"))
        self.setToolTip(self.tr("Open a text by a click or Enter; select several with Ctrl or Shift"))
        self.setHeaderHidden(True)
        self.setUniformRowHeights(True)
        self.setIndentation(14)
        self.setExpandsOnDoubleClick(False)
        self.setMouseTracking(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.clicked.connect(self._clicked)
        self.collapsed.connect(self._fold)
        self.expanded.connect(self._unfold)
        self.selectionModel().selectionChanged.connect(self.choice_changed)
        self._ageing = QTimer(self, interval=60_000)  # "5 min ago" does not stay true
        self._ageing.timeout.connect(self.viewport().update)
        self._ageing.start()

    # -- what to show ---------------------------------------------------------------------------------------

    def set_generations(self, generations: Sequence[GenerationSummary]) -> None:
        """Show these, in the order in which they were kept; what is selected, folded and in sight stays."""
        chosen, current = self.chosen(), self.current_text()
        scrolled = self.verticalScrollBar().value()
        # A model that is looked at takes a second to forget 2,000 rows; another one in its place takes milliseconds.
        before, self._items = self._items, QStandardItemModel(self)
        self._item_of, roots = _forest(generations)
        self._items.setHorizontalHeaderLabels([self.tr("Kept texts")])  # hidden, but read out
        self._items.invisibleRootItem().appendRows(roots)
        self._shown.setSourceModel(self._items)
        before.deleteLater()
        self.setRootIsDecorated(any(root.hasChildren() for root in roots))
        self._expand()
        if current is not None:
            self.selectionModel().setCurrentIndex(
                self._index_of(current.id), QItemSelectionModel.SelectionFlag.NoUpdate
            )
        for text in chosen:
            self.selectionModel().select(self._index_of(text.id), QItemSelectionModel.SelectionFlag.Select)
        self.verticalScrollBar().setValue(scrolled)
        self.choice_changed.emit()

    def set_opened(self, text_id: str) -> None:
        """Mark the text that is open elsewhere in the window."""
        self._row.opened = text_id
        self.viewport().update()

    def set_names(self, names: Mapping[str, str]) -> None:
        """How people know the modes."""
        self._row.names = dict(names)
        self.viewport().update()

    def set_filter(self, words: str) -> None:
        """Show only texts in which these words occur, and what those branch off."""
        self._shown.setFilterFixedString(words)
        self._expand()
        self.choice_changed.emit()

    def _expand(self) -> None:
        folded = set(self._folded)
        self.expandAll()
        for text_id in folded:
            self.collapse(self._index_of(text_id))

    def _fold(self, index: QModelIndex) -> None:
        self._folded.add(text_at(index).id)

    def _unfold(self, index: QModelIndex) -> None:
        self._folded.discard(text_at(index).id)

    # -- what is there --------------------------------------------------------------------------------------

    def chosen(self) -> list[GenerationSummary]:
        """The selected texts, from top to bottom."""
        return [text_at(index) for index in sorted(self.selectionModel().selectedIndexes(), key=_place)]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing, or the filter leaves nothing."""
        return self._shown.rowCount() == 0

    def current_text(self) -> GenerationSummary | None:
        """The text that the keyboard is at."""
        index = self.currentIndex()
        return text_at(index) if index.isValid() else None

    def edit_name(self) -> None:
        """Let the person type a name for the current text."""
        self.edit(self.currentIndex())

    def _index_of(self, text_id: str) -> QModelIndex:
        """Where a text stands; nowhere if it is gone or filtered out."""
        item = self._item_of.get(text_id)
        return QModelIndex() if item is None else self._shown.mapFromSource(item.index())

    # -- what the person does -------------------------------------------------------------------------------

    def _clicked(self, index: QModelIndex) -> None:
        # With Ctrl or Shift people collect texts to compare.
        if len(self.selectionModel().selectedIndexes()) == 1:
            self.open_requested.emit(text_at(index).id)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        text = self.current_text()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and text is not None:
            self.open_requested.emit(text.id)
        else:
            super().keyPressEvent(event)


def _place(index: QModelIndex) -> list[int]:
    """Rows on the way down to it: they sort as the tree reads."""
    rows = []
    while index.isValid():
        rows.append(index.row())
        index = index.parent()
    return rows[::-1]


def _forest(generations: Sequence[GenerationSummary]) -> tuple[dict[str, QStandardItem], list[QStandardItem]]:
    """Every item by its text's id, and the roots: pinned ones first, then the newest; branches in their own order."""
    items: dict[str, QStandardItem] = {}
    roots = []
    for text in generations:
        item = QStandardItem(title_of(text))
        item.setData(text, SUMMARY)
        item.setData("\n".join((text.name, text.prompt, text.text)), _SEARCHED)
        item.setToolTip(text.prompt[:_TOOLTIP_CHARACTERS])
        items[text.id] = item
        # Parents are kept before their branches. Anything else is damage, and could be a circle.
        parent = items.get(text.parent) if text.parent != text.id else None
        if parent is None:
            roots.append((text, item))
        else:
            parent.appendRow(item)
    roots.reverse()
    return items, [item for _, item in sorted(roots, key=lambda root: (not root[0].pinned, -root[0].created))]
