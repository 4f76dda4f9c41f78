"""What is broken in the project, and how it is made whole: offered on the epoch's row, in the banner and the menu."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QAction

from tlora_gui.engine.protocol.events import EndEvent, Event, JobDone, Repair
from tlora_gui.engine.protocol.jobs import Job, RepairMemory, RepairMixer, TrainEpoch
from tlora_gui.ui.epochs.panel import EpochsPanel
from tlora_gui.ui.translation import worded
from tlora_gui.ui.widgets.banner import Banner
from tlora_gui.worker.engine_client import EngineClient


class RepairControl(QObject):
    """Asks for repairs; ``train`` begins a training, or has it wait its turn, ``restore`` is there while the Time Mixer
    can be restored."""

    def __init__(
        self,
        client: EngineClient,
        panel: EpochsPanel,
        banner: Banner,
        restore: QAction,
        train: Callable[[TrainEpoch], None],
    ) -> None:
        super().__init__(panel)
        self._client = client
        self._panel = panel
        self._banner = banner
        self._restore = restore
        self._train = train
        self._repairs: tuple[Repair, ...] = ()
        panel.repair_requested.connect(self._repair_epoch)
        restore.triggered.connect(self._restore_mixer)

    def set_repairs(self, repairs: tuple[Repair, ...]) -> None:
        """All that is broken and can be made whole."""
        self._repairs = repairs
        self._panel.set_repairs({repair.slug: repair.job for repair in repairs if repair.slug})
        self._restore.setVisible(any(isinstance(repair.job, RepairMixer) for repair in repairs))

    @Slot()
    def tell(self) -> None:
        """Say what is broken in a project that has just been opened, the Time Mixer first."""
        if not self._repairs:
            return
        repair, *others = self._repairs
        begin = partial(self._begin, repair)
        if isinstance(repair.job, RepairMixer):
            hint = self.tr("Restoring makes that one current; what it does not know is learned from memories.")
            self._banner.show_error(repair.reason, hint, action_text=self.tr("Restore it"), action=begin)
            return
        told = self.tr("{name}: {note}.")
        if others:
            told = self.tr("{name}: {note}. Other epochs can be repaired too; see their rows.")
        name, note = self._panel.name_of(repair.slug), worded(repair.reason).rstrip(".")
        self._banner.show_notice(told.format(name=name, note=note), self.tr("Repair"), begin)

    @Slot(str)
    def _repair_epoch(self, slug: str) -> None:
        for repair in self._repairs:
            if repair.slug == slug:
                self._begin(repair)

    @Slot()
    def _restore_mixer(self) -> None:
        for repair in self._repairs:
            if isinstance(repair.job, RepairMixer):
                self._begin(repair)

    def _begin(self, repair: Repair) -> None:
        if isinstance(repair.job, TrainEpoch):
            self._train(repair.job)
        elif not self._client.jobs(RepairMemory, RepairMixer):
            self._client.submit(repair.job, self)

    # -- what the engine answers --------------------------------------------------------------------------------

    def hear(self, job_id: int, job: Job, events: Sequence[Event]) -> bool:
        """See :class:`~tlora_gui.worker.job_book.Asker`."""
        return False

    def ended(self, job_id: int, job: Job, end: EndEvent) -> None:
        """It is whole again, or as it was."""
        if not isinstance(end, JobDone):
            return
        if isinstance(job, RepairMemory):
            text = self.tr("{name} has its memory again.").format(name=self._panel.name_of(job.slug))
            self._banner.show_notice(text)
        else:
            self._banner.clear()
            self._banner.show_notice(self.tr("The Time Mixer is restored."))
