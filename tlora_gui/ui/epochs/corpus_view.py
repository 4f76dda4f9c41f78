"""What was found in the chosen files and folders."""

from __future__ import annotations

import os
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QWidget

from tlora_gui.engine.protocol.events import BlocksPreviewed, CorpusSummary
from tlora_gui.ui.epochs.block_view import BlockView
from tlora_gui.ui.formats import human_bytes, human_count, human_share
from tlora_gui.ui.translation import filled, worded
from tlora_gui.ui.widgets.disclosure import Disclosure
from tlora_gui.ui.widgets.layouts import column, label
from tlora_gui.ui.widgets.plain_text import PlainText

_EXCERPT_LINES = 4
_EXCERPT_CHARACTERS = 600
_KINDS = 4


def short_path(path: str, roots: Sequence[str]) -> str:
    """``path`` as seen from the chosen folder that holds it."""
    for root in roots:
        if path.startswith(root.rstrip("/\\") + os.sep) or path.startswith(root.rstrip("/\\") + "/"):
            return path[len(root.rstrip("/\\")) + 1 :]
    return path


class CorpusView(QFrame):
    """One of: nothing chosen, looking, a summary, several of them, a problem."""

    preview_wanted = Signal()
    """A person wants to see the blocks of what is summarised."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("corpusView")
        self.setProperty("role", "panel")
        self._headline = label("", wrap=True)
        self._headline.setObjectName("corpusHeadline")
        self._second = label("", "caption", wrap=True)
        self._second.setObjectName("corpusSecondLine")
        self._kinds = label("", "caption", wrap=True)
        self._kinds.setObjectName("corpusKinds")
        self._problems = label("", "problem", wrap=True)
        self._problems.setObjectName("corpusProblems")
        for text in (self._headline, self._second, self._problems, self._kinds):
            text.setTextFormat(Qt.TextFormat.PlainText)
        self._excerpt = self._plain_text(self.tr("The beginning of the text"), "corpusExcerpt", _EXCERPT_LINES)
        self._excerpt.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._excerpt.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._excerpt.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._blocks = BlockView()
        self._preview = Disclosure(self.tr("As the model sees it"), self._blocks)
        self._preview.button.setObjectName("previewButton")
        self._preview.toggled.connect(self._preview_toggled)
        self._skipped_list = self._plain_text(self.tr("What was skipped, and why"), "skippedList", 5)
        self._skipped = Disclosure(self._skipped_title(0), self._skipped_list)
        self._notes_list = self._plain_text(self.tr("What was read in an unusual way"), "notesList", 4)
        self._notes = Disclosure(self._notes_title(0), self._notes_list)
        self.setLayout(
            column(
                self._headline, self._kinds, self._second, self._problems, self._excerpt, self._preview, self._skipped,
                self._notes, spacing=6, margins=(12, 10, 12, 10),
            )
        )  # fmt: skip
        self.show_nothing()

    def show_nothing(self) -> None:
        """Nothing is chosen yet."""
        self._show(self.tr("Drop files or folders here, or browse."), self.tr("Text, Markdown, source code: any text."))

    def show_looking(self) -> None:
        """The engine is looking through the files."""
        self._show(self.tr("Looking through the files…"), "")

    def show_problem(self, message: str, hint: str = "") -> None:
        """This can't be trained on."""
        self._show(worded(message), worded(hint), danger=True)

    def show_summary(self, summary: CorpusSummary) -> None:
        """What was found, and what of it is skipped."""
        if summary.problem:
            self.show_problem(summary.problem)
        else:
            self._show(self._counts(summary), self._held_out(summary))
            lines = summary.excerpt[:_EXCERPT_CHARACTERS].splitlines()[:_EXCERPT_LINES]
            self._excerpt.setPlainText("\n".join(lines))
            self._kinds.setText(self._kinds_text(summary))
            self._kinds.setVisible(bool(summary.kinds))
            self._preview.show()
            self._preview_toggled(self._preview.button.isChecked())
        skipped, notes = summary.skipped, summary.notes
        self._fill(self._skipped, self._skipped_list, self._skipped_title(len(skipped)), skipped, summary.paths)
        self._fill(self._notes, self._notes_list, self._notes_title(len(notes)), notes, summary.paths)

    def show_blocks(self, preview: BlocksPreviewed) -> None:
        """The beginning of the text, as the model sees it."""
        self._blocks.show_blocks(preview)

    def show_several(self, headline: str, lines: Sequence[str], problems: Sequence[str]) -> None:
        """What each of several epochs would be trained on; ``problems``: which texts can't be."""
        self._show(headline, "\n".join(lines))
        self._problems.setText("\n".join(problems))
        self._problems.setVisible(bool(problems))

    def _preview_toggled(self, is_open: bool) -> None:
        """The plain beginning gives way to the same in tokens."""
        self._excerpt.setVisible(not is_open and bool(self._excerpt.toPlainText()))
        if is_open:
            self._blocks.show_looking()
            self.preview_wanted.emit()

    def _kinds_text(self, summary: CorpusSummary) -> str:
        found = [
            f"{worded(name)} {human_bytes(size)}" if files == 1 else f"{worded(name)} ({files}) {human_bytes(size)}"
            for name, files, size in summary.kinds[:_KINDS]
        ]
        return " · ".join(found + ["…"] * (len(summary.kinds) > _KINDS))

    def _show(self, headline: str, second: str, danger: bool = False) -> None:
        self._headline.setText(headline)
        self._headline.setProperty("role", "danger" if danger else "")
        self._headline.style().unpolish(self._headline)
        self._headline.style().polish(self._headline)
        self._second.setText(second)
        self._second.setVisible(bool(second))
        for extra in (self._kinds, self._problems, self._excerpt, self._preview, self._skipped, self._notes):
            extra.hide()

    def _counts(self, summary: CorpusSummary) -> str:
        files = self.tr("1 file") if summary.files == 1 else self.tr("{n} files").format(n=human_count(summary.files))
        about = self.tr("about ") if summary.estimated else ""
        tokens = self.tr("{n} tokens to train on").format(n=human_count(summary.tokens))
        return f"{files} · {about}{tokens}"

    def _held_out(self, summary: CorpusSummary) -> str:
        whole = summary.tokens + summary.held_out_tokens
        share = human_share(summary.held_out_tokens / whole if whole else 0.0)
        tokens, count = human_count(summary.held_out_tokens), summary.held_out_files
        files = self.tr("1 file") if count == 1 else self.tr("{n} files").format(n=human_count(count))
        return self.tr("Held out for measuring: {tokens} tokens in {files} ({share})").format(
            tokens=tokens, files=files, share=share
        )

    def _skipped_title(self, count: int) -> str:
        return self.tr("1 file skipped") if count == 1 else filled(self.tr("{n} files skipped"), n=count)

    def _notes_title(self, count: int) -> str:
        return self.tr("1 remark") if count == 1 else filled(self.tr("{n} remarks"), n=count)

    def _fill(
        self,
        disclosure: Disclosure,
        text: QPlainTextEdit,
        title: str,
        entries: tuple[tuple[str, str], ...],
        roots: tuple[str, ...],
    ) -> None:
        disclosure.set_title(title)
        text.setPlainText("\n".join(f"{short_path(path, roots)}: {worded(reason)}" for path, reason in entries))
        disclosure.setVisible(bool(entries))

    def _plain_text(self, name: str, object_name: str, lines: int) -> QPlainTextEdit:
        text = PlainText(lines)
        text.setObjectName(object_name)
        text.setAccessibleName(name)
        text.setToolTip(name)
        text.setReadOnly(True)
        return text
