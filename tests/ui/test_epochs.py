"""The epochs panel and its dialogs, with real events."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from kit import (
    WaitUntil,
    button,
    child,
    click,
    combo,
    drag_in,
    drag_out,
    drop,
    edit,
    file_drag,
    plain,
    question,
    shown,
    spin,
    texts,
    tick,
)
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QDropEvent, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFrame,
    QLabel,
    QLineEdit,
    QListWidget,
    QMenu,
    QMessageBox,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QToolButton,
    QWidget,
)
from shiboken6 import isValid

from tlora_gui.engine.protocol.config import (
    EPOCH_COLOURS,
    MAX_NAME,
    PRESETS,
    ReadOptions,
    SleepSettings,
    TrainSettings,
)
from tlora_gui.engine.protocol.events import (
    BackboneInfo,
    BlocksPreviewed,
    CorpusSummary,
    EpochInfo,
    HeldOut,
    TokenPiece,
    TrainingEstimate,
    TrainStep,
)
from tlora_gui.engine.protocol.jobs import EstimateTraining, ExportMerge, Job, PreviewBlocks, RepairMemory, TrainEpoch
from tlora_gui.ui.epochs.cards import QUEUE_MIME, held_out_tooltip
from tlora_gui.ui.epochs.corpus_box import split_paths
from tlora_gui.ui.epochs.edit_epoch_dialog import EditEpochDialog
from tlora_gui.ui.epochs.merge_dialog import MergeDialog
from tlora_gui.ui.epochs.new_epoch_dialog import NewEpochDialog
from tlora_gui.ui.epochs.panel import EpochsPanel
from tlora_gui.ui.widgets.fields import DecimalBox

BACKBONE = BackboneInfo("SmolLM2-135M", "starter", 134_515_008, "CPU", "bf16", 8192, 30, 8)
SHAKESPEARE = EpochInfo(
    "shakespeare", "Shakespeare", "Renaissance era", "#0072B2", "frozen", 412_345, 3.44, 4.04, corpus=("/texts/plays",)
)
PYTHON = EpochInfo("python", "Python", "IT era", "#E69F00", "frozen", 388_000, 2.41, 2.78)
MILTON = EpochInfo("milton", "Milton", "Puritan era", "#009E73", "training", backbone_loss=4.72)
LATIN = EpochInfo("latin", "Latin", "Antiquity", "#CC79A7", "interrupted", 9000, note="Stopped after step 120 of 300.")
BROKEN = EpochInfo("broken", "Greek", "", "#D55E00", "broken", note="adapter_model.safetensors is missing.")
STEP = TrainStep("milton", 143, 300, 4.3, 0.02, 0.1, 1e-3, 73_216, 571.3, 84.2)
CORPUS = ("/texts/milton",)
SUMMARY = CorpusSummary(
    paths=CORPUS,
    name_guess="Milton",
    files=37,
    held_out_files=4,
    tokens=412_345,
    held_out_tokens=41_200,
    estimated=False,
    skipped=(("/texts/milton/old/cover.png", "not text"),),
    notes=(("/texts/milton/one.txt", "read as Latin-1"),),
    excerpt="Of Mans First Disobedience, and the Fruit\nOf that Forbidden Tree",
)

NO_KEYS = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def panel(qapp: QApplication) -> EpochsPanel:
    made = EpochsPanel()
    made.set_backbone(BACKBONE)
    made.set_epochs((SHAKESPEARE, PYTHON))
    shown(made, 262, 760)
    return made


def epoch_list(panel: EpochsPanel) -> QListWidget:
    return child(panel, "epochList", QListWidget)


def cards(panel: EpochsPanel) -> list[QWidget]:
    """Cards from top to bottom."""
    listed = epoch_list(panel)
    return [listed.itemWidget(listed.item(row)) for row in range(listed.count())]


# -- the list -------------------------------------------------------------------------------------------------------


def test_the_backbone_is_the_first_card(panel: EpochsPanel) -> None:
    assert texts(cards(panel)[0]) == ["Eternity", "SmolLM2-135M · CPU"]


def test_an_epoch_card_tells_name_era_state_tokens_and_loss(panel: EpochsPanel) -> None:
    expected = {"Shakespeare", "Renaissance era", "frozen", "412 k tokens", "held-out 3.44"}
    assert set(texts(cards(panel)[1])) == expected


def test_nothing_can_be_added_without_a_backbone(panel: EpochsPanel) -> None:
    asked: list[object] = []
    panel.add_requested.connect(lambda: asked.append(True))
    panel.set_backbone(None)
    click(panel, "addEpochButton")
    click(panel, "dropZone")
    assert not asked
    assert not drag_in(panel, file_drag(["/texts"]))
    panel.set_backbone(BACKBONE)
    click(panel, "addEpochButton")
    click(panel, "dropZone")
    assert len(asked) == 2


def test_a_backbone_that_is_not_loaded_has_no_device_and_no_numbers(panel: EpochsPanel) -> None:
    panel.set_backbone(BackboneInfo("SmolLM2-135M", "starter", 0, "", "", 0, 0, 0))
    card = cards(panel)[0]
    assert texts(card) == ["Eternity", "SmolLM2-135M"] and "0" not in card.accessibleDescription()


def test_cards_that_stay_are_kept_and_so_is_the_selection(panel: EpochsPanel) -> None:
    before = cards(panel)
    epoch_list(panel).setCurrentRow(2)
    panel.set_epochs((SHAKESPEARE, replace(PYTHON, name="Snakes"), LATIN))
    after = cards(panel)
    assert after[:3] == before
    assert len(after) == 4
    assert "Snakes" in texts(after[2])
    assert epoch_list(panel).currentRow() == 2


def test_cards_follow_a_changed_order(panel: EpochsPanel) -> None:
    epoch_list(panel).setCurrentRow(1)
    panel.set_epochs((PYTHON, SHAKESPEARE))
    assert [texts(card)[0] for card in cards(panel)] == ["Eternity", "Python", "Shakespeare"]
    assert epoch_list(panel).currentRow() == 2


def test_a_broken_epoch_gives_its_reason_and_can_only_be_deleted(panel: EpochsPanel) -> None:
    panel.set_epochs((BROKEN,))
    assert "adapter_model.safetensors is missing." in texts(cards(panel)[1])
    click(panel, "epochMenuButton")
    menu = panel.findChild(QMenu, "epochMenu")
    assert menu is not None
    enabled = [action.text() for action in menu.actions() if action.isEnabled() and not action.isSeparator()]
    assert enabled == ["Delete"]


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (TrainEpoch("Greek", ("/texts/greek",), replaces="broken"), ("Train again", "/texts/greek")),
        (RepairMemory("broken"), ("Repair the memory", "its own dreams")),
    ],
)
def test_what_makes_an_epoch_whole_is_offered_on_its_card_and_in_its_menu(
    panel: EpochsPanel, job: Job, words: tuple[str, str]
) -> None:
    panel.set_epochs((BROKEN, SHAKESPEARE))
    asked: list[str] = []
    panel.repair_requested.connect(asked.append)
    buttons = [card.findChild(QPushButton, "repairButton") for card in cards(panel)[1:]]
    assert all(button is not None and button.isHidden() for button in buttons)
    panel.set_repairs({"broken": job})
    button, other = buttons
    assert button is not None and other is not None and other.isHidden()
    assert button.isVisible() and button.text() == words[0] and words[1] in button.toolTip()
    button.click()
    panel.set_epochs((BROKEN,))
    click(panel, "epochMenuButton")
    menu = panel.findChild(QMenu, "epochMenu")
    assert menu is not None and menu.actions()[0].text() == words[0]
    menu.actions()[0].trigger()
    assert asked == ["broken", "broken"]
    panel.set_busy(True)
    assert not button.isEnabled()
    panel.set_busy(False)
    panel.set_repairs({})
    assert button.isHidden()


def test_every_card_is_as_high_as_its_content(panel: EpochsPanel, wait_until: WaitUntil) -> None:
    long_note = replace(BROKEN, note="The file adapter_model.safetensors is missing. " * 4)
    panel.set_epochs((SHAKESPEARE, long_note, LATIN))
    card = cards(panel)[2]
    wait_until(lambda: card.height() >= card.heightForWidth(card.width()) > 120)


def test_a_card_that_grows_gets_the_room(panel: EpochsPanel, wait_until: WaitUntil) -> None:
    card = cards(panel)[1]
    before = card.height()
    name = next(found for found in card.findChildren(QLabel) if found.text() == "Shakespeare")
    name.setStyleSheet("font-size: 40px")
    wait_until(lambda: card.height() > before + 15)


def test_a_card_is_fitted_before_anything_is_drawn_when_its_training_ends(
    panel: EpochsPanel, wait_until: WaitUntil
) -> None:
    panel.set_epochs((SHAKESPEARE, PYTHON))
    card = cards(panel)[1]
    wait_until(lambda: card.height() == card.heightForWidth(card.width()))
    fitting = card.height()
    panel.set_epochs((replace(SHAKESPEARE, state="training"), PYTHON))
    panel.show_progress(STEP)
    assert card.height() > fitting + 40, "it holds the training"
    panel.set_epochs((SHAKESPEARE, PYTHON))
    assert card.height() == fitting
    assert cards(panel)[2].y() == card.geometry().bottom() + 1, "the next one follows"


def test_no_text_of_a_usual_card_is_cut_off_at_250_pixels(panel: EpochsPanel, wait_until: WaitUntil) -> None:
    panel.set_epochs((SHAKESPEARE, replace(MILTON, held_out_loss=4.31)))
    panel.show_progress(STEP)
    panel.resize(250, 760)
    labels = [found for card in cards(panel) for found in card.findChildren(QLabel) if found.isVisible()]
    wait_until(lambda: all(card.width() <= 250 for card in cards(panel)))
    for found in labels:
        assert found.fontMetrics().horizontalAdvance(found.text()) <= found.width(), found.text()


def test_arrow_keys_walk_and_return_activates(panel: EpochsPanel) -> None:
    activated: list[str] = []
    panel.epoch_activated.connect(activated.append)
    listed = epoch_list(panel)
    listed.setFocus()
    QTest.keyClick(listed, Qt.Key.Key_Return)
    QTest.keyClick(listed, Qt.Key.Key_Down)
    QTest.keyClick(listed, Qt.Key.Key_Return)
    assert activated == ["", "shakespeare"]


def test_a_click_on_a_card_selects_it(panel: EpochsPanel) -> None:
    name = next(found for found in cards(panel)[2].findChildren(QLabel) if found.text() == "Python")
    listed = epoch_list(panel)
    QTest.mouseClick(listed.viewport(), Qt.MouseButton.LeftButton, pos=name.mapTo(listed.viewport(), QPoint(4, 4)))
    assert listed.currentRow() == 2


def test_the_tab_key_visits_the_cards_from_top_to_bottom(panel: EpochsPanel, wait_until: WaitUntil) -> None:
    panel.set_epochs((SHAKESPEARE, MILTON))
    panel.show_progress(STEP)
    panel.activateWindow()
    epoch_list(panel).setFocus()
    wait_until(epoch_list(panel).hasFocus)
    visited: list[str] = []
    for _ in range(5):
        QTest.keyClick(panel, Qt.Key.Key_Tab)
        focused = QApplication.focusWidget()
        assert focused is not None
        visited.append(focused.accessibleName())
    assert visited[:4] == ["Actions for Shakespeare", "Actions for Milton", "Pause training", "Stop training"]
    assert visited[4].startswith("Drop a folder")


def test_the_held_out_tooltip_compares_with_the_backbone() -> None:
    tooltip = held_out_tooltip(3.44, 4.04)
    assert "3.44" in tooltip and "4.04" in tooltip and "1.8 times" in tooltip
    assert "times" not in held_out_tooltip(4.2, 4.04)
    assert held_out_tooltip(None, 4.04) == ""


# -- training -------------------------------------------------------------------------------------------------------


def test_the_training_card_shows_step_time_and_speed(panel: EpochsPanel) -> None:
    panel.set_epochs((SHAKESPEARE, MILTON))
    panel.show_progress(STEP)
    panel.show_held_out(HeldOut("milton", 125, 4.31, ()))
    card = cards(panel)[2]
    assert {"step 143 / 300", "1:24 left · 571 tokens/s", "held-out 4.31"} <= set(texts(card))
    bar = card.findChild(QProgressBar, "progressBar")
    assert bar is not None
    assert (bar.value(), bar.maximum()) == (143, 300)
    assert MILTON.colour in bar.styleSheet()


def test_a_change_of_the_list_leaves_the_progress_alone(panel: EpochsPanel) -> None:
    panel.set_epochs((SHAKESPEARE, MILTON))
    panel.show_progress(STEP)
    panel.set_paused(True)
    panel.set_epochs((replace(SHAKESPEARE, name="Will"), replace(MILTON, name="John", colour="#6F4E9C")))
    card = cards(panel)[2]
    assert {"John", "step 143 / 300", "Paused"} <= set(texts(card))
    bar = card.findChild(QProgressBar, "progressBar")
    assert bar is not None and "#6F4E9C" in bar.styleSheet()


def test_progress_outlives_the_card_of_a_discarded_epoch(panel: EpochsPanel, wait_until: WaitUntil) -> None:
    panel.set_epochs((SHAKESPEARE, MILTON))
    panel.show_progress(STEP)
    discarded = cards(panel)[2]
    panel.set_epochs((SHAKESPEARE,))
    wait_until(lambda: not isValid(discarded))
    bars = panel.findChildren(QProgressBar, "progressBar")
    assert len(bars) == 1 and not bars[0].isVisible()
    panel.set_epochs((MILTON, SHAKESPEARE))
    assert bars[0].isVisible() and bars[0].value() == 0
    assert bars[0] in cards(panel)[1].findChildren(QProgressBar)


def test_progress_outlives_a_changed_order(panel: EpochsPanel, wait_until: WaitUntil) -> None:
    panel.set_epochs((SHAKESPEARE, MILTON))
    panel.show_progress(STEP)
    replaced = cards(panel)
    panel.set_epochs((MILTON, SHAKESPEARE))
    wait_until(lambda: not any(map(isValid, replaced)))
    assert "step 143 / 300" in texts(cards(panel)[1])


def test_the_card_of_a_paused_training_says_so(panel: EpochsPanel) -> None:
    panel.set_epochs((MILTON,))
    panel.show_progress(STEP)
    panel.set_paused(True)
    assert "paused" in texts(cards(panel)[1]) and "training" not in texts(cards(panel)[1])
    panel.set_epochs((SHAKESPEARE, MILTON))
    assert "paused" in texts(cards(panel)[2]) and "frozen" in texts(cards(panel)[1])
    panel.set_epochs((SHAKESPEARE, replace(MILTON, state="frozen"), replace(LATIN, state="training")))
    assert "frozen" in texts(cards(panel)[2]) and "training" in texts(cards(panel)[3])


def test_the_measurement_stays_at_the_right_while_a_resumed_training_is_prepared(panel: EpochsPanel) -> None:
    panel.set_epochs((replace(MILTON, held_out_loss=4.31),))
    panel.show_progress(STEP)
    QApplication.processEvents()
    held_out = child(panel, "trainingHeldOut", QLabel)
    right = held_out.geometry().right()
    panel.show_preparation("Reading the text…")
    QApplication.processEvents()
    assert held_out.isVisible() and held_out.geometry().right() == right
    ink = held_out.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    inked = [x for x in range(ink.width()) if len({ink.pixel(x, y) for y in range(ink.height())}) > 1]
    assert max(inked) >= ink.width() - 3, "its words stay too"


def test_a_scroll_bar_leaves_the_cards_their_width(panel: EpochsPanel, wait_until: WaitUntil) -> None:
    bar, before = epoch_list(panel).verticalScrollBar(), cards(panel)[0].width()
    panel.set_queue(("Milton",) * 20)
    wait_until(lambda: bar.isVisible() and cards(panel)[0].width() == before)
    panel.set_queue(())
    wait_until(lambda: not bar.isVisible() and cards(panel)[0].width() == before)


def test_pause_asks_and_shows_resume_once_paused(panel: EpochsPanel) -> None:
    asked: list[tuple[int, bool]] = []
    panel.pause_requested.connect(lambda *of: asked.append(of))
    panel.set_training(7)
    panel.set_epochs((MILTON,))
    panel.show_progress(STEP)
    button = panel.findChild(QPushButton, "pauseButton")
    assert button is not None and button.text() == "Pause"
    click(panel, "pauseButton")
    panel.set_paused(True)
    assert button.text() == "Resume"
    click(panel, "pauseButton")
    panel.set_paused(False)
    assert button.text() == "Pause"
    assert asked == [(7, True), (7, False)]


@pytest.mark.parametrize(("answer", "expected"), [("keep", ["keep"]), ("discard", ["discard"]), ("stay", [])])
def test_stop_asks_what_to_do_with_what_is_learned(panel: EpochsPanel, answer: str, expected: list[str]) -> None:
    asked: list[tuple[int, str]] = []
    panel.stop_requested.connect(lambda *of: asked.append(of))
    panel.set_training(7)
    panel.set_epochs((MILTON,))
    panel.show_progress(STEP)
    click(panel, "stopButton")
    assert asked == []
    panel.set_training(8)  # the next one runs by now; the question was about the one before
    click(question(panel), f"{answer}Button")
    assert asked == [(7, mode) for mode in expected]


def test_escape_goes_on_training(panel: EpochsPanel, wait_until: WaitUntil) -> None:
    asked: list[tuple[int, str]] = []
    panel.stop_requested.connect(lambda *of: asked.append(of))
    panel.set_epochs((MILTON,))
    click(panel, "stopButton")
    QTest.keyClick(question(panel), Qt.Key.Key_Escape)
    wait_until(lambda: not panel.findChildren(QMessageBox))
    assert asked == []


def test_preparation_has_a_card_until_the_epoch_is_listed(panel: EpochsPanel) -> None:
    panel.show_preparation("Reading the text…", "Milton", MILTON.colour)
    card = cards(panel)[3]
    assert {"Milton", "preparing", "Reading the text…"} <= set(texts(card))
    pause = panel.findChild(QPushButton, "pauseButton")
    assert pause is not None and not pause.isEnabled()
    panel.set_epochs((SHAKESPEARE, PYTHON, MILTON))
    assert len(cards(panel)) == 4
    panel.show_progress(STEP)
    assert pause.isEnabled()
    assert pause in cards(panel)[3].findChildren(QPushButton)


def test_before_the_first_step_there_is_nothing_to_keep(panel: EpochsPanel) -> None:
    asked: list[tuple[int, str]] = []
    panel.stop_requested.connect(lambda *of: asked.append(of))
    panel.set_training(7)
    panel.show_preparation("Reading the text…", "Milton", MILTON.colour)
    click(panel, "stopButton")
    assert {button.objectName() for button in question(panel).buttons()} == {"discardButton", "stayButton"}
    click(question(panel), "discardButton")
    assert asked == [(7, "discard")]
    panel.set_epochs((MILTON,))
    panel.show_preparation("Reading the text…")  # of one that is resumed
    click(panel, "stopButton")
    assert "keepButton" in {button.objectName() for button in question(panel).buttons()}


def test_preparation_that_failed_leaves_no_card(panel: EpochsPanel) -> None:
    panel.show_preparation("Reading the text…", "Milton")
    panel.clear_preparation()
    assert len(cards(panel)) == 3


def test_a_waiting_epoch_can_be_taken_out_of_the_queue(panel: EpochsPanel) -> None:
    removed: list[int] = []
    panel.unqueue_requested.connect(removed.append)
    panel.set_queue(("Milton", "King James Bible"))
    click(cards(panel)[4], "unqueueButton")
    assert removed == [1]
    panel.set_queue(("Milton",))
    assert [texts(card) for card in cards(panel)[3:]] == [["Milton", "place 1", "queued"]]


def test_a_waiting_epoch_is_moved_changed_and_removed_by_keys(panel: EpochsPanel) -> None:
    told: list[tuple[object, ...]] = []
    panel.queue_moved.connect(lambda *places: told.append(("move", *places)))
    panel.queue_edit_requested.connect(lambda place: told.append(("edit", place)))
    panel.unqueue_requested.connect(lambda place: told.append(("remove", place)))
    panel.set_queue(("A", "B", "C"))
    listed = epoch_list(panel)
    panel.activateWindow()
    listed.setFocus()
    listed.setCurrentRow(4)
    QTest.keyClick(listed, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert listed.currentRow() == 3, "the marked card goes along"
    QTest.keyClick(listed, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    listed.setCurrentRow(5)
    QTest.keyClick(listed, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    QTest.keyClick(listed, Qt.Key.Key_Return)
    QTest.keyClick(listed, Qt.Key.Key_Delete)
    assert told == [("move", 1, 0), ("edit", 2), ("remove", 2)]
    assert "Alt+Up" in cards(panel)[4].findChild(QFrame).accessibleDescription()


def test_a_waiting_epoch_is_dragged_to_another_place(panel: EpochsPanel) -> None:
    moved: list[tuple[int, int]] = []
    panel.queue_moved.connect(lambda *places: moved.append(places))
    panel.set_queue(("A", "B", "C"))
    data = QMimeData()
    data.setData(QUEUE_MIME, b"queue:2")

    def let_go(place: QPoint) -> None:
        assert drag_in(panel, data)
        event = QDropEvent(QPointF(place), Qt.DropAction.MoveAction, data, Qt.MouseButton.LeftButton, NO_KEYS)
        QApplication.sendEvent(panel, event)

    assert drag_in(panel, data) and child(panel, "dropZone").property("active") != "true"
    drag_out(panel)
    let_go(cards(panel)[3].mapTo(panel, QPoint(40, 20)))
    data.setData(QUEUE_MIME, b"queue:0")
    let_go(child(panel, "dropZone").geometry().center())
    let_go(cards(panel)[3].mapTo(panel, QPoint(40, 20)))
    assert moved == [(2, 0), (0, 2)]


@pytest.mark.parametrize("target", ["panel", "dialog"])
def test_what_is_dropped_stays_where_it_is(request: pytest.FixtureRequest, target: str, tmp_path: Path) -> None:
    offered = Qt.DropAction.CopyAction | Qt.DropAction.MoveAction
    keys = Qt.KeyboardModifier.ShiftModifier  # proposes to move
    data, widget = file_drag([tmp_path]), request.getfixturevalue(target)
    event = QDropEvent(QPointF(40, 20), offered, data, Qt.MouseButton.LeftButton, keys)
    assert drag_in(widget, data)
    QApplication.sendEvent(widget, event)
    assert event.isAccepted() and event.dropAction() == Qt.DropAction.CopyAction


def test_the_whole_queue_is_paused_and_goes_on(panel: EpochsPanel) -> None:
    asked: list[bool] = []
    panel.pause_all_requested.connect(asked.append)
    button = child(panel, "pauseAllButton", QToolButton)
    assert not button.isVisible()
    panel.set_queue(("A",))
    assert (button.text(), button.accessibleName()) == ("Pause all", "Pause all")
    click(panel, "pauseAllButton")
    panel.set_all_paused(True)
    assert button.text() == "Resume all"
    click(panel, "pauseAllButton")
    assert asked == [True, False]


def test_an_interrupted_epoch_offers_resume_and_asks_before_discarding(panel: EpochsPanel) -> None:
    resumed: list[str] = []
    discarded: list[str] = []
    panel.resume_requested.connect(resumed.append)
    panel.discard_requested.connect(discarded.append)
    panel.set_epochs((SHAKESPEARE, LATIN))
    click(panel, "resumeButton")
    click(panel, "discardInterruptedButton")
    assert (resumed, discarded) == (["latin"], [])
    click(question(panel), "discardButton")
    assert discarded == ["latin"]


def test_an_interrupted_epoch_can_be_kept_as_it_is(panel: EpochsPanel) -> None:
    kept: list[str] = []
    panel.keep_requested.connect(kept.append)
    panel.set_epochs((SHAKESPEARE, LATIN))
    click(panel, "keepInterruptedButton")
    assert kept == ["latin"]
    panel.set_busy(True)
    click(panel, "keepInterruptedButton")
    assert kept == ["latin"]


def test_an_epoch_that_is_only_kept_is_not_said_to_train(panel: EpochsPanel) -> None:
    panel.set_epochs((SHAKESPEARE, replace(LATIN, state="training")))
    panel.show_preparation("Preparing", keeping=True)
    told = texts(cards(panel)[2])
    assert "being kept" in told and "Preparing" in told
    assert not [text for text in told if "raining" in text]
    panel.set_epochs((SHAKESPEARE, replace(LATIN, state="training")))
    assert "being kept" in texts(cards(panel)[2])
    panel.clear_preparation()
    panel.show_preparation("Preparing")
    assert {"training", "Training starts after this"} <= set(texts(cards(panel)[2]))


def test_nothing_can_be_added_to_a_project_that_is_only_followed(panel: EpochsPanel) -> None:
    add, zone = child(panel, "addEpochButton"), child(panel, "dropZone")
    usual = add.toolTip()
    panel.set_following("It is open elsewhere.")
    assert not add.isEnabled() and not zone.isEnabled()
    assert add.toolTip() == "It is open elsewhere."
    panel.set_following("")
    assert add.isEnabled() and zone.isEnabled() and add.toolTip() == usual


def test_the_menu_of_an_interrupted_epoch_offers_what_its_card_does(panel: EpochsPanel) -> None:
    asked: list[str] = []
    panel.resume_requested.connect(lambda slug: asked.append(f"resume {slug}"))
    panel.keep_requested.connect(lambda slug: asked.append(f"keep {slug}"))
    panel.set_epochs((SHAKESPEARE, LATIN))
    offered = {action.text(): action for action in open_menu(panel, 2).actions() if action.isVisible()}
    offered["Resume"].trigger()
    offered["Keep"].trigger()
    offered["Discard…"].trigger()
    click(question(panel), "stayButton")
    assert asked == ["resume latin", "keep latin"]
    panel.set_busy(True)
    open_menu(panel, 2)
    assert not any(offered[name].isEnabled() for name in ("Resume", "Keep", "Discard…"))
    shown_of_finished = [action.text() for action in open_menu(panel, 1).actions() if action.isVisible()]
    assert not {"Resume", "Keep", "Discard…"} & {*shown_of_finished}


def test_patience_is_told_while_measurements_are_no_better(panel: EpochsPanel) -> None:
    panel.set_epochs((SHAKESPEARE, MILTON))
    patience = child(panel, "trainingPatience", QLabel)
    for no_better, told in ((0, False), (1, True), (2, True), (0, False)):
        panel.show_held_out(HeldOut("milton", 125, 4.31, (), no_better=no_better, patience=5))
        assert patience.isVisible() is told
        assert not told or patience.text() == f"no better for {no_better} of 5 measurements"


def test_while_other_work_runs_delete_and_resume_wait(panel: EpochsPanel) -> None:
    resumed: list[str] = []
    panel.resume_requested.connect(resumed.append)
    panel.set_epochs((SHAKESPEARE, LATIN))
    panel.set_busy(True)
    click(panel, "resumeButton")
    assert resumed == []
    click(cards(panel)[1], "epochMenuButton")
    menu = panel.findChild(QMenu, "epochMenu")
    assert menu is not None
    assert {action.text(): action.isEnabled() for action in menu.actions()}["Delete"] is False
    panel.set_busy(False)
    click(panel, "resumeButton")
    assert resumed == ["latin"]


# -- menu, editing, export ------------------------------------------------------------------------------------------


def open_menu(panel: EpochsPanel, row: int) -> QMenu:
    click(cards(panel)[row], "epochMenuButton")
    menu = panel.findChild(QMenu, "epochMenu")
    assert menu is not None and menu.isVisible()
    return menu


def ask_for_menu(widget: QWidget, reason: QContextMenuEvent.Reason, where: QPoint) -> None:
    QApplication.sendEvent(widget, QContextMenuEvent(reason, where, widget.mapToGlobal(where)))


def choose(menu: QMenu, text: str) -> None:
    action = next(action for action in menu.actions() if action.text() == text)
    QTest.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(action).center())


def test_delete_asks_for_the_epoch_of_the_menu(panel: EpochsPanel) -> None:
    deleted: list[str] = []
    panel.delete_requested.connect(deleted.append)
    choose(open_menu(panel, 2), "Delete")
    choose(open_menu(panel, 1), "Delete")
    assert deleted == ["python", "shakespeare"]


def test_the_menu_key_opens_the_menu_of_the_current_card(panel: EpochsPanel) -> None:
    listed = epoch_list(panel)
    listed.setFocus()
    listed.setCurrentRow(2)
    ask_for_menu(listed, QContextMenuEvent.Reason.Keyboard, QPoint(10, 10))
    menu = panel.findChild(QMenu, "epochMenu")
    assert menu is not None and menu.isVisible()
    deleted: list[str] = []
    panel.delete_requested.connect(deleted.append)
    choose(menu, "Delete")
    assert deleted == ["python"]


def test_a_right_click_opens_the_menu_of_the_card_under_it(panel: EpochsPanel) -> None:
    viewport = epoch_list(panel).viewport()
    place = cards(panel)[1].mapTo(viewport, QPoint(60, 20))
    ask_for_menu(viewport, QContextMenuEvent.Reason.Mouse, place)
    menu = panel.findChild(QMenu, "epochMenu")
    assert menu is not None and menu.isVisible()
    deleted: list[str] = []
    panel.delete_requested.connect(deleted.append)
    choose(menu, "Delete")
    assert deleted == ["shakespeare"]


def test_the_backbone_has_no_menu(panel: EpochsPanel) -> None:
    epoch_list(panel).setCurrentRow(0)
    ask_for_menu(epoch_list(panel), QContextMenuEvent.Reason.Keyboard, QPoint(10, 10))
    menu = panel.findChild(QMenu, "epochMenu")
    assert menu is not None and not menu.isVisible()


def test_the_delete_key_deletes_and_f2_renames_the_current_epoch(panel: EpochsPanel) -> None:
    deleted: list[str] = []
    panel.delete_requested.connect(deleted.append)
    panel.activateWindow()
    listed = epoch_list(panel)
    listed.setFocus()
    listed.setCurrentRow(1)
    QTest.keyClick(listed, Qt.Key.Key_Delete)
    assert deleted == ["shakespeare"]
    QTest.keyClick(listed, Qt.Key.Key_F2)
    dialog = panel.findChild(EditEpochDialog)
    assert dialog is not None and dialog.isVisible()


def test_renaming_tells_slug_name_era_and_colour(panel: EpochsPanel) -> None:
    edits: list[tuple[str, ...]] = []
    panel.edit_requested.connect(lambda *values: edits.append(values))
    choose(open_menu(panel, 1), "Rename…")
    dialog = panel.findChild(EditEpochDialog)
    assert dialog is not None
    name = dialog.findChild(QLineEdit, "editNameEdit")
    assert name is not None
    QTest.keyClicks(name, "Will")
    violet = next(button for button in dialog.findChildren(QAbstractButton) if button.accessibleName() == "Violet")
    QTest.mouseClick(violet, Qt.MouseButton.LeftButton)
    click(dialog, "saveEpochButton")
    assert edits == [("shakespeare", "Will", "Renaissance era", EPOCH_COLOURS[7])]


def test_an_epoch_cannot_take_the_name_of_another(panel: EpochsPanel) -> None:
    choose(open_menu(panel, 1), "Rename…")
    dialog = panel.findChild(EditEpochDialog)
    assert dialog is not None
    name = dialog.findChild(QLineEdit, "editNameEdit")
    save = dialog.findChild(QPushButton, "saveEpochButton")
    problem = dialog.findChild(QLabel, "editProblem")
    assert name is not None and save is not None and problem is not None
    name.setText("PYTHON")
    assert not save.isEnabled() and problem.isVisible()
    name.setText("Will")
    assert save.isEnabled() and not problem.isVisible()


def test_saving_without_a_change_asks_for_nothing(panel: EpochsPanel) -> None:
    edits: list[tuple[str, ...]] = []
    panel.edit_requested.connect(lambda *values: edits.append(values))
    choose(open_menu(panel, 1), "Colour…")
    dialog = panel.findChild(EditEpochDialog)
    assert dialog is not None
    click(dialog, "saveEpochButton")
    assert edits == []


def test_export_asks_for_a_folder_and_tells_it(panel: EpochsPanel, tmp_path: Path) -> None:
    exports: list[tuple[str, str]] = []
    panel.export_requested.connect(lambda slug, folder: exports.append((slug, folder)))
    choose(open_menu(panel, 1), "Export as PEFT adapter…")
    dialog = panel.findChild(QFileDialog)
    assert dialog is not None
    dialog.setDirectory(str(tmp_path.parent))
    dialog.selectFile(str(tmp_path))
    dialog.accept()
    assert [(slug, Path(folder)) for slug, folder in exports] == [("shakespeare", tmp_path)]


def test_files_let_go_over_the_panel_are_told(panel: EpochsPanel) -> None:
    dropped: list[list[str]] = []
    panel.files_dropped.connect(dropped.append)
    zone = panel.findChild(QPushButton, "dropZone")
    assert zone is not None
    data = file_drag(["/texts/one.txt", "/texts/two"])
    assert drag_in(panel, data)
    assert zone.property("active") == "true"
    drop(panel, data)
    assert zone.property("active") == "false"
    assert dropped == [["/texts/one.txt", "/texts/two"]]


def test_a_drag_without_files_is_refused(panel: EpochsPanel) -> None:
    words = QMimeData()
    words.setText("just words")
    assert not drag_in(panel, words)


# -- new epoch ------------------------------------------------------------------------------------------------------


@pytest.fixture
def dialog(qapp: QApplication) -> NewEpochDialog:
    made = NewEpochDialog()
    made.open()
    QTest.qWaitForWindowExposed(made)
    return made


def start_button(dialog: NewEpochDialog) -> QPushButton:
    return child(dialog, "startTrainingButton", QPushButton)


def words(dialog: NewEpochDialog, name: str) -> str:
    found = dialog.findChild(QLabel, name)
    assert found is not None
    return plain(found.text()) if found.isVisible() else ""


def jobs_of(dialog: NewEpochDialog) -> list[TrainEpoch]:
    jobs: list[TrainEpoch] = []
    dialog.start_requested.connect(jobs.append)
    return jobs


def ready(dialog: NewEpochDialog) -> None:
    dialog.set_paths(CORPUS)
    dialog.set_summary(SUMMARY)


def test_an_empty_form_cannot_start_and_does_not_complain(dialog: NewEpochDialog) -> None:
    assert not start_button(dialog).isEnabled()
    assert words(dialog, "newEpochProblem") == ""


def test_paths_ask_for_a_summary_once(dialog: NewEpochDialog, wait_until: WaitUntil) -> None:
    chosen: list[tuple[str, ...]] = []
    dialog.corpus_chosen.connect(chosen.append)
    dialog.set_paths(["/texts/one", "/texts/two"])
    assert edit(dialog, "corpusPathEdit").text() == "/texts/one; /texts/two"
    assert words(dialog, "corpusHeadline") == "Looking through the files…"
    later = NewEpochDialog()
    later.corpus_chosen.connect(lambda paths: chosen.append(("later", *paths)))
    QTest.keyClicks(edit(later, "corpusPathEdit"), "/texts")
    wait_until(lambda: ("later", "/texts") in chosen)
    assert chosen == [("/texts/one", "/texts/two"), ("later", "/texts")]


def test_a_typed_path_asks_for_a_summary_after_a_pause(dialog: NewEpochDialog, wait_until: WaitUntil) -> None:
    chosen: list[tuple[str, ...]] = []
    dialog.corpus_chosen.connect(chosen.append)
    QTest.keyClicks(edit(dialog, "corpusPathEdit"), "/texts/one; /texts/two")
    assert chosen == []
    wait_until(lambda: chosen)
    assert chosen == [("/texts/one", "/texts/two")]


def test_typed_paths_are_split_and_the_home_folder_is_meant_by_a_tilde() -> None:
    assert split_paths(' /a ; "/b c";;/a') == ("/a", "/b c")
    assert split_paths("~/texts") == (str(Path.home() / "texts"),)


def test_a_browsed_path_with_a_semicolon_stays_whole(dialog: NewEpochDialog) -> None:
    chosen: list[tuple[str, ...]] = []
    dialog.corpus_chosen.connect(chosen.append)
    dialog.set_paths(["/texts/a;b"])
    QTest.keyClick(edit(dialog, "corpusPathEdit"), Qt.Key.Key_Return)
    assert chosen == [("/texts/a;b",)]


def test_the_summary_tells_counts_share_excerpt_and_what_was_skipped(dialog: NewEpochDialog) -> None:
    ready(dialog)
    assert words(dialog, "corpusHeadline") == "37 files · 412 k tokens to train on"
    assert words(dialog, "corpusSecondLine") == "Held out for measuring: 41 k tokens in 4 files (9 %)"
    excerpt = dialog.findChild(QPlainTextEdit, "corpusExcerpt")
    assert excerpt is not None and excerpt.isVisible() and "Disobedience" in excerpt.toPlainText()
    skipped = dialog.findChild(QPlainTextEdit, "skippedList")
    assert skipped is not None and not skipped.isVisible()
    opener = next(button for button in dialog.findChildren(QToolButton) if button.text() == "1 file skipped")
    QTest.mouseClick(opener, Qt.MouseButton.LeftButton)
    assert skipped.isVisible()
    assert skipped.toPlainText().replace("\\", "/") == "old/cover.png: not text"


def test_an_estimate_is_called_one(dialog: NewEpochDialog) -> None:
    dialog.set_paths(CORPUS)
    dialog.set_summary(replace(SUMMARY, estimated=True))
    assert "about 412 k tokens" in words(dialog, "corpusHeadline")


def test_the_name_is_guessed_until_one_is_typed(dialog: NewEpochDialog) -> None:
    ready(dialog)
    name = edit(dialog, "epochNameEdit")
    assert name.text() == "Milton"
    dialog.set_summary(replace(SUMMARY, name_guess="Paradise"))
    assert name.text() == "Paradise"
    name.selectAll()
    QTest.keyClicks(name, "John")
    dialog.set_summary(replace(SUMMARY, name_guess="Lost"))
    assert name.text() == "John"


def test_a_taken_name_is_refused_and_never_guessed(dialog: NewEpochDialog) -> None:
    dialog.set_taken_names(["Milton"])
    ready(dialog)
    name = edit(dialog, "epochNameEdit")
    assert name.text() == "Milton 2"
    assert start_button(dialog).isEnabled()
    name.setText("milton")
    assert not start_button(dialog).isEnabled()
    assert "already" in words(dialog, "newEpochProblem")
    name.clear()
    assert not start_button(dialog).isEnabled()


def test_an_answer_about_other_paths_is_left_out(dialog: NewEpochDialog) -> None:
    dialog.set_paths(["/texts/other"])
    dialog.set_summary(SUMMARY)
    assert words(dialog, "corpusHeadline") == "Looking through the files…"
    assert not start_button(dialog).isEnabled()


def test_a_problem_of_the_corpus_is_told_and_blocks_the_start(dialog: NewEpochDialog) -> None:
    dialog.set_paths(CORPUS)
    dialog.set_summary(replace(SUMMARY, problem="This folder is too small to train on."))
    headline = dialog.findChild(QLabel, "corpusHeadline")
    assert headline is not None and headline.property("role") == "danger"
    assert headline.text() == "This folder is too small to train on."
    assert not start_button(dialog).isEnabled()
    dialog.set_summary(SUMMARY)
    assert headline.property("role") == ""
    assert start_button(dialog).isEnabled()


SMALL = replace(SUMMARY, tokens=2250, held_out_tokens=250, splits=tuple(
    (1, 2500 - 25 * percent, 25 * percent) for percent in range(1, 51)
))  # fmt: skip


def test_the_check_of_the_text_goes_by_the_settings_in_the_dialog(dialog: NewEpochDialog) -> None:
    ready(dialog)
    dialog.set_summary(SMALL)
    assert start_button(dialog).isEnabled()
    spin(dialog, "blockSizeSpin").setValue(4096)
    assert "about 2,500 tokens, and an epoch needs at least 57,344" in words(dialog, "corpusHeadline")
    assert "blocks of 4,096 tokens" in words(dialog, "newEpochProblem")
    assert not start_button(dialog).isEnabled()
    spin(dialog, "blockSizeSpin").setValue(128)
    assert words(dialog, "corpusHeadline") == "37 files · 2.2 k tokens to train on"
    assert words(dialog, "newEpochProblem") == ""
    assert start_button(dialog).isEnabled()


def test_the_held_out_share_in_the_dialog_is_the_one_that_is_told(dialog: NewEpochDialog) -> None:
    ready(dialog)
    dialog.set_summary(SMALL)
    spin(dialog, "heldOutShareSpin").setValue(40)
    assert "1.0 k tokens in 1 file (40 %)" in words(dialog, "corpusSecondLine")
    assert words(dialog, "durationLabel").startswith("1,500 tokens · 3 steps")


def test_each_of_several_texts_is_checked_by_the_settings(dialog: NewEpochDialog) -> None:
    dialog.set_paths(("/texts/milton", "/texts/donne"))
    click(dialog, "oneEpochEach")
    for path in ("/texts/milton", "/texts/donne"):
        dialog.set_summary(replace(SMALL, paths=(path,)))
    assert words(dialog, "corpusHeadline") == "2 epochs"
    spin(dialog, "blockSizeSpin").setValue(4096)
    assert words(dialog, "corpusHeadline") == "0 epochs"
    assert not start_button(dialog).isEnabled()
    spin(dialog, "blockSizeSpin").setValue(16)
    assert words(dialog, "corpusHeadline") == "2 epochs" and start_button(dialog).isEnabled()


def test_an_error_of_the_engine_shows_message_and_hint(dialog: NewEpochDialog) -> None:
    ready(dialog)
    dialog.set_error("The folder cannot be read.", "Check its permissions.")
    assert words(dialog, "corpusHeadline") == "The folder cannot be read."
    assert words(dialog, "corpusSecondLine") == "Check its permissions."
    assert not start_button(dialog).isEnabled()


def test_start_gives_the_whole_job_and_closes(dialog: NewEpochDialog, wait_until: WaitUntil) -> None:
    jobs = jobs_of(dialog)
    dialog.set_used_colours([EPOCH_COLOURS[0]])
    ready(dialog)
    QTest.keyClicks(edit(dialog, "epochEraEdit"), "Puritan era")
    spin(dialog, "passesSpin").setValue(2)
    click(dialog, "startTrainingButton")
    expected = TrainEpoch("Milton", CORPUS, "Puritan era", EPOCH_COLOURS[1], replace(TrainSettings(), num_passes=2))
    assert jobs == [expected]
    wait_until(lambda: not isValid(dialog))


def test_return_in_a_field_starts_once_there_is_something_to_train(dialog: NewEpochDialog, qapp: QApplication) -> None:
    jobs = jobs_of(dialog)
    path = edit(dialog, "corpusPathEdit")
    QTest.keyClicks(path, "/nowhere")
    QTest.keyClick(path, Qt.Key.Key_Return)
    assert jobs == [] and qapp.activeModalWidget() is dialog  # and no question for a folder over it
    ready(dialog)
    QTest.keyClick(path, Qt.Key.Key_Return)
    assert [job.paths for job in jobs] == [CORPUS]


def test_untouched_settings_come_back_as_they_were_given(qapp: QApplication) -> None:
    given = TrainSettings(
        num_passes=3, max_tokens=None, learning_rate=2e-4, block_size=64, objective="joint", seed=7,
        sleep=SleepSettings(source="dreams", memory_labels=False, temperature=3.0),
    )  # fmt: skip
    dialog = NewEpochDialog(given)
    jobs = jobs_of(dialog)
    ready(dialog)
    start_button(dialog).click()
    assert [job.settings for job in jobs] == [given]


def test_every_setting_reaches_the_job(dialog: NewEpochDialog) -> None:
    jobs = jobs_of(dialog)
    ready(dialog)
    tokens = spin(dialog, "tokensSpin")
    tokens.setValue(tokens.minimum())
    assert tokens.text() == "all"
    for box in dialog.findChildren(QCheckBox):
        box.setChecked(False)
    memories = combo(dialog, "memorySourceCombo")
    memories.setCurrentIndex(memories.findData("dreams"))
    spin(dialog, "blockSizeSpin").setValue(4096)
    start_button(dialog).click()
    settings = jobs[0].settings
    assert settings.max_tokens is None
    assert settings.sleep == SleepSettings(enabled=False, source="dreams", memory_labels=False)
    assert not settings.compare_unprotected
    assert (settings.block_size, settings.held_out_tokens) == (4096, 4096)


def test_a_block_above_the_limit_raises_the_limit(dialog: NewEpochDialog) -> None:
    spin(dialog, "tokensSpin").setValue(1000)
    spin(dialog, "blockSizeSpin").setValue(2048)
    assert spin(dialog, "tokensSpin").value() == 2048


def test_the_comparison_is_in_sight_from_the_second_epoch_on(dialog: NewEpochDialog) -> None:
    compare = tick(dialog, "compareBox")
    assert not compare.isVisible()
    dialog.set_first_epoch(False)
    assert compare.isVisible() and compare.isEnabled() and not tick(dialog, "activeSleepBox").isVisible()


def test_one_click_asks_for_the_comparison(dialog: NewEpochDialog) -> None:
    jobs = jobs_of(dialog)
    dialog.set_first_epoch(False)
    ready(dialog)
    compare = tick(dialog, "compareBox")
    asked = not compare.isChecked()
    QTest.mouseClick(compare, Qt.MouseButton.LeftButton)
    click(dialog, "startTrainingButton")
    assert [job.settings.compare_unprotected for job in jobs] == [asked]


def test_without_sleep_there_is_nothing_to_compare(dialog: NewEpochDialog) -> None:
    dialog.set_first_epoch(False)
    click(dialog, "advancedButton")
    sleep, compare, labels = (tick(dialog, name) for name in ("activeSleepBox", "compareBox", "memoryLabelsBox"))
    QTest.mouseClick(sleep, Qt.MouseButton.LeftButton)
    assert not compare.isEnabled() and not labels.isEnabled()
    assert "Active Sleep is off" in compare.toolTip()
    QTest.keyClick(sleep, Qt.Key.Key_Space)
    assert compare.isEnabled() and labels.isEnabled()
    assert "Active Sleep is off" not in compare.toolTip()


def test_only_the_isolated_objective_can_be_compared(dialog: NewEpochDialog) -> None:
    dialog.set_first_epoch(False)
    compare, objective = tick(dialog, "compareBox"), combo(dialog, "objectiveCombo")
    objective.setCurrentIndex(objective.findData("joint"))
    assert not compare.isEnabled() and "isolated objective only" in compare.toolTip()
    objective.setCurrentIndex(objective.findData("isolated"))
    assert compare.isEnabled() and "isolated" not in compare.toolTip()


def test_every_part_of_active_sleep_can_be_chosen_by_hand(dialog: NewEpochDialog) -> None:
    jobs = jobs_of(dialog)
    ready(dialog)
    click(dialog, "advancedButton")
    QTest.mouseClick(tick(dialog, "memoryLabelsBox"), Qt.MouseButton.LeftButton)
    QTest.keyClick(combo(dialog, "memorySourceCombo"), Qt.Key.Key_Down)
    QTest.keyClick(spin(dialog, "memoryTokensSpin"), Qt.Key.Key_Up)
    click(dialog, "startTrainingButton")
    asked = SleepSettings(source="dreams", memory_labels=False, memory_tokens=SleepSettings().memory_tokens + 512)
    assert [job.settings.sleep for job in jobs] == [asked]


def test_stopping_early_and_samples_are_chosen_under_advanced(dialog: NewEpochDialog) -> None:
    jobs = jobs_of(dialog)
    ready(dialog)
    click(dialog, "advancedButton")
    patience, every = spin(dialog, "patienceSpin"), spin(dialog, "sampleEverySpin")
    assert (patience.text(), every.text()) == ("5 measurements", "never")
    QTest.keyClick(patience, Qt.Key.Key_Up)
    QTest.keyClick(every, Qt.Key.Key_Up)
    assert (patience.text(), every.text()) == ("6 measurements", "10 steps")
    QTest.keyClicks(edit(dialog, "samplePromptEdit"), "O gentle")
    spin(dialog, "sampleTokensSpin").setValue(40)
    QTest.mouseClick(tick(dialog, "earlyStopBox"), Qt.MouseButton.LeftButton)
    assert not patience.isEnabled()
    click(dialog, "startTrainingButton")
    (settings,) = (job.settings for job in jobs)
    assert (settings.early_stop, settings.patience) == (False, 6)
    assert (settings.sample_prompt, settings.sample_every, settings.sample_tokens) == ("O gentle", 10, 40)


def test_opening_advanced_brings_it_into_view(dialog: NewEpochDialog, wait_until: WaitUntil) -> None:
    ready(dialog)
    dialog.set_first_epoch(False)
    click(dialog, "advancedButton")
    for name in ("epochEraEdit", "passesSpin", "objectiveCombo"):
        field = child(dialog, name)
        wait_until(lambda field=field: field.visibleRegion().boundingRect() == field.rect())


def test_the_dialog_fits_a_small_window_with_nothing_cut_off(dialog: NewEpochDialog, wait_until: WaitUntil) -> None:
    ready(dialog)
    dialog.set_first_epoch(False)
    dialog.set_interrupted(["Paradise Lost and Paradise Regained"])
    click(dialog, "advancedButton")
    source = combo(dialog, "memorySourceCombo")
    scroll = dialog.findChildren(QScrollArea)[0]
    wait_until(lambda: edit(dialog, "epochEraEdit").visibleRegion() and scroll.verticalScrollBar().maximum())
    scroll.ensureWidgetVisible(source)
    wait_until(source.visibleRegion)
    assert dialog.width() <= 1280 and dialog.height() <= 760
    for found in (*dialog.findChildren(QLabel), *dialog.findChildren(QCheckBox), *dialog.findChildren(QComboBox)):
        if found.isVisible():
            assert found.width() >= found.minimumSizeHint().width(), found.objectName() or found.text()
            needed = (
                found.heightForWidth(found.width()) if found.hasHeightForWidth() else found.minimumSizeHint().height()
            )
            assert found.height() >= needed, found.objectName() or found.text()


def test_an_interrupted_epoch_that_would_end_for_good_is_warned_of(dialog: NewEpochDialog) -> None:
    ready(dialog)
    assert words(dialog, "interruptedNotice") == ""
    dialog.set_interrupted(["Latin"])
    expected = "Latin is interrupted and can no longer go on once another epoch is trained."
    assert words(dialog, "interruptedNotice") == expected
    assert start_button(dialog).isEnabled()
    dialog.set_interrupted([])
    assert words(dialog, "interruptedNotice") == ""


def test_the_hint_of_active_sleep_knows_the_first_epoch(dialog: NewEpochDialog) -> None:
    click(dialog, "advancedButton")

    def hints() -> list[str]:
        return [text for text in texts(dialog) if "epoch" in text]

    assert any("nothing to protect" in text for text in hints())
    dialog.set_first_epoch(False)
    assert any("from the second epoch" in text for text in hints())


def test_the_duration_follows_speed_limit_and_passes(dialog: NewEpochDialog) -> None:
    """While another epoch is in training: its pace is known, and no steps are tried."""
    ready(dialog)
    dialog.set_busy(True)
    free = "measured when the machine is free"
    assert words(dialog, "durationLabel") == f"51,200 of 412,345 tokens · 100 steps · {free}"
    dialog.set_speed(512.0)
    told = f"51,200 of 412,345 tokens · 100 steps · about 2 min at 512 tokens/s · {free}"
    assert words(dialog, "durationLabel") == told
    spin(dialog, "passesSpin").setValue(3)
    assert "tokens, 3 times · 300 steps · about 5 min" in words(dialog, "durationLabel")


def estimates_of(dialog: NewEpochDialog) -> list[list[EstimateTraining]]:
    asked: list[list[EstimateTraining]] = []
    dialog.estimates_wanted.connect(asked.append)
    return asked


def test_steps_are_tried_once_for_settings_and_presets_and_told_in_one_line(
    dialog: NewEpochDialog, wait_until: WaitUntil
) -> None:
    asked = estimates_of(dialog)
    ready(dialog)
    assert words(dialog, "durationLabel").endswith("measuring…")
    wait_until(lambda: asked)
    assert [job.tokens for job in asked[0]] == [SUMMARY.tokens] * 3
    assert asked[0][0].settings == TrainSettings()
    for seconds, job in zip((40.0, 9.0, 4000.0), asked[0], strict=True):
        dialog.set_estimate(job, TrainingEstimate(100, seconds, 1_200_000_000, 19_000_000_000))
    line = "51,200 of 412,345 tokens · 100 steps · about 40 s · needs 1.2 GB, 19 GB free"
    assert words(dialog, "durationLabel") == line and words(dialog, "memoryWarning") == ""
    presets = combo(dialog, "presetCombo")
    offered = [plain(presets.itemText(index)) for index in range(3)]
    assert offered == ["Quick · 9 s · 1.2 GB", "Balanced · 40 s · 1.2 GB", "Thorough · 67 min · 1.2 GB"]
    spin(dialog, "batchSpin").setValue(8)
    wait_until(lambda: len(asked) == 2)
    assert asked[1] == [EstimateTraining(replace(TrainSettings(), batch_size=8), SUMMARY.tokens)]


@pytest.mark.parametrize(
    ("batch", "mend"), [(4, "Lower the batch size."), (1, "Lower the block size, or choose one pass.")]
)
def test_too_little_memory_is_a_warning_that_says_what_to_lower(dialog: NewEpochDialog, batch: int, mend: str) -> None:
    ready(dialog)
    spin(dialog, "batchSpin").setValue(batch)
    settings = replace(TrainSettings(), batch_size=batch)
    dialog.set_estimate(EstimateTraining(settings, SUMMARY.tokens), TrainingEstimate(100, 40.0, 21 * 10**9, 19 * 10**9))
    assert words(dialog, "memoryWarning") == f"Too little memory: 21 GB are needed, 19 GB are free. {mend}"
    assert words(dialog, "durationLabel").endswith("about 40 s"), "the memory is told once"
    assert start_button(dialog).isEnabled()


def test_why_steps_could_not_be_tried_is_told(dialog: NewEpochDialog) -> None:
    ready(dialog)
    dialog.set_no_estimate(
        EstimateTraining(TrainSettings(), SUMMARY.tokens), "There was not enough memory.", "Close it."
    )
    assert words(dialog, "memoryWarning") == "There was not enough memory. Close it."
    assert words(dialog, "durationLabel") == "51,200 of 412,345 tokens · 100 steps"


def test_nothing_is_tried_while_an_epoch_is_in_training(dialog: NewEpochDialog, wait_until: WaitUntil) -> None:
    asked = estimates_of(dialog)
    dialog.set_busy(True)
    ready(dialog)
    QTest.qWait(700)
    assert asked == []
    dialog.set_busy(False)
    wait_until(lambda: asked)


def choose_preset(dialog: NewEpochDialog, key: str) -> None:
    presets = combo(dialog, "presetCombo")
    index = presets.findData(key)
    presets.setCurrentIndex(index)
    presets.activated.emit(index)


def test_a_preset_sets_passes_and_tokens_and_a_change_makes_it_custom(dialog: NewEpochDialog) -> None:
    jobs = jobs_of(dialog)
    presets, reset = combo(dialog, "presetCombo"), child(dialog, "resetButton")
    ready(dialog)
    assert presets.currentText() == "Balanced" and not reset.isVisible()
    spin(dialog, "batchSpin").setValue(2)
    assert presets.currentText() == "Custom" and reset.isVisible()
    choose_preset(dialog, "preset:thorough")
    assert presets.currentText() == "Thorough" and not reset.isVisible()
    assert (spin(dialog, "passesSpin").value(), spin(dialog, "tokensSpin").text()) == (3, "all")
    choose_preset(dialog, "preset:quick")
    start_button(dialog).click()
    assert [job.settings for job in jobs] == [PRESETS["quick"]]


def test_reset_sets_everything_back(dialog: NewEpochDialog) -> None:
    jobs = jobs_of(dialog)
    ready(dialog)
    spin(dialog, "passesSpin").setValue(7)
    spin(dialog, "memoryTokensSpin").setValue(999)
    QTest.keyClicks(edit(dialog, "samplePromptEdit"), "O gentle")
    click(dialog, "resetButton")
    start_button(dialog).click()
    assert [job.settings for job in jobs] == [TrainSettings()]


def test_the_settings_of_an_earlier_epoch_are_asked_for_and_taken(dialog: NewEpochDialog) -> None:
    jobs, wanted = jobs_of(dialog), list[str]()
    dialog.settings_wanted.connect(wanted.append)
    ready(dialog)
    dialog.set_earlier((("latin", "Latin"), ("greek", "Greek")))
    choose_preset(dialog, "epoch:greek")
    assert wanted == ["greek"] and combo(dialog, "presetCombo").currentText() == "Balanced"
    theirs = TrainSettings(num_passes=5, learning_rate=3e-4, sleep=SleepSettings(memory_tokens=512))
    dialog.set_settings("greek", theirs)
    assert combo(dialog, "presetCombo").currentText() == "Settings of Greek"
    start_button(dialog).click()
    assert [job.settings for job in jobs] == [theirs]


def test_every_setting_says_what_it_is_for_and_its_range(dialog: NewEpochDialog) -> None:
    for box in dialog.findChildren(QAbstractSpinBox):
        assert len(box.toolTip()) > 20, box.objectName()
    assert spin(dialog, "blockSizeSpin").toolTip().endswith("16 to 8192.")
    assert spin(dialog, "batchSpin").toolTip().endswith("At least 1.")
    assert spin(dialog, "batchSpin").text() == "4 blocks"


PREVIEW = BlocksPreviewed(
    (
        (TokenPiece(5, "Of"), TokenPiece(9, " Mans\n"), TokenPiece(1, "", ends=True)),
        (TokenPiece(7, "First"), TokenPiece(8, "\t")),
    ),
    0.03,
)


def test_the_blocks_are_asked_for_when_they_are_looked_at(dialog: NewEpochDialog) -> None:
    wanted: list[PreviewBlocks] = []
    dialog.preview_wanted.connect(wanted.append)
    ready(dialog)
    excerpt, tokens = (child(dialog, name, QPlainTextEdit) for name in ("corpusExcerpt", "blockTokens"))
    assert wanted == [] and excerpt.isVisible() and not tokens.isVisible()
    spin(dialog, "blockSizeSpin").setValue(64)
    click(dialog, "previewButton")
    assert wanted == [PreviewBlocks(CORPUS, block_size=64)]
    assert tokens.isVisible() and not excerpt.isVisible()
    dialog.set_preview(PREVIEW)
    shown_text = tokens.toPlainText()
    assert "Block 1 · 3 tokens" in shown_text and "Of·Mans⏎" in shown_text and "⇥" in shown_text
    assert "■ end of the document" in shown_text
    assert words(dialog, "unknownShare") == "Not known to the backbone: 3 % of this text."
    assert "Of 5" in tokens.accessibleDescription()
    dialog.set_summary(SUMMARY)
    assert len(wanted) == 2, "an answer about the text as it is now"
    click(dialog, "previewButton")
    assert excerpt.isVisible()


def test_neighbouring_tokens_differ_in_tint_and_tell_their_ids(dialog: NewEpochDialog) -> None:
    ready(dialog)
    click(dialog, "previewButton")
    dialog.set_preview(PREVIEW)
    tokens = child(dialog, "blockTokens", QPlainTextEdit)
    cursor = tokens.textCursor()
    tints = {}
    for word in ("Of", "Mans", "■"):
        cursor.setPosition(tokens.toPlainText().index(word) + 1)
        tints[word] = cursor.charFormat().background().color().name()
    assert tints["Of"] != tints["Mans"] and tints["Of"] == tints["■"]
    cursor.setPosition(tokens.toPlainText().index("Mans") + 1)
    tokens.setTextCursor(cursor)
    assert words(dialog, "blockTokenFact") == "“␣Mans⏎” · id 9 · token 2 of block 1"
    cursor.setPosition(tokens.toPlainText().index("First"))
    tokens.setTextCursor(cursor)
    assert words(dialog, "blockTokenFact") == "“First” · id 7 · token 1 of block 2"


def test_what_is_read_is_looked_at_again_when_it_changes(dialog: NewEpochDialog, wait_until: WaitUntil) -> None:
    jobs, chosen = jobs_of(dialog), list[tuple[tuple[str, ...], ReadOptions]]()
    dialog.corpus_chosen.connect(lambda paths: chosen.append((paths, dialog.reading())))
    ready(dialog)
    click(dialog, "advancedButton")
    include = edit(dialog, "includeEdit")
    dialog.activateWindow()
    include.setFocus()
    wait_until(include.hasFocus)
    QTest.keyClicks(include, "*.md; docs/")
    QTest.keyClick(include, Qt.Key.Key_Tab)
    reading = ReadOptions(include=("*.md", "docs/"))
    assert chosen == [(CORPUS, ReadOptions()), (CORPUS, reading)]
    assert not start_button(dialog).isEnabled()
    dialog.set_summary(SUMMARY)
    start_button(dialog).click()
    assert [job.reading for job in jobs] == [reading]


def test_several_files_are_one_epoch_of_all_or_one_epoch_each(dialog: NewEpochDialog) -> None:
    jobs, each = jobs_of(dialog), list[tuple[str, ...]]()
    dialog.each_chosen.connect(each.append)
    ready(dialog)
    assert not child(dialog, "oneEpochEach").isVisible(), "nothing is asked about one"
    paths = ("/texts/milton", "/texts/plays", "/texts/note.txt")
    dialog.set_taken_names(["Plays"])
    dialog.set_paths(paths)
    click(dialog, "oneEpochEach")
    assert each == [paths] and not start_button(dialog).isEnabled()
    dialog.set_summary(replace(SUMMARY, paths=paths[:1]))
    dialog.set_summary(replace(SUMMARY, paths=paths[1:2], name_guess="Plays", tokens=1024))
    dialog.set_error("It cannot be read.", "", paths[2:])
    assert words(dialog, "corpusHeadline") == "2 epochs"
    said = words(dialog, "corpusSecondLine").splitlines()
    assert said == ["milton: 412 k tokens to train on", "plays: 1.0 k tokens to train on"]
    assert words(dialog, "corpusProblems") == "note.txt: It cannot be read."
    assert words(dialog, "durationLabel").startswith("52,224 of 413,369 tokens · 102 steps")
    click(dialog, "startTrainingButton")
    assert [(job.name, job.paths) for job in jobs] == [("Milton", paths[:1]), ("Plays 2", paths[1:2])]


def test_several_files_are_one_epoch_unless_another_is_chosen(dialog: NewEpochDialog) -> None:
    jobs, chosen = jobs_of(dialog), list[tuple[str, ...]]()
    dialog.corpus_chosen.connect(chosen.append)
    paths = ("/texts/milton", "/texts/plays")
    dialog.set_paths(paths)
    dialog.set_summary(replace(SUMMARY, paths=paths))
    click(dialog, "oneEpochEach")
    click(dialog, "oneEpochOfAll")
    assert chosen == [paths, paths] and not start_button(dialog).isEnabled()
    dialog.set_summary(replace(SUMMARY, paths=paths))
    click(dialog, "startTrainingButton")
    assert [job.paths for job in jobs] == [paths]


def test_a_waiting_training_comes_back_whole_to_be_changed(dialog: NewEpochDialog) -> None:
    jobs = jobs_of(dialog)
    waiting = TrainEpoch("Milton", CORPUS, "Puritan era", EPOCH_COLOURS[4], TrainSettings(), ReadOptions(column="text"))
    dialog.set_job(waiting)
    dialog.set_edited(waiting)
    dialog.set_summary(replace(SUMMARY, name_guess="Other"))
    assert start_button(dialog).text() == "Apply"
    click(dialog, "startTrainingButton")
    assert jobs == [waiting]


def test_escape_closes_an_untouched_dialog_at_once(dialog: NewEpochDialog, wait_until: WaitUntil) -> None:
    ready(dialog)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    wait_until(lambda: not isValid(dialog))


def test_escape_asks_before_typed_values_are_lost(dialog: NewEpochDialog, wait_until: WaitUntil) -> None:
    QTest.keyClicks(edit(dialog, "epochNameEdit"), "John")
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    click(question(dialog), "stayButton")
    assert dialog.isVisible()
    assert edit(dialog, "epochNameEdit").text() == "John"
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    click(question(dialog), "discardButton")
    wait_until(lambda: not isValid(dialog))


def test_escape_does_not_ask_where_nothing_that_was_dropped_can_be_read(
    dialog: NewEpochDialog, wait_until: WaitUntil
) -> None:
    drop(dialog, file_drag(["/texts/pictures"]))
    nothing = replace(SUMMARY, paths=("/texts/pictures",), files=0, tokens=0, held_out_tokens=0, problem="No text.")
    dialog.set_summary(nothing)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    wait_until(lambda: not isValid(dialog))


def test_escape_asks_before_a_dropped_text_is_lost(dialog: NewEpochDialog) -> None:
    drop(dialog, file_drag(CORPUS))
    dialog.set_summary(SUMMARY)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    click(question(dialog), "stayButton")
    assert dialog.isVisible()


def test_a_name_can_be_as_long_as_the_engine_takes_it(dialog: NewEpochDialog, panel: EpochsPanel) -> None:
    name = edit(dialog, "epochNameEdit")
    QTest.keyClicks(name, "x" * (MAX_NAME + 5))
    assert len(name.text()) == MAX_NAME
    panel.set_epochs((SHAKESPEARE,))
    epoch_list(panel).setCurrentRow(1)
    QTest.keyClick(epoch_list(panel), Qt.Key.Key_F2)
    renamed = edit(panel, "editNameEdit")
    renamed.selectAll()
    QTest.keyClicks(renamed, "x" * (MAX_NAME + 5))
    assert len(renamed.text()) == MAX_NAME


def test_files_let_go_over_the_dialog_replace_the_paths(dialog: NewEpochDialog) -> None:
    chosen: list[tuple[str, ...]] = []
    dialog.corpus_chosen.connect(chosen.append)
    ready(dialog)
    data = file_drag(["/texts/python"])
    assert drag_in(dialog, data)
    drop(dialog, data)
    assert chosen == [CORPUS, ("/texts/python",)]
    assert not start_button(dialog).isEnabled()


@pytest.mark.parametrize("kind", [EpochsPanel, NewEpochDialog])
def test_every_control_has_a_name_and_a_tooltip(qapp: QApplication, kind: type[QWidget]) -> None:
    widget = kind()
    if isinstance(widget, EpochsPanel):
        widget.set_backbone(BACKBONE)
        widget.set_epochs((SHAKESPEARE, MILTON, LATIN))
        widget.set_queue(("Next",))
    fields = (*widget.findChildren(QAbstractSpinBox), *widget.findChildren(QComboBox))
    for control in (*widget.findChildren(QAbstractButton), *widget.findChildren(QLineEdit), *fields):
        if not isinstance(control.parent(), (QAbstractSpinBox, QLineEdit)):  # Qt's own parts of a field
            assert control.toolTip(), f"{control.objectName() or control} has no tooltip"
            named = control.accessibleName() or (isinstance(control, QAbstractButton) and control.text())
            assert named, f"{control.objectName() or control} has no name"


# -- GGUF and merges --------------------------------------------------------------------------------------------


def choose_path(widget: QWidget, path: Path) -> None:
    (dialog,) = [found for found in widget.findChildren(QFileDialog) if found.isVisible()]
    dialog.setDirectory(str(path.parent))
    dialog.selectFile(str(path))
    dialog.accept()


def test_an_epoch_is_exported_as_a_gguf_file_where_a_person_says(panel: EpochsPanel, tmp_path: Path) -> None:
    exports: list[tuple[str, str]] = []
    panel.export_requested.connect(lambda slug, file: exports.append((slug, file)))
    choose(open_menu(panel, 1), "Export as GGUF adapter…")
    (dialog,) = [found for found in panel.findChildren(QFileDialog) if found.isVisible()]
    assert [Path(file).name for file in dialog.selectedFiles()] == ["shakespeare.gguf"]
    choose_path(panel, tmp_path / "will")
    assert [(slug, Path(file)) for slug, file in exports] == [("shakespeare", tmp_path / "will.gguf")]


def merge_dialog(panel: EpochsPanel) -> MergeDialog:
    panel.merge()
    (dialog,) = panel.window().findChildren(MergeDialog)
    return dialog


def test_finished_epochs_are_merged_at_the_weights_that_were_given(panel: EpochsPanel, tmp_path: Path) -> None:
    asked: list[ExportMerge] = []
    panel.merge_requested.connect(asked.append)
    dialog = merge_dialog(panel)
    boxes = {box.objectName().partition(":")[2]: box for box in dialog.findChildren(DecimalBox)}
    assert {slug: box.value() for slug, box in boxes.items()} == {"shakespeare": 0.5, "python": 0.5}
    boxes["shakespeare"].setValue(0.7)
    boxes["python"].setValue(0.25)
    click(dialog, "mergeButton")
    choose_path(dialog, tmp_path)
    assert asked == [ExportMerge((("shakespeare", 0.7), ("python", 0.25)), str(tmp_path))]


@pytest.mark.parametrize(("kind", "name"), [("gguf", "both.gguf"), ("model", "")])
def test_a_merge_is_written_as_what_was_chosen(panel: EpochsPanel, tmp_path: Path, kind: str, name: str) -> None:
    asked: list[ExportMerge] = []
    panel.merge_requested.connect(asked.append)
    dialog = merge_dialog(panel)
    kinds, compress, rank = combo(dialog, "mergeKind"), tick(dialog, "mergeCompress"), spin(dialog, "mergeRank")
    assert not rank.isEnabled()
    compress.click()
    rank.setValue(3)
    kinds.setCurrentIndex(kinds.findData(kind))
    assert compress.isEnabled() == rank.isEnabled() == (kind == "gguf")
    click(dialog, "mergeButton")
    choose_path(dialog, tmp_path / name)
    (job,) = asked
    assert (job.rank, job.into_backbone) == ((3, False) if kind == "gguf" else (None, True))
    assert (Path(job.path), job.overwrite) == (tmp_path / name, kind == "gguf")


def test_an_epoch_of_weight_0_is_left_out_and_one_must_be_left(panel: EpochsPanel, tmp_path: Path) -> None:
    asked: list[ExportMerge] = []
    panel.merge_requested.connect(asked.append)
    dialog = merge_dialog(panel)
    first, second = dialog.findChildren(DecimalBox)
    first.setValue(0)
    assert button(dialog, "mergeButton").isEnabled() and not child(dialog, "mergeProblem").isVisible()
    second.setValue(0)
    assert not button(dialog, "mergeButton").isEnabled() and child(dialog, "mergeProblem").isVisible()
    second.setValue(1)
    click(dialog, "mergeButton")
    choose_path(dialog, tmp_path)
    assert [job.weights for job in asked] == [(("python", 1.0),)]


def test_without_a_finished_epoch_there_is_nothing_to_merge(panel: EpochsPanel) -> None:
    panel.set_epochs(())
    panel.merge()
    assert not panel.window().findChildren(MergeDialog)
