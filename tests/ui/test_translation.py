"""The window in German: every string is translated, placeholders and mnemonics agree, English comes back unharmed."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PySide6.QtCore import QLocale
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QLineEdit, QMenu, QPushButton
from whole_window import EPOCHS, cut_off, cut_off_anywhere, whole_window

from tlora_gui.paths import resource
from tlora_gui.ui.epochs.edit_epoch_dialog import EditEpochDialog, name_problem
from tlora_gui.ui.settings import LANGUAGES, WindowSettings
from tlora_gui.ui.translation import install, system_language
from tlora_gui.ui.widgets.commands import commands_of
from tlora_gui.ui.widgets.key_caps import chords
from tlora_gui.ui.widgets.shortcut_sheet import ShortcutSheet

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for part in ("demo", "ui") for path in (ROOT / "tlora_gui" / part).rglob("*.py"))
BELOW = [
    path for part in ("engine", "temporal", "worker") for path in sorted((ROOT / "tlora_gui" / part).rglob("*.py"))
]
GERMAN = resource("translations/tlora_gui_de.ts")
Message = tuple[str, str, str]
"""Context, source, translation; an unfinished translation is empty."""


def messages(path: Path) -> list[Message]:
    """What a .ts file holds."""
    found = []
    for context in ElementTree.parse(path).getroot().iter("context"):
        for message in context.iter("message"):
            translation = message.find("translation")
            assert translation is not None
            text = "" if translation.get("type") == "unfinished" else translation.text or ""
            found.append((context.findtext("name") or "", message.findtext("source") or "", text))
    return found


def tool(name: str) -> str:
    """Path of one of PySide6's tools; skips the test without it."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def calls_of_tr() -> Iterator[tuple[str, ast.Call]]:
    """Every call that translates, with its place."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = node.func
            own = isinstance(called, ast.Attribute) and called.attr == "tr"
            if own or (isinstance(called, ast.Name) and called.id == "tr"):
                yield f"{path.name}:{node.lineno}", node


def mnemonics(text: str) -> int:
    return text.replace("&&", "").count("&")


# -- the file -------------------------------------------------------------------------------------------------------


def test_every_string_of_the_window_is_translated_and_no_other(tmp_path: Path) -> None:
    copy = Path(shutil.copy(GERMAN, tmp_path))
    options = ["-tr-function-alias", "tr+=say,tr+=Refusal,tr+=_refused_as"]
    options += ["-locations", "none", "-no-obsolete", "-silent", "-ts", str(copy)]
    sources = map(str, [*SOURCES, *BELOW])
    subprocess.run([tool("pyside6-lupdate"), *sources, *options], check=True, capture_output=True)
    assert [(context, source) for context, source, text in messages(copy) if not text] == []
    assert sorted(messages(copy)) == sorted(messages(GERMAN))


def test_the_compiled_translation_is_that_of_the_file(tmp_path: Path) -> None:
    made = tmp_path / "made.qm"
    subprocess.run([tool("pyside6-lrelease"), str(GERMAN), "-silent", "-qm", str(made)], check=True)
    assert made.read_bytes() == GERMAN.with_suffix(".qm").read_bytes()


def test_every_string_is_written_where_the_tool_can_find_it() -> None:
    known = {source for _, source, _ in messages(GERMAN)}
    lost = []
    for place, call in calls_of_tr():
        text = call.args[0]
        if not (isinstance(text, ast.Constant) and text.value in known):
            lost.append(f"{place} {ast.unparse(text)}")
    assert lost == []


def test_strings_are_looked_up_under_the_name_that_the_tool_gives_them() -> None:
    """``self.tr`` within classes, ``tr`` outside of them; anything else would be looked up in vain."""
    strangers = []
    for place, call in calls_of_tr():
        called = call.func
        if isinstance(called, ast.Attribute) and not (isinstance(called.value, ast.Name) and called.value.id == "self"):
            strangers.append(f"{place} {ast.unparse(called)}")
    by_hand = [path.name for path in SOURCES if "QCoreApplication.translate" in path.read_text(encoding="utf-8")]
    assert (strangers, by_hand) == ([], ["translation.py"])


def test_placeholders_mnemonics_dots_and_edges_agree() -> None:
    for _, source, text in messages(GERMAN):
        assert sorted(re.findall(r"{[^}]*}", source)) == sorted(re.findall(r"{[^}]*}", text)), source
        assert mnemonics(source) == mnemonics(text), source
        assert source.endswith("…") == text.endswith("…"), source
        assert source.endswith(" ") == text.endswith(" "), source
        assert source.count("\n") == text.count("\n"), source


def test_german_says_neither_du_nor_sie_and_no_quotation_marks_of_english() -> None:
    for _, source, text in messages(GERMAN):
        assert not re.search(r"\b(du|dein\w*|dir|dich|Ihnen|Ihre?[nmrs]?)\b", text), source
        assert "“" not in text or "„" in text, source


# -- the window -----------------------------------------------------------------------------------------------------


def menu_texts(qapp: QApplication) -> tuple[list[str], set[str]]:
    """Menus, and buttons, of a window made now."""
    with whole_window() as window:
        menus = [action.text() for action in window.menuBar().actions()]
        buttons = {button.text() for button in window.findChildren(QPushButton)}
    return menus, buttons


def test_german_changes_menus_and_buttons_and_english_comes_back(qapp: QApplication) -> None:
    before, locale = menu_texts(qapp), QLocale()
    install(qapp, "de")
    try:
        menus, buttons = menu_texts(qapp)
    finally:
        install(qapp, "en")
        QLocale.setDefault(locale)
    assert menus == ["&Projekt", "&Epoche", "&Text", "&Ansicht", "&Hilfe"]
    assert {"Projekt anlegen", "Demo abspielen", "Erzeugen"} <= {button.split("  ")[0] for button in buttons}
    assert menu_texts(qapp) == before
    assert before[0][0] == "&Project"


def test_strings_of_base_classes_and_of_helpers_outside_classes_are_translated_too(german: None) -> None:
    class Derived(EditEpochDialog):
        """Its own name is in no translation."""

    dialog = Derived(EPOCHS[0])
    save = dialog.findChild(QPushButton, "saveEpochButton")
    assert save is not None
    assert save.text() == "Speichern"
    assert name_problem("", ()) == "Der Epoche einen Namen geben."
    dialog.close()


def test_qts_own_words_come_along(german: None) -> None:
    edit = QLineEdit()
    edit.setText("a")
    menu = edit.createStandardContextMenu()
    assert any("Kopieren" in action.text().replace("&", "") for action in menu.actions())
    box = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
    assert box.button(QDialogButtonBox.StandardButton.Cancel).text().replace("&", "") == "Abbrechen"
    menu.deleteLater()


def test_keys_have_the_names_that_are_on_german_keyboards(german: None) -> None:
    assert chords("Ctrl+Shift+Home Ctrl+wheel") == [["Strg", "Umschalt", "Pos1"], ["Strg", "wheel"]]
    back = QKeySequence("Alt+Left").toString(QKeySequence.SequenceFormat.NativeText)
    assert chords(f"Alt+Up {back}") == [["Alt", "↑"], ["Alt", "←"]], "arrows stand on keys as signs"


def test_the_sheet_of_shortcuts_cuts_no_german_word_off(german: None, tmp_path: Path) -> None:
    with whole_window(project=tmp_path) as window:
        next(found.action for found in commands_of(window) if "F1" in found.keys.split()).trigger()
        sheet = QApplication.activeModalWidget()
        assert isinstance(sheet, ShortcutSheet)
        assert cut_off(sheet) == []


@pytest.mark.parametrize("page", ["welcome", "workspace"])
def test_no_german_word_is_cut_off_in_a_window_of_1280_by_800(german: None, tmp_path: Path, page: str) -> None:
    with whole_window(project=tmp_path if page == "workspace" else None) as window:
        assert window.size().toTuple() == (1280, 800)
        assert cut_off_anywhere(window) == []


def test_no_two_entries_of_a_german_menu_share_a_mnemonic(german: None) -> None:
    with whole_window() as window:
        for menu in [window.menuBar(), *window.menuBar().findChildren(QMenu)]:
            texts = [action.text() for action in menu.actions() if "&" in action.text()]
            letters = [text[text.index("&") + 1].casefold() for text in texts]
            assert sorted(letters) == sorted(set(letters)), texts


# -- the choice -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preferred", "language"),
    [
        (["de-AT", "en-GB"], "de"),
        (["en-GB", "de-DE"], "en"),
        (["fr-FR", "de_DE"], "de"),
        (["fr-FR"], "en"),
        ([], "en"),
    ],
)
def test_the_systems_first_language_that_there_is_is_taken(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch, preferred: list[str], language: str
) -> None:
    monkeypatch.setattr(QLocale, "uiLanguages", lambda locale: preferred)
    assert system_language() == language


def test_the_choice_of_a_language_is_remembered_and_nonsense_is_the_systems(qapp: QApplication) -> None:
    settings = WindowSettings()
    assert settings.language == "system"
    settings.language = "de"
    assert WindowSettings().language == "de"
    settings.language = "xx"  # type: ignore[assignment]
    assert WindowSettings().language == "system"


def test_every_language_that_is_offered_has_its_file() -> None:
    for language in LANGUAGES:
        assert language == "en" or resource(f"translations/tlora_gui_{language}.qm").is_file()
