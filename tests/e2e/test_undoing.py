"""People's mistakes: undone step by step while the window is open, and brought back from the trash after."""

from __future__ import annotations

from pathlib import Path

from person import OpenWindow, Person
from PySide6.QtWidgets import QTableWidget, QWidget


def rename(person: Person, epoch: str, name: str) -> None:
    person.choose(epoch, "Rename…")
    dialog = person.see(QWidget, "editEpochDialog")
    person.retype("editNameEdit", name, dialog)
    person.press("saveEpochButton", dialog)
    person.wait_without_error(lambda: name in person.epochs)


def turn(person: Person, back: bool = True) -> None:
    """Undo or redo by the menu, and wait until it is done."""
    menus, busy = person.window.menus, person.window.client
    (menus.back if back else menus.forward).trigger()
    person.wait_without_error(lambda: not busy.busy)


def trashed(person: Person) -> list[tuple[str, str]]:
    table = person.see(QTableWidget, "trashList")
    return [(table.item(row, 0).text(), table.item(row, 1).text()) for row in range(table.rowCount())]


def test_a_mistake_is_undone_at_once_or_restored_another_day(open_window: OpenWindow, trained_project: Path) -> None:
    person = open_window(trained_project)
    before, weights = person.epochs, [token.weights for token in person.generate("def f")]
    rename(person, "Code", "Python")
    person.choose("Verse", "Delete")
    person.wait_without_error(lambda: list(person.epochs) == ["Python"])
    assert person.window.menus.back.text() == "&Undo: delete Verse"
    for _ in range(2):
        turn(person)
    assert person.epochs == before
    assert [token.weights for token in person.generate("def f")] == weights
    person.window.menus.forward.trigger()
    person.wait_without_error(lambda: "Python" in person.epochs)
    turn(person, back=False)
    assert list(person.epochs) == ["Python"]
    person.close()

    again = open_window(trained_project)
    assert list(again.epochs) == ["Python"] and not again.window.menus.back.isEnabled()
    again.choose_from_menus("&Trash…")
    again.wait(lambda: trashed(again) == [("Epoch", "Verse")])
    again.press("restoreButton")
    again.wait_without_error(lambda: list(again.epochs) == ["Verse", "Python"] and trashed(again) == [])
    again.press("closeTrashButton")
    assert [token.weights for token in again.generate("def f")] == weights
    turn(again)  # the restoring
    assert list(again.epochs) == ["Python"]
    again.choose_from_menus("&Trash…")
    again.wait(lambda: trashed(again) == [("Epoch", "Verse")])
    again.press("emptyTrashButton")
    again.answer("emptyButton")
    again.wait_without_error(lambda: trashed(again) == [])
    assert not list((trained_project / "deleted").iterdir())
    again.press("closeTrashButton")


def test_an_epoch_comes_back_after_another_was_trained(
    open_window: OpenWindow, trained_project: Path, corpora: dict[str, Path]
) -> None:
    person = open_window(trained_project)
    person.choose("Verse", "Delete")
    person.wait_without_error(lambda: list(person.epochs) == ["Code"])
    person.train(corpora["verse"], name="Tale")
    person.until_trained("Code", "Tale")
    turn(person)
    assert person.states == {"Code": "frozen", "Tale": "frozen", "Verse": "frozen"}
    assert "its slot was learned anew" in person.epochs["Verse"].note
    assert {len(token.weights) for token in person.generate("def f")} == {4}
