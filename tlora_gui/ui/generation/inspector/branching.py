"""What else could have come at a token, and ways to go on with it."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLineEdit, QPushButton, QSizePolicy, QWidget

from tlora_gui.engine.protocol.texts import Alternative, TokenEvent
from tlora_gui.ui.generation.inspector.bars import ShareRow, ShareRows
from tlora_gui.ui.generation.token_view.token_style import visible_text
from tlora_gui.ui.theme import Theme
from tlora_gui.ui.widgets.layouts import column, label


class BranchBox(QWidget):
    """The most probable tokens here; any but the one that came can be gone on with, and so can any other word.

    Signals: ``chosen(token_id, text)``, ``written(text)``, and ``again()`` for the same place with other luck.
    """

    chosen = Signal(int, str)
    written = Signal(str)
    again = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._token: TokenEvent | None = None
        self._offered: tuple[Alternative, ...] = ()
        self._allowed, self._reason = True, ""
        self.rows = ShareRows()
        self.rows.setObjectName("alternativeRows")
        self.rows.takes_words = True
        self.rows.setAccessibleName(self.tr("Most probable tokens here"))
        self.rows.chosen.connect(self._choose)
        self.rows.typed.connect(self._begin_word)
        self._title = label(self.tr("Most probable here"), "title", wrap=True)
        self._title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._other = QLineEdit()
        self._other.setAcceptDrops(False)  # files are left to the window
        self._other.setObjectName("otherTokenEdit")
        self._other.setAccessibleName(self.tr("Other word to go on with"))
        self._other.setPlaceholderText(self.tr("other word…"))
        self._other.returnPressed.connect(self._write)
        self._again = QPushButton(self.tr("Again from here"))
        self._again.setObjectName("againButton")
        self._again.setAccessibleName(self.tr("Again from here"))
        self._again.clicked.connect(self.again)
        head = column(self._title, margins=(4, 0, 4, 0))
        ways = column(self._other, self._again, margins=(4, 0, 4, 0))
        self.setLayout(column(head, self.rows, ways))
        self._explain()

    def show_token(self, token: TokenEvent) -> None:
        """Show what else could have come; a word that was being written for another token is forgotten."""
        if self._token is None or token.index != self._token.index:
            self._other.clear()
        self._token = token
        self._refresh()

    def set_allowed(self, allowed: bool, reason: str = "") -> None:
        """Offer to go on otherwise, or say why not."""
        if (allowed, reason) == (self._allowed, self._reason):
            return
        self._allowed, self._reason = allowed, reason
        self._explain()
        self._refresh()

    def take_focus(self) -> None:
        """To the most probable tokens, or to the field for another word where there is none to choose."""
        way = self.rows if self.rows.focusPolicy() & Qt.FocusPolicy.TabFocus else self._other
        way.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _explain(self) -> None:
        for way, tip in (
            (self._other, self.tr("Enter goes on from here with this word, after a space if the token had one")),
            (self._again, self.tr("Go on from here once more, with another seed")),
            (self.rows, ""),
        ):
            way.setEnabled(self._allowed)
            way.setToolTip(tip if self._allowed else self._reason)

    def apply_theme(self, theme: Theme) -> None:
        """Use a theme's colours from now on."""
        self.rows.apply_theme(theme)

    def _refresh(self) -> None:
        if self._token is None:
            return
        came = self._token
        self._offered = came.alternatives
        rows = [
            ShareRow(
                visible_text(other.text), other.probability, strong=rank == came.rank,
                offer=self._offer(other) if self._allowed and rank != came.rank else "",
            )
            for rank, other in enumerate(came.alternatives, start=1)
        ]  # fmt: skip
        if rows and came.rank > len(rows):
            rows.append(ShareRow(visible_text(came.text), came.probability, strong=True))
        self._title.setVisible(bool(rows))
        self.rows.setVisible(bool(rows))
        self.rows.set_rows(rows)

    def _offer(self, other: Alternative) -> str:
        offer = self.tr("Click, or Enter: go on from here with “{word}” instead").format(word=visible_text(other.text))
        return f"<p style='white-space:nowrap'>{escape(offer)}</p>"

    def _choose(self, number: int) -> None:
        self.chosen.emit(self._offered[number].token_id, self._offered[number].text)

    def _begin_word(self, letters: str) -> None:
        self._other.setFocus()
        self._other.insert(letters)

    def _write(self) -> None:
        word = self._other.text()
        if self._token is not None and word.strip():
            workspace = " " if self._token.text.startswith(" ") and not word.startswith(" ") else ""
            self._other.clear()
            self.written.emit(workspace + word)
