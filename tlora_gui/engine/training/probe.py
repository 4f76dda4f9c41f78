"""What a training would take, found out by a few of its steps on random tokens; then all is as it was before."""

from __future__ import annotations

import math
import threading
from collections.abc import Generator
from contextlib import AbstractContextManager
from dataclasses import replace
from types import TracebackType

import psutil
import torch
from torch import Tensor

from tlora_gui.engine.corpus.blocks import TokenBlocks
from tlora_gui.engine.protocol.config import SAMPLES, TrainSettings
from tlora_gui.engine.protocol.errors import out_of_memory
from tlora_gui.engine.protocol.events import Progress, TrainingEstimate
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.training.epoch_run import EpochRun, too_large
from tlora_gui.engine.training.evaluation import training_dtype
from tlora_gui.engine.training.memory_fit import free_memory
from tlora_gui.engine.training.pace import Pace
from tlora_gui.engine.training.router_inputs import IN_MEMORY, ON_DISK
from tlora_gui.temporal.active_sleep import EpochMemory
from tlora_gui.temporal.config import MEMORY_WINDOW
from tlora_gui.temporal.model import TemporalLoRA

STEPS = 3
"""The first warms up and does not count."""

_NAME = "\0probe"
_DREAMS = 32
"""Windows that stand for the backbone's dreams where it has not dreamed yet."""


Probed = dict[tuple[TrainSettings, tuple[str, ...]], tuple[Pace, int]]
"""What :func:`probe` has found, by what a step depends on: settings, and the epochs before."""


def _step_settings(settings: TrainSettings) -> TrainSettings:
    """The settings that a step depends on; all others as they are at first."""
    return TrainSettings(
        batch_size=settings.batch_size,
        block_size=settings.block_size,
        held_out_tokens=settings.held_out_tokens,
        objective=settings.objective,
        sleep=settings.sleep,
        compare_unprotected=settings.compare_unprotected,
    )


class PeakMemory(AbstractContextManager["PeakMemory"]):
    """The most memory that this process has meanwhile, in ``bytes``: resident, or allocated on a GPU."""

    def __init__(self, device: torch.device) -> None:
        self.bytes = 0
        self._device = device
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> PeakMemory:
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
        else:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._device.type == "cuda":
            self.bytes = torch.cuda.max_memory_allocated(self._device)
        else:
            self._over.set()
            self._thread.join()

    def _look(self) -> None:
        process = psutil.Process()
        while not self._over.wait(0.002):
            self.bytes = max(self.bytes, process.memory_info().rss)


def probe(model: TemporalLoRA, settings: TrainSettings, vocabulary: int) -> Generator[Progress, None, tuple[Pace, int]]:
    """Train a new epoch for STEPS steps on random tokens, measure it, and undo all of it, bit for bit.

    Returns:
        How long steps and a measurement take, and bytes at the peak, see :class:`PeakMemory`.

    Raises:
        TloraError: if the backbone computes no numbers.
        RuntimeError: if one block does not fit into memory.
    """
    random = torch.Generator().manual_seed(0)

    def ids(blocks: int) -> Tensor:
        return torch.randint(vocabulary, (blocks, settings.block_size), generator=random)

    blocks = TokenBlocks(ids(STEPS * settings.batch_size), ids(max(1, settings.held_out_tokens // settings.block_size)))
    dreamt = "" in model.memories
    if not dreamt:
        replay_NWH = torch.randn(_DREAMS, MEMORY_WINDOW, model.mixer.hidden_size, generator=random).half()
        model.memories[""] = EpochMemory(replay_NWH, replay_NWH)
    run = None
    try:
        with PeakMemory(model.device) as peak:
            model.add_adapter(_NAME, seed=settings.seed)
            run = EpochRun(model, _NAME, blocks, settings)
            steps = run.steps()
            for done in range(STEPS):
                yield Progress(say("Trying some steps"), done, STEPS, say("steps"))
                next(steps)
            for event in run.measure():
                if isinstance(event, Progress):
                    yield event
        return run.pace, peak.bytes
    finally:
        if run is not None:
            run.undo()
        elif _NAME in model.adapters:
            model.remove_adapter(_NAME)
        if not dreamt:
            del model.memories[""]


def estimate_training(
    model: TemporalLoRA, settings: TrainSettings, tokens: int, vocabulary: int, probed: Probed | None = None
) -> Generator[Progress, None, TrainingEstimate]:
    """Steps, time and memory of a training on a text of so many tokens.

    A batch is never larger than the text. Where memory has no room, the error says what to lower; else raises as
    :func:`probe`.

    Steps are not tried again that ``probed`` knows already; what is tried now is added to it.
    """
    earlier = len(model.slot_adapters)
    blocks = max(1, min(tokens, settings.max_tokens or tokens) // settings.block_size)
    settings = replace(settings, batch_size=min(settings.batch_size, blocks))
    alike = (_step_settings(settings), tuple(model.slot_adapters))
    found = None if probed is None else probed.get(alike)
    try:
        pace, peak = found or (yield from probe(model, settings, vocabulary))
    except Exception as error:
        if out_of_memory(error):
            raise too_large(settings, blocks) from error
        raise
    if probed is not None:
        probed[alike] = pace, peak
    steps_per_pass = math.ceil(blocks / settings.batch_size)
    steps = steps_per_pass * settings.num_passes
    inputs = blocks * settings.block_size * model.mixer.hidden_size * training_dtype(model).itemsize
    reread = settings.num_passes > 1 and inputs <= ON_DISK
    if settings.sample_every:  # a token of a sample is one pass over all blocks, as a block of a measurement is
        measured = max(1, settings.held_out_tokens // settings.block_size)
        pace.sample = settings.sample_tokens * pace.measurement / measured
    seconds = pace.left(
        settings,
        0,
        steps_per_pass,
        sample_every=max(settings.sample_every, math.ceil(steps / SAMPLES)) if settings.sample_every else 0,
        reread=reread,
        earlier=earlier,
        compared=settings.compares_baseline and earlier > 0,
    )
    held = (
        torch.cuda.memory_allocated(model.device) if model.device.type == "cuda" else psutil.Process().memory_info().rss
    )
    kept = 0 if model.device.type == "cuda" or settings.num_passes == 1 else min(inputs, IN_MEMORY)
    return TrainingEstimate(steps, seconds + pace.measurement, peak + kept, held + free_memory(model.device))
