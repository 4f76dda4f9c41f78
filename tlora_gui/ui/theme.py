"""Light and dark: one set of colours each, applied through Qt's palette and one style sheet."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from string import Template
from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontInfo, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from tlora_gui.paths import resource

ThemeMode = Literal["system", "light", "dark"]


@dataclass(frozen=True, slots=True, eq=False)
class Theme:
    """Colours of one theme as ``#RRGGBB``. Style sheet and charts take theirs from here alone.

    There is one object a theme, known by its identity: formats of tokens are looked up by it.
    """

    name: Literal["light", "dark"]
    window: str
    panel: str
    field: str
    hover: str
    border: str
    grid: str
    text: str
    muted: str
    accent: str
    accent_hover: str
    link: str
    accent_text: str
    danger: str
    danger_panel: str
    notice_panel: str
    selection: str


LIGHT = Theme(
    name="light",
    window="#F3F4F6",
    panel="#FFFFFF",
    field="#FFFFFF",
    hover="#EEF1F4",
    border="#D9DDE3",
    grid="#E7EAEE",
    text="#1D2127",
    muted="#59616D",
    accent="#0067A3",
    accent_hover="#00568A",
    link="#00568A",
    accent_text="#FFFFFF",
    danger="#B42318",
    danger_panel="#FDECEA",
    notice_panel="#EAF3FA",
    selection="#CFE5F5",
)
DARK = Theme(
    name="dark",
    window="#14161A",
    panel="#1B1E24",
    field="#14161A",
    hover="#262A32",
    border="#30353F",
    grid="#282C34",
    text="#E8EAED",
    muted="#A2A9B4",
    accent="#1B77B5",
    accent_hover="#166BA5",
    link="#58A9E3",
    accent_text="#FFFFFF",
    danger="#FF8A80",
    danger_panel="#3A1F1E",
    notice_panel="#1B2D3B",
    selection="#223F56",
)


SIZES = {"small": 0.8, "caption": 0.9, "text_size": 1.1, "heading": 1.65}
"""Sizes of text by role, as multiples of the system's; the style sheet has them as ``$small`` and so on."""


def _points(size: float) -> float:
    font = QApplication.font()
    return size * (font.pointSizeF() if font.pointSizeF() > 0 else QFontInfo(font).pointSizeF())


def scaled(pixels: int) -> int:
    """A width that is ``pixels`` at text of ten points."""
    return round(pixels * _points(0.1))


def sans_font(size: float = 1.0) -> QFont:
    """The system's own font, at a multiple of its size."""
    font = QFont(QApplication.font())
    font.setPointSizeF(_points(size))
    return font


def mono_font(size: float = SIZES["text_size"]) -> QFont:
    """The text font of token view and prompt: fixed width, so that code keeps its shape; sized as :func:`sans_font`."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    if sys.platform == "win32":
        font.setFamilies(["Cascadia Mono", *font.families()])  # Windows lets nobody choose, and names a faint one
    font.setPointSizeF(_points(size))
    font.setFeature(QFont.Tag("calt"), 0)  # no ligatures: "->" is two characters, maybe of two tokens
    return font


class ThemeManager(QObject):
    """Applies a theme to the application and follows the system's font, and its colour scheme in mode "system".

    Signals: ``changed(Theme)`` for another theme, and for another font.
    """

    changed = Signal(object)

    def __init__(self, app: QApplication, mode: ThemeMode = "system") -> None:
        super().__init__(app)
        self._app = app
        self.mode: ThemeMode = mode
        app.setStyle(QStyleFactory.create("Fusion"))
        app.styleHints().colorSchemeChanged.connect(self._system_changed)
        app.fontChanged.connect(self._apply)
        self.set_mode(mode)

    @property
    def current(self) -> Theme:
        if self.mode == "system":
            return DARK if self._app.styleHints().colorScheme() == Qt.ColorScheme.Dark else LIGHT
        return DARK if self.mode == "dark" else LIGHT

    def set_mode(self, mode: ThemeMode) -> None:
        """Use a theme from now on; ``changed`` carries it."""
        self.mode = mode
        scheme = {"system": Qt.ColorScheme.Unknown, "light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}
        self._app.styleHints().setColorScheme(scheme[mode])
        self._apply()

    def _system_changed(self) -> None:
        if self.mode == "system":
            self._apply()

    def _apply(self) -> None:
        theme = self.current
        self._app.setPalette(_palette(theme))
        sheet = Template(resource("styles/app.qss").read_text(encoding="utf-8"))
        sizes = {name: f"{_points(size):.2f}pt" for name, size in SIZES.items()}
        self._app.setStyleSheet(sheet.substitute(asdict(theme), icons=resource("icons").as_posix(), **sizes))
        self.changed.emit(theme)


def _palette(theme: Theme) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette()
    for which, colour in (
        (role.Window, theme.window),
        (role.Base, theme.field),
        (role.AlternateBase, theme.hover),
        (role.Button, theme.panel),
        (role.ToolTipBase, theme.panel),
        (role.WindowText, theme.text),
        (role.Text, theme.text),
        (role.ButtonText, theme.text),
        (role.ToolTipText, theme.text),
        (role.PlaceholderText, theme.muted),
        (role.Highlight, theme.selection),
        (role.HighlightedText, theme.text),
        (role.Link, theme.link),
        (role.Accent, theme.accent),
        (role.Mid, theme.border),
    ):
        palette.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(theme.muted))
    return palette
