"""The line under a text: how many tokens, how fast, how it ended."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QElapsedTimer
from PySide6.QtWidgets import QLabel, QWidget

from tlora_gui.engine.protocol.texts import Generation, TokenEvent
from tlora_gui.ui.formats import localised
from tlora_gui.ui.translation import filled


class GenerationStats(QLabel):
    """Counts the tokens that are new, those of a branch's parent left out."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "muted")
        self.setObjectName("generationFooter")
        self._clock = QElapsedTimer()
        self._first = self._new = 0

    def begin(self, first: int) -> None:
        """Tokens follow; those before ``first`` are another text's."""
        self._first, self._new = first, 0
        self.setText(self.tr("Reading the prompt…"))

    def add(self, tokens: Sequence[TokenEvent]) -> None:
        """Count tokens as they come."""
        fresh = sum(not token.is_prompt and token.index >= self._first for token in tokens)
        if fresh and self._new == 0:
            self._clock.start()
        self._new += fresh
        if self._new:
            self.setText(self._summary(self._new, self._speed()))

    def finish(self, record: Generation) -> None:
        """Show the final statistics."""
        if record.ended == "read":
            self.setText(filled(self.tr("{count} tokens read"), count=len(record.tokens)))
            return
        ended = {
            "length": self.tr("length limit"),
            "end of text": self.tr("end of text"),
            "stopped": self.tr("stopped"),
        }[record.ended]
        self.setText(f"{self._summary(self._new, record.tokens_per_second)} · {ended}")

    def _speed(self) -> float:
        # The clock starts with the first new token, so that one is not counted.
        seconds = self._clock.nsecsElapsed() / 1e9
        return (self._new - 1) / seconds if seconds > 0.2 else 0.0

    def _summary(self, tokens: int, speed: float) -> str:
        text = self.tr("1 token") if tokens == 1 else filled(self.tr("{count} tokens"), count=tokens)
        return (
            self.tr("{tokens} · {speed} tokens/s").format(tokens=text, speed=localised(f"{speed:.1f}"))
            if speed > 0
            else text
        )
