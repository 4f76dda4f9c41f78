"""Active Sleep: a frozen teacher copy of the mixer, distilled on what earlier epochs left behind.

While a new epoch is learned, each step replays memories (router inputs, not text) and asks the mixer for what it
said before:

    total = adapter_loss + sleep_weight · mixer_distill_loss + route_weight · route_loss

The teacher knows the old slots only. Its distribution is padded with "new slot = 0", so that with a single old
epoch the loss still says "this text is not the new epoch's".
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, layer_norm, log_softmax

from tlora_gui.temporal.config import MEMORY_WINDOW
from tlora_gui.temporal.time_mixer import TimeMixer


@dataclass(frozen=True, slots=True)
class EpochMemory:
    """What an epoch leaves behind: layer-normalised router inputs in float16, no text.

    Attributes:
        replay_NWH: windows of training text, replayed in later sleep.
        probe_NTH: a few held-out blocks, only ever measured on.
    """

    replay_NWH: Tensor
    probe_NTH: Tensor


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


def route_loss(logits_BTS: Tensor, slot: int) -> Tensor:
    """Cross-entropy of "these tokens belong to ``slot``", in nats per token."""
    target = torch.full(logits_BTS.shape[:-1], slot, device=logits_BTS.device)
    return cross_entropy(logits_BTS.flatten(0, -2), target.flatten())


def to_memory(hidden_BTH: Tensor) -> Tensor:
    """Router inputs as they are kept: float16, after the layer norm that the mixer applies anyway.

    The norm bounds every value by √H, so none overflows half precision.
    """
    return layer_norm(hidden_BTH.detach().float(), hidden_BTH.shape[-1:]).half().cpu()


def cut_windows(hidden_BTH: Tensor) -> Tensor:
    """Contiguous pieces of router inputs, (N, MEMORY_WINDOW, H) in float16; a shorter rest is dropped."""
    _, tokens, hidden = hidden_BTH.shape
    whole = tokens - tokens % MEMORY_WINDOW
    return to_memory(hidden_BTH)[:, :whole].reshape(-1, MEMORY_WINDOW, hidden)


def draw_windows(memories: Sequence[Tensor], tokens: int, generator: torch.Generator) -> Tensor:
    """An equal share of windows from every memory, about ``tokens`` in all, with replacement (N, W, H)."""
    share = max(1, tokens // MEMORY_WINDOW // len(memories))
    return torch.cat([memory[torch.randint(len(memory), (share,), generator=generator)] for memory in memories])
