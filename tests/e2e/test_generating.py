"""A typed prompt is continued in coloured text that tells, token by token, who spoke."""

from __future__ import annotations

import html
from pathlib import Path

import pytest
from person import OpenWindow, Person
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QToolTip, QWidget
from screen_reader import items_of

from tlora_gui.engine.protocol.attribution import dominant_slot
from tlora_gui.ui.epochs.card_list import CardList
from tlora_gui.ui.generation.inspector.inspector import TokenInspector
from tlora_gui.ui.generation.token_view.legend import Legend
from tlora_gui.ui.generation.token_view.token_text import STAND_INS
from tlora_gui.ui.theme import DARK, LIGHT

VERSE = "O gentle night, that hides"
CODE = "def f_1(x, y=1):\n    return [x ** y for _ in range(1)]"


def footer(person: Person) -> str:
    return person.see(QLabel, "generationFooter").text()


def inspected(person: Person) -> list[str]:
    """Texts that the inspector shows."""
    labels = person.see(TokenInspector, "tokenInspector").findChildren(QLabel)
    return [label.text() for label in labels if label.isVisible()]


def spoken_by(person: Person, slot: int) -> int:
    """First token after the very first, with text, that this slot dominates."""
    tokens = enumerate(person.text.tokens)
    return next(i for i, token in tokens if i and token.text.strip() and dominant_slot(token.weights) == slot)


def test_ctrl_enter_streams_tokens_in_the_colour_of_their_dominant_epoch(
    open_window: OpenWindow, trained_project: Path
) -> None:
    person = open_window(trained_project)
    person.begin_generating(CODE, new_tokens=60)
    person.wait(lambda: len(person.text.tokens) > len(CODE) + 3)
    assert person.window.controller.generating.job_id is not None, "it came all at once"
    person.until_generated()

    tokens = person.text.tokens
    assert person.text.toPlainText() == "".join(token.text for token in tokens).translate(STAND_INS)
    assert person.text.toPlainText().startswith(CODE)
    assert [token.is_prompt for token in tokens] == [True] * len(CODE) + [False] * 60
    assert all(sum(token.weights) == pytest.approx(1, abs=1e-4) and len(token.weights) == 3 for token in tokens)
    assert footer(person).startswith("60 tokens · ") and footer(person).endswith("length limit")


def test_an_epochs_tokens_differ_from_the_panel_and_from_the_other_epochs(
    open_window: OpenWindow, trained_project: Path
) -> None:
    person = open_window(trained_project)
    person.generate(VERSE + CODE)

    verse, code = person.background(spoken_by(person, 1)), person.background(spoken_by(person, 2))
    assert verse.isValid() and code.isValid() and len({verse.name(), code.name(), QColor(LIGHT.panel).name()}) == 3
    for index, token in enumerate(person.text.tokens):
        if token.text:
            assert person.background(index).isValid() == (dominant_slot(token.weights) != 0)


def test_the_legend_names_every_slot(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    legend = person.window.findChild(Legend)
    assert legend is not None and legend.isVisible()
    assert legend.accessibleDescription() == "Verse, Code, Eternity (uncoloured)"


def test_the_same_seed_gives_the_same_text_again(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    first = [token.token_id for token in person.generate("def f")]
    assert [token.token_id for token in person.generate("def f")] == first


def test_esc_stops_and_keeps_the_text(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    person.begin_generating("O gentle", new_tokens=200)
    person.wait(lambda: len(person.text.tokens) > 12)
    assert person.see(QAbstractButton, "stopGenerationButton").isVisible()
    QTest.keyClick(person.prompt, Qt.Key.Key_Escape)
    person.until_generated()

    assert footer(person).endswith(" · stopped") and 12 < len(person.text.tokens) < 200
    assert person.text.toPlainText().startswith("O gentle")
    assert len(person.generate("def f", new_tokens=5)) == 10


@pytest.mark.parametrize(("mode", "weights"), [("verse", (0, 1, 0)), ("code", (0, 0, 1)), ("", (1, 0, 0))])
def test_a_single_slot_speaks_alone_in_one_colour(
    open_window: OpenWindow, trained_project: Path, mode: str, weights: tuple[int, ...]
) -> None:
    person = open_window(trained_project)
    tokens = person.generate("def f", mode=mode, new_tokens=8)

    assert {token.weights for token in tokens} == {tuple(map(float, weights))}
    backgrounds = [person.background(index) for index, token in enumerate(tokens) if token.text]
    assert len({colour.name() for colour in backgrounds}) == 1 and backgrounds[0].isValid() == (mode != "")


def test_activating_a_card_chooses_that_epoch_alone(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    cards = person.see(CardList, "epochList")
    cards.setFocus()
    cards.setCurrentRow(2)
    QTest.keyClick(cards, Qt.Key.Key_Return)
    assert person.see(QComboBox, "modeCombo").currentText() == "Code alone"


def test_hovering_a_token_shows_its_mix_in_the_inspector(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    person.generate(CODE)
    index = spoken_by(person, 2)
    QTest.mouseMove(person.text.viewport(), person.position_of(index))

    token = person.text.tokens[index]
    assert f"“{token.text}”" in inspected(person)
    assert any(f"rank\N{NO-BREAK SPACE}{token.rank}" in text for text in inspected(person))
    inspector = person.see(TokenInspector, "tokenInspector")
    mix = next(w for w in inspector.findChildren(QWidget) if w.accessibleName() == "Mix of this token")
    said = dict(item.split(" ") for item in items_of(mix))
    assert list(said) == ["Verse", "Code", "Eternity"] and said["Code"] == f"{token.weights[2]:.2f}"


def test_arrow_keys_walk_through_the_tokens(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    person.generate("def f")
    person.text.setFocus()
    for key, expected in ((Qt.Key.Key_Home, 0), (Qt.Key.Key_Right, 1), (Qt.Key.Key_Right, 2), (Qt.Key.Key_Left, 1)):
        QTest.keyClick(person.text, key)
        assert person.text.current == expected and f"“{'def'[expected]}”" in inspected(person)


def test_the_tooltip_says_who_spoke_and_which_mix_that_was(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    tokens = person.generate(CODE)
    generated = next(i for i, token in enumerate(tokens) if not token.is_prompt and token.text.strip())
    meanings = {4: "this prompt token's own mix", generated: "the mix in force when this token was predicted"}
    for index, meaning in meanings.items():
        place = person.position_of(index)
        event = QHelpEvent(QEvent.Type.ToolTip, place, person.text.viewport().mapToGlobal(place))
        QApplication.sendEvent(person.text.viewport(), event)
        said = html.unescape(QToolTip.text())
        for words in ("Verse", "Code", "Eternity", "probability", "rank", meaning):
            assert words in said
    QToolTip.hideText()


def test_without_any_epoch_the_backbone_speaks(open_window: OpenWindow, project: Path) -> None:
    person = open_window(project)
    assert {token.weights for token in person.generate("abc", new_tokens=5)} == {(1.0,)}
    assert len(person.generate("", new_tokens=5)) == 5


def test_a_prompt_longer_than_the_context_is_refused_and_the_window_goes_on(
    open_window: OpenWindow, trained_project: Path
) -> None:
    person = open_window(trained_project)
    person.prompt.setPlainText("x" * 300)
    person.press("generateButton")
    person.wait(lambda: person.sees_error)

    assert "reads at most 256" in person.banner and "struck out" in person.banner
    person.window.banner.clear()
    assert person.generate("def f", new_tokens=3)


def test_the_theme_changes_while_everything_runs(
    open_window: OpenWindow, trained_project: Path, corpora: dict[str, Path]
) -> None:
    person = open_window(trained_project)
    person.train(corpora["verse"], name="Third", tokens=16_384)
    person.until_step(2)
    person.begin_generating(CODE, new_tokens=100)
    person.wait(lambda: len(person.text.tokens) > len(CODE))
    index = spoken_by(person, 2)
    light = person.background(index)
    person.choose_from_menus("&Dark")

    assert person.window.palette().window().color() == QColor(DARK.window)
    assert light.lightnessF() > 0.6 > person.background(index).lightnessF()
    assert person.window.grab().toImage().pixelColor(2, 400) == QColor(DARK.window)
    person.until_step(person.bar.value() + 2)
    person.choose_from_menus("&Light")
    assert person.background(index) == light
    person.until_generated()
    assert person.states["Third"] == "training"


def test_the_coloured_text_is_exported_as_a_page_of_its_own(
    open_window: OpenWindow, trained_project: Path, tmp_path: Path
) -> None:
    person = open_window(trained_project)
    person.generate(CODE)
    person.press("saveTextButton")
    person.choose_file(tmp_path / "text.html")
    person.wait_without_error(lambda: "Written" in person.banner)
    page = (tmp_path / "text.html").read_text(encoding="utf-8")
    assert "Verse" in page and "Code" in page and "http" not in page.replace("http://www.w3.org", "")
