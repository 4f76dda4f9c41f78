"""A training beside what else goes on in the window: its preparation, a text that goes first, the wish to close."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from kit import child, question, said
from PySide6.QtWidgets import QProgressBar
from whole_window import EPOCHS, whole_window

from tlora_gui.engine.protocol.events import (
    EpochsChanged,
    GenerationStarted,
    JobDone,
    Progress,
    TrainStarted,
    TrainStep,
)
from tlora_gui.engine.protocol.jobs import Generate, ResumeEpoch, TrainEpoch
from tlora_gui.ui.window import MainWindow

SEA = replace(EPOCHS[2], slug="sea", name="Sea shanties", state="training")
STEP = TrainStep("sea", 1, 40, 4.0, 0.1, 0.2, 1e-3, 512, 500.0, 95.0)


@pytest.fixture
def window(tmp_path: Path) -> Iterator[MainWindow]:
    with whole_window("light", tmp_path) as made:
        yield made


def begin(window: MainWindow, job: TrainEpoch | ResumeEpoch) -> int:
    """A training that has the engine's word that it goes on."""
    window.controller.training.train(job)
    (number,) = window.controller.training.jobs
    return number


def answers(window: MainWindow) -> set[str]:
    window.close()
    return {button.text() for button in question(window).buttons()}


def test_before_its_first_step_a_training_can_only_be_discarded(window: MainWindow) -> None:
    number = begin(window, TrainEpoch("Sea shanties", paths=("/texts",)))
    window.client.receive([(number, TrainStarted(SEA, 40, 0))])
    assert answers(window) == {"Discard", "Go on training"}
    assert question(window).informativeText() == "Nothing is learned yet, so nothing can be kept."


def test_after_a_step_what_is_learned_can_be_kept(window: MainWindow) -> None:
    number = begin(window, TrainEpoch("Sea shanties", paths=("/texts",)))
    window.client.receive([(number, TrainStarted(SEA, 40, 0)), (number, STEP)])
    assert answers(window) == {"Resume later", "Keep what is learned", "Discard", "Go on training"}


def test_what_an_interrupted_epoch_had_learned_can_be_kept_at_once(window: MainWindow) -> None:
    begin(window, ResumeEpoch("milton"))
    assert answers(window) == {"Resume later", "Keep what is learned", "Discard", "Go on training"}


def test_a_preparation_shows_how_far_it_is(window: MainWindow) -> None:
    number = begin(window, TrainEpoch("Sea shanties", paths=("/texts",)))
    bar = child(window, "progressBar", QProgressBar)
    window.client.receive([(number, Progress("Remembering the dreams for later sleep", 24, 96, "blocks"))])
    assert "Remembering the dreams for later sleep · 24 of 96 blocks" in said(window.epochs)
    assert bar.value() / bar.maximum() == 0.25
    window.client.receive([(number, Progress("Reading the corpus"))])
    assert bar.maximum() == 0, "a bar whose end is not known runs to and fro"


def test_a_training_says_that_it_waits_while_text_is_written(window: MainWindow) -> None:
    number = begin(window, TrainEpoch("Sea shanties", paths=("/texts",)))
    window.client.receive(
        [(number, EpochsChanged((*EPOCHS, SEA), (), ())), (number, TrainStarted(SEA, 40, 0)), (number, STEP)]
    )
    assert "1:35 left" in said(window.epochs)
    window.controller.generating.generate(Generate("To code", ""))
    text = window.controller.generating.job_id
    assert text is not None
    window.client.receive([(text, GenerationStarted("To code", "", Generate("", "").sampling, ()))])
    assert "Waits while text is written" in said(window.epochs)
    window.client.receive([(text, JobDone(text))])
    assert "Waits while text is written" not in said(window.epochs)
    assert "1:35 left" in said(window.epochs)
