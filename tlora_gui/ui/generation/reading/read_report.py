"""What reading a text has found: how well every slot knows it, and where it goes from one segment to another."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from tlora_gui.engine.protocol.texts import ReadReport, SlotInfo
from tlora_gui.ui.generation.inspector.bars import mix_sign
from tlora_gui.ui.generation.reading.loss_table import LossTable, loss_rows, perplexity_text
from tlora_gui.ui.generation.reading.segment_strip import SegmentStrip, segments
from tlora_gui.ui.theme import Theme
from tlora_gui.ui.translation import filled
from tlora_gui.ui.widgets.disclosure import Disclosure
from tlora_gui.ui.widgets.layouts import column, label


class ReadReportView(QWidget):
    """Perplexities, segments and switch lags of a text that was read; folds. Signal: ``token_chosen(index)``."""

    token_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("readReport")
        self._table = LossTable()
        self._strip = SegmentStrip()
        self._strip.token_chosen.connect(self.token_chosen)
        self._unread = label("", "caption", wrap=True)
        self._unread.setObjectName("unreadLabel")
        content = QWidget()
        content.setLayout(column(self._table, self._strip, self._unread, spacing=4))
        self._fold = Disclosure("", content)
        self._fold.button.setObjectName("readReportButton")
        self._fold.set_open(True)
        self.setLayout(column(self._fold))
        self.set_report(None, (), 0)

    def set_report(
        self, report: ReadReport | None, slots: tuple[SlotInfo, ...], tokens: int, mix: Sequence[float] = ()
    ) -> None:
        """Show a report on a text of so many tokens over these slots, with mean weights ``mix``; None empties it."""
        found = segments(report, slots, tokens) if report else []
        self._table.set_rows(
            loss_rows(report, slots, self.tr("Mix")) if report else [], mix_sign(mix, slots if mix else ())
        )
        self._strip.set_segments(found)
        self._strip.setVisible(bool(found))
        self._fold.set_title(self._title(len(found), report))
        unread = report.unread if report else 0
        self._unread.setVisible(unread > 0)
        self._unread.setText(
            filled(self.tr("{count} characters at the end were not read: the backbone's context is full"), count=unread)
        )

    def set_open(self, is_open: bool) -> None:
        """Unfold or fold it."""
        self._fold.set_open(is_open)

    def apply_theme(self, theme: Theme) -> None:
        """Use a theme's colours from now on."""
        self._table.apply_theme(theme)
        self._strip.apply_theme(theme)

    def _title(self, found: int, report: ReadReport | None) -> str:
        if report is None:
            return self.tr("Nothing read")
        parts = self.tr("1 segment found") if found == 1 else self.tr("{count} segments found").format(count=found)
        return self.tr("{segments} · perplexity {perplexity} with the mix").format(
            segments=parts, perplexity=perplexity_text(report.mix_loss)
        )
