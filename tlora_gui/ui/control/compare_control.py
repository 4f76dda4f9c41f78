"""Several continuations of one prompt and seed side by side: modes compared, or a sweep of the mixing desk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.config import MIXER_MODE, MixingDesk
from tlora_gui.engine.protocol.events import GenerationStarted, JobFailed
from tlora_gui.engine.protocol.texts import Generation, SlotInfo, TokenEvent
from tlora_gui.ui.generation.mixing_desk.sweep import sweep_desks
from tlora_gui.ui.widgets.formats import human_share
from tlora_gui.worker.engine_client import EngineClient

if TYPE_CHECKING:
    from tlora_gui.ui.main_window import MainWindow


class CompareControl(QObject):
    """Knows which job fills which column (or row) of the compare page."""

    def __init__(self, window: MainWindow, client: EngineClient) -> None:
        super().__init__(window)
        self._window = window
        self._client = client
        self._columns: dict[int, int] = {}
        pane = window.generation
        pane.compare_requested.connect(self.compare)
        pane.compare_page.token_hovered.connect(self._show_token)
        window.desk.sweep_requested.connect(self.sweep)

    def handles(self, job_id: int) -> bool:
        """Whether a job fills a column."""
        return job_id in self._columns

    @property
    def running(self) -> bool:
        """Whether a column is still being filled."""
        return bool(self._columns)

    @Slot(list)
    def compare(self, modes: list[str]) -> None:
        """Continue the prompt once per mode."""
        pane = self._window.generation
        self._run([jobs.Generate(pane.prompt_bar.prompt(), mode, pane.sampling) for mode in modes])

    @Slot(str, str)
    def sweep(self, first: str, last: str) -> None:
        """Continue the prompt in five rows, from one slot alone to another alone."""
        pane, desks = self._window.generation, sweep_desks(first, last)
        names = {slot.slug: slot.name for slot in self._window.desk.slots}
        pane.show_page("compare")
        pane.compare_page.show_rows([_title(desk, names) for desk in desks])
        prompt, sampling = pane.prompt_bar.prompt(), pane.sampling
        self._run([jobs.Generate(prompt, MIXER_MODE, sampling, desk) for desk in desks])

    def _run(self, wanted: Sequence[jobs.Generate]) -> None:
        self.drop()
        self._columns = {self._client.submit(job): column for column, job in enumerate(wanted)}
        self._show_running()

    @Slot()
    def stop(self) -> None:
        """End them all; what has come stays."""
        for job_id in self._columns:
            self._client.cancel(job_id, "keep")

    def drop(self) -> None:
        """End them all and hear no more of them."""
        columns, self._columns = self._columns, {}
        for job_id in columns:
            self._client.drop(job_id)
        self._show_running()

    # -- what the engine tells ----------------------------------------------------------------------------------

    def started(self, job_id: int, event: GenerationStarted) -> None:
        """Tokens of a column follow."""
        self._window.generation.compare_page.start(self._columns[job_id], event)

    def add_tokens(self, job_id: int, tokens: Sequence[TokenEvent]) -> None:
        """Tokens of a column."""
        self._window.generation.compare_page.add_tokens(self._columns[job_id], tokens)

    def complete(self, job_id: int, record: Generation) -> None:
        """A column is complete."""
        self._window.generation.compare_page.finish(self._columns[job_id], record)

    def failed(self, job_id: int, event: JobFailed) -> None:
        """A column has failed; the others go on."""
        self._window.generation.compare_page.fail(self._columns[job_id], event.message)

    def ended(self, job_id: int) -> None:
        """A column is over, however; its text is among the kept ones."""
        self._window.generation.compare_page.end(self._columns.pop(job_id))
        self._show_running()
        if not self.running:
            self._window.controller.texts.refresh()

    def _show_running(self) -> None:
        self._window.generation.compare_page.set_running(self.running)
        self._window.controller.show_running()

    @Slot(object, object)
    def _show_token(self, token: TokenEvent | None, slots: tuple[SlotInfo, ...]) -> None:
        self._window.inspector.show_token(token, slots)
        self._window.inspector.set_branching_allowed(
            False, self.tr("Open this text from the list of texts to branch off")
        )
        self._window.inspector.set_asking_allowed(
            False, self.tr("Open this text from the list of texts to ask about it")
        )


def _title(desk: MixingDesk, names: dict[str, str]) -> str:
    """A row's blend in words: "Shakespeare 75 % · Python 25 %"."""
    return " · ".join(f"{names[slug]} {human_share(level)}" for slug, level in desk.levels if level)
