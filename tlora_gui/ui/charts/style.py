"""How a curve looks: colours that stay visible in both themes, pens, numbers as text."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPen

from tlora_gui.engine.protocol.colours import MIN_LINE_CONTRAST
from tlora_gui.ui.formats import localised
from tlora_gui.ui.palette import blend, contrast
from tlora_gui.ui.theme import Theme


@dataclass(frozen=True, slots=True)
class LineStyle:
    """Looks and names of one curve.

    Attributes:
        name: the epoch.
        series: what of it, such as "held-out".
        colour: the epoch's own; adapted to the theme when drawn.
        dashed, faint, dots: dashed line; thin and half transparent; a dot at every point.
        ring: a circle around every point.
        listed: named in the readout and in saved data.
    """

    name: str
    series: str
    colour: str
    dashed: bool = False
    faint: bool = False
    dots: bool = False
    ring: bool = False
    listed: bool = True


def line_colour(colour: str, theme: Theme) -> QColor:
    """``colour`` moved towards the text colour just far enough to be seen on the panel."""
    panel, share = QColor(theme.panel), 0.0
    mixed = QColor(colour)
    while contrast(mixed, panel) < MIN_LINE_CONTRAST and share < 1:
        share += 0.04
        mixed = blend(QColor(colour), QColor(theme.text), share)
    return mixed


def line_pen(style: LineStyle, theme: Theme) -> QPen:
    """The pen of a curve; its width is in pixels at any zoom."""
    colour = line_colour(style.colour, theme)
    if style.faint:
        colour.setAlphaF(0.4)
    pen = QPen(colour, 1.0 if style.faint or style.dots else 1.5)
    pen.setCosmetic(True)
    if style.dashed:
        pen.setDashPattern([4, 3])
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    return pen


def number(value: float) -> str:
    """A loss or share, short enough for a readout."""
    if not math.isfinite(value):
        return str(value)
    return localised(f"{value:.3f}" if value == 0 or abs(value) >= 0.005 else f"{value:.1e}")
