"""The history of runs in the window: listed, compared on one chart, deleted, and done once more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from kit import button, child, click, edit, question, said, shown, spin
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractItemView, QApplication, QMenu, QTableView, QToolButton, QWidget
from whole_window import whole_window
from window_states import turn

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.config import SleepSettings, TrainSettings
from tlora_gui.engine.protocol.events import (
    EpochInfo,
    HeldOut,
    JobDone,
    JobFailed,
    Machine,
    Run,
    RunLoaded,
    RunsListed,
    TrainStep,
)
from tlora_gui.ui.charts.line_chart import LineChart
from tlora_gui.ui.runs.run_facts import differences
from tlora_gui.ui.runs.runs_dialog import RunsDialog
from tlora_gui.ui.theme import scaled
from tlora_gui.ui.window import MainWindow

MACHINE = Machine("Abacus 9", 8, 4, "CPU")
SETTINGS = TrainSettings(num_passes=3, learning_rate=1e-3, seed=7, held_out_tokens=2048)


def a_run(number: int, name: str = "Verse", loss: float | None = 3.25, **changes: object) -> Run:
    epoch = EpochInfo(
        name.lower(), name, "Old era", "#0072B2", "frozen", 9000, loss, 4.0, "", ("/texts/verse",),
        corpus_fingerprint="ab" * 16,
    )  # fmt: skip
    run = Run(
        f"{number:04d}-{name.lower()}", epoch, SETTINGS, 1.7e9 + 1000 * number, 60.0 * number, 20, 20, "finished",
        backbone="Tiny", machine=MACHINE, versions=(("torch", "2.9"),),
    )  # fmt: skip
    return replace(run, **changes)  # type: ignore[arg-type]


RUNS = (
    a_run(1),
    a_run(2, loss=2.5, settings=replace(SETTINGS, learning_rate=3e-3, sleep=SleepSettings(enabled=False))),
    a_run(3, "Code", None, ended="failed", reason="The sky fell.", machine=replace(MACHINE, threads=2)),
    a_run(4, "Code", ended="running"),
    Run("0005-x", EpochInfo("x", "x", "", "#8A919C", "broken"), TrainSettings(), 0.0, ended="broken", reason="no JSON"),
)


def history(slug: str, steps: int) -> tuple[TrainStep | HeldOut, ...]:
    told: list[TrainStep | HeldOut] = [
        TrainStep(slug, n, steps, 4 - n / 50, 0.1 / n, 0.2, 1e-3 / n, 512 * n, 500.0, 1.0, 0.5) for n in range(1, steps)
    ]
    return (*told, HeldOut(slug, 5, 3.0, ((slug, 0.9),), best=True), HeldOut(slug, 10, 3.5, ((slug, 0.9),)))


@pytest.fixture
def dialog(qapp: QApplication) -> RunsDialog:
    made = RunsDialog()
    made.load_requested.connect(
        lambda id: made.show_run(RunLoaded(next(run for run in RUNS if run.id == id), history("verse", 20)))
    )
    shown(made, 1000, 640)
    made.set_runs(RUNS, 200)
    return made


def choose(dialog: RunsDialog, *numbers: int) -> None:
    """Select runs by their numbers, as with Ctrl held down."""
    view, flags = dialog.list, QItemSelectionModel.SelectionFlag
    view.clearSelection()
    for row in range(view.model().rowCount()):
        index = view.model().index(row, 0)
        if int(index.data()) in numbers:
            view.selectionModel().select(index, flags.Select | flags.Rows)


def column(view: QAbstractItemView, number: int) -> list[str]:
    model = view.model()
    return [model.index(row, number).data() for row in range(model.rowCount())]


def cells(view: QTableView) -> list[list[str]]:
    model = view.model()
    across = range(model.columnCount())
    return [[model.index(row, at).data() for at in across] for row in range(model.rowCount())]


def drawn(dialog: RunsDialog) -> LineChart:
    return child(dialog, "runsChart", LineChart)


# -- the list -------------------------------------------------------------------------------------------------------


def test_every_run_is_listed_the_newest_first_with_how_it_ended(dialog: RunsDialog) -> None:
    assert column(dialog.list, 0) == ["5", "4", "3", "2", "1"]
    assert column(dialog.list, 6) == ["unreadable", "in training", "failed", "finished", "finished"]
    assert cells(dialog.list)[4][1:2] + cells(dialog.list)[4][3:6] == ["Verse", "1:00", "20 / 20", "3.25"]
    assert column(dialog.list, 5)[2] == "", "a loss that was never measured"


def test_a_click_on_a_heading_sorts_by_value_not_by_letter(dialog: RunsDialog) -> None:
    dialog.set_runs([a_run(number) for number in (1, 2, 10)], 200)
    dialog.list.sortByColumn(3, Qt.SortOrder.AscendingOrder)
    assert column(dialog.list, 3) == ["1:00", "2:00", "10:00"]


def test_the_latest_run_is_chosen_at_first_and_a_choice_outlives_a_new_list(dialog: RunsDialog) -> None:
    assert [run.id for run in dialog.chosen()] == ["0005-x"]
    choose(dialog, 1, 2)
    dialog.set_runs((*RUNS, a_run(6)), 200)
    assert [run.id for run in dialog.chosen()] == ["0001-verse", "0002-verse"]


def test_an_empty_history_says_what_will_be_in_it(dialog: RunsDialog) -> None:
    dialog.set_runs((), 200)
    assert "Every training from now on is listed here" in said(dialog.list)
    assert not dialog.list.horizontalHeader().isVisible() and not dialog.facts.isVisible()
    assert not button(dialog, "runAgainButton").isEnabled() and not button(dialog, "deleteRunsButton").isEnabled()


def test_where_old_runs_are_dropped_it_is_said(dialog: RunsDialog) -> None:
    assert "older ones are dropped" not in said(dialog)
    dialog.set_runs(RUNS[1:], 4)
    assert "The newest 4 runs are kept; older ones are dropped." in said(dialog)


# -- those chosen ---------------------------------------------------------------------------------------------------


def test_two_runs_are_drawn_on_one_chart_in_colours_of_their_own(dialog: RunsDialog) -> None:
    choose(dialog, 1, 2)
    chart = drawn(dialog)
    for id in ("0001-verse", "0002-verse"):
        assert len(chart.curve_data(id)[0]) == 19
        assert chart.curve_data((id, "held-out"))[1].tolist() == [3.0, 3.5]
        assert chart.curve_data((id, "kept"))[0].tolist() == [5]
    assert "Verse #1" in chart.readout(5) and "Verse #2" in chart.readout(5)
    marked = [
        row for row in range(5) if not dialog.list.model().index(row, 1).data(Qt.ItemDataRole.DecorationRole).isNull()
    ]
    assert marked == [3, 4]
    choose(dialog, 2)
    assert len(chart.curve_data("0001-verse")[0]) == 0


def test_of_several_runs_only_what_differs_is_told(dialog: RunsDialog) -> None:
    choose(dialog, 1, 2)
    assert cells(child(dialog, "runFactsTable", QTableView)) == [
        ["Learning rate", "0.001", "0.003"], ["Active Sleep", "yes", "no"],
    ]  # fmt: skip
    assert "What differs" in said(dialog)
    choose(dialog, 1, 3)
    assert cells(dialog.facts) == [["Remark", "", "The sky fell."], ["Threads", "4", "2"]]


def test_of_one_run_everything_is_told(dialog: RunsDialog) -> None:
    choose(dialog, 1)
    told = dict(cells(dialog.facts))
    assert told["Passes"] == "3" and told["Text"] == "/texts/verse" and told["Processor"] == "Abacus 9"
    assert told["torch"] == "2.9" and told["Fingerprint of the text"] == "abababababab"


def test_an_unreadable_run_says_why_and_asks_for_nothing(dialog: RunsDialog) -> None:
    choose(dialog, 5)
    assert cells(dialog.facts) == [["Reason", "no JSON"]]
    assert not button(dialog, "runAgainButton").isEnabled()
    assert "These curves cannot be read." in said(dialog)


def test_an_empty_chart_says_why(dialog: RunsDialog) -> None:
    choose(dialog)
    assert "Choose runs to see their curves" in said(dialog) and not dialog.facts.isVisible()
    choose(dialog, 1)
    assert drawn(dialog).plot.isVisible() and dialog.facts.isVisible()
    dialog.load_requested.disconnect()
    dialog.set_runs([a_run(6), a_run(7)], 200)
    assert "Loading…" in said(dialog)
    dialog.show_run(RunLoaded(a_run(7), ()))
    assert "Nothing was measured." in said(dialog)


@pytest.mark.parametrize("name", ["Verse", "An epoch whose name is as long as anybody would ever want to write it"])
def test_headings_of_compared_runs_are_read_whole_or_end_within_an_ellipsis(dialog: RunsDialog, name: str) -> None:
    dialog.load_requested.disconnect()
    dialog.set_runs([a_run(number, name, settings=replace(SETTINGS, seed=number)) for number in range(1, 6)], 200)
    dialog.list.selectAll()
    header, model = dialog.facts.horizontalHeader(), dialog.facts.model()
    turn()
    for place in range(1, model.columnCount()):
        text = model.headerData(place, Qt.Orientation.Horizontal)
        assert header.sectionSize(place) > min(header.fontMetrics().horizontalAdvance(text), scaled(160))
        assert model.headerData(place, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole) == text
    assert header.textElideMode() == Qt.TextElideMode.ElideMiddle


def test_numbers_stand_at_the_right_under_their_headings(dialog: RunsDialog) -> None:
    model, role = dialog.list.model(), Qt.ItemDataRole.TextAlignmentRole
    right = [bool(model.index(0, place).data(role) & Qt.AlignmentFlag.AlignRight) for place in range(7)]
    assert right == [True, False, False, True, True, True, False]
    for place in range(7):
        assert model.headerData(place, Qt.Orientation.Horizontal, role) == model.index(0, place).data(role)


def test_every_setting_has_a_name_that_people_read() -> None:
    names = [name for name, _ in differences([a_run(1)])]
    assert [name for name in names if "_" in name or "." in name] == []


def test_another_curve_is_shown_of_the_same_runs(dialog: RunsDialog) -> None:
    choose(dialog, 1, 2)
    menu = child(dialog, "runsCurveButton", QToolButton).menu()
    assert isinstance(menu, QMenu)
    next(action for action in menu.actions() if action.text() == "Learning rate").trigger()
    chart = drawn(dialog)
    assert chart.title == "Learning rate" and chart.curve_data("0001-verse")[1][0] == 1e-3
    assert len(chart.curve_data(("0001-verse", "held-out"))[0]) == 0


def test_a_running_run_is_not_deleted_others_are_after_a_question(dialog: RunsDialog) -> None:
    deleted: list[list[str]] = []
    dialog.delete_requested.connect(deleted.append)
    choose(dialog, 3, 4)
    assert not button(dialog, "deleteRunsButton").isEnabled()
    choose(dialog, 2, 3)
    click(dialog, "deleteRunsButton")
    assert question(dialog).text() == "Delete 2 runs?"
    click(question(dialog), "deleteButton")
    assert deleted == [["0002-verse", "0003-code"]]


# -- in the window --------------------------------------------------------------------------------------------------


@pytest.fixture
def window(qapp: QApplication, tmp_path: Path) -> Iterator[MainWindow]:
    with whole_window(project=tmp_path) as made:
        yield made


def answer(window: MainWindow, kind: type, *events: object) -> jobs.Job:
    """What the engine says to the one job of a kind that waits, which is over then."""
    ((job_id, job),) = window.client.jobs(kind).items()
    window.client.receive([*((job_id, event) for event in events), (job_id, JobDone(job_id))])
    return job


def opened(window: MainWindow) -> RunsDialog:
    """The history with its runs."""
    action = child_action(window, "runsAction")
    action.trigger()
    answer(window, jobs.ListRuns, RunsListed(RUNS, 200))
    found = window.controller.runs.dialog
    assert found is not None and found.isVisible()
    return found


def child_action(window: QWidget, name: str) -> QAction:
    found = window.findChild(QAction, name)
    assert found is not None
    return found


def test_the_menu_opens_the_list_and_chosen_runs_are_fetched_once(window: MainWindow) -> None:
    dialog = opened(window)
    choose(dialog, 1)
    assert answer(window, jobs.LoadRun, RunLoaded(RUNS[0], history("verse", 20))) == jobs.LoadRun("0001-verse")
    assert len(drawn(dialog).curve_data("0001-verse")[0]) == 19
    choose(dialog)
    choose(dialog, 1)
    assert window.client.jobs(jobs.LoadRun) == {}


def test_a_run_that_cannot_be_fetched_says_so_where_it_was_asked_for(window: MainWindow) -> None:
    dialog = opened(window)
    choose(dialog, 1)
    ((job_id, _),) = window.client.jobs(jobs.LoadRun).items()
    window.client.receive([(job_id, JobFailed(job_id, "run.json is damaged.", "Delete it."))])
    assert "run.json is damaged. Delete it." in said(dialog)
    assert "These curves cannot be read." in said(dialog)


def test_deleting_asks_the_engine_and_shows_what_is_left(window: MainWindow) -> None:
    dialog = opened(window)
    choose(dialog, 2)
    click(dialog, "deleteRunsButton")
    click(question(dialog), "deleteButton")
    assert answer(window, jobs.DeleteRun, RunsListed(RUNS[2:], 200)) == jobs.DeleteRun("0002-verse")
    assert column(dialog.list, 0) == ["5", "4", "3"]


def test_run_again_opens_new_epoch_with_settings_text_and_a_free_name(window: MainWindow) -> None:
    dialog = opened(window)
    run = a_run(6, "Shakespeare")
    dialog.set_runs((run,), 200)
    click(dialog, "runAgainButton")
    new = window.controller.training.dialog
    assert new is not None and new.isVisible()
    assert window.controller.runs.dialog is None
    assert (edit(new, "epochNameEdit").text(), edit(new, "epochEraEdit").text()) == ("Shakespeare 2", "Old era")
    assert spin(new, "passesSpin").value() == 3
    ((_, looking),) = window.client.jobs(jobs.SummariseCorpus).items()
    assert looking == jobs.SummariseCorpus(("/texts/verse",))
    new.close()


def test_escape_closes_the_list_and_it_opens_again(window: MainWindow) -> None:
    dialog = opened(window)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert window.controller.runs.dialog is None
    assert opened(window) is not dialog
