"""No exception goes unseen: what leaves a slot, a paint or a thread is logged, and shown in the window."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from types import TracebackType
from typing import Any

from PySide6.QtCore import QMessageLogContext, QObject, QtMsgType, Signal, qInstallMessageHandler

from tlora_gui.ui.widgets.painting import let_go
from tlora_gui.worker.engine_worker import shortened

_PAUSE_S = 2.0
"""The same fault within so short a time, as of a paint that fails in every frame, is reported once."""

logger = logging.getLogger(__name__)


class Faults(QObject):
    """Hears of every exception that nobody has caught, from :meth:`install` to :meth:`remove`, in whatever thread.

    Hooks that were there before are called first, and are put back.

    Signals:
        seen: what an exception says, and its traceback; emitted in the thread where it happened.
    """

    seen = Signal(str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._installed = False
        self._here = threading.local()
        self._latest = ("", -_PAUSE_S)
        self._before: tuple[Any, Any, Any, Any] = (None, None, None, None)

    def install(self) -> None:
        """Begin to hear."""
        qt = qInstallMessageHandler(self._qt_message)
        self._before = (sys.excepthook, threading.excepthook, sys.unraisablehook, qt)
        sys.excepthook, threading.excepthook = self._raised, self._thread_raised
        sys.unraisablehook = self._could_not_raise
        self._installed = True

    def remove(self) -> None:
        """Hear no more. Where somebody has put another hook over ours, ours stays and only passes on."""
        if not self._installed:
            return
        self._installed = False
        slot, thread, unraisable, qt = self._before
        if sys.excepthook == self._raised:
            sys.excepthook = slot
        if threading.excepthook == self._thread_raised:
            threading.excepthook = thread
        if sys.unraisablehook == self._could_not_raise:
            sys.unraisablehook = unraisable
        latest = qInstallMessageHandler(qt)
        if latest != self._qt_message:
            qInstallMessageHandler(latest)

    def report(self, error: BaseException) -> None:
        """Log an exception and show it. Never raises; what fails in here is not reported again."""
        with self._once() as first:
            if first:
                details = "".join(traceback.format_exception(error))
                before, when = self._latest
                self._latest = (details, monotonic())
                if details != before or monotonic() - when > _PAUSE_S:
                    logger.error("unforeseen", exc_info=error)
                    self.seen.emit(shortened(str(error) or type(error).__name__), details)
                let_go(error)

    @contextmanager
    def _once(self) -> Iterator[bool]:
        """Whether to report: not while this thread is reporting already, and not once removed."""
        if not self._installed or getattr(self._here, "reporting", False):
            yield False
            return
        self._here.reporting = True
        try:
            yield True
        except Exception:  # noqa: BLE001
            traceback.print_exc(file=sys.__stderr__)
        finally:
            self._here.reporting = False

    # -- the hooks ----------------------------------------------------------------------------------------------

    def _raised(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        self._before[0](kind, error, trace)
        if isinstance(error, Exception):  # the others end the program
            self.report(error)

    def _thread_raised(self, raised: threading.ExceptHookArgs) -> None:
        self._before[1](raised)
        if isinstance(raised.exc_value, Exception):
            self.report(raised.exc_value)

    def _could_not_raise(self, raised: sys.UnraisableHookArgs) -> None:
        self._before[2](raised)
        if isinstance(raised.exc_value, Exception):
            self.report(raised.exc_value)

    def _qt_message(self, kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
        before: Callable[..., None] | None = self._before[3]
        if before is not None:
            before(kind, context, message)
        elif sys.__stderr__ is not None:
            print(message, file=sys.__stderr__)  # as Qt's own handler does
        if kind not in (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg):
            with self._once() as first:
                if first:
                    logging.getLogger("qt").warning("%s", message)
                    if kind == QtMsgType.QtCriticalMsg:
                        self.seen.emit(shortened(message), "")
