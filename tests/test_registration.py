"""What has the desktop open packed projects with this program."""

from __future__ import annotations

import configparser
import os
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from test_command_line import LINUX, in_a_process

from tlora_gui.engine.protocol.config import ARCHIVE_MIME
from tlora_gui.registration import register

_KINDS = """
import sys
from PySide6.QtCore import QCoreApplication, QMimeDatabase
app = QCoreApplication([])
for path in sys.argv[1:]:
    print(QMimeDatabase().mimeTypeForFile(path).name())
"""


@LINUX
def test_the_desktop_knows_packed_projects_and_what_opens_them(tmp_path: Path) -> None:
    data = tmp_path / "data"
    told = in_a_process(tmp_path, "--register", XDG_DATA_HOME=str(data), QT_QPA_PLATFORM="offscreen")
    assert told.status == 0 and [Path(line).relative_to(data) for line in told.out.splitlines()]
    assert all(Path(line).is_file() for line in told.out.splitlines())
    entry = configparser.ConfigParser(interpolation=None)
    entry.optionxform = str  # type: ignore[assignment,method-assign]
    entry.read(data / "applications" / "tlora-gui.desktop", encoding="utf-8")
    program, *_, given = shlex.split(entry["Desktop Entry"]["Exec"])
    assert Path(program).is_file() and os.access(program, os.X_OK) and given == "%f"
    assert entry["Desktop Entry"]["MimeType"] == f"{ARCHIVE_MIME};"
    with zipfile.ZipFile(tmp_path / "sent", "w") as packed:
        packed.writestr("mimetype", ARCHIVE_MIME)
    with zipfile.ZipFile(tmp_path / "other", "w") as packed:
        packed.writestr("a.txt", "text")
    (tmp_path / "named.tlora").write_bytes(b"")
    if shutil.which("update-mime-database"):
        paths = [str(tmp_path / name) for name in ("sent", "other", "named.tlora")]
        environment = os.environ | {"XDG_DATA_HOME": str(data), "HOME": str(tmp_path)}
        done = subprocess.run([sys.executable, "-c", _KINDS, *paths], env=environment, capture_output=True, text=True)
        assert done.stdout.split() == [ARCHIVE_MIME, "application/zip", ARCHIVE_MIME], done.stderr


def test_where_nothing_can_be_written_it_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    assert register() == 1
    assert "cannot be written: Not a directory" in capsys.readouterr().err


def test_a_system_without_such_files_is_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert register() == 1
    assert "Open with" in capsys.readouterr().err
