"""Where things live: the project's bundled resources, and this user's cache and data (platformdirs)."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import platformdirs

_APP = "tlora-gui"


def resource(name: str) -> Path:
    """A bundled file such as ``styles/app.qss``: in the installed wheel, or beside the package in a checkout."""
    installed = Path(str(files("tlora_gui"))) / "resources"
    root = installed if installed.is_dir() else Path(__file__).parent.parent / "resources"
    return root / name


def cache_dir() -> Path:
    """Downloads and converted backbones; safe to delete. ``TLORA_CACHE`` overrides."""
    return Path(os.environ.get("TLORA_CACHE") or platformdirs.user_cache_path(_APP, appauthor=False))


def tokens_dir() -> Path:
    """Corpora as tokens, kept for another training; safe to delete. ``TLORA_TOKENS`` overrides."""
    return Path(os.environ.get("TLORA_TOKENS") or cache_dir() / "tokens")


def projects_dir() -> Path:
    """Where new projects go unless a person says otherwise. ``TLORA_PROJECTS`` overrides."""
    return Path(os.environ.get("TLORA_PROJECTS") or platformdirs.user_documents_path() / "Temporal LoRA")


def settings_file() -> Path:
    """Window geometry, theme, recent projects. ``TLORA_SETTINGS`` overrides."""
    return Path(os.environ.get("TLORA_SETTINGS") or platformdirs.user_config_path(_APP, appauthor=False) / "window.ini")


def log_file() -> Path:
    """What went wrong, with tracebacks; what libraries warn of. ``TLORA_LOG`` overrides."""
    return Path(os.environ.get("TLORA_LOG") or platformdirs.user_log_path(_APP, appauthor=False) / "tlora-gui.log")


def free_name(wanted: str, taken: Callable[[str], bool], joint: str = " ") -> str:
    """``wanted``, or the first of ``wanted 2``, ``wanted 3`` … that is not taken.

    >>> free_name("tale", {"tale", "tale-2"}.__contains__, "-")
    'tale-3'
    """
    name, number = wanted, 2
    while taken(name):
        name, number = f"{wanted}{joint}{number}", number + 1
    return name
