"""Active Sleep: a frozen teacher copy of the mixer, distilled on what earlier epochs left behind.

While a new epoch is learned, each step replays memories (router inputs, not text) and asks the mixer for what it
gave before:

    total = adapter_loss + sleep_weight · mixer_distill_loss + route_weight · route_loss

The teacher knows the old slots only. Its distribution is padded with "new slot = 0", so that with a single old
epoch the loss still says "this text is not the new epoch's".
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, layer_norm, log_softmax

from tlora_gui.temporal.config import MEMORY_WINDOW, SleepSettings
from tlora_gui.temporal.switching import Counted, TokenCounts, fit_scalars
from tlora_gui.temporal.time_mixer import TimeMixer

CALIBRATION_STEPS = 100
CALIBRATION_RATE = 2e-3


@dataclass(frozen=True, slots=True, eq=False)
class EpochMemory:
    """What an epoch leaves behind, a replay buffer: layer-normalised router inputs in float16, at 15 levels a dimension
    where they are kept without text.

    Attributes:
        replay_NWH: windows of training text (or of dreams, generative replay), replayed in later sleep.
        eval_features_NTH: a few held-out blocks, only ever measured on.
        held_out_NT: the held-out tokens themselves (int32), for measuring losses; None where no text may be kept.
        held_out_digests: of those blocks where the tokens are not kept, to know them again; none in memories of old.
        replay_ids_NW: tokens (int32) of the windows; None in memories of old, and where no text may be kept.
        token_counts: of all that the epoch has learned (or dreamt), as
            :func:`~tlora_gui.temporal.switching.count_tokens` gives them; None in memories of old, and without text.
        dream_counts: of the backbone's dreams then; None where there were none, and for the dreams themselves.
    """

    replay_NWH: Tensor
    eval_features_NTH: Tensor
    held_out_NT: Tensor | None = None
    held_out_digests: tuple[str, ...] = ()
    replay_ids_NW: Tensor | None = None
    token_counts: Tensor | None = None
    dream_counts: Tensor | None = None

    @property
    def counted(self) -> Counted | None:
        """Both counts, if they are there."""
        if self.token_counts is None or self.dream_counts is None:
            return None
        return self.token_counts, self.dream_counts

    @property
    def eval_ids_NT(self) -> Tensor | None:
        """Tokens of ``eval_features_NTH``, where they are kept: those blocks are the first held-out ones."""
        return None if self.held_out_NT is None else self.held_out_NT[: len(self.eval_features_NTH)].long()


@dataclass(eq=False)
class MixerLearner:
    """Teaches a mixer its newest slot, one small step at a time, with Active Sleep or without.

    Attributes:
        mixer: already has the new slot, its last.
        teacher: the mixer as it was before; None in the first phase.
        memories: windows to replay (N, W, H) by slot; slot 0's are the backbone's dreams. Empty: no sleep.
        sleep: weights of the losses, temperature, how much to replay.
        learning_rate: AdamW step at its peak.
    """

    mixer: TimeMixer
    teacher: TimeMixer | None
    memories: Mapping[int, Tensor]
    sleep: SleepSettings
    learning_rate: float

    def __post_init__(self) -> None:
        self.slot = self.mixer.slots - 1
        self.optimizer = torch.optim.AdamW(self.mixer.parameters(), lr=self.learning_rate, weight_decay=0.01)

    def learn(self, hidden_BTH: Tensor, share: float, generator: torch.Generator) -> tuple[float, float]:
        """One step on new text (B, T, H) and on memories, at ``share`` of the peak rate.

        Gradients that are there already (of the mixture's cross-entropy, in the joint objective) go into it.

        Returns:
            mixer-distill loss and route loss, in nats per token.
        """
        route = route_loss(self.mixer.mean(hidden_BTH)[0], self.slot)
        distill = total = torch.zeros((), device=hidden_BTH.device)
        if self.memories:
            replay_NWH, slots_N = draw_windows(self.memories, self.sleep.batch_tokens, generator)
            replay_NWH = replay_NWH.to(hidden_BTH.device)
            logits_NWS, _ = self.mixer.mean(replay_NWH)
            if self.teacher is not None:
                distill = mixer_distill_loss(logits_NWS, self.teacher.mean(replay_NWH)[0], self.sleep.temperature)
            if self.teacher is None or self.sleep.memory_labels:
                total = self.sleep.route_weight * route_loss(logits_NWS, slots_N[:, None])
        total = total + self.sleep.sleep_weight * distill + self.sleep.route_weight * route
        self._step(total, share * self.learning_rate)
        return distill.item(), route.item()

    def calibrate(self, replay_NWH: Tensor, generator: torch.Generator) -> None:
        """A short last training on equal shares of all memories and the new epoch's own (N, W, H), by their labels."""
        memories = {**self.memories, self.slot: replay_NWH}
        device = self.mixer.head.weight.device
        for step in range(CALIBRATION_STEPS):
            windows_NWH, slots_N = draw_windows(memories, self.sleep.batch_tokens, generator)
            loss = route_loss(self.mixer.mean(windows_NWH.to(device))[0], slots_N[:, None])
            self._step(loss, CALIBRATION_RATE * (1 - step / CALIBRATION_STEPS))

    def _step(self, loss: Tensor, rate: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)


@torch.no_grad()
def fit_switching(
    mixer: TimeMixer, memories: Mapping[int, EpochMemory], vocabulary: int, generator: torch.Generator
) -> None:
    """Fit the filter of a mixer to memories of its slots; nothing to do for one that switches by its mean.

    Args:
        mixer: its slots may be new.
        memories: by slot; those of old, whose tokens are not known, have no part in it.
        vocabulary: V, tokens there are.
        generator: draws what is joined.
    """
    if not mixer.settings.filters:
        return
    mixer.admit()
    epochs = [memories.get(slot) for slot in range(1, mixer.slots)]
    asked = [memory.counted if memory is not None and mixer.settings.counts else None for memory in epochs]
    counts = TokenCounts(asked, vocabulary)
    device, windows = mixer.head.weight.device, dict[int, tuple[Tensor, Tensor]]()
    for slot, memory in memories.items():
        if memory.replay_ids_NW is not None:
            logits_NWS, _ = mixer.evidence_logits(memory.replay_NWH.to(device))
            windows[slot] = logits_NWS.cpu(), counts.evidence(memory.replay_ids_NW.long(), own=slot)
    if len(windows) > 1:
        mixer.filter_scalars.copy_(torch.stack(fit_scalars(windows, generator)))


def freeze_teacher(mixer: TimeMixer) -> TimeMixer:
    """A frozen copy of the mixer as it is now."""
    return copy.deepcopy(mixer).requires_grad_(False).eval()


def mixer_distill_loss(student_logits_BTS: Tensor, teacher_logits_BTS: Tensor, temperature: float) -> Tensor:
    """T²-scaled KL(teacher/T ‖ mixer/T) in nats per token (Hinton et al. 2015, arXiv:1503.02531, eq. 4).

    Args:
        student_logits_BTS: logits over all slots, S_new ≥ S_old.
        teacher_logits_BTS: logits over the old slots, which come first; probability 0 beyond them.
        temperature: T, dimensionless.

    Raises:
        ValueError: if the teacher knows more slots than the student.
    """
    old = teacher_logits_BTS.shape[-1]
    if old > student_logits_BTS.shape[-1]:
        raise ValueError(f"the teacher has {old} slots, the mixer only {student_logits_BTS.shape[-1]}")
    teacher_log_BTS = log_softmax(teacher_logits_BTS / temperature, dim=-1)
    student_log_BTS = log_softmax(student_logits_BTS / temperature, dim=-1)[..., :old]
    kl_BT = (teacher_log_BTS.exp() * (teacher_log_BTS - student_log_BTS)).sum(-1)
    return kl_BT.mean() * temperature**2


def route_loss(logits_BTS: Tensor, slot: int | Tensor) -> Tensor:
    """Cross-entropy of "these tokens belong to ``slot``" (one for all, or broadcast to (B, T)), in nats per token."""
    target_BT = torch.as_tensor(slot, device=logits_BTS.device).expand(logits_BTS.shape[:-1])
    return cross_entropy(logits_BTS.flatten(0, -2), target_BT.flatten())


def to_memory(hidden_BTH: Tensor) -> Tensor:
    """Router inputs (B, T, H) as they are kept: float16, after the layer norm that the mixer applies anyway.

    The norm bounds every value by √H, so none overflows half precision.
    """
    return layer_norm(hidden_BTH.detach().float(), hidden_BTH.shape[-1:]).half().cpu()


def level_numbers(memory_NTH: Tensor) -> tuple[Tensor, Tensor]:
    """Kept router inputs (N, T, H) as whole numbers from -7 to 7, which four bits can tell, and what a level is in each
    dimension (H,). A level is a bfloat16, so that float16 holds seven of them exactly."""
    memory_NTH = memory_NTH.float()
    level_H = (memory_NTH.abs().amax((0, 1)) / 7).bfloat16().float()
    return (memory_NTH / level_H.clamp(min=torch.finfo(torch.float32).tiny)).round().clamp(-7, 7), level_H


def to_levels(memory_NTH: Tensor) -> Tensor:
    """Kept router inputs at the nearest level; those that lie there already stay what they are."""
    numbers_NTH, level_H = level_numbers(memory_NTH)
    return (numbers_NTH * level_H).half()


def cut_windows(memory_NTX: Tensor) -> Tensor:
    """Contiguous pieces (N, MEMORY_WINDOW, …) of blocks (N, T, …); a rest is dropped, shorter blocks are joined."""
    tokens, *rest = memory_NTX.shape[1:]
    if tokens < MEMORY_WINDOW:
        memory_NTX = memory_NTX.reshape(1, -1, *rest)
        tokens = memory_NTX.shape[1]
    if tokens < MEMORY_WINDOW:  # there is no more text than that
        memory_NTX = torch.cat([memory_NTX] * -(-MEMORY_WINDOW // tokens), dim=1)
    whole = memory_NTX.shape[1] - memory_NTX.shape[1] % MEMORY_WINDOW
    return memory_NTX[:, :whole].reshape(-1, MEMORY_WINDOW, *rest)


def draw_windows(memories: Mapping[int, Tensor], tokens: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """An equal share of windows from every slot's memory, about ``tokens`` in all, with replacement.

    Returns:
        windows (N, W, H) and the slot of each (N,).
    """
    share = max(1, tokens // MEMORY_WINDOW // len(memories))
    windows = [held[torch.randint(len(held), (share,), generator=generator)] for held in memories.values()]
    return torch.cat(windows), torch.tensor(list(memories)).repeat_interleave(share)
