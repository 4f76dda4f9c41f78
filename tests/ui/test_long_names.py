"""A name of two hundred letters without a space widens nothing, and what says it shows all of it or ends in "…"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import whole_window
from kit import question, shown
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from window_states import turn

from tlora_gui.engine.protocol.events import StoredMixer
from tlora_gui.ui.widgets.layouts import column, label
from tlora_gui.ui.widgets.questions import Choice, ask
from tlora_gui.ui.window import MainWindow

LONG = "W" * 200
MIXERS = (StoredMixer("@1", f"after {LONG}", ("shakespeare",)),)


def least_width(window: MainWindow) -> int:
    """The widest that the window must be, whatever is in front."""
    widths = []
    for dock in window.docks:
        window.raise_dock(dock)
        turn()
        widths.append(window.minimumSizeHint().width())
    return max(widths)


@pytest.fixture
def usual_width(tmp_path: Path, qapp: QApplication) -> int:
    """Least width of the window on a project with short names."""
    with whole_window.whole_window(project=tmp_path) as window:
        window.banner.show_error("It failed.", "Try again.")
        return least_width(window)


@pytest.fixture
def window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    """On a project in which a person named everything at length."""
    epochs = tuple(replace(epoch, name=LONG, era=LONG) for epoch in whole_window.EPOCHS)
    slots = tuple(replace(slot, name=LONG) for slot in whole_window.SLOTS)
    monkeypatch.setattr(whole_window, "EPOCHS", epochs)
    monkeypatch.setattr(whole_window, "SLOTS", slots)
    monkeypatch.setattr(whole_window, "BACKBONE", replace(whole_window.BACKBONE, name=LONG))
    of_short = whole_window.a_project
    monkeypatch.setattr(whole_window, "a_project", lambda path: replace(of_short(path), name=LONG))
    with whole_window.whole_window(project=tmp_path) as shown:
        yield shown


def test_the_window_is_no_wider_for_what_a_banner_says(usual_width: int, window: MainWindow) -> None:
    window.banner.show_error(f"{LONG} could not be saved.", f"Rename {LONG}.")
    assert least_width(window) <= usual_width + 30  # the desk's fader is as wide as its name, up to a bound
    assert window.width() == 1280
    message = window.banner.findChild(QLabel, "bannerMessage")
    assert message is not None and message.text().startswith(LONG)
    assert message.height() >= message.heightForWidth(message.width()) > 2 * message.fontMetrics().height()


def test_every_label_of_the_window_shows_all_or_ends_in_dots(window: MainWindow) -> None:
    window.generation.choose_token(12)
    window.inspector.show_token(window.generation.record.tokens[12], whole_window.SLOTS)
    window.generation.set_slots(whole_window.SLOTS, "gating", MIXERS)
    turn()
    assert whole_window.cut_off_anywhere(window) == []
    assert window.width() == 1280


def test_a_question_shows_every_letter_of_a_name(qapp: QApplication) -> None:
    parent = QWidget()
    shown(parent, 600, 400)
    ask(parent, f"Discard the training of {LONG}?", f"{LONG} is deleted.", (Choice("go", "Discard"),), "Keep", print)
    box = question(parent)
    labels = [found for found in box.findChildren(QLabel) if found.text().count("W") == len(LONG)]
    assert len(labels) == 2 and all(found.minimumSizeHint().width() <= found.width() for found in labels)
    box.close()


def test_a_label_breaks_a_long_word_but_says_what_it_was_given(qapp: QApplication) -> None:
    window = QWidget()
    words = label(LONG, wrap=True)
    window.setLayout(column(words, None))
    shown(window, 400, 400)
    assert window.width() == 400 and words.text() == LONG
    words.setText(f"<b>{LONG}</b>")
    assert words.text() == f"<b>{LONG}</b>"
    for usual in ("Kullback-Leibler-Divergenz", "/home/ada/Documents/Temporal LoRA/Tales & Code", ""):
        words.setText(usual)
        assert QLabel.text(words) == usual
