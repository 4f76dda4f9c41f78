"""When it goes wrong: the log and a report are seen, a crash is told at the next start, and there is a way to start."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from test_command_line import typed

from tlora_gui.diagnostics import report
from tlora_gui.logs import crash_of_last_run, forget_crash, older_logs, tail, watch_for_crashes
from tlora_gui.paths import log_file, settings_file

FALL = """
import ctypes
from tlora_gui.logs import watch_for_crashes
watch_for_crashes()
ctypes.string_at(0)
"""


def run(program: str) -> int:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=120, check=False).returncode


@pytest.mark.skipif(sys.platform == "win32", reason="a process ends otherwise there")
def test_a_crash_is_told_once_with_its_stack() -> None:
    assert crash_of_last_run() == ""
    assert run(FALL) < 0
    told = crash_of_last_run()
    assert "Segmentation fault" in told and "string_at" in told
    assert crash_of_last_run() == "" and not list(log_file().parent.glob("crash-*"))


def test_an_orderly_end_and_one_from_outside_are_no_crash() -> None:
    assert run("from tlora_gui.logs import *; watch_for_crashes(); forget_crash()") == 0
    assert not list(log_file().parent.glob("crash-*"))
    assert run("import os; from tlora_gui.logs import *; watch_for_crashes(); os._exit(9)") == 9
    assert crash_of_last_run() == "" and not list(log_file().parent.glob("crash-*"))


def test_a_process_that_lives_is_left_alone() -> None:
    watch_for_crashes()
    try:
        mine = log_file().with_name(f"crash-{os.getpid()}.txt")
        mine.write_text("Fatal Python error", encoding="utf-8")
        assert crash_of_last_run() == "" and mine.exists()
    finally:
        forget_crash()
    assert not mine.exists()


def test_where_nothing_can_be_noted_the_application_starts_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TLORA_LOG", f"{os.devnull}/no/where.log")
    watch_for_crashes()
    assert crash_of_last_run() == ""


def test_a_long_log_is_read_from_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("".join(f"line {number}\n" for number in range(50_000)), encoding="utf-8")
    told = tail(path)
    assert len(told) <= 200_000 and told.startswith("line ") and told.endswith("line 49999\n")
    assert tail(tmp_path / "none") == ""


INTERRUPTED = """
import contextlib, os, signal, sys
from tlora_gui.__main__ import main

class Finder:
    def find_spec(self, name, *_):
        if name == "tlora_gui.app":
            with contextlib.suppress(KeyboardInterrupt):  # as libraries do that call back into Python
                os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may have it ignored
sys.meta_path.insert(0, Finder())
main(["--exit-when-visible"])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a process ends otherwise there")
def test_an_interruption_while_the_window_is_loaded_is_not_lost() -> None:
    assert run(INTERRUPTED) == -signal.SIGINT


LOGS_MUCH = """
import logging, sys
from tlora_gui import logs
logs.LOG_BYTES = 20_000
logs.log_to_file()
for number in range(300):
    logging.warning("%s %03d %s", sys.argv[1], number, "." * 60)
"""


def test_two_processes_share_a_log_that_stays_small_and_loses_no_entry() -> None:
    writers = [subprocess.Popen([sys.executable, "-c", LOGS_MUCH, name], stderr=subprocess.PIPE) for name in "ab"]
    assert [writer.communicate(timeout=120)[1] for writer in writers] == [b"", b""]
    files = [log_file(), *older_logs()]
    assert 3 <= len(files) <= 5 and all(path.stat().st_size <= 20_000 for path in files)
    told = "".join(path.read_text(encoding="utf-8") for path in reversed(files)).splitlines()
    for name in "ab":
        numbers = [int(found[1]) for line in told if (found := re.search(rf"root: {name} (\d+) \.{{60}}$", line))]
        assert numbers == list(range(300))


def test_a_log_that_cannot_be_written_says_nothing_on_the_terminal(tmp_path: Path) -> None:
    program = "import logging, shutil, sys; from tlora_gui.logs import *; log_to_file(); logging.error('one')\n"
    program += "shutil.rmtree(sys.argv[1]); open(sys.argv[1], 'w'); logging.error('two')"
    place = tmp_path / "logs"
    environment = {**os.environ, "TLORA_LOG": str(place / "a.log")}
    done = subprocess.run(
        [sys.executable, "-c", program, place], env=environment, capture_output=True, timeout=120, check=True
    )
    assert (done.stdout, done.stderr) == (b"", b"")


def test_a_report_says_what_is_installed_and_no_name_of_the_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: Path("/home/ada.lovelace"))
    log_file().parent.mkdir(parents=True, exist_ok=True)
    log_file().write_text("cannot read /home/ada.lovelace/plays\n", encoding="utf-8")
    told = report()
    assert "cannot read ~/plays" in told and "lovelace" not in told
    assert all(name in told for name in ("tlora-gui ", "Python ", "torch ", "PySide6-Essentials ", "GB of memory"))


def test_the_report_can_be_had_without_a_window() -> None:
    told = typed("--diagnostics")
    assert told.status == 0 and "transformers " in told.out and told.err == ""


@pytest.mark.parametrize("how", ["--safe", "--reset-settings"])
def test_settings_that_do_harm_can_be_left_aside(how: str, tmp_path: Path) -> None:
    settings_file().write_text(f"[General]\nlast={tmp_path}\ntheme=dark\n", encoding="utf-8")
    stored = settings_file().read_text(encoding="utf-8")
    command = [sys.executable, "-m", "tlora_gui", how, "--exit-when-visible"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    if how == "--safe":
        assert settings_file().read_text(encoding="utf-8") == stored
    else:
        assert settings_file().with_suffix(".old").read_text(encoding="utf-8") == stored
        assert not settings_file().exists() or "theme=dark" not in settings_file().read_text(encoding="utf-8")
