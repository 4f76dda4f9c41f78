"""A label whose lines end within a word, too, where that is longer than any line: a person may name things so."""

from __future__ import annotations

import re

from PySide6.QtGui import Qt
from PySide6.QtWidgets import QLabel

_LONG_WORD = re.compile(r"[^\s/\\]{31,}")
"""Longer than any word of the window's own; paths end lines at their slashes."""
_WITHIN = re.compile(r"(?<=\S)(?=\w)")
_MAY_BREAK = "\N{ZERO WIDTH SPACE}"


class WrappedLabel(QLabel):
    """As wide as its longest word, up to some thirty letters."""

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self._text = ""
        self.setWordWrap(True)
        self.setText(text)

    def text(self) -> str:
        return self._text

    def setText(self, text: str) -> None:
        self._text = text
        rich = self.textFormat() != Qt.TextFormat.PlainText and Qt.mightBeRichText(text)
        super().setText(text if rich else breakable(text))

    def clear(self) -> None:
        self.setText("")


def breakable(text: str) -> str:
    """A text that can be broken within its long words."""
    return _LONG_WORD.sub(lambda word: _WITHIN.sub(_MAY_BREAK, word[0]), text)
