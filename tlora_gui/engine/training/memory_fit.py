"""How much of a batch fits into memory at once, found out by one forward."""

from __future__ import annotations

from dataclasses import dataclass

import psutil
import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from tlora_gui.engine.training.evaluation import training_precision
from tlora_gui.temporal.blend import Blend
from tlora_gui.temporal.model import TemporalLoRA


@dataclass(frozen=True, slots=True)
class MemoryFit:
    """How a batch is learned.

    Attributes:
        blocks: blocks of text in one forward and backward; the gradients of a batch's parts add up.
        recompute: whether activations are computed again in the backward pass rather than kept.
    """

    blocks: int
    recompute: bool


def memory_fit(
    model: TemporalLoRA, ids_1T: Tensor, blend: Blend, batch_size: int, room: int | None = None
) -> MemoryFit:
    """The largest parts of a batch whose activations take at most half of the free memory.

    Args:
        ids_1T: one block like those of the batch.
        batch_size: blocks of a whole batch.
        room: bytes that activations may take, if not half of what is free.
    """
    room = free_memory(model.device) // 2 if room is None else room
    wanted = activation_bytes(model, ids_1T, blend)
    return MemoryFit(max(1, min(batch_size, room // max(1, wanted))), wanted > room)


def activation_bytes(model: TemporalLoRA, ids_1T: Tensor, blend: Blend) -> int:
    """What a forward over these ids keeps for the backward pass, weights aside."""
    kept: dict[int, torch.UntypedStorage] = {}

    def keep(tensor: Tensor) -> None:  # the graph gets nothing: one that is handed its own tensors is never freed
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage

    with saved_tensors_hooks(keep, lambda nothing: nothing), training_precision(model.device):
        model.next_token_loss(ids_1T.to(model.device), blend)
    for parameter in model.parameters():
        kept.pop(parameter.untyped_storage().data_ptr(), None)
    return sum(storage.nbytes() for storage in kept.values())


def free_memory(device: torch.device) -> int:
    """Bytes that are free on a device."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else psutil.virtual_memory().available
