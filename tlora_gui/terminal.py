"""What a command says: text on stdout, remarks and a line of progress on stderr. Saying never ends the work."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from tlora_gui.engine.protocol.wording import visible


class Terminal:
    """Writes what the verbs report.

    A character that the output has no sign for becomes a stand-in, and on a terminal every control character, which
    could else move the cursor, or type for the person. Once the output is closed, as by ``| head -1``, or
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
        self._painter = Console(highlight=False, markup=False, emoji=False)
        columns = (BarColumn(20), TextColumn("{task.description}", markup=False))
        self._progress = Progress(
            *columns,
            console=Console(stderr=True),
            auto_refresh=False,  # from a thread of its own it would write between two words
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._progress.add_task("")

    @property
    def colours(self) -> bool:
        """Whether stdout is a terminal that shows colours."""
        return self._painter.is_terminal and self._painter.color_system is not None

    def write(self, text: str, colour: str = "") -> None:
        """Text as it comes, on stdout, in a colour (#RRGGBB) where there are any."""
        text = visible(text) if self._painter.is_terminal else text
        if colour and self.colours:
            with self._painter.capture() as painted:
                self._painter.print(Text(text, colour), end="", soft_wrap=True)
            text = painted.get()
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
            print(visible(line) if sys.stderr.isatty() else line, file=sys.stderr, flush=True)

    def status(self, text: str = "", done: float = 0.0, total: float | None = None) -> None:
        """The line that says what goes on, ``done`` of ``total`` of it if that is known: on a terminal only, and gone
        before anything else is said.
        """
        progress = self._progress
        with contextlib.suppress(OSError, ValueError):
            if not progress.console.is_terminal:
                return
            if not text:
                progress.stop()
            else:
                progress.update(self._task, description=visible(text), completed=done, total=total)
                progress.start()
                progress.refresh()

    def _fall_silent(self, error: OSError) -> None:
        self._silent = True
        if not isinstance(error, BrokenPipeError) and error.errno != errno.EINVAL:  # how Windows tells a closed pipe
            self.problem = error
        with contextlib.suppress(OSError, ValueError):  # the interpreter flushes at its end what could not be written
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
