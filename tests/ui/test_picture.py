"""A text as a picture: what is drawn where, in both themes, and what is left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from kit import SLOTS
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication

from tlora_gui.engine.protocol.config import AVERAGE_MODE, MIXER_MODE, SamplingSettings
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.texts import Generation, TokenEvent
from tlora_gui.ui.generation.token_view.picture import (
    PIXEL_RATIO,
    RIBBON_HEIGHT,
    TALLEST_TEXT,
    footer_text,
    lay_out,
    render,
    save,
)
from tlora_gui.ui.generation.token_view.token_style import MEASURE_COLOURS
from tlora_gui.ui.palette import token_background
from tlora_gui.ui.theme import DARK, LIGHT, Theme


def record(words: list[str], weights: tuple[float, ...] = (0.0, 1.0, 0.0), **changes: object) -> Generation:
    tokens = tuple(TokenEvent(place, 7, word, weights, False, 0.001, 1) for place, word in enumerate(words))
    made = Generation("To", MIXER_MODE, SamplingSettings(seed=7), SLOTS, tokens, "length", 12.0)
    return replace(made, **changes)


def colours(image: QImage) -> set[str]:
    """Every colour that is drawn, as a look at each second pixel finds it."""
    return {
        image.pixelColor(x, y).name() for y in range(0, image.height(), 2) for x in range(0, image.width(), 2)
    }  # fmt: skip


def background(colour: str, weight: float, theme: Theme) -> str:
    return token_background(colour, weight, QColor(theme.panel), QColor(theme.text)).name()


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_ribbon_and_surroundings_are_drawn_in_the_themes_and_the_epochs_colours(
    qapp: QApplication, theme: Theme
) -> None:
    image = render(record(["To ", "code ", "or ", "not"]), theme)
    assert image.width() == 900 * PIXEL_RATIO
    assert image.devicePixelRatio() == PIXEL_RATIO
    assert image.pixelColor(4, 4).name() == theme.panel.lower()
    drawn = colours(image)
    assert background(SLOTS[1].colour, 1.0, theme) in drawn
    assert SLOTS[1].colour.lower() in drawn  # the ribbon
    assert theme.text.lower() in drawn  # whatever theme the application has


def test_the_mix_is_stacked_to_scale(qapp: QApplication) -> None:
    image = render(record(["a "] * 40, (0.5, 0.25, 0.25)), LIGHT)
    column = [image.pixelColor(image.width() // 2, y).name() for y in range(image.height())]
    shares = [column.count(slot.colour.lower()) / (RIBBON_HEIGHT * PIXEL_RATIO) for slot in SLOTS]
    assert shares == pytest.approx([0.5, 0.25, 0.25], abs=0.02)


def test_words_around_the_text_fit_their_lines(qapp: QApplication) -> None:
    image = render(record(["a"], name="Verses"), LIGHT)
    beside = round(0.7 * image.width())  # right of the title, and between the two ends of the footer
    column = {image.pixelColor(beside, y).name() for y in range(image.height() - 60 * PIXEL_RATIO, image.height())}
    column |= {image.pixelColor(beside, y).name() for y in range(60 * PIXEL_RATIO)}
    assert column <= {LIGHT.panel.lower(), LIGHT.border.lower()}


def test_colour_modes_are_those_of_the_text(qapp: QApplication) -> None:
    text = record(["To ", "code"], (0.2, 0.4, 0.4))
    by_weight = colours(render(text, LIGHT, mode="weight", slot=2))
    assert background(SLOTS[2].colour, 0.4, LIGHT) in by_weight
    by_surprise = colours(render(text, LIGHT, mode="surprise"))
    assert background(MEASURE_COLOURS["surprise"], 1.0, LIGHT) in by_surprise


def test_a_wide_picture_is_lower_than_a_narrow_one_and_no_word_runs_out_of_it(qapp: QApplication) -> None:
    text = record(["sesquipedalian" * 12] + ["words "] * 60)
    wide, narrow = render(text, LIGHT, width=1200), render(text, LIGHT, width=500)
    assert narrow.height() > wide.height()
    edge = {narrow.pixelColor(narrow.width() - 8, y).name() for y in range(narrow.height())}
    assert edge == {LIGHT.panel.lower()}


def test_a_long_text_is_cut_after_a_whole_line_and_says_how_much_is_left_out(qapp: QApplication) -> None:
    text = record(["word\n"] * 3000)
    document, left_out = lay_out(text, LIGHT, 800)
    assert document.size().height() <= TALLEST_TEXT
    assert document.toPlainText().count("word") == 3000 - left_out
    assert left_out > 2900
    assert render(text, LIGHT).height() < 2 * PIXEL_RATIO * TALLEST_TEXT


def test_a_text_of_one_endless_paragraph_is_cut_too(qapp: QApplication) -> None:
    text = record(["word "] * 50_000)
    document, left_out = lay_out(text, LIGHT, 800)
    assert 0 < document.size().height() <= TALLEST_TEXT
    assert document.toPlainText().count("word") == 50_000 - left_out


def test_empty_lines_at_the_end_take_no_room(qapp: QApplication) -> None:
    assert render(record(["a", "\n", "\n"]), LIGHT).height() == render(record(["a"]), LIGHT).height()


def test_control_signs_are_shown_and_break_no_line(qapp: QApplication) -> None:
    document, _ = lay_out(record(["a\x07\u202eb\u2028c"]), LIGHT, 800)
    assert document.blockCount() == 1
    assert "\u202e" not in document.toPlainText()


def test_a_named_text_has_its_name_on_top(qapp: QApplication) -> None:
    assert render(record(["a"], name="Verses"), LIGHT).height() > render(record(["a"]), LIGHT).height()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "Tiny · Time Mixer · seed 7 · 2 tokens"),
        ({"mode": "code"}, "Tiny · Code alone · seed 7 · 2 tokens"),
        ({"mode": ""}, "Tiny · Backbone alone · seed 7 · 2 tokens"),
        ({"mode": AVERAGE_MODE}, "Tiny · Average of all epochs · seed 7 · 2 tokens"),
        ({"mode": "@1"}, "Tiny · Time Mixer number 1 · seed 7 · 2 tokens"),
        ({"ended": "read"}, "Tiny · text read, not generated · 2 tokens"),
    ],
)
def test_the_last_line_says_how_the_text_came_about(changes: dict[str, object], text: str) -> None:
    assert footer_text(record(["a", "b"], **changes), "Tiny") == text


def test_a_text_without_tokens_makes_a_picture_too(qapp: QApplication) -> None:
    assert not render(record([]), LIGHT).isNull()


def test_a_saved_picture_opens_again(qapp: QApplication, tmp_path: Path) -> None:
    image = render(record(["a"]), LIGHT)
    save(image, tmp_path / "text.png")
    assert QImage(str(tmp_path / "text.png")).size() == image.size()


@pytest.mark.parametrize("name", ["no-such-folder/text.png", "text.nonsense"])
def test_what_cannot_be_written_is_told(qapp: QApplication, tmp_path: Path, name: str) -> None:
    with pytest.raises(TloraError, match="could not be written"):
        save(render(record(["a"]), LIGHT), tmp_path / name)
