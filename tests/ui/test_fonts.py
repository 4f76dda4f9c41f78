"""The system's font and its size: followed, and no word cut off, in both languages and at every scale."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cut_words import cut_words
from PySide6.QtCore import QCoreApplication, QPoint
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPlainTextEdit, QPushButton, QWidget
from whole_window import EPOCHS, whole_window
from window_states import states

from tlora_gui.paths import resource
from tlora_gui.ui.charts.plot import ChartPlot
from tlora_gui.ui.epochs.new_epoch_dialog import NewEpochDialog
from tlora_gui.ui.epochs.settings_box import SettingsBox
from tlora_gui.ui.generation.token_view.token_view import TokenView
from tlora_gui.ui.translation import install
from tlora_gui.ui.widgets.fields import ChoiceBox, DecimalBox, SeedBox, WholeBox
from tlora_gui.ui.widgets.layouts import row
from tlora_gui.ui.window import MainWindow

HERE = Path(__file__)
FONTS = [("DejaVu Sans", 10), ("Noto Sans", 10), ("DejaVu Sans", 13)]
SCALES = ("1.25", "2")
SMALL_SCREEN = (1440, 840)
"""Pixels that panels and title bar leave of 1440 x 900."""
_NAMES = tuple(epoch.name for epoch in EPOCHS)


@pytest.fixture
def font(qapp: QApplication) -> Iterator[None]:
    """Whatever font a test sets, the next one has its own again."""
    before = qapp.font()
    yield
    qapp.setFont(before)


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize(("family", "points"), FONTS)
def test_no_word_is_cut_off_where_there_is_room(
    qapp: QApplication, font: None, tmp_path: Path, family: str, points: int, language: str
) -> None:
    qapp.setFont(QFont(family, points))
    install(qapp, language)
    try:
        width = max(1280, 108 * points)
        cut = {f"{name}: {words}" for name, shown in states(tmp_path, width=width) for words in cut_words(shown)}
    finally:
        install(qapp, "en")
    # Phases and rows of the matrix are as wide as their share of the training: names in them have what room there is.
    assert sorted(words for words in cut if not any(f"drawn '{name}' as" in words for name in _NAMES)) == []


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize(("family", "points"), FONTS)
def test_fields_of_a_new_epoch_are_aligned(
    qapp: QApplication, font: None, family: str, points: int, language: str
) -> None:
    qapp.setFont(QFont(family, points))
    install(qapp, language)
    try:
        dialog = NewEpochDialog()
    finally:
        install(qapp, "en")
    dialog.findChild(SettingsBox).advanced.set_open(True)
    dialog.show()
    qapp.processEvents()
    names = ("epochNameEdit", "epochEraEdit", "passesSpin", "tokensSpin", "learningRateSpin", "blockSizeSpin")
    assert len({dialog.findChild(QWidget, name).mapTo(dialog, QPoint()).x() for name in names}) == 1


@pytest.mark.parametrize(("family", "points"), FONTS)
def test_fields_and_buttons_of_a_row_are_equally_high(qapp: QApplication, font: None, family: str, points: int) -> None:
    qapp.setFont(QFont(family, points))
    parts = (QLineEdit(), QPushButton("Go"), ChoiceBox("", "", ""), WholeBox(0, 9), DecimalBox(0, 1), SeedBox())
    line = QWidget()
    line.setLayout(row(*parts))
    line.show()
    assert len({part.sizeHint().height() for part in parts}) == 1


@pytest.mark.parametrize("scale", SCALES)
def test_nor_at_another_scale(scale: str) -> None:
    environment = {**os.environ, "QT_SCALE_FACTOR": scale}
    test = f"{HERE}::{test_no_word_is_cut_off_where_there_is_room.__name__}[DejaVu Sans-10-de]"
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", test]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_the_style_sheet_names_no_size_of_text_by_itself() -> None:
    sheet = resource("styles/app.qss").read_text(encoding="utf-8")
    sizes = {line.split("font-size:")[1].split(";")[0].strip() for line in sheet.splitlines() if "font-size:" in line}
    assert sizes and all(size.startswith("$") for size in sizes)


def test_the_font_of_the_system_stays_as_it_is(qapp: QApplication, font: None, tmp_path: Path) -> None:
    chosen = QFont("Noto Sans", 12)
    qapp.setFont(chosen)
    with whole_window(project=tmp_path) as window:
        assert qapp.font() == chosen
        assert (window.font().family(), window.font().pointSizeF()) == ("Noto Sans", 12)


def test_another_font_is_followed_by_every_size_of_text(qapp: QApplication, font: None, tmp_path: Path) -> None:
    with whole_window(project=tmp_path) as window:
        labels = [found for found in window.findChildren(QLabel) if found.text()]
        widgets = [*labels, *window.findChildren(QPlainTextEdit), *window.findChildren(ChartPlot)]
        before = {widget: widget.font().pointSizeF() for widget in widgets}
        qapp.setFont(QFont("Noto Sans", 20))
        QCoreApplication.processEvents()
        assert {round(widget.font().pointSizeF() / size, 1) for widget, size in before.items()} == {2.0}
        text = window.findChild(TokenView)
        assert text is not None and text.document().defaultFont().pointSizeF() == 22


def test_text_keeps_a_fixed_width_in_any_font(qapp: QApplication, font: None, tmp_path: Path) -> None:
    qapp.setFont(QFont("Noto Sans", 12))
    with whole_window(project=tmp_path) as window:
        text = window.findChild(TokenView)
        assert text is not None
        assert text.fontMetrics().horizontalAdvance("iiii") == text.fontMetrics().horizontalAdvance("MMMM")


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_window_fits_a_small_screen_at_large_text(
    qapp: QApplication, font: None, tmp_path: Path, language: str
) -> None:
    qapp.setFont(QFont("DejaVu Sans", 15))
    install(qapp, language)
    try:
        sizes = {
            name: shown.minimumSizeHint().toTuple() for name, shown in states(tmp_path) if isinstance(shown, MainWindow)
        }
    finally:
        install(qapp, "en")
    too_large = {name: size for name, size in sizes.items() if size[0] > SMALL_SCREEN[0] or size[1] > SMALL_SCREEN[1]}
    assert len(sizes) > 30 and too_large == {}
