"""One text at a time: generated or read, stopped or replaced at any moment, branched off, asked about, steered."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.config import MixingDesk, SamplingSettings
from tlora_gui.engine.protocol.events import GenerationStarted, JobFailed, PromptTooLong
from tlora_gui.engine.protocol.texts import DeskChange, Generation, TokenEvent
from tlora_gui.ui.generation.modes import uses_mixer
from tlora_gui.ui.widgets.formats import localised
from tlora_gui.ui.widgets.questions import choose_file
from tlora_gui.worker.engine_client import EngineClient

if TYPE_CHECKING:
    from tlora_gui.ui.main_window import MainWindow

TextJob = jobs.Generate | jobs.ScoreText | jobs.ScoreTextFile


class GenerationControl(QObject):
    """Knows the job whose text is shown (``job_id``); events of any other are not its.

    Signals:
        finished: a text is complete; carries its record.
    """

    finished = Signal(object)

    def __init__(self, window: MainWindow, client: EngineClient) -> None:
        super().__init__(window)
        self.job_id: int | None = None
        self._window = window
        self._client = client
        self._job: TextJob | None = None
        self._begun = False
        self._too_long: PromptTooLong | None = None
        self._afterwards: Callable[[], None] | None = None
        self._prompt_before_file = ""
        self._connect()

    def _connect(self) -> None:
        window = self._window
        pane, menus, inspector = window.generation, window.menus, window.inspector
        pane.generate_requested.connect(self.generate)
        pane.read_requested.connect(self.read)
        pane.file_requested.connect(self._choose_file)
        pane.stop_requested.connect(self._stop)
        pane.token_hovered.connect(self._show_token)
        pane.branch_requested.connect(self._offer_other_word)
        pane.again_requested.connect(self.again)
        pane.mode_changed.connect(self._mode_changed)
        pane.paste_clipped.connect(self._tell_clipped)
        inspector.alternative_chosen.connect(self.branch)
        inspector.text_chosen.connect(self._branch_with_text)
        inspector.again_requested.connect(self.again)
        window.desk.desk_changed.connect(self._set_desk)
        window.epochs.epoch_activated.connect(pane.choose_mode)
        for seen_in_text in (
            menus.branch,
            menus.predict_counterfactual,
            menus.find,
            menus.ribbon,
            menus.mixer_timeline,
        ):
            seen_in_text.triggered.connect(pane.show_text)
        menus.generate.triggered.connect(pane.begin)
        menus.stop.triggered.connect(pane.ask_to_stop)
        menus.again.triggered.connect(self._again_from_prompt)
        menus.more.triggered.connect(self.more)
        menus.branch.triggered.connect(self._offer_other_word)
        menus.branch_again.triggered.connect(self._again_from_chosen)
        menus.find.triggered.connect(pane.text_page.find_bar.open)
        menus.copy.triggered.connect(pane.copy_plain)
        menus.copy_rich.triggered.connect(pane.copy_rich)
        menus.copy_markdown.triggered.connect(pane.copy_markdown)

    # -- asking -------------------------------------------------------------------------------------------------

    @Slot(object)
    def generate(self, job: jobs.Generate) -> None:
        """Continue a prompt; a text still coming is ended first."""
        self._run(replace(job, desk=self._window.desk.desk()))

    @Slot(object)
    def read(self, job: jobs.ScoreText | jobs.ScoreTextFile) -> None:
        """Colour a text without generating."""
        self._run(replace(job, desk=self._window.desk.desk()))

    def _run(self, job: TextJob) -> None:
        self._replace()
        self._job, self._too_long, self._begun = job, None, False
        self.job_id = self._client.submit(job)
        self._window.generation.show_page("generate" if isinstance(job, jobs.Generate) else "read")
        self._window.controller.show_running()
        self._offer()

    def _replace(self) -> None:
        """End the text that is coming, if one is; what has come of it is kept among the project's texts."""
        self._afterwards = None
        self._client.drop(self.job_id, "keep")

    @Slot()
    def _choose_file(self) -> None:
        choose_file(self._window, self.tr("Read a text file"), "", self.read_file)

    @Slot(str)
    def read_file(self, path: str) -> None:
        """Colour the text of a file."""
        self._replace()
        self._prompt_before_file = self._window.generation.prompt_bar.prompt()
        self._window.generation.set_prompt(self.tr("(reading {name})").format(name=Path(path).name))
        self.read(jobs.ScoreTextFile(path, self._window.generation.mode))

    @Slot()
    def _stop(self) -> None:
        self.stop()
        self._window.controller.comparing.stop()

    def stop(self) -> None:
        """End the text that is coming; what has come stays."""
        self._afterwards = None
        self._client.cancel(self.job_id, "keep")

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
        tokens = self._window.generation.text_page.text.tokens
        self.again(next((token.index for token in tokens if not token.is_prompt), len(tokens)))

    @Slot()
    def _again_from_chosen(self) -> None:
        if self._window.generation.current >= 0:
            self.again(self._window.generation.current)

    @Slot()
    def more(self) -> None:
        """Write on where the text ended."""
        self._when_complete(partial(self._branch_off, None, -1, "", None))

    @Slot()
    def _offer_other_word(self) -> None:
        """Let the person choose or type another token in the inspector."""
        self._window.raise_dock(self._window.inspector)
        self._window.inspector.begin_branching()

    def _when_complete(self, then: Callable[[], None]) -> None:
        """Do it now, or when the text that is coming has been stopped and kept."""
        if self.job_id is None:
            then()
        else:
            self._client.cancel(self.job_id, "keep")
            self._afterwards = then

    def _branch_off(self, index: int | None, token_id: int, text: str, seed: int | None) -> None:
        pane = self._window.generation
        record = pane.record
        if record is None:
            return
        sampling: SamplingSettings = pane.sampling if seed is None else replace(pane.sampling, seed=seed)
        at = len(record.tokens) if index is None else index
        self.generate(jobs.Generate(record.prompt, pane.mode, sampling, branch=jobs.Branch(record, at, token_id, text)))

    # -- the mixing desk ----------------------------------------------------------------------------------------

    @Slot(object)
    def _set_desk(self, desk: MixingDesk) -> None:
        if self._begun:  # what is turned before is told when it begins
            self._client.set_desk(self.job_id, desk)

    @Slot(str)
    def _mode_changed(self, mode: str) -> None:
        self._window.desk.set_active(uses_mixer(mode))

    # -- what the engine tells ----------------------------------------------------------------------------------

    def started(self, event: GenerationStarted) -> None:
        """Tokens follow."""
        window = self._window
        self._begun = True
        window.generation.start(event)
        window.inspector.forget_answers()
        if isinstance(self._job, jobs.Generate) and window.desk.desk() != self._job.desk:
            self._client.set_desk(self.job_id, window.desk.desk())  # it was turned before the job began
        if isinstance(self._job, jobs.ScoreTextFile):
            window.generation.set_prompt(event.prompt)

    def add_tokens(self, tokens: Sequence[TokenEvent]) -> None:
        """Tokens of the text that is shown."""
        self._window.generation.add_tokens(tokens)
        self._window.desk.show_weights(tokens[-1].weights)
        self._offer()

    def complete(self, record: Generation) -> None:
        """The text that is shown is complete."""
        self._window.generation.finish(record)
        self.finished.emit(record)

    def too_long(self, event: PromptTooLong) -> None:
        """The text does not fit; the job fails next."""
        self._too_long = event

    def failed(self, event: JobFailed) -> None:
        """Say why; a text that is too long can be cut where the prompt shows it."""
        banner, too_long = self._window.banner, self._too_long
        if too_long is None:
            banner.show_error(event.message, event.hint, event.details)
            return
        pane = self._window.generation
        if isinstance(self._job, jobs.Generate):
            pane.prompt_bar.mark_unread(0, too_long.keep_from)
            banner.show_error(
                event.message,
                self.tr("What is struck out in the prompt would be left out."),
                action_text=self.tr("Cut and generate"),
                action=partial(self._cut_prompt, self._job.prompt, too_long.keep_from),
            )
        elif self._job is not None:
            if isinstance(self._job, jobs.ScoreText):
                pane.prompt_bar.mark_unread(too_long.keep_to, len(self._job.text))
            banner.show_error(
                event.message,
                self.tr("Its beginning can be read."),
                action_text=self.tr("Read the beginning"),
                action=partial(self.read, replace(self._job, cut=True)),
            )

    def _cut_prompt(self, refused: str, keep_from: int) -> None:
        """Generate from what fits of the prompt that was refused; one that was edited since is tried as it stands."""
        pane = self._window.generation
        pane.show_page("generate")
        if pane.prompt_bar.prompt() == refused:
            pane.set_prompt(refused[keep_from:])
        pane.begin()

    def ended(self) -> None:
        """The text is over, however."""
        if isinstance(self._job, jobs.ScoreTextFile) and not self._begun:
            self._window.generation.set_prompt(self._prompt_before_file)
        self.job_id, self._begun = None, False
        self._window.controller.show_running()
        self._offer()
        then, self._afterwards = self._afterwards, None
        if then is not None:
            then()

    def _offer(self) -> None:
        """Enable what can be done with the text that is shown."""
        window = self._window
        has_text = bool(window.generation.text_page.text.tokens)
        for action in window.menus.needs_text:
            action.setEnabled(has_text)
        missing = "" if has_text else self.tr("Generate a text first")
        coming = self.tr("Stop the text that is coming, or wait for its end") if has_text and self._begun else ""
        for question in (window.menus.mixer_timeline, window.menus.predict_counterfactual):
            question.setEnabled(not (missing or coming))
        if window.generation.page != "compare":  # there the inspector shows tokens of other texts
            window.inspector.set_branching_allowed(has_text, missing)
            window.inspector.set_asking_allowed(not (missing or coming), missing or coming)

    # -- one token ----------------------------------------------------------------------------------------------

    @Slot(object)
    def _show_token(self, token: TokenEvent | None) -> None:
        pane = self._window.generation
        desk = None if token is None or pane.record is None else desk_at(pane.record.desk, token.index)
        self._window.inspector.show_token(token, pane.shown_slots, desk)
        self._offer()

    @Slot(int, int)
    def _tell_clipped(self, whole: int, kept: int) -> None:
        self._window.banner.show_notice(
            self.tr("{whole} characters are more than any prompt can hold; the first {kept} were pasted.").format(
                whole=localised(f"{whole:,}"), kept=localised(f"{kept:,}")
            )
        )


def desk_at(changes: Sequence[DeskChange], index: int) -> MixingDesk | None:
    """How the mixing desk stood at a token; None if it was left alone."""
    stood = [change.desk for change in changes if change.index <= index]
    return stood[-1] if stood and stood[-1] != MixingDesk() else None
