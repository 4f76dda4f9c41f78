"""The command line: the window by default; headless verbs use the same engine."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tlora_gui import __version__
from tlora_gui.logs import log_to_file

VERBS = ("train", "resume", "epochs", "generate", "evaluate", "export", "delete")

NO_LIBRARIES = """tlora-gui: the window cannot be loaded ({reason}).
On a bare Debian: apt install libegl1 libgl1 libxkbcommon0 libdbus-1-3 libfontconfig1 libglib2.0-0
Without any window:
    tlora train --help"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of ``tlora-gui`` and ``tlora``; returns the exit status."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    log_to_file()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TQDM_DISABLE", "1")  # libraries' progress bars; ours are in the window
    if arguments and arguments[0] in VERBS:
        return _headless(arguments)
    return _window(arguments)


def _window(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="tlora-gui",
        description="A desktop playground for Temporal LoRA.",
        epilog=f"Without a window: tlora {{{','.join(VERBS)}}} --help",
    )
    parser.add_argument("project", nargs="?", help="project folder to open; the last one by default")
    parser.add_argument("--demo", action="store_true", help="play the whole loop on Shakespeare and Python code")
    parser.add_argument("--screenshots", metavar="DIR", type=Path, help="with --demo: unattended, write pictures there")
    parser.add_argument("--demo-tokens", type=int, metavar="N", help="with --demo: training tokens per epoch")
    parser.add_argument("--theme", choices=("system", "light", "dark"), help="colours; remembered")
    parser.add_argument("--exit-when-visible", action="store_true", help="for measuring the start: show, then quit")
    parser.add_argument("--version", action="version", version=f"tlora-gui {__version__}")
    options = parser.parse_args(arguments)
    if options.screenshots and not options.demo:
        parser.error("--screenshots goes with --demo")
    if options.demo_tokens is not None and options.demo_tokens < 512:
        parser.error("--demo-tokens must be at least 512, one step of training")
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


def _headless(arguments: list[str]) -> int:
    project = argparse.ArgumentParser(add_help=False)
    project.add_argument("project", type=Path, help="project folder")
    project.add_argument(
        "--backbone", default="", metavar="WHERE", help='"starter", a Hub id or a path: where the backbone is now'
    )
    epoch = argparse.ArgumentParser(add_help=False)
    epoch.add_argument("epoch", help="an epoch's name or id")
    parser = argparse.ArgumentParser(prog="tlora", description="Temporal LoRA without a window.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    train = verbs.add_parser("train", parents=[project], help="train a new epoch, or go on with an interrupted one")
    train.add_argument("paths", nargs="+", help="text files and folders")
    train.add_argument("--name", required=True, help="the epoch's name")
    train.add_argument("--era", default="", help="a second line for the epoch")
    train.add_argument("--strategy", default="", help="for a new project: gating (the default), routing or attention")
    train.add_argument("--passes", type=int, default=1, help="passes over the text")
    train.add_argument("--max-tokens", type=int, default=51_200, help="training tokens per pass at most; 0 for all")
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--abandon", action="store_true", help="train although interrupted epochs cannot go on then")
    verbs.add_parser("resume", parents=[project, epoch], help="go on with an interrupted epoch")
    verbs.add_parser("epochs", parents=[project], help="list the epochs, interrupted and broken ones too")
    generate = verbs.add_parser("generate", parents=[project], help="continue a prompt")
    generate.add_argument("prompt", help='the text to continue; "-" reads it from standard input')
    generate.add_argument(
        "--mode", default="mixer", help='"mixer", an epoch\'s name or id, "" for the backbone, "+sum", "+average"'
    )
    generate.add_argument("--max-new-tokens", type=int, default=120)
    generate.add_argument("--seed", type=int, default=0)
    generate.add_argument("--html", help="also write the coloured text there")
    evaluate = verbs.add_parser("evaluate", parents=[project], help="measure every epoch on its held-out text")
    evaluate.add_argument("--held-out-tokens", type=int, default=4096)
    export = verbs.add_parser("export", parents=[project, epoch], help="copy an epoch as a plain PEFT adapter")
    export.add_argument("folder", help="the adapter becomes a folder in this one")
    verbs.add_parser("delete", parents=[project, epoch], help="take an epoch out, or drop an interrupted one")
    from tlora_gui.headless import run

    return run(parser.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
