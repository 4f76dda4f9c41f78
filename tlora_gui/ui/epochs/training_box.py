"""How far the training of an epoch is, with pause and stop."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QProgressBar, QPushButton, QWidget

from tlora_gui.engine.protocol.events import Progress, TrainStep
from tlora_gui.ui.formats import human_count, human_duration, loss_text
from tlora_gui.ui.translation import filled, worded
from tlora_gui.ui.widgets.elided_label import ElidedLabel
from tlora_gui.ui.widgets.layouts import Ends, column, label
from tlora_gui.ui.widgets.progress_line import amount_text, show_on_bar
from tlora_gui.ui.widgets.questions import Choice, ask


class TrainingBox(QWidget):
    """Step, bar, time left and speed. There is one of it; it moves to the card of the epoch in training."""

    pause_requested = Signal(int, bool)
    """Number of the training; True to pause, False to go on."""
    stop_requested = Signal(int, str)
    """Number of the training that the question was about; "keep" or "discard"."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.training = 0
        """Number of the training that it shows."""
        self.paused = False
        """Whether the training stands still."""
        self._waiting = False
        self._learned, self._importing = True, False
        self.keeping = False
        """Whether what was learned before is made a finished epoch, and nothing more is learned."""
        self._time_text = ""
        self._step = ElidedLabel("caption")
        self._step.setObjectName("trainingStep")
        self._held_out = label("", "caption")
        self._held_out.setObjectName("trainingHeldOut")
        self._patience = label("", "caption", wrap=True)
        self._patience.setObjectName("trainingPatience")
        self._patience.setToolTip(
            self.tr("Measurements on held-out text in a row that were no better than the best; then the training ends")
        )
        self._preparation = label("", "caption", wrap=True)
        self._preparation.setObjectName("trainingPreparation")
        self._preparation.setTextFormat(Qt.TextFormat.PlainText)
        self._bar = QProgressBar()
        self._bar.setObjectName("progressBar")
        self._bar.setAccessibleName(self.tr("Training progress"))
        self._bar.setTextVisible(False)
        self._time = ElidedLabel("caption")
        self._time.setObjectName("trainingTime")
        self._pause = QPushButton(self.tr("Pause"))
        self._pause.setObjectName("pauseButton")
        self._pause.clicked.connect(self._pause_clicked)
        self._stop = QPushButton(self.tr("Stop…"))
        self._stop.setObjectName("stopButton")
        self._stop.setAccessibleName(self.tr("Stop training"))
        self._stop.setToolTip(self.tr("End this training; what is learned so far can be kept"))
        self._stop.clicked.connect(self._ask_how_to_stop)
        self.setLayout(
            column(
                self._preparation,
                Ends(self._step, self._held_out),
                self._bar,
                self._patience,
                self._time,
                Ends(self._pause, self._stop, equal=True),
                spacing=6,
            )
        )
        self.reset("", "")

    def reset(self, name: str, colour: str) -> None:
        """Make ready for another epoch."""
        self._name = name
        self.paused = self.keeping = False
        self._held_out.setText("")
        self.show_patience(0, 0)
        self._preparation.hide()
        self._step.show()
        self._step.show_text(self.tr("starting…"))
        self._set_time("")
        self._bar.setRange(0, 1)
        self._bar.setValue(0)
        self.set_epoch(name, colour)
        self._update_pause(False)

    def set_following(self, following: bool) -> None:
        """Show a training that goes on elsewhere, and neither pause nor stop; or one of this window."""
        self._pause.setVisible(not following)
        self._stop.setVisible(not following)

    def set_epoch(self, name: str, colour: str) -> None:
        """Name and colour of the epoch in training."""
        self._name = name
        chunk = QColor(colour).name().upper()  # whatever stands in a project is a colour here, and nothing else
        self._bar.setStyleSheet(f"QProgressBar::chunk {{ background: {chunk}; border-radius: 4px; }}" if colour else "")

    def show_preparation(self, text: str, learned: bool, *, importing: bool = False, keeping: bool = False) -> None:
        """Say what goes on before the first step, the end of which is not known; ``learned`` before, if resumed. An
        import is all of that kind, and nothing of it can be kept; so is the keeping of an interrupted epoch."""
        self.keeping = keeping
        self._learned = learned and not importing
        self._importing = importing
        self._preparation.setText(worded(text))
        self._preparation.show()
        self._step.hide()
        starts = self.tr("Training starts after this")
        self._set_time("" if importing else self.tr("Nothing more is learned") if keeping else starts)
        self._bar.setRange(0, 0)
        self._update_pause(False)

    def show_amount(self, progress: Progress) -> None:
        """Show how far a preparation is, where its end is known."""
        show_on_bar(self._bar, progress)
        if amount := amount_text(progress):
            self._preparation.setText(f"{worded(progress.label)} · {amount}")

    def show_step(self, step: TrainStep) -> None:
        """Show the latest step."""
        text = filled(self.tr("step {step} / {total}"), step=step.step, total=step.total_steps)
        loss = self.tr("adapter loss {loss}").format(loss=loss_text(step.adapter_loss))
        tokens = self.tr("{tokens} tokens read").format(tokens=human_count(step.tokens))
        self._learned, self._importing, self.keeping = True, False, False
        self._preparation.hide()
        self._step.show()
        self._step.show_text(text, f"{loss}, {tokens}")
        self._bar.setRange(0, step.total_steps)
        self._bar.setValue(step.step)
        left = self.tr("{time} left").format(time=human_duration(step.eta_s))
        self._set_time(f"{left} · " + filled(self.tr("{n} tokens/s"), n=round(step.tokens_per_second)))
        self._update_pause(True)

    def show_held_out(self, loss: float | None, tooltip: str) -> None:
        """Show the latest measurement on held-out text."""
        self._held_out.setText("" if loss is None else self.tr("held-out {loss}").format(loss=loss_text(loss)))
        self._held_out.setToolTip(tooltip)

    def show_patience(self, no_better: int, patience: int) -> None:
        """Show how many measurements in a row were no better, of those that end the training; 0: the latest was."""
        self._patience.setVisible(no_better > 0)
        self._patience.setText(
            self.tr("no better for {count} of {patience} measurements").format(count=no_better, patience=patience)
        )

    def set_paused(self, paused: bool) -> None:
        """Training stands still, or goes on."""
        self.paused = paused
        self._update_pause(self._pause.isEnabled())
        self._set_time(self._time_text)

    def set_waiting(self, waiting: bool) -> None:
        """Training stands still because a text is being written or read, or goes on."""
        self._waiting = waiting
        self._set_time(self._time_text)

    def _set_time(self, text: str) -> None:
        self._time_text = text
        shown = self.tr("Waits while text is written") if self._waiting else text
        self._time.show_text(self.tr("Paused") if self.paused else shown)

    def _update_pause(self, possible: bool) -> None:
        self._pause.setEnabled(possible)
        self._pause.setText(self.tr("Resume") if self.paused else self.tr("Pause"))
        self._pause.setAccessibleName(self.tr("Resume training") if self.paused else self.tr("Pause training"))
        self._pause.setToolTip(
            self.tr("Go on with the training") if self.paused else self.tr("Let the training stand still for a while")
        )

    def _pause_clicked(self) -> None:
        self.pause_requested.emit(self.training, not self.paused)

    def _ask_how_to_stop(self) -> None:
        if self._importing:
            self._ask_whether_to_stop()
            return
        title = self.tr("Stop training {name}?").format(name=self._name) if self._name else self.tr("Stop training?")
        text = self.tr(
            "What is learned so far can be kept as a finished epoch, or discarded as if it had never begun. "
            "Training goes on until you choose."
        )
        choices = [Choice("keep", self.tr("Keep what is learned")), Choice("discard", self.tr("Discard"), True)]
        if not self._learned:
            text, choices = self.tr("Nothing is learned yet. Training goes on until you choose."), choices[1:]
        ask(self, title, text, choices, self.tr("Go on training"), partial(self.stop_requested.emit, self.training))

    def _ask_whether_to_stop(self) -> None:
        title = self.tr("Stop importing {name}?").format(name=self._name)
        text = self.tr("Nothing of it is kept. It goes on until you choose.")
        stop = Choice("discard", self.tr("Stop it"), destructive=True)
        ask(self, title, text, [stop], self.tr("Go on importing"), partial(self.stop_requested.emit, self.training))
