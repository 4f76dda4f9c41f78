"""A drawn view as a picture in a file."""

from __future__ import annotations

from pathlib import Path

import pyqtgraph as pg
from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgGenerator

from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.ui.translation import tr

_SCALE = 2


def save_view(view: pg.GraphicsView, path: str) -> None:
    """Write what the view shows, at twice its size: as SVG if the path ends so, else as the picture it names.

    Raises:
        TloraError: the file could not be written.
    """
    if not (_save_svg if Path(path).suffix.lower() == ".svg" else _save_image)(view, path):
        raise TloraError(
            tr("The picture could not be written to {path}.").format(path=path),
            tr("Choose another place, and a name that ends in .png or .svg."),
        )


def _save_svg(view: pg.GraphicsView, path: str) -> bool:
    target = QSvgGenerator()
    target.setFileName(path)
    target.setResolution(96)  # so that a pixel is one in a browser
    target.setSize(view.size() * _SCALE)
    target.setViewBox(QRect(0, 0, view.width() * _SCALE, view.height() * _SCALE))
    painter = QPainter()
    if not painter.begin(target):
        return False
    _render(view, painter)
    return painter.end()


def _save_image(view: pg.GraphicsView, path: str) -> bool:
    image = QImage(view.size() * _SCALE, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    _render(view, painter)
    painter.end()
    return image.save(path)


def _render(view: pg.GraphicsView, painter: QPainter) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.fillRect(0, 0, view.width() * _SCALE, view.height() * _SCALE, view.backgroundBrush())
    view.render(painter, QRectF(0, 0, view.width() * _SCALE, view.height() * _SCALE), view.viewport().rect())
