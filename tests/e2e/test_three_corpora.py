"""Three corpora dropped at once, paused, sampled, left and taken up again, end as if nothing had happened."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from kit import click
from person import Corpora, OpenWindow, Person
from PySide6.QtWidgets import QAbstractButton, QSpinBox

NAMES = ("Verse", "Code", "Prose")
STEPS = 16


@pytest.fixture
def three(corpora: Corpora, tmp_path: Path) -> list[Path]:
    """Folders of plays in verse, of code, and of prose: what this repository says of itself."""
    prose = tmp_path / "prose"
    prose.mkdir()
    for text in Path(__file__).parents[2].glob("*.md"):
        shutil.copy(text, prose)
    return [corpora["verse"], corpora["code"], prose]


def train_each(person: Person, folders: list[Path]) -> None:
    dialog = person.drop(*folders)
    click(dialog, "oneEpochEach")
    person.see(QSpinBox, "blockSizeSpin", dialog).setValue(32)
    person.see(QSpinBox, "tokensSpin", dialog).setValue(STEPS * 128)
    person.wait(person.start_button.isEnabled)
    person.press("startTrainingButton", dialog)


def losses(person: Person) -> dict[str, list[float]]:
    """Every curve of the three, by chart and epoch."""
    found = {}
    for slug in map(str.lower, NAMES):
        person.wait(lambda slug=slug: len(person.curve("distillChart", slug)[1]) == STEPS)
        for chart in ("lossChart", "distillChart"):
            found[f"{chart} {slug}"] = person.curve(chart, slug)[1].tolist()
    return found


def test_pauses_samples_and_a_new_start_change_no_bit_of_what_is_learned(
    open_window: OpenWindow, project: Path, three: list[Path], tmp_path: Path
) -> None:
    undisturbed = open_window(Path(shutil.copytree(project, tmp_path / "undisturbed")))
    train_each(undisturbed, three)
    undisturbed.until_trained(*NAMES)
    expected = losses(undisturbed)
    undisturbed.close()

    person = open_window(project)
    train_each(person, three)
    person.until_step(3)
    person.press("pauseButton")
    assert len(person.generate("O gentle ", mode="verse")) > 9, "the half-trained epoch speaks"
    assert person.see(QAbstractButton, "pauseButton").text() == "Resume"
    person.press("pauseButton")
    person.wait(lambda: person.states == {"Verse": "frozen", "Code": "training"})
    person.until_step(3)
    person.window.close()
    person.answer("suspendButton")
    person.until_closed()

    again = open_window(project)
    assert again.states == {"Verse": "frozen", "Code": "interrupted"}
    again.press("resumeButton", again.card("Code"))
    again.until_trained(*NAMES)
    assert losses(again) == expected
