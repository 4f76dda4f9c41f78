"""The same window for a long time: what is done again and again leaves nothing behind."""

from __future__ import annotations

from pathlib import Path
from random import Random

from person import Corpora, OpenWindow
from soaking import Soak, left

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.session import Session

ROUNDS = 12
GROWTH_MB = 40


def test_generating_branching_comparing_and_reopening_leave_nothing_behind(
    open_window: OpenWindow, trained_project: Path
) -> None:
    person = open_window(trained_project)

    def again() -> None:
        person.generate("O gentle night", new_tokens=12)
        person.window.menus.again.trigger()
        person.until_generated()
        person.window.generation.show_page("compare")
        person.window.generation.begin()
        person.wait(lambda: not person.window.client.busy)
        person.window.generation.show_page("generate")
        person.window.controller.projects.open(str(trained_project))
        person.wait(lambda: not person.window.client.busy)

    for _ in range(2):
        again()
    before = left(person)
    for _ in range(ROUNDS):
        again()
    now = left(person)
    assert now.objects <= before.objects + 5 and now.widgets == before.widgets
    assert now.threads == before.threads and now.temporary == before.temporary
    assert now.megabytes - before.megabytes < GROWTH_MB, f"more after {ROUNDS} rounds"


def test_everything_in_random_order_shows_no_error_and_leaves_nothing_behind(
    open_window: OpenWindow, trained_project: Path, corpora: Corpora, tmp_path: Path
) -> None:
    session = Session(threads=1)
    for job in (jobs.OpenProject(str(trained_project)), jobs.ExportEpoch("verse", str(tmp_path / "adapter"))):
        for _ in session.run(job):
            pass
    session.close()
    person = open_window()
    soak = Soak(person, tmp_path, trained_project, corpora["verse"], tmp_path / "adapter" / "verse")
    draw, laps = Random(2), []
    for _ in range(3):
        soak.begin_anew()
        laps.append(left(person))
        for _ in range(4):
            soak.act(draw)
            assert not person.sees_error, person.banner
    _, before, now = laps
    assert now.objects <= before.objects + 5 and now.widgets <= before.widgets
    assert now.threads <= before.threads and now.files <= before.files and now.temporary <= before.temporary
