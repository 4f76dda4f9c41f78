"""What of a project goes into the file that is sent."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from tlora_gui.engine.protocol.config import PROJECT_PARTS, ProjectPart
from tlora_gui.ui.formats import human_bytes
from tlora_gui.ui.theme import scaled
from tlora_gui.ui.widgets.layouts import DIALOG_MARGINS, column, label, row, tick_box


class SendDialog(QDialog):
    """Says what is large or private, and lets a person leave it out. Open with ``open()``; it deletes itself.

    Args:
        name: the project's.
        backbone: the name of its backbone, which the receiver needs.
    """

    def __init__(self, name: str, backbone: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sendDialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Send as a file"))
        self._bytes: dict[ProjectPart, int] = {}
        self._rest = 0
        self._boxes: dict[ProjectPart, QCheckBox] = {}
        self._sizes = {part: label("", "muted") for part in PROJECT_PARTS}
        sentence = self.tr("{name} becomes one file. Whoever opens it needs the same backbone, {backbone}.")
        never = self.tr(
            "Never in the file: the backbone, deleted epochs and texts, epochs that wait to be trained, and paths on "
            "this machine. What an epoch has learned by heart, it can be made to say."
        )
        words: dict[ProjectPart, tuple[str, str]] = {
            "texts": (
                self.tr("Kept &texts"),
                self.tr("Prompts and what came of them, texts that were read, and the samples of trainings."),
            ),
            "runs": (
                self.tr("History of &runs"),
                self.tr("Settings, curves and the processor's name of every training, also of deleted epochs."),
            ),
            "checkpoints": (
                self.tr("&Interrupted epochs"),
                self.tr("They can go on there. All of the text that they are trained on is in the file, as tokens."),
            ),
            "memories": (
                self.tr("&Memories"),
                self.tr(
                    "What keeps the Time Mixer from forgetting in later trainings: what it reads of your text (router "
                    "inputs), and up to 4,096 tokens of held-out text for each epoch. Text can be read from them. "
                    "Without them epochs dream anew before the next training, and nothing is measured on their text."
                ),
            ),
        }
        self._total = label("", "caption")
        self._total.setObjectName("sendTotal")
        buttons = QDialogButtonBox()
        choose = buttons.addButton(self.tr("Choose where…"), QDialogButtonBox.ButtonRole.AcceptRole)
        choose.setObjectName("sendButton")
        choose.setProperty("role", "primary")
        buttons.addButton(self.tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self.setLayout(
            column(
                label(sentence.format(name=name, backbone=backbone), wrap=True),
                *(self._part(part, *words[part]) for part in PROJECT_PARTS),
                label(never, "caption", wrap=True),
                row(self._total, None),
                buttons,
                spacing=12,
                margins=DIALOG_MARGINS,
            )
        )
        self.setFixedWidth(scaled(500))
        self._show()

    def showEvent(self, event: QShowEvent) -> None:
        """Be as high as the words are, by the style that they have by now; Qt stops at two thirds of the screen."""
        super().showEvent(event)
        layout = self.layout()
        assert layout is not None
        self.setFixedHeight(layout.totalHeightForWidth(self.width()))

    def without(self) -> tuple[ProjectPart, ...]:
        """What is to be left out."""
        return tuple(part for part, box in self._boxes.items() if not box.isChecked())

    def set_bytes(self, rest: int, parts: Mapping[ProjectPart, int]) -> None:
        """How much there is of each part, and of what is sent in any case; what there is nothing of is no choice."""
        self._rest, self._bytes = rest, dict(parts)
        for part, size in parts.items():
            self._sizes[part].setText(human_bytes(size) if size else self.tr("none"))
            self._boxes[part].setEnabled(size > 0)
        self._show()

    def _part(self, part: ProjectPart, name: str, meaning: str) -> QVBoxLayout:
        self._boxes[part] = box = tick_box(name)
        box.setObjectName(f"send:{part}")
        box.setToolTip(meaning)
        box.setChecked(part != "checkpoints")
        box.toggled.connect(self._show)
        return column(row(box, None, self._sizes[part]), label(meaning, "caption", wrap=True), spacing=2)

    def _show(self) -> None:
        sent = self._rest + sum(size for part, size in self._bytes.items() if self._boxes[part].isChecked())
        self._total.setText(self.tr("About {size}").format(size=human_bytes(sent)) if self._rest else "")
