"""Where errors and the warnings of libraries go: a file, never a person's terminal."""

from __future__ import annotations

import logging
import logging.handlers

from tlora_gui.paths import log_file


def log_to_file() -> None:
    """Send what this process logs, and every Python warning, to the log file, if it can be written."""
    logging.captureWarnings(True)
    root, path = logging.getLogger(), log_file()
    for handler in [handler for handler in root.handlers if handler.get_name() == _NAME]:
        root.removeHandler(handler)
        handler.close()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        to_file: logging.Handler = logging.handlers.RotatingFileHandler(
            path, maxBytes=1_000_000, backupCount=1, encoding="utf-8", errors="backslashreplace", delay=True
        )
    except OSError:
        to_file = logging.NullHandler()  # without any handler, logging would print warnings
    to_file.set_name(_NAME)
    to_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.addHandler(to_file)


_NAME = "tlora-gui"
