"""The table of verbs, and the parser made from it."""

from __future__ import annotations

import shutil
from argparse import ArgumentParser, HelpFormatter
from functools import partial
from pathlib import Path
from typing import Any

from tlora_gui.headless import copies, epochs, sharing, texts, training, trash
from tlora_gui.headless.options import some_path

_PARTS = (training, epochs, texts, sharing, copies, trash)
VERBS = {verb.name: verb for part in _PARTS for verb in part.VERBS}

_ENDS = "exit status: 0 done; 1 refused or failed; 2 wrong usage; 128 + N stopped by signal N, as 130 by Ctrl+C"
_WIDTH = 100


class _VerbParser(ArgumentParser):
    """Takes options between positional arguments too, which argparse offers for a parser without verbs alone."""

    _within = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        if self._within:
            return super().parse_known_args(args, namespace)
        self._within = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._within = False


def make_parser() -> ArgumentParser:
    """Understands ``tlora VERB PROJECT …``."""
    formatter = partial(HelpFormatter, width=min(_WIDTH, shutil.get_terminal_size().columns) - 2)
    parser = ArgumentParser(
        prog="tlora", description="Temporal LoRA without a window.", epilog=_ENDS, formatter_class=formatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True, parser_class=_VerbParser)
    for verb in VERBS.values():
        one = verbs.add_parser(
            verb.name, help=verb.summary, description=verb.summary, epilog=_ENDS, formatter_class=formatter
        )
        metavar, told = verb.subject
        one.add_argument("project", type=lambda word: Path(some_path(word)), metavar=metavar, help=told)
        verb.arguments(one)
        one.add_argument(
            "--backbone", default="", metavar="WHERE", help='"starter", a Hub id or a path: where the backbone is now'
        )
        one.add_argument("--json", action="store_true", help="print what happens as JSON, an object a line")
    return parser
