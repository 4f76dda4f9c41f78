"""Every text that was generated or read, and what can be done with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QFrame, QLineEdit, QSizePolicy, QToolButton, QWidget

from tlora_gui.engine.protocol.texts import GenerationSummary
from tlora_gui.ui.generation.library.generations_tree import GenerationsTree
from tlora_gui.ui.widgets.layouts import Ends, column, label, row, small_button
from tlora_gui.ui.widgets.own_keys import OwnKey

FEWEST_COMPARED, MOST_COMPARED = 2, 4


class GenerationsPanel(QFrame):
    """Lists kept texts with their branches and asks to open, name, pin, delete or compare them.

    Undo and redo, of walks between branches and of deletions, are asked for here and done elsewhere.
    """

    open_requested = Signal(str)
    rename_requested = Signal(str, str)
    """id, name"""
    pin_requested = Signal(str, bool)
    delete_requested = Signal(list)
    """Ids; with what branches off them."""
    compare_requested = Signal(list)
    """Two to four ids."""
    undo_requested = Signal()
    redo_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("textsPanel")
        self.setProperty("role", "panel")
        self.setAccessibleName(self.tr("Texts"))
        self._generations: tuple[GenerationSummary, ...] = ()
        self._undo = self._button("undoBranchButton", self.tr("Undo"))
        self._redo = self._button("redoBranchButton", self.tr("Redo"))
        self._undo.clicked.connect(self.undo_requested)
        self._redo.clicked.connect(self.redo_requested)
        self._filter = QLineEdit()
        self._filter.setAcceptDrops(False)  # files are left to the window
        self._filter.setObjectName("textsFilter")
        self._filter.setAccessibleName(self.tr("Filter texts"))
        self._filter.setToolTip(self.tr("Show only texts in which these words occur: in name, prompt or text"))
        self._filter.setPlaceholderText(self.tr("Filter"))
        self._filter.setClearButtonEnabled(True)
        self._tree = GenerationsTree()
        self._empty = label("", "muted", wrap=True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._empty.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self._build_actions()
        self._lay_out()
        self._filter.textChanged.connect(self._tree.set_filter)
        self._tree.open_requested.connect(self.open_requested)
        self._tree.renamed.connect(self.rename_requested)
        self._tree.choice_changed.connect(self._offer)
        self.set_undo(False, False)
        self._offer()

    # -- building -------------------------------------------------------------------------------------------

    def _button(self, name: str, text: str) -> QToolButton:
        button = small_button(text, text)
        button.setObjectName(name)
        return button

    def _action(self, text: str, tip: str, key: QKeySequence | None = None) -> QAction:
        action = QAction(text, self)
        action.setToolTip(tip)
        if key is not None:
            action.setShortcut(key)
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        self._tree.addAction(action)
        return action

    def _build_actions(self) -> None:
        self._open = self._action(self.tr("Open"), self.tr("Show this text"))
        self._rename = self._action(
            self.tr("Rename"), self.tr("Give this text a name (F2); an empty one takes it away"), QKeySequence("F2")
        )
        self._pin = self._action(self.tr("Pin"), self.tr("Keep this text on top of the list"))
        self._pin.setCheckable(True)
        self._delete = self._action(
            self.tr("Delete"),
            self.tr("Delete the selected texts and what branches off them (Del); this can be undone"),
            QKeySequence(QKeySequence.StandardKey.Delete),
        )
        self._compare = self._action(
            self.tr("Compare"), self.tr("Show two to four texts side by side; select them with Ctrl or Shift")
        )
        self._open.triggered.connect(self._ask_to_open)
        self._rename.triggered.connect(self._tree.edit_name)
        OwnKey(Qt.Key.Key_F2, self, self._rename.trigger)
        self._pin.triggered.connect(self._ask_to_pin)
        self._delete.triggered.connect(self._ask_to_delete)
        self._compare.triggered.connect(self._ask_to_compare)
        self._tree.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)

    def _lay_out(self) -> None:
        buttons = []
        for name, action in (
            ("renameTextButton", self._rename),
            ("pinTextButton", self._pin),
            ("deleteTextButton", self._delete),
            ("compareTextsButton", self._compare),
        ):
            button = self._button(name, action.text())
            button.setDefaultAction(action)
            buttons.append(button)
        header = row(label(self.tr("Texts"), "heading"), None, self._undo, self._redo, spacing=0)
        below = Ends(row(*buttons[:3], None, spacing=0), buttons[3], spacing=0)
        whole = column(header, self._filter, self._tree, self._empty, below, margins=(12, 12, 12, 12))
        whole.addStrut(200)
        self.setLayout(whole)

    # -- what to show ---------------------------------------------------------------------------------------

    def set_generations(self, generations: tuple[GenerationSummary, ...]) -> None:
        """All kept texts, in the order in which they were kept; selection, folding and place in the list stay."""
        if generations == self._generations:
            return
        self._generations = generations
        self._tree.set_generations(generations)

    def set_current(self, text_id: str) -> None:
        """Mark the text that is open; empty for none."""
        self._tree.set_opened(text_id)

    def set_names(self, names: Mapping[str, str]) -> None:
        """How people know the modes: mode -> label."""
        self._tree.set_names(names)

    def set_undo(self, can_undo: bool, can_redo: bool, undo_text: str = "", redo_text: str = "") -> None:
        """What can be taken back and done again; the texts say what that is."""
        for button, possible, word, what in (
            (self._undo, can_undo, self.tr("Undo"), undo_text),
            (self._redo, can_redo, self.tr("Redo"), redo_text),
        ):
            button.setEnabled(possible)
            whole = self.tr("{word}: {what}").format(word=word, what=what) if what else word
            button.setToolTip(whole)
            button.setAccessibleName(whole)

    def _offer(self) -> None:
        """Enable what the selection allows; say so if there is nothing to select."""
        chosen, current = self._tree.chosen(), self._tree.current_text()
        self._open.setEnabled(current is not None)
        self._rename.setEnabled(current is not None)
        self._pin.setEnabled(current is not None)
        self._pin.setChecked(current is not None and current.pinned)
        self._pin.setText(self.tr("Unpin") if self._pin.isChecked() else self.tr("Pin"))
        self._delete.setEnabled(bool(chosen))
        self._compare.setEnabled(FEWEST_COMPARED <= len(chosen) <= MOST_COMPARED)
        is_empty = self._tree.is_empty
        self._tree.setVisible(not is_empty)
        self._empty.setVisible(is_empty)
        self._empty.setText(
            self.tr("No text has these words.")
            if self._generations
            else self.tr("Nothing generated yet. Every text that you generate or read is kept here.")
        )

    # -- what the person does -------------------------------------------------------------------------------

    def _ask_to_open(self) -> None:
        if text := self._tree.current_text():
            self.open_requested.emit(text.id)

    def _ask_to_pin(self, pinned: bool) -> None:
        if text := self._tree.current_text():
            self.pin_requested.emit(text.id, pinned)

    def _ask_to_delete(self) -> None:
        self.delete_requested.emit(_topmost(self._tree.chosen(), self._generations))

    def _ask_to_compare(self) -> None:
        self.compare_requested.emit([text.id for text in self._tree.chosen()])


def _topmost(chosen: Sequence[GenerationSummary], every: Sequence[GenerationSummary]) -> list[str]:
    """Ids of those that do not go anyway, because something that they branch off is chosen."""
    parents = {text.id: text.parent for text in every}
    ids = {text.id for text in chosen}

    def goes_anyway(text_id: str) -> bool:
        # A circle of parents would be damage; no chain is longer than all texts.
        for _ in parents:
            text_id = parents.get(text_id, "")
            if text_id in ids:
                return True
        return False

    return [text.id for text in chosen if not goes_anyway(text.id)]
