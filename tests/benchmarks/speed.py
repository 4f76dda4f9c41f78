"""How fast is it, against its peers, in one run?

    python tests/benchmarks/speed.py [--only decode,train,estimates,…] [--json FILE] [--threads N]

Prints a table; ``--json`` writes every figure with all its runs. Each section is measured in a process of its own.
Peers come with ``pip install '.[bench]'``. Nothing else should run on the machine meanwhile.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from measure import Figure, table

SECTIONS = ("decode", "llama", "train", "estimates", "sleep", "startup", "window", "growth", "corpus")


def main() -> None:
    options = _options()
    sections = options.only.split(",")
    if len(sections) == 1:
        figures = list(importlib.import_module(f"sections.{sections[0]}").figures(options.threads))
    else:
        figures = [figure for section in sections for figure in _apart(section, options.threads)]
    if options.json:
        report = {"machine": _machine(), "threads": options.threads, "figures": [asdict(figure) for figure in figures]}
        options.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(table(figures), flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, with commas between")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="torch's threads, ours and peers'")
    options = parser.parse_args()
    if unknown := set(options.only.split(",")) - {*SECTIONS}:
        parser.error(f"there is no section {', '.join(sorted(unknown))}")
    return options


def _apart(section: str, threads: int) -> list[Figure]:
    """One section's figures, measured by a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "figures.json"
        command = [sys.executable, __file__, "--only", section, "--threads", str(threads), "--json", str(place)]
        print(f"{section} …", file=sys.stderr, flush=True)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return [Figure(**figure) for figure in json.loads(place.read_text(encoding="utf-8"))["figures"]]


def _machine() -> dict[str, str | int | None]:
    return {"processor": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version()}


if __name__ == "__main__":
    main()
