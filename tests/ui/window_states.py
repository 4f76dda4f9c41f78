"""Every part of the window in turn, filled with an invented project, so that its words can be measured."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from kit import combo
from PySide6.QtCore import QCoreApplication, QEvent, QRect
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QPushButton, QRadioButton, QToolButton, QWidget
from whole_window import BACKBONE, EPOCHS, SLOTS, a_generation, whole_window

from tlora_gui.engine.projects.records import summary_of
from tlora_gui.engine.protocol.config import MIXER_MODE, PRESETS, TrainSettings
from tlora_gui.engine.protocol.events import (
    BlocksPreviewed,
    CorpusSummary,
    Counterfactual,
    Evaluated,
    GenerationStarted,
    Machine,
    MisroutedText,
    Progress,
    Repair,
    Run,
    RunEnd,
    StoredMixer,
    TokenPiece,
    TrainingEstimate,
    TrainingSample,
    TrainStep,
    TrashItem,
)
from tlora_gui.engine.protocol.jobs import EstimateTraining, RepairMemory, RepairMixer, TrainEpoch
from tlora_gui.engine.protocol.texts import Alternative, ReadReport, Segment, SlotPrediction
from tlora_gui.ui.epochs.corpus_box import CorpusBox
from tlora_gui.ui.epochs.import_adapter_dialog import ImportAdapterDialog
from tlora_gui.ui.epochs.merge_dialog import MergeDialog
from tlora_gui.ui.epochs.new_epoch_dialog import NewEpochDialog
from tlora_gui.ui.theme import ThemeMode
from tlora_gui.ui.widgets.commands import commands_of
from tlora_gui.ui.widgets.log_dialog import LogDialog
from tlora_gui.ui.widgets.trash_dialog import TrashDialog
from tlora_gui.ui.window import MainWindow

REPORT = ReadReport(
    (("", 3.62), ("shakespeare", 4.13), ("python", 2.71)), 2.58,
    (Segment(0, 1), Segment(20, 2), Segment(40, 1)), (2, 6, 20), 12_345,
)  # fmt: skip
MIXERS = (
    StoredMixer("@1", "after Shakespeare", ("shakespeare",)),
    StoredMixer(MIXER_MODE, "after Python", ("shakespeare", "python")),
)
SUMMARY = CorpusSummary(
    ("/texts/verse",), "Verse", 412, 41, 99_000, 11_000, True, (("/texts/verse/a.pdf", "binary, not text"),),
    (("/texts/verse/b.txt", "read as UTF-16"),), "O gentle night, that hides the weeping moon,\nthou art more fair", "",
    (("Markdown", 400, 380_000), ("PDF", 12, 21_000_000)),
)  # fmt: skip
WORDS = (
    "O",
    " gentle",
    " night",
    ",",
    " that",
    " hides",
    " the",
    " weep",
    "ing",
    " moon",
    ",\n",
    "\tthou",
    " art",
    ".",
)
PREVIEW = BlocksPreviewed(
    tuple(
        (*(TokenPiece(40 * place + index, word) for index, word in enumerate(WORDS * 5)), TokenPiece(1, "", ends=True))
        for place in range(3)
    ),
    0.03,
)
ENDS: tuple[RunEnd, ...] = ("finished", "stopped", "interrupted", "failed", "discarded", "broken", "running")
RUNS = tuple(
    Run(
        f"{number:04d}-verse",
        replace(EPOCHS[number % 2], corpus=("/texts/verse",), corpus_fingerprint="ab" * 16),
        TrainSettings(seed=number),
        1.7e9, 3725.0, 123, 1234, end, "There was not enough memory for the training.", "SmolLM2-135M-Instruct",
        Machine("AMD EPYC 7B13", 8, 4, "CPU"), (("torch", "2.9.0"),),
    )
    for number, end in enumerate(ENDS, 1)
)  # fmt: skip
TRASH = (
    TrashItem("epoch", "verse", "Verse", 1.7e9, 23_400_000),
    TrashItem("text", "0002", "O gentle night, that hides the weeping moon", 1.7e9, 12_345, others=2),
    TrashItem("run", "0012-verse", "Verse", 0.0, 987_654),
)
State = tuple[str, QWidget]
"""What is shown, and the widget to look at."""


def turn() -> None:
    """Let everything be laid out, until nothing moves any more."""
    before: list[QRect] = []
    while (now := [widget.geometry() for widget in QApplication.allWidgets()]) != before:
        before = now
        QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
        QCoreApplication.processEvents()


def states(tmp_path: Path, theme: ThemeMode = "light", width: int = 1280) -> Iterator[State]:
    """Each state of the window, one after another; what is yielded is on screen until the next is asked for."""
    with whole_window(theme, width=width) as window:
        place = window.findChild(QLineEdit, "projectPlaceEdit")
        assert place is not None
        place.setText("/home/ada/Documents")  # a path that is too long is shortened by itself
        turn()
        yield "welcome", window
        lost = "/media/ada/stick/Letters"
        window.welcome.set_recent(["/home/ada/Verses", lost], ["/home/ada/Documents/Temporal LoRA/Tales & Code"])
        window.welcome.recent.set_missing(lost, "It is not there now.")
        turn()
        yield "welcome with recent projects", window
    with whole_window(theme, tmp_path, width) as window:
        yield from _workspace(window)
        yield from _charts(window)
        yield from _pages(window)
        yield from _dialogs(window)


def _click(window: QWidget, name: str) -> None:
    button = window.findChild(QPushButton, name) or window.findChild(QToolButton, name)
    assert button is not None, name
    button.click()
    turn()


def _workspace(window: MainWindow) -> Iterator[State]:
    window.texts.set_generations(
        tuple(
            replace(summary_of(replace(a_generation(), id=f"{n}", created=time.time() - 90 * n)), seed=n * 1234)
            for n in range(9)
        )
    )
    for dock in window.docks[1:4]:
        dock.raise_()
        turn()
        yield dock.objectName(), window
    for lock in ("deskLockManual", "deskLockGain", "deskLockMixer"):
        window.raise_dock(window.desk)
        _click(window, lock)
        yield lock, window
    window.raise_dock(window.inspector)
    window.generation.choose_token(12)
    window.inspector.show_token(window.generation.record.tokens[12], SLOTS)
    alternatives = (Alternative("the", 0.4, 3), Alternative("a", 0.2, 4))
    predictions = tuple(SlotPrediction(slot, 0.02, 49_152, alternatives) for slot in range(-1, 3))
    window.inspector.ask()
    window.inspector.show_counterfactual(Counterfactual(12, predictions[0], predictions[1:], 1.25), SLOTS)
    turn()
    yield "inspector", window
    window.progress_line.show_progress(
        Progress("Dreaming: the backbone samples its own text (once)", 10_240, 51_200, "tokens", 125)
    )
    turn()
    yield "progress", window
    window.progress_line.clear()
    window.banner.show_error("The window could not be saved.", "Free some space.", "Traceback", "Try again", print)
    turn()
    yield "banner", window
    window.banner.clear()
    shakespeare, python, milton = EPOCHS
    broken = replace(shakespeare, state="broken", note="adapter_model.safetensors is missing")
    unprotected = replace(
        python, note="its memory is not there, so later sleep rests on its dreams: memory.safetensors is missing"
    )
    again = TrainEpoch("Shakespeare", ("/texts/verse",), replaces="shakespeare")
    mixer = "The Time Mixer in /p/mixer-0002 is damaged. An earlier one is used, which does not know Python."
    repairs = (
        Repair(mixer, RepairMixer()),
        Repair(broken.note, again),
        Repair(unprotected.note, RepairMemory("python")),
    )
    window.epochs.set_epochs((broken, unprotected, milton))
    window.controller.repairing.set_repairs(repairs)
    window.controller.repairing.tell()
    turn()
    yield "repairs", window
    window.controller.repairing.set_repairs(repairs[1:])
    window.controller.repairing.tell()
    turn()
    yield "repairs of epochs", window
    window.banner.clear()
    window.controller.repairing.set_repairs(())
    window.epochs.set_epochs(EPOCHS)


def _charts(window: MainWindow) -> Iterator[State]:
    window.menus.fold_charts.trigger()
    assert not window.charts.folded
    tokens = a_generation().tokens
    misrouted = (
        MisroutedText("shakespeare", 2, 10, 20, tokens[:28], SLOTS),
        MisroutedText("python", 0, 31, 34, tokens[:42], SLOTS),
    )
    window.charts.show_evaluation(Evaluated((), 12.5, 0.031, misrouted))
    window.charts.redraw()
    window.menus.misrouted.trigger()
    turn()
    assert window.controller.misrouted.dialog is not None
    yield "misrouted text", window.controller.misrouted.dialog
    window.controller.misrouted.dialog.close()
    for name in ("matrixButton", "lossMeasureButton", "routingMeasureButton", "matrixButton"):
        _click(window, name)
        yield f"charts {name}", window
    yield from _readings_of_charts(window)
    window.epochs.set_epochs((*EPOCHS[:2], replace(EPOCHS[2], state="training")))
    window.epochs.show_progress(TrainStep("milton", 123, 1234, 3.456, 0.01, 0.2, 1e-3, 62_976, 1234.5, 4321.0))
    window.epochs.set_queue(("Sea shanties", "Lullabies"))
    turn()
    yield "training", window
    window.epochs.set_paused(True)
    turn()
    yield "paused", window
    window.epochs.set_paused(False)
    window.epochs.show_preparation("Dreaming: the backbone samples its own text (once)")
    turn()
    yield "preparing", window
    window.epochs.set_epochs(EPOCHS)
    window.epochs.set_queue(())
    window.menus.fold_charts.trigger()
    turn()


def _readings_of_charts(window: MainWindow) -> Iterator[State]:
    charts = window.charts
    curves = charts.curve_button.menu()
    assert isinstance(curves, QMenu)
    for curve in reversed(curves.actions()):
        curve.trigger()
        charts.redraw()
        turn()
        yield f"curve {curve.text()}", window
    charts.loss_chart.pointed.emit(20.0)
    turn()
    yield "values at a step", window
    charts.loss_chart.pointed.emit(None)
    shown = (charts.loss_chart, charts.distill_chart, charts.routing_chart)
    for chart in shown:
        chart.values_action.setChecked(True)
    turn()
    yield "values as tables", window
    for chart in shown:
        chart.values_action.setChecked(False)
    _click(window, "samplesButton")
    yield "no samples", window
    charts.add_events([TrainingSample("python", step, SLOTS, a_generation().tokens) for step in (10, 20, 30)])
    charts.redraw()
    turn()
    yield "samples", window
    _click(window, "showChartsButton")


def _pages(window: MainWindow) -> Iterator[State]:
    generation = window.generation
    generation.set_slots(SLOTS, "gating", MIXERS)
    modes, colours = combo(window, "modeCombo"), combo(window, "colourCombo")
    for index in range(modes.count()):
        if modes.itemData(index) is not None:
            modes.setCurrentIndex(index)
            turn()
            yield f"mode {modes.currentText()}", window
    modes.setCurrentIndex(0)
    for index in range(colours.count()):
        colours.setCurrentIndex(index)
        turn()
        yield f"colour {colours.currentText()}", window
    colours.setCurrentIndex(0)
    generation.set_generating(True)
    turn()
    yield "generating", window
    generation.set_generating(False)
    generation.text_page.find_bar.open()
    turn()
    yield "find", window
    generation.text_page.find_bar.hide()
    generation.text_page.timeline.set_mixers(MIXERS, [0.25, 0.0])
    generation.text_page.timeline.show()
    turn()
    yield "scrub", window
    generation.text_page.timeline.hide()
    generation.show_record(replace(a_generation(), ended="read", report=REPORT))
    window.docks[-1].hide()  # a report opens where there is room
    generation.text_page.report.set_open(True)
    turn()
    yield "read", window
    window.docks[-1].show()
    generation.show_page("compare")
    turn()
    yield "compare", window
    generation.compare_page.show_records([replace(a_generation(), name=name) for name in ("", "Second", "Third")])
    turn()
    yield "compare records", window
    blends = [f"Shakespeare {share}\u00a0% · Python {100 - share}\u00a0%" for share in (75, 50, 25)]
    generation.compare_page.show_rows(["Shakespeare 100 %", *blends, "Python 100 %"])
    for number in range(5):
        text = a_generation() if number == 0 else replace(a_generation(), tokens=a_generation().tokens[number:])
        generation.compare_page.start(number, GenerationStarted(text.prompt, text.mode, text.sampling, text.slots))
        generation.compare_page.add_tokens(number, text.tokens)
        generation.compare_page.finish(number, text)
    turn()
    yield "sweep", window
    generation.show_record(a_generation())


def _dialogs(window: MainWindow) -> Iterator[State]:
    dialog = NewEpochDialog(parent=window)
    dialog.set_first_epoch(False)
    dialog.set_taken_names(["Verse"])
    dialog.set_interrupted(["Milton"])
    dialog.set_speed(1234)
    dialog.set_paths(["/texts/verse"])
    dialog.open()
    turn()
    yield "new epoch", dialog
    dialog.set_summary(SUMMARY)
    turn()
    yield "new epoch filled", dialog
    for name, settings in PRESETS.items():
        job = EstimateTraining(settings, SUMMARY.tokens)
        memory = 23_400_000_000 if name == "balanced" else 1_200_000_000
        dialog.set_estimate(job, TrainingEstimate(100, 4000.0, memory, 19_000_000_000))
    _click(dialog, "previewButton")
    dialog.set_preview(PREVIEW)
    turn()
    yield "new epoch as the model sees it", dialog
    _click(dialog, "previewButton")
    dialog.set_busy(True)
    dialog.set_paths(["/texts/verse", "/texts/plays"])
    dialog.findChild(QRadioButton, "oneEpochEach").click()
    dialog.set_summary(SUMMARY)
    dialog.set_error("The folder cannot be read.", "", ["/texts/plays"])
    turn()
    yield "new epoch, one each", dialog
    dialog.set_paths(["/texts/verse"])
    dialog.set_summary(SUMMARY)
    dialog.set_busy(False)
    dialog.set_earlier((("shakespeare", "Shakespeare"),))
    _click(dialog, "advancedButton")
    turn()
    yield "new epoch advanced", dialog
    dialog.close()
    adapter = ImportAdapterDialog(window)
    adapter.set_interrupted(["Milton"])
    adapter.open()
    adapter.set_source("/adapters/verse.zip")
    turn()
    yield "import an adapter", adapter
    adapter.findChild(QRadioButton, "ownTextChoice").click()
    adapter.findChild(CorpusBox).set_paths(["/texts/verse"])
    adapter.set_summary(SUMMARY)
    adapter.set_taken_names(["verse"])
    turn()
    yield "import an adapter with text", adapter
    adapter.set_backbone(BACKBONE)
    adapter.set_first_block("/adapters/verse.zip", 0)
    turn()
    yield "import an adapter of every block", adapter
    adapter.close()
    window.menus.send.trigger()
    sending = window.controller.copies.dialog
    assert sending is not None
    sending.set_bytes(15_600_000, {"texts": 234_000, "runs": 81_000, "checkpoints": 0, "memories": 9_400_000})
    turn()
    yield "send as a file", sending
    sending.close()
    window.menus.merge.trigger()
    turn()
    merge = window.findChild(MergeDialog)
    assert merge is not None
    yield "merge", merge
    merge.close()
    window.menus.trash.trigger()
    turn()
    trash = window.findChild(TrashDialog)
    assert trash is not None
    trash.set_items(())
    turn()
    yield "no trash", trash
    trash.set_items(TRASH)
    trash.set_busy(True)
    trash.show_progress(Progress("Teaching the Time Mixer", 120, 1024, "steps"))
    trash.show_problem("This epoch is not in the trash.", "Choose another one.")
    turn()
    yield "trash", trash
    trash.set_items(TRASH)
    _click(trash, "emptyTrashButton")
    yield "emptying the trash", QApplication.activeModalWidget()
    _click(QApplication.activeModalWidget(), "stayButton")
    trash.close()
    window.menus.runs.trigger()
    turn()
    runs = window.controller.runs.dialog
    assert runs is not None
    runs.set_runs((), 200)
    turn()
    yield "no runs", runs
    runs.set_runs(RUNS, len(RUNS))
    turn()
    yield "runs", runs
    runs.list.selectAll()
    turn()
    yield "runs compared", runs
    runs.show_problem("run.json is damaged.", "Delete this run.")
    turn()
    yield "runs and a problem", runs
    runs.close()
    log = LogDialog("Log", "Errors.", lambda: "a fault\n" * 40, "log", window, [Path("log.1"), Path("log.2")])
    log.open()
    turn()
    yield "log", log
    log.close()
    _click(window, "samplingButton")
    yield "sampling", window.generation.prompt_bar.sampling
    window.generation.prompt_bar.sampling.close()
    next(found.action for found in commands_of(window) if "F1" in found.keys.split()).trigger()
    turn()
    sheet = QApplication.activeModalWidget()
    assert sheet is not None
    yield "shortcuts", sheet
    sheet.close()
    window.menus.palette.trigger()
    turn()
    palette = QApplication.activePopupWidget()
    assert palette is not None
    yield "palette", palette
    palette.close()
