"""What a person has changed in the project, step by step, to be taken back and done again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QUndoCommand, QUndoStack

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import EndEvent, Event, JobDone, JobFailed
from tlora_gui.ui.generation.library.generations_panel import GenerationsPanel
from tlora_gui.ui.menus import Menus
from tlora_gui.ui.widgets.banner import Banner
from tlora_gui.worker.engine_client import EngineClient
from tlora_gui.worker.job_book import Asker, BookedJob

Change = Callable[[], int | None]
"""Changes something, at once or by the job whose number it gives. Raises TloraError to refuse."""
Part = tuple[Change, Change]
"""A change, and the one that takes it back."""


class _Step(QUndoCommand):
    """What one command of a person's did. The stack only remembers it; :class:`Undo` makes the changes."""

    def __init__(self, name: str, parts: Sequence[Part]) -> None:
        super().__init__(name)
        self.parts = list(parts)
        self.offer: Callable[[], None] | None = None  # of the notice that tells of it


@dataclass(slots=True)
class _Turn:
    """A step on its way: parts by the job that is at work on them, and what was refused."""

    step: _Step
    way: Literal["do", "undo", "redo"]
    notice: str = ""
    waiting: dict[int, Part] = field(default_factory=dict)
    refused: list[Part] = field(default_factory=list)
    reason: tuple[str, str, str] | None = None


class Undo(QObject):
    """The window's one stack of steps, true to the project: a step comes on it once it is done, and moves on it once it
    is undone or done again. What is refused stays where it is, and the banner says why.
    """

    def __init__(self, client: EngineClient, panel: GenerationsPanel, menus: Menus, banner: Banner) -> None:
        super().__init__(panel)
        self._client = client
        self._panel = panel
        self._menus = menus
        self._banner = banner
        self._stack = QUndoStack(self)
        self._turns: list[_Turn] = []
        self._new: list[_Step] = []
        self._texts = (menus.back.text(), menus.forward.text())
        for signal in (panel.undo_requested, menus.back.triggered):
            signal.connect(self.undo)
        for signal in (panel.redo_requested, menus.forward.triggered):
            signal.connect(self.redo)
        self._show()

    def part(self, job: jobs.Job, opposite: jobs.Job, asker: Asker) -> Part:
        """A change that the engine makes; what has to wait for a training is refused while there is one."""
        return partial(self._submit, job, asker), partial(self._submit, opposite, asker)

    def _submit(self, job: jobs.Job, asker: Asker) -> int:
        if not isinstance(job, jobs.INTERACTIVE) and self._client.jobs(*jobs.TRAININGS):
            raise TloraError(
                self.tr("An epoch is in training here."), self.tr("Wait for its end, or stop it, and try again.")
            )
        return self._client.submit(job, asker)

    def do(self, name: str, *parts: Part, notice: str = "") -> None:
        """Make changes, which become a step together; ``notice`` tells of it with a button that takes it back."""
        self._begin(_Turn(_Step(name, parts), "do", notice))

    def done(self, name: str, part: Part) -> None:
        """A change has been made already; it is a step."""
        self._end(_Turn(_Step(name, [part]), "do"))

    @Slot()
    def undo(self) -> None:
        """Take the latest step back."""
        if self._may_turn and self._stack.canUndo():
            self._begin(_Turn(self._step(self._stack.index() - 1), "undo"))

    @Slot()
    def redo(self) -> None:
        """Do the step again that was taken back last."""
        if self._may_turn and self._stack.canRedo():
            self._begin(_Turn(self._step(self._stack.index()), "redo"))

    @Slot()
    def clear(self) -> None:
        """Another project is shown, or nothing can be taken back any more."""
        self._turns.clear()
        self._new.clear()
        self._stack.clear()
        self._show()

    # -- steps on their way -------------------------------------------------------------------------------------

    @property
    def _may_turn(self) -> bool:
        """Whether no step is on its way: the next one to undo is not known before."""
        return not self._turns

    def _step(self, index: int) -> _Step:
        step = self._stack.command(index)
        assert isinstance(step, _Step)
        return step

    def _begin(self, turn: _Turn) -> None:
        self._turns.append(turn)
        back = turn.way == "undo"
        for part in reversed(turn.step.parts) if back else turn.step.parts:
            try:
                job_id = part[back]()
            except TloraError as error:
                turn.refused.append(part)
                turn.reason = (error.message, error.hint, "")
            else:
                if job_id is not None:
                    turn.waiting[job_id] = part
        self._show()
        if not turn.waiting:
            self._end(turn)

    @Slot(object)
    def hear(self, news: list[tuple[BookedJob, list[Event]]]) -> None:
        """What all jobs tell; those of the steps have ended or failed."""
        for booked, events in news:
            turn = next((turn for turn in self._turns if booked.job_id in turn.waiting), None)
            end = events[-1]
            if turn is None or not isinstance(end, EndEvent):
                continue
            part = turn.waiting.pop(booked.job_id)
            if not isinstance(end, JobDone):
                turn.refused.append(part)
            if isinstance(end, JobFailed) and turn.way != "do":  # else its asker has told
                turn.reason = (end.message, end.hint, end.details)
            if not turn.waiting:
                self._end(turn)

    def _end(self, turn: _Turn) -> None:
        """Let the stack say what is: parts that were refused have not changed places."""
        if turn in self._turns:
            self._turns.remove(turn)
        step = turn.step
        if turn.way == "do":
            step.parts = [part for part in step.parts if part not in turn.refused]
            if step.parts:
                self._new.append(step)
        elif turn.refused:
            step.parts = [part for part in step.parts if part in turn.refused]
        elif turn.way == "undo":
            self._stack.undo()
            if step.offer is not None:
                self._banner.withdraw(step.offer)
        else:
            self._stack.redo()
        if all(other.way == "do" for other in self._turns):  # else the stack is about to move
            for new in self._new:
                self._stack.push(new)
            self._new.clear()
        self._show()
        if turn.reason is not None:
            self._tell(turn, *turn.reason)
        elif turn.notice and step.parts:
            button = self._named(self.tr("Undo"), step.text())
            step.offer = partial(self._undo_this, step)
            self._banner.show_notice(turn.notice, button, step.offer)

    def _tell(self, turn: _Turn, message: str, hint: str, details: str) -> None:
        """Say why something was refused; a step that cannot be turned can be left behind, for those below it."""
        if turn.way == "do":
            self._banner.show_error(message, hint, details)
        else:
            self._banner.show_error(message, hint, details, self.tr("Forget this step"), partial(self._forget, turn))

    def _forget(self, turn: _Turn) -> None:
        at = self._stack.index() - (turn.way == "undo")
        if self._may_turn and 0 <= at < self._stack.count() and self._stack.command(at) is turn.step:
            turn.step.setObsolete(True)
            (self._stack.undo if turn.way == "undo" else self._stack.redo)()
            self._show()

    def _undo_this(self, step: _Step) -> None:
        """Take a step back if it is the latest one still."""
        if self._stack.canUndo() and self._stack.command(self._stack.index() - 1) is step:
            self.undo()
        elif self._stack.canUndo():
            name = self._stack.undoText()
            self._banner.show_error(
                self.tr("Something was changed after that."), self.tr("Undo this first: {name}.").format(name=name)
            )

    # -- what is shown ------------------------------------------------------------------------------------------

    def _named(self, word: str, what: str) -> str:
        return self.tr("{word}: {what}").format(word=word, what=what) if what else word

    def _show(self) -> None:
        stack, menus = self._stack, self._menus
        can_undo, can_redo = self._may_turn and stack.canUndo(), self._may_turn and stack.canRedo()
        undo_text, redo_text = stack.undoText(), stack.redoText()
        self._panel.set_undo(can_undo, can_redo, undo_text, redo_text)
        for action, possible, word, what in (
            (menus.back, can_undo, self._texts[0], undo_text),
            (menus.forward, can_redo, self._texts[1], redo_text),
        ):
            action.setEnabled(possible)
            action.setText(self._named(word, what.replace("&", "&&")))
