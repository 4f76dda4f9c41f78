"""What the engine says keeps its template and values, also when it was stored or raised."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from tlora_gui.engine.projects.epoch_folder import read_facts, training_note, write_facts
from tlora_gui.engine.protocol.config import TrainSettings
from tlora_gui.engine.protocol.errors import cause
from tlora_gui.engine.protocol.events import EpochInfo
from tlora_gui.engine.protocol.sentences import Sentence, commas, message_of, say
from tlora_gui.engine.storage.disk import first_line
from tlora_gui.temporal.config import Refusal


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


def test_long_words_of_others_are_cut_to_a_line() -> None:
    assert first_line(ValueError("one\n" * 9)) == "one"
    assert len(first_line(ValueError("x" * 9000))) == 301


def test_the_systems_reasons_are_sentences_where_they_are_frequent() -> None:
    assert isinstance(cause(OSError(errno.EACCES, "Zugriff verweigert")), Sentence)
    assert cause(OSError(errno.EXDEV, "Invalid cross-device link")) == "Invalid cross-device link"
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
