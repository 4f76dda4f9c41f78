"""Colours of an exported page in its two themes, such that text stays readable on every epoch at every weight."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tlora_gui.engine.protocol.config import BACKBONE_COLOUR
from tlora_gui.engine.protocol.texts import SlotInfo

TEXT_CONTRAST, LINE_CONTRAST = 4.5, 3.0
"""WCAG 2.2, criteria 1.4.3 and 1.4.11, level AA."""


@dataclass(frozen=True, slots=True)
class PageTheme:
    """A theme's colours as ``#RRGGBB``; ``share`` is how much of an epoch's colour a token has at weight 1."""

    scheme: str
    page: str
    panel: str
    text: str
    muted: str
    line: str
    accent: str
    share: float


LIGHT = PageTheme("light", "#F3F4F6", "#FFFFFF", "#1D2127", "#59616D", "#D9DDE3", "#0067A3", 0.62)
DARK = PageTheme("dark", "#14161A", "#1B1E24", "#E8EAED", "#A2A9B4", "#30353F", "#56A8DC", 0.62)


def theme_rules(theme: PageTheme, slots: Sequence[SlotInfo]) -> str:
    """A theme as CSS custom properties.

    For slot 1 these are ``--m1``, the share of its colour at weight 1, and ``--u1``, the colour of its underline.
    """
    said = [f"color-scheme: {theme.scheme}"]
    said += [f"--{name}: {getattr(theme, name)}" for name in ("page", "panel", "text", "muted", "line", "accent")]
    for index, slot in enumerate(slots[1:], 1):
        colour = slot_colour(slot)
        share = readable_share(colour, theme)
        said += [f"--m{index}: {share:.0%}", f"--u{index}: {_line_colour(colour, share, theme)}"]
    return "; ".join(said)


def slot_colour(slot: SlotInfo) -> str:
    """Its colour, or the backbone's if that is none."""
    return slot.colour if re.fullmatch("#[0-9A-Fa-f]{6}", slot.colour) else BACKBONE_COLOUR


def readable_share(colour: str, theme: PageTheme) -> float:
    """The largest share of a colour in a token's background, in whole percent, up to which its text can be read."""
    percent = 0
    while percent < 100 * theme.share:
        if contrast(theme.text, mix(colour, theme.panel, (percent + 1) / 100)) < TEXT_CONTRAST:
            break
        percent += 1
    return percent / 100


def _line_colour(colour: str, share: float, theme: PageTheme) -> str:
    """The colour moved towards the text's until it is told from the strongest background, and from none."""
    backgrounds = (theme.panel, mix(colour, theme.panel, share))
    steps = (mix(theme.text, colour, step / 20) for step in range(20))
    readable = (each for each in steps if all(contrast(each, below) >= LINE_CONTRAST for below in backgrounds))
    return next(readable, theme.text)


def mix(above: str, below: str, share: float) -> str:
    """``color-mix(in srgb, above share, below)``."""
    pairs = zip(_channels(above), _channels(below), strict=True)
    return "#" + "".join(f"{round(below + (above - below) * share):02X}" for above, below in pairs)


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, from 1 to 21 (WCAG 2.2)."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4
        for share in (channel / 255 for channel in _channels(colour))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
