"""Lines of a text are as long as its page shows, whatever came first: the text, the size, the font or the showing."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QFont, QFontMetricsF
from PySide6.QtWidgets import QApplication, QStackedWidget, QWidget

from tlora_gui.ui.generation.prompt_bar import PromptEdit
from tlora_gui.ui.generation.token_view.token_view import TokenView
from tlora_gui.ui.widgets.layouts import column
from tlora_gui.ui.widgets.plain_text import PageText

WIDTHS = (300, 500, 700, 740, 760, 830, 1000, 1400)
FONTS = (("DejaVu Sans Mono", 10), ("DejaVu Sans Mono", 14), ("DejaVu Sans", 11))
LARGER = QFont("DejaVu Sans Mono", 17)
FEW, MANY = "word " * 60, "word " * 2000
"""With and without a vertical scroll bar."""


def assert_whole(page: PageText) -> None:
    """Nothing lies beyond the right edge, and no line is longer than that of a page."""
    line = 90 * QFontMetricsF(page.font()).averageCharWidth() + 2 * page.document().documentMargin()
    assert page.horizontalScrollBar().maximum() == 0, f"{page.width()} pixels, {page.font().toString()}"
    assert page.viewport().width() <= line + 1


@pytest.mark.parametrize("text", [FEW, MANY], ids=["few", "many"])
@pytest.mark.parametrize(
    "order",
    [
        "size text show", "size show text", "text size show", "show size text", "text show size",
        "size text show height", "size text show font", "size text font show", "size font show text",
        "size show font text", "size show text font", "size text show hide font show",
        "size text show hide narrower show",
    ],
)  # fmt: skip
def test_no_line_is_longer_than_what_is_seen_of_it(qapp: QApplication, order: str, text: str) -> None:
    for width in WIDTHS:
        for family, points in FONTS:
            page = PageText("body")
            page.setFont(QFont(family, points))
            steps = {
                "size": lambda: page.resize(width, 600),  # noqa: B023
                "height": lambda: page.resize(width, 400),  # noqa: B023
                "narrower": lambda: page.resize(width - 50, 600),  # noqa: B023
                "text": lambda: page.setPlainText(text),  # noqa: B023
                "font": lambda: page.setFont(LARGER),  # noqa: B023
                "show": page.show,
                "hide": page.hide,
            }
            for step in order.split():
                steps[step]()
                qapp.processEvents()
            assert_whole(page)


@pytest.mark.parametrize("kind", [PromptEdit, TokenView])
@pytest.mark.parametrize("place", ["layout", "behind another page"])
def test_nor_is_one_of_a_prompt_or_a_generated_text(qapp: QApplication, kind: type[PageText], place: str) -> None:
    for width in WIDTHS:
        page = kind()
        window = QWidget() if place == "layout" else QStackedWidget()
        if isinstance(window, QStackedWidget):
            window.addWidget(QWidget())
            window.addWidget(page)
        else:
            window.setLayout(column(page))
        window.resize(width, 600)
        page.setPlainText(FEW)
        window.show()
        qapp.processEvents()
        if isinstance(window, QStackedWidget):
            window.setCurrentWidget(page)
            qapp.processEvents()
        assert_whole(page)
