"""Questions about the text that is shown: counterfactuals of a token, how earlier mixers would weigh it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal, Slot

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.events import Counterfactual, EndEvent, Event, MixerTimeline
from tlora_gui.ui.generation.inspector.inspector import TokenInspector
from tlora_gui.ui.generation.mixing_desk.mixing_desk import MixingDeskPanel
from tlora_gui.ui.generation.pane import GenerationPane
from tlora_gui.ui.menus import Menus
from tlora_gui.worker.engine_client import EngineClient


class QuestionControl(QObject):
    """Asks about the text that is shown; an answer about another one is not shown.

    Signals:
        inspector_wanted: the answer will be there.
    """

    inspector_wanted = Signal()

    def __init__(
        self,
        client: EngineClient,
        pane: GenerationPane,
        inspector: TokenInspector,
        desk: MixingDeskPanel,
        menus: Menus,
    ) -> None:
        super().__init__(inspector)
        self._client = client
        self._pane = pane
        self._inspector = inspector
        self._desk = desk
        inspector.counterfactual_requested.connect(self._ask_counterfactual)
        menus.predict_counterfactual.triggered.connect(self._ask_about_chosen)
        menus.mixer_timeline.triggered.connect(self._ask_for_timeline)

    @Slot(int)
    def _ask_counterfactual(self, index: int) -> None:
        record = self._pane.record
        if record is None:
            self._inspector.end_asking()
        else:
            self._client.submit(jobs.PredictCounterfactual(record, index), self)

    @Slot()
    def _ask_about_chosen(self) -> None:
        if self._pane.current >= 0:
            self.inspector_wanted.emit()
            self._inspector.ask()

    @Slot()
    def _ask_for_timeline(self) -> None:
        record = self._pane.record
        if record is not None:
            self._client.submit(jobs.ComputeMixerTimeline(record), self)

    def hear(self, job_id: int, job: jobs.Job, events: Sequence[Event]) -> bool:
        """See :class:`~tlora_gui.worker.job_book.Asker`."""
        event = events[-1]
        if not isinstance(event, Counterfactual | MixerTimeline):
            return False
        assert isinstance(job, jobs.PredictCounterfactual | jobs.ComputeMixerTimeline)
        if self._pane.record is None or self._pane.record.tokens != job.record.tokens:
            self._inspector.end_asking()
        elif isinstance(event, Counterfactual):
            self._inspector.show_counterfactual(event, self._desk.slots)  # those of the model now
        else:
            self._pane.text_page.show_timeline(event)
        return True

    def ended(self, job_id: int, job: jobs.Job, end: EndEvent) -> None:
        """A question has been answered, or could not be."""
        self._inspector.end_asking()
