"""An adapter from elsewhere becomes an epoch: dropped or chosen, by its dreams or by text, stopped, refused."""

from __future__ import annotations

import json
import shutil
import threading
import zipfile
from pathlib import Path

import pytest
from kit import drop, file_drag
from peft import LoraConfig, get_peft_model
from person import Corpora, OpenWindow, Person
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit, QPlainTextEdit
from stage import Stage
from tiny_models import make_llama

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.session import Session
from tlora_gui.ui.epochs.import_adapter_dialog import ImportAdapterDialog
from tlora_gui.ui.widgets.drops import recognise


@pytest.fixture
def adapter(trained_project: Path, tmp_path: Path) -> Path:
    """Verse's adapter, as plain PEFT."""
    session = Session(threads=1)
    for job in (jobs.OpenProject(str(trained_project)), jobs.ExportEpoch("verse", str(tmp_path / "out"))):
        for _ in session.run(job):
            pass
    session.close()
    return tmp_path / "out" / "verse"


@pytest.fixture
def packed(adapter: Path, tmp_path: Path) -> Path:
    return Path(shutil.make_archive(str(tmp_path / "letters"), "zip", adapter.parent, "verse"))


def asked(person: Person) -> ImportAdapterDialog:
    """ "Import an adapter", which is open."""
    return next(box for box in person.window.findChildren(ImportAdapterDialog) if box.isVisible())


def import_button(person: Person) -> QAbstractButton:
    return person.see(QAbstractButton, "importAdapterButton", asked(person))


def tick_of(person: Person) -> QAbstractButton:
    found = asked(person).findChild(QAbstractButton, "bareRouterTick")
    assert found is not None
    return found


def test_a_zip_is_known_as_an_adapter_by_what_is_in_it(tmp_path: Path) -> None:
    for name, inside in (("a.zip", "verse/adapter_config.json"), ("b.zip", "verse/notes.txt")):
        with zipfile.ZipFile(tmp_path / name, "w") as made:
            made.writestr(inside, "{}")
    (tmp_path / "c.txt").write_text("PK is what adapter_config.json begins with")
    kinds = [recognise(str(tmp_path / name)).kind for name in ("a.zip", "b.zip", "c.txt")]
    assert kinds == ["adapter", "other", "other"]


@pytest.mark.parametrize("what", ["adapter", "packed"])
def test_a_dropped_adapter_becomes_an_epoch_by_its_own_dreams(
    open_window: OpenWindow, project: Path, request: pytest.FixtureRequest, what: str
) -> None:
    path: Path = request.getfixturevalue(what)
    person = open_window(project)
    assert drop(person.window, file_drag([path]))
    assert person.see(QLineEdit, "adapterSourceEdit", asked(person)).text() == str(path)
    assert person.see(QLineEdit, "epochNameEdit", asked(person)).text() == path.stem
    person.press("importAdapterButton", asked(person))
    person.wait_without_error(lambda: person.states == {path.stem: "frozen"})
    person.wait(lambda: person.banner == f"{path.stem} is imported. The Time Mixer knows it by its own dreams.")
    person.close()
    assert open_window(project).states == {path.stem: "frozen"}


def test_an_adapter_and_text_of_its_kind_are_chosen_from_the_menu(
    open_window: OpenWindow, trained_project: Path, adapter: Path, corpora: Corpora
) -> None:
    person = open_window(trained_project)
    person.window.menus.import_adapter.trigger()
    assert not import_button(person).isEnabled()
    person.retype("adapterSourceEdit", str(adapter), asked(person))
    assert person.see(QLineEdit, "epochNameEdit", asked(person)).text() == "verse 2", "Verse is taken"
    person.press("ownTextChoice", asked(person))
    assert not import_button(person).isEnabled(), "as long as there is no text"
    assert drop(asked(person), file_drag([corpora["verse"]]))
    person.wait(lambda: "O gentle" in person.see(QPlainTextEdit, "corpusExcerpt", asked(person)).toPlainText())
    person.press("importAdapterButton", asked(person))
    person.wait_without_error(lambda: person.states == {"Verse": "frozen", "Code": "frozen", "verse 2": "frozen"})
    person.wait(lambda: person.banner.startswith("verse 2 is imported: held-out loss "))


def test_an_adapter_of_every_block_comes_in_by_a_tick(open_window: OpenWindow, project: Path, tmp_path: Path) -> None:
    adapter = get_peft_model(make_llama(), LoraConfig(target_modules="all-linear", init_lora_weights=False))
    adapter.save_pretrained(tmp_path / "every")
    person = open_window(project)
    assert drop(person.window, file_drag([tmp_path / "every"]))
    person.wait(lambda: tick_of(person).isVisible())
    assert not import_button(person).isEnabled()
    assert "about 25\u00a0% more work per token" in person.see(QLabel, "adapterReach", asked(person)).text()
    person.press("bareRouterTick", asked(person))
    person.press("importAdapterButton", asked(person))
    person.wait_without_error(lambda: person.states == {"every": "frozen"})
    person.window.menus.import_adapter.trigger()
    person.retype("adapterSourceEdit", str(tmp_path / "every"), asked(person))
    person.wait(lambda: not person.window.client.jobs(jobs.LookAtAdapter))
    assert not tick_of(person).isVisible() and import_button(person).isEnabled(), "the project has that router now"


def test_an_adapter_and_text_dropped_together_are_one_epoch(
    stage: Stage, open_window: OpenWindow, tmp_path: Path
) -> None:
    (tmp_path / "verse").mkdir()
    (tmp_path / "verse" / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    (tmp_path / "verse.txt").write_text("O gentle night\n")
    person = open_window(Path("/somewhere/here"))
    assert drop(person.window, file_drag([tmp_path / "verse.txt", tmp_path / "verse"]))
    assert person.dialog is None
    assert person.see(QLineEdit, "adapterSourceEdit", asked(person)).text() == str(tmp_path / "verse")
    assert person.see(QLineEdit, "corpusPathEdit", asked(person)).text() == str(tmp_path / "verse.txt")
    person.wait(lambda: stage.of(jobs.SummariseCorpus) == [jobs.SummariseCorpus((str(tmp_path / "verse.txt"),))])


def test_a_refused_adapter_is_told_in_words_and_leaves_nothing(
    open_window: OpenWindow, project: Path, adapter: Path
) -> None:
    config = json.loads((adapter / "adapter_config.json").read_text()) | {"use_dora": True}
    (adapter / "adapter_config.json").write_text(json.dumps(config))
    person = open_window(project)
    assert drop(person.window, file_drag([adapter]))
    person.press("importAdapterButton", asked(person))
    person.wait(lambda: person.sees_error)
    assert person.banner == (
        "verse cannot become an epoch: it is DoRA, whose update depends on the backbone's weights.\n"
        "Train it again without that, as plain LoRA."
    )
    assert person.states == {} and not person.window.client.jobs(jobs.ImportAdapter)


def test_an_import_can_be_stopped_and_what_waits_comes_after_it(
    stage: Stage, open_window: OpenWindow, tmp_path: Path
) -> None:
    gate = threading.Event()
    stage.plays[jobs.ImportAdapter] = stage.until(gate)
    person = open_window(Path("/somewhere/here"))
    control = person.window.controller.training
    control.train(jobs.ImportAdapter("owner/first", "First"))
    control.train(jobs.ImportAdapter("owner/second", "Second"))
    person.wait(lambda: stage.of(jobs.ImportAdapter))
    assert control.names() == ["First", "Second"] and control.waiting == 1
    person.press("stopButton")
    assert "Nothing of it is kept" in person.question.informativeText()
    person.answer("discardButton")
    person.wait(lambda: len(stage.of(jobs.ImportAdapter)) == 2)
    assert [job.name for job, mode in stage.cancelled if mode == "discard"] == ["First"]
    gate.set()
    person.wait(lambda: not control.jobs)


def test_without_a_project_it_is_said_that_an_adapter_needs_one(
    stage: Stage, open_window: OpenWindow, tmp_path: Path
) -> None:
    (tmp_path / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    person = open_window()
    assert not person.window.menus.import_adapter.isEnabled()
    assert drop(person.window, file_drag([tmp_path]))
    assert person.sees_error and "an epoch of a project around its model" in person.banner


def test_a_name_that_is_taken_is_told_at_once(open_window: OpenWindow, trained_project: Path, adapter: Path) -> None:
    person = open_window(trained_project)
    assert drop(person.window, file_drag([adapter]))
    person.retype("epochNameEdit", "Code", asked(person))
    assert "already" in person.see(QLabel, "importProblem", asked(person)).text()
    assert not import_button(person).isEnabled()
