"""Has the desktop open ``.tlora`` files with this program, by the files that freedesktop.org says; imports no Qt."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tlora_gui.engine.protocol.config import ARCHIVE_MIME
from tlora_gui.paths import resource

_ELSEWHERE = """tlora-gui: this system keeps no such files.
Open a .tlora file once with "Open with", and choose {program} for all files of its kind."""
_TOOLS = (
    ("update-mime-database", "mime"),
    ("update-desktop-database", "applications"),
    ("gtk-update-icon-cache", "--quiet", "--force", "--ignore-theme-index", "icons/hicolor"),
)
"""What tells the desktop of new files, each with the folder below that of data."""


def register() -> int:
    """Write the files for this user, and tell what was written; returns the exit status."""
    program = _program()
    if sys.platform in ("win32", "darwin"):
        print(_ELSEWHERE.format(program=program), file=sys.stderr)
        return 1
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    entry = resource("freedesktop/tlora-gui.desktop").read_text(encoding="utf-8")
    texts = {
        "applications/tlora-gui.desktop": entry.replace("Exec=tlora-gui", f"Exec={program}"),
        "mime/packages/tlora-gui.xml": resource("freedesktop/tlora-gui.xml").read_text(encoding="utf-8"),
        "icons/hicolor/scalable/apps/tlora-gui.svg": resource("icons/tlora-gui.svg").read_text(encoding="utf-8"),
    }
    try:
        for name, text in texts.items():
            (data / name).parent.mkdir(parents=True, exist_ok=True)
            (data / name).write_text(text, encoding="utf-8")
            print(data / name)
    except OSError as error:
        print(f"tlora-gui: {error.filename} cannot be written: {error.strerror}.", file=sys.stderr)
        return 1
    for tool, *options, folder in _TOOLS:
        _run(tool, *options, str(data / folder))
    _run("xdg-mime", "default", "tlora-gui.desktop", ARCHIVE_MIME)
    return 0


def _program() -> str:
    """What starts this program, as a desktop entry has it: quoted, its special signs escaped."""
    beside = Path(sys.executable).with_name("tlora-gui")
    words = [str(beside)] if beside.exists() else [sys.executable, "-m", "tlora_gui"]
    return " ".join(f'"{_escaped(word)}"' for word in words)


def _escaped(word: str) -> str:
    for sign in '\\"`$':
        word = word.replace(sign, "\\" + sign)
    return word.replace("\\", "\\\\").replace("%", "%%")


def _run(*command: str) -> None:
    """Run a tool of the desktop's, if it has it; without it the files are found later, or by other desktops."""
    if shutil.which(command[0]):
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
