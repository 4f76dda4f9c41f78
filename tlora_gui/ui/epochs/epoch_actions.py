"""What a person does with one epoch, with the dialogs that belong to it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtWidgets import QWidget

from tlora_gui.engine.protocol.events import EpochInfo
from tlora_gui.engine.protocol.jobs import Job
from tlora_gui.ui.epochs.edit_epoch_dialog import EditEpochDialog
from tlora_gui.ui.epochs.epoch_menu import EpochMenu
from tlora_gui.ui.epochs.merge_dialog import MergeDialog, gguf_suffixes
from tlora_gui.ui.widgets.questions import Choice, ask, choose_folder, choose_target


class EpochActions(QObject):
    """Menu, edit dialog, places of exports and the question before discarding; emits what was decided."""

    edit_requested = Signal(str, str, str, str)
    """slug, name, era, colour"""
    export_requested = Signal(str, str)
    """slug, folder or .gguf file"""
    merge_requested = Signal(object)
    """ExportMerge"""
    delete_requested = Signal(str)
    resume_requested = Signal(str)
    repair_requested = Signal(str)
    keep_requested = Signal(str)
    discard_requested = Signal(str)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._epochs: dict[str, EpochInfo] = {}
        self._repairs: dict[str, Job] = {}
        self._busy = False
        self._menu = EpochMenu(window)
        self._menu.resume_requested.connect(self.resume_requested)
        self._menu.keep_requested.connect(self.keep_requested)
        self._menu.discard_requested.connect(self.discard)
        self._menu.repair_requested.connect(self.repair_requested)
        self._menu.rename_requested.connect(self._edit)
        self._menu.recolour_requested.connect(self._edit_colour)
        self._menu.export_requested.connect(self._choose_export_folder)
        self._menu.export_gguf_requested.connect(self._choose_gguf_file)
        self._menu.delete_requested.connect(self.delete_requested)

    def set_epochs(self, epochs: dict[str, EpochInfo], busy: bool, repairs: dict[str, Job]) -> None:
        """The epochs by slug, whether other work holds some actions back, and what makes broken epochs whole."""
        self._epochs, self._busy, self._repairs = epochs, busy, repairs

    def open_menu(self, slug: str, where: QPoint) -> None:
        """Offer what can be done with this epoch, at a point on the screen."""
        self._menu.set_epoch(self._epochs[slug], self._busy, self._repairs.get(slug))
        self._menu.popup(where)

    def rename(self, slug: str) -> None:
        """Open the edit dialog, if the epoch can be renamed."""
        self._menu.set_epoch(self._epochs[slug], self._busy, self._repairs.get(slug))
        self._menu.rename.trigger()

    def delete(self, slug: str) -> None:
        """Ask for the epoch to be deleted, if it can be."""
        self._menu.set_epoch(self._epochs[slug], self._busy, self._repairs.get(slug))
        self._menu.delete.trigger()

    def merge(self) -> None:
        """Open the dialog that merges finished epochs, if there are any."""
        if finished := [epoch for epoch in self._epochs.values() if epoch.state == "frozen"]:
            dialog = MergeDialog(finished, self._window.window())
            dialog.export_requested.connect(self.merge_requested)
            dialog.open()

    def discard(self, slug: str) -> None:
        """Ask whether an interrupted training is to be thrown away."""
        title = self.tr("Discard the training of {name}?").format(name=self._epochs[slug].name)
        text = self.tr("What it has learned so far is deleted. This cannot be undone.")
        choice = Choice("discard", self.tr("Discard"), destructive=True)
        ask(self._window, title, text, (choice,), self.tr("Cancel"), lambda _key: self.discard_requested.emit(slug))

    def _edit(self, slug: str, colour_first: bool = False) -> None:
        others = tuple(epoch.name for epoch in self._epochs.values() if epoch.slug != slug)
        dialog = EditEpochDialog(self._epochs[slug], others, self._window)
        dialog.edited.connect(self.edit_requested)
        if colour_first:
            dialog.focus_colour()
        dialog.open()

    def _edit_colour(self, slug: str) -> None:
        self._edit(slug, colour_first=True)

    def _choose_export_folder(self, slug: str) -> None:
        title = self.tr("Folder for the adapter of {name}").format(name=self._epochs[slug].name)
        choose_folder(self._window, title, str(Path.home()), lambda folder: self.export_requested.emit(slug, folder))

    def _choose_gguf_file(self, slug: str) -> None:
        title = self.tr("Save the GGUF adapter")
        choose_target(
            self._window, title, f"{slug}.gguf", gguf_suffixes(), lambda file: self.export_requested.emit(slug, file)
        )
