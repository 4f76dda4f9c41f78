"""The window in the person's language.

Strings are written in English, in ``self.tr("…")`` within classes and in :func:`tr` outside of them; the engine's in
``say("…")``. What they are in another language stands in ``resources/translations``; its README says how
to bring that up to date.
"""

from __future__ import annotations

from string import Formatter

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from tlora_gui.engine.protocol.sentences import Sentence
from tlora_gui.paths import resource
from tlora_gui.ui.formats import localised
from tlora_gui.ui.settings import LANGUAGES

SOURCE_LANGUAGE = "en"
_OURS = "tloraTranslator"


def tr(text: str) -> str:
    """A string outside of any class, in the window's language."""
    return QCoreApplication.translate("", text)


def worded(text: str) -> str:
    """What the engine says, in the window's language; a text that no translation knows as it is."""
    if not isinstance(text, Sentence):
        return QCoreApplication.translate("", text) if text.isprintable() else text
    values = {name: worded(value) if isinstance(value, Sentence) else value for name, value in text.values.items()}
    template = QCoreApplication.translate("", text.template)
    if not values:
        return template
    try:
        return filled(template, **values)
    except (LookupError, ValueError):  # a translator's slip must not keep back what has happened
        return filled(text.template, **values)


def filled(template: str, **values: object) -> str:
    """As ``template.format(**values)``, whole numbers with thousands apart, with the signs of the window's language."""
    return _Filler().vformat(template, (), values)


class _Filler(Formatter):
    def format_field(self, value: object, format_spec: str) -> str:
        text = format(value, format_spec or ("," if type(value) is int else ""))
        return localised(text) if isinstance(value, int | float) else text


def system_language() -> str:
    """The first of the languages that the person set the system to prefer which the window can speak."""
    preferred = (name.replace("_", "-").split("-")[0] for name in QLocale.system().uiLanguages())
    return next((language for language in preferred if language in LANGUAGES), SOURCE_LANGUAGE)


def install(app: QCoreApplication, language: str | None = None) -> None:
    """Speak this language in every widget made from now on; None or "system" takes the system's.

    Numbers and dates are written as the system has them for that language, or else as the language has them.
    Qt's own words (buttons of its dialogs, menus of its line edits) come along where PySide6 has them. What was
    installed before is taken away; English needs nothing.
    """
    for translator in app.findChildren(QTranslator, _OURS):
        app.removeTranslator(translator)
        translator.deleteLater()
    wanted = language if language in LANGUAGES else system_language()
    system = QLocale.system()
    QLocale.setDefault(system if QLocale.languageToCode(system.language()) == wanted else QLocale(wanted))
    if wanted == SOURCE_LANGUAGE:
        return
    qt_words = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    for name, folder in (("qtbase", qt_words), ("tlora_gui", str(resource("translations")))):
        translator = QTranslator(app)
        translator.setObjectName(_OURS)
        if translator.load(f"{name}_{wanted}", folder):
            app.installTranslator(translator)
