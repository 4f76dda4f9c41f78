"""The epochs of a project: backbone first, then each epoch, then those that wait."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeySequence,
    QShortcut,
)
from PySide6.QtWidgets import QAbstractButton, QFrame, QListWidgetItem, QPushButton, QWidget

from tlora_gui.engine.protocol.events import BackboneInfo, EpochInfo, HeldOut, Progress, TrainStep
from tlora_gui.engine.protocol.jobs import Job
from tlora_gui.ui.epochs.card_list import CardList
from tlora_gui.ui.epochs.cards import QUEUE_MIME, BackboneCard, Card, EpochCard, PendingCard, held_out_tooltip
from tlora_gui.ui.epochs.drop_zone import DropZone
from tlora_gui.ui.epochs.epoch_actions import EpochActions
from tlora_gui.ui.epochs.training_box import TrainingBox
from tlora_gui.ui.theme import scaled
from tlora_gui.ui.widgets.drops import local_paths, take_copy
from tlora_gui.ui.widgets.layouts import column, label, row, small_button
from tlora_gui.ui.widgets.own_keys import OwnKey

_BACKBONE, _PREPARING, _EPOCH, _QUEUE = "backbone", "preparing", "epoch:", "queue:"
_EDGE = 10


class EpochsPanel(QFrame):
    """Lists the epochs and asks for new ones, for changes, and for training to pause or stop."""

    add_requested = Signal()
    files_dropped = Signal(list)
    pause_requested = Signal(int, bool)
    """Number of the training; True to pause, False to go on."""
    stop_requested = Signal(int, str)
    """Number of the training that the question was about; "keep" or "discard"."""
    resume_requested = Signal(str)
    keep_requested = Signal(str)
    discard_requested = Signal(str)
    repair_requested = Signal(str)
    edit_requested = Signal(str, str, str, str)
    """slug, name, era, colour"""
    export_requested = Signal(str, str)
    """slug, folder or .gguf file"""
    merge_requested = Signal(object)
    """ExportMerge"""
    delete_requested = Signal(str)
    pause_all_requested = Signal(bool)
    """True to pause what runs and to let nothing begin, False to go on."""
    unqueue_requested = Signal(int)
    """Place in the queue."""
    queue_edit_requested = Signal(int)
    queue_moved = Signal(int, int)
    """From one place in the queue to another."""
    epoch_activated = Signal(str)
    """Slug, empty for the backbone."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("epochsPanel")
        self.setProperty("role", "panel")
        self.setAcceptDrops(True)
        self._backbone: BackboneInfo | None = None
        self._epochs: dict[str, EpochInfo] = {}
        self._repairs: dict[str, Job] = {}
        self._queue: tuple[str, ...] = ()
        self._all_paused = False
        self._preparing: tuple[str, str] | None = None
        self._busy = self._following = False
        self._build()
        self.set_following("")

    def _build(self) -> None:
        self._add = QPushButton(self.tr("+ Add"))
        self._add.setObjectName("addEpochButton")
        self._add.setAccessibleName(self.tr("Add an epoch"))
        self._add.clicked.connect(self.add_requested)
        self._list = CardList()
        self._list.setObjectName("epochList")
        self._list.setAccessibleName(self.tr("Epochs"))
        self._list.itemActivated.connect(self._activated)
        self._list.card_leaving.connect(self._card_leaving)
        self._drop = DropZone()
        self._drop.clicked.connect(self.add_requested)
        self._pause_all = small_button("", "", "pauseAllButton")
        self._pause_all.clicked.connect(lambda: self.pause_all_requested.emit(not self._all_paused))
        header = row(label(self.tr("Epochs"), "heading"), None, self._pause_all, self._add, margins=(2, 0, _EDGE, 0))
        drop = row(self._drop, margins=(0, 0, _EDGE, 0))
        whole = column(header, self._list, drop, spacing=10, margins=(_EDGE, 8, 0, 10))
        whole.addStrut(scaled(234) + _EDGE)
        self.setLayout(whole)
        self._box = TrainingBox(self)
        self._box_key = ""  # the card that holds it
        self._box_of = ""  # the epoch whose values it shows
        self._box.hide()
        self._box.pause_requested.connect(self.pause_requested)
        self._box.stop_requested.connect(self.stop_requested)
        self._actions = EpochActions(self)
        self._actions.edit_requested.connect(self.edit_requested)
        self._actions.export_requested.connect(self.export_requested)
        self._actions.merge_requested.connect(self.merge_requested)
        self._actions.delete_requested.connect(self.delete_requested)
        self._actions.discard_requested.connect(self.discard_requested)
        self._actions.resume_requested.connect(self.resume_requested)
        self._actions.keep_requested.connect(self.keep_requested)
        self._actions.repair_requested.connect(self.repair_requested)
        OwnKey(Qt.Key.Key_F2, self, self._rename_current)
        alt = Qt.KeyboardModifier.AltModifier
        for key, slot in (
            (QKeySequence(Qt.Key.Key_Delete), self._delete_current),
            (QKeySequence(alt | Qt.Key.Key_Up), partial(self._move_current, -1)),
            (QKeySequence(alt | Qt.Key.Key_Down), partial(self._move_current, 1)),
        ):
            shortcut = QShortcut(key, self._list)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(slot)

    # -- what to show -----------------------------------------------------------------------------------------

    def set_backbone(self, info: BackboneInfo | None) -> None:
        """The frozen model; None while no project is open, so that nothing can be added."""
        self._backbone = info
        self._arrange()

    def set_epochs(self, epochs: tuple[EpochInfo, ...]) -> None:
        """All epochs of the project in order. Selection and running training stay as they are."""
        self._epochs = {epoch.slug: epoch for epoch in epochs}
        if any(epoch.state == "training" for epoch in epochs):
            self._preparing = None
        self._arrange()

    def set_repairs(self, repairs: dict[str, Job]) -> None:
        """What makes broken epochs whole, by slug."""
        self._repairs = repairs
        self._arrange()

    def name_of(self, slug: str) -> str:
        """What an epoch is called; its slug if it is not there."""
        return self._epochs[slug].name if slug in self._epochs else slug

    def set_queue(self, names: tuple[str, ...]) -> None:
        """Names of the epochs that wait to be trained, next one first."""
        self._queue = names
        self._arrange()

    def set_all_paused(self, paused: bool) -> None:
        """Whether nothing is to begin."""
        self._all_paused = paused
        self._arrange()

    def set_training(self, number: int) -> None:
        """The training that is shown from now on; what is asked about it carries this number."""
        self._box.training = number

    def show_preparation(
        self, label: str, name: str = "", colour: str = "", *, importing: bool = False, keeping: bool = False
    ) -> None:
        """Say what goes on before the first step, or in an import or where an epoch is only kept, which have none.
        Until the epoch is listed a card of this name stands for it."""
        if not any(epoch.state == "training" for epoch in self._epochs.values()):
            self._preparing = (name or (self._preparing or ("", ""))[0] or self.tr("New epoch"), colour)
            self._arrange()
        changed = keeping != self._box.keeping
        self._box.show_preparation(label, learned=self._preparing is None, importing=importing, keeping=keeping)
        if changed:
            self._arrange()

    def show_amount(self, progress: Progress) -> None:
        """Show how far the preparation is, where its end is known."""
        self._box.show_amount(progress)

    def show_progress(self, step: TrainStep) -> None:
        """Show how far the training is."""
        self._box.show_step(step)

    def show_held_out(self, event: HeldOut) -> None:
        """Show the latest measurement of the epoch in training."""
        epoch = self._epochs.get(event.slug)
        if epoch is not None and self._box_key == _EPOCH + event.slug:
            self._box.show_held_out(event.loss, held_out_tooltip(event.loss, epoch.backbone_loss))
            self._box.show_patience(event.no_better, event.patience)

    def set_paused(self, paused: bool) -> None:
        """Training stands still, or goes on."""
        self._box.set_paused(paused)
        self._arrange()

    def set_following(self, reason: str) -> None:
        """What is in training is trained elsewhere: it can neither be paused nor stopped here, and nothing added.

        ``reason`` says so, or is "" where the project is this window's.
        """
        self._following = bool(reason)
        self._box.set_following(self._following)
        self._add.setToolTip(reason or self.tr("Train a new epoch on text of yours"))
        self._arrange()

    def set_waiting(self, waiting: bool) -> None:
        """Training stands still because a text is being written or read, or goes on."""
        self._box.set_waiting(waiting)

    def set_busy(self, busy: bool) -> None:
        """Long work runs: what would have to wait for it (delete, resume, discard) can't be asked for."""
        self._busy = busy
        self._arrange()

    def clear_preparation(self) -> None:
        """The epoch that was being prepared will not come."""
        self._preparing = None
        self._arrange()

    def merge(self) -> None:
        """Ask which epochs to merge, and what to make of them."""
        self._actions.merge()

    def set_drop_active(self, active: bool) -> None:
        """Files are being dragged over the window."""
        self._drop.set_active(active)

    # -- cards ------------------------------------------------------------------------------------------------

    def _arrange(self) -> None:
        keys = [_BACKBONE, *(_EPOCH + slug for slug in self._epochs)]
        keys += [_PREPARING] if self._preparing else []
        keys += [f"{_QUEUE}{index}" for index in range(len(self._queue))]
        self._actions.set_epochs(self._epochs, self._busy, self._repairs)
        self._list.set_keys(keys, self._make_card)
        self._place_box()
        for key in keys:
            self._fill_card(key)
        self._list.fit_heights()
        self._order_tabs(keys)
        self._show_pause_all()
        may_add = self._backbone is not None and not self._following
        self._add.setEnabled(may_add)
        self._drop.setEnabled(may_add)
        self._list.mark_current()

    def _show_pause_all(self) -> None:
        """With a queue, all of it can be paused at once."""
        self._pause_all.setVisible(bool(self._queue) or self._all_paused)
        if self._all_paused:
            text, what = self.tr("Resume all"), self.tr("Go on training, one waiting epoch after another")
        else:
            text, what = self.tr("Pause all"), self.tr("Pause the training, and let no waiting epoch begin")
        self._pause_all.setText(text)
        self._pause_all.setToolTip(what)
        self._pause_all.setAccessibleName(text)
        self._pause_all.setAccessibleDescription(what)

    def _order_tabs(self, keys: list[str]) -> None:
        before: QWidget = self._list
        for key in keys:
            card = self._list.card(key)
            for button in card.findChildren(QAbstractButton) if card is not None else ():
                if button.window() is not self.window():  # a question over the card has an order of its own
                    continue
                QWidget.setTabOrder(before, button)
                before = button
        QWidget.setTabOrder(before, self._drop)

    def _make_card(self, key: str) -> Card:
        if key == _BACKBONE:
            return BackboneCard()
        if key.startswith(_EPOCH):
            card = EpochCard()
            card.menu_requested.connect(self._actions.open_menu)
            card.resume_requested.connect(self.resume_requested)
            card.keep_requested.connect(self.keep_requested)
            card.discard_requested.connect(self._actions.discard)
            card.repair_requested.connect(self.repair_requested)
            return card
        pending = PendingCard(key if key.startswith(_QUEUE) else "")
        if key.startswith(_QUEUE):
            index = int(key.removeprefix(_QUEUE))
            pending.edit_requested.connect(lambda: self.queue_edit_requested.emit(index))
            pending.remove_requested.connect(lambda: self.unqueue_requested.emit(index))
        return pending

    def _fill_card(self, key: str) -> None:
        card = self._list.card(key)
        if isinstance(card, BackboneCard):
            card.set_backbone(self._backbone)
        elif isinstance(card, EpochCard):
            slug = key.removeprefix(_EPOCH)
            has_box = key == self._box_of
            card.set_epoch(self._epochs[slug], self._box.paused and has_box, self._box.keeping and has_box)
            card.set_repair(self._repairs.get(slug))
            card.set_busy(self._busy)
        elif isinstance(card, PendingCard) and key == _PREPARING and self._preparing:
            card.show_preparing(*self._preparing)
        elif isinstance(card, PendingCard):
            index = int(key.removeprefix(_QUEUE))
            card.show_queued(self._queue[index], index + 1)

    def _place_box(self) -> None:
        training = next((epoch for epoch in self._epochs.values() if epoch.state == "training"), None)
        if training is not None:
            key, name, colour = _EPOCH + training.slug, training.name, training.colour
        elif self._preparing:
            key, (name, colour) = _PREPARING, self._preparing
        else:
            self._release_box()
            self._box_of = ""
            return
        if key != self._box_key:
            self._release_box()
            if key != self._box_of:
                self._box.reset(name, colour)
                self._box_of = key
            card = self._list.card(key)
            if isinstance(card, Card):
                card.hold(self._box)
                self._box_key = key
        self._box.set_epoch(name, colour)
        if training is not None and training.held_out_loss is not None:
            tooltip = held_out_tooltip(training.held_out_loss, training.backbone_loss)
            self._box.show_held_out(training.held_out_loss, tooltip)

    def _release_box(self) -> None:
        self._box.hide()
        self._box.setParent(self)
        self._box_key = ""

    def _card_leaving(self, key: str) -> None:
        if key == self._box_key:
            self._release_box()

    # -- what is asked ----------------------------------------------------------------------------------------

    def _activated(self, item: QListWidgetItem) -> None:
        key = self._list.current_key()
        if key == _BACKBONE or key.startswith(_EPOCH):
            self.epoch_activated.emit(self._slug_of(key))
        elif (place := self._place_of(key)) is not None:
            self.queue_edit_requested.emit(place)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            key = self._list.current_key()
            card = self._list.card(key)
            where = card.mapToGlobal(QPoint(24, 24)) if card is not None else event.globalPos()
        else:
            key, where = self._list.key_at(self._list.viewport().mapFrom(self, event.pos())), event.globalPos()
        slug = self._slug_of(key)
        if slug and self._epochs[slug].state != "queued":
            self._actions.open_menu(slug, where)

    def _rename_current(self) -> None:
        if slug := self._slug_of(self._list.current_key()):
            self._actions.rename(slug)

    def _delete_current(self) -> None:
        if slug := self._slug_of(self._list.current_key()):
            self._actions.delete(slug)
        elif (place := self._place_of(self._list.current_key())) is not None:
            self.unqueue_requested.emit(place)

    def _move_current(self, by: int) -> None:
        place = self._place_of(self._list.current_key())
        if place is not None:
            self._move(place, place + by)

    def _move(self, place: int, to: int) -> None:
        """Ask for another order, and go along with what has moved."""
        if place != to and 0 <= to < len(self._queue):
            self.queue_moved.emit(place, to)
            self._list.setCurrentRow(self._list.keys().index(f"{_QUEUE}{to}"))

    def _place_of(self, key: str) -> int | None:
        """Place in the queue of a waiting epoch's card; None for all other cards."""
        return int(key.removeprefix(_QUEUE)) if key.startswith(_QUEUE) else None

    def _slug_of(self, key: str) -> str:
        """Slug of an epoch's card; empty for all other cards."""
        return key.removeprefix(_EPOCH) if key.startswith(_EPOCH) else ""

    # -- drops ------------------------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasFormat(QUEUE_MIME):
            event.acceptProposedAction()
        elif self._backbone is not None and local_paths(event.mimeData()):
            take_copy(event)
            self.set_drop_active(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.set_drop_active(False)

    def dropEvent(self, event: QDropEvent) -> None:
        if event.mimeData().hasFormat(QUEUE_MIME):
            event.acceptProposedAction()
            self._drop_waiting(event.mimeData().data(QUEUE_MIME).toStdString(), event.position().toPoint())
            return
        take_copy(event)
        self.set_drop_active(False)
        self.files_dropped.emit(local_paths(event.mimeData()))

    def _drop_waiting(self, key: str, where: QPoint) -> None:
        """A waiting epoch was let go: on another one it takes its place, below all it becomes the last."""
        viewport = self._list.viewport()
        inside = viewport.mapFrom(self, where)
        target = self._list.key_at(inside) if viewport.rect().contains(inside) else ""
        to = self._place_of(target)
        below = not target and where.y() > self._list.geometry().top()
        place = self._place_of(key)
        if place is not None and place < len(self._queue):
            self._move(place, to if to is not None else len(self._queue) - 1 if below else 0)
