"""The quick part of the benchmark of reliability: some hundred damaged files, three starts and ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parent / "benchmarks" / "reliability.py"


@pytest.mark.skipif(sys.platform != "linux", reason="it forks, and looks into /proc")
@pytest.mark.parametrize(
    ("part", "amount", "seen"),
    [
        (("fuzz", "--cases"), 200, " cases: "),
        (("starts", "--starts"), 3, " 3 starts, 0 wrong "),
    ],
    ids=["files damaged at random", "starts and ends"],
)
def test_the_quick_part_of_the_benchmark_finds_nothing_wrong(part: tuple[str, str], amount: int, seen: str) -> None:
    command = [sys.executable, str(BENCHMARK), *part, str(amount)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0 and seen in done.stdout, done.stdout + done.stderr
