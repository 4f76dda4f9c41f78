"""Plain data of the engine: events as JSON lines, which epoch dominates, cancel tokens, errors, settings."""

from __future__ import annotations

import errno
import json
import math
from dataclasses import replace

import pytest
from safetensors import SafetensorError

from tlora_gui.engine.projects.records import generation_line, read_generation_line, read_history_line
from tlora_gui.engine.protocol.attribution import dominant_slot, entropy_bits, spans
from tlora_gui.engine.protocol.cancel import CancelMode, CancelToken
from tlora_gui.engine.protocol.config import EPOCH_COLOURS, SamplingSettings, TrainSettings, epoch_colour
from tlora_gui.engine.protocol.errors import Cancelled, TloraError, disk_is_full
from tlora_gui.engine.protocol.events import HeldOut, TrainStep
from tlora_gui.engine.protocol.texts import Alternative, Generation, SlotInfo, TokenEvent
from tlora_gui.engine.storage.event_lines import event_line

STEP = TrainStep("verse", 3, 9, 4.25, 0.125, 0.5, 1e-3, 384, 99.5, 1.25)
HELD_OUT = HeldOut("verse", 3, 4.5, (("verse", 0.75), ("code", 1.0)), (("verse", 0.25),))
PHASE_END = replace(HELD_OUT, losses=(("verse", 4.75), ("code", 3.5)), unprotected_loss=4.625)
TOKENS = tuple(
    TokenEvent(i, 65 + i, text, weights, i == 0, 0.5, 2, (Alternative("A", 0.6, 65), Alternative("\u2028", 0.1)))
    for i, (text, weights) in enumerate([("A\u2028", (0.2, 0.8)), ("\x85é", (0.3, 0.7)), ("日", (0.9, 0.1))])
)
SLOTS = (SlotInfo("", "Eternity", "#888888"), SlotInfo("verse", "Verse", "#0072B2"))
RECORD = Generation('To "code"\r\n\u2028or', "mixer", SamplingSettings(seed=7), SLOTS, TOKENS, "length", 9.5)


@pytest.mark.parametrize("event", [STEP, HELD_OUT, PHASE_END], ids=["step", "measurement", "end of a phase"])
def test_history_survives_a_round_trip(event: TrainStep | HeldOut) -> None:
    assert read_history_line(event_line(event)) == event


def test_measurement_of_an_older_version_has_no_losses_of_the_mix() -> None:
    line = json.loads(event_line(PHASE_END))
    del line["losses"], line["unprotected_loss"]
    assert read_history_line(json.dumps(line)) == HELD_OUT


def test_generation_survives_a_round_trip_as_one_line_whatever_its_characters() -> None:
    line = generation_line(RECORD)
    assert len(line.splitlines()) == 1
    assert read_generation_line(line) == RECORD


@pytest.mark.parametrize("line", ["", "{", "[]", '{"kind": "Other"}', '{"kind": "TrainStep", "step": 1}'])
def test_other_lines_raise_what_readers_expect(line: str) -> None:
    for read in (read_history_line, read_generation_line):
        with pytest.raises((ValueError, KeyError, TypeError)):
            read(line)


def test_dominant_slot_is_the_heaviest() -> None:
    assert dominant_slot((0.2, 0.5, 0.3)) == 1
    assert dominant_slot((0.2, 0.3, 0.5)) == 2
    assert dominant_slot((1.0,)) == 0


@pytest.mark.parametrize("weights", [(0.4, 0.2, 0.4), (0.2, 0.4, 0.4), (0.0, 0.5, 0.5), (1 / 3,) * 3])
def test_no_epoch_is_dominant_where_several_speak_alike(weights: tuple[float, ...]) -> None:
    assert dominant_slot(weights) is None


def test_entropy_is_zero_for_one_speaker_and_log2_for_all_alike() -> None:
    assert entropy_bits((0.0, 1.0)) == 0
    assert entropy_bits((0.25,) * 4) == pytest.approx(2)
    assert entropy_bits((0.9, 0.1)) == pytest.approx(-0.9 * math.log2(0.9) - 0.1 * math.log2(0.1))


def test_spans_join_neighbours_with_one_speaker_and_lose_no_token() -> None:
    tokens = [replace(TOKENS[0], index=i, weights=(1.0 - w, w)) for i, w in enumerate([0.9, 0.8, 0.1, 0.7])]
    found = list(spans(tokens))
    assert [slot for slot, _ in found] == [1, 0, 1]
    assert [token.index for _, run in found for token in run] == [0, 1, 2, 3]


@pytest.mark.parametrize(("first", "second"), [("keep", "discard"), ("discard", "keep"), ("suspend", "discard")])
def test_first_cancel_decides_the_mode(first: CancelMode, second: CancelMode) -> None:
    cancel = CancelToken()
    assert cancel.mode is None
    cancel.raise_if_cancelled()
    cancel.cancel(first)
    cancel.cancel(second)
    assert cancel.mode == first
    with pytest.raises(Cancelled):
        cancel.raise_if_cancelled()


def test_error_says_what_happened_and_what_to_do() -> None:
    assert str(TloraError("It broke.", "Mend it.")) == "It broke. Mend it."
    assert str(TloraError("It broke.")) == "It broke."


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EACCES, "Permission denied"), False),
        (SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"), True),
        (SafetensorError("Error while deserializing header: header too small"), False),
        (ValueError("(os error 28)"), False),
    ],
)
def test_a_full_disk_is_told_from_other_errors(error: Exception, full: bool) -> None:
    assert disk_is_full(error) is full


@pytest.mark.parametrize(
    "wrong",
    [
        {"num_passes": 0}, {"max_tokens": 10}, {"learning_rate": 0.0}, {"mixer_learning_rate": 2.0}, {"batch_size": 0},
        {"block_size": 8}, {"held_out_share": 0.0}, {"held_out_share": 0.6}, {"held_out_tokens": 1}, {"eval_every": 0},
        {"objective": "other"},
    ],
    ids=str,
)  # fmt: skip
def test_training_settings_refuse_nonsense(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        TrainSettings(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [{"max_new_tokens": 0}, {"temperature": -1}, {"top_k": -1}, {"top_p": 0.0}, {"repetition_penalty": 0.5}],
    ids=str,
)
def test_sampling_settings_refuse_nonsense(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SamplingSettings(**wrong)  # type: ignore[arg-type]


def test_colours_of_epochs_begin_anew_after_the_last() -> None:
    assert epoch_colour(len(EPOCH_COLOURS)) == epoch_colour(0) != epoch_colour(1)
