"""Colours of both themes, and how well one can be told from another. Imports neither torch nor Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MIN_CONTRAST, MIN_LINE_CONTRAST = 4.5, 3.0
"""Of text, and of lines and other signs: WCAG 2.2, criteria 1.4.3 and 1.4.11, level AA."""

Rgb = tuple[float, float, float]
"""Red, green and blue in [0, 1], as in sRGB."""


def contrast(one: str | Rgb, other: str | Rgb) -> float:
    """Contrast ratio of two opaque colours, ``#RRGGBB`` or their parts, from 1 to 21 (WCAG 2.2)."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def rgb(colour: str) -> Rgb:
    """The parts of ``#RRGGBB``."""
    return int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255


def _luminance(colour: str | Rgb) -> float:
    parts = rgb(colour) if isinstance(colour, str) else colour
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@dataclass(frozen=True, slots=True, eq=False)
class Theme:
    """Colours of one theme as ``#RRGGBB``. Style sheet, charts and exported pages take theirs from here alone.

    There is one object a theme, known by its identity: formats of tokens are looked up by it.
    """

    name: Literal["light", "dark"]
    window: str
    panel: str
    field: str
    hover: str
    border: str
    grid: str
    text: str
    muted: str
    disabled: str
    accent: str
    accent_hover: str
    link: str
    accent_text: str
    danger: str
    danger_panel: str
    notice_panel: str
    selection: str


LIGHT = Theme(
    name="light",
    window="#F3F4F6",
    panel="#FFFFFF",
    field="#FFFFFF",
    hover="#EEF1F4",
    border="#D9DDE3",
    grid="#E7EAEE",
    text="#1D2127",
    muted="#59616D",
    disabled="#9BA0A7",
    accent="#0067A3",
    accent_hover="#00568A",
    link="#00568A",
    accent_text="#FFFFFF",
    danger="#B42318",
    danger_panel="#FDECEA",
    notice_panel="#EAF3FA",
    selection="#CFE5F5",
)
DARK = Theme(
    name="dark",
    window="#14161A",
    panel="#1B1E24",
    field="#14161A",
    hover="#262A32",
    border="#30353F",
    grid="#282C34",
    text="#E8EAED",
    muted="#A2A9B4",
    disabled="#6C717A",
    accent="#1B77B5",
    accent_hover="#166BA5",
    link="#58A9E3",
    accent_text="#FFFFFF",
    danger="#FF8A80",
    danger_panel="#3A1F1E",
    notice_panel="#1B2D3B",
    selection="#223F56",
)
