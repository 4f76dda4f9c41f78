"""Both themes: text can be read wherever it stands, the system's choice is followed live, nothing is cut off."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path

import pytest
from kit import child, shown
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QStyleHints
from PySide6.QtWidgets import QApplication, QDialog, QFrame, QMenu, QPushButton, QToolButton, QTreeView, QWidget
from whole_window import a_generation, cut_off_anywhere, whole_window

from tlora_gui.engine.projects.records import summary_of
from tlora_gui.engine.protocol.colours import MIN_CONTRAST, MIN_LINE_CONTRAST
from tlora_gui.engine.protocol.config import BACKBONE_COLOUR, EPOCH_COLOURS
from tlora_gui.paths import resource
from tlora_gui.ui.charts.style import line_colour
from tlora_gui.ui.generation.token_view.ribbon import MixRibbon
from tlora_gui.ui.generation.token_view.swatch import token_format
from tlora_gui.ui.generation.token_view.token_style import MEASURE_COLOURS, TokenStyle
from tlora_gui.ui.generation.token_view.token_view import TokenView
from tlora_gui.ui.palette import as_text, contrast
from tlora_gui.ui.theme import DARK, LIGHT, Theme, ThemeManager
from tlora_gui.ui.widgets.layouts import column, small_button
from tlora_gui.ui.window import MainWindow

both_themes = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
SURFACES = ("window", "panel", "field", "hover", "danger_panel", "notice_panel")


def ratio(theme: Theme, text: str, ground: str) -> float:
    """Contrast of two of a theme's colours."""
    return contrast(QColor(getattr(theme, text)), QColor(getattr(theme, ground)))


# -- contrast -------------------------------------------------------------------------------------------------------


@both_themes
@pytest.mark.parametrize("text", ["text", "muted", "danger", "link"])
def test_text_can_be_read_on_every_surface(theme: Theme, text: str) -> None:
    assert {
        ground: ratio(theme, text, ground) for ground in SURFACES if ratio(theme, text, ground) < MIN_CONTRAST
    } == {}


@both_themes
@pytest.mark.parametrize("ground", ["accent", "accent_hover"])
def test_words_on_the_main_button_can_be_read_under_the_pointer_too(theme: Theme, ground: str) -> None:
    assert ratio(theme, "accent_text", ground) >= MIN_CONTRAST


@both_themes
@pytest.mark.parametrize("text", ["text", "muted"])
def test_selected_text_can_be_read(theme: Theme, text: str) -> None:
    assert ratio(theme, text, "selection") >= MIN_CONTRAST


@both_themes
def test_focus_rings_and_drawn_accents_can_be_seen_on_every_panel(theme: Theme) -> None:
    for ground in ("window", "panel", "field"):
        assert ratio(theme, "accent", ground) >= MIN_LINE_CONTRAST


@both_themes
@pytest.mark.parametrize("role", ["", "primary", "danger"])
def test_every_kind_of_button_shows_that_it_has_the_focus(theme: Theme, role: str, qapp: QApplication) -> None:
    ThemeManager(qapp, theme.name)
    dialog = QDialog()
    other, button = QPushButton("Other"), QPushButton("Button")
    button.setProperty("role", role)
    dialog.setLayout(column(other, button))
    shown(dialog)
    edges = []
    for focused in (other, button):
        focused.setFocus()
        edges.append(button.grab().toImage().pixelColor(button.width() // 2, 0))
    assert contrast(*edges) >= 1.5 and edges[1] != QColor(theme.accent if role else theme.border)
    ThemeManager(qapp, "light")


def words_and_ground(panel: QWidget, area: QRect) -> tuple[QColor, QColor]:
    """Two colours within an area of a panel: the one that is seen most, and what differs most from it."""
    image = panel.grab(area).toImage()
    seen = Counter(image.pixel(x, y) for x in range(image.width()) for y in range(image.height()))
    ground = QColor(seen.most_common(1)[0][0])
    return max(map(QColor, seen), key=lambda colour: contrast(colour, ground)), ground


@both_themes
@pytest.mark.parametrize("kind", ["push", "small", "strip"])
def test_a_disabled_button_looks_neither_enabled_nor_like_a_field(theme: Theme, kind: str, qapp: QApplication) -> None:
    ThemeManager(qapp, theme.name)
    desk = QFrame()
    desk.setObjectName("mixingDesk")
    desk.setProperty("role", "panel")
    button = small_button("MMM", "") if kind == "small" else QToolButton() if kind == "strip" else QPushButton()
    button.setText("MMM")
    if kind == "strip":
        button.setProperty("role", "strip")
    desk.setLayout(column(button, margins=(30, 30, 30, 30)))  # away from the pointer
    shown(desk)
    within = button.geometry().adjusted(3, 3, -3, -3)
    enabled, _ = words_and_ground(desk, within)
    button.setEnabled(False)
    disabled, ground = words_and_ground(desk, within)
    assert contrast(enabled, QColor(theme.panel)) >= MIN_CONTRAST
    assert contrast(enabled, disabled) >= 1.5 and ground == QColor(theme.panel)
    ThemeManager(qapp, "light")


@both_themes
def test_a_disabled_entry_of_a_menu_looks_disabled_under_the_pointer_too(theme: Theme, qapp: QApplication) -> None:
    ThemeManager(qapp, theme.name)
    menu = QMenu()
    entry, other = menu.addAction("MMM"), menu.addAction("MMM")
    shown(menu)
    words = {}
    for enabled in (True, False):
        entry.setEnabled(enabled)
        for active in (other, entry):
            menu.setActiveAction(active)
            seen, ground = words_and_ground(menu, menu.actionGeometry(entry).adjusted(3, 3, -3, -3))
            words[enabled, active is entry] = seen
            assert not enabled or contrast(seen, ground) >= MIN_CONTRAST
    for under_the_pointer in (False, True):
        assert contrast(words[True, under_the_pointer], words[False, under_the_pointer]) >= 1.5
    menu.close()
    ThemeManager(qapp, "light")


@both_themes
def test_how_a_kept_text_was_made_can_be_read(theme: Theme, tmp_path: Path) -> None:
    with whole_window(theme.name, tmp_path) as window:
        window.texts.set_generations((summary_of(a_generation()),))
        window.raise_dock(window.texts)
        QApplication.processEvents()
        tree = child(window, "textsTree", QTreeView)
        row = tree.visualRect(tree.model().index(0, 0))
        second_line = row.adjusted(8, row.height() // 2 + 2, 0, 0)  # beside the mark of the text that is open
        second_line.translate(tree.viewport().mapTo(window.texts, QPoint()))
        assert contrast(*words_and_ground(window.texts, second_line)) >= MIN_CONTRAST


@both_themes
def test_the_style_sheet_puts_no_text_in_a_colour_that_is_none_for_text(theme: Theme) -> None:
    sheet = resource("styles/app.qss").read_text(encoding="utf-8")
    assert set(re.findall(r"(?<![-\w])color:\s*\$(\w+)", sheet)) <= {
        "text",
        "muted",
        "disabled",
        "danger",
        "link",
        "accent_text",
    }


@both_themes
@pytest.mark.parametrize("colour", [*EPOCH_COLOURS, BACKBONE_COLOUR, *MEASURE_COLOURS.values(), "#F0E442", "#000000"])
def test_a_token_can_be_read_at_every_strength_of_every_colour(theme: Theme, colour: str) -> None:
    for step in range(21):
        form = token_format(TokenStyle(colour, step / 20, 1), theme)
        assert contrast(form.background().color(), QColor(theme.text)) >= MIN_CONTRAST
        assert contrast(form.background().color(), form.underlineColor()) >= MIN_CONTRAST


@both_themes
@pytest.mark.parametrize("colour", [*EPOCH_COLOURS, BACKBONE_COLOUR])
def test_lines_of_charts_can_be_seen_and_names_in_an_epochs_colour_can_be_read(theme: Theme, colour: str) -> None:
    panel = QColor(theme.panel)
    assert contrast(line_colour(colour, theme), panel) >= MIN_LINE_CONTRAST
    assert contrast(as_text(colour, panel, QColor(theme.text)), panel) >= MIN_CONTRAST


# -- following the system -------------------------------------------------------------------------------------------


@pytest.fixture
def system(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Qt.ColorScheme], None]]:
    """``system(scheme)``: the person changes the colour scheme of the desktop."""
    scheme = Qt.ColorScheme.Light

    def change(to: Qt.ColorScheme) -> None:
        nonlocal scheme
        scheme = to
        qapp.styleHints().colorSchemeChanged.emit(to)

    monkeypatch.setattr(QStyleHints, "colorScheme", lambda hints: scheme)
    yield change
    monkeypatch.undo()
    ThemeManager(qapp, "light")


def ground_of(widget: QWidget) -> str:
    """The colour that most of a widget's edge has."""
    image = widget.grab().toImage()
    seen = [image.pixelColor(image.width() - 12, y).name() for y in range(12, image.height() - 12)]
    return max(set(seen), key=seen.count)


def shown_text(window: MainWindow) -> TokenView:
    """The text of the project's generation."""
    return next(view for view in window.findChildren(TokenView) if view.tokens)


def drawn_grounds(window: MainWindow) -> dict[str, str]:
    """Colour of the ground of what draws its own colours."""
    chart = window.findChild(QWidget, "lossChart")
    assert chart is not None
    if not chart.isVisible():
        window.menus.fold_charts.trigger()
    ribbons = {found.backgroundBrush().color().name() for found in window.findChildren(MixRibbon)}
    return {"chart": ground_of(chart), "text": ground_of(shown_text(window).viewport()), "ribbon": ", ".join(ribbons)}


def token_ground(window: MainWindow) -> QColor:
    """Background of the first token on screen."""
    cursor = shown_text(window).textCursor()
    cursor.setPosition(1)
    return cursor.charFormat().background().color()


def test_in_mode_system_charts_ribbon_and_text_follow_the_desktop_live(
    system: Callable[[Qt.ColorScheme], None], tmp_path: Path
) -> None:
    with whole_window("system", tmp_path) as window:
        for scheme, theme in ((Qt.ColorScheme.Dark, DARK), (Qt.ColorScheme.Light, LIGHT)):
            system(scheme)
            assert window.themes.current is theme
            assert set(drawn_grounds(window).values()) == {theme.panel.lower()}
            assert contrast(token_ground(window), QColor(theme.text)) >= MIN_CONTRAST
            assert QApplication.palette().window().color().name() == theme.window.lower()


def test_in_mode_light_the_desktop_changes_nothing(system: Callable[[Qt.ColorScheme], None], tmp_path: Path) -> None:
    with whole_window("light", tmp_path) as window:
        system(Qt.ColorScheme.Dark)
        assert window.themes.current is LIGHT
        assert set(drawn_grounds(window).values()) == {LIGHT.panel.lower()}


# -- sizes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["welcome", "workspace"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_words_are_cut_off_in_a_window_of_1280_by_800(
    qapp: QApplication, tmp_path: Path, page: str, theme: str
) -> None:
    with whole_window(theme, tmp_path if page == "workspace" else None) as window:  # type: ignore[arg-type]
        assert window.size().toTuple() == (1280, 800)
        assert cut_off_anywhere(window) == []


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
def test_the_window_draws_at_every_scale(qapp: QApplication, tmp_path: Path, scale: float) -> None:
    with whole_window("light", tmp_path) as window:
        image = QImage(window.size() * scale, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(scale)
        image.fill(QColor("#FF00FF"))
        painter = QPainter(image)
        window.render(painter, QPoint())
        painter.end()
        corners = [(1, 1), (image.width() - 2, image.height() - 2), (image.width() // 2, image.height() // 2)]
        assert "#ff00ff" not in [image.pixelColor(x, y).name() for x, y in corners]
        assert cut_off_anywhere(window) == []


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_lines_of_two_epochs_differ_to_the_eye(theme: Theme) -> None:
    lines = [line_colour(colour, theme).getRgb()[:3] for colour in EPOCH_COLOURS]
    for one, other in combinations(lines, 2):
        assert sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5 > 40, (one, other)
