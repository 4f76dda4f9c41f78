"""One text at a time: generated or read, stopped or replaced at any moment, branched off, mixed by hand."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import cast

from PySide6.QtCore import QObject, Signal, Slot

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.config import MixingDesk, SamplingSettings
from tlora_gui.engine.protocol.events import (
    EndEvent,
    Event,
    GenerationFinished,
    GenerationStarted,
    JobFailed,
    PromptTooLong,
)
from tlora_gui.engine.protocol.texts import DeskChange, TokenEvent
from tlora_gui.ui.generation.compare.compare_column import CompareColumn
from tlora_gui.ui.generation.inspector.inspector import TokenInspector
from tlora_gui.ui.generation.mixing_desk.mixing_desk import MixingDeskPanel
from tlora_gui.ui.generation.pane import GenerationPane
from tlora_gui.ui.menus import Menus
from tlora_gui.ui.widgets.banner import Banner
from tlora_gui.ui.widgets.questions import choose_file
from tlora_gui.worker.engine_client import EngineClient

TextJob = jobs.Generate | jobs.ScoreText | jobs.ScoreTextFile


class GenerationControl(QObject):
    """Asks for the text that is shown, and shows what comes of it.

    Signals:
        finished: a text is complete; carries its record.
        running_changed: a text comes from now on, or is over.
        inspector_wanted: the person is to choose something in the inspector.
    """

    finished = Signal(object)
    running_changed = Signal()
    inspector_wanted = Signal()

    def __init__(
        self,
        client: EngineClient,
        pane: GenerationPane,
        desk: MixingDeskPanel,
        inspector: TokenInspector,
        menus: Menus,
        banner: Banner,
    ) -> None:
        super().__init__(pane)
        self._client = client
        self._pane = pane
        self._desk = desk
        self._inspector = inspector
        self._menus = menus
        self._banner = banner
        self._kept: Collection[str] = ()
        self.begun = False
        self._desk_before = MixingDesk()
        self._too_long: PromptTooLong | None = None
        self._afterwards: Callable[[], None] | None = None
        self._prompt_before_file = ""
        self._connect()

    def _connect(self) -> None:
        pane, menus, inspector = self._pane, self._menus, self._inspector
        pane.generate_requested.connect(self.generate)
        pane.read_requested.connect(self.read)
        pane.file_requested.connect(self._choose_file)
        pane.stop_requested.connect(self.stop)
        pane.token_hovered.connect(self._show_token)
        pane.branch_requested.connect(self._offer_other_word)
        pane.again_requested.connect(self.again)
        inspector.alternative_chosen.connect(self.branch)
        inspector.text_chosen.connect(self._branch_with_text)
        inspector.again_requested.connect(self.again)
        self._desk.desk_changed.connect(self.set_desk)
        pane.page_changed.connect(self._offer)
        pane.compare_page.texts_changed.connect(self._offer)
        menus.again.triggered.connect(self._again_from_prompt)
        menus.more.triggered.connect(self.more)
        menus.branch.triggered.connect(self._offer_other_word)
        menus.branch_again.triggered.connect(self._again_from_chosen)

    @property
    def job_id(self) -> int | None:
        """Number of the job whose text is coming; None if none is."""
        return next(iter(self._client.jobs(asker=self)), None)

    def set_kept(self, ids: Collection[str]) -> None:
        """Ids of the texts that the project keeps: a branch names those, and brings others whole."""
        self._kept = ids

    # -- asking -------------------------------------------------------------------------------------------------

    @Slot(object)
    def generate(self, job: jobs.Generate) -> None:
        """Continue a prompt; a text still coming is ended first."""
        self._run(replace(job, desk=self._desk.desk()))

    @Slot(object)
    def read(self, job: jobs.ScoreText | jobs.ScoreTextFile) -> None:
        """Colour a text without generating."""
        self._run(replace(job, desk=self._desk.desk()))

    def _run(self, job: TextJob) -> None:
        self._replace()
        self._too_long, self.begun, self._desk_before = None, False, self._desk.desk()
        self._client.submit(job, self)
        self._pane.show_page("generate" if isinstance(job, jobs.Generate) else "read")
        self.running_changed.emit()
        self._offer()

    def _replace(self) -> None:
        """End the text that is coming, if one is; what has come of it is kept among the project's texts."""
        self._afterwards = None
        self._client.drop(self.job_id, "keep")

    @Slot()
    def _choose_file(self) -> None:
        choose_file(self._pane.window(), self.tr("Read a text file"), "", self.read_file)

    @Slot(str)
    def read_file(self, path: str) -> None:
        """Colour the text of a file."""
        self._replace()
        self._prompt_before_file = self._pane.prompt_bar.prompt()
        self._pane.set_prompt(self.tr("(reading {name})").format(name=Path(path).name))
        self.read(jobs.ScoreTextFile(path, self._pane.mode))

    @Slot()
    def stop(self) -> None:
        """End the text that is coming; what has come stays."""
        self._afterwards = None
        self._client.cancel(self.job_id, "keep")

    @Slot()
    def drop(self) -> None:
        """End the text that is coming and hear no more of it."""
        self._afterwards = None
        self._client.drop(self.job_id)

    # -- branching ----------------------------------------------------------------------------------------------

    @Slot(int, int, str)
    def branch(self, index: int, token_id: int = -1, text: str = "") -> None:
        """Go on from the token ``index`` with another one in its place, as a branch of the text that is shown."""
        self._when_complete(partial(self._branch_off, index, token_id, text if token_id < 0 else "", None))

    @Slot(int, str)
    def _branch_with_text(self, index: int, text: str) -> None:
        self.branch(index, -1, text)

    @Slot(int)
    def again(self, index: int) -> None:
        """Go on from the token ``index`` with a new seed."""
        seed = random.randrange(2**31)
        self._when_complete(partial(self._branch_off, index, -1, "", seed))

    @Slot()
    def _again_from_prompt(self) -> None:
        tokens = self._pane.text_page.text.tokens
        self.again(next((token.index for token in tokens if not token.is_prompt), len(tokens)))

    @Slot()
    def _again_from_chosen(self) -> None:
        if self._pane.current >= 0:
            self.again(self._pane.current)

    @Slot()
    def more(self) -> None:
        """Write on where the text ended."""
        self._when_complete(partial(self._branch_off, None, -1, "", None))

    @Slot()
    def _offer_other_word(self) -> None:
        """Let the person choose or type another token in the inspector."""
        self.inspector_wanted.emit()
        self._inspector.begin_branching()

    def _when_complete(self, then: Callable[[], None]) -> None:
        """Do it now, or when the text that is coming has been stopped and kept."""
        if self.job_id is None:
            then()
        else:
            self._client.cancel(self.job_id, "keep")
            self._afterwards = then

    def _branch_off(self, index: int | None, token_id: int, text: str, seed: int | None) -> None:
        pane, record = self._pane, self._pane.record
        if record is None:
            return
        sampling: SamplingSettings = pane.sampling if seed is None else replace(pane.sampling, seed=seed)
        at = len(record.tokens) if index is None else index
        branch = jobs.Branch(record.id if record.id in self._kept else record, at, token_id, text)
        desk = self._desk.desk()
        if desk == MixingDesk():  # as the text was written there
            desk = desk_at(record.desk, at) or desk
        self._run(jobs.Generate(record.prompt, pane.mode, sampling, desk=desk, branch=branch))
        pane.setFocus()  # what was chosen in the inspector is gone from there

    # -- the mixing desk ----------------------------------------------------------------------------------------

    @Slot(object)
    def set_desk(self, desk: MixingDesk) -> None:
        if self.begun:  # what is turned before is sent when it begins
            self._client.set_desk(self.job_id, desk)

    # -- what the engine answers --------------------------------------------------------------------------------

    def hear(self, job_id: int, job: jobs.Job, events: Sequence[Event]) -> bool:
        """See :class:`~tlora_gui.worker.job_book.Asker`."""
        match events[-1]:
            case GenerationStarted() as event:
                self._start(job_id, job, event)
            case TokenEvent(weights=weights):
                self._pane.add_tokens(cast(Sequence[TokenEvent], events))
                self._desk.show_weights(weights)
                self._offer()
            case GenerationFinished(record):
                self._pane.finish(record)
                self.finished.emit(record)
            case PromptTooLong() as event:
                self._too_long = event  # the job fails next
            case JobFailed() as event:
                self._show_failure(job, event)
            case _:
                return False
        return True

    def _start(self, job_id: int, job: jobs.Job, event: GenerationStarted) -> None:
        """Tokens follow."""
        self.begun = True
        self._pane.start(event)
        self._inspector.forget_answers()
        if isinstance(job, jobs.Generate) and self._desk.desk() != self._desk_before:
            self._client.set_desk(job_id, self._desk.desk())  # it was turned before the job began
        if isinstance(job, jobs.ScoreTextFile):
            self._pane.set_prompt(event.prompt)

    def _show_failure(self, job: jobs.Job, event: JobFailed) -> None:
        """Say why; a text that is too long can be cut where the prompt shows it."""
        banner, too_long = self._banner, self._too_long
        if too_long is None:
            banner.show_error(event.message, event.hint, event.details)
            return
        pane = self._pane
        if isinstance(job, jobs.Generate):
            pane.prompt_bar.mark_unread(0, too_long.keep_from)
            banner.show_error(
                event.message,
                self.tr("What is struck out in the prompt would be left out."),
                action_text=self.tr("Cut and generate"),
                action=partial(self._cut_prompt, job.prompt, too_long.keep_from),
            )
        elif isinstance(job, jobs.ScoreText | jobs.ScoreTextFile):
            if isinstance(job, jobs.ScoreText):
                pane.prompt_bar.mark_unread(too_long.keep_to, len(job.text))
            banner.show_error(
                event.message,
                self.tr("Its beginning can be read."),
                action_text=self.tr("Read the beginning"),
                action=partial(self.read, replace(job, cut=True)),
            )

    def _cut_prompt(self, refused: str, keep_from: int) -> None:
        """Generate from what fits of the prompt that was refused; one that was edited since is tried as it stands."""
        pane = self._pane
        pane.show_page("generate")
        if pane.prompt_bar.prompt() == refused:
            pane.set_prompt(refused[keep_from:])
        pane.begin()

    def ended(self, job_id: int, job: jobs.Job, end: EndEvent) -> None:
        """The text is over, however."""
        if isinstance(job, jobs.ScoreTextFile) and not self.begun:
            self._pane.set_prompt(self._prompt_before_file)
        self.begun = False
        self.running_changed.emit()
        self._offer()
        then, self._afterwards = self._afterwards, None
        if then is not None:
            then()

    @Slot()
    def _offer(self) -> None:
        """Enable what can be done with the text that is shown."""
        menus, inspector = self._menus, self._inspector
        has_text = bool(self._pane.text_page.text.tokens)
        for action in menus.needs_text:
            action.setEnabled(has_text)
        in_front = self._pane.in_front
        menus.find.setEnabled(has_text or in_front is not None)
        for action in (menus.copy, menus.copy_rich):
            action.setEnabled(in_front is not None)
        coming_column = isinstance(in_front, CompareColumn) and in_front.record is None
        for action in (menus.copy_markdown, menus.save_text):
            action.setEnabled(in_front is not None and not coming_column)
        missing = "" if has_text else self.tr("Generate a text first")
        coming = self.tr("Stop the text that is coming, or wait for its end") if has_text and self.begun else ""
        for question in (menus.mixer_timeline, menus.predict_counterfactual):
            question.setEnabled(not (missing or coming))
        if self._pane.page != "compare":  # there the inspector shows tokens of other texts
            inspector.set_branching_allowed(has_text, missing)
            inspector.set_asking_allowed(not (missing or coming), missing or coming)

    # -- one token ----------------------------------------------------------------------------------------------

    @Slot(object)
    def _show_token(self, token: TokenEvent | None) -> None:
        pane = self._pane
        mixer, record = pane.text_page.text.mixer, pane.record
        desk = None if token is None or record is None or mixer else desk_at(record.desk, token.index)
        self._inspector.show_token(token, pane.shown_slots, desk, mixer)
        self._offer()


def desk_at(changes: Sequence[DeskChange], index: int) -> MixingDesk | None:
    """How the mixing desk stood at a token; None if it was left alone."""
    stood = [change.desk for change in changes if change.index <= index]
    return stood[-1] if stood and stood[-1] != MixingDesk() else None
