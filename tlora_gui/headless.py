"""The headless verbs: the same session and jobs as the window, told as lines of text."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from tlora_gui.engine import jobs
from tlora_gui.engine.config import SamplingSettings, TrainSettings
from tlora_gui.engine.errors import TloraError
from tlora_gui.engine.events import (
    EpochFinished,
    Evaluated,
    FileWritten,
    GenerationFinished,
    HeldOut,
    Progress,
    StreamEvent,
    TokenEvent,
    TrainStep,
)
from tlora_gui.engine.session import Session


def run(options: argparse.Namespace) -> int:
    """Do one verb; 1 if something could not be done, with the reason on stderr."""
    try:
        for event in _events(Session(), options):
            _tell(event)
    except (TloraError, ValueError) as error:
        print(f"tlora: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("tlora: stopped", file=sys.stderr)
        return 130
    return 0


def _events(session: Session, options: argparse.Namespace) -> Iterator[StreamEvent]:
    if options.verb == "train" and not options.project.exists():
        yield from session.run(jobs.CreateProject(str(options.project), options.backbone))
    else:
        yield from session.run(jobs.OpenProject(str(options.project)))
    match options.verb:
        case "train":
            settings = TrainSettings(
                num_passes=options.passes, max_tokens=options.max_tokens or None, seed=options.seed
            )
            yield from session.run(jobs.TrainEpoch(options.name, tuple(options.paths), options.era, "", settings))
        case "generate":
            sampling = SamplingSettings(max_new_tokens=options.max_new_tokens, seed=options.seed)
            for event in session.run(jobs.Generate(options.prompt, options.mode, sampling)):
                yield event
                if options.html and isinstance(event, GenerationFinished):
                    yield from session.run(jobs.ExportGeneration(event.record, options.html))
        case "evaluate":
            yield from session.run(jobs.Evaluate(options.held_out_tokens))


def _tell(event: StreamEvent) -> None:
    match event:
        case Progress():
            amount = f" {event.done:.0f}/{event.total:.0f} {event.unit}" if event.total else ""
            print(f"\r\033[K{event.label}{amount}", end="", file=sys.stderr, flush=True)
        case TrainStep():
            print(
                f"\r\033[Kstep {event.step}/{event.total_steps}  adapter loss {event.adapter_loss:.3f}  "
                f"mixer-distill loss {event.mixer_distill_loss:.4f}  {event.tokens_per_second:.0f} tokens/s  "
                f"{event.eta_s:.0f} s left",
                end="",
                file=sys.stderr,
                flush=True,
            )
        case HeldOut():
            routing = ", ".join(f"{slug} {share:.3f}" for slug, share in event.routing)
            print(f"\r\033[Kstep {event.step}: held-out loss {event.loss:.3f}; routing {routing}")
        case EpochFinished(epoch):
            print(f"{epoch.name}: held-out {epoch.held_out_loss:.3f}, backbone {epoch.backbone_loss:.3f}")
        case TokenEvent():
            print(event.text, end="", flush=True)
        case GenerationFinished():
            print()
        case FileWritten(path):
            print(path)
        case Evaluated(scores):
            print("\r\033[K", end="", file=sys.stderr)
            print(f"{'epoch':20} {'backbone':>9} {'own':>7} {'mix':>7} {'routing':>8} {'unprotected':>12}")
            for score in scores:
                unprotected = score.unprotected_routing_accuracy
                print(
                    f"{score.slug:20} {score.loss_backbone:9.3f} {score.loss_epoch:7.3f} {score.loss_mix:7.3f} "
                    f"{score.routing_accuracy:8.3f} {'' if unprotected is None else f'{unprotected:.3f}':>12}"
                )
        case _:
            pass
