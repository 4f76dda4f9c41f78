"""Text coloured token by token while it streams: hovered, walked, selected, copied and branched from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from PySide6.QtCore import QEvent, QMimeData, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QHelpEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QApplication, QMenu, QToolTip, QWidget

from tlora_gui.engine.protocol.texts import SlotInfo, TokenEvent
from tlora_gui.ui.generation.token_view.announcer import Announcer
from tlora_gui.ui.generation.token_view.clipboard import mime_data
from tlora_gui.ui.generation.token_view.coloured_text import ColouredText
from tlora_gui.ui.generation.token_view.token_geometry import position_at, rectangles
from tlora_gui.ui.generation.token_view.token_style import description, tooltip
from tlora_gui.ui.theme import LIGHT
from tlora_gui.ui.widgets.painting import guarded

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_ERASE = (Qt.Key.Key_Backspace, Qt.Key.Key_Delete)
_LEAST_LINES = 3
_PLAIN = Qt.KeyboardModifier.NoModifier
_CONTROL, _ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier


class TokenView(ColouredText):
    """The text of one generation, as the person explores it.

    ``say`` takes streamed phrases in place of the system's screen reader; ``can_branch`` offers to go on otherwise.

    Signals:
        token_selected(index): hovered, clicked or walked to.
        selection_changed(first, last): tokens that the selected text touches, -1 and -1 for none.
        branch_requested(index): another word is wanted in place of this token.
        again_requested(index): from this token on, once more.
        prompt_requested(index): the prompt is to be edited, at this token of it.
        typed(event): a key that changes text was pressed, which a text that is only shown does not take.
    """

    token_selected = Signal(int)
    selection_changed = Signal(int, int)
    branch_requested = Signal(int)
    again_requested = Signal(int)
    prompt_requested = Signal(int)
    typed = Signal(QKeyEvent)

    def __init__(
        self, parent: QWidget | None = None, say: Callable[[str], None] | None = None, can_branch: bool = True
    ) -> None:
        super().__init__(parent)
        self._can_branch = can_branch
        self._current = -1
        self._held = False
        self._tells = True
        self._selected = (-1, -1)
        self._settling = False
        self._announcer = Announcer(self, say)
        self.setObjectName("tokenView")
        self.setAccessibleName(self.tr("Generated text"))
        self.setToolTip(
            self.tr(
                "Hover a token, or walk with the left and right arrow keys, to see who speaks. "
                "A click holds it, another one lets go. Enter or a double click asks for another word there."
            )
            if can_branch
            else self.tr(
                "Hover a token, or walk with the left and right arrow keys, to see who speaks. "
                "A click holds it, another one lets go."
            )
        )
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self.selectionChanged.connect(self._emit_selection)
        self.reset(())

    def minimumSizeHint(self) -> QSize:
        margins = 2 * round(self.document().documentMargin() + self.frameWidth())
        return QSize(super().minimumSizeHint().width(), _LEAST_LINES * self.fontMetrics().lineSpacing() + margins)

    @property
    def current(self) -> int:
        """Index of the chosen token, -1 for none."""
        return self._current

    @property
    def selected_tokens(self) -> tuple[int, int]:
        """First and last token that the selected text touches, -1 and -1 for none."""
        return self._selected

    # -- what to show ---------------------------------------------------------------------------------------

    def reset(self, slots: tuple[SlotInfo, ...]) -> None:
        """Start an empty text whose tokens mix these slots."""
        self._current = -1
        self._held = False
        self._announcer.clear()
        super().reset(slots)
        self._emit_selection()

    def add_tokens(self, tokens: Sequence[TokenEvent], announce: bool = True) -> None:
        """Append; see :meth:`ColouredText.add_tokens`. What is not the prompt's is read by screen readers."""
        self._settling = True
        super().add_tokens(tokens)
        self._settling = False
        if announce:
            self._announcer.add("".join(token.text for token in tokens if not token.is_prompt))

    def set_telling(self, telling: bool) -> None:
        """Whether a tooltip tells of the chosen token, which is not needed while something else does."""
        self._tells = telling

    def set_current(self, index: int, reveal: bool = True) -> None:
        """Mark a token (-1 for none); ``reveal`` scrolls to it."""
        self._current = index if 0 <= index < len(self.tokens) else -1
        if self._current >= 0:
            self.setAccessibleDescription(description(self.tokens[index], self.slots, self.mixer))
            # A selection is not thrown away for a look at another token.
            if reveal and not self.textCursor().hasSelection():
                self.reveal(self.span(index)[0])
        self.viewport().update()

    def select_tokens(self, first: int, last: int) -> None:
        """Select these tokens' text and scroll to it; -1 and -1 for none."""
        start = self.span(first)[0] if first >= 0 else self.textCursor().position()
        self._settling = True
        self.select(start, self.span(last)[1] if first >= 0 else start)
        self._settling = False
        self._selected = self._touched()

    # -- choosing -------------------------------------------------------------------------------------------

    def token_at(self, point: QPoint) -> int:
        """Index of the token under a point of the viewport, -1 for none."""
        position = position_at(self, point)
        return self._text.index_at(position) if position >= 0 else -1

    def _choose(self, index: int) -> None:
        if index >= 0 and index != self._current:
            self.set_current(index, reveal=False)
            self.token_selected.emit(index)

    def _touched(self) -> tuple[int, int]:
        cursor = self.textCursor()
        if not cursor.hasSelection():
            return -1, -1
        return self._text.index_at(cursor.selectionStart()), self._text.index_at(cursor.selectionEnd() - 1)

    def _emit_selection(self) -> None:
        selected = self._touched()
        if selected != self._selected and not self._settling:
            self._selected = selected
            self.selection_changed.emit(*selected)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        if event.buttons() == Qt.MouseButton.NoButton and not self._held:
            self._choose(self.token_at(event.position().toPoint()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        index = self.token_at(event.position().toPoint())
        # So that the pointer reaches the inspector without choosing all that lies on its way.
        self._held = index >= 0 and not (self._held and index == self._current)
        self._choose(index)
        self.viewport().update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        index = self.token_at(event.position().toPoint())
        if index >= 0 and event.button() == Qt.MouseButton.LeftButton and self._can_branch:
            self.branch_requested.emit(index)
        else:
            super().mouseDoubleClickEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        if plain and event.key() in _ENTER and self._current >= 0 and self._can_branch:
            self.branch_requested.emit(self._current)
            return
        held = event.modifiers() & (_CONTROL | _ALT | Qt.KeyboardModifier.MetaModifier)
        # AltGr is both of them on some systems.
        writes = event.text() and event.text().isprintable() and held in (_PLAIN, _CONTROL | _ALT)
        if self._can_branch and (writes or event.key() in _ERASE or event.matches(QKeySequence.StandardKey.Paste)):
            self.typed.emit(event)
            return
        target = self._walk(event.key()) if plain and self.tokens else None
        if target is None:
            super().keyPressEvent(event)
            return
        QToolTip.hideText()  # it tells of the token under the pointer
        cursor = self.textCursor()
        cursor.clearSelection()
        self.setTextCursor(cursor)
        self.set_current(target)
        self.token_selected.emit(target)

    def _walk(self, key: int) -> int | None:
        """Token that a key leads to; tokens without text are stepped over."""
        end = len(self.tokens)
        ways = {
            Qt.Key.Key_Left: range((self._current if self._current >= 0 else end) - 1, -1, -1),
            Qt.Key.Key_Right: range(self._current + 1, end),
            Qt.Key.Key_Home: range(end),
            Qt.Key.Key_End: range(end - 1, -1, -1),
        }
        if key not in ways:
            return None
        return next((index for index in ways[Qt.Key(key)] if self.tokens[index].text), max(self._current, 0))

    # -- copying --------------------------------------------------------------------------------------------

    def copy_plain(self) -> None:
        """Put the selected text on the clipboard, all of it if none is selected: exactly what the tokens say."""
        QApplication.clipboard().setText("".join(text for _, text in self._copied()))

    def copy_rich(self) -> None:
        """The same beside a coloured version of it for word processors."""
        QApplication.clipboard().setMimeData(self.createMimeDataFromSelection())

    def createMimeDataFromSelection(self) -> QMimeData:
        return mime_data([(text, self._format_in(LIGHT, token)) for token, text in self._copied()])

    def _copied(self) -> Iterator[tuple[TokenEvent, str]]:
        cursor = self.textCursor()
        whole = not cursor.hasSelection()
        return self._text.pieces(*(0, self._text.end) if whole else (cursor.selectionStart(), cursor.selectionEnd()))

    # -- asking for more ------------------------------------------------------------------------------------

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if not self.tokens:
            return
        index, where = self.token_at(event.pos()), event.globalPos()
        if event.reason() == QContextMenuEvent.Reason.Keyboard and self._current >= 0:
            index = self._current
            for area in rectangles(self, *self.span(index))[:1]:
                where = self.viewport().mapToGlobal(area.bottomLeft().toPoint())
        self._menu_for(index).popup(where)

    def _menu_for(self, index: int) -> QMenu:
        """What can be done with the text, and with this token (-1 for none); it deletes itself when it is closed."""
        menu = QMenu(self)
        menu.setObjectName("tokenMenu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        whole = not self.textCursor().hasSelection()
        menu.addAction(self.tr("Copy all") if whole else self.tr("Copy"), self.copy_plain)
        menu.addAction(self.tr("Copy all with colours") if whole else self.tr("Copy with colours"), self.copy_rich)
        if not self._can_branch:
            return menu
        menu.addSeparator()
        for text, asked in (
            (self.tr("Again from here"), self.again_requested),
            (self.tr("Other word here…"), self.branch_requested),
            (self.tr("Edit the prompt"), self.prompt_requested),
        ):
            menu.addAction(text, partial(asked.emit, index)).setEnabled(index >= 0)
        return menu

    # -- what is drawn over the text ------------------------------------------------------------------------

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            index = self.token_at(event.pos())
            if index == self._current >= 0 and not self._tells:
                QToolTip.hideText()
                return True
            if index >= 0:
                text = tooltip(self.tokens[index], self.slots, self._theme.muted, self.mixer)
                area = [rectangle.toAlignedRect() for rectangle in rectangles(self, *self.span(index))]
                QToolTip.showText(event.globalPos(), text, self.viewport(), area[0] if area else QRect())
                return True
        return super().viewportEvent(event)

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._current < 0:
            return
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._theme.text), 2.6 if self._held else 1.6))
        for rectangle in rectangles(self, *self.span(self._current)):
            painter.drawRoundedRect(rectangle.adjusted(-0.5, 0.5, 0.5, -0.5), 2.5, 2.5)
