"""The headless verbs: the same session and jobs as the window, written as lines of text."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from tlora_gui.engine.corpus.text_corpus import TextCorpus
from tlora_gui.engine.projects.epoch_folder import read_facts
from tlora_gui.engine.projects.epoch_list import EpochList
from tlora_gui.engine.projects.project import Project, is_free
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelMode, CancelToken
from tlora_gui.engine.protocol.config import (
    AVERAGE_MODE,
    MIXER_MODE,
    STARTER,
    STRATEGIES,
    SUM_MODE,
    SamplingSettings,
    TrainSettings,
)
from tlora_gui.engine.protocol.errors import BackboneMissing, Cancelled, TloraError
from tlora_gui.engine.protocol.events import (
    CorpusRead,
    EpochFinished,
    EpochInfo,
    EpochsChanged,
    Evaluated,
    FileWritten,
    GenerationFinished,
    GenerationStarted,
    HeldOut,
    Progress,
    ProjectOpened,
    StreamEvent,
    TrainStarted,
    TrainStep,
    Warned,
)
from tlora_gui.engine.protocol.texts import TokenEvent
from tlora_gui.engine.session import Session, require_measurable
from tlora_gui.engine.sharing.export_target import export_kind
from tlora_gui.engine.storage.disk import absolute
from tlora_gui.paths import log_file
from tlora_gui.terminal import Terminal

logger = logging.getLogger(__name__)

_STOP_MODES: dict[str, CancelMode] = {"train": "suspend", "resume": "suspend", "generate": "keep"}
"""How a verb ends that is stopped; the others have nothing to keep."""

_REMARKS = 10
"""Remarks on single files that are printed at most."""


def run(options: argparse.Namespace) -> int:
    """Do one verb.

    Returns:
        0; 1 if something could not be done, with the reason on stderr; 128 + the signal that stopped it.
    """
    terminal = Terminal()
    verb = _Verb(options, terminal)
    signals: list[int] = []
    try:
        with _stopped_by_signals(verb.cancel, _STOP_MODES.get(options.verb, "discard"), signals):
            for event in verb.events():
                verb.report(event)
        if not signals:
            return _end(terminal)
    except (TloraError, ValueError, OSError) as error:
        where = " Name the place with --backbone." if isinstance(error, BackboneMissing) else ""
        terminal.remark(f"tlora: {error}{where}")
        return 1
    except (Cancelled, KeyboardInterrupt):
        pass
    except Exception as error:  # a bug, or a panic of a library
        logger.exception("%s failed", options.verb)
        terminal.remark(f"tlora: Something went wrong: {str(error)[:300] or type(error).__name__}")
        terminal.remark(f"The details are in {log_file()}.")
        return 1
    finally:
        verb.session.close()
    terminal.remark(f"tlora: stopped{verb.kept()}")
    return 128 + (signals[0] if signals else signal.SIGINT)


def _end(terminal: Terminal) -> int:
    if terminal.problem is None:
        return 0
    terminal.remark(f"tlora: What it said could not be written ({terminal.problem.strerror}); its work is done.")
    return 1


@contextmanager
def _stopped_by_signals(cancel: CancelToken, mode: CancelMode, came: list[int]) -> Iterator[None]:
    """Ctrl+C or a request to end, noted in ``came``, lets the work end in its own time; the second ends it at once."""

    def stop(number: int, frame: FrameType | None) -> None:
        came.append(number)
        if cancel.mode is not None:
            raise KeyboardInterrupt
        cancel.cancel(mode)

    handlers = {}
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
                handlers[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


class _Verb:
    """One verb at work."""

    def __init__(self, options: argparse.Namespace, terminal: Terminal) -> None:
        self.options = options
        self.session = Session()
        self.cancel = CancelToken()
        self._terminal = terminal
        self._epochs = EpochList()

    def events(self) -> Iterator[StreamEvent]:
        """Do it. What can be known before anything is fetched or loaded is refused before."""
        options = self.options
        match options.verb:
            case "train":
                yield from self._train()
            case "resume":
                epoch = self._stored_epochs().find(options.epoch)
                if epoch.state != "interrupted":
                    raise TloraError(f"{epoch.name} is not interrupted.", "`tlora epochs` lists what there is.")
                yield from self._open()
                yield from self._run(jobs.ResumeEpoch(epoch.slug))
            case "generate":
                yield from self._generate()
            case "epochs":
                self._list(self._stored_epochs())
            case "delete":
                slug = self._stored_epochs().find(options.epoch).slug
                yield from self._open()
                yield from self._run(jobs.DeleteEpoch(slug))
            case "export":
                slug, target = self._stored_epochs().find(options.epoch).slug, absolute(options.folder)
                self._stored_project().require_exportable(slug, target)
                yield from self._open()
                yield from self._run(jobs.ExportEpoch(slug, str(target)))
            case _:
                measuring = jobs.Evaluate(options.held_out_tokens)
                require_measurable(measuring, any(epoch.state == "frozen" for epoch in self._stored_epochs()))
                yield from self._open()
                yield from self._run(measuring)

    def _run(self, job: jobs.Job) -> Iterator[StreamEvent]:
        return self.session.run(job, self.cancel)

    def _open(self) -> Iterator[StreamEvent]:
        return self._run(jobs.OpenProject(str(self.options.project), self.options.backbone))

    def _stored_project(self) -> Project:
        """The project's files, without the backbone.

        Raises:
            TloraError: if it is no project.
        """
        return Project.open(absolute(self.options.project))

    def _stored_epochs(self) -> EpochList:
        """The project's epochs as its files say."""
        return EpochList(self._stored_project().epochs())

    # -- training -----------------------------------------------------------------------------------------------

    def _train(self) -> Iterator[StreamEvent]:
        options = self.options
        settings = TrainSettings(num_passes=options.passes, max_tokens=options.max_tokens or None, seed=options.seed)
        if not options.name.strip():
            raise TloraError("The epoch has no name.", "Give it one with --name.")
        is_new = is_free(absolute(options.project))
        stored = EpochList() if is_new else self._stored_epochs()
        again = next((e for e in stored if e.name == options.name.strip() and e.state == "interrupted"), None)
        if again is None:
            stored.free_name(options.name)
        else:
            self._refuse_other_training(again, settings)
        TextCorpus.from_paths(options.paths, self.cancel)
        if is_new:
            backbone, strategy = options.backbone or STARTER, options.strategy or STRATEGIES[0]
            yield from self._run(jobs.CreateProject(str(options.project), backbone, strategy))
        else:
            strategy = self._stored_project().index.mixer.strategy
            if options.strategy not in ("", strategy):
                raise TloraError(
                    f"The Time Mixer of {options.project.name} works by {strategy}, not {options.strategy}.",
                    "Leave --strategy out, or make a new project.",
                )
            yield from self._open()
        try:
            if again is None:
                yield from self._train_anew(settings)
            else:
                yield from self._run(jobs.ResumeEpoch(again.slug))
        except BaseException:
            if is_new:
                for _ in self.session.run(jobs.CloseProject(drop_if_empty=True)):
                    pass
            raise

    def _train_anew(self, settings: TrainSettings) -> Iterator[StreamEvent]:
        options = self.options
        lost = self.session.ended_by_training()
        if lost and not options.abandon:
            names = ", ".join(epoch.name for epoch in lost)
            raise TloraError(
                f"Interrupted, and beyond resuming once another epoch is trained: {names}.",
                f"Go on with `tlora resume {options.project} {lost[0].slug}` first, or add --abandon.",
            )
        yield from self._run(jobs.TrainEpoch(options.name, tuple(options.paths), options.era, "", settings))

    def _refuse_other_training(self, epoch: EpochInfo, settings: TrainSettings) -> None:
        """An interrupted epoch goes on with the text and the settings that it was begun with, or not at all."""
        _, begun_with = read_facts(self._stored_project().folder(epoch.slug))
        paths = tuple(str(Path(path).resolve()) for path in self.options.paths)
        if (begun_with, epoch.corpus) != (settings, paths):
            which = f"{self.options.project} {epoch.slug}"
            raise TloraError(
                f"{epoch.name} is interrupted, and was begun with other text or settings.",
                f"Go on with `tlora resume {which}`, or begin anew after `tlora delete {which}`.",
            )

    def kept(self) -> str:
        """What is left of a verb that was stopped, to be added to the word that it was."""
        interrupted = [epoch for epoch in self._epochs if epoch.state == "interrupted"]
        if self.options.verb not in ("train", "resume") or not interrupted:
            return ""
        return f"; go on with `tlora resume {self.options.project} {interrupted[-1].slug}`"

    # -- generating ---------------------------------------------------------------------------------------------

    def _generate(self) -> Iterator[StreamEvent]:
        options = self.options
        sampling = SamplingSettings(max_new_tokens=options.max_new_tokens, seed=options.seed)
        if options.html is not None:
            export_kind(absolute(options.html))
        mode = options.mode
        if mode not in ("", MIXER_MODE, SUM_MODE, AVERAGE_MODE) and not mode.startswith("@"):
            mode = self._stored_epochs().find(mode).slug
        prompt = sys.stdin.read() if options.prompt == "-" else options.prompt
        yield from self._open()
        for event in self._run(jobs.Generate(prompt, mode, sampling)):
            yield event
            if isinstance(event, GenerationFinished) and options.html is not None:
                yield from self.session.run(jobs.ExportGeneration(event.record, str(absolute(options.html))))

    # -- reporting ----------------------------------------------------------------------------------------------

    def report(self, event: StreamEvent) -> None:
        """Print what an event says."""
        terminal = self._terminal
        match event:
            case Progress():
                amount = f" {event.done:.0f}/{event.total:.0f} {event.unit}" if event.total else ""
                terminal.status(event.label + amount)
            case ProjectOpened(project):
                self._epochs = EpochList(project.epochs)
                for epoch in project.epochs:
                    if epoch.state == "broken":
                        terminal.remark(f"{epoch.name} is left out: {epoch.note}.")
                if project.backbone.note and self.options.verb == "train":
                    terminal.remark(project.backbone.note)
            case EpochsChanged():
                self._epochs = EpochList(event.epochs)
            case CorpusRead():
                self._print_remarks(event)
            case Warned(message, hint):
                terminal.remark(f"{message} {hint}".strip())
            case TrainStarted(epoch, total, first):
                if first:
                    terminal.say(f"{epoch.name} was interrupted at step {first} of {total} and goes on")
            case TrainStep():
                terminal.status(
                    f"step {event.step}/{event.total_steps}  adapter loss {event.adapter_loss:.3f}  "
                    f"mixer-distill loss {event.mixer_distill_loss:.4f}  {event.tokens_per_second:.0f} tokens/s  "
                    f"{event.eta_s:.0f} s left"
                )
            case HeldOut():
                routing = ", ".join(f"{self._name(slug)} {share:.3f}" for slug, share in event.routing)
                terminal.say(f"step {event.step}: held-out loss {event.loss:.3f}; routing {routing}")
            case EpochFinished(epoch):
                terminal.say(f"{epoch.name}: held-out {epoch.held_out_loss:.3f}, backbone {epoch.backbone_loss:.3f}")
            case GenerationStarted():
                terminal.status()
            case TokenEvent():
                terminal.write(event.text)
            case GenerationFinished():
                terminal.write("\n")
            case FileWritten(path):
                terminal.say(path)
            case Evaluated():
                self._print_scores(event)
            case _:
                pass

    def _name(self, slug: str) -> str:
        return next((epoch.name for epoch in self._epochs if epoch.slug == slug), slug)

    def _print_remarks(self, corpus: CorpusRead) -> None:
        """What was not read, or read in an unusual way."""
        remarks = [f"skipped {path}: {reason}" for path, reason in corpus.skipped]
        remarks += [f"{path}: {remark}" for path, remark in corpus.notes]
        for remark in remarks[:_REMARKS]:
            self._terminal.remark(remark)
        if len(remarks) > _REMARKS:
            self._terminal.remark(f"… and {len(remarks) - _REMARKS} remarks more")

    def _print_scores(self, event: Evaluated) -> None:
        say = self._terminal.say
        say(f"{'epoch':20} {'backbone':>9} {'own':>7} {'mix':>7} {'routing':>8} {'baseline':>12}")
        for score in event.scores:
            baseline = score.baseline_routing_accuracy
            say(
                f"{self._name(score.slug):20} {score.loss_backbone:9.3f} {score.loss_epoch:7.3f} {score.loss_mix:7.3f} "
                f"{score.routing_accuracy:8.3f} {'' if baseline is None else f'{baseline:.3f}':>12}"
            )
        if event.switch_lag is not None:
            lag = f"{event.switch_lag:.0f} tokens (median)"
            say(f"at a border of two domains the right weight stays above 0.9 after {lag}")
        say(f"expected calibration error of the weights {event.calibration_error:.3f}")

    def _list(self, epochs: EpochList) -> None:
        self._terminal.say(f"{'name':20} {'id':20} {'state':12} {'tokens':>9} {'held-out':>9}  note")
        for epoch in epochs:
            loss = "" if epoch.held_out_loss is None else f"{epoch.held_out_loss:.3f}"
            line = f"{epoch.name:20} {epoch.slug:20} {epoch.state:12} {epoch.tokens:9,} {loss:>9}  {epoch.note}"
            self._terminal.say(line.rstrip())
