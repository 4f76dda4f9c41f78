"""Questions about the text that is shown: what others would have said at a token, how earlier mixers would weigh it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.events import Counterfactual, MixerTimeline
from tlora_gui.engine.protocol.texts import Generation
from tlora_gui.worker.engine_client import EngineClient

if TYPE_CHECKING:
    from tlora_gui.ui.main_window import MainWindow


class QuestionControl(QObject):
    """Knows about which text each question was; an answer about another one is dropped."""

    def __init__(self, window: MainWindow, client: EngineClient) -> None:
        super().__init__(window)
        self._window = window
        self._client = client
        self._asked: dict[int, Generation] = {}
        window.inspector.others_requested.connect(self._ask_others)
        window.menus.predict_counterfactual.triggered.connect(self._ask_about_chosen)
        window.menus.mixer_timeline.triggered.connect(self._ask_for_timeline)

    @Slot(int)
    def _ask_others(self, index: int) -> None:
        record = self._window.generation.record
        if record is None:
            self._window.inspector.end_asking()
        else:
            self._asked[self._client.submit(jobs.PredictCounterfactual(record, index))] = record

    @Slot()
    def _ask_about_chosen(self) -> None:
        if self._window.generation.current >= 0:
            self._window.raise_dock(self._window.inspector)
            self._window.inspector.ask()

    @Slot()
    def _ask_for_timeline(self) -> None:
        record = self._window.generation.record
        if record is not None:
            self._asked[self._client.submit(jobs.ComputeMixerTimeline(record))] = record

    def answered(self, job_id: int, event: Counterfactual | MixerTimeline) -> None:
        """An answer, if it is still about the text that is shown."""
        pane, about = self._window.generation, self._asked.get(job_id)
        if about is None or pane.record is None or pane.record.tokens != about.tokens:
            self._window.inspector.end_asking()
        elif isinstance(event, Counterfactual):
            self._window.inspector.show_counterfactual(event, self._window.desk.slots)  # those of the model now
        else:
            pane.text_page.show_timeline(event)

    def ended(self, job_id: int) -> None:
        """A question has been answered, or could not be."""
        if self._asked.pop(job_id, None) is not None:
            self._window.inspector.end_asking()
