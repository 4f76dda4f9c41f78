"""A window looks on while another session trains in the project, and takes it over in the end."""

from __future__ import annotations

from pathlib import Path

from kit import drop, file_drag
from person import OpenWindow
from PySide6.QtWidgets import QAbstractButton

from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.config import TrainSettings
from tlora_gui.engine.protocol.events import TrainStep
from tlora_gui.engine.session import Session


def test_a_project_that_trains_elsewhere_is_followed_and_opened_once_it_is_free(
    open_window: OpenWindow, trained_project: Path, corpora: dict[str, Path]
) -> None:
    trainer, settings = Session(), TrainSettings(max_tokens=2048, batch_size=2)
    for _ in trainer.run(jobs.OpenProject(str(trained_project))):
        pass
    training = trainer.run(jobs.TrainEpoch("Tale", (str(corpora["verse"]),), settings=settings))
    while not isinstance(next(training), TrainStep):
        pass
    person = open_window(trained_project, opens=False)
    person.wait(lambda: person.sees_error)
    assert person.see(QAbstractButton, "bannerActionButton").text() == "Follow"
    person.press("bannerActionButton", person.window.banner)
    person.wait_without_error(lambda: person.window.project_shown)
    person.wait(lambda: person.states == {"Verse": "frozen", "Code": "frozen", "Tale": "training"})
    box = person.window.epochs
    assert not any(box.findChild(QAbstractButton, name).isVisible() for name in ("pauseButton", "stopButton"))
    assert not person.see(QAbstractButton, "generateButton").isEnabled()
    assert not person.see(QAbstractButton, "addEpochButton").isEnabled()
    drop(person.window, file_drag([corpora["code"]]))
    assert person.dialog is None and "only followed here" in person.banner
    person.window.banner.clear()
    for _ in training:
        pass
    person.wait_without_error(lambda: person.states["Tale"] == "frozen")
    trainer.close()
    person.wait(lambda: "not followed any more" in person.banner)
    person.press("bannerActionButton", person.window.banner)
    person.wait_without_error(lambda: person.see(QAbstractButton, "generateButton").isEnabled())
    assert person.states == {"Verse": "frozen", "Code": "frozen", "Tale": "frozen"}
