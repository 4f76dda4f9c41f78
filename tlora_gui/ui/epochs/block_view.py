"""A corpus as the model sees it: its first blocks, token by token."""

from __future__ import annotations

from bisect import bisect_right

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QFont, QHelpEvent, QMouseEvent, QPalette, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QToolTip, QWidget

from tlora_gui.engine.protocol.events import BlocksPreviewed, TokenPiece
from tlora_gui.ui.formats import human_share
from tlora_gui.ui.generation.token_view.token_geometry import position_at
from tlora_gui.ui.generation.token_view.token_style import visible_text
from tlora_gui.ui.generation.token_view.token_text import STAND_INS
from tlora_gui.ui.palette import blend
from tlora_gui.ui.translation import filled
from tlora_gui.ui.widgets.layouts import column, label
from tlora_gui.ui.widgets.plain_text import PlainText

_LINES = 10
_SIGNS = STAND_INS | {ord(" "): "·", ord("\n"): "⏎\n", ord("\r"): "⏎", ord("\t"): "⇥"}
_TOLD = 24
"""Tokens that a screen reader is told at once."""


class _Tokens(PlainText):
    """Tokens side by side, every other one tinted; ``starts`` are their text positions."""

    def __init__(self, view: BlockView) -> None:
        super().__init__(_LINES)
        self._view = view
        self.starts: list[int] = []
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setMouseTracking(True)

    def token_at(self, position: int) -> int:
        """Index of the token that is there, -1 for none."""
        return bisect_right(self.starts, position) - 1 if position >= 0 else -1

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self._view.tell(self.token_at(position_at(self, event.position().toPoint())))

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            fact = self._view.fact(self.token_at(position_at(self, event.pos())))
            QToolTip.showText(event.globalPos(), fact, self.viewport())
            return True
        return super().viewportEvent(event)


class BlockView(QWidget):
    """Blocks of tokens, what the one under the pointer or the cursor is, and how much of the text is unknown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._blocks: tuple[tuple[TokenPiece, ...], ...] = ()
        self._places: list[tuple[int, int]] = []
        self._tokens = _Tokens(self)
        self._tokens.setObjectName("blockTokens")
        self._tokens.setAccessibleName(self.tr("The first blocks, token by token"))
        self._tokens.setToolTip(self.tr("The first blocks, token by token"))
        self._tokens.cursorPositionChanged.connect(self._cursor_moved)
        self._fact = label("", "caption")
        self._fact.setObjectName("blockTokenFact")
        self._unknown = label("", "caption", wrap=True)
        self._unknown.setObjectName("unknownShare")
        for text in (self._fact, self._unknown):
            text.setTextFormat(Qt.TextFormat.PlainText)
        self.setLayout(column(self._tokens, self._fact, self._unknown, spacing=4))
        self.show_looking()

    def show_looking(self) -> None:
        """The engine reads the beginning."""
        self._blocks = ()
        self._render()
        self._unknown.setText(self.tr("Reading the first blocks…"))

    def show_blocks(self, preview: BlocksPreviewed) -> None:
        """The beginning of the text to train on."""
        self._blocks = preview.blocks
        self._render()
        self._unknown.setText(
            self.tr("Every character is known to the backbone.")
            if not preview.unknown
            else self.tr("Not known to the backbone: {share} of this text.").format(share=human_share(preview.unknown))
        )
        told = (f"{visible_text(piece.text)} {piece.id}" for block in self._blocks for piece in block if not piece.ends)
        some = [text for text, _ in zip(told, range(_TOLD), strict=False)]
        self._tokens.setAccessibleDescription(self.tr("Tokens and their ids: {tokens}").format(tokens=", ".join(some)))

    def fact(self, index: int) -> str:
        """What a token is, in one line; empty for none."""
        if not 0 <= index < len(self._places):
            return ""
        block, place = self._places[index]
        piece = self._blocks[block][place]
        what = self.tr("end of the document") if piece.ends else f"“{visible_text(piece.text)}”"
        return filled(
            self.tr("{token} · id {id} · token {place} of block {block}"),
            token=what,
            id=str(piece.id),
            place=place + 1,
            block=block + 1,
        )

    def tell(self, index: int) -> None:
        """Say what a token is."""
        if fact := self.fact(index):
            self._fact.setText(fact)

    def _cursor_moved(self) -> None:
        self.tell(self._tokens.token_at(self._tokens.textCursor().position()))

    def _render(self) -> None:
        self._tokens.blockSignals(True)
        self._tokens.clear()
        self._tokens.starts, self._places = [], []
        colours = self.palette()
        muted = colours.color(QPalette.ColorRole.PlaceholderText)
        base, text = colours.color(QPalette.ColorRole.Base), colours.color(QPalette.ColorRole.Text)
        tints = (blend(base, text, 0.05), blend(base, colours.color(QPalette.ColorRole.Accent), 0.2))
        cursor = QTextCursor(self._tokens.document())
        cursor.beginEditBlock()
        for number, block in enumerate(self._blocks):
            title = filled(self.tr("Block {number} · {count} tokens"), number=number + 1, count=len(block))
            cursor.insertText(("\n\n" if number else "") + title + "\n", _format(muted))
            for place, piece in enumerate(block):
                self._places.append((number, place))
                self._tokens.starts.append(cursor.position())
                self._insert(cursor, piece, tints[len(self._places) % 2], text, muted)
        cursor.endEditBlock()
        self._tokens.moveCursor(QTextCursor.MoveOperation.Start)
        self._tokens.blockSignals(False)
        self._fact.setText(self.tr("Point at a token, or walk to it with the arrow keys.") if self._blocks else "")

    def _insert(self, cursor: QTextCursor, piece: TokenPiece, tint: QColor, text: QColor, muted: QColor) -> None:
        if piece.ends:
            cursor.insertText("■ " + self.tr("end of the document"), _format(text, tint, bold=True))
            cursor.insertText("\n", QTextCharFormat())
            return
        for sign in piece.text:
            shown = sign.translate(_SIGNS)
            cursor.insertText(shown[:1], _format(muted if shown != sign else text, tint))
            if shown[1:]:
                cursor.insertText(shown[1:], QTextCharFormat())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._blocks:
            self._render()


def _format(colour: QColor, tint: QColor | None = None, *, bold: bool = False) -> QTextCharFormat:
    form = QTextCharFormat()
    form.setForeground(colour)
    if tint is not None:
        form.setBackground(tint)
    if bold:
        form.setFontWeight(QFont.Weight.DemiBold)
    return form
