"""How the verbs end: interrupted and gone on with, refused before the work, and never for want of a place to say so."""

from __future__ import annotations

import errno
import io
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from test_command_line import ROOT, typed

from tlora_gui.engine.projects.project import Project
from tlora_gui.engine.protocol.events import EpochInfo
from tlora_gui.engine.session import Session
from tlora_gui.engine.training import dreams
from tlora_gui.paths import log_file
from tlora_gui.temporal import active_sleep
from tlora_gui.terminal import Terminal

TEXT = ("--max-tokens", 4096)
"""Eight steps."""


def short(patch: pytest.MonkeyPatch, cache: Path) -> None:
    """Dreams and calibration of a length for tests."""
    patch.setenv("TLORA_CACHE", str(cache))
    patch.setenv("TOKENIZERS_PARALLELISM", "false")
    patch.setattr(dreams, "DREAM_BLOCKS", 12)
    patch.setattr(dreams, "DREAM_LENGTH", 32)
    patch.setattr(dreams, "EVAL_BLOCKS", 2)
    patch.setattr(active_sleep, "CALIBRATION_STEPS", 10)


@pytest.fixture(autouse=True)
def _ctrl_c_is_heard() -> Iterator[None]:
    """Whoever runs the tests in the background may have it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def _short(capped_threads: None, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    short(monkeypatch, tmp_path_factory.getbasetemp() / "command-cache")


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory: pytest.TempPathFactory, tiny_model_folder: Path, corpora: dict[str, Path]) -> Path:
    """A project with the epoch Пушкин."""
    project = tmp_path_factory.mktemp("command") / "project"
    with pytest.MonkeyPatch.context() as patch:
        short(patch, tmp_path_factory.getbasetemp() / "command-cache")
        told = typed("train", project, corpora["verse"], "--name", "Пушкин", "--backbone", tiny_model_folder, *TEXT)
    assert told.status == 0, told.err
    return project


@pytest.fixture
def project(trained_once: Path, tmp_path: Path) -> Path:
    """A copy of it, for a test of its own."""
    return Path(shutil.copytree(trained_once, tmp_path / "project"))


@contextmanager
def at_step(number: int, act: Any) -> Iterator[None]:
    """Something happens when the command tells of the ``number``-th step."""
    told = Terminal.status

    def status(self: Terminal, text: str = "", done: float = 0.0, total: float | None = None) -> None:
        told(self, text, done, total)
        if text.startswith(f"step {number}/"):
            act()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Terminal, "status", status)
        yield


# -- interrupted ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_training_that_is_stopped_goes_on_with_the_same_command(
    project: Path, corpora: dict[str, Path], number: signal.Signals, status: int
) -> None:
    command = ("train", project, corpora["code"], "--name", "Code", *TEXT)
    with at_step(3, lambda: signal.raise_signal(number)):
        told = typed(*command)
    assert (told.status, told.err) == (status, f"tlora: stopped; go on with `tlora resume {project} code`\n")
    assert re.search(r"^Code +code +interrupted", typed("list", project).out, re.MULTILINE)
    again = typed(*command)
    assert again.status == 0, again.err
    assert "Code was interrupted at step 3 of 8 and goes on\n" in again.out
    assert "Code: held-out" in again.out


def test_another_verb_goes_on_too_by_name_or_id(project: Path, corpora: dict[str, Path]) -> None:
    with at_step(2, lambda: signal.raise_signal(signal.SIGINT)):
        assert typed("train", project, corpora["code"], "--name", "Code", *TEXT).status == 130
    assert typed("resume", project, "CODE").status == 0
    told = typed("resume", project, "code")
    assert (told.status, told.out) == (1, "")
    assert "Code is not interrupted" in told.err


def test_an_interrupted_epoch_is_not_taken_for_one_of_other_text_or_settings(
    project: Path, corpora: dict[str, Path]
) -> None:
    with at_step(2, lambda: signal.raise_signal(signal.SIGINT)):
        typed("train", project, corpora["code"], "--name", "Code", *TEXT)
    for changed in ((corpora["verse"], *TEXT), (corpora["code"], "--max-tokens", 2048)):
        told = typed("train", project, changed[0], "--name", "Code", *changed[1:])
        assert told.status == 1
        assert f"tlora resume {project} code" in told.err and f"tlora discard {project} code" in told.err
    assert typed("discard", project, "Code").status == 0
    assert typed("train", project, corpora["code"], "--name", "Code", "--max-tokens", 2048).status == 0


def test_what_would_end_an_interrupted_epoch_for_good_says_so_first(project: Path, corpora: dict[str, Path]) -> None:
    with at_step(2, lambda: signal.raise_signal(signal.SIGINT)):
        typed("train", project, corpora["code"], "--name", "Code", *TEXT)
    command = ("train", project, corpora["verse"], "--name", "Other", *TEXT)
    told = typed(*command)
    assert (told.status, told.out) == (1, "")
    assert "Code" in told.err and f"tlora resume {project} code" in told.err and "--abandon" in told.err
    assert typed(*command, "--abandon").status == 0


def test_a_text_that_is_stopped_is_kept(project: Path) -> None:
    write = Terminal.write

    def stop(self: Terminal, text: str, colour: str = "") -> None:
        write(self, text, colour)
        signal.raise_signal(signal.SIGINT)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Terminal, "write", stop)
        assert typed("generate", project, "O gentle", "--max-new-tokens", 500).status == 130
    (record,) = (project / "generations.jsonl").read_text(encoding="utf-8").splitlines()
    assert '"O gentle"' in record


# -- refused before the work ------------------------------------------------------------------------------------


@pytest.fixture
def nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails a test that asks the session for anything."""

    def run(self: Session, job: object, cancel: object = None) -> Iterator[Any]:
        raise AssertionError(f"{job} was run")
        yield

    monkeypatch.setattr(Session, "run", run)


@pytest.mark.parametrize("target", ["out.txt", "folder.html", "noending", "nowhere/x.html"])
def test_a_page_that_cannot_be_written_is_refused_before_anything_is_loaded(
    nothing_is_loaded: None, project: Path, tmp_path: Path, target: str
) -> None:
    (tmp_path / "folder.html").mkdir()
    told = typed("generate", project, "O", "--html", tmp_path / target)
    assert (told.status, told.out) == (1, "")
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    ("options", "word"),
    [(("--mode", "nobody"), "Пушкин"), (("--seed", 2**64), "seed"), (("--max-new-tokens", 0), "max_new_tokens")],
)
def test_what_cannot_be_generated_is_refused_before_anything_is_loaded(
    nothing_is_loaded: None, project: Path, options: tuple[object, ...], word: str
) -> None:
    told = typed("generate", project, "O", *options)
    assert (told.status, told.out) == (1, "")
    assert word in told.err


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--name", " "), "--name"),
        (("--name", "A", "--seed", 2**63), "seed"),
        (("--name", "A", "--strategy", "attention"), "gating"),
        (("--name", "A", "--switching", "mean"), "filter"),
        (("--name", " Пушкин"), "taken"),
        (("--name", "Eternity"), "taken"),
        (("--name", "A" * 500), "at most"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_anything_is_loaded(
    nothing_is_loaded: None, project: Path, corpora: dict[str, Path], options: tuple[object, ...], word: str
) -> None:
    told = typed("train", project, corpora["code"], *options)
    assert (told.status, told.out) == (1, "")
    assert word in told.err


@pytest.mark.parametrize("backbone", ["starter", "somebody/other-model"])
def test_a_model_of_another_name_is_not_fetched_in_place_of_the_projects(
    project: Path, corpora: dict[str, Path], monkeypatch: pytest.MonkeyPatch, backbone: str
) -> None:
    monkeypatch.setattr("tlora_gui.engine.session.load_backbone", lambda *_: pytest.fail("it was loaded"))
    told = typed("train", project, corpora["code"], "--name", "B", "--backbone", backbone)
    assert (told.status, told.out) == (1, "")
    assert f"{backbone} is not the backbone this project was made with, which is tiny-llama." in told.err


def test_an_epoch_that_is_not_interrupted_is_not_resumed(nothing_is_loaded: None, project: Path) -> None:
    told = typed("resume", project, "Пушкин")
    assert (told.status, told.out) == (1, "") and "is not interrupted" in told.err


def test_an_export_over_another_is_refused_before_anything_is_loaded(
    nothing_is_loaded: None, project: Path, tmp_path: Path
) -> None:
    (slug,) = (line.split()[1] for line in typed("list", project).out.splitlines()[1:])
    (tmp_path / "out" / slug).mkdir(parents=True)
    told = typed("export", project, "Пушкин", tmp_path / "out")
    assert (told.status, told.out) == (1, "") and "already there" in told.err


@pytest.mark.parametrize("damage", ["missing", "cut short"])
@pytest.mark.parametrize("verb", [("list",), ("generate", "O", "--max-new-tokens", 1)], ids=lambda verb: verb[0])
def test_a_damaged_mixer_is_told_with_the_command_that_mends_it(
    project: Path, damage: str, verb: tuple[object, ...]
) -> None:
    (file,) = (project / "mixer").glob("mixer-*.safetensors")
    file.write_bytes(file.read_bytes()[:300])
    if damage == "missing":
        file.unlink()
    told = typed(verb[0], project, *verb[1:])
    assert told.status == 0 and file.name in told.err and f"`tlora repair {project}`" in told.err


@pytest.mark.parametrize("damage", ["missing", "cut short"])
def test_an_epoch_without_its_weights_is_listed_as_broken(project: Path, damage: str) -> None:
    (file,) = project.glob("epochs/*/adapter_model.safetensors")
    file.write_bytes(file.read_bytes()[:500])
    if damage == "missing":
        file.unlink()
    assert re.search(r"^Пушкин +\S+ +broken", typed("list", project).out, re.MULTILINE)


def test_what_is_trained_just_now_is_listed_as_in_training(
    tmp_path: Path, tiny_model_folder: Path, corpora: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tlora_gui.engine.training.epoch_run.CHECKPOINT_SECONDS", -1.0)
    listed: list[EpochInfo] = []

    def look() -> None:
        listed.extend(Project.open(tmp_path / "new").listed().epochs)

    with at_step(5, look):
        done = typed("train", tmp_path / "new", corpora["code"], "--name", "A", "--backbone", tiny_model_folder, *TEXT)
    assert done.status == 0
    (info,) = listed
    assert (info.name, info.state) == ("A", "training") and "tlora follow" in info.note


def test_ctrl_c_amid_imports_ends_in_silence(project: Path) -> None:
    code = """
import builtins, os, signal, sys
real = builtins.__import__
def interrupted(name, *arguments):
    if name == "torch":
        os.kill(os.getpid(), signal.SIGINT)
    return real(name, *arguments)
builtins.__import__ = interrupted
signal.signal(signal.SIGINT, signal.default_int_handler)
from tlora_gui.__main__ import main
sys.exit(main(["list", sys.argv[1]]))
"""
    done = subprocess.run([sys.executable, "-c", code, project], cwd=ROOT, capture_output=True, timeout=600)
    assert (done.returncode, done.stderr) == (-signal.SIGINT, b"")


def test_a_mistyped_verb_opens_no_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tlora_gui.__main__._window", lambda *_: pytest.fail("a window"))
    told = typed("lst", tmp_path)
    assert told.status == 2 and "Did you mean list?" in told.err
    monkeypatch.setattr(sys, "argv", ["/usr/bin/tlora"])
    told = typed("bogus")
    assert told.status == 2 and "The verbs are train," in told.err


def test_what_is_refused_of_settings_within_settings_is_called_by_its_option(
    nothing_is_loaded: None, project: Path
) -> None:
    told = typed("train", project, "text", "--name", "A", "--sleep-temperature", 0)
    assert told.status == 1 and "sleep_temperature must be above 0" in told.err


def test_a_measurement_on_nothing_is_refused_before_anything_is_loaded(nothing_is_loaded: None, project: Path) -> None:
    told = typed("evaluate", project, "--held-out-tokens", 0)
    assert (told.status, told.out) == (1, "") and "held_out_tokens" in told.err


def test_a_first_training_that_is_refused_leaves_no_project(tmp_path: Path, tiny_model_folder: Path) -> None:
    (tmp_path / "little.txt").write_text("a few words", encoding="utf-8")
    for text in (tmp_path / "little.txt", tmp_path / "nowhere"):
        told = typed("train", tmp_path / "new", text, "--name", "A", "--backbone", tiny_model_folder)
        assert told.status == 1
        assert not (tmp_path / "new").exists()


def test_another_backbone_than_the_projects_is_refused(project: Path, corpora: dict[str, Path], tmp_path: Path) -> None:
    told = typed("train", project, corpora["code"], "--name", "B", "--backbone", tmp_path / "no-such-model")
    assert told.status == 1
    assert "no-such-model" in told.err
    assert "code" not in typed("list", project).out


def test_a_backbone_that_has_moved_is_found_by_what_it_is(
    corpora: dict[str, Path], tiny_model_folder: Path, tmp_path: Path
) -> None:
    before, after, project = tmp_path / "model", tmp_path / "moved", tmp_path / "project"
    shutil.copytree(tiny_model_folder, before)
    assert (
        typed("train", project, corpora["verse"], "--name", "A", "--backbone", before, "--max-tokens", 512).status == 0
    )
    before.rename(after)
    command = ("generate", project, "O", "--max-new-tokens", 1)
    told = typed(*command)
    assert told.status == 1 and "--backbone" in told.err
    assert typed(*command, "--backbone", after).status == 0
    assert typed(*command).status == 0  # it is remembered


# -- telling never breaks the work ------------------------------------------------------------------------------


def in_a_process(*arguments: object, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tlora_gui", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_a_character_that_the_output_lacks_becomes_a_stand_in(project: Path, tmp_path: Path) -> None:
    page, command = tmp_path / "page.html", ("generate", project, "naïve 😀", "--max-new-tokens", 5)
    with in_a_process(*command, "--html", page, PYTHONIOENCODING="ascii") as process:
        out, err = process.communicate(timeout=600)
    assert (process.returncode, err) == (0, b"")
    assert out.startswith(b"na?ve ?")
    assert (
        "naïve 😀" in (project / "generations.jsonl").read_text(encoding="utf-8").encode().decode("unicode_escape")
        or page.exists()
    )
    assert page.is_file()


def test_a_reader_that_has_gone_ends_no_training(project: Path, corpora: dict[str, Path]) -> None:
    with in_a_process("train", project, corpora["code"], "--name", "Code", *TEXT) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
    assert (process.returncode, err) == (0, b"")
    assert re.search(r"^Code +code +frozen", typed("list", project).out, re.MULTILINE)


class Full(io.StringIO):
    """Takes nothing, as a full disk."""

    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_an_output_on_a_full_disk_is_told_at_the_end(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tlora_gui.__main__ import main

    err = io.StringIO()
    monkeypatch.setattr(sys, "stdout", Full())
    monkeypatch.setattr(sys, "stderr", err)
    assert main(["generate", str(project), "O gentle", "--max-new-tokens", "3"]) == 1
    assert "No space left on device" in err.getvalue()
    assert (project / "generations.jsonl").is_file()


def test_what_a_library_warns_of_goes_to_the_log(project: Path, tmp_path: Path) -> None:
    code = """
import sys, warnings
from tlora_gui.__main__ import main
from tlora_gui.engine.session import Session
run = Session.run
def warning(self, *arguments):
    warnings.warn("`old` is deprecated; use `new`", FutureWarning)
    return run(self, *arguments)
Session.run = warning
sys.exit(main(["generate", sys.argv[1], "O", "--max-new-tokens", "1"]))
"""
    log = tmp_path / "told.log"
    done = subprocess.run(
        [sys.executable, "-c", code, project], cwd=ROOT, env=os.environ | {"TLORA_LOG": str(log)},
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "`old` is deprecated" in log.read_text(encoding="utf-8")


def test_a_bug_is_a_sentence_with_its_traceback_in_the_log(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(self: Session, *arguments: object) -> Iterator[Any]:
        raise RuntimeError("the sky fell")
        yield

    monkeypatch.setattr(Session, "run", run)
    told = typed("evaluate", project)
    assert (told.status, told.out) == (1, "")
    assert told.err.startswith("tlora: Something went wrong: the sky fell\n") and "Traceback" not in told.err
    assert "Traceback" in log_file().read_text(encoding="utf-8")


# -- names ------------------------------------------------------------------------------------------------------


def test_people_choose_and_read_names(project: Path) -> None:
    assert typed("generate", project, "O", "--mode", "пушкин", "--max-new-tokens", 1).status == 0
    told = typed("evaluate", project, "--held-out-tokens", 512)
    assert [line.split()[0] for line in told.out.splitlines()[1:2]] == ["Пушкин"]


def test_a_prompt_can_come_from_standard_input(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"O gentle night\n")))
    assert typed("generate", project, "-", "--max-new-tokens", 1).out.startswith("O gentle night\n")


def test_an_epoch_is_exported_and_deleted_by_name(project: Path, tmp_path: Path) -> None:
    told = typed("export", project, "пушкин", tmp_path / "out")
    assert told.status == 0, told.err
    assert Path(told.out.strip(), "adapter_model.safetensors").is_file()
    assert typed("delete", project, "Пушкин").status == 0
    assert len(typed("list", project).out.splitlines()) == 1


def test_files_that_are_left_out_are_told_with_the_reason(
    project: Path, corpora: dict[str, Path], tmp_path: Path
) -> None:
    mixed = Path(shutil.copytree(corpora["code"], tmp_path / "mixed"))
    (mixed / "picture.png").write_bytes(b"\x89PNG\r\n\0\0\0" * 50)
    told = typed("train", project, mixed, "--name", "Mixed", "--max-tokens", 512)
    assert told.status == 0
    assert "picture.png" in told.err
