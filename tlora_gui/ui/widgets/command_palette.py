"""All commands in one list, found by typing a few of their letters."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QMetaObject, QModelIndex, QObject, QPersistentModelIndex, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPalette
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QFrame,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QMainWindow,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from tlora_gui.ui.widgets.commands import Command, commands_of
from tlora_gui.ui.widgets.icons import icon
from tlora_gui.ui.widgets.key_caps import paint_keys
from tlora_gui.ui.widgets.layouts import POPUP_MARGINS, column, label
from tlora_gui.ui.widgets.painting import guarded

_WIDTH, _ROWS, _EDGE, _GAP = 600, 11, 10, 10
_COMMAND = Qt.ItemDataRole.UserRole
_WORD_START, _CONSECUTIVE, _LETTER, _WIDEST_GAP = 8, 9, 2, 4


def score(query: str, text: str) -> int | None:
    """How well the letters of ``query`` occur in ``text`` in this order; None if they do not.

    Higher is better. Starts of words and consecutive letters count, gaps and long texts cost a little.

    >>> score("tm", "Time Mixer") > score("tm", "Stream"), score("mt", "Time"), score("", "Time")
    (True, None, 0)
    """
    letters = text.casefold()
    best = {-1: 0}  # where the last letter was found: points of the best way there
    for wanted in "".join(query.casefold().split()):
        best = {
            index: max(points + _points(letters, last, index) for last, points in best.items() if last < index)
            for index, letter in enumerate(letters)
            if letter == wanted and index > min(best)
        }
        if not best:
            return None
    return max(best.values()) - (len(letters) // 10 if query.strip() else 0)


def _points(letters: str, last: int, index: int) -> int:
    if 0 <= last == index - 1:
        return _LETTER + _CONSECUTIVE
    starts_word = index == 0 or not letters[index - 1].isalnum()
    return _LETTER + (_WORD_START if starts_word else 0) - min(index - last - 1, _WIDEST_GAP)


class CommandPalette(QDialog):
    """Offers every action of the window's menus. Show with ``open()``; a click elsewhere closes it."""

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window, Qt.WindowType.Popup)
        self.setObjectName("commandPalette")
        self.setAccessibleName(self.tr("Commands"))
        self._window = window
        self._commands: list[Command] = []
        self._used: list[tuple[str, str]] = []
        self._edit = QLineEdit()
        self._edit.setObjectName("paletteEdit")
        self._edit.setAccessibleName(self.tr("Find a command"))
        self._edit.setPlaceholderText(self.tr("Type a few letters of a command"))
        self._edit.setToolTip(self.tr("Up and Down choose, Enter runs, Esc closes"))
        self._edit.textChanged.connect(self._fill)
        self._edit.installEventFilter(self)
        self._list = QListWidget()
        self._list.setObjectName("paletteList")
        self._list.setAccessibleName(self.tr("Commands found"))
        self._list.setItemDelegate(_Delegate(self._list))
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # what is typed always goes to the line
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setMouseTracking(True)
        self._list.itemEntered.connect(self._list.setCurrentItem)
        self._list.itemClicked.connect(self._run)
        self._list.currentItemChanged.connect(self._announce)
        self._nothing = label(self.tr("No matching command."), "muted")
        self._nothing.setContentsMargins(_EDGE, 4, _EDGE, 8)
        frame = QFrame()
        frame.setObjectName("paletteFrame")
        self._rows = column(self._edit, self._list, self._nothing, None, spacing=8, margins=POPUP_MARGINS)
        frame.setLayout(self._rows)
        self.setLayout(column(frame))

    def open(self) -> None:
        """Show near the top of the window, all commands listed, the last used ones first."""
        self._commands = [found for found in commands_of(self._window) if found.name]
        self._edit.clear()
        self._fill()
        left = (self._window.width() - self.width()) // 2
        self.move(self._window.mapToGlobal(QPoint(left, self._window.height() // 10)))
        super().open()
        self._edit.setFocus(Qt.FocusReason.PopupFocusReason)

    # -- finding ----------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        self._list.clear()
        for command in self._found(self._edit.text()):
            item = QListWidgetItem(command.name)
            item.setData(_COMMAND, command)
            item.setToolTip(command.explanation)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, _accessible_text(command))
            self._list.addItem(item)
        self._list.setFixedHeight(self._list.sizeHintForRow(0) * min(_ROWS, self._list.count()))
        self._list.setVisible(self._list.count() > 0)
        self._nothing.setVisible(self._list.count() == 0)
        self._list.setCurrentRow(0)
        self._rows.activate()  # now, so that the size hint is right
        self.setFixedSize(min(_WIDTH, self._window.width() - 32), self.sizeHint().height())

    def _found(self, query: str) -> list[Command]:
        """Commands that match, the best first; the last used ones come first among equals."""
        ranked = []
        for index, command in enumerate(self._commands):
            points = [score(query, text) for text in (command.name, f"{command.group} {command.name}")]
            if matching := [each for each in points if each is not None]:
                key = (command.group, command.name)
                used = self._used.index(key) if key in self._used else len(self._used)
                ranked.append((-max(matching), used, index, command))
        return [command for *_, command in sorted(ranked, key=lambda row: row[:3])]

    def _announce(self, item: QListWidgetItem | None) -> None:
        words = "" if item is None else item.data(Qt.ItemDataRole.AccessibleTextRole)
        self._edit.setAccessibleDescription(words)

    # -- running ----------------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = {
                Qt.Key.Key_Down: 1,
                Qt.Key.Key_Up: -1,
                Qt.Key.Key_PageDown: _ROWS - 1,
                Qt.Key.Key_PageUp: 1 - _ROWS,
            }.get(Qt.Key(event.key()))
            if step is not None:
                self._walk(step)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._run(self._list.currentItem())
                return True
        return super().eventFilter(watched, event)

    def _walk(self, step: int) -> None:
        count = self._list.count()
        if count and abs(step) == 1:
            self._list.setCurrentRow((self._list.currentRow() + step) % count)
        elif count:
            self._list.setCurrentRow(max(0, min(count - 1, self._list.currentRow() + step)))

    def _run(self, item: QListWidgetItem | None) -> None:
        command = None if item is None else item.data(_COMMAND)
        if command is None or not command.action.isEnabled():
            return
        key = (command.group, command.name)
        self._used = [key, *(other for other in self._used if other != key)]
        self.accept()
        # In its own turn of the event loop, when this popup has let go of mouse and keys.
        QMetaObject.invokeMethod(command.action, "trigger", Qt.ConnectionType.QueuedConnection)


def _accessible_text(command: Command) -> str:
    """A row in one line, for screen readers."""
    reason = "" if command.action.isEnabled() else command.explanation
    return ", ".join(part for part in (command.name, command.group, reason, command.keys) if part)


class _Delegate(QStyledItemDelegate):
    """One row: name, the menu it is in or why it cannot be had, and its keys at the right."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(0, option.fontMetrics.height() + 18)

    @guarded
    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        command: Command = index.data(_COMMAND)
        area: QRect = option.rect
        palette = QApplication.palette()  # the style sheet gives the list's own no proper muted colour
        enabled, muted = command.action.isEnabled(), palette.color(QPalette.ColorRole.PlaceholderText)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(palette.color(QPalette.ColorRole.AlternateBase))
            painter.drawRoundedRect(area, 6, 6)
        room = area.adjusted(_EDGE, 0, -_EDGE, 0)
        room.setRight(room.right() - paint_keys(painter, room, command.keys) - _GAP)
        painter.setPen(palette.color(QPalette.ColorRole.Text) if enabled else muted)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, command.name)
        room.setLeft(room.left() + painter.fontMetrics().horizontalAdvance(command.name) + _GAP)
        if command.action.isChecked():
            icon("checked").paint(painter, QRect(room.left(), room.center().y() - 7, 16, 16))
            room.setLeft(room.left() + 16 + _GAP)
        painter.setPen(muted)
        right = command.group if enabled else command.explanation or command.group
        painter.drawText(
            room,
            Qt.AlignmentFlag.AlignVCenter,
            painter.fontMetrics().elidedText(right, Qt.TextElideMode.ElideRight, room.width()),
        )
        painter.restore()
