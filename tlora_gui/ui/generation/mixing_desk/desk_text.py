"""A mixing desk in words."""

from __future__ import annotations

from collections.abc import Sequence

from tlora_gui.engine.protocol.config import MixingDesk
from tlora_gui.engine.protocol.texts import SlotInfo
from tlora_gui.engine.protocol.wording import drawing_order
from tlora_gui.ui.generation.token_view.token_style import share_text
from tlora_gui.ui.translation import tr
from tlora_gui.ui.widgets.formats import localised


def is_silent(desk: MixingDesk, slots: Sequence[SlotInfo]) -> bool:
    """Whether nothing is left that speaks, so that the backbone does."""
    return not any(desk.level(slot.slug) > 0 for slot in slots)


def desk_text(desk: MixingDesk, slots: Sequence[SlotInfo]) -> str:
    """What the desk made of the weights, in one line; empty if it left them alone.

    A manual blend is told in shares that sum to 1, as it was in force.
    """
    if is_silent(desk, slots):
        return tr("Mixing desk: nothing was left, so the backbone spoke")
    parts = [_levels_text(desk, slots)]
    if desk.lock != "manual":
        parts += _silenced(desk, slots)
        if desk.temperature != 1:
            parts.append(tr("temperature {value}").format(value=temperature_text(desk.temperature)))
    if desk.hard:
        parts.append(tr("hard"))
    what = ", ".join(part for part in parts if part)
    return tr("Mixing desk: {what}").format(what=what) if what else ""


def temperature_text(temperature: float) -> str:
    """A temperature of the mixer in two digits or so.

    >>> temperature_text(0.1), temperature_text(0.25), temperature_text(1), temperature_text(10)
    ('0.10', '0.25', '1.0', '10.0')
    """
    return localised(f"{temperature:.2f}" if temperature < 1 else f"{temperature:.1f}")


def _levels_text(desk: MixingDesk, slots: Sequence[SlotInfo]) -> str:
    ordered = [slots[slot] for slot in drawing_order(slots)]
    if desk.lock == "manual":
        total = sum(desk.level(slot.slug) for slot in slots)
        speaking = [(slot.name, desk.level(slot.slug) / total) for slot in ordered if desk.level(slot.slug) > 0]
        return tr("manual, {blend}").format(blend=" · ".join(f"{name} {share_text(share)}" for name, share in speaking))
    if desk.lock == "gain":
        gains = dict(desk.levels)
        turned = [(slot.name, gains[slot.slug]) for slot in ordered if gains.get(slot.slug, 1.0) != 1]
        told = " · ".join(f"{name} × {localised(f'{gain:.2f}')}" for name, gain in turned)
        return tr("gain, {gains}").format(gains=told) if told else ""
    return ""


def _silenced(desk: MixingDesk, slots: Sequence[SlotInfo]) -> list[str]:
    """Who is muted and who alone may speak."""
    words = ((desk.solo, tr("{names} alone")), (desk.muted, tr("{names} muted")))
    named = [(" · ".join(slot.name for slot in slots if slot.slug in slugs), text) for slugs, text in words]
    return [text.format(names=names) for names, text in named if names]
