"""Runs one verb to its end, whatever that is, and tells of it."""

from __future__ import annotations

import logging
import signal
import threading
import traceback
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree, ignore_patterns
from tempfile import TemporaryDirectory
from types import FrameType

from tlora_gui.engine.protocol.cancel import CancelMode, CancelToken
from tlora_gui.engine.protocol.errors import BackboneMissing, Cancelled, TloraError, refused_by_system
from tlora_gui.engine.protocol.events import EndEvent, JobCancelled, JobDone, JobFailed, ProjectOpened, StreamEvent
from tlora_gui.engine.storage.disk import absolute
from tlora_gui.engine.training.ranks import joined
from tlora_gui.headless.command import Command
from tlora_gui.headless.options import Verb
from tlora_gui.headless.report import JsonReport, LineReport
from tlora_gui.headless.verbs import VERBS
from tlora_gui.paths import log_file
from tlora_gui.terminal import Terminal

logger = logging.getLogger(__name__)


def run(options: Namespace) -> int:
    """Do one verb. Where a launcher has started several processes, only the first of them says how it goes.

    Returns:
        0; 1 if something could not be done, with the reason on stderr; 128 + the signal that stopped it.
    """
    terminal, command, verb = Terminal(), Command(options), VERBS[options.verb]
    report = JsonReport(terminal) if options.json else LineReport(terminal, command)
    signals: list[int] = []
    end: EndEvent = JobDone(0)
    try:
        with _stopped_by_signals(command.cancel, verb.stop, signals), joined() as command.session.ranks:
            for event in _together(verb, command):
                report.show(event)
        if signals:
            end = JobCancelled(0, kept=True)
    except (TloraError, ValueError, OSError) as error:
        end = _refusal(error)
    except (Cancelled, KeyboardInterrupt):
        end = JobCancelled(0, kept=bool(command.left()))
    except Exception as error:  # a bug, or a panic of a library
        logger.exception("%s failed", options.verb)
        message = f"Something went wrong: {str(error)[:300] or type(error).__name__}"
        details = "".join(traceback.format_exception(error))
        end = JobFailed(0, message, f"The details are in {log_file()}.", details)
    finally:
        command.session.close()
    if command.session.ranks.is_first:
        report.end(end)
    match end:
        case JobDone():
            if (problem := terminal.problem) is None:
                return 0
            terminal.remark(f"tlora: What it said could not be written ({problem.strerror}); its work is done.")
        case JobFailed(_, message, hint):
            terminal.remark(f"tlora: {message}{chr(10) if end.details else ' '}{hint}".strip())
        case JobCancelled():
            if command.session.ranks.is_first:
                terminal.remark(f"tlora: stopped{command.left()}")
            return 128 + (signals[0] if signals else signal.SIGINT)
    return 1


def _together(verb: Verb, command: Command) -> Iterator[StreamEvent]:
    """What the first process has to tell. The others do the same, unheard, each with a copy of the project that the
    first has opened, so that only one writes into it.

    Raises:
        TloraError: if there are several and the verb is no training.
    """
    ranks, options = command.session.ranks, command.options
    if ranks.size > 1 and verb.stop != "suspend":
        raise TloraError(f"{verb.name} is done by one process.", "Start it without the launcher.")
    if ranks.is_first:
        for event in verb.act(command):
            if isinstance(event, ProjectOpened):
                ranks.wait()  # for the others to begin with their copies
                ranks.wait()  # and to end
            yield event
        return
    ranks.wait()
    project = absolute(options.project)
    with TemporaryDirectory() as folder:
        options.project = Path(copytree(project, Path(folder, project.name), ignore=ignore_patterns("deleted", ".*")))
        ranks.wait()
        for _ in verb.act(command):
            pass
        command.session.close()


def _refusal(error: TloraError | ValueError | OSError) -> JobFailed:
    if isinstance(error, OSError) and error.strerror:
        error = refused_by_system(error)
    if not isinstance(error, TloraError):
        return JobFailed(0, str(error), "")
    where = " Name the place with --backbone." if isinstance(error, BackboneMissing) else ""
    return JobFailed(0, error.message, error.hint + where, code=error.code)


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
