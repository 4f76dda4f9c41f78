"""Training one epoch: ``train_epoch(...)`` yields what happens and returns what the epoch leaves behind.

Each step learns

    total = adapter_loss + sleep_weight · mixer_distill_loss + route_weight · route_loss

Two objectives. *isolated* (default): the adapter learns alone at weight 1, as plain LoRA would, while the mixer
learns from routing and sleep only; the two do not touch each other, so a second mixer without Active Sleep can be
trained beside on the very same steps. *joint*: the cross-entropy goes through the mixture, as in the source.

The mixer takes one step per block of the batch, each with memories of its own: it is tiny, and four small steps teach
it more than one large one (measured: 16 batches of 512 tokens route 0.97 of held-out Shakespeare right, against 0.00).

The first epoch has no teacher and no earlier epoch: its distill loss is 0, and the backbone's dreams are labelled
instead, since slot 0 has to be learned from something. With ``memory_labels`` every memory is labelled, always, and a
short calibration on memories alone ends the training.
"""

from __future__ import annotations

import copy
import logging
import math
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import reduce
from statistics import fmean
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from tlora_gui.engine.backbones.loading import context_length
from tlora_gui.engine.corpus.blocks import TokenBlocks, block_digests
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import TrainSettings
from tlora_gui.engine.protocol.errors import Cancelled, TloraError, cause, out_of_memory
from tlora_gui.engine.protocol.events import HeldOut, PerEpoch, Progress, TrainStep, Warned
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.protocol.streams import cancellable
from tlora_gui.engine.storage.disk import first_line
from tlora_gui.engine.training.dreams import collect_router_features, dream, dream_length, router_features
from tlora_gui.engine.training.evaluation import held_out_loss, routing_accuracies, training_precision
from tlora_gui.engine.training.memory_fit import MemoryFit, memory_fit
from tlora_gui.engine.training.router_inputs import RouterInputs
from tlora_gui.temporal.active_sleep import EpochMemory, MixerLearner, cut_windows, freeze_teacher
from tlora_gui.temporal.blend import Blend
from tlora_gui.temporal.config import require
from tlora_gui.temporal.model import TemporalLoRA

WARM_UP_STEPS = 10
EVAL_FEATURE_TOKENS = 1024
KEPT_HELD_OUT = 4096
"""Tokens of held-out text that an epoch leaves for later measurements; those during training read fewer."""

CHECKPOINT_SECONDS = 60.0

logger = logging.getLogger(__name__)


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
            say(
                "Blocks of {block_size:,} tokens are too long: the backbone reads at most {limit:,}.",
                block_size=block_size,
                limit=limit,
            ),
            say("Choose shorter blocks."),
        )


def train_epoch(
    model: TemporalLoRA,
    slug: str,
    blocks: TokenBlocks,
    settings: TrainSettings,
    cancel: CancelToken,
    run: EpochRun | None = None,
    checkpoint: Callable[[EpochRun], None] | None = None,
) -> Generator[Progress | TrainStep | HeldOut | Warned, None, EpochResult]:
    """Train adapter ``slug`` and the mixer; freeze the adapter at the end.

    Args:
        model: already has the adapter (``add_adapter``), and ``model.memories`` of slot 0 ("") and earlier epochs.
        slug: the adapter.
        blocks: the epoch's text.
        settings: how.
        cancel: *keep* finishes early with what is learned; *suspend* checkpoints; *discard* removes the adapter.
        run: a restored run to go on with.
        checkpoint: called about once a minute, and at every end but a discarded or a finished one. What it raises is
            a warning, and the training goes on.

    Raises:
        Cancelled: on discard and suspend.
        TloraError: if the training came to what is no number, or memory ran out.
    """
    run = run or EpochRun(model, slug, blocks, settings)
    try:
        yield from _learn_until_done(run, cancel, checkpoint)
        return (yield from cancellable(run.finish(), cancel, ("discard", "suspend")))
    except BaseException as end:  # cancelled, failed or closed: the model is as it was before
        discarded = isinstance(end, Cancelled) and cancel.mode == "discard"
        try:
            warnings = [] if discarded else keep(run, checkpoint)
        finally:
            run.undo()
        if not isinstance(end, GeneratorExit):
            yield from warnings
        if out_of_memory(end):
            raise _too_large(settings) from end
        raise


def _learn_until_done(
    run: EpochRun, cancel: CancelToken, checkpoint: Callable[[EpochRun], None] | None
) -> Generator[Progress | TrainStep | HeldOut | Warned, None, None]:
    """Steps and measurements to the last, or until they are to end early."""
    saved_at, last = time.monotonic(), None
    steps = run.steps()
    while True:
        if run.step % run.settings.eval_every == 0 and run.step < run.total_steps and run.measured_at != run.step:
            yield from cancellable(run.measure(), cancel, ("discard", "suspend"))
        if cancel.mode in ("discard", "suspend"):
            raise Cancelled
        if cancel.mode is None and time.monotonic() - saved_at > CHECKPOINT_SECONDS:
            for warning in keep(run, checkpoint):
                if warning != last:
                    yield warning
                last = warning
            saved_at = time.monotonic()
        if cancel.mode == "keep" and run.step:
            return
        step = next(steps, None)
        if step is None:
            return
        yield step


def keep(run: EpochRun, checkpoint: Callable[[EpochRun], None] | None) -> list[Warned]:
    """Make a checkpoint, if there is anything to keep; a failure is a warning, it does not end the training."""
    if checkpoint is None or run.step == 0:
        return []
    try:
        checkpoint(run)
    except Exception as error:
        logger.exception("a checkpoint of %s failed", run.slug)
        reason = cause(error) if isinstance(error, OSError) else first_line(error)
        return [
            Warned(
                say("No checkpoint of the training can be written: {reason}.", reason=reason),
                say("Make room or give access there."),
            )
        ]
    return []


def _too_large(settings: TrainSettings) -> TloraError:
    smaller: list[str] = []
    if settings.batch_size > 1:
        smaller.append(
            say(
                "a batch size of {smaller} instead of {size}",
                smaller=settings.batch_size // 2,
                size=settings.batch_size,
            )
        )
    if settings.block_size >= 32:
        smaller.append(
            say(
                "a block size of {smaller} instead of {size}",
                smaller=settings.block_size // 2,
                size=settings.block_size,
            )
        )
    smaller = smaller or [say("a smaller backbone")]
    return TloraError(
        say("There was not enough memory for the training."),
        say(
            "Close what else needs memory, or train with {smaller}.",
            smaller=reduce(lambda one, other: say("{one} or {other}", one=one, other=other), smaller),
        ),
    )


class EpochRun:
    """An epoch between its first and last step: everything that a checkpoint must hold.

    Order of blocks and replayed windows derive from the seed and the step's number, so a restored run goes on
    exactly as an uninterrupted one.

    Attributes:
        step: steps that are done.
        measured_at: the step after which held-out text was last measured; -1 before.
    """

    def __init__(self, model: TemporalLoRA, slug: str, blocks: TokenBlocks, settings: TrainSettings) -> None:
        self.model = model
        self.slug = slug
        self.blocks = blocks
        self.settings = settings
        require(
            len(blocks.train_NT) > 0 and len(blocks.held_out_NT) > 0, say("there is no text to train or measure on")
        )
        self.step = 0
        self.measured_at = -1
        self._eval_features_NTH = eval_features(model, blocks, settings.block_size)
        self._before = freeze_teacher(model.mixer)
        earlier = ["", *model.slot_adapters]
        model.begin_epoch(slug)
        self.slot = len(model.slot_adapters)
        teacher = self._before if self.slot > 1 else None
        protected = settings.sleep.enabled or teacher is None
        memories = {
            slot: model.memories[name].replay_NWH
            for slot, name in enumerate(earlier)
            if protected and name in model.memories
        }
        rate = settings.mixer_learning_rate
        self.learner = MixerLearner(model.mixer, teacher, memories, settings.sleep, rate)
        self.baseline: MixerLearner | None = None
        if teacher is not None and settings.compares_baseline:
            self.baseline = MixerLearner(copy.deepcopy(model.mixer), teacher, {}, settings.sleep, rate)
        self.adapter = list(model.adapter_parameters(slug).values())
        fused = model.device.type in ("cpu", "cuda")
        self.optimizer = torch.optim.AdamW(self.adapter, lr=settings.learning_rate, weight_decay=0.0, fused=fused)
        self._memory_fit: MemoryFit | None = None
        self._good: dict[str, Tensor] = {}
        self._order: tuple[int, Tensor] | None = None
        self._router_inputs = RouterInputs(model, blocks.train_NT, settings.batch_size, keep=settings.num_passes > 1)

    @property
    def steps_per_pass(self) -> int:
        return math.ceil(len(self.blocks.train_NT) / self.settings.batch_size)

    @property
    def total_steps(self) -> int:
        return self.steps_per_pass * self.settings.num_passes

    @property
    def tokens(self) -> int:
        """Training tokens read so far."""
        pass_index, step_in_pass = divmod(self.step, self.steps_per_pass)
        every = len(self.blocks.train_NT)
        return (pass_index * every + min(step_in_pass * self.settings.batch_size, every)) * self.settings.block_size

    @property
    def held_out_NT(self) -> Tensor:
        """The held-out blocks that a measurement during training reads."""
        return self.blocks.held_out_NT[: max(1, self.settings.held_out_tokens // self.settings.block_size)]

    def steps(self) -> Iterator[TrainStep]:
        """Run the remaining steps, one per item.

        Raises:
            TloraError: if a loss or a weight is no longer a number; the step before counts as the last.
        """
        pace = 0.0
        while self.step < self.total_steps:
            started = time.perf_counter()
            rows_B = self.batch()
            adapter_loss, gradient_norm, distill, route, rate = self.learn(rows_B)
            self._require_numbers(adapter_loss, distill + route)
            self._good = self._state(self.step + 1)
            self.step += 1
            seconds = max(1e-6, time.perf_counter() - started)
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
                tokens_per_second=len(rows_B) * self.settings.block_size / pace,
                eta_s=(self.total_steps - self.step) * pace,
                gradient_norm=gradient_norm,
            )

    def measure(self) -> Generator[Progress | HeldOut, None, None]:
        """Held-out loss of the epoch alone, and routing accuracy of every epoch so far."""
        measured = yield from self._measured()
        self.measured_at = self.step
        yield measured

    def finish(self) -> Generator[Progress | HeldOut, None, EpochResult]:
        """Freeze the adapter, leave a memory, calibrate the mixer, measure what the phase has come to."""
        model, sleep = self.model, self.settings.sleep
        self._let_go()
        model.finish_epoch(self.slug)
        memory = model.memories[self.slug] = yield from self._leave_memory()
        if sleep.memory_labels and sleep.enabled:
            self.learner.calibrate(memory.replay_NWH, self.step_random(self.total_steps))
            self._require_numbers(0.0, 0.0)
        measured = yield from self._measured()
        losses = []
        for name in model.slot_adapters:
            text_NT = self.held_out_NT if name == self.slug else self._earlier_text(name)
            if text_NT is not None:
                losses.append((name, (yield from held_out_loss(model, text_NT, "mixer"))))
        baseline_loss = None
        if self.baseline is not None:
            baseline_loss = yield from held_out_loss(model, self.held_out_NT, self.baseline.mixer)
        yield replace(measured, losses=tuple(losses), unprotected_loss=baseline_loss)
        backbone_loss = yield from held_out_loss(model, self.held_out_NT, 0)
        return EpochResult(measured.loss, backbone_loss, self.tokens, memory)

    def _measured(self) -> Generator[Progress, None, HeldOut]:
        model = self.model
        loss = yield from held_out_loss(model, self.held_out_NT, self.slot)
        if not math.isfinite(loss) and self.step == 0:
            raise TloraError(
                say("The backbone's loss on the held-out text is no number (NaN)."),
                say("Choose another backbone, or other text."),
            )
        if not math.isfinite(loss):
            raise self._no_number(say("The loss on held-out text"), self.step, "learning_rate")
        eval_features = {slug: memory.eval_features_NTH for slug, memory in model.memories.items()} | {
            self.slug: self._eval_features_NTH
        }
        routing = routing_accuracies(model.mixer, model.slot_adapters, eval_features)
        baseline_routing: PerEpoch = ()
        if self.baseline is not None:
            baseline_routing = routing_accuracies(self.baseline.mixer, model.slot_adapters, eval_features)
        return HeldOut(self.slug, self.step, loss, routing, baseline_routing)

    def _earlier_text(self, name: str) -> Tensor | None:
        """As much of an earlier epoch's held-out text as of this one's, if it has left any."""
        memory = self.model.memories.get(name)
        if memory is None or memory.held_out_NT is None:
            return None
        text_NT = memory.held_out_NT
        return text_NT[: max(1, self.settings.held_out_tokens // text_NT.shape[1])].long()

    def _leave_memory(self) -> Generator[Progress, None, EpochMemory]:
        """Router inputs of the training text, or of dreams of the epoch, which keep nothing of the text."""
        tokens = self.settings.sleep.memory_tokens
        if self.settings.sleep.source == "dreams":
            count = max(1, tokens // dream_length(self.model))
            ids_NT = yield from dream(self.model, self.slot, count, self.settings.seed)
            digests = block_digests(self.blocks.held_out_NT)
            replay_NWH = cut_windows((yield from collect_router_features(self.model, ids_NT)))
            return EpochMemory(replay_NWH, self._eval_features_NTH, None, tuple(digests))
        train_NT = self.blocks.train_NT
        count = min(len(train_NT), math.ceil(tokens / self.settings.block_size))
        ids_NT = train_NT[torch.linspace(0, len(train_NT) - 1, count).long()].long()
        held_out_NT = self.blocks.held_out_NT.int()
        return EpochMemory(
            cut_windows((yield from collect_router_features(self.model, ids_NT))), self._eval_features_NTH, held_out_NT
        )

    def _let_go(self) -> None:
        """Of what only the steps needed."""
        self._router_inputs.close()
        self.model.recompute_activations = False

    def undo(self) -> None:
        """Take the epoch out of the model and put the mixer back as it was before."""
        self._let_go()
        self.model.remove_adapter(self.slug)
        self.model.mixer = copy.deepcopy(self._before).requires_grad_(True)

    def batch(self) -> Tensor:
        """Numbers of the step's blocks."""
        pass_index, step_in_pass = divmod(self.step, self.steps_per_pass)
        if self._order is None or self._order[0] != pass_index:
            order = torch.randperm(len(self.blocks.train_NT), generator=self.pass_random(pass_index))
            self._order = pass_index, order
        size = self.settings.batch_size
        return self._order[1][step_in_pass * size : (step_in_pass + 1) * size]

    def learn(self, rows_B: Tensor) -> tuple[float, float, float, float, float]:
        """One optimiser step; returns adapter loss, gradient norm, distill loss, route loss and learning rate."""
        share = schedule(self.step, self.total_steps)
        blend: Blend = "mixer" if self.settings.objective == "joint" else self.slot
        hidden_BTH = self._router_inputs(rows_B)
        ids_BT = self.blocks.train_NT[rows_B].long().to(hidden_BTH.device)
        blocks, adapter_loss = self._fitted(ids_BT[:1], blend), 0.0
        for ids_bT, hidden_bTH in zip(ids_BT.split(blocks), hidden_BTH.split(blocks), strict=True):
            with training_precision(ids_BT.device):
                loss = self.model.next_token_loss(ids_bT, blend, hidden_bTH).loss * (len(ids_bT) / len(ids_BT))
            loss.backward()
            adapter_loss += loss.item()
        gradient_norm = clip_grad_norm_(self.adapter, 1.0).item()
        rate = share * self.settings.learning_rate
        self.optimizer.param_groups[0]["lr"] = rate
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        distill, route = self.teach_mixers(hidden_BTH, share)
        return adapter_loss, gradient_norm, distill, route, rate

    def _fitted(self, ids_1T: Tensor, blend: Blend) -> int:
        """How many blocks are learned at once; found out in the first step."""
        if self._memory_fit is None:
            self._memory_fit = memory_fit(self.model, ids_1T, blend, self.settings.batch_size)
            self.model.recompute_activations = self._memory_fit.recompute
        return self._memory_fit.blocks

    def teach_mixers(self, hidden_BTH: Tensor, share: float) -> tuple[float, float]:
        """One step per block: the mixer is small and needs more, smaller steps than the adapter.

        Returns mean distill and route loss.
        """
        generator = self.step_random(self.step)
        learned = []
        for hidden_1TH in hidden_BTH.split(1):
            learned.append(self.learner.learn(hidden_1TH, share, generator))
            if self.baseline is not None:
                self.baseline.learn(hidden_1TH, share, generator)
        distills, routes = zip(*learned, strict=True)
        return fmean(distills), fmean(routes)

    def step_random(self, step: int) -> torch.Generator:
        """For the memories that are replayed in a step; a CPU's generator has 2³² streams, the order's lie apart."""
        return self.pass_random(step + 2**31)

    def pass_random(self, number: int) -> torch.Generator:
        """For the order of the blocks in a pass."""
        return torch.Generator().manual_seed((self.settings.seed * 1_000_003 + number) % 2**64)

    def _require_numbers(self, adapter_loss: float, mixer_loss: float) -> None:
        """Raise ``TloraError`` unless losses and weights are numbers."""
        mixers = [value for learner in self._learners().values() for value in learner.mixer.parameters()]
        if not math.isfinite(adapter_loss) or not _finite(self.adapter):
            raise self._no_number(say("The adapter"), self.step + 1, "learning_rate")
        if not math.isfinite(mixer_loss) or not _finite(mixers):
            raise self._no_number(say("The Time Mixer"), self.step + 1, "mixer_learning_rate")

    def _no_number(self, what: str, step: int, setting: str) -> TloraError:
        rate = getattr(self.settings, setting)
        return TloraError(
            say(
                "{what} came to no number (NaN) in step {step:,} of {steps:,}, so the training stopped there.",
                what=what,
                step=step,
                steps=self.total_steps,
            ),
            say(
                "Train anew with a lower {setting}: {lower:.1g} instead of {rate:g}.",
                setting=setting,
                lower=rate / 3,
                rate=rate,
            ),
        )

    # -- checkpoints --------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Tensor]:
        """Adapter, mixers, teacher, optimisers' states and step, flat, for safetensors, after the last whole step."""
        state = {**(self._good or self._state(self.step)), "measured_at": torch.tensor(self.measured_at)}
        return {name: value.cpu() for name, value in state.items()}

    def _state(self, step: int) -> dict[str, Tensor]:
        """A copy of what :meth:`state_dict` gives, where it is."""
        state: dict[str, Tensor] = {"step": torch.tensor(step)}
        if self._memory_fit is not None:
            state["memory_fit"] = torch.tensor([self._memory_fit.blocks, self._memory_fit.recompute])
        for part, held in self._parts().items():
            state |= {f"{part}.{name}": value for name, value in held.items()}
        for part, optimizer in self._optimizers().items():
            for index, slot in optimizer.state_dict()["state"].items():
                state |= {f"optimizer.{part}.{index}.{name}": value for name, value in slot.items()}
        return {name: value.detach().clone(memory_format=torch.contiguous_format) for name, value in state.items()}

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on from :meth:`state_dict`.

        Raises:
            ValueError: if the earlier epochs or the mixer are no longer what they were at the checkpoint.
            KeyError, RuntimeError: if something is missing or of another shape.
        """
        parts = self._parts()
        then, now = _under("teacher.", state), parts.pop("teacher", {})
        if then.keys() != now.keys() or any(not torch.equal(then[name], now[name].cpu()) for name in now):
            raise ValueError(say("the epochs before it have changed since its training was interrupted"))
        for part, held in parts.items():
            for name, value in held.items():
                value.copy_(state[f"{part}.{name}"])
        for part, optimizer in self._optimizers().items():
            whole: dict[str, Any] = optimizer.state_dict()
            stored = _under(f"optimizer.{part}.", state)
            if state["step"] and not stored:
                raise KeyError(f"the state of the {part}'s optimiser")
            for name, value in stored.items():
                index, _, key = name.partition(".")
                whole["state"].setdefault(int(index), {})[key] = value
            optimizer.load_state_dict(whole)
        self.step = int(state["step"])
        self.measured_at = int(state.get("measured_at", self.step))
        if "memory_fit" in state:  # the sum of a batch's parts depends on how it was cut, to the last bit
            blocks, recompute = state["memory_fit"].tolist()
            self._memory_fit = MemoryFit(blocks, bool(recompute))
            self.model.recompute_activations = self._memory_fit.recompute
        self._good = self._state(self.step)

    def _learners(self) -> dict[str, MixerLearner]:
        both = {"mixer": self.learner, "unprotected": self.baseline}
        return {name: learner for name, learner in both.items() if learner is not None}

    def _optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return {"adapter": self.optimizer, **{name: each.optimizer for name, each in self._learners().items()}}

    def _parts(self) -> dict[str, dict[str, Tensor]]:
        """Every tensor that a checkpoint holds beside the optimisers', by part and name."""
        parts: dict[str, dict[str, Tensor]] = {"adapter": {**self.model.adapter_parameters(self.slug)}}
        parts |= {name: dict(learner.mixer.state_dict()) for name, learner in self._learners().items()}
        if self.learner.teacher is not None:
            parts["teacher"] = dict(self.learner.teacher.state_dict())
        return parts


def schedule(step: int, total_steps: int) -> float:
    """Share of the peak rate in a step (from 0): linear warm-up, then cosine to 5 %."""
    warm_up = min(1.0, (step + 1) / WARM_UP_STEPS)
    return warm_up * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * step / total_steps)))


def _finite(tensors: Iterable[Tensor]) -> bool:
    return bool(torch.stack([tensor.isfinite().all() for tensor in tensors]).all())


def _under(prefix: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def eval_features(model: TemporalLoRA, blocks: TokenBlocks, block_size: int) -> Tensor:
    """What the mixer reads over a few held-out blocks (N, T, H), in float16."""
    return router_features(model, blocks.held_out_NT[: max(1, EVAL_FEATURE_TOKENS // block_size)])
