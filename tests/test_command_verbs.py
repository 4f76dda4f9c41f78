"""What every verb takes and says: settings as options, JSON for programs, colours for people."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import signal
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from peft import LoraConfig, get_peft_model
from test_command_ends import at_step, short
from test_command_line import Terminal, Told, typed
from tiny_models import make_llama

from tlora_gui.__main__ import main
from tlora_gui.engine.handlers import following
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.config import SamplingSettings, TrainSettings
from tlora_gui.engine.protocol.events import (
    EpochFinished,
    EpochsChanged,
    Evaluated,
    FileWritten,
    GenerationFinished,
    GenerationLoaded,
    HeldOut,
    JobCancelled,
    JobDone,
    JobFailed,
    ProjectListed,
    ProjectWritten,
    RunLoaded,
    RunsListed,
    TrainStep,
    TrashListed,
)
from tlora_gui.engine.session import Session
from tlora_gui.engine.storage.disk import whole_folder
from tlora_gui.engine.storage.event_lines import event_line, read_event_line
from tlora_gui.headless.options import chosen
from tlora_gui.headless.verbs import VERBS, make_parser

TEXT = ("--max-tokens", 1024)


@pytest.fixture(autouse=True)
def _short(capped_threads: None, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    short(monkeypatch, tmp_path_factory.getbasetemp() / "command-cache")


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory: pytest.TempPathFactory, tiny_model_folder: Path, corpora: dict[str, Path]) -> Path:
    project = tmp_path_factory.mktemp("verbs") / "project"
    with pytest.MonkeyPatch.context() as patch:
        short(patch, tmp_path_factory.getbasetemp() / "command-cache")
        told = typed("train", project, corpora["verse"], "--name", "Verse", "--backbone", tiny_model_folder, *TEXT)
    assert told.status == 0, told.err
    return project


@pytest.fixture
def project(trained_once: Path, tmp_path: Path) -> Path:
    """A project with the epoch Verse, for a test of its own."""
    return Path(shutil.copytree(trained_once, tmp_path / "project"))


def as_json(*arguments: object) -> tuple[Told, list[Any]]:
    """What a command says with --json; each line must come back as the event that it was written from."""
    told = typed(*arguments, "--json")
    events = [read_event_line(line) for line in told.out.splitlines()]
    assert [json.loads(event_line(event)) for event in events] == [json.loads(line) for line in told.out.splitlines()]
    return told, events


# -- options ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_that_fits_100_columns(verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    told = typed(verb, "--help")
    assert told.status == 0 and told.out.startswith(f"usage: tlora {verb} ")
    assert max(map(len, told.out.splitlines())) <= 100
    assert "--json" in told.out and "exit status: 0 done; 1 refused" in told.out


def other_values(settings: Any) -> Iterator[tuple[str, Any, list[str]]]:
    """For every field: its name, another value that has sense, and how that is typed."""
    for field in fields(settings):
        value = getattr(settings, field.name)
        if isinstance(value, bool):
            yield field.name, not value, []
        elif value is None or isinstance(value, int):
            other = value + 64 if value else 512
            yield field.name, other, [str(other)]
        elif isinstance(value, float):
            yield field.name, value / 2, [str(value / 2)]
        elif isinstance(value, str):
            other = {"isolated": "joint", "features": "features-without-text", "exact": "fast", "": "another"}[value]
            yield field.name, other, [other]
        else:
            assert is_dataclass(value), f"say here which other value {field.name} can have"


@pytest.mark.parametrize(
    ("start", "defaults", "place", "prefix"),
    [
        (["train", "p", "text", "--name", "X"], TrainSettings(), "", ""),
        (["train", "p", "text", "--name", "X"], TrainSettings(), "sleep", "sleep-"),
        (["generate", "p", "prompt"], SamplingSettings(temperature=0.8, repetition_penalty=3.0), "", ""),
    ],
    ids=["training", "sleep", "sampling"],
)
def test_every_setting_is_an_option_of_its_name(start: list[str], defaults: Any, place: str, prefix: str) -> None:
    inner = getattr(defaults, place) if place else defaults
    assert chosen(make_parser().parse_args(start), defaults) == defaults
    for name, value, words in other_values(inner):
        option = prefix + name.replace("_", "-").removeprefix(prefix)
        option = option.removesuffix("-enabled")
        switch = f"--no-{option}" if value is False else f"--{option}"
        got = chosen(make_parser().parse_args([*start, switch, *words]), defaults)
        changed = replace(inner, **{name: value})
        assert got == (replace(defaults, **{place: changed}) if place else changed)


def test_none_reads_the_whole_corpus() -> None:
    options = make_parser().parse_args(["train", "p", "text", "--name", "X", "--max-tokens", "none"])
    assert chosen(options, TrainSettings()).max_tokens is None


# -- JSON -------------------------------------------------------------------------------------------------------


def test_a_list_is_one_object(project: Path) -> None:
    assert typed("generate", project, "O", "--max-new-tokens", 2).status == 0
    told, (listed,) = as_json("list", project)
    assert told.status == 0 and isinstance(listed, ProjectListed)
    assert [(epoch.name, epoch.state) for epoch in listed.epochs] == [("Verse", "frozen")]
    assert [text.prompt for text in listed.generations] == ["O"]
    assert (listed.backbone, listed.strategy) == ("tiny-llama", "gating")


def test_runs_are_listed_told_one_by_one_and_deleted(project: Path) -> None:
    told = typed("runs", project)
    (head, row) = told.out.splitlines()
    assert head.split()[0] == "run" and row.split()[:3] == ["0001-verse", "Verse", "finished"]
    one = typed("runs", project, "1")
    assert "0001-verse" in one.out and "max_tokens" in one.out and "sleep.sleep_weight" in one.out
    assert "held-out loss" in one.out and "routing Verse " in one.out and "torch " in one.out
    told, (listed,) = as_json("runs", project)
    assert isinstance(listed, RunsListed) and [run.id for run in listed.runs] == ["0001-verse"]
    told, (loaded,) = as_json("runs", project, "0001-verse")
    assert isinstance(loaded, RunLoaded) and loaded.run == listed.runs[0]
    assert any(isinstance(event, TrainStep) for event in loaded.history)
    refused = typed("runs", project, "7")
    assert refused.status == 1 and "There is no run 7" in refused.err
    assert typed("runs", project, "--delete").status == 1
    assert typed("runs", project, "1", "--delete").status == 0
    assert len(typed("runs", project).out.splitlines()) == 1 and typed("list", project).out.count("Verse") == 1


def test_a_training_is_told_step_by_step_and_what_stopped_it_at_the_end(
    project: Path, corpora: dict[str, Path]
) -> None:
    command = ("train", project, corpora["code"], "--name", "Code", *TEXT)
    told, events = as_json(*command)
    assert (told.status, told.err) == (0, "")
    assert [event.step for event in events if isinstance(event, TrainStep)] == [1, 2]
    assert events[-1] == JobDone(0)
    told, events = as_json(*command)
    assert told.status == 1 and isinstance(events[-1], JobFailed) and "'Code'" in events[-1].message
    assert len(events) == 1


def test_every_verb_speaks_json(project: Path, corpora: dict[str, Path], tmp_path: Path) -> None:
    for kind, *command in (
        (GenerationFinished, "generate", project, "O", "--max-new-tokens", 2),
        (GenerationFinished, "read", project, corpora["verse"] / "0.txt", "--cut"),
        (Evaluated, "evaluate", project, "--held-out-tokens", 128),
        (FileWritten, "export", project, "last", tmp_path / "text.json"),
        (GenerationLoaded, "import", project, tmp_path / "text.json"),
        (FileWritten, "export", project, "verse", tmp_path / "out"),
        (FileWritten, "export", project, "verse", tmp_path / "verse.gguf"),
        (FileWritten, "export", project, "verse=0.5", tmp_path / "merged", "--rank", 2),
        (FileWritten, "export", project, "verse=0.5", tmp_path / "merged", "--into-backbone"),
        (EpochsChanged, "delete", project, "verse"),
    ):
        told, events = as_json(*command)
        assert told.status == 0, told.err
        assert isinstance(events[-2], kind) and events[-1] == JobDone(0), command


def test_options_stand_anywhere() -> None:
    options = make_parser().parse_args(["export", "P", "--rank", "4", "a=1", "b=2", "--json", "target"])
    assert (options.what, options.target, options.rank, options.json) == (["a=1", "b=2"], "target", 4, True)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["list", ""], "a path has a name"),
        (["copy", "here", ""], "a path has a name"),
        (["unpack", "here.tlora", ""], "a path has a name"),
        (["export", "here", "verse", ""], "a path has a name"),
        (["read", "here", ""], "a path has a name"),
        (["generate", "here", "O", "--html", ""], "a path has a name"),
        (["export", "P", "--rank", "4", "a=1"], "required: target"),
        (["list", "P", "--nonsense"], "--nonsense"),
    ],
)
def test_wrong_usage_is_told(words: list[str], problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        make_parser().parse_args(words)
    assert ended.value.code == 2 and problem in capsys.readouterr().err


# -- read, export, import, discard, follow ----------------------------------------------------------------------


def test_reading_prints_perplexities_and_segments(project: Path, corpora: dict[str, Path], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    told = typed("read", project, corpora["verse"] / "0.txt", "--cut", "--html", page)
    assert told.status == 0, told.err
    header, *rows = told.out.splitlines()
    assert header.split() == ["read", "as", "perplexity"]
    assert [row.split()[0] for row in rows[:3]] == ["Eternity", "Verse", "mix"]
    assert all(float(row.split()[1]) > 1 for row in rows[:3])
    assert rows[3].split() == ["segment", "tokens", "lag", "text"]
    assert rows[4].split()[1].startswith("0-")
    assert "did not fit" in rows[-2] and rows[-1] == str(page) and page.is_file()


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"O gentle night", "O gentle night"),
        ("Größe und Straße, wie man sie schreibt".encode("latin-1"), "Größe und Stra"),
        ("Die Größe".encode("utf-16"), "Die Größe"),
    ],
)
def test_a_text_from_standard_input_is_read_as_from_a_file(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raw: bytes, text: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw)))
    told = typed("read", project, "-")
    assert told.status == 0 and text in told.out
    (file := tmp_path / "a.txt").write_bytes(raw)
    of_file = typed("read", project, file)
    assert of_file.out == told.out and of_file.err.count("read as") == told.err.count("read as") == (
        b"O gentle" not in raw
    )


@pytest.mark.parametrize("verb", ["read", "generate"])
def test_standard_input_that_is_no_text_is_refused(project: Path, monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(bytes(range(256)) * 20)))
    told = typed(verb, project, "-")
    assert told.status == 1 and "Standard input: binary, not text." in told.err


@pytest.mark.parametrize("verb", ["read", "generate"])
def test_a_page_replaces_a_file_only_if_it_may(project: Path, tmp_path: Path, verb: str) -> None:
    (page := tmp_path / "mine.md").write_text("O gentle night")
    words: list[object] = [verb, project, page if verb == "read" else "O", "--html", page]
    words += ["--max-new-tokens", 2] if verb == "generate" else []
    told = typed(*words)
    assert told.status == 1 and "already there" in told.err and page.read_text() == "O gentle night"
    assert typed(*words, "--overwrite").status == 0 and page.read_text() != "O gentle night"


def test_a_text_replaces_a_file_only_if_it_may(project: Path, tmp_path: Path) -> None:
    assert typed("generate", project, "O", "--max-new-tokens", 2).status == 0
    (page := tmp_path / "page.md").write_text("mine")
    told = typed("export", project, "last", page)
    assert told.status == 1 and "already there" in told.err and page.read_text() == "mine"
    assert typed("export", project, "last", page, "--overwrite").status == 0 and page.read_text() != "mine"
    told = typed("export", project, "last", tmp_path / "page.png")
    assert told.status == 1 and "exported as .png" in told.err and ".html" in told.err


def test_what_cannot_be_read_exported_or_imported_is_refused_before_anything_is_loaded(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "run", lambda *_: pytest.fail("the session was asked"))
    (there := tmp_path / "there.gguf").touch()
    for word, *command in (
        ("nowhere.txt", "read", project, tmp_path / "nowhere.txt"),
        ("No epoch", "read", project, project / "project.json", "--mode", "nobody"),
        ("No text is named 'x'", "export", project, "x", tmp_path / "x.html"),
        ("No text is named 'last'", "export", project, "last", tmp_path / "x.html"),
        ("No epoch", "export", project, "nobody", tmp_path / "out"),
        ("No epoch is named 'nobody'", "export", project, "verse=1", "nobody=0.5", tmp_path / "out"),
        ("No epoch is named 'verse=x'", "export", project, "verse=x", tmp_path / "out"),
        ("named twice", "export", project, "verse=1", "Verse=0.5", tmp_path / "out"),
        ("above 0", "export", project, "verse=-1", tmp_path / "out"),
        ("has no rank", "export", project, "verse", tmp_path / "out", "--into-backbone", "--rank", 2),
        ("A rank is 1 or more", "export", project, "verse", tmp_path / "out", "--rank", 0),
        ("A text has no rank", "export", project, "last", tmp_path / "x.html", "--rank", 4),
        ("not written as GGUF", "export", project, "verse", tmp_path / "x.gguf", "--into-backbone"),
        ("already there", "export", project, "verse", there),
        ("lies in the project", "export", project, "verse", project / "x.gguf"),
        ("Several texts", "export", project, "last", "x", tmp_path / "x.html"),
        ("is no file", "import", project, tmp_path / "nowhere.json"),
        (".json", "import", project, tmp_path / "page.html"),
        ("not interrupted", "discard", project, "verse"),
    ):
        told = typed(*command)
        assert (told.status, told.out) == (1, "") and word in told.err, command


def test_a_backbone_that_an_export_cannot_do_with_is_refused_before_it_is_loaded(
    project: Path, tmp_path: Path, tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "run", lambda *_: pytest.fail("the session was asked"))
    other = Path(shutil.copytree(tiny_model_folder, tmp_path / "other"))
    config = json.loads((other / "config.json").read_text()) | {
        "model_type": "ctrl",
        "quantization_config": {"bits": 4},
    }
    (other / "config.json").write_text(json.dumps(config))
    for word, *command in (
        ("Adapters of a ctrl backbone", tmp_path / "verse.gguf"),
        ("quantised", tmp_path / "out", "--into-backbone"),
    ):
        told = typed("export", project, "verse", *command, "--backbone", other)
        assert (told.status, told.out) == (1, "") and word in told.err


def test_a_merge_is_told_with_its_place_and_what_it_lost(project: Path, tmp_path: Path) -> None:
    told = typed("export", project, "Verse=0.5", tmp_path, "--rank", 1)
    assert told.out.strip() == str(tmp_path / "verse") and "of the update was lost" in told.err
    assert typed("export", project, "verse", tmp_path, "--into-backbone").out.strip() == str(tmp_path / "verse-merged")


def test_what_is_broken_is_repaired_all_at_once_or_one_epoch_alone(project: Path, tmp_path: Path) -> None:
    whole = typed("repair", project)
    assert whole.status == 1 and "nothing that can be repaired" in whole.err
    (project / "epochs" / "01-verse" / "adapter_model.safetensors").unlink()
    (project / "mixer" / "mixer-0001.safetensors").unlink()
    copy = Path(shutil.copytree(project, tmp_path / "copy"))
    told = typed("repair", project)
    assert told.status == 0 and "mixer-0001.safetensors" in told.err and "Verse: held-out" in told.out
    _, (listed,) = as_json("list", project)
    assert [(epoch.name, epoch.state) for epoch in listed.epochs] == [("Verse", "frozen")]
    told, events = as_json("repair", copy, "verse")
    assert told.status == 0 and isinstance(events[-1], JobDone)
    assert [event.epoch.name for event in events if isinstance(event, EpochFinished)] == ["Verse"]
    _, (listed,) = as_json("list", copy)
    assert [(epoch.name, epoch.state) for epoch in listed.epochs] == [("Verse", "frozen")]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_can_be_told_where_the_backbone_is_now(verb: str) -> None:
    rest = {"train": ["text", "--name", "N"], "export": ["E", "out"], "import": ["source"], "generate": ["text"]}
    rest |= {"read": ["file"], "copy": ["target"], "pack": ["file"]}
    rest |= {name: ["E"] for name in ("resume", "keep", "discard", "delete")}
    options = make_parser().parse_args([verb, "project", *rest.get(verb, []), "--backbone", "there"])
    assert options.backbone == "there"


def test_an_interrupted_epoch_is_discarded_and_not_deleted(project: Path, corpora: dict[str, Path]) -> None:
    with at_step(1, lambda: signal.raise_signal(signal.SIGINT)):
        assert typed("train", project, corpora["code"], "--name", "Code", *TEXT).status == 130
    told = typed("delete", project, "code")
    assert told.status == 1 and f"tlora discard {project} code" in told.err
    told, events = as_json("discard", project, "code")
    assert told.status == 0 and isinstance(events[-2], EpochsChanged)
    assert not list((project / "checkpoints").iterdir())


def test_an_interrupted_epoch_is_kept_as_it_is(project: Path, corpora: dict[str, Path]) -> None:
    with at_step(1, lambda: signal.raise_signal(signal.SIGINT)):
        assert typed("train", project, corpora["code"], "--name", "Code", *TEXT).status == 130
    told, events = as_json("keep", project, "code")
    assert told.status == 0 and isinstance(events[-1], JobDone)
    assert "frozen" in next(line for line in typed("list", project).out.splitlines() if line.startswith("Code"))


def test_the_command_that_made_a_project_goes_on_with_all_its_options(
    tmp_path: Path, corpora: dict[str, Path], tiny_model_folder: Path
) -> None:
    command = ("train", tmp_path / "new", corpora["code"], "--name", "Code", "--backbone", tiny_model_folder, *TEXT)
    command += ("--mixer-layer", 2, "--strategy", "routing")
    with at_step(1, lambda: signal.raise_signal(signal.SIGINT)):
        assert typed(*command).status == 130
    told = typed(*command)
    assert told.status == 0 and "was interrupted at step 1" in told.out + told.err


def test_what_is_read_can_be_chosen(project: Path, corpora: dict[str, Path]) -> None:
    told = typed("train", project, corpora["code"], "--name", "Code", *TEXT, "--include", "*.nothing")
    assert told.status == 1 and "no pattern asks for it" in told.err


def test_a_training_elsewhere_is_followed_to_its_end(
    project: Path, corpora: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = typed("follow", project)
    assert (told.status, told.out) == (1, "") and "Nobody else" in told.err

    def others() -> Iterator[None]:
        trainer = Session()
        for job in (jobs.OpenProject(str(project)), jobs.TrainEpoch("Code", (str(corpora["code"]),), settings=quick)):
            for _ in trainer.run(job):
                yield
        trainer.close()

    quick, trains = TrainSettings(max_tokens=1024), others()
    next(trains)
    while not (project / "checkpoints" / "code").exists():
        next(trains)
    monkeypatch.setattr(following, "time", SimpleNamespace(sleep=lambda _: next(trains, None)))
    told = typed("follow", project)
    assert (told.status, told.err) == (0, "")
    assert "step 0: held-out loss" in told.out and told.out.splitlines()[-1].startswith("Code: held-out ")


def test_on_a_terminal_tokens_have_their_epochs_colours(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = Terminal()
    with contextlib.redirect_stdout(out):
        assert main(["generate", str(project), "O gentle", "--mode", "verse", "--max-new-tokens", "2"]) == 0
    assert "\033[38;2;0;114;178m" in out.getvalue()  # the first epoch's #0072B2


def test_json_tells_a_stop(project: Path, corpora: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    from tlora_gui.headless.report import JsonReport

    show = JsonReport.show

    def stop(self: JsonReport, event: Any) -> None:
        show(self, event)
        if isinstance(event, TrainStep):
            signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    monkeypatch.setattr(JsonReport, "show", stop)
    told, events = as_json("train", project, corpora["code"], "--name", "Code", *TEXT)
    signal.signal(signal.SIGINT, before)
    assert told.status == 130 and events[-1] == JobCancelled(0, kept=True)
    assert typed("list", project).out.splitlines()[-1].split()[2] == "interrupted"


# -- adapters ---------------------------------------------------------------------------------------------------


def test_an_adapter_is_imported_into_a_project_and_into_a_new_one(
    project: Path, tiny_model_folder: Path, corpora: dict[str, Path], tmp_path: Path
) -> None:
    assert typed("export", project, "verse", tmp_path / "out").status == 0
    told = typed("import", project, tmp_path / "out" / "verse", "--era", "Again")
    assert told.out.splitlines() == ["verse: imported; its slot was learned from its own dreams"], told.err
    new = (tmp_path / "new", tmp_path / "out" / "verse", "--backbone", tiny_model_folder, "--mixer-layer", 1)
    told, events = as_json("import", *new, "--name", "Code", "--text", corpora["code"])
    assert told.status == 0, told.err
    assert [type(event) for event in events[-3:]] == [HeldOut, EpochFinished, JobDone]
    assert typed("list", tmp_path / "new").out.splitlines()[1].split()[:3] == ["Code", "code", "frozen"]


def test_an_adapter_of_every_block_is_imported_with_a_bare_router_into_a_project_and_a_new_one(
    project: Path, tiny_model_folder: Path, corpora: dict[str, Path], tmp_path: Path
) -> None:
    adapter = get_peft_model(make_llama(), LoraConfig(target_modules="all-linear", init_lora_weights=False))
    adapter.save_pretrained(tmp_path / "every")
    told = typed("import", project, tmp_path / "every")
    assert told.status == 1 and "what it reads would move under it" in told.err and "bare router" in told.err
    told = typed("train", project, corpora["code"], "--name", "Code", *TEXT, "--bare-router")
    assert told.status == 1 and "Leave --bare-router out" in told.err
    new = (tmp_path / "new", tmp_path / "every", "--backbone", tiny_model_folder)
    for where in ((project, tmp_path / "every"), new):
        told = typed("import", *where, "--bare-router")
        assert told.status == 0, told.err
        assert "every" in typed("list", where[0]).out
    told = typed("train", project, corpora["code"], "--name", "Code", *TEXT, "--bare-router")
    assert told.status == 0, told.err


def test_of_a_new_project_nothing_stays_if_the_adapter_is_none(
    tiny_model_folder: Path, corpora: dict[str, Path], tmp_path: Path
) -> None:
    told = typed("import", tmp_path / "new", corpora["code"], "--backbone", tiny_model_folder)
    assert told.status == 1 and "There is no adapter_config.json" in told.err
    assert not (tmp_path / "new").exists()


def test_what_is_no_adapter_is_refused_before_anything_is_loaded(
    project: Path, corpora: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "run", lambda *_: pytest.fail("the session was asked"))
    for word, *command in (
        ("does not exist", tmp_path / "nowhere"),
        ("is no adapter", corpora["code"] / "0.txt"),
        ("'Verse' is taken", corpora["code"], "--name", "Verse"),
        ("nowhere.txt", corpora["code"], "--text", tmp_path / "nowhere.txt"),
        ("reads before block 1, not 0", corpora["code"], "--mixer-layer", 0),
    ):
        told = typed("import", project, *command)
        assert (told.status, told.out) == (1, "") and word in told.err, command


# -- the trash --------------------------------------------------------------------------------------------------


def test_what_was_deleted_is_listed_restored_and_removed(project: Path) -> None:
    assert typed("trash", project).out.splitlines()[1:] == []
    assert typed("delete", project, "Verse").status == 0
    (kind, id, name, *_) = typed("trash", project).out.splitlines()[1].split()
    assert (kind, id, name) == ("epoch", "verse", "Verse")
    told, (listed,) = as_json("trash", project)
    assert isinstance(listed, TrashListed) and listed.items[0].size > 1000
    assert typed("trash", project, "--restore", "Verse").status == 0
    assert "Verse" in typed("list", project).out and typed("trash", project).out.splitlines()[1:] == []
    told = typed("trash", project, "--restore", "Verse")
    assert told.status == 1 and "There is no Verse in the trash." in told.err


def test_the_trash_is_emptied_by_who_says_so_twice(project: Path) -> None:
    typed("delete", project, "Verse")
    typed("runs", project, "1", "--delete")
    told = typed("trash", project, "--empty")
    assert told.status == 1 and "2 deleted things would be gone for good" in told.err and "--yes" in told.err
    told = typed("trash", project, "--restore", "Verse")
    assert told.status == 1 and "Several deleted things are called Verse" in told.err
    assert len(typed("trash", project).out.splitlines()) == 3
    assert typed("trash", project, "--empty", "--yes").status == 0
    assert len(typed("trash", project).out.splitlines()) == 1
    assert typed("trash", project, "--empty").status == 0, "it is empty"


# -- copies -----------------------------------------------------------------------------------------------------


def test_a_project_is_copied_packed_and_unpacked(project: Path, tiny_model_folder: Path, tmp_path: Path) -> None:
    told = typed("copy", project, tmp_path / "copy")
    assert (told.status, told.out) == (0, f"{tmp_path / 'copy'}\n")
    sent = tmp_path / "sent.tlora"
    told, events = as_json("pack", tmp_path / "copy", sent, "--without", "texts,memories")
    assert told.status == 0 and isinstance(events[-1], JobDone) and ProjectWritten(str(sent)) in events
    assert typed("pack", project, sent).status == 1
    assert typed("pack", project, sent, "--overwrite").status == 0
    told = typed("unpack", sent, tmp_path / "theirs")
    assert (told.status, told.out) == (0, f"{tmp_path / 'theirs'}\n")
    assert "Verse" in typed("list", tmp_path / "theirs").out
    assert (
        typed("generate", tmp_path / "theirs", "O", "--backbone", tiny_model_folder, "--max-new-tokens", 2).status == 0
    )
    for arguments, words in (
        (("copy", project, tmp_path / "copy"), "is not empty"),
        (("pack", tmp_path, sent), "not a Temporal LoRA project"),
        (("unpack", project / "project.json", tmp_path / "other"), "cannot be unpacked"),
    ):
        told = typed(*arguments)
        assert told.status == 1 and told.err.startswith("tlora: ") and words in told.err
    told = typed("pack", project, sent, "--without", "texts,pictures")
    assert told.status == 2 and "texts, runs, checkpoints, memories" in told.err


def test_a_copy_that_is_stopped_leaves_nothing(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tlora_gui.engine.sharing.project_copy.whole_folder", _stopped_within)
    told = typed("copy", project, tmp_path / "place" / "copy")
    assert told.status == 130 and "stopped" in told.err and not (tmp_path / "place").exists()


@contextlib.contextmanager
def _stopped_within(path: Path) -> Iterator[Path]:
    with whole_folder(path) as partial:
        signal.raise_signal(signal.SIGINT)
        yield partial
