"""What the engine says keeps its template and values, also when it was stored or raised."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tlora_gui.engine.projects.epoch_folder import read_facts, training_note, write_facts
from tlora_gui.engine.protocol.config import TrainSettings
from tlora_gui.engine.protocol.errors import cause
from tlora_gui.engine.protocol.events import EpochInfo
from tlora_gui.engine.protocol.sentences import Sentence, commas, message_of, say
from tlora_gui.engine.storage.disk import first_line
from tlora_gui.temporal.config import MixerSettings, Refusal, SleepSettings


def test_values_are_numbers_strings_and_sentences() -> None:
    inner = say("binary, not text")
    said = say("{path}: {reason} ({share:.0%})", path=Path("a"), reason=ValueError(inner), share=0.25)
    assert said == "a: binary, not text (25%)"
    assert said.values == {"path": "a", "reason": inner, "share": 0.25}
    assert isinstance(said.values["reason"], Sentence)


def test_a_sentence_without_values_is_its_template() -> None:
    said = say("no {field} here")
    assert (said, said.template, said.values) == ("no {field} here", "no {field} here", {})


def test_commas_join_parts_that_can_be_sentences() -> None:
    assert commas(["a"]) == "a"
    assert commas(["a", say("b"), "c"]) == "a, b, c"


def test_an_error_of_the_method_is_told_as_a_sentence() -> None:
    refusal = Refusal("the weights in {folder} are damaged: {error}", folder=Path("x"), error=OSError("cut"))
    assert str(refusal) == "the weights in x are damaged: cut"
    said = message_of(refusal)
    assert isinstance(said, Sentence) and said.values == {"folder": "x", "error": "cut"}
    assert isinstance(first_line(refusal), Sentence)
    assert type(message_of(ValueError("plain"))) is str


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"num_passes": 0}, "num_passes must be a whole number from 1 to 2147483647"),
        ({"learning_rate": float("nan")}, "learning_rate must be a finite number"),
        ({"learning_rate": 10**400}, "learning_rate must be a finite number"),
        ({"learning_rate": "1"}, "learning_rate must be a finite number"),
        ({"learning_rate": 0}, "learning_rate must be above 0"),
        ({"learning_rate": -1.0}, "learning_rate must be above 0"),
        ({"held_out_share": 0.75}, "held_out_share must be at most 0.5"),
        ({"compare_unprotected": 1}, "compare_unprotected must be True or False"),
    ],
)
def test_a_setting_out_of_its_range_is_refused_with_a_sentence(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError) as refused:
        TrainSettings(**changes)
    said = message_of(refused.value)
    assert isinstance(said, Sentence) and said == str(refused.value) == told


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: MixerSettings(smoothing=1), "smoothing must be below 1"),
        (lambda: SleepSettings(sleep_weight=-0.5), "sleep_weight must be at least 0"),
        (lambda: MixerSettings("voting"), "unknown mixer strategy 'voting'; known: ('gating', 'routing', 'attention')"),
        (
            lambda: SleepSettings(source="air"),
            "unknown memory source 'air'; known: ('features', 'dreams', 'features-without-text')",
        ),
    ],
)
def test_settings_of_the_method_are_refused_with_a_sentence_too(make: Callable[[], Any], told: str) -> None:
    with pytest.raises(ValueError) as refused:
        make()
    said = message_of(refused.value)
    assert isinstance(said, Sentence) and said == told


def test_long_words_of_others_are_cut_to_a_line() -> None:
    assert first_line(ValueError("one\n" * 9)) == "one"
    assert len(first_line(ValueError("x" * 9000))) == 301


def test_the_systems_reasons_are_sentences_where_they_are_frequent() -> None:
    assert isinstance(cause(OSError(errno.EACCES, "Zugriff verweigert")), Sentence)
    assert cause(OSError(errno.EXDEV, "Invalid cross-device link")) == "Invalid cross-device link"
    assert isinstance(cause(OSError(errno.EXDEV, "Invalid cross-device link")), Sentence)
    rare = cause(OSError(errno.EMLINK, "Too many links"))
    assert isinstance(rare, Sentence) and rare == f"Too many links (system error {errno.EMLINK})"
    assert cause(OSError("odd")) == "odd"
    assert isinstance(first_line(FileNotFoundError(errno.ENOENT, "No such file", "/a/b.json")), Sentence)


@pytest.mark.parametrize(
    ("stopped", "compared", "note"),
    [
        (None, True, ""),
        ((1200, 2400), True, "stopped after 1200 of 2400 steps"),
        (None, False, "not compared with a training without Active Sleep, which the joint objective does not allow"),
        (
            (1, 2),
            False,
            "stopped after 1 of 2 steps; "
            "not compared with a training without Active Sleep, which the joint objective does not allow",
        ),
    ],
)
def test_a_stored_note_is_a_sentence_again(
    tmp_path: Path, stopped: tuple[int, int] | None, compared: bool, note: str
) -> None:
    info = EpochInfo("verse", "Verse", "", "#0072B2", "frozen", note=training_note(stopped, compared=compared))
    write_facts(tmp_path, info, TrainSettings())
    again = read_facts(tmp_path)[0]
    assert again == info and again.note == note
    assert isinstance(again.note, Sentence) == bool(note)


@pytest.mark.parametrize("note", ["stopped after 5 of 9 steps, they say", "not compared", "of old"])
def test_a_note_in_other_words_stays_as_it_is(tmp_path: Path, note: str) -> None:
    info = EpochInfo("verse", "Verse", "", "#0072B2", "frozen", note=note)
    write_facts(tmp_path, info, TrainSettings())
    again = read_facts(tmp_path)[0].note
    assert again == note and type(again) is str
