"""Every control of the window and its dialogs can be named, explained and reached by keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialogButtonBox,
    QDockWidget,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMenu,
    QMenuBar,
    QPlainTextEdit,
    QScrollBar,
    QTabBar,
    QTextEdit,
    QToolButton,
    QWidget,
)
from whole_window import EPOCHS, whole_window

from tlora_gui.engine.protocol.config import TrainSettings
from tlora_gui.ui.epochs.edit_epoch_dialog import EditEpochDialog
from tlora_gui.ui.epochs.new_epoch_dialog import NewEpochDialog
from tlora_gui.ui.widgets.commands import commands_of
from tlora_gui.ui.widgets.questions import Choice, ask
from tlora_gui.ui.window import MainWindow

CONTROLS = (
    QAbstractButton, QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit, QPlainTextEdit,
    QTabBar, QTextEdit,
)  # fmt: skip


def controls(root: QWidget) -> list[QWidget]:
    """What a person can use within a widget, hidden parts too; insides of Qt's own controls left out."""
    found = [widget for widget in root.findChildren(QWidget) if isinstance(widget, CONTROLS)]
    return [widget for widget in found if not (_is_a_part(widget) or _is_empty(widget))]


def _is_a_part(widget: QWidget) -> bool:
    """Of a control that has a name itself, or of Qt's window frame."""
    if isinstance(widget, (QHeaderView, QScrollBar)) or widget.objectName().startswith("qt_"):
        return True
    above = widget.parentWidget()
    if isinstance(above, (QAbstractItemView, QLineEdit, QTabBar, QDockWidget, QMenuBar)):
        return isinstance(widget, QAbstractButton) and type(widget).__module__.startswith("PySide6")
    while above is not None:
        if isinstance(above, (QAbstractSpinBox, QComboBox)):
            return True
        above = above.parentWidget()
    return False


def _is_empty(widget: QWidget) -> bool:
    """A tab bar without tabs, or a button that is hidden until it is given what to say."""
    if isinstance(widget, QTabBar):
        return widget.count() == 0
    return isinstance(widget, QAbstractButton) and not (widget.isVisible() or widget.text())


def named(widget: QWidget) -> str:
    """A widget as a failing test calls it."""
    parent = widget.parentWidget()
    within = "" if parent is None else f" in {type(parent).__name__} {parent.objectName()!r}"
    return f"{type(widget).__name__} {widget.objectName()!r}{within}"


def spoken_name(widget: QWidget) -> str:
    """What a screen reader calls a control: its name or the words on it; nothing if a tab has none."""
    if isinstance(widget, QTabBar) and not widget.accessibleName():
        tabs = [widget.tabText(tab) for tab in range(widget.count())]
        return ", ".join(tabs) if all(tabs) else ""
    return widget.accessibleName() or (widget.text() if isinstance(widget, QAbstractButton) else "")


def is_icon_only(button: QWidget) -> bool:
    """Whether nothing can be read on a button; a single sign is no word."""
    if not isinstance(button, QAbstractButton):
        return False
    without_text = isinstance(button, QToolButton) and button.toolButtonStyle() == Qt.ToolButtonStyle.ToolButtonIconOnly
    return not any(letter.isalpha() for letter in button.text()) or (without_text and not button.icon().isNull())


def nameless(root: QWidget) -> list[str]:
    """Controls without a name."""
    return [named(widget) for widget in controls(root) if not spoken_name(widget).strip()]


def unexplained(root: QWidget) -> list[str]:
    """Icon-only buttons without an accessible name or without a tooltip."""
    buttons = [widget for widget in controls(root) if is_icon_only(widget)]
    return [named(button) for button in buttons if not (button.accessibleName() and button.toolTip())]


def out_of_reach(root: QWidget) -> list[str]:
    """Shown and enabled controls that take the keyboard, but that neither Tab nor the arrows of a group lead to."""
    wanting = [
        widget
        for widget in controls(root)
        if widget.isVisibleTo(root) and widget.isEnabled() and widget.focusPolicy() != Qt.FocusPolicy.NoFocus
    ]
    return [named(widget) for widget in wanting if not any(_takes_tab(each) for each in _group_of(widget))]


def _takes_tab(widget: QWidget) -> bool:
    return bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)


def _group_of(widget: QWidget) -> Sequence[QWidget]:
    """Buttons that exclude each other are one stop for Tab."""
    if not isinstance(widget, QAbstractButton):
        return [widget]
    group, above = widget.group(), widget.parentWidget()
    if group is not None:
        return group.buttons()
    beside = above.findChildren(QAbstractButton) if above is not None and widget.autoExclusive() else []
    return [widget, *(other for other in beside if other.autoExclusive())]


@pytest.fixture(scope="module", params=["welcome", "workspace"])
def window(
    request: pytest.FixtureRequest, qapp: QApplication, module_places: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MainWindow]:
    """The window at the welcome and with a project; only looked at."""
    with whole_window(project=tmp_path_factory.mktemp("project") if request.param == "workspace" else None) as made:
        yield made


@pytest.fixture(scope="module", params=["new epoch", "edit epoch", "question", "palette", "shortcuts", "runs"])
def dialog(
    request: pytest.FixtureRequest, qapp: QApplication, module_places: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[QWidget]:
    """Each dialog, on the window; only looked at."""
    with whole_window(project=tmp_path_factory.mktemp("project")) as made:
        if request.param == "new epoch":
            NewEpochDialog(TrainSettings(), made).open()
        elif request.param == "edit epoch":
            EditEpochDialog(EPOCHS[0], (), made).open()
        elif request.param == "question":
            ask(made, "Delete?", "It is gone then.", [Choice("yes", "Delete", True)], "Keep", str)
        else:
            keys = {"palette": "Ctrl+K", "shortcuts": "F1", "runs": "Ctrl+Shift+R"}[request.param]
            next(found.action for found in commands_of(made) if keys in found.keys.split()).trigger()
        shown = QApplication.activePopupWidget() or QApplication.activeModalWidget()
        assert shown is not None
        yield shown
        shown.close()


def test_every_control_of_the_window_has_a_name(window: MainWindow) -> None:
    assert len(controls(window)) > 20
    assert nameless(window) == []


def test_every_icon_of_the_window_is_named_and_explained(window: MainWindow) -> None:
    assert unexplained(window) == []


def test_every_control_of_the_window_is_in_the_tab_order(window: MainWindow) -> None:
    assert out_of_reach(window) == []


def test_every_control_of_every_dialog_is_named_explained_and_in_the_tab_order(dialog: QWidget) -> None:
    assert controls(dialog)
    assert nameless(dialog) + unexplained(dialog) + out_of_reach(dialog) == []


def test_a_labels_mnemonic_leads_to_a_control(dialog: QWidget) -> None:
    marked = [label for label in dialog.findChildren(QLabel) if "&" in label.text().replace("&&", "")]
    assert [label.text() for label in marked if label.buddy() is None] == []


def test_no_two_entries_of_a_menu_share_a_mnemonic(window: MainWindow) -> None:
    for menu in [window.menuBar(), *window.menuBar().findChildren(QMenu)]:
        letters = [text[text.index("&") + 1].casefold() for text in (a.text() for a in menu.actions()) if "&" in text]
        assert sorted(letters) == sorted(set(letters)), [action.text() for action in menu.actions()]


def test_no_two_actions_share_a_shortcut(window: MainWindow) -> None:
    keys = [key for command in commands_of(window) for key in command.keys.split()]
    assert sorted(keys) == sorted(set(keys))


def test_the_walk_finds_what_is_wrong(qapp: QApplication) -> None:
    bad = QWidget()
    edit, icon = QLineEdit(bad), QToolButton(bad)
    icon.setText("⋯")
    icon.setAccessibleName("More")
    icon.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
    QDialogButtonBox(QDialogButtonBox.StandardButton.Close, bad)
    assert nameless(bad) == [named(edit)]
    assert unexplained(bad) == [named(icon)]
    assert out_of_reach(bad) == [named(icon)]
