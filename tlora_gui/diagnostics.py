"""What whoever looks for a fault needs to know of this machine and installation, as text that a person can read."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import tlora_gui
from tlora_gui.logs import tail
from tlora_gui.paths import cache_dir, log_file, projects_dir, settings_file

_PACKAGES = (
    "torch", "transformers", "peft", "tokenizers", "huggingface_hub", "safetensors", "numpy", "gguf", "accelerate",
    "PySide6-Essentials", "pyqtgraph",
)  # fmt: skip
_SETTINGS_BYTES = 20_000


def report() -> str:
    """Versions, machine, places, settings and the log. No text of a corpus or a project is in it, but names of folders
    are; the person's own is written as ``~``."""
    import psutil

    memory = psutil.virtual_memory()
    places = {"projects": projects_dir(), "cache": cache_dir(), "settings": settings_file(), "log": log_file()}
    lines = [
        f"tlora-gui {tlora_gui.__version__}",
        f"Python {platform.python_version()} ({sys.platform}, {platform.machine()})",
        platform.platform(),
        f"{os.cpu_count()} cores, {memory.total / 1e9:.1f} GB of memory, {memory.available / 1e9:.1f} GB free",
        "",
        *(f"{name} {_version(name)}" for name in _PACKAGES),
        "",
        *(f"{name}: {place}" for name, place in places.items()),
        *(f"{name}={value}" for name, value in sorted(os.environ.items()) if name.startswith(("TLORA_", "QT_"))),
        "",
        f"--- {settings_file().name} ---",
        tail(settings_file())[-_SETTINGS_BYTES:],
        f"--- {log_file().name} ---",
        tail(log_file()),
    ]
    return _without_person("\n".join(lines))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "is not installed"


def _without_person(text: str) -> str:
    home = str(Path.home())
    return text.replace(home, "~") if len(home) > 3 else text
