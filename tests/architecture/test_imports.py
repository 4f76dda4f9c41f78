"""Who may import whom: the contracts, and in fresh interpreters what no contract can see."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "tlora_gui"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONTRACTS = {contract["name"]: contract for contract in PROJECT["tool"]["importlinter"]["contracts"]}

MODEL = {"torch", "transformers", "peft", "safetensors", "gguf"}
QT = {"PySide6", "shiboken6", "pyqtgraph"}


def loaded_after(code: str) -> set[str]:
    """Names of all modules that a fresh interpreter has after running some code."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint('LOADED', *sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rsplit("LOADED", 1)[1].split())


def test_the_import_contracts_are_kept() -> None:
    lint = "from importlinter.cli import lint_imports\nraise SystemExit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", lint], cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout
    assert f"{len(CONTRACTS)} kept, 0 broken" in done.stdout


@pytest.mark.parametrize(
    ("modules", "left_out"),
    [
        ("tlora_gui", MODEL | QT | {"numpy"}),
        ("tlora_gui.__main__", MODEL | QT | {"numpy"}),
        ("tlora_gui.paths", MODEL | QT | {"numpy"}),
        ("tlora_gui.app", MODEL),
        ("tlora_gui.ui.window", MODEL),
        ("tlora_gui.worker.engine_client", MODEL | {"PySide6.QtGui", "PySide6.QtWidgets"}),
        ("tlora_gui.engine.session, tlora_gui.engine.api, tlora_gui.temporal.model, tlora_gui.headless", QT),
    ],
)
def test_a_fresh_interpreter_leaves_out_what_a_module_does_not_need(modules: str, left_out: set[str]) -> None:
    loaded = loaded_after(f"import {modules}")
    assert set(modules.split(", ")) <= loaded
    assert not loaded & left_out


def test_the_engines_protocol_loads_neither_torch_nor_qt() -> None:
    names = {path.stem for path in (PACKAGE / "engine" / "protocol").glob("*.py")} - {"__init__"}
    assert {"jobs", "events"} <= names
    loaded = loaded_after("\n".join(f"import tlora_gui.engine.protocol.{name}" for name in sorted(names)))
    assert not loaded & (MODEL | QT)


def test_a_window_is_built_before_torch_is_loaded(tmp_path: Path) -> None:
    code = f"""
import os
os.environ.update(QT_QPA_PLATFORM="offscreen", TLORA_SETTINGS={str(tmp_path / "window.ini")!r})
from PySide6.QtWidgets import QApplication
app = QApplication([])
from tlora_gui.app import create_window
window = create_window()
window.ensurePolished()
window.grab()
window.shutdown()
"""
    loaded = loaded_after(code)
    assert "tlora_gui.ui.window" in loaded
    assert not loaded & MODEL


def test_the_public_names_load_torch_when_they_are_first_used() -> None:
    loaded = loaded_after(
        "import sys, tlora_gui\nassert set(tlora_gui.__all__) <= set(dir(tlora_gui)) and 'torch' not in sys.modules\n"
        "for name in tlora_gui.__all__: assert getattr(tlora_gui, name).__name__ == name\n"
    )
    assert "torch" in loaded and not loaded & QT


def test_every_third_party_import_is_declared() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    declared = {
        re.split(r"[<>=!~\[; ]", dependency)[0].lower().replace("_", "-")
        for dependency in (*PROJECT["project"]["dependencies"], *extras["formats"], *extras["distributed"])
    }
    homes = packages_distributions()
    imported = {name for path in PACKAGE.rglob("*.py") for name in _imports(path)}
    assert {"torch", "PySide6"} <= imported
    undeclared = {
        name
        for name in imported - {"tlora_gui"} - set(sys.stdlib_module_names)
        if not {home.lower().replace("_", "-") for home in homes.get(name, [name])} & declared
    }
    assert undeclared == set()


def _imports(path: Path) -> set[str]:
    """Top-level names that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found
