"""What the window remembers between two launches: geometry, layout, theme, language, recent projects.

It is memory of convenience in a file that may hold anything: whatever is damaged reads as if it were not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from PySide6.QtCore import QByteArray, QSettings

from tlora_gui.paths import settings_file
from tlora_gui.ui.theme import ThemeMode

Language = Literal["system", "en", "de"]
Activity = Literal["training", "writing"]
"""What a person began last: an epoch's training, or a text, written or read."""

CurveKind = Literal["loss", "distill", "rate", "gradient"]
"""A figure of every step: adapter loss, mixer-distill loss, learning rate, gradient norm."""

MIDDLE_CURVES: tuple[CurveKind, ...] = ("distill", "rate", "gradient")
"""What the chart in the middle can show."""

Smoothing = Literal["none", "light", "medium", "strong"]


@dataclass(frozen=True, slots=True)
class ChartChoices:
    """How the charts are read; ``log_loss`` and ``log_curve`` are the scales of the first and the middle chart."""

    curve: CurveKind = "distill"
    smoothing: Smoothing = "medium"
    log_loss: bool = False
    log_curve: bool = False


LANGUAGES: dict[Language, str] = {"en": "English", "de": "Deutsch"}
"""What the window can speak, each language in its own words."""

_RECENT = 8
_MOST_PATHS = 24
_LONGEST_PATH, _LONGEST_LIST = 4096, 1000


class WindowSettings:
    """A thin, typed front of QSettings in an INI file of the user's."""

    def __init__(self) -> None:
        self._store = QSettings(str(settings_file()), QSettings.Format.IniFormat)

    @property
    def theme(self) -> ThemeMode:
        mode = self._text("theme")
        return mode if mode in ("light", "dark") else "system"  # type: ignore[return-value]

    @theme.setter
    def theme(self, mode: ThemeMode) -> None:
        self._store.setValue("theme", mode)

    @property
    def language(self) -> Language:
        chosen = self._text("language")
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

    def charts_folded(self, activity: Activity) -> bool:
        """Whether the charts were folded last in this activity; at first they are while a person writes or reads."""
        stored = self._text(f"charts-folded/{activity}")
        return activity == "writing" if stored not in ("true", "false") else stored == "true"

    def set_charts_folded(self, activity: Activity, folded: bool) -> None:
        """Remember what the person chose for the charts in this activity."""
        self._store.setValue(f"charts-folded/{activity}", "true" if folded else "false")

    @property
    def charts_height(self) -> int:
        """Pixels that the person gave the unfolded charts; 0 if they never did."""
        stored = self._text("charts-height")
        return int(stored) if stored.isdecimal() and len(stored) < 5 else 0

    @charts_height.setter
    def charts_height(self, pixels: int) -> None:
        self._store.setValue("charts-height", str(pixels))

    @property
    def chart_choices(self) -> ChartChoices:
        """How the charts were read last."""
        curve, smoothing = self._text("charts-curve"), self._text("charts-smoothing")
        return ChartChoices(
            curve if curve in MIDDLE_CURVES else "distill",
            smoothing if smoothing in get_args(Smoothing) else "medium",  # type: ignore[arg-type]
            self._text("charts-log/loss") == "true",
            self._text("charts-log/curve") == "true",
        )

    @chart_choices.setter
    def chart_choices(self, choices: ChartChoices) -> None:
        self._store.setValue("charts-curve", choices.curve)
        self._store.setValue("charts-smoothing", choices.smoothing)
        for name, log in (("loss", choices.log_loss), ("curve", choices.log_curve)):
            self._store.setValue(f"charts-log/{name}", "true" if log else "false")

    def forget_charts(self) -> None:
        """The charts are folded, and as high, as at first."""
        for key in ("charts-folded", "charts-height"):
            self._store.remove(key)

    @property
    def recent_projects(self) -> list[str]:
        """Project folders that are not pinned, the latest first. None is looked at: its drive may be away."""
        pinned = self.pinned_projects
        return [path for path in self._paths("recent") if path not in pinned][:_RECENT]

    @property
    def pinned_projects(self) -> list[str]:
        """Project folders that stay on top of the list, in the order in which they were pinned."""
        return self._paths("pinned")

    def add_recent(self, path: str) -> None:
        """Put a project at the front."""
        others = [other for other in self._paths("recent") if other != path]
        self._store.setValue("recent", [path, *others][:_MOST_PATHS])

    def pin(self, path: str, pinned: bool) -> None:
        """Keep a project on top of the list, or let it be one of the others again."""
        others = [other for other in self.pinned_projects if other != path]
        self._store.setValue("pinned", [*others, path] if pinned else others)
        if not pinned and path not in self._paths("recent"):
            self.add_recent(path)

    def forget_recent(self, path: str) -> None:
        """Take a project out of the list, pinned or not."""
        for key in ("recent", "pinned"):
            self._store.setValue(key, [other for other in self._paths(key) if other != path])

    def clear_recent(self) -> None:
        """Take all projects out of the list that are not pinned."""
        self._store.setValue("recent", [])

    @property
    def last_project(self) -> str:
        """The project to open at start; empty if the person closed it."""
        return self._text("last")

    @last_project.setter
    def last_project(self, path: str) -> None:
        self._store.setValue("last", path)

    @property
    def opening(self) -> str:
        """The project that is being opened; at a start, the one that the last process fell over."""
        return self._text("opening")

    @opening.setter
    def opening(self, path: str) -> None:
        if path != self.opening:
            self._store.setValue("opening", path)
            self._store.sync()  # a crash would leave no time for it

    def _paths(self, key: str) -> list[str]:
        stored = self._value(key)
        listed = stored if isinstance(stored, list) else [stored]
        return [path for path in listed if _is_path(path)][:_LONGEST_LIST]

    def _text(self, key: str) -> str:
        value = self._value(key)
        return value if _is_path(value) else ""

    def _bytes(self, key: str) -> QByteArray:
        value = self._value(key)
        return value if isinstance(value, QByteArray) else QByteArray()

    def _value(self, key: str) -> Any:
        try:
            return self._store.value(key)
        except Exception:  # of a kind that Qt reads and Python cannot  # noqa: BLE001
            return None


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_PATH and "\0" not in value
