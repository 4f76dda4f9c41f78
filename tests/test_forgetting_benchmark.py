"""Every line of the forgetting benchmark runs: on a tiny backbone, two tiny domains and one text of none."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tlora_gui.engine.backbones.loading import load_backbone
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.streams import drain

BENCHMARKS = Path(__file__).parent / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
import forgetting  # noqa: E402
import laboratory  # noqa: E402
import lines  # noqa: E402

sys.path.remove(str(BENCHMARKS))

TINY = laboratory.Profile("tiny", ("verse", "code"), ("neither",), 1, 1, 1024, 512, 512, 512)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, corpora: dict[str, Path], tiny_model_folder: Path) -> Iterator[Any]:
    """A laboratory of its own texts; adapters, features and memories are made once for all lines."""
    work = tmp_path_factory.mktemp("laboratory")
    neither = work / "neither"
    neither.mkdir()
    for number in range(6):
        (neither / f"{number}.txt").write_text("".join(f"<{number}|{line}>;;\n" for line in range(400)))
    places = {**corpora, "neither": neither}
    made = laboratory.Laboratory(TINY, work)
    made.backbone = drain(load_backbone(str(tiny_model_folder), CancelToken()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(laboratory.domains, "fetch", lambda name, folder: places[name])
        yield made


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")  # the source's mixer begins without epochs
@pytest.mark.parametrize("line", [*lines.LINES, forgetting.SOURCE])
def test_a_line_of_the_benchmark_measures_what_it_has(lab: Any, line: str) -> None:
    forgetting.do_run(lab, line, 0, 0)
    found = forgetting.collect(lab)["lines"]
    for name in ("source, phase by phase", "source, as published") if line == forgetting.SOURCE else (line,):
        (run,) = found[name]["runs"]
        assert all(0 <= share <= 1 for row in run["routing"] for share in row)
        assert all(loss > 0 for loss in (*run["final"], *run["off_domain"].values()))
        assert run["routing"] or len(run["final"]) == 2
