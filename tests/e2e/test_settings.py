"""Whatever is in the file of settings, the window starts; what is damaged reads as if it were not there."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from person import OpenWindow
from PySide6.QtCore import QByteArray, qInstallMessageHandler
from stage import Stage

from tlora_gui.paths import settings_file
from tlora_gui.ui.settings import LANGUAGES, MIDDLE_CURVES, Smoothing, WindowSettings

KEYS = ("theme", "language", "geometry", "layout", "recent", "last", "opening", "charts-curve", "charts-smoothing")
KINDS = {
    "bytes": "@ByteArray(abc)",
    "numbers": "1, 2, 3",
    "list": "x, y",
    "rect": "@Rect(1 2 3 4)",
    "size": "@Size(1 2)",
    "point": "@Point(1 2)",
    "invalid": "@Invalid()",
    "variant": r"@Variant(\0\0\0\x7f\0\0\0\xePyObject\0)",
    "cut variant": r"@Variant(\0\0\0\b\0\0)",
    "map": r"@Variant(\0\0\0\b\0\0\0\x1\0\0\0\x2\0\x61\0\0\0\n\0\0\0\x2\0\x62)",
    "number": "5",
    "long": "x" * 5000,
    "huge": "/x" * 1_000_000,
    "nul": r"a\0b",
    "unicode": r"\xd83d\xde00\x202e",
    "junk": "".join(chr(c) for c in range(1, 256) if chr(c) not in "\n\r;"),
    "empty": "",
}


def write(text: str | bytes) -> None:
    settings_file().parent.mkdir(parents=True, exist_ok=True)
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    settings_file().write_bytes(data)


def read_all() -> None:
    settings = WindowSettings()
    assert settings.theme in ("system", "light", "dark")
    assert settings.language in ("system", *LANGUAGES)
    for each in (settings.geometry, settings.layout):
        assert isinstance(each, QByteArray)
    assert isinstance(settings.recent_projects, list)
    assert settings.chart_choices.curve in MIDDLE_CURVES and settings.chart_choices.smoothing in get_args(Smoothing)
    for path in (*settings.recent_projects, settings.last_project, settings.opening):
        assert isinstance(path, str) and len(path) <= 4096
    settings.add_recent("/somewhere")


@pytest.fixture
def qt_may_warn(nothing_fails_unseen: None) -> Iterator[None]:
    """Of what it cannot read."""
    before = qInstallMessageHandler(lambda *_: None)
    yield
    qInstallMessageHandler(before)


@pytest.mark.usefixtures("qt_may_warn")
@pytest.mark.parametrize("kind", KINDS)
def test_every_key_of_every_kind_reads_as_something_sensible(kind: str) -> None:
    for key in KEYS:
        write(f"[General]\n{key}={KINDS[kind]}\n")
        read_all()


@pytest.mark.usefixtures("qt_may_warn")
def test_random_junk_reads_as_nothing() -> None:
    for seed in range(200):
        chance = random.Random(seed)
        write(b"[General]\n" + KEYS[seed % len(KEYS)].encode() + b"=" + chance.randbytes(chance.randrange(400)))
        read_all()
        write(chance.randbytes(1000))
        read_all()


@pytest.mark.usefixtures("qt_may_warn")
@pytest.mark.parametrize("kind", KINDS)
def test_the_window_starts_with_damaged_settings(stage: Stage, open_window: OpenWindow, kind: str) -> None:
    write("[General]\n" + "".join(f"{key}={KINDS[kind]}\n" for key in KEYS))
    person = open_window()
    assert person.window.welcome.isVisible()
    person.close()


def test_the_window_starts_with_a_folder_or_an_unreadable_file_in_place_of_its_settings(
    stage: Stage, open_window: OpenWindow
) -> None:
    settings_file().mkdir(parents=True)
    open_window().close()
    settings_file().rmdir()
    write("[General]\ntheme=dark\n")
    settings_file().chmod(0)
    open_window().close()


def test_a_project_that_cannot_be_looked_at_is_left_out_but_not_forgotten(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = WindowSettings()
    for name in ("away", "here"):
        (tmp_path / name).mkdir()
        settings.add_recent(str(tmp_path / name))
    stat = os.stat

    def stale(path: object, *arguments: object, **named: object) -> os.stat_result:
        if str(path).endswith("away"):
            raise OSError(116, "Stale file handle")
        return stat(path, *arguments, **named)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", stale)
        assert settings.recent_projects == [str(tmp_path / "here")]
        settings.add_recent(str(tmp_path / "here"))
    assert settings.recent_projects == [str(tmp_path / "here"), str(tmp_path / "away")]


def test_a_project_on_a_drive_that_is_away_is_offered_again_when_it_is_back(tmp_path: Path) -> None:
    settings = WindowSettings()
    (tmp_path / "drive").mkdir()
    settings.add_recent(str(tmp_path / "drive"))
    (tmp_path / "drive").rename(tmp_path / "unmounted")
    (tmp_path / "here").mkdir()
    settings.add_recent(str(tmp_path / "here"))
    assert settings.recent_projects == [str(tmp_path / "here")]
    (tmp_path / "unmounted").rename(tmp_path / "drive")
    assert settings.recent_projects == [str(tmp_path / "here"), str(tmp_path / "drive")]


def test_a_place_for_projects_that_cannot_be_looked_at_does_not_keep_the_window_from_starting(
    stage: Stage, open_window: OpenWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TLORA_PROJECTS", str(tmp_path / ("x" * 5000)))
    assert open_window().window.welcome.isVisible()
