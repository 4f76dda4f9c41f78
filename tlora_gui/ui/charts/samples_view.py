"""What the mixture says of one prompt while an epoch is learned: a row a sample, its tokens coloured, and one whole."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QFontMetricsF,
    QPainter,
    QStandardItem,
    QStandardItemModel,
    QTextCursor,
    QTextLayout,
    QTextLine,
    QTextOption,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QSplitter,
    QStackedWidget,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from tlora_gui.engine.protocol.events import TrainingSample
from tlora_gui.ui.charts.frame import MARGINS
from tlora_gui.ui.generation.token_view.swatch import token_format
from tlora_gui.ui.generation.token_view.token_style import token_style
from tlora_gui.ui.generation.token_view.token_text import ONE_LINE
from tlora_gui.ui.generation.token_view.token_view import TokenView
from tlora_gui.ui.theme import LIGHT, Theme, mono_font
from tlora_gui.ui.widgets.elided_label import ElidedLabel
from tlora_gui.ui.widgets.layouts import Ends, column, label, row, small_button
from tlora_gui.ui.widgets.painting import guarded
from tlora_gui.ui.widgets.rows import choose_row

_SAMPLE = Qt.ItemDataRole.UserRole


class _TokenLine(QStyledItemDelegate):
    """Draws a sample's tokens in one line, coloured by their dominant epoch; what has no room is left out."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = LIGHT

    @guarded
    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        sample: TrainingSample = index.data(_SAMPLE)
        self.initStyleOption(option, index)
        option.text = ""
        style, view = option.widget.style(), option.widget
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, view)
        room = QRectF(option.rect).adjusted(4, 0, -4, 0)
        formats, at = [], 0
        for token in sample.tokens:
            run = QTextLayout.FormatRange()
            run.start, run.length = at, len(token.text)
            run.format = token_format(token_style(token, sample.slots, "dominant"), self.theme, token.is_prompt)
            formats.append(run)
            at += len(token.text)
        layout = _in_one_line(index.data(), formats)
        line = layout.lineAt(0)
        if line.naturalTextWidth() > room.width():
            left = room.width() - QFontMetricsF(layout.font()).horizontalAdvance("…")
            cut = line.xToCursor(left, QTextLine.CursorPosition.CursorOnCharacter)
            end = max((run.start for run in formats if run.start <= cut), default=0)
            layout = _in_one_line(f"{index.data()[:end]}…", [run for run in formats if run.start < end])
        painter.save()
        painter.setClipRect(room)
        painter.setPen(self.theme.text)
        layout.draw(painter, QPointF(room.left(), room.center().y() - layout.boundingRect().height() / 2))
        painter.restore()


def _in_one_line(text: str, formats: list[QTextLayout.FormatRange]) -> QTextLayout:
    layout, whole = QTextLayout(text, mono_font()), QTextOption()
    whole.setWrapMode(QTextOption.WrapMode.NoWrap)
    layout.setTextOption(whole)
    layout.setFormats(formats)
    layout.beginLayout()
    layout.createLine()
    layout.endLayout()
    return layout


class SamplesView(QFrame):
    """The samples of one training in order of step; the one that is chosen, at first the latest, is shown whole.

    Signals: ``charts_requested()``.
    """

    charts_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.setObjectName("samplesView")
        self.setAccessibleName(self.tr("Samples"))
        self._samples: list[TrainingSample] = []
        self._model = QStandardItemModel(self)
        self._line = _TokenLine(self)
        self._heading, self._caption = ElidedLabel("title"), ElidedLabel("muted")
        self._caption.setProperty("textSize", "caption")
        self._build()
        self.show_samples([], "")

    def _build(self) -> None:
        self.rows = QTableView()
        self.rows.setObjectName("samplesTable")
        self.rows.setAccessibleName(self.tr("Samples by step"))
        self.rows.setModel(self._model)
        self.rows.setItemDelegateForColumn(1, self._line)
        self.rows.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.rows.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.rows.setTabKeyNavigation(False)
        self.rows.setProperty("role", "rows")
        self.rows.setShowGrid(False)
        self.rows.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 10)
        self.rows.verticalHeader().hide()
        self.rows.horizontalHeader().setHighlightSections(False)
        self.rows.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.rows.selectionModel().currentRowChanged.connect(self._show_current)
        self.text = TokenView(can_branch=False)
        self.text.setObjectName("sampleText")
        self.text.setAccessibleName(self.tr("The chosen sample"))
        both = QSplitter(Qt.Orientation.Horizontal)
        both.setChildrenCollapsible(False)
        both.setHandleWidth(8)
        for widget, stretch in ((self.rows, 3), (self.text, 2)):
            both.addWidget(widget)
            both.setStretchFactor(both.count() - 1, stretch)
        empty = label(
            self.tr(
                "No samples. “Sample every” under Advanced of a new epoch lets the mixture continue a prompt of yours "
                "every so many steps while it learns; the texts are listed here."
            ),
            "muted",
            wrap=True,
        )
        empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._pages = QStackedWidget()
        self._pages.addWidget(empty)
        self._pages.addWidget(both)
        self.back = small_button(self.tr("Charts"), self.tr("Show the charts again"), "showChartsButton")
        self.back.clicked.connect(self.charts_requested)
        whole = column(
            Ends(self._heading, row(self.back), spacing=2), self._caption, self._pages, spacing=2, margins=MARGINS
        )
        whole.setStretch(2, 1)
        self.setLayout(whole)

    def show_samples(self, samples: Sequence[TrainingSample], epoch: str) -> None:
        """Show these, all of the epoch of this name; the chosen one stays chosen unless it was the latest."""
        self._heading.show_text(self.tr("Samples of {epoch}").format(epoch=epoch) if samples else self.tr("Samples"))
        self._caption.show_text(self.tr("one prompt and one seed, by step") if samples else "")
        self._pages.setCurrentIndex(1 if samples else 0)
        shown, samples = self._samples, list(samples)
        if samples == shown:
            return
        at = self.rows.currentIndex().row()
        follows = at in (-1, len(shown) - 1)
        if samples[: len(shown)] != shown or not shown:
            self._model.clear()
            self._model.setHorizontalHeaderLabels([self.tr("Step"), self.tr("Text")])
            header = self.rows.horizontalHeader()
            header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
            header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
            shown, follows = [], True
        for sample in samples[len(shown) :]:
            self._model.appendRow([_item(f"{sample.step}", sample), _item(_text(sample), sample)])
        self._samples = samples
        if follows and samples:
            choose_row(self.rows, len(samples) - 1)
            self.rows.scrollToBottom()

    def _show_current(self, current: QModelIndex) -> None:
        sample: TrainingSample | None = current.data(_SAMPLE) if current.isValid() else None
        self.text.reset(sample.slots if sample else ())
        if sample:
            self.text.add_tokens(sample.tokens, announce=False)
            self.text.moveCursor(QTextCursor.MoveOperation.Start)

    def apply_theme(self, theme: Theme) -> None:
        """Use a theme's colours from now on."""
        self._line.theme = theme
        self.text.apply_theme(theme)
        self.rows.viewport().update()


def _item(text: str, sample: TrainingSample) -> QStandardItem:
    item = QStandardItem(text)
    item.setEditable(False)
    item.setData(sample, _SAMPLE)
    return item


def _text(sample: TrainingSample) -> str:
    """The tokens in one line, character for character."""
    return "".join(token.text for token in sample.tokens).translate(ONE_LINE)
