"""The command line: the window by default; headless verbs use the same engine."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

from tlora_gui import __version__
from tlora_gui.imports import lasting_imports

NO_LIBRARIES = """tlora-gui: the window cannot be loaded ({reason}).
On a bare Debian: apt install libegl1 libgl1 libxkbcommon0 libdbus-1-3 libfontconfig1 libglib2.0-0
Without any window:
    tlora train --help"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of ``tlora-gui`` and ``tlora``; returns the exit status."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    with _silent_interrupt():
        from tlora_gui.headless.verbs import VERBS, make_parser
        from tlora_gui.logs import log_to_file
    log_to_file()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TQDM_DISABLE", "1")  # libraries' progress bars; ours are in the window
    if arguments and arguments[0] in VERBS:
        options = make_parser().parse_args(arguments)
        with _silent_interrupt(), lasting_imports():
            from tlora_gui.headless.running import run
        return run(options)
    if arguments and (refused := _no_verb(arguments[0], list(VERBS))):
        print(refused, file=sys.stderr)
        return 2
    return _window(arguments, ", ".join(VERBS))


@contextmanager
def _silent_interrupt() -> Iterator[None]:
    """Ctrl+C ends the process at once, without a word: amid imports Python's own handler is lost, or ends in an abort
    or a traceback."""
    ours = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGINT)
    if ours and before is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    yield
    if ours and before is signal.default_int_handler:
        signal.signal(signal.SIGINT, before)


def _no_verb(word: str, verbs: list[str]) -> str:
    """What to say of a word that is neither an option nor a project, and looks like a mistyped verb."""
    if word.startswith("-") or Path(word).exists():
        return ""
    meant = get_close_matches(word.lower(), verbs, 1)
    if not meant and Path(sys.argv[0]).stem != "tlora":
        return ""
    hint = f"Did you mean {meant[0]}?" if meant else f"The verbs are {', '.join(verbs)}."
    return f"tlora: there is no verb and no project {word!r:.80}. {hint}"


def _window(arguments: list[str], verbs: str) -> int:
    from tlora_gui.paths import settings_file
    from tlora_gui.terminal import Terminal

    parser = argparse.ArgumentParser(
        prog="tlora-gui",
        description="A desktop playground for Temporal LoRA.",
        epilog=f"Without a window: tlora VERB --help, where VERB is one of {verbs}.",
    )
    parser.add_argument(
        "project", nargs="?", help="project to open: its folder, or a .tlora file; the last one by default"
    )
    parser.add_argument("--demo", action="store_true", help="play the whole loop on Shakespeare and Python code")
    parser.add_argument("--screenshots", metavar="DIR", type=Path, help="with --demo: unattended, write pictures there")
    parser.add_argument("--demo-tokens", type=int, metavar="N", help="with --demo: training tokens per epoch")
    parser.add_argument("--theme", choices=("system", "light", "dark"), help="colours; remembered")
    parser.add_argument("--exit-when-visible", action="store_true", help="for measuring the start: show, then quit")
    parser.add_argument("--safe", action="store_true", help="open no project, and leave the stored settings aside")
    parser.add_argument(
        "--reset-settings",
        action="store_true",
        help="begin with the settings of a new installation; the old ones are kept beside",
    )
    parser.add_argument(
        "--register",
        action="store_true",
        help="have the desktop open .tlora files with this program (Linux); no window",
    )
    parser.add_argument(
        "--diagnostics", action="store_true", help="print versions, machine, settings and log; no window"
    )
    parser.add_argument("--version", action="version", version=f"tlora-gui {__version__}")
    options = parser.parse_args(arguments)
    if options.screenshots and not options.demo:
        parser.error("--screenshots goes with --demo")
    if options.demo_tokens is not None and options.demo_tokens < 512:
        parser.error("--demo-tokens must be at least 512, one step of training")
    if options.register:
        from tlora_gui.registration import register

        return register()
    if options.diagnostics:
        from tlora_gui.diagnostics import report

        Terminal().write(report() + "\n")
        return 0
    if options.safe:
        os.environ["TLORA_SETTINGS"] = str(Path(tempfile.mkdtemp(prefix="tlora-gui-safe-")) / "window.ini")
    elif options.reset_settings and settings_file().exists():
        settings_file().replace(settings_file().with_suffix(".old"))
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Amid imports Python's own handler is lost, or ends in an abort.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.platform == "win32":
        import torch  # noqa: F401  # before Qt, or its DLLs are not found (pytorch issue 169429)
    try:
        from tlora_gui.app import run
    except ImportError as error:
        if "shared object" not in str(error):
            raise
        print(NO_LIBRARIES.format(reason=error), file=sys.stderr)
        return 1
    return run(options)


if __name__ == "__main__":
    sys.exit(main())
