"""A typed prompt is continued in coloured text that tells, token by token, who spoke."""

from __future__ import annotations

import json

import pytest
from person import Person
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QColor, QHelpEvent, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QToolTip, QWidget

from tlora_gui.engine.attribution import dominant_slot
from tlora_gui.ui.generation.inspector import TokenInspector
from tlora_gui.ui.generation.legend import Legend
from tlora_gui.ui.theme import DARK, LIGHT

SPOKEN = "def f_1(x, y=1):\n    return [x ** y for _ in range(1)]"


def footer(person: Person) -> str:
    return person.see(QLabel, "generationFooter").text()


def inspected(person: Person) -> list[str]:
    """Texts that the inspector shows."""
    labels = person.see(TokenInspector, "tokenInspector").findChildren(QLabel)
    return [label.text() for label in labels if label.isVisible()]


def middle_of(person: Person, index: int) -> QPoint:
    """Where a token of the text is drawn."""
    cursor = QTextCursor(person.text.document())
    start, end = person.text.span(index)
    cursor.setPosition(start)
    left = person.text.cursorRect(cursor)
    cursor.setPosition(end)
    return QPoint((left.x() + person.text.cursorRect(cursor).x()) // 2, left.center().y())


def spoken_by(person: Person, slot: int) -> int:
    """First token, with text, that this slot dominates."""
    tokens = enumerate(person.text.tokens)
    return next(index for index, token in tokens if token.text.strip() and dominant_slot(token.weights) == slot)


def test_ctrl_enter_streams_tokens_and_colours_them_by_their_dominant_epoch(open_window, trained_project):
    person = open_window(trained_project)
    person.begin_generating(SPOKEN, new_tokens=60)
    person.wait(lambda: len(person.text.tokens) > len(SPOKEN) + 3)
    assert person.window.controller.generation is not None, "it came all at once"
    person.wait(lambda: person.window.controller.generation is None)
    person.look("generated")

    tokens = person.text.tokens
    assert "".join(token.text for token in tokens).startswith(SPOKEN)
    assert person.text.toPlainText() == "".join(token.text for token in tokens)
    assert all(sum(token.weights) == pytest.approx(1, abs=1e-4) and len(token.weights) == 3 for token in tokens)
    assert [token.is_prompt for token in tokens] == [True] * len(SPOKEN) + [False] * 60
    panel = QColor(LIGHT.panel)
    speakers = {dominant_slot(token.weights) for token in tokens}
    assert 2 in speakers
    for index, token in enumerate(tokens):
        background = person.background(index)
        coloured = background.isValid() and background != panel
        assert coloured == (dominant_slot(token.weights) != 0 and bool(token.text)) or not token.text
    assert footer(person).startswith("60 tokens · ") and footer(person).endswith("ended: length")


def test_each_epoch_has_its_own_colour_and_the_legend_names_it(open_window, trained_project):
    person = open_window(trained_project)
    person.generate("O gentle night, that hides" + SPOKEN)

    verse, code = person.background(spoken_by(person, 1)), person.background(spoken_by(person, 2))
    assert verse != code
    legend = person.window.findChild(Legend)
    assert legend is not None and legend.isVisible()
    assert legend.accessibleDescription() == "Verse, Code, Eternity (uncoloured)"
    person.look("two-colours")


def test_the_same_seed_gives_the_same_text_again(open_window, trained_project):
    person = open_window(trained_project)
    first = [token.token_id for token in person.generate("def f")]
    assert [token.token_id for token in person.generate("def f")] == first


def test_esc_stops_and_keeps_the_text(open_window, trained_project):
    person = open_window(trained_project)
    person.begin_generating("O gentle", new_tokens=200)
    person.wait(lambda: len(person.text.tokens) > 12)
    assert person.see(QAbstractButton, "stopGenerationButton").isVisible()
    QTest.keyClick(person.prompt, Qt.Key.Key_Escape)
    person.wait(lambda: person.window.controller.generation is None)

    assert footer(person).endswith("ended: stopped") and 12 < len(person.text.tokens) < 200
    assert person.see(QAbstractButton, "generateButton").isEnabled()
    assert person.text.toPlainText().startswith("O gentle")


def test_a_new_generation_can_follow_a_stopped_one_at_once(open_window, trained_project):
    person = open_window(trained_project)
    person.begin_generating("O gentle", new_tokens=200)
    person.wait(lambda: len(person.text.tokens) > 12)
    person.press("stopGenerationButton")
    person.wait(lambda: person.window.controller.generation is None)
    assert len(person.generate("def f", new_tokens=5)) == 10


@pytest.mark.parametrize(("mode", "weights"), [("verse", (0, 1, 0)), ("code", (0, 0, 1)), ("", (1, 0, 0))])
def test_a_single_slot_speaks_alone(open_window, trained_project, mode, weights):
    person = open_window(trained_project)
    tokens = person.generate("def f", mode=mode, new_tokens=8)

    assert {token.weights for token in tokens} == {tuple(map(float, weights))}
    colours = {person.background(index).name() for index, token in enumerate(tokens) if token.text}
    assert len(colours) == 1
    assert person.see(QComboBox, "modeCombo").currentData() == mode


def test_activating_a_card_chooses_that_epoch_alone(open_window, trained_project):
    from tlora_gui.ui.epochs.card_list import CardList

    person = open_window(trained_project)
    cards = person.see(CardList, "epochList")
    cards.setFocus()
    cards.setCurrentRow(2)
    QTest.keyClick(cards, Qt.Key.Key_Return)
    assert person.see(QComboBox, "modeCombo").currentText() == "Code alone"


def test_hovering_a_token_shows_its_mix_in_the_inspector(open_window, trained_project):
    person = open_window(trained_project)
    person.generate(SPOKEN)
    index = 10
    QTest.mouseMove(person.text.viewport(), middle_of(person, index))

    token = person.text.tokens[index]
    shown = inspected(person)
    assert f"“{token.text}”" in shown and f"rank\N{NO-BREAK SPACE}{token.rank}" in " ".join(shown)
    mix = next(
        widget for widget in person.window.findChildren(QWidget) if widget.accessibleName() == "Mix of this token"
    )
    assert mix.accessibleDescription().startswith(f"Verse {token.weights[1]:.2f}"[:8])
    assert [part.split()[0] for part in mix.accessibleDescription().split(", ")] == ["Verse", "Code", "Eternity"]
    person.look("inspected")


def test_arrow_keys_walk_through_the_tokens(open_window, trained_project):
    person = open_window(trained_project)
    tokens = person.generate("def f")
    person.text.setFocus()
    QTest.keyClick(person.text, Qt.Key.Key_Home)
    assert "“d”" in inspected(person)
    QTest.keyClick(person.text, Qt.Key.Key_Right)
    assert "“e”" in inspected(person) and person.text.current == 1
    QTest.keyClick(person.text, Qt.Key.Key_End)
    assert tokens[person.text.current].text and person.text.current >= len(tokens) - 3


def test_the_tooltip_says_who_spoke_and_which_mix_that_was(open_window, trained_project):
    person = open_window(trained_project)
    person.generate(SPOKEN)
    for index, expected in ((10, "this prompt token's own mix"), (len(SPOKEN) + 1, "in force when this token was")):
        index = next(i for i in range(index, len(person.text.tokens)) if person.text.tokens[i].text.strip())
        place = middle_of(person, index)
        event = QHelpEvent(QEvent.Type.ToolTip, place, person.text.viewport().mapToGlobal(place))
        QApplication.sendEvent(person.text.viewport(), event)
        for words in ("Verse", "Code", "Eternity", "probability", "rank", expected):
            assert words in QToolTip.text()
    QToolTip.hideText()


def test_generating_without_any_epoch_is_the_backbone(open_window, project):
    person = open_window(project)
    assert {token.weights for token in person.generate("abc", new_tokens=5)} == {(1.0,)}
    assert {token.weights for token in person.generate("", new_tokens=5)} == {(1.0,)}


def test_a_prompt_longer_than_the_context_is_refused_and_the_window_goes_on(open_window, trained_project):
    person = open_window(trained_project)
    person.prompt.setPlainText("x" * 300)
    person.press("generateButton")
    person.wait(lambda: person.banner_is_error)

    assert "reads at most 256" in person.banner and "Shorten the prompt" in person.banner
    person.window.banner.clear()
    assert person.generate("def f", new_tokens=3)


def test_the_theme_changes_while_everything_runs(open_window, trained_project, corpora):
    person = open_window(trained_project)
    person.train(corpora["verse"], name="Third", tokens=16_384)
    person.until_step(2)
    person.begin_generating(SPOKEN, new_tokens=100)
    person.wait(lambda: len(person.text.tokens) > len(SPOKEN))
    index = spoken_by(person, 2)
    light = person.background(index)
    actions = {action.data(): action for action in person.window.themes.parent().findChildren(type(None)) or ()}
    del actions
    choose_theme(person, "&Dark")
    assert person.window.palette().window().color() == QColor(DARK.window)
    dark = person.background(index)
    assert light.lightnessF() > 0.6 > dark.lightnessF()
    step = person.bar.value()
    person.until_step(step + 2)
    person.look("dark")
    choose_theme(person, "&Light")
    assert person.background(index) == light
    person.wait(lambda: person.window.controller.generation is None)
    assert person.states()["Third"] == "training"


def choose_theme(person: Person, name: str) -> None:
    from PySide6.QtGui import QAction

    next(action for action in person.window.findChildren(QAction) if action.text() == name).trigger()


def test_the_text_is_exported_as_a_page_of_its_own(open_window, trained_project, tmp_path):
    from PySide6.QtWidgets import QFileDialog, QLineEdit

    person = open_window(trained_project)
    person.generate(SPOKEN)
    person.press("exportHtmlButton")
    dialog = person.window.findChild(QFileDialog)
    assert dialog is not None
    person.see(QLineEdit, "fileNameEdit", dialog).setText(str(tmp_path / "text.html"))
    dialog.accept()
    person.wait(lambda: "Written" in person.banner)
    page = (tmp_path / "text.html").read_text(encoding="utf-8")
    assert "Verse" in page and "Code" in page and "<script src" not in page


def test_a_finished_generation_is_kept_in_the_project(open_window, trained_project):
    person = open_window(trained_project)
    person.generate("O night", new_tokens=6)
    lines = (trained_project / "generations.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[-1])["prompt"] == "O night"
