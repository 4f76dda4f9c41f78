"""Does a project survive, and is it safe to open?

    python tests/benchmarks/reliability.py [kills faults power fuzz soak starts] [--json FILE] [--kills 300]
        [--every 1] [--cases 20000] [--only WHAT] [--minutes 30] [--starts 50] [--seed 0] [--keep FOLDER]

Everything is done with a tiny model. Prints a row for each part, what was found wrong below it, and fails if anything
was. Each part runs in a process of its own.

``kills``: processes (forks, so not on Windows) that train, keep, rename, delete, restore, export, import, write texts,
empty the trash, copy, pack and unpack, repair, and bring a project of format 1 to today's, in random order, each killed
(SIGKILL) at a random moment.
``faults``: each kind of work, with every write of it in turn refused: disk full, permission lost, file vanished,
refused once.
``power``: each kind of work, cut at every write. Of what was not yet synced nothing is there any more, or all names are
and the contents are not.
After each the project must open, every epoch that was finished before must be there and whole, and a refusal must have
been told in words.

``fuzz``: every kind of file that is read, damaged at random, is opened, listed or imported in a process with little
time and memory. It works, or words say why not; nothing is written elsewhere. What does not is kept in ``--keep``.
``soak``: a window that trains, generates, pauses, switches projects, imports, deletes, undoes and exports in random
order.
``starts``: the application, started and ended at rest and in the middle of things, by its window and by signals.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

sys.path += [str(Path(__file__).parents[1] / folder) for folder in ("", "engine", "e2e", "ui")]

from trials.common import Outcome, table

PARTS = ("kills", "faults", "power", "fuzz", "soak", "starts")


def main() -> int:
    options = _options()
    if len(options.parts) == 1:
        with tempfile.TemporaryDirectory() as place:
            part = importlib.import_module(f"trials.{options.parts[0]}")
            found = [part.outcome(options, Path(place).resolve())]
    else:
        found = [_apart(part, sys.argv[1:]) for part in options.parts]
    if options.json:
        options.json.write_text(json.dumps([asdict(each) for each in found], indent=1) + "\n", encoding="utf-8")
    print(table(found), flush=True)
    return int(any(each.wrong for each in found))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=PARTS, help=", ".join(PARTS) + "; all")
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="of the writes only each Nth")
    parser.add_argument("--cases", type=int, default=20_000, help="of fuzz, over all kinds of files")
    parser.add_argument("--only", metavar="WHAT", help="of fuzz: this kind of file; of faults, power: this work")
    parser.add_argument("--minutes", type=float, default=30, help="of soak")
    parser.add_argument("--starts", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where files that do harm are kept")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if unknown := {*options.parts} - {*PARTS}:
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    return options


def _apart(part: str, arguments: list[str]) -> Outcome:
    """One part's outcome, found by a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "found.json"
        further = [each for each in arguments if each not in PARTS]
        print(f"{part} …", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, __file__, part, *further, "--json", str(place)], stdout=sys.stderr, check=False)
        return Outcome(**json.loads(place.read_text(encoding="utf-8"))[0])


if __name__ == "__main__":
    sys.exit(main())
