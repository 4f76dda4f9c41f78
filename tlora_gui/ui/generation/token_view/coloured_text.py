"""Tokens shown as text, each with its own colours, appended and recoloured in place."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby

from PySide6.QtGui import QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QWidget

from tlora_gui.engine.protocol.texts import SlotInfo, TokenEvent
from tlora_gui.ui.generation.token_view.paragraphs import divide_paragraphs
from tlora_gui.ui.generation.token_view.swatch import token_format
from tlora_gui.ui.generation.token_view.token_geometry import positions_in_sight
from tlora_gui.ui.generation.token_view.token_style import ColourMode, TokenStyle, token_style
from tlora_gui.ui.generation.token_view.token_text import STAND_INS, TokenText
from tlora_gui.ui.theme import LIGHT, Theme
from tlora_gui.ui.widgets.plain_text import PageText
from tlora_gui.ui.widgets.turns import Turns

_STRENGTH_LEVELS = 16
_RECOLOURED_AT_ONCE = 250
"""Tokens that get new formats in one piece of the work: some 3 ms."""


class ColouredText(PageText):
    """Read-only text of one generation. Control characters are shown as visible signs, one for each.

    Attributes:
        mixer: name of the mixer whose weights are shown, if one was asked about the finished text; else "".
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("text", parent)
        self._theme = LIGHT
        self._mode: ColourMode = "dominant"
        self._chosen_slot = 0
        self._slots: tuple[SlotInfo, ...] = ()
        self._text = TokenText()
        self.mixer = ""
        self._marks: set[int] = set()
        self._stale = bytearray()  # 1 for every token that waits for its new format
        self._recolouring = Turns(self)
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.document().setDocumentMargin(6)

    @property
    def tokens(self) -> Sequence[TokenEvent]:
        """What is shown, in order."""
        return self._text.tokens

    @property
    def slots(self) -> tuple[SlotInfo, ...]:
        """Slots of the generation that is shown."""
        return self._slots

    def span(self, index: int) -> tuple[int, int]:
        """Text positions of a token. One without text shares the span of the token that completes its character."""
        return self._text.span(index)

    def selected_text(self) -> str:
        """Exactly what the tokens say where text is selected."""
        cursor = self.textCursor()
        return "".join(text for _, text in self._text.pieces(cursor.selectionStart(), cursor.selectionEnd()))

    def find_all(self, wanted: str, since: int = 0) -> Iterator[list[tuple[int, int]]]:
        """Text positions of ``wanted`` in what the tokens say; see :meth:`TokenText.find`. Ends early if the text is
        emptied."""
        text = self._text
        for hits in text.find(wanted, since):
            if text is not self._text:
                return
            yield hits

    # -- what to show ---------------------------------------------------------------------------------------

    def reset(self, slots: tuple[SlotInfo, ...]) -> None:
        """Start an empty text whose tokens mix these slots."""
        self._slots = slots
        self._text = TokenText()
        self.mixer = ""
        self._marks.clear()
        self._stale.clear()
        self._recolouring.stop()
        self.clear()

    def add_tokens(self, tokens: Sequence[TokenEvent]) -> None:
        """Append; keeps the end in sight only if it was in sight before, and a selection as it was."""
        bar = self.verticalScrollBar()
        scrolled, at_end = bar.value(), bar.value() >= bar.maximum()
        selection = self.textCursor()
        anchor, position = selection.anchor(), selection.position()
        would_grow = anchor != position and max(anchor, position) == self._text.end
        cursor = QTextCursor(self.document())
        cursor.setPosition(self._text.end)
        first, new = cursor.block(), len(self._text.tokens)
        for token in tokens:
            self._text.append(token)
        self._stale += bytes(len(tokens))
        cursor.beginEditBlock()
        for form, alike in groupby(range(new, len(self._text.tokens)), self._format_of):
            cursor.insertText("".join(self._text.tokens[index].text for index in alike).translate(STAND_INS), form)
        cursor.endEditBlock()
        if would_grow:
            self.select(anchor, position)
            bar.setValue(scrolled)
        self._text.cut(divide_paragraphs(self, first))
        if at_end:
            bar.setValue(bar.maximum())

    def replace_tokens(self, tokens: Sequence[TokenEvent], mixer: str = "") -> None:
        """Give the same texts other weights, those of :attr:`mixer`; text, selection and scroll position stay.

        Raises:
            ValueError: the texts are not those shown.
        """
        if [token.text for token in tokens] != [token.text for token in self._text.tokens]:
            raise ValueError("replace_tokens takes the texts that are shown")
        self._text.tokens, self.mixer = list(tokens), mixer
        self.recolour()

    def set_colour_mode(self, mode: ColourMode, slot: int = 0) -> None:
        """Choose what colour means; ``slot`` is the one whose weight the mode "weight" shows."""
        if (mode, slot) != (self._mode, self._chosen_slot):
            self._mode, self._chosen_slot = mode, slot
            self.recolour()

    def set_marks(self, indices: Collection[int], first: int = 0, last: int | None = None) -> None:
        """Slant these tokens, and no other from ``first`` to ``last`` (left out)."""
        changed = self._marks.intersection(range(first, len(self.tokens) if last is None else last)) ^ set(indices)
        if changed:
            self._marks ^= changed
            for index in changed:
                self._stale[index] = 1
            self._recolouring.begin(self._recolour_stale())

    def apply_theme(self, theme: Theme) -> None:
        """Use a theme's colours from now on."""
        self._theme = theme
        self.recolour()

    # -- colours --------------------------------------------------------------------------------------------

    def recolour(self) -> None:
        """Give every token its format anew, in place: text, selection and scroll position stay.

        What is in sight comes first; the rest of a long text follows, a part in each turn of the event loop.
        """
        self._stale = bytearray(b"\1") * len(self.tokens)
        self._recolouring.begin(self._recolour_stale())

    def _recolour_stale(self) -> Iterator[None]:
        while (first := self._first_stale()) >= 0:
            last = 1 + self._stale.rfind(1, first, first + _RECOLOURED_AT_ONCE)
            self._recolour_tokens(first, last)
            self._stale[first:last] = bytes(last - first)
            yield

    def _first_stale(self) -> int:
        """The first token in sight that waits for its format, or else anywhere; -1 if none does."""
        first, last = (bisect_right(self._text.starts, position) for position in positions_in_sight(self))
        in_sight = self._stale.find(1, max(0, first - 1), last)
        return in_sight if in_sight >= 0 else self._stale.find(1)

    def _recolour_tokens(self, first: int, last: int) -> None:
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        shown = [index for index, token in enumerate(self._text.tokens[first:last], first) if token.text]
        for form, alike in groupby(shown, self._format_of):
            run = list(alike)
            cursor.setPosition(self._text.starts[run[0]])
            cursor.setPosition(self.span(run[-1])[1], QTextCursor.MoveMode.KeepAnchor)
            cursor.setCharFormat(form)
        cursor.endEditBlock()

    def _format_of(self, index: int) -> QTextCharFormat:
        return self._format_in(self._theme, self._text.tokens[index], index in self._marks)

    def _format_in(self, theme: Theme, token: TokenEvent, is_marked: bool = False) -> QTextCharFormat:
        style = token_style(token, self._slots, self._mode, self._chosen_slot)
        style = TokenStyle(style.colour, round(style.strength * _STRENGTH_LEVELS) / _STRENGTH_LEVELS, style.slot)
        return token_format(style, theme, token.is_prompt, is_marked)

    # -- positions ------------------------------------------------------------------------------------------

    def reveal(self, position: int) -> None:
        """Scroll to a text position; nothing is selected then."""
        self.select(position, position)

    def select(self, anchor: int, position: int) -> None:
        """Select the text from one position to another, and scroll there."""
        cursor = self.textCursor()
        cursor.setPosition(anchor)
        cursor.setPosition(position, QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)
