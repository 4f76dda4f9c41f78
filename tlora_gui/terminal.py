"""What a command says: text on stdout, remarks and a line of progress on stderr. Saying never ends the work."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys


class Terminal:
    """Writes what the verbs report.

    A character that the output has no sign for becomes a stand-in. Once the output is closed, as by ``| head -1``, or
    cannot be written, nothing more is said there and the work goes on.

    Attributes:
        problem: why stdout could not be written, if it could not; a reader that has gone is no problem.
    """

    def __init__(self) -> None:
        self.problem: OSError | None = None
        self._silent = False
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")

    def write(self, text: str) -> None:
        """Text as it comes, on stdout."""
        if not self._silent:
            try:
                print(text, end="", flush=True)
            except OSError as error:
                self._fall_silent(error)

    def say(self, line: str) -> None:
        """A line on stdout; the line of progress makes room for it."""
        self.status()
        self.write(line + "\n")

    def remark(self, line: str) -> None:
        """A line on stderr; the line of progress makes room for it."""
        self.status()
        with contextlib.suppress(OSError, ValueError):
            print(line, file=sys.stderr, flush=True)

    def status(self, text: str = "") -> None:
        """The line that says what goes on: on a terminal only, and gone before anything else is said."""
        with contextlib.suppress(OSError, ValueError):
            if sys.stderr.isatty():
                print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)

    def _fall_silent(self, error: OSError) -> None:
        self._silent = True
        if not isinstance(error, BrokenPipeError) and error.errno != errno.EINVAL:  # how Windows tells a closed pipe
            self.problem = error
        with contextlib.suppress(OSError, ValueError):  # the interpreter flushes at its end what could not be written
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
