"""The metrics of continual learning in small print, each with its meaning and formula as a tooltip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextDocumentFragment
from PySide6.QtWidgets import QLabel, QWidget

from tlora_gui.engine.protocol.metrics import FORMULAS
from tlora_gui.ui.charts.metric_values import MetricValue
from tlora_gui.ui.formats import MISSING, localised
from tlora_gui.ui.theme import Theme

_BETWEEN = 7
_SECOND_ROW = "gain_kept"
"""Where a second row begins: what is about routing stays together."""


@dataclass(frozen=True, slots=True)
class _Metric:
    """How one metric is shown.

    Attributes:
        label: what stands before the value.
        meaning: in one sentence.
        needs: what makes it known.
        about: names the epoch that the value is about; empty if it is about all.
        scale, decimals, unit: how the value is written; trailing zeros of a count are left out.
    """

    label: str
    meaning: str
    needs: str
    about: str = ""
    scale: float = 100.0
    decimals: int = 1
    unit: str = ""

    def write(self, value: float | None) -> str:
        """A value as text."""
        if value is None:
            return MISSING
        rounded = round(self.scale * value, self.decimals) + 0.0  # never minus nothing
        decimals = 0 if self.scale == 1 and self.decimals == 1 and rounded.is_integer() else self.decimals
        return localised(f"{rounded:.{decimals}f}").replace("-", "−") + self.unit


class MetricStrip(QWidget):
    """One label a metric, "name value (value without Active Sleep)", in as many rows as the width asks for."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("metricStrip")
        self.setAccessibleName(self.tr("Metrics"))
        self._theme = theme
        self._values: Mapping[str, MetricValue] = {}
        self._names: Mapping[str, str] = {}
        self._metrics = self._describe()
        self._labels = {name: QLabel(self) for name in self._metrics}
        for name, label in self._labels.items():
            label.setObjectName(f"metric_{name}")
            label.setProperty("textSize", "caption")
            label.setTextFormat(Qt.TextFormat.RichText)
        self._refresh()

    def _describe(self) -> dict[str, _Metric]:
        """Every metric by its name in FORMULAS, in the order shown."""
        second = self.tr("Known from the second epoch on.")
        measured = self.tr("Choose Epoch > Measure all on held-out text; any later training clears it.")
        return {
            "average_accuracy": _Metric(
                self.tr("AA"),
                self.tr("How often the mixer gives a held-out token to its own epoch after the last finished phase, "
                        "mean of all epochs, in points of 100."),
                self.tr("Known once the first epoch is trained."),
            ),
            "backward_transfer": _Metric(
                self.tr("BWT"),
                self.tr("How far routing of the earlier epochs has moved since each was learned, "
                        "in points of 100; below 0 is forgetting."),
                second,
            ),
            "forgetting": _Metric(
                self.tr("F"),
                self.tr("Forgetting: how far routing of the earlier epochs has fallen from its best, "
                        "in points of 100."),
                second,
            ),
            "gain_kept": _Metric(
                self.tr("Gain kept"),
                self.tr("How much of an epoch's gain over the backbone the mix keeps, for the epoch that keeps least."),
                self.tr("Known once an epoch's training has ended; in older projects choose "
                        "Epoch > Measure all on held-out text."),
                about=self.tr("Least is kept of {epoch}."),
                decimals=0,
                unit=" %",
            ),
            "plasticity_cost": _Metric(
                self.tr("Cost"),
                self.tr("Plasticity: what Active Sleep costs the newest epoch, as a share of its gain."),
                self.tr("Known from the second epoch on, if it is trained with the comparison without Active Sleep."),
                about=self.tr("The newest epoch is {epoch}."),
                unit=" %",
            ),
            "switch_lag": _Metric(
                self.tr("Lag"),
                self.tr("How many tokens the mixer takes to find the right epoch where the text changes to another's."),
                f"{second} {measured}",
                scale=1.0,
            ),
            "unknown_text": _Metric(
                self.tr("Slot 0"),
                self.tr("How much of an epoch's text the backbone would get if the epoch were not there, "
                        "mean of all epochs: what becomes of text that no epoch knows."),
                f"{second} {measured}",
                scale=1.0,
                decimals=2,
            ),
            "calibration_error": _Metric(
                self.tr("ECE"),
                self.tr("How far the mixer's weights are from how often they are right; 0 is perfect."),
                measured,
                scale=1.0,
                decimals=2,
            ),
        }  # fmt: skip

    def show_values(self, values: Mapping[str, MetricValue], names: Mapping[str, str]) -> None:
        """Show these metrics; ``names`` gives the epochs' names by slug."""
        if (values, names) != (self._values, self._names):  # charts are redrawn often, these seldom change
            self._values, self._names = values, names
            self._refresh()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._refresh()

    def text(self, name: str) -> str:
        """What is written for a metric."""
        return " ".join(filter(None, self._parts(name)))

    def _parts(self, name: str) -> tuple[str, str, str]:
        """Label, value, and the value in brackets; empty if there is none."""
        shown, metric = self._values.get(name, MetricValue()), self._metrics[name]
        baseline = "" if shown.without is None else f"({metric.write(shown.without)})"
        return metric.label, metric.write(shown.value), baseline

    def arrange(self, width: int) -> int:
        """Place the labels in one row, or in more where the width asks for it; returns the height that they take."""
        sizes = {name: label.sizeHint() for name, label in self._labels.items()}
        one_row = sum(size.width() + _BETWEEN for size in sizes.values()) - _BETWEEN <= width
        x, y, height = 0, 0, 0
        for name, size in sizes.items():
            if x and (x + size.width() > width or (name == _SECOND_ROW and not one_row)):
                x, y = 0, y + size.height()
            self._labels[name].setGeometry(x, y, size.width(), size.height())
            x, height = x + size.width() + _BETWEEN, size.height()
        return y + height

    def _refresh(self) -> None:
        muted = f'<span style="color:{self._theme.muted}">'
        for name, label in self._labels.items():
            before, value, baseline = (escape(part) for part in self._parts(name))
            tooltip = self._tooltip(name)
            without = f" {muted}{baseline}</span>" if baseline else ""
            label.setText(f"{muted}{before}</span> {value}{without}")
            label.setToolTip(tooltip)
            label.setAccessibleName(self.text(name))
            label.setAccessibleDescription(QTextDocumentFragment.fromHtml(tooltip).toPlainText())

    def _tooltip(self, name: str) -> str:
        shown, metric = self._values.get(name, MetricValue()), self._metrics[name]
        parts = [metric.meaning]
        if shown.value is None:
            parts.append(metric.needs)
        elif metric.about and shown.slug:
            parts.append(metric.about.format(epoch=self._names.get(shown.slug, shown.slug)))
        if shown.without is not None:
            text = self.tr(
                "{figure} in brackets: had the last phase been trained without Active Sleep. Only its row of R is of "
                "the mixer without it, trained beside from the protected mixer; the rows before are the protected ones."
            )
            parts.append(text.format(figure=metric.write(shown.without)))
        parts.append(self.tr("Formula: {formula}").format(formula=FORMULAS[name]))
        return "".join(f"<p>{escape(part)}</p>" for part in parts)
