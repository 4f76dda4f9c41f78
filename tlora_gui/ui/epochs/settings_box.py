"""How an epoch is trained, with the meaning of every setting in its tooltip."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QAbstractSpinBox, QDoubleSpinBox, QLayout, QLineEdit, QWidget

from tlora_gui.engine.protocol.config import (
    LARGEST_COUNT,
    MAX_SAMPLE_PROMPT,
    MAX_SAMPLE_TOKENS,
    PRESETS,
    Preset,
    TrainSettings,
    preset_of,
    with_preset,
)
from tlora_gui.ui.epochs.sleep_box import SleepBox
from tlora_gui.ui.translation import tr
from tlora_gui.ui.widgets.disclosure import Disclosure
from tlora_gui.ui.widgets.fields import ChoiceBox, DecimalBox, SeedBox, WholeBox, field_width
from tlora_gui.ui.widgets.layouts import column, fields, row, small_button, tick_box

MIN_BLOCK = 16


class RateBox(DecimalBox):
    """A learning rate; one step is a tenth of its magnitude."""

    def __init__(self) -> None:
        super().__init__(1e-12, 1.0)
        self.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)


class SettingsBox(QWidget):
    """A preset and the comparison in sight, all else under Advanced, with what else a dialog has there.

    Args:
        settings: shown at first.
        before, after: what stands under Advanced above the settings, and below them.
    """

    edited = Signal()
    """A person has changed a setting."""
    copy_wanted = Signal(str)
    """The settings of an earlier epoch are wanted (slug)."""

    def __init__(
        self,
        settings: TrainSettings,
        before: QLayout | None = None,
        after: QLayout | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._settings = settings
        self._others = [part for part in (before, after) if part is not None]
        self._earlier: tuple[tuple[str, str], ...] = ()
        self._copied: tuple[str, TrainSettings] | None = None
        self._costs: dict[Preset, str] = {}
        self._build_main()
        self._build_advanced()
        self._fill(settings)
        for spin in (
            self._passes, self._limit, self._batch, self._block, self._share, self._seed,
            self._patience, self._sample_every, self._sample_tokens,
        ):  # fmt: skip
            spin.valueChanged.connect(self.edited)
        self._early_stop.toggled.connect(self.edited)
        self._early_stop.toggled.connect(self._patience.setEnabled)
        self._sample_prompt.textChanged.connect(self.edited)
        self._rate.valueChanged.connect(self.edited)
        self._objective.currentIndexChanged.connect(self.edited)
        self._objective.currentIndexChanged.connect(self._update_compare)
        self._compare.toggled.connect(self.edited)
        self._sleep.edited.connect(self.edited)
        self._sleep.switched.connect(self._update_compare)
        self._block.valueChanged.connect(self._keep_limit_above_block)
        self.edited.connect(self._show_choice)
        self._show_choice()

    def set_settings(self, settings: TrainSettings) -> None:
        """Show these settings; ``edited`` follows."""
        self._settings = settings
        self.blockSignals(True)
        self._sleep.set_settings(settings.sleep)
        self._fill(settings)
        self.blockSignals(False)
        self.edited.emit()

    def set_copied(self, slug: str, settings: TrainSettings) -> None:
        """Show the settings of an earlier epoch, as they were asked for."""
        self._copied = slug, settings
        self.set_settings(settings)

    def set_earlier(self, epochs: tuple[tuple[str, str], ...]) -> None:
        """Slug and name of the epochs whose settings can be copied."""
        self._earlier = epochs
        self._show_choice()

    def set_costs(self, costs: dict[Preset, str]) -> None:
        """What each preset would take, as far as that is known."""
        if costs != self._costs:
            self._costs = costs
            self._show_choice()

    def settings(self) -> TrainSettings:
        """What is set, the rest as it was given."""
        limit = self._limit.value()
        return replace(
            self._settings,
            num_passes=self._passes.value(),
            max_tokens=None if limit == self._limit.minimum() else limit,
            learning_rate=self._rate.value(),
            batch_size=self._batch.value(),
            block_size=self._block.value(),
            held_out_share=self._share.value() / 100,
            held_out_tokens=max(self._settings.held_out_tokens, self._block.value()),
            seed=self._seed.value(),
            objective=self._objective.currentData(),
            sleep=self._sleep.settings(),
            compare_unprotected=self._compare.isChecked(),
            early_stop=self._early_stop.isChecked(),
            patience=self._patience.value(),
            sample_prompt=self._sample_prompt.text(),
            sample_every=self._sample_every.value(),
            sample_tokens=self._sample_tokens.value(),
        )

    def finish(self) -> None:
        """Take the number that is being written."""
        for box in self.findChildren(QAbstractSpinBox):
            if isinstance(box, WholeBox | DecimalBox | SeedBox):
                box.finish()

    def set_first_epoch(self, first: bool) -> None:
        """Whether no earlier epoch is there, so that Active Sleep has nothing to protect and to compare."""
        self._sleep.set_first_epoch(first)
        self._compare.setVisible(not first)

    def _build_main(self) -> None:
        self._choice = ChoiceBox(
            "presetCombo", self.tr("Training"),
            self.tr("How thoroughly the text is learned. Quick is for a first look, Thorough takes all that there is."),
        )  # fmt: skip
        self._choice.setMinimumWidth(field_width(self._choice))
        self._choice.activated.connect(self._chosen)
        self._reset = small_button(self.tr("Reset"), self.tr("Set every setting back to its default"), "resetButton")
        self._reset.clicked.connect(lambda: self.set_settings(TrainSettings()))
        self._passes = _spin(1, LARGEST_COUNT, self.tr("Passes"), self.tr("How often the training text is read."))
        self._passes.setObjectName("passesSpin")
        self._limit = _spin(
            0, LARGEST_COUNT, self.tr("Tokens per pass"),
            self.tr("Training tokens per pass at most; all reads the whole text. At least one block."), step=10_240,
        )  # fmt: skip
        self._limit.setObjectName("tokensSpin")
        self._limit.setGroupSeparatorShown(True)
        self._limit.setSpecialValueText(self.tr("all"))
        self._rate = RateBox()
        self._rate.setObjectName("learningRateSpin")
        meaning = self.tr(
            "Step of the adapter's A at its peak, of its B four times as much: 10 warm-up steps, then it falls "
            "(cosine). Above 0, at most 1."
        )
        _describe(self._rate, self.tr("Learning rate"), meaning)
        self._main = fields(
            (self.tr("&Passes"), self._passes),
            (self.tr("&Tokens per pass"), self._limit),
            (self.tr("&Learning rate"), self._rate),
        )
        self._compare = tick_box(self.tr("Also train &without Active Sleep, to compare"))
        self._compare.setObjectName("compareBox")

    def _build_advanced(self) -> None:
        self._batch = _spin(1, LARGEST_COUNT, self.tr("Batch size"), self.tr("Blocks of text per step."))
        self._batch.setObjectName("batchSpin")
        self._batch.setSuffix(self.tr(" blocks"))
        self._block = _spin(MIN_BLOCK, 8192, self.tr("Block size"), self.tr("Tokens per block of text."), step=16)
        self._block.setSuffix(self.tr(" tokens"))
        self._block.setObjectName("blockSizeSpin")
        self._share = _spin(
            1, 50, self.tr("Held-out share"), self.tr("Share of the text kept aside by file, for measuring only.")
        )
        self._share.setSuffix(" %")
        self._share.setObjectName("heldOutShareSpin")
        self._seed = SeedBox()
        _describe(self._seed, self.tr("Seed"), self.tr("Fixes initial weights, order of blocks and replayed memories."))
        self._objective = ChoiceBox(
            "objectiveCombo", self.tr("Objective"),
            self.tr(
                "What the adapter learns from. Isolated: the new epoch alone at full weight. "
                "Joint: the mixture of all epochs."
            ),
        )  # fmt: skip
        self._objective.setFixedWidth(field_width(self._objective))
        self._objective.addItem(self.tr("isolated"), "isolated")
        self._objective.addItem(self.tr("joint"), "joint")
        self._sleep = SleepBox(self._settings.sleep)
        self._build_early_stop()
        self._build_samples()
        form = fields(
            (self.tr("&Batch size"), self._batch),
            (self.tr("Bloc&k size"), self._block),
            (self.tr("&Held-out share"), self._share),
            (self.tr("&Objective"), self._objective),
            (self.tr("See&d"), self._seed),
        )
        patience = fields((self.tr("Pat&ience"), self._patience))
        samples = fields(
            (self.tr("&Sample prompt"), self._sample_prompt),
            (self.tr("Sample e&very"), self._sample_every),
            (self.tr("Sample len&gth"), self._sample_tokens),
        )
        content = QWidget()
        training = column(self._main, form, spacing=8)
        parts: list[QWidget | QLayout] = [training, self._early_stop, patience, samples, self._sleep]
        parts = [*self._others[:1], *parts, *self._others[1:]]
        content.setLayout(column(*parts, spacing=12, margins=(0, 4, 0, 4)))
        self.advanced = Disclosure(self.tr("Advanced"), content)
        self.advanced.button.setObjectName("advancedButton")
        choice = QWidget()
        choice.setLayout(row(self._choice, self._reset, None))
        choice.setFocusProxy(self._choice)
        self.setLayout(column(fields((self.tr("T&raining"), choice)), self._compare, self.advanced))
        self.set_first_epoch(True)

    # -- the choice of all settings at once -----------------------------------------------------------------------

    def _chosen(self, index: int) -> None:
        kind, _, what = self._choice.itemData(index).partition(":")
        if kind == "preset":
            self.set_settings(with_preset(self.settings(), cast(Preset, what)))
        elif kind == "epoch":
            self._show_choice()  # until they are here
            self.copy_wanted.emit(what)

    def _show_choice(self) -> None:
        """Name what the settings are: a preset, an earlier epoch's, or one's own."""
        settings = self.settings()
        names: dict[Preset, str] = {
            "quick": self.tr("Quick"), "balanced": self.tr("Balanced"), "thorough": self.tr("Thorough")
        }  # fmt: skip
        preset, current = preset_of(settings), "custom:"
        items = [
            (" · ".join(part for part in (name, self._costs.get(key, "")) if part), f"preset:{key}")
            for key, name in names.items()
        ]
        items += [(self.tr("Settings of {name}").format(name=name), f"epoch:{slug}") for slug, name in self._earlier]
        if self._copied is not None and self._copied[1] == settings:
            current = f"epoch:{self._copied[0]}"
        elif preset is not None:
            current = f"preset:{preset}"
        if current not in (data for _, data in items):
            current = "custom:"
            items.append((self.tr("Custom"), current))
        self._choice.blockSignals(True)
        self._choice.clear()
        for text, data in items:
            if self._choice.count() == len(names):
                self._choice.insertSeparator(len(names))
            self._choice.addItem(text, data)
        self._choice.setCurrentIndex(self._choice.findData(current))
        self._choice.blockSignals(False)
        self._choice.updateGeometry()
        self._reset.setVisible(settings not in PRESETS.values())

    def _build_early_stop(self) -> None:
        self._early_stop = tick_box(self.tr("Stop ea&rly, keep the best step"))
        self._early_stop.setObjectName("earlyStopBox")
        self._early_stop.setToolTip(
            self.tr(
                "Ends the training when the held-out loss no longer falls, and keeps the adapter and the Time Mixer of "
                "the step after which it was lowest. Otherwise the last step is kept."
            )
        )
        self._patience = _spin(
            1, LARGEST_COUNT, self.tr("Patience"),
            self.tr(
                "How many measurements on held-out text in a row may be no better before the training ends. In long "
                "trainings a tenth of all measurements, at least."
            ),
        )  # fmt: skip
        self._patience.setObjectName("patienceSpin")
        self._patience.setSuffix(self.tr(" measurements"))

    def _build_samples(self) -> None:
        self._sample_prompt = QLineEdit()
        self._sample_prompt.setObjectName("samplePromptEdit")
        self._sample_prompt.setMaxLength(MAX_SAMPLE_PROMPT)
        self._sample_prompt.setPlaceholderText(self.tr("the beginning of a text"))
        self._sample_prompt.setAccessibleName(self.tr("Sample prompt"))
        self._sample_prompt.setToolTip(
            self.tr("What the mixture continues by way of a sample while the training runs, always with the same seed.")
        )
        self._sample_every = _spin(
            0, LARGEST_COUNT, self.tr("Sample every"),
            self.tr("Steps between two samples. They change nothing of what is learned."), step=10,
        )  # fmt: skip
        self._sample_every.setObjectName("sampleEverySpin")
        self._sample_every.setSuffix(self.tr(" steps"))
        self._sample_every.setSpecialValueText(self.tr("never"))
        self._sample_tokens = _spin(
            1, MAX_SAMPLE_TOKENS, self.tr("Sample length"), self.tr("Tokens that a sample adds to its prompt.")
        )
        self._sample_tokens.setObjectName("sampleTokensSpin")
        self._sample_tokens.setSuffix(self.tr(" tokens"))

    def _fill(self, settings: TrainSettings) -> None:
        self._block.setValue(settings.block_size)
        self._keep_limit_above_block(settings.block_size)
        self._passes.setValue(settings.num_passes)
        self._limit.setValue(self._limit.minimum() if settings.max_tokens is None else settings.max_tokens)
        self._rate.setValue(settings.learning_rate)
        self._batch.setValue(settings.batch_size)
        self._share.setValue(round(settings.held_out_share * 100))
        self._seed.setValue(settings.seed)
        self._objective.setCurrentIndex(self._objective.findData(settings.objective))
        self._compare.setChecked(settings.compare_unprotected)
        self._early_stop.setChecked(settings.early_stop)
        self._patience.setValue(settings.patience)
        self._patience.setEnabled(settings.early_stop)
        self._sample_prompt.setText(settings.sample_prompt)
        self._sample_every.setValue(settings.sample_every)
        self._sample_tokens.setValue(settings.sample_tokens)
        self._update_compare()

    def _update_compare(self) -> None:
        isolated = self._objective.currentData() == "isolated"
        self._compare.setEnabled(isolated and self._sleep.is_on())
        if not self._sleep.is_on():
            meaning = self.tr("Active Sleep is off under Advanced, so there is nothing to compare.")
        elif not isolated:
            meaning = self.tr("Possible with the isolated objective only: otherwise the mixer shapes the adapter too.")
        else:
            meaning = self.tr(
                "Trains a second Time Mixer without Active Sleep on the same batches. The charts show it beside the "
                "protected one; then it is thrown away."
            )
        self._compare.setToolTip(meaning)

    def _keep_limit_above_block(self, block: int) -> None:
        # One below a single block means "all".
        everything = self._limit.value() == self._limit.minimum()
        limit = max(block, self._limit.value())
        self._limit.setMinimum(block - 1)
        self._limit.setValue(self._limit.minimum() if everything else limit)


def _spin(low: int, high: int, name: str, meaning: str, step: int = 1) -> WholeBox:
    spin = WholeBox(low, high)
    spin.setSingleStep(step)
    bounds = tr("At least {low}.") if high == LARGEST_COUNT else tr("{low} to {high}.")
    _describe(spin, name, f"{meaning} {bounds.format(low=low, high=high)}" if low else meaning)
    return spin


def _describe(field: QWidget, name: str, meaning: str) -> None:
    field.setAccessibleName(name)
    field.setToolTip(meaning)
    field.setFixedWidth(field_width(field))
