"""An adapter that is trained already gets its slot: the Time Mixer learns when it should speak.

It learns from text, or, where there is none, from what the adapter dreams; Active Sleep keeps what it knew of the
earlier slots. The adapter stays as it is, so all that is read of the text are router inputs, once.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from tlora_gui.engine.corpus.blocks import TokenBlocks
from tlora_gui.engine.corpus.token_store import rows_of
from tlora_gui.engine.protocol.config import TrainSettings
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import HeldOut, Progress
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.training import dreams
from tlora_gui.engine.training.epoch_run import EVAL_FEATURE_TOKENS, mixer_learner, schedule
from tlora_gui.engine.training.evaluation import held_out_loss, routing_accuracies
from tlora_gui.temporal.active_sleep import EpochMemory, cut_windows, freeze_teacher
from tlora_gui.temporal.lora import LoraWeights
from tlora_gui.temporal.model import TemporalLoRA
from tlora_gui.temporal.switching import count_tokens
from tlora_gui.temporal.time_mixer import TimeMixer


@dataclass(frozen=True, slots=True)
class SlotResult:
    """What it came to: losses in nats per token on held-out text, None where there is no text."""

    held_out_loss: float | None = None
    backbone_loss: float | None = None


@contextmanager
def grown_slot(model: TemporalLoRA, slug: str, era: str, weights: LoraWeights) -> Iterator[TimeMixer]:
    """Give a trained adapter the last slot; the model is as it was if what is done with it then fails.

    Gives a frozen copy of the mixer without that slot.
    """
    before = freeze_teacher(model.mixer)
    try:
        model.add_adapter(slug, era, trained=weights)
        model.mixer.add_slot()
        model.set_slots([*model.slot_adapters, slug], model.mixer)
        yield before
    except BaseException:
        if slug in model.adapters:
            model.remove_adapter(slug)
        model.mixer = before.requires_grad_(True)
        raise


def learn_slot(
    model: TemporalLoRA,
    slug: str,
    before: TimeMixer,
    blocks: TokenBlocks | None,
    settings: TrainSettings,
    history: list[HeldOut],
) -> Generator[Progress, None, SlotResult]:
    """Teach the mixer the last slot, leave the epoch's memory in the model, and measure.

    Args:
        model: has the frozen adapter in its last slot, and ``model.memories`` of slot 0 ("") and earlier epochs.
        slug: the adapter.
        before: a frozen copy of the mixer without that slot.
        blocks: text of the adapter's kind; None to take what it dreams.
        settings: of the mixer's part of a training.
        history: takes the measurement, where there is text.

    Raises:
        TloraError: if the adapter's probabilities or the mixer's weights are no numbers.
    """
    slot = len(model.slot_adapters)
    if blocks is None:
        ids_NT = yield from dreams.dream(model, slot, dreams.DREAM_BLOCKS, settings.seed)
        learned_NT, held_out_NT = ids_NT[: -dreams.EVAL_BLOCKS], ids_NT[-dreams.EVAL_BLOCKS :]
    else:
        learned_NT, held_out_NT = blocks.train_NT, blocks.held_out_NT
    reading = say("Reading what the Time Mixer is to know it by")
    hidden_NTH = yield from dreams.collect_router_features(model, learned_NT, reading)
    remembered = _spread(hidden_NTH, settings.sleep.memory_tokens)
    replay_NWH, read_NW = cut_windows(hidden_NTH[remembered]), cut_windows(rows_of(learned_NT, remembered)).int()
    counts = count_tokens(learned_NT), dreams.dream_counts(model)
    memory = EpochMemory(replay_NWH, replay_NWH, None, (), read_NW, *counts)
    model.memories[slug] = memory
    yield from _teach(model, before, hidden_NTH, 1, replay_NWH, settings)
    some_NT = held_out_NT[: max(1, EVAL_FEATURE_TOKENS // held_out_NT.shape[1])]
    eval_NTH = yield from dreams.collect_router_features(model, some_NT, reading)
    held_out = None if blocks is None else blocks.held_out_NT.int()
    model.memories[slug] = replace(memory, eval_features_NTH=eval_NTH, held_out_NT=held_out)
    if blocks is None:
        return SlotResult()
    measured_NT = held_out_NT[: max(1, settings.held_out_tokens // settings.block_size)]
    loss = yield from held_out_loss(model, measured_NT, slot)
    losses = []
    for name in model.slot_adapters:
        text_NT = model.memories[name].held_out_NT
        if text_NT is not None:
            text_NT = text_NT[: max(1, settings.held_out_tokens // text_NT.shape[1])].long()
            losses.append((name, (yield from held_out_loss(model, text_NT, "mixer"))))
    routing = routing_accuracies(model, model.mixer, model.memories)
    history.append(HeldOut(slug, 0, loss, routing, losses=tuple(losses)))
    return SlotResult(loss, (yield from held_out_loss(model, measured_NT, 0)))


def learn_slot_again(
    model: TemporalLoRA, before: TimeMixer, memory: EpochMemory, settings: TrainSettings
) -> Generator[Progress, None, None]:
    """Teach the mixer the last slot by what its epoch remembers, again and again until it has read as many tokens as
    :func:`learn_slot` reads of a long text.
    """
    window = memory.replay_NWH.shape[1]
    tokens = settings.max_tokens or len(memory.replay_NWH) * window
    hidden_NWH = memory.replay_NWH[_spread(memory.replay_NWH, tokens)]
    passes = math.ceil(settings.num_passes * tokens / (len(hidden_NWH) * window))
    rows = max(1, settings.block_size // window)
    yield from _teach(model, before, hidden_NWH, rows, memory.replay_NWH, replace(settings, num_passes=passes))


def _spread(blocks_NTX: Tensor, tokens: int) -> Tensor:
    """Numbers of blocks that hold about so many tokens, from everywhere among these (N, T, …)."""
    count = min(len(blocks_NTX), math.ceil(tokens / blocks_NTX.shape[1]))
    return torch.linspace(0, len(blocks_NTX) - 1, count).long()


def _teach(
    model: TemporalLoRA, before: TimeMixer, hidden_NTH: Tensor, rows: int, replay_NWH: Tensor, settings: TrainSettings
) -> Generator[Progress, None, None]:
    """Teach the mixer its last slot by router inputs (N, T, H), so many rows a step, and calibrate it by its memory."""
    learner = mixer_learner(model, before, settings)
    generator = torch.Generator().manual_seed(settings.seed % 2**64)
    steps = math.ceil(len(hidden_NTH) / rows)
    total = settings.num_passes * steps
    for step in range(total):
        if step % steps == 0:
            order = torch.randperm(len(hidden_NTH), generator=generator).split(rows)
        yield Progress(say("Teaching the Time Mixer"), step, total, say("steps"))
        learner.learn(hidden_NTH[order[step % steps]].to(model.device), schedule(step, total), generator)
    model.mixer.admit()
    if settings.sleep.memory_labels and settings.sleep.enabled:
        learner.calibrate(replay_NWH, generator)
        model.fit_switching(generator)
    if not all(bool(weight.isfinite().all()) for weight in model.mixer.parameters()):
        raise TloraError(
            say("The Time Mixer came to no number (NaN)."),
            say("Choose other text, or delete an epoch that is damaged."),
        )
