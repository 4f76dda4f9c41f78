"""Next-token cross-entropy, of logits or without them: (tokens × vocabulary) need never stand in memory whole.

The output layer is frozen, so the loss needs one gradient only, that of its input. It is computed piece by piece
together with the loss, and each piece's logits are gone before the next one's are made.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, linear, log_softmax

_PIECE = {"cuda": 2**27}
"""Logits that may stand at once, by device: enough for whole matrix products, few enough to stay in the CPU's cache."""


def logits_loss(logits_BTV: Tensor, ids_BT: Tensor) -> Tensor:
    """Mean cross-entropy of each next token (a scalar), in nats."""
    return cross_entropy(logits_BTV[:, :-1].flatten(0, 1).float(), ids_BT[:, 1:].flatten())


def hidden_loss(hidden_BTH: Tensor, weight_VH: Tensor, bias_V: Tensor | None, ids_BT: Tensor) -> Tensor:
    """Mean cross-entropy of each next token (a scalar), in nats.

    Args:
        hidden_BTH: input of the output layer.
        weight_VH, bias_V: the output layer, frozen; products are taken in the weight's precision.
        ids_BT: the tokens that were read; position t predicts token t + 1.
    """
    hidden_NH = hidden_BTH[:, :-1].flatten(0, 1)
    loss: Tensor = _CrossEntropy.apply(hidden_NH, weight_VH, bias_V, ids_BT[:, 1:].flatten())  # type: ignore[no-untyped-call]
    return loss


class _CrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden_NH: Tensor, weight_VH: Tensor, bias_V: Tensor | None, target_N: Tensor) -> Tensor:
        gradient_NH = torch.empty_like(hidden_NH) if ctx.needs_input_grad[0] else None
        loss = hidden_NH.new_zeros((), dtype=torch.float32)
        rows = max(1, _PIECE.get(hidden_NH.device.type, 2**23) // len(weight_VH))
        for start in range(0, len(hidden_NH), rows):
            piece = slice(start, start + rows)
            logits_NV = linear(hidden_NH[piece].to(weight_VH.dtype), weight_VH, bias_V)
            log_share_NV = log_softmax(logits_NV, dim=-1, dtype=torch.float32)
            target_N1 = target_N[piece, None]
            loss -= log_share_NV.gather(1, target_N1).sum()
            if gradient_NH is not None:
                error_NV = log_share_NV.exp_()
                error_NV.scatter_add_(1, target_N1, error_NV.new_full((len(target_N1), 1), -1.0))
                gradient_NH[piece] = error_NV.to(weight_VH.dtype) @ weight_VH
        if gradient_NH is not None:
            ctx.save_for_backward(gradient_NH / len(hidden_NH))
        return loss / len(hidden_NH)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, None, None, None]:
        (gradient_NH,) = ctx.saved_tensors
        return gradient_NH * upstream[0].to(gradient_NH.dtype), None, None, None
