"""Training one epoch: ``train_epoch(...)`` yields what happens and returns what the epoch leaves behind.

Each step learns

    total = adapter_loss + sleep_weight · mixer_distill_loss + route_weight · route_loss

Two objectives. *isolated* (default): the adapter learns alone at weight 1, as plain LoRA would, while the mixer
learns from routing and sleep only; the two do not touch each other, so a second mixer without Active Sleep can be
trained beside on the very same steps. *joint*: the cross-entropy goes through the mixture, as in the source.

The mixer takes one step per block of the batch, each with memories of its own: it is tiny, and four small steps teach
it more than one large one (measured: 16 batches of 512 tokens route 0.97 of held-out Shakespeare right, against 0.00).

The first epoch has no teacher and no earlier epoch: its distill loss is 0, and the backbone's dreams are labelled
instead, since slot 0 has to be learned from something.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from tlora_gui.engine.backbones import context_length
from tlora_gui.engine.blocks import TokenBlocks
from tlora_gui.engine.cancel import CancelToken
from tlora_gui.engine.config import TrainSettings
from tlora_gui.engine.errors import Cancelled, TloraError
from tlora_gui.engine.evaluation import held_out_loss, next_token_loss, routing_accuracies, training_precision
from tlora_gui.engine.events import PerEpoch, HeldOut, Progress, TrainStep
from tlora_gui.temporal.active_sleep import (
    EpochMemory,
    cut_windows,
    draw_windows,
    freeze_teacher,
    mixer_distill_loss,
    route_loss,
    to_memory,
)
from tlora_gui.temporal.model import Blend, TemporalLoRA
from tlora_gui.temporal.time_mixer import TimeMixer

WARM_UP_STEPS = 10
PROBE_TOKENS = 1024
CHECKPOINT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class EpochResult:
    """What training left: losses in nats per token on held-out text, tokens read, and the memory for later sleep."""

    held_out_loss: float
    backbone_loss: float
    tokens: int
    memory: EpochMemory


def require_context(model: TemporalLoRA, block_size: int) -> None:
    """Refuse blocks that the backbone cannot read.

    Raises:
        TloraError: if they are longer than its context.
    """
    if block_size > (limit := context_length(model.backbone)):
        raise TloraError(
            f"Blocks of {block_size:,} tokens are too long: the backbone reads at most {limit:,}.",
            "Choose shorter blocks.",
        )


def train_epoch(
    model: TemporalLoRA,
    slug: str,
    blocks: TokenBlocks,
    settings: TrainSettings,
    cancel: CancelToken,
    run: EpochRun | None = None,
    checkpoint: Callable[[EpochRun], None] | None = None,
) -> Generator[Progress | TrainStep | HeldOut, None, EpochResult]:
    """Train adapter ``slug`` and the mixer; freeze the adapter at the end.

    Args:
        model: already has the adapter (``add_adapter``), and ``model.memories`` of slot 0 ("") and earlier epochs.
        slug: the adapter.
        blocks: the epoch's text.
        settings: how.
        cancel: *keep* finishes early with what is learned; *suspend* checkpoints; *discard* removes the adapter.
        run: a restored run to go on with.
        checkpoint: called about once a minute and on suspend.

    Raises:
        Cancelled: on discard and suspend.
    """
    run = run or EpochRun(model, slug, blocks, settings)
    try:
        yield from _learn_until_done(run, cancel, checkpoint)
        held_out = yield from run.measure()
        model.finish_epoch(slug)
        yield Progress("Leaving a memory for later sleep")
        memory = model.memories[slug] = leave_memory(model, blocks, settings)
        backbone_loss = yield from held_out_loss(model, run.held_out_NT, 0)
        if cancel.mode == "discard":
            raise Cancelled
    except BaseException:  # cancelled, failed or closed: the model is as it was before
        run.undo()
        raise
    return EpochResult(held_out, backbone_loss, run.tokens, memory)


def _learn_until_done(
    run: EpochRun, cancel: CancelToken, checkpoint: Callable[[EpochRun], None] | None
) -> Generator[Progress | TrainStep | HeldOut, None, None]:
    if run.step == 0:
        yield from run.measure()
    saved_at = time.monotonic()
    for step in run.steps():
        yield step
        if run.step % run.settings.eval_every == 0 and run.step < run.total_steps:
            yield from run.measure()
        if cancel.mode == "keep":
            return
        due = cancel.mode == "suspend" or (cancel.mode is None and time.monotonic() - saved_at > CHECKPOINT_SECONDS)
        if checkpoint and due:
            checkpoint(run)
            saved_at = time.monotonic()
        cancel.raise_if_cancelled()


class EpochRun:
    """An epoch between its first and last step: everything that a checkpoint must hold.

    Order of blocks and replayed windows derive from the seed and the step's number, so a restored run goes on
    exactly as an uninterrupted one.
    """

    def __init__(self, model: TemporalLoRA, slug: str, blocks: TokenBlocks, settings: TrainSettings) -> None:
        self.model = model
        self.slug = slug
        self.blocks = blocks
        self.settings = settings
        self.step = 0
        self._probe_NTH = probe_features(model, blocks, settings.block_size)
        self._before = freeze_teacher(model.mixer)
        self.teacher = self._before if model.slot_adapters else None
        model.begin_epoch(slug)
        self.slot = len(model.slot_adapters)
        compare = settings.compare_unprotected and settings.objective == "isolated" and settings.sleep.enabled
        self.unprotected = copy.deepcopy(model.mixer) if compare and self.teacher else None
        self.adapter = list(model.adapter_parameters(slug).values())
        mixers = [mixer for mixer in (model.mixer, self.unprotected) if mixer is not None]
        self.optimizer = torch.optim.AdamW(
            [
                {"params": self.adapter, "peak": settings.learning_rate, "weight_decay": 0.0},
                {
                    "params": [parameter for mixer in mixers for parameter in mixer.parameters()],
                    "peak": settings.mixer_learning_rate,
                    "weight_decay": 0.01,
                },
            ]
        )

    @property
    def steps_per_pass(self) -> int:
        return math.ceil(len(self.blocks.train_NT) / self.settings.batch_size)

    @property
    def total_steps(self) -> int:
        return self.steps_per_pass * self.settings.num_passes

    @property
    def tokens(self) -> int:
        """Training tokens read so far."""
        turn, place = divmod(self.step, self.steps_per_pass)
        every = len(self.blocks.train_NT)
        return (turn * every + min(place * self.settings.batch_size, every)) * self.settings.block_size

    @property
    def held_out_NT(self) -> Tensor:
        """The held-out blocks that a measurement during training reads."""
        return self.blocks.held_out_NT[: max(1, self.settings.held_out_tokens // self.settings.block_size)]

    def steps(self) -> Iterator[TrainStep]:
        """Run the remaining steps, one per item."""
        pace = 0.0
        while self.step < self.total_steps:
            started = time.perf_counter()
            batch_BT = self._batch()
            adapter_loss, distill, route, rate = self._learn(batch_BT.to(self.model.device))
            self.step += 1
            seconds = time.perf_counter() - started
            pace = seconds if not pace else 0.9 * pace + 0.1 * seconds
            yield TrainStep(
                slug=self.slug,
                step=self.step,
                total_steps=self.total_steps,
                adapter_loss=adapter_loss,
                mixer_distill_loss=distill,
                route_loss=route,
                learning_rate=rate,
                tokens=self.tokens,
                tokens_per_second=batch_BT.numel() / pace,
                eta_s=(self.total_steps - self.step) * pace,
            )

    def measure(self) -> Generator[Progress | HeldOut, None, float]:
        """Held-out loss of the epoch alone, and routing accuracy of every epoch so far; returns the loss."""
        loss = yield from held_out_loss(self.model, self.held_out_NT, self.slot)
        probes = {slug: memory.probe_NTH for slug, memory in self.model.memories.items()} | {self.slug: self._probe_NTH}
        routing = routing_accuracies(self.model.mixer, self.model.slot_adapters, probes)
        unprotected: PerEpoch = ()
        if self.unprotected is not None:
            unprotected = routing_accuracies(self.unprotected, self.model.slot_adapters, probes)
        yield HeldOut(self.slug, self.step, loss, routing, unprotected)
        return loss

    def undo(self) -> None:
        """Take the epoch out of the model and put the mixer back as it was before."""
        self.model.remove_adapter(self.slug)
        self.model.mixer = copy.deepcopy(self._before).requires_grad_(True)

    def _batch(self) -> Tensor:
        turn, place = divmod(self.step, self.steps_per_pass)
        generator = torch.Generator().manual_seed(self.settings.seed * 1_000_003 + turn)
        order = torch.randperm(len(self.blocks.train_NT), generator=generator)
        size = self.settings.batch_size
        return self.blocks.train_NT[order[place * size : (place + 1) * size]]

    def _learn(self, ids_BT: Tensor) -> tuple[float, float, float, float]:
        """One optimiser step; returns adapter loss, distill loss, route loss and learning rate."""
        rate = self._schedule()
        blend: Blend = "mixer" if self.settings.objective == "joint" else self.slot
        with training_precision(ids_BT.device):
            output = self.model(ids_BT, blend)
        adapter_loss = next_token_loss(output.logits_BTV, ids_BT)
        self.optimizer.zero_grad(set_to_none=True)
        adapter_loss.backward()  # type: ignore[no-untyped-call]
        clip_grad_norm_(self.adapter, 1.0)
        distill, route = self._teach_mixers(output.hidden_BTH.detach())
        return adapter_loss.item(), distill, route, rate

    def _teach_mixers(self, hidden_BTH: Tensor) -> tuple[float, float]:
        """One optimiser step per block: the mixer is small and needs more, smaller steps than the adapter.

        The first step also moves the adapter, whose gradient is there already. Returns mean distill and route loss.
        """
        sleep, distills, routes = self.settings.sleep, [], []
        replays = self._replays(len(hidden_BTH))
        for hidden_1TH, replay_NWH in zip(hidden_BTH.split(1), replays, strict=True):
            route = self._route(self.model.mixer, hidden_1TH, replay_NWH)
            distill = self._distill(replay_NWH)
            total = sleep.sleep_weight * distill + sleep.route_weight * route
            if self.unprotected is not None:
                total = total + sleep.route_weight * self._route(self.unprotected, hidden_1TH, None)
            total.backward()
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
            distills.append(distill.item())
            routes.append(route.item())
        return sum(distills) / len(distills), sum(routes) / len(routes)

    def _schedule(self) -> float:
        """Linear warm-up, then cosine to 5 % of the peak; the adapter's rate is returned."""
        warm_up = min(1.0, (self.step + 1) / WARM_UP_STEPS)
        decay = 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * self.step / self.total_steps))
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * warm_up * decay
        return float(self.optimizer.param_groups[0]["lr"])

    def _replays(self, count: int) -> Iterator[Tensor | None]:
        """For each of ``count`` blocks, memories of the slots so far, if asleep.

        For the first epoch they are the backbone's dreams, later also the earlier epochs'.
        """
        slugs = [slug for slug in ("", *self.model.slot_adapters) if slug != self.slug and slug in self.model.memories]
        memories = [self.model.memories[slug].replay_NWH for slug in slugs]
        awake = self.teacher is not None and not self.settings.sleep.enabled
        generator = torch.Generator().manual_seed(self.settings.seed * 1_000_003 + self.step)
        for _ in range(count):
            if memories and not awake:
                yield draw_windows(memories, self.settings.sleep.batch_tokens, generator).to(self.model.device)
            else:
                yield None

    def _route(self, mixer: TimeMixer, hidden_BTH: Tensor, replay_NWH: Tensor | None) -> Tensor:
        loss = route_loss(mixer(hidden_BTH)[0], self.slot)
        if self.teacher is None and replay_NWH is not None:
            loss = loss + route_loss(mixer(replay_NWH)[0], 0)
        return loss

    def _distill(self, replay_NWH: Tensor | None) -> Tensor:
        if self.teacher is None or replay_NWH is None:
            return torch.zeros((), device=self.model.device)
        return mixer_distill_loss(
            self.model.mixer(replay_NWH)[0], self.teacher(replay_NWH)[0], self.settings.sleep.temperature
        )

    # -- checkpoints --------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Tensor]:
        """Adapter, mixers, teacher, optimiser state and step, flat, for safetensors."""
        adapter = self.model.adapter_parameters(self.slug)
        state: dict[str, Tensor] = {f"adapter.{name}": value for name, value in adapter.items()}
        for part, module in self._mixers().items():
            state |= {f"{part}.{name}": value for name, value in module.state_dict().items()}
        for index, slot in self.optimizer.state_dict()["state"].items():
            state |= {f"optimizer.{index}.{name}": value for name, value in slot.items()}
        state["step"] = torch.tensor(self.step)
        return {name: value.detach().cpu().contiguous().clone() for name, value in state.items()}

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on from :meth:`state_dict`.

        Raises:
            ValueError: if the earlier epochs or the mixer are no longer what they were at the checkpoint.
            KeyError, RuntimeError: if something is missing or of another shape.
        """
        then = {name.removeprefix("teacher."): value for name, value in state.items() if name.startswith("teacher.")}
        now = self.teacher.state_dict() if self.teacher else {}
        if then.keys() != now.keys() or any(not torch.equal(then[name], now[name].cpu()) for name in now):
            raise ValueError("the epochs before it have changed since its training was interrupted")
        for name, parameter in self.model.adapter_parameters(self.slug).items():
            parameter.copy_(state[f"adapter.{name}"])
        for part, module in self._mixers().items():
            module.load_state_dict(
                {name.removeprefix(f"{part}."): v for name, v in state.items() if name.startswith(f"{part}.")}
            )
        whole: dict[str, Any] = self.optimizer.state_dict()
        for name, value in state.items():
            if name.startswith("optimizer."):
                _, index, key = name.split(".", 2)
                whole["state"].setdefault(int(index), {})[key] = value
        self.optimizer.load_state_dict(whole)
        self.step = int(state["step"])

    def _mixers(self) -> dict[str, TimeMixer]:
        parts = {"mixer": self.model.mixer, "teacher": self.teacher, "unprotected": self.unprotected}
        return {name: mixer for name, mixer in parts.items() if mixer is not None}


@torch.no_grad()
def probe_features(model: TemporalLoRA, blocks: TokenBlocks, block_size: int) -> Tensor:
    """What the mixer reads over a few held-out blocks (N, T, H)."""
    return to_memory(model.features(blocks.held_out_NT[: max(1, PROBE_TOKENS // block_size)].to(model.device)))


@torch.no_grad()
def leave_memory(model: TemporalLoRA, blocks: TokenBlocks, settings: TrainSettings) -> EpochMemory:
    """An even sample of the training text's router inputs for replay, and held-out ones for measuring."""
    count = max(1, min(len(blocks.train_NT), settings.sleep.memory_tokens // settings.block_size))
    places = torch.linspace(0, len(blocks.train_NT) - 1, count).long()
    parts = [model.features(part.to(model.device)) for part in blocks.train_NT[places].split(8)]
    replay_NWH = torch.cat([cut_windows(part) for part in parts])
    return EpochMemory(replay_NWH, probe_features(model, blocks, settings.block_size))
