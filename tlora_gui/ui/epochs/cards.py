"""The cards of the epochs panel: the backbone, an epoch, and an epoch that waits its turn."""

from __future__ import annotations

import math

from PySide6.QtCore import QMimeData, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QDrag, QMouseEvent, QPixmap
from PySide6.QtWidgets import QApplication, QFrame, QLabel, QPushButton, QToolButton, QWidget

from tlora_gui.engine.protocol.config import BACKBONE_COLOUR, BACKBONE_SLOT
from tlora_gui.engine.protocol.events import BackboneInfo, EpochInfo
from tlora_gui.engine.protocol.jobs import Job
from tlora_gui.ui.epochs.epoch_menu import repair_words
from tlora_gui.ui.epochs.training_box import TrainingBox
from tlora_gui.ui.formats import human_count, human_parameters, localised, loss_text
from tlora_gui.ui.translation import filled, tr, worded
from tlora_gui.ui.widgets.elided_label import ElidedLabel
from tlora_gui.ui.widgets.icons import icon
from tlora_gui.ui.widgets.layouts import Ends, column, label, row
from tlora_gui.ui.widgets.swatch import BACKBONE_SIGN, Swatch, initial

QUEUE_MIME = "application/x-tlora-queue"
"""A waiting epoch that is dragged to another place in the queue."""

_SIGN = QSize(12, 12)


def held_out_tooltip(loss: float | None, backbone_loss: float | None) -> str:
    """What the held-out loss of an epoch means, compared with the backbone's on the same text."""

    if loss is None:
        return ""
    lines = [tr("Held-out loss: {loss} nats per token on text kept aside from training. Lower is better.")]
    if backbone_loss is not None:
        lines.append(tr("The backbone alone has {backbone} on the same text."))
        if loss < backbone_loss:
            lines.append(tr("So the epoch finds a token of it {times} times as probable, on (geometric) average."))
    times = math.exp(min((backbone_loss or loss) - loss, 50.0))
    return " ".join(lines).format(
        loss=loss_text(loss), backbone=loss_text(backbone_loss), times=localised(f"{times:.1f}")
    )


def _flat_button(sign: str, name: str, tooltip: str) -> QToolButton:
    button = QToolButton()
    button.setIcon(icon(sign))
    button.setProperty("role", "icon")
    button.setAccessibleName(name)
    button.setToolTip(tooltip)
    return button


class Card(QFrame):
    """A frame with swatch, name and a second line; what else it holds comes below."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self._swatch = Swatch()
        self._name = ElidedLabel("name")
        self._second = ElidedLabel("caption")
        self._sign = QLabel()
        self._state = label("", "caption")
        self._top = row(self._name, spacing=4)
        lines = column(self._top, Ends(self._second, row(self._sign, self._state, spacing=4), spacing=4), spacing=2)
        self._body = column(row(self._swatch, lines), spacing=8, margins=(10, 9, 10, 9))
        self.setLayout(self._body)

    def _show_head(self, name: str, second: str, colour: str, sign: str) -> None:
        self._name.show_text(name)
        self._second.show_text(second)
        self._swatch.set_epoch(colour, sign)

    def _show_state(self, state: str, text: str) -> None:
        self._sign.setVisible(bool(text))
        self._sign.setPixmap(icon(state).pixmap(_SIGN) if state else QPixmap())
        self._state.setVisible(bool(text))
        self._state.setText(text)

    def hold(self, box: TrainingBox) -> None:
        """Take the training box in, at the bottom."""
        self._body.addWidget(box)
        box.show()


class BackboneCard(Card):
    """The frozen model that everything stands on, slot 0 of the Time Mixer."""

    def set_backbone(self, info: BackboneInfo | None) -> None:
        """None: no project is open yet."""
        if info is None:
            second, tooltip = self.tr("no backbone yet"), ""
        elif not info.device:  # the project is only followed
            second, tooltip = info.name, self.tr("It is not loaded here: its training runs elsewhere.")
        else:
            second = f"{info.name} · {info.device}"
            tooltip = filled(
                self.tr(
                    "{name}: {parameters} parameters, {blocks} blocks, {context} tokens of context, {dtype} on "
                    "{device}. Never trained. Adapters and Time Mixer start at block {mixer_layer}."
                ),
                name=info.name, parameters=human_parameters(info.parameters), blocks=info.blocks,
                context=info.context_length, dtype=info.dtype, device=info.device, mixer_layer=info.mixer_layer,
            )  # fmt: skip
            bare = self.tr("The Time Mixer reads it without any adapter.") if info.bare_router else ""
            tooltip = " ".join(filter(None, (tooltip, bare, worded(info.note))))
        self._show_head(BACKBONE_SLOT, second, BACKBONE_COLOUR, BACKBONE_SIGN)
        self._show_state("", "")
        self._second.show_text(second, tooltip)
        self.setAccessibleName(f"{BACKBONE_SLOT}, {second}")
        self.setAccessibleDescription(tooltip)


class EpochCard(Card):
    """One epoch, whatever its state."""

    menu_requested = Signal(str, QPoint)
    """slug, where on the screen"""
    resume_requested = Signal(str)
    keep_requested = Signal(str)
    discard_requested = Signal(str)
    repair_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._slug = ""
        self._menu = _flat_button("more", "", self.tr("Rename, recolour, export, delete"))
        self._menu.setObjectName("epochMenuButton")
        self._menu.clicked.connect(self._open_menu)
        self._top.addWidget(self._menu)
        self._tokens = ElidedLabel("caption")
        self._held_out = label("", "caption")
        self._held_out.setObjectName("heldOutLabel")
        self._measured = QWidget()
        self._measured.setLayout(Ends(self._tokens, self._held_out))
        self._note = label("", "caption", wrap=True)
        self._note.setTextFormat(Qt.TextFormat.PlainText)
        self._resume = QPushButton(self.tr("Resume"))
        self._resume.setObjectName("resumeButton")
        self._resume.setToolTip(self.tr("Go on with this training from its checkpoint"))
        self._resume.clicked.connect(lambda: self.resume_requested.emit(self._slug))
        self._keep = QPushButton(self.tr("Keep"))
        self._keep.setObjectName("keepInterruptedButton")
        self._keep.setToolTip(self.tr("Make a finished epoch of what this training has learned so far"))
        self._keep.clicked.connect(lambda: self.keep_requested.emit(self._slug))
        self._discard = QPushButton(self.tr("Discard…"))
        self._discard.setObjectName("discardInterruptedButton")
        self._discard.setToolTip(self.tr("Throw away what this training has learned so far"))
        self._discard.clicked.connect(lambda: self.discard_requested.emit(self._slug))
        self._interrupted = QWidget()
        self._interrupted.setLayout(Ends(row(self._resume, self._keep), self._discard, equal=True))
        self._repair = QPushButton()
        self._repair.setObjectName("repairButton")
        self._repair.clicked.connect(lambda: self.repair_requested.emit(self._slug))
        self._repair.hide()
        for part in (self._measured, self._note, self._interrupted, self._repair):
            self._body.addWidget(part)

    def set_epoch(self, epoch: EpochInfo, paused: bool = False, keeping: bool = False) -> None:
        """Show this epoch; ``paused``: its training stands still; ``keeping``: it is finished as it is."""
        self._slug = epoch.slug
        broken = epoch.state == "broken"
        self._show_head(epoch.name, epoch.era, BACKBONE_COLOUR if broken else epoch.colour, initial(epoch.name))
        self._name.setEnabled(not broken)
        state = self.tr("being kept") if keeping else self._state_words(epoch.state)
        state = self.tr("paused") if paused else state
        self._show_state("interrupted" if paused else epoch.state, state)
        tokens = self.tr("{n} tokens").format(n=human_count(epoch.tokens)) if epoch.tokens else ""
        self._tokens.show_text(tokens, ", ".join(epoch.corpus))
        loss = epoch.held_out_loss
        self._held_out.setText("" if loss is None else self.tr("held-out {loss}").format(loss=loss_text(loss)))
        self._held_out.setToolTip(held_out_tooltip(loss, epoch.backbone_loss))
        measured = bool(tokens) or loss is not None
        self._measured.setVisible(measured and epoch.state in ("frozen", "interrupted"))
        note = worded(epoch.note)
        self._note.setText(note)
        self._note.setVisible(bool(note))
        self._interrupted.setVisible(epoch.state == "interrupted")
        for button in (self._resume, self._keep):
            button.setVisible(epoch.goes_on)
        self._menu.setVisible(epoch.state != "queued")
        self._menu.setAccessibleName(self.tr("Actions for {name}").format(name=epoch.name))
        self.setAccessibleName(", ".join(part for part in (epoch.name, epoch.era, state, tokens, note) if part))

    def set_repair(self, job: Job | None) -> None:
        """Offer what makes it whole, if anything does."""
        text, tip = repair_words(job)
        self._repair.setText(text)
        self._repair.setToolTip(tip)
        self._repair.setVisible(job is not None)

    def set_busy(self, busy: bool) -> None:
        """While other work runs, an interrupted training can't be taken up, and nothing repaired."""
        self._repair.setEnabled(not busy)
        self._resume.setEnabled(not busy)
        self._keep.setEnabled(not busy)
        self._discard.setEnabled(not busy)

    def _state_words(self, state: str) -> str:
        return {
            "frozen": self.tr("frozen"),
            "training": self.tr("training"),
            "queued": self.tr("queued"),
            "interrupted": self.tr("interrupted"),
            "broken": self.tr("broken"),
        }[state]

    def _open_menu(self) -> None:
        self.menu_requested.emit(self._slug, self._menu.mapToGlobal(QPoint(0, self._menu.height())))


class PendingCard(Card):
    """A new epoch before the engine has made it: being prepared, or waiting in the queue, where it can be dragged."""

    remove_requested = Signal()
    edit_requested = Signal()

    def __init__(self, drag_key: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._drag_key = drag_key
        self._pressed: QPoint | None = None
        self._edit = _flat_button("more", self.tr("Change this epoch"), self.tr("Change what waits: text and settings"))
        self._edit.setObjectName("editQueuedButton")
        self._edit.clicked.connect(self.edit_requested)
        self._remove = _flat_button("close", self.tr("Remove from the queue"), self.tr("Don't train this epoch"))
        self._remove.setObjectName("unqueueButton")
        self._remove.clicked.connect(self.remove_requested)
        self._top.addWidget(self._edit)
        self._top.addWidget(self._remove)

    def show_queued(self, name: str, place: int) -> None:
        """It waits its turn; the next one has place 1."""
        self._show_head(name, self.tr("place {n}").format(n=place), BACKBONE_COLOUR, initial(name))
        self._show_state("queued", self.tr("queued"))
        self._remove.setAccessibleName(self.tr("Remove {name} from the queue").format(name=name))
        self._edit.setAccessibleName(self.tr("Change {name}").format(name=name))
        self.setAccessibleName(f"{name}, {self.tr('queued')}")
        self.setToolTip(self.tr("Drag it, or press Alt+Up or Alt+Down, for another place in the queue"))
        self.setAccessibleDescription(self.toolTip())

    def show_preparing(self, name: str, colour: str) -> None:
        """It is next; its text is being read."""
        self._show_head(name, self.tr("new epoch"), colour or BACKBONE_COLOUR, initial(name))
        self._show_state("training", self.tr("preparing"))
        self._remove.hide()
        self._edit.hide()
        self.setAccessibleName(f"{name}, {self.tr('preparing')}")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        self._pressed = event.position().toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None or not self._drag_key:
            return
        if (event.position().toPoint() - self._pressed).manhattanLength() >= QApplication.startDragDistance():
            data = QMimeData()
            data.setData(QUEUE_MIME, self._drag_key.encode())
            drag = QDrag(self.window())  # the card itself may be gone when it is let go
            drag.setMimeData(data)
            drag.setPixmap(self.grab())
            drag.setHotSpot(self._pressed)
            self._pressed = None
            drag.exec(Qt.DropAction.MoveAction)
