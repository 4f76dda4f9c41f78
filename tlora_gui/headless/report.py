"""What the verbs say: lines for people, or JSON for programs."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime, timedelta
from itertools import pairwise
from math import exp
from typing import Any

from tlora_gui.engine.protocol.events import (
    CorpusRead,
    EndEvent,
    EpochFinished,
    Evaluated,
    FileWritten,
    GenerationFinished,
    GenerationLoaded,
    GenerationStarted,
    HeldOut,
    MisroutedText,
    Progress,
    ProjectInfo,
    ProjectListed,
    ProjectOpened,
    ProjectWritten,
    Run,
    RunLoaded,
    RunsListed,
    StreamEvent,
    TrainingEvent,
    TrainStarted,
    TrainStep,
    TrashItem,
    TrashListed,
    Warned,
)
from tlora_gui.engine.protocol.texts import Generation, ReadReport, TokenEvent
from tlora_gui.engine.storage.event_lines import event_line
from tlora_gui.headless.command import Command
from tlora_gui.terminal import Terminal

_BEFORE = 24
"""Tokens before a misrouted stretch that are shown with it."""
_REMARKS = 10
"""Remarks on single files that are printed at most."""
_EXCERPT = 48


class JsonReport:
    """Every event as an object in a line of its own, see :mod:`tlora_gui.engine.storage.event_lines`, its end last.

    A project that is opened comes without its histories and its last text. What only files were asked for is one
    object, without an end.
    """

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._listed = False

    def show(self, event: StreamEvent) -> None:
        """Print an event."""
        if isinstance(event, ProjectOpened):
            event = ProjectOpened(replace(event.project, history=(), generation=None))
        self._listed = isinstance(event, (ProjectListed, RunsListed, RunLoaded, TrashListed))
        self._terminal.write(event_line(event) + "\n")

    def end(self, end: EndEvent) -> None:
        """Print how it ended."""
        if not self._listed:
            self._terminal.write(event_line(end) + "\n")


class LineReport:
    """Lines of text; on a terminal with progress and colours."""

    def __init__(self, terminal: Terminal, command: Command) -> None:
        self._terminal = terminal
        self._command = command
        self._verb = command.options.verb
        self._colours: tuple[str, ...] = ()

    def show(self, event: StreamEvent) -> None:
        """Print what an event says."""
        terminal = self._terminal
        match event:
            case Progress(label, done, total, unit):
                amount = f" {done:.0f}/{total:.0f} {unit}" if total else ""
                terminal.status(label + amount, done, total)
            case ProjectOpened(project):
                self._print_problems(project)
            case CorpusRead():
                self._print_remarks(event)
            case Warned(message, hint):
                terminal.remark(f"{message} {hint}".strip())
            case TrainStarted(epoch, total, first):
                if first:
                    terminal.say(f"{epoch.name} was interrupted at step {first} of {total} and goes on")
            case TrainStep(step=step, total_steps=total):
                losses = f"adapter loss {event.adapter_loss:.3f}  mixer-distill loss {event.mixer_distill_loss:.4f}"
                pace = f"{event.tokens_per_second:.0f} tokens/s  {event.eta_s:.0f} s left"
                terminal.status(f"step {step}/{total}  {losses}  {pace}", step, total)
            case HeldOut():
                routing = ", ".join(f"{self._name(slug)} {share:.3f}" for slug, share in event.routing)
                terminal.say(f"step {event.step}: held-out loss {event.loss:.3f}; routing {routing}")
            case EpochFinished(epoch) if epoch.held_out_loss is None or epoch.backbone_loss is None:
                terminal.say(f"{epoch.name}: {epoch.note}")
            case EpochFinished(epoch):
                terminal.say(f"{epoch.name}: held-out {epoch.held_out_loss:.3f}, backbone {epoch.backbone_loss:.3f}")
            case GenerationStarted(slots=slots):
                terminal.status()
                self._colours = tuple(slot.colour for slot in slots)
            case TokenEvent():
                if self._verb == "generate" or terminal.colours:
                    terminal.write(event.text, self._colours[event.weights.index(max(event.weights))])
            case GenerationFinished(record):
                if self._verb == "generate" or terminal.colours:
                    terminal.write("\n")
                if record.report is not None:
                    self._print_reading(record, record.report)
            case GenerationLoaded(record):
                terminal.say(record.id)
            case FileWritten(path, error):
                terminal.say(path)
                if error is not None:
                    terminal.remark(f"{error:.2%} of the update was lost to the lower rank.")
            case ProjectWritten(path, note):
                terminal.say(path)
                if note:
                    terminal.remark(note)
            case Evaluated():
                self._print_scores(event)
            case ProjectListed():
                self._print_list(event)
            case RunsListed(runs):
                self._print_runs(runs)
            case RunLoaded(run, history):
                self._print_run(run, history)
            case TrashListed(items):
                self._print_trash(items)
            case _:
                pass

    def end(self, end: EndEvent) -> None:
        """The line of progress is gone."""
        self._terminal.status()

    def _name(self, slug: str) -> str:
        return next((epoch.name for epoch in self._command.epochs if epoch.slug == slug), slug)

    def _print_problems(self, project: ProjectInfo) -> None:
        for epoch in project.epochs:
            if epoch.state == "broken":
                self._terminal.remark(f"{epoch.name} is left out: {epoch.note}.")
        if project.backbone.note and self._verb == "train":
            self._terminal.remark(project.backbone.note)

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
        if event.unknown_text is not None:
            say(f"without its epoch, a text gives the backbone a weight of {event.unknown_text:.3f}")
        say(f"expected calibration error of the weights {event.calibration_error:.3f}")
        for text in event.misrouted:
            self._print_misrouted(text)

    def _print_misrouted(self, text: MisroutedText) -> None:
        terminal, tokens = self._terminal, text.tokens
        terminal.say(f"{self._name(text.slug)}, {text.end - text.first} tokens to {text.slots[text.slot].name}:")
        parts = (tokens[max(0, text.first - _BEFORE) : text.first], tokens[text.first : text.end], tokens[text.end :])
        for part, end in zip(parts, ("[[", "]]", "\n"), strict=True):
            for token in part:
                terminal.write(token.text, text.slots[token.weights.index(max(token.weights))].colour)
            terminal.write(end)

    def _print_reading(self, record: Generation, report: ReadReport) -> None:
        say, names = self._terminal.say, {slot.slug: slot.name for slot in record.slots}
        say(f"{'read as':20} {'perplexity':>10}")
        for name, loss in (*((names[slug], loss) for slug, loss in report.losses), ("mix", report.mix_loss)):
            say(f"{name:20} {exp(loss):10.2f}")
        say(f"{'segment':20} {'tokens':>13} {'lag':>6}  text")
        ends = [*(part.first for part in report.parts), len(record.tokens)]
        for part, (first, end), lag in zip(report.parts, pairwise(ends), report.lags, strict=True):
            text = " ".join("".join(token.text for token in record.tokens[first:end]).split())
            where = f"{first}-{end - 1}"
            say(f"{record.slots[part.slot].name:20} {where:>13} {lag:6}  {_shortened(text)}")
        if report.unread:
            say(f"{report.unread:,} characters at the end did not fit into the backbone's context")

    def _print_list(self, project: ProjectListed) -> None:
        say = self._terminal.say
        say(f"{'name':20} {'id':20} {'state':12} {'tokens':>9} {'held-out':>9}  note")
        for epoch in project.epochs:
            loss = "" if epoch.held_out_loss is None else f"{epoch.held_out_loss:.3f}"
            line = f"{epoch.name:20} {epoch.slug:20} {epoch.state:12} {epoch.tokens:9,} {loss:>9}  {epoch.note}"
            say(line.rstrip())
        if self._command.options.texts:
            say(f"{'text':20} {'id':12} {'mode':20} {'tokens':>6}  prompt")
            for text in project.generations:
                mode, prompt = text.mode or "backbone", _shortened(" ".join(text.prompt.split()))
                say(f"{text.name:20} {text.id:12} {mode:20} {text.tokens:6}  {prompt}".rstrip())

    def _print_runs(self, runs: tuple[Run, ...]) -> None:
        say = self._terminal.say
        say(f"{'run':24} {'epoch':20} {'ended':12} {'steps':>11} {'held-out':>9} {'work':>8}  started")
        for run in runs:
            loss = "" if run.epoch.held_out_loss is None else f"{run.epoch.held_out_loss:.3f}"
            steps, work = f"{run.step}/{run.total_steps}", timedelta(seconds=round(run.seconds))
            started = datetime.fromtimestamp(run.started).strftime("%Y-%m-%d %H:%M") if run.started else ""
            say(f"{run.id:24} {run.epoch.name:20} {run.ended:12} {steps:>11} {loss:>9} {work!s:>8}  {started}".rstrip())

    def _print_trash(self, items: tuple[TrashItem, ...]) -> None:
        say = self._terminal.say
        say(f"{'kind':6} {'id':24} {'name':32} {'MB':>8}  deleted")
        for item in items:
            when = datetime.fromtimestamp(item.deleted).strftime("%Y-%m-%d %H:%M") if item.deleted else ""
            others = f" and {item.others} that branch off it" if item.others else ""
            name = _shortened(item.name) + others
            say(f"{item.kind:6} {item.id:24} {name:32} {item.size / 1e6:8.1f}  {when}".rstrip())

    def _print_run(self, run: Run, history: tuple[TrainingEvent, ...]) -> None:
        self._print_runs((run,))
        if run.reason:
            self._terminal.say(run.reason)
        told = _facts(asdict(run.settings)) | {"corpus": " ".join(run.epoch.corpus), "backbone": run.backbone}
        told |= asdict(run.machine) if run.machine else {}
        for name, value in (told | dict(run.versions)).items():
            self._terminal.say(f"{name:32} {value}")
        for event in history:
            if isinstance(event, HeldOut):
                self.show(event)


def _facts(settings: dict[str, Any], within: str = "") -> dict[str, Any]:
    """Settings by name, those within settings as ``sleep.weight``."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        flat |= _facts(value, f"{within}{name}.") if isinstance(value, dict) else {within + name: value}
    return flat


def _shortened(text: str) -> str:
    return text if len(text) <= _EXCERPT else f"{text[: _EXCERPT - 1]}…"
