"""Long paragraphs of a streamed text, divided so that appending to them stays cheap.

Qt lays a paragraph (a block of the document) out anew, whole, with every change in it: a paragraph of 100,000 tokens
would hold the window up for a tenth of a second with each of them.
"""

from __future__ import annotations

from PySide6.QtGui import QTextBlock, QTextBlockFormat, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit

LONGEST_PARAGRAPH = 1000
"""Characters."""


def divide_paragraphs(edit: QPlainTextEdit, first: QTextBlock) -> list[int]:
    """Divide what is too long, from a block on, where its lines wrap now, so that nothing moves on screen.

    Returns:
        Text positions as they were, in order; one character (a block's end) now stands before each.
    """
    cuts: list[int] = []
    block = first
    while block.isValid():
        if block.length() > LONGEST_PARAGRAPH:
            cuts += _cuts(edit, block)
        block = block.next()
    if cuts:
        cursor = QTextCursor(edit.document())
        cursor.beginEditBlock()
        for cut in reversed(cuts):
            cursor.setPosition(cut)
            cursor.insertBlock(QTextBlockFormat(), QTextCharFormat())
        cursor.endEditBlock()
        _lay_out(edit, edit.document().findBlock(cuts[0] - 1))
    return cuts


def _lay_out(edit: QPlainTextEdit, block: QTextBlock) -> None:
    """From a block on. Qt counts a block as one line until then, so scroll bar and text in sight would jump."""
    while block.isValid():
        edit.blockBoundingRect(block)
        block = block.next()


def _cuts(edit: QPlainTextEdit, block: QTextBlock) -> list[int]:
    """Starts of lines, half the longest paragraph apart."""
    edit.blockBoundingRect(block)  # lays it out
    layout, since = block.layout(), 0
    cuts = []
    for number in range(layout.lineCount()):
        start = layout.lineAt(number).textStart()
        if start - since >= LONGEST_PARAGRAPH // 2:
            cuts.append(block.position() + start)
            since = start
    return cuts
