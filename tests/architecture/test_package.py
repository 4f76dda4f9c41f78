"""What people get: the installed wheel finds its resources, and the papers agree with each other."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAPERS = ("README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
TEXT = {".py", ".qss", ".md", ".toml", ".svg", ".html", ".json", ".txt", ""}


def run(*command: object, cwd: Path = ROOT, **environment: str) -> str:
    """What a command prints; it must succeed."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the wheel of this checkout is installed into."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder)
    (wheel,) = folder.glob("tlora_gui-*.whl")
    target = folder / "site"
    run(
        sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile",
        "--disable-pip-version-check", "--root-user-action=ignore", "--target", target, wheel,
    )  # fmt: skip
    return target


def outside(installed: Path, tmp_path: Path, code: str) -> str:
    """Run code where the checkout is out of reach; the installed package comes first."""
    return run(
        sys.executable, "-c", code, cwd=tmp_path, PYTHONPATH=str(installed), QT_QPA_PLATFORM="offscreen",
        TLORA_SETTINGS=str(tmp_path / "window.ini"),
    )  # fmt: skip


def test_an_installed_wheel_finds_its_resources(installed: Path, tmp_path: Path) -> None:
    code = "from tlora_gui.paths import resource; print(resource('styles/app.qss'), resource('icons/tlora-gui.svg'))"
    for found in outside(installed, tmp_path, code).split():
        assert Path(found).is_file()
        assert Path(found).is_relative_to(installed)


def test_an_installed_wheel_builds_its_window(installed: Path, tmp_path: Path) -> None:
    code = """
from PySide6.QtWidgets import QApplication
app = QApplication([])
import tlora_gui
from tlora_gui.app import create_window
window = create_window()
print(tlora_gui.__file__, window.windowTitle(), bool(app.styleSheet() or window.styleSheet()), sep="|")
window.shutdown()
"""
    place, title, styled = outside(installed, tmp_path, code).strip().split("|")
    assert Path(place).is_relative_to(installed)
    assert (title, styled) == ("Temporal LoRA", "True")


def test_a_wheel_holds_package_resources_and_commands_and_nothing_else(installed: Path) -> None:
    assert {path.name for path in installed.iterdir() if path.name != "bin"} == {
        "tlora_gui",
        f"tlora_gui-{_project()['project']['version']}.dist-info",
    }
    (entries,) = installed.glob("*.dist-info/entry_points.txt")
    assert "tlora-gui = tlora_gui.__main__:main" in entries.read_text(encoding="utf-8")
    (licence,) = installed.glob("*.dist-info/licenses/LICENSE")
    assert "Apache License" in licence.read_text(encoding="utf-8")
    assert {path.relative_to(installed) for path in installed.rglob("*.py")} == {
        path.relative_to(ROOT) for path in (ROOT / "tlora_gui").rglob("*.py")
    }


def test_an_installed_wheel_has_types(installed: Path) -> None:
    assert (installed / "tlora_gui" / "py.typed").is_file()


def test_a_source_distribution_holds_what_it_takes_to_build_and_to_test(tmp_path: Path) -> None:
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", tmp_path)
    (packed,) = tmp_path.glob("tlora_gui-*.tar.gz")
    with tarfile.open(packed) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "pyproject.toml", "CITATION.cff", *PAPERS} <= held
    assert {"tlora_gui/py.typed", "resources/styles/app.qss", "tests/ui/kit.py", "tests/data/fonts/fonts.conf"} <= held
    assert not [name for name in held if "__pycache__" in name]


def test_the_version_is_told_once() -> None:
    from tlora_gui import __version__

    version = _project()["project"]["version"]
    assert __version__ == version
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_every_dependency_says_what_it_is_for() -> None:
    project = _project()["project"]
    declared = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    for dependency in declared:
        (line,) = [line for line in lines if line.strip().startswith(f'"{dependency}"')]
        _, _, reason = line.partition('",')
        assert re.fullmatch(r" +# \w.{3,}", reason), line


def test_the_text_of_the_project_holds_no_machine_path() -> None:
    machine = re.compile(r"(?<![\w.])/(?:work|home|root|tmp|Users|mnt|srv)/|[A-Za-z]:\\\\?Users")
    told = [f"{path.relative_to(ROOT)}:{number}" for path, number, line in _lines() if machine.search(line)]
    assert told == []


def test_ci_runs_the_test_command_of_the_readme() -> None:
    fenced = re.findall(r"^```\w*\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (command,) = [line for block in fenced for line in block.splitlines() if ".venv/bin/pytest" in line]
    assert command == "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/pytest"
    assert run("bash", ".ci/run", "--show") == command + "\n"
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_the_readme_names_the_command_that_starts_everything() -> None:
    assert "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/tlora-gui --demo\n" in README.read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize("paper", PAPERS)
def test_links_between_the_papers_lead_somewhere(paper: str) -> None:
    text = (ROOT / paper).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) if "://" not in link]
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("paper", ["ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_every_place_that_the_papers_name_exists(paper: str) -> None:
    text = (ROOT / paper).read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:tlora_gui|tests|resources)/[\w/.]*)", text))
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("paper", ["ARCHITECTURE.md", "SECURITY.md"])
def test_every_test_that_the_papers_name_is_where_they_say(paper: str) -> None:
    text = (ROOT / paper).read_text(encoding="utf-8")
    asked = set(re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", text))
    assert len(asked) == len(set(re.findall(r"\S+::test_\w+", text))) > 9
    assert [(file, name) for file, name in sorted(asked) if name not in _tests(ROOT / file)] == []


def test_every_promise_of_security_has_a_test() -> None:
    _, _, table = (ROOT / "SECURITY.md").read_text(encoding="utf-8").partition("| promise | test |")
    rows = [line for line in table.splitlines() if line.startswith("| ") and "---" not in line]
    assert rows and [row for row in rows if "::test_" not in row] == []


def _project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _tests(path: Path) -> list[str]:
    return re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)


def _lines() -> Iterator[tuple[Path, int, str]]:
    """Every line of text that people get, but for the tests'."""
    folders = [ROOT / "tlora_gui", ROOT / "resources", ROOT / ".ci"]
    papers = [ROOT / name for name in (*PAPERS, "CITATION.cff", ".pre-commit-config.yaml", "pyproject.toml")]
    for path in [*(path for folder in folders for path in folder.rglob("*")), *papers]:
        if path.is_file() and path.suffix in TEXT and "__pycache__" not in path.parts:
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                yield path, number, line
