"""What was deleted from the project: to be brought back, or removed for good."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from tlora_gui.engine.protocol.events import Progress, TrashItem
from tlora_gui.ui.formats import MISSING, date_and_time, human_bytes
from tlora_gui.ui.theme import scaled
from tlora_gui.ui.translation import filled, worded
from tlora_gui.ui.widgets.layouts import DIALOG_MARGINS, column, label
from tlora_gui.ui.widgets.questions import Choice, ask
from tlora_gui.ui.widgets.rows import as_rows, choose_row

_WIDTH, _HEIGHT = 720, 460
_NAME, _SIZE = 1, 3
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class TrashDialog(QDialog):
    """The trash of the project. Open with ``open()``; it deletes itself when it closes.

    Signals:
        restore_requested: these are to come back (list of TrashItem).
        empty_requested: everything is to be removed for good; the person has said so twice.
    """

    restore_requested = Signal(list)
    empty_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("trashDialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Trash"))
        self._items: tuple[TrashItem, ...] = ()
        self._busy = True
        headings = [self.tr("What"), self.tr("Name"), self.tr("Deleted"), self.tr("Size")]
        self.list = as_rows(QTableWidget(0, len(headings)), "trashList", self.tr("Trash"))
        self.list.setHorizontalHeaderLabels(headings)
        model, role = self.list.model(), Qt.ItemDataRole.TextAlignmentRole
        model.setHeaderData(_SIZE, Qt.Orientation.Horizontal, _RIGHT, role)
        self.list.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        header = self.list.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        self._empty = label(self.tr("Nothing is in the trash."), "muted", wrap=True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.list.viewport().setLayout(column(self._empty))
        self._problem = label("", "problem", wrap=True)
        self._problem.setObjectName("trashProblem")
        self._progress = label("", "caption", wrap=True)
        self._progress.setObjectName("trashProgress")
        meaning = self.tr(
            "An epoch comes back as it was. If another one was trained since, the Time Mixer learns its slot anew "
            "from what the epoch remembers."
        )
        self.setLayout(
            column(
                label(meaning, "muted", wrap=True), self.list, self._progress, self._problem, self._build_buttons(),
                spacing=10, margins=DIALOG_MARGINS,
            )
        )  # fmt: skip
        self.resize(scaled(_WIDTH), scaled(_HEIGHT))
        self.list.itemSelectionChanged.connect(self._offer)
        self.list.activated.connect(self._ask_to_restore)
        self._problem.hide()
        self._progress.hide()
        self._offer()

    def _build_buttons(self) -> QDialogButtonBox:
        roles, buttons = QDialogButtonBox.ButtonRole, QDialogButtonBox()
        self._restore = buttons.addButton(self.tr("Restore"), roles.AcceptRole)
        self._restore.setObjectName("restoreButton")
        self._restore.setProperty("role", "primary")
        self._restore.setToolTip(self.tr("Bring back what is chosen"))
        self._clear = buttons.addButton(self.tr("Empty trash…"), roles.ResetRole)
        self._clear.setObjectName("emptyTrashButton")
        self._clear.setToolTip(self.tr("Remove everything in the trash for good"))
        buttons.addButton(self.tr("Close"), roles.RejectRole).setObjectName("closeTrashButton")
        buttons.accepted.connect(self._ask_to_restore)
        self._clear.clicked.connect(self._ask_to_empty)
        buttons.rejected.connect(self.reject)
        return buttons

    # -- what to show -------------------------------------------------------------------------------------------

    def set_items(self, items: Sequence[TrashItem]) -> None:
        """Everything in the trash, the one deleted last first."""
        self._items = tuple(items)
        self.list.setRowCount(len(items))
        for row, item in enumerate(items):
            when = date_and_time(item.deleted) if item.deleted else MISSING
            texts = (self._kind(item), self._name(item), when, human_bytes(item.size))
            for place, text in enumerate(texts):
                cell = QTableWidgetItem(text)
                cell.setToolTip(item.name if place == _NAME else "")
                if place == _SIZE:
                    cell.setTextAlignment(_RIGHT)
                self.list.setItem(row, place, cell)
        choose_row(self.list, 0)
        self._empty.setVisible(not items)
        self.list.horizontalHeader().setVisible(bool(items))
        self.set_busy(False)

    def set_busy(self, busy: bool) -> None:
        """Something is on its way, or has come or gone."""
        self._busy = busy
        self._progress.setVisible(self._progress.isVisible() and busy)
        if busy:
            self._problem.hide()
        self._offer()

    def show_progress(self, progress: Progress) -> None:
        """How far it is."""
        amount = filled("{done:,.0f} / {total:,.0f}", done=progress.done, total=progress.total)
        self._progress.setText(f"{worded(progress.label)} {amount if progress.total else ''}".strip())
        self._progress.show()

    def show_problem(self, message: str, hint: str) -> None:
        """Something that was asked for failed."""
        self._problem.setText(f"{worded(message)} {worded(hint)}".strip())
        self._problem.show()

    def _kind(self, item: TrashItem) -> str:
        match item.kind:
            case "epoch":
                return self.tr("Epoch")
            case "text":
                return self.tr("Text")
            case _:
                return self.tr("Run {number}").format(number=item.id.partition("-")[0].lstrip("0"))

    def _name(self, item: TrashItem) -> str:
        name = " ".join(item.name.split())
        if not item.others:
            return name
        return filled(self.tr("{name} (and {count} branches)"), name=name, count=item.others)

    # -- what the person does -----------------------------------------------------------------------------------

    def _offer(self) -> None:
        self._restore.setEnabled(not self._busy and self.list.selectionModel().hasSelection())
        self._clear.setEnabled(not self._busy and bool(self._items))

    def _ask_to_restore(self) -> None:
        if self._restore.isEnabled():
            rows = sorted(index.row() for index in self.list.selectionModel().selectedRows())
            self.restore_requested.emit([self._items[row] for row in rows])

    def _ask_to_empty(self) -> None:
        size = human_bytes(sum(item.size for item in self._items))
        count = len(self._items)
        text = self.tr("What was deleted ({count}) is removed for good, and {size} become free. This cannot be undone.")
        choice = Choice("empty", self.tr("Empty trash"), destructive=True)
        ask(
            self, self.tr("Empty the trash?"), filled(text, count=count, size=size), (choice,), self.tr("Keep"),
            lambda _key: self.empty_requested.emit(),
        )  # fmt: skip
