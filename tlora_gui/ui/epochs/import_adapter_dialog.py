"""What an adapter from elsewhere needs to become an epoch: where it lies, its names, and text that it speaks."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QDialog, QLineEdit, QPushButton, QRadioButton, QWidget

from tlora_gui.engine.protocol.config import MAX_NAME, SLOT_SETTINGS
from tlora_gui.engine.protocol.events import BackboneInfo, BlocksPreviewed, CorpusSummary
from tlora_gui.engine.protocol.jobs import ImportAdapter, PreviewBlocks
from tlora_gui.paths import free_name
from tlora_gui.ui.epochs.corpus_box import CorpusBox
from tlora_gui.ui.epochs.edit_epoch_dialog import name_problem
from tlora_gui.ui.formats import human_share
from tlora_gui.ui.theme import scaled
from tlora_gui.ui.widgets.colour_picker import ColourPicker
from tlora_gui.ui.widgets.drops import local_paths, recognise, take_copy
from tlora_gui.ui.widgets.layouts import column, fields, label, row, tick_box
from tlora_gui.ui.widgets.questions import choose_file, choose_folder

WIDTH = 600


class ImportAdapterDialog(QDialog):
    """Asks for an :class:`ImportAdapter`. Open with ``open()``; it deletes itself when it closes."""

    source_chosen = Signal(str)
    """Where the adapter is; answer with ``set_first_block``."""
    corpus_chosen = Signal(tuple)
    """Paths of text, whenever they change; answer with ``set_summary`` or ``set_error``."""
    preview_wanted = Signal(object)
    """PreviewBlocks; answer with ``set_preview``."""
    import_requested = Signal(ImportAdapter)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("importAdapterDialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Import an adapter"))
        self.setAcceptDrops(True)
        self._taken: tuple[str, ...] = ()
        self._name_typed = False
        self._backbone: BackboneInfo | None = None
        self._first_block: int | None = None
        self._on_hub = False
        self._build()
        self._update()

    # -- what to show -----------------------------------------------------------------------------------------

    def set_source(self, source: str) -> None:
        """Fill in a folder, a .zip or an id on the Hub, and a name after it."""
        self._source.setText(source)

    def set_backbone(self, backbone: BackboneInfo) -> None:
        """The project's; set it before the source."""
        self._backbone = backbone
        self._update()

    def set_first_block(self, source: str, first_block: int | None) -> None:
        """The lowest block that the adapter of a source changes; None if only the Hub can have it."""
        if source == self._source.text().strip():
            self._first_block, self._on_hub = first_block, first_block is None
            self._update()

    def set_texts(self, paths: Sequence[str]) -> None:
        """Fill in files and folders of its kind of text; ``corpus_chosen`` follows."""
        self._text.setChecked(True)
        self._corpus.set_paths(paths)

    def set_taken_names(self, names: Iterable[str]) -> None:
        """Names of the epochs that there are."""
        self._taken = tuple(names)
        self._update()

    def set_used_colours(self, colours: Iterable[str]) -> None:
        """Colours of the epochs that there are; the first other one is proposed."""
        self._colour.choose_first_free(colours)

    def set_interrupted(self, names: Sequence[str]) -> None:
        """Names of interrupted epochs, which this would end for good; a line warns of it."""
        line = self.tr("{name} is interrupted and can no longer go on once another epoch is there.")
        self._interrupted.setText("\n".join(line.format(name=name) for name in names))
        self._interrupted.setVisible(bool(names))

    def set_summary(self, summary: CorpusSummary) -> None:
        """What the engine found in the text."""
        self._corpus.set_summary(summary, SLOT_SETTINGS)
        self._update()

    def set_error(self, message: str, hint: str = "") -> None:
        """The engine could not look through the text."""
        self._corpus.set_error(message, hint)
        self._update()

    def set_preview(self, preview: BlocksPreviewed) -> None:
        """The beginning of the text, as the model sees it."""
        self._corpus.view.show_blocks(preview)

    # -- building ---------------------------------------------------------------------------------------------

    def _build(self) -> None:
        what = label(
            self.tr(
                "A LoRA adapter that was trained on this project's backbone. What an epoch cannot be exactly is "
                "refused, with the reason."
            ),
            "caption",
            wrap=True,
        )
        self._dreams = QRadioButton(self.tr("Its own &dreams"))
        self._dreams.setObjectName("ownDreamsChoice")
        self._dreams.setToolTip(self.tr("The backbone with this adapter writes text by itself; no loss is measured"))
        self._text = QRadioButton(self.tr("Text of its &kind"))  # a mark at the T makes "Te" wider than reckoned
        self._text.setObjectName("ownTextChoice")
        self._text.setToolTip(self.tr("Files and folders like those that it was trained on; losses are measured too"))
        self._dreams.setChecked(True)
        self._corpus = CorpusBox()
        self._corpus.hide()
        choice = row(self._dreams, self._text, None, spacing=16)
        content = column(
            column(label(self.tr("Adapter"), "title"), self._source_row(), what, self._router_box()),
            column(label(self.tr("The Time Mixer learns its slot from"), "title"), choice, self._corpus),
            column(label(self.tr("Epoch"), "title"), self._names()),
            None, spacing=18, margins=(20, 16, 20, 12),
        )  # fmt: skip
        self.setLayout(column(content, self._footer(), spacing=0))
        self._start.setDefault(True)
        for edit in self.findChildren(QLineEdit):
            edit.setAcceptDrops(False)  # the dialog takes files wherever they are let go
        self.setMinimumWidth(scaled(WIDTH))
        self._text.toggled.connect(self._text_toggled)
        self._corpus.chosen.connect(self._paths_chosen)
        self._corpus.view.preview_wanted.connect(lambda: self.preview_wanted.emit(PreviewBlocks(self._corpus.paths())))

    def _source_row(self) -> QWidget:
        self._source = QLineEdit()
        self._source.setObjectName("adapterSourceEdit")
        self._source.setPlaceholderText(self.tr("Folder, .zip, or an id on the Hub (owner/name)"))
        self._source.setAccessibleName(self.tr("Where the adapter is"))
        self._source.setToolTip(self.tr("The adapter's folder, a .zip of it, or its id on the Hugging Face Hub"))
        self._source.setClearButtonEnabled(True)
        self._source.textChanged.connect(self._source_changed)
        folder = QPushButton(self.tr("Folder…"))
        folder.setToolTip(self.tr("Choose the adapter's folder"))
        folder.setAccessibleName(self.tr("Choose the adapter's folder"))
        folder.clicked.connect(self._choose_folder)
        packed = QPushButton(self.tr(".zip…"))
        packed.setToolTip(self.tr("Choose a .zip of the adapter's folder"))
        packed.setAccessibleName(self.tr("Choose a .zip of the adapter's folder"))
        packed.clicked.connect(self._choose_zip)
        whole = QWidget()
        whole.setLayout(row(self._source, folder, packed))
        return whole

    def _router_box(self) -> QWidget:
        """Shown for an adapter that reaches below the block before which the Time Mixer reads, or might."""
        self._reach = label("", "caption", wrap=True)
        self._reach.setObjectName("adapterReach")
        self._bare = tick_box(self.tr("Let the Time Mixer read the &bare backbone"))
        self._bare.setObjectName("bareRouterTick")
        self._bare.setToolTip(
            self.tr(
                "The blocks below then run twice, first without any adapter: what the Time Mixer reads never moves. "
                "The project keeps this."
            )
        )
        self._bare.toggled.connect(self._update)
        self._router = QWidget()
        self._router.setLayout(column(self._reach, self._bare))
        return self._router

    def _names(self) -> QWidget:
        self._name = QLineEdit()
        self._name.setMaxLength(MAX_NAME)
        self._name.setObjectName("epochNameEdit")
        self._name.setAccessibleName(self.tr("Name of the epoch"))
        self._name.setToolTip(self.tr("Name of the epoch, and of its adapter"))
        self._name.textEdited.connect(self._name_edited)
        self._name.textChanged.connect(self._update)
        self._era = QLineEdit()
        self._era.setObjectName("epochEraEdit")
        self._era.setPlaceholderText(self.tr("such as Renaissance era"))
        self._era.setAccessibleName(self.tr("Era of the epoch"))
        self._era.setToolTip(self.tr("The time or the kind of text, in your words; can stay empty"))
        self._colour = ColourPicker()
        whole = QWidget()
        whole.setLayout(
            fields((self.tr("&Name"), self._name), (self.tr("&Era"), self._era), (self.tr("&Colour"), self._colour))
        )
        return whole

    def _footer(self) -> QWidget:
        self._problem = label("", "problem", wrap=True)
        self._problem.setObjectName("importProblem")
        self._interrupted = label("", "caption", wrap=True)
        self._interrupted.setObjectName("interruptedNotice")
        self._interrupted.setTextFormat(Qt.TextFormat.PlainText)
        self._interrupted.hide()
        cancel = QPushButton(self.tr("Cancel"))
        cancel.setToolTip(self.tr("Close without importing"))
        cancel.setAutoDefault(False)
        cancel.clicked.connect(self.reject)
        self._start = QPushButton(self.tr("Import"))
        self._start.setObjectName("importAdapterButton")
        self._start.setProperty("role", "primary")
        self._start.setToolTip(self.tr("Make an epoch of it now, or after the one that is in training"))
        self._start.clicked.connect(self._start_clicked)
        footer = QWidget()
        footer.setObjectName("dialogFooter")
        words = column(self._interrupted, self._problem, spacing=2)
        footer.setLayout(column(words, row(None, cancel, self._start), margins=(20, 12, 20, 16)))
        return footer

    # -- state ------------------------------------------------------------------------------------------------

    def _source_changed(self, source: str) -> None:
        self._first_block, self._on_hub = None, False
        self._bare.setChecked(False)
        self.source_chosen.emit(source.strip())
        if not self._name_typed:
            last = os.path.basename(source.strip().replace("\\", "/").rstrip("/"))
            guess = last[: -len(".zip")] if last.lower().endswith(".zip") else last
            self._name.setText(free_name(guess, lambda name: bool(name_problem(name, self._taken))) if guess else "")
        self._update()

    def _name_edited(self, text: str) -> None:
        self._name_typed = bool(text.strip())

    def _text_toggled(self, wanted: bool) -> None:
        self._corpus.setVisible(wanted)
        self._update()
        self.adjustSize()

    def _paths_chosen(self, paths: tuple[str, ...]) -> None:
        self.corpus_chosen.emit(paths)
        self._update()

    def _update_router(self) -> bool:
        """Offer a Time Mixer that reads the bare backbone where the adapter needs it, or might. Gives whether it does
        and that is not allowed yet."""
        backbone, first = self._backbone, self._first_block
        below = backbone is not None and first is not None and first < backbone.mixer_layer
        if backbone is None or backbone.bare_router or not backbone.mixer_layer or not (below or self._on_hub):
            self._router.hide()
            return False
        words = (
            self.tr(
                "It changes blocks from {first} up. The Time Mixer of this project reads before block {layer}, and "
                "what it reads must not move. It can read the bare backbone instead, for about {share} more work per "
                "token."
            )
            if below
            else self.tr(
                "If it changes blocks below {layer}, before which the Time Mixer of this project reads, the Time Mixer "
                "has to read the bare backbone, for about {share} more work per token."
            )
        )
        share = human_share(backbone.mixer_layer / backbone.blocks)
        self._reach.setText(words.format(first=first, layer=backbone.mixer_layer, share=share))
        if self._router.isHidden():
            self._router.show()
            self.adjustSize()
        return below and not self._bare.isChecked()

    def _update(self) -> None:
        source, summary = self._source.text().strip(), self._corpus.summary
        problem = name_problem(self._name.text().strip(), self._taken)
        shown = problem if source or self._name_typed else ""  # an empty form is not a mistake
        self._problem.setText(shown)
        self._problem.setVisible(bool(shown))
        has_text = summary is not None and not summary.problem
        forbidden = self._update_router()
        ready = bool(source) and not problem and not forbidden
        self._start.setEnabled(ready and (has_text or not self._text.isChecked()))

    def _start_clicked(self) -> None:
        self._corpus.take_text()
        self._update()
        if self._start.isEnabled():
            job = ImportAdapter(
                source=self._source.text().strip(),
                name=self._name.text().strip(),
                era=self._era.text().strip(),
                colour=self._colour.colour(),
                paths=self._corpus.paths() if self._text.isChecked() else (),
                bare_router=self._bare.isChecked() and not self._router.isHidden(),
            )
            self.import_requested.emit(job)
            self.accept()

    # -- choosing and drops -----------------------------------------------------------------------------------

    def _start_folder(self) -> str:
        return os.path.dirname(self._source.text()) or str(Path.home())

    def _choose_folder(self) -> None:
        choose_folder(self, self.tr("The adapter's folder"), self._start_folder(), self.set_source)

    def _choose_zip(self) -> None:
        zips = self.tr("Packed folders (*.zip)")
        choose_file(self, self.tr("A .zip of the adapter's folder"), self._start_folder(), self.set_source, zips)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if local_paths(event.mimeData()):
            take_copy(event)

    def dropEvent(self, event: QDropEvent) -> None:
        take_copy(event)
        things = [recognise(path) for path in local_paths(event.mimeData())]
        adapters = [thing.path for thing in things if thing.kind == "adapter"]
        texts = [thing.path for thing in things if thing.kind == "other"]
        if adapters:
            self.set_source(adapters[0])
        if texts:
            self.set_texts(texts)
