"""The main path in a window that speaks German: nothing of its own words is left in English."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from person import Corpora, OpenWindow, Person
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QLineEdit, QWidget

from tlora_gui.engine.protocol.config import SamplingSettings
from tlora_gui.paths import resource


def english() -> re.Pattern[str]:
    """Whatever the window says in English in two words or more, and otherwise in German."""
    found = []
    for message in ElementTree.parse(resource("translations/tlora_gui_de.ts")).iter("message"):
        source, text = message.findtext("source", ""), message.findtext("translation", "")
        words = source.replace("&", "")
        if source != text and len(re.findall(r"[A-Za-z]{2,}", re.sub(r"{[^}]*}", "", words))) > 1:
            found.append(".+?".join(map(re.escape, re.split(r"{[^}]*}", words))))
    return re.compile(rf"(?<!\w)(?:{'|'.join(sorted(found, key=len, reverse=True))})(?!\w)")


def read(person: Person) -> list[str]:
    """All that can be read on labels, buttons and fields of the window and its dialogs."""
    texts = []
    for widget in (person.window, *person.window.findChildren(QWidget)):
        if not widget.isVisible():
            continue
        match widget:
            case QLabel() | QAbstractButton():
                texts.append(widget.text())
            case QLineEdit():
                texts.append(widget.placeholderText())
            case QComboBox():
                texts += [widget.itemText(index) for index in range(widget.count())]
        texts += [widget.toolTip(), widget.windowTitle()]
    return [text.replace("&", "") for text in texts if text]


def test_the_main_path_in_german_says_nothing_in_english(
    german: None, open_window: OpenWindow, project: Path, corpora: Corpora
) -> None:
    sentences, left = english(), []

    def look(person: Person) -> None:
        seen = read(person)
        assert len(seen) > 20
        left.extend(text for text in seen if sentences.search(text))

    welcome = open_window()
    look(welcome)
    welcome.close()
    person = open_window(project)
    look(person)
    dialog = person.drop(corpora["verse"])
    person.wait(person.start_button.isEnabled)
    look(person)
    dialog.reject()
    person.train(corpora["verse"], name="Verse")
    person.until_step(1)
    look(person)
    person.until_trained("Verse")
    look(person)
    person.window.generation.prompt_bar.sampling.set_settings(SamplingSettings(max_new_tokens=8))
    person.type_prompt("O gentle night")
    QTest.keyClick(person.prompt, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    person.wait(lambda: len(person.text.tokens) > 8)
    person.until_generated()
    look(person)
    person.close()
    assert left == []
