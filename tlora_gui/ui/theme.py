"""Light and dark, applied through Qt's palette and one style sheet; sizes as ratios of the system's font."""

from __future__ import annotations

import sys
from dataclasses import asdict
from string import Template
from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontInfo, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from tlora_gui.engine.protocol.colours import DARK, LIGHT, Theme
from tlora_gui.paths import resource

__all__ = [
    "DARK",
    "LIGHT",
    "SIZES",
    "Theme",
    "ThemeManager",
    "ThemeMode",
    "mono_font",
    "sans_font",
    "scaled",
]

ThemeMode = Literal["system", "light", "dark"]


SIZES = {"caption": 0.85, "body": 1.0, "token_text": 1.1, "heading": 1.15, "display": 1.65}
"""Sizes of text by role, as multiples of the system's; the style sheet has them as ``$caption`` and so on."""


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


def mono_font(size: float = SIZES["token_text"]) -> QFont:
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
        rules = sheet.substitute(asdict(theme), icons=resource("icons").as_posix(), **sizes)
        if rules != self._app.styleSheet():  # or every widget would be styled anew
            # Another sheet in place of one makes Qt style every widget again for each widget that it stands in: with
            # none between, twice.
            self._app.setStyleSheet("")
            self._app.setStyleSheet(rules)
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
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(theme.disabled))
    return palette
