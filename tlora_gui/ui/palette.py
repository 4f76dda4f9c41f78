"""Colours of epochs on screen: strength by weight, contrast kept, and a second cue for those who don't see colour."""

from __future__ import annotations

from PySide6.QtGui import QColor, QTextCharFormat

from tlora_gui.engine.protocol import colours
from tlora_gui.engine.protocol.colours import MIN_CONTRAST

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


def contrast(one: QColor, other: QColor) -> float:
    """Contrast ratio of two opaque colours, from 1 to 21."""
    first, second = ((each.redF(), each.greenF(), each.blueF()) for each in (one, other))
    return colours.contrast(first, second)


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
