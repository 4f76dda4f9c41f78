"""Streamed text for screen readers: phrase by phrase, for nobody can follow it token by token."""

from __future__ import annotations

import re
from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QWidget

_WAIT_MS = 1500
_SENTENCE = re.compile(r"[.!?…][\"'”’)\]]*(?=\s)|[。！？]|\n")
_MANY_WORDS = re.compile(r"(?:\S+\s+){12}")


class Announcer:
    """Collects text and says it in phrases: to the end of a sentence or line, twelve words, or what has come in 1.5 s.

    Args:
        widget: on whose behalf phrases are announced.
        say: takes each phrase; by default the system's screen reader does, politely, if there is one.
        wait_ms: how long an unfinished phrase waits for more.
    """

    def __init__(self, widget: QWidget, say: Callable[[str], None] | None = None, wait_ms: int = _WAIT_MS) -> None:
        self._widget = widget
        self._say = say
        self._waiting = ""
        self._timer = QTimer(widget, singleShot=True, interval=wait_ms)
        self._timer.timeout.connect(self.flush)

    def add(self, text: str) -> None:
        """More of the text."""
        if self._say is None and not QAccessible.isActive():
            return
        self._waiting += text
        while cut := _phrase_end(self._waiting):
            self._announce(self._waiting[:cut])
            self._waiting = self._waiting[cut:]
            self._timer.stop()
        if self._waiting and not self._timer.isActive():
            self._timer.start()

    def flush(self) -> None:
        """Say what waits: no more comes, or not soon."""
        self._timer.stop()
        waiting, self._waiting = self._waiting, ""
        self._announce(waiting)

    def clear(self) -> None:
        """Forget what waits."""
        self._timer.stop()
        self._waiting = ""

    def _announce(self, phrase: str) -> None:
        if phrase := phrase.strip():
            (self._say or self._to_screen_reader)(phrase)

    def _to_screen_reader(self, phrase: str) -> None:
        event = QAccessibleAnnouncementEvent(self._widget, phrase)
        event.setPoliteness(QAccessible.AnnouncementPoliteness.Polite)
        QAccessible.updateAccessibility(event)


def _phrase_end(text: str) -> int:
    """Length of the first whole phrase, 0 if there is none yet."""
    ends = [found.end() for found in (_SENTENCE.search(text), _MANY_WORDS.search(text)) if found]
    return min(ends, default=0)
