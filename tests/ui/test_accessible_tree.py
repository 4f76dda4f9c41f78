"""What a screen reader finds in the window's lists: the role, name and value of each, and of its items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QWidget
from whole_window import EPOCHS, SLOTS, a_generation, whole_window

from tlora_gui.engine.projects.records import summary_of
from tlora_gui.engine.protocol.events import Counterfactual, HeldOut
from tlora_gui.engine.protocol.texts import Alternative, ReadReport, Segment, SlotPrediction
from tlora_gui.ui.main_window import MainWindow

REPORT = ReadReport(
    (("", 3.62), ("shakespeare", 4.13), ("python", 2.71)), 2.58,
    (Segment(0, 1), Segment(20, 2), Segment(40, 1)), (2, 6, 20),
)  # fmt: skip


@pytest.fixture
def window(qapp: QApplication, listening: None, tmp_path: Path) -> Iterator[MainWindow]:
    """The window with something in each of its lists."""
    with whole_window(project=tmp_path) as made:
        made.texts.set_generations([summary_of(replace(a_generation(), id=f"{n}", name=f"Text {n}")) for n in (1, 2)])
        made.raise_dock(made.inspector)
        made.generation.choose_token(12)
        made.inspector.show_token(made.generation.record.tokens[12], SLOTS)
        mix, *alone = (
            SlotPrediction(slot, 0.1 * slot + 0.2, 3 - slot, (Alternative(" king", 0.4, 10 + slot),))
            for slot in range(-1, 3)
        )
        made.inspector.ask()
        made.inspector.show_counterfactual(Counterfactual(12, mix, tuple(alone), 1.25), SLOTS)
        made.charts.load_history(
            (
                ("shakespeare", (HeldOut("shakespeare", 10, 3.0, (("shakespeare", 0.9),)),)),
                ("python", (HeldOut("python", 10, 2.0, (("shakespeare", 0.8), ("python", 0.95)), (("python", 1.0),)),)),
            )
        )
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
    from tlora_gui.ui.epochs.card_list import CardList
    from tlora_gui.ui.generation.reading.loss_table import LossTable

    return {
        "epochs": window.epochs.findChild(CardList),
        "mix": next(
            found for found in window.inspector.findChildren(QWidget) if found.accessibleName() == "Mix of this token"
        ),
        "alternatives": window.inspector.findChild(QWidget, "alternativeRows"),
        "counterfactuals": window.inspector.findChild(QWidget, "voiceRows"),
        "losses": window.generation.text_page.report.findChild(LossTable),
        "matrix": window.charts.matrix,
        "texts": window.findChild(QWidget, "textsTree"),
    }
