"""Finding words in the text: every hit marked, one of them the current."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QColor, QKeyEvent, QKeySequence, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QTextEdit, QToolButton, QWidget

from tlora_gui.ui.generation.token_view.coloured_text import ColouredText
from tlora_gui.ui.generation.token_view.token_geometry import positions_in_sight
from tlora_gui.ui.palette import blend
from tlora_gui.ui.theme import LIGHT, Theme
from tlora_gui.ui.translation import filled
from tlora_gui.ui.widgets.icons import icon
from tlora_gui.ui.widgets.turns import Turns

_SEARCH_AGAIN_MS = 250
_MARK_SHARE = 0.35
"""How much of the text's colour is behind a hit: grey, for every other colour is an epoch's."""
_LONGEST_SEED = 100
"""Characters of a selection that are taken over as what to find."""


class FindBar(QWidget):
    """Finds in ``text`` while one types, and while text streams in. Hidden until :meth:`open`.

    Enter, Shift+Enter and F3 go from hit to hit, F3 from within the text too; Esc goes back to the text.
    """

    def __init__(self, text: ColouredText, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = text
        self._theme = LIGHT
        self._hits: list[tuple[int, int]] = []
        self._current = 0
        self._listening = False
        self._whole = True  # whether all hits are known
        self._searching = Turns(self)
        self._again = QTimer(self, singleShot=True, interval=_SEARCH_AGAIN_MS)
        self._again.timeout.connect(self._search_again)
        self.setObjectName("findBar")
        self._edit = QLineEdit()
        self._edit.setAcceptDrops(False)  # files are left to the window
        self._edit.setObjectName("findEdit")
        self._edit.setAccessibleName(self.tr("Find in the text"))
        self._edit.setPlaceholderText(self.tr("Find in the text"))
        self._edit.setToolTip(self.tr("What to find; capitals count only if there are any here"))
        self._count = QLabel()
        self._count.setObjectName("findCount")
        self._count.setProperty("role", "muted")
        self._steps = (
            _button("findPreviousButton", "up", self.tr("Previous hit (Shift+Enter)"), self.find_previous),
            _button("findNextButton", "down", self.tr("Next hit (Enter)"), self.find_next),
        )
        close = _button("findCloseButton", "close", self.tr("Back to the text (Esc)"), self.leave)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self._edit, 1)
        for widget in (self._count, *self._steps, close):
            row.addWidget(widget)
        self._edit.textChanged.connect(self._search)
        self.hide()

    def open(self) -> None:
        """Show the bar, ready to type; what is selected in the text is searched for."""
        selected = self._text.selected_text()
        if selected and "\n" not in selected and len(selected) <= _LONGEST_SEED:
            self._edit.setText(selected)
        self.show()
        self._listen(True)
        self._edit.setFocus()
        self._edit.selectAll()
        self._search()

    def leave(self) -> None:
        """Hide the bar and go back to the text, the current hit selected."""
        if self._hits:
            self._text.select(*self._hits[self._current])
        self.hide()
        self._listen(False)
        self._searching.stop()
        self._text.setExtraSelections([])
        self._text.setFocus()

    def _listen(self, wanted: bool) -> None:
        """Follow what happens to the text; while hidden, that would slow every token down for nothing."""
        if wanted == self._listening:
            return
        self._listening = wanted
        for signal, slot in (
            (self._text.textChanged, self._search_soon),
            (self._text.verticalScrollBar().valueChanged, self._mark),
        ):
            (signal.connect if wanted else signal.disconnect)(slot)
        (self._text.installEventFilter if wanted else self._text.removeEventFilter)(self)

    def find_next(self) -> None:
        """Go to the next hit, after the last to the first."""
        self._go_to(self._current + 1)

    def find_previous(self) -> None:
        """Go to the hit before, from the first to the last."""
        self._go_to(self._current - 1)

    def apply_theme(self, theme: Theme) -> None:
        """Use a theme's colours from now on."""
        self._theme = theme
        self._mark()

    # -- searching ------------------------------------------------------------------------------------------

    def _search(self) -> None:
        """Find anew, and go to the first hit from the text's cursor on."""
        self._hits, self._current = [], 0
        self._searching.begin(self._find(self._text.textCursor().selectionStart()))

    def _find(self, since: int) -> Iterator[None]:
        gone = self._whole = False
        for number, hits in enumerate(self._text.find_all(self._edit.text(), since)):
            if number:
                yield
            place = bisect_left(self._hits, hits[0]) if hits else 0
            self._hits[place:place] = hits
            if gone:
                self._current += len(hits) if place <= self._current else 0
            elif hits:
                gone = True
                self._go_to(bisect_left(self._hits, (since, 0)))
        self._whole = True
        if gone:
            self._mark()
        else:
            self._go_to(0)

    def _search_soon(self) -> None:
        if self.isVisible() and not self._again.isActive():
            self._again.start()

    def _search_again(self) -> None:
        if self._searching.busy:
            self._again.start()
        else:
            self._searching.begin(self._find_again())

    def _find_again(self) -> Iterator[None]:
        """The text has changed: find anew, but go nowhere."""
        found: list[tuple[int, int]] = []
        for number, hits in enumerate(self._text.find_all(self._edit.text())):
            if number:
                yield
            found += hits
        before = self._hits[self._current : self._current + 1] or [(0, 0)]
        self._hits = found
        self._current = min(bisect_left(self._hits, before[0]), max(0, len(self._hits) - 1))
        self._mark()

    def _go_to(self, number: int) -> None:
        self._current = number % len(self._hits) if self._hits else 0
        if self._hits:
            self._text.reveal(self._hits[self._current][0])
        self._mark()

    def _mark(self) -> None:
        """Mark the hits in sight: thousands of marks would slow every change of the text down."""
        if not self.isVisible():
            return
        first, last = positions_in_sight(self._text)
        seen = range(max(0, bisect_right(self._hits, (first, 0)) - 1), bisect_right(self._hits, (last, 0)))
        self._text.setExtraSelections([self._marked(number) for number in seen])
        self._count.setText(self._counted() if self._edit.text() else "")
        for step in self._steps:
            step.setEnabled(bool(self._hits))

    def _counted(self) -> str:
        if not self._whole:
            return "…"
        if not self._hits:
            return self.tr("No hit")
        return filled(self.tr("{number} of {count}"), number=self._current + 1, count=len(self._hits))

    def _marked(self, number: int) -> QTextEdit.ExtraSelection:
        end = self._text.document().characterCount() - 1
        mark = QTextEdit.ExtraSelection()
        mark.cursor = QTextCursor(self._text.document())
        for position, mode in zip(self._hits[number], QTextCursor.MoveMode, strict=True):
            mark.cursor.setPosition(min(position, end), mode)
        panel, text = QColor(self._theme.panel), QColor(self._theme.text)
        is_current = number == self._current
        form = QTextCharFormat()
        form.setBackground(text if is_current else blend(panel, text, _MARK_SHARE))
        form.setForeground(panel if is_current else text)
        mark.format = form
        return mark

    # -- keys -----------------------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        # Esc stops a generation elsewhere in the window.
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            event.setAccepted(event.key() == Qt.Key.Key_Escape)
            return event.isAccepted()
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        elif not self._went(event):
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._search_soon()
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and self.isVisible():
            return self._went(event)
        return super().eventFilter(watched, event)

    def _went(self, event: QKeyEvent) -> bool:
        """Whether the key leads to another hit. Enter does so here, but not in the text."""
        enter = self._edit.hasFocus() and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        shift = Qt.KeyboardModifier.ShiftModifier
        plain = not event.modifiers() & ~(shift | Qt.KeyboardModifier.KeypadModifier)
        if event.matches(QKeySequence.StandardKey.FindPrevious) or (enter and plain and event.modifiers() & shift):
            self.find_previous()
        elif event.matches(QKeySequence.StandardKey.FindNext) or (enter and plain):
            self.find_next()
        else:
            return False
        return True


def _button(name: str, sign: str, what: str, clicked: Callable[[], None]) -> QToolButton:
    button = QToolButton()
    button.setIcon(icon(sign))
    button.setObjectName(name)
    button.setAccessibleName(what)
    button.setToolTip(what)
    button.setProperty("role", "icon")
    button.clicked.connect(clicked)
    return button
