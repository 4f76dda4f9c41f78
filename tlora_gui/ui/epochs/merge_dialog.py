"""Epochs at weights of a person's choice, to be written as one for others to load."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFrame, QScrollArea, QWidget

from tlora_gui.engine.protocol.events import EpochInfo
from tlora_gui.engine.protocol.jobs import ExportMerge
from tlora_gui.ui.theme import scaled
from tlora_gui.ui.translation import tr
from tlora_gui.ui.widgets.elided_label import ElidedLabel
from tlora_gui.ui.widgets.fields import ChoiceBox, DecimalBox, WholeBox, field_width
from tlora_gui.ui.widgets.layouts import DIALOG_MARGINS, column, fields, label, row, tick_box
from tlora_gui.ui.widgets.questions import choose_folder, choose_target
from tlora_gui.ui.widgets.swatch import Swatch, initial

_HIGHEST_WEIGHT = 10
_HIGHEST_RANK = 4096
_ROWS = 8
"""Epochs that are shown without scrolling."""


def gguf_suffixes() -> dict[str, str]:
    """The ending of a GGUF adapter, by what a person reads."""
    return {tr("GGUF adapter") + " (*.gguf)": "gguf"}


class MergeDialog(QDialog):
    """Asks for weights, for what is to be written and where. Open with ``open()``; it deletes itself when it closes.

    Signals:
        export_requested: what to write (ExportMerge).
    """

    export_requested = Signal(object)

    def __init__(self, epochs: Sequence[EpochInfo], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("mergeDialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Merge and export"))
        self._weights = {epoch.slug: self._weight_box(epoch, round(1 / len(epochs), 4)) for epoch in epochs}
        listed = QScrollArea()
        listed.setObjectName("mergeEpochs")
        listed.setFrameShape(QFrame.Shape.NoFrame)
        listed.setWidgetResizable(True)
        rows = QWidget()
        rows.setLayout(column(*(self._row(epoch) for epoch in epochs), None, spacing=6, margins=(0, 0, 6, 0)))
        listed.setWidget(rows)
        listed.setFixedHeight(min(len(epochs), _ROWS) * (self._weights[epochs[0].slug].sizeHint().height() + 6))
        self._kind = ChoiceBox("mergeKind", self.tr("What to write"), self.tr("What becomes of the chosen epochs"))
        self._kind.addItem(self.tr("PEFT adapter"), "peft")
        self._kind.addItem(self.tr("GGUF adapter"), "gguf")
        self._kind.addItem(self.tr("Whole model"), "model")
        self._meaning = label("", "caption", wrap=True)
        self._meaning.setObjectName("mergeMeaning")
        self._compress = tick_box(self.tr("&Compress to rank"))
        self._compress.setObjectName("mergeCompress")
        self._compress.setToolTip(self.tr("Smaller and no longer exact; how much is lost is told when it is written"))
        self._rank = WholeBox(1, _HIGHEST_RANK)
        self._rank.setObjectName("mergeRank")
        self._rank.setAccessibleName(self.tr("Rank"))
        self._rank.setValue(8)
        self._rank.setFixedWidth(scaled(90))
        self._problem = label(self.tr("Give at least one epoch a weight."), "problem", wrap=True)
        self._problem.setObjectName("mergeProblem")
        self._buttons = QDialogButtonBox()
        self._choose = self._buttons.addButton(self.tr("Choose where…"), QDialogButtonBox.ButtonRole.AcceptRole)
        self._choose.setObjectName("mergeButton")
        self._choose.setProperty("role", "primary")
        self._buttons.addButton(self.tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        fixed = label(
            self.tr("These weights hold at every token: the Time Mixer is not part of what is written."),
            "caption",
            wrap=True,
        )
        self.setLayout(
            column(
                label(self.tr("Weights"), "title"),
                listed,
                fixed,
                fields((self.tr("&Write"), self._kind), label_width=56),
                self._meaning,
                row(self._compress, self._rank, None),
                self._problem,
                self._buttons,
                spacing=12,
                margins=DIALOG_MARGINS,
            )
        )
        self.setMinimumWidth(scaled(420))
        for box in self._weights.values():
            box.valueChanged.connect(self._show)
        self._kind.currentIndexChanged.connect(self._show)
        self._compress.toggled.connect(self._show)
        self._buttons.accepted.connect(self._choose_place)
        self._buttons.rejected.connect(self.reject)
        self._show()

    def _weight_box(self, epoch: EpochInfo, weight: float) -> DecimalBox:
        box = DecimalBox(0, _HIGHEST_WEIGHT)
        box.setObjectName(f"mergeWeight:{epoch.slug}")
        box.setAccessibleName(self.tr("Weight of {name}").format(name=epoch.name))
        box.setToolTip(self.tr("0 leaves this epoch out"))
        box.setValue(weight)
        box.setFixedWidth(min(field_width(box), scaled(110)))
        return box

    def _row(self, epoch: EpochInfo) -> QWidget:
        swatch, name, line = Swatch(18), ElidedLabel("name"), QWidget()
        swatch.set_epoch(epoch.colour, initial(epoch.name))
        name.show_text(epoch.name)
        line.setLayout(row(swatch, name, self._weights[epoch.slug]))
        return line

    def _job(self, path: str) -> ExportMerge:
        kind = self._kind.currentData()
        return ExportMerge(
            tuple((slug, box.value()) for slug, box in self._weights.items() if box.value()),
            path,
            self._rank.value() if self._compress.isChecked() and kind != "model" else None,
            into_backbone=kind == "model",
            overwrite=kind == "gguf",  # the file dialog has asked
        )

    def _show(self) -> None:
        kind, chosen = self._kind.currentData(), any(box.value() for box in self._weights.values())
        self._meaning.setText(
            {
                "peft": self.tr("A folder that peft.PeftModel.from_pretrained opens over the same backbone."),
                "gguf": self.tr("A file for llama.cpp, Ollama and LM Studio, beside the backbone's .gguf file."),
                "model": self.tr("A folder that transformers opens: the backbone with the epochs in its weights."),
            }[kind]
        )
        self._compress.setEnabled(kind != "model")
        self._rank.setEnabled(kind != "model" and self._compress.isChecked())
        self._problem.setVisible(not chosen)
        self._choose.setEnabled(chosen)

    def _choose_place(self) -> None:
        if self._kind.currentData() == "gguf":
            name = "-".join(slug for slug, box in self._weights.items() if box.value())
            choose_target(self, self.tr("Save the GGUF adapter"), f"{name}.gguf", gguf_suffixes(), self._chosen)
        else:
            choose_folder(self, self.tr("Folder for the merged epochs"), str(Path.home()), self._chosen)

    def _chosen(self, path: str) -> None:
        self.export_requested.emit(self._job(path))
        self.accept()
