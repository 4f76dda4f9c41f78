"""An adapter that is trained already gets its slot: the Time Mixer learns when it should speak.

It learns from text, or, where there is none, from what the adapter dreams; Active Sleep keeps what it knew of the
earlier slots. The adapter stays as it is, so all that is read of the text are router inputs, once.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass

import torch
from torch import Tensor

from tlora_gui.engine.corpus.blocks import TokenBlocks
from tlora_gui.engine.protocol.config import TrainSettings
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import HeldOut, Progress
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.training import dreams
from tlora_gui.engine.training.epoch_run import EVAL_FEATURE_TOKENS, mixer_learner, schedule
from tlora_gui.engine.training.evaluation import held_out_loss, routing_accuracies
from tlora_gui.temporal.active_sleep import EpochMemory, cut_windows
from tlora_gui.temporal.model import TemporalLoRA
from tlora_gui.temporal.time_mixer import TimeMixer


@dataclass(frozen=True, slots=True)
class SlotResult:
    """What it came to: losses in nats per token on held-out text, None where there is no text."""

    held_out_loss: float | None = None
    backbone_loss: float | None = None


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
    kept_N = torch.linspace(
        0, len(hidden_NTH) - 1, min(len(hidden_NTH), math.ceil(settings.sleep.memory_tokens / hidden_NTH.shape[1]))
    )
    replay_NWH = cut_windows(hidden_NTH[kept_N.long()])
    yield from teach_slot(model, before, hidden_NTH, replay_NWH, settings)
    some_NT = held_out_NT[: max(1, EVAL_FEATURE_TOKENS // held_out_NT.shape[1])]
    eval_NTH = yield from dreams.collect_router_features(model, some_NT, reading)
    memory = EpochMemory(replay_NWH, eval_NTH, None if blocks is None else blocks.held_out_NT.int())
    model.memories[slug] = memory
    if blocks is None:
        return SlotResult()
    measured_NT = held_out_NT[: max(1, settings.held_out_tokens // settings.block_size)]
    loss = yield from held_out_loss(model, measured_NT, slot)
    features = {name: known.eval_features_NTH for name, known in model.memories.items()}
    losses = []
    for name in model.slot_adapters:
        text_NT = model.memories[name].held_out_NT
        if text_NT is not None:
            text_NT = text_NT[: max(1, settings.held_out_tokens // text_NT.shape[1])].long()
            losses.append((name, (yield from held_out_loss(model, text_NT, "mixer"))))
    routing = routing_accuracies(model.mixer, model.slot_adapters, features)
    history.append(HeldOut(slug, 0, loss, routing, losses=tuple(losses)))
    return SlotResult(loss, (yield from held_out_loss(model, measured_NT, 0)))


def teach_slot(
    model: TemporalLoRA, before: TimeMixer, hidden_NTH: Tensor, replay_NWH: Tensor, settings: TrainSettings
) -> Generator[Progress, None, None]:
    """Teach the mixer the last slot from router inputs (N, T, H) of its text, and from its own memory (N, W, H) at the
    end.

    Raises:
        TloraError: if the mixer's weights come to what is no number.
    """
    learner = mixer_learner(model, before, settings)
    generator = torch.Generator().manual_seed(settings.seed % 2**64)
    total = settings.num_passes * len(hidden_NTH)
    for step in range(total):
        if step % len(hidden_NTH) == 0:
            order_N = torch.randperm(len(hidden_NTH), generator=generator)
        yield Progress(say("Teaching the Time Mixer"), step, total, say("steps"))
        row = order_N[step % len(hidden_NTH)]
        learner.learn(hidden_NTH[row][None].to(model.device), schedule(step, total), generator)
    if settings.sleep.memory_labels and settings.sleep.enabled:
        learner.calibrate(replay_NWH, generator)
    if not all(bool(weight.isfinite().all()) for weight in model.mixer.parameters()):
        raise TloraError(
            say("The Time Mixer came to no number (NaN)."),
            say("Choose other text, or delete an epoch that is damaged."),
        )


def dreamt_memory(model: TemporalLoRA, slot: int, settings: TrainSettings) -> Generator[Progress, None, EpochMemory]:
    """What an epoch leaves for later sleep, from its own dreams alone; the last few are only measured on.

    Raises:
        TloraError: if the adapter's probabilities are no numbers.
    """
    ids_NT = yield from dreams.dream(model, slot, dreams.DREAM_BLOCKS, settings.seed)
    count = min(len(ids_NT) - dreams.EVAL_BLOCKS, math.ceil(settings.sleep.memory_tokens / ids_NT.shape[1]))
    hidden_NTH = yield from dreams.collect_router_features(
        model, torch.cat([ids_NT[:count], ids_NT[-dreams.EVAL_BLOCKS :]])
    )
    return EpochMemory(cut_windows(hidden_NTH[:count]), hidden_NTH[count:])
