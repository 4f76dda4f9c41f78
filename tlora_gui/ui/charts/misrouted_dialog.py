"""Where on held-out text the Time Mixer errs most: a row a stretch, and the chosen one in its block."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QScrollArea,
    QSplitter,
    QTableView,
    QWidget,
)

from tlora_gui.engine.protocol.events import MisroutedText
from tlora_gui.ui.formats import short
from tlora_gui.ui.generation.inspector.mix_box import MixBox
from tlora_gui.ui.generation.token_view.token_text import ONE_LINE
from tlora_gui.ui.generation.token_view.token_view import TokenView
from tlora_gui.ui.theme import Theme, scaled
from tlora_gui.ui.widgets.layouts import DIALOG_MARGINS, column, label
from tlora_gui.ui.widgets.rows import as_rows, choose_row

_TEXT = Qt.ItemDataRole.UserRole
_WIDTH, _HEIGHT, _MIX_WIDTH = 900, 620, 230
_LONGEST_NAME = 24


class MisroutedDialog(QDialog):
    """Stretches of held-out text that go to another slot than their epoch's, the worst first."""

    def __init__(self, found: Sequence[MisroutedText], theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("misroutedDialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Where the Time Mixer errs"))
        self._model = QStandardItemModel(self)
        self._model.setHorizontalHeaderLabels(
            [self.tr("Text of"), self.tr("goes to"), self.tr("Tokens"), self.tr("Text")]
        )
        for text in found:
            self._model.appendRow(_row(text))
        self.rows = as_rows(QTableView(), "misroutedTable", self.tr("Misrouted text"))
        self.rows.setModel(self._model)
        self.rows.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.rows.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        header = self.rows.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(self._model.columnCount() - 1, QHeaderView.ResizeMode.Stretch)
        self.rows.selectionModel().currentRowChanged.connect(self._show)
        self.text = TokenView(can_branch=False)
        self.text.setObjectName("misroutedText")
        self.text.setAccessibleName(self.tr("The chosen text"))
        self.text.token_selected.connect(self._show_mix)
        self._mix, content, side = MixBox(), QWidget(), QScrollArea()
        content.setLayout(column(self._mix, None, margins=(0, 0, 4, 0)))
        side.setWidget(content)
        side.setWidgetResizable(True)
        side.setFixedWidth(scaled(_MIX_WIDTH))
        side.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        side.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        below = QSplitter(Qt.Orientation.Horizontal)
        below.addWidget(self.text)
        below.addWidget(side)
        both = QSplitter(Qt.Orientation.Vertical)
        for part, stretch in ((self.rows, 2), (below, 3)):
            both.addWidget(part)
            both.setStretchFactor(both.count() - 1, stretch)
        for splitter in (below, both):
            splitter.setChildrenCollapsible(False)
            splitter.setHandleWidth(8)
        note = label(
            self.tr("Of the text kept aside from training, what goes to another epoch than its own, the worst first."),
            "muted",
            wrap=True,
        )
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        whole = column(note, both, buttons, margins=DIALOG_MARGINS)
        whole.setStretch(1, 1)
        self.setLayout(whole)
        self.resize(scaled(_WIDTH), min(scaled(_HEIGHT), self.screen().availableGeometry().height() - 40))
        self.apply_theme(theme)
        choose_row(self.rows, 0)

    def apply_theme(self, theme: Theme) -> None:
        """Use a theme's colours from now on."""
        self.text.apply_theme(theme)
        self._mix.apply_theme(theme)

    def _show(self, current: QModelIndex) -> None:
        text: MisroutedText = current.data(_TEXT)
        self.text.reset(text.slots)
        self.text.add_tokens(text.tokens, announce=False)
        self.text.select_tokens(text.first, text.end - 1)
        self._show_mix(text.end - 1)

    def _show_mix(self, index: int) -> None:
        text: MisroutedText = self.rows.currentIndex().data(_TEXT)
        if 0 <= index < len(text.tokens):
            self._mix.show_token(text.tokens[index], text.slots)


def _row(text: MisroutedText) -> list[QStandardItem]:
    names = {slot.slug: short(slot.name, _LONGEST_NAME) for slot in text.slots}
    words = "".join(token.text for token in text.tokens[text.first : text.end]).translate(ONE_LINE)
    cells = (names[text.slug], names[text.slots[text.slot].slug], f"{text.end - text.first}", words)
    items = [QStandardItem(each) for each in cells]
    for item in items:
        item.setData(text, _TEXT)
    return items
