"""Where errors and the warnings of libraries go: a file, never a person's terminal."""

from __future__ import annotations

import logging
import logging.handlers

from tlora_gui.paths import log_file


def log_to_file() -> None:
    """Send what this process logs, and every Python warning, to the log file, if it can be written."""
    logging.captureWarnings(True)
    root, path = logging.getLogger(), log_file()
    if any(isinstance(handler, logging.handlers.RotatingFileHandler) for handler in root.handlers):
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler: logging.Handler = logging.handlers.RotatingFileHandler(
            path, maxBytes=1_000_000, backupCount=1, encoding="utf-8", errors="backslashreplace", delay=True
        )
    except OSError:
        handler = logging.NullHandler()  # without any handler, logging would print warnings
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.addHandler(handler)
