"""Coloured text for other programs: exactly what the tokens say, and as a word processor shows it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby

from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QTextCharFormat

from tlora_gui.ui.theme import LIGHT

Piece = tuple[str, QTextCharFormat]

_Underline = QTextCharFormat.UnderlineStyle
_LINES = {
    _Underline.SingleUnderline: "solid",
    _Underline.DashUnderline: "dashed",
    _Underline.DotLine: "dotted",
    _Underline.DashDotLine: "dashed",
    _Underline.DashDotDotLine: "dotted",
    _Underline.WaveUnderline: "wavy",
}
"""CSS knows fewer patterns than there are slots; colours differ there."""


def mime_data(pieces: Sequence[Piece]) -> QMimeData:
    """The pieces as plain text and, with the looks of their formats, as HTML on a light page."""
    data = QMimeData()
    data.setText("".join(text for text, _ in pieces))
    data.setHtml(rich_text(pieces))
    return data


def rich_text(pieces: Sequence[Piece]) -> str:
    """The pieces as one preformatted HTML block with inline styles. Their formats are for the light theme."""
    looks = {id(form): form for _, form in pieces}
    css = {key: _css(form) for key, form in looks.items()}
    page = f"font-family:monospace;white-space:pre-wrap;color:{LIGHT.text};background-color:{LIGHT.panel}"
    runs = groupby(pieces, lambda piece: css[id(piece[1])])
    spans = (_span("".join(text for text, _ in run), style) for style, run in runs)
    return f'<pre style="{page}">{"".join(spans)}</pre>'


def _span(text: str, style: str) -> str:
    # Some programs read no further than to the first NUL.
    return f'<span style="{style}">{escape(text).replace(chr(0), "␀")}</span>'


def _css(form: QTextCharFormat) -> str:
    rules = []
    if form.fontWeight() > QTextCharFormat().fontWeight():
        rules.append("font-weight:600")
    if form.background().style() != Qt.BrushStyle.NoBrush:
        rules.append(f"color:{LIGHT.text};background-color:{form.background().color().name()}")
    if line := _LINES.get(form.underlineStyle()):
        # In three parts: old readers of CSS know the first alone.
        colour = form.underlineColor().name()
        rules.append(f"text-decoration:underline;text-decoration-style:{line};text-decoration-color:{colour}")
    return ";".join(rules)
