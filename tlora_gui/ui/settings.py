"""What the window remembers between two launches: geometry, layout, theme, language, recent projects."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, cast

from PySide6.QtCore import QByteArray, QSettings

from tlora_gui.paths import settings_file
from tlora_gui.ui.theme import ThemeMode

Language = Literal["system", "en", "de"]
LANGUAGES: dict[Language, str] = {"en": "English", "de": "Deutsch"}
"""What the window can speak, each language in its own words."""

_RECENT = 8


class WindowSettings:
    """A thin, typed front of QSettings in an INI file of the user's."""

    def __init__(self) -> None:
        self._store = QSettings(str(settings_file()), QSettings.Format.IniFormat)

    @property
    def theme(self) -> ThemeMode:
        mode = self._store.value("theme", "system")
        return mode if mode in ("system", "light", "dark") else "system"

    @theme.setter
    def theme(self, mode: ThemeMode) -> None:
        self._store.setValue("theme", mode)

    @property
    def language(self) -> Language:
        chosen = self._store.value("language", "system")
        return chosen if chosen in LANGUAGES else "system"

    @language.setter
    def language(self, chosen: Language) -> None:
        self._store.setValue("language", chosen)

    @property
    def geometry(self) -> QByteArray:
        return self._bytes("geometry")

    @geometry.setter
    def geometry(self, value: QByteArray) -> None:
        self._store.setValue("geometry", value)

    @property
    def layout(self) -> QByteArray:
        return self._bytes("layout")

    @layout.setter
    def layout(self, value: QByteArray) -> None:
        self._store.setValue("layout", value)

    @property
    def recent_projects(self) -> list[str]:
        """Project folders that still exist, the latest first."""
        stored = self._store.value("recent", [])
        listed = [stored] if isinstance(stored, str) else list(cast("list[str]", stored or []))
        return [path for path in listed if Path(path).is_dir()]

    def add_recent(self, path: str) -> None:
        """Put a project at the front."""
        others = [other for other in self.recent_projects if other != path]
        self._store.setValue("recent", [path, *others][:_RECENT])

    @property
    def last_project(self) -> str:
        """The project to open at start; empty if the person closed it."""
        return str(self._store.value("last", ""))

    @last_project.setter
    def last_project(self, path: str) -> None:
        self._store.setValue("last", path)

    def _bytes(self, key: str) -> QByteArray:
        value = self._store.value(key)
        return value if isinstance(value, QByteArray) else QByteArray()
