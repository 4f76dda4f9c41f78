"""What Active Sleep costs: a training step with it and without it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import torch
from measure import Figure, interleaved, ratio

from sections.common import backbone, text_blocks
from tlora_gui.engine.backbones.loading import fingerprint
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import TrainSettings
from tlora_gui.engine.protocol.streams import drain
from tlora_gui.engine.training.epoch_run import EpochRun, train_epoch
from tlora_gui.engine.training.preparation import remember_dreams
from tlora_gui.temporal.model import TemporalLoRA

STEPS = 3


def figures(threads: int) -> Iterator[Figure]:
    torch.set_num_threads(threads)
    runs = interleaved({"asleep": _second_epoch(True), "awake": _second_epoch(False)})
    share = 100 * (1 - ratio(runs, "awake", "asleep"))
    detail = {"seconds_per_step": runs}
    yield Figure("sleep", "Active Sleep's share of a training step", share, "%", at_most=3.0, detail=detail)


def _second_epoch(asleep: bool) -> Steps:
    loaded = backbone()
    model = TemporalLoRA(loaded.model)
    drain(remember_dreams(model, fingerprint(loaded.model), CancelToken()))
    settings = TrainSettings(max_tokens=4096, held_out_tokens=512)
    model.add_adapter("first")
    blocks = text_blocks("Shakespeare", loaded.tokenizer, settings.max_tokens or 0)
    drain(train_epoch(model, "first", replace(blocks, train_NT=blocks.train_NT[:4]), settings, CancelToken()))
    model.add_adapter("second")
    settings = replace(settings, sleep=replace(settings.sleep, enabled=asleep), compare_unprotected=False)
    return Steps(EpochRun(model, "second", text_blocks("Python", loaded.tokenizer, 4096), settings))


class Steps:
    """Seconds per step of an epoch in training, always over the same text."""

    def __init__(self, run: EpochRun) -> None:
        self.run = run

    def __call__(self) -> float:
        self.run.step, steps, started = 0, self.run.steps(), time.perf_counter()
        for _ in range(STEPS):
            next(steps)
        return (time.perf_counter() - started) / STEPS
