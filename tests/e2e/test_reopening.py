"""What is there again after a restart, and what can be done with epochs that are there."""

from __future__ import annotations

from pathlib import Path

import torch
from peft import PeftModel
from person import OpenWindow, Person
from PySide6.QtWidgets import QCheckBox, QComboBox, QSpinBox, QWidget
from transformers import AutoModelForCausalLM

from tlora_gui.ui.charts.line_chart import LineChart
from tlora_gui.ui.charts.matrix import MemoryMatrix
from tlora_gui.ui.generation.token_view.legend import Legend
from tlora_gui.ui.settings import WindowSettings
from tlora_gui.ui.widgets.colour_picker import ColourButton

GREEN = "#009E73"


def curves(person: Person) -> list[tuple[list[float], list[float]]]:
    """Every curve of both epochs, as drawn."""
    charts = ("lossChart", "distillChart", "routingChart")
    found = [person.curve(chart, slug) for chart in charts for slug in ("verse", "code")]
    return [(x.tolist(), y.tolist()) for x, y in found]


def until_drawn(person: Person) -> None:
    person.wait(lambda: len(person.curve("routingChart", "code")[0]))


def colours(person: Person) -> list[str]:
    return [person.background(index).name() for index in range(len(person.text.tokens))]


def test_epochs_curves_and_the_last_generation_are_there_again(open_window: OpenWindow, trained_project: Path) -> None:
    first = open_window(trained_project)
    first.generate("O gentle night", mode="verse", new_tokens=10)
    until_drawn(first)
    before = curves(first), list(first.cards), first.epochs, first.text.toPlainText(), colours(first)
    assert all(len(x) for x, _ in before[0])
    first.close()

    again = open_window(trained_project)
    until_drawn(again)
    assert (curves(again), list(again.cards), again.epochs, again.text.toPlainText(), colours(again)) == before
    assert again.prompt.toPlainText() == "O gentle night"
    assert again.see(QComboBox, "modeCombo").currentData() == "verse"
    again.generate("O gentle night", mode="verse", new_tokens=10)
    assert again.text.toPlainText() == before[3]


def test_panels_and_theme_are_remembered(open_window: OpenWindow, trained_project: Path) -> None:
    first = open_window(trained_project)
    first.window.docks[1].hide()
    first.choose_from_menus("&Dark")
    first.close()

    again = open_window(trained_project)
    assert [dock.isVisible() for dock in again.window.docks] == [True, False, True, True, True]
    assert WindowSettings().theme == "dark" and WindowSettings().last_project == str(trained_project)


def test_undo_brings_a_deleted_epoch_back_with_its_curves(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    until_drawn(person)
    before, epochs = curves(person), person.epochs
    weights = [token.weights for token in person.generate("def f")]
    person.choose("Verse", "Delete")
    person.wait(lambda: list(person.epochs) == ["Code"])
    person.wait(lambda: not len(person.curve("lossChart", "verse")[0]))
    assert "Verse was deleted" in person.banner
    assert len(person.generate("def f")[0].weights) == 2
    person.type_prompt("half a thought")
    person.press("bannerActionButton")
    person.wait_without_error(lambda: person.epochs == epochs)

    assert person.prompt.toPlainText() == "half a thought"
    person.wait(lambda: curves(person) == before)
    assert [token.weights for token in person.generate("def f")] == weights
    assert not list((trained_project / "deleted").iterdir())


def test_a_deletion_that_is_not_undone_stays(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    person.choose("Code", "Delete")
    person.wait(lambda: list(person.epochs) == ["Verse"])
    person.close()

    again = open_window(trained_project)
    assert again.states == {"Verse": "frozen"} and {len(token.weights) for token in again.generate("def f")} == {2}


def test_a_new_name_and_colour_reach_card_mode_chart_and_legend(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    until_drawn(person)
    person.choose("Verse", "Rename…")
    dialog = person.see(QWidget, "editEpochDialog")
    person.retype("editNameEdit", "Sonnets", dialog)
    next(button for button in dialog.findChildren(ColourButton) if button.colour == GREEN).click()
    person.press("saveEpochButton", dialog)
    person.wait_without_error(lambda: list(person.epochs) == ["Sonnets", "Code"])

    assert person.card("Sonnets") is not None and person.epochs["Sonnets"].colour == GREEN
    assert person.see(QComboBox, "modeCombo").findText("Sonnets alone") > 0
    chart = person.see(LineChart, "lossChart")
    person.wait(lambda: "Sonnets" in chart.readout(3) and "Verse" not in chart.readout(3))
    person.generate("O gentle", mode="verse")
    legend = person.window.findChild(Legend)
    assert legend is not None and legend.accessibleDescription().startswith("Sonnets, Code")
    green = person.background(len(person.text.tokens) // 4)
    assert green.green() > max(green.red(), green.blue())
    person.close()
    assert list(open_window(trained_project).epochs) == ["Sonnets", "Code"]


def test_an_exported_epoch_opens_with_plain_peft(
    open_window: OpenWindow, trained_project: Path, tmp_path: Path, tiny_model_folder: Path
) -> None:
    target = tmp_path / "out"
    target.mkdir()
    person = open_window(trained_project)
    person.choose("Code", "Export as PEFT adapter…")
    person.choose_file(target)
    person.wait_without_error(lambda: "Written" in person.banner)
    backbone = AutoModelForCausalLM.from_pretrained(tiny_model_folder)
    ids = torch.arange(20)[None]
    bare = backbone(ids).logits
    assert not torch.equal(PeftModel.from_pretrained(backbone, target / "code")(ids).logits, bare)

    person.choose("Code", "Export as PEFT adapter…")
    person.choose_file(target)
    person.wait(lambda: person.sees_error)
    assert "already there" in person.banner


def test_epochs_are_merged_into_one_adapter_that_opens_with_plain_peft(
    open_window: OpenWindow, trained_project: Path, tmp_path: Path, tiny_model_folder: Path
) -> None:
    target = tmp_path / "out"
    target.mkdir()
    person = open_window(trained_project)
    person.choose_from_menus("M&erge and export…")
    person.see(QCheckBox, "mergeCompress").click()
    person.see(QSpinBox, "mergeRank").setValue(2)
    person.press("mergeButton")
    person.choose_file(target)
    person.wait_without_error(lambda: "Written" in person.banner)
    assert "% of the update" in person.banner
    backbone = AutoModelForCausalLM.from_pretrained(tiny_model_folder)
    assert PeftModel.from_pretrained(backbone, target / "verse-code").peft_config["default"].r == 2


def test_measuring_tells_the_gain_kept_and_the_routing(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    person.choose_from_menus("&Measure all on held-out text")
    person.wait_without_error(lambda: "routing accuracy" in person.banner)
    assert "% of the gain" in person.banner


def test_measuring_needs_no_corpus_any_more_after_the_training(
    open_window: OpenWindow, project: Path, tmp_path: Path, corpora: dict[str, Path]
) -> None:
    moved = tmp_path / "moved"
    moved.mkdir()
    for file in corpora["verse"].iterdir():
        (moved / file.name).write_bytes(file.read_bytes())
    person = open_window(project)
    person.train(moved)
    person.until_trained("Moved")
    moved.rename(tmp_path / "elsewhere")
    person.choose_from_menus("&Measure all on held-out text")
    person.wait_without_error(lambda: "routing accuracy" in person.banner)


def test_the_memory_matrix_shows_what_each_phase_left(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    until_drawn(person)
    person.press("unfoldChartsButton")
    person.press("matrixButton")
    matrix = person.see(MemoryMatrix, "memoryMatrix")
    assert matrix.isVisible()
    assert 0 <= float(matrix.cell_text("code", "verse")) <= 1 and matrix.cell_text("verse", "code") == ""
