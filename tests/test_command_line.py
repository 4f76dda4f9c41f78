"""The command line as people type it: the window's options, no screen, and the headless verbs on a tiny backbone."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import tlora_gui.terminal
from tlora_gui import __version__
from tlora_gui.__main__ import main
from tlora_gui.engine.projects.epoch_list import EpochList
from tlora_gui.engine.projects.project_lock import lock_project
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import EpochInfo
from tlora_gui.engine.session import Session
from tlora_gui.engine.training import dreams
from tlora_gui.temporal import active_sleep

ROOT = Path(__file__).parent.parent
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="screens are told by these variables on Linux")
HINTS = ("xvfb-run", "QT_QPA_PLATFORM=offscreen", "tlora train --help")


@dataclass
class Told:
    """What a command said, and its exit status."""

    status: int
    out: str
    err: str


def in_a_process(home: Path, *arguments: str, **environment: str) -> Told:
    """Run ``python -m tlora_gui`` with a home of its own and, but for what is given, without a screen."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("QT_", "XDG_"))}
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        kept.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-m", "tlora_gui", *arguments],
        cwd=ROOT,
        env=kept | {"HOME": str(home)} | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
    )
    return Told(done.returncode, done.stdout, done.stderr)


class Terminal(io.StringIO):
    """Takes text as a terminal does."""

    def isatty(self) -> bool:
        return True


def shown(written: str) -> str:
    """What stands on a terminal that took this."""
    lines, row = [""], 0
    for sign in re.findall(r"\033\[[?\d;]*[A-Za-z]|[^\033]", written):
        if sign == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif sign == "\033[1A":
            row -= 1
        elif sign == "\033[2K":
            lines[row] = ""
        elif len(sign) == 1 and sign != "\r":
            lines[row] += sign
    return "\n".join(lines).strip()


def typed(*arguments: object, terminal: bool = False) -> Told:
    """Call the entry point in this process."""
    out, err = io.StringIO(), Terminal() if terminal else io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
    return Told(status, out.getvalue(), err.getvalue())


# -- the window's options ---------------------------------------------------------------------------------------


def test_help_names_the_options_and_the_headless_verbs() -> None:
    told = typed("--help")
    assert told.status == 0
    for word in ("--demo", "--screenshots", "--theme", "project", "train", "generate", "evaluate"):
        assert word in told.out


@pytest.mark.parametrize("verb", ["train", "generate", "evaluate"])
def test_every_verb_has_help(verb: str) -> None:
    told = typed(verb, "--help")
    assert told.status == 0
    assert told.out.startswith(f"usage: tlora {verb}")


def test_version_is_the_packages() -> None:
    told = typed("--version")
    assert (told.status, told.out) == (0, f"tlora-gui {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--no-such-option",), "--no-such-option"),
        (("--screenshots", "pictures"), "--demo"),
        (("--theme", "pink"), "pink"),
        (("train", "project", "text"), "--name"),
        (("generate", "project"), "prompt"),
        (("train", "project", "text", "--name", "X", "--num-passes", "two"), "two"),
    ],
)
def test_a_wrong_command_line_is_refused_with_the_reason(arguments: tuple[str, ...], word: str) -> None:
    told = typed(*arguments)
    assert told.status == 2
    assert word in told.err and "usage:" in told.err


@LINUX
def test_without_a_screen_it_tells_how_to_run_all_the_same(tmp_path: Path) -> None:
    told = in_a_process(tmp_path)
    assert told.status == 1
    assert "DISPLAY" in told.err and "Traceback" not in told.err
    assert all(hint in told.err for hint in HINTS)


@LINUX
@pytest.mark.parametrize(
    "screen",
    [{"DISPLAY": ":987"}, {"WAYLAND_DISPLAY": "not-there"}, {"QT_QPA_PLATFORM": "no-such-platform"}],
    ids=["x11", "wayland", "plugin"],
)
def test_a_screen_out_of_reach_gives_the_same_hint_and_no_abort(tmp_path: Path, screen: dict[str, str]) -> None:
    told = in_a_process(tmp_path, **screen)
    assert told.status == 1
    assert all(hint in told.err for hint in HINTS)


@LINUX
def test_missing_system_libraries_are_named(tmp_path: Path) -> None:
    package = tmp_path / "PySide6" / "__init__.py"
    package.parent.mkdir()
    package.write_text('raise ImportError("libEGL.so.1: cannot open shared object file: No such file or directory")')
    told = in_a_process(tmp_path, PYTHONPATH=str(tmp_path))
    assert told.status == 1
    assert "libEGL.so.1" in told.err and "apt install libegl1" in told.err and "Traceback" not in told.err


def test_it_shows_its_window_off_screen(tmp_path: Path) -> None:
    told = in_a_process(tmp_path, "--exit-when-visible", QT_QPA_PLATFORM="offscreen")
    assert told.status == 0, told.err
    assert float(told.out) > 0


# -- without a window -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def _short_dreams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TLORA_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("TOKENIZERS_PARALLELISM", "false")
        patch.setattr(dreams, "DREAM_BLOCKS", 12)
        patch.setattr(dreams, "DREAM_LENGTH", 32)
        patch.setattr(dreams, "EVAL_BLOCKS", 2)
        patch.setattr(active_sleep, "CALIBRATION_STEPS", 10)
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def trained(
    _short_dreams: None, tmp_path_factory: pytest.TempPathFactory, tiny_model_folder: Path, corpora: dict[str, Path]
) -> tuple[Path, list[Told]]:
    """A project with two epochs, and what was said while they were trained. The folder was there, but empty."""
    project = tmp_path_factory.mktemp("project")
    told = [
        typed("train", project, folder, "--name", name.capitalize(), "--max-tokens", 1536, *backbone)
        for (name, folder), backbone in zip(corpora.items(), (("--backbone", tiny_model_folder), ()), strict=True)
    ]
    return project, told


def test_train_makes_the_project_and_tells_what_was_measured(trained: tuple[Path, list[Told]]) -> None:
    project, (first, second) = trained
    for told, name in ((first, "Verse"), (second, "Code")):
        assert (told.status, told.err) == (0, "")
        assert re.search(r"^step 0: held-out loss \d+\.\d{3}; routing ", told.out, re.MULTILINE)
        assert re.search(rf"^{name}: held-out \d+\.\d{{3}}, backbone \d+\.\d{{3}}$", told.out, re.MULTILINE)
        assert "\033" not in told.out
    assert (project / "project.json").is_file()
    assert sorted(folder.name for folder in (project / "epochs").iterdir()) == ["01-verse", "02-code"]


def test_evaluate_prints_a_line_for_each_epoch_and_one_for_each_figure_over_all(
    trained: tuple[Path, list[Told]],
) -> None:
    told = typed("evaluate", trained[0], "--held-out-tokens", 512)
    assert told.status == 0
    header, *rows, lag, unknown, calibration = told.out.splitlines()
    assert header.split() == ["epoch", "backbone", "own", "mix", "routing", "baseline"]
    assert [row.split()[0] for row in rows] == ["Verse", "Code"]
    assert all(float(number) > 0 for row in rows for number in row.split()[1:4])
    assert all(0 <= float(number) <= 1 for row in rows for number in row.split()[4:])
    assert re.search(r" border .* after \d+ tokens ", lag)
    assert re.search(r"^without its epoch, .* weight of [01]\.\d{3}$", unknown)
    assert re.search(r" calibration error .* [01]\.\d{3}$", calibration)


def test_evaluate_shows_the_stretches_on_which_the_mixer_errs_most(trained: tuple[Path, list[Told]]) -> None:
    told = typed("evaluate", trained[0], "--held-out-tokens", 512, "--errors", 2)
    assert told.status == 0
    heads = re.findall(r"^(Verse|Code), (\d+) tokens to (Eternity|Verse|Code):$", told.out, re.MULTILINE)
    assert 0 < len(heads) <= 2 and all(own != other for own, _, other in heads)
    assert told.out.count("[[") == told.out.count("]]") >= len(heads)
    told = typed("evaluate", trained[0], "--errors", -1)
    assert (told.status, told.out) == (1, "") and "fewer than 0" in told.err


def test_a_measurement_of_nothing_is_refused(
    trained: tuple[Path, list[Told]], tmp_path: Path, tiny_model_folder: Path
) -> None:
    for tokens in (0, -3):
        told = typed("evaluate", trained[0], "--held-out-tokens", tokens)
        assert (told.status, told.out) == (1, "") and "held_out_tokens must be at least 1" in told.err
    session = Session()
    list(session.run(jobs.CreateProject(str(tmp_path / "new"), str(tiny_model_folder))))
    session.close()
    told = typed("evaluate", tmp_path / "new")
    assert (told.status, told.out) == (1, "") and "no epoch to measure" in told.err


def test_a_broken_epoch_is_told_where_it_is_left_out(trained: tuple[Path, list[Told]], tmp_path: Path) -> None:
    shutil.copytree(trained[0], tmp_path / "p")
    (tmp_path / "p" / "epochs" / "02-code" / "adapter_model.safetensors").write_bytes(b"cut")
    told = typed("generate", tmp_path / "p", "def f", "--max-new-tokens", 2)
    assert told.status == 0 and told.err.startswith("Code is left out: ")


def test_of_names_that_differ_in_capitals_only_the_exact_one_is_meant() -> None:
    named = (("verse", "verse"), ("verse-2", "Verse"))
    epochs = EpochList(EpochInfo(slug, name, "", "#000000", "frozen") for slug, name in named)
    assert [epochs.find(word).slug for word in ("verse", "Verse")] == ["verse", "verse-2"]
    with pytest.raises(TloraError, match="Several epochs"):
        epochs.find("VERSE")


@pytest.mark.parametrize("mode", ["mixer", "code", "", "+sum", "+average"])
def test_generate_prints_the_prompt_and_goes_on(trained: tuple[Path, list[Told]], mode: str) -> None:
    told = typed("generate", trained[0], "def f", "--mode", mode, "--max-new-tokens", 12)
    assert (told.status, told.err) == (0, "")
    assert told.out.startswith("def f") and told.out.endswith("\n")
    assert len(told.out.rstrip("\n")) > len("def f")
    assert typed("generate", trained[0], "def f", "--mode", mode, "--max-new-tokens", 12).out == told.out


def test_on_a_terminal_the_line_of_progress_is_gone_before_anything_else_is_said(
    trained: tuple[Path, list[Told]],
) -> None:
    good = typed("generate", trained[0], "def f", "--max-new-tokens", 2, terminal=True)
    assert "Loading epochs" in good.err and shown(good.err) == ""
    bad = typed("train", trained[0], "nowhere", "--name", "Other", terminal=True)
    assert shown(bad.err).startswith("tlora: ")


@pytest.mark.parametrize("output", [Terminal, io.StringIO])
def test_a_terminal_is_shown_no_control_character_and_a_file_gets_all(
    output: type[io.StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = "a\x1b]0;b\x07c\x1b[2J\rd\u202ee\x9b1m\n\tf"
    out, err = output(), output()
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", err)
    terminal = tlora_gui.terminal.Terminal()
    terminal.status(hostile, 1.0, 2.0)
    terminal.remark(hostile)
    terminal.write(hostile, "#009E73")
    told = out.getvalue() + err.getvalue()
    if output is Terminal:
        own = re.compile(r"\x1b\[(\?25[lh]|2K|1A|[\d;]*m)|\r")  # colours, and the line of progress
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", own.sub("", told))
        assert all("a\u241b]0;b\u2407c\u241b[2J\u240dd" in each.getvalue() for each in (out, err))
    else:
        assert told == f"{hostile}{hostile}\n"


def test_generate_writes_the_coloured_text(trained: tuple[Path, list[Told]], tmp_path: Path) -> None:
    page = tmp_path / "text.html"
    told = typed("generate", trained[0], "def f", "--max-new-tokens", 4, "--html", page)
    assert told.status == 0
    assert told.out.splitlines()[-1] == str(page)
    assert "Verse" in page.read_text(encoding="utf-8")


def test_a_second_epoch_of_the_same_name_is_refused(trained: tuple[Path, list[Told]], corpora: dict[str, Path]) -> None:
    told = typed("train", trained[0], corpora["code"], "--name", "Code")
    assert told.status == 1
    assert told.err.startswith("tlora: ") and "'Code'" in told.err


def test_an_unknown_mode_is_refused(trained: tuple[Path, list[Told]]) -> None:
    told = typed("generate", trained[0], "def f", "--mode", "nobody")
    assert (told.status, told.out) == (1, "")
    assert "'nobody'" in told.err and "Verse (verse), Code (code)" in told.err


@pytest.mark.usefixtures("_short_dreams")
def test_training_on_a_missing_folder_says_so(tmp_path: Path, tiny_model_folder: Path) -> None:
    missing = tmp_path / "nowhere"
    told = typed("train", tmp_path / "new", missing, "--name", "X", "--backbone", tiny_model_folder)
    assert told.status == 1
    assert told.err.startswith("tlora: ") and str(missing) in told.err and "Traceback" not in told.err


@pytest.mark.parametrize("verb", [("evaluate",), ("generate", "a prompt")], ids=["evaluate", "generate"])
@pytest.mark.parametrize("there", [True, False], ids=["a plain folder", "nothing there"])
def test_what_is_no_project_is_refused(tmp_path: Path, verb: tuple[str, ...], there: bool) -> None:
    folder = tmp_path / "folder"
    if there:
        folder.mkdir()
        (folder / "notes.txt").write_text("mine")
    told = typed(verb[0], folder, *verb[1:])
    assert (told.status, told.out) == (1, "")
    assert str(folder) in told.err and "not a Temporal LoRA project" in told.err
    assert folder.exists() is there


@pytest.mark.parametrize("verb", [("evaluate",), ("generate", "a prompt")], ids=["evaluate", "generate"])
def test_a_project_that_a_window_has_open_is_left_alone(
    trained: tuple[Path, list[Told]], verb: tuple[str, ...]
) -> None:
    project, _ = trained
    lock = lock_project(project)
    assert lock is not None
    told = typed(verb[0], project, *verb[1:])
    lock.release()
    assert (told.status, told.out) == (1, "")
    assert "open in another window" in told.err


def test_training_never_writes_into_a_folder_that_holds_something_else(
    tmp_path: Path, tiny_model_folder: Path, corpora: dict[str, Path]
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    told = typed("train", tmp_path, corpora["code"], "--name", "X", "--backbone", tiny_model_folder)
    assert told.status == 1
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("name", ["file/project", "n" * 300], ids=["below a file", "name too long"])
def test_a_project_that_cannot_be_made_is_told_without_a_traceback(
    tmp_path: Path, tiny_model_folder: Path, corpora: dict[str, Path], name: str
) -> None:
    (tmp_path / "file").write_text("mine")
    told = typed("train", tmp_path / name, corpora["code"], "--name", "X", "--backbone", tiny_model_folder)
    assert (told.status, told.out) == (1, "")
    assert told.err.startswith("tlora: ") and str(tmp_path) in told.err


@pytest.mark.parametrize(
    ("option", "value", "word"), [("--num-passes", 0, "num_passes"), ("--max-tokens", 5, "max_tokens")]
)
def test_numbers_without_sense_are_refused_before_a_project_is_made(
    tmp_path: Path, corpora: dict[str, Path], option: str, value: int, word: str
) -> None:
    told = typed("train", tmp_path / "new", corpora["code"], "--name", "X", option, value)
    assert told.status == 1
    assert word in told.err
    assert not (tmp_path / "new").exists()


@pytest.mark.usefixtures("_short_dreams")
@pytest.mark.parametrize("strategy", ["routing", "attention"])
def test_a_new_project_has_the_strategy_that_was_asked_for(
    tmp_path: Path, tiny_model_folder: Path, corpora: dict[str, Path], strategy: str
) -> None:
    project = tmp_path / "new"
    switching = "mean" if strategy == "routing" else "filter-without-counts"
    asked = ("--strategy", strategy, "--switching", switching, "--backbone", tiny_model_folder, "--max-tokens", 256)
    assert typed("train", project, corpora["code"], "--name", "Code", *asked).status == 0
    made = json.loads((project / "project.json").read_text(encoding="utf-8"))["mixer"]
    assert (made["strategy"], made["switching"]) == (strategy, switching)


def test_an_unknown_strategy_is_refused_and_leaves_no_project(
    tmp_path: Path, tiny_model_folder: Path, corpora: dict[str, Path]
) -> None:
    asked = ("--strategy", "voting", "--backbone", tiny_model_folder)
    told = typed("train", tmp_path / "new", corpora["code"], "--name", "X", *asked)
    assert told.status == 2
    assert all(word in told.err for word in ("voting", "gating", "routing", "attention"))
    assert not (tmp_path / "new").exists()


def test_an_unknown_backbone_is_refused_and_leaves_no_project(tmp_path: Path, corpora: dict[str, Path]) -> None:
    told = typed("train", tmp_path / "new", corpora["code"], "--name", "X", "--backbone", tmp_path / "no-model")
    assert told.status == 1
    assert "no-model" in told.err and "Traceback" not in told.err
    assert not (tmp_path / "new").exists()
