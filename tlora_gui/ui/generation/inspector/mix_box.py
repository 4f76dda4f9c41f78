"""The mix of one token: bar, shares, what its colour stands for, and why."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout

from tlora_gui.engine.protocol.attribution import dominant_slot
from tlora_gui.engine.protocol.texts import SlotInfo, TokenEvent
from tlora_gui.engine.protocol.wording import drawing_order
from tlora_gui.ui.generation.inspector.bars import MixBar, ReasonRows, ShareRow, ShareRows
from tlora_gui.ui.generation.token_view.token_style import colour_reason
from tlora_gui.ui.theme import Theme
from tlora_gui.ui.widgets.layouts import column, label


class MixBox(QVBoxLayout):
    """Weights over slots, and what speaks for the largest against the next where a filter has decided.

    A layout and no widget, so that what it is put in is laid out at once with it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setContentsMargins(0, 0, 0, 0)
        self.setSpacing(8)
        self._bar = MixBar()
        self._shares = ShareRows()
        self._shares.setAccessibleName(self.tr("Mix of this token"))
        self._meaning, self._why = label("", "muted", wrap=True), label("", "title", wrap=True)
        for each in (self._meaning, self._why):
            each.setTextFormat(Qt.TextFormat.PlainText)
            each.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._reasons = ReasonRows()
        self._reasons.setObjectName("reasonRows")
        self._reasons.setAccessibleName(self.tr("Why this mix"))
        # Rows reach 4 px further than words, so that the mark of a chosen one has room.
        bar = column(self._bar, margins=(4, 0, 4, 0))
        words = column(self._meaning, self._why, margins=(4, 0, 4, 0))
        self.addLayout(bar)
        self.addWidget(self._shares)
        self.addLayout(words)
        self.addWidget(self._reasons)

    def show_token(self, token: TokenEvent, slots: Sequence[SlotInfo], mixer: str = "") -> None:
        """Show the mix of a token over these slots; ``mixer`` as in :func:`colour_reason`."""
        self._bar.set_mix(token.weights, slots)
        most = dominant_slot(token.weights)
        self._shares.set_rows(
            [ShareRow(slots[s].name, token.weights[s], s, slots[s], strong=s == most) for s in drawing_order(slots)]
        )
        self._meaning.setText(colour_reason(token, mixer))
        explained = token.reasons is not None and most is not None
        self._why.setVisible(explained)
        self._reasons.setVisible(explained)
        if token.reasons is not None and most is not None:
            rival = slots[token.reasons.rival].name
            self._why.setText(self.tr("Why {name}, not {rival}").format(name=slots[most].name, rival=rival))
            word = self.tr("this word") if token.is_prompt else self.tr("last word")
            self._reasons.set_reasons(token.reasons, most, word, slots)

    def apply_theme(self, theme: Theme) -> None:
        """Use a theme's colours from now on."""
        self._shares.apply_theme(theme)
        self._reasons.apply_theme(theme)
