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
    GenerationStarted,
    HeldOut,
    Progress,
    StreamEvent,
    TrainStep,
)
from tlora_gui.engine.project import is_free
from tlora_gui.engine.session import Session
from tlora_gui.engine.storage import absolute
from tlora_gui.engine.texts import TokenEvent


def run(options: argparse.Namespace) -> int:
    """Do one verb; 1 if something could not be done, with the reason on stderr."""
    session = Session()
    try:
        for event in _events(session, options):
            _tell(event)
    except (TloraError, ValueError, OSError) as error:
        _status()
        print(f"tlora: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        _status()
        print("tlora: stopped", file=sys.stderr)
        return 130
    finally:
        session.close()
    return 0


def _events(session: Session, options: argparse.Namespace) -> Iterator[StreamEvent]:
    job = _job(options)  # bad numbers are refused before anything is fetched or loaded
    if options.verb == "train" and is_free(absolute(options.project)):
        yield from session.run(jobs.CreateProject(str(options.project), options.backbone, options.strategy))
    else:
        yield from session.run(jobs.OpenProject(str(options.project)))
    for event in session.run(job):
        yield event
        if isinstance(event, GenerationFinished) and options.html:
            yield from session.run(jobs.ExportGeneration(event.record, options.html))


def _job(options: argparse.Namespace) -> jobs.TrainEpoch | jobs.Generate | jobs.Evaluate:
    match options.verb:
        case "train":
            settings = TrainSettings(
                num_passes=options.passes, max_tokens=options.max_tokens or None, seed=options.seed
            )
            return jobs.TrainEpoch(options.name, tuple(options.paths), options.era, "", settings)
        case "generate":
            sampling = SamplingSettings(max_new_tokens=options.max_new_tokens, seed=options.seed)
            return jobs.Generate(options.prompt, options.mode, sampling)
        case _:
            return jobs.Evaluate(options.held_out_tokens)


def _tell(event: StreamEvent) -> None:
    match event:
        case Progress():
            amount = f" {event.done:.0f}/{event.total:.0f} {event.unit}" if event.total else ""
            _status(event.label + amount)
        case TrainStep():
            _status(
                f"step {event.step}/{event.total_steps}  adapter loss {event.adapter_loss:.3f}  "
                f"mixer-distill loss {event.mixer_distill_loss:.4f}  {event.tokens_per_second:.0f} tokens/s  "
                f"{event.eta_s:.0f} s left"
            )
        case HeldOut():
            routing = ", ".join(f"{slug} {share:.3f}" for slug, share in event.routing)
            _say(f"step {event.step}: held-out loss {event.loss:.3f}; routing {routing}")
        case EpochFinished(epoch):
            _say(f"{epoch.name}: held-out {epoch.held_out_loss:.3f}, backbone {epoch.backbone_loss:.3f}")
        case GenerationStarted():
            _status()
        case TokenEvent():
            print(event.text, end="", flush=True)
        case GenerationFinished():
            print()
        case FileWritten(path):
            _say(path)
        case Evaluated(scores, lag, calibration_error):
            _say(f"{'epoch':20} {'backbone':>9} {'own':>7} {'mix':>7} {'routing':>8} {'unprotected':>12}")
            for score in scores:
                unprotected = score.unprotected_routing_accuracy
                _say(
                    f"{score.slug:20} {score.loss_backbone:9.3f} {score.loss_epoch:7.3f} {score.loss_mix:7.3f} "
                    f"{score.routing_accuracy:8.3f} {'' if unprotected is None else f'{unprotected:.3f}':>12}"
                )
            if lag is not None:
                _say(f"at a border of two domains the right weight stays above 0.9 after {lag:.0f} tokens (median)")
            _say(f"expected calibration error of the weights {calibration_error:.3f}")
        case _:
            pass


def _say(line: str) -> None:
    _status()
    print(line, flush=True)


def _status(text: str = "") -> None:
    """The line that tells what goes on: on a terminal only, and gone before anything else is said."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
