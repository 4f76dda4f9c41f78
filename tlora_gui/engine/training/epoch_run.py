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

from tlora_gui.engine.backbones.loading import context_length, state_hash
from tlora_gui.engine.corpus.blocks import TokenBlocks, block_digests
from tlora_gui.engine.corpus.token_store import rows_of
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import SAMPLES, TrainSettings
from tlora_gui.engine.protocol.errors import Cancelled, TloraError, cause, out_of_memory
from tlora_gui.engine.protocol.events import (
    HeldOut,
    PerEpoch,
    Progress,
    TrainingEvent,
    TrainingSample,
    TrainStep,
    Warned,
)
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.protocol.streams import cancellable
from tlora_gui.engine.storage.disk import first_line
from tlora_gui.engine.training.dreams import collect_router_features, dream, dream_counts, dream_length, router_features
from tlora_gui.engine.training.early_stop import BestStep
from tlora_gui.engine.training.evaluation import held_out_loss, routing_accuracies, training_precision
from tlora_gui.engine.training.memory_fit import MemoryFit, free_memory, memory_fit
from tlora_gui.engine.training.pace import CHECKPOINT_COST, CHECKPOINT_SECONDS, CHECKPOINT_STEPS, Pace
from tlora_gui.engine.training.ranks import Ranks
from tlora_gui.engine.training.router_inputs import RouterInputs
from tlora_gui.temporal.active_sleep import EpochMemory, MixerLearner, cut_windows, freeze_teacher, to_levels
from tlora_gui.temporal.blend import Blend
from tlora_gui.temporal.config import require
from tlora_gui.temporal.model import TemporalLoRA
from tlora_gui.temporal.switching import count_tokens
from tlora_gui.temporal.time_mixer import TimeMixer

UP_RATE = 4.0
"""Learning rate of B over that of A (LoRA+, arXiv:2402.12354)."""

WARM_UP_STEPS = 10
EVAL_FEATURE_TOKENS = 1024
KEPT_HELD_OUT = 4096
"""Tokens of held-out text that an epoch leaves for later measurements; those during training read fewer."""

_KEPT = ("adapter.", "mixer.", "unprotected.", "optimizer.mixer.", "optimizer.unprotected.")
"""What is kept of the best step: a pair that was trained together, and what calibration goes on from."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EpochResult:
    """What training left: losses in nats per token on held-out text, tokens that what is kept has read, and the memory
    for later sleep."""

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
    sample: Callable[[EpochRun], Generator[Progress, None, TrainingSample]] | None = None,
    learn: bool = True,
) -> Generator[Progress | TrainingEvent | Warned, None, EpochResult]:
    """Train adapter ``slug`` and the mixer; freeze the adapter at the end.

    Args:
        model: already has the adapter (``add_adapter``), and ``model.memories`` of slot 0 ("") and earlier epochs.
        slug: the adapter.
        blocks: the epoch's text.
        settings: how.
        cancel: *keep* finishes early with what is learned; *suspend* checkpoints; *discard* removes the adapter.
        run: a restored run to go on with.
        checkpoint: called once a minute or every CHECKPOINT_STEPS, whichever comes first, unless that took more than a
            twentieth of the time, and at every end but a discarded or a finished one. What it raises is a warning, and
            the training goes on.
        sample: takes a sample by the model as it is, as often as the settings say; it must draw from no generator but
            its own.
        learn: False finishes what a restored run has learned.

    Raises:
        Cancelled: on discard and suspend.
        TloraError: if the training came to what is no number for the second time, or memory ran out however little of
            a batch is learned at once.
    """
    run = run or EpochRun(model, slug, blocks, settings)
    try:
        run.require_same_start()
        if learn:
            yield from _learn_until_done(run, cancel, checkpoint, sample)
        return (yield from cancellable(run.finish(), run.ranks.agreed(cancel), ("discard", "suspend")))
    except BaseException as end:  # cancelled, failed or closed: the model is as it was before
        discarded = isinstance(end, Cancelled) and cancel.mode == "discard"
        run.end = too_large(settings, len(blocks.train_NT)) if out_of_memory(end) else end
        try:
            warnings = [] if discarded else keep(run, checkpoint)
        finally:
            run.undo()
        if not isinstance(end, GeneratorExit):
            yield from warnings
        if run.end is not end:
            raise run.end from end
        raise


def _learn_until_done(
    run: EpochRun,
    asked: CancelToken,
    checkpoint: Callable[[EpochRun], None] | None,
    sample: Callable[[EpochRun], Generator[Progress, None, TrainingSample]] | None,
) -> Generator[Progress | TrainingEvent | Warned, None, None]:
    """Steps, measurements and samples to the last, or until they are to end early. A warning is told once."""
    saved_at, saved_step, told = time.monotonic(), run.step, set[Warned]()
    steps = run.steps()
    while True:
        cancel = run.ranks.agreed(asked)
        if run.step % run.settings.eval_every == 0 and run.step < run.total_steps and run.measured_at != run.step:
            yield from cancellable(run.measure(), cancel, ("discard", "suspend"))
        if sample is not None and run.sample_every and run.step % run.sample_every == 0 and run.sampled_at != run.step:
            yield from cancellable(run.sample(sample(run)), cancel, ("discard", "suspend"))
        if cancel.mode in ("discard", "suspend"):
            raise Cancelled
        since, least = time.monotonic() - saved_at, CHECKPOINT_SECONDS * run.pace.checkpoint / CHECKPOINT_COST
        due = since > CHECKPOINT_SECONDS or run.step - saved_step >= CHECKPOINT_STEPS
        if cancel.mode is None and due and since >= least:
            warnings = keep(run, checkpoint)
            yield from (warning for warning in warnings if warning not in told)
            told.update(warnings)
            run.pace.checkpoint = time.monotonic() - saved_at - since
            saved_at, saved_step = time.monotonic(), run.step
        if (cancel.mode == "keep" and run.step) or (run.best is not None and run.best.is_over):
            return
        step = next(steps, None)
        if step is None:
            return
        if step not in told:
            yield step
        if isinstance(step, Warned):
            told.add(step)


def keep(run: EpochRun, checkpoint: Callable[[EpochRun], None] | None) -> list[Warned]:
    """Make a checkpoint, if there is anything to keep; a failure is a warning, it does not end the training."""
    if checkpoint is None or run.step == 0:
        return []
    try:
        checkpoint(run)
    except Exception as error:
        logger.exception("a checkpoint of %s failed", run.slug)
        if isinstance(error, TloraError):
            return [
                Warned(say("No checkpoint of the training can be written. {reason}", reason=error.message), error.hint)
            ]
        reason = cause(error) if isinstance(error, OSError) else first_line(error)
        return [
            Warned(
                say("No checkpoint of the training can be written: {reason}.", reason=reason),
                say("Make room or give access there."),
            )
        ]
    return []


def too_large(settings: TrainSettings, blocks: int) -> TloraError:
    """The refusal of a training on so many blocks that memory has no room for; says what to lower."""
    smaller: list[str] = []
    size = min(settings.batch_size, blocks)
    if size > 1:
        smaller.append(
            say(
                "a batch size of {smaller} instead of {size}",
                smaller=size // 2,
                size=size,
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


class _NoNumber(TloraError):
    """Something in a training, ``what``, is no number."""

    def __init__(self, what: str, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.what = what


class EpochRun:
    """An epoch between its first and last step: everything that a checkpoint must hold.

    Order of blocks and replayed windows derive from the seed and the step's number, so a restored run goes on
    exactly as an uninterrupted one.

    Attributes:
        step: steps that are done.
        measured_at: the step after which held-out text was last measured; -1 before.
        sampled_at: the step after which the last sample was taken; -1 before.
        best: the step to be kept, unless the settings keep the last.
        pace: how long its parts take.
        end: what ended it early; None while it goes on.
        ranks: the processes that train it together.
    """

    def __init__(
        self, model: TemporalLoRA, slug: str, blocks: TokenBlocks, settings: TrainSettings, ranks: Ranks | None = None
    ) -> None:
        self.model = model
        self.slug = slug
        self.blocks = blocks
        self.settings = settings
        self.ranks = ranks or Ranks()
        require(
            len(blocks.train_NT) > 0 and len(blocks.held_out_NT) > 0, say("there is no text to train or measure on")
        )
        self.step = 0
        self.measured_at = self.sampled_at = -1
        self.end: BaseException | None = None
        self.pace = Pace()
        self.best: BestStep | None = None
        if settings.early_stop:
            self.best = BestStep(settings.patience, math.ceil(self.total_steps / settings.eval_every))
        self._eval_features_NTH = eval_features(model, blocks, settings.block_size)
        self._before = freeze_teacher(model.mixer)
        model.begin_epoch(slug)
        self.slot = len(model.slot_adapters)
        self.learner = mixer_learner(model, self._before, settings)
        self.baseline: MixerLearner | None = None
        if (teacher := self.learner.teacher) is not None and settings.compares_baseline:
            unprotected = copy.deepcopy(model.mixer)
            self.baseline = MixerLearner(unprotected, teacher, {}, settings.sleep, settings.mixer_learning_rate)
        self.adapter = list(model.adapter_parameters(slug).values())
        fused = model.device.type in ("cpu", "cuda")
        groups = [{"params": self.adapter[start::2]} for start in range(2)]  # all A, all B
        self.optimizer = torch.optim.AdamW(groups, lr=settings.learning_rate, weight_decay=0.0, fused=fused)
        self._memory_fit: MemoryFit | None = None
        self._rate_factor = 1.0
        self._features_seconds = 0.0
        self._good: dict[str, Tensor] = {}
        self._order: tuple[int, Tensor] | None = None
        self._router_inputs = RouterInputs(
            model,
            blocks.train_NT,
            self.ranks.part(settings.batch_size),
            keep=settings.num_passes > 1 and self.ranks.size == 1,  # a later pass gives a process other blocks
        )

    @property
    def steps_per_pass(self) -> int:
        return math.ceil(len(self.blocks.train_NT) / self.settings.batch_size)

    @property
    def total_steps(self) -> int:
        return self.steps_per_pass * self.settings.num_passes

    @property
    def sample_every(self) -> int:
        """Steps between two samples; 0 if none are wanted."""
        every = self.settings.sample_every
        return max(every, math.ceil(self.total_steps / SAMPLES)) if every else 0

    @property
    def kept_step(self) -> int:
        """The step that would be kept if this were the end, where it is not the last; else 0."""
        return self.best.step if self.best is not None and self.best.step != self.step else 0

    @property
    def tokens(self) -> int:
        """Training tokens read so far."""
        return self._tokens_after(self.step)

    def _tokens_after(self, step: int) -> int:
        pass_index, step_in_pass = divmod(step, self.steps_per_pass)
        every = len(self.blocks.train_NT)
        return (pass_index * every + min(step_in_pass * self.settings.batch_size, every)) * self.settings.block_size

    @property
    def held_out_NT(self) -> Tensor:
        """The held-out blocks that a measurement during training reads."""
        return self.blocks.held_out_NT[: max(1, self.settings.held_out_tokens // self.settings.block_size)]

    def steps(self) -> Iterator[TrainStep | Warned]:
        """Run the remaining steps, one per item; a step that failed is repeated after a warning.

        Raises:
            TloraError: if a loss or a weight is no longer a number for the second time; the step before counts as the
                last.
        """
        if not self._good:
            self._good = self._state(self.step)
        while self.step < self.total_steps:
            started = time.perf_counter()
            rows_B = self.batch()
            learned = self._try(rows_B)
            if isinstance(learned, Warned):
                yield learned
                continue
            adapter_loss, gradient_norm, distill, route, rate = learned
            self._good = self._state(self.step + 1)
            reread = self._router_inputs.keeps_all
            seconds, later_pass = time.perf_counter() - started, self.step >= self.steps_per_pass
            self.pace.add_step(seconds, self._features_seconds, reread=reread and later_pass)
            self.step += 1
            with_features = 0.0 if reread and later_pass else self.pace.features
            yield TrainStep(
                slug=self.slug,
                step=self.step,
                total_steps=self.total_steps,
                adapter_loss=adapter_loss,
                mixer_distill_loss=distill,
                route_loss=route,
                learning_rate=rate,
                tokens=self.tokens,
                tokens_per_second=len(rows_B) * self.settings.block_size / (self.pace.step + with_features),
                eta_s=self.pace.left(
                    self.settings,
                    self.step,
                    self.steps_per_pass,
                    sample_every=self.sample_every,
                    reread=reread,
                    earlier=self.slot - 1,
                    compared=self.baseline is not None,
                ),
                gradient_norm=gradient_norm,
            )

    def _try(self, rows_B: Tensor) -> tuple[float, float, float, float, float] | Warned:
        """One step, or all as it was before and what is done otherwise from now on."""
        try:
            learned = self.learn(rows_B)
            self._require_numbers(learned[0], learned[2] + learned[3])
            return learned
        except Exception as error:
            warning = self._lower(error)
            if warning is None:
                raise
            logger.warning("step %d of %s is repeated: %s", self.step + 1, self.slug, first_line(error))
        for optimizer in self._optimizers().values():
            optimizer.zero_grad(set_to_none=True)
        if self.model.device.type == "cuda":
            torch.cuda.empty_cache()
        self._restore(self._good)
        return warning

    def _lower(self, error: Exception) -> Warned | None:
        """Ask less of memory, or of the steps, so that the step can be repeated; None if there is nothing to lower."""
        if isinstance(error, _NoNumber) and self._rate_factor == 1:
            self._rate_factor = 0.5
            return Warned(
                say(
                    "{what} came to no number (NaN) in step {step:,} of {steps:,}. The training goes on from the step "
                    "before at half the learning rate.",
                    what=error.what,
                    step=self.step + 1,
                    steps=self.total_steps,
                )
            )
        if not out_of_memory(error):
            return None
        fit = self._memory_fit
        if fit == MemoryFit(1, True):
            return None
        # Before there is a fit, not even the forward that finds it out had room.
        self._fit(MemoryFit(max(1, fit.blocks // 2), fit.recompute or fit.blocks == 1) if fit else MemoryFit(1, True))
        return Warned(
            say("There was not enough memory for as much of a batch at once; it is learned in smaller parts now."),
            say("It learns the same, but for the last digits, and takes longer. Close what else needs memory."),
        )

    def measure(self) -> Generator[Progress | HeldOut, None, None]:
        """Held-out loss of the epoch alone, and routing accuracy of every epoch so far."""
        measured = yield from self.pace.clocked("measurement", self._measured())
        self.measured_at = self.step
        yield measured

    def sample(
        self, taken: Generator[Progress, None, TrainingSample]
    ) -> Generator[Progress | TrainingSample, None, None]:
        """Pass a sample on, and remember that this step's is taken."""
        sample = yield from self.pace.clocked("sample", taken)
        self.sampled_at = self.step
        yield sample

    def finish(self) -> Generator[Progress | HeldOut, None, EpochResult]:
        """Go back to the best step, freeze the adapter, leave a memory, calibrate the mixer, measure what the phase has
        come to."""
        model, sleep = self.model, self.settings.sleep
        self._let_go()
        loss = yield from self._end_at_best()
        model.finish_epoch(self.slug)
        left = leave_memory(model, self.slot, self.blocks, self.settings, self._eval_features_NTH)
        memory = model.memories[self.slug] = yield from left
        for learner in self._learners().values():
            learner.mixer.admit()
        if sleep.memory_labels and sleep.enabled:
            self.learner.calibrate(memory.replay_NWH, random := self.step_random(self.total_steps))
            model.fit_switching(random)
            self._require_numbers(0.0, 0.0)
        losses = []
        for name in model.slot_adapters:
            text_NT = self.held_out_NT if name == self.slug else self._earlier_text(name)
            if text_NT is not None:
                losses.append((name, (yield from held_out_loss(model, text_NT, "mixer", self.ranks))))
        baseline_loss = None
        if self.baseline is not None:
            baseline_loss = yield from held_out_loss(model, self.held_out_NT, self.baseline.mixer, self.ranks)
        yield replace(self._routing(loss), losses=tuple(losses), unprotected_loss=baseline_loss)
        backbone_loss = yield from held_out_loss(model, self.held_out_NT, 0, self.ranks)
        return EpochResult(loss, backbone_loss, self._tokens_after(self.kept_step or self.step), memory)

    def _end_at_best(self) -> Generator[Progress | HeldOut, None, float]:
        """Measure the last step, if that is not done, and go back to the best; returns the loss of what is kept."""
        best = self.best
        if best is None:
            return (yield from self._measured()).loss
        if not best.step or self.step not in (best.step, self.measured_at):
            last = yield from self._measured()
            if best.step != self.step:
                self.measured_at = self.step
                yield last
        if best.step != self.step:
            self._restore(best.state)
        return best.loss

    def _measured(self) -> Generator[Progress, None, HeldOut]:
        loss = yield from held_out_loss(self.model, self.held_out_NT, self.slot, self.ranks)
        if not math.isfinite(loss) and self.step == 0:
            raise TloraError(
                say("The backbone's loss on the held-out text is no number (NaN)."),
                say("Choose another backbone, or other text."),
            )
        if not math.isfinite(loss):
            raise self._no_number(say("The loss on held-out text"), self.step, "learning_rate")
        if self.best is not None and self.step:
            self.best.measure(self.step, loss, self._kept_of(self._good))
        return self._routing(loss)

    def _routing(self, loss: float) -> HeldOut:
        """A measurement of this loss, with the routing accuracies of the mixers as they are."""
        model, best = self.model, self.best
        own = EpochMemory(self._eval_features_NTH, self._eval_features_NTH, self.blocks.held_out_NT)
        memories = {self.slug: own, **model.memories}
        routing = routing_accuracies(model, model.mixer, memories)
        baseline_routing: PerEpoch = ()
        if self.baseline is not None:
            baseline_routing = routing_accuracies(model, self.baseline.mixer, memories)
        measured = HeldOut(self.slug, self.step, loss, routing, baseline_routing)
        if best is None:
            return measured
        is_best = best.step == self.step > 0
        return replace(measured, best=is_best, no_better=best.no_better, patience=best.patience)

    def _earlier_text(self, name: str) -> Tensor | None:
        """As much of an earlier epoch's held-out text as of this one's, if it has left any."""
        memory = self.model.memories.get(name)
        if memory is None or memory.held_out_NT is None:
            return None
        text_NT = memory.held_out_NT
        return text_NT[: max(1, self.settings.held_out_tokens // text_NT.shape[1])].long()

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
        share = self._rate_factor * schedule(self.step, self.total_steps)
        if self._memory_fit is None:
            self._find_fit(rows_of(self.blocks.train_NT, rows_B[:1]))
        with self.ranks.agreeing():
            hidden_BTH, adapter_loss = self._backward(rows_B)
        hidden_BTH = self.ranks.gather(hidden_BTH, len(rows_B))
        adapter_loss = self.ranks.total(adapter_loss)
        joint = self.settings.objective == "joint"
        self.ranks.add_up([*self.adapter, *(self.learner.mixer.parameters() if joint else ())])
        gradient_norm = clip_grad_norm_(self.adapter, 1.0).item()
        rate = share * self.settings.learning_rate
        for group, factor in zip(self.optimizer.param_groups, (1.0, UP_RATE), strict=True):
            group["lr"] = factor * rate
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        with self.ranks.agreeing():
            distill, route = self.teach_mixers(hidden_BTH, share)
        return adapter_loss, gradient_norm, distill, route, rate

    def _backward(self, rows_B: Tensor) -> tuple[Tensor, float]:
        """Gradients of this process's share of a step's blocks; returns what the mixer reads over it, and its part of
        the loss."""
        (rows_b, counting), adapter_loss = self.ranks.share(rows_B), 0.0
        started = time.perf_counter()
        hidden_bTH = self._router_inputs(rows_b)
        self._features_seconds = time.perf_counter() - started
        assert self._memory_fit is not None
        for start in range(0, len(rows_b), self._memory_fit.blocks):
            count = max(0, min(self._memory_fit.blocks, counting - start))
            part = slice(start, start + max(1, count))
            ids_pT = rows_of(self.blocks.train_NT, rows_b[part]).to(hidden_bTH.device)
            with training_precision(ids_pT.device):
                loss = self.model.next_token_loss(ids_pT, self._blend, hidden_bTH[part]).loss * (count / len(rows_B))
            loss.backward()
            adapter_loss += loss.item()
        return hidden_bTH, adapter_loss

    @property
    def _blend(self) -> Blend:
        return "mixer" if self.settings.objective == "joint" else self.slot

    def _find_fit(self, ids_1T: Tensor) -> None:
        """How many blocks all processes learn at once."""
        with self.ranks.agreeing():
            room = free_memory(self.model.device) // 2 // self.ranks.neighbours
            fit = memory_fit(self.model, ids_1T, self._blend, self.ranks.part(self.settings.batch_size), room)
        self._fit(MemoryFit(-self.ranks.largest(-fit.blocks), bool(self.ranks.largest(fit.recompute))))

    def _fit(self, fit: MemoryFit) -> None:
        self._memory_fit = fit
        self.model.recompute_activations = fit.recompute

    def teach_mixers(self, hidden_BTH: Tensor, share: float) -> tuple[float, float]:
        """One step per block: the mixer is small and needs more, smaller steps than the adapter.

        Returns mean distill and route loss.
        """
        generator, started = self.step_random(self.step), time.perf_counter()
        learned = []
        for hidden_1TH in hidden_BTH.split(1):
            learned.append(self.learner.learn(hidden_1TH, share, generator))
            if self.baseline is not None:
                self.baseline.learn(hidden_1TH, share, generator)
        for learner in self._learners().values():
            learner.mixer.admit((self.step + 1) / self.total_steps)
        distills, routes = zip(*learned, strict=True)
        self.pace.mixer = (time.perf_counter() - started) / len(learned) / len(self._learners())
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

    def _no_number(self, what: str, step: int, setting: str) -> _NoNumber:
        rate = getattr(self.settings, setting)
        return _NoNumber(
            what,
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

    def require_same_start(self) -> None:
        """Refuse to begin unless all processes have the same text and weights."""
        if self.ranks.size > 1:
            train_NT = self.blocks.train_NT
            some_NT = rows_of(train_NT, torch.linspace(0, len(train_NT) - 1, 64).long())
            start = {**self._state(self.step), "train": some_NT, "held_out": self.blocks.held_out_NT}
            self.ranks.require_same(int(state_hash(start)[:15], 16))

    # -- checkpoints --------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Tensor]:
        """Adapter, mixers, teacher, optimisers' states and step, flat, for safetensors, after the last whole step; and
        the best step, if it is another."""
        state = {
            **(self._good or self._state(self.step)),
            "measured_at": torch.tensor(self.measured_at),
            "sampled_at": torch.tensor(self.sampled_at),
            "rate_factor": torch.tensor(self._rate_factor),
        }
        if self.best is not None:
            state |= {f"best.{name}": value for name, value in self.best.state_dict().items()}
            if self.best.step != int(state["step"]):
                state |= {f"best.state.{name}": value for name, value in self.best.state.items()}
        return {name: value.cpu() for name, value in state.items()}

    def _state(self, step: int) -> dict[str, Tensor]:
        """A copy of what :meth:`state_dict` gives, where it is."""
        state: dict[str, Tensor] = {"step": torch.tensor(step)}
        if self._memory_fit is not None:
            state["memory_fit"] = torch.tensor([self._memory_fit.blocks, self._memory_fit.recompute])
        for part, held in self._parts().items():
            state |= {f"{part}.{name}": value for name, value in held.items()}
        for part, optimizer in self._optimizers().items():
            places = self._places(optimizer)
            for index, slot in optimizer.state_dict()["state"].items():
                state |= {f"optimizer.{part}.{places[index]}.{name}": value for name, value in slot.items()}
        return {name: value.detach().clone(memory_format=torch.contiguous_format) for name, value in state.items()}

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on from :meth:`state_dict`.

        Raises:
            ValueError: if the earlier epochs or the mixer are no longer what they were at the checkpoint.
            KeyError, RuntimeError: if something is missing or of another shape.
        """
        then, now = _under("teacher.", state), self._parts().get("teacher", {})
        if then.keys() != now.keys() or any(not torch.equal(then[name], now[name].cpu()) for name in now):
            raise ValueError(say("the epochs before it have changed since its training was interrupted"))
        for part in self._optimizers():
            if state["step"] and not _under(f"optimizer.{part}.", state):
                raise KeyError(f"the state of the {part}'s optimiser")
        self._restore(state)
        self.step = int(state["step"])
        self.measured_at = int(state.get("measured_at", self.step))
        self.sampled_at = int(state.get("sampled_at", self.step))
        self._rate_factor = float(state.get("rate_factor", 1.0))
        if "memory_fit" in state:  # the sum of a batch's parts depends on how it was cut, to the last bit
            blocks, recompute = state["memory_fit"].tolist()
            self._fit(MemoryFit(blocks, bool(recompute)))
        self._good = self._state(self.step)
        if self.best is not None and "best.step" in state:
            kept = now = self._kept_of(self._good)
            if int(state["best.step"]) != self.step:
                kept = {name: state[f"best.state.{name}"].to(value.device) for name, value in now.items()}
            if any(kept[name].shape != value.shape for name, value in now.items()):
                raise ValueError(say("its best step is of another shape"))
            self.best.load_state_dict(_under("best.", state), kept)

    @torch.no_grad()
    def _restore(self, state: dict[str, Tensor]) -> None:
        """Make weights and optimisers what they are in a state; an optimiser that has no part in it begins anew."""
        for part, held in self._parts().items():
            for name, value in held.items() if part != "teacher" else ():
                value.copy_(state[f"{part}.{name}"])
        for part, optimizer in self._optimizers().items():
            whole: dict[str, Any] = {**optimizer.state_dict(), "state": {}}
            places = self._places(optimizer)
            for name, value in _under(f"optimizer.{part}.", state).items():
                place, _, key = name.partition(".")
                whole["state"].setdefault(places.index(int(place)), {})[key] = value.clone()
            optimizer.load_state_dict(whole)

    def _kept_of(self, state: dict[str, Tensor]) -> dict[str, Tensor]:
        return {name: value for name, value in state.items() if name.startswith(_KEPT)}

    def _learners(self) -> dict[str, MixerLearner]:
        both = {"mixer": self.learner, "unprotected": self.baseline}
        return {name: learner for name, learner in both.items() if learner is not None}

    def _optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return {"adapter": self.optimizer, **{name: each.optimizer for name, each in self._learners().items()}}

    def _places(self, optimizer: torch.optim.Optimizer) -> list[int]:
        """By what number a checkpoint has each of an optimiser's parameters: those of the adapter in its own order."""
        count = sum(len(group["params"]) for group in optimizer.param_groups)
        return [*range(0, count, 2), *range(1, count, 2)] if optimizer is self.optimizer else [*range(count)]

    def _parts(self) -> dict[str, dict[str, Tensor]]:
        """Every tensor that a checkpoint holds beside the optimisers', by part and name."""
        parts: dict[str, dict[str, Tensor]] = {"adapter": {**self.model.adapter_parameters(self.slug)}}
        parts |= {name: dict(learner.mixer.state_dict()) for name, learner in self._learners().items()}
        if self.learner.teacher is not None:
            parts["teacher"] = dict(self.learner.teacher.state_dict())
        return parts


def mixer_learner(model: TemporalLoRA, before: TimeMixer, settings: TrainSettings) -> MixerLearner:
    """Who teaches the model's mixer its last slot, with the memories of earlier ones.

    ``before`` is a frozen copy of the mixer without that slot.
    """
    *earlier, _ = model.slot_adapters
    teacher = before if earlier else None
    protected = settings.sleep.enabled or teacher is None
    memories = {
        slot: model.memories[name].replay_NWH
        for slot, name in enumerate(["", *earlier])
        if protected and name in model.memories
    }
    return MixerLearner(model.mixer, teacher, memories, settings.sleep, settings.mixer_learning_rate)


def schedule(step: int, total_steps: int) -> float:
    """Share of the peak rate in a step (from 0): linear warm-up, then cosine to 5 %."""
    warm_up = min(1.0, (step + 1) / WARM_UP_STEPS)
    return warm_up * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * step / total_steps)))


def _finite(tensors: Iterable[Tensor]) -> bool:
    return bool(torch.stack([tensor.isfinite().all() for tensor in tensors]).all())


def _under(prefix: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def leave_memory(
    model: TemporalLoRA, slot: int, blocks: TokenBlocks, settings: TrainSettings, eval_features_NTH: Tensor
) -> Generator[Progress, None, EpochMemory]:
    """Router inputs of an epoch's training text, with some of it or without, or of its dreams."""
    tokens, dreamt = settings.sleep.memory_tokens, dream_counts(model)
    if settings.sleep.source == "dreams":
        count = max(1, tokens // dream_length(model))
        ids_NT = yield from dream(model, slot, count, settings.seed)
        replay_NWH = cut_windows((yield from collect_router_features(model, ids_NT)))
        digests, read_NW = tuple(block_digests(blocks.held_out_NT)), cut_windows(ids_NT).int()
        return EpochMemory(replay_NWH, eval_features_NTH, None, digests, read_NW, count_tokens(ids_NT), dreamt)
    train_NT = blocks.train_NT
    count = min(len(train_NT), math.ceil(tokens / settings.block_size))
    ids_NT = rows_of(train_NT, torch.linspace(0, len(train_NT) - 1, count).long())
    replay_NWH = cut_windows((yield from collect_router_features(model, ids_NT)))
    if settings.sleep.source == "features-without-text":
        few = EVAL_FEATURE_TOKENS // 4
        some_NTH = eval_features_NTH[: max(1, few // settings.block_size), :few]
        digests = tuple(block_digests(blocks.held_out_NT))
        return EpochMemory(to_levels(replay_NWH), to_levels(some_NTH), None, digests)
    held_out_NT, read_NW = blocks.held_out_NT.int(), cut_windows(ids_NT).int()
    return EpochMemory(replay_NWH, eval_features_NTH, held_out_NT, (), read_NW, count_tokens(train_NT), dreamt)


def eval_features(model: TemporalLoRA, blocks: TokenBlocks, block_size: int) -> Tensor:
    """What the mixer reads over a few held-out blocks (N, T, H), in float16."""
    return router_features(model, blocks.held_out_NT[: max(1, EVAL_FEATURE_TOKENS // block_size)])
