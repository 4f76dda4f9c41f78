"""Fields of numbers: what is written or pasted is taken whole or not at all, in every locale."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kit import WaitUntil, shown
from PySide6.QtCore import QEvent, QLocale, QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QPushButton, QToolTip, QWidget

from tlora_gui.engine.protocol.config import (
    MAX_NEW_TOKENS,
    MAX_TOP_K,
    SEED_MAX,
    SEED_MIN,
    SamplingSettings,
    TrainSettings,
)
from tlora_gui.engine.protocol.events import CorpusSummary
from tlora_gui.engine.protocol.jobs import TrainEpoch
from tlora_gui.ui.epochs.new_epoch_dialog import NewEpochDialog
from tlora_gui.ui.epochs.settings_box import RateBox, SettingsBox
from tlora_gui.ui.generation.mixing_desk.fader import DeskSlider
from tlora_gui.ui.generation.sampling import SamplingPanel
from tlora_gui.ui.widgets.fields import ChoiceBox, DecimalBox, SeedBox, WholeBox, whole_number
from tlora_gui.ui.widgets.layouts import column, row

LOCALES = ("de_DE", "de_CH", "fr_FR", "ru_RU", "sv_SE", "en_US", "ar_EG", "fa_IR", "hi_IN")
Enter = Callable[[Any, str], None]


def type_in(box: QAbstractSpinBox, text: str) -> None:
    """Each sign by itself, in place of what was there."""
    box.selectAll()
    for sign in text:
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            QApplication.sendEvent(box, QKeyEvent(kind, 0, Qt.KeyboardModifier.NoModifier, sign))


def paste(box: QAbstractSpinBox, text: str) -> None:
    box.selectAll()
    QApplication.clipboard().setText(text)
    QTest.keySequence(box, QKeySequence(QKeySequence.StandardKey.Paste))


@pytest.fixture(params=LOCALES)
def language(request: pytest.FixtureRequest, qapp: QApplication) -> Iterator[QLocale]:
    before = QLocale()
    QLocale.setDefault(QLocale(request.param))
    yield QLocale()
    QLocale.setDefault(before)


def press_return(box: QAbstractSpinBox) -> None:
    QTest.keyClick(box, Qt.Key.Key_Return)


def go_elsewhere(box: QAbstractSpinBox) -> None:
    QApplication.sendEvent(box, QFocusEvent(QEvent.Type.FocusOut))


@pytest.fixture(params=[(type_in, press_return), (type_in, go_elsewhere), (paste, press_return)])
def entered(request: pytest.FixtureRequest) -> Callable[[Any, str], Any]:
    """Writes a text into a field that is left then, and gives the number that it has."""
    write, leave = request.param

    def enter(box: Any, text: str) -> Any:
        write(box, text)
        leave(box)
        return box.value()

    return enter


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0.001", 0.001),
        ("0,001", 0.001),
        ("1e-3", 0.001),
        ("5E-4", 0.0005),
        (",5", 0.5),
        (" 0.25 ", 0.25),
        ("٠٫٠٠١", 0.001),
        ("0.0000001234567890123", 0.0000001234567890123),
    ],
)
def test_a_rate_can_be_written_as_people_write_it(
    language: QLocale, entered: Callable[[Any, str], Any], text: str, number: float
) -> None:
    rate = RateBox()
    rate.setValue(0.002)
    assert entered(rate, text) == number
    again = RateBox()
    assert entered(again, rate.text()) == number


@pytest.mark.parametrize("text", ["1e", "0.1x", "1 e-3", "0.1.2", "1.000,5", "abc", "", "5", "-0.1", "0.5 0.6", "½"])
def test_what_is_no_rate_leaves_the_one_that_was_there(
    language: QLocale, entered: Callable[[Any, str], Any], text: str
) -> None:
    rate = RateBox()
    rate.setValue(0.002)
    assert entered(rate, text) == 0.002


@pytest.mark.parametrize(
    "text", ["12345", "12.345", "12,345", "12 345", "12\u202f345", "12\xa0345", "12'345", "12’345", "١٢٬٣٤٥", "+12345"]
)
def test_thousands_may_be_divided_in_any_way(language: QLocale, entered: Callable[[Any, str], Any], text: str) -> None:
    box = WholeBox(0, 1_000_000)
    box.setGroupSeparatorShown(True)
    box.setValue(7)
    assert entered(box, text) == 12345
    again = WholeBox(0, 1_000_000)
    assert entered(again, box.text()) == 12345


@pytest.mark.parametrize(
    "text", ["12.5", "0.001", "1,5", "12x", "1.23.456", "1.234,567", "12 3456", "-3", "2000000", "1e"]
)
def test_what_is_no_whole_number_leaves_the_one_that_was_there(
    language: QLocale, entered: Callable[[Any, str], Any], text: str
) -> None:
    box = WholeBox(0, 1_000_000)
    box.setValue(7)
    assert entered(box, text) == 7


def test_every_locale_writes_whole_numbers_that_can_be_read_back(qapp: QApplication) -> None:
    every = QLocale.matchingLocales(
        QLocale.Language.AnyLanguage, QLocale.Script.AnyScript, QLocale.Country.AnyCountry
    )  # fmt: skip
    numbers = (0, 999, 1234, -1234567, 987654321)
    lost = {
        (locale.name(), locale.toString(number))
        for locale in every
        for number in numbers
        if whole_number(locale.toString(number), locale) != number and locale.name() != "tok_001"  # groups of two
    }
    assert (len(every) > 300, lost) == (True, set())


def test_a_unit_may_be_written_or_left_out(language: QLocale, entered: Callable[[Any, str], Any]) -> None:
    box = WholeBox(1, 50)
    box.setSuffix(" %")
    assert [entered(box, text) for text in ("20", "30 %", "40%", "50 x")] == [20, 30, 40, 40]


def test_the_word_for_the_lowest_number_can_be_written(entered: Callable[[Any, str], Any], qapp: QApplication) -> None:
    box = WholeBox(0, 50)
    box.setSpecialValueText("all")
    box.setValue(9)
    assert entered(box, "All") == 0


@pytest.mark.parametrize("text", ["0.8", "0,8", "8e-1"])
def test_every_decimal_field_of_sampling_takes_both_decimal_signs(
    language: QLocale, entered: Callable[[Any, str], Any], text: str
) -> None:
    panel = SamplingPanel(None)  # type: ignore[arg-type]
    boxes = panel.findChildren(DecimalBox)
    assert len(boxes) == 3
    for box in boxes:
        box.setMinimum(0.1)
        assert entered(box, text) == 0.8


def test_steps_show_no_rounding_error(qapp: QApplication) -> None:
    box = DecimalBox(0, 5)
    box.setValue(0.8)
    box.stepBy(1)
    box.stepBy(1)
    assert (box.value(), box.text()) == (0.9, QLocale().toString(0.9))


def test_what_is_being_written_when_training_is_started_is_taken(qapp: QApplication) -> None:
    dialog = NewEpochDialog()
    jobs: list[TrainEpoch] = []
    dialog.start_requested.connect(jobs.append)
    dialog.set_paths(["/texts"])
    dialog.set_summary(CorpusSummary(("/texts",), "Verse", 4, 1, 99_000, 1_000, False, (), (), "O night"))
    dialog.show()
    rate = dialog.findChild(RateBox)
    rate.setFocus()
    type_in(rate, "1e-")
    dialog.findChild(QPushButton, "startTrainingButton").click()
    assert [job.settings.learning_rate for job in jobs] == [TrainSettings().learning_rate]


# -- seeds and limits -----------------------------------------------------------------------------------------------

SEEDS = (0, -5, 2**31, 99_999_999_999, 20_240_115_123_000_000, SEED_MIN, SEED_MAX)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_seed_that_a_record_can_have_is_shown_and_used(qapp: QApplication, seed: int) -> None:
    panel = SamplingPanel(None)  # type: ignore[arg-type]
    panel.set_settings(SamplingSettings(seed=seed))
    assert panel.findChild(SeedBox).text() == str(seed)
    assert panel.settings().seed == seed
    assert SettingsBox(TrainSettings(seed=seed)).settings().seed == seed


@pytest.mark.parametrize("seed", SEEDS)
def test_every_seed_can_be_written(language: QLocale, entered: Callable[[Any, str], Any], seed: int) -> None:
    assert entered(SeedBox(), str(seed)) == seed


@pytest.mark.parametrize("text", [str(SEED_MAX + 1), str(SEED_MIN - 1), "12x", "1.5", "", "0x10"])
def test_what_is_no_seed_leaves_the_one_that_was_there(
    entered: Callable[[Any, str], Any], qapp: QApplication, text: str
) -> None:
    box = SeedBox()
    box.setValue(42)
    assert (entered(box, text), box.text()) == (42, "42")


def test_seeds_step_up_to_their_ends(qapp: QApplication) -> None:
    box = SeedBox()
    box.setValue(SEED_MAX - 1)
    box.stepBy(5)
    assert box.value() == SEED_MAX
    QTest.keyClick(box, Qt.Key.Key_Down)
    assert (box.value(), box.text()) == (SEED_MAX - 1, str(SEED_MAX - 1))


@pytest.mark.parametrize(
    "settings",
    [
        SamplingSettings(max_new_tokens=MAX_NEW_TOKENS, top_k=MAX_TOP_K),
        SamplingSettings(max_new_tokens=9000, top_k=1001, temperature=2000.0, top_p=1e-9, repetition_penalty=1e6),
        SamplingSettings(temperature=0.123456789012345, top_p=1 / 3),
    ],
)
def test_settings_of_a_record_come_back_as_they_were(qapp: QApplication, settings: SamplingSettings) -> None:
    panel = SamplingPanel(None)  # type: ignore[arg-type]
    panel.set_settings(settings)
    assert panel.settings() == settings


@pytest.mark.parametrize("text", ["101", "0", "x", ""])
def test_a_number_that_is_not_taken_is_told_its_range_for_a_moment(
    qapp: QApplication, wait_until: WaitUntil, text: str
) -> None:
    box = WholeBox(1, 100)
    shown(box, 120, 30)
    box.setValue(7)
    type_in(box, "50")
    press_return(box)
    assert box.value() == 50 and not QToolTip.isVisible()
    type_in(box, text)
    if not text:
        QTest.keyClick(box, Qt.Key.Key_Delete)
    press_return(box)
    assert box.value() == 50
    wait_until(lambda: QToolTip.text() == "Only numbers from 1 to 100" and QToolTip.isVisible())
    QToolTip.hideText()
    wait_until(lambda: not QToolTip.isVisible())


def test_what_is_told_of_a_number_lies_over_no_other_field(qapp: QApplication, wait_until: WaitUntil) -> None:
    form, first, second = QWidget(), WholeBox(1, 100), WholeBox(1, 100)
    form.setLayout(column(row(first, None), row(second, None)))
    shown(form, 500, 100)
    type_in(first, "101")
    press_return(first)
    wait_until(QToolTip.isVisible)
    (told,) = [found for found in qapp.topLevelWidgets() if found.inherits("QTipLabel") and found.isVisible()]
    for box in (first, second):
        assert not told.geometry().intersects(QRect(box.mapToGlobal(QPoint()), box.size()))
    QToolTip.hideText()
    wait_until(lambda: not QToolTip.isVisible())


@pytest.mark.parametrize("kind", ["whole", "decimal", "seed", "choice", "slider"])
def test_the_wheel_turns_a_field_only_where_it_has_the_focus(qapp: QApplication, kind: str) -> None:
    field: Any = {
        "whole": lambda: WholeBox(0, 99),
        "decimal": lambda: DecimalBox(0, 9),
        "seed": SeedBox,
        "choice": lambda: ChoiceBox("", "", ""),
        "slider": lambda: DeskSlider(0, 100, 50),
    }[kind]()
    if kind == "choice":
        field.addItems(["a", "b", "c"])
        field.setCurrentIndex(1)
    elif kind != "slider":
        field.setValue(5)
    other, around = QPushButton(), QWidget()
    around.setLayout(column(field, other))
    shown(around, 200, 120)

    def after_a_turn() -> object:
        middle, none = QPointF(field.rect().center()), QPoint()
        keys, phase = Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase
        turned = QWheelEvent(middle, middle, none, QPoint(0, -120), Qt.MouseButton.NoButton, keys, phase, False)
        QApplication.sendEvent(field, turned)
        return field.currentText() if kind == "choice" else field.value()

    other.setFocus()
    before = field.currentText() if kind == "choice" else field.value()
    assert after_a_turn() == before
    field.setFocus()
    assert after_a_turn() != before
