"""What the menus and the welcome of the real window ask of the engine, with a scripted one in its thread."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from kit import WaitUntil, child, click, plain, shown, texts
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QPushButton, QToolButton

from tlora_gui.app import create_window
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import BACKBONE_COLOUR, STARTER
from tlora_gui.engine.protocol.events import (
    BackboneInfo,
    DomainScore,
    EpochInfo,
    EpochsChanged,
    Evaluated,
    MisroutedText,
    Progress,
    ProjectInfo,
    ProjectOpened,
    StreamEvent,
    TrainStarted,
)
from tlora_gui.engine.protocol.texts import SlotInfo, TokenEvent
from tlora_gui.ui import window as window_module
from tlora_gui.ui.widgets.rows import choose_row
from tlora_gui.ui.window import MainWindow
from tlora_gui.worker.engine_client import EngineClient

PLAYS = EpochInfo("plays", "Plays", "", "#0072B2", "frozen", 400_000, 3.44, 4.04)
CODE = EpochInfo("code", "Code", "", "#E69F00", "frozen", 300_000, 2.41, 2.78)
LATIN = EpochInfo("latin", "Latin", "", "#009E73", "interrupted", 9000)
SCORES = (
    DomainScore("plays", 4.0, 3.5, 3.51, 0.96, None),
    DomainScore("code", 3.0, 2.5, 2.55, 0.92, None),
)


class Engine:
    """Opens a project of the given epochs and keeps what it was asked; training and measuring go on until ended."""

    def __init__(self) -> None:
        self.asked: list[jobs.Job] = []
        self.epochs: tuple[EpochInfo, ...] = (PLAYS, CODE)
        self.scores = SCORES
        self.misrouted: tuple[MisroutedText, ...] = ()
        self.hold = False

    @property
    def slots(self) -> tuple[SlotInfo, ...]:
        mixed = (epoch for epoch in self.epochs if epoch.state == "frozen")
        return (SlotInfo("", "Eternity", BACKBONE_COLOUR), *(SlotInfo(e.slug, e.name, e.colour) for e in mixed))

    def run(self, job: jobs.Job, cancel: CancelToken) -> Iterator[StreamEvent]:
        self.asked.append(job)
        match job:
            case jobs.CreateProject() | jobs.OpenProject():
                strategy = job.mixer_strategy if isinstance(job, jobs.CreateProject) else "gating"
                backbone = BackboneInfo("Tiny", STARTER, 1000, "CPU", "float32", 256, 4, 1)
                project = ProjectInfo(
                    job.path, Path(job.path).name, backbone, strategy, self.epochs, self.slots, (), None
                )
                yield ProjectOpened(project)
            case jobs.Evaluate():
                yield from self._until_let_go("Measuring", cancel)
                yield Evaluated(self.scores, 2.0, 0.05, self.misrouted)
            case jobs.TrainEpoch() | jobs.ResumeEpoch() | jobs.KeepEpoch():
                yield from self._until_let_go("Training", cancel)
            case jobs.DeleteEpoch():
                self.epochs = tuple(epoch for epoch in self.epochs if epoch.slug != job.slug)
                yield EpochsChanged(self.epochs, self.slots)

    def _until_let_go(self, label: str, cancel: CancelToken) -> Iterator[StreamEvent]:
        while self.hold:
            cancel.raise_if_cancelled()
            yield Progress(label)


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def window(
    qapp: object, no_widget_survives: None, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MainWindow]:
    monkeypatch.setattr(window_module, "EngineClient", partial(EngineClient, lambda: engine))
    made = create_window(None, "light")
    shown(made)
    yield made
    engine.hold = False
    made.close_now()


def measure(window: MainWindow) -> QAction:
    return child(window, "evaluateAction", QAction)


def opened(window: MainWindow, wait_until: WaitUntil, folder: Path) -> None:
    folder.mkdir()
    window.controller.projects.open(str(folder))
    wait_until(lambda: window.project_shown and not window.client.busy)


def banner(window: MainWindow) -> str:
    found = window.banner.findChild(QLabel, "bannerMessage")
    assert found is not None
    return plain(found.text()) if window.banner.isVisible() else ""


def test_a_project_is_made_with_the_chosen_strategy_and_speaks_by_it(
    window: MainWindow, engine: Engine, wait_until: WaitUntil
) -> None:
    strategies = window.findChild(QComboBox, "strategyCombo")
    create = window.findChild(QPushButton, "createProjectButton")
    assert strategies is not None and create is not None
    strategies.setCurrentIndex(strategies.findData("attention"))
    QTest.mouseClick(create, Qt.MouseButton.LeftButton)
    wait_until(lambda: window.project_shown and not window.client.busy)
    job = engine.asked[0]
    assert isinstance(job, jobs.CreateProject) and (job.backbone, job.mixer_strategy) == (STARTER, "attention")
    modes = window.findChild(QComboBox, "modeCombo")
    assert modes is not None and modes.currentText() == "Time Mixer · attention"


def test_measuring_tells_the_worst_share_kept_and_the_mean_routing(
    window: MainWindow, engine: Engine, wait_until: WaitUntil, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    charted: list[Evaluated | None] = []
    monkeypatch.setattr(window.charts, "show_evaluation", charted.append)
    opened(window, wait_until, tmp_path / "project")
    measure(window).trigger()
    assert window.progress_line.isVisible()
    wait_until(lambda: not window.client.busy)
    assert engine.asked[-1] == jobs.Evaluate(misrouted=20)
    expected = "the mix keeps 90 % of the gain at worst (Code); routing accuracy 94 % on average"
    assert banner(window) == f"Measured on held-out text: {expected}."
    assert not window.progress_line.isVisible()
    assert charted[-1] == Evaluated(SCORES, 2.0, 0.05)


def test_where_the_mixer_errs_is_shown_while_that_is_known(
    window: MainWindow, engine: Engine, wait_until: WaitUntil, tmp_path: Path
) -> None:
    slots, mixes = engine.slots, {0: (0.8, 0.1, 0.1), 1: (0.1, 0.8, 0.1), 2: (0.1, 0.2, 0.7)}
    words = [("To ", 1), ("be", 2), (" or", 2), (" not", 1)]
    tokens = tuple(TokenEvent(at, at, word, mixes[slot], True, 0.5, 1) for at, (word, slot) in enumerate(words))
    engine.misrouted = (MisroutedText("plays", 2, 1, 3, tokens, slots), MisroutedText("code", 1, 0, 1, tokens, slots))
    action, button = (
        child(window, "misroutedAction", QAction),
        child(window.charts, "errorsButton", QToolButton),
    )
    opened(window, wait_until, tmp_path / "project")
    assert not action.isEnabled() and not button.isVisibleTo(window)
    measure(window).trigger()
    wait_until(lambda: action.isEnabled())
    button.click()
    dialog = window.controller.misrouted.dialog
    assert dialog is not None
    cells = [[dialog.rows.model().index(row, column).data() for column in range(4)] for row in range(2)]
    assert cells == [["Plays", "Code", "2", "be or"], ["Code", "Plays", "1", "To "]]
    assert dialog.text.selected_text() == "be or"
    choose_row(dialog.rows, 1)
    assert dialog.text.selected_text() == "To "
    dialog.close()
    action.trigger()
    assert window.controller.misrouted.dialog is not None
    window.controller.misrouted.dialog.close()
    window.controller.training.train(jobs.TrainEpoch("Milton", ()))
    window.charts.begin_epoch(TrainStarted(LATIN, 4, 0))
    assert not action.isEnabled() and "Possible once" in action.toolTip()


def test_an_epoch_that_gained_nothing_has_no_share_to_tell(
    window: MainWindow, engine: Engine, wait_until: WaitUntil, tmp_path: Path
) -> None:
    engine.scores = (replace(SCORES[0], loss_epoch=4.2),)
    opened(window, wait_until, tmp_path / "project")
    measure(window).trigger()
    wait_until(lambda: banner(window) and not window.client.busy)
    assert banner(window) == "Measured on held-out text: routing accuracy 96 % on average."


@pytest.mark.parametrize(("epochs", "possible"), [((), False), ((LATIN,), False), ((PLAYS,), True)])
def test_only_a_trained_epoch_can_be_measured(
    window: MainWindow,
    engine: Engine,
    wait_until: WaitUntil,
    tmp_path: Path,
    epochs: tuple[EpochInfo, ...],
    possible: bool,
) -> None:
    assert not measure(window).isEnabled()
    engine.epochs = epochs
    opened(window, wait_until, tmp_path / "project")
    assert measure(window).isEnabled() is possible
    window.controller.projects.close()
    assert not measure(window).isEnabled()


def test_measuring_waits_for_the_end_of_a_training(
    window: MainWindow, engine: Engine, wait_until: WaitUntil, tmp_path: Path
) -> None:
    opened(window, wait_until, tmp_path / "project")
    engine.hold = True
    window.controller.training.train(jobs.TrainEpoch("Milton", ()))
    assert not measure(window).isEnabled() and "no training runs" in measure(window).toolTip()
    engine.hold = False
    wait_until(lambda: measure(window).isEnabled())
    assert not window.controller.training.jobs


def test_one_measurement_at_a_time_and_it_can_be_cancelled(
    window: MainWindow, engine: Engine, wait_until: WaitUntil, tmp_path: Path
) -> None:
    opened(window, wait_until, tmp_path / "project")
    engine.hold = True
    measure(window).trigger()
    assert not measure(window).isEnabled()
    window.progress_line.cancel_requested.emit()
    wait_until(lambda: measure(window).isEnabled())
    assert not window.progress_line.isVisible() and banner(window) == ""


def test_the_last_epoch_deleted_leaves_nothing_to_measure(
    window: MainWindow, engine: Engine, wait_until: WaitUntil, tmp_path: Path
) -> None:
    engine.epochs = (PLAYS,)
    opened(window, wait_until, tmp_path / "project")
    window.epochs.delete_requested.emit("plays")
    wait_until(lambda: not measure(window).isEnabled())


def notice(window: MainWindow) -> str:
    dialog = window.controller.training.dialog
    assert dialog is not None
    found = dialog.findChild(QLabel, "interruptedNotice")
    assert found is not None
    return found.text() if found.isVisible() else ""


def compared(window: MainWindow) -> bool:
    dialog = window.controller.training.dialog
    assert dialog is not None
    return any(box.isVisible() for box in dialog.findChildren(QCheckBox, "compareBox"))


@pytest.mark.parametrize(
    ("epochs", "warned", "comparable"),
    [((), False, False), ((PLAYS,), False, True), ((PLAYS, LATIN), True, True), ((LATIN,), True, False)],
)
def test_a_new_epoch_knows_what_came_before_it(
    window: MainWindow,
    engine: Engine,
    wait_until: WaitUntil,
    tmp_path: Path,
    epochs: tuple[EpochInfo, ...],
    warned: bool,
    comparable: bool,
) -> None:
    engine.epochs = epochs
    opened(window, wait_until, tmp_path / "project")
    window.menus.add_epoch.trigger()
    assert ("Latin is interrupted" in notice(window)) is warned
    assert compared(window) is comparable


def test_an_interrupted_epoch_that_goes_on_first_is_not_warned_of(
    window: MainWindow, engine: Engine, wait_until: WaitUntil, tmp_path: Path
) -> None:
    engine.epochs = (LATIN,)
    opened(window, wait_until, tmp_path / "project")
    engine.hold = True
    window.controller.training.train(jobs.ResumeEpoch("latin"))
    window.menus.add_epoch.trigger()
    assert notice(window) == "" and compared(window)


def test_a_resumed_epoch_prepares_in_its_own_card(
    window: MainWindow, engine: Engine, wait_until: WaitUntil, tmp_path: Path
) -> None:
    engine.epochs, engine.hold = (PLAYS, LATIN), True
    opened(window, wait_until, tmp_path / "project")
    click(window.epochs, "resumeButton")
    wait_until(lambda: "Training" in texts(window.epochs))
    names = [text for text in texts(window.epochs) if text in (PLAYS.name, LATIN.name)]
    assert names == [PLAYS.name, LATIN.name] and "interrupted" not in texts(window.epochs)
    engine.hold = False
    wait_until(lambda: "interrupted" in texts(window.epochs))


def test_charts_folded_after_a_training_come_back_with_the_next(
    window: MainWindow, engine: Engine, wait_until: WaitUntil, tmp_path: Path
) -> None:
    engine.epochs, engine.hold = (PLAYS, LATIN), True
    opened(window, wait_until, tmp_path / "project")
    window.controller.training.train(jobs.ResumeEpoch("latin"))
    window.charts.begin_epoch(TrainStarted(LATIN, 40, 0))
    engine.hold = False
    wait_until(lambda: not window.controller.training.jobs)
    assert not window.charts.folded, "they stay for a look"
    window.menus.fold_charts.trigger()
    assert window.charts.folded
    window.charts.begin_epoch(TrainStarted(LATIN, 40, 0))
    assert not window.charts.folded


def test_the_next_start_says_what_happened_to_an_epoch_and_offers_to_go_on(
    window: MainWindow, engine: Engine, wait_until: WaitUntil, tmp_path: Path
) -> None:
    note = "stopped after step 40 of 400, when the application ended without warning"
    engine.epochs = (PLAYS, replace(LATIN, note=note))
    opened(window, wait_until, tmp_path / "project")
    wait_until(lambda: "Latin" in window.banner.accessibleName())
    assert window.banner.accessibleName() == f"Latin: {note}."
    click(window.banner, "bannerActionButton")
    wait_until(lambda: jobs.ResumeEpoch("latin") in engine.asked)


def test_an_interrupted_epoch_is_kept_by_a_job_that_counts_as_a_training(
    window: MainWindow, engine: Engine, wait_until: WaitUntil, tmp_path: Path
) -> None:
    engine.epochs, engine.hold = (LATIN,), True
    opened(window, wait_until, tmp_path / "project")
    click(window, "keepInterruptedButton")
    wait_until(lambda: jobs.KeepEpoch("latin") in engine.asked)
    assert list(window.controller.training.jobs.values()) == [jobs.KeepEpoch("latin")]
    told = texts(window.epochs)
    assert "being kept" in told and not {"training", "Training starts after this"} & {*told}
    assert not window.controller.projects.may_leave()
