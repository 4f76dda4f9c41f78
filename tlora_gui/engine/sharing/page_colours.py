"""Colours of an exported page in its two themes, such that text stays readable on every epoch at every weight."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tlora_gui.engine.protocol.colours import MIN_CONTRAST, MIN_LINE_CONTRAST, Theme, contrast, rgb
from tlora_gui.engine.protocol.config import BACKBONE_COLOUR
from tlora_gui.engine.protocol.texts import SlotInfo

_STRONGEST = 0.62
"""How much of an epoch's colour a token has at weight 1, if its text can be read then."""


def theme_rules(theme: Theme, slots: Sequence[SlotInfo]) -> str:
    """A theme as CSS custom properties.

    For slot 1 these are ``--m1``, the share of its colour at weight 1, and ``--u1``, the colour of its underline.
    """
    rules = [f"color-scheme: {theme.name}", f"--page: {theme.window}", f"--panel: {theme.panel}"]
    rules += [f"--text: {theme.text}", f"--muted: {theme.muted}", f"--line: {theme.border}", f"--accent: {theme.link}"]
    for index, slot in enumerate(slots[1:], 1):
        colour = slot_colour(slot)
        share = readable_share(colour, theme)
        rules += [f"--m{index}: {share:.0%}", f"--u{index}: {_line_colour(colour, share, theme)}"]
    return "; ".join(rules)


def slot_colour(slot: SlotInfo) -> str:
    """Its colour, or the backbone's if that is none."""
    return slot.colour if re.fullmatch("#[0-9A-Fa-f]{6}", slot.colour) else BACKBONE_COLOUR


def readable_share(colour: str, theme: Theme) -> float:
    """The largest share of a colour in a token's background, in whole percent, up to which its text can be read."""
    percent = 0
    while percent < 100 * _STRONGEST:
        if contrast(theme.text, mix(colour, theme.panel, (percent + 1) / 100)) < MIN_CONTRAST:
            break
        percent += 1
    return percent / 100


def _line_colour(colour: str, share: float, theme: Theme) -> str:
    """The colour moved towards the text's until it differs enough from the strongest background, and from none."""
    backgrounds = (theme.panel, mix(colour, theme.panel, share))
    steps = (mix(theme.text, colour, step / 20) for step in range(20))
    readable = (each for each in steps if all(contrast(each, below) >= MIN_LINE_CONTRAST for below in backgrounds))
    return next(readable, theme.text)


def mix(above: str, below: str, share: float) -> str:
    """``color-mix(in srgb, above share, below)``."""
    pairs = zip(rgb(above), rgb(below), strict=True)
    return "#" + "".join(f"{round(255 * (below + (above - below) * share)):02X}" for above, below in pairs)
