"""Next-token cross-entropy, of logits or without them: (tokens × vocabulary) need never stand in memory whole.

The output layer is frozen, so the loss needs one gradient only, that of its input. It is computed piece by piece
together with the loss, and each piece's logits are gone before the next one's are made.

On a CPU a piece's gradient is taken of the classes that some token of it gives 2⁻¹² of probability or more (the rule of
Cut Cross-Entropy, arXiv:2411.09009); all others, which together are some hundredths, count as one class, whose row is
their mean by the piece's mean shares. Without that class the gradient is off by 4 % on text, with it by 0.7 %.
"""

from __future__ import annotations

from math import log
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, linear, log_softmax

_PIECE = {"cuda": 2**27}
"""Logits that may stand at once, by device: enough for whole matrix products, few enough to stay in the CPU's cache."""


LEAST_SHARE = 2**-12
"""Probability below which a class has no gradient of its own."""

MOST_IN_OTHERS = 0.05
"""Probability that such classes may have together, on average; above it every class has its own gradient."""


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
                gradient_NH[piece] = _gradient(log_share_NV, target_N1, weight_VH)
        if gradient_NH is not None:
            ctx.save_for_backward(gradient_NH / len(hidden_NH))
        return loss / len(hidden_NH)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, None, None, None]:
        (gradient_NH,) = ctx.saved_tensors
        return gradient_NH * upstream[0].to(gradient_NH.dtype), None, None, None


def _gradient(log_share_NV: Tensor, target_N1: Tensor, weight_VH: Tensor) -> Tensor:
    """The gradient of the summed cross-entropy in the output layer's input (N, H); ``log_share_NV`` is used up."""
    if log_share_NV.device.type == "cpu":
        likely_V = log_share_NV.amax(0) >= log(LEAST_SHARE)
        likely_V[target_N1] = True
        likely_C = likely_V.nonzero()[:, 0]
        if 2 * len(likely_C) <= len(likely_V):
            share_NC = log_share_NV[:, likely_C].exp_()
            others_N1 = 1 - share_NC.sum(1, keepdim=True)
            if others_N1.mean() <= MOST_IN_OTHERS:
                error_NC = _less_one(share_NC, torch.searchsorted(likely_C, target_N1)).to(weight_VH.dtype)
                mean_V = log_share_NV.mean(0).exp_()
                mean_V[likely_C] = 0
                others_H = (mean_V / mean_V.sum()).to(weight_VH.dtype) @ weight_VH
                return error_NC @ weight_VH[likely_C] + others_N1.to(weight_VH.dtype) * others_H
    return _less_one(log_share_NV.exp_(), target_N1).to(weight_VH.dtype) @ weight_VH


def _less_one(share_NC: Tensor, right_N1: Tensor) -> Tensor:
    """Shares less one at the right class: the gradient in the logits."""
    return share_NC.scatter_add_(1, right_N1, share_NC.new_full(right_N1.shape, -1.0))
