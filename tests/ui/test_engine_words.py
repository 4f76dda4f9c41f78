"""What the engine says in a German window: no sentence without its template, every template in German, every place that
shows one words it, and numbers come in German.
"""

from __future__ import annotations

import ast
import errno
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from xml.etree import ElementTree

import pytest
from kit import plain
from PySide6.QtCore import QCoreApplication, QLocale, QTranslator
from PySide6.QtWidgets import QApplication, QLabel, QPlainTextEdit

from tlora_gui.engine.protocol.config import TrainSettings
from tlora_gui.engine.protocol.errors import TloraError, cause
from tlora_gui.engine.protocol.events import BackboneInfo, CorpusSummary, EpochInfo, JobFailed, Progress, StoredMixer
from tlora_gui.engine.protocol.sentences import Sentence, commas, message_of, say
from tlora_gui.paths import resource
from tlora_gui.ui.charts.style import number
from tlora_gui.ui.control.notices import finished_text
from tlora_gui.ui.epochs.cards import BackboneCard, EpochCard
from tlora_gui.ui.epochs.corpus_view import CorpusView
from tlora_gui.ui.epochs.training_box import TrainingBox
from tlora_gui.ui.formats import human_bytes, human_count, loss_text
from tlora_gui.ui.generation.compare.compare_page import ComparePage
from tlora_gui.ui.generation.modes import past_modes
from tlora_gui.ui.generation.token_view.token_style import share_text
from tlora_gui.ui.translation import filled, install, worded
from tlora_gui.ui.widgets.banner import Banner
from tlora_gui.ui.widgets.progress_line import ProgressLine
from tlora_gui.ui.widgets.welcome import Welcome

PACKAGE = Path(__file__).parents[2] / "tlora_gui"
MAKERS = {"say", "Refusal", "_refused_as"}
"""Functions that take a template; lupdate knows them too."""

TOLD = {
    "TloraError": (0, 1),
    "BackboneMissing": (1, 2),
    "EpochInterrupted": (1,),
    "NotText": (0,),
    "JobFailed": (1, 2),
    "Progress": (0, 3),
    "Warned": (0, 1),
    "StoredMixer": (1,),
    "ValueError": (0,),
    "require": (1,),
}
"""Which arguments of what the engine makes a person reads."""
TOLD_BY_NAME = {"message", "hint", "label", "unit", "note", "problem"}
LISTS = {"skipped", "notes", "remarks", "unread"}
"""Lists of pairs of a path and a reason, or of reasons."""

TOO_LONG = say(
    "The prompt has {tokens:,} tokens, but the backbone reads at most {limit:,} in all.", tokens=3120, limit=2048
)
GERMAN_TOO_LONG = "Der Prompt hat 3.120 Tokens, aber das Backbone liest insgesamt höchstens 2.048."
SHORTEN = say("Shorten the prompt.")


# -- every sentence of the engine -------------------------------------------------------------------------------------


def trees(*parts: str) -> Iterator[tuple[str, ast.Module]]:
    for part in parts:
        for path in sorted((PACKAGE / part).rglob("*.py")):
            yield path.name, ast.parse(path.read_text(encoding="utf-8"))


def called(call: ast.Call) -> str:
    """The name of a function or method that is called."""
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def unmarked(tree: ast.AST) -> list[str]:
    """Words for a person that are no sentence: a literal or an f-string where a template should be."""
    found = []
    for call in ast.walk(tree):
        if isinstance(call, ast.Call):
            given = [call.args[i] for i in TOLD.get(called(call), ()) if i < len(call.args)]
            given += [word.value for word in call.keywords if word.arg in TOLD_BY_NAME and called(call) not in MAKERS]
            if called(call) == "append" and isinstance(call.func, ast.Attribute):
                into = call.func.value
                name = into.id if isinstance(into, ast.Name) else getattr(into, "attr", "")
                if name in LISTS:
                    given += call.args[0].elts[1:] if isinstance(call.args[0], ast.Tuple) else call.args
            found += [ast.unparse(words) for each in given for words in raw(each)]
    return found


def raw(given: ast.expr) -> Iterator[ast.expr]:
    """Strings in an expression that no maker of sentences is given."""
    if isinstance(given, ast.JoinedStr) or (isinstance(given, ast.Constant) and isinstance(given.value, str)):
        if not isinstance(given, ast.Constant) or given.value:
            yield given
    elif isinstance(given, ast.IfExp):
        yield from raw(given.body)
        yield from raw(given.orelse)
    elif isinstance(given, ast.BoolOp):
        yield from (words for value in given.values for words in raw(value))
    elif isinstance(given, ast.BinOp):
        yield from raw(given.left)
        yield from raw(given.right)


def test_whatever_the_engine_tells_a_person_is_a_sentence() -> None:
    told = [f"{name}: {words}" for name, tree in trees("engine", "worker") for words in unmarked(tree)]
    assert [words for words in told if not words.startswith("api.py")] == []  # which tells scripts, in English


@pytest.mark.parametrize(
    "code",
    [
        "raise TloraError(f'{path} is gone.', say('Put it back.'))",
        "raise TloraError(say('Gone.'), 'Put it back.' if here else '')",
        "yield Progress('Reading', 1, 2, say('MB'))",
        "yield Progress(say('Reading'), 1, 2, 'MB')",
        "yield Warned('Oh.' + more)",
        "skipped.append((path, 'hidden'))",
        "self.notes.append((path, f'{share:.0%} unknown'))",
        "info = EpochInfo(slug, note='damaged')",
        "require(fits, f'{name} does not fit')",
    ],
)
def test_the_check_sees_words_that_are_no_sentence(code: str) -> None:
    assert len(unmarked(ast.parse(code))) == 1


def test_the_check_lets_sentences_and_nothing_pass() -> None:
    code = "TloraError(say('{a}', a=f'{b:.40}') if b else say('No'), old.hint or say('So.')); Progress(label, 1, 2, '')"
    assert unmarked(ast.parse(code)) == []


def test_every_template_stands_where_it_is_found_with_values_for_its_fields_and_has_its_german() -> None:
    german = {
        message.findtext("source")
        for context in ElementTree.parse(resource("translations/tlora_gui_de.ts")).getroot().iter("context")
        for message in context.iter("message")
        if not context.findtext("name") and message.findtext("translation")
    }
    lost = []
    for name, tree in trees("engine", "worker", "temporal"):
        for call in ast.walk(tree):
            if not isinstance(call, ast.Call) or called(call) not in MAKERS or name == "sentences.py":
                continue
            template = call.args[0]
            if isinstance(template, ast.Name):  # handed on by _refused_as
                assert name == "invariants.py"
                continue
            fields = {field for _, field, _, _ in Formatter().parse(ast.literal_eval(template)) if field}
            values = {word.arg for word in call.keywords} | ({"reason"} if called(call) == "_refused_as" else set())
            if ast.literal_eval(template) not in german or fields != values:
                lost.append(f"{name}:{call.lineno} {ast.unparse(call)}")
    assert lost == []


# -- in words ---------------------------------------------------------------------------------------------------------


def test_a_sentence_is_plain_english_to_whoever_only_shows_it() -> None:
    assert TOO_LONG == "The prompt has 3,120 tokens, but the backbone reads at most 2,048 in all."
    assert str(TloraError(TOO_LONG, SHORTEN)) == f"{TOO_LONG} {SHORTEN}"
    assert worded(TOO_LONG) == TOO_LONG


def test_parts_of_a_sentence_are_worded_too_and_numbers_written_in_german(german: None) -> None:
    left_out = commas([say("{name} ({reason})", name="a.pdf", reason=say("empty")), "b.txt"])
    problem = say("There is too little text here: about {tokens:,} tokens, and an epoch needs at least {least:,}.",
                  tokens=1200, least=4096)  # fmt: skip
    assert worded(say("{problem} Not read: {names}.", problem=problem, names=left_out)) == (
        "Hier ist zu wenig Text: etwa 1.200 Tokens, und eine Epoche braucht mindestens 4.096. "
        "Nicht gelesen: a.pdf (leer), b.txt."
    )
    learn = say(
        "Train anew with a lower {setting}: {lower:.1g} instead of {rate:g}.", setting="x", lower=0.0003, rate=0.001
    )
    assert worded(learn) == "Mit kleinerer x neu trainieren: 0,0003 statt 0,001."


def test_names_are_never_translated_and_a_text_that_is_no_sentence_is_looked_up_as_one(german: None) -> None:
    assert worded(say("{name} is in training.", name="empty")) == "empty wird gerade trainiert."
    assert worded("Loading epochs") == "Epochen werden geladen"
    for odd in ("", "Verse {x} 1,000.5", "a\0b", "lone \udc80 surrogate", "two\nlines"):
        assert worded(odd) == odd


def test_an_error_keeps_its_sentence_through_whatever_quotes_it(german: None) -> None:
    inner = ValueError(say("Permission denied"))
    error = TloraError(say("{name} cannot be used: {reason}.", name="x", reason=inner), SHORTEN)
    assert worded(error.message) == "x ist nicht verwendbar: keine Berechtigung."
    assert worded(str(error)).endswith("keine Berechtigung. Den Prompt kürzen.")
    assert worded(cause(PermissionError(13, "Permission denied"))) == "keine Berechtigung"


def test_ranges_of_settings_and_rare_reasons_of_the_system_are_told_in_german(german: None) -> None:
    with pytest.raises(ValueError) as refused:
        TrainSettings(held_out_share=0.75)
    assert worded(message_of(refused.value)) == "held_out_share darf höchstens 0,5 sein"
    assert worded(cause(OSError(errno.EBUSY, "Device or resource busy"))) == "Gerät oder Datei wird gerade benutzt"
    assert worded(cause(OSError(errno.EMLINK, "Too many links"))) == f"Too many links (Systemfehler {errno.EMLINK})"


class Slip(QTranslator):
    """A translation whose author got a placeholder wrong."""

    wording = ""

    def translate(self, context: str, source: str, disambiguation: str | None = None, n: int = -1) -> str:
        return self.wording if source == TOO_LONG.template else ""


@pytest.mark.parametrize("wording", ["Nur {limits:,}", "{tokens:,} von {limit:q}", "{tokens", "{0} von {limit}"])
def test_a_slip_in_a_translation_never_keeps_back_what_happened(qapp: QApplication, wording: str) -> None:
    slip = Slip()
    slip.wording = wording
    QCoreApplication.installTranslator(slip)
    try:
        assert worded(TOO_LONG) == TOO_LONG
    finally:
        QCoreApplication.removeTranslator(slip)


# -- in the window ----------------------------------------------------------------------------------------------------


def test_the_banner_speaks_german(german: None) -> None:
    banner = Banner()
    banner.show_error(TOO_LONG, SHORTEN)
    texts = {label.objectName(): label.text() for label in banner.findChildren(QLabel)}
    assert (texts["bannerMessage"], texts["bannerHint"]) == (GERMAN_TOO_LONG, "Den Prompt kürzen.")
    assert banner.accessibleName() == GERMAN_TOO_LONG
    banner.show_notice(say("Epochs leave these as they are: {names}.", names="router"))
    assert banner.accessibleName() == "Das lassen Epochen, wie es ist: router."


PROGRESS = Progress(say("Fetching {name}", name="smollm2"), 1234.5, 2500, say("tokens"))


def test_progress_is_told_in_german_with_german_numbers(german: None) -> None:
    line = ProgressLine()
    line.show_progress(PROGRESS)
    told = {plain(label.text()) for label in line.findChildren(QLabel)}
    assert "smollm2 wird geholt · 1,2 k von 2,5 k Tokens" in told
    welcome = Welcome()
    welcome.show_progress(PROGRESS)
    told = {plain(label.text()) for label in welcome.findChildren(QLabel)}
    assert {"smollm2 wird geholt", "1,2 k von 2,5 k Tokens"} <= told
    box = TrainingBox()
    box.show_preparation(PROGRESS.label, learned=False)
    assert "smollm2 wird geholt" in {label.text() for label in box.findChildren(QLabel)}


def test_cards_tell_their_notes_in_german(german: None) -> None:
    card = EpochCard()
    note = say("stopped after step {step:,} of {steps:,}", step=1200, steps=2400)
    card.set_epoch(EpochInfo("verse", "Verse", "", "#0072B2", "interrupted", note=note))
    assert "nach Schritt 1.200 von 2.400 gestoppt" in {label.text() for label in card.findChildren(QLabel)}
    assert card.accessibleName().endswith("nach Schritt 1.200 von 2.400 gestoppt")
    backbone = BackboneCard()
    left = say("Epochs leave these as they are: {names}.", names="router")
    backbone.set_backbone(BackboneInfo("tiny", "tiny", 1, "cpu", "float32", 256, 4, 1, left))
    assert backbone.accessibleDescription().endswith("Das lassen Epochen, wie es ist: router.")


def test_skipped_files_and_problems_of_a_corpus_are_told_in_german(german: None) -> None:
    view = CorpusView()
    skipped = (("/a/b.pdf", say("{kind} is not plain text; save it as .txt first", kind="PDF")),)
    notes = (("/a/c.txt", say("this backbone does not know {share:.0%} of this text", share=0.25)),)
    view.show_summary(CorpusSummary(("/a",), "A", 0, 0, 0, 0, False, skipped, notes, "", say("The disk is full.")))
    shown = [part.toPlainText() for part in view.findChildren(QPlainTextEdit)]
    assert "b.pdf: PDF ist kein reiner Text; zuerst als .txt speichern" in shown
    assert "c.txt: dieses Backbone kennt 25% dieses Textes nicht" in shown
    assert "Der Datenträger ist voll." in {label.text() for label in view.findChildren(QLabel)}


def test_a_column_that_failed_and_a_mixer_of_the_past_are_told_in_german(german: None) -> None:
    page = ComparePage()
    page.fail(1, TOO_LONG)
    assert GERMAN_TOO_LONG in {label.text() for label in page.findChildren(QLabel)}
    names = [say("without Active Sleep"), say("now")]
    assert [past_modes([StoredMixer("x", name, ())])[0].label for name in names] == [
        "Mixer ohne Active Sleep",
        "Mixer jetzt",
    ]


# -- numbers ----------------------------------------------------------------------------------------------------------


def figures() -> list[str]:
    epoch = EpochInfo("verse", "Verse", "", "#0072B2", "frozen", 1, 3.4449, 4.5)
    shown = [number(0.25), number(0.0012), share_text(0.97), share_text(0.001), loss_text(3.4449)]
    shown += [plain(human_count(1240)), plain(human_bytes(1.5e9))]
    said = worded(say("{count} of {limit} in {name} {id}", count=1234, limit=5, name="a", id="1234"))
    shown += [filled("{n:,.1f}", n=1234.56), said, filled("step {step}", step=20_000)]
    return [*shown, finished_text(epoch).partition(":")[2]]


def test_every_number_that_has_a_sign_for_decimals_or_thousands_has_the_windows() -> None:
    bare = []
    for name, tree in trees("ui"):
        given = {
            id(part)
            for call in ast.walk(tree)
            if isinstance(call, ast.Call) and called(call) == "localised"
            for part in ast.walk(call)
        }
        for field in ast.walk(tree):
            if isinstance(field, ast.FormattedValue) and field.format_spec is not None and id(field) not in given:
                spec = ast.unparse(field.format_spec)
                if re.search(r",|\.[1-9{]", spec):
                    bare.append(f"{name}:{field.lineno} {ast.unparse(field.value)}")
    assert {place.partition(":")[0] for place in bare} <= {"theme.py"}, bare  # style sheets have theirs


def test_figures_have_the_signs_of_the_windows_language(german: None) -> None:
    assert figures() == [
        "0,250", "1,2e-03", "0,97", "<0,01", "3,44", "1,2 k", "1,5 GB", "1.234,6",
        "1.234 of 5 in a 1234", "step 20.000",
        " Verlust am Prüftext 3,44, Backbone 4,50.",
    ]  # fmt: skip


def test_english_figures_are_what_they_were(qapp: QApplication) -> None:
    assert figures() == [
        "0.250", "1.2e-03", "0.97", "<0.01", "3.44", "1.2 k", "1.5 GB", "1,234.6",
        "1,234 of 5 in a 1234", "step 20,000",
        " held-out loss 3.44, backbone 4.50.",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("system", "language", "written"),
    [("de_CH", "de", "de_CH"), ("fr_FR", "de", "de_DE"), ("de_DE", "en", "en_US"), ("en_GB", "en", "en_GB")],
)
def test_numbers_are_the_systems_where_it_speaks_the_windows_language(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch, system: str, language: str, written: str
) -> None:
    before = QLocale()
    monkeypatch.setattr(QLocale, "system", lambda: QLocale(system))
    try:
        install(qapp, language)
        assert QLocale().name() == written
    finally:
        install(qapp, "en")
        QLocale.setDefault(before)


def test_a_failed_job_carries_its_sentence_as_frozen_data() -> None:
    event = JobFailed(1, TOO_LONG, SHORTEN)
    assert isinstance(event.message, Sentence) and event.message.values == {"tokens": 3120, "limit": 2048}
    assert event == JobFailed(1, str.__str__(TOO_LONG), "Shorten the prompt.")
