"""How a slot is drawn: the format of its tokens, and swatches that look like them."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QIcon, QPainter, QPen, QPixmap, QTextCharFormat, QTextLayout

from tlora_gui.engine.protocol.config import BACKBONE_COLOUR
from tlora_gui.engine.protocol.texts import SlotInfo
from tlora_gui.ui.generation.token_view.token_style import PLAIN, TokenStyle
from tlora_gui.ui.palette import as_text, token_background, underline_of
from tlora_gui.ui.theme import Theme, mono_font

SWATCH_WIDTH = 24
_SWATCH_TEXT = "\N{NO-BREAK SPACE}" * 3


@lru_cache(maxsize=4096)
def token_format(style: TokenStyle, theme: Theme, is_prompt: bool = False, is_marked: bool = False) -> QTextCharFormat:
    """Character format of a token: background and underline of its style.

    The prompt's tokens are semi-bold; marked ones are slanted. The format is shared: not to be changed.
    """
    form = QTextCharFormat()
    if is_marked:
        form.setFontItalic(True)
    if is_prompt:
        form.setFontWeight(QFont.Weight.DemiBold)
    if style.colour:
        background = token_background(style.colour, style.strength, QColor(theme.panel), QColor(theme.text))
        form.setBackground(background)
        form.setUnderlineStyle(underline_of(style.slot))
        form.setUnderlineColor(as_text(style.colour, background, QColor(theme.text)))
    return form


def slot_style(slot: int, info: SlotInfo, strength: float = 0.85) -> TokenStyle:
    """Look of a token whose dominant slot this is."""
    return TokenStyle(info.colour, strength, slot) if slot else PLAIN


def paint_swatch(
    painter: QPainter, left: float, middle: float, style: TokenStyle, theme: Theme, width: float = SWATCH_WIDTH
) -> None:
    """Draw a small piece of text in ``style``; if that has no colour, a frame in the backbone's."""
    if not style.colour:
        pen = QPen(QColor(BACKBONE_COLOUR), 3)
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        painter.setPen(pen)
        painter.drawRect(QRectF(left + 1.5, round(middle) - 6.5, width - 3, 13))
        return
    layout = QTextLayout(_SWATCH_TEXT, mono_font())
    layout.beginLayout()
    line = layout.createLine()
    layout.endLayout()
    whole = QTextLayout.FormatRange()
    whole.start, whole.length, whole.format = 0, len(_SWATCH_TEXT), token_format(style, theme)
    painter.save()
    painter.translate(left, middle - line.height() / 2)
    painter.scale(width / line.naturalTextWidth(), 1)
    layout.draw(painter, QRectF().topLeft(), [whole])
    painter.restore()


def dot_icon(colour: str) -> QIcon:
    """A slot's colour beside its name in a choice; none for ""."""
    if not colour:
        return QIcon()
    pixmap = QPixmap(12, 12)
    pixmap.fill(QColor(colour))
    return QIcon(pixmap)
