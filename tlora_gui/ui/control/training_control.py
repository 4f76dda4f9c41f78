"""Everything about epochs that the person asks for: new ones, their line of trainings, changes to those there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from typing import TypeGuard, cast

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QAction

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelMode
from tlora_gui.engine.protocol.config import TrainSettings
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import (
    BlocksPreviewed,
    CorpusSummarised,
    EndEvent,
    EpochFinished,
    EpochInfo,
    EpochsChanged,
    Event,
    HeldOut,
    JobDone,
    JobFailed,
    Progress,
    Run,
    SettingsLoaded,
    TrainingEstimate,
    TrainingEvent,
    TrainingSample,
    TrainStarted,
    TrainStep,
)
from tlora_gui.engine.protocol.jobs import (
    TRAININGS,
    EstimateTraining,
    ExportMerge,
    ImportAdapter,
    Job,
    KeepEpoch,
    NewEpoch,
    PreviewBlocks,
    ResumeEpoch,
    TrainEpoch,
)
from tlora_gui.ui.charts.panel import ChartsPanel
from tlora_gui.ui.control.notices import finished_text, followed, imported_text
from tlora_gui.ui.control.undo import Undo
from tlora_gui.ui.epochs.new_epoch_dialog import NewEpochDialog
from tlora_gui.ui.epochs.panel import EpochsPanel
from tlora_gui.ui.formats import short
from tlora_gui.ui.translation import worded
from tlora_gui.ui.widgets.banner import Banner
from tlora_gui.worker.engine_client import EngineClient
from tlora_gui.worker.wakefulness import Wakefulness

Training = NewEpoch | ResumeEpoch | KeepEpoch
_MISROUTED = 20
"""Stretches of text that an evaluation tells of."""


class TrainingControl(QObject):
    """Shows how the trainings go, of which the engine has one and the others wait here.

    Attributes:
        epochs: of the project.
        dialog: "New epoch", while it is open.

    Signals:
        paced: training tokens a second, as they come.
        progressed: a measurement is so far.
        trained: no training goes on any more; says what has come of the last one, for who does not look.
    """

    paced = Signal(float)
    progressed = Signal(int, object)
    trained = Signal(str)

    def __init__(
        self,
        client: EngineClient,
        panel: EpochsPanel,
        charts: ChartsPanel,
        evaluate: QAction,
        banner: Banner,
        undo: Undo,
    ) -> None:
        super().__init__(panel)
        self.epochs: tuple[EpochInfo, ...] = ()
        self.dialog: NewEpochDialog | None = None
        self._client = client
        self._panel = panel
        self._charts = charts
        self._evaluate = evaluate
        self._banner = banner
        self._undo = undo
        self._held_up = self._following = self._leaving = False
        self._summarised: tuple[str, ...] = ()
        self._settings = TrainSettings()
        self._running: int | None = None
        self._started = False
        self._queue: dict[int, Training] = {}
        self._put_off = set[int]()
        self._tickets = count(-1, -1)
        self._all_paused = False
        self._kept: tuple[NewEpoch, ...] = ()
        self._speed: float | None = None
        self._outcome = ""
        self._awake = Wakefulness()
        panel.pause_requested.connect(self._pause)
        panel.pause_all_requested.connect(self._pause_all)
        panel.stop_requested.connect(self._stop)
        panel.resume_requested.connect(self._resume)
        panel.keep_requested.connect(self._keep)
        panel.discard_requested.connect(self._discard)
        panel.delete_requested.connect(self._delete)
        panel.edit_requested.connect(self._edit)
        panel.export_requested.connect(self._export)
        panel.merge_requested.connect(self._merge)
        panel.unqueue_requested.connect(self._unqueue)
        panel.queue_moved.connect(self._move)
        panel.queue_edit_requested.connect(self._edit_waiting)
        evaluate.triggered.connect(self._measure)

    @property
    def jobs(self) -> dict[int, Training]:
        """The trainings that are not over: the one that runs, by its number, then those that wait."""
        running = cast(dict[int, Training], self._client.jobs(*TRAININGS, asker=self))
        return running | self._queue

    @property
    def waiting(self) -> int:
        """How many trainings wait."""
        return len(self._queue)

    def set_epochs(self, epochs: tuple[EpochInfo, ...]) -> None:
        """The project's epochs: names and colours that are taken, and what can be measured."""
        self.epochs = epochs
        if self.dialog is not None:
            self._update_dialog(self.dialog)
        self.offer_evaluation()

    # -- a new one ----------------------------------------------------------------------------------------------

    @Slot(bool)
    def hold_up(self, held_up: bool) -> None:
        """Nothing can be trained while another project is on its way: it would be trained there."""
        self._held_up = held_up

    def set_following(self, reason: str) -> None:
        """Why nothing can be asked for here: the project is trained elsewhere; "" where it is this window's again."""
        self._following = bool(reason)
        self._panel.set_following(reason)
        self._show_queue()

    def show_followed(self, event: TrainStarted | TrainStep | HeldOut) -> None:
        """What a training elsewhere does."""
        if isinstance(event, TrainStarted):
            self._charts.begin_epoch(event)
        else:
            self._show_points([event])

    @Slot(bool)
    def leave(self, leaving: bool) -> None:
        """The window is to be closed: no waiting training begins, and what waits stays kept with the project."""
        self._leaving = leaving
        if not leaving:
            self._begin_next()

    @Slot(list)
    def new_epoch(self, paths: Sequence[str], settings: TrainSettings | None = None) -> None:
        """Open "New epoch", filled in from what was dropped; with the last settings, if no others are given."""
        if self.dialog is None:
            self._open_dialog(settings or self._settings)
        if paths and self.dialog is not None:
            self.dialog.set_paths(paths)

    @Slot(object)
    def run_again(self, run: Run) -> None:
        """Open "New epoch" with text and settings of an earlier run."""
        if self.dialog is None:
            self._fill_dialog(
                TrainEpoch(run.epoch.name, run.epoch.corpus, run.epoch.era, "", run.settings, run.epoch.reading)
            )

    def _fill_dialog(self, job: TrainEpoch) -> NewEpochDialog:
        dialog = self._open_dialog(job.settings)
        dialog.set_job(job)
        return dialog

    def _open_dialog(self, settings: TrainSettings) -> NewEpochDialog:
        self.dialog = dialog = NewEpochDialog(settings, self._panel.window())
        dialog.corpus_chosen.connect(self._summarise)
        dialog.each_chosen.connect(self._summarise_each)
        dialog.preview_wanted.connect(self._preview)
        dialog.estimates_wanted.connect(self._estimate)
        dialog.settings_wanted.connect(self._load_settings)
        dialog.start_requested.connect(self._start)
        dialog.finished.connect(self._dialog_closed)
        self._update_dialog(dialog)
        dialog.set_used_colours(self.colours())
        dialog.open()
        return dialog

    def look_again(self) -> None:
        """Another project is open, which counts tokens in its own way."""
        self._summarise(self._summarised)

    def _update_dialog(self, dialog: NewEpochDialog) -> None:
        dialog.set_taken_names(self.names(dialog.edited))
        dialog.set_first_epoch(not self.jobs and all(epoch.state != "frozen" for epoch in self.epochs))
        dialog.set_interrupted(self.ended_by_another())
        trained = [epoch for epoch in self.epochs if epoch.state in ("frozen", "interrupted")]
        dialog.set_earlier(tuple((epoch.slug, epoch.name) for epoch in trained))
        dialog.set_speed(self._speed)
        dialog.set_busy(self._running is not None)

    def names(self, edited: Training | None = None) -> list[str]:
        """Names of the epochs that there are and will be, but for the one that is being changed."""
        new = [job for job in self.jobs.values() if isinstance(job, NewEpoch) and job != edited]
        return [*(epoch.name for epoch in self.epochs), *(job.name for job in new)]

    def colours(self) -> list[str]:
        """Colours of the epochs that there are and will be."""
        return [each.colour for each in (*self.epochs, *self.jobs.values()) if isinstance(each, EpochInfo | NewEpoch)]

    def ended_by_another(self) -> list[str]:
        """Names of interrupted epochs that cannot go on any more once there is another epoch."""
        return [epoch.name for epoch in self._interrupted()]

    def _interrupted(self) -> list[EpochInfo]:
        """Epochs that can go on, and for which nobody has asked yet."""
        asked = {job.slug for job in self.jobs.values() if isinstance(job, ResumeEpoch | KeepEpoch)}
        left = [epoch for epoch in self.epochs if epoch.state == "interrupted" and epoch.slug not in asked]
        return [epoch for epoch in left if epoch.goes_on]

    def _drop_jobs(self, *kinds: type) -> None:
        for outdated in self._client.jobs(*kinds, asker=self):
            self._client.drop(outdated)

    @Slot(tuple)
    def _summarise(self, paths: tuple[str, ...]) -> None:
        self._drop_jobs(jobs.SummariseCorpus, PreviewBlocks, EstimateTraining)
        self._summarised = paths
        if paths and self.dialog is not None:
            self.dialog.set_summarising()
            self._client.submit(jobs.SummariseCorpus(tuple(paths), self.dialog.reading()), self)

    @Slot(tuple)
    def _summarise_each(self, paths: tuple[str, ...]) -> None:
        self._drop_jobs(jobs.SummariseCorpus)
        if self.dialog is not None:
            for path in paths:
                self._client.submit(jobs.SummariseCorpus((path,), self.dialog.reading()), self)

    @Slot(object)
    def _preview(self, job: PreviewBlocks) -> None:
        self._drop_jobs(PreviewBlocks)
        self._client.submit(job, self)

    @Slot(list)
    def _estimate(self, wanted: Sequence[EstimateTraining]) -> None:
        """Steps are tried only where they take nothing from a training."""
        self._drop_jobs(EstimateTraining)
        if self._running is None:
            for job in wanted:
                self._client.submit(job, self)

    @Slot(str)
    def _load_settings(self, slug: str) -> None:
        self._client.submit(jobs.LoadSettings(slug), self)

    @Slot()
    def _dialog_closed(self) -> None:
        self.dialog = None
        self._summarise(())

    @Slot(object)
    def _start(self, job: TrainEpoch) -> None:
        """What the dialog asks for: a new training, or the change of one that waits."""
        self._settings = job.settings
        edited = self.dialog.edited if self.dialog is not None else None
        if edited is None:
            self.train(job)
            return
        place = next((ticket for ticket, waiting in self._queue.items() if waiting is edited), None)
        if place is None:
            self._banner.show_notice(self.tr("{name} has begun already, as it was.").format(name=edited.name))
            return
        name = self.tr("change {name} in the queue").format(name=short(edited.name))
        self._undo.do(name, (partial(self._put, place, job), partial(self._put, place, edited)))

    @Slot(object)
    def train(self, job: Training) -> None:
        """Train now, or after the epochs that wait already."""
        if self._held_up:
            self._banner.show_error(
                self.tr("Another project is being opened."), self.tr("Wait until it is there, or cancel that first.")
            )
        elif self._following:
            self._banner.show_error(*followed())
        elif self._running is None:
            self._begin(job)
        else:
            self._queue[next(self._tickets)] = job
            self._show_queue()

    # -- the line of trainings ----------------------------------------------------------------------------------

    def _begin(self, job: Training) -> None:
        """Have the engine train, and show it."""
        self._drop_jobs(EstimateTraining)
        self._started = False
        self._running = self._client.submit(job, self)
        self._awake.hold(True)
        self._show_queue()
        self._panel.set_training(self._running)
        self._show_preparation(job, self.tr("Preparing"))

    def _begin_next(self) -> None:
        if self._running is not None or self._all_paused or self._leaving:
            return
        ready = next((ticket for ticket in self._queue if ticket not in self._put_off), None)
        if ready is not None:
            self._begin(self._queue.pop(ready))
        else:
            self._all_paused = bool(self._queue)

    def take_up(self, waiting: tuple[NewEpoch, ...]) -> None:
        """What waited when the project was left waits again, until it is asked for."""
        self._queue = {next(self._tickets): job for job in waiting}
        self._put_off.clear()
        self._kept, self._all_paused = waiting, bool(waiting)
        self._show_queue()

    def clear(self) -> None:
        """The project is left; what waits is kept with it already, and nothing of it goes into the next one."""
        self._started = True  # so that what is on its way to its end does not wait again
        self._running, self._queue, self._kept, self._all_paused = None, {}, (), False
        self._awake.hold(False)
        self._show_queue()

    def _show_preparation(self, job: Training, label: str) -> None:
        if isinstance(job, NewEpoch):
            self._panel.show_preparation(label, job.name, job.colour, importing=isinstance(job, ImportAdapter))
            return
        resumed = (replace(epoch, state="training") if epoch.slug == job.slug else epoch for epoch in self.epochs)
        self._panel.set_epochs(tuple(resumed))  # it has its card already
        self._panel.show_preparation(label, keeping=isinstance(job, KeepEpoch))

    def _epoch(self, slug: str) -> EpochInfo | None:
        return next((epoch for epoch in self.epochs if epoch.slug == slug), None)

    def _waiting(self) -> dict[int, NewEpoch]:
        """The trainings that the queue shows."""
        return {ticket: job for ticket, job in self._queue.items() if isinstance(job, NewEpoch)}

    def _show_queue(self) -> None:
        self._panel.set_queue(tuple(job.name for job in self._waiting().values()))
        self._panel.set_all_paused(self._all_paused)
        self._panel.set_busy(self._following or self._running is not None)
        if self.dialog is not None:
            self.dialog.set_busy(self._running is not None)
        self.offer_evaluation()
        self._keep_queue()

    def _keep_queue(self) -> None:
        """Keep with the project what has not begun, so that it outlives the window."""
        jobs_there = self.jobs.values() if not self._started else self._queue.values()
        waiting = tuple(job for job in jobs_there if isinstance(job, NewEpoch))
        if waiting != self._kept and not self._leaving:
            self._kept = waiting
            self._client.submit(jobs.KeepQueue(waiting))

    @Slot(int, bool)
    def _pause(self, training: int, paused: bool) -> None:
        self._client.pause(training, paused)
        self._panel.set_paused(paused)
        self._awake.hold(not paused)

    @Slot(bool)
    def _pause_all(self, paused: bool) -> None:
        """Nothing begins any more, and what runs stands still; or all goes on, what was interrupted first: it could not
        go on after another."""
        self._put_off.clear()
        if not paused and self._running is None and (interrupted := self._interrupted()):
            self._resume(interrupted[-1].slug)
            return
        self._all_paused = paused
        if self._running is not None:
            self._pause(self._running, paused)
        self._show_queue()
        self._begin_next()

    @Slot(int, str)
    def _stop(self, training: int, mode: CancelMode) -> None:
        if self._client.is_live(training):
            self._client.cancel(training, mode)
        else:
            self._banner.show_notice(self.tr("That training had ended already."))

    @Slot(str)
    def _resume(self, slug: str) -> None:
        if self._running is None:
            self._all_paused = False  # what was left with it goes on after it
        self.train(ResumeEpoch(slug))

    @Slot(str)
    def _keep(self, slug: str) -> None:
        self.train(KeepEpoch(slug))

    @Slot()
    def tell_interrupted(self) -> None:
        """Say what is left from before: the latest epoch that was interrupted, or those that still wait."""
        if interrupted := self._interrupted():
            epoch = interrupted[-1]
            text = self.tr("{name}: {note}.").format(name=epoch.name, note=worded(epoch.note).rstrip("."))
            self._banner.show_notice(text, self.tr("Resume"), partial(self._resume, epoch.slug))
        elif waiting := self._waiting():
            names = ", ".join(job.name for job in waiting.values())
            self._banner.show_notice(
                self.tr("Still to be trained: {names}.").format(names=names),
                self.tr("Train now"),
                partial(self._pause_all, False),
            )

    @Slot(int)
    def _unqueue(self, index: int) -> None:
        waiting = list(self._waiting())
        if index < len(waiting):
            ticket, paused = waiting[index], self._all_paused
            job, place = self._waiting()[ticket], list(self._queue).index(ticket)
            self._undo.do(
                self.tr("take {name} out of the queue").format(name=short(job.name)),
                (partial(self._take_out, ticket), partial(self._put_back, ticket, job, place, paused)),
            )

    def _require_waiting(self, ticket: int) -> None:
        """Refuse to change what has begun."""
        if ticket not in self._queue:
            raise TloraError(self.tr("That training has begun already."))

    def _put(self, ticket: int, job: Training) -> None:
        """Have another training wait in a place."""
        self._require_waiting(ticket)
        self._queue[ticket] = job
        if ticket in self._put_off:
            self._put_off.remove(ticket)
            self._all_paused = False
            self._begin_next()
        self._show_queue()

    def _take_out(self, ticket: int) -> None:
        self._require_waiting(ticket)
        del self._queue[ticket]
        self._all_paused = self._all_paused and bool(self.jobs)
        self._show_queue()

    def _put_back(self, ticket: int, job: Training, place: int, paused: bool) -> None:
        """Have a training wait again that was taken out; it begins where nothing else runs and nothing is held up."""
        waiting = list(self._queue.items())
        self._queue = dict([*waiting[:place], (ticket, job), *waiting[place:]])
        self._all_paused = self._all_paused or (paused and self._running is None)
        self._show_queue()
        self._begin_next()

    @Slot(int, int)
    def _move(self, index: int, to: int) -> None:
        """Have a waiting training begin at another place in the line."""
        waiting = list(self._waiting())
        if index < len(waiting) and 0 <= to < len(waiting):
            ticket = waiting[index]
            name = short(self._waiting()[ticket].name)
            self._undo.do(
                self.tr("move {name} in the queue").format(name=name),
                (partial(self._place, ticket, to), partial(self._place, ticket, index)),
            )

    def _place(self, ticket: int, to: int) -> None:
        """Have a waiting training begin as the one of this number among those that wait."""
        self._require_waiting(ticket)
        waiting = [other for other in self._waiting() if other != ticket]
        waiting.insert(to, ticket)
        places = iter(waiting)
        self._queue = {
            moved: self._queue[moved]
            for other in self._queue
            for moved in ([next(places)] if other in waiting else [other])
        }
        self._show_queue()

    @Slot(int)
    def _edit_waiting(self, index: int) -> None:
        waiting = list(self._waiting().values())
        if index >= len(waiting) or self.dialog is not None:
            return
        if isinstance(job := waiting[index], ImportAdapter):
            self._banner.show_notice(
                self.tr("{name} is an adapter: take it out of the queue and import it again.").format(name=job.name)
            )
            return
        dialog = self._fill_dialog(job)
        dialog.set_edited(job)
        self._update_dialog(dialog)

    # -- epochs that are there ----------------------------------------------------------------------------------

    @Slot(str)
    def _delete(self, slug: str) -> None:
        epoch = self._epoch(slug)
        if epoch is not None:
            self._undo.do(
                self.tr("delete {name}").format(name=short(epoch.name)),
                self._undo.part(jobs.DeleteEpoch(slug), jobs.RestoreEpoch(slug), self),
                notice=self.tr("{name} was deleted.").format(name=epoch.name),
            )

    @Slot(str)
    def _discard(self, slug: str) -> None:
        self._client.submit(jobs.DeleteEpoch(slug), self)

    @Slot(str, str, str, str)
    def _edit(self, slug: str, name: str, era: str, colour: str) -> None:
        before = self._epoch(slug)
        if before is None:
            return
        step = self.tr("change {name}")
        if (era, colour) == (before.era, before.colour):
            step = self.tr("rename {name}")
        elif (name, era) == (before.name, before.era):
            step = self.tr("recolour {name}")
        job = jobs.EditEpoch(slug, name, era, colour)
        opposite = jobs.EditEpoch(slug, before.name, before.era, before.colour)
        if job != opposite:
            self._undo.do(step.format(name=short(before.name)), self._undo.part(job, opposite, self))

    @Slot(str, str)
    def _export(self, slug: str, path: str) -> None:
        self._client.submit(jobs.ExportEpoch(slug, path, overwrite=True), self)  # the file dialog has asked

    @Slot(object)
    def _merge(self, job: ExportMerge) -> None:
        self._client.submit(job, self)

    @Slot()
    def _measure(self) -> None:
        job_id = self._client.submit(jobs.Evaluate(misrouted=_MISROUTED), self)
        self.progressed.emit(job_id, Progress(self.tr("Measuring on held-out text")))
        self.offer_evaluation()

    def offer_evaluation(self) -> None:
        """Let the person measure if an epoch is trained and neither a training nor a measurement goes on."""
        action, measuring = self._evaluate, self._client.jobs(jobs.Evaluate, asker=self)
        trained = any(epoch.state == "frozen" for epoch in self.epochs)
        action.setEnabled(trained and not self.jobs and not measuring and not self._following)
        action.setToolTip(
            self.tr("Backbone, every epoch alone and the mix, each on the text kept aside from training")
            if action.isEnabled()
            else self.tr("Possible once an epoch is trained and no training runs")
        )

    # -- what the engine answers --------------------------------------------------------------------------------

    def hear(self, job_id: int, job: Job, events: Sequence[Event]) -> bool:
        """See :class:`~tlora_gui.worker.job_book.Asker`."""
        if self.dialog is not None and self._show_in_dialog(self.dialog, job, events[-1]):
            return True
        match events[-1]:
            case Progress(label) as progress if isinstance(job, Training):
                if not self._started or isinstance(job, KeepEpoch):  # steps say more
                    self._show_preparation(job, label)
                    self._panel.show_amount(progress)
            case JobFailed(_, message, hint, details) if self._could_not_begin(job):
                told = self.tr("{name} could not begin and waits: {reason}").format(
                    name=job.name, reason=worded(message)
                )
                self._banner.show_error(told, hint, details)
            case TrainStarted() as event:
                self._started = True
                self._keep_queue()
                self._charts.begin_epoch(event)
            case TrainStep() | HeldOut() | TrainingSample():
                self._show_points(cast(Sequence[TrainingEvent], events))
            case EpochFinished(epoch) if isinstance(job, ImportAdapter):
                self._outcome = imported_text(epoch)
                self._banner.show_notice(self._outcome)
            case EpochFinished(epoch):
                self._outcome = finished_text(epoch)
                return False
            case EpochsChanged() if isinstance(job, jobs.DeleteEpoch):
                gone = self._epoch(job.slug)
                if gone is not None and gone.state == "interrupted":
                    self._banner.show_notice(self.tr("{name} was deleted.").format(name=gone.name))
                return False
            case _:
                return False
        return True

    def _could_not_begin(self, job: Job) -> TypeGuard[TrainEpoch]:
        """Whether a training ends before its first step: it waits again, so that nothing is lost that was entered."""
        return isinstance(job, TrainEpoch) and not self._started

    def _show_in_dialog(self, dialog: NewEpochDialog, job: Job, event: Event) -> bool:
        """Answers to what "New epoch" has asked; says whether it was one."""
        match event:
            case CorpusSummarised(summary):
                dialog.set_summary(summary)
            case BlocksPreviewed():
                dialog.set_preview(event)
            case SettingsLoaded(slug, settings):
                dialog.set_settings(slug, settings)
            case TrainingEstimate() if isinstance(job, EstimateTraining):
                dialog.set_estimate(job, event)
            case JobFailed(_, message, hint) if isinstance(job, EstimateTraining):
                dialog.set_no_estimate(job, message, hint)
            case JobFailed(_, message, hint, "") if isinstance(job, jobs.SummariseCorpus):
                dialog.set_error(message, hint, job.paths)
            case Progress() | JobFailed() if isinstance(job, EstimateTraining | PreviewBlocks):
                pass
            case _:
                return False
        return True

    def _show_points(self, points: Sequence[TrainingEvent]) -> None:
        """Steps, measurements or samples of the training that runs."""
        self._charts.add_events(points)
        latest = points[-1]
        if isinstance(latest, HeldOut):
            self._panel.show_held_out(latest)
        elif isinstance(latest, TrainStep):
            self._speed = latest.tokens_per_second
            self._panel.show_progress(latest)
            self.paced.emit(self._speed)

    def ended(self, job_id: int, job: Job, end: EndEvent) -> None:
        """A training is over, and the next one begins; or something else is, that may have been in its way."""
        if not isinstance(job, Training):
            self.offer_evaluation()
            return
        if job_id != self._running:
            return
        self._running = None
        if isinstance(end, JobFailed) and self._could_not_begin(job):
            ticket = next(self._tickets)
            self._queue[ticket] = job
            self._put_off.add(ticket)
        self._panel.clear_preparation()
        self._panel.set_epochs(self.epochs)
        # What failed on its way could not go on after another.
        self._all_paused = self._all_paused or (isinstance(end, JobFailed) and bool(self._interrupted()))
        self._begin_next()
        if self._running is not None:
            return
        self._awake.hold(False)
        self._started = False
        self._all_paused = self._all_paused and bool(self._queue)
        self._show_queue()
        self._charts.training_ended.emit()
        if isinstance(end, JobFailed):
            self.trained.emit(worded(end.message))
        elif isinstance(end, JobDone):
            self.trained.emit(self._outcome)
