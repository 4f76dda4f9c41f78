"""``tlora-gui --demo --screenshots DIR`` on the starter backbone, from a cold process to its last picture."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QImage

from tlora_gui.engine.projects.project import INDEX

TOKENS = 1536
STEPS = TOKENS // (4 * 128)
DOMAINS = ("shakespeare", "python")
PICTURES = (
    "welcome", "empty-project",
    *(f"{stage}-{domain}" for domain in DOMAINS for stage in ("new-epoch", "training", "trained")),
    "generated-code-or-not", "generated-romeo", "generated-fibonacci", "generated-mixed",
    "voices", "branches", "mixing-desk", "sweep", "compare", "scrub", "read", "command-palette", "shortcuts",
    "memory-matrix", "other-theme",
)  # fmt: skip


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of an unattended run, with few tokens."""
    home = tmp_path_factory.mktemp("demo")
    places = {"TLORA_PROJECTS": str(home / "projects"), "TLORA_SETTINGS": str(home / "window.ini")}
    command = [sys.executable, "-m", "tlora_gui", "--demo", "--screenshots", str(home), "--demo-tokens", str(TOKENS)]
    done = subprocess.run(
        [*command, "--theme", "light"],
        env={**os.environ, **places, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return home


@pytest.fixture
def report(demo: Path) -> dict[str, Any]:
    return dict(json.loads((demo / "demo.json").read_text(encoding="utf-8")))


@pytest.mark.starter
def test_every_stage_has_its_picture(demo: Path) -> None:
    found = {path.stem.partition("-")[2]: QImage(str(path)) for path in sorted(demo.glob("*.png"))}
    assert tuple(found) == PICTURES
    for title, picture in found.items():
        wide = title not in ("new-epoch-shakespeare", "new-epoch-python", "command-palette", "shortcuts")
        assert (picture.width(), picture.height()) == (1440, 900) if wide else picture.width() >= 480, title
        places = product(range(0, picture.width(), 4), range(0, picture.height(), 20))
        assert len({picture.pixel(x, y) for x, y in places}) > 10, f"{title} is blank"


@pytest.mark.starter
def test_the_coloured_text_is_a_page_that_needs_nothing_else(demo: Path) -> None:
    pages = {path.stem: path.read_text(encoding="utf-8") for path in demo.glob("*.html")}
    assert sorted(pages) == [f"generated-{name}" for name in ("code-or-not", "fibonacci", "mixed", "romeo")]
    for page in pages.values():
        assert all(word in page for word in ("Shakespeare", "Python", "Eternity"))
        assert not any(reference in page for reference in ("src=", "<link", "@import", "url("))


@pytest.mark.starter
def test_losses_and_routing_are_measured_for_both_domains(report: dict[str, Any]) -> None:
    assert tuple(report["domains"]) == DOMAINS
    for scores in report["domains"].values():
        assert set(scores) == {"loss_backbone", "loss_epoch", "loss_mix", "routing_accuracy"}
        assert all(0 < scores[loss] < 20 for loss in ("loss_backbone", "loss_epoch", "loss_mix"))
        assert 0 <= scores["routing_accuracy"] <= 1
    assert set(report["unprotected"]["routing_accuracy"]) == {*DOMAINS}
    assert all(0 <= share <= 1 for share in report["unprotected"]["routing_accuracy"].values())


@pytest.mark.starter
def test_curves_are_whole_and_distilling_begins_with_the_second_epoch(report: dict[str, Any]) -> None:
    for curve in ("adapter_loss", "mixer_distill_loss"):
        assert [len(report[curve][domain]) for domain in DOMAINS] == [STEPS, STEPS]
    first, second = (report["mixer_distill_loss"][domain] for domain in DOMAINS)
    assert set(first) == {0.0} and all(loss > 0 for loss in second)


@pytest.mark.starter
def test_backbone_and_first_adapter_were_not_written_to(report: dict[str, Any]) -> None:
    assert report["hashes_unchanged"] is True


@pytest.mark.starter
def test_speed_and_stalls_are_noted(report: dict[str, Any]) -> None:
    for figures in (report["tokens_per_second"], report["max_stall_ms"]):
        assert set(figures) == {"training", "generation"}
        assert all(math.isfinite(figure) and figure > 0 for figure in figures.values())
    assert report["window_visible_s"] > 0


@pytest.mark.starter
def test_the_project_is_kept_with_both_epochs(demo: Path) -> None:
    index = json.loads((demo / "projects" / "Demo" / INDEX).read_text(encoding="utf-8"))
    assert list(index["epochs"]) == [*DOMAINS]
