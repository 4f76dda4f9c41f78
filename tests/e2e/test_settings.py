"""Whatever is in the file of settings, the window starts; what is damaged reads as if it were not there."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from person import OpenWindow, Person
from PySide6.QtCore import QByteArray, qInstallMessageHandler
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QPushButton
from stage import Stage

from tlora_gui.paths import settings_file
from tlora_gui.ui.control import recent_control
from tlora_gui.ui.settings import LANGUAGES, MIDDLE_CURVES, Smoothing, WindowSettings

KEYS = (
    "theme",
    "language",
    "geometry",
    "layout",
    "recent",
    "pinned",
    "last",
    "opening",
    "charts-curve",
    "charts-smoothing",
)
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
    for path in (*settings.recent_projects, *settings.pinned_projects, settings.last_project, settings.opening):
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


def links(person: Person) -> dict[str, QPushButton]:
    """The projects that the welcome offers, by name, from top to bottom."""
    found = person.window.welcome.recent.findChildren(QPushButton)
    return {link.accessibleName().removeprefix("Open "): link for link in found}


def remember(*folders: Path) -> None:
    """The latest last."""
    for folder in folders:
        folder.mkdir(exist_ok=True)
        (folder / "project.json").write_text("{}")
        WindowSettings().add_recent(str(folder))


def test_a_project_that_cannot_be_looked_at_is_greyed_with_the_reason_and_not_forgotten(
    stage: Stage, open_window: OpenWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    remember(tmp_path / "away", tmp_path / "here")
    stat = os.stat

    def stale(path: object, *arguments: object, **named: object) -> os.stat_result:
        if "away" in str(path):
            raise OSError(116, "Stale file handle")
        return stat(path, *arguments, **named)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", stale)
        person = open_window()
        assert list(links(person)) == ["here", "away"], "they are there before anybody has looked"
        person.wait(lambda: not links(person)["away"].isEnabled())
        away = links(person)["away"]
        assert away.toolTip() == f"{tmp_path / 'away'}\nStale file handle" and away.text() == "away   Stale file handle"
        assert links(person)["here"].isEnabled()
    assert WindowSettings().recent_projects == [str(tmp_path / "here"), str(tmp_path / "away")]
    person.window.controller.recent.refresh()
    person.wait(lambda: links(person)["away"].isEnabled())


def test_a_drive_that_never_answers_holds_up_neither_window_nor_list(
    stage: Stage, open_window: OpenWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    remember(tmp_path / "away", tmp_path / "here")
    lost, look = threading.Event(), recent_control._look_at

    def look_at(path: str, found: Any) -> None:
        if path.endswith("away"):
            lost.wait()
        look(path, found)

    monkeypatch.setattr(recent_control, "_look_at", look_at)
    monkeypatch.setattr(recent_control, "_PATIENCE_S", 0.2)
    person = open_window()
    person.wait(lambda: not links(person)["away"].isEnabled())
    assert "does not answer" in links(person)["away"].toolTip() and links(person)["here"].isEnabled()
    before = threading.active_count()
    person.window.controller.recent.refresh()
    assert threading.active_count() <= before + 1, "it is not asked twice"
    lost.set()
    person.window.controller.recent.refresh()
    person.wait(lambda: links(person)["away"].isEnabled())


def test_pinned_projects_stay_on_top_and_never_fall_out(stage: Stage, open_window: OpenWindow, tmp_path: Path) -> None:
    remember(*(tmp_path / f"p{number:02}" for number in range(6)))
    person = open_window()
    assert list(links(person)) == ["p05", "p04", "p03", "p02"]
    pins = person.window.welcome.recent.findChildren(QAbstractButton, "pinRecentButton")
    pins[3].click()
    assert list(links(person)) == ["p02", "p05", "p04", "p03"]
    remember(*(tmp_path / f"p{number:02}" for number in range(6, 40)))
    assert WindowSettings().pinned_projects == [str(tmp_path / "p02")]
    person.window.controller.recent.refresh()
    assert list(links(person)) == ["p02", "p39", "p38", "p37"]
    person.window.menus.recent.aboutToShow.emit()
    entries = [action for action in person.window.menus.recent.actions() if isinstance(action.data(), str)]
    assert [entry.text() for entry in entries[:3]] == ["p02", "p39", "p38"] and not entries[0].icon().isNull()
    person.window.menus.clear_recent.trigger()
    assert list(links(person)) == ["p02"]
    person.see(QAbstractButton, "pinRecentButton", person.window.welcome).click()
    assert WindowSettings().pinned_projects == [] and WindowSettings().recent_projects == [str(tmp_path / "p02")]
    person.see(QAbstractButton, "forgetRecentButton", person.window.welcome).click()
    assert links(person) == {} and (tmp_path / "p02" / "project.json").exists()


def test_projects_of_one_name_are_told_apart_in_the_menu_and_the_open_one_is_pinned_there(
    stage: Stage, open_window: OpenWindow, tmp_path: Path
) -> None:
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        remember(tmp_path / place / "verse")
    remember(tmp_path / "prose & code")
    person = open_window(tmp_path / "prose & code")
    menu, pin = person.window.menus.recent, person.window.menus.pin_project
    menu.aboutToShow.emit()
    told = {action.text(): action.data() for action in menu.actions() if isinstance(action.data(), str)}
    assert told == {
        "prose && code": str(tmp_path / "prose & code"),
        f"verse   {tmp_path / 'two'}": str(tmp_path / "two" / "verse"),
        f"verse   {tmp_path / 'one'}": str(tmp_path / "one" / "verse"),
    }
    assert pin.isEnabled() and not pin.isChecked()
    pin.trigger()
    assert WindowSettings().pinned_projects == [str(tmp_path / "prose & code")]
    menu.aboutToShow.emit()
    assert pin.isChecked()
    (tmp_path / "one" / "verse" / "project.json").unlink()

    def gone() -> QAction:
        menu.aboutToShow.emit()
        return next(action for action in menu.actions() if action.data() == str(tmp_path / "one" / "verse"))

    person.wait(lambda: not gone().isEnabled())
    assert "not there now" in gone().toolTip()


def test_a_place_for_projects_that_cannot_be_looked_at_does_not_keep_the_window_from_starting(
    stage: Stage, open_window: OpenWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TLORA_PROJECTS", str(tmp_path / ("x" * 5000)))
    assert open_window().window.welcome.isVisible()
