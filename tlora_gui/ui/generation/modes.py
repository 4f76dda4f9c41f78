"""Modes of generation as people read them: the Time Mixer, each slot alone, all at once, mixers of the past."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tlora_gui.engine.protocol.config import AVERAGE_MODE, MIXER_MODE, SUM_MODE
from tlora_gui.engine.protocol.events import StoredMixer
from tlora_gui.engine.protocol.texts import SlotInfo
from tlora_gui.engine.protocol.wording import mode_text
from tlora_gui.ui.formats import human_share
from tlora_gui.ui.translation import tr, worded
from tlora_gui.ui.widgets.strategy_choice import strategy_name


class ModeChoice(NamedTuple):
    """A mode of :class:`~tlora_gui.engine.protocol.jobs.Generate`, its name, colour ("" for none) and meaning."""

    mode: str
    label: str
    colour: str = ""
    meaning: str = ""


def uses_mixer(mode: str) -> bool:
    """Whether a Time Mixer decides, the present one or a stored one; the mixing desk changes no others."""
    return mode == MIXER_MODE or mode.startswith("@")


def blend_text(blend: Iterable[tuple[str, float]]) -> str:
    """A manual blend of (name of a slot, share): "75 % Shakespeare · 25 % Python"."""
    return " · ".join(f"{human_share(share)} {name}" for name, share in blend if share) or tr("Manual mix")


def live_modes(slots: Sequence[SlotInfo], strategy: str) -> list[ModeChoice]:
    """The Time Mixer, every epoch alone, the backbone."""
    alone = [ModeChoice(slot.slug, worded(mode_text(slot.slug, slots)), slot.colour) for slot in slots[1:]]
    mixer = ModeChoice(MIXER_MODE, tr("Time Mixer · {strategy}").format(strategy=strategy_name(strategy)))
    return [mixer, *alone, ModeChoice("", worded(mode_text("", slots)))]


def unmixed_modes(slots: Sequence[SlotInfo]) -> list[ModeChoice]:
    """All epochs at once without a mixer, where there are several."""
    if len(slots) <= 2:
        return []
    meaning = tr("All adapters at once without a mixer, {weight}: the conflict that the Time Mixer settles")
    weights = {SUM_MODE: tr("at weight 1 each"), AVERAGE_MODE: tr("at weight 1/K each")}
    return [
        ModeChoice(mode, worded(mode_text(mode, slots)), "", meaning.format(weight=weight))
        for mode, weight in weights.items()
    ]


def past_modes(mixers: Sequence[StoredMixer]) -> list[ModeChoice]:
    """Mixers of earlier phases, and the one that learned without Active Sleep."""
    meaning = tr("The Time Mixer as it was; epochs that came later are silent")
    return [ModeChoice(mixer.mode, tr("Mixer {name}").format(name=worded(mixer.name)), "", meaning) for mixer in mixers]
