"""What is known of a run, in words: its settings, its text, the machine and the software."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from tlora_gui.engine.protocol.events import Run, RunEnd
from tlora_gui.ui.formats import localised
from tlora_gui.ui.translation import tr, worded


def end_words(end: RunEnd) -> str:
    """How a run ended."""
    words: dict[RunEnd, str] = {
        "running": tr("in training"),
        "finished": tr("finished"),
        "stopped": tr("stopped early"),
        "interrupted": tr("interrupted"),
        "failed": tr("failed"),
        "discarded": tr("discarded"),
        "broken": tr("unreadable"),
    }
    return words[end]


def run_number(run: Run) -> int:
    """The number that a run has in its project."""
    return int(run.id.partition("-")[0])


def facts(run: Run) -> dict[str, str]:
    """Everything by its name, the settings first. What the list of runs shows already is left out."""
    if run.ended == "broken":
        return {tr("Reason"): worded(run.reason)}
    found = {_setting_words(name): value for name, value in _settings(run.settings)}
    found |= {
        tr("Text"): "\n".join(run.epoch.corpus),
        tr("Fingerprint of the text"): run.epoch.corpus_fingerprint[:12],
        tr("Backbone"): run.backbone,
        tr("Remark"): worded(run.reason or run.epoch.note),
    }
    if machine := run.machine:
        found |= {
            tr("Processor"): machine.processor,
            tr("Cores"): str(machine.cores),
            tr("Threads"): str(machine.threads),
            tr("Device"): machine.device,
        }
    return found | dict(run.versions)


def differences(runs: Sequence[Run]) -> list[tuple[str, tuple[str, ...]]]:
    """Facts by name, with a value for each run: of several only those in which they differ, of one all it has."""
    known = [facts(run) for run in runs]
    names = dict.fromkeys(name for each in known for name in each)
    rows = [(name, tuple(each.get(name, "") for each in known)) for name in names]
    return [(name, values) for name, values in rows if (len(set(values)) > 1 if len(runs) > 1 else any(values))]


def _settings(settings: Any, within: str = "") -> Iterator[tuple[str, str]]:
    """Names and values, those of settings within settings too."""
    for field in fields(settings):
        value = getattr(settings, field.name)
        if is_dataclass(value):
            yield from _settings(value, f"{field.name}.")
        else:
            yield within + field.name, _value_words(field.name, value)


def _value_words(name: str, value: object) -> str:
    match value:
        case bool():
            return tr("yes") if value else tr("no")
        case None:
            return tr("all")
        case int() | float():
            return localised(f"{value:,}" if isinstance(value, int) else f"{value:g}")
        case str() if name in ("objective", "source"):
            choices = {
                "isolated": tr("isolated"), "joint": tr("joint"),
                "features": tr("features of the text"), "features-without-text": tr("features without text"),
                "dreams": tr("dreams of the epoch (text-free)"),
            }  # fmt: skip
            return choices[value]
        case _:
            return str(value)


def _setting_words(name: str) -> str:
    words = {
        "num_passes": tr("Passes"),
        "max_tokens": tr("Tokens per pass"),
        "learning_rate": tr("Learning rate"),
        "mixer_learning_rate": tr("Learning rate of the mixer"),
        "batch_size": tr("Batch size"),
        "block_size": tr("Block size"),
        "held_out_share": tr("Held-out share"),
        "held_out_tokens": tr("Held-out tokens measured"),
        "eval_every": tr("Steps between measurements"),
        "objective": tr("Objective"),
        "compare_unprotected": tr("Compared without Active Sleep"),
        "seed": tr("Seed"),
        "early_stop": tr("Early stop"),
        "patience": tr("Patience"),
        "sample_prompt": tr("Prompt of the samples"),
        "sample_every": tr("Steps between samples"),
        "sample_tokens": tr("Tokens of a sample"),
        "sleep.enabled": tr("Active Sleep"),
        "sleep.source": tr("Kept for later sleep"),
        "sleep.memory_labels": tr("Memories know their epoch"),
        "sleep.sleep_weight": tr("Weight of the distill loss"),
        "sleep.temperature": tr("Temperature of the distillation"),
        "sleep.route_weight": tr("Weight of the routing loss"),
        "sleep.memory_tokens": tr("Memory tokens"),
        "sleep.batch_tokens": tr("Memory tokens per block"),
    }
    return words.get(name, name)
