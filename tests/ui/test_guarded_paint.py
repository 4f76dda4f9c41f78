"""No exception leaves a paint, whatever it is given to draw."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from traceback import format_exception

import pytest
from PySide6.QtGui import QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QApplication, QWidget

from tlora_gui.ui.charts.plot import ChartPlot, PhaseMark
from tlora_gui.ui.epochs.training_box import TrainingBox
from tlora_gui.ui.generation.inspector.bars import ShareRow, ShareRows
from tlora_gui.ui.theme import LIGHT
from tlora_gui.ui.widgets.painting import guarded

SOURCES = sorted((Path(__file__).parents[2] / "tlora_gui" / "ui").rglob("*.py"))
PAINTS = ("paint", "paintEvent", "drawBackground", "drawForeground", "drawPicture", "drawRow", "drawBranches")


def test_every_paint_is_guarded() -> None:
    paints = [
        (path.name, method)
        for path in SOURCES
        for cls in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(cls, ast.ClassDef)
        for method in cls.body
        if isinstance(method, ast.FunctionDef) and method.name in PAINTS
    ]
    assert len(paints) > 15
    assert [
        (name, method.lineno)
        for name, method in paints
        if "guarded" not in [ast.unparse(decorator) for decorator in method.decorator_list]
    ] == []


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was told of exceptions that nobody caught."""
    found: list[str] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: found.append("".join(format_exception(error))))
    return found


def test_a_paint_that_fails_ends_its_painter_and_is_told(qapp: QApplication, told: list[str]) -> None:
    class Broken(QWidget):
        paints = 0

        @guarded
        def paintEvent(self, event: QPaintEvent) -> None:
            painter = QPainter(self)
            painter.drawPoint(0, 0)
            Broken.paints += 1
            raise TypeError("a name that is a number")

    widget = Broken()
    widget.resize(20, 20)
    for _ in range(3):
        drawn = QPixmap(20, 20)
        widget.render(drawn)
        with_another = QPainter(drawn)  # refused while the first one is at work
        assert with_another.isActive()
        with_another.end()
    assert Broken.paints == 3
    assert ["a name that is a number" in each for each in told] == [True] * 3


def test_phases_whose_names_are_no_text_leave_the_chart_standing(qapp: QApplication, told: list[str]) -> None:
    plot = ChartPlot()
    plot.resize(400, 200)
    plot.apply_theme(LIGHT)
    plot.set_phases((PhaseMark(0, 10, 5, "#0072B2"),), LIGHT)  # type: ignore[arg-type]
    plot.view.setXRange(0, 10)
    plot.show()
    plot.grab()
    plot.grab()
    assert told and all("plot.py" in each for each in told)
    plot.close()


def test_a_colour_of_a_project_brings_no_style_along(qapp: QApplication) -> None:
    box = TrainingBox()
    box.set_epoch("Verse", "red; } QWidget { background: blue")
    sheets = [widget.styleSheet() for widget in box.findChildren(QWidget) if widget.styleSheet()]
    assert sheets == ["QProgressBar::chunk { background: #000000; border-radius: 4px; }"]


def test_an_item_that_cannot_be_drawn_is_told_and_leaves_the_others_drawn(qapp: QApplication, told: list[str]) -> None:
    rows = ShareRows()
    rows.set_rows([ShareRow("one", 0.5), ShareRow("two", 0.25)])
    rows.resize(200, 60)
    whole = rows.grab().toImage()
    assert told == []
    rows.set_rows([ShareRow(3, 0.5), ShareRow("two", 0.25)])  # type: ignore[arg-type]
    rows.resize(200, 60)
    for _ in range(3):
        drawn = rows.grab().toImage()
    middle = rows.visualRect(rows.model().index(1, 0))
    assert drawn.copy(middle) == whole.copy(middle) and drawn != whole
    assert told and all("choice_rows.py" in each for each in told)
