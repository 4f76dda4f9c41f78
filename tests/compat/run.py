"""Runs the test suite on the lowest versions that pyproject.toml admits, and on the newest there are, beyond its caps.

    pip install '.[compat]' && python tests/compat/run.py --work FOLDER

Each environment is made anew in ``FOLDER`` (some gigabytes: the newest torch brings a CUDA build along). The table says
what was installed and how the suite ended; the whole output stands beside the environment. What the newest versions
break is mended, or capped in pyproject.toml with a line that says why; ``--capped NAME`` leaves such a package below
its cap, so that the others are measured all the same.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[2]
SHOWN = ("torch", "transformers", "peft", "pyside6-essentials", "numpy")
ENVIRONMENTS = ("lowest", "newest")


@dataclass(frozen=True)
class Outcome:
    """How the suite ended in one environment."""

    name: str
    versions: dict[str, str]
    ended: str
    seconds: float


def main() -> int:
    """Build, run, print the table; 1 unless the suite passed in every environment."""
    parser = argparse.ArgumentParser(description="The test suite on the lowest and the newest versions.")
    parser.add_argument("--work", type=Path, required=True, help="folder for the environments")
    parser.add_argument("--only", choices=ENVIRONMENTS, help="one of the two")
    parser.add_argument("--capped", action="append", default=[], metavar="NAME", help="newest: keep this one's cap")
    parser.add_argument("--keep", action="store_true", help="use environments that are there")
    parser.add_argument("tests", nargs="*", help="what pytest is given; everything by default")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    outcomes = []
    for name in [options.only] if options.only else ENVIRONMENTS:
        python = options.work.resolve() / name / "bin" / "python"
        if not (options.keep and python.exists()):
            uv("venv", "--quiet", "--clear", options.work / name)
            install = ("pip", "install", "--quiet", "--link-mode", "copy", "--python", python)
            if name == "lowest":
                uv(*install, "--resolution", "lowest-direct", "-e", f"{ROOT}[test]")
            else:
                uv(*install, "--upgrade", *uncapped(options.capped))
                uv(*install, "--no-deps", "-e", ROOT)
        outcomes.append(run_suite(name, python, options.work / f"{name}.log", options.tests))
        print_table(outcomes)
    return int(any(" passed" not in outcome.ended or "failed" in outcome.ended for outcome in outcomes))


def uv(*arguments: object) -> None:
    """Run uv; its own words tell what went wrong."""
    subprocess.run([sys.executable, "-m", "uv", *map(str, arguments)], check=True)


def uncapped(capped: list[str]) -> list[str]:
    """What pyproject.toml asks for, tests included, with floors alone."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras, found = project["optional-dependencies"], []
    wanted = (*project["dependencies"], *extras["formats"], *extras["distributed"], *extras["test"])
    for requirement in map(Requirement, wanted):
        if requirement.name == project["name"]:
            continue  # its other extras, which are there
        if requirement.name.lower() not in map(str.lower, capped):
            floors = [each for each in requirement.specifier if not each.operator.startswith("<")]
            requirement.specifier = SpecifierSet(",".join(map(str, floors)))
        found.append(str(requirement))
    return found


def run_suite(name: str, python: Path, log: Path, tests: list[str]) -> Outcome:
    """Run pytest in one environment, from the checkout's root."""
    listed = subprocess.run(
        [sys.executable, "-m", "uv", "pip", "list", "--format", "json", "--python", python],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    versions = {package["name"].lower(): package["version"] for package in json.loads(listed.stdout)}
    started = time.monotonic()
    with log.open("w", encoding="utf-8") as told:
        done = subprocess.run([python, "-m", "pytest", *tests], cwd=ROOT, stdout=told, stderr=subprocess.STDOUT)
    last = log.read_text(encoding="utf-8").rstrip().rpartition("\n")[2].strip("= ")
    ended = last if done.returncode in (0, 1) else f"ended with status {done.returncode}: {last[:80]}"
    return Outcome(name, {each: versions.get(each, "-") for each in SHOWN}, ended, time.monotonic() - started)


def print_table(outcomes: list[Outcome]) -> None:
    """The outcomes so far, as a Markdown table."""
    print(f"| environment | {' | '.join(SHOWN)} | suite | seconds |")
    print("| --- " * (len(SHOWN) + 3) + "|")
    for outcome in outcomes:
        versions = " | ".join(outcome.versions[each] for each in SHOWN)
        print(f"| {outcome.name} | {versions} | {outcome.ended} | {outcome.seconds:.0f} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
