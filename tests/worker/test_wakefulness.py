"""The machine is asked to stay awake for exactly as long as it is wanted."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import pytest

from tlora_gui.worker import wakefulness
from tlora_gui.worker.wakefulness import Wakefulness

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there it is a call, not a command")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """What was started to keep the machine awake, in its place a command that ends with its input as well."""
    found: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def start(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        found.append(real([sys.executable, "-c", "import sys; sys.stdin.read()"], **options))
        return found[-1]

    monkeypatch.setattr(wakefulness.subprocess, "Popen", start)
    return found


def test_it_ends_when_it_is_let_go(started: list[subprocess.Popen[bytes]]) -> None:
    awake = Wakefulness()
    awake.hold(True)
    awake.hold(True)
    (process,) = started
    assert awake.held and process.poll() is None
    awake.hold(False)
    awake.hold(False)
    assert process.wait(20) == 0 and not awake.held
    awake.hold(True)
    assert len(started) == 2
    awake.hold(False)
    started[1].wait(20)


def test_a_system_that_has_no_such_command_is_worked_on_all_the_same(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(wakefulness, "_COMMANDS", {"linux": ["no-such-command-here"], sys.platform: ["no-such-one"]})
    before = threading.active_count()
    awake = Wakefulness()
    with caplog.at_level("INFO", wakefulness.logger.name):
        awake.hold(True)
    awake.hold(False)
    assert "may fall asleep" in caplog.text and threading.active_count() == before
