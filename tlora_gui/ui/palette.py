"""Colours of epochs on screen: strength by weight, contrast kept, and a second cue for those who don't see colour."""

from __future__ import annotations

from PySide6.QtGui import QColor, QTextCharFormat

MIN_CONTRAST = 4.5
"""WCAG 2.2 criterion 1.4.3, level AA."""

_Underline = QTextCharFormat.UnderlineStyle
_UNDERLINES = (
    _Underline.SingleUnderline,
    _Underline.DashUnderline,
    _Underline.DotLine,
    _Underline.DashDotLine,
    _Underline.DashDotDotLine,
    _Underline.WaveUnderline,
)


def underline_of(slot: int) -> QTextCharFormat.UnderlineStyle:
    """Underline pattern of a slot; the backbone (0) has none."""
    return _Underline.NoUnderline if slot == 0 else _UNDERLINES[(slot - 1) % len(_UNDERLINES)]


def luminance(colour: QColor) -> float:
    """Relative luminance in [0, 1] (WCAG 2.2)."""

    def linear(channel: float) -> float:
        return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4

    return 0.2126 * linear(colour.redF()) + 0.7152 * linear(colour.greenF()) + 0.0722 * linear(colour.blueF())


def contrast(one: QColor, other: QColor) -> float:
    """Contrast ratio of two opaque colours, from 1 to 21 (WCAG 2.2)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def blend(below: QColor, above: QColor, share: float) -> QColor:
    """Opaque mix of two colours, ``share`` of it ``above``."""
    return QColor.fromRgbF(
        below.redF() + (above.redF() - below.redF()) * share,
        below.greenF() + (above.greenF() - below.greenF()) * share,
        below.blueF() + (above.blueF() - below.blueF()) * share,
    )


def token_background(colour: str, weight: float, panel: QColor, text: QColor) -> QColor:
    """Background of a token whose dominant slot has ``colour`` at ``weight``, readable under ``text``."""
    share = 0.12 + 0.5 * max(0.0, min(1.0, weight))
    background = blend(panel, QColor(colour), share)
    while contrast(background, text) < MIN_CONTRAST and share > 0:
        share -= 0.02
        background = blend(panel, QColor(colour), max(share, 0.0))
    return background


def readable_on(background: QColor) -> QColor:
    """Black or white, whichever reads better on ``background``."""
    black, white = QColor("#000000"), QColor("#ffffff")
    return black if contrast(background, black) >= contrast(background, white) else white


def as_text(colour: str, panel: QColor, towards: QColor) -> QColor:
    """``colour`` moved towards the text colour until it reads as text on ``panel``."""
    share = 0.0
    mixed = QColor(colour)
    while contrast(mixed, panel) < MIN_CONTRAST and share < 1:
        share += 0.05
        mixed = blend(QColor(colour), towards, share)
    return mixed
