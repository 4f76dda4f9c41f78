"""A text with its colours, legend and mix as one picture, to be shared."""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path

from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import (
    QAbstractTextDocumentLayout,
    QColor,
    QFont,
    QImage,
    QPainter,
    QPainterPath,
    QPalette,
    QPen,
    QTextBlockFormat,
    QTextCursor,
    QTextDocument,
    QTextOption,
)
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QWidget

from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.mix_picture import HEIGHT, WIDTH, stacked_areas
from tlora_gui.engine.protocol.texts import Generation
from tlora_gui.engine.protocol.wording import mode_text
from tlora_gui.ui.generation.token_view.legend import Legend
from tlora_gui.ui.generation.token_view.swatch import token_format
from tlora_gui.ui.generation.token_view.token_style import ColourMode, token_style
from tlora_gui.ui.generation.token_view.token_text import STAND_INS
from tlora_gui.ui.theme import SIZES, Theme, mono_font, sans_font
from tlora_gui.ui.translation import filled, tr, worded

PIXEL_RATIO = 2
_EDGE, _GAP, RIBBON_HEIGHT, _LINE = 36, 20, 72, 22
TALLEST_TEXT = 44 * _LINE
_LONGEST_TEXT = 20_000
"""Characters that are laid out at most: more than fit in any case."""


def render(
    record: Generation,
    theme: Theme,
    width: int = 900,
    mode: ColourMode = "dominant",
    slot: int = 0,
    backbone: str = "",
) -> QImage:
    """The record as a picture of ``width`` x its own height in logical pixels, drawn at twice as many.

    Args:
        mode, slot: what the colour of a token means, as in the token view.
        backbone: its name, for the last line.
    """
    inner = width - 2 * _EDGE
    text, left_out = lay_out(record, theme, inner, mode, slot)
    legend = _legend(record, theme, inner, mode, slot)
    tops, height = [_EDGE], 0
    for part in (
        _title_height(record),
        text.size().height(),
        _LINE * bool(left_out),
        legend.height(),
        RIBBON_HEIGHT,
        _LINE,
    ):
        height = round(tops[-1] + part)
        tops.append(height + (_GAP if part else 0))
    image = QImage(width * PIXEL_RATIO, (height + _EDGE) * PIXEL_RATIO, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(PIXEL_RATIO)
    image.fill(QColor(theme.panel))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _words(
        painter,
        QRectF(_EDGE, tops[0], inner, _LINE),
        record.name,
        theme.text,
        sans_font(SIZES["heading"]),
        QFont.Weight.DemiBold,
    )
    _draw_text(painter, QPointF(_EDGE, tops[1]), text, theme)
    if left_out:
        more = tr("… 1 more token") if left_out == 1 else filled(tr("… {count} more tokens"), count=left_out)
        _words(painter, QRectF(_EDGE, tops[2] - _GAP / 2, inner, _LINE), more, theme.muted, sans_font())
    legend.render(painter, QPoint(_EDGE, tops[3]), renderFlags=QWidget.RenderFlag.DrawChildren)
    _ribbon(painter, QRectF(_EDGE, tops[4], inner, RIBBON_HEIGHT), record)
    _footer(painter, QRectF(_EDGE, tops[5], inner, _LINE), record, theme, backbone)
    painter.end()
    return image


def save(image: QImage, path: str | Path) -> None:
    """Write a picture in the format that the path's ending names.

    Raises:
        TloraError: the picture could not be written there.
    """
    if not image.save(str(path)):
        raise TloraError(
            tr("The picture could not be written to {path}.").format(path=path),
            tr("Choose another place, and a name that ends in .png."),
        )


# -- the text -------------------------------------------------------------------------------------------------------


def lay_out(
    record: Generation, theme: Theme, width: int, mode: ColourMode = "dominant", slot: int = 0
) -> tuple[QTextDocument, int]:
    """The coloured text, cut after the last line that has room; and how many tokens were left out."""
    document = QTextDocument()
    document.setDocumentMargin(0)
    document.setDefaultFont(mono_font())
    wrapping = QTextOption()
    wrapping.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    document.setDefaultTextOption(wrapping)
    document.setTextWidth(width)
    cursor = QTextCursor(document)
    line = QTextBlockFormat()
    line.setLineHeight(_LINE, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
    cursor.setBlockFormat(line)
    starts: list[int] = []
    for token in record.tokens:
        if cursor.position() > _LONGEST_TEXT:
            break
        starts.append(cursor.position())
        style = token_style(token, record.slots, mode, slot)
        cursor.insertText(token.text.translate(STAND_INS), token_format(style, theme, token.is_prompt))
    cut = _first_position_below(document, TALLEST_TEXT)
    shown = len(starts)
    if cut is not None:
        shown = bisect_right(starts, cut - 1)
        cursor.setPosition(cut)
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
    while document.blockCount() > 1 and document.lastBlock().length() == 1:  # no empty lines at the end
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.deletePreviousChar()
    return document, len(record.tokens) - shown


def _draw_text(painter: QPainter, corner: QPointF, text: QTextDocument, theme: Theme) -> None:
    context = QAbstractTextDocumentLayout.PaintContext()
    palette = QPalette()
    palette.setColor(QPalette.ColorRole.Text, QColor(theme.text))
    context.palette = palette
    painter.save()
    painter.translate(corner)
    text.documentLayout().draw(painter, context)
    painter.restore()


def _first_position_below(document: QTextDocument, height: int) -> int | None:
    """Where the first line begins that does not fit into this height; None if all do."""
    if document.size().height() <= height:
        return None
    block = document.begin()
    while block.isValid():
        top = document.documentLayout().blockBoundingRect(block).top()
        for number in range(block.layout().lineCount()):
            line = block.layout().lineAt(number)
            if top + line.y() + _LINE > height:
                return max(0, block.position() + line.textStart() - (number == 0))
        block = block.next()
    return None


# -- what stands around it ------------------------------------------------------------------------------------------


def _legend(record: Generation, theme: Theme, width: int, mode: ColourMode, slot: int) -> Legend:
    legend = Legend()
    legend.setFont(sans_font())
    legend.apply_theme(theme)
    legend.set_colour_mode(mode, slot)
    legend.set_slots(record.slots)
    legend.resize(width, legend.heightForWidth(width))
    return legend


def _title_height(record: Generation) -> int:
    return _LINE if record.name else 0


def _words(
    painter: QPainter,
    area: QRectF,
    text: str,
    colour: str,
    font: QFont,
    weight: QFont.Weight = QFont.Weight.Normal,
    flags: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
) -> None:
    font.setWeight(weight)
    painter.setFont(font)
    painter.setPen(QColor(colour))
    shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, round(area.width()))
    painter.drawText(area, flags | Qt.AlignmentFlag.AlignVCenter, shown)


def _ribbon(painter: QPainter, area: QRectF, record: Generation) -> None:
    """The mix over the text, with round corners."""
    areas = stacked_areas(record.tokens, [slot.colour for slot in record.slots])
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">{areas}</svg>'
    corners = QPainterPath()
    corners.addRoundedRect(area, 6, 6)
    painter.save()
    painter.setClipPath(corners)
    QSvgRenderer(svg.encode()).render(painter, area)
    painter.restore()


def _footer(painter: QPainter, area: QRectF, record: Generation, theme: Theme, backbone: str) -> None:
    painter.setPen(QPen(QColor(theme.border), 1))
    painter.drawLine(area.topLeft(), area.topRight())
    below = area.adjusted(0, 8, 0, 8)
    _words(
        painter,
        below,
        tr("Temporal LoRA"),
        theme.text,
        sans_font(SIZES["caption"]),
        QFont.Weight.DemiBold,
        Qt.AlignmentFlag.AlignRight,
    )
    below.setRight(below.right() - 120)
    _words(painter, below, footer_text(record, backbone), theme.muted, sans_font(SIZES["caption"]))


def footer_text(record: Generation, backbone: str = "") -> str:
    """How the text came about, in one line."""
    tokens = len(record.tokens)
    count = tr("1 token") if tokens == 1 else filled(tr("{count} tokens"), count=tokens)
    if record.ended == "read":
        parts = [backbone, tr("text read, not generated"), count]
    else:
        parts = [
            backbone,
            worded(mode_text(record.mode, record.slots)),
            tr("seed {seed}").format(seed=record.sampling.seed),
            count,
        ]
    return " · ".join(part for part in parts if part)
