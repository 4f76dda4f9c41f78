"""Banner, welcome, progress and the small widgets, with real events; the formats as plain functions."""

from __future__ import annotations

import doctest
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest
from kit import WaitUntil, child, click, edit, plain, shown, texts
from PySide6.QtCore import QDir, QMimeData, QPoint, QSize, QStandardPaths, Qt, QUrl
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QComboBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QRadioButton,
    QWidget,
)
from shiboken6 import isValid

from tlora_gui.engine.protocol.colours import MIN_CONTRAST
from tlora_gui.engine.protocol.config import EPOCH_COLOURS, STARTER, STRATEGIES
from tlora_gui.engine.protocol.events import Progress
from tlora_gui.paths import free_name, resource
from tlora_gui.ui import formats
from tlora_gui.ui.charts.style import MIN_LINE_CONTRAST
from tlora_gui.ui.palette import contrast, readable_on
from tlora_gui.ui.theme import DARK, LIGHT, Theme, ThemeManager, ThemeMode
from tlora_gui.ui.widgets.banner import Banner
from tlora_gui.ui.widgets.colour_picker import ColourPicker
from tlora_gui.ui.widgets.disclosure import Disclosure
from tlora_gui.ui.widgets.drops import local_paths
from tlora_gui.ui.widgets.elided_label import ElidedLabel
from tlora_gui.ui.widgets.icons import icon
from tlora_gui.ui.widgets.layouts import column
from tlora_gui.ui.widgets.progress_line import ProgressLine, amount_text
from tlora_gui.ui.widgets.questions import Choice, ask, choose_file, choose_target
from tlora_gui.ui.widgets.swatch import Swatch, initial
from tlora_gui.ui.widgets.welcome import Welcome

FETCHING = Progress("Fetching the starter backbone", 41e6, 93e6, "B", 12)


def is_offered(widget: QWidget, text: str) -> bool:
    """Whether a button with this text can be seen."""
    return any(button.text() == text and button.isVisible() for button in widget.findChildren(QPushButton))


# -- formats --------------------------------------------------------------------------------------------------------


def test_the_examples_of_the_formats_hold() -> None:
    result = doctest.testmod(formats)
    assert result.attempted >= 6
    assert result.failed == 0


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (999, "999"), (1000, "1.0 k"), (9949, "9.9 k"), (9951, "10 k"), (999_499, "999 k"), (999_500, "1.0 M")],
)
def test_a_count_never_has_more_than_three_digits(number: int, text: str) -> None:
    assert plain(formats.human_count(number)) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (3599.7, "1:00:00"), (-1, "—"), (float("nan"), "—")]
)
def test_a_duration_rounds_to_seconds_and_admits_ignorance(seconds: float, text: str) -> None:
    assert formats.human_duration(seconds) == text


def test_sizes_shares_and_losses_at_their_edges() -> None:
    assert plain(formats.human_bytes(999)) == "999 B"
    assert plain(formats.human_bytes(1000)) == "1.0 kB"
    assert plain(formats.human_share(1.0)) == "100 %"
    assert formats.loss_text(float("nan")) == "—"


def test_no_line_ends_between_a_number_and_its_unit() -> None:
    quantities = (
        [formats.human_count(10**power) for power in range(10)]
        + [formats.human_bytes(10**power) for power in range(14)]
        + [formats.rough_duration(10**power) for power in range(6)]
        + [formats.human_share(share) for share in (0.0, 0.001, 0.5, 1.0)]
    )
    assert [quantity for quantity in quantities if " " in quantity] == []


# -- banner ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def banner(qapp: QApplication) -> Iterator[Banner]:
    window = QWidget()
    made = Banner(notice_seconds=0.05)
    window.setLayout(column(made, None))
    shown(window, 800, 400)
    QTest.mouseMove(window, QPoint(400, 380))  # a notice stays while the mouse is on it
    yield made  # noqa: PT022 - the window lives as long as the test


def test_an_error_shows_message_hint_and_details_on_demand(banner: Banner) -> None:
    banner.show_error("It failed.", "Try again.", "Traceback: 42")
    assert texts(banner) == ["It failed.", "Try again."]
    details = banner.findChild(QPlainTextEdit, "bannerDetails")
    assert details is not None and not details.isVisible()
    click(banner, "Details")
    assert details.isVisible() and details.isReadOnly() and details.toPlainText() == "Traceback: 42"
    click(banner, "Hide details")
    assert not details.isVisible()


def test_the_buttons_of_a_message_stand_in_one_line(banner: Banner) -> None:
    banner.show_error("It failed.", "Try again. " * 40, "Traceback: 42")
    QApplication.processEvents()
    shown_buttons = [found for found in banner.findChildren(QAbstractButton) if found.isVisible()]
    assert len(shown_buttons) == 3
    assert len({found.geometry().center().y() for found in shown_buttons}) == 1


def test_without_details_there_is_no_button_for_them(banner: Banner) -> None:
    banner.show_error("It failed.")
    assert not is_offered(banner, "Details")
    assert is_offered(banner, "Copy")


def test_copy_takes_message_hint_and_details(banner: Banner) -> None:
    banner.show_error("It failed.", "Try again.", "Traceback: 42")
    click(banner, "Copy")
    assert QGuiApplication.clipboard().text() == "It failed.\nTry again.\nTraceback: 42"


def until_a_later_notice_goes(banner: Banner, wait_until: WaitUntil) -> None:
    """By then a notice of the banner would have gone too."""
    later = Banner(notice_seconds=0.05)
    banner.window().layout().insertWidget(1, later)
    later.show_notice("Code was deleted.")
    wait_until(lambda: not later.isVisible())


def test_an_error_stays_until_it_is_closed(banner: Banner, wait_until: WaitUntil) -> None:
    banner.show_error("It failed.")
    until_a_later_notice_goes(banner, wait_until)
    assert banner.isVisible()
    click(banner, "Close this message")
    assert not banner.isVisible()


def test_a_notice_goes_by_itself(banner: Banner, wait_until: WaitUntil) -> None:
    banner.show_notice("Shakespeare was deleted.")
    assert texts(banner) == ["Shakespeare was deleted."]
    assert not is_offered(banner, "Copy")
    wait_until(lambda: not banner.isVisible())


def test_the_action_of_a_notice_is_done_once_and_closes_it(banner: Banner) -> None:
    asked: list[bool] = []
    banner.show_notice("Shakespeare was deleted.", "Undo", lambda: asked.append(True))
    click(banner, "Undo")
    assert asked == [True]
    assert not banner.isVisible()


def test_an_error_comes_back_after_a_notice(banner: Banner, wait_until: WaitUntil) -> None:
    banner.show_error("It failed.", "", "Traceback: 42")
    banner.show_notice("Shakespeare was deleted.", "Undo")
    assert texts(banner) == ["Shakespeare was deleted."]
    assert not is_offered(banner, "Details")
    wait_until(lambda: texts(banner) == ["It failed."])
    assert banner.property("role") == "error"
    assert is_offered(banner, "Details") and not is_offered(banner, "Undo")


def test_a_notice_waits_while_its_button_has_the_keyboard(banner: Banner, wait_until: WaitUntil) -> None:
    banner.window().activateWindow()
    banner.show_notice("Shakespeare was deleted.", "Undo")
    undo = banner.findChild(QPushButton, "bannerActionButton")
    assert undo is not None
    undo.setFocus()
    wait_until(undo.hasFocus)
    until_a_later_notice_goes(banner, wait_until)
    assert banner.isVisible()
    undo.clearFocus()
    wait_until(lambda: not banner.isVisible())


# -- progress -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (FETCHING, "41 MB of 93 MB"),
        (Progress("Reading", 12, 37, "files"), "12 of 37 files"),
        (Progress("Reading", 12, None, "files"), "12 files"),
        (Progress("Loading"), ""),
    ],
)
def test_the_amount_done_is_told_in_its_unit(qapp: QApplication, progress: Progress, text: str) -> None:
    assert plain(amount_text(progress)) == text


def test_the_progress_line_shows_label_amount_and_time_and_can_be_cancelled(qapp: QApplication) -> None:
    line = ProgressLine()
    line.resize(700, 30)
    cancelled: list[bool] = []
    line.cancel_requested.connect(lambda: cancelled.append(True))
    assert not line.isVisible()
    line.show_progress(FETCHING)
    assert texts(line) == ["Fetching the starter backbone · 41 MB of 93 MB", "0:12 left"]
    bar = line.findChild(QProgressBar)
    assert bar is not None and bar.objectName() == "statusProgressBar"
    assert bar.value() / bar.maximum() == pytest.approx(41 / 93, abs=1e-3)
    line.show_progress(Progress("Loading"))
    assert (bar.minimum(), bar.maximum()) == (0, 0)
    assert texts(line) == ["Loading"]
    click(line, "Cancel")
    assert cancelled == [True]
    line.clear()
    assert not line.isVisible()


# -- welcome --------------------------------------------------------------------------------------------------------


@pytest.fixture
def welcome(qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Welcome:
    monkeypatch.setenv("TLORA_PROJECTS", str(tmp_path))
    made = Welcome()
    shown(made, 1280, 800)
    return made


def create_button(welcome: Welcome) -> QPushButton:
    return child(welcome, "createProjectButton", QPushButton)


def created(welcome: Welcome) -> list[tuple[Path, str, str]]:
    asked: list[tuple[Path, str, str]] = []
    welcome.create_requested.connect(lambda path, backbone, strategy: asked.append((Path(path), backbone, strategy)))
    return asked


def test_epochs_of_a_new_project_change_every_block_if_that_is_wanted(welcome: Welcome) -> None:
    layers: list[int | None] = []
    welcome.create_requested.connect(lambda path, backbone, strategy, layer, switching: layers.append(layer))
    click(welcome, "Create project")
    child(welcome, "everyBlockTick", QCheckBox).click()
    click(welcome, "Create project")
    assert layers == [None, 0]


def test_a_new_project_switches_by_a_filter_unless_that_is_not_wanted(welcome: Welcome) -> None:
    asked: list[str] = []
    welcome.create_requested.connect(lambda path, backbone, strategy, layer, switching: asked.append(switching))
    click(welcome, "Create project")
    child(welcome, "countsTick", QCheckBox).click()
    click(welcome, "Create project")
    child(welcome, "filterTick", QCheckBox).click()
    click(welcome, "Create project")
    assert asked == ["filter", "filter-without-counts", "mean"]
    assert not child(welcome, "countsTick", QCheckBox).isEnabled()


def strategies(welcome: Welcome) -> QComboBox:
    return child(welcome, "strategyCombo", QComboBox)


def check(welcome: Welcome, name: str) -> None:
    choice = welcome.findChild(QRadioButton, name)
    assert choice is not None
    QTest.mouseClick(choice, Qt.MouseButton.LeftButton, pos=choice.rect().center())


def test_one_click_creates_a_project_on_the_starter_backbone(welcome: Welcome, tmp_path: Path) -> None:
    asked = created(welcome)
    click(welcome, "createProjectButton")
    assert asked == [(tmp_path / "My project", STARTER, "gating")]


def test_every_strategy_of_the_time_mixer_is_offered_and_explained(welcome: Welcome) -> None:
    combo = strategies(welcome)
    assert tuple(combo.itemData(index) for index in range(combo.count())) == STRATEGIES
    meaning = welcome.findChild(QLabel, "strategyMeaning")
    assert meaning is not None and meaning.isVisible()
    told = set()
    for index in range(combo.count()):
        combo.setCurrentIndex(index)
        told.add(meaning.text())
        assert meaning.fontMetrics().horizontalAdvance(meaning.text()) <= meaning.width()
        assert combo.accessibleDescription() == meaning.text()
    assert len(told) == len(STRATEGIES)


def test_the_chosen_strategy_is_told_with_the_project(welcome: Welcome, tmp_path: Path) -> None:
    asked = created(welcome)
    QTest.keyClick(strategies(welcome), Qt.Key.Key_Down)
    click(welcome, "createProjectButton")
    assert asked == [(tmp_path / "My project", STARTER, "routing")]


def test_a_hub_model_needs_its_id(welcome: Welcome, tmp_path: Path) -> None:
    asked = created(welcome)
    check(welcome, "hubChoice")
    assert not create_button(welcome).isEnabled()
    QTest.keyClicks(edit(welcome, "hubIdEdit"), " Qwen/Qwen2.5-0.5B ")
    click(welcome, "createProjectButton")
    assert asked == [(tmp_path / "My project", "Qwen/Qwen2.5-0.5B", "gating")]


@pytest.mark.parametrize("field", ["hubIdEdit", "projectNameEdit", "projectPlaceEdit"])
def test_return_in_a_field_creates_the_project_once_it_is_complete(welcome: Welcome, field: str) -> None:
    made = created(welcome)
    check(welcome, "hubChoice")
    QTest.keyClick(edit(welcome, field), Qt.Key.Key_Return)
    assert made == []
    edit(welcome, "hubIdEdit").setText("owner/model")
    QTest.keyClick(edit(welcome, field), Qt.Key.Key_Return)
    assert [reference for _, reference, _ in made] == ["owner/model"]


def test_nothing_moves_when_another_kind_of_backbone_is_chosen(welcome: Welcome) -> None:
    choices = ("starterChoice", "hubChoice", "localChoice")
    places = []
    for chosen in choices:
        check(welcome, chosen)
        QApplication.processEvents()
        there = ("welcomeCard", *choices, "createProjectButton")
        places.append([child(welcome, name).mapTo(welcome, QPoint()) for name in there])
        assert edit(welcome, "hubIdEdit").isEnabled() == (chosen == "hubChoice")
        assert edit(welcome, "localModelEdit").isEnabled() == (chosen == "localChoice")
    assert places[0] == places[1] == places[2]


def test_a_long_path_shows_both_ends_until_it_is_written(welcome: Welcome) -> None:
    place = edit(welcome, "projectPlaceEdit")

    def drawn(path: str) -> QImage:
        place.setText(path)
        return place.grab().toImage()

    edit(welcome, "projectNameEdit").setFocus()
    one = drawn("/home/somebody/" + "many/" * 30 + "all/of/my/texts")
    assert one == drawn("/home/somebody/" + "other/" * 30 + "all/of/my/texts")
    assert one != drawn("/work/somebody/" + "many/" * 30 + "all/of/my/texts")
    place.setFocus()
    assert one != drawn("/home/somebody/" + "many/" * 30 + "all/of/my/texts")


def test_a_local_model_needs_its_path(welcome: Welcome, tmp_path: Path) -> None:
    asked = created(welcome)
    check(welcome, "localChoice")
    assert not create_button(welcome).isEnabled()
    edit(welcome, "localModelEdit").setText("~/models/tiny.gguf")
    click(welcome, "createProjectButton")
    assert asked == [(tmp_path / "My project", str(Path.home() / "models" / "tiny.gguf"), "gating")]


@pytest.mark.parametrize("name", ["", "  ", "a/b", "..", "what?"])
def test_a_name_that_cannot_be_a_folder_is_refused(welcome: Welcome, name: str) -> None:
    edit(welcome, "projectNameEdit").setText(name)
    assert not create_button(welcome).isEnabled()
    assert any("folder's name" in text for text in texts(welcome))


def test_a_project_never_goes_over_what_is_there(welcome: Welcome, tmp_path: Path) -> None:
    (tmp_path / "Taken").mkdir()
    edit(welcome, "projectNameEdit").setText("Taken")
    assert not create_button(welcome).isEnabled()
    edit(welcome, "projectNameEdit").setText("Free")
    assert create_button(welcome).isEnabled()


def test_a_folder_that_appears_meanwhile_is_noticed_at_the_click(welcome: Welcome, tmp_path: Path) -> None:
    asked = created(welcome)
    (tmp_path / "My project").mkdir()
    click(welcome, "createProjectButton")
    assert asked == []
    assert any("already something" in text for text in texts(welcome))


def test_the_proposed_name_is_free(tmp_path: Path) -> None:
    def taken(name: str) -> bool:
        return (tmp_path / name).exists()

    assert free_name("My project", taken) == "My project"
    (tmp_path / "My project").mkdir()
    (tmp_path / "My project 2").mkdir()
    assert free_name("My project", taken) == "My project 3"


def test_recent_projects_open_with_one_click(welcome: Welcome) -> None:
    opened: list[str] = []
    welcome.open_requested.connect(opened.append)
    welcome.set_recent([f"/projects/{name}" for name in ("one", "two", "three", "four", "five")])
    links = [button for button in welcome.findChildren(QPushButton) if button.property("role") == "link"]
    assert [link.accessibleName() for link in links] == ["Open one", "Open two", "Open three", "Open four"]
    QTest.mouseClick(links[1], Qt.MouseButton.LeftButton)
    assert opened == ["/projects/two"]
    welcome.set_recent([])
    assert "Recent projects" not in texts(welcome)


def test_an_ampersand_in_a_projects_name_is_no_mnemonic(welcome: Welcome) -> None:
    welcome.set_recent(["/projects/Tales & Code"])
    link = next(button for button in welcome.findChildren(QPushButton) if button.property("role") == "link")
    assert link.text().startswith("Tales && Code") and link.shortcut().isEmpty()


def test_opening_asks_for_a_folder(welcome: Welcome, tmp_path: Path) -> None:
    opened: list[str] = []
    welcome.open_requested.connect(opened.append)
    click(welcome, "openProjectButton")
    dialog = welcome.findChild(QFileDialog)
    assert dialog is not None
    (tmp_path / "old").mkdir()
    dialog.selectFile(str(tmp_path / "old"))
    dialog.accept()
    assert [Path(path) for path in opened] == [tmp_path / "old"]


def test_the_demo_can_be_asked_for(welcome: Welcome) -> None:
    asked: list[bool] = []
    welcome.demo_requested.connect(lambda: asked.append(True))
    click(welcome, "demoButton")
    assert asked == [True]


def test_progress_takes_the_place_of_the_choices_and_can_be_cancelled(welcome: Welcome) -> None:
    cancelled: list[bool] = []
    welcome.cancel_requested.connect(lambda: cancelled.append(True))
    welcome.show_progress(FETCHING)
    assert not create_button(welcome).isVisible()
    assert {"Fetching the starter backbone", "41 MB of 93 MB", "0:12 left"} <= set(texts(welcome))
    click(welcome, "cancelButton")
    assert cancelled == [True]
    welcome.show_idle()
    assert create_button(welcome).isVisible()


def test_the_welcome_fits_a_small_window(welcome: Welcome, wait_until: WaitUntil) -> None:
    check(welcome, "localChoice")
    welcome.set_recent([f"/projects/{name}" for name in ("one", "two", "three", "four")])
    welcome.resize(1024, 660)
    card = welcome.findChild(QWidget, "welcomeCard")
    layout = None if card is None else card.layout()
    assert card is not None and layout is not None
    wait_until(lambda: layout.totalHeightForWidth(card.width()) <= card.height() <= 640)


# -- small widgets --------------------------------------------------------------------------------------------------


def colour_buttons(picker: ColourPicker) -> list[QAbstractButton]:
    return picker.findChildren(QAbstractButton)


def test_a_click_and_an_arrow_key_choose_a_colour(qapp: QApplication) -> None:
    picker = ColourPicker()
    shown(picker)
    chosen: list[str] = []
    picker.colour_chosen.connect(chosen.append)
    QTest.mouseClick(colour_buttons(picker)[2], Qt.MouseButton.LeftButton)
    QTest.keyClick(colour_buttons(picker)[2], Qt.Key.Key_Right)
    assert picker.colour() == EPOCH_COLOURS[3]
    assert chosen[0] == EPOCH_COLOURS[2]


def test_the_first_free_colour_is_proposed_and_then_they_go_round(qapp: QApplication) -> None:
    picker = ColourPicker()
    picker.choose_first_free([EPOCH_COLOURS[0].lower(), EPOCH_COLOURS[2]])
    assert picker.colour() == EPOCH_COLOURS[1]
    picker.choose_first_free([*EPOCH_COLOURS, EPOCH_COLOURS[0]])
    assert picker.colour() == EPOCH_COLOURS[1]


def test_a_colour_outside_the_palette_is_kept(qapp: QApplication) -> None:
    picker = ColourPicker()
    picker.set_colour("#123456")
    assert picker.colour() == "#123456"
    assert len(colour_buttons(picker)) == len(EPOCH_COLOURS) + 1


@pytest.mark.parametrize("colour", EPOCH_COLOURS)
def test_the_letter_of_every_swatch_is_readable(qapp: QApplication, colour: str) -> None:
    assert contrast(readable_on(QColor(colour)), QColor(colour)) >= MIN_CONTRAST
    swatch = Swatch()
    swatch.set_epoch(colour, "S")
    image = swatch.grab().toImage()
    drawn = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}
    assert QColor(colour).name() in drawn
    assert readable_on(QColor(colour)).name() in drawn


def test_the_initial_is_the_first_letter_or_digit() -> None:
    assert [initial(name) for name in ("shakespeare", " «Éluard»", "3 men", "…")] == ["S", "É", "3", "?"]


def test_every_state_has_a_sign_of_its_own(qapp: QApplication) -> None:
    states = ("frozen", "training", "queued", "interrupted", "broken")
    signs = [icon(state).pixmap(QSize(12, 12)).toImage() for state in states]
    assert not any(sign.isNull() for sign in signs)
    assert all(one != other for one, other in combinations(signs, 2))


SIGNS = sorted(path.stem for path in resource("icons").glob("*.svg") if path.stem != "tlora-gui")


@pytest.mark.parametrize("name", SIGNS)
def test_every_sign_is_sharp_at_every_scale(qapp: QApplication, name: str) -> None:
    for scale in (1, 2, 3):
        drawn = icon(name).pixmap(QSize(16, 16), scale)
        assert drawn.size() == QSize(16, 16) * scale and drawn.deviceIndependentSize() == QSize(16, 16)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", SIGNS)
def test_every_sign_can_be_seen_wherever_it_stands(qapp: QApplication, name: str, theme: Theme) -> None:
    image = icon(name).pixmap(QSize(64, 64), 1).toImage()
    pixels = (image.pixelColor(x, y) for x in range(64) for y in range(64))
    (colour,) = {pixel.name() for pixel in pixels if pixel.alpha() == 255}
    grounds = ("accent",) if name == "tick" else ("window", "panel", "field", "hover", "danger_panel", "notice_panel")
    seen = {ground: contrast(QColor(colour), QColor(getattr(theme, ground))) for ground in grounds}
    assert min(seen.values()) >= MIN_LINE_CONTRAST, seen


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_a_tick_box_follows_mouse_and_keyboard(qapp: QApplication, mode: ThemeMode) -> None:
    theme = ThemeManager(qapp, mode).current
    box = QCheckBox("Active Sleep")
    shown(box)

    def ground() -> QColor:
        return box.grab().toImage().pixelColor(7, box.height() // 2 - 4)

    assert ground() == QColor(theme.field)
    QTest.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(40, box.height() // 2))
    assert box.isChecked()
    assert ground() == QColor(theme.accent)
    QTest.keyClick(box, Qt.Key.Key_Space)
    assert not box.isChecked()


def test_a_label_that_does_not_fit_has_its_text_as_tooltip(qapp: QApplication) -> None:
    label = ElidedLabel()
    label.show_text("The complete works of William Shakespeare")
    label.resize(60, 20)
    shown(label)
    assert label.toolTip() == label.text()
    label.resize(600, 20)
    assert label.toolTip() == ""


def test_a_disclosure_opens_and_closes_its_content(qapp: QApplication) -> None:
    content = QLabel("inside")
    disclosure = Disclosure("More", content)
    shown(disclosure)
    assert not content.isVisible()
    click(disclosure, "More")
    assert content.isVisible()
    QTest.keyClick(disclosure.button, Qt.Key.Key_Space)
    assert not content.isVisible()


def test_only_local_files_of_a_drag_count_each_once() -> None:
    data = QMimeData()
    here = QUrl.fromLocalFile("/texts/one.txt")
    data.setUrls([here, QUrl("https://example.org/two.txt"), here, QUrl.fromLocalFile("/texts/three")])
    assert local_paths(data) == ["/texts/one.txt", "/texts/three"]
    assert local_paths(QMimeData()) == []


def test_a_question_tells_the_chosen_key_and_goes_away(qapp: QApplication, wait_until: WaitUntil) -> None:
    window = QWidget()
    shown(window)
    answers: list[str] = []
    choices = (Choice("keep", "Keep"), Choice("discard", "Discard", destructive=True))
    box = ask(window, "Stop?", "What to do?", choices, "Go on", answers.append)
    assert not answers
    click(box, "keepButton")
    assert answers == ["keep"]
    wait_until(lambda: not isValid(box))


def test_return_in_a_question_changes_nothing(qapp: QApplication, wait_until: WaitUntil) -> None:
    window = QWidget()
    shown(window)
    answers: list[str] = []
    box = ask(window, "Stop?", "", (Choice("discard", "Discard", destructive=True),), "Go on", answers.append)
    QTest.keyClick(box, Qt.Key.Key_Return)
    wait_until(lambda: not isValid(box))
    assert answers == []


def test_a_chosen_file_is_told(qapp: QApplication, tmp_path: Path) -> None:
    window = QWidget()
    shown(window)
    (tmp_path / "tiny.gguf").write_bytes(b"")
    chosen: list[str] = []
    dialog = choose_file(window, "Model file", str(tmp_path), chosen.append, "Models (*.gguf)")
    dialog.selectFile(str(tmp_path / "tiny.gguf"))
    dialog.accept()
    assert [Path(path) for path in chosen] == [tmp_path / "tiny.gguf"]


def test_a_text_is_not_saved_where_the_program_happens_to_run(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QStandardPaths, "writableLocation", lambda place: str(tmp_path))
    monkeypatch.chdir("/")
    monkeypatch.setattr(QFileDialog, "directory", lambda dialog: QDir.current())  # none was chosen before
    went: list[str] = []
    monkeypatch.setattr(QFileDialog, "setDirectory", lambda dialog, folder: went.append(folder))
    window = QWidget()
    shown(window)
    choose_target(window, "Save", "text", {"Web page (*.html)": "html"}, str)
    assert went == [str(tmp_path)]


def test_every_control_of_welcome_and_banner_has_a_name_and_a_tooltip(welcome: Welcome, banner: Banner) -> None:
    welcome.set_recent(["/projects/one"])
    banner.show_error("It failed.", "", "Traceback: 42")
    banner.show_notice("Deleted.", "Undo")
    for widget in (welcome, banner, ProgressLine()):
        for button in widget.findChildren(QAbstractButton):
            assert button.toolTip(), f"{button.objectName() or button} has no tooltip"
            assert button.accessibleName() or button.text(), f"{button.objectName() or button} has no name"
        for field in (*widget.findChildren(QLineEdit), *widget.findChildren(QComboBox)):
            assert field.toolTip() and field.accessibleName(), field.objectName()
