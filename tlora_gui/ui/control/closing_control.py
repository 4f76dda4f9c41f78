"""The window is to be closed: what goes on in it ends first, and what should be kept is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import cast

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtWidgets import QMessageBox, QWidget

from tlora_gui.engine.protocol.cancel import CancelMode
from tlora_gui.engine.protocol.events import Event, TrainStep
from tlora_gui.engine.protocol.jobs import TRAININGS, Job, KeepQueue, NewEpoch
from tlora_gui.ui.control.progress_control import ProgressControl
from tlora_gui.ui.translation import filled
from tlora_gui.ui.widgets.questions import Choice, ask
from tlora_gui.worker.engine_client import SHUTDOWN_S, EngineClient
from tlora_gui.worker.job_book import BookedJob

_PATIENCE_MS = 30_000
_HURRY_S = 0.5


class ClosingControl(QObject):
    """Asks what should become of a training, and lets every job end in its own time.

    Attributes:
        patience: how long the engine may be silent before it is left behind.

    Signals:
        may_close: nothing is lost by closing now; carries how many seconds the engine has to end.
        leaving: everything is being ended (True), or the window stays after all (False).
    """

    may_close = Signal(float)
    leaving = Signal(bool)

    def __init__(
        self, client: EngineClient, window: QWidget, progress: ProgressControl, waiting: Callable[[], int]
    ) -> None:
        super().__init__(window)
        self._client = client
        self._window = window
        self._progress = progress
        self._waiting = waiting
        self._closing = False
        self._keeping = False
        self._unasked = False
        self._question: QMessageBox | None = None
        self._learning: set[int] = set()
        self._asked_of: tuple[int, bool] | None = None  # a training, and whether it has learned nothing
        self.patience = QTimer(self, singleShot=True, interval=_PATIENCE_MS)
        self.patience.timeout.connect(self._hurry)
        client.received.connect(self._note_steps)

    def ask(self) -> None:
        """The person wants to close."""
        trainings = self._client.jobs(*TRAININGS)
        if self._closing:
            self._hurry()
        elif not trainings:
            self._end_all("discard", None)
        else:
            meant, job = next(iter(trainings.items()))
            choices = [
                Choice("suspend", self.tr("Resume later")),
                Choice("keep", self.tr("Keep what is learned")),
                Choice("discard", self.tr("Discard"), destructive=True),
            ]
            title, text = self.tr("An epoch is in training"), self.tr("What should become of it?")
            nothing = self._has_learned_nothing(meant, job)
            if nothing:
                text, choices = self.tr("Nothing is learned yet, so nothing can be kept."), choices[2:]
            if waiting := self._waiting():
                text += " " + filled(
                    self.tr("Those that wait their turn ({count}) are kept for the next start."), count=waiting
                )
            self._ask(title, text, choices, self.tr("Go on training"), partial(self._end_all, meant=meant))
            self._asked_of = meant, nothing

    @Slot()
    def leave(self) -> None:
        """The system wants it closed, and nobody can be asked: what is in training can be resumed later.

        The second time nothing is waited for.
        """
        if self._unasked:
            self.may_close.emit(_HURRY_S)
            return
        self._unasked = True
        if self._question is not None:
            self._question.reject()
        if not self._closing:
            meant, job = next(iter(self._client.jobs(*TRAININGS).items()), (None, None))
            nothing = meant is None or self._has_learned_nothing(meant, job)
            self._end_all("discard" if nothing else "suspend", meant)

    def _has_learned_nothing(self, job_id: int, job: Job | None) -> bool:
        return isinstance(job, NewEpoch) and job_id not in self._learning

    @Slot(object)
    def _note_steps(self, news: list[tuple[BookedJob, list[Event]]]) -> None:
        """Before its first step a training has learned nothing that could be kept."""
        self._learning |= {booked.job_id for booked, events in news if isinstance(events[-1], TrainStep)}
        if self._asked_of is not None:
            QTimer.singleShot(0, self, self._ask_anew)  # once the client knows what is over

    @Slot()
    def _ask_anew(self) -> None:
        """What was asked about a training is no question any more once it is over, or has learned something."""
        if self._question is None or self._asked_of is None:
            return
        meant, nothing = self._asked_of
        job = self._client.jobs(*TRAININGS).get(meant)
        if job is None or nothing != self._has_learned_nothing(meant, job):
            self._question.reject()
            self.ask()

    def _ask(
        self, title: str, text: str, choices: Sequence[Choice], stay: str, answered: Callable[[str], None]
    ) -> None:
        """Ask about closing, one question at a time."""
        if self._question is None:
            self._question = ask(self._window, title, text, choices, stay, answered)
            self._question.finished.connect(self._answered)

    @Slot()
    def _answered(self) -> None:
        self._question = self._asked_of = None

    def _end_all(self, mode: str, meant: int | None) -> None:
        """Let every job end in its own time, then close. ``mode`` is for the training that the question was about."""
        self._closing = True
        self.leaving.emit(True)
        self._keeping = mode != "discard" and self._client.is_live(meant)
        self._window.setEnabled(False)
        self._progress.set_finishing(True)
        for job_id, job in self._client.jobs().items():
            if not isinstance(job, KeepQueue):  # what waits is to be found again
                self._client.cancel(job_id, cast(CancelMode, mode) if job_id == meant else "discard")
        self.go_on()

    @Slot()
    def _hurry(self) -> None:
        """The engine takes long to end, or the person has no more patience: close without it."""
        if not self._keeping or self._unasked:
            self.may_close.emit(_HURRY_S)
            return
        self._ask(
            self.tr("The training is still being stored"),
            self.tr("Without it, what was learned since its last checkpoint is lost. All else is stored."),
            [Choice("force", self.tr("Close at once"), destructive=True)],
            self.tr("Wait"),
            lambda _answer: self.may_close.emit(_HURRY_S),
        )

    def go_on(self) -> None:
        """The engine has answered something: if the window closes, close it once nothing is left, or wait on."""
        if self._closing and self._client.busy:
            self.patience.start()
        elif self._closing:
            self.patience.stop()
            self.may_close.emit(SHUTDOWN_S)

    def stay(self) -> None:
        """What was to be kept could not be: do not close, unless nobody is there who could mend that."""
        if self._closing and not self._unasked:
            self._closing = False
            self.patience.stop()
            self._window.setEnabled(True)
            self._progress.set_finishing(False)
            self.leaving.emit(False)
