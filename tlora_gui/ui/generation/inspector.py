"""Everything about one token."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from tlora_gui.engine.texts import SlotInfo, TokenEvent
from tlora_gui.ui.generation.bars import MixBar, ShareRow, ShareRows
from tlora_gui.ui.generation.token_style import (
    colour_reason,
    drawing_order,
    facts,
    speaker,
    visible_text,
    was_predicted,
)
from tlora_gui.ui.theme import Theme

_TITLE_CHARACTERS = 15


class TokenInspector(QFrame):
    """One token: its text, how probable it was, who spoke, and what else could have come."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tokenInspector")
        self.setProperty("role", "panel")
        self.setAccessibleName(self.tr("Token inspector"))
        self.setMinimumWidth(200)
        self._text = self._label("heading")
        self._facts = self._label("muted")
        self._mix_bar = MixBar()
        self._mix = ShareRows()
        self._mix.setAccessibleName(self.tr("Mix of this token"))
        self._reason = self._label("muted")
        self._most_probable = self._label("title")
        self._most_probable.setText(self.tr("Most probable here"))
        self._alternatives = ShareRows()
        self._alternatives.setAccessibleName(self.tr("Most probable tokens here"))
        self._empty = self._label("muted")
        self._empty.setText(self.tr("No token chosen yet. Choose one to see which epochs speak in it."))
        self._lay_out()
        self.show_token(None, ())

    def _label(self, role: str) -> QLabel:
        label = QLabel()
        label.setProperty("role", role)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(role == "muted")
        # A long token must not widen the column.
        label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        return label

    def _lay_out(self) -> None:
        content = QWidget()
        details = QVBoxLayout(content)
        # Room for a scroll bar beside the figures.
        details.setContentsMargins(0, 0, 4, 0)
        details.setSpacing(8)
        for widget in (self._text, self._facts, self._mix_bar, self._mix, self._reason):
            details.addWidget(widget)
        details.addSpacing(8)
        details.addWidget(self._most_probable)
        details.addWidget(self._alternatives)
        details.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(content)
        self._scroll = scroll
        title = self._label("title")
        title.setText(self.tr("Token"))
        hint = self._label("muted")
        hint.setText(self.tr("Hover the text or the ribbon, or walk through the text with ← and →"))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(12, 12, 12, 12)
        outer.setSpacing(8)
        outer.addWidget(title)
        outer.addWidget(self._empty, 1, Qt.AlignmentFlag.AlignTop)
        outer.addWidget(self._scroll, 1)
        outer.addWidget(hint)

    def show_token(self, token: TokenEvent | None, slots: Sequence[SlotInfo]) -> None:
        """Show a token of a generation with these slots; None empties the inspector."""
        self._scroll.setVisible(token is not None)
        self._empty.setVisible(token is None)
        if token is None:
            return
        self._text.setText(f"“{visible_text(token.text, _TITLE_CHARACTERS)}”")
        self._facts.setText(facts(token))
        self._mix_bar.set_mix(token.weights, slots)
        most = speaker(token.weights)
        self._mix.set_rows(
            [ShareRow(slots[s].name, token.weights[s], s, slots[s], strong=s == most) for s in drawing_order(slots)]
        )
        self._reason.setText(colour_reason(token))
        rows = _alternatives(token)
        self._most_probable.setVisible(bool(rows))
        self._alternatives.setVisible(bool(rows))
        self._alternatives.set_rows(rows)

    def apply_theme(self, theme: Theme) -> None:
        """Use a theme's colours from now on."""
        self._mix.apply_theme(theme)
        self._alternatives.apply_theme(theme)


def _alternatives(token: TokenEvent) -> list[ShareRow]:
    """The most probable tokens, the one that came marked; it closes the list if it is not among them."""
    if not was_predicted(token):
        return []
    ranked = enumerate(token.alternatives, start=1)
    rows = [ShareRow(visible_text(text), share, strong=rank == token.rank) for rank, (text, share) in ranked]
    if rows and token.rank > len(rows):
        rows.append(ShareRow(visible_text(token.text), token.probability, strong=True))
    return rows
