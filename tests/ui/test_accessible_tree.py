"""What a screen reader finds in the window's lists: the role and name of each, and of every item in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from kit import plain
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from screen_reader import items_of, tree
from whole_window import EPOCHS, SLOTS, a_generation, whole_window

from tlora_gui.engine.projects.records import summary_of
from tlora_gui.engine.protocol.events import Counterfactual, HeldOut
from tlora_gui.engine.protocol.texts import Alternative, ReadReport, Segment, SlotPrediction
from tlora_gui.ui.epochs.card_list import CardList
from tlora_gui.ui.generation.inspector.bars import ShareRows
from tlora_gui.ui.generation.reading.loss_table import LossTable
from tlora_gui.ui.window import MainWindow

REPORT = ReadReport(
    (("", 3.62), ("shakespeare", 4.13), ("python", 2.71)), 2.58,
    (Segment(0, 1), Segment(20, 2), Segment(40, 1)), (2, 6, 20),
)  # fmt: skip
HISTORY = (
    ("shakespeare", (HeldOut("shakespeare", 10, 3.0, (("shakespeare", 0.9),)),)),
    ("python", (HeldOut("python", 10, 2.0, (("shakespeare", 0.8), ("python", 0.95)), (("python", 1.0),)),)),
)
VOICES = tuple(
    SlotPrediction(slot, 0.1 * slot + 0.2, 3 - slot, (Alternative(" king", 0.4, 10 + slot),)) for slot in range(-1, 3)
)


@pytest.fixture
def window(qapp: QApplication, listening: None, tmp_path: Path) -> Iterator[MainWindow]:
    """The window with something in each of its lists."""
    with whole_window(project=tmp_path) as made:
        made.texts.set_generations([summary_of(replace(a_generation(), id=f"{n}", name=f"Text {n}")) for n in (1, 2)])
        made.raise_dock(made.inspector)
        made.generation.choose_token(12)
        made.inspector.show_token(made.generation.record.tokens[12], SLOTS)
        made.inspector.ask()
        made.inspector.show_counterfactual(Counterfactual(12, VOICES[0], VOICES[1:], 1.25), SLOTS)
        made.charts.load_history(HISTORY)
        made.charts.set_epochs(EPOCHS[:2])
        made.charts.redraw()
        made.charts.matrix_button.setChecked(True)
        made.generation.text_page.report.set_report(REPORT, SLOTS, 60)
        made.generation.text_page.report.set_open(True)
        made.generation.text_page.report.show()
        for _ in range(3):
            QApplication.processEvents()
        yield made


def lists(window: MainWindow) -> dict[str, QWidget]:
    """The lists of the window by what they show."""
    shares = window.inspector.findChildren(ShareRows)
    mix = next(rows for rows in shares if rows.accessibleName() == "Mix of this token")
    found = {
        "epochs": window.epochs.findChild(CardList),
        "mix": mix,
        "reasons": window.inspector.findChild(QWidget, "reasonRows"),
        "alternatives": window.inspector.findChild(QWidget, "alternativeRows"),
        "counterfactuals": window.inspector.findChild(QWidget, "voiceRows"),
        "losses": window.generation.text_page.report.findChild(LossTable),
        "matrix": window.charts.matrix,
        "texts": window.findChild(QWidget, "textsTree"),
    }
    return {name: widget for name, widget in found.items() if widget is not None}


TREES = {
    "epochs": [
        "List Epochs",
        "ListItem Eternity, SmolLM2-135M-Instruct · CPU",
        "ListItem Shakespeare, Renaissance era, frozen, 412 k tokens",
        "ListItem Python, IT era, frozen, 388 k tokens",
        "ListItem Milton, Puritan era, interrupted, 12 k tokens, stopped after step 23 of 40",
    ],
    "mix": [
        "List Mix of this token",
        "ListItem Shakespeare 0.15",
        "ListItem Python 0.80",
        "ListItem Eternity 0.05",
    ],
    "reasons": [
        "List Why this mix",
        "ListItem earlier text: +2.0 bits for Python",
        "ListItem context: +2.0 bits for Python",
        "ListItem last word: −0.7 bits for Python",
    ],
    "alternatives": [
        "List Most probable tokens here",
        "ListItem the 0.40",
        "ListItem word12␣ 0.25",
    ],
    "counterfactuals": [
        "List Counterfactuals: what each slot alone would say here",
        "ListItem Mix: ␣king 0.40, this token 0.10, rank 4",
        "ListItem Shakespeare: ␣king 0.40, this token 0.30, rank 2",
        "ListItem Python: ␣king 0.40, this token 0.40, rank 1",
        "ListItem Eternity: ␣king 0.40, this token 0.20, rank 3",
    ],
    "losses": [
        "Table Perplexity",
        *("ColumnHeader", "ColumnHeader nats/token", "ColumnHeader perplexity") * 2,
        *("RowHeader", "Cell Mix, the best", "Cell 2.58", "Cell 13.2", "Cell Python", "Cell 2.71", "Cell 15.0"),
        *("RowHeader", "Cell Shakespeare", "Cell 4.13", "Cell 62.2", "Cell Eternity", "Cell 3.62", "Cell 37.3"),
    ],
    "matrix": [
        "Table Memory matrix",
        "ColumnHeader Shakespeare",
        "ColumnHeader Python",
        "RowHeader Shakespeare",
        "Cell After Shakespeare: 0.90 of Shakespeare's held-out tokens go to Shakespeare",
        "Cell",
        "RowHeader Python",
        "Cell After Python: 0.80 of Shakespeare's held-out tokens go to Shakespeare",
        "Cell After Python: 0.95 of Python's held-out tokens go to Python; 1.00 without Active Sleep",
    ],
    "texts": ["Tree Kept texts", "ColumnHeader Kept texts", "TreeItem Text 2", "TreeItem Text 1"],
}


def test_every_list_and_every_item_in_it_has_its_role_and_says_what_it_shows(window: MainWindow) -> None:
    found = {
        name: [plain(line.split(" | ")[0].strip()) for line in tree(widget)] for name, widget in lists(window).items()
    }
    assert found == TREES


def test_what_a_list_means_is_said_once(window: MainWindow) -> None:
    told = {name: tree(widget)[0].partition(" | ")[2] for name, widget in lists(window).items()}
    assert "Nats per token" in told["losses"] and "Share of each epoch's held-out tokens" in told["matrix"]
    assert told["mix"] == told["alternatives"] == told["counterfactuals"] == ""


def test_what_can_be_chosen_is_told_from_what_cannot(window: MainWindow) -> None:
    found = lists(window)
    assert _choosable(found["alternatives"]) == [True, False], "the second is the token that came"
    assert _choosable(found["mix"]) == [False, False, False]
    assert _choosable(found["counterfactuals"]) == [True, True, False, True], "Python's own word came"


def _choosable(view: QWidget) -> list[bool]:
    above = QAccessible.queryAccessibleInterface(view)
    return [bool(above.child(number).state().selectable) for number in range(above.childCount())]


def test_the_keyboard_walks_over_the_memory_matrix_and_each_cell_is_told(window: MainWindow) -> None:
    view = window.charts.matrix
    window.activateWindow()
    view.setFocus(Qt.FocusReason.TabFocusReason)
    said = []
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_Left):
        QTest.keyClick(view, key)
        said.append(focused(view).text(QAccessible.Text.Name).partition(":")[2][:6])
    assert said == [" 0.80 ", " 0.95 ", " 0.80 "]


def focused(view: QWidget) -> QAccessibleInterface:
    """The item that the keyboard is at."""
    above = QAccessible.queryAccessibleInterface(view)
    (found,) = [item for item in map(above.child, range(above.childCount())) if item and item.state().focused]
    return found


def test_a_training_that_goes_on_leaves_the_keyboard_at_its_cell(window: MainWindow) -> None:
    view = window.charts.matrix
    view.setCurrentIndex(view.model().index(1, 1))
    window.charts.load_history((HISTORY[0], ("python", (HeldOut("python", 20, 2.0, (("python", 0.5),)),))))
    window.charts.redraw()
    assert (view.currentIndex().row(), view.currentIndex().column()) == (1, 1)
    assert "0.50 of Python's" in items_of(view)[3]


def test_written_from_right_to_left_a_row_begins_at_the_right(window: MainWindow) -> None:
    rows = lists(window)["mix"]
    assert isinstance(rows, ShareRows)
    ground = rows.grab().toImage().pixelColor(0, 0)
    for direction, starts_left in ((Qt.LayoutDirection.LeftToRight, True), (Qt.LayoutDirection.RightToLeft, False)):
        rows.setLayoutDirection(direction)
        image = rows.grab().toImage()
        swatch = [image.pixelColor(x, 10) != ground for x in (6, image.width() - 8)]
        assert swatch == [starts_left, not starts_left] or all(swatch)
