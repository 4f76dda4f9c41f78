"""No key means two things in one place: a part's own key goes before the window's."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest
from kit import child
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QListWidget, QMenu, QPlainTextEdit, QTreeView, QWidget
from whole_window import a_generation, whole_window
from window_states import turn

from tlora_gui.engine.projects.records import summary_of
from tlora_gui.ui.epochs.edit_epoch_dialog import EditEpochDialog
from tlora_gui.ui.window import MainWindow

_CONTEXT = Qt.ShortcutContext


@pytest.fixture
def window(tmp_path: Path, qapp: QApplication) -> Iterator[MainWindow]:
    """On a project whose last text is shown."""
    with whole_window(project=tmp_path) as shown:
        shown.texts.set_generations((summary_of(a_generation()),))
        shown.activateWindow()
        turn()
        yield shown


def holders(owner: QObject) -> Iterator[QWidget]:
    """Widgets in which an action can be found: a menu is in what opens it."""
    if isinstance(owner, QMenu):
        for above in owner.menuAction().associatedObjects():
            yield from holders(above)
    elif isinstance(owner, QWidget):
        yield owner


def reach(context: Qt.ShortcutContext, widgets: list[QWidget], window: MainWindow) -> set[QWidget]:
    """Widgets of the window that have the focus when a key with this context works."""
    within = {_CONTEXT.WidgetShortcut: set(widgets)}
    children = {part for widget in widgets for part in (widget, *widget.findChildren(QWidget))}
    within[_CONTEXT.WidgetWithChildrenShortcut] = children
    everywhere = {window, *window.findChildren(QWidget)} if widgets else set()
    return {part for part in within.get(context, everywhere) if part.window() is window}


def keys_of(window: MainWindow) -> Iterator[tuple[str, str, set[QWidget]]]:
    """Each key, whose it is, and where it works."""
    for action in [found for found in window.findChildren(QAction) if found.shortcuts()]:
        widgets = [widget for owner in action.associatedObjects() for widget in holders(owner)]
        for keys in action.shortcuts():
            yield keys.toString(), action.text(), reach(action.shortcutContext(), widgets, window)
    for shortcut in window.findChildren(QShortcut):
        parent = shortcut.parent()
        assert isinstance(parent, QWidget)
        for keys in QShortcut.keys(shortcut):
            yield keys.toString(), f"a key of {parent.objectName()}", reach(shortcut.context(), [parent], window)


def claims(widget: QWidget, keys: str) -> bool:
    """Whether a widget takes this key for itself before any shortcut does."""
    combination = QKeySequence(keys)[0]
    event = QKeyEvent(QEvent.Type.ShortcutOverride, combination.key(), combination.keyboardModifiers())
    event.ignore()
    QApplication.sendEvent(widget, event)
    return event.isAccepted()


def test_no_key_works_for_two_in_one_place(window: MainWindow) -> None:
    known = list(keys_of(window))
    assert len(known) > 30
    ambiguous = {
        f"{first[0]} in {widget.objectName()}: {first[1]}, {second[1]}"
        for first, second in combinations(known, 2)
        for widget in first[2] & second[2]
        if first[0] == second[0]
        if widget.focusPolicy() != Qt.FocusPolicy.NoFocus and not claims(widget, first[0])
    }
    assert sorted(ambiguous) == []


def test_f2_renames_the_epoch_that_has_the_focus_though_a_text_is_shown(window: MainWindow) -> None:
    cards = child(window, "epochList", QListWidget)
    cards.setCurrentRow(1)
    for _ in range(2):  # Qt tries in turn what is ambiguous
        cards.setFocus()
        QTest.keyClick(cards, Qt.Key.Key_F2)
        dialog = window.findChild(EditEpochDialog)
        assert dialog is not None and dialog.isVisible()
        dialog.close()
        dialog.deleteLater()
        QTest.qWait(0)
        assert not child(window, "promptEdit").isVisible()


def test_f2_renames_the_chosen_text_and_ends_up_nowhere_else(window: MainWindow) -> None:
    window.raise_dock(window.texts)
    tree = child(window, "textsTree", QTreeView)
    tree.setFocus()
    tree.setCurrentIndex(tree.model().index(0, 0))
    QTest.keyClick(tree, Qt.Key.Key_F2)
    assert tree.state() == QTreeView.State.EditingState
    assert not child(window, "promptEdit").isVisible()


def test_f2_edits_the_prompt_everywhere_else(window: MainWindow) -> None:
    text = child(window, "tokenView", QPlainTextEdit)
    text.setFocus()
    QTest.keyClick(text, Qt.Key.Key_F2)
    assert child(window, "promptEdit").isVisible() and window.findChild(EditEpochDialog) is None
