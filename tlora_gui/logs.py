"""Where errors, crashes and the warnings of libraries go: files, never a person's terminal."""

from __future__ import annotations

import faulthandler
import logging
import logging.handlers
import os
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from filelock import FileLock, Timeout

from tlora_gui.paths import log_file

_NAME = "tlora-gui"
LOG_BYTES, _OLDER = 1_000_000, 4
"""A log file's size at most, and how many older ones are kept beside the newest."""
_SHOWN = 200_000
"""Bytes of the newest log that are read, its last ones."""


def log_to_file() -> None:
    """Send what this process logs, and every Python warning, to the log file, if it can be written."""
    logging.captureWarnings(True)
    root, path = logging.getLogger(), log_file()
    for handler in [handler for handler in root.handlers if handler.get_name() == _NAME]:
        root.removeHandler(handler)
        handler.close()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        to_file: logging.Handler = _SharedLog(path)
    except OSError:
        to_file = logging.NullHandler()  # without any handler, logging would print warnings
    to_file.set_name(_NAME)
    to_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.addHandler(to_file)


class _SharedLog(logging.handlers.RotatingFileHandler):
    """A log that window and commands write at once: each opens it for one entry at a time, so that whoever finds it
    full can begin a new one. What cannot be written is dropped."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path, maxBytes=LOG_BYTES, backupCount=_OLDER, encoding="utf-8", errors="backslashreplace", delay=True
        )
        self._turn = FileLock(path.with_name(f".{path.name}.lock"), timeout=1)
        self.addFilter(lambda record: record.name != "filelock")  # whose own entries would ask for another turn

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError, Timeout), self._turn:
            super().emit(record)
            if self.stream is not None:
                self.stream.close()
                self.stream = None

    def handleError(self, record: logging.LogRecord) -> None:
        """Nothing: where it would be told is a person's terminal."""


def older_logs() -> list[Path]:
    """The logs before the newest one, the latest of them first."""
    newest = log_file()
    return [path for number in range(1, _OLDER + 1) if (path := newest.with_name(f"{newest.name}.{number}")).is_file()]


def watch_for_crashes() -> None:
    """If a signal such as a segmentation fault ends this process, leave the stacks of its threads beside the log."""
    global _note
    path = _crash_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _note = path.open("w", encoding="utf-8")
        faulthandler.enable(_note)
    except OSError:
        logging.getLogger(__name__).warning("crashes are not noted", exc_info=True)


def forget_crash() -> None:
    """This process ends in an orderly way."""
    global _note
    faulthandler.disable()
    if _note is not None:
        _note.close()
        with suppress(OSError):
            os.unlink(_note.name)
        _note = None


_note: TextIO | None = None
"""What this process leaves behind if it falls."""


def crash_of_last_run() -> str:
    """What ended processes that are gone, the latest last; told once. Empty if they ended in an orderly way, or were
    killed from outside."""
    found = []
    try:
        for path in sorted(log_file().parent.glob("crash-*.txt"), key=os.path.getmtime):
            number = path.stem.removeprefix("crash-")
            if number.isdecimal() and not _lives(int(number), path.stat().st_mtime):
                found.append(tail(path))
                path.unlink()
    except OSError:
        logging.getLogger(__name__).warning("notes of crashes cannot be read", exc_info=True)
    return "\n".join(text for text in found if text.strip())


def tail(path: Path, shown: int = _SHOWN) -> str:
    """The end of a log, from the beginning of a line; empty if there is none."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - shown))
            if size > shown:
                file.readline()
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def _crash_file() -> Path:
    return log_file().with_name(f"crash-{os.getpid()}.txt")


def _lives(process: int, noted: float) -> bool:
    """Whether a process that made a note then is still there; another may have its number by now."""
    import psutil

    try:
        return bool(psutil.Process(process).create_time() <= noted + 1)
    except psutil.Error:
        return False
